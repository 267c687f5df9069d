"""A four-layer ReLU network trained by `flbook.networks`, against the same loop in numpy.

Run ``python benchmarks/deep_networks.py``: one grid point of the experiment on images, 1 000 steps
of SGD with momentum on batches of 100 of 4 000 made-up images, by both sides in turns, the best of
each. numpy may use as many threads as it likes, and one, as in a sweep.
"""

import time

import numpy as np
from threadpoolctl import threadpool_limits

from flbook.networks import MLP, train

SIZES, EXAMPLES, BATCH, STEPS, RATE, MOMENTUM = (784, 256, 256, 256, 10), 4000, 100, 1000, 0.01, 0.9


def plain_loop(params, x: np.ndarray, y: np.ndarray) -> float:
    """Train with numpy as one writes it down, and return the loss."""
    weights = [np.array(matrix) for matrix in params]
    velocity = [np.zeros_like(matrix) for matrix in weights]
    random = np.random.default_rng(0)
    for step in range(STEPS):
        place = step % (EXAMPLES // BATCH)
        if place == 0:
            order = random.permutation(EXAMPLES)
        chosen = order[place * BATCH : (place + 1) * BATCH]
        layers = [x[chosen]]
        for matrix in weights[:-1]:
            layers.append(np.maximum(layers[-1] @ matrix.T, 0))
        push = (layers[-1] @ weights[-1].T - y[chosen]) / np.float32(BATCH)
        for i in reversed(range(len(weights))):
            slope = push.T @ layers[i]
            if i:
                push = (push @ weights[i]) * (layers[i] > 0)
            velocity[i] = np.float32(MOMENTUM) * velocity[i] + slope
            weights[i] -= np.float32(RATE) * velocity[i]
    for matrix in weights[:-1]:
        x = np.maximum(x @ matrix.T, 0)
    return float(np.sum((x @ weights[-1].T - y) ** 2, axis=1).mean() / 2)


def main() -> None:
    random = np.random.default_rng(1)
    x = random.standard_normal((EXAMPLES, SIZES[0])).astype(np.float32)
    y = np.eye(10, dtype=np.float32)[random.integers(10, size=EXAMPLES)]
    network = MLP(SIZES, "relu")
    params = network.init(0)

    def ours() -> float:
        settings = {"learning_rate": RATE, "momentum": MOMENTUM, "batch_size": BATCH}
        run = train(network, params, x, y, steps=STEPS, record=[STEPS], **settings)
        return float(run.losses[-1])

    best = {}
    for name, threads, call in (
        ("flbook", None, ours),
        ("numpy", None, lambda: plain_loop(params, x, y)),
        ("numpy, one thread", 1, lambda: plain_loop(params, x, y)),
    ) * 3:
        start = time.perf_counter()
        with threadpool_limits(threads, "blas"):
            loss = call()
        best[name] = min(best.get(name, np.inf), time.perf_counter() - start)
        print(f"{name:18} {time.perf_counter() - start:6.2f} s, loss {loss:.4f}")
    for name in ("numpy", "numpy, one thread"):
        print(f"{name}: {best[name] / best['flbook']:.1f} times the time of flbook")


if __name__ == "__main__":
    main()

"""A wide two-layer network trained by `flbook.networks`, against the same loop in numpy.

Run ``python benchmarks/networks.py``: one grid point is a run of 1 000 full-batch steps at width
10 000 on one input, recorded 60 times. Both sides are timed in turns in one run, to the same end,
and the best of each counts, since other work on the machine can only add time; in brackets, the
same in seconds of the processors. numpy's BLAS has one thread, as in a sweep: with more, they wait
for each other when other work wants the cores, and numpy loses all the more. What JAX compiles
once for all points of a grid is printed by itself.
"""

from __future__ import annotations

import argparse
import resource
import time

import jax
import numpy as np
from threadpoolctl import threadpool_limits

from flbook.networks import MLP, train

WIDTH, STEPS, EXAMPLES = 10_000, 1_000, 64
ACTIVATIONS = {
    "linear": (lambda h: h, lambda h: np.float32(1)),
    "relu": (lambda h: np.maximum(h, 0), lambda h: (h > 0).astype(h.dtype)),
    "swish": (lambda h: h * sigmoid(h), lambda h: sigmoid(h) * (1 + h * (1 - sigmoid(h)))),
}


def sigmoid(h: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-h))


def plain_loop(network: MLP, params, x: np.ndarray, y: np.ndarray, rate: float, records) -> list:
    """Train with numpy as one writes it down."""
    w, u = (np.array(matrix) for matrix in params)
    phi, slope = ACTIVATIONS[network.activation]
    gamma, losses = np.float32(network.gamma), []
    rates = [np.float32(rate * eta) for eta in network.etas]
    stops = set(records.tolist())
    for step in range(STEPS + 1):
        h = x @ w.T
        features = phi(h)
        residual = gamma * features @ u.T - y
        if step in stops:
            losses.append(float(np.mean(residual**2)) / 2)
        push = gamma * residual / np.float32(len(x))
        back = (push @ u) * slope(h)
        u -= rates[1] * (push.T @ features)
        w -= rates[0] * (back.T @ x)
    return losses


def main() -> int:
    """Run all."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    x = np.linspace(-1, 1, EXAMPLES, dtype=np.float32)[:, None]
    y = 2 * x + np.float32(0.3) * np.sin(6 * x)
    records = np.unique(np.geomspace(1, STEPS, 60).round().astype(int))
    print("seconds [of the processors]")
    print(f"JAX {jax.__version__}, numpy {np.__version__}; width {WIDTH}, {EXAMPLES} examples")
    for activation in ACTIVATIONS:
        network = MLP.parametrised("mean_field", (1, WIDTH, 1), activation)
        params = network.init(seed=0)

        def ours(network=network, params=params):
            return train(
                network, params, x, y, learning_rate=0.2, steps=STEPS, record=records
            ).losses[1:]

        def theirs(network=network, params=params):
            return plain_loop(network, params, x, y, 0.2, records)

        start = time.perf_counter()
        ours()
        first = time.perf_counter() - start
        times = []
        for _ in range(rounds):
            pair = []
            for call in (ours, theirs):
                start = time.perf_counter(), time.process_time()
                with threadpool_limits(1, "blas"):
                    losses = call()
                took = time.perf_counter() - start[0], time.process_time() - start[1]
                pair.append((took, losses))
            times.append([took for took, _ in pair])
            gap = np.abs(np.divide(pair[0][1], pair[1][1]) - 1).max()
        best = np.min(times, axis=0)
        print(
            f"  {activation:8s} {best[0, 0]:6.2f} s [{best[0, 1]:.2f}] against {best[1, 0]:6.2f} s "
            f"[{best[1, 1]:.2f}] in numpy: ratio {best[1, 0] / best[0, 0]:5.1f} "
            f"[{best[1, 1] / best[0, 1]:.1f}] "
            f"(with compilation {first:.2f} s; losses agree to {gap:.0e})"
        )
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

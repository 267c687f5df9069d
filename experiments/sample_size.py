"""How many examples a product of two signs needs: rich and lazy networks of one size.

The label is x₁x₂ for inputs of thirty random signs, a target that no linear function sees. The
output scale α decides how lazy one hidden layer of ReLU neurons is; f − f₀ is trained, so that its
random start plays no part.
"""

import numpy as np

import flbook as fl
from flbook import sweeps
from flbook.networks import MLP, largest_stable_rate, train

INPUTS, WIDTH, TEST, PROBES = 30, 256, 2000, 64
MOMENTUM, SHARE, STEPS, STOP = 0.9, 0.03, 10_000, 0.005

GRID = sweeps.Grid(
    examples=[50, 100, 200, 400, 800, 1600], alpha=[0.03, 0.3, 3.0, 30.0], seed=range(5)
)
QUICK = sweeps.Grid(examples=[200, 400], alpha=[0.03, 30.0], seed=0)


def signs(count, random):
    """Return inputs of random signs, and the product of the first two."""
    x = random.choice([-1.0, 1.0], (count, INPUTS))
    return x, x[:, 0] * x[:, 1]


def point(examples, alpha, seed):
    """Train one network to nearly no error, and return its error on new inputs."""
    random = np.random.default_rng([seed, examples])
    x, y = signs(examples, random)
    x_new, y_new = signs(TEST, random)
    network = MLP.parametrised("ntk", (INPUTS, WIDTH, 1)).with_output_scale(alpha)
    before = network.init(seed)
    run = train(
        network,
        before,
        x,
        y,
        learning_rate=SHARE * largest_stable_rate(network, before, x[:400]),
        momentum=MOMENTUM,
        steps=STEPS,
        record=range(50, STEPS + 1, 50),
        stop_at_loss=STOP,
        centred=True,
    )
    found = fl.checkup(before, run.params, x_new[:PROBES], f=network)
    error = np.mean(np.square(np.ravel(run.predict(x_new)) - y_new))
    return {
        "steps": int(run.steps[-1]),
        "train_loss": float(run.losses[-1]),
        "matched": run.ending == "loss",
        "test_error": error,
        "linearisation_error": found.linearisation_error,
        "kernel_change": found.kernel_change,
    }


if __name__ == "__main__":
    sweeps.main(point, GRID, QUICK)

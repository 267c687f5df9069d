"""Whether the map of the solvable model says which of many real networks are lazy.

Their width, output multiplier, initial scales and layer rates are drawn at random, over decades.
What the map says of a network before it is trained, from these numbers alone, is compared with what
its check-up finds after.
"""

import numpy as np

import flbook as fl
from flbook import datasets, sweeps
from flbook.networks import MLP, largest_stable_rate, train

EXAMPLES, PROBES, MOMENTUM, SHARE, STEPS, STOP = 600, 64, 0.9, 0.1, 5_000, 0.1

ACTIVATIONS = ["relu", "tanh", "swish"]
GRID = sweeps.Grid(activation=ACTIVATIONS, recipe="random", seed=range(30)) + sweeps.Grid(
    activation=ACTIVATIONS, recipe=["standard", "ntk", "mean_field", "mup"], seed=range(3)
)
QUICK = sweeps.Grid(activation="relu", recipe=["mup", "random"], seed=0)


def drawn(activation, seed):
    """Return a network whose settings are drawn over decades."""
    random = np.random.default_rng([seed, ACTIVATIONS.index(activation)])
    width = int(10 ** random.uniform(1.5, 3))
    ratio = 10 ** random.uniform(-1.5, 1.5)
    return MLP(
        (64, width, 10),
        activation,
        gamma=10 ** random.uniform(-2, 1),
        sigmas=10 ** random.uniform([-1.5, -2.5], 0.5),
        etas=(ratio**0.5, ratio**-0.5),
    )


def reach(network):
    """Return 2γη|v*|/K₀, which the map compares with 1, for inputs and labels of size 1.

    The kernel of the linear network with these settings stands in for that of the network itself.
    """
    (sigma_w, sigma_u), (eta_w, eta_u), width = network.sigmas, network.etas, network.sizes[1]
    kernel = network.gamma**2 * width * (eta_w * sigma_u**2 + eta_u * sigma_w**2)
    return 2 * network.gamma * (eta_u * eta_w) ** 0.5 / kernel


def point(activation, recipe, seed):
    """Train one network on digits, and return its reach and its check-up."""
    data = datasets.load("digits", n_train=EXAMPLES, seed=seed, one_hot=True, prepare="centre")
    size = np.sqrt(np.mean(np.sum(np.square(data.x_train), axis=1)))
    x, probes = data.x_train / size, data.x_test[:PROBES] / size
    if recipe == "random":
        network = drawn(activation, seed)
    else:
        network = MLP.parametrised(recipe, (64, 256, 10), activation)
    before = network.init(seed)
    top = 2 / largest_stable_rate(network, before, x[:300])
    eta = np.prod(network.etas) ** 0.5
    run = train(
        network,
        before,
        x,
        data.y_train - 0.1,
        # a start of tiny weights has a kernel far below the final one, which is at least 2γη|v|
        learning_rate=2 * SHARE / max(top, network.gamma * eta),
        momentum=MOMENTUM,
        steps=STEPS,
        record=range(50, STEPS + 1, 50),
        stop_at_loss=STOP,
        centred=True,
    )
    found = fl.checkup(before, run.params, probes, f=network)
    return {
        "reach": reach(network),
        "gamma": network.gamma,
        "sigmas": network.sigmas,
        "etas": network.etas,
        "width": network.sizes[1],
        "steps": int(run.steps[-1]),
        "train_loss": float(run.losses[-1]),
        "matched": run.ending == "loss",
        "linearisation_error": found.linearisation_error,
        "kernel_change": found.kernel_change,
        "kernel_rotation": found.kernel_rotation,
    }


if __name__ == "__main__":
    sweeps.main(point, GRID, QUICK)

"""Images at many initial scales: a deep network on MNIST, one hidden layer on CIFAR-10.

All weights start `scale` times as large as He et al. (2015) propose. The plain start trains f and
the centred one f − f₀, which is 0 everywhere before training: the same network without the random
function that it starts as. All stop at one training loss, where they reach it. The small digits
that come with scikit-learn are there for a quick look.
"""

import numpy as np

import flbook as fl
from flbook import datasets, sweeps
from flbook.networks import MLP, accuracy, largest_stable_rate, train

TASKS = {
    "digits": {
        "hidden": (256, 256, 256),
        "examples": 1000,
        "stop": 0.02,
        "rate": 0.05,
        "test": 359,
    },
    "mnist": {
        "hidden": (256, 256, 256),
        "examples": 4000,
        "stop": 0.02,
        "rate": 0.05,
        "test": 5000,
    },
    "cifar10": {"hidden": (256,), "examples": 3000, "stop": 0.05, "rate": 0.005, "test": 5000},
}
PROBES, BATCH, MOMENTUM, SHARE, STEPS = 64, 100, 0.9, 0.25, 15_000

STARTS = ["plain", "centred"]
GRID = sweeps.Grid(
    task="mnist", scale=[0.2, 0.3, 0.5, 0.7, 1.0, 1.4, 2.0], start=STARTS, seed=range(5)
) + sweeps.Grid(
    task="cifar10", scale=[0.03, 0.1, 0.3, 0.6, 1.0, 1.5, 2.0], start=STARTS, seed=range(5)
)
QUICK = sweeps.Grid(task="digits", scale=[0.3, 1.0], start=STARTS, seed=0)


def point(task, scale, start, seed):
    """Train one network, and return what moved and how well it does on new images."""
    chosen = TASKS[task]
    data = datasets.load(
        task,
        n_train=chosen["examples"],
        n_test=chosen["test"],
        seed=seed,
        one_hot=True,
        prepare="unit",
    )
    mean = data.x_train.mean(axis=0)
    spread = np.std(data.x_train - mean)
    x, x_test = (data.x_train - mean) / spread, (data.x_test - mean) / spread
    sizes = (x.shape[1], *chosen["hidden"], 10)
    network = MLP(sizes, "relu").with_initial_scale(2**0.5 * scale)
    before = network.init(seed)
    rate = min(SHARE * largest_stable_rate(network, before, x[:400]), chosen["rate"])
    run = train(
        network,
        before,
        x,
        data.y_train - 0.1,  # the outputs start, and the labels end, with a sum of about 0
        learning_rate=rate,
        momentum=MOMENTUM,
        batch_size=BATCH,
        steps=STEPS,
        record=range(100, STEPS + 1, 100),
        stop_at_loss=chosen["stop"],
        centred=start == "centred",
        seed=seed,
    )
    found = fl.checkup(before, run.params, x_test[:PROBES], f=network)
    first, end = network(before, x_test), network(run.params, x_test)
    classes = data.y_test.argmax(axis=1)
    return {
        "steps": int(run.steps[-1]),
        "train_loss": float(run.losses[-1]),
        "matched": run.ending == "loss",
        "test_accuracy": accuracy(end - first if run.centred else end, classes),
        "accuracy_of_change": accuracy(end - first, classes),
        "output_size": float(np.sqrt(np.mean(np.square(first)))),
        "linearisation_error": found.linearisation_error,
        "kernel_change": found.kernel_change,
        "kernel_rotation": found.kernel_rotation,
        "weight_change": list(found.weight_change.values()),
        "feature_change": list(found.feature_change.values()),
        "alignment_before": [pair.before for pair in found.alignment],
        "alignment_after": [pair.after for pair in found.alignment],
    }


if __name__ == "__main__":
    sweeps.main(point, GRID, QUICK)

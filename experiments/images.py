"""Images at many initial scales: a deep network on MNIST, one hidden layer on CIFAR-10.

All weights start `scale` times as large as He et al. (2015) propose. The plain start trains f and
the centred one f − f₀, which is 0 everywhere before training: the same network without the random
function that it starts as. All stop at one training loss, where they reach it.
"""

import numpy as np

import flbook as fl
from flbook import datasets, sweeps
from flbook.networks import MLP, largest_stable_rate, train

TASKS = {
    "mnist": {"hidden": (256, 256, 256), "examples": 4000, "stop": 0.02, "rate": 0.05},
    "cifar10": {"hidden": (256,), "examples": 3000, "stop": 0.05, "rate": 0.005},
}
TEST, PROBES, BATCH, MOMENTUM, SHARE, STEPS = 5000, 64, 100, 0.9, 0.25, 30_000

STARTS = ["plain", "centred"]
GRID = sweeps.Grid(
    task="mnist", scale=[0.2, 0.3, 0.5, 0.7, 1.0, 1.4, 2.0], start=STARTS, seed=range(5)
) + sweeps.Grid(
    task="cifar10", scale=[0.03, 0.1, 0.3, 0.6, 1.0, 1.5, 2.0], start=STARTS, seed=range(5)
)
QUICK = sweeps.Grid(task="mnist", scale=[0.3, 1.0], start="centred", seed=0)


def point(task, scale, start, seed):
    """Train one network, and return what moved and how well it does on new images."""
    chosen = TASKS[task]
    data = datasets.load(task, train=chosen["examples"], test=TEST, seed=seed)
    sizes = (data.x_train.shape[1], *chosen["hidden"], 10)
    network = MLP(sizes, "relu").with_initial_scale(2**0.5 * scale)
    before = network.init(seed)
    labels = one_hot(data.y_train)
    rate = min(SHARE * largest_stable_rate(network, before, data.x_train[:400]), chosen["rate"])
    run = train(
        network,
        before,
        data.x_train,
        labels,
        learning_rate=rate,
        momentum=MOMENTUM,
        batch_size=BATCH,
        steps=STEPS,
        record=range(100, STEPS + 1, 100),
        stop_at_loss=chosen["stop"],
        centred=start == "centred",
        seed=seed,
    )
    found = fl.checkup(before, run.params, data.x_test[:PROBES], f=network)
    guesses = np.argmax(run.predict(data.x_test), axis=1)
    without = np.argmax(network(run.params, data.x_test) - network(before, data.x_test), axis=1)
    return {
        "steps": int(run.steps[-1]),
        "train_loss": float(run.losses[-1]),
        "matched": run.ending == "loss",
        "test_accuracy": np.mean(guesses == data.y_test),
        "accuracy_of_change": np.mean(without == data.y_test),
        "output_size": np.sqrt(np.mean(np.square(network(before, data.x_test)))),
        "linearisation_error": found.linearisation_error,
        "kernel_change": found.kernel_change,
        "kernel_rotation": found.kernel_rotation,
        "weight_change": list(found.weight_change.values()),
        "feature_change": list(found.feature_change.values()),
    }


def one_hot(labels):
    """Return labels as rows of 0.9 at the class and −0.1 elsewhere, so that their sum is 0."""
    return np.eye(10)[labels] - 0.1


if __name__ == "__main__":
    sweeps.main(point, GRID, QUICK)

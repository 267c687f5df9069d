"""A network of any width, trained on a hundred digits and checked up."""

import numpy as np

import flbook as fl
from flbook import datasets
from flbook.networks import MLP, largest_stable_rate, train


def at_width(parametrisation: str, width: int) -> fl.Checkup:
    """Train f − f₀ to a tenth of its first loss, and check it up."""
    digits = datasets.load("digits", n_train=100, dtype=np.float64)
    x, y = digits.x_train, np.eye(10)[digits.y_train] - 0.1
    sizes = (64, width, width, 10)
    network = MLP.parametrised(parametrisation, sizes, gain=2**0.5)
    start = network.init(seed=0, dtype=np.float64)
    run = train(
        network,
        start,
        x,
        y,
        learning_rate=largest_stable_rate(network, start, x) / 2,
        steps=2000,
        record=range(0, 2001, 10),
        stop_at_loss=0.1 * np.mean(np.sum(y**2, axis=1)) / 2,
        centred=True,
    )
    return fl.checkup(start, run.params, x[:64], f=network)

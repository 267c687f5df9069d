"""Draws over many decades, for tests that try a sentence at its corners."""

import functools
from collections.abc import Callable

import numpy as np

import flbook as fl


def decades(random: np.random.Generator, size: int) -> Callable[[float, float], np.ndarray]:
    """Return a function of two powers of ten that draws evenly in the logarithm between them."""
    return functools.partial(_decades, random, size)


def _decades(random: np.random.Generator, size: int, low: float, high: float) -> np.ndarray:
    return 10.0 ** random.uniform(low, high, size)


def signal(network: fl.Network) -> np.ndarray:
    """Return 2γη."""
    return 2 * network.gamma * np.sqrt(network.eta_u * network.eta_w)

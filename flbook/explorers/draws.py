"""The random numbers of the explorers, drawn once and for all and the same in the browser."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy import special

from flbook._model.gram import Gram
from flbook._model.network import Network
from flbook._support.arrays import FloatArray
from flbook._support.checks import one_whole, single
from flbook._support.shared import shared

__all__ = ["COUNT", "LAW", "even_starts", "neuron_draws", "step_draws"]

SEED = 2024
# The networks of the explorer `ensemble`: how many, and by which law.
COUNT, LAW = 512, "even_starts"
# Words of 32 bits between two paths of noisy steps, and the numbers that scramble them.
APART, SPREAD, SCRAMBLE = 2**20, np.uint32(0x9E3779B1), np.uint32(0x45D9F3B)
# The root of x³ = x + 1.
PLASTIC: float = shared("terms")["plastic_number"]


@cache
def neuron_draws(count: int) -> tuple[list[float], list[float]]:
    """Return the standard normal (u, w) that neurons start from, before they are scaled.

    Examples
    --------
    >>> [len(layer) for layer in neuron_draws(60)]
    [60, 60]
    """
    u, w = np.random.default_rng(SEED).standard_normal((2, count)).round(4)
    return u.tolist(), w.tolist()


def even_starts(network: Network, count: int = COUNT) -> Gram:
    """Return starts by the law of `Network.sample_gram`, evenly spread instead of drawn.

    The law needs three random numbers, z, χ²_d and χ²_{d−1}. Here start i of N takes each through
    its quantile function from a point that fills the unit cube more evenly than random ones do:
    z at (i + ½)/N, χ²_d at the fraction of ½ + i/ρ, χ²_{d−1} at that of ½ + i/ρ², where ρ³ = ρ + 1.
    Quantiles over such starts are close to those of the law itself.

    Parameters
    ----------
    network : Network
        A single one.
    count : int, default 512
        N, at least 1.

    Raises
    ------
    TypeError, ValueError
        If `network` is not one network, or `count` not one whole number of at least 1.

    Examples
    --------
    >>> import flbook as fl
    >>> from flbook.explorers import even_starts
    >>> gram = even_starts(fl.Network(10**12))
    >>> print(gram.shape, abs(gram.alignment).max() < 1e-5)
    (512,) True
    """
    single("network", network, Network, "one network")
    count = one_whole("count", count)
    index = np.arange(count)
    z = special.ndtri((index + 0.5) / count)
    length = _chi_square(network.width, (0.5 + index * (1 / PLASTIC)) % 1)
    across = _chi_square(network.width - 1, (0.5 + index * (1 / PLASTIC**2)) % 1)
    return network._gram(length, z, across)


def _chi_square(degrees, share):
    """Return the quantiles of the chi-square law; that of no degrees of freedom is 0."""
    return 2 * special.gammaincinv(degrees / 2, share) if degrees else np.zeros_like(share)


def step_draws(steps: int, path: int = 0) -> tuple[NDArray[np.int64], FloatArray]:
    """Return the examples and the noise of the explorer `sgd_erosion`, to train with again.

    Step n of a path takes two words of 32 bits, the scrambled numbers 2n and 2n + 1 beyond the
    path's own 2²⁰. With (word + ½)/2³² as uniform numbers they make one normal number by Box and
    Muller; the last bit of the first word chooses one of two examples.

    Parameters
    ----------
    steps : int
        How many, at least 1.
    path : int, default 0
        The one whose numbers are shown; the others beside it are 1 to 4.

    Returns
    -------
    index, noise : array, shape (steps, 1)
        As `Batches` has them; the noise is standard normal, to be multiplied by its size.

    Examples
    --------
    >>> from flbook.explorers import step_draws
    >>> index, noise = step_draws(10_000)
    >>> print(index.mean().round(2), noise.mean().round(2), noise.std().round(2))
    0.5 0.02 1.01
    """
    steps, path = one_whole("steps", steps), one_whole("path", path, at_least=0)
    numbers = np.arange(2, 2 * steps + 2, dtype=np.uint32) + np.uint32(path * APART % 2**32)
    first, second = _scrambled(numbers).reshape(steps, 2).T
    uniform, angle = ((word + 0.5) / 2**32 for word in (first, second))
    noise = np.sqrt(-2 * np.log(uniform)) * np.cos(2 * np.pi * angle)
    return (first & 1).astype(np.int64)[:, None], noise[:, None]


def _scrambled(words: NDArray[np.uint32]) -> NDArray[np.uint32]:
    words = words * SPREAD
    for _ in range(2):
        words = (words ^ (words >> np.uint32(16))) * SCRAMBLE
    return words ^ (words >> np.uint32(16))

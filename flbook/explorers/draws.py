"""The random weights of the explorers, drawn once and for all and the same in the browser."""

from __future__ import annotations

from functools import cache

import numpy as np
from scipy import special

from flbook._model.gram import Gram
from flbook._model.network import Network
from flbook._support.checks import one_whole, single
from flbook._support.shared import shared

__all__ = ["COUNT", "LAW", "even_starts", "neuron_draws"]

SEED = 2024
# The networks of the explorer `ensemble`: how many, and by which law.
COUNT, LAW = 512, "even_starts"
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

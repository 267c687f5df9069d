"""The random starts of the explorer `ensemble`: the same ones in Python and in the browser."""

from __future__ import annotations

import numpy as np
from scipy import special

from flbook._model.gram import Gram
from flbook._model.network import Network
from flbook._support.checks import instance, whole

__all__ = ["even_starts"]

# The root of x³ = x + 1.
PLASTIC = 1.324717957244746


def even_starts(network: Network, count: int = 512) -> Gram:
    """Return starts by the law of `Network.sample_gram`, evenly spread instead of drawn.

    The law needs three random numbers, z, χ²_d and χ²_{d−1}. Here start i of N takes each through
    its quantile function from a point that fills the unit cube more evenly than random ones do:
    z at (i + ½)/N, χ²_d at the fraction of ½ + i/ρ, χ²_{d−1} at that of ½ + i/ρ², where ρ³ = ρ + 1.
    Quantiles over such starts are close to those of the law itself.

    Parameters
    ----------
    network : Network
        One network.
    count : int, default 512
        N, at least 1.

    Returns
    -------
    Gram
        Of shape (`count`,).

    Raises
    ------
    TypeError
        If `network` is not a Network.
    ValueError
        If it holds several networks, or `count` is not a whole number of at least 1.

    Examples
    --------
    >>> import flbook as fl
    >>> from flbook.explorers import even_starts
    >>> gram = even_starts(fl.Network(10**12))
    >>> print(gram.shape, abs(gram.alignment).max() < 1e-5)
    (512,) True
    """
    instance("network", network, Network)
    if network.shape != ():
        raise ValueError(f"network must be one network, got networks of shape {network.shape}")
    number = whole("count", count, at_least=1)
    if not isinstance(number, int):
        raise ValueError(f"count must be one whole number, got {count!r}")
    index = np.arange(number)
    z = special.ndtri((index + 0.5) / number)
    length = _chi_square(network.width, (0.5 + index * (1 / PLASTIC)) % 1)
    across = _chi_square(network.width - 1, (0.5 + index * (1 / PLASTIC**2)) % 1)
    return network._gram(length, z, across)


def _chi_square(degrees, share):
    """Return the quantiles of the chi-square law; that of no degrees of freedom is 0."""
    return 2 * special.gammaincinv(degrees / 2, share) if degrees else np.zeros_like(share)

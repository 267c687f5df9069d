"""The output scale as a knob: which network is lazy, and how far the boundary is.

For f = α·g with learning rates divided by α², a larger α makes a network lazier. The solvable model
says where lazy ends and rich begins, in terms of the linearisation error alone.
"""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike

from flbook._measures.kernel_change import matching_error
from flbook._support.checks import real
from flbook._support.shared import shared

__all__ = [
    "LAZY_ERROR",
    "RICH_ERROR",
    "UNCERTAINTY",
    "boundary_factor",
    "boundary_scale",
    "uncertainty",
    "verdict",
]

LAZY_ERROR = matching_error(1 + shared("terms")["lazy"])
"""The error, 0.0025, at which the kernel of the solvable model has grown by the book's 1 %."""

RICH_ERROR = matching_error(math.sqrt(2))
"""The error, 0.090, of the crossover 2γη|v*| = K_min, where that kernel has grown by √2."""

RICH_POWER, LAZY_POWER = 1.25, 1.0
"""The output scale goes with these powers of error/(1 − error), above and below the boundary.

On the solvable line the power is 2 for a very rich network, and ½ for a very lazy one. A network of
L layers that starts small has L/(L − 1) when rich. When lazy, an error of first order has 1, one
that is made of a few inputs crossing the kinks of ReLUs has 2, for the number of crossings is like
1/α too. The two numbers stand between these, and the experiments on the knob test them.
"""

KNOB = shared("terms")["knob"]

UNCERTAINTY, FAR_UNCERTAINTY = float(KNOB["uncertainty"]), float(KNOB["far_uncertainty"])
"""A true factor lies within these of the predicted one, up and down: near and far."""

NEAR = KNOB["near"]
"""The linearisation errors from which the boundary is near, as the experiments on the knob say."""

UNREADABLE = 0.99
"""From this error on nothing is predicted."""


def verdict(error: float) -> str:
    """Return "lazy", "in between" or "rich" by a linearisation error.

    Examples
    --------
    >>> [verdict(error) for error in (0.001, 0.02, 0.4)]
    ['lazy', 'in between', 'rich']
    """
    if error <= LAZY_ERROR:
        return "lazy"
    return "in between" if error <= RICH_ERROR else "rich"


def boundary_factor(error: float) -> float:
    """Return by which factor the output scale takes a network to the boundary of the rich regime.

    Above 1 for a rich network, below 1 for any other; infinite from an error of 0.99 on, which no
    longer says how far in a network is.

    Examples
    --------
    >>> print(f"{boundary_factor(RICH_ERROR):.2f}")
    1.00
    """
    if error >= UNREADABLE:
        return math.inf
    odds = error / (1 - error) * (1 - RICH_ERROR) / RICH_ERROR
    return odds ** (RICH_POWER if odds > 1 else LAZY_POWER)


def uncertainty(error: float) -> float:
    """Return the factor within which `boundary_factor` is to be trusted.

    Examples
    --------
    >>> uncertainty(0.3), uncertainty(0.001)
    (4.0, 30.0)
    """
    return UNCERTAINTY if NEAR[0] <= error <= NEAR[1] else FAR_UNCERTAINTY


def boundary_scale(scales: ArrayLike, errors: ArrayLike) -> float | None:
    """Return the output scale from which on runs at several scales are no longer rich.

    Parameters
    ----------
    scales : array, (n,)
        The output scales α of the runs, in any order, greater than 0.
    errors : array, (n,)
        Their linearisation errors.

    Returns
    -------
    float or None
        Where the error crosses 0.090 for the last time as α grows, on a straight line between the
        logarithms of two neighbouring runs; None if no run before a lazier one is rich.

    Raises
    ------
    TypeError, ValueError
        If they are not numbers greater than 0, or not as many.

    Examples
    --------
    >>> from flbook import boundary_scale
    >>> print(round(boundary_scale([1, 100], [0.898, 0.00898]), 2))
    10.0
    """
    alphas, found = (
        np.atleast_1d(real(name, value, above=0))
        for name, value in (("scales", scales), ("errors", errors))
    )
    if alphas.ndim != 1 or alphas.shape != found.shape:
        raise ValueError(
            f"errors must have one entry for each scale, got {found.shape} for {alphas.shape}"
        )
    points = sorted(zip(alphas.tolist(), found.tolist(), strict=True))
    for (small, rich), (large, lazy) in reversed(list(pairwise(points))):
        if rich > RICH_ERROR >= lazy:
            share = math.log(rich / RICH_ERROR) / math.log(rich / lazy)
            return small * (large / small) ** share
    return None

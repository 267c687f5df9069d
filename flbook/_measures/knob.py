"""The output scale as a knob: which network is lazy, and how far the boundary is.

For f = α·g with learning rates divided by α², a larger α makes a network lazier. The solvable model
says where lazy ends and rich begins, in terms of the linearisation error alone.
"""

from __future__ import annotations

import math

from flbook._measures.kernel_change import matching_error
from flbook._support.shared import shared

__all__ = ["LAZY_ERROR", "RICH_ERROR", "TRIED", "UNCERTAINTY", "boundary_factor", "verdict"]

LAZY_ERROR = matching_error(1 + shared("terms")["lazy"])
"""The error, 0.0025, at which the kernel of the solvable model has grown by the book's 1 %."""

RICH_ERROR = matching_error(math.sqrt(2))
"""The error, 0.090, of the crossover 2γη|v*| = K_min, where that kernel has grown by √2."""

RICH_POWER, LAZY_POWER = 1.25, 0.75
"""The output scale goes with these powers of error/(1 − error), above and below the boundary.

On the solvable line the power is 2 for a very rich network, and ½ for a very lazy one. A network of
L layers that starts small has L/(L − 1), and one whose error is of first order has 1 when lazy.
The two numbers stand between these, and `experiments/knob.py` tests them.
"""

UNCERTAINTY = 4.0
"""A true factor lies within this factor of the predicted one, up and down."""


TRIED = 2.5e-4, 0.99
"""The linearisation errors between which that holds on the solvable line, too."""


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

    Above 1 for a rich network, below 1 for any other; infinite from an error of 1 on, where the
    error no longer says how far in a network is.

    Examples
    --------
    >>> print(f"{boundary_factor(RICH_ERROR):.2f}")
    1.00
    """
    if error >= 1:
        return math.inf
    odds = error / (1 - error) * (1 - RICH_ERROR) / RICH_ERROR
    return odds ** (RICH_POWER if odds > 1 else LAZY_POWER)

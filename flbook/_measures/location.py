"""The universal finite-width diagram: any concrete network as one point of a plane."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from flbook._dynamics.gradient_flow import GradientFlow
from flbook._model.gram import Gram
from flbook._model.network import Network
from flbook._model.task import Task
from flbook._support.arrays import FloatArray, ValueObject
from flbook._support.checks import real
from flbook._support.numerics import ratio
from flbook._support.shared import shared

__all__ = ["Location", "Regime", "contour", "locate"]

TERMS = shared("terms")
NAMES = TERMS["regimes"]


class Regime(enum.Enum):
    """Where a concrete network lies on the diagram.

    Examples
    --------
    >>> from flbook import Regime
    >>> Regime("rich") is Regime.RICH
    True
    """

    RICH = NAMES["rich"]
    """K_min is small against the signal: training rebuilds the kernel."""

    BETWEEN = NAMES["between"]
    """K_min is the larger, and yet the kernel moves by more than 1 %."""

    LAZY_BY_DETERMINANT = NAMES["by_determinant"]
    """The kernel stays, for the layers are far from parallel, and stay so."""

    LAZY_BY_IMBALANCE = NAMES["by_imbalance"]
    """The kernel stays, for one layer does all the learning; yet the layers may align."""


@dataclass(frozen=True, eq=False)
class Location(ValueObject):
    """A point of the diagram, as made by `locate`.

    Attributes
    ----------
    by_determinant : float or array
        X = √D·γ/|v*|, the first coordinate.
    by_imbalance : float or array
        |Y| = |Δ|γ/(2η|v*|), the second coordinate.
    start : float or array
        a = v(0)/v*, the third number that the kernel change depends on.
    kernel_ratio : float or array
        K(∞)/K(0), exactly.
    kernel_excursion : float or array
        The largest |K/K(0) − 1| along the whole path.

    Examples
    --------
    >>> from flbook import Gram, Network, Task, locate
    >>> place = locate(Network(2), Task(1.0, 1.0, 1.0), Gram(4.0, 0.0, 1.0))
    >>> print(place.by_determinant, place.by_imbalance, place.regime)
    2.0 1.5 Regime.BETWEEN
    """

    by_determinant: FloatArray
    by_imbalance: FloatArray
    start: FloatArray
    kernel_ratio: FloatArray
    kernel_excursion: FloatArray

    @cached_property
    def radius(self) -> FloatArray:
        """The distance from the corner, ρ = √(X² + Y²) = K_min/(2γη|v*|)."""
        return np.hypot(self.by_determinant, self.by_imbalance)

    @cached_property
    def regime(self) -> Regime | NDArray[np.object_]:
        """The regime: a `Regime`, or an array of them.

        Lazy where the kernel strays by no more than 1 % on the whole path, by the larger coordinate
        (by determinant if they are equal). Otherwise RICH where `radius` is below 1, or below
        |`start`| if the start lies farther out than the target: K_min is then smaller than the
        2γη|v| that training passes through; and BETWEEN elsewhere.
        """
        lazy = self.kernel_excursion <= TERMS["lazy"]
        rich = self.radius < np.maximum(1.0, np.abs(self.start))
        by_determinant = self.by_determinant >= self.by_imbalance
        index = np.where(lazy, np.where(by_determinant, 2, 3), np.where(rich, 0, 1))
        regimes = np.empty(len(Regime), dtype=object)
        regimes[:] = list(Regime)
        return regimes[index]


def locate(network: Network, task: Task, gram: Gram) -> Location:
    """Place a concrete network on the universal finite-width diagram.

    Under gradient flow the kernel obeys K² = (2γηv)² + K_min², with η² = η_u η_w and
    K_min² = γ⁴(Δ² + 4η²D). Relative to the signal 2γη|v*| at the target, the two frozen numbers are
    the coordinates X and |Y|, their length is ρ, and with the start a = v(0)/v* the kernel changes
    by exactly

        K(∞)/K(0) = √(1 + ρ²)/√(a² + ρ²).

    So the contours of one kernel change are circles about the corner: see `contour`. The alignment
    depends on X alone, |ζ(∞)| = 1/√(1 + X²); at the same radius, a network that is lazy by
    imbalance (small X) aligns its layers, one that is lazy by determinant does not.

    Parameters
    ----------
    network, task, gram : Network, Task, Gram
        The network gives γ, η_u and η_w, the task v*, and `gram` is the start.

    Raises
    ------
    TypeError, ValueError
        If a parameter is not of its class, or the shapes do not broadcast.

    Notes
    -----
    Limits stand where a ratio has none. With v* = 0 a number is ±∞ unless its numerator is 0 too,
    and then it is 0. With a learning rate of 0 the imbalance is ∞, for the kernel cannot move. A
    kernel of 0 never moves either, so K(∞)/K(0) is 1. A start on the wrong side of the saddle
    (ρ = 0, a < 0) ends at v = 0, with K(∞)/K(0) = 0. The model is that of Xu & Ziyin,
    arXiv:2401.07085.

    Examples
    --------
    >>> from flbook import SCALINGS, Task, locate
    >>> network = SCALINGS["ntk"].at_width([10**2, 10**6])
    >>> place = locate(network, Task(1.0, 1.0, 1.0), network.typical_gram(overlap=0.0))
    >>> print(place.radius.round(3), place.kernel_ratio.round(6))
    [   9.95 1000.  ] [1.005038 1.000001]
    """
    flow = GradientFlow(network, task, gram)

    def spread(value: ArrayLike) -> FloatArray:
        return np.broadcast_to(value, flow.shape)

    target = spread(np.abs(task.target))
    eta = spread(np.sqrt(network.eta_u) * np.sqrt(network.eta_w))
    forward = np.where(spread(task.target) < 0, -1.0, 1.0)
    by_imbalance = _over(network.gamma * np.abs(flow.imbalance(0.0)), 2 * eta * target)
    return Location(
        by_determinant=_over(spread(network.gamma * gram.root_determinant), target),
        by_imbalance=np.where(eta > 0, by_imbalance, np.inf)[()],
        start=_over(forward * flow.slope(0.0), target),
        kernel_ratio=flow.outcome.kernel_ratio,
        kernel_excursion=flow.outcome.kernel_excursion,
    )


def contour(kernel_ratio: ArrayLike) -> FloatArray:
    """Return the radius at which a network that starts at v = 0 changes its kernel so much.

    From K(∞)/K(0) = √(1 + 1/ρ²): ρ = 1/√(ratio² − 1), for ratios above 1 of any shape.

    Examples
    --------
    >>> from flbook._measures.location import contour
    >>> print(contour([1.01, 2**0.5, 10.0]).round(3))
    [7.053 1.    0.101]
    """
    wanted = np.asarray(real("kernel_ratio", kernel_ratio, above=1))
    return 1 / (np.sqrt(wanted - 1) * np.sqrt(wanted + 1))


def _over(numerator: FloatArray, denominator: FloatArray) -> FloatArray:
    """Return numerator/denominator, where 0/0 is 0 and x/0 is infinite."""
    limit = np.where(numerator == 0, 0.0, np.copysign(np.inf, numerator))
    with np.errstate(over="ignore"):
        return ratio(numerator, denominator, limit)

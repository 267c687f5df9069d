"""The lazy width: from which width on a parametrisation ends with the kernel that it began with."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from flbook._measures.ensemble import Ensemble
from flbook._model.network import Network
from flbook._model.scaling import Scaling
from flbook._model.task import Task
from flbook._support.arrays import FloatArray, Seed, ValueObject
from flbook._support.checks import one_real, one_whole, single
from flbook._support.seeds import repeatable
from flbook._support.shared import shared

__all__ = ["LAZY", "LazyWidth", "lazy_width"]

LAZY: float = shared("terms")["lazy"]
"""The relative change of the kernel that counts as none."""

# Widths per factor of ten on the grid.
PER_DECADE = 4
# Half the width of a 95 % interval, in standard deviations.
CONFIDENCE = 1.96


@dataclass(frozen=True, eq=False)
class LazyWidth(ValueObject):
    """The width from which a parametrisation keeps its kernel, as found by `lazy_width`.

    Attributes
    ----------
    width : int or None
        The first width from which the median of max |K/K(0) − 1| stays below `tolerance`; None if
        it does not, up to the largest of `widths`.
    interval : tuple of int or None
        Where 95 % of such ensembles would put `width`; None with `width`, or where the upper end
        lies beyond the largest of `widths`.
    tolerance : float
        What counts as kept.
    widths, deviation : array
        The grid of widths looked at first, and the medians of max |K/K(0) − 1| there.

    Examples
    --------
    >>> from flbook import SCALINGS, Task, lazy_width
    >>> lazy_width(SCALINGS["mean_field"], Task(1.0, 1.0, 1.0)).becomes_lazy
    False
    """

    width: int | None
    interval: tuple[int, int] | None
    tolerance: float
    widths: NDArray[np.int64]
    deviation: FloatArray

    @property
    def becomes_lazy(self) -> bool:
        """Whether there is such a width."""
        return self.width is not None


def lazy_width(
    parametrisation: Scaling | Network,
    task: Task,
    tolerance: float = LAZY,
    *,
    size: int = 10_000,
    seed: Seed = 0,
    largest: int = 10**15,
) -> LazyWidth:
    """Find the width beyond which a parametrisation keeps its kernel, by exact ensembles.

    A width counts if half of all random networks change their kernel by less than `tolerance` on
    the whole way: the median of max |K/K(0) − 1| over t ≥ 0 is below it. The widths 1, 2, 3, 6,
    10, … are tried first; between the last that does not count and its successor the place is then
    found by halving.

    Parameters
    ----------
    parametrisation : Scaling or Network
        How the parameters depend on the width. A network keeps all of its parameters but the width.
    task : Task
        One task.
    tolerance : float, default 0.01
        The kernel change that still counts as none, greater than 0.
    size : int, default 10_000
        Networks per width.
    seed : int, numpy.random.SeedSequence, numpy.random.Generator or None
        Of the random starts; every width gets the same one.
    largest : int, default 10**15
        The largest width to look at, at least 2.

    Raises
    ------
    TypeError, ValueError
        If an argument is not of its class, a number out of range, or there are several tasks.

    Examples
    --------
    >>> from flbook import SCALINGS, Task, lazy_width
    >>> lazy = lazy_width(SCALINGS["ntk"], Task(1.0, 1.0, 1.0))
    >>> 40 < lazy.width < 50
    True
    """
    if not isinstance(parametrisation, (Scaling, Network)):
        raise TypeError(f"parametrisation must be a Scaling or a Network, got {parametrisation!r}")
    if isinstance(parametrisation, Network):
        single("parametrisation", parametrisation, Network)
    single("task", task, Task)
    tolerance = one_real("tolerance", tolerance, above=0)
    size = one_whole("size", size)
    widths = _grid(one_whole("largest", largest, at_least=2))

    deviations = _Deviations(parametrisation, task, size, repeatable(seed))
    first, width, last = (_crossing(deviations, widths, rank, tolerance) for rank in range(3))
    interval = None if first is None or last is None else (first, last)
    deviation = np.array([deviations[d][1] for d in widths.tolist()])
    for array in (widths, deviation):
        array.flags.writeable = False
    return LazyWidth(width, interval, tolerance, widths, deviation)


class _Deviations(dict[int, FloatArray]):
    """The deviation max |K/K(0) − 1| by width, each from an ensemble that is drawn when needed.

    Three order statistics: the median, and before and after it the two that bound it in 95 % of
    such ensembles.
    """

    def __init__(
        self, parametrisation: Scaling | Network, task: Task, size: int, seed: Seed
    ) -> None:
        super().__init__()
        self.parametrisation, self.task, self.size, self.seed = parametrisation, task, size, seed
        median, reach = (size - 1) // 2, math.ceil(CONFIDENCE * math.sqrt(size) / 2)
        self.ranks = [max(0, median - reach), median, min(size - 1, median + reach)]

    def __missing__(self, width: int) -> FloatArray:
        if isinstance(self.parametrisation, Scaling):
            network = self.parametrisation.at_width(width)
        else:
            network = replace(self.parametrisation, width=width)
        excursion = Ensemble(network, self.task, self.size, self.seed).kernel_excursion
        self[width] = np.partition(excursion, self.ranks)[self.ranks]
        return self[width]


def _grid(largest: int) -> NDArray[np.int64]:
    decades = math.log10(largest)
    exponents = np.linspace(0, decades, max(2, round(PER_DECADE * decades) + 1))
    widths = np.unique(np.round(10**exponents).astype(np.int64))
    widths[-1] = largest
    return widths


def _crossing(
    deviations: _Deviations, widths: NDArray[np.int64], rank: int, tolerance: float
) -> int | None:
    """Return the width from which the order statistic of that rank stays below the tolerance."""
    grid = widths.tolist()
    lively = [index for index, d in enumerate(grid) if deviations[d][rank] >= tolerance]
    if not lively:
        return grid[0]
    if lively[-1] == len(grid) - 1:
        return None
    low, high = grid[lively[-1]], grid[lively[-1] + 1]
    while high - low > 1:
        middle = math.isqrt(low * high) if high > 2 * low else (low + high) // 2
        if deviations[middle][rank] < tolerance:
            high = middle
        else:
            low = middle
    return high

"""The phase diagram, measured: slopes over widths in place of exponents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from flbook._measures.ensemble import Ensemble
from flbook._model.scaling import Phase, Scaling
from flbook._model.task import Task
from flbook._support.arrays import FloatArray, Seed, ValueObject
from flbook._support.checks import instance
from flbook._support.shared import shared

__all__ = ["WIDTHS", "MeasuredPhase", "Slope", "measure_phase"]

SPEEDS = shared("terms")["speeds"]
WIDTHS = tuple(10**power for power in range(2, 13))
"""Where phases are measured: 10², 10³, …, 10¹²."""

FLAT = 0.1
"""A fitted power of the width that is smaller counts as 0.

Over the ten decades of `WIDTHS` such a power changes a number by less than a factor of ten, which
corrections at the narrow end could do as well. Exponents that are multiples of ½ give powers that
are multiples of ¼, so nothing on that grid comes near the threshold.
"""


class Slope(NamedTuple):
    """A fitted power of the width.

    Attributes
    ----------
    value, error : float
        The slope of the logarithm against log d, and its standard error by the scatter about it.

    Examples
    --------
    >>> from flbook import SCALINGS, measure_phase
    >>> print(f"{measure_phase(SCALINGS['standard']).rate.value:.2f}")
    1.00
    """

    value: float
    error: float

    @property
    def sign(self) -> int:
        """−1, 0 or 1; powers smaller than 0.1 count as 0."""
        return int(np.sign(self.value)) if abs(self.value) >= FLAT else 0


@dataclass(frozen=True, eq=False)
class MeasuredPhase(ValueObject):
    """What ensembles at several widths say about a scaling, as made by `measure_phase`.

    Attributes
    ----------
    widths : array of int
        The widths.
    kernel_drift, alignment_cotangent, final_rate : array
        The medians over the ensemble at these widths of |K(∞)/K(0) − 1|, of |S(∞)|/√D, which is the
        cotangent of the final angle between the layers, and of mK(∞).
    drift, alignment, rate : Slope
        The powers of the width that fit the three.

    Examples
    --------
    >>> from flbook import SCALINGS, measure_phase
    >>> measured = measure_phase(SCALINGS["mean_field"])
    >>> measured.phase, measured.speed, measured.alignment_class
    (<Phase.FEATURE_CRITICAL: 'feature learning, critical'>, 'learning', 'partial')
    """

    widths: NDArray[np.int64]
    kernel_drift: FloatArray
    alignment_cotangent: FloatArray
    final_rate: FloatArray
    drift: Slope
    alignment: Slope
    rate: Slope

    @property
    def phase(self) -> Phase:
        """KERNEL, FEATURE_CRITICAL or FEATURE_VANISHING, as kernel_drift falls, stays or grows."""
        phases = {-1: Phase.KERNEL, 0: Phase.FEATURE_CRITICAL, 1: Phase.FEATURE_VANISHING}
        return phases[self.drift.sign]

    @property
    def speed(self) -> str:
        """Return "frozen", "learning" or "unstable", as mK(∞) falls, stays or grows."""
        return SPEEDS[{-1: "below", 0: "at", 1: "above"}[self.rate.sign]]

    @property
    def alignment_class(self) -> str:
        """Return "none", "partial" or "full": where |ζ(∞)| goes, to 0, between or to 1."""
        return {-1: "none", 0: "partial", 1: "full"}[self.alignment.sign]


def measure_phase(
    scaling: Scaling,
    task: Task | None = None,
    widths: Sequence[int] = WIDTHS,
    *,
    size: int = 1000,
    seed: Seed = 0,
) -> MeasuredPhase:
    """Measure the phase of a scaling, with no use of its exponents.

    At every width an exact ensemble is drawn and the medians of three numbers are taken; straight
    lines through their logarithms against the log of the width give three powers, and their signs
    are the phase, the class of alignment and the speed:

    - |K(∞)/K(0) − 1| falls in the kernel phase, stays where training rebuilds a finite share of the
      kernel (critical), and grows like K(∞)/K(0) itself under vanishing initialisation;
    - |S(∞)|/√D is the cotangent of the final angle between the layers, |ζ|/√(1 − ζ²), and goes on
      falling or growing where |ζ| has already settled at 0 or 1;
    - mK(∞) is the rate of the final approach.

    Parameters
    ----------
    scaling : Scaling
        What to measure.
    task : Task, optional
        One task with a target that is not 0; m = c = E[y²] = 1 if none is given.
    widths : sequence of int, default 10², 10³, …, 10¹²
        At least three widths.
    size : int, default 1000
        Networks per width.
    seed : int, numpy.random.SeedSequence, numpy.random.Generator or None
        Of the random starts.

    Returns
    -------
    MeasuredPhase

    Raises
    ------
    TypeError, ValueError
        If an argument is not of its class, there are fewer than three different widths, the task
        is not a single one with a target, or a median leaves the range of doubles.

    Notes
    -----
    The phases are those of Xu & Ziyin, arXiv:2401.07085 (2024). The exponents predict the powers:
    with b, k, g and o as in `Scaling.exponents`, the drift goes with 2(b − k) + 2 max(o, 0) in the
    kernel phase, 0 in the critical one and b − k beyond it, the cotangent with g, the rate with
    max(b, k).

    Examples
    --------
    >>> from flbook import SCALINGS, measure_phase
    >>> measured = measure_phase(SCALINGS["ntk"])
    >>> print(measured.phase, f"{measured.drift.value:.2f}", f"{measured.alignment.value:.2f}")
    Phase.KERNEL -1.00 -0.50
    """
    instance("scaling", scaling, Scaling)
    task = Task(1.0, 1.0, 1.0) if task is None else task
    instance("task", task, Task)
    if task.shape != () or task.target == 0:
        raise ValueError(f"task must be a single one with a target that is not 0, got {task!r}")
    network = scaling.at_width(widths)
    width = np.asarray(network.width)
    if width.ndim != 1 or np.unique(width).size < 3:
        raise ValueError(f"widths must hold at least three different widths, got {widths!r}")
    ensemble = Ensemble(network, task, size, seed)
    drift = _medians("drift of the kernel", np.abs(ensemble.kernel_drift))
    cotangent = _medians("final alignment", ensemble.alignment_cotangent)
    rate = _medians("final rate", ensemble.rate)
    return MeasuredPhase(
        widths=width,
        kernel_drift=drift,
        alignment_cotangent=cotangent,
        final_rate=rate,
        drift=_fit(width, drift),
        alignment=_fit(width, cotangent),
        rate=_fit(width, rate),
    )


def _medians(what: str, values: FloatArray) -> FloatArray:
    medians = np.median(values, axis=0)
    if not ((medians > 0) & np.isfinite(medians)).all():
        raise ValueError(
            f"scaling must keep the {what} between 0 and infinity at every width, got the medians "
            f"{medians}"
        )
    medians.flags.writeable = False
    return medians


def _fit(width: ArrayLike, values: FloatArray) -> Slope:
    """Fit log values = slope · log width + constant by least squares."""
    x, y = np.log(np.asarray(width, dtype=np.float64)), np.log(values)
    x, y = x - x.mean(), y - y.mean()
    spread = float(x @ x)
    slope = float(x @ y) / spread
    rest = y - slope * x
    return Slope(slope, float(np.sqrt(rest @ rest / (x.size - 2) / spread)))

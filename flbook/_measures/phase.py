"""The phase diagram, measured: slopes over widths, or over any scale, in place of exponents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from flbook._measures.ensemble import Ensemble
from flbook._model.scaling import Phase, Scaling
from flbook._model.task import Task
from flbook._support.arrays import FloatArray, Seed, ValueObject
from flbook._support.checks import instance, real
from flbook._support.shared import shared

__all__ = ["MeasuredPhase", "Slope", "measure_phase"]

SPEEDS = shared("terms")["speeds"]
DECADES = range(2, 13)
"""Where phases are measured: κ = 10², 10³, …, 10¹², or roots of these for wider networks."""

FIXED_WIDTH = 10
"""The width at which a scaling of fixed width is measured, if not said otherwise."""

FLAT = 0.1
"""A fitted power of κ that is smaller counts as 0.

Over ten decades such a power changes a number by less than a factor of ten, which corrections at
the narrow end could do as well. Exponents that are multiples of ½ give powers that are multiples of
¼, so nothing on that grid comes near the threshold.
"""

FEW = 0.01
"""Where fewer than this share of the networks grow their kernel in the end, all unlearn."""


class Slope(NamedTuple):
    """A fitted power of κ, which is the width if not said otherwise.

    Attributes
    ----------
    value, error : float
        The slope of the logarithm against log κ, and its standard error by the scatter about it.

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
    """What ensembles at several scales say about a scaling, as made by `measure_phase`.

    Attributes
    ----------
    scales : array
        The values of κ.
    widths : array of int
        The widths there.
    kernel_drift, alignment_cotangent, final_rate : array
        The medians over the ensemble at these scales of |K(∞)/K(0) − 1|, of |S(∞)|/√D, which is the
        cotangent of the final angle between the layers, and of mK(∞).
    growing : float
        The share of the networks at the largest κ whose kernel ends above its start.
    drift, alignment, rate : Slope
        The powers of κ that fit the three.

    Examples
    --------
    >>> from flbook import SCALINGS, measure_phase
    >>> measured = measure_phase(SCALINGS["mean_field"])
    >>> measured.phase, measured.speed, measured.alignment_class
    (<Phase.FEATURE_CRITICAL: 'feature learning, critical'>, 'learning', 'partial')
    """

    scales: FloatArray
    widths: NDArray[np.int64]
    kernel_drift: FloatArray
    alignment_cotangent: FloatArray
    final_rate: FloatArray
    growing: float
    drift: Slope
    alignment: Slope
    rate: Slope

    @property
    def phase(self) -> Phase:
        """KERNEL where `kernel_drift` falls, FEATURE_VANISHING where it grows.

        Where it stays, FEATURE_UNLEARNING if next to no network grows its kernel in the end, and
        FEATURE_CRITICAL otherwise.
        """
        stays = Phase.FEATURE_UNLEARNING if self.growing < FEW else Phase.FEATURE_CRITICAL
        return {-1: Phase.KERNEL, 0: stays, 1: Phase.FEATURE_VANISHING}[self.drift.sign]

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
    scales: Sequence[float] | None = None,
    *,
    base_width: int | None = None,
    size: int = 1000,
    seed: Seed = 0,
) -> MeasuredPhase:
    """Measure the phase of a scaling, with no use of its exponents.

    At every scale κ an exact ensemble is drawn and the medians of three numbers are taken; straight
    lines through their logarithms against log κ give three powers, and their signs are the phase,
    the class of alignment and the speed:

    - |K(∞)/K(0) − 1| falls in the kernel phase, stays where training rebuilds a finite share of the
      kernel (critical, or unlearning), and grows like K(∞)/K(0) itself under vanishing
      initialisation;
    - |S(∞)|/√D is the cotangent of the final angle between the layers, |ζ|/√(1 − ζ²), and goes on
      falling or growing where |ζ| has already settled at 0 or 1;
    - mK(∞) is the rate of the final approach.

    Parameters
    ----------
    scaling : Scaling
        What to measure.
    task : Task, optional
        One task with a target that is not 0; m = c = E[y²] = 1 if none is given.
    scales : sequence of float, default 10², 10³, …, 10¹²
        At least three values of κ, which are widths where `scaling.width` is 1. (Where the width is
        a higher power, the default stops at a width of 10¹².)
    base_width : int, optional
        The width at κ = 1; 1 if none is given, or 10 for a fixed width.
    size : int, default 1000
        Networks per scale.
    seed : int, numpy.random.SeedSequence, numpy.random.Generator or None
        Of the random starts.

    Raises
    ------
    TypeError, ValueError
        If an argument is not of its class, there are fewer than three different scales, the task
        is not a single one with a target, or a median leaves the range of doubles.

    Notes
    -----
    The phases are those of Xu & Ziyin, arXiv:2401.07085 (2024). The exponents predict the powers:
    with b, k, g and o as in `Scaling.exponents`, the drift goes with 2(b − k) + 2 max(o, 0) in the
    kernel phase, 0 in the critical one and b − k beyond it, the cotangent with g, the rate with
    max(b, k).

    Examples
    --------
    >>> from flbook import SCALINGS, Scaling, measure_phase
    >>> measured = measure_phase(SCALINGS["ntk"])
    >>> print(measured.phase, f"{measured.drift.value:.2f}", f"{measured.alignment.value:.2f}")
    Phase.KERNEL -1.00 -0.50
    >>> measure_phase(Scaling(0, 1, 1, 0, 0, width=0)).phase.name
    'FEATURE_UNLEARNING'
    """
    instance("scaling", scaling, Scaling)
    task = Task(1.0, 1.0, 1.0) if task is None else task
    instance("task", task, Task)
    if task.shape != () or task.target == 0:
        raise ValueError(f"task must be a single one with a target that is not 0, got {task!r}")
    if scales is None:
        scales = [10 ** (power / max(scaling.width, 1)) for power in DECADES]
    if base_width is None:
        base_width = 1 if scaling.width > 0 else FIXED_WIDTH
    kappa = np.asarray(real("scales", scales, above=0))
    if kappa.ndim != 1 or np.unique(kappa).size < 3:
        raise ValueError(f"scales must hold at least three different scales, got {scales!r}")
    network = scaling.at_scale(kappa, base_width)
    ensemble = Ensemble(network, task, size, seed)
    drift = _medians("drift of the kernel", np.abs(ensemble.kernel_drift))
    cotangent = _medians("final alignment", ensemble.alignment_cotangent)
    rate = _medians("final rate", ensemble.rate)
    return MeasuredPhase(
        scales=kappa,
        widths=np.broadcast_to(network.width, kappa.shape),
        kernel_drift=drift,
        alignment_cotangent=cotangent,
        final_rate=rate,
        growing=float(np.mean(ensemble.kernel_drift[:, np.argmax(kappa)] > 0)),
        drift=_fit(kappa, drift),
        alignment=_fit(kappa, cotangent),
        rate=_fit(kappa, rate),
    )


def _medians(what: str, values: FloatArray) -> FloatArray:
    medians = np.median(values, axis=0)
    if not ((medians > 0) & np.isfinite(medians)).all():
        raise ValueError(
            f"scaling must keep the {what} between 0 and infinity at every scale, got the medians "
            f"{medians}"
        )
    medians.flags.writeable = False
    return medians


def _fit(scale: FloatArray, values: FloatArray) -> Slope:
    """Fit log values = slope · log scale + constant by least squares."""
    x, y = np.log(scale), np.log(values)
    x, y = x - x.mean(), y - y.mean()
    spread = float(x @ x)
    slope = float(x @ y) / spread
    rest = y - slope * x
    return Slope(slope, float(np.sqrt(rest @ rest / (x.size - 2) / spread)))

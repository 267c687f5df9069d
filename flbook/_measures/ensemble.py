"""Ensembles: many random networks of any width, for the price of three random numbers each."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from flbook._dynamics.gradient_flow import GradientFlow
from flbook._model.gram import Gram
from flbook._model.network import Network
from flbook._model.scaling import Scaling
from flbook._model.task import Task
from flbook._support.arrays import FloatArray, Seed, ValueObject, broadcast_shape
from flbook._support.checks import instance, one_real, one_whole, real, refuse_where

__all__ = ["Ensemble", "LazyWidth", "Quantiles", "lazy_width"]

# Networks that are drawn and solved together: their arrays stay in the cache.
BLOCK = 3 * 2**12
# Widths per factor of ten on the grid of `lazy_width`.
PER_DECADE = 4
# Half the width of a 95 % interval, in standard deviations.
CONFIDENCE = 1.96


class Quantiles(NamedTuple):
    """Quantiles of an ensemble, each of shape `q.shape` + the ensemble's shape without `size`.

    Attributes
    ----------
    initial_slope : float or array
        Of v(0).
    kernel_ratio : float or array
        Of K(∞)/K(0).
    final_alignment : float or array
        Of ζ(∞).
    half_time : float or array
        Of the time in which the excess loss is halved.

    Examples
    --------
    >>> from flbook import Ensemble, SCALINGS, Task
    >>> ensemble = Ensemble(SCALINGS["mup"].at_width(10**9), Task(1.0, 1.0, 1.0), seed=0)
    >>> print(ensemble.quantiles(0.5).final_alignment.round(3))
    0.707
    """

    initial_slope: FloatArray
    kernel_ratio: FloatArray
    final_alignment: FloatArray
    half_time: FloatArray


@dataclass(frozen=True, eq=False)
class Ensemble(ValueObject):
    """Many independent random starts of a network, each trained to the end, exactly.

    Parameters
    ----------
    network : Network
        Gives the law of the starts; may hold several widths or other parameters.
    task : Task
        What all are trained on.
    size : int, default 10_000
        How many networks of each kind.
    seed : int, numpy.random.SeedSequence, numpy.random.Generator or None
        Of the random starts; a generator is asked for a seed.

    Raises
    ------
    TypeError
        If a parameter is not of its class.
    ValueError
        If `size` is below 1, or the shapes of network and task do not broadcast.

    Notes
    -----
    For Gaussian layers the Gram matrix is Wishart (`Network.sample_gram`), and the Gram matrix is
    all that training depends on, so this is exact Monte Carlo at every width: no network is larger
    than three numbers. Every array has shape (`size`,) + the shape that network and task broadcast
    to. Networks are drawn and solved in blocks, so beside the results themselves the memory does
    not grow with `size`.

    The model is that of Xu & Ziyin, arXiv:2401.07085 (2024).

    Examples
    --------
    >>> import flbook as fl
    >>> ensemble = fl.Ensemble(fl.SCALINGS["ntk"].at_width(10**9), fl.Task(1.0, 1.0, 1.0), seed=1)
    >>> ensemble.initial_slope.shape
    (10000,)
    >>> print(ensemble.quantiles([0.25, 0.75]).initial_slope.round(1))
    [-0.7  0.7]
    """

    network: Network
    task: Task
    size: int = 10_000
    seed: Seed = None

    def __post_init__(self) -> None:
        instance("network", self.network, Network)
        instance("task", self.task, Task)
        object.__setattr__(self, "size", one_whole("size", self.size))
        _ = self.shape
        seed = self.seed
        if isinstance(seed, np.random.Generator):
            seed = np.random.SeedSequence(seed.integers(2**32, size=8).tolist())
        elif seed is None:
            seed = np.random.SeedSequence()
        else:
            np.random.default_rng(seed)
        object.__setattr__(self, "seed", seed)

    @cached_property
    def shape(self) -> tuple[int, ...]:
        """(`size`,) + the shape that network and task broadcast to."""
        return (self.size, *broadcast_shape(network=self.network.shape, task=self.task.shape))

    def _blocks(self) -> Iterator[tuple[slice, Gram]]:
        """Yield the starts, some rows at a time."""
        random = np.random.default_rng(self.seed)
        rows = max(1, BLOCK // max(1, math.prod(self.shape[1:])))
        spare = (1,) * (len(self.shape) - 1 - len(self.network.shape))
        for first in range(0, self.size, rows):
            part = slice(first, min(first + rows, self.size))
            gram = self.network.sample_gram(size=part.stop - part.start, seed=random)
            if spare:
                shape = gram.shape[:1] + spare + gram.shape[1:]
                gram = Gram._trusted(
                    *(np.reshape(entry, shape) for entry in (gram.uu, gram.uw, gram.ww))
                )
            yield part, gram

    def _collect(self, *names: str) -> list[FloatArray]:
        arrays = [np.empty(self.shape) for _ in names]
        for part, gram in self._blocks():
            outcome = GradientFlow(self.network, self.task, gram).outcome
            for array, name in zip(arrays, names, strict=True):
                array[part] = getattr(outcome, name)
        for array in arrays:
            array.flags.writeable = False
        return arrays

    @cached_property
    def _main(self) -> list[FloatArray]:
        return self._collect("initial_slope", "kernel_ratio", "final_alignment", "half_time")

    @property
    def initial_slope(self) -> FloatArray:
        """v(0)."""
        return self._main[0]

    @property
    def kernel_ratio(self) -> FloatArray:
        """K(∞)/K(0); 1 for a kernel of 0, which never moves."""
        return self._main[1]

    @cached_property
    def kernel_drift(self) -> FloatArray:
        """K(∞)/K(0) − 1, to full relative precision however small."""
        return self._collect("kernel_drift")[0]

    @property
    def final_alignment(self) -> FloatArray:
        """ζ(∞), with its sign."""
        return self._main[2]

    @property
    def half_time(self) -> FloatArray:
        """The time at which the excess loss L − ½(E[y²] − c²/m) is half its start; ∞ if never.

        A network that starts at the target has no excess to halve; its time is the limit of those
        that start near it, ln 2/(2mK).
        """
        return self._main[3]

    @cached_property
    def alignment_cotangent(self) -> FloatArray:
        """|S(∞)|/√D with S = u·w: |ζ|/√(1 − ζ²) at the end, also where |ζ| rounds to 1."""
        return self._collect("alignment_cotangent")[0]

    @cached_property
    def rate(self) -> FloatArray:
        """mK(∞), the rate of the final approach."""
        return self._collect("rate")[0]

    @cached_property
    def gram(self) -> Gram:
        """The random starts; drawn once more from the seed, which gives the same ones."""
        grams = [gram for _, gram in self._blocks()]
        entries = ("uu", "uw", "ww")
        return Gram._trusted(
            *(np.concatenate([getattr(gram, name) for gram in grams]) for name in entries)
        )

    def quantiles(self, q: ArrayLike) -> Quantiles:
        """Return quantiles over the networks.

        A quantile is the smallest number that at least a share q of the networks do not exceed, so
        it is one of the networks' own numbers, and infinite times do not disturb it.

        Parameters
        ----------
        q : float or array
            Shares, from 0 to 1.

        Returns
        -------
        Quantiles
            Each of shape `q.shape` + `shape[1:]`.

        Raises
        ------
        TypeError, ValueError
            If a share is not a number from 0 to 1.

        Examples
        --------
        >>> import flbook as fl
        >>> network = fl.SCALINGS["xavier"].at_width(10**12)
        >>> middle = fl.Ensemble(network, fl.Task(1.0, 1.0, 1.0), seed=0).quantiles(0.5)
        >>> print(middle.kernel_ratio.round(3), middle.half_time.round(3))
        1.118 0.086
        """
        return Quantiles(
            *(
                _quantile(getattr(self, name), q)
                for name in ("initial_slope", "kernel_ratio", "final_alignment", "half_time")
            )
        )


@dataclass(frozen=True, eq=False)
class LazyWidth(ValueObject):
    """The width from which a parametrisation is lazy, as found by `lazy_width`.

    Attributes
    ----------
    width : int or None
        The first width from which the median of |K(∞)/K(0) − 1| stays below `tolerance`; None if
        it does not, up to the largest of `widths`.
    interval : tuple of int or None
        Where 95 % of such ensembles would put `width`; None with `width`, or where the upper end
        lies beyond the largest of `widths`.
    tolerance : float
        What counts as lazy.
    widths : array of int
        The widths that were looked at.
    deviation : array
        The median of |K(∞)/K(0) − 1| at these widths.

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
    tolerance: float = 0.01,
    *,
    size: int = 10_000,
    seed: Seed = 0,
    largest: int = 10**15,
) -> LazyWidth:
    """Find the width beyond which a parametrisation is lazy, by exact ensembles.

    A width is lazy if half of all random networks change their kernel by less than `tolerance`:
    the median of |K(∞)/K(0) − 1| is below it. The widths 1, 2, 3, 6, 10, … are tried first; between
    the last that is not lazy and its successor the place is then found by halving.

    Parameters
    ----------
    parametrisation : Scaling or Network
        How the parameters depend on the width. A network keeps all of its parameters but the width.
    task : Task
        One task.
    tolerance : float, default 0.01
        The kernel change that still counts as lazy, greater than 0.
    size : int, default 10_000
        Networks per width.
    seed : int, numpy.random.SeedSequence, numpy.random.Generator or None
        Of the random starts; every width gets the same one.
    largest : int, default 10**15
        The largest width to look at, at least 2.

    Returns
    -------
    LazyWidth

    Raises
    ------
    TypeError
        If an argument is not of its class.
    ValueError
        If a number is out of range, or network or task hold several.

    Examples
    --------
    >>> from flbook import SCALINGS, Task, lazy_width
    >>> lazy = lazy_width(SCALINGS["ntk"], Task(1.0, 1.0, 1.0))
    >>> 35 < lazy.width < 45
    True
    """
    if not isinstance(parametrisation, (Scaling, Network)):
        raise TypeError(f"parametrisation must be a Scaling or a Network, got {parametrisation!r}")
    instance("task", task, Task)
    shapes = {"task": task.shape}
    if isinstance(parametrisation, Network):
        shapes["parametrisation"] = parametrisation.shape
    for name, shape in shapes.items():
        if shape != ():
            raise ValueError(f"{name} must be a single one, got shape {shape}")
    tolerance = one_real("tolerance", tolerance, above=0)
    size = one_whole("size", size)
    largest = one_whole("largest", largest, at_least=2)
    seed = Ensemble(Network(1), task, 1, seed).seed

    def deviations(widths: ArrayLike) -> FloatArray:
        """Return |K(∞)/K(0) − 1| in order of size, of shape (size, widths)."""
        if isinstance(parametrisation, Scaling):
            network = parametrisation.at_width(widths)
        else:
            network = replace(parametrisation, width=np.asarray(widths))
        return np.sort(np.abs(Ensemble(network, task, size, seed).kernel_drift), axis=0)

    decades = math.log10(largest)
    exponents = np.linspace(0, decades, max(2, round(PER_DECADE * decades) + 1))
    widths = np.unique(np.round(10**exponents).astype(np.int64))
    widths[-1] = largest
    table = deviations(widths)

    def crossing(rank: int) -> int | None:
        """Return the width from which the number of that rank stays below the tolerance."""
        lively = np.flatnonzero(table[rank] >= tolerance)
        if lively.size == 0:
            return int(widths[0])
        if lively[-1] == widths.size - 1:
            return None
        low, high = int(widths[lively[-1]]), int(widths[lively[-1] + 1])
        while high - low > 1:
            middle = math.isqrt(low * high) if high > 2 * low else (low + high) // 2
            if deviations([middle])[rank, 0] < tolerance:
                high = middle
            else:
                low = middle
        return high

    median = (size - 1) // 2
    reach = math.ceil(CONFIDENCE * math.sqrt(size) / 2)
    width = crossing(median)
    first, last = crossing(max(0, median - reach)), crossing(min(size - 1, median + reach))
    interval = None if first is None or last is None else (first, last)
    deviation = table[median].copy()
    for array in (widths, deviation):
        array.flags.writeable = False
    return LazyWidth(width, interval, tolerance, widths, deviation)


def _quantile(values: FloatArray, q: ArrayLike) -> FloatArray:
    q = np.asarray(real("q", q))
    refuse_where((q < 0) | (q > 1), "q", q, "a share from 0 to 1")
    return np.quantile(values, q, axis=0, method="inverted_cdf")

"""Ensembles: many random networks of any width, for the price of three random numbers each."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from flbook._dynamics.gradient_flow import GradientFlow
from flbook._model.gram import Gram
from flbook._model.network import Network
from flbook._model.task import Task
from flbook._support.arrays import FloatArray, Seed, ValueObject, broadcast_shape
from flbook._support.checks import instance, one_whole, real, refuse_where
from flbook._support.seeds import repeatable

__all__ = ["Ensemble", "Quantiles"]

# Networks that are drawn and solved together: their arrays stay in the cache.
BLOCK = 3 * 2**12


class Quantiles(NamedTuple):
    """Quantiles of an ensemble, each of shape `q.shape` + the ensemble's shape without `size`.

    Attributes
    ----------
    initial_slope, kernel_ratio, final_alignment, half_time : float or array
        Of v(0), K(∞)/K(0), ζ(∞) and the time in which the excess loss is halved.

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
    TypeError, ValueError
        If a parameter is not of its class, `size` is below 1, or shapes do not broadcast.

    Notes
    -----
    For Gaussian layers the Gram matrix is Wishart (`Network.sample_gram`), and the Gram matrix is
    all that training depends on, so this is exact Monte Carlo at every width: no network is larger
    than three numbers. Every array has shape (`size`,) + the shape that network and task broadcast
    to. Networks are drawn and solved in blocks, so beside the results themselves the memory does
    not grow with `size`. The model is that of Xu & Ziyin, arXiv:2401.07085 (2024).

    Examples
    --------
    >>> import flbook as fl
    >>> ensemble = fl.Ensemble(fl.SCALINGS["ntk"].at_width(10**9), fl.Task(1.0, 1.0, 1.0), seed=1)
    >>> print(ensemble.shape, ensemble.quantiles([0.25, 0.75]).initial_slope.round(1))
    (10000,) [-0.7  0.7]
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
        object.__setattr__(self, "seed", repeatable(self.seed))

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

    def _collect(self, *names: str) -> dict[str, FloatArray]:
        arrays = {name: np.empty(self.shape) for name in names}
        for part, gram in self._blocks():
            outcome = GradientFlow(self.network, self.task, gram).outcome
            for name, array in arrays.items():
                array[part] = getattr(outcome, name)
        for array in arrays.values():
            array.flags.writeable = False
        return arrays

    @cached_property
    def _main(self) -> dict[str, FloatArray]:
        return self._collect(*Quantiles._fields)

    @property
    def initial_slope(self) -> FloatArray:
        """v(0)."""
        return self._main["initial_slope"]

    @property
    def kernel_ratio(self) -> FloatArray:
        """K(∞)/K(0); 1 for a kernel of 0, which never moves."""
        return self._main["kernel_ratio"]

    @cached_property
    def _ends(self) -> dict[str, FloatArray]:
        return self._collect("kernel_drift", "alignment_cotangent", "rate")

    @property
    def kernel_drift(self) -> FloatArray:
        """K(∞)/K(0) − 1, to full relative precision however small."""
        return self._ends["kernel_drift"]

    @cached_property
    def kernel_excursion(self) -> FloatArray:
        """The largest |K/K(0) − 1| along the whole path: a network is lazy where it is small."""
        return self._collect("kernel_excursion")["kernel_excursion"]

    @property
    def final_alignment(self) -> FloatArray:
        """ζ(∞), with its sign."""
        return self._main["final_alignment"]

    @property
    def half_time(self) -> FloatArray:
        """The time at which the excess loss L − ½(E[y²] − c²/m) is half its start; ∞ if never.

        A network that starts at the target has no excess to halve; its time is the limit of those
        that start near it, ln 2/(2mK).
        """
        return self._main["half_time"]

    @property
    def alignment_cotangent(self) -> FloatArray:
        """|S(∞)|/√D with S = u·w: |ζ|/√(1 − ζ²) at the end, also where |ζ| rounds to 1."""
        return self._ends["alignment_cotangent"]

    @property
    def rate(self) -> FloatArray:
        """mK(∞), the rate of the final approach."""
        return self._ends["rate"]

    @cached_property
    def gram(self) -> Gram:
        """The random starts; drawn once more from the seed, which gives the same ones."""
        grams = [gram for _, gram in self._blocks()]
        entries = ("uu", "uw", "ww")
        return Gram._trusted(
            *(np.concatenate([getattr(gram, name) for gram in grams]) for name in entries)
        )

    def quantiles(self, q: ArrayLike) -> Quantiles:
        """Return quantiles over the networks, for shares q from 0 to 1 of any shape.

        A quantile is the smallest number that at least a share q of the networks do not exceed, so
        it is one of the networks' own numbers, and infinite times do not disturb it.
        """
        shares = np.asarray(real("q", q))
        refuse_where((shares < 0) | (shares > 1), "q", shares, "a share from 0 to 1")
        return Quantiles(
            *(
                np.quantile(self._main[name], shares, axis=0, method="inverted_cdf")
                for name in Quantiles._fields
            )
        )

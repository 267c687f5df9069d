"""Stochastic gradient descent with minibatches and label noise, exactly."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike

from flbook._dynamics.batches import Batches, Drawn, Given, refuse_larger
from flbook._dynamics.descent import Descent
from flbook._dynamics.stochastic_map import StochasticMap
from flbook._model.gram import Gram
from flbook._model.network import Network
from flbook._model.task import Task, on_a_line
from flbook._support.arrays import FloatArray, Progress, Seed
from flbook._support.checks import one_real, one_whole, refuse_where, step_counts
from flbook._support.seeds import repeatable

__all__ = ["StochasticDescent"]


@dataclass(frozen=True, eq=False, init=False)
class StochasticDescent(Descent):
    """Training by steps on minibatches with noisy labels, exactly, at any width.

    A step sees the moments of its own examples, m_B = mean a² and c_B = mean a(y + noise). With
    h = γη(m_B v − c_B), where η² = η_u η_w and the learning rates are those of one step, it
    multiplies the modes p, q = (u/√η_u ± w/√η_w)/√2 of every neuron by 1 − h and 1 + h::

        K = ½(P + Q),   P ← (1 − h)²P,   Q ← (1 + h)²Q        (P = K + 2γηv, Q = K − 2γηv)
        Δ ← (1 − h²)Δ,  D ← (1 − h²)²D

    Parameters
    ----------
    network, gram
        As for `GradientFlow`. Every entry of their common shape is a path of its own, with batches
        and noise of its own.
    x, y
        Examples on a line, as for `Task.from_data`.
    batch_size : int, default 1
        How many examples a step sees. They are different ones, drawn afresh for every step; with
        all of them, and no noise, this is `GradientDescent`.
    label_noise : float, default 0
        Standard deviation of the normal noise that is added to every label that a step sees.
    seed : int, numpy.random.SeedSequence, numpy.random.Generator or None
        Of batches and noise; a generator is asked for a seed. What step n sees depends on the seed,
        the shape and n alone, not on what was asked before.
    batches : Batches or (index, noise), optional
        What to see at every step, in place of a draw; the three above are then left out.
    progress : callable, optional
        Called as ``progress(steps_done, steps_wanted)`` about ten times a second in a long descent.

    Attributes
    ----------
    x, y : array, shape (n,)
        The positions of the inputs on their line, and the labels.
    task : Task
        The moments of all examples; loss, residual and v* are those of this task.
    given : Batches or None
        What was passed as `batches`.

    Raises
    ------
    TypeError, ValueError
        If a parameter is not of its kind, shapes do not broadcast, x is not on a line, a batch is
        larger than the data, or t is not made of whole numbers or exceeds the steps of `batches`.

    Notes
    -----
    Every method takes finite step counts of any shape and answers with an array of shape `shape` +
    `t.shape`. Some of the states visited are kept, fewer the more paths there are. A path that
    diverges ends in infinities, as with `GradientDescent`.

    The model is that of Xu & Ziyin, arXiv:2401.07085 (2024).

    Examples
    --------
    >>> import numpy as np
    >>> from flbook import Gram, Network, StochasticDescent
    >>> x = np.linspace(-1, 1, 11)
    >>> noisy = StochasticDescent(
    ...     Network(2, eta_u=0.1, eta_w=0.1), x, 2 * x, Gram(1.0, np.zeros(5), 1.0),
    ...     label_noise=1.0, seed=0,
    ... )
    >>> print(noisy.slope(10_000).round(1), noisy.determinant(10_000).max() < 1e-12)
    [1.9 1.5 2.4 1.6 1.5] True
    """

    x: FloatArray
    y: FloatArray
    batch_size: int
    label_noise: float
    seed: Seed
    given: Batches | None
    _source: Drawn | Given = field(init=False, compare=False, repr=False)

    def __init__(
        self,
        network: Network,
        x: ArrayLike,
        y: ArrayLike,
        gram: Gram,
        *,
        batch_size: int = 1,
        label_noise: float = 0.0,
        seed: Seed = None,
        batches: Batches | tuple[ArrayLike, ArrayLike] | None = None,
        progress: Progress | None = None,
    ) -> None:
        x, y = on_a_line(x, y)
        super().__init__(network, Task.from_data(x, y), gram)
        batch_size = one_whole("batch_size", batch_size)
        label_noise = one_real("label_noise", label_noise, at_least=0)
        if batches is None:
            given, seed = None, repeatable(seed)
            refuse_larger(batch_size, x.size)
            source = Drawn(seed, x.size, batch_size, label_noise, self.shape)
        else:
            given = _as_batches(batches)
            if batch_size not in (1, given.size):
                raise ValueError(
                    f"batch_size must be left out with batches, or {given.size} as there, "
                    f"got {batch_size}"
                )
            for name, value, unset in (("label_noise", label_noise, 0.0), ("seed", seed, None)):
                if value != unset:
                    raise ValueError(f"{name} must be left out with batches, got {value!r}")
            batch_size, source = given.size, Given(given, x.size, self.shape)
        for name, value in (
            ("x", x),
            ("y", y),
            ("batch_size", batch_size),
            ("label_noise", label_noise),
            ("seed", seed),
            ("given", given),
            ("_source", source),
        ):
            object.__setattr__(self, name, value)
        self._follow(StochasticMap(self._initial(0), self.shape, x, y, source), progress)

    def batches(self, start: int, stop: int) -> Batches:
        """Return what the steps see that lead from the state at `start` to that at `stop`."""
        start, stop = one_whole("start", start, at_least=0), one_whole("stop", stop, at_least=0)
        most = self._source.steps
        if not start <= stop <= most:
            raise ValueError(f"stop must be from start = {start} to {most}, got {stop}")
        shape = (stop - start, *self.shape, self.batch_size)
        index, noise = np.empty(shape, dtype=np.int64), np.empty(shape)
        done = start
        while done < stop:
            first, block = self._source.around(done + 1)
            part = slice(done + 1 - first, stop + 1 - first)
            count = len(block.index[part])
            rows = slice(done - start, done - start + count)
            for whole, drawn in ((index, block.index[part]), (noise, block.noise[part])):
                spare = (1,) * (whole.ndim - drawn.ndim)
                whole[rows] = drawn.reshape(drawn.shape[:1] + spare + drawn.shape[1:])
            done += count
        return Batches(index, noise)

    def _steps(self, t: ArrayLike) -> FloatArray:
        t = step_counts(t)
        most = self._source.steps
        wanted = (
            "a finite number of steps" if self.given is None else f"at most {most}, like batches"
        )
        refuse_where(t > most, "t", t, wanted)
        return t


def _as_batches(batches: Batches | tuple[ArrayLike, ArrayLike]) -> Batches:
    if isinstance(batches, Batches):
        return batches
    if isinstance(batches, tuple) and len(batches) == 2:
        return Batches(*batches)  # type: ignore[arg-type]
    raise TypeError(f"batches must be Batches or a tuple (index, noise), got {batches!r}")

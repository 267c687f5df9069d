"""Gradient descent in discrete steps, exactly."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from flbook._dynamics.initial import (
    Dynamics,
    Origin,
    cosine,
    layer_norms,
    least_cancelled,
    loss,
    ratio,
)
from flbook._dynamics.step_map import DescentMap, Memory, State
from flbook._model.gram import Gram
from flbook._model.network import Network
from flbook._model.task import Task
from flbook._support.arrays import FloatArray
from flbook._support.checks import step_counts, whole

__all__ = ["GradientDescent"]

Progress = Callable[[int, int], None]

# Numbers of which the answers to one call are made at a time.
BLOCK = 2**16
# Seconds between two reports of progress.
REPORT_EVERY = 0.1


@dataclass(frozen=True, eq=False, init=False)
class GradientDescent(Dynamics):
    """Training by full-batch steps, exactly, at any width.

    One step with ε = γηm(v − v*), where η² = η_u η_w and the learning rates are those of one step,
    multiplies the modes p, q = (u/√η_u ± w/√η_w)/√2 of every neuron by 1 − ε and 1 + ε::

        K = ½(a + b),   a ← (1 − ε)²a,   b ← (1 + ε)²b        (a = K + 2γηv, b = K − 2γηv)
        Δ ← (1 − ε²)Δ,  D ← (1 − ε²)²D,  v − v* ← (v − v*)(1 − mK + (γηm)²(v − v*)v)

    Parameters
    ----------
    network : Network
        Gives γ, η_u and η_w.
    task : Task
        Gives m, v* and the least loss.
    gram : Gram
        The start; kept as `start`.
    limit_steps : int, default 1_000_000
        How many steps t = ∞ may take to settle.
    progress : callable, optional
        Called as ``progress(steps_done, steps_wanted)`` about ten times a second in a long descent.

    Raises
    ------
    TypeError
        If a parameter is not of its class.
    ValueError
        If the shapes of network, task and gram do not broadcast, or (in the methods) t is not made
        of whole numbers of at least 0, or t = ∞ where no limit is reached in `limit_steps` steps.

    Notes
    -----
    Every method takes step counts of any shape, infinity included, and answers with an array of
    shape `shape` + `t.shape`. The states visited are kept, so that a further question costs only
    the steps not yet taken, also after an interrupted call.

    A descent that diverges ends in infinities, never in NaN: slope and residual become ±∞ when
    they leave the range of doubles, and the alignments stay as they were, which is their limit.

    The model is that of Xu & Ziyin, arXiv:2401.07085 (2024).

    Examples
    --------
    >>> from flbook import GradientDescent, Gram, Network, Task
    >>> descent = GradientDescent(
    ...     Network(2, eta_u=0.1, eta_w=0.1), Task(1.0, 2.0, 4.0), Gram(uu=1.0, uw=0.0, ww=1.0)
    ... )
    >>> print(descent.slope([0, 1, 10, float("inf")]).round(6))
    [0.       0.4      1.966542 2.      ]
    >>> print(descent.determinant([0, float("inf")]).round(6))
    [1.       0.819659]
    """

    limit_steps: int = 1_000_000
    progress: Progress | None = field(default=None, compare=False, repr=False)
    _map: DescentMap = field(init=False, compare=False, repr=False)
    _memory: Memory = field(init=False, compare=False, repr=False)

    def __init__(
        self,
        network: Network,
        task: Task,
        gram: Gram,
        *,
        limit_steps: int = 1_000_000,
        progress: Progress | None = None,
    ) -> None:
        super().__init__(network, task, gram)
        steps = whole("limit_steps", limit_steps, at_least=1)
        if not isinstance(steps, int):
            raise TypeError(f"limit_steps must be one whole number, got {limit_steps!r}")
        if progress is not None and not callable(progress):
            raise TypeError(f"progress must be a function of two ints or None, got {progress!r}")
        descent = DescentMap(self._origin(0))
        for name, value in (
            ("limit_steps", steps),
            ("progress", progress),
            ("_map", descent),
            ("_memory", Memory(descent.size, descent.first)),
        ):
            object.__setattr__(self, name, value)

    def slope(self, t: ArrayLike) -> FloatArray:
        """Return v after t steps.

        Parameters
        ----------
        t : array_like
            Step counts from 0 to infinity.

        Returns
        -------
        array, shape `shape` + `t.shape`

        Raises
        ------
        TypeError, ValueError
            If t is not made of whole numbers of at least 0, or has no limit at infinity.

        Examples
        --------
        >>> from flbook import GradientDescent, Gram, Network, Task
        >>> descent = GradientDescent(Network(1, eta_w=0), Task(0.5, 0.5, 0.5), Gram(1.0, 0.0, 1.0))
        >>> print(descent.slope([0, 1, 2]))
        [0.   0.5  0.75]
        """
        return self._answer(t, lambda now: now.slope)

    def residual(self, t: ArrayLike) -> FloatArray:
        """Return v − v* after t steps, to full relative precision however small.

        Parameters
        ----------
        t : array_like
            Step counts from 0 to infinity.

        Returns
        -------
        array, shape `shape` + `t.shape`

        Raises
        ------
        TypeError, ValueError
            If t is not made of whole numbers of at least 0, or has no limit at infinity.

        Examples
        --------
        >>> from flbook import GradientDescent, Gram, Network, Task
        >>> descent = GradientDescent(Network(1, eta_w=0), Task(0.5, 0.5, 0.5), Gram(1.0, 0.0, 1.0))
        >>> print(descent.residual([0, 1, 200]))
        [-1.00000000e+00 -5.00000000e-01 -6.22301528e-61]
        """
        return self._answer(t, lambda now: now.residual)

    def loss(self, t: ArrayLike) -> FloatArray:
        """Return L = ½E[(f − y)²] after t steps.

        Parameters
        ----------
        t : array_like
            Step counts from 0 to infinity.

        Returns
        -------
        array, shape `shape` + `t.shape`

        Raises
        ------
        TypeError, ValueError
            If t is not made of whole numbers of at least 0, or has no limit at infinity.

        Examples
        --------
        >>> from flbook import GradientDescent, Gram, Network, Task
        >>> descent = GradientDescent(Network(1, eta_w=0), Task(0.5, 0.5, 1.5), Gram(1.0, 0.0, 1.0))
        >>> print(descent.loss([0, 1, float("inf")]))
        [0.75   0.5625 0.5   ]
        """
        return self._answer(t, lambda now: now.loss)

    def kernel(self, t: ArrayLike) -> FloatArray:
        """Return K = γ²(η_w uu + η_u ww) after t steps.

        Parameters
        ----------
        t : array_like
            Step counts from 0 to infinity.

        Returns
        -------
        array, shape `shape` + `t.shape`

        Raises
        ------
        TypeError, ValueError
            If t is not made of whole numbers of at least 0, or has no limit at infinity.

        Examples
        --------
        A catapult: mK(0) > 2, yet the descent converges to a flatter place.

        >>> from flbook import GradientDescent, Gram, Network, Task
        >>> descent = GradientDescent(Network(2), Task(1.0, 0.1, 1.0), Gram(1.1, 0.0, 1.1))
        >>> print(descent.kernel([0, float("inf")]).round(6))
        [2.2      1.701279]
        """
        return self._answer(t, lambda now: now.kernel)

    def gram(self, t: ArrayLike) -> Gram:
        """Return the Gram matrix of the layers after t steps; infinite where they diverged.

        Parameters
        ----------
        t : array_like
            Step counts from 0 to infinity.

        Returns
        -------
        Gram, shape `shape` + `t.shape`

        Raises
        ------
        TypeError, ValueError
            If t is not made of whole numbers of at least 0, or has no limit at infinity.

        Examples
        --------
        >>> from flbook import GradientDescent, Gram, Network, Task
        >>> descent = GradientDescent(Network(1, eta_w=0), Task(0.5, 0.5, 0.5), Gram(1.0, 0.0, 1.0))
        >>> gram = descent.gram(1)
        >>> print(round(gram.uu, 12), gram.uw, gram.ww)
        1.25 0.5 1.0
        """
        return Gram._trusted(*self._answers(t, lambda now: now.gram, 3))

    def alignment(self, t: ArrayLike) -> FloatArray:
        """Return ζ = u·w/(|u||w|) after t steps.

        Where a layer is zero the cosine is the one just before (0 if it was zero from the start).

        Parameters
        ----------
        t : array_like
            Step counts from 0 to infinity.

        Returns
        -------
        array, shape `shape` + `t.shape`

        Raises
        ------
        TypeError, ValueError
            If t is not made of whole numbers of at least 0, or has no limit at infinity.

        Examples
        --------
        >>> from flbook import GradientDescent, Gram, Network, Task
        >>> descent = GradientDescent(Network(1, eta_w=0), Task(0.5, 0.5, 0.5), Gram(1.0, 0.0, 1.0))
        >>> print(descent.alignment([0, 1]).round(6))
        [0.       0.447214]
        """
        return self._answer(t, lambda now: now.alignment)

    def kernel_alignment(self, t: ArrayLike) -> FloatArray:
        """Return ζ_K = 2γηv/K after t steps, the alignment weighted by the learning rates.

        Parameters
        ----------
        t : array_like
            Step counts from 0 to infinity.

        Returns
        -------
        array, shape `shape` + `t.shape`

        Raises
        ------
        TypeError, ValueError
            If t is not made of whole numbers of at least 0, or has no limit at infinity.

        Examples
        --------
        >>> from flbook import GradientDescent, Gram, Network, Task
        >>> descent = GradientDescent(Network(2), Task(0.5, 0.5, 0.5), Gram(1.0, 0.0, 1.0))
        >>> print(descent.kernel_alignment([0, 1]).round(6))
        [0.  0.8]
        """
        return self._answer(t, lambda now: now.kernel_alignment)

    def imbalance(self, t: ArrayLike) -> FloatArray:
        """Return Δ = η_w uu − η_u ww after t steps; every step multiplies it by 1 − ε².

        Parameters
        ----------
        t : array_like
            Step counts from 0 to infinity.

        Returns
        -------
        array, shape `shape` + `t.shape`

        Raises
        ------
        TypeError, ValueError
            If t is not made of whole numbers of at least 0, or has no limit at infinity. (Where a
            descent diverges, Δ changes its sign at every step, and t = ∞ is refused.)

        Examples
        --------
        >>> from flbook import GradientDescent, Gram, Network, Task
        >>> descent = GradientDescent(Network(2), Task(0.5, 0.5, 0.5), Gram(1.0, 0.0, 0.5))
        >>> print(descent.imbalance([0, 1]))
        [0.5   0.375]
        """
        return self._answer(t, lambda now: now.imbalance)

    def determinant(self, t: ArrayLike) -> FloatArray:
        """Return D = uu·ww − uw² after t steps; every step multiplies it by (1 − ε²)².

        Parameters
        ----------
        t : array_like
            Step counts from 0 to infinity.

        Returns
        -------
        array, shape `shape` + `t.shape`

        Raises
        ------
        TypeError, ValueError
            If t is not made of whole numbers of at least 0, or has no limit at infinity.

        Examples
        --------
        >>> from flbook import GradientDescent, Gram, Network, Task
        >>> descent = GradientDescent(Network(2), Task(0.5, 0.5, 0.5), Gram(1.0, 0.0, 1.0))
        >>> print(descent.determinant([0, 1]))
        [1.     0.5625]
        """
        return self._answer(t, lambda now: now.determinant)

    def _answer(self, t: ArrayLike, measure: Callable[[_Moment], FloatArray]) -> FloatArray:
        return self._answers(t, lambda now: (measure(now),), 1)[0]

    def _answers(
        self, t: ArrayLike, measure: Callable[[_Moment], tuple[FloatArray, ...]], count: int
    ) -> tuple[FloatArray, ...]:
        """Visit the steps asked for in order, a block at a time, and measure each block."""
        t = step_counts(t)
        steps, back = np.unique(t, return_inverse=True)
        out = [np.empty((*self.shape, steps.size)) for _ in range(count)]
        origin = self._origin(1)
        block = max(1, BLOCK // self._map.size)
        for i in range(0, steps.size, block):
            some = steps[i : i + block]
            visited = zip(*map(self._state, some.tolist()), strict=True)
            states = State(*(np.moveaxis(np.array(x), 0, -1) for x in visited))
            with np.errstate(over="ignore"):
                parts = measure(_Moment(origin, states, some))
            for whole_answer, part in zip(out, parts, strict=True):
                whole_answer[..., i : i + block] = part
        return tuple(x[..., back.reshape(-1)].reshape(self.shape + t.shape)[()] for x in out)

    def _state(self, step: float) -> State:
        report = _reporter(self.progress)
        if step < np.inf:
            state = self._memory.advance(self._map, int(step), report)
            self._memory.keep(int(step), state)
            return state
        descent, most = self._map, self.limit_steps
        state = self._memory.advance(
            descent, most, report, lambda now: bool(np.all(descent.limit(now)[1]))
        )
        end, reached = descent.limit(state)
        if not np.all(reached):
            first = tuple(int(i) for i in np.argwhere(~np.asarray(reached))[0])
            which = f"the network at index {first}" if first else "the network"
            raise ValueError(
                f"t must be finite here, got inf: {which} has not settled in "
                f"limit_steps = {most} steps (it may cycle, which no limit can describe)"
            )
        return end


def _reporter(progress: Progress | None) -> Callable[[int, int], None]:
    if progress is None:
        return lambda done, wanted: None
    last = time.monotonic()

    def report(done: int, wanted: int) -> None:
        nonlocal last
        if time.monotonic() - last >= REPORT_EVERY:
            progress(done, wanted)
            last = time.monotonic()

    return report


class _Moment:
    """States of the descent with one time axis, and the quantities made of them."""

    def __init__(self, origin: Origin, state: State, steps: FloatArray) -> None:
        self.origin, self.steps = origin, steps
        self.blown = state.blown > 0
        since = np.where(np.isinf(steps), state.blown, steps) - state.blown
        self.parity = 1.0 - 2.0 * (since % 2)
        self.residual = state.residual
        self.last = state
        # A network with a frozen layer diverges in one weight, and its kernel stays.
        self.growing = self.blown & (origin.eta > 0)
        a, b = origin.halves
        self.rising = a * state.ahead * state.ahead
        self.falling = b * state.behind * state.behind

    def _shrunk(self, value: FloatArray) -> FloatArray:
        """Return `value` times all factors 1 − ε² so far."""
        return value * self.last.ahead * self.last.behind

    def _or(self, infinity: Any, value: FloatArray) -> FloatArray:
        return np.where(self.growing, infinity, value)

    @property
    def last_slope(self) -> FloatArray:
        """The slope, or the last finite one."""
        origin, state = self.origin, self.last
        scale = 4 * origin.gamma * origin.eta
        residual = np.where(self.blown, 0.0, self.residual)
        near_target = np.abs(origin.target) + np.abs(residual)
        return least_cancelled(
            (origin.target + residual, np.where(self.blown, np.inf, near_target)),
            (
                ratio(self.rising - self.falling, scale, 0.0),
                ratio(self.rising + self.falling, scale, np.inf),
            ),
            (state.slope, np.abs(origin.slope) + np.abs(state.slope - origin.slope)),
        )

    @property
    def slope(self) -> FloatArray:
        return np.where(self.blown, self.residual, self.last_slope)

    @property
    def loss(self) -> FloatArray:
        return loss(self.origin, self.residual)

    @property
    def last_kernel(self) -> FloatArray:
        return (self.rising + self.falling) / 2

    @property
    def kernel(self) -> FloatArray:
        return self._or(np.inf, self.last_kernel)

    @property
    def last_imbalance(self) -> FloatArray:
        return self._shrunk(self.origin.imbalance)

    @property
    def imbalance(self) -> FloatArray:
        last = self.last_imbalance
        alternating = self.growing & (last != 0)
        if np.any(alternating & np.isinf(self.steps)):
            raise ValueError(
                "t must be finite here, got inf: where the descent diverges the imbalance changes "
                "its sign at every step and has no limit"
            )
        # The step that left the range was already a change of sign.
        infinity = np.where(last * self.parity > 0, -np.inf, np.inf)
        return np.where(alternating, infinity, last)

    @property
    def determinant(self) -> FloatArray:
        last = self._shrunk(self._shrunk(self.origin.determinant))
        return np.where(self.growing & (last > 0), np.inf, last)

    @property
    def last_root(self) -> FloatArray:
        return np.abs(self._shrunk(self.origin.root_determinant))

    @property
    def gram(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        origin, slope = self.origin, self.last_slope
        uu, ww = layer_norms(origin, self.last_kernel, self.last_imbalance, slope, self.last_root)
        grows_u = self.blown & (origin.eta_u > 0)
        grows_w = self.blown & (origin.eta_w > 0)
        return (
            np.where(grows_u, np.inf, uu),
            np.where(self.blown, self.residual, slope / origin.gamma),
            np.where(grows_w, np.inf, ww),
        )

    @property
    def alignment(self) -> FloatArray:
        origin = self.origin
        return cosine(self.last_slope, origin.gamma * self.last_root, np.sign(origin.slope))

    @property
    def kernel_alignment(self) -> FloatArray:
        origin = self.origin
        signal = 2 * origin.gamma * origin.eta
        floor = np.abs(self._shrunk(origin.floor))
        return cosine(signal * self.last_slope, floor, np.sign(signal * origin.slope))

"""What every training in discrete steps shares: states asked for by number, visited once."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import chain

import numpy as np
from numpy.typing import ArrayLike

from flbook._dynamics.descent_state import DescentState
from flbook._dynamics.dynamics import LayerDynamics
from flbook._dynamics.history import History
from flbook._dynamics.step_map import StepMap, StepState
from flbook._support.arrays import FloatArray, Progress
from flbook._support.checks import step_counts

__all__ = ["Descent"]

# Seconds between two reports of progress.
REPORT_EVERY = 0.1


@dataclass(frozen=True, eq=False, init=False)
class Descent(LayerDynamics):
    """Dynamics that a map takes from step to step; the states visited are kept."""

    progress: Progress | None = field(default=None, compare=False, repr=False)
    _map: StepMap = field(init=False, compare=False, repr=False)
    _history: History = field(init=False, compare=False, repr=False)

    def _follow(self, step_map: StepMap, progress: Progress | None) -> None:
        """Set by which map the steps are taken, and what hears of them."""
        if progress is not None and not callable(progress):
            raise TypeError(f"progress must be a function of two ints or None, got {progress!r}")
        history = History(step_map.size, step_map.first)
        for name, value in (("progress", progress), ("_map", step_map), ("_history", history)):
            object.__setattr__(self, name, value)

    def at(self, t: ArrayLike) -> DescentState:
        """Return the state at t, computed once; its arrays have shape `shape` + `t.shape`."""
        t = self._steps(t)
        steps, back = np.unique(t, return_inverse=True)
        back, shape = back.reshape(-1), self.shape + t.shape
        columns = self._visit(steps.tolist())
        visited = StepState(*(column[..., back].reshape(shape)[()] for column in columns))
        return DescentState(self._initial(t.ndim), t[()], visited)

    def _steps(self, t: ArrayLike) -> FloatArray:
        return step_counts(t)

    def _visit(self, steps: list[float]) -> FloatArray:
        """Return the numbers of the states after these steps, of shape (numbers, shape, steps)."""
        count = len(StepState._fields)
        states = map(self._state, steps)
        if not self.shape:
            flat = np.fromiter(chain.from_iterable(states), np.float64, count * len(steps))
            return flat.reshape(len(steps), count).T
        columns = np.empty((count, *self.shape, len(steps)))
        for i, state in enumerate(states):
            columns[..., i] = state
        return columns

    def _state(self, step: float) -> StepState:
        state = self._history.advance(self._map, int(step), self._reporter())
        self._history.keep(int(step), state)
        return state

    def _reporter(self) -> Callable[[int, int], None]:
        progress = self.progress
        if progress is None:
            return lambda done, wanted: None
        last = time.monotonic()

        def report(done: int, wanted: int) -> None:
            nonlocal last
            if time.monotonic() - last >= REPORT_EVERY:
                progress(done, wanted)
                last = time.monotonic()

        return report

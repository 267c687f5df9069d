"""The map of one step on a minibatch with noisy labels."""

from __future__ import annotations

from typing import Any

import numpy as np

from flbook._dynamics.batches import Drawn, Given
from flbook._dynamics.initial import Initial
from flbook._dynamics.step_map import StepMap, StepState
from flbook._support.arrays import FloatArray
from flbook._support.compensated import difference_of_products

__all__ = ["StochasticMap"]

# Labels that miss the best line by no more than this, relative to the largest, are on it.
ROUNDING = 1e-15


class StochasticMap(StepMap):
    """The map that sees the examples at `positions` on the line, some in every step.

    With m_B = mean a² and r = y − v*a the force is m_B(v − v*) − mean a(r + noise): measured from
    the target, so that its digits do not cancel when training is over.
    """

    def __init__(
        self,
        initial: Initial,
        shape: tuple[int, ...],
        positions: FloatArray,
        labels: FloatArray,
        source: Drawn | Given,
    ) -> None:
        super().__init__(initial, shape)
        self.positions, self.source = positions, source
        beside = difference_of_products(labels, 1.0, initial.target, positions)
        on_line = np.abs(beside).max() <= ROUNDING * np.abs(labels).max()
        # The best line leaves the whole data nothing that pulls.
        self.beside = np.zeros_like(beside) if on_line or source.whole else beside
        self.idle = not positions.all()
        self.first_step, self.moments, self.pulls = 1, [], []

    def _find(self, step: int) -> int:
        """Have the block that holds the step at hand, and return where in it the step is."""
        place = step - self.first_step
        if not 0 <= place < len(self.moments):
            self.first_step, batches = self.source.around(step)
            place = step - self.first_step
            a, beside = self.positions[batches.index], self.beside[batches.index]
            moments, pulls = (a * a).mean(-1), (a * (beside + batches.noise)).mean(-1)
            if self.source.whole:
                moments = np.broadcast_to(self.m, moments.shape)
            if self.shape == ():
                moments, pulls = moments.tolist(), pulls.tolist()
            self.moments, self.pulls = moments, pulls
        return place

    def _moment(self, step: int) -> Any:
        return self.moments[self._find(step)]

    def _force(self, state: StepState, step: int) -> tuple[Any, Any, Any]:
        place = self._find(step)
        moment = self.moments[place]
        force = moment * state.residual - self.pulls[place]
        return self.turn * force, force, moment * state.residual_low

    def _rests(self, state: StepState, new: StepState) -> bool:
        # Another batch may move what this one did not, but for a start where nothing can move.
        return not np.any(self.kernel(state))

    def run(self, state: StepState, done: int, count: int) -> tuple[StepState, bool]:
        """Take up to `count` steps from step `done`; as `StepMap.run`."""
        before = np.asarray(state.blown)
        state, rests = super().run(state, done, count)
        if not (self.idle and np.any(state.blown)):
            return state, rests
        # Inputs of 0 do not change the sign of a diverged imbalance: they put its start off.
        blown = np.asarray(state.blown)
        for step in range(done + 1, done + count + 1):
            gone = (blown > 0) & (np.where(before > 0, done, blown) < step)
            blown = blown + (gone & np.equal(self._moment(step), 0))
        return state._replace(blown=float(blown) if self.shape == () else blown), False

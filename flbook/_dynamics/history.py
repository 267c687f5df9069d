"""The states that a descent has visited, so that no step is taken twice."""

from __future__ import annotations

import bisect
from collections.abc import Callable

from flbook._dynamics.step_map import StepMap, StepState

__all__ = ["History"]

# Numbers handled between two looks at the clock.
BURST = 2**18
# States kept, and numbers in them.
KEPT = 2**14
KEPT_NUMBERS = 2**23


class History:
    """The states visited so far, thinned out when they are many."""

    def __init__(self, size: int, first: StepState) -> None:
        self.most = max(2, min(KEPT, KEPT_NUMBERS // (len(first) * size)))
        self.steps = [0]
        self.states = {0: first}

    def nearest(self, step: int) -> tuple[int, StepState]:
        """Return the last state kept at or before `step`."""
        kept = self.steps[bisect.bisect_right(self.steps, step) - 1]
        return kept, self.states[kept]

    def keep(self, step: int, state: StepState) -> None:
        """Keep a state, and forget every second one when there are too many."""
        if step in self.states:
            return
        bisect.insort(self.steps, step)
        self.states[step] = state
        if len(self.steps) > self.most:
            kept = {*self.steps[::2], self.steps[-1]}
            self.steps = sorted(kept)
            self.states = {n: self.states[n] for n in self.steps}

    def advance(
        self,
        step_map: StepMap,
        step: int,
        report: Callable[[int, int], None],
        enough: Callable[[StepState], bool] | None = None,
    ) -> StepState:
        """Return the state at `step`, or the first one on the way that is `enough`.

        What has been reached is kept after every burst, so an interrupted call is resumed by the
        next one.
        """
        done, state = self.nearest(step)
        burst = max(1, min(1024, BURST // step_map.size))
        while done < step and not (enough is not None and enough(state)):
            count = min(burst, step - done)
            state, rests = step_map.run(state, done, count)
            done = done + count
            self.keep(done, state)
            report(done, step)
            if rests:
                break
        return state

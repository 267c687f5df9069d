"""The map of one gradient step, and the memory of the states it has visited.

One step of size 1 with ε = γηm(v − v*) multiplies the modes p, q = (u/√η_u ± w/√η_w)/√2 of every
neuron by 1 − ε and 1 + ε, so a network of any width is three numbers: the residual and the two
products of such factors. They are carried as unevaluated sums of two doubles, so that a million
small steps lose no digit.
"""

from __future__ import annotations

import bisect
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from flbook._dynamics.initial import Origin
from flbook._support.compensated import two_sum

__all__ = ["DescentMap", "Memory", "State"]

# The state no longer moves in floating point once all further steps change it by less.
SETTLED = 2.0**-60
# Numbers handled between two looks at the clock.
BURST = 2**18
# States kept in memory, and numbers in them.
KEPT = 2**14
KEPT_NUMBERS = 2**23


class State(NamedTuple):
    """Everything that moves; floats for one network, arrays for many."""

    residual: Any
    residual_low: Any
    slope: Any
    slope_low: Any
    ahead: Any
    ahead_low: Any
    behind: Any
    behind_low: Any
    blown: Any
    """The step at which the residual left the range of doubles, or 0."""


def _add(high: Any, low: Any, change: Any, low_change: Any) -> tuple[Any, Any]:
    """Return (high + low) + (change + low_change), as such a sum again."""
    total, rest = two_sum(high, change)
    rest = rest + (low + low_change)
    new = total + rest
    return new, rest - (new - total)


class DescentMap:
    """The map for the networks of one origin."""

    def __init__(self, origin: Origin) -> None:
        a, b = origin.halves
        couple = origin.gamma * origin.eta * origin.m
        # The factor of an empty mode says nothing, and must not leave the range of doubles.
        parts = (a / 2, b / 2, origin.m, couple, a > 0, b > 0)
        self.shape = np.shape(couple)
        self.size = max(1, int(np.prod(self.shape)))
        first = (origin.residual, origin.slope)
        if self.shape == ():
            constants = [float(x) for x in parts]
            residual, slope = (float(x) for x in first)
            zero, one = 0.0, 1.0
        else:
            constants = [np.array(x, dtype=np.float64) for x in parts]
            residual, slope = (np.array(x) for x in first)
            zero, one = np.zeros(self.shape), np.ones(self.shape)
        self.a, self.b, self.m, self.couple, self.has_ahead, self.has_behind = constants
        self.target = origin.target
        self.first = State(residual, zero, slope, zero, one, zero, one, zero, zero)

    def kernel(self, state: State) -> Any:
        """K = ½(a + b), where a = K + s and b = K − s shrink and grow as squares."""
        return self.a * state.ahead * state.ahead + self.b * state.behind * state.behind

    def _step(self, state: State) -> State:
        residual, residual_low, slope, slope_low, ahead, ahead_low, behind, behind_low, _ = state
        turn = self.couple * residual
        # v' − v = −(v − v*)·shrink with shrink = mK − (γηm)²(v − v*)v, the slope taken from a − b:
        # so the residual and the modes stay consistent to rounding, however long they cycle.
        shrink = self.m * (
            self.a * ahead * ahead * (1 - turn / 2) + self.b * behind * behind * (1 + turn / 2)
        )
        on_ahead, on_behind = turn * self.has_ahead, turn * self.has_behind
        change, low = -shrink * residual, -shrink * residual_low
        return State(
            *_add(residual, residual_low, change, low),
            *_add(slope, slope_low, change, low),
            *_add(ahead, ahead_low, -on_ahead * ahead, -on_ahead * ahead_low),
            *_add(behind, behind_low, on_behind * behind, on_behind * behind_low),
            state.blown,
        )

    def _beyond(self, state: State) -> Any:
        """Return the infinity that the residual of a diverging network jumps to."""
        turn = np.abs(self.couple * state.residual)
        half = np.hypot(
            np.sqrt(self.m * self.a) * state.ahead, np.sqrt(self.m * self.b) * state.behind
        )
        sign = np.where(turn >= half, 1.0, -1.0) * np.sign(state.residual)
        return np.where(np.isinf(state.residual), state.residual, sign * np.inf)

    def run(self, state: State, done: int, count: int) -> tuple[State, bool]:
        """Take up to `count` steps from step `done`; stop where nothing moves any more.

        Returns
        -------
        state : State
            After `count` steps.
        rests : bool
            Whether no further step changes the state.
        """
        if self.shape == ():
            return self._run_one(state, done, count)
        with np.errstate(over="ignore", invalid="ignore"):
            return self._run_many(state, done, count)

    def _run_one(self, state: State, done: int, count: int) -> tuple[State, bool]:
        if state.blown:
            return state, True
        step, isfinite = self._step, math.isfinite
        for n in range(done + 1, done + count + 1):
            new = step(state)
            if not isfinite(new[0] + new[4] + new[6]):
                return state._replace(residual=float(self._beyond(state)), blown=float(n)), True
            if new[0] == state[0] and new == state:
                return state, True
            state = new
        return state, False

    def _run_many(self, state: State, done: int, count: int) -> tuple[State, bool]:
        for n in range(done + 1, done + count + 1):
            new = self._step(state)
            finite = np.isfinite(new.residual + new.ahead + new.behind)
            if not finite.all():
                fresh = ~finite & (state.blown == 0)
                infinity = self._beyond(state)
                new = State(*(np.where(finite, x, y) for x, y in zip(new, state, strict=True)))
                new = new._replace(
                    residual=np.where(finite, new.residual, infinity),
                    blown=np.where(fresh, float(n), state.blown),
                )
            if all(np.array_equal(x, y) for x, y in zip(new, state, strict=True)):
                return state, True
            state = new
        return state, False

    def limit(self, state: State) -> tuple[State, Any]:
        """Return the state for t → ∞, and where it is reached to rounding."""
        kernel, target = self.kernel(state), self.target
        turn = np.abs(self.couple * np.where(np.isinf(state.residual), 0.0, state.residual))
        rate = self.m * kernel
        home = (rate < 2) & (turn <= SETTLED * np.minimum(rate, 2 - rate)) & (rate > 0)
        # On the wrong side of the saddle one mode is empty and the other decays.
        empty_ahead = self.a * state.ahead * state.ahead == 0
        empty_behind = self.b * state.behind * state.behind == 0
        wrong = (empty_ahead & (target > 0)) | (empty_behind & (target < 0))
        drift = self.couple * np.abs(target)
        saddle = wrong & (rate <= SETTLED * np.minimum(drift, 2 - drift))
        # With target 0 and an empty mode the other decays like 1/t.
        slow = (empty_ahead | empty_behind) & (target == 0) & (turn < 1)
        blown, still = state.blown > 0, kernel == 0
        vanishing = (saddle | slow) & ~blown & ~still
        home = (home | (state.residual == 0)) & ~blown & ~vanishing

        def pick(now: Any, at_home: Any, at_saddle: Any) -> Any:
            return np.where(vanishing, at_saddle, np.where(home, at_home, now))

        end = State(
            pick(state.residual, 0.0, 0.0 - target),
            pick(state.residual_low, 0.0, 0.0),
            pick(state.slope, target, 0.0),
            pick(state.slope_low, 0.0, 0.0),
            pick(state.ahead, state.ahead, 0.0),
            pick(state.ahead_low, state.ahead_low, 0.0),
            pick(state.behind, state.behind, 0.0),
            pick(state.behind_low, state.behind_low, 0.0),
            np.asarray(state.blown),
        )
        return end, home | vanishing | blown | still


class Memory:
    """The states visited so far, thinned out when they are many."""

    def __init__(self, size: int, first: State) -> None:
        self.most = max(2, min(KEPT, KEPT_NUMBERS // (len(first) * size)))
        self.steps = [0]
        self.states = {0: first}

    def nearest(self, step: int) -> tuple[int, State]:
        """Return the last state kept at or before `step`."""
        kept = self.steps[bisect.bisect_right(self.steps, step) - 1]
        return kept, self.states[kept]

    def keep(self, step: int, state: State) -> None:
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
        descent: DescentMap,
        step: int,
        report: Callable[[int, int], None],
        enough: Callable[[State], bool] | None = None,
    ) -> State:
        """Return the state at `step`, or the first one on the way that is `enough`.

        What has been reached is kept after every burst, so an interrupted call is resumed by the
        next one.
        """
        done, state = self.nearest(step)
        burst = max(1, min(1024, BURST // descent.size))
        while done < step and not (enough is not None and enough(state)):
            count = min(burst, step - done)
            state, rests = descent.run(state, done, count)
            done = done + count
            self.keep(done, state)
            report(done, step)
            if rests:
                break
        return state

"""The map of one gradient step.

One step of size 1 with h = γη(m_B v − c_B) multiplies the modes p, q = (u/√η_u ± w/√η_w)/√2 of
every neuron by 1 − h and 1 + h, where m_B and c_B are the moments of the examples it sees; with all
of them h = γηm(v − v*). So a network of any width is three numbers: the residual and the two
products of such factors. They are carried as unevaluated sums of two doubles, so that a million
small steps lose no digit.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from flbook._dynamics.initial import Initial
from flbook._support.compensated import two_sum

__all__ = ["StepMap", "StepState"]

# The state no longer moves in floating point once all further steps change it by less.
SETTLED = 2.0**-60


class StepState(NamedTuple):
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


class StepMap:
    """The full-batch map for the networks of one start, of one shape."""

    def __init__(self, initial: Initial, shape: tuple[int, ...]) -> None:
        a, b = initial.halves
        turn = initial.gamma * initial.eta
        # The factor of an empty mode says nothing, and must not leave the range of doubles.
        parts = (a / 2, b / 2, initial.m, turn, initial.couple, a > 0, b > 0)
        self.shape = shape
        self.size = max(1, int(np.prod(self.shape)))
        first = (initial.residual, initial.slope)
        if self.shape == ():
            constants = [float(x) for x in parts]
            residual, slope = (float(x) for x in first)
            zero, one = 0.0, 1.0
        else:
            constants = [np.array(np.broadcast_to(x, shape), dtype=np.float64) for x in parts]
            residual, slope = (np.array(np.broadcast_to(x, shape)) for x in first)
            zero, one = np.zeros(self.shape), np.ones(self.shape)
        self.a, self.b, self.m, self.turn, self.couple = constants[:5]
        self.has_ahead, self.has_behind = constants[5:]
        self.target = initial.target
        self.first = StepState(residual, zero, slope, zero, one, zero, one, zero, zero)

    def kernel(self, state: StepState) -> Any:
        """K = ½(P + Q), where P = K + s and Q = K − s shrink and grow as squares."""
        return self.a * state.ahead * state.ahead + self.b * state.behind * state.behind

    def _moment(self, step: int) -> Any:
        """Return the second moment of the inputs that the step sees."""
        return self.m

    def _force(self, state: StepState, step: int) -> tuple[Any, Any, Any]:
        """Return h, and h/(γη) as a sum of two numbers."""
        return self.couple * state.residual, self.m * state.residual, self.m * state.residual_low

    def _rests(self, state: StepState, new: StepState) -> bool:
        """Return whether no further step changes the state, where this one did not."""
        if self.shape == ():
            return new == state
        return all(np.array_equal(x, y) for x, y in zip(new, state, strict=True))

    def _step(self, state: StepState, step: int) -> StepState:
        residual, residual_low, slope, slope_low, ahead, ahead_low, behind, behind_low, _ = state
        turn, force, force_low = self._force(state, step)
        # v' − v = −(K − h·γηv) h/(γη), the slope taken from a − b: so the residual and the modes
        # stay consistent to rounding, however long they cycle.
        give = self.a * ahead * ahead * (1 - turn / 2) + self.b * behind * behind * (1 + turn / 2)
        on_ahead, on_behind = turn * self.has_ahead, turn * self.has_behind
        change, low = -give * force, -give * force_low
        return StepState(
            *_add(residual, residual_low, change, low),
            *_add(slope, slope_low, change, low),
            *_add(ahead, ahead_low, -on_ahead * ahead, -on_ahead * ahead_low),
            *_add(behind, behind_low, on_behind * behind, on_behind * behind_low),
            state.blown,
        )

    def _beyond(self, state: StepState, step: int) -> Any:
        """Return the infinity that the residual of a diverging network jumps to."""
        turn = np.abs(self._force(state, step)[0])
        moment = self._moment(step)
        half = np.hypot(
            np.sqrt(moment * self.a) * state.ahead, np.sqrt(moment * self.b) * state.behind
        )
        sign = np.where(turn >= half, 1.0, -1.0) * np.sign(state.residual)
        return np.where(np.isinf(state.residual), state.residual, sign * np.inf)

    def run(self, state: StepState, done: int, count: int) -> tuple[StepState, bool]:
        """Take up to `count` steps from step `done`; stop where nothing moves any more.

        Returns the state, and whether no further step changes it.
        """
        if self.shape == ():
            return self._run_one(state, done, count)
        with np.errstate(over="ignore", invalid="ignore"):
            return self._run_many(state, done, count)

    def _run_one(self, state: StepState, done: int, count: int) -> tuple[StepState, bool]:
        if state.blown:
            return state, True
        step, isfinite = self._step, math.isfinite
        for n in range(done + 1, done + count + 1):
            new = step(state, n)
            if not isfinite(new[0] + new[4] + new[6]):
                return state._replace(residual=float(self._beyond(state, n)), blown=float(n)), True
            if new[0] == state[0] and self._rests(state, new):
                return state, True
            state = new
        return state, False

    def _run_many(self, state: StepState, done: int, count: int) -> tuple[StepState, bool]:
        for n in range(done + 1, done + count + 1):
            new = self._step(state, n)
            finite = np.isfinite(new.residual + new.ahead + new.behind)
            if not finite.all():
                fresh = ~finite & (state.blown == 0)
                infinity = self._beyond(state, n)
                new = StepState(*(np.where(finite, x, y) for x, y in zip(new, state, strict=True)))
                new = new._replace(
                    residual=np.where(finite, new.residual, infinity),
                    blown=np.where(fresh, float(n), state.blown),
                )
            if np.array_equal(new[0], state[0]) and self._rests(state, new):
                return state, True
            state = new
        return state, False

    def limit(self, state: StepState) -> tuple[StepState, Any]:
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

        end = StepState(
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

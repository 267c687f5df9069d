"""Training by any loss as one number that moves: how far the layers have been pushed.

With Φ(v) = E[a ∂ℓ/∂f(va, y)] and the push ψ, dψ/dt = −γΦ(v), the modes p and q are scaled by
exp(ηψ) and exp(−ηψ), so that v = v(0) cosh(2ηψ) + K(0) sinh(2ηψ)/(2γη): one equation for one
number, with the loss in it, the start, and nothing else.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from flbook._dynamics.flow_state import FlowState
from flbook._dynamics.initial import Initial
from flbook._dynamics.log_clock import ENOUGH, integrate
from flbook._dynamics.losses import Loss
from flbook._support.arrays import FloatArray
from flbook._support.numerics import bisect

__all__ = ["End", "Pull", "Start", "rest", "walk"]

# A mode that has decayed by exp(−LONGEST) makes no difference to the slope.
LONGEST = 700.0
# Rungs of the ladder on which a change of sign is looked for, in units of the slopes at hand.
FIRST, LAST, SPACING, COARSE = 1e-6, 1e12, 1.1, 4.0
# What is left of a pull that dies out without ever changing its sign.
UNDERFLOW = 1e-290
# The step of a difference quotient, in the same units.
NEAR = 1e-6


class Pull:
    """Φ(v) = E[a ∂ℓ/∂f(va, y)], the derivative of the loss by the slope."""

    def __init__(self, loss: Loss, a: FloatArray, y: FloatArray, convex: bool) -> None:
        self.loss, self.a, self.y, self.convex = loss, a, y, convex
        self.size = float(np.sqrt(np.mean(a * a)))
        # the slope that explains the largest label by the smallest input
        self.unit = float(np.maximum(1.0, np.abs(y).max()) / np.abs(a[a != 0]).min())

    def __call__(self, slope: ArrayLike) -> FloatArray:
        return np.mean(self.a * self.loss.derivative(self._outputs(slope), self.y), axis=-1)

    def mean_loss(self, slope: ArrayLike) -> FloatArray:
        """Return E[ℓ(va, y)]."""
        return np.mean(self.loss.value(self._outputs(slope), self.y), axis=-1)

    def _outputs(self, slope: ArrayLike) -> FloatArray:
        return np.asarray(slope)[..., None] * self.a


class Start(NamedTuple):
    """The networks at t = 0, each column of one shape."""

    slope: FloatArray
    kernel: FloatArray
    rising: FloatArray
    """K + 2γηv."""
    falling: FloatArray
    """K − 2γηv."""
    gamma: FloatArray
    eta: FloatArray

    @classmethod
    def of(cls, initial: Initial, shape: tuple[int, ...]) -> Start:
        """Return the start, spread over the shape."""
        columns = (*(initial.slope, initial.kernel), *initial.halves, initial.gamma, initial.eta)
        return cls(*(np.broadcast_to(column, shape) for column in columns))

    def modes(self, push: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return K + 2γηv and K − 2γηv at ψ; an empty mode stays empty."""
        turn = 2 * self.eta * push
        with np.errstate(over="ignore", invalid="ignore"):
            rising, falling = self.rising * np.exp(turn), self.falling * np.exp(-turn)
        return np.where(self.rising > 0, rising, 0.0), np.where(self.falling > 0, falling, 0.0)

    def slope_at(self, push: FloatArray) -> FloatArray:
        """Return v at ψ."""
        turn = 2 * self.eta * push
        near = np.clip(turn, -1.0, 1.0)
        turns, half = self.eta > 0, np.sinh(near / 2)
        scale = np.where(turns, 2 * self.gamma * self.eta, 1.0)
        along = np.where(turns, np.sinh(near) / scale, push / self.gamma)
        small = self.slope + (self.kernel * along + 2 * self.slope * half * half)
        rising, falling = self.modes(push)
        return np.where(np.abs(turn) < 1, small, (rising - falling) / (2 * scale))

    def moves(self, push: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return ½(r + 1/r) − 1 and ½(r − 1/r)/η at ψ; with an empty mode, by r of the other."""
        way = self.eta * push
        alone = (self.rising == 0) | (self.falling == 0)
        stretch = np.expm1(np.where(self.rising > 0, way, -way))
        stretch = np.where(self.kernel > 0, stretch, 0.0)
        way, turns = np.where(alone, 0.0, way), self.eta > 0
        along = np.where(turns, np.sinh(way) / np.where(turns, self.eta, 1.0), push)
        half = np.sinh(way / 2)
        return np.where(alone, stretch, 2 * half * half), np.where(alone, 0.0, along)


def rest(pull: Pull, start: FloatArray) -> FloatArray:
    """Return the slope at which the loss stops falling on the way down from `start`.

    That is the first zero of Φ, and ±∞ where the loss falls for ever. Losses by name are convex and
    have one zero; for another loss the way is searched on a ladder with rungs a tenth apart.
    """
    downhill = -np.sign(pull(start))
    unit = np.maximum(np.abs(start), pull.unit)
    low, high = start, np.full_like(start, np.inf)
    step = FIRST
    while step < LAST and (missing := np.isinf(high) & (downhill != 0)).any():
        here = start + downhill * step * unit
        falls = -downhill * pull(here) > 0
        low, high = np.where(missing & falls, here, low), np.where(missing & ~falls, here, high)
        step *= COARSE if pull.convex else SPACING
    found = np.isfinite(high)
    low, high = np.where(found, low, 0.0), np.where(found, high, 0.0)
    low, high = bisect(low, high, lambda middle: -downhill * pull(middle) > 0)
    last = np.abs(pull(low - 1e-9 * (low - start)))
    endless = (downhill != 0) & ~(found & (last > UNDERFLOW))
    return np.where(endless, np.copysign(np.inf, downhill), np.where(downhill == 0, start, high))


class End(NamedTuple):
    """The networks at t = ∞, each column of one shape."""

    slope: FloatArray
    push: FloatArray
    settled: FloatArray
    """A time at which the end is reached; ∞ if it never is."""

    @classmethod
    def of(cls, initial: Initial, last: FlowState, optimum: FloatArray, pull: Pull) -> End:
        """Return the end of a flow to `optimum`, if finite the `last` state of the squared error's.

        A rest is approached at the rate KΦ′, and the saddle at 2γη|Φ(0)|.
        """
        shape = np.shape(optimum)
        start = Start.of(initial, shape)
        turns, signal = start.eta > 0, 2 * start.gamma * start.eta
        moves = start.kernel > 0
        stuck = moves & (False if initial.stuck is None else initial.stuck)
        endless = np.isinf(optimum) & moves & ~stuck
        push = last.mode_factors[2]
        along = np.arcsinh(start.eta * push) / np.where(turns, start.eta, 1.0)
        aim = np.copysign(np.inf, initial.target - start.slope)
        step = NEAR * pull.unit
        bend = np.abs(pull(last.slope + step) - pull(last.slope - step)) / (2 * step)
        rate = np.where(stuck, signal * np.abs(pull(0.0)), last.kernel * bend)
        along = np.where(turns, along, push)
        far = 1 + np.abs(along) * (signal + pull.size * last.kernel) / start.gamma
        with np.errstate(divide="ignore", over="ignore"):
            settled = np.where(endless, np.inf, np.where(stuck, LONGEST, ENOUGH * far) / rate)
        return cls(
            slope=np.where(endless, optimum, last.slope),
            push=np.where(stuck, aim, along),
            settled=settled,
        )


def walk(pull: Pull, start: Start, settled: FloatArray, t: FloatArray) -> FloatArray:
    """Return ψ of the networks in a row at finite increasing times: (networks, times)."""
    pushes = np.zeros((start.slope.size, t.size))
    moving = (pull(start.slope) != 0) & (start.kernel > 0)
    if not moving.any():
        return pushes
    start = Start(*(column[moving] for column in start))
    unit = start.gamma / (2 * start.gamma * start.eta + pull.size * start.kernel)
    with np.errstate(divide="ignore"):
        farthest = LONGEST / (2 * start.eta)

    def force(push: FloatArray) -> FloatArray:
        return -start.gamma * pull(start.slope_at(np.clip(push, -farthest, farthest)))

    pushes[moving] = integrate(force, unit, settled[moving], t)
    return pushes

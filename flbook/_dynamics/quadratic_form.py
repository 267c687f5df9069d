"""A quadratic form of the weights in its own axes, where every weight goes its own way."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from flbook._dynamics.log_clock import ENOUGH, integrate
from flbook._model.task import Task
from flbook._support.arrays import FloatArray
from flbook._support.numerics import bisect, least_cancelled

__all__ = ["Form"]

EPSILON = np.finfo(np.float64).eps
# exp() of more than this is no double.
LONGEST = 700.0


class Form:
    """v(θ), K(θ) and the way of θ through time, of networks in a row.

    Arrays of components have shape (networks, times, D).
    """

    def __init__(
        self,
        matrix: FloatArray,
        task: Task,
        start: FloatArray,
        shape: tuple[int, ...],
        gamma: float,
        eta: float,
    ) -> None:
        values, self.vectors = np.linalg.eigh(matrix)
        size = np.abs(values).max()
        # what eigh makes of a zero
        self.values = np.where(np.abs(values) > 4 * len(values) * EPSILON * size, values, 0.0)

        def row(x: ArrayLike) -> FloatArray:
            return np.broadcast_to(x, shape).reshape(-1)

        many = (*shape, len(values))
        self.m, self.target, self.floor = map(
            row, (task.second_moment, task.target, task.loss_floor)
        )
        self.gamma, self.eta = gamma, eta
        self.parts = np.broadcast_to(start @ self.vectors, many).reshape(-1, 1, len(values))
        self.strength = self.gamma * self.values * self.parts**2
        self.first = self.strength.sum(axis=-1)[:, 0]
        self.stretch = 2 * float(np.abs(self.values).max()) or 1.0

    def powers(self, clock: FloatArray) -> FloatArray:
        """Return θλᵢ, no larger than exp(2θλᵢ) allows; 0 for λᵢ = 0."""
        with np.errstate(invalid="ignore"):
            powers = clock[..., None] * self.values
        return np.minimum(np.where(self.values == 0, 0.0, powers), LONGEST / 2)

    def slope(self, clock: FloatArray) -> FloatArray:
        """Return v(θ), from its start where that is nearer."""
        powers, first = 2 * self.powers(clock), self.first[:, None]
        moved = np.sum(self.strength * np.expm1(powers), axis=-1)
        terms = self.strength * np.exp(powers)
        return least_cancelled(
            (first + moved, np.abs(first) + np.abs(moved)),
            (terms.sum(axis=-1), np.abs(terms).sum(axis=-1)),
        )

    def kernel(self, clock: FloatArray) -> FloatArray:
        """Return K(θ)."""
        parts = self.values * self.parts * np.exp(self.powers(clock))
        return 4 * self.eta * self.gamma**2 * np.sum(parts * parts, axis=-1)

    def force(self, clock: FloatArray) -> FloatArray:
        """Return dθ/dt, for one θ of every network."""
        error = self.slope(clock[:, None])[:, 0] - self.target
        return -2 * self.eta * self.gamma * self.m * error

    @cached_property
    def end(self) -> FloatArray:
        """θ(∞): where v is the target, ±∞ where it never is."""
        aim = np.sign(self.target - self.first)
        active = self.strength[:, 0]
        able = np.where(aim > 0, (active > 0).any(axis=-1), (active < 0).any(axis=-1))
        between = aim * self.target < 0
        moves = (aim != 0) & (active != 0).any(axis=-1)
        reached = moves & (able | between)
        low, high = np.zeros_like(self.first), np.where(reached, aim / self.stretch, 0.0)
        while (short := reached & (aim * self.force(high) > 0)).any():
            low, high = np.where(short, high, low), np.where(short, 2 * high, high)
        _, high = bisect(low, high, lambda middle: aim * self.force(middle) > 0)
        return np.where(moves & ~reached, np.copysign(np.inf, aim), high)

    def walk(self, t: FloatArray) -> FloatArray:
        """Return θ at finite increasing times: (networks, times)."""
        clock = np.zeros((self.first.size, t.size))
        moves = self.end != 0
        if not moves.any():
            return clock
        pace = self.kernel(np.zeros((self.first.size, 1)))[:, 0] / (2 * self.eta * self.gamma)
        size = np.maximum(np.abs(self.first), np.abs(self.target))
        unit = 1 / (self.stretch + pace / size)
        every = np.zeros(moves.shape)

        def force(push: FloatArray) -> FloatArray:
            every[moves] = push
            return self.force(every)[moves]

        clock[moves] = integrate(force, unit[moves], self._settled[moves], t)
        return clock

    @property
    def _settled(self) -> FloatArray:
        """A time at which the end is reached; the target at the rate mK, v = 0 at λ|θ|′."""
        unreached = np.isinf(self.end)
        near = np.where(unreached, 0.0, self.end)
        slowest = np.min(np.abs(self.values), initial=np.inf, where=self.values != 0)
        to_zero = 4 * slowest * self.eta * self.gamma * self.m * np.abs(self.target)
        rate = np.where(unreached, to_zero, self.m * self.kernel(near[:, None])[:, 0])
        much = np.where(unreached, LONGEST, ENOUGH * (1 + np.abs(near) * self.stretch))
        with np.errstate(divide="ignore", over="ignore"):
            return much / rate

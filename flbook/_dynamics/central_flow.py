"""The smooth path through the middle of gradient descent that oscillates at the edge."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.integrate import solve_ivp

from flbook._dynamics.dynamics import Dynamics, full
from flbook._dynamics.flow_state import FlowState
from flbook._dynamics.initial import Initial, loss
from flbook._dynamics.outcome import Outcome
from flbook._model.gram import Gram
from flbook._model.network import Network
from flbook._model.task import Task
from flbook._support.arrays import FloatArray
from flbook._support.checks import refuse_where, times

__all__ = ["CentralFlow", "CentralState"]

# Of the turn h, absolutely and relatively.
ACCURACY = 1e-10
# The turn at which a limit counts as reached, and the steps after which there is none.
SETTLED = 1e-7
FIRST_STRETCH, LONGEST = 64.0, 1e6


@dataclass(frozen=True, eq=False, init=False)
class CentralFlow(Dynamics):
    """The mean of gradient descent that oscillates where mK is near 2, in continuous time.

    While mK < 1 it is gradient flow. From there on (or from the start) a step overshoots the
    target, and the turn h = γηm(v − v*) is a mean and a part that changes its sign with every step;
    V is the variance of that part, and starts as the square of what is left of h. With ⟨·⟩ the mean
    over both signs, and K² = (2γηv)² + K_min²::

        dh/dt = −⟨mK h⟩ + V γηm v         dV/dt = 2V(⟨mK⟩ − 2 − V)
        dΔ/dt = −VΔ                       dD/dt = −2VD

    So an oscillation grows while the kernel is beyond the edge, mK = 2, limits itself, and shrinks
    what the flow conserves, until the kernel has come below the edge.

    Parameters
    ----------
    network : Network
        Gives γ, η_u and η_w, both greater than 0: the learning rates of one step.
    task, gram
        As for `GradientFlow`.

    Raises
    ------
    TypeError, ValueError
        If a parameter is not of its class, shapes do not broadcast, a learning rate is 0, the
        descent would diverge (see `descent_fate`), or (in the methods) a time is negative or not a
        number, or is ∞ where the oscillation goes on.

    Notes
    -----
    Times are counted in steps and may be any numbers of at least 0; arrays of t behave as for
    `GradientFlow`. It is an approximation of `GradientDescent`, to leading order in the height of
    the kernel above the edge: a catapult from far above is beyond it. The idea of a
    central flow, there with V always such that mK = 2, is that of Cohen et al., arXiv:2410.24206
    (2024); V has an equation of its own in the self-stabilisation of Damian, Nichani & Lee,
    arXiv:2209.15594 (2022), and in the edge flow of Marion, arXiv:2606.18080 (2026).

    Examples
    --------
    >>> from flbook import CentralFlow, GradientDescent, Gram, Network, Task
    >>> parts = Network(2, eta_u=0.9, eta_w=0.9), Task(1.0, 1.0, 1.0), Gram(1.2, 0.95, 1.2)
    >>> print(CentralFlow(*parts).kernel([0, 10, 300]).round(2))
    [2.16 2.08 1.92]
    >>> print(GradientDescent(*parts).kernel([0, 300]).round(2))
    [2.16 1.92]
    """

    def __init__(self, network: Network, task: Task, gram: Gram) -> None:
        super().__init__(network, task, gram)
        for name in ("eta_u", "eta_w"):
            rate = getattr(network, name)
            refuse_where(np.equal(rate, 0), name, rate, "greater than 0 for a central flow")
        initial = self._initial(0)
        sharpness = np.broadcast_to(initial.m * initial.kernel, self.shape)
        wanted = "inside the border of divergence, m K(0) < 4 + (γηm)² v*(v(0) − v*)"
        refuse_where(initial.margin <= 0, "gram", sharpness, wanted)

    def at(self, t: ArrayLike) -> CentralState:
        """Return the state at t, computed once; its arrays have shape `shape` + `t.shape`."""
        t = times(t)
        return CentralState(self._initial(t.ndim), t[()], self.shape, self._walk(t))

    def oscillation(self, t: ArrayLike) -> FloatArray:
        """Return the variance of the slope about its mean; 0 before steps overshoot."""
        return self.at(t).oscillation

    def imbalance(self, t: ArrayLike) -> FloatArray:
        """Return Δ(t), which the oscillation shrinks."""
        return self.at(t).imbalance

    def determinant(self, t: ArrayLike) -> FloatArray:
        """Return D(t), which the oscillation shrinks."""
        return self.at(t).determinant

    @cached_property
    def overshoot_time(self) -> FloatArray:
        """The time at which gradient flow comes to mK = 1; ∞ where it never does."""
        initial, edge = self._initial(0), self._first_overshoot
        first, last = initial.couple * initial.slope, initial.couple * initial.target
        comes = (initial.m * initial.kernel < 1) & (np.abs(edge) < np.abs(last))
        share = np.where(comes, (last - edge) / np.where(comes, last - first, 1.0), 0.5)
        time = Outcome(initial, self.shape).time_to_shrink(share)
        beyond = initial.m * initial.kernel >= 1
        return full(np.where(beyond, 0.0, np.where(comes, time, np.inf))[()], self.shape)

    @property
    def _first_overshoot(self) -> FloatArray:
        """γηm v where gradient flow comes to mK = 1, if it does."""
        initial = self._initial(0)
        floor = initial.m * initial.floor
        height = np.sqrt(np.maximum(1 - floor * floor, 0.0)) / 2
        return np.copysign(height, initial.couple * initial.target)

    def _walk(self, t: FloatArray) -> FloatArray:
        """Return v − v*, V and ln(Δ/Δ(0)), of shape (3, *shape, *t.shape)."""
        initial, shape = self._initial(0), self.shape
        times_, back = np.unique(t, return_inverse=True)
        found = np.zeros((3, *shape, times_.size))
        found[0] = FlowState(self._initial(1), times_, shape).residual
        couple = initial.couple
        columns = (couple, couple * initial.target, initial.m * initial.floor, self._first_turn)
        couple, target, floor, turn = (np.broadcast_to(x, shape) for x in columns)
        edge = np.asarray(self.overshoot_time)
        for index in np.ndindex(shape):
            late = (times_ >= edge[index]) & np.isfinite(edge[index])
            if late.any():
                since = times_[late] - edge[index]
                beyond = _beyond(target[index], floor[index], turn[index], since)
                beyond[0] /= couple[index]
                found[(slice(None), *index)][:, late] = beyond
        return found[..., back.reshape(-1)].reshape(3, *shape, *t.shape)

    @property
    def _first_turn(self) -> FloatArray:
        """The turn h at that time."""
        initial = self._initial(0)
        later = self._first_overshoot - initial.couple * initial.target
        at_once = np.equal(self.overshoot_time, 0)
        return np.where(at_once, initial.couple * initial.residual, later)


def _beyond(target: Any, floor: Any, turn: Any, t: FloatArray) -> FloatArray:
    """Solve the equations from a turn on, all of which may oscillate."""
    if turn == 0:
        return np.zeros((3, t.size))

    def speed(_: float, state: FloatArray) -> list[float]:
        mean, log_variance, shrunk = state
        variance = np.exp(log_variance)
        kernels, turns = _phases(target, floor, mean, variance, shrunk)
        force = (kernels[0] * turns[0] + kernels[1] * turns[1]) / 2
        excess = (kernels[0] + kernels[1]) / 2 - 2
        return [
            variance * (mean + target) - force,
            2 * (excess - variance),
            -variance,
        ]

    found = np.empty((3, t.size))
    state = np.array([turn, 2 * np.log(abs(turn)), 0.0])
    begin, end = 0.0, FIRST_STRETCH
    # in stretches that do not depend on the times asked for, and so neither do the answers
    while True:
        run = solve_ivp(
            speed,
            (begin, end),
            state,
            "LSODA",
            dense_output=True,
            rtol=ACCURACY,
            atol=ACCURACY,
        )
        if not run.success:
            raise RuntimeError(f"the integrator stopped at t = {run.t[-1]:g}: {run.message}")
        here = (t >= begin) & (t < end)
        if here.any():
            mean, log_variance, shrunk = run.sol(t[here])
            found[:, here] = mean, np.exp(log_variance), shrunk
        later = t[t >= end]
        state = run.y[:, -1]
        if later.size == 0:
            return found
        if np.isinf(later).all():
            # a mean and an oscillation this small add nothing to what has melted
            if max(abs(state[0]), np.exp(state[1] / 2)) < SETTLED:
                found[:, np.isinf(t)] = [[0.0], [0.0], [state[2]]]
                return found
            refuse_where(
                end > LONGEST, "t", np.inf, "finite where the oscillation does not die out"
            )
        begin, end = end, 4 * end


def _phases(target: Any, floor: Any, mean: Any, variance: Any, shrunk: Any) -> tuple[Any, Any]:
    """Return mK and h in both phases of the oscillation."""
    swing = np.sqrt(variance)
    turns = (mean + swing, mean - swing)
    kernels = tuple(np.hypot(2 * (h + target), floor * np.exp(shrunk)) for h in turns)
    return kernels, turns


class CentralState:
    """The central flow at times t; every array has shape `shape` + `t.shape`.

    Attributes
    ----------
    t : array
        The times, in steps.
    slope, residual, kernel, loss
        Means over the oscillation.
    oscillation
        The variance of the slope about its mean.
    imbalance, determinant
        Δ and D.

    Examples
    --------
    >>> from flbook import CentralFlow, Gram, Network, Task
    >>> network = Network(2, eta_u=0.9, eta_w=0.9)
    >>> now = CentralFlow(network, Task(1.0, 1.0, 1.0), Gram(1.2, 0.9, 1.2)).at([0.0, 20.0])
    >>> print(now.oscillation.round(3), now.determinant.round(3))
    [0.01 0.01] [0.63  0.145]
    """

    def __init__(
        self, initial: Initial, t: FloatArray, shape: tuple[int, ...], walk: FloatArray
    ) -> None:
        self.t, self._initial, self._shape = t, initial, shape + np.shape(t)
        self._residual, self._variance, self._shrunk = walk

    def _full(self, value: Any) -> FloatArray:
        return full(value, self._shape)[()]

    @property
    def residual(self) -> FloatArray:
        """The mean of v − v*."""
        return self._full(self._residual)

    @property
    def slope(self) -> FloatArray:
        """The mean of v."""
        return self._full(self._initial.target + self._residual)

    @property
    def oscillation(self) -> FloatArray:
        """The variance of v."""
        return self._full(self._variance / self._initial.couple**2)

    @property
    def loss(self) -> FloatArray:
        """The mean of ½E[(f − y)²]."""
        swing = self._initial.m * self.oscillation / 2
        return self._full(loss(self._initial, self._residual) + swing)

    @cached_property
    def kernel(self) -> FloatArray:
        """The mean of K."""
        initial = self._initial
        kernels, _ = _phases(
            initial.couple * initial.target,
            initial.m * initial.floor,
            initial.couple * self._residual,
            self._variance,
            self._shrunk,
        )
        return self._full((kernels[0] + kernels[1]) / (2 * initial.m))

    @property
    def imbalance(self) -> FloatArray:
        """Δ."""
        return self._full(self._initial.imbalance * np.exp(self._shrunk))

    @property
    def determinant(self) -> FloatArray:
        """D."""
        return self._full(self._initial.determinant * np.exp(2 * self._shrunk))

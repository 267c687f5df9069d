"""Gradient flow at the times asked for: how far its two modes have come, and what follows."""

from __future__ import annotations

from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from flbook._dynamics.initial import Initial, loss
from flbook._dynamics.mode_state import ModeState
from flbook._support.arrays import FloatArray
from flbook._support.numerics import choose, least_cancelled, ratio

__all__ = ["FlowState"]

# From here on exp(−mK(∞)t) is below every residual that a double can hold.
LONG_PAST = 1500.0


class Modes(NamedTuple):
    """All that moves: factors of the two modes, and of what is left of the residual."""

    growth: Any
    """r, the factor of p."""
    decline: Any
    """1/r, the factor of q."""
    both: Any
    """½(r + 1/r) − 1: how far a layer moves along itself, in units of its start."""
    push: Any
    """½(r − 1/r)/η: how far it moves along the other one, in units of its rate."""
    left: Any
    """(v − v*)/(v(0) − v*)."""
    gone: Any
    """1 − left, from terms that do not cancel."""
    residual: Any
    """v − v*, also where `left` is too small for a double."""


def two_modes(initial: Initial, t: Any) -> Modes:
    """Return the modes where both are there.

    With A = exp(−mK(∞)t) and φ = (1 − A)/K(∞), r² = behind/ahead where
    ahead = 2A + [(K + s)(0) + (K − s)(∞)]φ and behind = 2A + [(K − s)(0) + (K + s)(∞)]φ, and
    4A/(ahead·behind) is the fraction of the residual that is left. The numbers are of no meaning
    where a network is stuck.
    """
    (a, b), (to_ahead, to_behind), kernel = initial.halves, initial.brackets, initial.last_kernel
    if initial.stuck is not None:
        to_ahead, to_behind, kernel = (
            np.where(initial.stuck, 1.0, x) for x in (to_ahead, to_behind, kernel)
        )
    with np.errstate(over="ignore"):
        kappa = np.minimum(initial.m * kernel * t, LONG_PAST)
    root_decay = np.exp(-kappa / 2)
    phi = -np.expm1(-kappa) / kernel
    decay = root_decay * root_decay
    ahead, behind = 2 * decay + to_ahead * phi, 2 * decay + to_behind * phi
    one, other = 2 * root_decay / ahead, 2 * root_decay / behind
    left = one * other
    gone = choose(left < 0.5, 1.0 - left, phi * (a / ahead + b / behind))
    # the smaller factor last, so that nothing underflows on the way
    residual = initial.residual * np.maximum(one, other) * np.minimum(one, other)
    growth, decline = np.sqrt(behind / ahead), np.sqrt(ahead / behind)
    # r − 1/r = (behind − ahead)/√(ahead·behind), where behind − ahead = −4γη(v(0) − v*)φ
    push = -2 * initial.gamma * initial.residual * (phi / ahead) * decline
    sinh = initial.eta * push
    both = sinh * sinh / (1 + np.sqrt(1 + sinh * sinh))
    return Modes(growth, decline, both, push, left, gone, residual)


def single_mode(initial: Initial, t: Any) -> Modes:
    """Return the modes where one is empty for good, or both are.

    The other one decays for ever, and the flow ends at the saddle v = 0, or nothing ever moves.
    With the bracket w = (K ± s)(0) + (K ∓ s)(∞) of the mode that is there, its square has shrunk to
    2E/(2E + wφ); without a final kernel φ = mt.
    """
    (a, b), kernel = initial.halves, initial.last_kernel
    moving, still = kernel > 0, initial.kernel == 0
    bracket = np.maximum(*initial.brackets)
    with np.errstate(over="ignore", divide="ignore"):
        kappa = np.where(moving, initial.m * kernel, 1.0) * np.where(moving, t, 0.0)
        phi = np.where(
            moving,
            -np.expm1(-kappa) / np.where(moving, kernel, 1.0),
            initial.m * np.where(moving, 0.0, t),
        )
        decay = np.exp(-kappa)
        weight = np.where(bracket > 0, bracket, 1.0)
        path, run = 2 * decay + weight * phi, weight + 2 * decay / phi
    share = np.where(still, 1.0, np.sqrt(2 / path) * np.exp(-kappa / 2))
    left = np.where(still, 1.0, 2 / path)
    return Modes(
        growth=share,
        decline=share,
        # share² = 1 − weight/run
        both=np.where(still, 0.0, -weight / run / (1.0 + share)),
        push=np.zeros_like(share),
        left=left,
        gone=np.where(left < 0.5, 1.0 - left, np.maximum(a, b) / run),
        residual=initial.residual * left,
    )


class FlowState(ModeState):
    """Gradient flow at times t; every array has shape `shape` + `t.shape`.

    Attributes
    ----------
    t : array
        The times.
    slope, residual, loss, kernel, alignment, kernel_alignment, gram, imbalance, determinant
        As the methods of `GradientFlow` of these names return them.
    displacement : Gram
        |u − u(0)|², (u − u(0))·(w − w(0)), |w − w(0)|².

    Examples
    --------
    >>> from flbook import GradientFlow, Gram, Network, Task
    >>> flow = GradientFlow(Network(2), Task(1.0, 1.0, 1.0), Gram(1.0, 0.0, 1.0))
    >>> end = flow.at(float("inf"))
    >>> print(end.slope, end.kernel.round(6), round(end.displacement.uu, 6))
    1.0 2.828427 0.216845
    """

    def __init__(self, initial: Initial, t: FloatArray, shape: tuple[int, ...]) -> None:
        self.t = t
        modes, stuck = two_modes(initial, t), initial.stuck
        if stuck is not None:
            pairs = zip(single_mode(initial, t), modes, strict=True)
            modes = Modes(*(np.where(stuck, single, both)[()] for single, both in pairs))
        self._modes = modes
        a, b = initial.halves
        rising, falling = a * modes.growth * modes.growth, b * modes.decline * modes.decline
        super().__init__(initial, shape + np.shape(t), rising, falling)

    @property
    def mode_factors(self) -> tuple[Any, Any, Any]:
        """r, 1/r and ½(r − 1/r)/η; they broadcast."""
        return self._modes.growth, self._modes.decline, self._modes.push

    @property
    def _moves(self) -> tuple[Any, Any]:
        return self._modes.both, self._modes.push

    @cached_property
    def residual(self) -> FloatArray:
        """V − v*."""
        return self._full(self._modes.residual)

    @cached_property
    def loss(self) -> FloatArray:
        """½E[(f − y)²]."""
        return self._full(loss(self._initial, self._modes.residual))

    @cached_property
    def slope(self) -> FloatArray:
        """v: the mean of start and target, or half the difference of the halves of the kernel."""
        initial, rising, falling = self._initial, self._rising, self._falling
        from_start = initial.slope * self._modes.left
        to_target = initial.target * self._modes.gone
        scale = 2 * initial.signal
        slope = least_cancelled(
            (from_start + to_target, np.abs(from_start) + np.abs(to_target)),
            (ratio(rising - falling, scale, 0.0), ratio(rising + falling, scale, np.inf)),
        )
        return self._full(slope)

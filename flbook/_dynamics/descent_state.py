"""Gradient descent after the steps asked for, also where it has diverged."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np

from flbook._dynamics.dynamics import full
from flbook._dynamics.initial import Initial, displacement, layer_norms, loss
from flbook._dynamics.step_map import StepState
from flbook._model.gram import Gram
from flbook._support.arrays import FloatArray
from flbook._support.numerics import cosine, least_cancelled, ratio

__all__ = ["DescentState"]


class DescentState:
    """Gradient descent after t steps; every array has shape `shape` + `t.shape`.

    What leaves the range of doubles is infinite, and that is the answer.

    Attributes
    ----------
    t : array
        The step counts.
    slope, residual, loss, kernel, alignment, kernel_alignment, gram, imbalance, determinant
        As the methods of `GradientDescent` of these names return them.
    displacement : Gram
        |u − u(0)|², (u − u(0))·(w − w(0)), |w − w(0)|².

    Examples
    --------
    >>> from flbook import GradientDescent, Gram, Network, Task
    >>> descent = GradientDescent(Network(2), Task(0.5, 0.5, 0.5), Gram(1.0, 0.0, 1.0))
    >>> now = descent.at([0, 1])
    >>> print(now.slope, now.determinant, now.kernel_alignment.round(6))
    [0. 1.] [1.     0.5625] [0.  0.8]
    """

    def __init__(self, initial: Initial, steps: FloatArray, state: StepState) -> None:
        self.t, self._initial, self._state = steps, initial, state
        self._shape = np.shape(state.residual)
        self._blown = np.greater(state.blown, 0)
        # A network with a frozen layer diverges in one weight, and its kernel stays.
        self._growing = self._blown & (initial.eta > 0)
        a, b = initial.halves
        with np.errstate(over="ignore"):
            self._rising = a * state.ahead * state.ahead
            self._falling = b * state.behind * state.behind

    @property
    def _growing_u(self) -> Any:
        return self._blown & (self._initial.eta_u > 0)

    @property
    def _growing_w(self) -> Any:
        return self._blown & (self._initial.eta_w > 0)

    def _full(self, value: Any) -> FloatArray:
        return full(value, self._shape)

    def _shrunk(self, value: Any) -> FloatArray:
        """Return `value` times all factors 1 − h² so far."""
        with np.errstate(over="ignore"):
            return value * self._state.ahead * self._state.behind

    @cached_property
    def _last_slope(self) -> FloatArray:
        """The slope, or the last finite one."""
        initial, state = self._initial, self._state
        scale = 2 * initial.signal
        residual = np.where(self._blown, 0.0, state.residual)
        near_target = np.abs(initial.target) + np.abs(residual)
        with np.errstate(over="ignore", invalid="ignore"):  # ∞ − ∞ counts as too large a sum
            return least_cancelled(
                (initial.target + residual, np.where(self._blown, np.inf, near_target)),
                (
                    ratio(self._rising - self._falling, scale, 0.0),
                    ratio(self._rising + self._falling, scale, np.inf),
                ),
                (state.slope, np.abs(initial.slope) + np.abs(state.slope - initial.slope)),
            )

    @property
    def _last_kernel(self) -> FloatArray:
        return (self._rising + self._falling) / 2

    @property
    def _last_root(self) -> FloatArray:
        return np.abs(self._shrunk(self._initial.root_determinant))

    @property
    def residual(self) -> FloatArray:
        """V − v*."""
        return self._full(self._state.residual)

    @cached_property
    def slope(self) -> FloatArray:
        """V."""
        return self._full(np.where(self._blown, self._state.residual, self._last_slope)[()])

    @cached_property
    @np.errstate(over="ignore")
    def loss(self) -> FloatArray:
        """½E[(f − y)²]."""
        return self._full(loss(self._initial, self._state.residual))

    @cached_property
    @np.errstate(over="ignore")
    def kernel(self) -> FloatArray:
        """K."""
        return self._full(np.where(self._growing, np.inf, self._last_kernel)[()])

    @cached_property
    def imbalance(self) -> FloatArray:
        """Δ, which every step multiplies by 1 − h²."""
        last = self._shrunk(self._initial.imbalance)
        alternating = self._growing & np.not_equal(last, 0)
        if np.any(alternating & np.isinf(self.t)):
            raise ValueError(
                "t must be finite here, got inf: where the descent diverges the imbalance changes "
                "its sign at every step and has no limit"
            )
        since = np.where(np.isinf(self.t), self._state.blown, self.t) - self._state.blown
        parity = 1.0 - 2.0 * (since % 2)
        # The step that left the range was already a change of sign.
        infinity = np.where(last * parity > 0, -np.inf, np.inf)
        return self._full(np.where(alternating, infinity, last)[()])

    @cached_property
    def determinant(self) -> FloatArray:
        """D, which every step multiplies by (1 − h²)²."""
        last = self._shrunk(self._shrunk(self._initial.determinant))
        return self._full(np.where(self._growing & (last > 0), np.inf, last)[()])

    @cached_property
    @np.errstate(over="ignore", invalid="ignore")
    def gram(self) -> Gram:
        """The Gram matrix of the layers; infinite where they diverged."""
        initial, slope = self._initial, self._last_slope
        imbalance = self._shrunk(initial.imbalance)
        uu, ww = layer_norms(initial, self._last_kernel, imbalance, slope, self._last_root)
        entries = (
            np.where(self._growing_u, np.inf, uu),
            np.where(self._blown, self._state.residual, slope / initial.gamma),
            np.where(self._growing_w, np.inf, ww),
        )
        return Gram._trusted(*(self._full(entry[()]) for entry in entries))

    @cached_property
    @np.errstate(over="ignore", invalid="ignore")
    def displacement(self) -> Gram:
        """The Gram matrix of the moves u − u(0), w − w(0); infinite where they diverged."""
        initial, state = self._initial, self._state
        # the modes come close to 1 as sums of two doubles
        up, down = (state.ahead - 1) + state.ahead_low, (state.behind - 1) + state.behind_low
        alone = initial.gamma * ratio(self._last_slope - initial.slope, initial.kernel, 0.0)
        push = ratio((up - down) / 2, initial.eta, alone)
        uu, uw, ww = displacement(initial, (up + down) / 2, push)
        entries = (
            np.where(self._growing_u, np.inf, uu),
            np.where(self._growing, self._state.residual, uw),
            np.where(self._growing_w, np.inf, ww),
        )
        return Gram._trusted(*(self._full(entry[()]) for entry in entries))

    @cached_property
    def alignment(self) -> FloatArray:
        """ζ; where the descent diverged, as it was last."""
        initial = self._initial
        across = initial.gamma * self._last_root
        return self._full(cosine(self._last_slope, across, np.sign(initial.slope)))

    @cached_property
    def kernel_alignment(self) -> FloatArray:
        """ζ_K; where the descent diverged, as it was last."""
        initial = self._initial
        floor = np.abs(self._shrunk(initial.floor))
        at_zero = np.sign(initial.signal * initial.slope)
        return self._full(cosine(initial.signal * self._last_slope, floor, at_zero))

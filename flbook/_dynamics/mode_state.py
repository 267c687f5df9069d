"""The layers of a network whose two modes have been scaled, and all that follows from it."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np

from flbook._dynamics.dynamics import full
from flbook._dynamics.initial import Initial, displacement, layer_norms
from flbook._model.gram import Gram
from flbook._support.arrays import FloatArray
from flbook._support.numerics import cosine

__all__ = ["ModeState"]


class ModeState:
    """What K + 2γηv and K − 2γηv of the start have become; a subclass knows the slope."""

    def __init__(self, initial: Initial, shape: tuple[int, ...], rising: Any, falling: Any) -> None:
        self._initial, self._shape = initial, shape
        self._rising, self._falling = rising, falling

    def _full(self, value: Any) -> FloatArray:
        return full(value, self._shape)

    @property
    def _moves(self) -> tuple[Any, Any]:
        """½(r + 1/r) − 1 and ½(r − 1/r)/η, where the modes p, q have become rp, q/r."""
        raise NotImplementedError

    @cached_property
    def slope(self) -> FloatArray:
        """V."""
        raise NotImplementedError

    @property
    def _finite_slope(self) -> FloatArray:
        return self.slope

    @cached_property
    def kernel(self) -> FloatArray:
        """K."""
        return self._full((self._rising + self._falling) / 2)

    @cached_property
    def gram(self) -> Gram:
        """The Gram matrix of the layers."""
        initial, slope = self._initial, self._finite_slope
        norms = layer_norms(
            initial, self.kernel, initial.imbalance, slope, initial.root_determinant
        )
        uu, ww = map(self._full, norms)
        return Gram._trusted(uu, slope / initial.gamma, ww)

    @cached_property
    def displacement(self) -> Gram:
        """The Gram matrix of the moves u − u(0), w − w(0): how far the weights have come."""
        return Gram._trusted(*map(self._full, displacement(self._initial, *self._moves)))

    @cached_property
    def alignment(self) -> FloatArray:
        """ζ."""
        initial = self._initial
        across = initial.gamma * initial.root_determinant
        return self._full(cosine(self._finite_slope, across, np.sign(initial.slope)))

    @cached_property
    def kernel_alignment(self) -> FloatArray:
        """ζ_K."""
        initial = self._initial
        signal, at_zero = (
            initial.signal * self._finite_slope,
            np.sign(initial.signal * initial.slope),
        )
        return self._full(cosine(signal, initial.floor, at_zero))

    @cached_property
    def imbalance(self) -> FloatArray:
        """Δ, which gradient flow never moves."""
        return self._full(self._initial.imbalance)

    @cached_property
    def determinant(self) -> FloatArray:
        """D, which gradient flow never moves."""
        return self._full(self._initial.determinant)

"""Gradient flow of any loss at the times asked for."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np

from flbook._dynamics.initial import Initial
from flbook._dynamics.loss_path import Pull, Start
from flbook._dynamics.mode_state import ModeState
from flbook._model.gram import Gram
from flbook._support.arrays import FloatArray

__all__ = ["LossState"]

# Far enough for every loss to be at its limit, near enough for the outputs to be doubles.
FAR = 1e150


class LossState(ModeState):
    """Gradient flow of any loss at times t; every array has shape `shape` + `t.shape`.

    Attributes
    ----------
    t : array
        The times.
    slope, residual, loss, kernel, alignment, kernel_alignment, gram, imbalance, determinant
        As the methods of `LossFlow` of these names return them.
    displacement : Gram
        |u − u(0)|², (u − u(0))·(w − w(0)), |w − w(0)|².

    Examples
    --------
    >>> from flbook import Gram, LossFlow, Network
    >>> flow = LossFlow(Network(2), "exponential", [1.0], [1.0], Gram(1.0, 0.0, 1.0))
    >>> end = flow.at([1e6, float("inf")])
    >>> print(end.slope.round(3), end.kernel.round(3), end.alignment.round(4))
    [17.297    inf] [34.652    inf] [0.9983 1.    ]
    """

    def __init__(
        self, initial: Initial, t: FloatArray, pull: Pull, slope: FloatArray, push: FloatArray
    ) -> None:
        self.t, self._pull, self._end = t, pull, slope
        self._endless = np.isinf(slope)
        self._start = Start.of(initial, np.shape(slope))
        self._push = np.where(self._endless, 0.0, push)
        super().__init__(initial, np.shape(slope), *self._start.modes(self._push))

    def _limit(self, value: Any, limit: Any) -> FloatArray:
        """Return `value`, and the limit where the slope has grown for ever."""
        return self._full(np.where(self._endless, limit, value)[()])

    def _grown(self, gram: Gram) -> Gram:
        uu, ww = (np.where(eta > 0, np.inf, x) for eta, x in self._layers(gram))
        return Gram._trusted(
            self._limit(gram.uu, uu), self._limit(gram.uw, self._end), self._limit(gram.ww, ww)
        )

    def _layers(self, gram: Gram) -> tuple[tuple[Any, Any], tuple[Any, Any]]:
        return (self._initial.eta_u, gram.uu), (self._initial.eta_w, gram.ww)

    @property
    def _finite_slope(self) -> FloatArray:
        return np.where(self._endless, self._initial.slope, self._end)[()]

    @property
    def _moves(self) -> tuple[Any, Any]:
        return self._start.moves(self._push)

    @cached_property
    def slope(self) -> FloatArray:
        """V."""
        return self._full(self._end)

    @cached_property
    def residual(self) -> FloatArray:
        """E[a ∂ℓ/∂f(va, y)]/E[a²]."""
        return self._limit(self._pull(self._finite_slope) / self._initial.m, 0.0)

    @cached_property
    def loss(self) -> FloatArray:
        """E[ℓ(va, y)]."""
        return self._full(self._pull.mean_loss(np.clip(self._end, -FAR, FAR)))

    @cached_property
    def kernel(self) -> FloatArray:
        """K."""
        limit = np.where(self._initial.eta > 0, np.inf, self._initial.kernel)
        return self._limit(super().kernel, limit)

    @cached_property
    def gram(self) -> Gram:
        """The Gram matrix of the layers."""
        return self._grown(super().gram)

    @cached_property
    def displacement(self) -> Gram:
        """The Gram matrix of the moves u − u(0), w − w(0): how far the weights have come."""
        return self._grown(super().displacement)

    @cached_property
    def alignment(self) -> FloatArray:
        """ζ."""
        return self._limit(super().alignment, np.sign(self._end))

    @cached_property
    def kernel_alignment(self) -> FloatArray:
        """ζ_K."""
        return self._limit(
            super().kernel_alignment, np.sign(self._initial.signal) * np.sign(self._end)
        )

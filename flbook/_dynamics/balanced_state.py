"""A network with balanced layers at the times asked for."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np

from flbook._support.arrays import FloatArray

__all__ = ["BalancedState"]


class BalancedState:
    """Balanced layers at times t; every array has shape `t.shape`, then the axes of its matrix.

    Attributes
    ----------
    t : array
        The times.
    map, loss, kernel
        As the methods of `BalancedFlow` of these names return them.
    input_gram, output_gram
        W₁ᵀW₁ and W₂W₂ᵀ.

    Examples
    --------
    >>> from flbook import BalancedFlow
    >>> end = BalancedFlow([[0.3, 0.4]], [[1.3]], [[3.0, 0.0]]).at(float("inf"))
    >>> print(end.map.round(6) + 0.0, end.output_gram.round(3))
    [[3. 0.]] [[3.805]]
    """

    def __init__(self, t: Any, layers: FloatArray, target: FloatArray, eta: float) -> None:
        self.t, self._target, self._eta = t, target, eta
        inputs = target.shape[1]
        self._inner, self._outer = layers[..., :inputs, :], layers[..., inputs:, :]

    @cached_property
    def map(self) -> FloatArray:
        """W₂W₁."""
        return self._outer @ np.swapaxes(self._inner, -1, -2)

    @cached_property
    def loss(self) -> FloatArray:
        """½‖W₂W₁ − Σ‖²."""
        return np.sum((self.map - self._target) ** 2, axis=(-1, -2)) / 2

    @cached_property
    def input_gram(self) -> FloatArray:
        """W₁ᵀW₁."""
        return self._inner @ np.swapaxes(self._inner, -1, -2)

    @cached_property
    def output_gram(self) -> FloatArray:
        """W₂W₂ᵀ."""
        return self._outer @ np.swapaxes(self._outer, -1, -2)

    @cached_property
    def kernel(self) -> FloatArray:
        """η(W₂W₂ᵀ ⊗ I + I ⊗ W₁ᵀW₁)."""
        outputs, inputs = self._target.shape
        shape = (*self.map.shape[:-2], outputs * inputs, outputs * inputs)
        above = np.einsum("...ij,kl->...ikjl", self.output_gram, np.eye(inputs))
        below = np.einsum("ij,...kl->...ikjl", np.eye(outputs), self.input_gram)
        return self._eta * (above + below).reshape(shape)

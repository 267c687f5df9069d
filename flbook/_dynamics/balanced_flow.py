"""Two-layer linear networks with many inputs and outputs whose layers are balanced, exactly."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from flbook._dynamics.balanced_state import BalancedState
from flbook._dynamics.gradient_flow import GradientFlow
from flbook._dynamics.matrix_riccati import MatrixRiccati
from flbook._model.gram import Gram
from flbook._model.network import Network
from flbook._model.task import Task
from flbook._support.arrays import FloatArray, ValueObject
from flbook._support.checks import one_real, real, times

__all__ = ["BalancedFlow"]

# How far from balanced, or from aligned, weights may be that were rounded on their way here.
ROUNDING = 1e-9
# Layers whose sizes differ by no more than rounding are balanced at λ = 0.
EQUAL = 1e-15
# The least share of the layers that is held of a mode, and not left of it by rounding.
HELD = 1e-14


@dataclass(frozen=True, eq=False, init=False)
class BalancedFlow(ValueObject):
    """Gradient flow of f(x) = W₂W₁x on inputs that are white, E[xxᵀ] = I, from balanced layers.

    With the target Σ = E[y xᵀ] the loss is ½E|f − y|² = ½‖W₂W₁ − Σ‖² + const. Layers are balanced
    if W₂ᵀW₂ − W₁W₁ᵀ = λI, which gradient flow keeps: λ > 0 where the output layer is the larger.
    Then Q = (W₁ᵀ; W₂) obeys dQ/dt = η(FQ − ½QQᵀQ) with a symmetric matrix F that does not move, a
    matrix Riccati equation for QQᵀ, whose blocks are all that the network and its kernel need.

    Parameters
    ----------
    W1 : array_like, shape (width, inputs)
        The input layer at t = 0.
    W2 : array_like, shape (outputs, width)
        The output layer at t = 0.
    target : array_like, shape (outputs, inputs)
        Σ, the map that fits best.
    eta : float
        The learning rate of both layers, at least 0.

    Raises
    ------
    TypeError, ValueError
        If a parameter is not finite or of the wrong shape, if the layers are not balanced, or (in
        the methods) a time is negative or not a number.

    Notes
    -----
    Every method takes times of any shape, infinity included; matrices stand on the last two axes.
    Errors are of the order of rounding, in units of the largest entry. The solution is that of
    K. Fukumizu (1998) for λ = 0 and of C. Dominé et al., arXiv:2409.14623 (2024) for any λ; here it
    is taken in steps so short that nothing overflows, by QR decompositions. The weights themselves
    need one more rotation of the hidden layer, which has no closed form; W₁ᵀW₁ and W₂W₂ᵀ do not.

    Examples
    --------
    >>> from flbook import BalancedFlow
    >>> flow = BalancedFlow(W1=[[0.1, 0.0]], W2=[[0.06], [0.08]], target=[[3.0, 0.0], [0.0, 1.0]])
    >>> print(flow.balance, flow.map(float("inf")).round(6).tolist())
    0.0 [[3.0, 0.0], [0.0, 0.0]]

    One hidden neuron has learned the stronger of the two modes, the best map of rank one.
    """

    W1: FloatArray
    W2: FloatArray
    target: FloatArray
    eta: float

    def __init__(self, W1: ArrayLike, W2: ArrayLike, target: ArrayLike, eta: float = 1.0) -> None:
        object.__setattr__(self, "W1", _matrix("W1", W1, "(width, inputs)"))
        object.__setattr__(self, "W2", _matrix("W2", W2, "(outputs, width)"))
        object.__setattr__(self, "target", _matrix("target", target, "(outputs, inputs)"))
        object.__setattr__(self, "eta", one_real("eta", eta, at_least=0))
        width, inputs = self.W1.shape
        if self.W2.shape[1] != width:
            raise ValueError(
                f"W2 must have {width} columns, as W1 has rows, got {self.W2.shape[1]}"
            )
        wanted = (self.W2.shape[0], inputs)
        if self.target.shape != wanted:
            raise ValueError(f"target must have shape {wanted} like W2 W1, got {self.target.shape}")
        difference = self.W2.T @ self.W2 - self.W1 @ self.W1.T
        size = np.sum(self.W1**2) + np.sum(self.W2**2)
        off = np.linalg.norm(difference - self.balance * np.eye(width))
        if off > ROUNDING * size:
            raise ValueError(
                "W1 and W2 must be balanced, W2ᵀW2 − W1W1ᵀ = λI, got a difference that is off the "
                f"nearest λI by {off:.3g} (λ = {self.balance:.3g})"
            )

    @cached_property
    def balance(self) -> float:
        """λ in W₂ᵀW₂ − W₁W₁ᵀ = λI, which gradient flow never moves."""
        outer, inner = np.sum(self.W2**2), np.sum(self.W1**2)
        balanced = abs(outer - inner) <= EQUAL * (outer + inner)
        return 0.0 if balanced else float((outer - inner) / self.W1.shape[0])

    @cached_property
    def _riccati(self) -> MatrixRiccati:
        return MatrixRiccati(self.W1, self.W2, self.target, self.balance)

    @cached_property
    def modes(self) -> GradientFlow:
        """The singular modes of the target as networks on a line, where they are independent.

        They are if W₂W₁, W₁ᵀW₁ and W₂W₂ᵀ are all diagonal in the singular vectors of the target;
        otherwise ValueError. The k-th of the array of problems has the k-th singular value as its
        target, and together their slopes are the singular values of the map. A mode of which the
        layers hold no more than rounding counts as one that they do not hold.
        """
        outer, values, inner = np.linalg.svd(self.target)
        count = values.size
        overlap = outer.T @ self.W2 @ self.W1 @ inner.T
        above, below = outer.T @ self.W2, inner @ self.W1.T
        size = np.sum(self.W1**2) + np.sum(self.W2**2)
        for matrix in (overlap, above @ above.T, below @ below.T):
            k = min(matrix.shape)
            rest = matrix.copy()
            rest[range(k), range(k)] = 0.0
            if np.linalg.norm(rest) > ROUNDING * size:
                raise ValueError(
                    "W1 and W2 must be diagonal in the singular vectors of the target for its "
                    "modes to be independent, got layers that mix them"
                )
        uu, ww = (np.sum(part[:count] ** 2, axis=1) for part in (above, below))
        uu, ww = (np.where(square > HELD**2 * size, square, 0.0) for square in (uu, ww))
        bound = np.sqrt(uu * ww)
        uw = np.clip(np.diagonal(overlap), -bound, bound)
        network = Network(1, eta_u=self.eta, eta_w=self.eta)
        return GradientFlow(network, Task(1.0, values, values**2), Gram(uu, uw, ww))

    def at(self, t: ArrayLike) -> BalancedState:
        """Return the state at t, computed once."""
        t = times(t)
        clock = self.eta * t if self.eta > 0 else np.zeros_like(t)
        return BalancedState(t[()], self._riccati.after(clock), self.target, self.eta)

    def map(self, t: ArrayLike) -> FloatArray:
        """Return W₂W₁, the network's map from inputs to outputs."""
        return self.at(t).map

    def loss(self, t: ArrayLike) -> FloatArray:
        """Return ½‖W₂W₁ − Σ‖²; the noise of the labels, which no map fits, is left out."""
        return self.at(t).loss

    def kernel(self, t: ArrayLike) -> FloatArray:
        """Return η(W₂W₂ᵀ ⊗ I + I ⊗ W₁ᵀW₁), the tangent kernel of maps written row after row."""
        return self.at(t).kernel


def _matrix(name: str, value: ArrayLike, wanted: str) -> FloatArray:
    array = np.asarray(real(name, value))
    if array.ndim != 2 or array.size == 0:
        raise ValueError(f"{name} must have shape {wanted}, got {array.shape}")
    return array

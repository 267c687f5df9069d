"""What is known of a network in training: the protocol that solver and simulation share."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

from flbook._model.gram import Gram
from flbook._support.arrays import FloatArray

__all__ = ["LayerState", "State"]


@runtime_checkable
class State(Protocol):
    """What a network computes at the times t that were asked for."""

    @property
    def t(self) -> Any:
        """The times, or step counts."""

    @property
    def slope(self) -> FloatArray:
        """The slope v."""
        ...

    @property
    def residual(self) -> FloatArray:
        """The residual v − v*."""
        ...

    @property
    def loss(self) -> FloatArray:
        """The loss L = ½E[(f − y)²]."""
        ...

    @property
    def kernel(self) -> FloatArray:
        """The tangent kernel K = γ²(η_w uu + η_u ww)."""
        ...


@runtime_checkable
class LayerState(State, Protocol):
    """A state that knows the layers behind it."""

    @property
    def gram(self) -> Gram:
        """The Gram matrix of the layers."""
        ...

    @property
    def alignment(self) -> FloatArray:
        """The cosine ζ between the layers."""
        ...

    @property
    def kernel_alignment(self) -> FloatArray:
        """The alignment ζ_K = 2γηv/K, weighted by the learning rates."""
        ...

    @property
    def imbalance(self) -> FloatArray:
        """The imbalance Δ = η_w uu − η_u ww."""
        ...

    @property
    def determinant(self) -> FloatArray:
        """The determinant D = uu·ww − uw²."""
        ...

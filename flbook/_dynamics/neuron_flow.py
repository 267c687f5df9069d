"""One hidden neuron with inputs of many dimensions, solved exactly."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from flbook._dynamics.dynamics import full
from flbook._dynamics.neuron_start import NeuronStart
from flbook._dynamics.neuron_state import NeuronState
from flbook._support.arrays import FloatArray, Real, ValueObject, broadcast_shape
from flbook._support.checks import real, times

__all__ = ["NeuronFlow"]


@dataclass(frozen=True, eq=False, init=False)
class NeuronFlow(ValueObject):
    """Gradient flow of one linear neuron f(x) = a w·x on inputs that are white, E[xxᵀ] = I.

    With β = E[y x] the loss is ½E[(f − y)²] = ½|a w − β|² + const, and its gradient flow is

        da/dt = −η_a w·(a w − β),   dw/dt = −η_w a (a w − β).

    The imbalance δ = η_w a² − η_a|w|² never moves, and that makes the flow linear up to one common
    factor: after rescaling to unit rates Q = (w, a) obeys dQ/dt = FQ − ½|Q|²Q with a symmetric
    matrix F that does not move, so Q(t) = e^{Ft}Q(0)/√(1 + ∫₀ᵗ|e^{Fs}Q(0)|²ds). The eigenvalues of
    F are ±ρ, ρ² = δ²/4 + η_a η_w|β|², in the plane of β and a, and −δ/2 in every direction across.

    Parameters
    ----------
    a : array_like, shape (...)
        The output weight at t = 0.
    w : array_like, shape (..., D)
        The input weights at t = 0.
    target : array_like, shape (..., D)
        β, the slope that fits best.
    eta_a, eta_w : array_like, shape (...)
        The learning rates of a and w, at least 0.

    Raises
    ------
    TypeError, ValueError
        If a parameter is not finite or of the wrong shape, or (in the methods) a time is negative
        or not a number.

    Notes
    -----
    Every method takes times of any shape, infinity included, and answers with an array of shape
    `shape` + `t.shape`, followed by (D,) for vectors and (D, D) for the kernel. A neuron on its way
    into the saddle (η_a|w_∞| w·β̂ + η_w|a_∞| a = 0, where a_∞ and w_∞ are the layers' sizes at the
    target) never reaches the target. The model is that of D. Kunin et al., arXiv:2406.06158 (2024),
    whose δ has this sign.

    Examples
    --------
    A neuron that begins with a large w and no a fits what it can along w, then turns:

    >>> from flbook import NeuronFlow
    >>> flow = NeuronFlow(a=0.0, w=[2.0, 0.0], target=[1.0, 1.0])
    >>> print(flow.imbalance, flow.slope([0.0, 1.0, float("inf")]).round(3).tolist())
    -4.0 [[0.0, 0.0], [1.089, 0.191], [1.0, 1.0]]
    """

    a: Real
    w: FloatArray
    target: FloatArray
    eta_a: Real
    eta_w: Real

    def __init__(
        self,
        a: ArrayLike,
        w: ArrayLike,
        target: ArrayLike,
        eta_a: ArrayLike = 1.0,
        eta_w: ArrayLike = 1.0,
    ) -> None:
        object.__setattr__(self, "a", real("a", a))
        object.__setattr__(self, "w", _vectors("w", w))
        object.__setattr__(self, "target", _vectors("target", target))
        object.__setattr__(self, "eta_a", real("eta_a", eta_a, at_least=0))
        object.__setattr__(self, "eta_w", real("eta_w", eta_w, at_least=0))
        if self.target.shape[-1] != self.dimensions:
            got = f"{self.target.shape[-1]} where w has {self.dimensions}"
            raise ValueError(f"target must have as many columns as w, got {got}")
        _ = self.shape

    @property
    def dimensions(self) -> int:
        """D, the number of input dimensions."""
        return self.w.shape[-1]

    @cached_property
    def shape(self) -> tuple[int, ...]:
        """The shape that the parameters broadcast to, the last axis of vectors left out."""
        return broadcast_shape(
            a=np.shape(self.a),
            w=self.w.shape[:-1],
            target=self.target.shape[:-1],
            eta_a=np.shape(self.eta_a),
            eta_w=np.shape(self.eta_w),
        )

    def _start(self, axes: int) -> NeuronStart:
        """Return the start, with axes for the times."""

        def numbers(value: Real) -> FloatArray:
            array = np.asarray(value, dtype=np.float64)
            return array.reshape(array.shape + (1,) * (axes if array.ndim else 0))[()]

        def vectors(value: FloatArray) -> FloatArray:
            return value.reshape(*value.shape[:-1], *(1,) * axes, self.dimensions)

        return NeuronStart(
            numbers(self.a),
            vectors(self.w),
            vectors(self.target),
            numbers(self.eta_a),
            numbers(self.eta_w),
        )

    @cached_property
    def imbalance(self) -> FloatArray:
        """δ = η_w a² − η_a|w|², which gradient flow never moves."""
        return full(self._start(0).imbalance, self.shape)

    @cached_property
    def rate(self) -> FloatArray:
        """2ρ = √(δ² + 4η_a η_w|β|²), the rate of the final approach along the target."""
        return full(self._start(0).rate, self.shape)

    @cached_property
    def turning_rate(self) -> FloatArray:
        """ρ + δ/2, the rate of the final approach across the target: how fast w turns to it."""
        return full(self._start(0).shares[0], self.shape)

    def at(self, t: ArrayLike) -> NeuronState:
        """Return the state at t, computed once."""
        t = times(t)[()]
        return NeuronState(self._start(np.ndim(t)), t, self.shape)

    def weights(self, t: ArrayLike) -> tuple[FloatArray, FloatArray]:
        """Return a(t) and w(t)."""
        return self.at(t).weights

    def slope(self, t: ArrayLike) -> FloatArray:
        """Return the slope a w of the network, a vector."""
        return self.at(t).slope

    def residual(self, t: ArrayLike) -> FloatArray:
        """Return a w − β, to full precision however small."""
        return self.at(t).residual

    def loss(self, t: ArrayLike) -> FloatArray:
        """Return ½|a w − β|²; the noise of the labels, which no slope fits, is left out."""
        return self.at(t).loss

    def kernel(self, t: ArrayLike) -> FloatArray:
        """Return the matrix η_w a² I + η_a w wᵀ of the tangent kernel K(x, x′) = xᵀ(…)x′."""
        return self.at(t).kernel

    def kernel_size(self, t: ArrayLike) -> FloatArray:
        """Return η_w a² + η_a|w|², the kernel at a unit input along w and its largest eigenvalue.

        It is √(δ² + 4η_a η_w|a w|²), as on a line.
        """
        return self.at(t).kernel_size

    def kernel_rotation(self, t: ArrayLike) -> FloatArray:
        """Return 1 − ⟨K(t), K(0)⟩/(‖K(t)‖‖K(0)‖), how far the kernel has turned; 0 on a line."""
        return self.at(t).kernel_rotation

    def alignment(self, t: ArrayLike) -> FloatArray:
        """Return the cosine between w and the target; 0 where one of them is 0."""
        return self.at(t).alignment


def _vectors(name: str, value: ArrayLike) -> FloatArray:
    array = np.asarray(real(name, value))
    if array.ndim == 0 or array.shape[-1] == 0:
        raise ValueError(f"{name} must have shape (..., D), got {array.shape}")
    return array

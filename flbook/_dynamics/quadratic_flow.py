"""Gradient flow of a quadratic form of all weights: one path, which is an exponential."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from flbook._dynamics.quadratic_form import Form
from flbook._model.task import Task
from flbook._support.arrays import FloatArray, ValueObject, broadcast_shape
from flbook._support.checks import instance, one_real, real, times

__all__ = ["QuadraticFlow", "QuadraticState"]

# A matrix that misses its transpose by less than this, relative to its largest entry, is symmetric.
ROUNDING = 1e-12


@dataclass(frozen=True, eq=False, init=False)
class QuadraticFlow(ValueObject):
    """Training of f(x) = γ (W·A·W) x on a line, by the squared error in continuous time.

    The gradient of the slope v = γ W·A·W by the weights is linear in them, so that the path of all
    weights is W = exp(θA) W(0), whatever the task; with the eigenvalues λᵢ of A and the components
    cᵢ of W(0) along its eigenvectors::

        v(θ) = γ Σ λᵢ cᵢ² exp(2θλᵢ),    K = 4ηγ² Σ λᵢ² cᵢ² exp(2θλᵢ),    dθ/dt = −2γηm(v(θ) − v*)

    and one equation for the clock θ is left. A = [[0, I/2], [I/2, 0]] with W = (u, w) is the model
    of `GradientFlow` at equal learning rates.

    Parameters
    ----------
    matrix : array_like, shape (D, D)
        A, symmetric.
    task : Task
        Gives m, v* and the least loss.
    weights : array_like, shape (..., D)
        The start; kept as `start`.
    gamma, eta : float, default 1
        γ and the learning rate of all weights, greater than 0.

    Raises
    ------
    TypeError, ValueError
        If a parameter is not of its kind, shapes do not fit, the matrix is not symmetric, or (in
        the methods) a time is negative or not a number.

    Notes
    -----
    Every method takes times of any shape, infinity included, and answers with an array of shape
    `shape` + `t.shape` (and the number of weights after that); `flow.at(t)` is the state with
    everything in it.

    Frozen are the components with λᵢ = 0, the ratio of two with one eigenvalue, and of any two
    others λⱼ ln|cᵢ| − λᵢ ln|cⱼ|, which for λⱼ = −λᵢ is the logarithm of their product.

    v grows with θ. If W(0) has components with λᵢ > 0 only, v stays above 0, with λᵢ < 0 only,
    below; a target out of reach makes v(∞) = 0, and weights of a form that is 0 stay.

    The observation is Theorem 4 of L. Ziyin, Y. Xu, T. Poggio & I. Chuang, "Neural Quadratic Forms"
    (2026).

    Examples
    --------
    >>> from flbook import QuadraticFlow, Task
    >>> flow = QuadraticFlow([[1.0, 0.0], [0.0, -2.0]], Task(1.0, 1.0, 1.0), [0.5, 0.5])
    >>> now = flow.at([0.0, 1.0, float("inf")])
    >>> print(now.slope.round(6), now.kernel.round(6))
    [-0.25      0.968889  1.      ] [5.       4.250458 4.353827]
    """

    matrix: FloatArray
    task: Task
    start: FloatArray
    gamma: float
    eta: float

    def __init__(
        self,
        matrix: ArrayLike,
        task: Task,
        weights: ArrayLike,
        gamma: float = 1.0,
        eta: float = 1.0,
    ) -> None:
        instance("task", task, Task)
        form, start = np.asarray(real("matrix", matrix)), np.asarray(real("weights", weights))
        if form.ndim != 2 or form.shape[0] != form.shape[1] or form.size == 0:
            raise ValueError(f"matrix must have shape (D, D), got {form.shape}")
        if np.abs(form - form.T).max() > ROUNDING * np.abs(form).max():
            raise ValueError("matrix must be symmetric, got one that differs from its transpose")
        if start.ndim == 0 or start.shape[-1] != len(form):
            raise ValueError(f"weights must have shape (..., {len(form)}), got {start.shape}")
        for name, value in (
            ("matrix", form),
            ("task", task),
            ("start", start),
            ("gamma", one_real("gamma", gamma, above=0)),
            ("eta", one_real("eta", eta, above=0)),
        ):
            object.__setattr__(self, name, value)
        _ = self.shape

    @cached_property
    def shape(self) -> tuple[int, ...]:
        """The shape that task and weights broadcast to."""
        return broadcast_shape(task=self.task.shape, weights=self.start.shape[:-1])

    @cached_property
    def _form(self) -> Form:
        return Form(self.matrix, self.task, self.start, self.shape, self.gamma, self.eta)

    def at(self, t: ArrayLike) -> QuadraticState:
        """Return the state at t, computed once; its arrays have shape `shape` + `t.shape`."""
        t = times(t)
        points, back = np.unique(t, return_inverse=True)
        finite = points[np.isfinite(points)]
        clock = self._form.walk(finite)
        if finite.size < points.size:
            clock = np.column_stack([clock, self._form.end])
        clock = clock[:, back.reshape(-1)]
        return QuadraticState(self._form, t[()], clock, self.shape + t.shape)

    def slope(self, t: ArrayLike) -> FloatArray:
        """Return v(t)."""
        return self.at(t).slope

    def residual(self, t: ArrayLike) -> FloatArray:
        """Return v(t) − v*."""
        return self.at(t).residual

    def loss(self, t: ArrayLike) -> FloatArray:
        """Return L(t) = ½E[(f − y)²]."""
        return self.at(t).loss

    def kernel(self, t: ArrayLike) -> FloatArray:
        """Return K(t) = 4ηγ²|AW|², the tangent kernel at unit inputs."""
        return self.at(t).kernel

    def clock(self, t: ArrayLike) -> FloatArray:
        """Return θ(t), how far along the path the weights are."""
        return self.at(t).clock

    def weights(self, t: ArrayLike) -> FloatArray:
        """Return W(t), of shape `shape` + `t.shape` + (D,)."""
        return self.at(t).weights


class QuadraticState:
    """A quadratic form in training at times t; every array has shape `shape` + `t.shape`.

    Attributes
    ----------
    t : array
        The times.
    slope, residual, loss, kernel, clock, weights
        As the methods of `QuadraticFlow` of these names return them.

    Examples
    --------
    >>> from flbook import QuadraticFlow, Task
    >>> end = QuadraticFlow([[1.0]], Task(1.0, 4.0, 16.0), [0.5]).at(float("inf"))
    >>> print(end.slope.round(12), end.weights.round(12), end.kernel.round(12))
    4.0 [2.] 16.0
    """

    def __init__(
        self, form: Form, t: FloatArray, clock: FloatArray, shape: tuple[int, ...]
    ) -> None:
        self.t, self._form, self._clock, self._shape = t, form, clock, shape

    def _shaped(self, value: FloatArray) -> FloatArray:
        return value.reshape(self._shape)[()]

    @property
    def clock(self) -> FloatArray:
        """Θ."""
        return self._shaped(self._clock)

    @cached_property
    def _slope(self) -> FloatArray:
        return self._form.slope(self._clock)

    @property
    def slope(self) -> FloatArray:
        """V."""
        return self._shaped(self._slope)

    @cached_property
    def _residual(self) -> FloatArray:
        return self._slope - self._form.target[:, None]

    @property
    def residual(self) -> FloatArray:
        """V − v*."""
        return self._shaped(self._residual)

    @property
    def loss(self) -> FloatArray:
        """½E[(f − y)²]."""
        form = self._form
        error = self._residual
        return self._shaped(form.m[:, None] * error * error / 2 + form.floor[:, None])

    @cached_property
    def kernel(self) -> FloatArray:
        """4ηγ²|AW|²."""
        return self._shaped(self._form.kernel(self._clock))

    @cached_property
    def weights(self) -> FloatArray:
        """W; one more axis, of the weights."""
        form = self._form
        weights = (form.parts * np.exp(form.powers(self._clock))) @ form.vectors.T
        return weights.reshape(*self._shape, len(form.vectors))

"""The matrix equation dQ/dt = FQ − ½QQᵀQ of balanced layers, solved up to rotations of Q.

F = [[−λ/2, Σᵀ], [Σ, λ/2]] has the eigenvalues ±√(λ²/4 + σ²) for each singular value σ of Σ, and
∓λ/2 for what is left of the inputs and outputs. With N = I + Q₀ᵀ∫e^{2Fs}ds Q₀ the solution is
QQᵀ = e^{Ft}Q₀ N⁻¹ Q₀ᵀe^{Ft}, so Q = e^{Ft}Q₀R⁻¹ for RᵀR = N, up to a rotation of its columns.
"""

from __future__ import annotations

import numpy as np
from scipy.linalg import qr, solve_triangular

from flbook._support.arrays import FloatArray

__all__ = ["MatrixRiccati"]

# The largest power of e in one step, and how many such steps are taken before they grow.
LONGEST, EXACT = 300.0, 32
# Many times the slowest rate: nothing moves any more.
FOR_EVER = 3000.0


class MatrixRiccati:
    """The equation with its start, in the eigenvectors of F.

    Parameters
    ----------
    inner : array, shape (width, inputs)
        W₁.
    outer : array, shape (outputs, width)
        W₂.
    target : array, shape (outputs, inputs)
        Σ.
    balance : float
        λ.
    """

    def __init__(
        self, inner: FloatArray, outer: FloatArray, target: FloatArray, balance: float
    ) -> None:
        left, values, right = np.linalg.svd(target)
        outputs, inputs = target.shape
        k = values.size
        root = np.hypot(balance / 2, values)
        larger = root + abs(balance) / 2
        smaller = values * np.divide(values, larger, out=np.zeros(k), where=larger > 0)
        big = np.sqrt(np.divide(larger, 2 * root, out=np.ones(k), where=root > 0))
        small = np.sqrt(np.divide(smaller, 2 * root, out=np.zeros(k), where=root > 0))
        to_outer, to_inner = (big, small) if balance >= 0 else (small, big)
        self._basis = np.zeros((inputs + outputs, inputs + outputs))
        v, u = right[:k].T, left[:, :k]
        self._basis[:inputs, :k], self._basis[inputs:, :k] = v * to_inner, u * to_outer
        self._basis[:inputs, k : 2 * k], self._basis[inputs:, k : 2 * k] = (
            v * to_outer,
            -u * to_inner,
        )
        self._basis[:inputs, 2 * k : k + inputs] = right[k:].T
        self._basis[inputs:, k + inputs :] = left[:, k:]
        rest = np.full(inputs - k, -balance / 2), np.full(outputs - k, balance / 2)
        self._rates = np.concatenate((root, -root, *rest))
        self._base = abs(balance) / 2
        # what grows beyond the base; for the modes that do, without cancellation
        self._gains = np.concatenate((smaller, -root - self._base, *(r - self._base for r in rest)))
        self._start = self._basis.T @ np.vstack((inner.T, outer))

    def after(self, t: FloatArray) -> FloatArray:
        """Return a Q at the times t, of shape `t.shape` + (inputs + outputs, width)."""
        states = [self._basis @ self._travel(float(time)) for time in t.ravel()]
        shape = (*t.shape, *self._start.shape)
        return np.array(states).reshape(shape)

    def _travel(self, t: float) -> FloatArray:
        """Take steps in which no two modes grow apart by more than e^300.

        From some step on they are longer, and growth is cut off at e^300 each: by then what has
        grown faster than that has long taken the place that it will keep.
        """
        state = self._start
        growing = self._gains[self._gains > 0]
        step = LONGEST / growing.max() if growing.size else np.inf
        if np.isinf(t):
            slowest = np.concatenate((growing, [self._base] * (self._base > 0)))
            if not slowest.size:
                return np.zeros_like(state)
            t = FOR_EVER / slowest.min()
        taken = 0
        while t > 0:
            state = self._step(state, min(step, t))
            t -= min(step, t)
            taken += 1
            step *= 1 if taken < EXACT else 2
        return state

    def _step(self, state: FloatArray, t: float) -> FloatArray:
        gain = np.exp(np.minimum(self._gains * t, LONGEST))
        size = np.abs(self._rates)
        with np.errstate(over="ignore"):
            run = np.divide(
                -np.expm1(-2 * size * t), 2 * size, out=np.full(size.shape, t), where=size > 0
            )
        unit = np.exp(-self._base * t)
        weight = np.sqrt(run) * np.where(self._rates > 0, gain, unit)
        rows = np.vstack((weight[:, None] * state, unit * np.eye(state.shape[1])))
        sizes = np.linalg.norm(rows, axis=1)
        order = np.argsort(-sizes)
        factor, upper, pivots = qr(rows[order], mode="economic", pivoting=True)  # type: ignore[misc]
        # small rows by R⁻¹, to relative precision; of large ones that would cancel
        new = solve_triangular(upper, (gain[:, None] * state)[:, pivots].T, trans=1).T
        place = np.argsort(order)[: gain.size]
        large = sizes[: gain.size] > unit
        new[large] = (gain[large] / weight[large])[:, None] * factor[place[large]]
        return new

"""Balanced layers to train, and their training weight by weight."""

from __future__ import annotations

import mpmath
import numpy as np
from scipy.integrate import solve_ivp


def columns(random: np.random.Generator, rows: int, count: int) -> np.ndarray:
    """Draw `count` orthonormal vectors with that many rows."""
    return np.linalg.qr(random.normal(size=(rows, count)))[0]


def balanced(random, shape, balance=0.0, scale=1.0) -> tuple[np.ndarray, np.ndarray]:
    """Draw W1 (width, inputs), W2 (outputs, width) with W2ᵀW2 − W1W1ᵀ = balance·I.

    `shape` is (inputs, width, outputs); a positive balance needs outputs ≥ width, a negative one
    inputs ≥ width.
    """
    inputs, width, outputs = shape
    if balance == 0:
        rank = min(shape)
        turn, sizes = columns(random, width, rank), scale * random.normal(size=rank)
        first, last = columns(random, inputs, rank), columns(random, outputs, rank)
        return turn * sizes @ first.T, last * sizes @ turn.T
    if balance < 0:
        outer, inner = balanced(random, shape[::-1], -balance, scale)
        return inner.T, outer.T
    inner = scale * random.normal(size=(width, inputs))
    values, vectors = np.linalg.eigh(inner @ inner.T)
    sizes = np.sqrt(np.maximum(values, 0) + balance)
    return inner, columns(random, outputs, width) * sizes @ vectors.T


def train(inner, outer, target, eta, t, rtol=1e-12, atol=1e-14):
    """Integrate every weight; return W1 and W2 at the increasing times t."""
    width, inputs = inner.shape

    def split(weights):
        cut = width * inputs
        return weights[:cut].reshape(inner.shape), weights[cut:].reshape(outer.shape)

    def velocity(_, weights):
        first, last = split(weights)
        residual = last @ first - target
        return -eta * np.concatenate([(last.T @ residual).ravel(), (residual @ first.T).ravel()])

    start = np.concatenate([inner.ravel(), outer.ravel()])
    run = solve_ivp(velocity, (0, t[-1]), start, "DOP853", t_eval=t, rtol=rtol, atol=atol)
    pairs = [split(weights) for weights in run.y.T]
    return np.array([p[0] for p in pairs]), np.array([p[1] for p in pairs])


def many_digits(inner, outer, target, balance, t) -> np.ndarray:
    """Return QQᵀ of Q = (W1ᵀ; W2) at time t, rate 1, by the Riccati formula in 60 digits."""
    below, above = -balance / 2 * np.eye(inner.shape[1]), balance / 2 * np.eye(len(target))
    blocks = [[below, target.T], [target, above]]
    with mpmath.workdps(60):
        rates, vectors = mpmath.eigsy(mpmath.matrix(np.block(blocks).tolist()))
        start = vectors.T * mpmath.matrix(np.vstack([inner.T, outer]).tolist())
        small = mpmath.mpf(10) ** -40
        run = [mpmath.expm1(2 * x * t) / (2 * x) if abs(x) > small else t for x in rates]
        whole = mpmath.eye(len(inner)) + start.T * mpmath.diag(run) * start
        grown = vectors * mpmath.diag([mpmath.exp(x * t) for x in rates]) * start
        product = grown * whole**-1 * grown.T
        return np.array(product.tolist(), dtype=np.float64)

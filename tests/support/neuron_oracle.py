"""One neuron in many digits, by hyperbolic functions and with nothing arranged for doubles.

At unit rates (a/√η_a, w/√η_w, time η_a η_w t, target β/√(η_a η_w)) the vector Q = (w, a) is
e^{Ft}Q(0)/√N with N = 1 + ∫|e^{Fs}Q(0)|²ds. In the plane of β and a,
e^{Ft} = cosh ρt + F sinh ρt/ρ.
"""

from __future__ import annotations

import mpmath
import numpy as np
from mpmath import mpf

DIGITS = 60


def _grown(x: mpf, t: mpf) -> mpf:
    """Return ∫₀ᵗ e^{xs} ds."""
    return mpmath.expm1(x * t) / x if x else t


def _needed(point: tuple, t: float) -> int:
    a, w, target, eta_a, eta_w = point
    rate = float(np.hypot(eta_w * a * a - eta_a * np.dot(w, w), 2 * np.dot(target, target) ** 0.5))
    rate = max(rate, eta_a * eta_w * rate, np.sqrt(eta_a * eta_w) * rate)
    return DIGITS + int(min(rate * t, 4000))


def solve(a, w, target, eta_a, eta_w, t) -> dict[str, list[mpf]]:
    """Return the state at a finite time t, rates above 0, each quantity as a flat list."""
    with mpmath.workdps(_needed((a, w, target, eta_a, eta_w), t)):
        return _solve(*(_exact(x) for x in (a, w, target, eta_a, eta_w, t)))


def _exact(x):
    return [mpf(float(v)) for v in x] if np.ndim(x) else mpf(float(x))


def _solve(a, w, target, eta_a, eta_w, t):
    root_a, root_w = mpmath.sqrt(eta_a), mpmath.sqrt(eta_w)
    eta, clock = root_a * root_w, eta_a * eta_w * t
    beta = mpmath.sqrt(mpmath.fsum(b * b for b in target))
    unit = [b / beta if beta else mpf(0) for b in target]
    along = mpmath.fdot(w, unit)
    across = [v - along * n for v, n in zip(w, unit, strict=True)]
    side2 = mpmath.fsum(v * v for v in across)
    x, y, g = along / root_w, a / root_a, beta / eta
    delta = y * y - x * x - side2 / eta_w
    rho = mpmath.sqrt(delta * delta / 4 + g * g)
    push_x, push_y = -delta / 2 * x + g * y, g * x + delta / 2 * y
    if rho:
        cosh, sinh = mpmath.cosh(rho * clock), mpmath.sinh(rho * clock) / rho
        # |e^{Fs}Q|² = |Q|²cosh² + 2 Q·FQ cosh·sinh/ρ + |FQ|²sinh²/ρ², and |FQ|² = ρ²|Q|²
        even = mpmath.sinh(2 * rho * clock) / (2 * rho)
        odd = (mpmath.cosh(2 * rho * clock) - 1) / (2 * rho * rho)
    else:
        cosh, sinh, even, odd = mpf(1), clock, clock, clock * clock
    grown = (x * x + y * y) * even + (x * push_x + y * push_y) * odd
    whole = mpmath.sqrt(1 + grown + side2 / eta_w * _grown(-delta, clock))
    new_a = root_a * (y * cosh + push_y * sinh) / whole
    new_along = root_w * (x * cosh + push_x * sinh) / whole
    kept = mpmath.exp(-delta / 2 * clock) / whole
    new_w = [new_along * n + kept * v for n, v in zip(unit, across, strict=True)]
    residual = [new_a * v - b for v, b in zip(new_w, target, strict=True)]
    kernel, before = (
        [
            eta_w * p * p * (i == k) + eta_a * q[i] * q[k]
            for i in range(len(q))
            for k in range(len(q))
        ]
        for p, q in ((new_a, new_w), (a, w))
    )
    square = [mpmath.fdot(kernel, kernel), mpmath.fdot(before, before)]
    lengths = mpmath.sqrt(square[0] * square[1])
    return {
        "a": [new_a],
        "w": new_w,
        "slope": [new_a * v for v in new_w],
        "residual": residual,
        "loss": [mpmath.fdot(residual, residual) / 2],
        "kernel": kernel,
        "kernel_size": [eta_w * new_a**2 + eta_a * mpmath.fdot(new_w, new_w)],
        "kernel_rotation": [1 - mpmath.fdot(kernel, before) / lengths if lengths else mpf(0)],
    }


def distance(got, wanted: list[mpf]) -> mpf:
    """Return the length of the difference between an array of doubles and a list of numbers."""
    flat = np.asarray(got).ravel().tolist()
    return mpmath.sqrt(mpmath.fsum((mpf(x) - y) ** 2 for x, y in zip(flat, wanted, strict=True)))


def size(wanted: list[mpf]) -> mpf:
    return mpmath.sqrt(mpmath.fsum(y * y for y in wanted))

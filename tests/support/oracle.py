"""The solution in 80-digit arithmetic, straight from the two modes p and q of the raw theory.

With U = u/√η_u, W = w/√η_w, p = (U + W)/√2 and q = (U − W)/√2, gradient flow is p = p(0)√ξ,
q = q(0)/√ξ with the Riccati equation dξ/dt = −A(Pξ² − Q) + 2Bξ, A = γ²mη², B = γcη. One gradient
step is p ← (1 − ε)p, q ← (1 + ε)q. Nothing here is arranged for floating point: 80 digits forgive.
Learning rates are greater than 0, and mpmath takes the place of numpy throughout.
"""

from __future__ import annotations

from typing import NamedTuple

import mpmath
from mpmath import mpf

DIGITS = 80
METHODS = (
    "slope",
    "residual",
    "loss",
    "kernel",
    "alignment",
    "kernel_alignment",
    "imbalance",
    "determinant",
)
GRAM = ("uu", "uw", "ww")
DESCENT_QUANTITIES = (*METHODS, *GRAM)
QUANTITIES = (
    *DESCENT_QUANTITIES,
    "lazy_slope",
    "lazy_residual",
    "lazy_loss",
    "rate",
    "kernel_floor",
)


class Point(NamedTuple):
    """One network, task, start and time, as doubles."""

    gamma: float
    eta_u: float
    eta_w: float
    m: float
    c: float
    label: float
    uu: float
    uw: float
    ww: float
    t: float


class Modes(NamedTuple):
    """P = |p|², Q = |q|², C = p·q and the plain start."""

    P: mpf
    Q: mpf
    C: mpf
    D: mpf
    eta: mpf
    gamma: mpf
    eta_u: mpf
    eta_w: mpf
    m: mpf
    c: mpf
    label: mpf


def modes(x: Point) -> Modes:
    gamma, eta_u, eta_w, m, c, label, uu, uw, ww, _ = map(mpf, x)
    D = uu * ww - uw * uw
    if D < 0:  # rounding of a matrix that has determinant 0
        uw, D = mpmath.sign(uw) * mpmath.sqrt(uu * ww), mpf(0)
    eta = mpmath.sqrt(eta_u * eta_w)
    UU, UW, WW = uu / eta_u, uw / eta, ww / eta_w
    C = (UU - WW) / 2
    larger = (UU + WW) / 2 + abs(UW)
    smaller = (C * C + D / eta**2) / larger if larger else mpf(0)
    P, Q = (larger, smaller) if uw >= 0 else (smaller, larger)
    return Modes(P, Q, C, D, eta, gamma, eta_u, eta_w, m, c, label)


def _measure(x: Modes, P: mpf, Q: mpf, C: mpf, D: mpf) -> dict[str, mpf]:
    """Measure the state with these squared norms."""
    uu = x.eta_u / 2 * (P + Q + 2 * C)
    ww = x.eta_w / 2 * (P + Q - 2 * C)
    uw = x.eta / 2 * (P - Q)
    slope = x.gamma * uw
    target = x.c / x.m
    kernel = x.gamma**2 * x.eta**2 * (P + Q)
    product = mpmath.sqrt(uw * uw + D)
    return {
        "slope": slope,
        "residual": slope - target,
        "loss": (x.m * slope * slope - 2 * x.c * slope + x.label) / 2,
        "kernel": kernel,
        "alignment": uw / product if product else mpf(0),
        "kernel_alignment": 2 * x.gamma * x.eta * slope / kernel if kernel else mpf(0),
        "imbalance": 2 * x.eta**2 * C,
        "determinant": D,
        "uu": uu,
        "uw": uw,
        "ww": ww,
    }


def _needed_digits(x: Point) -> int:
    """Return enough digits for the difference v − v* at time t, as 2Rt = mK(∞)t is lost of them."""
    with mpmath.workdps(30):
        n = modes(x)
        A, B = n.gamma**2 * n.m * n.eta**2, n.gamma * n.c * n.eta
        lost = 2 * mpmath.sqrt(B * B + A * A * n.P * n.Q) * mpf(x.t) / mpmath.log(10)
        return DIGITS + 60 + int(min(lost, mpf(1000)))


def flow(x: Point) -> dict[str, mpf]:
    """Return all quantities of gradient flow and of the frozen kernel at x.t."""
    with mpmath.workdps(_needed_digits(x)):
        n = modes(x)
        t = mpf(x.t)
        A, B = n.gamma**2 * n.m * n.eta**2, n.gamma * n.c * n.eta
        R = mpmath.sqrt(B * B + A * A * n.P * n.Q)
        E = mpmath.exp(-2 * R * t)
        top = (R + B + A * n.Q) + E * (R - B - A * n.Q)
        bottom = (R - B + A * n.P) + E * (R + B - A * n.P)
        xi = top / bottom
        answer = _measure(n, n.P * xi, n.Q / xi, n.C, n.D)
        target = n.c / n.m
        start = n.gamma * n.eta / 2 * (n.P - n.Q)
        decay = mpmath.exp(-n.m * n.gamma**2 * n.eta**2 * (n.P + n.Q) * t)
        lazy = (start - target) * decay
        floor = 2 * n.gamma**2 * n.eta**2 * mpmath.sqrt(n.P * n.Q)
        answer |= {
            "lazy_slope": target + lazy,
            "lazy_residual": lazy,
            "lazy_loss": (n.m * lazy * lazy + n.label - n.c * n.c / n.m) / 2,
            "rate": 2 * R,
            "kernel_floor": floor,
        }
        return answer


def descent(x: Point) -> dict[str, mpf]:
    """Return all quantities after x.t gradient steps."""
    with mpmath.workdps(2 * DIGITS):
        n = modes(x)
        P, Q, C, D = n.P, n.Q, n.C, n.D
        for _ in range(int(x.t)):
            slope = n.gamma * n.eta / 2 * (P - Q)
            turn = n.gamma * n.eta * (n.m * slope - n.c)
            P, Q = (1 - turn) ** 2 * P, (1 + turn) ** 2 * Q
            C, D = (1 - turn * turn) * C, (1 - turn * turn) ** 2 * D
        return _measure(n, P, Q, C, D)

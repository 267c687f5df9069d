"""Differences of products without cancellation.

The frozen numbers of the dynamics are differences of products. Rounding the products first would
lose every digit that they share, so each product is kept together with its rounding error
(T. J. Dekker, "A floating-point technique for extending the available precision", 1971).
"""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["difference_of_products", "gram_determinant", "two_product", "two_sum"]

_SPLITTER = 2.0**27 + 1.0


def two_sum(a: Any, b: Any) -> tuple[Any, Any]:
    """Return `s`, `r` with `s` = fl(a + b) and `s + r` = a + b exactly.

    Examples
    --------
    >>> two_sum(1.0, 2.0**-60)
    (1.0, 8.673617379884035e-19)
    """
    s = a + b
    part = s - a
    return s, (a - (s - part)) + (b - part)


def _split(a: Any) -> tuple[Any, Any]:
    """Split `a` into a high and a low half of 26 bits each."""
    scaled = _SPLITTER * a
    high = scaled - (scaled - a)
    return high, a - high


def two_product(a: Any, b: Any) -> tuple[Any, Any]:
    """Return `p`, `r` with `p` = fl(a·b) and `p + r` = a·b exactly.

    Exact while the product stays between 1e-290 and 1e300.

    Examples
    --------
    >>> two_product(1.0 + 2.0**-30, 1.0 - 2.0**-30)
    (1.0, -8.673617379884035e-19)
    """
    p = a * b
    a_high, a_low = _split(a)
    b_high, b_low = _split(b)
    r = ((a_high * b_high - p) + a_high * b_low + a_low * b_high) + a_low * b_low
    return p, r


def difference_of_products(a: Any, b: Any, c: Any, d: Any) -> Any:
    """Return a·b − c·d, within about two units in the last place of the exact difference.

    Examples
    --------
    >>> difference_of_products(1.0 + 2.0**-30, 1.0 - 2.0**-30, 1.0, 1.0)
    -8.673617379884035e-19
    """
    p, p_rest = two_product(a, b)
    q, q_rest = two_product(c, d)
    return (p - q) + (p_rest - q_rest)


def gram_determinant(uu: Any, uw: Any, ww: Any) -> tuple[Any, Any]:
    """Return D = uu·ww − uw² and √D to full relative precision.

    A negative difference can only be rounding of a legal Gram matrix and counts as 0. Powers of two
    are taken out first, so √D neither overflows nor underflows where D would.

    Examples
    --------
    >>> D, root = gram_determinant(1e-200, 0.0, 4e-200)
    >>> print(float(D), float(root))
    0.0 2e-200
    """
    uu_part, uu_power = np.frexp(uu)
    ww_part, ww_power = np.frexp(ww)
    half = (uu_power + ww_power) // 2
    ww_part = np.ldexp(ww_part, uu_power + ww_power - 2 * half)
    uw_part = np.ldexp(uw, -half)
    scaled = np.maximum(difference_of_products(uu_part, ww_part, uw_part, uw_part), 0.0)
    return np.ldexp(scaled, 2 * half), np.ldexp(np.sqrt(scaled), half)

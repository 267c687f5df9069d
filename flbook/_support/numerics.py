"""Quotients, lengths and sums that stay right at the edges: zero denominators, cancelling terms."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from flbook._support.arrays import FloatArray

__all__ = ["bisect", "choose", "cosine", "least_cancelled", "length", "norm", "ratio"]

SMALLEST = np.finfo(np.float64).smallest_subnormal


def choose(condition: Any, yes: Any, no: Any) -> Any:
    """Return `yes` where the condition holds, else `no`; fast for a single condition.

    Examples
    --------
    >>> choose(np.bool_(True), 1.0, 2.0)
    1.0
    """
    if np.ndim(condition):
        return np.where(condition, yes, no)
    return yes if condition else no


def ratio(numerator: Any, denominator: Any, otherwise: Any) -> FloatArray:
    """Return numerator/denominator, and `otherwise` where the denominator is not above 0.

    Examples
    --------
    >>> print(ratio(1.0, np.array([2.0, 0.0]), np.inf))
    [0.5 inf]
    """
    sound = np.greater(denominator, 0)
    if sound.all():
        return numerator / denominator
    return np.where(sound, numerator / np.where(sound, denominator, 1.0), otherwise)[()]


def length(x: Any, y: Any) -> FloatArray:
    """Return √(x² + y²), good to two units in the last place and faster than `numpy.hypot`.

    Examples
    --------
    >>> print(length(np.array([0.0, 3e200]), np.array([2.0, 4e200])))
    [2.e+000 5.e+200]
    """
    x, y = np.abs(x), np.abs(y)
    larger = np.maximum(x, y)
    part = np.minimum(x, y) / np.maximum(larger, SMALLEST)
    return larger * np.sqrt(1 + part * part)


def norm(vectors: Any) -> FloatArray:
    """Return the Euclidean norm over the last axis, where the squares leave the doubles too.

    Examples
    --------
    >>> print(norm(np.array([3e-200, 4e-200])))
    5e-200
    """
    largest = np.max(np.abs(vectors), axis=-1, keepdims=True)
    scaled = vectors / np.maximum(largest, SMALLEST)
    return largest[..., 0] * np.sqrt(np.sum(scaled * scaled, axis=-1))


def cosine(along: Any, across: Any, at_zero: Any) -> FloatArray:
    """Return along/√(along² + across²), and `at_zero` where both are 0.

    Examples
    --------
    >>> print(cosine(np.array([3.0, 0.0]), np.array([4.0, 0.0]), 1.0))
    [0.6 1. ]
    """
    return ratio(along, length(along, across), at_zero)


def least_cancelled(*ways: tuple[Any, Any]) -> FloatArray:
    """Return the number that was made of the smallest terms.

    Parameters
    ----------
    *ways : tuple of value, size
        Several ways to make one number as a sum, with the size of the terms. An earlier way is left
        for a later one only if that has terms of less than half the size.

    Examples
    --------
    >>> cancelled, good = (np.float64(0.0), np.float64(2.0)), (np.float64(1e-20), np.float64(1e-20))
    >>> print(least_cancelled(cancelled, good))
    1e-20
    """
    best, least = ways[0]
    for value, size in ways[1:]:
        better = np.less(size, least / 2)
        best, least = choose(better, value, best), choose(better, size, least)
    return best


def bisect(
    low: FloatArray, high: FloatArray, onward: Callable[[FloatArray], Any]
) -> tuple[FloatArray, FloatArray]:
    """Return neighbouring doubles, from `low` to `high`, between which `onward` turns false.

    Examples
    --------
    >>> below, above = bisect(np.zeros(1), np.full(1, 2.0), lambda x: x * x < 2)
    >>> print(above, above > below)
    [1.41421356] [ True]
    """
    while True:
        middle = low + (high - low) / 2
        if ((middle == low) | (middle == high)).all():
            return low, high
        farther = onward(middle)
        low, high = np.where(farther, middle, low), np.where(farther, high, middle)

"""Validation of arguments: every refusal names the argument, what it got and what it wants."""

from __future__ import annotations

import numbers
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from flbook._support.arrays import FloatArray, Real

__all__ = [
    "LARGEST_WHOLE",
    "instance",
    "one_of",
    "one_real",
    "one_whole",
    "real",
    "refuse_where",
    "single",
    "step_counts",
    "times",
    "whole",
]

# Above this a float no longer tells one whole number from the next.
LARGEST_WHOLE = 2**53


def refuse_where(bad: Any, name: str, value: ArrayLike, wanted: str) -> None:
    """Raise ValueError "`name` must be `wanted`, got ..." for the first entry marked in `bad`.

    Examples
    --------
    >>> refuse_where([False, True], "t", [1.0, -1.0], "at least 0")
    Traceback (most recent call last):
        ...
    ValueError: t must be at least 0, got -1.0 at index 1
    """
    bad = np.asarray(bad)
    if not bad.any():
        return
    index = tuple(int(i) for i in np.argwhere(bad)[0])
    got = f"{np.asarray(value)[index].item()!r}"
    if index:
        got += f" at index {index[0] if len(index) == 1 else index}"
    raise ValueError(f"{name} must be {wanted}, got {got}")


def _numbers(name: str, value: Any) -> np.ndarray:
    """Return `value` as an array of integers or floats, or raise TypeError."""
    if isinstance(value, numbers.Real) and not isinstance(value, (bool, np.bool_)):
        return np.asarray(float(value)) if not isinstance(value, int) else _from_int(name, value)
    try:
        array = np.asarray(value)
    except ValueError:
        array = np.asarray(None)
    if array.dtype.kind not in "iuf":
        raise TypeError(f"{name} must be a real number or an array of them, got {value!r}")
    return array


def _from_int(name: str, value: int) -> np.ndarray:
    try:
        return np.asarray(float(value))
    except OverflowError:
        raise ValueError(f"{name} must fit in a double, got {value!r}") from None


def _frozen(array: np.ndarray) -> Real:
    """Turn an array without dimensions into a float, any other into a read-only copy."""
    if array.ndim == 0:
        return float(array)
    copy = np.array(array, dtype=np.float64)
    copy.flags.writeable = False
    return copy


def real(
    name: str,
    value: ArrayLike,
    *,
    above: float | None = None,
    at_least: float | None = None,
) -> Real:
    """Return `value` as a float or a read-only float64 array, all of it finite and in bounds.

    Examples
    --------
    >>> real("gamma", 2)
    2.0
    >>> real("sigma_u", -1, at_least=0)
    Traceback (most recent call last):
        ...
    ValueError: sigma_u must be finite and at least 0, got -1.0
    """
    array = _numbers(name, value).astype(np.float64, copy=False)
    wanted = "finite"
    bad = ~np.isfinite(array)
    if above is not None:
        wanted += f" and greater than {above:g}"
        bad |= ~(array > above)
    if at_least is not None:
        wanted += f" and at least {at_least:g}"
        bad |= ~(array >= at_least)
    refuse_where(bad, name, array, wanted)
    return _frozen(array)


def whole(name: str, value: ArrayLike, *, at_least: int) -> int | NDArray[np.int64]:
    """Return `value` as an int or a read-only int64 array; floats must be whole numbers.

    Examples
    --------
    >>> whole("width", 1e12, at_least=1)
    1000000000000
    >>> whole("width", 1.5, at_least=1)
    Traceback (most recent call last):
        ...
    ValueError: width must be a whole number from 1 to 2**53, got 1.5
    """
    array = _numbers(name, value).astype(np.float64, copy=False)
    legal = (array >= at_least) & (array <= LARGEST_WHOLE) & (np.floor(array) == array)
    refuse_where(~legal, name, array, f"a whole number from {at_least} to 2**53")
    if array.ndim == 0:
        return int(array)
    copy = array.astype(np.int64)
    copy.flags.writeable = False
    return copy


def one_real(
    name: str, value: Any, *, above: float | None = None, at_least: float | None = None
) -> float:
    """Return `value` as one finite float.

    Examples
    --------
    >>> one_real("tolerance", [0.1, 0.2], above=0)
    Traceback (most recent call last):
        ...
    TypeError: tolerance must be one real number, got [0.1, 0.2]
    """
    number = real(name, value, above=above, at_least=at_least)
    if not isinstance(number, float):
        raise TypeError(f"{name} must be one real number, got {value!r}")
    return number


def one_whole(name: str, value: Any, *, at_least: int = 1) -> int:
    """Return `value` as one int; a float must be a whole number.

    Examples
    --------
    >>> one_whole("size", 0)
    Traceback (most recent call last):
        ...
    ValueError: size must be a whole number from 1 to 2**53, got 0.0
    """
    number = whole(name, value, at_least=at_least)
    if not isinstance(number, int):
        raise TypeError(f"{name} must be one whole number, got {value!r}")
    return number


def times(t: ArrayLike) -> FloatArray:
    """Return `t` as a float64 array of times: 0 ≤ t ≤ ∞.

    Examples
    --------
    >>> times([0, float("inf")])
    array([ 0., inf])
    """
    array = _numbers("t", t).astype(np.float64, copy=False)
    refuse_where(~(array >= 0), "t", array, "a time of at least 0 (infinity allowed)")
    return array


def step_counts(t: ArrayLike) -> FloatArray:
    """Return `t` as a float64 array of step counts: 0, 1, 2, … or ∞.

    Examples
    --------
    >>> step_counts(2.5)
    Traceback (most recent call last):
        ...
    ValueError: t must be a whole number of steps from 0 to 2**53, or infinity, got 2.5
    """
    array = _numbers("t", t).astype(np.float64, copy=False)
    whole_number = (array >= 0) & (array <= LARGEST_WHOLE) & (np.floor(array) == array)
    legal = whole_number | (array == np.inf)
    refuse_where(~legal, "t", array, "a whole number of steps from 0 to 2**53, or infinity")
    return array


def instance(name: str, value: Any, kind: type) -> None:
    """Raise TypeError unless `value` is an instance of `kind`.

    Examples
    --------
    >>> instance("task", 1.0, str)
    Traceback (most recent call last):
        ...
    TypeError: task must be a str, got 1.0
    """
    if not isinstance(value, kind):
        article = "an" if kind.__name__[0] in "AEIOUaeiou" else "a"
        raise TypeError(f"{name} must be {article} {kind.__name__}, got {value!r}")


def one_of(name: str, value: Any, choices: Iterable[str]) -> str:
    """Return `value`, or raise ValueError if it is not one of `choices`.

    Examples
    --------
    >>> one_of("axis", "z", ("x", "y"))
    Traceback (most recent call last):
        ...
    ValueError: axis must be one of 'x', 'y', got 'z'
    """
    choices = list(choices)
    if value not in choices:
        raise ValueError(f"{name} must be one of {', '.join(map(repr, choices))}, got {value!r}")
    return value


def single(name: str, value: Any, kind: type, wanted: str = "a single one") -> None:
    """Raise TypeError unless `value` is a `kind`, ValueError unless its shape is ().

    Examples
    --------
    >>> from flbook import Network
    >>> single("network", Network([2, 3]), Network)
    Traceback (most recent call last):
        ...
    ValueError: network must be a single one, got shape (2,)
    """
    instance(name, value, kind)
    if value.shape != ():
        raise ValueError(f"{name} must be {wanted}, got shape {value.shape}")

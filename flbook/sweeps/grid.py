"""The points at which an experiment is run."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from typing import Any

import numpy as np

__all__ = ["Grid", "Point", "plain"]

Point = dict[str, Any]


def plain(name: str, value: Any) -> Any:
    """Return `value` in the types of JSON, numbers of numpy and JAX included, or raise TypeError.

    Examples
    --------
    >>> plain("scale", np.float64(0.1)), plain("sizes", (64, np.int64(10)))
    (0.1, [64, 10])
    """
    if value is None or isinstance(value, (bool, str, int)):
        return value
    if isinstance(value, float):
        return float(value)
    if isinstance(value, dict):
        return {str(key): plain(f"{name}[{key!r}]", entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple, range)):
        return [plain(name, entry) for entry in value]
    if hasattr(value, "__array__"):
        array = np.asarray(value)
        if array.dtype.kind in "biufUV" and array.dtype.kind != "V":
            return array.tolist()
        if array.dtype.kind == "V" and array.dtype.names is None:  # bfloat16
            return array.astype(np.float64).tolist()
    raise TypeError(
        f"{name} must be a number, a string, a bool, None, or a list or array of them, "
        f"got {value!r}"
    )


def _same(value: Any) -> Any:
    """Return something that compares by value, with NaN equal to itself."""
    if isinstance(value, list):
        return tuple(_same(entry) for entry in value)
    if isinstance(value, dict):
        return tuple((key, _same(entry)) for key, entry in sorted(value.items()))
    return "NaN" if isinstance(value, float) and math.isnan(value) else value


class Grid:
    """Every combination of the values along some axes, in order, the last axis fastest.

    Parameters
    ----------
    **axes : list, tuple, range, array, or a single value
        The values along each axis; a single value (a string too) is held along the whole grid.
        A list as a single value stands in a list of its own: ``sizes=[[64, 10]]``.

    Raises
    ------
    TypeError, ValueError
        If a value is not made of the types of JSON, or an axis is empty or has a value twice.

    Notes
    -----
    ``one + two`` has the points of one, then those of two that are new. The seed is an axis like
    the others: ``seed=range(5)``.

    Examples
    --------
    >>> grid = Grid(width=100, scale=[0.1, 1.0], seed=range(2))
    >>> len(grid), next(iter(grid))
    (4, {'width': 100, 'scale': 0.1, 'seed': 0})
    >>> grid
    Grid(width=100, scale=[0.1, 1.0], seed=[0, 1])
    >>> len(grid + Grid(width=200, scale=1.0, seed=0))
    5
    """

    def __init__(self, **axes: Any):
        if not axes:
            raise ValueError("Grid must have an axis at least, got none")
        checked: dict[str, Any] = {}
        for name, values in axes.items():
            checked[name] = plain(name, values)
            if isinstance(checked[name], list):
                same = {_same(value) for value in checked[name]}
                if not 0 < len(same) == len(checked[name]):
                    raise ValueError(f"{name} must have values, each of them once, got {values!r}")
        self._parts: tuple[dict[str, Any], ...] = (checked,)

    @property
    def configuration(self) -> list[dict[str, Any]]:
        """The axes of each part of the grid."""
        return [dict(part) for part in self._parts]

    @classmethod
    def from_configuration(cls, configuration: list[dict[str, Any]]) -> Grid:
        """Return the grid that has this `configuration`."""
        first, *others = (cls(**axes) for axes in configuration)
        return sum(others, first)

    def __add__(self, other: object) -> Grid:
        if not isinstance(other, Grid):
            return NotImplemented
        grid = object.__new__(Grid)
        grid._parts = self._parts + other._parts
        return grid

    def __iter__(self) -> Iterator[Point]:
        seen = set()
        for part in self._parts:
            values = [value if isinstance(value, list) else [value] for value in part.values()]
            for combination in itertools.product(*values):
                point = dict(zip(part, combination, strict=True))
                same = _same(point)
                if same not in seen:
                    seen.add(same)
                    yield point

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Grid):
            return NotImplemented
        return _same(self.configuration) == _same(other.configuration)

    def __hash__(self) -> int:
        return hash(_same(self.configuration))

    def __repr__(self) -> str:
        return " + ".join(
            f"Grid({', '.join(f'{name}={value!r}' for name, value in part.items())})"
            for part in self._parts
        )

"""Arrays and what goes with them: their types, their shapes, equality of what holds them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "FloatArray",
    "Progress",
    "Real",
    "Seed",
    "ValueObject",
    "broadcast_shape",
]

FloatArray = NDArray[np.float64]
Real = float | FloatArray
Seed = int | np.random.Generator | np.random.SeedSequence | None
Progress = Callable[[float, float], None]
"""Called as ``progress(done, wanted)`` now and then in long work."""


def broadcast_shape(**shapes: tuple[int, ...]) -> tuple[int, ...]:
    """Return the shape that all of the named shapes broadcast to.

    Examples
    --------
    >>> broadcast_shape(network=(3, 1), gram=(4,))
    (3, 4)
    >>> broadcast_shape(network=(3,), gram=(4,))
    Traceback (most recent call last):
        ...
    ValueError: the shapes of network (3,) and gram (4,) must broadcast by numpy's rules
    """
    if not any(shapes.values()):
        return ()
    try:
        return np.broadcast_shapes(*shapes.values())
    except ValueError:
        parts = [f"{name} {shape}" for name, shape in shapes.items()]
        listed = ", ".join(parts[:-1]) + " and " + parts[-1]
        raise ValueError(f"the shapes of {listed} must broadcast by numpy's rules") from None


class ValueObject:
    """Equality by value for frozen dataclasses whose fields may be arrays."""

    __dataclass_fields__: dict[str, Any]

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return all(
            np.array_equal(getattr(self, name), getattr(other, name))
            for name, field in self.__dataclass_fields__.items()
            if field.compare
        )

    def __hash__(self) -> int:
        values = (getattr(self, n) for n, f in self.__dataclass_fields__.items() if f.compare)
        return hash(
            tuple((v.shape, v.tobytes()) if isinstance(v, np.ndarray) else v for v in values)
        )

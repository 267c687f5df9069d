"""PyTorch tensors: out of what a module returns, to plain arrays, as places to differentiate at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch  # pyright: ignore[reportMissingImports]

from flbook._support.arrays import FloatArray

__all__ = ["array", "leaves", "rows"]


def rows(outputs: Any, count: int) -> Any:
    """Return outputs as one tensor (n, k); those of a tuple, list or dict stand side by side."""
    tensors = list(_tensors(outputs))
    if not tensors:
        raise TypeError(
            "f must return a real floating-point tensor, or several, got "
            f"{type(outputs).__name__}; wrap it in a module that does"
        )
    for tensor in tensors:
        if tensor.ndim == 0 or len(tensor) != count:
            raise ValueError(
                f"f must return a row for each of the {count} inputs, got the shape "
                f"{tuple(tensor.shape)}; wrap it in a module that does"
            )
    return torch.cat([tensor.reshape(count, -1) for tensor in tensors], dim=1)


def _tensors(outputs: Any) -> Iterator[Any]:
    if isinstance(outputs, torch.Tensor):
        if outputs.is_floating_point():
            yield outputs
    elif isinstance(outputs, (tuple, list)):
        for part in outputs:
            yield from _tensors(part)
    elif isinstance(outputs, Mapping):
        yield from _tensors(tuple(outputs.values()))


def array(tensor: Any) -> FloatArray:
    """Return a tensor as a float64 array that shares no memory with it."""
    return np.array(tensor.detach().to("cpu", torch.float64).numpy())


def leaves(tensors: dict[str, Any]) -> dict[str, Any]:
    """Return tensors that gradients are taken of, in place of others."""
    return {name: value.detach().requires_grad_() for name, value in tensors.items()}

"""The losses of one example by name, as functions of what the network says and of the label."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Protocol, runtime_checkable

import numpy as np
from scipy.special import expit

from flbook._support.arrays import FloatArray
from flbook._support.checks import one_of, refuse_where

__all__ = ["LOSSES", "Loss", "criterion"]

# exp() of more than this is no double.
LARGEST_EXPONENT = 700.0


@runtime_checkable
class Loss(Protocol):
    """What a loss must know, element by element for arrays f and y that broadcast."""

    def value(self, f: Any, y: Any) -> Any:
        """Return ℓ(f, y)."""

    def derivative(self, f: Any, y: Any) -> Any:
        """Return ∂ℓ/∂f."""


class Squared:
    """½(f − y)²."""

    def value(self, f: Any, y: Any) -> Any:
        """Return ½(f − y)²."""
        return (f - y) ** 2 / 2

    def derivative(self, f: Any, y: Any) -> Any:
        """Return f − y."""
        return f - y


class Logistic:
    """ln(1 + exp(−yf)) for labels ±1."""

    def value(self, f: Any, y: Any) -> Any:
        """Return ln(1 + exp(−yf))."""
        return np.logaddexp(0.0, -y * f)

    def derivative(self, f: Any, y: Any) -> Any:
        """Return −y/(1 + exp(yf))."""
        return -y * expit(-y * f)


class Exponential:
    """exp(−yf) for labels ±1."""

    def value(self, f: Any, y: Any) -> Any:
        """Return exp(−yf), and a number that large where it is none that a double holds."""
        return np.exp(np.minimum(-y * f, LARGEST_EXPONENT))

    def derivative(self, f: Any, y: Any) -> Any:
        """Return −y exp(−yf)."""
        return -y * self.value(f, y)


class Huber:
    """½(f − y)² up to |f − y| = 1, and |f − y| − ½ beyond."""

    def value(self, f: Any, y: Any) -> Any:
        """Return the loss."""
        distance = np.abs(f - y)
        near = np.minimum(distance, 1.0)
        return near * (distance - near / 2)

    def derivative(self, f: Any, y: Any) -> Any:
        """Return f − y, between −1 and 1."""
        return np.clip(f - y, -1.0, 1.0)


LOSSES: Mapping[str, Loss] = MappingProxyType(
    {
        "squared": Squared(),
        "logistic": Logistic(),
        "exponential": Exponential(),
        "huber": Huber(),
    }
)
MARGINS = ("logistic", "exponential")


def criterion(loss: str | Loss, a: FloatArray, y: FloatArray) -> Loss:
    """Return what `loss` stands for, once it is known to take these inputs and labels.

    Examples
    --------
    >>> import numpy as np
    >>> criterion("huber", np.ones(1), np.zeros(1)).derivative(3.0, 0.0)
    np.float64(1.0)
    >>> criterion("logistic", np.ones(1), np.zeros(1))
    Traceback (most recent call last):
        ...
    ValueError: y must be 1 or -1 for the logistic loss, got 0.0 at index 0
    """
    if isinstance(loss, str):
        one_of("loss", loss, LOSSES)
        if loss in MARGINS:
            refuse_where(np.abs(y) != 1, "y", y, f"1 or -1 for the {loss} loss")
        return LOSSES[loss]
    if not isinstance(loss, Loss) or isinstance(loss, type):
        names = ", ".join(map(repr, LOSSES))
        raise TypeError(
            f"loss must be one of {names}, or an object with value(f, y) and derivative(f, y), "
            f"got {loss!r}"
        )
    for name in ("value", "derivative"):
        answer = np.asarray(getattr(loss, name)(np.zeros((2, a.size)), y))
        if answer.shape != (2, a.size) or answer.dtype.kind not in "iuf":
            raise ValueError(
                f"loss must answer {name}(f, y) with real numbers, one for each of f, got "
                f"{answer.dtype} of shape {answer.shape} for f of shape {(2, a.size)}"
            )
    return loss

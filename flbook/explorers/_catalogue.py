"""What the shared files, which JavaScript reads too, say of every explorer and its parameters."""

from __future__ import annotations

import math
import numbers
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from flbook._support.shared import shared

__all__ = ["Parameter", "catalogue", "parameters", "presets", "starting_values"]


def catalogue() -> dict[str, Any]:
    """Return what is said of every explorer, by its name."""
    return shared("explorers")


def presets() -> dict[str, Any]:
    """Return what is said of every preset, by its name."""
    return shared("presets")


@dataclass(frozen=True)
class Parameter:
    """One number that the reader may set: its words, its range and how its slider runs."""

    name: str
    label: str
    symbol: str
    scale: str
    min: float
    max: float
    step: float
    default: float
    format: str
    integer: bool = False
    options: Mapping[str, str] | None = None

    @property
    def description(self) -> str:
        """The words first, the symbol second."""
        return f"{self.label} {self.symbol}".rstrip()

    def text(self, value: float) -> str:
        """Write `value` as it would be given: the name of an option, or a number."""
        return repr(list(self.options)[round(value)]) if self.options else f"{value:.6g}"

    def check(self, value: Any) -> float:
        """Return `value` as a float of this parameter's range; an option's name as its number.

        Raises
        ------
        TypeError
            If `value` is not a real number.
        ValueError
            If it is not finite, out of range, or broken where a whole number is wanted.

        Examples
        --------
        >>> from flbook.explorers import parameters
        >>> parameters("initial-scale")["sigma"].check(1)
        1.0
        """
        if self.options and isinstance(value, str):
            if value not in self.options:
                raise ValueError(
                    f"{self.name} must be one of {', '.join(self.options)}, got {value!r}"
                )
            return float(list(self.options).index(value))
        if isinstance(value, bool) or not isinstance(value, numbers.Real):
            raise TypeError(f"{self.name} must be a real number, got {value!r}")
        number = float(value)
        if not math.isfinite(number) or not self.min <= number <= self.max:
            allowed = f"from {self.min:g} to {self.max:g}"
            raise ValueError(f"{self.name} must be {allowed}, got {value!r}")
        if self.integer and number != round(number):
            raise ValueError(f"{self.name} must be a whole number, got {value!r}")
        return number


@cache
def parameters(explorer: str) -> Mapping[str, Parameter]:
    """Return all parameters of an explorer by name, those without a control too."""
    entry = catalogue()[explorer]
    names = [*entry["controls"], *entry["more"], *entry["fixed"]]
    common, own = shared("parameters"), entry["parameters"]
    return {name: Parameter(name, **{**common[name], **own.get(name, {})}) for name in names}


def starting_values(explorer: str, given: Mapping[str, Any]) -> dict[str, float]:
    """Return a value for every parameter of `explorer`: what is given, else the default.

    Raises
    ------
    TypeError
        If a name is not a parameter's, or a value is not a real number.
    ValueError
        If a value is out of its parameter's range.
    """
    known = parameters(explorer)
    for name in given:
        if name not in known:
            raise TypeError(
                f"{name} is not a parameter of the explorer {explorer!r}; it has {', '.join(known)}"
            )
    return {name: known[name].check(given.get(name, known[name].default)) for name in known}

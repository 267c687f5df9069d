"""What the shared files, which JavaScript reads too, say of every explorer and its parameters."""

from __future__ import annotations

import numbers
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any

from flbook._support.shared import shared

__all__ = ["Parameter", "entry", "parameters"]


@dataclass(frozen=True)
class Parameter:
    """One number that the reader may set: its words, its range and how its slider runs.

    Examples
    --------
    >>> from flbook.explorers import parameters
    >>> sigma = parameters("initial-scale")["sigma"]
    >>> sigma.description, sigma.allowed
    ('initial scale σ', 'from 0.001 to 10')
    """

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

    @property
    def allowed(self) -> str:
        """What a value may be, to complete "`name` must be ..."."""
        if self.options:
            return f"one of {', '.join(self.options)}"
        if self.scale == "levels":
            return "one of those in the table"
        return f"{'a whole number ' * self.integer}from {self.min:g} to {self.max:g}"

    def text(self, value: float) -> str:
        """Write `value` as it would be given: the name of an option, or a number."""
        if not self.options:
            return f"{value:.6g}"
        option = list(self.options)[round(value)]
        return option if self.scale == "levels" else repr(option)

    def check(self, value: Any) -> float:
        """Return `value` as a float, an option's name as its number.

        Raises
        ------
        TypeError
            If `value` is not a real number, nor the name of an option where there are some.
        ValueError
            If it is not what is `allowed`.

        Examples
        --------
        >>> from flbook.explorers import parameters
        >>> parameters("ensemble")["quantity"].check("final_alignment")
        1.0
        """
        if self.options and isinstance(value, str):
            position = {option: float(i) for i, option in enumerate(self.options)}
            number = position.get(value, float("nan"))
        elif isinstance(value, bool) or not isinstance(value, numbers.Real):
            raise TypeError(f"{self.name} must be a real number, got {value!r}")
        else:
            number = float(value)
        # not a number is in no range
        if not self.min <= number <= self.max or (self.integer and number != round(number)):
            raise ValueError(f"{self.name} must be {self.allowed}, got {value!r}")
        return number


def entry(name: str) -> dict[str, Any]:
    """Return what the catalogue says of one explorer, or raise ValueError if it has none such."""
    catalogue = shared("explorers")
    if name not in catalogue:
        raise ValueError(f"name must be one of {', '.join(catalogue)}, got {name!r}")
    return catalogue[name]


@cache
def parameters(name: str) -> Mapping[str, Parameter]:
    """Return all parameters of an explorer by name, those without a control too.

    Raises
    ------
    ValueError
        If there is no such explorer.

    Examples
    --------
    >>> from flbook.explorers import parameters
    >>> list(parameters("half-plane"))[:3]
    ['uw', 'root_determinant', 'target']
    """
    known = entry(name)
    common, own = shared("parameters"), known["parameters"]
    return MappingProxyType(
        {
            parameter: Parameter(parameter, **{**common[parameter], **own.get(parameter, {})})
            for parameter in (*known["controls"], *known["more"], *known["fixed"])
        }
    )

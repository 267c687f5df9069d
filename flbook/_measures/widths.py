"""A check-up at several widths: does a network turn lazy as it grows."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np

from flbook._measures.checkup import Checkup
from flbook._measures.table import Table
from flbook._support.checks import instance, one_whole

__all__ = ["WidthCheckup", "checkup_widths"]

MEASURES = ("weight_change", "feature_change", "coordinate_change")


@dataclass(frozen=True)
class WidthCheckup:
    """Check-ups of one network at several widths, as made by `checkup_widths`.

    Attributes
    ----------
    widths : tuple of int
        The widths.
    checkups : tuple of Checkup
        The check-up at each.

    Examples
    --------
    >>> import numpy as np
    >>> from flbook import Checkup, checkup_widths
    >>> def make(width):
    ...     kernel = np.eye(32)
    ...     return Checkup.from_arrays(
    ...         outputs_before=np.zeros(32), outputs_after=np.ones(32),
    ...         linear_change=np.full(32, 1 - 1 / width),
    ...         kernel_before=kernel, kernel_after=(1 + 1 / width) * kernel,
    ...     )
    >>> sweep = checkup_widths(make, [4, 16, 64])
    >>> print(f"{sweep.power:.2f}", sweep.table().column("verdict"))
    -1.00 ['rich', 'in between', 'in between']
    """

    widths: tuple[int, ...]
    checkups: tuple[Checkup, ...]

    @property
    def power(self) -> float:
        """The fitted power of the width that the linearisation error goes with.

        0 for a parametrisation that learns features at any width, such as μP; negative, −½ most
        often, for one that turns lazy.
        """
        errors = [found.linearisation_error for found in self.checkups]
        if len(self.widths) < 2 or min(errors) <= 0:
            return math.nan
        return float(np.polyfit(np.log(self.widths), np.log(errors), 1)[0])

    def table(self) -> Table:
        """Return a row for each width."""
        return Table(
            tuple(
                {
                    "width": width,
                    "linearisation_error": found.linearisation_error,
                    "kernel_change": found.kernel_change,
                    "kernel_growth": found.kernel_growth,
                    "kernel_rotation": found.kernel_rotation,
                    "verdict": found.verdict,
                    "distance": found.distance,
                }
                for width, found in zip(self.widths, self.checkups, strict=True)
            )
        )

    def layers(self, measure: str = "coordinate_change") -> Table:
        """Return a row for each layer, a column for each width; as μP's coordinate check has it.

        `measure` is "weight_change", "feature_change" or "coordinate_change".
        """
        if measure not in MEASURES:
            raise ValueError(f"measure must be one of {', '.join(MEASURES)}, got {measure!r}")
        found = [getattr(checkup, measure) for checkup in self.checkups]
        names = dict.fromkeys(name for values in found for name in values)
        return Table(
            tuple(
                {"layer": name}
                | {str(w): values.get(name) for w, values in zip(self.widths, found, strict=True)}
                for name in names
            )
        )

    def figure(self) -> Any:
        """Return a matplotlib figure: errors and kernel over the width, and coordinates."""
        # The figures stand above the measures; only this call needs them, and matplotlib.
        return import_module("flbook.figures").widths_figure(self)

    def __str__(self) -> str:
        return str(self.table())

    __repr__ = __str__


def checkup_widths(make: Callable[[int], Checkup], widths: Sequence[int]) -> WidthCheckup:
    """Check a network up at several widths, in one call.

    Parameters
    ----------
    make : callable
        ``make(width)`` trains the network at a width and returns its `checkup`.
    widths : sequence of int
        The widths, each different.

    Raises
    ------
    TypeError, ValueError
        If `make` returns anything but a `Checkup`, or a width is not a whole number or comes twice.

    Examples
    --------
    With `trained` a function of yours, that trains at a width, the whole is
    ``checkup_widths(lambda d: fl.checkup(*trained(d), x), [64, 256, 1024]).figure()``.

    >>> import numpy as np
    >>> from flbook import Checkup, checkup_widths
    >>> zero, one, kernel = np.zeros(32), np.ones(32), np.eye(32)
    >>> def make(width):
    ...     return Checkup.from_arrays(
    ...         outputs_before=zero, outputs_after=one, linear_change=(1 - 1 / width) * one,
    ...         kernel_before=kernel, kernel_after=kernel,
    ...     )
    >>> checkup_widths(make, [10, 1000]).widths
    (10, 1000)
    """
    wanted = tuple(one_whole("widths", width) for width in widths)
    if not wanted or len(set(wanted)) < len(wanted):
        raise ValueError(f"widths must be one or more different widths, got {list(widths)}")
    found = tuple(make(width) for width in wanted)
    for width, result in zip(wanted, found, strict=True):
        instance(f"make({width})", result, Checkup)
    return WidthCheckup(wanted, found)

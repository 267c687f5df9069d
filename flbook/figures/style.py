"""The look that all figures share: the palette, the style, and the checks of their arguments."""

from __future__ import annotations

from typing import Any

import matplotlib.style
import numpy as np
from numpy.typing import ArrayLike

from flbook._support.arrays import FloatArray
from flbook._support.checks import one_of
from flbook._support.shared import shared

__all__ = ["KINDS", "PALETTE", "STYLE", "colour", "pair", "use_style"]

PALETTE: dict[str, str] = {role: colours["light"] for role, colours in shared("palette").items()}
"""The colour of every role, as the browser's light theme has it."""

# Light figures on a white card: the site shows them so in dark mode too.
STYLE: dict[str, Any] = {
    "figure.figsize": (5.2, 3.3),
    "figure.dpi": 160,
    "figure.facecolor": PALETTE["paper"],
    "figure.constrained_layout.use": True,
    "savefig.facecolor": PALETTE["paper"],
    "svg.fonttype": "path",
    "svg.hashsalt": "flbook",
    "font.size": 12,
    "axes.titlesize": 12,
    "axes.titlelocation": "left",
    "axes.labelsize": 12,
    "axes.labelcolor": PALETTE["ink"],
    "axes.edgecolor": PALETTE["guide"],
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.xmargin": 0,
    "grid.color": PALETTE["grid"],
    "grid.linewidth": 0.6,
    "text.color": PALETTE["ink"],
    "xtick.color": PALETTE["guide"],
    "ytick.color": PALETTE["guide"],
    "xtick.labelcolor": PALETTE["ink"],
    "ytick.labelcolor": PALETTE["ink"],
    "xtick.labelsize": 11,
    "ytick.labelsize": 11,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    "xtick.minor.size": 0,
    "ytick.minor.size": 0,
    "lines.linewidth": 2,
    "lines.solid_capstyle": "round",
    "lines.markersize": 4,
    "mathtext.fontset": "dejavusans",
}
"""The style as matplotlib's settings, for ``matplotlib.style.context``."""

KINDS: dict[str, dict[str, Any]] = {
    "exact": {"linestyle": "-"},
    "frozen": {"linestyle": (0, (5, 2.5))},
    "limit": {"linestyle": (0, (6, 2, 1, 2))},
    "measured": {"linestyle": "none", "marker": "o", "markeredgewidth": 0},
}
"""How a line shows what it stands for, as arguments of `Axes.plot`."""


def use_style() -> None:
    """Draw in the book's style from here on.

    Examples
    --------
    >>> import matplotlib
    >>> with matplotlib.rc_context():
    ...     use_style()
    ...     matplotlib.rcParams["axes.labelcolor"] == PALETTE["ink"]
    True
    """
    matplotlib.style.use(STYLE)


def colour(role: str) -> str:
    """Return the colour of a role, or raise ValueError if `PALETTE` does not know it.

    Examples
    --------
    >>> colour("kernel")
    '#0072B2'
    """
    return PALETTE[one_of("role", role, PALETTE)]


def pair(first: str, x: ArrayLike, second: str, y: ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Return two arguments as arrays of one shape (n,), or raise ValueError naming both.

    Examples
    --------
    >>> pair("x", [1, 2], "y", [3])
    Traceback (most recent call last):
        ...
    ValueError: x and y must be one-dimensional and as long as each other, got shapes (2,) and (1,)
    """
    x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    if x.ndim != 1 or x.shape != y.shape:
        wanted = "one-dimensional and as long as each other"
        raise ValueError(
            f"{first} and {second} must be {wanted}, got shapes {x.shape} and {y.shape}"
        )
    if x.size == 0:
        raise ValueError(f"{first} and {second} must have at least 1 entry, got none")
    return x, y

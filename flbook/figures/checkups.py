"""Pictures of check-ups: what moved and what aligned, layer by layer, and over widths."""

from __future__ import annotations

import math

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from flbook._measures.checkup import Checkup
from flbook._measures.knob import LAZY_ERROR, RICH_ERROR
from flbook._measures.widths import WidthCheckup
from flbook._support.checks import instance
from flbook.figures.style import PALETTE

__all__ = ["checkup_figure", "layer_alignments", "layer_changes", "over_widths", "widths_figure"]


def layer_changes(ax: Axes, checkup: Checkup) -> Axes:
    """Draw how far the weights and the features of every layer moved, relative to their start.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> from flbook import Checkup
    >>> found = Checkup(64, 0.3, 1.0, 0.01, 2.0, 9.0, weight_change={"w": 0.5})
    >>> layer_changes(Figure().subplots(), found).get_xlabel()
    'relative change'
    """
    instance("ax", ax, Axes)
    instance("checkup", checkup, Checkup)
    names = list(dict.fromkeys([*checkup.weight_change, *checkup.feature_change]))
    for changes, role, marker, label in (
        (checkup.weight_change, "ink", "o", "weights"),
        (checkup.feature_change, "feature", "s", "features that enter"),
    ):
        found = [(changes[n], i) for i, n in enumerate(names) if _drawn(changes.get(n))]
        if found:
            x, y = zip(*found, strict=True)
            ax.plot(x, y, marker, color=PALETTE[role], label=label)
    ax.set_xscale("log")
    ax.set_yticks(range(len(names)), names)
    ax.invert_yaxis()
    ax.set_xlabel("relative change")
    if names:
        ax.legend()
    return ax


def layer_alignments(ax: Axes, checkup: Checkup) -> Axes:
    """Draw the alignment of consecutive layers: before, after, and what chance would give.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> from flbook import Checkup, LayerAlignment
    >>> pair = LayerAlignment("w", "u", 0.1, 0.4, 0.1, 2.0)
    >>> found = Checkup(64, 0.3, 1.0, 0.01, 2.0, 9.0, alignment=(pair,))
    >>> len(layer_alignments(Figure().subplots(), found).get_yticks())
    1
    """
    instance("ax", ax, Axes)
    instance("checkup", checkup, Checkup)
    for i, layers in enumerate(checkup.alignment):
        ax.plot(layers.before, i, "o", color=PALETTE["kernel"])
        ax.plot(layers.after, i, "o", color=PALETTE["feature"])
        ax.plot(layers.chance, i, "|", color=PALETTE["guide"], markersize=16)
        ax.plot([layers.before, layers.after], [i, i], color=PALETTE["muted"], zorder=0)
    labels = [f"{layers.lower}\n{layers.upper}" for layers in checkup.alignment]
    ax.set_yticks(range(len(labels)), labels)
    ax.invert_yaxis()
    ax.set_xlabel("alignment, before (blue) to after; by chance: grey")
    return ax


def checkup_figure(checkup: Checkup) -> Figure:
    """Return a figure of one check-up; the second panel where pairs of layers are known.

    Examples
    --------
    >>> from flbook import Checkup, LayerAlignment
    >>> pair = LayerAlignment("w", "u", 0.1, 0.4, 0.1, 2.0)
    >>> found = Checkup(64, 0.3, 1.0, 0.01, 2.0, 9.0, alignment=(pair,))
    >>> len(checkup_figure(found).axes)
    2
    """
    panels = 2 if checkup.alignment else 1
    figure = Figure(figsize=(5 * panels, 3.6))
    axes = figure.subplots(1, panels, squeeze=False)
    layer_changes(axes[0, 0], checkup)
    if checkup.alignment:
        layer_alignments(axes[0, 1], checkup)
    error = checkup.linearisation_error
    figure.suptitle(f"{checkup.verdict}: linearisation error {error:.2g}")
    figure.tight_layout()
    return figure


def over_widths(ax: Axes, sweep: WidthCheckup) -> Axes:
    """Draw linearisation error and kernel change over the width, with the two boundaries.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> from flbook import Checkup, WidthCheckup
    >>> found = Checkup(64, 0.3, 1.0, 0.01, 2.0, 9.0)
    >>> sweep = WidthCheckup((64, 128), (found, found))
    >>> over_widths(Figure().subplots(), sweep).get_xlabel()
    'width'
    """
    instance("ax", ax, Axes)
    instance("sweep", sweep, WidthCheckup)
    for name, role, marker in (
        ("linearisation_error", "ink", "o-"),
        ("kernel_change", "feature", "s-"),
    ):
        values = [getattr(found, name) for found in sweep.checkups]
        ax.plot(sweep.widths, values, marker, color=PALETTE[role], label=name.replace("_", " "))
    for error in (LAZY_ERROR, RICH_ERROR):
        ax.axhline(error, color=PALETTE["guide"], linewidth=0.8)
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_xlabel("width")
    ax.legend()
    return ax


def widths_figure(sweep: WidthCheckup) -> Figure:
    """Return a figure of a sweep over widths, with the coordinates of the features beside it.

    Examples
    --------
    >>> from flbook import Checkup, WidthCheckup
    >>> found = Checkup(64, 0.3, 1.0, 0.01, 2.0, 9.0)
    >>> len(widths_figure(WidthCheckup((64, 128), (found, found))).axes)
    2
    """
    figure = Figure(figsize=(10, 3.6))
    left, right = figure.subplots(1, 2)
    over_widths(left, sweep)
    for row in sweep.layers("coordinate_change"):
        values = list(row.values())[1:]
        points = [(w, v) for w, v in zip(sweep.widths, values, strict=True) if _drawn(v)]
        if points:
            right.plot(*zip(*points, strict=True), "o-", label=row["layer"])
    right.set_xscale("log")
    right.set_yscale("log")
    right.set_xlabel("width")
    right.set_ylabel("change of a feature coordinate")
    if right.lines:
        right.legend()
    figure.tight_layout()
    return figure


def _drawn(value: float | None) -> bool:
    return value is not None and 0 < value < math.inf

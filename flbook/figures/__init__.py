"""Draw the book's figures: every function takes an ``Axes``, draws on it and returns it.

Nothing is solved here: the arrays, or the dynamics asked for theirs, come from the caller.
The look is one: the kernel regime blue, feature learning vermilion, targets and guides grey; exact
curves solid, frozen kernels dashed, limits dash-dotted, measurements dots; labels at the ends of
lines instead of legends. `use_style` sets it.

Parameters
----------
ax : matplotlib.axes.Axes
    What every function draws on and returns.
role : str
    The colour, by its part in the story: a key of `PALETTE`.
label : str, optional
    Written beside what is drawn, in its colour or the darker one for its text.
offset : tuple of float
    From the labelled point to the label, in typographic points.

Raises
------
TypeError
    If `ax` is not an ``Axes``, or an argument is not of the type in the signature.
ValueError
    If arrays differ in shape, several networks are given where one is drawn, a number is out of
    range, or a name such as that of a `role` is unknown.
"""

from flbook.figures.checkups import (
    checkup_figure,
    layer_alignments,
    layer_changes,
    over_widths,
    widths_figure,
)
from flbook.figures.curves import band, curve, data, fit, guide, kernel_curve, over_time
from flbook.figures.planes import exponent_plane, half_plane, neuron_plane, universal_plane
from flbook.figures.style import PALETTE, STYLE, use_style

__all__ = [
    "PALETTE",
    "STYLE",
    "band",
    "checkup_figure",
    "curve",
    "data",
    "exponent_plane",
    "fit",
    "guide",
    "half_plane",
    "kernel_curve",
    "layer_alignments",
    "layer_changes",
    "neuron_plane",
    "over_time",
    "over_widths",
    "universal_plane",
    "use_style",
    "widths_figure",
]

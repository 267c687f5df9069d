"""Draw the book's figures: every function takes an ``Axes``, draws on it and returns it.

Nothing is solved here: the arrays, or the dynamics asked for theirs, come from the caller.
The look is one: the kernel regime blue, feature learning vermilion, targets and guides grey; exact
curves solid, frozen kernels dashed, limits dash-dotted, measurements dots; labels at the ends of
lines instead of legends. ``matplotlib.pyplot.style.use("flbook.flbook")`` sets the style.
"""

from flbook.figures.curves import (
    PALETTE,
    curve,
    data,
    fit,
    guide,
    kernel_curve,
    neuron_plane,
    over_time,
)
from flbook.figures.planes import band, exponent_plane, half_plane, universal_plane

__all__ = [
    "PALETTE",
    "band",
    "curve",
    "data",
    "exponent_plane",
    "fit",
    "guide",
    "half_plane",
    "kernel_curve",
    "neuron_plane",
    "over_time",
    "universal_plane",
]

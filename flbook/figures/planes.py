"""Planes: neurons on their hyperbolas, networks on the map, parametrisations by their exponents."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Polygon
from numpy.typing import ArrayLike

from flbook._measures.location import Regime, contour
from flbook._model.gram import Gram
from flbook._model.network import Network
from flbook._support.arrays import FloatArray
from flbook._support.checks import instance, one_of, one_real, real
from flbook._support.shared import shared
from flbook.figures.curves import curve
from flbook.figures.style import PALETTE, colour, pair

__all__ = ["exponent_plane", "half_plane", "neuron_plane", "universal_plane"]


def neuron_plane(
    ax: Axes,
    network: Network,
    start: tuple[ArrayLike, ArrayLike],
    end: tuple[ArrayLike, ArrayLike],
    *,
    role: str = "feature",
    reach: float | None = None,
) -> Axes:
    r"""Draw every neuron as a point (u_i, w_i), at its start and at its end, on its hyperbola.

    Gradient flow keeps :math:`\eta_w u_i^2 - \eta_u w_i^2` of each neuron, so that each slides
    along one branch of a hyperbola, drawn faintly; strong are the way gone and the end, grey the
    start.

    Parameters
    ----------
    network : Network
        For its learning rates, neither of which is 0.
    start, end : tuple of array_like, shape (n,)
        The weights (u, w) of the same neurons at two times.
    reach : float, optional
        Half the side of the plane; by default a little more than the largest weight.

    Examples
    --------
    >>> import flbook as fl
    >>> from matplotlib.figure import Figure
    >>> ax = neuron_plane(Figure().subplots(), fl.Network(1), ([1.0], [0.0]), ([1.25], [0.75]))
    >>> len(ax.lines)  # the hyperbola, the way, the start, the end
    4
    """
    instance("ax", ax, Axes)
    _single("network", network, Network)
    strong = colour(role)
    if network.eta_u == 0 or network.eta_w == 0:
        raise ValueError(
            "network must train both layers, "
            f"got eta_u = {network.eta_u:g} and eta_w = {network.eta_w:g}"
        )
    u0, w0 = pair("start[0]", start[0], "start[1]", start[1])
    u1, w1 = pair("end[0]", end[0], "end[1]", end[1])
    if u0.shape != u1.shape:
        raise ValueError(
            f"start and end must hold the same neurons, got {u0.size} and {u1.size} of them"
        )
    furthest = max(np.abs(a).max() for a in (u0, w0, u1, w1))
    side = 1.1 * furthest if reach is None else one_real("reach", reach, above=0)
    root_u, root_w = float(np.sqrt(network.eta_u)), float(np.sqrt(network.eta_w))
    span = side / min(root_u, root_w)
    for a0, b0, a1, b1 in zip(u0 / root_u, w0 / root_w, u1 / root_u, w1 / root_w, strict=True):
        way = (b0, b1) if abs(a0) >= abs(b0) else (a0, a1)
        for ends, shade, order in (((-span, span), PALETTE["grid"], 1), (way, strong, 2)):
            a, b = _branch(a0, b0, *ends)
            ax.plot(a * root_u, b * root_w, color=shade, linewidth=1, zorder=order)
    curve(ax, u0, w0, role="guide", kind="measured", markersize=3)
    curve(ax, u1, w1, role=role, kind="measured")
    ax.set(xlim=(-side, side), ylim=(-side, side), aspect="equal")
    ax.set(xlabel="output weight $u_i$", ylabel="input weight $w_i$")
    ax.grid(visible=False)
    return ax


def _branch(
    a: float, b: float, first: float, last: float, points: int = 65
) -> tuple[FloatArray, FloatArray]:
    """Give the branch of the hyperbola a² − b² = constant through the point (a, b).

    The smaller coordinate, which takes every value on the branch, runs from `first` to `last`.
    """
    constant = (a - b) * (a + b)
    parameter = np.linspace(first, last, points)
    other = np.sqrt(np.maximum(parameter**2 + abs(constant), 0))
    if abs(a) >= abs(b):
        return np.copysign(other, a), parameter
    return parameter, np.copysign(other, b)


def _single(name: str, value: Any, kind: type) -> None:
    """Raise TypeError or ValueError unless `value` is a `kind` of one network."""
    instance(name, value, kind)
    if value.shape != ():
        raise ValueError(f"{name} must hold a single network, got shape {value.shape}")


def half_plane(
    ax: Axes,
    before: Gram,
    after: Gram,
    *,
    role: str = "ink",
    label: str | None = None,
    height: float | None = None,
    at: str = "end",
    offset: tuple[float, float] = (8.0, 0.0),
) -> Axes:
    r"""Draw one training as a horizontal move of the point :math:`(u\cdot w, \sqrt D)`.

    The distance of the point from the origin is :math:`|u||w|`, the cosine of its angle the
    alignment. Rays lead to the start, a ring, and to the end, a dot.

    Parameters
    ----------
    before, after : Gram
        A single network at two times.
    height : float, optional
        Put the move at this height, at least 0, instead of :math:`\sqrt D` of each Gram matrix.
    at : {"end", "start"}
        The point beside which the label stands.

    Examples
    --------
    >>> import flbook as fl
    >>> from matplotlib.figure import Figure
    >>> ax = half_plane(Figure().subplots(), fl.Gram(2.0, 0.0, 2.0), fl.Gram(4.0, 2.0, 2.0))
    >>> [round(float(y), 6) for y in ax.lines[2].get_ydata()]
    [2.0, 2.0]
    """
    instance("ax", ax, Axes)
    colour(role)
    one_of("at", at, ("end", "start"))
    if height is not None:
        real("height", height, at_least=0)
    points = []
    for name, gram in (("before", before), ("after", after)):
        _single(name, gram, Gram)
        points.append((gram.uw, gram.root_determinant if height is None else height))
    across, up = np.array(points, dtype=float).T
    for x, y in zip(across, up, strict=True):
        curve(ax, [0.0, x], [0.0, y], role="ghost", linewidth=0.8, zorder=1)
    curve(ax, across, up, role=role)
    dot = {"role": role, "kind": "measured", "offset": offset}
    here = {at: label}
    curve(ax, across[:1], up[:1], **dot, markersize=8)
    hole = {"markersize": 5, "markerfacecolor": PALETTE["paper"]}
    curve(ax, across[:1], up[:1], **dot, **hole, label=here.get("start"))
    curve(ax, across[1:], up[1:], **dot, markersize=8, label=here.get("end"))
    ax.set(aspect="equal", ylim=(0, None))
    ax.set_xlabel(r"overlap $u\cdot w$")
    ax.set_ylabel(r"height $\sqrt{D}$")
    return ax


def universal_plane(
    ax: Axes,
    x_range: tuple[float, float],
    y_range: tuple[float, float],
    ratios: Iterable[float] = (1.01, 2**0.5, 10.0),
) -> Axes:
    r"""Draw the plane on which every finite network is one point, without the networks.

    Horizontally :math:`\sqrt D\gamma/|v^*|`, vertically :math:`|\Delta|\gamma/(2\eta|v^*|)`, both
    logarithmic. Grey curves are the circles on which the kernel of a network that starts at slope 0
    grows by a given ratio; the regions bear the names of `Regime`, the lazy ones beyond the circle
    on which such a kernel grows by 1 %.

    Parameters
    ----------
    x_range, y_range : tuple of float
        First and last value of the axes, greater than 0.
    ratios : iterable of float
        Kernel ratios K(∞)/K(0), each greater than 1, whose circles are drawn.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> ax = universal_plane(Figure().subplots(), (1e-2, 1e4), (1e-2, 1e4))
    >>> [text.get_text() for text in ax.texts[:3]]
    ['×1.01', '×1.41', '×10']
    """
    instance("ax", ax, Axes)
    for name, ends in (("x_range", x_range), ("y_range", y_range)):
        if len(ends) != 2 or not 0 < ends[0] < ends[1]:
            raise ValueError(f"{name} must increase from a number above 0, got {ends}")
    ax.set(xscale="log", yscale="log", xlim=x_range, ylim=y_range)
    for ratio in ratios:
        radius = float(contour(ratio))
        low = np.arcsin(min(1.0, y_range[0] / radius))
        high = np.arccos(min(1.0, x_range[0] / radius))
        angle = np.linspace(0, 1, 801)
        # dense at both ends, where a circle on logarithmic axes bends
        angle = low + (high - low) * (angle**3 * (10 - 15 * angle + 6 * angle**2))
        across, up = radius * np.cos(angle), radius * np.sin(angle)
        curve(ax, across, up, role="guide", linewidth=1, zorder=0.9)
        ax.annotate(
            f"×{ratio:.3g}",
            (across[0], up[0]),
            xytext=(3, 4),
            textcoords="offset points",
            color=PALETTE["muted"],
            fontsize="small",
            annotation_clip=False,
        )
    rich, lazy = contour([2**0.5, 1 + shared("terms")["lazy"]])
    left = 1.5 * x_range[0]
    for regime, x, y, shade in (
        (Regime.RICH, left, rich / 50, "feature_text"),
        (Regime.BETWEEN, left, np.sqrt(rich * lazy), "muted"),
        (Regime.LAZY_BY_DETERMINANT, np.sqrt(lazy * x_range[1]), 30 * y_range[0], "kernel_text"),
        (Regime.LAZY_BY_IMBALANCE, left, y_range[1] / 4, "kernel_text"),
    ):
        ha = "left" if x == left else "center"
        ax.text(x, y, regime.value, color=PALETTE[shade], ha=ha, va="center")
    ax.set_xlabel(r"determinant $X=\sqrt{D}\,\gamma/|v^*|$")
    ax.set_ylabel(r"imbalance $|Y|=|\Delta|\,\gamma/(2\eta|v^*|)$")
    return ax


def exponent_plane(ax: Axes, reach: float = 2.0) -> Axes:
    r"""Draw the plane of exponents: what becomes of a parametrisation at infinite width.

    Horizontally the power :math:`-g` of the determinant coordinate, vertically the power
    :math:`k-b` of the distance from the corner of the universal plane, both from -`reach` to
    `reach`. The vertical is nowhere below the horizontal, so half of the plane is empty and shaded.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> ax = exponent_plane(Figure().subplots())
    >>> ax.get_xlim() == ax.get_ylim() == (-2.0, 2.0)
    True
    """
    instance("ax", ax, Axes)
    reach = one_real("reach", reach, above=0)
    corners = [(-reach, -reach), (reach, -reach), (reach, reach)]
    ax.add_patch(Polygon(corners, closed=True, color=PALETTE["grid"], linewidth=0, zorder=0.5))
    curve(ax, [-reach, 0], [0, 0], role="ink", linewidth=1.2, zorder=1)
    curve(ax, [0, 0], [0, reach], role="guide", linewidth=1.2, zorder=1)
    for text, place, role in (
        ("kernel, layers align", (-reach / 2, 0.9 * reach), "kernel"),
        ("kernel, no alignment", (reach / 2, 0.9 * reach), "kernel"),
        ("features, vanishing start", (-reach * 0.95, -0.12 * reach), "feature"),
        ("no parametrisation", (reach / 2, -reach / 2), None),
    ):
        shade = PALETTE["muted"] if role is None else PALETTE[f"{role}_text"]
        ha = "left" if role == "feature" else "center"
        box = {"facecolor": PALETTE["paper"], "alpha": 0.8, "linewidth": 0, "pad": 1}
        box = None if role is None else box
        ax.text(*place, text, color=shade, ha=ha, va="center", fontsize="small", bbox=box)
    ax.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal")
    ax.set_xlabel("power of the determinant coordinate, $-g$")
    ax.set_ylabel("power of the distance, $k-b$")
    ax.grid(visible=False)
    return ax

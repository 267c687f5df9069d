"""Drawings of the map: the plane of finite networks, the plane of exponents, quantiles.

Like `flbook.figures`, these functions take an ``Axes`` and finished numbers, draw, and return the
``Axes``; they solve nothing and set no data limits that they were not given.
"""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Polygon

from flbook._measures.location import contour
from flbook.figures.curves import PALETTE, _check_axes, _check_choice, _check_pair, curve

__all__ = ["band", "exponent_plane", "half_plane", "universal_plane"]


def band(ax, x, low, high, *, role="ink", opacity=0.2) -> Axes:
    """Shade what lies between two curves, such as two quantiles.

    Parameters
    ----------
    ax : Axes
    x, low, high : array_like, shape (n,)
    role : str
        A key of `flbook.figures.PALETTE`: the colour.
    opacity : float
        Of the shade, from 0 to 1.

    Returns
    -------
    Axes
        `ax`.

    Raises
    ------
    TypeError
        If `ax` is not an ``Axes``.
    ValueError
        If the shapes differ, `low` lies above `high` somewhere, or `role` is unknown.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> len(band(Figure().subplots(), [1, 2], [0, 0], [1, 3], role="kernel").collections)
    1
    """
    _check_axes(ax)
    x, low = _check_pair("x", x, "low", low)
    x, high = _check_pair("x", x, "high", high)
    _check_choice("role", role, PALETTE)
    if np.any(low > high):
        raise ValueError("low must nowhere lie above high")
    ax.fill_between(x, low, high, color=PALETTE[role], alpha=opacity, linewidth=0)
    return ax


def universal_plane(ax, x_range, y_range, ratios=(1.01, 2**0.5, 10.0)) -> Axes:
    r"""Draw the plane on which every finite network is one point, without the networks.

    Horizontally :math:`\sqrt D\gamma/|v^*|`, vertically :math:`|\Delta|\gamma/(2\eta|v^*|)`, both
    logarithmic. Grey curves are the circles on which the kernel of a network that starts at slope 0
    grows by a given ratio; the rich region and the two lazy ones bear their names.

    Parameters
    ----------
    ax : Axes
    x_range, y_range : tuple of float
        First and last value of the axes, greater than 0.
    ratios : iterable of float
        Kernel ratios K(∞)/K(0), each greater than 1, whose circles are drawn.

    Returns
    -------
    Axes
        `ax`, with its axes labelled.

    Raises
    ------
    TypeError
        If `ax` is not an ``Axes``.
    ValueError
        If a range does not increase from a number above 0, or a ratio is not above 1.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> ax = universal_plane(Figure().subplots(), (1e-2, 1e4), (1e-2, 1e4))
    >>> [text.get_text() for text in ax.texts[:3]]
    ['×1.01', '×1.41', '×10']
    """
    _check_axes(ax)
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
    corner = float(contour(2**0.5))
    for text, place, role in (
        ("rich", (1.5 * x_range[0], corner / 50), "feature"),
        ("lazy by determinant", (np.sqrt(corner * x_range[1]), 30 * y_range[0]), "kernel"),
        ("lazy by imbalance", (1.5 * x_range[0], y_range[1] / 4), "kernel"),
    ):
        ha = "center" if text == "lazy by determinant" else "left"
        ax.text(*place, text, color=PALETTE[f"{role}_text"], ha=ha, va="center")
    ax.set_xlabel(r"determinant $X=\sqrt{D}\,\gamma/|v^*|$")
    ax.set_ylabel(r"imbalance $|Y|=|\Delta|\,\gamma/(2\eta|v^*|)$")
    return ax


def exponent_plane(ax, reach=2.0) -> Axes:
    r"""Draw the plane of exponents: what becomes of a parametrisation at infinite width.

    Horizontally the power :math:`-g` of the determinant coordinate, vertically the power
    :math:`k-b` of the distance from the corner of the universal plane. The vertical is nowhere
    below the horizontal, so half of the plane is empty and shaded.

    Parameters
    ----------
    ax : Axes
    reach : float
        Both axes go from -reach to reach; greater than 0.

    Returns
    -------
    Axes
        `ax`, with its axes and regions labelled.

    Raises
    ------
    TypeError
        If `ax` is not an ``Axes``.
    ValueError
        If `reach` is not above 0.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> ax = exponent_plane(Figure().subplots())
    >>> ax.get_xlim() == ax.get_ylim() == (-2.0, 2.0)
    True
    """
    _check_axes(ax)
    if not reach > 0:
        raise ValueError(f"reach must be above 0, got {reach}")
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
        colour = PALETTE["muted"] if role is None else PALETTE[f"{role}_text"]
        ha = "left" if role == "feature" else "center"
        box = {"facecolor": PALETTE["paper"], "alpha": 0.8, "linewidth": 0, "pad": 1}
        box = None if role is None else box
        ax.text(*place, text, color=colour, ha=ha, va="center", fontsize="small", bbox=box)
    ax.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal")
    ax.set_xlabel("power of the determinant coordinate, $-g$")
    ax.set_ylabel("power of the distance, $k-b$")
    ax.grid(visible=False)
    return ax


def half_plane(
    ax, before, after, *, role="ink", label=None, height=None, at="end", offset=(8.0, 0.0)
) -> Axes:
    r"""Draw one training as a horizontal move of the point :math:`(u\cdot w, \sqrt D)`.

    The distance of the point from the origin is :math:`|u||w|`, the cosine of its angle the
    alignment. Rays lead to the start and to the end.

    Parameters
    ----------
    ax : Axes
    before, after : Gram
        A single network at two times.
    role : str
        Colour of the move, a key of `flbook.figures.PALETTE`.
    label : str, optional
        Written beside the move.
    height : float, optional
        Put the move at this height, at least 0, instead of :math:`\sqrt D` of each Gram matrix.
    at : {"end", "start"}
        The point beside which the label stands.
    offset : tuple of float
        From that point to the label, in typographic points.

    Returns
    -------
    Axes
        `ax`, with its axes labelled: a ring at the start, a dot at the end, the way between.

    Raises
    ------
    TypeError
        If `ax` is not an ``Axes``.
    ValueError
        If a Gram matrix holds several networks, `height` is negative or not finite, or `role` or
        `at` is unknown.

    Examples
    --------
    >>> import flbook as fl
    >>> from matplotlib.figure import Figure
    >>> ax = half_plane(Figure().subplots(), fl.Gram(2.0, 0.0, 2.0), fl.Gram(4.0, 2.0, 2.0))
    >>> [round(float(y), 6) for y in ax.lines[2].get_ydata()]
    [2.0, 2.0]
    """
    _check_axes(ax)
    _check_choice("role", role, PALETTE)
    _check_choice("at", at, ("end", "start"))
    points = []
    for name, gram in (("before", before), ("after", after)):
        if gram.shape != ():
            raise ValueError(f"{name} must hold a single network, got shape {gram.shape}")
        points.append((gram.uw, gram.root_determinant if height is None else height))
    across, up = np.array(points, dtype=float).T
    if not np.all(np.isfinite(up) & (up >= 0)):
        raise ValueError(f"height must be a finite number of at least 0, got {height}")
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

"""Curves, and what stands beside them: bands, guides, data, the line that a network predicts."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from flbook._dynamics.gradient_flow import GradientFlow
from flbook._support.arrays import FloatArray
from flbook._support.checks import instance, one_of, one_real, refuse_where
from flbook.figures.style import KINDS, PALETTE, colour, pair

__all__ = ["band", "curve", "data", "fit", "guide", "kernel_curve", "over_time"]


class _AxisLabel(NamedTuple):
    plain: str
    relative: str


_QUANTITIES = {
    "slope": _AxisLabel("slope $v$", "$v(t)/v(0)$"),
    "residual": _AxisLabel(
        "distance to the target $v - v^*$", "distance to the target, relative to the start"
    ),
    "loss": _AxisLabel("loss $L$", "$L(t)/L(0)$"),
    "kernel": _AxisLabel("kernel $K$", "kernel relative to its start $K(t)/K(0)$"),
    "alignment": _AxisLabel(r"alignment $\zeta$", r"$\zeta(t)/\zeta(0)$"),
    "kernel_alignment": _AxisLabel(r"kernel alignment $\zeta_K$", r"$\zeta_K(t)/\zeta_K(0)$"),
    "imbalance": _AxisLabel(
        r"imbalance $\Delta$", r"imbalance relative to its start $\Delta(t)/\Delta(0)$"
    ),
    "determinant": _AxisLabel("determinant $D$", "determinant relative to its start $D(t)/D(0)$"),
}


def curve(
    ax: Axes,
    x: ArrayLike,
    y: ArrayLike,
    *,
    role: str = "ink",
    kind: str = "exact",
    label: str | None = None,
    at: float | None = None,
    offset: tuple[float, float] = (6.0, 0.0),
    **line: Any,
) -> Axes:
    """Draw one curve, with its label at its last finite point.

    Parameters
    ----------
    x, y : array_like, shape (n,)
        With at least one finite point.
    kind : {"exact", "frozen", "limit", "measured"}
        Solid, dashed, dash-dotted, dots.
    at : float, optional
        Write the label at the point nearest to this abscissa instead.
    **line
        Passed on to `Axes.plot`.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> ax = curve(Figure().subplots(), [0, 1], [2, 3], role="kernel", label="lazy")
    >>> ax.lines[0].get_color(), ax.texts[0].get_text()
    ('#0072B2', 'lazy')
    """
    instance("ax", ax, Axes)
    x, y = pair("x", x, "y", y)
    shade = colour(role)
    look = KINDS[one_of("kind", kind, KINDS)]
    finite = np.flatnonzero(np.isfinite(x) & np.isfinite(y))
    if finite.size == 0:
        raise ValueError("x and y must have a finite point in common, got none")
    ax.plot(x, y, color=shade, **{**look, **line})
    if label is not None:
        end = finite[-1 if at is None else np.abs(x[finite] - at).argmin()]
        ax.annotate(
            label,
            (x[end], y[end]),
            xytext=offset,
            textcoords="offset points",
            ha="left" if offset[0] >= 0 else "right",
            va="center",
            color=PALETTE.get(f"{role}_text", shade),
            annotation_clip=False,
        )
    return ax


def band(
    ax: Axes,
    x: ArrayLike,
    low: ArrayLike,
    high: ArrayLike,
    *,
    role: str = "ink",
    opacity: float = 0.2,
) -> Axes:
    """Shade what lies between two curves, such as two quantiles.

    Parameters
    ----------
    x, low, high : array_like, shape (n,)
        `low` nowhere above `high`.
    opacity : float
        Of the shade, from 0 to 1.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> len(band(Figure().subplots(), [1, 2], [0, 0], [1, 3], role="kernel").collections)
    1
    """
    instance("ax", ax, Axes)
    x, low = pair("x", x, "low", low)
    x, high = pair("x", x, "high", high)
    refuse_where(low > high, "low", low, "nowhere above high")
    ax.fill_between(x, low, high, color=colour(role), alpha=opacity, linewidth=0)
    return ax


def over_time(
    ax: Axes,
    dynamics: Any,
    quantity: str,
    t: ArrayLike,
    *,
    relative: bool = False,
    **style: Any,
) -> Axes:
    """Draw a quantity of one network against time, and label the axes.

    Parameters
    ----------
    dynamics : GradientFlow, KernelFlow or GradientDescent
    quantity : str
        A method of `dynamics`: slope, residual, loss, kernel, alignment, ...
    t : array_like, shape (n,)
        Times, or step counts.
    relative : bool
        Divide by the value at time 0.
    **style
        As in `curve`.

    Examples
    --------
    >>> import flbook as fl
    >>> from matplotlib.figure import Figure
    >>> flow = fl.GradientFlow(fl.Network(2), fl.Task(1, 1, 1), fl.Gram(1, 0, 1))
    >>> over_time(Figure().subplots(), flow, "kernel", [0, 1]).get_ylabel()
    'kernel $K$'
    """
    instance("ax", ax, Axes)
    axis = _QUANTITIES[one_of("quantity", quantity, _QUANTITIES)]
    t, values = _course(dynamics, quantity, t)
    if relative:
        values = values / getattr(dynamics, quantity)(0)
    curve(ax, t, values, **style)
    ax.set_xlabel("time $t$")
    ax.set_ylabel(axis.relative if relative else axis.plain)
    return ax


def _course(dynamics: Any, quantity: str, t: ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Return times and a quantity of a single network at each, both of shape (n,)."""
    method = getattr(dynamics, quantity, None)
    if method is None:
        raise ValueError(f"{type(dynamics).__name__} has no quantity {quantity!r}")
    values = np.asarray(method(t))
    several = values.shape[: values.ndim - np.ndim(t)]
    if several:
        raise ValueError(f"dynamics must hold a single network, got {several}")
    return pair("t", t, quantity, values)


def guide(
    ax: Axes,
    value: float,
    label: str | None = None,
    *,
    axis: str = "y",
    at: float = 0.0,
    offset: tuple[float, float] = (4, 4),
) -> Axes:
    """Draw a thin grey line at a value of the vertical axis, or with `axis` "x" the horizontal one.

    Parameters
    ----------
    at : float
        Where along the line the label stands, as a fraction of it.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> guide(Figure().subplots(), 0.5, "target").texts[0].get_text()
    'target'
    """
    instance("ax", ax, Axes)
    one_of("axis", axis, ("y", "x"))
    value = one_real("value", value)
    line = {"color": PALETTE["guide"], "linewidth": 1, "zorder": 0.9}
    (ax.axhline if axis == "y" else ax.axvline)(value, **line)
    if label is not None:
        ax.annotate(
            label,
            (at, value) if axis == "y" else (value, at),
            xycoords=("axes fraction", "data") if axis == "y" else ("data", "axes fraction"),
            xytext=offset,
            textcoords="offset points",
            color=PALETTE["muted"],
            fontsize="small",
        )
    return ax


def data(ax: Axes, x: ArrayLike, y: ArrayLike) -> Axes:
    """Draw the data, `x` and `y` of shape (n,), as grey points.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> len(data(Figure().subplots(), [0, 1], [1, 2]).lines[0].get_xdata())
    2
    """
    return curve(ax, x, y, role="ghost", kind="measured")


def fit(ax: Axes, slope: float, reach: tuple[float, float], **style: Any) -> Axes:
    """Draw what a network predicts: slope times input, between the two inputs of `reach`.

    `style` is as in `curve`.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> [float(y) for y in fit(Figure().subplots(), 0.5, (-2, 4)).lines[0].get_ydata()]
    [-1.0, 2.0]
    """
    instance("ax", ax, Axes)
    ends = np.asarray(reach, dtype=float)
    return curve(ax, ends, one_real("slope", slope) * ends, **style)


def kernel_curve(
    ax: Axes,
    dynamics: GradientFlow,
    t: ArrayLike,
    *,
    role: str = "ink",
    label: str | None = None,
    offset: tuple[float, float] = (4.0, -14.0),
    reach: float | None = None,
) -> Axes:
    r"""Draw the kernel against the slope: the curve that training moves along.

    It is the hyperbola :math:`K^2 = 4\gamma^2\eta_u\eta_w v^2 + K_{\min}^2` in thin grey with its
    asymptotes. On top lies the way gone, from a ring to a dot with its label.

    Parameters
    ----------
    t : array_like, shape (n,)
        Increasing times.
    reach : float, optional
        The hyperbola is drawn for slopes from -reach to reach; by default a little beyond the way.

    Examples
    --------
    >>> import flbook as fl
    >>> from matplotlib.figure import Figure
    >>> flow = fl.GradientFlow(fl.Network(2), fl.Task(1, 1, 1), fl.Gram(1, 0, 1))
    >>> kernel_curve(Figure().subplots(), flow, [0, 1, 2]).get_ylabel()
    'kernel $K$'
    """
    instance("ax", ax, Axes)
    instance("dynamics", dynamics, GradientFlow)
    (_, slope), (_, kernel) = (_course(dynamics, name, t) for name in ("slope", "kernel"))
    network = dynamics.network
    signal = 2 * network.gamma * np.sqrt(network.eta_u * network.eta_w)
    end = 1.2 * np.abs(slope).max() if reach is None else one_real("reach", reach, above=0)
    grid = np.linspace(-end, end, 201)
    whole = np.hypot(signal * grid, dynamics.kernel_floor)
    curve(ax, grid, whole, role="guide", linewidth=1, zorder=1)
    curve(ax, grid, signal * np.abs(grid), role="ghost", kind="frozen", linewidth=1, zorder=1)
    curve(ax, slope, kernel, role=role, label=label, offset=offset)
    ring = PALETTE["paper"]
    curve(ax, slope[:1], kernel[:1], role=role, kind="measured", markersize=8)
    curve(ax, slope[:1], kernel[:1], role=role, kind="measured", markersize=5, markerfacecolor=ring)
    curve(ax, slope[-1:], kernel[-1:], role=role, kind="measured", markersize=8)
    ax.set_xlabel(_QUANTITIES["slope"].plain)
    ax.set_ylabel(_QUANTITIES["kernel"].plain)
    return ax

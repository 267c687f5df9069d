"""Draw the book's figures: every function takes an ``Axes``, draws on it and returns it.

Nothing is solved here: the arrays, or the dynamics asked for theirs, come from the caller.
The look is one: the kernel regime blue, feature learning vermilion, targets and guides grey; exact
curves solid, frozen kernels dashed, limits dash-dotted, measurements dots; labels at the ends of
lines instead of legends. ``matplotlib.pyplot.style.use("flbook.flbook")`` sets the style.
"""

import numpy as np
from matplotlib.axes import Axes

from flbook._support.shared import shared

__all__ = ["PALETTE", "curve", "data", "fit", "guide", "kernel_curve", "neuron_plane", "over_time"]

PALETTE: dict[str, str] = {role: colours["light"] for role, colours in shared("palette").items()}
"""The colour of every role, as the browser's light theme has it."""

_KINDS = {
    "exact": {"linestyle": "-"},
    "frozen": {"linestyle": (0, (5, 2.5))},
    "limit": {"linestyle": (0, (6, 2, 1, 2))},
    "measured": {"linestyle": "none", "marker": "o", "markeredgewidth": 0},
}

_AXIS_LABELS = {
    "slope": "slope $v$",
    "residual": "distance to the target $v - v^*$",
    "loss": "loss $L$",
    "kernel": "kernel $K$",
    "alignment": r"alignment $\zeta$",
    "kernel_alignment": r"kernel alignment $\zeta_K$",
    "imbalance": r"imbalance $\Delta$",
    "determinant": "determinant $D$",
}

_RELATIVE_LABELS = {
    "slope": "$v(t)/v(0)$",
    "residual": "distance to the target, relative to the start",
    "loss": "$L(t)/L(0)$",
    "kernel": "kernel relative to its start $K(t)/K(0)$",
    "alignment": r"$\zeta(t)/\zeta(0)$",
    "kernel_alignment": r"$\zeta_K(t)/\zeta_K(0)$",
    "imbalance": r"imbalance relative to its start $\Delta(t)/\Delta(0)$",
    "determinant": "determinant relative to its start $D(t)/D(0)$",
}


def _check_axes(ax) -> Axes:
    if not isinstance(ax, Axes):
        raise TypeError(f"ax must be a matplotlib Axes, got {type(ax).__name__}")
    return ax


def _check_choice(name: str, value: str, choices) -> str:
    if value not in choices:
        raise ValueError(f"{name} must be one of {', '.join(map(repr, choices))}, got {value!r}")
    return value


def _check_pair(first: str, x, second: str, y) -> tuple[np.ndarray, np.ndarray]:
    x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    if x.ndim != 1 or x.shape != y.shape or x.size == 0:
        raise ValueError(
            f"{first} and {second} must be one-dimensional arrays of one length, at least 1, "
            f"got shapes {x.shape} and {y.shape}"
        )
    return x, y


def curve(
    ax, x, y, *, role="ink", kind="exact", label=None, at=None, offset=(6.0, 0.0), **line
) -> Axes:
    """Draw one curve, with its label at its end.

    Parameters
    ----------
    ax : Axes
    x, y : array_like, shape (n,)
    role : str
        A key of `PALETTE`: the colour.
    kind : {"exact", "frozen", "limit", "measured"}
        Solid, dashed, dash-dotted, dots.
    label : str, optional
        Written at the last finite point, in the curve's colour or the darker one for its text.
    at : float, optional
        Write it at the point nearest to this abscissa instead.
    offset : tuple of float
        From that point to the label, in typographic points.
    **line
        Passed on to `Axes.plot`.

    Returns
    -------
    Axes
        `ax`.

    Raises
    ------
    TypeError
        If `ax` is not an ``Axes``.
    ValueError
        If the shapes differ, no point is finite, or `role` or `kind` is unknown.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> ax = curve(Figure().subplots(), [0, 1], [2, 3], role="kernel", label="lazy")
    >>> ax.lines[0].get_color(), ax.texts[0].get_text()
    ('#0072B2', 'lazy')
    """
    _check_axes(ax)
    x, y = _check_pair("x", x, "y", y)
    colour = PALETTE[_check_choice("role", role, PALETTE)]
    style = _KINDS[_check_choice("kind", kind, _KINDS)]
    finite = np.flatnonzero(np.isfinite(x) & np.isfinite(y))
    if finite.size == 0:
        raise ValueError("x and y must have a finite point in common, got none")
    ax.plot(x, y, color=colour, **{**style, **line})
    if label is not None:
        end = finite[-1 if at is None else np.abs(x[finite] - at).argmin()]
        colour = PALETTE.get(f"{role}_text", colour)
        ax.annotate(
            label,
            (x[end], y[end]),
            xytext=offset,
            textcoords="offset points",
            ha="left" if offset[0] >= 0 else "right",
            va="center",
            color=colour,
            annotation_clip=False,
        )
    return ax


def over_time(ax, dynamics, quantity, t, *, relative=False, **style) -> Axes:
    """Draw a quantity of one network against time.

    Parameters
    ----------
    ax : Axes
    dynamics : GradientFlow, KernelFlow or GradientDescent
        Of a single network: its Gram matrix has shape ().
    quantity : str
        A method of `dynamics`: slope, residual, loss, kernel, alignment, ...
    t : array_like, shape (n,)
        Times, or step counts.
    relative : bool
        Divide by the value at time 0.
    **style
        As in `curve`.

    Returns
    -------
    Axes
        `ax`, with its axes labelled.

    Raises
    ------
    TypeError
        If `ax` is not an ``Axes``.
    ValueError
        If `dynamics` does not know `quantity`, or holds several networks.

    Examples
    --------
    >>> import flbook as fl
    >>> from matplotlib.figure import Figure
    >>> flow = fl.GradientFlow(fl.Network(2), fl.Task(1, 1, 1), fl.Gram(1, 0, 1))
    >>> over_time(Figure().subplots(), flow, "kernel", [0, 1]).get_ylabel()
    'kernel $K$'
    """
    _check_axes(ax)
    _check_choice("quantity", quantity, _AXIS_LABELS)
    method = getattr(dynamics, quantity, None)
    if method is None:
        raise ValueError(f"{type(dynamics).__name__} has no quantity {quantity!r}")
    t = np.asarray(t, dtype=float)
    values = np.asarray(method(t))
    if values.shape != t.shape:
        raise ValueError(
            f"dynamics must hold a single network, got {values.shape[: -t.ndim or None]}"
        )
    if relative:
        values = values / method(0)
    curve(ax, t, values, **style)
    ax.set_xlabel("time $t$")
    ax.set_ylabel((_RELATIVE_LABELS if relative else _AXIS_LABELS)[quantity])
    return ax


def guide(ax, value, label=None, *, axis="y", at=0.0, offset=(4, 4)) -> Axes:
    """Draw a thin grey line at a value of the vertical (or horizontal) axis.

    Parameters
    ----------
    ax : Axes
    value : float
    label : str, optional
    axis : {"y", "x"}
        The axis on which `value` lies.
    at : float
        Where along the line the label stands, as a fraction of it.
    offset : tuple of float
        From there to the label, in typographic points.

    Returns
    -------
    Axes
        `ax`.

    Raises
    ------
    TypeError
        If `ax` is not an ``Axes``.
    ValueError
        If `value` is not finite or `axis` unknown.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> guide(Figure().subplots(), 0.5, "target").texts[0].get_text()
    'target'
    """
    _check_axes(ax)
    _check_choice("axis", axis, ("y", "x"))
    if not np.isfinite(value):
        raise ValueError(f"value must be finite, got {value}")
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


def data(ax, x, y) -> Axes:
    """Draw the data as grey points.

    Parameters
    ----------
    ax : Axes
    x, y : array_like, shape (n,)

    Returns
    -------
    Axes
        `ax`.

    Raises
    ------
    TypeError
        If `ax` is not an ``Axes``.
    ValueError
        If the shapes differ.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> len(data(Figure().subplots(), [0, 1], [1, 2]).lines[0].get_xdata())
    2
    """
    _check_axes(ax)
    x, y = _check_pair("x", x, "y", y)
    return curve(ax, x, y, role="ghost", kind="measured")


def fit(ax, slope, reach, **style) -> Axes:
    """Draw the line through the origin that a network of a given slope predicts.

    Parameters
    ----------
    ax : Axes
    slope : float
        v: the prediction at a is v a.
    reach : tuple of float
        The two inputs between which the line is drawn.
    **style
        As in `curve`.

    Returns
    -------
    Axes
        `ax`.

    Raises
    ------
    TypeError
        If `ax` is not an ``Axes``.
    ValueError
        If `slope` is not finite.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> [float(y) for y in fit(Figure().subplots(), 0.5, (-2, 4)).lines[0].get_ydata()]
    [-1.0, 2.0]
    """
    _check_axes(ax)
    if not np.isfinite(slope):
        raise ValueError(f"slope must be finite, got {slope}")
    ends = np.asarray(reach, dtype=float)
    return curve(ax, ends, slope * ends, **style)


def neuron_plane(ax, network, start, end, *, role="feature", reach=None) -> Axes:
    r"""Draw every neuron as a point (u_i, w_i), at its start and at its end, on its hyperbola.

    Gradient flow keeps :math:`\eta_w u_i^2 - \eta_u w_i^2` of each neuron, so that each slides
    along one branch of a hyperbola.

    Parameters
    ----------
    ax : Axes
    network : Network
        For its learning rates.
    start, end : tuple of array_like, shape (n,)
        The weights (u, w) of the same neurons at two times.
    role : str
        Colour of the end, a key of `PALETTE`.
    reach : float, optional
        Half the side of the plane; by default a little more than the largest weight.

    Returns
    -------
    Axes
        `ax`: a faint line for each hyperbola, a strong one for the way gone, dots for the starts
        (grey) and the ends.

    Raises
    ------
    TypeError
        If `ax` is not an ``Axes``.
    ValueError
        If the four arrays do not have one shape (n,), a learning rate is 0, or `role` is unknown.

    Examples
    --------
    >>> import flbook as fl
    >>> from matplotlib.figure import Figure
    >>> ax = neuron_plane(Figure().subplots(), fl.Network(1), ([1.0], [0.0]), ([1.25], [0.75]))
    >>> len(ax.lines)  # the hyperbola, the way, the start, the end
    4
    """
    _check_axes(ax)
    _check_choice("role", role, PALETTE)
    if network.eta_u == 0 or network.eta_w == 0:
        raise ValueError(
            "network must train both layers, "
            f"got eta_u = {network.eta_u:g} and eta_w = {network.eta_w:g}"
        )
    u0, w0 = _check_pair("start[0]", start[0], "start[1]", start[1])
    u1, w1 = _check_pair("end[0]", end[0], "end[1]", end[1])
    if u0.shape != u1.shape:
        raise ValueError(
            f"start and end must hold the same neurons, got {u0.size} and {u1.size} of them"
        )
    if reach is None:
        reach = 1.1 * max(np.abs(a).max() for a in (u0, w0, u1, w1))
    root_u, root_w = np.sqrt(network.eta_u), np.sqrt(network.eta_w)
    span = reach / min(root_u, root_w)
    for a0, b0, a1, b1 in zip(u0 / root_u, w0 / root_w, u1 / root_u, w1 / root_w, strict=True):
        way = (b0, b1) if abs(a0) >= abs(b0) else (a0, a1)
        for ends, colour, order in (((-span, span), "grid", 1), (way, role, 2)):
            a, b = _branch(a0, b0, *ends)
            ax.plot(a * root_u, b * root_w, color=PALETTE[colour], linewidth=1, zorder=order)
    curve(ax, u0, w0, role="guide", kind="measured", markersize=3)
    curve(ax, u1, w1, role=role, kind="measured")
    ax.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal")
    ax.set(xlabel="output weight $u_i$", ylabel="input weight $w_i$")
    ax.grid(visible=False)
    return ax


def _branch(a, b, first, last, points=65) -> tuple[np.ndarray, np.ndarray]:
    """Give the branch of the hyperbola a² − b² = constant through the point (a, b).

    The smaller coordinate, which takes every value on the branch, runs from `first` to `last`.
    """
    constant = (a - b) * (a + b)
    parameter = np.linspace(first, last, points)
    other = np.sqrt(np.maximum(parameter**2 + abs(constant), 0))
    if abs(a) >= abs(b):
        return np.copysign(other, a), parameter
    return parameter, np.copysign(other, b)


def kernel_curve(
    ax, dynamics, t, *, role="ink", label=None, offset=(4.0, -14.0), reach=None
) -> Axes:
    r"""Draw the kernel against the slope: the curve that training moves along.

    It is the hyperbola :math:`K^2 = 4\gamma^2\eta_u\eta_w v^2 + K_{\min}^2` in thin grey with its
    asymptotes, and the way gone between the times `t` on top of it.

    Parameters
    ----------
    ax : Axes
    dynamics : GradientFlow
        Of a single network: its Gram matrix has shape ().
    t : array_like, shape (n,)
        Increasing times; the way starts in a ring and ends in a dot.
    role : str
        Colour of the way, a key of `PALETTE`.
    label : str, optional
        Written at the end of the way.
    offset : tuple of float
        From there to the label, in typographic points.
    reach : float, optional
        The curve is drawn for slopes from -reach to reach; by default a little beyond the way.

    Returns
    -------
    Axes
        `ax`, with its axes labelled.

    Raises
    ------
    TypeError
        If `ax` is not an ``Axes``.
    ValueError
        If `role` is unknown or `dynamics` holds several networks.

    Examples
    --------
    >>> import flbook as fl
    >>> from matplotlib.figure import Figure
    >>> flow = fl.GradientFlow(fl.Network(2), fl.Task(1, 1, 1), fl.Gram(1, 0, 1))
    >>> kernel_curve(Figure().subplots(), flow, [0, 1, 2]).get_ylabel()
    'kernel $K$'
    """
    _check_axes(ax)
    _check_choice("role", role, PALETTE)
    t = np.asarray(t, dtype=float)
    slope, kernel = np.asarray(dynamics.slope(t)), np.asarray(dynamics.kernel(t))
    if slope.shape != t.shape:
        raise ValueError(
            f"dynamics must hold a single network, got {slope.shape[: -t.ndim or None]}"
        )
    slope, kernel = _check_pair("t", slope, "kernel", kernel)
    network = dynamics.network
    signal = 2 * network.gamma * np.sqrt(network.eta_u * network.eta_w)
    if reach is None:
        reach = 1.2 * np.abs(slope).max()
    grid = np.linspace(-reach, reach, 201)
    whole = np.hypot(signal * grid, dynamics.kernel_floor)
    curve(ax, grid, whole, role="guide", linewidth=1, zorder=1)
    curve(ax, grid, signal * np.abs(grid), role="ghost", kind="frozen", linewidth=1, zorder=1)
    curve(ax, slope, kernel, role=role, label=label, offset=offset)
    ring = PALETTE["paper"]
    curve(ax, slope[:1], kernel[:1], role=role, kind="measured", markersize=8)
    curve(ax, slope[:1], kernel[:1], role=role, kind="measured", markersize=5, markerfacecolor=ring)
    curve(ax, slope[-1:], kernel[-1:], role=role, kind="measured", markersize=8)
    ax.set_xlabel(_AXIS_LABELS["slope"])
    ax.set_ylabel(_AXIS_LABELS["kernel"])
    return ax

"""What the figure functions draw: data, labels, colours; and what they refuse."""

import json
import re
from pathlib import Path

import matplotlib.style
import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

import flbook as fl
from flbook import figures

PACKAGE = Path(fl.__file__).parent
TASK = fl.Task(second_moment=1.0, cross_moment=0.8, label_moment=1.0)
NETWORK = fl.Network(3, gamma=0.5, eta_u=2.0, eta_w=0.5)
U, W = np.array([1.0, -0.4, 0.3]), np.array([0.2, 0.9, -1.1])
GRAM = fl.Gram.from_weights(U, W)
FLOW = fl.GradientFlow(NETWORK, TASK, GRAM)
TIMES = np.array([0.0, 0.5, 1.0, 4.0])


@pytest.fixture
def ax():
    return Figure().subplots()


def coordinates(line):
    return np.asarray(line.get_xdata()), np.asarray(line.get_ydata())


def contrast(colour: str, other: str) -> float:
    """Contrast ratio of two colours by the definition of WCAG 2."""

    def luminance(hex_colour):
        parts = [int(hex_colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return float(np.dot([0.2126, 0.7152, 0.0722], linear))

    light, dark = sorted((luminance(colour), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_the_palette_is_the_shared_one():
    shared = json.loads((PACKAGE / "shared" / "palette.json").read_text(encoding="utf-8"))
    assert {role: colours["light"] for role, colours in shared.items()} == figures.PALETTE
    assert figures.PALETTE["kernel"].upper() == "#0072B2"
    assert figures.PALETTE["feature"].upper() == "#D55E00"


def test_label_colours_can_be_read_on_white():
    for role in ("kernel", "feature"):
        assert contrast(figures.PALETTE[f"{role}_text"], "#FFFFFF") >= 4.5
    for role in ("ink", "muted", "guide"):
        assert contrast(figures.PALETTE[role], "#FFFFFF") >= 4.5


def test_the_style_sheet_is_found_and_takes_its_colours_from_the_palette():
    with matplotlib.style.context("flbook.flbook"):
        assert matplotlib.rcParams["figure.constrained_layout.use"]
        assert to_hex(matplotlib.rcParams["savefig.facecolor"]) == "#ffffff"
    colours = set(re.findall(r": ([0-9A-F]{6})$", (PACKAGE / "flbook.mplstyle").read_text(), re.M))
    assert {f"#{c}" for c in colours} <= {c.upper() for c in figures.PALETTE.values()}


@pytest.mark.parametrize(
    ("kind", "linestyle", "marker"),
    [
        ("exact", "-", "None"),
        ("frozen", "--", "None"),
        ("limit", "--", "None"),
        ("measured", "None", "o"),
    ],
)
def test_curve_draws_the_data_in_the_look_of_its_kind(ax, kind, linestyle, marker):
    assert figures.curve(ax, [0, 1, 2], [3, 5, 4], role="feature", kind=kind) is ax
    (line,) = ax.lines
    x, y = coordinates(line)
    assert x.tolist() == [0, 1, 2]
    assert y.tolist() == [3, 5, 4]
    assert line.get_color() == figures.PALETTE["feature"]
    assert line.get_linestyle() == linestyle
    assert line.get_marker() == marker
    assert not ax.texts


def test_frozen_and_limit_can_be_told_apart(ax):
    for kind in ("frozen", "limit"):
        figures.curve(ax, [0, 1], [0, 1], kind=kind)
    first, second = (line._unscaled_dash_pattern for line in ax.lines)
    assert first != second


def test_curve_writes_its_label_at_the_last_finite_point_in_the_colour_of_its_text(ax):
    figures.curve(ax, [0, 1, 2], [3, 5, np.nan], role="kernel", label="lazy")
    (text,) = ax.texts
    assert text.get_text() == "lazy"
    assert text.xy == (1, 5)
    assert text.get_color() == figures.PALETTE["kernel_text"]
    assert text.get_ha() == "left"


def test_curve_writes_its_label_where_it_is_told(ax):
    figures.curve(ax, [0, 1, 2], [3, 5, 4], label="here", at=0.9, offset=(-6, 2))
    (text,) = ax.texts
    assert text.xy == (1, 5)
    assert text.get_position() == (-6, 2)
    assert text.get_ha() == "right"


@pytest.mark.parametrize("quantity", ["slope", "residual", "loss", "kernel", "alignment"])
def test_over_time_draws_what_the_dynamics_say(ax, quantity):
    assert figures.over_time(ax, FLOW, quantity, TIMES, role="kernel", label="it") is ax
    t, values = coordinates(ax.lines[0])
    np.testing.assert_array_equal(t, TIMES)
    np.testing.assert_array_equal(values, getattr(FLOW, quantity)(TIMES))
    assert ax.get_xlabel() == "time $t$"
    assert quantity in ax.get_ylabel() or quantity == "residual"
    assert ax.texts[0].get_text() == "it"


def test_over_time_relative_to_the_start(ax):
    figures.over_time(ax, FLOW, "kernel", TIMES, relative=True)
    _, values = coordinates(ax.lines[0])
    np.testing.assert_allclose(values, FLOW.kernel(TIMES) / FLOW.kernel(0.0), rtol=1e-15)
    assert values[0] == 1
    assert "K(t)/K(0)" in ax.get_ylabel()


@pytest.mark.parametrize(("axis", "method"), [("y", "get_ydata"), ("x", "get_xdata")])
def test_guide_draws_a_grey_line_across_the_axes(ax, axis, method):
    assert figures.guide(ax, 0.7, "target", axis=axis) is ax
    (line,) = ax.lines
    assert set(getattr(line, method)()) == {0.7}
    assert line.get_color() == figures.PALETTE["guide"]
    assert ax.texts[0].get_text() == "target"
    figures.guide(ax, 0.2, axis=axis)
    assert len(ax.texts) == 1


def test_data_and_fit_draw_the_points_and_the_line(ax):
    assert figures.data(ax, [1, 2, 3], [2, 1, 0]) is ax
    assert figures.fit(ax, 0.5, (-2, 4), role="kernel", label="v = 0.5") is ax
    points, line = ax.lines
    assert coordinates(points)[1].tolist() == [2, 1, 0]
    assert points.get_linestyle() == "None"
    assert coordinates(line)[0].tolist() == [-2, 4]
    assert coordinates(line)[1].tolist() == [-1, 2]


def test_neuron_plane_draws_every_neuron_on_its_hyperbola(ax):
    u, w = FLOW.weights(2.0, U, W)
    assert figures.neuron_plane(ax, NETWORK, (U, W), (u, w), role="kernel") is ax
    *paths, start, end = ax.lines
    assert len(paths) == 2 * U.size
    for number, line in enumerate(paths):
        i = number // 2
        x, y = coordinates(line)
        invariant = NETWORK.eta_w * x**2 - NETWORK.eta_u * y**2
        own = NETWORK.eta_w * U[i] ** 2 - NETWORK.eta_u * W[i] ** 2
        np.testing.assert_allclose(invariant, own, rtol=0, atol=1e-9)
    for i, way in enumerate(paths[1::2]):
        x, y = coordinates(way)
        np.testing.assert_allclose((x[0], y[0]), (U[i], W[i]), rtol=1e-9)
        np.testing.assert_allclose((x[-1], y[-1]), (u[i], w[i]), rtol=1e-9)
        assert way.get_color() == figures.PALETTE["kernel"]
    np.testing.assert_array_equal(coordinates(start), (U, W))
    np.testing.assert_array_equal(coordinates(end), (u, w))
    reach = ax.get_xlim()[1]
    assert reach > max(abs(a).max() for a in (U, W, u, w))
    assert ax.get_xlim() == ax.get_ylim() == (-reach, reach)
    for hyperbola in paths[::2]:
        x, y = coordinates(hyperbola)
        assert max(abs(x).max(), abs(y).max()) >= reach


def test_neuron_plane_with_a_given_reach(ax):
    figures.neuron_plane(ax, NETWORK, (U, W), (U, W), reach=7.5)
    assert ax.get_xlim() == (-7.5, 7.5)


def test_kernel_curve_draws_the_hyperbola_and_the_way_along_it(ax):
    assert figures.kernel_curve(ax, FLOW, TIMES, role="feature", label="rich", reach=2.0) is ax
    whole, asymptotes, way, outer, inner, end = ax.lines
    v, kernel = coordinates(whole)
    assert (v[0], v[-1]) == (-2.0, 2.0)
    np.testing.assert_allclose(kernel**2, v**2 + FLOW.kernel_floor**2, rtol=1e-12)
    np.testing.assert_allclose(coordinates(asymptotes)[1], np.abs(v), rtol=1e-12, atol=1e-12)
    np.testing.assert_array_equal(coordinates(way), (FLOW.slope(TIMES), FLOW.kernel(TIMES)))
    for dot, t in ((outer, TIMES[0]), (inner, TIMES[0]), (end, TIMES[-1])):
        np.testing.assert_array_equal(coordinates(dot)[0], [FLOW.slope(t)])
        np.testing.assert_array_equal(coordinates(dot)[1], [FLOW.kernel(t)])
    assert ax.texts[0].get_text() == "rich"
    assert ax.get_ylabel() == "kernel $K$"


def test_kernel_curve_reaches_beyond_the_way(ax):
    figures.kernel_curve(ax, FLOW, TIMES)
    assert coordinates(ax.lines[0])[0].max() == pytest.approx(1.2 * np.abs(FLOW.slope(TIMES)).max())


CALLS = {
    "curve": lambda ax: figures.curve(ax, [0, 1], [0, 1]),
    "over_time": lambda ax: figures.over_time(ax, FLOW, "slope", TIMES),
    "guide": lambda ax: figures.guide(ax, 1.0),
    "data": lambda ax: figures.data(ax, [0], [0]),
    "fit": lambda ax: figures.fit(ax, 1.0, (0, 1)),
    "neuron_plane": lambda ax: figures.neuron_plane(ax, NETWORK, (U, W), (U, W)),
    "kernel_curve": lambda ax: figures.kernel_curve(ax, FLOW, TIMES),
}


@pytest.mark.parametrize("name", CALLS)
def test_what_is_not_an_axes_is_refused(name):
    with pytest.raises(TypeError, match="ax must be a matplotlib Axes, got Figure"):
        CALLS[name](Figure())


def test_every_public_drawing_function_is_tested_for_it():
    assert set(figures.curves.__all__) - {"PALETTE"} == set(CALLS)


SEVERAL = fl.GradientFlow(NETWORK, TASK, fl.Gram([1.0, 2.0], [0.0, 0.5], [1.0, 3.0]))


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (lambda ax: figures.curve(ax, [0, 1], [0]), r"x and y .* got shapes \(2,\) and \(1,\)"),
        (lambda ax: figures.curve(ax, [], []), "at least 1"),
        (lambda ax: figures.curve(ax, [0], [np.nan]), "finite point in common"),
        (lambda ax: figures.curve(ax, [0], [0], role="red"), "role must be one of .* got 'red'"),
        (lambda ax: figures.curve(ax, [0], [0], kind="wavy"), "kind must be one of .* got 'wavy'"),
        (lambda ax: figures.over_time(ax, FLOW, "weights", TIMES), "quantity must be one of"),
        (
            lambda ax: figures.over_time(
                ax, fl.KernelFlow(NETWORK, TASK, GRAM), "alignment", TIMES
            ),
            "KernelFlow has no quantity 'alignment'",
        ),
        (lambda ax: figures.over_time(ax, SEVERAL, "slope", TIMES), r"single network, got \(2,\)"),
        (lambda ax: figures.guide(ax, np.inf), "value must be finite, got inf"),
        (lambda ax: figures.guide(ax, 0, axis="z"), "axis must be one of 'y', 'x', got 'z'"),
        (lambda ax: figures.data(ax, [0, 1], [[0, 1]]), "x and y"),
        (lambda ax: figures.fit(ax, np.nan, (0, 1)), "slope must be finite, got nan"),
        (
            lambda ax: figures.neuron_plane(ax, NETWORK, (U, W[:2]), (U, W)),
            r"start\[0\] and start\[1\]",
        ),
        (
            lambda ax: figures.neuron_plane(ax, NETWORK, (U, W), (U[:2], W[:2])),
            "same neurons, got 3 and 2",
        ),
        (
            lambda ax: figures.neuron_plane(ax, fl.Network(3, eta_u=0), (U, W), (U, W)),
            "train both layers, got eta_u = 0 and eta_w = 1",
        ),
        (lambda ax: figures.neuron_plane(ax, NETWORK, (U, W), (U, W), role="no"), "role must be"),
        (lambda ax: figures.kernel_curve(ax, SEVERAL, TIMES), r"single network, got \(2,\)"),
        (lambda ax: figures.kernel_curve(ax, FLOW, TIMES, role="no"), "role must be"),
    ],
)
def test_bad_input_is_refused_by_name(ax, draw, message):
    with pytest.raises(ValueError, match=message):
        draw(ax)

"""What curves and their companions draw, and what they refuse."""

import numpy as np
import pytest
from drawing import FLOW, GRAM, NETWORK, SEVERAL, TASK, TIMES, coordinates
from matplotlib.colors import to_rgba

import flbook as fl
from flbook import figures


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


def test_a_band_covers_exactly_what_lies_between_its_curves(ax):
    figures.band(ax, [1.0, 2.0, 3.0], [0.0, 1.0, 0.5], [1.0, 1.5, 4.0], role="feature")
    (shade,) = ax.collections
    (path,) = shade.get_paths()
    assert path.contains_point((2.0, 1.25)) and path.contains_point((2.9, 3.5))
    assert not path.contains_point((2.0, 0.9)) and not path.contains_point((1.5, 1.4))
    assert tuple(shade.get_facecolor()[0]) == to_rgba(figures.PALETTE["feature"], 0.2)


def test_a_band_refuses_crossed_curves_and_other_shapes(ax):
    with pytest.raises(ValueError, match=r"low must be nowhere above high, got 2\.0 at index 1"):
        figures.band(ax, [1.0, 2.0], [0.0, 2.0], [1.0, 1.0])
    with pytest.raises(ValueError, match="x and high"):
        figures.band(ax, [1.0, 2.0], [0.0, 2.0], [1.0])
    with pytest.raises(ValueError, match="role"):
        figures.band(ax, [1.0], [0.0], [1.0], role="mauve")


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


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (lambda ax: figures.curve(ax, [0, 1], [0]), r"x and y .* got shapes \(2,\) and \(1,\)"),
        (lambda ax: figures.curve(ax, [], []), "at least 1"),
        (lambda ax: figures.curve(ax, [0], [np.nan]), "finite point in common"),
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
        (lambda ax: figures.kernel_curve(ax, SEVERAL, TIMES), r"single network, got \(2,\)"),
        (lambda ax: figures.kernel_curve(ax, FLOW, TIMES, reach=0), "reach must be .* got 0"),
        (lambda ax: figures.over_time(ax, FLOW, "slope", [TIMES]), "t and slope must be"),
    ],
)
def test_bad_input_is_refused_by_name(ax, draw, message):
    with pytest.raises(ValueError, match=message):
        draw(ax)

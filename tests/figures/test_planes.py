"""What the planes show, and what they refuse."""

import numpy as np
import pytest
from drawing import FLOW, GRAM, NETWORK, TASK, U, W, coordinates

import flbook as fl
from flbook import figures


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


@pytest.mark.parametrize(
    ("draw", "message"),
    [
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
        (
            lambda ax: figures.neuron_plane(ax, fl.Network([3, 4]), (U, W), (U, W)),
            r"network must hold a single network, got shape \(2,\)",
        ),
        (
            lambda ax: figures.neuron_plane(ax, NETWORK, (U, W), (U, W), reach=-1),
            "reach must be finite and greater than 0, got -1",
        ),
    ],
)
def test_the_neuron_plane_names_what_it_cannot_draw(ax, draw, message):
    with pytest.raises(ValueError, match=message):
        draw(ax)


def test_on_each_circle_of_the_universal_plane_the_kernel_grows_by_its_ratio(ax):
    ratios = (1.01, 1.5, 7.0)
    figures.universal_plane(ax, (1e-3, 1e5), (1e-4, 1e3), ratios)
    assert len(ax.lines) == len(ratios)
    task = fl.Task(1.0, 1.0, 1.0)
    for line, ratio in zip(ax.lines, ratios, strict=True):
        x, y = coordinates(line)
        assert x.min() >= 1e-3 * (1 - 1e-12) and y.min() >= 1e-4 * (1 - 1e-12)
        # η = γ = 1 and perpendicular layers: D = uu·ww = x² and Δ = uu − ww = 2y
        uu = y + np.hypot(x, y)
        flow = fl.GradientFlow(fl.Network(2), task, fl.Gram(uu, 0.0, x**2 / uu))
        np.testing.assert_allclose(flow.kernel(np.inf) / flow.kernel(0), ratio, rtol=1e-9)


def test_the_universal_plane_keeps_its_ranges_and_names_its_regions(ax):
    figures.universal_plane(ax, (1e-3, 1e5), (1e-4, 1e3))
    assert ax.get_xlim() == (1e-3, 1e5) and ax.get_ylim() == (1e-4, 1e3)
    assert ax.get_xscale() == ax.get_yscale() == "log"
    names = {text.get_text(): text.get_position() for text in ax.texts[3:]}
    task = fl.Task(1.0, 1.0, 1.0)
    for name, (x, y) in names.items():
        uu = y + np.hypot(x, y)
        place = fl.locate(fl.Network(2), task, fl.Gram(uu, 0.0, x**2 / uu))
        assert place.regime.value == name
    assert set(names) == {regime.value for regime in fl.Regime}


@pytest.mark.parametrize("ends", [(0.0, 1.0), (2.0, 1.0), (1.0, 1.0), (-1.0, 1.0)])
def test_the_universal_plane_refuses_ranges_that_have_no_logarithm(ax, ends):
    with pytest.raises(ValueError, match="x_range"):
        figures.universal_plane(ax, ends, (1.0, 2.0))
    with pytest.raises(ValueError, match="y_range"):
        figures.universal_plane(ax, (1.0, 2.0), ends)
    with pytest.raises(ValueError, match="kernel_ratio"):
        figures.universal_plane(ax, (1.0, 2.0), (1.0, 2.0), ratios=(1.0,))


def test_every_scaling_lies_off_the_shaded_half_and_in_the_region_that_names_its_phase(ax):
    figures.exponent_plane(ax, reach=3.0)
    (shaded,) = ax.patches
    rng = np.random.default_rng(5)
    for powers in rng.uniform(-1.0, 1.0, (200, 5)):
        scaling = fl.Scaling(*powers)
        b, k, g, _, _ = scaling.exponents()
        assert not shaded.get_path().contains_point((-g, k - b), radius=-1e-9)
    regions = {text.get_text(): text.get_position() for text in ax.texts}
    for name, phase, aligned in (
        ("kernel, layers align", fl.Phase.KERNEL, True),
        ("kernel, no alignment", fl.Phase.KERNEL, False),
        ("features, vanishing start", fl.Phase.FEATURE_VANISHING, True),
    ):
        x, y = regions[name]
        # cγ = x − 1 puts −g at x; e_u − e_w = 2(y − x) lifts k − b to y
        scaling = fl.Scaling(x - 1, 0.0, 0.0, y - x, x - y)
        powers = scaling.exponents()
        assert np.isclose(-powers.alignment, x) and np.isclose(powers.kernel - powers.signal, y)
        assert scaling.phase() is phase and (powers.alignment >= 0) is aligned
    x, y = regions["no parametrisation"]
    assert shaded.get_path().contains_point((x, y))


def test_the_boundaries_of_the_exponent_plane(ax):
    figures.exponent_plane(ax, reach=1.5)
    critical, partial = (coordinates(line) for line in ax.lines)
    np.testing.assert_array_equal(critical, ([-1.5, 0.0], [0.0, 0.0]))
    np.testing.assert_array_equal(partial, ([0.0, 0.0], [0.0, 1.5]))
    with pytest.raises(ValueError, match="reach"):
        figures.exponent_plane(ax, reach=0)


def test_the_half_plane_shows_norms_as_distances_and_the_alignment_as_a_cosine(ax):
    before, after = fl.Gram(2.0, -1.0, 3.0), fl.Gram(4.0, 2.5, 3.0)
    figures.half_plane(ax, before, after, role="feature", label="seen", at="start")
    first_ray, second_ray, move, ring, _, dot = (coordinates(line) for line in ax.lines)
    for ray, gram in ((first_ray, before), (second_ray, after)):
        x, y = ray[0][1], ray[1][1]
        assert ray[0][0] == ray[1][0] == 0
        assert np.hypot(x, y) == pytest.approx(gram.norm_product, rel=1e-14)
        assert x / np.hypot(x, y) == pytest.approx(gram.alignment, rel=1e-14)
    np.testing.assert_allclose(move, ([-1.0, 2.5], [np.sqrt(5.0), np.sqrt(5.75)]), rtol=1e-14)
    assert (ring[0][0], dot[0][0]) == (-1.0, 2.5)
    (text,) = ax.texts
    assert text.get_text() == "seen" and text.xy == (-1.0, np.sqrt(5.0))
    assert ax.get_aspect() == 1 and ax.get_ylim()[0] == 0


def test_the_half_plane_at_a_height_of_its_own(ax):
    figures.half_plane(ax, fl.Gram(1.0, 0.0, 1.0), fl.Gram(2.0, 1.0, 1.0), height=7.0)
    np.testing.assert_array_equal(coordinates(ax.lines[2]), ([0.0, 1.0], [7.0, 7.0]))
    assert not ax.texts


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"height": -1.0}, "height"),
        ({"height": np.inf}, "height"),
        ({"at": "middle"}, "at"),
        ({"before": fl.Gram([1.0, 2.0], 0.0, 1.0)}, "before"),
        ({"after": fl.Gram([1.0, 2.0], 0.0, 1.0)}, "after"),
    ],
)
def test_the_half_plane_names_what_it_cannot_draw(ax, change, name):
    grams = {"before": fl.Gram(1.0, 0.0, 1.0), "after": fl.Gram(1.0, 0.5, 1.0)}
    with pytest.raises(ValueError, match=f"^{name} must"):
        figures.half_plane(ax, **{**grams, **change})


def test_what_is_not_a_network_or_a_gram_matrix_is_refused(ax):
    with pytest.raises(TypeError, match="network must be a Network"):
        figures.neuron_plane(ax, GRAM, (U, W), (U, W))
    with pytest.raises(TypeError, match="after must be a Gram"):
        figures.half_plane(ax, GRAM, NETWORK)
    with pytest.raises(TypeError, match="dynamics must be a GradientFlow"):
        figures.kernel_curve(ax, fl.KernelFlow(NETWORK, TASK, GRAM), [0, 1])

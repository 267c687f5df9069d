"""Families of networks: what the page says of recipes, joint limits and boundaries, measured."""

import dataclasses

import numpy as np
import pytest

import flbook as fl
from flbook import simulation

UNIT = fl.Task(1.0, 1.0, 1.0)


def handicap(scaling):
    powers = scaling.exponents()
    return powers.kernel - powers.signal + powers.alignment


def random_limits(count, seed):
    random = np.random.default_rng(seed)
    return [
        fl.Scaling(*random.integers(-4, 5, 5) / 2, width=random.choice([0, 0.5, 1, 2]))
        for _ in range(count)
    ]


def flow_of(scaling, kappa, size=400, seed=0, task=UNIT):
    network = scaling.at_scale(kappa, base_width=1 if scaling.width else 5)
    return fl.GradientFlow(network, task, network.sample_gram(size=size, seed=seed))


def test_what_the_start_gives_up_and_what_the_target_demands_make_the_kernel_ratio():
    """The exact formula, for unequal rates, random slopes, targets of both signs, widths from 1."""
    random = np.random.default_rng(1)
    knobs = 10 ** random.uniform(-1.5, 1.5, (5, 2000))
    network = fl.Network(random.integers(1, 50, 2000), *knobs)
    target = random.choice([-3.0, 0.2, 1.0], 2000)
    task = fl.Task(2.0, 2 * target, 2 * target**2)
    gram = network.sample_gram(seed=2)
    flow = fl.GradientFlow(network, task, gram)
    arrives = np.isclose(flow.slope(np.inf), target)
    demand = 2 * network.gamma * np.sqrt(network.eta_u * network.eta_w) * target / flow.kernel(0)
    ratio = np.sqrt(1 - flow.kernel_alignment(0) ** 2 + demand**2)
    np.testing.assert_allclose(flow.outcome.kernel_ratio[arrives], ratio[arrives], rtol=1e-6)


def test_exponents_are_joined_as_the_page_says():
    for scaling in random_limits(300, seed=3):
        b, k, g, o, _ = scaling.exponents()
        j = abs(scaling.eta_w + scaling.sigma2_u - scaling.eta_u - scaling.sigma2_w) / 2
        assert k - b == pytest.approx(-g + j)
        assert o == pytest.approx(-g - scaling.width / 2)
        if o > 0:
            assert k - b >= o + scaling.width / 2


@pytest.mark.parametrize("width", [0, 0.5, 1, 2])
@pytest.mark.parametrize("tilt", [0, 0.5, -1])
def test_the_kernel_alignment_of_the_start_dies_by_width_and_by_imbalance(width, tilt):
    scaling = fl.Scaling(0.3, 0.2, 0.2, tilt, 0, width=width)
    kappa = np.array([1e4, 1e8, 1e12]) ** (1 / max(width, 1))
    network = scaling.at_scale(kappa, base_width=5)
    gram = network.sample_gram(size=4000, seed=4)
    zeta = np.abs(fl.GradientFlow(network, UNIT, gram).kernel_alignment(0))
    power = np.polyfit(np.log(kappa), np.log(np.median(zeta, axis=0)), 1)[0]
    assert power == pytest.approx(-handicap(scaling) - width / 2, abs=0.03)


def test_a_common_factor_in_the_rates_and_a_large_slope_leave_wide_networks_in_their_phase():
    random = np.random.default_rng(5)
    left = 0
    for scaling in random_limits(120, seed=6):
        if scaling.width == 0 or scaling.phase() is not fl.Phase.KERNEL:
            continue
        by = random.uniform(-3, 3)
        turned = dataclasses.replace(scaling, eta_u=scaling.eta_u + by, eta_w=scaling.eta_w + by)
        larger = dataclasses.replace(
            scaling, sigma2_u=scaling.sigma2_u + 3, sigma2_w=scaling.sigma2_w + 3
        )
        for recipe in (turned, larger):
            assert recipe.phase() is fl.Phase.KERNEL
            kappa = 1e12 ** (1 / max(scaling.width, 1))
            assert np.median(flow_of(recipe, kappa).outcome.kernel_excursion) < 1e-2
        left += 1
    assert left > 30


def test_a_larger_rate_of_one_layer_alone_may_well_leave_the_kernel_phase():
    unbalanced = fl.Scaling(-0.3, 0, -2, -1, -1)
    assert unbalanced.phase() is fl.Phase.KERNEL
    turned = dataclasses.replace(unbalanced, eta_u=1)
    assert turned.phase() is fl.Phase.FEATURE_VANISHING
    assert np.median(flow_of(turned, 1e10).outcome.kernel_ratio) > 10


def test_a_smaller_multiplier_or_smaller_scales_in_both_layers_do_leave_it():
    for scaling in random_limits(200, seed=7):
        if scaling.phase() is fl.Phase.KERNEL:
            multiplier = dataclasses.replace(scaling, gamma=scaling.gamma - 20)
            small = dataclasses.replace(
                scaling, sigma2_u=scaling.sigma2_u - 20, sigma2_w=scaling.sigma2_w - 20
            )
            assert {multiplier.phase(), small.phase()} == {fl.Phase.FEATURE_VANISHING}


@pytest.mark.parametrize(("target", "kept"), [(1.9, True), (2.5, False), (3.0, False)])
def test_steps_take_a_wide_network_out_of_the_kernel_regime_and_the_flow_does_not(target, kept):
    width = 10**4
    network = fl.SCALINGS["ntk"].at_width(width)
    u0, w0 = network.sample_weights(seed=8)
    rate = target / (network.gamma**2 * (3 * (u0 @ u0) + w0 @ w0))
    steps = fl.Network(width, network.gamma, eta_u=rate, eta_w=3 * rate)
    run = simulation.gradient_descent(steps, UNIT, u0, w0, [0, 150])
    assert run.kernel[0] == pytest.approx(target)
    assert abs(run.residual[-1]) < 1e-4
    assert (abs(run.kernel[-1] / run.kernel[0] - 1) < 0.01) == kept
    flow = fl.GradientFlow(steps, UNIT, fl.Gram.from_weights(u0, w0))
    assert flow.outcome.kernel_excursion < 0.01


@pytest.mark.parametrize("width", [1, 2, 5])
@pytest.mark.parametrize(("eta_u", "eta_w"), [(1.0, 1.0), (0.3, 2.0)])
def test_a_large_start_of_few_neurons_is_unlearned(width, eta_u, eta_w):
    rates = fl.Factors(eta_u=eta_u, eta_w=eta_w)
    large = fl.Scaling(0, 1, 1, 0, 0, width=0, factors=rates)
    assert large.phase() is fl.Phase.FEATURE_UNLEARNING
    network = large.at_scale(1e8, base_width=width)
    u0, w0 = network.sample_weights(seed=9)
    flow = fl.GradientFlow(network, UNIT, fl.Gram.from_weights(u0, w0))
    run = simulation.gradient_flow(
        network, UNIT, u0, w0, [0, flow.outcome.time_to_shrink(1e-12)], atol=1e-9
    )
    kept = run.kernel[-1] / run.kernel[0]
    assert kept == pytest.approx(np.sqrt(1 - run.kernel_alignment[0] ** 2), rel=1e-5)
    assert kept < 1
    if width > 1:
        assert abs(run.alignment[-1]) < 1e-3 < abs(run.alignment[0])
    else:
        assert abs(run.alignment[-1]) == pytest.approx(1)


@pytest.mark.parametrize("powers", [(0, 1, 0.5, 0, 0), (0, 1, 1, 0.5, 0), (1, 0, 0, 0, 1)])
@pytest.mark.parametrize("width", [1, 3])
def test_a_large_start_is_lazy_where_one_layer_outweighs_the_other(powers, width):
    scaling = fl.Scaling(*powers, width=0)
    assert scaling.phase() is fl.Phase.KERNEL
    network = scaling.at_scale(1e12, base_width=width)
    flow = fl.GradientFlow(network, UNIT, network.sample_gram(size=500, seed=10))
    assert np.median(flow.outcome.kernel_excursion) < 1e-4


def test_half_of_the_single_neurons_with_enormous_weights_keep_less_than_one_over_root_2():
    large = fl.Scaling(0, 1, 1, 0, 0, width=0).at_scale(1e12, base_width=1)
    ratio = fl.Ensemble(large, UNIT, size=100_000, seed=11).kernel_ratio
    assert np.median(ratio) == pytest.approx(2**-0.5, abs=0.005)


@pytest.mark.parametrize("lead", [-0.75, 0, 0.75])
@pytest.mark.parametrize("width", [0, 1])
def test_a_path_becomes_straight_and_goes_where_the_exponents_say(lead, width):
    scaling = fl.Scaling(-0.7, 0.1, 0.3, 0.2, 0.4, width=width)
    powers = scaling.exponents()
    scaling = dataclasses.replace(
        scaling, gamma=scaling.gamma + lead - (powers.kernel - powers.signal)
    )
    kappa = np.array([1e6, 1e8, 1e10, 1e12])
    network = scaling.at_scale(kappa, base_width=5)
    place = fl.locate(network, UNIT, network.sample_gram(size=2000, seed=12))
    for values, power in (
        (place.by_determinant, -scaling.exponents().alignment),
        (place.radius, lead),
    ):
        steps = np.diff(np.log(np.median(values, axis=0))) / np.diff(np.log(kappa))
        np.testing.assert_allclose(steps, power, atol=0.02)


@pytest.mark.parametrize("layer", ["u", "w"])
@pytest.mark.parametrize("by", [-1.0, 0.5])
def test_two_of_the_five_powers_are_idle(layer, by):
    """Renaming the weights of a layer changes nothing, weight by weight."""
    scaling = fl.Scaling(-0.6, 0.2, -0.3, 0.1, 0.5, factors=fl.Factors(eta_w=2.0))
    other = dataclasses.replace(
        scaling,
        gamma=scaling.gamma + by,
        **{
            f"sigma2_{layer}": getattr(scaling, f"sigma2_{layer}") - 2 * by,
            f"eta_{layer}": getattr(scaling, f"eta_{layer}") - 2 * by,
        },
    )
    assert other.exponents() == pytest.approx(scaling.exponents())
    runs = []
    for recipe in (scaling, other):
        network = recipe.at_width(30)
        start = network.sample_weights(seed=13)
        runs.append(simulation.gradient_flow(network, UNIT, *start, [0, 0.3, 1, 3]))
    for name in ("slope", "kernel", "alignment"):
        one, two = (getattr(run, name) for run in runs)
        np.testing.assert_allclose(one, two, rtol=1e-8)


def test_three_forms_of_one_recipe_train_alike():
    forms = [fl.SCALINGS["mean_field"], fl.SCALINGS["mup"], fl.Scaling(0, -1, -1, 0, 0)]
    slopes = []
    for form in forms:
        network = form.at_width(100)
        start = network.sample_weights(seed=14)
        slopes.append(simulation.gradient_flow(network, UNIT, *start, [0, 1, 5]).slope)
    np.testing.assert_allclose(slopes[1:], slopes[:1] * np.ones((2, 1)), rtol=1e-8)


def test_critical_recipes_end_on_the_circle_of_their_factors():
    for name, radius in (("mean_field", 1), ("mup", 1), ("xavier", 2)):
        network = fl.SCALINGS[name].at_width(10**10)
        place = fl.locate(network, UNIT, network.sample_gram(size=500, seed=15))
        assert np.median(place.radius) == pytest.approx(radius, rel=1e-4)
        assert np.median(place.kernel_ratio) == pytest.approx(np.sqrt(1 + radius**-2), rel=1e-4)


@pytest.mark.parametrize("g", [-0.4, 0.3, 0.8])
@pytest.mark.parametrize("half", [-1.2, -0.5, 0.0, 0.5, 1.2])
def test_kernel_and_input_weights_part_in_the_unbalanced_corner_and_only_there(g, half):
    recipe = fl.Scaling(-0.5, -0.5 - g - half, -0.5 - g + half, 0, 0)
    widths = 10 ** np.arange(2, 13, 2)
    network = recipe.at_width(widths)
    gram = network.sample_gram(size=200, seed=16)
    flow = fl.GradientFlow(network, UNIT, gram)
    way = np.sqrt(flow.at(np.inf).displacement.ww / gram.ww)
    kernel, weights = (
        np.polyfit(np.log(widths), np.log(np.median(a, axis=0)), 1)[0] > -0.1
        for a in (np.abs(flow.outcome.kernel_drift), way)
    )
    assert kernel == (g >= abs(half))
    assert weights == (g >= max(half, 0))
    assert (kernel != weights) == (max(half, 0) <= g < abs(half))


def test_input_weights_move_much_under_a_kernel_that_stays_by_real_weights():
    network = fl.Scaling(-0.5, 0.5, -2.5, 0, 0).at_width(300)
    u0, w0 = network.sample_weights(seed=17)
    end = fl.GradientFlow(network, UNIT, fl.Gram.from_weights(u0, w0)).outcome.time_to_shrink(1e-6)
    run = simulation.gradient_flow(network, UNIT, u0, w0, [0, end])
    assert abs(run.kernel[-1] / run.kernel[0] - 1) < 0.01
    assert np.linalg.norm(run.w[-1] - w0) > 5 * np.linalg.norm(w0)


def test_layers_that_know_of_each_other_obey_the_plane_and_not_the_exponents():
    width = 10**6
    network = fl.SCALINGS["ntk"].at_width(width)
    u0 = network.sample_weights(seed=18)[0]
    flow = fl.GradientFlow(network, UNIT, fl.Gram.from_weights(u0, u0))
    assert fl.SCALINGS["ntk"].phase() is fl.Phase.KERNEL
    assert flow.outcome.kernel_ratio == pytest.approx(width**-0.5, rel=0.01)


def test_five_equal_layers_of_enormous_weights_are_lazy_if_one_learns_much_faster():
    network = fl.Network(5, 1.0, 1e3, 1e3, np.array([1.0, 1e-3]), np.array([1.0, 1e3]))
    ensemble = fl.Ensemble(network, UNIT, size=1000, seed=1)
    unlearned, kept = np.median(ensemble.kernel_ratio, axis=0)
    assert unlearned < 0.99
    assert kept > 0.9999


def test_a_large_start_ends_perpendicular_from_two_neurons_on():
    network = fl.Network(np.array([1, 2, 5]), 1.0, 100.0, 100.0)
    alignment = np.abs(fl.Ensemble(network, UNIT, size=200, seed=1).final_alignment)
    assert alignment[:, 0] == pytest.approx(1, abs=1e-6)
    assert (np.median(alignment[:, 1:], axis=0) < 1e-3).all()


@pytest.mark.parametrize("width", [1000, 10**6])
@pytest.mark.parametrize("overlap", [0.0, -2.0])
def test_the_catapult_comes_down_up_to_about_four(width, overlap):
    for first, settles in ((2.5, True), (3.9, True), (4.1, False)):
        network = fl.Network(width, width**-0.5, eta_u=first / 2, eta_w=first / 2)
        descent = fl.GradientDescent(network, UNIT, network.typical_gram(overlap=overlap))
        assert (descent.loss(5000) < 1e-20) == settles

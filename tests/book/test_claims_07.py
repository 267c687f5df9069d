"""Chapter 7, the plane of one network: what its sentences say, over corners and by real weights."""

import numpy as np
import pytest
from corners import decades

import flbook as fl
from flbook import simulation

EDGE = 1 / np.sqrt(1.01**2 - 1)
UNIT = fl.Task(1.0, 1.0, 1.0)


def anywhere(size, seed):
    """Draw networks over the whole plane: unequal rates, starts and targets of both signs."""
    random = np.random.default_rng(seed)
    draw = decades(random, size)
    network = fl.Network(2, gamma=draw(-2, 2), eta_u=draw(-3, 3), eta_w=draw(-3, 3))
    target = draw(-2, 2) * random.choice([-1, 1], size)
    overlap = draw(-3, 1) * random.choice([-1, 1], size) * np.abs(target) / network.gamma
    product = np.hypot(overlap, draw(-2, 3) * np.abs(target) / network.gamma)
    length = draw(-2, 2)
    gram = fl.Gram(product * length, overlap, product / length)
    return network, fl.Task(0.7, 0.7 * target, 0.7 * target**2), gram


def test_place_and_start_say_how_the_kernel_changes_and_the_horizontal_alone_how_layers_end():
    network, task, gram = anywhere(4000, seed=1)
    place = fl.locate(network, task, gram)
    outcome = fl.GradientFlow(network, task, gram).outcome
    ratio = np.sqrt((1 + place.radius**2) / (place.start**2 + place.radius**2))
    np.testing.assert_allclose(outcome.kernel_ratio, ratio, rtol=1e-9)
    zeta = 1 / np.sqrt(1 + place.by_determinant**2)
    np.testing.assert_allclose(np.abs(outcome.final_alignment), zeta, rtol=1e-9)


@pytest.mark.parametrize("width", [1, 2, 3, 30])
@pytest.mark.parametrize(("eta_u", "eta_w"), [(0.2, 3.0), (2.0, 0.1)])
def test_both_laws_hold_for_real_weights(width, eta_u, eta_w):
    network = fl.Network(width, 0.8, sigma_u=1.2, sigma_w=0.3, eta_u=eta_u, eta_w=eta_w)
    task = fl.Task(1.5, 1.5 * -0.6, 1.0)
    u0, w0 = network.sample_weights(seed=width)
    gram = fl.Gram.from_weights(u0, w0)
    place = fl.locate(network, task, gram)
    end = fl.GradientFlow(network, task, gram).outcome.time_to_shrink(1e-8)
    run = simulation.gradient_flow(network, task, u0, w0, [0, end])
    ratio = np.sqrt((1 + place.radius**2) / (place.start**2 + place.radius**2))
    assert run.kernel[-1] / run.kernel[0] == pytest.approx(ratio, rel=1e-5)
    zeta = 1 / np.sqrt(1 + place.by_determinant**2)
    assert abs(run.alignment[-1]) == pytest.approx(zeta, rel=1e-5)


@pytest.mark.parametrize("tolerance", [0.01, 0.1, 1.0])
def test_beyond_its_distance_every_network_is_lazy_on_the_whole_path(tolerance):
    network, task, gram = anywhere(4000, seed=2)
    place = fl.locate(network, task, gram)
    needed = np.maximum(1, np.abs(place.start)) / np.sqrt((1 + tolerance) ** 2 - 1)
    beyond = place.radius >= needed
    assert 100 < beyond.sum() < 3900
    assert place.kernel_excursion[beyond].max() <= tolerance * (1 + 1e-9)
    times = np.geomspace(1e-9, 1e9, 200)
    flow = fl.GradientFlow(network, task, gram)
    kernel = flow.kernel(times)[beyond] / flow.kernel(0)[beyond, None]
    assert np.abs(kernel - 1).max() <= tolerance * (1 + 1e-9)


def test_from_slope_0_the_distance_is_necessary_too():
    x = np.array([0.0, 1.0, 5.0, 7.0, 7.1, 30.0])
    for rho in (0.999 * EDGE, 1.001 * EDGE):
        across = np.minimum(x, rho)
        up = np.sqrt(rho**2 - across**2)
        uu = up + np.hypot(across, up)
        place = fl.locate(fl.Network(2), UNIT, fl.Gram(uu, 0.0, across**2 / uu))
        np.testing.assert_allclose(place.radius, rho)
        assert (place.kernel_excursion <= 0.01).all() == (rho > EDGE)


def test_a_lazy_network_may_end_with_any_angle():
    network, task, gram = anywhere(4000, seed=3)
    place = fl.locate(network, task, gram)
    lazy = place.kernel_excursion <= 0.01
    zeta = np.abs(fl.GradientFlow(network, task, gram).outcome.final_alignment)[lazy]
    assert zeta.min() < 0.01 and zeta.max() > 0.99
    by_determinant = place.regime[lazy] == fl.Regime.LAZY_BY_DETERMINANT
    assert zeta[by_determinant].max() < 0.3


def test_no_network_is_called_lazy_and_rich_and_names_follow_the_way():
    network, task, gram = anywhere(4000, seed=4)
    place = fl.locate(network, task, gram)
    lazy = place.kernel_excursion <= 0.01
    named = np.isin(place.regime, [fl.Regime.LAZY_BY_DETERMINANT, fl.Regime.LAZY_BY_IMBALANCE])
    assert (lazy == named).all()
    rich = place.regime == fl.Regime.RICH
    assert (place.radius < np.maximum(1, np.abs(place.start)))[rich].all()


@pytest.mark.parametrize("factor", [1e-3, 7.0])
def test_a_common_factor_in_both_rates_moves_nothing_but_the_time(factor):
    network, task, gram = anywhere(500, seed=5)
    faster = fl.Network(2, network.gamma, 1, 1, factor * network.eta_u, factor * network.eta_w)
    one, other = fl.locate(network, task, gram), fl.locate(faster, task, gram)
    np.testing.assert_allclose(other.by_determinant, one.by_determinant, rtol=1e-12)
    np.testing.assert_allclose(other.by_imbalance, one.by_imbalance, rtol=1e-9)
    np.testing.assert_allclose(other.kernel_ratio, one.kernel_ratio, rtol=1e-9)
    half = [fl.GradientFlow(net, task, gram).outcome.half_time for net in (network, faster)]
    np.testing.assert_allclose(half[1] * factor, half[0], rtol=1e-9)


def test_a_target_of_minus_the_start_brings_the_kernel_back_from_a_way_that_the_names_see():
    rho = np.array([0.1, 1.0, 3.0, 10.0])
    length = np.hypot(1, rho)
    place = fl.locate(fl.Network(2, eta_u=1, eta_w=4), UNIT, fl.Gram(length / 2, -1, 2 * length))
    np.testing.assert_allclose(place.radius, rho)
    np.testing.assert_allclose(place.kernel_ratio, 1)
    np.testing.assert_allclose(place.kernel_excursion, 1 - rho / np.hypot(1, rho))
    assert place.regime[0] is fl.Regime.RICH
    assert place.regime[-1] is fl.Regime.LAZY_BY_DETERMINANT


def test_steps_move_the_point_towards_the_corner():
    network = fl.Network(50, 0.3, eta_u=0.05, eta_w=0.2)
    u0, w0 = network.sample_weights(seed=6)
    run = simulation.gradient_descent(network, UNIT, u0, w0, [0, 200])
    assert abs(run.residual[-1]) < 1e-6
    before, after = (
        fl.locate(network, UNIT, fl.Gram.from_weights(run.u[n], run.w[n])) for n in (0, 1)
    )
    assert after.radius < 0.999 * before.radius
    assert after.by_determinant < before.by_determinant


@pytest.mark.parametrize("width", [1, 2, 200])
def test_an_output_layer_of_zeros_lies_on_the_vertical_axis(width):
    network = fl.Network(width, width**-0.5, eta_u=0.5, eta_w=2)
    w0 = network.sample_weights(seed=8)[1]
    gram = fl.Gram.from_weights(np.zeros(width), w0)
    place = fl.locate(network, UNIT, gram)
    assert place.by_determinant == 0
    assert place.by_imbalance == pytest.approx(width**-0.5 * 0.5 * (w0 @ w0) / 2)
    assert fl.GradientFlow(network, UNIT, gram).outcome.final_alignment == pytest.approx(1)


def test_one_neuron_is_lazy_by_imbalance_or_not_at_all():
    network = fl.Network(1, eta_u=0.3, eta_w=5.0, sigma_u=3.0)
    place = fl.locate(network, UNIT, network.sample_gram(size=2000, seed=9))
    assert fl.Regime.LAZY_BY_IMBALANCE in place.regime
    assert fl.Regime.LAZY_BY_DETERMINANT not in place.regime
    balanced = fl.GradientFlow(fl.Network(1, eta_u=4, eta_w=9), UNIT, fl.Gram(4 / 9, 2 / 3, 1.0))
    t = np.linspace(0, 1, 5)
    np.testing.assert_allclose(balanced.kernel(t), 2 * 6 * balanced.slope(t), rtol=1e-9)


@pytest.mark.parametrize("overlap", [0.0, 1.5])
def test_seven_times_smaller_floors_lead_from_one_per_cent_to_root_two_from_slope_0_only(overlap):
    sigma = 10.0 ** np.linspace(-2, 1, 3001)
    network = fl.Network(10, 10**-0.5, sigma, sigma)
    flow = fl.GradientFlow(network, UNIT, network.typical_gram(overlap=overlap))
    growth = flow.outcome.kernel_ratio
    one_per_cent, root_two = (np.argmin(np.abs(growth - k)) for k in (1.01, 2**0.5))
    quotient = flow.kernel_floor[one_per_cent] / flow.kernel_floor[root_two]
    assert (6.5 < quotient < 7.5) == (overlap == 0)


def test_lazy_by_imbalance_means_that_one_layer_does_most_of_the_learning_not_nearly_all():
    network, task, gram = anywhere(40_000, seed=9)
    place = fl.locate(network, task, gram)
    by_w, by_u = network.eta_w * gram.uu, network.eta_u * gram.ww
    share = np.maximum(by_w, by_u) / (by_w + by_u)
    share = share[place.regime == fl.Regime.LAZY_BY_IMBALANCE]
    assert share.min() > 0.5
    assert share.min() < 0.9


def test_a_start_beyond_the_target_is_rich_outside_the_unit_circle():
    start = fl.Gram(np.hypot(3, 2), 3.0, np.hypot(3, 2))
    place = fl.locate(fl.Network(2), UNIT, start)
    assert 1 < place.radius < place.start
    assert place.regime is fl.Regime.RICH

"""Chapter 5: what its sentences say of plateaus, jumps and relearning, over corners."""

import numpy as np
import pytest
from corners import decades, signal

import flbook as fl
from flbook import simulation

INFINITY = float("inf")
UP, DOWN = fl.Task(1.0, 1.0, 1.0), fl.Task(1.0, -1.0, 1.0)
RATES = [(0.2, 5.0), (4.0, 0.25), (1.0, 1.0)]


def half_time(flow):
    """Return the time at which the slope is half its target."""
    share = 0.5 * np.abs(flow.task.target) / np.abs(flow.residual(0))
    times = np.atleast_2d(flow.time_to_shrink(np.ravel(share)))
    return np.diag(times)[0] if flow.shape == () else np.diag(times)


def formula(flow):
    last = signal(flow.network)
    start = flow.kernel_floor**2 / (flow.kernel(0) - last * flow.slope(0))
    return np.log(2 * last / (start + flow.kernel_floor**2 / 2 / last)) / last


def tiny(size, seed, *, slope, floor):
    """Draw flows to the target 1 with given slopes and floors: unequal rates, unbalanced layers."""
    random = np.random.default_rng(seed)
    draw = decades(random, size)
    eta_u, eta_w = draw(-3, 3), draw(-3, 3)
    network = fl.Network(2, draw(-2, 2), eta_u=eta_u, eta_w=eta_w)
    kernel = np.hypot(slope, floor) * signal(network)
    share = random.uniform(0, 1, size)
    overlap = slope / network.gamma
    imbalance = share * floor * signal(network) / network.gamma**2
    total = kernel / network.gamma**2
    uu, ww = (total + imbalance) / (2 * eta_w), (total - imbalance) / (2 * eta_u)
    return fl.GradientFlow(network, UP, fl.Gram(uu, overlap, ww))


@pytest.mark.parametrize("slope", [0.0, 0.01, -0.01, -1.0, -50.0])
def test_one_formula_for_the_wait_from_every_kind_of_start(slope):
    flow = tiny(300, 1, slope=slope, floor=1e-6)
    last = signal(flow.network)
    assert last * half_time(flow) == pytest.approx(last * formula(flow), abs=0.015)


def test_from_a_fixed_wrong_slope_the_wait_tends_to_twice_that_from_slope_zero():
    quotients = []
    for floor in (1e-2, 1e-4, 1e-6):
        zero = half_time(tiny(50, 2, slope=0.0, floor=floor))
        quotients.append(half_time(tiny(50, 2, slope=-1.0, floor=floor)) / zero)
    apart = 2 - np.array(quotients)
    assert (apart > 0).all()
    assert (apart[1:] < 0.75 * apart[:-1]).all()
    assert (apart[-1] < 0.08).all()


@pytest.mark.parametrize("slope", [0.0, 1e-3, -1e-3, -1.0, -50.0])
def test_every_start_makes_the_same_logistic_jump(slope):
    flow = tiny(40, 3, slope=slope, floor=1e-4)
    last, wait = signal(flow.network), half_time(flow)
    for tau in np.linspace(-4, 8, 13):
        clock = wait + tau / last
        slopes = np.diag(flow.slope(clock))
        assert slopes == pytest.approx(np.full(40, 1 / (1 + np.exp(-tau))), abs=2e-3)


def test_the_distance_to_the_logistic_curve_falls_with_the_square_of_the_scale():
    random = np.random.default_rng(4)
    u, w = random.normal(size=(2, 50))
    gaps = []
    for sigma in (1e-2, 1e-3):
        network = fl.Network(50, 0.02, eta_u=25.0, eta_w=100.0)
        flow = fl.GradientFlow(network, UP, fl.Gram.from_weights(sigma * u, sigma * w))
        t = np.linspace(0, 20, 2001)
        logistic = 1 / (1 + np.exp(-2 * (t - half_time(flow))))
        gaps.append(np.abs(flow.slope(t) - logistic).max())
        assert gaps[-1] < 1.1 * flow.kernel_floor / 4
    assert gaps[0] / gaps[1] == pytest.approx(100, rel=0.02)


@pytest.mark.parametrize("overlap", [0.0, 0.99, -0.99])
@pytest.mark.parametrize(("eta_u", "eta_w"), RATES)
def test_ten_times_smaller_weights_wait_by_one_amount_longer(eta_u, eta_w, overlap):
    network = fl.Network(2, eta_u=eta_u, eta_w=eta_w)
    length = np.sqrt(eta_u * eta_w)
    waits = []
    for square in (1e-6, 1e-8, 1e-10):
        gram = fl.Gram(square * eta_u, overlap * square * length, square * eta_w)
        waits.append(half_time(fl.GradientFlow(network, UP, gram)))
    assert np.diff(waits) == pytest.approx(np.log(100) / (2 * length), rel=1e-3)


@pytest.mark.parametrize(("eta_u", "eta_w"), RATES)
@pytest.mark.parametrize(("sigma_u", "sigma_w"), [(1.0, 1.0), (0.3, 1.2), (2.0, 0.5)])
def test_in_the_mean_field_scaling_kernel_and_alignment_move_at_infinite_width(
    eta_u, eta_w, sigma_u, sigma_w
):
    width = 10**12
    network = fl.Network(width, 1 / width, sigma_u, sigma_w, eta_u * width, eta_w * width)
    end = fl.GradientFlow(network, UP, network.sample_gram(50, seed=5)).outcome
    floor = eta_w * sigma_u**2 + eta_u * sigma_w**2
    grown = np.hypot(1, 2 * np.sqrt(eta_u * eta_w) / floor)
    assert grown > 1.001
    assert end.kernel_ratio == pytest.approx(np.full(50, grown), rel=1e-4)
    assert end.final_alignment == pytest.approx(np.full(50, 1 / np.hypot(1, sigma_u * sigma_w)))
    wide = fl.Network(4000, 1 / 4000, sigma_u, sigma_w, eta_u * 4000, eta_w * 4000)
    u0, w0 = wide.sample_weights(seed=6)
    run = simulation.gradient_flow(wide, UP, u0, w0, [0, 40 / floor])
    assert run.kernel[-1] / run.kernel[0] == pytest.approx(grown, rel=0.06)
    assert run.alignment[-1] == pytest.approx(1 / np.hypot(1, sigma_u * sigma_w), abs=0.05)


def test_two_neurons_are_as_good_as_infinitely_many():
    width = 10**12
    t = np.linspace(0, 4, 21)
    for eta_u, eta_w in RATES:
        two = fl.Network(2, 0.5, eta_u=2 * eta_u, eta_w=2 * eta_w)
        root = 2**0.5
        limit = simulation.gradient_flow(two, UP, [root, 0], [0, root], t)
        network = fl.Network(width, 1 / width, eta_u=eta_u * width, eta_w=eta_w * width)
        flow = fl.GradientFlow(network, UP, network.sample_gram(seed=7))
        assert flow.slope(t) == pytest.approx(limit.slope, abs=1e-5)


def test_the_random_start_is_forgotten_and_the_random_floor_is_not():
    network = fl.Network(10**6, 1e-6, eta_u=1e6, eta_w=1e6)
    flow = fl.GradientFlow(network, UP, network.sample_gram(20_000, seed=8))
    shares = [
        [np.corrcoef(chance, slope)[0, 1] ** 2 for chance in (flow.slope(0), flow.kernel_floor)]
        for slope in flow.slope([0.2, 2]).T
    ]
    assert shares[0][0] > 0.7
    assert 0.8 < shares[1][1] < 0.9


@pytest.mark.parametrize("width", [1, 2, 3, 30])
@pytest.mark.parametrize(("eta_u", "eta_w"), RATES)
def test_the_way_to_the_opposite_leads_through_the_weights_at_birth(width, eta_u, eta_w):
    network = fl.Network(width, 1.0, 0.3, 0.3, eta_u, eta_w)
    u0, w0 = network.sample_weights(seed=width)
    assert abs(u0 @ w0) < 1
    born = fl.GradientFlow(network, DOWN, fl.Gram.from_weights(u0, w0))
    end = 40 / born.rate
    learned = simulation.gradient_flow(network, DOWN, u0, w0, [0, end], rtol=1e-12, atol=1e-14)
    u1, w1 = learned.u[-1], learned.w[-1]
    relearn = fl.GradientFlow(network, UP, fl.Gram.from_weights(u1, w1))
    back = relearn.time_to_shrink((1 - u0 @ w0) / -relearn.residual(0))
    again = simulation.gradient_flow(network, UP, u1, w1, [0, back, back + end])
    lengths = np.linalg.norm([u0, w0])
    ways = np.linalg.norm(np.hstack([again.u - u0, again.w - w0]), axis=1) / lengths
    assert ways[1] < 1e-4
    assert ways[[0, 2]].min() > 0.1


def test_a_network_born_beyond_what_it_learns_does_not_come_back_to_its_birth():
    network = fl.Network(3, eta_u=0.5, eta_w=2.0)
    u0, w0 = np.array([1.5, -0.5, 0.7]), np.array([-1.6, 0.9, 0.2])
    assert u0 @ w0 < -2
    learned = fl.GradientFlow(network, DOWN, fl.Gram.from_weights(u0, w0))
    u1, w1 = learned.weights(INFINITY, u0, w0)
    relearn = fl.GradientFlow(network, UP, fl.Gram.from_weights(u1, w1))
    u, w = relearn.weights(np.geomspace(1e-3, 30, 300), u1, w1)
    ways = np.linalg.norm(np.concatenate([u - u0, w - w0], axis=-1), axis=-1)
    assert ways.min() > 0.2 * np.linalg.norm([u0, w0])


def test_finite_steps_do_not_come_back_exactly():
    network = fl.Network(5, sigma_u=0.3, sigma_w=0.3, eta_u=0.2, eta_w=0.05)
    u0, w0 = network.sample_weights(seed=9)
    learned = simulation.gradient_descent(network, DOWN, u0, w0, [0, 2000])
    steps = np.arange(400)
    again = simulation.gradient_descent(network, UP, learned.u[-1], learned.w[-1], steps)
    ways = np.linalg.norm(np.hstack([again.u - u0, again.w - w0]), axis=1)
    assert ways.min() > 0.01 * np.linalg.norm([u0, w0])


@pytest.mark.parametrize(("eta_u", "eta_w"), RATES)
def test_the_layers_turn_before_the_kernel_grows(eta_u, eta_w):
    network = fl.Network(100, 0.01, 0.05, 0.05, 100 * eta_u, 100 * eta_w)
    flow = fl.GradientFlow(network, UP, network.typical_gram(overlap=0))
    t = np.linspace(0, 2 * half_time(flow), 4001)
    turned = t[np.argmax(flow.alignment(t) >= 0.9)]
    assert flow.kernel(turned) < 0.1 * flow.kernel(INFINITY)


def test_from_the_second_task_on_the_flow_waits_the_same_and_steps_wait_longer_each_time():
    network = fl.Network(100, gamma=0.01, sigma_u=0.1, sigma_w=0.1, eta_u=10, eta_w=40)
    flowed = stepped = network.sample_gram(seed=10)
    flow_waits, step_waits, steps = [], [], np.arange(400)
    for task in (UP, DOWN, UP, DOWN, UP):
        flow = fl.GradientFlow(network, task, flowed)
        descent = fl.GradientDescent(network, task, stepped)
        flow_waits.append(half_time(flow))
        step_waits.append(np.argmax(task.target * descent.slope(steps) >= 0.5))
        flowed, stepped = flow.gram(INFINITY), descent.gram(steps[-1])
    assert flow_waits[1:] == pytest.approx([flow_waits[1]] * 4, rel=1e-9)
    assert flow_waits[0] < 0.6 * flow_waits[1]
    assert (np.diff(step_waits) > 0).all()


@pytest.mark.parametrize("noise", [1.0, 3.0])
@pytest.mark.parametrize(("eta_u", "eta_w"), [(0.025, 0.1), (0.1, 0.025)])
def test_noise_lengthens_a_long_plateau_by_the_quotient_of_the_mean_logarithms(noise, eta_u, eta_w):
    random = np.random.default_rng(12)
    copies, waits = 400, []
    start = random.normal(size=(2, copies, 2))
    for sigma in (1e-2, 1e-5):
        u, w = sigma * start
        arrived = np.full(copies, np.inf)
        for count in range(1, 600):
            error = np.sum(u * w, axis=1) - 1
            arrived[(error >= -0.5) & np.isinf(arrived)] = count
            error = (error - noise * random.normal(size=copies))[:, None]
            u, w = u - eta_u * error * w, w - eta_w * error * u
        waits.append(np.median(arrived))
    label = 1 + noise * random.normal(size=100_000)
    pace = np.log(np.abs(1 + 0.05 * label)).mean()
    assert pace < np.log(1.05)
    assert np.diff(waits)[0] == pytest.approx(np.log(10**3) / pace, rel=0.04)


def test_zero_weights_stay_zero_whatever_the_noise():
    random = np.random.default_rng(13)
    x = random.normal(size=20)
    network = fl.Network(3, eta_u=0.1, eta_w=0.4)
    noisy = (x, x + 5 * random.normal(size=20))
    run = simulation.gradient_descent(network, noisy, np.zeros(3), np.zeros(3), [0, 50])
    assert not run.u.any()
    assert not run.w.any()


def test_luck_and_its_opposite_differ_by_a_time_without_the_scale():
    for sigma in (1e-3, 1e-6):
        for width in (4, 100, 10_000):
            network = fl.Network(width, 1 / width, sigma, 2 * sigma, width / 2, 2 * width)
            flow = fl.GradientFlow(network, UP, network.typical_gram(overlap=[1.5, -1.5]))
            first = 2 * flow.slope(0)[0] / flow.kernel_floor[0]
            lucky, unlucky = half_time(flow)
            assert unlucky - lucky == pytest.approx(np.arcsinh(first), rel=1e-3)


def test_the_two_limits_do_not_commute():
    slopes = []
    for sigma in (1e-2, 1e-5, 1e-8):
        network = fl.Network(100, 0.01, sigma, sigma, 50, 200)
        flow = fl.GradientFlow(network, UP, network.typical_gram(overlap=1))
        slopes.append(flow.slope([3.0, INFINITY]))
    early, last = np.transpose(slopes)
    assert (early < [0.1, 1e-6, 1e-12]).all()
    assert last == pytest.approx(np.ones(3))


@pytest.mark.parametrize(("eta_u", "eta_w"), RATES)
def test_smaller_starts_do_not_shorten_the_jump_and_larger_ones_do(eta_u, eta_w):
    network = fl.Network(100, 0.01, eta_u=100 * eta_u, eta_w=100 * eta_w)
    sigma = np.array([1e-6, 1e-3, 0.3, 3.0])
    start = fl.Gram(100 * sigma**2, 0, 100 * sigma**2)
    passes = fl.GradientFlow(network, UP, start).time_to_shrink([0.9, 0.1])
    lengths = passes[:, 1] - passes[:, 0]
    jump = 2 * np.log(9) / signal(network)
    np.testing.assert_allclose(lengths[:2], jump, rtol=1e-3)
    assert lengths[2] < jump
    assert lengths[3] < 0.2 * jump


def test_a_multiplier_below_one_over_the_width_is_rich_only_at_a_fixed_ratio_of_the_rates():
    width = 10.0 ** np.arange(2, 9, 2)
    for eta_w, falls in ((7.0, True), (width**4, False)):
        network = fl.Network(width, width**-1.5, 2.0, 0.5, 1.0, eta_w)
        flow = fl.GradientFlow(network, UP, network.typical_gram(overlap=0))
        quotient = flow.kernel_floor / signal(network)
        assert (np.diff(np.log(quotient)) < 0).all() == falls
        assert (quotient[-1] < 0.01) == falls


def test_noise_that_makes_the_mean_logarithm_negative_keeps_the_plateau_for_good():
    random = np.random.default_rng(13)
    u, w = 1e-3 * random.normal(size=(2, 200, 3))
    eta_u, eta_w, labels = 0.05, 0.2, 1 + 8.5 * np.array([-1.0, 1.0])
    factors = 1 + np.sqrt(eta_u * eta_w) * labels
    assert (factors > 0).all()
    assert np.log(factors).mean() < 0 < np.log(factors.mean())
    for _ in range(2000):
        error = (np.sum(u * w, axis=1) - random.choice(labels, 200))[:, None]
        u, w = u - eta_u * error * w, w - eta_w * error * u
    assert np.quantile(np.abs(np.sum(u * w, axis=1)), 0.9) < 1e-9

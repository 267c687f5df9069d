"""Chapter 9: what its sentences say of the test error, over corners."""

import numpy as np
import pytest
from corners import decades

import flbook as fl
from flbook import simulation

INFINITY = float("inf")
UNIT = fl.Task(1.0, 1.0, 1.0)


def corners(size, seed, *, narrowest=0.0):
    """Draw networks with unequal rates and layers, their tasks, and their random starts."""
    random = np.random.default_rng(seed)
    draw = decades(random, size)
    network = fl.Network(
        np.floor(draw(narrowest, 5)).astype(int),
        gamma=draw(-3, 1),
        sigma_u=draw(-3, 2),
        sigma_w=draw(-3, 2),
        eta_u=draw(-3, 1),
        eta_w=draw(-3, 1),
    )
    target, moment = draw(-1, 1), draw(-1, 1)
    task = fl.Task(moment, moment * target, moment * target**2)
    return network, task, network.sample_gram(seed=seed)


def share(flow):
    """Return ν, the output layer's share of the kernel at the start."""
    network = flow.network
    return network.gamma**2 * network.eta_u * flow.start.ww / flow.kernel(0)


def test_the_parts_are_those_of_a_trained_network_with_unequal_rates():
    noise, width = 784, 100
    network = fl.Network(width, width**-0.5, 0.8, 0.6, 0.5, 2.0)
    u0, w0 = simulation.sample_layers(network, noise + 1, seed=0)
    line = np.eye(noise + 1)[0]
    flow = fl.GradientFlow(network, UNIT, fl.Gram.from_weights(u0, w0 @ line))
    end = flow.outcome.time_to_shrink(1e-6)
    data = np.outer([1, -1], line), [1, -1]
    run = simulation.gradient_flow(network, data, u0, w0, [0, end], rtol=1e-7, atol=1e-10)
    across = np.eye(noise + 1)[1:] * np.sqrt(noise)
    before, after = run.predict(across)
    parts = fl.error_parts(flow, INFINITY, noise)
    luck = np.sqrt(2 / noise)
    assert np.mean(before**2) / 2 == pytest.approx(parts.random_function, rel=4 * luck)
    laziness = np.mean((after - before) ** 2) / 2
    assert laziness == pytest.approx(parts.laziness, rel=4 * luck)
    # with crossed rates the price would be more than twenty times as high
    price = noise * share(flow) ** 2 * flow.residual(0) ** 2 / (2 * width)
    assert laziness == pytest.approx(price, rel=0.5)


def test_the_price_of_laziness_in_every_lazy_corner():
    network, task, gram = corners(20_000, seed=1)
    flow = fl.GradientFlow(network, task, gram)
    strays = flow.outcome.kernel_excursion
    lazy = strays < 1e-2
    assert lazy.sum() > 5000
    unit = flow.residual(0) ** 2 * network.sigma_w**2 / gram.ww / 2
    price = unit * share(flow) ** 2
    gap = np.abs(fl.error_parts(flow, INFINITY, 1.0).laziness - price) / unit
    assert (gap < 2 * strays + 1e-12)[lazy].all()


def test_a_lazy_network_without_its_random_function_still_pays():
    noise, width = 784, 200
    line = np.eye(noise + 1)[0]
    inputs = np.eye(noise + 1) * np.sqrt(noise)
    inputs[0] = 0
    errors = []
    for sigma in (1.0, 3.0, 10.0):
        network = fl.Network(width, width**-0.5, sigma, sigma)
        u0, w0 = simulation.sample_layers(network, noise + 1, seed=3)
        slope = 1 + network.gamma * u0 @ w0 @ line
        flow = fl.GradientFlow(
            network, fl.Task(1, slope, slope**2), fl.Gram.from_weights(u0, w0 @ line)
        )
        assert flow.outcome.kernel_excursion < 0.02
        end = flow.outcome.time_to_shrink(1e-6)
        data = np.outer([1, -1], line), slope * np.array([1, -1])
        run = simulation.gradient_flow(network, data, u0, w0, [0, end], rtol=1e-6, atol=1e-9)
        before, after = run.predict(inputs[1:])
        errors.append(np.mean((after - before) ** 2) / 2)
    assert errors == pytest.approx([noise / (8 * width)] * 3, rel=0.25)
    rich = fl.Network(width, width**-0.5, 0.01, 0.01)
    flow = fl.GradientFlow(rich, UNIT, rich.typical_gram())
    assert fl.generalisation_error(flow, INFINITY, noise) < min(errors) / 100


def test_laziness_between_the_rich_and_the_lazy_end():
    width = 10**6
    x = 10.0 ** np.arange(-4, 3.01, 0.25)
    network = fl.Network(width, gamma=1.0, sigma_u=np.sqrt(x / width), sigma_w=np.sqrt(x / width))
    flow = fl.GradientFlow(network, UNIT, fl.Gram(x, 0.0, x))
    part = fl.error_parts(flow, INFINITY, 2.0 * width).laziness
    k = np.sqrt(1 + x**-2)
    assert part == pytest.approx(x**2 * (k + 1 - np.sqrt(2 * (k + 1))), rel=1e-8)
    assert (np.diff(part) > 0).all()
    assert part[0] / x[0] == pytest.approx(1, rel=0.03)
    assert part[-1] == pytest.approx(0.25, rel=1e-4)


@pytest.mark.parametrize("m", [1.0, 3.0])
def test_the_thresholds_of_having_learned_nothing(m):
    width, target = 10_000, -2.0
    task = fl.Task(m, m * target, m * target**2)
    nothing = task.label_moment / 2
    # X² = d·m/m⊥
    noise = 40.0
    sigma = np.sqrt(np.sqrt(width * m / noise) * np.abs(target) / np.sqrt(width))
    network = fl.Network(width, width**-0.5, sigma, sigma)
    flow = fl.GradientFlow(network, task, network.typical_gram(overlap=0))
    parts = fl.error_parts(flow, INFINITY, noise)
    assert parts.random_function == pytest.approx(nothing, rel=1e-3)
    assert parts.total == pytest.approx(nothing, rel=0.01)
    # ν²m⊥ = d·m, with ν = 1/5 for rates 1 and 4
    network = fl.Network(width, width**-0.5, sigma, sigma, 1.0, 4.0)
    flow = fl.GradientFlow(network, task, network.typical_gram(overlap=0))
    parts = fl.error_parts(flow, INFINITY, 25 * width * m)
    assert parts.laziness == pytest.approx(nothing, rel=0.01)


def test_with_equal_layers_the_random_function_outweighs_laziness_where_a_network_is_lazy():
    sigma = 10.0 ** np.arange(-1, 3)
    network = fl.Network(10_000, 0.01, sigma, sigma)
    flow = fl.GradientFlow(network, UNIT, network.sample_gram(size=500, seed=0))
    parts = fl.error_parts(flow, INFINITY, 1.0)
    lazy = flow.outcome.kernel_excursion < 0.01
    # a large start makes a wide network lazy
    assert lazy[:, 1:].mean() > 0.99
    assert (parts.random_function > 10 * parts.laziness)[lazy].all()


def test_a_large_output_layer_is_lazy_and_harmless():
    network = fl.Network(1000, 1.0, sigma_u=1.0, sigma_w=1e-5)
    flow = fl.GradientFlow(network, UNIT, network.sample_gram(size=100, seed=0))
    assert (flow.outcome.kernel_excursion < 1e-5).all()
    assert (fl.generalisation_error(flow, INFINITY, 1000.0) < 1e-4).all()


@pytest.mark.parametrize("overlap", [-3.0, 0.0, 3.0])
@pytest.mark.parametrize(("eta_u", "eta_w"), [(1.0, 1.0), (0.01, 3.0), (3.0, 0.01)])
def test_in_the_rich_corner_everything_off_the_line_vanishes(overlap, eta_u, eta_w):
    sigma = 10.0 ** -np.arange(1, 9)
    for width in (2, 3, 200):
        network = fl.Network(width, width**-0.5, sigma, sigma, eta_u, eta_w)
        flow = fl.GradientFlow(network, UNIT, network.typical_gram(overlap=overlap))
        parts = fl.error_parts(flow, INFINITY, 784.0)
        assert (np.diff(parts.total) < 0).all()
        assert parts.random_function[-1] < parts.laziness[-1] < 1e-10


def test_balanced_layers_grow_off_the_line_by_the_factor_of_their_kernel():
    network, task, gram = corners(2000, seed=2)
    ww = gram.uu * network.eta_w / network.eta_u
    balanced = fl.Gram(gram.uu, 0.9 * np.sqrt(gram.uu * ww), ww)
    flow = fl.GradientFlow(network, task, balanced)
    start, end = np.moveaxis(fl.off_line_variance(flow, [0, INFINITY]), -1, 0)
    assert end / start == pytest.approx(flow.outcome.kernel_ratio, rel=1e-10)


def along(flow, points=400):
    """Return times at which the slope has gone equal parts of its way, from 0 to ∞."""
    left = np.linspace(1, 0, points)[1:-1]
    times = [flow.outcome.time_to_shrink(fraction) for fraction in left]
    return np.concatenate([[0.0], times, [INFINITY]])


def early(number, gram_of, seed):
    """Yield single flows from a start, with noise and rates of every size, and their test error."""
    network, task, gram = corners(number, seed, narrowest=0.7)
    random = np.random.default_rng(seed)
    for i in range(number):
        names = ("gamma", "sigma_u", "sigma_w", "eta_u", "eta_w")
        one = fl.Network(network.width[i], **{name: getattr(network, name)[i] for name in names})
        single = fl.Task(task.second_moment[i], task.cross_moment[i], task.label_moment[i])
        flow = fl.GradientFlow(one, single, gram_of(one, single, gram.uu[i], gram.ww[i]))
        noise = 10.0 ** random.uniform(-1, 4)
        t = along(flow)
        yield flow, t, noise, fl.error_parts(flow, t, noise)


def test_early_stopping_from_zero_has_one_best_moment_and_a_bounded_gain():
    sharp = 0
    for flow, _, noise, parts in early(100, lambda net, task, uu, ww: fl.Gram(uu, 0.0, ww), 3):
        error, network, task = parts.total, flow.network, flow.task
        # the random function is never taken back
        assert (parts.off_line >= parts.random_function * (1 - 1e-12)).all()
        q = noise * network.eta_u * (network.gamma * network.sigma_w) ** 2
        q = q / (task.second_moment * flow.kernel(0))
        most = task.second_moment * task.target**2 / 2 * q**2 / (1 + q)
        gain = error[-1] - error.min()
        visible = 1e-12 * error[-1]
        assert gain <= most * (1 + 1e-9) + visible
        steps = np.diff(error)
        steps = np.sign(steps[np.abs(steps) > visible])
        assert (np.diff(steps) >= 0).all()
        if most > 1e3 * visible and flow.outcome.kernel_excursion < 1e-3 and q > 0.1:
            assert gain == pytest.approx(most, rel=0.01)
            sharp += 1
    assert sharp > 5


def test_early_stopping_needs_a_test_that_agrees_on_the_line():
    network = fl.Network(200, 200**-0.5, 0.3, 0.3, 0.5, 2.0)
    flow = fl.GradientFlow(network, UNIT, network.typical_gram(overlap=0))
    t = along(flow)
    same, steeper = (
        fl.generalisation_error(flow, t, 19.0, fl.Task(1, target, target**2)) for target in (1, 1.5)
    )
    assert same.argmin() < t.size - 1
    assert steeper.argmin() == t.size - 1


def test_early_stopping_from_the_other_starts():
    def beyond(net, task, uu, ww):
        uw = 2 * task.target / net.gamma
        factor = max(1.0, 1.01 * uw / np.sqrt(uu * ww))
        return fl.Gram(uu * factor, uw, ww * factor)

    for _, _, _, parts in early(40, beyond, 4):
        assert (np.diff(parts.total) <= 1e-12 * parts.total[0]).all()

    def wrong(net, task, uu, ww):
        return fl.Gram(uu, -0.9 * np.sqrt(uu * ww), ww)

    for flow, t, _, parts in early(40, wrong, 5):
        first = flow.slope(t) < 0
        assert (np.diff(parts.total[first]) <= 1e-12 * parts.total[0]).all()
        assert flow.slope(t[parts.total.argmin()]) >= 0 or np.ptp(parts.total) < 1e-9


def test_a_committee_is_as_lazy_as_its_least_lazy_member():
    members = 8
    for seed, sigma in enumerate((0.3, 1.0, 3.0)):
        network = fl.Network(20, 20**-0.5, sigma, sigma, 0.5, 2.0)
        gram = network.sample_gram(size=members, seed=seed)
        flow = fl.GradientFlow(network, UNIT, gram)
        kernels = flow.kernel(np.linspace(0, 50, 2001)).sum(axis=0)
        strays = np.abs(kernels / kernels[0] - 1).max()
        assert strays <= flow.outcome.kernel_excursion.max()


def test_a_committee_divides_both_parts():
    members, width, noise = 16, 50, 400
    line = np.eye(noise + 1)[0]
    network = fl.Network(width, width**-0.5)
    across = np.eye(noise + 1)[1:] * np.sqrt(noise)
    starts, moves, alone = 0.0, 0.0, []
    for seed in range(members):
        u0, w0 = simulation.sample_layers(network, noise + 1, seed)
        data = np.outer([1, -1], line), [1, -1]
        run = simulation.gradient_flow(network, data, u0, w0, [0, 15], rtol=1e-5, atol=1e-8)
        before, after = run.predict(across)
        starts, moves = starts + before / members, moves + (after - before) / members
        alone.append([np.mean(before**2), np.mean((after - before) ** 2)])
    wanted = np.mean(alone, axis=0) / members
    assert [np.mean(starts**2), np.mean(moves**2)] == pytest.approx(wanted, rel=0.35)


def test_large_steps_take_back_what_gradient_flow_leaves():
    before, after = [], []
    for eta in (0.25, 1.25, 1.5):
        network = fl.Network(200, 200**-0.5, eta_u=eta, eta_w=eta)
        descent = fl.GradientDescent(network, UNIT, network.typical_gram(overlap=0))
        parts = fl.error_parts(descent, 10_000, 19)
        assert descent.loss(10_000) < 1e-20
        before.append(parts.random_function)
        after.append(parts.off_line)
    assert after[0] >= before[0]
    assert (np.divide(after, before)[1:] < 0.6).all()


def test_a_large_start_of_few_neurons_unlearns():
    network = fl.Network(2, 1.0, 30.0, 30.0)
    flow = fl.GradientFlow(network, UNIT, network.sample_gram(size=500, seed=0))
    assert np.median(flow.outcome.kernel_excursion) > 0.05
    assert (fl.error_parts(flow, INFINITY, 1.0).interference < 0).mean() > 0.95


def test_a_zero_function_that_stays_lazy_by_a_large_output_layer_says_nothing_off_the_line():
    network, line = fl.Network(10, sigma_u=30.0, sigma_w=0.0), np.eye(5)[0]
    u0, w0 = simulation.sample_layers(network, 5, seed=0)
    flow = fl.GradientFlow(network, UNIT, fl.Gram.from_weights(u0, w0 @ line))
    assert flow.outcome.kernel_excursion < 0.01
    run = simulation.gradient_flow(network, (np.outer([1, -1], line), [1, -1]), u0, w0, [0, 1])
    assert run.predict(np.eye(5))[-1] == pytest.approx(line, abs=1e-6)


def from_zero(height, imbalance):
    """Return a flow of width 200 from slope 0 at a place (X, Y) of the plane."""
    uu = imbalance + np.hypot(height, imbalance)
    sigma_u, sigma_w = np.sqrt(uu / 200), height / np.sqrt(200 * uu)
    network = fl.Network(200, sigma_u=sigma_u, sigma_w=sigma_w)
    return fl.GradientFlow(network, UNIT, fl.Gram(uu, 0.0, height**2 / uu))


def paid_over_price(flow):
    return fl.error_parts(flow, INFINITY, 400).laziness / share(flow) ** 2


@pytest.mark.parametrize("place", [(0.1, 0.0), (0.01, -0.099)])
def test_a_rich_network_pays_less_than_the_price_but_more_with_a_larger_output_layer(place):
    assert paid_over_price(from_zero(*place)) < 0.5
    assert paid_over_price(from_zero(0.01, 0.099)) > 2


def test_the_next_order_counts_where_the_input_layer_learns_and_the_price_is_next_to_nothing():
    assert paid_over_price(from_zero(30.0, 30.0)) == pytest.approx(1, abs=0.01)
    corner = from_zero(0.3, 30.0)
    assert corner.outcome.kernel_excursion < 0.01
    assert paid_over_price(corner) > 2
    assert share(corner) < 1e-4


@pytest.mark.parametrize(("start", "holds"), [(0.001, True), (2.0, False)])
def test_the_map_needs_a_start_that_is_small_against_the_determinant(start, holds):
    x, y, width = 1.0, 50.0, 100  # v₀/v* is small against the distance from the corner in any case
    kernel = np.hypot(start, np.hypot(x, y))
    uu, ww = kernel + y, (x**2 + start**2) / (kernel + y)
    network = fl.Network(width, sigma_u=np.sqrt(uu / width), sigma_w=np.sqrt(ww / width))
    flow = fl.GradientFlow(network, UNIT, fl.Gram(uu, start, ww))
    mapped = (np.hypot(1, np.hypot(x, y)) + y) * x**2 / (np.hypot(x, y) + y) / width
    assert (abs(fl.off_line_variance(flow, INFINITY) / mapped - 1) < 0.05) == holds

"""Chapter 4: what its sentences say of the kernel limit, over corners."""

import numpy as np
import pytest
from corners import decades, signal

import flbook as fl
from flbook import simulation

INFINITY = float("inf")
TIMES = np.geomspace(1e-3, 60, 400)
RATES = [(0.1, 3.0), (2.0, 0.5)]


def corners(size, seed):
    """Draw flows of unit first kernel: unequal rates, unbalanced layers, starts of any angle."""
    random = np.random.default_rng(seed)
    draw = decades(random, size)
    uu, ww = draw(-3, 3), draw(-3, 3)
    eta_u, eta_w = draw(-3, 3), draw(-3, 3)
    gamma = (eta_w * uu + eta_u * ww) ** -0.5
    network = fl.Network(2, gamma, eta_u=eta_u, eta_w=eta_w)
    alignment = np.tanh(2 * random.normal(size=size))
    target = draw(-3, 1) * random.choice([-1, 1], size) / signal(network)
    gram = fl.Gram(uu, alignment * np.sqrt(uu * ww), ww)
    return fl.GradientFlow(network, fl.Task(1.0, target, target**2), gram)


def gap(flow):
    """Return the largest distance from the linear model, in units of the first to the target."""
    linear = fl.KernelFlow(flow.network, flow.task, flow.start)
    apart = flow.residual(TIMES) - linear.residual(TIMES)
    return np.abs(apart / flow.residual(0)[..., None]).max(axis=-1)


def test_the_kernel_strays_by_its_drift_or_by_its_dip():
    flow = corners(3000, seed=0)
    outcome, first = flow.outcome, signal(flow.network) * flow.slope(0)
    opposed = flow.slope(0) * flow.task.target < 0
    dip = np.where(opposed, first**2 / (1 + flow.kernel_floor), 0)
    strays = np.maximum(np.abs(outcome.kernel_drift), dip)
    assert outcome.kernel_excursion == pytest.approx(strays, rel=1e-9)
    seen = np.abs(flow.kernel(TIMES) - 1).max(axis=-1)
    assert (seen <= strays * (1 + 1e-9) + 1e-12).all()
    assert (seen > 0.9 * strays).mean() > 0.95


def test_a_network_follows_its_linear_model_to_half_of_what_its_kernel_strays():
    flow = corners(6000, seed=1)
    strays, apart = flow.outcome.kernel_excursion, gap(flow)
    fair = strays <= 0.5
    assert fair.mean() > 0.5
    assert (apart <= strays / 2)[fair].all()
    assert (apart > strays / 10)[fair].any()
    assert apart[strays > 0.9].max() > 0.3


def test_the_leading_gap_is_a_tenth_of_what_the_kernel_strays():
    tau = np.linspace(0, 10, 10_001)
    shape = np.exp(-tau) * (tau - 1.5 + 2 * np.exp(-tau) - np.exp(-2 * tau) / 2)
    for eta_u, eta_w in RATES:
        network = fl.Network(10**6, 1e-3, 1.0, 0.3, eta_u, eta_w)
        flow = fl.GradientFlow(network, fl.Task(1.0, 1.0, 1.0), network.typical_gram(overlap=0))
        linear = fl.KernelFlow(network, flow.task, flow.start)
        t = tau / flow.kernel(0)
        apart = (flow.residual(t) - linear.residual(t)) / flow.outcome.kernel_excursion
        assert np.abs(apart - shape).max() < 1e-4
    assert shape.max() == pytest.approx(0.103, abs=1e-3)


@pytest.mark.parametrize(("eta_u", "eta_w"), RATES)
@pytest.mark.parametrize("overlap", [-1.5, 0.0, 0.7, 3.0])
def test_in_the_ntk_scaling_the_kernel_strays_like_the_width_and_the_weights_like_its_root(
    eta_u, eta_w, overlap
):
    width = 10 ** np.arange(4, 9)
    network = fl.Network(width, width**-0.5, 1.3, 0.4, eta_u, eta_w)
    target = 1.1
    task = fl.Task(2.0, 2 * target, 2 * target**2)
    flow = fl.GradientFlow(network, task, network.typical_gram(overlap=overlap))
    v0, first = 1.3 * 0.4 * overlap, eta_w * 1.3**2 + eta_u * 0.4**2
    drift = 2 * eta_u * eta_w / first**2 * (target**2 - v0**2)
    dip = 2 * eta_u * eta_w / first**2 * v0**2 * (v0 < 0)
    outcome = flow.outcome
    assert width * outcome.kernel_drift == pytest.approx(np.full(5, drift), rel=2e-3)
    strays = max(abs(drift), dip)
    assert width * outcome.kernel_excursion == pytest.approx(np.full(5, strays), rel=2e-3)
    moved, step = flow.at(INFINITY).displacement, abs(target - v0) / first
    for way, length, order in (
        (moved.uu, flow.start.uu, step * eta_u * 0.4 / 1.3),
        (moved.ww, flow.start.ww, step * eta_w * 1.3 / 0.4),
    ):
        assert np.sqrt(width * way / length) == pytest.approx(np.full(5, order), rel=0.03)


def test_layers_out_of_balance_are_lazier():
    width, ratio = 10**6, np.array([1.0, 3.0, 30.0])
    for sigma_u, eta_w in ((ratio, 1.0), (1.0, ratio**2)):
        network = fl.Network(width, 1e-3, sigma_u, 1 / sigma_u, 1 / eta_w, eta_w)
        flow = fl.GradientFlow(network, fl.Task(1, 2, 4), network.typical_gram(overlap=1))
        assert (np.diff(flow.outcome.kernel_excursion) < 0).all()


def test_a_third_of_wide_networks_whose_slope_is_like_the_target_have_their_kernel_shrunk():
    network = fl.Network(10**6, 1e-3, 2.0, 0.5, 0.3, 3.0)
    flow = fl.GradientFlow(network, fl.Task(1, 1, 1), network.sample_gram(20_000, seed=2))
    assert np.mean(flow.outcome.kernel_drift < 0) == pytest.approx(1 / 3, abs=0.03)


@pytest.mark.parametrize(("eta_u", "eta_w"), RATES)
@pytest.mark.parametrize("seed", range(4))
def test_the_three_terms_of_the_drift_on_integrated_weights(eta_u, eta_w, seed):
    network = fl.Network(3000, 3000**-0.5, 1.2, 0.5, eta_u, eta_w)
    task = fl.Task(1.0, 1.5, 2.25)
    u0, w0 = network.sample_weights(seed=seed)
    start = fl.Gram.from_weights(u0, w0)
    flow = fl.GradientFlow(network, task, start)
    first = flow.kernel(0)
    run = simulation.gradient_flow(network, task, u0, w0, [0, 30 / first])
    moved = fl.Gram.from_weights(run.u[-1] - u0, run.w[-1] - w0)
    step = network.gamma * np.sqrt(eta_u * eta_w) * (1.5 - flow.slope(0)) / first
    overlap = signal(network) * flow.slope(0) / first
    square = network.gamma**2 * (eta_w * moved.uu + eta_u * moved.ww) / first
    tolerance = 0.02 * (step**2 + abs(step * overlap))
    assert square == pytest.approx(step**2, abs=tolerance)
    drift = run.kernel[-1] / run.kernel[0] - 1
    assert drift - square == pytest.approx(2 * step * overlap + step**2, abs=tolerance)
    exact = flow.at(30 / first).displacement
    assert [moved.uu, moved.uw, moved.ww] == pytest.approx([exact.uu, exact.uw, exact.ww], rel=1e-6)


@pytest.mark.parametrize("width", [1, 2, 3, 50])
@pytest.mark.parametrize(("eta_u", "eta_w"), RATES)
def test_at_the_opposite_target_the_kernel_comes_back_and_the_weights_turn(width, eta_u, eta_w):
    network = fl.Network(width, 0.8, 0.9, 1.4, eta_u, eta_w)
    u0, w0 = network.sample_weights(seed=width)
    target = -network.gamma * (u0 @ w0)
    task = fl.Task(1.0, target, target**2)
    flow = fl.GradientFlow(network, task, fl.Gram.from_weights(u0, w0))
    t = np.linspace(0, 40 / flow.kernel_floor, 5)
    run = simulation.gradient_flow(network, task, u0, w0, t)
    assert run.kernel[-1] == pytest.approx(run.kernel[0], rel=1e-6)
    cosine = flow.kernel_floor / flow.kernel(0)
    assert flow.outcome.kernel_excursion == pytest.approx(1 - cosine, rel=1e-9)
    roots = np.sqrt([[eta_u], [eta_w]])
    before, after = (np.array([u, w]) / roots for u, w in ((u0, w0), (run.u[-1], run.w[-1])))
    turn = np.sum(before * after) / np.linalg.norm(before) / np.linalg.norm(after)
    assert turn == pytest.approx(cosine, rel=1e-6)


def test_the_kernel_of_the_network_that_never_arrives_does_not_come_back():
    flow = fl.GradientFlow(fl.Network(1), fl.Task(1.0, 1.0, 1.0), fl.Gram(1.0, -1.0, 1.0))
    assert flow.outcome.kernel_ratio == 0
    assert flow.outcome.kernel_excursion == 1


@pytest.mark.parametrize("width", [2, 3, 100])
def test_unbalanced_layers_turn_and_keep_to_the_linear_model_all_the_same(width):
    network = fl.Network(width, 1.0, 1.0, 1e-3 / width, eta_u=1e-6, eta_w=1e-2 / width)
    u0, w0 = network.sample_weights(seed=1)
    task = fl.Task(1.0, 1.0, 1.0)
    flow = fl.GradientFlow(network, task, fl.Gram.from_weights(u0, w0))
    t = TIMES / flow.kernel(0)
    run = simulation.gradient_flow(network, task, u0, w0, t)
    strays = np.abs(run.kernel / run.kernel[0] - 1).max()
    assert strays < 0.05
    assert strays == pytest.approx(flow.outcome.kernel_excursion, rel=1e-3)
    first = network.gamma * (u0 @ w0) - 1
    apart = np.abs(run.slope - 1 - first * np.exp(-flow.kernel(0) * t)).max()
    assert apart <= strays * abs(first) / 2
    assert abs(run.alignment[-1]) > 0.99
    assert abs(flow.alignment(0)) < 0.9


def test_half_the_scale_needs_sixteen_times_the_width_until_the_luck_decides():
    task = fl.Task(1, 2, 4)

    def drift(sigma, width, overlap):
        network = fl.Network(width, width**-0.5, sigma, sigma, 0.5, 2.0)
        gram = network.typical_gram(overlap=overlap)
        return fl.GradientFlow(network, task, gram).outcome.kernel_drift

    wide = 10**6
    assert drift(0.4, 16 * wide, 1.0) == pytest.approx(drift(0.8, wide, 1.0), rel=0.15)
    large = [drift(sigma, wide, 2.0) for sigma in (10.0, 100.0, 1000.0)]
    assert large == pytest.approx([large[-1]] * 3, rel=1e-3)
    assert large[-1] < 0


def test_steps_too_large_for_the_first_kernel_are_not_lazy_at_any_of_these_widths():
    task = fl.Task(1.0, 2.0, 4.0)
    for width in (10**3, 10**6, 10**9):
        kept = []
        for kernel in (0.1, 1.9, 3.0):
            network = fl.Network(width, width**-0.5, eta_u=kernel / 2.5, eta_w=1.5 * kernel / 2.5)
            start = network.typical_gram(overlap=1)
            run = fl.GradientDescent(network, task, start).at([0, 1000])
            assert abs(run.residual[1]) < 1e-6
            kept.append(run.kernel[1] / run.kernel[0])
        assert kept[:2] == pytest.approx([1, 1], abs=20 / width)
        assert kept[2] < 0.5


def test_late_in_training_the_distances_differ_by_any_factor():
    network = fl.Network(100, 0.1, eta_u=0.5, eta_w=2.0)
    flow = fl.GradientFlow(network, fl.Task(1, 2, 4), network.typical_gram(overlap=1))
    linear = fl.KernelFlow(network, flow.task, flow.start)
    t = np.array([50.0, 100.0])
    grown = np.diff(np.log(linear.residual(t) / flow.residual(t)))[0]
    assert grown / 50 == pytest.approx(flow.kernel(INFINITY) - flow.kernel(0), rel=1e-6)


def test_the_average_kernel_is_off_by_the_root_of_the_width():
    width = 10 ** np.arange(2, 9, 2)
    network = fl.Network(width, width**-0.5, eta_u=0.5, eta_w=2.0)
    kernel = network.gamma**2 * (0.5 + 2.0) * width
    flow = fl.GradientFlow(network, fl.Task(1, 2, 4), network.sample_gram(2000, seed=0))
    off = np.median(np.abs(flow.kernel(0) / kernel - 1), axis=0)
    assert np.polyfit(np.log(width), np.log(off), 1)[0] == pytest.approx(-0.5, abs=0.03)
    assert (np.median(flow.outcome.kernel_excursion, axis=0) < off)[1:].all()


def test_a_multiplier_makes_a_growing_network_lazy_above_one_over_the_width_and_not_below():
    width = 10 ** np.arange(2, 11, 2)
    for power, change in ((-0.5, "falls"), (-0.9, "falls"), (-1.0, "stays"), (-1.1, "grows")):
        network = fl.Network(width, 1.0 * width**power, eta_u=3.0, eta_w=3.0)
        flow = fl.GradientFlow(network, fl.Task(1, 2, 4), network.typical_gram(overlap=1))
        ends = np.log(flow.outcome.kernel_excursion[[-2, -1]])
        slope = np.diff(ends)[0]
        assert change == ("stays" if abs(slope) < 0.01 else "grows" if slope > 0 else "falls")


def test_chance_outweighs_the_change_of_wide_kernels_in_the_ntk_scaling_and_not_in_mean_field():
    task = fl.Task(1.0, 1.0, 1.0)
    for name, chance_is_larger in (("ntk", True), ("mean_field", False)):
        network = fl.SCALINGS[name].at_width(10**6)
        flow = fl.GradientFlow(network, task, network.sample_gram(2000, seed=1))
        chance = np.std(flow.kernel(0)) / np.mean(flow.kernel(0))
        change = np.max(flow.outcome.kernel_excursion)
        assert (chance > 10 * change) == chance_is_larger

"""Chapter 8: what its sentences say of random starts, of widths and of chance, over corners."""

import numpy as np
import pytest
from scipy import stats

import flbook as fl
from flbook import simulation

INFINITY = float("inf")
UNIT = fl.Task(1.0, 1.0, 1.0)
NTK = fl.SCALINGS["ntk"]
# equal rates; and unequal ones with the scales that balance them
PAIRS = [fl.Factors(), fl.Factors(sigma2_u=0.2, sigma2_w=5.0, eta_u=0.2, eta_w=5.0)]
SHARES = [0.05, 0.25, 0.5, 0.75, 0.95]


def start_of(network, size, seed):
    return fl.GradientFlow(network, UNIT, network.sample_gram(size=size, seed=seed))


def power(width, values):
    return np.polyfit(np.log(width), np.log(values), 1)[0]


@pytest.mark.parametrize("width", [1, 2, 3])
def test_three_numbers_stand_for_all_weights_after_training_too(width):
    network = fl.Network(width, np.ones(40_000), 2.0, 0.5, 0.3, 3.0)
    drawn = fl.GradientFlow(network, UNIT, fl.Gram.from_weights(*network.sample_weights(seed=1)))
    by_law = fl.GradientFlow(network, UNIT, network.sample_gram(seed=2))
    for name in ("initial_slope", "kernel_ratio", "final_alignment", "half_time"):
        one, other = (getattr(flow.outcome, name) for flow in (drawn, by_law))
        assert stats.ks_2samp(one, other).pvalue > 1e-3, name


def test_the_slope_of_a_given_vector_is_normal_and_the_three_numbers_are_independent():
    network = fl.Network(4, 0.5, 2.0, 3.0)
    gram = network.sample_gram(size=100_000, seed=3)
    z = gram.uw / np.sqrt(gram.uu) / 3.0
    rest = gram.determinant / gram.uu / 9.0
    assert stats.kstest(z, "norm").pvalue > 1e-3
    assert stats.kstest(rest, stats.chi2(3).cdf).pvalue > 1e-3
    for one, other in ((z, gram.uu), (z, rest), (gram.uu, rest), (z**2, gram.uu)):
        assert abs(stats.spearmanr(one, other).statistic) < 0.015


@pytest.mark.parametrize("name", list(fl.SCALINGS))
def test_the_kernel_becomes_certain_like_one_over_the_root_of_the_width_in_every_recipe(name):
    width = 10 ** np.arange(2, 7)
    flow = start_of(fl.SCALINGS[name].at_width(width), 4000, seed=4)
    kernel = flow.kernel(0)
    spread = np.std(kernel, axis=0) / np.mean(kernel, axis=0) * np.sqrt(width)
    assert ((spread > 0.95) & (spread < 1.5)).all()
    assert power(width, spread) == pytest.approx(0, abs=0.02)


def test_chance_dies_with_half_the_power_of_the_change():
    width = 10 ** np.arange(2, 8)
    ntk, mean_field = (
        start_of(fl.SCALINGS[name].at_width(width), 4000, seed=5).outcome
        for name in ("ntk", "mean_field")
    )
    change = np.median(np.abs(ntk.kernel_drift), axis=0)
    assert power(width, change) == pytest.approx(-1, abs=0.01)
    kept = np.median(mean_field.kernel_drift, axis=0)
    assert kept == pytest.approx(np.full(width.size, np.sqrt(2) - 1), rel=0.02)
    low, high = np.quantile(mean_field.kernel_ratio, [0.05, 0.95], axis=0)
    assert power(width, high - low) == pytest.approx(-0.5, abs=0.01)
    slope = ntk.initial_slope
    assert np.std(slope, axis=0) == pytest.approx(np.ones(width.size), rel=0.05)


def test_learning_features_dilutes_chance():
    flow = start_of(fl.SCALINGS["mean_field"].at_width(10_000), 20_000, seed=6)
    spreads = [np.std(k) / np.mean(k) for k in (flow.kernel(0), flow.kernel(INFINITY))]
    assert spreads[1] / spreads[0] == pytest.approx(0.5, abs=0.01)
    start, end = flow.kernel(0), flow.kernel(INFINITY)
    squares, sizes = end**2 - start**2, end - start
    assert np.std(squares) / np.mean(squares) < 0.001
    assert np.std(sizes) / np.mean(sizes) > 0.005


def test_the_kernel_ends_larger_exactly_where_the_slope_starts_below_the_target():
    random = np.random.default_rng(7)
    scales = 10.0 ** random.uniform(-2, 2, (4, 20_000))
    network = fl.Network(random.integers(1, 100, 20_000), 0.3, *scales)
    outcome = start_of(network, 1, seed=8).outcome
    below = np.abs(outcome.initial_slope) < 1
    assert (np.sign(outcome.kernel_drift) == np.where(below, 1, -1)).mean() == 1


def test_the_mean_drift_is_of_the_next_order():
    for width in (10, 20):
        drift = fl.Ensemble(NTK.at_width(width), UNIT, size=10**6, seed=9).kernel_drift
        error = np.std(drift) / 1000 * width**2
        mean = drift.mean() * width**2
        # 7/4 at large widths, and more at small ones
        assert 1.75 - 3 * error < mean < 1.75 + 4 / width + 3 * error


def test_the_width_that_keeps_the_kernel_goes_with_the_fourth_power_and_then_levels_off():
    z2 = stats.chi2(1)
    widths = {}
    for sigma in (0.1, 0.3, 3.0, 30.0, 300.0):
        target = sigma**-2
        scaled = fl.Task(1, target, target**2)
        widths[sigma] = fl.lazy_width(NTK, scaled, size=2000).width
    assert widths[0.1] / widths[0.3] == pytest.approx(3**4, rel=0.05)
    level = z2.median() / 0.02
    assert [widths[s] for s in (3.0, 30.0, 300.0)] == pytest.approx([level] * 3, rel=0.15)


@pytest.mark.parametrize("factors", PAIRS)
@pytest.mark.parametrize("sigma", [0.3, 1.0, 1.3, 4.0])
def test_the_formulas_of_end_and_way(sigma, factors):
    width = 10**5
    network = fl.Network(
        width,
        width**-0.5,
        sigma * np.sqrt(factors.sigma2_u),
        sigma * np.sqrt(factors.sigma2_w),
        factors.eta_u,
        factors.eta_w,
    )
    outcome = start_of(network, 40_000, seed=10).outcome
    z = np.random.default_rng(11).standard_normal(400_000)
    end = np.abs(sigma**-4 - z**2) / (2 * width)
    way = np.where(z < 0, np.maximum(end, z**2 / (2 * width)), end)
    assert np.median(np.abs(outcome.kernel_drift)) == pytest.approx(np.median(end), rel=0.05)
    assert np.median(outcome.kernel_excursion) == pytest.approx(np.median(way), rel=0.05)


def test_half_of_all_ntk_networks_keep_their_kernel_from_45_neurons_on_and_19_in_20_from_171():
    z = np.random.default_rng(17).standard_normal(10**6)
    end = np.abs(1 - z**2)
    way = np.where(z < 0, np.maximum(end, z**2), end)
    half, most = np.quantile(way, [0.5, 0.95]) / 0.02
    assert round(half) == 45
    assert most == pytest.approx(171, abs=1.5)
    assert fl.lazy_width(NTK, UNIT, size=20_000, seed=18).width == pytest.approx(half, rel=0.03)
    lazy = start_of(NTK.at_width(171), 40_000, seed=19).outcome.kernel_excursion < 0.01
    assert np.mean(lazy) == pytest.approx(0.95, abs=0.005)
    # the end alone would ask for fewer
    drift = fl.Ensemble(NTK.at_width(42), UNIT, 20_000, seed=20).kernel_drift
    assert np.median(np.abs(drift)) < 0.01


def test_recipes_that_never_keep_their_kernel_and_how_the_others_pay():
    widths = {
        name: [fl.lazy_width(scaling, UNIT, tau, size=1000).width for tau in (0.01, 0.001)]
        for name, scaling in fl.SCALINGS.items()
    }
    for name in ("mean_field", "mup", "xavier"):
        assert widths[name] == [None, None]
    assert widths["ntk"][1] / widths["ntk"][0] == pytest.approx(10, rel=0.15)
    for name in ("kaiming", "standard"):
        assert widths[name][1] / widths[name][0] == pytest.approx(np.sqrt(10), rel=0.15)


def test_xavier_is_in_between_and_never_lazy_to_within_one_per_cent():
    network = fl.SCALINGS["xavier"].at_width(10 ** np.arange(3, 16, 3))
    place = fl.locate(network, UNIT, network.typical_gram(overlap=0))
    assert (place.regime == fl.Regime.BETWEEN).all()
    assert place.radius == pytest.approx(np.full(5, 2.0), rel=1e-2)
    assert (place.kernel_excursion > 0.1).all()


@pytest.mark.parametrize("factors", PAIRS)
@pytest.mark.parametrize("target", [1.0, -5.0])
def test_a_large_start_at_a_fixed_width_unlearns(factors, target):
    large = fl.Scaling(0, 1, 1, 0, 0, width=0, factors=factors)
    assert large.phase() is fl.Phase.FEATURE_UNLEARNING
    task = fl.Task(1, target, target**2)
    for width, median in ((1, 0.707), (2, 0.864), (5, 0.951), (20, 0.988)):
        network = large.at_scale(1e10, base_width=width)
        gram = network.sample_gram(size=10_000, seed=12)
        flow = fl.GradientFlow(network, task, gram)
        ratio = flow.outcome.kernel_ratio
        limit = np.sqrt(1 - flow.kernel_alignment(0) ** 2)
        clear = limit > 1e-4
        assert ratio[clear] == pytest.approx(limit[clear], rel=1e-6)
        assert (ratio[clear] < 1).all()
        assert np.median(ratio) == pytest.approx(median, abs=0.012)
        assert np.mean(flow.outcome.kernel_excursion > 0.01) > 0.5
        if width > 1:
            assert np.median(np.abs(flow.outcome.final_alignment)) < 1e-8


@pytest.mark.parametrize("width", [1, 2, 5])
def test_the_large_start_against_weights(width):
    network = fl.Network(width, 0.7, 300.0, 600.0, 4.0, 1.0)
    u0, w0 = network.sample_weights(seed=8)
    start = fl.GradientFlow(network, UNIT, fl.Gram.from_weights(u0, w0))
    run = simulation.gradient_flow(network, UNIT, u0, w0, [0, 300 / start.kernel(0)])
    limit = np.sqrt(1 - start.kernel_alignment(0) ** 2)
    assert run.kernel[-1] / run.kernel[0] == pytest.approx(limit, rel=1e-4)


@pytest.mark.parametrize("layer", ["sigma2_u", "sigma2_w"])
@pytest.mark.parametrize("width", [1, 2, 5])
def test_one_large_layer_is_lazy_at_any_width(width, layer):
    powers = {"sigma2_u": 0.0, "sigma2_w": 0.0, layer: 2.0}
    scaling = fl.Scaling(gamma=0, eta_u=0, eta_w=0, width=0, factors=PAIRS[1], **powers)
    assert scaling.phase() is fl.Phase.KERNEL
    network = scaling.at_scale(1e8, base_width=width)
    flow = start_of(network, 5000, seed=13)
    assert np.quantile(flow.outcome.kernel_excursion, 0.99) < 1e-6


@pytest.mark.parametrize("width", [1, 2, 5, 100])
@pytest.mark.parametrize(("eta_u", "eta_w"), [(1e3, 1e-3), (1e-3, 1e3)])
def test_a_large_start_in_both_layers_is_lazy_where_the_rates_let_one_outweigh(width, eta_u, eta_w):
    network = fl.Network(width, 0.5, 1e6, 1e6, eta_u, eta_w)
    flow = start_of(network, 5000, seed=14)
    outweighed = np.sqrt(min(eta_u / eta_w, eta_w / eta_u))
    # a single neuron has the median 2: half of its layers are the longer one
    assert np.median(np.abs(flow.kernel_alignment(0))) < 2.2 * outweighed
    assert np.median(flow.outcome.kernel_excursion) < 1e-5
    limit = np.sqrt(1 - flow.kernel_alignment(0) ** 2)
    clear = limit > 1e-4
    assert clear.mean() > 0.99
    assert flow.outcome.kernel_ratio[clear] == pytest.approx(limit[clear], rel=1e-6)


def test_large_steps_end_below_the_kernel_that_they_began_with_at_any_width():
    for width in (10**4, 10**9):
        network = NTK.at_width(width)
        for size in (2.5, 3.0):
            stepped = fl.Network(width, network.gamma, eta_u=0.4 * size, eta_w=0.6 * size)
            descent = fl.GradientDescent(stepped, UNIT, stepped.typical_gram(overlap=0.5))
            assert descent.kernel(0) == pytest.approx(size, rel=1e-3)
            assert descent.loss(3000) < 1e-12
            assert descent.kernel(3000) <= 2


def test_the_luck_of_the_wait_is_half_the_floor_and_half_the_start():
    width, sigma = 10_000, 1e-6
    network = fl.Network(width, 1 / width, sigma, sigma, width, width)
    flow = start_of(network, 20_000, seed=14)
    wait = 2 * flow.outcome.time_to_shrink(0.5)
    floor = np.log(flow.kernel_floor)
    start = np.arcsinh(2 * flow.slope(0) / flow.kernel_floor)
    for part in (floor, start):
        assert np.var(part) * width == pytest.approx(1, rel=0.05)
        assert np.corrcoef(wait, part)[0, 1] ** 2 == pytest.approx(0.5, abs=0.03)


def test_the_spread_of_the_final_alignment():
    for x in (0.3, 1.0, 3.0):
        network = fl.Network(10_000, x / 10_000, eta_u=0.1, eta_w=7.0)
        zeta = np.abs(start_of(network, 20_000, seed=15).outcome.final_alignment)
        formula = x**2 / (1 + x**2) ** 1.5 / 100
        assert np.std(zeta) == pytest.approx(formula, rel=0.05)


def test_dice_agree_at_large_widths_only():
    random = np.random.default_rng(16)
    gap = []
    for width in (4, 1000):
        size = (2, 2000, width)
        draws = random.standard_normal(size), random.choice([-1.0, 1.0], size)
        kernels, drifts = [], []
        for u, w in draws:
            flow = fl.GradientFlow(NTK.at_width(width), UNIT, fl.Gram.from_weights(u, w))
            kernels.append(np.std(flow.kernel(0)))
            drifts.append(np.median(np.abs(flow.outcome.kernel_drift)))
        assert kernels[1] < 1e-12 < kernels[0]
        gap.append(abs(drifts[1] / drifts[0] - 1))
    assert gap[1] < 0.1


def test_two_neurons_with_huge_weights_are_lazy_if_one_layer_is_huger():
    network = fl.Network(2, 1.0, 1e3, np.array([1e3, 1e6]))
    alike, unlike = np.median(fl.Ensemble(network, UNIT, size=2000, seed=1).kernel_ratio, axis=0)
    assert alike < 0.99
    assert unlike > 0.9999


def test_at_ten_thousand_neurons_a_kernel_is_certain_to_between_1_and_1_4_per_cent():
    spread = {}
    for name, recipe in fl.SCALINGS.items():
        kernel = start_of(recipe.at_width(10_000), 40_000, seed=6).kernel(0)
        spread[name] = np.std(kernel) / np.mean(kernel)
        assert 0.0098 < spread[name] < 0.0144
    assert spread["kaiming"] > 1.3 * spread["ntk"]


def test_a_slowly_lazy_recipe_changes_its_kernels_by_more_than_chance_does():
    width = 10**8
    for power_of_gamma, chance_wins in ((-0.5, True), (-0.9, False)):
        recipe = fl.Scaling(power_of_gamma, 0, 0, 0, 0)
        assert recipe.phase() is fl.Phase.KERNEL
        flow = start_of(recipe.at_width(width), 2000, seed=7)
        chance = np.std(flow.kernel(0)) / np.mean(flow.kernel(0))
        change = np.abs(flow.outcome.kernel_drift)
        assert (10 * np.max(change) < chance) == chance_wins


def test_steps_a_little_too_large_keep_the_kernel_to_within_one_per_cent():
    for first, keeps in ((2.005, True), (2.5, False)):
        network = fl.Network(10**6, 1e-3, eta_u=first / 2, eta_w=first / 2)
        descent = fl.GradientDescent(network, UNIT, network.typical_gram(overlap=0))
        start, end = descent.kernel([0, 20_000])
        assert abs(descent.residual(20_000)) < 1e-9
        assert end <= 2
        assert (abs(end / start - 1) < 0.01) == keeps


def test_half_of_the_networks_may_keep_their_kernel_to_the_end_and_fewer_be_lazy():
    network = fl.Network(18, 18**-0.5, 2**0.5, 2**0.5)
    outcome = start_of(network, 40_000, seed=1).outcome
    assert np.mean(np.abs(outcome.kernel_drift) < 0.01) > 0.5
    assert np.mean(outcome.kernel_excursion < 0.01) < 0.46

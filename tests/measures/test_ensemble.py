"""Ensembles, against real weights, exact arithmetic, integrated weights and root finding."""

import tracemalloc

import mpmath
import numpy as np
import pytest
from scipy import stats
from scipy.optimize import brentq

import flbook as fl
from flbook import simulation
from flbook._measures.ensemble import BLOCK

INFINITY = float("inf")
TASK = fl.Task(1.0, 1.0, 1.0)
NAMES = ("initial_slope", "kernel_ratio", "final_alignment", "half_time")


def random_problems(random, size):
    """Return problems over ten decades; some balanced, some parallel, some with both."""
    gamma, eta_u, eta_w, uu, ww, m = 10 ** random.uniform(-5, 5, (6, size))
    balanced = random.random(size) < 0.4
    ww = np.where(balanced, uu * eta_w / eta_u * (1 + 10 ** random.uniform(-12, 0, size)), ww)
    near = 10 ** random.uniform(-12, 0, size)
    cosine = np.where(random.random(size) < 0.4, near, 1 - near) * random.choice([-1, 1], size)
    uw = cosine * np.sqrt(uu) * np.sqrt(ww)
    floor = gamma**2 * np.hypot(
        eta_w * uu - eta_u * ww, 2 * np.sqrt(eta_u * eta_w * (1 - cosine**2) * uu * ww)
    )
    start = np.where(
        random.random(size) < 0.5, floor / (2 * gamma * np.sqrt(eta_u * eta_w)), uw * gamma
    )
    target = start * 10 ** random.uniform(-3, 3, size) * random.choice([-1, 1], size)
    network = fl.Network(np.full(size, 2), gamma, 1.0, 1.0, eta_u, eta_w)
    return network, fl.Task(m, m * target, 2 * m * target**2), fl.Gram(uu, uw, ww)


def exact(network, task, gram, index):
    """Return drift, kernel ratio, ζ(∞), |S(∞)|/√D and rate with 60 digits on the way."""
    with mpmath.workdps(60):
        gamma, eta_u, eta_w, uu, uw, ww, v = (
            mpmath.mpf(float(np.asarray(x)[index]))
            for x in (
                network.gamma,
                network.eta_u,
                network.eta_w,
                gram.uu,
                gram.uw,
                gram.ww,
                task.target,
            )
        )
        kernel = gamma**2 * (eta_w * uu + eta_u * ww)
        determinant = uu * ww - uw**2
        last = mpmath.sqrt(kernel**2 + 4 * gamma**2 * eta_u * eta_w * (v**2 - (gamma * uw) ** 2))
        across = gamma * mpmath.sqrt(determinant)
        return [
            float(x)
            for x in (
                last / kernel - 1,
                last / kernel,
                v / mpmath.sqrt(v**2 + across**2),
                abs(v) / across,
                mpmath.mpf(float(np.asarray(task.second_moment)[index])) * last,
            )
        ]


def test_ends_against_exact_arithmetic():
    problem = random_problems(np.random.default_rng(1), 1500)
    ends, targets = fl.GradientFlow(*problem).outcome, np.asarray(problem[1].target)
    got = [
        ends.kernel_drift,
        ends.kernel_ratio,
        ends.final_alignment,
        ends.alignment_cotangent,
        ends.rate,
    ]
    for index in range(1500):
        # v(0) and v* are given as rounded numbers, so their difference is known to 1e-16 of them
        sensitive = (
            4e-16
            * abs(ends.kernel_drift[index])
            / abs(1 - abs(ends.initial_slope[index] / targets[index]))
        )
        for array, wanted in zip(got, exact(*problem, index), strict=True):
            assert array[index] == pytest.approx(wanted, rel=1e-12, abs=sensitive)


def test_drift_keeps_its_digits_when_it_is_tiny():
    network, gram = fl.Network(np.array([2])), fl.Gram([1e9], [0.5], [1e9])
    drift = fl.GradientFlow(network, TASK, gram).outcome.kernel_drift[0]
    # (2γη)²(v*² − v(0)²)/(2K(0)²) with 2γη = 2 and K(0) = 2e9
    assert drift == pytest.approx(4 * 0.75 / (2 * 4e18), rel=1e-12, abs=0)


def test_half_time_against_root_finding():
    network, task, gram = random_problems(np.random.default_rng(2), 150)
    half = fl.GradientFlow(network, task, gram).outcome.half_time
    for index in range(150):
        flow = fl.GradientFlow(
            fl.Network(
                2,
                *(x[index] for x in (network.gamma,)),
                1,
                1,
                network.eta_u[index],
                network.eta_w[index],
            ),
            fl.Task(task.second_moment[index], task.cross_moment[index], task.label_moment[index]),
            fl.Gram(gram.uu[index], gram.uw[index], gram.ww[index]),
        )
        first = flow.residual(0.0)

        def beyond(log_t, flow=flow, first=first):
            return (flow.residual(np.exp(log_t)) / first) ** 2 - 0.5

        middle = np.log(1 / flow.rate)
        root = brentq(beyond, middle - 60, middle + 60, xtol=1e-13, rtol=1e-14)
        assert np.log(half[index]) == pytest.approx(root, abs=3e-12)


@pytest.mark.parametrize("seed", range(5))
def test_half_time_against_integrated_weights(seed):
    network = fl.Network(5, 0.7, 0.9, 0.6, 1.3, 0.4)
    task = fl.Task(0.8, (-1) ** seed * 1.5, 5.0)
    u, w = network.sample_weights(seed)
    ends = fl.GradientFlow(network, task, fl.Gram.from_weights(u, w)).outcome
    run = simulation.gradient_flow(network, task, u, w, [0.0, float(ends.half_time)])
    excess = run.loss - task.loss_floor
    assert excess[1] == pytest.approx(excess[0] / 2, rel=1e-9)


@pytest.mark.parametrize("width", [1, 2, 5])
def test_the_law_of_real_weights(width):
    network = fl.Network(width, 0.8, 1.2, 0.7, 0.5, 2.0)
    size = 20_000
    ensemble = fl.Ensemble(network, TASK, size, seed=width)
    random = np.random.default_rng(100 + width)
    u, w = 1.2 * random.standard_normal((size, width)), 0.7 * random.standard_normal((size, width))
    flow = fl.GradientFlow(network, TASK, fl.Gram.from_weights(u, w))
    measured = {
        "initial_slope": 0.8 * np.sum(u * w, axis=1),
        "kernel_ratio": flow.kernel(INFINITY) / flow.kernel(0.0),
        "final_alignment": flow.alignment(INFINITY),
    }
    for name, values in measured.items():
        both = np.round(getattr(ensemble, name), 12), np.round(values, 12)
        assert stats.ks_2samp(*both).pvalue > 1e-3, name
    share = np.mean(
        flow.residual(ensemble.quantiles(0.3).half_time) ** 2 <= flow.residual(0.0) ** 2 / 2
    )
    assert share == pytest.approx(0.3, abs=4 * np.sqrt(0.3 * 0.7 * 2 / size))


def test_blocks_are_independent_draws_of_the_same_law():
    network = fl.SCALINGS["mean_field"].at_width(30)
    ensemble = fl.Ensemble(network, TASK, 3 * BLOCK + 7, seed=5)
    slope = ensemble.initial_slope
    assert slope.shape == (3 * BLOCK + 7,)
    assert np.unique(slope).size == slope.size
    parts = np.split(slope[: 3 * BLOCK], 3)
    assert stats.ks_2samp(parts[0], parts[1]).pvalue > 1e-3
    assert stats.ks_2samp(parts[1], parts[2]).pvalue > 1e-3
    # what was measured belongs to the starts that `gram` draws once more
    flow = fl.GradientFlow(network, TASK, ensemble.gram)
    assert flow.slope(0.0) == pytest.approx(slope, rel=1e-13)
    assert ensemble.kernel_ratio == pytest.approx(
        flow.kernel(INFINITY) / flow.kernel(0.0), rel=1e-13
    )
    assert ensemble.final_alignment == pytest.approx(flow.alignment(INFINITY), rel=1e-13)
    assert ensemble.rate == pytest.approx(flow.rate, rel=1e-13)


def test_the_starts_are_those_of_the_network():
    network = fl.SCALINGS["ntk"].at_width(10**9)
    assert fl.Ensemble(network, TASK, 100, seed=3).gram == network.sample_gram(size=100, seed=3)


def test_shapes_of_several_networks_and_tasks():
    network = fl.SCALINGS["ntk"].at_width(np.array([10, 100, 1000]))
    task = fl.Task(1.0, np.ones((2, 1)), 1.0)
    ensemble = fl.Ensemble(network, task, 50, seed=1)
    assert ensemble.shape == (50, 2, 3)
    for name in (*NAMES, "kernel_drift", "alignment_cotangent", "rate"):
        assert getattr(ensemble, name).shape == (50, 2, 3)
    # both tasks are learned from the same starts
    assert np.array_equal(ensemble.initial_slope[:, 0], ensemble.initial_slope[:, 1])
    assert ensemble.quantiles(np.full((4, 5), 0.5)).half_time.shape == (4, 5, 2, 3)
    assert fl.GradientFlow(network, task, ensemble.gram).shape == (50, 2, 3)


def test_seeds():
    network = fl.Network(4)
    first = fl.Ensemble(network, TASK, 10, seed=1)
    assert np.array_equal(first.half_time, fl.Ensemble(network, TASK, 10, seed=1).half_time)
    assert first == fl.Ensemble(network, TASK, 10, seed=1)
    assert not np.array_equal(first.half_time, fl.Ensemble(network, TASK, 10, seed=2).half_time)
    open_seed = fl.Ensemble(network, TASK, 10)
    assert np.array_equal(open_seed.initial_slope, open_seed.gram.uw)
    random = np.random.default_rng(1)
    pair = [fl.Ensemble(network, TASK, 10, seed=random) for _ in range(2)]
    assert not np.array_equal(pair[0].initial_slope, pair[1].initial_slope)
    assert np.array_equal(pair[0].initial_slope, pair[0].gram.uw)


def test_quantiles_are_order_statistics_and_bear_infinities():
    # on the wrong side of the saddle half of all networks of width 1 have far to go
    network = fl.Network(1, sigma_w=[1.0, 0.0], eta_u=[1.0, 0.0])
    ensemble = fl.Ensemble(network, TASK, 1001, seed=1)
    for name, values in ensemble.quantiles([0.0, 0.25, 0.5, 1.0])._asdict().items():
        ordered = np.sort(getattr(ensemble, name), axis=0)
        assert np.array_equal(values, ordered[[0, 250, 500, 1000]]), name
    still = fl.Ensemble(fl.Network(3, sigma_u=0.0, sigma_w=0.0), TASK, 10, seed=1)
    assert still.quantiles(0.5).half_time == INFINITY


def test_limits():
    for gram, task, network, wanted in (
        # zero weights never move
        (fl.Gram(0.0, 0.0, 0.0), TASK, fl.Network(1), (0.0, 0.0, INFINITY)),
        # nor do frozen ones
        (fl.Gram(2.0, 1.0, 2.0), TASK, fl.Network(1, eta_u=0, eta_w=0), (0.0, 0.5, INFINITY)),
        # stuck at the saddle, the loss falls from ½·16 to ½·1 and from ½·1.21 to ½·1
        (fl.Gram(3.0, -3.0, 3.0), TASK, fl.Network(1), (-1.0, -1.0, None)),
        (fl.Gram(0.1, -0.1, 0.1), TASK, fl.Network(1), (-1.0, -1.0, INFINITY)),
        # without a target v = v(0)/(1 + 2v(0)t)
        (
            fl.Gram(1.0, 1.0, 1.0),
            fl.Task(1.0, 0.0, 1.0),
            fl.Network(1),
            (-1.0, 1.0, (2**0.5 - 1) / 2),
        ),
        # one layer alone is a linear model: K = η_w uu
        (fl.Gram(2.0, 0.0, 1.0), TASK, fl.Network(1, eta_u=0), (0.0, 1 / 3**0.5, np.log(2) / 4)),
        # at the target there is nothing to halve, but a limit
        (fl.Gram(1.0, 1.0, 1.0), TASK, fl.Network(1), (0.0, 1.0, np.log(2) / 4)),
    ):
        ends = fl.GradientFlow(network, task, gram).outcome
        flow = fl.GradientFlow(network, task, gram)
        assert ends.kernel_drift == pytest.approx(wanted[0], abs=1e-15)
        assert ends.final_alignment == pytest.approx(wanted[1], rel=1e-14)
        assert ends.final_alignment == pytest.approx(flow.alignment(INFINITY), rel=1e-14)
        with np.errstate(divide="ignore"):
            tangent = np.sqrt(np.divide(1.0, wanted[1] ** 2) - 1)
            cotangent = 0.0 if gram.uu == 0 else np.divide(1.0, tangent)
        assert ends.alignment_cotangent == pytest.approx(cotangent, rel=1e-14)
        if wanted[2] is None:
            assert flow.residual(ends.half_time) ** 2 == pytest.approx(16 / 2, rel=1e-12)
        else:
            assert ends.half_time == pytest.approx(wanted[2], rel=1e-12)


def test_a_million_networks_need_no_more_memory_than_their_results():
    ensemble = fl.Ensemble(fl.SCALINGS["mup"].at_width(10**9), TASK, 10**6, seed=1)
    tracemalloc.start()
    _ = ensemble.half_time
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    results = len(NAMES) * 8 * 10**6
    assert results <= peak < results + 40 * 8 * BLOCK
    assert np.median(ensemble.kernel_ratio) == pytest.approx(np.sqrt(2), rel=1e-3)


def test_values_are_read_only():
    ensemble = fl.Ensemble(fl.Network(3), TASK, 5, seed=1)
    for name in (*NAMES, "kernel_drift", "alignment_cotangent", "rate"):
        with pytest.raises(ValueError, match="read-only"):
            getattr(ensemble, name)[0] = 1.0


def median_change(network, size=40_000, seed=77):
    """Return the median of |K(∞)/K(0) − 1| by the solver of single flows, from other seeds."""
    flow = fl.GradientFlow(network, TASK, network.sample_gram(size=size, seed=seed))
    return np.median(np.abs(flow.kernel(INFINITY) / flow.kernel(0.0) - 1), axis=0)


@pytest.mark.parametrize(
    ("parametrisation", "tolerance"),
    [
        (fl.SCALINGS["ntk"], 0.01),
        (fl.SCALINGS["ntk"], 1e-6),
        (fl.SCALINGS["kaiming"], 1e-3),
        (fl.Network(1, gamma=0.02, sigma_u=0.5, sigma_w=0.5), 0.01),
    ],
)
def test_lazy_width_is_where_the_median_crosses(parametrisation, tolerance):
    lazy = fl.lazy_width(parametrisation, TASK, tolerance)
    assert lazy.becomes_lazy
    at = [round(lazy.width * factor) for factor in (0.9, 1.12)]
    if isinstance(parametrisation, fl.Scaling):
        networks = [parametrisation.at_width(d) for d in at]
    else:
        networks = [fl.Network(d, gamma=0.02, sigma_u=0.5, sigma_w=0.5) for d in at]
    below, above = (median_change(network) for network in networks)
    assert above < tolerance < below
    assert lazy.interval[0] <= lazy.width <= lazy.interval[1]
    assert lazy.interval[1] / lazy.interval[0] < 1.2
    other = fl.lazy_width(parametrisation, TASK, tolerance, size=20_000, seed=5)
    assert 0.95 < other.width / lazy.width < 1.05


def test_lazy_width_of_the_ntk_grows_like_one_over_tolerance():
    # |K(∞)/K(0) − 1| → |1 − v(0)²|/(2d) with v(0) a standard normal number
    median = np.median(np.abs(1 - np.random.default_rng(0).standard_normal(10**6) ** 2))
    lazy = fl.lazy_width(fl.SCALINGS["ntk"], TASK, 1e-5)
    assert lazy.width == pytest.approx(median / 2e-5, rel=0.05)


@pytest.mark.parametrize("name", ["mean_field", "mup", "xavier"])
def test_some_never_become_lazy(name):
    never = fl.lazy_width(fl.SCALINGS[name], TASK)
    assert not never.becomes_lazy
    assert never.width is None
    assert never.interval is None
    assert never.widths[-1] == 10**15
    assert never.deviation[-1] > 0.1


def test_lazy_only_beyond_the_largest_width():
    assert fl.lazy_width(fl.SCALINGS["ntk"], TASK, largest=30).width is None
    assert fl.lazy_width(fl.SCALINGS["ntk"], TASK, largest=60).becomes_lazy
    odd = 2**53 - 1
    assert fl.lazy_width(fl.SCALINGS["mup"], TASK, largest=odd).widths[-1] == odd
    assert fl.lazy_width(fl.Network(1, gamma=1e-3, sigma_u=100.0), TASK, tolerance=0.5).width == 1


def test_refusals():
    network = fl.Network(3)
    with pytest.raises(TypeError, match="network must be a Network"):
        fl.Ensemble(TASK, TASK)
    with pytest.raises(TypeError, match="task must be a Task"):
        fl.Ensemble(network, network)
    with pytest.raises(ValueError, match="size must be a whole number from 1"):
        fl.Ensemble(network, TASK, 0)
    with pytest.raises(TypeError, match="size must be one whole number"):
        fl.Ensemble(network, TASK, [1, 2])
    with pytest.raises(ValueError, match="must broadcast"):
        fl.Ensemble(fl.Network([1, 2]), fl.Task(1.0, [1.0, 1.0, 1.0], 1.0))
    with pytest.raises(TypeError):
        fl.Ensemble(network, TASK, seed="seven")
    with pytest.raises(ValueError, match="q must be a share from 0 to 1"):
        fl.Ensemble(network, TASK, 10).quantiles(1.5)

    with pytest.raises(TypeError, match="parametrisation must be a Scaling or a Network"):
        fl.lazy_width("ntk", TASK)
    with pytest.raises(ValueError, match=r"parametrisation must be a single one, got shape \(2,\)"):
        fl.lazy_width(fl.Network([1, 2]), TASK)
    with pytest.raises(ValueError, match="task must be a single one"):
        fl.lazy_width(network, fl.Task(1.0, [1.0, 1.0], 1.0))
    with pytest.raises(ValueError, match="tolerance must be finite and greater than 0"):
        fl.lazy_width(network, TASK, 0.0)
    with pytest.raises(TypeError, match="tolerance must be one real number"):
        fl.lazy_width(network, TASK, [0.1, 0.2])
    with pytest.raises(ValueError, match="largest must be a whole number from 2"):
        fl.lazy_width(network, TASK, largest=1)

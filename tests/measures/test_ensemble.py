"""Ensembles, against real weights and the solver of single flows."""

import itertools
import tracemalloc

import numpy as np
import pytest
from scipy import stats

import flbook as fl

INFINITY = float("inf")
TASK = fl.Task(1.0, 1.0, 1.0)
NAMES = ("initial_slope", "kernel_ratio", "final_alignment", "half_time")


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


def test_many_networks_are_independent_draws_of_the_same_law():
    network = fl.SCALINGS["mean_field"].at_width(30)
    ensemble = fl.Ensemble(network, TASK, 50_021, seed=5)
    slope = ensemble.initial_slope
    assert slope.shape == (50_021,)
    assert np.unique(slope).size == slope.size
    parts = np.array_split(slope, 4)
    for first, second in itertools.pairwise(parts):
        assert stats.ks_2samp(first, second).pvalue > 1e-3
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
    for name in (*NAMES, "kernel_drift", "kernel_excursion", "alignment_cotangent", "rate"):
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


def test_a_million_networks_need_no_more_memory_than_their_results():
    ensemble = fl.Ensemble(fl.SCALINGS["mup"].at_width(10**9), TASK, 10**6, seed=1)
    tracemalloc.start()
    _ = ensemble.half_time
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    results = len(NAMES) * 8 * 10**6
    assert results <= peak < 1.2 * results
    assert np.median(ensemble.kernel_ratio) == pytest.approx(np.sqrt(2), rel=1e-3)


def test_values_are_read_only():
    ensemble = fl.Ensemble(fl.Network(3), TASK, 5, seed=1)
    for name in (*NAMES, "kernel_drift", "kernel_excursion", "alignment_cotangent", "rate"):
        with pytest.raises(ValueError, match="read-only"):
            getattr(ensemble, name)[0] = 1.0


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

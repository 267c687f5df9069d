"""The lazy width, against flows looked at along the whole way, against weights and theory."""

from dataclasses import replace

import numpy as np
import pytest

import flbook as fl
from flbook import simulation

INFINITY = float("inf")
TASK = fl.Task(1.0, 1.0, 1.0)


UNEQUAL = fl.Factors(sigma2_u=2.0, sigma2_w=0.5, eta_u=2.0, eta_w=0.5)
UP_AND_DOWN = [fl.Task(1.0, target, target**2) for target in (1.0, -0.5)]


def median_on_the_way(network, task, gram):
    """Return the median of the largest |K/K(0) − 1| on a fine grid of times, to one per mille."""
    flow = fl.GradientFlow(network, task, gram)
    slowest = task.second_moment * np.min(flow.kernel(0.0)) / 2
    times = np.concatenate([[0.0], np.geomspace(1e-4, 60, 600) / slowest, [INFINITY]])
    kernel = flow.kernel(times)
    return np.median(np.abs(kernel / kernel[..., :1] - 1).max(axis=-1))


def at_width(parametrisation, width):
    if isinstance(parametrisation, fl.Scaling):
        return parametrisation.at_width(width)
    return replace(parametrisation, width=width)


@pytest.mark.parametrize("task", UP_AND_DOWN)
@pytest.mark.parametrize(
    ("parametrisation", "tolerance"),
    [
        (fl.SCALINGS["ntk"], 0.01),
        (fl.SCALINGS["ntk"], 0.05),
        (fl.SCALINGS["kaiming"], 0.01),
        (fl.Scaling(-0.5, 0, 0, 0, 0, factors=UNEQUAL), 0.02),
        (fl.Scaling(-0.5, 0, 0, 0, 0, factors=fl.Factors(eta_u=3.0)), 0.01),
        (fl.Network(1, gamma=0.02, sigma_u=3.0, sigma_w=2.0, eta_w=0.5), 0.01),
    ],
)
def test_the_median_on_the_whole_way_crosses_from_one_width_to_the_next(
    parametrisation, tolerance, task
):
    lazy = fl.lazy_width(parametrisation, task, tolerance, size=2001, seed=3)
    assert 5 < lazy.width < 1000
    below, at = (
        median_on_the_way(network, task, fl.Ensemble(network, task, 2001, seed=3).gram)
        for network in (at_width(parametrisation, lazy.width - step) for step in (1, 0))
    )
    assert at < tolerance < below * (1 + 1e-3)
    assert lazy.interval[0] <= lazy.width <= lazy.interval[1]


@pytest.mark.parametrize("factors", [fl.Factors(), UNEQUAL])
def test_networks_integrated_weight_by_weight_are_lazy_from_that_width(factors):
    scaling, tolerance = fl.Scaling(-0.5, 0, 0, 0, 0, factors=factors), 0.1
    width = fl.lazy_width(scaling, TASK, tolerance).width
    medians = []
    for network in (scaling.at_width(round(width * by)) for by in (0.6, 1.7)):
        ways = []
        for seed in range(200):
            layers = network.sample_weights(seed=seed)
            times = np.linspace(0, 12, 400)
            run = simulation.gradient_flow(network, TASK, *layers, times, rtol=1e-6, atol=1e-9)
            ways.append(np.abs(run.kernel / run.kernel[0] - 1).max())
        medians.append(np.median(ways))
    assert medians[1] < tolerance < medians[0]


@pytest.mark.parametrize(
    ("parametrisation", "tolerance"),
    [
        (fl.SCALINGS["ntk"], 0.01),
        (fl.SCALINGS["ntk"], 1e-6),
        (fl.SCALINGS["kaiming"], 1e-3),
        (fl.Network(1, gamma=0.02, sigma_u=0.5, sigma_w=0.5), 0.01),
    ],
)
def test_lazy_width_is_where_the_median_crosses_for_other_draws(parametrisation, tolerance):
    lazy = fl.lazy_width(parametrisation, TASK, tolerance)
    below, above = (
        median_on_the_way(network, TASK, network.sample_gram(size=20_000, seed=77))
        for network in (at_width(parametrisation, round(lazy.width * by)) for by in (0.9, 1.12))
    )
    assert above < tolerance < below
    assert lazy.interval[0] <= lazy.width <= lazy.interval[1]
    assert lazy.interval[1] / lazy.interval[0] < 1.2
    other = fl.lazy_width(parametrisation, TASK, tolerance, size=20_000, seed=5)
    assert 0.95 < other.width / lazy.width < 1.05


def test_lazy_width_of_the_ntk_grows_like_one_over_tolerance():
    # |K(∞)/K(0) − 1| → |1 − v(0)²|/(2d) with v(0) a standard normal number, and v(0)²/(2d) on the
    # way through v = 0 where it is negative
    z = np.random.default_rng(0).standard_normal(10**6)
    end = np.abs(1 - z**2)
    median = np.median(np.where(z < 0, np.maximum(end, z**2), end))
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


@pytest.mark.parametrize("name", ["ntk", "kaiming", "mup"])
def test_every_width_is_drawn_once(name, monkeypatch):
    drawn = []
    sample_gram = fl.Network.sample_gram

    def counted(network, *args, **kwargs):
        drawn.append(network.width)
        return sample_gram(network, *args, **kwargs)

    monkeypatch.setattr(fl.Network, "sample_gram", counted)
    lazy = fl.lazy_width(fl.SCALINGS[name], TASK, size=500)
    assert len(drawn) == len(set(drawn))
    assert set(drawn) >= set(lazy.widths.tolist())


def test_the_deviations_are_medians_of_the_ensembles():
    lazy = fl.lazy_width(fl.SCALINGS["ntk"], TASK, size=501, seed=3, largest=10**4)
    for width, deviation in zip(lazy.widths.tolist(), lazy.deviation, strict=True):
        ensemble = fl.Ensemble(fl.SCALINGS["ntk"].at_width(width), TASK, 501, seed=3)
        assert deviation == np.median(ensemble.kernel_excursion)


def test_a_generator_gives_every_width_the_same_seed():
    first, second = (
        fl.lazy_width(fl.SCALINGS["ntk"], TASK, size=500, seed=np.random.default_rng(7))
        for _ in range(2)
    )
    assert first == second


def test_refusals():
    network = fl.Network(3)
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

"""The lazy width, against the solver of single flows and against theory."""

import numpy as np
import pytest

import flbook as fl

INFINITY = float("inf")
TASK = fl.Task(1.0, 1.0, 1.0)


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
        assert deviation == np.median(np.abs(ensemble.kernel_drift))


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

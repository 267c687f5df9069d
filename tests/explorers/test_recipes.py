"""What was computed in Python opens in the pictures, and comes back out of them."""

import math

import numpy as np
import pytest
from tables import ON_A_LINE, WITH_A_TASK

import flbook as fl
from flbook import explorers
from flbook.explorers import Explorer, parameters

WITH_A_START = [name for name in ON_A_LINE if {"overlap", "uw"} & set(parameters(name))]
NETWORK = ("width", "gamma", "sigma_u", "sigma_w", "eta_u", "eta_w")


def random_network(random, explorer: str) -> fl.Network:
    """Draw hyperparameters of every size, and a width that the picture can hold."""
    largest = min(parameters(explorer)["width"].max, 10**6)
    width = round(10 ** random.uniform(math.log10(2), math.log10(largest)))
    gamma, sigma_u, sigma_w, eta_u, eta_w = 10 ** random.uniform(-3, 1.5, 5)
    return fl.Network(width, gamma, sigma_u, sigma_w, eta_u, eta_w)


@pytest.mark.parametrize("explorer", ON_A_LINE)
def test_a_network_and_its_start_come_back(explorer):
    random = np.random.default_rng(1)
    for seed in range(20):
        network = random_network(random, explorer)
        start = network.sample_gram(seed=seed) if explorer in WITH_A_START else None
        shown = Explorer(explorer, network=network, gram=start).parameters()
        for name in NETWORK:
            assert shown[name] == pytest.approx(getattr(network, name), rel=1e-9), name
        for name in ("uu", "uw", "ww") if start else ():
            assert shown[name] == pytest.approx(float(getattr(start, name)), rel=1e-9), name


@pytest.mark.parametrize("explorer", WITH_A_TASK)
def test_a_task_comes_back(explorer):
    task = fl.Task(2.0, 1.6, 1.5)
    shown = Explorer(explorer, task=task).parameters()
    assert shown["second_moment"] == task.second_moment
    assert shown["cross_moment"] == pytest.approx(task.cross_moment, rel=1e-12)
    assert shown["label_moment"] == pytest.approx(task.label_moment, rel=1e-12)


def random_neuron(random) -> fl.NeuronFlow:
    """Draw a neuron of any size and any number of input dimensions."""
    a, eta_a, eta_w = 10 ** random.uniform(-3, 3, 3)
    w, target = 10 ** random.uniform(-3, 1, (2, 1)) * random.normal(size=(2, random.integers(2, 7)))
    return fl.NeuronFlow(float(random.choice([-1, 1]) * a), w, target, float(eta_a), float(eta_w))


def test_a_neuron_comes_back_in_the_frame_of_its_target():
    random = np.random.default_rng(5)
    for _ in range(50):
        neuron = random_neuron(random)
        shown = explorers.turning_neuron(neuron=neuron, t=100.0).parameters()
        t = shown.pop("t")
        again = fl.NeuronFlow(**shown)
        assert t == 100.0
        assert again.dimensions == neuron.dimensions
        for name in ("imbalance", "rate"):
            rounding = {"rel": 1e-12, "abs": 1e-12 * float(neuron.kernel_size(0.0))}
            assert getattr(again, name) == pytest.approx(getattr(neuron, name), **rounding)
        for moment in (0.0, 1 / float(neuron.rate), np.inf):
            for name in ("loss", "kernel_size", "kernel_rotation"):
                one, other = (getattr(flow, name)(moment) for flow in (again, neuron))
                assert one == pytest.approx(other, rel=1e-8, abs=1e-12), name


@pytest.mark.parametrize(
    ("neuron", "error", "message"),
    [
        (fl.NeuronFlow(0.0, [1.0, 0.0], [1.0, 0.0]), ValueError, "neuron must have an a, a w and"),
        (fl.NeuronFlow([1.0, 2.0], [1.0, 0.0], [1.0, 0.0]), ValueError, r"of shape \(2,\)"),
        (fl.NeuronFlow(1.0, [1.0], [1.0]), ValueError, "neuron must have inputs of 2 dimensions"),
        (fl.Network(2), TypeError, "neuron must be a NeuronFlow"),
    ],
)
def test_a_neuron_that_cannot_be_shown_is_refused(neuron, error, message):
    with pytest.raises(error, match=message):
        explorers.turning_neuron(neuron=neuron)


def test_a_neuron_and_a_network_are_shown_where_they_belong():
    with pytest.raises(TypeError, match="network is not for the explorer 'turning-neuron'"):
        Explorer("turning-neuron", network=fl.Network(2))
    with pytest.raises(TypeError, match="layer_ratio is set by neuron already"):
        explorers.turning_neuron(neuron=fl.NeuronFlow(1.0, [1, 1], [1, 0]), layer_ratio=1.0)
    with pytest.raises(TypeError, match="not a parameter of the explorer 'any-loss'"):
        Explorer("any-loss", neuron=fl.NeuronFlow(1.0, [1, 1], [1, 0]))


def test_a_task_of_a_network_with_a_multiplier_comes_back_in_the_half_plane():
    task, network = fl.Task(1.0, 0.6, 1.0), fl.Network(5, gamma=0.5)
    explorer = explorers.half_plane(task=task, network=network, gram=fl.Gram(2.0, 0.5, 1.0))
    assert explorer.figure.target == pytest.approx(1.2)
    assert explorer.parameters()["cross_moment"] == pytest.approx(0.6)


def test_a_task_comes_back_beside_a_multiplier_of_the_half_plane_itself():
    shown = explorers.half_plane(task=fl.Task(1.0, 0.6, 1.0), gamma=0.5).parameters()
    assert shown["cross_moment"] == pytest.approx(0.6)


@pytest.mark.parametrize("explorer", [name for name in WITH_A_START if name != "half-plane"])
def test_a_start_alone_is_one_of_the_network_that_is_there(explorer):
    default = Explorer(explorer).parameters()
    network = fl.Network(**{name: default[name] for name in NETWORK})
    start = network.sample_gram(seed=3)
    shown = Explorer(explorer, gram=start).parameters()
    assert {name: shown[name] for name in NETWORK} == {name: default[name] for name in NETWORK}
    for name in ("uu", "uw", "ww"):
        assert shown[name] == pytest.approx(float(getattr(start, name)), rel=1e-9)


@pytest.mark.parametrize("opener", ["phase_diagram", "ensemble"])
@pytest.mark.parametrize(
    "beside",
    [{"scaling": scaling} for scaling in fl.SCALINGS.values()]
    + [{"c_gamma": 0.0, "e_w": -0.5}, {"c_u": -1.0, "fan_offset": 1.0}],
)
def test_a_network_is_the_one_that_is_shown_whatever_the_powers(opener, beside):
    network = fl.Network(300, 0.02, 0.5, 0.7, 2.0, 3.0)
    explorer = getattr(explorers, opener)(network=network, **beside)
    shown = explorer.parameters()
    for name in NETWORK:
        assert shown[name] == pytest.approx(getattr(network, name), rel=1e-9), name
    if "scaling" in beside:
        assert explorer.figure.c_gamma == beside["scaling"].gamma
    else:
        assert {name: getattr(explorer.figure, name) for name in beside} == beside


def test_a_factor_on_the_scales_leaves_the_network_as_it_is():
    network = fl.Network(300, 0.02, 0.5, 0.7, 2.0, 3.0)
    explorer = explorers.ensemble(network=network, sigma=0.5)
    assert explorer.figure.sigma == 0.5
    assert explorer.parameters()["sigma_u"] == pytest.approx(0.5, rel=1e-9)


def test_a_trained_network_opens_beyond_the_sliders():
    network, task = fl.Network(1000, gamma=0.03), fl.Task(1.0, 1.0, 1.0)
    end = fl.GradientFlow(network, task, network.sample_gram(seed=0)).gram(np.inf)
    aligned = fl.Gram(1e3, 1e3, 1e3)
    for gram in (end, aligned):
        explorer = explorers.every_knob(network=network, gram=gram)
        assert explorer.parameters()["uw"] == pytest.approx(float(gram.uw), rel=1e-9)
    slider = explorer.controls["overlap"]
    assert slider.value == pytest.approx(math.sqrt(1000), rel=1e-9)
    assert slider.min <= slider.value <= slider.max


@pytest.mark.parametrize("width", [1, 7])
@pytest.mark.parametrize("norms", [(0.0, 4.0), (4.0, 0.0), (0.0, 0.0)])
def test_layers_of_zeros_open_too(width, norms):
    uu, ww = norms
    shown = explorers.every_knob(network=fl.Network(width), gram=fl.Gram(uu, 0.0, ww)).parameters()
    assert (shown["uu"], shown["uw"], shown["ww"]) == pytest.approx((uu, 0.0, ww), rel=1e-12)


def test_one_neuron_has_no_determinant():
    network = fl.Network(1)
    shown = explorers.every_knob(network=network, gram=fl.Gram(4.0, -2.0, 1.0)).parameters()
    assert (shown["uu"], shown["uw"], shown["ww"]) == (4.0, -2.0, 1.0)
    with pytest.raises(ValueError, match="gram must have determinant 0 at width 1"):
        explorers.every_knob(network=network, gram=fl.Gram(4.0, 1.0, 1.0))


@pytest.mark.parametrize(
    ("opener", "given", "error", "message"),
    [
        ("every_knob", {"network": 3}, TypeError, "network must be a Network, got 3"),
        ("every_knob", {"network": fl.Network([2, 3])}, ValueError, "network must be a single one"),
        ("every_knob", {"network": fl.Network(3), "gamma": 1.0}, TypeError, "gamma is set by netw"),
        ("every_knob", {"network": fl.Network(3, sigma_u=0)}, ValueError, "a sigma_u above 0"),
        (
            "neuron_plane",
            {"network": fl.Network(3), "gram": fl.Gram(1.0, 0.0, 1.0)},
            ValueError,
            "gram must be None for the explorer 'neuron-plane'",
        ),
        (
            "half_plane",
            {"gram": fl.Gram(0.0, 0.0, 1.0)},
            ValueError,
            "two layers that are not zero",
        ),
        (
            "neuron_plane",
            {"network": fl.Network(61)},
            ValueError,
            "network must have at most 60 neurons in the explorer 'neuron-plane'",
        ),
    ],
)
def test_what_cannot_be_shown_is_refused(opener, given, error, message):
    with pytest.raises(error, match=message):
        getattr(explorers, opener)(**given)


@pytest.mark.parametrize("opener", ["phase_diagram", "ensemble"])
def test_a_named_scaling_is_shown_with_its_factors(opener):
    task = fl.Task(1.0, 1.0, 1.0)
    for scaling in fl.SCALINGS.values():
        shown = getattr(explorers, opener)(scaling=scaling, width=10**4, overlap=0).parameters()
        network = scaling.at_width(10**4)
        wanted = fl.GradientFlow(network, task, network.typical_gram(0)).outcome.kernel_ratio
        flow = fl.GradientFlow(
            fl.Network(**{name: shown[name] for name in NETWORK}),
            task,
            fl.Gram(shown["uu"], shown["uw"], shown["ww"]),
        )
        assert flow.outcome.kernel_ratio == pytest.approx(wanted, rel=1e-9)


@pytest.mark.parametrize("width", [1, 2, 5, 1000])
def test_a_limit_at_a_fixed_width_is_shown_with_its_network(width):
    factors = fl.Factors(sigma2_u=2.0, sigma2_w=0.5, eta_u=0.3, eta_w=1.2)
    for limit in (
        fl.Scaling(0, 1, 1, 0, 0, width=0, factors=factors),
        fl.Scaling(0.5, 1, 0, -1, 0.5, width=0, factors=factors, fan_offset=1),
    ):
        explorer = explorers.phase_diagram(scaling=limit, width=width, kappa=1e5)
        shown, network = explorer.parameters(), limit.at_scale(1e5, base_width=width)
        for name in NETWORK:
            assert shown[name] == pytest.approx(getattr(network, name), rel=1e-9), name
        assert shown["scaling"]["width"] == 0
        # and a network beside the powers is the one that is shown
        given = fl.Network(width, 0.02, 0.5, 0.7, 2.0, 3.0)
        again = explorers.phase_diagram(scaling=limit, network=given, kappa=1e3).parameters()
        for name in NETWORK:
            assert again[name] == pytest.approx(getattr(given, name), rel=1e-9), name


def test_the_large_start_at_a_fixed_width_ends_where_the_formula_says():
    limit = fl.Scaling(0, 1, 1, 0, 0, width=0)
    shown = explorers.phase_diagram(scaling=limit, width=5, kappa=1e9, overlap=1).parameters()
    flow = fl.GradientFlow(
        fl.Network(**{name: shown[name] for name in NETWORK}),
        fl.Task(1.0, 1.0, 1.0),
        fl.Gram(shown["uu"], shown["uw"], shown["ww"]),
    )
    left = np.sqrt(1 - flow.kernel_alignment(0.0) ** 2)
    assert flow.outcome.kernel_ratio == pytest.approx(left, rel=1e-6)
    assert left < 0.99

"""States: one for every dynamics, computed once, saying what the methods say."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

import flbook as fl
from flbook._model.state import LayerState, State
from flbook.simulation import gradient_descent

PARTS = ["network", "task", "gram"]
DYNAMICS = [
    thing
    for thing in vars(fl).values()
    if inspect.isclass(thing)
    and hasattr(thing, "at")
    and [*inspect.signature(thing).parameters][:3] == PARTS
]
NETWORK = fl.Network([3, 4], gamma=0.5, eta_u=0.2, eta_w=[[0.1], [0.3], [0.2]])
TASK = fl.Task(1.0, [[0.7], [-0.7], [0.7]], 2.0)
# the last start has an empty mode, and is balanced only where eta_u = eta_w
GRAM = fl.Gram(1.0, [0.5, -1.0], [2.0, 1.0])
TIMES = {"one": 2.0, "none": np.empty(0), "row": np.array([0.0, 3.0, 1.0, 3.0]), "end": np.inf}
TIMES["table"] = np.array([[0.0, 1.0], [7.0, np.inf], [2.0, 2.0]])


@pytest.fixture(params=DYNAMICS, ids=lambda kind: kind.__name__)
def dynamics(request):
    return request.param(NETWORK, TASK, GRAM)


def quantities(state) -> list[str]:
    """Name the quantities that a state holds."""
    return [name for name in dir(type(state)) if not name.startswith("_") and name != "t"]


def as_array(value) -> np.ndarray:
    return np.stack([value.uu, value.uw, value.ww]) if isinstance(value, fl.Gram) else value


def test_there_are_dynamics_to_test():
    assert {"GradientFlow", "KernelFlow", "GradientDescent", "LogisticFlow"} <= {
        d.__name__ for d in DYNAMICS
    }


def test_a_state_keeps_the_protocol(dynamics):
    state = dynamics.at(1.0)
    assert isinstance(state, State)
    assert isinstance(state, LayerState) == hasattr(dynamics, "gram")


@pytest.mark.parametrize("t", TIMES.values(), ids=TIMES)
def test_methods_and_state_say_the_same(dynamics, t):
    state = dynamics.at(t)
    shape = dynamics.shape + np.shape(t)
    for name in quantities(state):
        if not hasattr(dynamics, name):
            continue
        value, again = as_array(getattr(state, name)), as_array(getattr(dynamics, name)(t))
        assert value.shape[-len(shape) :] == shape, name
        np.testing.assert_array_equal(value, again)
        assert not np.isnan(value).any(), name


def test_a_table_of_times_is_its_entries(dynamics):
    t = TIMES["table"]
    together = dynamics.at(t)
    for index in np.ndindex(t.shape):
        alone = dynamics.at(t[index])
        for name in ("slope", "residual", "loss", "kernel"):
            np.testing.assert_array_equal(
                getattr(together, name)[..., *index], getattr(alone, name)
            )


def test_many_networks_are_each_of_them(dynamics):
    t = np.array([0.0, 1.0, 4.0])
    together = dynamics.at(t)
    for i, j in np.ndindex(dynamics.shape):
        network = fl.Network(
            int(NETWORK.width[j]), gamma=0.5, eta_u=0.2, eta_w=float(NETWORK.eta_w[i, 0])
        )
        task = fl.Task(1.0, float(TASK.cross_moment[i, 0]), 2.0)
        alone = type(dynamics)(network, task, fl.Gram(1.0, GRAM.uw[j], GRAM.ww[j])).at(t)
        for name in quantities(alone):
            one, all_ = as_array(getattr(alone, name)), as_array(getattr(together, name))
            if name != "mode_factors":
                np.testing.assert_allclose(all_[..., i, j, :], one, rtol=1e-13, err_msg=name)


def test_a_quantity_is_computed_once():
    state = fl.GradientFlow(NETWORK, TASK, GRAM).at([1.0, 2.0])
    assert state.slope is state.slope
    assert state.gram is state.gram


def test_the_logistic_limit_is_the_flow_of_balanced_aligned_layers():
    random = np.random.default_rng(5)
    size = 10 ** random.uniform(-4, 4, 500)
    eta_u, eta_w = 10 ** random.uniform(-3, 3, (2, 500))
    sign = random.choice([-1.0, 1.0], 500)
    network = fl.Network(1, gamma=0.3, eta_u=eta_u, eta_w=eta_w)
    task = fl.Task(2.0, 10 ** random.uniform(-3, 3, 500), 1e9)
    start = fl.Gram(size * np.sqrt(eta_u / eta_w), sign * size, size * np.sqrt(eta_w / eta_u))
    t = np.concatenate([[0.0], 10 ** random.uniform(-3, 2, 20), [np.inf]])
    # the limit takes nothing of the start but its slope
    other = fl.Gram(3 * start.uu, start.uw, 5 * np.asarray(start.ww))
    limit = fl.LogisticFlow(network, task, other).at(t)
    target = np.asarray(task.target)[:, None]
    slope = 0.3 * np.asarray(start.uw)[:, None]
    rate = 2 * 2.0 * 0.3 * np.sqrt(eta_u * eta_w)[:, None] * target
    with np.errstate(over="ignore", invalid="ignore"):
        right = slope > 0
        curve = target / (1 + (target / slope - 1) * np.exp(-rate * t))
    right = right & np.isfinite(curve)
    np.testing.assert_allclose(limit.slope[right], curve[right], rtol=1e-9)
    np.testing.assert_allclose(
        limit.kernel, 2 * 0.3 * np.sqrt(eta_u * eta_w)[:, None] * np.abs(limit.slope), 1e-11, 1e-300
    )
    assert (np.abs(limit.alignment) == 1).all()
    wrong = sign < 0
    assert (limit.slope[wrong, -1] == 0).all()
    np.testing.assert_allclose(limit.slope[~wrong, -1], target[~wrong, 0], rtol=1e-13)


def test_time_to_shrink_against_the_flow_itself():
    random = np.random.default_rng(6)
    count = 400
    uu, ww = 10 ** random.uniform(-3, 3, (2, count))
    uw = random.uniform(-1, 1, count) * np.sqrt(uu * ww)
    network = fl.Network(2, gamma=0.7, eta_u=10 ** random.uniform(-2, 2, count), eta_w=0.4)
    flow = fl.GradientFlow(
        network, fl.Task(1.3, random.normal(size=count), 1e9), fl.Gram(uu, uw, ww)
    )
    fraction = np.array([1e-9, 0.1, 0.5, 0.99, 1 - 1e-9])
    times = flow.time_to_shrink(fraction)
    assert times.shape == (count, fraction.size)
    for i, share in enumerate(fraction):
        left = np.array(
            [
                fl.GradientFlow(
                    fl.Network(2, gamma=0.7, eta_u=network.eta_u[k], eta_w=0.4),
                    fl.Task(1.3, flow.task.cross_moment[k], 1e9),
                    fl.Gram(uu[k], uw[k], ww[k]),
                ).residual(times[k, i])
                for k in range(0, count, 8)
            ]
        )
        np.testing.assert_allclose(left / flow.residual(0.0)[::8], share, rtol=1e-10)


def test_time_to_shrink_where_the_error_never_goes():
    task = fl.Task(1.0, 1.0, 1.0)
    still = fl.GradientFlow(fl.Network(2), task, fl.Gram(0.0, 0.0, 0.0))
    assert still.time_to_shrink(0.5) == np.inf
    stuck = fl.GradientFlow(fl.Network(2), task, fl.Gram(1.0, -1.0, 1.0))
    # from −1 towards 0: the error falls from 2 to 1, and no further
    assert stuck.time_to_shrink(0.49) == np.inf
    assert 0 < stuck.time_to_shrink(0.6) < np.inf
    assert stuck.residual(stuck.time_to_shrink(0.6)) == pytest.approx(-1.2, rel=1e-12)


@pytest.mark.parametrize(("fraction", "got"), [(0.0, "0.0"), (1.0, "1.0"), ([0.5, 2.0], "2.0")])
def test_time_to_shrink_refuses(fraction, got):
    flow = fl.GradientFlow(fl.Network(2), fl.Task(1.0, 1.0, 1.0), fl.Gram(1.0, 0.0, 1.0))
    with pytest.raises(ValueError, match=f"fraction must be .*, got {got}"):
        flow.time_to_shrink(fraction)


def test_the_excursion_of_the_kernel_is_the_largest_on_the_way():
    random = np.random.default_rng(8)
    uu, ww = 10 ** random.uniform(-2, 2, (2, 300))
    uw = random.uniform(-1, 1, 300) * np.sqrt(uu * ww)
    network = fl.Network(2, gamma=0.7, eta_u=10 ** random.uniform(-2, 2, 300), eta_w=0.4)
    target = random.normal(size=300)
    # half of them come back to the kernel that they had
    target[::2] = -0.7 * uw[::2]
    flow = fl.GradientFlow(network, fl.Task(1.0, target, 1e9), fl.Gram(uu, uw, ww))
    times = np.concatenate([[0.0], np.geomspace(1e-6, 1e4, 4000), [np.inf]])
    kernel = flow.kernel(times)
    largest = np.abs(kernel / kernel[:, :1] - 1).max(axis=1)
    np.testing.assert_allclose(flow.outcome.kernel_excursion, largest, rtol=1e-3)
    assert (flow.outcome.kernel_excursion >= largest - 1e-14).all()
    assert np.abs(flow.outcome.kernel_drift[::2]).max() < 1e-13
    assert flow.outcome.kernel_excursion[::2].min() > 1e-9


@pytest.mark.parametrize("rates", [(1.0, 1.0), (0.3, 2.0), (0.0, 1.5), (0.7, 0.0)])
def test_the_displacement_is_that_of_the_weights(rates):
    random = np.random.default_rng(9)
    network = fl.Network(6, gamma=0.4, eta_u=rates[0], eta_w=rates[1])
    for scale in (1e-2, 1.0, 1e4):
        u, w = scale * random.normal(size=(2, 6))
        for target in (-3.0, 0.2, 5.0):
            flow = fl.GradientFlow(network, fl.Task(1.0, target, 1e9), fl.Gram.from_weights(u, w))
            now = flow.at(np.array([0.0, 1e-9, 0.1, 3.0, np.inf]))
            new_u, new_w = flow.weights(now.t, u, w)
            moved = fl.Gram.from_weights(new_u - u, new_w - w)
            slack = 1e-13 * (np.sum(new_u**2 + new_w**2, axis=-1) + u @ u + w @ w)
            for name in ("uu", "uw", "ww"):
                error = np.abs(getattr(now.displacement, name) - getattr(moved, name))
                assert (error <= 1e-9 * np.abs(getattr(moved, name)) + slack).all(), name


def test_small_displacements_keep_their_digits():
    flow = fl.GradientFlow(fl.Network(2), fl.Task(1.0, 1.0, 1.0), fl.Gram(1e9, 0.0, 1e9))
    # a rank-one step from large layers: |u − u(0)|² = |w|²(v*/K)² with K = 2e9
    assert flow.at(np.inf).displacement.uu == pytest.approx(1e9 / 4e18, rel=1e-9)


def test_small_displacements_of_a_stuck_network_keep_their_digits():
    flow = fl.GradientFlow(fl.Network(1), fl.Task(1.0, 1.0, 1.0), fl.Gram(1.0, -1.0, 1.0))
    # du/dt = −(v − v*)w = 2w, for so short a time
    assert flow.at(1e-12).displacement.uu == pytest.approx(4e-24, rel=1e-9)


def test_a_stuck_network_loses_its_weights():
    flow = fl.GradientFlow(fl.Network(1), fl.Task(1.0, 1.0, 1.0), fl.Gram(1.0, -1.0, 1.0))
    gone = flow.at(np.inf).displacement
    assert (gone.uu, gone.uw, gone.ww) == (1.0, -1.0, 1.0)


@pytest.mark.parametrize("rates", [(0.1, 0.1), (0.03, 0.2), (0.0, 0.15), (0.07, 0.0)])
def test_the_displacement_of_steps_is_that_of_real_weights(rates):
    random = np.random.default_rng(10)
    network = fl.Network(5, gamma=0.4, eta_u=rates[0], eta_w=rates[1])
    task = fl.Task(1.0, 1.3, 2.0)
    u, w = random.normal(size=(2, 5))
    steps = np.array([0, 1, 7, 200])
    run = gradient_descent(network, task, u, w, steps)
    now = fl.GradientDescent(network, task, fl.Gram.from_weights(u, w)).at(steps)
    moved = fl.Gram.from_weights(run.u - u, run.w - w)
    for name in ("uu", "uw", "ww"):
        np.testing.assert_allclose(
            getattr(now.displacement, name), getattr(moved, name), rtol=1e-10, atol=1e-13
        )

"""Gradient steps in the browser are those of the Python core, also where they diverge or never
settle.
"""

import math

import numpy as np
import pytest
from javascript import ask_node

import flbook as fl

NAMES = [
    *("slope", "residual", "loss", "kernel", "alignment", "kernel_alignment"),
    *("imbalance", "determinant", "gram.uu", "gram.uw", "gram.ww"),
]
HYPERPARAMETERS = ("gamma", "eta_u", "eta_w")
TASK = ("second_moment", "cross_moment", "label_moment")
GRAM = ("uu", "uw", "ww")
STEPS = (0, 1, 2, 3, 7, 20, 61)


def decades(random, low, high) -> float:
    return float(10.0 ** random.uniform(low, high))


def random_point(random, reach: float) -> dict:
    """Draw a network of any size, with a step that is small, large or too large for it."""
    point = {name: decades(random, -reach, reach) for name in (*HYPERPARAMETERS, "uu", "ww")}
    cosine = random.choice([random.uniform(0, 1), 1 - decades(random, -15, 0)])
    size = math.sqrt(point["uu"]) * math.sqrt(point["ww"])
    point["uw"] = float(random.choice([-1, 1]) * cosine * size * (1 - 1e-15))
    gamma, eta_u, eta_w = (point[name] for name in HYPERPARAMETERS)
    kernel = gamma**2 * (eta_w * point["uu"] + eta_u * point["ww"])
    eta = math.sqrt(eta_u) * math.sqrt(eta_w)
    m = random.uniform(0, 5) / kernel
    # the target, in units in which all that is beyond 2 diverges
    target = random.uniform(-2.2, 2.2) * decades(random, -3, 0) / (m * gamma * eta)
    extra = random.choice([1.0, 1 + decades(random, -8, 2)])
    c = m * target
    return point | {"second_moment": m, "cross_moment": c, "label_moment": c * c / m * extra}


def degenerate_points(random) -> list[dict]:
    """Return starts and targets where something vanishes exactly."""
    kinds = [
        {"uu": 0.0, "uw": 0.0, "ww": 0.0},
        {"uu": 0.0, "uw": 0.0},
        {"ww": 0.0, "uw": 0.0},
        {"uw": 0.0},
        {"uu": 2.0, "ww": 2.0, "uw": 2.0, "eta_u": 0.25, "eta_w": 0.25},
        {"uu": 2.0, "ww": 2.0, "uw": -2.0, "eta_u": 0.25, "eta_w": 0.25},
        {"cross_moment": 0.0, "label_moment": 1.0},
        {"eta_u": 0.0},
        {"eta_w": 0.0},
        {"eta_u": 0.0, "eta_w": 0.0},
    ]
    return [random_point(random, 0.5) | kind for kind in kinds * 20]


def core(point: dict) -> fl.GradientDescent:
    network = fl.Network(1, **{name: point[name] for name in HYPERPARAMETERS})
    task = fl.Task(*(point[name] for name in TASK))
    return fl.GradientDescent(network, task, fl.Gram(*(point[name] for name in GRAM)))


def close(got, wanted: float) -> bool:
    got = float(str(got).replace("Infinity", "inf"))
    # what is built up in several roundings differs where it is built in another order
    return got == wanted or abs(got - wanted) <= 1e-12 * abs(wanted) + 1e-300


def of_state(state, name: str) -> float:
    quantity, _, entry = name.partition(".")
    value = getattr(state, quantity)
    return float(getattr(value, entry) if entry else value)


@pytest.mark.parametrize("reach", [0.5, 3, 6], ids=["near", "far", "extreme"])
def test_steps_at_random_points(reach):
    random = np.random.default_rng(int(10 * reach))
    compare([random_point(random, reach) for _ in range(400)])


def test_steps_at_degenerate_points():
    compare(degenerate_points(np.random.default_rng(5)))


def compare(points: list[dict]) -> None:
    asked = [
        {"what": "run", "kind": "GradientDescent", "names": NAMES, "point": {**point, "t": t}}
        for point in points
        for t in STEPS
    ]
    answers = iter(ask_node(asked))
    for point in points:
        descent = core(point)
        for t in STEPS:
            state, answer = descent.at(t), next(answers)
            for name in NAMES:
                wanted = of_state(state, name)
                assert not math.isnan(wanted)
                assert close(answer[name], wanted), (name, t, answer[name], wanted, point)


def test_a_descent_that_never_settles_stays_the_same_to_the_last_digit():
    """At targets with 1 < mγη|v*| < 2 steps are bounded and chaotic: a bit lost is all lost."""
    for target in (1.1, 1.4, 1.7, 1.95):
        point = {"gamma": 0.5, "eta_u": 0.7, "eta_w": 0.9, "uu": 0.5, "uw": 0.1, "ww": 0.4}
        slope = target / (0.5 * math.sqrt(0.7 * 0.9))
        point |= {"second_moment": 1.0, "cross_moment": slope, "label_moment": slope**2}
        asked = {"what": "run", "kind": "GradientDescent", "names": ["residual", "kernel"]}
        steps = [10, 100, 1000, 10_000]
        answers = ask_node([asked | {"point": {**point, "t": t}} for t in steps])
        descent = core(point)
        for t, answer in zip(steps, answers, strict=True):
            assert abs(descent.residual(t)) > 1e-3
            assert answer["residual"] == descent.residual(t)
            assert answer["kernel"] == descent.kernel(t)


def random_batches(random, point: dict) -> dict:
    """Draw examples round the task of `point`, and for every step a batch with noisy labels."""
    count, size = (int(random.integers(1, most)) for most in (6, 4))
    x = random.normal(size=count) * math.sqrt(point["second_moment"])
    target = point["cross_moment"] / point["second_moment"]
    bend = random.choice([0.0, 1.0]) * abs(target) * decades(random, -3, 0)
    y = x * target + bend * random.normal(size=count)
    index = random.integers(count, size=(max(STEPS), size))
    noise = abs(target) * decades(random, -3, -1) * random.normal(size=index.shape)
    return {"data": {"x": x, "y": y}, "batches": {"size": size, "index": index, "noise": noise}}


def as_lists(tree):
    """Return the tree with its arrays as flat lists."""
    if isinstance(tree, dict):
        return {key: as_lists(branch) for key, branch in tree.items()}
    return tree.ravel().tolist() if isinstance(tree, np.ndarray) else tree


@pytest.mark.parametrize("reach", [0.5, 3])
def test_steps_on_given_batches(reach):
    random = np.random.default_rng(int(10 * reach) + 1)
    asked, settled = [], 0
    for _ in range(200):
        point = random_point(random, reach)
        # noise drives what settles to one path; chaos would part two that differ in the last bit
        point["second_moment"] *= 0.2
        sizes = {"names": NAMES, "steps": STEPS}
        asked.append(
            {"what": "stochastic", "point": point, **random_batches(random, point), **sizes}
        )
    for request, answer in zip(asked, ask_node([as_lists(one) for one in asked]), strict=True):
        point, data, batches = request["point"], request["data"], request["batches"]
        network = fl.Network(1, **{name: point[name] for name in HYPERPARAMETERS})
        given = (batches["index"], batches["noise"])
        gram = fl.Gram(*(point[name] for name in GRAM))
        descent = fl.StochasticDescent(network, data["x"], data["y"], gram, batches=given)
        for t, shown in zip(STEPS, answer["states"], strict=True):
            state = descent.at(t)
            for name in NAMES:
                wanted = of_state(state, name)
                # differences of nearly equal numbers carry what their terms carry
                size = abs(float(state.slope)) + abs(float(descent.task.target))
                slack = 1e-12 * size if name in ("slope", "residual") else 0.0
                got = float(str(shown[name]).replace("Infinity", "inf"))
                assert got == wanted or abs(got - wanted) <= 1e-9 * abs(wanted) + slack, (name, t)
        settled += bool(np.isfinite(descent.kernel(max(STEPS))))
    assert settled > 100


def test_the_steps_in_which_noise_takes_a_network_to_the_rich_side():
    random = np.random.default_rng(8)
    point = random_point(random, 0.5)
    for width, eta, noise in [(100, 0.3, 1.0), (10_000, 1.2, 3.0), (1000, 0.05, 0.5)]:
        network = fl.Network(width, gamma=width**-0.5, eta_u=eta, eta_w=eta)
        x = np.array([1.5, -0.5])
        known = fl.GradientNoise(x, 2 * x, label_noise=noise)
        m, v = float(known.task.second_moment), float(known.task.target)
        signal = 2 * float(network.gamma) * eta * v
        sinking = {
            "stirring": (float(network.gamma) * eta) ** 2 * known.pull,
            "drag": signal / 2 * known.square / m,
            "from": 0.6 / (m * signal),
            "to": 0.1,
        }
        asked = {"what": "stochastic", "point": point, **random_batches(random, point)}
        asked |= {"names": [], "steps": [], "sinking": sinking}
        (answer,) = ask_node([as_lists(asked)])
        wanted = known.steps_to_sink(network, 0.6 / m, 0.1 * signal)
        assert answer["sink"] == pytest.approx(float(wanted), rel=1e-4)

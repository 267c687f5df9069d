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

"""The solver that runs in the browser says what the Python core says, everywhere."""

import math
from inspect import signature

import numpy as np
import pytest
from javascript import ask_node

import flbook as fl

INPUTS = ("gamma", "eta_u", "eta_w", "second_moment", "cross_moment", "label_moment")
GRAM = ("uu", "uw", "ww")
TOLERANCE = 1e-12
TWO_ULP = 2.0**-51
SMALLEST = 1e-300

# What the browser's dynamics answer, by class.
(BROWSER,) = ask_node([{"what": "dynamics"}])
# Beyond the states: what is asked without a time, of the outcome, or with a fraction.
TIMELESS = {"rate", "kernel_floor"}
OTHERWISE = {"kernel_ratio", "kernel_drift", "kernel_excursion", "time_to_shrink", "angle"}
# What only the browser asks for: the product of all 1 − h², which ten thousand steps are drawn by.
OTHERWISE |= {"shrinkage"}


def state_of(kind: str, t: float = 1.0):
    """Return the state of a small network, to see what it knows."""
    dynamics = getattr(fl, kind)
    data = {"x": [1.0], "y": [1.0]}
    if not data.keys() <= signature(dynamics).parameters.keys():
        data = {"task": fl.Task(1.0, 1.0, 1.0)}
    return dynamics(network=fl.Network(2), gram=fl.Gram(1.0, 0.5, 1.0), **data).at(t)


def quantities(kind: str) -> list[str]:
    """Name what both solvers say of these dynamics at a time."""
    state, names = state_of(kind), []
    for name in BROWSER[kind]:
        if isinstance(getattr(state, name, None), fl.Gram):
            names += [f"{name}.{entry}" for entry in GRAM]
        elif hasattr(state, name) or (name in TIMELESS and hasattr(getattr(fl, kind), name)):
            names.append(name)
    return names


def counts_steps(kind: str) -> bool:
    """Tell whether these dynamics know whole steps only."""
    try:
        state_of(kind, 0.5)
    except ValueError:
        return True
    return False


def packed(point: dict) -> dict:
    return {k: "Infinity" if v == math.inf else v for k, v in point.items()}


def dynamics(kind: str, point: dict):
    network = fl.Network(1, gamma=point["gamma"], eta_u=point["eta_u"], eta_w=point["eta_w"])
    task = fl.Task(*(point[name] for name in INPUTS[3:]))
    return getattr(fl, kind)(network, task, fl.Gram(*(point[name] for name in GRAM)))


def evaluate(flow, state, name: str):
    quantity, _, entry = name.partition(".")
    if entry:
        return getattr(getattr(state, quantity), entry)
    if quantity in TIMELESS:
        value = getattr(flow, quantity)
        return np.broadcast_to(value[..., None], (*flow.shape, state.t.size))
    return getattr(state, quantity)


def with_conditioning(kind, point, names, inputs) -> dict[str, tuple[float, float]]:
    """Give each quantity, and how much of it 2 ulp in each of the inputs can change."""
    moved = [name for name in inputs if point[name] != 0]
    count = 2 * len(moved) + 1
    table = {name: np.full(count, point[name]) for name in (*INPUTS, *GRAM)}
    for i, name in enumerate(moved):
        table[name][2 * i + 1] *= 1 + TWO_ULP
        table[name][2 * i + 2] *= 1 - TWO_ULP
    times = point["t"] * np.array([1.0, 1 + TWO_ULP, 1 - TWO_ULP])
    flow = dynamics(kind, table)
    state, answers = flow.at(times), {}
    for name in names:
        values = np.asarray(evaluate(flow, state, name))
        base = values[0, 0]
        slack = np.abs(values[1:, 0] - base).sum() + np.abs(values[0, 1:] - base).sum()
        answers[name] = float(base), float(slack)
    return answers


FLOWS = [kind for kind in BROWSER if not counts_steps(kind)]


def log_uniform(random, low, high) -> float:
    return float(10.0 ** random.uniform(low, high))


def base_point(random, reach: float) -> dict:
    """Draw all parameters from 10^-reach to 10^reach, and a Gram matrix of any alignment."""
    point = {name: log_uniform(random, -reach, reach) for name in ("gamma", "eta_u", "eta_w")}
    m, size = (log_uniform(random, -reach, reach) for _ in range(2))
    c = float(random.choice([-1, 1]) * size)
    point |= {"second_moment": m, "cross_moment": c}
    point["label_moment"] = c * c / m * random.choice([1.0, 1 + log_uniform(random, -8, 2)])
    uu, ww = log_uniform(random, -reach, reach), log_uniform(random, -reach, reach)
    cosine = random.choice([random.uniform(-1, 1), 1 - log_uniform(random, -15, 0)])
    point |= {"uu": uu, "ww": ww, "uw": float(random.choice([-1, 1]) * cosine * math.sqrt(uu * ww))}
    return point


def with_time(random, point: dict) -> dict:
    """Add a time: at an end, at a moment that matters, or anywhere."""
    rate = float(dynamics("GradientFlow", point).rate)
    natural = log_uniform(random, -4, 2.7) / rate if rate > 0 else log_uniform(random, -8, 8)
    natural = natural if math.isfinite(natural) else 1.0
    t = random.choice([0.0, math.inf, natural, natural, natural, log_uniform(random, -8, 8)])
    return {**point, "t": float(t)}


def degenerate_points(random):
    """Yield starts and targets where something vanishes exactly."""
    for i in range(400):
        point = base_point(random, 3)
        side = float(2.0 ** random.integers(-3, 4))
        share = float(2.0 ** (2 * random.integers(-3, 4)))
        sign = float(random.choice([-1, 1]))
        eta = log_uniform(random, -3, 3)
        kinds = [
            {"uu": 0.0, "uw": 0.0, "ww": 0.0},
            {"uu": 0.0, "uw": 0.0},
            {"ww": 0.0, "uw": 0.0},
            {"uw": 0.0},
            # one mode only, in balance: the saddle holds what starts on its wrong side
            {"uu": side, "ww": side, "uw": sign * side, "eta_u": eta, "eta_w": eta},
            {"uu": side * share, "ww": side / share, "uw": sign * side},
            {"uu": side, "ww": side, "eta_u": eta, "eta_w": eta, "uw": sign * side / 2},
            {"cross_moment": 0.0, "label_moment": 1.0},
            {"cross_moment": 0.0, "label_moment": 0.0},
            {"uu": side, "ww": side, "uw": sign * side, "eta_u": eta, "eta_w": eta}
            | {"cross_moment": 0.0, "label_moment": 1.0},
            {"eta_u": 0.0},
            {"eta_w": 0.0},
            {"eta_u": 0.0, "eta_w": 0.0},
        ]
        yield with_time(random, {**point, **kinds[i % len(kinds)]})


def run(kind, names, points) -> list[dict]:
    """Let the browser's dynamics of that kind answer at every point."""
    asked = {"what": "run", "kind": kind, "names": names}
    return ask_node([asked | {"point": packed(point)} for point in points])


def compare(points, kind, inputs=(*INPUTS, *GRAM)):
    """Assert that the browser and the core agree on all points."""
    names = quantities(kind)
    for point, answer in zip(points, run(kind, names, points), strict=True):
        with np.errstate(under="ignore", over="ignore"):
            expected = with_conditioning(kind, point, names, inputs)
        for name, (value, slack) in expected.items():
            error = abs(float(answer[name]) - value)
            allowed = TOLERANCE * abs(value) + slack + SMALLEST
            assert error <= allowed, (name, answer[name], value, slack, point)


def test_both_solvers_have_these_dynamics():
    assert len(BROWSER) >= 3
    for kind, names in BROWSER.items():
        assert hasattr(fl, kind), f"{kind} runs in the browser and has no Python twin"
        assert {"slope", "residual", "loss", "kernel"} <= set(quantities(kind))
        known = set(dir(state_of(kind))) | TIMELESS | OTHERWISE
        assert set(names) <= known, f"{kind}: {sorted(set(names) - known)} have no Python twin"


@pytest.mark.parametrize("kind", FLOWS)
@pytest.mark.parametrize("reach", [1, 4, 8], ids=["near", "far", "extreme"])
def test_dynamics_at_random_points(kind, reach):
    random = np.random.default_rng(reach)
    compare([with_time(random, base_point(random, reach)) for _ in range(600)], kind)


@pytest.mark.parametrize("kind", FLOWS)
def test_dynamics_at_degenerate_points(kind):
    compare(list(degenerate_points(np.random.default_rng(11))), kind)


@pytest.mark.parametrize("reach", [1, 6])
def test_times_in_which_the_error_shrinks(reach):
    random = np.random.default_rng(50 + reach)
    points = [base_point(random, reach) for _ in range(400)] + list(degenerate_points(random))
    points = [point | {"t": float(random.uniform(0.01, 0.99))} for point in points]
    answers = run("GradientFlow", ["time_to_shrink"], points)
    for point, answer in zip(points, answers, strict=True):
        flow = dynamics("GradientFlow", point)
        with np.errstate(all="ignore"):
            wanted = float(flow.time_to_shrink(point["t"]))
        shown = float(str(answer["time_to_shrink"]).replace("Infinity", "inf"))
        assert shown == pytest.approx(wanted, rel=1e-9), point

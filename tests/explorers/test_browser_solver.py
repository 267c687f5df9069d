"""The solver that runs in the browser says what the Python core says, everywhere."""

import math
from pathlib import Path

import numpy as np
import pytest
from javascript import ask_node

import flbook as fl
from flbook.explorers import Figure, parameters

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "tests" / "support" / "browser_solver.mjs"
INPUTS = ("gamma", "eta_u", "eta_w", "second_moment", "cross_moment", "label_moment")
GRAM = ("uu", "uw", "ww")
GRADIENT_FLOW = ("slope", "residual", "loss", "kernel", "alignment", "kernel_alignment")
GRADIENT_FLOW += ("imbalance", "determinant", "uu", "uw", "ww", "rate", "kernel_floor")
SHARED = ("slope", "residual", "loss", "kernel")
TOLERANCE = 1e-12
TWO_ULP = 2.0**-51
SMALLEST = 1e-300


def node(**request) -> dict:
    """Let Node solve what is asked for."""
    return ask_node(SCRIPT, request)


def packed(point: dict) -> dict:
    return {k: "Infinity" if v == math.inf else v for k, v in point.items()}


def dynamics(kind: str, point: dict):
    network = fl.Network(1, gamma=point["gamma"], eta_u=point["eta_u"], eta_w=point["eta_w"])
    task = fl.Task(*(point[name] for name in INPUTS[3:]))
    return getattr(fl, kind)(network, task, fl.Gram(*(point[name] for name in GRAM)))


def evaluate(flow, name: str, t):
    if name in GRAM:
        return getattr(flow.gram(t), name)
    value = getattr(flow, name)
    return value(t) if callable(value) else np.broadcast_to(value[..., None], (*flow.shape, t.size))


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
    answers = {}
    for name in names:
        values = np.asarray(evaluate(flow, name, times))
        base = values[0, 0]
        slack = np.abs(values[1:, 0] - base).sum() + np.abs(values[0, 1:] - base).sum()
        answers[name] = float(base), float(slack)
    return answers


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


def compare(points, kind, python_kind, names, inputs=(*INPUTS, *GRAM)):
    """Assert that the browser and the core agree on all points."""
    answers = node(points=[packed({**point, "kinds": [kind]}) for point in points])["points"]
    for point, answer in zip(points, answers, strict=True):
        with np.errstate(under="ignore", over="ignore"):
            expected = with_conditioning(python_kind, point, names, inputs)
        for name, (value, slack) in expected.items():
            error = abs(float(answer[f"{kind}.{name}"]) - value)
            allowed = TOLERANCE * abs(value) + slack + SMALLEST
            assert error <= allowed, (name, answer[f"{kind}.{name}"], value, slack, point)


@pytest.mark.parametrize("reach", [1, 4, 8], ids=["near", "far", "extreme"])
def test_gradient_flow_at_random_points(reach):
    random = np.random.default_rng(reach)
    points = [with_time(random, base_point(random, reach)) for _ in range(1000)]
    compare(points, "gradient_flow", "GradientFlow", GRADIENT_FLOW)


def test_gradient_flow_at_degenerate_points():
    points = list(degenerate_points(np.random.default_rng(11)))
    compare(points, "gradient_flow", "GradientFlow", GRADIENT_FLOW)


@pytest.mark.parametrize("reach", [1, 8], ids=["near", "extreme"])
def test_kernel_flow(reach):
    random = np.random.default_rng(20 + reach)
    points = [with_time(random, base_point(random, reach)) for _ in range(500)]
    points += list(degenerate_points(random))
    compare(points, "kernel_flow", "KernelFlow", SHARED)


def test_logistic_limit_is_the_flow_of_balanced_aligned_layers():
    random = np.random.default_rng(31)
    points = []
    for _ in range(600):
        point = base_point(random, 4)
        size, eta = log_uniform(random, -4, 4), point["eta_u"]
        sign = float(random.choice([-1, 1]))
        point |= {"eta_w": eta, "uu": size, "ww": size, "uw": sign * size}
        points.append(with_time(random, point))
    compare(points, "logistic_flow", "GradientFlow", SHARED, ("gamma", *INPUTS[3:]))


def core_number(name: str, recipe: dict) -> float:
    """Compute what an explorer shows, from the parameters that it states."""
    path, _, moment = name.partition("@")
    prefix, _, quantity = path.rpartition(".")
    if prefix == "reference":
        recipe, prefix = recipe["reference"], ""
    t = {"": float(recipe["t"]), "0": 0.0, "inf": math.inf}[moment]
    network = fl.Network(
        **{k: recipe[k] for k in ("width", "gamma", "sigma_u", "sigma_w", "eta_u", "eta_w")}
    )
    task = fl.Task(*(recipe[k] for k in INPUTS[3:]))
    kind = {"": fl.GradientFlow, "kernel_flow": fl.KernelFlow}[prefix]
    flow = kind(network, task, fl.Gram(*(recipe[k] for k in GRAM)))
    if quantity == "kernel_ratio":
        return float(flow.kernel(t) / flow.kernel(0.0))
    value = getattr(flow, quantity)
    return float(value(t) if callable(value) else value)


@pytest.mark.parametrize("explorer", ["initial-scale", "neuron-plane", "every-knob"])
def test_explorers_show_the_numbers_of_the_core(explorer):
    random = np.random.default_rng(41)
    known = parameters(explorer)
    figure = Figure(explorer, {name: p.default for name, p in known.items()})
    draws = {"draws_u": figure.draws_u, "draws_w": figure.draws_w}

    def setting(place) -> dict[str, float]:
        values = {}
        for name, p in known.items():
            logarithmic = p.scale == "log"
            low, high = (math.log10(end) if logarithmic else end for end in (p.min, p.max))
            value = low + (high - low) * place()
            values[name] = 10.0**value if logarithmic else value
        return values

    places = [lambda: random.uniform()] * 200 + [lambda: float(random.integers(2))] * 200
    defaults = {name: p.default for name, p in known.items()}
    settings = [defaults, *(setting(place) for place in places)]
    answers = node(
        settings=[{"explorer": explorer, "parameters": s, "draws": draws} for s in settings]
    )["settings"]
    for values, answer in zip(settings, answers, strict=True):
        for name, shown in answer["quantities"].items():
            expected = core_number(name, answer["parameters"])
            assert float(shown) == pytest.approx(expected, rel=1e-9, abs=SMALLEST), (name, values)

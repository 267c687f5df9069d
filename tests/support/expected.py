"""What the Python core says of the numbers that an explorer shows."""

import json
import math
from fractions import Fraction
from functools import cache

import mpmath
import numpy as np
from scipy import optimize

import flbook as fl
from flbook.explorers import even_starts

NETWORK = ("width", "gamma", "sigma_u", "sigma_w", "eta_u", "eta_w")
TASK = ("second_moment", "cross_moment", "label_moment")
GRAM = ("uu", "uw", "ww")
POWERS = ("gamma", "sigma2_u", "sigma2_w", "eta_u", "eta_w")

SHARES = {"q05": 0.05, "q50": 0.5, "q95": 0.95}
LAZY = 0.01
# Below this a turn of the kernel is the square of differences that are rounding.
LEAST = {"kernel_rotation": 1e-20}


def over_starts(share: str, name: str, flow: fl.GradientFlow, t: float) -> float:
    """Compute a quantile over many starts, or the share of those that are lazy."""
    if name == "lazy_share":
        return float(np.mean(flow.outcome.kernel_excursion <= LAZY))
    ratio = flow.kernel(np.inf) / flow.kernel(0.0)
    values = np.sort(ratio if name == "kernel_ratio" else getattr(flow, name)(t))
    if name == "alignment" and flow.network.width == 1:
        # one neuron is aligned with itself, but for the rounding of its Gram matrix
        values = np.sign(values)
    return float(values[math.ceil(SHARES[share] * values.size) - 1])


def jump_time(flow: fl.GradientFlow, t: float, parameters: dict) -> float:
    """Find the time at which the error is half of what it was at the start."""

    def excess(log_time: float) -> float:
        return float(flow.residual(math.exp(log_time)) / flow.residual(0.0) - 0.5)

    unit = math.log(float(flow.rate))
    return math.exp(optimize.brentq(excess, -unit - 20, -unit + 20, xtol=1e-14, rtol=1e-14))


def plateau(flow: fl.GradientFlow, t: float, parameters: dict) -> float:
    """Predict from the start when a network of small weights jumps, on the wrong side as well."""
    eta = math.sqrt(parameters["eta_u"] * parameters["eta_w"])
    signal = 2 * parameters["gamma"] * eta * float(flow.task.target)
    start, floor = float(flow.kernel(0.0)), float(flow.kernel_floor)
    slope = 2 * parameters["gamma"] * eta * float(flow.slope(0.0))
    rising = start + slope if slope >= 0 else floor**2 / (start - slope)
    wait = math.log(2 * signal / (rising + floor**2 / (2 * signal)))
    return wait / (parameters["second_moment"] * signal)


def shares(flow: fl.GradientFlow, t: float, parameters: dict) -> tuple[float, float]:
    """Split log|u·w(t)/u·w(0)| into rescaling and alignment, with D from the inputs alone."""
    uu, uw, ww = (Fraction(parameters[key]) for key in GRAM)
    determinant = max(uu * ww - uw**2, Fraction(0))
    overlap = Fraction(float(flow.slope(t)) / parameters["gamma"])
    before, after = uw**2 + determinant, overlap**2 + determinant
    if before == 0 or after == 0:
        learned = fl.decompose(flow.gram(0.0), flow.gram(t))
        return learned.rescaling, learned.alignment
    with mpmath.workdps(60):
        rescaling = mpmath.log(mpmath.mpf(after.numerator) / after.denominator)
        rescaling = (rescaling - mpmath.log(mpmath.mpf(before.numerator) / before.denominator)) / 2
        if overlap == uw:
            return float(rescaling), 0.0
        if 0 in (overlap, uw):
            return float(rescaling), -math.inf if overlap == 0 else math.inf
        learned = abs(overlap / uw)
        total = mpmath.log(mpmath.mpf(learned.numerator) / learned.denominator)
        return float(rescaling), float(total - rescaling)


OTHERS = {
    "kernel_drift": lambda flow, t, _: flow.outcome.kernel_drift,
    "kernel_excursion": lambda flow, t, _: flow.outcome.kernel_excursion,
    "jump_time": jump_time,
    "plateau": plateau,
    "rescaling_share": lambda *a: shares(*a)[0],
    "alignment_share": lambda *a: shares(*a)[1],
    "generalisation_error": lambda flow, t, p: fl.generalisation_error(
        flow, t, p["off_line_moment"]
    ),
    "random_function_error": lambda flow, t, p: (
        fl.error_parts(flow, t, p["off_line_moment"]).random_function
    ),
    "laziness_error": lambda flow, t, p: fl.error_parts(flow, t, p["off_line_moment"]).laziness,
}


def of_a_neuron(name: str, parameters: dict) -> float:
    """Compute a quantity of a single neuron with inputs of many dimensions."""
    names = ("a", "w", "target", "eta_a", "eta_w")
    flow, t = fl.NeuronFlow(**{key: parameters[key] for key in names}), parameters["t"]
    if name == "kernel_ratio":
        return float(flow.kernel_size(t) / flow.kernel_size(0.0))
    return float(getattr(flow, name)(t))


def of_a_loss(name: str, parameters: dict) -> float:
    """Compute a quantity of a network that trains on examples with a loss of their own."""
    state = loss_state(json.dumps(parameters, sort_keys=True))
    before, now = getattr(state, name.replace("_ratio", ""))
    return float(now / before if name == "kernel_ratio" else now)


@cache
def loss_state(shown: str):
    """Return the state at the start and at the time that is shown, integrated once."""
    parameters = json.loads(shown)
    network = fl.Network(**{key: parameters[key] for key in NETWORK})
    data, gram = (parameters["x"], parameters["y"]), fl.Gram(*(parameters[key] for key in GRAM))
    flow = fl.LossFlow(network, parameters["loss"], *data, gram)
    return flow.at([0.0, parameters["t"]])


def quantity(name: str, parameters: dict) -> float:
    """Compute the quantity `name`, such as ``kernel_flow.slope`` or ``alignment@inf``."""
    name, _, moment = name.partition("@")
    dynamics, _, name = name.rpartition(".")
    if dynamics == "reference":
        parameters, dynamics = parameters["reference"], ""
    t = {"": parameters.get("t"), "0": 0.0, "inf": np.inf}[moment]
    if "a" in parameters:
        return of_a_neuron(name, parameters)
    if "loss" in parameters:
        return of_a_loss(name, parameters)
    network = fl.Network(**{key: parameters[key] for key in NETWORK})
    task = fl.Task(*(parameters[key] for key in TASK))
    gram = fl.Gram(*(parameters[key] for key in GRAM))
    if dynamics == "exponent":
        powers = {key: parameters["scaling"][key] for key in (*POWERS, "width")}
        return getattr(fl.Scaling(**powers).exponents(), name)
    if dynamics in SHARES or name == "lazy_share":
        starts = even_starts(network, parameters["draws"]["count"])
        return over_starts(dynamics, name, fl.GradientFlow(network, task, starts), t)
    kind = {
        "": fl.GradientFlow,
        "kernel_flow": fl.KernelFlow,
        "gradient_descent": fl.GradientDescent,
    }
    flow = kind[dynamics](network, task, gram)
    t = np.inf if t in ("Infinity", None) else t
    if name == "kernel_ratio":
        return float(flow.kernel(t) / flow.kernel(0.0))
    if name in ("uu", "uw", "ww"):
        return float(getattr(flow.gram(t), name))
    if name in OTHERS:
        return float(OTHERS[name](flow, t, parameters))
    value = getattr(flow, name)
    return float(value(t) if callable(value) else value)

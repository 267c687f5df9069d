"""What an explorer shows, in the terms of the solver: its network, its task, its start, its time.

The same as the browser's ``setting.js``, so that a picture can be computed again in Python.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from flbook._dynamics.gradient_flow import GradientFlow
from flbook._model.gram import Gram
from flbook._model.network import Network
from flbook._model.scaling import Factors, Scaling
from flbook._model.task import Task
from flbook._support.shared import shared
from flbook.explorers.catalogue import entry, parameters
from flbook.explorers.draws import COUNT, LAW, neuron_draws
from flbook.explorers.neuron_setting import neuron_recipe

__all__ = ["HYPERPARAMETERS", "network_of", "recipe"]

HYPERPARAMETERS = ("width", "gamma", "sigma_u", "sigma_w", "eta_u", "eta_w")
BELOW_ONE = 1 - 2.0**-51

Values = Mapping[str, float]


def recipe(explorer: str, values: Values) -> dict[str, Any]:
    """Return what an explorer with these parameters shows, by the names of the API.

    Examples
    --------
    >>> from flbook.explorers import parameters
    >>> values = {name: p.default for name, p in parameters("half-plane").items()}
    >>> shown = recipe("half-plane", {**values, "uw": 3.0, "root_determinant": 4.0})
    >>> shown["uu"], shown["t"]
    (5.0, inf)
    """
    if "dimensions" in values:
        return neuron_recipe(values)
    if "data" in entry(explorer):
        return _on_examples(explorer, values)
    shown = _one(explorer, values)
    if "sigma_reference" in values:
        other = {**values, "sigma": values["sigma_reference"]}
        shown["reference"] = _one(explorer, other)
    if "off_line_moment" in values:
        shown["off_line_moment"] = values["off_line_moment"]
    if explorer == "phase-diagram":
        scaling = _scaling(values)
        powers = {name: getattr(scaling, name) for name in Factors._fields}
        shown["scaling"] = {
            **powers,
            "width": scaling.width,
            "factors": scaling.factors._asdict(),
            "fan_offset": scaling.fan_offset,
        }
    if "quantity" in values:
        shown["draws"] = {"law": LAW, "count": COUNT}
    return shown


def _one(explorer: str, values: Values) -> dict[str, Any]:
    network, task = network_of(values), _task(values)
    gram = _gram(explorer, values, network)
    flow = GradientFlow(network, task, gram)
    return {
        **_start(network, gram),
        "second_moment": task.second_moment,
        "cross_moment": task.cross_moment,
        "label_moment": task.label_moment,
        "t": _time(values, flow),
    }


def _on_examples(explorer: str, values: Values) -> dict[str, Any]:
    """Return a network that trains on the examples of its explorer, some with wrong labels."""
    network, data = network_of(values), entry(explorer)["data"]
    wrong = data["wrong"][: round(values["wrong_labels"])]
    losses = list(parameters(explorer)["loss"].options or ())
    return {
        **_start(network, _gram(explorer, values, network)),
        "loss": losses[round(values["loss"])],
        "x": list(data["x"]),
        "y": [-label if i in wrong else label for i, label in enumerate(data["y"])],
        "t": values["t"],
    }


def _start(network: Network, gram: Gram) -> dict[str, Any]:
    start = {"uu": gram.uu, "uw": gram.uw, "ww": gram.ww}
    return {name: getattr(network, name) for name in HYPERPARAMETERS} | start


def _scaling(values: Values) -> Scaling:
    powers = {theirs: values[mine] for mine, theirs in shared("terms")["powers"].items()}
    factors = Factors(**{name: values[f"{name}_factor"] for name in Factors._fields})
    # a scale other than the width stands for a limit at a fixed width
    width = float(values.get("kappa", 1.0) == 1)
    return Scaling(**powers, width=width, factors=factors, fan_offset=values["fan_offset"])


def network_of(values: Values) -> Network:
    """Return the network that the parameters describe.

    Examples
    --------
    >>> network_of({"width": 4, "gamma": 2, "sigma": 3, "sigma_ratio": 6, "eta_u": 1, "eta_w": 1})
    Network(width=4, gamma=2.0, sigma_u=3.0, sigma_w=0.5, eta_u=1.0, eta_w=1.0)
    """
    width, sigma = round(values["width"]), values.get("sigma", 1.0)
    if "c_gamma" in values:
        scaling = _scaling(values)
        if scaling.width:
            network = scaling.at_width(width)
        else:
            network = scaling.at_scale(values["kappa"], base_width=width)
        return Network(
            width,
            network.gamma,
            sigma * network.sigma_u,
            sigma * network.sigma_w,
            network.eta_u,
            network.eta_w,
        )
    gamma = values["gamma"] if "gamma" in values else values["gamma_factor"] / math.sqrt(width)
    sigma_u = values.get("sigma_u", sigma)
    sigma_w = values.get("sigma_w", sigma / values.get("sigma_ratio", 1.0))
    return Network(width, gamma, sigma_u, sigma_w, values["eta_u"], values["eta_w"])


def _task(values: Values) -> Task:
    slope = values["target"] * (values["gamma"] if "uw" in values else 1.0)
    cross = values["second_moment"] * slope
    explained, noise = cross * slope, values["noise"]
    label = explained + noise if noise > 0 else explained * BELOW_ONE
    return Task(values["second_moment"], cross, max(label, 0.0))


def _gram(explorer: str, values: Values, network: Network) -> Gram:
    if "uw" in values:
        product = math.hypot(values["uw"], values["root_determinant"])
        ratio = values["layer_ratio"]
        return Gram._trusted(product * ratio, values["uw"], product / ratio)
    if "overlap" not in values:
        width, draws = int(network.width), neuron_draws(entry(explorer)["neurons"])
        u, w = (np.array(layer[:width]) for layer in draws)
        return Gram.from_weights(network.sigma_u * u, network.sigma_w * w)
    d = float(network.width)
    length, across = d * values["length"], (d - 1) * values["across"]
    return network._gram(length, values["overlap"], across)


def _time(values: Values, flow: GradientFlow) -> float:
    if "t" in values:
        return values["t"]
    if "tau" in values:
        network = flow.network
        signal = 2 * network.gamma * math.sqrt(network.eta_u) * math.sqrt(network.eta_w)
        return float(values["tau"] / (values["second_moment"] * signal * values["target"]))
    if "clock" not in values or values["clock"] >= 1:
        return math.inf
    return _unit(flow) * values["clock"] / (1 - values["clock"])


def _unit(flow: GradientFlow) -> float:
    """Return the flow's own unit of time: until the error has halved, 1/rate, or 1."""
    half = float(flow.time_to_shrink(0.5))
    if math.isfinite(half) and half > 0:
        return half
    rate = max(float(flow.rate), float(flow.task.second_moment * flow.kernel(0.0)))
    return 1 / rate if rate > 0 and math.isfinite(1 / rate) else 1.0

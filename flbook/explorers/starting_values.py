"""Where the parameters of an explorer start: from the solver's own objects, or their defaults."""

from __future__ import annotations

import math
from collections.abc import Container, Iterable, Mapping
from dataclasses import replace
from typing import Any, TypeVar

from flbook._dynamics.neuron_flow import NeuronFlow
from flbook._model.gram import Gram
from flbook._model.network import Network
from flbook._model.scaling import Factors, Scaling
from flbook._model.task import Task
from flbook._support.checks import instance
from flbook._support.shared import shared
from flbook.explorers.catalogue import Parameter, parameters
from flbook.explorers.neuron_setting import values_of_neuron
from flbook.explorers.recipe import HYPERPARAMETERS, network_of

__all__ = ["starting_values"]

Known = Mapping[str, Parameter]
Values = dict[str, float]
One = TypeVar("One", Task, Network, Gram)

# A determinant that misses 0 by this share is taken for a rounded one.
ROUNDING = 1e-9


def starting_values(
    explorer: str,
    given: Mapping[str, Any],
    *,
    task: Task | None = None,
    scaling: Scaling | None = None,
    network: Network | None = None,
    gram: Gram | None = None,
    neuron: NeuronFlow | None = None,
) -> tuple[dict[str, float], Known]:
    """Return a value for every parameter of an explorer, and the parameters with their ranges.

    A network or a start that lies beyond a slider's range widens it. What is refused, `Explorer`
    says.

    Examples
    --------
    >>> values, known = starting_values("half-plane", {"uw": 2})
    >>> values["uw"], known["uw"].max
    (2.0, 2.5)
    """
    known = dict(parameters(explorer))
    _refuse_unknown(explorer, given, known)
    values = {name: p.check(given.get(name, p.default)) for name, p in known.items()}

    def take(source: str, found: Values, *, widening: bool = False) -> None:
        _refuse_unknown(explorer, found, known)
        for name, value in found.items():
            if name in given:
                got = f"{name}={given[name]!r}"
                raise TypeError(f"{name} is set by {source} already, got {got} as well")
            if widening:
                known[name] = _wide_enough(known[name], value)
            values[name] = known[name].check(value)

    # each is read in the light of those before it
    if scaling is not None:
        take("scaling", _of_scaling(scaling, values, factors=network is None))
    if neuron is not None:
        take("neuron", values_of_neuron(neuron), widening=True)
    if network is not None:
        if "width" not in known:
            raise TypeError(f"network is not for the explorer {explorer!r}, which shows one neuron")
        found = _of_network(_one("network", Network, network), values)
        if _draws_neurons(known) and found["width"] > known["width"].max:
            raise ValueError(
                f"network must have at most {known['width'].max:g} neurons in the explorer "
                f"{explorer!r}, which draws each of them, got {network!r}"
            )
        take("network", found, widening=True)
    if task is not None:
        take("task", _of_task(_one("task", Task, task), values))
    if gram is not None:
        take("gram", _of_gram(explorer, _one("gram", Gram, gram), values), widening=True)
    return values, known


def _refuse_unknown(explorer: str, names: Iterable[str], known: Known) -> None:
    for name in names:
        if name not in known:
            raise TypeError(
                f"{name} is not a parameter of the explorer {explorer!r}; it has {', '.join(known)}"
            )


def _draws_neurons(known: Container[str]) -> bool:
    """Tell whether an explorer starts from weights of its own."""
    return "overlap" not in known and "uw" not in known


def _one(name: str, kind: type[One], value: One) -> One:
    instance(name, value, kind)
    if value.shape != ():
        raise ValueError(f"{name} must be a single one, got {name} of shape {value.shape}")
    return value


def _wide_enough(parameter: Parameter, value: float) -> Parameter:
    """Return the parameter with a range that holds `value`."""
    low, high = min(parameter.min, value), max(parameter.max, value)
    if parameter.scale == "log":
        if low <= 0:
            raise ValueError(f"what is shown must have a {parameter.name} above 0, got {value!r}")
        low = low if low == parameter.min else 10.0 ** math.floor(math.log10(low))
        high = high if high == parameter.max else 10.0 ** math.ceil(math.log10(high))
    return replace(parameter, min=low, max=high)


def _of_task(task: Task, values: Values) -> Values:
    """Return the moments of `task`; the half plane's target is one of the overlap u·w."""
    return {
        "target": float(task.target) / (values["gamma"] if "uw" in values else 1.0),
        "second_moment": float(task.second_moment),
        "noise": 2 * float(task.loss_floor),
    }


def _of_scaling(scaling: Scaling, values: Values, *, factors: bool) -> Values:
    """Return the powers of `scaling`, its fan, and its factors if they are wanted."""
    instance("scaling", scaling, Scaling)
    if scaling.width == 0 and "kappa" in values:
        if values["kappa"] == 1:
            raise ValueError(
                f"kappa must be above 1 for a scaling at a fixed width, got {values['kappa']:g}"
            )
    elif scaling.width != 1 or values.get("kappa", 1.0) != 1:
        got = f"width={scaling.width:g}"
        got += f" and kappa={values['kappa']:g}" if "kappa" in values else ""
        raise ValueError(f"scaling must be in powers of the width (width=1), got {got}")
    powers = {power: vars(scaling)[name] for power, name in shared("terms")["powers"].items()}
    found = {**powers, "fan_offset": scaling.fan_offset}
    if factors:
        found |= {f"{name}_factor": factor for name, factor in scaling.factors._asdict().items()}
    return found


def _of_network(network: Network, values: Values) -> Values:
    """Return the hyperparameters of `network`, or the factors that make the scaling give them."""
    own = {name: float(getattr(network, name)) for name in HYPERPARAMETERS}
    if "c_gamma" in values:
        plain = network_of(
            {**values, "width": own["width"]} | {f"{name}_factor": 1.0 for name in Factors._fields}
        )
        factors = {f"{name}_factor": _factor(name, network, plain) for name in Factors._fields}
        return {"width": own["width"], **factors}
    own["gamma_factor"] = own["gamma"] * math.sqrt(own["width"])
    own["sigma"] = own["sigma_u"]
    own["sigma_ratio"] = own["sigma_u"] / own["sigma_w"] if own["sigma_w"] > 0 else math.inf
    return {name: value for name, value in own.items() if name in values}


def _factor(name: str, network: Network, plain: Network) -> float:
    """Return what the power called `name` lacks in `plain` to be that of `network`."""
    field = name.replace("2", "")
    return float(getattr(network, field) / getattr(plain, field)) ** (1 if field == name else 2)


def _of_gram(explorer: str, gram: Gram, values: Values) -> Values:
    """Return a start: its place in the half plane, or the three random numbers that lead to it."""
    uw, height = float(gram.uw), float(gram.root_determinant)
    u, w = math.sqrt(float(gram.uu)), math.sqrt(float(gram.ww))
    if "uw" in values:
        if u == 0 or w == 0:
            raise ValueError(f"gram must have two layers that are not zero, got {gram!r}")
        return {"uw": uw, "root_determinant": height, "layer_ratio": u / w}
    if _draws_neurons(values):
        raise ValueError(
            f"gram must be None for the explorer {explorer!r}, which starts from the weights that "
            f"it draws, got {gram!r}"
        )
    network = network_of(values)
    d, sigma_u, sigma_w = int(network.width), float(network.sigma_u), float(network.sigma_w)
    # what of the input layer lies along the output layer, and what across it
    along, aside = (uw / u, height / u) if u else (w, 0.0) if d == 1 else (0.0, w)
    if d == 1 and aside**2 > ROUNDING * w**2:
        raise ValueError(f"gram must have determinant 0 at width 1, got {gram!r}")
    return {
        "overlap": along / sigma_w,
        "length": (u / sigma_u) ** 2 / d,
        "across": (aside / sigma_w) ** 2 / (d - 1) if d > 1 else 1.0,
    }

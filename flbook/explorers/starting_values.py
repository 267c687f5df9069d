"""Where the parameters of an explorer start: from the solver's own objects, or their defaults."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeVar

from flbook._model.gram import Gram
from flbook._model.network import Network
from flbook._model.scaling import Factors, Scaling
from flbook._model.task import Task
from flbook._support.checks import instance
from flbook._support.shared import shared
from flbook.explorers.catalogue import Parameter, parameters

__all__ = ["starting_values"]

Known = Mapping[str, Parameter]
Values = dict[str, Any]
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
    known = parameters(explorer)
    start = dict(given)
    task, network, gram = _one("task", Task, task), _one("network", Network, network), gram
    gram = _one("gram", Gram, gram)
    widening: Values = {}
    for source, values in (
        ("task", _of_task(known, task, network)),
        ("scaling", _of_scaling(scaling)),
        ("network", _of_network(known, network, scaling)),
        ("gram", _of_gram(explorer, known, gram, network)),
    ):
        for name in values.keys() & start.keys():
            raise TypeError(
                f"{name} is set by {source} already, got {name}={start[name]!r} as well"
            )
        if source in ("network", "gram"):
            widening |= values
        start |= values
    for name in start:
        if name not in known:
            raise TypeError(
                f"{name} is not a parameter of the explorer {explorer!r}; it has {', '.join(known)}"
            )
    known = {
        name: _wide_enough(p, widening[name]) if name in widening else p
        for name, p in known.items()
    }
    return {name: p.check(start.get(name, p.default)) for name, p in known.items()}, known


def _one(name: str, kind: type[One], value: One | None) -> One | None:
    if value is not None:
        instance(name, value, kind)
        if value.shape != ():
            raise ValueError(f"{name} must be a single one, got {name} of shape {value.shape}")
    return value


def _wide_enough(parameter: Parameter, value: float) -> Parameter:
    """Return the parameter with a range that holds `value`."""
    low, high = min(parameter.min, value), max(parameter.max, value)
    if parameter.scale == "log":
        if low <= 0:
            raise ValueError(
                f"network and gram must have a {parameter.name} above 0 to be shown, got {value!r}"
            )
        low = low if low == parameter.min else 10.0 ** math.floor(math.log10(low))
        high = high if high == parameter.max else 10.0 ** math.ceil(math.log10(high))
    return replace(parameter, min=low, max=high)


def _of_task(known: Known, task: Task | None, network: Network | None) -> Values:
    """Return the moments of `task` in the explorers' terms."""
    if task is None:
        return {}
    gamma = 1.0
    if "uw" in known:  # the half plane's target is one of the overlap u·w
        gamma = known["gamma"].default if network is None else float(network.gamma)
    return {
        "target": float(task.target) / gamma,
        "second_moment": float(task.second_moment),
        "noise": 2 * float(task.loss_floor),
    }


def _of_scaling(scaling: Scaling | None) -> Values:
    """Return the powers of `scaling`, their factors and its fan in the explorers' terms."""
    if scaling is None:
        return {}
    instance("scaling", scaling, Scaling)
    if scaling.width != 1:
        raise ValueError(
            f"scaling must be in powers of the width (width=1), got width={scaling.width:g}"
        )
    powers = {power: vars(scaling)[name] for power, name in shared("terms")["powers"].items()}
    factors = {f"{name}_factor": factor for name, factor in scaling.factors._asdict().items()}
    return {**powers, **factors, "fan_offset": scaling.fan_offset}


def _of_network(known: Known, network: Network | None, scaling: Scaling | None) -> Values:
    """Return the hyperparameters of `network` in the terms of an explorer."""
    if network is None:
        return {}
    width = int(network.width)
    values: Values = {"width": width}
    if "c_gamma" in known:
        return values | _factors(known, network, scaling)
    if "gamma" in known:
        values["gamma"] = float(network.gamma)
    else:
        values["gamma_factor"] = float(network.gamma) * math.sqrt(width)
    if "sigma_u" in known:
        values |= {name: float(getattr(network, name)) for name in ("sigma_u", "sigma_w")}
    else:
        values["sigma"] = float(network.sigma_u)
        size = float(network.sigma_w)
        values["sigma_ratio"] = float(network.sigma_u) / size if size > 0 else math.inf
    return values | {name: float(getattr(network, name)) for name in ("eta_u", "eta_w")}


def _factors(known: Known, network: Network, scaling: Scaling | None) -> Values:
    """Return the factors with which the powers of the width give `network` at its width."""
    if scaling is not None:
        raise TypeError("network and scaling must not both be given: each sets the factors")
    powers: Values = {
        name: known[power].default for power, name in shared("terms")["powers"].items()
    }
    width = int(network.width)
    plain = Scaling(**powers, fan_offset=known["fan_offset"].default).at_width(width)
    return {
        f"{name}_factor": (
            (getattr(network, field) / getattr(plain, field)) ** (2 if "sigma" in name else 1)
        )
        for name in Factors._fields
        for field in [name.replace("2", "")]
    }


def _of_gram(explorer: str, known: Known, gram: Gram | None, network: Network | None) -> Values:
    """Return a start in the terms of an explorer."""
    if gram is None:
        return {}
    uu, uw, ww = float(gram.uu), float(gram.uw), float(gram.ww)
    if "uw" in known:
        if uu == 0 or ww == 0:
            raise ValueError(f"gram must have two layers that are not zero, got {gram!r}")
        ratio = math.sqrt(uu / ww)
        return {"uw": uw, "root_determinant": float(gram.root_determinant), "layer_ratio": ratio}
    if "overlap" not in known:
        raise ValueError(
            f"gram must be None for the explorer {explorer!r}, which starts from the weights that "
            f"it draws, got {gram!r}"
        )
    if network is None:
        raise TypeError("gram must come with its network=, got network=None")
    d = int(network.width)
    sigma_u, sigma_w = float(network.sigma_u), float(network.sigma_w)
    if not sigma_u > 0 or not sigma_w > 0 or uu == 0:
        raise ValueError(
            f"gram must be a start of layers with scales above 0, got {gram!r} of {network!r}"
        )
    length = uu / (d * sigma_u**2)
    overlap = uw / (sigma_u * sigma_w * math.sqrt(d * length))
    rest = (float(gram.root_determinant) / (math.sqrt(uu) * sigma_w)) ** 2
    if d == 1 and rest > ROUNDING * (1 + overlap**2):
        raise ValueError(f"gram must have determinant 0 at width 1, got {gram!r}")
    return {"overlap": overlap, "length": length, "across": rest / (d - 1) if d > 1 else 1.0}

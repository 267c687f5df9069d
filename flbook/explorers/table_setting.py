"""What is chosen in an explorer that browses a table, and where in the table that stands."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from flbook.explorers.catalogue import Parameter, entry, parameters
from flbook.explorers.tables import name_of

__all__ = ["setting_in", "shown_in"]

Table = Mapping[str, Any]


def setting_in(
    explorer: str, table: Table, given: Mapping[str, Any]
) -> tuple[dict[str, float], dict[str, Parameter]]:
    """Return a value for every parameter of an explorer, and the parameters as its table has them.

    What is chosen among the table's values is known by its place there.

    Examples
    --------
    >>> table = {"levels": {"framework": ["jax"], "network": ["CNN", "MLP"], "scale": [0.1, 1.0]}}
    >>> values, known = setting_in("knob", table, {"scale": 0.1, "network": "MLP"})
    >>> values["scale"], values["network"], known["scale"].allowed
    (0.0, 1.0, 'one of 0.1, 1')
    """
    levels = table["levels"]
    known = {
        name: _offered(parameter, levels[name]) if name in levels else parameter
        for name, parameter in parameters(explorer).items()
    }
    for name in given:
        if name not in known:
            raise TypeError(
                f"{name} is not a parameter of the explorer {explorer!r}; it has {', '.join(known)}"
            )
    values = {
        name: parameter.check(
            parameter.default
            if name not in given
            else name_of(given[name])
            if name in levels
            else given[name]
        )
        for name, parameter in known.items()
    }
    return values, known


def _offered(parameter: Parameter, levels: Sequence[Any]) -> Parameter:
    """Return a parameter as a choice of what there is in the table."""
    labels = parameter.options or {}
    names = [name_of(level) for level in levels]
    if parameter.scale == "levels":
        default = int(np.argmin([abs(math.log(x / parameter.default)) for x in levels]))
        labels = dict(zip(names, _short(levels), strict=True))
    else:
        usual = list(labels)[round(parameter.default)]
        default = names.index(usual) if usual in names else 0
    return replace(
        parameter,
        min=0,
        max=len(levels) - 1,
        integer=True,
        default=default,
        options={name: labels.get(name, name) for name in names},
    )


def _short(levels: Sequence[float]) -> list[str]:
    """Return levels in print: with three digits, where that tells them apart."""
    short = [f"{level:.3g}" for level in levels]
    return short if len(set(short)) == len(short) else [name_of(level) for level in levels]


def shown_in(explorer: str, table: Table, values: Mapping[str, float]) -> dict[str, Any]:
    """Return the setting that a picture shows: where in the table its numbers stand.

    A level that the table has not beside the other choices gives way to the nearest that it has.

    Examples
    --------
    >>> table = {"levels": {"framework": ["jax"], "network": ["MLP"], "scale": [0.1, 1.0]},
    ...     "groups": [{"at": [0, 0, 1]}]}
    >>> chosen = {"framework": 0.0, "network": 0.0, "scale": 0.0, "boundary_error": 0.1}
    >>> shown_in("knob", table, chosen)
    {'framework': 'jax', 'network': 'MLP', 'scale': 1.0, 'boundary_error': 0.1}
    """
    levels, said = table["levels"], entry(explorer)["table"]
    *choices, level = said["by"]
    places = [round(values[name]) for name in choices]
    scales, asked = levels[level], levels[level][round(values[level])]
    group = min(
        (group for group in table["groups"] if group["at"][:-1] == places),
        key=lambda group: abs(math.log(scales[group["at"][-1]] / asked)),
    )
    shown = {
        name: levels[name][round(value)] if name in levels else value
        for name, value in values.items()
    }
    shown[level] = scales[group["at"][-1]]
    for time in said.get("time", ()):
        moments = table["moments"][group["moments"]]
        shown[time] = moments[math.floor(values["progress"] * (len(moments) - 1) + 0.5)]
    return shown

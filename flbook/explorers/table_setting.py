"""What is chosen in an explorer that browses a table, and where in the table that stands."""

from __future__ import annotations

import math
import numbers
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from flbook.explorers.catalogue import Parameter, entry, parameters

__all__ = ["setting_in", "shown_in"]

Table = Mapping[str, Any]


def setting_in(
    explorer: str, table: Table, given: Mapping[str, Any]
) -> tuple[dict[str, float], dict[str, Parameter]]:
    """Return a value for every parameter of an explorer, and the parameters as its table has them.

    What is chosen among the table's values is known by its place there.

    Examples
    --------
    >>> table = {"levels": {"framework": ["jax"], "network": ["cnn", "mlp"], "alpha": [0.1, 1.0]}}
    >>> values, known = setting_in("knob", table, {"alpha": 0.1, "network": "mlp"})
    >>> values["alpha"], values["network"], known["alpha"].allowed
    (0.0, 1.0, 'one of 0.1, 1')
    """
    known = {
        name: _offered(parameter, table["levels"][name]) if name in table["levels"] else parameter
        for name, parameter in parameters(explorer).items()
    }
    for name in given:
        if name not in known:
            raise TypeError(
                f"{name} is not a parameter of the explorer {explorer!r}; it has {', '.join(known)}"
            )
    values = {}
    for name, parameter in known.items():
        value = given.get(name, parameter.default)
        if name in given and parameter.scale == "levels":
            value = _name(value)
        values[name] = parameter.check(value)
    return values, known


def _name(value: Any) -> Any:
    """Return the name that a level has as an option."""
    number = isinstance(value, numbers.Real) and not isinstance(value, bool)
    return f"{value:.6g}" if number else value


def _offered(parameter: Parameter, levels: Sequence[Any]) -> Parameter:
    """Return a parameter as a choice of what there is in the table."""
    labels = parameter.options or {}
    names = [_name(level) for level in levels]
    if parameter.scale == "levels":
        default = int(np.argmin([abs(math.log(x / parameter.default)) for x in levels]))
    else:
        default = 0
    return replace(
        parameter,
        min=0,
        max=len(levels) - 1,
        integer=True,
        default=default,
        options={name: labels.get(name, name) for name in names},
    )


def shown_in(explorer: str, table: Table, values: Mapping[str, float]) -> dict[str, Any]:
    """Return the setting that a picture shows: where in the table its numbers stand.

    A level that the table has not beside the other choices gives way to the nearest that it has.

    Examples
    --------
    >>> table = {"levels": {"framework": ["jax"], "network": ["mlp"], "alpha": [0.1, 1.0]},
    ...     "groups": [{"at": {"framework": "jax", "network": "mlp", "alpha": 1.0}}]}
    >>> chosen = {"framework": 0.0, "network": 0.0, "alpha": 0.0, "uncertainty": 2.0}
    >>> shown_in("knob", table, chosen)
    {'framework': 'jax', 'network': 'mlp', 'alpha': 1.0, 'uncertainty': 2.0}
    """
    levels, said = table["levels"], entry(explorer)["table"]
    asked = {
        name: levels[name][round(value)] if name in levels else value
        for name, value in values.items()
    }
    choices = [name for name in said["by"] if isinstance(asked[name], str)]
    (level,) = (name for name in said["by"] if name not in choices)
    group = min(
        (g for g in table["groups"] if all(g["at"][name] == asked[name] for name in choices)),
        key=lambda g: abs(math.log(g["at"][level] / asked[level])),
    )
    shown = {**asked, level: group["at"][level]}
    for time in said.get("time", ()):
        moments = group[time]
        shown[time] = moments[math.floor(values["progress"] * (len(moments) - 1) + 0.5)]
    return shown

"""Where the parameters of an explorer start: from a task, from a scaling, from their defaults."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flbook._model.scaling import Scaling
from flbook._model.task import Task
from flbook._support.checks import instance
from flbook._support.shared import shared
from flbook.explorers.catalogue import parameters

__all__ = ["starting_values"]


def starting_values(
    explorer: str,
    given: Mapping[str, Any],
    *,
    task: Task | None = None,
    scaling: Scaling | None = None,
) -> dict[str, float]:
    """Return a value for every parameter of an explorer; what it refuses, `Explorer` says.

    Examples
    --------
    >>> starting_values("half-plane", {"uw": 2})["uw"]
    2.0
    """
    start = dict(given)
    for source, values in (("task", _of_task(task)), ("scaling", _of_scaling(scaling))):
        for name in values.keys() & start.keys():
            raise TypeError(
                f"{name} is set by {source} already, got {name}={start[name]!r} as well"
            )
        start |= values
    known = parameters(explorer)
    for name in start:
        if name not in known:
            raise TypeError(
                f"{name} is not a parameter of the explorer {explorer!r}; it has {', '.join(known)}"
            )
    return {name: known[name].check(start.get(name, known[name].default)) for name in known}


def _of_task(task: Task | None) -> dict[str, float]:
    """Return the moments of `task` in the explorers' terms."""
    if task is None:
        return {}
    instance("task", task, Task)
    if task.shape != ():
        raise ValueError(f"task must be one task, got tasks of shape {task.shape}")
    return {
        "target": float(task.target),
        "second_moment": float(task.second_moment),
        "noise": 2 * float(task.loss_floor),
    }


def _of_scaling(scaling: Scaling | None) -> dict[str, float]:
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

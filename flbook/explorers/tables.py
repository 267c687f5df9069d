"""The results of an experiment as an explorer browses them: over the seeds, and small.

The catalogue says which columns an explorer needs. A table is sent to the browser once, whole: rows
that differ in nothing but the seed become one group, which keeps the quantiles at 10 %, 50 % and
90 % of every number, so that what the page shows is a number of the table.
"""

from __future__ import annotations

import json
import math
import numbers
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from flbook.explorers.catalogue import entry, parameters

__all__ = ["LARGEST", "LEVELS", "table_of"]

LEVELS = (0.1, 0.5, 0.9)
# What one table may weigh on the page, in characters; curves are thinned until it does.
LARGEST = 60_000
DIGITS = 10
# Every so many of the recorded times, until the table is light enough.
MOST_TIMES, FEWEST_TIMES = 101, 6

Row = Mapping[str, Any]


def table_of(explorer: str, results: Any) -> dict[str, Any]:
    """Return `results` as the explorer's figure takes them.

    Returns
    -------
    dict
        ``levels``: what there is to choose from, by parameter; ``seeds``: the least number of seeds
        behind a quantile; ``recorded`` and ``kept``: how many moments the curves have in the
        results and here; ``groups``: for each point of the grid where it is (``at``) and, by
        column, the three quantiles of a number, or of each of several.

    Raises
    ------
    TypeError, ValueError, FileNotFoundError
        If `results` are missing, no table, lack a column or a point, or have two rows of one seed.

    Examples
    --------
    >>> rows = [
    ...     {"framework": "jax", "network": "mlp", "alpha": a, "seed": s, "predicted_alpha": 1.0,
    ...      "linearisation_error": 0.1 / a, "found_alpha": 1.1}
    ...     for a in (0.1, 1.0, 10.0) for s in range(3)
    ... ]
    >>> table = table_of("knob", rows)
    >>> table["levels"]["alpha"], table["groups"][0]["linearisation_error"]
    ([0.1, 1.0, 10.0], [1.0, 1.0, 1.0])
    """
    said = entry(explorer)["table"]
    rows = _rows(explorer, results)
    present = {name for row in rows for name in row}
    wanted = [*said["by"], "seed", *said.get("time", ()), *said["columns"]]
    lacking = [name for name in wanted if name not in present]
    if lacking:
        raise ValueError(
            f"results must have the columns {', '.join(wanted)} for the explorer {explorer!r}, "
            f"got none called {', '.join(lacking)}"
        )
    columns = [*said["columns"], *(name for name in said["optional"] if name in present)]
    levels = {name: _levels(explorer, name, rows) for name in said["by"]}
    levels |= {
        name: [option for option in options if present.issuperset(options[option])]
        for name, options in said.get("offers", {}).items()
    }
    seeds = _grouped(said["by"], rows)
    _refuse_gaps(explorer, levels, seeds)
    groups = [_group(said, group, columns) for group in seeds]
    order = {name: {level: i for i, level in enumerate(found)} for name, found in levels.items()}
    groups.sort(key=lambda group: [order[name][group["at"][name]] for name in said["by"]])
    table = {
        "levels": levels,
        "seeds": min(len(group) for group in seeds),
        "recorded": 0,
        "kept": 0,
        "groups": groups,
    }
    return _thinned(table, said) if "time" in said else table


def _rows(explorer: str, results: Any) -> list[Row]:
    """Return the rows of a table, whatever it is given as."""
    if results is None:
        raise ValueError(
            f"results must be given to the explorer {explorer!r}: the path of "
            f"results/{entry(explorer)['table']['file']}.json, a loaded Result or a list of rows"
        )
    if isinstance(results, (str, os.PathLike)):
        path = Path(results)
        if not path.is_file():
            raise FileNotFoundError(f"results must be a file that an experiment wrote, got {path}")
        content = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(content, dict) or not {"columns", "rows"} <= content.keys():
            raise ValueError(f"results must be a table with columns and rows, got {path}")
        return [dict(zip(content["columns"], row, strict=True)) for row in content["rows"]]
    rows = getattr(results, "rows", results)
    if not isinstance(rows, Sequence) or not all(isinstance(row, Mapping) for row in rows):
        raise TypeError(f"results must be a path, a Result or a list of dict, got {results!r}")
    if not rows:
        raise ValueError(f"results must have rows, got {results!r}")
    return list(rows)


def _levels(explorer: str, name: str, rows: Iterable[Row]) -> list[Any]:
    """Return the values of a column in the order in which they are offered."""
    found = {row.get(name) for row in rows}
    parameter = parameters(explorer)[name]
    if parameter.scale == "levels":
        if not all(isinstance(value, numbers.Real) and value > 0 for value in found):
            raise ValueError(f"results must have numbers above 0 as {name}, got {found}")
        if len(found) < 2:
            raise ValueError(f"results must have two or more values of {name}, got {found}")
        return sorted(float(value) for value in found)
    known = list(parameter.options or ())
    if not all(isinstance(value, str) for value in found):
        raise ValueError(f"results must have names as {name}, got {found}")
    return [*(option for option in known if option in found), *sorted(found.difference(known))]


def _grouped(by: Sequence[str], rows: Iterable[Row]) -> list[list[Row]]:
    groups: dict[tuple, list[Row]] = {}
    for row in rows:
        groups.setdefault(tuple(row[name] for name in by), []).append(row)
    for at, group in groups.items():
        if len({row["seed"] for row in group}) < len(group):
            where = ", ".join(f"{name}={value}" for name, value in zip(by, at, strict=True))
            raise ValueError(
                f"results must have one row for each seed at {where}, got {len(group)} rows of "
                f"{len({row['seed'] for row in group})} seeds: select those that are to be shown"
            )
    return list(groups.values())


def _refuse_gaps(explorer: str, levels: Mapping[str, list], groups: Iterable[list[Row]]) -> None:
    """Refuse a table in which not every choice goes with every other."""
    known = parameters(explorer)
    choices = [name for name in entry(explorer)["table"]["by"] if known[name].scale == "choice"]
    found = {tuple(group[0][name] for name in choices) for group in groups}
    count = math.prod(len(levels[name]) for name in choices)
    if len(found) < count:
        raise ValueError(
            f"results must have rows for every combination of {', '.join(choices)} ({count}), "
            f"got {len(found)}"
        )


def _group(said: Row, rows: list[Row], columns: Iterable[str]) -> dict[str, Any]:
    """Return the quantiles over the seeds of everything at one point."""
    at = {name: rows[0][name] for name in said["by"]}
    group: dict[str, Any] = {
        "at": {name: float(v) if not isinstance(v, str) else v for name, v in at.items()}
    }
    for name in said.get("time", ()):
        group[name] = _plain(_stacked(name, at, rows)[0])
    for name in columns:
        values = _stacked(name, at, rows)
        known = ~np.isnan(values).all(axis=0)
        found = np.full((len(LEVELS), *values.shape[1:]), np.nan)
        found[:, known] = np.nanquantile(values[:, known], LEVELS, axis=0)
        group[name] = _plain(found[1] if name in said.get("reference", ()) else found)
    return group


def _stacked(name: str, at: Row, rows: Iterable[Row]) -> np.ndarray:
    """Return a column of one group: seeds × its own shape; what is no finite number is NaN."""
    given = [row.get(name) for row in rows]
    shapes = {np.shape(value) for value in given}
    if len(shapes) > 1:
        raise ValueError(f"results must have {name} of one length for all seeds at {dict(at)}")
    return np.array([_finite(value) for value in given], dtype=float)


def _finite(value: Any) -> Any:
    if isinstance(value, (list, tuple, np.ndarray)):
        return [_finite(one) for one in value]
    known = isinstance(value, (numbers.Real, np.number)) and math.isfinite(value)
    return float(value) if known else math.nan


def _plain(values: np.ndarray) -> Any:
    """Return nested lists in which JSON finds nothing that it does not know."""
    if values.ndim:
        return [_plain(part) for part in values]
    return None if math.isnan(values) else float(f"{values:.{DIGITS}g}")


def _thinned(table: dict[str, Any], said: Row) -> dict[str, Any]:
    """Return the table with as many moments of its curves as make it light enough."""
    (time,) = said["time"]
    recorded = min(len(group[time]) for group in table["groups"])
    count = min(recorded, MOST_TIMES)
    while True:
        groups = [_at_moments(group, time, count) for group in table["groups"]]
        light = {**table, "recorded": recorded, "kept": count, "groups": groups}
        weight = len(json.dumps(light))
        if weight <= LARGEST or count <= FEWEST_TIMES:
            return light
        count = max(min(count - 1, int(count * LARGEST / weight)), FEWEST_TIMES)


def _at_moments(group: Row, time: str, count: int) -> dict[str, Any]:
    """Keep `count` of the moments of a group's curves, evenly spread, the first and the last."""
    total = len(group[time])
    kept = np.unique(np.linspace(0, total - 1, min(count, total)).round().astype(int))

    def thin(value: Any) -> Any:
        if not isinstance(value, list):
            return value
        if len(value) == total and not isinstance(value[0], list):
            return [value[i] for i in kept]
        return [thin(part) for part in value]

    return {name: value if name == "at" else thin(value) for name, value in group.items()}

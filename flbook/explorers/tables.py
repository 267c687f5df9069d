"""The results of an experiment as an explorer browses them: over the seeds, and small.

The catalogue says which columns an explorer needs. The table is sent to the browser once, whole:
rows that differ in nothing but the seed become one group, which keeps three quantiles of every
number, so that what the page shows is a number of the table.
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

__all__ = ["LARGEST", "QUANTILES", "name_of", "table_of"]

QUANTILES = (0.1, 0.5, 0.9)
# What one table may weigh on the page, in characters; moments of its curves are left out until it
# does, but never more than to the fewest.
LARGEST, FEWEST_MOMENTS = 60_000, 6
DIGITS = 10

Row = Mapping[str, Any]


def table_of(explorer: str, results: Any) -> dict[str, Any]:
    """Return `results` as the explorer's figure takes them.

    Returns
    -------
    dict
        ``levels``: what there is to choose from, by parameter; ``seeds``: the least number of seeds
        behind a quantile; ``quantiles``: which three; ``recorded``: how many moments the curves
        have in the results; ``moments``: lists of those that are kept; ``groups``: for each point
        of the grid its place (``at``) among the levels, its list of ``moments``, and by column, as
        text, the three quantiles of a number or of a list, or of a column's medians alone.

    Raises
    ------
    TypeError, ValueError, FileNotFoundError
        If `results` are missing, no table, lack a column or a point, or have two rows of one seed.

    Examples
    --------
    >>> rows = [
    ...     {"network": "MLP", "scale": a, "seed": s, "predicted": 1.0,
    ...      "linearisation_error": 0.1 / a}
    ...     for a in (0.1, 1.0, 10.0) for s in range(3)
    ... ]
    >>> table = table_of("knob", rows)
    >>> table["levels"]["scale"], table["groups"][0]["linearisation_error"]
    ([0.1, 1.0, 10.0], '1,1,1')
    """
    said = entry(explorer)["table"]
    rows = _taken(explorer, said, _rows(explorer, results))
    present = {name for row in rows for name in row}
    wanted = [*said["by"], said.get("seeds", "seed"), *said.get("time", ()), *said["columns"]]
    lacking = [name for name in wanted if name not in present]
    if lacking:
        raise ValueError(
            f"results must have the columns {', '.join(wanted)} for the explorer {explorer!r}, "
            f"got none called {', '.join(lacking)}"
        )
    levels = {name: _levels(explorer, name, rows) for name in said["by"]}
    groups = _grouped(said, rows)
    _refuse_gaps(said["by"], levels, groups)
    columns = [*said["columns"], *(name for name in said["optional"] if name in present)]
    found = [_group(said, columns, levels, group) for group in groups]
    found.sort(key=lambda group: group["at"])
    count = [row[said["seeds"]] for row in rows] if "seeds" in said else [len(g) for g in groups]
    offers = {
        name: [option for option, needed in options.items() if present.issuperset(needed)]
        for name, options in said.get("offers", {}).items()
    }
    table = {
        "levels": levels | offers,
        "quantiles": said.get("quantiles", QUANTILES),
        "seeds": min(count),
        "recorded": max(len(group.get("time", ())) for group in found),
    }
    return table | _light(found)


def name_of(value: Any) -> Any:
    """Return the name that a level has as an option: a number's is its digits."""
    number = isinstance(value, numbers.Real) and not isinstance(value, bool)
    return f"{value:.6g}" if number else value


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
        return _rows_in(path, content)
    if isinstance(results, Mapping):
        first, *_ = entry(explorer)["table"]["by"]
        return [
            {**row, first: name} for name, part in results.items() for row in _rows(explorer, part)
        ]
    rows = getattr(results, "rows", results)
    if not isinstance(rows, Sequence) or not all(isinstance(row, Mapping) for row in rows):
        raise TypeError(f"results must be a path, a Result or a list of dict, got {results!r}")
    return list(rows)


def _rows_in(path: Path, content: Any) -> list[Any]:
    """Return the rows of a file: dicts, or lists in the order of its columns."""
    rows = content.get("rows") if isinstance(content, dict) else None
    if isinstance(rows, list) and all(isinstance(row, dict) for row in rows):
        return rows
    if isinstance(rows, list) and isinstance(content.get("columns"), list):
        return [dict(zip(content["columns"], row, strict=True)) for row in rows]
    raise ValueError(f"results must be a table with columns and rows, got {path}")


def _taken(explorer: str, said: Row, rows: Iterable[Row]) -> Sequence[Row]:
    """Return the rows that the explorer shows, with what stands for absent columns."""
    where = said.get("where", {}).items()
    level = said["by"][-1]
    taken = [
        {**said.get("absent", {}), **row} | ({level: _one_of(row[level])} if level in row else {})
        for row in rows
        if all(row.get(name, wanted) == wanted for name, wanted in where)
    ]
    if not taken:
        raise ValueError(f"results must have rows for the explorer {explorer!r}, got none")
    return taken


def _levels(explorer: str, name: str, rows: Iterable[Row]) -> list[Any]:
    """Return the values of a column in the order in which they are offered."""
    found = {row.get(name) for row in rows}
    parameter = parameters(explorer)[name]
    if parameter.scale == "levels":
        if not all(isinstance(value, (int, float)) and value > 0 for value in found):
            raise ValueError(f"results must have numbers above 0 as {name}, got {found}")
        if len(found) < 2:
            raise ValueError(f"results must have two or more values of {name}, got {found}")
        return sorted(found)
    if not all(isinstance(value, (str, numbers.Real)) for value in found):
        raise ValueError(f"results must have names or numbers as {name}, got {found}")
    known = list(parameter.options or ())
    places = {option: place for place, option in enumerate(known)}
    return sorted(found, key=lambda value: (places.get(name_of(value), len(known)), str(value)))


def _one_of(level: Any) -> Any:
    """Return a level without the rounding that tells it from the same one of another run."""
    return float(f"{level:.{DIGITS}g}") if isinstance(level, float) else level


def _grouped(said: Row, rows: Iterable[Row]) -> list[list[Row]]:
    """Return the rows of each point of the grid."""
    groups: dict[tuple, list[Row]] = {}
    for row in rows:
        groups.setdefault(tuple(row[name] for name in said["by"]), []).append(row)
    for at, group in groups.items():
        # a row that holds quantiles already speaks for all seeds
        seeds = {None} if "seeds" in said else {row["seed"] for row in group}
        if len(seeds) < len(group):
            where = ", ".join(f"{name}={value}" for name, value in zip(said["by"], at, strict=True))
            raise ValueError(
                f"results must have one row for each seed at {where}, got {len(group)} for "
                f"{len(seeds)}: select those that are to be shown"
            )
    return list(groups.values())


def _refuse_gaps(by: Sequence[str], levels: Mapping[str, list], groups: list[list[Row]]) -> None:
    """Refuse a table in which not every choice goes with every other, whatever their level."""
    *choices, _ = by
    found = {tuple(group[0][name] for name in choices) for group in groups}
    count = math.prod(len(levels[name]) for name in choices)
    if len(found) < count:
        raise ValueError(
            f"results must have rows for all {count} combinations of {', '.join(choices)}, "
            f"got {len(found)}: select those that are complete"
        )


def _group(
    said: Row, columns: Iterable[str], levels: Mapping[str, list], rows: list[Row]
) -> dict[str, Any]:
    """Return where a point of the grid is, its moments, and its columns as arrays."""
    group: dict[str, Any] = {"at": [levels[name].index(rows[0][name]) for name in said["by"]]}
    for name in said.get("time", ()):
        group["time"] = _stacked(name, rows)[0]
    for name in columns:
        values = _stacked(name, rows)
        found = values[0] if "seeds" in said else _quantiles(values)
        group[name] = found[1] if name in said.get("medians", ()) else found
    return group


def _quantiles(values: np.ndarray) -> np.ndarray:
    """Return the quantiles over the first axis; NaN where there is nothing else."""
    known = ~np.isnan(values).all(axis=0)
    found = np.full((len(QUANTILES), *values.shape[1:]), np.nan)
    found[:, known] = np.nanquantile(values[:, known], QUANTILES, axis=0)
    return found


def _stacked(name: str, rows: Iterable[Row]) -> np.ndarray:
    """Return a column of one group: rows × its own shape; what is no finite number is NaN."""
    try:
        return np.array([_finite(row.get(name)) for row in rows], dtype=float)
    except ValueError:
        raise ValueError(
            f"results must have as many numbers of {name} for every seed of one point"
        ) from None


def _finite(value: Any) -> Any:
    if isinstance(value, (list, tuple, np.ndarray)):
        return [_finite(one) for one in value]
    known = isinstance(value, (numbers.Real, np.number)) and math.isfinite(value)
    return float(value) if known else math.nan


def _light(groups: Sequence[Row]) -> dict[str, Any]:
    """Return moments and groups as JSON knows them, with as many moments as are light enough."""
    count = max(len(group.get("time", ())) for group in groups)
    while True:
        moments: list[Any] = []
        encoded = [_encoded(group, count, moments) for group in groups]
        light = {"moments": moments, "groups": encoded}
        weight = len(json.dumps(light))
        if weight <= LARGEST or count <= FEWEST_MOMENTS:
            return light
        count = max(min(count - 1, int(count * LARGEST / weight)), FEWEST_MOMENTS)


def _encoded(group: Row, count: int, moments: list[Any]) -> dict[str, Any]:
    """Keep at most `count` of the moments of a group, evenly spread, the first and the last."""
    if "time" not in group:
        return {name: value if name == "at" else _text(value) for name, value in group.items()}
    total = len(group["time"])
    kept = np.unique(np.linspace(0, total - 1, min(count, total)).round().astype(int))
    thin = {
        name: _text(value[..., kept] if np.shape(value)[-1:] == (total,) else value)
        for name, value in group.items()
        if name not in ("at", "time")
    }
    time = group["time"][kept].tolist()
    if time not in moments:
        moments.append(time)
    return {"at": group["at"], "moments": moments.index(time), **thin}


def _text(values: Any) -> str:
    """Return numbers with commas between, and rows of them with semicolons; a gap is empty."""
    if np.ndim(values) > 1:
        return ";".join(_text(row) for row in values)
    return ",".join(_digits(float(value)) for value in np.atleast_1d(values))


def _digits(value: float) -> str:
    """Return a number as short as it may be: .5 is half."""
    if math.isnan(value):
        return ""
    text = f"{value:.{DIGITS}g}"
    return text.replace("0.", ".", 1) if text.startswith(("0.", "-0.")) else text

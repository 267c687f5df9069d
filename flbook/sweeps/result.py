"""The table that a sweep leaves behind, and the file that it is kept in."""

from __future__ import annotations

import json
import math
import os
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flbook.sweeps.grid import Point, plain

__all__ = ["Result", "decode", "encode", "load", "rounded", "write_json"]

# JSON knows no number that is not finite; JavaScript's Number() reads these words back.
WORDS = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


def encode(value: Any) -> Any:
    """Return `value` with words in place of the numbers that JSON does not know."""
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, list):
        return [encode(entry) for entry in value]
    if isinstance(value, dict):
        return {key: encode(entry) for key, entry in value.items()}
    return value


def decode(value: Any) -> Any:
    """Return `value` with numbers in place of the words of `encode`."""
    if isinstance(value, str):
        return WORDS.get(value, value)
    if isinstance(value, list):
        return [decode(entry) for entry in value]
    if isinstance(value, dict):
        return {key: decode(entry) for key, entry in value.items()}
    return value


def rounded(value: Any, digits: int) -> Any:
    """Return `value` with every float in it rounded to `digits` significant digits.

    Examples
    --------
    >>> rounded({"loss": [0.123456789, 2.0]}, 3)
    {'loss': [0.123, 2.0]}
    """
    if isinstance(value, float):
        return float(f"{value:.{digits}g}")
    if isinstance(value, list):
        return [rounded(entry, digits) for entry in value]
    if isinstance(value, dict):
        return {key: rounded(entry, digits) for key, entry in value.items()}
    return value


def write_json(path: Path, content: Any, *, lines: str = "") -> None:
    """Write `content` to `path` at one stroke; the list called `lines` gets a line an entry."""
    path.parent.mkdir(parents=True, exist_ok=True)
    content = encode(content)
    if lines:
        entries = [json.dumps(entry, ensure_ascii=False) for entry in content[lines]]
        listed = "[\n  " + ",\n  ".join(entries) + "\n ]" if entries else "[]"
        head = {key: value for key, value in content.items() if key != lines}
        parts = [
            f' "{key}": {json.dumps(value, ensure_ascii=False)}' for key, value in head.items()
        ]
        text = "{\n" + ",\n".join([*parts, f' "{lines}": {listed}']) + "\n}\n"
    else:
        text = json.dumps(content)
    handle, temporary = tempfile.mkstemp(dir=path.parent, suffix=".part")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _meets(value: Any, wanted: Any) -> bool:
    if callable(wanted):
        return bool(wanted(value))
    if isinstance(wanted, (set, frozenset)):
        return value in wanted
    wanted = plain("the condition", wanted)
    if isinstance(wanted, list) and not isinstance(value, list):
        return value in wanted
    return value == wanted


@dataclass(frozen=True, eq=False)
class Result:
    """The table of a sweep, and how it was made.

    Attributes
    ----------
    name : str
        What the experiment is called: the file is ``NAME.json``.
    function : str
        The function that was run, as ``module:name``.
    configuration : list of dict
        The axes of each part of the grid, as `Grid.configuration` says.
    versions : dict of str to str
        Of Python, flbook, and the packages that compute.
    code : str
        A hash of the source of the function's module and of what it imports of its own project.
    digits : int
        To how many significant digits the numbers are rounded.
    seconds : float
        How long the points took, one after the other.
    columns : tuple of str
        The names of the columns: those of the point, then those of what the function returned.
    rows : list of dict
        The table, in the order of the grid; a function that returned several rows has several.
    sample : list of dict
        The rows of a point that is quickly run again, to see whether the table is still true.

    Examples
    --------
    >>> from flbook.sweeps import Grid, run
    >>> def growth(scale, seed):
    ...     return {"kernel": 2 * scale + seed}
    >>> result = run(growth, Grid(scale=[0.5, 2.0], seed=range(3)), workers=1)
    >>> result
    <Result growth: 6 rows of scale, seed, kernel>
    >>> print(result.select(scale=2.0).column("kernel"))
    [4. 5. 6.]
    >>> result.quantiles("kernel", by="scale").rows[0]
    {'scale': 0.5, 'count': 3, 'low': 1.5, 'median': 2.0, 'high': 2.5}
    """

    name: str
    function: str
    configuration: list[dict[str, Any]]
    versions: dict[str, str]
    code: str
    digits: int
    seconds: float
    columns: tuple[str, ...]
    rows: list[Point] = field(repr=False)
    sample: list[Point] = field(default_factory=list, repr=False)

    @property
    def seeds(self) -> list[int]:
        """The seeds: all in the column `seed`, and from 0 as many as one says in `seeds`."""
        single = {row["seed"] for row in self.rows if row.get("seed") is not None}
        return sorted(single.union(*(range(row.get("seeds") or 0) for row in self.rows)))

    def __len__(self) -> int:
        return len(self.rows)

    def __repr__(self) -> str:
        return f"<Result {self.name}: {len(self)} rows of {', '.join(self.columns)}>"

    def _has(self, *names: str) -> None:
        for name in names:
            if name not in self.columns:
                raise ValueError(f"column must be one of {', '.join(self.columns)}, got {name!r}")

    def column(self, name: str) -> NDArray[Any]:
        """Return a column; curves of one length become the rows of a matrix; a gap is NaN."""
        self._has(name)
        values = [row.get(name) for row in self.rows]
        if any(isinstance(value, str) for value in values):
            return np.array(values)
        values = [math.nan if value is None else value for value in values]
        try:
            return np.array(values)
        except ValueError:  # curves of several lengths
            ragged = np.empty(len(values), dtype=object)
            ragged[:] = [np.array(value) for value in values]
            return ragged

    def select(self, **conditions: Any) -> Result:
        """Return the rows that meet all conditions: a value, some values, or a function of it."""
        self._has(*conditions)
        met = [
            row
            for row in self.rows
            if all(_meets(row.get(name), wanted) for name, wanted in conditions.items())
        ]
        return replace(self, rows=met)

    def quantiles(
        self,
        column: str,
        by: str | Sequence[str],
        *,
        levels: tuple[float, float, float] = (0.25, 0.5, 0.75),
    ) -> Result:
        """Return how `column` spreads among the rows that agree in the columns `by`.

        The columns of the new table are `by`, then `count`, `low`, `median` and `high`, the
        quantiles at three `levels`; of curves, point by point. NaN is counted out.
        """
        keys = (by,) if isinstance(by, str) else tuple(by)
        self._has(column, *keys)
        if len(levels) != 3 or not all(0 <= level <= 1 for level in levels):
            raise ValueError(f"levels must be three numbers from 0 to 1, got {levels!r}")
        groups: dict[str, list[Point]] = {}
        for row in self.rows:
            groups.setdefault(json.dumps([encode(row.get(key)) for key in keys]), []).append(row)
        rows = []
        for group in groups.values():
            values = replace(self, rows=group).column(column)
            if values.dtype.kind not in "biuf":
                raise TypeError(f"column must hold numbers, or curves of one length, got {column}")
            values = values.astype(np.float64)
            low, median, high = _quantiles(values, levels)
            rows.append(
                {key: group[0].get(key) for key in keys}
                | {"count": int((~np.isnan(values.reshape(len(values), -1))).all(axis=1).sum())}
                | {"low": low, "median": median, "high": high}
            )
        return replace(self, columns=(*keys, "count", "low", "median", "high"), rows=rows)

    def save(self, folder: str | os.PathLike[str]) -> Path:
        """Write the table to ``folder/NAME.json`` at one stroke, and return the path."""
        path = Path(folder) / f"{self.name}.json"
        content = {
            "name": self.name,
            "function": self.function,
            "configuration": self.configuration,
            "seeds": self.seeds,
            "versions": self.versions,
            "code": self.code,
            "digits": self.digits,
            "seconds": float(f"{self.seconds:.3g}"),
            "sample": self.sample,
            "columns": list(self.columns),
            "rows": [[row.get(column) for column in self.columns] for row in self.rows],
        }
        write_json(path, content, lines="rows")
        return path


def _quantiles(values: NDArray[np.float64], levels: Iterable[float]) -> list[Any]:
    """Return the quantiles over the first axis, NaN where there is nothing else."""
    flat = values.reshape(len(values), -1)
    found = np.full((3, flat.shape[1]), math.nan)
    for place, entries in enumerate(flat.T):
        numbers = entries[~np.isnan(entries)]
        if numbers.size:
            found[:, place] = np.quantile(numbers, list(levels))
    return found.reshape(3, *values.shape[1:]).tolist()


def load(path: str | os.PathLike[str]) -> Result:
    """Read the table that a sweep has saved.

    Raises
    ------
    FileNotFoundError, ValueError
        If there is no such file, or it is not a table of `Result.save`.

    Examples
    --------
    >>> import tempfile
    >>> from flbook.sweeps import Grid, run
    >>> table = run(lambda seed: {"half": seed / 2}, Grid(seed=[0, 1]), name="halves", workers=1)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     print(load(table.save(folder)).column("half"))
    [0.  0.5]
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"path must be a result that a sweep has saved, got {path}")
    try:
        content = decode(json.loads(path.read_text(encoding="utf-8"), parse_constant=_illegal))
        content.pop("seeds")
        columns = tuple(content.pop("columns"))
        rows = [dict(zip(columns, row, strict=True)) for row in content.pop("rows")]
        return Result(**content, columns=columns, rows=rows)
    except (AttributeError, KeyError, TypeError, ValueError) as wrong:
        raise ValueError(
            f"path must be a result that a sweep has saved, got {path}, where {wrong!r}"
        ) from None


def _illegal(word: str) -> float:
    raise ValueError(f"{word} is no number of JSON")

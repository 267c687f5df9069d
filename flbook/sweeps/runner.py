"""Run a function at every point of a grid, and keep what is done."""

from __future__ import annotations

import inspect
import os
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tqdm.auto import tqdm

from flbook._support import checks
from flbook.sweeps.backends import WorkerDied, completed
from flbook.sweeps.checkpoints import Checkpoints, code_hash, full_name, versions
from flbook.sweeps.grid import Grid, Point, plain
from flbook.sweeps.result import WORDS, Result, rounded

__all__ = ["SweepError", "run"]


class SweepError(RuntimeError):
    """Some points failed; all others were run.

    Attributes
    ----------
    failures : list of (dict, str)
        Each point that failed, and the traceback of what it raised or what became of its worker.
    result : Result
        The table without these points.
    """

    def __init__(self, failures: list[tuple[Point, str]], result: Result, total: int):
        self.failures, self.result = failures, result
        told = "\n".join(f"{point}: {why.strip().splitlines()[-1]}" for point, why in failures[:10])
        more = f"\nand {len(failures) - 10} more" if len(failures) > 10 else ""
        super().__init__(
            f"{result.name}: {len(failures)} of {total} points failed, and the others are kept. "
            f"The first of them:\n{failures[0][1].rstrip()}\n\nAll that failed:\n{told}{more}"
        )

    def __reduce__(self):
        return _again, (self.failures, self.result, self.args)


def _again(failures: list[tuple[Point, str]], result: Result, args: tuple[str]) -> SweepError:
    error = SweepError(failures, result, 0)
    error.args = args
    return error


class _Task:
    """What a worker does with a point: the rows and the seconds, or a traceback."""

    def __init__(self, function: Callable[..., Any], digits: int):
        self.function, self.digits = function, digits

    def __call__(self, point: Point) -> tuple[list[Point], float] | str:
        start = time.perf_counter()
        try:
            found = self.function(**point)
            rows = [self.row(point, row) for row in (found if _is_list(found) else [found])]
        except Exception:
            return traceback.format_exc()
        return rows, time.perf_counter() - start

    def row(self, point: Point, found: Any) -> Point:
        if not isinstance(found, dict):
            raise TypeError(f"function must return a dict or a list of them, got {found!r}")
        twice = sorted(set(point) & set(found))
        if twice:
            raise ValueError(f"function must return names of its own, got {twice} of the point too")
        values = {str(name): plain(name, value) for name, value in found.items()}
        for name, value in values.items():
            if isinstance(value, str) and value in WORDS:
                raise ValueError(f"{name} must be a number to mean {value}, got the text {value!r}")
        return {**point, **rounded(values, self.digits)}


def _is_list(found: Any) -> bool:
    return isinstance(found, (list, tuple))


def _check(function: Any, grid: Any, workers: Any, digits: Any) -> None:
    if not callable(function):
        raise TypeError(f"function must be a function of the axes of the grid, got {function!r}")
    checks.instance("grid", grid, Grid)
    if workers is not None:
        checks.one_whole("workers", workers, at_least=1)
    checks.one_whole("digits", digits, at_least=1)
    signature = inspect.signature(function)
    for axes in grid.configuration:
        try:
            signature.bind(**axes)
        except TypeError as wrong:
            raise TypeError(
                f"grid must have the axes that {function.__qualname__}{signature} takes, "
                f"got {', '.join(axes)}: {wrong}"
            ) from None


def run(
    function: Callable[..., Any],
    grid: Grid,
    *,
    name: str | None = None,
    workers: int | None = None,
    folder: str | os.PathLike[str] | None = None,
    digits: int = 6,
    progress: bool | None = None,
) -> Result:
    """Call ``function(**point)`` at every point of a grid, and return the table.

    Parameters
    ----------
    function : callable
        Takes the axes of the grid by name, and returns a row, a dict of numbers, texts, or arrays
        of numbers, or a list of rows. Whatever is random in it must come from its arguments: put
        the seed on an axis. Then the table depends on neither the workers nor their order.
    grid : Grid
        The points.
    name : str, optional
        Of the result; the function's own where it is not given.
    workers : int, optional
        How many processes of this machine; by default one for each core. With 1, all runs in this
        process. The cores are shared out among the processes: with as many as there are cores, BLAS
        and XLA use one thread in each. Inside ``with joblib.parallel_config("dask")``, or another
        backend of joblib's, the points run on that cluster, whatever `workers` is.
    folder : path, optional
        Where each point that is done is kept, in a file that is written at one stroke. A sweep
        that was killed goes on from there. A point counts as done only if the function's name and
        code, the point, `digits` and the versions of the packages are the same. Without a folder
        nothing is kept.
    digits : int, default 6
        To how many significant digits the numbers of the table are rounded.
    progress : bool, optional
        Show a bar; by default in a terminal.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described.
    SweepError
        After all others have run, if the function raised at a point or its worker died twice, the
        second time with no other point beside it.

    Examples
    --------
    >>> def power(base, exponent):
    ...     return {"value": base**exponent}
    >>> result = run(power, Grid(base=2, exponent=[1, 2, 10]), workers=1)
    >>> print(result.column("value"))
    [   2    4 1024]
    """
    _check(function, grid, workers, digits)
    points = list(grid)
    behind = {
        "function": full_name(function),
        "code": code_hash(function),
        "digits": digits,
        "versions": versions(),
    }
    kept = Checkpoints(None if folder is None else Path(folder), **behind)
    done = {place: old for place, point in enumerate(points) if (old := kept.get(point))}
    failures: dict[int, str] = {}
    missing = [place for place in range(len(points)) if place not in done]
    bar = tqdm(
        total=len(points),
        initial=len(done),
        desc=name or function.__name__,
        unit="point",
        disable=None if progress is None else not progress,
    )
    with bar:
        for place, outcome in _outcomes(_Task(function, digits), points, missing, workers):
            if isinstance(outcome, str):
                failures[place] = outcome
            else:
                rows, seconds = outcome
                kept.put(points[place], rows, seconds)
                done[place] = {"rows": rows, "seconds": seconds}
            bar.update()
    rows = [row for place in sorted(done) for row in done[place]["rows"]]
    result = Result(
        name=name or function.__name__,
        configuration=grid.configuration,
        seconds=sum(entry["seconds"] for entry in done.values()),
        columns=tuple(dict.fromkeys(column for row in rows for column in row)),
        rows=rows,
        **behind,
    )
    if failures:
        told = [(points[place], failures[place]) for place in sorted(failures)]
        raise SweepError(told, result, len(points))
    return result


def _outcomes(
    task: _Task, points: list[Point], missing: list[int], workers: int | None
) -> Iterator[tuple[int, Any]]:
    """Yield the place and the outcome of every missing point, whatever becomes of the workers.

    Where a worker has died, each point that may have killed it runs once more, alone; then the
    others go on side by side.
    """
    while missing:
        suspects, ended = [], set()
        for index, outcome in completed(task, [points[place] for place in missing], workers):
            ended.add(missing[index])
            if isinstance(outcome, WorkerDied):
                suspects.append(missing[index])
            else:
                yield missing[index], outcome
        for place in suspects:
            alone = None if workers == 1 else workers
            for _, outcome in completed(task, [points[place]], alone):
                if isinstance(outcome, WorkerDied):
                    yield place, "its worker died twice, the second time with this point alone"
                else:
                    yield place, outcome
        missing = [place for place in missing if place not in ended]

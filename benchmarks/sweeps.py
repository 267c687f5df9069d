"""What a second process is worth to a sweep, and what the sweep costs beside its points.

``python benchmarks/sweeps.py`` prints, for points that compute in pure Python, the time in this
process and in two, their ratio, the peak memory of a worker, and what a point costs that does
nothing: alone, kept in a file, and passed to a worker.
"""

import resource
import tempfile
import time

from flbook.sweeps import Grid, Result, run

POINTS, REPEATS = 24, 3


def busy(number: int, steps: int) -> dict:
    """Iterate a map; the interpreter alone is at work."""
    x = number / POINTS
    for _ in range(steps):
        x = 3.7 * x * (1 - x)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"x": x, "peak": peak}


def timed(grid: Grid, workers: int, folder: str | None = None) -> tuple[float, Result]:
    start = time.perf_counter()
    result = run(busy, grid, workers=workers, folder=folder, progress=False)
    return time.perf_counter() - start, result


def main() -> None:
    grid = Grid(number=range(POINTS), steps=3_000_000)
    timed(Grid(number=range(4), steps=1), workers=2)  # start the processes
    pairs = [(timed(grid, 1)[0], timed(grid, 2)) for _ in range(REPEATS)]
    one, (two, result) = min(pairs, key=lambda pair: pair[1][0] / pair[0])
    ratios = ", ".join(f"{alone / pair[0]:.2f}" for alone, pair in pairs)
    print(f"{POINTS} points: {one:.2f} s in one process, {two:.2f} s in two; ratios {ratios}")
    print(f"peak memory of a process: {result.column('peak').max():.0f} MiB")

    small = Grid(number=range(400), steps=1)
    with tempfile.TemporaryDirectory() as folder:
        for workers, kept in ((1, None), (1, folder), (2, None)):
            seconds, _ = timed(small, workers, kept)
            words = "kept in files" if kept else "not kept"
            print(f"{1e3 * seconds / len(small):.2f} ms a point, {workers} process(es), {words}")


if __name__ == "__main__":
    main()

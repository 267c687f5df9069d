"""What a second process is worth to a sweep, and what the sweep costs beside its points.

``python benchmarks/sweeps.py`` prints, for points that compute in pure Python, the time in this
process and in two, and their ratio, by the clock and, for a machine that is not ours alone, by
the processors; the peak memory of a worker; and what a point costs that does nothing: alone, kept
in a file, and passed to a worker.
"""

import os
import resource
import tempfile
import time

from flbook.sweeps import Grid, Result, run

POINTS, REPEATS = 24, 3


def busy(number: int, steps: int) -> dict:
    """Iterate a map; the interpreter alone is at work."""
    start, x = time.process_time(), number / POINTS
    for _ in range(steps):
        x = 3.7 * x * (1 - x)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"x": x, "peak": peak, "cpu": time.process_time() - start, "pid": os.getpid()}


def timed(grid: Grid, workers: int, folder: str | None = None) -> tuple[float, Result]:
    start = time.perf_counter()
    result = run(busy, grid, workers=workers, folder=folder, progress=False)
    return time.perf_counter() - start, result


def main() -> None:
    grid = Grid(number=range(POINTS), steps=3_000_000)
    timed(Grid(number=range(4), steps=1), workers=2)  # start the processes
    for _ in range(REPEATS):
        (one, alone), (two, result) = timed(grid, 1), timed(grid, 2)
        shares = [result.select(pid=pid).column("cpu").sum() for pid in set(result.column("pid"))]
        computed = alone.column("cpu").sum()
        print(
            f"{POINTS} points: {one:.2f} s in one process, {two:.2f} s in two, "
            f"ratio {one / two:.2f}; of processor time {computed:.2f} s in one, "
            f"{max(shares):.2f} s in the busier of two, ratio {computed / max(shares):.2f}"
        )
    print(f"peak memory of a process: {result.column('peak').max():.0f} MiB")

    small = Grid(number=range(400), steps=1)
    with tempfile.TemporaryDirectory() as folder:
        for workers, kept in ((1, None), (1, folder), (2, None)):
            seconds, _ = timed(small, workers, kept)
            words = "kept in files" if kept else "not kept"
            print(f"{1e3 * seconds / len(small):.2f} ms a point, {workers} process(es), {words}")


if __name__ == "__main__":
    main()

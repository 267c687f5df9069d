"""Worst error of every number of the solver against 80-digit arithmetic, over random problems.

Run ``python benchmarks/accuracy.py`` (about a quarter of an hour on one core for 100 000 problems),
or with ``--points 2000`` for a first look. Finished batches are kept in a file next to the system's
temporary ones, so that an interrupted run goes on where it was; ``--fresh`` starts over.

Two columns per quantity: the plain relative error, which includes what the rounding of the inputs
does to an ill-conditioned number, and the error in units of what is allowed: 1e-12 of the exact
number plus what two units in the last place of every input change it by. Below 1 is within bounds.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))

import oracle
import points

BATCH = 200
STEPS = (1, 2, 3, 5, 10, 30, 100, 300)
# Below this many units the share of the inputs is not worked out, which overstates the error.
NEGLIGIBLE = 0.01


def measure(job: tuple[str, int]) -> tuple[str, int, int, dict]:
    """Solve one batch and return, for every quantity, its worst errors and where they are."""
    kind, seed = job
    if kind == "flow":
        batch, solve = points.flow_batch(np.random.default_rng([0, seed]), BATCH), oracle.flow
    else:
        random = np.random.default_rng([1, seed])
        batch = points.descent_batch(random, BATCH, STEPS[seed % len(STEPS)])
        solve = oracle.descent
    worst: dict[str, list] = {}
    for i, point in enumerate(batch.points):
        got = {name: float(values[i]) for name, values in batch.answers.items()}
        for name, (plain, units) in points.errors(solve, point, got, NEGLIGIBLE).items():
            old = worst.setdefault(name, [0.0, 0.0, None, []])
            old[0] = max(old[0], plain)
            old[3].append(plain)
            if units >= old[1]:
                old[1], old[2] = units, point._asdict()
    for old in worst.values():
        old[3] = float(np.median(old[3]))
    return kind, seed, len(batch.points), worst


def bar(done: int, total: int, started: float) -> None:
    """Draw one line of progress on the error stream."""
    part = done / total
    left = (time.monotonic() - started) / max(part, 1e-9) * (1 - part)
    filled = "#" * int(40 * part)
    print(f"\r[{filled:<40}] {part:6.1%}  {left:5.0f} s left", end="", file=sys.stderr, flush=True)


def table(kind: str, results: list[tuple[int, dict]]) -> None:
    """Print the worst errors of one kind of dynamics."""
    count = sum(n for n, _ in results)
    print(f"\n{kind}: {count} problems\n")
    print("| quantity | median rel. error | worst rel. error | worst, in units of the allowed |")
    print("|---|---|---|---|")
    for name in results[0][1]:
        rows = [worst[name] for _, worst in results]
        plain, units = max(row[0] for row in rows), max(row[1] for row in rows)
        middle = float(np.median([row[3] for row in rows]))
        print(f"| {name} | {middle:.1e} | {plain:.1e} | {units:.3f} |")
    bad = [(n, w[name]) for n, w in results for name in w if w[name][1] > 1]
    for _, row in bad:
        print(f"beyond the allowed: {row[2]}")


def main() -> int:
    """Run what is not yet done, then print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--points", type=int, default=100_000, help="problems for gradient flow")
    parser.add_argument("--descent", type=int, default=20_000, help="problems for descent")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--fresh", action="store_true", help="forget the batches done before")
    options = parser.parse_args()

    kept = Path(tempfile.gettempdir()) / "flbook-accuracy.jsonl"
    if options.fresh:
        kept.unlink(missing_ok=True)
    jobs = [("flow", i) for i in range(-(-options.points // BATCH))]
    jobs += [("descent", i) for i in range(-(-options.descent // BATCH))]
    done = {}
    if kept.exists():
        for line in kept.read_text().splitlines():
            kind, seed, count, worst = json.loads(line)
            done[kind, seed] = (count, worst)
    todo = [job for job in jobs if job not in done]

    started = time.monotonic()
    with kept.open("a") as file, multiprocessing.Pool(options.processes) as pool:
        for n, (kind, seed, count, worst) in enumerate(pool.imap_unordered(measure, todo)):
            done[kind, seed] = (count, worst)
            file.write(json.dumps([kind, seed, count, worst]) + "\n")
            file.flush()
            bar(n + 1, len(todo), started)
    print(file=sys.stderr)
    for kind in ("flow", "descent"):
        table(kind, [done[job] for job in jobs if job[0] == kind])
    return int(any(w[1] > 1 for job in jobs for w in done[job][1].values()))


if __name__ == "__main__":
    raise SystemExit(main())

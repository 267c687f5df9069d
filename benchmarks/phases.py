"""Predicted phases against measured ones, on 2 000 random scalings.

``python benchmarks/phases.py`` draws five-dimensional exponent vectors on a half-integer grid,
predicts phase, speed and class of alignment by `Scaling`, measures them on exact ensembles at the
widths 10² … 10¹², and prints the disagreements by the distance to the nearest boundary.
"""

import sys
import time

import numpy as np

import flbook as fl

COUNT = 2000
ALIGNMENT = {-1: "none", 0: "partial", 1: "full"}


def compare(scaling: fl.Scaling) -> tuple[str, float, bool, float]:
    """Return phase, distance to a boundary, agreement and the largest error of a fitted power."""
    b, k, g, o, rate = scaling.exponents()
    measured = fl.measure_phase(scaling)
    drift = b - k if b >= k else 2 * (b - k) + 2 * max(o, 0)
    predicted = scaling.phase(), scaling.speed(), ALIGNMENT[int(np.sign(g))]
    got = measured.phase, measured.speed, measured.alignment_class
    error = max(
        abs(measured.drift.value - drift),
        abs(measured.alignment.value - g),
        abs(measured.rate.value - rate),
    )
    return scaling.phase().value, min(abs(b - k), abs(rate), abs(g)), predicted == got, error


def main() -> int:
    random = np.random.default_rng(2024)
    scalings = [fl.Scaling(*random.integers(-4, 5, 5) / 2) for _ in range(COUNT)]
    start = time.perf_counter()
    rows = [compare(scaling) for scaling in scalings]
    seconds = time.perf_counter() - start

    print(f"{COUNT} scalings in {seconds:.1f} s")
    for phase in fl.Phase:
        print(f"  {phase.value:<44}{sum(row[0] == phase.value for row in rows):>6}")
    print(f"{'distance to a boundary':<30}{'scalings':>10}{'disagree':>10}{'worst power':>13}")
    groups = (
        ("on one", [row for row in rows if row[1] == 0]),
        ("1/4", [row for row in rows if row[1] == 0.25]),
        ("1/2 and more", [row for row in rows if row[1] >= 0.5]),
    )
    for name, group in groups:
        wrong = sum(not row[2] for row in group)
        print(f"{name:<30}{len(group):>10}{wrong:>10}{max(row[3] for row in group):>13.4f}")
    return sum(not row[2] for row in groups[2][1])


if __name__ == "__main__":
    sys.exit(min(main(), 1))

"""What an ensemble costs beside the random numbers that it is made of.

``python benchmarks/ensembles.py`` prints, for a million networks of width 10⁹, the time of drawing
their random numbers, the time of the whole ensemble (initial slopes, kernel ratios, alignments and
half times), their ratio, and the peak memory of the ensemble beside the size of its results.
"""

import time
import tracemalloc
from collections.abc import Callable

import numpy as np

import flbook as fl

WIDTH = 10**9
REPEATS = 7
TASK = fl.Task(1.0, 1.0, 1.0)


def best_time(work: Callable[[], object]) -> float:
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def draw(size: int) -> None:
    """Draw two chi-squares and a normal number for every network, and do nothing with them."""
    random = np.random.default_rng(0)
    random.standard_gamma(WIDTH / 2, size)
    random.standard_gamma((WIDTH - 1) / 2, size)
    random.standard_normal(size)


def solve(network: fl.Network, size: int) -> fl.Ensemble:
    ensemble = fl.Ensemble(network, TASK, size, seed=0)
    _ = ensemble.initial_slope, ensemble.kernel_ratio, ensemble.final_alignment, ensemble.half_time
    return ensemble


def peak_memory(network: fl.Network, size: int) -> float:
    tracemalloc.start()
    ensemble = solve(network, size)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    results = (
        ensemble.initial_slope,
        ensemble.kernel_ratio,
        ensemble.final_alignment,
        ensemble.half_time,
    )
    return peak / sum(array.nbytes for array in results)


if __name__ == "__main__":
    print(
        f"{'scaling':<12}{'networks':>10}{'draw, ms':>10}{'solve, ms':>11}{'ratio':>7}{'memory':>8}"
    )
    for name, scaling in fl.SCALINGS.items():
        network = scaling.at_width(WIDTH)
        for size in (10**6, 10**7) if name == "mup" else (10**6,):
            drawing = best_time(lambda size=size: draw(size))
            solving = best_time(lambda size=size, network=network: solve(network, size))
            memory = peak_memory(network, size)
            print(
                f"{name:<12}{size:>10}{1e3 * drawing:>10.0f}{1e3 * solving:>11.0f}"
                f"{solving / drawing:>7.2f}{memory:>8.2f}"
            )
    print("memory: peak over the size of the results")

"""Two ratios: exact gradient flow against what must be done anyway, and against integration.

Run ``python benchmarks/speed.py``. Both sides of a ratio are timed in turns in one run, and the
best of each side counts, since other work on the machine can only add time.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable

import numpy as np
from scipy.integrate import solve_ivp

import flbook as fl

TIMES = 200


def seconds(call: Callable[[], object]) -> float:
    """Return how long one call takes."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def race(one: Callable[[], object], other: Callable[[], object], rounds: int) -> np.ndarray:
    """Return the times of both, taken in turns; shape (rounds, 2)."""
    one(), other()
    return np.array([(seconds(one), seconds(other)) for _ in range(rounds)])


def against_dots(width: int, rounds: int) -> None:
    """Solve from raw weights, and take just the three dot products of these weights."""
    network = fl.Network(width, gamma=1 / width, eta_u=width, eta_w=width)
    u, w = network.sample_weights(seed=0)
    task = fl.Task(1.0, 1.0, 1.0)
    t = np.geomspace(1e-3, 1e3, TIMES)

    def exact() -> object:
        return fl.GradientFlow(network, task, fl.Gram.from_weights(u, w)).slope(t)

    times = race(exact, lambda: (u @ u, u @ w, w @ w), rounds)
    best, middle = times.min(axis=0), np.median(times, axis=0)
    print(f"width {width:.0e}, {TIMES} times, from raw weights:")
    print(f"  exact solution      {1e3 * best[0]:9.3f} ms (median {1e3 * middle[0]:.3f})")
    print(f"  three dot products  {1e3 * best[1]:9.3f} ms (median {1e3 * middle[1]:.3f})")
    print(f"  ratio               {best[0] / best[1]:9.2f}    (median {middle[0] / middle[1]:.2f})")


def against_integration(width: int, horizon: float, rounds: int) -> None:
    """Solve from raw weights up to a time, and integrate these weights with rtol 1e-8.

    An explicit integrator takes steps that the rate of the fastest decay bounds, so its time grows
    with the horizon; the exact solution knows no steps.
    """
    network = fl.Network(width, gamma=1 / width, eta_u=width, eta_w=width)
    u, w = network.sample_weights(seed=0)
    task = fl.Task(1.0, 1.0, 1.0)
    t = np.linspace(0.0, horizon, TIMES)
    start = np.concatenate([u, w])
    reached = []

    def derivative(_: float, weights: np.ndarray) -> np.ndarray:
        u, w = weights[:width], weights[width:]
        pull = network.gamma * (network.gamma * (u @ w) - 1.0)
        return np.concatenate([-network.eta_u * pull * w, -network.eta_w * pull * u])

    def integrated() -> object:
        run = solve_ivp(derivative, (0.0, horizon), start, t_eval=t, rtol=1e-8, atol=1e-10)
        reached.append(network.gamma * np.sum(run.y[:width] * run.y[width:], axis=0))
        return run

    def exact() -> object:
        return fl.GradientFlow(network, task, fl.Gram.from_weights(u, w)).slope(t)

    slow = min(seconds(integrated) for _ in range(rounds))
    fast = min(seconds(exact) for _ in range(200 * rounds))
    error = np.abs(reached[-1] - exact()).max()
    print(
        f"  t = {horizon:<5g}{1e3 * fast:9.3f} ms against {1e3 * slow:9.1f} ms,"
        f" ratio {slow / fast:8.0f} (they agree to {error:.0e})"
    )


def one_question() -> None:
    """One network of a width that has no weights any more."""
    network = fl.Network(10**12, gamma=1e-12, eta_u=1e12, eta_w=1e12)
    task, gram = fl.Task(1.0, 1.0, 1.0), network.sample_gram(seed=0)
    best = min(seconds(lambda: fl.GradientFlow(network, task, gram).slope(1.0)) for _ in range(999))
    print(f"one network of width 1e+12 at one time: {1e6 * best:.0f} µs")


def main() -> int:
    """Run all."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=200)
    options = parser.parse_args()
    print(f"Python {sys.version.split()[0]}, numpy {np.__version__}")
    against_dots(10**6, options.rounds)
    print(
        f"width 1e+04, {TIMES} times, from raw weights, against solve_ivp (RK45, rtol 1e-8), up to"
    )
    for horizon in (10.0, 100.0, 1000.0):
        against_integration(10**4, horizon, 3)
    one_question()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

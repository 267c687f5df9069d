"""Any loss: the equation for the slope alone, against the integrated weights, and what both cost.

Run ``python benchmarks/losses.py`` (two minutes on one core). Every weight of random networks is
integrated with derivatives of the losses that are written here (rtol 1e-11), over times in which
the slope settles or, where it grows for ever, has long left the start. An error is relative, of the
slope to the largest slope of its run, of the kernel to itself. The times of both are the best of
rounds taken in turns.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

import flbook as fl
from flbook import simulation

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))

from loss_functions import DERIVATIVES, Cauchy

EXAMPLES = 20
WIDTHS = (1, 2, 5, 20, 100)
TIMES = 50


def problem(random: np.random.Generator, kind: str) -> tuple[np.ndarray, np.ndarray]:
    """Draw inputs with labels: real ones, signs, or signs that a slope separates."""
    x = random.normal(size=EXAMPLES)
    y = random.normal() * x + 0.3 * random.normal(size=EXAMPLES)
    if kind == "real":
        return x, y
    y = np.sign(x) * random.choice([-1.0, 1.0])
    if kind == "mixed":
        y[: EXAMPLES // 4] *= -1
    return x, y


CASES = {
    "squared": ("squared", "real"),
    "Huber": ("huber", "real"),
    "logistic": ("logistic", "mixed"),
    "logistic, separable": ("logistic", "separable"),
    "exponential": ("exponential", "mixed"),
    "exponential, separable": ("exponential", "separable"),
    "Cauchy (not convex)": (Cauchy(), "real"),
}


def derivative_of(loss: str | Cauchy) -> Callable:
    """Return the derivative that is written apart from the package."""
    return DERIVATIVES[loss] if isinstance(loss, str) else loss.derivative


def accuracy(networks: int) -> None:
    """Print the worst errors over random networks of every width."""
    print(f"{'':24}worst error of v        of K       of ζ   ({networks} networks each)")
    for name, (loss, kind) in CASES.items():
        worst = np.zeros(3)
        for seed in range(networks):
            random = np.random.default_rng(seed)
            width = WIDTHS[seed % len(WIDTHS)]
            scales = 10 ** random.uniform(-1.5, 0.3, 2) / width**0.25
            eta_u, eta_w = np.exp(random.normal(size=2) / 2)
            network = fl.Network(width, 1.0, *scales, eta_u, eta_w)
            u, w = network.sample_weights(seed=random)
            x, y = problem(random, kind)
            t = np.linspace(0.0, 20.0, TIMES)
            run = simulation.gradient_flow(
                network, (x, y), u, w, t, derivative=derivative_of(loss), rtol=1e-11, atol=1e-13
            )
            now = fl.LossFlow(network, loss, x, y, fl.Gram.from_weights(u, w)).at(t)
            errors = (
                np.abs(now.slope - run.slope) / np.abs(run.slope).max(),
                np.abs(now.kernel / run.kernel - 1),
                np.abs(now.alignment - run.alignment),
            )
            worst = np.maximum(worst, [error.max() for error in errors])
        print(f"{name:24}" + "".join(f"{error:15.1e}" for error in worst))


def seconds(call: Callable[[], object]) -> float:
    """Return how long one call takes."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def cost(width: int, rounds: int) -> None:
    """Print the times of both ways from the same raw weights, at the tolerances of accuracy()."""
    network = fl.Network(width, 1 / width, eta_u=width, eta_w=width)
    u, w = network.sample_weights(seed=0)
    x, y = problem(np.random.default_rng(0), "mixed")
    t = np.linspace(0.0, 20.0, TIMES)

    def scalar() -> object:
        return fl.LossFlow(network, "logistic", x, y, fl.Gram.from_weights(u, w)).slope(t)

    def weights(rtol: float = 1e-11, atol: float = 1e-13) -> object:
        return simulation.gradient_flow(
            network,
            (x, y),
            u,
            w,
            t,
            derivative=DERIVATIVES["logistic"],
            rtol=rtol,
            atol=atol,
        )

    times = np.array([(seconds(scalar), seconds(weights)) for _ in range(rounds)])
    best = times.min(axis=0)
    print(f"\nlogistic loss, width {width}, {TIMES} times, from raw weights:")
    print(f"  one equation for the slope  {1e3 * best[0]:9.2f} ms")
    print(f"  all weights                 {1e3 * best[1]:9.2f} ms")
    print(f"  ratio                       {best[1] / best[0]:9.1f}")


def main() -> None:
    """Measure accuracy and cost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--networks", type=int, default=50, help="random networks for each loss")
    parser.add_argument("--width", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    accuracy(options.networks)
    cost(options.width, options.rounds)


if __name__ == "__main__":
    main()

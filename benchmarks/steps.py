"""The two-number map of gradient descent against real weight updates, over random networks.

Run ``python benchmarks/steps.py`` (two or three minutes on one core), or with ``--networks 500``
for a first look. Widths from 1 to 1000, layers and rates unequal, mK(0) from 10⁻⁴ to 4; the
networks of one width are trained together, every weight by its own gradient. A slope is compared in
units of the largest that its kernel allows, K/(2γη). Descents that diverge or never settle are
counted and not compared: chaos has no digits.
"""

from __future__ import annotations

import argparse
import time

import numpy as np

import flbook as fl

WIDTHS = (1, 2, 3, 10, 30, 100, 300, 1000)
RECORD = (1, 10, 100, 1000, 10_000)
# Weights trained together: they stay in the processor's cache.
TOGETHER = 16_000


def draw(random, width, count):
    """Return networks, tasks, and weights of one width, with mK(0) spread over its range."""
    eta_u, eta_w, gamma, m = np.exp(random.uniform(-2, 2, (4, count)))
    u, w = random.standard_normal((2, count, width)) * np.exp(random.normal(size=(2, count, 1)))
    kernel = gamma**2 * (eta_w * np.sum(u * u, axis=1) + eta_u * np.sum(w * w, axis=1))
    scale = np.sqrt(10 ** random.uniform(-4, np.log10(4), count) / (m * kernel))[:, None]
    turn = random.uniform(-0.95, 0.95, count)
    target = turn / (gamma * m * np.sqrt(eta_u * eta_w))
    network = fl.Network(width, gamma=gamma, eta_u=eta_u, eta_w=eta_w)
    return network, fl.Task(m, m * target, 2 * m * target**2), u * scale, w * scale


def real_steps(network, task, u, w):
    """Train every weight and give slope, kernel, |u|² and |w|² at the steps of `RECORD`."""
    gamma, m, target = network.gamma, task.second_moment, task.target
    eta_u, eta_w = (rate[:, None] for rate in (network.eta_u, network.eta_w))
    for step in range(1, RECORD[-1] + 1):
        push = (gamma * m * (gamma * np.einsum("ij,ij->i", u, w) - target))[:, None]
        u, w = u - eta_u * push * w, w - eta_w * push * u
        if step in RECORD:
            uu, ww = (np.einsum("ij,ij->i", x, x) for x in (u, w))
            kernel = gamma**2 * (eta_w[:, 0] * uu + eta_u[:, 0] * ww)
            yield {
                "slope": gamma * np.einsum("ij,ij->i", u, w),
                "kernel": kernel,
                "uu": uu,
                "ww": ww,
            }


def errors(network, task, u, w):
    """Return fates, and the relative errors of shape (networks,) by step and number."""
    descent = fl.GradientDescent(network, task, fl.Gram.from_weights(u, w))
    fates = fl.descent_fate(descent)
    found = {}
    with np.errstate(over="ignore", invalid="ignore"):
        for step, real in zip(RECORD, real_steps(network, task, u, w), strict=True):
            exact = descent.at(step)
            eta = np.sqrt(network.eta_u * network.eta_w)
            ours = {"slope": exact.slope, "kernel": exact.kernel}
            ours |= {"uu": exact.gram.uu, "ww": exact.gram.ww}
            sizes = ours | {"slope": exact.kernel / (2 * network.gamma * eta)}
            for name, number in ours.items():
                found[step, name] = np.abs(real[name] - number) / sizes[name]
    return np.asarray(fates.fate, dtype=object), fates.settled, found


def main() -> None:
    """Run all widths and print one table by step and one by fate."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--networks", type=int, default=10_000)
    options = parser.parse_args()
    random, began = np.random.default_rng(0), time.monotonic()
    batches = []
    for width in WIDTHS:
        left = options.networks // len(WIDTHS)
        while left:
            count = min(left, max(1, TOGETHER // width))
            left -= count
            batches.append(errors(*draw(random, width, count)))
    fate, settled = (np.concatenate([batch[i] for batch in batches]) for i in (0, 1))
    worst = {key: np.concatenate([batch[2][key] for batch in batches]) for key in batches[0][2]}
    print(f"{fate.size} networks of widths {WIDTHS}, {time.monotonic() - began:.0f} s\n")
    names = list(dict.fromkeys(name for _, name in worst))
    print("| steps | " + " | ".join(names) + " |\n" + "|---" * (len(names) + 1) + "|")
    for step in RECORD:
        numbers = (f"{worst[step, name][settled].max():.1e}" for name in names)
        print(f"| {step} | " + " | ".join(numbers) + " |")
    print("\n| fate | networks | worst | median of the worst |\n|---|---|---|---|")
    for kind in fl.Fate:
        here = fate == kind
        numbers = "– | –"
        if (here & settled).any():
            most = np.max([values[here] for values in worst.values()], axis=0)
            numbers = f"{most.max():.1e} | {np.median(most):.1e}"
        print(f"| {kind.value} | {here.sum()} | {numbers} |")


if __name__ == "__main__":
    main()

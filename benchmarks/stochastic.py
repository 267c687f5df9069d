"""Stochastic descent against real updates of every weight, path by path, from the same batches.

Run ``python benchmarks/stochastic.py`` (a minute or two on one core for 10 000 networks), or with
``--networks 500`` for a first look. The weights are updated in numpy's `longdouble`, which has 64
bits of mantissa on x86, so that the rounding of their thousands of sums does not hide that of the
solver; where `longdouble` is a double, the errors are those of both.

Every network has its own multiplier, rates, layers, batches and noise; groups share width, data,
steps and batch size. Errors are relative; that of D counts where √D > |u||w|/1000, below which sums
over weights do not know it, and is relative to |u|²|w|² elsewhere. (There the rounding of the three
numbers of the start alone would move it by more.) Paths that left the range of doubles are counted,
and must have left it on both sides.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
from tqdm import tqdm

import flbook as fl

GROUP, WIDEST, LONGEST = 100, 1000, 10_000
VISIBLE, HUGE = 1e-3, 1e300


def raw(network, u, w, x, y, batches):
    """Take the steps on weights of extended precision, all networks of a group at once."""
    long = np.longdouble
    gamma, eta_u, eta_w = (long(z)[:, None] for z in (network.gamma, network.eta_u, network.eta_w))
    u, w, x, y = (z.astype(long) for z in (u, w, x, y))
    for index, noise in zip(batches.index, batches.noise.astype(long), strict=True):
        a = x[index]
        f = a * (gamma * np.sum(u * w, axis=1, keepdims=True))
        pull = gamma * np.mean((f - y[index] - noise) * a, axis=1, keepdims=True)
        u, w = u - (eta_u * pull) * w, w - (eta_w * pull) * u
    return u, w


def measure(u, w, network):
    """Return the quantities, the height √D by what of w stands across u."""
    uu, uw, ww = (np.sum(p * q, axis=1) for p, q in ((u, u), (u, w), (w, w)))
    across = w - (uw / uu)[:, None] * u
    return {
        "slope": network.gamma * uw,
        "kernel": network.gamma**2 * (network.eta_w * uu + network.eta_u * ww),
        "uu": uu,
        "ww": ww,
        "imbalance": network.eta_w * uu - network.eta_u * ww,
        "determinant": uu * np.sum(across**2, axis=1),
    }


def group(seed: int) -> tuple[dict[str, np.ndarray], int, int, int]:
    """Draw one group, train it both ways, and return the errors."""
    random = np.random.default_rng([2, seed])
    width = round(np.exp(random.uniform(0, np.log(WIDEST))))
    steps = round(np.exp(random.uniform(np.log(10), np.log(LONGEST))))
    examples = int(random.integers(2, 41))
    size = int(random.integers(1, examples + 1))
    x = random.normal(size=examples)
    y = random.normal() * x + random.choice([0, 0.3]) * random.normal(size=examples)
    gamma, eta_u, eta_w, scale = np.exp(random.normal(size=(4, GROUP)))
    u, w = scale[:, None] * random.normal(size=(2, GROUP, width)) / width**0.25
    # steps that are stable whichever example they see: the largest a² times K
    kernel = gamma**2 * (eta_w * np.sum(u * u, 1) + eta_u * np.sum(w * w, 1))
    signal = 2 * gamma * np.sqrt(eta_u * eta_w) * np.abs(np.sum(x * y) / np.sum(x * x))
    size_of_step = random.uniform(0.01, 0.8, GROUP) / (np.max(x * x) * np.hypot(kernel, signal))
    eta_u, eta_w = eta_u * size_of_step, eta_w * size_of_step
    network = fl.Network(np.full(GROUP, width), gamma=gamma, eta_u=eta_u, eta_w=eta_w)
    run = fl.StochasticDescent(
        network,
        x,
        y,
        fl.Gram.from_weights(u, w),
        batch_size=size,
        label_noise=float(random.choice([0, 0.1, 1])),
        seed=seed,
    )
    state = run.at(steps)
    with np.errstate(all="ignore"):
        true = measure(*raw(network, u, w, x, y, run.batches(0, steps)), network)
    gone = ~(true["kernel"] < HUGE)
    if not np.array_equal(gone, np.isinf(state.kernel)):
        raise AssertionError(f"group {seed}: paths diverge on one side only")
    whole = true["uu"] * true["ww"]
    visible = true["determinant"] > VISIBLE**2 * whole
    errors = {"diverged": gone[gone]}
    for name, wanted in true.items():
        got = getattr(state.gram if name in ("uu", "ww") else state, name)
        error = np.abs(got - wanted)
        if name == "determinant":
            errors["determinant, visible"] = (error / wanted)[visible & ~gone]
            errors["determinant, of |u|²|w|²"] = (error / whole)[~visible & ~gone]
        elif name == "imbalance":
            errors["imbalance, of K/γ²"] = (error * network.gamma**2 / true["kernel"])[~gone]
        else:
            errors[name] = (error / np.abs(wanted))[~gone]
    return {name: value.astype(float) for name, value in errors.items()}, width, steps, size


def main() -> int:
    """Run all groups and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--networks", type=int, default=10_000)
    count = -(-parser.parse_args().networks // GROUP)
    start = time.perf_counter()
    results = [group(seed) for seed in tqdm(range(count), unit="group")]
    took = time.perf_counter() - start
    ranges = [
        f"{min(column)} to {max(column)}" for column in zip(*(r[1:] for r in results), strict=True)
    ]
    widths, steps, sizes = ranges
    print(f"\n{count * GROUP} networks, widths {widths}, {steps} steps, batches of {sizes}")
    print(f"{took:.0f} s\n")
    print("| quantity | networks | median rel. error | worst rel. error |")
    print("|---|---|---|---|")
    for name in results[0][0]:
        every = np.concatenate([r[0][name] for r in results])
        if every.size == 0 or name == "diverged":
            print(f"| {name} | {every.size} | | |")
            continue
        print(f"| {name} | {every.size} | {np.median(every):.1e} | {every.max():.1e} |")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

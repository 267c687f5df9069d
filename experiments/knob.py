"""Does the check-up know how far the boundary is? Turn the knob, and see.

A small MLP, CNN and transformer learn handwritten digits at seven output scales α, f = α·g, with
the learning rates divided by α². The check-up of each run predicts, from that run alone, the α at
which its network stops being rich; the seven runs together say where that really is. Run
``python -m experiments.knob [--quick]``; the answer goes to ``results/knob.json``.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import time
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from sklearn.datasets import load_digits

import flbook as fl
from flbook._measures.knob import RICH_ERROR, UNCERTAINTY

RESULT = Path(__file__).resolve().parent.parent / "results" / "knob.json"
SCALES = tuple(float(a) for a in np.geomspace(0.1, 10_000, 7))
INPUTS = 64
LEARNED = 0.3
"""Training ends at this share of the loss at the start."""
MOST_STEPS = 5_000


class Cnn(eqx.Module):
    """Two convolutions and a linear readout."""

    first: eqx.nn.Conv2d
    second: eqx.nn.Conv2d
    readout: eqx.nn.Linear

    def __init__(self, key: jax.Array) -> None:
        keys = jax.random.split(key, 3)
        self.first = eqx.nn.Conv2d(1, 8, 3, stride=2, padding=1, key=keys[0])
        self.second = eqx.nn.Conv2d(8, 16, 3, stride=2, padding=1, key=keys[1])
        self.readout = eqx.nn.Linear(64, 10, key=keys[2])

    def __call__(self, x: jax.Array) -> jax.Array:
        """Return ten outputs for an image of 64 pixels."""
        hidden = jax.nn.relu(self.first(x.reshape(1, 8, 8)))
        return self.readout(jax.nn.relu(self.second(hidden)).ravel())


class Transformer(eqx.Module):
    """One block of attention over the eight rows of an image."""

    embedding: eqx.nn.Linear
    position: jax.Array
    attention: eqx.nn.MultiheadAttention
    norms: list[eqx.nn.LayerNorm]
    up: eqx.nn.Linear
    down: eqx.nn.Linear
    readout: eqx.nn.Linear

    def __init__(self, key: jax.Array, size: int = 24) -> None:
        keys = jax.random.split(key, 6)
        self.embedding = eqx.nn.Linear(8, size, key=keys[0])
        self.position = 0.5 * jax.random.normal(keys[1], (8, size))
        self.attention = eqx.nn.MultiheadAttention(4, size, key=keys[2])
        self.norms = [eqx.nn.LayerNorm(size) for _ in range(3)]
        self.up = eqx.nn.Linear(size, 2 * size, key=keys[3])
        self.down = eqx.nn.Linear(2 * size, size, key=keys[4])
        self.readout = eqx.nn.Linear(size, 10, key=keys[5])

    def __call__(self, x: jax.Array) -> jax.Array:
        """Return ten outputs for an image of 64 pixels."""
        stream = jax.vmap(self.embedding)(x.reshape(8, 8)) + self.position
        read = jax.vmap(self.norms[0])(stream)
        stream = stream + self.attention(read, read, read)
        read = jax.vmap(self.norms[1])(stream)
        stream = stream + jax.vmap(self.down)(jax.nn.gelu(jax.vmap(self.up)(read)))
        return self.readout(jax.vmap(self.norms[2])(stream).mean(axis=0))


NETWORKS: dict[str, Callable[[jax.Array], eqx.Module]] = {
    "MLP": lambda key: eqx.nn.MLP(64, 10, 64, 2, key=key),
    "CNN": Cnn,
    "transformer": Transformer,
}


def data() -> tuple[jax.Array, jax.Array]:
    """Return images in [−1, 1] and their labels as centred one-hot rows."""
    images, labels = load_digits(return_X_y=True)
    chosen = np.random.default_rng(0).permutation(len(images))[:INPUTS]
    x = jnp.asarray(images[chosen] / 8 - 1, jnp.float64)
    return x, jnp.asarray(np.eye(10)[labels[chosen]] - 0.1, jnp.float64)


@partial(jax.jit, static_argnames=("model", "most"))
def train(model: Callable, params: object, x: jax.Array, y: jax.Array, most: int) -> tuple:
    """Follow gradient flow until the loss is small enough, in steps as long as they may be.

    A step counts only if the loss falls by no less than half of what a straight line would say.
    """

    def loss(w: object) -> jax.Array:
        return jnp.mean(jnp.sum((model(w, x) - y) ** 2, axis=1)) / 2

    slope = jax.value_and_grad(loss)
    start = slope(params)

    def step(carry: tuple) -> tuple:
        w, value, gradient, eta, count = carry
        new = jax.tree.map(lambda a, g: a - eta * g, w, gradient)
        new_value, new_gradient = slope(new)
        squared = sum(jnp.sum(g**2) for g in jax.tree.leaves(gradient))
        good = new_value <= value - 0.5 * eta * squared
        keep = partial(jax.tree.map, lambda a, b: jnp.where(good, a, b))
        return (
            keep(new, w),
            jnp.where(good, new_value, value),
            keep(new_gradient, gradient),
            eta * jnp.where(good, 1.2, 0.5),
            count + 1,
        )

    size = sum(jnp.sum(g**2) for g in jax.tree.leaves(start[1]))
    first = (params, *start, 0.01 * start[0] / size, 0)
    end = jax.lax.while_loop(lambda c: (c[1] > LEARNED * start[0]) & (c[4] < most), step, first)
    return end[0], end[1] / start[0], end[4]


def run(network: str, scale: float, centred: bool, seed: int, most: int = MOST_STEPS) -> dict:
    """Train one network at one output scale, and check it up."""
    x, y = data()
    params, static = eqx.partition(NETWORKS[network](jax.random.key(seed)), eqx.is_array)

    def plain(w: object, some: jax.Array) -> jax.Array:
        return jax.vmap(eqx.combine(w, static))(some)

    def model(w: object, some: jax.Array) -> jax.Array:
        return scale * (plain(w, some) - (plain(params, some) if centred else 0.0))

    began = time.perf_counter()
    after, left, steps = jax.block_until_ready(train(model, params, x, y, most))
    trained = time.perf_counter() - began
    result = fl.checkup(params, after, x, y, f=model, outputs=1)
    row = {
        "network": network,
        "centred": centred,
        "seed": seed,
        "scale": scale,
        "steps": int(steps),
        "loss_left": float(left),
        "linearisation_error": result.linearisation_error,
        "kernel_change": result.kernel_change,
        "kernel_rotation": result.kernel_rotation,
        "kernel_growth": result.kernel_growth,
        "verdict": result.verdict,
        "mechanism": result.mechanism,
        "output_change": result.output_change if not centred else None,
        "predicted": scale * (result.distance or math.inf),
        "seconds": [round(trained, 2), round(time.perf_counter() - began - trained, 2)],
    }
    return row | {"predicted": row["predicted"] if math.isfinite(row["predicted"]) else None}


def crossing(rows: list[dict]) -> float | None:
    """Return the largest scale at which the error crosses the boundary, between two runs."""
    points = sorted((row["scale"], row["linearisation_error"]) for row in rows)
    for (a, rich), (b, lazy) in reversed(list(pairwise(points))):
        if rich > RICH_ERROR >= lazy:
            share = math.log(rich / RICH_ERROR) / math.log(rich / lazy)
            return a * (b / a) ** share
    return None


def judge(rows: list[dict]) -> list[dict]:
    """Add to each run the boundary that was found, and return a line for each network."""
    lines = []
    for key in dict.fromkeys((row["network"], row["centred"]) for row in rows):
        mine = [row for row in rows if (row["network"], row["centred"]) == key]
        found = crossing(mine)
        for row in mine:
            known = found is not None and row["predicted"] is not None
            row["found"] = found
            row["ratio"] = row["predicted"] / found if known else None
        ratios = [row["ratio"] for row in mine if row["ratio"] is not None]
        lines.append(
            {
                "network": key[0],
                "centred": key[1],
                "found": found,
                "worst": max((max(r, 1 / r) for r in ratios), default=None),
                "within": sum(max(r, 1 / r) <= UNCERTAINTY for r in ratios),
                "predicted": len(ratios),
                "cannot_say": sum(row["predicted"] is None for row in mine),
            }
        )
    return lines


def main() -> int:
    """Run all, or a small part; print the lines and store everything."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", default=os.environ.get("QUICK") == "1")
    quick = parser.parse_args().quick
    jax.config.update("jax_enable_x64", True)
    began = time.perf_counter()
    rows = []
    kinds = [("MLP", True)] if quick else [*((name, True) for name in NETWORKS), ("MLP", False)]
    for network, centred in kinds:
        for scale in SCALES[::2] if quick else SCALES:
            rows.append(run(network, scale, centred, seed=0))
            print(f"{network:<12}{scale:10.3g}{rows[-1]['linearisation_error']:10.4f}", flush=True)
    lines = judge(rows)
    print(*lines, sep="\n")
    result = {
        "experiment": "knob",
        "question": "does one check-up predict at which output scale a network stops being rich",
        "configuration": {
            "scales": SCALES,
            "inputs": INPUTS,
            "loss_left": LEARNED,
            "most_steps": MOST_STEPS,
            "boundary": RICH_ERROR,
            "stated_factor": UNCERTAINTY,
            "seeds": [0],
            "precision": "float64",
            "quick": quick,
        },
        "versions": {
            "python": platform.python_version(),
            "flbook": fl.__version__,
            **{p.__name__: p.__version__ for p in (jax, eqx, np)},
        },
        "seconds": round(time.perf_counter() - began, 1),
        "summary": lines,
        "rows": rows,
    }
    if not quick:
        RESULT.parent.mkdir(exist_ok=True)
        RESULT.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

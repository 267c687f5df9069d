"""Does the check-up know how far the boundary is? Turn the knob, and see.

A small MLP, CNN and transformer learn handwritten digits at seven output scales α, f = α·g, with
the learning rates divided by α². The check-up of each run predicts, from that run alone, the α at
which its network stops being rich; the seven runs together say where that really is. A centred run
trains f − f₀; the MLP is also tried as it is. All is computed in double precision.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp

import flbook as fl
from experiments._knob import LEARNED, SCALES, SEEDS, digits, told
from flbook import sweeps

GRID = sweeps.Grid(
    network=["MLP", "CNN", "transformer"], centred=True, scale=SCALES, seed=SEEDS
) + sweeps.Grid(network="MLP", centred=False, scale=SCALES, seed=0)
QUICK = sweeps.Grid(network="MLP", centred=True, scale=SCALES[::2], seed=0)
TOLERANCE = 0.01  # a step counts or not by a rounding

INPUTS = 64
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
    """Return the images and labels that are learned, in double precision."""
    x, y = digits(INPUTS)
    return jnp.asarray(x, jnp.float64), jnp.asarray(y, jnp.float64)


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


def point(network: str, centred: bool, scale: float, seed: int) -> dict[str, Any]:
    """Train one network at one output scale, and check it up."""
    with jax.enable_x64(True):
        x, y = data()
        params, static = eqx.partition(NETWORKS[network](jax.random.key(seed)), eqx.is_array)

        def plain(w: object, some: jax.Array) -> jax.Array:
            return jax.vmap(eqx.combine(w, static))(some)

        def model(w: object, some: jax.Array) -> jax.Array:
            return scale * (plain(w, some) - (plain(params, some) if centred else 0.0))

        after, left, steps = train(model, params, x, y, MOST_STEPS)
        result = fl.checkup(params, after, x, y, f=model, outputs=1)
    row = told(scale, int(steps), float(left), result)
    return row | {"output_change": None if centred else result.output_change}


if __name__ == "__main__":
    sweeps.main(point, GRID, QUICK)

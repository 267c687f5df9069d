"""The steps of gradient descent, compiled."""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial
from itertools import pairwise
from typing import Any

import jax
import jax.numpy as jnp
import optax
from numpy.typing import ArrayLike

from flbook._support.arrays import Progress
from flbook._support.checks import instance, one_of
from flbook.networks.losses import LOSSES, labels
from flbook.networks.mlp import MLP, Params, examples, forward, precision

__all__ = ["Problem"]

# How many seconds compiled code may run before Python hears of an interrupt and reports progress.
PATIENCE = 0.2


class Problem:
    """A network with data that were checked, in the dtype of the weights."""

    def __init__(
        self, network: MLP, params: Params, x: ArrayLike, y: ArrayLike, loss: str, centred: bool
    ) -> None:
        instance("network", network, MLP)
        network.check(params)
        one_of("loss", loss, LOSSES)
        inputs = examples(network, x)
        self.count, outputs = len(inputs), network.sizes[-1]
        wanted = labels(loss, y, self.count, outputs)
        self.dtype = params[0].dtype
        with precision(self.dtype):
            self.x = jnp.asarray(inputs, self.dtype)
            self.y = jnp.asarray(wanted, self.dtype if loss == "mse" else int)
            offset = network(params, self.x) if centred else jnp.zeros((self.count, outputs))
            self.offset = jnp.asarray(offset, self.dtype)
            self.gamma = jnp.asarray(network.gamma, self.dtype)
        self.network, self.names = network, (network.activation, loss)

    def loss(self, params: Params) -> float:
        """Return the loss over all examples."""
        return float(_loss(params, self.x, self.y, self.offset, self.gamma, self.names))

    def descend(
        self,
        params: Params,
        stops: list[int],
        pace: tuple[float, float],
        batch_size: int | None,
        key: jax.Array,
        progress: Progress | None,
    ) -> Iterator[Params]:
        """Yield the weights at every stop, the first of which is the start."""
        etas = self.network.etas
        rate, momentum = pace
        rates = tuple(jnp.asarray(rate * eta, self.dtype) for eta in etas)
        order = jnp.arange(self.count)
        memory = _optimiser(rates, momentum).init(params)
        chunk, done = 1.0, stops[0]
        yield params
        for start, end in pairwise(stops):
            done = start
            while done < end:
                now = min(end, done + int(chunk))
                began = time.perf_counter()
                params, order, memory = jax.block_until_ready(
                    _advance(
                        (params, order, memory),
                        (done, now),
                        (self.x, self.y, self.offset),
                        (self.gamma, rates, key),
                        names=self.names,
                        batch_size=batch_size,
                        momentum=momentum,
                    )
                )
                took = time.perf_counter() - began
                if now - done >= int(chunk):
                    chunk = max(1.0, chunk * min(16.0, PATIENCE / max(took, 1e-9)))
                done = now
                if progress is not None:
                    progress(done, stops[-1])
            yield params


@partial(jax.jit, static_argnums=5)
def _loss(
    params: Params,
    x: jax.Array,
    y: jax.Array,
    offset: jax.Array,
    gamma: jax.Array,
    names: tuple[str, str],
) -> jax.Array:
    activation, loss = names
    return LOSSES[loss](gamma * forward(activation, params, x)[1] - offset, y)


def _optimiser(
    rates: tuple[jax.Array, ...], momentum: float
) -> optax.GradientTransformationExtraArgs:
    """Return gradient descent with a rate for each layer."""
    layers = tuple(map(str, range(len(rates))))
    each = [optax.sgd(rate, momentum=momentum or None) for rate in rates]
    return optax.partition(dict(zip(layers, each, strict=True)), layers)


@partial(jax.jit, static_argnames=("names", "batch_size", "momentum"))
def _advance(
    state: tuple[Params, jax.Array, Any],
    between: tuple[int, int],
    data: tuple[jax.Array, jax.Array, jax.Array],
    settings: tuple[jax.Array, tuple[jax.Array, ...], jax.Array],
    *,
    names: tuple[str, str],
    batch_size: int | None,
    momentum: float,
) -> tuple[Params, jax.Array, Any]:
    """Take the steps from one count up to another; order and momentum go along.

    The counts are no constants of the compiled code, so one compilation serves every stretch, and
    the rates are none, so it serves every point of a grid.
    """
    gamma, rates, key = settings
    optimiser = _optimiser(rates, momentum)
    slope = jax.grad(_loss)
    count = len(data[0])

    def step(now: jax.Array, carried: tuple[Params, jax.Array, Any]) -> tuple[Any, jax.Array, Any]:
        params, order, memory = carried
        batch = data
        if batch_size is not None:
            epoch, place = jnp.divmod(now, count // batch_size)
            order = jax.lax.cond(
                place == 0,
                lambda: jax.random.permutation(jax.random.fold_in(key, epoch), count),
                lambda: order,
            )
            rows = jax.lax.dynamic_slice_in_dim(order, place * batch_size, batch_size)
            batch = tuple(part[rows] for part in data)
        updates, memory = optimiser.update(slope(params, *batch, gamma, names), memory)
        return optax.apply_updates(params, updates), order, memory

    return jax.lax.fori_loop(*between, step, state)

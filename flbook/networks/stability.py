"""How large a step may be."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import ArrayLike

from flbook._support.checks import instance
from flbook.networks.mlp import MLP, Params, examples, precision

__all__ = ["largest_stable_rate"]

ROUNDS, ENOUGH = 500, 1e-6


def largest_stable_rate(network: MLP, params: Params, x: ArrayLike) -> float:
    """Return 2/λ, the `learning_rate` from which on full-batch steps on the MSE grow.

    λ is the largest eigenvalue of the kernel Σ_l η_l J_l J_lᵀ/n on the n examples, at these weights
    and in all outputs: near a minimum, and along all of a lazy training, a step of `train`
    multiplies the residual by 1 − learning_rate · λ in this direction. Power iteration finds it,
    with one product with J and one with Jᵀ a round; no kernel is stored.

    Parameters
    ----------
    network : MLP
        Gives the function and the rates η_l.
    params : Params
        Where to ask.
    x : array_like, shape (n, inputs)
        Examples.

    Raises
    ------
    TypeError, ValueError
        If an argument is not of its kind, shapes do not fit, or the kernel is 0 or not finite.

    Examples
    --------
    >>> import numpy as np
    >>> from flbook.networks import MLP, largest_stable_rate
    >>> w, u = np.array([[0.0], [1.0]]), np.array([[1.0, 0.0]])
    >>> largest_stable_rate(MLP((1, 2, 1), "linear"), (w, u), [[1.0]])  # the kernel is |w|² + |u|²
    1.0
    """
    instance("network", network, MLP)
    network.check(params)
    inputs = examples(network, x)
    with precision(params[0].dtype):
        weights = tuple(jnp.asarray(matrix) for matrix in params)
        value = float(_top(network, weights, jnp.asarray(inputs, params[0].dtype)))
    if not 0 < value < np.inf:
        raise ValueError(
            f"params must have a kernel with a finite largest eigenvalue above 0, got {value:g}"
        )
    return 2 / value


def _top(network: MLP, params: Params, x: jax.Array) -> jax.Array:
    def outputs(weights: Params) -> jax.Array:
        return network(weights, x)

    values, pull = jax.vjp(outputs, params)

    def kernel(vector: jax.Array) -> jax.Array:
        (slopes,) = pull(vector)
        scaled = tuple(eta * slope for eta, slope in zip(network.etas, slopes, strict=True))
        return jax.jvp(outputs, (params,), (scaled,))[1] / len(x)

    def going(state: tuple[Any, ...]) -> jax.Array:
        _, value, last, count = state
        return (count < ROUNDS) & (jnp.abs(value - last) > ENOUGH * value)

    def turn(state: tuple[Any, ...]) -> tuple[Any, ...]:
        vector, value, _, count = state
        image = kernel(vector)
        size = jnp.linalg.norm(image)
        return image / jnp.where(size > 0, size, 1), size, value, count + 1

    start = jax.random.normal(jax.random.key(0), values.shape, values.dtype)
    zero = jnp.zeros((), values.dtype)
    first = (start / jnp.linalg.norm(start), zero + 1, zero - 1, 0)
    return jax.lax.while_loop(going, turn, first)[1]

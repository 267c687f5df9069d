"""The losses, each the mean over the examples, and the labels that they take."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import jax
import jax.numpy as jnp
import numpy as np
import optax
from numpy.typing import ArrayLike

from flbook._support.checks import one_of, real, whole

__all__ = ["LOSSES", "accuracy", "labels"]


def _mse(outputs: jax.Array, y: jax.Array) -> jax.Array:
    return jnp.mean(jnp.sum((outputs - y) ** 2, axis=-1)) / 2


def _cross_entropy(outputs: jax.Array, y: jax.Array) -> jax.Array:
    if outputs.shape[-1] == 1:
        return jnp.mean(optax.sigmoid_binary_cross_entropy(outputs[:, 0], y))
    return jnp.mean(optax.softmax_cross_entropy_with_integer_labels(outputs, y))


LOSSES: Mapping[str, Callable[[jax.Array, jax.Array], jax.Array]] = MappingProxyType(
    {"mse": _mse, "cross_entropy": _cross_entropy}
)
"""The losses of outputs (n, k) by name: "mse" is ½ mean |f − y|² with y of shape (n, k), and
"cross_entropy" takes classes 0 … k − 1, or 0 and 1 where one output is the logit of class 1."""


def labels(loss: str, y: ArrayLike, count: int, outputs: int) -> np.ndarray:
    """Return the labels of `count` examples in the form that the loss takes them.

    Examples
    --------
    >>> labels("mse", [1.0, 2.0], 2, 1).shape
    (2, 1)
    >>> labels("cross_entropy", [0, 3], 2, 3)
    Traceback (most recent call last):
        ...
    ValueError: y must be made of classes from 0 to 2 for a network with 3 outputs, got 3
    """
    one_of("loss", loss, LOSSES)
    if loss == "mse":
        wanted = np.asarray(real("y", y))
        shapes = [(count, outputs)] + [(count,)] * (outputs == 1)
        if wanted.shape not in shapes:
            listed = " or ".join(map(str, shapes))
            raise ValueError(f"y must have shape {listed} for this loss, got {wanted.shape}")
        return wanted.reshape(count, outputs)
    classes = np.asarray(whole("y", y, at_least=0))
    if classes.shape != (count,):
        raise ValueError(
            f"y must have shape {(count,)}, a class for each row of x, got {classes.shape}"
        )
    last = max(outputs, 2) - 1
    if classes.max() > last:
        noun = "output" if outputs == 1 else "outputs"
        raise ValueError(
            f"y must be made of classes from 0 to {last} for a network with {outputs} {noun}, "
            f"got {classes.max()}"
        )
    return classes


def accuracy(outputs: ArrayLike, y: ArrayLike) -> float:
    """Return the share of examples whose class the outputs (n, k) name.

    One output names class 1 where it is above 0, several the class of the largest.

    Examples
    --------
    >>> accuracy([[2.0], [-1.0], [3.0], [-0.5]], [1, 0, 0, 0])
    0.75
    """
    scores = np.asarray(outputs)
    if scores.ndim != 2 or np.shape(y) != scores.shape[:1]:
        raise ValueError(
            f"outputs must have shape (n, k) and y (n,), got {scores.shape} and {np.shape(y)}"
        )
    chosen = scores[:, 0] > 0 if scores.shape[1] == 1 else scores.argmax(axis=1)
    return float(np.mean(chosen == np.asarray(y)))

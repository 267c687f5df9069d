"""The activations, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import jax
import jax.numpy as jnp

__all__ = ["ACTIVATIONS"]

ACTIVATIONS: Mapping[str, Callable[[jax.Array], jax.Array]] = MappingProxyType(
    {
        "linear": lambda h: h,
        "relu": jax.nn.relu,
        "leaky_relu": jax.nn.leaky_relu,
        "sigmoid": jax.nn.sigmoid,
        "swish": jax.nn.swish,
        "tanh": jnp.tanh,
    }
)
"""The activations by name; the leaky ReLU has slope 0.01 on the left, swish is h · sigmoid(h)."""

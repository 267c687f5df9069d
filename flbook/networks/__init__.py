"""Fully connected networks of any depth, trained by gradient descent, on JAX.

The solvable model with one input and one output is the case ``MLP((1, width, 1), "linear")``; here
it trains beside networks that nobody can solve. The weights are a tuple of matrices, so a network
is a function of ``(params, x)`` like any other in JAX.
"""

from __future__ import annotations

try:
    import jax  # noqa: F401
    import optax  # noqa: F401
except ModuleNotFoundError as missing:
    raise ModuleNotFoundError(
        f"flbook.networks needs {missing.name}: pip install 'flbook[jax]' brings it",
        name=missing.name,
    ) from missing

from flbook.networks.activations import ACTIVATIONS
from flbook.networks.losses import LOSSES, accuracy
from flbook.networks.mlp import MLP, PARAMETRISATIONS, Params
from flbook.networks.stability import largest_stable_rate
from flbook.networks.starts import aligned_start, antisymmetric_start
from flbook.networks.training import Training, train

__all__ = [
    "ACTIVATIONS",
    "LOSSES",
    "MLP",
    "PARAMETRISATIONS",
    "Params",
    "Training",
    "accuracy",
    "aligned_start",
    "antisymmetric_start",
    "largest_stable_rate",
    "train",
]

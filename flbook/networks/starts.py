"""Starts that are prescribed and not just drawn."""

from __future__ import annotations

from typing import Any

import numpy as np

from flbook._support.arrays import Seed
from flbook._support.checks import one_real
from flbook.networks.mlp import MLP, Params, as_params

__all__ = ["aligned_start", "antisymmetric_start"]


def aligned_start(
    network: MLP, alignment: float, seed: Seed = None, dtype: Any = np.float32
) -> Params:
    """Draw weights whose layers u and w have the cosine `alignment`, from −1 to 1.

    The network has one input, one hidden layer and one output. w and the length of u are those of
    a random start, and u is turned: the part across w keeps its random direction. A small start
    with little alignment has to align; a large one that is well aligned, to disalign.

    Examples
    --------
    >>> from flbook.networks import MLP, aligned_start
    >>> w, u = aligned_start(MLP((1, 50, 1), "linear"), 0.6, seed=0)
    >>> cosine = (u[0] @ w[:, 0]) / ((u[0] @ u[0]) * (w[:, 0] @ w[:, 0])) ** 0.5
    >>> print(round(float(cosine), 5))
    0.6
    """
    sizes = network.sizes
    if len(sizes) != 3 or sizes[0] != 1 or sizes[-1] != 1:
        raise ValueError(f"network must have sizes (1, width, 1) to be aligned, got {sizes}")
    zeta = one_real("alignment", alignment)
    if abs(zeta) > 1:
        raise ValueError(f"alignment must be from -1 to 1, got {zeta}")
    if sizes[1] == 1 and abs(zeta) < 1:
        raise ValueError(f"alignment must be 1 or -1 for a single neuron, got {zeta}")
    random = np.random.default_rng(seed)
    sigma_w, sigma_u = network.sigmas
    w, drawn = random.standard_normal((2, sizes[1]))
    along = w / np.linalg.norm(w)
    across = drawn - (drawn @ along) * along
    across -= (across @ along) * along
    across /= np.linalg.norm(across) if sizes[1] > 1 else 1.0
    u = np.linalg.norm(drawn) * (zeta * along + np.sqrt(1 - zeta**2) * across)
    return as_params([sigma_w * w[:, None], sigma_u * u[None, :]], dtype)


def antisymmetric_start(network: MLP, seed: Seed = None, dtype: Any = np.float32) -> Params:
    """Draw weights of a two-layer network in pairs of neurons whose outputs cancel: f₀ = 0.

    They cancel up to rounding. Both neurons of a pair have the same w, and u of opposite sign
    (Zhang, Xu, Luo & Ma 2020). The width is even; deeper networks start at 0 by
    ``train(..., centred=True)``.

    Examples
    --------
    >>> from flbook.networks import MLP, antisymmetric_start
    >>> network = MLP((3, 10, 1))
    >>> outputs = network(antisymmetric_start(network, seed=0), [[1.0, 2.0, 3.0]])
    >>> print(bool(abs(outputs).max() < 1e-6))
    True
    """
    if network.depth != 2 or network.sizes[1] % 2:
        raise ValueError(
            f"network must have one hidden layer of even width to be antisymmetric, got sizes "
            f"{network.sizes}; train(..., centred=True) takes any"
        )
    inputs, width, outputs = network.sizes
    random = np.random.default_rng(seed)
    sigma_w, sigma_u = network.sigmas
    w = sigma_w * random.standard_normal((width // 2, inputs))
    u = sigma_u * random.standard_normal((outputs, width // 2))
    pairs = np.stack([u, -u], axis=-1).reshape(outputs, width)
    return as_params([np.repeat(w, 2, axis=0), pairs], dtype)

"""The network: depth, widths, activation, output multiplier, initial scales and rates."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from itertools import pairwise
from types import MappingProxyType
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import ArrayLike

from flbook._support.arrays import Seed
from flbook._support.checks import one_of, one_real, one_whole, refuse_where
from flbook.networks.activations import ACTIVATIONS

__all__ = ["MLP", "PARAMETRISATIONS", "Params", "as_params", "examples", "forward", "precision"]

Params = tuple[jax.Array, ...]
"""The weight matrices, from the input to the output, each of shape (out, in)."""


def precision(dtype: Any) -> AbstractContextManager[Any]:
    """Return the context in which JAX computes in a dtype; what the user set stays as it is."""
    return jax.enable_x64(True) if np.dtype(dtype) == np.float64 else nullcontext()


def forward(activation: str, params: Params, x: jax.Array) -> tuple[list[jax.Array], jax.Array]:
    """Return the hidden features, layer by layer, and the output before its multiplier."""
    hidden = []
    for matrix in params[:-1]:
        x = ACTIVATIONS[activation](x @ matrix.T)
        hidden.append(x)
    return hidden, x @ params[-1].T


@dataclass(frozen=True)
class MLP:
    """The fully connected network f(x) = γ W_L φ(W_{L−1} … φ(W_1 x)), without biases.

    Every entry of W_l starts as an independent N(0, σ_l²) and learns at the rate η_l, times the
    common rate that `train` is given. With one input, one output and a linear activation this is
    the solvable model: (W_1, W_2) = (w, u), sigmas = (σ_w, σ_u), etas = (η_w, η_u).

    Parameters
    ----------
    sizes : sequence of int
        Number of inputs, widths of the hidden layers, number of outputs; any depth.
    activation : str, default "relu"
        φ: a name in `ACTIVATIONS`.
    gamma : float, default 1
        γ, the output multiplier, greater than 0.
    sigmas : sequence of float, default 1/√(fan in) for every layer
        σ_l, one standard deviation for each layer, at least 0.
    etas : sequence of float, default 1 for every layer
        η_l, one rate for each layer, at least 0; 0 freezes a layer.

    Raises
    ------
    TypeError, ValueError
        If a parameter is not of its kind or range.

    Notes
    -----
    A network is a function of ``(params, x)``, for inputs of shape (..., sizes[0]), that `jax.jit`,
    `jax.grad` and `jax.vmap` take. It computes in the dtype of the weights: in double precision
    where these are float64, whatever JAX is set to.

    Examples
    --------
    >>> from flbook.networks import MLP
    >>> network = MLP((3, 100, 100, 2), "tanh")
    >>> params = network.init(seed=0)
    >>> [matrix.shape for matrix in params]
    [(100, 3), (100, 100), (2, 100)]
    >>> network(params, [[1.0, 0.0, 0.0]]).shape
    (1, 2)
    """

    sizes: tuple[int, ...]
    activation: str = "relu"
    gamma: float = 1.0
    sigmas: tuple[float, ...] = ()
    etas: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        sizes = tuple(one_whole("sizes", size) for size in _sequence("sizes", self.sizes))
        if len(sizes) < 2:
            raise ValueError(f"sizes must name the inputs and the outputs at least, got {sizes}")
        one_of("activation", self.activation, ACTIVATIONS)
        usual = tuple(fan_in**-0.5 for fan_in in sizes[:-1])
        set_ = object.__setattr__
        set_(self, "sizes", sizes)
        set_(self, "gamma", one_real("gamma", self.gamma, above=0))
        set_(self, "sigmas", _one_each("sigmas", self.sigmas, usual))
        set_(self, "etas", _one_each("etas", self.etas, (1.0,) * len(usual)))

    @classmethod
    def parametrised(
        cls, name: str, sizes: tuple[int, ...], activation: str = "relu", *, gain: float = 1.0
    ) -> MLP:
        """Return a network in a named parametrisation, one of `PARAMETRISATIONS`.

        With n the fan in of a layer and N the width of the last hidden layer, in hidden layers
        (the first included) and in the last one:

            standard     σ = 1/√n,  η = 1;              σ = 1/√N,  η = 1;    γ = 1
            ntk          σ = 1/√n,  η = 1/n;            σ = 1,     η = 1;    γ = 1/√N
            mean_field   σ = 1/√n,  η = N/n;            σ = 1,     η = N;    γ = 1/N
            mup          σ = 1/√n,  η = N/n;            σ = 1/N,   η = 1/N;  γ = 1

        For one input and one hidden layer these are the entries of `flbook.SCALINGS`. `mup` is
        `mean_field` with the multiplier moved into the last layer, and trains alike. Every σ is
        multiplied by `gain` (√2 is usual for ReLU).

        Examples
        --------
        >>> from flbook.networks import MLP
        >>> network = MLP.parametrised("mup", (1, 100, 1), "linear")
        >>> network.sigmas, network.etas
        ((1.0, 0.01), (100.0, 0.01))
        """
        one_of("name", name, PARAMETRISATIONS)
        plain = cls(sizes, activation)
        fans = plain.sizes[:-1]
        gamma, sigmas, etas = PARAMETRISATIONS[name](fans)
        network = replace(plain, gamma=gamma, sigmas=sigmas, etas=etas)
        return network.with_initial_scale(gain)

    @property
    def depth(self) -> int:
        """The number of weight matrices."""
        return len(self.sizes) - 1

    def with_initial_scale(self, scale: float) -> MLP:
        """Return the network whose weights start `scale` times as large."""
        scale = one_real("scale", scale, above=0)
        return replace(self, sigmas=tuple(scale * sigma for sigma in self.sigmas))

    def with_output_scale(self, alpha: float) -> MLP:
        """Return the network with γ times `alpha` and rates over α²: lazier the larger α is.

        The rates keep the speed at which the output moves, as in Chizat, Oyallon & Bach (2019).
        """
        alpha = one_real("alpha", alpha, above=0)
        etas = tuple(eta / alpha**2 for eta in self.etas)
        return replace(self, gamma=self.gamma * alpha, etas=etas)

    def init(self, seed: Seed = None, dtype: Any = np.float32) -> Params:
        """Draw the weights; `seed` as for `numpy.random.default_rng`, float32 or float64."""
        random = np.random.default_rng(seed)
        draws = zip(pairwise(self.sizes), self.sigmas, strict=True)
        return as_params(
            [sigma * random.standard_normal((out, into)) for (into, out), sigma in draws], dtype
        )

    def __call__(self, params: Params, x: Any) -> jax.Array:
        """Return f(x), of shape (..., sizes[-1])."""
        return self._forward(params, x)[1]

    def features(self, params: Params, x: Any) -> list[jax.Array]:
        """Return what enters the second and every later layer, each of shape (..., width)."""
        return self._forward(params, x)[0]

    def _forward(self, params: Params, x: Any) -> tuple[list[jax.Array], jax.Array]:
        self.check(params)
        if np.ndim(x) == 0 or np.shape(x)[-1] != self.sizes[0]:
            raise ValueError(f"x must have shape (..., {self.sizes[0]}), got {np.shape(x)}")
        dtype = params[0].dtype
        with precision(dtype):
            hidden, last = forward(self.activation, params, jnp.asarray(x, dtype))
            return hidden, jnp.asarray(self.gamma, dtype) * last

    def check(self, params: Params) -> None:
        """Raise ValueError unless the weights have the shapes of this network and one dtype."""
        shapes = [(out, into) for into, out in pairwise(self.sizes)]
        got = [np.shape(matrix) for matrix in params]
        if got != shapes:
            raise ValueError(f"params must have shapes {shapes}, got {got}")
        kinds = sorted({str(matrix.dtype) for matrix in params})
        if len(kinds) > 1:
            raise ValueError(f"params must have one dtype, got {' and '.join(kinds)}")


def examples(network: MLP, x: ArrayLike) -> np.ndarray:
    """Return inputs (n, sizes[0]) as the array that they are, or refuse them."""
    inputs = np.asarray(x)
    if inputs.dtype.kind not in "iuf":
        raise TypeError(f"x must be an array of real numbers, got {x!r}")
    if inputs.ndim != 2 or inputs.shape[1] != network.sizes[0] or inputs.size == 0:
        raise ValueError(f"x must have shape (n, {network.sizes[0]}), got {inputs.shape}")
    refuse_where(~np.isfinite(inputs), "x", inputs, "finite")
    return inputs


def as_params(matrices: list[np.ndarray], dtype: Any) -> Params:
    """Return matrices as weights of float32 or float64."""
    if np.dtype(dtype) not in (np.float32, np.float64):
        raise ValueError(f"dtype must be float32 or float64, got {dtype!r}")
    with precision(dtype):
        return tuple(jnp.asarray(matrix, np.dtype(dtype)) for matrix in matrices)


Recipe = Callable[[tuple[int, ...]], tuple[float, tuple[float, ...], tuple[float, ...]]]


def _spread(fans: tuple[int, ...], last: float) -> tuple[float, ...]:
    """Return 1/√(fan in) for every layer but the last."""
    return (*(fan**-0.5 for fan in fans[:-1]), last)


def _rates(fans: tuple[int, ...], factor: float, last: float) -> tuple[float, ...]:
    """Return factor/(fan in) for every layer but the last."""
    return (*(factor / fan for fan in fans[:-1]), last)


PARAMETRISATIONS: Mapping[str, Recipe] = MappingProxyType(
    {
        "standard": lambda n: (1.0, _spread(n, n[-1] ** -0.5), (1.0,) * len(n)),
        "ntk": lambda n: (n[-1] ** -0.5, _spread(n, 1.0), _rates(n, 1.0, 1.0)),
        "mean_field": lambda n: (1 / n[-1], _spread(n, 1.0), _rates(n, n[-1], n[-1])),
        "mup": lambda n: (1.0, _spread(n, 1 / n[-1]), _rates(n, n[-1], 1 / n[-1])),
    }
)
"""The parametrisations that have a name: fans in to (γ, σ, η), as `MLP.parametrised` lists them."""


def _sequence(name: str, value: Any) -> tuple[Any, ...]:
    if isinstance(value, str) or not np.iterable(value):
        raise TypeError(f"{name} must be a sequence of numbers, got {value!r}")
    return tuple(value)


def _one_each(name: str, value: Any, usual: tuple[float, ...]) -> tuple[float, ...]:
    entries = _sequence(name, value)
    if not entries:
        return usual
    given = tuple(one_real(name, entry, at_least=0) for entry in entries)
    if len(given) != len(usual):
        raise ValueError(
            f"{name} must have one entry for each of {len(usual)} layers, got {len(given)}"
        )
    return given

"""The network: its width, its output multiplier, its initial scales and its learning rates."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from flbook._model.gram import Gram
from flbook._support.arrays import FloatArray, Real, Seed, ValueObject, broadcast_shape
from flbook._support.checks import real, whole

__all__ = ["Network"]


@dataclass(frozen=True, eq=False)
class Network(ValueObject):
    """Hyperparameters of f(x) = γ Σᵢ uᵢ (wᵢ·x), uᵢ ~ N(0, σ_u²), wᵢ ~ N(0, σ_w² I).

    Parameters
    ----------
    width : int or array of int
        d, at least 1.
    gamma : float or array, default 1
        γ, the output multiplier, greater than 0 (its sign could be moved into u).
    sigma_u, sigma_w : float or array, default 1
        σ_u, σ_w, the initial standard deviations, at least 0.
    eta_u, eta_w : float or array, default 1
        η_u, η_w, the learning rates of the layers, at least 0; 0 freezes a layer.

    Raises
    ------
    TypeError, ValueError
        If a parameter is not a number of its range, or the shapes do not broadcast.

    Notes
    -----
    The model is that of Xu & Ziyin, arXiv:2401.07085 (2024). Array parameters broadcast by numpy's
    rules; every entry of the common shape is one network.

    Examples
    --------
    >>> from flbook import Network
    >>> network = Network(10**12, gamma=1e-12, eta_u=1e12, eta_w=1e12)
    >>> gram = network.sample_gram(seed=0)
    >>> abs(gram.alignment) < 1e-5
    np.True_
    """

    width: int | NDArray[np.int64]
    gamma: Real = 1.0
    sigma_u: Real = 1.0
    sigma_w: Real = 1.0
    eta_u: Real = 1.0
    eta_w: Real = 1.0

    def __post_init__(self) -> None:
        set_ = object.__setattr__
        set_(self, "width", whole("width", self.width, at_least=1))
        set_(self, "gamma", real("gamma", self.gamma, above=0))
        for name in ("sigma_u", "sigma_w", "eta_u", "eta_w"):
            set_(self, name, real(name, getattr(self, name), at_least=0))
        _ = self.shape

    @cached_property
    def shape(self) -> tuple[int, ...]:
        """The shape that all parameters broadcast to."""
        names = ("width", "gamma", "sigma_u", "sigma_w", "eta_u", "eta_w")
        return broadcast_shape(**{name: np.shape(getattr(self, name)) for name in names})

    def sample_gram(self, size: int | tuple[int, ...] = (), seed: Seed = None) -> Gram:
        """Draw the Gram matrix of the random start by its exact law.

        For Gaussian layers the matrix is Wishart with d degrees of freedom: with independent χ²_d,
        χ²_{d−1} and a standard normal z,

            uu = σ_u² χ²_d,   uw = σ_u σ_w √(χ²_d) z,   ww = σ_w² (z² + χ²_{d−1}),

        so the price is three random numbers a network at any width.

        Parameters
        ----------
        size : int or tuple of int, default ()
            How many independent draws; the answer has shape `size` + `network.shape`.
        seed : int, numpy.random.Generator or None
            As for `numpy.random.default_rng`.

        Examples
        --------
        >>> from flbook import Network
        >>> Network(10**9).sample_gram(size=(2, 3), seed=1).shape
        (2, 3)
        """
        shape = _size(size) + self.shape
        random = np.random.default_rng(seed)
        d = np.asarray(self.width, dtype=np.float64)
        length = 2.0 * random.standard_gamma(d / 2, size=shape)
        across = 2.0 * random.standard_gamma((d - 1) / 2, size=shape)
        overlap = random.standard_normal(size=shape)
        return self._gram(length, overlap, across)

    def typical_gram(self, overlap: ArrayLike = 1.0) -> Gram:
        """Return the Gram matrix whose two chi-squares sit at their means.

        uu = d σ_u², uw = z σ_u σ_w √d, ww = σ_w² (z² + d − 1), where `overlap` is the standard
        normal number z of `sample_gram`, the luck of the draw.

        Examples
        --------
        >>> from flbook import Network
        >>> Network(100).typical_gram()
        Gram(uu=100.0, uw=10.0, ww=100.0)
        """
        z = real("overlap", overlap)
        broadcast_shape(network=self.shape, overlap=np.shape(z))
        d = np.asarray(self.width, dtype=np.float64)
        return self._gram(d, z, d - 1)

    def _gram(self, length: Real, z: Real, across: Real) -> Gram:
        uu = self.sigma_u**2 * length
        uw = self.sigma_u * self.sigma_w * np.sqrt(length) * z
        ww = self.sigma_w**2 * (z * z + across)
        return Gram._trusted(uu, uw, ww)

    def sample_weights(self, seed: Seed = None) -> tuple[FloatArray, FloatArray]:
        """Draw u and w along the line of the inputs, each of shape `network.shape` + (width,).

        All networks must have one width.

        """
        widths = np.unique(self.width)
        if widths.size != 1:
            raise ValueError(f"width must be one number to draw weights, got {widths.size} widths")
        random = np.random.default_rng(seed)
        shape = (*self.shape, int(widths[0]))
        u = np.asarray(self.sigma_u)[..., None] * random.standard_normal(shape)
        w = np.asarray(self.sigma_w)[..., None] * random.standard_normal(shape)
        return u, w


def _size(size: int | tuple[int, ...]) -> tuple[int, ...]:
    entries = size if isinstance(size, tuple) else (size,)
    for entry in entries:
        if isinstance(entry, bool) or not isinstance(entry, (int, np.integer)):
            raise TypeError(f"size must be an int or a tuple of ints, got {size!r}")
        if entry < 0:
            raise ValueError(f"size must be made of ints of at least 0, got {size!r}")
    return tuple(int(entry) for entry in entries)

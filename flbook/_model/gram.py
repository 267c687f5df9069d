"""The Gram matrix of the two layers: three numbers that are enough."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from flbook._support.arrays import FloatArray, Real, ValueObject, broadcast_shape
from flbook._support.checks import real, refuse_where
from flbook._support.compensated import gram_determinant
from flbook._support.numerics import ratio

__all__ = ["Gram"]

# A matrix that misses Cauchy-Schwarz by less than this is taken for a rounded one.
ROUNDING = 1e-12
# Up to this |ζ|, 1 − ζ² keeps its digits.
HARMLESS = 0.5


@dataclass(frozen=True, eq=False)
class Gram(ValueObject):
    """The Gram matrix of (u, w): uu = |u|², uw = u·w, ww = |w|².

    Parameters
    ----------
    uu, uw, ww : float or array
        Any shapes that broadcast; every entry of the common shape is one network.

    Raises
    ------
    TypeError, ValueError
        If an entry is not finite, or the matrix is not positive semidefinite beyond rounding.

    Notes
    -----
    Under gradient flow of the model of Xu & Ziyin (arXiv:2401.07085) this matrix closes on itself.
    Its determinant D = |u|²|w|² − (u·w)² never moves, whatever the learning rates.

    Examples
    --------
    >>> from flbook import Gram
    >>> gram = Gram(uu=4.0, uw=1.0, ww=1.0)
    >>> print(gram.alignment, gram.determinant, gram.norm_product)
    0.5 3.0 2.0
    """

    uu: Real
    uw: Real
    ww: Real

    def __post_init__(self) -> None:
        set_ = object.__setattr__
        set_(self, "uu", real("uu", self.uu, at_least=0))
        set_(self, "uw", real("uw", self.uw))
        set_(self, "ww", real("ww", self.ww, at_least=0))
        shape = self.shape
        most = np.sqrt(self.uu) * np.sqrt(self.ww) * (1 + ROUNDING)
        refuse_where(
            np.broadcast_to(np.abs(self.uw) > most, shape),
            "uw",
            np.broadcast_to(self.uw, shape),
            "at most sqrt(uu * ww) in size, for a positive semidefinite matrix",
        )

    @classmethod
    def _trusted(cls, uu: ArrayLike, uw: ArrayLike, ww: ArrayLike) -> Gram:
        """Wrap numbers that are a Gram matrix by construction; the arrays become read-only."""
        gram = object.__new__(cls)
        for name, value in (("uu", uu), ("uw", uw), ("ww", ww)):
            array = np.asarray(value, dtype=np.float64)
            if array.ndim:
                array.flags.writeable = False
            object.__setattr__(gram, name, array if array.ndim else float(array))
        return gram

    @classmethod
    def from_weights(cls, u: ArrayLike, w: ArrayLike) -> Gram:
        """Take three dot products of layers u, w (..., width), along the line of the inputs.

        Examples
        --------
        >>> from flbook import Gram
        >>> Gram.from_weights([1.0, 2.0], [3.0, 4.0])
        Gram(uu=5.0, uw=11.0, ww=25.0)
        """
        first, second = _weights("u", u), _weights("w", w)
        if first.shape[-1] != second.shape[-1]:
            raise ValueError(f"w must have width {first.shape[-1]} like u, got {second.shape[-1]}")
        if max(first.ndim, second.ndim) > 1:
            broadcast_shape(u=first.shape, w=second.shape)
        with np.errstate(over="ignore", invalid="ignore"):
            uu, uw, ww = _dot(first, first), _dot(first, second), _dot(second, second)
        if not (np.maximum(uu, ww) < np.inf).all():
            _refuse_size(u=(first, uu), w=(second, ww))
        return cls._trusted(uu, uw, ww)

    @cached_property
    def shape(self) -> tuple[int, ...]:
        """The shape that the three entries broadcast to."""
        return broadcast_shape(uu=np.shape(self.uu), uw=np.shape(self.uw), ww=np.shape(self.ww))

    def _refuse_infinities(self) -> None:
        if not (np.maximum(self.uu, self.ww) < np.inf).all():
            raise ValueError(
                "gram must be finite for this, got the infinities of a descent that diverged; "
                "its own methods know the limits"
            )

    @cached_property
    def _determinant_and_root(self) -> tuple[FloatArray, FloatArray]:
        self._refuse_infinities()
        return gram_determinant(self.uu, self.uw, self.ww)

    @property
    def determinant(self) -> FloatArray:
        """D = uu·ww − uw², computed without cancellation; shape `shape`."""
        return self._determinant_and_root[0]

    @cached_property
    def root_determinant(self) -> FloatArray:
        """√D, the height in the half plane of (u·w, √D); shape `shape`."""
        self._refuse_infinities()
        size = self.norm_product
        part = ratio(np.abs(self.uw), size, 0.0)
        close = part > HARMLESS
        root = size * np.sqrt((1 - np.minimum(part, 1)) * (1 + part))
        return np.where(close, self._determinant_and_root[1], root)[()] if close.any() else root

    @property
    def norm_product(self) -> FloatArray:
        """|u||w| = √(uw² + D); shape `shape`."""
        return np.sqrt(self.uu) * np.sqrt(self.ww)

    @property
    def alignment(self) -> FloatArray:
        """ζ = u·w/(|u||w|), the cosine between the layers; 0 where a layer is zero."""
        size = np.hypot(self.uw, self.root_determinant)
        return np.divide(self.uw, size, out=np.zeros_like(size), where=size > 0)[()]


def _weights(name: str, value: ArrayLike) -> FloatArray:
    array = np.asarray(value)
    if array.dtype.kind not in "iuf":
        raise TypeError(f"{name} must be an array of real numbers, got {value!r}")
    if array.ndim == 0 or array.shape[-1] == 0:
        raise ValueError(f"{name} must have shape (..., width), got {array.shape}")
    return array.astype(np.float64, copy=False)


def _refuse_size(**layers: tuple[FloatArray, FloatArray]) -> None:
    """Raise for the first layer that is not finite, or else too long for its square."""
    for name, (layer, _) in layers.items():
        refuse_where(~np.isfinite(layer), name, layer, "finite")
    for name, (_, square) in layers.items():
        if np.isinf(square).any():
            raise ValueError(f"{name} must have a squared norm that fits in a double, got inf")


def _dot(a: FloatArray, b: FloatArray) -> FloatArray:
    """Return the dot products along the last axis, by BLAS."""
    if a.ndim == b.ndim == 1:
        return np.dot(a, b)
    return np.matmul(a[..., None, :], b[..., :, None])[..., 0, 0]

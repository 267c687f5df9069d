"""Scalings: parameters as powers of the width, and the phase that they lead to."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from flbook._model.network import Network
from flbook._support.arrays import Real, ValueObject
from flbook._support.checks import one_real, whole
from flbook._support.shared import shared

__all__ = ["SCALINGS", "Exponents", "Phase", "Scaling"]

TERMS = shared("terms")
# Exponents closer than this are equal: far above the rounding of sums of fractions such as 1/3, far
# below any difference that a width could show (d = 10¹⁵ turns it into a factor of 1 + 3e-8).
SAME: float = TERMS["same_exponent"]


class Phase(enum.Enum):
    """What infinitely wide networks do once time is rescaled so that they learn.

    Examples
    --------
    >>> from flbook import Phase, SCALINGS
    >>> SCALINGS["mup"].phase() is Phase.FEATURE_CRITICAL
    True
    """

    KERNEL = TERMS["phases"]["kernel"]
    """K(∞)/K(0) → 1: the tangent kernel does not move."""

    FEATURE_CRITICAL = TERMS["phases"]["critical"]
    """K(∞)/K(0) tends to a constant above 1."""

    FEATURE_VANISHING = TERMS["phases"]["vanishing"]
    """K(∞)/K(0) → ∞: a plateau of length ~ log d, then a jump."""


class Exponents(NamedTuple):
    """Powers of the width, for independent Gaussian layers and a task of order 1.

    Attributes
    ----------
    signal : float
        b, of 2γη = 2γ√(η_u η_w).
    kernel : float
        k, of the initial kernel K(0).
    alignment : float
        g, of |S*|/√D, the final overlap of the layers against the determinant.
    initial_slope : float
        o, of |v(0)|.
    rate : float
        max(b, k), of the final rate mK(∞).

    Examples
    --------
    >>> from flbook import SCALINGS
    >>> SCALINGS["ntk"].exponents().signal
    -0.5
    """

    signal: float
    kernel: float
    alignment: float
    initial_slope: float
    rate: float


@dataclass(frozen=True, eq=False)
class Scaling(ValueObject):
    """A parametrisation: every hyperparameter is a power of the width d.

    Parameters
    ----------
    gamma : float
        γ = d^gamma.
    sigma2_u, sigma2_w : float
        σ_u² = d^sigma2_u, σ_w² = d^sigma2_w.
    eta_u, eta_w : float
        η_u = d^eta_u, η_w = d^eta_w.

    Raises
    ------
    TypeError, ValueError
        If an exponent is not a finite real number.

    Notes
    -----
    The joint limits of width, output scale, initial scales and layer-wise learning rates are those
    of Xu & Ziyin, arXiv:2401.07085 (2024); the exponents are derived in chapter 7.

    Examples
    --------
    >>> from flbook import Scaling
    >>> mean_field = Scaling(gamma=-1, sigma2_u=0, sigma2_w=0, eta_u=1, eta_w=1)
    >>> mean_field.phase(), mean_field.speed()
    (<Phase.FEATURE_CRITICAL: 'feature learning, critical'>, 'learning')
    """

    gamma: float
    sigma2_u: float
    sigma2_w: float
    eta_u: float
    eta_w: float

    def __post_init__(self) -> None:
        for name in ("gamma", "sigma2_u", "sigma2_w", "eta_u", "eta_w"):
            object.__setattr__(self, name, one_real(name, getattr(self, name)))

    def at_width(self, d: ArrayLike) -> Network:
        """Return the network of width d.

        Parameters
        ----------
        d : int or array of int
            Width, at least 1.

        Returns
        -------
        Network
            Of the shape of `d`.

        Raises
        ------
        TypeError, ValueError
            If `d` is not made of whole numbers of at least 1.

        Examples
        --------
        >>> from flbook import SCALINGS
        >>> SCALINGS["mean_field"].at_width(100)
        Network(width=100, gamma=0.01, sigma_u=1.0, sigma_w=1.0, eta_u=100.0, eta_w=100.0)
        """
        width = whole("d", d, at_least=1)
        return Network(
            width,
            gamma=_power(width, self.gamma),
            sigma_u=_power(width, self.sigma2_u / 2),
            sigma_w=_power(width, self.sigma2_w / 2),
            eta_u=_power(width, self.eta_u),
            eta_w=_power(width, self.eta_w),
        )

    def exponents(self) -> Exponents:
        """Return the powers of the width that decide the phase.

        With γ = d^cγ, σ² = d^c, η = d^e::

            b = cγ + (e_u + e_w)/2,             k = 2cγ + 1 + max(e_w + c_u, e_u + c_w),
            g = −cγ − 1 − (c_u + c_w)/2,        o = cγ + ½ + (c_u + c_w)/2

        Returns
        -------
        Exponents

        Examples
        --------
        >>> from flbook import SCALINGS
        >>> SCALINGS["standard"].exponents()
        Exponents(signal=0.0, kernel=1.0, alignment=-0.5, initial_slope=0.0, rate=1.0)
        """
        scales = (self.sigma2_u + self.sigma2_w) / 2
        signal = self.gamma + (self.eta_u + self.eta_w) / 2
        by_layer = max(self.eta_w + self.sigma2_u, self.eta_u + self.sigma2_w)
        kernel = 2 * self.gamma + 1 + by_layer
        return Exponents(
            signal=signal,
            kernel=kernel,
            alignment=-self.gamma - 1 - scales,
            initial_slope=self.gamma + 0.5 + scales,
            rate=max(signal, kernel),
        )

    def phase(self) -> Phase:
        """Return the phase, once the learning rates are rescaled so that the network learns.

        A common factor on both learning rates moves b and k together, so the phase is a matter of
        b − k alone. Differences below 1e-9 count as 0.

        Returns
        -------
        Phase
            KERNEL for b < k, FEATURE_CRITICAL for b = k, FEATURE_VANISHING for b > k.

        Examples
        --------
        >>> from flbook import SCALINGS
        >>> SCALINGS["ntk"].phase()
        <Phase.KERNEL: 'kernel'>
        """
        powers = self.exponents()
        lead = powers.signal - powers.kernel
        if abs(lead) < SAME:
            return Phase.FEATURE_CRITICAL
        return Phase.FEATURE_VANISHING if lead > 0 else Phase.KERNEL

    def speed(self) -> str:
        """Return what happens in a time of order 1 with the learning rates as they are.

        Returns
        -------
        str
            "learning" if max(b, k) = 0; "frozen" if it is below; "unstable" if it is above, where
            a discrete step of order 1 diverges. Differences below 1e-9 count as 0.

        Examples
        --------
        >>> from flbook import SCALINGS
        >>> SCALINGS["kaiming"].speed(), SCALINGS["standard"].speed()
        ('learning', 'unstable')
        """
        rate = self.exponents().rate
        if abs(rate) < SAME:
            return TERMS["speeds"]["at"]
        return TERMS["speeds"]["above" if rate > 0 else "below"]


class _Xavier(Scaling):
    """σ² = 2/(fan in + fan out) = 2/(d + 1), which is a power of d only for large d."""

    def at_width(self, d: ArrayLike) -> Network:
        network = super().at_width(d)
        sigma = np.sqrt(2 / (np.asarray(network.width) + 1.0))[()]
        return replace(network, sigma_u=sigma, sigma_w=sigma)


def _power(width: ArrayLike, exponent: float) -> Real:
    return np.asarray(width, dtype=np.float64) ** exponent


class _Named(dict[str, Scaling]):
    def __missing__(self, name: str) -> Scaling:
        raise ValueError(f"name must be one of {', '.join(self)}, got {name!r}")


SCALINGS: Mapping[str, Scaling] = MappingProxyType(
    _Named(
        ntk=Scaling(gamma=-0.5, sigma2_u=0, sigma2_w=0, eta_u=0, eta_w=0),
        mean_field=Scaling(gamma=-1, sigma2_u=0, sigma2_w=0, eta_u=1, eta_w=1),
        mup=Scaling(gamma=0, sigma2_u=-2, sigma2_w=0, eta_u=-1, eta_w=1),
        kaiming=Scaling(gamma=0, sigma2_u=-1, sigma2_w=0, eta_u=-1, eta_w=-1),
        xavier=_Xavier(gamma=0, sigma2_u=-1, sigma2_w=-1, eta_u=0, eta_w=0),
        standard=Scaling(gamma=0, sigma2_u=-1, sigma2_w=0, eta_u=0, eta_w=0),
    )
)
"""The named parametrisations; "standard" is "kaiming" with learning rates of 1."""

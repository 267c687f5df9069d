"""Scalings: parameters as powers of the width, and the phase that they lead to."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from flbook._model.network import Network
from flbook._support.arrays import Real, ValueObject
from flbook._support.checks import instance, one_real, whole
from flbook._support.shared import shared

__all__ = ["SCALINGS", "Exponents", "Factors", "Phase", "Scaling"]

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


class Factors(NamedTuple):
    """Constant factors in front of the powers of the width.

    Examples
    --------
    >>> from flbook import Factors
    >>> Factors(sigma2_w=2.0)
    Factors(gamma=1.0, sigma2_u=1.0, sigma2_w=2.0, eta_u=1.0, eta_w=1.0)
    """

    gamma: float = 1.0
    sigma2_u: float = 1.0
    sigma2_w: float = 1.0
    eta_u: float = 1.0
    eta_w: float = 1.0


@dataclass(frozen=True, eq=False)
class Scaling(ValueObject):
    """A parametrisation: every hyperparameter is a factor times a power of the width d.

    The phase is a matter of the powers alone; the numbers at a width need the factors too.

    Parameters
    ----------
    gamma : float
        γ ∝ d^gamma.
    sigma2_u, sigma2_w : float
        σ_u² ∝ (d + fan_offset)^sigma2_u, and the same for w.
    eta_u, eta_w : float
        η_u ∝ d^eta_u, η_w ∝ d^eta_w.
    factors : Factors, default all 1
        What the powers are multiplied by, each greater than 0.
    fan_offset : float, default 0
        What the variances count beside the width, at least 0: 1 for Xavier's 2/(fan in + fan out),
        where one of the fans is the line of the inputs (or the one output).

    Raises
    ------
    TypeError, ValueError
        If an exponent is not a finite real number, or a factor or the offset out of range.

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
    factors: Factors = field(default=Factors(), kw_only=True)
    fan_offset: float = field(default=0.0, kw_only=True)

    def __post_init__(self) -> None:
        set_ = object.__setattr__
        for name in Factors._fields:
            set_(self, name, one_real(name, getattr(self, name)))
        instance("factors", self.factors, Factors)
        pairs = self.factors._asdict().items()
        set_(self, "factors", Factors(*(one_real(f"factors.{n}", x, above=0) for n, x in pairs)))
        set_(self, "fan_offset", one_real("fan_offset", self.fan_offset, at_least=0))

    def at_width(self, d: ArrayLike) -> Network:
        """Return the network of width d, or those of the widths d; of the shape of `d`.

        Examples
        --------
        >>> from flbook import SCALINGS
        >>> SCALINGS["mean_field"].at_width(100)
        Network(width=100, gamma=0.01, sigma_u=1.0, sigma_w=1.0, eta_u=100.0, eta_w=100.0)
        """
        width, factors = whole("d", d, at_least=1), self.factors
        fan = np.asarray(width, dtype=np.float64) + self.fan_offset
        return Network(
            width,
            gamma=factors.gamma * _power(width, self.gamma),
            sigma_u=np.sqrt(factors.sigma2_u) * _power(fan, self.sigma2_u / 2),
            sigma_w=np.sqrt(factors.sigma2_w) * _power(fan, self.sigma2_w / 2),
            eta_u=factors.eta_u * _power(width, self.eta_u),
            eta_w=factors.eta_w * _power(width, self.eta_w),
        )

    def exponents(self) -> Exponents:
        """Return the powers of the width that decide the phase.

        With γ = d^cγ, σ² = d^c, η = d^e::

            b = cγ + (e_u + e_w)/2,             k = 2cγ + 1 + max(e_w + c_u, e_u + c_w),
            g = −cγ − 1 − (c_u + c_w)/2,        o = cγ + ½ + (c_u + c_w)/2

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
        b − k alone: KERNEL where it is negative, FEATURE_CRITICAL where it is 0 (to within 1e-9),
        FEATURE_VANISHING where it is positive.

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

        "learning" where max(b, k) = 0 (to within 1e-9), "frozen" where it is below, "unstable"
        where it is above and a discrete step of order 1 diverges.

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
        xavier=Scaling(
            gamma=0,
            sigma2_u=-1,
            sigma2_w=-1,
            eta_u=0,
            eta_w=0,
            factors=Factors(sigma2_u=2.0, sigma2_w=2.0),
            fan_offset=1.0,
        ),
        standard=Scaling(gamma=0, sigma2_u=-1, sigma2_w=0, eta_u=0, eta_w=0),
    )
)
"""The named parametrisations; "standard" is "kaiming" with learning rates of 1."""

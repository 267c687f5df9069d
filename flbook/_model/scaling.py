"""Scalings: parameters as powers of one large number, and the phase that they lead to."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from flbook._model.network import Network
from flbook._support.arrays import Real, ValueObject
from flbook._support.checks import instance, one_real, one_whole, real, whole
from flbook._support.shared import shared

__all__ = ["Exponents", "Factors", "Phase", "Scaling"]

TERMS = shared("terms")
# Exponents closer than this are equal: far above the rounding of sums of fractions such as 1/3, far
# below any difference that a width could show (d = 10¹⁵ turns it into a factor of 1 + 3e-8).
SAME: float = TERMS["same_exponent"]


class Phase(enum.Enum):
    """What networks do in a limit, once time is rescaled so that they learn.

    Examples
    --------
    >>> from flbook import Phase, SCALINGS
    >>> SCALINGS["mup"].phase() is Phase.FEATURE_CRITICAL
    True
    """

    KERNEL = TERMS["phases"]["kernel"]
    """K(∞)/K(0) → 1: the tangent kernel does not move."""

    FEATURE_CRITICAL = TERMS["phases"]["critical"]
    """K(∞)/K(0) tends to a constant above 1; at a fixed width, to a random number."""

    FEATURE_VANISHING = TERMS["phases"]["vanishing"]
    """K(∞)/K(0) → ∞: a plateau of length ~ log d, then a jump."""

    FEATURE_UNLEARNING = TERMS["phases"]["unlearning"]
    """A fixed width and a large start: K(∞)/K(0) → √(1 − ζ_K(0)²), a random number below 1."""


class Exponents(NamedTuple):
    """Powers of κ (the width, if not said otherwise), for Gaussian layers and a task of order 1.

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
    """A joint limit: every hyperparameter is a factor times a power of one large number κ.

    With `width` = 1, the default, κ is the width d itself, and the limit is a parametrisation of
    wide networks. With `width` = 0 the width stays what it is while the other hyperparameters grow
    or shrink. The phase is a matter of the powers alone; the numbers need the factors too.

    Parameters
    ----------
    gamma : float
        γ ∝ κ^gamma.
    sigma2_u, sigma2_w : float
        σ_u² ∝ κ^sigma2_u, σ_w² ∝ κ^sigma2_w.
    eta_u, eta_w : float
        η_u ∝ κ^eta_u, η_w ∝ κ^eta_w.
    width : float, default 1
        d ∝ κ^width, at least 0.
    factors : Factors, default all 1
        What the powers are multiplied by, each greater than 0.
    fan_offset : float, default 0
        What the variances count beside the width, at least 0: they are powers of κ(d + offset)/d.
        It is 1 for Xavier's 2/(fan in + fan out), where one of the fans is the line of the inputs,
        or the one output.

    Raises
    ------
    TypeError, ValueError
        If an exponent is not a finite real number, or a factor, the width's exponent or the offset
        is out of range.

    Notes
    -----
    The joint limits of width, output scale, initial scales and layer-wise learning rates are those
    of Xu & Ziyin, arXiv:2401.07085 (2024). That a common power can be moved between multiplier,
    scales and rates is the abc-symmetry of Yang & Hu, arXiv:2011.14522.

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
    width: float = 1.0
    factors: Factors = field(default=Factors(), kw_only=True)
    fan_offset: float = field(default=0.0, kw_only=True)

    def __post_init__(self) -> None:
        set_ = object.__setattr__
        for name in Factors._fields:
            set_(self, name, one_real(name, getattr(self, name)))
        for name in ("width", "fan_offset"):
            set_(self, name, one_real(name, getattr(self, name), at_least=0))
        instance("factors", self.factors, Factors)
        pairs = self.factors._asdict().items()
        set_(self, "factors", Factors(*(one_real(f"factors.{n}", x, above=0) for n, x in pairs)))

    def at_width(self, d: ArrayLike) -> Network:
        """Return the network of width d, or those of the widths d, where κ is the width.

        Examples
        --------
        >>> from flbook import SCALINGS
        >>> SCALINGS["mean_field"].at_width(100)
        Network(width=100, gamma=0.01, sigma_u=1.0, sigma_w=1.0, eta_u=100.0, eta_w=100.0)
        """
        if self.width != 1:
            raise ValueError(
                f"width must be 1 for the width to be the scale, got {self.width!r}: use at_scale"
            )
        return self._network(whole("d", d, at_least=1), d)

    def at_scale(self, kappa: ArrayLike, base_width: int = 1) -> Network:
        """Return the network at κ, or those at each κ, of width d = base_width·κ^width, rounded.

        Parameters
        ----------
        kappa : float or array
            κ, greater than 0.
        base_width : int, default 1
            The width at κ = 1; at `width` = 0 the width of all.

        Examples
        --------
        >>> from flbook import Scaling
        >>> large_start = Scaling(gamma=0, sigma2_u=1, sigma2_w=1, eta_u=0, eta_w=0, width=0)
        >>> large_start.at_scale(10**6, base_width=5)
        Network(width=5, gamma=1.0, sigma_u=1000.0, sigma_w=1000.0, eta_u=1.0, eta_w=1.0)
        """
        scale = real("kappa", kappa, above=0)
        width = np.round(one_whole("base_width", base_width) * _power(scale, self.width))
        return self._network(whole("width at this kappa", width, at_least=1), scale)

    def _network(self, width: ArrayLike, kappa: ArrayLike) -> Network:
        factors = self.factors
        fan = np.asarray(kappa, dtype=np.float64) * (1 + self.fan_offset / np.asarray(width))
        return Network(
            width,  # type: ignore[arg-type]
            gamma=factors.gamma * _power(kappa, self.gamma),
            sigma_u=np.sqrt(factors.sigma2_u) * _power(fan, self.sigma2_u / 2),
            sigma_w=np.sqrt(factors.sigma2_w) * _power(fan, self.sigma2_w / 2),
            eta_u=factors.eta_u * _power(kappa, self.eta_u),
            eta_w=factors.eta_w * _power(kappa, self.eta_w),
        )

    def exponents(self) -> Exponents:
        """Return the powers of κ that decide the phase.

        With d = κ^c_d, γ = κ^cγ, σ² = κ^c, η = κ^e::

            b = cγ + (e_u + e_w)/2,             k = 2cγ + c_d + max(e_w + c_u, e_u + c_w),
            g = −cγ − c_d − (c_u + c_w)/2,      o = cγ + (c_d + c_u + c_w)/2

        Examples
        --------
        >>> from flbook import SCALINGS
        >>> SCALINGS["standard"].exponents()
        Exponents(signal=0.0, kernel=1.0, alignment=-0.5, initial_slope=0.0, rate=1.0)
        """
        scales = (self.sigma2_u + self.sigma2_w) / 2
        signal = self.gamma + (self.eta_u + self.eta_w) / 2
        kernel = 2 * self.gamma + self.width + max(self._layer_powers)
        return Exponents(
            signal=signal,
            kernel=kernel,
            alignment=-self.gamma - self.width - scales,
            initial_slope=self.gamma + self.width / 2 + scales,
            rate=max(signal, kernel),
        )

    @property
    def _layer_powers(self) -> tuple[float, float]:
        """The powers of η_w σ_u² and η_u σ_w², which make up the kernel."""
        return self.eta_w + self.sigma2_u, self.eta_u + self.sigma2_w

    def phase(self) -> Phase:
        """Return the phase, once the learning rates are rescaled so that the network learns.

        A common factor on both learning rates moves b and k together, so the phase is a matter of
        b − k: FEATURE_CRITICAL where it is 0 (to within 1e-9), FEATURE_VANISHING where it is
        positive, KERNEL where it is negative. At a fixed width the overlap of the layers at the
        start is of the order of their lengths, so that a large start (b < k) must be unlearned:
        FEATURE_UNLEARNING, unless one layer dominates the kernel and keeps it.

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
        if lead > 0:
            return Phase.FEATURE_VANISHING
        one, other = self._layer_powers
        unlearns = self.width < SAME and abs(one - other) < SAME
        return Phase.FEATURE_UNLEARNING if unlearns else Phase.KERNEL

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

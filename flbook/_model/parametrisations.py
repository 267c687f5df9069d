"""The parametrisations that have a name."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from flbook._model.scaling import Factors, Scaling

__all__ = ["SCALINGS"]


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

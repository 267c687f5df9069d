"""Exact training of two-layer linear networks, to see when they learn features.

The model, and the claims about it that this package lets one see, are those of Y. Xu and L. Ziyin,
"When Does Feature Learning Happen? Perspective from an Analytically Solvable Model",
arXiv:2401.07085 (2024).
"""

from flbook.diagram import Location, Regime, locate
from flbook.ensembles import Ensemble, LazyWidth, Quantiles, lazy_width
from flbook.generalisation import generalisation_error, off_line_variance
from flbook.gradient_descent import GradientDescent
from flbook.gradient_flow import GradientFlow
from flbook.gram import Gram
from flbook.kernel_flow import KernelFlow
from flbook.measured_phases import MeasuredPhase, Slope, measure_phase
from flbook.mechanisms import Decomposition, decompose
from flbook.network import Network
from flbook.scaling import SCALINGS, Exponents, Phase, Scaling
from flbook.task import Task

__all__ = [
    "SCALINGS",
    "Decomposition",
    "Ensemble",
    "Exponents",
    "GradientDescent",
    "GradientFlow",
    "Gram",
    "KernelFlow",
    "LazyWidth",
    "Location",
    "MeasuredPhase",
    "Network",
    "Phase",
    "Quantiles",
    "Regime",
    "Scaling",
    "Slope",
    "Task",
    "decompose",
    "generalisation_error",
    "lazy_width",
    "locate",
    "measure_phase",
    "off_line_variance",
]

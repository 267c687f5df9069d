"""Exact training of two-layer linear networks, to see when they learn features.

The model, and the claims about it that this package lets one see, are those of Y. Xu and L. Ziyin,
"When Does Feature Learning Happen? Perspective from an Analytically Solvable Model",
arXiv:2401.07085 (2024).
"""

from flbook.gradient_descent import GradientDescent
from flbook.gradient_flow import GradientFlow
from flbook.gram import Gram
from flbook.kernel_flow import KernelFlow
from flbook.network import Network
from flbook.scaling import SCALINGS, Exponents, Phase, Scaling
from flbook.task import Task

__all__ = [
    "SCALINGS",
    "Exponents",
    "GradientDescent",
    "GradientFlow",
    "Gram",
    "KernelFlow",
    "Network",
    "Phase",
    "Scaling",
    "Task",
]

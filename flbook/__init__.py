"""Exact training of two-layer linear networks, to see when they learn features.

The model, and the claims about it that this package lets one see, are those of Y. Xu and L. Ziyin,
"When Does Feature Learning Happen? Perspective from an Analytically Solvable Model",
arXiv:2401.07085 (2024).
"""

from flbook._adapters.dispatch import checkup
from flbook._dynamics.balanced_flow import BalancedFlow
from flbook._dynamics.balanced_state import BalancedState
from flbook._dynamics.batches import Batches
from flbook._dynamics.central_flow import CentralFlow, CentralState
from flbook._dynamics.descent_state import DescentState
from flbook._dynamics.flow_state import FlowState
from flbook._dynamics.gradient_descent import GradientDescent
from flbook._dynamics.gradient_flow import GradientFlow
from flbook._dynamics.kernel_flow import KernelFlow
from flbook._dynamics.logistic_flow import LogisticFlow
from flbook._dynamics.loss_flow import LossFlow
from flbook._dynamics.loss_state import LossState
from flbook._dynamics.neuron_flow import NeuronFlow
from flbook._dynamics.neuron_state import NeuronState
from flbook._dynamics.outcome import Outcome
from flbook._dynamics.quadratic_flow import QuadraticFlow, QuadraticState
from flbook._dynamics.stochastic_descent import StochasticDescent
from flbook._measures.checkup import Checkup
from flbook._measures.checkup_parts import LabelAlignment, LayerAlignment, Moment
from flbook._measures.ensemble import Ensemble, Quantiles
from flbook._measures.fate import DescentFate, Fate, descent_fate
from flbook._measures.generalisation import (
    ErrorParts,
    error_parts,
    generalisation_error,
    off_line_variance,
)
from flbook._measures.gradient_noise import GradientNoise
from flbook._measures.knob import boundary_scale
from flbook._measures.lazy_width import LazyWidth, lazy_width
from flbook._measures.location import Location, Regime, locate
from flbook._measures.mechanisms import Decomposition, decompose
from flbook._measures.phase import MeasuredPhase, Slope, measure_phase
from flbook._measures.table import Table
from flbook._measures.widths import WidthCheckup, checkup_widths
from flbook._model.gram import Gram
from flbook._model.network import Network
from flbook._model.parametrisations import SCALINGS
from flbook._model.scaling import Exponents, Factors, Phase, Scaling
from flbook._model.task import Task

__version__ = "0.1.0"

__all__ = [
    "SCALINGS",
    "BalancedFlow",
    "BalancedState",
    "Batches",
    "CentralFlow",
    "CentralState",
    "Checkup",
    "Decomposition",
    "DescentFate",
    "DescentState",
    "Ensemble",
    "ErrorParts",
    "Exponents",
    "Factors",
    "Fate",
    "FlowState",
    "GradientDescent",
    "GradientFlow",
    "GradientNoise",
    "Gram",
    "KernelFlow",
    "LabelAlignment",
    "LayerAlignment",
    "LazyWidth",
    "Location",
    "LogisticFlow",
    "LossFlow",
    "LossState",
    "MeasuredPhase",
    "Moment",
    "Network",
    "NeuronFlow",
    "NeuronState",
    "Outcome",
    "Phase",
    "QuadraticFlow",
    "QuadraticState",
    "Quantiles",
    "Regime",
    "Scaling",
    "Slope",
    "StochasticDescent",
    "Table",
    "Task",
    "WidthCheckup",
    "boundary_scale",
    "checkup",
    "checkup_widths",
    "decompose",
    "descent_fate",
    "error_parts",
    "generalisation_error",
    "lazy_width",
    "locate",
    "measure_phase",
    "off_line_variance",
]

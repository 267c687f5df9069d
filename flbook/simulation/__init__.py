"""The slow way: train the weights themselves, knowing nothing of the solution.

This is the evidence for the exact solver. The two share the definition of the model and nothing
else; neither imports the other.
"""

from flbook.simulation.result import Simulation
from flbook.simulation.trainers import (
    gradient_descent,
    gradient_flow,
    sample_layers,
    stochastic_descent,
)

__all__ = [
    "Simulation",
    "gradient_descent",
    "gradient_flow",
    "sample_layers",
    "stochastic_descent",
]

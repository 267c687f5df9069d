"""The single neuron of the explorer `turning-neuron`: from its parameters, and back to them.

The same as the browser's ``turning_neuron.js``: the target lies along the first axis.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from flbook._dynamics.neuron_flow import NeuronFlow
from flbook._support.checks import instance

__all__ = ["neuron_recipe", "values_of_neuron"]

# cos and sin of whole quarters, which rounding would miss
QUARTERS = {0.0: (1.0, 0.0), 1.0: (0.0, 1.0), 2.0: (-1.0, 0.0)}


def neuron_recipe(values: Mapping[str, float]) -> dict[str, Any]:
    """Return the neuron that the parameters describe and its time, by the names of the API.

    Examples
    --------
    >>> from flbook.explorers import parameters
    >>> values = {name: p.default for name, p in parameters("turning-neuron").items()}
    >>> shown = neuron_recipe({**values, "layer_ratio": 4.0, "start_size": 1.0, "angle": 90.0})
    >>> shown["a"], shown["w"], shown["target"]
    (2.0, [0.0, 0.5], [1.0, 0.0])
    """
    size, ratio, turn = values["start_size"], values["layer_ratio"], math.radians(values["angle"])
    along, across = QUARTERS.get(values["angle"] / 90, (math.cos(turn), math.sin(turn)))
    length, rest = math.sqrt(size / ratio), [0.0] * (round(values["dimensions"]) - 2)
    return {
        "a": math.sqrt(size * ratio),
        "w": [length * along, length * across, *rest],
        "target": [float(values["target"]), 0.0, *rest],
        "eta_a": values["eta_a"],
        "eta_w": values["eta_w"],
        "t": values["t"],
    }


def values_of_neuron(neuron: NeuronFlow) -> dict[str, float]:
    """Return the parameters of `neuron` in the frame of its target; −a and −w are a and w.

    Raises
    ------
    TypeError, ValueError
        If it is no `NeuronFlow`, or several, or one whose layers or target are 0.

    Examples
    --------
    >>> import flbook as fl
    >>> values_of_neuron(fl.NeuronFlow(-2.0, [0.0, 0.5], [3.0, 0.0]))["angle"]
    90.0
    """
    instance("neuron", neuron, NeuronFlow)
    if neuron.shape != ():
        raise ValueError(f"neuron must be a single one, got neuron of shape {neuron.shape}")
    if neuron.dimensions < 2:
        raise ValueError(f"neuron must have inputs of 2 dimensions or more, got {neuron!r}")
    a, distance = float(neuron.a), float(np.linalg.norm(neuron.target))
    length = float(np.linalg.norm(neuron.w))
    if 0 in (a, distance, length):
        raise ValueError(f"neuron must have an a, a w and a target that are not 0, got {neuron!r}")
    direction = neuron.target / distance
    along = float(neuron.w @ direction)
    across = float(np.linalg.norm(neuron.w - along * direction))
    return {
        "layer_ratio": abs(a) / length,
        "start_size": abs(a) * length,
        "angle": math.degrees(math.atan2(across, along * math.copysign(1.0, a))),
        "target": distance,
        "eta_a": float(neuron.eta_a),
        "eta_w": float(neuron.eta_w),
        "dimensions": float(neuron.dimensions),
    }

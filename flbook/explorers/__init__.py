"""Explorers: pictures of training that follow the reader's hand, with a kernel or without one.

Each is an ipywidgets box of standard controls, joined by ``jslink`` to one anywidget figure that
solves the dynamics in the browser. No kernel is asked for anything. There is one function for each;
what it takes and refuses, `Explorer` says.
"""

from __future__ import annotations

try:
    import anywidget  # noqa: F401
    import ipywidgets  # noqa: F401
except ModuleNotFoundError as missing:
    raise ModuleNotFoundError(
        f"flbook.explorers needs {missing.name}: pip install 'flbook[explorers]' brings it",
        name=missing.name,
    ) from missing

from flbook.explorers.catalogue import Parameter, parameters
from flbook.explorers.draws import even_starts
from flbook.explorers.explorer import Explorer
from flbook.explorers.figure import Figure
from flbook.explorers.functions import (
    ensemble,
    every_knob,
    half_plane,
    initial_scale,
    kernel_drift,
    neuron_plane,
    phase_diagram,
    plateau_and_jump,
    test_error,
)
from flbook.explorers.other_functions import any_loss, turning_neuron
from flbook.explorers.table_functions import knob, nonlinear_networks, real_tasks

__all__ = [
    "Explorer",
    "Figure",
    "Parameter",
    "any_loss",
    "ensemble",
    "even_starts",
    "every_knob",
    "half_plane",
    "initial_scale",
    "kernel_drift",
    "knob",
    "neuron_plane",
    "nonlinear_networks",
    "parameters",
    "phase_diagram",
    "plateau_and_jump",
    "real_tasks",
    "test_error",
    "turning_neuron",
]

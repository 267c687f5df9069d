"""The explorers of other losses and other models than the first nine chapters'."""

from __future__ import annotations

from typing import Any

from flbook._dynamics.neuron_flow import NeuronFlow
from flbook._model.gram import Gram
from flbook._model.network import Network
from flbook.explorers.explorer import Explorer
from flbook.explorers.functions import listing_parameters

__all__ = ["any_loss", "turning_neuron"]


@listing_parameters
def any_loss(*, network: Network | None = None, gram: Gram | None = None, **start: Any) -> Explorer:
    """Show the one path on which every loss moves a network, and how far each has come by a time.

    The network has γ = 1/√d, σ_u = σ_w and learning rates 1; it learns the labels −1 and 1 of eight
    examples. The numbers are those of the loss that is chosen.

    Examples
    --------
    >>> from flbook import explorers
    >>> explorers.any_loss(loss="squared", sigma=0.5)  # doctest: +ELLIPSIS
    Explorer('any-loss', loss='squared', sigma=0.5, wrong_labels='0', t=1000, ...)
    """
    return Explorer("any-loss", network=network, gram=gram, **start)


@listing_parameters
def turning_neuron(*, neuron: NeuronFlow | None = None, **start: Any) -> Explorer:
    """Show one hidden neuron whose kernel turns or not, as its imbalance decides.

    It learns the slope v* of white inputs and starts with the input weights w at an `angle` to the
    target. With `start_size` s and `layer_ratio` ρ of its layers, the imbalance that decides is
    Δ = η_w u² − η_u|w|² = s(η_w ρ − η_u/ρ); `NeuronFlow` calls u, v* and Δ by a, β and δ.

    Examples
    --------
    >>> import flbook as fl
    >>> from flbook import explorers
    >>> explorers.turning_neuron(layer_ratio=1)  # doctest: +ELLIPSIS
    Explorer('turning-neuron', layer_ratio=1, angle=50, t=1, start_size=0.1)
    >>> explorers.turning_neuron(neuron=fl.NeuronFlow(2.0, [0.0, 0.5], [1.0, 0.0]))
    Explorer('turning-neuron', layer_ratio=4, angle=90, t=1, start_size=1)
    """
    return Explorer("turning-neuron", neuron=neuron, **start)

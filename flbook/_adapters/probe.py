"""The probe: what a check-up asks of a model, whatever framework it is written in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

from flbook._support.arrays import FloatArray

__all__ = ["Opened", "Pair", "Probe"]


class Pair(NamedTuple):
    """Two matrices that follow each other in the forward pass, each (out, in).

    Attributes
    ----------
    lower_name, upper_name : str
        Their names, as in `Probe.weights`.
    lower, upper : array
        What the lower one puts out enters the upper one, entry by entry (through an activation, a
        normalisation, a bias): ``lower.shape[0] == upper.shape[1]``.
    """

    lower_name: str
    upper_name: str
    lower: FloatArray
    upper: FloatArray


class Probe(Protocol):
    """A model on n probe inputs; a state is what the framework holds its parameters in.

    Every answer is a float64 numpy array. Trainable parameters only: what is frozen takes no part
    in `linear_change`, `kernel` and `weights`.
    """

    @property
    def precision(self) -> float:
        """The rounding unit of the coarsest arithmetic on the way, say 1.2e-7 for float32."""
        ...

    def outputs(self, state: Any) -> FloatArray:
        """Return the model's outputs (n, k), all that follows the first axis flattened to k."""
        ...

    def linear_change(self, before: Any, after: Any) -> FloatArray:
        """Return J(before)·(after − before), (n, k), by one forward-mode product."""
        ...

    def kernel(self, state: Any, directions: FloatArray) -> FloatArray:
        """Return the NTK of outputs @ direction for each direction: (r, k) gives (r, n, n).

        A tangent kernel is the sum over trainable parameters of the products of the gradients at
        two inputs. It is built in blocks, so that memory stays bounded.
        """
        ...

    def weights(self, state: Any) -> dict[str, FloatArray]:
        """Return the trainable tensors by name, in the order of the forward pass if known."""
        ...

    def features(self, state: Any) -> dict[str, FloatArray]:
        """Return, by the name of the layer that they enter, the hidden features (n, …).

        What enters the first layer is the data and no feature. Empty where they cannot be had.
        """
        ...

    def pairs(self, state: Any) -> list[Pair]:
        """Return the pairs of consecutive matrices; empty where they cannot be told."""
        ...

    def doubts(self, before: Any, after: Any) -> list[str]:
        """Return, as sentences, what may make the numbers mislead; most often none."""
        ...


class Opened(NamedTuple):
    """What the function `open_probe` of an adapter returns.

    Every adapter module has ``open_probe(before, after, x, *, f, checkpoints, batch_size)``. It
    refuses models that cannot be compared (ValueError) or are not of its framework (TypeError).
    Beside it stands ``surroundings(before)``: the context in which such a model computes.

    Attributes
    ----------
    probe : Probe
        The model on the probe inputs.
    states : sequence
        Its states: before, the checkpoints in their order, after.
    """

    probe: Probe
    states: Sequence[Any]

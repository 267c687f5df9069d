"""The data that a simulation trains on: the moments of a task, or examples one by one."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from flbook._model.task import Task
from flbook._support.arrays import FloatArray
from flbook._support.checks import real, single

__all__ = [
    "TO_SIMULATE",
    "Data",
    "Derivative",
    "Examples",
    "Moments",
    "as_inputs",
    "as_labels",
    "problem",
]

Data = Task | tuple[ArrayLike, ArrayLike]
Derivative = Callable[[FloatArray, FloatArray], FloatArray]
"""The derivative of a loss by f, called as ``derivative(f, y)``."""
# Inputs whose second singular value is this far below the first lie on a line.
OFF_LINE = 1e-9
TO_SIMULATE = "a single one to simulate"


class Moments:
    """A task on a line, where the network is a single slope.

    Attributes
    ----------
    task : Task
        The task.
    columns : tuple of int
        (D,) for inputs with D columns, () on a line.
    direction : array, shape (D,), or None
        The unit vector along the line of the inputs, where they have columns.
    """

    columns: tuple[int, ...] = ()
    direction: FloatArray | None = None

    def __init__(self, task: Task) -> None:
        single("data", task, Task, TO_SIMULATE)
        self.task: Task | None = task
        self.m, self.c = task.second_moment, task.cross_moment

    def gradient(self, slopes: FloatArray) -> FloatArray:
        """Return ∂L/∂β for f(x) = β·x."""
        return self.m * slopes - self.c


class Examples:
    """Inputs with labels, on a line or not; the attributes are those of `Moments`."""

    def __init__(self, x: ArrayLike, y: ArrayLike, derivative: Derivative | None = None) -> None:
        self.inputs = as_inputs(x)
        self.labels = as_labels(y, self.inputs.shape[:1])
        self.derivative = np.subtract if derivative is None else derivative
        self.columns = np.shape(x)[1:]
        line = _direction(self.inputs)
        self.direction = line if self.columns else None
        self.task = None if line is None else Task.from_data(self.inputs @ line, self.labels)

    def gradient(self, slopes: FloatArray) -> FloatArray:
        """Return ∂L/∂β for f(x) = β·x."""
        pulls = self.derivative(self.inputs @ slopes, self.labels)
        return pulls @ self.inputs / self.labels.size

    def batch_gradient(
        self, slopes: FloatArray, index: NDArray[np.int64], noise: FloatArray
    ) -> FloatArray:
        """Return the same over the examples `index` alone, with noise on their labels."""
        inputs, labels = self.inputs[index], self.labels[index] + noise
        return self.derivative(inputs @ slopes, labels) @ inputs / labels.size


def problem(data: Data, derivative: Derivative | None = None) -> Moments | Examples:
    """Return what `data` and the loss with this derivative stand for."""
    if derivative is not None and not callable(derivative):
        raise TypeError(f"derivative must be a function of f and y or None, got {derivative!r}")
    if isinstance(data, Task):
        if derivative is not None:
            raise TypeError("data must be a tuple (x, y) for a derivative, got a Task")
        return Moments(data)
    if isinstance(data, tuple) and len(data) == 2:
        return Examples(*data, derivative)
    raise TypeError(f"data must be a Task or a tuple (x, y), got {data!r}")


def as_inputs(x: ArrayLike, columns: tuple[int, ...] | None = None) -> FloatArray:
    """Return inputs as a matrix; of shape (examples,) + `columns` where these are given."""
    inputs = np.asarray(real("x", x))
    shaped = inputs.ndim in (1, 2) and inputs.size > 0
    if not shaped or columns not in (None, inputs.shape[1:]):
        either = "(examples,) or (examples, D)"
        wanted = either if columns is None else f"(examples,) + {columns}"
        raise ValueError(f"x must have shape {wanted}, got {inputs.shape}")
    return inputs.reshape(len(inputs), -1)


def as_labels(y: ArrayLike, shape: tuple[int, ...]) -> FloatArray:
    """Return one label for each example."""
    labels = np.asarray(real("y", y))
    if labels.shape != shape:
        raise ValueError(f"y must have shape {shape} like x, got {labels.shape}")
    return labels


def _direction(x: FloatArray) -> FloatArray | None:
    """Return the unit vector along the line through the origin that holds all inputs, or None."""
    _, sizes, rows = np.linalg.svd(x, full_matrices=False)
    if (sizes[1:] > OFF_LINE * sizes[0]).any():
        return None
    return rows[0] * np.sign(rows[0][np.argmax(np.abs(rows[0]))])

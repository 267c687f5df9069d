"""The task: what the data say, in three moments."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from flbook._support.arrays import FloatArray, Real, ValueObject, broadcast_shape
from flbook._support.checks import real, refuse_where
from flbook._support.compensated import difference_of_products

__all__ = ["Task", "on_a_line"]

# Moments that miss Cauchy-Schwarz by less than this are taken for rounded ones.
ROUNDING = 1e-12
# Inputs this far from their line, relative to the largest of them, are still on it.
OFF_LINE = 1e-9


@dataclass(frozen=True, eq=False)
class Task(ValueObject):
    """Regression on inputs that lie on a line, x = a n with |n| = 1.

    The loss of the slope v is half the mean square, L = ½E[(v a − y)²], and depends on the data
    through three moments only: L = ½m(v − c/m)² + ½(E[y²] − c²/m).

    Parameters
    ----------
    second_moment : float or array
        m = E[a²], greater than 0.
    cross_moment : float or array
        c = E[a y].
    label_moment : float or array
        E[y²], at least c²/m (up to rounding).

    Raises
    ------
    TypeError, ValueError
        If a moment is not made of finite real numbers, m ≤ 0, or no data have these moments.

    Notes
    -----
    The model is that of Xu & Ziyin, arXiv:2401.07085 (2024). Without the half, every rate doubles.

    Examples
    --------
    >>> from flbook import Task
    >>> task = Task(second_moment=2.0, cross_moment=1.0, label_moment=1.0)
    >>> task.target
    0.5
    >>> float(task.loss_floor)
    0.25
    """

    second_moment: Real
    cross_moment: Real
    label_moment: Real

    def __post_init__(self) -> None:
        set_ = object.__setattr__
        set_(self, "second_moment", real("second_moment", self.second_moment, above=0))
        set_(self, "cross_moment", real("cross_moment", self.cross_moment))
        set_(self, "label_moment", real("label_moment", self.label_moment, at_least=0))
        shape = self.shape
        most = np.sqrt(self.second_moment) * np.sqrt(self.label_moment)
        refuse_where(
            np.broadcast_to(np.abs(self.cross_moment) > most * (1 + ROUNDING), shape),
            "cross_moment",
            np.broadcast_to(self.cross_moment, shape),
            "at most sqrt(second_moment * label_moment) in size, as Cauchy-Schwarz demands",
        )

    @classmethod
    def from_data(cls, x: ArrayLike, y: ArrayLike) -> Task:
        """Take the moments of a data set whose inputs lie on one line through the origin.

        Parameters
        ----------
        x : array_like, shape (n,) or (n, D)
            Inputs, not all zero. Along the line the direction with a positive largest component
            counts as forward.
        y : array_like, shape (n,)
            Labels.

        Examples
        --------
        >>> from flbook import Task
        >>> Task.from_data([[3.0, 4.0], [-3.0, -4.0]], [5.0, -5.0])
        Task(second_moment=25.0, cross_moment=25.0, label_moment=25.0)
        """
        a, labels = on_a_line(x, y)
        return cls(float(np.mean(a * a)), float(np.mean(a * labels)), float(np.mean(labels**2)))

    @cached_property
    def shape(self) -> tuple[int, ...]:
        """The shape that the three moments broadcast to."""
        return broadcast_shape(
            second_moment=np.shape(self.second_moment),
            cross_moment=np.shape(self.cross_moment),
            label_moment=np.shape(self.label_moment),
        )

    @cached_property
    def target(self) -> Real:
        """v* = c/m, the slope of least loss; shape `shape`."""
        return self.cross_moment / self.second_moment

    @cached_property
    def loss_floor(self) -> Real:
        """½(E[y²] − c²/m), the loss that no slope gets below; shape `shape`."""
        m, c = self.second_moment, self.cross_moment
        return np.maximum(difference_of_products(m, self.label_moment, c, c), 0.0) / (2 * m)


def on_a_line(x: ArrayLike, y: ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Return the positions of the inputs on their line, and the labels; as `Task.from_data`."""
    inputs = np.asarray(real("x", x))
    labels = np.asarray(real("y", y))
    if inputs.ndim not in (1, 2) or inputs.size == 0:
        raise ValueError(f"x must have shape (n,) or (n, D) and hold data, got {inputs.shape}")
    if labels.shape != inputs.shape[:1]:
        raise ValueError(f"y must have shape {inputs.shape[:1]} like x, got {labels.shape}")
    a = inputs if inputs.ndim == 1 else _along_line(inputs)
    if not a.any():
        raise ValueError("x must hold an input that is not zero, got zeros only")
    return a, labels


def _along_line(x: np.ndarray) -> np.ndarray:
    """Return a with x = a n; the rows of `x` must lie on a line through the origin."""
    size = np.abs(x).max()
    if size == 0:
        return x[:, 0]
    scaled = x / size
    n = scaled[np.argmax(np.sum(scaled * scaled, axis=1))]
    n = n / np.linalg.norm(n)
    n = n * np.sign(n[np.argmax(np.abs(n))])
    a = x @ n
    off = np.abs(x - a[:, None] * n).max(axis=1)
    if off.max() > OFF_LINE * size:
        row = int(np.argmax(off))
        raise ValueError(
            f"x must lie on one line through the origin, got row {row} at distance {off[row]:.3g}"
        )
    return a

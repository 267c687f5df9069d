"""The check-up: what training did to a network, any network, as seen on some probe inputs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from flbook._measures import kernel_change as measure
from flbook._measures import knob, report
from flbook._measures.checkup_parts import (
    LabelAlignment,
    LayerAlignment,
    MatrixPair,
    Moment,
    aligned,
    finite,
)
from flbook._measures.table import Table

__all__ = ["Checkup"]

FEW_POINTS = 16
"""With fewer probe inputs the numbers say little about other inputs."""

START_COUNTS = 2.0
"""Where the outputs change by less than so many times their size, the start takes part."""

MOVED = 0.1
"""A kernel that changes by more than this share belongs to no lazy network."""


@dataclass(frozen=True)
class Checkup:
    """What training did to a network, measured on probe inputs; made by `checkup`.

    Attributes
    ----------
    points : int
        How many probe inputs there were.
    linearisation_error : float
        ‖Δf − J₀Δθ‖/‖Δf‖: the share of the change of the outputs that the linear model at the start
        does not explain. The number to begin with.
    kernel_change, kernel_rotation, kernel_growth : float
        ‖K₁ − K₀‖/‖K₀‖, 1 − cos(K₀, K₁) and ‖K₁‖/‖K₀‖ of the empirical tangent kernel. A kernel that
        doubles and keeps its direction has a rotation of 0 and is not lazy.
    output_change : float
        ‖Δf‖/‖f₀‖.
    weight_change : dict
        ‖ΔW‖/‖W₀‖ by the name of the weight.
    feature_change, coordinate_change : dict
        The change of the hidden features, by the name of the weight that they enter: relative to
        their size before, and in root mean square per coordinate, as μP's coordinate check has it.
    alignment : tuple of LayerAlignment
        For each pair of consecutive matrices.
    label_alignment : LabelAlignment or None
        If there were labels.
    path : tuple of Moment
        At each checkpoint, and after training.
    doubts : tuple of str
        Sentences on what may make these numbers mislead; most often there are none.

    Notes
    -----
    Where the verdict changes is taken from the solvable model, whose networks from v₀ = 0
    have linearisation error 1 − √(2/(1 + K(∞)/K₀)): *lazy* up to the error 0.0025 that belongs to a
    kernel growth of 1 %, *rich* above 0.090, which belongs to the crossover 2γη|v*| = K_min, where
    the kernel grows by √2. Rich is not better as such.

    Examples
    --------
    >>> import numpy as np
    >>> from flbook import Checkup
    >>> result = Checkup.from_arrays(
    ...     outputs_before=np.zeros(32), outputs_after=np.ones(32), linear_change=np.full(32, 0.75),
    ...     kernel_before=np.eye(32), kernel_after=2 * np.eye(32),
    ... )
    >>> result.verdict, result.linearisation_error, result.kernel_change, result.kernel_rotation
    ('rich', 0.25, 1.0, 0.0)
    """

    points: int
    linearisation_error: float
    kernel_change: float
    kernel_rotation: float
    kernel_growth: float
    output_change: float
    weight_change: dict[str, float] = field(default_factory=dict)
    feature_change: dict[str, float] = field(default_factory=dict)
    coordinate_change: dict[str, float] = field(default_factory=dict)
    alignment: tuple[LayerAlignment, ...] = ()
    label_alignment: LabelAlignment | None = None
    path: tuple[Moment, ...] = ()
    doubts: tuple[str, ...] = ()

    @classmethod
    def from_arrays(
        cls,
        *,
        outputs_before: ArrayLike,
        outputs_after: ArrayLike,
        linear_change: ArrayLike,
        kernel_before: ArrayLike,
        kernel_after: ArrayLike,
        weights: Mapping[str, tuple[ArrayLike, ArrayLike]] | None = None,
        features: Mapping[str, tuple[ArrayLike, ArrayLike]] | None = None,
        pairs_before: Iterable[MatrixPair] = (),
        pairs_after: Iterable[MatrixPair] = (),
        y: ArrayLike | None = None,
        checkpoints: Sequence[tuple[ArrayLike, ArrayLike, ArrayLike]] = (),
        precision: float = 2.0**-52,
        doubts: Iterable[str] = (),
    ) -> Checkup:
        """Make a check-up from arrays that were computed elsewhere.

        Parameters
        ----------
        outputs_before, outputs_after : array, (n,) or (n, k)
            The outputs on the probe inputs.
        linear_change : array, (n,) or (n, k)
            J₀Δθ, the derivative at the start along the change of the parameters.
        kernel_before, kernel_after : array, (n, n) or (r, n, n)
            The tangent kernel, or those of r scalar outputs.
        weights, features : mapping of str to pairs of arrays, optional
            Before and after: each weight, and the hidden features (n, …) that enter it.
        pairs_before, pairs_after : iterable of tuples
            (name, name, matrix, matrix) of weights that follow each other, each matrix (out, in),
            the lower one first.
        y : array, (n,) or (n, c), optional
            The labels; integers (n,) are classes.
        checkpoints : sequence of tuples
            (outputs, linear_change, kernel) at moments between, in their order.
        precision : float
            The rounding unit that the outputs were computed with.
        doubts : iterable of str
            Sentences on what may make these numbers mislead.

        Raises
        ------
        TypeError, ValueError
            If shapes do not fit each other, a number is not finite, there are fewer than two probe
            inputs, or the outputs did not change.
        """
        start = finite("outputs_before", outputs_before)
        if start.ndim == 0 or len(start) < 2:
            raise ValueError(f"outputs_before must be of two or more inputs, got {start.shape}")
        n = len(start)
        size = float(np.linalg.norm(start))
        kernel = finite("kernel_before", kernel_before, (n, n))

        def moment(place: str, outputs: ArrayLike, linear: ArrayLike, other: ArrayLike) -> Moment:
            change = finite(f"outputs{place}", outputs, start.shape) - start
            matrix = finite(f"kernel{place}", other, kernel.shape)
            part = finite(f"linear_change{place}", linear, start.shape)
            still = np.linalg.norm(change) <= precision * size
            return Moment(
                0.0 if still else measure.linearisation_error(change, part),
                measure.kernel_change(kernel, matrix),
                measure.kernel_rotation(kernel, matrix),
            )

        between = [moment(f" of checkpoints[{i}]", *c) for i, c in enumerate(checkpoints)]
        last = moment("_after", outputs_after, linear_change, kernel_after)
        moved = float(np.linalg.norm(finite("outputs_after", outputs_after) - start))
        if moved <= 8 * precision * size or moved == 0:
            raise ValueError(
                "outputs_after must differ from outputs_before beyond rounding, got a change of "
                f"{moved:.1e} in outputs of size {size:.1e}: nothing was learned on these inputs"
            )
        matrices = {k: (finite(k, a), finite(k, b)) for k, (a, b) in (weights or {}).items()}
        hidden = {k: (finite(k, a), finite(k, b)) for k, (a, b) in (features or {}).items()}
        layers = tuple(aligned(*both) for both in zip(pairs_before, pairs_after, strict=True))
        after = np.asarray(kernel_after, np.float64)
        labelled = None
        if y is not None:
            labels = measure.label_matrix(finite("y", y) if _floating(y) else np.asarray(y))
            if len(labels) != n:
                raise ValueError(f"y must have a row for each of the {n} inputs, got {len(labels)}")
            first = measure.label_alignment(kernel, labels)[0]
            labelled = LabelAlignment(first, *measure.label_alignment(after, labels))
        noise = precision * size / moved
        return cls(
            points=n,
            linearisation_error=last.linearisation_error,
            kernel_change=last.kernel_change,
            kernel_rotation=last.kernel_rotation,
            kernel_growth=measure.kernel_growth(kernel, after),
            output_change=measure.relative_change(start, np.asarray(outputs_after)),
            weight_change={k: measure.relative_change(*ab) for k, ab in matrices.items()},
            feature_change={k: measure.relative_change(*ab) for k, ab in hidden.items()},
            coordinate_change={
                k: float(np.sqrt(np.mean((b - a) ** 2))) for k, (a, b) in hidden.items()
            },
            alignment=layers,
            label_alignment=labelled,
            path=(*between, last),
            doubts=(*doubts, *_doubts(n, noise, last)),
        )

    @property
    def largest(self) -> Moment:
        """The largest value of each number along `path`: a kernel can come back."""
        end = Moment(self.linearisation_error, self.kernel_change, self.kernel_rotation)
        return Moment(*(max(values) for values in zip(end, *self.path, strict=True)))

    @property
    def equivalent_kernel_growth(self) -> float:
        """The K(∞)/K₀ at which the solvable model has this linearisation error."""
        return measure.equivalent_kernel_growth(self.linearisation_error)

    @property
    def verdict(self) -> str:
        """Return "lazy", "in between" or "rich", by the largest linearisation error on the way."""
        return knob.verdict(self.largest.linearisation_error)

    @property
    def distance(self) -> float | None:
        """The factor on the output scale that leads to the boundary of rich; above 1 if rich.

        It is that of f − f₀, with the learning rates divided by its square; the report says within
        which factor it is to be trusted, which is wider far from the boundary. Infinite where the
        linearisation error says no more how far a network is in, from 0.99 on, and None where
        the outputs change by less than twice their size at the start, and so cannot say.
        """
        if self.output_change < START_COUNTS:
            return None
        return knob.boundary_factor(self.largest.linearisation_error)

    @property
    def mechanism(self) -> str:
        """What the learning did: "kernel", "alignment", "disalignment", "rescaling", "turning".

        "kernel" where the verdict is lazy. Else the larger of two logarithms, summed over pairs of
        layers, names it: of their alignment (up or down) and of the product of their norms. Where
        no pairs are known the kernel alone must tell: "rescaling" if it grew or shrank by more than
        it turned, and "turning" otherwise.
        """
        return report.mechanism(self)

    @property
    def advice(self) -> tuple[str, ...]:
        """What the numbers mean, and which knob moves them which way, in sentences."""
        return report.advice(self)

    def table(self) -> Table:
        """Return the measures layer by layer; alignment stands in the row of the lower layer."""
        return report.table(self)

    def figure(self) -> Any:
        """Return a matplotlib figure: what moved, and what aligned, layer by layer."""
        # The figures stand above the measures; only this call needs them, and matplotlib.
        return import_module("flbook.figures").checkup_figure(self)

    def __str__(self) -> str:
        return report.text(self)

    __repr__ = __str__


def _floating(y: ArrayLike) -> bool:
    return np.asarray(y).dtype.kind == "f"


def _doubts(points: int, noise: float, last: Moment) -> Iterable[str]:
    if points < FEW_POINTS:
        yield f"only {points} probe inputs; {FEW_POINTS} or more say what holds for others too"
    if noise > last.linearisation_error / 10:
        yield (
            f"the outputs changed so little that rounding alone makes an error of {noise:.1e}; "
            "double precision would tell"
        )
    lazy = last.linearisation_error <= knob.LAZY_ERROR
    if lazy and last.kernel_change > MOVED:
        yield (
            f"the outputs changed as a linear model's would, and yet the kernel changed by "
            f"{last.kernel_change:.2g}: do not call it lazy on these inputs alone"
        )

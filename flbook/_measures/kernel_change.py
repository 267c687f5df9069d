"""How far training took any model from its linearisation: in outputs, kernel, layers, features.

Arrays in, numbers out; no model and no framework. Kernels are (n, n), or stacks (r, n, n) of the
kernels of r scalar outputs, which are then measured as one.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from flbook._support.arrays import FloatArray

__all__ = [
    "chance_alignment",
    "equivalent_kernel_growth",
    "kernel_change",
    "kernel_growth",
    "kernel_rotation",
    "label_alignment",
    "label_matrix",
    "layer_alignment",
    "linearisation_error",
    "matching_error",
    "relative_change",
]


def relative_change(before: ArrayLike, after: ArrayLike) -> float:
    """Return ‖after − before‖/‖before‖; from zero to something it is infinite.

    Examples
    --------
    >>> relative_change([3.0, 4.0], [3.0, 9.0])
    1.0
    """
    start, end = np.asarray(before, np.float64), np.asarray(after, np.float64)
    return _over(_norm(end - start), _norm(start))


def linearisation_error(change: ArrayLike, linear_change: ArrayLike) -> float:
    """Return ‖Δf − J₀Δθ‖/‖Δf‖, the share of the outputs' change that no linear model explains.

    `change` is Δf = f(after) − f(before), `linear_change` is J₀Δθ, the derivative at the start
    along the way that the parameters went. 0 for a model that is linear in its parameters.

    Examples
    --------
    >>> linearisation_error([2.0, 0.0], [1.5, 0.0])
    0.25
    """
    return relative_change(change, linear_change)


def equivalent_kernel_growth(error: float) -> float:
    """Return the K(∞)/K(0) at which the solvable model has this linearisation error.

    From v₀ = 0 the two determine each other, whatever the layers and the rates that the kernel
    contains: with θ the hyperbolic angle that training travels, v grows like sinh θ, its linear
    part like 2 sinh(θ/2), and K/K₀ = cosh θ. So

        error = 1 − √(2/(1 + K(∞)/K₀)),   K(∞)/K₀ = 2/(1 − error)² − 1.

    Infinite from an error of 1 on, where the solvable model has no equal.

    Examples
    --------
    >>> print(f"{equivalent_kernel_growth(0.5):.3f}")
    7.000
    """
    return 2 / (1 - error) ** 2 - 1 if error < 1 else math.inf


def matching_error(growth: float) -> float:
    """Return the linearisation error of the solvable model whose kernel grows by that factor.

    Examples
    --------
    >>> print(f"{matching_error(2**0.5):.4f}")
    0.0898
    """
    return 1 - math.sqrt(2 / (1 + growth))


def kernel_change(before: ArrayLike, after: ArrayLike) -> float:
    """Return ‖K₁ − K₀‖/‖K₀‖, size and direction together.

    Examples
    --------
    >>> kernel_change([[1.0, 0.0], [0.0, 1.0]], [[2.0, 0.0], [0.0, 2.0]])
    1.0
    """
    return relative_change(before, after)


def kernel_growth(before: ArrayLike, after: ArrayLike) -> float:
    """Return ‖K₁‖/‖K₀‖, the change of size alone.

    Examples
    --------
    >>> kernel_growth([[1.0, 0.0], [0.0, 1.0]], [[2.0, 0.0], [0.0, 2.0]])
    2.0
    """
    return _over(_norm(np.asarray(after, np.float64)), _norm(np.asarray(before, np.float64)))


def kernel_rotation(before: ArrayLike, after: ArrayLike) -> float:
    """Return 1 − cos(K₀, K₁), the change of direction alone: 0 while the kernel only grows.

    Examples
    --------
    >>> kernel_rotation([[1.0, 0.0], [0.0, 1.0]], [[2.0, 0.0], [0.0, 2.0]])
    0.0
    """
    start, end = np.asarray(before, np.float64), np.asarray(after, np.float64)
    sizes = _norm(start), _norm(end)
    if 0 in sizes:
        return 0.0 if sizes[0] == sizes[1] else 1.0
    # ½|a − b|² of unit vectors keeps the digits that 1 − a·b loses
    return float(_norm(start / sizes[0] - end / sizes[1]) ** 2 / 2)


def layer_alignment(lower: ArrayLike, upper: ArrayLike) -> float:
    """Return ζ = ‖BA‖/(‖A‖‖B‖), Frobenius norms, of a matrix A and the matrix B above it.

    For one input and one output it is |u·w|/(|u||w|), the alignment of the book. 1 when both are of
    rank one and fit; a random rotation between them gives 1/√d on the average of squares, where d
    is the number of neurons between them (see `chance_alignment`).

    Examples
    --------
    >>> layer_alignment([[3.0], [4.0]], [[4.0, 3.0]])
    0.96
    """
    a, b = np.asarray(lower, np.float64), np.asarray(upper, np.float64)
    return _over(_norm(b @ a), _norm(a) * _norm(b))


def chance_alignment(neurons: int) -> float:
    """Return 1/√d, the alignment of matrices that know nothing of each other.

    Examples
    --------
    >>> chance_alignment(100)
    0.1
    """
    return 1 / math.sqrt(neurons)


def label_matrix(y: ArrayLike) -> FloatArray:
    """Return labels as a matrix (n, c): integers (n,) one-hot, anything else as it is.

    Examples
    --------
    >>> label_matrix([2, 0, 2]).tolist()
    [[0.0, 1.0], [1.0, 0.0], [0.0, 1.0]]
    """
    labels = np.asarray(y)
    if labels.ndim == 1 and labels.dtype.kind in "iub":
        return (labels[:, None] == np.unique(labels)).astype(np.float64)
    return labels.astype(np.float64).reshape(len(labels), -1)


def label_alignment(kernel: ArrayLike, labels: ArrayLike) -> tuple[float, float]:
    """Return how well a kernel fits the labels, and how well it would by chance.

    The first number is the cosine between the kernel and the labels' own kernel YYᵀ, both centred;
    the second is its mean over all orders that the labels could have stood in.

    Parameters
    ----------
    kernel : array, (n, n) or (r, n, n)
        A stack is averaged.
    labels : array, (n, c)
        As made by `label_matrix`.

    Examples
    --------
    >>> label_alignment([[1.0, -1.0], [-1.0, 1.0]], [[1.0], [-1.0]])
    (1.0, 1.0)
    """
    matrix, y = np.asarray(kernel, np.float64), np.asarray(labels, np.float64)
    if matrix.ndim == 3:
        matrix = matrix.mean(axis=0)
    matrix = matrix - matrix.mean(axis=0)
    matrix = matrix - matrix.mean(axis=1, keepdims=True)
    y = y - y.mean(axis=0)
    gram = y @ y.T
    sizes = _norm(matrix) * _norm(gram)
    by_chance = np.trace(matrix) * np.trace(gram) / max(len(gram) - 1, 1)
    return _over(float(np.sum(matrix * gram)), sizes), _over(float(by_chance), sizes)


def _norm(array: FloatArray) -> float:
    """Return the Euclidean norm of all entries, safe from over- and underflow."""
    largest = float(np.max(np.abs(array), initial=0.0))
    if largest == 0 or not math.isfinite(largest):
        return largest
    return largest * float(np.linalg.norm((array / largest).ravel()))


def _over(numerator: float, denominator: float) -> float:
    """Return a ratio where 0/0 is 0 and x/0 infinite."""
    if denominator == 0:
        return 0.0 if numerator == 0 else math.inf
    return numerator / denominator

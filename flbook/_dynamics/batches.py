"""The examples that every step of a stochastic descent sees, and the noise on their labels."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flbook._support.arrays import FloatArray, ValueObject, broadcast_shape
from flbook._support.checks import LARGEST_WHOLE, real, refuse_where
from flbook._support.seeds import stream

__all__ = ["Batches", "Drawn", "Given", "refuse_larger"]

# Random numbers drawn at once, and the most steps that they are for.
DRAWN, LONGEST = 2**18, 2**10


@dataclass(frozen=True, eq=False)
class Batches(ValueObject):
    """Which examples the steps of a stochastic descent see, and what is added to their labels.

    Parameters
    ----------
    index : array of int, shape (steps, batch) or (steps, ..., batch)
        The examples of every step, counted from 0. Axes between the first and the last belong to
        different paths and broadcast to the shape of the networks; without them all paths share
        the batches.
    noise : array of float, default 0
        What is added to the labels of these examples, in this step alone; broadcasts to the shape
        of `index`.

    Examples
    --------
    >>> from flbook import Batches
    >>> Batches([[0, 1], [2, 2], [1, 0]]).noise.shape
    (3, 2)
    """

    index: NDArray[np.int64]
    noise: FloatArray = 0.0  # type: ignore[assignment]

    def __post_init__(self) -> None:
        index = np.asarray(self.index)
        if index.dtype.kind not in "iu":
            raise TypeError(f"index must be an array of whole numbers, got {self.index!r}")
        if index.ndim < 2 or index.shape[-1] == 0:
            raise ValueError(
                f"index must have shape (steps, batch) or (steps, ..., batch), got {index.shape}"
            )
        refuse_where(index < 0, "index", index, "at least 0")
        noise = np.asarray(real("noise", self.noise))
        if broadcast_shape(index=index.shape, noise=noise.shape) != index.shape:
            raise ValueError(
                f"noise must broadcast to the shape {index.shape} of index, got {noise.shape}"
            )
        for name, value in (("index", index.astype(np.int64)), ("noise", noise)):
            value = np.array(np.broadcast_to(value, index.shape))
            value.flags.writeable = False
            object.__setattr__(self, name, value)

    @classmethod
    def _trusted(cls, index: NDArray[np.int64], noise: FloatArray) -> Batches:
        """Wrap arrays of one shape that are what they should be."""
        batches = object.__new__(cls)
        object.__setattr__(batches, "index", index)
        object.__setattr__(batches, "noise", noise)
        return batches

    @property
    def steps(self) -> int:
        """For how many steps these are."""
        return len(self.index)

    @property
    def size(self) -> int:
        """How many examples a step sees."""
        return self.index.shape[-1]


def refuse_larger(batch_size: int, examples: int) -> None:
    """Raise ValueError if a batch of different examples would be larger than the data.

    Examples
    --------
    >>> refuse_larger(3, 2)
    Traceback (most recent call last):
        ...
    ValueError: batch_size must be at most 2, the number of examples, got 3
    """
    if batch_size > examples:
        raise ValueError(
            f"batch_size must be at most {examples}, the number of examples, got {batch_size}"
        )


class Given:
    """Batches from outside, the same for every question."""

    def __init__(self, batches: Batches, examples: int, shape: tuple[int, ...]) -> None:
        index = batches.index
        refuse_where(index >= examples, "batches", index, f"made of examples 0 to {examples - 1}")
        paths = index.shape[1:-1]
        if broadcast_shape(batches=paths, networks=shape) != shape:
            raise ValueError(
                f"batches must have paths that broadcast to the shape {shape} of the networks, "
                f"got {paths}"
            )
        self.batches, self.size, self.steps = batches, batches.size, batches.steps
        self.whole = False

    def around(self, step: int) -> tuple[int, Batches]:
        """Return the first step of the block that holds `step`, and the block."""
        return 1, self.batches


class Drawn:
    """Batches drawn at random: step n is the same however and whenever it is asked for.

    The examples of one batch are different ones; the batches of different steps, and of different
    paths, know nothing of each other. Whole blocks of steps have a stream of random numbers each.
    """

    def __init__(
        self, seed: Any, examples: int, size: int, label_noise: float, shape: tuple[int, ...]
    ) -> None:
        self.seed, self.examples, self.size, self.label_noise = seed, examples, size, label_noise
        self.shape, self.whole, self.steps = shape, size == examples, LARGEST_WHOLE
        numbers = size if size in (1, examples) else examples
        self.length = min(LONGEST, max(1, DRAWN // (numbers * max(1, math.prod(shape)))))

    def around(self, step: int) -> tuple[int, Batches]:
        """Return the first step of the block that holds `step`, and the block."""
        block = (step - 1) // self.length
        random = stream(self.seed, block)
        shape = (self.length, *self.shape)
        if self.whole:
            index = np.broadcast_to(np.arange(self.examples), (*shape, self.examples))
        elif self.size == 1:
            index = random.integers(self.examples, size=(*shape, 1))
        else:
            every = np.broadcast_to(np.arange(self.examples), (*shape, self.examples))
            index = random.permuted(every, axis=-1)[..., : self.size]
        noise = np.broadcast_to(0.0, index.shape)
        if self.label_noise > 0:
            noise = self.label_noise * random.standard_normal(index.shape)
        return block * self.length + 1, Batches._trusted(index, noise)

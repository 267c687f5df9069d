"""Seeds: what random numbers are drawn from, so that they can be drawn again."""

from __future__ import annotations

import numpy as np

from flbook._support.arrays import Seed

__all__ = ["repeatable", "stream"]


def repeatable(seed: Seed) -> int | np.random.SeedSequence:
    """Return a seed that gives the same draws every time; a generator is asked for one."""
    if isinstance(seed, np.random.Generator):
        return np.random.SeedSequence(seed.integers(2**32, size=8).tolist())
    if seed is None:
        return np.random.SeedSequence()
    np.random.default_rng(seed)
    return seed


def stream(seed: int | np.random.SeedSequence, number: int) -> np.random.Generator:
    """Return the generator of this number, one of many independent ones of a seed.

    Examples
    --------
    >>> first, again = stream(7, 3), stream(7, 3)
    >>> bool(first.random() == again.random())
    True
    """
    root = seed if isinstance(seed, np.random.SeedSequence) else np.random.SeedSequence(seed)
    key = (*root.spawn_key, number)
    return np.random.default_rng(np.random.SeedSequence(root.entropy, spawn_key=key))

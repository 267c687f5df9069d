"""The random numbers of the explorer of noisy steps, from its description, one by one."""

import math

BITS = 2**32


def scrambled(number: int) -> int:
    """Scramble a word of 32 bits: spread it, then fold and multiply it twice, and fold it."""
    word = number * 0x9E3779B1 % BITS
    for _ in range(2):
        word = (word ^ word // 2**16) * 0x45D9F3B % BITS
    return word ^ word // 2**16


def step(n: int, path: int = 0) -> tuple[int, float]:
    """Return the example and the standard normal noise of step n, counted from 1."""
    first, second = (scrambled(path * 2**20 + 2 * n + i) for i in (0, 1))
    radius = math.sqrt(-2 * math.log((first + 0.5) / BITS))
    return first % 2, radius * math.cos(2 * math.pi * (second + 0.5) / BITS)

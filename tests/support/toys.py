"""Functions of a point that misbehave on purpose, where other processes can import them."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import numpy as np


def draw(scale: float, seed: int) -> dict:
    """Return a number and a curve that depend on the seed alone."""
    random = np.random.default_rng(seed)
    return {"value": scale * random.normal(), "curve": scale * random.normal(size=3)}


def draw_but_die_once(scale: float, seed: int, marker: str) -> dict:
    """Draw; the first process that is asked for the seed 3 dies."""
    time.sleep(0.01)
    if seed == 3 and not Path(marker).exists():
        Path(marker).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return draw(scale, seed)


def square(number: int, deadly: int = -1, wrong: int = -1) -> dict:
    """Return a square; one number kills its worker, every time, and one raises."""
    if number == deadly:
        os.kill(os.getpid(), signal.SIGKILL)
    if number == wrong:
        raise ArithmeticError(f"no square for {number}")
    return {"square": number**2}


def threads(number: int) -> dict:
    """Return how many threads BLAS and XLA may use in this process."""
    import jax.numpy as jnp
    from threadpoolctl import threadpool_info

    jnp.ones((64, 64)).dot(jnp.ones((64, 64))).block_until_ready()
    blas = max((p["num_threads"] for p in threadpool_info() if p["user_api"] == "blas"), default=1)
    names = [path.read_text() for path in Path("/proc/self/task").glob("*/comm")]
    return {"pid": os.getpid(), "blas": blas, "xla": sum("XLAEigen" in name for name in names)}


def where(number: int) -> dict:
    """Return the process that this runs in."""
    return {"pid": os.getpid()}

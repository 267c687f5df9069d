"""What the experiments on the knob have in common."""

from typing import Any

import numpy as np
from sklearn.datasets import load_digits

from flbook import Checkup

SCALES = [float(f"{scale:.3g}") for scale in np.geomspace(0.1, 10_000, 7)]
SEEDS = range(3)
LEARNED = 0.3
"""Training ends at this share of the loss at the start."""


def digits(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return images in [−1, 1] and their labels as centred one-hot rows."""
    images, labels = load_digits(return_X_y=True)
    chosen = np.random.default_rng(0).permutation(len(images))[:count]
    return images[chosen] / 8 - 1, np.eye(10)[labels[chosen]] - 0.1


def told(scale: float, steps: int, left: float, result: Checkup) -> dict[str, Any]:
    """Return what is kept of a run at an output scale, and of its check-up."""
    foreseen = result.distance is not None and np.isfinite(result.distance)
    return {
        "steps": steps,
        "loss_left": left,
        "linearisation_error": result.linearisation_error,
        "kernel_change": result.kernel_change,
        "kernel_rotation": result.kernel_rotation,
        "kernel_growth": result.kernel_growth,
        "verdict": result.verdict,
        "mechanism": result.mechanism,
        "predicted": scale * result.distance if foreseen else None,
    }

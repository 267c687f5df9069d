"""What the experiments on the knob have in common."""

import numpy as np

SCALES = [float(f"{scale:.3g}") for scale in np.geomspace(0.1, 10_000, 7)]
SEEDS = range(3)
LEARNED = 0.3
"""Training ends at this share of the loss at the start."""

"""The named parametrisations: phase, speed, kernel change and alignment at every width.

``python benchmarks/named_scalings.py`` prints K(∞)/K(0) − 1 and |ζ(∞)| at the widths 10² … 10¹² for
a task with m = c = E[y²] = 1. "theory" is the formula at the typical random start, both chi-squares
at their means and the overlap z at the median of its size. "ensemble" is the median over 100 000
random networks.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

import flbook as fl

WIDTHS = 10 ** np.arange(2, 13)
MEDIAN_OVERLAP = float(norm.ppf(0.75))
TASK = fl.Task(1.0, 1.0, 1.0)
SIZE = 100_000

Column = NDArray[np.float64]


def theory(network: fl.Network) -> tuple[Column, Column]:
    """Return K(∞)/K(0) − 1 and |ζ(∞)| for v* = 1, in closed form."""
    gram = network.typical_gram(MEDIAN_OVERLAP)
    kernel = network.gamma**2 * (network.eta_w * gram.uu + network.eta_u * gram.ww)
    signal = 4 * network.gamma**2 * network.eta_u * network.eta_w
    gained = signal * (1 - (network.gamma * gram.uw) ** 2)
    drift = gained / (kernel * (kernel + np.sqrt(kernel**2 + gained)))
    return np.asarray(drift), 1 / np.hypot(1, network.gamma * gram.root_determinant)


def ensemble(network: fl.Network) -> tuple[Column, Column]:
    """Return the medians of the same over random networks."""
    networks = fl.Ensemble(network, TASK, SIZE, seed=0)
    drift, zeta = networks.kernel_drift, np.abs(networks.final_alignment)
    return np.median(drift, axis=0), np.median(zeta, axis=0)


if __name__ == "__main__":
    for name, scaling in fl.SCALINGS.items():
        network = scaling.at_width(WIDTHS)
        columns = zip(*theory(network), *ensemble(network), strict=True)
        print(f"\n{name}: phase {scaling.phase().value}, speed {scaling.speed()}")
        print(f"{'':>8}{'K(∞)/K(0) − 1':>24}{'|ζ(∞)|':>24}")
        print(f"{'d':>8}" + 2 * f"{'theory':>12}{'ensemble':>12}")
        for width, (drift, zeta, median_drift, median_zeta) in zip(WIDTHS, columns, strict=True):
            numbers = (drift, median_drift, zeta, median_zeta)
            power = f"10^{round(np.log10(width))}"
            print(f"{power:>8}" + "".join(f"{number:>12.4g}" for number in numbers))

"""What becomes of gradient descent with finite steps: fates, final kernels, and their boundary.

All in units of one step: the target γηm v*, the start γηm v(0), and the sharpness mK(0). A portrait
from balanced layers, the boundary of divergence by bisection, and the fates of random networks with
unequal rates and unbalanced layers that share target and start.
"""

import numpy as np

import flbook as fl
from flbook import sweeps

PORTRAIT = np.arange(0.05, 5, 0.1)
HIGHEST, NETWORKS, STEPS = 6.0, 2000, 4000
LEVELS, PARTS = 8, 33

GRID = sweeps.Grid(target=[0.01, *np.arange(1, 23) / 10], start=[-0.25, 0.0, 0.25], seed=0)
QUICK = sweeps.Grid(target=[0.5, 1.2], start=0.25, seed=0)


def descent(sharpness, target, start, *, m=1.0, gamma=1.0, eta_u=1.0, eta_w=1.0, balance=0.0):
    """Return descents of this mK(0); `balance` is γ²Δ/K(0), between −1 and 1."""
    couple = gamma * m * np.sqrt(eta_u * eta_w)
    kernel = sharpness / (m * gamma**2)
    gram = fl.Gram(
        kernel * (1 + balance) / (2 * eta_w),
        start / couple / gamma,
        kernel * (1 - balance) / (2 * eta_u),
    )
    slope = target / couple
    task = fl.Task(m, m * slope, m * slope**2 * (1 + 1e-9))
    return fl.GradientDescent(fl.Network(2, gamma=gamma, eta_u=eta_u, eta_w=eta_w), task, gram)


def boundary(target, start):
    """Return the mK(0) beyond which the first descent diverges, or None if all of them do."""
    low, high = 2 * abs(start) + 1e-9, 2 * HIGHEST
    for _ in range(LEVELS):
        sharpness = np.linspace(low, high, PARTS)
        found = fl.descent_fate(descent(sharpness, target, start), steps=STEPS)
        gone = np.flatnonzero(np.equal(found.fate, fl.Fate.DIVERGES))
        if gone[0] == 0:
            return None
        low, high = sharpness[gone[0] - 1], sharpness[gone[0]]
    return (low + high) / 2


def ensemble(target, start, seed):
    """Return random networks of any width, with mK(0) drawn evenly from what there is to 6."""
    random = np.random.default_rng([seed, round(100 * target), round(100 * start + 100)])
    sharpness = random.uniform(2 * abs(start), HIGHEST, NETWORKS)
    # uu·ww ≥ uw² leaves this much room for the imbalance
    room = np.sqrt(1 - (2 * start / sharpness) ** 2)
    rates = np.exp(random.uniform(-3, 3, (4, NETWORKS)))
    names = dict(zip(("m", "gamma", "eta_u", "eta_w"), rates, strict=True))
    balance = room * random.uniform(-0.99, 0.99, NETWORKS)
    return descent(sharpness, target, start, balance=balance, **names)


def point(target, start, seed):
    """Return the portrait, the boundary and the shares at one target and one start."""
    sharpness = PORTRAIT[2 * abs(start) < PORTRAIT]
    portrait = fl.descent_fate(descent(sharpness, target, start), steps=STEPS)
    many = fl.descent_fate(ensemble(target, start, seed), steps=STEPS)
    fates = np.asarray(many.fate, dtype=object)
    return {
        "sharpness": sharpness,
        "fate": [fate.value for fate in np.asarray(portrait.fate, dtype=object)],
        "kernel_ratio": [None if np.isinf(x) else float(x) for x in portrait.kernel_ratio],
        "boundary": boundary(target, start),
        "shares": {kind.value: float(np.mean(np.equal(fates, kind))) for kind in fl.Fate},
        "settled_past_boundary": int(np.sum(many.settled & (many.margin < 0))),
        "diverged_before_it": int(np.sum(np.equal(fates, fl.Fate.DIVERGES) & (many.margin > 0))),
    }


if __name__ == "__main__":
    sweeps.main(point, GRID, QUICK)

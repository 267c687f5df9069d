"""What the noise of minibatches and labels does: erosion, the way to the rich side, plateaus.

The data are `EXAMPLES` evenly spaced inputs of second moment 1 on a line, with labels y = x (so
v* = 1), plus `beside` · cos 5x, which no line fits, centred so that v* stays. Batches are drawn
afresh for every step, and normal noise of standard deviation `label_noise` is added to every label
seen. h is the turn of a step, γη(m_B v − c_B).

- part "erosion": NTK, a random start for every path. From step `SETTLED` on, over `WINDOW` steps
  and `PATHS` paths: `rate`, half of what ln D loses per step (its mean, with standard error
  `error`), and `fluctuation`, the mean of (v − v*)². `predicted_rate` and
  `predicted_fluctuation` are derived, by `fl.GradientNoise`, at the kernels of these networks.
- part "rich": NTK. `start` is K_min/(2γηv*) at the start, `steps` how long it takes to sink to 1,
  on one path, and `predicted` how long by `fl.GradientNoise`. The noise is stronger where the
  network is wide, since it takes the longer.
- part "plateau": γ = 1, both layers of size `scale` (|u| = |w|, perpendicular). Over `PATHS` paths,
  the steps until v first reaches v*/2: mean and quartiles, over those that reach it in `LONGEST`
  steps, and the share `never` of the others. `growth` is E ln|1 + γηc_B|, by which the logarithm
  of the growing mode moves per step while v is small.
"""

import numpy as np

import flbook as fl
from flbook import sweeps

EXAMPLES, PATHS, SETTLED, WINDOW, LONGEST = 16, 400, 500, 1000, 20_000
PLATEAU_RATE, WIDTH = 0.05, 100
TOLERANCE = 1e-3

GRID = sweeps.Grid(
    part="erosion",
    width=[100, 10_000, 1_000_000],
    eta=0.2,
    batch_size=[1, 4, 16],
    label_noise=[0.3, 1.0, 3.0],
    beside=0.3,
)
GRID += sweeps.Grid(
    part="erosion",
    width=100,
    eta=[0.05, 0.2],
    batch_size=[1, 4],
    label_noise=0.0,
    beside=[0.3, 1.0],
)
for noise, widths in (
    (3.0, [100, 1000, 10_000, 100_000]),
    (30.0, [10**6, 10**7]),
    (100.0, [10**8]),
):
    GRID += sweeps.Grid(part="rich", width=widths, eta=0.3, label_noise=noise, seed=range(5))
GRID += sweeps.Grid(
    part="plateau",
    scale=[0.1, 0.01, 0.001, 0.0001],
    label_noise=[0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 8.0, 20.0],
)
QUICK = sweeps.Grid(part="rich", width=[100, 1000], eta=0.3, label_noise=3.0, seed=7)


def data(beside=0.0):
    """Return inputs and labels whose best line has slope 1."""
    x = np.linspace(-1, 1, EXAMPLES)
    x /= np.sqrt(np.mean(x * x))
    bend = np.cos(5 * x)
    return x, x + beside * (bend - np.mean(x * bend) * x)


def ntk(width, eta):
    """Return the network in NTK scaling, with the rates of one step."""
    return fl.Network(width, gamma=width**-0.5, eta_u=eta, eta_w=eta)


def erosion(width, eta, batch_size, label_noise, beside):
    """Measure how fast D sinks once the error has settled, and derive it."""
    network, (x, y) = ntk(width, eta), data(beside)
    run = fl.StochasticDescent(
        network,
        x,
        y,
        network.sample_gram(PATHS, seed=width),
        batch_size=batch_size,
        label_noise=label_noise,
        seed=1,
    )
    state = run.at(np.linspace(SETTLED, SETTLED + WINDOW, 51).round())
    noise = fl.GradientNoise(x, y, batch_size, label_noise)
    lost = -np.log(state.determinant[:, -1] / state.determinant[:, 0]) / (2 * WINDOW)
    return {
        "kernel": state.kernel.mean(),
        "rate": lost.mean(),
        "error": lost.std() / np.sqrt(PATHS),
        "predicted_rate": noise.erosion(network, state.kernel).mean(),
        "fluctuation": np.mean(state.residual**2),
        "predicted_fluctuation": noise.fluctuation(state.kernel).mean(),
    }


def floor(network, state):
    """Return K_min of a state."""
    eta = np.sqrt(network.eta_u * network.eta_w)
    return network.gamma**2 * np.hypot(state.imbalance, 2 * eta * np.sqrt(state.determinant))


def rich(width, eta, label_noise, seed):
    """Wait until noise has taken a lazy network to where its kernel is that of a rich one."""
    network, (x, y) = ntk(width, eta), data()
    gram = network.sample_gram(seed=seed)
    run = fl.StochasticDescent(network, x, y, gram, label_noise=label_noise, seed=seed)
    start, boundary = floor(network, run.at(0)), 2 * network.gamma * eta
    noise = fl.GradientNoise(x, y, label_noise=label_noise)
    predicted = float(noise.steps_to_sink(network, start, boundary))
    found, part = 0.0, predicted / 200
    while True:
        now = found + np.arange(201) * max(1.0, round(part))
        height = floor(network, run.at(now))
        if height[-1] <= boundary:
            steps = np.interp(-np.log(boundary), -np.log(height), now)
            return {"start": start / boundary, "steps": steps, "predicted": predicted}
        found = now[-1]


def plateau(scale, label_noise):
    """Wait until v reaches half its target from a tiny start."""
    x, y = data()
    network = fl.Network(WIDTH, eta_u=PLATEAU_RATE, eta_w=PLATEAU_RATE)
    gram = fl.Gram(np.full(PATHS, scale**2), 0.0, scale**2)
    run = fl.StochasticDescent(network, x, y, gram, label_noise=label_noise, seed=2)
    waits = np.full(PATHS, np.nan)
    for first in range(0, LONGEST, 200):
        reached = run.slope(np.arange(first, first + 200)) >= 0.5
        new = np.isnan(waits) & reached.any(axis=1)
        waits[new] = first + reached[new].argmax(axis=1)
        if not np.isnan(waits).any():
            break
    low, median, high = np.nanquantile(waits, [0.25, 0.5, 0.75])
    return {
        "mean": np.nanmean(waits),
        "low": low,
        "median": median,
        "high": high,
        "never": np.mean(np.isnan(waits)),
        "growth": fl.GradientNoise(x, y, label_noise=label_noise).growth(network),
    }


def point(part, **setting):
    """Run one point of a part."""
    return {"erosion": erosion, "rich": rich, "plateau": plateau}[part](**setting)


if __name__ == "__main__":
    sweeps.main(point, GRID, QUICK)

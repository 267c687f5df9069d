"""Two layers, width 10 000: the alignment from two starts, for five activations and two losses.

The network is f(x) = (1/d) Σᵢ uᵢ φ(wᵢ x), both layers learn at the rate d·η, and the data have one
feature, so that the linear network is exactly the solvable model.

- Data, of scikit-learn, 32 examples each, one feature of mean 0 and variance 1. "regression" has
  the body mass index of diabetes patients against the progression of the disease, standardised too,
  and half the mean square error; "classification" has the radius of a tumour against whether it is
  malignant, which the feature alone cannot tell without error, and the cross-entropy of one logit.
- Scales: both layers start with σ² = `scale` · v*/b, where v* is the slope of a linear model
  and b the slope of the activation, at 0 or (ReLUs) on the average of both sides, so that at
  `scale` = 1 the network could just represent v* if its layers were aligned.
- Starts: "align" is random, so its alignment is about ±1/√d; "disalign" has the alignment 0.95.
- Rates: η · 2 b v* · max(1, scale) is 0.1 in regression and 4 in classification.

A row holds, at each recorded step, the quantiles over the seeds of: the alignment ζ = u·w/(|u||w|);
the slope of the outputs against x; the loss; and the size of the tangent kernel (its mean over the
examples of the diagonal, for η = 1). `zeta_solution` is where gradient flow takes ζ in the linear
network of slope b that starts at the same weights, and `agree` counts the seeds where ζ moves by
more than `SHOWS` in the same direction as in that solution, or by no more in both; `turned_back` is
the largest way that ζ went against its whole move.

For linear networks in regression, in double precision: `error_descent` is the worst error over all
steps and seeds of uu, ww and the loss (relative), v/v* and ζ (absolute) against fl.GradientDescent;
`error_flow` and `error_flow_half` are those of v/v* and ζ of seed 0 against fl.GradientFlow, with
steps 50 and 100 times smaller, on the data's moments.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from scipy.optimize import minimize_scalar

import flbook as fl
from flbook import datasets, sweeps
from flbook.networks import ACTIVATIONS, MLP, Training, aligned_start, train

EXAMPLES, RECORDS, SHOWS = 32, 14, 0.05
DATA = {"regression": ("diabetes", 2), "classification": ("breast_cancer", 0)}
LOSS = {"regression": "mse", "classification": "cross_entropy"}
STEP = {"regression": 0.1, "classification": 4.0}
SLOPE = {"linear": 1.0, "relu": 0.5, "leaky_relu": 0.505, "sigmoid": 0.25, "swish": 0.5}
ALIGNED = 0.95

SHARED = {"activation": list(SLOPE), "start": ["align", "disalign"], "width": 10_000, "seeds": 5}
GRID = sweeps.Grid(task="regression", scale=[0.1, 1.0, 3.0, 10.0, 30.0], steps=1_000, **SHARED)
GRID += sweeps.Grid(task="classification", scale=[0.1, 1.0, 3.0, 10.0], steps=2_000, **SHARED)
QUICK = sweeps.Grid(
    task=list(DATA),
    activation=["linear", "relu"],
    start=["align", "disalign"],
    scale=10.0,
    width=1_000,
    steps=500,
    seeds=2,
)


@cache
def data(task: str) -> tuple[np.ndarray, np.ndarray, float]:
    """Return inputs (n, 1), labels (n,) and the slope of the best linear model."""
    name, feature = DATA[task]
    found = datasets.load(name, n_train=EXAMPLES, dtype=np.float64)
    x = found.x_train[:, feature]
    if task == "regression":
        y = found.y_train[:, 0]
        return x[:, None], y, float(fl.Task.from_data(x, y).target)
    y = 1 - found.y_train  # 1 is malignant
    best = minimize_scalar(lambda v: np.mean(np.logaddexp(0, v * x) - y * v * x), (0.0, 1.0))
    return x[:, None], y, float(best.x)


@cache
def measures(task: str, activation: str, width: int) -> Any:
    """Return what `train` measures: one function for all scales, so that it compiles once."""
    x, phi = data(task)[0], ACTIVATIONS[activation]

    def measure(params):
        w, u = params[0][:, 0], params[1][0]
        inputs = jnp.asarray(x, w.dtype)
        h = inputs * w
        features, slopes = jax.jvp(phi, (h,), (jnp.ones_like(h),))
        outputs = features @ u / width
        gradients = features**2 + (u * slopes * inputs) ** 2
        return {
            "uu": u @ u,
            "uw": u @ w,
            "ww": w @ w,
            "slope": outputs @ inputs[:, 0] / jnp.sum(inputs**2),
            "kernel": jnp.mean(jnp.sum(gradients, axis=1)) / width,
        }

    return measure


def point(
    task: str, activation: str, start: str, scale: float, width: int, steps: int, seeds: int
) -> dict[str, Any]:
    """Train from `seeds` starts, and return the quantiles of what was measured."""
    x, y, target = data(task)
    b = SLOPE[activation]
    sigma = (scale * target / b) ** 0.5
    network = MLP((1, width, 1), activation, 1 / width, (sigma, sigma), (width, width))
    rate = STEP[task] / (2 * b * target * max(1.0, scale))
    exactly = task == "regression" and activation == "linear"
    dtype = "float64" if exactly else "float32"
    record = np.unique(np.geomspace(1, steps, RECORDS - 1).round().astype(int))
    runs = [
        train(
            network,
            draw(network, start, seed, dtype),
            x,
            y,
            loss=LOSS[task],
            learning_rate=rate,
            steps=steps,
            record=record,
            measure=measures(task, activation, width),
        )
        for seed in range(seeds)
    ]
    curves = {name: np.array([run.measured[name] for run in runs]) for name in runs[0].measured}
    zeta = curves["uw"] / np.sqrt(curves["uu"] * curves["ww"])
    solution = [solved(network, run, target / b) for run in runs]
    moved, expected = zeta[:, -1] - zeta[:, 0], solution - zeta[:, 0]
    row = {
        "steps_recorded": runs[0].steps,
        "learning_rate": rate,
        "target": target,
        "zeta": quantiles(zeta),
        "slope": quantiles(curves["slope"]),
        "loss": quantiles(np.array([run.losses for run in runs])),
        "kernel": quantiles(curves["kernel"]),
        "zeta_solution": float(np.median(solution)),
        "agree": int(np.sum(direction(moved) == direction(expected))),
        "turned_back": float(max(map(turned_back, zeta))),
    }
    if exactly:
        row["error_descent"] = max(against_descent(network, run, rate, x[:, 0], y) for run in runs)
        for name, finer in (("error_flow", 50), ("error_flow_half", 100)):
            row[name] = against_flow(network, runs[0], rate, steps, finer, x[:, 0], y)
    return row


def draw(network: MLP, start: str, seed: int, dtype: str) -> Any:
    """Return one start."""
    if start == "align":
        return network.init(seed, dtype)
    return aligned_start(network, ALIGNED, seed, dtype)


def quantiles(curves: np.ndarray) -> np.ndarray:
    """Return the lower quartile, the median and the upper quartile over the seeds."""
    return np.quantile(curves, [0.25, 0.5, 0.75], axis=0)


def direction(moves: np.ndarray) -> np.ndarray:
    """Return 1, −1 or, where nothing shows, 0."""
    return np.where(np.abs(moves) > SHOWS, np.sign(moves), 0)


def turned_back(zeta: np.ndarray) -> float:
    """Return the largest way against the whole move."""
    along = zeta * (1 if zeta[-1] >= zeta[0] else -1)
    return float(np.max(np.maximum.accumulate(along) - along))


def twin(network: MLP, params: Any, rate: float) -> tuple[fl.Network, fl.Gram]:
    """Return the solvable model that starts at the same weights."""
    w, u = (np.asarray(matrix, np.float64).ravel() for matrix in params)
    eta_w, eta_u = (rate * eta for eta in network.etas)
    model = fl.Network(len(u), gamma=network.gamma, eta_u=eta_u, eta_w=eta_w)
    return model, fl.Gram.from_weights(u, w)


def solved(network: MLP, run: Training, target: float) -> float:
    """Return where gradient flow takes the alignment of the linear network: D and Δ stay."""
    model, gram = twin(network, run.start, 1.0)
    task = fl.Task(1.0, target, target**2)
    return float(fl.GradientFlow(model, task, gram).alignment(np.inf))


def against_descent(
    network: MLP, run: Training, rate: float, x: np.ndarray, y: np.ndarray
) -> float:
    """Return the worst error of a run against the exact map of its steps."""
    model, gram = twin(network, run.start, rate)
    task = fl.Task.from_data(x, y)
    exact, found = fl.GradientDescent(model, task, gram).at(run.steps), run.measured
    zeta = found["uw"] / np.sqrt(found["uu"] * found["ww"])
    errors = [
        found["uu"] / exact.gram.uu - 1,
        found["ww"] / exact.gram.ww - 1,
        run.losses / exact.loss - 1,
        (found["slope"] - exact.slope) / task.target,
        zeta - exact.alignment,
    ]
    return float(np.abs(errors).max())


def against_flow(
    network: MLP, run: Training, rate: float, steps: int, finer: int, x: np.ndarray, y: np.ndarray
) -> float:
    """Return the worst error against gradient flow of a run with steps `finer` times smaller."""
    task = fl.Task.from_data(x, y)
    single = task.second_moment**0.5  # one example with the moments of all
    fine = train(
        network,
        run.start,
        [[single]],
        [task.cross_moment / single],
        learning_rate=rate / finer,
        steps=steps * finer,
        record=finer * run.steps[1:],
        measure=gram_of,
    )
    model, gram = twin(network, run.start, rate)
    exact, found = fl.GradientFlow(model, task, gram).at(run.steps), fine.measured
    zeta = found["uw"] / np.sqrt(found["uu"] * found["ww"])
    errors = (network.gamma * found["uw"] - exact.slope) / task.target, zeta - exact.alignment
    return float(np.abs(errors).max())


def gram_of(params: Any) -> dict[str, Any]:
    """Return the Gram matrix of the layers."""
    w, u = params[0][:, 0], params[1][0]
    return {"uu": u @ u, "uw": u @ w, "ww": w @ w}


if __name__ == "__main__":
    sweeps.main(point, GRID, QUICK)

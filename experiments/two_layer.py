"""Two layers, width 10 000: the alignment from two starts, for five activations and two losses.

The network is f(x) = (1/d) Σᵢ uᵢ φ(wᵢ·x), and both layers learn at the rate d·η. With one feature
the linear network is exactly the solvable model, and a ReLU network is nearly two of them, one for
each sign of x; with ten, activations can show what they are.

- Data, of scikit-learn: 32 examples of one feature or 64 of ten, of mean 0. "regression" is the
  progression of diabetes, standardised, from the body mass index (or all), by half the mean square
  error; "classification" is whether a tumour is malignant, from its radius (or the first ten
  means), by the cross-entropy of one logit. The data have a direction n, that of Σ y x; the inputs
  are scaled to variance 1 along it, and v* is the slope of the best linear model along it.
- Scales: |u||w|/d starts near `scale` · v*/b, where b is the slope of the activation, at 0 or
  (ReLUs) on the average of both sides, so that at `scale` = 1 the network could just represent v*
  if its layers were aligned.
- Starts: "align" is random; "disalign" has all w along n and the alignment 0.95.
- Rates: η · 2 b v* · max(1, scale) is 0.1 in regression and 4 in classification.

A row holds, at each recorded step, the quantiles over the seeds of: the alignment ζ = |uW|/(|u||W|)
with its sign for one feature; the slope of the outputs along n; the loss; and the size of the
tangent kernel (its mean over the examples of the diagonal, for η = 1). `zeta_solution` is where
gradient flow takes ζ in the linear network of slope b on data along n that starts at the same
weights, and `agree` counts the seeds where ζ moves by more than `SHOWS` in the same direction as in
that solution, or by no more in both; `turned_back` is the largest way that ζ went back.

For linear networks of one feature in regression, in double precision: `error_descent` is the worst
error over all steps and seeds of uu, ww and the loss (relative), v/v* and ζ (absolute) against
fl.GradientDescent; `error_flow` and `error_flow_half` are those of v/v* and ζ of seed 0 against
fl.GradientFlow, with steps 50 and 100 times smaller, on the data's moments.
"""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from scipy.optimize import minimize_scalar

import flbook as fl
from flbook import datasets, sweeps
from flbook.networks import ACTIVATIONS, MLP, Training, aligned_start, train

RECORDS, SHOWS, ALIGNED = 12, 0.05, 0.95
TOLERANCE = 1e-3  # of four digits
EXAMPLES = {1: 32, 10: 64}
DATA = {"regression": "diabetes", "classification": "breast_cancer"}
FEATURES = {("diabetes", 1): [2], ("breast_cancer", 1): [0]}
LOSS = {"regression": "mse", "classification": "cross_entropy"}
STEP = {"regression": 0.1, "classification": 4.0}
SLOPE = {"linear": 1.0, "relu": 0.5, "leaky_relu": 0.505, "sigmoid": 0.25, "swish": 0.5}

EVERYWHERE = {"activation": list(SLOPE), "start": ["align", "disalign"], "width": 10_000}
ONE = {"features": 1, "seeds": 5, **EVERYWHERE}
TEN = {"features": 10, "scale": [0.1, 10.0], "steps": 1_000, "seeds": 5, **EVERYWHERE}
GRID = sweeps.Grid(task="regression", scale=[0.1, 1.0, 10.0, 30.0], steps=1_000, **ONE)
GRID += sweeps.Grid(task="classification", scale=[0.1, 1.0, 3.0, 10.0], steps=2_000, **ONE)
GRID += sweeps.Grid(task=list(DATA), **TEN)
QUICK = sweeps.Grid(
    task=list(DATA),
    features=1,
    activation=["linear", "relu"],
    start=["align", "disalign"],
    scale=10.0,
    width=1_000,
    steps=500,
    seeds=2,
)


class Problem(NamedTuple):
    """Inputs (n, features), labels (n,), the direction n, and the best slope along it."""

    x: np.ndarray
    y: np.ndarray
    direction: np.ndarray
    target: float


@cache
def data(task: str, features: int) -> Problem:
    """Return the examples, scaled."""
    name = DATA[task]
    found = datasets.load(name, n_train=EXAMPLES[features], dtype=np.float64)
    x = found.x_train[:, FEATURES.get((name, features), slice(features))]
    y = found.y_train[:, 0] if task == "regression" else 1 - found.y_train  # 1 is malignant
    pull = (y - y.mean()) @ x
    direction = pull / np.linalg.norm(pull)
    x = x / np.sqrt(np.mean((x @ direction) ** 2))
    along = x @ direction
    if task == "regression":
        return Problem(x, y, direction, float(fl.Task.from_data(along, y).target))
    best = minimize_scalar(lambda v: np.mean(np.logaddexp(0, v * along) - y * v * along), (0, 1))
    return Problem(x, y, direction, float(best.x))


@cache
def measures(task: str, features: int, activation: str, width: int) -> Any:
    """Return what `train` measures: one function for all scales, so that it compiles once."""
    problem, phi = data(task, features), ACTIVATIONS[activation]

    def measure(params):
        w, u = params[0], params[1][0]
        x, n = (jnp.asarray(part, w.dtype) for part in (problem.x, problem.direction))
        h = x @ w.T
        values, slopes = jax.jvp(phi, (h,), (jnp.ones_like(h),))
        outputs, along = values @ u / width, x @ n
        squares = values**2 + (u * slopes) ** 2 * jnp.sum(x**2, axis=1, keepdims=True)
        return {
            "slope": outputs @ along / jnp.sum(along**2),
            "kernel": jnp.mean(jnp.sum(squares, axis=1)) / width,
            **layers(params),
        }

    return measure


def layers(params: Any) -> dict[str, Any]:
    """Return the squares of both layers, their product's size, and the alignment."""
    w, u = params[0], params[1][0]
    product = u @ w
    uu, ww = u @ u, jnp.sum(w**2)
    uw = product[0] if len(product) == 1 else jnp.linalg.norm(product)
    return {"uu": uu, "uw": uw, "ww": ww, "zeta": uw / jnp.sqrt(uu * ww)}


def point(
    task: str,
    features: int,
    activation: str,
    start: str,
    scale: float,
    width: int,
    steps: int,
    seeds: int,
) -> dict[str, Any]:
    """Train from `seeds` starts, and return the quantiles of what was measured."""
    problem, b = data(task, features), SLOPE[activation]
    sigma = (scale * problem.target / b) ** 0.5
    sigmas = sigma / features**0.5, sigma
    network = MLP((features, width, 1), activation, 1 / width, sigmas, (width, width))
    rate = STEP[task] / (2 * b * problem.target * max(1.0, scale))
    exactly = task == "regression" and activation == "linear" and features == 1
    record = np.unique(np.geomspace(1, steps, RECORDS - 1).round().astype(int))
    runs = [
        train(
            network,
            draw(network, start, problem.direction, seed, "float64" if exactly else "float32"),
            problem.x,
            problem.y,
            loss=LOSS[task],
            learning_rate=rate,
            steps=steps,
            record=record,
            measure=measures(task, features, activation, width),
        )
        for seed in range(seeds)
    ]
    curves = {name: np.array([run.measured[name] for run in runs]) for name in runs[0].measured}
    zeta = curves["zeta"]
    solution = np.array([solved(network, run, problem, problem.target / b) for run in runs])
    moved, expected = zeta[:, -1] - zeta[:, 0], solution - zeta[:, 0]
    row = {
        "steps_recorded": runs[0].steps,
        "learning_rate": rate,
        "target": problem.target,
        "zeta": quantiles(zeta),
        "slope": quantiles(curves["slope"]),
        "loss": quantiles(np.array([run.losses for run in runs])),
        "kernel": quantiles(curves["kernel"]),
        "zeta_solution": float(np.median(solution)),
        "agree": int(np.sum(direction(moved) == direction(expected))),
        "turned_back": float(max(map(turned_back, zeta))),
    }
    if exactly:
        row["error_descent"] = max(against_descent(network, run, rate, problem) for run in runs)
        for name, finer in (("error_flow", 50), ("error_flow_half", 100)):
            row[name] = against_flow(network, runs[0], rate, steps, finer, problem)
    return row


def draw(network: MLP, start: str, direction: np.ndarray, seed: int, dtype: str) -> Any:
    """Return one start."""
    if start == "align":
        return network.init(seed, dtype)
    width = network.sizes[1]
    sigma = network.sigmas[1]
    line = MLP((1, width, 1), network.activation, network.gamma, (sigma, sigma))
    w, u = aligned_start(line, ALIGNED, seed, dtype)
    with jax.enable_x64(dtype == "float64"):
        return w * jnp.asarray(direction, w.dtype), u


def quantiles(curves: np.ndarray) -> np.ndarray:
    """Return the lower quartile, the median and the upper quartile over the seeds."""
    return np.quantile(curves, [0.25, 0.5, 0.75], axis=0)


def direction(moves: np.ndarray) -> np.ndarray:
    """Return 1, −1 or, where nothing shows, 0."""
    return np.where(np.abs(moves) > SHOWS, np.sign(moves), 0)


def turned_back(zeta: np.ndarray) -> float:
    """Return the largest way that ζ went back, from where its whole move had led it."""
    along = zeta * (1 if zeta[-1] >= zeta[0] else -1)
    return float(np.max(np.maximum.accumulate(along) - along))


def twin(network: MLP, params: Any, n: np.ndarray, rate: float) -> tuple[fl.Network, fl.Gram]:
    """Return the solvable model along n that starts at the same weights."""
    w, u = (np.asarray(matrix, np.float64) for matrix in params)
    eta_w, eta_u = (rate * eta for eta in network.etas)
    model = fl.Network(u.size, gamma=network.gamma, eta_u=eta_u, eta_w=eta_w)
    return model, fl.Gram.from_weights(u[0], w @ n)


def solved(network: MLP, run: Training, problem: Problem, target: float) -> float:
    """Return where gradient flow on the line takes the alignment; w across the line stays."""
    model, gram = twin(network, run.start, problem.direction, 1.0)
    across = float(run.measured["ww"][0]) - gram.ww
    end = fl.GradientFlow(model, fl.Task(1.0, target, target**2), gram).gram(np.inf)
    return float(end.uw / np.sqrt(end.uu * (end.ww + across)))


def against_descent(network: MLP, run: Training, rate: float, problem: Problem) -> float:
    """Return the worst error of a run against the exact map of its steps."""
    model, gram = twin(network, run.start, problem.direction, rate)
    task = fl.Task.from_data(problem.x[:, 0], problem.y)
    exact, found = fl.GradientDescent(model, task, gram).at(run.steps), run.measured
    errors = [
        found["uu"] / exact.gram.uu - 1,
        found["ww"] / exact.gram.ww - 1,
        run.losses / exact.loss - 1,
        (found["slope"] - exact.slope) / task.target,
        found["zeta"] - exact.alignment,
    ]
    return float(np.abs(errors).max())


def against_flow(
    network: MLP, run: Training, rate: float, steps: int, finer: int, problem: Problem
) -> float:
    """Return the worst error against gradient flow of a run with steps `finer` times smaller."""
    task = fl.Task.from_data(problem.x[:, 0], problem.y)
    single = task.second_moment**0.5  # one example with the moments of all
    found = train(
        network,
        run.start,
        [[single]],
        [task.cross_moment / single],
        learning_rate=rate / finer,
        steps=steps * finer,
        record=finer * run.steps[1:],
        measure=layers,
    ).measured
    model, gram = twin(network, run.start, problem.direction, rate)
    exact = fl.GradientFlow(model, task, gram).at(run.steps)
    slope = (network.gamma * found["uw"] - exact.slope) / task.target
    return float(np.abs([slope, found["zeta"] - exact.alignment]).max())


if __name__ == "__main__":
    sweeps.main(point, GRID, QUICK, digits=4)

"""How exact one neuron and balanced layers are, against their weights integrated one by one.

Run it as ``python benchmarks/neurons.py``, about ten minutes, or with ``--quick``, about two. The
neurons have imbalances δ from −10⁵ to 10⁵ in units of the target, 1 to 100 input dimensions,
unequal learning rates and starts on both sides. Weights are integrated by an implicit Runge-Kutta
method of order 5 with tolerance 1e-12, up to eight times the slowest of the neuron's time scales;
the same states in many digits tell the errors of the integrator from those of the solver. Errors
are in units of the largest weight on the way.

Published closed forms (D. Kunin et al., arXiv:2406.06158, and the notebook that goes with it):

- alignment: at unit rates ν = w·β/a is ½(−δ + K tanh(½Kt + artanh((δ + 2ν₀)/K))) with
  K = √(δ² + 4|β|²)
- projection: inputs that span a part of the space only leave the rest of w alone, and training ends
  where the imbalance says, a² = κ + √(κ² + c²) with κ = ½(δ + |w_rest|²) and c the length of the
  best slope
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
from scipy.integrate import solve_ivp

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))

import balanced_layers
import neuron_oracle

import flbook as fl
from flbook import simulation

IMBALANCES = (-1e5, -1e3, -30.0, -1.0, 0.0, 1.0, 30.0, 1e3, 1e5)
DIMENSIONS = (1, 2, 10, 100)
SHAPES = {
    (4, 2, 5): (0.0, 0.5, 30.0),
    (5, 2, 4): (-0.5, -30.0),
    (10, 10, 10): (0.0, -2.0, 2.0),
    (6, 12, 8): (0.0,),
}


def neuron(random, imbalance: float, dimensions: int):
    """Draw one with the given δ, in units where η_a η_w|β|² = 1."""
    eta_a, eta_w = 10.0 ** random.uniform(-1, 1, 2)
    w, target = random.normal(size=(2, dimensions))
    target /= np.linalg.norm(target) * np.sqrt(eta_a * eta_w)
    smaller = 0.3 * random.random() ** 2 + 1e-3
    larger = smaller + abs(imbalance)
    outer, inner = (larger, smaller) if imbalance >= 0 else (smaller, larger)
    w *= np.sqrt(inner / eta_a) / np.linalg.norm(w)
    if dimensions == 1 and imbalance == 0:
        w = np.abs(w) * np.sign(target)  # on a line the other side is stuck
    return float(np.sqrt(outer / eta_w)), w, target, eta_a, eta_w


def integrate(a, w, target, eta_a, eta_w, t) -> np.ndarray:
    """Return (a, w) at the times t, weight by weight."""
    rates = np.concatenate([[eta_a], np.full(w.size, eta_w)])

    def velocity(_, x):
        residual = x[0] * x[1:] - target
        return -rates * np.concatenate([[x[1:] @ residual], x[0] * residual])

    def jacobian(_, x):
        matrix = np.zeros((x.size, x.size))
        matrix[0, 0] = x[1:] @ x[1:]
        matrix[0, 1:] = matrix[1:, 0] = 2 * x[0] * x[1:] - target
        matrix[1:, 1:] = x[0] ** 2 * np.eye(w.size)
        return -rates[:, None] * matrix

    start = np.concatenate([[a], w])
    run = solve_ivp(velocity, (0, t[-1]), start, "Radau", t, rtol=1e-12, atol=1e-14, jac=jacobian)
    return run.y.T


def one_neuron(repeats: int) -> None:
    print("one neuron: worst error of (a, w) against integration and many digits, of ν by tanh\n")
    print("| δ | dimensions | integrated | 60 digits | ν |\n|---|---|---|---|---|")
    total = np.zeros(3)
    for imbalance in IMBALANCES:
        for dimensions in DIMENSIONS:
            worst = np.zeros(3)
            for seed in range(repeats):
                problem = neuron(np.random.default_rng(seed), imbalance, dimensions)
                worst = np.maximum(worst, neuron_errors(*problem))
            print(f"| {imbalance:g} | {dimensions} | " + " | ".join(f"{x:.1e}" for x in worst), "|")
            total = np.maximum(total, worst)
    print("| all | | " + " | ".join(f"{x:.1e}" for x in total), "|\n")


def neuron_errors(a, w, target, eta_a, eta_w) -> list[float]:
    flow = fl.NeuronFlow(a, w, target, eta_a, eta_w)
    slow = min(float(flow.turning_rate), float(flow.rate))
    t = np.array([0.0, 0.01, 0.1, 1.0, 3.0, 8.0]) / slow
    t = np.unique(np.concatenate([t, np.array([0.1, 1.0, 3.0]) / float(flow.rate)]))
    exact = np.column_stack(flow.weights(t))
    size = np.max(np.abs(exact))
    raw = np.max(np.abs(exact - integrate(a, w, target, eta_a, eta_w, t))) / size
    digits = 0.0
    for k in np.flatnonzero(flow.rate * t < 400):
        state = neuron_oracle.solve(a, w, target, eta_a, eta_w, float(t[k]))
        digits = max(
            digits, float(neuron_oracle.distance(exact[k], state["a"] + state["w"])) / size
        )
    # at unit rates, where the published form stands, and while a keeps its sign
    unit = np.sqrt(eta_a * eta_w)
    beta, delta = np.linalg.norm(target) / unit, float(flow.imbalance) / unit**2
    kernel = np.hypot(delta, 2 * beta)
    share = np.sqrt(eta_a / eta_w) * exact[:, 1:] @ target / exact[:, 0] / unit
    inside = (delta + 2 * share[0]) / kernel
    published = kernel * np.tanh(kernel * unit**2 * t / 2 + np.arctanh(inside + 0j)).real
    apart = np.abs((published - delta) / 2 - share) / (np.abs(share) + kernel)
    sound = np.abs(exact[:, 0]) > 1e-3 * np.max(np.abs(exact[:, 0]))
    return [raw, digits, float(np.max(apart[sound]))]


def projection(repeats: int) -> None:
    """Train on inputs that span fewer directions than there are, of any second moments."""
    worst = 0.0
    for seed in range(repeats):
        random = np.random.default_rng(seed)
        dimensions = int(random.integers(2, 30))
        span = int(random.integers(1, dimensions))
        sizes = random.uniform(0.5, 2.0, span)
        basis = balanced_layers.columns(random, dimensions, span)
        inputs = np.sqrt(span) * sizes[:, None] * basis.T
        target = random.normal(size=dimensions)
        w, a = random.normal(size=dimensions), 1.0 + random.random()
        eta_a, eta_w = 10.0 ** random.uniform(-0.5, 0.5, 2)
        fitted, rest = basis @ (basis.T @ target), w - basis @ (basis.T @ w)
        delta = eta_w * a**2 - eta_a * w @ w
        kappa = (delta + eta_a * rest @ rest) / 2
        outer = kappa + np.hypot(kappa, np.sqrt(eta_a * eta_w) * np.linalg.norm(fitted))
        stop = 40 / (outer * np.min(sizes) ** 2)
        network = fl.Network(1, eta_u=eta_a, eta_w=eta_w)
        run = simulation.gradient_flow(network, (inputs, inputs @ target), [a], w[None], [0, stop])
        got = run.u[-1, 0] * run.w[-1, 0]
        wanted = fitted + np.sign(run.u[-1, 0]) * np.sqrt(outer / eta_w) * rest
        worst = max(worst, np.linalg.norm(got - wanted) / np.linalg.norm(wanted))
    print(f"projection: end of training, {repeats} problems, worst error {worst:.1e}\n")


def balanced_layers_errors(repeats: int) -> None:
    print("balanced layers: worst error of the map and of the layers' Gram matrices\n")
    print("| inputs, width, outputs | λ | integrated |\n|---|---|---|")
    for shape, balances in SHAPES.items():
        for balance in balances:
            worst = 0.0
            for seed in range(repeats):
                random = np.random.default_rng(seed)
                scale = 10.0 ** random.uniform(-2, 0.3)
                inner, outer = balanced_layers.balanced(random, shape, balance, scale)
                target = random.normal(size=shape[::-2])
                t = np.array([0.0, 0.1, 1.0, 5.0, 20.0])
                first, last = balanced_layers.train(inner, outer, target, 1.0, t)
                now = fl.BalancedFlow(inner, outer, target).at(t)
                back = np.swapaxes(first, 1, 2)
                pairs = (
                    (now.map, last @ first),
                    (now.input_gram, back @ first),
                    (now.output_gram, last @ np.swapaxes(last, 1, 2)),
                )
                size = np.max(np.abs(now.input_gram)) + np.max(np.abs(now.output_gram))
                worst = max(worst, *(np.max(np.abs(x - y)) / size for x, y in pairs))
            print(f"| {shape} | {balance:g} | {worst:.1e} |")
    print()


def modes(repeats: int) -> None:
    """Layers aligned with their target, against gradient flow on as many lines."""
    worst = 0.0
    for seed in range(repeats):
        random = np.random.default_rng(seed)
        size = int(random.integers(2, 30))
        left, right, turn = (balanced_layers.columns(random, size, size) for _ in range(3))
        values, scale = random.uniform(0.1, 3, size), 10.0 ** random.uniform(-3, 0)
        balance = random.uniform(-1, 1)
        parts = scale * random.uniform(0.5, 1, size)
        above, below = np.sqrt(parts**2 + max(balance, 0)), np.sqrt(parts**2 + max(-balance, 0))
        flow = fl.BalancedFlow(
            turn * below @ right.T, left * above @ turn.T, left * values @ right.T
        )
        t = np.concatenate([np.geomspace(0.01, 300, 12), [np.inf]])
        lines = np.sort(flow.modes.slope(t).T)[:, ::-1]
        found = np.linalg.svd(flow.map(t))[1]
        worst = max(worst, np.max(np.abs(found - lines)) / np.max(values))
    print(f"modes: 2 to 29 of them, {repeats} problems, worst error {worst:.1e}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer problems of each kind")
    repeats = 1 if parser.parse_args().quick else 5
    one_neuron(repeats)
    projection(20 * repeats)
    balanced_layers_errors(repeats)
    modes(10 * repeats)


if __name__ == "__main__":
    main()

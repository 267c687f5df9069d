"""The single neuron that runs in the browser is the one of the Python core."""

import numpy as np
import pytest
from javascript import ask_node

import flbook as fl

NAMES = ("loss", "slope", "kernel_size", "kernel_rotation", "alignment", "a", "w")


def draw(random, decades: float) -> dict:
    """Draw a neuron; some balanced, some parallel to their target, some without a layer."""
    size = int(random.integers(1, 5))
    a, long, far, eta_a, eta_w = 10 ** random.uniform(-decades, decades, 5)
    w, target = random.normal(size=(2, size)) * np.array([[long], [far]])
    kind = random.integers(8)
    if kind == 0:
        w = target * float(random.choice([-1, 1]))
    if kind == 1:
        a = np.sqrt(eta_a / eta_w) * np.linalg.norm(w)
    if kind == 2:
        a = 0.0
    if kind == 3:
        w, target = np.array([[-1.0, 0.0], [1.0, 0.0]]) * 2.0 ** random.integers(-3, 4, (2, 1))
        a, eta_a, eta_w = float(np.linalg.norm(w)), 1.0, 1.0
    return {
        "a": float(random.choice([-1, 1]) * a),
        "w": w.tolist(),
        "target": target.tolist(),
        "eta_a": float(eta_a),
        "eta_w": float(eta_w),
    }


@pytest.mark.parametrize("decades", [1, 3, 6])
def test_neurons_at_random_points(decades):
    random = np.random.default_rng(decades)
    points = [draw(random, decades) for _ in range(400)]
    flows = [fl.NeuronFlow(**point) for point in points]
    moments = [
        [0.0, *(10 ** random.uniform(-4, 2, 4) / float(flow.rate)), 1e9 / float(flow.rate)]
        for flow in flows
    ]
    asked = [
        {"what": "neuron", "point": point, "times": [*times, "Infinity"]}
        for point, times in zip(points, moments, strict=True)
    ]
    for flow, times, answer in zip(flows, moments, ask_node(asked), strict=True):
        state = flow.at([*times, np.inf])
        a, w = state.weights
        known = {"a": a, "w": w}
        for name in NAMES:
            wanted = known[name] if name in known else getattr(state, name)
            got = np.array([moment[name] for moment in answer], dtype=float)
            # parts of a vector may cancel, and turns of 0 are rounding
            sizes = np.linalg.norm(np.atleast_2d(wanted), axis=-1, keepdims=True)
            slack = 1e-11 * sizes.reshape(-1, 1) if wanted.ndim > 1 else 1e-13
            error = np.abs(got - wanted)
            assert (error <= 1e-9 * np.abs(wanted) + slack + 1e-300).all(), (name, flow)

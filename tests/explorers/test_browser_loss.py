"""Any loss in the browser follows the same path by the same clock as in the Python core."""

import numpy as np
import pytest
from javascript import ask_node

import flbook as fl

LOSSES = ("squared", "huber", "logistic", "exponential")
NAMES = ("slope", "kernel", "alignment")


def log_uniform(random, low: float, high: float) -> float:
    return float(10.0 ** random.uniform(low, high))


def draw(random, loss: str, reach: float) -> dict:
    """Draw a network, a start and examples: some separable, some few, some far apart."""
    point = {name: log_uniform(random, -reach, reach) for name in ("gamma", "eta_u", "eta_w")}
    uu, ww = log_uniform(random, -reach, reach), log_uniform(random, -reach, reach)
    cosine = random.choice([random.uniform(-1, 1), 1 - log_uniform(random, -12, 0), 0.0])
    point |= {"uu": uu, "ww": ww, "uw": float(random.choice([-1, 1]) * cosine * np.sqrt(uu * ww))}
    # outputs at the start of a size that the loss feels
    size = max(point["gamma"] * abs(point["uw"]), 1.0)
    count = int(random.integers(1, 9))
    x = random.normal(size=count) * log_uniform(random, -1, 0.5) / size
    y = random.choice([-1.0, 1.0], count)
    if loss in ("squared", "huber"):
        y = random.normal(size=count) * log_uniform(random, -1, 1)
    elif random.random() < 0.5:
        y = np.sign(x) * float(random.choice([-1, 1]))
    return point | {"width": 2, "loss": loss, "x": x.tolist(), "y": y.tolist()}


def core(point: dict) -> fl.LossFlow:
    rates = {name: point[name] for name in ("gamma", "eta_u", "eta_w")}
    gram = fl.Gram(point["uu"], point["uw"], point["ww"])
    return fl.LossFlow(fl.Network(2, **rates), point["loss"], point["x"], point["y"], gram)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("reach", [0.5, 2, 4], ids=["near", "far", "extreme"])
def test_losses_at_random_points(loss, reach):
    random = np.random.default_rng(round(10 * reach))
    points = [draw(random, loss, reach) for _ in range(40)]
    flows = [core(point) for point in points]
    moments = []
    for flow, point in zip(flows, points, strict=True):
        rate = float(flow.kernel(0.0)) * float(np.mean(np.square(point["x"])))
        moments.append([0.0, *(10 ** random.uniform([-6, -2, -1, 0, 1], [-2, -1, 0, 1, 3]) / rate)])
    asked = [
        {"what": "loss", "point": point, "times": times}
        for point, times in zip(points, moments, strict=True)
    ]
    for flow, times, answer in zip(flows, moments, ask_node(asked), strict=True):
        state = flow.at(times)
        # a slope that passes 0 has no digits of its own there
        way = np.abs(state.slope).max()
        for name in NAMES:
            wanted = getattr(state, name)
            got = np.array([moment[name] for moment in answer])
            slack = {"slope": 1e-10 * way, "kernel": 0.0, "alignment": 1e-10}[name]
            np.testing.assert_allclose(got, wanted, rtol=1e-9, atol=slack, err_msg=f"{name} {flow}")

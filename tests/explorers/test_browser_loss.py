"""Any loss in the browser follows the same path by the same clock as in the Python core."""

import numpy as np
import pytest
from javascript import ask_node
from scipy import integrate, special

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


def network(point: dict) -> fl.Network:
    return fl.Network(2, **{name: point[name] for name in ("gamma", "eta_u", "eta_w")})


def start(point: dict) -> fl.Gram:
    return fl.Gram(point["uu"], point["uw"], point["ww"])


def exact(point: dict) -> fl.GradientFlow:
    """Return the flow of the squared loss on the same examples."""
    task = fl.Task.from_data(point["x"], point["y"])
    return fl.GradientFlow(network(point), task, start(point))


def drawn(loss: str, reach: float, count: int) -> tuple[list[dict], list[list[float]]]:
    """Draw problems, each with times at which something happens in it."""
    random = np.random.default_rng(round(10 * reach))
    points = [draw(random, loss, reach) for _ in range(count)]
    rates = [float(exact(p).kernel(0.0)) * float(np.mean(np.square(p["x"]))) for p in points]
    spread = [-6, -2, -1, 0, 1], [-2, -1, 0, 1, 3]
    return points, [[0.0, *(10 ** random.uniform(*spread) / rate)] for rate in rates]


def browser(points: list[dict], moments: list[list[float]]) -> list[dict[str, np.ndarray]]:
    asked = zip(points, moments, strict=True)
    answers = ask_node([{"what": "loss", "point": p, "times": t} for p, t in asked])
    return [
        {name: np.array([now[name] for now in one], dtype=float) for name in NAMES}
        for one in answers
    ]


def agree(answer: dict, state, turn: float = 1e-10) -> None:
    """Assert that both say the same; a slope that passes 0 has no digits of its own there."""
    way = np.abs(state.slope).max()
    for name, slack in (("slope", 1e-10 * way), ("kernel", 0.0), ("alignment", turn)):
        wanted = getattr(state, name)
        np.testing.assert_allclose(answer[name], wanted, rtol=1e-9, atol=slack, err_msg=name)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("reach", [0.5, 2, 4])
def test_losses_are_those_of_the_core(loss, reach):
    points, moments = drawn(loss, reach, 40)
    for point, times, answer in zip(points, moments, browser(points, moments), strict=True):
        state = fl.LossFlow(network(point), loss, point["x"], point["y"], start(point)).at(times)
        # layers that turn on the first 10⁻⁶ of the way show the integrator's error of the slope
        agree(answer, state, turn=1e-7)


@pytest.mark.parametrize("reach", [0.5, 2, 4, 6])
def test_the_squared_loss_is_the_exact_flow(reach):
    points, moments = drawn("squared", reach, 200)
    for point, times, answer in zip(points, moments, browser(points, moments), strict=True):
        agree(answer, exact(point).at(times))


DERIVATIVES = {
    "squared": lambda f, y: f - y,
    "huber": lambda f, y: np.clip(f - y, -1, 1),
    "logistic": lambda f, y: -y * special.expit(-y * f),
    "exponential": lambda f, y: -y * np.exp(-y * f),
}


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("reach", [0.5, 2, 4])
def test_the_clock_is_the_integral_over_the_way(loss, reach):
    """At the slope of time t, t = ∫|dv|/(K |E[aℓ']|), wherever that still says something."""
    points, moments = drawn(loss, reach, 40)
    checked = 0
    for point, times, answer in zip(points, moments, browser(points, moments), strict=True):
        x, y = np.array(point["x"]), np.array(point["y"])
        flow = exact(point)
        signal = 2 * point["gamma"] * np.sqrt(point["eta_u"] * point["eta_w"])

        def speed(v, x=x, y=y, signal=signal, floor=float(flow.kernel_floor)):
            pull = np.mean(x * DERIVATIVES[loss](v * x, y))
            return float(np.hypot(signal * v, floor) * abs(pull))

        first = float(flow.slope(0.0))
        for t, v in zip(times[1:], answer["slope"][1:], strict=True):
            if speed(v) < 1e-4 * speed(first) or abs(v - first) < 1e-6 * abs(first):
                continue
            kinks = np.concatenate([(y - 1) / x, (y + 1) / x]) if loss == "huber" else np.array([])
            inside = kinks[(kinks - first) * (kinks - v) < 0]
            found, error = integrate.quad(
                lambda at: 1 / speed(at), first, v, points=inside, epsrel=1e-11, limit=2000
            )
            off = (abs(abs(found) - t) - 2 * error) * speed(v)
            assert off <= 1e-9 * max(abs(v), abs(v - first)), (point, t)
            checked += 1
    assert checked > 40

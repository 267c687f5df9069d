"""Random problems over sixteen decades of every parameter, and the error that is allowed on them.

A batch shares its time, so that one call solves it. Plain log-uniform draws would nearly always
give mKt ≪ 1 or ≫ 700, or one layer that dwarfs the other; so parts of a batch are drawn where
something happens: κ = mK(∞)t of order 1, v* near v(0), layers nearly parallel, modes nearly empty.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import oracle
from mpmath import mpf

import flbook as fl

RELATIVE = 1e-12
# Numbers below this are on their way out of the range of doubles.
VANISHING = 1e-290


class Batch(NamedTuple):
    points: list[oracle.Point]
    answers: dict[str, np.ndarray]


def _decades(random: np.random.Generator, size: int, low: float = -8, high: float = 8):
    return 10 ** random.uniform(low, high, size)


def _overlap(random: np.random.Generator, uu: np.ndarray, ww: np.ndarray) -> np.ndarray:
    """Return uw of every degree of alignment, within Cauchy-Schwarz."""
    size = uu.size
    small = _decades(random, size, -16, 0)
    cosine = np.select(
        [random.random(size) < p for p in (0.3, 0.3, 0.4, 0.2)],
        [random.uniform(0, 1, size), small, 1 - small, np.zeros(size)],
        1.0,
    )
    uw = cosine * np.sqrt(uu) * np.sqrt(ww) * random.choice([-1, 1], size)
    return np.clip(uw, -np.sqrt(uu) * np.sqrt(ww), np.sqrt(uu) * np.sqrt(ww))


def _problem(random: np.random.Generator, size: int) -> dict[str, np.ndarray]:
    names = ("gamma", "eta_u", "eta_w", "m", "c", "uu", "ww")
    x = {name: _decades(random, size) for name in names}
    x["c"] *= random.choice([-1, 1], size)
    balanced = random.random(size) < 0.3
    ratio = (
        x["eta_w"] / x["eta_u"] * (1 + random.choice([0, 1], size) * _decades(random, size, -16, 0))
    )
    x["ww"] = np.where(balanced, np.clip(x["uu"] * ratio, 1e-8, 1e8), x["ww"])
    same = random.random(size) < 0.15
    x["eta_w"] = np.where(same, x["eta_u"], x["eta_w"])
    x["ww"] = np.where(same, x["uu"], x["ww"])
    x["uw"] = _overlap(random, x["uu"], x["ww"])
    return x


def _near_target(random: np.random.Generator, x: dict[str, np.ndarray], part: float) -> None:
    size = x["m"].size
    near = (random.random(size) < part) & (x["uw"] != 0)
    near_slope = (
        x["gamma"] * x["uw"] * (1 + _decades(random, size, -12, 3) * random.choice([-1, 1], size))
    )
    x["c"] = np.where(near, x["m"] * near_slope, x["c"])


def _label(random: np.random.Generator, x: dict[str, np.ndarray]) -> None:
    extra = _decades(random, x["m"].size, -16, 2) * random.choice([0, 1], x["m"].size, p=[0.2, 0.8])
    x["label"] = x["c"] ** 2 / x["m"] * (1 + extra)


def _kernels(x: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Return rough values of K(0) and K(∞)."""
    eta = np.sqrt(x["eta_u"] * x["eta_w"])
    start = x["gamma"] ** 2 * (x["eta_w"] * x["uu"] + x["eta_u"] * x["ww"])
    signal = 2 * x["gamma"] * eta * np.abs(x["gamma"] * x["uw"])
    floor = np.sqrt(np.maximum(start**2 - signal**2, 0))
    return start, np.hypot(2 * x["gamma"] * eta * x["c"] / x["m"], floor)


def solver(x: dict[str, np.ndarray], kind: type) -> fl.GradientFlow:
    ones = np.full(np.shape(x["m"]), 1)
    network = fl.Network(ones, gamma=x["gamma"], eta_u=x["eta_u"], eta_w=x["eta_w"])
    return kind(network, fl.Task(x["m"], x["c"], x["label"]), fl.Gram(x["uu"], x["uw"], x["ww"]))


def _batch(x: dict[str, np.ndarray], t: float, answers: dict[str, np.ndarray]) -> Batch:
    columns = [x[name].tolist() for name in oracle.Point._fields[:-1]]
    points = [oracle.Point(*row, t) for row in zip(*columns, strict=True)]
    return Batch(points, answers)


def _measured(run: fl.GradientFlow | fl.GradientDescent, t: float) -> dict[str, np.ndarray]:
    gram = run.gram(t)
    answers = {name: getattr(run, name)(t) for name in oracle.METHODS}
    return answers | {"uu": gram.uu, "uw": gram.uw, "ww": gram.ww}


def flow_batch(random: np.random.Generator, size: int) -> Batch:
    """Draw problems with one time, and solve them by gradient flow and with the kernel frozen."""
    x = _problem(random, size)
    t = float(_decades(random, 1)[0])
    _near_target(random, x, 0.4)
    timed = random.random(size) < 0.8
    wanted = np.where(
        random.random(size) < 0.5, _decades(random, size, -2, 2), random.uniform(0, 800, size)
    )
    # The kernels do not depend on m at given v*, so m sets the clock.
    target = x["c"] / x["m"]
    x["m"] = np.where(timed, wanted / (_kernels(x)[1] * t), x["m"])
    x["c"] = target * x["m"]
    _label(random, x)
    run, lazy = solver(x, fl.GradientFlow), solver(x, fl.KernelFlow)
    answers = _measured(run, t)
    answers |= {f"lazy_{name}": getattr(lazy, name)(t) for name in ("slope", "residual", "loss")}
    answers |= {"rate": run.rate, "kernel_floor": run.kernel_floor}
    return _batch(x, t, answers)


def descent_batch(random: np.random.Generator, size: int, steps: int) -> Batch:
    """Draw problems where `steps` steps neither do nothing nor diverge at once, and take them."""
    x = _problem(random, size)
    start, _ = _kernels(x)
    target = x["gamma"] * x["uw"] + random.uniform(-1, 1, size) * start * _decades(
        random, size, -4, 0.3
    ) / (2 * x["gamma"] * np.sqrt(x["eta_u"] * x["eta_w"]))
    x["c"] = target
    x["m"] = np.ones(size)
    end = _kernels(x)[1]
    x["m"] = _decades(random, size, -3, 0.4) / np.maximum(start, end)
    x["c"] = target * x["m"]
    _label(random, x)
    run = solver(x, fl.GradientDescent)
    return _batch(x, float(steps), _measured(run, float(steps)))


def _nudged(point: oracle.Point) -> list[tuple[oracle.Point, oracle.Point]]:
    """Return the point with each input moved by two units in the last place, down and up."""
    pairs = []
    for name in point._fields:
        value = getattr(point, name)
        step = 2 * np.spacing(abs(value)).item()
        if value != 0:
            pairs.append(tuple(point._replace(**{name: value + s * step}) for s in (-1, 1)))
    return pairs


def errors(
    solve: Callable[[oracle.Point], dict[str, mpf]],
    point: oracle.Point,
    got: dict[str, float],
    negligible: float,
) -> dict[str, tuple[float, float]]:
    """Return for every quantity its relative error, and its error in units of what is allowed.

    Allowed is 1e-12 of the exact number plus what two units in the last place of each input change
    it by. Where the error is below `negligible` units even without the second part, that part is
    left out, which can only overstate.
    """
    exact = solve(point)
    moved = None
    result = {}
    for name, value in got.items():
        wanted = exact[name]
        if not np.isfinite(value):
            raise AssertionError(f"{name} is {value} at {point}, exactly {float(wanted)}")
        error = abs(mpf(value) - wanted)
        size = max(abs(wanted), mpf(VANISHING))
        if error <= negligible * RELATIVE * size:
            result[name] = (float(error / size), float(error / size / RELATIVE))
            continue
        if moved is None:
            moved = [(solve(low), solve(high)) for low, high in _nudged(point) if low.t == low.t]
            if point.t == int(point.t) and solve is oracle.descent:
                moved = moved[:-1]
        allowed = RELATIVE * size + sum(
            max(abs(low[name] - wanted), abs(high[name] - wanted)) for low, high in moved
        )
        result[name] = (float(error / size), float(error / allowed))
    return result

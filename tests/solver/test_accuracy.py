"""Every number against 80-digit arithmetic, over sixteen decades of every parameter.

Allowed is 1e-12 of the exact number plus what two units in the last place of every input change it
by. `benchmarks/accuracy.py` does the same for as many points as one has patience for.
"""

from __future__ import annotations

import mpmath
import numpy as np
import oracle
import points
import pytest
from scipy.integrate import solve_ivp

FLOW_BATCHES, DESCENT_BATCHES, SIZE = 40, 25, 100


def _worst(batch: points.Batch, solve) -> tuple[float, str]:
    worst = (0.0, "")
    for i, point in enumerate(batch.points):
        got = {name: float(values[i]) for name, values in batch.answers.items()}
        for name, (plain, units) in points.errors(solve, point, got, negligible=0.5).items():
            worst = max(worst, (units, f"{name} is off by {plain:.3g} at {point}"))
    return worst


@pytest.mark.parametrize("seed", range(FLOW_BATCHES))
def test_flow(seed):
    batch = points.flow_batch(np.random.default_rng(seed), SIZE)
    assert set(batch.answers) == set(oracle.QUANTITIES)
    units, where = _worst(batch, oracle.flow)
    assert units <= 1, where


@pytest.mark.parametrize("seed", range(DESCENT_BATCHES))
def test_descent(seed):
    steps = (1, 2, 3, 10, 40)[seed % 5]
    batch = points.descent_batch(np.random.default_rng(1000 + seed), SIZE, steps)
    assert set(batch.answers) == set(oracle.DESCENT_QUANTITIES)
    units, where = _worst(batch, oracle.descent)
    assert units <= 1, where


def test_the_points_are_hard():
    """Random problems are worth something only where something happens in them."""
    batches = [points.flow_batch(np.random.default_rng(seed), SIZE) for seed in range(10)]
    answers = {
        name: np.concatenate([b.answers[name] for b in batches]) for name in batches[0].answers
    }
    target = np.concatenate([[p.c / p.m for p in b.points] for b in batches])
    done = np.abs(answers["residual"] / target)
    assert np.mean((done > 1e-200) & (done < 0.99)) > 0.3
    assert np.mean(np.abs(answers["alignment"]) > 1 - 1e-9) > 0.1
    assert np.mean(np.abs(answers["alignment"]) < 1e-6) > 0.02
    moved = answers["slope"] != 0
    lazy = np.abs(answers["lazy_slope"][moved] / answers["slope"][moved] - 1)
    assert np.mean(lazy > 0.01) > 0.1
    assert np.mean(lazy < 1e-6) > 0.1


def test_the_oracle_is_no_closed_form_in_disguise():
    """The Riccati solution against the differential equations of the Gram matrix."""
    point = oracle.Point(0.7, 2.0, 0.5, 1.5, 0.9, 2.0, 1.2, -0.4, 0.8, 0.0)

    def derivative(_, gram):
        uu, uw, ww = gram
        pull = point.gamma * (point.m * point.gamma * uw - point.c)
        return [
            -2 * point.eta_u * pull * uw,
            -pull * (point.eta_u * ww + point.eta_w * uu),
            -2 * point.eta_w * pull * uw,
        ]

    start = [point.uu, point.uw, point.ww]
    times = [0.3, 1.0, 4.0]
    run = solve_ivp(derivative, (0, 4.0), start, "DOP853", times, rtol=1e-13, atol=1e-14)
    for t, gram in zip(times, run.y.T, strict=True):
        exact = oracle.flow(point._replace(t=t))
        np.testing.assert_allclose([float(exact[x]) for x in ("uu", "uw", "ww")], gram, rtol=1e-11)


def test_the_oracle_steps_like_the_gram_matrix():
    point = oracle.Point(0.7, 0.2, 0.5, 1.5, 0.9, 2.0, 1.2, -0.4, 0.8, 5.0)
    with mpmath.workdps(60):
        uu, uw, ww = mpmath.mpf(point.uu), mpmath.mpf(point.uw), mpmath.mpf(point.ww)
        for _ in range(5):
            pull = point.gamma * (point.m * point.gamma * uw - point.c)
            x, y = point.eta_u * pull, point.eta_w * pull
            uu, uw, ww = (
                uu - 2 * x * uw + x * x * ww,
                uw - x * ww - y * uu + x * y * uw,
                ww - 2 * y * uw + y * y * uu,
            )
        exact = oracle.descent(point)
        for name, wanted in (("uu", uu), ("uw", uw), ("ww", ww)):
            assert abs(exact[name] / wanted - 1) < mpmath.mpf(10) ** -15


def test_a_wrong_digit_is_found():
    """The machinery of this file must be able to fail."""
    batch = points.flow_batch(np.random.default_rng(0), 50)
    wrong = {name: values * (1 + 1e-10) for name, values in batch.answers.items()}
    units, _ = _worst(batch._replace(answers=wrong), oracle.flow)
    assert units > 10

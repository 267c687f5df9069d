"""Gradient descent: real steps, limits, divergence, memory, and what it refuses."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from mpmath import mp, mpf
from oracle import METHODS

from flbook import GradientDescent, GradientFlow, Gram, Network, Task
from flbook.simulation import gradient_descent as simulate


def _descent(uu, uw, ww, c=1.0, m=1.0, limit_steps=1_000_000, progress=None, **network):
    return GradientDescent(
        Network(2, **network),
        Task(m, c, np.asarray(c) ** 2 / m + 1),
        Gram(uu, uw, ww),
        limit_steps=limit_steps,
        progress=progress,
    )


def _everything(descent, t):
    gram = descent.gram(t)
    answers = {name: getattr(descent, name)(t) for name in METHODS}
    return answers | {"uu": gram.uu, "uw": gram.uw, "ww": gram.ww}


@pytest.mark.parametrize("seed", range(10))
def test_against_real_steps_on_data(seed):
    random = np.random.default_rng(seed)
    width = int(random.integers(1, 8))
    gamma, eta_u, eta_w = np.exp(random.normal(size=3) / 3)
    x = random.normal(size=20)
    y = 0.7 * x + 0.3 * random.normal(size=20)
    u0, w0 = random.normal(size=(2, width)) / 2
    network = Network(width, gamma=gamma, eta_u=0.3 * eta_u, eta_w=0.3 * eta_w)
    steps = np.array([0, 1, 2, 5, 30, 100])
    run = simulate(network, (x, y), u0, w0, steps)
    task = Task.from_data(x, y)
    descent = GradientDescent(network, task, Gram.from_weights(u0, w0))
    near = {"rtol": 1e-11, "atol": 1e-12}
    np.testing.assert_allclose(descent.slope(steps), run.slope, **near)
    np.testing.assert_allclose(descent.residual(steps), run.slope - task.target, **near)
    np.testing.assert_allclose(descent.loss(steps), run.loss, **near)
    np.testing.assert_allclose(descent.kernel(steps), run.kernel, **near)
    np.testing.assert_allclose(descent.alignment(steps), run.alignment, **near)
    gram = descent.gram(steps)
    for name in ("uu", "uw", "ww"):
        np.testing.assert_allclose(getattr(gram, name), getattr(run.gram, name), **near)
    np.testing.assert_allclose(descent.determinant(steps), run.gram.determinant, **near)
    imbalance = network.eta_w * run.gram.uu - network.eta_u * run.gram.ww
    np.testing.assert_allclose(descent.imbalance(steps), imbalance, **near)


def test_small_steps_are_gradient_flow():
    parts = Task(1.0, 2.0, 5.0), Gram(2.0, -0.5, 3.0)
    flow = GradientFlow(Network(2, gamma=0.5, eta_w=2.0), *parts)
    coarse, fine = (
        GradientDescent(Network(2, gamma=0.5, eta_u=h, eta_w=2 * h), *parts) for h in (1e-3, 5e-4)
    )
    for name in ("slope", "alignment", "determinant"):
        errors = [
            abs(getattr(run, name)(n) - getattr(flow, name)(1.5))
            for run, n in ((coarse, 1500), (fine, 3000))
        ]
        assert errors[0] < 1e-2
        assert errors[0] / errors[1] == pytest.approx(2.0, rel=0.02, abs=0), name


def test_a_million_small_steps_lose_no_digit():
    # The kernel hardly moves, so the residual is a plain power of 1 − mK to leading order; the
    # exact answer takes the same steps with 40 digits, four at a time being out of the question.
    size = 1e-7
    descent = _descent(size, 0.0, size, c=1e-12)
    steps = 200_000
    with mp.workdps(40):
        residual, kernel = mpf(-1e-12), 2 * mpf(size)
        ahead, behind = mpf(1), mpf(1)
        for _ in range(steps):
            now = kernel * (ahead**2 + behind**2) / 2
            slope = residual + mpf(1e-12)
            ahead, behind = (1 - residual) * ahead, (1 + residual) * behind
            residual = residual * (1 - now + residual * slope)
        assert abs(mpf(descent.residual(steps)) / residual - 1) < 3e-16
        drift = (ahead**2 + behind**2) / 2
        assert abs(mpf(descent.kernel(steps)) / (kernel * drift) - 1) < 1e-15
        expected = size * size * (ahead * behind) ** 4
        assert abs(mpf(descent.determinant(steps)) / expected - 1) < 1e-15


def test_frozen_numbers_shrink():
    descent = _descent(2.0, -0.3, 3.0, c=1.0, eta_u=0.2, eta_w=0.3)
    t = np.arange(30)
    assert np.all(np.diff(descent.determinant(t)) <= 1e-15)
    assert np.all(np.diff(np.abs(descent.imbalance(t))) <= 1e-15)
    turn = np.sqrt(0.06) * descent.residual(t)
    ratios = descent.imbalance(t)[1:] / descent.imbalance(t)[:-1]
    np.testing.assert_allclose(ratios, 1 - turn[:-1] ** 2, rtol=1e-14)


def test_limit():
    descent = _descent(2.0, -0.3, 3.0, c=1.0, eta_u=0.2, eta_w=0.3)
    assert descent.slope(np.inf) == 1.0
    assert descent.residual(np.inf) == 0.0
    assert descent.loss(np.inf) == 0.5
    late, end = _everything(descent, 2000), _everything(descent, np.inf)
    for name, answer in end.items():
        assert late[name] == pytest.approx(answer, rel=1e-13, abs=0), name


def test_catapult():
    descent = _descent(1.5, 0.0, 1.5, c=0.1)
    assert descent.kernel(0) > 2
    assert descent.loss(np.arange(10)).max() > 1.5 * descent.loss(0)
    assert descent.slope(np.inf) == pytest.approx(0.1, rel=1e-15, abs=0)
    assert descent.kernel(np.inf) < 2


def test_unstable_target_never_settles():
    # mγη|v*| > 1: no state at the target is stable, and this start neither settles nor diverges.
    descent = _descent(1.0, 0.9, 1.0, c=1.2, limit_steps=3000)
    assert np.isfinite(descent.slope(np.arange(3000))).all()
    with pytest.raises(ValueError, match="t must be finite here, got inf: the network has not"):
        descent.slope(np.inf)
    several = _descent([0.1, 1.0], [0.0, 0.9], [0.1, 1.0], c=[0.1, 1.2], limit_steps=3000)
    with pytest.raises(ValueError, match=r"network at index \(1,\) has not settled in limit_steps"):
        several.kernel(np.inf)


def test_limit_within_too_few_steps():
    descent = _descent(1e-3, 0.0, 1e-3, c=1.0, eta_u=0.01, eta_w=0.01, limit_steps=100)
    with pytest.raises(ValueError, match="limit_steps = 100 steps"):
        descent.slope([1.0, np.inf])
    assert np.isfinite(descent.slope(1000))


@pytest.mark.parametrize("c", [0.5, -0.5])
def test_stuck_on_the_wrong_side_of_the_saddle(c):
    wrong = -np.sign(c)
    descent = _descent(1.0, wrong, 1.0, c=c, eta_u=0.1, eta_w=0.1)
    t = np.array([0, 1, 10, 100, 20_000, np.inf])
    assert np.all(np.diff(np.abs(descent.slope(t))) <= 0)
    np.testing.assert_array_equal(descent.alignment(t), wrong)
    np.testing.assert_array_equal(descent.kernel_alignment(t), wrong)
    assert descent.slope(np.inf) == descent.kernel(np.inf) == 0
    assert descent.residual(np.inf) == -c
    assert descent.gram(np.inf) == Gram(0.0, 0.0, 0.0)


def test_target_zero_without_a_floor():
    descent = _descent(1.0, -1.0, 1.0, c=0.0, eta_u=0.1, eta_w=0.1)
    values = descent.slope([0, 1, 10_000])
    assert values[1] == pytest.approx(-(0.9**2), rel=1e-15, abs=0)
    assert values[2] == pytest.approx(-1 / (2 * 0.1 * 10_000), rel=0.01, abs=0)
    assert descent.slope(np.inf) == 0
    assert descent.alignment(np.inf) == -1


def test_zero_weights_do_not_move():
    descent = _descent(0.0, 0.0, 0.0, c=3.0)
    t = np.array([0, 1, 10**9, np.inf])
    for name, value in {"slope": 0, "residual": -3, "kernel": 0, "alignment": 0, "loss": 5}.items():
        np.testing.assert_array_equal(getattr(descent, name)(t), value)


def test_one_step_onto_an_empty_mode():
    # ε = 1 exactly: one mode is emptied in a single step, and with it D and Δ.
    descent = _descent(1.0, 0.0, 1.0, c=-1.0)
    np.testing.assert_array_equal(descent.determinant([0, 1, 5]), [1, 0, 0])
    assert descent.gram(1) == Gram(2.0, -2.0, 2.0)


def test_frozen_layer_is_linear_regression():
    descent = _descent(1.0, 0.0, 2.0, c=1.0, eta_w=0.0, m=0.25)
    n = np.arange(40)
    np.testing.assert_allclose(descent.residual(n), -4.0 * 0.5**n, rtol=1e-14)
    np.testing.assert_allclose(descent.kernel(n), 2.0, rtol=1e-15)
    assert descent.slope(np.inf) == 4.0


def test_frozen_layer_at_the_edge():
    cycling = _descent(1.0, 0.0, 1.0, c=1.0, m=2.0, eta_w=0.0, limit_steps=2000)
    np.testing.assert_array_equal(cycling.slope([0, 1, 2, 1001]), [0, 1, 0, 1])
    with pytest.raises(ValueError, match="has not settled"):
        cycling.slope(np.inf)
    beyond = _descent(1.0, 0.0, 1.0, c=1.0, m=3.0, eta_w=0.0)
    np.testing.assert_array_equal(beyond.slope([10_000, np.inf]), beyond.residual([10_000, np.inf]))
    assert np.isinf(beyond.slope(10_000))
    assert beyond.kernel(10_000) == 1.0
    assert beyond.imbalance(10_000) == -1.0
    gram = beyond.gram(10_000)
    assert (gram.uu, gram.ww) == (np.inf, 1.0)


def test_divergence_gives_infinities():
    descent = _descent(5.0, 0.0, 2.0, c=0.1)
    t = np.arange(14)
    answers = _everything(descent, t)
    for name, answer in answers.items():
        assert not np.isnan(answer).any(), name
    slope = answers["slope"]
    gone = np.isinf(slope)
    assert gone.any()
    np.testing.assert_array_equal(slope[gone], -np.inf)
    np.testing.assert_array_equal(answers["residual"][gone], -np.inf)
    np.testing.assert_array_equal(answers["uw"][gone], -np.inf)
    for name in ("kernel", "loss", "determinant", "uu", "ww"):
        np.testing.assert_array_equal(answers[name][gone], np.inf)
    last = np.flatnonzero(~gone)[-1]
    for name in ("alignment", "kernel_alignment"):
        np.testing.assert_array_equal(answers[name][gone], answers[name][last])
        assert answers[name][last] == pytest.approx(answers[name][last - 1], rel=1e-12, abs=0)
    # Far out every step multiplies Δ by 1 − ε² < 0.
    signs = np.sign(answers["imbalance"][4:])
    np.testing.assert_array_equal(signs[1:], -signs[:-1])
    assert np.isinf(answers["imbalance"][gone]).all()


def test_divergence_at_infinity():
    descent = _descent(5.0, 0.0, 2.0, c=0.1)
    assert descent.slope(np.inf) == -np.inf
    assert descent.loss(np.inf) == descent.kernel(np.inf) == np.inf
    assert descent.alignment(np.inf) == descent.alignment(10_000)
    with pytest.raises(ValueError, match="imbalance changes its sign at every step"):
        descent.imbalance(np.inf)
    balanced = _descent(5.0, 0.0, 5.0, c=0.1)
    assert balanced.imbalance(np.inf) == 0
    parallel = _descent(5.0, 5.0, 5.0, c=0.1)
    assert parallel.determinant([0, 50, np.inf]).tolist() == [0, 0, 0]


def test_a_diverged_gram_matrix_has_no_measures():
    gram = _descent(5.0, 0.0, 2.0, c=0.1).gram(100)
    for name in ("determinant", "alignment", "root_determinant"):
        with pytest.raises(ValueError, match="gram must be finite for this, got the infinities"):
            getattr(gram, name)


def test_divergence_beside_convergence():
    uu, ww = np.array([5.0, 0.5, 0.0, 1.5]), np.array([2.0, 0.5, 0.0, 1.5])
    together = _descent(uu, 0.0, ww, c=0.1)
    t = np.array([0, 3, 7, 8, 9, 50, 1000])
    answers = _everything(together, t)
    for i in range(4):
        alone = _everything(_descent(uu[i], 0.0, ww[i], c=0.1), t)
        for name, answer in answers.items():
            np.testing.assert_allclose(answer[i], alone[name], rtol=1e-13, err_msg=f"{name} {i}")
    np.testing.assert_array_equal(together.slope(np.inf), [-np.inf, 0.1, 0.0, 0.1])


def test_shapes():
    descent = GradientDescent(
        Network([[10], [20]], eta_u=0.1, eta_w=0.1),
        Task(1.0, [1.0, 2.0, 3.0], 9.0),
        Gram(np.ones((4, 1, 1)), 0.5, 1.0),
    )
    assert descent.shape == (4, 2, 3)
    for t in (1, [1.0], np.ones((5, 6), int), np.ones(0), [[3, 1], [np.inf, 0]]):
        for name, answer in _everything(descent, t).items():
            assert np.shape(answer) == (4, 2, 3, *np.shape(t)), name


def test_order_of_the_steps_does_not_matter():
    random = np.random.default_rng(0)
    t = random.integers(0, 300, (6, 7)).astype(float)
    t[0, 0] = np.inf
    descent = _descent([2.0, 0.1], [-0.3, 0.1], [3.0, 0.1], c=1.0, eta_u=0.2, eta_w=0.3)
    together = descent.slope(t)
    for k in np.ndindex(t.shape):
        fresh = _descent([2.0, 0.1], [-0.3, 0.1], [3.0, 0.1], c=1.0, eta_u=0.2, eta_w=0.3)
        np.testing.assert_array_equal(together[(slice(None), *k)], fresh.slope(t[k]))


def test_memory_is_bounded_and_transparent():
    """Ask step after step, backwards and at random: the states kept are thinned out, unseen."""
    count = 25_000
    expected = _descent(0.01, 0.0, 0.02, c=1.0, eta_u=1e-4, eta_w=1e-4).slope(np.arange(count))
    descent = _descent(0.01, 0.0, 0.02, c=1.0, eta_u=1e-4, eta_w=1e-4)
    tracemalloc.start()
    got = np.array([descent.slope(n) for n in range(count)])
    kept = tracemalloc.get_traced_memory()[0] - got.nbytes
    tracemalloc.stop()
    np.testing.assert_array_equal(got, expected)
    assert kept < 500 * 2**14 < 500 * count
    random = np.random.default_rng(0)
    for n in random.integers(0, count, 50):
        assert descent.slope(n) == expected[n]


def test_many_steps_at_once_are_the_steps_one_by_one():
    uu = np.linspace(0.1, 1.0, 7)
    descent = _descent(uu, 0.0, uu, c=1.0, eta_u=0.1, eta_w=0.1)
    together = descent.at(np.arange(40))
    for n in range(40):
        alone = _descent(uu, 0.0, uu, c=1.0, eta_u=0.1, eta_w=0.1).at(n)
        np.testing.assert_array_equal(together.slope[:, n], alone.slope)
        np.testing.assert_array_equal(together.gram.ww[:, n], alone.gram.ww)


def test_interrupted_descent_resumes():
    reports = []

    def interrupt(done, wanted):
        reports.append(done)
        if len(reports) == 2:
            raise KeyboardInterrupt

    steps = 300_000
    slow = {"c": 1e-6, "eta_u": 1e-3, "eta_w": 1e-3}
    descent = _descent(1e-3, 0.0, 1e-3, progress=interrupt, **slow)
    with pytest.raises(KeyboardInterrupt):
        descent.slope(steps)
    at = reports[-1]
    assert 0 < at < steps
    answer = descent.slope(steps)
    # It went on from where it was: no report repeats an earlier step.
    assert reports == sorted(set(reports))
    assert reports[2] > at
    assert answer == _descent(1e-3, 0.0, 1e-3, **slow).slope(steps)


def test_progress_reports_are_rare():
    reports = []
    descent = _descent(
        1e-3, 0.0, 1e-3, c=1e-6, eta_u=1e-3, eta_w=1e-3, progress=lambda *x: reports.append(x)
    )
    descent.slope(2_000)
    assert len(reports) <= 1
    assert "progress" not in repr(descent)


def test_rest_is_noticed():
    # 10¹⁵ steps cost as much as it takes for nothing to move any more.
    descent = _descent(2.0, -0.3, 3.0, c=1.0, eta_u=0.2, eta_w=0.3)
    assert descent.slope(1e15) == 1.0
    assert descent.residual([1e15, 2**53]).tolist() == [0, 0]


@pytest.mark.parametrize(
    ("t", "message"),
    [
        (-1, r"t must be a whole number of steps from 0 to 2\*\*53, or infinity, got -1.0"),
        (0.5, "t must be a whole number .* got 0.5"),
        ([0.0, np.nan], "t must be .* got nan at index 1"),
        (2.0**60, "t must be a whole number"),
    ],
)
@pytest.mark.parametrize("name", [*METHODS, "gram"])
def test_bad_steps(name, t, message):
    with pytest.raises(ValueError, match=message):
        getattr(_descent(1.0, 0.5, 1.0, eta_u=0.1, eta_w=0.1), name)(t)


def test_bad_parts():
    parts = Network(2), Task(1.0, 1.0, 1.0), Gram(1.0, 0.0, 1.0)
    with pytest.raises(TypeError, match="t must be a real number"):
        GradientDescent(*parts).slope("3")
    with pytest.raises(TypeError, match="task must be a Task"):
        GradientDescent(parts[0], parts[0], parts[2])
    with pytest.raises(ValueError, match="limit_steps must be a whole number from 1"):
        GradientDescent(*parts, limit_steps=0)
    with pytest.raises(TypeError, match="limit_steps must be one whole number"):
        GradientDescent(*parts, limit_steps=[10, 20])
    with pytest.raises(TypeError, match="progress must be a function of two ints or None, got 3"):
        GradientDescent(*parts, progress=3)


def test_frozen_and_comparable():
    one, other = _descent(1.0, 0.5, 1.0), _descent(1.0, 0.5, 1.0, progress=print)
    one.slope(10)
    assert one == other
    assert hash(one) == hash(other)
    assert one != _descent(1.0, 0.5, 1.0, limit_steps=10)
    with pytest.raises(AttributeError):
        one.limit_steps = 7


def test_long_cycles_stay_consistent():
    # Balanced and beyond stability the descent ends in a cycle of two slopes, v ↔ 1/v at this
    # target, found by solving v(1 − (v − v*))² = v' for a pair. Residual, modes and kernel must
    # agree about it after any number of steps.
    descent = _descent(1.0, 0.9, 1.0, c=1.05)
    n = np.array([2000, 2001, 200_000, 200_001])
    slope = descent.slope(n)
    np.testing.assert_allclose(slope, [0.8, 1.25, 0.8, 1.25], rtol=1e-13)
    np.testing.assert_allclose(slope * (1 - (slope - 1.05)) ** 2, slope[[1, 0, 1, 0]], rtol=1e-13)
    np.testing.assert_allclose(descent.residual(n), slope - 1.05, rtol=1e-12)
    np.testing.assert_allclose(descent.kernel(n), 2 * slope, rtol=1e-12)
    np.testing.assert_allclose(descent.gram(n).uu, slope, rtol=1e-12)

"""What must hold for every problem: frozen numbers, symmetries, rescalings, order."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flbook import GradientDescent, GradientFlow, Gram, KernelFlow, Network, Task

settings.register_profile("flbook", max_examples=60, deadline=None, derandomize=True)
settings.load_profile("flbook")

QUANTITIES = ("slope", "residual", "loss", "kernel", "alignment", "kernel_alignment")
TIMES = np.array([0.0, 1e-3, 0.1, 1.0, 3.0, 30.0, np.inf])
POWERS_OF_TWO = st.integers(-10, 10).map(lambda k: 2.0**k)

sizes = st.floats(-3, 3).map(lambda x: 10.0**x)
signs = st.sampled_from([-1.0, 1.0])


@st.composite
def problems(draw):
    """Draw the numbers of a problem over six decades, all degrees of alignment included."""
    x = {name: draw(sizes) for name in ("gamma", "eta_u", "eta_w", "m", "c", "uu", "ww")}
    x["c"] *= draw(st.sampled_from([-1.0, 0.0, 1.0]))
    cosine = draw(st.one_of(st.floats(-1, 1), st.sampled_from([-1.0, 0.0, 1.0])))
    largest = np.sqrt(x["uu"]) * np.sqrt(x["ww"])
    return x | {"uw": cosine * largest, "extra": draw(st.sampled_from([0.0, 1.0]))}


def solve(x, kind=GradientFlow):
    network = Network(2, gamma=x["gamma"], eta_u=x["eta_u"], eta_w=x["eta_w"])
    task = Task(x["m"], x["c"], x["c"] ** 2 / x["m"] + x["extra"])
    return kind(network, task, Gram(x["uu"], x["uw"], x["ww"]))


def clock(x):
    """Return times at which something happens."""
    return TIMES / max(float(solve(x).rate), 1e-30)


def swapped(x):
    return x | {"uu": x["ww"], "ww": x["uu"], "eta_u": x["eta_w"], "eta_w": x["eta_u"]}


def near(got, wanted, scale=0.0, rtol=1e-9, **kwargs):
    atol = 1e-10 * np.max(np.abs(scale))
    np.testing.assert_allclose(got, wanted, rtol=rtol, atol=atol, **kwargs)


@given(problems())
def test_two_numbers_never_move(x):
    flow = solve(x)
    gram = flow.gram(clock(x))
    # From the entries of the Gram matrix, whose own size sets the rounding.
    size = gram.uu * gram.ww
    near(gram.determinant / size.max(), flow.determinant(0.0) / size.max(), scale=1.0)
    imbalance = x["eta_w"] * gram.uu - x["eta_u"] * gram.ww
    near(imbalance, flow.imbalance(0.0), scale=x["eta_w"] * gram.uu + x["eta_u"] * gram.ww)


@given(problems())
def test_kernel_and_slope_lie_on_one_hyperbola(x):
    flow, t = solve(x), clock(x)
    signal = 2 * x["gamma"] * np.sqrt(x["eta_u"] * x["eta_w"]) * flow.slope(t)
    near(flow.kernel(t), np.hypot(signal, flow.kernel_floor), rtol=1e-11)
    assert np.all(flow.kernel(t) >= flow.kernel_floor * (1 - 1e-12))


@given(problems())
def test_the_layers_may_change_roles(x):
    t = clock(x)
    one, other = solve(x), solve(swapped(x))
    for name in (*QUANTITIES, "determinant"):
        got, wanted = getattr(one, name)(t), getattr(other, name)(t)
        near(got, wanted, rtol=1e-8, err_msg=name)
    near(one.imbalance(t), -other.imbalance(t))
    near(one.gram(t).uu, other.gram(t).ww, rtol=1e-8)


@given(problems())
def test_sign_of_the_task(x):
    t = clock(x)
    one, other = solve(x), solve(x | {"c": -x["c"], "uw": -x["uw"]})
    for name in ("slope", "residual", "alignment", "kernel_alignment"):
        np.testing.assert_array_equal(getattr(one, name)(t), -getattr(other, name)(t))
    for name in ("loss", "kernel", "imbalance", "determinant"):
        np.testing.assert_array_equal(getattr(one, name)(t), getattr(other, name)(t))


@given(problems(), POWERS_OF_TWO, POWERS_OF_TWO)
def test_rescalings_that_leave_the_slope_alone(x, s, r):
    t = clock(x)
    slope = solve(x).slope(t)
    scale = np.abs(slope).max()
    # u → s u, η_u → s² η_u with γ → γ/s: the same function from other units of u. With powers of
    # two every product is exact, whatever the problem.
    units = x | {
        "gamma": x["gamma"] / s,
        "uu": x["uu"] * s**2,
        "uw": x["uw"] * s,
        "eta_u": x["eta_u"] * s**2,
    }
    near(solve(units).slope(t), slope, scale=scale)
    # Faster learning is a faster clock.
    faster = x | {"eta_u": x["eta_u"] * r, "eta_w": x["eta_w"] * r}
    near(solve(faster).slope(t / r), slope, scale=scale)
    # Inputs r times larger with labels to match: slopes r times smaller.
    larger = x | {"m": x["m"] * r**2, "c": x["c"] * r, "extra": x["extra"]}
    smaller_gamma = larger | {"gamma": x["gamma"] / r}
    near(solve(smaller_gamma).slope(t) * r, slope, scale=scale)


@given(problems(), st.integers(1, 6))
def test_the_flow_has_no_memory(x, i):
    t = clock(x)[:-1]
    flow = solve(x)
    middle = flow.gram(t[i - 1])
    again = GradientFlow(flow.network, flow.task, middle)
    later = t[t >= t[i - 1]]
    wanted = flow.kernel(later)
    # Rounding of the entries moves the conserved numbers, and near the saddle that is felt.
    if flow.kernel_floor > 1e-3 * wanted.max():
        near(again.kernel(later - t[i - 1]), wanted, rtol=1e-6)
        near(again.slope(later - t[i - 1]), flow.slope(later), scale=1e4 * np.abs(flow.slope(t)))


@given(problems())
def test_the_loss_only_falls(x):
    loss = solve(x).loss(clock(x))
    assert np.all(np.diff(loss) <= 1e-14 * loss[:-1])
    assert np.all(loss >= float(solve(x).task.loss_floor))


@given(problems())
def test_the_slope_moves_straight_to_the_target(x):
    slope = solve(x).slope(clock(x))
    steps = np.diff(slope) * np.sign(solve(x).task.target - slope[0])
    assert np.all(steps >= -1e-14 * np.abs(slope).max())


@given(problems())
def test_cosines_are_cosines(x):
    flow, t = solve(x), clock(x)
    assert np.all(np.abs(flow.alignment(t)) <= 1)
    assert np.all(np.abs(flow.kernel_alignment(t)) <= 1)
    gram = flow.gram(t)
    nonzero = gram.norm_product > 0
    near(gram.alignment[nonzero], flow.alignment(t)[nonzero], scale=1e4)
    floor = flow.kernel(t) * np.sqrt(1 - flow.kernel_alignment(t) ** 2)
    near(floor, flow.kernel_floor, scale=1e3 * flow.kernel(t))


@given(problems(), st.integers(4, 9))
def test_high_floors_are_lazy(x, decades):
    # A floor n decades above the signal freezes the kernel to 2n decades.
    signal = 2 * x["gamma"] * np.sqrt(x["eta_u"] * x["eta_w"])
    largest = signal * max(abs(x["c"] / x["m"]), abs(x["gamma"] * x["uw"]), 1e-30)
    raise_by = 10**decades * largest / (x["gamma"] ** 2 * x["eta_w"])
    lazy_problem = x | {"uu": x["uu"] + raise_by, "uw": x["uw"]}
    flow, lazy = solve(lazy_problem), solve(lazy_problem, KernelFlow)
    t = clock(lazy_problem)
    error = 10.0 ** (1 - 2 * decades) + 1e-12
    np.testing.assert_allclose(flow.kernel(t), lazy.kernel(t), rtol=error)
    scale = np.abs(flow.slope(t)).max()
    np.testing.assert_allclose(flow.slope(t), lazy.slope(t), atol=error * scale, rtol=0)


@given(problems(), st.floats(0.01, 0.3))
def test_two_numbers_shrink_in_steps(x, size):
    # Scaled so that the steps are stable for a while.
    pace = size / max(float(solve(x).kernel(0.0)), float(solve(x).rate) / x["m"]) / x["m"]
    small = x | {"eta_u": x["eta_u"] * pace, "eta_w": x["eta_w"] * pace}
    descent = solve(small, GradientDescent)
    n = np.arange(20)
    turn = small["gamma"] * np.sqrt(small["eta_u"] * small["eta_w"]) * x["m"]
    shrink = np.cumprod(1 - (turn * descent.residual(n)[:-1]) ** 2)
    near(descent.imbalance(n)[1:], descent.imbalance(0) * shrink, rtol=1e-12)
    near(descent.determinant(n)[1:], descent.determinant(0) * shrink**2, rtol=1e-12)
    signal = 2 * small["gamma"] * np.sqrt(small["eta_u"] * small["eta_w"]) * descent.slope(n)
    imbalance, root = descent.imbalance(n), descent.gram(n).root_determinant
    floor = small["gamma"] ** 2 * np.sqrt(
        imbalance**2 + 4 * small["eta_u"] * small["eta_w"] * descent.determinant(n)
    )
    assert np.shape(root) == np.shape(imbalance)
    near(descent.kernel(n), np.hypot(signal, floor), rtol=1e-10)


@given(problems(), st.floats(0.01, 0.3))
def test_steps_know_the_same_symmetries(x, size):
    pace = size / max(float(solve(x).kernel(0.0)), float(solve(x).rate) / x["m"]) / x["m"]
    small = x | {"eta_u": x["eta_u"] * pace, "eta_w": x["eta_w"] * pace}
    n = np.array([0, 1, 2, 7, 30])
    descent = solve(small, GradientDescent)
    turned = solve(swapped(small), GradientDescent)
    flipped = solve(small | {"c": -x["c"], "uw": -x["uw"]}, GradientDescent)
    for name in QUANTITIES:
        near(getattr(descent, name)(n), getattr(turned, name)(n), rtol=1e-9, err_msg=name)
    near(descent.slope(n), -flipped.slope(n), rtol=1e-13)
    near(descent.kernel(n), flipped.kernel(n), rtol=1e-13)


@given(problems(), st.integers(0, 2**32 - 1))
@settings(max_examples=20)
def test_any_shape_is_many_single_problems(x, seed):
    random = np.random.default_rng(seed)
    stretch = np.exp(random.normal(size=(2, 3)))
    t = np.array([[0.0, 1.0], [10.0, np.inf]]) / max(float(solve(x).rate), 1e-30)
    together = solve(
        x | {"uu": x["uu"] * stretch, "eta_w": x["eta_w"] / stretch[0]} | _fit(x, stretch)
    )
    assert together.shape == (2, 3)
    for i in np.ndindex(2, 3):
        alone = x | {
            "uu": x["uu"] * stretch[i],
            "eta_w": x["eta_w"] / stretch[0][i[1]],
            "uw": _fit(x, stretch)["uw"][i],
        }
        for name in QUANTITIES:
            got, wanted = getattr(together, name)(t)[i], getattr(solve(alone), name)(t)
            np.testing.assert_allclose(got, wanted, rtol=1e-13, err_msg=name)


def _fit(x, stretch):
    """Return overlaps that keep the cosine of every stretched problem."""
    return {"uw": x["uw"] * np.sqrt(stretch) * (1 - 1e-15)}


@pytest.mark.parametrize("kind", [GradientFlow, KernelFlow, GradientDescent])
def test_nothing_moves_at_time_zero(kind):
    x = {"gamma": 0.3, "eta_u": 2.0, "eta_w": 0.1, "m": 1.5, "c": 0.7, "uu": 2.0, "ww": 0.3}
    x |= {"uw": -0.2, "extra": 1.0}
    run = solve(x, kind)
    assert run.slope(0) == 0.3 * -0.2
    assert run.residual(0) == 0.3 * -0.2 - 0.7 / 1.5
    assert run.kernel(0) == pytest.approx(0.09 * (0.1 * 2.0 + 2.0 * 0.3), rel=1e-15, abs=0)

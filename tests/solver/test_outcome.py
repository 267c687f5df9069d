"""Where training ends, against exact arithmetic, integrated weights and root finding."""

import mpmath
import numpy as np
import pytest
from scipy.optimize import brentq

import flbook as fl
from flbook import simulation

INFINITY = float("inf")
TASK = fl.Task(1.0, 1.0, 1.0)


def random_problems(random, size):
    """Return problems over ten decades; some balanced, some parallel, some with both."""
    gamma, eta_u, eta_w, uu, ww, m = 10 ** random.uniform(-5, 5, (6, size))
    balanced = random.random(size) < 0.4
    ww = np.where(balanced, uu * eta_w / eta_u * (1 + 10 ** random.uniform(-12, 0, size)), ww)
    near = 10 ** random.uniform(-12, 0, size)
    cosine = np.where(random.random(size) < 0.4, near, 1 - near) * random.choice([-1, 1], size)
    uw = cosine * np.sqrt(uu) * np.sqrt(ww)
    floor = gamma**2 * np.hypot(
        eta_w * uu - eta_u * ww, 2 * np.sqrt(eta_u * eta_w * (1 - cosine**2) * uu * ww)
    )
    start = np.where(
        random.random(size) < 0.5, floor / (2 * gamma * np.sqrt(eta_u * eta_w)), uw * gamma
    )
    target = start * 10 ** random.uniform(-3, 3, size) * random.choice([-1, 1], size)
    network = fl.Network(np.full(size, 2), gamma, 1.0, 1.0, eta_u, eta_w)
    return network, fl.Task(m, m * target, 2 * m * target**2), fl.Gram(uu, uw, ww)


def exact(network, task, gram, index):
    """Return drift, kernel ratio, ζ(∞), |S(∞)|/√D and rate with 60 digits on the way."""
    with mpmath.workdps(60):
        gamma, eta_u, eta_w, uu, uw, ww, v = (
            mpmath.mpf(float(np.asarray(x)[index]))
            for x in (
                network.gamma,
                network.eta_u,
                network.eta_w,
                gram.uu,
                gram.uw,
                gram.ww,
                task.target,
            )
        )
        kernel = gamma**2 * (eta_w * uu + eta_u * ww)
        determinant = uu * ww - uw**2
        last = mpmath.sqrt(kernel**2 + 4 * gamma**2 * eta_u * eta_w * (v**2 - (gamma * uw) ** 2))
        across = gamma * mpmath.sqrt(determinant)
        return [
            float(x)
            for x in (
                last / kernel - 1,
                last / kernel,
                v / mpmath.sqrt(v**2 + across**2),
                abs(v) / across,
                mpmath.mpf(float(np.asarray(task.second_moment)[index])) * last,
            )
        ]


def test_ends_against_exact_arithmetic():
    problem = random_problems(np.random.default_rng(1), 1500)
    ends = fl.GradientFlow(*problem).outcome
    got = [
        ends.kernel_drift,
        ends.kernel_ratio,
        ends.final_alignment,
        ends.alignment_cotangent,
        ends.rate,
    ]
    for index in range(1500):
        # v(0) and v* are given as rounded numbers, so their difference is known to 1e-16 of them
        sensitive = (
            4e-16
            * abs(ends.kernel_drift[index])
            / abs(1 - abs(ends.initial_slope[index] / np.asarray(problem[1].target)[index]))
        )
        for array, wanted in zip(got, exact(*problem, index), strict=True):
            assert array[index] == pytest.approx(wanted, rel=1e-12, abs=sensitive)


def test_drift_keeps_its_digits_when_it_is_tiny():
    network, gram = fl.Network(np.array([2])), fl.Gram([1e9], [0.5], [1e9])
    drift = fl.GradientFlow(network, TASK, gram).outcome.kernel_drift[0]
    # (2γη)²(v*² − v(0)²)/(2K(0)²) with 2γη = 2 and K(0) = 2e9
    assert drift == pytest.approx(4 * 0.75 / (2 * 4e18), rel=1e-12, abs=0)


def test_half_time_against_root_finding():
    network, task, gram = random_problems(np.random.default_rng(2), 150)
    half = fl.GradientFlow(network, task, gram).outcome.half_time
    for index in range(150):
        flow = fl.GradientFlow(
            fl.Network(
                2,
                *(x[index] for x in (network.gamma,)),
                1,
                1,
                network.eta_u[index],
                network.eta_w[index],
            ),
            fl.Task(task.second_moment[index], task.cross_moment[index], task.label_moment[index]),
            fl.Gram(gram.uu[index], gram.uw[index], gram.ww[index]),
        )
        first = flow.residual(0.0)

        def beyond(log_t, flow=flow, first=first):
            return (flow.residual(np.exp(log_t)) / first) ** 2 - 0.5

        middle = np.log(1 / flow.rate)
        root = brentq(beyond, middle - 60, middle + 60, xtol=1e-13, rtol=1e-14)
        assert np.log(half[index]) == pytest.approx(root, abs=3e-12)


@pytest.mark.parametrize("seed", range(5))
def test_half_time_against_integrated_weights(seed):
    network = fl.Network(5, 0.7, 0.9, 0.6, 1.3, 0.4)
    task = fl.Task(0.8, (-1) ** seed * 1.5, 5.0)
    u, w = network.sample_weights(seed)
    ends = fl.GradientFlow(network, task, fl.Gram.from_weights(u, w)).outcome
    run = simulation.gradient_flow(network, task, u, w, [0.0, float(ends.half_time)])
    excess = run.loss - task.loss_floor
    assert excess[1] == pytest.approx(excess[0] / 2, rel=1e-9)


def test_limits():
    for gram, task, network, wanted in (
        # zero weights never move
        (fl.Gram(0.0, 0.0, 0.0), TASK, fl.Network(1), (0.0, 0.0, INFINITY)),
        # nor do frozen ones
        (fl.Gram(2.0, 1.0, 2.0), TASK, fl.Network(1, eta_u=0, eta_w=0), (0.0, 0.5, INFINITY)),
        # stuck at the saddle, the loss falls from ½·16 to ½·1 and from ½·1.21 to ½·1
        (fl.Gram(3.0, -3.0, 3.0), TASK, fl.Network(1), (-1.0, -1.0, None)),
        (fl.Gram(0.1, -0.1, 0.1), TASK, fl.Network(1), (-1.0, -1.0, INFINITY)),
        # without a target v = v(0)/(1 + 2v(0)t)
        (
            fl.Gram(1.0, 1.0, 1.0),
            fl.Task(1.0, 0.0, 1.0),
            fl.Network(1),
            (-1.0, 1.0, (2**0.5 - 1) / 2),
        ),
        # one layer alone is a linear model: K = η_w uu
        (fl.Gram(2.0, 0.0, 1.0), TASK, fl.Network(1, eta_u=0), (0.0, 1 / 3**0.5, np.log(2) / 4)),
        # at the target there is nothing to halve, but a limit
        (fl.Gram(1.0, 1.0, 1.0), TASK, fl.Network(1), (0.0, 1.0, np.log(2) / 4)),
    ):
        ends = fl.GradientFlow(network, task, gram).outcome
        flow = fl.GradientFlow(network, task, gram)
        assert ends.kernel_drift == pytest.approx(wanted[0], abs=1e-15)
        assert ends.final_alignment == pytest.approx(wanted[1], rel=1e-14)
        assert ends.final_alignment == pytest.approx(flow.alignment(INFINITY), rel=1e-14)
        with np.errstate(divide="ignore"):
            tangent = np.sqrt(np.divide(1.0, wanted[1] ** 2) - 1)
            cotangent = 0.0 if gram.uu == 0 else np.divide(1.0, tangent)
        assert ends.alignment_cotangent == pytest.approx(cotangent, rel=1e-14)
        if wanted[2] is None:
            assert flow.residual(ends.half_time) ** 2 == pytest.approx(16 / 2, rel=1e-12)
        else:
            assert ends.half_time == pytest.approx(wanted[2], rel=1e-12)

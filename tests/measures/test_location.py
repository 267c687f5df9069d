"""The universal diagram, against sums over neurons and against integrated weights."""

import numpy as np
import pytest

import flbook as fl
from flbook import simulation
from flbook._measures.location import contour

INFINITY = float("inf")


def frozen_numbers(network, u, w):
    """Return |Δ| and √D as sums over neurons and over pairs of neurons (Lagrange's identity)."""
    imbalance = np.sum(network.eta_w * u**2 - network.eta_u * w**2)
    pairs = np.outer(u, w) - np.outer(w, u)
    return abs(imbalance), np.sqrt(np.sum(pairs**2) / 2)


@pytest.mark.parametrize("seed", range(6))
def test_coordinates_and_kernel_change_of_real_weights(seed):
    random = np.random.default_rng(seed)
    gamma, eta_u, eta_w, m = 10 ** random.uniform(-0.7, 0.7, 4)
    network = fl.Network(7, gamma, 0.8, 0.6, eta_u, eta_w)
    target = random.choice([-1, 1]) * random.uniform(0.5, 3)
    task = fl.Task(m, m * target, 100.0 * m)
    u, w = network.sample_weights(seed)
    place = fl.locate(network, task, fl.Gram.from_weights(u, w))
    imbalance, height = frozen_numbers(network, u, w)
    assert place.by_determinant == pytest.approx(height * gamma / abs(target), rel=1e-12)
    side = imbalance * gamma / (2 * np.sqrt(eta_u * eta_w) * abs(target))
    assert place.by_imbalance == pytest.approx(side, rel=1e-11)
    assert place.start == pytest.approx(gamma * (u @ w) / target, rel=1e-12)

    end = 40 / fl.GradientFlow(network, task, fl.Gram.from_weights(u, w)).rate
    run = simulation.gradient_flow(network, task, u, w, [0.0, end])
    assert place.kernel_ratio == pytest.approx(run.kernel[1] / run.kernel[0], rel=1e-9)
    by_contour = np.hypot(1, place.radius) / np.hypot(place.start, place.radius)
    assert place.kernel_ratio == pytest.approx(by_contour, rel=1e-12)
    assert abs(run.alignment[1]) == pytest.approx(1 / np.hypot(1, place.by_determinant), rel=1e-9)


def test_contours_are_circles_about_the_corner():
    task = fl.Task(1.0, 1.0, 1.0)
    wanted = np.array([1.01, np.sqrt(2), 10.0])
    for angle in (0.0, 0.4, np.pi / 2):
        x, y = contour(wanted) * np.cos(angle), contour(wanted) * np.sin(angle)
        size = np.hypot(x, y)
        gram = fl.Gram(y + size, 0.0, size - y)
        place = fl.locate(fl.Network(2), task, gram)
        assert place.by_determinant == pytest.approx(x, abs=1e-7)
        assert place.by_imbalance == pytest.approx(y, rel=1e-12, abs=1e-12)
        assert place.radius == pytest.approx(contour(wanted), rel=1e-7)
        assert place.kernel_ratio == pytest.approx(wanted, rel=1e-7)


def test_contour_keeps_its_digits_next_to_one():
    ratio = 1 + 1e-10
    step = ratio - 1
    assert contour(ratio) == pytest.approx(1 / np.sqrt(2 * step + step**2), rel=1e-13)


def test_the_four_regimes():
    task = fl.Task(1.0, 1.0, 1.0)
    gram = fl.Gram([0.1, 2.0, 100.0, 100.0], 0.0, [0.1, 2.0, 100.0, 1e-4])
    assert fl.locate(fl.Network(2), task, gram).regime.tolist() == [
        fl.Regime.RICH,
        fl.Regime.BETWEEN,
        fl.Regime.LAZY_BY_DETERMINANT,
        fl.Regime.LAZY_BY_IMBALANCE,
    ]
    single = fl.locate(fl.Network(2), task, fl.Gram(0.1, 0.0, 0.1))
    assert single.regime is fl.Regime.RICH


@pytest.mark.parametrize("regime", list(fl.Regime))
def test_regimes_bound_the_kernel_change(regime):
    random = np.random.default_rng(3)
    size = 2000
    network = fl.Network(np.full(size, 2), *10 ** random.uniform(-2, 2, (1, size)))
    uu, ww = 10 ** random.uniform(-4, 4, (2, size))
    uw = random.uniform(-1, 1, size) * np.sqrt(uu * ww)
    place = fl.locate(network, fl.Task(1.0, 1.0, 1.0), fl.Gram(uu, uw, ww))
    ratio = place.kernel_ratio[place.regime == regime]
    assert ratio.size > 25
    change = np.maximum(ratio, 1 / ratio)
    if regime is fl.Regime.RICH:
        # K could have changed by more than √2 on the way from the saddle to the farther end
        farther = np.maximum(1, np.abs(place.start)) / place.radius
        assert (farther[place.regime == regime] > 1).all()
    else:
        assert (change <= np.sqrt(2) * (1 + 1e-12)).all()
    lazy = regime in (fl.Regime.LAZY_BY_DETERMINANT, fl.Regime.LAZY_BY_IMBALANCE)
    strays = place.kernel_excursion[place.regime == regime]
    assert (strays <= 0.01).all() if lazy else (strays > 0.01).all()


def test_a_kernel_that_comes_back_is_not_lazy():
    gram = fl.Gram(4.0, 2.0, 4.0)
    place = fl.locate(fl.Network(2), fl.Task(1.0, -2.0, 4.0), gram)
    assert place.kernel_ratio == pytest.approx(1.0, rel=1e-14)
    assert place.regime is fl.Regime.BETWEEN
    assert place.kernel_excursion == pytest.approx(1 - np.sqrt(12) / 4, rel=1e-12)


def test_a_start_beyond_the_target_counts():
    gram = fl.Gram(101.0, 100.0, 101.0)
    place = fl.locate(fl.Network(2), fl.Task(1.0, 1.0, 1.0), gram)
    assert place.by_determinant > 10
    assert place.start == 100
    assert place.regime is fl.Regime.RICH
    assert place.kernel_ratio < 0.2


def test_no_target():
    nothing = fl.Task(1.0, 0.0, 1.0)
    place = fl.locate(fl.Network(2), nothing, fl.Gram(4.0, [0.0, 1.0, -1.0], 1.0))
    assert (place.by_determinant == INFINITY).all()
    assert (place.by_imbalance == INFINITY).all()
    assert place.start.tolist() == [0.0, INFINITY, -INFINITY]
    # K falls from 5 to K_min = √(9 + 4·4) where v starts at 0, √(9 + 4·3) elsewhere
    assert place.kernel_ratio == pytest.approx([1.0, np.sqrt(21) / 5, np.sqrt(21) / 5])
    assert place.regime.tolist() == [fl.Regime.LAZY_BY_DETERMINANT, *[fl.Regime.BETWEEN] * 2]

    parallel = fl.locate(fl.Network(1), nothing, fl.Gram(1.0, 1.0, 1.0))
    assert (parallel.by_determinant, parallel.by_imbalance, parallel.radius) == (0.0, 0.0, 0.0)
    assert parallel.kernel_ratio == 0.0
    assert parallel.regime is fl.Regime.RICH


def test_corners_have_no_nan():
    task = fl.Task(1.0, 1.0, 1.0)
    frozen = fl.locate(
        fl.Network(2, eta_u=[0.0, 1.0, 0.0], eta_w=[1.0, 0.0, 0.0]), task, fl.Gram(2.0, 1.0, 1.0)
    )
    assert (frozen.by_imbalance == INFINITY).all()
    assert frozen.kernel_ratio == pytest.approx(1.0, rel=1e-15)
    assert (frozen.regime == fl.Regime.LAZY_BY_IMBALANCE).all()

    nothing = fl.locate(fl.Network(2), task, fl.Gram(0.0, 0.0, 0.0))
    assert (nothing.radius, nothing.start, nothing.kernel_ratio) == (0.0, 0.0, 1.0)

    stuck = fl.locate(fl.Network(1), task, fl.Gram(1.0, -1.0, 1.0))
    assert (stuck.radius, stuck.start, stuck.kernel_ratio) == (0.0, -1.0, 0.0)


def test_a_negative_target_is_mirrored():
    gram, mirrored = fl.Gram(2.0, 0.7, 1.0), fl.Gram(2.0, -0.7, 1.0)
    assert fl.locate(fl.Network(2), fl.Task(1.0, -3.0, 9.0), mirrored) == fl.locate(
        fl.Network(2), fl.Task(1.0, 3.0, 9.0), gram
    )


def test_shapes_and_refusals():
    network, task, gram = (
        fl.Network(2, gamma=np.ones((3, 1))),
        fl.Task(1.0, 1.0, 1.0),
        fl.Gram(1.0, np.zeros(4), 1.0),
    )
    place = fl.locate(network, task, gram)
    for name in ("by_determinant", "by_imbalance", "start", "kernel_ratio", "radius", "regime"):
        assert getattr(place, name).shape == (3, 4)
    with pytest.raises(TypeError, match="task must be a Task"):
        fl.locate(network, gram, gram)
    with pytest.raises(ValueError, match="must broadcast"):
        fl.locate(fl.Network(2, gamma=np.ones(3)), task, gram)
    with pytest.raises(ValueError, match="kernel_ratio must be finite and greater than 1"):
        contour([2.0, 1.0])
    with pytest.raises(TypeError, match="kernel_ratio must be a real number"):
        contour("two")

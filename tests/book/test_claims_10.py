"""Chapter 10: what its sentences say of finite steps, over corners."""

import numpy as np
import pytest

import flbook as fl
from flbook import sweeps
from flbook.simulation import gradient_descent as simulate

ENDS = (fl.Fate.CONVERGES, fl.Fate.EDGE, fl.Fate.CATAPULT)


def corners(size, seed, *, least=0.0, most=0.99, sharpest=6.0):
    """Draw networks of 1 to 3 neurons, of unequal rates and layers, with slopes of both signs.

    γηm|v*| lies between `least` and `most`, and mK(0) below `sharpest`.
    """
    random = np.random.default_rng(seed)
    gamma, m, eta_u, eta_w, tilt = np.exp(random.uniform(-3, 3, (5, size)))
    u, w = random.standard_normal((2, size, 3)) * (np.arange(3) < random.integers(1, 4, (size, 1)))
    u, w = u * tilt[:, None], w / tilt[:, None]
    # some layers nearly parallel, some nearly opposed, some at any angle
    toward = random.choice([-30.0, 0.0, 30.0], (size, 1))
    w = w + toward * u * np.linalg.norm(w, axis=1)[:, None] / np.linalg.norm(u, axis=1)[:, None]
    kernel = gamma**2 * (eta_w * np.sum(u * u, axis=1) + eta_u * np.sum(w * w, axis=1))
    scale = np.sqrt(random.uniform(0, sharpest, size) / (m * kernel))[:, None]
    turn = random.choice([-1, 1], size) * random.uniform(least, most, size)
    target = turn / (gamma * m * np.sqrt(eta_u * eta_w))
    network = fl.Network(3, gamma, eta_u=eta_u, eta_w=eta_w)
    return network, fl.Task(m, m * target, m * target**2 + 1), u * scale, w * scale


def descent_of(parts):
    network, task, u, w = parts
    return fl.GradientDescent(network, task, fl.Gram.from_weights(u, w))


def pull(parts):
    """Return γηm."""
    network, task = parts[:2]
    return network.gamma * np.sqrt(network.eta_u * network.eta_w) * task.second_moment


def margin(parts, gram):
    """Return W, from its definition."""
    network, task = parts[:2]
    slope = network.gamma * gram.uw
    kernel = network.gamma**2 * (network.eta_w * gram.uu + network.eta_u * gram.ww)
    h, target = pull(parts) * (slope - task.target), pull(parts) * task.target
    return 4 - task.second_moment * kernel + h * target


def real_step(parts, u, w):
    """Take one gradient step, weight by weight."""
    network, task = parts[:2]
    slope = network.gamma * np.sum(u * w, axis=1)
    push = (network.gamma * task.second_moment * (slope - task.target))[:, None]
    return u - network.eta_u[:, None] * push * w, w - network.eta_w[:, None] * push * u


def test_the_law_of_the_margin_on_real_weights():
    parts = corners(3000, seed=0, most=3.0)
    u, w = parts[2:]
    for _ in range(3):
        gram = fl.Gram.from_weights(u, w)
        h = pull(parts) * (parts[0].gamma * gram.uw - parts[1].target)
        factor = 1 + h * pull(parts) * parts[0].gamma * gram.uw
        before, size = margin(parts, gram), 1 + np.abs(h) ** 4
        u, w = real_step(parts, u, w)
        after = margin(parts, fl.Gram.from_weights(u, w))
        sound = size < 1e6
        assert sound.mean() > 0.5
        np.testing.assert_allclose(((after - before * factor) / size)[sound], 0, atol=1e-11)


@pytest.mark.parametrize(("least", "most"), [(0.0, 0.99), (1.01, 1.99)])
def test_the_margin_decides_what_stays_bounded(least, most):
    parts = corners(6000, seed=1, least=least, most=most)
    found = fl.descent_fate(descent_of(parts), steps=3000)
    np.testing.assert_allclose(found.margin, margin(parts, descent_of(parts).start), atol=1e-9)
    gone = np.equal(np.asarray(found.fate, object), fl.Fate.DIVERGES)
    assert np.array_equal(gone, found.margin < 0)
    assert 0.1 < gone.mean() < 0.95


def test_real_weights_of_few_neurons_do_what_the_margin_says():
    parts = corners(60, seed=2, sharpest=5.0)
    network, task, u, w = parts
    sides = margin(parts, fl.Gram.from_weights(u, w)) > 0
    assert 15 < sides.sum() < 45 or sides.sum() > 10
    for i in range(60):
        alone = fl.Network(3, network.gamma[i], eta_u=network.eta_u[i], eta_w=network.eta_w[i])
        one = fl.Task(task.second_moment[i], task.cross_moment[i], task.label_moment[i])
        if sides[i]:
            run = simulate(alone, one, u[i], w[i], [3000])
            assert one.second_moment * run.kernel[-1] < 4 + 2 * 0.99
        else:
            with pytest.raises(ValueError, match="they have diverged"):
                simulate(alone, one, u[i], w[i], [3000])


def test_from_slope_0_the_border_is_the_curve_of_the_picture():
    table = sweeps.load("results/finite_steps.json")
    seen = 0
    for row in table.rows:
        target, start = row["target"], row["start"]
        wanted = 4 - target**2 + target * start
        if target < 2 and wanted > 2 * abs(start) + 0.01:
            assert row["boundary"] == pytest.approx(wanted, abs=1e-5)
            seen += 1
        assert row["settled_past_boundary"] == row["diverged_before_it"] == 0
        shares = row["shares"]
        settled = sum(shares[kind.value] for kind in ENDS)
        if target >= 1:
            assert settled == 0
        else:
            assert shares["unsettled"] == 0
            assert settled + shares["diverges"] == pytest.approx(1)
    assert seen > 50


def test_bounded_training_settles_below_2_and_only_for_near_targets():
    near = fl.descent_fate(descent_of(corners(6000, seed=3, most=0.97)))
    assert np.array_equal(near.settled, near.margin > 0)
    parts = corners(6000, seed=3, most=0.97)
    ends = near.kernel_ratio * descent_of(parts).kernel(0) * parts[1].second_moment
    assert (ends[near.settled] < 2).all()
    far = fl.descent_fate(descent_of(corners(2000, seed=4, least=1.01, most=3.0)), steps=3000)
    assert not far.settled.any()


def test_the_quotient_with_the_weaker_mode_rises():
    parts = corners(4000, seed=5, most=1.99)
    descent = descent_of(parts)
    inside = margin(parts, descent.start) > 0
    h_star = pull(parts) * parts[1].target
    states = descent.at(np.arange(6))
    logs = []
    for n in range(6):
        s = 2 * pull(parts) * states.slope[:, n] * np.sign(h_star)
        sharpness = parts[1].second_moment * states.kernel[:, n]
        eta = parts[0].eta_u * parts[0].eta_w
        floor = states.imbalance[:, n] ** 2 + 4 * eta * states.determinant[:, n]
        floor = floor * (parts[1].second_moment * parts[0].gamma ** 2) ** 2
        # of K ± s the one that v* does not grow, without cancellation
        weaker = np.where(s > 0, floor / (sharpness + np.abs(s)), sharpness - s)
        gram = fl.Gram(*(getattr(states.gram, name)[:, n] for name in ("uu", "uw", "ww")))
        with np.errstate(divide="ignore", invalid="ignore"):
            logs.append(np.log(margin(parts, gram)) - np.abs(h_star) / 2 * np.log(weaker))
    rises = np.diff(logs, axis=0)[:, inside]
    sound = np.isfinite(rises) & (np.abs(rises) > 1e-7)
    assert sound.mean() > 0.3
    assert (rises[sound] > 0).all()


def test_one_ratio_stays_frozen_and_the_place_moves_along_its_ray():
    parts = corners(4000, seed=6, most=0.97, sharpest=3.0)
    u, w = parts[2:]
    seen = 0
    for _ in range(3):
        gram = fl.Gram.from_weights(u, w)
        before = fl.locate(*parts[:2], gram)
        turn = np.abs(pull(parts) * (parts[0].gamma * gram.uw - parts[1].target))
        u, w = real_step(parts, u, w)
        stepped = fl.Gram.from_weights(u, w)
        after = fl.locate(*parts[:2], stepped)
        # where neither number is a small difference of large ones
        clear = (np.abs(1 - turn**2) > 1e-2) & (turn < 10)
        for place, layers in ((before, gram), (after, stepped)):
            size = np.hypot(place.radius, parts[0].gamma * layers.uw / parts[1].target)
            clear &= np.minimum(place.by_determinant, place.by_imbalance) > 1e-3 * size
        seen += clear.sum()
        ratio = after.by_determinant[clear] / before.by_determinant[clear]
        other = after.by_imbalance[clear] / before.by_imbalance[clear]
        np.testing.assert_allclose(ratio, other, rtol=1e-6)
        np.testing.assert_allclose(ratio, np.abs(1 - turn**2)[clear], rtol=1e-6)
    assert seen > 500


def test_the_flow_of_the_ntk_stays_lazy_at_every_rate_and_its_steps_do_not():
    sharpness = np.array([0.5, 1.9, 2.1, 2.5, 3.0, 3.9])
    network = fl.Network(10**6, 1e-3, eta_u=sharpness / 2, eta_w=sharpness / 2)
    for seed in range(5):
        gram = network.sample_gram(seed=seed)
        parts = network, fl.Task(1, 1, 1), gram
        assert (fl.GradientFlow(*parts).outcome.kernel_excursion < 1e-4).all()
        found = fl.descent_fate(fl.GradientDescent(*parts))
        assert found.settled.all()
        lazy = np.abs(found.kernel_ratio - 1) < 0.01
        assert np.array_equal(lazy, sharpness < 2)


def test_the_error_against_the_flow_is_of_first_order_and_so_is_the_melting():
    m = 1.5
    task, gram = fl.Task(m, -m, m), fl.Gram(1.5, 0.2, 0.5)
    flow = fl.GradientFlow(fl.Network(2, 0.5, eta_u=1, eta_w=2), task, gram)
    slopes = np.linspace(flow.slope(0), -1, 4001)
    kernel = np.hypot(2 * 0.5 * np.sqrt(2) * slopes, flow.kernel_floor)
    melt = abs(np.trapezoid(m * 0.5**2 * 2 * (-1 - slopes) / kernel, slopes))
    misses = []
    for share in (0.02, 0.01, 0.005):
        network = fl.Network(2, 0.5, eta_u=share, eta_w=2 * share)
        descent = fl.GradientDescent(network, task, gram)
        lost = np.log(descent.imbalance(0) / descent.imbalance(np.inf))
        assert lost == pytest.approx(share * melt, rel=1.5 * share)
        misses.append(descent.slope(round(2 / share)) - flow.slope(2))
    assert misses[0] / misses[1] == pytest.approx(2, rel=0.02)
    assert misses[1] / misses[2] == pytest.approx(2, rel=0.01)


def test_on_the_border_every_step_triples_an_angle():
    for target in (0.0, 0.3, 0.9, 1.5):
        angle = 1.1
        h = 2 * np.cos(angle)
        slope, sharpness = h + target, 4 + h * target
        descent = fl.GradientDescent(
            fl.Network(2),
            fl.Task(1, target, target**2 + 1),
            fl.Gram(sharpness / 2, slope, sharpness / 2),
        )
        for n in range(6):
            wanted = 2 * np.cos(3**n * angle)
            assert descent.residual(n) == pytest.approx(wanted, abs=1e-11 * 4**n)


def test_the_last_stable_target_attracts_slowly():
    start = fl.Gram(1.05, 1.05, 1.05)
    descent = fl.GradientDescent(fl.Network(1), fl.Task(1, 1, 1), start)
    t = np.array([1000, 10_000])
    np.testing.assert_allclose(np.abs(descent.residual(t)) * np.sqrt(4 * t), 1, rtol=0.1)


def test_on_the_border_itself_training_stays_bounded_and_balanced_layers_stay_put():
    # 2h* ≤ mK = 4 + hh* with h = 2 and an empty weaker mode: every step leaves it where it is
    for target in (0.25, 0.5, 1.5):
        layers = fl.Gram(*[2 + target] * 3)
        descent = fl.GradientDescent(fl.Network(1), fl.Task(1, target, 9), layers)
        assert descent.kernel(0) == 4 + descent.residual(0) * target
        assert (descent.residual(np.array([1, 10, 1000])) == 2).all()


def test_the_border_is_that_of_a_target_above_0_and_of_its_mirror_image():
    for start in (0.0, 0.4, -0.4):
        for side in (0.02, -0.02):
            sharpness = 4 + 0.9 * (start - 0.9) - side
            gram = fl.Gram(sharpness / 2, start, sharpness / 2)
            mirrored = fl.Gram(sharpness / 2, -start, sharpness / 2)
            for v, layers in ((0.9, gram), (-0.9, mirrored)):
                descent = fl.GradientDescent(fl.Network(2), fl.Task(1, v, 9), layers)
                gone = fl.descent_fate(descent).fate is fl.Fate.DIVERGES
                assert gone == (side < 0)
                # read with |v*| in place of v* the sentence would be false below 0
                if v < 0 and side < 0:
                    assert sharpness < 4 + descent.residual(0) * abs(v)


def test_a_rare_start_rests_for_a_far_target_too():
    # balanced and exactly opposed: it ends at the saddle, and only it
    target = np.array([1.2, 1.5])
    for tilt, rests in ((0.0, True), (1e-3, False)):
        opposed = fl.Gram(0.15 + tilt, -0.15, 0.15 + tilt)
        descent = fl.GradientDescent(fl.Network(1), fl.Task(1, target, 9), opposed)
        assert (fl.descent_fate(descent, steps=3000).settled == rests).all()
        assert (np.abs(descent.slope(3000)) < 1e-12).all() == rests


def test_a_catapult_may_stretch_what_its_shorter_steps_melt():
    slope, target, sharpness = 2.0, 0.2, 4.2  # the first step is longer than √2
    gram = fl.Gram(sharpness / 2, slope, sharpness / 2)
    descent = fl.GradientDescent(fl.Network(2), fl.Task(1, target, 9), gram)
    assert fl.descent_fate(descent).fate is fl.Fate.CATAPULT
    t = np.arange(100)
    grew = np.diff(np.log(descent.determinant(t))) > 0
    h = np.abs(descent.residual(t[:-1]))
    clear = h > 1e-6
    assert np.array_equal(grew[clear], (h > np.sqrt(2))[clear])
    assert grew[0]


def test_at_the_last_stable_target_training_settles_at_2():
    random = np.random.default_rng(8)
    slope = random.uniform(-0.9, 1.4, 300)
    sharpness = 2 * np.abs(slope) + random.uniform(0.01, 1.5, 300)
    bounded = sharpness < 4 + slope - 1
    gram = fl.Gram(sharpness[bounded] / 2, slope[bounded], sharpness[bounded] / 2)
    descent = fl.GradientDescent(fl.Network(2), fl.Task(1, 1, 9), gram)
    assert (descent.kernel(0) > 2).sum() > 20
    np.testing.assert_allclose(descent.kernel(20_000), 2, atol=0.03)
    assert (np.abs(descent.residual(20_000)) < 0.03).all()

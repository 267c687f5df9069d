"""Chapter 10c: what its sentences say of noise, over corners and against the stored experiment."""

from pathlib import Path

import numpy as np
import pytest
from corners import decades, signal

import flbook as fl
from flbook.sweeps import load

ROOT = Path(__file__).resolve().parents[2]
TABLE = load(ROOT / "results/noise.json")
X = np.linspace(-1, 1, 16)
X = X / np.sqrt(np.mean(X**2))


def turns(run, steps):
    """Return h at every step of every path, from the batches and the slopes alone."""
    seen, net = run.batches(0, steps), run.network
    x, y = run.x[seen.index], run.y[seen.index] + seen.noise
    slope = np.moveaxis(run.slope(np.arange(steps)), -1, 0)
    push = np.mean(x * x, axis=-1) * slope - np.mean(x * y, axis=-1)
    return net.gamma * np.sqrt(net.eta_u * net.eta_w) * push


def floor(run, steps):
    """Return K_min."""
    net = run.network
    eta_squared = np.asarray(net.eta_u * net.eta_w)[..., None]
    height = np.sqrt(4 * eta_squared * run.determinant(steps))
    return np.asarray(net.gamma**2)[..., None] * np.hypot(run.imbalance(steps), height)


def corners(paths, seed, **options):
    """Draw networks with unequal rates and layers, slopes of both signs, and small steps."""
    random = np.random.default_rng(seed)
    draw = decades(random, paths)
    width = np.floor(draw(0, 4)).astype(int)
    gamma, eta_u, eta_w = draw(-1, 1), draw(-1, 1), draw(-1, 1)
    net = fl.Network(width, gamma, draw(-1, 0.5), draw(-1, 0.5), eta_u, eta_w)
    gram = net.sample_gram(seed=seed)
    target = random.choice([-1.0, 1.0]) * 0.8
    y = target * X + 0.2 * np.cos(5 * X)
    kernel = gamma**2 * (eta_w * gram.uu + eta_u * gram.ww) + signal(net)
    share = draw(-2, -0.7) / kernel
    net = fl.Network(width, gamma, eta_u=share * eta_u, eta_w=share * eta_w)
    return fl.StochasticDescent(net, X, y, gram, seed=seed, **options)


@pytest.mark.parametrize("noise", [0.0, 0.5])
@pytest.mark.parametrize("size", [1, 5, 16])
def test_every_step_multiplies_by_its_own_turn(noise, size):
    run = corners(60, 3, batch_size=size, label_noise=noise)
    h = turns(run, 200)
    for quantity, power in (("imbalance", 1), ("determinant", 2)):
        values = np.moveaxis(getattr(run, quantity)(np.arange(201)), -1, 0)
        wanted = (1 - h**2) ** power * values[:-1]
        np.testing.assert_allclose(values[1:], wanted, rtol=1e-9, atol=1e-300)
        smaller = (np.abs(h) > 1e-7) & (np.abs(h) < np.sqrt(2)) & (values[:-1] != 0)
        assert (np.abs(values[1:]) < np.abs(values[:-1]))[smaller].all()


def test_noise_that_never_dies_takes_both_to_zero_from_any_start():
    run = corners(60, 4, label_noise=1.0)
    assert np.abs(turns(run, 500)).max() < np.sqrt(2)
    n = np.array([0, 5000, 10_000])
    heights, kernels = floor(run, n), run.kernel(n)
    lost = -np.diff(np.log(heights), axis=-1) / 5000
    assert (lost > 0).all()
    # once settled it goes on at the derived rate
    noise = fl.GradientNoise(run.x, run.y, label_noise=1.0)
    derived = noise.erosion(run.network, kernels[:, 1])
    np.testing.assert_allclose(lost[:, 1], derived, rtol=0.25)
    # where the floor is gone, the layers are balanced and aligned
    done = heights[:, 2] < 3e-2 * signal(run.network)
    assert done.sum() >= 4
    assert (np.abs(run.kernel_alignment(n[2])[done]) > 0.99).all()


def test_the_floor_loses_the_derived_share_in_every_setting_of_the_table():
    table = TABLE.select(part="erosion")
    ratio = table.column("rate") / table.column("predicted_rate")
    apart = np.abs(ratio - 1) / np.hypot(table.column("error") / table.column("rate"), 1e-3)
    assert len(table) > 30
    assert np.abs(ratio - 1).max() < 0.01
    assert apart.max() < 4
    spread = table.column("fluctuation") / table.column("predicted_fluctuation")
    assert np.abs(spread - 1).max() < 0.04


def test_the_time_to_the_rich_side_is_the_integral_at_every_width_of_the_table():
    table = TABLE.select(part="rich")
    widths = table.column("width")
    ratio = table.column("steps") / table.column("predicted")
    assert widths.min() == 100 and widths.max() == 10**8
    for width, off in ((100, 0.25), (1000, 0.05), (10**4, 0.02)):
        assert np.abs(ratio[widths >= width] - 1).max() < off
    # the leading term is within a fifth from there on, and ever better
    leading = widths / (0.3 * table.column("label_noise")) ** 2 * np.log(widths) / 2
    gaps = [1 - table.column("steps")[widths == d].mean() / leading[widths == d][0]
            for d in (10**4, 10**6, 10**8)]  # fmt: skip
    assert 0.2 > gaps[0] > gaps[1] > gaps[2] > 0


@pytest.mark.parametrize(("rates", "size"), [((0.1, 0.4), 1), ((0.3, 0.1), 4)])
def test_the_time_to_the_rich_side_with_unequal_rates_layers_and_batches(rates, size):
    d = 500
    net = fl.Network(d, d**-0.5, eta_u=rates[0], eta_w=rates[1])
    gram = fl.Gram(np.full(20, 1.5 * d), 0.3 * d**0.5, 0.5 * d)
    y = -0.7 * X + 0.4 * (np.cos(5 * X) - np.mean(X * np.cos(5 * X)) * X)
    noise = fl.GradientNoise(X, y, size, label_noise=2.0)
    boundary = float(signal(net) * 0.7)
    run = fl.StochasticDescent(net, X, y, gram, batch_size=size, label_noise=2.0, seed=1)
    wanted = noise.steps_to_sink(net, float(floor(run, np.array([0]))[0, 0]), boundary)
    n = np.round(np.linspace(0, 2 * wanted, 401))
    found = n[(floor(run, n) <= boundary).argmax(axis=1)]
    assert np.mean(found) == pytest.approx(wanted, rel=0.06, abs=0)


def test_data_that_a_line_fits_erode_by_a_finite_amount():
    for d, target in ((50, 1.0), (500, -0.6)):
        net = fl.Network(d, d**-0.5, eta_u=0.2, eta_w=0.3)
        gram = fl.Gram(np.full(10_000, float(d)), 0.2 * d**0.5, float(d))
        run = fl.StochasticDescent(net, X, target * X, gram, seed=2)
        lost = np.log(run.determinant(0) / run.determinant([100, 500]).T) / 2
        np.testing.assert_allclose(lost[0], lost[1], rtol=1e-10)
        noise, kernel = fl.GradientNoise(X, target * X), run.kernel(0)[0]
        turn = 0.06 / d * noise.square * run.residual(0)[0] ** 2
        series = turn / (2 * kernel - kernel**2 * noise.square)
        assert lost[0].mean() == pytest.approx(series, rel=0.04, abs=0)


def test_minibatches_alone_never_take_a_lazy_network_to_the_rich_side_on_such_data():
    d = 10**6
    net = fl.Network(d, d**-0.5, eta_u=0.2, eta_w=0.2)
    run = fl.StochasticDescent(net, X, X, net.sample_gram(20, seed=1), seed=1)
    state = run.at([0, 5000])
    assert np.abs(state.kernel[:, 1] / state.kernel[:, 0] - 1).max() < 1e-4
    assert np.abs(state.residual[:, 1]).max() < 1e-100


def test_the_mean_wait_grows_by_the_derived_steps_per_factor_of_ten():
    for noise in (0.0, 1.0, 2.0, 3.0, 4.0, 5.0):
        rows = TABLE.select(part="plateau", label_noise=noise)
        waits, growth = rows.column("mean"), rows.column("growth")[0]
        spread = np.max(rows.column("high") - rows.column("low")) / np.sqrt(400)
        measured = (waits[-1] - waits[0]) / 3
        assert np.log(10) / growth == pytest.approx(measured, abs=1.5 * spread + 0.5)
        assert growth < np.log(1.05)


def wait(scale, target, net, noise, size, paths=500):
    """Return the steps to half the target from perpendicular, unequal layers of this size."""
    y = target * X
    gram = fl.Gram(np.full(paths, 2 * scale**2), 0.0, scale**2 / 2)
    run = fl.StochasticDescent(net, X, y, gram, batch_size=size, label_noise=noise, seed=5)
    reached = run.slope(np.arange(1200)) / target >= 0.5
    assert reached.any(axis=1).all()
    return reached.argmax(axis=1)


@pytest.mark.parametrize(("noise", "size"), [(1.0, 1), (2.5, 1), (6.0, 8)])
def test_noise_lengthens_the_mean_wait_with_unequal_rates_and_either_sign(noise, size):
    net = fl.Network(2, gamma=0.5, eta_u=0.3, eta_w=0.05)
    turn = 0.5 * np.sqrt(0.015)
    for target in (0.8, -0.8):
        growth = fl.GradientNoise(X, target * X, size, noise).growth(
            net, "p" if target > 0 else "q"
        )
        assert 0 < growth < np.log1p(turn * 0.8)
        near, far = (wait(s, target, net, noise, size) for s in (1e-3, 1e-6))
        error = np.hypot(far.std(), near.std()) / np.sqrt(500)
        assert far.mean() - near.mean() == pytest.approx(np.log(1000) / growth, abs=4 * error)
        quiet = wait(1e-6, target, net, 0.0, 16)
        factor = np.log1p(turn * 0.8) / growth
        assert far.mean() / quiet.mean() == pytest.approx(factor, rel=0.05, abs=0)


def test_where_the_growth_is_negative_the_wait_never_ends():
    never = {
        noise: TABLE.select(part="plateau", label_noise=noise).column("never")
        for noise in (5.0, 8.0, 20.0)
    }
    assert fl.GradientNoise(X, X, label_noise=8.0).growth(fl.Network(1, eta_u=0.05, eta_w=0.05)) < 0
    assert (never[5.0] == 0).all()
    for noise in (8.0, 20.0):
        # the smaller the start, the fewer get away
        assert (np.diff(never[noise]) > 0).all()
        assert never[noise][-1] > 0.9


def test_noise_may_hasten_half_the_paths_if_the_start_is_hardly_small():
    net = fl.Network(1, eta_u=0.05, eta_w=0.05)
    gram = fl.Gram(np.full(2000, 0.5), 0.0, 0.5)
    waits = []
    for noise in (0.0, 4.0):
        run = fl.StochasticDescent(net, X, X, gram, label_noise=noise, seed=1)
        waits.append((run.slope(np.arange(600)) >= 0.5).argmax(axis=1))
    assert np.median(waits[1]) < np.median(waits[0])
    assert np.mean(waits[1]) > np.mean(waits[0])


def test_the_exact_wrong_side_stays_out_of_reach():
    net = fl.Network(1, eta_u=0.05, eta_w=0.05)
    run = fl.StochasticDescent(
        net, X, X, fl.Gram(np.full(50, 1.0), -1.0, 1.0), label_noise=3.0, seed=0
    )
    assert (run.slope(np.arange(0, 2000, 100)) <= 0).all()


def test_a_rich_network_settles_below_its_target():
    """Exercise 2: the mean slope is v* − E[h²]/(2γηm)."""
    net = fl.Network(1, eta_u=0.05, eta_w=0.05)
    for noise in (0.5, 1.0):
        run = fl.StochasticDescent(
            net, X, X, fl.Gram(np.full(4000, 1.0), 1.0, 1.0), label_noise=noise, seed=3
        )
        state = run.at(np.arange(500, 1000, 25))
        h2 = fl.GradientNoise(X, X, label_noise=noise).erosion(net, state.kernel).mean()
        assert state.residual.mean() == pytest.approx(-h2 / 0.1, rel=0.15, abs=0)


@pytest.mark.parametrize(("noise", "grows"), [(3.0, False), (20.0, False), (40.0, True)])
def test_near_the_origin_the_sign_of_the_mean_logarithm_decides(noise, grows):
    net = fl.Network(1, eta_u=0.05, eta_w=0.05)
    found = fl.GradientNoise(X, X, label_noise=noise)
    total = found.growth(net) + found.growth(net, "q")
    assert (total > 0) == grows
    gram = fl.Gram(np.full(400, 1e-100), 0.0, 1e-100)
    run = fl.StochasticDescent(net, X, X, gram, label_noise=noise, seed=0)
    moved = np.log(run.determinant(150) / run.determinant(0)) / 300
    assert moved.mean() == pytest.approx(total, abs=5 * moved.std() / 20)


@pytest.mark.parametrize(("noise", "grows"), [(3.0, False), (20.0, False), (40.0, True)])
def test_noise_takes_a_trained_network_to_zero_unless_it_is_too_strong(noise, grows):
    net = fl.Network(1, eta_u=0.05, eta_w=0.05)
    trained = fl.Gram(np.full(200, 1.1), 1.0, 1.0)
    run = fl.StochasticDescent(net, X, X, trained, label_noise=noise, seed=6)
    left = np.median(run.determinant(300) / run.determinant(0))
    assert (left > 1e4) == grows
    assert (left < 1e-4) == (not grows)


def test_the_time_of_the_summary_asks_for_equal_rates():
    d, paths = 1000, 10
    ratios = []
    for u, w, noise in ((0.1, 0.1, 6.0), (0.005, 0.5, 6.0)):
        net = fl.Network(d, d**-0.5, eta_u=u, eta_w=w)
        gram = fl.Gram(np.full(paths, float(d)), 0.0, float(d))
        run = fl.StochasticDescent(net, X, X, gram, label_noise=noise, seed=1)
        leading = d / (u * w * noise**2) * np.log(d) / 2
        n = np.round(np.linspace(0, 2 * leading, 201))
        sunk = floor(run, n) <= signal(net)
        assert sunk.any(axis=1).all()
        ratios.append(n[sunk.argmax(axis=1)].mean() / leading)
    assert ratios[0] == pytest.approx(1, abs=0.1)
    # unequal rates start with a kernel that is larger against 2η
    wanted = 1 + np.log((0.1 + 10) / 2) / (np.log(d) / 2)
    assert 1.2 < ratios[1] < wanted


def test_for_a_target_below_0_the_other_mode_ends_the_plateau():
    net = fl.Network(1, eta_u=0.05, eta_w=0.05)
    found = fl.GradientNoise(X, -X, label_noise=2.0)
    assert found.growth(net) < 0 < found.growth(net, "q")
    gram = fl.Gram(np.full(200, 1e-4), 0.0, 1e-4)
    run = fl.StochasticDescent(net, X, -X, gram, label_noise=2.0, seed=1)
    assert (run.slope(np.arange(1500)) <= -0.5).any(axis=1).all()


def test_where_the_growth_is_negative_some_paths_leave_and_fewer_from_tinier_starts():
    net = fl.Network(1, eta_u=0.05, eta_w=0.05)
    shares = []
    for scale in (1e-1, 1e-2, 1e-4):
        gram = fl.Gram(np.full(400, scale**2), 0.0, scale**2)
        run = fl.StochasticDescent(net, X, X, gram, label_noise=8.0, seed=1)
        shares.append((run.slope(np.arange(3000)) >= 0.5).any(axis=1).mean())
    assert 0.5 > shares[0] > 2 * shares[1] / 1.5 > shares[2] > 0


def test_twice_the_batch_halves_the_pull_of_label_noise_and_more_than_halves_that_off_the_line():
    """Exercise 1 is about labels on the line: a batch without repetition knows more of the rest."""
    bent = X + np.cos(5 * X) - np.mean(X * np.cos(5 * X)) * X
    for size in (1, 2, 4):
        noisy = [fl.GradientNoise(X, X, n, label_noise=1.0).pull for n in (size, 2 * size)]
        off = [fl.GradientNoise(X, bent, n).pull for n in (size, 2 * size)]
        assert noisy[0] / noisy[1] == pytest.approx(2)
        assert off[0] / off[1] > 2.1

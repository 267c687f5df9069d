"""Stochastic descent: real steps from the same batches, seeds, limits, and what it refuses."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from mpmath import mp, mpf
from oracle import METHODS

import flbook as fl
from flbook._model.state import LayerState
from flbook.simulation import stochastic_descent as simulate

LINE = np.linspace(-1.5, 1.2, 12)
LABELS = 0.8 * LINE + 0.3 * np.cos(7 * LINE)
GRAM = fl.Gram(1.1, 0.2, 0.7)
NETWORK = fl.Network(2, gamma=0.8, eta_u=0.05, eta_w=0.2)


def _run(gram=GRAM, network=NETWORK, x=LINE, y=LABELS, **options):
    return fl.StochasticDescent(network, x, y, gram, **options)


def _everything(run, t):
    gram = run.gram(t)
    answers = {name: getattr(run, name)(t) for name in METHODS}
    return answers | {"uu": gram.uu, "uw": gram.uw, "ww": gram.ww}


@pytest.mark.parametrize("seed", range(12))
def test_against_real_steps_from_the_same_batches(seed):
    random = np.random.default_rng(seed)
    width, size = int(random.integers(1, 9)), int(random.integers(1, 13))
    gamma, eta_u, eta_w = np.exp(random.normal(size=3) / 3) * [1, 0.05, 0.05]
    network = fl.Network(width, gamma=gamma, eta_u=eta_u, eta_w=eta_w)
    u0, w0 = random.normal(size=(2, width)) / 2
    run = _run(
        fl.Gram.from_weights(u0, w0), network, batch_size=size, label_noise=seed % 3, seed=seed
    )
    steps = np.array([0, 1, 2, 5, 30, 100, 1500])
    seen = run.batches(0, 1500)
    true = simulate(network, (LINE, LABELS), u0, w0, steps, index=seen.index, noise=seen.noise)
    got = _everything(run, steps)
    for name, answer in got.items():
        wanted = getattr(true.gram if name in ("uu", "uw", "ww") else true, name)
        size = np.abs(true.gram.uu * true.gram.ww) if name == "determinant" else 1
        np.testing.assert_allclose(
            answer / size, wanted / size, rtol=3e-11, atol=3e-12, err_msg=name
        )


def test_against_forty_digits():
    """Small frozen numbers, which sums over weights cannot show, step by step in 40 digits."""
    gram = fl.Gram(0.3, 0.2 * (1 - 1e-9), 0.2 * 0.2 / 0.3)
    run = _run(gram, batch_size=3, label_noise=0.5, seed=4)
    seen, steps = run.batches(0, 400), 400
    with mp.workdps(60):
        gamma, eta_u, eta_w = (mpf(z) for z in (NETWORK.gamma, NETWORK.eta_u, NETWORK.eta_w))
        uu, uw, ww = mpf(gram.uu), mpf(gram.uw), mpf(gram.ww)
        for index, noise in zip(seen.index, seen.noise, strict=True):
            a, y = [mpf(z) for z in LINE[index]], [mpf(z) for z in LABELS[index]]
            error = [gamma * uw * p - q - mpf(r) for p, q, r in zip(a, y, noise, strict=True)]
            pull = gamma * sum(p * r for p, r in zip(a, error, strict=True)) / len(a)
            left, right = eta_u * pull, eta_w * pull
            uu, uw, ww = (
                uu - 2 * left * uw + left**2 * ww,
                uw * (1 + left * right) - left * ww - right * uu,
                ww - 2 * right * uw + right**2 * uu,
            )
        wanted = {
            "slope": gamma * uw,
            "kernel": gamma**2 * (eta_w * uu + eta_u * ww),
            "determinant": uu * ww - uw**2,
            "imbalance": eta_w * uu - eta_u * ww,
        }
        got = {name: mpf(float(getattr(run, name)(steps))) for name in wanted}
        residual = gamma * uw - mpf(run.task.target)
        assert abs(mpf(float(run.residual(steps))) - residual) < 1e-14
        for name, value in wanted.items():
            assert abs(got[name] / value - 1) < 1e-12, name


def test_the_whole_batch_is_gradient_descent():
    t = np.array([0, 1, 7, 100, 3000])
    whole = _run(batch_size=LINE.size, seed=1)
    full = fl.GradientDescent(NETWORK, fl.Task.from_data(LINE, LABELS), GRAM)
    for name, answer in _everything(full, t).items():
        np.testing.assert_allclose(
            _everything(whole, t)[name], answer, rtol=1e-13, atol=1e-300, err_msg=name
        )


def test_one_factor_per_step():
    """Every step multiplies Δ by 1 − h² and D by its square, with h = γη(m_B v − c_B)."""
    run = _run(batch_size=2, label_noise=1.0, seed=3)
    n = np.arange(200)
    seen, v = run.batches(0, 199), run.slope(n)
    a, y = LINE[seen.index], LABELS[seen.index] + seen.noise
    h = 0.8 * 0.1 * ((a * a).mean(1) * v[:-1] - (a * y).mean(1))
    imbalance, determinant = run.imbalance(n), run.determinant(n)
    np.testing.assert_allclose(imbalance[1:], (1 - h**2) * imbalance[:-1], rtol=1e-13)
    np.testing.assert_allclose(determinant[1:], (1 - h**2) ** 2 * determinant[:-1], rtol=1e-13)


def test_a_seed_is_a_path_in_whatever_order_it_is_asked_for():
    t = np.random.default_rng(0).integers(0, 3000, (5, 6))
    for size in (1, 4, 12):
        options = {"batch_size": size, "label_noise": 0.5, "seed": 7}
        together = _run(**options).slope(t)
        for k in np.ndindex(2, 2):
            assert together[k] == _run(**options).slope(t[k])
        backwards = _run(**options)
        for n in (2999, 10, 2000):
            assert backwards.slope(n) == _run(**options).slope(n)


def test_batches_in_parts_are_the_batches():
    run = _run(fl.Gram([1.0, 2.0], 0.3, 1.0), batch_size=3, label_noise=1.0, seed=2)
    whole = run.batches(0, 5000)
    assert whole.index.shape == whole.noise.shape == (5000, 2, 3)
    for start, stop in ((0, 0), (0, 1), (17, 4099), (4999, 5000)):
        part = run.batches(start, stop)
        np.testing.assert_array_equal(part.index, whole.index[start:stop])
        np.testing.assert_array_equal(part.noise, whole.noise[start:stop])


def test_batches_are_fair_and_the_noise_is_normal():
    run = _run(fl.Gram(np.ones(50), 0.3, 1.0), batch_size=3, label_noise=2.0, seed=5)
    seen = run.batches(0, 2000)
    assert (np.diff(np.sort(seen.index, axis=-1), axis=-1) > 0).all()
    share = np.bincount(seen.index.ravel(), minlength=12) / (50 * 2000)
    np.testing.assert_allclose(share, 3 / 12, atol=5 * np.sqrt(0.25 * 0.75 / 1e5))
    assert seen.noise.std() == pytest.approx(2, rel=0.01)
    assert abs(seen.noise.mean()) < 0.02
    # paths and steps know nothing of each other
    rest = seen.noise - seen.noise.mean()
    assert abs((rest[1:] * rest[:-1]).mean()) < 0.05
    assert abs((rest[:, 1:] * rest[:, :-1]).mean()) < 0.05


def test_batches_of_ones_own():
    first = _run(batch_size=4, label_noise=1.0, seed=9)
    seen = first.batches(0, 300)
    t = np.array([0, 10, 300])
    for given in (seen, (seen.index, seen.noise)):
        again = _run(batches=given)
        assert again.batch_size == 4
        for name, answer in _everything(first, t).items():
            np.testing.assert_array_equal(_everything(again, t)[name], answer)
    # all networks on one path of batches, and each on its own
    grams = fl.Gram([1.1, 2.0, 0.5], 0.2, 0.7)
    shared = _run(grams, batches=seen)
    np.testing.assert_array_equal(shared.slope(t)[0], first.slope(t))
    assert shared.batches(5, 9).index.shape == (4, 3, 4)
    own = _run(grams, batch_size=4, label_noise=1.0, seed=9)
    each = own.batches(0, 300)
    for k in range(3):
        alone = _run(fl.Gram(grams.uu[k], 0.2, 0.7), batches=(each.index[:, k], each.noise[:, k]))
        np.testing.assert_allclose(alone.slope(t), own.slope(t)[k], rtol=1e-13)


def test_shapes():
    run = fl.StochasticDescent(
        fl.Network([[10], [20]], eta_u=0.1, eta_w=[0.1, 0.2, 0.3]),
        np.outer(LINE, [0.6, 0.8]),
        LABELS,
        fl.Gram(np.ones((4, 1, 1)), 0.5, 1.0),
        seed=0,
    )
    assert run.shape == (4, 2, 3)
    for t in (1, [1.0], np.ones((5, 6), int), np.ones(0), [[3, 1], [2, 0]]):
        for name, answer in _everything(run, t).items():
            assert np.shape(answer) == (4, 2, 3, *np.shape(t)), name
    # every entry has noise of its own, also where networks are the same
    assert len(np.unique(run.slope(50))) == 24


def test_methods_and_state_say_the_same():
    run = _run(fl.Gram([1.0, 2.0, 0.0], 0.0, 1.0), label_noise=1.0, seed=0)
    t = np.array([[0, 7], [7, 300]])
    state = run.at(t)
    assert isinstance(state, LayerState)
    for name, answer in _everything(run, t).items():
        gram = name in ("uu", "uw", "ww")
        np.testing.assert_array_equal(getattr(state.gram if gram else state, name), answer)


def test_data_on_the_line_end_the_erosion():
    """Labels without noise leave nothing to fluctuate: the residual dies, D stops."""
    run = _run(y=0.7 * LINE, seed=1)
    assert 0 < abs(run.residual(4000)) < 1e-30
    assert run.determinant(8000) == run.determinant(4000) > 0
    assert abs(run.residual(80_000)) < 1e-300


def test_zero_weights_do_not_move():
    run = _run(fl.Gram(0.0, 0.0, 0.0), label_noise=3.0, seed=0)
    np.testing.assert_array_equal(run.slope([0, 5, 10**9]), 0)


def test_a_path_that_diverges_ends_in_infinities():
    x = np.array([0.0, 1.0, 2.0])
    grams = fl.Gram([50.0, 0.5], 0.0, [20.0, 0.4])
    network = fl.Network(2, eta_u=0.3, eta_w=0.3)
    batches = (np.random.default_rng(0).integers(3, size=(60, 1)), 0.1)
    both = fl.StochasticDescent(network, x, x, grams, batches=batches)
    t = np.arange(61)
    answers = _everything(both, t)
    for name, answer in answers.items():
        assert not np.isnan(answer).any(), name
    gone = np.isinf(answers["slope"][0])
    assert gone.any() and not np.isinf(answers["slope"][1]).any()
    # an input of 0 moves nothing, every other changes the sign of Δ
    moves = x[batches[0][:, 0]] > 0
    first = np.argmax(gone)
    imbalance = np.sign(answers["imbalance"][0, first - 1 :])
    np.testing.assert_array_equal(
        imbalance[1:], np.where(moves[first - 1 :], -1, 1) * imbalance[:-1]
    )
    alone = fl.StochasticDescent(network, x, x, fl.Gram(50.0, 0.0, 20.0), batches=batches)
    for name, answer in _everything(alone, t).items():
        np.testing.assert_allclose(answer, answers[name][0], rtol=1e-13, err_msg=name)


def test_many_paths_do_not_keep_their_history():
    paths = 20_000
    run = _run(fl.Gram(np.ones(paths), 0.3, 1.0), label_noise=1.0, seed=0)
    run.slope(1)
    tracemalloc.start()
    run.slope(400)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 120e6 < paths * 400 * 8 * 9


def test_an_interrupted_descent_goes_on():
    reports = []

    def interrupt(done, wanted):
        reports.append(done)
        if len(reports) == 1:
            raise KeyboardInterrupt

    grams = fl.Gram(np.linspace(0.5, 1.5, 300), 0.1, 1.0)
    run = _run(grams, label_noise=1.0, seed=3, progress=interrupt)
    with pytest.raises(KeyboardInterrupt):
        run.slope(8000)
    answer = run.slope(8000)
    assert reports == sorted(set(reports))
    np.testing.assert_array_equal(answer, _run(grams, label_noise=1.0, seed=3).slope(8000))


def test_seeds():
    t = 50
    root = np.random.SeedSequence(3)
    assert _run(seed=root).slope(t) == _run(seed=3).slope(t)
    assert _run(seed=3).slope(t) != _run(seed=4).slope(t)
    by_generator = _run(seed=np.random.default_rng(3))
    assert by_generator.slope(t) == _run(seed=np.random.default_rng(3)).slope(t)
    unseeded = _run()
    assert unseeded.slope(t) == unseeded.slope(t) != _run().slope(t)
    one, two = np.random.SeedSequence(3).spawn(2)
    assert _run(seed=one).slope(t) != _run(seed=two).slope(t)


def test_equal_by_value():
    assert _run(seed=1) == _run(seed=1, progress=print)
    assert _run(seed=1) != _run(seed=2)
    assert _run(seed=1) != _run(seed=1, label_noise=1.0)
    batches = ([[0], [1]], 0.0)
    assert _run(batches=batches) == _run(batches=batches)
    assert hash(_run(batches=batches)) == hash(_run(batches=batches))


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"batch_size": 0}, ValueError, "batch_size must be a whole number from 1"),
        ({"batch_size": 13}, ValueError, "batch_size must be at most 12, the number"),
        ({"batch_size": 2.5}, ValueError, "batch_size must be a whole number"),
        ({"label_noise": -1.0}, ValueError, "label_noise must be finite and at least 0, got -1.0"),
        ({"label_noise": [1.0, 2.0]}, TypeError, "label_noise must be one real number"),
        ({"progress": 3}, TypeError, "progress must be a function of two ints or None, got 3"),
        ({"batches": 3}, TypeError, r"batches must be Batches or a tuple \(index, noise\), got 3"),
        ({"batches": ([0, 1], 0.0)}, ValueError, r"index must have shape \(steps, batch\)"),
        ({"batches": ([[0.5]], 0.0)}, TypeError, "index must be an array of whole numbers"),
        ({"batches": ([[12]], 0.0)}, ValueError, "batches must be made of examples 0 to 11"),
        ({"batches": ([[-1]], 0.0)}, ValueError, "index must be at least 0, got -1"),
        ({"batches": ([[1]], [1.0, 2.0])}, ValueError, "noise must broadcast to the shape"),
        ({"batches": ([[1]], np.nan)}, ValueError, "noise must be finite, got nan"),
        ({"batches": ([[[1], [2]]], 0.0)}, ValueError, "batches must have paths that broadcast"),
        ({"batches": ([[1]], 0.0), "seed": 1}, ValueError, "seed must be left out with batches"),
        ({"batches": ([[1]], 0.0), "label_noise": 1.0}, ValueError, "label_noise must be left out"),
        ({"batches": ([[1]], 0.0), "batch_size": 3}, ValueError, "batch_size must be left out"),
        ({"y": LABELS[:3]}, ValueError, r"y must have shape \(12,\) like x"),
        ({"x": np.eye(12)}, ValueError, "x must lie on one line"),
        ({"x": 0 * LINE}, ValueError, "x must hold an input that is not zero"),
        ({"gram": 3}, TypeError, "gram must be a Gram"),
    ],
)  # fmt: skip
def test_bad_parts(options, error, message):
    with pytest.raises(error, match=message):
        _run(**options)


@pytest.mark.parametrize("t", [-1, 0.5, np.nan, np.inf])
def test_bad_steps(t):
    with pytest.raises(ValueError, match=r"t must be a"):
        _run(seed=0).slope([0.0, t])


def test_no_more_steps_than_batches():
    run = _run(batches=([[0], [1]], 0.0))
    assert np.isfinite(run.slope(2))
    with pytest.raises(ValueError, match="t must be at most 2, like batches, got 3"):
        run.slope(3)
    with pytest.raises(ValueError, match="stop must be from start = 1 to 2, got 3"):
        run.batches(1, 3)

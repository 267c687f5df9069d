"""Chapter 13: what it says of real tasks, on the committed tables, and on runs of other seeds."""

from itertools import combinations, product
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import rankdata, spearmanr

import flbook as fl
from experiments import which_are_lazy
from flbook import sweeps
from flbook.networks import MLP, largest_stable_rate, train

RESULTS = Path(__file__).resolve().parents[2] / "results"
BORDER = 1 - np.sqrt(2 / (1 + np.sqrt(2)))
TASKS = ["mnist", "cifar10"]
ACTIVATIONS = ["relu", "tanh", "swish"]


@pytest.fixture(scope="module")
def images():
    return sweeps.load(RESULTS / "images.json")


@pytest.fixture(scope="module")
def lazy():
    return sweeps.load(RESULTS / "which_are_lazy.json").select(recipe="random")


@pytest.fixture(scope="module")
def counted():
    return sweeps.load(RESULTS / "sample_size.json")


def by_scale(table, task, start, column):
    """Return the scales, and a column as an array of scales by seeds."""
    some = table.select(task=task, start=start)
    scales = np.unique(some.column("scale"))
    rows = [some.select(scale=scale) for scale in scales]
    assert all(row.column("seed").tolist() == [0, 1, 2, 3, 4] for row in rows)
    return scales, np.array([row.column(column) for row in rows], dtype=float)


def model_error(reach):
    return 1 - np.sqrt(2 / (1 + np.hypot(1, reach)))


# A large start on images


@pytest.mark.parametrize("task", TASKS)
def test_every_seed_does_worse_from_the_largest_plain_start(images, task):
    scales, right = by_scale(images, task, "plain", "test_accuracy")
    assert len(scales) == 7
    assert (right[-1] < right[0] - 0.1).all()
    medians = np.median(right, axis=1)
    turn = scales >= 0.3
    assert (np.diff(medians[turn]) < 0).all()
    assert medians[~turn].min() > medians[turn][2:].max()


@pytest.mark.parametrize("task", TASKS)
def test_most_of_the_harm_goes_with_the_start_for_every_seed(images, task):
    _, plain = by_scale(images, task, "plain", "test_accuracy")
    _, centred = by_scale(images, task, "centred", "test_accuracy")
    lost = plain.max(axis=0) - plain[-1]
    left = centred.max(axis=0) - centred[-1]
    assert (left < lost / 2).all()


@pytest.mark.parametrize("task", TASKS)
def test_the_large_plain_start_is_rich_and_the_centred_one_gets_lazier(images, task):
    _, plain = by_scale(images, task, "plain", "linearisation_error")
    _, centred = by_scale(images, task, "centred", "linearisation_error")
    assert (plain > BORDER).all()
    assert (np.diff(centred, axis=0)[1:] < 0).all()
    assert (centred[-1] < plain[-1] / 4).all()


@pytest.mark.parametrize("task", TASKS)
def test_to_subtract_the_start_afterwards_does_harm(images, task):
    _, right = by_scale(images, task, "plain", "test_accuracy")
    _, change = by_scale(images, task, "plain", "accuracy_of_change")
    assert (change[-3:] < right[-3:]).all()
    assert (np.median(change, axis=1) < np.median(right, axis=1) + 0.005).all()


def test_only_large_plain_starts_miss_the_training_loss(images):
    missed = images.select(matched=False)
    assert {row["start"] for row in missed.rows} <= {"plain"}
    assert all(row["scale"] > 1 for row in missed.rows)


# The map as a predictor


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_the_reach_ranks_networks_better_than_any_single_setting(lazy, activation):
    some = lazy.select(activation=activation)
    reach, error = some.column("reach"), some.column("linearisation_error")
    assert len(some) == 30
    rank = spearmanr(reach, error).statistic
    assert rank > 0.75
    assert spearmanr(reach, some.column("kernel_change")).statistic > 0.9
    singles = [
        some.column("gamma"),
        some.column("width"),
        *some.column("sigmas").T,
        np.divide(*some.column("etas").T),
    ]
    assert max(abs(spearmanr(values, error).statistic) for values in singles) < rank - 0.1


def test_every_network_is_less_lazy_than_the_map_says(lazy):
    reach, error = lazy.column("reach"), lazy.column("linearisation_error")
    assert (error > model_error(reach)).all()
    assert (error[reach > 1] > BORDER).all()
    small = reach < 0.1
    assert np.median(error[small] / model_error(reach[small])) > 100


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_other_networks_are_less_lazy_than_the_map_says_too(activation):
    row = which_are_lazy.point(activation, "random", 101)
    assert row["linearisation_error"] > model_error(row["reach"])


def test_slow_and_unbalanced_networks_are_less_lazy_at_equal_reach(lazy):
    for activation in ACTIVATIONS:
        some = lazy.select(activation=activation, matched=True)
        etas, sigmas = some.column("etas"), some.column("sigmas")
        carried = etas[:, 0] * sigmas[:, 1] ** 2 / (etas[:, 1] * sigmas[:, 0] ** 2)
        columns = (
            some.column("reach"),
            some.column("linearisation_error"),
            some.column("steps"),
            carried,
        )
        reach, *others = (rankdata(values) for values in columns)
        error, steps, imbalance = (r - np.polyval(np.polyfit(reach, r, 1), reach) for r in others)
        assert np.corrcoef(error, imbalance)[0, 1] > 0.3
        if activation != "relu":
            assert np.corrcoef(error, steps)[0, 1] > 0.5


@pytest.mark.parametrize("width", [1, 2, 50])
@pytest.mark.parametrize("rates", [(1.0, 1.0), (0.1, 5.0)])
@pytest.mark.parametrize("scales", [(1.0, 1.0), (3.0, 0.2)])
def test_the_linearisation_error_from_a_zero_start_is_a_function_of_the_reach(width, rates, scales):
    network = fl.Network(width, 0.7, *scales, *rates)
    for target, seed in product((0.01, 1.0, 30.0, -2.0), range(2)):
        u0, w0 = zero_start(network, seed)
        task = fl.Task(1.0, target, target**2)
        flow = fl.GradientFlow(network, task, fl.Gram.from_weights(u0, w0))
        u, w = flow.weights(np.inf, u0, w0)
        linear = network.gamma * (u0 @ (w - w0) + w0 @ (u - u0))
        reach = 2 * network.gamma * np.sqrt(np.prod(rates)) * abs(target) / flow.kernel(0)
        assert 1 - linear / target == pytest.approx(model_error(reach), abs=1e-9)


def zero_start(network, seed):
    """Return layers that are perpendicular, or one of them 0 where they cannot be."""
    random = np.random.default_rng(seed)
    u, w = random.normal(size=(2, network.width))
    u, w = network.sigma_u * u, network.sigma_w * w
    return u, 0 * w if network.width == 1 else w - u * (u @ w) / (u @ u)


# Scale and labels


def task_of(seed, inputs=6, examples=40):
    random = np.random.default_rng(seed)
    return random.normal(size=(examples, inputs)), random.normal(size=(examples, 2))


def trained(network, start, x, y, rate, centred, **options):
    options = {"steps": 400, "momentum": 0.9} | options
    run = train(network, start, x, y, learning_rate=rate, centred=centred, **options)
    single = [tuple(np.asarray(w, np.float32) for w in p) for p in (start, run.params)]
    found = fl.checkup(*single, x.astype(np.float32), f=network)
    return np.asarray(run.predict(x)), found


@pytest.mark.parametrize("hidden", [(20,), (20, 1), (20, 15, 10)])
@pytest.mark.parametrize("centred", [False, True])
@pytest.mark.parametrize("batch_size", [None, 8])
def test_a_large_start_is_a_small_label(hidden, centred, batch_size):
    x, y = task_of(1)
    network = MLP((6, *hidden, 2), "relu")
    start = tuple(np.asarray(w) for w in network.init(2, np.float64))
    layers, scale = network.depth, 4
    rate = 0.1 * largest_stable_rate(network, start, x)
    small, one = trained(network, start, x, y / scale**layers, rate, centred, batch_size=batch_size)
    large, other = trained(
        network,
        tuple(scale * w for w in start),
        x,
        y,
        rate / scale ** (2 * layers - 2),
        centred,
        batch_size=batch_size,
    )
    np.testing.assert_allclose(large, scale**layers * small, rtol=1e-9, atol=1e-12)
    assert one.linearisation_error == pytest.approx(other.linearisation_error, rel=1e-3)
    assert one.kernel_change == pytest.approx(other.kernel_change, rel=1e-3)


@pytest.mark.parametrize("width", [20, 200])
@pytest.mark.parametrize("seed", range(3))
def test_a_plain_network_does_not_become_lazy_with_its_scale_and_a_centred_one_does(width, seed):
    x, y = task_of(seed)
    network = MLP((6, width, 2), "relu").with_initial_scale(2**0.5)
    start = tuple(np.asarray(w) for w in network.init(seed, np.float64))
    rate = 0.1 * largest_stable_rate(network, start, x)
    errors = {}
    for centred in (False, True):
        errors[centred] = [
            trained(network, start, x, y / scale**2, rate, centred, steps=2000)[
                1
            ].linearisation_error
            for scale in (4, 16)
        ]
    plain, centred = errors[False], errors[True]
    assert plain[1] == pytest.approx(plain[0], rel=0.2)
    assert plain[1] > 0.0025  # the book's border of the lazy
    assert centred[1] < centred[0] / 4
    assert centred[1] < plain[1] / 5


# The product of two signs


def test_from_100_examples_on_the_lazier_network_is_worse_for_every_seed(counted):
    for examples in (100, 200, 400, 800, 1600):
        rich, lazy = (
            counted.select(examples=examples, alpha=alpha).column("test_error")
            for alpha in (0.03, 30.0)
        )
        assert len(rich) == 5
        assert rich.max() < lazy.min()
        medians = [
            np.median(counted.select(examples=examples, alpha=alpha).column("test_error"))
            for alpha in (0.03, 0.3, 3.0, 30.0)
        ]
        assert (np.diff(medians) > 0).all()
    assert counted.column("matched").all()


def test_the_rich_network_is_below_the_bound_and_the_lazy_one_is_not(counted):
    for examples in np.unique(counted.column("examples")):
        bound = 1 - 2 * examples / (30 * 29)
        lazy = counted.select(examples=int(examples), alpha=30.0)
        assert lazy.column("test_error").mean() > bound
        assert lazy.column("linearisation_error").max() < BORDER + 0.001
        if examples in (200, 400):
            rich = counted.select(examples=int(examples), alpha=0.03)
            assert rich.column("test_error").max() < bound
    few = [
        np.median(counted.select(examples=50, alpha=alpha).column("test_error"))
        for alpha in (0.03, 30.0)
    ]
    assert few[0] > few[1] > 1


@pytest.mark.parametrize("examples", [1, 5, 12])
@pytest.mark.parametrize("seed", range(3))
def test_no_linear_model_of_as_many_functions_beats_the_bound(examples, seed):
    signs, random = 6, np.random.default_rng(seed)
    everything = np.array(list(product([-1.0, 1.0], repeat=signs)))
    chosen = random.choice(len(everything), examples, replace=False)
    network = MLP.parametrised("ntk", (signs, 50, 1))
    features = np.maximum(everything @ np.asarray(network.init(seed)[0]).T, 0)
    inner = everything @ everything.T / signs
    for kernel in (features @ features.T, (1 + inner) ** 3, np.exp(inner)):
        errors = []
        for i, j in combinations(range(signs), 2):
            y = everything[:, i] * everything[:, j]
            weights = np.linalg.lstsq(kernel[np.ix_(chosen, chosen)], y[chosen], rcond=None)[0]
            errors.append(np.mean((kernel[:, chosen] @ weights - y) ** 2))
        assert np.mean(errors) >= 1 - 2 * examples / (signs * (signs - 1)) - 1e-9

"""Chapter 13: what it says of real tasks, on the committed tables, and on runs of other seeds."""

from itertools import combinations, product
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import rankdata

import flbook as fl
from experiments import which_are_lazy
from flbook import datasets, sweeps
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


def rank_correlation(one, other):
    return np.corrcoef(rankdata(one), rankdata(other))[0, 1]


def model_error(reach):
    return 1 - np.sqrt(2 / (1 + np.hypot(1, reach)))


# A large start on images


@pytest.mark.parametrize("task", TASKS)
def test_every_seed_does_worse_from_the_usual_scale_and_worse_still_from_larger_ones(images, task):
    scales, right = by_scale(images, task, "plain", "test_accuracy")
    _, matched = by_scale(images, task, "plain", "matched")
    assert len(scales) == 7
    usual = scales.tolist().index(1)
    assert matched[: usual + 1].all()
    assert (right[usual] < right[0] - 0.03).all()
    assert (np.diff(right[usual:], axis=0) < 0).all()
    assert (np.diff(np.median(right, axis=1)[scales >= 0.5]) < 0).all()


def test_the_random_function_hurts_from_the_size_of_the_labels_on(images):
    size = np.sqrt((0.9**2 + 9 * 0.1**2) / 10)
    for task in TASKS:
        _, right = by_scale(images, task, "plain", "test_accuracy")
        _, first = by_scale(images, task, "plain", "output_size")
        lost, first = np.median(right[0] - right, axis=1), np.median(first, axis=1)
        assert lost[first < size / 2].max() < 0.02
        assert lost[first > 2 * size].min() > 0.045


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
    assert (centred[-1] < plain[-1] / 2).all()


@pytest.mark.parametrize("task", TASKS)
def test_to_subtract_the_start_afterwards_does_harm(images, task):
    _, right = by_scale(images, task, "plain", "test_accuracy")
    _, change = by_scale(images, task, "plain", "accuracy_of_change")
    assert (change[-3:] < right[-3:]).all()
    assert (np.median(change, axis=1) < np.median(right, axis=1) + 0.005).all()


def test_layers_of_many_directions_stay_near_chance_from_every_start(images):
    for start in ("plain", "centred"):
        _, after = by_scale(images, "mnist", start, "alignment_after")
        assert np.median(after, axis=1).max() < 3 / np.sqrt(256)
        assert np.median(after, axis=1).max() > 2 / np.sqrt(256)


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
    rank = rank_correlation(reach, error)
    assert rank > 0.75
    assert rank_correlation(reach, some.column("kernel_change")) > 0.9
    singles = [
        some.column("gamma"),
        some.column("width"),
        *some.column("sigmas").T,
        np.divide(*some.column("etas").T),
    ]
    assert max(abs(rank_correlation(values, error)) for values in singles) < rank - 0.1


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


@pytest.mark.parametrize(
    ("activation", "seed", "rich"), [("tanh", 13, False), ("relu", 3, False), ("relu", 18, True)]
)
def test_slow_outliers_are_not_rich_on_an_easy_task_and_the_unbalanced_one_is(
    lazy, activation, seed, rich
):
    (row,) = lazy.select(activation=activation, seed=seed).rows
    assert row["linearisation_error"] > 0.4
    network = MLP(
        (64, row["width"], 10),
        activation,
        gamma=row["gamma"],
        sigmas=row["sigmas"],
        etas=row["etas"],
    )
    data = datasets.load("digits", n_train=600, seed=7, one_hot=True, prepare="centre")
    size = np.sqrt(np.mean(np.sum(np.square(data.x_train), axis=1)))
    x, probes = data.x_train / size, data.x_test[:64] / size
    easy = np.linalg.svd(x, full_matrices=False)[0][:, :1]
    easy = easy * np.random.default_rng(1).normal(size=10)
    easy *= np.linalg.norm(data.y_train - 0.1) / np.linalg.norm(easy)
    before = network.init(seed)
    top = 2 / largest_stable_rate(network, before, x[:300])
    run = train(
        network,
        before,
        x,
        easy,
        learning_rate=0.2 / max(top, row["gamma"]),
        momentum=0.9,
        steps=1000,
        record=range(10, 1001, 10),
        stop_at_loss=0.1,
        centred=True,
    )
    assert run.ending == "loss"
    error = fl.checkup(before, run.params, probes, f=network).linearisation_error
    assert (error > BORDER) == rich


@pytest.mark.parametrize("width", [1, 2, 50])
@pytest.mark.parametrize("rates", [(1.0, 1.0), (0.1, 5.0)])
@pytest.mark.parametrize("scales", [(1.0, 1.0), (3.0, 0.2)])
def test_the_linearisation_error_from_a_zero_start_is_a_function_of_the_reach(width, rates, scales):
    (sigma_u, sigma_w), (eta_u, eta_w) = scales, rates
    network = fl.Network(width, 0.7, sigma_u, sigma_w, eta_u, eta_w)
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
    found = fl.checkup(start, run.params, x, f=network)
    return np.asarray(run.predict(x)), found


@pytest.mark.parametrize("hidden", [(20,), (20, 1), (20, 15, 10)])
@pytest.mark.parametrize("centred", [False, True])
@pytest.mark.parametrize("batch_size", [None, 8])
def test_a_large_start_is_a_small_label(hidden, centred, batch_size):
    x, y = task_of(1)
    network = MLP((6, *hidden, 2), "relu")
    start = network.init(2, np.float64)
    layers, scale = network.depth, 4
    rate = 0.1 * largest_stable_rate(network, start, x)
    small, one = trained(network, start, x, y / scale**layers, rate, centred, batch_size=batch_size)
    large, other = trained(
        network,
        network.with_initial_scale(scale).init(2, np.float64),
        x,
        y,
        rate / scale ** (2 * layers - 2),
        centred,
        batch_size=batch_size,
    )
    np.testing.assert_allclose(large, scale**layers * small, rtol=1e-9, atol=1e-12)
    assert one.linearisation_error == pytest.approx(other.linearisation_error, rel=1e-3)
    assert one.kernel_change == pytest.approx(other.kernel_change, rel=1e-3)


def test_with_another_loss_a_large_start_is_no_small_label():
    """Classes have no size to divide: the exchange of scale and labels is the squared error's."""
    x, _ = task_of(1)
    classes = np.arange(len(x)) % 2
    network, scale = MLP((6, 20, 2), "relu"), 4
    start = network.init(2, np.float64)
    rate = 0.1 * largest_stable_rate(network, start, x)
    options = {"centred": False, "loss": "cross_entropy"}
    small, _ = trained(network, start, x, classes, rate, **options)
    network_of_scale = network.with_initial_scale(scale)
    large, _ = trained(
        network_of_scale, network_of_scale.init(2, np.float64), x, classes, rate / 16, **options
    )
    assert np.max(np.abs(large / (scale**2 * small) - 1)) > 0.1


@pytest.mark.parametrize("width", [20, 200])
@pytest.mark.parametrize("seed", range(2))
def test_a_plain_network_does_not_become_lazy_with_its_scale_and_a_centred_one_does(width, seed):
    x, y = task_of(seed)
    network = MLP((6, width, 2), "relu").with_initial_scale(2**0.5)
    start = network.init(seed, np.float64)
    rate = 0.1 * largest_stable_rate(network, start, x)
    errors = {}
    for centred in (False, True):
        errors[centred] = [
            trained(network, start, x, y / scale**2, rate, centred, steps=1000)[
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

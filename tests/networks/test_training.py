"""Training: what is recorded, batches, seeds, endings and refusals."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import log_softmax

from flbook.networks import LOSSES, MLP, accuracy, train

RANDOM = np.random.default_rng(0)
X = RANDOM.standard_normal((24, 4))
Y = X @ [1.0, -1.0, 0.5, 0.0]
NETWORK = MLP((4, 30, 1), "relu")
START = NETWORK.init(seed=0, dtype="float64")


def run(**changes):
    given = {"learning_rate": 0.05, "steps": 60, **changes}
    return train(NETWORK, given.pop("params", START), X, given.pop("y", Y), **given)


def same(one, other, **tolerance) -> None:
    for a, b in zip(one.params, other.params, strict=True):
        np.testing.assert_allclose(a, b, **({"rtol": 1e-12, "atol": 1e-13} | tolerance))


def test_a_batch_of_everything_is_gradient_descent():
    same(run(batch_size=24, seed=3), run())


def test_an_epoch_visits_every_example_once():
    """To first order in the rate one epoch of batches of b is n/b full steps."""
    missed = []
    for rate in (1e-3, 1e-4):
        one, other = (
            run(batch_size=6, steps=4, learning_rate=rate),
            run(steps=4, learning_rate=rate),
        )
        gap = np.asarray(one.params[0] - other.params[0])
        missed.append(np.abs(gap).max() / np.abs(np.asarray(other.params[0] - START[0])).max())
    assert missed[1] < 1e-2
    assert missed[0] / missed[1] == pytest.approx(10, rel=0.2)


def test_the_seed_and_nothing_else_decides():
    stochastic = {"batch_size": 5}
    same(run(seed=1, **stochastic), run(seed=1, **stochastic), rtol=0, atol=0)
    other = run(seed=2, **stochastic)
    assert not np.allclose(run(seed=1, **stochastic).params[0], other.params[0], atol=1e-6)


@pytest.mark.parametrize("batch_size", [None, 5])
def test_what_is_recorded_changes_nothing(batch_size):
    seen = []
    few = run(record=[60], batch_size=batch_size, progress=lambda *done: seen.append(done))
    many = run(record=np.arange(61), checkpoints=[7, 31], batch_size=batch_size)
    same(few, many, rtol=0, atol=0)
    assert few.steps.tolist() == [0, 60] and seen[-1] == (60, 60)
    assert list(many.steps) == list(range(61)) and sorted(many.checkpoints) == [0, 7, 31, 60]
    on_the_way = many.network(many.checkpoints[31], X)[:, 0]
    assert many.losses[31] == pytest.approx(np.mean((np.asarray(on_the_way) - Y) ** 2) / 2)
    np.testing.assert_array_equal(many.predict(X, step=31)[:, 0], on_the_way)


def test_measures_are_stacked_along_the_record():
    measured = run(measure=lambda p: {"norm": jnp.linalg.norm(p[0]), "last": p[1][0]}).measured
    found = run(checkpoints=np.arange(61))
    assert measured["norm"].dtype == np.float64
    assert measured["norm"][-1] == pytest.approx(np.linalg.norm(found.params[0]), rel=1e-13)
    assert measured["last"].shape == (len(run().steps), 30)


def test_cross_entropy_is_that_of_scipy():
    outputs = 3 * RANDOM.standard_normal((24, 3))
    classes = RANDOM.integers(0, 3, 24)
    expected = -np.mean(log_softmax(outputs, axis=1)[np.arange(24), classes])
    loss = LOSSES["cross_entropy"](jnp.asarray(outputs), jnp.asarray(classes))
    assert float(loss) == pytest.approx(expected, rel=1e-5)
    two = np.stack([np.zeros(24), outputs[:, 0]], axis=1)
    expected = -np.mean(log_softmax(two, axis=1)[np.arange(24), classes % 2])
    loss = LOSSES["cross_entropy"](jnp.asarray(outputs[:, :1]), jnp.asarray(classes % 2))
    assert float(loss) == pytest.approx(expected, rel=1e-5)


def test_classes_are_learned_by_one_logit_and_by_two():
    classes = (Y > 0).astype(int)
    for outputs in (1, 2):
        network = MLP.parametrised("ntk", (4, 50, outputs), "tanh")
        trained = train(
            network, network.init(0), X, classes, loss="cross_entropy", learning_rate=5.0, steps=300
        )
        assert accuracy(trained.predict(X), classes) == 1.0


def test_a_centred_run_starts_at_zero_and_learns_the_same_labels():
    plain, centred = run(), run(centred=True)
    assert np.abs(centred.predict(X, step=0)).max() == 0.0
    assert np.abs(plain.predict(X, step=0)).max() > 0.1
    assert centred.losses[0] == pytest.approx(np.mean(Y**2) / 2, rel=1e-12)
    residual = np.asarray(centred.predict(X))[:, 0] - Y
    assert centred.losses[-1] == pytest.approx(np.mean(residual**2) / 2, rel=1e-10)
    same(centred, run(y=Y + np.asarray(NETWORK(START, X))[:, 0]))


def test_training_stops_at_the_loss_that_was_asked_for():
    stopped = run(stop_at_loss=0.1, steps=5000, record=np.arange(0, 5001, 10))
    assert stopped.ending == "loss" and stopped.steps[-1] < 5000
    assert stopped.losses[-1] <= 0.1 < stopped.losses[-2]
    same(stopped, run(steps=int(stopped.steps[-1])))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_divergence_is_said_and_what_was_before_is_kept(dtype):
    with pytest.warns(RuntimeWarning, match=r"between steps \d+ and \d+: a learning_rate of 50 is"):
        lost = run(learning_rate=50.0, steps=500, params=NETWORK.init(0, dtype))
    assert lost.diverged and "then diverged" in repr(lost)
    assert np.isfinite(lost.losses).all() and lost.steps[-1] < 500
    assert all(np.isfinite(matrix).all() for matrix in lost.params)
    assert not run().diverged


def test_a_start_beyond_all_numbers_is_refused():
    with pytest.raises(ValueError, match="params must give a finite loss"):
        run(params=tuple(1e300 * np.asarray(matrix) for matrix in START))


def test_an_interrupt_gets_through():
    def interrupt(done, wanted):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(steps=10**9, record=[10**9], progress=interrupt)


ODD = {
    "network must be": lambda: train(1, START, X, Y, learning_rate=1, steps=1),
    "params must have shapes": lambda: run(params=START[:1]),
    "x must have shape": lambda: train(NETWORK, START, X[:, :1], Y, learning_rate=1, steps=1),
    "x must be finite": lambda: train(NETWORK, START, X * np.nan, Y, learning_rate=1, steps=1),
    "y must have shape": lambda: run(y=Y[:3]),
    "y must be a whole number": lambda: run(y=Y, loss="cross_entropy"),
    "y must be made of classes from 0 to 1 .* 1 output, got 2": lambda: run(
        y=np.arange(24) % 3, loss="cross_entropy"
    ),
    "loss must be one of 'mse', 'cross_entropy', got 'hinge'": lambda: run(loss="hinge"),
    "learning_rate must be": lambda: run(learning_rate=-1.0),
    "steps must be": lambda: run(steps=1.5),
    "batch_size must be at most 24": lambda: run(batch_size=25),
    "record must be increasing step counts up to 60": lambda: run(record=[5, 5]),
    "checkpoints must be increasing": lambda: run(checkpoints=[61]),
    "step must be one of 0, 60, got 3": lambda: run().predict(X, step=3),
    "outputs must have shape": lambda: accuracy([1.0], [1]),
}


@pytest.mark.parametrize(("words", "call"), ODD.items(), ids=ODD)
def test_bad_input_is_named(words, call):
    with pytest.raises((ValueError, TypeError), match=words):
        call()

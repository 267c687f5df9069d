"""Momentum, and how large a step may be."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from flbook.networks import MLP, largest_stable_rate, train


def problem(seed=0):
    random = np.random.default_rng(seed)
    return random.standard_normal((12, 3)), random.standard_normal((12, 2))


@pytest.mark.parametrize("record", [range(1, 21), [20]], ids=["every step", "the last"])
def test_momentum_is_the_heavy_ball(record):
    """The velocity must survive every pause, which a plain loop over the slopes has none of."""
    x, y = problem()
    network = MLP((3, 5, 2), "tanh", etas=(0.3, 2.0))
    params = network.init(1, np.float64)
    run = train(network, params, x, y, learning_rate=0.05, momentum=0.8, steps=20, record=record)

    def loss(weights):
        return ((network(weights, x) - y) ** 2).sum(axis=1).mean() / 2

    with jax.enable_x64(True):
        slope = jax.jit(jax.grad(loss))
        weights, velocity = list(params), [np.zeros(m.shape) for m in params]
        for _ in range(20):
            slopes = slope(tuple(weights))
            velocity = [0.8 * v + g for v, g in zip(velocity, slopes, strict=True)]
            weights = [
                w - 0.05 * eta * v
                for w, eta, v in zip(weights, network.etas, velocity, strict=True)
            ]
    for found, wanted in zip(run.params, weights, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-12)


@pytest.mark.parametrize("momentum", [-0.1, 1, 1.5])
def test_momentum_must_be_a_share(momentum):
    x, y = problem()
    network = MLP((3, 2))
    with pytest.raises(ValueError, match="momentum must be"):
        train(network, network.init(0), x, y, learning_rate=0.1, momentum=momentum, steps=1)


@pytest.mark.parametrize("seed", range(5))
def test_the_largest_stable_rate_is_that_of_the_whole_kernel(seed):
    x, _ = problem(seed)
    network = MLP((3, 7, 4, 2), "swish", gamma=0.3, etas=(0.01, 3.0, 20.0))
    params = network.init(seed, np.float64)
    with jax.enable_x64(True):
        parts = jax.jacobian(lambda weights: network(weights, jnp.asarray(x)).ravel())(params)
    kernel = sum(
        eta * np.asarray(part).reshape(24, -1) @ np.asarray(part).reshape(24, -1).T
        for eta, part in zip(network.etas, parts, strict=True)
    )
    wanted = 2 / np.linalg.eigvalsh(kernel / len(x))[-1]
    assert largest_stable_rate(network, params, x) == pytest.approx(wanted, rel=1e-2)


@pytest.mark.parametrize(("factor", "falls"), [(0.95, True), (1.05, False)])
def test_steps_beyond_it_grow(factor, falls):
    """A linear map, where the kernel never moves, forgets its start below the rate alone."""
    x, y = problem()
    network = MLP((3, 2), etas=(5.0,))
    params = network.init(0, np.float64)
    rate = factor * largest_stable_rate(network, params, x)
    run = train(network, params, x, y, learning_rate=rate, steps=400)
    assert (run.losses[-1] < run.losses[0]) == falls


def test_where_nothing_can_learn_there_is_no_rate():
    network = MLP((3, 2), etas=(0.0,))
    with pytest.raises(ValueError, match="params must have a kernel"):
        largest_stable_rate(network, network.init(0), problem()[0])


@pytest.mark.parametrize("x", [np.zeros((4, 2)), np.zeros(3), np.zeros((0, 3))], ids=repr)
def test_inputs_must_fit(x):
    network = MLP((3, 2))
    with pytest.raises(ValueError, match="x must have shape"):
        largest_stable_rate(network, network.init(0), x)

"""Odd models and odd uses: what the check-up makes of each."""

import jax
import jax.numpy as jnp
import numpy as np
from sklearn.datasets import load_digits

import flbook as fl

X, CLASSES = load_digits(return_X_y=True)
X, Y = jnp.asarray(X[:64]) / 8 - 1, jnp.eye(10)[CLASSES[:64]] - 0.1


def start(scale=1.0):
    """Draw two layers, the second with zeros: the network starts at 0."""
    first = scale * jax.random.normal(jax.random.key(0), (64, 100)) / 8
    return {"first": first, "second": jnp.zeros((100, 10))}


def model(params, x):
    """Return the outputs of two layers with a ReLU between them."""
    return jax.nn.relu(x @ params["first"]) @ params["second"]


def with_dropout(params, x):
    """Forget to switch the dropout off: half the neurons are missing."""
    mask = jax.random.bernoulli(jax.random.key(1), shape=(len(x), 100))
    hidden = jax.nn.relu(x @ params["first"]) * mask * 2
    return hidden @ params["second"]


def with_statistics(params, x):
    """Divide the hidden layer by a size that training keeps track of."""
    hidden = jax.nn.relu(x @ params["first"])
    return hidden / params["batch_stats"]["size"] @ params["second"]


def loss(params):
    """Return half the mean squared error, summed over the outputs."""
    return 5 * jnp.mean((model(params, X) - Y) ** 2)


def trained(params, rate=0.1, steps=200):
    """Take gradient steps on the mean squared error."""
    slope = jax.jit(jax.grad(loss))
    for _ in range(steps):
        params = jax.tree.map(
            lambda a, g: a - rate * g, params, slope(params)
        )
    return params


def as_type(params, kind):
    """Convert all arrays."""
    return jax.tree.map(lambda a: a.astype(kind), params)


before = start()
after = trained(before)
half = as_type(before, jnp.float16), as_type(after, jnp.float16)
wide = {**before, "batch_stats": {"size": jnp.ones(100)}}
wider = {**after, "batch_stats": {"size": jnp.full(100, 1.1)}}
dead = trained(before, rate=9)
frozen = {**after, "first": before["first"]}
broken = {**after, "first": after["first"].at[0, 0].set(jnp.nan)}
USES = {
    "as it should be": (before, after, X, model),
    "no training": (before, before, X, model),
    "training that killed all neurons": (before, dead, X, model),
    "a weight that is no number": (before, broken, X, model),
    "the same input 64 times": (before, after, X[:1].repeat(64, 0), model),
    "five probe inputs": (before, after, X[:5], model),
    "first layer frozen": (before, frozen, X, model),
    "half precision": (*half, X, model),
    "batch-norm statistics moved": (wide, wider, X, with_statistics),
    "dropout left on": (before, after, X, with_dropout),
}


def rows():
    """Check up all of them, and say what came of each."""
    for name, (first, last, x, f) in USES.items():
        try:
            found = fl.checkup(first, last, np.asarray(x), f=f)
        except ValueError as refused:
            yield name, None, str(refused)
        else:
            yield name, found.linearisation_error, "; ".join(found.doubts)

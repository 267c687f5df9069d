"""JAX models: every answer of the probe against explicit Jacobians, and what is refused."""

import subprocess
import sys

import equinox as eqx
import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

import flbook as fl
from flbook._adapters.dispatch import open_probe
from flbook.networks import MLP

N = 12
KEYS = jax.random.split(jax.random.key(0), 8)
X = np.random.default_rng(0).normal(size=(N, 6))


def normal(i, *shape):
    return jax.random.normal(KEYS[i], shape) / 2


def attention(p, x):
    tokens = x.reshape(len(x), 3, 2) @ p["embed"]
    q, k, v = (tokens @ p[name] for name in ("q", "k", "v"))
    mixed = jax.nn.softmax(q @ k.swapaxes(1, 2)) @ v
    return (tokens + mixed @ p["o"]).mean(axis=1) @ p["embed"].T


def convolution(p, x):
    maps = jax.lax.conv_general_dilated(x.reshape(-1, 1, 6), p["c"], (1,), "SAME")
    return jax.nn.relu(maps).reshape(len(x), -1) @ p["w"]


def batch_norm(p, x):
    h = x @ p["w"]
    h = p["scale"] * (h - h.mean(axis=0)) / jnp.sqrt(h.var(axis=0) + 1e-3)
    return jnp.tanh(h) @ p["u"]


def loop(p, x):
    def step(h, column):
        return jnp.tanh(h @ p["w"] + column[:, None]), None

    return jax.lax.scan(step, jnp.ones((len(x), 3)), x.T)[0] @ p["u"]


MODELS = {
    "plain": (
        lambda p, x: jax.nn.relu(x @ p[0] + p[1]) @ p[2],
        [normal(0, 6, 5), normal(1, 5), normal(2, 5, 3)],
    ),
    "scaled, transposed, one by one": (
        lambda p, x: jax.vmap(lambda one: p["u"] @ jax.nn.relu((p["w"] / 3 * 2) @ one) / 5)(x),
        {"w": normal(0, 30, 6), "u": normal(1, 2, 30)},
    ),
    "scaled by a parameter": (
        lambda p, x: jnp.tanh(x @ (p["s"] * p["w"])) @ p["u"],
        {"w": normal(0, 6, 5), "s": jnp.array(0.7), "u": normal(1, 5, 2)},
    ),
    "a shared matrix": (
        lambda p, x: jnp.tanh(jnp.tanh(x @ p["w"]) @ p["w"]) @ p["w"].T,
        {"w": normal(0, 6, 6)},
    ),
    "attention, tied embedding": (
        attention,
        {n: normal(i, 8 if i else 2, 8) for i, n in enumerate(("embed", "q", "k", "v", "o"))},
    ),
    "convolution": (convolution, {"c": normal(0, 4, 1, 3), "w": normal(1, 24, 2)}),
    "batch norm": (
        batch_norm,
        {"w": normal(0, 6, 5), "scale": jnp.ones(5), "u": normal(1, 5, 2)},
    ),
    "loop": (loop, {"w": normal(0, 3, 3), "u": normal(1, 3, 2)}),
    "images out": (lambda p, x: (x @ p).reshape(-1, 2, 2), normal(0, 6, 4)),
}


def moved(params, size=0.1):
    leaves, tree = jax.tree.flatten(params)
    keys = jax.random.split(jax.random.key(9), len(leaves))
    return jax.tree.unflatten(
        tree,
        [
            a + size * jax.random.normal(k, a.shape, a.dtype)
            for k, a in zip(keys, leaves, strict=True)
        ],
    )


def opened(f, before, after, x=X, **more):
    given = {"f": f, "checkpoints": (), "batch_size": None} | more
    return open_probe(before, after, x, **given)


def jacobian(f, params, x=X):
    """Return d outputs / d parameters, (n, k, P), all of it at once."""
    found = jax.jacobian(lambda p: f(p, jnp.asarray(x)).reshape(len(x), -1))(params)
    parts = [np.asarray(j, float) for j in jax.tree.leaves(found)]
    return np.concatenate([j.reshape(*j.shape[:2], -1) for j in parts], axis=2)


@pytest.mark.parametrize("batch_size", [None, 5])
@pytest.mark.parametrize("name", MODELS)
def test_kernel_and_linear_change_are_those_of_the_jacobian(name, batch_size):
    f, before = MODELS[name]
    after = moved(before)
    probe, states = opened(f, before, after, batch_size=batch_size)
    j = jacobian(f, before)
    directions = np.random.default_rng(1).normal(size=(2, j.shape[1]))
    along = np.einsum("nkp,rk->rnp", j, directions)
    kernel = probe.kernel(states[0], directions)
    wanted = np.einsum("rnp,rmp->rnm", along, along)
    assert kernel == pytest.approx(wanted, rel=1e-4, abs=1e-5 * wanted.max())
    start, end = (
        np.concatenate([np.ravel(a) for a in jax.tree.leaves(params)]) for params in (before, after)
    )
    linear = probe.linear_change(*states)
    assert linear == pytest.approx(j @ (end - start), rel=1e-3, abs=1e-5)
    assert probe.outputs(states[1]) == pytest.approx(
        np.asarray(f(after, X)).reshape(N, -1), abs=1e-5
    )


def test_linear_change_is_the_limit_of_finite_differences():
    f, before = MODELS["attention, tied embedding"]
    probe, states = opened(f, before, moved(before, 1e-2))
    step = probe.outputs(states[1]) - probe.outputs(states[0])
    assert fl.checkup(before, moved(before, 1e-2), X, f=f).linearisation_error < 0.1
    assert np.linalg.norm(step - probe.linear_change(*states)) < 0.1 * np.linalg.norm(step)


def test_layers_features_and_pairs_in_the_order_of_the_forward_pass():
    def f(p, x):
        hidden = jax.nn.relu(x @ p["z"])
        return jnp.tanh(hidden @ p["a"].T) @ p["m"]

    before = {"a": normal(0, 4, 5), "m": normal(1, 4, 2), "z": normal(2, 6, 5)}
    probe, states = opened(f, before, moved(before))
    assert list(probe.weights(states[0])) == ["z", "a", "m"]
    features = probe.features(states[0])
    hidden = np.maximum(X @ np.asarray(before["z"]), 0)
    assert list(features) == ["a", "m"]
    assert features["a"] == pytest.approx(hidden, abs=1e-5)
    assert features["m"] == pytest.approx(np.tanh(hidden @ np.asarray(before["a"]).T), abs=1e-5)
    first, second = probe.pairs(states[0])
    assert (first[:2], second[:2]) == (("z", "a"), ("a", "m"))
    assert first.lower == pytest.approx(np.asarray(before["z"]).T)
    assert first.upper == pytest.approx(np.asarray(before["a"]))
    assert second.upper == pytest.approx(np.asarray(before["m"]).T)


def test_queries_and_keys_are_no_pair():
    f, before = MODELS["attention, tied embedding"]
    pairs = opened(f, before, moved(before))
    names = {pair[:2] for pair in pairs.probe.pairs(pairs.states[0])}
    assert {("embed", "q"), ("embed", "k"), ("embed", "v")} <= names
    assert not {("q", "k"), ("k", "v"), ("q", "v")} & names


def test_the_solvable_network_is_on_its_line():
    """All the way from raw weights: error, kernel and alignment are those of the exact solution."""
    u0, w0, gamma = np.array([1.0, 2.0]), np.array([2.0, -1.0]), 0.4
    flow = fl.GradientFlow(
        fl.Network(2, gamma=gamma), fl.Task(1.0, 1.0, 1.0), fl.Gram.from_weights(u0, w0)
    )
    u, w = flow.weights(np.inf, u0, w0)
    before, after = ({"w": a[None], "u": b[:, None]} for a, b in ((w0, u0), (w, u)))
    x = np.linspace(-1, 1, 20)[:, None]
    result = fl.checkup(before, after, x, f=lambda p, x: gamma * x @ p["w"] @ p["u"])
    growth = float(flow.kernel(np.inf) / flow.kernel(0.0))
    assert result.equivalent_kernel_growth == pytest.approx(growth, rel=1e-4)
    assert result.kernel_growth == pytest.approx(growth, rel=1e-4)
    assert result.kernel_rotation < 1e-10
    assert result.alignment[0].before == pytest.approx(0, abs=1e-6)
    assert result.alignment[0].after == pytest.approx(float(flow.alignment(np.inf)), rel=1e-4)
    probe, states = opened(lambda p, x: gamma * x @ p["w"] @ p["u"], before, after, x)
    assert probe.kernel(states[0], np.ones((1, 1)))[0] == pytest.approx(
        float(flow.kernel(0.0)) * x @ x.T, rel=1e-5
    )


def test_equinox():
    before = eqx.nn.Sequential(
        [
            eqx.nn.Linear(6, 8, key=KEYS[0]),
            eqx.nn.Lambda(jax.nn.relu),
            eqx.nn.Dropout(0.5),
            eqx.nn.Linear(8, 2, key=KEYS[1]),
        ]
    )
    params, static = eqx.partition(before, eqx.is_array)
    after = eqx.combine(moved(params), static)
    result = fl.checkup(before, after, X)
    still = eqx.nn.inference_mode(before), eqx.nn.inference_mode(after)
    again = fl.checkup(*still, X, f=lambda m, x: jax.vmap(m)(x))
    assert result.linearisation_error == pytest.approx(again.linearisation_error)
    assert list(result.weight_change) == [
        f"layers.{i}.{n}" for i in (0, 3) for n in ("weight", "bias")
    ]
    assert list(result.feature_change) == ["layers.3.weight"]


def test_flax():
    model = nn.Sequential([nn.Dense(8), nn.relu, nn.Dense(2)])
    before = model.init(KEYS[0], jnp.ones((1, 6)))
    result = fl.checkup(before, moved(before), X, f=model.apply)
    assert [pair[:2] for pair in result.alignment] == [
        ("params.layers_0.kernel", "params.layers_2.kernel")
    ]


def test_flax_nnx():
    before = nnx.Linear(6, 2, rngs=nnx.Rngs(0))
    graph, state = nnx.split(before)
    result = fl.checkup(before, nnx.merge(graph, moved(state)), X)
    assert result.linearisation_error == pytest.approx(0, abs=1e-5)
    assert list(result.weight_change) == ["kernel", "bias"]


def test_the_statistics_of_a_batch_norm_are_not_trained():
    class Net(nn.Module):
        @nn.compact
        def __call__(self, x):
            return nn.Dense(2)(nn.BatchNorm(use_running_average=True)(nn.Dense(5)(x)))

    before = Net().init(KEYS[0], jnp.ones((1, 6)))
    after = {"params": moved(before["params"]), "batch_stats": moved(before["batch_stats"])}
    result = fl.checkup(before, after, X, f=Net().apply)
    assert "batch-norm statistics moved" in result.doubts[0]
    assert not any("batch_stats" in name for name in result.weight_change)
    fixed = after | {"batch_stats": before["batch_stats"]}
    assert not any(
        "batch-norm" in doubt for doubt in fl.checkup(before, fixed, X, f=Net().apply).doubts
    )


def test_frozen_and_whole_number_leaves():
    def f(p, x):
        return jnp.tanh(x @ p["w"]) @ p["u"] + p["step"]

    before = {"w": normal(0, 6, 5), "u": normal(1, 5, 2), "step": 0}
    after = before | {"u": before["u"] + 0.1}
    result = fl.checkup(before, after, X, f=f)
    assert list(result.weight_change) == ["u"]
    assert "1 of 2 arrays did not change and count as frozen (w, …)" in result.doubts[0]
    assert result.linearisation_error == pytest.approx(0, abs=1e-5)
    counted = fl.checkup(before | {"step": jnp.array(0)}, after | {"step": jnp.array(1)}, X, f=f)
    assert any("step changed and cannot be differentiated" in doubt for doubt in counted.doubts)


def test_half_precision_is_evaluated_in_float32():
    f, full = MODELS["plain"]
    before = jax.tree.map(lambda a: a.astype(jnp.bfloat16), full)
    after = moved(before)
    result = fl.checkup(before, after, X, f=f)
    up = [jax.tree.map(lambda a: a.astype(jnp.float32), p) for p in (before, after)]
    assert result.linearisation_error == fl.checkup(*up, X, f=f).linearisation_error
    assert any("half-precision" in doubt for doubt in result.doubts)


def test_inputs_may_be_a_pytree():
    f, before = MODELS["plain"]
    both = fl.checkup(before, moved(before), {"x": X}, f=lambda p, x: f(p, x["x"]))
    alone = fl.checkup(before, moved(before), X, f=f)
    assert both.kernel_change == pytest.approx(alone.kernel_change)


def test_outputs_and_seed():
    f, before = MODELS["attention, tied embedding"]
    changes = {
        (outputs, seed): fl.checkup(
            before, moved(before), X, f=f, outputs=outputs, seed=seed
        ).kernel_change
        for outputs in (1, 2, "all", None)
        for seed in (0, 1)
    }
    assert changes["all", 0] == changes["all", 1] == changes[None, 0] == changes[2, 0]
    assert changes[1, 0] != changes[1, 1]


F, BEFORE = MODELS["plain"]
AFTER = moved(BEFORE)
NAN = [BEFORE[0], BEFORE[1].at[3].set(jnp.nan), BEFORE[2]]
SHORT = [a[:1] for a in BEFORE]


@pytest.mark.parametrize(
    ("after", "x", "more", "error", "words"),
    [
        (BEFORE, X, {}, ValueError, "after must differ from before.*no training"),
        (NAN, X, {}, ValueError, r"after must be finite, got nan in '1' at \(3,\)"),
        (AFTER, X, {"checkpoints": [NAN]}, ValueError, r"checkpoints\[0\] must be finite"),
        (BEFORE[:2], X, {}, ValueError, "after must have the same parameters"),
        (SHORT, X, {}, ValueError, r"shapes of before, got \(1, 5\) for '0'"),
        (AFTER, np.ones((N, 6)), {}, ValueError, "x must hold different inputs"),
        (AFTER, X[:1], {}, ValueError, "x must hold two or more inputs, got 1"),
        (AFTER, np.inf * X, {}, ValueError, "f of before must be finite"),
        (AFTER, X, {"f": None}, TypeError, "f must be given"),
        (AFTER, X, {"f": lambda p, x: (F(p, x),) * 2}, TypeError, "got tuple"),
        (AFTER, X, {"f": lambda p, x: F(p, x).sum()}, ValueError, "a row for each"),
        (AFTER, X, {"outputs": 0}, ValueError, "outputs must be"),
        (AFTER, X, {"batch_size": 0}, ValueError, "batch_size must be"),
    ],
)
def test_what_is_refused(after, x, more, error, words):
    with pytest.raises(error, match=words):
        fl.checkup(BEFORE, after, x, **({"f": F} | more))


def test_checkpoints_make_the_path():
    between = moved(BEFORE, 3.0)
    result = fl.checkup(BEFORE, moved(BEFORE, 1e-3), X, f=F, checkpoints=[between])
    there = fl.checkup(BEFORE, between, X, f=F)
    assert result.path[0].kernel_change == pytest.approx(there.kernel_change)
    assert result.largest.linearisation_error == pytest.approx(there.linearisation_error)
    assert result.verdict == "rich"


def test_plain_numbers_are_trained_where_they_change():
    x = np.linspace(0, 1, 20)
    result = fl.checkup({"a": 1.0, "b": 2.0}, {"a": 3.0, "b": 2.0}, x, f=lambda p, x: p["a"] * x)
    assert list(result.weight_change.items()) == [("a", 2.0)]
    assert result.kernel_change == 0


@pytest.mark.parametrize(
    ("loaded", "said"),
    [("", "TypeError []"), ("import jax;", "lazy ['jax']")],
)
def test_no_framework_is_imported_that_the_caller_did_not(loaded, said):
    code = (
        f"import sys; {loaded} import numpy as np, flbook as fl\n"
        "x = np.linspace(0.0, 1.0, 20)\n"
        "try: print(fl.checkup([1.0], [2.0], x, f=lambda p, x: p[0] * x).verdict, end=' ')\n"
        "except TypeError as error: print(type(error).__name__, end=' ')\n"
        "print([n for n in ('jax', 'torch', 'equinox', 'flax') if n in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert run.stdout.strip() == said


def test_double_precision_is_kept_whatever_jax_is_set_to():
    network = MLP((3, 20, 2), "tanh")
    before = network.init(seed=0, dtype=np.float64)
    after = tuple(np.asarray(matrix) * 1.1 for matrix in before)
    x = np.random.default_rng(1).standard_normal((16, 3))
    assert not jax.config.jax_enable_x64
    outside = fl.checkup(before, after, x, f=network)
    assert not jax.config.jax_enable_x64
    with jax.enable_x64(True):
        inside = fl.checkup(before, after, x, f=network)
    assert outside.linearisation_error == inside.linearisation_error
    assert outside.kernel_change == inside.kernel_change


def test_models_of_no_framework_are_refused_and_none_is_imported():
    code = "import flbook as fl; fl.checkup([1.0], [2.0], [0.0, 1.0])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert run.returncode == 1
    assert "before must be a PyTorch module or state dict, or a JAX pytree, got list" in run.stderr


def test_what_is_made_at_a_width_must_be_a_checkup():
    with pytest.raises(TypeError, match=r"make\(2\) must be a Checkup, got 2"):
        fl.checkup_widths(lambda width: width, [2])

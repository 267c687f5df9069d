"""Chapter 14: what its sentences say of the check-up, over corners and of the stored tables."""

import importlib.util
import math
import runpy
from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import matplotlib
import numpy as np
import pytest
from corners import decades
from sklearn.datasets import load_digits

import flbook as fl
from experiments import knob
from flbook.networks import MLP, largest_stable_rate, train
from flbook.sweeps import load

ROOT = Path(__file__).resolve().parents[2]
RICH = 1 - math.sqrt(2 / (1 + math.sqrt(2)))
PROBE = np.linspace(-1, 1, 20)[:, None]


@pytest.fixture(autouse=True)
def double():
    with jax.enable_x64(True):
        yield


def recipe(name):
    """Import a file of chapters/recipes."""
    spec = importlib.util.spec_from_file_location(name, ROOT / f"chapters/recipes/{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def turned():
    """Return all runs of f = α(g − g₀), with the boundary that was found for their network."""
    rows = []
    for name in ("knob", "knob_torch"):
        mine = [row for row in load(ROOT / f"results/{name}.json").rows if row.get("centred", True)]
        for key in dict.fromkeys((row["network"], row["seed"]) for row in mine):
            runs = [row for row in mine if (row["network"], row["seed"]) == key]
            scales = [row["scale"] for row in runs]
            found = fl.boundary_scale(scales, [row["linearisation_error"] for row in runs])
            rows += [{**row, "table": name, "found": found} for row in runs]
    return rows


RUNS = turned()


def solvable(network, task, u0, w0, times=(0.0, np.inf)):
    """Return the model, and the weights at several times."""
    flow = fl.GradientFlow(network, task, fl.Gram.from_weights(u0, w0))
    model = MLP((1, len(u0), 1), "linear", network.gamma)
    weights = [flow.weights(t, u0, w0) for t in times]
    return flow, model, [(w[:, None], u[None]) for u, w in weights]


# The closed form


@pytest.mark.parametrize("width", [2, 3, 50])
def test_the_error_is_the_kernels_growth_from_slope_zero_whatever_rates_and_layers(width):
    random = np.random.default_rng(width)
    grown = []
    for place in np.geomspace(0.003, 10, 8):
        draw = decades(random, 1)
        eta_u, eta_w, size = (float(draw(-1, 1)[0]) for _ in range(3))
        target = float(random.choice([-2.0, 2.0]))
        u, w = random.normal(size=(2, width))
        w = size * (w - u * (u @ w) / (u @ u))
        gamma = place * 2 / np.sqrt((u @ u) * (w @ w))
        network = fl.Network(width, gamma, eta_u=eta_u, eta_w=eta_w)
        task = fl.Task(0.7, 0.7 * target, 0.7 * target**2)
        flow, model, (start, early, end) = solvable(network, task, u, w, (0.0, 0.3, np.inf))
        result = fl.checkup(start, end, PROBE, f=model, checkpoints=[early])
        for t, moment in zip((0.3, np.inf), result.path, strict=True):
            growth = flow.kernel(t) / flow.kernel(0)
            wanted = 1 - math.sqrt(2 / (1 + growth))
            assert moment.linearisation_error == pytest.approx(wanted, rel=1e-5, abs=1e-9)
        grown.append(flow.outcome.kernel_ratio)
        assert result.equivalent_kernel_growth == pytest.approx(grown[-1], rel=1e-4)
    assert min(grown) < 1.1
    assert max(grown) > 2


def test_the_orders_of_the_error_in_the_output_scale():
    def error(rho):
        return 1 - math.sqrt(2 / (1 + math.sqrt(1 + rho**-2)))

    assert error(1) == pytest.approx(RICH)
    assert error(100) == pytest.approx(1 / (8 * 100**2), rel=1e-3)
    assert 1 - error(1e-4) == pytest.approx(math.sqrt(2e-4), rel=1e-3)
    gram = fl.Gram(3.0, 0.0, 5.0)
    places = [
        fl.locate(
            fl.Network(10, 0.1 * a, eta_u=2 / a**2, eta_w=3 / a**2), fl.Task(1.0, 1.0, 1.0), gram
        )
        for a in (1.0, 7.0)
    ]
    assert places[1].radius == pytest.approx(7 * places[0].radius)


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_from_another_slope_the_error_is_of_first_order(sign):
    u, w = np.random.default_rng(2).normal(size=(2, 30))
    w = w - u * (u @ w) / (u @ u) + 0.4 * sign * u
    for move in (1e-2, 1e-3):
        network = fl.Network(30, 0.2, eta_u=2.0, eta_w=0.5)
        slope = 0.2 * (u @ w)
        target = slope + move
        flow, model, (start, end) = solvable(
            network, fl.Task(1.0, target, target**2), u, w, (0.0, np.inf)
        )
        found = fl.checkup(start, end, PROBE, f=model).linearisation_error
        s0, k0 = 2 * 0.2 * slope, flow.kernel(0)  # η = 1
        r = math.sqrt((flow.kernel(np.inf) + 2 * 0.2 * target) / (k0 + s0))
        assert found == pytest.approx(abs(s0) * abs(r - 1) / (2 * k0), rel=3 * abs(r - 1) + 1e-2)
        # the prediction of exercise 1, in the move itself
        assert found == pytest.approx(abs(s0) * 2 * 0.2 * move / (4 * k0**2), rel=0.1)


# What fools


def test_a_kernel_that_comes_back_fools_the_ends_and_not_the_way():
    for seed, eta_w in enumerate((1.0, 1.0, 2.0, 0.3)):
        u, w = np.random.default_rng(seed).normal(size=(2, 40))
        w = u + 0.2 * w
        network = fl.Network(40, 0.1, eta_u=1.0, eta_w=eta_w)
        target = -0.1 * (u @ w)
        task = fl.Task(1.0, target, target**2)
        flow = fl.GradientFlow(network, task, fl.Gram.from_weights(u, w))
        times = (0.0, flow.outcome.time_to_shrink(0.5), np.inf)
        _, model, (start, half, end) = solvable(network, task, u, w, times)
        ends = fl.checkup(start, end, PROBE, f=model)
        assert ends.linearisation_error < 1e-6
        assert flow.kernel(np.inf) == pytest.approx(flow.kernel(0))
        assert ends.verdict == "lazy"
        way = fl.checkup(start, end, PROBE, f=model, checkpoints=[half])
        assert way.verdict == "rich"
        assert way.largest.kernel_change > 0.4


def test_the_error_does_not_depend_on_how_the_weights_are_written_and_the_kernel_does():
    random = np.random.default_rng(0)
    x = random.normal(size=(32, 5))
    network = MLP((5, 40, 40, 3), "tanh", etas=(1.0, 0.3, 2.0))
    factors = (2.0, 0.5, 7.0)

    def twin(params, x):
        return network(tuple(f * p for f, p in zip(factors, params, strict=True)), x)

    for seed in range(3):
        before = network.init(seed=seed, dtype=np.float64)
        run = train(network, before, x, x[:, :3] ** 2, learning_rate=0.1, steps=300)
        after = run.params
        other = [tuple(p / f for f, p in zip(factors, w, strict=True)) for w in (before, after)]
        one = fl.checkup(before, after, x, f=network)
        two = fl.checkup(*other, x, f=twin)
        assert two.linearisation_error == pytest.approx(one.linearisation_error, rel=1e-9)
        assert list(two.weight_change.values()) == pytest.approx(list(one.weight_change.values()))
        assert list(two.feature_change.values()) == pytest.approx(list(one.feature_change.values()))
        for a, b in zip(one.alignment, two.alignment, strict=True):
            assert (b.before, b.after) == pytest.approx((a.before, a.after))
        assert abs(two.kernel_change / one.kernel_change - 1) > 0.05


def test_the_cosine_hides_a_kernel_that_grows():
    worst = max(RUNS, key=lambda row: row["kernel_growth"])
    assert worst["kernel_growth"] > 100
    assert worst["kernel_rotation"] < 0.01
    quiet = [row for row in RUNS if row["kernel_change"] < 0.02]
    assert max(row["linearisation_error"] for row in quiet) > 0.3


# The knob


def test_six_networks_were_tried_and_a_larger_scale_is_lazier():
    keys = {(row["table"], row["network"], row["seed"]) for row in RUNS}
    assert len({key[:2] for key in keys}) == 6
    for key in keys:
        mine = [row for row in RUNS if (row["table"], row["network"], row["seed"]) == key]
        rows = [row for row in mine if row["loss_left"] < 0.301]
        rows.sort(key=lambda row: row["scale"])
        errors = [row["linearisation_error"] for row in rows]
        assert errors[0] > RICH > errors[-1] or len(rows) < len(mine)
        tail = [e for e in errors if e < 0.99]
        assert sorted(tail[1:], reverse=True) == tail[1:]


def test_one_run_tells_the_boundary_within_a_factor_of_four_if_its_error_is_in_the_middle():
    told = 0
    for row in RUNS:
        if 0.04 <= row["linearisation_error"] <= 0.75:
            off = row["predicted"] / row["found"]
            assert max(off, 1 / off) < 4, row
            told += 1
    assert told >= 40


def test_right_of_the_boundary_all_are_above_the_solvable_line_and_smooth_ones_of_first_order():
    smooth = []
    for row in RUNS:
        rho = row["scale"] / row["found"]
        if rho > 2:
            line = 1 - math.sqrt(2 / (1 + math.sqrt(1 + rho**-2)))
            assert row["linearisation_error"] > line
            if row["table"] == "knob" and row["network"] == "transformer":
                smooth.append(row["linearisation_error"] * rho / RICH)
    assert len(smooth) >= 6
    assert all(0.5 < share < 2 for share in smooth)


@pytest.mark.parametrize("seed", [0, 1])
def test_relu_networks_err_where_neurons_change_sides(seed):
    """The number of crossings is like 1/α, the error like their root, and small without any."""
    crossings, errors = [], []
    with jax.enable_x64(True):
        x, y = knob.data()
        start, static = eqx.partition(knob.NETWORKS["MLP"](jax.random.key(seed)), eqx.is_array)

        def sides(weights):
            hidden, found = x, []
            for layer in eqx.combine(weights, static).layers[:-1]:
                before = jax.vmap(layer)(hidden)
                hidden = jax.nn.relu(before)
                found.append(np.asarray(before) > 0)
            return np.concatenate(found, axis=1)

        for scale in (31.6, 215.0, 10_000.0):

            def model(weights, some, scale=scale):
                return scale * (
                    jax.vmap(eqx.combine(weights, static))(some)
                    - jax.vmap(eqx.combine(start, static))(some)
                )

            end, _, _ = knob.train(model, start, x, y, knob.MOST_STEPS)
            crossings.append(int((sides(start) != sides(end)).sum()))
            errors.append(fl.checkup(start, end, x, y, f=model, outputs=1).linearisation_error)
    assert 0.5 < crossings[0] / crossings[1] / (215 / 31.6) < 2
    assert crossings[2] == 0
    assert 0.5 < errors[0] / errors[1] / math.sqrt(crossings[0] / crossings[1]) < 2
    assert errors[2] < errors[1] * 215 / 10_000


def test_a_network_that_keeps_its_start_is_not_turned_by_the_knob():
    rows = load(ROOT / "results/knob.json").rows
    plain = [row for row in rows if not row["centred"] and row["scale"] > 10]
    assert plain
    assert np.ptp([row["linearisation_error"] for row in plain]) < 0.001
    assert all(row["predicted"] is None for row in plain)


# Where it breaks


def digits():
    images, labels = load_digits(return_X_y=True)
    return images[:100] / 8 - 1, np.eye(10)[labels[:100]] - 0.1


@pytest.mark.parametrize("seed", [1, 2])
def test_large_steps_throw_a_network_out_of_its_linear_model_at_any_scale(seed):
    x, y = digits()
    network = MLP((64, 64, 64, 10), gamma=100.0, etas=(1e-4,) * 3)
    start = network.init(seed=seed, dtype=np.float64)
    errors = []
    for factor in (0.3, 1.5):
        rate = factor * largest_stable_rate(network, start, x)
        run = train(network, start, x, y, learning_rate=rate, steps=300, centred=True)
        errors.append(fl.checkup(start, run.params, x[:64], f=network).linearisation_error)
    assert errors[0] < RICH < errors[1]


@pytest.mark.parametrize("seed", [1, 2])
def test_the_second_part_of_training_looks_lazier(seed):
    x, y = digits()
    network = MLP.parametrised("mup", (64, 64, 64, 10), gain=2**0.5)
    start = network.init(seed=seed, dtype=np.float64)
    rate = largest_stable_rate(network, start, x) / 2
    run = train(network, start, x, y, learning_rate=rate, steps=200, checkpoints=[60])
    whole, rest = (
        fl.checkup(params, run.params, x[:64], f=network).linearisation_error
        for params in (start, run.checkpoints[60])
    )
    assert rest < 0.8 * whole


def test_ntk_turns_lazy_with_the_width_and_mup_does_not():
    at_width = recipe("widths").at_width
    powers = {
        name: fl.checkup_widths(lambda width, name=name: at_width(name, width), (64, 256)).power
        for name in ("ntk", "mup")
    }
    assert powers["ntk"] == pytest.approx(-0.5, abs=0.15)
    assert powers["mup"] > -0.25


def test_odd_models_are_refused_or_doubted_and_dropout_is_not_seen():
    rows = {name: (error, words) for name, error, words in recipe("odd_models").rows()}
    refused = {name for name, (error, _) in rows.items() if error is None}
    assert refused == {
        "no training",
        "training that killed all neurons",
        "a weight that is no number",
        "the same input 64 times",
    }
    plain, said = rows["as it should be"]
    assert said == ""
    unseen, nothing = rows["dropout left on"]
    assert nothing == ""
    assert unseen > 1.2 * plain
    assert rows["first layer frozen"][0] == pytest.approx(0, abs=1e-9)
    for name, word in (
        ("five probe inputs", "only 5"),
        ("first layer frozen", "frozen"),
        ("half precision", "float32"),
        ("batch-norm statistics moved", "statistics moved"),
    ):
        assert word in rows[name][1]


# The recipes


def trained(loss, params):
    slope = jax.jit(jax.grad(loss))
    for _ in range(50):
        params = jax.tree.map(lambda a, g: a - 0.1 * g, params, slope(params))
    return params


@pytest.mark.parametrize("framework", ["jax", "equinox", "flax"])
def test_the_recipe_runs_with_what_the_reader_has(framework, capsys):
    matplotlib.use("agg")
    x = np.random.default_rng(0).normal(size=(64, 8))
    y = (x @ np.ones((8, 3)) > 0).argmax(axis=1)
    given = {"x": x, "y": y}
    if framework == "jax":
        start = {
            "a": jax.random.normal(jax.random.key(0), (8, 30)) / 3,
            "b": jax.random.normal(jax.random.key(1), (30, 3)) / 5,
        }

        def model(p, x):
            return jnp.tanh(x @ p["a"]) @ p["b"]

        given |= {"params": start, "model": model}
        given["train"] = lambda p: trained(lambda q: jnp.mean((model(q, x) - 1) ** 2), p)
    elif framework == "equinox":
        import equinox as eqx

        net = eqx.nn.MLP(8, 3, 30, 2, key=jax.random.key(0))

        def fit(net):
            arrays, static = eqx.partition(net, eqx.is_array)
            after = trained(
                lambda a: jnp.mean((jax.vmap(eqx.combine(a, static))(x) - 1) ** 2), arrays
            )
            return eqx.combine(after, static)

        given |= {"model": net, "train": fit}
    else:
        import flax.linen as nn

        net = nn.Sequential([nn.Dense(30), nn.relu, nn.Dense(3)])
        start = net.init(jax.random.key(0), x)
        given |= {"variables": start, "model": net}
        given["train"] = lambda p: trained(lambda q: jnp.mean((net.apply(q, x) - 1) ** 2), p)
    path = ROOT / f"chapters/recipes/checkup_{framework}.py"
    names = runpy.run_path(str(path), given)
    assert isinstance(names["result"], fl.Checkup)
    assert f"Check-up on 64 inputs: {names['result'].verdict}" in capsys.readouterr().out
    assert names["figure"].axes
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 10

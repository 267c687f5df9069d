"""Chapter 12: what its sentences say of networks that bend, of the stored table and anew."""

import numpy as np
import pytest
from corners import decades
from two_layer import curve, rows

import flbook as fl
from flbook.networks import MLP, aligned_start, train

SLOPES = {"linear": 1.0, "relu": 0.5, "leaky_relu": 0.505, "swish": 0.5}
BENT = ["relu", "leaky_relu", "sigmoid", "swish"]


def zeta(w, u):
    w, u = np.asarray(w), np.asarray(u)
    return np.linalg.norm(u @ w) / np.linalg.norm(u) / np.linalg.norm(w)


# The table


def test_the_linear_networks_are_the_solution():
    for row in rows(activation="linear", features=1, task="regression"):
        assert row["error_descent"] < 1e-12
        assert row["error_flow_half"] == pytest.approx(row["error_flow"] / 2, rel=0.02)


def test_relu_on_a_line_ends_where_the_solution_does():
    for row in rows(activation=["relu", "leaky_relu"], features=1):
        assert abs(curve(row)[-1] - row["zeta_solution"]) < 0.02
        assert row["agree"] == row["seeds"]


def test_the_alignment_rises_from_random_layers_and_falls_from_large_aligned_ones():
    for row in rows(start="align"):
        assert curve(row)[-1] > curve(row)[0] + 0.03
    large = [row for row in rows(start="disalign") if row["scale"] >= 10]
    assert {row["task"] for row in large} == {"regression", "classification"}
    for row in large:
        assert curve(row)[-1] < curve(row)[0] - 0.04


def test_a_larger_random_start_aligns_less():
    groups: dict = {}
    for row in rows(start="align"):
        key = row["task"], row["features"], row["activation"]
        groups.setdefault(key, []).append((row["scale"], curve(row)[-1]))
    assert all(len(group) > 1 for group in groups.values())
    for group in groups.values():
        assert (np.diff([end for _, end in sorted(group)]) < 0).all()


def test_small_aligned_layers_of_bent_networks_lose_alignment_with_ten_features():
    small = {"start": "disalign", "scale": 0.1}
    for row in rows(features=10, activation=BENT, **small):
        assert row["zeta_solution"] > 0.99
        assert curve(row)[-1] < curve(row)[0] - 0.03
    for row in rows(activation="linear", **small):
        assert curve(row)[-1] > 0.99


def test_the_alignment_turns_back_while_the_loss_falls():
    for row in rows(features=10, activation=BENT, start="align", scale=0.1):
        alignment, loss = curve(row), curve(row, "loss")
        top = alignment.argmax()
        assert alignment[-1] < alignment[top] - 0.03
        assert loss[-1] < loss[top]


def test_the_solution_never_turns_back():
    random = np.random.default_rng(0)
    draw = decades(random, 2000)
    network = fl.Network(
        np.floor(draw(0, 3)).astype(int),
        gamma=draw(-2, 1),
        sigma_u=draw(-2, 1),
        sigma_w=draw(-2, 1),
        eta_u=draw(-2, 1),
        eta_w=draw(-2, 1),
    )
    flow = fl.GradientFlow(network, fl.Task(1, 1, 1), network.sample_gram(seed=0))
    t = np.concatenate([[0], 10.0 ** np.linspace(-6, 6, 100), [np.inf]])
    way = np.diff(flow.alignment(t), axis=-1)
    assert (np.abs(way).sum(axis=-1) > 0.3).mean() > 0.2
    assert ((way >= -1e-9).all(axis=-1) | (way <= 1e-9).all(axis=-1)).all()


# ReLU on a line


def problem(random, loss):
    x = random.standard_normal(12) + random.uniform(-0.5, 0.5)
    if loss == "mse":
        return x, random.uniform(-2, 2) * x + np.abs(x) + random.standard_normal(12)
    return x, random.standard_normal(12) > 0


def start_of(random, width, etas, *, dominant):
    """Draw (w, u), with the larger of each pair in units of its rate on the side asked for."""
    weights = random.standard_normal((2, width)) * 10.0 ** random.uniform(-2, 0.5)
    order = np.sort(np.abs(weights), axis=0)[::-1] if dominant else np.sort(np.abs(weights), axis=0)
    return np.sign(weights) * order * np.sqrt(etas)[:, None]


def trained(activation, etas, x, y, w, u, loss, rate, steps, every=10):
    network = MLP((1, w.size, 1), activation, 1.0, etas=tuple(etas))
    kept = np.arange(0, steps + 1, every)
    return train(
        network,
        (w[:, None], u[None, :]),
        x[:, None],
        y,
        loss=loss,
        learning_rate=rate,
        steps=steps,
        checkpoints=kept,
    )


def short(etas, x, w, u, target=4.0):
    """Return a rate at which steps are short against the kernel at the start and at the end."""
    kernel = etas[1] * (w @ w) + etas[0] * (u @ u) + 2 * np.sqrt(np.prod(etas)) * target
    return 0.2 / kernel / np.mean(x**2)


@pytest.mark.parametrize("seed", range(6))
def test_a_relu_network_with_dominant_input_weights_is_two_solvable_networks(seed):
    random = np.random.default_rng(seed)
    width = [1, 2, 3, 5, 40, 200][seed]
    etas = 10.0 ** random.uniform(-1, 1, 2)  # of w and u
    x, y = problem(random, "mse")
    w, u = start_of(random, width, etas, dominant=True)
    rate = short(etas, x, w, u)
    run = trained("relu", etas, x, y, w, u, "mse", rate, 200)
    loss = 0.0
    for side in (1, -1):
        mine, heard = side * w > 0, side * x > 0
        moments = np.mean(np.array([x**2, x * y, y**2]) * heard, axis=1)
        if not mine.any():
            loss = loss + moments[2] / 2
            continue
        eta_w, eta_u = rate * etas
        network = fl.Network(int(mine.sum()), 1.0, eta_u=eta_u, eta_w=eta_w)
        half = fl.GradientDescent(
            network, fl.Task(*moments), fl.Gram.from_weights(u[mine], w[mine])
        ).at(run.steps)
        found = [side * run.predict([[side]], step).item() for step in run.checkpoints]
        kept = np.isin(run.steps, list(run.checkpoints))
        assert found == pytest.approx(half.slope[kept], rel=1e-9, abs=1e-11)
        loss = loss + half.loss
    assert run.losses == pytest.approx(loss, rel=1e-9)


@pytest.mark.parametrize("activation", ["relu", "leaky_relu"])
@pytest.mark.parametrize("loss", ["mse", "cross_entropy"])
def test_no_neuron_with_a_dominant_input_weight_changes_sides(activation, loss):
    changed = 0
    for seed in range(6):
        random = np.random.default_rng(seed)
        etas = 10.0 ** random.uniform(-1, 1, 2)
        x, y = problem(random, loss)
        for dominant in (True, False):
            w, u = start_of(random, 30, etas, dominant=dominant)
            run = trained(activation, etas, x, y, w, u, loss, short(etas, x, w, u), 300)
            crossed = np.any([w * np.ravel(p[0]) < 0 for p in run.checkpoints.values()])
            assert not (dominant and crossed)
            changed += crossed
    assert changed > 3  # the condition is not idle


@pytest.mark.parametrize("loss", ["mse", "cross_entropy"])
def test_the_halves_of_a_leaky_network_keep_their_determinants(loss):
    random = np.random.default_rng(1)
    etas = np.array([0.5, 2.0])
    x, y = problem(random, loss)
    w, u = start_of(random, 30, etas, dominant=True)
    run = trained("leaky_relu", etas, x, y, w, u, loss, short(etas, x, w, u) / 20, 4000, 1000)
    w1, u1 = map(np.ravel, run.params)
    for side in (1, -1):
        mine = side * w > 0
        before, after = (fl.Gram.from_weights(b[mine], a[mine]) for a, b in ((w, u), (w1, u1)))
        assert after.determinant == pytest.approx(before.determinant, rel=0.01)
        assert abs(after.uw / before.uw - 1) > 0.1


def test_an_odd_start_on_symmetric_data_is_one_solvable_network():
    random = np.random.default_rng(2)
    x, y = problem(random, "mse")
    x, y = np.concatenate([x, -x]), np.concatenate([y, -y])
    w, u = 0.1 * random.standard_normal((2, 20))  # of any balance: some change sides
    w, u = np.concatenate([w, -w]), np.concatenate([u, -u])
    for activation in ("relu", "leaky_relu"):
        gamma = SLOPES[activation]
        etas = np.ones(2)
        rate = short(etas, x, w, u)
        run = trained(activation, etas, x, y, w, u, "mse", rate, 300)
        network = fl.Network(w.size, gamma, eta_u=rate, eta_w=rate)
        exact = fl.GradientDescent(network, fl.Task.from_data(x, y), fl.Gram.from_weights(u, w))
        assert run.losses == pytest.approx(exact.at(run.steps).loss, rel=1e-9)
        assert (w * np.ravel(run.params[0]) < 0).any()


# What the alignment sees, and what stays


@pytest.mark.parametrize("features", [1, 3, 10])
def test_the_odd_part_is_a_line_in_all_but_the_sigmoid(features):
    random = np.random.default_rng(3)
    x = random.standard_normal((50, features))
    for activation in [*SLOPES, "sigmoid"]:
        network = MLP((features, 7, 1), activation, 0.3, (2.0, 1.0))
        w, u = params = network.init(features, "float64")
        odd = np.subtract(network(params, x), network(params, -x)).ravel() / 2
        line = 0.3 * SLOPES.get(activation, 0.25) * x @ (np.asarray(u) @ np.asarray(w)).ravel()
        off = np.abs(odd - line).max() / np.abs(odd).max()
        assert off > 0.05 if activation == "sigmoid" else off < 1e-12


@pytest.mark.parametrize("loss", ["mse", "cross_entropy"])
def test_piecewise_linear_networks_keep_the_balance_of_every_neuron_and_others_do_not(loss):
    random = np.random.default_rng(4)
    x = random.standard_normal((20, 3))
    y = x[:, 0] + np.abs(x[:, 1]) if loss == "mse" else x[:, 0] + np.abs(x[:, 1]) > 0.5
    for activation in [*SLOPES, "sigmoid"]:
        drifts = []
        for finer in (1, 2):
            etas = 2.0, 0.5
            network = MLP((3, 10, 1), activation, 1.0, (0.7, 0.7), etas)
            run = train(
                network,
                network.init(5, "float64"),
                x,
                y,
                loss=loss,
                learning_rate=0.01 / finer,
                steps=300 * finer,
            )
            (w0, u0), (w1, u1) = ([np.asarray(m) for m in p] for p in (run.start, run.params))
            before, after = (u[0] ** 2 / etas[1] - (w**2).sum(1) / etas[0]
                             for w, u in ((w0, u0), (w1, u1)))  # fmt: skip
            drifts.append(np.abs(after - before).max())
        if activation in ("linear", "relu", "leaky_relu"):
            assert drifts[1] == pytest.approx(drifts[0] / 2, rel=0.15)  # the steps alone
        else:
            assert drifts[1] == pytest.approx(drifts[0], rel=0.1)
            assert drifts[1] > 0.05


@pytest.mark.parametrize("alignment", [-0.5, 0.0, 0.9])
def test_cross_entropy_on_classes_that_can_be_separated_never_stops(alignment):
    positive = np.linspace(0.5, 2, 10)
    x = np.concatenate([-positive, positive])
    network = MLP((1, 300, 1), "linear", 1 / 300, (2.0, 2.0), (300.0, 300.0))
    w, u = params = aligned_start(network, alignment, 0, "float64")
    height = fl.Gram.from_weights(np.ravel(u), np.ravel(w)).root_determinant / 300
    kept = [300, 3000, 30_000]
    run = train(
        network,
        params,
        x[:, None],
        x > 0,
        loss="cross_entropy",
        learning_rate=0.02,
        steps=kept[-1],
        checkpoints=kept,
    )
    ends = [zeta(*run.checkpoints[step]) for step in kept]
    slopes = [float(np.asarray(p[1])[0] @ np.asarray(p[0])[:, 0]) / 300
              for p in (run.checkpoints[step] for step in kept)]  # fmt: skip
    assert (np.diff(ends) > 0).all()
    assert 0.3 < slopes[2] - slopes[1] < 2 * (slopes[1] - slopes[0])  # ten times as many steps
    assert ends == pytest.approx(slopes / np.hypot(slopes, height), abs=0.005)

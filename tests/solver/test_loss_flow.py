"""Any loss: against the integrated weights and the squared error's solution, ends and corners."""

from __future__ import annotations

import numpy as np
import pytest
from loss_functions import DERIVATIVES, Cauchy, Hinge2
from oracle import METHODS
from scipy.integrate import quad, solve_ivp

import flbook as fl
from flbook import simulation
from flbook._model.state import LayerState

TIMES = np.array([0.0, 1e-9, 0.1, 1.0, 10.0, 1e3, 1e12, 1e300, np.inf])
random = np.random.default_rng(1)
X = random.normal(size=12)
REAL = 0.8 * X + 0.3 * random.normal(size=12)
MIXED, SEPARABLE = np.sign(REAL), np.sign(X)
MIXED[:2] = -np.sign(X[:2])
DATA = {"squared": REAL, "huber": 3 * REAL, "logistic": MIXED, "exponential": MIXED}


def _flow(loss, y, *, start=(1.0, 0.3, 1.0), x=X, **network):
    return fl.LossFlow(fl.Network(2, **network), loss, x, y, fl.Gram(*start))


def _everything(flow, t=TIMES):
    now = flow.at(t)
    answers = {name: getattr(now, name) for name in METHODS}
    for matrix in ("gram", "displacement"):
        answers |= {f"{matrix} {n}": getattr(getattr(now, matrix), n) for n in ("uu", "uw", "ww")}
    return answers


def _networks(seed, size):
    random = np.random.default_rng(seed)
    rates = {f"eta_{x}": np.exp(random.normal(size=size)) for x in "uw"}
    scales = {f"sigma_{x}": 10 ** random.uniform(-3, 0.7, size) for x in "uw"}
    return fl.Network(np.full(size, 5), gamma=np.exp(random.normal(size=size)), **rates, **scales)


@pytest.mark.parametrize(
    "loss",
    [*DATA, Cauchy()],
    ids=lambda loss: loss if isinstance(loss, str) else type(loss).__name__,
)
@pytest.mark.parametrize("seed", range(3))
def test_against_the_integrated_weights(loss, seed):
    """Weight by weight, and example by example, with derivatives written here."""
    random = np.random.default_rng(seed)
    gamma, eta_u, eta_w = np.exp(random.normal(size=3) / 2)
    u0, w0 = random.normal(size=(2, 4))
    network = fl.Network(4, gamma=gamma, eta_u=eta_u, eta_w=eta_w)
    y = DATA.get(loss, REAL) if isinstance(loss, str) else REAL
    slope_of = DERIVATIVES[loss] if isinstance(loss, str) else loss.derivative
    t = np.linspace(0.0, 5.0, 9)

    def velocity(_, weights):
        u, w = weights[:4], weights[4:]
        pull = gamma * np.mean(
            [a * slope_of(gamma * (u @ w) * a, b) for a, b in zip(X, y, strict=True)]
        )
        return np.concatenate([-eta_u * pull * w, -eta_w * pull * u])

    run = solve_ivp(
        velocity, (0, 5), np.concatenate([u0, w0]), "DOP853", t_eval=t, rtol=1e-11, atol=1e-12
    ).y.T
    truth = fl.Gram.from_weights(run[:, :4], run[:, 4:])
    now = fl.LossFlow(network, loss, X, y, fl.Gram.from_weights(u0, w0)).at(t)
    for name in ("uu", "uw", "ww"):
        np.testing.assert_allclose(getattr(now.gram, name), getattr(truth, name), 1e-8, 1e-9)
    np.testing.assert_allclose(now.alignment, truth.alignment, atol=1e-8)
    np.testing.assert_allclose(
        now.kernel, gamma**2 * (eta_w * truth.uu + eta_u * truth.ww), rtol=1e-8
    )
    moved = fl.Gram.from_weights(run[:, :4] - u0, run[:, 4:] - w0)
    for name in ("uu", "uw", "ww"):
        np.testing.assert_allclose(
            getattr(now.displacement, name), getattr(moved, name), 1e-7, 1e-9
        )


@pytest.mark.parametrize("size", [1, 40])
def test_the_squared_error_is_gradient_flow(size):
    network = _networks(size, size)
    gram = network.sample_gram(seed=3)
    flow = fl.LossFlow(network, "squared", X, REAL, gram)
    exact = fl.GradientFlow(network, fl.Task.from_data(X, REAL), gram)
    assert flow.task == exact.task
    answers, wanted = _everything(flow), _everything(exact)
    largest = np.maximum(np.abs(exact.slope(0.0)), np.abs(exact.task.target))[:, None]
    for name in ("slope", "residual"):
        np.testing.assert_array_less(np.abs(answers[name] - wanted[name]) / largest, 3e-10)
    for name in ("alignment", "kernel_alignment"):
        np.testing.assert_allclose(answers[name], wanted[name], atol=1e-10)
    for name in ("kernel", "loss", "gram uu", "gram ww", "imbalance", "determinant"):
        np.testing.assert_allclose(answers[name], wanted[name], rtol=1e-9, err_msg=name)
    norms = np.maximum(wanted["gram uu"], wanted["gram ww"])
    for name in ("displacement uu", "displacement uw", "displacement ww"):
        assert np.max(np.abs(answers[name] - wanted[name]) / norms) < 1e-9, name


@pytest.mark.parametrize("near", [1e-1, 1e-3, -1e-6])
def test_a_start_near_the_target(near):
    task = fl.Task.from_data(X, REAL)
    start = (3.0, float(task.target) + near, 2.0)
    t = np.array([1e-3, 0.1, 1.0, 3.0, 30.0])
    network = fl.Network(2)
    exact = fl.GradientFlow(network, task, fl.Gram(*start))
    moved = _flow("squared", REAL, start=start).slope(t) - start[1]
    np.testing.assert_allclose(moved, exact.slope(t) - start[1], rtol=1e-6, atol=1e-12)


@pytest.mark.parametrize("loss", DATA)
def test_the_end_is_that_of_the_squared_error_with_the_optimum_as_target(loss):
    flow = _flow(loss, DATA[loss], gamma=0.5, eta_w=3.0)
    best = float(flow.optimum)
    assert flow.criterion.derivative(best * X, DATA[loss]) @ X == pytest.approx(0, abs=1e-13)
    task = fl.Task(1.0, best, best * best)
    exact = fl.GradientFlow(flow.network, task, flow.start).at(np.inf)
    for now in (flow.at(np.inf), flow.at(1e6)):
        for name in ("slope", "kernel", "alignment", "kernel_alignment"):
            np.testing.assert_allclose(getattr(now, name), getattr(exact, name), rtol=1e-11)
        assert now.residual == pytest.approx(0, abs=1e-11)


@pytest.mark.parametrize("loss", ["squared", "logistic"])
def test_time_is_the_quadrature_along_the_path(loss):
    flow = _flow(loss, DATA[loss], start=(1e-3, 1e-4, 2e-3), eta_u=0.5)
    t = np.array([3.0, 7.0])
    floor = fl.GradientFlow(flow.network, flow.task, flow.start).kernel_floor
    signal = 2 * np.sqrt(0.5)

    def slowness(v):
        pull = np.mean(X * DERIVATIVES[loss](v * X, DATA[loss]))
        return -1 / (np.hypot(signal * v, floor) * pull)

    for time, v in zip(t, flow.slope(t), strict=True):
        quadrature = quad(slowness, 1e-4, v, epsabs=0, epsrel=1e-11, limit=200)[0]
        assert quadrature == pytest.approx(time, rel=1e-9)


@pytest.mark.parametrize("loss", ["logistic", "exponential"])
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_separable_data(loss, sign):
    flow = _flow(loss, sign * SEPARABLE)
    now = flow.at([1.0, 1e6, 1e12, np.inf])
    assert flow.optimum == now.slope[-1] == sign * np.inf
    assert (np.diff(sign * now.slope) > 0).all()
    assert now.kernel[-1] == now.gram.uu[-1] == now.gram.ww[-1] == np.inf
    assert now.alignment[-1] == now.kernel_alignment[-1] == sign
    assert now.loss[-1] == now.residual[-1] == 0
    np.testing.assert_array_equal(now.determinant, flow.start.determinant)
    np.testing.assert_allclose(now.kernel[2] / (2 * sign * now.slope[2]), 1.0, rtol=1e-3)


def test_one_example_with_the_exponential_loss_in_closed_form():
    """A frozen layer keeps K; then exp(av) = exp(av(0)) + a²Kt."""
    flow = _flow("exponential", [1.0], x=[2.0], start=(3.0, 0.5, 1.0), eta_u=0.0)
    t = np.array([0.0, 1e-3, 1.0, 1e6, 1e12, 1e300])
    wanted = np.log(np.exp(2 * 0.5) + 4 * 3.0 * t) / 2
    np.testing.assert_allclose(flow.slope(t), wanted, rtol=1e-10)
    end = flow.at(np.inf)
    assert (end.slope, end.kernel, end.alignment, end.kernel_alignment) == (np.inf, 3.0, 1.0, 0.0)
    assert (end.gram.uu, end.gram.ww) == (3.0, np.inf)


def test_balanced_aligned_layers_with_the_exponential_loss_in_closed_form():
    """K = 2v, so that t = ∫dv exp(v)/(2v): an exponential integral."""
    from scipy.special import expi

    flow = _flow("exponential", [1.0], x=[1.0], start=(0.5, 0.5, 0.5))
    t = np.array([0.1, 1.0, 1e3, 1e9, 1e12])
    np.testing.assert_allclose((expi(flow.slope(t)) - expi(0.5)) / 2, t, rtol=1e-9)


STARTS = {
    "parallel, right side": (1.0, 1.0, 1.0),
    "parallel, wrong side": (1.0, -1.0, 1.0),
    "parallel, unbalanced": (4.0, -2.0, 1.0),
    "orthogonal": (1.0, 0.0, 1.0),
    "no u": (0.0, 0.0, 1.0),
    "nothing": (0.0, 0.0, 0.0),
    "tiny": (1e-16, 1e-17, 1e-16),
    "hardly anything": (1e-100, 0.0, 1e-100),
}
LABELS = {**DATA, "separable": SEPARABLE}


@pytest.mark.parametrize("start", STARTS.values(), ids=STARTS.keys())
@pytest.mark.parametrize("data", LABELS)
@pytest.mark.parametrize("eta_u", [0.0, 1.0, 1e-8])
def test_degenerate_states_give_numbers_without_warnings(start, data, eta_u):
    loss = "logistic" if data == "separable" else data
    flow = _flow(loss, LABELS[data], start=start, eta_u=eta_u)
    answers = _everything(flow)
    for name, answer in answers.items():
        assert not np.isnan(answer).any(), name
        assert data == "separable" or np.isfinite(answer).all(), name
    assert np.all(np.diff(answers["loss"]) <= 1e-12 * answers["loss"][:-1])
    assert np.all(np.abs(answers["alignment"]) <= 1)
    if data != "separable":
        exact = fl.GradientFlow(
            flow.network, fl.Task(1.0, flow.optimum, flow.optimum**2), flow.start
        )
        assert answers["slope"][-1] == exact.slope(np.inf)


def test_the_wrong_side_of_the_saddle():
    for loss in ("logistic", "exponential"):
        flow = _flow(loss, SEPARABLE, start=(1.0, -1.0, 1.0))
        now = flow.at([0.1, 1.0, 1e3, np.inf])
        assert now.slope[0] < now.slope[1] < 0
        assert now.slope[-1] == now.kernel[-1] == now.gram.uu[-1] == 0
        np.testing.assert_array_equal(now.alignment, -1.0)
        np.testing.assert_allclose(now.displacement.uu[-1], 1.0)


def test_a_loss_that_is_not_convex_stops_at_the_first_zero():
    """Three clusters of outliers give Cauchy's loss two valleys."""
    x, y = np.ones(5), np.array([0.0, 0.1, 20.0, 20.1, 20.2])
    ends = []
    for uw in (-3.0, 1.0, 15.0, 40.0):
        flow = _flow(Cauchy(), y, x=x, start=(50.0, uw, 50.0))
        end = float(flow.slope(np.inf))
        assert end == flow.optimum
        assert flow.slope(1e6) == pytest.approx(end, rel=1e-9)
        assert np.mean(Cauchy().derivative(end, y)) == pytest.approx(0, abs=1e-12)
        ends.append(end)
    assert ends[0] == pytest.approx(ends[1], rel=1e-9)
    assert ends[2] == pytest.approx(ends[3], rel=1e-9)
    assert ends[1] < 1 < 19 < ends[2]


def test_a_flat_floor_is_reached_at_its_edge():
    flow = _flow(Hinge2(), SEPARABLE)
    edge = 1 / np.abs(X).min()
    assert flow.optimum == pytest.approx(edge, rel=1e-7)
    assert flow.loss(np.inf) == pytest.approx(0, abs=1e-12)


def test_at_rest_from_the_start():
    flow = _flow("squared", [2.0, -2.0], x=[1.0, -1.0], start=(3.0, 2.0, 2.0))
    np.testing.assert_array_equal(flow.slope(TIMES), 2.0)
    np.testing.assert_array_equal(flow.residual(TIMES), 0.0)


def test_inputs_in_the_plane_count_by_their_place_on_the_line():
    line = np.array([0.6, 0.8])
    flat, plane = _flow("logistic", MIXED), _flow("logistic", MIXED, x=X[:, None] * line)
    np.testing.assert_allclose(plane.slope([1.0, np.inf]), flat.slope([1.0, np.inf]), rtol=1e-12)


def test_shapes_and_loops():
    network = fl.Network([[10], [20]], gamma=[0.5, 1.0, 2.0])
    gram = fl.Gram(np.ones((4, 1, 1)), 0.5, 1.0)
    flow = fl.LossFlow(network, "logistic", X, MIXED, gram)
    assert flow.shape == np.shape(flow.optimum) == (4, 2, 3)
    t = np.array([[0.0, 2.0], [1.0, np.inf]])
    together = _everything(flow, t)
    for name, answer in together.items():
        assert np.shape(answer) == (4, 2, 3, 2, 2), name
    alone = _flow("logistic", MIXED, start=(1.0, 0.5, 1.0), gamma=2.0)
    for name, answer in _everything(alone, t).items():
        np.testing.assert_allclose(together[name][1, 1, 2], answer, rtol=1e-9, atol=1e-11)
    for name, answer in _everything(flow, []).items():
        assert np.shape(answer) == (4, 2, 3, 0), name
    assert np.shape(alone.slope(1.0)) == ()
    assert alone.slope(0.0) == 1.0
    assert isinstance(alone.gram(1.0).uu, float)
    assert np.shape(alone.loss(np.ones((2, 3)))) == (2, 3)


class NoDerivative:
    def value(self, f, y):
        return f - y


class Scalar:
    def value(self, f, y):
        return f - y

    def derivative(self, f, y):
        return 1.0


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"loss": "hinge"}, ValueError, "loss must be one of 'squared', .*, got 'hinge'"),
        ({"loss": 3}, TypeError, r"loss must be one of .* derivative\(f, y\), got 3"),
        ({"loss": NoDerivative()}, TypeError, "loss must be one of"),
        ({"loss": Cauchy}, TypeError, "loss must be one of"),
        ({"loss": Scalar()}, ValueError, r"loss must answer derivative\(f, y\) .* shape \(\)"),
        ({"loss": "logistic"}, ValueError, "y must be 1 or -1 for the logistic loss, got 0.5"),
        ({"loss": "exponential", "y": [1.0, 0.0]}, ValueError, "got 0.0 at index 1"),
        ({"x": [0.0, 0.0]}, ValueError, "x must hold an input that is not zero"),
        ({"x": [[1.0, 0.0], [0.0, 1.0]]}, ValueError, "x must lie on one line"),
        ({"y": [1.0]}, ValueError, r"y must have shape \(2,\) like x"),
        ({"y": [1.0, np.nan]}, ValueError, "y must be finite"),
        ({"gram": None}, TypeError, "gram must be a Gram"),
        ({"network": 3}, TypeError, "network must be a Network"),
    ],
)
def test_bad_input(change, error, message):
    parts = {"network": fl.Network(2), "loss": "squared", "x": [1.0, 2.0], "y": [0.5, 1.0]}
    parts["gram"] = fl.Gram(1.0, 0.0, 1.0)
    with pytest.raises(error, match=message):
        fl.LossFlow(**(parts | change))


@pytest.mark.parametrize("name", [*METHODS, "gram", "at"])
def test_bad_times(name):
    with pytest.raises(ValueError, match="t must be a time of at least 0"):
        getattr(_flow("huber", REAL), name)([1.0, -1.0])


def test_frozen_and_comparable():
    flow = _flow("huber", REAL)
    assert flow == _flow("huber", REAL)
    assert flow != _flow("squared", REAL)
    assert flow != _flow("huber", 2 * REAL)
    with pytest.raises(ValueError, match="read-only"):
        flow.x[0] = 1.0
    assert repr(flow).startswith("LossFlow(network=Network(width=2")


@pytest.mark.parametrize("loss", ["logistic", "exponential"])
def test_the_simulation_takes_a_loss(loss):
    random = np.random.default_rng(5)
    network = fl.Network(30, 30**-0.5, eta_u=0.5, eta_w=2.0)
    u, w = network.sample_weights(seed=random)
    data, derivative = (X, MIXED), DERIVATIVES[loss]
    t = np.linspace(0.0, 4.0, 5)
    run = simulation.gradient_flow(network, data, u, w, t, derivative=derivative, rtol=1e-11)
    flow = fl.LossFlow(network, loss, *data, fl.Gram.from_weights(u, w))
    np.testing.assert_allclose(run.slope, flow.slope(t), rtol=1e-9)
    steps = simulation.gradient_descent(
        fl.Network(30, 30**-0.5, eta_u=5e-4, eta_w=2e-3),
        data,
        u,
        w,
        [0, 2000],
        derivative=derivative,
    )
    assert steps.slope[-1] == pytest.approx(flow.slope(2.0), rel=1e-2)


def test_the_simulation_refuses_what_is_no_derivative():
    one, weights = fl.Network(1), ([1.0], [1.0], [0.0, 1.0])
    with pytest.raises(TypeError, match="derivative must be a function of f and y or None, got 3"):
        simulation.gradient_flow(one, (X, MIXED), *weights, derivative=3)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"data must be a tuple \(x, y\) for a derivative"):
        simulation.gradient_flow(one, fl.Task(1, 1, 1), *weights, derivative=np.subtract)


def test_methods_and_state_say_the_same():
    flow = _flow("logistic", SEPARABLE)
    now = flow.at(TIMES)
    for name in METHODS:
        np.testing.assert_array_equal(getattr(flow, name)(TIMES), getattr(now, name))
    assert flow.gram(TIMES) == now.gram
    assert isinstance(now, LayerState)

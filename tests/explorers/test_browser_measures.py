"""The measures that run in the browser say what the Python core says, everywhere."""

import math
from fractions import Fraction

import expected
import mpmath
import numpy as np
import pytest
from javascript import ask_node
from scipy import special, stats
from tables import COMPUTING

import flbook as fl
from flbook import explorers
from flbook.explorers import Explorer, even_starts, parameters

POWERS = ("gamma", "sigma2_u", "sigma2_w", "eta_u", "eta_w")
EXPLORERS = sorted(COMPUTING)
PLACE = {
    "byDeterminant": "by_determinant",
    "byImbalance": "by_imbalance",
    "start": "start",
    "radius": "radius",
}
SMALLEST = 1e-300


def close(got, wanted, rel=1e-11, slack=0.0):
    got, wanted = float(got), float(wanted)
    assert got == wanted or abs(got - wanted) <= rel * abs(wanted) + slack, (got, wanted)


def log_uniform(random, low, high) -> float:
    return float(10.0 ** random.uniform(low, high))


def test_quantiles_of_the_normal_and_of_the_chi_square_law():
    degrees = [0, *range(1, 80), 100, 1000, 10**4, 10**6, 10**9, 10**12]
    shares = [1 / 4096, 0.001, 0.01, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99, 0.999, 1 - 1 / 4096]
    asked = [{"what": "quantile", "degrees": d, "share": p} for d in degrees for p in shares]
    for request, answer in zip(asked, ask_node(asked), strict=True):
        d, p = request["degrees"], request["share"]
        close(answer["chi_square"], stats.chi2.ppf(p, d) if d else 0.0, rel=2e-11)
        close(answer["normal"], special.ndtri(p), rel=1e-12)


@pytest.mark.parametrize("width", [1, 2, 3, 17, 60, 61, 1000, 10**6, 10**12])
def test_even_starts_are_the_same_ones(width):
    (answer,) = ask_node([{"what": "draws", "width": width, "count": 512}])
    gram = even_starts(fl.Network(width))
    np.testing.assert_allclose(answer["length"], gram.uu, rtol=2e-11)
    z, across = np.array(answer["overlap"]), np.array(answer["across"])
    np.testing.assert_allclose(z * np.sqrt(answer["length"]), gram.uw, rtol=2e-11)
    np.testing.assert_allclose(z**2 + across, gram.ww, rtol=2e-11)


@pytest.mark.parametrize("width", [1, 2, 5, 30, 10**3, 10**9])
def test_even_starts_follow_the_law_of_random_ones(width):
    even = even_starts(fl.Network(width), count=2048)
    drawn = fl.Network(width).sample_gram(size=200_000, seed=5)
    for name in ("uu", "uw", "ww", "alignment"):
        one, other = (np.asarray(getattr(gram, name)) for gram in (even, drawn))
        if np.ptp(other) > 1e-9 * np.abs(other).max():
            assert stats.ks_2samp(one, other).statistic < 0.015, name


def random_gram(random, reach) -> list[float]:
    uu, ww = log_uniform(random, -reach, reach), log_uniform(random, -reach, reach)
    cosine = random.choice([random.uniform(-1, 1), 1 - log_uniform(random, -12, 0)])
    return [uu, float(random.choice([-1, 1]) * cosine * math.sqrt(uu * ww)), ww]


@pytest.mark.parametrize("reach", [1, 8])
def test_mechanisms(reach):
    random = np.random.default_rng(reach)
    pairs = [(random_gram(random, reach), random_gram(random, reach)) for _ in range(1500)]
    flow = fl.GradientFlow(fl.Network(2), fl.Task(1.0, 1.0, 1.0), fl.Gram(1.0, -0.9, 1.0))
    end = flow.gram(np.inf)
    still, up = [1.0, 0.0, 1.0], [2.0, 1.0, 2.0]
    zero, straight, back = [0.0, 0.0, 0.0], [1.0, 1.0, 1.0], [1.0, -1.0, 1.0]
    pairs += [(still, up), (up, still), (still, still), (zero, up), (up, zero), (zero, zero)]
    pairs += [(straight, back), (straight, straight), ([1.0, -0.9, 1.0], [end.uu, end.uw, end.ww])]
    answers = ask_node([{"what": "decompose", "before": b, "after": a} for b, a in pairs])
    names = set()
    for (before, after), answer in zip(pairs, answers, strict=True):
        learned = fl.decompose(fl.Gram(*before), fl.Gram(*after))
        # the determinants of nearly parallel layers carry few digits, in both the same ones
        for part in ("rescaling", "alignment", "turn"):
            close(answer[part], getattr(learned, part), slack=1e-12)
        assert answer["crossed"] == learned.crossed
        assert answer["mechanism"] == learned.mechanism
        names.add(answer["mechanism"])
    assert names == {"alignment", "disalignment", "rescaling", "kernel"}


def test_scalings():
    random = np.random.default_rng(3)
    grids = [random.integers(-4, 5, size=5) / 2 for _ in range(2000)]
    grids += [random.uniform(-2, 2, size=5) for _ in range(500)]
    grids += [[getattr(scaling, n) for n in POWERS] for scaling in fl.SCALINGS.values()]
    powers = [dict(zip(POWERS, map(float, grid), strict=True)) for grid in grids]
    powers += [power | {"width": float(random.choice([0, 0, 0.5, 2]))} for power in powers]
    answers = ask_node([{"what": "scaling", "powers": p} for p in powers])
    seen = set()
    for power, answer in zip(powers, answers, strict=True):
        scaling = fl.Scaling(**power)
        for name, value in scaling.exponents()._asdict().items():
            close(answer[name], value, slack=1e-14)
        assert answer["phase"] == scaling.phase().value
        assert answer["speed"] == scaling.speed()
        seen.add((answer["phase"], answer["speed"]))
    assert {phase for phase, _ in seen} == {phase.value for phase in fl.Phase}
    assert len(seen) == 3 * len(fl.Phase)


def random_point(random, reach) -> dict:
    point = {n: log_uniform(random, -reach, reach) for n in ("gamma", "eta_u", "eta_w", "sigma_w")}
    m = log_uniform(random, -reach, reach)
    c = float(random.choice([-1, 1]) * log_uniform(random, -reach, reach))
    point |= {"width": 10, "sigma_u": 1.0, "second_moment": m, "cross_moment": c}
    point["label_moment"] = c * c / m * (1 + log_uniform(random, -8, 2))
    return point | dict(zip(("uu", "uw", "ww"), random_gram(random, reach), strict=True))


def core_flow(point: dict) -> fl.GradientFlow:
    network = fl.Network(
        point["width"], **{name: point[name] for name in expected.NETWORK if name != "width"}
    )
    task = fl.Task(*(point[name] for name in expected.TASK))
    return fl.GradientFlow(network, task, fl.Gram(*(point[name] for name in expected.GRAM)))


@pytest.mark.parametrize("reach", [1, 6])
def test_places_on_the_finite_width_diagram(reach):
    random = np.random.default_rng(10 + reach)
    points = [random_point(random, reach) for _ in range(1500)]
    points += [{**point, "cross_moment": 0.0} for point in points[:20]]
    points += [{**point, "cross_moment": 0.0, "uw": 0.0} for point in points[20:40]]
    points += [{**point, "eta_u": 0.0} for point in points[40:60]]
    answers = ask_node([{"what": "locate", "point": point} for point in points])
    regimes = set()
    for point, answer in zip(points, answers, strict=True):
        flow = core_flow(point)
        place = fl.locate(flow.network, flow.task, flow.start)
        for name, mine in PLACE.items():
            close(answer[name], getattr(place, mine))
        assert answer["regime"] == place.regime.value
        exact = exact_drift(flow, point)
        # 2 ulp in v* change v*² − v₀² by this much
        close(answer["drift"], exact, slack=1e-15 * (1 + abs(exact)) * drift_size(flow))
        regimes.add(answer["regime"])
    assert regimes == {regime.value for regime in fl.Regime}


def exact_drift(flow: fl.GradientFlow, point: dict) -> float:
    """Compute K(∞)/K(0) − 1 from the inputs alone, to 60 digits; −1 if the kernel dies."""
    if flow.kernel(np.inf) == 0:
        return -1.0
    exact = {name: Fraction(point[name]) for name in (*expected.TASK, *expected.GRAM)}
    gamma, eta_u, eta_w = (Fraction(point[name]) for name in ("gamma", "eta_u", "eta_w"))
    start = (gamma**2 * (eta_w * exact["uu"] + eta_u * exact["ww"])) ** 2
    target = exact["cross_moment"] / exact["second_moment"]
    squares = target**2 - (gamma * exact["uw"]) ** 2
    square = 1 + 4 * gamma**2 * eta_u * eta_w * squares / start
    with mpmath.workdps(60):
        return float(mpmath.sqrt(mpmath.mpf(square.numerator) / square.denominator) - 1)


def drift_size(flow: fl.GradientFlow) -> float:
    """Bound the drift that v* or v₀ alone would make."""
    network = flow.network
    signal = 2 * network.gamma * math.sqrt(network.eta_u * network.eta_w)
    slope = max(abs(float(flow.slope(0.0))), abs(float(flow.task.target)))
    start, end = (float(flow.kernel(t)) for t in (0.0, np.inf))
    return (signal * slope / start) * (signal * slope / (start + end))


def test_errors_off_the_line():
    random = np.random.default_rng(21)
    points = []
    for _ in range(1500):
        point, moment = random_point(random, 4), log_uniform(random, -3, 3)
        rate = float(core_flow(point).rate)
        t = random.choice([0.0, math.inf, log_uniform(random, -4, 2) / rate])
        points.append((point | {"t": float(t)}, moment))
    asked = [
        {
            "what": "error",
            "moment": moment,
            "point": {**point, "t": str(point["t"]).replace("inf", "Infinity")},
        }
        for point, moment in points
    ]
    for (point, moment), answer in zip(points, ask_node(asked), strict=True):
        flow, t = core_flow(point), point["t"]
        close(answer["onLine"], flow.loss(t), rel=1e-9, slack=SMALLEST)
        parts = fl.error_parts(flow, t, moment)
        close(answer["offLine"], parts.off_line, rel=1e-9)
        close(answer["randomFunction"], parts.random_function, rel=1e-12)
        # the moves along the layer itself and along the other may cancel each other
        close(answer["laziness"], parts.laziness, rel=1e-9, slack=1e-12 * parts.off_line)
        close(answer["total"], fl.generalisation_error(flow, t, moment), rel=1e-9)


def test_ensembles():
    random = np.random.default_rng(31)
    points = []
    for width in [1, 2, 3, 10, 100, 10**4, 10**9, 10**12] * 4:
        point = {n: log_uniform(random, -3, 3) for n in ("gamma", "sigma_u", "sigma_w")}
        point |= {n: log_uniform(random, -3, 3) for n in ("eta_u", "eta_w", "second_moment")}
        c = float(random.choice([-1, 1]) * log_uniform(random, -3, 3))
        label = c * c / point["second_moment"]
        points.append(
            point | {"width": width, "cross_moment": c, "label_moment": label * 2, "count": 128}
        )
    for point, answer in zip(
        points, ask_node([{"what": "ensemble", "point": p} for p in points]), strict=True
    ):
        network = fl.Network(**{name: point[name] for name in expected.NETWORK})
        task = fl.Task(*(point[name] for name in expected.TASK))
        gram = even_starts(network, point["count"])
        flow = fl.GradientFlow(network, task, gram)
        ratio = flow.kernel(np.inf) / flow.kernel(0.0)
        np.testing.assert_allclose(1 + np.array(answer["drift"]), ratio, rtol=1e-10)
        sizes = np.array([drift_size(fl.GradientFlow(network, task, g)) for g in each(gram, 1)])
        off = np.abs(np.array(answer["excursion"]) - flow.outcome.kernel_excursion)
        assert (off <= 1e-10 * flow.outcome.kernel_excursion + 1e-11 * sizes).all()
        # one neuron is aligned with itself, but for the rounding of its Gram matrix
        alignment = flow.alignment(np.inf)
        alignment = np.sign(alignment) if network.width == 1 else alignment
        np.testing.assert_allclose(answer["alignment"], alignment, rtol=1e-8)
        np.testing.assert_allclose(answer["slope"], flow.slope(0.0), rtol=1e-10)
        drift = [
            exact_drift(
                core_flow({**point, "uu": uu, "uw": uw, "ww": ww}),
                {**point, "uu": float(uu), "uw": float(uw), "ww": float(ww)},
            )
            for uu, uw, ww in zip(gram.uu[::16], gram.uw[::16], gram.ww[::16], strict=True)
        ]
        for got, wanted, size in zip(answer["drift"][::16], drift, sizes[::16], strict=True):
            close(got, wanted, rel=1e-10, slack=1e-11 * size)


def each(gram: fl.Gram, stride: int):
    for uu, uw, ww in zip(gram.uu[::stride], gram.uw[::stride], gram.ww[::stride], strict=True):
        yield fl.Gram(uu, uw, ww)


def test_a_move_on_the_map_ends_where_it_should():
    random = np.random.default_rng(7)
    names = ("c_gamma", "c_u", "c_w", "e_u", "e_w")
    known = parameters("phase-diagram")
    asked = []
    for _ in range(500):
        start = {n: float(random.uniform(known[n].min, known[n].max)) for n in names}
        kernel, signal = (float(x) for x in random.uniform(-2, 2, size=2))
        asked.append({"what": "move", "kernel": kernel, "signal": signal, "exponents": start})
    moved = 0
    for request, answer in zip(asked, ask_node(asked), strict=True):
        if answer is None:
            continue
        moved += 1
        before, after = request["exponents"], {**request["exponents"], **answer}
        powers = fl.Scaling(**dict(zip(POWERS, after.values(), strict=True))).exponents()
        close(powers.kernel, request["kernel"], slack=1e-12)
        close(powers.signal, request["signal"], slack=1e-12)
        assert after["c_gamma"] == before["c_gamma"]
        for one, other in (("c_u", "c_w"), ("e_u", "e_w")):
            close(after[one] - after[other], before[one] - before[other], slack=1e-12)
        assert all(known[n].min <= after[n] <= known[n].max for n in names)
    assert 50 < moved < 500


def settings(explorer: str) -> list[dict[str, float]]:
    """Return the defaults, random settings, and corners of the ranges that a reader can reach."""
    random, known = np.random.default_rng(41), parameters(explorer)
    defaults = {name: p.default for name, p in known.items()}

    def setting(place) -> dict[str, float]:
        values = dict(defaults)
        for name, p in known.items():
            if p.max >= 1e12 and name not in ("width", "eta_u", "eta_w"):
                values[name] = p.default * 10 ** random.uniform(-1, 1)  # factors have no ends
                continue
            logarithmic = p.scale == "log"
            low, high = (math.log10(end) if logarithmic else end for end in (p.min, p.max))
            value = low + (high - low) * place()
            value = 10.0**value if logarithmic else value
            values[name] = float(round(value)) if p.integer else value
        return values

    slow = {"quantity", "wrong_labels"} & known.keys()  # many networks, or an integrator
    count = 40 if slow else 200
    places = [lambda: random.uniform()] * count + [lambda: float(random.integers(2))] * count
    return [defaults, *(setting(place) for place in places)]


@pytest.mark.parametrize("explorer", EXPLORERS)
def test_explorers_show_the_numbers_of_the_core(explorer):
    """What a picture shows, and the recipe by which Python computes it again, at every setting."""
    python = Explorer(explorer)
    figure = python.figure
    constants = {name: getattr(figure, name) for name in ("scalings", "draws_u", "draws_w")}
    asked = [
        {"what": "explorer", "explorer": explorer, "values": s, "constants": constants}
        for s in settings(explorer)
    ]
    for request, answer in zip(asked, ask_node(asked), strict=True):
        values, shown = request["values"], answer["parameters"]
        for name, value in values.items():
            setattr(figure, name, value)
        agree(shown, python.parameters())
        for name, number in answer["quantities"].items():
            least = expected.LEAST.get(name, SMALLEST)
            wanted = expected.quantity(name, shown)
            assert float(number) == pytest.approx(wanted, rel=1e-9, abs=least), (name, values)


def agree(shown: dict, wanted: dict) -> None:
    assert shown.keys() == wanted.keys()
    for name, value in wanted.items():
        if isinstance(value, dict):
            agree(shown[name], value)
        elif isinstance(value, list):
            assert shown[name] == pytest.approx(value, rel=1e-12)
        elif isinstance(value, str):
            assert shown[name] == value
        else:
            got = float(str(shown[name]).replace("Infinity", "inf"))
            assert got == pytest.approx(value, rel=1e-12, abs=SMALLEST), name


def test_a_scaling_sets_its_powers():
    figure = explorers.phase_diagram(scaling=fl.SCALINGS["mup"]).figure
    powers = (figure.c_gamma, figure.c_u, figure.c_w, figure.e_u, figure.e_w)
    assert powers == (0.0, -2.0, 0.0, -1.0, 1.0)
    with pytest.raises(TypeError, match="c_u is set by scaling already, got c_u=1 as well"):
        explorers.ensemble(scaling=fl.SCALINGS["mup"], c_u=1)
    with pytest.raises(TypeError, match=r"scaling must be a Scaling, got 'mup'"):
        explorers.ensemble(scaling="mup")


def test_a_choice_is_made_by_name():
    explorer = explorers.ensemble(quantity="initial_slope")
    assert explorer.figure.quantity == 2
    assert explorer.controls["quantity"].index == 2
    assert "quantity='initial_slope'" in repr(explorer)
    with pytest.raises(ValueError, match=r"quantity must be one of kernel_ratio, .*, got 'loss'"):
        explorers.ensemble(quantity="loss")


@pytest.mark.parametrize("count", [0, 1.5, [3, 4]])
def test_a_bad_count_of_starts_is_refused(count):
    with pytest.raises((TypeError, ValueError), match="count must be"):
        even_starts(fl.Network(3), count)


def test_starts_are_of_one_network():
    with pytest.raises(ValueError, match="network must be one network"):
        even_starts(fl.Network(np.array([3, 4])))
    with pytest.raises(TypeError, match="network must be a Network"):
        even_starts(3)

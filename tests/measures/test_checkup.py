"""The check-up from plain arrays: verdict, distance, what it refuses, what it says."""

import math

import numpy as np
import pytest

import flbook as fl

N = 32


def make(error=0.3, growth=2.0, **more):
    """Return a check-up of outputs that moved by 1, with a given error and kernel growth."""
    given = {
        "outputs_before": np.zeros((N, 1)),
        "outputs_after": np.ones((N, 1)),
        "linear_change": np.full((N, 1), 1 - error),
        "kernel_before": np.eye(N),
        "kernel_after": growth * np.eye(N),
    }
    return fl.Checkup.from_arrays(**(given | more))


@pytest.mark.parametrize(
    ("growth", "wanted"),
    [(1.0099, "lazy"), (1.0101, "in between"), (1.414, "in between"), (1.415, "rich")],
)
def test_the_verdict_is_that_of_the_map(growth, wanted):
    """Lazy up to 1 % of kernel growth, rich from the crossover √2 on, read off the error alone."""
    assert make(1 - math.sqrt(2 / (1 + growth)), growth).verdict == wanted


def test_the_distance_is_one_at_the_boundary_and_falls_with_the_error():
    errors = [0.0001, 0.001, 0.01, 0.0898, 0.3, 0.9, 0.99]
    distances = [make(error).distance for error in errors]
    assert distances == sorted(distances)
    assert distances[3] == pytest.approx(1, rel=1e-2)
    assert make(1.2).distance == math.inf
    assert "more than this ruler reads" in str(make(1.2))


def test_no_distance_where_the_start_is_as_large_as_the_change():
    """An output scale would enlarge both."""
    still = {"outputs_before": np.ones((N, 1)), "outputs_after": np.full((N, 1), 2.0)}
    result = make(**still)
    assert result.distance is None
    assert "f − f₀ would tell" in str(result)
    assert make(outputs_before=np.full((N, 1), 0.1)).distance is not None


def test_the_largest_value_on_the_way_decides():
    far = (np.ones((N, 1)), np.full((N, 1), 0.5), 3 * np.eye(N))
    result = make(0.001, 1.0, checkpoints=[far])
    assert result.linearisation_error == pytest.approx(0.001)
    assert (result.verdict, make(0.001, 1.0).verdict) == ("rich", "lazy")
    assert result.largest.kernel_change == pytest.approx(2)
    assert "on the way" in str(result)


def test_a_checkpoint_before_the_first_step_is_no_error():
    start = (np.zeros((N, 1)), np.zeros((N, 1)), np.eye(N))
    assert make(0.001, 1.0, checkpoints=[start]).verdict == "lazy"


def layers(angle, size):
    lower, upper = np.array([[1.0], [0.0]]), np.array([[math.cos(angle), math.sin(angle)]])
    return [("w", "u", size * lower, size * upper)]


@pytest.mark.parametrize(
    ("before", "after", "wanted"),
    [
        ((1.5, 1.0), (0.1, 1.1), "alignment"),
        ((0.1, 1.0), (1.5, 1.1), "disalignment"),
        ((1.0, 1.0), (0.9, 3.0), "rescaling"),
    ],
)
def test_mechanisms_by_layers(before, after, wanted):
    pairs = {"pairs_before": layers(*before), "pairs_after": layers(*after)}
    assert make(**pairs).mechanism == wanted
    assert make(0.001, 1.0, **pairs).mechanism == "kernel"


def test_a_layer_that_starts_at_zero_can_only_align():
    zero = [("w", "u", np.ones((2, 1)), np.zeros((1, 2)))]
    assert make(pairs_before=zero, pairs_after=layers(0.1, 1.0)).mechanism == "alignment"


def test_mechanisms_without_layers():
    assert make(growth=3.0).mechanism == "rescaling"
    assert make(kernel_after=np.diag(np.arange(N) % 2)).mechanism == "turning"


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"outputs_after": np.zeros((N, 1))}, "outputs_after must differ"),
        ({"outputs_after": np.ones((N, 2))}, r"outputs_after must have the shape"),
        (
            {"linear_change": np.full((N, 1), np.nan)},
            r"linear_change_after must be finite.*\(0, 0\)",
        ),
        ({"kernel_before": np.eye(3)}, "kernel_before must have the shape"),
        ({"kernel_after": np.eye(3)}, "kernel_after must have the shape"),
        ({"outputs_before": np.zeros((1, 1))}, "two or more inputs"),
        ({"y": [1, 2]}, "y must have a row for each of the 32 inputs, got 2"),
        ({"weights": {"w": ([1.0], [np.inf])}}, "w must be finite"),
        (
            {"pairs_before": [("a", "b", np.eye(2), np.eye(3))], "pairs_after": layers(0, 1)},
            "matrices .* that fit",
        ),
    ],
)
def test_what_is_refused(more, words):
    with pytest.raises(ValueError, match=words):
        make(**more)


def test_doubts():
    assert make().doubts == ()
    few = fl.Checkup.from_arrays(
        outputs_before=[0.0, 0.0],
        outputs_after=[1.0, 2.0],
        linear_change=[1.0, 1.0],
        kernel_before=np.eye(2),
        kernel_after=np.eye(2),
    )
    assert "only 2 probe inputs" in few.doubts[0]
    assert "do not call it lazy" in make(0.001, 2.0).doubts[0]
    single = make(
        0.001,
        1.0,
        outputs_before=np.full((N, 1), 1e4),
        outputs_after=np.full((N, 1), 1e4 + 1),
        precision=1.2e-7,
    )
    assert "rounding" in single.doubts[0]
    assert "in doubt: of mine" in str(make(doubts=["of mine"]))


def test_the_report_is_short_and_the_table_has_a_row_for_each_layer():
    result = make(
        weights={f"w{i}": (np.ones(3), np.full(3, 1.5)) for i in range(20)},
        features={"w1": (np.ones((N, 4)), np.full((N, 4), 3.0))},
        pairs_before=layers(1.0, 1.0),
        pairs_after=layers(0.1, 1.0),
        y=np.arange(N) % 3,
        doubts=[f"doubt {i}" for i in range(9)],
    )
    assert len(str(result).splitlines()) <= 15
    assert max(map(len, str(result).splitlines())) < 170
    table = result.table()
    assert table.column("layer")[:20] == [f"w{i}" for i in range(20)]
    assert table[1]["weight_change"] == pytest.approx(0.5)
    assert (table[1]["feature_change"], table[1]["coordinate_change"]) == (2.0, 2.0)
    assert table[0]["feature_change"] is None
    assert len(str(table).splitlines()) == len(table) + 1
    assert table._repr_html_().count("<tr>") == len(table) + 1


def test_over_widths():
    def at(width):
        hidden = np.ones((N, 2))
        return make(2 / math.sqrt(width), 1.1, features={"top": (hidden, hidden + 3 / width)})

    sweep = fl.checkup_widths(at, [100, 400, 1600])
    assert sweep.power == pytest.approx(-0.5)
    assert sweep.table().column("width") == [100, 400, 1600]
    assert sweep.layers()[0] == pytest.approx(
        {"layer": "top", "100": 0.03, "400": 0.0075, "1600": 0.001875}
    )
    with pytest.raises(ValueError, match="measure must be one of"):
        sweep.layers("size")
    with pytest.raises(ValueError, match="different widths"):
        fl.checkup_widths(at, [2, 2])

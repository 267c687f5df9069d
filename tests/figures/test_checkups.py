"""The pictures of check-ups show the numbers of the check-up."""

import math

import numpy as np
import pytest

import flbook as fl
from flbook import figures

N = 32


def make(error=0.3, angles=(), **more):
    pairs = {
        name: [("w", "u", [[1.0], [0.0]], [[math.cos(angle), math.sin(angle)]])]
        for name, angle in zip(("pairs_before", "pairs_after"), angles, strict=False)
    }
    return fl.Checkup.from_arrays(
        outputs_before=np.zeros(N),
        outputs_after=np.ones(N),
        linear_change=np.full(N, 1 - error),
        kernel_before=np.eye(N),
        kernel_after=1.1 * np.eye(N),
        **pairs,
        **more,
    )


def test_one_checkup():
    result = make(angles=(1.0, 0.1), weights={"w": ([1.0], [2.0]), "still": ([1.0], [1.0])})
    changes, alignments = result.figure().axes
    assert list(changes.lines[0].get_xdata()) == [1.0]
    assert [label.get_text() for label in changes.get_yticklabels()] == ["w", "still"]
    ends = [line.get_xdata()[0] for line in alignments.lines[:3]]
    assert ends == pytest.approx([math.cos(1), math.cos(0.1), 1 / math.sqrt(2)])


def test_without_pairs_there_is_one_panel():
    figure = make().figure()
    assert len(figure.axes) == 1
    assert "rich" in figure.get_suptitle()


def test_over_widths():
    def at(width):
        hidden = np.ones((N, 2))
        return make(2 / math.sqrt(width), features={"top": (hidden, hidden + 3 / width)})

    left, right = fl.checkup_widths(at, [100, 400, 1600]).figure().axes
    assert left.lines[0].get_ydata() == pytest.approx([0.2, 0.1, 0.05])
    assert right.lines[0].get_ydata() == pytest.approx([0.03, 0.0075, 0.001875])


@pytest.mark.parametrize("draw", [figures.layer_changes, figures.layer_alignments])
def test_wrong_types(ax, draw):
    with pytest.raises(TypeError, match="checkup must be a Checkup"):
        draw(ax, 1.0)

"""What holds for every drawing function of `flbook.figures`, found by its first argument."""

import inspect

import pytest
from drawing import FLOW, NETWORK, TIMES, U, W
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

import flbook as fl
from flbook import figures

SIGNATURES = {
    name: inspect.signature(thing)
    for name, thing in vars(figures).items()
    if name in figures.__all__ and inspect.isfunction(thing)
}
DRAWING = sorted(name for name, found in SIGNATURES.items() if "ax" in found.parameters)
CHECKUP = fl.Checkup(
    64,
    *(0.3, 1.0, 0.01, 2.0, 9.0),
    weight_change={"w": 0.5},
    alignment=(fl.LayerAlignment("w", "u", 0.1, 0.4, 0.1, 2.0),),
)
# One legal value for each word that the functions ask for.
VALUES = {
    "x": [1.0, 2.0],
    "y": [3.0, 5.0],
    "low": [0.0, 1.0],
    "high": [1.0, 1.5],
    "t": TIMES,
    "dynamics": FLOW,
    "quantity": "kernel",
    "value": 0.5,
    "slope": 0.5,
    "reach": (-1.0, 1.0),
    "network": NETWORK,
    "start": (U, W),
    "end": (U, W),
    "before": fl.Gram(1.0, 0.0, 1.0),
    "after": fl.Gram(1.0, 0.5, 1.0),
    "x_range": (0.1, 10.0),
    "y_range": (0.1, 10.0),
    "checkup": CHECKUP,
    "sweep": fl.WidthCheckup((64, 128), (CHECKUP, CHECKUP)),
}


def required(name) -> list[str]:
    """Name what a function cannot do without, after its axes."""
    return [
        word
        for word, parameter in list(SIGNATURES[name].parameters.items())[1:]
        if parameter.default is parameter.empty and parameter.kind is not parameter.VAR_KEYWORD
    ]


def takes(name, word) -> bool:
    """Tell whether a function takes `word`, itself or to hand it on to `curve`."""
    parameters = SIGNATURES[name].parameters
    return word in parameters or (
        word in SIGNATURES["curve"].parameters
        and any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values())
    )


def draw(name, ax, **more):
    return getattr(figures, name)(ax, *(VALUES[word] for word in required(name)), **more)


def test_there_is_something_to_draw():
    assert len(DRAWING) >= 10


@pytest.mark.parametrize("name", DRAWING)
def test_it_draws_on_the_axes_it_is_given_and_returns_them(name, ax):
    assert draw(name, ax) is ax
    assert ax.lines or ax.collections
    assert ax.figure.axes == [ax]


@pytest.mark.parametrize("name", DRAWING)
def test_what_is_not_an_axes_is_refused_before_anything_else(name):
    with pytest.raises(TypeError, match="ax must be an Axes, got <Figure"):
        getattr(figures, name)(Figure(), *(None for _ in required(name)))


@pytest.mark.parametrize("name", [name for name in DRAWING if takes(name, "role")])
def test_a_role_sets_the_colour_and_must_be_known(name, ax):
    draw(name, ax, role="feature_text")
    shades = [line.get_color() for line in ax.lines]
    shades += [to_hex(shade.get_facecolor()[0]) for shade in ax.collections]
    assert figures.PALETTE["feature_text"] in [shade.upper() for shade in shades]
    with pytest.raises(ValueError, match=r"role must be one of 'kernel', .*, got 'mauve'"):
        draw(name, ax, role="mauve")


@pytest.mark.parametrize("name", [name for name in DRAWING if takes(name, "label")])
def test_a_label_is_written_once_at_its_offset(name, ax):
    draw(name, ax)
    assert not ax.texts
    draw(name, ax, label="it", offset=(3.0, -2.0))
    (text,) = ax.texts
    assert text.get_text() == "it"
    assert text.get_position() == (3.0, -2.0)


@pytest.mark.parametrize("name", sorted(SIGNATURES))
def test_every_function_has_an_example(name):
    assert ">>>" in inspect.getdoc(getattr(figures, name))

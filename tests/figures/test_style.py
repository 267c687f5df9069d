"""The look of the figures: one palette, and a style that has no other colours."""

import json
from pathlib import Path

import matplotlib
import numpy as np
import pytest

import flbook as fl
from flbook import figures

SHARED = Path(fl.__file__).parent / "shared"


def contrast(colour: str, other: str) -> float:
    """Contrast ratio of two colours by the definition of WCAG 2."""

    def luminance(hex_colour):
        parts = [int(hex_colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return float(np.dot([0.2126, 0.7152, 0.0722], linear))

    light, dark = sorted((luminance(colour), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_the_palette_is_the_shared_one():
    shared = json.loads((SHARED / "palette.json").read_text(encoding="utf-8"))
    assert {role: colours["light"] for role, colours in shared.items()} == figures.PALETTE
    assert figures.PALETTE["kernel"].upper() == "#0072B2"
    assert figures.PALETTE["feature"].upper() == "#D55E00"


def test_label_colours_can_be_read_on_white():
    for role in ("kernel", "feature"):
        assert contrast(figures.PALETTE[f"{role}_text"], "#FFFFFF") >= 4.5
    for role in ("ink", "muted", "guide"):
        assert contrast(figures.PALETTE[role], "#FFFFFF") >= 4.5


def test_the_style_is_set_and_all_of_it_is_kept():
    with matplotlib.rc_context():
        figures.use_style()
        for name, value in figures.STYLE.items():
            kept = matplotlib.rcParams[name]
            assert (tuple(kept) if isinstance(value, tuple) else kept) == value, name


@pytest.mark.parametrize("name", [name for name in figures.STYLE if name.endswith("color")])
def test_every_colour_of_the_style_is_one_of_the_palette(name):
    assert figures.STYLE[name] in figures.PALETTE.values()

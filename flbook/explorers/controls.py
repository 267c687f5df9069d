"""The standard ipywidgets control of a parameter: a slider, perhaps of levels, or a menu."""

from __future__ import annotations

from typing import Any

import ipywidgets
import numpy as np

from flbook.explorers.catalogue import Parameter

__all__ = ["control", "setting"]


def control(parameter: Parameter, value: float) -> ipywidgets.DOMWidget:
    """Return the control of `parameter`, set to `value`.

    A slider has no step, so that it keeps any value it is given.

    Examples
    --------
    >>> from flbook.explorers import parameters
    >>> control(parameters("half-plane")["uw"], 0.3).description
    'overlap of the layers at the start u·w'
    """
    common: dict[str, Any] = {"description": parameter.description, "layout": {"width": "auto"}}
    if parameter.options:
        kind = ipywidgets.SelectionSlider if parameter.scale == "levels" else ipywidgets.Dropdown
        widget = kind(options=list(parameter.options.values()), index=int(value), **common)
    else:
        widget = _slider(parameter, value, readout_format=parameter.format, **common)
    widget.add_class(f"flbook-parameter-{parameter.name}")
    return widget


def setting(widget: ipywidgets.DOMWidget) -> str:
    """Name the trait of a control that the browser knows as a number."""
    return "index" if hasattr(widget, "index") else "value"


def _slider(parameter: Parameter, value: float, **common: Any) -> ipywidgets.DOMWidget:
    if parameter.scale == "log":
        low, high = _exponent(parameter.min), _exponent(parameter.max)
        return ipywidgets.FloatLogSlider(value=value, min=low, max=high, step=None, **common)
    if parameter.integer:
        low, high = int(parameter.min), int(parameter.max)
        return ipywidgets.IntSlider(value=int(value), min=low, max=high, **common)
    return ipywidgets.FloatSlider(
        value=value, min=parameter.min, max=parameter.max, step=None, **common
    )


def _exponent(value: float) -> int:
    exponent = round(np.log10(value))
    if not np.isclose(10.0**exponent, value, rtol=1e-12):
        raise ValueError(f"a logarithmic slider must run between powers of 10, got {value:g}")
    return exponent

"""What the Python core says of the numbers that an explorer shows."""

import numpy as np

import flbook as fl

NETWORK = ("width", "gamma", "sigma_u", "sigma_w", "eta_u", "eta_w")
TASK = ("second_moment", "cross_moment", "label_moment")
GRAM = ("uu", "uw", "ww")


def quantity(name: str, parameters: dict) -> float:
    """Compute the quantity `name`, such as ``kernel_flow.slope`` or ``alignment@inf``."""
    name, _, moment = name.partition("@")
    t = {"": parameters.get("t"), "0": 0.0, "inf": np.inf}[moment]
    dynamics, _, name = name.rpartition(".")
    network = fl.Network(**{key: parameters[key] for key in NETWORK})
    task = fl.Task(*(parameters[key] for key in TASK))
    gram = fl.Gram(*(parameters[key] for key in GRAM))
    kind = {
        "": fl.GradientFlow,
        "kernel_flow": fl.KernelFlow,
        "gradient_descent": fl.GradientDescent,
    }
    flow = kind[dynamics](network, task, gram)
    t = np.inf if t in ("Infinity", None) else t
    if name == "kernel_ratio":
        return float(flow.kernel(t) / flow.kernel(0.0))
    if name in ("uu", "uw", "ww"):
        return float(getattr(flow.gram(t), name))
    value = getattr(flow, name)
    return float(value(t) if callable(value) else value)

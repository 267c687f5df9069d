"""The face of the package: names and parameters that other people's code may rely on."""

import inspect

import pytest

import flbook as fl
from flbook import explorers, figures

PROMISED = {
    "Task": ("second_moment", "cross_moment", "label_moment"),
    "Task.from_data": ("x", "y"),
    "Task.target": None,
    "Network": ("width", "gamma", "sigma_u", "sigma_w", "eta_u", "eta_w"),
    "Network.sample_gram": ("size", "seed"),
    "Network.sample_weights": ("seed",),
    "Gram": ("uu", "uw", "ww"),
    "Gram.from_weights": ("u", "w"),
    "Gram.alignment": None,
    "Gram.determinant": None,
    "Gram.norm_product": None,
    "GradientFlow": ("network", "task", "gram"),
    "KernelFlow": ("network", "task", "gram"),
    "GradientDescent": ("network", "task", "gram"),
    **{
        f"{kind}.{name}": ("t",)
        for kind in ("GradientFlow", "KernelFlow", "GradientDescent")
        for name in ("at", "slope", "residual", "loss", "kernel")
    },
    **{
        f"{kind}.{name}": ("t",)
        for kind in ("GradientFlow", "GradientDescent")
        for name in ("gram", "alignment", "kernel_alignment", "imbalance", "determinant")
    },
    "GradientFlow.weights": ("t", "u0", "w0"),
    "GradientFlow.rate": None,
    "GradientFlow.kernel_floor": None,
    "Scaling": ("gamma", "sigma2_u", "sigma2_w", "eta_u", "eta_w", "width"),
    "Scaling.at_width": ("d",),
    "Scaling.at_scale": ("kappa", "base_width"),
    "Scaling.exponents": (),
    "Scaling.phase": (),
    "Scaling.speed": (),
    "decompose": ("before", "after"),
    "checkup": (
        *("before", "after", "x", "y"),
        *("f", "checkpoints", "outputs", "batch_size", "seed"),
    ),
    "Checkup.from_arrays": None,
    **{
        f"Checkup.{name}": None
        for name in (
            *("linearisation_error", "kernel_change", "kernel_rotation", "weight_change"),
            *("feature_change", "alignment", "label_alignment", "verdict", "distance", "advice"),
        )
    },
    "Checkup.table": (),
    "Checkup.figure": (),
}


def parameters(thing) -> tuple[str, ...]:
    return tuple(name for name in inspect.signature(thing).parameters if name != "self")


@pytest.mark.parametrize(("name", "wanted"), PROMISED.items(), ids=PROMISED)
def test_what_is_promised_is_there(name, wanted):
    thing = fl
    for part in name.split("."):
        thing = getattr(thing, part, None) or getattr(thing, "__dataclass_fields__", {}).get(part)
        assert thing is not None, f"fl.{name} is gone"
    if wanted is not None:
        assert parameters(thing)[: len(wanted)] == wanted


def test_the_named_scalings_and_phases():
    assert {"ntk", "mean_field", "mup", "kaiming", "xavier", "standard"} <= set(fl.SCALINGS)
    phases = {"KERNEL", "FEATURE_CRITICAL", "FEATURE_VANISHING", "FEATURE_UNLEARNING"}
    assert {phase.name for phase in fl.Phase} == phases
    assert fl.SCALINGS["ntk"].speed() == "learning"
    assert set(fl.Exponents._fields) == {"signal", "kernel", "alignment", "initial_slope", "rate"}


def test_everything_that_is_shown_exists():
    for module in (fl, figures, explorers):
        for name in module.__all__:
            assert hasattr(module, name), f"{module.__name__}.{name}"
    assert fl.GradientFlow(fl.Network(2), fl.Task(1, 1, 1), fl.Gram(1, 0, 1)).start == fl.Gram(
        1, 0, 1
    )

"""The explorers' Python side: starting values, traits, controls, links, shared files."""

import inspect
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import get_type_hints

import ipywidgets
import numpy as np
import pytest
import traitlets
from tables import COMPUTING, WITH_A_TASK, given_to

import flbook as fl
from flbook import explorers
from flbook.explorers import Explorer, parameters

PACKAGE = Path(fl.__file__).parent
FRONTEND = PACKAGE.parent / "frontend" / "src"


def shared(name):
    return json.loads((PACKAGE / "shared" / f"{name}.json").read_text(encoding="utf-8"))


CATALOGUE, PRESETS, POWERS = shared("explorers"), shared("presets"), shared("terms")["powers"]
OPENING = [
    function
    for function in (getattr(explorers, name) for name in explorers.__all__)
    if inspect.isfunction(function) and get_type_hints(function)["return"] is Explorer
]
FUNCTIONS = {function.__name__.replace("_", "-"): function for function in OPENING}
every_explorer = pytest.mark.parametrize("name", CATALOGUE)
every_solver = pytest.mark.parametrize("name", COMPUTING)


@pytest.fixture(params=CATALOGUE)
def explorer(request):
    return FUNCTIONS[request.param](**given_to(request.param))


def setting(control) -> str:
    """Name the trait of a control that is a number."""
    return "index" if hasattr(control, "options") else "value"


def test_every_explorer_of_the_catalogue_has_its_function():
    assert sorted(FUNCTIONS) == sorted(CATALOGUE)
    assert len(OPENING) == len(FUNCTIONS)


def test_it_is_a_box_with_a_figure_and_controls(explorer):
    assert isinstance(explorer, ipywidgets.VBox)
    assert explorer.children[0] is explorer.figure
    assert "flbook-explorer" in explorer._dom_classes
    entry = CATALOGUE[explorer.figure.explorer]
    assert list(explorer.controls) == [*entry["controls"], *entry["more"]]
    in_sight = explorer.children[1].children
    assert 1 <= len(in_sight) <= 4
    assert [explorer.controls[name] for name in entry["controls"]] == list(in_sight)


def test_the_rest_of_the_controls_is_behind_more(explorer):
    rest = CATALOGUE[explorer.figure.explorer]["more"]
    assert len(explorer.children) == 2 + bool(rest)
    for more in explorer.children[2:]:
        assert isinstance(more, ipywidgets.Accordion)
        assert more.titles == ("More",)
        assert more.selected_index is None
        (rows,) = more.children
        assert list(rows.children) == [explorer.controls[name] for name in rest]


def test_every_control_is_linked_to_its_trait_in_the_browser(explorer):
    linked = {(link.source, link.target) for link in explorer.links}
    assert linked == {
        ((control, setting(control)), (explorer.figure, name))
        for name, control in explorer.controls.items()
    }
    assert all(type(link) is ipywidgets.widgets.widget_link.Link for link in explorer.links)


def test_controls_and_figure_start_at_the_same_values(explorer):
    for name, control in explorer.controls.items():
        shown = getattr(control, setting(control))
        assert shown == pytest.approx(getattr(explorer.figure, name), rel=1e-12)
    assert explorer.figure.opening == {
        name: getattr(explorer.figure, name) for name in parameters(explorer.figure.explorer)
    }


def test_every_control_has_a_name_of_its_own(explorer):
    names = [control.description for control in explorer.controls.values()]
    assert all(names)
    assert len(set(names)) == len(names)
    assert not any(re.search(r"[\\$]", name) for name in names)


def test_all_parameters_reach_the_browser(explorer):
    state = explorer.figure.get_state()
    for name in parameters(explorer.figure.explorer):
        assert isinstance(state[name], float)


@every_explorer
def test_a_function_says_what_it_shows_and_all_of_its_parameters(name):
    text = inspect.getdoc(FUNCTIONS[name])
    assert re.match(r"Show .*\.\n", text)
    assert f"Explorer({name!r}, " in text
    for parameter in parameters(name).values():
        assert f"\n{parameter.name} : {parameter.allowed}, default " in text
        assert f"\n    {parameter.label}" in text and parameter.symbol in text


@every_solver
def test_a_function_takes_a_scaling_where_its_explorer_has_the_powers(name):
    takes = "scaling" in inspect.signature(FUNCTIONS[name]).parameters
    assert takes == (POWERS.keys() <= parameters(name).keys())
    if takes:
        scaling = fl.Scaling(
            0, -2, 0, -1, 1, factors=fl.Factors(2.0, 3.0, 4.0, 5.0, 6.0), fan_offset=1
        )
        figure = FUNCTIONS[name](scaling=scaling).figure
        for power, field in POWERS.items():
            assert getattr(figure, power) == getattr(scaling, field)
            assert getattr(figure, f"{field}_factor") == getattr(scaling.factors, field)
        assert figure.fan_offset == 1
        limits = [fl.Scaling(0, 1, 1, 0, 0, width=power) for power in (0, 0.5, 2)]
        beside = {"kappa": 1e4} if "kappa" in parameters(name) else {}
        if beside:
            assert FUNCTIONS[name](scaling=limits[0], **beside).figure.kappa == 1e4
            with pytest.raises(ValueError, match="kappa must be above 1 for a scaling at a fixed"):
                FUNCTIONS[name](scaling=limits[0])
            with pytest.raises(ValueError, match="got width=1 and kappa=10000"):
                FUNCTIONS[name](scaling=scaling, **beside)
        for limit in limits[len(beside) :]:
            refusal = rf"powers of the width \(width=1\), got width={limit.width:g}"
            with pytest.raises(ValueError, match=refusal):
                FUNCTIONS[name](scaling=limit)
    else:
        with pytest.raises(TypeError, match=f"c_gamma is not a parameter of the explorer '{name}'"):
            Explorer(name, scaling=fl.SCALINGS["mup"])


def test_the_repr_tells_the_start_and_nothing_of_this_session():
    first, second = explorers.initial_scale(sigma=0.1), explorers.initial_scale(sigma=0.1)
    assert repr(first) == repr(second)
    assert repr(first).startswith("Explorer('initial-scale', sigma=0.1, ")
    assert "0x" not in repr(first)
    assert repr(first.figure) == "Figure('initial-scale')"


def test_starting_values_are_taken():
    explorer = explorers.every_knob(width=10**12, gamma=1e-6, overlap=-1)
    assert explorer.figure.width == 1e12
    assert explorer.figure.gamma == 1e-6
    assert explorer.controls["overlap"].value == -1
    assert explorers.neuron_plane(width=5).controls["width"].value == 5


def test_a_start_off_the_grid_of_its_slider_is_kept():
    assert explorers.initial_scale(target=0.5864501).controls["target"].value == 0.5864501
    assert explorers.initial_scale(sigma=0.123).controls["sigma"].value == 0.123


@pytest.mark.parametrize(
    ("start", "error", "message"),
    [
        ({"sigma": 20}, ValueError, "sigma must be from 0.001 to 10, got 20"),
        ({"sigma": float("nan")}, ValueError, "sigma must be from 0.001 to 10, got nan"),
        ({"sigma": "large"}, TypeError, "sigma must be a real number, got 'large'"),
        ({"sigma": True}, TypeError, "sigma must be a real number, got True"),
        ({"width": 10.5}, ValueError, "width must be a whole number from 10 to 1e+06, got 10.5"),
        ({"clock": -0.1}, ValueError, "clock must be from 0 to 1, got -0.1"),
        ({"sigmma": 1}, TypeError, "sigmma is not a parameter of the explorer 'initial-scale'"),
        ({"task": 1.0}, TypeError, "task must be a Task, got 1.0"),
    ],
)
def test_a_bad_start_is_refused(start, error, message):
    with pytest.raises(error, match=re.escape(message)):
        explorers.initial_scale(**start)


def test_an_unknown_explorer_is_refused():
    with pytest.raises(ValueError, match=r"name must be one of initial-scale, .*, got 'scale'"):
        Explorer("scale")
    with pytest.raises(ValueError, match=r"name must be one of initial-scale, .*, got 'scale'"):
        parameters("scale")


@pytest.mark.parametrize("name", WITH_A_TASK)
def test_a_task_sets_its_moments(name):
    task = fl.Task(second_moment=2.0, cross_moment=1.0, label_moment=1.0)
    figure = FUNCTIONS[name](task=task).figure
    assert (figure.target, figure.second_moment, figure.noise) == (0.5, 2.0, 0.5)
    again = fl.Task(2.0, 2.0 * figure.target, 2.0 * figure.target**2 + figure.noise)
    assert again == task


def test_an_explorer_with_examples_of_its_own_takes_no_task():
    with pytest.raises(TypeError, match="target is not a parameter of the explorer 'any-loss'"):
        explorers.any_loss(task=fl.Task(1.0, 0.5, 1.0))


def test_a_task_and_what_it_sets_exclude_each_other():
    with pytest.raises(TypeError, match="target is set by task already, got target=1 as well"):
        explorers.initial_scale(task=fl.Task(1.0, 0.5, 1.0), target=1)


def test_several_tasks_are_refused():
    with pytest.raises(
        ValueError, match=re.escape("task must be a single one, got task of shape (2,)")
    ):
        explorers.initial_scale(task=fl.Task(np.array([1.0, 2.0]), 0.5, 1.0))


@pytest.mark.parametrize("value", [float("nan"), -1.0, 11.0, "one"])
def test_a_trait_takes_nothing_out_of_range(value):
    figure = explorers.initial_scale().figure
    with pytest.raises(traitlets.TraitError, match="sigma"):
        figure.sigma = value


def test_a_trait_takes_the_ends_of_its_range_as_the_browser_rounds_them():
    figure = explorers.every_knob().figure
    figure.gamma = 1e-12 * (1 - 1e-15)
    assert figure.gamma < 1e-12


def test_all_explorers_carry_the_same_front_end():
    figures = [function(**given_to(name)).figure for name, function in FUNCTIONS.items()]
    assert len({figure._esm for figure in figures}) == 1
    assert len({figure._css for figure in figures}) == 1
    assert "export" in figures[0]._esm
    assert ".flb" in figures[0]._css


def test_the_front_end_asks_no_host_for_anything():
    figure = explorers.initial_scale().figure
    addresses = set(re.findall(r"https?://[^\"'`\s)]+", figure._esm + figure._css))
    assert addresses == {"http://www.w3.org/2000/svg"}


def test_without_the_bundle_the_error_names_the_cure(tmp_path):
    unbuilt = shutil.ignore_patterns("bundle", "__pycache__")
    shutil.copytree(PACKAGE, tmp_path / "flbook", ignore=unbuilt)
    run = subprocess.run(
        [sys.executable, "-c", "from flbook import explorers; explorers.initial_scale()"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert re.search(r"^FileNotFoundError: .*`python frontend/bundle\.py`", run.stderr, re.M)


def test_the_neurons_are_drawn_once_and_for_all():
    one, other = (explorers.neuron_plane().figure for _ in range(2))
    assert one.draws_u == other.draws_u
    assert len(one.draws_u) == len(one.draws_w) == parameters("neuron-plane")["width"].max
    draws = np.array([one.draws_u, one.draws_w])
    assert abs(draws.mean()) < 0.2
    assert abs(draws.std() - 1) < 0.15


def powers_of(preset) -> fl.Scaling | None:
    """Return the parametrisation that a preset sets, if it does."""
    if "scaling" in preset:
        return fl.SCALINGS[preset["scaling"]]
    return fl.Scaling(**preset["exponents"]) if "exponents" in preset else None


def test_the_figure_holds_every_scaling_as_plain_numbers(explorer):
    sent = json.loads(json.dumps(explorer.figure.scalings))
    assert set(sent) == set(fl.SCALINGS)
    for name, scaling in sent.items():
        scaling["factors"] = fl.Factors(**scaling["factors"])
        assert fl.Scaling(**scaling) == fl.SCALINGS[name]


@every_explorer
def test_presets_set_what_their_explorer_has_and_stay_in_its_range(name):
    known = parameters(name)
    for preset in map(PRESETS.get, CATALOGUE[name]["presets"]):
        assert preset["label"] and preset["meaning"]
        scaling = powers_of(preset)
        if scaling is None:
            # "crossover" is the scale at which this task and width leave the kernel regime
            values = preset["values"] if "values" in preset else {"sigma": preset["crossover"]}
            for parameter, value in values.items():
                known[parameter].check(value)
            continue
        if "gamma" not in known:
            FUNCTIONS[name](scaling=scaling)
            continue
        for width in (known["width"].min, known["width"].max):
            network = scaling.at_width(int(width))
            for parameter in ("gamma", "sigma_u", "sigma_w", "eta_u", "eta_w"):
                low, high = known[parameter].min, known[parameter].max
                assert low * (1 - 1e-9) <= getattr(network, parameter) <= high * (1 + 1e-9)


def test_the_tiny_start_is_a_vanishing_one():
    assert powers_of(PRESETS["tiny"]).phase() is fl.Phase.FEATURE_VANISHING


@every_explorer
def test_every_explorer_of_the_catalogue_is_whole(name):
    entry = CATALOGUE[name]
    assert 1 <= len(entry["controls"]) <= 4
    assert entry["time"] is None or entry["time"] in parameters(name)
    for parameter in parameters(name).values():
        assert parameter.check(parameter.default) == parameter.default
        assert parameter.scale in ("log", "linear", "choice", "levels")
    assert set(entry["parameters"]) <= set(parameters(name))
    assert set(entry["presets"]) <= set(PRESETS)
    assert any(f'"{name}"' in file.read_text() for file in (FRONTEND / "explorers").glob("*.js"))


def test_every_preset_is_offered_by_an_explorer():
    assert set(PRESETS) == {preset for entry in CATALOGUE.values() for preset in entry["presets"]}


def test_every_shown_quantity_has_words():
    for quantity in shared("quantities").values():
        assert {"label", "symbol", "meaning"} <= set(quantity)

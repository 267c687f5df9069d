"""Every explorer on every chapter page: alive without a kernel, and right."""

import json
from itertools import pairwise

import pytest
from expected import LEAST, quantity
from site_visit import explorers_in, notebook_pages
from tables import BROWSING
from tables import quantity as in_table

CHAPTERS = notebook_pages()
# shares of log|v| are differences of logarithms: below this they are rounding
ROUNDED_SHARE = 1e-12


def numbers(explorer) -> dict[str, float]:
    """Read the numbers that an explorer shows."""
    return explorer.evaluate(
        """root => Object.fromEntries([...root.querySelectorAll("output[data-quantity]")]
          .map((o) => [o.dataset.quantity, o.dataset.value]))"""
    )


def parameters(explorer) -> dict:
    return json.loads(explorer.get_attribute("data-parameters"))


def assert_right(explorer):
    """Assert that every number shown is the Python core's."""
    shown, name = numbers(explorer), explorer.get_attribute("data-flbook-explorer")
    if name in BROWSING:
        for key, value in shown.items():
            wanted = in_table(name, key, parameters(explorer))
            assert float(value) == pytest.approx(wanted, rel=1e-9, nan_ok=True), (name, key)
        return
    # of one neuron the slope is a vector, and it is the kernel that turns
    ruling = {"slope", "alignment"} if "width" in parameters(explorer) else {"kernel_rotation"}
    assert ruling <= {name.partition("@")[0] for name in shown}
    assert any(name.startswith("kernel_ratio") for name in shown)
    for name, value in shown.items():
        least = ROUNDED_SHARE if name.endswith("_share") else LEAST.get(name, 1e-300)
        assert float(value) == pytest.approx(
            quantity(name, parameters(explorer)), rel=1e-9, abs=least, nan_ok=False
        ), (name, explorer.get_attribute("data-parameters"))


def box_of(explorer):
    """Give the widget box that holds the explorer's figure and its controls."""
    return explorer.locator("xpath=ancestor::*[contains(@class, 'flbook-explorer')][1]")


def sliders(explorer):
    return box_of(explorer).locator("[role=slider]")


def unfold(explorer):
    """Open what "More" hides."""
    for header in (
        box_of(explorer).locator(".jupyter-widget-Collapse-header, .lm-AccordionPanel-title").all()
    ):
        header.click()


@pytest.mark.parametrize("name", CHAPTERS)
def test_every_explorer_of_the_chapter_is_ready(visit, name):
    visited = visit(name)
    shown = visited.explorers.evaluate_all("all => all.map((e) => e.dataset.flbookExplorer)")
    assert shown == explorers_in(name)
    assert shown, f"{name} has no explorer"


@pytest.mark.parametrize("name", CHAPTERS)
def test_every_control_has_a_name_and_changes_a_number(visit, name):
    visited = visit(name)
    for explorer in visited.explorers.all():
        unfold(explorer)
        names = sliders(explorer).evaluate_all(
            "all => all.map((e) => e.getAttribute('aria-label'))"
        )
        assert names
        assert all(names)
        assert len(set(names)) == len(names)
        for slider in sliders(explorer).all():
            box_of(explorer).get_by_role("button", name="Reset").click()
            before, told = numbers(explorer), explorer.get_attribute("data-parameters")
            at, end = (float(slider.get_attribute(f"aria-value{x}")) for x in ("now", "max"))
            slider.press("Home" if at == end else "End")
            visited.page.wait_for_function(
                "([root, told]) => root.dataset.parameters !== told",
                arg=[explorer.element_handle(), told],
            )
            assert numbers(explorer) != before, slider.get_attribute("aria-label")


@pytest.mark.parametrize("name", CHAPTERS)
def test_the_numbers_are_those_of_the_python_core(visit, name):
    visited = visit(name)
    for explorer in visited.explorers.all():
        unfold(explorer)
        assert_right(explorer)
        count = sliders(explorer).count()
        for first, second in pairwise([*range(count), 0]):
            for keys in (("End", "End"), ("End", "Home"), ("Home", "Home"), ("Home", "End")):
                for index, key in zip((first, second), keys, strict=True):
                    sliders(explorer).nth(index).press(key)
                visited.page.wait_for_timeout(50)
                assert_right(explorer)
    assert visited.errors == []

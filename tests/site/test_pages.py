"""Every page of the built site: whole, self-contained, accessible, and fit for a phone."""

import re

import pytest
from site_visit import DESKTOP, PHONE, ROOT, SITE, notebook_pages, toc_pages

from tools import reading_time

AXE = ROOT / "frontend" / "node_modules" / "axe-core" / "axe.min.js"
PAGES = toc_pages()


@pytest.mark.parametrize("name", PAGES)
def test_a_page_asks_no_foreign_host_and_nothing_fails(visit, name):
    visited = visit(name)
    visited.page.wait_for_load_state("networkidle")
    assert visited.foreign == []
    assert visited.failed == []
    assert visited.errors == []


@pytest.mark.parametrize("name", PAGES)
def test_a_page_fits_a_phone(visit, name):
    visited = visit(name, viewport=PHONE)
    visited.page.wait_for_load_state("networkidle")
    wide = visited.page.evaluate(
        """() => [document.documentElement.scrollWidth,
          [...document.querySelectorAll("main *")]
            .filter((e) => e.getBoundingClientRect().right > innerWidth + 1
              && !e.closest(".bd-sidebar-secondary, svg, pre, table, .math, .stream, .highlight"))
            .map((e) => e.tagName + "." + e.className).slice(0, 5)]"""
    )
    assert wide == [PHONE["width"], []]


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_a_page_has_no_serious_accessibility_finding(visit, name, dark):
    visited = visit(name, viewport=DESKTOP, dark=dark)
    visited.page.wait_for_load_state("networkidle")
    visited.page.add_script_tag(path=AXE)
    findings = visited.page.evaluate(
        """async () => (await axe.run(document)).violations
          .filter((v) => ["serious", "critical"].includes(v.impact))
          .map((v) => [v.id, ...v.nodes.slice(0, 3).map((n) => n.html.slice(0, 200))])"""
    )
    assert findings == []


@pytest.mark.parametrize("name", PAGES)
def test_every_picture_says_what_it_shows(visit, name):
    alts = visit(name).page.eval_on_selector_all(
        "main article img", "images => images.map((i) => i.getAttribute('alt') || '')"
    )
    assert [alt for alt in alts if len(alt) < 20 or re.search(r"\.(png|svg|jpg)$", alt)] == []


@pytest.mark.parametrize("name", notebook_pages())
def test_a_chapter_can_be_launched(visit, name):
    links = visit(name).page.eval_on_selector_all("a[href]", "all => all.map((a) => a.href)")
    assert any(link.startswith("https://mybinder.org/v2/gh/") and name in link for link in links)
    assert any(
        link.startswith("https://colab.research.google.com/") and name in link for link in links
    )


@pytest.mark.parametrize("name", notebook_pages())
def test_the_front_end_is_loaded_once_and_not_carried_in_the_page(visit, name):
    visited = visit(name)
    loaded = [url.rsplit("/", 1)[1] for url in visited.requests]
    for part in ("widgets.js", "explorers.js", "widgets.css", "explorers.css"):
        assert sum(file.split("?")[0] == part for file in loaded) == 1, part
    assert len((SITE / f"{name}.html").read_bytes()) < 1_000_000


def test_no_page_shows_a_traceback():
    """Look at every page but the listings of source code, whose examples may show refusals."""
    pages = [p for p in SITE.rglob("*.html") if "_modules" not in p.parts]
    assert pages
    assert [p for p in pages if "Traceback (most recent call last)" in p.read_text()] == []


def test_the_site_holds_no_address_of_a_cdn():
    pattern = re.compile(r"(src|href)=\"https?://[^\"]*(cdn|unpkg|jsdelivr|googleapis)[^\"]*\"")
    assert [p for p in SITE.rglob("*.html") if pattern.search(p.read_text(encoding="utf-8"))] == []


@pytest.mark.parametrize("name", notebook_pages())
def test_a_chapter_says_under_its_title_how_long_it_takes(visit, name):
    said = visit(name).page.inner_text("main h1 + .reading-time")
    minutes = reading_time.stated(ROOT / f"{name}.ipynb")
    assert said.startswith(f"About {minutes} minutes to read.")

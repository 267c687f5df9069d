"""The picture of the house is what the code says today, and what it says has no circle."""

from __future__ import annotations

import json
from dataclasses import replace
from xml.etree import ElementTree

import pytest

from tools import architecture, imports
from tools.imports import FACE, SHARED

HOUSE = architecture.read()
TOWERS = {"flbook": HOUSE.python, "frontend/src": HOUSE.javascript}


def test_the_stored_picture_is_todays_house():
    stored = architecture.PICTURE.read_text(encoding="utf-8")
    assert stored == architecture.draw(HOUSE), "run python -m tools.architecture and store it"


@pytest.mark.parametrize("tower", TOWERS)
def test_rooms_import_only_rooms_on_lower_floors(tower):
    rooms = TOWERS[tower]
    floors = architecture.floors(rooms)
    assert sorted(room for floor in floors for room in floor) == sorted(rooms)
    number = {room: n for n, floor in enumerate(floors) for room in floor}
    for room, targets in rooms.items():
        assert all(number[room] < number[target] for target in targets - {SHARED})


def test_what_joins_the_towers():
    for tower, rooms in TOWERS.items():
        assert any(SHARED in targets for targets in rooms.values()), tower
    assert HOUSE.carriers == {"explorers"}
    assert {FACE, "explorers", "figures"} <= HOUSE.chapters


def test_the_picture_names_every_room():
    root = ElementTree.fromstring(architecture.draw(HOUSE))
    words = {element.text for element in root.iter() if element.tag.endswith("text")}
    rooms = {architecture.label(room) for tower in TOWERS.values() for room in tower}
    assert rooms | {"chapters", "flbook/shared", "bundle"} <= words


def test_the_page_says_what_every_room_is_for():
    page = (architecture.ROOT / "chapters" / "architecture.md").read_text(encoding="utf-8")
    rooms = {architecture.label(room) for tower in TOWERS.values() for room in tower}
    assert [room for room in sorted(rooms) if f"`{room}`" not in page] == []


@pytest.mark.parametrize(
    "changed",
    [
        replace(HOUSE, python={**HOUSE.python, "attic": set()}),
        replace(HOUSE, javascript={**HOUSE.javascript, "attic": {SHARED}}),
        replace(HOUSE, python={**HOUSE.python, "figures": set()}),
        replace(HOUSE, chapters=HOUSE.chapters - {"figures"}),
        replace(HOUSE, core=HOUSE.core | {"figures"}),
    ],
    ids=["room", "room of the front end", "arrow", "chapter", "requirement"],
)
def test_a_changed_house_gives_another_picture(changed):
    assert architecture.draw(changed) != architecture.draw(HOUSE)


def test_a_circle_is_refused():
    with pytest.raises(ValueError, match="cycle"):
        architecture.floors({"a": {"b"}, "b": {"a"}})


def write(folder, files):
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def test_reading_python(tmp_path):
    write(
        tmp_path,
        {
            "__init__.py": "from flbook._a.one import One",
            "_a/one.py": 'import json\nimport numpy as np\nx = root / "shared" / name',
            "_a/two.py": "from flbook._a.one import One",
            "b.py": "def f():\n    import flbook._a.two\n    from flbook import One",
        },
    )
    assert imports.python_rooms(tmp_path) == {FACE: {"_a"}, "_a": {SHARED}, "b": {"_a", FACE}}
    assert imports.foreign(tmp_path) == {FACE: set(), "_a": {"numpy"}, "b": set()}
    write(tmp_path, {"c.py": "from . import b"})
    with pytest.raises(ValueError, match=r"c\.py imports relatively"):
        imports.python_rooms(tmp_path)


def test_reading_javascript(tmp_path):
    write(
        tmp_path,
        {
            "index.js": 'import "./style.css";\nimport {\n  a,\n  b,\n} from "./top/a.js";',
            "top/a.js": 'export { b } from "./b.js";\nimport c from "../low/c.js";',
            "top/b.js": '/** @type {import("../index.js").X} */\nx = () => import("../low/c.js");',
            "low/c.js": 'import w from "../../../flbook/shared/w.json" with { type: "json" };',
        },
    )
    assert imports.javascript_rooms(tmp_path) == {
        "index": {"top"},
        "top": {"low"},
        "low": {SHARED},
    }


def test_reading_chapters(tmp_path):
    cells = [
        {"cell_type": "markdown", "source": ["import nothing"]},
        {"cell_type": "code", "source": ["%pip install x\n", "import flbook as fl\n"]},
        {"cell_type": "code", "source": ["from flbook import Task, figures"]},
    ]
    write(tmp_path, {"01_x.ipynb": json.dumps({"cells": cells})})
    assert imports.chapter_imports(tmp_path, {"figures", "explorers"}) == {FACE, "figures"}

"""The picture of the house is that of today's code, and no arrow points up."""

import html
import json
import re

import pytest

from tools import architecture


def test_the_stored_picture_shows_todays_house():
    picture = architecture.PICTURE.read_text(encoding="utf-8")
    found = re.search(r"<dc:description>(.+?)</dc:description>", picture, re.DOTALL)
    assert found, "the picture carries no graph"
    told = "the house has changed: python -m tools.architecture draws it anew"
    assert json.loads(html.unescape(found[1])) == architecture.house(), told


def test_the_picture_is_the_same_at_every_run(tmp_path):
    for name in ("one", "other"):
        architecture.save(tmp_path / f"{name}.svg")
    assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "other.svg").read_bytes()


def test_both_towers_have_floors():
    for tower in architecture.house().values():
        graph = {room: set(others) for room, others in tower.items()}
        floors = architecture.floors(graph)
        assert set(floors) == set(graph)
        assert all(floors[other] < floors[room] for room in graph for other in graph[room])
        assert len(graph) >= 5


def test_a_circle_is_noticed():
    with pytest.raises(ValueError, match=r"a circle of imports runs through \['one', 'other'\]"):
        architecture.floors({"one": {"other"}, "other": {"one"}, "base": set()})


def test_arrows_that_follow_from_others_are_left_out():
    graph = {"top": {"middle", "base"}, "middle": {"base"}, "base": set()}
    assert architecture.direct(graph) == {"top": {"middle"}, "middle": {"base"}, "base": set()}

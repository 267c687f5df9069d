"""The tool that stores notebooks clean, and the rhythm that every chapter keeps."""

import ast
import importlib
import re
from pathlib import Path

import nbformat
import pytest
import yaml
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

import flbook as fl
from flbook import explorers
from tools import notebooks, overview

CHAPTERS = sorted(notebooks.CHAPTERS.glob("[0-9][0-9]*_*.ipynb"))
RHYTHM = (
    "What you will be able to do",
    "Before you touch anything",
    "The explorer",
    "The derivation",
    "The check",
    "Where it breaks",
    "Exercises",
    "To remember",
    "Whose idea is this",
    "What comes next",
)
DRAWING = {
    "bar",
    "contour",
    "contourf",
    "errorbar",
    "fill_between",
    "hist",
    "imshow",
    "loglog",
    "pcolormesh",
    "plot",
    "scatter",
    "semilogx",
    "semilogy",
    "step",
}
SOLVING = {"odeint", "ode", "quad", "solve_ivp"}


def tags(cell) -> list[str]:
    return cell.metadata.get("tags", [])


def is_solution(cell) -> bool:
    return cell.cell_type == "code" and "hide-cell" in tags(cell)


def mimes(cell) -> set[str]:
    return {mime for output in cell.get("outputs", ()) for mime in output.get("data", ())}


def says_something(cell) -> bool:
    streams = any(output.output_type == "stream" for output in cell.get("outputs", ()))
    return streams or "text/markdown" in mimes(cell)


def headings(cell) -> list[str]:
    return re.findall(r"^## (.+)$", cell.source, re.M) if cell.cell_type == "markdown" else []


@pytest.fixture(params=CHAPTERS, ids=lambda path: path.stem)
def chapter(request):
    return nbformat.read(request.param, as_version=4)


def code_of(notebook) -> dict[str, ast.Module]:
    """Parse the code cells, by id, without their magics."""
    return {
        cell.id: ast.parse(re.sub(r"^(\s*)%.*$", r"\1pass", cell.source, flags=re.M))
        for cell in notebook.cells
        if cell.cell_type == "code"
    }


def section(notebook, name: str) -> list:
    """Give the cells of a section, the first one from its heading on, the last one to its end."""
    cells, inside = [], False
    for cell in notebook.cells:
        if cell.cell_type != "markdown":
            cells += [cell] if inside else []
            continue
        for part in re.split(r"^(?=## )", cell.source, flags=re.M):
            if part.startswith("## "):
                inside = part.startswith(f"## {name}\n")
            if inside:
                cells.append(new_markdown_cell(part))
    return cells


def test_the_table_of_contents_lists_every_chapter_in_its_order():
    toc = yaml.safe_load((notebooks.ROOT / "_toc.yml").read_text(encoding="utf-8"))
    entries = [entry for part in toc["parts"] for entry in part["chapters"]]
    files = [page["file"] for entry in entries for page in (entry, *entry.get("sections", ()))]
    assert len(CHAPTERS) >= 3
    assert [file for file in files if re.match(r"chapters/\d", file)] == [
        f"chapters/{path.stem}" for path in CHAPTERS
    ]
    assert not [
        file for file in [toc["root"], *files] if not list(notebooks.ROOT.glob(file + ".*"))
    ]


def test_every_public_name_has_its_entry_in_the_reference():
    text = (notebooks.CHAPTERS / "api.md").read_text(encoding="utf-8")
    entries, module = {}, None
    for kind, name in re.findall(r"^\.\. (auto\w+|currentmodule):: ([\w.]+)$", text, re.M):
        if kind == "currentmodule":
            module = name
        elif kind != "automodule":
            entries.setdefault(module, []).append(name)
    assert fl.__name__ in entries
    for module, names in entries.items():
        assert sorted(names) == sorted(importlib.import_module(module).__all__)
    modules = set(re.findall(r"^\.\. automodule:: (\S+)$", text, re.M))
    assert modules >= {"flbook.simulation", "flbook.figures", "flbook.explorers"}


def test_chapter_keeps_the_rhythm(chapter):
    found = [heading for cell in chapter.cells for heading in headings(cell)]
    assert [heading for heading in found if heading in RHYTHM] == list(RHYTHM)


def test_chapter_begins_with_its_title_and_its_code_with_the_set_up(chapter):
    assert re.fullmatch(r"# \S.*", chapter.cells[0].source.strip())
    setup = next(cell for cell in chapter.cells if cell.cell_type == "code")
    assert tags(setup) == ["hide-input"]
    assert setup.metadata["jupyter"]["source_hidden"]
    assert '"google.colab" in sys.modules' in setup.source
    assert "figures.use_style()" in setup.source
    assert not setup.outputs


def test_the_question_has_its_answer_folded_away(chapter):
    (question,) = section(chapter, "Before you touch anything")
    before, dropdown, _ = question.source.partition(":::{dropdown} Answer")
    assert "?" in before
    assert dropdown


def test_chapter_has_an_explorer_in_its_section(chapter):
    calls = [
        cell
        for cell in section(chapter, "The explorer")
        if cell.cell_type == "code" and re.match(r"explorers\.\w+\(", cell.source)
    ]
    assert len(calls) == 1
    (cell,) = calls
    assert "remove-input" in tags(cell)
    assert re.match(r"explorers\.(\w+)\(", cell.source)[1] in explorers.__all__
    assert mimes(cell) == {"text/plain"}


def test_every_figure_has_alt_text_and_numbers_beside_it(chapter):
    pictures = [
        (number, cell) for number, cell in enumerate(chapter.cells) if "image/png" in mimes(cell)
    ]
    assert pictures
    for number, cell in pictures:
        alt = cell.metadata["mystnb"]["image"]["alt"]
        assert len(alt) > 80, cell.id
        assert not re.search(r"^(image|picture|figure|plot) of|\.png", alt, re.I), cell.id
        assert cell.source.endswith("plt.show()"), cell.id
        after = []
        for later in chapter.cells[number + 1 :]:
            if headings(later):
                break
            after.append(later)
        assert any(says_something(later) for later in after), f"{cell.id}: no number beside it"


def test_every_cell_without_code_in_view_says_so_in_jupyter_too(chapter):
    for cell in chapter.cells:
        if {"hide-input", "remove-input", "hide-cell"} & set(tags(cell)):
            assert cell.metadata["jupyter"]["source_hidden"], cell.id


def test_code_in_view_fits_the_page(chapter):
    for cell in chapter.cells:
        if cell.cell_type == "code" and not tags(cell):
            assert max(map(len, cell.source.splitlines())) <= 76, cell.id


def test_chapter_defines_no_solver_and_no_plotting(chapter):
    for identifier, tree in code_of(chapter).items():
        for node in ast.walk(tree):
            assert not isinstance(
                node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda
            ), f"{identifier} defines something; it belongs into the package"
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                assert node.func.attr not in DRAWING | SOLVING, f"{identifier}: {node.func.attr}"
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id not in SOLVING, f"{identifier}: {node.func.id}"
            modules = []
            if isinstance(node, ast.Import):
                modules = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                modules = [node.module]
            for module in modules:
                assert not module.startswith("scipy.integrate"), identifier
                assert module == "matplotlib.pyplot" or not module.startswith("matplotlib")


def test_exercises_have_their_solutions_folded_away(chapter):
    events = []
    for cell in section(chapter, "Exercises"):
        if is_solution(cell):
            events.append("solution")
        elif cell.cell_type == "markdown":
            found = re.findall(r"^(\*\*\d+\. |:::\{dropdown\} Solution$)", cell.source, re.M)
            events += [event.strip("*. ") if event[0] == "*" else "solution" for event in found]
    count = len(events) // 2
    assert 2 <= count <= 4
    assert events == [event for n in range(count) for event in (str(n + 1), "solution")]


def test_there_are_three_sentences_to_remember(chapter):
    (cell,) = section(chapter, "To remember")
    text = cell.source.partition("\n")[2].strip()
    assert len(re.findall(r"\.(?=\s+[A-Z]|$)", text)) == 3


def equation_labels(notebook) -> list[str]:
    found = re.compile(r"^(?:\$\$ \(([\w-]+)\)|:label: ([\w-]+))$", re.M)
    return [one or other for cell in notebook.cells for one, other in found.findall(cell.source)]


def test_every_reference_to_an_equation_has_its_equation():
    chapters = [nbformat.read(path, as_version=4) for path in CHAPTERS]
    labels = [label for chapter in chapters for label in equation_labels(chapter)]
    assert len(labels) == len(set(labels))
    text = "\n".join(cell.source for chapter in chapters for cell in chapter.cells)
    assert set(re.findall(r"\{eq\}`([\w-]+)`", text)) <= set(labels)


def test_a_label_may_end_its_cell():
    cells = [new_markdown_cell("$$\nx\n$$ (last-line)"), new_markdown_cell("$$\ny\n$$ (next)\n")]
    assert equation_labels(new_notebook(cells=cells)) == ["last-line", "next"]


def test_every_citation_is_in_the_bibliography():
    folder = notebooks.CHAPTERS
    known = set(re.findall(r"^@\w+\{(\w+),", (folder / "references.bib").read_text("utf-8"), re.M))
    used = set()
    for path in [*folder.glob("*.md"), *folder.glob("*.ipynb")]:
        for keys in re.findall(r"\{cite(?::\w+)?\}`([^`]+)`", path.read_text("utf-8")):
            used |= set(keys.split(","))
    assert used == known


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_chapter_is_stored_clean(path):
    assert notebooks.is_clean(path), f"run python -m tools.notebooks {path}"


# The tool


VIEW = {"model_id": "0123456789abcdef", "version_major": 2, "version_minor": 0}


def write(path: Path, *cells) -> Path:
    nbformat.write(new_notebook(cells=list(cells)), path)
    return path


@pytest.fixture(scope="module")
def executed(tmp_path_factory):
    """Run a notebook twice with the tool and give its path and both texts."""
    path = write(
        tmp_path_factory.mktemp("book") / "page.ipynb",
        new_markdown_cell("# Title"),
        new_code_cell("from pathlib import Path\nprint(Path.cwd().name)"),
        new_code_cell("1 + 1", metadata={"tags": ["hide-input"], "collapsed": True}),
    )
    texts = []
    for _ in range(2):
        assert notebooks.main([str(path)]) == 0
        texts.append(path.read_text(encoding="utf-8"))
    return path, texts


def test_execution_is_stored_the_same_every_time(executed):
    path, (first, second) = executed
    assert first == second
    assert first.endswith("}\n")
    assert notebooks.is_clean(path)
    notebook = nbformat.reads(first, as_version=4)
    nbformat.validate(notebook)
    _, printed, value = notebook.cells
    assert printed.outputs[0].text == path.parent.name + "\n"
    assert value.outputs[0].data == {"text/plain": "2"}
    assert [printed.execution_count, value.execution_count] == [1, 2]
    assert value.metadata == {"tags": ["hide-input"]}
    assert notebook.metadata == notebooks.NOTEBOOK_METADATA


def test_what_a_cell_prints_slowly_is_one_output(tmp_path):
    slow = "import time\nfor n in range(3):\n    print(n, flush=True)\n    time.sleep(0.3)"
    path = write(tmp_path / "slow.ipynb", new_code_cell(slow))
    assert notebooks.main([str(path)]) == 0
    (cell,) = nbformat.read(path, as_version=4).cells
    assert [output.text for output in cell.outputs] == ["0\n1\n2\n"]


def cleaned(*cells):
    return notebooks.clean(new_notebook(cells=list(cells), metadata={"widgets": {"state": {}}}))


def test_widget_views_and_volatile_metadata_are_dropped():
    data = {"text/plain": "Explorer()", notebooks.WIDGET_VIEW: VIEW, "image/svg+xml": "<svg/>"}
    output = new_output("execute_result", data, execution_count=7, metadata={"isolated": True})
    cell = new_code_cell(
        "x", execution_count=7, outputs=[output], metadata={"execution": {"started": "now"}}
    )
    notebook = cleaned(cell)
    assert notebook.metadata == notebooks.NOTEBOOK_METADATA
    (cell,) = notebook.cells
    assert cell.metadata == {}
    assert cell.execution_count == 1
    (output,) = cell.outputs
    assert output.data == {"text/plain": "Explorer()"}
    assert output.metadata == {}
    assert output.execution_count == 1


def test_pictures_markdown_and_alt_text_are_kept():
    data = {"image/png": "iVBOR", "text/markdown": "*v*", "text/plain": "<Figure>"}
    metadata = {"mystnb": {"image": {"alt": "A line."}}, "jupyter": {"source_hidden": True}}
    outputs = [new_output("display_data", data)]
    (cell,) = cleaned(
        new_code_cell("x", execution_count=1, outputs=outputs, metadata=metadata)
    ).cells
    assert cell.outputs[0].data == data
    assert cell.metadata == metadata


def test_identifiers_are_kept_made_unique_and_do_not_change():
    raw = new_notebook()
    raw.cells = [new_markdown_cell(text) for text in "abcd"]
    for cell, identifier in zip(raw.cells, ("title", "title", "not allowed!", ""), strict=True):
        cell["id"] = identifier
    once = notebooks.clean(raw)
    ids = [cell.id for cell in once.cells]
    assert ids[0] == "title"
    assert len(set(ids)) == 4
    nbformat.validate(once)
    assert [cell.id for cell in notebooks.clean(once).cells] == ids
    assert [cell.id for cell in notebooks.clean(raw).cells] == ids


def test_the_notebook_given_is_left_alone():
    outputs = [new_output("execute_result", {"text/html": "<b>", "text/plain": "b"})]
    cell = new_code_cell("x", execution_count=9, outputs=outputs, metadata={"trusted": True})
    notebook = new_notebook(cells=[cell])
    before = nbformat.writes(notebook)
    notebooks.clean(notebook)
    assert nbformat.writes(notebook) == before


@pytest.mark.parametrize(
    ("output", "message"),
    [
        (
            new_output("error", ename="ValueError", evalue="no", traceback=[]),
            "cell 0 raised ValueError: no",
        ),
        (new_output("stream", name="stderr", text="Warning: old\n"), "cell 0 wrote to stderr"),
        (new_output("stream", name="stdout", text="<A at 0x7f00aa11bb22>"), "0x7f00aa11bb22"),
        (
            new_output("execute_result", {"text/plain": "<A at 0x7f00aa11bb22>"}),
            "cell 0 shows the memory address",
        ),
    ],
)
def test_what_must_not_be_stored_is_refused(output, message):
    with pytest.raises(notebooks.UncleanError, match=message):
        cleaned(new_code_cell("x", execution_count=1, outputs=[output]))


def test_check_tells_clean_from_unclean(executed, tmp_path, capsys):
    path, (text, _) = executed
    assert notebooks.main(["--check", str(path)]) == 0
    assert "page.ipynb: clean" in capsys.readouterr().out
    never_run = write(tmp_path / "never.ipynb", new_code_cell("1"))
    touched = tmp_path / "touched.ipynb"
    touched.write_text(text.replace('"metadata": {}', '"metadata": {"x": 1}', 1), encoding="utf-8")
    shouting = write(
        tmp_path / "shouting.ipynb",
        new_code_cell(
            "x", execution_count=1, outputs=[new_output("stream", name="stderr", text="Oh")]
        ),
    )
    for bad in (never_run, touched, shouting):
        before = bad.read_bytes()
        assert notebooks.main(["--check", str(bad), str(path)]) == 1
        assert f"{bad.name}: " in capsys.readouterr().err
        assert bad.read_bytes() == before


def test_a_notebook_that_fails_is_reported_and_not_overwritten(tmp_path, capsys):
    path = write(tmp_path / "broken.ipynb", new_code_cell("1 / 0"))
    before = path.read_bytes()
    assert notebooks.main([str(path)]) == 1
    assert "ZeroDivisionError" in capsys.readouterr().err
    assert path.read_bytes() == before


# The picture of the welcome page


def test_the_picture_is_the_same_at_every_run_and_is_not_empty(tmp_path):
    first, second = tmp_path / "a.svg", tmp_path / "b.svg"
    overview.save(first)
    overview.save(second)
    assert first.read_bytes() == second.read_bytes()
    assert overview.TITLE in first.read_text(encoding="utf-8")
    (ax,) = overview.draw().axes
    assert [text.get_text() for text in ax.texts] == [name for name, *_ in overview.NETWORKS]
    assert overview.PICTURE.is_file()

"""Execute the chapters in place and store them clean.

``python -m tools.notebooks [PATH ...]`` runs notebooks (all chapters by default) from top to bottom
and writes them back without anything that changes from run to run; ``--check`` runs nothing and
only tells which stored files are not clean.
"""

import argparse
import hashlib
import re
import sys
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

ROOT = Path(__file__).resolve().parent.parent
CHAPTERS = ROOT / "chapters"
TIMEOUT = 120

KEPT_OUTPUTS = ("image/png", "text/html", "text/markdown", "text/plain")
KEPT_CELL_METADATA = ("jupyter", "mystnb", "tags")
NOTEBOOK_METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
ADDRESS = re.compile(r"\b0x[0-9a-fA-F]{6,}")
IDENTIFIER = re.compile(r"[a-zA-Z0-9_-]{1,64}")


class UncleanError(ValueError):
    """A notebook holds something that must not be stored; the message says where and what."""


def execute(notebook, folder: Path):
    """Run `notebook` from top to bottom with `folder` as its working directory, and return it.

    What a cell prints is one output, however slowly it prints.

    Raises
    ------
    nbclient.exceptions.CellExecutionError
        If a cell fails.

    """
    resources = {"metadata": {"path": str(folder)}}
    NotebookClient(
        notebook,
        timeout=TIMEOUT,
        kernel_name="python3",
        coalesce_streams=True,
        resources=resources,
    ).execute()
    return notebook


def clean(notebook):
    """Return a copy of `notebook` with nothing in it that changes from run to run.

    Raises
    ------
    UncleanError
        If an output is an error, a message on stderr, or shows a memory address.

    """
    result = nbformat.from_dict({**notebook, "metadata": NOTEBOOK_METADATA})
    result.nbformat, result.nbformat_minor = 4, 5
    taken: set[str] = set()
    count = 0
    for number, cell in enumerate(result.cells):
        cell.metadata = {k: v for k, v in cell.metadata.items() if k in KEPT_CELL_METADATA}
        cell["id"] = _identifier(cell, taken)
        cell.pop("attachments", None)
        if cell.cell_type != "code":
            continue
        if cell.execution_count is not None:
            count += 1
            cell.execution_count = count
        cell.outputs = [_clean_output(output, number, count) for output in cell.outputs]
    return nbformat.from_dict(result)


def _identifier(cell, taken: set[str]) -> str:
    identifier = cell.get("id", "")
    if not IDENTIFIER.fullmatch(identifier) or identifier in taken:
        digest = hashlib.sha256(f"{len(taken)}\n{cell.source}".encode())
        identifier = digest.hexdigest()[:12]
    taken.add(identifier)
    return identifier


def _clean_output(output, number: int, count: int):
    where = f"cell {number}"
    if output.output_type == "error":
        raise UncleanError(f"{where} raised {output.ename}: {output.evalue}")
    if output.output_type == "stream":
        if output.name == "stderr":
            raise UncleanError(f"{where} wrote to stderr: {output.text.strip()!r}")
        _refuse_addresses(output.text, where)
        return {"output_type": "stream", "name": output.name, "text": output.text}
    data = {mime: output.data[mime] for mime in KEPT_OUTPUTS if mime in output.data}
    for mime, text in data.items():
        if mime.startswith("text/"):
            _refuse_addresses(text, where)
    kept = {"output_type": output.output_type, "data": data, "metadata": {}}
    if output.output_type == "execute_result":
        kept["execution_count"] = count
    return kept


def _refuse_addresses(text: str, where: str):
    if found := ADDRESS.search(text):
        raise UncleanError(f"{where} shows the memory address {found[0]}, which no two runs share")


def to_text(notebook) -> str:
    """Give the text of a notebook file."""
    return nbformat.writes(notebook) + "\n"


def is_clean(path: Path) -> bool:
    """Tell whether the stored notebook has been executed as a whole and is what `clean` gives.

    Raises
    ------
    UncleanError
        If it holds something that must not be stored.

    """
    stored = path.read_text(encoding="utf-8")
    notebook = nbformat.reads(stored, as_version=4)
    executed = all(
        cell.execution_count is not None
        for cell in notebook.cells
        if cell.cell_type == "code" and cell.source.strip()
    )
    return executed and to_text(clean(notebook)) == stored


def main(arguments=None) -> int:
    """Run the tool; the exit status is 1 where a notebook fails or is not clean."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("paths", nargs="*", type=Path, help="notebooks; all chapters by default")
    parser.add_argument("--check", action="store_true", help="run nothing, name what is not clean")
    options = parser.parse_args(arguments)
    paths = options.paths or sorted(CHAPTERS.glob("*.ipynb"))
    failed = False
    for path in paths:
        try:
            if options.check:
                good, report = is_clean(path), ""
            else:
                start = time.perf_counter()
                notebook = execute(nbformat.read(path, as_version=4), path.resolve().parent)
                report = f"{time.perf_counter() - start:.1f} s"
                path.write_text(to_text(clean(notebook)), encoding="utf-8")
                good = True
        except (UncleanError, CellExecutionError) as error:
            good, report = False, str(error)
        failed = failed or not good
        verdict = report or ("clean" if good else "not clean: run python -m tools.notebooks on it")
        print(f"{path}: {verdict}", file=sys.stdout if good else sys.stderr)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())

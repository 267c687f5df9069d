"""One letter, one meaning: the notation is read, and so are the formulas of every page."""

import ast
import re
from collections import Counter

import pytest
from mathematics import formulas, letter, symbols
from pages import CHAPTERS, NOTEBOOKS, PAGES, cells, computed, prose

WHEN = re.compile(r"_(?:0|1/2|\\infty)(?=\^|$)")
"""The indices that say at which time a quantity is taken, and nothing else of it."""

NOTATION = prose(CHAPTERS / "notation.md")
TABLE, LOCAL = NOTATION.split("## Letters of one place only")


def rows(text: str) -> list[list[str]]:
    return [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| $")]


def entries(row: list[str]) -> list[str]:
    """Return the symbols that a row of the notation explains."""
    parts = re.split(r"[,;]\s*(?![^{]*\})", row[0].replace("$", ""))
    return ["".join(symbols(part)) for part in parts]


def chapter_of(cell: str) -> list[str]:
    return re.findall(r"\]\((\w+)\)", cell)


def labels(code: str) -> str:
    """Return the strings of a code cell that hold mathematics from one end to the other."""
    tree = ast.parse(re.sub(r"^(\s*)%.*$", r"\1pass", code, flags=re.M))
    pieces = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr)
              for part in node.values}  # fmt: skip
    return "\n\n".join(
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and id(node) not in pieces
        and node.value.count("$") % 2 == 0
    )


def used(page) -> set[str]:
    text = prose(page)
    if page in NOTEBOOKS:
        text = "\n\n".join([text, computed(page), *map(labels, cells(page, "code"))])
    return {symbol for formula in formulas(text) for symbol in symbols(formula)}


MEANING = [symbol for row in rows(TABLE) for symbol in entries(row)]
OF_ONE_PLACE = [
    (page, symbol) for row in rows(LOCAL) for page in chapter_of(row[2]) for symbol in entries(row)
]
USED = {page.stem: used(page) for page in PAGES}


def without_time(symbol: str) -> str:
    return symbol if symbol in MEANING else WHEN.sub("", symbol)


def test_one_symbol_has_one_row():
    assert len(MEANING) > 60
    assert [symbol for symbol, count in Counter(MEANING).items() if count > 1] == []
    local = Counter(symbol for _, symbol in OF_ONE_PLACE)
    assert [symbol for symbol, count in local.items() if count > 1] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_letter_of_a_page_has_its_meaning_in_the_notation(page):
    here = {symbol for name, symbol in OF_ONE_PLACE if page.stem in (name, "notation")}
    unknown = {without_time(symbol) for symbol in USED[page.stem]} - set(MEANING) - here
    assert sorted(unknown) == []


def test_a_letter_of_one_place_is_used_there_and_is_none_of_the_table():
    taken = {letter(symbol) for symbol in MEANING}
    assert OF_ONE_PLACE
    for name, symbol in OF_ONE_PLACE:
        assert symbol in USED[name], f"{name} does not use {symbol}"
        assert letter(symbol) not in taken, f"{symbol} has a meaning in all chapters"


@pytest.mark.parametrize("row", rows(TABLE), ids=lambda row: row[0].replace("$", ""))
def test_the_notation_names_the_chapter_in_which_a_symbol_comes_first(row):
    mine = set(entries(row))
    products = {symbol for symbol in mine if re.fullmatch("[a-z]{2}", symbol)}  # uu, one symbol
    first = next(
        page.stem
        for page in NOTEBOOKS
        if any(product in formula for product in products for formula in formulas(prose(page)))
        or mine & {without_time(symbol) for symbol in USED[page.stem]}
    )
    assert chapter_of(row[2]) == [first]


@pytest.mark.parametrize(
    ("formula", "found"),
    [
        (r"K_\infty^{2}-K_0^2=(2\gamma v^*)^2", ["K_\\infty", "K_0", "\\gamma", "v^*"]),
        (r"v_{\text{lin}}(t)\,\mathrm e^{-mK_0t}", ["v_lin", "t", "m", "K_0", "t"]),
        (r"\frac{\mathrm dP}{\mathrm dt}\\[4pt]\tfrac m2", ["P", "t", "m"]),
        (r"\underbrace{\ln|S^*/S|}_{\text{turn}}", ["S^*", "S"]),
        (r"\mathrm{E}[x^2],\ \operatorname{sd} a,\ M^{\mathsf T}", ["\\mathrm E", "x", "a", "M"]),
        (r"\kappa^{\,b-k}\Bigl(\tau'+w_{i\perp}\Bigr)",
         ["\\kappa", "b", "k", "\\tau", "w_i\\perp"]),
        (r"v^{*2}_\perp+x_\perp^2", ["v_\\perp^*", "x_\\perp"]),
    ],
)  # fmt: skip
def test_the_reader_of_formulas_finds_the_letters(formula, found):
    assert list(symbols(formula)) == found


def test_the_reader_finds_formulas_and_no_code():
    text = "A $a$ of `$b$`, then\n\n$$\nc = d\n$$ (label)\n\nand 5 \\$ each."
    assert formulas(text) == ["\nc = d\n", "a"]

"""A small table: rows by name, columns by measure, as text and as HTML."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

__all__ = ["Table"]

NOTHING = "–"


@dataclass(frozen=True)
class Table(Sequence[dict[str, Any]]):
    """A sequence of rows, each a dict with the same columns; None where there is no value.

    It prints as text, shows as a table in a notebook, and `pandas.DataFrame` takes it as it is.

    Attributes
    ----------
    rows : tuple of dict
        The rows.

    Examples
    --------
    >>> table = Table(({"layer": "first", "change": 0.25}, {"layer": "second", "change": None}))
    >>> print(table)
    layer   change
    first     0.25
    second       –
    >>> table[0]["change"], len(table)
    (0.25, 2)
    """

    rows: tuple[dict[str, Any], ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns."""
        return tuple(self.rows[0]) if self.rows else ()

    def column(self, name: str) -> list[Any]:
        """Return one column."""
        return [row[name] for row in self.rows]

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter(self.rows)

    def __getitem__(self, index: Any) -> Any:
        return self.rows[index]

    def _cells(self) -> list[list[str]]:
        return [[_text(row[name]) for name in self.columns] for row in self.rows]

    def __str__(self) -> str:
        lines = [list(self.columns), *self._cells()]
        widths = [max(len(line[i]) for line in lines) for i in range(len(self.columns))]
        left = [all(isinstance(v, str) for v in self.column(name)) for name in self.columns]
        return "\n".join(
            "  ".join(
                cell.ljust(width) if flush else cell.rjust(width)
                for cell, width, flush in zip(line, widths, left, strict=True)
            ).rstrip()
            for line in lines
        )

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{escape(name)}</th>" for name in self.columns)
        body = "".join(
            "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in line) + "</tr>"
            for line in self._cells()
        )
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _text(value: Any) -> str:
    if value is None:
        return NOTHING
    return f"{value:.3g}" if isinstance(value, float) else str(value)

"""Pieces of a page and tables: each shows itself as HTML and has a plain form."""

from __future__ import annotations

import html
import inspect
from collections.abc import Callable, Iterable, Sequence
from textwrap import dedent

import numpy as np
from numpy.typing import ArrayLike


class Page:
    """A piece of HTML that also has a plain form; what `paper_map` and `tally` return."""

    def __init__(self, plain: str, markup: str):
        self._plain, self._markup = plain, markup

    def __repr__(self) -> str:
        return self._plain

    def _repr_html_(self) -> str:
        return self._markup


def spread(values: ArrayLike, form: str = ".2f", *, tail: float = 0.05) -> str:
    """The median of some numbers and what lies between their tails, in words: "0.50 (0.10 to 0.90)".

    `form` is the format of a number; `tail` the share beyond each end, 0 for the least and the largest.
    """
    low, middle, high = np.quantile(values, [tail, 0.5, 1 - tail])
    return f"{middle:{form}} ({low:{form}} to {high:{form}})"


def listed(values: Iterable[float], form: str) -> str:
    """Numbers beside one another, each in the format `form`: "0.50 0.10 0.90"."""
    return " ".join(f"{value:{form}}" for value in values)


def print_source(*functions: Callable) -> None:
    """Print how functions or methods are written, for a page that explains them."""
    for function in functions:
        print(dedent(inspect.getsource(function)))


class Table:
    """A table that shows itself as HTML and has a plain form."""

    def __init__(self, head: Sequence[str], rows: Sequence[Sequence[object]]):
        self.head, self.rows = list(head), [[str(cell) for cell in row] for row in rows]
        for row in self.rows:
            if len(row) != len(self.head):
                raise ValueError(f"rows must have {len(self.head)} cells, as the head has, got {row!r}")

    def __repr__(self) -> str:
        widths = [max(map(len, column)) for column in zip(self.head, *self.rows, strict=True)]
        lines = (
            "  ".join(cell.ljust(n) for cell, n in zip(r, widths, strict=True))
            for r in (self.head, *self.rows)
        )
        return "\n".join(line.rstrip() for line in lines)

    def _repr_html_(self) -> str:
        head = "".join(f'<th scope="col">{html.escape(cell)}</th>' for cell in self.head)
        body = "".join(
            "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in self.rows
        )
        table = f'<table class="urep-map"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'
        return f'<div class="urep-wide" tabindex="0">{table}</div>'


def html_cards(cards: Iterable[tuple[str, str]]) -> str:
    """Numbers with what they count, as cards side by side."""
    body = "".join(
        f'<div class="urep-card"><strong>{number}</strong><span>{words}</span></div>'
        for number, words in cards
    )
    return f'<div class="urep-tally">{body}</div>'


def html_table(
    columns: Iterable[str],
    rows: Iterable[str],
    *,
    filtered: bool = False,
    cards: bool = False,
    sorted_: bool = False,
) -> str:
    """A table that scrolls by itself where it is too wide; `filtered` gets book/_static/filter.js.

    One that is `sorted_` gets sort.js: a click on a head sorts by its column, or by the data-value of cells.
    Rows may come in groups of their own. Those of `cards` stand cell below cell on a narrow screen.
    """
    head = "".join(f'<th scope="col">{name}</th>' for name in columns)
    kind = "urep-map" + " urep-filtered" * filtered + " urep-cards" * cards + " urep-sorted" * sorted_
    body = "".join(rows)
    body = body if body.startswith("<tbody") else f"<tbody>{body}</tbody>"
    table = f'<table class="{kind}"><thead><tr>{head}</tr></thead>{body}</table>'
    return f'<div class="urep-wide" tabindex="0">{table}</div>'

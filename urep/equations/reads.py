"""Which registered equations a page reads, and where: what `urep.equations.premises` follows a derivation by.

>>> from urep.equations import paper  # a `Registered` mapping; whoever asks it in a page is noted
>>> paper[38].number
38
"""

from __future__ import annotations

import linecache
import sys
from collections.abc import Iterator, Mapping
from itertools import islice
from types import CodeType, FrameType, MappingProxyType
from typing import NamedTuple

_NOTED: dict[tuple[str, CodeType, int], set[str]] = {}
"""The labels that each instruction of each cell has read. Code that runs twice is noted once; that of two
cells may be equal, so that their names belong to the key."""

_SOURCE: dict[str, str] = {}
"""The source of each cell that has read, by the name that it was compiled under."""


class Read(NamedTuple):
    """A registered equation that was read: its label, by which cell, where in it, from 1 and from 0."""

    label: str
    cell: str
    line: int
    column: int


class Registered(Mapping):
    """Equations by number, which cannot be changed; notes each that a page's cell asks for."""

    def __init__(self, equations: Mapping):
        self._held = MappingProxyType(dict(equations))

    def __getitem__(self, number):
        equation = self._held[number]
        _note(str(equation.number), sys._getframe(1))
        return equation

    def __contains__(self, number) -> bool:
        return number in self._held  # which reads nothing

    def __iter__(self) -> Iterator:
        return iter(self._held)

    def __len__(self) -> int:
        return len(self._held)


def _note(label: str, caller: FrameType) -> None:
    """Note what a cell reads itself; what `urep` reads on its behalf is a computation, no derivation."""
    while caller.f_globals.get("__name__") == "collections.abc" and caller.f_back:  # get, items, values
        caller = caller.f_back
    if caller.f_globals.get("__name__") == "__main__":
        file = caller.f_code.co_filename
        if file not in _SOURCE:  # now, while it runs: later it may be forgotten
            _SOURCE[file] = "".join(linecache.getlines(file, caller.f_globals)).rstrip()
        _NOTED.setdefault((file, caller.f_code, caller.f_lasti), set()).add(label)


def noted() -> list[Read]:
    """All that the cells of this page have read until now."""
    return [
        Read(label, _SOURCE[file], *_place(code, instruction))
        for (file, code, instruction), labels in _NOTED.items()
        for label in labels
    ]


def _place(code: CodeType, instruction: int) -> tuple[int, int]:
    line, _, column, _ = next(islice(code.co_positions(), instruction // 2, None))
    return line, column

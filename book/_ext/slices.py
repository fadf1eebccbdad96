"""The lines of a page that lead to a verdict: what a reader needs to run to see it proved again.

A page is one program. Of its statements a verdict needs the one that claims it, those that bind the names
which that one reads, and so on, back to the imports, of which the names that nobody reads are left out.
Scopes come from Python's own symbol table: names that a function reads are looked up when it is called, all
others where they stand.
"""

from __future__ import annotations

import ast
import re
import symtable
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

CHANGING = ("append", "extend", "update", "add", "setdefault", "insert", "pop", "remove", "discard", "clear")
"""Methods that change what they are called on: a statement that calls one belongs to what it changes."""

AT_ONCE = ("listcomp", "setcomp", "dictcomp", "genexpr")
"""Scopes of a symbol table that are run where they stand."""

IMPORTS = (ast.Import, ast.ImportFrom)
LEAVING = (ast.For, ast.While, ast.If, ast.With, ast.Try, ast.AugAssign)
"""Statements that bind a name and may leave in it what it was before."""


@dataclass(frozen=True)
class Statement:
    """A statement of a page: its cell, its source with the comments above it, whether after a blank line."""

    cell: int
    node: ast.stmt
    source: str
    apart: bool

    @cached_property
    def _scope(self) -> symtable.SymbolTable:
        return symtable.symtable(ast.unparse(self.node), "<page>", "exec")

    @cached_property
    def binds(self) -> frozenset[str]:
        """Names that exist after it."""
        symbols = self._scope.get_symbols()
        return frozenset(s.get_name() for s in symbols if s.is_assigned() or s.is_imported())

    @cached_property
    def changes(self) -> frozenset[str]:
        """Names of what it changes without binding them: entries, attributes, lists that grow."""
        found = set()
        for node in ast.walk(self.node):
            if isinstance(node, ast.Subscript | ast.Attribute) and isinstance(node.ctx, ast.Store):
                found.add(_root(node))
            method = node.func if isinstance(node, ast.Call) else None
            if isinstance(method, ast.Attribute) and method.attr in CHANGING:
                found.add(_root(method))
        return frozenset(found - {None})

    @cached_property
    def reads(self) -> frozenset[str]:
        """Names that it reads when it is run."""
        return frozenset(_read(self._scope, later=False))

    @cached_property
    def reads_later(self) -> frozenset[str]:
        """Names that its functions read when they are called."""
        return frozenset(_read(self._scope, later=True))

    @cached_property
    def claimed(self) -> tuple[tuple[str, re.Pattern], ...]:
        """Kind and sentence of each symbolic claim in it."""
        return tuple(found for node in ast.walk(self.node) for found in _claimed(node))


def _root(node: ast.AST) -> str | None:
    while isinstance(node, ast.Subscript | ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else None


def _read(scope: symtable.SymbolTable, *, later: bool, called: bool = False) -> Iterator[str]:
    """Names of the page that a scope and those in it read: of functions if `later`, else of the others."""
    if called == later:
        for symbol in scope.get_symbols():
            if symbol.is_referenced() and (scope.get_type() == "module" or symbol.is_global()):
                yield symbol.get_name()
    for child in scope.get_children():
        function = child.get_type() == "function" and child.get_name() not in AT_ONCE
        yield from _read(child, later=later, called=called or function)


def statements(cells: Sequence[str]) -> list[Statement]:
    """All statements of the cells of a page, in order."""
    return [each for number, cell in enumerate(cells) for each in _statements(number, cell)]


def _statements(number: int, cell: str) -> Iterator[Statement]:
    lines, end = cell.splitlines(), 0
    for node in ast.parse(cell).body:
        first = node.decorator_list[0] if getattr(node, "decorator_list", None) else node
        above = lines[end : first.lineno - 1]
        end = node.end_lineno
        own = "\n".join([*above, *lines[first.lineno - 1 : end]])
        yield Statement(number, node, own.strip("\n"), own.startswith("\n"))


# --- the statements that one needs ----------------------------------------------------------


def needed(page: Sequence[Statement], last: int) -> dict[int, set[str]]:
    """The statements that one of them needs, it among them, by their places; of each the names in use."""
    found: dict[int, set[str]] = {last: set(page[last].binds)}
    wanted = [(name, last) for name in page[last].reads | page[last].reads_later]
    seen = set(wanted)
    while wanted:
        name, before = wanted.pop()
        for place in _binding(page, name, before):
            found.setdefault(place, set()).add(name)
            if isinstance(page[place].node, IMPORTS):
                continue
            # A function looks its names up when it is called, which is where this one is wanted.
            more = {(other, place) for other in page[place].reads}
            more |= {(other, before) for other in page[place].reads_later}
            wanted += more - seen
            seen |= more
    return found


def _binding(page: Sequence[Statement], name: str, before: int) -> Iterator[int]:
    """Places of the statements that make what a name stands for: its last binding, and what changes it."""
    for place in reversed(range(before)):
        statement = page[place]
        if name in statement.binds:
            yield place
            if not isinstance(statement.node, LEAVING) and name not in statement.reads:
                return
        elif name in statement.changes:
            yield place


def source(page: Sequence[Statement], last: int) -> str:
    """The statements that one of them needs as a program, blank lines as on the page and between cells."""
    text, before = [], None
    for place, names in sorted(needed(page, last).items()):
        statement = page[place]
        imports = isinstance(statement.node, IMPORTS)
        if before and (statement.apart or statement.cell != before.cell):
            text += [] if imports and isinstance(before.node, IMPORTS) else [""]
        text.append(_in_use(statement, names) if imports else statement.source)
        before = statement
    return "\n".join(text) + "\n"


def _in_use(statement: Statement, names: set[str]) -> str:
    """An import of those of its names that are in use."""
    node = statement.node
    kept = [alias for alias in node.names if (alias.asname or alias.name.split(".")[0]) in names]
    if len(kept) == len(node.names):
        return statement.source
    fields = {"module": node.module, "level": node.level} if isinstance(node, ast.ImportFrom) else {}
    return ast.unparse(type(node)(names=kept, **fields))


# --- verdicts -------------------------------------------------------------------------------


def claims(statement: Statement, kind: str, claim: str) -> bool:
    """Whether a statement gives a symbolic verdict of a kind: it has the sentence, or a pattern of it."""
    return any(given == kind and pattern.fullmatch(claim) for given, pattern in statement.claimed)


def _claimed(node: ast.AST) -> Iterator[tuple[str, re.Pattern]]:
    from urep.checks import HOW

    if not (isinstance(node, ast.Call) and _root(node.func) == "verify" and len(node.args) == 2):
        return
    given = {keyword.arg: keyword.value for keyword in node.keywords}
    if "control" in given:
        yield "control", _pattern(node.args[1])
    elif "derived" in given:
        yield HOW[given["how"].value if "how" in given else "derivation"], _pattern(node.args[1])


def _pattern(sentence: ast.expr) -> re.Pattern:
    """Of a sentence as code: anything may stand where code says what is to stand there."""
    if isinstance(sentence, ast.JoinedStr):
        parts = (re.escape(p.value) if isinstance(p, ast.Constant) else ".+" for p in sentence.values)
        return re.compile("".join(parts), flags=re.S)
    return re.compile(re.escape(sentence.value) if isinstance(sentence, ast.Constant) else ".+", flags=re.S)

"""What a symbolic claim rests on: the registered equations that its page read on the way to it.

Recorded while the page runs: `urep.equations.reads` notes which instruction asks the registry for which
equation. When a claim is made, what was derived is followed back through the statements that its names come
from. A value that a claim has shown to be a side of an equation stands for that equation from there on.
"""

from __future__ import annotations

import ast
import symtable
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from types import FrameType

import sympy as sp

from .reads import noted

VERIFY, DERIVED = "verify", "derived"
"""How pages make a claim, and which argument of it holds what they derived."""


@dataclass(frozen=True)
class Statement:
    """A statement of a cell: the names that it uses and gives, and those that it gives anew."""

    node: ast.stmt
    uses: frozenset[str]
    gives: frozenset[str]
    renews: frozenset[str]


@dataclass
class Ran:
    """A statement that has run: in which cell, and for which equations it has shown a name to stand."""

    cell: str
    statement: Statement
    stands_for: dict[str, set[str]] = field(default_factory=dict)


class Derivation:
    """The statements of a page in the order in which they ran."""

    def __init__(self) -> None:
        self._ran: list[Ran] = []
        self._cells = 0

    def premises(
        self, frame: FrameType, names: Mapping, shown: Iterable[str], derived: Iterable[sp.Basic]
    ) -> tuple[str, ...]:
        """Labels of the equations that the claim rests on that `frame` makes, in order.

        Nothing where the shell keeps no history. `names` is what the page has named, `shown` are the labels
        of the equations that the claim shows, and `derived` the right-hand sides that it shows them by.
        """
        self._take_in(names["In"])
        if not self._ran:  # nbval keeps no history; the shell that makes the references does
            return ()
        while frame.f_code.co_name != "<module>":  # a function of the page may make the claim
            frame = frame.f_back
        place = self._place(frame.f_lineno)
        here, call = self._ran[place], _call(self._ran[place].statement.node, frame.f_lineno)
        found, wanted = self._read(here, call), set(_names(call) if call else here.statement.uses)
        if not isinstance(here.statement.node, ast.Expr):  # a loop: what it names belongs to the claim
            wanted |= here.statement.uses
        for before in reversed(self._ran[:place]):
            for name in wanted & set(before.stands_for):
                found |= before.stands_for[name]
                wanted.remove(name)
            if wanted & before.statement.gives:
                found |= self._read(before, None)
                wanted = wanted - before.statement.renews | before.statement.uses
        for name in _names(call) if call else ():
            if _is_among(names.get(name), set(derived)):
                here.stands_for.setdefault(name, set()).update(shown)
        return tuple(sorted(found, key=_in_order))

    def _take_in(self, cells: list[str]) -> None:
        for source in cells[self._cells :]:
            source = source.rstrip()
            self._ran += [Ran(source, statement) for statement in statements(source)]
        self._cells = len(cells)

    def _place(self, line: int) -> int:
        """Where the statement is that runs now, on a line of the last cell."""
        last = self._ran[-1].cell
        inside = (n for n, ran in enumerate(self._ran) if ran.cell == last and _has(ran.statement.node, line))
        return max(inside)

    def _read(self, ran: Ran, call: ast.Call | None) -> set[str]:
        """What a statement has read from the registry, but for what its claims, except one, are about."""
        found = set()
        for read in noted():
            if read.cell == ran.cell and _has(ran.statement.node, read.line):
                claim = next((c for c in _claims(ran.statement.node) if _covers(c, read)), None)
                argument = _derived(call) if call else None
                if claim is None or (claim is call and argument and _covers(argument, read)):
                    found.add(read.label)
        return found


# --- statements -----------------------------------------------------------------------------


@lru_cache(maxsize=256)
def statements(source: str) -> tuple[Statement, ...]:
    """The statements of a cell, without what its claims are about; none of a cell that is no Python.

    >>> [(sorted(s.uses), sorted(s.gives)) for s in statements("a = b + c; verify('eq 7', derived=a)")]
    [(['b', 'c'], ['a']), (['a'], [])]
    """
    try:
        parsed = ast.parse(source).body
    except SyntaxError:  # a reader's cell that did not run
        return ()
    return tuple(map(_statement, parsed))


def _statement(node: ast.stmt) -> Statement:
    plain = ast.fix_missing_locations(_WithoutClaims().visit(ast.parse(ast.unparse(node))))
    table = symtable.symtable(ast.unparse(plain), "cell", "exec")
    gives = {s.get_name() for s in table.get_symbols() if s.is_assigned() or s.is_imported()}
    renews = gives if isinstance(node, ast.Assign | ast.FunctionDef | ast.Import | ast.ImportFrom) else set()
    changed = {name for part in ast.walk(node) for name in _changed(part)}
    uses = frozenset(_globals(table))
    return Statement(node, uses, frozenset(gives | changed), frozenset(renews - uses))


class _WithoutClaims(ast.NodeTransformer):
    """Leaves of each claim what was derived: the rest is what it is about."""

    def visit_Call(self, node: ast.Call) -> ast.expr:
        if not _is_claim(node):
            return self.generic_visit(node)
        return _derived(node) or ast.Constant(None)


def _globals(table: symtable.SymbolTable) -> set[str]:
    """Names of the page that a statement reads, in functions and comprehensions too."""
    top = table.get_type() == "module"
    own = {s.get_name() for s in table.get_symbols() if s.is_referenced() and (top or s.is_global())}
    return own.union(*map(_globals, table.get_children()))


def _changed(part: ast.AST) -> Iterable[str]:
    """The name of what a part of a statement changes in place: x[0] = 1, x.y = 1, x += 1, x.append(1)."""
    if isinstance(part, ast.AugAssign) and isinstance(part.target, ast.Name):
        yield part.target.id
    stored = isinstance(part, ast.Subscript | ast.Attribute) and isinstance(part.ctx, ast.Store)
    called = isinstance(part, ast.Expr) and isinstance(part.value, ast.Call)
    changed = part.value.func if called else part if stored else None
    while isinstance(changed, ast.Subscript | ast.Attribute):
        changed = changed.value
        if isinstance(changed, ast.Name):
            yield changed.id


# --- claims and places ----------------------------------------------------------------------


def _is_claim(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == VERIFY


def _claims(node: ast.stmt) -> list[ast.Call]:
    return [part for part in ast.walk(node) if _is_claim(part)]


def _call(node: ast.stmt, line: int) -> ast.Call | None:
    """The claim that stands on a line of a statement; None where a function makes it."""
    return next((claim for claim in _claims(node) if _has(claim, line)), None)


def _derived(claim: ast.Call) -> ast.expr | None:
    return next((keyword.value for keyword in claim.keywords if keyword.arg == DERIVED), None)


def _names(claim: ast.Call) -> frozenset[str]:
    """The names of the page that stand in what a claim derived."""
    derived = _derived(claim)
    return _statement(ast.Expr(derived)).uses if derived else frozenset()


def _has(node: ast.AST, line: int) -> bool:
    return node.lineno <= line <= node.end_lineno


def _covers(node: ast.AST, read) -> bool:
    start, end = (node.lineno, node.col_offset), (node.end_lineno, node.end_col_offset)
    return start <= (read.line, read.column) < end


def _is_among(value, derived: set[sp.Basic]) -> bool:
    """Whether a value is one of the sides that were derived, or several; a single letter says nothing."""
    if isinstance(value, dict):
        value = tuple(value.values())
    sides = [value] if isinstance(value, sp.Expr) else value
    if not isinstance(sides, list | tuple | sp.MatrixBase):
        return False
    sides = [side for side in sides if not (isinstance(side, sp.Basic) and side.is_Atom)]
    return bool(sides) and all(isinstance(side, sp.Basic) and side in derived for side in sides)


def _in_order(label: str) -> tuple:
    digits = "".join(c for c in label if c.isdigit())
    return (not label.isdigit(), int(digits or 0), label)


page = Derivation()
"""The one of this kernel."""

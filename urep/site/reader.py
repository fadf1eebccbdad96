"""What the Python of a reader's browser does: the lines that lead to a verdict, and answers to exercises.

`book/_static/prove_worker.js` calls it. It runs wherever SymPy does, and needs nothing else: no NumPy.
"""

from __future__ import annotations

import contextlib
import io
import traceback
from collections.abc import Mapping
from unittest import mock

import sympy as sp
from sympy.core.function import AppliedUndef
from sympy.parsing import sympy_parser

from .. import checks, equations
from ..equations.algebra import compare

CELLS = "<cells>"
"""What a traceback calls the text that a reader runs."""

POINTS = ((2, 3, 5, 7, 11, 13), (1, 4, 2, 9, 3, 6), (9, 1, 7, 2, 8, 3))
"""Values at which an answer is tried, letter by letter, before the prover looks for any."""


def run(text: str) -> dict:
    """Run a program as a chapter's cells are run: its verdicts, what it printed, and what stopped it.

    A verdict comes with its anchor, its HTML and its plain form. Of a claim that does not hold the message
    alone is told, of another exception the line as well.
    """
    verdicts, printed, stopped = [], io.StringIO(), None

    def verify(item, claim, **evidence):
        """As `urep.verify`, which would need IPython to show the verdict."""
        verdict = checks.check(item, claim, **evidence)
        verdicts.append({"anchor": verdict.anchor, "html": verdict._repr_html_(), "plain": repr(verdict)})

    with mock.patch.object(checks, "verify", verify), contextlib.redirect_stdout(printed):
        try:
            exec(compile(text, CELLS, "exec"), {"__name__": "__main__"})
        except BaseException as error:  # whatever a reader's lines raise is what is to be shown, exit() too
            stopped = _told(error)
    return {"verdicts": verdicts, "printed": printed.getvalue(), "stopped": stopped}


def _told(error: BaseException) -> dict:
    if isinstance(error, checks.ClaimFailed):
        return {"refused": True, "message": str(error)}
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == CELLS]
    line = error.lineno if isinstance(error, SyntaxError) else lines[-1] if lines else None
    where = f"line {line}: " if line else ""
    what = error.msg if isinstance(error, SyntaxError) else error
    words = f"{type(error).__name__}: {what}".removesuffix(": ")
    return {"refused": False, "message": f"{where}{words}"}


# --- answers --------------------------------------------------------------------------------


def answer(program: str, wanted: str, text: str) -> dict:
    """Hold what a reader typed against the answer of the book, an expression that is read after a program.

    The outcome is "equal", "different", "undecided" or, where the text is no answer, "unread".
    """
    names: dict[str, object] = {}
    exec(compile(program, CELLS, "exec"), names)
    book = sp.sympify(eval(wanted, names))
    try:
        own = read(text, letters(names))
    except ValueError as error:
        return {"outcome": "unread", "message": str(error)}
    values = _apart(own, book)
    if values:
        return {"outcome": "different", "message": values}
    found = compare(own, book)
    told = {
        "equal": "This is the book's answer: algebra proves the difference to be zero.",
        "different": f"This is not the book's answer: {found.detail}.",
        "undecided": "Neither proved equal to the book's answer nor told apart from it; try another form.",
    }
    return {"outcome": found.outcome, "message": told[found.outcome]}


def letters(names: Mapping[str, object]) -> dict[str, sp.Basic]:
    """The letters that an answer may have, by their Python names: the book's, and those of a program."""
    kinds = sp.Symbol | sp.MatrixSymbol | AppliedUndef
    own = {name: getattr(equations, name) for name in equations.__all__} | dict(names)
    return {name: letter for name, letter in own.items() if isinstance(letter, kinds)}


def read(text: str, known: Mapping[str, sp.Basic]) -> sp.Expr:
    """An expression that a reader typed, with the letters known; ValueError says what is wrong with it."""
    if not text.strip():
        raise ValueError("Type an expression, such as log(2)/tau_h.")
    rules = (*sympy_parser.standard_transformations, sympy_parser.convert_xor)
    try:
        found = sympy_parser.parse_expr(text, local_dict=dict(known), transformations=rules)
    except Exception as error:  # the parser evaluates the text, which may raise anything
        raise ValueError(f"SymPy cannot read {text.strip()!r}: {error}") from error
    if not isinstance(found, sp.Expr):
        raise ValueError(f"{text.strip()!r} is not an expression but {found!r}.")
    strange = sorted(str(letter) for letter in found.free_symbols - set(known.values()))
    if strange:
        raise ValueError(f"{', '.join(strange)} is no letter of the book; tau_h is written so, and A_high.")
    rounded = sorted(map(str, found.atoms(sp.Float)))
    if rounded:
        raise ValueError(f"{rounded[0]} is rounded: write 1/3, or sqrt(2).")
    return found


def _apart(own: sp.Expr, book: sp.Expr) -> str:
    """The first values of the letters at which two expressions differ, and theirs there; or nothing."""
    functions = own.atoms(AppliedUndef) | book.atoms(AppliedUndef)
    stands = {function: sp.Dummy(function.func.__name__) for function in functions}
    own, book = own.xreplace(stands), book.xreplace(stands)
    free = sorted(own.free_symbols | book.free_symbols, key=lambda letter: letter.name)
    for point in POINTS:
        values = dict(zip(free, (sp.Integer(n) for n in point * len(free)), strict=False))
        mine, theirs = (side.subs(values).evalf(30) for side in (own, book))
        if not all(side.is_number and side.is_finite for side in (mine, theirs)):
            continue
        if abs(mine - theirs) > sp.Float("1e-20") * (1 + abs(theirs)):
            at = ", ".join(f"{letter.name} = {value}" for letter, value in values.items())
            where = f"At {at} y" if at else "Y"
            return f"{where}our answer is {mine.n(5)}, the book's is {theirs.n(5)}."
    return ""

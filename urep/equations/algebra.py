"""The prover of symbolic claims.

Two expressions are *equal* when algebra proves it and *different* when a number tells them apart. Where
neither is found they are *undecided*, which is no evidence for anything.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import sympy as sp
from sympy.core.function import AppliedUndef

from .registry import Equation, without_its_left

POINTS = 4
"""Number of random points at which two expressions are compared."""

DIGITS = 40
"""Decimal digits to which they are evaluated there."""

AGREE = 1e-25
"""Largest difference, relative to the larger of two values, that rounding could explain."""

NOISE = 1e-50
"""Largest value that SymPy can return for an expression that is exactly zero."""


class Comparison(NamedTuple):
    """What was found out about two expressions: "equal", "different" or "undecided", and by what."""

    outcome: str
    detail: str = ""


def compare(a: sp.Expr, b: sp.Expr) -> Comparison:
    """Prove two expressions equal, or tell them apart by a number; a false claim takes no time."""
    if a == b:
        return Comparison("equal")
    detail = told_apart(a, b)
    if detail:
        return Comparison("different", detail)
    rest = residue(a - b)
    if rest == 0:
        return Comparison("equal")
    return Comparison("undecided", f"neither proved equal nor told apart, a difference is left: {rest}")


# --- lines of a claim -----------------------------------------------------------------------


def lines(given) -> tuple[sp.Expr | sp.Rel, ...]:
    """The lines of a claim, in order, each an expression or a relation.

    Takes an Equation, a relation, a mapping {left: right}, a pair (left, right) inside a list or tuple, an
    expression, or a list or tuple of these. Raises TypeError for anything else.
    """
    if isinstance(given, Mapping):
        given = list(given.items())
    if not isinstance(given, tuple | list):
        given = [given]
    return tuple(line for part in given for line in _lines(part))


def _lines(part) -> tuple[sp.Expr | sp.Rel, ...]:
    if isinstance(part, Equation):
        return part.relations
    if isinstance(part, tuple | list) and len(part) == 2:
        return (sp.Eq(*_expressions(part), evaluate=False),)
    if isinstance(part, sp.Eq | sp.Le | sp.Ge):
        return (part,)
    return _expressions([part])


def _expressions(parts: Iterable) -> tuple[sp.Expr, ...]:
    for part in parts:
        if not isinstance(part, sp.Expr | int):
            raise TypeError(
                f"a symbolic claim compares SymPy expressions, or both sides of relations, got {part!r}; "
                "give a relation that SymPy decides by itself as {left: right}"
            )
    return tuple(map(sp.sympify, parts))


def paired(derived, other, name: str) -> tuple[tuple, tuple]:
    """The lines of both, as many in one as in the other, of the same kind."""
    ours, theirs = lines(derived), lines(other)
    if len(ours) != len(theirs):
        raise ValueError(f"derived and {name} must have equal length, got {len(ours)} and {len(theirs)}")
    for one, two in zip(ours, theirs, strict=True):
        if hasattr(one, "rel_op") != hasattr(two, "rel_op"):
            raise TypeError(
                f"derived and {name} must both have two sides, or neither: got {one} and {two}; "
                "give derived as {left: right} where an equation is registered"
            )
    return ours, theirs


def require_whole_equations(registered) -> None:
    """Refuse a registered right-hand side that comes without its equation: its left would go unchecked."""
    parts = registered if isinstance(registered, tuple | list) else [registered]
    for line in (line for part in parts if not isinstance(part, Equation) for line in lines(part)):
        owner = without_its_left(line)
        if owner is not None:
            raise TypeError(
                f"registered is a right-hand side of ({owner.number}) without its left: give the equation, "
                "registered=paper[n] or book[label], or one line of it, paper[n].line(1)"
            )


def difference(derived: sp.Expr | sp.Rel, registered: sp.Expr | sp.Rel) -> tuple[str, Comparison]:
    """The first part of two lines that is not proved equal, or the last one: its name, how it compares."""
    kinds = [getattr(line, "rel_op", None) for line in (derived, registered)]
    if kinds[0] != kinds[1]:
        return "relation", Comparison("different", f"{kinds[0]} is not {kinds[1]}")
    if kinds[0] is None:
        return "expression", compare(derived, registered)
    left = compare(derived.lhs, registered.lhs)
    if left.outcome != "equal":
        return "left-hand side", left
    return "right-hand side", compare(derived.rhs, registered.rhs)


# --- told apart by a number -----------------------------------------------------------------


def told_apart(a: sp.Expr, b: sp.Expr) -> str:
    """The shapes, or the values at a random point, that tell two expressions apart; else nothing.

    Each letter is drawn where its assumptions allow it to be, a letter without any from the complex plane.
    Functions and their derivatives are letters too, and matrices of any size have some size. Points at which
    a value is not finite say nothing.
    """
    if _shape(a) != _shape(b):
        return f"one has the shape {_shape(a)}, the other {_shape(b)}"
    a, b = (_with_derivatives_taken(side) for side in (a, b))
    for seed in range(POINTS):
        point = _point((a, b), random.Random(seed))
        for one, other in zip(_values(a, point), _values(b, point), strict=True):
            if not (one.is_number and other.is_number and one.is_finite and other.is_finite):
                continue
            size = max(abs(one), abs(other))
            if abs(one - other) > max(NOISE, AGREE * size):
                return f"at a random point one is {one.n(6)}, the other {other.n(6)}"
    return ""


def _shape(expr: sp.Expr) -> tuple:
    return getattr(expr, "shape", ())


def _with_derivatives_taken(expr: sp.Expr) -> sp.Expr:
    """The same with derivatives of functions of time only, which stand for numbers."""
    if not expr.has(sp.Derivative):
        return expr
    return expr.replace(lambda part: isinstance(part, sp.Derivative), lambda part: part.doit())


def _point(expressions: Iterable[sp.Expr], draw: random.Random) -> list[dict]:
    """Replacements, one kind after the other, that leave numbers of some expressions.

    First derivatives, then functions, then matrices, sizes and letters together.
    """
    together = sp.Tuple(*expressions)
    steps = []
    for kind in (sp.Derivative, AppliedUndef):
        found = sorted(together.atoms(kind), key=str)
        steps.append({part: sp.Dummy(str(part), **part.assumptions0) for part in found})
        together = together.xreplace(steps[-1])
    matrices = sorted(together.atoms(sp.MatrixSymbol), key=str)
    lengths = set().union(*(n.free_symbols for matrix in matrices for n in matrix.shape))
    values = {n: sp.Integer(2 + i) for i, n in enumerate(sorted(lengths, key=str))}
    for matrix in matrices:
        rows, columns = (n.xreplace(values) for n in matrix.shape)
        values[matrix] = sp.ImmutableMatrix(rows, columns, lambda *_: _real(draw))
    for letter in sorted(together.atoms(sp.Symbol) - set(values), key=str):
        values[letter] = _drawn(letter, draw)
    return [*steps, values]


def _drawn(letter: sp.Symbol, draw: random.Random) -> sp.Expr:
    """A number that the assumptions of a letter allow."""
    size = sp.Integer(draw.randint(1, 6)) if letter.is_integer else abs(_real(draw))
    if letter.is_nonnegative:
        return size
    if letter.is_nonpositive:
        return -size
    if letter.is_extended_real:
        return size * draw.choice((-1, 1))
    return _real(draw) + sp.I * _real(draw)


def _real(draw: random.Random) -> sp.Rational:
    return sp.Rational(draw.randint(200, 3000) * draw.choice((-1, 1)), 1013)


def _values(expr: sp.Expr, point: list[dict]) -> list[sp.Expr]:
    """Value of an expression, or of all entries of a matrix, at a point; NaN where it has none."""
    if expr.has(sp.Integral, sp.Limit, sp.Subs):
        return [sp.nan]  # these are for algebra
    for replacements in point:
        expr = expr.xreplace(replacements)
    value = expr.doit()
    entries = list(value) if isinstance(value, sp.MatrixBase) else [value]
    return [entry.evalf(DIGITS) for entry in entries]


# --- proved by algebra ----------------------------------------------------------------------


def residue(difference):
    """What is left of a difference after exact simplification: zero is a proof, no sampling."""
    if isinstance(difference, sp.MatrixExpr):
        rest = difference.doit().expand().doit()
        return sp.S.Zero if rest.is_ZeroMatrix else rest
    if difference.has(sp.Trace):  # which SymPy's simplifiers do not know: letters from here on
        difference = expand_traces(difference)
        difference = difference.xreplace(
            {trace: sp.Dummy(str(trace)) for trace in difference.atoms(sp.Trace)}
        )
    steps = (
        sp.expand,
        lambda e: sp.expand(e.rewrite(sp.exp)),
        lambda e: sp.cancel(sp.together(sp.expand_power_base(e.rewrite(sp.exp)))),
        sp.simplify,
        lambda e: sp.simplify(sp.radsimp(sp.sqrtdenest(e))),
        lambda e: sp.expand(e.replace(lambda x: x.is_Pow, lambda x: sp.factor(x.base) ** x.exp)),
    )
    for step in steps:
        rest = step(difference)
        if rest == 0:
            return rest
    return rest


def expand_traces(expr):
    """An expression with its traces expanded to products of scalar products, in one normal form.

    The trace of a product of matrices does not change when it is rotated or transposed, and where a
    row meets a column it is the product of two numbers. What is equal by these rules looks equal.
    """

    def terms(argument):
        argument = argument.doit().expand().doit()
        products = argument.args if isinstance(argument, sp.MatAdd) else (argument,)
        return sp.Add(*(_loops(product) for product in products))

    return sp.expand(expr.replace(sp.Trace, terms)) if expr.has(sp.Trace) else expr


def _loops(product):
    """The trace of one product, as a number times the traces of its closed loops."""
    number, rest = product.as_coeff_mmul()
    factors = list(rest.args) if isinstance(rest, sp.MatMul) else [rest]
    begins = [n for n, factor in enumerate(factors) if factor.shape[0] == 1]
    if begins:
        factors = factors[begins[0] :] + factors[: begins[0]]
        begins = [n - begins[0] for n in begins]
    else:
        begins = [0]
    loops = [factors[i:j] for i, j in zip(begins, [*begins[1:], len(factors)], strict=True)]
    return number * sp.Mul(*(_loop(loop) for loop in loops))


def _loop(factors: list):
    """The trace of one loop: of its rotations and their transposes, the first in the alphabet."""
    turned = [factors[n:] + factors[:n] for n in range(len(factors))]
    products = [sp.MatMul(*word).doit() for word in turned]
    return min((sp.Trace(m) for p in products for m in (p, p.T.doit())), key=str)


def assumptions(*expressions) -> tuple[str, ...]:
    """The assumptions, in words, that the letters of some expressions carry."""
    letters = set().union(*(e.free_symbols | e.atoms(AppliedUndef) for e in expressions))
    words: dict[str, list[str]] = {}
    for letter in sorted(letters, key=str):
        name = letter.func.__name__ if letter.is_Function else letter.name
        for word in ("positive", "nonnegative", "nonzero", "real"):
            if getattr(letter, f"is_{word}"):
                words.setdefault(word, []).append(name)
                break
    sign = {"positive": "> 0", "nonnegative": "≥ 0", "nonzero": "≠ 0", "real": "real"}
    return tuple(f"{', '.join(names)} {sign[word]}" for word, names in words.items())

"""The prover of symbolic claims.

Two expressions are *equal* when algebra proves it and *different* when a number tells them apart. Where
neither is found they are *undecided*, which is no evidence for anything.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import sympy as sp
from sympy.concrete.expr_with_limits import ExprWithLimits
from sympy.core.function import AppliedUndef

from .registry import Equation, with_line, without_its_left

POINTS = 4
"""Number of random points at which two expressions are compared."""

PRECISIONS = ((60, 500), (120, 1000))
"""Decimal digits to which they are evaluated there, twice, and the digits that SymPy may work with for it.

A term that cancels to nothing leaves rounding errors in its place, which differ between the two.
"""

AGREE = 1e-25
"""Largest relative difference that rounding could explain."""

BOUND = (ExprWithLimits, sp.Limit, sp.Subs, sp.Lambda)
"""What has letters of its own, for which no number may be put: such expressions are for algebra."""


class Comparison(NamedTuple):
    """What was found out about two expressions: "equal", "different" or "undecided", and by what."""

    outcome: str
    detail: str = ""


def compare(a: sp.Expr, b: sp.Expr) -> Comparison:
    """Prove two expressions equal, or tell them apart by a number; a false claim takes no time.

    Raises TypeError for floating-point numbers, which are rounded: they prove nothing.
    """
    for name, side in (("a", a), ("b", b)):
        _require_exact(side, name)
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
    return tuple(line for part in _parts(given) for line in _lines(part))


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
    """The lines of both, as many in one as in the other, of the same kind, exact and finite."""
    ours, theirs = lines(derived), lines(other)
    if len(ours) != len(theirs):
        raise ValueError(f"derived and {name} must have equal length, got {len(ours)} and {len(theirs)}")
    if not ours:
        raise ValueError("derived must have at least one line, got none")
    for one, two in zip(ours, theirs, strict=True):
        if hasattr(one, "rel_op") != hasattr(two, "rel_op"):
            raise TypeError(
                f"derived and {name} must both have two sides, or neither: got {one} and {two}; "
                "give derived as {left: right} where an equation is registered"
            )
    for whose, given in (("derived", ours), (name, theirs)):
        for side in (side for line in given for side in _sides(line)):
            _require_exact(side, whose)
            _require_finite(side, whose)
    if not any(map(_has_letters, (*ours, *theirs))):
        raise ValueError(
            f"derived and {name} must have a letter, got {ours} and {theirs}: numbers alone say nothing "
            "of an equation; give both sides, derived={left: right}"
        )
    return ours, theirs


def _has_letters(line: sp.Expr | sp.Rel) -> bool:
    return any(side.free_symbols or side.atoms(AppliedUndef) for side in _sides(line))


def _sides(line: sp.Expr | sp.Rel) -> tuple[sp.Expr, ...]:
    return (line.lhs, line.rhs) if isinstance(line, sp.Rel) else (line,)


def _require_exact(side: sp.Expr, name: str) -> None:
    rounded = sorted(side.atoms(sp.Float))
    if rounded:
        raise TypeError(
            f"{name} has the floating-point number {rounded[0]}, which is rounded: give sp.Rational"
        )


def _require_finite(side: sp.Expr, name: str) -> None:
    infinite = side.has(sp.oo, -sp.oo) and not side.has(*BOUND)  # which may have infinite limits
    if infinite or side.has(sp.nan, sp.zoo):
        raise ValueError(f"{name} must have finite sides, got {side}")


def registered_numbers(registered) -> list[set[int | str]]:
    """Numbers of the registered equations that some lines come from.

    One set for each whole equation, and for each line of one, which several may have.
    """
    numbers = [
        {part.number} if isinstance(part, Equation) else {e.number for e in with_line(line)}
        for part in _parts(registered)
        for line in lines([part])
    ]
    return [those for those in numbers if those]


def _parts(given) -> Iterable:
    """Equations and lines of what was given; a pair (left, right) stays together."""
    if isinstance(given, Mapping):
        return list(given.items())
    return given if isinstance(given, tuple | list) else [given]


def require_whole_equations(registered, own: Iterable[Equation] = ()) -> None:
    """Refuse a registered right-hand side that comes without its equation: its left would go unchecked.

    That of any equation as it is written, those of `own` equations in any other form too.
    """
    whole = lines([part for part in _parts(registered) if isinstance(part, Equation)])
    for line in lines(registered):
        owner = None if line in whole else without_its_left(line) or _rewritten(line, own)
        if owner is not None:
            raise TypeError(
                f"registered is a right-hand side of ({owner.number}) without its left: give the equation, "
                "registered=paper[n] or book[label], or one line of it, paper[n].line(1)"
            )


def _rewritten(line: sp.Expr | sp.Rel, own: Iterable[Equation]) -> Equation | None:
    """The one of some equations whose right-hand side a line has the value of, but not the left one."""
    *left, right = _sides(line)
    if right.is_Atom:
        return None
    alike = [
        (e, relation.lhs)
        for e in own
        for relation in e.relations
        if not relation.rhs.is_Atom and compare(right, relation.rhs).outcome == "equal"
    ]
    if any(compare(one, other).outcome == "equal" for one in left for _, other in alike):
        return None
    return alike[0][0] if alike else None


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


class _NoValue(Exception):
    """An expression has no value at a point."""


def told_apart(a: sp.Expr, b: sp.Expr) -> str:
    """The shapes, or the values at a random point, that tell two expressions apart; else nothing.

    Each letter is drawn where its assumptions allow it to be, a letter without any from the complex plane.
    Functions and their derivatives have a value for each value of their arguments, and matrices of any size
    have some size. Points at which a value is not finite, or lost to rounding, say nothing.
    """
    if _shape(a) != _shape(b):
        return f"one has the shape {_shape(a)}, the other {_shape(b)}"
    if a.has(*BOUND) or b.has(*BOUND):
        return ""
    a, b = (_with_derivatives_taken(side) for side in (a, b))
    for seed in range(POINTS):
        point = _Point((a, b), random.Random(seed))
        try:
            pairs = list(zip(point.entries(a), point.entries(b), strict=True))
        except _NoValue:
            continue
        for one, other in pairs:
            if _differ(one, other):
                return f"at a random point one is {one.n(6)}, the other {other.n(6)}"
    return ""


def _shape(expr: sp.Expr) -> tuple:
    return getattr(expr, "shape", ())


def _with_derivatives_taken(expr: sp.Expr) -> sp.Expr:
    """The same with derivatives of functions of time only, which stand for numbers."""
    if not expr.has(sp.Derivative):
        return expr
    return expr.replace(lambda part: isinstance(part, sp.Derivative), lambda part: part.doit())


def _differ(one: sp.Expr, other: sp.Expr) -> bool:
    """Whether two numbers differ by more than rounding, and by the same at either precision."""
    if not (one.is_number and other.is_number):
        return False
    gaps = []
    for digits, most in PRECISIONS:
        values = [side.evalf(digits, maxn=most) for side in (one, other)]
        if not all(value.is_number and value.is_finite for value in values):
            return False
        gaps.append(values[0] - values[1])
    rough, fine = gaps
    return bool(abs(fine) > AGREE * max(map(abs, values)) and abs(rough - fine) <= AGREE * abs(fine))


class _Point:
    """A random point: a number for each letter, and for each function at each value of its arguments."""

    def __init__(self, expressions: Iterable[sp.Expr], draw: random.Random):
        together = sp.Tuple(*expressions)
        matrices = sorted(together.atoms(sp.MatrixSymbol), key=str)
        lengths = set().union(*(n.free_symbols for matrix in matrices for n in matrix.shape))
        values = {n: sp.Integer(2 + i) for i, n in enumerate(sorted(lengths, key=str))}
        for matrix in matrices:
            rows, columns = (n.xreplace(values) for n in matrix.shape)
            values[matrix] = sp.ImmutableMatrix(rows, columns, lambda *_: _real(draw))
        for letter in sorted(together.atoms(sp.Symbol) - set(values), key=str):
            values[letter] = _drawn(letter, draw)
        self._values, self._draw = values, draw
        self._functions: list[tuple] = []

    def entries(self, expr: sp.Expr) -> list[sp.Expr]:
        """The exact value of an expression, or of all entries of a matrix."""
        value = self._at(expr).doit()
        value = value.as_explicit() if isinstance(value, sp.MatrixExpr) else value
        entries = list(value) if isinstance(value, sp.MatrixBase) else [value]
        if any(entry.has(sp.MatrixBase, sp.MatrixExpr) for entry in entries):
            raise _NoValue(expr)
        return entries

    def _at(self, expr: sp.Basic) -> sp.Basic:
        if expr in self._values:
            return self._values[expr]
        if isinstance(expr, sp.Derivative):
            return self._function(expr.expr, _orders(expr))
        if isinstance(expr, AppliedUndef):
            return self._function(expr, (0,) * len(expr.args))
        return expr.func(*map(self._at, expr.args)) if expr.args else expr

    def _function(self, applied: sp.Expr, orders: tuple[int, ...]) -> sp.Expr:
        """The value of a function, or of a derivative of some orders: one for one value of its arguments."""
        arguments = [self._at(argument) for argument in applied.args]
        for function, known_orders, known, value in self._functions:
            if (function, known_orders) == (applied.func, orders) and all(map(_close, arguments, known)):
                return value
        real = applied.is_extended_real and any(orders)  # a derivative keeps no sign
        value = _real(self._draw) if real else _drawn(sp.Dummy() if any(orders) else applied, self._draw)
        self._functions.append((applied.func, orders, arguments, value))
        return value


def _orders(derivative: sp.Derivative) -> tuple[int, ...]:
    """Of a derivative of a function, its order in each of the arguments."""
    function, counts = derivative.expr, dict(derivative.variable_count)
    if not isinstance(function, AppliedUndef):
        raise _NoValue(derivative)
    orders = tuple(counts.get(argument, 0) for argument in function.args)
    inner = [a for a in function.args if a not in counts and a.free_symbols & set(counts)]
    if inner or len(set(function.args)) < len(function.args):
        raise _NoValue(derivative)
    return orders


def _close(one: sp.Expr, other: sp.Expr) -> bool:
    """Whether two arguments of a function may be one number; NoValue where neither that nor another."""
    if one == other:
        return True
    if not (one.is_number and other.is_number):
        raise _NoValue(one)
    return not _differ(one, other)


def _drawn(letter: sp.Expr, draw: random.Random) -> sp.Expr:
    """A number that the assumptions of a letter, or of a function, allow."""
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
    if difference.has(sp.Sum, sp.Product):
        difference = difference.doit(integrals=False)
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
    rotations = [factors[n:] + factors[:n] for n in range(len(factors))]
    products = [sp.MatMul(*word).doit() for word in rotations]
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

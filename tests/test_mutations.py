"""Every registered equation, mutated every which way, is told from what the executed chapters derived.

`verify` leaves both sides of a symbolic claim in its record. A claim guards an equation when its
registered side is that equation; a mutant dies when it differs from the derived side of a guard.
"""

import random

import pytest
import sympy as sp

from urep import equations as eq
from urep import paper

LETTERS = {q.name: q.symbol.func if q.symbol.is_Function else q.symbol for q in eq.NOTATION}
LETTERS |= {"phi1": eq.phi1, "Derivative": sp.Derivative}
EQUATIONS = [*eq.paper.values(), *eq.book.values()]


def mutants(expr):
    """Expressions with one thing wrong: a sign, a lost term or factor, a factor 2, an exponent."""
    yield -expr
    yield 2 * expr
    yield from _inside(expr)


def _inside(expr):
    if isinstance(expr, sp.Add | sp.Mul):
        for index, argument in enumerate(expr.args):
            others = expr.args[:index] + expr.args[index + 1 :]
            yield expr.func(*others)
            if isinstance(expr, sp.Add):
                yield expr.func(-argument, *others)
                yield expr.func(2 * argument, *others)
    if isinstance(expr, sp.Pow):
        yield sp.Pow(expr.base, expr.exp + 1)
        yield sp.Pow(expr.base, -expr.exp)
    if isinstance(expr, sp.exp):
        yield sp.exp(-expr.args[0])
    if isinstance(expr, sp.Add | sp.Mul | sp.Pow | sp.exp):
        for index, argument in enumerate(expr.args):
            for changed in _inside(argument):
                yield expr.func(*expr.args[:index], changed, *expr.args[index + 1 :])


def guards(equation):
    """Derived sides of the claims whose registered side is this equation."""
    sides = equation.rhs if isinstance(equation.rhs, tuple) else (equation.rhs,)
    found = [
        r.fields["derived"]
        for r in paper.records()
        if r.fields["kind"] == "symbolic" and r.fields["registered"] == [str(side) for side in sides]
    ]  # fmt: skip
    return sides, [[sp.sympify(text, locals=LETTERS) for text in derived] for derived in found]


def value(expr, point):
    """A number that two expressions share only if they are equal, or by a freak of chance."""
    flat = expr.replace(lambda e: isinstance(e, sp.Derivative), lambda e: sp.Symbol(f"D_{e.expr.func}"))
    functions = {f: sp.Symbol(str(f.func)) for f in flat.atoms(sp.core.function.AppliedUndef)}
    flat = flat.xreplace(functions)
    for letter in flat.free_symbols:
        drawn = random.Random(letter.name).randint(10**5, 10**6)
        point.setdefault(letter.name, sp.Rational(drawn, 5 * 10**5))
    numbers = {letter: point[letter.name] for letter in flat.free_symbols}
    return complex(flat.xreplace(numbers).rewrite(sp.exp).evalf(40))


def differ(a, b):
    point = {}
    left, right = value(a, point), value(b, point)
    return abs(left - right) > 1e-25 * (abs(left) + abs(right))


@pytest.mark.parametrize("equation", EQUATIONS, ids=lambda e: f"({e.number})")
def test_each_registered_equation_is_derived_somewhere_and_no_mutant_of_it_survives(
    equation, record_property
):
    sides, derived = guards(equation)
    assert derived, f"no executed chapter derives equation ({equation.number}) as it is registered now"
    killed = total = 0
    for line, side in enumerate(sides):
        assert not any(differ(side, d[line]) for d in derived)
        for mutant in mutants(side):
            if mutant == side:
                continue
            total += 1
            killed += any(differ(mutant, d[line]) for d in derived)
    record_property("mutation score", f"{killed}/{total}")
    print(f"equation ({equation.number}): {killed} of {total} mutants die")
    assert killed == total
    assert total >= 4

"""Every registered equation, mutated every which way, is told from what the executed chapters derived.

`verify` leaves both sides of a symbolic claim in its record. A claim guards an equation when its
registered side is that equation; a mutant dies when it differs from the derived side of a guard.
"""

import random

import pytest
import sympy as sp

from urep import equations as eq
from urep.site import verdicts

LETTERS = {q.name: q.symbol.func if q.symbol.is_Function else q.symbol for q in eq.NOTATION}
LETTERS |= {"phi1": eq.phi1, "Derivative": sp.Derivative}
EQUATIONS = [*eq.paper.values(), *eq.book.values()]
SUM, PRODUCT = sp.Add | sp.MatAdd, sp.Mul | sp.MatMul
SIZE = {eq.n_x: 2, eq.n_h: 3, eq.n_y: 2, eq.n_p: 3}
"""In which vectors and matrices are evaluated: no two of them commute, none is square by accident."""


def mutants(expr):
    """Expressions with one thing wrong: a sign, a lost term or factor, a factor 2, an exponent."""
    yield -expr
    yield 2 * expr
    yield from _inside(expr)


def _inside(expr):
    if isinstance(expr, SUM | PRODUCT):
        for index, argument in enumerate(expr.args):
            others = expr.args[:index] + expr.args[index + 1 :]
            if not (isinstance(expr, sp.MatMul) and isinstance(argument, sp.MatrixExpr)):
                yield expr.func(*others)  # without a matrix a product has no shape
            if isinstance(expr, SUM):
                yield expr.func(-argument, *others)
                yield expr.func(2 * argument, *others)
    if isinstance(expr, sp.Pow):
        yield sp.Pow(expr.base, expr.exp + 1)
        yield sp.Pow(expr.base, -expr.exp)
    if isinstance(expr, sp.exp):
        yield sp.exp(-expr.args[0])
    if isinstance(expr, SUM | PRODUCT | sp.Pow | sp.exp | sp.erf | sp.Trace):
        for index, argument in enumerate(expr.args):
            for changed in _inside(argument):
                yield expr.func(*expr.args[:index], changed, *expr.args[index + 1 :])


def guards(equation):
    """Derived sides of the claims whose registered side is this equation."""
    sides = equation.rhs if isinstance(equation.rhs, tuple) else (equation.rhs,)
    found = [
        r.fields["derived"]
        for r in verdicts.records()
        if r.fields["kind"] == "symbolic" and r.fields["registered"] == [str(side) for side in sides]
    ]  # fmt: skip
    return sides, [[sp.sympify(text, locals=LETTERS) for text in derived] for derived in found]


def drawn(name):
    """A rational number that belongs to a name."""
    return sp.Rational(random.Random(name).randint(10**5, 10**6), 5 * 10**5)


def value(expr):
    """Numbers that two expressions share only if they are equal, or by a freak of chance."""
    flat = expr.replace(
        lambda e: isinstance(e, sp.Derivative),
        lambda e: sp.Symbol("D" * e.derivative_count + f"_{e.expr.func}"),
    )
    functions = {f: sp.Symbol(str(f.func)) for f in flat.atoms(sp.core.function.AppliedUndef)}
    flat = flat.xreplace(functions)
    letters = flat.atoms(sp.Symbol) - set(SIZE)
    flat = flat.xreplace({z: sp.MatrixSymbol(z.name, *(SIZE.get(n, n) for n in z.shape))
                          for z in flat.atoms(sp.MatrixSymbol)})  # fmt: skip
    flat = flat.xreplace({z: sp.ImmutableMatrix(*z.shape, lambda i, j, z=z: drawn(f"{z.name}{i}{j}"))
                          for z in flat.atoms(sp.MatrixSymbol)})  # fmt: skip
    flat = flat.xreplace({z: drawn(z.name) for z in letters}).doit().rewrite(sp.exp)
    entries = list(flat) if isinstance(flat, sp.MatrixBase) else [flat]
    return [complex(entry.evalf(40)) for entry in entries]


def differ(a, b):
    left, right = value(a), value(b)
    pairs = zip(left, right, strict=True)
    return any(abs(x - y) > 1e-25 * (abs(x) + abs(y)) for x, y in pairs)


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

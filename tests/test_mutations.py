"""Mutations of the registered equations, both sides of each line, against what the chapters derive.

`verify` leaves the lines of a symbolic claim in its record, "left = right". A claim guards an equation when
its registered lines are that equation; a mutant dies when it differs from the derived line of a guard. That
the derivations themselves turn red, and do not follow the registry, is asked of some at the end, by running
their cells again with another registry.
"""

import contextlib
import io
import random
import re
from types import MappingProxyType

import pytest
import references
import sympy as sp

from urep import equations as eq
from urep.checks import ClaimFailed
from urep.site import verdicts

LETTERS = {q.name: q.symbol.func if q.symbol.is_Function else q.symbol for q in eq.NOTATION}
NAMED = [q.symbol for q in eq.NOTATION]
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


def lines(equation):
    """Left-hand side, sign and right-hand side of each line."""
    sign = {"==": "=", "<=": "<=", ">=": ">="}
    return [(line.lhs, sign[line.rel_op], line.rhs) for line in equation.relations]


def read(text):
    """The same from the text in a record."""
    left, sign, right = re.fullmatch(r"(.+?) (=|<=|>=) (.+)", text).groups()
    return sp.sympify(left, locals=LETTERS), sign, sp.sympify(right, locals=LETTERS)


def guards(equation):
    """Derived lines of the claims whose registered lines are this equation."""
    text = [f"{left} {sign} {right}" for left, sign, right in lines(equation)]
    found = [r.fields for r in verdicts.records() if r.fields["kind"] == "symbolic"]
    return [[read(line) for line in f["derived"]] for f in found if f["registered"] == text]


def mislabelled(line, equation):
    """Left-hand sides that a line must not have: those of other lines, its multiples, another letter."""
    left = equation.relations[line].lhs
    yield from (other.lhs for other in equation.relations if other.lhs != left)
    yield -left
    yield 2 * left
    letters = left.atoms(sp.Symbol, sp.MatrixSymbol, sp.core.function.AppliedUndef) & set(NAMED)
    for letter in sorted(letters - {eq.t}, key=str):
        shape = getattr(letter, "shape", None)
        alike = [z for z in NAMED if getattr(z, "shape", None) == shape and z != letter]
        if alike:
            yield left.xreplace({letter: alike[NAMED.index(letter) % len(alike)]})


def drawn(name):
    """A rational number that belongs to a name."""
    return sp.Rational(random.Random(name).randint(10**5, 10**6), 5 * 10**5)


def value(expr):
    """Numbers that two expressions share only if they are equal, or by a freak of chance."""
    flat = expr.replace(lambda e: isinstance(e, sp.Derivative), lambda e: e.doit())
    flat = flat.replace(
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
def test_each_registered_equation_is_derived_and_no_mutant_survives(equation, record_property):
    derived = guards(equation)
    assert derived, f"no executed chapter derives equation ({equation.number}) as it is registered now"
    score = {"right": [0, 0], "left": [0, 0]}
    for number, (left, sign, right) in enumerate(lines(equation)):
        proofs = [claim[number] for claim in derived]
        assert not any(differ(left, d[0]) or sign != d[1] or differ(right, d[2]) for d in proofs)
        for side, truth, wrong in (
            ("left", left, mislabelled(number, equation)),
            ("right", right, mutants(right)),
        ):
            for mutant in wrong:
                if mutant == truth:
                    continue
                score[side][0] += any(differ(mutant, d[0 if side == "left" else 2]) for d in proofs)
                score[side][1] += 1
    killed, total = map(sum, zip(*score.values(), strict=True))
    record_property("mutation score", f"{killed}/{total}")
    print(f"equation ({equation.number}): of mutants die, by side {score}")
    assert killed == total
    assert min(score["left"][1], score["right"][1]) >= 3


# --- with another registry ------------------------------------------------------------------


def derive(page):
    """Run the cells of a chapter up to what it integrates, but for drawings."""
    text = (references.ROOT / "book" / "theory" / f"{page}.md").read_text(encoding="utf-8")
    text = text.split("\n## Integrate\n")[0]
    cells = re.findall(r"```\{code-cell\}[^\n]*\n(.*?)```", text, flags=re.S)
    names = {}
    for cell in cells:
        if "figures." not in cell:
            with contextlib.redirect_stdout(io.StringIO()):
                exec(compile(re.sub(r"^:.*\n", "", cell), page, "exec"), names)


def registered_as(number, change):
    """All equations of the paper, of which one has other relations."""
    wrong = eq.Equation(number, eq.paper[number].section, change(eq.paper[number].relations))
    return MappingProxyType(dict(eq.paper) | {number: wrong})


def swapped(relations):
    """The labels of two lines exchanged."""
    first, second = relations
    return (sp.Eq(second.lhs, first.rhs), sp.Eq(first.lhs, second.rhs))


def doubled(relations):
    """Twice the left-hand side."""
    return (sp.Eq(2 * relations[0].lhs, relations[0].rhs, evaluate=False),)


def of(letter):
    """Another left-hand side."""

    def relabelled(relations):
        return (sp.Eq(letter, relations[0].rhs, evaluate=False),)

    return relabelled


def turned(relations):
    """At least in place of at most."""
    return tuple(sp.Ge(line.lhs, line.rhs) for line in relations)


CHAPTERS = ["final_distance", "identical_outputs", "loss", "random_features"]


@pytest.mark.parametrize("page", CHAPTERS)
def test_the_derivations_hold_with_the_registry_as_it_is(page):
    assert eq.paper[11].relations[0].lhs == eq.A_high
    derive(page)


@pytest.mark.parametrize(
    ("page", "number", "change"),
    [
        ("final_distance", 11, swapped),
        ("final_distance", 28, swapped),
        ("identical_outputs", 11, swapped),
        ("loss", 9, doubled),
        ("loss", 22, doubled),
        ("identical_outputs", 39, of(eq.dy2)),
        ("final_distance", 10, of(eq.dh2_0)),
        ("random_features", 44, turned),
        ("random_features", 45, turned),
        ("random_features", 48, of(1 - eq.cdf_H)),
    ],
    ids=lambda v: getattr(v, "__name__", str(v)),
)
def test_a_wrong_left_side_turns_its_chapter_red(page, number, change, monkeypatch):
    monkeypatch.setattr(eq, "paper", registered_as(number, change))
    with pytest.raises(ClaimFailed, match=rf"^Equation \({number}\)"):
        derive(page)

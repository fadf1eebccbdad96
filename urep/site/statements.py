"""The registered equations as Coq propositions, about which tests/proofs proves theorems.

Nothing here is a formula. An equation is printed as a proposition about *letters*, a record with a real number
or a function of time for each letter, which the theorems quantify over: what holds for all letters for which
(7) holds? Derivatives are Coquelicot's, and where one is printed its existence is part of the proposition.

    python -m urep.site.statements > Statements.v

The file is printed anew for each run and kept nowhere, so that a changed equation reaches its proof.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import sympy as sp
from sympy.core.function import AppliedUndef

from ..equations import Equation, book, paper, phi1, t

SPELLED = {"+": "plus", "-": "minus", "=": "equal", "'": "prime"}
"""What stands for the signs in an equation's number, which a Coq name cannot have."""

FUNCTIONS = {sp.exp: "exp", sp.sinh: "sinh", sp.cosh: "cosh", sp.sin: "sin", sp.cos: "cos", sp.tan: "tan",
             sp.log: "ln", sp.Abs: "Rabs", phi1: "phi1"}  # fmt: skip
"""Each function's name in Coq."""

RELATIONS = {"==": "=", "<=": "<=", ">=": ">="}
"""Each relation's sign in Coq."""

_SOURCE = """\
(* Printed by urep.site.statements from the equations in urep/equations/registry.py. Do not edit. *)
From Coq Require Import Reals.
From Coquelicot Require Import Coquelicot.
Open Scope R_scope.

(* The continuous function (exp z - 1)/z. *)
Definition phi1 (z : R) : R := if Req_EM_T z 0 then 1 else {quotient}.

(* A meaning for each letter: a number, or a function of time. *)
Record letters : Type := Letters {{
{fields}
}}.

{definitions}
"""


class Unprintable(TypeError):
    """An expression has something for which there is no word in Coq here."""


def name(number: int | str) -> str:
    """The Coq name of an equation: eq10 for (10), eqE1 for (E1), eq39plus for (39+)."""
    return "eq" + "".join(SPELLED.get(sign, sign) for sign in str(number))


def source(equations: Iterable[Equation]) -> str:
    """Coq source with a proposition for each of some equations, and one for each of its lines.

    A line's takes the letters and, if its equation has time in it, a moment.
    """
    equations = tuple(equations)
    found = {letter for e in equations for relation in e.relations for letter in _letters(relation)}
    z = sp.Symbol("z", nonzero=True)
    return _SOURCE.format(
        quotient=_Printer({z: "z"}).of(phi1(z).rewrite(sp.exp)),
        fields=";\n".join(f"  {_plain(a)} : {_kind(a)}" for a in sorted(found, key=_plain)),
        definitions="\n\n".join(map(_definition, equations)),
    )


def _definition(equation: Equation) -> str:
    """The propositions of an equation, its lines' first."""
    own = name(equation.number)
    timed = _timed((book if isinstance(equation.number, str) else paper)[equation.number])
    takes, given = ("(L : letters) (t : R)", "L t") if timed else ("(L : letters)", "L")
    lines = [f"{own}_{i}" for i in range(1, len(equation.relations) + 1)]
    printed = [
        f"Definition {line} {takes} : Prop :=\n  {_proposition(relation, timed)}."
        for line, relation in zip(lines, equation.relations, strict=True)
    ]
    all_of_them = " /\\ ".join(f"{line} {given}" for line in lines)
    whole = f"Definition {own} {takes} : Prop :=\n  {all_of_them}."
    return "\n".join([f"(* ({equation.number}) *)", *printed, whole])


def _timed(equation: Equation) -> bool:
    return any(relation.has(t, AppliedUndef) for relation in equation.relations)


def _proposition(relation: sp.Rel, timed: bool) -> str:
    printer = _Printer({t: "t"})
    said = f"{printer.of(relation.lhs)} {RELATIONS[relation.rel_op]} {printer.of(relation.rhs)}"
    said = " /\\ ".join([*printer.derivable, said])
    # A mutant may have time where the equation has none: then it is meant at all times.
    return said if timed or not relation.has(t, AppliedUndef) else f"forall t : R, {said}"


def _letters(relation: sp.Rel) -> set[sp.Expr]:
    functions = relation.atoms(AppliedUndef)
    return functions | relation.atoms(sp.Symbol) - {t}


def _plain(letter: sp.Expr) -> str:
    return letter.func.__name__ if isinstance(letter, AppliedUndef) else letter.name


def _kind(letter: sp.Expr) -> str:
    if isinstance(letter, AppliedUndef):
        if letter.args != (t,):
            raise Unprintable(f"a letter must be a number or a function of time, got {letter}")
        return "R -> R"
    return "R"


# How tightly something printed holds together, from a sum to a single word.
SUM, PRODUCT, POWER, CALL, ATOM = range(5)


class _Printer:
    """Prints expressions as terms; collects in `derivable` that the derivatives printed exist."""

    def __init__(self, bound: Mapping[sp.Expr, str]):
        self.bound, self.derivable = bound, []

    def of(self, expr: sp.Expr, within: int = SUM) -> str:
        """The term, in parentheses where it would come apart."""
        text, holds = self._term(expr)
        return text if holds >= within else f"({text})"

    def _term(self, expr: sp.Expr) -> tuple[str, int]:
        if expr in self.bound:
            return self.bound[expr], ATOM
        if isinstance(expr, AppliedUndef):
            return f"{_plain(expr)} L {self.of(expr.args[0], ATOM)}", CALL
        if isinstance(expr, sp.Symbol):
            return f"{expr.name} L", CALL
        if isinstance(expr, sp.Integer):
            return (str(expr), ATOM) if expr >= 0 else (f"- {-expr}", SUM)
        if isinstance(expr, sp.Add):
            return self._sum(expr), SUM
        if isinstance(expr, sp.Mul | sp.Rational):
            return self._product(expr)
        if isinstance(expr, sp.Pow):
            return self._power(expr)
        if isinstance(expr, sp.Derivative):
            return self._derivative(expr), CALL
        if expr.func in FUNCTIONS:
            return f"{FUNCTIONS[expr.func]} {self.of(*expr.args, ATOM)}", CALL
        raise Unprintable(f"there is no word in Coq for {expr.func.__name__}, in {expr}")

    def _sum(self, expr: sp.Add) -> str:
        first, *others = expr.as_ordered_terms()
        text = self.of(first)
        for term in others:
            if term.could_extract_minus_sign():
                text += f" - {self.of(-term, PRODUCT)}"
            else:
                text += f" + {self.of(term, PRODUCT)}"
        return text

    def _product(self, expr: sp.Mul | sp.Rational) -> tuple[str, int]:
        number, rest = expr.as_coeff_Mul()
        if number.is_negative:
            return f"- {self.of(-number * rest if rest != 1 else -number, PRODUCT)}", SUM
        factors = [*([] if number == 1 else [number]), *([] if rest == 1 else sp.Mul.make_args(rest))]
        above, below = [], []
        for factor in factors:
            if isinstance(factor, sp.Rational):
                above += [str(factor.p)] if factor.p != 1 else []
                below += [str(factor.q)] if factor.q != 1 else []
            elif isinstance(factor, sp.Pow) and factor.exp.is_Rational and factor.exp.is_negative:
                below.append(self.of(sp.Pow(factor.base, -factor.exp), POWER))
            else:
                above.append(self.of(factor, POWER))
        text = " * ".join(above or ["1"])
        if below:
            text += f" / {below[0]}" if len(below) == 1 else f" / ({' * '.join(below)})"
        return text, PRODUCT

    def _power(self, expr: sp.Pow) -> tuple[str, int]:
        base, exponent = expr.args
        twice = 2 * exponent
        if not twice.is_Integer:
            raise Unprintable(f"an exponent must be a whole number or half of one, got {exponent}, in {expr}")
        if exponent.is_negative:
            return f"/ {self.of(sp.Pow(base, -exponent), POWER)}", PRODUCT
        if exponent.is_Integer:
            return f"{self.of(base, CALL)} ^ {exponent}", POWER
        root = f"sqrt {self.of(base, ATOM)}"
        return (root, CALL) if twice == 1 else (f"{root} ^ {twice}", POWER)

    def _derivative(self, expr: sp.Derivative) -> str:
        (variable, order), *others = expr.variable_count
        if variable != t or others:
            raise Unprintable(f"a derivative must be one by time, got {expr}")
        curve = expr.expr
        if isinstance(curve, AppliedUndef):
            printed = f"({_plain(curve)} L)"
        else:
            printed = f"(fun t => {self.of(curve)})"
        takes = "" if order == 1 else f" {order}"
        some = "" if order == 1 else "_n"
        exists = f"ex_derive{some} {printed}{takes} t"
        if exists not in self.derivable:
            self.derivable.append(exists)
        return f"Derive{some} {printed}{takes} t"


PROVED = (7, 10, 11, 23, 24, 25, 27, 28, 29, 30, 31, 36, 37, 38, 39, 40, 42, 43,
          "39=", "E0", "E1", "E2", "E3", "E4", "E5", "E6", "E9", "E10")  # fmt: skip
"""Numbers of the equations about which there are theorems in tests/proofs."""


def registered(numbers: Iterable[int | str] = PROVED) -> tuple[Equation, ...]:
    """The registered equations of some numbers."""
    return tuple((book if isinstance(number, str) else paper)[number] for number in numbers)


if __name__ == "__main__":
    print(source(registered()))

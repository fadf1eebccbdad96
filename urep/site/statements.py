"""The registered equations as Coq propositions, about which tests/proofs proves theorems.

Nothing here is a formula. An equation is printed as a proposition about *letters*, a record with a real
number or a function of time for each letter of the notation. A theorem is about all such records: if (7)
holds of one at all times, (24) does. Derivatives are Coquelicot's, and where one is printed its existence is
part of the proposition.

The files are printed anew for each run and kept nowhere, so that a changed equation reaches its proof. Each
equation has its own, for a proof to say which it is about, and so that little is proved again for a mutant.

    python -m urep.site.statements 10 E1    # shows those of some equations
"""

from __future__ import annotations

import sys
from collections.abc import Mapping

import sympy as sp
from sympy.core.function import AppliedUndef

from ..equations import NOTATION, Equation, book, paper, phi1, t

SPELLED = {"+": "plus", "-": "minus", "=": "equal", "'": "prime"}
"""What stands for the signs in an equation's number, which a Coq name cannot have."""

FUNCTIONS = {sp.exp: "exp", sp.sinh: "sinh", sp.cosh: "cosh", sp.sin: "sin", sp.cos: "cos", sp.tan: "tan",
             sp.log: "ln", sp.Abs: "Rabs", phi1: "phi1"}  # fmt: skip
"""Each function's name in Coq."""

RELATIONS = {"==": "=", "<=": "<=", ">=": ">="}
"""Each relation's sign in Coq."""

_LETTERS = """\
(* Printed by urep.site.statements from the notation in urep/equations/letters.py. Do not edit. *)
From Coq Require Import Reals String.
Open Scope R_scope.

(* The continuous function (exp z - 1)/z. *)
Definition phi1 (z : R) : R := if Req_EM_T z 0 then 1 else {quotient}.

(* A meaning for each letter: a number, or a function of time. *)
Record letters : Type := Letters {{
{fields}
}}.

(* Any choice of numbers and of functions by the names of letters is such a meaning. *)
Definition meaning (number : string -> R) (curve : string -> R -> R) : letters := {{|
{chosen}
|}}.
"""

_EQUATION = """\
(* Printed by urep.site.statements from ({number}) in urep/equations/registry.py. Do not edit. *)
From Coq Require Import Reals.
From Coquelicot Require Import Coquelicot.
From Companion Require Import Letters.
Open Scope R_scope.

{definitions}
"""


class Unprintable(TypeError):
    """An expression has something for which there is no word in Coq here."""


def name(number: int | str) -> str:
    """The Coq name of an equation: eq10 for (10), eqE1 for (E1), eq39plus for (39+)."""
    return "eq" + "".join(SPELLED.get(sign, sign) for sign in str(number))


def module(number: int | str) -> str:
    """The Coq file of an equation: Eq10 for (10)."""
    return name(number).replace("eq", "Eq", 1)


def letters() -> str:
    """The source of Letters.v: phi1, and the record of the letters that are numbers or functions of time."""
    kinds = {_plain(q.symbol): kind for q in NOTATION if q.symbol != t and (kind := _kind(q.symbol))}
    z = sp.Symbol("z", nonzero=True)
    return _LETTERS.format(
        quotient=_Printer({z: "z"}).of(phi1(z).rewrite(sp.exp)),
        fields=";\n".join(f"  {letter} : {kinds[letter]}" for letter in sorted(kinds)),
        chosen=";\n".join(
            f'  {letter} := {"number" if kinds[letter] == "R" else "curve"} "{letter}"%string'
            for letter in sorted(kinds)
        ),
    )


def equation(printed: Equation) -> str:
    """The source of an equation's file: a proposition for each of its lines, one for all, and right sides.

    They take the letters and, if the registered equation of that number has time in it, a moment.
    """
    timed = _timed(registered(printed.number))
    own = name(printed.number)
    takes, given = ("(L : letters) (t : R)", "L t") if timed else ("(L : letters)", "L")
    lines = [f"{own}_{i}" for i in range(1, len(printed.relations) + 1)]
    definitions = [
        (line, "Prop", _proposition(relation, timed))
        for line, relation in zip(lines, printed.relations, strict=True)
    ]
    definitions += [(own, "Prop", " /\\ ".join(f"{line} {given}" for line in lines))]
    definitions += [
        (f"{line}_right", "R", _Printer({t: "t"}).of(relation.rhs))
        for line, relation in zip(lines, printed.relations, strict=True)
    ]
    return _EQUATION.format(
        number=printed.number,
        definitions="\n".join(f"Definition {a} {takes} : {kind} :=\n  {b}." for a, kind, b in definitions),
    )


def registered(number: int | str) -> Equation:
    """The registered equation of a number."""
    return (book if isinstance(number, str) else paper)[number]


def _timed(equation: Equation) -> bool:
    return any(relation.has(t, AppliedUndef) for relation in equation.relations)


def _proposition(relation: sp.Rel, timed: bool) -> str:
    printer = _Printer({t: "t"})
    said = f"{printer.of(relation.lhs)} {RELATIONS[relation.rel_op]} {printer.of(relation.rhs)}"
    said = " /\\ ".join([*printer.derivable, said])
    # A mutant may have time where the equation has none: then it is meant at all times.
    return said if timed or not relation.has(t, AppliedUndef) else f"forall t : R, {said}"


def _plain(letter: sp.Expr) -> str:
    return letter.func.__name__ if isinstance(letter, AppliedUndef) else letter.name


def _kind(letter: sp.Expr) -> str:
    """The Coq type of a letter; none for vectors, matrices and functions of anything but time."""
    if isinstance(letter, AppliedUndef):
        return "R -> R" if letter.args == (t,) else ""
    return "R" if isinstance(letter, sp.Symbol) else ""


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
        if isinstance(expr, AppliedUndef) and _kind(expr):
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


if __name__ == "__main__":
    print(letters())
    for number in sys.argv[1:]:
        print(equation(registered(int(number) if number.isdigit() else number)))

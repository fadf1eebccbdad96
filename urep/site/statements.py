"""The registered equations as Coq propositions, about which tests/proofs proves theorems.

Nothing here is a formula. An equation is printed as a proposition about *letters*, a record with a real
number or a function of time for each letter of the notation. A theorem is about all such records: if (7)
holds of one at all times, (24) does. Derivatives are Coquelicot's, and where one is printed its existence is
part of the proposition.

A vector is a number for each index, a matrix one for each pair, and the sizes are letters too. An equation
of vectors is one for each index below the size, and a product of matrices is the sum that it stands for.

The files are printed anew for each run and kept nowhere, so that a changed equation reaches its proof. Each
equation has its own, for a proof to say which it is about, and so that little is proved again for a mutant.

    python -m urep.site.statements 10 E1    # shows those of some equations
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence

import sympy as sp
from sympy.core.function import AppliedUndef

from ..equations import (  # isort: skip
    NOTATION, D_h, D_h_rate, D_y, D_y_rate, Equation, book, dh_rate, dh_vec, n_h, n_x, n_y, p_rate, p_vec,
    paper, phi1, rho_rate, rho_vec, t, y_mean, y_mean_rate,
)  # fmt: skip

SPELLED = {"+": "plus", "-": "minus", "=": "equal", "'": "prime"}
"""What stands for the signs in an equation's number, which a Coq name cannot have."""

FUNCTIONS = {sp.exp: "exp", sp.sinh: "sinh", sp.cosh: "cosh", sp.sin: "sin", sp.cos: "cos", sp.tan: "tan",
             sp.log: "ln", sp.Abs: "Rabs", phi1: "phi1"}  # fmt: skip
"""Each function's name in Coq."""

RELATIONS = {"==": "=", "<=": "<=", ">=": ">="}
"""Each relation's sign in Coq."""

SIZES = (n_h, n_x, n_y)
"""The sizes of the vectors and matrices that can be printed."""

VELOCITIES = {D_h_rate: D_h, D_y_rate: D_y, dh_rate: dh_vec, p_rate: p_vec, rho_rate: rho_vec,
              y_mean_rate: y_mean}  # fmt: skip
"""The letters that are velocities, printed as derivatives of their vector or matrix, a function of time."""

_LETTERS = """\
(* Printed by urep.site.statements from the notation in urep/equations/letters.py. Do not edit. *)
From Coq Require Import Reals String.
Open Scope R_scope.

(* The continuous function (exp z - 1)/z. *)
Definition phi1 (z : R) : R := if Req_EM_T z 0 then 1 else {quotient}.

(* The sum f 0 + f 1 + ... of the first n numbers f. *)
Fixpoint sum_below (n : nat) (f : nat -> R) : R :=
  match n with
  | O => 0
  | S k => sum_below k f + f k
  end.

(* A meaning for each letter: a number, a vector, a matrix, or a function of time; and for each size. *)
Record letters : Type := Letters {{
{fields}
}}.

(* Any choice by the names of letters is such a meaning. *)
Definition whole_meaning (number : string -> R) (curve : string -> R -> R) (size : string -> nat)
    (matrix : string -> R -> nat -> nat -> R) : letters := {{|
{chosen}
|}}.

(* One of numbers and of functions alone, with nothing in vectors and matrices. *)
Definition meaning (number : string -> R) (curve : string -> R -> R) : letters :=
  whole_meaning number curve (fun _ => O) (fun _ _ _ _ => 0).
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
    """The source of Letters.v: phi1, sums, and the record of the sizes and of the letters with a type."""
    kinds = {_plain(q.symbol): kind for q in NOTATION if q.symbol != t and (kind := _kind(q.symbol))}
    kinds |= {size.name: "nat" for size in SIZES}
    z = sp.Symbol("z", nonzero=True)
    return _LETTERS.format(
        quotient=_Printer({z: "z"}).of(phi1(z).rewrite(sp.exp)),
        fields=";\n".join(f"  {letter} : {kinds[letter]}" for letter in sorted(kinds)),
        chosen=";\n".join(f"  {letter} := {_chosen(letter, kinds[letter])}" for letter in sorted(kinds)),
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
        (f"{line}_right", *_right(relation)) for line, relation in zip(lines, printed.relations, strict=True)
    ]
    return _EQUATION.format(
        number=printed.number,
        definitions="\n".join(f"Definition {a} {takes} : {kind} :=\n  {b}." for a, kind, b in definitions),
    )


def registered(number: int | str) -> Equation:
    """The registered equation of a number."""
    return (book if isinstance(number, str) else paper)[number]


def _timed(equation: Equation) -> bool:
    return any(map(_moves, equation.relations))


def _moves(relation: sp.Rel) -> bool:
    """Whether there is time in a relation."""
    return relation.has(t, AppliedUndef) or any(relation.has(z) for pair in VELOCITIES.items() for z in pair)


def _proposition(relation: sp.Rel, timed: bool) -> str:
    printer = _Printer({t: "t"})
    where, indices = _indices(relation.lhs)
    sides = [printer.at(side, *indices)[0] for side in (relation.lhs, relation.rhs)]
    said = where + f" {RELATIONS[relation.rel_op]} ".join(sides)
    said = " /\\\n  ".join([*printer.derivable, f"({said})" if where and printer.derivable else said])
    # A mutant may have time where the equation has none: then it is meant at all times.
    return said if timed or not _moves(relation) else f"forall t : R, {said}"


def _right(relation: sp.Rel) -> tuple[str, str]:
    """The Coq type and the term of the right-hand side of a relation."""
    _, indices = _indices(relation.lhs)
    term, _ = _Printer({t: "t"}).at(relation.rhs, *indices)
    names = [index for index in indices if index]
    return " -> ".join(["nat"] * len(names) + ["R"]), f"fun {' '.join(names)} => {term}" if names else term


def _indices(side: sp.Expr) -> tuple[str, tuple[str, str]]:
    """What an equation with such a side is for all of, in Coq, and the names of its two indices, if any."""
    if not isinstance(side, sp.MatrixExpr):
        return "", ("", "")
    return _below(side.shape, ("i", "j")), tuple(
        "" if size == 1 else index for size, index in zip(side.shape, ("i", "j"), strict=True)
    )


def _below(shape: tuple[sp.Expr, sp.Expr], indices: tuple[str, str]) -> str:
    """The words "for all indices below the size", for each size that is not one."""
    return "".join(
        f"forall {index} : nat, ({index} < {_size(size)})%nat -> "
        for size, index in zip(shape, indices, strict=True)
        if size != 1
    )


def _size(size: sp.Expr) -> str:
    if size not in SIZES:
        raise Unprintable(f"a size must be one of {SIZES}, got {size}")
    return f"{size.name} L"


def _plain(letter: sp.Expr) -> str:
    return letter.func.__name__ if isinstance(letter, AppliedUndef) else letter.name


def _kind(letter: sp.Expr) -> str:
    """The Coq type of a letter; none for velocities and functions of anything but time."""
    if isinstance(letter, AppliedUndef):
        return "R -> R" if letter.args == (t,) else ""
    if isinstance(letter, sp.MatrixSymbol):
        sizes = [size for size in letter.shape if size != 1]
        if letter in VELOCITIES or not sizes or set(sizes) - set(SIZES):
            return ""
        time = ["R"] if letter in VELOCITIES.values() else []
        return " -> ".join([*time, *["nat"] * len(sizes), "R"])
    return "R" if isinstance(letter, sp.Symbol) else ""


def _chosen(letter: str, kind: str) -> str:
    """The meaning of a letter of some type in what is chosen by the names of letters."""
    simple = {"R": "number", "R -> R": "curve", "nat": "size"}
    if kind in simple:
        return f'{simple[kind]} "{letter}"%string'
    *takes, _ = kind.split(" -> ")
    time = "t" if takes[0] == "R" else "0"
    names = ["t"] * (takes[0] == "R") + ["i", "j"][: takes.count("nat")]
    return f'fun {" ".join(names)} => matrix "{letter}"%string {time} i {"j" if "j" in names else "O"}'


def _factors(expr: sp.MatrixExpr) -> tuple[sp.Expr, Sequence[sp.MatrixExpr]]:
    """The number and the matrices of which a matrix is the product."""
    return expr.as_coeff_matrices() if isinstance(expr, sp.MatMul) else (sp.S.One, [expr])


# How tightly something printed holds together, from a sum to a single word.
SUM, PRODUCT, POWER, CALL, ATOM = range(5)


class _Printer:
    """Prints expressions as terms; collects in `derivable` that the derivatives printed exist."""

    def __init__(self, bound: Mapping[sp.Expr, str]):
        self.bound, self.derivable, self.depth = bound, [], 0

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
        if isinstance(expr, sp.Trace):
            return self._sum_below(expr.arg.rows, lambda index: self.at(expr.arg, index, index))
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

    def at(self, expr: sp.Expr, row: str, column: str) -> tuple[str, int]:
        """The entry of a matrix at two indices, empty where the size is one; a number is its own."""
        if not isinstance(expr, sp.MatrixExpr):
            return self._term(expr)
        if isinstance(expr, sp.MatrixSymbol):
            return self._letter(expr, [index for index in (row, column) if index]), CALL
        if isinstance(expr, sp.Transpose):
            return self.at(expr.arg, column, row)
        if isinstance(expr, sp.MatAdd):
            return self._matrix_sum(expr, row, column), SUM
        if isinstance(expr, sp.MatMul):
            number, matrices = _factors(expr)
            if number.could_extract_minus_sign():
                return f"- {self._times(-number, matrices, row, column)[0]}", SUM
            return self._times(number, matrices, row, column)
        raise Unprintable(f"there is no word in Coq for {expr.func.__name__}, in {expr}")

    def _letter(self, letter: sp.MatrixSymbol, indices: list[str]) -> str:
        still = VELOCITIES.get(letter, letter)
        if not _kind(still):
            raise Unprintable(f"there is no word in Coq for the vector or matrix {letter}")
        time = ["t"] if still in VELOCITIES.values() else []
        if letter == still:
            return " ".join([letter.name, "L", *time, *indices])
        # Its velocity at each index is a derivative by time, which exists at all of them.
        own = [index for index, size in zip("ij", letter.shape, strict=True) if size != 1]
        exists = f"ex_derive (fun t => {' '.join([still.name, 'L t', *own])}) t"
        exists = f"({_below(letter.shape, ('i', 'j'))}{exists})"
        if exists not in self.derivable:
            self.derivable.append(exists)
        return f"Derive (fun t => {' '.join([still.name, 'L t', *indices])}) t"

    def _matrix_sum(self, expr: sp.MatAdd, row: str, column: str) -> str:
        text = ""
        for term in expr.args:
            number, matrices = _factors(term)
            falls = number.could_extract_minus_sign()
            printed, holds = self._times(-number if falls else number, matrices, row, column)
            sign = "- " if falls else "+ " if text else ""
            text += f" {sign}{printed if holds >= PRODUCT else f'({printed})'}"
        return text.lstrip()

    def _times(self, number: sp.Expr, matrices: Sequence, row: str, column: str) -> tuple[str, int]:
        """The entry of a number times a product of matrices: sums over the indices between them."""
        first, *others = matrices
        if number != 1:
            rest, holds = self._times(sp.S.One, matrices, row, column)
            rest = rest if holds >= POWER else f"({rest})"
            return f"{self.of(number, PRODUCT)} * {rest}", PRODUCT
        if not others:
            return self.at(first, row, column)

        def both(index: str) -> tuple[str, int]:
            pair = self.at(first, row, index), self._times(sp.S.One, others, index, column)
            return " * ".join(text if holds >= POWER else f"({text})" for text, holds in pair), PRODUCT

        return self._sum_below(first.cols, both)

    def _sum_below(self, size: sp.Expr, term: Callable[[str], tuple[str, int]]) -> tuple[str, int]:
        """The sum of a term over all indices below a size; the term alone where the size is one."""
        if size == 1:
            return term("")
        self.depth += 1
        index = f"k{self.depth}"
        text = f"sum_below ({_size(size)}) (fun {index} => {term(index)[0]})"
        self.depth -= 1
        return text, CALL


if __name__ == "__main__":
    print(letters())
    for number in sys.argv[1:]:
        print(equation(registered(int(number) if number.isdigit() else number)))

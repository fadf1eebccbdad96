"""The prover of symbolic claims: what two expressions are told apart by, what is left of their difference."""

from __future__ import annotations

import sympy as sp
from sympy.core.function import AppliedUndef


def sides(expr) -> tuple:
    """One expression, or a tuple of them, as a tuple; TypeError for what is no SymPy expression."""
    given = expr if isinstance(expr, tuple) else (expr,)
    for side in given:
        if not isinstance(side, (sp.Expr, int)):
            raise TypeError(f"a symbolic claim compares SymPy expressions, got {side!r}")
    return tuple(map(sp.sympify, given))


def counterexample(difference):
    """A value that is plainly not zero, if one random point gives one; else None. Proves nothing else.

    Spares a claim that is false the minutes that algebra can take to give up.
    """
    if isinstance(difference, sp.MatrixExpr) or difference.has(sp.Trace):
        return None  # a difference of matrices of any size has no value at a point
    plain = difference.rewrite(sp.exp)
    for kind in (sp.Derivative, AppliedUndef):
        plain = plain.xreplace({part: sp.Dummy() for part in plain.atoms(kind)})
    letters = enumerate(sorted(plain.free_symbols, key=str))
    value = plain.xreplace({x: sp.Rational(1000 + 97 * i, 1013) for i, x in letters}).evalf(30)
    return value if value.is_number and value.is_finite and abs(value) > 1e-15 else None


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

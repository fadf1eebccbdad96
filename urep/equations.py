"""The paper's numbered equations, each written once, as SymPy objects.

Everything else is made from these objects: the LaTeX on a page, the NumPy functions in
`urep.theory`, and the right-hand sides that chapters derive towards. Notation is the paper's;
squared norms carry a 2 in their Python name. Time constants follow the convention of the
authors' code, in which a factor 1/2 of the gradient is absorbed (shown in the chapter on A.4).

    >>> from urep.equations import paper, dh2
    >>> paper[38].rhs.has(dh2)
    True
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

import numpy as np
import sympy as sp
from sympy.core.function import AppliedUndef
from sympy.printing.latex import LatexPrinter

# --- letters -------------------------------------------------------------------------------

t = sp.Symbol("t", nonnegative=True)

dh2 = sp.Function("dh2", positive=True)(t)
dy2 = sp.Function("dy2", nonnegative=True)(t)
w = sp.Function("w", real=True)(t)
state = (dh2, dy2, w)

dh2_0, dy2_0 = sp.symbols("dh2_0 dy2_0", positive=True)
w_0 = sp.Symbol("w_0", real=True)

dx2 = sp.Symbol("dx2", positive=True)
dy2_target = sp.Symbol("dy2_target", nonnegative=True)
tau_h, tau_y, tau_mean = sp.symbols("tau_h tau_y tau_mean", positive=True)
mean_error2 = sp.Symbol("mean_error2", nonnegative=True)

A_high = sp.Symbol("A_high", real=True)
A_low = sp.Symbol("A_low", nonnegative=True)
dh2_inf = sp.Symbol("dh2_inf", nonnegative=True)
loss = sp.Symbol("loss", nonnegative=True)

# The exact solution's own letters: a start in scaled coordinates, and what is conserved from it on.
p_0 = sp.Symbol("p_0", positive=True)
x_0 = sp.Symbol("x_0", real=True)
y_0 = sp.Symbol("y_0", nonnegative=True)
c = sp.Symbol("c", real=True)
s = sp.Symbol("s", nonnegative=True)
A = sp.Symbol("A", positive=True)
N = sp.Function("N", positive=True)(t)
p = sp.Function("p", real=True)(t)
x = sp.Function("x", real=True)(t)
y = sp.Function("y", nonnegative=True)(t)
dy = sp.Function("dy", real=True)(t)
dy_0 = sp.Symbol("dy_0", real=True)
dy_target = sp.Symbol("dy_target", positive=True)

G = sp.Symbol("G", positive=True)

kappa = tau_h / (tau_y * dx2)
"""The only combination of constants that fixes ‖dy‖² once ‖dh‖² is known, eqs. (23)-(24)."""


class phi1(sp.Function):
    """φ₁(z) = (eᶻ − 1)/z with φ₁(0) = 1: what keeps a solution exact where its rate is zero."""

    nargs = 1
    is_positive = True

    @classmethod
    def eval(cls, z):
        """Value at zero, the only one that the quotient cannot give."""
        if z.is_zero:
            return sp.S.One

    def fdiff(self, argindex=1):
        """Derivative, from the quotient."""
        z = self.args[0]
        return (sp.exp(z) - self) / z

    def _eval_rewrite_as_exp(self, z, **hints):
        return (sp.exp(z) - 1) / z

    def _latex(self, printer, exp=None):
        power = "" if exp is None else f"^{{{exp}}}"
        return rf"\varphi_1{power}\!\left({printer._print(self.args[0])}\right)"


# --- the notation, for pages ----------------------------------------------------------------


@dataclass(frozen=True)
class Quantity:
    """One letter: its SymPy object, its LaTeX, what it means, its unit, where it is defined.

    `norm` is set for squared norms: the LaTeX of the norm itself, so that powers print well.
    """

    symbol: sp.Expr
    latex: str
    meaning: str
    unit: str
    defined: str
    norm: str | None = None

    @property
    def name(self) -> str:
        """The Python name."""
        return self.symbol.func.__name__ if self.symbol.is_Function else self.symbol.name


def _squared(symbol, vector, meaning, unit, defined, sub="", argument=""):
    norm = rf"\|{vector}{argument}\|{sub}"
    return Quantity(symbol, f"{norm}^2", meaning, unit, defined, norm)


NOTATION: tuple[Quantity, ...] = (
    Quantity(t, "t", "training time", "epochs", "(4)"),
    _squared(dh2, "dh", "squared distance of the two hidden representations", "hidden²", "(8)"),
    _squared(dy2, "dy", "squared distance of the two predicted outputs", "output²", "(8)"),
    Quantity(w, "w", "dyᵀ(dy − dy*), what is left to learn, seen along dy", "output²", "(8)"),
    _squared(dh2_0, "dh", "‖dh‖² before the first step", "hidden²", "(11)", argument="(0)"),
    _squared(dy2_0, "dy", "‖dy‖² before the first step", "output²", "(11)", argument="(0)"),
    Quantity(w_0, "w(0)", "w before the first step", "output²", "(8)"),
    _squared(dx2, "dx", "squared distance of the two inputs", "input²", "(8)"),
    _squared(dy2_target, "dy^*", "squared distance of the two targets", "output²", "(8)"),
    Quantity(tau_h, r"\tau_h", "effective time constant of the encoder",
             "epochs·input²·output²/hidden²", "(6)"),
    Quantity(tau_y, r"\tau_y", "effective time constant of the decoder", "epochs·hidden²", "(6)"),
    Quantity(tau_mean, r"\tau_{\bar y}", "effective time constant of the mean output",
             "epochs", "(6)"),
    _squared(mean_error2, r"\bar y(0)-\bar y^*", "squared error of the mean output before the "
             "first step", "output²", "(9)"),
    Quantity(A_high, r"A_{\mathrm{high}}", "what the random start contributes to ‖dh(∞)‖²",
             "hidden²", "(11)"),
    Quantity(A_low, r"A_{\mathrm{low}}", "what the data contribute to ‖dh(∞)‖²",
             "hidden²", "(11)"),
    _squared(dh2_inf, "dh", "‖dh‖² after training", "hidden²", "(10)", argument=r"(\infty)"),
    Quantity(loss, "L", "training loss, half the mean squared error", "output²", "(1)"),
    Quantity(G, "G", "factor on the initial ‖dh‖²: all weights times √G", "1", "(41)"),
    Quantity(p, "p", "‖dh‖ √k_y, with k_y = 1/(2 tau_y)", "epochs^-½", "book"),
    Quantity(x, "x", "√k_h times the part of dy/‖dh‖ along dy*, k_h = dx2/(2 tau_h)", "epochs^-½", "book"),
    Quantity(y, "y", "√k_h times the part of dy/‖dh‖ across dy*", "epochs^-½", "book"),
    Quantity(p_0, "p_0", "p before the first step", "epochs^-½", "book"),
    Quantity(x_0, "x_0", "x before the first step", "epochs^-½", "book"),
    Quantity(y_0, "y_0", "y before the first step", "epochs^-½", "book"),
    Quantity(c, "c", "p² − x² − y², conserved; A_high/(2 tau_y)", "1/epochs", "book"),
    Quantity(s, "s", "√(k_h k_y) ‖dy*‖; A_low/(2 tau_y)", "1/epochs", "book"),
    Quantity(A, "A", "√(c²/4 + s²), half the rate of convergence", "1/epochs", "book"),
    Quantity(N, "N", "what divides the remaining error", "1", "book"),
    Quantity(dy, "dy", "signed output difference, for scalar outputs", "output", "book"),
    Quantity(dy_0, "dy(0)", "dy before the first step", "output", "book"),
    Quantity(dy_target, "dy^*", "signed target difference, for scalar outputs", "output", "book"),
)  # fmt: skip

_QUANTITY = {q.symbol: q for q in NOTATION}


class _PaperPrinter(LatexPrinter):
    """LaTeX in the paper's letters: squared norms as one sign, time dependence left out."""

    def _norm(self, base, exponent):
        q = _QUANTITY.get(base)
        if q is None or q.norm is None or exponent.free_symbols:
            return None
        power = 2 * exponent
        return q.norm if power == 1 else f"{q.norm}^{{{self._print(power)}}}"

    def _print_Pow(self, expr):
        positive = expr.exp.could_extract_minus_sign() is False
        return (positive and self._norm(expr.base, expr.exp)) or super()._print_Pow(expr)

    def _print_Symbol(self, expr, style="plain"):
        q = _QUANTITY.get(expr)
        return q.latex if q else super()._print_Symbol(expr)

    def _print_Function(self, expr, exp=None):
        q = _QUANTITY.get(expr)
        if q is None:
            return super()._print_Function(expr, exp)
        if exp is None:
            return q.latex
        return self._norm(expr, sp.sympify(exp)) or f"{q.latex}^{{{exp}}}"


def latex(expr: sp.Basic) -> str:
    """LaTeX of an expression in the paper's letters."""
    return _PaperPrinter().doprint(expr)


# --- the registry ---------------------------------------------------------------------------


@dataclass(frozen=True)
class Equation:
    """One numbered equation: its number, the paper's section, one `sympy.Eq` a line.

    `rhs` and `lhs` are an expression for a single line and a tuple for a system.
    """

    number: int | str
    section: str
    relations: tuple[sp.Eq, ...]

    @property
    def lhs(self) -> sp.Expr | tuple[sp.Expr, ...]:
        """Left-hand side, or sides."""
        sides = tuple(r.lhs for r in self.relations)
        return sides if len(sides) > 1 else sides[0]

    @property
    def rhs(self) -> sp.Expr | tuple[sp.Expr, ...]:
        """Right-hand side, or sides."""
        sides = tuple(r.rhs for r in self.relations)
        return sides if len(sides) > 1 else sides[0]

    def latex(self) -> str:
        """LaTeX of all lines, aligned at the equality sign, tagged with the number."""
        # \cr and not two backslashes, which Sphinx would wrap in an environment without tags.
        lines = r" \cr ".join(f"{latex(r.lhs)} &= {latex(r.rhs)}" for r in self.relations)
        return rf"\begin{{aligned}} {lines} \end{{aligned}} \tag{{{self.number}}}"

    def _repr_latex_(self) -> str:
        return f"$${self.latex()}$$"

    def __repr__(self) -> str:
        return f"({self.number}) " + "; ".join(f"{r.lhs} = {r.rhs}" for r in self.relations)


def _rate(variable: sp.Expr) -> sp.Derivative:
    return sp.Derivative(variable, t)


_half = sp.Rational(1, 2)
_growth = sp.exp(-A_high * t / tau_y)
_bernoulli = A_high / (1 + (A_high / dh2_0 - 1) * _growth)
_phase = A_high * t / tau_y
_push = dh2_0 * t / tau_y

_sinh, _cosh = sp.sinh(A * t), sp.cosh(A * t)

_RATE_H = -dx2 / tau_h * w
_RATE_Y = -w * (dh2 / tau_y + dx2 * dy2 / (tau_h * dh2))
_RATE_W = (
    -(3 * w - dy2 + dy2_target) * dh2 / (2 * tau_y)
    - dx2 / (2 * tau_h) * (dy2 + w) * w / dh2
)  # fmt: skip


def _lines(*pairs) -> tuple[sp.Eq, ...]:
    return tuple(sp.Eq(left, right, evaluate=False) for left, right in pairs)


_PAPER = (
    Equation(7, "2.3", _lines(
        (_rate(dh2), _RATE_H), (_rate(dy2), _RATE_Y), (_rate(w), _RATE_W))),
    Equation(9, "3.3", _lines((
        loss,
        _half * mean_error2 * sp.exp(-2 * t / tau_mean)
        + sp.Rational(1, 4) * (w + _half * (dy2_target - dy2))))),
    Equation(10, "4.1", _lines((
        dh2_inf, _half * A_high + sp.sqrt(A_high**2 / 4 + A_low**2)))),
    Equation(11, "4.1", _lines(
        (A_high, dh2_0 - tau_y / tau_h * dx2 * dy2_0 / dh2_0),
        (A_low, sp.sqrt(tau_y / tau_h) * sp.sqrt(dx2) * sp.sqrt(dy2_target)))),
    Equation(23, "A.3", _lines((_rate(dy2 / dh2), kappa * _rate(dh2)))),
    Equation(24, "A.3", _lines((
        dy2, kappa * dh2**2 + (dy2_0 / dh2_0 - kappa * dh2_0) * dh2))),
    Equation(37, "A.4", _lines(
        (_rate(dh2), -dx2 / tau_h * dy2),
        (_rate(dy2), -dy2 * (dh2 / tau_y + dx2 * dy2 / (tau_h * dh2))))),
    Equation(38, "A.4", _lines((_rate(dh2), -(dh2**2) / tau_y + A_high / tau_y * dh2))),
    Equation(39, "A.4", _lines((dh2, _bernoulli))),
    Equation(40, "A.4", _lines((dy2, kappa * _bernoulli * (_bernoulli - A_high)))),
    Equation(43, "A.5", _lines(
        (_rate(dh2), _RATE_H), (_rate(dy2), _RATE_Y),
        (_rate(w), _RATE_W.subs(dy2_target, dy2_target / G**2)))),
)  # fmt: skip

paper: Mapping[int, Equation] = MappingProxyType({e.number: e for e in _PAPER})
"""The paper's equations by number."""

_BOOK = (
    # (39)-(40) for each sign of A_high, without overflow and without 0/0 at A_high = 0.
    Equation("39+", "beyond", _lines(
        (dh2, dh2_0 / (sp.exp(-_phase) + _push * phi1(-_phase))),
        (dy2, dy2_0 * sp.exp(-_phase) / (sp.exp(-_phase) + _push * phi1(-_phase)) ** 2))),
    Equation("39-", "beyond", _lines(
        (dh2, dh2_0 * sp.exp(_phase) / (1 + _push * phi1(_phase))),
        (dy2, dy2_0 * sp.exp(_phase) / (1 + _push * phi1(_phase)) ** 2))),
    Equation("39=", "beyond", _lines((dh2, dh2_0 / (1 + _push)))),
    Equation("E1", "beyond", _lines((
        N,
        1 + (p_0**2 + x_0**2) * sp.sinh(2 * A * t) / (2 * A)
        + (c * (p_0**2 - x_0**2) + 4 * s * p_0 * x_0) * (sp.cosh(2 * A * t) - 1) / (4 * A**2)
        + y_0**2 * t * phi1(-c * t)))),
    Equation("E2", "beyond", _lines(
        (p, (p_0 * _cosh + (c * p_0 / 2 + s * x_0) * _sinh / A) / sp.sqrt(N)),
        (x, (x_0 * _cosh + (s * p_0 - c * x_0 / 2) * _sinh / A) / sp.sqrt(N)),
        (y, y_0 * sp.exp(-c * t / 2) / sp.sqrt(N)))),
    Equation("E3", "beyond", _lines(
        (dy, dy_target + (dy_0 - dy_target) / N),
        (dh2, A_high / 2 + sp.sqrt(A_high**2 / 4 + A_low**2 * (dy / dy_target) ** 2)))),
)  # fmt: skip

book: Mapping[str, Equation] = MappingProxyType({e.number: e for e in _BOOK})
"""This book's own equations by label: forms of (39)-(40) for a machine, and the exact solution."""


def _phi1_numpy(z):
    z = np.asarray(z, dtype=float)
    safe = np.where(z == 0, 1.0, z)
    return np.where(z == 0, 1.0, np.expm1(safe) / safe)


@cache
def numeric(expr: sp.Expr | tuple[sp.Expr, ...], *arguments: sp.Expr) -> Callable:
    """NumPy function of `arguments` for an expression (or a tuple of them); cached.

    Raises ValueError when a letter of the expression is missing from the arguments.
    """
    letters = set().union(*(_letters(e) for e in (expr if isinstance(expr, tuple) else (expr,))))
    missing = letters - set(arguments)
    if missing:
        raise ValueError(f"arguments {arguments} leave {sorted(map(str, missing))} without a value")
    return sp.lambdify(arguments, expr, modules=[{"phi1": _phi1_numpy}, "numpy"], cse=True)


def _letters(expr: sp.Expr) -> set[sp.Expr]:
    functions = {f: sp.Dummy() for f in expr.atoms(AppliedUndef)}
    return set(functions) | expr.xreplace(functions).free_symbols - set(functions.values())

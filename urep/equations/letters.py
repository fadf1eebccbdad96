"""The letters of the equations, each once: its SymPy object, how it prints, what it means.

Notation is the paper's; squared norms carry a 2 in their Python name. Vectors and matrices are SymPy's
matrix symbols, of any dimension. Chapters take the letters from `urep.equations`, beside the equations.
"""

from __future__ import annotations

from dataclasses import dataclass

import sympy as sp
from sympy.printing.latex import LatexPrinter

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

# The same for a machine: modes of growth and decay, and N divided by what it has grown to.
cos_phi, sin_phi = sp.Symbol("cos_phi", positive=True), sp.Symbol("sin_phi", nonnegative=True)
a_plus, a_minus = sp.symbols("a_plus a_minus", real=True)
scale = sp.Symbol("scale", real=True)
N_scaled = sp.Symbol("N_scaled", positive=True)
gap = sp.Symbol("gap", real=True)
cosine = sp.Symbol("cosine", real=True)

G = sp.Symbol("G", positive=True)
dh2_scaled = sp.Symbol("dh2_scaled", positive=True)
dy2_scaled = sp.Symbol("dy2_scaled", nonnegative=True)
w_scaled = sp.Symbol("w_scaled", real=True)
t_scaled = sp.Symbol("t_scaled", nonnegative=True)

# Section 2 and A.1: two points, the maps between them, and gradient descent.
n_x, n_h, n_y = sp.symbols("n_x n_h n_y", positive=True, integer=True)
D_h, D_y = sp.MatrixSymbol("D_h", n_h, n_x), sp.MatrixSymbol("D_y", n_y, n_h)
D_h_rate, D_y_rate = sp.MatrixSymbol("D_h_rate", n_h, n_x), sp.MatrixSymbol("D_y_rate", n_y, n_h)
x_1, x_2, x_i, x_mean, dx_vec = (
    sp.MatrixSymbol(z, n_x, 1) for z in ("x_1", "x_2", "x_i", "x_mean", "dx_vec")
)
h_i, h_mean, dh_vec, dh_rate = (sp.MatrixSymbol(z, n_h, 1) for z in ("h_i", "h_mean", "dh_vec", "dh_rate"))
y_i, y_mean, y_mean_target, y_mean_rate, dy_vec, dy_target_vec = (
    sp.MatrixSymbol(z, n_y, 1)
    for z in ("y_i", "y_mean", "y_mean_target", "y_mean_rate", "dy_vec", "dy_target_vec")
)  # fmt: skip
y_mean_j = sp.Function("y_mean_j", real=True)(t)
y_mean_j_0, y_mean_j_target = sp.symbols("y_mean_j_0 y_mean_j_target", real=True)
error2_1, error2_2 = sp.symbols("error2_1 error2_2", nonnegative=True)
theta, theta_next, theta_rate = sp.symbols("theta theta_next theta_rate", real=True)
eta, tau = sp.symbols("eta tau", positive=True)
loss_theta = sp.Function("loss_theta", nonnegative=True)(theta)

# A.3: fixed points and their stability.
J_11, J_12, J_21, J_22 = sp.symbols("J_11 J_12 J_21 J_22", real=True)
trace, det = sp.symbols("trace det", real=True)
slope_plus, slope_minus = sp.symbols("slope_plus slope_minus", real=True)
lambda_plus, lambda_minus = sp.symbols("lambda_plus lambda_minus", real=True)

# A.6: the random start.
h = sp.Symbol("h", positive=True)
mu_G = sp.Symbol("mu_G", real=True)
sigma_G = sp.Symbol("sigma_G", positive=True)
density_A, cdf_A, cdf_H, density_H = sp.symbols("density_A cdf_A cdf_H density_H", nonnegative=True)

# Section 5: the start at each layer.
dh2_layer, dh2_first = sp.symbols("dh2_layer dh2_first", positive=True)
layer_factor = sp.Symbol("layer_factor", positive=True)
layer = sp.Symbol("layer", nonnegative=True, integer=True)

# B.4: what pairs would do alone, and what all of them do together.
n_p = sp.Symbol("n_p", positive=True, integer=True)
alone_ij, near_ij = sp.Symbol("alone_ij", nonnegative=True), sp.Symbol("near_ij", positive=True)
alone = sp.MatrixSymbol("alone", n_p, n_p)
near_i, near_j = sp.MatrixSymbol("near_i", n_p, 1), sp.MatrixSymbol("near_j", n_p, 1)
together_ij = sp.MatrixSymbol("together_ij", 1, 1)

# The lift of the exact solution, before scaling.
u = sp.Function("u", real=True)(t)
r_along, r_across = sp.Function("r_along", real=True)(t), sp.Function("r_across", real=True)(t)

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

    def _eval_evalf(self, prec):
        return self.rewrite(sp.exp)._eval_evalf(prec)

    def _eval_rewrite_as_exp(self, z, **hints):
        return (sp.exp(z) - 1) / z

    def _latex(self, printer, exp=None):
        power = "" if exp is None else f"^{{{exp}}}"
        return rf"\varphi_1{power}\!\left({printer._print(self.args[0])}\right)"


def dot(a: sp.MatrixExpr, b: sp.MatrixExpr) -> sp.Expr:
    """The scalar product of two column vectors, as the trace that SymPy's matrix calculus knows."""
    return sp.Trace(a * b.T)


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

    @property
    def shape(self) -> str:
        """The word scalar, or the dimensions of a vector or matrix."""
        if not isinstance(self.symbol, sp.MatrixSymbol):
            return "scalar"
        return " × ".join(map(str, self.symbol.shape))


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
    Quantity(error2_1, r"\|f_\theta(x_1)-y_1^*\|^2", "squared error at the first point", "output²", "(1)",
             r"\|f_\theta(x_1)-y_1^*\|"),
    Quantity(error2_2, r"\|f_\theta(x_2)-y_2^*\|^2", "squared error at the second point", "output²", "(1)",
             r"\|f_\theta(x_2)-y_2^*\|"),
    Quantity(theta, r"\theta", "one parameter of the encoder (φ) or of the decoder (ψ)", "any", "(3)"),
    Quantity(theta_next, r"\theta_{\mathrm{next}}", "the same after a step", "any", "(3)"),
    Quantity(theta_rate, r"\dot\theta", "its velocity", "1/epochs", "(4)"),
    Quantity(loss_theta, r"L(\theta)", "the loss as a function of one parameter", "output²", "(1)"),
    Quantity(eta, r"\eta", "learning rate", "1/output²", "(3)"),
    Quantity(tau, r"\tau", "1/η, time constant of the parameters", "epochs", "(4)"),
    Quantity(D_h, "D_h", "Jacobian of the encoder between the two points", "hidden/input", "(5)"),
    Quantity(D_y, "D_y", "Jacobian of the decoder between them", "output/hidden", "(5)"),
    Quantity(D_h_rate, r"\dot D_h", "velocity of the encoder's Jacobian", "hidden/input/epochs", "(6)"),
    Quantity(D_y_rate, r"\dot D_y", "velocity of the decoder's Jacobian", "output/hidden/epochs", "(6)"),
    Quantity(x_1, "x_1", "first input", "input", "(8)"),
    Quantity(x_2, "x_2", "second input", "input", "(8)"),
    Quantity(x_i, "x_i", "either input", "input", "(5)"),
    Quantity(x_mean, r"\bar x", "mean of the two inputs", "input", "(5)"),
    Quantity(h_i, "h_i", "representation of either input", "hidden", "(5)"),
    Quantity(h_mean, r"\bar h", "mean of the two representations", "hidden", "(5)"),
    Quantity(y_i, "y_i", "output for either input", "output", "(5)"),
    Quantity(y_mean, r"\bar y", "mean of the two outputs", "output", "(5)"),
    Quantity(y_mean_target, r"\bar y^*", "mean of the two targets", "output", "(16)"),
    Quantity(y_mean_rate, r"\dot{\bar y}", "velocity of the mean output", "output/epochs", "(6)"),
    Quantity(y_mean_j, r"\bar y_j", "a component of the mean output", "output", "(18)"),
    Quantity(y_mean_j_0, r"\bar y_j(0)", "the same before the first step", "output", "(18)"),
    Quantity(y_mean_j_target, r"\bar y_j^*", "a component of the mean target", "output", "(18)"),
    Quantity(dx_vec, "dx", "difference of the inputs", "input", "(8)"),
    Quantity(dh_vec, "dh", "difference of the representations", "hidden", "(8)"),
    Quantity(dh_rate, r"\dot{dh}", "its velocity", "hidden/epochs", "(19)"),
    Quantity(dy_vec, "dy", "difference of the predicted outputs", "output", "(8)"),
    Quantity(dy_target_vec, "dy^*", "difference of the targets", "output", "(8)"),
    Quantity(J_11, "J_{11}", "∂/∂‖dh‖² of the rate of ‖dh‖² in (25)", "1/epochs", "(29)"),
    Quantity(J_12, "J_{12}", "∂/∂w of the rate of ‖dh‖² in (25)", "hidden²/output²/epochs", "(29)"),
    Quantity(J_21, "J_{21}", "∂/∂‖dh‖² of the rate of w in (25)", "output²/hidden²/epochs", "(29)"),
    Quantity(J_22, "J_{22}", "∂/∂w of the rate of w in (25)", "1/epochs", "(29)"),
    Quantity(trace, r"\mathrm{Tr}", "trace of J", "1/epochs", "(30)"),
    Quantity(det, r"\mathrm{det}", "determinant of J", "1/epochs²", "(31)"),
    Quantity(slope_plus, "(b/a)_+", "w/‖dh‖² along the growing direction at zero", "output²/hidden²", "(34)"),
    Quantity(slope_minus, "(b/a)_-", "w/‖dh‖² along the decaying direction", "output²/hidden²", "(34)"),
    Quantity(lambda_plus, r"\lambda_+", "eigenvalue of the growing direction", "1/epochs", "(35)"),
    Quantity(lambda_minus, r"\lambda_-", "eigenvalue of the decaying direction", "1/epochs", "(35)"),
    Quantity(G, "G", "factor on the initial ‖dh‖²: all weights times √G", "1", "(41)"),
    Quantity(dh2_scaled, r"\widetilde{\|dh\|^2}", "‖dh‖² over G", "hidden²", "(42)"),
    Quantity(dy2_scaled, r"\widetilde{\|dy\|^2}", "‖dy‖² over G²", "output²", "(42)"),
    Quantity(w_scaled, r"\widetilde w", "w over G²", "output²", "(42)"),
    Quantity(t_scaled, r"\widetilde t", "t times G", "epochs", "(42)"),
    Quantity(h, "h", "a value that ‖dh(∞)‖² may take", "hidden²", "(44)"),
    Quantity(mu_G, r"\mu_G", "mean of A_high over random starts", "hidden²", "(46)"),
    Quantity(sigma_G, r"\sigma_G", "standard deviation of A_high over random starts", "hidden²", "(46)"),
    Quantity(density_A, r"p(A_{\mathrm{high}})", "density of A_high", "1/hidden²", "(46)"),
    Quantity(cdf_A, r"P(A_{\mathrm{high}})", "distribution function of A_high", "1", "(47)"),
    Quantity(cdf_H, r"P(\|dh(\infty)\|^2\leq h)", "distribution function of ‖dh(∞)‖²", "1", "(48)"),
    Quantity(density_H, "p(h)", "density of ‖dh(∞)‖²", "1/hidden²", "book"),
    Quantity(dh2_layer, r"\|dh_l(0)\|^2", "‖dh(0)‖² at hidden layer l", "hidden²", "(14)", r"\|dh_l(0)\|"),
    Quantity(dh2_first, r"\|dh_0(0)\|^2", "‖dh(0)‖² at the first hidden layer", "hidden²", "(14)",
             r"\|dh_0(0)\|"),
    Quantity(layer_factor, "G_1", "factor on ‖dh(0)‖² from one layer to the next", "1", "(14)"),
    Quantity(layer, "l", "hidden layer, counted from 0", "1", "(14)"),
    Quantity(alone_ij, "A_{ij}", "distance that points i and j would end at alone", "any", "(50)"),
    Quantity(near_ij, "E_{ij}", "how near two points would be alone", "1", "(50)"),
    Quantity(alone, r"\mathbf A", "A of all pairs", "any", "(50)"),
    Quantity(near_i, r"\mathbf e_i", "column i of all E: how near point i would be to each", "1", "(50)"),
    Quantity(near_j, r"\mathbf e_j", "column j of all E", "1", "(50)"),
    Quantity(together_ij, "P_{ij}", "distance of points i and j, weighed", "any", "(50)"),
    Quantity(u, "u", "±‖dh‖, the weight into one hidden unit", "hidden", "book"),
    Quantity(r_along, "r_{\\parallel}", "the part of dy/u along dy*", "output/hidden", "book"),
    Quantity(r_across, "r_{\\perp}", "the part of dy/u across dy*", "output/hidden", "book"),
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
    Quantity(cos_phi, r"c_\varphi", "cosine of the growing mode's angle in the plane of p and x",
             "1", "book"),
    Quantity(sin_phi, r"s_\varphi", "its sine", "1", "book"),
    Quantity(a_plus, "a_+", "the start along the growing mode", "epochs^-½", "book"),
    Quantity(a_minus, "a_-", "the start along the decaying mode", "epochs^-½", "book"),
    Quantity(scale, r"\sigma", "logarithm of what N is divided by, any number", "1", "book"),
    Quantity(N_scaled, r"N_\sigma", "N over exp σ", "1", "book"),
    Quantity(gap, r"\varepsilon", "p x − s, the scaled error along dy*", "1/epochs", "book"),
    Quantity(cosine, r"c_\alpha", "cosine of the angle between dy(0) and dy*", "1", "book"),
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

    def _print_MatrixSymbol(self, expr, style="plain"):
        q = _QUANTITY.get(expr)
        return q.latex if q else super()._print_MatrixSymbol(expr)

    def _print_MatMul(self, expr):
        number, product = expr.as_coeff_mmul()
        factors = product.args if isinstance(product, sp.MatMul) else (product,)
        printed = " ".join(self.parenthesize(factor, 50) for factor in factors)
        if number == 1:
            return printed
        return f"- {printed}" if number == -1 else f"{self._print(number)} {printed}"

    def _print_MatAdd(self, expr):
        """A sum with its negative terms last, so that it does not begin with a sign."""
        terms = sorted((self._print(term) for term in expr.args), key=lambda term: term.startswith("-"))
        return " ".join([terms[0], *(term if term.startswith("-") else f"+ {term}" for term in terms[1:])])

    def _print_Transpose(self, expr):
        return rf"{self.parenthesize(expr.arg, 100)}^\top"

    def _print_Trace(self, expr):
        """The trace of an outer product, printed as the scalar product of its two vectors."""
        factors = expr.arg.args if isinstance(expr.arg, sp.MatMul) else (expr.arg,)
        cut = next(n for n, factor in enumerate(factors, start=1) if factor.shape[1] == 1)
        left, right = sp.MatMul(*factors[:cut]).doit(), sp.MatMul(*factors[cut:]).T.doit()
        if sp.expand(left - right).doit().is_ZeroMatrix:
            return rf"\left\|{self._print(left)}\right\|^2"
        return rf"{self.parenthesize(left, 50)}^\top {self.parenthesize(right, 50)}"

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

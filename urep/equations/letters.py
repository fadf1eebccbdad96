"""The letters of the equations, each once: its SymPy object, how it prints, what it means.

Notation is the paper's; squared norms carry a 2 in their Python name. Vectors and matrices are SymPy's
matrix symbols, of any dimension. Chapters take the letters from `urep.equations`, beside the equations.
"""

from __future__ import annotations

from dataclasses import dataclass

import sympy as sp
from sympy.printing.latex import LatexPrinter

# --- the letters ---


@dataclass(frozen=True)
class Quantity:
    """One letter: its SymPy object, its LaTeX, what it means, its unit, where it is defined."""

    symbol: sp.Expr
    latex: str
    meaning: str
    unit: str
    defined: str

    @property
    def name(self) -> str:
        """The Python name."""
        return self.symbol.func.__name__ if self.symbol.is_Function else self.symbol.name

    @property
    def norm(self) -> str | None:
        """The LaTeX of the norm, of a squared norm, so that its powers print well; else None."""
        squared = self.latex.startswith(r"\|") and self.latex.endswith(r"\|^2")
        return self.latex.removesuffix("^2") if squared else None

    @property
    def shape(self) -> str:
        """The word scalar, or the dimensions of a vector or matrix."""
        if not isinstance(self.symbol, sp.MatrixSymbol):
            return "scalar"
        return " × ".join(map(str, self.symbol.shape))


_QUANTITY: dict[sp.Expr, Quantity] = {}


def letter(
    name: str,
    latex: str,
    meaning: str,
    unit: str,
    defined: str,
    *,
    of: sp.Expr | None = None,
    shape: tuple | None = None,
    **assumptions: bool,
) -> sp.Expr:
    """Make a letter and its row of the notation.

    It is a symbol, a function `of` another letter, or a matrix of a `shape`; the assumptions are SymPy's.
    """
    if shape is not None:
        symbol = sp.MatrixSymbol(name, *shape)
    elif of is not None:
        symbol = sp.Function(name, **assumptions)(of)
    else:
        symbol = sp.Symbol(name, **assumptions)
    _QUANTITY[symbol] = Quantity(symbol, latex, meaning, unit, defined)
    return symbol


n_x, n_h, n_y, n_p, n_t, n_w = sp.symbols("n_x n_h n_y n_p n_t n_w", positive=True, integer=True)
"""Numbers of inputs, hidden units, outputs, points, measured epochs and weights of a chain: sizes of the
vectors and matrices."""

# Section 2.3: the three variables, their start, the task and the time constants.
t = letter("t", "t", "training time", "epochs", "(4)", nonnegative=True)
dh2 = letter(
    "dh2",
    r"\|dh\|^2",
    "squared distance of the two hidden representations",
    "hidden²",
    "(8)",
    of=t,
    positive=True,
)
dy2 = letter(
    "dy2",
    r"\|dy\|^2",
    "squared distance of the two predicted outputs",
    "output²",
    "(8)",
    of=t,
    nonnegative=True,
)
w = letter("w", "w", "dyᵀ(dy − dy*), what is left to learn, seen along dy", "output²", "(8)", of=t, real=True)
dh2_0 = letter("dh2_0", r"\|dh(0)\|^2", "‖dh‖² before the first step", "hidden²", "(11)", positive=True)
dy2_0 = letter("dy2_0", r"\|dy(0)\|^2", "‖dy‖² before the first step", "output²", "(11)", positive=True)
w_0 = letter("w_0", "w(0)", "w before the first step", "output²", "(8)", real=True)
dx2 = letter("dx2", r"\|dx\|^2", "squared distance of the two inputs", "input²", "(8)", positive=True)
dy2_target = letter(
    "dy2_target", r"\|dy^*\|^2", "squared distance of the two targets", "output²", "(8)", nonnegative=True
)
tau_h = letter(
    "tau_h",
    r"\tau_h",
    "effective time constant of the encoder",
    "epochs·input²·output²/hidden²",
    "(6)",
    positive=True,
)
tau_y = letter(
    "tau_y", r"\tau_y", "effective time constant of the decoder", "epochs·hidden²", "(6)", positive=True
)
tau_mean = letter(
    "tau_mean", r"\tau_{\bar y}", "effective time constant of the mean output", "epochs", "(6)", positive=True
)
mean_error2 = letter(
    "mean_error2",
    r"\|\bar y(0)-\bar y^*\|^2",
    "squared error of the mean output before the first step",
    "output²",
    "(9)",
    nonnegative=True,
)
A_high = letter(
    "A_high",
    r"A_{\mathrm{high}}",
    "what the random start contributes to ‖dh(∞)‖²",
    "hidden²",
    "(11)",
    real=True,
)
A_low = letter(
    "A_low", r"A_{\mathrm{low}}", "what the data contribute to ‖dh(∞)‖²", "hidden²", "(11)", nonnegative=True
)
dh2_inf = letter("dh2_inf", r"\|dh(\infty)\|^2", "‖dh‖² after training", "hidden²", "(10)", nonnegative=True)
loss = letter("loss", "L", "training loss, half the mean squared error", "output²", "(1)", nonnegative=True)
error2_1 = letter(
    "error2_1",
    r"\|f_\theta(x_1)-y_1^*\|^2",
    "squared error at the first point",
    "output²",
    "(1)",
    nonnegative=True,
)
error2_2 = letter(
    "error2_2",
    r"\|f_\theta(x_2)-y_2^*\|^2",
    "squared error at the second point",
    "output²",
    "(1)",
    nonnegative=True,
)

# Section 2.1: gradient descent.
theta = letter(
    "theta", r"\theta", "one parameter of the encoder (φ) or of the decoder (ψ)", "any", "(3)", real=True
)
theta_next = letter("theta_next", r"\theta_{\mathrm{next}}", "the same after a step", "any", "(3)", real=True)
theta_rate = letter("theta_rate", r"\dot\theta", "its velocity", "1/epochs", "(4)", real=True)
loss_theta = letter(
    "loss_theta",
    r"L(\theta)",
    "the loss as a function of one parameter",
    "output²",
    "(1)",
    of=theta,
    nonnegative=True,
)
eta = letter("eta", r"\eta", "learning rate", "1/output²", "(3)", positive=True)
tau = letter("tau", r"\tau", "1/η, time constant of the parameters", "epochs", "(4)", positive=True)

# Section 2.2 and A.1: two points and the maps between them.
D_h = letter(
    "D_h", "D_h", "Jacobian of the encoder between the two points", "hidden/input", "(5)", shape=(n_h, n_x)
)
D_y = letter("D_y", "D_y", "Jacobian of the decoder between them", "output/hidden", "(5)", shape=(n_y, n_h))
D_h_rate = letter(
    "D_h_rate",
    r"\dot D_h",
    "velocity of the encoder's Jacobian",
    "hidden/input/epochs",
    "(6)",
    shape=(n_h, n_x),
)
D_y_rate = letter(
    "D_y_rate",
    r"\dot D_y",
    "velocity of the decoder's Jacobian",
    "output/hidden/epochs",
    "(6)",
    shape=(n_y, n_h),
)
x_1 = letter("x_1", "x_1", "first input", "input", "(8)", shape=(n_x, 1))
x_2 = letter("x_2", "x_2", "second input", "input", "(8)", shape=(n_x, 1))
x_i = letter("x_i", "x_i", "either input", "input", "(5)", shape=(n_x, 1))
x_mean = letter("x_mean", r"\bar x", "mean of the two inputs", "input", "(5)", shape=(n_x, 1))
h_i = letter("h_i", "h_i", "representation of either input", "hidden", "(5)", shape=(n_h, 1))
h_mean = letter("h_mean", r"\bar h", "mean of the two representations", "hidden", "(5)", shape=(n_h, 1))
y_i = letter("y_i", "y_i", "output for either input", "output", "(5)", shape=(n_y, 1))
y_mean = letter("y_mean", r"\bar y", "mean of the two outputs", "output", "(5)", shape=(n_y, 1))
y_mean_target = letter(
    "y_mean_target", r"\bar y^*", "mean of the two targets", "output", "(16)", shape=(n_y, 1)
)
y_mean_rate = letter(
    "y_mean_rate", r"\dot{\bar y}", "velocity of the mean output", "output/epochs", "(6)", shape=(n_y, 1)
)
y_mean_j = letter(
    "y_mean_j", r"\bar y_j", "a component of the mean output", "output", "(18)", of=t, real=True
)
y_mean_j_0 = letter(
    "y_mean_j_0", r"\bar y_j(0)", "the same before the first step", "output", "(18)", real=True
)
y_mean_j_target = letter(
    "y_mean_j_target", r"\bar y_j^*", "a component of the mean target", "output", "(18)", real=True
)
dx_vec = letter("dx_vec", "dx", "difference of the inputs", "input", "(8)", shape=(n_x, 1))
dh_vec = letter("dh_vec", "dh", "difference of the representations", "hidden", "(8)", shape=(n_h, 1))
dh_rate = letter("dh_rate", r"\dot{dh}", "its velocity", "hidden/epochs", "(19)", shape=(n_h, 1))
dy_vec = letter("dy_vec", "dy", "difference of the predicted outputs", "output", "(8)", shape=(n_y, 1))
dy_target_vec = letter("dy_target_vec", "dy^*", "difference of the targets", "output", "(8)", shape=(n_y, 1))

# A.3: fixed points and their stability.
J_11 = letter("J_11", "J_{11}", "∂/∂‖dh‖² of the rate of ‖dh‖² in (25)", "1/epochs", "(29)", real=True)
J_12 = letter(
    "J_12", "J_{12}", "∂/∂w of the rate of ‖dh‖² in (25)", "hidden²/output²/epochs", "(29)", real=True
)
J_21 = letter(
    "J_21", "J_{21}", "∂/∂‖dh‖² of the rate of w in (25)", "output²/hidden²/epochs", "(29)", real=True
)
J_22 = letter("J_22", "J_{22}", "∂/∂w of the rate of w in (25)", "1/epochs", "(29)", real=True)
trace = letter("trace", r"\mathrm{Tr}", "trace of J", "1/epochs", "(30)", real=True)
det = letter("det", r"\mathrm{det}", "determinant of J", "1/epochs²", "(31)", real=True)
slope_plus = letter(
    "slope_plus",
    "(b/a)_+",
    "w/‖dh‖² along the growing direction at zero",
    "output²/hidden²",
    "(34)",
    real=True,
)
slope_minus = letter(
    "slope_minus", "(b/a)_-", "w/‖dh‖² along the decaying direction", "output²/hidden²", "(34)", real=True
)
lambda_plus = letter(
    "lambda_plus", r"\lambda_+", "eigenvalue of the growing direction", "1/epochs", "(35)", real=True
)
lambda_minus = letter(
    "lambda_minus", r"\lambda_-", "eigenvalue of the decaying direction", "1/epochs", "(35)", real=True
)

# A.5: large weights.
G = letter("G", "G", "factor on the initial ‖dh‖²: all weights times √G", "1", "(41)", positive=True)
dh2_scaled = letter("dh2_scaled", r"\widetilde{\|dh\|^2}", "‖dh‖² over G", "hidden²", "(42)", positive=True)
dy2_scaled = letter(
    "dy2_scaled", r"\widetilde{\|dy\|^2}", "‖dy‖² over G²", "output²", "(42)", nonnegative=True
)
w_scaled = letter("w_scaled", r"\widetilde w", "w over G²", "output²", "(42)", real=True)
t_scaled = letter("t_scaled", r"\widetilde t", "t times G", "epochs", "(42)", nonnegative=True)

# A.6: the random start.
h = letter("h", "h", "a value that ‖dh(∞)‖² may take", "hidden²", "(44)", positive=True)
mu_G = letter("mu_G", r"\mu_G", "mean of A_high over random starts", "hidden²", "(46)", real=True)
sigma_G = letter(
    "sigma_G",
    r"\sigma_G",
    "standard deviation of A_high over random starts",
    "hidden²",
    "(46)",
    positive=True,
)
density_A = letter(
    "density_A", r"p(A_{\mathrm{high}})", "density of A_high", "1/hidden²", "(46)", nonnegative=True
)
cdf_A = letter(
    "cdf_A", r"P(A_{\mathrm{high}})", "distribution function of A_high", "1", "(47)", nonnegative=True
)
cdf_H = letter(
    "cdf_H", r"P(\|dh(\infty)\|^2\leq h)", "distribution function of ‖dh(∞)‖²", "1", "(48)", nonnegative=True
)
density_H = letter("density_H", "p(h)", "density of ‖dh(∞)‖²", "1/hidden²", "book", nonnegative=True)

# Section 5: the start at each layer.
dh2_layer = letter(
    "dh2_layer", r"\|dh_l(0)\|^2", "‖dh(0)‖² at hidden layer l", "hidden²", "(14)", positive=True
)
dh2_first = letter(
    "dh2_first", r"\|dh_0(0)\|^2", "‖dh(0)‖² at the first hidden layer", "hidden²", "(14)", positive=True
)
layer_factor = letter(
    "layer_factor", "G_1", "factor on ‖dh(0)‖² from one layer to the next", "1", "(14)", positive=True
)
layer = letter("layer", "l", "hidden layer, counted from 0", "1", "(14)", nonnegative=True, integer=True)

# B.1: the three variables at all measured epochs, as they were seen and as the fitted theory has them.
fit_loss = letter(
    "fit_loss",
    r"L_{\mathrm{fit}}",
    "what a fit of tau_h and tau_y minimises",
    "mixed",
    "(49)",
    nonnegative=True,
)
dh2_seen = letter(
    "dh2_seen", r"\|dh\|^2_{\mathrm{seen}}", "‖dh‖² at the measured epochs", "hidden²", "(49)", shape=(n_t, 1)
)
dy2_seen = letter(
    "dy2_seen", r"\|dy\|^2_{\mathrm{seen}}", "‖dy‖² at the measured epochs", "output²", "(49)", shape=(n_t, 1)
)
w_seen = letter("w_seen", r"w_{\mathrm{seen}}", "w at the measured epochs", "output²", "(49)", shape=(n_t, 1))
dh2_fit = letter(
    "dh2_fit", r"\|dh\|^2_{\mathrm{fit}}", "‖dh‖² of (7) at those epochs", "hidden²", "(49)", shape=(n_t, 1)
)
dy2_fit = letter(
    "dy2_fit", r"\|dy\|^2_{\mathrm{fit}}", "‖dy‖² of (7) at those epochs", "output²", "(49)", shape=(n_t, 1)
)
w_fit = letter("w_fit", r"w_{\mathrm{fit}}", "w of (7) at those epochs", "output²", "(49)", shape=(n_t, 1))

# B.4: what pairs would do alone, and what all of them do together.
alone_ij = letter(
    "alone_ij", "A_{ij}", "distance that points i and j would end at alone", "any", "(50)", nonnegative=True
)
near_ij = letter("near_ij", "E_{ij}", "how near two points would be alone", "1", "(50)", positive=True)
alone = letter("alone", r"\mathbf A", "A of all pairs", "any", "(50)", shape=(n_p, n_p))
near_i = letter(
    "near_i",
    r"\mathbf e_i",
    "column i of all E: how near point i would be to each",
    "1",
    "(50)",
    shape=(n_p, 1),
)
near_j = letter("near_j", r"\mathbf e_j", "column j of all E", "1", "(50)", shape=(n_p, 1))
together_ij = letter(
    "together_ij", "P_{ij}", "distance of points i and j, weighed", "any", "(50)", shape=(1, 1)
)

# The lift of the exact solution, before scaling.
u = letter("u", "u", "±‖dh‖, the weight into one hidden unit", "hidden", "book", of=t, real=True)
r_along = letter(
    "r_along", r"r_{\parallel}", "the part of dy/u along dy*", "output/hidden", "book", of=t, real=True
)
r_across = letter(
    "r_across", r"r_{\perp}", "the part of dy/u across dy*", "output/hidden", "book", of=t, real=True
)

# The exact solution's own letters: scaled coordinates, their start, and what is conserved from it on.
p = letter("p", "p", "‖dh‖ √k_y, with k_y = 1/(2 tau_y)", "epochs^-½", "book", of=t, real=True)
x = letter(
    "x",
    "x",
    "√k_h times the part of dy/‖dh‖ along dy*, k_h = dx2/(2 tau_h)",
    "epochs^-½",
    "book",
    of=t,
    real=True,
)
y = letter("y", "y", "√k_h times the part of dy/‖dh‖ across dy*", "epochs^-½", "book", of=t, nonnegative=True)
p_0 = letter("p_0", "p_0", "p before the first step", "epochs^-½", "book", positive=True)
x_0 = letter("x_0", "x_0", "x before the first step", "epochs^-½", "book", real=True)
y_0 = letter("y_0", "y_0", "y before the first step", "epochs^-½", "book", nonnegative=True)
c = letter("c", "c", "p² − x² − y², conserved; A_high/(2 tau_y)", "1/epochs", "book", real=True)
s = letter("s", "s", "√(k_h k_y) ‖dy*‖; A_low/(2 tau_y)", "1/epochs", "book", nonnegative=True)
A = letter("A", "A", "√(c²/4 + s²), half the rate of convergence", "1/epochs", "book", positive=True)
N = letter("N", "N", "what divides the remaining error", "1", "book", of=t, positive=True)

# The same for a machine: modes of growth and decay, and N divided by what it has grown to.
cos_phi = letter(
    "cos_phi",
    r"c_\varphi",
    "cosine of the growing mode's angle in the plane of p and x",
    "1",
    "book",
    positive=True,
)
sin_phi = letter("sin_phi", r"s_\varphi", "its sine", "1", "book", nonnegative=True)
a_plus = letter("a_plus", "a_+", "the start along the growing mode", "epochs^-½", "book", real=True)
a_minus = letter("a_minus", "a_-", "the start along the decaying mode", "epochs^-½", "book", real=True)
scale = letter("scale", r"\sigma", "logarithm of what N is divided by, any number", "1", "book", real=True)
N_scaled = letter("N_scaled", r"N_\sigma", "N over exp σ", "1", "book", positive=True)
gap = letter("gap", r"\varepsilon", "p x − s, the scaled error along dy*", "1/epochs", "book", real=True)
cosine = letter("cosine", r"c_\alpha", "cosine of the angle between dy(0) and dy*", "1", "book", real=True)

# The exact solution for scalar outputs.
dy = letter(
    "dy", "dy", "output difference, signed where there is one output", "output", "book", of=t, real=True
)
dy_0 = letter("dy_0", "dy(0)", "dy before the first step", "output", "book", real=True)
dy_target = letter(
    "dy_target",
    "dy^*",
    "target difference, positive where there is one output",
    "output",
    "book",
    positive=True,
)

# Beyond the paper, the chapter on rotation: one linear layer with one output, without (19).
p_vec = letter("p_vec", r"\mathbf p", "√k_y dh, the vector", "epochs^-½", "book", shape=(n_h, 1))
rho_vec = letter("rho_vec", r"\boldsymbol\rho", "√k_h D_yᵀ, the vector", "epochs^-½", "book", shape=(n_h, 1))
p_vec_0 = letter(
    "p_vec_0", r"\mathbf p_0", "the same before the first step", "epochs^-½", "book", shape=(n_h, 1)
)
rho_vec_0 = letter(
    "rho_vec_0", r"\boldsymbol\rho_0", "the same before the first step", "epochs^-½", "book", shape=(n_h, 1)
)
p_rate = letter("p_rate", r"\dot{\mathbf p}", "velocity of p", "epochs^-3/2", "book", shape=(n_h, 1))
rho_rate = letter(
    "rho_rate", r"\dot{\boldsymbol\rho}", "velocity of ρ", "epochs^-3/2", "book", shape=(n_h, 1)
)
m = letter("m", "m", "p·ρ = √(k_h k_y) dy, what has been learned", "1/epochs", "book", of=t, real=True)
m_0 = letter("m_0", "m_0", "m before the first step", "1/epochs", "book", real=True)
C = letter("C", "C", "√((|p|² + |ρ|²)² − 4m²), conserved, at least |c|", "1/epochs", "book", nonnegative=True)
Omega = letter("Omega", r"\Omega", "√(C² + 4s²), the rate of convergence", "1/epochs", "book", positive=True)
vartheta = letter(
    "vartheta", r"\zeta", "integral of s − m, how far p and ρ have mixed", "1", "book", of=t, real=True
)
sum2 = letter("sum2", "S_+", "|p(0) + ρ(0)|², of the part that grows", "1/epochs", "book", positive=True)
difference2 = letter(
    "difference2", "S_-", "|p(0) − ρ(0)|², of the part that decays", "1/epochs", "book", nonnegative=True
)
turn = letter(
    "turn", r"\psi", "angle between dh and dh(0) where training ends", "1", "book", nonnegative=True
)
share = letter("share", r"\varsigma", "2s/Ω, the target's share of the rate", "1", "book", nonnegative=True)
# Chapter growing_rates: two lengths, an angle, and rates that grow with the maps.
r = letter("r", "r", "‖D_y‖, length of the decoder's gradient", "output/hidden", "book", of=t, positive=True)
angle = letter("angle", r"\vartheta", "angle of dh and the decoder's gradient", "1", "book", of=t, real=True)
error = letter("error", "e", "dy − dy*, for scalar outputs", "output", "book", of=t, real=True)
error_mean = letter(
    "error_mean", r"\bar e", "error of the mean output, for scalar outputs", "output", "book", real=True
)
K_h = letter("K_h", r"K_h^\parallel", "rate of dh along itself", "any", "book", positive=True)
K_y = letter("K_y", r"K_y^\parallel", "rate of D_y along itself", "any", "book", positive=True)
K_h_across = letter("K_h_across", r"K_h^\perp", "rate of dh across itself", "any", "book", real=True)
K_y_across = letter("K_y_across", r"K_y^\perp", "rate of D_y across itself", "any", "book", real=True)
encoder = letter(
    "encoder", "a", "matrices before the representation", "1", "book", positive=True, integer=True
)
decoder = letter("decoder", "b", "matrices behind it", "1", "book", positive=True, integer=True)
u_0 = letter("u_0", "u_0", "u before training", "hidden", "book", positive=True)
gamma_h = letter("gamma_h", r"\Gamma_h", "what a random birth adds to K_h", "1", "book", positive=True)
gamma_y = letter("gamma_y", r"\Gamma_y", "what a random birth adds to K_y", "1", "book", positive=True)
r_0 = letter("r_0", "r_0", "r before training", "output/hidden", "book", positive=True)
# Chapter exponents.
outer = letter(
    "outer", "q", "squared gain of the matrix at the outer end, over that of the others", "1", "book",
    positive=True,
)  # fmt: skip
# Chapters when and decoder_first: when half is learned, and when and how near two representations come.
t_half = letter("t_half", r"t_{1/2}", "time when half of the error is left", "epochs", "book", positive=True)
t_collision = letter(
    "t_collision", "t^*", "time when two representations collide", "epochs", "book", positive=True
)
dh2_least = letter(
    "dh2_least", r"\|dh\|^2_{\min}", "the least ‖dh‖² of a training", "hidden²", "book", nonnegative=True
)

# Chapter finite_steps: what a step of gradient descent leaves of what the flow conserves.
c_next = letter("c_next", r"c_{\mathrm{next}}", "c after a step", "1/epochs", "book", real=True)
C_next = letter("C_next", r"C_{\mathrm{next}}", "C after a step", "1/epochs", "book", nonnegative=True)
shrunk = letter(
    "shrunk", "g", "what finite steps leave of c and of C, as a share", "1", "book", positive=True
)
Omega_end = letter(
    "Omega_end",
    r"\Omega_\infty",
    "Ω where finite steps end, with C times g",
    "1/epochs",
    "book",
    positive=True,
)
label_noise = letter(
    "label_noise", r"\sigma_y", "standard deviation of s from step to step", "1/epochs", "book", positive=True
)
seen2 = letter(
    "seen2",
    r"\langle e^2\rangle",
    "mean (m − s)² that steps see, noise included",
    "1/epochs²",
    "book",
    positive=True,
)
seen2_pairs = letter(
    "seen2_pairs",
    r"\langle e^2\rangle_{\pm}",
    "the same where an epoch has both signs of the noise",
    "1/epochs²",
    "book",
    positive=True,
)
weight_decay = letter(
    "weight_decay",
    r"\lambda",
    "share of its weights that a step takes off",
    "1/epochs",
    "book",
    nonnegative=True,
)
weight_k = letter("weight_k", "w_k", "weight k of a chain of single units", "any", "book", positive=True)
weight_l = letter("weight_l", "w_l", "weight l of the same chain", "any", "book", positive=True)
apart_next = letter(
    "apart_next", r"(w_k^2 - w_l^2)_{\mathrm{next}}", "w_k² − w_l² after a step", "any", "book", real=True
)
Omega_k = letter(
    "Omega_k", r"\Omega_k", "what weight k of a chain adds to Ω", "1/epochs", "book", positive=True
)
Omega_all = letter(
    "Omega_all", r"\boldsymbol\Omega", "Ω_k of all weights, which add up to Ω", "1/epochs", "book",
    shape=(n_w, 1),
)  # fmt: skip
square_gain = letter(
    "square_gain", r"\langle\Delta w_k^2\rangle", "mean change of w_k² in a step at rest", "any", "book",
    real=True,
)  # fmt: skip
matrices = letter("matrices", "n", "matrices of a linear network", "1", "book", positive=True, integer=True)
dy_last = letter(
    "dy_last", r"dy_{\mathrm{last}}", "smallest dy that weight decay allows but zero", "output", "book",
    nonnegative=True,
)  # fmt: skip
decay_last = letter(
    "decay_last", r"\lambda_{\mathrm{last}}", "weight decay beyond which dy is zero", "1/epochs", "book",
    positive=True,
)  # fmt: skip

NOTATION: tuple[Quantity, ...] = tuple(_QUANTITY.values())
"""All letters, in the order of their definition."""

state = (dh2, dy2, w)

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


# --- how they print ---


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
        if number == -1:
            return f"- {printed}"
        return (
            rf"\left({self._print(number)}\right) {printed}"
            if number.is_Add
            else f"{self._print(number)} {printed}"
        )

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

    def _print_atanh(self, expr, exp=None):
        power = "" if exp is None else f"^{{{exp}}}"
        return rf"\mathrm{{artanh}}{power}\!\left({self._print(expr.args[0])}\right)"

    def _print_Function(self, expr, exp=None):
        q = _QUANTITY.get(expr)
        if q is None:
            return super()._print_Function(expr, exp)
        if exp is None:
            return q.latex
        if "\\" in exp:  # an exponent that is printed already, and no number
            return f"{q.latex}^{{{exp}}}"
        return self._norm(expr, sp.sympify(exp)) or f"{q.latex}^{{{exp}}}"


def latex(expr: sp.Basic) -> str:
    """LaTeX of an expression in the paper's letters."""
    return _PaperPrinter().doprint(expr)

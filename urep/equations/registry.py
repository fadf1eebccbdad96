"""The paper's numbered equations, each written once, as SymPy objects.

Everything else is made from these objects: the LaTeX on a page, the NumPy functions in
`urep.theory`, the JavaScript of the explorer, and the right-hand sides that chapters derive towards.
Their letters are those of `urep.equations.letters`. Time constants follow the convention of the authors'
code, in which a factor 1/2 of the gradient is absorbed (shown in the chapter on the model).

    >>> from urep.equations import paper, dh2
    >>> paper[38].rhs.has(dh2)
    True
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache

import sympy as sp
from sympy.core.function import AppliedUndef

from .letters import (  # isort: skip
    A, A_high, A_low, a_minus, a_plus, alone, alone_ij, c, cdf_A, cdf_H, cos_phi, cosine, D_h, D_h_rate,
    D_y, D_y_rate, density_A, density_H, det, dh2, dh2_0, dh2_first, dh2_fit, dh2_inf, dh2_layer,
    dh2_scaled, dh2_seen, dh_rate, dh_vec, dot, dx2, dx_vec, dy, dy2, dy2_0, dy2_fit, dy2_scaled,
    dy2_seen, dy2_target, dy_0, dy_target, dy_target_vec, dy_vec, error2_1, error2_2, eta, fit_loss, G,
    gap, h, h_i, h_mean, J_11, J_12, J_21, J_22, kappa, lambda_minus, lambda_plus, latex, layer,
    layer_factor, loss, loss_theta, mean_error2, mu_G, N, N_scaled, near_i, near_ij, near_j, p, p_0, phi1,
    r_across, r_along, s, scale, sigma_G, sin_phi, slope_minus, slope_plus, t, t_scaled, tau, tau_h,
    tau_mean, tau_y, theta, theta_next, theta_rate, together_ij, trace, u, w, w_0, w_fit, w_scaled,
    w_seen, x, x_0, x_1, x_2, x_i, x_mean, y, y_0, y_i, y_mean, y_mean_j, y_mean_j_0, y_mean_j_target,
    y_mean_rate, y_mean_target,
    # Beyond the paper, rotation.
    C, difference2, m, m_0, Omega, p_rate, p_vec, p_vec_0, rho_rate, rho_vec, rho_vec_0, share, sum2,
    turn, vartheta,
)  # fmt: skip
from .letters import (  # isort: skip  (chapter growing_rates)
    angle, decoder, encoder, error, error_mean, gamma_h, gamma_y, K_h, K_h_across, K_y, K_y_across, r, r_0,
    u_0,
)  # fmt: skip
from .letters import outer  # isort: skip  (chapter exponents)
from .letters import dh2_least, t_collision, t_half  # isort: skip  (chapters when and decoder_first)
from .letters import (  # isort: skip  (chapter finite_steps)
    apart_next, c_next, C_next, decay_last, dy_last, label_noise, matrices, Omega_all, Omega_end, Omega_k,
    seen2, seen2_pairs, shrunk, square_gain, weight_decay, weight_k, weight_l,
)  # fmt: skip

from .reads import Registered

# --- the registry ---------------------------------------------------------------------------


SIGN = {"==": "=", "<=": "<=", ">=": ">="}
"""Each relation's sign in text."""


def as_text(line: sp.Expr | sp.Rel) -> str:
    """An expression, or a relation with both of its sides, as text: "left = right"."""
    if not isinstance(line, sp.Rel):
        return str(line)
    return f"{line.lhs} {SIGN[line.rel_op]} {line.rhs}"


@dataclass(frozen=True)
class Equation:
    """One numbered equation: its number, the paper's section, one SymPy relation a line.

    `rhs` and `lhs` are an expression for a single line and a tuple for a system.
    """

    number: int | str
    section: str
    relations: tuple[sp.Rel, ...]

    @property
    def lhs(self) -> sp.Expr | tuple[sp.Expr, ...]:
        """Left-hand side, or sides."""
        lefts = tuple(r.lhs for r in self.relations)
        return lefts if len(lefts) > 1 else lefts[0]

    @property
    def rhs(self) -> sp.Expr | tuple[sp.Expr, ...]:
        """Right-hand side, or sides."""
        rights = tuple(r.rhs for r in self.relations)
        return rights if len(rights) > 1 else rights[0]

    @property
    def sides(self) -> tuple[tuple[sp.Expr, sp.Expr], ...]:
        """Left and right-hand side of each line, a pair a line."""
        return tuple((r.lhs, r.rhs) for r in self.relations)

    @property
    def lines(self) -> tuple[str, ...]:
        """Each line as text: what the record of a claim about this equation holds."""
        return tuple(map(as_text, self.relations))

    def line(self, number: int) -> Equation:
        """One line of a system, counted from 1, as an equation with the same number."""
        if not 1 <= number <= len(self.relations):
            raise ValueError(f"line of ({self.number}) must be 1 to {len(self.relations)}, got {number}")
        return Equation(self.number, self.section, (self.relations[number - 1],))

    def latex(self) -> str:
        """LaTeX of all lines, aligned at the equality sign, tagged with the number."""
        # \cr and not two backslashes, which Sphinx would wrap in an environment without tags.
        sign = {"==": "=", "<=": r"\leq", ">=": r"\geq"}
        lines = r" \cr ".join(f"{latex(r.lhs)} &{sign[r.rel_op]} {latex(r.rhs)}" for r in self.relations)
        return rf"\begin{{aligned}} {lines} \end{{aligned}} \tag{{{self.number}}}"

    def _repr_latex_(self) -> str:
        return f"$${self.latex()}$$"

    def __repr__(self) -> str:
        sign = {"==": "=", "<=": "≤", ">=": "≥"}
        return f"({self.number}) " + "; ".join(f"{r.lhs} {sign[r.rel_op]} {r.rhs}" for r in self.relations)


def _rate(variable: sp.Expr) -> sp.Derivative:
    return sp.Derivative(variable, t)


_half = sp.Rational(1, 2)
_growth = sp.exp(-A_high * t / tau_y)
_bernoulli = A_high / (1 + (A_high / dh2_0 - 1) * _growth)
_phase = A_high * t / tau_y
_push = dh2_0 * t / tau_y

_faded = sp.exp(-A * t - scale / 2)
_risen = a_plus * 2 * A * t * phi1(-2 * A * t) * sp.exp(A * t - scale / 2)
_squares = 4 * tau_h * tau_y / dx2  # 1/(k_h k_y)


def _scaled_sum(across: sp.Expr) -> tuple[tuple[sp.Expr, sp.Expr], ...]:
    """N and the error along dy*, both over exp σ, from what the part across dy* adds to N."""
    modes = t * phi1(-2 * A * t) * (a_plus**2 * sp.exp(2 * A * t - scale) + a_minus**2 * sp.exp(-scale))
    return (
        (N_scaled, sp.exp(-scale) + modes + across),
        (gap, ((p_0 * x_0 - s) * sp.exp(-scale) - s * across) / N_scaled),
    )


_sinh, _cosh = sp.sinh(A * t), sp.cosh(A * t)

_RATE_H = -dx2 / tau_h * w
_RATE_Y = -w * (dh2 / tau_y + dx2 * dy2 / (tau_h * dh2))
_RATE_W = (
    -(3 * w - dy2 + dy2_target) * dh2 / (2 * tau_y)
    - dx2 / (2 * tau_h) * (dy2 + w) * w / dh2
)  # fmt: skip


def _lines(*pairs) -> tuple[sp.Eq, ...]:
    return tuple(sp.Eq(left, right, evaluate=False) for left, right in pairs)


_LOSS = (
    _half * mean_error2 * sp.exp(-2 * t / tau_mean)
    + sp.Rational(1, 4) * (w + _half * (dy2_target - dy2))
)  # fmt: skip
_HIGH = dh2_0 - tau_y / tau_h * dx2 * dy2_0 / dh2_0
_LOW = sp.sqrt(tau_y / tau_h) * sp.sqrt(dx2) * sp.sqrt(dy2_target)
_offset = dy2_0 / dh2_0 - kappa * dh2_0
_LEVEL = kappa * dh2**2 + _offset * dh2
_spread = sp.sqrt(A_high**2 + 4 * A_low**2)
_END = _half * A_high + sp.sqrt(A_high**2 / 4 + A_low**2)
_OTHER_END = _half * A_high - sp.sqrt(A_high**2 / 4 + A_low**2)
_LINEAR_MAPS = (
    (h_i, h_mean + D_h * (x_i - x_mean)),
    (y_i, y_mean + D_y * (h_i - h_mean)),
)
_away = D_y * D_h * dx_vec - dy_target_vec
_mean_away = y_mean - y_mean_target
_limit_of_start = h - A_low**2 / h
_bell = sp.exp(-((A_high - mu_G) ** 2) / (2 * sigma_G**2)) / (sp.sqrt(2 * sp.pi) * sigma_G)

_PAPER = (
    Equation(1, "2.1", _lines((loss, (error2_1 + error2_2) / 4))),
    Equation(3, "2.1", _lines((theta_next, theta - eta * loss_theta.diff(theta)))),
    Equation(4, "2.1", _lines((theta_rate, -loss_theta.diff(theta) / tau))),
    Equation(5, "2.2", _lines(*_LINEAR_MAPS)),
    Equation(7, "2.3", _lines(
        (_rate(dh2), _RATE_H), (_rate(dy2), _RATE_Y), (_rate(w), _RATE_W))),
    Equation(8, "2.3", _lines(
        (dx_vec, x_2 - x_1), (dh_vec, D_h * dx_vec), (dy_vec, D_y * dh_vec),
        (w, dot(dy_vec, dy_vec) - dot(dy_vec, dy_target_vec)))),
    Equation(9, "3.3", _lines((loss, _LOSS))),
    Equation(10, "4.1", _lines((dh2_inf, _END))),
    Equation(11, "4.1", _lines((A_high, _HIGH), (A_low, _LOW))),
    Equation(14, "5.1", _lines((dh2_layer, dh2_first * layer_factor**layer))),
    Equation(15, "A.1", _lines(*_LINEAR_MAPS)),
    Equation(16, "A.1", _lines((loss, sum(
        dot(error, error) for error in (_mean_away + _away / 2, _mean_away - _away / 2)) / 4))),
    Equation(17, "A.1", _lines(
        (y_mean_rate, -_mean_away / tau_mean),
        (D_h_rate, -D_y.T * _away * dx_vec.T / (2 * tau_h)),
        (D_y_rate, -_away * dx_vec.T * D_h.T / (2 * tau_y)))),
    Equation(18, "A.1", _lines(
        (y_mean_j, y_mean_j_target + (y_mean_j_0 - y_mean_j_target) * sp.exp(-t / tau_mean)))),
    Equation(19, "A.1", _lines((D_y * dh_rate, dy_vec * dh_vec.T * dh_rate / dh2))),
    Equation(20, "A.1", _lines(
        (_rate(dh2), 2 * dot(dh_vec, dh_rate)),
        (_rate(dy2), 2 * dot(dy_vec, D_y_rate * dh_vec) + dy2 / dh2 * _rate(dh2)),
        (_rate(w), dot(2 * dy_vec - dy_target_vec, D_y_rate * dh_vec)
         + (2 * dy2 - (dy2 - w)) / (2 * dh2) * _rate(dh2)))),
    Equation(21, "A.1", _lines(
        (_rate(dh2), _RATE_H), (_rate(dy2), _RATE_Y), (_rate(w), _RATE_W))),
    Equation(22, "A.2", _lines((loss, _LOSS))),
    Equation(23, "A.3", _lines((_rate(dy2 / dh2), kappa * _rate(dh2)))),
    Equation(24, "A.3", _lines((dy2, _LEVEL))),
    Equation(25, "A.3", _lines(
        (_rate(dh2), -dx2 / tau_h * w),
        (_rate(w), -(3 * w - kappa * dh2**2 - _offset * dh2 + dy2_target) * dh2 / (2 * tau_y)
         - dx2 / (2 * tau_h) * (kappa * dh2 + _offset + w / dh2) * w))),
    Equation(27, "A.3", _lines((dh2, sp.S.Zero), (dh2, _END), (dh2, _OTHER_END))),
    Equation(28, "A.3", _lines((A_high, _HIGH), (A_low, _LOW))),
    Equation(29, "A.3", _lines(
        (J_11, sp.S.Zero), (J_12, -dx2 / tau_h),
        (J_21, kappa / (2 * tau_y) * (A_low**2 + _END**2)),
        (J_22, -(A_high / 2 + _spread) / tau_y))),
    Equation(30, "A.3", _lines((trace, -(A_high / 2 + _spread) / tau_y))),
    Equation(31, "A.3", _lines((det, _END * _spread / (2 * tau_y**2)))),
    Equation(32, "A.3", _lines(
        (J_11, sp.S.Zero), (J_12, -dx2 / tau_h),
        (J_21, (dx2 / tau_h * w**2 / dh2**2 - dy2_target / tau_y) / 2),
        (J_22, A_high / (2 * tau_y) - dx2 / tau_h * w / dh2))),
    Equation(34, "A.3", _lines(
        (slope_plus, -kappa * (A_high + _spread) / 2),
        (slope_minus, -kappa * (A_high - _spread) / 2))),
    Equation(35, "A.3", _lines(
        (lambda_plus, (A_high + _spread) / (2 * tau_y)),
        (lambda_minus, (A_high - _spread) / (2 * tau_y)))),
    Equation(36, "A.3", _lines((dh2_inf, _END))),
    Equation(37, "A.4", _lines(
        (_rate(dh2), -dx2 / tau_h * dy2),
        (_rate(dy2), -dy2 * (dh2 / tau_y + dx2 * dy2 / (tau_h * dh2))))),
    Equation(38, "A.4", _lines((_rate(dh2), -(dh2**2) / tau_y + A_high / tau_y * dh2))),
    Equation(39, "A.4", _lines((dh2, _bernoulli))),
    Equation(40, "A.4", _lines((dy2, kappa * _bernoulli * (_bernoulli - A_high)))),
    Equation(41, "A.5", _lines(
        (dh2, G * dh2_0), (dy2, G**2 * dy2_0), (w, G**2 * w_0))),
    Equation(42, "A.5", _lines(
        (dh2, G * dh2_scaled), (dy2, G**2 * dy2_scaled), (w, G**2 * w_scaled), (t, t_scaled / G))),
    Equation(43, "A.5", _lines(
        (_rate(dh2), _RATE_H), (_rate(dy2), _RATE_Y),
        (_rate(w), _RATE_W.subs(dy2_target, dy2_target / G**2)))),
    Equation(44, "A.6", (sp.Le(A_high, _limit_of_start), sp.Le(A_high, 2 * h))),
    Equation(45, "A.6", (sp.Le(A_high, _limit_of_start),)),
    Equation(46, "A.6", _lines((density_A, _bell))),
    Equation(47, "A.6", _lines((
        cdf_A, (1 + sp.erf((A_high - mu_G) / (sp.sqrt(2) * sigma_G))) / 2))),
    Equation(48, "A.6", _lines((
        cdf_H, (1 + sp.erf((_limit_of_start - mu_G) / (sp.sqrt(2) * sigma_G))) / 2))),
    Equation(49, "B.1", _lines((fit_loss, sum(
        dot(seen - fit, seen - fit)
        for seen, fit in ((dh2_seen, dh2_fit), (dy2_seen, dy2_fit), (w_seen, w_fit)))))),
    # Elementwise exponentials, matrix products: P = E A E with E = exp(-A).
    Equation(50, "B.4", _lines((near_ij, sp.exp(-alone_ij)), (together_ij, near_i.T * alone * near_j))),
)  # fmt: skip

paper: Mapping[int, Equation] = Registered({e.number: e for e in _PAPER})
"""The paper's equations by number. Those without an entry say no more than a neighbour does.

(2) and (6) are (1) and (4) for other letters; (12), (13), (26), (33) are stated in words.
"""

# Rotation: sums of positive terms, and what both of its lines divide by.
_root_C = sp.sqrt(C**2 + 4 * m**2)
_spent = t * phi1(-Omega * t)  # (1 − exp(−Ω t))/Ω
_gone = sp.exp(-Omega * t)
_rises = (1 + share) + (1 - share) * _gone + difference2 * _spent
_falls = (1 - share) + (1 + share) * _gone + sum2 * _spent
# Chapter growing_rates. E40 the state, E41 the loss that drives it, E42 the rates of a deep linear network,
# E43 what isometries are born with, E44 what wide random matrices are born with.
_born = sp.Symbol("k", nonnegative=True, integer=True)


def _inherited(size: sp.Expr, depth: sp.Expr) -> sp.Expr:
    return sp.Sum(size ** (-2 * _born / depth), (_born, 0, depth - 1)) / depth


def _random(size: sp.Expr, depth: sp.Expr) -> sp.Expr:
    return 1 + sp.Sum(_born * size ** (-2 * _born / depth), (_born, 0, depth - 1)) / depth


def _turn_rate(along: sp.Expr) -> sp.Expr:
    return (1 - sp.cos(angle) ** 2 * along) / sp.sin(angle) ** 2


_ISOMETRY_H = eta / 4 * encoder * dx2 ** (1 / encoder) * u ** (2 - 2 / encoder)
_ISOMETRY_Y = eta / 4 * decoder * r ** (2 - 2 / decoder)

_GROWING_RATES = (
    Equation("E40", "beyond", _lines(
        (_rate(u), -error * K_h * r * sp.cos(angle)),
        (_rate(r), -error * K_y * u * sp.cos(angle)),
        (_rate(angle), error * (K_h_across * r / u + K_y_across * u / r) * sp.sin(angle)))),
    Equation("E41", "beyond", _lines((loss, error_mean**2 / 2 + error**2 / 8))),
    Equation("E42", "beyond", _lines((K_h, _ISOMETRY_H), (K_y, _ISOMETRY_Y))),
    Equation("E43", "beyond", _lines(
        (K_h_across, K_h * _inherited(u / u_0, encoder)),
        (K_y_across, K_y * _inherited(r / r_0, decoder)))),
    Equation("E44", "beyond", _lines(
        (gamma_h, _random(u / u_0, encoder)), (gamma_y, _random(r / r_0, decoder)),
        (K_h, _ISOMETRY_H * gamma_h), (K_y, _ISOMETRY_Y * gamma_y),
        (K_h_across, _ISOMETRY_H * _turn_rate(gamma_h)),
        (K_y_across, _ISOMETRY_Y * _turn_rate(gamma_y)))),
)  # fmt: skip


# Chapter exponents. E85 is (E44) along dh and D_y, where the matrix at the outer end has a gain of its own.
def _outer_matrix(size: sp.Expr, depth: sp.Expr) -> sp.Expr:
    return (1 - 1 / outer) * (1 + (depth - 1) * size ** (-2 * (depth - 1) / depth)) / depth


_EXPONENTS = (
    Equation("E85", "beyond", _lines(
        (K_h, _ISOMETRY_H * outer ** (1 / encoder) * (gamma_h - _outer_matrix(u / u_0, encoder))),
        (K_y, _ISOMETRY_Y * outer ** (1 / decoder) * (gamma_y - _outer_matrix(r / r_0, decoder))))),
)  # fmt: skip

# Chapters when and decoder_first. E60 the three exponentials of N for one output, E61 how long small weights
# wait, E62 when two representations collide, E63 how near others come, E64 how long a large decoder waits.
_WAITING = (
    Equation("E60", "beyond", _lines((
        N, s * (s - p_0 * x_0) / A**2
        + (a_plus**2 * sp.exp(2 * A * t) - a_minus**2 * sp.exp(-2 * A * t)) / (2 * A)))),
    Equation("E61", "beyond", _lines((t_half, sp.log(2 * A / a_plus**2) / (2 * A)))),
    Equation("E62", "beyond", _lines((
        t_collision, sp.atanh(A * p_0 / (-s * x_0 - c * p_0 / 2)) / A))),
    Equation("E63", "beyond", _lines((dh2_least, tau_y * (c + C)))),
    Equation("E64", "beyond", _lines((t_half, tau_y / dh2_inf * sp.log(1 + 1 / cosine**2)))),
)  # fmt: skip

# Chapter finite_steps. E70 one step, E71 the product of all steps to second order, whose second line stands
# in its first, E72 noise at rest, drawn anew at each step or in pairs of signs, E73 the end under decay.
# Of more matrices: E74 one step of a chain, E75 noise at rest, E76 the end under decay, E77 the last one.
_kept = 1 - (s - m) ** 2
_own_noise = label_noise**2 / (1 - Omega / 2)

_FINITE_STEPS = (
    Equation("E70", "beyond", _lines((c_next, c * _kept), (C_next, C * _kept))),
    Equation("E71", "beyond", _lines(
        (sp.log(shrunk), Omega_end / 4 - (sum2 + difference2) / 8
         - s / 2 * sp.log((Omega_end + 2 * s) / (shrunk * sum2)) - (m_0 - s) ** 2 / 8),
        (Omega_end, sp.sqrt(shrunk**2 * sum2 * difference2 + 4 * s**2)))),
    Equation("E72", "beyond", _lines((seen2, _own_noise), (seen2_pairs, (1 + Omega / 2) * _own_noise))),
    Equation("E73", "beyond", _lines((dh2_inf, A_low - 2 * tau_y * weight_decay))),
    Equation("E74", "beyond", _lines(
        (apart_next, (weight_k**2 - weight_l**2) * (1 - (s - m) ** 2 * dy**2 / (weight_k * weight_l) ** 2)),
        (Omega_k, eta / 4 * dy**2 / weight_k**2))),
    Equation("E75", "beyond", _lines((
        square_gain, 4 * seen2 / eta * (Omega_k - dot(Omega_all, Omega_all) / Omega)))),
    Equation("E76", "beyond", _lines((
        dy_target, dy + 4 * weight_decay / eta * dy ** (2 / matrices - 1)))),
    Equation("E77", "beyond", _lines(
        (dy_last, dy_target * (matrices - 2) / (matrices - 1) / 2),
        (decay_last, eta / 4 * (dy_target - dy_last) * dy_last ** (1 - 2 / matrices)))),
)  # fmt: skip

_BOOK = (
    # (39)-(40) for each sign of A_high, without overflow and without 0/0 at A_high = 0.
    Equation("39+", "beyond", _lines(
        (dh2, dh2_0 / (sp.exp(-_phase) + _push * phi1(-_phase))),
        (dy2, dy2_0 * sp.exp(-_phase) / (sp.exp(-_phase) + _push * phi1(-_phase)) ** 2))),
    Equation("39-", "beyond", _lines(
        (dh2, dh2_0 * sp.exp(_phase) / (1 + _push * phi1(_phase))),
        (dy2, dy2_0 * sp.exp(_phase) / (1 + _push * phi1(_phase)) ** 2))),
    Equation("39=", "beyond", _lines((dh2, dh2_0 / (1 + _push)))),
    # The density of the final distance: what a histogram of (48) shows.
    Equation("48'", "beyond", _lines((
        density_H, (1 + A_low**2 / h**2) * _bell.subs(A_high, _limit_of_start)))),
    Equation("E0", "beyond", _lines(
        (_rate(u), -dx2 / (2 * tau_h)
         * (r_along * (r_along * u - sp.sqrt(dy2_target)) + r_across**2 * u)),
        (_rate(r_along), -u * (r_along * u - sp.sqrt(dy2_target)) / (2 * tau_y)),
        (_rate(r_across), -(u**2) * r_across / (2 * tau_y)))),
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
    Equation("E4", "beyond", _lines(
        (dh2, tau_y * (c + N.diff(t) / N)),
        (dy2, tau_h / dx2 * (N.diff(t) / N - c) * tau_y * (c + N.diff(t) / N)),
        (w, -tau_h * tau_y / dx2 * (N.diff(t, 2) / N - (N.diff(t) / N) ** 2)))),
    # The exact solution for a machine: no term is lost to a larger one that cancels, none overflows.
    Equation("E5", "beyond", _lines(
        (p_0, sp.sqrt(dh2_0 / (2 * tau_y))),
        (x_0, cosine * sp.sqrt(dx2 * dy2_0 / (2 * tau_h * dh2_0))),
        (y_0, sp.sqrt(1 - cosine**2) * sp.sqrt(dx2 * dy2_0 / (2 * tau_h * dh2_0))),
        (c, dh2_0 / (2 * tau_y) - dx2 * dy2_0 / (2 * tau_h * dh2_0)),
        (s, sp.sqrt(dx2 * dy2_target / (4 * tau_h * tau_y))))),
    Equation("E6", "beyond", _lines(
        (A, sp.sqrt(c**2 / 4 + s**2)),
        (cos_phi, sp.sqrt(_half + c / (4 * A))), (sin_phi, s / (2 * A * cos_phi)),
        (a_plus, p_0 * cos_phi + x_0 * sin_phi), (a_minus, x_0 * cos_phi - p_0 * sin_phi))),
    Equation("E6'", "beyond", _lines((
        a_plus, (c * (A + (p_0**2 + x_0**2) / 2) + A * y_0**2)
        / (2 * A * (p_0 * cos_phi - x_0 * sin_phi))))),
    Equation("E7+", "beyond", _lines(*_scaled_sum(y_0**2 * t * phi1(-c * t) * sp.exp(-scale)))),
    Equation("E7-", "beyond", _lines(*_scaled_sum(y_0**2 * t * phi1(c * t) * sp.exp(-c * t - scale)))),
    Equation("E8", "beyond", _lines(
        (p, (p_0 * _faded + cos_phi * _risen) / sp.sqrt(N_scaled)),
        (x, (x_0 * _faded + sin_phi * _risen) / sp.sqrt(N_scaled)),
        (y, y_0 * sp.exp(-c * t / 2 - scale / 2) / sp.sqrt(N_scaled)))),
    Equation("E9", "beyond", _lines(
        (dh2, 2 * tau_y * p**2),
        (dy2, _squares * p**2 * (x**2 + y**2)),
        (w, _squares * (p * x * gap + p**2 * y**2)),
        (loss, mean_error2 * sp.exp(-2 * t / tau_mean) / 2 + _squares / 8 * (gap**2 + p**2 * y**2)))),
    Equation("E10", "beyond", _lines((dh2_inf, 4 * tau_y * A * cos_phi**2))),
    # Beyond the paper, rotation: (17) with one output, and nothing left out of it.
    Equation("E50", "beyond", _lines(
        (m, dot(p_vec, rho_vec)), (p_rate, (s - m) * rho_vec), (rho_rate, (s - m) * p_vec))),
    Equation("E51", "beyond", _lines(
        (c, dot(p_vec, p_vec) - dot(rho_vec, rho_vec)),
        (C, sp.sqrt((dot(p_vec, p_vec) + dot(rho_vec, rho_vec)) ** 2 - 4 * m**2)))),
    Equation("E52", "beyond", _lines((_rate(m), (s - m) * _root_C))),
    Equation("E53", "beyond", _lines((dh2, tau_y * (c + _root_C)))),
    Equation("E54", "beyond", _lines(
        (p_vec, sp.cosh(vartheta) * p_vec_0 + sp.sinh(vartheta) * rho_vec_0),
        (rho_vec, sp.sinh(vartheta) * p_vec_0 + sp.cosh(vartheta) * rho_vec_0))),
    Equation("E55", "beyond", _lines((sp.exp(2 * vartheta), (2 * m + _root_C) / sum2))),
    Equation("E56", "beyond", _lines(
        (N, 1 + (sum2 + difference2) * sp.sinh(Omega * t) / (2 * Omega)
         + (C**2 + 4 * s * m_0) * (sp.cosh(Omega * t) - 1) / Omega**2),
        (m, s + (m_0 - s) / N))),
    Equation("E57", "beyond", _lines(
        (Omega, sp.sqrt(C**2 + 4 * s**2)), (dh2_inf, tau_y * (c + sp.sqrt(C**2 + 4 * s**2))))),
    Equation("E58", "beyond", _lines(
        (dh2_inf, sp.sqrt(dh2_0**2 + A_low**2)), (sp.tan(2 * turn), A_low / dh2_0))),
    # (E55) and (E56) for a machine: all terms are positive, and none grows.
    Equation("E59", "beyond", _lines(
        (sp.exp(2 * vartheta), _rises / _falls), (N, _rises * _falls * sp.exp(Omega * t) / 4))),
    *_GROWING_RATES,
    *_EXPONENTS,
    *_WAITING,
    *_FINITE_STEPS,
)  # fmt: skip

book: Mapping[str, Equation] = Registered({e.number: e for e in _BOOK})
"""This book's own equations by label: forms of (39)-(40) for a machine, and the exact solution."""


_ALL = (*_PAPER, *_BOOK)


def with_line(line: sp.Expr | sp.Rel) -> tuple[Equation, ...]:
    """The registered equations that have a line, both of its sides."""
    return tuple(e for e in _ALL if line in e.relations)


def without_its_left(line: sp.Expr | sp.Rel) -> Equation | None:
    """The registered equation whose right-hand side stands in a line without the left that belongs to it.

    A single letter or number is nobody's.
    """
    right = getattr(line, "rhs", line)
    if right.is_Atom:
        return None
    owners = [e for e in _ALL if right in [r.rhs for r in e.relations]]
    return None if any(line in owner.relations for owner in owners) else next(iter(owners), None)


def _phi1_numpy(z):
    import numpy as np

    z = np.asarray(z, dtype=float)
    safe = np.where(z == 0, 1.0, z)
    return np.where(z == 0, 1.0, np.expm1(safe) / safe)


def _erf_numpy(z):
    from scipy.special import erf

    return erf(z)


@cache
def numeric(expr: sp.Expr | tuple[sp.Expr, ...], *arguments: sp.Expr) -> Callable:
    """NumPy function of `arguments` for an expression (or a tuple of them); cached.

    Vectors and matrices are 2-dimensional arrays. Raises ValueError when a letter of the expression
    is missing from the arguments.
    """
    import numpy as np  # which algebra alone does not need, in a reader's browser least of all

    sides = expr if isinstance(expr, tuple) else (expr,)
    missing = set().union(*map(_letters, sides)) - set(arguments)
    if missing:
        raise ValueError(f"arguments {arguments} leave {sorted(map(str, missing))} without a value")
    matrices = any(side.has(sp.MatrixSymbol) for side in sides)
    printable = tuple(side.replace(sp.Trace, sp.Function("trace")) if side.has(sp.Trace) else side
                      for side in sides)  # fmt: skip
    return sp.lambdify(
        arguments, printable if isinstance(expr, tuple) else printable[0],
        modules=[{"phi1": _phi1_numpy, "trace": np.trace, "erf": _erf_numpy}, "numpy"],
        cse=not matrices,
    )  # fmt: skip


def _letters(expr: sp.Expr) -> set[sp.Expr]:
    functions = {f: sp.Dummy() for f in expr.atoms(AppliedUndef)}
    return set(functions) | expr.xreplace(functions).free_symbols - set(functions.values())

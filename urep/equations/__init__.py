"""The paper's equations, the letters they are written in, and the algebra that compares them.

>>> from urep.equations import paper, dh2
>>> paper[38].rhs.has(dh2)
True
"""

from .algebra import expand_traces
from .registry import Equation, book, numeric, paper

from .letters import (  # isort: skip
    A, A_high, A_low, a_minus, a_plus, alone, alone_ij, c, cdf_A, cdf_H, cos_phi, cosine, D_h, D_h_rate,
    D_y, D_y_rate, density_A, density_H, det, dh2, dh2_0, dh2_first, dh2_fit, dh2_inf, dh2_layer,
    dh2_scaled, dh2_seen, dh_rate, dh_vec, dot, dx2, dx_vec, dy, dy2, dy2_0, dy2_fit, dy2_scaled,
    dy2_seen, dy2_target, dy_0, dy_target, dy_target_vec, dy_vec, error2_1, error2_2, eta, fit_loss, G,
    gap, h, h_i, h_mean, J_11, J_12, J_21, J_22, kappa, lambda_minus, lambda_plus, latex, layer,
    layer_factor, loss, loss_theta, mean_error2, mu_G, N, n_h, n_p, N_scaled, n_t, n_x, n_y, near_i,
    near_ij, near_j, NOTATION, p, p_0, phi1, Quantity, r_across, r_along, s, scale, sigma_G, sin_phi,
    slope_minus, slope_plus, state, t, t_scaled, tau, tau_h, tau_mean, tau_y, theta, theta_next,
    theta_rate, together_ij, trace, u, w, w_0, w_fit, w_scaled, w_seen, x, x_0, x_1, x_2, x_i, x_mean, y,
    y_0, y_i, y_mean, y_mean_j, y_mean_j_0, y_mean_j_target, y_mean_rate, y_mean_target,
    # Beyond the paper, rotation.
    C, difference2, m, m_0, Omega, p_rate, p_vec, p_vec_0, rho_rate, rho_vec, rho_vec_0, share, sum2,
    turn, vartheta,
)  # fmt: skip
from .letters import (  # isort: skip  (chapter growing_rates)
    angle, decoder, encoder, error, error_mean, gamma_h, gamma_y, K_h, K_h_across, K_y, K_y_across, r, r_0,
    u_0,
)  # fmt: skip
from .letters import dh2_least, t_collision, t_half  # isort: skip  (chapters when and decoder_first)

from .letters import outer  # isort: skip  (chapter exponents)
from .letters import (  # isort: skip  (chapter finite_steps)
    apart_next, c_next, C_next, decay_last, dy_last, label_noise, matrices, Omega_all, Omega_end, Omega_k,
    seen2, seen2_pairs, shrunk, square_gain, weight_decay, weight_k, weight_l,
)  # fmt: skip

__all__ = [  # noqa: RUF022 - in the order of an index
    "A", "A_high", "A_low", "a_minus", "a_plus", "alone", "alone_ij", "book", "c", "cdf_A", "cdf_H",
    "cos_phi", "cosine", "D_h", "D_h_rate", "D_y", "D_y_rate", "density_A", "density_H", "det", "dh2",
    "dh2_0", "dh2_first", "dh2_fit", "dh2_inf", "dh2_layer", "dh2_scaled", "dh2_seen", "dh_rate",
    "dh_vec", "dot", "dx2", "dx_vec", "dy", "dy2", "dy2_0", "dy2_fit", "dy2_scaled", "dy2_seen",
    "dy2_target", "dy_0", "dy_target", "dy_target_vec", "dy_vec", "Equation", "error2_1", "error2_2",
    "eta", "expand_traces", "fit_loss", "G", "gap", "h", "h_i", "h_mean", "J_11", "J_12", "J_21", "J_22",
    "kappa", "lambda_minus", "lambda_plus", "latex", "layer", "layer_factor", "loss", "loss_theta",
    "mean_error2", "mu_G", "N", "n_h", "n_p", "N_scaled", "n_t", "n_x", "n_y", "near_i", "near_ij",
    "near_j", "NOTATION", "numeric", "p", "p_0", "paper", "phi1", "Quantity", "r_across", "r_along", "s",
    "scale", "sigma_G", "sin_phi", "slope_minus", "slope_plus", "state", "t", "t_scaled", "tau", "tau_h",
    "tau_mean", "tau_y", "theta", "theta_next", "theta_rate", "together_ij", "trace", "u", "w", "w_0",
    "w_fit", "w_scaled", "w_seen", "x", "x_0", "x_1", "x_2", "x_i", "x_mean", "y", "y_0", "y_i", "y_mean",
    "y_mean_j", "y_mean_j_0", "y_mean_j_target", "y_mean_rate", "y_mean_target",
    # Beyond the paper, rotation.
    "C", "difference2", "m", "m_0", "Omega", "p_rate", "p_vec", "p_vec_0", "rho_rate", "rho_vec",
    "rho_vec_0", "share", "sum2", "turn", "vartheta",
    "angle", "decoder", "encoder", "error", "error_mean", "gamma_h", "gamma_y", "K_h", "K_h_across", "K_y",
    "K_y_across", "r", "r_0", "u_0", "outer",
    "dh2_least", "t_collision", "t_half",
    "apart_next", "c_next", "C_next", "decay_last", "dy_last", "label_noise", "matrices", "Omega_all",
    "Omega_end", "Omega_k", "seen2", "seen2_pairs", "shrunk", "square_gain", "weight_decay", "weight_k",
    "weight_l",
]  # fmt: skip

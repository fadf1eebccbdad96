"""The velocity of (E40) and its variational equation, and the steps through it, compiled.

Only `urep.growth` uses it. State: log u, log r, tan ϑ/2, then their derivatives by the seven numbers of
`growth.PARAMETERS`; k: k_h, k_y, α, β, ‖dy*‖, log u and log r at birth, which birth, whether it is the start.
A general integrator would call the velocity from Python some thousand times for each of a fit's curves.
"""

from __future__ import annotations

import numba
import numpy as np
from scipy.integrate import RK45

DENSE = np.ascontiguousarray(RK45.P)
"""Coefficients of the interpolation between two steps, of fourth order (Shampine)."""

JIT = {"cache": True, "error_model": "numpy"}


@numba.njit(**JIT)
def log_phi(z):
    """log((e^z − 1)/z) and its first two derivatives."""
    if abs(z) < 1e-2:
        square = z * z
        return (
            z / 2 + square / 24 - square**2 / 2880,
            0.5 + z / 12 - z * square / 720 + z * square**2 / 30240,
            1 / 12 - square / 240 + square**2 / 6048,
        )
    fall = -np.expm1(-abs(z))
    bend = 1 / z**2 - (1 - fall) / fall**2
    if z > 0:
        return z + np.log(fall / z), 1 / fall - 1 / z, bend
    return np.log(-fall / z), 1 - 1 / fall - 1 / z, bend


@numba.njit(**JIT)
def birth(grown, exponent, kind, out):
    """What birth makes of the rates where log(u/u_0) is `grown`.

    out: γ of (E43) and its derivatives by `grown` and by the exponent, then the same of Γ of (E44).
    """
    out[0], out[1], out[2] = 1.0, 0.0, 0.0
    out[3], out[4], out[5] = 1.0, 0.0, 0.0
    if kind == 0:
        return
    left = 2 - exponent
    above, d_above, dd_above = log_phi(-2 * grown)
    below, d_below, dd_below = log_phi(-left * grown)
    gamma = np.exp(above - below)
    slope, by_exponent = -2 * d_above + left * d_below, -d_below * grown
    out[0], out[1], out[2] = gamma, gamma * slope, gamma * by_exponent
    if kind == 2:
        bend = 4 * dd_above - left**2 * dd_below
        mixed = -d_below + left * dd_below * grown
        out[3] = 1 - gamma * slope / left
        out[4] = -gamma * (slope**2 + bend) / left
        out[5] = -gamma * (by_exponent * slope + mixed + slope / left) / left


@numba.njit(**JIT)
def field(x, k, out):
    """The velocity of log u, log r, tan θ/2; of their derivatives too where x has more than three entries."""
    tangent = x[2]
    square = 1 + tangent * tangent
    cosine = (1 - tangent * tangent) / square
    sine2 = 4 * tangent * tangent / (square * square)
    size = np.exp(x[0] + x[1])
    m = size * cosine
    e = m - k[4]
    ratio = np.exp(x[1] - x[0])
    ph = k[0] * np.exp(k[2] * x[0]) * ratio
    py = k[1] * np.exp(k[3] * x[1]) / ratio
    h, y = np.empty(6), np.empty(6)
    birth(x[0] - k[5], k[2], k[7], h)
    birth(x[1] - k[6], k[3], k[7], y)
    across_h, across_y = h[0], y[0]
    if k[7] == 2:
        across_h, across_y = (1 - cosine**2 * h[3]) / sine2, (1 - cosine**2 * y[3]) / sine2
    turn = across_h * ph + across_y * py
    out[0] = -e * cosine * h[3] * ph
    out[1] = -e * cosine * y[3] * py
    out[2] = tangent * e * turn
    if x.size == 3:
        return
    d_cosine = -4 * tangent / (square * square)
    e_t = size * d_cosine
    for j in range(7):
        du, dr, dt = x[3 + 3 * j], x[4 + 3 * j], x[5 + 3 * j]
        d_c = d_cosine * dt
        d_e = m * (du + dr) + e_t * dt
        d_ph = ph * ((k[2] - 1) * du + dr)
        d_py = py * (du + (k[3] - 1) * dr)
        # The start is what the network was born with where nothing else is said.
        grown_h = du - (k[8] if j == 4 else 0.0)
        grown_y = dr - (k[8] if j == 5 else 0.0)
        if j == 0:
            d_ph += ph
        elif j == 1:
            d_py += py
        elif j == 2:
            d_ph += ph * x[0]
        elif j == 3:
            d_py += py * x[1]
        d_along_h = h[4] * grown_h + (h[5] if j == 2 else 0.0)
        d_along_y = y[4] * grown_y + (y[5] if j == 3 else 0.0)
        d_across_h = h[1] * grown_h + (h[2] if j == 2 else 0.0)
        d_across_y = y[1] * grown_y + (y[2] if j == 3 else 0.0)
        if k[7] == 2:
            d_across_h = (2 * cosine * d_c * (across_h - h[3]) - cosine**2 * d_along_h) / sine2
            d_across_y = (2 * cosine * d_c * (across_y - y[3]) - cosine**2 * d_along_y) / sine2
        d_turn = d_across_h * ph + across_h * d_ph + d_across_y * py + across_y * d_py
        both = d_e * cosine + e * d_c
        out[3 + 3 * j] = -(both * h[3] * ph + e * cosine * (d_along_h * ph + h[3] * d_ph))
        out[4 + 3 * j] = -(both * y[3] * py + e * cosine * (d_along_y * py + y[3] * d_py))
        out[5 + 3 * j] = dt * e * turn + tangent * (d_e * turn + e * d_turn)


@numba.njit(**JIT)
def runge_kutta(first, t, k, rtol, out, most):
    """Fill out (times, variables) from a start at 0; the number of times that were reached."""
    n = first.size
    x, new, middle = first.copy(), np.empty(n), np.empty(n)
    slopes = np.empty((7, n))
    field(x, k, slopes[0])
    row, now = 0, 0.0
    while row < t.size and t[row] <= 0.0:
        out[row] = x
        row += 1
    if row == t.size:
        return row
    fastest = max(abs(slopes[0, 0]), abs(slopes[0, 1]), abs(slopes[0, 2]))
    h = min(t[-1], 1e-3 / fastest) if fastest > 0 else t[-1]
    for _ in range(most):
        for i in range(n):
            middle[i] = x[i] + h * slopes[0, i] / 5
        field(middle, k, slopes[1])
        for i in range(n):
            middle[i] = x[i] + h * (3 / 40 * slopes[0, i] + 9 / 40 * slopes[1, i])
        field(middle, k, slopes[2])
        for i in range(n):
            middle[i] = x[i] + h * (44 / 45 * slopes[0, i] - 56 / 15 * slopes[1, i] + 32 / 9 * slopes[2, i])
        field(middle, k, slopes[3])
        for i in range(n):
            middle[i] = x[i] + h * (
                19372 / 6561 * slopes[0, i] - 25360 / 2187 * slopes[1, i]
                + 64448 / 6561 * slopes[2, i] - 212 / 729 * slopes[3, i]
            )  # fmt: skip
        field(middle, k, slopes[4])
        for i in range(n):
            middle[i] = x[i] + h * (
                9017 / 3168 * slopes[0, i] - 355 / 33 * slopes[1, i] + 46732 / 5247 * slopes[2, i]
                + 49 / 176 * slopes[3, i] - 5103 / 18656 * slopes[4, i]
            )  # fmt: skip
        field(middle, k, slopes[5])
        for i in range(n):
            new[i] = x[i] + h * (
                35 / 384 * slopes[0, i] + 500 / 1113 * slopes[2, i] + 125 / 192 * slopes[3, i]
                - 2187 / 6784 * slopes[4, i] + 11 / 84 * slopes[5, i]
            )  # fmt: skip
        field(new, k, slopes[6])
        miss = 0.0
        for i in range(n):
            error = h * (
                -71 / 57600 * slopes[0, i] + 71 / 16695 * slopes[2, i] - 71 / 1920 * slopes[3, i]
                + 17253 / 339200 * slopes[4, i] - 22 / 525 * slopes[5, i] + 1 / 40 * slopes[6, i]
            )  # fmt: skip
            allowed = rtol * (1.0 + max(abs(x[i]), abs(new[i])))
            share = abs(error) / allowed
            miss = max(miss, share) if np.isfinite(share) else np.inf
        if not miss <= 1.0:
            h *= max(0.1, 0.9 * miss**-0.2) if np.isfinite(miss) else 0.1
            if h < 1e-14 * t[-1]:
                return row
            continue
        while row < t.size and t[row] <= now + h:
            s = (t[row] - now) / h
            for i in range(n):
                step = 0.0
                for j in range(7):
                    step += slopes[j, i] * s * (
                        DENSE[j, 0] + s * (DENSE[j, 1] + s * (DENSE[j, 2] + s * DENSE[j, 3]))
                    )  # fmt: skip
                out[row, i] = x[i] + h * step
            row += 1
        if row == t.size:
            return row
        now += h
        x[:] = new
        slopes[0] = slopes[6]
        h *= min(5.0, 0.9 * max(miss, 1e-10) ** -0.2)
    return row

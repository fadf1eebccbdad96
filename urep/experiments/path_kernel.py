"""(E40) with the output for its clock, compiled: many paths in few steps.

Only `forecasts.paths` uses it. The velocity is that of `growth_kernel.field`, which the engine integrates.
"""

from __future__ import annotations

import numba
import numpy as np

from ..growth_kernel import field


@numba.njit(cache=True, error_model="numpy")
def per_output(x, k, out):
    """Derivatives by v of log u, log r and tan² θ/2; k as in `growth_kernel`, whose ‖dy*‖ is overwritten.

    The error is a factor of all velocities: it is set to −1, and speed is divided by that of v.
    """
    tangent = np.sqrt(max(x[2], 1e-300))
    square = 1 + tangent * tangent
    size = np.exp(x[0] + x[1])
    m = size * (1 - tangent * tangent) / square
    k[4] = m + 1.0
    field(np.array([x[0], x[1], tangent]), k, out)
    gain = m * (out[0] + out[1]) - size * 4 * tangent / (square * square) * out[2]
    out[0] /= gain
    out[1] /= gain
    out[2] *= 2 * tangent / gain


@numba.njit(cache=True, error_model="numpy")
def follow(first, widths, ratios, k, out):
    """Fill out (ratios, steps + 1, 3) from a start, by fourth-order steps of these widths in v.

    Each ratio is put in the place of k_h.
    """
    one, two, three, four = np.empty(3), np.empty(3), np.empty(3), np.empty(3)
    for j in range(ratios.size):
        k[0] = ratios[j]
        x = first.copy()
        out[j, 0] = x
        for n in range(widths.size):
            h = widths[n]
            per_output(x, k, one)
            per_output(x + h / 2 * one, k, two)
            per_output(x + h / 2 * two, k, three)
            per_output(x + h * three, k, four)
            x = x + h / 6 * (one + 2 * two + 2 * three + four)
            x[2] = max(x[2], 0.0)
            out[j, n + 1] = x

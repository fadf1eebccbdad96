"""Rates that are powers of time, compiled: what `growing` compares with rates that are powers of size."""

from __future__ import annotations

import numba
import numpy as np

from ..growth_kernel import JIT

SUBSTEPS = 16
"""Steps of `powers_of_time` between two epochs that are asked for."""


@numba.njit(**JIT)
def _timed(x, k, t, out):
    """The velocity of (E40) with rates k_h (t/t₁)^α and k_y (t/t₁)^β, the same along and across."""
    square = 1 + x[2] * x[2]
    cosine = (1 - x[2] * x[2]) / square
    e = np.exp(x[0] + x[1]) * cosine - k[4]
    ratio, passed = np.exp(x[1] - x[0]), 1 + t / k[5]
    h, y = k[0] * passed ** k[2] * ratio, k[1] * passed ** k[3] / ratio
    out[0], out[1], out[2] = -e * cosine * h, -e * cosine * y, x[2] * e * (h + y)


@numba.njit(**JIT)
def powers_of_time(first, t, k, rows):
    """Fill rows (times, 3) from a start at 0, by the classical method; whether all of it is finite.

    k: k_h, k_y, α, β, ‖dy*‖, the epoch t₁ at which t is 0. It is there to be compared with, in fits.
    """
    x, slopes, middle = first.copy(), np.empty((4, 3)), np.empty(3)
    now = 0.0
    for row in range(t.size):
        h = (t[row] - now) / SUBSTEPS
        for _ in range(SUBSTEPS if h > 0 else 0):
            _timed(x, k, now, slopes[0])
            for i in range(3):
                middle[i] = x[i] + h / 2 * slopes[0, i]
            _timed(middle, k, now + h / 2, slopes[1])
            for i in range(3):
                middle[i] = x[i] + h / 2 * slopes[1, i]
            _timed(middle, k, now + h / 2, slopes[2])
            for i in range(3):
                middle[i] = x[i] + h * slopes[2, i]
            _timed(middle, k, now + h, slopes[3])
            for i in range(3):
                x[i] += h / 6 * (slopes[0, i] + 2 * slopes[1, i] + 2 * slopes[2, i] + slopes[3, i])
            now += h
        rows[row] = x
        if not (np.isfinite(x[0]) and np.isfinite(x[1]) and np.isfinite(x[2])):
            return False
    return True

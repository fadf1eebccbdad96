"""The flow that surrogates learn: (7) of two points with scalar outputs, in letters of the exact solution.

With k_h = k_y = 1 and ‖dx‖ = 1, (7) is p' = x (s − p x), x' = p (s − p x): ‖dh‖² = p², dy = v = p x, and s is
the target difference. p² − x² is conserved, (0, 0) is a saddle, and the flow ends on p x = s. `urep.solve`
knows where it goes; everything that a surrogate says is compared with that.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from ..exact import solve
from ..state import Rates, State, TwoPoint

RATES = Rates(0.5, 0.5)
"""Time constants at which k_h = k_y = 1 when ‖dx‖ = 1."""


class Flow(NamedTuple):
    """p, x and v = p x along trajectories: (n,) arrays, or (m, n) ones, a row a start."""

    p: np.ndarray
    x: np.ndarray
    v: np.ndarray


def exact(p0: ArrayLike, x0: ArrayLike, t: ArrayLike, s: float = 1.0) -> Flow:
    """The flow from (p0, x0), numbers or (m,) arrays, at times t: (n,), by `urep.solve`.

    `urep.solve` gives squares; the signs follow from the one of (p, x) that what is conserved keeps from
    passing through zero. Raises ValueError as `urep.solve` does, where p0 is zero, say.
    """
    p0, x0 = np.broadcast_arrays(np.asarray(p0, float), np.asarray(x0, float))
    v0, toward = p0 * x0, np.sign(s) or 1.0
    start = (p0**2, v0**2, v0 * (v0 - s), v0 * toward)
    *state, dy = start if p0.ndim else map(float, start)
    dh2, dy2, w = solve(State(*state), TwoPoint(1.0, float(s) ** 2), RATES, t, dy=dy)
    v = (dy2 - w) / s if s else np.copysign(np.sqrt(dy2), v0[..., None])
    c = (p0**2 - x0**2)[..., None]
    kept = np.where(c >= 0, np.copysign(1, p0)[..., None], np.copysign(1, x0)[..., None])
    larger = kept * np.sqrt(np.where(c >= 0, dh2, dh2 - c))
    other = v / larger
    return Flow(np.where(c >= 0, larger, other), np.where(c >= 0, other, larger), v)


def closed(p0: ArrayLike, x0: ArrayLike, t: ArrayLike, s: ArrayLike = 1.0) -> Flow:
    """The same in six lines, for starts, times and targets that broadcast; while exp(2 A t) is a number.

    z' = M z with M = [[c/2, s], [s, −c/2]] and z(0) = (p0, x0); (p, x) = z/√N with N' = ‖z‖².
    It has none of the care of `urep.solve` for cancellation, and is what training data are made by.
    """
    p0, x0, t, s = np.broadcast_arrays(*(np.asarray(a, float) for a in (p0, x0, t, s)))
    c = p0**2 - x0**2
    A = np.hypot(c / 2, s)
    cosh, sinh = np.cosh(A * t), np.where(A > 0, np.sinh(A * t) / np.where(A > 0, A, 1.0), t)
    N = 1 + sinh * ((p0**2 + x0**2) * cosh + (c**2 / 2 + 2 * s * p0 * x0) * sinh)
    p = (p0 * cosh + (c / 2 * p0 + s * x0) * sinh) / np.sqrt(N)
    x = (x0 * cosh + (s * p0 - c / 2 * x0) * sinh) / np.sqrt(N)
    return Flow(p, x, p * x)


def chained(p0: float, x0: float, targets: ArrayLike, span: float, t: ArrayLike, *, by=None) -> np.ndarray:
    """Curves v at times t: (n,), under moving targets: a row each; piece k of (m, k) holds for `span`.

    `by` is `exact`, the default, a start at a time, or `closed`, all of them at once. Returns (m, n).
    """
    targets, t = np.asarray(targets, float), np.asarray(t, float)
    flow = by or exact
    m, pieces = targets.shape
    piece = np.minimum(np.floor(t / span + 1e-9).astype(int), pieces - 1)
    p, x, v = np.full(m, float(p0)), np.full(m, float(x0)), np.empty((m, t.size))
    for k in range(pieces):
        inside = np.flatnonzero(piece == k)
        # Rounded, so that a time at a border is one time and not two.
        local, place = np.unique(np.round(np.append(t[inside] - k * span, span), 12), return_inverse=True)
        if flow is closed:
            rows = closed(p[:, None], x[:, None], local, targets[:, k, None])
        else:
            rows = Flow(*map(np.array, zip(*map(exact, p, x, [local] * m, targets[:, k]), strict=True)))
        v[:, inside], p, x = rows.v[:, place[:-1]], rows.p[:, -1], rows.x[:, -1]
    return v


def particles(p0: np.ndarray, x0: np.ndarray, t: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Hidden units that share their output v = mean p_i x_i: p_i' = x_i (1 − v), x_i' = p_i (1 − v).

    All turn by one hyperbolic angle θ, p_i ± x_i growing as exp(±θ), so that v is that of one unit whose
    (p ± x)² are the means over the units; `urep.solve` has its θ. p0, x0: (n,). Returns p, x as (n, times).
    """
    grow, fade = np.sqrt(np.mean((p0 + x0) ** 2)), np.sqrt(np.mean((p0 - x0) ** 2))
    if not grow > 0:
        raise ValueError("p0 + x0 must not be zero for all units: nothing would grow")
    one = exact((grow + fade) / 2, (grow - fade) / 2, t)
    turned = (one.p + one.x) / grow
    plus, minus = np.multiply.outer(p0 + x0, turned), np.multiply.outer(p0 - x0, 1 / turned)
    return (plus + minus) / 2, (plus - minus) / 2


def off(guess: np.ndarray, true: np.ndarray) -> float:
    """The relative L2 error of all curves together: the score of a surrogate."""
    return float(np.sqrt(np.sum((guess - true) ** 2) / np.sum(true**2)))


def worst(guess: np.ndarray, true: np.ndarray) -> float:
    """The largest relative L2 error of one curve, rows being curves."""
    return max(off(g, y) for g, y in zip(guess, true, strict=True))


def nearest(queries: np.ndarray, known: np.ndarray, curves: np.ndarray) -> np.ndarray:
    """For each query the curve of the known input that is nearest: a surrogate that only remembers."""
    distances = ((queries[:, None] - known[None]) ** 2).sum(-1)
    return curves[distances.argmin(1)]

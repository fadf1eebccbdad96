"""The exact solution of eq. (7), which the paper says cannot be had, evaluated without losing digits.

With u = ‖dh‖ and r = dy/u, eq. (7) is a linear network with one hidden unit. In the scaled letters

    p = √k_y u,   (x, y) = √k_h r along and across dy*,   s = √(k_h k_y) ‖dy*‖,
    k_h = ‖dx‖²/(2 τ_h),   k_y = 1/(2 τ_y),

c = p² − x² − y² is conserved and q = (p, x, y) obeys q' = M q − ½|q|² q with a constant symmetric M,
so that q(t) = exp(M t) q(0)/√N(t). The chapter on the exact solution derives this; here it becomes
numbers, with each sum arranged so that nothing cancels that need not. It is the one formula that is
typed here and not printed from the registry, whose (E5) to (E10) have neither batches nor derivatives nor
exact fractions; the tests compare both with 400 digits and with each other.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import copysign, hypot, inf, log, sqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from .state import INPUT_TOLERANCE, Rates, State, TwoPoint, Variables, checked_start, real_number, times

LOG_OF_ZERO = -1e300
"""Stands for log 0 where differences of it are taken, which −∞ does not allow."""

TINY_RATE = 1e-150
"""A rate below it does nothing in any time there is, and its square would underflow."""


@dataclass(frozen=True)
class Lift:
    """A start of eq. (7) in the scaled letters, and what is conserved along its trajectory.

    `p`, `x` and `y2` = y² are the start; `c` = k_y A_high and `s` = k_y A_low are constants;
    `a_plus` is the part of (p, x) along the growing mode of M, whose rate is `A`. Scalars all.
    """

    p: float
    x: float
    y2: float
    c: float
    s: float
    k_h: float
    k_y: float
    gap: float
    """p x − s: what is left to learn along dy*, in scaled letters, from the inputs directly."""

    @property
    def A(self) -> float:
        """Half the distance of M's two eigenvalues in the (p, x) plane."""
        return hypot(self.c / 2, self.s)

    @property
    def small(self) -> float:
        """A − |c|/2, without the subtraction."""
        large = self.A + abs(self.c) / 2
        return self.s * (self.s / large) if large > 0 else 0.0

    @property
    def angle(self) -> tuple[float, float]:
        """(cos φ, sin φ) of the growing mode in the (p, x) plane."""
        if self.A == 0:
            return 1.0, 0.0
        near = sqrt((self.A + abs(self.c) / 2) / (2 * self.A))
        far = self.s / (2 * self.A * near)
        return (near, far) if self.c >= 0 else (far, near)

    @property
    def a_plus(self) -> float:
        """The sum p cos φ + x sin φ, in whichever of two exact forms loses fewer digits."""
        cos, sin = self.angle
        first, second = self.p * cos, self.x * sin
        if self.x >= 0 or self.A == 0:
            return first + second
        direct, kept_direct = self._direct(first, second)
        other, kept_other = self._conjugate(first, second)
        return direct if kept_direct >= kept_other else other

    def _direct(self, first: float, second: float) -> tuple[float, float]:
        """The sum of two terms of opposite signs, and the part of their size that is left of them."""
        direct = first + second
        return direct, abs(direct) / (first - second)

    def _conjugate(self, first: float, second: float) -> tuple[float, float]:
        """The same sum from its product with the difference of the terms, and the part that is left."""
        upper = self.c / (2 * self.A) * (self.A + (self.p**2 + self.x**2) / 2)
        across = self.y2 / 2
        kept = abs(upper + across) / (abs(upper) + across) if upper or across else 1.0
        return (upper + across) / (first - second), kept


def lift(state: State, task: TwoPoint, rates: Rates, *, dy: float | None = None) -> Lift:
    """The start of eq. (7) as that of a network with one hidden unit.

    `dy` is the signed output difference for scalar outputs, positive towards the target, which
    ‖dy‖² and w determine only to half their digits; see `solve`. Raises as `solve` does.
    """
    dh2, dy2, w = checked_start(state, task, rates)
    if dy is not None:
        dy = real_number("dy", dy, least=-inf, strict=False)
        if abs(dy**2 - dy2) > INPUT_TOLERANCE * dy2:
            raise ValueError(f"dy must agree with dy2 = {dy2!r}, its square; got {dy!r}")
    return _lifted((dh2, dy2, w), task, rates, dy)


def _lifted(start: tuple[float, float, float], task: TwoPoint, rates: Rates, dy: float | None) -> Lift:
    """The same as `lift`, of arguments that were checked before."""
    dh2, dy2, w = start
    k_h, k_y = task.dx2 / (2 * rates.tau_h), 1 / (2 * rates.tau_y)
    target2, target = Fraction(task.dy2_target), sqrt(task.dy2_target)
    # What decides which way a trajectory turns is a small difference; fractions make it exact.
    k_h_exact = Fraction(task.dx2) / (2 * Fraction(rates.tau_h))
    if dy is not None:
        square, along, across2, gap = Fraction(dy) ** 2, dy, Fraction(0), dy - target
    else:
        square, inner = Fraction(dy2), Fraction(dy2) - Fraction(w)
        across2 = square - inner**2 / target2 if target else Fraction(0)
        if across2 > 0:
            along, gap = float(inner) / target, float(inner - target2) / target
        else:  # one line, but for rounding: ‖dy‖² has the digits that dy2 - w has lost
            across2, along = Fraction(0), copysign(sqrt(dy2), inner)
            gap = along - target
    unit = sqrt(k_h) / sqrt(dh2)  # of the scaled slope, for one unit of output difference
    both = sqrt(k_h) * sqrt(k_y)
    return Lift(
        p=sqrt(k_y) * sqrt(dh2),
        x=unit * along,
        y2=float(k_h_exact * across2 / Fraction(dh2)),
        c=float(Fraction(dh2) / (2 * Fraction(rates.tau_y)) - k_h_exact * square / Fraction(dh2)),
        s=both * target,
        k_h=k_h,
        k_y=k_y,
        gap=both * gap,
    )


def solve(
    state: State, task: TwoPoint, rates: Rates, t: ArrayLike, *, dy: float | ArrayLike | None = None
) -> State:
    """The exact solution of eq. (7) from `state` at epoch 0, without time stepping.

    t: (n,) epochs, increasing. Returns a State of (n,) arrays, or of (m, n) arrays, one row a start,
    when `state` is a batch of (m,) starts. For scalar outputs `dy` may give the signed output
    difference, positive towards the target; ‖dy‖² and w then follow from it. Unlike (7) as printed
    it is regular where ‖dh‖² touches zero. Raises ValueError or TypeError for bad input.
    """
    t = times(t)
    k = _constants(state, task, rates, dy)
    q = _evolve(k, t)
    return State(*_scalars(k, q))


def sensitivities(
    state: State, task: TwoPoint, rates: Rates, t: ArrayLike, *, dy: float | None = None
) -> tuple[Variables, Variables]:
    """Derivatives of `solve` with respect to tau_h and tau_y, the start held fixed, in closed form.

    t: (n,) epochs; one start. Returns two Variables of (n,) arrays (per epoch). Raises as `solve` does.
    """
    by_h, by_y = _slopes(_of_one(lift(state, task, rates, dy=dy)), rates, times(t))
    return Variables(*by_h), Variables(*by_y)


def curves(start: State, task: TwoPoint, rates: Rates, t: np.ndarray) -> np.ndarray:
    """The exact solution as one array (3, n), of a start and times that were checked before.

    A fit evaluates it dozens of times from one start. Raises nothing of its own.
    """
    k = _of_one(_lifted((*start,), task, rates, None))
    return np.array(_scalars(k, _evolve(k, t)))


def slopes(start: State, task: TwoPoint, rates: Rates, t: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The same as `sensitivities`, as two arrays (3, n), of arguments that were checked before."""
    return _slopes(_of_one(_lifted((*start,), task, rates, None)), rates, t)


def _slopes(k: _Constants, rates: Rates, t: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Derivatives by tau_h and by tau_y, (3, n) each."""
    q = _evolve(k, t)
    faster, tilted = np.array(_faster(k, q, t)), np.array(_tilted(k, q, t))
    # log k_h and log k_y are speed ± tilt, and the time constants are their inverses.
    return -(faster + tilted) / (2 * rates.tau_h), -(faster - tilted) / (2 * rates.tau_y)


# --- evaluation -----------------------------------------------------------------------------


class _Constants(NamedTuple):
    """Constants of the exact solution for one start (numbers) or for m starts ((m, 1) arrays)."""

    p: float
    x: float
    y2: float
    c: float
    s: float
    k_h: float
    k_y: float
    gap: float
    A: float
    small: float
    cos_phi: float
    sin_phi: float
    a_plus: float
    a_minus: float
    log_a2: float
    log_2A: float
    log_y2: float
    log_sideways: float


class _AtTimes(NamedTuple):
    """A start at times t, in the letters of (E7) and (E8), and the factors that their derivatives share.

    `exp_scale` is exp(−scale), `mode` a₊ exp(A t − scale/2), `exp_across` exp(max(−c, 0) t − scale),
    `one_minus_exp` 1 − exp(−2A t), `t_phi1` t φ₁(−2A t), `N_across` the part of N across dy*.
    """

    p: np.ndarray
    x: np.ndarray
    y2: np.ndarray
    gap: np.ndarray
    N_scaled: np.ndarray
    exp_scale: np.ndarray
    mode: np.ndarray
    exp_across: np.ndarray
    one_minus_exp: np.ndarray
    t_phi1: np.ndarray
    N_across: np.ndarray | float


def _constants(state: State, task: TwoPoint, rates: Rates, dy) -> _Constants:
    """The constants of a start, or of a batch of them as columns."""
    if not isinstance(state, State) or np.ndim(state.dh2) == 0:
        return _of_one(lift(state, task, rates, dy=dy))
    signed = [None] * len(state) if dy is None else np.asarray(dy)
    if dy is not None and signed.shape != np.shape(state.dh2):
        raise ValueError(f"dy must have one value a state, {np.shape(state.dh2)}, got shape {signed.shape}")
    rows = [_of_one(lift(state[i], task, rates, dy=signed[i])) for i in range(len(state))]
    return _Constants(*np.array(rows).T[:, :, None])


def _of_one(start: Lift) -> _Constants:
    cos_phi, sin_phi = start.angle
    a_plus = start.a_plus
    sideways = max(-start.c, 0.0)
    return _Constants(
        start.p, start.x, start.y2, start.c, start.s, start.k_h, start.k_y, start.gap,
        start.A, start.small, cos_phi, sin_phi, a_plus, start.x * cos_phi - start.p * sin_phi,
        2 * log(abs(a_plus)) if a_plus else LOG_OF_ZERO, log(2 * start.A) if start.A else inf,
        log(start.y2) if start.y2 and sideways else LOG_OF_ZERO, log(sideways) if sideways else inf,
    )  # fmt: skip


def _evolve(k: _Constants, t: np.ndarray) -> _AtTimes:
    """p, x, y² and the error p x − s at times t.

    Everything is divided by exp(scale), the size that N has reached, before it can overflow.
    """
    with np.errstate(under="ignore"):
        scale, mode, exp_across = _scales(k, t)
        exp_scale = np.exp(-scale)
        one_minus_exp = -np.expm1(-2 * k.A * t)
        t_phi1 = _over(one_minus_exp, 2 * k.A, t)
        N_scaled = _N_along(k, exp_scale, mode, t_phi1)
        N_across = 0.0
        if np.any(k.y2):
            N_across = k.y2 * _over(-np.expm1(-abs(k.c) * t), abs(k.c), t) * exp_across
            N_scaled = N_scaled + N_across
        # √N p and √N x, divided by exp(scale/2): what is left of the start, and the growing mode.
        decay, root, rise = np.exp(-k.A * t - scale / 2), np.sqrt(N_scaled), mode * one_minus_exp
        p = (k.p * decay + rise * k.cos_phi) / root
        x = (k.x * decay + rise * k.sin_phi) / root
        y2 = k.y2 * np.exp(-np.maximum(k.c, 0) * t) * exp_across / N_scaled
        gap = (k.gap * exp_scale - k.s * N_across) / N_scaled
    return _AtTimes(p, x, y2, gap, N_scaled, exp_scale, mode, exp_across, one_minus_exp, t_phi1, N_across)


def _N_along(k: _Constants, exp_scale: np.ndarray, mode: np.ndarray, t_phi1: np.ndarray) -> np.ndarray:
    """N but for its part across dy*, divided by exp(scale)."""
    return exp_scale + mode**2 * t_phi1 + k.a_minus**2 * t_phi1 * exp_scale


def _over(one_minus_exp: np.ndarray, rate, t: np.ndarray) -> np.ndarray:
    """(1 − exp(−rate t))/rate from its numerator; t itself where the rate is nothing."""
    if np.ndim(rate) == 0:
        return one_minus_exp / rate if rate > TINY_RATE else t
    return np.where(rate > TINY_RATE, one_minus_exp / np.where(rate > TINY_RATE, rate, 1.0), t)


def _scales(k: _Constants, t: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The scale, growth exp(A t − scale/2) and exp(max(−c, 0) t − scale).

    The scale follows the largest term of N: the growing mode, the part across dy*, or the 1.
    """
    grown = 2 * k.A * t + k.log_a2
    leads = grown > k.log_2A
    if not np.any((k.y2 > 0) & (np.asarray(k.c) < 0)):  # nothing across dy* that could lead
        scale, mode = np.where(leads, grown, 0.0), np.where(leads, 0.0, grown) / 2
        return scale, np.copysign(np.exp(mode), k.a_plus), np.exp(-scale)
    sideways, gap = np.maximum(-k.c, 0), np.where(np.asarray(k.c) < 0, 2 * k.small, 2 * k.A)
    drifts = ~leads & (sideways * t + k.log_y2 > k.log_sideways)
    scale = np.where(leads, grown, np.where(drifts, sideways * t + k.log_y2, 0.0))
    # In each case the large parts of the two exponents have cancelled beforehand.
    mode = np.where(leads, 0.0, np.where(drifts, gap * t + k.log_a2 - k.log_y2, grown)) / 2
    exp_across = np.where(leads, -gap * t - k.log_a2, np.where(drifts, -k.log_y2, sideways * t))
    return scale, np.copysign(np.exp(mode), k.a_plus), np.exp(exp_across)


def _scalars(k: _Constants, q: _AtTimes) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """‖dh‖², ‖dy‖² and w from the scaled letters."""
    squares = k.k_h * k.k_y
    root, across2 = q.p * q.x, q.p**2 * q.y2
    return q.p**2 / k.k_y, (root**2 + across2) / squares, (root * q.gap + across2) / squares


# --- derivatives ----------------------------------------------------------------------------


def _chain(k: _Constants, q: _AtTimes, dp, dx, dy2) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Changes of ‖dh‖² k_y, ‖dy‖² and w with those of p, x and y²."""
    squares = k.k_h * k.k_y
    d_dy2 = 2 * q.p * (dp * (q.x**2 + q.y2) + q.p * q.x * dx) + q.p**2 * dy2
    return 2 * q.p * dp, d_dy2 / squares, (d_dy2 - k.s * (dp * q.x + q.p * dx)) / squares


def _faster(k: _Constants, q: _AtTimes, t: np.ndarray) -> tuple[np.ndarray, ...]:
    """Derivatives by the logarithm of a factor on both rates: t times the velocity."""
    d_h, d_y, d_w = _chain(
        k, q,
        -t * (q.x * q.gap + q.p * q.y2), -t * q.p * q.gap, -2 * t * q.p**2 * q.y2,
    )  # fmt: skip
    return d_h / k.k_y, d_y, d_w


def _tilted(k: _Constants, q: _AtTimes, t: np.ndarray) -> tuple[np.ndarray, ...]:
    """Derivatives by the logarithm of a factor on k_h that divides k_y.

    It leaves s as it is; p is divided and (x, y) multiplied by the factor's root, so that c changes
    by minus the sum of the squares, and with it M.
    """
    d_c = -(k.p**2 + k.x**2 + k.y2)
    d_A, turn = (k.c * d_c / (4 * k.A), -k.s * d_c / (4 * k.A**2)) if k.A > TINY_RATE else (0.0, 0.0)
    d_a_plus = (k.x * k.sin_phi - k.p * k.cos_phi) / 2 + turn * k.a_minus
    d_a_minus = (k.x * k.cos_phi + k.p * k.sin_phi) / 2 - turn * k.a_plus
    with np.errstate(under="ignore", over="ignore"):
        # exp(A t − scale/2), the growing mode per unit of its size; the start's is exp(−A t − scale/2).
        unit = np.abs(q.mode) / abs(k.a_plus) if k.a_plus else np.exp(k.A * t)
        decay = unit * (1 - q.one_minus_exp)
        # The growth of exp(A t) cancels between z and √N: it is left out of both beforehand.
        g = d_A * t
        d_mode, d_decay, d_one_minus_exp = unit * d_a_plus, -2 * g * decay, 2 * g * (1 - q.one_minus_exp)
        d_t_phi1 = _d_over(1 - q.one_minus_exp, q.t_phi1, 2 * k.A, t) * 2 * d_A
        d_N = (
            2 * q.mode * d_mode * q.t_phi1 + q.mode**2 * d_t_phi1
            + q.exp_scale * (2 * k.a_minus * d_a_minus * q.t_phi1 + k.a_minus**2 * d_t_phi1)
            - 2 * g * (q.exp_scale * (1 + k.a_minus**2 * q.t_phi1) + q.N_across)
        )  # fmt: skip
        if k.y2:
            faded = np.exp(-max(k.c, 0) * t) * q.exp_across
            d_N = d_N + q.N_across + k.y2 * _d_over(faded, q.N_across / k.y2, k.c, t, q.exp_scale) * d_c
        root, d_log_N = np.sqrt(q.N_scaled), d_N / q.N_scaled
        rise, d_rise = q.mode * q.one_minus_exp, d_mode * q.one_minus_exp + q.mode * d_one_minus_exp
        d_p = (
            k.p * (d_decay - decay / 2) + d_rise * k.cos_phi - rise * k.sin_phi * turn
        ) / root - q.p * d_log_N / 2
        d_x = (
            k.x * (d_decay + decay / 2) + d_rise * k.sin_phi + rise * k.cos_phi * turn
        ) / root - q.x * d_log_N / 2
        d_y2 = q.y2 * (1 - d_c * t - 2 * g - d_log_N)
    d_h, d_y, d_w = _chain(k, q, d_p, d_x, d_y2)
    return (d_h + q.p**2) / k.k_y, d_y, d_w


def _d_over(faded: np.ndarray, over: np.ndarray, rate: float, t: np.ndarray, unit=1.0) -> np.ndarray:
    """Derivative by `rate` of (1 − exp(−rate t))/rate, given exp(−rate t) and it, each times `unit`."""
    series = -unit * t**2 * (0.5 - rate * t / 3)
    if rate == 0:
        return series
    return np.where(abs(rate) * t < 1e-4, series, (t * faded - over) / rate)

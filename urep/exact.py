"""The exact solution of eq. (7), which the paper says cannot be had, evaluated without losing digits.

With u = ‖dh‖ and r = dy/u, eq. (7) is a linear network with one hidden unit. In the scaled letters

    p = √k_y u,   (x, y) = √k_h r along and across dy*,   s = √(k_h k_y) ‖dy*‖,
    k_h = ‖dx‖²/(2 τ_h),   k_y = 1/(2 τ_y),

c = p² − x² − y² is conserved and q = (p, x, y) obeys q' = M q − ½|q|² q with a constant symmetric M,
so that q(t) = exp(M t) q(0)/√N(t). The chapter on the exact solution derives this; here it becomes
numbers, with each sum arranged so that nothing cancels that need not.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import copysign, hypot, inf, log, sqrt

import numpy as np
from numpy.typing import ArrayLike

from .theory import ONE_DIGIT, Rates, State, TwoPoint, checked_start, real_number, times

LOG_OF_ZERO = -1e300
"""Stands for log 0 where differences of it are taken, which −∞ does not allow."""


@dataclass(frozen=True)
class Lift:
    """A start of eq. (7) in the scaled letters, and what is conserved along its trajectory.

    `p`, `x` and `y2` = y² are the start; `c` = k_y A_high and `s` = k_y A_low are constants;
    `growth` is the part of (p, x) along the growing mode of M, whose rate is `A`. Scalars all.
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
    def growth(self) -> float:
        """The sum p cos φ + x sin φ, in whichever of two exact forms loses fewer digits."""
        cos, sin = self.angle
        first, second = self.p * cos, self.x * sin
        direct = first + second
        if self.x >= 0 or self.A == 0:
            return direct
        upper = self.c / (2 * self.A) * (self.A + (self.p**2 + self.x**2) / 2)
        across = self.y2 / 2
        other = (upper + across) / (first - second)
        kept_direct = abs(direct) / (first - second)
        kept_other = abs(upper + across) / (abs(upper) + across) if upper or across else 1.0
        return direct if kept_direct >= kept_other else other


def lift(state: State, task: TwoPoint, rates: Rates, *, dy: float | None = None) -> Lift:
    """The start of eq. (7) as that of a network with one hidden unit.

    `dy` is the signed output difference for scalar outputs, positive towards the target, which
    ‖dy‖² and w determine only to half their digits; see `solve`. Raises as `solve` does.
    """
    dh2, dy2, w = checked_start(state, task, rates)
    k_h, k_y = task.dx2 / (2 * rates.tau_h), 1 / (2 * rates.tau_y)
    target2, target = Fraction(task.dy2_target), sqrt(task.dy2_target)
    # What decides which way a trajectory turns is a small difference; fractions make it exact.
    k_h_exact = Fraction(task.dx2) / (2 * Fraction(rates.tau_h))
    if dy is not None:
        dy = real_number("dy", dy, least=-inf, strict=False)
        if abs(dy**2 - dy2) > ONE_DIGIT * dy2:
            raise ValueError(f"dy must agree with dy2 = {dy2!r}, its square; got {dy!r}")
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


def solve(state: State, task: TwoPoint, rates: Rates, t: ArrayLike, *, dy: float | None = None) -> State:
    """The exact solution of eq. (7) from `state` at epoch 0, without time stepping.

    t: (n,) epochs, increasing. Returns a State of (n,) arrays. For scalar outputs `dy` may give the
    signed output difference, positive towards the target; ‖dy‖² and w then follow from it. Unlike
    (7) as printed it is regular where ‖dh‖² touches zero. Raises ValueError or TypeError for bad input.
    """
    t = times(t)
    start = lift(state, task, rates, dy=dy)
    p, x, y2, e_along = _evolve(start, t)
    squares = start.k_h * start.k_y
    root = p * x
    across2 = p**2 * y2
    return State(p**2 / start.k_y, (root**2 + across2) / squares, (root * e_along + across2) / squares)


def _evolve(start: Lift, t: np.ndarray) -> tuple[np.ndarray, ...]:
    """Values of p, x, y² and of the error p x − s at times t.

    Everything is divided by exp(scale), the size that N has reached, before it can overflow.
    """
    A, c, s = start.A, start.c, start.s
    cos, sin = start.angle
    decaying = start.x * cos - start.p * sin
    with np.errstate(under="ignore"):
        scale, swing, turned = _scales(start, t)
        still = np.exp(-scale)
        modes = t * _phi(-2 * A * t)
        across = start.y2 * t * _phi(-abs(c) * t) * turned
        N = still + swing**2 * modes + decaying**2 * modes * still + across
        # √N p and √N x, divided by exp(scale/2): what is left of the start, and the growing mode.
        left, swing = np.exp(-A * t - scale / 2), swing * -np.expm1(-2 * A * t)
        p = (start.p * left + swing * cos) / np.sqrt(N)
        x = (start.x * left + swing * sin) / np.sqrt(N)
        y2 = start.y2 * np.exp(-max(c, 0) * t) * turned / N
        e_along = (start.gap * still - s * across) / N
    return p, x, y2, e_along


def _scales(start: Lift, t: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The scale, growth exp(A t − scale/2) and exp(max(−c, 0) t − scale).

    The scale follows the largest term of N: the growing mode, the part across dy*, or the 1.
    """
    A, a = start.A, start.growth
    sideways, gap = (-start.c, 2 * start.small) if start.c < 0 else (0.0, 2 * A)
    log_a2 = 2 * log(abs(a)) if a else LOG_OF_ZERO
    log_y2 = log(start.y2) if start.y2 and sideways else LOG_OF_ZERO
    leads = 2 * A * t + log_a2 > (log(2 * A) if A else inf)
    drifts = ~leads & (sideways * t + log_y2 > (log(sideways) if sideways else inf))
    scale = np.where(leads, 2 * A * t + log_a2, np.where(drifts, sideways * t + log_y2, 0.0))
    # In each case the large parts of the two exponents have cancelled beforehand.
    swing = np.where(leads, 0.0, np.where(drifts, gap * t + log_a2 - log_y2, 2 * A * t + log_a2)) / 2
    turned = np.where(leads, -gap * t - log_a2, np.where(drifts, -log_y2, sideways * t))
    return scale, np.copysign(np.exp(swing), a), np.exp(turned)


def _phi(z: np.ndarray) -> np.ndarray:
    """φ₁(z) = (eᶻ − 1)/z for z <= 0."""
    safe = np.where(z == 0, -1.0, z)
    return np.where(z == 0, 1.0, np.expm1(safe) / safe)

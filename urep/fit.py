"""Effective time constants from a measured trajectory, objective (49), and from a loss curve, (9)."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import ArrayLike
from scipy.integrate import cumulative_trapezoid
from scipy.optimize import least_squares

from .exact import sensitivities, solve
from .state import Rates, State, Triple, TwoPoint, checked_trajectory, real_number, times
from .theory import SingularSystem, loss

Solver = Callable[[State, TwoPoint, Rates, np.ndarray], State]

WALL = 30.0
"""On |log τ|: e³⁰ epochs are beyond any training, and exp() is still exact there."""

FEWEST = 5
"""Two constants from three curves: fewer rows than this would be fitted whatever they were."""


class FitWarning(UserWarning):
    """The fit did not converge; the message is the fit's own."""


@dataclass(frozen=True, eq=False)
class Fit:
    """Fitted time constants: `rates`, `residual` (49), `r2` of ‖dh‖², ‖dy‖² and w, `converged`.

    `message` says why a fit did not converge; `predict(t)` is the fitted theory.
    """

    rates: Rates
    residual: float
    r2: Triple
    converged: bool
    message: str
    start: State
    task: TwoPoint
    t0: float
    solver: Solver

    def predict(self, t: ArrayLike) -> State:
        """The theory with the fitted rates from the measured start; t: (n,) epochs, not before the start."""
        t = times(t)
        if t[0] < self.t0:
            raise ValueError(f"t must not begin before the fitted data, at {self.t0:g}; got {t[0]:g}")
        return self.solver(self.start, self.task, self.rates, t - self.t0)


def fit_rates(t: ArrayLike, trajectory: State, task: TwoPoint, *, solver: Solver | None = None) -> Fit:
    """Minimise (49) over the two time constants, on their logarithms, from several starts.

    Levenberg-Marquardt, with the derivatives of the exact solution. t: (n,) epochs; trajectory: State
    of (n,) arrays, whose first row is the theory's start. `solver(state, task, rates, t)` is
    `urep.solve` unless another theory is to be fitted. Gives a FitWarning and `converged = False`
    where the data do not determine the constants; raises ValueError or TypeError for bad input, such
    as fewer than five rows or a curve that is flat.
    """
    t = checked_trajectory(trajectory, t)
    if len(t) < FEWEST:
        raise ValueError(f"t must have at least {FEWEST} rows to fit two constants, got {len(t)}")
    measured = np.array([*trajectory])
    for name, row in zip(("dh2", "dy2", "w"), measured, strict=True):
        if np.ptp(row) == 0:
            raise ValueError(f"trajectory.{name} must change to be fitted, got {row[0]!r} throughout")
    solver = solver or solve
    start, clock = trajectory[0], t - t[0]

    def misfit(log_tau: np.ndarray) -> np.ndarray:
        try:
            predicted = solver(start, task, _rates(log_tau), clock)
        except SingularSystem:
            # A wall, finite so that the search can step back from it.
            return np.full(measured.size, 10 * np.abs(measured).max())
        return (np.array([*predicted]) - measured).ravel()

    def slopes(log_tau: np.ndarray) -> np.ndarray:
        rates = _rates(log_tau)
        by_h, by_y = sensitivities(start, task, rates, clock)
        return np.stack([rates.tau_h * np.ravel([*by_h]), rates.tau_y * np.ravel([*by_y])], axis=1)

    best = _search(misfit, slopes if solver is solve else "2-point", _starts(clock, trajectory, task))
    rates = _rates(best.x)
    squares = (best.fun.reshape(measured.shape) ** 2).sum(axis=1)
    total = ((measured - measured.mean(axis=1, keepdims=True)) ** 2).sum(axis=1)
    message = _why_not(best)
    if message:
        warnings.warn(message, FitWarning, stacklevel=2)
    return Fit(
        rates, float(squares.sum()), Triple(*(1 - squares / total)), not message,
        message or "converged", start, task, float(t[0]), solver,
    )  # fmt: skip


def _starts(t: np.ndarray, trajectory: State, task: TwoPoint) -> list[np.ndarray]:
    """Log time constants to begin from: what (7) and (23) say in integral form, and around it.

    With W = ∫w dt, (7) integrates to ‖dh‖² − ‖dh(0)‖² = −(‖dx‖²/τ_h) W and (23) to
    ‖dy‖²/‖dh‖² − ‖dy(0)‖²/‖dh(0)‖² = −W/τ_y: two straight lines through the origin.
    """
    area = cumulative_trapezoid(trajectory.w, t, initial=0.0)
    ratio = trajectory.dy2 / np.maximum(trajectory.dh2, np.finfo(float).tiny)
    span = t[-1]

    def tau(rise: np.ndarray, unit: float) -> float:
        rate = -(rise @ area) / (unit * (area @ area)) if area.any() else 0.0
        # A line that falls the wrong way gives no time constant; the length of training does.
        return 1 / rate if rate > 0 else span

    centre = np.log([
        tau(trajectory.dh2 - trajectory.dh2[0], task.dx2),
        tau(ratio - ratio[0], 1.0),
    ])  # fmt: skip
    return [centre + np.log(10) * np.array(shift) for shift in product((0, -1, 1), repeat=2)]


def _rates(log_tau: np.ndarray) -> Rates:
    return Rates(*np.exp(np.clip(log_tau, -WALL, WALL)))


def _search(misfit, slopes, starts: list[np.ndarray], polished: int = 3):
    """Best of several local searches, from the starts with the smallest objective."""
    ranked = sorted(starts, key=lambda x: float(np.sum(misfit(x) ** 2)))
    runs = [
        least_squares(misfit, np.clip(x, 1 - WALL, WALL - 1), jac=slopes, method="lm",
                      xtol=1e-9, ftol=1e-12, gtol=1e-15, max_nfev=200)
        for x in ranked[:polished]
    ]  # fmt: skip
    return min(runs, key=lambda run: run.cost)


def _why_not(best) -> str:
    """Why the constants cannot be trusted; empty when they can."""
    if not best.success:
        return f"fit_rates did not converge: {best.message}"
    if np.any(np.abs(best.x) > 0.9 * WALL):
        return "fit_rates did not converge: a time constant ran away"
    strength = np.linalg.svd(best.jac, compute_uv=False)
    if strength[-1] <= 1e-6 * strength[0]:
        return "fit_rates did not converge: the data do not determine both time constants"
    return ""


# --- the third constant ---------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class MeanFit:
    """The third time constant: `tau_mean` (epochs), `mean_error2` of (9), `residual`, `r2`.

    `converged` is False, and `message` says why, where the loss does not determine the constant.
    """

    tau_mean: float
    mean_error2: float
    residual: float
    r2: float
    converged: bool
    message: str


def fit_tau_mean(
    t: ArrayLike, seen: ArrayLike, trajectory: State, task: TwoPoint, *, mean_error2: float | None = None
) -> MeanFit:
    """Fit the time constant of the mean output in eq. (9) to a loss curve, the rest held fixed.

    t: (n,) epochs, from 0; seen: (n,) losses; trajectory: State of (n,) arrays, measured or
    `fit.predict(t)`. `mean_error2` is ‖ȳ(0) − ȳ*‖², by default what (9) leaves for it in the first
    loss. Gives a FitWarning and `converged = False` where there is no mean to be learned or it is not
    learned in the time given. Raises ValueError or TypeError for bad input.
    """
    t = checked_trajectory(trajectory, t)
    seen = _checked_losses(seen, t)
    if t[0] != 0:
        raise ValueError(f"t must begin at 0, where mean_error2 is defined, got {t[0]:g}")
    rest = loss(trajectory, task, t, tau_mean=1.0, mean_error2=0.0)
    if mean_error2 is None:
        mean_error2 = max(2 * float(seen[0] - rest[0]), 0.0)
    mean_error2 = real_number("mean_error2", mean_error2, strict=False)

    def misfit(log_tau: np.ndarray) -> np.ndarray:
        tau = float(np.exp(np.clip(log_tau[0], -WALL, WALL)))
        return rest + mean_error2 / 2 * np.exp(-2 * t / tau) - seen

    starts = np.log(t[-1]) - np.log(10) * np.arange(5.0)
    best = min(
        (least_squares(misfit, [x], method="lm", xtol=1e-12, ftol=1e-12) for x in starts),
        key=lambda run: run.cost,
    )
    tau = float(np.exp(np.clip(best.x[0], -WALL, WALL)))
    message = ""
    if not best.success or tau > 100 * t[-1]:
        message = "fit_tau_mean did not converge: the mean is not learned in the time given"
    elif np.linalg.norm(best.jac) <= 1e-9 * np.linalg.norm(seen):
        message = "fit_tau_mean did not converge: the loss does not depend on tau_mean"
    if message:
        warnings.warn(message, FitWarning, stacklevel=2)
    residual = float(np.sum(best.fun**2))
    return MeanFit(
        tau, mean_error2, residual, 1 - residual / float(np.sum((seen - seen.mean()) ** 2)),
        not message, message or "converged",
    )  # fmt: skip


def _checked_losses(seen: ArrayLike, t: np.ndarray) -> np.ndarray:
    seen = np.asarray(seen)
    if seen.dtype.kind not in "fiu":
        raise TypeError(f"seen must be real numbers, got {seen.dtype}")
    if seen.shape != t.shape or len(t) < FEWEST:
        raise ValueError(
            f"seen and t must have one length, at least {FEWEST}, got {seen.shape} and {t.shape}"
        )
    if not np.isfinite(seen).all() or (seen < 0).any():
        wrong = seen[~(np.isfinite(seen) & (seen >= 0))][0]
        raise ValueError(f"seen must be finite and >= 0, got {float(wrong)!r}")
    if np.ptp(seen) == 0:
        raise ValueError(f"seen must change to be fitted, got {seen[0]!r} throughout")
    return seen.astype(float)

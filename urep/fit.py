"""Effective time constants from a measured trajectory: the paper's objective (49)."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import ArrayLike
from scipy.integrate import cumulative_trapezoid
from scipy.optimize import least_squares

from .exact import solve
from .theory import Rates, SingularSystem, State, Triple, TwoPoint, checked_trajectory, times

Solver = Callable[[State, TwoPoint, Rates, np.ndarray], State]

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

    t: (n,) epochs; trajectory: State of (n,) arrays, whose first row is the theory's start.
    `solver(state, task, rates, t)` is `urep.solve` unless another theory is to be fitted. Gives a
    FitWarning and `converged = False` where the data do not determine the constants; raises
    ValueError or TypeError for bad input, such as fewer than five rows or a curve that is flat.
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
            predicted = solver(start, task, Rates(*np.exp(log_tau)), clock)
        except SingularSystem:
            # A wall, finite so that the search can step back from it.
            return np.full(measured.size, 10 * np.abs(measured).max())
        return (np.array([*predicted]) - measured).ravel()

    best = _search(misfit, _starts(clock, trajectory, task))
    rates = Rates(*np.exp(best.x))
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


def _search(misfit, starts: list[np.ndarray], polished: int = 3):
    """Best of several local searches, from the starts with the smallest objective."""
    ranked = sorted(starts, key=lambda x: float(np.sum(misfit(x) ** 2)))
    wall = 30.0  # e^30 epochs: beyond any training, and where exp() is still exact
    runs = [
        least_squares(misfit, x, bounds=(-wall, wall), xtol=1e-10, ftol=1e-12, gtol=1e-15,
                      x_scale=1.0, diff_step=1e-5, max_nfev=200)
        for x in np.clip(ranked[:polished], -wall + 1, wall - 1)
    ]  # fmt: skip
    return min(runs, key=lambda run: run.cost)


def _why_not(best) -> str:
    """Why the constants cannot be trusted; empty when they can."""
    if not best.success:
        return f"fit_rates did not converge: {best.message}"
    if np.any(best.active_mask):
        return "fit_rates did not converge: a time constant ran away to the edge of the search"
    strength = np.linalg.svd(best.jac, compute_uv=False)
    if strength[-1] <= 1e-6 * strength[0]:
        return "fit_rates did not converge: the data do not determine both time constants"
    return ""

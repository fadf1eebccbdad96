"""Effective time constants from a measured trajectory, objective (49), and from a loss curve, (9)."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
from numpy.typing import ArrayLike
from scipy.integrate import cumulative_trapezoid
from scipy.optimize import least_squares

from .exact import curves, slopes, solve
from .state import (
    Rates,
    Run,
    State,
    TwoPoint,
    Variables,
    checked_start,
    checked_trajectory,
    real_number,
    times,
)
from .theory import SingularSystem, loss

Solver = Callable[[State, TwoPoint, Rates, np.ndarray], Variables]

MAX_LOG_TAU = 30.0
"""Largest |log τ|: e³⁰ epochs are beyond any training, and exp() is still exact there."""

MIN_ROWS = 5
"""Two constants from three curves: fewer rows than this would be fitted whatever they were."""

UNCONVERGED = ("warn", "keep", "raise")
"""Allowed treatments of a fit that did not converge."""


class FitWarning(UserWarning):
    """A fit did not converge; the message is the fit's own."""


class FitNotConverged(RuntimeError):
    """A fit did not converge and was asked to raise; `fit` is what was found."""

    def __init__(self, fit: Fit | MeanFit):
        super().__init__(fit.message)
        self.fit = fit


@dataclass(frozen=True, eq=False)
class Fit:
    """Fitted time constants: `rates`, `residual` (49), `r2` of ‖dh‖², ‖dy‖² and w, `converged`.

    `message` says why a fit did not converge; `predict(t)` is the fitted theory; `t` (n,) and `seen`, a State
    of (n,) arrays, are what it was fitted to.
    """

    rates: Rates
    residual: float
    r2: Variables
    converged: bool
    message: str
    start: State
    task: TwoPoint
    t0: float
    solver: Solver
    t: np.ndarray
    seen: State

    def predict(self, t: ArrayLike) -> State:
        """The theory with the fitted rates from the measured start; t: (n,) epochs, not before the start."""
        t = times(t)
        if t[0] < self.t0:
            raise ValueError(f"t must not begin before the fitted data, at {self.t0:g}; got {t[0]:g}")
        return self.solver(self.start, self.task, self.rates, t - self.t0)


def fit_rates(
    t: ArrayLike | Run,
    trajectory: State | None = None,
    task: TwoPoint | None = None,
    *,
    solver: Solver | None = None,
    unconverged: str = "warn",
) -> Fit:
    """Fit the two time constants to a trajectory: minimise (49) on their logarithms.

    `fit_rates(run)` takes what `urep.train` returns for one layer; `fit_rates(t, trajectory, task)` takes
    t: (n,) epochs and a State of (n,) arrays, whose first row is the theory's start. Levenberg-Marquardt
    from several starts, with the derivatives of the exact solution, unless `solver(state, task, rates, t)`
    is another theory. Where the data do not determine the constants, `converged` is False, and
    `unconverged` says what else happens: "warn" gives a FitWarning, "raise" raises FitNotConverged, "keep"
    does nothing. Raises ValueError or TypeError for bad input, such as fewer than five rows or a flat curve.
    """
    t, trajectory, task = of_one_layer(t, trajectory, task)
    t = checked_trajectory(trajectory, t)
    _require_choice(unconverged)
    if len(t) < MIN_ROWS:
        raise ValueError(f"t must have at least {MIN_ROWS} rows to fit two constants, got {len(t)}")
    measured = np.array([*trajectory])
    for name, row in zip(("dh2", "dy2", "w"), measured, strict=True):
        if np.ptp(row) == 0:
            raise ValueError(f"trajectory.{name} must change to be fitted, got {row[0]!r} throughout")
    start, clock = trajectory[0], t - t[0]
    solver = solver or solve
    if solver is solve:  # checked here once, and not at each evaluation
        checked_start(start, task, Rates(1.0, 1.0))
        misfit = _misfit(curves, start, task, clock, measured)
        jacobian = _jacobian(start, task, clock)
    else:
        misfit = _misfit(solver, start, task, clock, measured)
        jacobian = "2-point"

    best = _search(misfit, jacobian, _starts(clock, trajectory, task))
    squares = (best.fun.reshape(measured.shape) ** 2).sum(axis=1)
    total = ((measured - measured.mean(axis=1, keepdims=True)) ** 2).sum(axis=1)
    message = _why_not(best)
    fit = Fit(
        rates=_rates(best.x),
        residual=float(squares.sum()),
        r2=Variables(*(1 - squares / total)),
        converged=not message,
        message=message or "converged",
        start=start,
        task=task,
        t0=float(t[0]),
        solver=solver,
        t=t,
        seen=trajectory,
    )
    return _judged(fit, unconverged)


def of_one_layer(t, trajectory=None, task=None) -> tuple:
    """Epochs, trajectory and task: as given, or those of a run of one layer."""
    if not isinstance(t, Run):
        return t, trajectory, task
    if trajectory is not None or task is not None:
        raise TypeError("trajectory and task must not be given beside a run, which has its own")
    if t.stopped == "diverged":
        raise ValueError(f"run must not have diverged, which this one did after epoch {t.t[-1]:g}")
    layers = t.trajectory
    if isinstance(layers, State):
        return t.t, layers, t.task
    if len(layers) > 1:
        raise ValueError(
            f"run must hold one layer, got {', '.join(map(repr, layers))}; "
            "give fit_rates(run.t, run.trajectory[layer], run.task)"
        )
    return t.t, next(iter(layers.values())), t.task


def _require_choice(unconverged: str) -> None:
    if unconverged not in UNCONVERGED:
        raise ValueError(f"unconverged must be one of {', '.join(UNCONVERGED)}; got {unconverged!r}")


def _judged(fit, unconverged: str):
    """The fit, after a warning or an error where it did not converge and one is wanted."""
    if not fit.converged and unconverged == "raise":
        raise FitNotConverged(fit)
    if not fit.converged and unconverged == "warn":
        warnings.warn(fit.message, FitWarning, stacklevel=3)
    return fit


def _misfit(solver, start: State, task: TwoPoint, clock: np.ndarray, measured: np.ndarray):
    """The residuals of (49), (3n,), as a function of the logarithms of the time constants."""
    # Finite, so that a search can step back from where a theory has no solution.
    lost = np.full(measured.size, 10 * np.abs(measured).max())

    def misfit(log_tau: np.ndarray) -> np.ndarray:
        try:
            predicted = solver(start, task, _rates(log_tau), clock)
        except SingularSystem:
            return lost
        return (np.array([*predicted]) - measured).ravel()

    return misfit


def _jacobian(start: State, task: TwoPoint, clock: np.ndarray):
    """Derivatives of `_misfit` for the exact solution, (3n, 2)."""

    def jacobian(log_tau: np.ndarray) -> np.ndarray:
        rates = _rates(log_tau)
        by_h, by_y = slopes(start, task, rates, clock)
        return np.stack([rates.tau_h * by_h.ravel(), rates.tau_y * by_y.ravel()], axis=1)

    return jacobian


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
    return Rates(*np.exp(np.clip(log_tau, -MAX_LOG_TAU, MAX_LOG_TAU)))


def _search(misfit, slopes, starts: list[np.ndarray], polished: int = 3):
    """Best of several local searches, from the starts with the smallest objective."""
    ranked = sorted(starts, key=lambda x: float(np.sum(misfit(x) ** 2)))
    runs = [
        least_squares(misfit, np.clip(x, 1 - MAX_LOG_TAU, MAX_LOG_TAU - 1), jac=slopes, method="lm",
                      xtol=1e-9, ftol=1e-12, gtol=1e-15, max_nfev=200)
        for x in ranked[:polished]
    ]  # fmt: skip
    return min(runs, key=lambda run: run.cost)


def _why_not(best) -> str:
    """Why the constants cannot be trusted; empty when they can."""
    if not best.success:
        return f"fit_rates did not converge: {best.message}"
    if np.any(np.abs(best.x) > 0.9 * MAX_LOG_TAU):
        return "fit_rates did not converge: a time constant ran away"
    strength = np.linalg.svd(best.jac, compute_uv=False)
    if strength[-1] <= 1e-6 * strength[0]:
        return "fit_rates did not converge: the data do not determine both time constants"
    return ""


# --- where the clock begins -----------------------------------------------------------------

LEARNED_MEAN = 3e-3
"""Share of the mean's part of the loss (9), at its start, below which the mean counts as learned."""

NO_MEAN = 1e-3
"""Share of the first loss below which there is no mean to be learned."""


def mean_learned(run: Run) -> float | None:
    """The epoch t₁ at which the mean is learned: its part of the loss (9) below LEARNED_MEAN of its start.

    The first epoch of the run where the mean's part is less than NO_MEAN of the loss to begin with; None
    where the mean is not learned. For a run of two points and one layer.
    """
    rest = loss(run.trajectory, run.task, run.t, tau_mean=1.0, mean_error2=0.0)
    mean = run.loss - rest
    if mean[0] < NO_MEAN * run.loss[0]:
        return float(run.t[0])
    below = np.flatnonzero(mean < LEARNED_MEAN * mean[0])
    return float(run.t[below[0]]) if below.size else None


def without_mean(run: Run) -> Run | None:
    """The run from the epoch t₁ of `mean_learned`: the run itself where there is no mean to be learned.

    None where the mean is not learned, or where too few rows are left for a fit.
    """
    begin = mean_learned(run)
    if begin is None:
        return None
    first = int(np.searchsorted(run.t, begin))
    if first == 0:
        return run
    if len(run) - first < 2 * MIN_ROWS:
        return None
    rows = slice(first, None)
    return replace(run, t=run.t[rows], trajectory=run.trajectory[rows], loss=run.loss[rows])


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
    t: ArrayLike | Run,
    seen: ArrayLike | Fit | None = None,
    trajectory: State | None = None,
    task: TwoPoint | None = None,
    *,
    mean_error2: float | None = None,
    unconverged: str = "warn",
) -> MeanFit:
    """Fit the time constant of the mean output in eq. (9) to a loss curve, the rest held fixed.

    `fit_tau_mean(run, fit)` takes ‖dy‖² and w from a fit of the same run, `fit_tau_mean(run)` from the run
    itself. `fit_tau_mean(t, seen, trajectory, task)` takes t: (n,) epochs, from 0, seen: (n,) losses, and a
    State of (n,) arrays. `mean_error2` is ‖ȳ(0) − ȳ*‖², by default what (9) leaves for it in the first
    loss. `converged` is False where there is no mean to be learned or it is not learned in the time given;
    `unconverged` is as in `fit_rates`. Raises ValueError or TypeError for bad input.
    """
    if isinstance(t, Run):
        run, fit = t, seen
        t, trajectory, task = of_one_layer(run, trajectory, task)
        seen = run.loss
        if run.points != 2:
            raise ValueError(f"run must be of two points, whose loss is (9), got one of {run.points}")
        if fit is not None:
            trajectory = _prediction(fit, t, trajectory[0], task)
    _require_choice(unconverged)
    t = checked_trajectory(trajectory, t)
    seen = _checked_losses(seen, t)
    if t[0] != 0:
        raise ValueError(f"t must begin at 0, where mean_error2 is defined, got {t[0]:g}")
    rest = loss(trajectory, task, t, tau_mean=1.0, mean_error2=0.0)
    if mean_error2 is None:
        mean_error2 = max(2 * float(seen[0] - rest[0]), 0.0)
    mean_error2 = real_number("mean_error2", mean_error2, strict=False)

    def misfit(log_tau: np.ndarray) -> np.ndarray:
        tau = float(np.exp(np.clip(log_tau[0], -MAX_LOG_TAU, MAX_LOG_TAU)))
        return rest + mean_error2 / 2 * np.exp(-2 * t / tau) - seen

    starts = np.log(t[-1]) - np.log(10) * np.arange(5.0)
    found = [least_squares(misfit, [x], method="lm", xtol=1e-12, ftol=1e-12) for x in starts]
    best = min(found, key=lambda one: one.cost)
    tau = float(np.exp(np.clip(best.x[0], -MAX_LOG_TAU, MAX_LOG_TAU)))
    message = ""
    if not best.success or tau > 100 * t[-1]:
        message = "fit_tau_mean did not converge: the mean is not learned in the time given"
    elif np.linalg.norm(best.jac) <= 1e-9 * np.linalg.norm(seen):
        message = "fit_tau_mean did not converge: the loss does not depend on tau_mean"
    residual = float(np.sum(best.fun**2))
    fit = MeanFit(
        tau_mean=tau,
        mean_error2=mean_error2,
        residual=residual,
        r2=1 - residual / float(np.sum((seen - seen.mean()) ** 2)),
        converged=not message,
        message=message or "converged",
    )
    return _judged(fit, unconverged)


def _prediction(fit: Fit, t: np.ndarray, start: State, task: TwoPoint) -> State:
    """What a fit predicts for its own run, which it must be of."""
    if not isinstance(fit, Fit):
        raise TypeError(f"fit must be what fit_rates returns for the run, got {fit!r}")
    if (fit.t0, fit.task, *fit.start) != (t[0], task, *start):
        raise ValueError(f"fit must be of the same run, which starts at {start}; got one from {fit.start}")
    return fit.predict(t)


def _checked_losses(seen: ArrayLike, t: np.ndarray) -> np.ndarray:
    seen = np.asarray(seen)
    if seen.dtype.kind not in "fiu":
        raise TypeError(f"seen must be real numbers, got {seen.dtype}")
    if seen.shape != t.shape or len(t) < MIN_ROWS:
        raise ValueError(
            f"seen and t must have one length, at least {MIN_ROWS}, got {seen.shape} and {t.shape}"
        )
    if not np.isfinite(seen).all() or (seen < 0).any():
        wrong = seen[~(np.isfinite(seen) & (seen >= 0))][0]
        raise ValueError(f"seen must be finite and >= 0, got {float(wrong)!r}")
    if np.ptp(seen) == 0:
        raise ValueError(f"seen must change to be fitted, got {seen[0]!r} throughout")
    return seen.astype(float)

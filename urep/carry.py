"""Carrying two fitted constants to another run of the same start, against curves that know less."""

from __future__ import annotations

from dataclasses import dataclass
from math import log, sqrt

import numpy as np

from .fit import Fit, Solver, fit_rates, of_one_layer
from .state import Rates, Run, State, TwoPoint, Variables


@dataclass(frozen=True, eq=False)
class Prediction:
    """What a model says of a run: `state` at its epochs, R² and relative error of each variable, and the end.

    `error` is the root mean square of what it misses over that of what was seen; `end` is the predicted over
    the seen last ‖dh‖².
    """

    state: Variables
    r2: Variables
    error: Variables
    end: float

    @property
    def missed(self) -> float:
        """1 - R² of the worse of both distances, ‖dh‖² and ‖dy‖²: 0 where nothing is missed."""
        return 1 - min(self.r2.dh2, self.r2.dy2)


@dataclass(frozen=True, eq=False)
class Carried:
    """A run as the constants of another one predict it, nothing refitted.

    `theory` is the fitted theory; `curve` the logistic of the fitted run as it was; `scaled` that logistic
    with time and end scaled by k = ‖dy*‖ / ‖dy*‖ of the fitted run, which is dimensional analysis; `grown`
    the logistic that keeps its start: v' ∝ v (‖dy*‖ − v), the rich limit of (7), with its end scaled too.
    """

    theory: Prediction
    curve: Prediction
    scaled: Prediction
    grown: Prediction


def carried(fit: Fit, run: Run) -> Carried:
    """Predict a run from its own measured start with the constants of a fit to another one.

    Both runs are of one network from the same initial weights, on tasks that differ in ‖dy*‖. The nulls are
    logistic curves with two constants, fitted to the run of `fit` and told where its ‖dh‖² ended. Raises
    TypeError or ValueError for bad input, SingularSystem where the theory has no solution.
    """
    if not isinstance(fit, Fit):
        raise TypeError(f"fit must be what fit_rates returns, got {fit!r}")
    if not isinstance(run, Run):
        raise TypeError(f"run must be what urep.train returns, got {run!r}")
    t, seen, task = of_one_layer(run)
    if task.dy2_target == 0 or fit.task.dy2_target == 0:
        raise ValueError("run and fit must have targets that differ, dy2_target > 0, to be scaled")
    for name, values in zip(("dh2", "dy2", "w"), seen, strict=True):
        if np.ptp(values) == 0 or (name == "dh2" and values[-1] == 0):
            end = float(values[-1])
            raise ValueError(f"run.trajectory.{name} must change, and not end at 0, got {end!r} at its end")
    own_end = float(fit.seen.dh2[-1])
    place, width = fit_rates(fit.t, fit.seen, fit.task, solver=sigmoid(own_end), unconverged="keep").rates
    k = sqrt(task.dy2_target / fit.task.dy2_target)
    end = max(k * own_end, float(seen.dh2[0]))
    models = {
        "theory": (fit.solver, fit.rates),
        "curve": (sigmoid(own_end), Rates(place, width)),
        "scaled": (sigmoid(end), Rates(place / k, width / k)),
        "grown": (sigmoid(end), _grown(place, width, k)),
    }
    told = {
        name: _judged(solver(seen[0], task, rates, t - t[0]), seen)
        for name, (solver, rates) in models.items()
    }
    return Carried(**told)


def _grown(place: float, width: float, k: float) -> Rates:
    """Place and width of a logistic curve that begins as one of these does, for targets k times as far.

    Its rate grows k times, its share at the start shrinks k times; a start beyond the middle is put there.
    """
    behind = np.log(max(k * (1 + np.exp(min(place / width, 500.0))) - 1, 1.0))
    return Rates(max(width / k * behind, np.finfo(float).tiny), width / k)


def _judged(predicted: Variables, seen: State) -> Prediction:
    ours, theirs = np.array([*predicted]), np.array([*seen])
    missed = np.sum((ours - theirs) ** 2, axis=1)
    about_mean = np.sum((theirs - theirs.mean(axis=1, keepdims=True)) ** 2, axis=1)
    error = np.sqrt(missed / np.sum(theirs**2, axis=1))
    end = float(ours[0, -1] / theirs[0, -1])
    return Prediction(predicted, Variables(*(1 - missed / about_mean)), Variables(*error), end)


# --- the curve that knows no theory -----------------------------------------------------------


def sigmoid(end: float) -> Solver:
    """‖dh‖² and dy rise together on a logistic curve; `tau_h` is where, `tau_y` how wide it is.

    The end of ‖dh‖² is given. For outputs along the target, as scalar ones are.
    """

    def solve(state: State, task: TwoPoint, rates: Rates, t: np.ndarray) -> Variables:
        gone = rise(t - t[0], rates.tau_h - t[0], rates.tau_y)
        return towards(state, task, end, gone, gone)

    return solve


def fitted_sigmoid(run: Run) -> Fit:
    """The fit of `sigmoid` to a run, told where its ‖dh‖² ends: the curve that knows no theory.

    It may not converge, which is no warning: what it leaves is the best that was found.
    """
    return fit_rates(run, solver=sigmoid(run.trajectory.dh2[-1]), unconverged="keep")


def rise(t: np.ndarray, place: float, width: float, bend: float = 1.0) -> np.ndarray:
    """The share that is gone at times t (n,) on a logistic curve that begins at time 0, from 0 towards 1.

    With a `bend`, the shape of Richards' curve, it is (1 + bend e^(−(t − place)/width))^(−1/bend) before it
    is moved to its beginning; all is gone where that is 1 there.
    """
    late = np.clip((place - np.r_[0.0, t]) / width, -500, 500)
    before, *rises = np.exp(-np.logaddexp(0, late + log(bend)) / bend)
    return (np.array(rises) - before) / (1 - before) if before < 1 else np.ones_like(t, dtype=float)


def towards(state: State, task: TwoPoint, end: float, gone_h: np.ndarray, gone_y: np.ndarray) -> Variables:
    """The three variables where a share of each way is gone, (n,) each; outputs along the target."""
    target = sqrt(task.dy2_target)
    first = (state.dy2 - state.w) / target
    v = first + (target - first) * gone_y
    return Variables(state.dh2 + (end - state.dh2) * gone_h, v**2, v * (v - target))

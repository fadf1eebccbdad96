"""Predictions of what a fit has not seen, the same by models that know less, and the errors of both.

The pages and the registry of claims use these measures. All but `mean_curves_error` were there before the
runs that judge, and a test holds them to it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import least_squares

from ..exact import solve
from ..fit import MIN_ROWS, Fit, fit_rates
from ..state import Rates, Run, State, Variables

FIRST_PART = 0.2
"""Share of the target's difference that is learned where a forecast begins."""

ARRIVED = 0.9
"""Share of the target's difference at which a network is taken to have arrived."""


def learned_share(trajectory: State, dy2_target: float) -> np.ndarray:
    """The part of dy along dy*, over ‖dy*‖: 0 for equal outputs, 1 where the target is reached; (n,)."""
    return (trajectory.dy2 - trajectory.w) / dy2_target


def beginning(run: Run, share: float = FIRST_PART) -> int:
    """The number of rows up to the one at which a share of the target is first learned.

    Raises ValueError where the run begins beyond it, never gets there, or has too few rows until then.
    """
    learned = learned_share(run.trajectory, run.task.dy2_target)
    row = int(np.argmax(learned >= share))
    if learned[row] < share or row < MIN_ROWS:
        raise ValueError(f"share must be reached after {MIN_ROWS} rows or more, got {share} at row {row}")
    return row + 1


# --- the rest of a run from its beginning ------------------------------------------------------


def forecast(run: Run, share: float = FIRST_PART) -> Fit:
    """(7) fitted to the beginning of a run only; it may not converge, which a forecast must bear."""
    rows = slice(beginning(run, share))
    return fit_rates(run.t[rows], run.trajectory[rows], run.task, unconverged="keep")


def end_errors(run: Run, share: float = FIRST_PART) -> tuple[float, float]:
    """|log| of forecast over measured final ‖dh‖²: by (7), and by proportion.

    Proportion knows no theory: ‖dh‖² goes on growing with the share of the target that is learned, as it
    did from the start to the end of the beginning.
    """
    last = beginning(run, share) - 1
    dh2 = run.trajectory.dh2
    learned = learned_share(run.trajectory, run.task.dy2_target)
    by_theory = forecast(run, share).predict(run.t).dh2[-1]
    by_proportion = dh2[0] + (dh2[last] - dh2[0]) * (1 - learned[0]) / (learned[last] - learned[0])
    return _log_ratio(by_theory, dh2[-1]), _log_ratio(by_proportion, dh2[-1])


def end_ratio(run: Run, share: float = FIRST_PART) -> float:
    """Final ‖dh‖² as (7) forecasts it from the beginning, over that measured."""
    return float(forecast(run, share).predict(run.t).dh2[-1] / run.trajectory.dh2[-1])


def time_errors(run: Run, share: float = FIRST_PART) -> tuple[float, float]:
    """|log| of forecast over measured time from the beginning's end to arrival: by (7), and by a logistic.

    Arrival is at ARRIVED of the target. The logistic curve of the learned share has a fitted place and
    width, as many constants as (7), and the height that everybody knows. Where a forecast does not arrive
    within ten times the run, its arrival is put there.
    """
    rows = beginning(run, share)
    learned = learned_share(run.trajectory, run.task.dy2_target)
    beyond = np.linspace(run.t[0], 10 * run.t[-1], 20_001)
    theory = learned_share(forecast(run, share).predict(beyond), run.task.dy2_target)
    logistic = _logistic_share(run.t[:rows], learned[:rows], beyond)
    left = run.t[rows - 1]
    took = _arrival(run.t, learned) - left
    step = run.t[1] - run.t[0]
    forecasts = (max(_arrival(beyond, curve) - left, step) for curve in (theory, logistic))
    return tuple(_log_ratio(forecast, took) for forecast in forecasts)


def _arrival(t: np.ndarray, share: np.ndarray) -> float:
    row = int(np.argmax(share >= ARRIVED))
    if share[row] < ARRIVED or row == 0:
        return float(t[-1] if share[row] < ARRIVED else t[0])
    return float(np.interp(ARRIVED, share[row - 1 : row + 1], t[row - 1 : row + 1]))


def _logistic_share(t: np.ndarray, share: np.ndarray, times: np.ndarray) -> np.ndarray:
    """A logistic curve from the first share to one, its place and width fitted to (t, share)."""
    span = t[-1] - t[0]

    def curve(logs: np.ndarray, at: np.ndarray) -> np.ndarray:
        place, width = np.exp(logs)
        gone = 1 / (1 + np.exp(np.clip((place - (at - t[0])) / width, -500, 500)))
        first = 1 / (1 + np.exp(np.clip(place / width, -500, 500)))
        return share[0] + (1 - share[0]) * (gone - first) / (1 - first)

    starts = [np.log([place * span, width * span]) for place in (0.9, 1.1, 1.5, 2) for width in (0.02, 0.1)]
    fits = [least_squares(lambda logs: curve(logs, t) - share, start, max_nfev=200) for start in starts]
    return curve(min(fits, key=lambda fit: fit.cost).x, times)


def _log_ratio(one: float, other: float) -> float:
    return float(abs(np.log(max(one, np.finfo(float).tiny) / other)))


# --- a run from constants of other runs --------------------------------------------------------


def unexplained(seen: Variables, predicted: Variables) -> float:
    """1 - R² of the three variables taken together: the sum of squares that is left, over that there was."""
    seen, predicted = np.array([*seen]), np.array([*predicted])
    left = ((seen - predicted) ** 2).sum()
    return float(left / ((seen - seen.mean(axis=1, keepdims=True)) ** 2).sum())


def carried_errors(run: Run, rates: Rates, others: list[Run]) -> tuple[float, float]:
    """`unexplained` of a run: by (7) with given rates from the run's own start, and by other runs' curves.

    The other runs are taken as they are, and the median of their errors is the null's: what one knows of a
    run who has seen another one of its architecture. All runs must have the same epochs.
    """
    own = unexplained(run.trajectory, solve(run.trajectory[0], run.task, rates, run.t))
    return own, float(np.median([unexplained(run.trajectory, other.trajectory) for other in others]))


def mean_curves_error(run: Run, others: list[Run]) -> float:
    """`unexplained` of a run by the mean of other runs' curves; all runs must have the same epochs."""
    curves = np.mean([[*other.trajectory] for other in others], axis=0)
    return unexplained(run.trajectory, Variables(*curves))


def mean_rates(rates: ArrayLike) -> Rates:
    """Rates whose inverses are the means of the inverses of (runs, 2) time constants, as in the paper."""
    return Rates(*(1 / np.mean(1 / np.asarray(rates, dtype=float), axis=0)))

"""Numbers from the paper's equations: the vector field, its integration, where it ends, the loss.

Nothing here is specific to a network.
"""

from __future__ import annotations

import warnings
from itertools import count
from math import sqrt

import numpy as np
from numpy.typing import ArrayLike

from . import equations as eq
from .state import (
    INPUT_TOLERANCE,
    Rates,
    State,
    TwoPoint,
    Variables,
    _first,
    checked_start,
    checked_trajectory,
    real_number,
    times,
)

MOST_EVALUATIONS = 300_000
"""Largest number of evaluations of (7) in one integration: an error after seconds beats a wait of minutes."""


class SingularSystem(ArithmeticError):
    """An integration of eq. (7) was lost, as can happen where ‖dh‖² touches zero."""


# --- eq. (7) --------------------------------------------------------------------------------

_FIELD = eq.numeric(eq.paper[7].rhs, *eq.state, eq.dx2, eq.dy2_target, eq.tau_h, eq.tau_y)
_LIFTED = eq.numeric(
    eq.book["E0"].rhs, eq.u, eq.r_along, eq.r_across, eq.dx2, eq.dy2_target, eq.tau_h, eq.tau_y
)
_LEVEL = eq.numeric(eq.dy2 / eq.dh2 - eq.kappa * eq.dh2,
                    eq.dh2, eq.dy2, eq.dx2, eq.tau_h, eq.tau_y)  # fmt: skip


def velocity(state: State, task: TwoPoint, rates: Rates) -> Variables:
    """The right-hand side of eq. (7) at a state, per epoch; shapes as in `state`."""
    return Variables(*_FIELD(*state, task.dx2, task.dy2_target, rates.tau_h, rates.tau_y))


def integrate(
    state: State,
    task: TwoPoint,
    rates: Rates,
    t: ArrayLike,
    *,
    coordinates: str = "printed",
    rtol: float = 1e-12,
) -> State:
    """Solve eq. (7) with SciPy, in the variables it is "printed" in or "lifted" (E0).

    `state` is the state at epoch 0; t: (n,) epochs, increasing. Returns a State of (n,) arrays.
    `rtol` is the solver's relative tolerance; its absolute one is the rounding of w, 1e-16 ‖dy*‖².
    As printed, raises SingularSystem where the solver gives up or what (7) conserves, eq. (24), is
    lost, as can happen where ‖dh‖² touches zero; lifted, there is nothing singular. ValueError or
    TypeError for bad input.
    """
    t = times(t)
    if coordinates not in ("printed", "lifted"):
        raise ValueError(f"coordinates must be 'printed' or 'lifted', got {coordinates!r}")
    start = np.array(checked_start(state, task, rates))
    if coordinates == "lifted":
        return _integrate_lifted(start, task, rates, t, rtol)
    constants = (task.dx2, task.dy2_target, rates.tau_h, rates.tau_y)
    if t[-1] == 0:
        return State(*start[:, None])
    # w ends as a difference of numbers of the size of ‖dy*‖²: its last digits are noise to step over.
    tolerance = np.array([0.0, 0.0, 1e-16 * task.dy2_target]) + np.finfo(float).tiny
    field = lambda dh2, dy2, w: _FIELD(dh2, dy2, w, *constants)
    stuck = _advice(start)
    result = lsoda(field, start, t, rtol=rtol, atol=tolerance, stuck=stuck, most=MOST_EVALUATIONS)
    _require_conserved(result, start, task, rates, tolerance=max(1e-6, 1e3 * rtol))
    return State(result.y[0], np.maximum(result.y[1], 0.0), result.y[2])


def lsoda(field, start: np.ndarray, t: np.ndarray, *, rtol: float, atol, stuck: str, most: int):
    """SciPy's LSODA solution of start' = field(*start) at times t, as `scipy.integrate.solve_ivp` returns it.

    Steps that overflow are rejected without a warning; the caller looks at `result.success`. Raises
    SingularSystem, which ends with the words `stuck`, after `most` evaluations of the field.
    """
    from scipy.integrate import solve_ivp

    evaluations = count(1)

    def counted(time, variables):
        if next(evaluations) > most:
            raise SingularSystem(f"integration got stuck near t = {time:.6g}: {stuck}")
        return field(*variables)

    with np.errstate(all="ignore"), warnings.catch_warnings():
        # LSODA also warns where it gives up, which `result.success` says.
        warnings.filterwarnings("ignore", message="lsoda", category=UserWarning)
        return solve_ivp(counted, (0.0, t[-1]), start, method="LSODA", t_eval=t, rtol=rtol, atol=atol)


def _integrate_lifted(start, task: TwoPoint, rates: Rates, t: np.ndarray, rtol: float) -> State:
    """(E0) from the same start; u may change its sign, ‖dh‖² = u² does not feel it."""
    dh2, dy2, w = start
    target, u = sqrt(task.dy2_target), sqrt(dh2)
    along = (dy2 - w) / target if target else sqrt(dy2)
    across = sqrt(max(dy2 - along**2, 0.0))
    if t[-1] == 0:
        return State(*start[:, None])
    constants = (task.dx2, task.dy2_target, rates.tau_h, rates.tau_y)
    lifted = np.array([u, along / u, across / u])
    # Each may pass through zero: relative to what it was, or to the largest where it was nothing.
    tolerance = 1e-3 * rtol * np.where(lifted == 0, np.abs(lifted).max(), np.abs(lifted))
    field = lambda u, along, across: _LIFTED(u, along, across, *constants)
    stuck = f"started from {lifted}"
    result = lsoda(field, lifted, t, rtol=rtol, atol=tolerance, stuck=stuck, most=MOST_EVALUATIONS)
    if not result.success:
        raise ArithmeticError(f"integration of (E0) stopped near t = {result.t[-1]:.6g}: {result.message}")
    u, along, across = result.y
    return State(u**2, u**2 * (along**2 + across**2), u * along * (u * along - target) + (u * across) ** 2)


def _advice(start) -> str:
    return (
        "eq. (7) is singular where dh2 touches zero; started from dh2 = {:.3g}, dy2 = {:.3g}, "
        "w = {:.3g}; coordinates='lifted' or urep.solve pass through".format(*start)
    )


def _require_conserved(result, start, task: TwoPoint, rates: Rates, tolerance: float) -> None:
    """Raise SingularSystem unless the solver arrived, with (24) and Cauchy-Schwarz intact."""
    dh2, dy2, w = result.y
    reached = result.t[-1] if len(result.t) else 0.0
    advice = _advice(start)
    if not result.success or (dh2 <= 0).any():
        raise SingularSystem(f"integration stopped near t = {reached:.6g}: {advice}")
    level = _LEVEL(dh2, dy2, task.dx2, rates.tau_h, rates.tau_y)
    size = np.abs(dy2) / dh2 + rates.tau_h / (rates.tau_y * task.dx2) * dh2
    drift = np.abs(level - _LEVEL(start[0], start[1], task.dx2, rates.tau_h, rates.tau_y))
    excess = np.abs(dy2 - w) - np.sqrt(np.maximum(dy2, 0) * task.dy2_target)
    allowed = max(tolerance, 2 * INPUT_TOLERANCE) * (start[1] + task.dy2_target)
    lost = (drift > tolerance * np.maximum(size, size[0])) | (excess > allowed)
    if lost.any():
        raise SingularSystem(f"integration lost eq. (24) at t = {result.t[np.argmax(lost)]:.6g}: {advice}")


# --- what follows from it -------------------------------------------------------------------

_REGIMES = eq.numeric(eq.paper[11].rhs, eq.dh2_0, eq.dy2_0, eq.dx2, eq.dy2_target, eq.tau_h, eq.tau_y)
_FINAL = eq.numeric(eq.paper[10].rhs, eq.A_high, eq.A_low)
_FORMS = {
    sign: eq.numeric(eq.book[f"39{sign}"].rhs, eq.t, eq.dh2_0, eq.dy2_0, eq.A_high, eq.tau_y) for sign in "+-"
}
_LOSS = eq.numeric(eq.paper[9].rhs, eq.t, eq.dy2, eq.w, eq.dy2_target, eq.tau_mean, eq.mean_error2)


def regimes(state: State, task: TwoPoint, rates: Rates) -> tuple[float | np.ndarray, float]:
    """(A_high, A_low) of eq. (11), in units of ‖dh‖²; A_high is (m,) for a batch of (m,) starts.

    Raises ValueError or TypeError for bad input.
    """
    dh2, dy2, _ = checked_start(state, task, rates, batch=True)
    high, low = _REGIMES(dh2, dy2, task.dx2, task.dy2_target, rates.tau_h, rates.tau_y)
    return (high if np.ndim(high) else float(high)), float(low)


def final_distance(state: State, task: TwoPoint, rates: Rates) -> float | np.ndarray:
    """‖dh(∞)‖², eq. (10), the squared distance; (m,) for a batch of (m,) starts.

    Raises ValueError or TypeError for bad input.
    """
    end = _end(*regimes(state, task, rates))
    return end if np.ndim(end) else float(end)


def final_distances(
    dh2: ArrayLike, dy2: ArrayLike, dx2: ArrayLike, dy2_target: ArrayLike, rates: Rates
) -> np.ndarray:
    """‖dh(∞)‖², eq. (10), of many pairs at once: arrays of one shape, each pair with its own distances.

    dh2 and dy2 are those at the start. Raises ValueError for a distance that is negative or not finite,
    or that is zero where (11) divides by it.
    """
    columns = np.broadcast_arrays(*(np.asarray(z, dtype=float) for z in (dh2, dy2, dx2, dy2_target)))
    for name, column in zip(("dh2", "dy2", "dx2", "dy2_target"), columns, strict=True):
        strict = name in ("dh2", "dx2")
        wrong = ~np.isfinite(column) | (column <= 0 if strict else column < 0)
        if wrong.any():
            allowed = "> 0" if strict else ">= 0"
            raise ValueError(f"{name} must be finite and {allowed}, got {_first(column, wrong)}")
    return _end(*_REGIMES(*columns, rates.tau_h, rates.tau_y))


def _end(high: ArrayLike, low: ArrayLike) -> np.ndarray:
    """Eq. (10), without the cancellation that it has for A_high < 0."""
    larger = _FINAL(np.abs(high), low)
    # There (10) subtracts two near-equal numbers; the other root of the quadratic does not.
    return np.where(np.asarray(high) >= 0, larger, np.square(low) / np.where(larger > 0, larger, 1.0))


def identical_outputs(state: State, task: TwoPoint, rates: Rates, t: ArrayLike) -> State:
    """Solution for identical targets, eqs. (39)-(40), for either sign of A_high and for zero.

    t: (n,) epochs, increasing. Returns a State of (n,) arrays with w = ‖dy‖². Raises ValueError
    when dy2_target is not zero; ValueError or TypeError for other bad input.
    """
    t = times(t)
    dh2, dy2, _ = checked_start(state, task, rates)
    if task.dy2_target != 0:
        raise ValueError(f"dy2_target must be 0 for eqs. (39)-(40), got {task.dy2_target!r}")
    high, _ = regimes(state, task, rates)
    form = _FORMS["+" if high >= 0 else "-"]
    with np.errstate(under="ignore"):
        h, y = form(t, dh2, dy2, high, rates.tau_y)
    return State(h, y, y)


def loss(
    trajectory: State, task: TwoPoint, t: ArrayLike, *, tau_mean: float, mean_error2: float
) -> np.ndarray:
    """Training loss (n,) of eq. (9) along a trajectory; t: (n,) epochs.

    tau_mean in epochs, mean_error2 = ‖ȳ(0) − ȳ*‖². Raises ValueError or TypeError for bad input.
    """
    t = checked_trajectory(trajectory, t)
    tau_mean = real_number("tau_mean", tau_mean, strict=True)
    mean_error2 = real_number("mean_error2", mean_error2, strict=False)
    return _LOSS(t, trajectory.dy2, trajectory.w, task.dy2_target, tau_mean, mean_error2)

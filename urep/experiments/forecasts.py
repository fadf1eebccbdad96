"""Forecasts of where training ends, told by the outputs instead of the clock.

Along gradient flow ‖dh‖² is a function of v = dy alone, and time appears nowhere in it: a network stopped at
v is one that was trained to the end on targets v apart. What a theory says about the end is then one curve,
H(v) = ‖dh‖², through the beginning of a run, and its only constants are the ratio of its two rates and its
exponents. Every theory and every null here gets the same beginning: v from t₁, where the mean is learned,
up to a share of dy*.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType

import numpy as np
from scipy.interpolate import PchipInterpolator

from ..exact import sensitivities
from ..fit import mean_learned
from ..growth import ACROSS, Lengths, exponents
from ..state import Rates, Run, State, TwoPoint
from ..theory import final_distance
from .angles import look
from .held_out import learned_share
from .trial import Trial

Arrays = dict[str, np.ndarray]

SHARE = 0.2
"""Share of dy* that is learned where a forecast is asked for."""

POINTS = 40
"""Values of v, evenly spaced, at which a curve is compared with the beginning of a run."""

RATIOS = np.exp(np.linspace(-9, 7, 33))
"""Ratios k_h/k_y that a fit looks through; between them it interpolates."""

STEPS = np.r_[0.0, np.geomspace(1e-4, 1.0, 80)]
"""Places on the way from the start's v to dy*, from 0 to 1, between which a path takes one step."""

FAMILY = (-0.5, 0.65)
"""(α, β) of deep rectified networks, read off seeds 0 to 2 of Default and ReLU before any other row."""

LEARNED = 1e-3
"""Loss below which a run counts as having learned."""


# --- what is known of a run -----------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Case:
    """A run of Table 1 and its lengths and angle before training."""

    row: str
    seed: int
    run: Run
    birth: Lengths

    @property
    def target(self) -> float:
        """‖dy*‖."""
        return self.run.task.dy2_target**0.5

    @property
    def end(self) -> float:
        """‖dh‖² at the end of training."""
        return float(self.run.trajectory.dh2[-1])


def is_learned(run: Run) -> bool:
    """Whether a run has learned its targets and its mean, so that there is an end to be forecast."""
    return bool(run.stopped != "diverged" and run.loss[-1] < LEARNED and mean_learned(run) is not None)


class Curve:
    """‖dh‖² of a run as a function of v = dy along dy*, from t₁ on; `first` is v at t₁.

    Rows at which v is not the largest so far are left out; between rows the curve is smooth, and monotone
    where they are. Raises ValueError where the mean is not learned.
    """

    def __init__(self, run: Run):
        begin = mean_learned(run)
        if begin is None:
            raise ValueError("run must have learned its mean, which this one has not")
        rows = run.t >= begin
        v = learned_share(run.trajectory, run.task.dy2_target)[rows] * run.task.dy2_target**0.5
        new = np.r_[True, v[1:] > np.maximum.accumulate(v)[:-1]]
        self._v, self._dh2 = v[new], run.trajectory.dh2[rows][new]
        self._between = PchipInterpolator(self._v, self._dh2)
        self.first = float(self._v[0])

    def __call__(self, v: np.ndarray | float) -> np.ndarray:
        """‖dh‖² at outputs v; outside of the run that of its nearest row."""
        return self._between(np.clip(v, self._v[0], self._v[-1]))

    def until(self, v: float) -> tuple[np.ndarray, np.ndarray]:
        """POINTS outputs from `first`, or from half of v where that is less, to v; ‖dh‖² there."""
        at = np.linspace(min(self.first, v / 2), v, POINTS)
        return at, self(at)


def births(trial: Trial) -> Arrays:
    """u, r and the cosine of their angle before training; nothing is trained."""
    data = trial.data()
    network = trial.network(data)
    seen = look(network, data, network.middle)
    u, r = np.linalg.norm(seen.dh), np.linalg.norm(seen.gradient)
    return {"birth": np.array([u, r, seen.dh @ seen.gradient / (u * r)])}


# --- theories ----------------------------------------------------------------------------------------


def end_of_line(v: np.ndarray, dh2: np.ndarray, target: float, *, ratio: float | None = None) -> float:
    """H at v = `target` of the conic H² − ratio v² = a H + b through points (v, H), by least squares.

    With constant rates every solution lies on one, whatever the angle: ratio = k_h/k_y, which may be known.
    NaN where the conic does not reach the target.
    """
    columns, wanted = [dh2, np.ones_like(dh2)], dh2**2
    if ratio is None:
        columns.append(v**2)
    else:
        wanted = wanted - ratio * v**2
    slope, level, *found = np.linalg.lstsq(np.column_stack(columns), wanted)[0]
    square = slope**2 + 4 * (level + (found[0] if found else ratio) * target**2)
    return float((slope + square**0.5) / 2) if square >= 0 else np.nan


@dataclass(frozen=True)
class Paths:
    """Paths of some starts with some ratios: v (rows, starts), dh2 and cosine (rows, starts, ratios)."""

    v: np.ndarray
    dh2: np.ndarray
    cosine: np.ndarray


def paths(
    starts: Sequence[Lengths],
    targets: Sequence[float],
    alpha: float,
    beta: float,
    ratios: np.ndarray,
    *,
    across: str = "inherited",
) -> Paths:
    """(E40) with v for the clock: u, r and θ from each start to v = dy*, for each ratio k_h/k_y.

    ratios: (ratios,), or (starts, ratios) where each start has its own. The rates are k_h u^α and k_y r^β,
    those across as `growth.Growth` has them. Fourth-order steps between STEPS, all paths at once.
    """
    if across not in ACROSS:
        raise ValueError(f"across must be one of {', '.join(ACROSS)}; got {across!r}")
    u, r, cosine = np.array([[*start] for start in starts], dtype=float).T[:, :, None]
    first, size = u * r * cosine, np.asarray(targets, dtype=float)[:, None] - u * r * cosine
    v = first[:, 0] + STEPS[:, None] * size[:, 0]
    if alpha == beta == 0:
        return _conics(u, r, cosine, v, np.atleast_2d(ratios))
    log_ratio = np.log(np.atleast_2d(ratios))
    shape = np.broadcast_shapes(u.shape, log_ratio.shape)
    born = np.stack([np.broadcast_to(z, shape) for z in (np.log(u), np.log(r))])
    tangent = np.broadcast_to(np.sqrt((1 - cosine) / (1 + cosine)), shape)  # of θ/2
    field = partial(
        _per_output, born=born, log_ratio=log_ratio, powers=(alpha, beta), inherited=across == "inherited"
    )
    x = np.stack([*born, tangent])
    rows = [x]
    for step in np.diff(STEPS):
        h = step * size
        one = field(x)
        two = field(x + h / 2 * one)
        three = field(x + h / 2 * two)
        x = x + h / 6 * (one + 2 * two + 2 * three + field(x + h * three))
        x[2] = np.maximum(x[2], 0)
        rows.append(x)
    log_u, _, tangent = np.moveaxis(np.array(rows), 1, 0)
    return Paths(v, np.exp(2 * log_u), (1 - tangent**2) / (1 + tangent**2))


def _conics(u, r, cosine, v, ratios) -> Paths:
    """The paths of constant rates, in closed form: H² − ratio v² = c H + (C² − c²)/4."""
    c = u**2 - ratios * r**2
    sum2 = (u**2 + ratios * r**2) ** 2 - 4 * ratios * (u * r * cosine) ** 2  # C²
    root = np.sqrt(np.maximum(sum2 + 4 * ratios * v[:, :, None] ** 2, 0))
    dh2, slope2 = (root + c) / 2, (root - c) / (2 * ratios)
    return Paths(v, dh2, np.clip(v[:, :, None] / np.sqrt(dh2 * slope2), -1, 1))


def _per_output(x, *, born, log_ratio, powers, inherited) -> np.ndarray:
    """Derivatives by v of log u, log r and tan θ/2, where k_y = 1 and k_h is the ratio."""
    log_u, log_r, tangent = x
    square = 1 + tangent**2
    cosine, sine2 = (1 - tangent**2) / square, (2 * tangent / square) ** 2
    encoder = np.exp(log_ratio + powers[0] * log_u + log_r - log_u)  # K_h r/u
    decoder = np.exp(powers[1] * log_r + log_u - log_r)  # K_y u/r
    turn = encoder + decoder
    if inherited:
        turn = encoder * _inherited(log_u - born[0], powers[0]) + decoder * _inherited(
            log_r - born[1], powers[1]
        )
    along = encoder + decoder
    gain = np.exp(log_u + log_r) * (along * cosine**2 + turn * sine2)  # dv/ds, where ds = −e dt
    return np.stack([encoder * cosine, decoder * cosine, -tangent * turn]) / gain


def _inherited(grown: np.ndarray, exponent: float) -> np.ndarray:
    """γ = K⊥/K∥ of a map that has grown by exp(grown), as in `growth.Growth`."""
    return _phi(-2 * grown) / _phi(-(2 - exponent) * grown)


def _phi(z: np.ndarray) -> np.ndarray:
    small = np.abs(z) < 1e-6
    return np.where(small, 1 + z / 2, np.expm1(z) / np.where(small, 1.0, z))


# --- forecasts of the end ---------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Ends:
    """Forecast ‖dh‖² at the end, and fitted log ratio k_h/k_y, (cases,) each; NaN where there is none."""

    dh2: np.ndarray
    log_ratio: np.ndarray


def ends_by_paths(
    cases: Sequence[Case],
    powers: tuple[float, float],
    *,
    share: float = SHARE,
    ratio: np.ndarray | float | None = None,
    aligned: bool = False,
) -> Ends:
    """The ends of rates with two exponents, the ratio fitted to each beginning, or given.

    A path starts from the lengths and the angle before training; `aligned` starts it at t₁ instead, from
    ‖dh‖ and dy alone and with no angle, which for exponents of zero is (7). Raises ValueError where both
    are asked for.
    """
    if aligned and ratio is not None:
        raise ValueError("ratio must be None for aligned paths, which begin where a fit does")
    given = ratio is not None
    curves = [] if given else [Curve(case.run) for case in cases]
    starts = [_aligned(curve) for curve in curves] if aligned else [case.birth for case in cases]
    ratios = np.broadcast_to(ratio, len(cases)).reshape(-1, 1) if given else RATIOS
    found = paths(starts, [case.target for case in cases], *powers, ratios)
    last = found.dh2[-1]
    if given:
        return Ends(last[:, 0], np.log(ratios[:, 0]))
    best = [
        _best(_misses(found, n, *curve.until(share * case.target)), last[n])
        for n, (curve, case) in enumerate(zip(curves, cases, strict=True))
    ]
    return Ends(*np.transpose(best))


def _aligned(curve: Curve) -> Lengths:
    dh = float(curve(curve.first)) ** 0.5
    return Lengths(dh, max(abs(curve.first), 1e-6) / dh, 1.0)


def _misses(found: Paths, n: int, v: np.ndarray, dh2: np.ndarray) -> np.ndarray:
    """Sum of squares between the paths of start n and a beginning, for each ratio."""
    curves = found.dh2[:, n, :]
    place = np.interp(v, found.v[:, n], np.arange(len(curves)))
    low = np.minimum(place.astype(int), len(curves) - 2)
    part = (place - low)[:, None]
    return (((1 - part) * curves[low] + part * curves[low + 1] - dh2[:, None]) ** 2).sum(axis=0)


def _best(misses: np.ndarray, ends: np.ndarray) -> tuple[float, float]:
    """The end and the log ratio at the lowest point of a parabola through the three best ratios."""
    k, logs = int(np.argmin(misses)), np.log(RATIOS)
    if not 0 < k < len(misses) - 1:
        return float(ends[k]), float(logs[k])
    left, middle, right = misses[k - 1 : k + 2]
    at = logs[k] + (logs[1] - logs[0]) * (left - right) / (2 * (left - 2 * middle + right))
    return float(np.exp(np.interp(at, logs, np.log(ends)))), float(at)


def ends_by_line(cases: Sequence[Case], *, share: float = SHARE) -> Ends:
    """The ends of constant rates, whatever the angle: the conic with three constants through a beginning."""
    found = [end_of_line(*Curve(case.run).until(share * case.target), case.target) for case in cases]
    return Ends(np.array(found), np.full(len(cases), np.nan))


# --- nulls -------------------------------------------------------------------------------------------


def ends_by_proportion(cases: Sequence[Case], *, share: float = SHARE) -> Ends:
    """‖dh‖² goes on growing with v as it did from t₁ on."""
    return _by_curve(cases, lambda h, v, d: h(v) + (h(v) - h(h.first)) * (d - v) / (v - h.first), share)


def ends_by_power(cases: Sequence[Case], *, share: float = SHARE) -> Ends:
    """‖dh‖² goes on growing with the power of v by which it grew from half of the share to the share."""
    return _by_curve(cases, lambda h, v, d: h(v) * (h(v) / h(v / 2)) ** (np.log(d / v) / np.log(2)), share)


def ends_by_last(cases: Sequence[Case], *, share: float = SHARE) -> Ends:
    """‖dh‖² stays as it is."""
    return _by_curve(cases, lambda h, v, d: h(v), share)


def ends_by_others(cases: Sequence[Case], others: Sequence[Case], *, share: float = SHARE) -> Ends:
    """‖dh‖² goes on growing by the factor by which it typically grew in other runs."""
    factor = np.median([case.end / Curve(case.run)(share * case.target) for case in others])
    return _by_curve(cases, lambda h, v, d: factor * h(v), share)


def _by_curve(cases: Sequence[Case], rule: Callable, share: float) -> Ends:
    ends = [float(rule(Curve(case.run), share * case.target, case.target)) for case in cases]
    return Ends(np.array(ends), np.full(len(cases), np.nan))


def log_errors(cases: Sequence[Case], ends: Ends) -> np.ndarray:
    """|log| of forecast over measured final ‖dh‖², (cases,); log 10 where there is no forecast."""
    ratio = ends.dh2 / np.array([case.end for case in cases])
    good = np.isfinite(ratio) & (ratio > 0)
    return np.where(good, np.abs(np.log(np.where(good, ratio, 1.0))), np.log(10.0))


# --- one table ---------------------------------------------------------------------------------------


def _by_depth(cases: Sequence[Case], *, share: float = SHARE, fitted: bool = False) -> Ends:
    a, b = matrices(cases[0].row)
    return ends_by_paths(cases, exponents(a, b), share=share, ratio=None if fitted else a / b)


def matrices(row: str) -> tuple[int, int]:
    """Numbers of matrices before and behind the layer that the paper reads, of a row of Table 1."""
    from .tables import TABLE_1

    hidden = TABLE_1[row].hidden_layers
    return hidden // 2 + 1, hidden - hidden // 2


@dataclass(frozen=True)
class Forecaster:
    """A theory or a null of the table: how many constants it fits to a beginning, and how it forecasts."""

    constants: int
    ends: Callable[..., Ends]


THEORIES: Mapping[str, Forecaster] = MappingProxyType({
    "(7)": Forecaster(1, partial(ends_by_paths, powers=(0.0, 0.0), aligned=True)),
    "rotation": Forecaster(1, partial(ends_by_paths, powers=(0.0, 0.0))),
    "rotation, a line": Forecaster(3, ends_by_line),
    "depth, nothing fitted": Forecaster(0, _by_depth),
    "depth, the ratio fitted": Forecaster(1, partial(_by_depth, fitted=True)),
    "exponents of the family": Forecaster(1, partial(ends_by_paths, powers=FAMILY)),
})  # fmt: skip
"""Theories by name; each is given the cases of one row."""

NULLS: Mapping[str, Forecaster] = MappingProxyType({
    "proportion": Forecaster(0, ends_by_proportion),
    "power": Forecaster(0, ends_by_power),
    "last value": Forecaster(0, ends_by_last),
})  # fmt: skip
"""Predictors that know the beginning and no theory."""


RECTIFIED = ("Default", "Narrow", "ReLU", "Low initial weights")
"""Rows of deep fully connected rectified networks: those of the family."""


def choice(row: str) -> str:
    """The theory that forecasts a row, by architecture alone: growing rates where gates are, else a line."""
    return "exponents of the family" if row in RECTIFIED else "rotation, a line"


def ends_by_choice(cases: Sequence[Case], *, share: float = SHARE) -> Ends:
    """The ends of one row's cases by the theory of `choice`."""
    return THEORIES[choice(cases[0].row)].ends(cases, share=share)


# --- error bars --------------------------------------------------------------------------------------


def standard_errors(start: State, task: TwoPoint, rates: Rates, t: np.ndarray) -> tuple[float, float]:
    """Standard errors of log Ω and of log ‖dh(∞)‖², for a noise of one on each number of (7)'s curves.

    From the Fisher information of the two time constants in curves at epochs t (n,), by `sensitivities`.
    Ω is the rate of escape from small weights, ‖dx‖‖dy*‖/√(τ_h τ_y).
    """
    by_h, by_y = (np.concatenate([*part]) for part in sensitivities(start, task, rates, t))
    slopes = np.column_stack([rates.tau_h * by_h, rates.tau_y * by_y])
    covariance = np.linalg.inv(slopes.T @ slopes)
    step = 1e-4
    wider, narrower = (Rates(rates.tau_h, rates.tau_y * np.exp(sign * step)) for sign in (1, -1))
    more, less = (final_distance(start, task, one) for one in (wider, narrower))
    per_ratio = np.log(more / less) / (2 * step)
    of_speed, of_end = np.array([-0.5, -0.5]), per_ratio * np.array([-1.0, 1.0])
    return tuple(float(np.sqrt(way @ covariance @ way)) for way in (of_speed, of_end))


def band(errors: np.ndarray, level: float = 0.9) -> float:
    """The size that a share of known errors of the log stays below: half the width of an error bar."""
    return float(np.quantile(errors, level, method="higher"))


# --- other tasks -------------------------------------------------------------------------------------


def end_of_other_target(run: Run, target: float) -> float:
    """‖dh‖² at v = `target` on a run's way to farther targets: where training on such targets ends."""
    return float(Curve(run)(target))


def ends_of_other_tasks(cases: Sequence[Case], powers: tuple[float, float], log_ratio: float) -> Ends:
    """The ends of cases with other distances, by the ratio at ‖dx‖ = 1 and each case's own birth.

    If the encoder is homogeneous, a factor on the inputs is one on dh, and K_h takes its square: with
    K_h = k_h u^α, k_h is in proportion to ‖dx‖^(2 − α).
    """
    sizes = np.array([case.run.task.dx2 for case in cases]) ** 0.5
    return ends_by_paths(cases, powers, ratio=np.exp(log_ratio) * sizes ** (2 - powers[0]))

"""Forecasts of where training ends, told by the outputs instead of the clock.

Along gradient flow ‖dh‖² is a function of v = dy alone, and time appears nowhere in it: a network stopped at
v is one that was trained to the end on targets v apart. What a theory says about the end is then one curve,
H(v) = ‖dh‖², through the beginning of a run, and its only constants are the ratio of its two rates and its
exponents. Every theory and every null here gets the same beginning: v from t₁, where the mean is learned,
up to a share of dy*.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import astuple, dataclass, replace
from functools import cached_property, partial
from types import MappingProxyType
from typing import Any, Protocol

import numpy as np
from scipy.interpolate import PchipInterpolator
from scipy.optimize import least_squares, minimize_scalar, nnls

from ..carry import rise
from ..exact import sensitivities
from ..fit import mean_learned
from ..growth import Growth, GrowthFit, Lengths, _constants, exponents, fit_rates, integrate
from ..state import Rates, Run, State, TwoPoint, Variables
from ..theory import final_distance
from .angles import look
from .held_out import learned_share, unexplained
from .tables import Row
from .trial import Trial

Arrays = dict[str, np.ndarray]

SHARE = 0.2
"""Share of dy* that is learned where a forecast is asked for."""

POINTS = 40
"""Values of v, evenly spaced, at which a curve is compared with the beginning of a run."""

RATIOS = np.exp(np.linspace(-9, 7, 33))
"""Ratios k_h/k_y that a fit looks through; between them it interpolates, which moves ends by a few percent.

The claims up to seeds 300 to 319 stand with these; later ones look twice."""

WIDE = np.exp(np.linspace(-25, 23, 49))
"""Ratios that a fit looks through first where it looks twice."""

NEAR = np.linspace(-1.5, 1.5, 25)
"""Where it looks then: logarithms around the best, in steps of WIDE."""

STEPS = np.r_[0.0, np.geomspace(1e-4, 1.0, 80)]
"""Places on the way from the start's v to dy*, from 0 to 1, between which a path takes one step."""

FAMILY = (-0.5, 0.65)
"""(α, β) of deep rectified networks, read off seeds 0 to 2 of Default and ReLU before any other row.

The first claims stand with these; `family_exponents` computes what later ones use."""

ANY_TASK = TwoPoint(1.0, 1.0)
"""A task for what does not depend on the target."""

LEARNED_LOSS = 1e-3
"""Loss below which a run counts as having learned."""


# --- what is known of a run -----------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Case:
    """A run of Table 1 and its lengths and angle before training.

    `begin` is of the same at t₁, where that was looked at: paths then begin there, and shares count from
    there. Without it paths begin at birth, and shares are of the whole of dy*.
    """

    row: str
    seed: int
    run: Run
    birth: Lengths
    begin: Lengths | None = None

    @property
    def target(self) -> float:
        """‖dy*‖."""
        return self.run.task.dy2_target**0.5

    @property
    def end(self) -> float:
        """‖dh‖² at the end of training."""
        return float(self.run.trajectory.dh2[-1])

    @property
    def start(self) -> Lengths:
        """Where a path begins: at t₁ where that was looked at, else at birth."""
        return self.birth if self.begin is None else self.begin

    @cached_property
    def curve(self) -> Curve:
        """‖dh‖² as a function of v from t₁ on; raises ValueError where the mean is not learned."""
        return Curve(self.run)

    def asked(self, share: float) -> float:
        """The v at which a share is learned: of dy*, or of what is left of it at t₁ if `begin` is known."""
        first = 0.0 if self.begin is None else self.curve.first
        return first + share * (self.target - first)

    def beginning(self, share: float) -> tuple[np.ndarray, np.ndarray]:
        """POINTS outputs v up to a share, and ‖dh‖² there: what every forecast is told."""
        v, first = self.asked(share), self.curve.first
        at = np.linspace(first if self.begin is not None else min(first, v / 2), v, POINTS)
        return at, self.curve(at)


def is_learned(run: Run) -> bool:
    """Whether a run has learned its targets and its mean, so that there is an end to be forecast."""
    return bool(run.stopped != "diverged" and run.loss[-1] < LEARNED_LOSS and mean_learned(run) is not None)


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
    ends = np.roots([1.0, -slope, -(level + (found[0] if found else ratio) * target**2)])
    return float(ends.max()) if np.isrealobj(ends) else np.nan


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
    births: Sequence[Lengths] | None = None,
) -> Paths:
    """(E40) with v for the clock: u, r and θ from each start to v = dy*, for each ratio k_h/k_y.

    ratios: (ratios,), or (starts, ratios) where each start has its own. The rates are k_h u^α and k_y r^β,
    those across as `growth.Growth` has them, which may be by the lengths at birth; by default those of the
    start. Fourth-order steps between STEPS. Raises ValueError as `growth.Growth` does.
    """
    from .path_kernel import follow  # numba is loaded by what integrates

    births = starts if births is None else births
    first = np.array([one.u * one.r * one.cosine for one in starts])
    widths = np.diff(STEPS) * (np.asarray(targets, dtype=float) - first)[:, None]
    ratios = np.broadcast_to(np.atleast_2d(ratios), (len(starts), np.shape(ratios)[-1]))
    rows = np.empty((*ratios.shape, STEPS.size, 3))
    for n, (start, birth) in enumerate(zip(starts, births, strict=True)):
        x = np.array([np.log(start.u), np.log(start.r), (1 - start.cosine) / (1 + start.cosine)])
        k = _constants(Growth(1.0, 1.0, alpha, beta, across, (birth.u, birth.r)), start, ANY_TASK)
        follow(x, widths[n], ratios[n], k, rows[n])
    log_u, _, tangent2 = np.moveaxis(rows, (2, 0, 1, 3), (1, 2, 3, 0))
    v = first + np.r_[np.zeros((1, len(starts))), np.cumsum(widths.T, axis=0)]
    return Paths(v, np.exp(2 * log_u), (1 - tangent2) / (1 + tangent2))


# --- forecasts of the end ---------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Ends:
    """Forecast ‖dh‖² at the end, and fitted log ratio k_h/k_y, (cases,) each; NaN where there is none.

    `side` is -1 or 1 where the misses fall to the least or the largest ratio that was looked through, else
    0: such an end is that of one rate alone, and no fit has found it.
    """

    dh2: np.ndarray
    log_ratio: np.ndarray
    side: np.ndarray

    @property
    def is_found(self) -> np.ndarray:
        """Whether each end is not one that a fit ran to the edge for, (cases,)."""
        return self.side == 0


def ends_by_paths(
    cases: Sequence[Case],
    powers: tuple[float, float],
    *,
    share: float = SHARE,
    ratio: np.ndarray | float | None = None,
    aligned: bool = False,
    across: str = "inherited",
    twice: bool = False,
) -> Ends:
    """The ends of rates with two exponents, the ratio fitted to each beginning, or given.

    A fit looks through RATIOS; `twice`, through WIDE and then NEAR the best of these. Where the best is the
    first or the last, `Ends.side` says so. A path starts from the lengths and the angle at t₁, or before
    training where those are not known; `aligned` starts it at t₁ from ‖dh‖ and dy alone and with no angle,
    which for exponents of zero is (7). Raises ValueError where a ratio is given for that.
    """
    if aligned and ratio is not None:
        raise ValueError("ratio must be None for aligned paths, which begin where a fit does")
    starts = [_aligned(case.curve) if aligned else case.start for case in cases]
    births = starts if aligned else [case.birth for case in cases]
    targets = [case.target for case in cases]
    follow = partial(paths, starts, targets, *powers, across=across, births=births)
    if ratio is not None:
        given = np.broadcast_to(ratio, len(cases)).reshape(-1, 1)
        return _of(follow(given).dh2[-1, :, 0], np.log(given[:, 0]))

    def fitted(logs: np.ndarray) -> Ends:
        """The best of log ratios (cases, ratios)."""
        found = follow(np.exp(logs))
        misses = [_misses(found, n, *case.beginning(share)) for n, case in enumerate(cases)]
        best = [_best(*one) for one in zip(misses, found.dh2[-1], logs, strict=True)]
        return Ends(*map(np.array, zip(*best, strict=True)))

    looked = np.log(WIDE if twice else RATIOS)
    first = fitted(np.tile(looked, (len(cases), 1)))
    if not twice:
        return first
    again = fitted(first.log_ratio[:, None] + (looked[1] - looked[0]) * NEAR)
    pairs = zip(astuple(again), astuple(first), strict=True)
    return Ends(*(np.where(first.is_found, late, early) for late, early in pairs))


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


def _best(misses: np.ndarray, ends: np.ndarray, logs: np.ndarray) -> tuple[float, float, int]:
    """The end and the log ratio at the lowest point of a parabola through the three best ratios, and 0.

    Where the best is the first or the last, the end and the ratio there, and the side, -1 or 1.
    """
    k = int(np.argmin(misses))
    if not 0 < k < len(misses) - 1:
        return float(ends[k]), float(logs[k]), 1 if k else -1
    left, middle, right = misses[k - 1 : k + 2]
    at = logs[k] + (logs[1] - logs[0]) * (left - right) / (2 * (left - 2 * middle + right))
    return float(np.exp(np.interp(at, logs, np.log(ends)))), float(at), 0


def ends_by_line(cases: Sequence[Case], *, share: float = SHARE) -> Ends:
    """The ends of constant rates, whatever the angle: the conic with three constants through a beginning."""
    found = [end_of_line(*case.beginning(share), case.target) for case in cases]
    return _of(found)


# --- nulls -------------------------------------------------------------------------------------------


def ends_by_proportion(cases: Sequence[Case], *, share: float = SHARE) -> Ends:
    """‖dh‖² goes on growing with v as it did from t₁ on."""
    return _by_curve(cases, lambda h, v, d: h(v) + (h(v) - h(h.first)) * (d - v) / (v - h.first), share)


def ends_by_power(cases: Sequence[Case], *, share: float = SHARE) -> Ends:
    """‖dh‖² goes on growing with the power of v by which it grew from half of the share to the share.

    Half of the way from t₁ where that is where shares count from.
    """
    return _of([_last_power(case, share) for case in cases])


def _last_power(case: Case, share: float) -> float:
    half, v = case.asked(share / 2), case.asked(share)
    power = np.log(case.curve(v) / case.curve(half)) / np.log(v / half)
    return float(case.curve(v) * (case.target / v) ** power)


def ends_by_last(cases: Sequence[Case], *, share: float = SHARE) -> Ends:
    """‖dh‖² stays as it is."""
    return _by_curve(cases, lambda h, v, d: h(v), share)


def ends_by_others(cases: Sequence[Case], others: Sequence[Case], *, share: float = SHARE) -> Ends:
    """‖dh‖² goes on growing by the factor by which it typically grew in other runs."""
    factor = np.median([case.end / case.curve(case.asked(share)) for case in others])
    return _by_curve(cases, lambda h, v, d: factor * h(v), share)


def ends_by_raised_power(cases: Sequence[Case], *, share: float = SHARE) -> Ends:
    """‖dh‖² = a + b vⁿ through a beginning, by least squares: three constants, a and b not negative."""
    return _of([_raised_power(case, share) for case in cases])


def _raised_power(case: Case, share: float) -> float:
    v, dh2 = case.beginning(share)
    x = np.maximum(v, 0.0) / case.target

    def fitted(power: float) -> tuple[np.ndarray, float]:
        return nnls(np.column_stack([np.ones_like(x), x**power]), dh2)

    power = minimize_scalar(lambda n: fitted(n)[1], bounds=(0.05, 8.0), method="bounded").x
    return float(fitted(power)[0].sum())


def ends_by_logistic(cases: Sequence[Case], *, share: float = SHARE) -> Ends:
    """Where a logistic curve of time ends that goes through ‖dh‖² at t₁: height, place and width fitted.

    It sees the epochs of the beginning, which theories here are not told. Its height is kept below what
    would be a hundred times the last value that it sees.
    """
    return _of([_logistic_end(case, share) for case in cases])


def _logistic_end(case: Case, share: float) -> float:
    rows = case.run.t >= mean_learned(case.run)
    t, dh2 = case.run.t[rows], case.run.trajectory.dh2[rows]
    v = learned_share(case.run.trajectory, case.run.task.dy2_target)[rows] * case.target
    last = max(int(np.argmax(v >= case.asked(share))), 1)
    x = np.linspace(0.0, 1.0, POINTS)
    seen = PchipInterpolator(t, dh2)(t[0] + x * (t[last] - t[0])) / dh2[last]
    low, high = np.log([1e-3, 1e-2, 1e-2]), np.log([100.0, 30.0, 10.0])

    def misfit(logs: np.ndarray) -> np.ndarray:
        return logistic(x, seen[0], *np.exp(np.clip(logs, low, high))) - seen

    starts = [np.log([height, place, 0.15]) for height, place in ((2.0, 0.9), (10.0, 1.5))]
    best = min(
        (least_squares(misfit, z, method="lm", max_nfev=200) for z in starts), key=lambda fit: fit.cost
    )
    return float(dh2[last] * np.exp(np.clip(best.x, low, high)[0]))


def _by_curve(cases: Sequence[Case], rule: Callable, share: float) -> Ends:
    return _of([float(rule(case.curve, case.asked(share), case.target)) for case in cases])


def _of(ends: Sequence[float], log_ratio: np.ndarray | None = None) -> Ends:
    """Ends for which no ratio was fitted."""
    unknown = np.full(len(ends), np.nan)
    return Ends(np.array(ends), unknown if log_ratio is None else log_ratio, np.zeros(len(ends), dtype=int))


def log_errors(cases: Sequence[Case], ends: Ends) -> np.ndarray:
    """|log| of forecast over measured final ‖dh‖², (cases,); log 10 where there is no forecast."""
    ratio = ends.dh2 / np.array([case.end for case in cases])
    good = np.isfinite(ratio) & (ratio > 0)
    return np.where(good, np.abs(np.log(np.where(good, ratio, 1.0))), np.log(10.0))


# --- one table ---------------------------------------------------------------------------------------


def _by_depth(cases: Sequence[Case], *, share: float = SHARE, across="inherited", fitted=False) -> Ends:
    a, b = matrices(cases[0].row)  # at ‖dx‖ = 1, where (E42) has the ratio a/b
    ratio = None if fitted else a / b
    return ends_by_paths(cases, exponents(a, b), share=share, ratio=ratio, across=across)


def matrices(row: str) -> tuple[int, int]:
    """Numbers of matrices before and behind the layer that the paper reads, of a row of Table 1."""
    hidden = _settings(row).hidden_layers
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
    "depth, isometries (E43)": Forecaster(0, _by_depth),
    "depth, isometries, the ratio fitted": Forecaster(1, partial(_by_depth, fitted=True)),
    "depth, random birth (E44)": Forecaster(0, partial(_by_depth, across="random")),
    "depth, random birth, the ratio fitted": Forecaster(1, partial(_by_depth, across="random", fitted=True)),
    "exponents of the family": Forecaster(1, partial(ends_by_paths, powers=FAMILY)),
})  # fmt: skip
"""Theories by name; each is given the cases of one row."""

NULLS: Mapping[str, Forecaster] = MappingProxyType({
    "proportion": Forecaster(0, ends_by_proportion),
    "power": Forecaster(0, ends_by_power),
    "last value": Forecaster(0, ends_by_last),
    "a + b vⁿ": Forecaster(3, ends_by_raised_power),
    "logistic in time": Forecaster(3, ends_by_logistic),
})  # fmt: skip
"""Predictors that know the beginning and no theory."""


# --- rules by architecture ---------------------------------------------------------------------------

GATES = ("leaky_relu", "relu")
"""Nonlinearities that switch a unit: rates of such networks are not those of a product of matrices."""


def has_gates(row: str) -> bool:
    """Whether the units of a row of Table 1 have gates."""
    return _settings(row).nonlinearity in GATES


def is_deep_rectified(row: str) -> bool:
    """Whether a row is a plain chain of more than two layers with gates: no skips, dropout or convolution."""
    settings = _settings(row)
    return has_gates(row) and not settings.also and settings.hidden_layers > 2


def _settings(row: str) -> Row:
    from .tables import TABLE_1

    return TABLE_1[row]


def choice(row: str) -> str:
    """The theory that the first claims forecast a row by: growing rates in deep rectified chains, or a line.

    In convolutional networks, and with skips or dropout, it is the line too.
    """
    return "exponents of the family" if is_deep_rectified(row) else "rotation, a line"


def ends_by_choice(cases: Sequence[Case], *, share: float = SHARE) -> Ends:
    """The ends of one row's cases by the theory of `choice`."""
    return THEORIES[choice(cases[0].row)].ends(cases, share=share)


def ends_by_gates(
    cases: Sequence[Case],
    powers: tuple[float, float],
    *,
    share: float = SHARE,
    twice: bool = False,
) -> Ends:
    """The ends of one row's cases: two exponents and a fitted ratio where units have gates, else (E44).

    The latter has the exponents and the ratio of the row's depth: nothing is fitted, and no share seen.
    """
    if has_gates(cases[0].row):
        return ends_by_paths(cases, powers, share=share, twice=twice)
    return _by_depth(cases, across="random")


# --- constants of whole runs, carried to others -------------------------------------------------------


class Angled(Protocol):
    """A run with looks at its lengths and angle, at birth and at t₁: `runs.AngledRun`."""

    row: str
    run: Run
    t1: float | None
    looks: Any


def grown(one: Angled, **fixed) -> GrowthFit:
    """Growing rates of a whole run from t₁ on: k_h, k_y, α and β, but for what is fixed as in `fit_rates`."""
    t, seen = since_t1(one)
    start, born = (one.looks.lengths(at) for at in (one.t1, 0))
    return fit_rates((t, seen, one.run.task), start, born=born, unconverged="keep", **fixed)


def grown_by_gates(one: Angled) -> GrowthFit:
    """All four numbers where units have gates; else κ alone, with (E44) and the row's depth."""
    fixed = {} if has_gates(one.row) else {"depth": matrices(one.row), "across": "random"}
    return grown(one, **fixed)


def family_exponents(ones: Sequence[Angled]) -> tuple[float, float]:
    """Median α and β of the fits of four numbers to whole runs from t₁ on, of those that converge."""
    fits = [fit for fit in map(grown, ones) if fit.converged]
    return tuple(float(np.median([getattr(fit.rates, name) for fit in fits])) for name in ("alpha", "beta"))


def since_t1(one: Angled) -> tuple[np.ndarray, State]:
    """Epochs since t₁, and the three variables there."""
    rows = one.run.t >= one.t1
    return one.run.t[rows] - one.t1, one.run.trajectory[rows]


def carried_error(one: Angled, rates: Growth) -> float:
    """`unexplained` of a run from t₁ on, by the rates of another run from its own start and birth."""
    t, seen = since_t1(one)
    born = one.looks.lengths(0)
    rates = replace(rates, born=(born.u, born.r))
    told = integrate(one.looks.lengths(one.t1), one.run.task, rates, t).state(one.run.task)
    return unexplained(seen, told)


def logistics(one: Angled) -> np.ndarray:
    """Height, place and width of logistic curves of ‖dh‖² and of dy from t₁ on, (2, 3), by least squares."""
    t, _ = since_t1(one)
    return np.array([_logistic_of(t, curve) for curve in _dh2_and_dy(one)])


def _logistic_of(t: np.ndarray, seen: np.ndarray) -> np.ndarray:
    half = t[np.argmax(seen >= (seen[0] + seen[-1]) / 2)]
    start = [seen[-1], half, max(half, t[1]) / 5]
    scales = np.abs(start) + 1e-9
    return least_squares(lambda z: logistic(t, seen[0], *z) - seen, start, x_scale=scales).x


def logistic(t: np.ndarray, first: float, height: float, place: float, width: float) -> np.ndarray:
    """The logistic curve from `first` at time 0 towards `height`."""
    return first + (height - first) * rise(t, place, width)


def logistic_error(one: Angled, constants: np.ndarray) -> float:
    """`unexplained` of a run from t₁ on, by logistic curves of another run from its own ‖dh‖² and dy."""
    t, seen = since_t1(one)
    dh2, dy = (logistic(t, c[0], *z) for c, z in zip(_dh2_and_dy(one), constants, strict=True))
    return unexplained(seen, Variables(dh2, dy**2, dy * (dy - one.run.task.dy2_target**0.5)))


def _dh2_and_dy(one: Angled) -> tuple[np.ndarray, np.ndarray]:
    _, seen = since_t1(one)
    return seen.dh2, learned_share(seen, one.run.task.dy2_target) * one.run.task.dy2_target**0.5


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


def conformal_band(errors: np.ndarray, level: float = 0.9) -> float:
    """The size that one more error stays below with this probability, if it is one like those that are known.

    The k-th smallest of n, k = ⌈level (n + 1)⌉ (Vovk; Papadopoulos); infinite where n is too small for it.
    """
    rank = int(np.ceil(level * (len(errors) + 1)))
    return float(np.sort(errors)[rank - 1]) if rank <= len(errors) else np.inf


# --- other tasks -------------------------------------------------------------------------------------


def end_of_other_target(run: Run, target: float) -> float:
    """‖dh‖² at v = `target` on a run's way to farther targets: where training on such targets ends."""
    return float(Curve(run)(target))


def ends_of_other_tasks(
    cases: Sequence[Case], powers: tuple[float, float], log_ratio: float, *, across: str = "inherited"
) -> Ends:
    """The ends of cases with other distances, by the ratio at ‖dx‖ = 1 and each case's own birth.

    If the encoder is homogeneous, a factor on the inputs is one on dh, and K_h takes its square: with
    K_h = k_h u^α, k_h is in proportion to ‖dx‖^(2 − α).
    """
    sizes = np.array([case.run.task.dx2 for case in cases]) ** 0.5
    ratio = np.exp(log_ratio) * sizes ** (2 - powers[0])
    return ends_by_paths(cases, powers, ratio=ratio, across=across)

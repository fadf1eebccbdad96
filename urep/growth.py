"""Two lengths and an angle, and rates that grow with the maps: the equations (E40), in numbers.

For scalar outputs let u = ‖dh‖, r = ‖D_y‖ and θ the angle of dh and the decoder's gradient, so that
dy = u r cos θ and e = dy − dy*. With a rate along each vector and one across it,

    u' = −e K_h∥ r cos θ,   r' = −e K_y∥ u cos θ,   θ' = e (K_h⊥ r/u + K_y⊥ u/r) sin θ,

which is (7) where θ = 0 and the rates are constant. Here K_h∥ = k_h u^α and K_y∥ = k_y r^β: a deep linear
network has α = 2 − 2/a and β = 2 − 2/b for a matrices before and b behind the representation, and one
constant. The chapter on growing rates derives that; nothing here needs a network but `measured`.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from itertools import product
from math import inf, log, sqrt

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import least_squares

from .fit import MIN_ROWS, _judged, _require_choice, of_one_layer
from .state import (
    Rates,
    Run,
    State,
    TwoPoint,
    Variables,
    _first,
    checked_trajectory,
    real_number,
    require_sizes,
    times,
)
from .theory import SingularSystem

ACROSS = ("inherited", "same", "random")
"""How a rate across a vector differs from the one along it: by what inner maps were born with, isometries or
wide random matrices, or not at all."""

MOST_STEPS = 20_000
"""Largest number of steps of one integration: a fit steps back from constants that need more."""

MOST_ROWS = 200
"""Rows that a search looks at; residual and R² are those of all rows."""

MAX_LOG_RATE = 60.0
"""Largest |log k| that a fit looks at."""

MAX_EXPONENT = 4.0
"""Largest |α| and |β| that a fit looks at; a deep linear network stays below 2."""


# --- records ------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Lengths:
    """u = ‖dh‖ > 0, r = ‖D_y‖ > 0 and the cosine of their angle: numbers, or arrays of one length.

    `cosine` is positive where dy points towards dy*. Raises TypeError or ValueError naming the argument.
    """

    u: float | np.ndarray
    r: float | np.ndarray
    cosine: float | np.ndarray

    def __post_init__(self):
        for one in fields(self):
            object.__setattr__(self, one.name, self._checked(one.name))
        shapes = {one.name: np.shape(getattr(self, one.name)) for one in fields(self)}
        if len(set(shapes.values())) > 1:
            raise ValueError(f"u, r and cosine must have the same shape, got {shapes}")

    def _checked(self, name: str) -> float | np.ndarray:
        value = getattr(self, name)
        array = np.asarray(value)
        if array.dtype.kind not in "fiu":
            raise TypeError(f"{name} must be real numbers, got {value!r}")
        if array.ndim > 1:
            raise ValueError(f"{name} must be a number or (n,), got shape {array.shape}")
        array = array.astype(float)
        wrong = ~(np.abs(array) <= 1 + 1e-9) if name == "cosine" else ~(np.isfinite(array) & (array > 0))
        if wrong.any():
            allowed = "in [-1, 1]" if name == "cosine" else "finite and > 0"
            raise ValueError(f"{name} must be {allowed}, got {_first(array, wrong)}")
        array = np.array(np.clip(array, -1.0, 1.0)) if name == "cosine" else array
        array.flags.writeable = False
        return array if array.ndim else float(array)

    def __len__(self) -> int:
        if np.ndim(self.u) == 0:
            raise TypeError("these Lengths hold numbers, they have no length")
        return len(self.u)

    def __getitem__(self, index) -> Lengths:
        """The same at one index of the arrays, or at a slice of them."""
        if np.ndim(self.u) == 0:
            raise TypeError("these Lengths hold numbers, they cannot be indexed")
        return Lengths(self.u[index], self.r[index], self.cosine[index])

    def __iter__(self):
        return iter((self.u, self.r, self.cosine))

    @property
    def angle(self) -> float | np.ndarray:
        """θ in degrees."""
        return np.degrees(np.arccos(self.cosine))

    def state(self, task: TwoPoint) -> State:
        """The three variables of (7): dy = u r cos θ along dy*."""
        dy, target = self.u * self.r * self.cosine, sqrt(task.dy2_target)
        return State(self.u**2, dy**2, dy * (dy - target))


@dataclass(frozen=True)
class Growth:
    """K_h∥ = k_h u^α and K_y∥ = k_y r^β, per epoch, k_h > 0 and k_y > 0; and the rates across.

    `across` is one of ACROSS. "same": K⊥ = K∥. "inherited": what lies across keeps what the inner maps were
    born with, so that K⊥/K∥ falls from 1, (E43), here for any exponent. "random": inner maps were born as
    wide random matrices, which raises the rate along the vectors, (E44); exponents in [0, 2). `born` is the
    (u, r) of birth, None for those of the start. Where α = β = 0 the three are one, but at cos θ = ±1, where
    "random" has no angle. Raises TypeError or ValueError naming the argument.
    """

    k_h: float
    k_y: float
    alpha: float = 0.0
    beta: float = 0.0
    across: str = "inherited"
    born: tuple[float, float] | None = None

    def __post_init__(self):
        for name in ("k_h", "k_y"):
            object.__setattr__(self, name, real_number(name, getattr(self, name), strict=True))
        for name in ("alpha", "beta"):
            number = real_number(name, getattr(self, name), least=-inf, strict=False)
            object.__setattr__(self, name, number)
        if self.across not in ACROSS:
            raise ValueError(f"across must be one of {', '.join(ACROSS)}; got {self.across!r}")
        if self.across == "random" and not (0 <= self.alpha < 2 and 0 <= self.beta < 2):
            raise ValueError(f"alpha and beta must be in [0, 2) where across is 'random', got {self}")
        if self.born is not None:
            if len(self.born) != 2:
                raise ValueError(f"born must be (u, r) or None, got {self.born!r}")
            born = tuple(real_number("born", size, strict=True) for size in self.born)
            object.__setattr__(self, "born", born)

    @classmethod
    def depth(
        cls,
        kappa: float,
        *,
        encoder: int,
        decoder: int,
        start: Lengths | None = None,
        dx2: float = 1.0,
        across: str = "inherited",
    ) -> Growth:
        """The rates of a deep linear network with so many matrices before and behind the representation.

        `kappa` is a quarter of the learning rate where the mean is learned, (E42); `start` is what the
        network was born with, by default what it is integrated from; dx2 = ‖dx‖².
        """
        require_sizes(encoder=encoder, decoder=decoder)
        kappa, dx2 = real_number("kappa", kappa, strict=True), real_number("dx2", dx2, strict=True)
        born = None if start is None else (_number(start.u), _number(start.r))
        alpha, beta = exponents(encoder, decoder)
        return cls(encoder * kappa * dx2 ** (1 / encoder), decoder * kappa, alpha, beta, across, born)

    @classmethod
    def paper(cls, rates: Rates, task: TwoPoint) -> Growth:
        """The constant rates of (7): k_h = ‖dx‖²/(2 τ_h), k_y = 1/(2 τ_y)."""
        return cls(task.dx2 / (2 * rates.tau_h), 1 / (2 * rates.tau_y))


def exponents(encoder: int, decoder: int) -> tuple[float, float]:
    """(α, β) = (2 − 2/a, 2 − 2/b) of a deep linear network, (E42)."""
    require_sizes(encoder=encoder, decoder=decoder)
    return 2 - 2 / encoder, 2 - 2 / decoder


def _number(value) -> float:
    if np.ndim(value) != 0:
        raise ValueError(f"start must hold numbers, got arrays of shape {np.shape(value)}")
    return float(value)


# --- integration --------------------------------------------------------------------------------

PARAMETERS = ("k_h", "k_y", "alpha", "beta", "u", "r", "cosine")
"""What `sensitivities` differentiates by: the constants, then the start."""


def integrate(start: Lengths, task: TwoPoint, rates: Growth, t: ArrayLike, *, rtol: float = 1e-10) -> Lengths:
    """The two lengths and the angle at epochs t (n,), increasing, from a start at epoch 0.

    By an explicit Runge-Kutta method of order five (Dormand and Prince) in log u, log r and tan θ/2, in which
    nothing is singular but θ = 180°. Raises SingularSystem where the steps run out, ValueError or TypeError
    for bad input.
    """
    start, t = _checked(start, task, rates), times(t)
    rows = _rows(start, task, rates, t, rtol, with_slopes=False)
    return _lengths(rows[:3])


def sensitivities(
    start: Lengths, task: TwoPoint, rates: Growth, t: ArrayLike, *, rtol: float = 1e-10
) -> dict[str, Variables]:
    """Derivatives of ‖dh‖², ‖dy‖² and w by each of PARAMETERS, at epochs t (n,), by the variational equation.

    Those by the start leave the constants and `born` as they are, unless `born` is None: then they move it
    too. Raises as `integrate` does, and ValueError for a start that is aligned: there the angle grows as the
    root of what the cosine loses, and no derivative by it is finite.
    """
    start, t = _checked(start, task, rates), times(t)
    if start.cosine == 1:
        raise ValueError("start.cosine must be < 1 where derivatives are asked for, got 1")
    rows = _rows(start, task, rates, t, rtol, with_slopes=True)
    _, slopes = _curves_and_slopes(rows, task)
    half = sqrt((1 + start.cosine) / 2)  # cos θ/2: d tan(θ/2)/d cos θ = −1/(4 cos⁴(θ/2) tan(θ/2))
    tangent = _tangent(start.cosine)
    per = {"k_h": 1 / rates.k_h, "k_y": 1 / rates.k_y, "u": 1 / start.u, "r": 1 / start.r}
    per["cosine"] = -1 / (4 * half**4 * tangent)
    return {name: Variables(*(slopes[k] * per.get(name, 1.0))) for k, name in enumerate(PARAMETERS)}


def _checked(start: Lengths, task: TwoPoint, rates: Growth) -> Lengths:
    for name, value, kind in (("start", start, Lengths), ("task", task, TwoPoint), ("rates", rates, Growth)):
        if not isinstance(value, kind):
            raise TypeError(f"{name} must be a {kind.__name__}, got {value!r}")
    if np.ndim(start.u) != 0:
        raise ValueError(f"start must hold numbers, got arrays of shape {np.shape(start.u)}")
    if rates.across == "random" and abs(start.cosine) == 1:
        raise ValueError("start.cosine must be between -1 and 1 where across is 'random', got 1")
    if start.cosine == -1:
        raise ValueError("start.cosine must be > -1: from opposite directions u touches zero, got -1")
    return start


def _tangent(cosine: float) -> float:
    """The tangent of θ/2."""
    return sqrt((1 - cosine) / (1 + cosine))


def _constants(rates: Growth, start: Lengths, task: TwoPoint) -> np.ndarray:
    born = rates.born or (start.u, start.r)
    kind = {"same": 0.0, "inherited": 1.0, "random": 2.0}[rates.across]
    return np.array([
        rates.k_h, rates.k_y, rates.alpha, rates.beta, sqrt(task.dy2_target),
        log(born[0]), log(born[1]), kind, 1.0 if rates.born is None else 0.0,
    ])  # fmt: skip


def _rows(start, task, rates, t, rtol, *, with_slopes: bool) -> np.ndarray:
    """Columns of log u, log r, tan θ/2 and, if wanted, their derivatives by the seven: (3, n) or (24, n)."""
    first = np.array([log(start.u), log(start.r), _tangent(start.cosine)])
    if with_slopes:
        first = np.concatenate([first, np.zeros(21)])
        first[3 + 3 * 4 + 0] = first[3 + 3 * 5 + 1] = first[3 + 3 * 6 + 2] = 1.0
    out = np.empty((t.size, first.size))
    constants = _constants(rates, start, task)
    done = _kernel().runge_kutta(first, t, constants, rtol, out, MOST_STEPS)
    if done < t.size:
        raise SingularSystem(
            f"integration of (E40) got stuck near t = {t[done]:.6g} after {MOST_STEPS} steps, with {rates}"
        )
    return out.T


def _kernel():
    from . import growth_kernel  # numba is loaded by what integrates, and not by what only reads lengths

    return growth_kernel


def _lengths(rows: np.ndarray) -> Lengths:
    tangent2 = rows[2] ** 2
    return Lengths(np.exp(rows[0]), np.exp(rows[1]), (1 - tangent2) / (1 + tangent2))


def _curves_and_slopes(rows: np.ndarray, task: TwoPoint) -> tuple[np.ndarray, np.ndarray]:
    """‖dh‖², ‖dy‖², w (3, n), and their derivatives (7, 3, n) by log k_h, log k_y, α, β and the start."""
    target = sqrt(task.dy2_target)
    tangent = rows[2]
    dh2 = np.exp(2 * rows[0])
    size, cosine = np.exp(rows[0] + rows[1]), (1 - tangent**2) / (1 + tangent**2)
    dy = size * cosine
    curves = np.stack([dh2, dy**2, dy * (dy - target)])
    by_u, by_r, by_tangent = np.moveaxis(rows[3:].reshape(-1, 3, rows.shape[1]), 1, 0)
    d_dy = dy * (by_u + by_r) - size * 4 * tangent / (1 + tangent**2) ** 2 * by_tangent
    return curves, np.stack([2 * dh2 * by_u, 2 * dy * d_dy, (2 * dy - target) * d_dy], axis=1)


# --- fitting ------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class GrowthFit:
    """Fitted rates that grow: `rates`, `residual` (49), `r2` of ‖dh‖², ‖dy‖² and w, `converged`.

    `constants` is how many numbers were fitted; `message` says why a fit did not converge; `predict(t)` is
    the fitted theory, `lengths(t)` its two lengths and the angle; `t` and `seen` are what it was fitted to.
    """

    rates: Growth
    constants: int
    residual: float
    r2: Variables
    converged: bool
    message: str
    start: Lengths
    task: TwoPoint
    t0: float
    t: np.ndarray
    seen: State

    def lengths(self, t: ArrayLike) -> Lengths:
        """The two lengths and the angle from the measured start; t: (n,) epochs, not before the start."""
        t = times(t)
        if t[0] < self.t0:
            raise ValueError(f"t must not begin before the fitted data, at {self.t0:g}; got {t[0]:g}")
        return integrate(self.start, self.task, self.rates, t - self.t0)

    def predict(self, t: ArrayLike) -> State:
        """‖dh‖², ‖dy‖² and w of the fitted theory; t: (n,) epochs, not before the start."""
        return self.lengths(t).state(self.task)


def fit_rates(
    run: Run | tuple,
    start: Lengths,
    *,
    alpha: float | None = None,
    beta: float | None = None,
    depth: tuple[int, int] | None = None,
    across: str = "inherited",
    born: Lengths | None = None,
    unconverged: str = "warn",
) -> GrowthFit:
    """Fit rates that grow to a run, or to (t, trajectory, task), from a start that was measured.

    Fitted are k_h and k_y, and each of the exponents `alpha`, `beta` that is None; with `depth` = (a, b), the
    numbers of matrices before and behind, only κ. `start` belongs to the first row; `born`, by default the
    same, to the network before it was trained. The objective is (49) over MOST_ROWS rows at most, evenly
    chosen, its derivatives come from the variational equation. Where the data do not determine the numbers,
    `converged` is False; `unconverged` is
    as in `urep.fit_rates`. Raises ValueError or TypeError for bad input.
    """
    if depth is not None and (alpha is not None or beta is not None):
        raise TypeError("alpha and beta must not be given beside depth, which decides them")
    t, trajectory, task = of_one_layer(*(run if isinstance(run, tuple) else (run,)))
    t = checked_trajectory(trajectory, t)
    _require_choice(unconverged)
    if len(t) < MIN_ROWS:
        raise ValueError(f"t must have at least {MIN_ROWS} rows to fit constants, got {len(t)}")
    measured = np.array([*trajectory])
    for name, row in zip(("dh2", "dy2", "w"), measured, strict=True):
        if np.ptp(row) == 0:
            raise ValueError(f"trajectory.{name} must change to be fitted, got {row[0]!r} throughout")
    _checked(start, task, Growth(1.0, 1.0, across=across))
    family = _Family(start, task, alpha, beta, depth, across, None if born is None else (born.u, born.r))
    kept = np.unique(np.linspace(0, len(t) - 1, MOST_ROWS).round().astype(int))
    best = _search(family, t[kept] - t[0], measured[:, kept])
    rates = family.rates(best.x)
    predicted = _lengths(_rows(start, task, rates, t - t[0], 1e-8, with_slopes=False)).state(task)
    squares = ((np.array([*predicted]) - measured) ** 2).sum(axis=1)
    total = ((measured - measured.mean(axis=1, keepdims=True)) ** 2).sum(axis=1)
    message = _why_not(best, family)
    fit = GrowthFit(
        rates=rates,
        constants=len(best.x),
        residual=float(squares.sum()),
        r2=Variables(*(1 - squares / total)),
        converged=not message,
        message=message or "converged",
        start=start,
        task=task,
        t0=float(t[0]),
        t=t,
        seen=trajectory,
    )
    return _judged(fit, unconverged)


@dataclass(frozen=True)
class _Family:
    """The rates that a fit looks through, and the numbers that choose among them."""

    start: Lengths
    task: TwoPoint
    alpha: float | None
    beta: float | None
    depth: tuple[int, int] | None
    across: str
    born: tuple[float, float] | None

    @property
    def free(self) -> tuple[int, ...]:
        """Positions in PARAMETERS of what is fitted; for a depth, both constants move as one."""
        if self.depth is not None:
            return (0,)
        return (0, 1, *((2,) if self.alpha is None else ()), *((3,) if self.beta is None else ()))

    @property
    def logs(self) -> int:
        """How many of the numbers are logarithms of rates; they come first."""
        return 1 if self.depth is not None else 2

    def rates(self, x: np.ndarray) -> Growth:
        """The rates for the fitted numbers: log κ, or log k_h, log k_y at the start's size, exponents."""
        if self.depth is not None:
            one = Growth.depth(
                float(np.exp(np.clip(x[0], -MAX_LOG_RATE, MAX_LOG_RATE))),
                encoder=self.depth[0], decoder=self.depth[1], dx2=self.task.dx2, across=self.across,
            )  # fmt: skip
            return replace(one, born=self.born)
        rest = list(x[2:])
        alpha = rest.pop(0) if self.alpha is None else self.alpha
        beta = rest.pop(0) if self.beta is None else self.beta
        log_k = np.clip(x[:2], -MAX_LOG_RATE, MAX_LOG_RATE)
        return Growth(*np.exp(log_k), alpha, beta, self.across, self.born)

    def evaluate(self, x: np.ndarray, t: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The curves (3, n) and their derivatives (numbers, 3, n); SingularSystem where there is none."""
        rows = _rows(self.start, self.task, self.rates(x), t, 1e-8, with_slopes=True)
        curves, slopes = _curves_and_slopes(rows, self.task)
        if self.depth is not None:
            return curves, slopes[:1] + slopes[1:2]
        return curves, slopes[list(self.free)]

    def misfit(self, x: np.ndarray, t: np.ndarray, measured: np.ndarray) -> float:
        """The objective without its derivatives, roughly; infinite where there is no solution."""
        try:
            rows = _rows(self.start, self.task, self.rates(x), t, 1e-5, with_slopes=False)
        except SingularSystem:
            return inf
        return float(((np.array([*_lengths(rows).state(self.task)]) - measured) ** 2).sum())


def _search(family: _Family, t: np.ndarray, measured: np.ndarray, polished: int = 3):
    """The best of several local searches, from the starts with the smallest objective."""
    lost = np.full(measured.size, 10 * np.abs(measured).max())
    kept: dict[bytes, tuple[np.ndarray, np.ndarray]] = {}

    def evaluated(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        key = x.tobytes()
        if key not in kept:
            kept.clear()
            try:
                curves, slopes = family.evaluate(x, t)
            except SingularSystem:
                kept[key] = lost, np.zeros((measured.size, len(x)))
            else:
                kept[key] = (curves - measured).ravel(), slopes.reshape(len(x), -1).T
        return kept[key]

    starts = sorted(_starts(family, t, measured), key=lambda x: family.misfit(x, t[::4], measured[:, ::4]))
    logs = family.logs
    low, high = (np.full(len(starts[0]), edge) for edge in (-MAX_LOG_RATE, MAX_LOG_RATE))
    low[logs:], high[logs:] = (0.0, 1.99) if family.across == "random" else (-MAX_EXPONENT, MAX_EXPONENT)
    starts = [np.clip(x, low + 1e-3, high - 1e-3) for x in starts]
    found = [
        least_squares(
            lambda x: evaluated(x)[0], x, jac=lambda x: evaluated(x)[1], bounds=(low, high), x_scale="jac",
            xtol=1e-9, ftol=1e-10, gtol=1e-15, max_nfev=60,
        )
        for x in starts[:polished]
    ]  # fmt: skip
    return min(found, key=lambda one: one.cost)


GUESSES = {"inherited": (0.0, -0.7, 1.0), "same": (0.0, -0.7, 1.0), "random": (0.2, 1.0, 1.8)}
"""Exponents that a search begins from; (E44) has none below zero and none from two on."""


def _starts(family: _Family, t: np.ndarray, measured: np.ndarray) -> list[np.ndarray]:
    """Where to begin: exponents and ratios of the rates on a grid, each with the clock that suits it.

    A factor on both rates is one on time, so that one integration with some clock gives the factor.
    """
    if family.depth is not None:
        choices = [np.zeros(1)]
    else:
        guesses = GUESSES[family.across]
        alphas = guesses if family.alpha is None else (family.alpha,)
        betas = guesses if family.beta is None else (family.beta,)
        ratios = np.log(10) * np.array([-1.2, 0.0, 1.2])
        choices = [
            np.array([x / 2, -x / 2, *([a] if family.alpha is None else []),
                      *([b] if family.beta is None else [])])
            for a, b, x in product(alphas, betas, ratios)
        ]  # fmt: skip
    dy = np.sqrt(np.maximum(measured[1], 0.0))
    level = dy[0] + (dy.max() - dy[0]) / 2
    half = t[int(np.argmax(dy >= level))] or t[-1]
    starts = []
    for x in choices:
        reached = _epoch_of(level, family, x)
        if reached is not None:
            moved = x.copy()
            moved[: family.logs] += np.log(reached / half)
            starts.append(moved)
    if not starts:
        moved = choices[0].copy()
        moved[: family.logs] -= np.log(t[-1])
        starts = [moved]
    return starts


def _epoch_of(level: float, family: _Family, x: np.ndarray) -> float | None:
    """The epoch at which dy reaches a level, roughly; None where it is not seen to."""
    clock, first = np.geomspace(1e-5, 1e9, 200), np.empty(3)
    first[:] = log(family.start.u), log(family.start.r), _tangent(family.start.cosine)
    rows, constants = np.empty((clock.size, 3)), _constants(family.rates(x), family.start, family.task)
    done = _kernel().runge_kutta(first, clock, constants, 1e-4, rows, 1000)
    if done == 0:
        return None
    lengths = _lengths(rows[:done].T)
    above = lengths.u * lengths.r * lengths.cosine >= level
    return float(clock[np.argmax(above)]) if above.any() else None


def _why_not(best, family: _Family) -> str:
    """Why the numbers cannot be trusted; empty when they can."""
    if not best.success:
        return f"fit_rates did not converge: {best.message}"
    if np.any(np.abs(best.x[: family.logs]) > 0.9 * MAX_LOG_RATE):
        return "fit_rates did not converge: a rate ran away"
    if np.any(best.active_mask != 0):
        return "fit_rates did not converge: an exponent ran to the end of what is allowed"
    strength = np.linalg.svd(best.jac, compute_uv=False)
    if strength[-1] <= 1e-6 * strength[0]:
        return "fit_rates did not converge: the data do not determine all constants"
    return ""


# --- networks -----------------------------------------------------------------------------------


def of_vectors(dh: np.ndarray, gradient: np.ndarray) -> tuple[float, float, float]:
    """Lengths u = ‖dh‖, r = ‖D_y‖ and the cosine of their angle, of two vectors (units,); NaN for none."""
    u, r = np.linalg.norm(dh), np.linalg.norm(gradient)
    cosine = np.clip(dh @ gradient / (u * r), -1, 1) if u * r > 0 else np.nan
    return float(u), float(r), float(cosine)


def measured(network, data, layer: str) -> Lengths:
    """u, r and the cosine of a network on two points: dh, and D_y on the line between both h, by autograd.

    data: (inputs, targets), two rows, targets (2, 1) that differ; `layer` is named as for `urep.train`. D_y
    is that of `training.chord_gradient`, so that u r cos θ is dy. Raises ValueError or TypeError as that
    does, and where dh or D_y is zero.
    """
    from .training import chord_gradient, hidden

    inputs, targets = data
    if len(inputs) != 2 or targets.reshape(len(targets), -1).shape[1] != 1:
        raise ValueError(f"data must be two points with scalar targets, got {tuple(targets.shape)}")
    difference = targets[1] - targets[0]
    if not float(difference.norm()) > 0:
        raise ValueError("data must have targets that differ: D_y is taken along their difference")
    h = hidden(network, inputs, (layer,))[layer]
    rho = chord_gradient(network, inputs, layer, difference / difference.norm()).double()
    u, r, cosine = of_vectors((h[1] - h[0]).flatten().double().numpy(), rho.numpy())
    if u == 0 or r == 0:
        raise ValueError(f"network must have dh and D_y that are not zero, got lengths {u!r} and {r!r}")
    return Lengths(u, r, cosine)

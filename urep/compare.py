"""Which theory describes a network: each is fitted to the beginning of a run and judged by the rest of it.

The theories know how the run stood at t₁, where the mean is learned; the curves beside them know no theory
and have as many constants or more. Beginnings are told by what is learned of what dy had to learn at t₁, so
that they do not depend on how long somebody trained.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import exp, inf, isfinite, log

import numpy as np
from scipy.optimize import least_squares

from . import growth
from .carry import rise
from .claims import skill
from .fit import MIN_ROWS, fit_rates, mean_learned
from .growth import Lengths
from .shown import Table
from .state import Run, State, Variables, real_number, require_sizes
from .theory import SingularSystem

SHARES = (0.2, 0.5)
"""Shares of the transition, of what dy has to learn from t₁ on, at which the two beginnings end."""

MOST_BEFORE = 0.75
"""Largest share of dy* that may be learned at t₁: a transition is what is left."""

OVER = 0.99
"""Share of the transition at which it is over, and the last of the rows that judge."""

BEYOND = 10
"""Lengths of a run after which what a theory says of ‖dh‖² counts as its end."""

LESS = 0.9, 0.01
"""A theory that asks for more has to leave at most this share of the error, and this much less of it."""

SAME = 0.01
"""Largest relative difference of ‖dh‖ between a start and the row that it belongs to."""

Z = 1.645
"""Standard errors to each side of an interval that holds nine of ten."""

MOST_ROWS = 200
"""Rows of a beginning that a curve without theory is fitted to."""


# --- what is compared -----------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Watched:
    """A run with one output, and its two lengths and their angle at t₁ and before training.

    `t1` is the epoch from which the mean is learned, `start` belongs to it, `birth` to epoch 0. `layers` are
    the numbers of matrices before and behind the representation if the network is a chain of linear layers,
    else None. Raises TypeError or ValueError naming what is wrong, also where the run does not learn.
    """

    run: Run
    start: Lengths
    birth: Lengths
    t1: float
    layers: tuple[int, int] | None = None

    def __post_init__(self):
        for name, kind in (("run", Run), ("start", Lengths), ("birth", Lengths)):
            if not isinstance(getattr(self, name), kind):
                raise TypeError(f"{name} must be a {kind.__name__}, got {getattr(self, name)!r}")
        object.__setattr__(self, "t1", real_number("t1", self.t1, strict=False))
        if not isinstance(self.run.trajectory, State) or self.run.points != 2:
            raise ValueError(f"run must be of two points and one layer, got {self.run.points} points")
        if self.layers is not None:
            require_sizes(before=self.layers[0], behind=self.layers[1])
        if self.run.task.dy2_target == 0:
            raise ValueError("run must have targets that differ, got dy2_target = 0.0")
        if not (self.run.t >= self.t1).any():
            raise ValueError(f"t1 must be an epoch of the run, at most {self.run.t[-1]:g}, got {self.t1:g}")
        before, after = self._shares[[0, -1]]
        if before > MOST_BEFORE:
            raise ValueError(
                f"run must have learned {MOST_BEFORE:.0%} of its target at most when its mean is learned, at "
                f"t1 = {self.t1:g}, got {before:.0%}"
            )
        if self.learned[-1] < OVER:
            raise ValueError(f"run must learn {OVER:.0%} of its target, got {after:.0%}: train longer")
        first, last = self.rows(SHARES[0]), self.rows(OVER) - self.rows(SHARES[-1])
        if min(first, last) < MIN_ROWS:
            raise ValueError(
                f"run must have {MIN_ROWS} rows or more in the first {SHARES[0]:.0%} of its transition and "
                f"from {SHARES[-1]:.0%} to {OVER:.0%}, got {first} and {last}: take a smaller lr"
            )
        seen = {"birth": (self.run, "epoch 0"), "start": (self.later, f"t1 = {self.t1:g}")}
        for name, (run, when) in seen.items():
            dh, u = float(run.trajectory.dh2[0]) ** 0.5, getattr(self, name).u
            if abs(u - dh) > SAME * dh:
                raise ValueError(f"{name}.u must be ‖dh‖ of the run at {when}, {dh:.4g}, got {u:.4g}")

    @property
    def later(self) -> Run:
        """The run from t₁ on."""
        rows = self.run.t >= self.t1
        kept = State(*(values[rows] for values in self.run.trajectory))
        return replace(self.run, t=self.run.t[rows], trajectory=kept, loss=self.run.loss[rows])

    @property
    def _shares(self) -> np.ndarray:
        """The share of dy* that is learned, (n,) from t₁ on."""
        later = self.later
        return (later.trajectory.dy2 - later.trajectory.w) / later.task.dy2_target

    @property
    def learned(self) -> np.ndarray:
        """The share of the transition that is over, (n,) from t₁ on: of what dy had to learn at t₁."""
        shares = self._shares
        return (shares - shares[0]) / (1 - shares[0])

    @property
    def end(self) -> float:
        """‖dh‖² at the end of training."""
        return float(self.run.trajectory.dh2[-1])

    def rows(self, share: float) -> int:
        """How many rows from t₁ on there are until a share of the transition is over, that row included."""
        return int(np.argmax(self.learned >= share)) + 1


def watch(network, data, *, layer: str, lr: float, epochs: int, seed: int = 0) -> Watched:
    """Train a network on two points with one output, as `urep.train` does, and measure it at birth and at t₁.

    The network is trained in place. Raises ValueError or TypeError as `urep.train` and `watched` do.
    """
    from .training import train

    born = copy.deepcopy(network)
    _ = growth.measured(network, data, layer)  # refuses data and layer before the training
    return watched(
        train(network, data, lr=lr, epochs=epochs, layer=layer, seed=seed), born, data, layer=layer, seed=seed
    )


def watched(run: Run, network, data, *, layer: str, seed: int = 0) -> Watched:
    """A run of plain gradient descent with the lengths and the angle of its network at birth and at t₁.

    `network` is as it was before the run, and stays so: a copy is trained up to t₁. `seed` is that of the
    training. Raises ValueError or TypeError as `growth.measured` and `Watched` do, where the mean is not
    learned, and where the network is not that of the run.
    """
    from .training import train

    if not isinstance(run, Run):
        raise TypeError(f"run must be what urep.train returns, got {run!r}")
    birth = growth.measured(network, data, layer)
    t1 = mean_learned(run)
    if t1 is None:
        raise ValueError(f"run must have learned its mean output, got none in {run.t[-1]:g} epochs")
    twin = copy.deepcopy(network)
    if t1 > 0:
        train(twin, data, lr=run.lr, epochs=int(t1), layer=layer, seed=seed, progress=False)
    return Watched(run, growth.measured(twin, data, layer), birth, t1, chain(network, data[0], layer))


def chain(network, inputs, layer: str) -> tuple[int, int] | None:
    """Numbers of matrices before and behind a layer of a chain of linear layers; None for other networks.

    Between the layers may be nothing or tanh, which is nearly linear at the sizes of such runs. The chain is
    seen in one forward pass, in which each module takes what the one before it gave.
    """
    import torch
    from torch import nn

    own = dict(network.named_modules())
    linear = {module for module in own.values() if isinstance(module, nn.Linear)}
    leaves = {module for module in own.values() if not any(module.children())}
    if not all(isinstance(module, (nn.Linear, nn.Tanh, nn.Identity)) for module in leaves):
        return None
    if {*network.parameters()} - {p for module in linear for p in module.parameters()}:
        return None
    first = next(network.parameters())
    inputs = inputs.to(first.device)
    passed: list[tuple[nn.Module, torch.Tensor, torch.Tensor]] = []
    handles = [
        module.register_forward_hook(lambda one, given, out: passed.append((one, given[0], out)))
        for module in {*leaves, own[layer]}
    ]
    try:
        with torch.no_grad():
            outputs = network(inputs)
    finally:
        for handle in handles:
            handle.remove()
    read = next(out for one, _, out in passed if one is own[layer])
    steps = [step for step in passed if step[0] in leaves]
    given = [inputs, *(out for _, _, out in steps)]
    if any(step[1] is not before for step, before in zip(steps, given, strict=False)):
        return None
    at = next((k for k, out in enumerate(given) if out is read), None)
    if given[-1] is not outputs or at is None or len(steps) != len({step[0] for step in steps}):
        return None
    before = sum(one in linear for one, _, _ in steps[:at])
    behind = sum(one in linear for one, _, _ in steps[at:])
    return (before, behind) if before and behind else None


# --- theories and curves --------------------------------------------------------------------------

Predict = Callable[[np.ndarray], Variables]
"""What a fit says of ‖dh‖², ‖dy‖² and w at epochs t (n,)."""


@dataclass(frozen=True)
class Fitted:
    """What a fit says, and whether it converged inside of what its constants may be."""

    predict: Predict
    converged: bool


@dataclass(frozen=True)
class Candidate:
    """A theory, or a curve that knows none: its constants, and a fit to a beginning of a watched run."""

    name: str
    constants: int
    fit: Callable[[Watched, Run], Fitted]
    is_theory: bool = True
    needs_chain: bool = False


def _seven(watched: Watched, part: Run) -> Fitted:
    fit = fit_rates(part, unconverged="keep")
    return Fitted(fit.predict, fit.converged)


def _grown(watched: Watched, part: Run, **choice) -> Fitted:
    fit = _growth_fit(watched, part, **choice)
    return Fitted(fit.predict, fit.converged)


def _growth_fit(watched: Watched, part: Run, **choice) -> growth.GrowthFit:
    return growth.fit_rates(part, watched.start, born=watched.birth, unconverged="keep", **choice)


def _by_depth(watched: Watched, part: Run) -> Fitted:
    alpha, beta = growth.exponents(*watched.layers)
    return _grown(watched, part, alpha=alpha, beta=beta, across="random")


def _curve(watched: Watched, part: Run, *, stretched: bool) -> Fitted:
    """A logistic curve: v goes to dy* along it, and ‖dh‖² to a free height, along a power of it if stretched.

    Constants are place, width and height, and the power. The objective is (49), as the theories have it.
    """
    kept = np.unique(np.linspace(0, len(part) - 1, MOST_ROWS).round().astype(int))
    clock, seen = part.t[kept] - part.t[0], np.array([*part.trajectory])[:, kept]
    target = part.task.dy2_target**0.5
    first_dh2, first = seen[0, 0], (seen[1, 0] - seen[2, 0]) / target

    def shares(x: np.ndarray, t: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        gone = rise(t, x[0] * clock[-1], clock[-1] * np.exp(x[1]))
        return gone, gone ** np.exp(x[2]) if stretched else gone

    def height(x: np.ndarray) -> float:
        """The best height, which is linear."""
        share = shares(x, clock)[1]
        size = share @ share
        return float(share @ (seen[0] - first_dh2) / size) if size > 0 else 0.0

    def curve(x: np.ndarray, t: np.ndarray) -> np.ndarray:
        of_y, of_h = shares(x, t)
        v = first + (target - first) * of_y
        return np.array([first_dh2 + height(x) * of_h, v**2, v * (v - target)])

    starts = [np.array([place, width, 0.0][: 3 if stretched else 2]) for place in (0.5, 1.0, 2.0)
              for width in (-3.0, -1.5)]  # fmt: skip
    bound = np.array([20.0, 6.0, 4.0][: len(starts[0])])
    found = [
        least_squares(lambda x: (curve(x, clock) - seen).ravel(), x, bounds=(-bound, bound), max_nfev=100)
        for x in starts
    ]
    best = min(found, key=lambda one: one.cost)
    predict = lambda t: Variables(*curve(best.x, np.asarray(t, dtype=float) - part.t[0]))
    return Fitted(predict, bool(best.success and not best.active_mask.any()))


CANDIDATES = (
    Candidate("(7)", 2, _seven),
    Candidate("rotation", 2, partial(_grown, alpha=0.0, beta=0.0)),
    Candidate("exponents of depth", 2, _by_depth, needs_chain=True),
    Candidate("two exponents", 4, _grown),
    Candidate("a logistic curve", 3, partial(_curve, stretched=False), is_theory=False),
    Candidate("a stretched logistic curve", 4, partial(_curve, stretched=True), is_theory=False),
)
"""What is compared, theories by the number of their constants first."""


# --- judging --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Errors:
    """What a fit to a beginning misses of the rest: of ‖dh‖², of w, and of the end of ‖dh‖².

    Those of curves are root mean squares over that of a curve that stays where the beginning ends, that of
    the end is |log| of forecast over seen. `forecast` is ‖dh(∞)‖², `converged` whether it is that of a fit
    and not of constants that ran to the end of what they may be.
    """

    dh2: float
    w: float
    end: float
    forecast: float
    converged: bool = True

    @property
    def mean(self) -> float:
        """The mean of the three, each counted as 1 at most, which is as bad as staying where it was."""
        return float(np.mean(np.minimum([self.dh2, self.w, self.end], 1.0)))


@dataclass(frozen=True)
class Judged:
    """A candidate and its Errors: for each run, one of each of SHARES; none where it does not apply."""

    candidate: Candidate
    errors: tuple[tuple[Errors, ...], ...]

    @property
    def applies(self) -> bool:
        """Whether it can be said of these networks at all."""
        return bool(self.errors)

    @property
    def of_runs(self) -> np.ndarray:
        """The error of each run, (runs,): the mean over SHARES."""
        return np.array([np.mean([one.mean for one in errors]) for errors in self.errors])

    @property
    def error(self) -> float:
        """The median error of the runs."""
        return float(np.median(self.of_runs))

    def typical(self, share: int, name: str) -> float:
        """The median over runs of one of the Errors."""
        return float(np.median([getattr(errors[share], name) for errors in self.errors]))


@dataclass(frozen=True)
class Forecast:
    """‖dh(∞)‖² of a run as told from half of its way, from `low` to `high`, and what was `seen`.

    `converged` is whether the fit which tells it did.
    """

    value: float
    low: float
    high: float
    seen: float
    converged: bool

    @property
    def covered(self) -> bool:
        """Whether what was seen is inside of the bar."""
        return self.low <= self.seen <= self.high


@dataclass(frozen=True)
class Exponent:
    """An exponent, and what lies between `low` and `high`."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        if not isfinite(self.high - self.low):
            return "not determined"
        return f"{self.value:.2f} ({self.low:.2f} to {self.high:.2f})"


@dataclass(frozen=True, eq=False)
class Comparison:
    """Which theory describes one network, or one architecture from several seeds.

    `judged` are all candidates; `theory` the one that describes it best, None where a curve without theory
    does as well; `curve` the best such curve; `skill` 1 - error of the best theory over that of `curve`, with
    its interval where there are several runs. `alpha` and `beta` are fitted to whole transitions: between
    their least and largest of the runs, or, of one run, a standard error times 1.6 to each side; anything
    where a fit does not determine them.
    `forecasts` are those of the theory, or of the curve where there is none, one a run; `layers` are those
    of Watched.
    """

    judged: tuple[Judged, ...]
    best: Judged
    curve: Judged
    skill: tuple[float, float, float]
    alpha: Exponent
    beta: Exponent
    forecasts: tuple[Forecast, ...]
    layers: tuple[int, int] | None

    @property
    def theory(self) -> Judged | None:
        """The best theory, if it beats every curve: with several runs, if its skill's interval is above 0."""
        return self.best if self.skill[1] > 0 else None

    @property
    def sentence(self) -> str:
        """Which theory describes it, its exponents if they are fitted, and the forecast of the first run."""
        first, skill = self.forecasts[0], self.skill
        against = f"{self.best.error:.2f} against {self.curve.error:.2f} of {self.curve.candidate.name}"
        bar = f"{first.value:.3g}, {first.low:.3g} to {first.high:.3g} (seen {first.seen:.3g})"
        lost = sum(not one.converged for one in self.forecasts)
        warned = f"; fits that do not converge: {lost} of {len(self.forecasts)}"
        forecast = f"forecast of ‖dh(∞)‖² from half of the way: {bar}{warned * (lost > 0)}."
        if self.theory is None:
            known = "" if skill[0] <= 0 else ", which is not certain"
            return f"No theory describes it: error {against}{known}; {forecast}"
        exponents = ""
        if self.best.candidate.needs_chain:
            exponents = "α = {:.2f}, β = {:.2f}, by depth; ".format(*growth.exponents(*self.layers))
        elif self.best.candidate.constants > 2:
            exponents = f"α = {self.alpha}, β = {self.beta}; "
        return f"It is best described by {self.best.candidate.name}: error {against}; {exponents}{forecast}"

    def table(self) -> Table:
        """A row for each candidate: constants, the errors of both beginnings, and their mean."""
        head = [
            "",
            "constants",
            *(f"{name}, from {share:.0%}" for share in SHARES for name in _SHOWN),
            "error",
        ]
        return Table(head, [self._row(one) for one in self.judged])

    def _row(self, one: Judged) -> list[object]:
        marks = " ←" * (one is self.theory)
        name = one.candidate.name + marks
        if not one.applies:
            return [name, one.candidate.constants, *["not applicable"] * 7]
        errors = [one.typical(k, field) for k in range(len(SHARES)) for field in _SHOWN.values()]
        return [name, one.candidate.constants, *map(_short, errors), f"{one.error:.2f}"]


_SHOWN = {"‖dh‖²": "dh2", "w": "w", "end": "end"}


def _short(error: float) -> str:
    return f"{error:.2f}" if error < 1 else "1 or more"


def theories(watched: Watched | Sequence[Watched]) -> Comparison:
    """Fit each of CANDIDATES to two beginnings of each run and judge it by what comes after.

    The beginnings are the first fifth and the first half of the transition, what comes after goes to OVER
    of it. A candidate's error is the mean of three, over both beginnings, and the median over runs. The
    theories come in the order of their constants, and of what has to be measured: a later one is taken if it
    leaves nine tenths of the error at most, and a hundredth less of it. The one that is left describes the
    networks if it beats every curve without theory too; with several runs, if the interval of its skill is
    above zero. Raises TypeError or ValueError for anything but Watched runs of one architecture.
    """
    runs = [watched] if isinstance(watched, Watched) else list(watched)
    if not runs:
        raise ValueError("watched must hold one run or more, got none")
    for one in runs:
        if not isinstance(one, Watched):
            raise TypeError(f"watched must be what watch returns, or several of them, got {one!r}")
    if len({one.layers for one in runs}) > 1:
        raise ValueError(f"watched must be of one architecture, got layers {[one.layers for one in runs]}")
    judged = tuple(_judge(candidate, runs) for candidate in CANDIDATES)
    known = [one for one in judged if one.applies]
    best = _first_of([one for one in known if one.candidate.is_theory])
    curve = min((one for one in known if not one.candidate.is_theory), key=lambda one: one.error)
    gained = _skill(best, curve)
    alpha, beta = _exponents(runs)
    ahead = best if gained[1] > 0 else curve
    return Comparison(judged, best, curve, gained, alpha, beta, _forecasts(ahead, runs), runs[0].layers)


def _judge(candidate: Candidate, runs: list[Watched]) -> Judged:
    if candidate.needs_chain and runs[0].layers is None:
        return Judged(candidate, ())
    return Judged(candidate, tuple(tuple(_errors(candidate, one, x) for x in SHARES) for one in runs))


def _errors(candidate: Candidate, watched: Watched, share: float) -> Errors:
    later, rows = watched.later, watched.rows(share)
    part = replace(later, t=later.t[:rows], trajectory=later.trajectory[:rows], loss=later.loss[:rows])
    rest = slice(rows, watched.rows(OVER))
    far = later.t[0] + BEYOND * (later.t[-1] - later.t[0])
    try:
        fit = candidate.fit(watched, part)
        told = fit.predict(np.r_[later.t[rest], far])
    except SingularSystem:  # constants without a solution foretell nothing
        return Errors(inf, inf, inf, float(part.trajectory.dh2[-1]), converged=False)
    missed = [
        _apart(ours[:-1], seen[rest], seen[rows - 1])
        for ours, seen in ((told.dh2, later.trajectory.dh2), (told.w, later.trajectory.w))
    ]
    end = float(told.dh2[-1])
    return Errors(*missed, abs(log(end / watched.end)) if end > 0 else inf, end, fit.converged)


def _apart(ours: np.ndarray, seen: np.ndarray, stayed: float) -> float:
    """Root mean square of a miss over that of staying where it was; infinite where nothing moved."""
    missed, moved = np.sum((ours - seen) ** 2), np.sum((seen - stayed) ** 2)
    return float(np.sqrt(missed / moved)) if moved > 0 else inf


def _first_of(known: list[Judged]) -> Judged:
    """The theory with the smallest error, each earning its place against those before it; see `theories`."""
    best = known[0]
    for one in known[1:]:
        if one.error < min(LESS[0] * best.error, best.error - LESS[1]):
            best = one
    return best


def _skill(best: Judged, curve: Judged) -> tuple[float, float, float]:
    """1 - error over that of a curve, and its interval over runs, which is a point where there is one run."""
    ours, theirs = best.of_runs, curve.of_runs
    if len(ours) == 1 or np.median(theirs) == 0:
        beaten = float(np.median(ours)), float(np.median(theirs))
        return (1 - beaten[0] / beaten[1] if beaten[1] > 0 else -inf,) * 3
    return skill(ours, theirs)


# --- exponents and forecasts ----------------------------------------------------------------------


def _exponents(runs: list[Watched]) -> tuple[Exponent, Exponent]:
    """α and β of four constants that were fitted to whole transitions."""
    fits = []
    for one in runs:
        later, rows = one.later, one.rows(OVER)
        part = replace(later, t=later.t[:rows], trajectory=later.trajectory[:rows], loss=later.loss[:rows])
        fits.append(_growth_fit(one, part))
    found = np.array([[fit.rates.alpha, fit.rates.beta] for fit in fits])
    if not all(fit.converged for fit in fits):
        low, high = np.full(2, -inf), np.full(2, inf)
    elif len(fits) == 1:
        half = Z * _standard_errors(fits[0])
        low, high = found[0] - half, found[0] + half
    else:
        low, high = found.min(axis=0), found.max(axis=0)
    return tuple(
        Exponent(*map(float, three)) for three in zip(np.median(found, axis=0), low, high, strict=True)
    )


def _standard_errors(fit: growth.GrowthFit) -> np.ndarray:
    """Standard errors of α and β, (2,): neighbours that a fit misses to one side count as one number."""
    kept = np.unique(np.linspace(0, len(fit.t) - 1, MOST_ROWS).round().astype(int))
    t, seen = fit.t[kept], np.array([*fit.seen])[:, kept]
    u, r, cosine = fit.start
    aside = Lengths(u, r, min(cosine, 1 - 1e-9))  # at an angle of zero its own derivative has no value
    slopes = growth.sensitivities(aside, fit.task, fit.rates, t - fit.t0)
    columns = {"k_h": fit.rates.k_h, "k_y": fit.rates.k_y, "alpha": 1.0, "beta": 1.0}
    jacobian = np.array([size * np.concatenate([*slopes[name]]) for name, size in columns.items()]).T
    missed = np.array([*fit.predict(t)]) - seen
    stretches = 3 + int((np.diff(np.sign(missed), axis=1) != 0).sum())
    scale = np.linalg.norm(jacobian, axis=0)
    _, values, turned = np.linalg.svd(jacobian / scale, full_matrices=False)
    if values[-1] <= 1e-6 * values[0]:
        return np.full(2, inf)
    per = np.sqrt(((turned / values[:, None]) ** 2).sum(axis=0)) / scale
    return per[2:] * float(np.sqrt((missed**2).sum() / max(stretches - len(columns), 1)))


def _forecasts(ahead: Judged, runs: list[Watched]) -> tuple[Forecast, ...]:
    """The ends told from half of the way, each with a bar.

    A bar is the largest miss of the other runs; of one run, how far its forecast has moved since the first
    beginning.
    """
    first, last = ([errors[k].forecast for errors in ahead.errors] for k in (0, -1))
    missed = [errors[-1].end for errors in ahead.errors]
    found = []
    for k, one in enumerate(runs):
        bar = max(missed[:k] + missed[k + 1 :], default=None)
        if bar is None:
            bar = abs(log(last[k] / first[k])) if min(first[k], last[k]) > 0 else inf
        low, high = sorted((last[k] * exp(-bar), last[k] * exp(min(bar, 700.0))))
        found.append(Forecast(last[k], low, high, one.end, ahead.errors[k][-1].converged))
    return tuple(found)

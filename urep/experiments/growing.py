"""Theories and mere curves, with as many constants each, fitted to a run from t₁ and carried to another.

What growing rates say of a run is worth as much as they say beyond a curve with the same number of constants,
or beyond the same exponents on something else than the maps' sizes. Every model here gets the same rows, the
same three variables with the same objective (49), and a start that was measured.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from math import log, sqrt
from types import MappingProxyType

import numpy as np
import torch
from scipy.optimize import least_squares

from ..carry import rise, towards
from ..compare import watch
from ..exact import solve
from ..fit import fit_rates, without_mean
from ..growth import Growth, Lengths, exponents, integrate, measured
from ..growth import fit_rates as fit_growth
from ..networks import FullyConnected
from ..shown import Table
from ..state import Rates, Run, TwoPoint
from ..tasks import Data, two_points
from ..theory import SingularSystem
from . import angles
from .angles import AngledRun
from .forecasts import has_gates, matrices
from .sweep import Sweep
from .tables import Row
from .trial import Trial

Arrays = dict[str, np.ndarray]

MOST = 4
"""Largest number of constants of a model."""

WIDEST = 8.0
"""Largest |power of time| and |log of a shape| that a fit of a curve looks at."""

NO_CURVE = 10.0
"""What a model without a solution misses, a constant being one."""

ARRIVED = 0.9
"""Share of dy* whose epoch is the time of arrival."""


@dataclass(frozen=True, eq=False)
class Window:
    """A run from t₁ on: its rows, u, r and cos θ there and at birth, and the matrices before and behind.

    `across` is how rates across are taken where exponents are fitted: as (E44) has it in smooth networks, and
    where units have gates, whose exponents may be negative, as (E43) has it.
    """

    run: Run
    start: Lengths
    birth: Lengths
    depth: tuple[int, int]
    across: str

    @property
    def clock(self) -> np.ndarray:
        """Epochs since t₁."""
        return self.run.t - self.run.t[0]

    @property
    def seen(self) -> np.ndarray:
        """‖dh‖², ‖dy‖² and w, (3, n)."""
        return np.array([*self.run.trajectory])

    @property
    def arrived(self) -> float:
        """The epoch at which nine tenths of dy* are learned."""
        target = sqrt(self.run.task.dy2_target)
        return arrival(self.run.t, (self.seen[1] - self.seen[2]) / target, target)

    def missed(self, curves: np.ndarray) -> np.ndarray:
        """1 - R² of ‖dh‖², ‖dy‖² and w, (3,), of some curves (3, n)."""
        about_mean = self.seen - self.seen.mean(axis=1, keepdims=True)
        return ((curves - self.seen) ** 2).sum(axis=1) / (about_mean**2).sum(axis=1)


def window(angled: AngledRun) -> Window | None:
    """The part of a run with angles, `angles.AngledRun`, from t₁; None where the mean is not learned."""
    later = None if angled.run.stopped == "diverged" else without_mean(angled.run)
    if later is None:
        return None
    at = lambda t: Lengths(*(angled.looks.at(t)[name] for name in ("u", "r", "cosine")))
    across = "inherited" if has_gates(angled.row) else "random"
    return Window(later, at(float(later.t[0])), at(0.0), matrices(angled.row), across)


def arrival(t: np.ndarray, dy: np.ndarray, target: float) -> float:
    """The epoch at which nine tenths of dy* are learned, between two rows; NaN where they are not."""
    row = int(np.argmax(dy >= ARRIVED * target))
    if not dy[row] >= ARRIVED * target:
        return np.nan
    if row == 0:
        return float(t[0])
    return float(np.interp(ARRIVED * target, dy[row - 1 : row + 1], t[row - 1 : row + 1]))


# --- models --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Model:
    """`fit` finds constants (k,) for a window, `curves` the three variables at some epochs from its start.

    `constants` is how many are fitted.
    """

    constants: int
    fit: Callable[[Window], np.ndarray]
    curves: Callable[[np.ndarray, Window, np.ndarray], np.ndarray]

    def told(self, constants: np.ndarray, of: Window, clock: np.ndarray) -> np.ndarray:
        """‖dh‖², ‖dy‖² and w (3, n) at epochs since t₁; NaN where the model has no solution."""
        try:
            return self.curves(constants[np.isfinite(constants)], of, clock)
        except SingularSystem:
            return np.full((3, len(clock)), np.nan)


def _fit_paper(of: Window) -> np.ndarray:
    rates = fit_rates(of.run, unconverged="keep").rates
    return np.log([rates.tau_h, rates.tau_y])


def _paper(x: np.ndarray, of: Window, clock: np.ndarray) -> np.ndarray:
    return np.array([*solve(of.run.trajectory[0], of.run.task, Rates(*np.exp(x)), clock)])


def _growth(x: np.ndarray, of: Window, clock: np.ndarray, *, across: str = "") -> np.ndarray:
    powers, across = (exponents(*of.depth), across) if across else (x[2:], of.across)
    rates = Growth(*np.exp(x[:2]), *powers, across, (of.birth.u, of.birth.r))
    return np.array([*integrate(of.start, of.run.task, rates, clock, rtol=1e-8).state(of.run.task)])


def _fit_depth(of: Window, *, across: str) -> np.ndarray:
    powers = dict(zip(("alpha", "beta"), exponents(*of.depth), strict=True))
    fit = fit_growth(of.run, of.start, born=of.birth, across=across, unconverged="keep", **powers)
    return np.log([fit.rates.k_h, fit.rates.k_y])


def _fit_powers(of: Window) -> np.ndarray:
    rates = fit_growth(of.run, of.start, born=of.birth, across=of.across, unconverged="keep").rates
    return np.r_[np.log([rates.k_h, rates.k_y]), rates.alpha, rates.beta]


def _times(x: np.ndarray, of: Window, clock: np.ndarray) -> np.ndarray:
    """(E40) with k_h (t/t₁)^α and k_y (t/t₁)^β for rates, the same along and across."""
    from .growing_kernel import powers_of_time

    start, task = of.start, of.run.task
    first = np.array([log(start.u), log(start.r), sqrt((1 - start.cosine) / (1 + start.cosine))])
    rows = np.empty((len(clock), 3))
    began = max(float(of.run.t[0]), 1.0)
    if not powers_of_time(
        first, clock, np.array([*np.exp(x[:2]), *x[2:], sqrt(task.dy2_target), began]), rows
    ):
        raise SingularSystem("rates that are powers of time have no solution here")
    size, tangent2 = np.exp(rows[:, 0] + rows[:, 1]), rows[:, 2] ** 2
    dy = size * (1 - tangent2) / (1 + tangent2)
    return np.array([np.exp(2 * rows[:, 0]), dy**2, dy * (dy - sqrt(task.dy2_target))])


CURVES = {"placed": 2, "powered": 4, "stretched": 4}
"""Curves that know no theory, and how many constants are fitted to each; the first is told an end besides."""


def _curve(x: np.ndarray, of: Window, clock: np.ndarray, *, kind: str) -> np.ndarray:
    """‖dh‖² and dy rise from their start on a logistic curve; x: its place in epochs, logs of width and end.

    "placed" has nothing else. "stretched" has the log of the shape of Richards' curve, "powered" that of the
    power of dy's share which is ‖dh‖²'s.
    """
    shape = float(np.exp(np.clip(x[3], -WIDEST, WIDEST))) if len(x) > 3 else 1.0
    gone = rise(clock, x[0], np.exp(np.clip(x[1], -30, 30)), shape if kind == "stretched" else 1.0)
    end, power = float(np.exp(np.clip(x[2], -30, 30))), shape if kind == "powered" else 1.0
    return np.array([*towards(of.run.trajectory[0], of.run.task, end, gone**power, gone)])


def _fit_curve(of: Window, *, curves, starts: Callable[[Window], list], polished: int = 3) -> np.ndarray:
    """The best of several local searches for the constants of some curves, by (49)."""
    clock, seen = of.clock, of.seen
    lost = np.full(seen.size, 10 * np.abs(seen).max())

    def misfit(x: np.ndarray) -> np.ndarray:
        try:
            told = curves(x, of, clock)
        except SingularSystem:
            return lost
        return (told - seen).ravel() if np.isfinite(told).all() else lost

    ranked = sorted(map(np.array, starts(of)), key=lambda x: float((misfit(x) ** 2).sum()))
    found = [least_squares(misfit, x, x_scale="jac", max_nfev=200) for x in ranked[:polished]]
    return min(found, key=lambda one: one.cost).x


def _fit_placed(of: Window) -> np.ndarray:
    end = [log(of.seen[0, -1])]
    curves = lambda x, window, clock: _curve(np.r_[x, end], window, clock, kind="placed")
    return np.r_[_fit_curve(of, curves=curves, starts=_places), end]


def _places(of: Window) -> list[list[float]]:
    """Places about the middle of the rise, and logs of widths that are shares of it."""
    dy = of.seen[1] - of.seen[2]
    middle = of.clock[int(np.argmax(dy >= (dy[0] + dy.max()) / 2))] or of.clock[-1]
    return [[place * middle, log(width * middle)] for place in (0.7, 1.0) for width in (0.05, 0.15, 0.5)]


def _ends_and_shapes(of: Window) -> list[list[float]]:
    end = log(of.seen[0, -1])
    return [[*place, end, shape] for place in _places(of) for shape in (-1.0, 0.0, 1.0)]


def _times_starts(of: Window) -> list[list[float]]:
    """Powers of time from a grid, with the rates at which dy would reach its target in the time it took."""
    target = sqrt(of.run.task.dy2_target)
    dy = (of.seen[1] - of.seen[2]) / target
    middle = of.run.t[int(np.argmax(dy >= (dy[0] + dy.max()) / 2))]
    grown = middle / max(float(of.run.t[0]), 1.0)
    starts = []
    for alpha in (-0.7, 0.0, 1.0):
        for beta in (-0.7, 0.0, 1.0):
            for speed in (0.3, 1.0, 3.0):
                for ratio in (-2.0, 0.0, 2.0):
                    rate = log(speed * 2 / (middle * target)) + 0.5 * np.array([ratio, -ratio])
                    starts.append([*(rate - np.array([alpha, beta]) * log(grown)), alpha, beta])
    return starts


def _of_curve(kind: str) -> Model:
    curves = partial(_curve, kind=kind)
    return Model(4, partial(_fit_curve, curves=curves, starts=_ends_and_shapes), curves)


MODELS: Mapping[str, Model] = MappingProxyType({
    "(7)": Model(2, _fit_paper, _paper),
    "(E43)": Model(2, partial(_fit_depth, across="inherited"), partial(_growth, across="inherited")),
    "(E44)": Model(2, partial(_fit_depth, across="random"), partial(_growth, across="random")),
    "placed": Model(2, _fit_placed, partial(_curve, kind="placed")),
    "powers": Model(4, _fit_powers, _growth),
    "times": Model(4, partial(_fit_curve, curves=_times, starts=_times_starts), _times),
    "stretched": _of_curve("stretched"),
    "powered": _of_curve("powered"),
})  # fmt: skip
"""Models by name. Two constants: (7), the rates of depth for both births, a logistic curve that is told an
end. Four: (E40) with two exponents, the same exponents on time, and two curves."""


def fits(trial: Trial, sweeps: Mapping[str, Sweep]) -> Arrays:
    """The constants of every model, (MODELS, MOST), fitted to the stored run of a trial; NaN for none.

    sweeps: those of `angles` that hold the runs, by row.
    """
    found = np.full((len(MODELS), MOST), np.nan)
    of = _windows(sweeps[trial.row])[trial.seed]
    for row, model in zip(found, MODELS.values() if of is not None else (), strict=False):
        constants = model.fit(of)
        row[: len(constants)] = constants
    return {"constants": np.float32(found)}


@cache
def _windows(known: Sweep) -> dict[int, Window | None]:
    return {angled.seed: window(angled) for angled in angles.read(known)}


@dataclass(frozen=True, eq=False)
class Fitted:
    """A run with angles, its window, and the constants that each model has in it."""

    angled: AngledRun
    window: Window
    constants: Mapping[str, np.ndarray]

    def missed(self, model: str, of: Fitted | None = None) -> np.ndarray:
        """1 - R² of the three variables, (3,), with the model's own constants or those of another run.

        NO_CURVE where the model has no solution.
        """
        missed = self.window.missed(self.told(model, self.window.clock, of))
        return np.where(np.isfinite(missed), missed, NO_CURVE)

    def told(self, model: str, clock: np.ndarray, of: Fitted | None = None) -> np.ndarray:
        """‖dh‖², ‖dy‖² and w (3, n) at epochs since t₁, with its own constants or those of another run."""
        return MODELS[model].told((of or self).constants[model], self.window, clock)

    def late(self, model: str, of: Fitted) -> float:
        """|log| of the predicted over the seen epoch of arrival; log 10 where none is predicted."""
        run, clock = self.window.run, np.arange(0.0, 2 * self.window.clock[-1], 5.0)
        target = sqrt(run.task.dy2_target)
        dy = lambda curves: (curves[1] - curves[2]) / target
        told = run.t[0] + arrival(clock, dy(self.told(model, clock, of)), target)
        return abs(log(told / self.window.arrived)) if np.isfinite(told) else log(10.0)

    def angles(self) -> tuple[np.ndarray, np.ndarray]:
        """dy, increasing, and the angle of dh and the decoder's gradient in degrees, at the looks from t₁."""
        looks = self.angled.looks
        later = looks.t >= self.window.run.t[0]
        order = np.argsort(looks.dy[later], kind="stable")
        return looks.dy[later][order], np.degrees(np.arccos(looks.cosine[later][order]))

    def angles_told(self, dy: np.ndarray, across: str) -> np.ndarray:
        """That angle at outputs dy by (E40) and depth alone, in degrees.

        Seen from the outputs no constant is left: a factor on both rates is one on time.
        """
        of = self.window
        return _angles_told(dy, of.start, of.birth, of.run.task, lr=of.run.lr, depth=of.depth, across=across)


def _angles_told(dy, start: Lengths, birth: Lengths, task: TwoPoint, *, lr, depth, across) -> np.ndarray:
    """The angle of dh and the decoder's gradient at outputs dy by (E40) and depth alone, in degrees."""
    rates = Growth.depth(
        lr / 4, encoder=depth[0], decoder=depth[1], start=birth, dx2=task.dx2, across=across
    )  # fmt: skip
    told = integrate(start, task, rates, np.r_[0.0, np.geomspace(1.0, 1e5, 4000)], rtol=1e-8)
    return np.interp(dy, told.u * told.r * told.cosine, told.angle)


Measure = Callable[[Sequence[Fitted]], np.ndarray]


def leaves(*models: str) -> Measure:
    """1 - R² of w of each run of a row, of the best of some models there."""
    return lambda fits: np.array([min(one.missed(model)[2] for model in models) for one in fits])


def by_next(say: Callable[[Fitted, Fitted], float]) -> Measure:
    """What is said of each run of a row with the constants of the run before it, whose seed is another."""
    return lambda fits: np.array([say(*pair) for pair in zip(fits, [fits[-1], *fits], strict=False)])


def of_w(model: str) -> Measure:
    """1 - R² of w of each run by a model with the constants of the run before it."""
    return by_next(lambda run, before: run.missed(model, before)[2])


def late(model: str) -> Measure:
    """|log| of the predicted over the seen epoch of arrival, with the constants of the run before."""
    return by_next(lambda run, before: run.late(model, before))


SHOWN = {"(7)": "(7), 2", "placed": "logistic, told an end, 2", "(E44)": "(E44), 2",
         "powers": "powers of size, 4", "times": "of time, 4", "stretched": "logistic, shape, 4",
         "powered": "logistic, power, 4"}  # fmt: skip
"""Models of a table, and what it calls them: the number is that of their constants."""


def models_table(rows: Mapping[str, Sequence[Fitted]]) -> Table:
    """R² of w of each row of Table 1 and model: the median over runs that were fitted."""
    lines = []
    for row, fits in rows.items():
        left = (np.median(leaves(model)(fits)) for model in SHOWN)
        lines.append([row, len(fits), *(f"{1 - part:.4f}" for part in left)])
    return Table(["row", "runs", *SHOWN.values()], lines)


def carried_table(rows: Mapping[str, Sequence[Fitted]]) -> Table:
    """The same with the constants of the run before."""
    lines = []
    for row, fits in rows.items():
        left = (np.median(of_w(model)(fits)) for model in SHOWN)
        lines.append([row, *(f"{1 - part:.2f}" for part in left)])
    return Table(["row", *SHOWN.values()], lines)


DRAWN = {"random birth": ("(E44)", "random"), "isometries": ("(E43)", "inherited"), "(7)": ("(7)", "")}
"""Theories of a figure: the model that gives curves in time, and the birth that gives the angle."""


def w_in_time(one: Fitted, clock: np.ndarray) -> dict[str, np.ndarray]:
    """The w of a network and of three theories with two constants each, at epochs since t₁."""
    told = {name: one.told(model, clock)[2] for name, (model, _) in DRAWN.items()}
    return {"network": np.interp(clock, one.window.clock, one.window.seen[2]), **told}


def angles_in_time(one: Fitted, clock: np.ndarray) -> dict[str, np.ndarray]:
    """Angles of a network and of the same theories, in degrees; (7) has none, by (19)."""
    looks, target = one.angled.looks, sqrt(one.window.run.task.dy2_target)
    found = {"network": np.interp(clock + one.window.run.t[0], looks.t, np.degrees(np.arccos(looks.cosine)))}
    for name, (model, across) in DRAWN.items():
        _, dy2, w = one.told(model, clock)
        found[name] = one.angles_told((dy2 - w) / target, across) if across else np.zeros(len(clock))
    return found


def fitted(runs: Sequence[AngledRun], stored: Mapping[int, np.ndarray]) -> list[Fitted]:
    """Runs with the constants that `fits` found, by seed, where the mean is learned."""
    pairs = [(angled, window(angled)) for angled in runs]
    return [
        Fitted(angled, of, dict(zip(MODELS, stored[angled.seed], strict=True)))
        for angled, of in pairs
        if of is not None
    ]


# --- networks that are born otherwise ---------------------------------------------------------------

BIRTHS: Mapping[str, str] = MappingProxyType({"random": "random", "isometries": "inherited"})
"""How inner matrices are born, and the rates across that belong to it: (E44), (E43)."""


@dataclass(frozen=True)
class BirthTrial:
    """A linear network of twenty layers whose inner matrices are born at random, or as isometries.

    Isometries are orthogonal matrices times the gain, so that both stretch a given vector alike; what else
    the network has, its first and its last matrix among it, is the same. Raises ValueError for another birth.
    """

    birth: str
    seed: int
    units: int = 100
    gain: float = 0.9
    lr: float = 0.003
    epochs: int = 1500

    environment = MappingProxyType({})  # no annotation: these three are no fields
    task = "two points"
    hidden_layers = 20

    def __post_init__(self):
        if self.birth not in BIRTHS:
            raise ValueError(f"birth must be one of {', '.join(BIRTHS)}; got {self.birth!r}")

    @property
    def row(self) -> str:
        """The kind of network, under which its seeds are counted."""
        return f"born as {self.birth}"

    @property
    def settings(self) -> Row:
        """The same as a row of a table."""
        return Row(self.row, "none", self.gain, self.lr, self.epochs, self.units, self.hidden_layers)

    @property
    def cost(self) -> float:
        """How long it may take, in units of which only ratios mean anything."""
        return self.units * self.epochs

    def data(self) -> Data:
        """The paper's two points."""
        return two_points(dtype=torch.float64)

    def network(self) -> FullyConnected:
        """The network before it is trained."""
        made = self.settings.network(seed=self.seed, dtype=torch.float64)
        if self.birth == "isometries":
            random = torch.Generator().manual_seed(self.seed)
            for name, weight in made.named_parameters():
                if name.endswith("weight") and weight.shape == (self.units, self.units):
                    torch.nn.init.orthogonal_(weight, gain=self.gain, generator=random)
        return made


def ended(trial: BirthTrial) -> Arrays:
    """Angles (3,) of dh and the decoder's gradient at the end of a training, in degrees.

    The one that is seen, and those of (E44) and (E43) at that dy, from the lengths measured at t₁ and nothing
    fitted.
    """
    network, data = trial.network(), trial.data()
    seen = watch(network, data, layer=network.middle, lr=trial.lr, epochs=trial.epochs)
    end = measured(network, data, network.middle)
    told = (
        _angles_told(end.u * end.r * end.cosine, seen.start, seen.birth, seen.run.task, lr=trial.lr,
                     depth=seen.layers, across=across)
        for across in BIRTHS.values()
    )  # fmt: skip
    return {"angles": np.array([end.angle, *told], np.float32)}

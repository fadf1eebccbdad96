"""The protocol of the zoo: how a system is set, trained on three pairs, scored and judged.

Each seed of a system is trained from one start on three targets. Two constants are fitted to the first run,
and carried to the second, whose targets lie farther apart, and to the third, whose targets are five times
nearer than the first one's: a crossing from rich towards lazy, which a scaled curve cannot follow.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from types import MappingProxyType

import numpy as np
import torch

from ..carry import carried, fitted_sigmoid
from ..experiments.store import FOLDER, load
from ..experiments.trial import Watch
from ..fit import MIN_ROWS, fit_rates, without_mean
from ..state import Run, State
from ..theory import SingularSystem
from ..training import TrainingDiverged, decoder_gradient, train
from .catalogue import study, system
from .system import Settings, System, trained_numbers

Arrays = dict[str, np.ndarray]

PAIRS: Mapping[str, float] = MappingProxyType({"first": 0.5, "up": 1.0, "down": 0.02})
"""‖dy*‖² of the three runs of a seed; the constants are fitted to the first."""

EPOCHS: Mapping[str, int] = MappingProxyType({"first": 4000, "up": 4000, "down": 8000})
"""Epochs after which a run of each pair ends, learned or not."""

SEEDS = range(5)
"""Seeds that are explored."""

FRESH_SEEDS = range(100, 105)
"""Seeds that judge claims: trained from commits that held the claims."""

# --- settings, by rule --------------------------------------------------------------------------

GROWTH = 3.0
"""Growth of ‖dh‖² from which a start counts as rich."""

RISE = 0.01
"""Share by which no step may raise the loss at the largest stable learning rate."""

FIRST_LOOK = 64
"""Epochs in which most learning rates that are too large show it."""

LEARNED = 1e-3
"""Loss of a run that has learned targets of the first pair; that of another pair is in proportion."""


@dataclass(frozen=True)
class _Trial:
    """What a stored file of the zoo has in each row: a system or study, by name, and a seed."""

    name: str
    seed: int = 0
    environment = MappingProxyType({})


@dataclass(frozen=True)
class Settled(_Trial):
    """The trial that finds a system's settings, by rule and with seed 0 alone."""

    cost = 30.0

    @property
    def settings(self) -> _Rule:
        """What the rule starts from."""
        return _Rule(list(system(self.name).gains))


@dataclass(frozen=True)
class _Rule:
    gains: list[float]  # as JSON has it
    growth: float = GROWTH
    rise: float = RISE


class NoStableRate(RuntimeError):
    """Every learning rate of the rule raises the loss in some step."""


def settled(trial: Settled) -> Arrays:
    """Gain and learning rate of a system, and how time constants change at half the rate.

    The learning rate of a gain is a third of the largest 10^(-k/3) at which no step raises the loss by more
    than RISE; the gain is the largest at which ‖dh‖² grows GROWTH times. Where none does, or a smaller one
    does not learn, it is the smallest that learns; a smaller gain without a stable rate is passed over.
    `half` is (τ_h, τ_y) at half the rate over twice those at the rate: 1 where a step is small enough to be a
    flow.
    """
    one = system(trial.name)
    lr, run = _largest_rate(one, one.gains[0])
    gain = one.gains[0]
    for smaller in one.gains[1:]:
        if not _learned(run, "first") or _growth(run) >= GROWTH:
            break
        try:
            other, found = _largest_rate(one, smaller)
        except NoStableRate:  # routing that switches can raise the loss at any rate; a smaller gain may not
            continue
        if not _learned(found, "first"):
            break
        gain, lr, run = smaller, other, found
    chosen = Settings(gain, lr / 3)
    return {
        "gain": np.float64(gain),
        "lr": np.float64(chosen.lr),
        "grew": np.float64(_growth(run)),
        "parameters": np.int32(trained_numbers(one.network(0, gain))),
        "half": _half_rate(one, chosen),
    }


def _largest_rate(one: System, gain: float) -> tuple[float, Run]:
    """The largest stable learning rate of seed 0 at a gain, and its run until it has learned."""
    for k in range(-3, 19):
        lr = 10 ** (-k / 3)
        settings = Settings(gain, lr)
        for epochs in (FIRST_LOOK, EPOCHS["first"]):
            run = trained(one, 0, "first", settings, epochs=epochs, stop_at_loss=LEARNED)
            # A step that happens to land on the targets is no stable rate.
            if run is None or run.stopped == "diverged" or _rises(run) or len(run) < MIN_ROWS:
                break
        else:
            return lr, run
    raise NoStableRate(
        f"no learning rate from 10 to 1e-6 lets the loss of {one.name!r} fall at gain {gain:g}"
    )


def _rises(run: Run) -> bool:
    return bool((np.diff(run.loss) > RISE * run.loss[:-1]).any())


def _growth(run: Run) -> float:
    return float(run.trajectory.dh2[-1] / run.trajectory.dh2[0])


def _half_rate(one: System, chosen: Settings) -> np.ndarray:
    taus = []
    for share in (1, 2):
        slower = Settings(chosen.gain, chosen.lr / share)
        run = trained(one, 0, "first", slower, epochs=share * EPOCHS["first"])
        if run is None or not _learned(run, "first"):
            return np.full(2, np.nan)
        taus.append(np.array([*fit_rates(continued(run), unconverged="keep").rates]))
    return taus[1] / (2 * taus[0])


# --- training -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Specimen(_Trial):
    """One seed of a system, trained on the three pairs of PAIRS."""

    cost = 10.0

    @property
    def settings(self) -> Settings:
        """Gain and learning rate: the system's own, or those that the rule found.

        Raises StoredFileError, naming the command, where the rule has not been run.
        """
        own = system(self.name).settings
        if own is not None:
            return own
        path = FOLDER / f"zoo-{self.name}-settings.npz"
        return _found(path, path.stat().st_mtime_ns if path.exists() else 0)

    def train(self, pair: str = "first", *, watch: Watch | None = None) -> Run | None:
        """The run on one of PAIRS; None where it diverged at once."""
        return trained(system(self.name), self.seed, pair, self.settings, watch=watch)


@cache
def _found(path: Path, written: int) -> Settings:
    """What the rule found, read once for each time that its file is written."""
    found = load(path, command=f"make runs ARGS={path.stem}").arrays
    return Settings(float(found["gain"][0]), float(found["lr"][0]))


def trained(
    one: System,
    seed: int,
    pair: str,
    settings: Settings,
    *,
    epochs: int | None = None,
    stop_at_loss: float | None = None,
    watch: Watch | None = None,
) -> Run | None:
    """Train one seed of a system on one of PAIRS; a run that diverges ends there, None if at once."""
    network = one.network(seed, settings.gain)
    optimizer = one.optimizer if watch is None else watch.optimizer(one.optimizer, network)
    try:
        return train(
            network,
            one.pair(PAIRS[pair]),
            lr=settings.lr,
            epochs=epochs or EPOCHS[pair],
            layer=one.layer,
            optimizer=optimizer,
            stop_at_loss=stop_at_loss or one.stop_at_loss,
            seed=seed,
            progress=False,
        )
    except TrainingDiverged as diverged:
        return diverged.run


def _learned(run: Run, pair: str) -> bool:
    return bool(run.stopped != "diverged" and run.loss[-1] <= LEARNED * PAIRS[pair] / PAIRS["first"])


def continued(run: Run) -> Run:
    """The run as it ended for half its length more, so that a fit sees the end."""
    more = len(run) // 2
    state = State(*(np.pad(values, (0, more), mode="edge") for values in run.trajectory))
    t = np.r_[run.t, run.t[-1] + np.arange(1, more + 1)]
    return replace(run, t=t, trajectory=state, loss=np.pad(run.loss, (0, more), mode="edge"))


# --- the score ----------------------------------------------------------------------------------

CLOCKS = ("start", "mean")
"""Where a run begins: at epoch 0, or once the mean is learned."""

MODELS = ("theory", "curve", "scaled")
"""What predicts: (7), the logistic as it was, the logistic scaled to the new targets."""


def scored(first: Run, up: Run, down: Run) -> Arrays:
    """The score of one seed, for each of CLOCKS; NaN where a clock leaves no run to be scored.

    r2 and curve_r2 (2, 3): in sample, of (7) and of the logistic told the end; rates (2, 2), converged (2,);
    carried_r2 and carried_error (2, 3, 2, 3): clock, one of MODELS, up and down, variable; carried_end
    (2, 3, 2): predicted over seen last ‖dh‖²; t1 (3,): epochs at which the mean is learned.
    """
    whole = [first, up, down]
    later = [without_mean(run) for run in whole]
    begins = [np.nan if run is None else float(run.t[0]) for run in later]
    per_clock = [_scored_from(runs) for runs in (whole, later)]
    return {name: np.array([one[name] for one in per_clock]) for name in per_clock[0]} | {
        "t1": np.array(begins)
    }


def _scored_from(runs: list[Run | None]) -> Arrays:
    found = _nothing()
    if any(run is None or run.stopped == "diverged" or _is_flat(run) for run in runs):
        return found
    first, *others = (continued(run) for run in runs)
    fit, curve = fit_rates(first, unconverged="keep"), fitted_sigmoid(first)
    found["r2"], found["curve_r2"] = np.array([*fit.r2]), np.array([*curve.r2])
    found["rates"], found["converged"] = np.array([*fit.rates]), np.bool_(fit.converged)
    for k, other in enumerate(others):
        try:
            told = carried(fit, other)
        except SingularSystem:  # (7) has no solution with these constants: nothing is predicted
            continue
        for m, name in enumerate(MODELS):
            model = getattr(told, name)
            found["carried_r2"][m, k] = [*model.r2]
            found["carried_error"][m, k] = [*model.error]
            found["carried_end"][m, k] = model.end
    return found


def _nothing() -> Arrays:
    shapes = {"r2": 3, "curve_r2": 3, "rates": 2, "carried_r2": (3, 2, 3), "carried_error": (3, 2, 3),
              "carried_end": (3, 2)}  # fmt: skip
    return {name: np.full(shape, np.nan) for name, shape in shapes.items()} | {"converged": np.bool_(False)}


def _is_flat(run: Run) -> bool:
    return len(run) < MIN_ROWS or any(np.ptp(values) == 0 for values in run.trajectory)


# --- what is stored -----------------------------------------------------------------------------

ROWS = 300
"""Rows that are stored of a curve."""

LOOK_EVERY = 20
"""Epochs between two looks at the decoder's gradient."""

UNITS = 512
"""Numbers that are stored of dh before and after; those of a narrower layer are followed by NaN."""


def measured(specimen: Specimen) -> Arrays:
    """The three runs of a specimen, thinned to ROWS in float32, their score, and the decoder behind h.

    t, dh2, dy2, w, loss (3, ROWS), NaN behind their end; learned (3,); looks (3, 4000 / LOOK_EVERY):
    u = ‖dh‖, r = ‖D_y‖ and the cosine of their angle in the first run; dh (2, UNITS) before and after; turn,
    the angle between those, in degrees.
    """
    one = system(specimen.name)
    looks: list[tuple[float, float, float]] = []

    def look(network) -> None:
        looks.append(_alignment(one, network))

    runs = {pair: specimen.train(pair) for pair in ("up", "down")}
    runs = {"first": specimen.train("first", watch=Watch(look, LOOK_EVERY)), **runs}
    kept = {"learned": np.array([run is not None and _learned(run, p) for p, run in runs.items()])}
    kept |= _curves(runs) | _looks(looks)
    if any(run is None for run in runs.values()):
        nothing = {name: np.stack([value] * len(CLOCKS)) for name, value in _nothing().items()}
        dh = np.full((2, UNITS), np.nan, np.float32)
        return kept | nothing | {"t1": np.full(3, np.nan), "turn": np.float64(np.nan), "dh": dh}
    first = runs["first"]
    return (
        kept
        | scored(*(runs[pair] for pair in PAIRS))
        | {
            "turn": np.float64(first.rotation[one.layer]),
            "dh": _padded(first.dh_ends[one.layer][:, :UNITS], UNITS),
        }
    )


def _alignment(one: System, network: torch.nn.Module) -> tuple[float, float, float]:
    """(‖dh‖, ‖D_y‖, cosine of their angle) of a network; D_y is the mean of that at both points."""
    inputs, targets = one.pair(PAIRS["first"])
    dy_target = targets[1] - targets[0]
    h, gradient = decoder_gradient(network, inputs, one.layer, dy_target / dy_target.norm())
    dh, rho = h[1] - h[0], gradient.mean(dim=0)
    u, r = float(dh.norm()), float(rho.norm())
    return u, r, float(dh @ rho) / (u * r) if u * r > 0 else 0.0


def _looks(looks: list[tuple[float, float, float]]) -> Arrays:
    rows = EPOCHS["first"] // LOOK_EVERY
    return {"looks": _padded(np.array(looks).T[:, :rows] if looks else np.empty((3, 0)), rows)}


def _curves(runs: Mapping[str, Run | None]) -> Arrays:
    thinned = [_thinned(run) for run in runs.values()]
    return {name: np.stack([curves[name] for curves in thinned]) for name in thinned[0]}


def _thinned(run: Run | None) -> Arrays:
    if run is None:
        return {name: np.full(ROWS, np.nan, np.float32) for name in ("t", "dh2", "dy2", "w", "loss")}
    rows = np.unique(np.linspace(0, len(run) - 1, ROWS).round().astype(int))
    columns = {"t": run.t, "dh2": run.trajectory.dh2, "dy2": run.trajectory.dy2, "w": run.trajectory.w,
               "loss": run.loss}  # fmt: skip
    return {name: _padded(values[None, rows], ROWS)[0] for name, values in columns.items()}


def _padded(rows: np.ndarray, length: int) -> np.ndarray:
    """Rows in float32, filled up with NaN; what diverged stops at the largest number that it holds."""
    largest = np.finfo(np.float32).max
    filled = np.pad(rows, ((0, 0), (0, length - rows.shape[1])), constant_values=np.nan)
    return np.float32(np.clip(filled, -largest, largest))


# --- verdicts -----------------------------------------------------------------------------------

A_TENTH = 0.1
"""1 - R² up to which both distances count as described: the bound of the paper's own architectures."""

HALF = 0.5
"""Share of the scaled logistic's error of ‖dy‖² on the nearer targets that (7) may make."""

VERDICTS = ("law", "curve", "neither", "does not learn")


def in_sample_miss(score: Mapping, model: str = "theory", clock: int = 0) -> np.ndarray:
    """1 - R² of the worse distance in the first run, over a tenth: (seeds,), below 1 where it fits."""
    r2 = np.asarray(score["r2" if model == "theory" else "curve_r2"])[..., clock, :2]
    return (1 - r2.min(axis=-1)) / A_TENTH


def law_miss(score: Mapping, model: str = "theory", clock: int = 0) -> np.ndarray:
    """The largest of three misses over their bounds: (seeds,), below 1 where a law holds.

    In sample and up, 1 - R² of the worse distance over a tenth; down, the error of ‖dy‖² over half of the
    scaled logistic's. Infinite where nothing could be predicted. model: one of MODELS.
    """
    m = MODELS.index(model)
    up = (1 - np.asarray(score["carried_r2"])[..., clock, m, 0, :2].min(axis=-1)) / A_TENTH
    error = np.asarray(score["carried_error"])[..., clock, :, 1, 1]
    down = error[..., m] / (HALF * error[..., MODELS.index("scaled")])
    misses = np.stack([in_sample_miss(score, model, clock), up, down])
    return np.where(np.isnan(misses).any(axis=0), np.inf, misses.max(axis=0))


def verdict(score: Mapping, clock: int = 0) -> str:
    """One of VERDICTS, by the medians of the seeds that learn; arrays of `score` have a row a seed."""
    learned = np.asarray(score["learned"])[:, 0]
    if 2 * learned.sum() <= learned.size:
        return "does not learn"
    if np.median(law_miss(score, clock=clock)[learned]) < 1:
        return "law"
    fits = in_sample_miss(score, clock=clock)[learned]
    return "curve" if np.median(np.where(np.isnan(fits), np.inf, fits)) < 1 else "neither"


# --- studies ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Study(_Trial):
    """One seed of a study: what a family measures beside the protocol."""

    @property
    def settings(self) -> _NoSettings:
        """None but its name and seed."""
        return _NoSettings()

    @property
    def cost(self) -> float:
        """Core-seconds that it takes, about."""
        return study(self.name).seconds


@dataclass(frozen=True)
class _NoSettings:
    pass


def studied(trial: Study) -> Arrays:
    """What the study of a name measures with a seed."""
    return study(trial.name).measure(trial.seed)

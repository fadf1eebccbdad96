"""The stored runs: what each experiment trains, and loading it.

A sheet is one file: one or more trials, and what is kept of each. `make` computes what is missing.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..fit import FitWarning, fit_rates
from ..theory import State, TwoPoint
from ..training import Run
from . import alternatives
from .measures import (
    ENDS,
    alone_and_together,
    ends,
    fitted,
    matrices,
    repeated,
    shapes,
    structure_and_pair,
    trajectory,
    watched,
)
from .store import Stored, StoredFileError, load
from .tables import INITIAL_WEIGHTS, TABLE_1, TABLE_2, UNIVERSAL
from .trial import ARITHMETICS, RepeatedTrial, TaskTrial, Trial

if TYPE_CHECKING:
    from ..figures import Table

FOLDER = Path(__file__).resolve().parent.parent.parent / "book" / "runs"
"""Where the files lie: in the checkout, beside the chapters that show them."""

# --- wrong theories -----------------------------------------------------------------------


def rivals(trial: Trial) -> dict[str, np.ndarray]:
    """Fits of (7) and of every theory that is wrong on purpose to one trajectory, (theories, ...).

    In the order of THEORIES. Curves of a shape get the measured end of ‖dh‖², which (7) has to predict.
    """
    try:
        run = recorded(trial.row, trial.seed).run
    except StoredFileError:  # not there, or on another machine
        run = trial.train(progress=False).run
    state = run.trajectory
    solvers = [None, alternatives.two_exponentials(state.dh2[-1]), alternatives.sigmoid(state.dh2[-1])]
    solvers += [alternatives.solver(name) for name in alternatives.altered()]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FitWarning)  # kept as `converged`
        fits = [fit_rates(run.t, state, run.task, solver=solver) for solver in solvers]
    return {
        "rates": np.array([[fit.rates.tau_h, fit.rates.tau_y] for fit in fits]),
        "r2": np.array([[*fit.r2] for fit in fits]),
        "residual": np.array([fit.residual for fit in fits]),
        "converged": np.array([fit.converged for fit in fits]),
    }


THEORIES = ("equation (7)", "two exponentials", "sigmoid", *alternatives.altered())
"""What `rivals` fits: the theory, two shapes of curves, and (7) with one term altered."""


# --- sheets ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Sheet:
    """One stored file: its name, its trials, and what is kept of each, in arrays with a row a trial."""

    name: str
    trials: tuple[Trial | TaskTrial, ...]
    measure: Callable[[Trial | TaskTrial], dict[str, np.ndarray]]

    @property
    def path(self) -> Path:
        """Where the file lies."""
        return FOLDER / f"{self.name}.npz"

    @property
    def command(self) -> str:
        """What makes it."""
        return f"make runs ARGS={self.name}"

    @property
    def settings(self) -> list[dict]:
        """Each trial in full, as JSON has it."""
        return [asdict(trial) | {"table": {**asdict(trial.settings)}} for trial in self.trials]

    def load(self, *, whole: bool = True) -> Stored:
        """What is stored; raises StoredFileError where that is not all of it, or of other settings."""
        stored = load(self.path, command=self.command)
        if stored.provenance.get("settings") != self.settings:
            raise StoredFileError(
                f"{self.path} was made with other settings; make it again with: {self.command}"
            )
        done = stored.arrays["done"]
        if whole and not done.all():
            raise StoredFileError(
                f"{self.path} holds {done.sum()} of {done.size} trials; finish it with: {self.command}"
            )
        return stored


def slug(row: str) -> str:
    """The name of a row of Table 1 as files have it."""
    return row.lower().replace(" ", "-")


EVERY_LAYER = ("Default", "Linear", "Tanh")
"""Rows of which every layer is kept, for the chapters that look at depth."""

SEEDS = range(3)
"""Of the trajectories that are kept whole."""

FITS = range(50)
"""Seeds of the fits that Figure 5 averages, the paper's number of them."""

DISTANCES = tuple(product(np.linspace(0.5, 1.5, 5).tolist(), np.linspace(0.0, 1.0, 5).tolist()))
"""(‖dx‖, ‖dy*‖) of the 5 x 5 trials of Figure 5."""


def _whole(rows: Iterable[str]) -> list[Sheet]:
    return [
        Sheet(f"{slug(row)}-{seed}",
              (Trial(row, seed, layers="all" if row in EVERY_LAYER else "middle"),), trajectory)
        for row in rows for seed in SEEDS
    ]  # fmt: skip


def _fits(row: str) -> Sheet:
    # Below this loss ‖dy‖² and w are within 1e-3 of the target's size, by (9); a fit sees no more.
    trials = tuple(Trial(row, seed, stop_at_loss=1e-8) for seed in FITS)
    return Sheet(f"{slug(row)}-fits", trials, fitted)


def _grid(row: str) -> Sheet:
    trials = tuple(
        Trial(row, FITS.stop + n, dx**2, dy**2, lr_factor=0.4, epochs=40_000, stop_at_loss=1e-4)
        for n, (dx, dy) in enumerate(DISTANCES)
    )
    return Sheet(f"{slug(row)}-grid", trials, ends)


TASK_SEEDS = range(5)
"""Of trainings on XOR."""

BATCH = 64
"""Points a step on the blobs, digits and MNIST: the authors' choice."""

XOR_GAINS = (0.85, 0.95, 1.05, 1.15, 1.25, 1.35, 1.5, 1.75, 2.0)
BLOB_GAINS = (0.35, 0.7, 1.0, 1.4)

_XOR_RATES = {0.85: 0.03, 0.9: 0.015, 1.0: 0.005, 1.1: 0.0025, 1.25: 0.002, 1.4: 0.00025, 2.0: 3e-9}
"""Learning rates by gain, of 20 layers: the authors' for XOR at its ends and middle, else Table 1's."""


def _between(known: dict[float, float], gain: float) -> float:
    """A value between known ones, on logarithmic scales."""
    return float(np.exp(np.interp(np.log(gain), np.log(list(known)), np.log(list(known.values())))))


def _xor() -> list[Sheet]:
    rows = {"low": "XOR Low weights", "intermediate": "XOR Intermediate weights",
            "high": "XOR High weights", "2-layers": "XOR 2 layers"}  # fmt: skip
    printed = [
        Sheet(f"xor-{name}", tuple(TaskTrial(row, "xor", seed) for seed in TASK_SEEDS), matrices)
        for name, row in rows.items()
    ]
    low = rows["low"]
    # The authors' loss has no half, which doubles their rate; they use ReLU, 3000 epochs and gain 0.85.
    authors = {"gain": 0.85, "lr_factor": 2.0, "epochs": 3000, "stop_at_loss": 1e-6}
    relu = tuple(TaskTrial(low, "xor", seed, nonlinearity="relu", **authors) for seed in TASK_SEEDS)
    gains = tuple(
        TaskTrial(low, "xor", seed, **(authors | {
            "gain": gain, "lr_factor": _between(_XOR_RATES, gain) / TABLE_2[low].lr}))
        for gain in XOR_GAINS for seed in (TASK_SEEDS if gain == authors["gain"] else SEEDS)
    )  # fmt: skip
    return [*printed, Sheet("xor-relu", relu, matrices), Sheet("xor-gains", gains, matrices)]


def _blobs() -> list[Sheet]:
    rows = ("Blobs Very low weights", "Blobs Low weights", "Blobs High weights")
    rates = {TABLE_2[row].gain: TABLE_2[row].lr for row in rows}
    epochs = {TABLE_2[row].gain: TABLE_2[row].epochs for row in rows}
    printed = tuple(TaskTrial(row, "blobs", seed, batch=BATCH, every=29) for row in rows for seed in SEEDS)
    gains = tuple(
        TaskTrial(rows[1], "blobs", seed, batch=BATCH, every=29, gain=gain,
                  lr_factor=_between(rates, gain) / TABLE_2[rows[1]].lr,
                  epochs=round(_between(epochs, gain)))
        for gain in BLOB_GAINS for seed in SEEDS
    )  # fmt: skip
    return [Sheet("blobs", printed, shapes), Sheet("blobs-gains", gains, shapes)]


def _digits() -> list[Sheet]:
    # As many steps as MNIST has in its first sixty epochs: by then digits are learned.
    trials = tuple(
        TaskTrial("MNIST", "digits", seed, batch=BATCH, epochs=2000, every=29) for seed in SEEDS
    )  # fmt: skip
    return [Sheet("digits", trials, structure_and_pair)]


def _mnist() -> list[Sheet]:
    common = {"batch": BATCH, "every": 94}
    # The authors' loss is a mean over the ten outputs too: a tenth of the paper's, (1), and of its rate.
    return [
        Sheet("mnist", (TaskTrial("MNIST", "mnist", **common),), structure_and_pair),
        Sheet("mnist-authors", (TaskTrial("MNIST", "mnist", lr_factor=0.1, **common),), structure_and_pair),
        Sheet("mnist-adam", (
            TaskTrial("MNIST", "mnist", optimizer="Adam", lr_factor=0.05, epochs=100, **common),),
            structure_and_pair),
        Sheet("mnist-pairs", (TaskTrial("MNIST", "mnist", points=10_000),), alone_and_together),
    ]  # fmt: skip


def _optimizers() -> list[Sheet]:
    two, narrow = ("Default", "two points"), ("Narrow", "two points")
    low = ("XOR Low weights", "xor")
    adam = {"optimizer": "Adam"}
    # The authors' 1e-6 on two points is 2e-4 of their rate of gradient descent: so here for XOR too.
    xor = [
        {"gain": 0.85, "epochs": 3000, "lr_factor": 2e-4},
        {"gain": 1.25, "epochs": 3000, "lr_factor": 2e-4},
    ]
    # Four layers bear more; a tenth of Adam's usual 1e-3.
    blobs = {row: 1e-4 / TABLE_2[row].lr for row in ("Blobs Low weights", "Blobs High weights")}
    return [
        Sheet("two-points-adam", tuple(TaskTrial(*two, seed, lr_factor=2e-4, **adam) for seed in SEEDS),
              watched),
        Sheet("two-points-momentum", tuple(
            TaskTrial(*narrow, seed, optimizer="momentum", lr_factor=0.1) for seed in SEEDS), watched),
        # Two steps an epoch, each along the gradient of one point: half the rate goes as far.
        Sheet("two-points-one-by-one", tuple(
            TaskTrial(*narrow, seed, batch=1, lr_factor=0.5, every=2) for seed in SEEDS), watched),
        Sheet("xor-adam", tuple(
            TaskTrial(*low, seed, **adam, **how) for how in xor for seed in (0, 1)), matrices),
        Sheet("blobs-adam", tuple(
            TaskTrial(row, "blobs", seed, batch=BATCH, every=29, lr_factor=factor, **adam)
            for row, factor in blobs.items() for seed in SEEDS), shapes),
        Sheet("blobs-adam-default", tuple(
            TaskTrial("Blobs Low weights", "blobs", seed, batch=BATCH, every=29, lr_factor=1e-3 / 0.015,
                      **adam) for seed in SEEDS), shapes),
        Sheet("digits-adam", tuple(
            TaskTrial("MNIST", "digits", seed, batch=BATCH, every=29, epochs=2000, lr_factor=0.05, **adam)
            for seed in SEEDS), structure_and_pair),
    ]  # fmt: skip


CROWDS = (2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 1797)
"""How many digits the two that are watched are trained with."""


def _crowds() -> list[Sheet]:
    trials = tuple(
        TaskTrial("MNIST", "digits", seed, points=points, lr_factor=5.0, epochs=6000, every=5)
        for points in CROWDS for seed in SEEDS
    )  # fmt: skip
    return [Sheet("crowds", trials, watched)]


REPEATED_ROWS = ("Default", "ReLU", "Narrow", "Shallow", "Linear", "Tanh")
"""Rows of Table 1 that are trained again under other roundings: rectified and smooth, deep and not."""

REPEATED_SEEDS = (0, 1)
"""Seeds of those trainings."""

PERTURBATIONS = range(3)
"""Seeds of the changes of their initial weights."""


def _reproducibility() -> list[Sheet]:
    roundings = [{"arithmetic": name} for name in ARITHMETICS]
    roundings += [{"perturbation": seed} for seed in PERTURBATIONS]
    trials = tuple(
        RepeatedTrial(row, seed, **rounding)
        for row in REPEATED_ROWS
        for seed in REPEATED_SEEDS
        for rounding in roundings
    )
    return [Sheet("reproducibility", trials, repeated)]


EXPERIMENTS: dict[str, list[Sheet]] = {
    "universal": _whole(UNIVERSAL),
    "initial-weights": _whole(INITIAL_WEIGHTS),
    "rounding": [
        Sheet(f"default-{seed}-float64", (Trial("Default", seed, precision="float64"),), trajectory)
        for seed in SEEDS
    ],
    "reproducibility": _reproducibility(),
    "rivals": [Sheet("rivals", tuple(Trial(row, seed) for row in UNIVERSAL for seed in SEEDS), rivals)],
    "final-distance": [sheet for row in UNIVERSAL for sheet in (_grid(row), _fits(row))],
    "xor": _xor(),
    "feature-collapse": _blobs(),
    "digits-and-mnist": [*_digits(), *_mnist()],
    "many-points": _crowds(),
    "optimizers": _optimizers(),
}
"""The sheets of each experiment; one that two of them need is one file."""

SHEETS = {sheet.name: sheet for sheets in EXPERIMENTS.values() for sheet in sheets}
"""Every sheet by name."""


def sheet(name: str) -> Sheet:
    """The sheet of a name; raises ValueError, with what there is, for an unknown one."""
    if name not in SHEETS:
        raise ValueError(f"name must be one of {', '.join(SHEETS)}; got {name!r}")
    return SHEETS[name]


@dataclass(frozen=True, eq=False)
class Recorded:
    """A stored trajectory: its Run, by how much dh turned at each layer (degrees), its provenance."""

    run: Run
    turned: np.ndarray
    provenance: dict


def recorded(row: str, seed: int = 0, *, layers: str = "middle", precision: str = "float32") -> Recorded:
    """The stored run of a row of Table 1: at the layer that the paper reads, or by layer number for "all".

    Raises ValueError for a row, seed, layers or precision that are not kept, StoredFileError for a file
    that is missing or damaged.
    """
    known = sheet(f"{slug(row)}-{seed}" + ("" if precision == "float32" else f"-{precision}"))
    (trial,) = known.trials
    if layers not in ("middle", "all"):
        raise ValueError(f"layers must be 'middle' or 'all', got {layers!r}")
    if layers == "all" and trial.layers != "all":
        raise ValueError(f"layers must be 'middle' for {row}, of which no other is kept; got 'all'")
    stored = known.load()
    kept = {name: array[0] for name, array in stored.arrays.items()}
    states = [State(np.float64(dh2), np.float64(kept["dy2"]), np.float64(kept["w"])) for dh2 in kept["dh2"]]
    turned = kept["turned"]
    if layers == "middle":
        middle = TABLE_1[row].hidden_layers // 2 if trial.layers == "all" else 0
        states, turned = states[middle], turned[middle : middle + 1]
    run = Run(
        np.arange(kept["loss"].size, dtype=float), states, np.float64(kept["loss"]),
        TwoPoint(trial.dx2, trial.dy2_target), trial.settings.lr, ENDS[kept["stopped"]],
    )  # fmt: skip
    return Recorded(run, turned, stored.provenance)


def tracked(name: str) -> list[Run]:
    """The pair that was watched in each trial of a sheet of many points, or of another optimizer.

    Time is in epochs, parts of them where a step is less than one. Raises as `Sheet.load` does.
    """
    known = sheet(name)
    a = known.load().arrays
    found = []
    for k, trial in enumerate(known.trials):
        state = State(*(np.float64(a[variable][k]) for variable in ("dh2", "dy2", "w")))
        # Two labels that differ, one-hot; the two-point task has Table 1's distance.
        task = TwoPoint(float(a["dx2"][k]), 0.5 if trial.task == "two points" else 2.0)
        t, loss = a["interval"][k] * np.arange(len(state)), np.float64(a["loss"][k])
        found.append(Run(t, state, loss, task, trial.settings.lr, ENDS[a["stopped"][k]]))
    return found


def provenance() -> Table:
    """The table of all stored files: what is in each, what made it, when, where, in how long."""
    from ..figures import Table

    rows = []
    for name, known in SHEETS.items():
        made = known.load().provenance["trials"]
        seeds = sorted({trial.seed for trial in known.trials})
        days = {datetime.fromtimestamp(trial["at"], UTC).date().isoformat() for trial in made}
        rows.append([
            name, len(made), seeds[0] if len(seeds) == 1 else f"{seeds[0]} to {seeds[-1]}",
            f"{sum(trial['seconds'] for trial in made):.0f} s",
            ", ".join(sorted({trial["commit"][:10] for trial in made})), ", ".join(sorted(days)),
            ", ".join(sorted({trial["versions"]["torch"] for trial in made})),
            ", ".join(sorted({trial["machine"] for trial in made})),
        ])  # fmt: skip
    return Table(["file", "trials", "seeds", "took", "commit", "day", "torch", "machine"], rows)

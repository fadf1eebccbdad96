"""The stored runs: what each experiment trains, and loading it.

A sweep is one file: one or more trials, and what is kept of each. `make` computes what is missing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
from itertools import product
from pathlib import Path

import numpy as np

from ..growth import Lengths
from ..state import Run, State, TwoPoint
from ..zoo import catalogue, protocol
from . import angles, forecasts, identity, kernels, measures, one_layer
from .measures import ENDS
from .store import FOLDER, Stored, StoredFileError, load
from .tables import INITIAL_WEIGHTS, TABLE_1, TABLE_2, UNIVERSAL
from .trial import ARITHMETICS, TASKS, RepeatedTrial, TaskTrial, Trial
from .waiting import NearMissTrial, WaitingTrial, near_miss, waiting

Arrays = dict[str, np.ndarray]


@dataclass(frozen=True)
class Sweep:
    """One stored file: its name, its trials, and what is kept of each, in arrays with a row a trial."""

    name: str
    trials: tuple[Trial | TaskTrial, ...]
    measure: Callable[[Trial | TaskTrial], Arrays]
    rests_on: str = ""
    """Name of a sweep that has to be there first: its trials read their settings from it."""

    @property
    def path(self) -> Path:
        """Path of the file."""
        return FOLDER / f"{self.name}.npz"

    @property
    def command(self) -> str:
        """Shell command that makes the file."""
        return f"make runs ARGS={self.name}"

    @property
    def settings(self) -> list[dict]:
        """Each trial in full, as JSON has it."""
        return [asdict(trial) | {"table": {**asdict(trial.settings)}} for trial in self.trials]

    def load(self, *, whole: bool = True) -> Stored:
        """The stored arrays; raises StoredFileError where some are missing or of other settings."""
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


# --- two points: the rows of Table 1 -----------------------------------------------------------

SEEDS = range(3)
"""Seeds of the runs whose whole trajectory is stored, and of most other trainings."""

EVERY_LAYER = ("Default", "Linear", "Tanh")
"""Rows of Table 1 of which every layer is stored, for the chapters that look at depth."""

FITS = range(50)
"""Seeds of the fits that Figure 5 averages, the paper's number of them."""

DISTANCES = tuple(product(np.linspace(0.5, 1.5, 5).tolist(), np.linspace(0.0, 1.0, 5).tolist()))
"""(‖dx‖, ‖dy*‖) of the 5 x 5 trials of Figure 5."""


def slug(row: str) -> str:
    """The name of a row of Table 1 in file names."""
    return row.lower().replace(" ", "-")


def _whole(row: str, seed: int, precision: str = "float32") -> Sweep:
    """One run of a row, its whole trajectory kept."""
    layers = "all" if row in EVERY_LAYER and precision == "float32" else "middle"
    name = f"{slug(row)}-{seed}" + ("" if precision == "float32" else f"-{precision}")
    trial = Trial(row, seed, layers=layers, precision=precision)
    return Sweep(name, (trial,), measures.trajectory)


def _fits(row: str) -> Sweep:
    # Below this loss ‖dy‖² and w are within 1e-3 of the target's size, by (9); a fit sees no more.
    trials = tuple(Trial(row, seed, stop_at_loss=1e-8) for seed in FITS)
    return Sweep(f"{slug(row)}-fits", trials, measures.fitted)


FRESH_SEEDS = range(100, 120)
"""Seeds of the runs that judge claims: trained from commits that held the claims, `urep.claims`."""


def _fresh(row: str) -> Sweep:
    trials = tuple(Trial(row, seed, stop_at_loss=1e-8) for seed in FRESH_SEEDS)
    return Sweep(f"{slug(row)}-fresh", trials, measures.sampled)


def _grid(row: str) -> Sweep:
    trials = tuple(
        Trial(row, FITS.stop + n, dx**2, dy**2, lr_factor=0.4, epochs=40_000, stop_at_loss=1e-4)
        for n, (dx, dy) in enumerate(DISTANCES)
    )
    return Sweep(f"{slug(row)}-grid", trials, measures.endpoints)


OTHER_TARGETS = (1.0, 0.125)
"""‖dy*‖² of the runs that constants are carried to: √2 times as far as Figure 2's 0.5, and half as far."""

CARRIED_SEEDS = {"": 0, "-fresh": 100}
"""The seed of those runs, explored and fresh: that of the run which the constants come from."""


def _other_targets(row: str) -> list[Sweep]:
    return [
        Sweep(
            f"{slug(row)}-targets{ending}",
            tuple(Trial(row, seed, dy2_target=dy2, stop_at_loss=1e-8) for dy2 in OTHER_TARGETS),
            measures.sampled,
        )
        for ending, seed in CARRIED_SEEDS.items()
    ]


FRESH_LAYERS_SEEDS = range(150, 160)
"""Seeds of the runs that judge claims about all layers: no other sweep of a row has them."""


def _fresh_layers(row: str) -> Sweep:
    trials = tuple(Trial(row, seed, layers="all") for seed in FRESH_LAYERS_SEEDS)
    return Sweep(f"{slug(row)}-layers-fresh-150", trials, measures.fitted_layers)


FRESH_GRIDS = ("Default", "Shallow", "Narrow")
"""Rows of Table 1 whose 5 x 5 trials are repeated with fresh seeds."""


def _fresh_grid(row: str) -> Sweep:
    again = tuple(replace(trial, seed=FRESH_SEEDS.stop + n) for n, trial in enumerate(_grid(row).trials))
    return Sweep(f"{slug(row)}-grid-fresh", again, measures.endpoints)


def fitted_alternatives(trial: Trial) -> Arrays:
    """Fits of (7) and of all alternatives to a stored run, or to one trained now where none is stored."""
    try:
        run = stored_run(trial.row, trial.seed).run
    except StoredFileError:  # not there, or on another machine
        run = trial.train(progress=False).run
    return measures.alternatives(run)


REPEATED_ROWS = ("Default", "ReLU", "Narrow", "Shallow", "Linear", "Tanh")
"""Rows of Table 1 that are trained again under other roundings: rectified and smooth, deep and not."""

REPEATED_SEEDS = (0, 1)
"""Seeds of those trainings."""

PERTURBATIONS = range(3)
"""Seeds of the changes of their initial weights."""


def _reproducibility() -> Sweep:
    roundings = [{"arithmetic": name} for name in ARITHMETICS]
    roundings += [{"perturbation": seed} for seed in PERTURBATIONS]
    trials = tuple(
        RepeatedTrial(row, seed, **rounding)
        for row in REPEATED_ROWS
        for seed in REPEATED_SEEDS
        for rounding in roundings
    )
    return Sweep("reproducibility", trials, measures.repeated)


# --- many points, and other optimizers ---------------------------------------------------------

BATCH = 64
"""Points a step on the blobs, digits and MNIST: the authors' choice."""

EPOCH_OF_BLOBS = EPOCH_OF_DIGITS = 29
"""Steps of an epoch at that batch, of 1800 blobs or 1797 digits: they are recorded once an epoch."""

TENTH_OF_MNIST = 94
"""Steps of a tenth of an epoch at that batch on MNIST, which is recorded ten times an epoch."""

TASK_SEEDS = range(5)
"""Seeds of the printed settings on XOR."""

XOR_GAINS = (0.85, 0.95, 1.05, 1.15, 1.25, 1.35, 1.5, 1.75, 2.0)
BLOB_GAINS = (0.35, 0.7, 1.0, 1.4)

XOR_LOW, BLOBS_VERY_LOW, BLOBS_LOW, BLOBS_HIGH = (
    "XOR Low weights",
    "Blobs Very low weights",
    "Blobs Low weights",
    "Blobs High weights",
)

_XOR_RATES = {0.85: 0.03, 0.9: 0.015, 1.0: 0.005, 1.1: 0.0025, 1.25: 0.002, 1.4: 0.00025, 2.0: 3e-9}
"""Learning rates by gain, of 20 layers: the authors' for XOR at both ends and 1.25, else Table 1's."""


def _between(known: dict[float, float], gain: float) -> float:
    """A value between known ones, on logarithmic scales."""
    return float(np.exp(np.interp(np.log(gain), np.log(list(known)), np.log(list(known.values())))))


def _xor() -> list[Sweep]:
    rows = {
        "low": XOR_LOW,
        "intermediate": "XOR Intermediate weights",
        "high": "XOR High weights",
        "2-layers": "XOR 2 layers",
    }
    printed = [
        Sweep(f"xor-{name}", tuple(TaskTrial(row, "xor", seed) for seed in TASK_SEEDS), measures.matrices)
        for name, row in rows.items()
    ]
    # The authors' loss has no half, which doubles their rate; they use ReLU, 3000 epochs and gain 0.85.
    authors = {"gain": 0.85, "lr_factor": 2.0, "epochs": 3000, "stop_at_loss": 1e-6}
    relu = tuple(TaskTrial(XOR_LOW, "xor", seed, nonlinearity="relu", **authors) for seed in TASK_SEEDS)
    gains = tuple(
        TaskTrial(XOR_LOW, "xor", seed, **(authors | _xor_rate(gain)))
        for gain in XOR_GAINS
        for seed in (TASK_SEEDS if gain == authors["gain"] else SEEDS)
    )
    more = [Sweep("xor-relu", relu, measures.matrices), Sweep("xor-gains", gains, measures.matrices)]
    return printed + more


def _xor_rate(gain: float) -> dict[str, float]:
    return {"gain": gain, "lr_factor": _between(_XOR_RATES, gain) / TABLE_2[XOR_LOW].lr}


def _blob_trial(row: str, seed: int, **changes) -> TaskTrial:
    return TaskTrial(row, "blobs", seed, batch=BATCH, every=EPOCH_OF_BLOBS, **changes)


def _blobs() -> list[Sweep]:
    rows = (BLOBS_VERY_LOW, BLOBS_LOW, BLOBS_HIGH)
    rates = {TABLE_2[row].gain: TABLE_2[row].lr for row in rows}
    epochs = {TABLE_2[row].gain: TABLE_2[row].epochs for row in rows}
    printed = tuple(_blob_trial(row, seed) for row in rows for seed in SEEDS)
    gains = tuple(
        _blob_trial(
            BLOBS_LOW,
            seed,
            gain=gain,
            lr_factor=_between(rates, gain) / TABLE_2[BLOBS_LOW].lr,
            epochs=round(_between(epochs, gain)),
        )
        for gain in BLOB_GAINS
        for seed in SEEDS
    )
    return [
        Sweep("blobs", printed, measures.blob_geometry),
        Sweep("blobs-gains", gains, measures.blob_geometry),
    ]


def _digit_trial(seed: int, **changes) -> TaskTrial:
    # As many steps as MNIST has in its first sixty epochs: by then digits are learned.
    return TaskTrial("MNIST", "digits", seed, batch=BATCH, epochs=2000, every=EPOCH_OF_DIGITS, **changes)


def _digits_and_mnist() -> list[Sweep]:
    mnist = {"row": "MNIST", "task": "mnist", "batch": BATCH, "every": TENTH_OF_MNIST}
    plain = TaskTrial(**mnist)
    # The authors' loss is a mean over the ten outputs too: a tenth of the paper's, (1), and of its rate.
    authors = TaskTrial(**mnist, lr_factor=0.1)
    adam = TaskTrial(**mnist, optimizer="Adam", lr_factor=0.05, epochs=100)
    return [
        Sweep("digits", tuple(_digit_trial(seed) for seed in SEEDS), measures.distances_and_pair),
        Sweep("mnist", (plain,), measures.distances_and_pair),
        Sweep("mnist-authors", (authors,), measures.distances_and_pair),
        Sweep("mnist-adam", (adam,), measures.distances_and_pair),
        Sweep("mnist-pairs", (TaskTrial("MNIST", "mnist", points=10_000),), measures.mnist_weighing),
    ]


FRESH_TASK_SEEDS = range(100, 106)
"""Seeds of the runs on XOR and blobs that judge claims."""


def _fresh_tasks() -> list[Sweep]:
    """Each row of XOR that learns, and the blobs, as they are in the sweeps that were explored."""
    explored = [sweep for sweep in _xor() if sweep.name in ("xor-relu", "xor-intermediate", "xor-high")]
    explored += [sweep for sweep in _blobs() if sweep.name == "blobs"]
    return [
        replace(sweep, name=f"{sweep.name}-fresh", trials=_with_seeds(sweep.trials, FRESH_TASK_SEEDS))
        for sweep in explored
    ]


def _with_seeds(trials: tuple[TaskTrial, ...], seeds: Iterable[int]) -> tuple[TaskTrial, ...]:
    """Trials that differ in their seed only, once each, with other seeds."""
    once = dict.fromkeys(replace(trial, seed=0) for trial in trials)
    return tuple(replace(trial, seed=seed) for trial in once for seed in seeds)


CROWDS = (2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 1797)
"""Numbers of digits, the recorded pair included, that a network is trained on."""


def _crowds() -> Sweep:
    trials = tuple(
        TaskTrial("MNIST", "digits", seed, points=points, lr_factor=5.0, epochs=6000, every=5)
        for points in CROWDS
        for seed in SEEDS
    )
    return Sweep("crowds", trials, measures.pair_curves)


ADAM = {"optimizer": "Adam"}


def _optimizers() -> list[Sweep]:
    return [*_optimizers_on_two_points(), *_adam_on_many_points()]


MORE_GAINS = {1.2: 0.25, 1.6: 3e-4}
"""Gains of the authors' settings file that Table 1 leaves out, and their rates over the default one's."""


def _more_gains() -> Sweep:
    trials = tuple(
        TaskTrial("Default", "two points", seed, gain=gain, lr_factor=factor)
        for gain, factor in MORE_GAINS.items()
        for seed in TASK_SEEDS
    )
    return Sweep("more-gains", trials, measures.pair_curves)


def _optimizers_on_two_points() -> list[Sweep]:
    def sweep_of(name: str, row: str, **changes) -> Sweep:
        trials = tuple(TaskTrial(row, "two points", seed, **changes) for seed in SEEDS)
        return Sweep(f"two-points-{name}", trials, measures.pair_curves)

    return [
        # The authors' 1e-6 for Adam is 2e-4 of their rate of gradient descent.
        sweep_of("adam", "Default", lr_factor=2e-4, **ADAM),
        sweep_of("momentum", "Narrow", lr_factor=0.1, optimizer="momentum"),
        # Two steps an epoch, each along the gradient of one point: half the rate goes as far.
        sweep_of("one-by-one", "Narrow", lr_factor=0.5, batch=1, every=2),
    ]


def _adam_on_many_points() -> list[Sweep]:
    # On XOR the same 2e-4 as on two points: it has as many layers. Four layers bear more.
    xor = tuple(
        TaskTrial(XOR_LOW, "xor", seed, gain=gain, epochs=3000, lr_factor=2e-4, **ADAM)
        for gain in (0.85, 1.25)
        for seed in (0, 1)
    )
    # A tenth of Adam's usual 1e-3, which is 1e-4 here; then the usual rate itself.
    slow = tuple(
        _blob_trial(row, seed, lr_factor=1e-4 / TABLE_2[row].lr, **ADAM)
        for row in (BLOBS_LOW, BLOBS_HIGH)
        for seed in SEEDS
    )
    usual = tuple(_blob_trial(BLOBS_LOW, seed, lr_factor=1e-3 / 0.015, **ADAM) for seed in SEEDS)
    digits = tuple(_digit_trial(seed, lr_factor=0.05, **ADAM) for seed in SEEDS)
    return [
        Sweep("xor-adam", xor, measures.matrices),
        Sweep("blobs-adam", slow, measures.blob_geometry),
        Sweep("blobs-adam-default", usual, measures.blob_geometry),
        Sweep("digits-adam", digits, measures.distances_and_pair),
    ]


# --- what the authors' code does and the paper does not say -------------------------------------

LAYER_SEEDS = range(10)
"""Seeds of the Dropout row of which every layer is fitted; the authors' code reads the third."""

FIGURE_9_SEEDS = range(10)
"""Seeds of the networks whose distances Figure 9 averages, the authors' number of them."""

CHEAP_SEEDS = range(20)
"""Seeds where a training takes less than a second."""


def _authors_code() -> list[Sweep]:
    # Their list of activations has dropout's outputs too, so that entry 5 is the third hidden layer.
    dropout = tuple(Trial("Dropout", seed, layers="all") for seed in LAYER_SEEDS)
    return [
        Sweep("dropout-layers", dropout, measures.fitted_layers),
        *_authors_xor(),
        *_authors_blobs(),
        *_authors_digits(),
    ]


def _authors_xor() -> list[Sweep]:
    # ReLU, and a loss without the half of (1), in every row; 2000 epochs with one hidden layer.
    relu = {"nonlinearity": "relu", "lr_factor": 2.0}
    intermediate, high, two_layers = (
        tuple(TaskTrial(f"XOR {row}", "xor", seed, **relu, **changes) for seed in seeds)
        for row, seeds, changes in (
            ("Intermediate weights", TASK_SEEDS, {}),
            ("High weights", TASK_SEEDS, {}),
            ("2 layers", CHEAP_SEEDS, {"epochs": 2000}),
        )
    )
    return [
        Sweep("xor-relu-intermediate", intermediate, measures.matrices),
        Sweep("xor-relu-high", high, measures.matrices),
        Sweep("xor-relu-2-layers", two_layers, measures.matrices),
    ]


def _authors_blobs() -> list[Sweep]:
    # Their notebook reads tanh from the settings and never passes it on: leaky ReLU is the default.
    rows = (BLOBS_HIGH, BLOBS_LOW, BLOBS_VERY_LOW)
    leaky = tuple(_blob_trial(row, seed, nonlinearity="leaky_relu") for row in rows for seed in SEEDS)
    return [Sweep("blobs-leaky", leaky, measures.blob_geometry)]


def _authors_digits() -> list[Sweep]:
    # Figure 9: Adam at 0.005, 200 units, a mean of ten networks. All ten here on digits; of MNIST three,
    # for the 50 epochs that their notebook shows.
    structure = {"row": "MNIST", "batch": BATCH, "units": 200, "lr_factor": 2.5, **ADAM}
    ten = tuple(
        TaskTrial(task="digits", seed=seed, epochs=500, every=EPOCH_OF_DIGITS, **structure)
        for seed in FIGURE_9_SEEDS
    )
    figure_9 = tuple(
        TaskTrial(task="mnist", seed=seed, epochs=50, every=TENTH_OF_MNIST, **structure) for seed in SEEDS
    )
    # Their last commit's "correct MNIST settings": 200 units, 0.003, 200 epochs, a tenth of the loss (1).
    correct = {"units": 200, "lr_factor": 0.15, "epochs": 200, "batch": BATCH, "every": TENTH_OF_MNIST}
    figure_4 = (TaskTrial("MNIST", "mnist", seed, **correct) for seed in SEEDS)
    pairs = tuple(_digit_trial(seed) for seed in SEEDS)
    return [
        Sweep("digits-structure", ten, measures.distances_and_pair),
        Sweep("digits-pairs", pairs, measures.class_pairs),
        *(Sweep(f"mnist-correct-{t.seed}", (t,), measures.class_pairs) for t in figure_4),
        Sweep("mnist-structure", figure_9, measures.distances_and_pair),
    ]


# --- systems of other papers --------------------------------------------------------------------


def _zoo(family: str) -> list[Sweep]:
    """The sweeps of a family: of each system settings by rule, then its seeds; of each study its own."""
    sweeps = [sweep for one in catalogue.systems_of(family) for sweep in _of_system(one)]
    for one in catalogue.FAMILIES[family].STUDIES:
        sweeps += _seeds_of(protocol.Study, one.name, protocol.studied, one.seeds, one.fresh)
    return sweeps


def _of_system(one: catalogue.System) -> list[Sweep]:
    rule = f"zoo-{one.name}-settings" if one.settings is None else ""
    seeds = protocol.SEEDS, protocol.FRESH_SEEDS
    runs = _seeds_of(protocol.Specimen, one.name, protocol.measured, *seeds, rests_on=rule)
    return ([Sweep(rule, (protocol.Settled(one.name),), protocol.settled)] if rule else []) + runs


def _seeds_of(kind, name: str, measure, seeds, fresh, rests_on: str = "") -> list[Sweep]:
    """The sweep of explored seeds and, where there are some, that of fresh ones."""
    sweeps = []
    for ending, chosen in (("", seeds), ("-fresh", fresh)):
        trials = tuple(kind(name, seed) for seed in chosen)
        sweeps += [Sweep(f"zoo-{name}{ending}", trials, measure, rests_on)] if trials else []
    return sweeps


# --- beyond the paper: rotation -------------------------------------------------------------------

ONE_LAYER_SEEDS = {"": range(20), "-fresh": range(200, 220)}
"""Seeds of the networks with one linear layer, explored and fresh."""


def _one_layer() -> list[Sweep]:
    return [
        Sweep(f"one-layer{kind}{ending}", tuple(map(trial, seeds)), measure)
        for ending, seeds in ONE_LAYER_SEEDS.items()
        for kind, trial, measure in (
            ("", one_layer.OneLayer, one_layer.vectors),
            ("-ends", one_layer.Ensemble, one_layer.ends),
        )
    ]


# --- beyond the paper: lengths and angles -------------------------------------------------------

BEYOND_SEEDS = range(200, 220)
"""Seeds of the runs that judge the claims of the part Beyond the paper; no other sweep has them."""


def _beyond_seeds(row: str) -> range:
    """Those seeds; the first five of the row whose training takes a minute and a half."""
    return BEYOND_SEEDS[:5] if row == "Convolution" else BEYOND_SEEDS


def _angles(row: str) -> list[Sweep]:
    """Lengths and angles of a row: of the explored seeds, and of those that judge claims."""
    return [
        Sweep(
            f"{slug(row)}-{ending}",
            tuple(Trial(row, seed, stop_at_loss=1e-8) for seed in seeds),
            angles.angles,
        )
        for ending, seeds in (("angles", SEEDS), ("beyond", _beyond_seeds(row)))
    ]


# --- beyond the paper: forecasts ----------------------------------------------------------------

FORECAST_ROWS = (*UNIVERSAL, "Low initial weights")
"""Rows of Table 1 whose ends are forecast."""


def _births(row: str) -> Sweep:
    """Lengths and angle before training, of a row's explored seeds and of its trials of Figure 5."""
    explored = tuple(Trial(row, seed) for seed in (*SEEDS, *FRESH_SEEDS))
    grid = _grid(row).trials if row in UNIVERSAL else ()
    return Sweep(f"{slug(row)}-births", explored + grid, forecasts.births)


# --- Beyond the paper: finite_steps and identity ---

CUT_SEEDS, FRESH_CUT_SEEDS = range(3), range(220, 225)
"""Seeds of the networks of fifty units, explored and fresh; no other sweep of their rows has the latter."""


def _steps(ending: str, seeds: Iterable[int]) -> Sweep:
    trials = tuple(
        Trial(row, seed, lr_factor=factor, epochs=epochs, units=50, stop_at_loss=1e-10, precision="float64")
        for row, factors in (("Narrow", {1: 6000, 2: 3000}), ("Tanh", {2: 6000, 8: 1500}))
        for seed in seeds
        for factor, epochs in factors.items()
    )
    return Sweep(f"steps{ending}", trials, measures.fitted)


def _cuts(ending: str, seeds: Iterable[int]) -> Sweep:
    trials = tuple(
        Trial(row, seed, lr_factor=factor, units=50, stop_at_loss=1e-8, layers="all", precision="float64")
        for row, factor in (("Narrow", 1.0), ("Tanh", 4.0))
        for seed in seeds
    )
    return Sweep(f"cuts{ending}", trials, identity.fitted_cuts)


# --- beyond the paper: exponents ----------------------------------------------------------------

RECTIFIED, SMOOTH = ("leaky_relu", "relu"), ("none", "tanh", "swish", "elu")
"""Nonlinearities with gates, and those without."""


def _exponents() -> list[Sweep]:
    """The map of exponents, and the networks from which something was taken away."""
    kinds = (*RECTIFIED, *SMOOTH)
    cells = [(depth, 1.0, range(3 if depth == 20 else 2)) for depth in kernels.DEPTHS]
    cells += [(depth, 0.5, range(2)) for depth in (8, 20)]
    trials = tuple(
        kernels.MapTrial(kind, depth, level, seed)
        for (depth, level, seeds), kind in product(cells, kinds)
        for seed in seeds
    )
    return [
        Sweep("exponents-map", trials, kernels.mapped),
        Sweep("exponents-taken-away", _taken_away(range(2)), kernels.mapped),
        Sweep(
            "exponents-gates",
            tuple(
                kernels.MapTrial("leaky_relu", depth, seed=seed)
                for depth, seed in product(kernels.DEPTHS, range(2))
            ),
            kernels.taken_apart,
        ),
        Sweep("exponents-fresh", _taken_away(range(210, 215), JUDGED_CHANGES), kernels.mapped),
    ]


TAKEN_AWAY = ({}, {"frozen": True}, {"biases": False}, {"first_input": -0.5}, {"first_input": 1.0})
"""What networks of 20 layers are trained with, or without, for the reasons of their exponents."""


JUDGED_CHANGES = tuple(changed for changed in TAKEN_AWAY if changed.get("first_input") != -0.5)
"""Those of them that claims are about."""


def _taken_away(seeds: Iterable[int], changes: Iterable[dict] = TAKEN_AWAY) -> tuple[kernels.MapTrial, ...]:
    """Networks of 20 layers, whole and with something taken away."""
    trials = [kernels.MapTrial(kind, seed=seed, **changed)
              for kind, changed, seed in product(RECTIFIED, changes, seeds)]  # fmt: skip
    trials += [kernels.MapTrial(kind, seed=seed) for kind, seed in product(("none", "tanh"), seeds)]
    return tuple(trials)


# --- the catalogue -----------------------------------------------------------------------------


def _every_seed(rows: Iterable[str], precision: str = "float32") -> list[Sweep]:
    return [_whole(row, seed, precision) for row in rows for seed in SEEDS]


_ALTERNATIVES = tuple(Trial(row, seed) for row in UNIVERSAL for seed in SEEDS)

# --- beyond the paper: when learning happens (chapter `when`) ---------------------------------------

WAITING = ((2, "none", (0.6, 0.4, 0.2)), (3, "none", (0.65, 0.5, 0.3)),
           (3, "leaky_relu", (0.65, 0.5, 0.3)), (5, "none", (0.75, 0.65, 0.5)))  # fmt: skip
"""Hidden layers, nonlinearity and three gains, from the largest, of the networks whose waiting is timed."""

WAITING_SEEDS = {"": range(10), "-fresh": range(200, 220)}
"""Seeds of them, explored and fresh."""


def _waiting() -> list[Sweep]:
    return [
        Sweep(
            f"waiting{ending}",
            tuple(
                WaitingTrial(layers, kind, gain, seed)
                for layers, kind, gains in WAITING
                for seed in seeds
                for gain in gains
            ),
            waiting,
        )
        for ending, seeds in WAITING_SEEDS.items()
    ]


# --- beyond the paper: near misses (chapter `decoder_first`) ------------------------------------------

NEAR_MISS_UNITS = (2, 10, 50)
"""Widths of the linear layers whose two representations pass one another."""


def _near_misses() -> list[Sweep]:
    return [
        Sweep(
            f"near-misses{ending}",
            tuple(NearMissTrial(units, seed) for units in NEAR_MISS_UNITS for seed in seeds),
            near_miss,
        )
        for ending, seeds in WAITING_SEEDS.items()
    ]


EXPERIMENTS: dict[str, list[Sweep]] = {
    "universal": _every_seed(UNIVERSAL),
    "initial-weights": [*_every_seed(INITIAL_WEIGHTS), _more_gains()],
    "rounding": _every_seed(["Default"], "float64"),
    "reproducibility": [_reproducibility()],
    "rivals": [Sweep("rivals", _ALTERNATIVES, fitted_alternatives)],
    "final-distance": [sweep for row in UNIVERSAL for sweep in (_grid(row), _fits(row))],
    "fresh": [_fresh(row) for row in TABLE_1],
    "fresh-grids": [_fresh_grid(row) for row in FRESH_GRIDS],
    "fresh-tasks": _fresh_tasks(),
    "fresh-layers": [_fresh_layers("Default")],
    "beyond-steps": [_steps("", CUT_SEEDS), _steps("-fresh", FRESH_CUT_SEEDS)],
    "beyond-cuts": [_cuts("", CUT_SEEDS), _cuts("-fresh", FRESH_CUT_SEEDS)],
    "other-targets": [sweep for row in UNIVERSAL for sweep in _other_targets(row)],
    "xor": _xor(),
    "feature-collapse": _blobs(),
    "digits-and-mnist": _digits_and_mnist(),
    "many-points": [_crowds()],
    "optimizers": _optimizers(),
    "authors-code": _authors_code(),
    "rotation": _one_layer(),
    "angles": [_angles(row)[0] for row in TABLE_1],
    "beyond": [_angles(row)[1] for row in TABLE_1],
    "forecasts": [_births(row) for row in FORECAST_ROWS],
    "exponents": _exponents(),
    "when": _waiting(),
    "decoder-first": _near_misses(),
} | {f"zoo-{family}": _zoo(family) for family in catalogue.FAMILIES}
"""The sweeps of each experiment; one that two experiments need is one file."""

SWEEPS = {sweep.name: sweep for sweeps in EXPERIMENTS.values() for sweep in sweeps}
"""Every sweep by name."""


# --- loading -----------------------------------------------------------------------------------


def sweep(name: str) -> Sweep:
    """The sweep of a name; raises ValueError, naming those there are, for an unknown one."""
    if name not in SWEEPS:
        raise ValueError(f"name must be one of {', '.join(SWEEPS)}; got {name!r}")
    return SWEEPS[name]


@dataclass(frozen=True, eq=False)
class StoredRun:
    """A stored trajectory: its Run, the rotation of dh at each layer (degrees), its provenance."""

    run: Run
    rotation: np.ndarray
    provenance: dict


def stored_run(row: str, seed: int = 0, *, layers: str = "middle", precision: str = "float32") -> StoredRun:
    """The stored run of a row of Table 1, at the layer that the paper reads or at all of them.

    `run.trajectory` is a State, or for layers="all" a dict of States by layer name, first layer first.
    Raises ValueError for a row, seed, layers or precision that are not stored, StoredFileError for a
    file that is missing or damaged.
    """
    known = sweep(f"{slug(row)}-{seed}" + ("" if precision == "float32" else f"-{precision}"))
    (trial,) = known.trials
    if layers not in ("middle", "all"):
        raise ValueError(f"layers must be 'middle' or 'all', got {layers!r}")
    if layers == "all" and trial.layers != "all":
        raise ValueError(f"layers must be 'middle' for {row}, of which no other is kept; got 'all'")
    stored = known.load()
    arrays = {name: array[0] for name, array in stored.arrays.items()}
    dy2, w, loss = (np.float64(arrays[name]) for name in ("dy2", "w", "loss"))
    states = [State(np.float64(dh2), dy2, w) for dh2 in arrays["dh2"]]
    rotation = arrays["turned"]
    if layers == "all":
        trajectory = dict(zip(_layer_names(trial), states, strict=True))
    else:
        middle = TABLE_1[row].hidden_layers // 2 if trial.layers == "all" else 0
        trajectory, rotation = states[middle], rotation[middle : middle + 1]
    run = Run(
        t=np.arange(loss.size, dtype=float),
        trajectory=trajectory,
        loss=loss,
        task=TwoPoint(trial.dx2, trial.dy2_target),
        lr=trial.settings.lr,
        stopped=ENDS[arrays["stopped"]],
    )
    return StoredRun(run, rotation, stored.provenance)


def sampled_runs(name: str) -> list[Run]:
    """The runs of a sweep of sampled curves, such as "default-fresh", in the order of its trials.

    Their epochs are every `measures.CURVE_EVERY`-th. Raises ValueError for a sweep that holds no curves.
    """
    known = sweep(name)
    if known.measure is not measures.sampled:
        raise ValueError(f"name must be a sweep of sampled curves, got {name!r}")
    arrays = known.load().arrays
    rows = zip(*(np.float64(arrays[key]) for key in ("dh2", "dy2", "w", "loss_curve")), strict=True)
    return [
        Run(
            t=measures.CURVE_EVERY * np.arange(loss.size, dtype=float),
            trajectory=State(dh2, dy2, w),
            loss=loss,
            task=TwoPoint(trial.dx2, trial.dy2_target),
            lr=trial.settings.lr,
            stopped=ENDS[how],
        )
        for trial, how, (dh2, dy2, w, loss) in zip(known.trials, arrays["stopped"], rows, strict=True)
    ]


@dataclass(frozen=True, eq=False)
class Looks:
    """What was seen of dh and D_y on the way, (n,) each: epochs t, u = ‖dh‖, r = ‖D_y‖, their cosine, and dy.

    D_y is the mean of the decoder's gradient between the two points, so that u r cosine = dy; `r_ends` and
    `cosine_ends` are of its mean at the two points. `turned`, `turned_since` and `gradient_turned` are
    degrees: of dh since the start, and since t₁ (NaN before), and of D_y since the start.
    """

    t: np.ndarray
    u: np.ndarray
    r: np.ndarray
    cosine: np.ndarray
    dy: np.ndarray
    r_ends: np.ndarray
    cosine_ends: np.ndarray
    turned: np.ndarray
    turned_since: np.ndarray
    gradient_turned: np.ndarray

    def at(self, t: float) -> dict[str, float]:
        """What was seen at one of the epochs; raises ValueError for another."""
        found = np.flatnonzero(self.t == t)
        if not found.size:
            raise ValueError(f"t must be the epoch of a look, got {t!r}")
        return {name: float(getattr(self, name)[found[0]]) for name in self.__dataclass_fields__}


@dataclass(frozen=True, eq=False)
class AngledRun:
    """A run of Table 1, thinned; t₁ (epochs, None where the mean is not learned); its Looks.

    A run that stopped at a loss has rows to the row's last epoch, continued as it ended.
    """

    row: str
    seed: int
    run: Run
    t1: float | None
    looks: Looks


def angled_runs(row: str, seeds: str = "angles", *, whole: bool = True) -> list[AngledRun]:
    """The stored runs of a row of Table 1 with lengths and angles, a trial each.

    seeds: "angles", the explored ones, or "beyond", those that judge claims; not `whole`: those of them that
    are there. Raises ValueError for another row, and as `Sweep.load` does.
    """
    known = sweep(f"{slug(row)}-{seeds}")
    arrays = known.load(whole=whole).arrays
    there = [(k, trial) for k, trial in enumerate(known.trials) if arrays["done"][k]]
    return [_angled(trial, {name: array[k] for name, array in arrays.items()}) for k, trial in there]


def _angled(trial: Trial, arrays: Arrays) -> AngledRun:
    kept = arrays["t"] >= 0
    t, dh2, dy, loss = (np.float64(arrays[name][kept]) for name in ("t", "dh2", "dy", "loss"))
    epochs, stopped = trial.settings.epochs, ENDS[arrays["stopped"]]
    if stopped == "loss":
        more = np.arange(t[-1], epochs, np.ceil(epochs / angles.ROWS))[1:]
        t = np.r_[t, more]
        dh2, dy, loss = (np.pad(values, (0, more.size), mode="edge") for values in (dh2, dy, loss))
    task = TwoPoint(trial.dx2, trial.dy2_target)
    state = State(dh2, dy**2, dy * (dy - task.dy2_target**0.5))
    run = Run(t, state, loss, task, trial.settings.lr, stopped)
    seen = arrays["look_t"] >= 0
    names = {name: name for name in Looks.__dataclass_fields__} | {"t": "look_t", "dy": "look_dy"}
    looks = Looks(**{name: np.float64(arrays[key][seen]) for name, key in names.items()})
    return AngledRun(trial.row, trial.seed, run, float(arrays["t1"]) if arrays["t1"] >= 0 else None, looks)


def explored_cases(row: str) -> list[forecasts.Case]:
    """The explored runs of a row that have learned, whole or sampled, with their births."""
    births = sweep(f"{slug(row)}-births")
    known = {t.seed: Lengths(*birth) for t, birth in _births_of(births) if t.dx2 == 1 and t.dy2_target == 0.5}
    found = {seed: stored_run(row, seed).run for seed in SEEDS}
    found |= dict(zip(FRESH_SEEDS, sampled_runs(f"{slug(row)}-fresh"), strict=True))
    return [
        forecasts.Case(row, seed, run, known[seed])
        for seed, run in found.items()
        if forecasts.is_learned(run)
    ]


def fresh_cases(row: str) -> list[forecasts.Case]:
    """The runs of a row that judge claims and have learned, with their births."""
    return [
        forecasts.Case(row, one.seed, one.run, Lengths(*(one.looks.at(0)[z] for z in ("u", "r", "cosine"))))
        for one in angled_runs(row, "beyond")
        if forecasts.is_learned(one.run)
    ]


def grid_cases(row: str) -> list[forecasts.Case]:
    """The trials of Figure 5 of a row that have learned and have ‖dy*‖ > 0: first and last state, birth."""
    known = sweep(f"{slug(row)}-grid")
    arrays = known.load().arrays
    births = dict(_births_of(sweep(f"{slug(row)}-births")))
    ends = zip(known.trials, arrays["first"], arrays["last"], arrays["loss"], strict=True)
    return [
        forecasts.Case(row, t.seed, _two_rows(t, first, last, loss), Lengths(*births[t]))
        for t, first, last, loss in ends
        if loss < forecasts.LEARNED and t.dy2_target > 0
    ]


def _births_of(known: Sweep) -> list[tuple[Trial, np.ndarray]]:
    return list(zip(known.trials, known.load().arrays["birth"], strict=True))


def _two_rows(trial: Trial, first: np.ndarray, last: np.ndarray, loss: float) -> Run:
    """A run of which the first and the last row are known."""
    state = State(*np.stack([first, last], axis=1))
    task = TwoPoint(trial.dx2, trial.dy2_target)
    return Run(np.arange(2.0), state, np.full(2, loss), task, trial.settings.lr, "loss")


def _layer_names(trial: Trial) -> list[str]:
    """Names of the hidden layers, read from a network of one unit: they do not depend on the width."""
    network = replace(trial.settings, units=1).network()
    return [network.layer(k) for k in range(network.depth)]


def stored_pairs(name: str) -> list[Run]:
    """The recorded pair of each trial of a sweep on many points, or with another optimizer.

    Time is in epochs, fractions of them where a step is less than one. Raises as `Sweep.load` does.
    """
    known = sweep(name)
    arrays = known.load().arrays
    pairs = []
    for k, trial in enumerate(known.trials):
        state = State(*(np.float64(arrays[variable][k]) for variable in ("dh2", "dy2", "w")))
        # The file does not hold ‖dy*‖²: Table 1's on two points, and 2 between two one-hot labels.
        dy2_target = Trial.dy2_target if trial.task == "two points" else 2.0
        run = Run(
            t=arrays["interval"][k] * np.arange(len(state)),
            trajectory=state,
            loss=np.float64(arrays["loss"][k]),
            task=TwoPoint(float(arrays["dx2"][k]), dy2_target),
            lr=trial.settings.lr,
            stopped=ENDS[arrays["stopped"][k]],
            points=trial.batch or trial.points or TASKS[trial.task],
        )
        pairs.append(run)
    return pairs


def stored_class_pairs(name: str, of: str = "images") -> list[list[Run]]:
    """The pairs of classes of a sweep of `measures.class_pairs`: for each trial a Run for each CLASS_PAIRS.

    `of` is "images", one of each class, or "means", of the classes. Time is in epochs. Raises ValueError
    for another sweep or `of`, and as `Sweep.load` does.
    """
    known = sweep(name)
    if known.measure is not measures.class_pairs:
        raise ValueError(f"name must be a sweep of pairs of classes, got {name!r}")
    if of not in ("images", "means"):
        raise ValueError(f"of must be 'images' or 'means', got {of!r}")
    arrays = known.load().arrays
    return [
        _class_pairs_of(arrays, k, ("images", "means").index(of), trial)
        for k, trial in enumerate(known.trials)
    ]


def _class_pairs_of(arrays: Arrays, k: int, kind: int, trial: TaskTrial) -> list[Run]:
    t = arrays["pairs_t"][k]
    loss = np.interp(t, arrays["interval"][k] * np.arange(arrays["loss"].shape[1]), arrays["loss"][k])
    curves = (np.float64(arrays[f"pairs_{name}"][k, kind]) for name in ("dh2", "dy2", "w"))
    return [
        Run(t, State(*rows), loss, TwoPoint(float(dx2), 2.0), trial.settings.lr, "epochs", points=trial.batch)
        for *rows, dx2 in zip(*curves, arrays["pairs_dx2"][k, kind], strict=True)
    ]

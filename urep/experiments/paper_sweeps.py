"""What is trained for the paper's own experiments, and for what its authors' code does besides."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import product

import numpy as np

from . import measures
from .sweep import Sweep
from .tables import INITIAL_WEIGHTS, TABLE_1, TABLE_2, UNIVERSAL
from .trial import ARITHMETICS, RepeatedTrial, TaskTrial, Trial

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


def grid(row: str) -> Sweep:
    """The trials of Figure 5 of a row: distances of inputs and of targets, a seed each."""
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
    again = tuple(replace(trial, seed=FRESH_SEEDS.stop + n) for n, trial in enumerate(grid(row).trials))
    return Sweep(f"{slug(row)}-grid-fresh", again, measures.endpoints)


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


def _every_seed(rows: Iterable[str], precision: str = "float32") -> list[Sweep]:
    return [_whole(row, seed, precision) for row in rows for seed in SEEDS]


EXPERIMENTS: dict[str, list[Sweep]] = {
    "universal": _every_seed(UNIVERSAL),
    "initial-weights": [*_every_seed(INITIAL_WEIGHTS), _more_gains()],
    "rounding": _every_seed(["Default"], "float64"),
    "reproducibility": [_reproducibility()],
    "final-distance": [sweep for row in UNIVERSAL for sweep in (grid(row), _fits(row))],
    "fresh": [_fresh(row) for row in TABLE_1],
    "fresh-grids": [_fresh_grid(row) for row in FRESH_GRIDS],
    "fresh-tasks": _fresh_tasks(),
    "fresh-layers": [_fresh_layers("Default")],
    "other-targets": [sweep for row in UNIVERSAL for sweep in _other_targets(row)],
    "xor": _xor(),
    "feature-collapse": _blobs(),
    "digits-and-mnist": _digits_and_mnist(),
    "many-points": [_crowds()],
    "optimizers": _optimizers(),
    "authors-code": _authors_code(),
}
"""The sweeps of each of them; one that two experiments need is one file."""

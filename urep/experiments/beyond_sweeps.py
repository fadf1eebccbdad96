"""What is trained for the part Beyond the paper."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from itertools import product

from . import angles, clocks, conserved, forecasts, growing, identity, kernels, kinks, measures, one_layer
from .paper_sweeps import FRESH_SEEDS, SEEDS, grid, slug
from .sweep import Sweep
from .tables import TABLE_1, UNIVERSAL
from .trial import Trial
from .waiting import NearMissTrial, WaitingTrial, near_miss, waiting

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


AGAIN_SEEDS = range(300, 320)
"""Seeds of the runs that judge the claims which were made after the former had been seen."""


def _at_most(row: str, seeds: range) -> range:
    """These seeds; the first five of the row whose training takes a minute and a half."""
    return seeds[:5] if row == "Convolution" else seeds


def _angles(row: str) -> list[Sweep]:
    """Lengths and angles of a row: of the explored seeds, and of those that judge claims, twice."""
    kinds = (("angles", SEEDS), ("beyond", BEYOND_SEEDS), ("again", AGAIN_SEEDS))
    return [
        Sweep(
            f"{slug(row)}-{ending}",
            tuple(Trial(row, seed, stop_at_loss=1e-8) for seed in _at_most(row, seeds)),
            angles.angles,
        )
        for ending, seeds in kinds
    ]


# --- beyond the paper: rates that grow ----------------------------------------------------------

GROWING = (
    "Linear", "Tanh", "ELU", "Swish", "Default", "ReLU", "Narrow", "Shallow", "Low initial weights",
    "Intermediate initial weights", "High initial weights", "Very high initial weights",
)  # fmt: skip
"""Fully connected rows of Table 1, without skips and dropout; the smooth ones first."""


def _growing(ending: str, seeds: range) -> Sweep:
    """Constants of theories and curves, fitted to the runs with angles of these rows and seeds."""
    trials = tuple(Trial(row, seed, stop_at_loss=1e-8) for row in GROWING for seed in seeds)
    known = {row: one for row in GROWING for one in _angles(row) if one.name.endswith(f"-{ending}")}
    measure = partial(growing.fits, sweeps=known)
    reads = tuple(one.name for one in known.values())
    return Sweep(f"growing-{ending}", trials, measure, rests_on=f"default-{ending}", reads=reads)


BORN_SEEDS = range(340, 360)
"""Seeds of the small networks that judge what is said of births and of a mean that is given."""


def _born() -> Sweep:
    """Where the training of networks that are born at random and as isometries ends."""
    trials = tuple(growing.BirthTrial(birth, seed) for seed in BORN_SEEDS for birth in growing.BIRTHS)
    return Sweep("born-fresh", trials, growing.ended)


# --- beyond the paper: the clock ------------------------------------------------------------------


def _given() -> Sweep:
    """What (7) misses of networks whose mean is given, and of the same where it is learned."""
    trials = tuple(clocks.GivenTrial(kind, seed) for kind in clocks.KINDS for seed in BORN_SEEDS)
    return Sweep("mean-given-fresh", trials, clocks.given_and_learned)


# --- beyond the paper: forecasts ----------------------------------------------------------------

FORECAST_ROWS = (*UNIVERSAL, "Low initial weights")
"""Rows of Table 1 whose ends are forecast."""


def _births(row: str) -> Sweep:
    """Lengths and angle before training, of a row's explored seeds and of its trials of Figure 5."""
    explored = tuple(Trial(row, seed) for seed in (*SEEDS, *FRESH_SEEDS))
    varied = grid(row).trials if row in UNIVERSAL else ()
    return Sweep(f"{slug(row)}-births", explored + varied, forecasts.births)


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


CONSERVED_SEEDS = {"": range(100, 110), "-again": range(320, 340)}
"""Seeds of the linear networks whose coefficients are measured, explored and fresh."""

RIVAL_SEEDS = range(360, 380)
"""Seeds of those that are held against nearer rivals; 340-359 were trained before their claims stood."""


LAYERS_AGAIN_SEEDS = range(320, 325)
"""Seeds of default networks that are fitted at all layers once more."""


def _layers_again() -> Sweep:
    trials = tuple(Trial("Default", seed, layers="all") for seed in LAYERS_AGAIN_SEEDS)
    return Sweep("default-layers-again", trials, measures.fitted_layers)


def _conserved() -> list[Sweep]:
    return [
        Sweep(f"conserved{ending}", tuple(map(conserved.ConservedTrial, seeds)), conserved.coefficients)
        for ending, seeds in CONSERVED_SEEDS.items()
    ] + [Sweep("conserved-rivals", tuple(map(conserved.RivalTrial, RIVAL_SEEDS)), conserved.rivals)]


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
        Sweep("exponents-architectures", _architectures(range(3)), kernels.mapped_small),
        Sweep("exponents-architectures-fresh", _architectures(range(320, 325)), kernels.mapped_small),
        Sweep("exponents-dropout-fresh", _dropout(range(330, 335)), kernels.mapped_small),
        _kinks("", range(3)),
        _kinks("-fresh", range(320, 325)),
        _short_steps("", range(2)),
        _short_steps("-fresh", LATER_SEEDS),
        Sweep("exponents-told-fresh", _smooth(LATER_SEEDS), kernels.told),
    ]


LATER_SEEDS = range(340, 345)
"""Seeds that judge the claims which were made against nearer nulls."""


def _smooth(seeds: Iterable[int]) -> tuple[kernels.MapTrial, ...]:
    """Linear and tanh networks of all depths of the map, level 1."""
    return tuple(
        kernels.MapTrial(kind, depth, seed=seed)
        for kind, depth, seed in product(("none", "tanh"), kernels.DEPTHS, seeds)
    )


def _short_steps(ending: str, seeds: Iterable[int]) -> Sweep:
    """Kernels on kinks beside the mean of those of an instant, and trainings of shorter steps from birth."""
    trials = [kinks.KinkTrial(*kind, seed) for kind, seed in product(KINKED, seeds)]
    trials += [kinks.KinkTrial("leaky_relu", 20, seed, shorter=5) for seed in seeds]
    return Sweep(f"exponents-kinks-mean{ending}", tuple(trials), kinks.slid_from_birth)


ARCHITECTURES = {"Default": 100, "Narrow": 50, "Shallow": 100, "Skip connections": 100, "Dropout": 100,
                 "Convolution": 150}  # fmt: skip
"""Rows of Table 1 whose exponents are compared, with their units: the convolutions take 110 of them."""

WIDTHS = (25, 50, 100, 200)
"""Units of the networks whose exponents are followed through widths."""


def _architectures(seeds: Iterable[int]) -> tuple[kernels.RowTrial | kernels.MapTrial, ...]:
    """Rows of Table 1, the network of Dropout without it, and widths."""
    trials = [kernels.RowTrial(row, units, seed) for row, units in ARCHITECTURES.items() for seed in seeds]
    trials += [kernels.MapTrial("leaky_relu", 10, seed=seed, table_gain=1.0) for seed in seeds]
    trials += [
        kernels.MapTrial(kind, depth, seed=seed, units=units)
        for kind, depth, units, seed in product(("leaky_relu", "none"), (8, 20), WIDTHS, seeds)
        if (kind, depth, units) != ("leaky_relu", 20, 100)  # that is Default
    ]
    return tuple(trials)


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


def _dropout(seeds: Iterable[int]) -> tuple[kernels.RowTrial | kernels.MapTrial, ...]:
    """Dropout, and its network without dropout."""
    trials = [kernels.RowTrial("Dropout", ARCHITECTURES["Dropout"], seed) for seed in seeds]
    return tuple(trials + [kernels.MapTrial("leaky_relu", 10, seed=seed, table_gain=1.0) for seed in seeds])


KINKED = (("leaky_relu", 4), ("leaky_relu", 8), ("leaky_relu", 20), ("relu", 20))
"""Nonlinearity and hidden layers of the networks whose units are seen to rest on their kinks."""


def _kinks(ending: str, seeds: Iterable[int]) -> Sweep:
    """Kernels with and without the kinks, and those of ten times shorter steps."""
    trials = [kinks.KinkTrial(*kind, seed) for kind, seed in product(KINKED, seeds)]
    trials += [kinks.KinkTrial("leaky_relu", 20, seed, shorter=10) for seed in seeds]
    return Sweep(f"exponents-kinks{ending}", tuple(trials), kinks.slid)


# --- beyond the paper: when learning happens (chapter `when`) ---------------------------------------

WAITING = ((2, "none", (0.6, 0.4, 0.2)), (3, "none", (0.65, 0.5, 0.3)),
           (3, "leaky_relu", (0.65, 0.5, 0.3)), (5, "none", (0.75, 0.65, 0.5)))  # fmt: skip
"""Hidden layers, nonlinearity and three gains, from the largest, of the networks whose waiting is timed."""

WAITING_SEEDS = {"": range(10), "-fresh": range(200, 220), "-again": range(320, 340)}
"""Seeds of them: explored, fresh, and fresh again for claims that were made after those had been seen."""


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
        if ending != "-again"
    ]


EXPERIMENTS: dict[str, list[Sweep]] = {
    "beyond-steps": [_steps("", CUT_SEEDS), _steps("-fresh", FRESH_CUT_SEEDS)],
    "beyond-cuts": [_cuts("", CUT_SEEDS), _cuts("-fresh", FRESH_CUT_SEEDS), _layers_again()],
    "beyond-conserved": _conserved(),
    "rotation": _one_layer(),
    "angles": [_angles(row)[0] for row in TABLE_1],
    "beyond": [_angles(row)[1] for row in TABLE_1],
    "again": [_angles(row)[2] for row in TABLE_1],
    "growing": [_growing("angles", SEEDS), _growing("again", AGAIN_SEEDS), _born()],
    "clock": [_given()],
    "forecasts": [_births(row) for row in FORECAST_ROWS],
    "exponents": _exponents(),
    "when": _waiting(),
    "decoder-first": _near_misses(),
}
"""The sweeps of each chapter of the part that trains networks which are stored."""

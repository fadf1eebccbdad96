"""The stored runs: the catalogue of all sweeps, and loading what they kept.

A sweep is one file: one or more trials, and what is kept of each. `make` computes what is missing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..growth import Lengths
from ..state import Run, State, TwoPoint
from ..zoo import catalogue, protocol
from . import angles, beyond_sweeps, forecasts, growing, measures, paper_sweeps
from .angles import AngledRun
from .beyond_sweeps import FORECAST_ROWS, NEAR_MISS_UNITS, WAITING, WAITING_SEEDS  # noqa: F401 (for pages)
from .measures import ENDS
from .paper_sweeps import (  # noqa: F401 (for pages)
    BLOB_GAINS,
    DISTANCES,
    EVERY_LAYER,
    FRESH_GRIDS,
    FRESH_SEEDS,
    OTHER_TARGETS,
    REPEATED_ROWS,
    REPEATED_SEEDS,
    SEEDS,
    XOR_GAINS,
    slug,
)
from .store import StoredFileError
from .sweep import Arrays, Sweep
from .tables import TABLE_1, UNIVERSAL
from .trial import TASKS, TaskTrial, Trial

# --- the catalogue -----------------------------------------------------------------------------


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


def fitted_alternatives(trial: Trial) -> Arrays:
    """Fits of (7) and of all alternatives to a stored run, or to one trained now where none is stored."""
    try:
        run = stored_run(trial.row, trial.seed).run
    except StoredFileError:  # not there, or on another machine
        run = trial.train(progress=False).run
    return measures.alternatives(run)


_ALTERNATIVES = tuple(Trial(row, seed) for row in UNIVERSAL for seed in SEEDS)

EXPERIMENTS: dict[str, list[Sweep]] = (
    paper_sweeps.EXPERIMENTS
    | {"rivals": [Sweep("rivals", _ALTERNATIVES, fitted_alternatives)]}
    | beyond_sweeps.EXPERIMENTS
    | {f"zoo-{family}": _zoo(family) for family in catalogue.FAMILIES}
)
"""The sweeps of each experiment."""

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


def angled_runs(row: str, seeds: str = "angles", *, whole: bool = True) -> list[AngledRun]:
    """The stored runs of a row of Table 1 with lengths and angles, a trial each.

    seeds: "angles", the explored ones, or those that judge claims, "beyond" and, later, "again"; not
    `whole`: those of them that are there. Raises ValueError for another row, and as `Sweep.load` does.
    """
    return angles.read(sweep(f"{slug(row)}-{seeds}"), whole=whole)


def grown(seeds: str) -> dict[str, list[growing.Fitted]]:
    """The stored fits of growing rates and of curves to each row's runs, "angles" or "again".

    Runs whose mean is not learned are left out. Raises as `Sweep.load` does.
    """
    known, found = sweep(f"growing-{seeds}"), {}
    constants = known.load().arrays["constants"]
    for row in dict.fromkeys(trial.row for trial in known.trials):
        stored = {t.seed: one for t, one in zip(known.trials, constants, strict=True) if t.row == row}
        found[row] = growing.fitted(angled_runs(row, seeds), stored)
    return found


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


def fresh_cases(row: str, seeds: str = "beyond") -> list[forecasts.Case]:
    """The runs of a row that judge claims ("beyond" or "again") and have learned, with their births."""
    return [
        forecasts.Case(row, one.seed, one.run, one.looks.lengths(0))
        for one in angled_runs(row, seeds)
        if forecasts.is_learned(one.run)
    ]


def begun_cases(row: str, seeds: str) -> list[forecasts.Case]:
    """The angled runs of a row that have learned, with their lengths and angle at birth and at t₁."""
    return [
        forecasts.Case(row, one.seed, one.run, one.looks.lengths(0), one.looks.lengths(one.t1))
        for one in angled_runs(row, seeds)
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
        if loss < forecasts.LEARNED_LOSS and t.dy2_target > 0
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

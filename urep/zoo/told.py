"""What machines told of curves, for the page that reads them: names, distances, beginnings of runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from ..experiments import runs
from ..experiments.tables import TABLE_1, UNIVERSAL
from ..state import Run
from . import catalogue, reading, sheets

LABELS = ("no equation", *reading.NAMES)
"""What can be said of a curve, in the order of the stored numbers from -1 on."""


def prose(*, fresh: bool) -> dict[str, np.ndarray]:
    """What PROSE said in its stored or its fresh trainings, and what the nearest known trajectories say.

    `near` and `near_error` are of the lookup in logarithms, `whitened` of that in PROSE's own numbers.
    """
    found = dict(sheets.study("prose", fresh=fresh))
    near = sheets.study("nearest", fresh=fresh)
    if not np.array_equal(near["kind"], found["kind"]):
        raise ValueError("the lookup must have been asked for the trajectories that PROSE was asked for")
    found |= {"near": near["said"], "near_error": near["error"]}
    return found | {"whitened": found["near_said"], "networks_near": near["networks_said"]}


def wrong(found: dict[str, np.ndarray], said: np.ndarray) -> np.ndarray:
    """The share of trajectories whose law is not named, of each training; laws in disguise count as one."""
    classes = np.append(reading.CLASSES, -1)
    return (classes[said] != classes[found["kind"]]).mean(axis=-1)


def confusion(kind: np.ndarray, said: np.ndarray) -> np.ndarray:
    """Share of each name that is said, by true law, (16, 16): a row sums to one where anything is said."""
    table = np.zeros((16, 16))
    np.add.at(table, (kind[said >= 0], said[said >= 0]), 1)
    return table / table.sum(axis=1, keepdims=True)


def called_seven(said: np.ndarray) -> np.ndarray:
    """The share of runs that learn that is called (7), of each training."""
    rows = said.reshape(len(said), -1)
    return np.array([(row[row > -2] == 0).mean() for row in rows])


def shares_said(said: np.ndarray) -> dict[str, float]:
    """How often each of LABELS is said of runs that learn, the most frequent first."""
    counts = np.bincount(said[said > -2] + 1, minlength=17)
    order = np.argsort(-counts, kind="stable")
    return {LABELS[k]: counts[k] / counts.sum() for k in order}


def most_said(said: np.ndarray, n: int) -> list[str]:
    """The names that are said most often, n at most, with their shares, as text."""
    shares = list(shares_said(said).items())[:n]
    return [f"{name} {share:.0%}" for name, share in shares if share]


def of_figure_2() -> dict[str, list[tuple[str, Run]]]:
    """Row and run of all stored runs of Figure 2, and of all fresh ones."""
    stored = [(row, runs.stored_run(row, seed).run) for row in UNIVERSAL for seed in runs.SEEDS]
    fresh = [(row, run) for row in UNIVERSAL for run in runs.sampled_runs(f"{runs.slug(row)}-fresh")]
    return {"stored": stored, "fresh": fresh}


def learned(pairs: Iterable[tuple[str, Run]]) -> list[tuple[str, Run]]:
    """Those that learn: their loss ends below a thousandth."""
    return [(row, run) for row, run in pairs if run.loss[-1] < 1e-3]


def of_zoo() -> dict[str, list[Run]]:
    """The stored networks of every main system that learn their first target, by its title."""
    found = {}
    for name, one in catalogue.SYSTEMS.items():
        if one.arm or not runs.sweep(f"zoo-{name}").path.exists():
            continue
        sheet = sheets.sheet(name)
        if sheet.learned.any():
            found[one.title] = [sheet.run(int(seed)) for seed in np.flatnonzero(sheet.learned)]
    return found


def counted(said: np.ndarray) -> str:
    """How often each law is said, in the order of their first mention, as text."""
    return ", ".join(f"{law} {n}" for law, n in Counter(reading.NAMES[k] for k in said).items())


def prompt_text(known: reading.Cases, numbers: np.ndarray) -> str:
    """The first prompt with all of its words and some of its numbers, (n, 2), which take the place of `#`."""
    words = np.ones((len(numbers), 4), bool)
    tokens, values = reading.prompts(known, words=words, numbers=numbers)
    said = [reading.PROMPTS[k] for k in tokens[0].tolist()]
    shown = [f"{value:.2f}" for value in values[0].tolist()]
    return " ".join(number if word == "#" else word for word, number in zip(said, shown, strict=True))


def distances(some: Sequence[Run], begin: float) -> np.ndarray:
    """Distance of each run, read from a share on, from each law's trajectory of its growth, (16, n)."""
    read = np.array([reading.window(run, begin) for run in some])
    laws = reading.twins(1 / read[:, 0, 0], begin)
    return np.array([reading.off(read, own) for own in laws])


def thinned(run: Run, every: int = 5) -> Run:
    """A stored run as fresh ones are stored: every fifth epoch."""
    rows = slice(None, None, every)
    return replace(run, t=run.t[rows], trajectory=run.trajectory[rows], loss=run.loss[rows])


def beginnings(pairs: Iterable[tuple[str, Run]], share: float) -> list[reading.Beginning]:
    """The beginnings of runs until a share is learned, without those that begin beyond it."""
    return [
        reading.beginning(run, share, row, _settings(row))
        for row, run in pairs
        if reading.rows_until(run, share) >= reading.SEEN
    ]


def _settings(row: str) -> tuple[float, ...]:
    """Numbers of an architecture that a regression may use."""
    own = TABLE_1[row]
    return own.hidden_layers, np.log(own.units), own.gain, np.log(own.lr)

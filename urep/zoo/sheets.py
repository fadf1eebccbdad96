"""What is stored of the zoo, read for pages: scores of a system, its claim's numbers, the common table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np

from ..experiments import judged, runs
from ..shown import Table
from ..state import Run, State, TwoPoint
from . import protocol
from .catalogue import system
from .system import Settings, System

LARGEST = 100.0
"""Miss of a seed that does not learn, or of which nothing can be predicted: it counts, it is not left out."""


@dataclass(frozen=True, eq=False)
class Sheet:
    """The stored seeds of one system: `arrays` of `protocol.measured`, a row a seed, and its settings."""

    system: System
    settings: Settings
    arrays: dict[str, np.ndarray]
    rule: dict[str, np.ndarray]

    @property
    def learned(self) -> np.ndarray:
        """Which seeds learn the first pair, (seeds,)."""
        return self.arrays["learned"][:, 0]

    def verdict(self, clock: int = 0) -> str:
        """One of `protocol.VERDICTS`; clock 1 begins when the mean is learned."""
        return protocol.verdict(self.arrays, clock)

    def median(self, name: str) -> np.ndarray:
        """The median over the seeds that learn of a stored array, NaN where none does."""
        values = np.asarray(self.arrays[name], dtype=float)[self.learned]
        return np.median(values, axis=0) if len(values) else np.full(self.arrays[name].shape[1:], np.nan)

    def law_miss(self, model: str = "theory", clock: int = 0) -> np.ndarray:
        """`protocol.law_miss` of each seed, LARGEST at most; a seed that does not learn has that."""
        miss = np.minimum(protocol.law_miss(self.arrays, model, clock), LARGEST)
        return np.where(self.learned, miss, LARGEST)

    def run(self, seed: int, pair: str = "first") -> Run:
        """The stored curves of a seed on one of `protocol.PAIRS`, thinned."""
        row, k = runs.sweep(f"zoo-{self.system.name}").trials, list(protocol.PAIRS).index(pair)
        (n,) = [n for n, trial in enumerate(row) if trial.seed == seed]
        columns = {name: np.float64(self.arrays[name][n, k]) for name in ("t", "dh2", "dy2", "w", "loss")}
        there = np.isfinite(columns["t"])
        t, dh2, dy2, w, loss = (values[there] for values in columns.values())
        inputs, targets = self.system.pair(protocol.PAIRS[pair])
        task = TwoPoint(*(float((z[1] - z[0]).square().sum()) for z in (inputs, targets)))
        return Run(t, State(dh2, dy2, w), loss, task, self.settings.lr, "epochs")


@cache
def sheet(name: str, *, fresh: bool = False) -> Sheet:
    """The stored seeds of a system: those explored, or the fresh ones.

    Raises ValueError for an unknown system, StoredFileError, with the command that makes it, for a file that
    is not there.
    """
    one = system(name)
    arrays = runs.sweep(f"zoo-{name}{'-fresh' if fresh else ''}").load().arrays
    rule = runs.sweep(f"zoo-{name}-settings").load().arrays if one.settings is None else {}
    settings = protocol.Specimen(name).settings
    return Sheet(one, settings, arrays, {key: value[0] for key, value in rule.items()})


def law(*names: str) -> dict[str, np.ndarray]:
    """The numbers of a claim that (7) is a law of some systems, for `urep.verify`: `verify(id, **law(name))`.

    One number a seed, that of `Sheet.law_miss`; the null is the scaled logistic. Fresh seeds are given too.
    """
    numbers = {}
    for prefix, fresh in (("", False), ("fresh_", True)):
        sheets = [sheet(name, fresh=fresh) for name in names]
        numbers["fresh" if fresh else "measured"] = np.concatenate([s.law_miss() for s in sheets])
        numbers[f"{prefix}null"] = np.concatenate([s.law_miss("scaled") for s in sheets])
        if len(names) > 1:
            each = [np.repeat(s.system.name, len(s.learned)) for s in sheets]
            numbers[f"{prefix}groups"] = np.concatenate(each)
    return numbers


def study(name: str, *, fresh: bool = False) -> dict[str, np.ndarray]:
    """The stored arrays of a study, a row a seed."""
    return runs.sweep(f"zoo-{name}{'-fresh' if fresh else ''}").load().arrays


def evidence(
    name: str,
    measure: Callable[[Mapping], np.ndarray],
    null: Callable[[Mapping], np.ndarray] | None = None,
    *,
    grouped: bool = False,
) -> dict[str, np.ndarray]:
    """The numbers of a claim about a study, for `urep.verify`: `verify(id, **evidence(name, measure, null))`.

    `measure` and `null` make numbers of a study's arrays, (seeds,) or (seeds, n); both are asked of the
    explored seeds and of the fresh ones. `grouped` says that numbers of one seed are not independent.
    """
    asked = judged.evidence(measure, study(name), study(name, fresh=True), null)
    numbers = {key: np.ravel(found) for key, found in asked.items()}
    if grouped:
        for key, prefix in (("measured", ""), ("fresh", "fresh_")):
            seeds = len(asked[key])
            numbers[f"{prefix}groups"] = np.repeat(np.arange(seeds), numbers[key].size // seeds)
    return numbers


# --- the table ----------------------------------------------------------------------------------

COLUMNS = ("system", "seeds that learn", "in sample: R² ‖dh‖²", "‖dy‖²", "w", "up: R² ‖dh‖²", "‖dy‖²",
           "down: error of ‖dy‖²", "of the scaled curve", "τ_h", "τ_y", "turn of dh", "‖dh‖² grew",
           "verdict", "after the mean")  # fmt: skip


def table(names: Iterable[str]) -> Table:
    """Medians of the seeds of some systems that learn, and their verdicts from both clocks."""
    return Table(list(COLUMNS), [_row(sheet(name)) for name in names])


def _row(own: Sheet) -> list[str]:
    learn = f"{own.learned.sum()} of {own.learned.size}"
    if not own.learned.any():
        return [own.system.title, learn, *["–"] * (len(COLUMNS) - 4), own.verdict(), "–"]
    r2, (up, _) = own.median("r2")[0], own.median("carried_r2")[0, 0]
    error = own.median("carried_error")[0, :, 1, 1]
    tau_h, tau_y = own.median("rates")[0]
    growth = np.median(_growth(own.arrays["dh2"][own.learned, 0]))
    return [
        own.system.title, learn, *map(_r2, r2), *map(_r2, up[:2]),
        f"{error[0]:.2f}", f"{error[protocol.MODELS.index('scaled')]:.2f}",
        f"{tau_h:.2g}", f"{tau_y:.2g}", f"{own.median('turn'):.0f}°", f"{growth:.2g}×",
        own.verdict(), own.verdict(1),
    ]  # fmt: skip


def _growth(rows: np.ndarray) -> list[float]:
    """The last number of each row that is there, over the first."""
    return [row[np.isfinite(row)][-1] / row[0] for row in rows]


def _r2(value: float) -> str:
    return f"{value:.2f}" if value > 0 else "below 0"

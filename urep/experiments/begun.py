"""Stored runs of Table 1, each with (7) fitted from epoch 0 and from t₁, at which the mean is learned."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from ..fit import fit_rates, mean_learned
from ..shown import Table
from ..state import Run
from . import clocks, runs

MODELS = MappingProxyType({
    "whole": "(7) from 0, all epochs", "start": "(7) from 0, from t₁ on",
    "mean": "(7) from t₁", "curve": "logistic from t₁",
})  # fmt: skip
"""What describes a run, and on which epochs: fields of `clocks.Clocks`."""

W = 2
"""Of the three curves, w."""


@dataclass(frozen=True, eq=False)
class Begun:
    """A run, thinned, and both of its fits."""

    run: Run
    clocks: clocks.Clocks

    def worst(self, model: str, curves: Sequence[int] = (0, 1, 2)) -> float:
        """1 - R² of the worst of some curves, by `model`: a field of `clocks.Clocks`."""
        return getattr(self.clocks, model)[list(curves)].max()

    def best_curve(self, curves: Sequence[int] = (0, 1, 2)) -> float:
        """The same of the better curve without a theory: logistic, or stretched exponential."""
        other = clocks.stretched_missed(self.run, self.clocks.t1)
        return min(self.worst("curve", curves), other[list(curves)].max())

    def too_early(self, share: float) -> float:
        """1 - R² of w from t₁ on, by a fit from that share of t₁ on."""
        fit = fit_rates(clocks.since(self.run, share * self.clocks.t1), unconverged="keep")
        return clocks.missed(fit, clocks.since(self.run, self.clocks.t1))[W]


def explored(row: str, seeds: Sequence[int] = range(3)) -> list[Begun]:
    """The first seeds of a row, those whose mean is learned."""
    whole = [runs.stored_run(row, seed).run for seed in seeds]
    return _begun((clocks.thinned(run), mean_learned(run)) for run in whole)


def fresh(row: str, seeds: str = "beyond") -> list[Begun]:
    """Seeds of a row that were trained after claims about it, those whose mean is learned."""
    return _begun((one.run, one.t1) for one in runs.angled_runs(row, seeds))


def _begun(pairs) -> list[Begun]:
    return [Begun(run, clocks.clocks(run, t1)) for run, t1 in pairs if t1 is not None]


def carried_on(group: Sequence[Begun]) -> dict[str, np.ndarray]:
    """What each seed's constants miss of the next one: `clocks.carried_on` of a group."""
    return clocks.carried_on([one.clocks for one in group], [one.run for one in group])


def each(measure: Callable[[Begun], float], groups: Mapping[str, Sequence[Begun]], rows: Sequence[str]):
    """A number of every run of some rows, one row after the other."""
    return [measure(one) for row in rows for one in groups[row]]


def median_missed(group: Sequence[Begun], model: str) -> np.ndarray:
    """Median 1 - R² (3,) of the three curves over the runs of a row."""
    return np.median([getattr(one.clocks, model) for one in group], axis=0)


def fits_table(groups: Mapping[str, Sequence[Begun]]) -> Table:
    """How many runs each row has, when their mean is learned, and three R² by each of `MODELS`, medians."""
    rows = []
    for row, group in groups.items():
        t1 = np.median([one.clocks.t1 for one in group])
        fits = [" ".join(map(_r2_text, median_missed(group, model))) for model in MODELS]
        rows.append([row, len(group), f"{t1:.0f}", *fits])
    return Table(["row", "runs", "t₁", *MODELS.values()], rows)


def of_w(groups: Mapping[str, Sequence[Begun]]) -> dict[str, dict[str, float]]:
    """What is missed of w in each row, by model, medians."""
    return {row: {model: median_missed(group, model)[W] for model in MODELS} for row, group in groups.items()}


def share_table(missed: Mapping[str, Mapping[str, float]]) -> Table:
    """`of_w` in words, and the share of the gain that the shorter window alone accounts for."""
    rows = []
    for row, of in missed.items():
        shown = [f"{miss:.2f}" if miss < 2 else ">1" for miss in of.values()]
        rows.append([row, *shown, _share_text(of)])
    return Table(["row", *MODELS.values(), "the window's share"], rows)


def pairs(
    missed: Mapping[str, Mapping[str, float]],
    panels: Mapping[str, tuple[str, str]],
    kinds: Mapping[str, Sequence[str]],
) -> dict[str, dict[str, tuple[list[float], ...]]]:
    """`of_w` for `figures.scatter`: a panel two models, a kind of marks some rows."""
    return {
        title: {
            kind: tuple([missed[row][model] for row in rows] for model in pair)
            for kind, rows in kinds.items()
        }
        for title, pair in panels.items()
    }


def _r2_text(miss: float) -> str:
    return f"{1 - miss:.2f}" if miss < 2 else "<-1"


def _share_text(of: Mapping[str, float]) -> str:
    """Nothing where (7) gains nothing, or is worse than a constant after all."""
    gained = of["whole"] - of["mean"]
    if gained <= 0.05 or of["mean"] >= 1:
        return ""
    return f"{(of['whole'] - of['start']) / gained:.0%}"

"""Stored runs of Table 1, each with (7) fitted from epoch 0 and from t₁, at which the mean is learned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..fit import fit_rates, mean_learned
from ..state import Run
from . import clocks, runs


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
        return clocks.missed(fit, clocks.since(self.run, self.clocks.t1))[2]


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

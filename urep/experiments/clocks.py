"""Where the clock begins: (7) from epoch 0 and from t₁, on one window; carried to other seeds; controls."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np
import torch

from ..carry import carried, fitted_sigmoid, towards
from ..exact import solve
from ..fit import Fit, Solver, fit_rates
from ..networks import FullyConnected
from ..state import Rates, Run, State, TwoPoint, Variables
from ..tasks import Data, two_points
from ..theory import SingularSystem
from ..training import train
from .tables import Row

ROWS = 120
"""Rows of a whole run that (7) is fitted to, at least; twice as many at most."""


def since(run: Run, t: float, *, every: int = 1) -> Run:
    """Every `every`-th row of a run from epoch t on; raises ValueError where none are left."""
    first = int(np.searchsorted(run.t, t))
    if first == len(run):
        raise ValueError(f"t must be an epoch of the run, which ends at {run.t[-1]:g}, got {t!r}")
    rows = slice(first, None, every)
    return replace(run, t=run.t[rows], trajectory=run.trajectory[rows], loss=run.loss[rows])


def thinned(run: Run) -> Run:
    """Rows of a run, evenly spaced: ROWS of them or up to twice as many; all where there are fewer."""
    return since(run, 0, every=max(len(run) // ROWS, 1))


def missed(fit: Fit, run: Run) -> np.ndarray:
    """1 - R² of ‖dh‖², ‖dy‖² and w, (3,): what a fit misses of the rows of a run, fitted to them or not."""
    return _missed(np.array([*fit.predict(run.t)]), run)


def _missed(predicted: np.ndarray, run: Run) -> np.ndarray:
    seen = np.array([*run.trajectory])
    about_mean = (seen - seen.mean(axis=1, keepdims=True)) ** 2
    return ((predicted - seen) ** 2).sum(axis=1) / about_mean.sum(axis=1)


@dataclass(frozen=True, eq=False)
class Clocks:
    """A run from epoch 0 and from t₁: both fits of (7), and what is missed, (3,) each.

    `whole` is what the first fit misses of all rows; `start` of those from t₁ on, the window in which
    `mean`, the fit from t₁, and `curve`, a logistic from t₁ that is told where ‖dh‖² ends, are judged.
    """

    t1: float
    from_start: Fit
    from_mean: Fit
    whole: np.ndarray
    start: np.ndarray
    mean: np.ndarray
    curve: np.ndarray


def clocks(run: Run, t1: float) -> Clocks:
    """Fit (7) to a run from its start and from t₁. Raises as `fit_rates` does for too few rows."""
    window = since(run, t1)
    first, second = fit_rates(run, unconverged="keep"), fit_rates(window, unconverged="keep")
    curve = missed(fitted_sigmoid(window), window)
    return Clocks(t1, first, second, missed(first, run), missed(first, window), missed(second, window), curve)


def stretched(end: float) -> Solver:
    """‖dh‖² and dy go 1 − exp(−(t/τ)^q) of their ways; `tau_h` is τ, and `tau_y` the width τ/q.

    The end of ‖dh‖² is given, as to `carry.sigmoid`. For outputs along the target.
    """

    def rising(state: State, task: TwoPoint, rates: Rates, t: np.ndarray) -> Variables:
        with np.errstate(over="ignore", under="ignore"):  # all is gone there, or nothing
            gone = -np.expm1(-((t / rates.tau_h) ** (rates.tau_h / rates.tau_y)))
        return towards(state, task, end, gone, gone)

    return rising


def stretched_missed(run: Run, t1: float) -> np.ndarray:
    """1 - R² (3,) of a stretched exponential fitted to a run from t₁ on, and told where ‖dh‖² ends."""
    window = since(run, t1)
    return missed(fit_rates(window, solver=stretched(window.trajectory.dh2[-1]), unconverged="keep"), window)


def early_curve_missed(run: Run, t1: float) -> np.ndarray:
    """1 - R² (3,) from t₁ on of a logistic fitted to a run from epoch 0, and told where ‖dh‖² ends."""
    window = since(run, t1)
    whole = np.array([*fitted_sigmoid(run).predict(run.t)])  # its share is counted from its first row
    return _missed(whole[:, len(run) - len(window) :], window)


def old_clock_missed(run: Run, t1: float) -> np.ndarray:
    """1 - R² (3,) from t₁ on of (7) from the run's state at epoch 0, its constants fitted to that window."""
    window, start, before = since(run, t1), run.trajectory[0], t1 - run.t[0]

    def from_epoch_0(_, task: TwoPoint, rates: Rates, t: np.ndarray) -> Variables:
        path = solve(start, task, rates, np.concatenate([[0.0], t + before]))
        return Variables(*(curve[1:] for curve in path))

    return missed(fit_rates(window, solver=from_epoch_0, unconverged="keep"), window)


def carried_on(found: Sequence[Clocks], runs: Sequence[Run]) -> dict[str, np.ndarray]:
    """What the constants of each seed miss of the next one, on its window from t₁: (seeds, 3) by model.

    "start": (7) from epoch 0; "mean": (7) from the other run's own state at t₁; "curve": the logistic of the
    first seed from there, its place, width and end. NaN where (7) has no solution.
    """
    kept: dict[str, list[np.ndarray]] = {"start": [], "mean": [], "curve": []}
    for one, other, run in zip(found, [*found[1:], found[0]], [*runs[1:], runs[0]], strict=True):
        window = since(run, other.t1)
        rows = len(run) - len(window)
        try:
            from_start, from_mean = carried(one.from_start, run), carried(one.from_mean, window)
        except SingularSystem:
            for values in kept.values():
                values.append(np.full(3, np.nan))
            continue
        kept["start"].append(_missed(np.array([*from_start.theory.state])[:, rows:], window))
        kept["mean"].append(_missed(np.array([*from_mean.theory.state]), window))
        kept["curve"].append(_missed(np.array([*from_mean.curve.state]), window))
    return {name: np.array(values) for name, values in kept.items()}


def mean_given(network: torch.nn.Module, data) -> torch.nn.Module:
    """A copy of a network whose mean output is the targets' mean: its last bias is moved."""
    given = copy.deepcopy(network)
    *_, last = (module for module in given.modules() if isinstance(module, torch.nn.Linear))
    with torch.no_grad():
        last.bias += (data[1] - given(data[0])).mean(dim=0)
    return given


def mean_alone(network: torch.nn.Module, data, *, lr: float, epochs: int) -> torch.nn.Module:
    """A copy of a network after gradient descent on the mean's part of the loss (9), ½‖ȳ - ȳ*‖², alone."""
    alone = copy.deepcopy(network)
    descent = torch.optim.SGD(alone.parameters(), lr=lr)
    for _ in range(epochs):
        descent.zero_grad()
        (0.5 * (alone(data[0]) - data[1]).mean(dim=0).square().sum()).backward()
        descent.step()
    return alone


KINDS = MappingProxyType({"none": (0.9, 0.003), "tanh": (0.9, 0.003), "elu": (1.0, 0.002)})
"""Gain and learning rate of the networks whose mean is given, by nonlinearity."""


@dataclass(frozen=True)
class GivenTrial:
    """A network of twenty layers that is trained with its mean given by the last bias, and to be learned."""

    nonlinearity: str
    seed: int
    units: int = 50
    epochs: int = 6000

    environment = MappingProxyType({})  # no annotation: these two are no fields
    task = "two points"

    @property
    def row(self) -> str:
        """The kind of network, under which its seeds are counted."""
        return f"mean given {self.nonlinearity}"

    @property
    def settings(self) -> Row:
        """The same as a row of a table."""
        gain, lr = KINDS[self.nonlinearity]
        return Row(self.row, self.nonlinearity, gain, lr, self.epochs, self.units, 20)

    @property
    def cost(self) -> float:
        """How long it may take, in units of which only ratios mean anything."""
        return self.units * self.epochs

    def data(self) -> Data:
        """The paper's two points."""
        return two_points(dtype=torch.float64)

    def network(self) -> FullyConnected:
        """The network before it is trained."""
        return self.settings.network(seed=self.seed, dtype=torch.float64)

    def trained(self, network: torch.nn.Module, data: Data) -> Run:
        """The run of such a network on two points, to the end; it is trained in place."""
        return train(network, data, lr=self.settings.lr, epochs=self.epochs, layer=network.middle,
                     stop_at_loss=1e-6, progress=False)  # fmt: skip


def whole_miss(run: Run) -> np.ndarray:
    """1 - R² (3,) of (7) fitted to a whole run, `thinned`."""
    run = thinned(run)
    return missed(fit_rates(run, unconverged="keep"), run)


def given_and_learned(trial: GivenTrial) -> dict[str, np.ndarray]:
    """`missed` (2, 3): `whole_miss` of the training with the mean given, and of that which learns it."""
    network, data = trial.network(), trial.data()
    runs = [trial.trained(one, data) for one in (mean_given(network, data), network)]
    return {"missed": np.array([whole_miss(run) for run in runs], np.float32)}

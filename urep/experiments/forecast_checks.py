"""What the chapter on forecasts trains, compares and counts: misses by row, tables of them, error bars.

`forecasts` has the theories and the null models, and what each is told of a run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch

from .. import exact, growth, tasks
from ..fit import fit_rates
from ..networks import FullyConnected
from ..shown import Table
from ..state import Rates, State, TwoPoint
from ..theory import final_distance
from ..training import train_many
from . import forecasts, held_out, runs
from .forecasts import Case, Ends

ByRow = dict[str, np.ndarray]

D = 0.5**0.5
"""‖dy*‖ of Figure 2."""

# --- misses by row of Table 1 ------------------------------------------------------------------


def misses(cases: Mapping[str, Sequence[Case]], ends: Callable[[Sequence[Case]], Ends]) -> ByRow:
    """|log| of forecast over measured end, of each row that has cases; `ends` forecasts those of one row."""
    return {row: forecasts.log_errors(own, ends(own)) for row, own in cases.items() if own}


def by_others(known: Mapping[str, Sequence[Case]]) -> Callable[[Sequence[Case]], Ends]:
    """The null model that has seen the known runs of the same row.

    Where no run of a row is known it is given the very runs that it forecasts, and so sees the answer.
    """
    return lambda own: forecasts.ends_by_others(own, known[own[0].row] or own)


def first_seeds(cases: Mapping[str, Sequence[Case]]) -> dict[str, list[Case]]:
    """The cases of `runs.SEEDS`."""
    return {row: [x for x in own if x.seed in runs.SEEDS] for row, own in cases.items()}


def some(by_row: Mapping, rows: Sequence[str]) -> dict:
    """What belongs to these rows."""
    return {row: by_row[row] for row in rows}


def flat(by_row: ByRow) -> np.ndarray:
    """The numbers of all rows, one after another."""
    return np.concatenate([*by_row.values()])


def groups(by_row: ByRow) -> np.ndarray:
    """Of each of these numbers its row."""
    return np.repeat([*by_row], [len(x) for x in by_row.values()])


def middles(by_row: ByRow) -> np.ndarray:
    """The median of each row."""
    return np.array([np.median(x) for x in by_row.values()])


def table(by_how: Mapping[str, ByRow], counts: Mapping[str, object], rows: Sequence[str], word: str) -> Table:
    """Median misses: a line a network, with its count, and a last one for the median of some rows."""
    lines = [[row, count, *(f"{np.median(x[row]):.2f}" for x in by_how.values())]
             for row, count in counts.items()]  # fmt: skip
    last = [f"{np.median(middles(some(x, rows))):.2f}" for x in by_how.values()]
    return Table(["network", word, *by_how], [*lines, ["median of rows", "", *last]])


# --- linear networks, and other targets ----------------------------------------------------------


def linear_runs(gain: float, target: float = D) -> tuple[np.ndarray, np.ndarray]:
    """Ten linear networks of fifty units, trained to the end: ‖dh‖² and v, (networks, epochs)."""
    inputs, targets = tasks.two_points(first_input=-0.5, first_target=-D / 2, dtype=torch.float64)
    networks = [
        FullyConnected(
            hidden_layers=1, units=50, nonlinearity="none", gain=gain, seed=seed, dtype=torch.float64
        )
        for seed in range(10)
    ]
    data = inputs, targets * target / D
    run = train_many(networks, data, lr=0.05, epochs=1000, layer=networks[0].middle)
    return run.trajectory.dh2, (run.trajectory.dy2 - run.trajectory.w) / target


def of_targets(row: str, ending: str) -> list[tuple[float, float, float]]:
    """Final ‖dh‖² on the two closer targets: of the farther run's curve, in proportion, measured.

    `ending` names the sweep of a seed. An empty list where one of the three runs has not learned.
    """
    middle = runs.sampled_runs(f"{runs.slug(row)}-fresh")[0] if ending else runs.stored_run(row).run
    far, near = runs.sampled_runs(f"{runs.slug(row)}-targets{ending}")
    if not all(map(forecasts.is_learned, (far, middle, near))):
        return []
    return [_of_target(*pair) for pair in ((far, middle), (middle, near))]


def _of_target(far, near) -> tuple[float, float, float]:
    (end, d), (measured, closer) = ((run.trajectory.dh2[-1], run.task.dy2_target**0.5) for run in (far, near))
    return forecasts.end_of_other_target(far, closer), end * closer / d, measured


# --- constants that are carried --------------------------------------------------------------------


def carried(row: str, seeds: str) -> np.ndarray:
    """1 − R² of a row's runs by growing rates of another run, and by its logistic curves, (runs, 2)."""

    def learned(which):
        return [one for one in runs.angled_runs(row, which) if forecasts.is_learned(one.run)]

    one, others = learned("angles")[0], learned(seeds)
    rates, curves = forecasts.grown_by_gates(one).rates, forecasts.logistics(one)
    found = [(forecasts.carried_error(x, rates), forecasts.logistic_error(x, curves)) for x in others]
    return np.array(found).reshape(-1, 2)


def on_grid(
    whole: Sequence[Case], grid: Sequence[Case], powers: tuple[float, float], across: str = "inherited"
) -> np.ndarray:
    """|log| misses on other tasks, by exponents and by the ratio that fits whole default runs."""
    found = forecasts.ends_by_paths(whole, powers, share=0.98, across=across)
    told = forecasts.ends_of_other_tasks(grid, powers, np.median(found.log_ratio), across=across)
    return forecasts.log_errors(grid, told)


def carried_height(default: Sequence[Case], grid: Sequence[Case], power: int) -> np.ndarray:
    """|log| misses on other tasks of the default's ‖dh‖² times a power of ‖dy*‖."""
    end = np.mean([x.end for x in default])
    return np.abs(np.log([end * (x.target / D) ** power / x.end for x in grid]))


# --- error bars --------------------------------------------------------------------------------------

Z_90 = 1.645
"""Standard errors to each side of what holds nine tenths of a normal distribution."""


def noisy_scores(
    start: State, task: TwoPoint, rates: Rates, t: np.ndarray, draws: int, seed: int, size: float = 3e-4
) -> np.ndarray:
    """Misses of the end over its standard error, of fits to exact curves with noise, (draws,).

    The first row has none: the start is known.
    """
    random, curves = np.random.default_rng(seed), exact.solve(start, task, rates, t)
    truth, found = final_distance(start, task, rates), []
    for _ in range(draws):
        seen = [x + size * random.normal(size=len(x)) for x in curves]
        seen = [np.abs(seen[0]), np.abs(seen[1]), seen[2]]
        kept = State(*(np.r_[x[0], y[1:]] for x, y in zip(curves, seen, strict=True)))
        fit = fit_rates(t, kept, task)
        _, bar = forecasts.standard_errors(start, task, fit.rates, t)
        found.append(np.log(final_distance(start, task, fit.rates) / truth) / (size * bar))
    return np.array(found)


def covered(case: Case) -> bool:
    """Whether the 90% bar of (7), fitted to the first fifth of a run, holds its end."""
    fit = held_out.forecast(case.run)
    noise = (fit.residual / (3 * len(fit.t) - 2)) ** 0.5
    _, bar = forecasts.standard_errors(fit.start, case.run.task, fit.rates, fit.t - fit.t[0])
    miss = np.log(final_distance(fit.start, case.run.task, fit.rates) / case.end)
    return bool(abs(miss) < Z_90 * noise * bar)


# --- a path with and without time ------------------------------------------------------------------


def two_ways(random: np.random.Generator, task: TwoPoint) -> float:
    """‖dh‖² of a path on targets as far as time has brought it, over ‖dh‖² at that time; a random start."""
    size, slope = 10 ** random.uniform(-1, -0.3, 2)
    start = growth.Lengths(size, slope, random.uniform(0.02, 0.9))
    ratio, powers = 10 ** random.uniform(-1, 1), random.uniform(-0.8, 1.8, 2)
    times = np.array([0.0, random.uniform(1, 10)])
    now = growth.integrate(start, task, growth.Growth(ratio, 1.0, *powers), times)[1]
    path = forecasts.paths([start], [now.u * now.r * now.cosine], *powers, np.array([ratio]))
    return float(path.dh2[-1, 0, 0] / now.u**2)

"""One linear layer with random Gaussian weights: distributions of C, c and the final ‖dh‖², and ensembles."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.integrate import solve_ivp
from scipy.special import roots_legendre
from scipy.stats import chi2, kstest

from .. import rotation
from ..state import State
from ..theory import final_distance
from . import one_layer, runs

Law = Callable[[ArrayLike], np.ndarray]
"""A cumulative distribution."""

_NODES, _WEIGHTS = roots_legendre(400)
_COSINES = np.sin(_NODES * np.pi / 2)
_GRID = np.linspace(0, 4, 4001)


def _chances(units: int) -> np.ndarray:
    """Weights of the cosines between two random directions."""
    found = np.cos(_NODES * np.pi / 2) ** (units - 2) * _WEIGHTS
    return found / found.sum()


def C_law(units: int, v: float) -> Law:
    """Distribution of C/k: 2v times the root of a product of two independent χ² of so many units."""
    other = chi2.ppf((_NODES + 1) / 2, units)
    table = chi2.cdf(np.divide.outer((_GRID / (2 * v)) ** 2, other), units) @ (_WEIGHTS / 2)
    return lambda C: np.interp(C, _GRID, table, left=0, right=1)


def c_law(units: int, v: float) -> Law:
    """Distribution of c/k = C cos β: for each cosine, of a C below or above a bound."""
    below, chance = C_law(units, v), _chances(units)

    def cdf(c):
        bound = np.divide.outer(np.asarray(c, dtype=float), _COSINES)
        return np.where(_COSINES > 0, below(bound), 1 - below(bound)) @ chance

    return cdf


def end_law(units: int, v: float, A_low: float) -> Law:
    """Distribution of ‖dh(∞)‖² by (E57): given cos β it is below h for a C between two roots."""
    below, chance = C_law(units, v), _chances(units)

    def cdf(h):
        y = 2 * np.asarray(h, dtype=float)[:, None]  # C cos β + √(C² + 4 A_low²) ≤ y
        under = y**2 - 4 * A_low**2 * (1 - _COSINES**2)
        root = np.sqrt(np.maximum(under, 0))
        upper, lower = ((-_COSINES * y + sign * root) / (1 - _COSINES**2) for sign in (1, -1))
        return np.where(under > 0, below(upper) - below(lower), 0) @ chance

    return cdf


def end_law_10(units: int, v: float, A_low: float) -> Law:
    """The same by (10), whose A_high is v (χ²_n − χ²_1)."""
    single = chi2.ppf((_NODES + 1) / 2, 1)

    def cdf(h):
        h = np.asarray(h, dtype=float)
        return chi2.cdf(np.add.outer((h - A_low**2 / h) / v, single), units) @ (_WEIGHTS / 2)

    return cdf


def critical(size: int) -> float:
    """The Kolmogorov-Smirnov distance that 1% of true samples of a size exceed."""
    return 1.63 / np.sqrt(size)


class Starts(NamedTuple):
    """C/k and c/k of networks before training, (n,) each."""

    C: np.ndarray
    c: np.ndarray


def starts(units: int, gain: float, seeds: range) -> Starts:
    """The two numbers of each seed, from the weights."""
    begun = one_layer.Stack.of([one_layer.network(units, gain, seed) for seed in seeds])
    total, difference = (np.linalg.norm(begun.dh + sign * begun.row, axis=-1) for sign in (1, -1))
    dh, row = (np.linalg.norm(vectors, axis=-1) for vectors in (begun.dh, begun.row))
    return Starts(total * difference, dh**2 - row**2)


def starts_off(units: int, supposed: int, gain: float, seeds: range) -> np.ndarray:
    """Kolmogorov-Smirnov distances of C and of c, (2,), from their laws for a supposed number of units."""
    begun, v = starts(units, gain, seeds), 2 * gain**2 / (units + 1)
    laws = C_law(supposed, v), c_law(supposed, v)
    return np.array([kstest(values, law).statistic for values, law in zip(begun, laws, strict=True)])


def ends_off(law: Callable[[int, float, float], Law]) -> Callable[[str], list[float]]:
    """A measure of a sweep of ensembles: each one's distance from a law, over the `critical` one."""
    ensemble, (gain,) = one_layer.ENSEMBLE, one_layer.ENSEMBLE.gains
    known = law(ensemble.units, 2 * gain**2 / (ensemble.units + 1), one_layer.D2**0.5)

    def distances(name: str) -> list[float]:
        ends = np.float64(runs.sweep(name).load().arrays["ends"])
        allowed = critical(ends.shape[-1])
        return [kstest(2 * fine - coarse, known).statistic / allowed for coarse, fine in ends]

    return distances


class Ends(NamedTuple):
    """‖dh(∞)‖² of networks as they learned it, and by three formulas, (n,) each."""

    seen: np.ndarray
    by_57: np.ndarray
    by_58: np.ndarray
    by_10: np.ndarray


def ends(units: int, gain: float, *, lr: float = 0.05, epochs: int = 2000, size: int = 300) -> Ends:
    """The Ends of so many networks, trained side by side."""
    begun = one_layer.Stack.of([one_layer.network(units, gain, seed) for seed in range(size)])
    task, rates = one_layer.TASK, one_layer.rates(lr)
    dh2, row2 = (begun.dh**2).sum(axis=1), (begun.row**2).sum(axis=1)
    dy = (begun.dh * begun.row).sum(axis=1)
    state = State(dh2, dy**2, dy * (dy - task.dy2_target**0.5))
    return Ends(
        (begun.descended(lr, epochs).dh ** 2).sum(axis=1),
        rotation.final_distance(dh2, row2, dy, task, rates),
        rotation.wide_distance(dh2, task, rates),
        final_distance(state, task, rates),
    )


class Miss(NamedTuple):
    """Relative miss of ‖dh(∞)‖² by (E57), and of the vector by (E54)."""

    length: float
    vector: float


def two_outputs(seed: int, gain: float, units: int = 10) -> Miss:
    """The Miss where (E54), which is for one output, is used along dy* of a layer with two."""
    width, goal = gain * (2 / (units + 1)) ** 0.5, np.array([one_layer.TASK.dy2_target**0.5, 0.0])
    draw = np.random.default_rng(seed).normal(0, width, (3, units))

    def field(_, y):
        h, maps = y[:units], y[units:].reshape(2, units)
        error = goal - maps @ h
        return np.concatenate([maps.T @ error, np.outer(error, h).ravel()]) / 4

    end = solve_ivp(field, (0, 400), draw.ravel(), rtol=1e-9, atol=1e-12).y[:units, -1]
    start = rotation.Vectors(draw[0], draw[1])
    guess = rotation.final(start, one_layer.TASK, one_layer.rates(1.0)).dh
    length = abs(end @ end / (guess @ guess) - 1)
    return Miss(length, np.linalg.norm(end - guess) / np.linalg.norm(end))

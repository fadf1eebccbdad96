"""What gradient descent conserves only approximately, in linear networks on two centred points.

The flow keeps c and C of one hidden layer, and in a deeper network the differences of its layers' sizes.
Steps, noise and weight decay take something off, each by a coefficient that the chapter on finite steps
derives: (E70) to (E73), and for deep networks the functions here. Networks are trained in NumPy, with
backpropagation written out; the tests hold it against `urep.train`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from math import sqrt
from types import MappingProxyType

import numpy as np
from scipy.optimize import brentq

from .. import equations as eq
from ..state import real_number
from .one_layer import D2

Arrays = dict[str, np.ndarray]

TARGET = sqrt(D2)
"""dy* of the pair, whose inputs are one apart: s is a quarter of the learning rate times it."""

_LOG_G, _END = (eq.numeric(side, *letters) for side, letters in (
    (eq.book["E71"].rhs[0], (eq.shrunk, eq.Omega_end, eq.sum2, eq.difference2, eq.m_0, eq.s)),
    (eq.book["E71"].rhs[1], (eq.shrunk, eq.sum2, eq.difference2, eq.s)),
))  # fmt: skip
_SEEN2, _SEEN2_PAIRS = (eq.numeric(side, eq.label_noise, eq.Omega) for side in eq.book["E72"].rhs)


# --- by formula -------------------------------------------------------------------------------


def log_shrunk(sum2, difference2, s, order: int = 2) -> np.ndarray:
    """The logarithm of g of (E71): what finite steps leave of c and C, from |p + ρ|² and |p − ρ|² before.

    Per epoch, as (E51). Order 1 has g = 1 on the right and no last term, which is the integral over the flow.
    """
    sum2, difference2, s = np.broadcast_arrays(*(np.asarray(z, dtype=float) for z in (sum2, difference2, s)))
    m_0 = (sum2 - difference2) / 4
    if order == 1:
        return _LOG_G(1.0, _END(1.0, sum2, difference2, s), sum2, difference2, s, s)
    g = np.ones_like(sum2)
    for _ in range(60):
        g = np.exp(_LOG_G(g, _END(g, sum2, difference2, s), sum2, difference2, m_0, s))
    return np.log(g)


def left_by_noise(C, s, noise, steps: int, seen: Callable | None = None) -> np.ndarray:
    """What so many steps at rest with noisy targets leave of C, as a share, by (E70) and (E72).

    Per epoch. `seen(noise, Ω)` is the mean (m − s)² that steps see: noise drawn anew at each step, unless
    `in_pairs` or another is given. Ω falls with C.
    """
    log_g, noise = np.zeros_like(np.asarray(C, dtype=float)), float(noise)
    for _ in range(steps):
        log_g = log_g - (seen or _SEEN2)(noise, np.hypot(np.exp(log_g) * C, 2 * s))
    return np.exp(log_g)


def in_pairs(noise, Omega):
    """The mean square that steps see where an epoch has both signs of the noise, in random order: (E72)."""
    return _SEEN2_PAIRS(noise, Omega)


def chain_left(weights, h: float, noise: float, steps: int, *, deep: bool = True) -> np.ndarray:
    """Squared weights (L,) of a chain of L single units at rest, after so many steps on noisy targets.

    A step multiplies the difference of the squares of weights k and l by 1 − h²e²(y/(w_k w_l))², with y the
    product of all; the common part follows from y, which stays at the target. `deep=False` leaves out the
    last bracket, as if there were two weights.
    """
    squares = np.asarray(weights, dtype=float) ** 2
    for _ in range(steps):
        y2 = squares.prod()
        Omega = h * (y2 / squares).sum()
        seen2 = _SEEN2(h * noise, Omega)
        apart = seen2 * (y2 / squares if deep else -squares)
        squares = squares + apart - (apart / squares).sum() / (1 / squares).sum()
    return squares


def decayed_output(matrices: int, weight_decay: float, target: float = TARGET) -> float:
    """The largest output difference at which a linear network of L matrices can rest under weight decay.

    It solves y + 4 λ y^(2/L − 1) = dy*; zero where there is no such y. For L = 2 it is (E73).
    Raises ValueError for a weight decay that is negative or not finite, TypeError for one that is no number.
    """
    weight_decay = real_number("weight_decay", weight_decay, strict=False)
    if matrices == 2:
        return max(target - 4 * weight_decay, 0.0)

    def short(y: float) -> float:
        return target - y - 4 * weight_decay * y ** (2 / matrices - 1)

    hardest = target * (matrices - 2) / (2 * matrices - 2)  # where decay may be largest
    return brentq(short, hardest, target) if short(hardest) > 0 else 0.0


def collapse(matrices: int, target: float = TARGET) -> float:
    """The weight decay beyond which a linear network of L matrices can only rest at zero."""
    hardest = target * (matrices - 2) / (2 * matrices - 2)
    return (target - hardest) * hardest ** (1 - 2 / matrices) / 4


# --- by training --------------------------------------------------------------------------------

_SIGNS = np.array([-1.0, 1.0])


def descended(
    weights: list[np.ndarray],
    lr: float,
    steps: int,
    *,
    weight_decay: float = 0.0,
    errors: Callable[[int], np.ndarray] | None = None,
    target: float = TARGET,
) -> list[np.ndarray]:
    """Matrices (draws, n_out, n_in) of linear networks after gradient descent on the two centred points.

    errors(step) is what is added to the target difference in that step, one number a draw.
    """
    weights = [w.copy() for w in weights]
    for step in range(steps):
        seen = [np.broadcast_to(_SIGNS / 2, (len(weights[0]), 1, 2))]
        for w in weights:
            seen.append(w @ seen[-1])
        wanted = target if errors is None else target + errors(step)[:, None, None]
        back = (seen[-1] - wanted * _SIGNS / 2) / 2
        for k in reversed(range(len(weights))):
            slope, back = back @ seen[k].swapaxes(1, 2), weights[k].swapaxes(1, 2) @ back
            weights[k] = (1 - lr * weight_decay) * weights[k] - lr * slope
    return weights


def drawn_anew(noise: float, draws: int, random: np.random.Generator) -> Callable[[int], np.ndarray]:
    """Noise of this standard deviation that each step draws anew."""
    return lambda _step: noise * random.normal(size=draws)


def single_points(offset: float, draws: int, random: np.random.Generator) -> Callable[[int], np.ndarray]:
    """What batches of one point do to the target difference, both points once an epoch, in random order.

    With no bias an offset of both targets cannot be learned; a point sees twice of it in dy*, with a sign.
    """
    sign = np.ones(draws)

    def errors(step: int) -> np.ndarray:
        nonlocal sign
        sign = random.choice(_SIGNS, draws) if step % 2 == 0 else -sign
        return 2 * offset * sign

    return errors


def output(weights: list[np.ndarray]) -> np.ndarray:
    """The output difference of each draw: the product of all matrices."""
    made = weights[0]
    for w in weights[1:]:
        made = w @ made
    return made[:, 0, 0]


def lengths(weights: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """|p + ρ|² and |p − ρ|² of networks of two matrices, over k: those of (E51) are lr/4 as large."""
    p, rho = weights[0][:, :, 0], weights[1][:, 0]
    return ((p + rho) ** 2).sum(1), ((p - rho) ** 2).sum(1)


# --- what is kept of a seed -----------------------------------------------------------------------

KINDS = ("steps", "edge", "noise", "batches", "chain", "decay", "deep decay")
"""What is compared: ln g; the factor on the last error; ln of the share that noise leaves of c, that batches
of one point leave of c, that noise leaves of a chain's difference of squares; A_low − ‖dh(∞)‖² under weight
decay; ‖dh(∞)‖² of deep networks under it."""

DRAWS = 100
"""Draws of noise over which a share is averaged."""

WIDTHS, DEPTHS = (3, 10, 50), (4, 8)
"""Widths of networks under weight decay, and numbers of matrices of the deep ones."""


@dataclass(frozen=True)
class ConservedTrial:
    """All KINDS from one seed."""

    seed: int
    name: str = "what is conserved approximately"
    environment = MappingProxyType({})
    cost = 10.0

    @property
    def settings(self) -> _Settings:
        """What is trained."""
        return _Settings()


@dataclass(frozen=True)
class _Settings:
    kinds: str = ", ".join(KINDS)
    draws: int = DRAWS


def coefficients(trial: ConservedTrial) -> Arrays:
    """For each of KINDS what was seen, what its formula says, and what the nearest wrong one says."""
    found: Arrays = {}
    for place, kind in enumerate(KINDS):
        random = np.random.default_rng([trial.seed, place])
        found[kind.replace(" ", "_")] = np.array(_MEASURES[kind](random), dtype=float)
    return found


def _steps(random) -> tuple:
    """The logarithm of g of ten units at lr 0.32: seen, by (E71), by its first order."""
    lr = 0.32
    start = _two(random.normal(size=(2, 10)) * 0.4)
    end = descended(start, lr, round(240 / lr))
    (a, b), (a_end, b_end) = lengths(start), lengths(end)
    k = lr / 4
    told = [log_shrunk(k * a, k * b, k * TARGET, order)[0] for order in (2, 1)]
    return (np.log(a_end * b_end / (a * b))[0] / 2, *told)


def _two(vectors: np.ndarray) -> list[np.ndarray]:
    return [vectors[None, 0, :, None], vectors[None, 1, None, :]]


def _edge(random) -> tuple:
    """Factor of a step on the last errors: seen, 1 − Ω of the end by (E71), 1 − Ω of the flow's end."""
    start = _two(random.normal(size=(2, 10)) * random.uniform(0.3, 0.6))
    a, b = (z[0] for z in lengths(start))
    lr = 4 * random.uniform(0.5, 1.8) / np.sqrt(a * b + 4 * D2)
    for n in range(100_000):
        before, start = output(start)[0] - TARGET, descended(start, lr, 1)
        if abs(before) < 1e-7 or n > 5000:
            break
    factor = (output(start)[0] - TARGET) / before
    k = lr / 4
    g = np.exp(log_shrunk(k * a, k * b, k * TARGET))
    ends = [np.sqrt(share**2 * a * b + 4 * D2) for share in (g, 1.0)]
    return (factor, *(1 - k * end for end in ends))


def _at_rest(random) -> tuple[list[np.ndarray], float]:
    """One unit at rest, DRAWS times, and its c."""
    p = random.uniform(1.4, 2.0)
    start = np.tile(np.array([p, TARGET / p])[:, None], (1, DRAWS))
    return [start[0][:, None, None], start[1][:, None, None]], p**2 - (TARGET / p) ** 2


def _noise(random) -> tuple:
    """Logarithm of c's share after 1000 noisy steps: seen, by (E72), without its bracket."""
    lr, noise, steps = 0.32, 0.3, 1000
    start, c = _at_rest(random)
    share = _share(descended(start, lr, steps, errors=drawn_anew(noise, DRAWS, random)), c)
    k = lr / 4
    plain = left_by_noise(k * c, k * TARGET, k * noise, steps, lambda noise, _: noise**2)
    return share, np.log(left_by_noise(k * c, k * TARGET, k * noise, steps)), np.log(plain)


def _share(end: list[np.ndarray], c: float) -> float:
    (p, rho) = (w[:, 0, 0] for w in end)
    return float(np.log((p**2 - rho**2).mean() / c))


def _batches(random) -> tuple:
    """The same with batches of one of two points: by (E72) in pairs, and as if each were drawn anew."""
    lr, offset, steps = 0.32, 0.15, 1000
    start, c = _at_rest(random)
    share = _share(descended(start, lr, steps, errors=single_points(offset, DRAWS, random)), c)
    k = lr / 4
    told = (left_by_noise(k * c, k * TARGET, 2 * k * offset, steps, seen) for seen in (in_pairs, None))
    return (share, *map(np.log, told))


def _chain(random) -> tuple:
    """Logarithm of what is left of w_1² − w_4² of four units at rest: seen, by `chain_left`, as for two."""
    lr, noise, steps = 0.16, 0.3, 1000
    weights = np.array([1.6, 1.2, 1.0, 0.6]) * random.uniform(0.9, 1.1, 4)
    weights *= (TARGET / weights.prod()) ** 0.25
    start = [np.full((DRAWS, 1, 1), w) for w in weights]
    end = descended(start, lr, steps, errors=drawn_anew(noise, DRAWS, random))
    apart = (end[0] ** 2 - end[-1] ** 2).mean()
    told = (chain_left(weights, lr / 4, noise, steps, deep=deep) for deep in (True, False))
    return tuple(np.log(z / (weights[0] ** 2 - weights[-1] ** 2))
                 for z in (apart, *(squares[0] - squares[-1] for squares in told)))  # fmt: skip


def matrices_of(random, units: int, matrices: int, gain: float = 1.0) -> list[np.ndarray]:
    """Matrices (1, n_out, n_in) of a linear network from one input to one output, Xavier normal."""
    sizes = [1, *[units] * (matrices - 1), 1]
    return [gain * random.normal(size=(1, n, m)) * np.sqrt(2 / (n + m))
            for m, n in pairwise(sizes)]  # fmt: skip


def _decay(random) -> list:
    """A_low − ‖dh(∞)‖² for each of WIDTHS at a weight decay of its own: seen, by (E73), half of it."""
    rows = []
    for units in WIDTHS:
        decay = random.uniform(0.03, 0.12)
        end = descended(matrices_of(random, units, 2), 0.5, round(40 / decay), weight_decay=decay)
        rows.append((TARGET - dh2_behind(end[:1]), 4 * decay, 2 * decay))
    return rows


def _deep_decay(random) -> list:
    """‖dh(∞)‖² in the middle for each of DEPTHS: seen, by `decayed_output`, by (E73)."""
    rows = []
    for matrices in DEPTHS:
        weight_decay = random.uniform(0.3, 0.8) * collapse(matrices)
        start = matrices_of(random, 10, matrices)
        end = descended(start, 0.2, round(40 / weight_decay), weight_decay=weight_decay)
        told = decayed_output(matrices, weight_decay), TARGET - 4 * weight_decay
        rows.append((dh2_behind(end[: matrices // 2]), *told))
    return rows


def dh2_behind(weights: list[np.ndarray]) -> float:
    """‖dh‖² behind some matrices of one network: the two inputs are one apart."""
    h = weights[0][0]
    for w in weights[1:]:
        h = w[0] @ h
    return float((h**2).sum())


_MEASURES = dict(zip(KINDS, (_steps, _edge, _noise, _batches, _chain, _decay, _deep_decay), strict=True))

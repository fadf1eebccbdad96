"""What gradient descent conserves only approximately, in linear networks on two centred points.

The flow keeps c and C of one hidden layer, and in a deeper network the differences of its layers' sizes.
Steps, noise and weight decay take something off, each by a coefficient that the chapter on finite steps
derives: (E70) to (E73), and (E74) to (E77) for deep networks. Networks are trained in NumPy, with
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
_PART, _GAIN = (eq.numeric(side, *letters) for side, letters in (
    (eq.book["E74"].rhs[1], (eq.weight_k, eq.dy, eq.eta)),
    (eq.book["E75"].rhs, (eq.seen2, eq.eta, eq.Omega_k, eq.Omega_all, eq.Omega)),
))  # fmt: skip
_HELD = eq.numeric(eq.book["E76"].rhs, eq.dy, eq.weight_decay, eq.eta, eq.matrices)
_LAST = eq.numeric(eq.book["E77"].rhs[0], eq.dy_target, eq.matrices)
_LAST_DECAY = eq.numeric(eq.book["E77"].rhs[1], eq.dy_target, eq.dy_last, eq.eta, eq.matrices)


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


def chain_left(
    weights, h: float, noise: float, steps: int, *, deep: bool = True, seen: Callable | None = None
) -> np.ndarray:
    """Squared weights (L,) of a chain of L units at rest, after so many steps on noisy targets, (E75).

    h is a quarter of the learning rate. `seen(noise, Ω)` is the mean (m − s)² that steps see, per epoch,
    by (E72) unless another is given. `deep=False` leaves out the other weights' product in (E74), as if
    there were two weights; the common part still keeps the output where it is.
    """
    squares = np.asarray(weights, dtype=float) ** 2
    for _ in range(steps):
        y = np.sqrt(squares.prod())
        parts = _PART(np.sqrt(squares), y, 4 * h)
        seen2 = (seen or _SEEN2)(h * noise, parts.sum())
        if deep:
            squares = squares + _GAIN(seen2, 4 * h, parts, parts[:, None], parts.sum())
        else:
            apart = -seen2 * squares
            squares = squares + apart - (apart / squares).sum() / (1 / squares).sum()
    return squares


def decayed_output(matrices: int, weight_decay: float, target: float = TARGET) -> float:
    """The largest output difference at which linear networks of L matrices rest under weight decay, (E76).

    Zero where there is none but zero, (E77). For L = 2 it is (E73). weight_decay is PyTorch's, per learning
    rate. Raises ValueError for one that is negative or not finite.
    """
    weight_decay = real_number("weight_decay", weight_decay, strict=False)
    if weight_decay >= collapse(matrices, target):
        return 0.0
    least = _LAST(target, matrices)
    return brentq(lambda y: target - _HELD(y, weight_decay, 1.0, matrices), least, target)


def collapse(matrices: int, target: float = TARGET) -> float:
    """The weight decay, per learning rate, beyond which linear networks of L matrices rest at zero: (E77)."""
    return float(_LAST_DECAY(target, _LAST(target, matrices), 1.0, matrices))


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
    weights, share = _chain_at_rest(random)
    return share, *(_chain_share(weights, deep=deep) for deep in (True, False))


_CHAIN_LR, _CHAIN_NOISE, _CHAIN_STEPS = 0.16, 0.3, 1000


def _chain_weights(random) -> np.ndarray:
    """Four unequal weights at rest, whose product is the target."""
    weights = np.array([1.6, 1.2, 1.0, 0.6]) * random.uniform(0.9, 1.1, 4)
    return weights * (TARGET / weights.prod()) ** 0.25


def _chain_at_rest(random) -> tuple[np.ndarray, float]:
    """Four weights at rest, and the logarithm of what noisy steps leave of w_1² − w_4² in DRAWS draws."""
    weights = _chain_weights(random)
    start = [np.full((DRAWS, 1, 1), w) for w in weights]
    noise = drawn_anew(_CHAIN_NOISE, DRAWS, random)
    end = descended(start, _CHAIN_LR, _CHAIN_STEPS, errors=noise)
    return weights, _of_apart((end[0] ** 2 - end[-1] ** 2).mean(), weights)


def _chain_share(weights: np.ndarray, **how) -> float:
    """The same by `chain_left`."""
    squares = chain_left(weights, _CHAIN_LR / 4, _CHAIN_NOISE, _CHAIN_STEPS, **how)
    return _of_apart(squares[0] - squares[-1], weights)


def _of_apart(apart: float, weights: np.ndarray) -> float:
    return float(np.log(apart / (weights[0] ** 2 - weights[-1] ** 2)))


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


def _without_bracket(noise, _Omega):
    """What steps would see of noise if the error rested."""
    return noise**2


@dataclass(frozen=True)
class RivalTrial(ConservedTrial):
    """A chain on noisy labels and layers under weight decay, each beside the strongest wrong formula."""

    name: str = "chains and decay beside nearer rivals"

    @property
    def settings(self) -> _Settings:
        """What is trained."""
        return _Settings("chain, decay")


def rivals(trial: RivalTrial) -> Arrays:
    """Chain (3,): seen, by `chain_left`, without the bracket of (E72); decay (3, 2): ‖dh(∞)‖², by (E73)."""
    weights, share = _chain_at_rest(np.random.default_rng([trial.seed, KINDS.index("chain")]))
    told = (_chain_share(weights, seen=seen) for seen in (None, _without_bracket))
    taken, by_formula, _ = np.transpose(_decay(np.random.default_rng([trial.seed, KINDS.index("decay")])))
    ends = [TARGET - taken, TARGET - by_formula]
    return {"chain": np.array([share, *told]), "decay": np.transpose(ends)}


def chain_without_bracket(seed: int) -> float:
    """What `rivals` keeps last of a chain, of any seed of `coefficients`, without a training."""
    return _chain_share(_chain_weights(np.random.default_rng([seed, KINDS.index("chain")])),
                        seen=_without_bracket)  # fmt: skip


_MEASURES = dict(zip(KINDS, (_steps, _edge, _noise, _batches, _chain, _decay, _deep_decay), strict=True))

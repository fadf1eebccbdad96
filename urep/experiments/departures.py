"""What the chapter on when learning happens trains and integrates: the lengths of two plateaus.

`waiting` reads the clock, and has the small networks that are stored. Here are the networks of one unit a
layer that the page trains itself, what the stored ones have, and when rates that grow let them learn.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import torch
from scipy.integrate import quad, solve_ivp

from .. import growth, tasks
from ..equations import K_h, K_h_across, K_y, K_y_across, angle, book, error, numeric, r, u
from ..fit import without_mean
from ..networks import FullyConnected
from ..state import Rates, Run, State, TwoPoint
from ..training import train_many
from . import ensembles, runs, waiting
from .ensembles import one_unit as one_unit  # the page's networks of two weights
from .held_out import learned_share
from .tables import TABLE_1

D = 0.5**0.5
"""‖dy*‖ of the networks here; ‖dx‖ is one, and the points lie around zero."""

# --- networks of one unit a layer ----------------------------------------------------------------


def one_output() -> tasks.Data:
    """The two points, with one output."""
    return tasks.two_points(dy2_target=D**2, first_input=-0.5, first_target=-D / 2, dtype=torch.float64)


def two_outputs() -> tasks.Data:
    """The two points, with two outputs."""
    points = tasks.two_points(dy2_target=D**2, n_out=2, dtype=torch.float64)
    return tuple(part - part.mean(dim=0) for part in points)


def turned(angles: np.ndarray) -> list[np.ndarray]:
    """Decoders (2,) of length one at these angles to the target of `two_outputs`."""
    toward = two_outputs()[1].diff(dim=0)[0].numpy() / D
    return [ensembles.turned(toward, angle) for angle in angles]


def deep_unit(inner: np.ndarray, last: np.ndarray) -> FullyConnected:
    """A linear network of one unit a layer: a small first weight, inner ones, and the last matrix (2,)."""
    network = FullyConnected(1, 2, hidden_layers=len(inner) + 1, units=1, nonlinearity="none",
                             dtype=torch.float64)  # fmt: skip
    with torch.no_grad():
        for layer, weight in zip(network.net[::2], [0.2, *inner], strict=False):
            layer.weight.fill_(weight)
        network.net[-1].weight.copy_(torch.as_tensor(last)[:, None])
    return network


def trained(
    networks: list[FullyConnected], data: tasks.Data, lr: float, epochs: int
) -> tuple[Run, State, Rates]:
    """An ensemble's run, the states that it starts from, and the rates of its one hidden layer."""
    run = train_many(networks, data, lr=lr, epochs=epochs, layer=networks[0].middle)
    return run, State(*(z[:, 0] for z in run.trajectory)), Rates(2 / lr, 2 / lr)


def moments(run: Run, unit: float = 1.0) -> np.ndarray:
    """When each network of an ensemble has learned `waiting.SHARES`, (networks, 5), epochs times a unit."""
    shares = (run.trajectory.dy2 - run.trajectory.w) / D**2
    return np.array([waiting.moments(run.t * unit, share) for share in shares])


def half_learned(run: Run) -> np.ndarray:
    """The epoch at which each network of an ensemble has learned half of its target, (networks,)."""
    return moments(run)[:, 2]


def halfway(loss: np.ndarray, angles: np.ndarray) -> np.ndarray:
    """The first epoch at which less than half of the plateau's height is left, of losses (networks, epochs).

    Outputs at an angle to the target rest at sin² of it times ‖dy*‖²/8. Raises ValueError where none is.
    """
    below = loss / (D**2 / 8) < (np.sin(angles) ** 2 / 2)[:, None]
    if not below.any(axis=1).all():
        raise ValueError("loss must fall to half of its plateau in each network, some stay above")
    return np.argmax(below, axis=1)


# --- flows ---------------------------------------------------------------------------------------


def equal_weights_pass(count: int, start: float, levels: np.ndarray) -> np.ndarray:
    """When `count` equal weights that go downhill from `start` pass each level; their target is one."""
    events = [lambda _, w, level=level: w[0] - level for level in levels]
    found = solve_ivp(lambda _, w: w ** (count - 1) * (1 - w**count), (0, 500), [start], events=events,
                      rtol=1e-11, atol=1e-13)  # fmt: skip
    return np.ravel(found.t_events)


def large_decoder_halfway(count: int, size: float, turn: float) -> float:
    """When half of the plateau is left to a decoder of `count` matrices; the target is one.

    Its last matrix has this size and this angle to the target, the inner weights are 2, the encoder is small.
    """
    last = size * np.array([np.cos(turn), np.sin(turn)])

    def left(w):
        return w[0] * w[1:-2].prod() * w[-2:] - [1, 0]

    def flow(_, w):
        push = left(w) @ w[-2:] * w[:-2].prod() / w[:-2]
        return -np.r_[push, left(w) * w[:-2].prod()]

    def height(_, w):
        return np.sum(left(w) ** 2) / np.sin(turn) ** 2 - 0.5

    start = np.r_[0.1 / size, np.full(count - 1, 2.0), last]
    found = solve_ivp(flow, (0, 2000), start, method="LSODA", events=height, rtol=1e-9, atol=1e-12)
    return float(found.t_events[0][0])


# --- small networks that are stored ----------------------------------------------------------------


def matrices(kind: int) -> int:
    """How many weight matrices the networks of a kind of `runs.WAITING` have."""
    return runs.WAITING[kind][0] + 1


def gains(kind: int) -> np.ndarray:
    """Their three gains, from the largest."""
    return np.array(runs.WAITING[kind][2])


def _stored(name: str, field: str, kind: int) -> np.ndarray:
    """A field of a sweep, (seeds, gains, ...) of one kind."""
    table = runs.sweep(name).load().arrays[field]
    return table.reshape(len(runs.WAITING), -1, 3, table.shape[-1])[kind]


def half_times(name: str, kind: int) -> np.ndarray:
    """Epochs times learning rate until half of the target, (seeds, gains)."""
    return _stored(name, "moments", kind)[:, :, 2]


def seen(name: str, kind: int, gain: int) -> np.ndarray:
    """Arrival over escape, and η t½, (seeds, 2), at one gain; NaN where a share is there at once."""
    found = _stored(name, "moments", kind)[:, gain]
    early, late = waiting.two_rates(found)
    return np.c_[late / early, found[:, 2]]


@cache
def told(name: str, kind: int, gain: int, across: str) -> np.ndarray:
    """The same by depth and rotation, from each start: `growth.Growth` says what `across` may be."""
    starts = _stored(name, "start", kind)[:, gain]
    return np.array([by_depth(start, matrices(kind) - 1, across) for start in starts])


TIMES = np.linspace(0, 400, 20001)
"""Epochs times learning rate at which predicted paths are read."""

_TASK = TwoPoint(1.0, D**2)


def by_depth(start, layers: int, across="inherited", birth=None, times=TIMES) -> tuple[float, float]:
    """Arrival over escape, and η t½, of rates that grow with depth, from u, r and the cosine."""
    encoder = layers // 2 + 1
    rates = growth.Growth.depth(0.25, encoder=encoder, decoder=layers + 1 - encoder, start=birth,
                                across=across)  # fmt: skip
    path = growth.integrate(growth.Lengths(*start), _TASK, rates, times, rtol=1e-8)
    return _ratio_and_half(times, path.u * path.r * path.cosine)


def _ratio_and_half(times: np.ndarray, v: np.ndarray) -> tuple[float, float]:
    found = waiting.moments(times, v / D)
    early, late = waiting.two_rates(found)
    return late / early, found[2]


_MOVES = numeric(book["E40"].rhs, u, r, angle, error, K_h, K_y, K_h_across, K_y_across)


def by_rates(start, of_h, of_y) -> tuple[float, float]:
    """The same for rates per η that are given as functions of a length and that of birth.

    Each returns the rate along, and what is left of it once all that was initially across is gone: the part
    that turns.
    """

    def across(rates, turn):
        return (rates[1] - np.cos(turn) ** 2 * rates[0]) / np.sin(turn) ** 2

    def flow(_, now):
        length, back, turn = now
        h, y = of_h(length, start[0]), of_y(back, start[1])
        left = length * back * np.cos(turn) - D
        return _MOVES(*now, left, h[0], y[0], across(h, turn), across(y, turn))

    first = [start[0], start[1], np.arccos(start[2])]
    found = solve_ivp(flow, (0, TIMES[-1]), first, method="LSODA", t_eval=TIMES, rtol=1e-8, atol=1e-10)
    return _ratio_and_half(TIMES, found.y[0] * found.y[1] * np.cos(found.y[2]))


def equal_weights(count: int) -> float:
    """Arrival over escape of a row of equal weights."""

    def spent(begin, end):
        return quad(lambda v: 1 / (v ** (2 - 2 / count) * (1 - v)), begin, end)[0]

    return spent(0.05, 0.2) / spent(0.8, 0.95)


# --- Table 1 ---------------------------------------------------------------------------------------


def passed(run: Run) -> np.ndarray:
    """Epochs at which a run has learned `waiting.SHARES`, (5,)."""
    return waiting.moments(run.t, learned_share(run.trajectory, run.task.dy2_target))


def arrival_over_escape(run: Run) -> float:
    """Of a run; NaN where there is no escape from below 5%."""
    early, late = waiting.two_rates(passed(run))
    return late / early


def of_row(row: str) -> np.ndarray:
    """Arrival over escape in the stored runs of a row."""
    return np.array([arrival_over_escape(runs.stored_run(row, seed).run) for seed in runs.SEEDS])


def untrained(row: str, seed: int) -> growth.Lengths:
    """u, r and the cosine of a row's network before it is trained."""
    network = TABLE_1[row].network(seed=seed)
    return growth.measured(network, tasks.two_points(), network.middle)


def half_times_of_row(row: str) -> list[float]:
    """Epochs times learning rate until half of the target, of the explored and of the fresh seeds."""
    stored = [runs.stored_run(row, seed).run for seed in runs.SEEDS]
    stored += runs.sampled_runs(f"{runs.slug(row)}-fresh")
    return [passed(run)[2] * run.lr for run in stored]


def from_the_mean(one) -> list[float]:
    """Arrival over escape of a run with angles: seen, and from t₁ by (E44) and by (E43)."""
    epochs = np.arange(0.0, 12_000, 4) * one.run.lr
    begin = float(without_mean(one.run).t[0])
    birth, start = ([one.looks.at(epoch)[name] for name in ("u", "r", "cosine")] for epoch in (0.0, begin))
    by = [
        by_depth(start, 20, across, growth.Lengths(*birth), epochs)[0] for across in ("random", "inherited")
    ]
    return [arrival_over_escape(one.run), *by]

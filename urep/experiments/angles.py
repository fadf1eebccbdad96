"""A measure: a training, and ‖dh‖, ‖D_y‖ and the angle between them at looks on the way.

The network is trained in pieces, from one look to the next, so that each piece may go by the compiled kernel.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import torch

from ..fit import mean_learned
from ..state import Run, State
from ..training import TrainingDiverged, decoder_gradient, train
from .trial import Trial

Arrays = dict[str, np.ndarray]

ROWS = 160
"""Rows that are stored of a curve, evenly spaced, and one more at t₁."""

LOOK_AT = (*range(0, 300, 15), *range(300, 6000, 100))
"""Epochs of the looks, besides t₁ and the last."""

LOOKS = len(LOOK_AT) + 2
"""Looks that are stored; those behind the end of a training are NaN, their epochs -1."""


PATH = 64
"""Points between h of the first and of the second point at which the decoder's gradient is averaged."""


@dataclass(frozen=True, eq=False)
class Look:
    """A network at one moment, by autograd in float64: epoch, dh and D_yᵀ (units,), and dy along dy*.

    `gradient` is the mean of the decoder's gradient on the straight line from h of one point to h of the
    other, so that D_y dh = dy: (17) has one D_y, and this is the one that makes dy. `at_ends` is the mean of
    the gradient at the two points themselves. They differ where gates open between the points.
    """

    t: float
    dh: np.ndarray
    gradient: np.ndarray
    at_ends: np.ndarray
    dy: float


def look(network: torch.nn.Module, data, layer: str, t: float = 0.0) -> Look:
    """The Look at a network of two points at a layer; neither is changed."""
    twin = copy.deepcopy(network).double().eval()
    inputs, targets = (part.double() for part in data)
    direction = targets[1] - targets[0]
    direction = direction / direction.norm()
    h, ends = decoder_gradient(twin, inputs, layer, direction)
    gradient = _along_the_way(twin, inputs, layer, direction)
    with torch.no_grad():
        outputs = twin(inputs)
    dh, dy = h[1] - h[0], float((outputs[1] - outputs[0]) @ direction)
    return Look(t, dh.numpy(), gradient.numpy(), ends.mean(dim=0).numpy(), dy)


def _along_the_way(network, inputs: torch.Tensor, layer: str, direction: torch.Tensor) -> torch.Tensor:
    """The output's gradient along `direction`, averaged over PATH points between both representations.

    What reaches the output beside the layer, as skip connections do, is that of each point, half the time.
    """
    shares = ((torch.arange(PATH, dtype=torch.float64) + 0.5) / PATH).repeat(2)
    kept: list[torch.Tensor] = []

    def between(_module, _inputs, output):
        h0, h1 = output.detach()[[0, PATH]]
        line = h0 + shares.reshape(-1, *[1] * h0.ndim) * (h1 - h0)
        kept[:] = [line.requires_grad_()]
        return kept[0]

    handle = dict(network.named_modules())[layer].register_forward_hook(between)
    try:
        along = (network(inputs.repeat_interleave(PATH, dim=0)) * direction).sum()
    finally:
        handle.remove()
    (gradient,) = torch.autograd.grad(along, kept[0])
    return gradient.mean(dim=0).flatten()


@dataclass
class _Course:
    """A training under way: what was recorded, what was seen, and the epoch at which the mean was learned."""

    trial: Trial
    run: Run | None = None
    looks: list[Look] = field(default_factory=list)
    learned: float | None = None

    def __post_init__(self):
        self.data = self.trial.data()
        self.network = self.trial.network(self.data)

    def look(self, t: float) -> None:
        self.looks.append(look(self.network, self.data, self.network.middle, t))

    def advance(self, begin: int, end: int) -> bool:
        """Train from one epoch to another, with a look at t₁ where that lies between; whether to go on."""
        before = copy.deepcopy(self.network)
        piece, finite = _piece(self.trial, self.network, self.data, begin, end)
        if piece is not None:
            self.run = piece if self.run is None else _joined(self.run, piece)
        if finite and self.learned is None:
            self.learned = mean_learned(self.run)
            if self.learned is not None and self.learned > begin:
                at = int(self.learned)
                _piece(self.trial, before, self.data, begin, at)
                self.looks.append(look(before, self.data, before.middle, at))
        return finite and self.run.stopped == "epochs"


def _piece(trial: Trial, network, data, begin: int, end: int) -> tuple[Run | None, bool]:
    """The epochs from `begin` to before `end` of a training, and whether it stayed finite."""
    try:
        run = train(
            network, data, lr=trial.settings.lr, epochs=end - begin, layer=network.middle,
            stop_at_loss=trial.stop_at_loss, seed=10**5 * trial.seed + begin, progress=False,
        )  # fmt: skip
    except TrainingDiverged as diverged:
        return None if diverged.run is None else _later(diverged.run, begin), False
    return _later(run, begin), True


def _later(run: Run, begin: int) -> Run:
    return Run(run.t + begin, run.trajectory, run.loss, run.task, run.lr, run.stopped)


def _joined(one: Run, other: Run) -> Run:
    state = State(*(np.concatenate(pair) for pair in zip(one.trajectory, other.trajectory, strict=True)))
    t, loss = np.r_[one.t, other.t], np.r_[one.loss, other.loss]
    return Run(t, state, loss, one.task, one.lr, other.stopped)


def course(trial: Trial) -> tuple[Run, list[Look], float | None]:
    """The whole run of a trial, its looks in order, and t₁.

    Raises TrainingDiverged where nothing could be recorded.
    """
    under_way = _Course(trial)
    epochs = [t for t in LOOK_AT if t < trial.settings.epochs] + [trial.settings.epochs]
    under_way.look(0)
    for begin, end in pairwise(epochs):
        go_on = under_way.advance(begin, end)
        if under_way.run is None:
            raise TrainingDiverged(f"{trial} diverged at once", None)
        if under_way.run.stopped == "diverged":
            break
        under_way.look(end if go_on else under_way.run.t[-1])
        if not go_on:
            break
    seen = {one.t: one for one in under_way.looks}
    return under_way.run, [seen[t] for t in sorted(seen)], under_way.learned


def angles(trial: Trial) -> Arrays:
    """Curves of a training, thinned to ROWS, and looks at dh and D_y on the way.

    rows, stopped, t1 (epochs; -1 where the mean is not learned); t, dh2, dy, loss (ROWS + 1,), dy along dy*,
    from which ‖dy‖² and w follow; look_t, u, r, cosine, r_ends, cosine_ends, look_dy (LOOKS,), of both
    gradients of a Look; turned, turned_since and gradient_turned (LOOKS,): degrees that dh has turned since
    the start and since t₁, and D_y since the start. What there is not is NaN, and -1 among epochs.
    """
    run, looks, learned = course(trial)
    return _curves(run, learned) | _looks(looks, learned) | {
        "rows": np.int32(len(run)),
        "stopped": np.int8(("epochs", "loss", "diverged").index(run.stopped)),
        "t1": np.int32(-1 if learned is None else learned),
    }  # fmt: skip


def _curves(run: Run, learned: float | None) -> Arrays:
    rows = np.linspace(0, len(run) - 1, ROWS).round().astype(int)
    rows = np.union1d(rows, [] if learned is None else [int(learned)]).astype(int)
    state = run.trajectory
    dy = (state.dy2 - state.w) / run.task.dy2_target**0.5
    columns = {"dh2": state.dh2, "dy": dy, "loss": run.loss}
    return {name: _padded(values[rows], ROWS + 1) for name, values in columns.items()} | {
        "t": _epochs(run.t[rows], ROWS + 1)
    }


def _looks(looks: list[Look], learned: float | None) -> Arrays:
    first = looks[0]
    at_t1 = next((one for one in looks if one.t == learned), None)
    since = lambda one: np.nan if at_t1 is None or one.t < learned else degrees(at_t1.dh, one.dh)
    columns = {
        "u": [np.linalg.norm(one.dh) for one in looks],
        "r": [np.linalg.norm(one.gradient) for one in looks],
        "cosine": [cosine(one.dh, one.gradient) for one in looks],
        "r_ends": [np.linalg.norm(one.at_ends) for one in looks],
        "cosine_ends": [cosine(one.dh, one.at_ends) for one in looks],
        "look_dy": [one.dy for one in looks],
        "turned": [degrees(first.dh, one.dh) for one in looks],
        "turned_since": [since(one) for one in looks],
        "gradient_turned": [degrees(first.gradient, one.gradient) for one in looks],
    }
    return {name: _padded(np.array(values), LOOKS) for name, values in columns.items()} | {
        "look_t": _epochs([one.t for one in looks], LOOKS)
    }


def cosine(one: np.ndarray, other: np.ndarray) -> float:
    """Cosine of the angle between two vectors; NaN where one of them is zero."""
    lengths = np.linalg.norm(one) * np.linalg.norm(other)
    return float(np.clip(one @ other / lengths, -1, 1)) if lengths > 0 else np.nan


def degrees(one: np.ndarray, other: np.ndarray) -> float:
    """Angle between two vectors in degrees; NaN where one of them is zero."""
    return float(np.degrees(np.arccos(cosine(one, other))))


def _padded(values: np.ndarray, length: int) -> np.ndarray:
    return np.float32(np.pad(values, (0, length - len(values)), constant_values=np.nan))


def _epochs(t, length: int) -> np.ndarray:
    return np.int16(np.pad(np.asarray(t), (0, length - len(t)), constant_values=-1))

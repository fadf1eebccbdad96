"""A measure: a training, and ‖dh‖, ‖D_y‖ and the angle between them at looks on the way.

The network is trained in pieces, from one look to the next, by the compiled kernel where there is one for it.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import torch

from ..fit import mean_learned
from ..growth import Lengths, of_vectors
from ..state import Run, State, TwoPoint
from ..training import TrainingDiverged, chord_gradient, compiled, decoder_gradient, train
from .measures import ENDS
from .sweep import Sweep
from .trial import Trial

Arrays = dict[str, np.ndarray]

ROWS = 120
"""Rows that are stored of a curve, evenly spaced, and one more at t₁."""

LOOK_AT = (*range(0, 300, 30), *range(300, 6000, 150))
"""Epochs of the looks, besides t₁ and the last."""

LOOKS = len(LOOK_AT) + 2
"""Looks that are stored; those behind the end of a training are NaN, their epochs -1."""


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
    gradient = chord_gradient(twin, inputs, layer, direction)
    with torch.no_grad():
        outputs = twin(inputs)
    dh, dy = h[1] - h[0], float((outputs[1] - outputs[0]) @ direction)
    return Look(t, dh.numpy(), gradient.numpy(), ends.mean(dim=0).numpy(), dy)


class _Course:
    """A training under way: its network, what was recorded, what was seen, and t₁ when it is known."""

    def __init__(self, trial: Trial):
        self.trial, self.data, self.row = trial, trial.data(), trial.settings
        self.network = trial.network(self.data)
        self.run: Run | None = None
        self.looks: list[Look] = []
        self.learned: float | None = None
        kernel = compiled(
            self.network, self.data, lr=self.row.lr, epochs=self.row.epochs, layer=self.network.middle
        )
        self.steps = self._in_torch if kernel is None else self._in_kernel
        self.kernel = kernel

    def look(self, t: float) -> None:
        """See dh and D_y now, before the step of epoch t."""
        self.looks.append(look(self.network, self.data, self.network.middle, t))

    def advance(self, begin: int, end: int) -> None:
        """Train from one epoch to another, and look at t₁ where that lies between."""
        before, random = copy.deepcopy(self.network), torch.get_rng_state()
        piece = self.steps(self.network, self.kernel, begin, end)
        if piece is not None:
            self.run = piece if self.run is None else _joined(self.run, piece)
        if self.run is None:
            raise TrainingDiverged(f"{self.trial} diverged at epoch 0", None)
        if self.learned is None and self.run.stopped != "diverged":
            self.learned = mean_learned(self.run)
            if self.learned is not None and self.learned > begin:
                self._look_back(before, random, begin, int(self.learned))

    def _look_back(self, before, random: torch.Tensor, begin: int, at: int) -> None:
        """Train a copy of the network of epoch `begin` to t₁ and look there."""
        now = torch.get_rng_state()
        torch.set_rng_state(random)
        again = None if self.kernel is None else type(self.kernel)(
            self.kernel.program, before, self.data, self.row.lr
        )  # fmt: skip
        self.steps(before, again, begin, at)
        torch.set_rng_state(now)
        self.looks.append(look(before, self.data, before.middle, at))

    def _in_kernel(self, network, kernel, begin: int, end: int) -> Run | None:
        stop = -np.inf if self.trial.stop_at_loss is None else self.trial.stop_at_loss
        loss, dh2, outputs, _ = kernel.steps(end - begin, stop)
        kernel.store()
        if not len(loss):
            return None
        d = (self.data[1][1] - self.data[1][0]).double().numpy()
        dy = outputs[:, 1] - outputs[:, 0]
        state = State(dh2[:, 0], (dy**2).sum(1), (dy * (dy - d)).sum(1))
        stopped = "loss" if loss[-1] <= stop else "epochs" if len(loss) == end - begin else "diverged"
        task = TwoPoint(self.trial.dx2, self.trial.dy2_target)
        return Run(begin + np.arange(len(loss)), state, loss, task, self.row.lr, stopped)

    def _in_torch(self, network, _, begin: int, end: int) -> Run | None:
        try:
            run = train(
                network, self.data, lr=self.row.lr, epochs=end - begin, layer=network.middle,
                stop_at_loss=self.trial.stop_at_loss, seed=10**5 * self.trial.seed + begin, progress=False,
            )  # fmt: skip
        except TrainingDiverged as diverged:
            run = diverged.run
        return run if run is None else replace(run, t=run.t + begin)


def _joined(one: Run, other: Run) -> Run:
    state = State(*(np.concatenate(pair) for pair in zip(one.trajectory, other.trajectory, strict=True)))
    t, loss = np.r_[one.t, other.t], np.r_[one.loss, other.loss]
    return replace(other, t=t, trajectory=state, loss=loss)


def course(trial: Trial) -> tuple[Run, list[Look], float | None]:
    """The whole run of a trial, its looks in order, and t₁.

    Raises TrainingDiverged where nothing could be recorded.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(trial.seed)
        under_way = _Course(trial)
        epochs = [t for t in LOOK_AT if t < trial.settings.epochs] + [trial.settings.epochs]
        under_way.look(0)
        for begin, end in pairwise(epochs):
            under_way.advance(begin, end)
            if under_way.run.stopped == "diverged":
                break
            under_way.look(end if under_way.run.stopped == "epochs" else under_way.run.t[-1])
            if under_way.run.stopped == "loss":
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
        "stopped": np.int8(ENDS.index(run.stopped)),
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
    lengths = np.transpose([of_vectors(one.dh, one.gradient) for one in looks])
    columns = dict(zip(("u", "r", "cosine"), lengths, strict=True))
    columns["look_dy"] = [one.dy for one in looks]
    rounded = {
        "r_ends": [np.linalg.norm(one.at_ends) for one in looks],
        "cosine_ends": [cosine(one.dh, one.at_ends) for one in looks],
        "turned": [degrees(first.dh, one.dh) for one in looks],
        "turned_since": [since(one) for one in looks],
        "gradient_turned": [degrees(first.gradient, one.gradient) for one in looks],
    }
    kept = {name: _padded(np.array(values), LOOKS) for name, values in columns.items()}
    kept |= {name: np.float16(_padded(np.array(values), LOOKS)) for name, values in rounded.items()}
    return kept | {"look_t": _epochs([one.t for one in looks], LOOKS)}


def cosine(one: np.ndarray, other: np.ndarray) -> float:
    """Cosine of the angle between two vectors; NaN where one of them is zero."""
    return of_vectors(one, other)[2]


def degrees(one: np.ndarray, other: np.ndarray) -> float:
    """Angle between two vectors in degrees; NaN where one of them is zero."""
    return float(np.degrees(np.arccos(cosine(one, other))))


def _padded(values: np.ndarray, length: int) -> np.ndarray:
    return np.float32(np.pad(values, (0, length - len(values)), constant_values=np.nan))


def _epochs(t, length: int) -> np.ndarray:
    return np.int16(np.pad(np.asarray(t), (0, length - len(t)), constant_values=-1))


# --- what is stored ---------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Looks:
    """What was seen of dh and D_y on the way, (n,) each: epochs t, u = ‖dh‖, r = ‖D_y‖, their cosine, and dy.

    D_y is the mean of the decoder's gradient between the two points, so that u r cosine = dy; `r_ends` and
    `cosine_ends` are of its mean at the two points. `turned`, `turned_since` and `gradient_turned` are
    degrees: of dh since the start, and since t₁ (NaN before), and of D_y since the start.
    """

    t: np.ndarray
    u: np.ndarray
    r: np.ndarray
    cosine: np.ndarray
    dy: np.ndarray
    r_ends: np.ndarray
    cosine_ends: np.ndarray
    turned: np.ndarray
    turned_since: np.ndarray
    gradient_turned: np.ndarray

    def at(self, t: float) -> dict[str, float]:
        """What was seen at one of the epochs; raises ValueError for another."""
        found = np.flatnonzero(self.t == t)
        if not found.size:
            raise ValueError(f"t must be the epoch of a look, got {t!r}")
        return {name: float(getattr(self, name)[found[0]]) for name in self.__dataclass_fields__}

    def lengths(self, t: float) -> Lengths:
        """The two lengths and the cosine at one of the epochs; raises as `at` does."""
        return Lengths(*(self.at(t)[name] for name in ("u", "r", "cosine")))


@dataclass(frozen=True, eq=False)
class AngledRun:
    """A run of Table 1, thinned; t₁ (epochs, None where the mean is not learned); its Looks.

    A run that stopped at a loss has rows to the row's last epoch, continued as it ended.
    """

    row: str
    seed: int
    run: Run
    t1: float | None
    looks: Looks


def read(known: Sweep, *, whole: bool = True) -> list[AngledRun]:
    """The runs that a sweep of `angles` holds, a trial each; raises as `Sweep.load` does."""
    arrays = known.load(whole=whole).arrays
    there = [(k, trial) for k, trial in enumerate(known.trials) if arrays["done"][k]]
    return [_angled(trial, {name: array[k] for name, array in arrays.items()}) for k, trial in there]


def _angled(trial: Trial, arrays: Arrays) -> AngledRun:
    kept = arrays["t"] >= 0
    t, dh2, dy, loss = (np.float64(arrays[name][kept]) for name in ("t", "dh2", "dy", "loss"))
    epochs, stopped = trial.settings.epochs, ENDS[arrays["stopped"]]
    if stopped == "loss":
        more = np.arange(t[-1], epochs, np.ceil(epochs / ROWS))[1:]
        t = np.r_[t, more]
        dh2, dy, loss = (np.pad(values, (0, more.size), mode="edge") for values in (dh2, dy, loss))
    task = TwoPoint(trial.dx2, trial.dy2_target)
    state = State(dh2, dy**2, dy * (dy - task.dy2_target**0.5))
    run = Run(t, state, loss, task, trial.settings.lr, stopped)
    seen = arrays["look_t"] >= 0
    names = {name: name for name in Looks.__dataclass_fields__} | {"t": "look_t", "dy": "look_dy"}
    looks = Looks(**{name: np.float64(arrays[key][seen]) for name, key in names.items()})
    return AngledRun(trial.row, trial.seed, run, float(arrays["t1"]) if arrays["t1"] >= 0 else None, looks)

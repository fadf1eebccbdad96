"""Networks with one linear hidden layer and one output, trained to their end for the chapter on rotation."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from types import MappingProxyType

import numpy as np
import torch

from .. import rotation, tasks
from ..exact import solve
from ..networks import FullyConnected
from ..state import Rates, State, TwoPoint

Arrays = dict[str, np.ndarray]

D2 = 0.5
"""‖dy*‖² of the pair, Figure 2's; ‖dx‖ is 1, and both means are zero, so that there is no mean to learn."""


UNITS, GAINS = (2, 10, 500), (0.1, 0.3, 1.0)
"""Widths and gains of the networks; the large decoder is one more of ten units."""


@dataclass(frozen=True)
class Case:
    """Networks of one width that are trained side by side: a gain and a factor on the decoder each.

    `lr` is the larger learning rate; `times` are rate × epochs.
    """

    units: int
    gains: tuple[float, ...] = GAINS
    decoder: float = 1.0
    lr: float = 0.08
    times: tuple[float, ...] = (4.0, 8.0, 12.0, 20.0, 80.0)


CASES = (
    *(Case(units) for units in UNITS),
    Case(10, (1.0,), decoder=10.0, lr=5e-4, times=(0.01, 0.02, 0.03, 0.05, 2.0)),
)
"""Every kind that is stored; the last is that of the chapter on where training ends."""

HALVINGS = 2
"""Each network is trained at so many learning rates, each half of the one before."""


def pair() -> tasks.Data:
    """The two points, centred."""
    return tasks.two_points(
        dx2=1.0, dy2_target=D2, first_input=-0.5, first_target=-(D2**0.5) / 2, dtype=torch.float64
    )


def network(units: int, gain: float, seed: int, decoder: float = 1.0) -> FullyConnected:
    """One linear layer before it is trained, its decoder multiplied by a factor."""
    made = FullyConnected(
        hidden_layers=1, units=units, nonlinearity="none", gain=gain, seed=seed, dtype=torch.float64
    )
    with torch.no_grad():
        made.net[2].weight.mul_(decoder)
    return made


def rates(lr: float) -> Rates:
    """Both effective time constants of one linear layer: 2/η."""
    return Rates(2 / lr, 2 / lr)


@dataclass(frozen=True, eq=False)
class Stack:
    """Weights and biases of m such networks: (m, units, 1), (m, 1, units), (m, 1, units), (m, 1, 1)."""

    into: np.ndarray
    bias: np.ndarray
    out: np.ndarray
    last: np.ndarray

    @classmethod
    def of(cls, networks: list[FullyConnected]) -> Stack:
        """The parameters of some networks."""
        layers = (0, "weight"), (0, "bias"), (2, "weight"), (2, "bias")
        into, bias, out, last = (
            np.stack([getattr(net.net[k], name).detach().numpy() for net in networks]) for k, name in layers
        )
        return cls(into, bias[:, None], out, last[:, None])

    def descended(self, lr: float, epochs: int) -> Stack:
        """After so many epochs of gradient descent on the loss (1) of `pair`.

        Backpropagation written out, for networks so small that a graph of tensors takes ten times as long;
        the tests hold it against `urep.train`.
        """
        into, bias, out, last = (z.copy() for z in (self.into, self.bias, self.out, self.last))
        x, y = (z.numpy() for z in pair())
        for _ in range(epochs):
            hidden = x @ into.swapaxes(1, 2) + bias
            error = (hidden @ out.swapaxes(1, 2) + last - y) / len(x)
            back = error @ out
            out -= lr * (error.swapaxes(1, 2) @ hidden)
            last -= lr * error.sum(axis=1, keepdims=True)
            into -= lr * (back.swapaxes(1, 2) @ x)
            bias -= lr * back.sum(axis=1, keepdims=True)
        return Stack(into, bias, out, last)

    @property
    def dh(self) -> np.ndarray:
        """The difference dh of the two representations (m, units): their inputs differ by one."""
        return self.into[:, :, 0]

    @property
    def row(self) -> np.ndarray:
        """The decoder's row D_y (m, units): the targets' difference is positive."""
        return self.out[:, 0]


def trained(case: Case, seed: int, halvings: int = 0) -> list[list[rotation.Vectors]]:
    """The vectors dh and D_y before training and at each of the case's times, a list for each gain.

    The case's learning rate is halved so often.
    """
    stacks = [Stack.of([network(case.units, gain, seed, case.decoder) for gain in case.gains])]
    lr, gone = case.lr / 2**halvings, 0
    for time in case.times:
        epochs = round(time / lr) - gone
        stacks.append(stacks[-1].descended(lr, epochs))
        gone += epochs
    by_gain = range(len(case.gains))
    return [[rotation.Vectors(one.dh[g], one.row[g]) for one in stacks] for g in by_gain]


def in_frame(path: list[rotation.Vectors]) -> tuple[np.ndarray, np.ndarray]:
    """The vectors dh and D_y (times, 3): along the first dh, along the rest of the first D_y, elsewhere.

    Elsewhere is a length.
    """
    first = path[0]
    one = first.dh / np.linalg.norm(first.dh)
    rest = first.row - (first.row @ one) * one
    other = rest / np.linalg.norm(rest)

    def coordinates(vectors: np.ndarray) -> np.ndarray:
        inside = np.stack([vectors @ one, vectors @ other], axis=-1)
        outside = vectors - inside @ np.stack([one, other])
        return np.concatenate([inside, np.linalg.norm(outside, axis=-1, keepdims=True)], axis=-1)

    return coordinates(np.array([v.dh for v in path])), coordinates(np.array([v.row for v in path]))


@dataclass(frozen=True)
class OneLayer:
    """All CASES from one seed, each at its learning rate and at half of it."""

    seed: int
    name: str = "one linear layer"
    environment = MappingProxyType({})
    cost = 10.0

    @property
    def settings(self) -> _Cases:
        """What is trained."""
        return _Cases([_as_json(case) for case in CASES])


@dataclass(frozen=True)
class _Cases:
    cases: list
    halvings: int = HALVINGS


def _as_json(case: Case) -> dict:
    """A case as a file of JSON gives it back."""
    return json.loads(json.dumps(asdict(case)))


def vectors(trial: OneLayer) -> Arrays:
    """The vectors dh and D_y (networks, learning rates, times, 3) in the frame of `in_frame`, in float64."""
    frames = []
    for case in CASES:
        by_rate = [trained(case, trial.seed, halvings) for halvings in range(HALVINGS)]
        frames += [[in_frame(path) for path in paths] for paths in zip(*by_rate, strict=True)]
    dh, row = np.moveaxis(np.array(frames), 2, 0)
    return {"dh": dh, "row": row}


# --- ensembles, for the distribution of ends -----------------------------------------------------

ENSEMBLE = Case(10, (0.3,), times=(100.0,))
"""Networks whose ends are held against a distribution."""

SIZE = 300
"""Networks in an ensemble."""


@dataclass(frozen=True)
class Ensemble:
    """SIZE networks of ENSEMBLE, whose seeds begin at a thousand times the seed."""

    seed: int
    name: str = "ensemble of one linear layer"
    environment = MappingProxyType({})
    cost = 10.0

    @property
    def settings(self) -> _Ensembles:
        """What is trained."""
        return _Ensembles(_as_json(ENSEMBLE))


@dataclass(frozen=True)
class _Ensembles:
    case: dict
    size: int = SIZE
    halvings: int = HALVINGS


def ends(trial: Ensemble) -> Arrays:
    """The last ‖dh‖², (learning rates, networks), in float32, and the largest error left of an output."""
    nets = [network(ENSEMBLE.units, *ENSEMBLE.gains, 1000 * trial.seed + n) for n in range(SIZE)]
    begun, found = Stack.of(nets), []
    for halvings in range(HALVINGS):
        lr = ENSEMBLE.lr / 2**halvings
        end = begun.descended(lr, round(ENSEMBLE.times[-1] / lr))
        found.append((end.dh**2).sum(axis=1))
    left = np.abs((end.dh * end.row).sum(axis=1) - D2**0.5).max()
    return {"ends": np.float32(found), "left": left}


# --- reading what is stored -----------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Learned:
    """One stored network: its start, and dh and D_y at its case's times at both learning rates.

    `place` is that of its seed in the sweep: networks of one seed are the same draws, scaled.
    """

    place: int
    case: Case
    gain: float
    start: rotation.Vectors
    coarse: rotation.Vectors
    fine: rotation.Vectors

    @property
    def without_step(self) -> rotation.Vectors:
        """The same at a learning rate of zero, but for the square of the rate."""
        return rotation.Vectors(2 * self.fine.dh - self.coarse.dh, 2 * self.fine.row - self.coarse.row)

    @property
    def end(self) -> np.ndarray:
        """The last dh at a learning rate of zero, (3,)."""
        return self.without_step.dh[-1]

    @property
    def told(self) -> np.ndarray:
        """The end of dh by (E54), with nothing fitted, (3,)."""
        return rotation.final(self.start, TASK, self.rates).dh

    def off(self, seen: np.ndarray, guess: np.ndarray) -> np.ndarray:
        """Lengths of the differences of vectors (..., 3), over that of the end by (E54)."""
        return np.linalg.norm(seen - guess, axis=-1) / np.linalg.norm(self.told)

    def told_with_row_turned(self, degrees: float) -> np.ndarray:
        """The same with D_y(0) turned around dh(0), out of the plane of the two: a wrong end as long."""
        line = self.start.dh / np.linalg.norm(self.start.dh)
        along = (self.start.row @ line) * line
        across, angle = self.start.row - along, np.radians(degrees)
        outside = np.array([0, 0, np.linalg.norm(across)])  # the frame's third direction
        row = along + np.cos(angle) * across + np.sin(angle) * outside
        return rotation.final(rotation.Vectors(self.start.dh, row), TASK, self.rates).dh

    def turned(self, dh: np.ndarray) -> float:
        """The angle in degrees between an end of dh and its start."""
        return rotation.Vectors(dh, self.start.row).turned(self.start)

    def by_7(self) -> State:
        """(7) from the same start at `epochs`, by its exact solution."""
        return solve(self.start.state(TASK), TASK, self.rates, self.epochs, dy=self.start.dy)

    @property
    def rates(self) -> Rates:
        """Both effective time constants at the larger learning rate."""
        return rates(self.case.lr)

    @property
    def epochs(self) -> np.ndarray:
        """Epochs at the larger learning rate at which it was looked at."""
        return np.round(np.array(self.case.times) / self.case.lr)


TASK = TwoPoint(1.0, D2)
"""What the data fix."""


def learned(arrays: Arrays) -> list[Learned]:
    """Every network of the arrays that `vectors` measured, seed by seed."""
    kinds = [(case, gain) for case in CASES for gain in case.gains]
    return [
        Learned(place, case, gain, rotation.Vectors(dh[0, 0], row[0, 0]),
                *(rotation.Vectors(dh[k, 1:], row[k, 1:]) for k in range(HALVINGS)))
        for place, of_seed in enumerate(zip(arrays["dh"], arrays["row"], strict=True))
        for (case, gain), dh, row in zip(kinds, *of_seed, strict=True)
    ]  # fmt: skip

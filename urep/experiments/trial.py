"""A trial: one row, one seed, one training."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from types import MappingProxyType

import numpy as np
import torch

from .. import tasks
from ..networks import Convolutional, FullyConnected
from ..training import Run, TrainingDiverged, hidden, train
from .tables import TABLE_1, TABLE_2, Row


@dataclass(frozen=True)
class Trial:
    """One training on two points: a row of Table 1, a seed, and what is not as the row has it.

    `lr_factor` multiplies the row's learning rate; `epochs`, `units` and `hidden_layers` replace the
    row's; `layers` is "middle", the one the paper reads, or "all"; `precision` is "float32", the paper's,
    or "float64". Raises ValueError for an unknown row, TypeError or ValueError for the rest.
    """

    row: str
    seed: int = 0
    dx2: float = 1.0
    dy2_target: float = 0.5
    lr_factor: float = 1.0
    epochs: int | None = None
    units: int | None = None
    hidden_layers: int | None = None
    stop_at_loss: float | None = None
    layers: str = "middle"
    precision: str = "float32"

    def __post_init__(self):
        if self.row not in TABLE_1:
            raise ValueError(f"row must be one of {', '.join(TABLE_1)}; got {self.row!r}")
        for name, allowed in (("layers", ("middle", "all")), ("precision", ("float32", "float64"))):
            if getattr(self, name) not in allowed:
                raise ValueError(f"{name} must be one of {allowed}, got {getattr(self, name)!r}")

    @property
    def settings(self) -> Row:
        """The row of Table 1 with what this trial replaces."""
        row = TABLE_1[self.row]
        given = {name: getattr(self, name) for name in ("epochs", "units", "hidden_layers")}
        given = {name: value for name, value in given.items() if value is not None}
        return replace(row, lr=row.lr * self.lr_factor, **given)

    def train(self, *, progress: bool | None = None) -> Outcome:
        """Train it, to the end or until it diverges, which is an outcome like any other."""
        row, dtype = self.settings, getattr(torch, self.precision)
        network = row.network(seed=self.seed, dtype=dtype)
        data = tasks.two_points(dx2=self.dx2, dy2_target=self.dy2_target, dtype=dtype)
        names = [network.layer(k) for k in range(network.depth)] if self.layers == "all" else [network.middle]
        before = _directions(network, data[0], names)
        try:
            run = train(
                network, data, lr=row.lr, epochs=row.epochs, seed=self.seed,
                layer=names if self.layers == "all" else network.middle,
                stop_at_loss=self.stop_at_loss, progress=progress,
            )  # fmt: skip
        except TrainingDiverged as diverged:
            if diverged.run is None:  # at epoch 0 there is nothing to be recorded
                raise
            return Outcome(diverged.run, np.full(len(names), np.nan))
        cosines = (before * _directions(network, data[0], names)).sum(axis=1)
        return Outcome(run, np.degrees(np.arccos(np.clip(cosines, -1, 1))))


@dataclass(frozen=True, eq=False)
class Outcome:
    """What a trial gave: its run, and by how much dh turned at each layer recorded, in degrees.

    `run.stopped` is "diverged" where it did; `turned` (layers,) is NaN then.
    """

    run: Run
    turned: np.ndarray


def _directions(network, inputs: torch.Tensor, names: list[str]) -> np.ndarray:
    """The direction of dh at some layers, (layers, units); zeros where the points coincide."""
    rows = [h.double().flatten(1).diff(dim=0)[0].numpy() for h in hidden(network, inputs, names).values()]
    widest = max(len(row) for row in rows)
    rows = np.array([np.pad(row, (0, widest - len(row))) for row in rows])
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return rows / np.where(lengths > 0, lengths, 1)


# --- tasks of many points, and other ways down ----------------------------------------------

OPTIMIZERS: Mapping[str, partial | None] = MappingProxyType({
    "gradient descent": None,
    "momentum": partial(torch.optim.SGD, momentum=0.9),
    "Adam": torch.optim.Adam,
})  # fmt: skip
"""By the names that trials have for them; None is the descent that `urep.train` does by itself."""

TASKS = ("two points", "xor", "blobs", "digits", "mnist")

ANALYSED = 100
"""Of digits and of MNIST, how many points the structure is read from: the paper's first hundred."""


@dataclass(frozen=True)
class TaskTrial:
    """One training on a task: a row of Table 1 or 2, a seed, and what is not as the row has it.

    `task` is one of TASKS, of which digits and MNIST are cut to the first `points`; `optimizer` is one
    of OPTIMIZERS, `batch` how many points a step takes (None: all), `every` which steps are recorded;
    the rest replaces what the row has. Raises ValueError for a name that is not known.
    """

    row: str
    task: str
    seed: int = 0
    optimizer: str = "gradient descent"
    batch: int | None = None
    points: int | None = None
    lr_factor: float = 1.0
    gain: float | None = None
    nonlinearity: str | None = None
    epochs: int | None = None
    units: int | None = None
    hidden_layers: int | None = None
    every: int = 1
    stop_at_loss: float | None = None
    precision: str = "float32"

    def __post_init__(self):
        for name, allowed in (("row", (*TABLE_1, *TABLE_2)), ("task", TASKS), ("optimizer", (*OPTIMIZERS,)),
                              ("precision", ("float32", "float64"))):  # fmt: skip
            if getattr(self, name) not in allowed:
                raise ValueError(f"{name} must be one of {', '.join(allowed)}; got {getattr(self, name)!r}")
        if self.points is not None and self.task not in ("digits", "mnist"):
            raise ValueError(f"points must be None for {self.task}, got {self.points!r}")

    @property
    def settings(self) -> Row:
        """The row with what this trial replaces."""
        row = TABLE_1.get(self.row) or TABLE_2[self.row]
        names = ("gain", "nonlinearity", "epochs", "units", "hidden_layers")
        given = {name: getattr(self, name) for name in names if getattr(self, name) is not None}
        return replace(row, lr=row.lr * self.lr_factor, **given)

    def data(self) -> tasks.Data:
        """Inputs and targets; MNIST's lie in the folder that UREP_MNIST names."""
        dtype = getattr(torch, self.precision)
        if self.task == "digits":
            return tasks.digits(points=self.points, dtype=dtype)
        if self.task == "mnist":
            return tasks.mnist(mnist_folder(), points=self.points, dtype=dtype)
        return {"two points": tasks.two_points, "xor": tasks.xor, "blobs": tasks.blobs}[self.task](
            dtype=dtype
        )

    def network(self, data: tasks.Data) -> FullyConnected | Convolutional:
        """The network before it is trained."""
        n_in, n_out = (part.shape[1] for part in data)
        return self.settings.network(
            n_in=n_in, n_out=n_out, seed=self.seed, dtype=getattr(torch, self.precision)
        )

    def pair(self, data: tasks.Data) -> tuple[int, int]:
        """The two points that are watched: the first zero and the first one, where there are digits."""
        return tasks.first_pair(data[1], 0, 1) if self.task in ("digits", "mnist") else (0, 1)

    def train(self, *, progress: bool | None = None) -> Learned:
        """Train it, to the end or until it diverges, which is an outcome like any other."""
        data = self.data()
        network, row = self.network(data), self.settings
        before = snapshot(network, data[0])
        try:
            run = train(
                network, data, lr=row.lr, epochs=row.epochs, seed=self.seed, layer=network.middle,
                pair=self.pair(data), batch=self.batch, optimizer=OPTIMIZERS[self.optimizer],
                every=self.every, stop_at_loss=self.stop_at_loss, progress=progress,
            )  # fmt: skip
        except TrainingDiverged as diverged:
            if diverged.run is None:
                raise
            run = diverged.run
        return Learned(run, data, before, snapshot(network, data[0]))


@dataclass(frozen=True, eq=False)
class Learned:
    """What a task trial gave: its run, its data, and what the network made of them before and after."""

    run: Run
    data: tasks.Data
    before: Snapshot
    after: Snapshot


@dataclass(frozen=True, eq=False)
class Snapshot:
    """Hidden representations (n, units) in the middle of a network, and outputs (n, n_out), in float64."""

    hidden: np.ndarray
    outputs: np.ndarray


def snapshot(network: FullyConnected | Convolutional, inputs: torch.Tensor) -> Snapshot:
    """What a network, at rest, makes of some inputs, a row a point."""
    *_, (last, _) = network.net.named_children()
    names = [network.middle, f"net.{last}"]
    seen = hidden(network, inputs, names)
    return Snapshot(*(seen[name].double().flatten(1).numpy() for name in names))


def mnist_folder() -> str:
    """The folder that the environment's UREP_MNIST names; raises FileNotFoundError where it names none."""
    folder = os.environ.get("UREP_MNIST")
    if not folder:
        raise FileNotFoundError("UREP_MNIST must name the folder with MNIST's IDX files, got nothing")
    return folder

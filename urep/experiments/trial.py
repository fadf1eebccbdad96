"""A trial: one row of a table, one seed, one training."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from itertools import count
from types import MappingProxyType

import numpy as np
import torch

from .. import tasks
from ..networks import Convolutional, FullyConnected
from ..state import Run
from ..training import TrainingDiverged, hidden, train
from .tables import TABLE_1, TABLE_2, Row

OPTIMIZERS: Mapping[str, partial | None] = MappingProxyType({
    "gradient descent": None,
    "momentum": partial(torch.optim.SGD, momentum=0.9),
    "Adam": torch.optim.Adam,
})  # fmt: skip
"""Optimizers by the names that trials have for them; None is `urep.train`'s own gradient descent."""

TASKS: Mapping[str, int] = MappingProxyType(
    {"two points": 2, "xor": 4, "blobs": 1800, "digits": 1797, "mnist": 60_000}
)
"""Tasks of a TaskTrial by name, each with its number of points."""

N_ANALYSED = 100
"""Number of digits and of MNIST images whose distances are stored: the paper's first hundred."""

PRECISIONS = ("float32", "float64")
"""Precisions of a trial; the paper's is float32."""


@dataclass(frozen=True)
class Watch:
    """A look at a network before every `every`-th step of its training, the first of them included.

    `look(network)` may do anything that leaves the network, and what is random in a step, as they were.
    """

    look: Callable[[torch.nn.Module], None]
    every: int

    def optimizer(self, kind: Callable | None, network: torch.nn.Module) -> Callable:
        """A maker of optimizers of this kind (None: gradient descent) that looks before they step."""

        def make(parameters, *, lr: float) -> torch.optim.Optimizer:
            made, steps = (kind or torch.optim.SGD)(parameters, lr=lr), count()

            def before_a_step(*_) -> None:
                if next(steps) % self.every == 0:
                    self.look(network)

            made.register_step_pre_hook(before_a_step)
            return made

        return make


class _Training:
    """What both kinds of trial share: a row with replacements, a network, a training that may diverge.

    No dataclass, so that it adds no field: stored files are compared field by field with their trials.
    """

    replaceable: tuple[str, ...] = ("epochs", "units", "hidden_layers")
    layers, optimizer, batch, every = "middle", "gradient descent", None, 1
    environment: Mapping[str, str] = MappingProxyType({})
    """Environment variables of the process that trains it; where there are any, a process of its own."""

    @property
    def settings(self) -> Row:
        """The table's row with what this trial replaces."""
        row = TABLE_1.get(self.row) or TABLE_2[self.row]
        given = {name: getattr(self, name) for name in self.replaceable}
        given = {name: value for name, value in given.items() if value is not None}
        return replace(row, lr=row.lr * self.lr_factor, **given)

    @property
    def dtype(self) -> torch.dtype:
        """The torch type of data and network."""
        return getattr(torch, self.precision)

    def network(self, data: tasks.Data) -> FullyConnected | Convolutional:
        """The network before it is trained."""
        n_in, n_out = (part.shape[1] for part in data)
        return self.settings.network(n_in=n_in, n_out=n_out, seed=self.seed, dtype=self.dtype)

    def steps_an_epoch(self, points: int) -> int:
        """Number of steps in which an epoch passes through so many points."""
        return 1 if self.batch is None else math.ceil(points / self.batch)

    def pair(self, data: tasks.Data) -> tuple[int, int]:
        """The rows of the two points that are recorded: the first two."""
        return 0, 1

    def train(self, *, progress: bool | None = None, watch: Watch | None = None) -> TrialResult:
        """Train it to the end, or until it diverges, which is a result like any other.

        `watch` looks at the network while it is trained, in PyTorch then and not by the compiled kernel.
        Raises TrainingDiverged where that is at epoch 0 and there is nothing to be kept.
        """
        data, row, optimizer = self.data(), self.settings, OPTIMIZERS[self.optimizer]
        network, pair = self.network(data), self.pair(data)
        every_layer = [network.layer(k) for k in range(network.depth)] if self.layers == "all" else None
        names, inputs = every_layer or [network.middle], data[0][list(pair)]
        before, first = snapshot(network, data[0]), _directions(network, inputs, names)
        if watch is not None:
            optimizer = watch.optimizer(optimizer, network)
        try:
            run = train(
                network, data, lr=row.lr, epochs=row.epochs, seed=self.seed,
                layer=every_layer or network.middle, pair=pair, batch=self.batch,
                optimizer=optimizer, every=self.every,
                stop_at_loss=self.stop_at_loss, progress=progress,
            )  # fmt: skip
        except TrainingDiverged as diverged:
            if diverged.run is None:
                raise
            run, rotation = diverged.run, np.full(len(names), np.nan)
        else:
            cosines = (first * _directions(network, inputs, names)).sum(axis=1)
            rotation = np.degrees(np.arccos(np.clip(cosines, -1, 1)))
        return TrialResult(run, data, before, snapshot(network, data[0]), rotation)


@dataclass(frozen=True)
class Trial(_Training):
    """One training on two points: a row of Table 1, a seed, and what is not as the row has it.

    `lr_factor` multiplies the row's learning rate; `epochs`, `units` and `hidden_layers` replace the
    row's; `layers` is "middle", the one the paper reads, or "all"; `precision` is one of PRECISIONS.
    Raises ValueError for an unknown row, layers or precision.
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
        _require_known(self, row=TABLE_1, layers=("middle", "all"), precision=PRECISIONS)

    def data(self) -> tasks.Data:
        """Inputs and targets of the two points."""
        return tasks.two_points(dx2=self.dx2, dy2_target=self.dy2_target, dtype=self.dtype)


@dataclass(frozen=True)
class TaskTrial(_Training):
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

    replaceable = ("gain", "nonlinearity", *_Training.replaceable)

    def __post_init__(self):
        _require_known(self, row=(*TABLE_1, *TABLE_2), task=TASKS, optimizer=OPTIMIZERS, precision=PRECISIONS)
        if self.points is not None and self.task not in ("digits", "mnist"):
            raise ValueError(f"points must be None for {self.task}, got {self.points!r}")

    def data(self) -> tasks.Data:
        """Inputs and targets; MNIST's files lie in the folder that UREP_MNIST names."""
        if self.task == "digits":
            return tasks.digits(points=self.points, dtype=self.dtype)
        if self.task == "mnist":
            return tasks.mnist(mnist_folder(), points=self.points, dtype=self.dtype)
        made = {"two points": tasks.two_points, "xor": tasks.xor, "blobs": tasks.blobs}
        return made[self.task](dtype=self.dtype)

    def pair(self, data: tasks.Data) -> tuple[int, int]:
        """The rows of the two points that are recorded: of digits, the first zero and the first one."""
        return tasks.first_pair(data[1], 0, 1) if self.task in ("digits", "mnist") else (0, 1)


def _require_known(trial, **allowed) -> None:
    for name, values in allowed.items():
        if getattr(trial, name) not in values:
            raise ValueError(f"{name} must be one of {', '.join(values)}; got {getattr(trial, name)!r}")


# --- the same training, rounded otherwise -----------------------------------------------------

ARITHMETICS: Mapping[str, Mapping[str, str]] = MappingProxyType({
    "native": {},
    "AVX2": {
        "ATEN_CPU_CAPABILITY": "avx2", "OPENBLAS_CORETYPE": "Haswell", "MKL_CBWR": "AVX2",
        "NUMBA_CPU_NAME": "haswell", "NUMBA_CPU_FEATURES": "+avx2,+fma",
        "NPY_DISABLE_CPU_FEATURES": "X86_V4",
    },
    "oldest": {
        "ATEN_CPU_CAPABILITY": "default", "OPENBLAS_CORETYPE": "Nehalem", "MKL_CBWR": "COMPATIBLE",
        "NUMBA_CPU_NAME": "generic", "NPY_DISABLE_CPU_FEATURES": "X86_V3 X86_V4",
    },
})  # fmt: skip
"""Environments in which sums round as they do on other x86 processors: "native" is this machine's own."""

PERTURBATION = {"float32": 1e-7, "float64": 1e-12}
"""Relative size of a change of all initial weights that stands for another rounding, by precision."""


@dataclass(frozen=True)
class RepeatedTrial(Trial):
    """A Trial under another rounding: one of ARITHMETICS, or other last bits of the initial weights.

    `perturbation` is the seed of a relative change of each parameter by a normal random number times
    PERTURBATION; None changes nothing.
    """

    arithmetic: str = "native"
    perturbation: int | None = None

    def __post_init__(self):
        super().__post_init__()
        _require_known(self, arithmetic=ARITHMETICS)

    @property
    def environment(self) -> Mapping[str, str]:
        """What makes a process compute in this arithmetic, from its beginning."""
        return ARITHMETICS[self.arithmetic]

    def network(self, data: tasks.Data) -> FullyConnected | Convolutional:
        """The network before it is trained, perturbed where that is asked for."""
        network = super().network(data)
        if self.perturbation is not None:
            random = torch.Generator().manual_seed(self.perturbation)
            size = PERTURBATION[self.precision]
            with torch.no_grad():
                for parameter in network.parameters():
                    change = torch.randn(parameter.shape, generator=random, dtype=torch.float64)
                    parameter.copy_(parameter.double() * (1 + size * change))
        return network


# --- results ----------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class TrialResult:
    """The result of a trial: its run, its data, and what the network made of them before and after.

    `rotation` (layers,) is the angle in degrees between the first and the last dh at each recorded
    layer; NaN where the training diverged (`run.stopped`).
    """

    run: Run
    data: tasks.Data
    before: Snapshot
    after: Snapshot
    rotation: np.ndarray


def _directions(network, inputs: torch.Tensor, names: list[str]) -> np.ndarray:
    """The direction of dh at some layers, (layers, units); zeros where the points coincide."""
    rows = [h.double().flatten(1).diff(dim=0)[0].numpy() for h in hidden(network, inputs, names).values()]
    widest = max(len(row) for row in rows)
    rows = np.array([np.pad(row, (0, widest - len(row))) for row in rows])
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return rows / np.where(lengths > 0, lengths, 1)


@dataclass(frozen=True, eq=False)
class Snapshot:
    """Hidden representations (n, units) in the middle of a network, and outputs (n, n_out), in float64."""

    hidden: np.ndarray
    outputs: np.ndarray


def snapshot(network: FullyConnected | Convolutional, inputs: torch.Tensor) -> Snapshot:
    """The hidden representations and outputs of a network in eval mode, a row a point."""
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

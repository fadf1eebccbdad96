"""Gradient descent on any torch module, watching two points move at a hidden layer."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import isfinite

import numpy as np
import torch
from torch import nn
from tqdm import tqdm

from .theory import State, TwoPoint, real_number

Data = tuple[torch.Tensor, torch.Tensor]


@dataclass(frozen=True, eq=False)
class Run:
    """What `train` recorded before each step: t (n,) epochs, loss (n,), and ‖dh‖², ‖dy‖², w.

    `trajectory` is a State of (n,) arrays, or a dict of them by layer name when several layers
    were asked for. `task` is what the data fix in the theory. `stopped` says why it ended.
    """

    t: np.ndarray
    trajectory: State | dict[str, State]
    loss: np.ndarray
    task: TwoPoint
    lr: float
    stopped: str = field(default="epochs")

    def __len__(self) -> int:
        return len(self.t)


class TrainingDiverged(RuntimeError):
    """The loss or a representation stopped being finite; `run` holds what came before."""

    def __init__(self, message: str, run: Run | None):
        super().__init__(message)
        self.run = run


class TrainingInterrupted(KeyboardInterrupt):
    """Ctrl-C during `train`; `run` holds what was recorded (in Jupyter: `sys.last_value.run`)."""

    def __init__(self, message: str, run: Run | None):
        super().__init__(message)
        self.run = run


def train(
    network: nn.Module,
    data: Data,
    *,
    lr: float,
    epochs: int,
    layer: str | Sequence[str],
    pair: tuple[int, int] = (0, 1),
    stop_at_loss: float | None = None,
    seed: int = 0,
    progress: bool | None = None,
) -> Run:
    """Full-batch gradient descent on the loss (1), recording (8) for two points before each step.

    data: (inputs, targets), one row a point; `pair` are the rows to watch. `layer` names one
    submodule, or several, as `network.named_modules()` does; its output is the representation.
    The network is trained in place. Training ends early once the loss is <= `stop_at_loss`.
    `seed` fixes what is random in a step (dropout); dropout is off where the pair is recorded.
    `progress` shows a bar; by default only where somebody watches.

    Raises ValueError or TypeError naming the argument; TrainingDiverged and TrainingInterrupted,
    which carry the run so far.
    """
    inputs, targets, task = _checked_data(network, data, pair)
    names = _checked_layers(network, layer)
    real_number("lr", lr, strict=True)
    if not isinstance(epochs, int) or isinstance(epochs, bool) or epochs < 1:
        raise ValueError(f"epochs must be an integer >= 1, got {epochs!r}")
    if stop_at_loss is not None:
        real_number("stop_at_loss", stop_at_loss, strict=True)
    recorder = _Recorder(epochs, names, isinstance(layer, str), task, lr)
    show = _somebody_watches() if progress is None else progress
    with torch.random.fork_rng(devices=[]), _watching(network, names) as seen:
        torch.manual_seed(seed)
        _require_output(network, inputs, targets)
        with tqdm(total=epochs, disable=not show, leave=False, unit="epoch") as bar:
            try:
                _descend(network, inputs, targets, pair, recorder, seen, lr, stop_at_loss, bar)
            except KeyboardInterrupt:
                raise TrainingInterrupted(
                    f"training interrupted at epoch {recorder.n} of {epochs}; "
                    "what was recorded is in this exception's .run",
                    recorder.run("interrupted"),
                ) from None
    return recorder.run("loss" if recorder.n < epochs or recorder.reached(stop_at_loss) else "epochs")


def _descend(network, inputs, targets, pair, recorder, seen, lr, stop_at_loss, bar) -> None:
    parameters = [p for p in network.parameters() if p.requires_grad]
    random = any(isinstance(m, _RANDOM) for m in network.modules()) and network.training
    pair_targets = targets[list(pair)].double()
    for epoch in range(recorder.epochs):
        if random:  # the pair is watched without dropout, the step is taken with it
            network.eval()
            with torch.no_grad():
                watched = network(inputs).detach()
            hidden = {name: seen[name] for name in recorder.names}
            network.train()
            outputs = network(inputs)
        else:
            outputs = network(inputs)
            watched, hidden = outputs.detach(), seen
        loss = 0.5 * (outputs - targets).square().sum(dim=tuple(range(1, outputs.ndim))).mean()
        finite = recorder.record(loss.item(), watched[list(pair)].double(), pair_targets, hidden, pair)
        if not finite:
            raise TrainingDiverged(
                f"training diverged at epoch {epoch} with learning rate lr = {lr:g}: the loss or a "
                "representation is no longer finite; use a smaller lr or a smaller gain",
                recorder.run("diverged"),
            )
        bar.update()
        if recorder.reached(stop_at_loss):
            return
        gradients = torch.autograd.grad(loss, parameters)
        with torch.no_grad():
            torch._foreach_add_(parameters, gradients, alpha=-lr)


_RANDOM = (nn.modules.dropout._DropoutNd, nn.modules.batchnorm._NormBase)
"""Layers that behave differently while training; the pair is watched with them switched off."""


class _Recorder:
    """Arrays filled a row an epoch, so that a crash loses nothing that was seen."""

    def __init__(self, epochs: int, names: tuple[str, ...], single: bool, task: TwoPoint, lr: float):
        self.epochs, self.names, self.single, self.task, self.lr = epochs, names, single, task, lr
        self.n = 0
        self._loss = np.empty(epochs)
        self._dh2 = {name: np.empty(epochs) for name in names}
        self._dy2, self._w = np.empty(epochs), np.empty(epochs)

    def record(self, loss, outputs, targets, hidden, pair) -> bool:
        """Store one row in float64; False, storing nothing, when a value is not finite."""
        dy = (outputs[1] - outputs[0]).flatten()
        dy_target = (targets[1] - targets[0]).flatten()
        distances = {name: _distance2(hidden[name], pair) for name in self.names}
        dy2, w = float(dy @ dy), float(dy @ (dy - dy_target))
        if not all(map(isfinite, (loss, dy2, w, *distances.values()))):
            return False
        for name, dh2 in distances.items():
            self._dh2[name][self.n] = dh2
        self._loss[self.n], self._dy2[self.n], self._w[self.n] = loss, dy2, w
        self.n += 1
        return True

    def reached(self, loss: float | None) -> bool:
        return loss is not None and self.n > 0 and self._loss[self.n - 1] <= loss

    def run(self, stopped: str) -> Run | None:
        """The rows so far, or None when there is none."""
        if self.n == 0:
            return None
        rows = slice(self.n)
        states = {name: State(self._dh2[name][rows], self._dy2[rows], self._w[rows]) for name in self.names}
        trajectory = states[self.names[0]] if self.single else states
        return Run(
            np.arange(self.n, dtype=float), trajectory, self._loss[rows].copy(),
            self.task, self.lr, stopped,
        )  # fmt: skip


def _distance2(hidden: torch.Tensor, pair: tuple[int, int]) -> float:
    first, second = (hidden[i].double().flatten() for i in pair)
    return float((second - first).square().sum())


@contextmanager
def _watching(network: nn.Module, names: Sequence[str]) -> Iterator[dict[str, torch.Tensor]]:
    """A dict that holds, after each forward pass, the output of each named submodule."""
    seen: dict[str, torch.Tensor] = {}

    def hook(name):
        def keep(_module, _inputs, output):
            if not isinstance(output, torch.Tensor):
                raise TypeError(f"layer {name!r} must return a tensor, got {type(output).__name__}")
            seen[name] = output.detach()

        return keep

    modules = dict(network.named_modules())
    handles = [modules[name].register_forward_hook(hook(name)) for name in names]
    try:
        yield seen
    finally:
        for handle in handles:
            handle.remove()


# --- what is allowed ------------------------------------------------------------------------


def _checked_data(network, data, pair) -> tuple[torch.Tensor, torch.Tensor, TwoPoint]:
    if not isinstance(network, nn.Module):
        raise TypeError(f"network must be a torch.nn.Module, got {type(network).__name__}")
    try:
        inputs, targets = data
    except (TypeError, ValueError):
        raise TypeError(f"data must be a pair (inputs, targets), got {type(data).__name__}") from None
    for name, tensor in (("inputs", inputs), ("targets", targets)):
        if not isinstance(tensor, torch.Tensor):
            raise TypeError(f"{name} must be a torch.Tensor, got {type(tensor).__name__}")
        if tensor.ndim < 2:
            raise ValueError(f"{name} must have one row a point, got shape {tuple(tensor.shape)}")
        if not torch.isfinite(tensor).all():
            raise ValueError(f"{name} must be finite, got NaN or infinity")
    if len(inputs) != len(targets):
        raise ValueError(f"inputs and targets must have equal length, got {len(inputs)} and {len(targets)}")
    if not isinstance(pair, tuple) or len(pair) != 2 or not all(isinstance(i, int) for i in pair):
        raise TypeError(f"pair must be two row numbers, got {pair!r}")
    if pair[0] == pair[1] or not all(0 <= i < len(inputs) for i in pair):
        raise ValueError(f"pair must be two different rows in [0, {len(inputs)}), got {pair!r}")
    dx2 = _distance2(inputs, pair)
    if dx2 == 0:
        raise ValueError(f"pair must be two different points, got rows {pair!r} with dx2 = 0.0")
    return inputs, targets, TwoPoint(dx2, _distance2(targets, pair))


def _checked_layers(network: nn.Module, layer) -> tuple[str, ...]:
    names = (layer,) if isinstance(layer, str) else layer
    if not isinstance(names, Sequence) or not all(isinstance(n, str) for n in names):
        raise TypeError(f"layer must be the name of a submodule or a list of names, got {layer!r}")
    if not names:
        raise ValueError("layer must name at least one submodule, got none")
    known = [name for name, _ in network.named_modules() if name]
    for name in names:
        if name not in known:
            raise ValueError(f"layer must be one of {', '.join(known)}; got {name!r}")
    return tuple(names)


def _require_output(network: nn.Module, inputs: torch.Tensor, targets: torch.Tensor) -> None:
    """One pass without dropout, so that a mismatch is an error and never a silent broadcast."""
    training = network.training
    network.eval()
    try:
        with torch.no_grad():
            outputs = network(inputs)
    except RuntimeError as error:
        raise ValueError(
            f"network must accept inputs of shape {tuple(inputs.shape)} and dtype {inputs.dtype}: {error}"
        ) from error
    finally:
        network.train(training)
    if outputs.shape != targets.shape:
        raise ValueError(
            f"network must return the shape of targets, {tuple(targets.shape)}, got {tuple(outputs.shape)}"
        )
    if not any(p.requires_grad for p in network.parameters()):
        raise ValueError("network must have parameters that require gradients, got none")


def _somebody_watches() -> bool:
    """True on a terminal and in a notebook that a person runs; False where a machine does."""
    try:
        from IPython import get_ipython
    except ImportError:
        return sys.stderr.isatty()
    kernel = getattr(get_ipython(), "kernel", None)
    if kernel is None:
        return sys.stderr.isatty()
    # A front end lets its user answer input(); nbclient, myst-nb and nbval do not.
    return bool(getattr(kernel, "_allow_stdin", False))

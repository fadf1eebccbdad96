"""Gradient descent on any torch module, watching two points move at a hidden layer."""

from __future__ import annotations

import copy
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from math import isfinite
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn
from tqdm import tqdm

from ..networks import require_sizes
from ..state import Run, State, TwoPoint, real_number

if TYPE_CHECKING:  # numba is loaded only where the kernel is worth it
    from .fused import Fused, Program

Data = tuple[torch.Tensor, torch.Tensor]
Optimizer = Callable[..., torch.optim.Optimizer]


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
    batch: int | None = None,
    optimizer: Optimizer | None = None,
    every: int = 1,
    stop_at_loss: float | None = None,
    seed: int = 0,
    progress: bool | None = None,
) -> Run:
    """Gradient descent on the loss (1), recording (8) for two points before each step.

    data: (inputs, targets), one row a point; `pair` are the rows to watch. `layer` names one
    submodule, or several, as `network.named_modules()` does; its output is the representation.
    The network is trained in place, on all points at once or on `batch` of them a step, in an order
    that is new each epoch. `optimizer(parameters, lr=lr)` makes another one of `torch.optim`. Recorded
    is every `every`-th step, with the loss over the points that the step is taken on. Training ends
    early once that is <= `stop_at_loss`. `seed` fixes what is random in a step (batches, dropout);
    dropout is off in what is recorded. `progress` shows a bar; by default only where somebody watches.

    Raises ValueError or TypeError naming the argument; TrainingDiverged and TrainingInterrupted,
    which carry the run so far.
    """
    inputs, targets, task = _checked_data(network, data, pair)
    names = _checked_layers(network, layer)
    how = _checked_descent(len(inputs), lr, epochs, batch, optimizer, every, stop_at_loss)
    recorder = _Recorder(how, names, isinstance(layer, str), task)
    show = _somebody_watches() if progress is None else progress
    with torch.random.fork_rng(devices=[]), _threads_for([network]):
        torch.manual_seed(seed)
        _require_output(network, inputs, targets)
        with tqdm(total=epochs, disable=not show, leave=False, unit="epoch") as bar:
            try:
                kernel = _kernel_for(network, (inputs, targets), names, how)
                if kernel is not None:
                    _descend_fused(kernel, targets, pair, recorder, bar)
                else:
                    with _watching(network, names) as seen:
                        _descend(network, inputs, targets, pair, recorder, seen, bar)
            except KeyboardInterrupt:
                raise TrainingInterrupted(
                    f"training interrupted at epoch {recorder.epoch:g} of {epochs}; "
                    "what was recorded is in this exception's .run",
                    recorder.run("interrupted"),
                ) from None
    return recorder.run("loss" if recorder.n < how.rows or recorder.reached() else "epochs")


def hidden(network: nn.Module, inputs: torch.Tensor, layers: Sequence[str]) -> dict[str, torch.Tensor]:
    """What the named layers give for some inputs, without dropout: tensors with one row a point."""
    names = _checked_layers(network, layers)
    with _at_rest(network), _watching(network, names) as seen:
        network(inputs)
    return {name: seen[name] for name in names}


def _loss(outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Half the mean squared error, eq. (1)."""
    return 0.5 * (outputs - targets).square().sum(dim=tuple(range(1, outputs.ndim))).mean()


def _descend(network, inputs, targets, pair, recorder, seen, bar) -> None:
    how, parameters = recorder.how, [p for p in network.parameters() if p.requires_grad]
    step = how.stepper(parameters)
    random = any(isinstance(m, _RANDOM) and m.training for m in network.modules())
    pair_targets = targets[list(pair)].double()
    for number, rows in enumerate(how.batches(len(inputs))):
        some = slice(None) if rows is None else rows
        outputs = network(inputs[some])
        loss = _loss(outputs, targets[some])
        if number % how.every == 0:
            seen_loss, watched, at_layers, where = loss, outputs.detach(), seen, pair
            if random or rows is not None:  # a look at the network at rest, at the pair and at these points
                with _at_rest(network):
                    watched = network(torch.cat([inputs[list(pair)], inputs[some]]))
                seen_loss, where = _loss(watched[2:], targets[some]), (0, 1)
            two = watched[list(where)].double()
            if not recorder.record(seen_loss.item(), two, pair_targets, at_layers, where):
                raise _diverged(recorder)
            if recorder.reached():
                return
        step(torch.autograd.grad(loss, parameters, allow_unused=True))
        bar.update(number % how.steps_an_epoch == 0)


def _diverged(recorder: _Recorder) -> TrainingDiverged:
    return TrainingDiverged(
        f"training diverged at epoch {recorder.epoch:g} with learning rate lr = {recorder.how.lr:g}: the "
        "loss or a representation is no longer finite; use a smaller lr or a smaller gain",
        recorder.run("diverged"),
    )


@dataclass(frozen=True)
class _Descent:
    """How a training goes down: its steps, and which of them are recorded."""

    lr: float
    epochs: int
    steps_an_epoch: int
    batch: int | None
    optimizer: Optimizer | None
    every: int
    stop_at_loss: float | None

    @property
    def rows(self) -> int:
        """How many steps are recorded."""
        return -(-self.epochs * self.steps_an_epoch // self.every)

    @property
    def plain(self) -> bool:
        """Whether it is gradient descent on all data, recorded at each step."""
        return self.batch is None and self.optimizer is None and self.every == 1

    def batches(self, points: int) -> Iterator[torch.Tensor | None]:
        """The rows of each step; None for all of them."""
        for _ in range(self.epochs):
            if self.batch is None:
                yield None
            else:
                yield from torch.randperm(points).split(self.batch)

    def stepper(self, parameters: list[torch.Tensor]) -> Callable[[Sequence[torch.Tensor]], None]:
        """What takes a step along the gradients."""
        if self.optimizer is None:

            def step(gradients):
                used = [p for p, g in zip(parameters, gradients, strict=True) if g is not None]
                with torch.no_grad():
                    torch._foreach_add_(used, [g for g in gradients if g is not None], alpha=-self.lr)

            return step
        made = self.optimizer(parameters, lr=self.lr)
        if not isinstance(made, torch.optim.Optimizer):
            raise TypeError(f"optimizer must make a torch.optim.Optimizer, got {type(made).__name__}")

        def step(gradients):
            for parameter, gradient in zip(parameters, gradients, strict=True):
                parameter.grad = gradient
            made.step()
            made.zero_grad()

        return step


# --- wide networks --------------------------------------------------------------------------

WORTH_COMPILING = 20_000_000
"""Weights times epochs from which `urep.fused` saves more than loading its compiler costs: seconds."""

A_WHILE = 32
"""Epochs between two looks at whether somebody pressed Ctrl-C."""


FIRST_STEPS = 3
"""Steps that kernel and ordinary loop take side by side before the kernel is trusted."""


def _kernel_for(network, data: Data, names: tuple[str, ...], how: _Descent) -> Fused | None:
    """The kernel, ready to train this network; None where it pays not, cannot, or is seen to differ."""
    inputs, targets = data
    if not how.plain or not _is_worth_compiling(network, inputs, targets, how.epochs):
        return None
    from .fused import Fused
    from .graph import program_of

    program = program_of(network, names, inputs.shape[1])
    if program is None or program.steps[program.output - 1].size != targets.shape[1]:
        return None
    for dtype in (torch.float64, inputs.dtype):
        points = inputs.detach().to(dtype), targets.detach().to(dtype)
        if not _same_first_steps(copy.deepcopy(network).to(dtype), points, program, how):
            return None
    return Fused(program, network, data, how.lr)


def _is_worth_compiling(network, inputs, targets, epochs: int) -> bool:
    """Whether data and parameters are of the kind that the kernel takes, and the training is long."""
    parameters = list(network.parameters())
    tensors = [inputs, targets, *parameters]
    return (
        sum(p.numel() for p in parameters) * epochs >= WORTH_COMPILING
        and inputs.ndim == targets.ndim == 2
        and len(inputs) == 2
        and inputs.dtype in (torch.float32, torch.float64)
        and all(z.dtype == inputs.dtype and z.device.type == "cpu" for z in tensors)
        and all(z.layout == torch.strided for z in tensors)
        and not torch.is_autocast_enabled("cpu")
    )


def _same_first_steps(twin: nn.Module, data: Data, program: Program, how: _Descent) -> bool:
    """Whether kernel and ordinary loop give a copy of the network the same losses, ‖dh‖² and weights.

    They add in different orders, so that the last digits differ; if the kernel trained another network,
    the first would. The line is drawn in the middle: at half the digits of the dtype, relative to the
    largest entry. ‖dh‖², a small difference of large numbers, is compared in float64 only.
    """
    from .fused import Fused

    how = replace(how, epochs=FIRST_STEPS, stop_at_loss=None)
    epsilon = torch.finfo(data[0].dtype).eps
    start = [p.detach().clone() for p in twin.parameters()]
    state = torch.get_rng_state()
    kernel = Fused(program, twin, data, how.lr)
    losses, distances, _, finite = kernel.steps(FIRST_STEPS, -np.inf)
    torch.set_rng_state(state)
    names = tuple(program.watched)
    recorder = _Recorder(how, names, False, TwoPoint(1.0, 1.0))
    try:
        with _watching(twin, names) as seen, tqdm(disable=True) as bar:
            _descend(twin, *data, (0, 1), recorder, seen, bar)
    except RuntimeError:  # it diverges, or its forward pass depends on the dtype: not for the kernel
        return False
    finally:
        torch.set_rng_state(state)
    ordinary = [p.detach().clone() for p in twin.parameters()]
    kernel.store()
    run = recorder.run("epochs")
    pairs = [(losses, run.loss, 0.0)]
    if data[0].dtype == torch.float64:
        pairs += [(d, s.dh2, 0.0) for d, s in zip(distances.T, run.trajectory.values(), strict=True)]
    for before, one, other in zip(start, twin.parameters(), ordinary, strict=True):
        rounding = 4 * FIRST_STEPS * epsilon * float(before.abs().max())
        pairs.append(((one.detach() - before).numpy(), (other - before).numpy(), rounding))
    return finite and all(
        np.max(np.abs(a - b)) <= np.sqrt(epsilon) * np.max(np.abs(b)) + least for a, b, least in pairs
    )


def _descend_fused(kernel: Fused, targets, pair, recorder, bar) -> None:
    """What `_descend` does, by a kernel that reads each weight matrix twice a step."""
    how = recorder.how
    dy_target = (targets[pair[1]] - targets[pair[0]]).double().numpy()
    stop = -np.inf if how.stop_at_loss is None else how.stop_at_loss
    try:
        while recorder.n < how.rows:
            left = min(A_WHILE, how.rows - recorder.n)
            losses, distances, outputs, go_on = kernel.steps(left, stop)
            dy = outputs[:, pair[1]] - outputs[:, pair[0]]
            recorder.extend(losses, distances.T, (dy**2).sum(1), (dy * (dy - dy_target)).sum(1))
            bar.update(len(losses))
            if recorder.reached():
                return
            if not go_on:
                raise _diverged(recorder)
    finally:
        kernel.store()


_RANDOM = (nn.modules.dropout._DropoutNd, nn.modules.batchnorm._NormBase)
"""Layers that behave differently while training; the pair is watched with them switched off."""


class _Recorder:
    """Arrays filled a row an epoch, so that a crash loses nothing that was seen."""

    def __init__(self, how: _Descent, names: tuple[str, ...], single: bool, task: TwoPoint):
        self.how, self.names, self.single, self.task = how, names, single, task
        self.n = 0
        self._loss = np.empty(how.rows)
        self._dh2 = {name: np.empty(how.rows) for name in names}
        self._dy2, self._w = np.empty(how.rows), np.empty(how.rows)

    @property
    def epoch(self) -> float:
        """Of the row that is recorded next."""
        return self.n * self.how.every / self.how.steps_an_epoch

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

    def extend(self, loss, dh2, dy2, w) -> None:
        """Store several rows at once; dh2 is (layers, rows)."""
        rows = slice(self.n, self.n + len(loss))
        for name, row in zip(self.names, dh2, strict=True):
            self._dh2[name][rows] = row
        self._loss[rows], self._dy2[rows], self._w[rows] = loss, dy2, w
        self.n += len(loss)

    def reached(self) -> bool:
        """Whether the loss is as small as was asked for."""
        stop = self.how.stop_at_loss
        return stop is not None and self.n > 0 and self._loss[self.n - 1] <= stop

    def run(self, stopped: str) -> Run | None:
        """The rows so far, or None when there is none."""
        if self.n == 0:
            return None
        rows = slice(self.n)
        states = {name: State(self._dh2[name][rows], self._dy2[rows], self._w[rows]) for name in self.names}
        trajectory = states[self.names[0]] if self.single else states
        t = np.arange(self.n) * (self.how.every / self.how.steps_an_epoch)
        return Run(t, trajectory, self._loss[rows].copy(), self.task, self.how.lr, stopped)


def _distance2(hidden: torch.Tensor, pair: tuple[int, int]) -> float:
    first, second = (hidden[i].double().flatten() for i in pair)
    return float((second - first).square().sum())


WORTH_A_THREAD = 100_000
"""Entries of the largest parameter from which a second thread gains more than it costs."""


@contextmanager
def _threads_for(networks: Sequence[nn.Module]) -> Iterator[None]:
    """One thread for small networks: two would gain nothing and, on a busy machine, wait for each other.

    Two such trainings side by side on two cores were seen to take eight times as long as one.
    """
    largest = max((p.numel() for p in networks[0].parameters()), default=0)
    before = torch.get_num_threads()
    if largest * len(networks) < WORTH_A_THREAD:
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def _at_rest(network: nn.Module) -> Iterator[None]:
    """Without dropout and without gradients; afterwards the network is as it was."""
    training = [(module, module.training) for module in network.modules()]
    network.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        for module, mode in training:
            module.training = mode


@contextmanager
def _watching(
    network: nn.Module, names: Sequence[str], *, detach: bool = True
) -> Iterator[dict[str, torch.Tensor]]:
    """A dict that holds, after each forward pass, the output of each named submodule."""
    seen: dict[str, torch.Tensor] = {}

    def hook(name):
        def keep(_module, _inputs, output):
            if not isinstance(output, torch.Tensor):
                raise TypeError(f"layer {name!r} must return a tensor, got {type(output).__name__}")
            seen[name] = output.detach() if detach else output

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


def _checked_descent(points, lr, epochs, batch, optimizer, every, stop_at_loss) -> _Descent:
    real_number("lr", lr, strict=True)
    require_sizes(epochs=epochs, every=every)
    if batch is not None:
        require_sizes(batch=batch)
        if batch > points:
            raise ValueError(f"batch must be at most the number of points, {points}, got {batch}")
    if optimizer is not None and not callable(optimizer):
        raise TypeError(f"optimizer must be a class of torch.optim or make one's object, got {optimizer!r}")
    if stop_at_loss is not None:
        real_number("stop_at_loss", stop_at_loss, strict=True)
    steps = 1 if batch is None else -(-points // batch)
    return _Descent(lr, epochs, steps, batch, optimizer, every, stop_at_loss)


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
    try:
        with _at_rest(network):
            outputs = network(inputs)
    except RuntimeError as error:
        raise ValueError(
            f"network must accept inputs of shape {tuple(inputs.shape)} and dtype {inputs.dtype}: {error}"
        ) from error
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

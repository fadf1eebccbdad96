"""Gradient descent on any torch module, recording two points at a hidden layer."""

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

    data: (inputs, targets), one row a point; `pair` are the rows to record. `layer` names one
    submodule, or several, as `network.named_modules()` does; its output is the representation.
    Inputs and targets are moved to the device of the network's first parameter. The network is trained
    in place, on all points at once or on `batch` of them a step, in an order
    that is new each epoch. `optimizer(parameters, lr=lr)` makes another one of `torch.optim`, of
    which `training.matrices_by` gives those that take only matrices, as Muon, the matrices alone. Recorded
    is every `every`-th step, with the loss over the points that the step is taken on. Training ends
    early once that is <= `stop_at_loss`. `seed` fixes what is random in a step (batches, dropout);
    dropout is off in what is recorded. `progress` shows a bar; by default only where somebody watches.

    Recorded is what the network computes in eval mode: without dropout, and BatchNorm with its running
    statistics. Where such a layer or a random draw makes that differ from training, it takes extra forward
    passes, as do the checks of the arguments: a forward pass that counts its calls counts more of them.

    Networks of two points, plain gradient descent, linear layers and known activations are trained by a
    compiled kernel from WORTH_COMPILING weights times epochs on (20 million), after it has agreed with
    PyTorch on the first steps. The kernel follows a trace of the forward pass, which it does not call again.
    RuntimeError says so where network and kernel disagree about the outputs of the trained weights. A
    counter that is kept outside of the network, its classes and the globals that its methods name is
    not seen; `optimizer=torch.optim.SGD` trains such a network in PyTorch.

    Raises ValueError or TypeError naming the argument; TrainingDiverged and TrainingInterrupted,
    which carry the run so far.
    """
    inputs, targets, task = _checked_data(network, data, pair)
    names = _checked_layers(network, layer)
    plan = _checked_plan(len(inputs), lr, epochs, batch, optimizer, every, stop_at_loss)
    recorder = _Recorder(plan, names, isinstance(layer, str), task)
    show = _interactive() if progress is None else progress
    with _seeded(seed, inputs.device), _threads_for([network]):
        _require_output(network, inputs, targets, names)
        with tqdm(total=epochs, disable=not show, leave=False, unit="epoch") as bar:
            try:
                kernel = _kernel_for(network, (inputs, targets), names, plan)
                if kernel is None:
                    stopped = _descend(network, (inputs, targets), pair, recorder, bar)
                else:
                    stopped = _descend_fused(kernel, targets, pair, recorder, bar)
                    _require_same_network(kernel.program, network, (inputs, targets), recorder)
            except KeyboardInterrupt:
                raise _interrupted(recorder.epoch, epochs, recorder.run("interrupted")) from None
    return recorder.run(stopped)


def _interrupted(epoch: float, epochs: int, run: Run | None) -> TrainingInterrupted:
    return TrainingInterrupted(
        f"training interrupted at epoch {epoch:g} of {epochs}; what was recorded is in this exception's .run",
        run,
    )


def hidden(network: nn.Module, inputs: torch.Tensor, layers: Sequence[str]) -> dict[str, torch.Tensor]:
    """Representations of some inputs at the named layers, in eval mode: tensors with one row a point."""
    names = _checked_layers(network, layers)
    (inputs,) = _on_device_of(network, inputs)
    with _eval_mode(network), _hooked(network, names) as seen:
        network(inputs)
    return {name: seen[name] for name in names}


def decoder_gradient(
    network: nn.Module, inputs: torch.Tensor, layer: str, direction: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """The representation of each point at a layer, and D_yᵀ there: the output's gradient along `direction`.

    Both are (n, units), flat, in eval mode; direction: the shape of one output. The points must not see one
    another in the network. Raises as `train` does for a layer that it does not have.
    """
    (name,) = _checked_layers(network, (layer,))
    inputs, direction = _on_device_of(network, inputs, direction)
    with _eval_mode(network), torch.enable_grad(), _hooked(network, (name,), detach=False) as seen:
        along = (network(inputs.detach().requires_grad_()) * direction).sum()
        (gradient,) = torch.autograd.grad(along, seen[name])
    return seen[name].detach().flatten(1), gradient.flatten(1)


PATH = 32
"""Points between two representations at which the decoder's gradient is averaged."""


def chord_gradient(
    network: nn.Module,
    inputs: torch.Tensor,
    layer: str,
    direction: torch.Tensor,
    *,
    create_graph: bool = False,
) -> torch.Tensor:
    """D_yᵀ (units,) of two points: the output's gradient along `direction`, averaged on the line from h to h.

    So D_y dh is dy along `direction`, as the linear maps of (5) have it, where gates open between the points
    too. What reaches the output beside the layer, as skip connections do, is that of each point, half of the
    time. The points must not see one another in the network. With `create_graph` it can be differentiated by
    the decoder's parameters. Raises ValueError for other than two points, and as `train` does for a layer
    that it does not have.
    """
    if len(inputs) != 2:
        raise ValueError(f"inputs must be two points, got {len(inputs)}")
    (name,) = _checked_layers(network, (layer,))
    inputs, direction = _on_device_of(network, inputs, direction)
    shares = ((torch.arange(PATH, dtype=inputs.dtype, device=inputs.device) + 0.5) / PATH).repeat(2)
    kept: list[torch.Tensor] = []

    def between(_module, _inputs, output):
        first, second = output.detach()[[0, PATH]]
        line = first + shares.reshape(-1, *[1] * first.ndim) * (second - first)
        kept[:] = [line.requires_grad_()]
        return kept[0]

    handle = dict(network.named_modules())[name].register_forward_hook(between)
    try:
        with _eval_mode(network), torch.enable_grad():
            along = (network(inputs.repeat_interleave(PATH, dim=0)) * direction).sum()
    finally:
        handle.remove()
    (gradient,) = torch.autograd.grad(along, kept[0], create_graph=create_graph)
    return gradient.mean(dim=0).flatten()


def _loss(outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Half the mean squared error, eq. (1)."""
    return 0.5 * (outputs - targets).square().sum(dim=tuple(range(1, outputs.ndim))).mean()


@dataclass(frozen=True)
class _Look:
    """What is recorded of one step: the loss, and outputs and hidden representations of the pair."""

    loss: float
    outputs: torch.Tensor
    hidden: dict[str, torch.Tensor]


def _descend(network, data: Data, pair, recorder: _Recorder, bar) -> str:
    """Gradient descent as the plan says; why it stopped."""
    plan, (inputs, targets) = recorder.plan, data
    parameters = [p for p in network.parameters() if p.requires_grad]
    step = plan.stepper(parameters)
    differs = _differs_in_eval_mode(network)
    with _hooked(network, recorder.names) as seen:
        for number, rows in enumerate(plan.batches(len(inputs))):
            points = (inputs, targets) if rows is None else (inputs[rows], targets[rows])
            state = _random_state(inputs.device) if number == 0 else None
            outputs = network(points[0])
            loss = _loss(outputs, points[1])
            if state is not None:
                differs = differs or not torch.equal(state, _random_state(inputs.device))
            if number % plan.every == 0:
                if differs or rows is not None:
                    look = _look_in_eval_mode(network, seen, inputs[list(pair)], points)
                else:
                    look = _Look(loss.item(), outputs.detach()[list(pair)], _rows_of(seen, recorder, pair))
                if not recorder.record(look, targets[list(pair)]):
                    raise _diverged(recorder)
                if recorder.reached():
                    return "loss"
            step(torch.autograd.grad(loss, parameters, allow_unused=True))
            if (number + 1) % plan.steps_an_epoch == 0:
                bar.update()
    return "epochs"


def _random_state(device: torch.device) -> torch.Tensor:
    return torch.cuda.get_rng_state(device) if device.type == "cuda" else torch.get_rng_state()


def _rows_of(seen: dict[str, torch.Tensor], recorder: _Recorder, rows) -> dict[str, torch.Tensor]:
    """The hidden representations of some rows, by layer."""
    return {name: seen[name][list(rows)] for name in recorder.names}


def _look_in_eval_mode(network, seen, pair_inputs: torch.Tensor, points: Data) -> _Look:
    """The pair, and the loss over the points of a step, with dropout off and in one pass."""
    with _eval_mode(network):
        outputs = network(torch.cat([pair_inputs, points[0]]))
    loss = _loss(outputs[2:], points[1]).item()
    return _Look(loss, outputs[:2], {name: h[:2] for name, h in seen.items()})


def _differs_in_eval_mode(network: nn.Module) -> bool:
    """Whether a module of the network, as it is set, does something else than in eval mode."""
    return any(isinstance(module, _RANDOM) and module.training for module in network.modules())


def _diverged(recorder: _Recorder) -> TrainingDiverged:
    return TrainingDiverged(
        f"training diverged at epoch {recorder.epoch:g} with learning rate lr = {recorder.plan.lr:g}: the "
        "loss or a representation is no longer finite; use a smaller lr or a smaller gain",
        recorder.run("diverged"),
    )


@dataclass(frozen=True)
class _Plan:
    """How a network is trained: the steps, and which of them are recorded."""

    points: int
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
"""Weights times epochs from which the kernel saves more than loading its compiler costs: seconds."""

EPOCHS_PER_CALL = 32
"""Epochs between two looks at whether somebody pressed Ctrl-C."""


FIRST_STEPS = 3
"""Steps that kernel and ordinary loop take side by side before the kernel is trusted."""


def _kernel_for(network, data: Data, names: tuple[str, ...], plan: _Plan) -> Fused | None:
    """The kernel, ready to train this network; None where it pays not, cannot, or is seen to differ."""
    inputs, targets = data
    if not plan.plain or not _is_worth_compiling(network, inputs, targets, plan.epochs):
        return None
    from .fused import Fused
    from .graph import program_of

    program = program_of(network, names, inputs.shape[1])
    if program is None or program.steps[program.output - 1].size != targets.shape[1]:
        return None
    for dtype in (torch.float64, inputs.dtype):
        points = inputs.detach().to(dtype), targets.detach().to(dtype)
        if not _same_first_steps(copy.deepcopy(network).to(dtype), points, program, plan):
            return None
    return Fused(program, network, data, plan.lr)


def compiled(network: nn.Module, data: Data, *, lr: float, epochs: int, layer: str) -> Fused | None:
    """The compiled kernel of a training on two points by gradient descent, for who takes its steps himself.

    None where `train` would not use it. `kernel.store()` writes the weights back to the network. Raises as
    `train` does.
    """
    inputs, targets, _ = _checked_data(network, data, (0, 1))
    plan = _checked_plan(len(inputs), lr, epochs, None, None, 1, None)
    return _kernel_for(network, (inputs, targets), _checked_layers(network, layer), plan)


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


def _same_first_steps(twin: nn.Module, data: Data, program: Program, plan: _Plan) -> bool:
    """Whether kernel and ordinary loop give a copy of the network the same losses, ‖dh‖² and weights.

    They add in different orders, so that the last digits differ; if the kernel trained another network,
    the first would. The line is drawn in the middle: at half the digits of the dtype, relative to the
    largest entry. ‖dh‖², a small difference of large numbers, is compared in float64 only.
    """
    from .fused import Fused

    plan = replace(plan, epochs=FIRST_STEPS, stop_at_loss=None)
    epsilon = torch.finfo(data[0].dtype).eps
    start = [p.detach().clone() for p in twin.parameters()]
    state = torch.get_rng_state()
    kernel = Fused(program, twin, data, plan.lr)
    losses, distances, _, finite = kernel.steps(FIRST_STEPS, -np.inf)
    torch.set_rng_state(state)
    names = tuple(program.recorded)
    recorder = _Recorder(plan, names, False, TwoPoint(1.0, 1.0))
    try:
        with tqdm(disable=True) as bar:
            _descend(twin, data, (0, 1), recorder, bar)
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


def _descend_fused(kernel: Fused, targets, pair, recorder: _Recorder, bar) -> str:
    """What `_descend` does, by a kernel that reads each weight matrix twice a step."""
    plan = recorder.plan
    dy_target = _difference(targets[list(pair)]).numpy()
    stop = -np.inf if plan.stop_at_loss is None else plan.stop_at_loss
    try:
        while recorder.n < plan.rows:
            left = min(EPOCHS_PER_CALL, plan.rows - recorder.n)
            losses, distances, outputs, go_on = kernel.steps(left, stop)
            dy = outputs[:, pair[1]] - outputs[:, pair[0]]
            recorder.extend(losses, distances.T, (dy**2).sum(1), (dy * (dy - dy_target)).sum(1))
            if len(losses):
                sign = pair[1] - pair[0]
                recorder.keep_ends({name: sign * dh for name, dh in kernel.ends().items()})
            bar.update(len(losses))
            if recorder.reached():
                return "loss"
            if not go_on:
                raise _diverged(recorder)
    finally:
        kernel.store()
    return "epochs"


def _require_same_network(program: Program, network: nn.Module, data: Data, recorder: _Recorder) -> None:
    """RuntimeError where the trained network does not do what the kernel took it for.

    Compared are the outputs, in float64 and without dropout, to half its digits, relative to the largest
    target and miss of the whole training: outputs that cancel keep fewer digits of their own.
    """
    from .fused import Fused

    points = tuple(z.detach().double() for z in data)
    twin = copy.deepcopy(network).double()
    for module in twin.modules():
        module.training = module.training and not isinstance(module, _RANDOM)
    with torch.no_grad():
        ours = twin(points[0]).double().numpy()
    _, _, outputs, _ = Fused(program, twin, points, recorder.plan.lr).steps(1, np.inf)  # takes no step
    if not len(outputs):  # the last step overflowed, which no row shows
        return
    worst = np.unravel_index(np.argmax(np.abs(outputs[0] - ours)), ours.shape)
    largest = float(points[1].abs().max()) + recorder.largest_miss()
    if not np.abs(outputs[0] - ours)[worst] <= np.sqrt(np.finfo(float).eps) * largest:
        raise RuntimeError(
            f"the compiled kernel has trained another network: output {worst[1]} of point {worst[0]} is "
            f"{outputs[0][worst]:g} in the kernel and {ours[worst]:g} in PyTorch with the same weights; the "
            "forward pass depends on something that its graph does not show; "
            "optimizer=torch.optim.SGD trains it in PyTorch"
        )


_RANDOM = (nn.modules.dropout._DropoutNd, nn.modules.batchnorm._NormBase)
"""Layers that behave differently while training; the pair is recorded with them switched off."""


class _Recorder:
    """Arrays filled a row an epoch, so that a crash loses nothing that was seen."""

    def __init__(self, plan: _Plan, names: tuple[str, ...], single: bool, task: TwoPoint):
        self.plan, self.names, self.single, self.task = plan, names, single, task
        self.n = 0
        self._loss = np.empty(plan.rows)
        self._dh2 = {name: np.empty(plan.rows) for name in names}
        self._dy2, self._w = np.empty(plan.rows), np.empty(plan.rows)
        self._dh_ends: dict[str, np.ndarray] = {}

    @property
    def epoch(self) -> float:
        """The epoch of the row that is recorded next."""
        return self.n * self.plan.every / self.plan.steps_an_epoch

    def record(self, look: _Look, targets: torch.Tensor) -> bool:
        """Store one row in float64; False, storing nothing, when a value is not finite."""
        dy, dy_target = _difference(look.outputs), _difference(targets)
        dh = {name: _difference(look.hidden[name]) for name in self.names}
        distances = {name: float(value.square().sum()) for name, value in dh.items()}
        dy2, w = float(dy @ dy), float(dy @ (dy - dy_target))
        if not all(map(isfinite, (look.loss, dy2, w, *distances.values()))):
            return False
        for name, dh2 in distances.items():
            self._dh2[name][self.n] = dh2
        self._loss[self.n], self._dy2[self.n], self._w[self.n] = look.loss, dy2, w
        self.keep_ends({name: np.stack([value.numpy()] * 2) for name, value in dh.items()})
        self.n += 1
        return True

    def keep_ends(self, dh: dict[str, np.ndarray]) -> None:
        """Keep dh (2, units) of the first row ever, and of the last row of these."""
        for name, (first, last) in dh.items():
            kept = self._dh_ends.get(name)
            self._dh_ends[name] = np.stack([first if kept is None else kept[0], last])

    def extend(self, loss, dh2, dy2, w) -> None:
        """Store several rows at once; dh2 is (layers, rows)."""
        rows = slice(self.n, self.n + len(loss))
        for name, row in zip(self.names, dh2, strict=True):
            self._dh2[name][rows] = row
        self._loss[rows], self._dy2[rows], self._w[rows] = loss, dy2, w
        self.n += len(loss)

    def reached(self) -> bool:
        """Whether the loss is as small as was asked for."""
        stop = self.plan.stop_at_loss
        return stop is not None and self.n > 0 and self._loss[self.n - 1] <= stop

    def largest_miss(self) -> float:
        """A length that no output of a point was further from its target, by the loss (1) of two points."""
        return 2 * float(np.sqrt(self._loss[: self.n].max()))

    def run(self, stopped: str) -> Run | None:
        """The rows so far, or None when there is none."""
        if self.n == 0:
            return None
        rows = slice(self.n)
        states = {name: State(self._dh2[name][rows], self._dy2[rows], self._w[rows]) for name in self.names}
        trajectory = states[self.names[0]] if self.single else states
        t = np.arange(self.n) * (self.plan.every / self.plan.steps_an_epoch)
        return Run(
            t=t,
            trajectory=trajectory,
            loss=self._loss[rows].copy(),
            task=self.task,
            lr=self.plan.lr,
            stopped=stopped,
            dh_ends=dict(self._dh_ends),
            points=self.plan.batch or self.plan.points,
        )


def _difference(pair: torch.Tensor) -> torch.Tensor:
    """Second row minus first, flat, in float64 and on the CPU (MPS holds no float64)."""
    first, second = pair.detach().cpu().double().flatten(1)
    return second - first


def _distance2(rows: torch.Tensor, pair: tuple[int, int]) -> float:
    return float(_difference(rows[list(pair)]).square().sum())


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
def _seeded(seed: int, device: torch.device) -> Iterator[None]:
    """Torch's generators at a seed; afterwards they are as they were."""
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        yield


@contextmanager
def _eval_mode(network: nn.Module) -> Iterator[None]:
    """Eval mode without gradients; afterwards each module is in the mode that it was in."""
    training = [(module, module.training) for module in network.modules()]
    network.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        for module, mode in training:
            module.training = mode


@contextmanager
def _hooked(
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
    return *_on_device_of(network, inputs, targets), TwoPoint(dx2, _distance2(targets, pair))


def _on_device_of(network: nn.Module, *tensors: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """Tensors, moved to where the network's first parameter is."""
    device = next((p.device for p in network.parameters()), torch.device("cpu"))
    if device.type == "meta":
        raise ValueError("network must have parameters that hold numbers, got device meta")
    if device.type == "mps" and any(tensor.dtype == torch.float64 for tensor in tensors):
        raise ValueError("data must not be float64 for a network on device mps, got torch.float64")
    return tuple(tensor.to(device) for tensor in tensors)


def _checked_plan(points, lr, epochs, batch, optimizer, every, stop_at_loss) -> _Plan:
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
    return _Plan(points, lr, epochs, steps, batch, optimizer, every, stop_at_loss)


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


def _require_output(network, inputs: torch.Tensor, targets: torch.Tensor, names: Sequence[str]) -> None:
    """One pass in eval mode, so that a mismatch is an error and never a silent broadcast."""
    try:
        with _eval_mode(network), _hooked(network, names) as seen:
            outputs = network(inputs)
    except RuntimeError as error:
        raise ValueError(
            f"network must accept inputs of shape {tuple(inputs.shape)} and dtype {inputs.dtype}: {error}"
        ) from error
    if outputs.shape != targets.shape:
        raise ValueError(
            f"network must return the shape of targets, {tuple(targets.shape)}, got {tuple(outputs.shape)}"
        )
    if outputs.device != targets.device:
        raise ValueError(
            f"network must return outputs on {targets.device}, as its first parameter is, "
            f"got {outputs.device}"
        )
    for name in names:
        if name not in seen:
            raise ValueError(f"layer must name submodules that the network calls, got {name!r}")
    if not any(p.requires_grad for p in network.parameters()):
        raise ValueError("network must have parameters that require gradients, got none")


def _interactive() -> bool:
    """Whether a person watches: on a terminal or in a notebook, but not in one that a machine executes."""
    try:
        from IPython import get_ipython
    except ImportError:
        return sys.stderr.isatty()
    kernel = getattr(get_ipython(), "kernel", None)
    if kernel is None:
        return sys.stderr.isatty()
    # A front end lets its user answer input(); nbclient, myst-nb and nbval do not.
    return bool(getattr(kernel, "_allow_stdin", False))

"""Gradient descent on many small networks of one architecture at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import nn
from tqdm import tqdm

from ..networks import FullyConnected, require_sizes
from ..state import Run, State, TwoPoint, real_number
from .loop import (
    _RANDOM,
    Data,
    TrainingDiverged,
    _checked_data,
    _checked_layers,
    _hooked,
    _interactive,
    _interrupted,
    _loss,
    _require_output,
    _threads_for,
)


def train_many(
    networks: Sequence[nn.Module],
    data: Data,
    *,
    lr: float,
    epochs: int,
    layer: str,
    pair: tuple[int, int] = (0, 1),
    every: int = 1,
    progress: bool | None = None,
) -> Run:
    """`train` for an ensemble of m networks of one architecture at once, each on its own.

    The networks, which must not be random in a step, are trained in place. Returns a Run whose
    trajectory is a State of (m, n) arrays and whose loss is (m, n): a row a network, a column every
    `every` epochs. Many small networks take little longer than one. Raises as `train` does,
    TrainingDiverged as soon as one network diverges, which it names.
    """
    networks = list(networks)
    if not networks:
        raise ValueError("networks must hold at least one network, got none")
    inputs, targets, task = _checked_data(networks[0], data, pair)
    (name,) = _checked_layers(networks[0], (layer,))
    real_number("lr", lr, strict=True)
    require_sizes(epochs=epochs, every=every)
    if any(isinstance(module, _RANDOM) for module in networks[0].modules()):
        raise ValueError("networks must not be random in a step, got one with dropout or batch statistics")
    _require_output(networks[0], inputs, targets, (name,))
    parameters, buffers = _stacked(networks)
    step = _layered_step if _is_layered(networks[0], parameters) else _mapped_step
    rows = _Rows(every, task, lr, len(inputs))
    show = _interactive() if progress is None else progress
    bar = tqdm(range(epochs), disable=not show, leave=False, unit="epoch")
    try:
        with _threads_for(networks):
            for epoch in bar:
                gradients, losses, outputs, hidden = step(
                    networks[0], parameters, buffers, inputs, targets, name
                )
                if not torch.isfinite(losses).all():
                    raise TrainingDiverged(_which_diverged(losses, epoch, lr), rows.run("diverged"))
                if epoch % every == 0:
                    own = outputs[:, list(pair)], hidden[:, list(pair)]
                    rows.measured.append(_measured(losses, *own, targets[list(pair)]))
                for key, gradient in gradients.items():
                    parameters[key] = parameters[key] - lr * gradient
    except KeyboardInterrupt:
        raise _interrupted(every * len(rows.measured), epochs, rows.run("interrupted")) from None
    _store(networks, parameters)
    return rows.run("epochs")


@dataclass(frozen=True)
class _Rows:
    """Rows of an ensemble: loss, ‖dh‖², ‖dy‖² and w of each network, (4, m), every `every` epochs."""

    every: int
    task: TwoPoint
    lr: float
    points: int
    measured: list[np.ndarray] = field(default_factory=list)

    def run(self, stopped: str) -> Run | None:
        """The rows so far, or None when there is none."""
        if not self.measured:
            return None
        loss, dh2, dy2, w = np.stack(self.measured, axis=-1)
        t = self.every * np.arange(len(self.measured), dtype=float)
        return Run(t, State(dh2, dy2, w), loss, self.task, self.lr, stopped, points=self.points)


def _store(networks: Sequence[nn.Module], parameters: dict[str, torch.Tensor]) -> None:
    """Write trained parameters, a row a network, back to the networks."""
    with torch.no_grad():
        for index, network in enumerate(networks):
            for key, parameter in network.named_parameters():
                if parameter.requires_grad:
                    parameter.copy_(parameters[key][index])


def _mapped_step(network, parameters, buffers, inputs, targets, name):
    """Gradients, losses (m,), outputs and hidden representations (m, points, ...) of any networks."""

    def loss_of(own, fixed):
        with _hooked(network, (name,), detach=False) as seen:
            outputs = torch.func.functional_call(network, (own, fixed), (inputs,))
        return _loss(outputs, targets), (outputs, seen[name])

    step = torch.func.vmap(torch.func.grad_and_value(loss_of, has_aux=True))
    gradients, (losses, (outputs, hidden)) = step(parameters, buffers)
    return gradients, losses, outputs, hidden


_WALKED = (nn.Linear, nn.Identity, nn.ReLU, nn.LeakyReLU, nn.ELU, nn.Tanh, nn.SiLU, nn.Sigmoid, nn.GELU)
"""Products with weights, and what acts on each entry alone, whatever the number of dimensions."""


def _is_layered(network: nn.Module, parameters) -> bool:
    """True where the network is products with weights and nonlinearities, one after the other."""
    return (
        type(network) is FullyConnected
        and not network.skip
        and all(type(module) in _WALKED for module in network.net)
        and all(module.bias is not None for module in network.net if type(module) is nn.Linear)
        and not any(
            m._forward_hooks or m._forward_pre_hooks or "forward" in vars(m) for m in network.modules()
        )
        and set(parameters) == {key for key, _ in network.named_parameters()}
    )


def _layered_step(network, parameters, buffers, inputs, targets, name):
    """What `_mapped_step` gives, for such networks, several times faster."""
    leaves = {key: value.requires_grad_() for key, value in parameters.items()}
    x = inputs.expand(len(next(iter(leaves.values()))), *inputs.shape)
    for key, module in network.net.named_children():
        if isinstance(module, nn.Linear):
            weight, bias = leaves[f"net.{key}.weight"], leaves[f"net.{key}.bias"]
            x = torch.baddbmm(bias.unsqueeze(1), x, weight.transpose(1, 2))
        else:
            x = module(x)
        if f"net.{key}" == name:
            hidden = x
    losses = torch.func.vmap(_loss, (0, None))(x, targets)
    gradients = torch.autograd.grad(losses.sum(), list(leaves.values()))
    for value in leaves.values():
        value.requires_grad_(False)
    return dict(zip(leaves, gradients, strict=True)), losses.detach(), x.detach(), hidden.detach()


def _which_diverged(losses: torch.Tensor, epoch: int, lr: float) -> str:
    lost = int(torch.argmin(torch.isfinite(losses).int()))
    return (
        f"training of network {lost} diverged at epoch {epoch} with learning rate lr = {lr:g}: "
        "its loss is no longer finite; use a smaller lr or a smaller gain"
    )


def _stacked(networks) -> tuple[dict[str, torch.Tensor], dict[str, torch.Tensor]]:
    """What is trained and what is not, of all networks, in tensors with one row a network."""
    keys = [{key: value.shape for key, value in network.state_dict().items()} for network in networks]
    if any(key != keys[0] for key in keys):
        raise ValueError("networks must be of one architecture, got parameters of different shapes")
    if any(repr(network) != repr(networks[0]) for network in networks):
        raise ValueError("networks must be of one architecture, got modules of different kinds or settings")
    rows = [dict(network.named_parameters()) for network in networks]
    trained = {key for key, value in rows[0].items() if value.requires_grad}
    stack = {key: torch.stack([row[key].detach() for row in rows]) for key in rows[0]}
    fixed = {key: value for key, value in stack.items() if key not in trained}
    held = [dict(network.named_buffers()) for network in networks]
    fixed |= {key: torch.stack([row[key] for row in held]) for key in held[0]}
    return {key: value for key, value in stack.items() if key in trained}, fixed


def _measured(losses, outputs, hidden, targets) -> np.ndarray:
    """Loss, ‖dh‖², ‖dy‖² and w of each network, (4, m), in float64."""
    dh = (hidden[:, 1] - hidden[:, 0]).detach().cpu().double().flatten(1)
    dy = (outputs[:, 1] - outputs[:, 0]).detach().cpu().double().flatten(1)
    away = dy - (targets[1] - targets[0]).cpu().double().flatten()
    rows = losses.cpu().double(), dh.square().sum(1), dy.square().sum(1), (dy * away).sum(1)
    return torch.stack([row.detach() for row in rows]).numpy()

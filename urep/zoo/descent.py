"""Training on any loss: what the studies need beside `urep.train`, which has two points and the loss (1)."""

from __future__ import annotations

from collections.abc import Callable
from time import process_time
from typing import NamedTuple

import torch
from torch import nn
from torch.optim.lr_scheduler import CosineAnnealingLR, LRScheduler

Schedule = Callable[[torch.optim.Optimizer, int], LRScheduler]
"""Makes what changes the learning rate of an optimizer over so many steps."""

cosine: Schedule = CosineAnnealingLR
"""The rate falls to zero along a cosine."""


class Descent(NamedTuple):
    """How a training ended: the loss before its last step, and the processor seconds that it took."""

    loss: float
    seconds: float


def adam(
    network: nn.Module,
    loss: Callable[[int], torch.Tensor],
    *,
    steps: int,
    lr: float,
    schedule: Schedule | None = None,
    largest: float | None = None,
    fused: bool | None = None,
) -> Descent:
    """Train a network in place by Adam on `loss(step)`, at one rate or on a schedule.

    A gradient whose norm is above `largest` is scaled to it.
    """
    parameters = [p for p in network.parameters() if p.requires_grad]
    optimizer = torch.optim.Adam(parameters, lr=lr, fused=fused)
    rate = schedule and schedule(optimizer, steps)
    began = process_time()
    for step in range(steps):
        optimizer.zero_grad()
        left = loss(step)
        left.backward()
        if largest is not None:
            nn.utils.clip_grad_norm_(parameters, largest)
        optimizer.step()
        if rate is not None:
            rate.step()
    seconds = process_time() - began
    return Descent(float(left.detach()), seconds)

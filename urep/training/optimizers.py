"""Optimizers for `train` beside those of torch."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch


class _BySize(torch.optim.Optimizer):
    """Two optimizers that step together, each on its own parameters."""

    def __init__(self, parts: list[torch.optim.Optimizer]):
        super().__init__([group for part in parts for group in part.param_groups], {})
        self.parts = parts

    def step(self, closure=None):
        """A step of each; what is random in it is drawn in their order."""
        if closure is not None:
            raise ValueError("closure must be None: two optimizers step on the same gradients")
        for part in self.parts:
            part.step()


def matrices_by(
    matrices: Callable[..., torch.optim.Optimizer],
    rest: Callable[..., torch.optim.Optimizer] = torch.optim.SGD,
) -> Callable[..., torch.optim.Optimizer]:
    """A maker for `train(optimizer=...)`: one optimizer for weight matrices, another one for all else.

    Muon, for example, takes nothing but matrices: `optimizer=matrices_by(torch.optim.Muon)` gives biases to
    gradient descent. Both get the learning rate of `train`; `functools.partial` fixes what else they need.
    """

    def make(parameters: Iterable[torch.Tensor], *, lr: float) -> torch.optim.Optimizer:
        parameters = list(parameters)
        two = [p for p in parameters if p.ndim == 2]
        others = [p for p in parameters if p.ndim != 2]
        return _BySize([kind(own, lr=lr) for kind, own in ((matrices, two), (rest, others)) if own])

    return make

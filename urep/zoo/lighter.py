"""Systems with fewer weights beside each other, and a plain network that is trained at each γ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch.nn.functional import leaky_relu

from ..shown import Table
from ..tasks import two_points
from . import protocol, sheets, weights
from .catalogue import system, systems_of
from .system import trained_numbers

LATEST = 3000
"""Epochs that count for a training that does not end."""

SOLVED = 0.1
"""Share of the best constant's loss below which a start in a subspace counts as solved."""


def settings_table(*rows: int) -> Table:
    """Gain and learning rate of the systems of some rows of the zoo, and who set them."""
    found = []
    for one in systems_of("weights"):
        if one.row in rows:
            own = sheets.sheet(one.name).settings
            by = "hand" if one.settings else "rule"
            found.append([one.name, f"{own.gain:g}", f"{own.lr:.2g}", by])
    return Table(["system", "gain", "learning rate", "set by"], found)


def solved_table(found: Mapping[str, np.ndarray]) -> Table:
    """How many starts are solved in each number of directions, and of single weights in the last rows."""
    rows, fakes = [], []
    for t, task in enumerate(("two points", "XOR")):
        for k, units in enumerate(weights.WIDTHS):
            rows.append([task, f"{units} units", *_solved(found["subspaces"][:, t, k])])
        fakes.append([task, "32, single weights", *_solved(found["coordinates"][:, t])])
    return Table(["task", "network", *(f"d = {d}" for d in weights.DIMENSIONS)], rows + fakes)


def _solved(losses: np.ndarray) -> np.ndarray:
    return (losses < SOLVED).sum(axis=0)


def carried(names: Sequence[str]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Trained weights of systems, and what is missed of the farther target and of the nearer one.

    The first miss is 1 - R² of the worse distance, the second the error of ‖dy‖² over that of the scaled
    curve; both are medians over the seeds that learn. Each is (systems,).
    """
    rows = []
    for name in names:
        own = sheets.sheet(name)
        up = own.median("carried_r2")[0, 0, 0, :2].min()
        down = own.median("carried_error")[0, :, 1, 1]
        scaled = down[protocol.MODELS.index("scaled")]
        rows.append([trained_numbers(system(name).network(0, 1.0)), 1 - up, down[0] / scaled])
    count, up, down = np.array(rows).T
    return count, up, down


def by_gamma(of: str, numbers: Mapping[str, Sequence[float]]) -> Table:
    """A number at each γ, a row a network."""
    head = [f"{of} at γ = {gamma:g}" for gamma in weights.GAMMAS]
    rows = [[name, *(f"{number:.2f}" for number in row)] for name, row in numbers.items()]
    return Table(["network", *head], rows)


def plain_epochs(seeds: Sequence[int], epochs: int = 1500, lr: float = 0.01) -> np.ndarray:
    """Epochs until the loss of a plain network of (x, γ) is a thousandth, (seeds, γ); trained at once.

    It has about as many weights as the hypernetworks have, and gain 0.7; LATEST where training does not end.
    """
    x, targets = two_points(dy2_target=0.5, dtype=torch.float64)
    count = len(weights.GAMMAS)
    rows = [torch.cat([x, torch.full_like(x, gamma)], 1) for gamma in weights.GAMMAS]
    inputs = torch.stack(rows * len(seeds))
    starts = zip(*(_start(seed) for seed in seeds), strict=True)
    own = [torch.stack(one).repeat_interleave(count, 0) for one in starts]
    ends = torch.full((len(seeds) * count,), float(LATEST))
    for epoch in range(epochs):
        for entries in own:
            entries.requires_grad_()
        y = leaky_relu(inputs @ own[0] + own[1])
        y = leaky_relu(y @ own[2] + own[3]) @ own[4] + own[5]
        losses = (y - targets).square().mean((1, 2)) / 2
        ends[(losses <= protocol.LEARNED) & (ends == LATEST)] = epoch
        steps = torch.autograd.grad(losses.sum(), own)
        own = [(entries - lr * step).detach() for entries, step in zip(own, steps, strict=True)]
    return ends.view(len(seeds), count).numpy()


def _start(seed: int) -> list[torch.Tensor]:
    """Weights, transposed, and zero biases of three layers of 104 units."""
    torch.manual_seed(seed)
    layers = [weights.dense(n_in, out, 0.7) for n_in, out in ((2, 104), (104, 104), (104, 1))]
    return [part.detach() for layer in layers for part in (layer.weight.T, layer.bias[None])]

"""Networks whose points are sets of features: system 8 (Tversky) of the zoo, part of the family `geometry`.

Written from the formulas of Tversky's similarity alone; the authors' package has another licence.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import torch
from torch import nn

from .. import tasks
from .descent import adam
from .operators import xavier
from .system import Settings, paper_pair


class Tversky(nn.Module):
    """Similarity of a to each prototype b: S(a, b) = θ f(A∩B) − α f(A−B) − β f(B−A).

    A vector is the set of those features of a bank with a·f_k > 0. f(A∩B) = Σ over common features of
    (a·f_k)(b·f_k), f(A−B) = Σ over those of A alone of a·f_k. Doumbouya et al. (2025),
    arXiv:2506.11035, after Tversky (1977). `blur` > 0 makes membership a sigmoid of that width: the control.
    """

    def __init__(self, n_in: int, n_out: int, features: int = 32, blur: float = 0.0):
        super().__init__()
        self.bank = nn.Parameter(torch.randn(features, n_in) / n_in**0.5)
        self.prototypes = nn.Parameter(torch.randn(n_out, n_in) / n_in**0.5)
        self.scales = nn.Parameter(torch.tensor([1.0, 0.6, 0.4]) / features**0.5)  # θ, α, β
        self.blur = blur

    def member(self, z: torch.Tensor) -> torch.Tensor:
        """1 where a feature belongs to a set, 0 where not."""
        return torch.sigmoid(z / self.blur) if self.blur else (z > 0).to(z)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Similarities (n, n_out) of vectors (n, n_in)."""
        a, b = x @ self.bank.T, self.prototypes @ self.bank.T
        in_a, in_b = self.member(a), self.member(b)
        theta, alpha, beta = self.scales
        common = (in_a * a) @ (in_b * b).T
        return theta * common - alpha * (in_a * a) @ (1 - in_b).T - beta * (1 - in_a) @ (in_b * b).T


class TverskyNetwork(nn.Module):
    """Linear 1 → 16, a Tversky projection 16 → 16 and one to 1."""

    def __init__(self, d: int = 16, blur: float = 0.0):
        super().__init__()
        self.lift = nn.Linear(1, d)
        self.first, self.last = Tversky(d, d, blur=blur), Tversky(d, 1, blur=blur)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Outputs (n, 1) for inputs (n, 1)."""
        return self.last(self.first(self.lift(x)))


def tversky(gain: float, blur: float = 0.0) -> nn.Module:
    """Two Tversky projections, of which the first is the hidden layer; the gain is that of θ, α and β too."""
    network = xavier(TverskyNetwork(blur=blur), gain)
    with torch.no_grad():
        for layer in (network.first, network.last):
            layer.scales *= gain
    return network


def tversky_smooth(gain: float) -> nn.Module:
    """The same with smooth membership, which no feature enters or leaves at once."""
    return tversky(gain, blur=0.25)


# --- studies ------------------------------------------------------------------------------

BANKS = (2, 4, 8, 16)
"""Features of the banks with which one projection learns XOR."""


def tversky_xor(seed: int) -> dict[str, np.ndarray]:
    """XOR learned by one projection 2 → 1, with each of BANKS, and by a linear layer: mean square errors."""
    inputs, targets = tasks.xor(dtype=torch.float64)
    torch.manual_seed(seed)
    layers = [Tversky(2, 1, features=size).double() for size in BANKS]
    return {
        "tversky": np.array([_left(layer, inputs, targets) for layer in layers]),
        "linear": np.array([_left(nn.Linear(2, 1).double(), inputs, targets)]),
    }


def _left(layer: nn.Module, inputs, targets, steps: int = 2000) -> float:
    """Mean square error that Adam leaves."""
    return adam(layer, lambda _: (layer(inputs) - targets).square().mean(), steps=steps, lr=0.02).loss


OF_SMOOTH_SETS = Settings(0.7, 10 ** (-2 / 3) / 3)
"""What the rule finds with smooth membership. A loss that jumps rises by 1% at any learning rate."""


def rectified(seeds, inputs, targets, units: int = 5, steps: int = 2000) -> tuple[np.ndarray, int]:
    """Mean square errors of trained networks of one rectified layer, (seeds,), and how many numbers each has.

    All train in one loop of Adam, which treats every number, and so every network, by itself.
    """
    drawn = []
    for seed in seeds:
        torch.manual_seed(seed)
        layers = nn.Linear(inputs.shape[1], units), nn.Linear(units, 1)
        drawn.append([p.detach().double() for one in layers for p in (one.weight, one.bias)])
    w, b, readout, last = together = [torch.stack(of).requires_grad_() for of in zip(*drawn, strict=True)]
    adam = torch.optim.Adam(together, lr=0.02)
    for _ in range(steps):
        hidden = torch.relu(inputs @ w.mT + b[:, None])
        errors = (hidden @ readout.mT + last[:, None] - targets).square().mean(dim=(1, 2))
        adam.zero_grad()
        errors.sum().backward()
        adam.step()
    return errors.detach().numpy(), sum(p[0].numel() for p in together)


def flips(seed: int) -> dict[str, np.ndarray]:
    """Steps of ln ‖dh‖² in the paper's task, with sets that jump and with smooth ones.

    Two numbers each: steps at which a feature enters or leaves a set of a point or of a prototype; steps in
    all; the largest |step|; the share of all |steps| that is taken where a feature enters or leaves.
    """
    rows = [_steps(seed, blur) for blur in (0.0, 0.25)]
    return {name: np.array([row[k] for row in rows])
            for k, name in enumerate(("flips", "steps", "largest", "share"))}  # fmt: skip


def _steps(seed: int, blur: float) -> tuple[float, float, float, float]:
    torch.manual_seed(seed)
    network = tversky(OF_SMOOTH_SETS.gain, blur).double()
    inputs, targets = paper_pair(0.5)
    optimizer = torch.optim.SGD(network.parameters(), lr=OF_SMOOTH_SETS.lr)
    distances, members = [], []
    for _ in range(1000):
        lifted = network.lift(inputs)
        h = network.first(lifted)
        loss = 0.5 * (network.last(h) - targets).square().mean()
        if loss < 1e-7:
            break
        with torch.no_grad():
            distances.append(float((h[1] - h[0]).square().sum()))
            members.append(torch.cat([_members(network.first, lifted), _members(network.last, h)]))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    moved = abs(np.diff(np.log(distances)))
    flipped = np.array([bool((a != b).any()) for a, b in pairwise(members)])
    return flipped.sum(), len(moved), moved.max(), moved[flipped].sum() / moved.sum()


def _members(layer: Tversky, x: torch.Tensor) -> torch.Tensor:
    """Which features are in the sets of points and of prototypes."""
    return torch.cat((x @ layer.bank.T, layer.prototypes @ layer.bank.T)).flatten() > 0

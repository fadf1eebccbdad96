"""Units that rest on their kinks, and the kernel of gradient descent that keeps them there.

A rectified network's loss has a kink wherever a unit is zero at a point. Where gradient descent pushes a unit
across from both sides, it stays there, and steps across at every turn. In the limit of short steps what moves
is the gradient less its part across the kinks: the projection on their common surface.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

import numpy as np
import torch
from torch import nn

from ..networks import FullyConnected
from ..training.loop import Data
from .kernels import LOOK_EVERY, STEP, MapTrial, follow, look

SLOPES = {"relu": 0.0, "leaky_relu": 0.01}
"""The slope below zero of the nonlinearities that have a kink."""

WINDOW = 60
"""Steps in which a kernel is seen to act, and units to rest."""

CROSSINGS = 2
"""Times that a unit changes sides in a window, at least, if it rests on its kink."""

STAGES = (0.05, 0.2, 0.5, 0.8, 0.93)
"""Shares of the target at which a window begins."""


@dataclass(frozen=True, eq=False)
class Passed:
    """Two points on their way through a rectified network: activations z, from the inputs on, and pre's.

    `pres` (2, units) are before the nonlinearity, `slopes` what it multiplies by; the last layer has none.
    """

    weights: tuple[np.ndarray, ...]
    z: tuple[np.ndarray, ...]
    pres: tuple[np.ndarray, ...]
    slopes: tuple[np.ndarray, ...]

    @classmethod
    def of(cls, network: FullyConnected, inputs: torch.Tensor, below: float) -> Passed:
        """The passage of two inputs (2, n_in) through a network with this slope below zero."""
        layers = [module for module in network.net if isinstance(module, nn.Linear)]
        z, pres, slopes = [inputs.numpy()], [], []
        for layer in layers:
            weight, bias = layer.weight.detach().numpy(), layer.bias.detach().numpy()
            pres.append(z[-1] @ weight.T + bias)
            slopes.append(np.where(pres[-1] > 0, 1.0, below))
            z.append(slopes[-1] * pres[-1])
        slopes[-1], z[-1] = np.ones_like(pres[-1]), pres[-1]
        weights = tuple(layer.weight.detach().numpy().copy() for layer in layers)
        return cls(weights, tuple(z), tuple(pres), tuple(slopes))

    def gradients(self, at: int, back: np.ndarray) -> np.ndarray:
        """Gradients over all weights and biases of sums of pre's of one layer, as rows that are shorter.

        back (k, 2, units) says of which pre's at both points. Inner products of rows are those of gradients:
        a layer's is Σ B_x ⊗ (z_x, 1) over the points x, and (z_x, 1)·(z_y, 1) has a root of size two by two.
        """
        parts = [np.zeros((len(back), 2 * len(weight))) for weight in self.weights]
        for layer in range(at, -1, -1):
            size, vectors = np.linalg.eigh(self.z[layer] @ self.z[layer].T + 1)
            root = vectors * np.sqrt(np.maximum(size, 0))
            parts[layer] = np.einsum("kxn,xr->knr", back, root).reshape(parts[layer].shape)
            if layer:
                back = np.einsum("kxn,nm->kxm", back, self.weights[layer]) * self.slopes[layer - 1]
        return np.concatenate(parts, axis=1)

    def of_loss(self, targets: torch.Tensor) -> np.ndarray:
        """The gradient of the loss (1), a row as `gradients` has it."""
        return self.gradients(len(self.pres) - 1, ((self.z[-1] - targets.numpy()) / 2)[None])[0]

    def of_length(self, layer: int) -> tuple[float, np.ndarray]:
        """Length u = ‖dh‖ behind a linear layer and its nonlinearity, and its gradient."""
        dh = self.z[layer + 1][1] - self.z[layer + 1][0]
        u = float(np.linalg.norm(dh))
        return u, self.gradients(layer, (np.array([-dh, dh]) / u * self.slopes[layer])[None])[0]

    def of_units(self, chosen: list[np.ndarray]) -> np.ndarray:
        """Gradients of single pre's, (chosen, .): for each hidden layer which, (2, units), bool."""
        rows = []
        for layer, which in enumerate(chosen):
            points, units = np.nonzero(which)
            back = np.zeros((len(points), *which.shape))
            back[np.arange(len(points)), points, units] = 1
            rows.append(self.gradients(layer, back))
        return np.concatenate(rows)


def along_surface(moved: np.ndarray, pushed: np.ndarray, normals: np.ndarray) -> float:
    """The product of two gradients less their parts in the span of some normals (k, .)."""
    if not len(normals):
        return float(moved @ pushed)
    lengths = np.linalg.norm(normals, axis=1)
    normals = normals[lengths > 0] / lengths[lengths > 0, None]
    size, vectors = np.linalg.eigh(normals @ normals.T)
    kept = size > 1e-10 * size[-1]
    one, other = (vectors[:, kept].T @ (normals @ part) for part in (moved, pushed))
    return float(moved @ pushed - (one / size[kept]) @ other)


@dataclass(frozen=True)
class Window:
    """Some steps of gradient descent: K_h as they show it, −½ Δu²/ΔW, u before, and which units rest.

    `resting` is (2, units) of each hidden layer: whether the unit changed sides CROSSINGS times at a point.
    `instants` is K_h at the instant of each step, (WINDOW,), empty where nobody asked.
    """

    kernel: float
    u: float
    resting: list[np.ndarray]
    instants: np.ndarray


def window(
    network: FullyConnected, data: Data, below: float, rate: float, *, instants: bool = False
) -> Window:
    """Train a rectified network in place for WINDOW steps, and see its kernel and the units that rest."""
    layer, parameters = _middle(network), list(network.parameters())
    target, work, seen, sides = float(data[1][1, 0] - data[1][0, 0]), 0.0, [], []
    now = []
    for _ in range(WINDOW + 1):
        passed = Passed.of(network, data[0], below)
        sides.append([pre > 0 for pre in passed.pres[:-1]])
        dy = float(passed.z[-1][1, 0] - passed.z[-1][0, 0])
        seen.append((float(np.linalg.norm(np.diff(passed.z[layer + 1], axis=0))), dy * (dy - target)))
        loss = 0.5 * (network(data[0]) - data[1]).square().sum(dim=1).mean()
        if len(seen) <= WINDOW:
            if instants:
                now.append(kernel_on(passed, data[1], layer, [np.zeros_like(one) for one in sides[-1]]))
            slopes = torch.autograd.grad(loss, parameters)
            with torch.no_grad():
                torch._foreach_add_(parameters, slopes, alpha=-rate)
    u, w = np.array(seen).T
    work = rate * w[:-1].sum()
    resting = []
    for one in zip(*sides, strict=True):
        resting.append(np.count_nonzero(np.diff(np.array(one), axis=0), axis=0) >= CROSSINGS)
    return Window(float(-0.5 * (u[-1] ** 2 - u[0] ** 2) / work), float(u[0]), resting, np.array(now))


def _middle(network: FullyConnected) -> int:
    """The linear layer whose activation is the one halfway."""
    return network.hidden_layers // 2


def kernel_on(passed: Passed, targets: torch.Tensor, layer: int, resting: list[np.ndarray]) -> float:
    """K_h of gradient flow that keeps these units on their kinks; with none of them, K_h at this instant."""
    u, moved = passed.of_length(layer)
    dy = float(passed.z[-1][1, 0] - passed.z[-1][0, 0])
    w = dy * (dy - float(targets[1, 0] - targets[0, 0]))
    return u * along_surface(moved, passed.of_loss(targets), passed.of_units(resting)) / w


@dataclass(frozen=True)
class KinkTrial:
    """A rectified network of the map, looked at in windows with steps that are shorter by a factor.

    By `slid` those of the windows are shorter, by `slid_from_birth` all of them.
    """

    nonlinearity: str
    hidden_layers: int = 20
    seed: int = 0
    shorter: int = 1
    environment: ClassVar = MappingProxyType({})

    @property
    def row(self) -> str:
        """The kind of network, under which its seeds are counted."""
        return f"map {self.nonlinearity} {self.hidden_layers}"

    @property
    def cost(self) -> float:
        """How long it may take, for the order of a sweep."""
        return 2000 + 200 * self.hidden_layers

    @property
    def settings(self) -> Sight:
        """How kernels are seen."""
        return Sight()


@dataclass(frozen=True)
class Sight:
    """How the kernels of a transition are seen; stored with what was seen."""

    step: float = STEP
    window: int = WINDOW
    crossings: int = CROSSINGS
    stages: str = " ".join(map(str, STAGES))


def slid(trial: KinkTrial) -> dict[str, np.ndarray]:
    """K_h at STAGES of a transition, (STAGES,): by steps, on the kinks, at an instant, and on wrong kinks.

    `wrong` is projected on as many kinks at each layer and point, of units that do not rest, chosen at random
    as far as there are so many. `u` is ‖dh‖, `share` how many of the hidden units rest at one point or the
    other, `resting` how many kinks that are.
    """
    made = MapTrial(trial.nonlinearity, trial.hidden_layers, seed=trial.seed)
    network, data, below = made.network(), made.data(), SLOPES[trial.nonlinearity]
    random, rows = np.random.default_rng(trial.seed), []
    for stage in STAGES:
        follow(network, data, network.middle, until=stage)
        rate = STEP / look(network, data, network.middle).total / trial.shorter
        if trial.shorter > 1:
            window(network, data, below, rate)  # units come to rest nearer to their kinks
        seen = window(network, data, below, rate)
        passed, nothing = Passed.of(network, data[0], below), [np.zeros_like(one) for one in seen.resting]
        on = [
            kernel_on(passed, data[1], _middle(network), which)
            for which in (seen.resting, nothing, _others(seen.resting, random))
        ]
        share = np.mean([one.any(axis=0).mean() for one in seen.resting])
        rows.append((seen.kernel, *on, seen.u, share, sum(one.sum() for one in seen.resting)))
    names = ("steps", "kinks", "instant", "wrong", "u", "share", "resting")
    return dict(zip(names, np.float32(rows).T, strict=True))


def slid_from_birth(trial: KinkTrial) -> dict[str, np.ndarray]:
    """Logarithms at STAGES of a transition all of whose steps are shorter by the trial's factor, (STAGES,).

    Of K_h by steps, on the kinks, and as the mean of the kernels at the instants of the same steps; and of
    ‖dh‖. Half precision, which is a few in a thousand of what they are logarithms of.
    """
    made = MapTrial(trial.nonlinearity, trial.hidden_layers, seed=trial.seed)
    network, data, below = made.network(), made.data(), SLOPES[trial.nonlinearity]
    step, rows = STEP / trial.shorter, []
    for stage in STAGES:
        follow(
            network, data, network.middle, steps=6000 * trial.shorter, step=step,
            every=LOOK_EVERY * trial.shorter, until=stage,
        )  # fmt: skip
        rate = step / look(network, data, network.middle).total
        seen = window(network, data, below, rate, instants=True)
        on = kernel_on(Passed.of(network, data[0], below), data[1], _middle(network), seen.resting)
        rows.append((seen.kernel, on, seen.instants.mean(), seen.u))
    return dict(zip(("steps", "kinks", "mean", "u"), np.float16(np.log(np.abs(rows))).T, strict=True))


def _others(resting: list[np.ndarray], random: np.random.Generator) -> list[np.ndarray]:
    """As many units of each layer and point that do not rest, or all that there are, at random."""
    chosen = []
    for layer in resting:
        wrong = np.zeros_like(layer)
        for point, rests in enumerate(layer):
            free = np.flatnonzero(~rests)
            wrong[point, random.permutation(free)[: rests.sum()]] = True
        chosen.append(wrong)
    return chosen

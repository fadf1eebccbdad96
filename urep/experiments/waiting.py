"""How long small networks wait on the plateau, and how fast they leave it and arrive.

Two centred points, so that there is no mean to learn, and random starts of several gains. The chapter on
when learning happens holds the law of depth against the moments at which shares of the target are learned.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from types import MappingProxyType

import numpy as np
import torch

from .. import growth, tasks
from ..networks import FullyConnected
from ..training import train
from .held_out import learned_share
from .tables import Row

SHARES = (0.05, 0.2, 0.5, 0.8, 0.95)
"""Shares of the target at which the clock is read."""

ENOUGH = 1e-4
"""Loss at which a training ends: less than a thousandth of the plateau's."""


@dataclass(frozen=True)
class WaitingTrial:
    """One small network on two centred points: `layers` hidden layers of `units`, a gain, a seed.

    It is trained until the loss is ENOUGH, or for `epochs`.
    """

    layers: int
    nonlinearity: str
    gain: float
    seed: int
    lr: float = 0.04
    epochs: int = 4000
    units: int = 30
    dy2_target: float = 0.5

    environment = MappingProxyType({})  # no annotation: these two are no fields
    task = "two centred points"

    @property
    def row(self) -> str:
        """The kind of network, under which its seeds are counted."""
        return f"waiting {self.nonlinearity} {self.layers}"

    @property
    def settings(self) -> Row:
        """The same as a row of a table."""
        return Row(self.row, self.nonlinearity, self.gain, self.lr, self.epochs, self.units, self.layers)

    @property
    def cost(self) -> float:
        """How long it may take, in units of which only ratios mean anything."""
        return self.layers * self.epochs

    def data(self) -> tasks.Data:
        """Inputs and targets, around zero."""
        return tasks.two_points(
            dy2_target=self.dy2_target, first_input=-0.5, first_target=-sqrt(self.dy2_target) / 2,
            dtype=torch.float64,
        )  # fmt: skip

    def network(self) -> FullyConnected:
        """The network before it is trained."""
        return self.settings.network(seed=self.seed, dtype=torch.float64)


def moments(t: np.ndarray, share: np.ndarray, shares: tuple[float, ...] = SHARES) -> np.ndarray:
    """When a learned share (n,) first reaches each of some shares, between epochs; NaN where it does not.

    A share that is there from the beginning has no moment either.
    """
    found = np.full(len(shares), np.nan)
    for k, level in enumerate(shares):
        row = int(np.argmax(share >= level))
        if row > 0:
            found[k] = np.interp(level, share[row - 1 : row + 1], t[row - 1 : row + 1])
    return found


def two_rates(found: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean slope of the logit of the share from 5% to 20%, and from 80% to 95%, of moments (..., 5)."""
    logit = np.log(np.divide(SHARES, np.subtract(1, SHARES)))
    early = (logit[1] - logit[0]) / (found[..., 1] - found[..., 0])
    return early, (logit[4] - logit[3]) / (found[..., 4] - found[..., 3])


def waiting(trial: WaitingTrial) -> dict[str, np.ndarray]:
    """Moments of SHARES (5,), epochs times learning rate; u, r, cosine (3,) halfway, at the start.

    D_y is that between the two points. In the sweeps `waiting` and `waiting-fresh`, which are older, those of
    leaky ReLU networks have D_y at the points themselves; nothing uses those.
    """
    network, data = trial.network(), trial.data()
    start = growth.measured(network, data, network.middle)
    run = train(
        network,
        data,
        lr=trial.lr,
        epochs=trial.epochs,
        layer=network.middle,
        stop_at_loss=ENOUGH,
        progress=False,
    )
    share = learned_share(run.trajectory, run.task.dy2_target)
    return {"moments": moments(run.t * trial.lr, share), "start": np.array([*start])}


# --- near misses: the chapter on the decoder-dominated regime -----------------------------------------


@dataclass(frozen=True)
class NearMissTrial:
    """One linear hidden layer on two centred points, its decoder larger than drawn and opposed to the target.

    The decoder is multiplied by `decoder`, and by −1 where that is needed for dy to point away from dy*.
    """

    units: int
    seed: int
    decoder: float = 3.0
    lr: float = 0.005
    epochs: int = 1500
    dy2_target: float = 0.5

    environment = MappingProxyType({})  # no annotation: these two are no fields
    task = "two centred points"
    nonlinearity, gain, layers = "none", 1.0, 1
    data = WaitingTrial.data

    @property
    def row(self) -> str:
        """The kind of network, under which its seeds are counted."""
        return f"near miss {self.units}"

    @property
    def settings(self) -> Row:
        """The same as a row of a table."""
        return Row(self.row, "none", self.gain, self.lr, self.epochs, self.units, self.layers)

    @property
    def cost(self) -> float:
        """How long it may take, in units of which only ratios mean anything."""
        return self.epochs

    def network(self) -> FullyConnected:
        """The network before it is trained."""
        network, data = self.settings.network(seed=self.seed, dtype=torch.float64), self.data()
        with torch.no_grad():
            decoder = network.net[2].weight.mul_(self.decoder)
            if growth.measured(network, data, network.middle).cosine > 0:
                decoder.neg_()
        return network


def near_miss(trial: NearMissTrial) -> dict[str, np.ndarray]:
    """The start's u, r and cosine (3,); the first, least and last ‖dh‖² (3,); the epoch of the least."""
    network, data = trial.network(), trial.data()
    start = growth.measured(network, data, network.middle)
    run = train(network, data, lr=trial.lr, epochs=trial.epochs, layer=network.middle, progress=False)
    dh2 = run.trajectory.dh2
    least = int(np.argmin(dh2))
    return {
        "start": np.array([*start]),
        "dh2": np.array([dh2[0], dh2[least], dh2[-1]]),
        "epoch": np.int32(least),
        "loss": np.float64(run.loss[-1]),
    }

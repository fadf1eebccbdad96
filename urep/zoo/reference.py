"""Two networks of the paper's own kind, that every system of the zoo is put beside."""

import torch
from torch import nn

from ..networks import FullyConnected
from .system import System

HIDDEN = 32


def dense(gain: float) -> nn.Module:
    """Three hidden layers of 32 units, leaky ReLU: the paper's default network, shallow and narrow."""
    return FullyConnected(hidden_layers=3, units=HIDDEN, gain=gain, seed=_seed())


def linear(gain: float) -> nn.Module:
    """One hidden layer of 64 linear units, for which two constants are a theorem."""
    return FullyConnected(hidden_layers=1, units=2 * HIDDEN, nonlinearity="none", gain=gain, seed=_seed())


def _seed() -> int:
    """A seed from torch's global generator, which the protocol sets."""
    return int(torch.randint(2**31, ()))


SYSTEMS = (
    System("dense", 0, "Dense, leaky ReLU", dense, layer="net.3", properties={"kinked"}),
    System("linear", 0, "Linear, one hidden layer", linear, layer="net.1"),
)
STUDIES = ()

"""What a system of the zoo is: a network to be trained on a pair of points, and where its paper is found."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import sqrt

import numpy as np
import torch
from torch import nn

from .. import tasks
from ..state import real_number, require_sizes

Pair = Callable[[float], tasks.Data]
"""Makes the data of two points at a given ‖dy*‖²: the same inputs and mean target at each."""

GAINS = (1.0, 0.7, 0.5, 0.35, 0.25)
"""Gains of the initial weights, from which the rule of `protocol.settled` takes the largest rich one."""

PROPERTIES = {
    "normalises": "divides activations, or steps, by their own size",
    "gates": "one signal multiplies or switches another",
    "shares": "one weight stands at several places of the computation",
    "symmetric": "the function has an exact symmetry",
    "kinked": "the nonlinearity has a kink or a jump",
    "fixed": "most weights of the function are never trained",
}
"""What may be said of a system before it is trained, to ask afterwards which of it decides."""


@dataclass(frozen=True)
class Settings:
    """How a system is trained: gain of the initial weights, learning rate."""

    gain: float
    lr: float

    def __post_init__(self):
        object.__setattr__(self, "gain", real_number("gain", self.gain, strict=True))
        object.__setattr__(self, "lr", real_number("lr", self.lr, strict=True))


# --- pairs ------------------------------------------------------------------------------------

MEAN_TARGET = 0.6 + sqrt(0.5) / 2
"""Mean of the paper's two targets, kept when ‖dy*‖ changes."""


def paper_pair(dy2_target: float) -> tasks.Data:
    """The paper's inputs -1 and 0, targets about its mean."""
    first = MEAN_TARGET - sqrt(dy2_target) / 2
    return tasks.two_points(dy2_target=dy2_target, first_target=first, dtype=torch.float64)


def centred_pair(dy2_target: float) -> tasks.Data:
    """Inputs ∓½ and targets ∓½‖dy*‖: no mean to be learned, for networks without biases."""
    first = -sqrt(dy2_target) / 2
    return tasks.two_points(dy2_target=dy2_target, first_input=-0.5, first_target=first, dtype=torch.float64)


def function_pair(n: int) -> Pair:
    """Two centred functions, or sequences, on n points: `tasks.two_functions`."""

    def pair(dy2_target: float) -> tasks.Data:
        return tasks.two_functions(n, dy2_target=dy2_target, dtype=torch.float64)

    return pair


# --- systems ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class System:
    """A network of another paper, as small as it can be, and the pair of points that it is trained on.

    `name` is its key and the anchor of its section; `row` the number of its paper in the zoo, 0 for a
    reference that is in none; `make(gain)` draws a network from torch's global generator; `layer` is the
    module whose output is the hidden representation; `pair` the data. `settings` replaces the rule for gain
    and learning rate; `gains` are those that the rule may choose from. `optimizer` and `stop_at_loss` are as
    in `urep.train`. `properties` are of PROPERTIES. `arm` says what differs from the system of the paper,
    where something does: a control, or a second version.
    """

    name: str
    row: int
    title: str
    make: Callable[[float], nn.Module]
    layer: str
    pair: Pair = paper_pair
    settings: Settings | None = None
    gains: tuple[float, ...] = GAINS
    optimizer: Callable | None = None
    stop_at_loss: float = 1e-7
    properties: frozenset[str] = field(default_factory=frozenset)
    arm: str = ""

    def __post_init__(self):
        require_sizes(0, row=self.row)
        object.__setattr__(self, "properties", frozenset(self.properties))
        unknown = self.properties - set(PROPERTIES)
        if unknown:
            raise ValueError(
                f"properties must be of {', '.join(PROPERTIES)}; got {', '.join(sorted(unknown))}"
            )

    def network(self, seed: int, gain: float) -> nn.Module:
        """The network before it is trained, in float64; torch's generators are left as they were."""
        return drawn(seed, lambda: self.make(gain)).double()


# --- networks ---------------------------------------------------------------------------------


def drawn(seed: int, make: Callable[[], nn.Module]) -> nn.Module:
    """A network drawn from a seed; torch's generators are left as they were."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return make()


def dense(n_in: int, n_out: int, gain: float = 1.0, *, bias: bool = True) -> nn.Linear:
    """A linear layer in float64 from torch's own generator: Xavier normal times the gain, biases zero."""
    layer = nn.Linear(n_in, n_out, bias, dtype=torch.float64)
    nn.init.xavier_normal_(layer.weight, gain=gain)
    if bias:
        nn.init.zeros_(layer.bias)
    return layer


def trained_numbers(network: nn.Module) -> int:
    """How many numbers of a network are trained."""
    return sum(p.numel() for p in network.parameters() if p.requires_grad)


# --- studies ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Study:
    """Something that a family measures beside the protocol, with a seed: `measure(seed)` gives arrays.

    Their names and shapes are the same for every seed. `seeds` are explored; `fresh` judge claims, none where
    there is nothing to be confirmed. `seconds` is what a seed takes of one core, about.
    """

    name: str
    measure: Callable[[int], dict[str, np.ndarray]]
    seconds: float
    seeds: Sequence[int] = range(5)
    fresh: Sequence[int] = ()

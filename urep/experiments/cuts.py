"""Networks of many architectures with a place to cut them at: for `identity.across` and `passes_by`."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import nn

from .. import tasks
from ..networks import Convolutional, FullyConnected
from ..tasks import Data
from ..training import train
from ..zoo import catalogue
from . import identity


@dataclass(frozen=True, eq=False)
class Case:
    """A network, its two points, the outputs that cut it, and the layer that its training is recorded at."""

    network: nn.Module
    data: Data
    cut: tuple[identity.Place, ...]
    layer: str

    def passes_by(self) -> float:
        """`identity.passes_by` of this cut, without dropout."""
        return identity.passes_by(self.network.eval(), self.data, self.cut)

    def across(self, *, epochs: int = 0) -> identity.Across:
        """`identity.across` at this cut, without dropout, after more epochs of training."""
        if epochs:
            train(self.network, self.data, lr=0.02, epochs=epochs, layer=self.layer)
        return identity.across(self.network.eval(), self.data, self.cut)


def cases() -> dict[str, Case]:
    """Eight architectures with a cut each: in a skip network two outputs, in a recurrent one a state.

    The recurrent network's sequences have the same later events, which the rest of it sees directly.
    """
    small = {"hidden_layers": 6, "units": 20, "dtype": torch.float64, "seed": 0}
    recurrent = to_the_end()
    events = recurrent.data[0].clone()
    events[1, 4:] = events[0, 4:]
    return {
        "leaky ReLU": _numbered(FullyConnected(**small), 3),
        "tanh": _numbered(FullyConnected(nonlinearity="tanh", **small), 3),
        "convolution": _numbered(Convolutional(units=125, seed=0, dtype=torch.float64), 5),
        "skip": _numbered(FullyConnected(skip=True, **small), 2, 3),
        "dropout, evaluated": _numbered(FullyConnected(dropout=0.1, **small), 3),
        "attention (SaTformer)": _of_zoo("satformer", "blocks.0"),
        "shared attention (WideNet)": _of_zoo("widenet-plain", "middle"),
        "recurrent (GRU)": replace(recurrent, data=(events, recurrent.data[1])),
    }


def to_the_end() -> Case:
    """The recurrent network with sequences that differ to their end, for which its fourth state is no cut."""
    return _of_zoo("tpp", ("history.cell", 3))


def _numbered(network: FullyConnected | Convolutional, *cut: int) -> Case:
    """Points off zero, where rectified networks have a derivative."""
    data = tasks.two_points(first_input=-0.7, dtype=torch.float64)
    return Case(network, data, tuple(network.layer(k) for k in cut), network.middle)


def _of_zoo(system: str, place: identity.Place) -> Case:
    one = catalogue.system(system)
    return Case(one.network(0, 0.5), one.pair(0.5), (place,), one.layer)

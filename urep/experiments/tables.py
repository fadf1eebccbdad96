"""The paper's Tables 1 and 2 as data: each row is a network and how it is trained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import torch

from ..networks import Convolutional, FullyConnected


@dataclass(frozen=True)
class Row:
    """One row of Table 1: nonlinearity, initial gain, learning rate, epochs, units, hidden layers.

    `also` holds what the row's name says beyond its columns: skip connections, dropout.
    """

    name: str
    nonlinearity: str
    gain: float
    lr: float
    epochs: int
    units: int
    hidden_layers: int
    also: Mapping[str, object] = field(default_factory=dict)

    def network(
        self, *, n_in: int = 1, n_out: int = 1, seed: int = 0, dtype: torch.dtype = torch.float32
    ) -> FullyConnected | Convolutional:
        """The row's network, initialised from `seed`."""
        common = {"n_in": n_in, "n_out": n_out, "nonlinearity": self.nonlinearity, "gain": self.gain,
                  "units": self.units, "seed": seed, "dtype": dtype}  # fmt: skip
        if self.also.get("convolutional"):
            return Convolutional(**common)
        return FullyConnected(hidden_layers=self.hidden_layers, **self.also, **common)


def _rows(text: str) -> dict[str, Row]:
    also = {"Convolution": {"convolutional": True}, "Skip connections": {"skip": True},
            "Dropout": {"dropout": 0.1}}  # fmt: skip
    rows = {}
    for line in text.strip().splitlines():
        name, nonlinearity, gain, lr, epochs, units, layers = (part.strip() for part in line.split("|"))
        kind = nonlinearity.replace(" ", "_").lower()
        rows[name] = Row(
            name, kind, float(gain), float(lr), int(epochs), int(units), int(layers), also.get(name, {})
        )
    return rows


TABLE_1: Mapping[str, Row] = MappingProxyType(_rows("""
Default                      | leaky relu | 1.0  | 0.005   | 6000 | 500 | 20
Convolution                  | leaky relu | 0.95 | 0.002   | 6000 | 500 | 10
Skip connections             | leaky relu | 0.1  | 0.01    | 6000 | 500 | 20
Shallow                      | leaky relu | 0.35 | 0.01    | 6000 | 500 | 2
Narrow                       | leaky relu | 1.05 | 0.005   | 6000 | 50  | 20
Dropout                      | leaky relu | 1.0  | 0.005   | 6000 | 500 | 10
Linear                       | none       | 0.85 | 0.00125 | 6000 | 500 | 20
ReLU                         | relu       | 1.0  | 0.005   | 6000 | 500 | 20
ELU                          | elu        | 0.95 | 0.00045 | 6000 | 500 | 20
Tanh                         | tanh       | 0.85 | 0.00125 | 6000 | 500 | 20
Swish                        | swish      | 1.7  | 0.0025  | 6000 | 500 | 20
Low initial weights          | leaky relu | 0.9  | 0.015   | 6000 | 500 | 20
Intermediate initial weights | leaky relu | 1.1  | 0.0025  | 6000 | 500 | 20
High initial weights         | leaky relu | 1.3  | 0.00075 | 6000 | 500 | 20
Very high initial weights    | leaky relu | 1.4  | 0.00025 | 6000 | 500 | 20
"""))  # fmt: skip
"""Table 1, by the paper's names."""

TABLE_2: Mapping[str, Row] = MappingProxyType(_rows("""
XOR Low weights          | leaky relu | 0.7    | 0.015       | 1000  | 500 | 20
XOR Intermediate weights | leaky relu | 1.25   | 0.002       | 1000  | 500 | 20
XOR High weights         | leaky relu | 2.0    | 0.000000003 | 1000  | 500 | 20
XOR 2 layers             | leaky relu | 0.0015 | 0.03        | 40000 | 500 | 1
Blobs Very low weights   | tanh       | 0.275  | 0.05        | 2000  | 100 | 4
Blobs Low weights        | tanh       | 0.5    | 0.015       | 1500  | 100 | 4
Blobs High weights       | tanh       | 2.0    | 0.0015      | 750   | 100 | 4
MNIST                    | leaky relu | 0.5    | 0.002       | 500   | 100 | 4
"""))  # fmt: skip
"""Table 2, by the paper's names (its "MINST" is MNIST)."""


AUTHORS_TABLE_1: Mapping[str, tuple[float, float, int, int, int]] = MappingProxyType({
    "Default": (1.0, 0.01, 500, 20, 3000),
    "Convolution": (0.95, 0.004, 500, 10, 3000),
    "Skip connections": (0.1, 0.02, 500, 20, 3000),
    "Shallow": (0.35, 0.02, 500, 2, 3000),
    "Narrow": (1.05, 0.01, 50, 20, 3000),
    "Dropout": (1.0, 0.01, 500, 10, 3000),
    "Linear": (0.85, 0.0025, 500, 20, 3000),
    "ReLU": (1.0, 0.01, 500, 20, 3000),
    "ELU": (0.95, 0.0009, 500, 20, 3000),
    "Tanh": (0.85, 0.0025, 500, 20, 3000),
    "Swish": (1.7, 0.005, 500, 20, 3000),
    "Low initial weights": (0.9, 0.03, 500, 20, 3000),
    "Intermediate initial weights": (1.1, 0.005, 500, 20, 3000),
    "High initial weights": (1.3, 0.0015, 500, 20, 3000),
    "Very high initial weights": (1.4, 0.0005, 500, 20, 3000),
})  # fmt: skip
"""Gain, learning rate, units, layers and epochs of the rows of Table 1 in the authors' settings file.

Source: `experiments/model_settings/2 points.txt` of github.com/loekvanrossem/universality at c4f4956. The
file has gains 1.2 and 1.6 besides, which the table leaves out.
"""

UNIVERSAL = tuple(TABLE_1)[:11]
"""The eleven architectures and nonlinearities of Figures 2, 5 and 11."""

INITIAL_WEIGHTS = ("Low initial weights", "Default", "Intermediate initial weights",
                   "High initial weights", "Very high initial weights")  # fmt: skip
"""The five gains of Figure 3, from the smallest to the largest."""

"""The architectures of Tables 1 and 2."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import torch
from torch import nn

from .state import real_number, require_sizes

NONLINEARITIES: dict[str, Callable[[], nn.Module]] = {
    "leaky_relu": lambda: nn.LeakyReLU(0.01),
    "relu": nn.ReLU,
    "elu": nn.ELU,
    "tanh": nn.Tanh,
    "swish": nn.SiLU,
    "none": nn.Identity,
}


class _Layered(nn.Module):
    """Base of the architectures: a start from a seed alone, and names for hidden layers."""

    hidden_layers: int
    net: nn.Sequential
    _layers: list[str]

    def _initialise(self, gain: float, seed: int, dtype: torch.dtype) -> None:
        """Xavier normal weights and zero biases, drawn in float64 for any dtype."""
        random = torch.Generator().manual_seed(seed)
        self.double()
        for module in self.net:
            if isinstance(module, nn.Linear | nn.Conv1d):
                nn.init.xavier_normal_(module.weight, gain=gain, generator=random)
                nn.init.zeros_(module.bias)
        self.to(dtype)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Outputs (points, n_out) for inputs (points, n_in)."""
        return self.net(inputs)

    @property
    def depth(self) -> int:
        """Number of hidden activations."""
        return len(self._layers)

    def layer(self, k: int) -> str:
        """Name of hidden layer k (from 0), after its nonlinearity, for `urep.train`."""
        if not isinstance(k, int) or isinstance(k, bool) or not 0 <= k < self.depth:
            raise ValueError(f"k must be an integer in [0, {self.depth}), got {k!r}")
        return self._layers[k]

    @property
    def middle(self) -> str:
        """Name of the hidden layer halfway through, the one the paper reads."""
        return self.layer(self.hidden_layers // 2)


class FullyConnected(_Layered):
    """The fully connected network of Table 1: Xavier normal weights with a gain, zero biases.

    Maps (points, n_in) to (points, n_out) through `hidden_layers` layers of `units` units, each
    followed by the nonlinearity. Hidden layer k, counted from 0, is the submodule `layer(k)`;
    `middle` is the one the paper reads. With `skip`, hidden layer k >= 2 adds layer k - 2 after its
    nonlinearity; `dropout` is its probability before every dense layer. Initialised from `seed`
    alone, in float64, then cast, so that both precisions start from the same weights. Raises
    TypeError or ValueError.
    """

    def __init__(
        self,
        n_in: int = 1,
        n_out: int = 1,
        *,
        hidden_layers: int = 20,
        units: int = 500,
        nonlinearity: str = "leaky_relu",
        gain: float = 1.0,
        skip: bool = False,
        dropout: float = 0.0,
        seed: int = 0,
        dtype: torch.dtype = torch.float32,
    ):
        super().__init__()
        require_sizes(n_in=n_in, n_out=n_out, hidden_layers=hidden_layers, units=units)
        _require_kind(nonlinearity, gain)
        if isinstance(dropout, bool) or not isinstance(dropout, (int, float)) or not 0 <= dropout < 1:
            raise ValueError(f"dropout must be a number in [0, 1), got {dropout!r}")
        if not isinstance(skip, bool):
            raise TypeError(f"skip must be True or False, got {skip!r}")
        self.hidden_layers, self.skip = hidden_layers, skip
        widths = [n_in] + [units] * hidden_layers
        before = [nn.Dropout(dropout)] if dropout else []
        blocks: list[nn.Module] = []
        self._layers = []
        with torch.random.fork_rng(devices=[]):  # nn.Linear draws weights of its own, which we replace
            for fan_in, fan_out in pairwise(widths):
                blocks += [*before, nn.Linear(fan_in, fan_out), NONLINEARITIES[nonlinearity]()]
                blocks += [nn.Identity()] if skip else []  # where the sum with an earlier layer is seen
                self._layers.append(f"net.{len(blocks) - 1}")
            self.net = nn.Sequential(*blocks, *before, nn.Linear(units, n_out))
        self._initialise(gain, seed, dtype)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Outputs (points, n_out) for inputs (points, n_in)."""
        if not self.skip:
            return self.net(inputs)
        hidden: list[torch.Tensor] = []
        x = inputs
        for name, module in self.net.named_children():
            if f"net.{name}" in self._layers and len(hidden) >= 2:
                x = x + hidden[-2]
            x = module(x)
            if f"net.{name}" in self._layers:
                hidden.append(x)
        return x


class Convolutional(_Layered):
    """The convolutional network of Table 1, whose hidden connections are convolutions.

    A dense layer to `units` positions, eleven unpadded convolutions with kernel 11 (1 to 20
    channels, nine times 20 to 20, 20 to 1), a dense layer from what positions are left. Each but the
    last is followed by the nonlinearity, so that there are twelve hidden activations; the paper
    counts ten hidden layers and reads number five. Otherwise as `FullyConnected`.
    """

    CONVOLUTIONS, CHANNELS, KERNEL = 11, 20, 11

    def __init__(
        self,
        n_in: int = 1,
        n_out: int = 1,
        *,
        units: int = 500,
        nonlinearity: str = "leaky_relu",
        gain: float = 0.95,
        seed: int = 0,
        dtype: torch.dtype = torch.float32,
    ):
        super().__init__()
        require_sizes(n_in=n_in, n_out=n_out, units=units)
        _require_kind(nonlinearity, gain)
        left = units - self.CONVOLUTIONS * (self.KERNEL - 1)
        if left < 1:
            raise ValueError(f"units must be > {units - left}, which the convolutions take, got {units}")
        self.hidden_layers = 10
        channels = [1] + [self.CHANNELS] * (self.CONVOLUTIONS - 1) + [1]
        with torch.random.fork_rng(devices=[]):
            blocks = [nn.Linear(n_in, units), NONLINEARITIES[nonlinearity](), nn.Unflatten(1, (1, units))]
            self._layers = ["net.1"]
            for before, after in pairwise(channels):
                blocks += [nn.Conv1d(before, after, self.KERNEL), NONLINEARITIES[nonlinearity]()]
                self._layers.append(f"net.{len(blocks) - 1}")
            self.net = nn.Sequential(*blocks, nn.Flatten(), nn.Linear(left, n_out))
        self._initialise(gain, seed, dtype)


def _require_kind(nonlinearity, gain) -> None:
    """ValueError or TypeError naming a nonlinearity or a gain that is not allowed."""
    if nonlinearity not in NONLINEARITIES:
        raise ValueError(f"nonlinearity must be one of {sorted(NONLINEARITIES)}, got {nonlinearity!r}")
    real_number("gain", gain, strict=True)

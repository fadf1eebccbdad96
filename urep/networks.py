"""The architectures of Tables 1 and 2."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import torch
from torch import nn

NONLINEARITIES: dict[str, Callable[[], nn.Module]] = {
    "leaky_relu": lambda: nn.LeakyReLU(0.01),
    "relu": nn.ReLU,
    "elu": nn.ELU,
    "tanh": nn.Tanh,
    "swish": nn.SiLU,
    "none": nn.Identity,
}


class FullyConnected(nn.Module):
    """The fully connected network of Table 1: Xavier normal weights with a gain, zero biases.

    Maps (points, n_in) to (points, n_out) through `hidden_layers` layers of `units` units, each
    followed by the nonlinearity. Hidden layer k, counted from 0, is the submodule `layer(k)`;
    `middle` is the one the paper reads. Initialised from `seed` alone, in float64, then cast, so
    that both precisions start from the same weights. Raises TypeError or ValueError.
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
        seed: int = 0,
        dtype: torch.dtype = torch.float32,
    ):
        super().__init__()
        sizes = {"n_in": n_in, "n_out": n_out, "hidden_layers": hidden_layers, "units": units}
        for name, size in sizes.items():
            if not isinstance(size, int) or isinstance(size, bool) or size < 1:
                raise ValueError(f"{name} must be an integer >= 1, got {size!r}")
        if nonlinearity not in NONLINEARITIES:
            raise ValueError(f"nonlinearity must be one of {sorted(NONLINEARITIES)}, got {nonlinearity!r}")
        if isinstance(gain, bool) or not isinstance(gain, (int, float)):
            raise TypeError(f"gain must be a number > 0, got {gain!r}")
        if not 0 < gain < float("inf"):
            raise ValueError(f"gain must be finite and > 0, got {gain!r}")
        self.hidden_layers = hidden_layers
        widths = [n_in] + [units] * hidden_layers
        blocks: list[nn.Module] = []
        with torch.random.fork_rng(devices=[]):  # nn.Linear draws weights of its own, which we replace
            for fan_in, fan_out in pairwise(widths):
                blocks += [nn.Linear(fan_in, fan_out), NONLINEARITIES[nonlinearity]()]
            self.net = nn.Sequential(*blocks, nn.Linear(units, n_out))
        self._initialise(gain, seed)
        self.to(dtype)

    def _initialise(self, gain: float, seed: int) -> None:
        random = torch.Generator().manual_seed(seed)
        self.double()
        for module in self.net:
            if isinstance(module, nn.Linear):
                nn.init.xavier_normal_(module.weight, gain=gain, generator=random)
                nn.init.zeros_(module.bias)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Outputs (points, n_out) for inputs (points, n_in)."""
        return self.net(inputs)

    def layer(self, k: int) -> str:
        """Name of hidden layer k (from 0), after its nonlinearity, for `urep.train`."""
        if not isinstance(k, int) or not 0 <= k < self.hidden_layers:
            raise ValueError(f"k must be an integer in [0, {self.hidden_layers}), got {k!r}")
        return f"net.{2 * k + 1}"

    @property
    def middle(self) -> str:
        """Name of the hidden layer halfway through, the one the paper reads."""
        return self.layer(self.hidden_layers // 2)

"""Networks whose points are functions on a grid: systems 6 (MgNO) and 16 (neural operators) of the zoo.

A function comes as a row of its values at s = k/n of a periodic interval. Part of the family `geometry`.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from torch import nn

from .. import tasks
from ..fit import Fit, fit_rates
from ..state import Run, State
from ..training import train
from .system import MEAN_TARGET, function_pair


def xavier(network: nn.Module, gain: float) -> nn.Module:
    """The network in float64, its weights Xavier normal with a gain, its biases zero."""
    network.double()
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if name.endswith("weight"):
                nn.init.xavier_normal_(parameter, gain=gain)
            elif name.endswith("bias"):
                nn.init.zeros_(parameter)
    return network


# --- 6 MgNO: a linear operator between functions is one V-cycle ------------------------------


class VCycle(nn.Module):
    """A V-cycle of multigrid, whose stencils are weights, is a linear map from functions f to functions u.

    On each level  u ← S⁰f,  u ← u + P·cycle(R(f − Au)),  u ← u + S¹(f − Au),  on the coarsest u ← S⁰f, with
    convolutions A, S⁰, S¹ of three weights, a restriction R (three, stride 2) and a prolongation P (four,
    stride 2). Circular padding is the periodic boundary condition. He, Liu and Xu (2023).
    """

    def __init__(self, n_in: int, n_out: int, levels: int = 3):
        super().__init__()

        def conv(a, b, stride=1):
            return nn.Conv1d(a, b, 3, stride, padding=1, padding_mode="circular", bias=False)

        finer = range(levels - 1)
        self.S0 = nn.ModuleList(conv(n_in, n_out) for _ in range(levels))
        self.S1 = nn.ModuleList(conv(n_in, n_out) for _ in finer)
        self.A = nn.ModuleList(conv(n_out, n_in) for _ in finer)
        self.R = nn.ModuleList(conv(n_in, n_in, stride=2) for _ in finer)
        self.P = nn.ModuleList(nn.ConvTranspose1d(n_out, n_out, 4, 2, padding=3, bias=False) for _ in finer)

    def forward(self, f: torch.Tensor) -> torch.Tensor:
        """Functions (n, n_out, length) for functions (n, n_in, length)."""
        return self.cycle(f, 0)

    def cycle(self, f: torch.Tensor, level: int) -> torch.Tensor:
        """The cycle from one level downwards."""
        u = self.S0[level](f)
        if level < len(self.A):
            below = self.cycle(self.R[level](f - self.A[level](u)), level + 1)
            u = u + self.P[level](nn.functional.pad(below, (1, 1), mode="circular"))
            u = u + self.S1[level](f - self.A[level](u))
        return u


def textbook_cycle(length: int, levels: int) -> VCycle:
    """A V-cycle with the weights of multigrid for −u'' on a periodic grid of h = 1/length.

    A = (−1, 2, −1)/h², S⁰ = S¹ = damped Jacobi, ⅔·h²/2; R full weighting, P linear interpolation.
    """
    cycle = VCycle(1, 1, levels).double()
    with torch.no_grad():
        for level in range(levels):
            h = 2**level / length
            jacobi = torch.tensor([0, 2 / 3 * h**2 / 2, 0])
            cycle.S0[level].weight[0, 0] = jacobi
            if level < levels - 1:
                cycle.S1[level].weight[0, 0] = jacobi
                cycle.A[level].weight[0, 0] = torch.tensor([-1, 2, -1]) / h**2
                cycle.R[level].weight[0, 0] = torch.tensor([0.25, 0.5, 0.25])
                cycle.P[level].weight[0, 0] = torch.tensor([0.5, 1, 0.5, 0])
    return cycle


class NonlinearOperator(nn.Module):
    """A layer whose neurons are functions: O_i(u) = σ(Σ_j W_ij u_j + B_i), W a V-cycle, B_i a function."""

    def __init__(self, n_in: int, n_out: int, length: int, activation: nn.Module):
        super().__init__()
        self.W, self.activation = VCycle(n_in, n_out), activation
        self.B = nn.Parameter(torch.zeros(n_out, length))

    def forward(self, u: torch.Tensor) -> torch.Tensor:
        """Functions (n, n_out, length) for functions (n, n_in, length)."""
        return self.activation(self.W(u) + self.B)


class MgNO(nn.Module):
    """Multigrid neural operator: a perceptron of functions, without lifting or projection.

    Channels 1 → 8 → 8, then a V-cycle to one function, and its mean. He, Liu and Xu (2023),
    arXiv:2310.19809.
    """

    def __init__(self, activation: nn.Module, channels: int = 8, length: int = 32):
        super().__init__()
        self.first = NonlinearOperator(1, channels, length, activation)
        self.second = NonlinearOperator(channels, channels, length, activation)
        self.read = VCycle(channels, 1)

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        """Outputs (n, 1) for functions (n, length)."""
        u = self.second(self.first(rows[:, None]))
        return self.read(u).mean(dim=2)


def mgno(gain: float) -> nn.Module:
    """MgNO with tanh, whose hidden layer is its first nonlinear operator."""
    return xavier(MgNO(nn.Tanh()), gain)


def mgno_gelu(gain: float) -> nn.Module:
    """MgNO with GELU, as its authors have it."""
    return xavier(MgNO(nn.GELU()), gain)


# --- 16 From networks to operators: sums become quadratures ------------------------------------


class Spectral(nn.Module):
    """A dense layer between functions by the recipe: v̂(k) ← R(k) v̂(k) on the first modes, 0 beyond.

    v̂(k) = mean of v(s) e^(−2πiks) is a quadrature of Fourier's integral, so that R(k) belongs to the function
    and not to its grid. Li et al. (2020), arXiv:2010.08895; Berner et al. (2025), arXiv:2506.10973.
    """

    def __init__(self, channels: int, modes: int = 6):
        super().__init__()
        self.modes = modes
        self.weight = nn.Parameter(torch.empty(modes, 2, channels, channels))  # real and imaginary

    def forward(self, v: torch.Tensor) -> torch.Tensor:
        """Functions (n, length, channels) for functions of that shape."""
        multiplier = torch.complex(self.weight[:, 0], self.weight[:, 1])
        low = torch.fft.rfft(v, dim=1, norm="forward")[:, : self.modes]
        low = torch.einsum("nkc,kcd->nkd", low, multiplier)
        return torch.fft.irfft(low, n=v.shape[1], dim=1, norm="forward")


class FNOBlock(nn.Module):
    """A block of the Fourier neural operator: v ← σ(F⁻¹(R·F v) + W v + b)."""

    def __init__(self, channels: int, activation: nn.Module):
        super().__init__()
        self.integral, self.pointwise = Spectral(channels), nn.Linear(channels, channels)
        self.activation = activation

    def forward(self, v: torch.Tensor) -> torch.Tensor:
        """Functions (n, length, channels) for functions of that shape."""
        return self.activation(self.integral(v) + self.pointwise(v))


class CNNBlock(nn.Module):
    """The block before the recipe: a convolution over neighbouring *grid points*, so its reach is 1/n."""

    def __init__(self, channels: int, activation: nn.Module):
        super().__init__()
        self.neighbours = nn.Conv1d(channels, channels, 3, padding=1, padding_mode="circular")
        self.activation = activation

    def forward(self, v: torch.Tensor) -> torch.Tensor:
        """Functions (n, length, channels) for functions of that shape."""
        return self.activation(self.neighbours(v.transpose(1, 2)).transpose(1, 2))


class FNO(nn.Module):
    """Fourier neural operator: lift (u(s), s) to 16 channels, three blocks, read each place, take the mean.

    The mean over the grid is the quadrature of an integral: the same weights serve every resolution.
    """

    def __init__(self, activation: nn.Module, channels: int = 16, block=FNOBlock):
        super().__init__()
        self.lift, self.read = nn.Linear(2, channels), nn.Linear(channels, 1)
        self.blocks = nn.Sequential(*(block(channels, activation) for _ in range(3)))

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        """Outputs (n, 1) for functions (n, length), of any length."""
        length = rows.shape[1]
        place = torch.arange(length, dtype=rows.dtype) / length
        v = self.lift(torch.stack((rows, place.expand_as(rows)), dim=2))
        return self.read(self.blocks(v)).mean(dim=1)


def _fno(activation: nn.Module, gain: float, block=FNOBlock) -> nn.Module:
    network = xavier(FNO(activation, block=block), gain)
    for module in network.modules():
        if isinstance(module, Spectral):  # Xavier's spread for each mode's matrix, half in either part
            channels = module.weight.shape[-1]
            nn.init.normal_(module.weight, std=gain / (2 * channels) ** 0.5)
    return network


def fno(gain: float) -> nn.Module:
    """FNO with tanh, whose hidden layer is its second block."""
    return _fno(nn.Tanh(), gain)


def fno_gelu(gain: float) -> nn.Module:
    """FNO with GELU, as its authors have it."""
    return _fno(nn.GELU(), gain)


def cnn(gain: float) -> nn.Module:
    """What the recipe starts from: FNO's lift, read and mean about three convolutions on the grid."""
    return _fno(nn.Tanh(), gain, CNNBlock)


def attention(rows: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """Attention between places of a function: Σ_j w_j e^(q_i·k_j) v_j / Σ_j w_j e^(q_i·k_j).

    rows: (length, channels), which are queries, keys and values; weights: the quadrature's, (length,).
    """
    scores = weights * torch.exp(rows @ rows.T)
    return scores @ rows / scores.sum(dim=1, keepdim=True)


def differential_conv(rows: torch.Tensor, kernel: torch.Tensor) -> torch.Tensor:
    """A convolution by the recipe: a kernel of zero mean over h = 1/length tends to a derivative."""
    kernel = (kernel - kernel.mean()) * rows.shape[-1]
    padded = nn.functional.pad(rows[:, None], (1, 1), mode="circular")
    return nn.functional.conv1d(padded, kernel[None, None])[:, 0]


def uncentred_pair(dy2_target: float) -> tasks.Data:
    """The functions −d and 0 of the centred pair ∓d/2, and targets about the paper's mean: the control."""
    inputs, targets = function_pair(32)(dy2_target)
    return inputs - inputs[1], targets + MEAN_TARGET


# --- studies -------------------------------------------------------------------------------------


LENGTHS = (32, 64, 128)
"""Resolutions at which the same operator is trained."""


def resolution(seed: int) -> dict[str, np.ndarray]:
    """The constants of one Fourier operator trained at each of LENGTHS, by both inner products.

    rates (3, 2): τ_h and τ_y with means over the grid for sums, that is with dx2/n and dh2/n; raw (3, 2):
    with sums; r2 (3, 3) of the fit.
    """
    raw, by_mean, r2 = [], [], []
    for length in LENGTHS:
        torch.manual_seed(seed)
        run = trained(fno(0.5), function_pair(length)(0.5), "blocks.1", 0.05)
        state = run.trajectory
        task = replace(run.task, dx2=run.task.dx2 / length)
        fit = fitted(run)
        scaled = replace(run, trajectory=State(state.dh2 / length, state.dy2, state.w), task=task)
        raw.append([*fit.rates])
        by_mean.append([*fitted(scaled).rates])
        r2.append([*fit.r2])
    return {"rates": np.array(by_mean), "raw": np.array(raw), "r2": np.array(r2)}


def trained(network: nn.Module, data: tasks.Data, layer: str, lr: float) -> Run:
    """A run until its loss is 1e-7, of 4000 epochs at most."""
    return train(network, data, lr=lr, epochs=4000, layer=layer, stop_at_loss=1e-7, progress=False)


def fitted(run: Run) -> Fit:
    """The fit of (7), converged or not."""
    return fit_rates(run, unconverged="keep")

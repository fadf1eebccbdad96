"""Functions and surfaces: networks whose points are functions on a grid, or places on a curved surface.

Systems 6 (MgNO), 16 (neural operators by the recipe) and 18 (Riemannian features) of the zoo. A function
comes as a row of its values on s = k/n of a periodic interval, a place on a surface as a row of features.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import pi

import numpy as np
import torch
from torch import nn
from torch.func import jacrev, vmap

from .. import tasks
from ..fit import Fit, fit_rates
from ..state import Run, State
from ..training import train
from .system import Settings, Study, System, function_pair

Surface = Callable[[torch.Tensor], torch.Tensor]
"""A map from parameters (u, v), a tensor (2,), to a point (3,)."""


def _xavier(network: nn.Module, gain: float) -> nn.Module:
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
        self.P = nn.ModuleList(
            nn.ConvTranspose1d(n_out, n_out, 4, 2, padding=3, bias=False) for _ in finer
        )

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
    return _xavier(MgNO(nn.Tanh()), gain)


def mgno_gelu(gain: float) -> nn.Module:
    """MgNO with GELU, as its authors have it."""
    return _xavier(MgNO(nn.GELU()), gain)


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
        return self.activation(self.integral(v) + self.pointwise(v))


class CNNBlock(nn.Module):
    """The block before the recipe: a convolution over neighbouring *grid points*, so its reach is 1/n."""

    def __init__(self, channels: int, activation: nn.Module):
        super().__init__()
        self.neighbours = nn.Conv1d(channels, channels, 3, padding=1, padding_mode="circular")
        self.activation = activation

    def forward(self, v: torch.Tensor) -> torch.Tensor:
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
    network = _xavier(FNO(activation, block=block), gain)
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


# --- 18 Riemannian features of a surface ----------------------------------------------------------


def plane(p: torch.Tensor) -> torch.Tensor:
    """The plane r = (u, v, 0)."""
    return torch.stack((p[0], p[1], 0 * p[0]))


def cylinder(p: torch.Tensor) -> torch.Tensor:
    """The plane rolled up: r = (cos u, sin u, v)."""
    return torch.stack((torch.cos(p[0]), torch.sin(p[0]), p[1]))


def sphere(p: torch.Tensor, radius: float = 1.0) -> torch.Tensor:
    """The sphere, u from its pole: r = R (sin u cos v, sin u sin v, cos u)."""
    u, v = p
    return radius * torch.stack((torch.sin(u) * torch.cos(v), torch.sin(u) * torch.sin(v), torch.cos(u)))


def torus(p: torch.Tensor, radius: float = 2.0, tube: float = 1.0) -> torch.Tensor:
    """The torus, u around its tube: r = ((R + r cos u) cos v, (R + r cos u) sin v, r sin u)."""
    u, v = p
    around = radius + tube * torch.cos(u)
    return torch.stack((around * torch.cos(v), around * torch.sin(v), tube * torch.sin(u)))


def wing(p: torch.Tensor, thickness: float = 0.12, sweep: float = 0.4, taper: float = 0.3) -> torch.Tensor:
    """The upper side of a swept, tapered wing with the section of NACA 00xx, v along its span.

    A chord x = (1 − cos u)/2 has half the thickness 5t (0.2969 √x − 0.126 x − 0.3516 x² + 0.2843 x³ −
    0.1015 x⁴).
    """
    u, v = p
    x, chord = (1 - torch.cos(u)) / 2, 1 - taper * v
    height = 0.2969 * torch.sqrt(x) - 0.126 * x - 0.3516 * x**2 + 0.2843 * x**3 - 0.1015 * x**4
    return torch.stack((chord * x + sweep * v, 5 * thickness * chord * height, v))


SURFACES: dict[str, Surface] = {
    "plane": plane,
    "cylinder": cylinder,
    "sphere": sphere,
    "torus": torus,
    "wing": wing,
}


def metric(surface: Surface, p: torch.Tensor) -> torch.Tensor:
    """The metric g_ij = ∂_i r · ∂_j r at parameters p, (2, 2)."""
    tangents = jacrev(surface)(p)
    return tangents.T @ tangents


def connection(surface: Surface, p: torch.Tensor) -> torch.Tensor:
    """The connection Γ^k_ij = ½ g^kl (∂_i g_jl + ∂_j g_il − ∂_l g_ij) at parameters p, (2, 2, 2) by k, i, j."""
    slope = jacrev(lambda q: metric(surface, q))(p)  # [i, j, l] = ∂_l g_ij
    bracket = slope.permute(2, 0, 1) + slope.permute(0, 2, 1) - slope  # [i, j, l], g being symmetric
    return torch.einsum("kl,ijl->kij", torch.linalg.inv(metric(surface, p)), bracket) / 2


def curvature(surface: Surface, p: torch.Tensor) -> torch.Tensor:
    """Gauss's curvature K = det(II)/det(g) at parameters p, with the second fundamental form II."""
    tangents, bends = jacrev(surface)(p), jacrev(jacrev(surface))(p)
    normal = torch.linalg.cross(tangents[:, 0], tangents[:, 1])
    second = torch.einsum("aij,a->ij", bends, normal / torch.linalg.vector_norm(normal))
    return torch.linalg.det(second) / torch.linalg.det(tangents.T @ tangents)


def riemannian(surface: Surface, places: torch.Tensor) -> torch.Tensor:
    """The features (r; g_11, g_12, g_22; Γ; K) of places (n, 2) on a surface, (n, 13).

    Hu et al. (2023), arXiv:2401.09452. The first three are extrinsic, the other ten intrinsic.
    """
    rows, columns = torch.triu_indices(2, 2)

    def at(p):
        g, gamma = metric(surface, p), connection(surface, p)
        parts = surface(p), g[rows, columns], gamma[:, rows, columns].flatten()
        return torch.cat((*parts, curvature(surface, p)[None]))

    return vmap(at)(places)


PLACES = torch.tensor([[0.6, 0.2], [1.2, 0.6]], dtype=torch.float64)
"""Parameters (u, v) of the two points, on each surface."""


def lifted_pair(name: str) -> torch.Tensor:
    """Riemannian features of both `PLACES` of a surface less their mean, (2, 13)."""
    features = riemannian(SURFACES[name], PLACES)
    return features - features.mean(dim=0)


class Lift(nn.Sequential):
    """A network that sees features and not places: 13 → 64 tanh → 1."""

    def __init__(self, features: int = 13, units: int = 64):
        super().__init__(nn.Linear(features, units), nn.Tanh(), nn.Linear(units, 1))


def lift(gain: float) -> nn.Module:
    """The network on Riemannian features, whose hidden layer is its tanh."""
    return _xavier(Lift(), gain)


# --- studies ------------------------------------------------------------------------------------


def pressure(seed: int) -> dict[str, np.ndarray]:
    """A manufactured pressure on tori that depends on K, learned from three kinds of features.

    Coordinates alone, coordinates with ten random waves of them, and Riemannian features: mean square error
    on tori that were not trained on over the variance of the pressure, one number each.
    """
    random = torch.Generator().manual_seed(seed)

    def surface(count):
        places, features = [], []
        for _ in range(count):
            radius, tube = torch.rand(2, generator=random, dtype=torch.float64).tolist()
            p = 2 * pi * torch.rand(40, 2, generator=random, dtype=torch.float64)
            shape = lambda q, a=1.5 + radius, b=0.5 + tube / 2: torus(q, a, b)
            features.append(riemannian(shape, p))
            places.append(p)
        return torch.cat(features)

    seen, unseen = surface(24), surface(24)
    waves = torch.randn(3, 10, generator=random, dtype=torch.float64)
    kinds = {
        "coordinates": lambda f: f[:, :3],
        "waves": lambda f: torch.cat((f[:, :3], torch.sin(f[:, :3] @ waves)), dim=1),
        "riemannian": lambda f: f,
    }
    return {name: np.array([_regressed(kind(seen), kind(unseen), seen, unseen, seed)])
            for name, kind in kinds.items()}  # fmt: skip


def _pressure_of(features: torch.Tensor) -> torch.Tensor:
    """The manufactured pressure: suction where the surface bulges, and a slope along x."""
    return -torch.tanh(features[:, 12:]) + 0.2 * features[:, :1]


def _regressed(x, x_test, seen, unseen, seed: int, steps: int = 1500) -> float:
    """Error on unseen surfaces of a network trained by Adam, over the variance."""
    torch.manual_seed(seed)
    network = _xavier(Lift(x.shape[1]), 1.0)
    mean, spread = x.mean(dim=0), x.std(dim=0) + 1e-12
    y, y_test = _pressure_of(seen), _pressure_of(unseen)
    optimizer = torch.optim.Adam(network.parameters(), lr=3e-3)
    for _ in range(steps):
        optimizer.zero_grad()
        (network((x - mean) / spread) - y).square().mean().backward()
        optimizer.step()
    with torch.no_grad():
        left = (network((x_test - mean) / spread) - y_test).square().mean()
    return float(left / y_test.var())


SWEPT = Settings(gain=0.3, lr=0.03)
"""Settings of networks on all surfaces, so that only the surface differs."""


def surfaces(seed: int) -> dict[str, np.ndarray]:
    """The constants of one network on each of SURFACES, and on what a plane and a cylinder share.

    dx2 (5,) of the lifted pair; rates (5, 2), τ_h with that dx2 and τ_y; bare (5,): τ_h with ‖d(u, v)‖²
    instead; r2 (5, 3). intrinsic (2,): the largest difference of ‖dh‖² over its end, of cylinder and of sphere
    from plane, where a network sees (u, v) and the intrinsic features alone.
    """
    pairs = [lifted_pair(name) for name in SURFACES]
    fits = [_fitted(_on_features(pair, seed)) for pair in pairs]
    dx2 = np.array([float((pair[1] - pair[0]).square().sum()) for pair in pairs])
    rates, bare = np.array([[*fit.rates] for fit in fits]), float((PLACES[1] - PLACES[0]).square().sum())
    flat, rolled, round_ = (_on_features(_intrinsic(name), seed) for name in ("plane", "cylinder", "sphere"))
    rows = min(len(flat), len(rolled), len(round_))
    apart = [abs(run.trajectory.dh2[:rows] - flat.trajectory.dh2[:rows]).max() for run in (rolled, round_)]
    return {
        "dx2": dx2,
        "rates": rates,
        "bare": rates[:, 0] * bare / dx2,
        "r2": np.array([[*fit.r2] for fit in fits]),
        "intrinsic": np.array(apart) / flat.trajectory.dh2[-1],
    }


def _intrinsic(name: str) -> torch.Tensor:
    """(u, v) and the ten intrinsic features of both places of a surface less their mean, (2, 12)."""
    features = torch.cat((PLACES, riemannian(SURFACES[name], PLACES)[:, 3:]), dim=1)
    return features - features.mean(dim=0)


def _on_features(inputs: torch.Tensor, seed: int) -> Run:
    """A network on features trained to the first pair's targets, centred."""
    torch.manual_seed(seed)
    network = _xavier(Lift(inputs.shape[1]), SWEPT.gain)
    targets = torch.tensor([[-0.5], [0.5]], dtype=torch.float64) * 0.5**0.5
    return _trained(network, (inputs, targets), "1", SWEPT.lr)


LENGTHS = (32, 64, 128)
"""Resolutions at which the same operator is trained."""


def resolution(seed: int) -> dict[str, np.ndarray]:
    """The constants of one Fourier operator trained at each of LENGTHS, by both inner products.

    rates (3, 2): τ_h and τ_y with means over the grid for sums, that is with dx2/n and dh2/n; raw (3, 2): with
    sums; r2 (3, 3) of the fit.
    """
    raw, by_mean, r2 = [], [], []
    for length in LENGTHS:
        torch.manual_seed(seed)
        run = _trained(fno(0.5), function_pair(length)(0.5), "blocks.1", 0.05)
        state = run.trajectory
        task = replace(run.task, dx2=run.task.dx2 / length)
        fit = _fitted(run)
        scaled = replace(run, trajectory=State(state.dh2 / length, state.dy2, state.w), task=task)
        raw.append([*fit.rates])
        by_mean.append([*_fitted(scaled).rates])
        r2.append([*fit.r2])
    return {"rates": np.array(by_mean), "raw": np.array(raw), "r2": np.array(r2)}


def _trained(network: nn.Module, data: tasks.Data, layer: str, lr: float) -> Run:
    return train(network, data, lr=lr, epochs=4000, layer=layer, stop_at_loss=1e-7, progress=False)


def _fitted(run: Run) -> Fit:
    """The fit of (7), converged or not."""
    return fit_rates(run, unconverged="keep")


# --- what is registered ---------------------------------------------------------------------------

SYSTEMS = (
    System("mgno", 6, "MgNO", mgno, "first", function_pair(32), properties={"shares"}),
)
STUDIES = (
    Study("pressure", pressure, 4.0),
)

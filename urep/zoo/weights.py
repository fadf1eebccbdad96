"""Systems with fewer free weights: sparse factors, shared algebras, fixed features, subspaces, made weights.

Matrices act on rows, (points, n_in). Weights are float64, drawn from torch's global generator.
"""

from __future__ import annotations

from functools import partial
from math import log2, pi, sqrt

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from ..fit import fit_rates
from ..tasks import Data, two_points, xor
from ..training import TrainingDiverged, train
from .system import MEAN_TARGET, Pair, Settings, Study, System, dense, paper_pair

FLOAT = torch.float64


# --- 2 butterfly (Dao, Gu, Eichhorn, Rudra and Ré 2019) -----------------------------------------


def butterfly(twiddle: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """The product B_m ⋯ B_1 x: factor k mixes every entry with the one whose index differs in bit k − 1.

    twiddle: (m, 2, N), what of itself and of its partner an entry takes, which are the four diagonals of
    the blocks [[D1, D2], [D3, D4]]; x: (points, N = 2^m).
    """
    for k, (own, other) in enumerate(twiddle):
        partner = x.unflatten(-1, (-1, 2, 2**k)).flip(-2).flatten(1)
        x = own * x + other * partner
    return x


class Butterfly(nn.Module):
    """An N × N matrix of 2N log₂N numbers, B = B_m ⋯ B_1, in place of a dense layer.

    `factors` keeps only the first so many.
    """

    def __init__(self, size: int, gain: float = 1.0, factors: int | None = None):
        super().__init__()
        m = int(log2(size)) if factors is None else factors
        spread = sqrt(0.5) * gain ** (1 / m)  # each factor adds two numbers: the variance stays
        self.twiddle = nn.Parameter(spread * torch.randn(m, 2, size, dtype=FLOAT))
        self.bias = nn.Parameter(torch.zeros(size, dtype=FLOAT))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Outputs (points, N) for inputs (points, N)."""
        return butterfly(self.twiddle, x) + self.bias


def butterfly_network(gain: float = 1.0, factors: int | None = None, units: int = 64) -> nn.Sequential:
    """1 → 64 dense, two butterflies, 64 → 1 dense, leaky ReLU between; hidden layer "3"."""
    inner = (layer for _ in range(2) for layer in (Butterfly(units, gain, factors), nn.LeakyReLU()))
    return nn.Sequential(dense(1, units, gain), nn.LeakyReLU(), *inner, dense(units, 1, gain))


def fourier_twiddle(size: int) -> torch.Tensor:
    """Twiddles of the discrete Fourier transform after a bit reversal (Cooley and Tukey)."""
    stages = []
    for k in range(int(log2(size))):
        turn = torch.exp(-1j * pi * torch.arange(2**k, dtype=FLOAT) / 2**k)
        one = torch.ones_like(turn)
        blocks = size // 2 ** (k + 1)
        stages.append(
            torch.stack([torch.cat(halves).repeat(blocks) for halves in ((one, -turn), (turn, one))])
        )
    return torch.stack(stages)


def bit_reversed(size: int) -> torch.Tensor:
    """The permutation that writes every index backwards in binary."""
    order = torch.arange(size)
    return sum(((order >> k) & 1) << (int(log2(size)) - 1 - k) for k in range(int(log2(size))))


# --- 22 PHNN (Grassucci, Zhang and Comminiello 2022) --------------------------------------------


def kronecker_sum(algebra: torch.Tensor, filters: torch.Tensor) -> torch.Tensor:
    """W = Σᵢ Aᵢ ⊗ Fᵢ for A (n, n, n) and F (n, out/n, in/n) or, of convolutions, (n, out/n, in/n, kernel)."""
    return torch.einsum("kij,kpq...->ipjq...", algebra, filters).flatten(0, 1).flatten(1, 2)


class PHM(nn.Module):
    """A parametrised hypercomplex layer, y = Σᵢ (Aᵢ ⊗ Fᵢ) x + b: the algebra A is learned.

    A is normal with ‖A‖² = n², so that W has the variance of Xavier's F, and A = ±1 at n = 1.
    """

    def __init__(self, n_in: int, n_out: int, n: int, gain: float = 1.0):
        super().__init__()
        algebra = torch.randn(n, n, n, dtype=FLOAT)
        self.algebra = nn.Parameter(n * algebra / algebra.norm())
        spread = gain * sqrt(2 / (n_in + n_out))
        self.filters = nn.Parameter(spread * torch.randn(n, n_out // n, n_in // n, dtype=FLOAT))
        self.bias = nn.Parameter(torch.zeros(n_out, dtype=FLOAT))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Outputs (points, n_out) for inputs (points, n_in)."""
        return functional.linear(x, kronecker_sum(self.algebra, self.filters), self.bias)


def phnn(gain: float = 1.0, n: int = 4, units: int = 64) -> nn.Sequential:
    """1 → 64 dense, three PHM layers, 64 → 1 dense, leaky ReLU between; hidden layer "5"."""
    inner = (layer for _ in range(3) for layer in (PHM(units, units, n, gain), nn.LeakyReLU()))
    return nn.Sequential(dense(1, units, gain), nn.LeakyReLU(), *inner, dense(units, 1, gain))


def quaternions() -> torch.Tensor:
    """Hamilton's algebra as A (4, 4, 4): q · x = Σᵢ qᵢ Aᵢ x for quaternions (1, i, j, k)."""
    one, i = np.eye(2), np.array([[0, -1], [1, 0]])
    flip, swap = np.diag([1, -1]), np.array([[0, 1], [1, 0]])
    basis = [np.kron(one, one), np.kron(one, i), np.kron(i, flip), np.kron(i, swap)]
    return torch.tensor(np.array(basis), dtype=FLOAT)


# --- 12 SNNK (Sehanobish et al. 2024) -----------------------------------------------------------


def universal_features(z: torch.Tensor, g: torch.Tensor, root: complex = 1j**0.5) -> torch.Tensor:
    """Λ(z) = exp(√i g·z − i‖z‖²/2), so that E Λ(x) Λ(w) = exp(i w·x) for normal g.

    z: (points, n), g: (m, n), as complex (points, m). `root` is √i.
    """
    return torch.exp(root * (z @ g.T) - root**2 * z.square().sum(1, keepdim=True) / 2)


def sine_kernel(x: torch.Tensor, w: torch.Tensor, g: torch.Tensor) -> torch.Tensor:
    """An unbiased estimate of sin(w·x), as the scalar product Φ(x)·Ψ(w): (points, weights)."""
    return (universal_features(x, g) @ universal_features(w, g).T).imag / len(g)


class Features(nn.Module):
    """Φ(x) = relu(G (x, 1)) / √m, with G normal and never trained."""

    def __init__(self, n_in: int, m: int):
        super().__init__()
        self.register_buffer("g", torch.randn(m, n_in + 1, dtype=FLOAT))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Features (points, m) for inputs (points, n_in)."""
        return torch.relu(functional.pad(x, (0, 1), value=1.0) @ self.g.T) / sqrt(len(self.g))


def snnk(gain: float = 1.0, stacked: int = 1, m: int = 128, units: int = 64) -> nn.Sequential:
    """1 → Φ → Ψ → 1, with Ψ (64, 128) trained directly; `stacked` such pairs; hidden layer the last Ψ.

    Its name is "1" for one pair and "3" for two.
    """
    sizes = [1] + [units] * (stacked - 1)
    pairs = (layer for n in sizes for layer in (Features(n, m), dense(m, units, gain, bias=False)))
    return nn.Sequential(*pairs, dense(units, 1, gain))


def bundled(m: int = 128, n_in: int = 1) -> nn.Sequential:
    """The fully bundled network y = Ψ Φ(x): one trained layer, which starts at zero."""
    return nn.Sequential(Features(n_in, m), dense(m, 1, 0.0, bias=False))


# --- 10 intrinsic dimension (Li, Farkhoor, Liu and Yosinski 2018) -------------------------------


class Subspace(nn.Module):
    """θ = θ₀ + P z: a network whose D weights move in d directions, P (D, d) fixed and random.

    θ₀ are the weights that `base` has; the columns of P have length one; z starts at zero.
    """

    def __init__(self, base: nn.Module, d: int):
        super().__init__()
        self.base = base.requires_grad_(False)
        self.register_buffer("p", functional.normalize(torch.randn(_size(base), d, dtype=FLOAT), dim=0))
        self.z = nn.Parameter(torch.zeros(d, dtype=FLOAT))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """What `base` gives with the weights θ₀ + P z."""
        start = dict(self.base.named_parameters())
        moved = (self.p @ self.z).split([p.numel() for p in start.values()])
        weights = {k: p + m.view_as(p) for (k, p), m in zip(start.items(), moved, strict=True)}
        return torch.func.functional_call(self.base, weights, (x,))


def _size(network: nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())


def multilayer(gain: float = 1.0, n_in: int = 1, units: int = 32) -> nn.Sequential:
    """n_in → 32 → 32 → 32 → 1 with leaky ReLU; its second hidden layer is "3"."""
    inner = (layer for _ in range(2) for layer in (dense(units, units, gain), nn.LeakyReLU()))
    return nn.Sequential(dense(n_in, units, gain), nn.LeakyReLU(), *inner, dense(units, 1, gain))


def subspace(gain: float = 1.0, d: int = 400) -> Subspace:
    """`multilayer` in d random directions; hidden layer "base.3"."""
    return Subspace(multilayer(gain), d)


# --- 7 hypernetworks with MIP (Gonzalez Ortiz, Guttag and Dalca 2024) ---------------------------


class Hypernetwork(nn.Module):
    """y = f(x; θ), θ = θ₀ + h(E(γ); ω): the weights of f are made by a network h that sees only γ.

    E(γ) = (cos πγ/2, sin πγ/2) has one length (`encode`), θ₀ are independent weights (`add`): both make
    it magnitude invariant (MIP). Without them θ = h(γ; ω), which is proportional to γ at zero biases.
    """

    def __init__(self, gain: float = 1.0, *, encode: bool = True, add: bool = True, units: int = 16):
        super().__init__()
        self.encode, self.second = encode, nn.LeakyReLU()
        self.shapes = [(units, 1), (units, units), (1, units)]
        size = sum(out * (n_in + 1) for out, n_in in self.shapes)
        self.trunk = nn.Sequential(
            dense(1 + encode, 16), nn.LeakyReLU(), dense(16, 32), nn.LeakyReLU(), dense(32, size, 0.1)
        )
        if add:
            self.theta0 = nn.Parameter(self.xavier(gain))
        else:
            self.theta0 = 0.0
            self._spread_like(self.xavier(gain))

    def xavier(self, gain: float) -> torch.Tensor:
        """A flat vector of Xavier normal weights and zero biases of f, layer after layer."""
        layers = [dense(n_in, out, gain) for out, n_in in self.shapes]
        return torch.cat([p.detach().flatten() for layer in layers for p in layer.parameters()])

    def theta(self, gamma: torch.Tensor) -> torch.Tensor:
        """The weights of f for γ (points, 1), a row a point."""
        angle = pi / 2 * gamma
        encoded = torch.cat([angle.cos(), angle.sin()], dim=1) if self.encode else gamma
        return self.theta0 + self.trunk(encoded)

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        """Outputs (points, 1) for rows (x, γ)."""
        y, theta = rows[:, :1], self.theta(rows[:, 1:])
        for layer, (out, n_in) in enumerate(self.shapes):
            weight, bias, theta = theta.split([out * n_in, out, theta.shape[1] - out * (n_in + 1)], dim=1)
            y = torch.einsum("poi,pi->po", weight.unflatten(1, (out, n_in)), y) + bias
            y = (functional.leaky_relu, self.second, nn.Identity())[layer](y)
        return y

    @torch.no_grad()
    def _spread_like(self, wanted: torch.Tensor) -> None:
        """Scale the last layer of h so that each block of θ has its wanted spread at γ = 1."""
        last, made = self.trunk[-1], self.theta(torch.ones(1, 1, dtype=FLOAT))[0]
        sizes = [size for out, n_in in self.shapes for size in (out * n_in, out)]
        ratios = [
            (w.square().mean() / m.square().mean()).sqrt().expand(len(w))
            for w, m in zip(wanted.split(sizes), made.split(sizes), strict=True)
        ]
        last.weight *= torch.cat(ratios)[:, None]


def mip(gain: float = 1.0) -> Hypernetwork:
    """The hypernetwork with magnitude invariant parametrisation; hidden layer "second"."""
    return Hypernetwork(gain)


def hypernetwork(gain: float = 1.0) -> Hypernetwork:
    """The default hypernetwork, θ = h(γ; ω); hidden layer "second"."""
    return Hypernetwork(gain, encode=False, add=False)


# --- 15 self-tuning networks (MacKay, Vicol, Lorraine, Duvenaud and Grosse 2019) ----------------


class HyperLinear(nn.Module):
    """(W x + b) + s(λ) ⊙ V x + t(λ) ⊙ c with (s, t) = U λ: a layer whose rows are gated by λ."""

    def __init__(self, n_in: int, n_out: int, gain: float = 1.0):
        super().__init__()
        self.own, self.gated = dense(n_in, n_out, gain), dense(n_in, n_out, gain, bias=False)
        self.shift = nn.Parameter(torch.zeros(n_out, dtype=FLOAT))
        self.gates = nn.Linear(1, 2 * n_out, bias=False, dtype=FLOAT)
        nn.init.normal_(self.gates.weight, std=0.1)

    def forward(self, x: torch.Tensor, lam: torch.Tensor) -> torch.Tensor:
        """Outputs (points, n_out) for inputs (points, n_in) and λ (points, 1)."""
        s, t = self.gates(lam).chunk(2, dim=1)
        return self.own(x) + s * self.gated(x) + t * self.shift


class SelfTuning(nn.Module):
    """A best response ŵ(λ): rows (x, λ) through 1 → 32 → 32 → 32 → 1, every layer gated by λ.

    Its second hidden layer is "active.1".
    """

    def __init__(self, gain: float = 1.0, units: int = 32):
        super().__init__()
        sizes = [(1, units), (units, units), (units, units), (units, 1)]
        self.layers = nn.ModuleList(HyperLinear(*size, gain) for size in sizes)
        self.active = nn.ModuleList([*(nn.LeakyReLU() for _ in sizes[1:]), nn.Identity()])

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        """Outputs (points, 1) for rows (x, λ)."""
        x, lam = rows[:, :1], rows[:, 1:]
        for layer, active in zip(self.layers, self.active, strict=True):
            x = active(layer(x, lam))
        return x


def gated_response(inputs: np.ndarray, targets: np.ndarray, lam: float) -> np.ndarray:
    """Ridge regression as one sigmoid gate a singular direction: σ(2 ln sᵢ − ln λ) times least squares."""
    left, s, right = np.linalg.svd(inputs, full_matrices=False)
    gate = 1 / (1 + np.exp(-(2 * np.log(s) - np.log(lam))))
    return right.T @ (gate * (left.T @ targets) / s)


class BestResponse(nn.Module):
    """ŵ(ln λ) = V (σ(a + b ln λ) ⊙ c): the structure of `gated_response`, with a, b and c to be learned.

    `right` are the singular directions Vᵀ (n, n) of the inputs. With b = 0 the gates ignore λ.
    """

    def __init__(self, right: torch.Tensor, *, gated: bool = True):
        super().__init__()
        self.register_buffer("right", right)
        self.a, self.c = (nn.Parameter(torch.zeros(len(right), dtype=FLOAT)) for _ in range(2))
        self.b = nn.Parameter(torch.full_like(self.a, -0.5 if gated else 0.0), requires_grad=gated)

    def forward(self, log_lam: torch.Tensor) -> torch.Tensor:
        """Weights (draws, n) for ln λ (draws,)."""
        return (torch.sigmoid(self.a + self.b * log_lam[:, None]) * self.c) @ self.right


def misfit(weights: torch.Tensor, inputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Half the sum of squares of a linear model, (draws,) for weights (draws, n)."""
    return (weights @ inputs.T - targets).square().sum(1) / 2


def tune(response: BestResponse, train, held, log_lam: float, steps: int = 1500) -> np.ndarray:
    """Steps of ln λ that alternate: the response on the training loss around λ, λ on the held-out loss.

    train, held: (inputs, targets). The held-out step goes through the gates and sees no training data;
    it begins after 500 steps of the response alone.
    """
    here, path = torch.tensor([log_lam], dtype=FLOAT, requires_grad=True), []
    inner, outer = torch.optim.Adam(response.parameters(), lr=0.02), torch.optim.Adam([here], lr=0.02)
    for step in range(-500, steps):
        near = here.detach() + 0.5 * torch.randn(16, dtype=FLOAT)
        weights = response(near)
        inner.zero_grad()
        (misfit(weights, *train) + near.exp() * weights.square().sum(1) / 2).mean().backward()
        inner.step()
        if step >= 0:
            outer.zero_grad()
            misfit(response(here), *held).sum().backward()
            outer.step()
            path.append(here.item())
    return np.array(path)


# --- mechanisms that take seconds: stored -------------------------------------------------------

SIZES = (8, 16, 32)
"""Sizes of the Fourier transforms that a butterfly learns."""


def learned_fourier(seed: int) -> dict[str, np.ndarray]:
    """`fitted_fourier` for each of SIZES."""
    torch.manual_seed(seed)
    return {"rmse": np.array([fitted_fourier(size) for size in SIZES])}


def rank_error(size: int) -> float:
    """Least root mean square error of a matrix of rank log₂N, of 2N log₂N numbers too, as the unitary DFT.

    All singular values of the DFT are one (Eckart and Young).
    """
    return sqrt(size - log2(size)) / size


def fitted_fourier(size: int) -> float:
    """Root mean square error of a butterfly that is trained from a random start to be the unitary DFT."""
    wanted = torch.fft.fft(torch.eye(size, dtype=torch.complex128), norm="ortho")
    columns = torch.eye(size, dtype=torch.complex128)[:, bit_reversed(size)]
    twiddle = torch.randn(int(log2(size)), 2, size, 2, dtype=FLOAT) / 2
    twiddle.requires_grad_()

    def loss() -> torch.Tensor:
        optimizer.zero_grad()
        away = butterfly(torch.view_as_complex(twiddle), columns) - wanted
        total = torch.view_as_real(away).square().sum()
        total.backward()
        return total

    optimizer = torch.optim.Adam([twiddle], lr=0.02)
    for _ in range(600):
        optimizer.step(loss)
    optimizer = torch.optim.LBFGS(
        [twiddle], max_iter=1000, tolerance_grad=1e-14, tolerance_change=1e-18, line_search_fn="strong_wolfe"
    )
    optimizer.step(loss)
    return sqrt(loss().item()) / size


DIMENSIONS = (1, 2, 3, 4, 6, 8, 12, 16)
"""Dimensions of the subspaces in which two points and XOR are learned, or not."""

WIDTHS = (16, 32, 64)
"""Units a layer of the networks whose subspaces are searched; the number of weights grows tenfold."""


def solved_in_subspaces(seed: int) -> dict[str, np.ndarray]:
    """Losses that `multilayer` reaches in d directions, (tasks, widths, d), over those of the best constant.

    `coordinates` are those of d weights chosen at random, at 32 units, (tasks, d).
    """
    torch.manual_seed(seed)
    both = (two_points(dy2_target=0.5, dtype=FLOAT), xor(dtype=FLOAT))
    nets = [[_with_subspace(data, units) for units in WIDTHS] for data in both]
    few = [_with_subspace(data, 32, coordinates=True) for data in both]
    return {
        "subspaces": np.array([[least_losses(n, d) for n in row] for row, d in zip(nets, both, strict=True)]),
        "coordinates": np.array([least_losses(n, d) for n, d in zip(few, both, strict=True)]),
        "weights": np.array([[_size(n.base) for n in row] for row in nets]),
    }


def _with_subspace(data, units: int, *, coordinates: bool = False) -> Subspace:
    network = Subspace(multilayer(1.0, data[0].shape[1], units), max(DIMENSIONS))
    if coordinates:
        chosen = torch.randperm(len(network.p))[: max(DIMENSIONS)]
        network.p = torch.eye(len(network.p), dtype=FLOAT)[:, chosen]
    return network


def least_losses(network: Subspace, data, steps: int = 800, lr: float = 0.05) -> np.ndarray:
    """Losses that Adam reaches in the first d columns of P, for each d of DIMENSIONS at once.

    They are divided by the loss of the best constant output.
    """
    inputs, targets = data
    inside = torch.arange(max(DIMENSIONS)) < torch.tensor(DIMENSIONS)[:, None]
    z = torch.zeros(inside.shape, dtype=FLOAT, requires_grad=True)
    outputs = torch.func.vmap(lambda own: torch.func.functional_call(network, {"z": own}, (inputs,)))
    optimizer = torch.optim.Adam([z], lr=lr)
    for _ in range(steps):
        optimizer.zero_grad()
        losses = (outputs(z * inside) - targets).square().mean((1, 2))
        losses.sum().backward()
        optimizer.step()
    return (losses / targets.var(correction=0)).detach().numpy()


GAMMAS = (0.01, 0.1, 1.0)
"""Hyperparameters at which hypernetworks are trained."""

HYPERNETWORKS = {
    "default": (False, False),
    "without encoding": (False, True),
    "without own weights": (True, False),
    "MIP": (True, True),
}
"""Kinds of hypernetworks: whether they encode γ, and whether they add weights θ₀ of their own."""


def epochs_by_gamma(seed: int) -> dict[str, np.ndarray]:
    """Epochs of gradient descent until the loss is 1e-3, (kinds, γ).

    3000 where it is not reached, not a number where the training diverges.
    """
    kinds = HYPERNETWORKS.values()
    return {"epochs": np.array([[_epochs(seed, *kind, gamma) for gamma in GAMMAS] for kind in kinds])}


def _epochs(seed: int, encode: bool, add: bool, gamma: float) -> float:
    torch.manual_seed(seed)
    network = Hypernetwork(0.7, encode=encode, add=add)
    x, targets = two_points(dy2_target=0.5, dtype=FLOAT)
    data = torch.cat([x, torch.full_like(x, gamma)], dim=1), targets
    try:
        run = train(network, data, lr=0.01, epochs=3000, layer="second", stop_at_loss=1e-3)
    except TrainingDiverged:
        return np.nan
    return float(run.t[-1]) if run.loss[-1] <= 1e-3 else 3000.0


LAMBDAS = np.logspace(-4, 4, 801)
"""The grid on which the best λ of ridge regression is looked up."""


def tuned_ridge(seed: int) -> dict[str, np.ndarray]:
    """Steps of ln λ in self-tuning, from λ = 0.03 and from 300, (2, steps); and of the grid's best."""
    inputs, targets, losses = _ridge_problem(seed)
    own, held = zip(torch.tensor(inputs), torch.tensor(targets), strict=True)
    right = torch.tensor(np.linalg.svd(inputs[0], full_matrices=False)[2])
    torch.manual_seed(seed)
    paths = [tune(BestResponse(right), own, held, start) for start in np.log([0.03, 300])]
    return {"paths": np.array(paths)[:, ::10], "best": np.log(LAMBDAS[np.argmin(losses)])}


def _ridge_problem(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Training and held-out inputs (2, 24, 6) and targets, and the held-out losses of LAMBDAS.

    Drawn again until the best λ lowers the held-out loss by a twentieth: where λ hardly matters, there is
    nothing to be tuned.
    """
    random = np.random.default_rng(seed)
    while True:
        inputs = random.normal(size=(2, 24, 6)) * np.geomspace(2, 0.2, 6)
        targets = inputs @ (0.5 * random.normal(size=6)) + 2.5 * random.normal(size=(2, 24))
        away = [inputs[1] @ gated_response(inputs[0], targets[0], k) - targets[1] for k in LAMBDAS]
        losses = np.square(away).sum(axis=1)
        if losses.min() < 0.95 * losses[0]:
            return inputs, targets, losses


def features_drawn(seed: int) -> dict[str, np.ndarray]:
    """The constants of `snnk` with one start of its trained layers and a draw of G, and its ‖dΦ‖²."""
    torch.manual_seed(0)
    network = snnk(0.3)
    torch.manual_seed(1000 + seed)
    network[0] = Features(1, 128)
    data = two_points(dy2_target=0.5, dtype=FLOAT)
    run = train(network, data, lr=0.02, epochs=4000, layer="1", stop_at_loss=1e-7)
    fit = fit_rates(run, unconverged="keep")
    features = network[0](data[0])
    return {
        "tau": np.array([fit.rates.tau_h, fit.rates.tau_y]),
        "r2": np.array([*fit.r2]),
        "dphi2": (features[1] - features[0]).square().sum().numpy(),
        "loss": run.loss[-1],
    }


def with_gamma(gammas: tuple[float, float]) -> Pair:
    """The paper's pair with a second input, a hyperparameter, of each point."""

    def pair(dy2_target: float) -> Data:
        x, targets = paper_pair(dy2_target)
        return torch.cat([x, torch.tensor(gammas, dtype=FLOAT)[:, None]], dim=1), targets

    return pair


def gamma_pair(dy2_target: float) -> Data:
    """Two points that differ in x and in γ, in a random direction, with the paper's mean target."""
    first = MEAN_TARGET - sqrt(dy2_target) / 2
    return two_points(
        dy2_target=dy2_target, n_in=2, first_input=0.25, first_target=first, dtype=FLOAT
    )  # fmt: skip


def dense_like_phnn(gain: float) -> nn.Sequential:
    """The dense network with the layers of `phnn`."""
    inner = (layer for _ in range(3) for layer in (dense(64, 64, gain), nn.LeakyReLU()))
    return nn.Sequential(dense(1, 64, gain), nn.LeakyReLU(), *inner, dense(64, 1, gain))


SWEEP_GAIN, SWEEP_LR = 0.7, 0.15
"""Gain and learning rate at which arms of one system are compared: near what the rule gives."""


def _butterfly(factors: int) -> System:
    name = {1: "butterfly-one", 2: "butterfly-two", 4: "butterfly-four"}[factors]
    title, make = f"Butterfly, factors: {factors}", partial(butterfly_network, factors=factors)
    return System(name, 2, title, make, layer="3", properties={"kinked"}, arm=f"{factors} of 6 factors")


def _phnn(n: int) -> System:
    arm, settings = ("", None) if n == 4 else (f"n = {n}", Settings(SWEEP_GAIN, SWEEP_LR))
    name, kinds = f"phnn-{n}" if arm else "phnn", {"kinked", "shares"} if n > 1 else {"kinked"}
    make = partial(phnn, n=n)
    return System(
        name, 22, f"PHNN, n = {n}", make, layer="5", settings=settings, properties=kinds, arm=arm
    )  # fmt: skip


def _subspace(d: int) -> System:
    size = 2209
    arm, settings = ("", None) if d == 400 else (f"d = {d}", Settings(SWEEP_GAIN, SWEEP_LR / 3 * size / d))
    name, kinds = f"subspace-{d}" if arm else "subspace", {"kinked", "shares", "fixed"}
    make = partial(subspace, d=d)
    return System(
        name, 10, f"Subspace, d = {d}", make, "base.3", settings=settings, properties=kinds, arm=arm
    )


def _self_tuning(lam: float) -> System:
    arm, name = ("", "self-tuning") if lam == 0.5 else (f"λ = {lam:g}", f"self-tuning-{lam:g}")
    pair = with_gamma((lam, lam))
    return System(
        name, 15, f"Self-tuning, λ = {lam:g}", SelfTuning, "active.1", pair, properties=GATED, arm=arm
    )


GATED = {"kinked", "gates"}

SYSTEMS = (
    System("butterfly", 2, "Butterfly factors", butterfly_network, layer="3", properties={"kinked"}),
    *map(_butterfly, (1, 2, 4)),
    *map(_phnn, (4, 1, 2, 8)),
    System("phnn-dense", 22, "Dense, four layers", dense_like_phnn, layer="5",
           settings=Settings(SWEEP_GAIN, SWEEP_LR), properties={"kinked"}, arm="dense layers"),
    System("snnk", 12, "SNNK", snnk, layer="1", properties={"kinked"}),
    System("snnk-stacked", 12, "SNNK, two stacked", partial(snnk, stacked=2), layer="3",
           properties={"kinked"}, arm="two stacked"),
    *map(_subspace, (400, 100, 20, 5, 3)),
    System("subspace-all", 10, "All 2209 directions", multilayer, layer="3",
           settings=Settings(SWEEP_GAIN, SWEEP_LR / 3), properties={"kinked"}, arm="all weights"),
    System("mip", 7, "Hypernetwork, MIP", mip, layer="second", pair=gamma_pair, properties=GATED),
    System("hypernetwork", 7, "Hypernetwork, default", hypernetwork, layer="second", pair=gamma_pair,
           properties=GATED, arm="θ = h(γ), without MIP"),
    System("mip-shared", 7, "MIP, both points at one γ", mip, layer="second", pair=with_gamma((0.5, 0.5)),
           properties=GATED, arm="both points at γ = ½"),
    *map(_self_tuning, (0.5, 0.0, 1.0)),
)  # fmt: skip
"""The systems of this family, and their arms."""

STUDIES = (
    Study("fourier", learned_fourier, seconds=2, fresh=range(100, 105)),
    Study("subspaces", solved_in_subspaces, seconds=7, seeds=range(8), fresh=range(100, 108)),
    Study("hypernetworks", epochs_by_gamma, seconds=4, fresh=range(100, 105)),
    Study("ridge", tuned_ridge, seconds=4, fresh=range(100, 105)),
    Study("features", features_drawn, seconds=1, seeds=range(8), fresh=range(100, 108)),
    Study("features-more", features_drawn, seconds=1, seeds=range(8, 16), fresh=range(200, 240)),
)
"""Mechanisms that take seconds, stored."""

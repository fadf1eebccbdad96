"""Wider, and by other steps: abc-parametrizations, scaled experts, Muon, and how jagged tuning is.

Networks are in float64 and drawn from torch's global generator. Most have no biases and are trained on the
centred pair, so that an odd network has no mean to learn; the studies are at the end.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from itertools import combinations, pairwise
from math import sqrt

import numpy as np
import sympy as sp
import torch
from torch import nn

from ..fit import fit_rates
from ..state import Run, require_sizes
from ..theory import final_distance
from ..training import TrainingDiverged, train
from .system import Settings, Study, System, centred_pair, paper_pair

WIDE = torch.float64


# --- 3: abc-parametrizations -------------------------------------------------------------------


@dataclass(frozen=True)
class Exponents:
    """Powers of the width n, layer by layer: W_l = n^-a_l w_l, w_l ~ N(0, n^-2b_l), rate η n^-c."""

    a: tuple[float, ...]
    b: tuple[float, ...]
    c: float = 0.0


def between(s: float) -> Exponents:
    """The line from NTK (s = 0) to μP (s = ½): readout of size n^-(½ + s), features move by n^(s - ½)."""
    return Exponents((-s, 0.5 - s, 0.5), (s, s, s))


PARAMETRIZATIONS = {
    "SP": Exponents((0, 0, 0), (0, 0.5, 0.5), 1),
    "NTK": Exponents((0, 0.5, 0.5), (0, 0, 0)),
    "halfway": between(0.25),
    "muP": Exponents((-0.5, 0, 0.5), (0.5, 0.5, 0.5)),
}
"""Two hidden layers in standard, neural tangent and maximal-update parametrization, and between the last."""


RATE = 0.1
"""η of every abc-parametrization but SP's, whose η n^-1 is 0.32/n: the kernel adds up over n units."""


def abc_rate(kind: str, n: int) -> float:
    """The learning rate of a parametrization at a width, η n^-c."""
    return (0.32 if kind == "SP" else RATE) * float(n) ** -PARAMETRIZATIONS[kind].c


class ABC(nn.Module):
    """An abc-parametrization: W_l = n^-a_l w_l with trained w_l ~ N(0, n^-2b_l); Yang and Hu (2021).

    h_l = φ(W_l h_{l-1}), f = W_L h_{L-1}, one input, one output, no biases; the hidden layers are `act.0`,
    `act.1`, … The power c of the learning rate is for who trains it. `readout` scales the last w.
    """

    def __init__(self, n: int, powers: Exponents, *, gain=1.0, readout=0.3, activation=nn.Tanh):
        super().__init__()
        require_sizes(n=n)
        sizes = [1] + [n] * (len(powers.a) - 1) + [1]
        self.scales = [float(n) ** -a for a in powers.a]
        drawn = [
            gain * float(n) ** -b * torch.randn(size, fan_in, dtype=WIDE)
            for b, (fan_in, size) in zip(powers.b, pairwise(sizes), strict=True)
        ]
        drawn[-1] *= readout
        self.w = nn.ParameterList(drawn)
        self.act = nn.ModuleList(activation() for _ in drawn[1:])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Outputs (points, 1) for inputs (points, 1)."""
        *hidden, readout = zip(self.scales, self.w, strict=True)
        for (scale, w), act in zip(hidden, self.act, strict=True):
            x = act(scale * (x @ w.T))
        scale, w = readout
        return scale * (x @ w.T)


SHALLOW_MUP = Exponents((-0.5, 0.5), (0.5, 0.5))
"""μP of one hidden layer, which is mean field: f = (1/n) Σ V_i φ(U_i x), U and V of order one."""


class InfiniteMuP(nn.Module):
    """The infinitely wide linear μP network of one hidden layer, which is finite: f = (v·u) x.

    U_i(t) = u·(U_i(0), V_i(0)) and V_i(t) = v·(U_i(0), V_i(0)) in every unit, with u = (1, 0) and
    v = (0, readout) at the start, U_i(0) and V_i(0)/readout being independent and of size one; Yang and
    Hu (2021), section on deep linear networks. The hidden layer is `act.0`, with ‖dh‖² that of a unit.
    """

    def __init__(self, readout: float = 0.3):
        super().__init__()
        self.w = nn.ParameterList([
            torch.tensor([[1.0], [0.0]], dtype=WIDE),
            torch.tensor([[0.0, readout]], dtype=WIDE),
        ])  # fmt: skip
        self.act = nn.ModuleList([nn.Identity()])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Outputs (points, 1) for inputs (points, 1)."""
        return self.act[0](x @ self.w[0].T) @ self.w[1].T


def features(network: nn.Module, inputs: torch.Tensor, layer: str) -> torch.Tensor:
    """The representations (points, units) of some inputs at a named layer."""
    seen = []
    hook = network.get_submodule(layer).register_forward_hook(lambda *call: seen.append(call[2].detach()))
    try:
        with torch.no_grad():
            network(inputs)
    finally:
        hook.remove()
    return seen[0]


def one_step(network: nn.Module, data, lr: float, only: str = "") -> None:
    """One step of gradient descent on the loss (1), of the parameters whose names begin with `only`."""
    inputs, targets = data
    loss = 0.5 * (network(inputs) - targets).square().sum(dim=1).mean()
    named = [(name, p) for name, p in network.named_parameters() if name.startswith(only)]
    gradients = torch.autograd.grad(loss, [p for _, p in named], allow_unused=True, materialize_grads=True)
    with torch.no_grad():
        for (_, parameter), gradient in zip(named, gradients, strict=True):
            parameter -= lr * gradient


def rms(values: torch.Tensor) -> float:
    """The root of the mean square of all entries: what stays of order one in a unit."""
    return float(values.square().mean().sqrt())


def moved(network: nn.Module, data, lr: float, layer: str, only: str = "") -> float:
    """By how much one step moves the features, rms over units and points."""
    before = features(network, data[0], layer)
    one_step(network, data, lr, only)
    return rms(features(network, data[0], layer) - before)


def slope(sizes, values, axis: int = -1) -> np.ndarray:
    """The power of a size that fits some values: the slope of their logarithms, along an axis."""
    x = np.log(sizes) - np.mean(np.log(sizes))
    return np.moveaxis(np.log(values), axis, -1) @ x / (x @ x)


# --- 25: experts ---------------------------------------------------------------------------------

AGGREGATION = {"1/K": -1.0, "1/√K": -0.5}
"""Powers of the number K of active experts that their sum is multiplied by."""


class MoE(nn.Module):
    """A mixture of experts: y = c_K Σ_{i in top K} g_i E_i(h), E_i = W2_i tanh(W1_i h), g = σ(R h).

    h = tanh(lift x), f = read · y; c_K = K^power, M experts of which each point takes the K with the
    largest gates; after Vankadara et al. (2026). No biases. The sum over experts is `aggregate`. All
    experts are computed; those that a point does not take get no gradient from it. `dense` is the fake:
    K = M and equal gates.
    """

    def __init__(self, experts: int, power: float, *, n=32, inner=32, gain=1.0, dense=False):
        super().__init__()
        require_sizes(2, experts=experts, n=n, inner=inner)
        self.dense, self.active = dense, experts if dense else experts // 2
        self.scale = float(self.active) ** power
        draw = lambda std, *shape: nn.Parameter(gain * std * torch.randn(*shape, dtype=WIDE))
        self.lift = draw(0.3, n, 1)
        self.router = nn.Parameter(torch.randn(experts, n, dtype=WIDE) / sqrt(n))
        self.w1, self.w2 = draw(n**-0.5, experts, inner, n), draw(inner**-0.5, experts, n, inner)
        self.read = draw(0.3 / n, 1, n)
        self.aggregate = nn.Identity()

    def gates(self, h: torch.Tensor) -> torch.Tensor:
        """Gates (points, M), zero where an expert is not among the K largest."""
        gate = torch.sigmoid(h @ self.router.T)
        if self.dense:
            return torch.full_like(gate, 0.5)
        taken = torch.zeros_like(gate).scatter(1, gate.topk(self.active, dim=1).indices, 1.0)
        return taken * gate

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Outputs (points, 1) for inputs (points, 1)."""
        h = torch.tanh(x @ self.lift.T)
        inner = torch.tanh(torch.einsum("min,pn->pmi", self.w1, h))
        each = torch.einsum("mni,pmi->pmn", self.w2, inner)
        y = self.aggregate(self.scale * torch.einsum("pm,pmn->pn", self.gates(h), each))
        return y @ self.read.T


PARTS = {"experts": "w", "router": "router", "input": "lift"}
"""What of a mixture takes a step, and how the names of its parameters begin."""


def expert_rate(experts: int, power: float, lr: float = 0.3) -> float:
    """The rate at which the experts' coherent update of y is the same for every M: η K^(-1 - 2·power).

    Σ of K experts, each of whose updates carries one more c_K, moves y by K c_K² η. It is lr at M = 4.
    """
    return lr * (experts / 4) ** (-1 - 2 * power)


# --- 17: Muon ------------------------------------------------------------------------------------

SPECTRAL = Exponents((0, 0, 0), (0, 0.5, 1))
"""Weights with ‖W‖₂ of order √(n_out/n_in) in all three layers and no multipliers, for matrix optimizers."""

RANK = 1e-10
"""Singular values below this share are rounding: gradients of the centred pair have rank one."""


class SpectralMuon(torch.optim.Optimizer):
    """Muon with an exact spectral norm of each update: W ← W - γ √(n_out/n_in) U Vᵀ; after Zhao (2026).

    U S Vᵀ is the singular value decomposition of the momentum B ← μ B + ∇L, in the precision of W; weights
    are left as they are. Matrices only: raises ValueError naming the shape of anything else.
    """

    def __init__(self, params, lr: float, momentum: float = 0.0):
        super().__init__(params, {"lr": lr, "momentum": momentum})
        for group in self.param_groups:
            for w in group["params"]:
                if w.ndim != 2:
                    raise ValueError(f"params must be matrices, got one of shape {tuple(w.shape)}")

    @torch.no_grad()
    def step(self, closure=None):
        """One step from the gradients that are there."""
        for group in self.param_groups:
            for w in group["params"]:
                b = self.state[w].setdefault("momentum", torch.zeros_like(w))
                b.mul_(group["momentum"]).add_(w.grad)
                w -= group["lr"] * sqrt(w.shape[0] / w.shape[1]) * orthogonal(b)


def orthogonal(b: torch.Tensor) -> torch.Tensor:
    """U Vᵀ of a matrix U S Vᵀ, over the singular values that are not rounding."""
    u, s, vt = torch.linalg.svd(b, full_matrices=False)
    kept = s > RANK * s[0]
    return u[:, kept] @ vt[kept]


def plain_muon(params, lr: float, momentum: float = 0.0) -> torch.optim.Muon:
    """Torch's Muon, no weight decay: five Newton–Schulz steps in bfloat16, times √max(1, n_out/n_in)."""
    return torch.optim.Muon(params, lr=lr, momentum=momentum, weight_decay=0.0)


def spectral_size(w: torch.Tensor) -> float:
    """‖W‖₂ in units of √(n_out/n_in), which is what spectral μP keeps of order one."""
    return float(torch.linalg.matrix_norm(w.detach(), 2)) / sqrt(w.shape[0] / w.shape[1])


# --- 19: tuning ------------------------------------------------------------------------------------

ALPHA = sp.Symbol("alpha", real=True)


@dataclass(frozen=True)
class Candidate:
    """A possible inner optimum: its squared error top/bottom, rational in α; it exists where `exists` > 0."""

    top: sp.Poly
    bottom: sp.Poly
    exists: sp.Poly

    def error(self, alpha: sp.Rational) -> sp.Rational:
        """The squared error at an α, exactly."""
        return self.top.eval(alpha) / self.bottom.eval(alpha)


def _polynomial(value) -> sp.Poly:
    return sp.Poly(value, ALPHA, domain="QQ")


def candidates(x, y) -> list[Candidate]:
    """All possible least-squares fits of one unit c·o_α(±(x - b)), o_α(z) = z, or α z for z below zero.

    The points x must rise. Between two points the kink b is where c and b are best; or it sits on a point;
    or it lies outside of all points, where the unit is a line.
    """
    x, y, n = [*map(sp.Integer, x)], [*map(sp.Integer, y)], len(x)
    found = [_free(x, y, [_polynomial(1)] * n, (0, n - 1), outside=True)]
    for left, right in ((ALPHA, 1), (1, ALPHA)):
        for k in range(n):
            slopes = [_polynomial(left if i < k else right) for i in range(n)]
            unit = [s * (xi - x[k]) for s, xi in zip(slopes, x, strict=True)]
            found.append(_on_a_point(y, unit))
            if k > 0:
                found.append(_free(x, y, slopes, (k - 1, k), outside=False))
    return found


def _dot(one, other):
    return sum((a * b for a, b in zip(one, other, strict=True)), _polynomial(0))


def _on_a_point(y, unit) -> Candidate:
    size, along = _dot(unit, unit), _dot(unit, y)
    return Candidate(_polynomial(_dot(y, y)) * size - along * along, size, _polynomial(1))


def _free(x, y, slopes, between: tuple[int, int], *, outside: bool) -> Candidate:
    """The free fit slopes·(p x + q); it exists if its kink lies between two points (or outside of them)."""
    one, two = [s * xi for s, xi in zip(slopes, x, strict=True)], slopes
    a, b, d, e, f = _dot(one, one), _dot(one, two), _dot(two, two), _dot(one, y), _dot(two, y)
    det, p, q = a * d - b * b, d * e - b * f, a * f - b * e  # p and q are p/det and q/det, and det > 0
    first, last = (p * x[k] + q for k in between)
    top = _polynomial(_dot(y, y)) * det - e * p - f * q
    return Candidate(top, det, first * last * (1 if outside else -1))


def pieces(x, y) -> tuple[list[float], list[Candidate]]:
    """u*(α) = -min error on (0, 1), exactly: the breakpoints, and the optimum on each piece between them."""
    return envelope(candidates(x, y))


def envelope(all_: list[Candidate]) -> tuple[list[float], list[Candidate]]:
    """The least of some candidates on (0, 1), exactly; what `pieces` gives.

    Breakpoints are roots of polynomials with rational coefficients, isolated by Sturm's theorem; between
    neighbouring roots the smallest candidate that exists is the same everywhere, so that one α tells it.
    """
    curves = [c.exists for c in all_]
    curves += [a.top * b.bottom - b.top * a.bottom for a, b in combinations(all_, 2)]
    ends = [sp.Integer(0), *sorted({root for curve in curves for root in _roots(curve)}), sp.Integer(1)]
    breaks, kept = [], []
    for low, high in pairwise(ends):
        alpha = (low + high) / 2
        best = min((c for c in all_ if c.exists.eval(alpha) > 0), key=lambda c: c.error(alpha))
        if not kept or not (best.top * kept[-1].bottom - kept[-1].top * best.bottom).is_zero:
            breaks.append(float(low))
            kept.append(best)
    return breaks[1:], kept


def _roots(curve: sp.Poly) -> list[sp.Rational]:
    """Roots of a polynomial in (0, 1), each to 1e-12."""
    if curve.is_zero or curve.is_ground:
        return []
    found = curve.intervals(eps=sp.Rational(1, 10**12), inf=0, sup=1)
    return [middle for (low, high), _ in found if 0 < (middle := (low + high) / 2) < 1]


def rational(alpha: float) -> sp.Rational:
    """A float as the rational number that it is, for `Candidate.error`."""
    return sp.Rational(float(alpha))


class Interpolated(nn.Module):
    """A network 1 → n → n → 1 whose activation interpolates two, o(z) = α z + (1 - α) relu(z); Balcan et al.

    α is leaky ReLU's slope; it is a buffer, so that many values are trained at once.
    Xavier normal weights with a gain, biases zero. The second hidden layer is `second`.
    """

    def __init__(self, alpha: float, n: int = 24, *, gain: float = 1.0):
        super().__init__()
        self.register_buffer("alpha", torch.tensor(float(alpha), dtype=WIDE))
        self.dense = nn.ModuleList(nn.Linear(i, o, dtype=WIDE) for i, o in ((1, n), (n, n), (n, 1)))
        for layer in self.dense:
            nn.init.xavier_normal_(layer.weight, gain)
            nn.init.zeros_(layer.bias)
        self.second = nn.Identity()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Outputs (points, 1) for inputs (points, 1)."""
        o = lambda z: self.alpha * z + (1 - self.alpha) * torch.relu(z)
        return self.dense[2](self.second(o(self.dense[1](o(self.dense[0](x))))))


@dataclass(frozen=True)
class Instances:
    """Problem instances of tuning: points (I, P, 1) and targets to train on, and others to be judged by."""

    x: torch.Tensor
    y: torch.Tensor
    x_held: torch.Tensor
    y_held: torch.Tensor

    def __len__(self) -> int:
        return len(self.x)


def pairs(number: int, random: torch.Generator) -> Instances:
    """Two points each, ‖dx‖ and ‖dy*‖ drawn from Figure 5's ranges; nothing is held out."""
    dx = 0.5 + torch.rand(number, 1, 1, generator=random, dtype=WIDE)
    dy = torch.rand(number, 1, 1, generator=random, dtype=WIDE)
    x, y = torch.cat([-torch.ones_like(dx), dx - 1], 1), torch.cat([0.6 * torch.ones_like(dy), 0.6 + dy], 1)
    return Instances(x, y, x, y)


def kinks(number: int, random: torch.Generator, noise: float = 0.1) -> Instances:
    """Six noisy points of o_β(x - b), with β and b of each instance's own; the curve itself is held out."""
    beta = torch.rand(number, 1, 1, generator=random, dtype=WIDE)
    b = torch.rand(number, 1, 1, generator=random, dtype=WIDE) - 0.5
    curve = lambda x: torch.where(x > b, x - b, beta * (x - b))
    x = 2 * torch.rand(number, 6, 1, generator=random, dtype=WIDE) - 1
    held = torch.linspace(-1, 1, 21, dtype=WIDE).reshape(1, -1, 1).expand(number, -1, -1)
    y = curve(x) + noise * torch.randn(x.shape, generator=random, dtype=WIDE)
    return Instances(x, y, held, curve(held))


def trained_many(instances: Instances, alphas, n: int, *, lr: float, epochs: int, seed: int, gain=1.0):
    """`Interpolated` networks of all instances and all α, trained at once; loss (I, A) and that held out.

    An instance has one start, the same at each α. What `train_many` does for one data set is done here for
    one of each instance's own.
    """
    torch.manual_seed(seed)
    own = [Interpolated(0.0, n, gain=gain) for _ in range(len(instances))]
    wide = lambda z: z.repeat_interleave(len(alphas), dim=0)
    alpha = torch.as_tensor(alphas, dtype=WIDE).repeat(len(instances)).reshape(-1, 1, 1)
    names = [name for name, _ in own[0].named_parameters()]
    w = [wide(torch.stack([dict(net.named_parameters())[name].detach() for net in own])) for name in names]
    x, y, x_held, y_held = map(wide, (instances.x, instances.y, instances.x_held, instances.y_held))

    def losses(w, x, y):
        for k in (0, 2, 4):
            x = torch.baddbmm(w[k + 1].unsqueeze(1), x, w[k].transpose(1, 2))
            x = x if k == 4 else torch.where(x > 0, x, alpha * x)
        return 0.5 * (x - y).square().mean(dim=(1, 2))

    for _ in range(epochs):
        w = [value.detach().requires_grad_() for value in w]
        gradients = torch.autograd.grad(losses(w, x, y).sum(), w)
        w = [value.detach() - lr * gradient for value, gradient in zip(w, gradients, strict=True)]
    shape = len(instances), len(alphas)
    return losses(w, x, y).reshape(shape).numpy(), losses(w, x_held, y_held).reshape(shape).numpy()


# --- studies -----------------------------------------------------------------------------------------

WIDTHS = (16, 32, 64, 128, 256)
"""Widths of the study of parametrizations."""

STARTS = 6
"""Starts of each width and seed: where features hardly move, the constants of one start say little."""


def _trained(network: nn.Module, data, **how) -> Run | None:
    """The run, None where it diverged."""
    try:
        return train(network, data, progress=False, **how)
    except TrainingDiverged:
        return None


def _constants(run: Run | None) -> tuple[float, float, float, float]:
    """τ_h, τ_y, R² of ‖dh‖² and of ‖dy‖² of a run, NaN where it did not reach its end."""
    if run is None or run.stopped != "loss":
        return (np.nan,) * 4
    fit = fit_rates(run, unconverged="keep")
    return (*fit.rates, fit.r2.dh2, fit.r2.dy2) if fit.converged else (np.nan,) * 4


def kernel(network: nn.Module, inputs: torch.Tensor) -> torch.Tensor:
    """The neural tangent kernel of two points, (points, points), in the trained parameters."""
    rows = []
    for output in network(inputs).flatten():
        gradients = torch.autograd.grad(output, [*network.parameters()], retain_graph=True)
        rows.append(torch.cat([g.flatten() for g in gradients]))
    rows = torch.stack(rows)
    return rows @ rows.T


def abc_widths(seed: int) -> dict[str, np.ndarray]:
    """Constants, features and kernels of PARAMETRIZATIONS over WIDTHS: (kinds, widths, starts) arrays.

    tau and r2 (…, 2); features: rms change of a unit of the second layer over the training, `first_step`
    over its first step; kernel: relative change of the neural tangent kernel; epochs; limit (widths, starts):
    rms distance in ‖dh‖² of a unit of the linear μP network of one layer from its infinitely wide limit.
    """
    data = centred_pair(0.5)
    shape = (len(PARAMETRIZATIONS), len(WIDTHS), STARTS)
    found = {name: np.full(shape, np.nan) for name in ("first_step", "features", "kernel", "epochs")}
    found |= {name: np.full((*shape, 2), np.nan) for name in ("tau", "r2")}
    torch.manual_seed(seed)
    for at in np.ndindex(shape):
        kind, n = list(PARAMETRIZATIONS)[at[0]], WIDTHS[at[1]]
        network, lr = ABC(n, PARAMETRIZATIONS[kind]), abc_rate(kind, n)
        twin = copy.deepcopy(network)
        found["first_step"][at] = moved(twin, data, lr, "act.1")
        before, kernel_before = features(network, data[0], "act.1"), kernel(network, data[0])
        run = _trained(network, data, lr=lr, epochs=4000, layer="act.1", stop_at_loss=1e-7)
        *tau, r2_h, r2_y = _constants(run)
        found["tau"][at], found["r2"][at], found["epochs"][at] = tau, (r2_h, r2_y), len(run or ())
        found["features"][at] = rms(features(network, data[0], "act.1") - before)
        found["kernel"][at] = float((kernel(network, data[0]) - kernel_before).norm() / kernel_before.norm())
    return found | {"limit": _to_the_limit(data)}


def _to_the_limit(data) -> np.ndarray:
    how = {"data": data, "lr": RATE, "epochs": 300, "layer": "act.0"}
    limit = _trained(InfiniteMuP(), **how).trajectory.dh2
    apart = np.full((len(WIDTHS), STARTS), np.nan)
    for at in np.ndindex(apart.shape):
        n = WIDTHS[at[0]]
        run = _trained(ABC(n, SHALLOW_MUP, activation=nn.Identity), **how)
        apart[at] = np.sqrt(np.mean((run.trajectory.dh2 / n - limit) ** 2))
    return apart


EXPERTS = (4, 16, 64)
"""Numbers of experts of the study of mixtures, half of which are active."""


def experts(seed: int) -> dict[str, np.ndarray]:
    """Constants of both AGGREGATION over EXPERTS, three starts each: (kinds, experts, starts) arrays.

    tau and r2 (…, 2); sizes (…, 6) at the start and after one step: rms of the aggregate, its change by
    the experts' step, by the router's, by the input's, that of the router along the read-out, and the
    change of the input's weights.
    """
    data = centred_pair(0.5)
    shape = (len(AGGREGATION), len(EXPERTS), 3)
    found = {"tau": np.full((*shape, 2), np.nan), "r2": np.full((*shape, 2), np.nan)}
    found["sizes"] = np.full((*shape, 6), np.nan)
    torch.manual_seed(seed)
    for at in np.ndindex(shape):
        power, count = list(AGGREGATION.values())[at[0]], EXPERTS[at[1]]
        network, lr = MoE(count, power), expert_rate(count, power)
        found["sizes"][at] = sizes(network, data, lr)
        run = _trained(network, data, lr=lr, epochs=2000, layer="aggregate", stop_at_loss=1e-7)
        *tau, r2_h, r2_y = _constants(run)
        found["tau"][at], found["r2"][at] = tau, (r2_h, r2_y)
    return found


def sizes(network: MoE, data, lr: float) -> tuple[float, ...]:
    """The refined coordinate check of one step, in the order of `experts`; the network stays as it is."""
    start = features(network, data[0], "aggregate")
    changes = {}
    for part, name in PARTS.items():
        twin = copy.deepcopy(network)
        one_step(twin, data, lr, name)
        changes[part] = features(twin, data[0], "aggregate") - start
        changes["weights"] = (twin.lift - network.lift).detach()  # of the last part, the input
    along = changes["router"] @ (network.read.detach() / network.read.detach().norm()).T
    return (rms(start), *(rms(changes[part]) for part in PARTS), rms(along), rms(changes["weights"]))


MUON_WIDTHS = (32, 64, 128, 256)
"""Widths of the study of Muon."""

MUON_STEPS = 60
"""Steps of that study, at γ = 0.01."""

MATRIX_STEPPERS = {"spectral": SpectralMuon, "torch": plain_muon, "Adam": torch.optim.Adam}
"""What takes the steps there; Adam is the fake."""

TARGETS = (0.125, 0.5, 2.0)
"""‖dy*‖² of three runs from one start, of which the half-times are compared."""


def muon_widths(seed: int) -> dict[str, np.ndarray]:
    """Spectral norms of steps and weights in units of √(n_out/n_in), and half-times of Muon and descent.

    steps and weights (steppers, widths, layers, 2), the least and the largest over the steps, of
    steps in units of γ; half (2, targets): epochs until dy is half of its target, of `SpectralMuon` and of
    gradient descent, from one rich start.
    """
    shape = (len(MATRIX_STEPPERS), len(MUON_WIDTHS))
    found = {name: np.full((*shape, 3, 2), np.nan) for name in ("steps", "weights")}
    torch.manual_seed(seed)
    for at in np.ndindex(shape):
        stepper, n = list(MATRIX_STEPPERS.values())[at[0]], MUON_WIDTHS[at[1]]
        steps, weights = spectral_norms(ABC(n, SPECTRAL), stepper, lr=0.01, steps=MUON_STEPS)
        found["steps"][at] = np.stack([steps.min(axis=0), steps.max(axis=0)], axis=1)
        found["weights"][at] = np.stack([weights.min(axis=0), weights.max(axis=0)], axis=1)
    start = ABC(64, SPECTRAL, gain=0.25, readout=1.0)
    ways = ((SpectralMuon, 0.01), (None, 0.03))
    found["half"] = np.array([[half_time(start, d, way, lr) for d in TARGETS] for way, lr in ways])
    return found


def spectral_norms(network: nn.Module, stepper, *, lr: float, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """‖ΔW‖₂/γ and ‖W‖₂ in units of √(n_out/n_in), by step and matrix: two arrays (steps, matrices)."""
    matrices = [p for p in network.parameters() if p.ndim == 2]
    optimizer, (inputs, targets) = stepper(matrices, lr=lr), centred_pair(0.5)
    changes, kept = [], []
    for _ in range(steps):
        before = [w.detach().clone() for w in matrices]
        optimizer.zero_grad()
        (0.5 * (network(inputs) - targets).square().sum(dim=1).mean()).backward()
        optimizer.step()
        changes.append([spectral_size(w - old) / lr for w, old in zip(matrices, before, strict=True)])
        kept.append([spectral_size(w) for w in matrices])
    return np.array(changes), np.array(kept)


def half_time(start: nn.Module, dy2_target: float, optimizer, lr: float) -> float:
    """Epochs until a copy of a network has dy at half of its target."""
    how = {"lr": lr, "epochs": 4000, "layer": "act.1", "stop_at_loss": 0.01 * dy2_target}
    run = _trained(copy.deepcopy(start), centred_pair(dy2_target), optimizer=optimizer, **how)
    learned = (run.trajectory.dy2 - run.trajectory.w) / dy2_target
    first = int(np.argmax(learned >= 0.5))
    return float(np.interp(0.5, learned[first - 1 : first + 1], [first - 1, first]))


TUNED_WIDTHS = (8, 16, 32, 64)
"""Widths of the networks whose utility is looked at for jumps."""

ALPHAS = np.linspace(0, 1, 61)
"""Values of α there."""

SUBSETS = (1, 2, 4, 8, 16, 32)
"""Numbers of instances that α is tuned on."""


def tuning(seed: int) -> dict[str, np.ndarray]:
    """Jumps and maxima of the utility of training in α, and how tuning on N instances generalises.

    jumps and maxima (widths, 6 instances), u = -log10 of the loss on two points after 300 epochs; utility
    (61,) of the first instance at width 32; gap and gap_shuffled (subsets,): by how much the mean held-out
    utility of the α that is best on N instances of `kinks` stays behind the best α's, on 64 other
    instances; shuffled: the utilities of each instance in an order of its own; best (64,): each one's best α.
    With what `swept` gives.
    """
    random = torch.Generator().manual_seed(seed)
    instances = pairs(6, random)
    found = {"jumps": [], "maxima": []}
    for n in TUNED_WIDTHS:
        loss, _ = trained_many(instances, ALPHAS, n, lr=0.01, epochs=300, seed=seed)
        utility = -np.log10(loss)
        found["jumps"].append(jumps(utility))
        found["maxima"].append(maxima(utility))
        if n == 32:
            found["utility"] = utility[0]
    alphas = ALPHAS[::3]
    _, held = trained_many(kinks(128, random), alphas, 16, lr=0.1, epochs=200, seed=seed)
    utility, rng = -np.log10(held), np.random.default_rng(seed)
    found["best"] = alphas[utility[:64].argmax(axis=1)]
    found["gap"] = gaps(utility[:64], utility[64:], rng)
    shuffled = rng.permuted(utility, axis=1)
    found["gap_shuffled"] = gaps(shuffled[:64], shuffled[64:], rng)
    return {name: np.array(values) for name, values in found.items()} | swept(seed)


TUNED_GAINS = np.geomspace(0.5, 2.6, 14)
"""Gains at which (7) is fitted to one network, α = 0.3."""


def swept(seed: int) -> dict[str, np.ndarray]:
    """R² of (7) over TUNED_GAINS, r2 (gains, 3), with ‖dh‖² at the start and in the end, ends (gains, 2).

    told (gains,): the end that (10) tells each start with the constants of the first gain.
    """
    found, rates = {"gain_r2": [], "ends": [], "told": []}, None
    for gain in TUNED_GAINS:
        torch.manual_seed(seed)
        network = Interpolated(0.3, 24, gain=gain)
        how = {"lr": 0.02, "epochs": 5000, "layer": "second", "stop_at_loss": 1e-6}
        run = train(network, paper_pair(0.5), progress=False, **how)
        fit, start = fit_rates(run, unconverged="keep"), run.trajectory[0]
        rates = rates or fit.rates
        found["gain_r2"].append([*fit.r2])
        found["ends"].append([start.dh2, run.trajectory.dh2[-1]])
        found["told"].append(final_distance(start, run.task, rates))
    return {name: np.array(values) for name, values in found.items()}


def crossing(gains: np.ndarray, start: np.ndarray, end: np.ndarray) -> float:
    """The first gain from which ‖dh‖² does not rise any more, the last of them where it always does."""
    rise = np.log(end / start)
    falls = np.flatnonzero(rise <= 0)
    if not falls.size or falls[0] == 0:
        return float(gains[-1] if not falls.size else gains[0])
    low, high = falls[0] - 1, falls[0]
    share = rise[low] / (rise[low] - rise[high])
    return float(np.exp(np.log(gains[low]) + share * np.log(gains[high] / gains[low])))


def jumps(utility: np.ndarray) -> np.ndarray:
    """How often each row steps by more than five times its median step."""
    steps = np.abs(np.diff(utility, axis=1))
    return (steps > 5 * np.median(steps, axis=1, keepdims=True)).sum(axis=1)


def maxima(utility: np.ndarray) -> np.ndarray:
    """How many interior local maxima each row has."""
    inside = utility[:, 1:-1]
    return ((inside > utility[:, :-2]) & (inside > utility[:, 2:])).sum(axis=1)


def gaps(tuned: np.ndarray, others: np.ndarray, rng, draws: int = 400) -> np.ndarray:
    """Mean utility on other instances that is lost by tuning on N in SUBSETS, over draws of those."""
    mean = others.mean(axis=0)
    lost = lambda n: mean.max() - mean[tuned[rng.choice(len(tuned), n, replace=False)].mean(axis=0).argmax()]
    return np.array([np.mean([lost(n) for _ in range(draws)]) for n in SUBSETS])


# --- what the zoo trains -----------------------------------------------------------------------------


def _abc(kind: str):
    return lambda gain: ABC(128, PARAMETRIZATIONS[kind], gain=gain)


def _matrices(gain: float) -> nn.Module:
    return ABC(64, SPECTRAL, gain=gain, readout=1.0)


# The rule takes a third of the largest stable rate, and learns a centred pair, which has one mode, in
# ten steps. So the rates are those of the studies, and a parametrization has gain 1. Muon takes steps so
# small that its jitter, of their size, stays below the loss at which it stops; its three arms have one start.
_ABC = {"layer": "act.1", "pair": centred_pair, "properties": {"symmetric"}}
_MOE = {"layer": "aggregate", "pair": centred_pair, "properties": {"gates", "kinked"}}
_MUON = {"layer": "act.1", "pair": centred_pair, "stop_at_loss": 2e-5}
_STEPS = {"properties": {"normalises", "symmetric"}, **_MUON}

SYSTEMS = (
    System("mup", 3, "μP, n = 128", _abc("muP"), settings=Settings(1.0, RATE), **_ABC),
    System("ntk", 3, "NTK, n = 128", _abc("NTK"), settings=Settings(1.0, RATE),
           arm="neural tangent parametrization", **_ABC),
    System("sp", 3, "SP, n = 128", _abc("SP"), settings=Settings(1.0, abc_rate("SP", 128)),
           arm="standard parametrization", **_ABC),
    System("moe", 25, "Experts, 1/√K", lambda gain: MoE(16, -0.5, gain=gain),
           settings=Settings(0.7, expert_rate(16, -0.5)), **_MOE),
    System("moe-mean", 25, "Experts, 1/K", lambda gain: MoE(16, -1.0, gain=gain),
           settings=Settings(1.0, expert_rate(16, -1.0)), arm="control: the mean over experts", **_MOE),
    System("muon", 17, "Muon, spectral scaling", _matrices, settings=Settings(0.35, 0.003),
           optimizer=SpectralMuon, **_STEPS),
    System("muon-torch", 17, "Muon of torch", _matrices, settings=Settings(0.35, 0.001),
           optimizer=plain_muon, arm="torch's scaling", **_STEPS),
    System("muon-descent", 17, "Gradient descent, same network", _matrices, settings=Settings(0.35, 0.03),
           properties={"symmetric"}, arm="control: gradient descent", **_MUON),
)  # fmt: skip

STUDIES = (
    Study("abc-widths", abc_widths, seconds=20, fresh=range(100, 105)),
    Study("experts", experts, seconds=5, fresh=range(100, 105)),
    Study("muon-widths", muon_widths, seconds=15, fresh=range(100, 105)),
    Study("tuning", tuning, seconds=20, fresh=range(100, 105)),
)

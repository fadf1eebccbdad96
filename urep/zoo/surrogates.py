"""Five machines that learn (7) itself: operators, moving Gaussians, particles, a hypernetwork, morphing.

Each is as short as its idea. `urep.zoo.flow` has the flow; `urep.solve` alone says how well it is learned.
Times run from 0 to T. All in float64.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import pairwise
from math import pi
from time import process_time

import numpy as np
import torch
from torch import Tensor, nn

from . import flow
from .descent import adam, cosine
from .system import Study

T = 6.0
"""Length of a trajectory; a start of 0.05 leaves the saddle at about half of it."""

F64 = torch.float64


def dense(*sizes: int, act: Callable[[], nn.Module] = nn.Tanh) -> nn.Sequential:
    """A plain float64 network of these widths: an activation between layers, none behind the last."""
    layers = []
    for n_in, n_out in pairwise(sizes):
        layers += [nn.Linear(n_in, n_out, dtype=F64), act()]
    return nn.Sequential(*layers[:-1])


def pull(q: Tensor, error: Tensor) -> Tensor:
    """The right-hand side of the flow, (x, p) times the error s − v, for q = (p, x) in the last place."""
    return q.flip(-1) * error[..., None]


# --- 24 DeepONet ----------------------------------------------------------------------------


class DeepONet(nn.Module):
    """G(u)(t) = Σ_k b_k(u) τ_k(t) + b₀: a branch reads the input function, a trunk the time (Lu et al. 2019).

    u: (m, sensors), the moving target s(t) on its pieces; t: (n,). Returns v, (m, n).
    """

    def __init__(self, sensors: int = 12, width: int = 64, terms: int = 64):
        super().__init__()
        self.branch = dense(sensors, width, width, terms, act=nn.GELU)
        self.trunk = dense(1, width, width, terms, act=nn.GELU)
        self.bias = nn.Parameter(torch.zeros((), dtype=F64))

    def forward(self, u: Tensor, t: Tensor) -> Tensor:
        """Outputs v at times t for targets u: (m, n)."""
        return self.branch(u - 1) @ self.trunk(2 * t[:, None] / T - 1).T + self.bias


class OneNetwork(nn.Module):
    """Rival of the DeepONet: one plain network that reads (u, t) as one vector."""

    def __init__(self, sensors: int = 12, width: int = 64):
        super().__init__()
        self.net = dense(sensors + 1, width, width, width, 1, act=nn.GELU)

    def forward(self, u: Tensor, t: Tensor) -> Tensor:
        """Outputs v likewise: (m, n)."""
        rows = torch.cat([(u - 1)[:, None].expand(-1, len(t), -1),
                          (2 * t / T - 1)[None, :, None].expand(len(u), -1, 1)], -1)  # fmt: skip
        return self.net(rows)[..., 0]


# --- 13 PIG ---------------------------------------------------------------------------------


class PIG(nn.Module):
    """φ_k(t) = Σ_g w_kg exp(−½((t − μ_kg)/σ_kg)²) below a light network, all trained (Kang et al. 2024).

    q(t) = q₀ + t N(φ(t)), with t in units of T, begins where it must. One network a start, side by side:
    starts (b, 2), t (n,); returns (p, x) as (b, n, 2). `moving=False` freezes μ and σ.
    """

    def __init__(self, starts: Tensor, features: int = 8, gaussians: int = 20, moving: bool = True):
        super().__init__()
        b = len(starts)
        self.register_buffer("starts", starts)
        places = 2 * torch.rand(b, features, gaussians, dtype=F64) - 1
        self.mu = nn.Parameter(places, requires_grad=moving)
        self.sigma = nn.Parameter(torch.full_like(places, 0.15), requires_grad=moving)
        self.w = nn.Parameter(torch.randn_like(places) / gaussians**0.5)
        self.net = SideBySide(b, features, 16, 2)

    def forward(self, t: Tensor) -> Tensor:
        """Trajectories (p, x) at times t: (b, n, 2)."""
        place = (2 * t / T - 1)[:, None, None] - self.mu[:, None]
        bumps = torch.exp(-0.5 * (place / self.sigma[:, None]) ** 2)
        phi = (self.w[:, None] * bumps).sum(-1)
        return self.starts[:, None] + (t / T)[:, None] * self.net(phi)


class PINN(nn.Module):
    """Rival of PIG: the same problem for plain tanh networks of t, one a start."""

    def __init__(self, starts: Tensor, width: int = 32):
        super().__init__()
        self.register_buffer("starts", starts)
        self.net = SideBySide(len(starts), 1, width, width, 2)

    def forward(self, t: Tensor) -> Tensor:
        """Trajectories (p, x) at times t: (b, n, 2)."""
        rows = (2 * t / T - 1)[None, :, None].expand(len(self.starts), -1, 1)
        return self.starts[:, None] + (t / T)[:, None] * self.net(rows)


class SideBySide(nn.Module):
    """Plain tanh networks of one shape, b of them, which see rows (b, n, n_in) and share nothing."""

    def __init__(self, b: int, *sizes: int):
        super().__init__()
        pairs = list(pairwise(sizes))
        self.weights = nn.ParameterList(
            torch.randn(b, i, o, dtype=F64) * (2 / (i + o)) ** 0.5 for i, o in pairs
        )
        self.biases = nn.ParameterList(torch.zeros(b, 1, o, dtype=F64) for _, o in pairs)

    def forward(self, x: Tensor) -> Tensor:
        """Outputs (b, n, n_out)."""
        *hidden, last = zip(self.weights, self.biases, strict=True)
        for w, b in hidden:
            x = torch.tanh(torch.baddbmm(b, x, w))
        return torch.baddbmm(last[1], x, last[0])


def crowding(places: np.ndarray, curve: np.ndarray, t: np.ndarray) -> float:
    """Correlation over 12 slices of time: how many Gaussians stand in one, and how much the curve bends.

    places: of Gaussians, any shape, from -1 to 1; curve: (n, 2) at times t, (n,).
    """
    edges = np.linspace(0, T, 13)
    count, _ = np.histogram(T / 2 * (places.ravel() + 1), edges)
    second = np.gradient(np.gradient(curve, t, axis=0), t, axis=0)
    bend, slices = np.linalg.norm(second, axis=1), np.digitize(t, edges[1:-1])
    return np.corrcoef(count, [bend[slices == k].mean() for k in range(12)])[0, 1]


def with_rate(curve: Callable[[Tensor], Tensor], t: Tensor) -> tuple[Tensor, Tensor]:
    """A curve at times t: (n,) and its derivative there, all of it at once.

    The slope of (derivative by t of Σ u q) by u is q': two backward passes, whatever the shape of q.
    """
    t = t.detach().requires_grad_()
    q = curve(t)
    u = torch.zeros_like(q, requires_grad=True)
    (back,) = torch.autograd.grad(q, t, u, create_graph=True)
    return q, torch.autograd.grad(back.sum(), u, create_graph=True)[0]


def residual2(q: Tensor, rate: Tensor, s: float = 1.0) -> Tensor:
    """Squared residual ‖q' − (x, p)(s − p x)‖² of the flow along q: (..., n, 2), a number a time."""
    return ((rate - pull(q, s - q.prod(-1))) ** 2).sum(-1)


def causal(r: Tensor, strength: float) -> Tensor:
    """Weights exp(−ε Σ_{j<i} r_j): a time counts once what is before it is solved. r: (..., n)."""
    return torch.exp(-strength * (r.cumsum(-1) - r)).detach()


# --- 4 PINN-PM ------------------------------------------------------------------------------


class FlowMap(nn.Module):
    """Φ(t, q₀) = q₀ + t N(t, q₀): where each particle is at any time, by one pass (Kim et al. 2026).

    t: (n,), q₀: (m, 2); returns (n, m, 2). Particles meet only in the residual, through v = mean p_i x_i.
    """

    def __init__(self, width: int = 48):
        super().__init__()
        self.net = dense(3, width, width, 2)

    def forward(self, t: Tensor, q0: Tensor) -> Tensor:
        """Places of all particles at all times: (n, m, 2)."""
        time = (t / T)[:, None, None].expand(-1, len(q0), 1)
        rows = torch.cat([2 * time - 1, q0.expand(len(t), -1, -1)], -1)
        return q0 + time * self.net(rows)


def interacting2(q: Tensor, rate: Tensor, shared: bool = True) -> Tensor:
    """Squared residual of q_i' = (x_i, p_i)(1 − v) along particles: q (n, m, 2), returns (n, m).

    v = mean p_i x_i; `shared=False` is the nearest wrong thing, where each follows a v of its own.
    """
    own = q.prod(-1)
    v = own.mean(-1, keepdim=True).expand_as(own) if shared else own
    return ((rate - pull(q, 1 - v)) ** 2).sum(-1)


class Score(nn.Module):
    """s(t, q) ≈ ∇log f(t, q), the second network of PINN-PM, from samples of f alone."""

    def __init__(self, width: int = 32, span: float = 1.5):
        super().__init__()
        self.span, self.net = span, dense(3, width, width, 2)

    def forward(self, t: Tensor, q: Tensor) -> Tensor:
        """Scores of q: (n, m, 2) at times t: (n,), likewise (n, m, 2)."""
        time = (2 * t / self.span - 1)[:, None, None].expand(*q.shape[:-1], 1)
        return self.net(torch.cat([time, q], -1))


def hyvarinen(score: Callable[[Tensor], Tensor], q: Tensor) -> Tensor:
    """E[‖s‖² + 2 ∇·s], smallest where s = ∇log f: no density is needed, q (..., 2) are its samples."""
    q = q.detach().requires_grad_()
    s = score(q)
    slopes = [torch.autograd.grad(s[..., i].sum(), q, create_graph=True)[0] for i in range(q.shape[-1])]
    divergence = sum(slope[..., i] for i, slope in enumerate(slopes))
    return ((s**2).sum(-1) + 2 * divergence).mean()


# --- 20 HyPINO ------------------------------------------------------------------------------

WINDOW = 1.5
"""Length of time over which HyPINO solves an equation; longer curves are made of windows."""

STATIONS = torch.linspace(0, WINDOW, 16, dtype=F64)
"""Times at which an equation's source f is given."""


class HyPINO(nn.Module):
    """A network that writes the weights of a PINN from an equation z' = M z + f (Bischof et al. 2025).

    An equation is M = [[c/2, s], [s, −c/2]], z₀ and f at STATIONS. z = z₀ + t N(t), N: 9 Fourier features
    times a gate of 9 → 12 tanh. What is linear in (z₀, f) is divided by its size and multiplied back.
    """

    FREQUENCIES = torch.arange(1, 5, dtype=F64) * pi / (2 * WINDOW)
    SHAPES = ((9, 12), (9, 12), (12, 2), (1, 2))

    def __init__(self, width: int = 128):
        super().__init__()
        self.count = sum(a * b for a, b in self.SHAPES)
        self.net = dense(2 + 2 + 32, width, width, self.count, act=nn.SiLU)

    def forward(self, m: Tensor, z0: Tensor, f: Tensor, t: Tensor) -> Tensor:
        """m: (b, 2), c and s; z0: (b, 2); f: (b, 16, 2); t: (n,). Returns (b, n, 2)."""
        size = ((z0**2).sum(-1) + (f**2).mean((1, 2))).sqrt()[:, None] + 1e-300
        read = torch.cat([m, z0 / size, f.flatten(1) / size], -1)
        parts = self.net(read).split([a * b for a, b in self.SHAPES], -1)
        gate, skip, last, shift = (w.view(-1, *ab) for w, ab in zip(parts, self.SHAPES, strict=True))
        angles = t[:, None] * self.FREQUENCIES
        phi = torch.cat([torch.ones_like(t)[:, None], angles.cos(), angles.sin()], -1)
        hidden = torch.tanh(phi @ gate) * (phi @ skip)
        return z0[:, None] + t[:, None] * (hidden @ last + shift) * size[:, None]


def defect(m: Tensor, z: Tensor, rate: Tensor, f: Tensor) -> Tensor:
    """What is left of an equation, z' − M z − f; z, rate, f: (b, n, 2), m: (b, 2)."""
    c, s = m[:, None, 0], m[:, None, 1]
    along = torch.stack([c / 2 * z[..., 0] + s * z[..., 1], s * z[..., 0] - c / 2 * z[..., 1]], -1)
    return rate - along - f


def refined(solver, m: Tensor, z0: Tensor, f: Tensor, t: Tensor, rounds: int, sign: float = -1.0):
    """Solutions after 0 … rounds refinements: the defect goes back into the solver as a source, no training.

    t: (n,) in the window. Returns a list of (b, n, 2). `sign=1` feeds the defect back the wrong way round.
    """
    solutions, start, source = [], z0, f
    seen = z = rate = 0.0
    for _ in range(rounds + 1):
        part = partial(solver, m, start, source)
        more, faster = with_rate(part, STATIONS)
        seen, z, rate = seen + part(t), z + more, rate + faster
        solutions.append(seen)
        start, source = torch.zeros_like(z0), sign * defect(m, z, rate, f)
    return solutions


# --- 26 MMGP --------------------------------------------------------------------------------

SHARES = np.array([0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99])
"""Landmarks of a curve: the shares of the target at whose times the time axis is pinned."""


def landmarks(t: np.ndarray, v: np.ndarray) -> np.ndarray:
    """The times at which rising curves v: (m, n) reach SHARES, by interpolation: (m, 12)."""
    return np.array([np.interp(SHARES, row, t) for row in v])


def morphed(
    t: np.ndarray, v: np.ndarray, knots: np.ndarray, mesh: np.ndarray, common: np.ndarray
) -> np.ndarray:
    """Curves v: (m, n) on one mesh: the time axis, piece by piece, is stretched until all knots agree.

    knots: (m, 12), the landmarks of each curve; mesh: (k,) in the time of `common`, (12,). Returns (m, k).
    """
    ends = lambda inner: np.concatenate([[t[0]], inner, [t[-1]]])
    return np.array([np.interp(np.interp(mesh, ends(common), ends(own)), t, row)
                     for own, row in zip(knots, v, strict=True)])  # fmt: skip


def unmorphed(
    t: np.ndarray, field: np.ndarray, knots: np.ndarray, mesh: np.ndarray, common: np.ndarray
) -> np.ndarray:
    """The way back of `morphed`: fields (m, k) on the common mesh as curves at times t, (m, n)."""
    ends = lambda inner: np.concatenate([[t[0]], inner, [t[-1]]])
    return np.array([np.interp(np.interp(t, ends(own), ends(common)), mesh, row)
                     for own, row in zip(knots, field, strict=True)])  # fmt: skip


class Process:
    """A Gaussian process: covariance a² exp(−½ Σ (d_i/l_i)²), plus noise, constants of largest likelihood.

    x: (m, d) of order one; y: (m,), mean zero.
    """

    def __init__(self, x: np.ndarray, y: np.ndarray):
        from scipy.optimize import minimize

        self.x, self.y = x, y
        first = np.r_[0.0, np.zeros(x.shape[1]), np.log(1e-6)]
        # By a simplex: at almost no noise the likelihood is too rough for slopes.
        self.theta = minimize(self._unlikely, first, method="Nelder-Mead", options={"maxiter": 400}).x
        self.factor = np.linalg.cholesky(
            self._between(x, x, self.theta) + self._noise(self.theta) * np.eye(len(x))
        )
        self.known = np.linalg.solve(self.factor.T, np.linalg.solve(self.factor, y))

    @staticmethod
    def _between(a: np.ndarray, b: np.ndarray, theta: np.ndarray) -> np.ndarray:
        length = np.exp(theta[1:-1])
        return np.exp(2 * theta[0] - 0.5 * (((a[:, None] - b[None]) / length) ** 2).sum(-1))

    @staticmethod
    def _noise(theta: np.ndarray) -> float:
        return np.exp(theta[-1]) + 1e-11 * (1 + np.exp(2 * theta[0]))  # with what rounding needs

    def _unlikely(self, theta: np.ndarray) -> float:
        """Minus the logarithm of the likelihood; beyond nine decades of a constant, nothing is likely."""
        if abs(theta[:-1]).max() > 10 or abs(theta[-1]) > 40:
            return np.inf
        factor = np.linalg.cholesky(
            self._between(self.x, self.x, theta) + self._noise(theta) * np.eye(len(self.x))
        )
        return 0.5 * (np.linalg.solve(factor, self.y) ** 2).sum() + np.log(np.diag(factor)).sum()

    def __call__(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Mean and standard deviation, noise included, at new x."""
        across = self._between(x, self.x, self.theta)
        explained = (np.linalg.solve(self.factor, across.T) ** 2).sum(0)
        variance = np.exp(2 * self.theta[0]) - explained + self._noise(self.theta)
        return across @ self.known, np.sqrt(np.maximum(variance, self._noise(self.theta)))


class Modes:
    """The leading principal directions of rows, and one Gaussian process a coefficient."""

    def __init__(self, inputs: np.ndarray, rows: np.ndarray, modes: int):
        self.mean = rows.mean(0)
        _, self.size, directions = np.linalg.svd(rows - self.mean, full_matrices=False)
        self.directions = directions[:modes]
        coefficients = (rows - self.mean) @ self.directions.T
        self.scale, self.center, self.spread = coefficients.std(0), inputs.mean(0), inputs.std(0)
        self.processes = [Process(self._read(inputs), column) for column in (coefficients / self.scale).T]

    def _read(self, inputs: np.ndarray) -> np.ndarray:
        return (inputs - self.center) / self.spread

    def __call__(self, inputs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Rows for new inputs, and the standard deviation of each number in them."""
        found = [process(self._read(inputs)) for process in self.processes]
        middle, sd = (np.array(part).T * self.scale for part in zip(*found, strict=True))
        return self.mean + middle @ self.directions, np.sqrt(sd**2 @ self.directions**2)


class MMGP:
    """Morph to one mesh, reduce the morphing and the field, a Gaussian process each (Casenave et al. 2023).

    inputs: (m, d) describe the starts; t: (n,); v: (m, n) are curves that rise. Without `morphing` the
    field alone is reduced, on the time axis as it is.
    """

    def __init__(self, inputs, t, v, *, modes: tuple[int, int] = (2, 4), morphing: bool = True):
        self.t, self.morphing, self.mesh = t, morphing, t
        knots = landmarks(t, v)
        if morphing:
            self.common = knots.mean(0)
            self.mesh = np.interp(np.linspace(0, 1, 201), np.linspace(0, 1, 14), [0, *self.common, t[-1]])
            self.times = Modes(inputs, knots, modes[0])
            self.field = Modes(inputs, morphed(t, v, knots, self.mesh, self.common), modes[1])
        else:
            self.field = Modes(inputs, v, sum(modes))

    def __call__(self, inputs: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Curves (m, n), and the landmarks with their standard deviations, (m, 12) each."""
        field, _ = self.field(inputs)
        if not self.morphing:
            return field, np.full((len(inputs), 12), np.nan), np.full((len(inputs), 12), np.nan)
        knots, sd = self.times(inputs)
        knots = np.maximum.accumulate(np.maximum(knots, 0), 1)
        return unmorphed(self.t, field, knots, self.mesh, self.common), knots, sd


# --- studies --------------------------------------------------------------------------------


def trained(module: nn.Module, loss: Callable[[int], Tensor], steps: int, rate: float) -> float:
    """Train in place by Adam whose rate falls as a cosine; `loss(step)`. Returns processor seconds."""
    return adam(module, loss, steps=steps, lr=rate, schedule=cosine, fused=True).seconds


def asked(query: Callable[[], object], times: int = 3) -> float:
    """Processor seconds of a query, the shortest of a few."""
    spent = []
    for _ in range(times):
        began = process_time()
        query()
        spent.append(process_time() - began)
    return min(spent)


def study_mmgp(seed: int) -> dict[str, np.ndarray]:
    """MMGP on 120 curves, on 200 new ones and on 200 nearer to the saddle, with and without morphing."""
    rng = np.random.default_rng(seed)
    t = np.linspace(0, 14, 561)

    def drawn(m: int, least: float, most: float):
        inputs = np.column_stack([rng.uniform(np.log(least), np.log(most), m), rng.uniform(-0.9, 0.9, m)])
        p0 = np.exp(inputs[:, 0])
        return inputs, flow.exact(p0, p0 * inputs[:, 1], t).v

    inputs, v = drawn(120, 0.02, 0.2)
    new, true = drawn(200, 0.02, 0.2)
    outside, beyond = drawn(200, 0.005, 0.02)
    began = process_time()
    model = MMGP(inputs, t, v)
    seconds = process_time() - began
    flat = MMGP(inputs, t, v, morphing=False)
    (guess, knots, sd), (far, far_knots, far_sd) = model(new), model(outside)
    truth, far_truth = landmarks(t, true), landmarks(t, beyond)
    scale = (new.mean(0), new.std(0))
    remembered = lambda q: flow.nearest((q - scale[0]) / scale[1], (inputs - scale[0]) / scale[1], v)
    explained = lambda size: np.cumsum(size**2) / np.sum(size**2)
    needed = lambda size: int(np.searchsorted(explained(size), 0.9999) + 1)
    return {
        "error": np.array(flow.off(guess, true)),
        "worst": np.array(flow.worst(guess, true)),
        "outside": np.array(flow.off(far, beyond)),
        "unmorphed": np.array(flow.off(flat(new)[0], true)),
        "mean": np.array(flow.off(v.mean(0), true)),
        "nearest": np.array(flow.off(remembered(new), true)),
        "nearest_outside": np.array(flow.off(remembered(outside), beyond)),
        "covered": np.mean(abs(knots - truth)[:, 5] < 1.96 * sd[:, 5]),
        "covered_outside": np.mean(abs(far_knots - far_truth)[:, 5] < 1.96 * far_sd[:, 5]),
        "wider": np.median(far_sd[:, 5]) / np.median(sd[:, 5]),
        "modes": np.array([needed(model.times.size), needed(model.field.size), needed(flat.field.size)]),
        "training": np.array(seconds),
        "query": np.array(asked(lambda: model(new)) / 200),
        "t": t[::4],
        "true": true[:4, ::4],
        "guess": guess[:4, ::4],
    }


STARTS = torch.tensor([[0.3, -0.2], [0.05, 0.02]], dtype=F64)
"""Two starts for physics-informed networks: one that turns round, one beside the saddle."""


def physics(module: nn.Module, steps: int = 3000, weighted: bool = True, s: float = 1.0) -> float:
    """Train PIG or PINN on the residual of (7) at 100 times, with causal weights or without; seconds."""
    t = torch.linspace(0, T, 100, dtype=F64)
    size = (module.starts**2).sum(-1, keepdim=True)

    def loss(step: int) -> Tensor:
        r = residual2(*with_rate(module, t), s) / size
        return ((causal(r, 3.0 if 2 * step < steps else 0.3) if weighted else 1.0) * r).mean(-1).sum()

    return trained(module, loss, steps, 5e-3)


def study_pig(seed: int) -> dict[str, np.ndarray]:
    """PIG and plain PINNs from STARTS and two drawn ones; from STARTS, PIG frozen and without causality."""
    rng = np.random.default_rng(seed)
    torch.manual_seed(seed)
    p0 = np.exp(rng.uniform(np.log(0.03), np.log(0.5), 2))
    starts = torch.cat([STARTS, torch.tensor(np.column_stack([p0, p0 * rng.uniform(-0.9, 0.9, 2)]))])
    t = np.linspace(0, T, 121)
    at = torch.tensor(t)
    exact = flow.exact(*starts.numpy().T, t)
    true = np.stack([exact.p, exact.x], -1)
    arms = {
        "pig": (PIG(starts), True),
        "pinn": (PINN(starts), True),
        "frozen": (PIG(STARTS, moving=False), True),
        "uniform": (PIG(STARTS), False),
    }
    known = np.exp(rng.uniform(np.log(0.03), np.log(0.5), 120))
    known = np.column_stack([known, known * rng.uniform(-0.9, 0.9, 120)])
    curves = np.stack(flow.closed(known[:, :1], known[:, 1:], t)[:2], -1)
    each = lambda q: np.array([flow.off(a, b) for a, b in zip(q, true, strict=False)])
    found = {"starts": starts.numpy(), "t": t, "true": true, "mean": each([curves.mean(0)] * len(true)),
             "nearest": each(flow.nearest(starts.numpy(), known, curves))}  # fmt: skip
    for name, (module, weighted) in arms.items():
        places = module.mu.detach().clone() if name == "pig" else None
        found[f"{name}_training"] = np.array(physics(module, weighted=weighted))
        q, rate = (a.detach() for a in with_rate(module, at))
        found[name] = each(q.numpy())
        found[f"{name}_residual"] = residual2(q, rate).mean(-1).sqrt().numpy()
        conserved = (q[..., 0] ** 2 - q[..., 1] ** 2).numpy()
        found[f"{name}_drift"] = abs(conserved - conserved[:, :1]).max(1)
        found[f"{name}_curves"] = q.numpy()
        if places is not None:
            found["mu_before"], found["mu_after"] = places.numpy(), module.mu.detach().numpy()
            found["query"] = np.array(asked(lambda module=module: module(at)) / len(starts))
    return found


def moving_targets(rng: np.random.Generator, m: int, length: float = 2.0, size: float = 0.5) -> np.ndarray:
    """Targets 1 + size × a Gaussian process of this length, constant on 12 pieces of T: (m, 12)."""
    middle = (np.arange(12) + 0.5) * T / 12
    k = np.exp(-0.5 * ((middle[:, None] - middle) / length) ** 2) + 1e-9 * np.eye(12)
    return 1 + size * rng.normal(size=(m, 12)) @ np.linalg.cholesky(k).T


FUNCTIONS = (30, 125, 500, 2000)
"""Numbers of training functions of the operator networks."""


def operator(module: nn.Module, u: Tensor, v: Tensor, t: Tensor, steps: int, some: tuple[int, int]) -> float:
    """Train on so many functions × times a step; seconds."""
    draw = torch.Generator().manual_seed(0)

    def loss(step: int) -> Tensor:
        rows = torch.randint(len(u), (some[0],), generator=draw)
        at = torch.randperm(len(t), generator=draw)[: some[1]]
        return ((module(u[rows], t[at]) - v[rows][:, at]) ** 2).mean()

    return trained(module, loss, steps, 5e-3)


def study_deeponet(seed: int, steps: int = 3000) -> dict[str, np.ndarray]:
    """DeepONet: trained long on 2000 moving targets, short on fewer, with fewer sensors; and its rival."""
    rng = np.random.default_rng(seed)
    t = np.linspace(0, T, 61)
    at = torch.tensor(t)
    p0, x0, span = 0.3, 0.1, T / 12
    u = moving_targets(rng, FUNCTIONS[-1])
    v = flow.chained(p0, x0, u, span, t, by=flow.closed)
    tests = {"error": moving_targets(rng, 200), "rougher": moving_targets(rng, 200, length=0.5),
             "larger": moving_targets(rng, 200, size=1.0), "identical": np.zeros((1, 12))}  # fmt: skip
    exact = {name: flow.chained(p0, x0, new, span, t) for name, new in tests.items()}
    of = lambda module, new: module(torch.tensor(new), at).detach().numpy()
    new, true = tests["error"], exact["error"]
    learned, rival, gap, few = [], [], [], (64, 16)
    for n in FUNCTIONS:
        torch.manual_seed(seed)
        net, data = DeepONet(), (torch.tensor(u[:n]), torch.tensor(v[:n]), at)
        operator(net, *data, steps, few)
        learned.append(flow.off(of(net, new), true))
        gap.append(learned[-1] - flow.off(of(net, u[:n]), v[:n]))
        if n in (FUNCTIONS[0], FUNCTIONS[-1]):
            plain = OneNetwork()
            operator(plain, *data, steps, few)
            rival.append(flow.off(of(plain, new), true))
    fewer = []
    for sensors in (3, 6):
        torch.manual_seed(seed)
        part = DeepONet(sensors)
        seen = lambda w, sensors=sensors: w.reshape(len(w), sensors, -1).mean(-1)
        operator(part, torch.tensor(seen(u)), torch.tensor(v), at, steps, few)
        fewer.append(flow.off(of(part, seen(new)), true))
    torch.manual_seed(seed)
    net = DeepONet()
    seconds = operator(net, *data, 2 * steps, (128, 61))
    guess = of(net, new)
    return {
        "error": np.array(flow.off(guess, true)),
        "worst": np.array(flow.worst(guess, true)),
        "rougher": np.array(flow.off(of(net, tests["rougher"]), exact["rougher"])),
        "larger": np.array(flow.off(of(net, tests["larger"]), exact["larger"])),
        "identical": np.array(flow.off(of(net, tests["identical"]), exact["identical"])),
        "shuffled": np.array(flow.off(of(net, rng.permuted(new, axis=1)), true)),
        "mean": np.array(flow.off(v.mean(0), true)),
        "nearest": np.array(flow.off(flow.nearest(new, u, v), true)),
        "by_functions": np.array(learned),
        "gap": np.array(gap),
        "one_network": np.array(rival),
        "by_sensors": np.array([*fewer, learned[-1]]),
        "training": np.array(seconds),
        "query": np.array(asked(lambda: of(net, new)) / len(new)),
        "t": t,
        "targets": new[:4],
        "true": true[:4],
        "guess": guess[:4],
    }


def study_particles(seed: int, steps: int = 3000) -> dict[str, np.ndarray]:
    """PINN-PM's flow map of 48 interacting particles, with and without causal weights."""
    rng = np.random.default_rng(seed)
    t = np.linspace(0, T, 121)
    at = torch.tensor(t)
    q0, new = np.array([0.15, 0.1]) + 0.25 * rng.normal(size=(2, 48, 2))
    cloud = torch.tensor(q0)
    turned = np.stack(flow.particles(*q0.T, t), -1)
    # What other particles do under the v of these: all turn by the same hyperbolic angle.
    growth = (turned[0].sum(-1) / q0[0].sum())[:, None]

    def carried(q: np.ndarray) -> np.ndarray:
        plus, minus = q.sum(1)[:, None] * growth[:, 0], (q[:, 0] - q[:, 1])[:, None] / growth[:, 0]
        return np.stack([(plus + minus) / 2, (plus - minus) / 2], -1)

    found = {"t": t, "mean": np.array(flow.off(turned.mean(0), turned))}
    alone = np.stack(flow.exact(*q0.T, t)[:2], -1)
    found["alone"] = np.array(flow.off(alone, turned))
    found["nearest"] = np.array(flow.off(flow.nearest(new, q0, turned), carried(new)))
    for name, weighted in (("causal", True), ("uniform", False)):
        torch.manual_seed(seed)
        module, draw = FlowMap(), torch.Generator().manual_seed(seed)

        def loss(step: int, module=module, draw=draw, weighted=weighted) -> Tensor:
            when = (torch.rand(24, dtype=F64, generator=draw) * T).sort().values
            r = interacting2(*with_rate(lambda s: module(s, cloud), when)).mean(-1) / (cloud**2).mean()
            return ((causal(r, 3.0 if 2 * step < steps else 0.3) if weighted else 1.0) * r).mean()

        found[f"{name}_training"] = np.array(trained(module, loss, steps, 5e-3))
        of = lambda q, module=module: module(at, torch.tensor(q)).detach().numpy().swapaxes(0, 1)
        guess = of(q0)
        found[name] = np.array(flow.off(guess, turned))
        found[f"{name}_worst"] = np.array(flow.worst(guess, turned))
        found[f"{name}_held_out"] = np.array(flow.off(of(new), carried(new)))
        found[f"{name}_outside"] = np.array(flow.off(of(2 * new), carried(2 * new)))
        v, exact = guess.prod(-1).mean(0), turned.prod(-1).mean(0)
        found[f"{name}_v"] = np.array(flow.off(v, exact))
        conserved = guess[..., 0] ** 2 - guess[..., 1] ** 2
        found[f"{name}_drift"] = np.array(abs(conserved - conserved[:, :1]).max())
        found[f"{name}_curve"] = v
    found["curve"] = exact
    found["query"] = np.array(asked(lambda: of(new)) / len(new))
    return found


DIFFUSION = 0.01
"""D of the Fokker-Planck equation of the score arm."""

SADDLE = torch.tensor([[0.0, 1.0], [1.0, 0.0]], dtype=F64)
"""M of the flow beside the saddle, where it is linear: p' = x, x' = p."""


def covariances(first: np.ndarray, t: np.ndarray) -> np.ndarray:
    """Exact Σ(t) of Σ' = MΣ + ΣM + 2 D beside the saddle, (n, 2, 2), mode by mode along (1, ±1)/√2."""
    turn = np.array([[1, 1], [1, -1]]) / np.sqrt(2)
    rates = np.array([[2.0, 0.0], [0.0, -2.0]])
    grown = np.exp(rates * t[:, None, None])
    with np.errstate(invalid="ignore"):
        added = (
            np.where(rates == 0, 0.0, (grown - 1) / np.where(rates == 0, 1.0, rates))
            * 2
            * DIFFUSION
            * np.eye(2)
        )
    return turn @ (turn @ first @ turn * grown + added) @ turn


def study_score(seed: int, steps: int = 2000, span: float = 1.5) -> dict[str, np.ndarray]:
    """PINN-PM's second network: a Gaussian cloud beside the saddle that spreads, q' = M q − D s(t, q)."""
    rng = np.random.default_rng(seed)
    torch.manual_seed(seed)
    first = np.array([[0.04, 0.01], [0.01, 0.02]])
    raw = rng.normal(size=(4000, 2))
    raw = (raw - raw.mean(0)) @ np.linalg.inv(np.linalg.cholesky(np.cov(raw.T, bias=True))).T
    unit = 0.2  # numbers of order one for the networks: q is measured in it
    cloud = torch.tensor(raw @ np.linalg.cholesky(first).T) / unit
    module, draw = nn.ModuleList([FlowMap(), Score(span=span)]), torch.Generator().manual_seed(seed)

    def loss(step: int) -> Tensor:
        when = torch.rand(24, dtype=F64, generator=draw) * span
        some = cloud[torch.randint(len(cloud), (64,), generator=draw)]
        q, rate = with_rate(lambda s: module[0](s * T / span, some), when)
        fitted = hyvarinen(lambda z: module[1](when, z), q)
        drift = q @ SADDLE - DIFFUSION / unit**2 * module[1](when, q).detach()
        return ((rate - drift) ** 2).mean() + 0.1 * fitted

    seconds = trained(module, loss, steps, 1e-2)
    t = np.linspace(0, span, 31)
    at = torch.tensor(t)
    exact = covariances(first, t)
    new = np.einsum("tij,mj->tmi", np.linalg.cholesky(exact), rng.normal(size=(400, 2)))
    true = -np.einsum("tij,tmj->tmi", np.linalg.inv(exact), new)
    guess = module[1](at, torch.tensor(new) / unit).detach().numpy() / unit
    q = module[0](at * T / span, cloud).detach().numpy() * unit
    seen = np.einsum("tmi,tmj->tij", q, q) / q.shape[1]
    still = exact - covariances(np.zeros((2, 2)), t)
    frozen = -np.einsum("ij,tmj->tmi", np.linalg.inv(first), new)
    return {
        "t": t,
        "error": np.array(flow.off(guess, true)),
        "error_at": np.array([flow.off(g, s) for g, s in zip(guess, true, strict=True)]),
        "of_the_start": np.array(flow.off(frozen, true)),
        "covariance": np.array(flow.off(seen, exact)),
        "covariance_without_diffusion": np.array(flow.off(still, exact)),
        "training": np.array(seconds),
        "exact": exact,
        "seen": seen,
    }


def manufactured(rng: torch.Generator, m: int, t: Tensor) -> tuple[Tensor, ...]:
    """Equations with a chosen solution: waves and exponentials u, f = u' − M u: (c, s), z₀, f, u, f(t)."""
    c = 2 * torch.rand(m, 1, dtype=F64, generator=rng) - 1
    s = 3 * torch.rand(m, 1, dtype=F64, generator=rng) - 1.5
    a = torch.randn(m, 2, 6, dtype=F64, generator=rng)
    rate = 1.6 * (2 * torch.rand(m, 1, 3, dtype=F64, generator=rng) - 1)
    wave = 4 * torch.rand(m, 1, 1, dtype=F64, generator=rng)

    def u(at: Tensor) -> Tensor:
        grown = torch.exp(rate[..., None] * at)
        waves = torch.stack([torch.cos(wave * at), torch.sin(wave * at), at.expand(m, 1, -1)], 2)
        return (a[..., None] * torch.cat([grown, waves], 2)).sum(2).transpose(1, 2)

    start, eq = u(torch.zeros(1, dtype=F64))[:, 0], torch.cat([c, s], 1)
    source = lambda at: defect(eq, *with_rate(u, at), torch.zeros((), dtype=F64))
    return eq, start, source(STATIONS), u(t), source(t)


def homogeneous(rng: torch.Generator, m: int, t: Tensor) -> tuple[Tensor, ...]:
    """Equations without a source, with their solution: (c, s), z₀, f = 0 at STATIONS, z(t), f = 0 at t."""
    eq = torch.rand(m, 2, dtype=F64, generator=rng) * torch.tensor([2.0, 3.0]) - torch.tensor([1.0, 1.5])
    z0 = torch.randn(m, 2, dtype=F64, generator=rng)
    return eq, z0, torch.zeros(m, 16, 2, dtype=F64), linear(eq, z0, t), torch.zeros(m, len(t), 2, dtype=F64)


def linear(m: Tensor, z0: Tensor, t: Tensor) -> Tensor:
    """The exact solution exp(M t) z₀, (b, n, 2)."""
    c, s = m[:, :1], m[:, 1:]
    A = torch.hypot(c / 2, s)
    along = torch.cat([c / 2 * z0[:, :1] + s * z0[:, 1:], s * z0[:, :1] - c / 2 * z0[:, 1:]], 1)
    return z0[:, None] * torch.cosh(A * t)[..., None] + along[:, None] * (torch.sinh(A * t) / A)[..., None]


def windows(solver, p0: np.ndarray, x0: np.ndarray, s: np.ndarray, rounds: int, sign: float = -1.0):
    """The nonlinear flow by a solver of linear equations: z' = M z in windows, then (p, x) = z/√N.

    p0, x0, s: (m,). N = 1 + ∫‖z‖² by Simpson's rule. Returns t: (n,) and (p, x): (m, n, 2).
    """
    c = p0**2 - x0**2
    m, z = torch.tensor(np.column_stack([c, s])), torch.tensor(np.column_stack([p0, x0]))
    local = torch.linspace(0, WINDOW, 31, dtype=F64)
    rows = [z[:, None]]
    for _ in range(round(T / WINDOW)):
        part = refined(solver, m, z, torch.zeros(len(m), 16, 2, dtype=F64), local, rounds, sign)[-1].detach()
        z = part[:, -1]
        rows.append(part[:, 1:])
    z = torch.cat(rows, 1).numpy()
    from scipy.integrate import cumulative_simpson

    t = np.linspace(0, T, z.shape[1])
    N = 1 + cumulative_simpson((z**2).sum(-1), x=t, axis=1, initial=0)
    return t, z / np.sqrt(N)[..., None]


def study_hypino(seed: int, steps: int = 3000, rounds: int = 4) -> dict[str, np.ndarray]:
    """HyPINO on manufactured equations: unseen linear ones by refinement, and then the nonlinear flow."""
    torch.manual_seed(seed)
    draw = torch.Generator().manual_seed(seed)
    module = HyPINO()

    def loss(step: int) -> Tensor:
        t = torch.rand(16, dtype=F64, generator=draw) * WINDOW
        m, z0, f, u, source = manufactured(draw, 64, t)
        # Half of the equations start from nothing, as those of refinement do: minus the homogeneous part.
        u = torch.cat([u[:32], (u - linear(m, z0, t))[32:]])
        z0 = torch.cat([z0[:32], 0 * z0[32:]])
        size = ((z0**2).sum(-1) + (f**2).mean((1, 2)))[:, None, None]
        z, rate = with_rate(lambda at: module(m, z0, f, at), t)
        return (((z - u) ** 2 + 0.2 * defect(m, z, rate, source) ** 2) / size).mean()

    seconds = trained(module, loss, steps, 3e-3)
    t = torch.linspace(0, WINDOW, 31, dtype=F64)
    test = torch.Generator().manual_seed(10_000 + seed)
    m, z0, f, u, _ = homogeneous(test, 200, t)
    errors = lambda sign: np.array([flow.off(z.detach().numpy(), u.numpy())
                                    for z in refined(module, m, z0, f, t, rounds, sign)])  # fmt: skip
    rng = np.random.default_rng(seed)

    def drawn(n: int, least: float, most: float):
        p0 = np.exp(rng.uniform(np.log(least), np.log(most), n))
        return p0, p0 * rng.uniform(-0.9, 0.9, n)

    new, known = drawn(200, 0.03, 0.5), drawn(120, 0.03, 0.5)
    of = lambda p, x, rounds, s=1.0: windows(module, p, x, np.full(len(p), s), rounds)
    at, guess = of(*new, rounds)
    true = np.stack(flow.exact(*new, at)[:2], -1)
    curves = np.stack(flow.exact(*known, at)[:2], -1)
    by_rounds = np.array([flow.off(of(*new, k)[1], true) for k in range(rounds + 1)])
    outside = drawn(200, 0.5, 2.0)
    conserved = guess[..., 0] ** 2 - guess[..., 1] ** 2
    remembered = flow.nearest(np.stack([np.log(new[0]), new[1] / new[0]], 1),
                              np.stack([np.log(known[0]), known[1] / known[0]], 1), curves)  # fmt: skip
    return {
        "linear": errors(-1.0),
        "linear_flipped": errors(1.0),
        "linear_nothing": np.array(flow.off(np.broadcast_to(z0.numpy()[:, None], u.shape), u.numpy())),
        "error": by_rounds[-1],
        "by_rounds": by_rounds,
        "worst": np.array(flow.worst(guess, true)),
        "outside": np.array(flow.off(of(*outside, rounds)[1], np.stack(flow.exact(*outside, at)[:2], -1))),
        "identical": np.array(
            flow.off(of(*new, rounds, 0.0)[1], np.stack(flow.exact(*new, at, 0.0)[:2], -1))
        ),
        "mean": np.array(flow.off(curves.mean(0), true)),
        "nearest": np.array(flow.off(remembered, true)),
        "drift": np.array(abs(conserved - conserved[:, :1]).max()),
        "training": np.array(seconds),
        "query": np.array(asked(lambda: of(*new, rounds)) / 200),
        "t": at,
        "true": true[:4],
        "guess": guess[:4],
    }


SYSTEMS = ()
STUDIES = (
    Study("mmgp", study_mmgp, seconds=4, seeds=range(5), fresh=range(100, 105)),
    Study("pig", study_pig, seconds=30, seeds=range(2), fresh=range(100, 103)),
    Study("pinn-pm", study_particles, seconds=30, seeds=range(2), fresh=range(100, 103)),
    Study("pinn-pm-score", study_score, seconds=25, seeds=range(2), fresh=range(100, 103)),
    Study("hypino", study_hypino, seconds=25, seeds=range(2), fresh=range(100, 103)),
    Study("deeponet", study_deeponet, seconds=60, seeds=range(3), fresh=range(100, 103)),
)

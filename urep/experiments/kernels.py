"""The two tangent kernels of a network at a hidden layer, by autograd, and the exponents read off them.

Two points, one output. Loss (1) is L = ē²/2 + e²/8 with ē the mean error of the two points and e = dy − dy*
its difference. A step of gradient descent at rate η moves any quantity X by −η (ē ∂X·∂ȳ + (e/4) ∂X·∂dy).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from types import MappingProxyType
from typing import ClassVar

import numpy as np
import torch
from torch import nn

from .. import equations, tasks
from ..fit import LEARNED_MEAN
from ..growth import of_vectors
from ..networks import Convolutional, FullyConnected
from ..state import real_number, require_sizes
from ..training.loop import Data, _checked_layers, _eval_mode, _hooked, chord_gradient
from .tables import TABLE_1

QUARTER = 0.25
"""Weight of the error's difference in the loss's gradient: L = ē²/2 + e²/8."""


@dataclass(frozen=True)
class Kernels:
    """One look at a network: lengths, errors, and both kernels at a rate of one, split into their parts.

    u = ‖dh‖; r = ‖ρ‖ with ρ the mean of the decoder's gradient on the chord; `cosine` of their angle;
    `error` e and `mean_error` ē. `k_h` is −u'/(r e cosθ), the number that (17) calls ‖dx‖²/(2τ_h), and it
    is the sum of `parts_h`: "along" p̂·K p̂, "across" (the turn: p̂·K n̂ tanθ), "gates" (the decoder's
    gradients at the two points differ) and "mean" (what the mean's error still does). `layers_h` splits
    "along" by layer, `bias_h` is the part of the biases in it. `along_y` is ρ̂·K_y ρ̂, `across_y` K_y
    across, `output_y` |∂dy|² of the decoder over 4u², `across_h` n̂·K n̂.
    """

    u: float
    r: float
    cosine: float
    dy: float
    error: float
    mean_error: float
    k_h: float
    parts_h: Mapping[str, float]
    across_h: float
    layers_h: tuple[float, ...]
    bias_h: float
    along_y: float
    across_y: float
    output_y: float
    bias_y: float
    output_h: float
    total: float


Gradient = dict[str, torch.Tensor]


def _dot(one: Gradient, other: Gradient) -> float:
    """The inner product of two gradients over the parameters that both have."""
    return float(sum((one[name] * other[name]).sum() for name in one.keys() & other.keys()))


def measure(network: nn.Module, data: Data, layer: str) -> Kernels:
    """Both kernels of a network with one output at a layer; its two points are the rows of `data`.

    Raises ValueError for other data, and where the kernel is not there to be seen: where dh, the decoder's
    gradient, dy or the difference of the errors is zero.
    """
    (name,) = _checked_layers(network, (layer,))
    inputs, targets = data
    if len(inputs) != 2 or tuple(targets.shape) != (2, 1):
        raise ValueError(
            f"data must be two points with one target each, got {len(inputs)} inputs and targets of shape "
            f"{tuple(targets.shape)}"
        )
    parameters = dict(network.named_parameters())

    def gradient(scalar: torch.Tensor) -> Gradient:
        found = torch.autograd.grad(scalar, parameters.values(), retain_graph=True, allow_unused=True)
        return {key: g for key, g in zip(parameters, found, strict=True) if g is not None}

    with _eval_mode(network), torch.enable_grad(), _hooked(network, (name,), detach=False) as seen:
        outputs = network(inputs)[:, 0]
        h = seen[name]
        flat = h.flatten(1)
        dh = flat[1] - flat[0]
        rho = chord_gradient(network, inputs, name, torch.ones(1, dtype=h.dtype), create_graph=True)
        p, q = dh.detach(), rho.detach()
        u, r, cosine = of_vectors(p.numpy(), q.numpy())
        errors = (outputs - targets[:, 0]).detach()
        error, mean_error = float(errors[1] - errors[0]), float(errors.mean())
        if not (u > 0 and r > 0 and cosine != 0 and error != 0):
            raise ValueError(
                "network must have dh, D_y, dy and a difference of errors that are not zero, got ‖dh‖ = "
                f"{u!r}, ‖D_y‖ = {r!r}, cosine {cosine!r} and difference {error!r}"
            )
        p, q = p / u, q / r
        sine = max(1 - cosine**2, 0.0) ** 0.5
        normal = (q - cosine * p) / sine if sine > 1e-9 else torch.zeros_like(p)
        normal_y = (p - cosine * q) / sine if sine > 1e-9 else torch.zeros_like(p)
        along, across = gradient(p @ dh), gradient(normal @ dh)
        straight = gradient(rho.detach() @ dh)
        both = gradient(outputs.mean())
        apart = gradient(outputs[1] - outputs[0])
        bend = {key: apart[key] - straight[key] for key in straight}
        decoder = [key for key in parameters if key not in along]
        along_y, across_y = gradient(q @ rho), gradient(normal_y @ rho)
    of_decoder = lambda g: {key: g[key] for key in decoder if key in g}
    outputs = outputs.detach()
    scale = QUARTER / (r * cosine)
    parts = {
        "along": QUARTER * _dot(along, along),
        "across": scale * r * sine * _dot(along, across),
        "gates": scale * _dot(along, bend),
        "mean": mean_error / error * _dot(along, both) / (r * cosine),
    }
    weights = [key for key in along if key.endswith("weight")]
    apart_y = of_decoder(apart)
    return Kernels(
        u=u, r=r, cosine=cosine, dy=float(outputs[1] - outputs[0]), error=error, mean_error=mean_error,
        k_h=sum(parts.values()), parts_h=parts, across_h=QUARTER * _dot(across, across),
        layers_h=tuple(QUARTER * float(along[key].square().sum()) for key in weights),
        bias_h=QUARTER * sum(float(along[k].square().sum()) for k in along if k.endswith("bias")),
        along_y=QUARTER * _dot(of_decoder(along_y), of_decoder(along_y)),
        across_y=QUARTER * _dot(of_decoder(across_y), of_decoder(across_y)),
        output_y=QUARTER * _dot(apart_y, apart_y) / u**2,
        bias_y=QUARTER * sum(float(apart_y[k].square().sum()) for k in apart_y if k.endswith("bias")) / u**2,
        output_h=QUARTER * sum(float(apart[k].square().sum()) for k in along) / (r * cosine) ** 2,
        total=_dot(both, both) + QUARTER * _dot(apart, apart),
    )  # fmt: skip


# --- exponents, read off a run without a fit of any theory -----------------------------------------

STEP = 0.05
"""Share of the loss that a step of `follow` takes: its learning rate is this over the trace of the kernel."""

LOOK_EVERY = 20
"""Steps between two looks."""

READ_BETWEEN = (0.05, 0.95)
"""Shares of ‖dy*‖ between which exponents are read, once the mean has been learned."""

BINS = 8
"""Pieces, equal in ln u or in ln r, of a transition."""

GROWTH = 1.5
"""Factor by which a length has to grow in a transition for its exponent to be read."""

STRAIGHT = 0.5
"""Largest difference between the exponents of both halves of a transition that still is one exponent."""


@dataclass(frozen=True, eq=False)
class Path:
    """Looks at a network while it learns: u, r, cosine, dy and ē, and W = ∫w dt with w = dy (dy − dy*).

    t is flow time, the sum of the learning rates; H = u² moves by −2 K_h dW and r² by −2 K_y dW.
    """

    t: np.ndarray
    u: np.ndarray
    r: np.ndarray
    dy: np.ndarray
    mean_error: np.ndarray
    work: np.ndarray
    target: float

    @property
    def cosine(self) -> np.ndarray:
        """Cosine of the angle between dh and the decoder's gradient along its chord."""
        return self.dy / (self.u * self.r)

    def transition(self) -> slice:
        """The looks with dy between READ_BETWEEN of its target, once the mean has been learned."""
        low, high = READ_BETWEEN
        learned = (self.mean_error / self.mean_error[0]) ** 2 < LEARNED_MEAN
        first = max(self._first(learned), self._first(self.dy >= low * self.target))
        return slice(first, min(self._first(self.dy >= high * self.target) + 1, len(self.t)))

    def _first(self, reached: np.ndarray) -> int:
        """The first look at which something holds; their number where it never does."""
        return int(np.argmax(reached)) if reached.any() else len(self.t)


@dataclass(frozen=True)
class Look:
    """u, r, dy and ē of a network, and the trace of the tangent kernel that bounds its learning rate."""

    u: float
    r: float
    dy: float
    mean_error: float
    total: float


def look(network: nn.Module, data: Data, layer: str) -> Look:
    """Lengths at a layer and the trace |∂ȳ|² + |∂dy|²/4.

    r is that of `chord_gradient`, and NaN where gates are frozen: the decoder is then another function for
    each point. Where skip connections pass the layer, dy is more than r's part of it.
    """
    inputs, targets = data
    parameters = [p for p in network.parameters() if p.requires_grad]
    with _eval_mode(network), torch.enable_grad(), _hooked(network, (layer,), detach=False) as seen:
        outputs = network(inputs)[:, 0]
        h = seen[layer]
        both = torch.autograd.grad(outputs.mean(), parameters, retain_graph=True)
        apart = torch.autograd.grad(outputs[1] - outputs[0], parameters)
    dh, errors = (h[1] - h[0]).detach().flatten(), (outputs - targets[:, 0]).detach()
    rho = torch.full_like(dh, np.nan)
    if not isinstance(network, Gated):
        rho = chord_gradient(network, inputs, layer, torch.ones(1, dtype=h.dtype))
    u, r, _ = of_vectors(dh.numpy(), rho.numpy())
    squares = [sum(float(g.square().sum()) for g in part) for part in (both, apart)]
    dy = float((outputs[1] - outputs[0]).detach())
    return Look(u, r, dy, float(errors.mean()), squares[0] + QUARTER * squares[1])


def follow(
    network: nn.Module, data: Data, layer: str, *, steps: int = 6000, step: float = STEP,
    every: int = LOOK_EVERY, until: float = 0.98,
) -> Path:  # fmt: skip
    """Train a network in place by gradient descent with steps as long as its kernel allows, looking at it.

    A step takes at most the share `step` of the loss; training ends after `steps`, or when dy has come to
    `until` of its target.
    """
    from ..training.graph import program_of

    program = None if isinstance(network, Gated) else program_of(network, (layer,), data[0].shape[1])
    target = float(data[1][1, 0] - data[1][0, 0])
    t, work, rows = 0.0, 0.0, []
    for _ in range(-(-steps // every)):
        seen = look(network, data, layer)
        rows.append((t, seen.u, seen.r, seen.dy, seen.mean_error, work))
        if seen.dy >= until * target or not np.isfinite(seen.total):
            break
        rate = step / seen.total
        dy = _descend(network, data, program, rate, every)
        t, work = t + every * rate, work + rate * float((dy * (dy - target)).sum())
    return Path(*np.array(rows).T, target=target)


def _descend(network, data: Data, program, rate: float, steps: int) -> np.ndarray:
    """The dy before each of some steps of gradient descent, by the compiled kernel where it can."""
    if program is not None:
        from ..training.fused import Fused

        kernel = Fused(program, network, data, rate)
        outputs = kernel.steps(steps, 0.0)[2]
        kernel.store()
        return outputs[:, 1, 0] - outputs[:, 0, 0]
    parameters = [p for p in network.parameters() if p.requires_grad]
    seen = []
    for _ in range(steps):
        outputs = network(data[0])
        loss = 0.5 * (outputs - data[1]).square().sum(dim=1).mean()
        slopes = torch.autograd.grad(loss, parameters)
        with torch.no_grad():
            torch._foreach_add_(parameters, slopes, alpha=-rate)
        seen.append(float((outputs[1] - outputs[0]).detach()))
    return np.array(seen)


class Gated(nn.Module):
    """A network with the gates of its two points frozen as they are: a linear network for each point.

    Made from a FullyConnected without skip connections whose nonlinearity is linear on either side of
    zero; a unit is multiplied by the slope that it has at that point now. Layers keep their names.
    """

    def __init__(self, network: nn.Module, inputs: torch.Tensor):
        super().__init__()
        blocks, x = [], inputs
        for module in network.net:
            if isinstance(module, nn.Linear):
                blocks.append(module)
                x = module(x)
            else:
                x = x.detach().requires_grad_()
                (slopes,) = torch.autograd.grad(module(x).sum(), x)
                blocks.append(_Frozen(slopes))
                x = module(x).detach()
        self.net = nn.Sequential(*blocks)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Outputs (2, n_out) for the two points."""
        return self.net(inputs)


class _Frozen(nn.Module):
    """A multiplication by slopes that do not change."""

    def __init__(self, slopes: torch.Tensor):
        super().__init__()
        self.slopes = slopes

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.slopes * x


@dataclass(frozen=True, eq=False)
class Exponent:
    """A kernel against its length in pieces of a transition, and the slope of ln K against ln length.

    `growth` is the factor by which the length grew; `halves` the slopes of both halves. `readable` says
    whether one number can stand for it: growth >= GROWTH, halves within STRAIGHT, no kernel below zero.
    """

    length: np.ndarray
    kernel: np.ndarray
    growth: float
    value: float
    halves: tuple[float, float]

    @property
    def readable(self) -> bool:
        """Whether the criterion, which was decided before any map was made, is met."""
        bent = abs(self.halves[0] - self.halves[1])
        return bool(self.growth >= GROWTH and np.isfinite(self.value) and bent <= STRAIGHT)


def exponent(length: np.ndarray, work: np.ndarray) -> Exponent:
    """The exponent of a kernel, K = −½ Δ(length²)/ΔW, over a transition. No theory is fitted."""
    growth = float(length[-1] / length[0]) if len(length) else np.nan
    pad = lambda values: np.pad(values, (0, BINS - len(values)), constant_values=np.nan)
    none = Exponent(np.full(BINS, np.nan), np.full(BINS, np.nan), growth, np.nan, (np.nan, np.nan))
    if not growth > 1 or len(length) < 2 * BINS:
        return none
    edges = np.geomspace(length[0], length[-1], BINS + 1)[1:-1]
    rows = np.unique([0, *(int(np.argmax(length >= edge)) for edge in edges), len(length) - 1])
    if len(rows) < BINS // 2:
        return none
    kernel = -0.5 * np.diff(length[rows] ** 2) / np.diff(work[rows])
    middle = np.sqrt(length[rows][1:] * length[rows][:-1])
    if (kernel <= 0).any():
        return none
    x, y = np.log(middle), np.log(kernel)
    half = len(x) // 2
    slope = lambda part: float(np.polyfit(x[part], y[part], 1)[0])
    halves = slope(slice(None, half)), slope(slice(half, None))
    return Exponent(pad(middle), pad(kernel), growth, slope(slice(None)), halves)


def exponents(path: Path) -> tuple[Exponent, Exponent]:
    """α of the encoder's kernel and β of the decoder's, over a path's transition."""
    part = path.transition()
    return exponent(path.u[part], path.work[part]), exponent(path.r[part], path.work[part])


# --- the map ----------------------------------------------------------------------------------

SLOPE = {"leaky_relu": ((1 + 0.01**2) / 2) ** 0.5, "relu": 0.5**0.5, "none": 1.0, "tanh": 1.0, "elu": 1.0,
         "swish": 0.5}  # fmt: skip
"""Factor by which a wide layer of gain 1 multiplies lengths where signals are small."""

TABLE_GAIN = {"leaky_relu": 1.0, "relu": 1.0, "none": 0.85, "tanh": 0.85, "elu": 0.95, "swish": 1.7}
"""Gain of Table 1 for 20 layers of each nonlinearity."""

DEPTHS = (4, 8, 12, 20)
"""Hidden layers of the map."""

LEVELS = (1.0, 0.5, 0.25)
"""Powers of Table 1's factor of 20 layers that the map's networks multiply small signals by as a whole."""

UNITS = 100
"""Units a layer of the map."""


@dataclass(frozen=True)
class MapTrial:
    """One network of the map: a nonlinearity, a depth and a level, or an experiment with one of them.

    All layers together multiply small signals by (gain slope)^20 of Table 1's gain, to the power `level`;
    `first_input` moves both inputs, `biases` = False keeps the biases of hidden layers at zero, `frozen`
    freezes the gates where exponents begin to be read; `table_gain` is a gain in place of the level's.
    Everything else is Table 1's.
    """

    nonlinearity: str
    hidden_layers: int = 20
    level: float = 1.0
    seed: int = 0
    units: int = UNITS
    first_input: float = -1.0
    biases: bool = True
    frozen: bool = False
    skip: bool = False
    table_gain: float | None = None
    environment = MappingProxyType({})

    @property
    def row(self) -> str:
        """The kind of network, under which its seeds are counted."""
        return f"map {self.nonlinearity} {self.hidden_layers}"

    @property
    def gain(self) -> float:
        """The gain of every layer."""
        if self.table_gain is not None:
            return self.table_gain
        slope = SLOPE[self.nonlinearity]
        whole = (TABLE_GAIN[self.nonlinearity] * slope) ** (20 * self.level)
        return whole ** (1 / self.hidden_layers) / slope

    @property
    def cost(self) -> float:
        """How long it may take, for the order of a sweep."""
        return self.hidden_layers * self.units

    @property
    def settings(self) -> Rule:
        """How exponents are read."""
        return Rule()

    def network(self) -> FullyConnected:
        """The network before it is trained."""
        made = FullyConnected(
            hidden_layers=self.hidden_layers, units=self.units, nonlinearity=self.nonlinearity,
            gain=self.gain, skip=self.skip, seed=self.seed, dtype=torch.float64,
        )  # fmt: skip
        hidden = [module for module in made.net if isinstance(module, nn.Linear)][:-1]
        for module in hidden:
            module.bias.requires_grad_(self.biases)
        return made

    def data(self) -> Data:
        """The two points."""
        return tasks.two_points(first_input=self.first_input, dtype=torch.float64)


@dataclass(frozen=True)
class RowTrial:
    """A network of Table 1, by the name of its row, with another number of units; read like one of the map.

    What is random in its training, as dropout is, comes from `seed` too.
    """

    named: str
    units: int
    seed: int = 0
    frozen: ClassVar[bool] = False
    environment = MappingProxyType({})

    @property
    def row(self) -> str:
        """The kind of network, under which its seeds are counted."""
        return f"map {self.named}"

    @property
    def cost(self) -> float:
        """How long it may take, for the order of a sweep."""
        return 10_000 if self.named == "Convolution" else TABLE_1[self.named].hidden_layers * self.units

    @property
    def settings(self) -> Rule:
        """How exponents are read."""
        return Rule()

    def network(self) -> FullyConnected | Convolutional:
        """The network before it is trained."""
        row = replace(TABLE_1[self.named], units=self.units)
        return row.network(seed=self.seed, dtype=torch.float64)

    def data(self) -> Data:
        """The two points."""
        return tasks.two_points(dtype=torch.float64)


@dataclass(frozen=True)
class Rule:
    """How a transition is followed and read; stored with what was read."""

    step: float = STEP
    every: int = LOOK_EVERY
    mean_learned: float = LEARNED_MEAN
    low: float = READ_BETWEEN[0]
    high: float = READ_BETWEEN[1]
    bins: int = BINS
    growth: float = GROWTH
    straight: float = STRAIGHT


def mapped_small(trial: MapTrial | RowTrial) -> dict[str, np.ndarray]:
    """What `mapped` keeps, in half the bytes, its random numbers from the trial's seed."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(trial.seed)
        kept = mapped(trial)
    return {name: np.float32(value) if value.dtype == float else value for name, value in kept.items()}


def mapped(trial: MapTrial | RowTrial) -> dict[str, np.ndarray]:
    """What is stored of a trial: exponents with their halves, growth, both kernels, and (u, r, cosine, ē).

    `exponents` (2,), `halves` (2, 2), `growth` (2,), `readable` (2,) are of encoder and decoder, `curves`
    (2, 2, BINS) their length and kernel; `ends` (4, 2) is u, r, cosine and ē/‖dy*‖ at both ends of the
    transition; `learned` is whether dy came to its end.
    """
    network, data = trial.network(), trial.data()
    if trial.frozen:
        follow(network, data, network.middle, until=READ_BETWEEN[0])
        layer, network = network.middle, Gated(network, data[0])
    else:
        layer = network.middle
    path = follow(network, data, layer)
    part = path.transition() if not trial.frozen else slice(0, path.transition().stop)
    read = exponent(path.u[part], path.work[part]), exponent(path.r[part], path.work[part])
    ends = np.stack([path.u, path.r, path.cosine, path.mean_error / path.target])[:, part]
    return {
        "exponents": np.array([one.value for one in read]),
        "halves": np.array([one.halves for one in read]),
        "growth": np.array([one.growth for one in read]),
        "readable": np.array([one.readable for one in read]),
        "curves": np.float32([(one.length, one.kernel) for one in read]),
        "ends": ends[:, [0, -1]] if ends.shape[1] else np.full((4, 2), np.nan),
        "learned": np.bool_(path.dy[-1] >= READ_BETWEEN[1] * path.target),
    }


OUTER = 2.0
"""Squared gain of a wide network's first matrix, and of its last, over that of the others: q of (E85).

Xavier's variance of an n × m matrix is 2 g²/(n + m), which one input makes 2 g²/n and n inputs g²/n.
"""


def of_random_layers(length: np.ndarray, born: float, matrices: int, outer: float = OUTER) -> np.ndarray:
    """K_h∥ of (E85) at a rate of one and ‖dx‖ = 1, of so many wide linear matrices born random with u = born.

    K_y∥ is the same function of r and of the decoder's matrices. Raises TypeError or ValueError, naming the
    argument, where lengths or gain are not above zero or `matrices` is no whole number from one on.
    """
    require_sizes(matrices=matrices)
    born, outer = real_number("born", born, strict=True), real_number("outer", outer, strict=True)
    length = np.asarray(length)
    if length.dtype.kind not in "fiu":
        raise TypeError(f"length must be real numbers, got {length!r}")
    wrong = ~(np.isfinite(length) & (length > 0))
    if wrong.any():
        raise ValueError(f"length must be finite and > 0, got {float(length[wrong].flat[0])!r}")
    found = _of_random_layers(matrices)(length.astype(float), born, outer)
    return found + np.zeros(length.shape)  # one matrix has a constant


@cache
def _of_random_layers(matrices: int) -> Callable:
    known = equations.book["E85"].rhs[0].subs(equations.gamma_h, equations.book["E44"].rhs[0])
    known = known.subs({equations.encoder: matrices, equations.eta: 1, equations.dx2: 1}).doit()
    return equations.numeric(known, equations.u, equations.u_0, equations.outer)


def told(trial: MapTrial) -> dict[str, np.ndarray]:
    """The exponents (2,) of encoder and decoder, and the slopes (2,) of (E85) at the same lengths.

    A slope is told the length at birth, the number of matrices, and where the kernel was measured.
    """
    network, data = trial.network(), trial.data()
    start = look(network, data, network.middle)
    read = exponents(follow(network, data, network.middle))
    formula = [slope_told(trial, start, which, one.length) for which, one in enumerate(read)]
    return {"exponents": np.float32([one.value for one in read]), "formula": np.float32(formula)}


def slope_told(trial: MapTrial, start: Look, which: int, length: np.ndarray) -> float:
    """The slope of (E85) in ln u, or for which = 1 in ln r, at those lengths of (n,) that are no NaN."""
    depth = trial.hidden_layers
    born, matrices = [(start.u, depth // 2 + 1), (start.r, depth - depth // 2)][which]
    length = np.float64(length[np.isfinite(length)])
    if len(length) < 2:
        return np.nan
    return float(np.polyfit(np.log(length), np.log(of_random_layers(length, born, matrices)), 1)[0])


# --- what gates and biases do ------------------------------------------------------------------

STAGES = (0.05, 0.2, 0.5, 0.8, 0.95)
"""Shares of the target at which a network is taken apart."""


def taken_apart(trial: MapTrial) -> dict[str, np.ndarray]:
    """A network at STAGES of its transition: shares of its kernels, and gates that changed sides.

    `bias_h` is the biases' share of K_h along dh, `gates_h` the part of the gates over that along (negative
    where they take away), `bias_y` the biases' share of the decoder's |∂dy|²; `flipped` is the share of
    encoder units, at either point, on another side of zero than at the first stage, `differ` of those whose
    sides at both points differ. Each (STAGES,).
    """
    network, data = trial.network(), trial.data()
    rows, first = [], None
    for stage in STAGES:
        follow(network, data, network.middle, until=stage)
        seen, sides = measure(network, data, network.middle), _sides(network, data[0])
        first = sides if first is None else first
        along = seen.parts_h["along"]
        rows.append((
            seen.bias_h / along, seen.parts_h["gates"] / along, seen.bias_y / seen.output_y,
            float((sides != first).float().mean()), float((sides[0] != sides[1]).float().mean()),
        ))  # fmt: skip
    names = ("bias_h", "gates_h", "bias_y", "flipped", "differ")
    return dict(zip(names, np.float32(rows).T, strict=True))


def _sides(network: FullyConnected, inputs: torch.Tensor) -> torch.Tensor:
    """Whether each unit of the encoder is above zero, (2, units of all its layers)."""
    x, sides = inputs, []
    for name, module in network.net.named_children():
        x = module(x)
        if isinstance(module, nn.Linear):
            sides.append(x > 0)
        if f"net.{name}" == network.middle:
            break
    return torch.cat(sides, dim=1)

"""How many directions: continuous depth, its reduction to few modes, and what no output can see.

Kidger's neural differential equations (row 21), Lehtimäki et al.'s reduction of neural ODEs (row 23) and
Bushnaq et al.'s interaction basis (row 1).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import nn

from ..experiments.held_out import learned_share
from ..experiments.measures import growth_exponent
from ..experiments.trial import Watch
from ..fit import MIN_ROWS, fit_rates
from ..networks import FullyConnected
from ..state import Run
from ..tasks import Data, digits
from ..training import hidden, train
from .system import Pair, Study, System, centred_pair, dense, drawn, function_pair, paper_pair

Arrays = dict[str, np.ndarray]

STEPS = 8
"""Steps of the solver between s = 0 and s = 1; eight of rk4 suffice."""


def odeint(*arguments, **options) -> torch.Tensor:
    """Integrate by torchdiffeq, imported by the first call: that takes a third of the time of torch."""
    from torchdiffeq import odeint as integrate

    return integrate(*arguments, **options)


# --- 21, neural differential equations (Kidger 2022, arXiv:2202.02435) ------------------------


class Field(nn.Module):
    """The velocity f(h, s) = W₂ tanh(W₁h + b₁) + b₂, the same at every depth s."""

    def __init__(self, gain: float, state: int, units: int):
        super().__init__()
        self.enter, self.leave = dense(state, units, gain), dense(units, state, gain)

    def forward(self, s: torch.Tensor, h: torch.Tensor) -> torch.Tensor:
        """Velocity (points, state) at depth s of the states h."""
        return self.leave(torch.tanh(self.enter(h)))


class NODE(nn.Module):
    """A neural ordinary differential equation: h(0) = W₀x + b₀, dh/ds = f(h, s), y = R h(1) + c.

    Kidger (2022); torchdiffeq's `odeint` takes `steps` steps of `method`: "rk4", or "euler", which is a
    residual network whose blocks share their weights. The module `at.k` sees h at s = k/steps.
    """

    def __init__(
        self, gain: float, *, method: str = "rk4", steps: int = STEPS, state: int = 32, units: int = 32
    ):
        super().__init__()
        self.method, self.steps = method, steps
        self.lift, self.read = dense(1, state, gain), dense(state, 1, gain)
        self.field = Field(gain, state, units)
        self.at = nn.ModuleList(nn.Identity() for _ in range(steps + 1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Outputs (points, 1) for inputs (points, 1)."""
        s = torch.linspace(0, 1, self.steps + 1, dtype=x.dtype)
        h = self.at[0](self.lift(x))
        for k, see in enumerate(self.at[1:]):
            h = see(odeint(self.field, h, s[k : k + 2], method=self.method)[-1])
        return self.read(h)


class ResNet(nn.Module):
    """A residual network whose blocks share nothing: h_{k+1} = h_k + f_k(h_k)/L, k = 0 … L − 1.

    The control of `NODE`: as many Euler steps, no common field. `at.k` sees h_k. With `scale` 1, and not
    1/L, it has no limit in L.
    """

    def __init__(
        self,
        gain: float,
        *,
        blocks: int = STEPS,
        state: int = 32,
        units: int = 32,
        scale: float | None = None,
    ):
        super().__init__()
        self.scale = 1 / blocks if scale is None else scale
        self.lift, self.read = dense(1, state, gain), dense(state, 1, gain)
        self.blocks = nn.ModuleList(Field(gain, state, units) for _ in range(blocks))
        self.at = nn.ModuleList(nn.Identity() for _ in range(blocks + 1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Outputs (points, 1) for inputs (points, 1)."""
        h = self.at[0](self.lift(x))
        for k, (block, see) in enumerate(zip(self.blocks, self.at[1:], strict=True)):
            h = see(h + self.scale * block(k / len(self.blocks), h))
        return self.read(h)


class CDE(nn.Module):
    """A neural controlled differential equation: h(0) = ζ(X₀), dh = F(h) dX, y = R h(end) + c.

    X is the path of straight lines through the observations (s, u(s)), F(h) a matrix (state, 2) for each
    h; one step of torchdiffeq an interval, in which dX is constant. Kidger (2022), chapter 3. Inputs are
    sequences (points, length), observed at evenly spaced `s` unless others are given.
    """

    def __init__(self, gain: float, *, method: str = "rk4", state: int = 32, units: int = 32):
        super().__init__()
        self.method = method
        self.lift, self.read, self.end = dense(2, state, gain), dense(state, 1, gain), nn.Identity()
        self.field = Field(gain, state, units)
        self.field.leave = dense(units, 2 * state, gain)

    def forward(self, u: torch.Tensor, s: torch.Tensor | None = None) -> torch.Tensor:
        """Outputs (points, 1) for sequences (points, length)."""
        s = torch.linspace(0, 1, u.shape[1], dtype=u.dtype) if s is None else s
        path = torch.stack((s.expand_as(u), u), dim=2)
        h, unit = self.lift(path[:, 0]), torch.tensor([0.0, 1.0], dtype=u.dtype)
        for step in path.diff(dim=1).unbind(dim=1):
            along = lambda r, h, step=step: (self.field(r, h).view(len(h), -1, 2) @ step[:, :, None])[:, :, 0]
            h = odeint(along, h, unit, method=self.method)[-1]
        return self.read(self.end(h))


# --- 23, model order reduction (Lehtimäki, Paunonen, Linne 2021, arXiv:2105.14070) ------------

GRID = torch.linspace(-1.5, 1.5, 61, dtype=torch.float64)[:, None]
"""Inputs of the snapshots, which hold both points and what lies between and around them."""

MOMENTS = 41
"""Depths s between 0 and 1 at which each input is looked at."""


def snapshots(node: NODE, inputs: torch.Tensor = GRID) -> tuple[np.ndarray, np.ndarray]:
    """States h(s) and activations tanh(W₁h + b₁), one column an input and a depth: (state, n), (units, n)."""
    with torch.no_grad():
        s = torch.linspace(0, 1, MOMENTS, dtype=inputs.dtype)
        h = odeint(node.field, node.lift(inputs), s, method="rk4").flatten(0, 1)
        return h.numpy().T, torch.tanh(node.field.enter(h)).numpy().T


def pod(columns: np.ndarray, k: int) -> np.ndarray:
    """Proper orthogonal decomposition: the k leading left singular vectors of the snapshots."""
    return np.linalg.svd(columns, full_matrices=False)[0][:, :k]


def deim(modes: np.ndarray) -> list[int]:
    """Discrete empirical interpolation: one row for each mode, where the rows so far miss it most."""
    rows = [int(np.argmax(np.abs(modes[:, 0])))]
    for k in range(1, modes.shape[1]):
        so_far = modes[:, :k]
        missed = modes[:, k] - so_far @ np.linalg.solve(so_far[rows], modes[rows, k])
        rows.append(int(np.argmax(np.abs(missed))))
    return rows


def reduced(node: NODE, k: int, m: int, *, basis: np.ndarray | None = None) -> NODE:
    """POD-DEIM: the node on k directions V, whose nonlinearity is computed in m units P alone.

    x' = N tanh(Ãx + b_P) + Vᵀb₂ with Ã = (W₁V)_P and N = VᵀW₂U(U_P)⁻¹, U the m modes of the activations: a
    small `NODE`, which can be trained on. `basis` is another V (state, k): the fake is a random one.
    """
    states, activations = snapshots(node)
    V, U = pod(states, k) if basis is None else basis, pod(activations, m)
    rows = deim(U)
    enter, leave = node.field.enter, node.field.leave
    small = NODE(1.0, method=node.method, steps=node.steps, state=k, units=m)
    _fill(small.lift, V.T @ _array(node.lift.weight), V.T @ _array(node.lift.bias))
    _fill(small.field.enter, (_array(enter.weight) @ V)[rows], _array(enter.bias)[rows])
    spread = np.linalg.solve(U[rows].T, (V.T @ _array(leave.weight) @ U).T).T
    _fill(small.field.leave, spread, V.T @ _array(leave.bias))
    _fill(small.read, _array(node.read.weight) @ V, _array(node.read.bias))
    return small


def pruned(node: NODE, m: int) -> NODE:
    """The node with the m units of its field that move h most: ‖column of W₂‖ times root mean square."""
    _, activations = snapshots(node)
    moves = np.linalg.norm(_array(node.field.leave.weight), axis=0) * np.sqrt(np.mean(activations**2, axis=1))
    rows = np.argsort(moves)[-m:]
    state, enter, leave = len(node.lift.weight), node.field.enter, node.field.leave
    small = NODE(1.0, method=node.method, steps=node.steps, state=state, units=m)
    small.lift, small.read = node.lift, node.read
    _fill(small.field.enter, _array(enter.weight)[rows], _array(enter.bias)[rows])
    _fill(small.field.leave, _array(leave.weight)[:, rows], _array(leave.bias))
    return small


def truncated(node: NODE, rank: int) -> NODE:
    """The node with W₁ and W₂ cut to their leading singular values: fewer numbers, as many units."""
    units, state = node.field.enter.weight.shape
    small = NODE(1.0, method=node.method, steps=node.steps, state=state, units=units)
    small.lift, small.read = node.lift, node.read
    for old, new in ((node.field.enter, small.field.enter), (node.field.leave, small.field.leave)):
        left, size, right = np.linalg.svd(_array(old.weight), full_matrices=False)
        _fill(new, left[:, :rank] * size[:rank] @ right[:rank], _array(old.bias))
    return small


def _array(tensor: torch.Tensor) -> np.ndarray:
    return tensor.detach().numpy()


def _fill(layer: nn.Linear, weight: np.ndarray, bias: np.ndarray) -> None:
    """Put weights and biases into a layer of their shape."""
    with torch.no_grad():
        layer.weight.copy_(torch.as_tensor(weight))
        layer.bias.copy_(torch.as_tensor(bias))


# --- 1, degeneracy and the interaction basis (Bushnaq et al. 2024, arXiv:2405.10927) ----------

NOTHING = 1e-10
"""Share of the largest eigenvalue below which a direction is taken to be absent."""


def looked_at(network: nn.Module, inputs: torch.Tensor, layer: str) -> tuple[np.ndarray, np.ndarray]:
    """H (points, units) at a layer, and the gradients of the outputs there, (points, n_out, units)."""
    seen = {}
    hook = dict(network.named_modules())[layer].register_forward_hook(lambda _, __, h: seen.update(h=h))
    outputs = network(inputs)
    hook.remove()
    gradients = [torch.autograd.grad(column.sum(), seen["h"], retain_graph=True)[0] for column in outputs.T]
    return _array(seen["h"]), _array(torch.stack(gradients, dim=1))


def hidden_pair(network: nn.Module, inputs: torch.Tensor, layer: str) -> np.ndarray:
    """The difference dh (units,) of two points at a layer: the second less the first."""
    first, second = _array(hidden(network, inputs, [layer])[layer])
    return second - first


def folded(h: np.ndarray) -> np.ndarray:
    """Activations with the bias folded in, as a unit that is always 1."""
    return np.column_stack([h, np.ones(len(h))])


def rank(vectors: np.ndarray) -> int:
    """Number of directions that the rows of `vectors` need: of their Gram matrix, above NOTHING."""
    sizes = np.linalg.svd(vectors.reshape(-1, vectors.shape[-1]), compute_uv=False) ** 2
    return int((sizes > NOTHING * sizes[0]).sum())


def degeneracies(h: np.ndarray, gradients: np.ndarray) -> tuple[int, int, int]:
    """Directions that a layer has too many of: activations (i), gradients (ii), ReLU patterns (iii).

    (i) units and bias less the rank of E[hhᵀ]; (ii) units less the rank of E[JᵀJ]; (iii) units less the
    number of subsets of the data on which they are positive.
    """
    patterns = np.unique((h > 0).T, axis=0)
    return h.shape[1] + 1 - rank(folded(h)), h.shape[1] - rank(gradients), h.shape[1] - len(patterns)


def interaction_basis(h: np.ndarray, gradients: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The interaction basis of a layer towards the output: (eigenvalues Λ, features f̂ (points, directions)).

    E[hhᵀ] = U D Uᵀ; E[JᵀJ] in the whitened coordinates D^−½Uᵀh is V Λ Vᵀ; f̂ = Λ^½Vᵀ D^−½Uᵀ h. Directions
    without activations are dropped. Neither Λ nor f̂, up to signs, knows which basis h is written in.
    """
    D, U = np.linalg.eigh(h.T @ h / len(h))
    kept = NOTHING * D[-1] < D
    D, U = D[kept], U[:, kept]
    slopes = (gradients @ U * np.sqrt(D)).reshape(-1, len(D))
    size, V = np.linalg.eigh(slopes.T @ slopes / len(h))
    size, V = np.maximum(size[::-1], 0), V[:, ::-1]
    return size, (h @ U / np.sqrt(D)) @ V * np.sqrt(size)


def seen_part(dh: np.ndarray, gradients: np.ndarray) -> np.ndarray:
    """The part of dh in the span of the outputs' gradients at both points, (2, n_out, units)."""
    rows = gradients.reshape(-1, len(dh))
    _, sizes, directions = np.linalg.svd(rows, full_matrices=False)
    kept = directions[sizes**2 > NOTHING * sizes[0] ** 2]
    return kept.T @ (kept @ dh)


def unseen(dh: np.ndarray, gradients: np.ndarray) -> float:
    """Share of ‖dh‖² outside the span of the outputs' gradients at both points, (2, n_out, units)."""
    inside = seen_part(dh, gradients)
    return float(1 - inside @ inside / (dh @ dh))


def angle(one: np.ndarray, other: np.ndarray) -> float:
    """The angle between two vectors in degrees, by a formula that is exact where it is small."""
    first, second = one / np.linalg.norm(one), other / np.linalg.norm(other)
    return float(np.degrees(2 * np.arctan2(np.linalg.norm(first - second), np.linalg.norm(first + second))))


def kernel_turn(network: nn.Module, inputs: torch.Tensor, layer: str) -> float:
    """Angle, in degrees, by which the encoder's kernel turns the decoder's direction.

    The weights move dh along K ρ, with ρ the mean gradient of the output and K = ∂dh/∂θ (∂dh/∂θ)ᵀ; the area
    of dh and ρ is conserved only where that is along ρ itself.
    """
    _, gradients = looked_at(network, inputs, layer)
    seen, parameters = {}, list(network.parameters())
    hook = dict(network.named_modules())[layer].register_forward_hook(lambda _, __, h: seen.update(h=h))
    network(inputs)
    hook.remove()
    rho = gradients.mean(axis=(0, 1))
    rows = [torch.autograd.grad(one, parameters, retain_graph=True, allow_unused=True, materialize_grads=True)
            for one in seen["h"][1] - seen["h"][0]]  # fmt: skip
    slopes = np.stack([np.concatenate([_array(part).ravel() for part in row]) for row in rows])
    return angle(rho, slopes @ (slopes.T @ rho))


def stretched(rows: Iterable[np.ndarray], points: int = 61) -> np.ndarray:
    """The median of several courses, each stretched to as many points from its start to its end, (points,).

    A row ends where its run had learned; what lies behind is NaN and is left out.
    """
    even, each = np.linspace(0, 1, points), []
    for row in rows:
        there = row[np.isfinite(row)]
        each.append(np.interp(even, np.linspace(0, 1, there.size), there))
    return np.median(each, axis=0)


def needed(sizes: np.ndarray, share: float = 0.99) -> int:
    """How many of the sizes, the largest first, hold a share of their sum."""
    return int(np.searchsorted(np.cumsum(np.sort(sizes)[::-1]) / np.sum(sizes), share) + 1)


# --- what is trained ---------------------------------------------------------------------------


def node(gain: float) -> NODE:
    """The neural ODE of row 21: 32 dimensions, 32 units, eight steps of rk4."""
    return NODE(gain)


def euler(gain: float) -> NODE:
    """The same field in eight Euler steps: a residual network that shares its weights."""
    return NODE(gain, method="euler")


def start_on_a_line(gain: float) -> NODE:
    """The same, reduced to one direction and two units: states on a line, which cannot cross."""
    return reduced(NODE(gain, units=64), 1, 2)


def start_reduced(gain: float) -> NODE:
    """A neural ODE of 64 units, reduced to two directions and three units before it is trained."""
    return reduced(NODE(gain, units=64), 2, 3)


SYSTEMS = (
    System("node", 21, "Neural ODE", node, layer="at.8", properties={"shares"}),
    System(
        "node-euler", 21, "Neural ODE in Euler steps", euler, layer="at.8", properties={"shares"},
        arm="eight Euler steps in the place of rk4: a residual network whose blocks share their weights"),
    System(
        "node-unshared", 21, "Residual blocks", ResNet, layer="at.8",
        arm="control: eight residual blocks with weights of their own"),
    System(
        "node-half", 21, "Neural ODE, halfway", node, layer="at.4", properties={"shares"},
        arm="h(½), with half of the flow in the decoder"),
    System(
        "node-cde", 21, "Neural CDE", CDE, layer="end", pair=function_pair(8), properties={"shares", "gates"},
        arm="a controlled equation, driven by a sequence of eight"),
    System(
        "node-reduced", 23, "Neural ODE, reduced by POD-DEIM", start_reduced, layer="at.8",
        properties={"shares"}),
    System(
        "node-line", 23, "Neural ODE, reduced to a line", start_on_a_line, layer="at.8",
        properties={"shares"}, arm="control: one direction and two units"),
)  # fmt: skip


# --- studies -----------------------------------------------------------------------------------

RICH, LAZY = 0.35, 1.5
"""Gains of neural ODEs at which dh grows several times, and at which it hardly moves."""


def depth(seed: int) -> Arrays:
    """What (7) makes of every depth s = k/8 of one run, for a neural ODE and for unshared blocks.

    Arrays (2, 9, ...), kind and depth: rates (2), r2 (3) and start (3) of the fit from epoch 0, the exponent
    of ‖dh‖² against the learned share, turn in degrees; loss (2,) at the end.
    """
    return _stacked([_depth(seed, kind) for kind in (NODE, ResNet)])


def _depth(seed: int, kind: Callable) -> Arrays:
    layers = [f"at.{k}" for k in range(STEPS + 1)]
    network = drawn(seed, lambda: kind(RICH))
    run = train(
        network, paper_pair(0.5), lr=0.1, epochs=4000, layer=layers, stop_at_loss=1e-7, progress=False
    )
    fits = [fit_rates(run.t, run.trajectory[name], run.task, unconverged="keep") for name in layers]
    return {
        "rates": np.array([[*fit.rates] for fit in fits]),
        "r2": np.array([[*fit.r2] for fit in fits]),
        "start": np.array([[*fit.start] for fit in fits]),
        "exponent": np.array([growth_exponent(run.trajectory[name], run.task) for name in layers]),
        "turn": np.array([run.rotation[name] for name in layers]),
        "loss": run.loss[-1],
    }


MODES = range(1, 7)
"""Directions k that a reduced network keeps, each with k + 1 units."""

WAYS: dict[str, Callable[[NODE, int], NODE]] = {
    "POD-DEIM": lambda node, k: reduced(node, k, k + 1),
    "neurons pruned": lambda node, k: pruned(node, k + 1),
    "weights truncated": lambda node, k: truncated(node, k),
    "random directions": lambda node, k: reduced(node, k, k + 1, basis=_random_basis(node, k)),
}
"""How a neural ODE is made smaller to k directions, or k + 1 units: the paper's way, its rivals, a fake."""

LATE = 0.5
"""Learned share of dy* at which a network is reduced in the midst of its training."""


def reduction(seed: int) -> Arrays:
    """What reduced neural ODEs of 64 units keep, from rich and from lazy starts, arrays (2, ...).

    missed (2, 2, ways, 6): rich or lazy, before and after training, the largest difference of the output for
    each of WAYS and MODES, over its range. pair (2, 2, 6): relative error of ‖dh‖², ‖dy‖² of the two points
    after training, by POD-DEIM. modes (2, 2, 8): sizes of the first singular values of the states.
    rates, r2 (2, 3, ...): (7) fitted to the training from LATE on (from the start where that lies beyond), of
    the whole network and of those reduced to one and to two directions then; gone (2, 2, 2): how far ‖dh‖²
    and ‖dy‖² of these two are from its own.
    """
    return _stacked([_reduction(seed, gain, lr) for gain, lr in ((RICH, 0.1), (LAZY, 0.01))])


def _reduction(seed: int, gain: float, lr: float) -> Arrays:
    data, node = paper_pair(0.5), drawn(seed, lambda: NODE(gain, units=64))
    missed, modes = [_all_missed(node)], [_sizes(node)]
    again = drawn(seed, lambda: NODE(gain, units=64))
    run = train(node, data, lr=lr, epochs=2000, layer="at.8", stop_at_loss=1e-7, progress=False)
    late = int(np.argmax(learned_share(run.trajectory, run.task.dy2_target) > LATE))
    missed, modes = [*missed, _all_missed(node)], [*modes, _sizes(node)]
    train(again, data, lr=lr, epochs=max(late, 1), layer="at.8", progress=False)
    kinds = (again, reduced(again, 1, 2), reduced(again, 2, 3))
    rest = max(len(run) - late, 3 * MIN_ROWS)
    runs = [train(one, data, lr=lr, epochs=rest, layer="at.8", progress=False) for one in kinds]
    fits = [fit_rates(one, unconverged="keep") for one in runs]
    return {
        "missed": np.array(missed),
        "modes": np.array(modes),
        "pair": np.array([_pair_errors(node, reduced(node, k, k + 1), data) for k in MODES]).T,
        "rates": np.array([[*fit.rates] for fit in fits]),
        "r2": np.array([[*fit.r2] for fit in fits]),
        "gone": np.array([_distances_apart(one, runs[0]) for one in runs[1:]]),
        "loss": np.array([one.loss[-1] for one in runs]),
    }


def output_missed(node: NODE, other: NODE) -> float:
    """Largest difference of two networks' outputs over the inputs of the snapshots, over their range."""
    with torch.no_grad():
        outputs = node(GRID)
        return float((other(GRID) - outputs).abs().max() / (outputs.max() - outputs.min()))


def _all_missed(node: NODE) -> list[list[float]]:
    return [[output_missed(node, way(node, k)) for k in MODES] for way in WAYS.values()]


def _sizes(node: NODE) -> np.ndarray:
    return np.linalg.svd(snapshots(node)[0], compute_uv=False)[:8]


def _random_basis(node: NODE, k: int) -> np.ndarray:
    """Orthonormal directions that have nothing to do with the node, the same in each process."""
    return np.linalg.qr(np.random.default_rng(0).normal(size=(len(node.lift.weight), k)))[0]


def _pair_errors(node: NODE, other: NODE, data) -> list[float]:
    """Relative errors of ‖dh‖² and ‖dy‖² of two points."""
    squares = []
    for network in (node, other):
        dh, dy = hidden_pair(network, data[0], "at.8"), np.diff(_array(network(data[0])), axis=0)
        squares.append((np.sum(dh**2), np.sum(dy**2)))
    return [abs(found / whole - 1) for whole, found in zip(*squares, strict=True)]


def _distances_apart(run: Run, whole: Run) -> list[float]:
    """Root mean square difference of ‖dh‖² and of ‖dy‖² between two runs, over that of the second."""
    pairs = zip([*run.trajectory][:2], [*whole.trajectory][:2], strict=True)
    return [float(np.sqrt(np.mean((one - other) ** 2) / np.mean(other**2))) for one, other in pairs]


# --- where dh turns ---


@dataclass(frozen=True)
class Turning:
    """A network whose dh is watched: `make(gain)`, its layer and data, (gain, lr, epochs) of two starts."""

    make: Callable[[float], nn.Module]
    layer: str
    pair: Pair
    rich: tuple[float, float, int]
    lazy: tuple[float, float, int]


def _layers(count: int, units: int, nonlinearity: str) -> Callable[[float], FullyConnected]:
    def make(gain: float) -> FullyConnected:
        seed, kind = int(torch.randint(2**31, ())), {"nonlinearity": nonlinearity, "dtype": torch.float64}
        return FullyConnected(hidden_layers=count, units=units, gain=gain, seed=seed, **kind)

    return make


TURNING = {
    "one linear layer": Turning(
        _layers(1, 100, "none"), "net.1", centred_pair, (0.1, 0.2, 240), (3, 0.01, 120)),
    "three layers": Turning(
        _layers(3, 32, "leaky_relu"), "net.3", paper_pair, (0.5, 0.1, 600), (2, 0.005, 240)),
    "neural ODE": Turning(NODE, "at.4", paper_pair, (RICH, 0.1, 240), (LAZY, 0.01, 60)),
    "twenty layers": Turning(
        _layers(20, 50, "leaky_relu"), "net.21", paper_pair, (1.05, 0.005, 6000), (1.3, 0.00075, 6000)),
}  # fmt: skip
"""Networks of row 1's question; the last is Table 1's narrow one, whose lazy start has the gain of "High"."""

TURN_LOOKS = 61
"""Looks at a network: sixty in the course of its training, one behind it; NaN where it had learned before."""


def turning(seed: int) -> Arrays:
    """Share of ‖dh‖² that the output does not see, over training: arrays (networks, 2, 61), rich and lazy.

    unseen: share outside the span of the output's gradients at both points; old: of those before training;
    sine2: squared sine of the angle to their mean D_y; dh2, slope2: ‖dh‖², ‖D_y‖²; learned: dy over dy*;
    turn, turn_seen: angle, in degrees, that dh and its seen part have turned by.
    """
    return _stacked([_stacked([turned(seed, one, how) for how in (one.rich, one.lazy)])
                     for one in TURNING.values()])  # fmt: skip


CENTRED = ("three layers", "neural ODE")
"""Networks of TURNING that are trained on centred points as well, where there is no mean to be learned."""


def turning_centred(seed: int) -> Arrays:
    """The same on centred points, from rich starts: arrays (2, 61), a row a network of CENTRED."""
    chosen = [replace(TURNING[name], pair=centred_pair) for name in CENTRED]
    return _stacked([turned(seed, one, one.rich) for one in chosen])


def turned(seed: int, one: Turning, how: tuple[float, float, int]) -> Arrays:
    """One network of `turning` from one start: arrays (61,)."""
    (gain, lr, epochs), data = how, one.pair(0.5)
    network, looks = drawn(seed, lambda: one.make(gain)), []
    watch = Watch(lambda seen: looks.append(_look(seen, data, one.layer)), epochs // (TURN_LOOKS - 1))
    kind = watch.optimizer(None, network)
    train(
        network,
        data,
        lr=lr,
        epochs=epochs,
        layer=one.layer,
        optimizer=kind,
        stop_at_loss=1e-6,
        progress=False,
    )
    looks.append(_look(network, data, one.layer))
    found = _stacked([_seen(*look, *looks[0]) for look in looks])
    return {name: _to_length(values) for name, values in found.items()}


def _to_length(values: np.ndarray) -> np.ndarray:
    """The looks filled up with NaN, the last of them at the end."""
    row = np.full(TURN_LOOKS, np.nan)
    row[: len(values) - 1], row[-1] = values[:-1], values[-1]
    return row


def _look(network: nn.Module, data, layer: str) -> tuple[np.ndarray, np.ndarray, float]:
    """dh, the gradients at both points and the share of dy* that is learned."""
    h, gradients = looked_at(network, data[0], layer)
    outputs, targets = _array(network(data[0]))[:, 0], data[1].numpy()[:, 0]
    return h[1] - h[0], gradients, float((outputs[1] - outputs[0]) / (targets[1] - targets[0]))


def _seen(dh, gradients, learned, first_dh, first_gradients, _) -> Arrays:
    """What is kept of one look, beside the first one."""
    mean = gradients.mean(axis=(0, 1))
    kept = {
        "unseen": unseen(dh, gradients),
        "old": unseen(dh, first_gradients),
        "sine2": unseen(dh, mean[None, None]),
        "dh2": dh @ dh,
        "slope2": mean @ mean,
        "learned": learned,
        "turn": angle(first_dh, dh),
        "turn_seen": angle(seen_part(first_dh, first_gradients), seen_part(dh, gradients)),
    }
    return {name: np.float64(value) for name, value in kept.items()}


# --- digits ---

ARMS = {"rich": (0.35, False), "lazy": (1.5, False), "rich, labels shuffled": (0.35, True)}
"""Gain, and whether the labels are shuffled, of the networks that learn digits."""

HIDDEN_LAYERS = 4
"""Hidden layers, of 24 tanh units each."""


def interactions(seed: int) -> Arrays:
    """Directions that matter in four layers of 24 units, before and after they learn 256 digits.

    Arrays (arms, 2, 4): basis, the directions of the interaction basis that hold 99% of its eigenvalues;
    principal, those of the activations that hold 99% of E[hhᵀ]; activations, gradients, the ranks. right
    (arms, 2, 2): share of digits named as their label says, of those that are learned and of the others.
    """
    return _stacked([_interactions(seed, gain, shuffled) for gain, shuffled in ARMS.values()])


def _interactions(seed: int, gain: float, shuffled: bool) -> Arrays:
    inputs, targets = digits(dtype=torch.float64)
    own, others = (inputs[:256], targets[:256]), (inputs[256:], targets[256:])
    if shuffled:
        order = torch.randperm(256, generator=torch.Generator().manual_seed(seed))
        own = own[0], own[1][order]
    kind = {"hidden_layers": HIDDEN_LAYERS, "units": 24, "nonlinearity": "tanh", "dtype": torch.float64}
    network = FullyConnected(64, 10, gain=gain, seed=seed, **kind)
    before = _counts(network, own, others)
    train(network, own, lr=0.1, epochs=3000, layer=network.middle, progress=False)
    return _stacked([before, _counts(network, own, others)])


def _counts(network: FullyConnected, own: Data, others: Data) -> Arrays:
    found = []
    for k in range(HIDDEN_LAYERS):
        h, gradients = looked_at(network, own[0], network.layer(k))
        found.append({
            "basis": np.int32(needed(interaction_basis(h, gradients)[0])),
            "principal": np.int32(needed(np.linalg.svd(h, compute_uv=False) ** 2)),
            "activations": np.int32(rank(folded(h))),
            "gradients": np.int32(rank(gradients)),
        })  # fmt: skip
    return _stacked(found) | {"right": np.array([_right(network, data) for data in (own, others)])}


def _right(network: nn.Module, data: Data) -> float:
    with torch.no_grad():
        return float((network(data[0]).argmax(dim=1) == data[1].argmax(dim=1)).double().mean())


# --- what studies share ---


def _stacked(found: Sequence[Arrays]) -> Arrays:
    """Arrays of one name from each, one after the other."""
    return {name: np.stack([one[name] for one in found]) for name in found[0]}


STUDIES = (
    Study("node-depth", depth, 3.0, fresh=range(100, 105)),
    Study("node-reduction", reduction, 10.0, fresh=range(100, 105)),
    Study("dh-turning", turning, 20.0, fresh=range(100, 105)),
    Study("dh-turning-centred", turning_centred, 4.0, fresh=range(100, 105)),
    Study("interaction-basis", interactions, 20.0, fresh=range(100, 105)),
)

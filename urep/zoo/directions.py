"""How many directions: continuous depth, its reduction to few modes, and what no output can see.

Kidger's neural differential equations (row 21), Lehtimäki et al.'s reduction of neural ODEs (row 23) and
Bushnaq et al.'s interaction basis (row 1).
"""

from __future__ import annotations

import numpy as np
import torch
from torch import nn
from torchdiffeq import odeint

from ..training import hidden
from .system import System, function_pair

STEPS = 8
"""Steps of the solver between s = 0 and s = 1; eight of rk4 suffice."""


def dense(n_in: int, n_out: int, gain: float) -> nn.Linear:
    """A linear layer in float64 from torch's own generator: Xavier normal times the gain, zero bias."""
    layer = nn.Linear(n_in, n_out, dtype=torch.float64)
    nn.init.xavier_normal_(layer.weight, gain=gain)
    nn.init.zeros_(layer.bias)
    return layer


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


def needed(sizes: np.ndarray, share: float = 0.99) -> int:
    """How many of the sizes, the largest first, hold a share of their sum."""
    return int(np.searchsorted(np.cumsum(np.sort(sizes)[::-1]) / np.sum(sizes), share) + 1)


def unseen(dh: np.ndarray, gradients: np.ndarray) -> float:
    """Share of ‖dh‖² outside the span of the outputs' gradients at both points, (2, n_out, units)."""
    rows = gradients.reshape(-1, len(dh))
    _, sizes, directions = np.linalg.svd(rows, full_matrices=False)
    inside = directions[sizes**2 > NOTHING * sizes[0] ** 2] @ dh
    return float(1 - inside @ inside / (dh @ dh))


# --- what is trained ---------------------------------------------------------------------------


def node(gain: float) -> NODE:
    """The neural ODE of row 21: 32 dimensions, 32 units, eight steps of rk4."""
    return NODE(gain)


def euler(gain: float) -> NODE:
    """The same field in eight Euler steps: a residual network that shares its weights."""
    return NODE(gain, method="euler")


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
        "node-cde", 21, "Neural CDE", CDE, layer="end", pair=function_pair(8), properties={"shares", "gates"},
        arm="a controlled equation, driven by a sequence of eight"),
    System(
        "node-reduced", 23, "Neural ODE, reduced by POD-DEIM", start_reduced, layer="at.8",
        properties={"shares"}),
)  # fmt: skip
STUDIES = ()

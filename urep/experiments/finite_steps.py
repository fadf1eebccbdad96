"""What the chapter on finite steps trains and compares: linear layers, noise at rest, deep networks.

`conserved` has the formulas, in letters per epoch, and what is stored of a seed. Here h is the length of a
step, a quarter of the learning rate, and weights are p and ρ, (starts, units).
"""

from __future__ import annotations

import numpy as np
import torch

from .. import equations as eq
from .. import exact
from ..networks import FullyConnected
from ..state import Rates, State, TwoPoint
from ..tasks import two_points
from ..training import train_many
from . import conserved, one_layer, runs

Arrays = dict[str, np.ndarray]

_END = eq.numeric(eq.book["E57"].rhs[1], eq.c, eq.C, eq.s, eq.tau_y)

LEAST = 1e-6
"""A smaller distance counts as this: below it, the digits are those of the machine."""

# --- one linear layer --------------------------------------------------------------------------


def factor(P, R, m, h: float, order: int = 2) -> np.ndarray:
    """The factor g of (E71) on c and C, for |p|², |ρ|² and p·ρ before the first step."""
    S = P + R
    return np.exp(conserved.log_shrunk(h * (S + 2 * m), h * (S - 2 * m), h * conserved.TARGET, order))


def numbers(p: np.ndarray, rho: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """|p|², |ρ|² and p·ρ of each start."""
    return (p**2).sum(1), (rho**2).sum(1), (p * rho).sum(1)


def predicted(p: np.ndarray, rho: np.ndarray, g) -> np.ndarray:
    """‖dh‖² at the end by (E57), for c and C that have shrunk by g; g = 1 is the flow."""
    P, R, m = numbers(p, rho)
    C = np.sqrt((P + R + 2 * m) * (P + R - 2 * m))
    return _END(g * (P - R), g * C, conserved.TARGET, 0.5)  # in units of h, where τ_y is a half


def ended(p: np.ndarray, rho: np.ndarray, lr: float, time: float = 120) -> np.ndarray:
    """‖dh‖² at the end of training, of networks of one linear layer that begin at these weights."""
    networks, epochs = [_linear(*pair) for pair in zip(p, rho, strict=True)], round(time / lr)
    run = train_many(networks, one_layer.pair(), lr=lr, epochs=epochs + 1, every=epochs,
                     layer=networks[0].middle)  # fmt: skip
    return run.trajectory.dh2[:, -1]


def _linear(encoder: np.ndarray, decoder: np.ndarray) -> FullyConnected:
    network = FullyConnected(hidden_layers=1, units=len(encoder), nonlinearity="none", dtype=torch.float64)
    with torch.no_grad():
        network.net[0].weight.copy_(torch.tensor(encoder)[:, None])
        network.net[2].weight.copy_(torch.tensor(decoder)[None, :])
    return network


# --- noise at rest -----------------------------------------------------------------------------


def noisy(p, rho, h: float, sigma: float, steps: int, draws: int, seed: int) -> np.ndarray:
    """The imbalance c after so many steps on noisy labels, (starts, draws)."""
    random = np.random.default_rng(seed)
    p, rho = (np.repeat(z[:, None], draws, axis=1) for z in (p, rho))
    for _ in range(steps):
        e = (p * rho).sum(-1) - conserved.TARGET + sigma * random.normal(size=p.shape[:2])
        p, rho = p - h * e[..., None] * rho, rho - h * e[..., None] * p
    return (p**2).sum(-1) - (rho**2).sum(-1)


def left_by_noise(C, h: float, sigma: float, steps: int, *, bracket: bool = True) -> np.ndarray:
    """The factor on c after so many noisy steps at rest, by (E72), or without its bracket."""
    seen = None if bracket else lambda noise, _: noise**2
    return conserved.left_by_noise(h * C, h * conserved.TARGET, h * sigma, steps, seen)


# --- what is stored ------------------------------------------------------------------------------


def ratios(sheet: Arrays, kind: str) -> list[np.ndarray]:
    """What was seen of one of `conserved.KINDS`, over its formula and over a wrong one."""
    seen, *told = np.moveaxis(sheet[kind], -1, 0)
    return [seen / z for z in told]


def misses(sheet: Arrays, kind: str) -> list[np.ndarray]:
    """Distance of what was seen from its formula and from a wrong one, (seeds,) each, LEAST at least.

    Of a kind with several cases a seed the largest. Factors on the last error differ, all else is a ratio.
    """
    if kind == "edge":
        seen, *told = np.moveaxis(sheet[kind], -1, 0)
        off = [np.abs(seen - z) for z in told]
    else:
        off = [np.abs(ratio - 1) for ratio in ratios(sheet, kind)]
    return [np.maximum(z.reshape(len(z), -1).max(axis=1), LEAST) for z in off]


def decay_misses(seen: np.ndarray, told: np.ndarray) -> np.ndarray:
    """Distance of final ‖dh‖² (seeds, widths) from what is told, as a share, the largest of each seed."""
    return np.maximum(np.abs(seen / told - 1).max(axis=1), LEAST)


# --- deep networks -----------------------------------------------------------------------------

_TASK = TwoPoint(1.0, 0.5)


def _told(sheet: Arrays, row: int) -> float:
    """Change of log ‖dh(∞)‖² by steps: the fitted (7) of a run, with (E57) at g of (E71) and at one."""
    lift = exact.lift(State(*sheet["first"][row]), _TASK, Rates(*sheet["rates"][row]))
    p, x, s = lift.p, lift.x, lift.s  # in units of one epoch
    plus, minus = (p + x) ** 2, (p - x) ** 2
    g = np.exp(conserved.log_shrunk(plus, minus, s))
    c, C = p**2 - x**2, np.sqrt(plus * minus)
    return float(np.log(_END(g * c, g * C, s, 0.5) / _END(c, C, s, 0.5)))


def changes(name: str, kind: str) -> tuple[np.ndarray, np.ndarray]:
    """Seen and predicted changes of log ‖dh(∞)‖² from the lower rate to the higher, (seeds,) each.

    `name` is a sweep of pairs of runs, the first half "narrow" and the second "tanh"; each has learned.
    """
    sheet = runs.sweep(name).load().arrays
    half = len(sheet["loss"]) // 2
    rows = np.arange(half).reshape(-1, 2) + (0 if kind == "narrow" else half)
    if not (sheet["loss"][rows] < 1e-6).all():
        raise ValueError(f"name must be a sweep of runs that learn, got {name!r}")
    told = [[_told(sheet, row) for row in pair] for pair in rows]
    return np.diff(np.log(sheet["last"][rows, 0]))[:, 0], np.diff(told)[:, 0]


def kept(nonlinearity: str, lr: float = 0.02, steps: int = 300) -> tuple[np.ndarray, np.ndarray]:
    """What training changes of the layers' differences, and the sum of the second orders of its steps.

    The network has six layers of twenty units and biases.
    """
    network = FullyConnected(
        hidden_layers=6, units=20, nonlinearity=nonlinearity, dtype=torch.float64, seed=1
    )
    inputs, targets = two_points(dtype=torch.float64)
    first, second = _differences(network, torch.detach), 0.0
    for _ in range(steps):
        network.zero_grad()
        (0.5 * (network(inputs) - targets).square().mean()).backward()
        second = second + lr**2 * _differences(network, lambda z: z.grad)
        torch.optim.SGD(network.parameters(), lr=lr).step()
    return _differences(network, torch.detach) - first, second


def _differences(network: FullyConnected, part) -> np.ndarray:
    """‖W_next‖² − ‖W‖² − ‖b‖² of neighbouring layers, of weights or of gradients."""
    layers = [z for z in network.net if isinstance(z, torch.nn.Linear)]
    matrices, biases = ([part(getattr(z, name)).square().sum().item() for z in layers]
                        for name in ("weight", "bias"))  # fmt: skip
    return np.diff(matrices) - biases[:-1]

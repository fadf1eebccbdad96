"""How far a network is from two linear maps: what the chapter on the model measures in networks.

Is it a decoder after an encoder (2)? How well do linear maps describe it near two points (5)? Do the maps
move as (6) says, and does dh keep its direction, as (19) says?
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

from ..networks import FullyConnected
from ..training import train
from ..training.loop import hidden

Curve = Callable[[torch.Tensor], torch.Tensor]
"""A smooth function of one number."""


def swap_miss(network: torch.nn.Module, inputs: torch.Tensor) -> float:
    """How far swapped representations of two points are from swapping the outputs, over ‖dy‖."""
    with torch.no_grad():
        plain = network(inputs)
        middle = network.get_submodule(network.middle)
        hook = middle.register_forward_hook(lambda _, __, h: h.flip(0))
        swapped = network(inputs)
        hook.remove()
    return float((swapped - plain.flip(0)).norm() / plain.diff(dim=0).norm())


# --- the linear approximation (5) -----------------------------------------------------------


def derivative(f: Curve) -> Curve:
    """Of a function of one number."""
    return lambda s: torch.func.jvp(f, (s,), (torch.ones_like(s),))[1]


def misses(h: Curve, size: float, centre: float = 0.0) -> tuple[float, float]:
    """Errors of (5) at the second point and for dh; h is linearised at `centre`, in units of the size."""
    at, first, second = (_number(size * place) for place in (centre, -0.5, 0.5))
    slope = derivative(h)(at)
    single = h(second) - h(at) - slope * (0.5 - centre) * size
    difference = h(second) - h(first) - slope * size
    return float(single.detach().norm()), float(difference.detach().norm())


def by_taylor(h: Curve, size: float) -> tuple[float, float]:
    """The same errors to leading order: ‖dx‖²‖h″‖/8 and ‖dx‖³‖h‴‖/24."""
    second = derivative(derivative(h))
    third = derivative(second)
    one, other = (f(_number(0.0)).detach().norm() for f in (second, third))
    return float(size**2 * one / 8), float(size**3 * other / 24)


def _number(value: float) -> torch.Tensor:
    return torch.tensor(value, dtype=torch.float64)


# --- the motion of the Jacobians (6) --------------------------------------------------------


def jacobians(network: FullyConnected, layer: int) -> tuple[torch.Tensor, torch.Tensor]:
    """D_h and D_y at the input zero, for one input and a cut after this hidden layer."""
    half, rest = network.net[: 2 * layer + 2], network.net[2 * layer + 2 :]
    at = torch.zeros(1, dtype=torch.float64)
    h = half(at).detach()
    return torch.func.jacrev(half)(at).detach(), torch.func.jacrev(rest)(h).detach()


def motion(network: FullyConnected, pair, layer: int, lr: float = 1e-7) -> tuple[float, float]:
    """Of D_h in one step: cosine with the direction of (6), and speed per unit of gradient."""
    before, D_y = jacobians(network, layer)
    with torch.no_grad():
        missing = (network(pair[0]) - pair[1]).diff(dim=0)  # dy − dy*
    train(network, pair, lr=lr, epochs=1, layer=network.middle)
    moved = (jacobians(network, layer)[0] - before) / lr
    wanted = -D_y.T @ missing / 4
    cosine = (moved * wanted).sum() / (moved.norm() * wanted.norm())
    return float(cosine), float(moved.norm() / wanted.norm())


def motions(network: FullyConnected, pair, layer: int, lr: float, losses) -> list[tuple[float, float]]:
    """`motion` whenever training has brought the loss down to one of these values."""
    seen = []
    for loss in losses:
        train(network, pair, lr=lr, epochs=5000, layer=network.middle, stop_at_loss=loss)
        seen.append(motion(network, pair, layer))
    return seen


# --- the direction of dh (19) ---------------------------------------------------------------


def directions(network: FullyConnected, pair, lr: float, losses) -> np.ndarray:
    """Of dh in the middle layer, as unit vectors (1 + n, units): at the start, and at each of n losses."""
    seen = [_direction(network, pair)]
    for loss in losses:
        train(network, pair, lr=lr, epochs=4000, layer=network.middle, stop_at_loss=loss)
        seen.append(_direction(network, pair))
    return np.array(seen)


def _direction(network: FullyConnected, pair) -> np.ndarray:
    dh = hidden(network, pair[0], [network.middle])[network.middle].diff(dim=0)[0].detach()
    return (dh / dh.norm()).numpy()

"""Other spaces: functions, surfaces, graphs and sets. This module has the surfaces, and the family's list.

Systems 6 and 16 are in `operators`, 30 and 27 in `graphs`, 8 in `sets`; 18 (Riemannian features) is here.
"""

from __future__ import annotations

from collections.abc import Callable
from math import pi, sqrt

import numpy as np
import torch
from torch import nn
from torch.func import jacrev, vmap

from .. import tasks
from ..state import Run
from . import graphs, operators, sets
from .descent import adam
from .operators import fitted, trained, xavier
from .system import Pair, Settings, Study, System, function_pair

Surface = Callable[[torch.Tensor], torch.Tensor]
"""A map from parameters (u, v), a tensor (2,), to a point (3,)."""


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
    """The connection Γ^k_ij = ½ g^kl (∂_i g_jl + ∂_j g_il − ∂_l g_ij) at parameters p, by k, i, j."""
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


def surface_pair(name: str) -> Pair:
    """Makes the two places of a surface as a network sees them, with targets ∓½‖dy*‖."""

    def pair(dy2_target: float) -> tasks.Data:
        return lifted_pair(name), sqrt(dy2_target) * torch.tensor([[-0.5], [0.5]], dtype=torch.float64)

    return pair


class Lift(nn.Sequential):
    """A network that sees features and not places: 13 → 64 tanh → 1."""

    def __init__(self, features: int = 13, units: int = 64):
        super().__init__(nn.Linear(features, units), nn.Tanh(), nn.Linear(units, 1))


def lift(gain: float) -> nn.Module:
    """The network on Riemannian features, whose hidden layer is its tanh."""
    return xavier(Lift(), gain)


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
    network = xavier(Lift(x.shape[1]), 1.0)
    mean, spread = x.mean(dim=0), x.std(dim=0) + 1e-12
    y, y_test = _pressure_of(seen), _pressure_of(unseen)
    adam(network, lambda _: (network((x - mean) / spread) - y).square().mean(), steps=steps, lr=3e-3)
    with torch.no_grad():
        left = (network((x_test - mean) / spread) - y_test).square().mean()
    return float(left / y_test.var())


SWEPT = Settings(gain=0.3, lr=0.03)
"""Settings of networks on all surfaces, so that only the surface differs."""


def surfaces(seed: int) -> dict[str, np.ndarray]:
    """The constants of one network on each of SURFACES, and on what a plane and a cylinder share.

    dx2 (5,) of the lifted pair; rates (5, 2), τ_h with that dx2 and τ_y; bare (5,): τ_h with ‖d(u, v)‖²
    instead; r2 (5, 3). intrinsic (2,): the largest difference of ‖dh‖² over its end, of cylinder and of
    sphere from plane, where a network sees (u, v) and the intrinsic features alone.
    """
    pairs = [lifted_pair(name) for name in SURFACES]
    fits = [fitted(_on_features(pair, seed)) for pair in pairs]
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
    network = xavier(Lift(inputs.shape[1]), SWEPT.gain)
    targets = sqrt(0.5) * torch.tensor([[-0.5], [0.5]], dtype=torch.float64)
    return trained(network, (inputs, targets), "1", SWEPT.lr)


# --- the family -----------------------------------------------------------------------------------

ON_GRID, ON_RING = function_pair(32), function_pair(8)

SYSTEMS = (
    System("mgno", 6, "MgNO", operators.mgno, "first", ON_GRID, properties={"shares"}),
    System("mgno-gelu", 6, "MgNO, GELU", operators.mgno_gelu, "first", ON_GRID, properties={"shares"},
           arm="GELU, as its authors have it, for tanh"),
    System("mgno-uncentred", 6, "MgNO, uncentred pair", operators.mgno, "first", operators.uncentred_pair,
           properties={"shares"}, arm="control: a pair whose mean has to be learned"),
    System("fno", 16, "FNO", operators.fno, "blocks.1", ON_GRID, properties={"shares"}),
    System("fno-gelu", 16, "FNO, GELU", operators.fno_gelu, "blocks.1", ON_GRID, properties={"shares"},
           arm="GELU, as its authors have it, for tanh"),
    System("wing", 18, "Riemannian features", lift, "1", surface_pair("wing")),
    System("mpnn", 30, "Message passing, random", graphs.mpnn, "pool", ON_RING,
           properties={"shares", "kinked", "symmetric"}),
    System("mpnn-compiled", 30, "Message passing, compiled", graphs.mpnn_compiled, "pool", ON_RING,
           properties={"shares", "kinked", "symmetric"}, arm="a start in which two algorithms are compiled"),
    System("mpnn-permuted", 30, "Message passing, permuted", graphs.mpnn_permuted, "pool", ON_RING,
           settings=Settings(0.5, 1 / 30), properties={"shares", "kinked", "symmetric"},
           arm="control: the compiled start with its units permuted"),
    System("gssnn", 27, "G-SSNN, chain", graphs.gssnn, "pool", properties={"shares"}),
    System("gssnn-star", 27, "G-SSNN, star", graphs.gssnn_star, "pool", settings=Settings(0.5, 1 / 30),
           properties={"shares"}, arm="another program"),
    System("gssnn-edgeless", 27, "G-SSNN, no edges", graphs.gssnn_edgeless, "pool",
           settings=Settings(0.5, 1 / 30), properties={"shares"}, arm="control: no edges"),
    System("tversky", 8, "Tversky network", sets.tversky, "first", settings=sets.OF_SMOOTH_SETS,
           properties={"gates", "shares", "kinked"}),
    System("tversky-smooth", 8, "Tversky, smooth sets", sets.tversky_smooth, "first",
           properties={"gates", "shares"}, arm="control: sigmoid membership"),
)  # fmt: skip
STUDIES = (
    Study("surfaces", surfaces, 5.0, fresh=range(100, 105)),
    Study("pressure", pressure, 3.0, seeds=range(3), fresh=range(100, 105)),
    Study("resolution", operators.resolution, 6.0, fresh=range(100, 105)),
    Study("traces", graphs.traces, 12.0, seeds=range(3), fresh=range(100, 105)),
    Study("programs", graphs.programs, 10.0, seeds=range(3), fresh=range(100, 105)),
    Study("tversky-flips", sets.flips, 2.0, fresh=range(100, 105)),
    Study("tversky-xor", sets.tversky_xor, 2.0, seeds=range(10), fresh=range(100, 110)),
)

"""One linear layer with one output, whose representations may turn: (17) solved without (19).

In hidden space dh and the decoder's row D_y are two vectors. Scaled, p = √k_y dh and ρ = √k_h D_yᵀ with
k_h = ‖dx‖²/(2 τ_h) and k_y = 1/(2 τ_y), each moves along the other at the speed s − m, where m = p·ρ is what
has been learned and s = √(k_h k_y) ‖dy*‖ what there is to learn. So p + ρ grows by exp ϑ, p − ρ decays by it,
and the angle ϑ(t) has a closed form. The chapter on rotation derives this; here (E59), whose terms are never
negative, becomes numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import hypot, sqrt
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import sympy as sp
from numpy.typing import ArrayLike

from . import equations as eq
from .state import Rates, State, TwoPoint, times

if TYPE_CHECKING:
    from torch import nn

    from .tasks import Data


@dataclass(frozen=True, eq=False)
class Vectors:
    """dh and the decoder's row D_y of one output, (n_h,) both, or (n, n_h) over time, read-only.

    The output is turned so that its target difference is positive. Raises TypeError or ValueError naming
    the argument.
    """

    dh: np.ndarray
    row: np.ndarray

    def __post_init__(self):
        for name in ("dh", "row"):
            object.__setattr__(self, name, _vectors(name, getattr(self, name)))
        if self.dh.shape != self.row.shape:
            raise ValueError(f"dh and row must have the same shape, got {self.dh.shape} and {self.row.shape}")

    @property
    def dy(self) -> float | np.ndarray:
        """The output difference dh·D_y, positive towards the target."""
        return _dot(self.dh, self.row)

    @property
    def dh2(self) -> float | np.ndarray:
        """‖dh‖², the squared distance of the two representations."""
        return _dot(self.dh, self.dh)

    @property
    def row2(self) -> float | np.ndarray:
        """‖D_y‖², the squared length of the decoder's row."""
        return _dot(self.row, self.row)

    def state(self, task: TwoPoint) -> State:
        """The three variables (8) of a task."""
        dy = self.dy
        return State(self.dh2, dy**2, dy * (dy - sqrt(task.dy2_target)))

    def turned(self, start: Vectors) -> float | np.ndarray:
        """Angle in degrees between dh here and dh of a start, without the rounding of an arccosine.

        Raises ValueError where one of them is zero and has no direction.
        """
        if not (np.linalg.norm(self.dh, axis=-1).all() and np.linalg.norm(start.dh)):
            raise ValueError("dh must not be zero where its angle is asked for, got a zero vector")
        other = np.broadcast_to(start.dh, self.dh.shape)
        one, two = (z / np.linalg.norm(z, axis=-1, keepdims=True) for z in (self.dh, other))
        return np.degrees(2 * np.arctan2(*(np.linalg.norm(z, axis=-1) for z in (one - two, one + two))))


class Conserved(NamedTuple):
    """(E51): c = |p|² − |ρ|² and C = |p + ρ||p − ρ|, which never change, and s, all per epoch."""

    c: float
    C: float
    s: float

    @property
    def Omega(self) -> float:
        """The rate √(C² + 4s²) of convergence."""
        return hypot(self.C, 2 * self.s)


def read(network: nn.Module, data: Data, layer: str) -> Vectors:
    """The vectors dh and D_y of a network with one output that is linear from `layer` on.

    `data` are its two points. The output is turned so that its target difference is positive. Raises
    ValueError for more outputs, for targets that do not differ, for a decoder that is not the same at both.
    """
    import torch

    from .training import decoder_gradient

    inputs, targets = data
    if targets.shape[0] != 2 or targets[0].numel() != 1:
        raise ValueError(f"data must be two points with one output, got targets {tuple(targets.shape)}")
    d = float(targets[1].double().flatten()[0] - targets[0].double().flatten()[0])
    if d == 0:
        raise ValueError(f"targets must differ, got {targets.flatten().tolist()}")
    h, gradient = decoder_gradient(network, inputs, layer, torch.ones_like(targets[0]))
    rows, h = gradient.double().numpy(), h.double().numpy()
    if not np.allclose(rows[0], rows[1], rtol=1e-6, atol=1e-12 * np.abs(rows).max()):
        raise ValueError(f"the decoder after {layer!r} must be linear, got two gradients that differ")
    return Vectors(h[1] - h[0], np.sign(d) * rows[0])


# --- the solution ---------------------------------------------------------------------------


def conserved(start: Vectors, task: TwoPoint, rates: Rates) -> Conserved:
    """(E51) of a start, C from the lengths of p ± ρ and c from their product: nothing cancels."""
    k = _scaled(start, task, rates)
    return Conserved(float(k.grows @ k.decays), sqrt(k.a) * sqrt(k.b), k.s)


def mixed(start: Vectors, task: TwoPoint, rates: Rates, t: ArrayLike) -> np.ndarray:
    """The hyperbolic angle ϑ (n,) of (E59), by which p and ρ have mixed at epochs t (n,).

    Raises ValueError or TypeError for bad input, as all that follows does.
    """
    return _mixed(_scaled(start, task, rates), times(t))


def solve(start: Vectors, task: TwoPoint, rates: Rates, t: ArrayLike) -> Vectors:
    """The vectors at epochs t (n,), increasing: (E54), as Vectors of (n, n_h) arrays."""
    k = _scaled(start, task, rates)
    return _moved(k, _mixed(k, times(t)))


def final(start: Vectors, task: TwoPoint, rates: Rates) -> Vectors:
    """The vectors where training ends: (E54) at the largest ϑ."""
    k = _scaled(start, task, rates)
    end = _moved(k, _mixed(k, np.array([np.inf])))
    return Vectors(end.dh[0], end.row[0])


def outputs(start: Vectors, task: TwoPoint, rates: Rates, t: ArrayLike) -> np.ndarray:
    """The output difference dy (n,) at epochs t: (E56), the first error over N."""
    k, t = _scaled(start, task, rates), times(t)
    with np.errstate(under="ignore"):
        left = _LEFT(*_pieces(k, t))
    return (k.s - k.gap * left) / sqrt(k.k_h * k.k_y)


def _for_a_machine(expr: sp.Expr):
    """A part of (E59), from what is gone of exp(−Ωt), what is spent of 1/Ω, and the rest 1 − ς."""
    gone, spent, rest = sp.symbols("gone spent rest", positive=True)
    pieces = {eq.t * eq.phi1(-eq.Omega * eq.t): spent, sp.exp(eq.Omega * eq.t): 1 / gone, eq.share: 1 - rest}
    return eq.numeric(expr.subs(pieces), gone, spent, rest, eq.sum2, eq.difference2)


_RISES, _FALLS = map(_for_a_machine, sp.fraction(eq.book["E59"].rhs[0]))
_LEFT = _for_a_machine(1 / eq.book["E59"].rhs[1])
_END = eq.numeric(eq.book["E57"].rhs[1], eq.c, eq.C, eq.s, eq.tau_y)
_WIDE = eq.numeric(eq.book["E58"].rhs[0], eq.dh2_0, eq.A_low)


def final_distance(
    dh2: ArrayLike, row2: ArrayLike, dy: ArrayLike, task: TwoPoint, rates: Rates
) -> np.ndarray:
    """‖dh(∞)‖² by (E57), of one start or many, from ‖dh‖², ‖D_y‖² and dy before training.

    Raises ValueError for lengths that are not positive, and for a dy that is larger than their product.
    """
    dh2, row2, dy = np.broadcast_arrays(*(np.asarray(z, dtype=float) for z in (dh2, row2, dy)))
    for name, array in (("dh2", dh2), ("row2", row2)):
        if not (np.isfinite(array) & (array > 0)).all():
            raise ValueError(f"{name} must be finite and > 0, got {array}")
    if not (dy**2 <= dh2 * row2 * (1 + 1e-9)).all():  # rounding aside
        raise ValueError(f"dy must satisfy dy² <= dh2 × row2 (Cauchy-Schwarz), got {dy}")
    k_h, k_y = _speeds(task, rates)
    p2, rho2, m = k_y * dh2, k_h * row2, sqrt(k_h * k_y) * dy
    spread = np.sqrt(np.maximum((p2 + rho2 - 2 * m) * (p2 + rho2 + 2 * m), 0.0))
    s = sqrt(k_h * k_y * task.dy2_target)
    larger = _END(np.abs(p2 - rho2), spread, s, rates.tau_y)
    # For c < 0 the sum is a difference: their product is C² + 4s² − c², a sum again.
    others = 4 * (p2 * rho2 - m**2 + s**2) * rates.tau_y**2
    return np.where(p2 >= rho2, larger, others / larger)


def wide_distance(dh2: ArrayLike, task: TwoPoint, rates: Rates) -> np.ndarray:
    """‖dh(∞)‖² by (E58), the limit of a wide layer whose encoder and decoder start equally long.

    Raises ValueError where dh2 is negative or not finite.
    """
    dh2 = np.asarray(dh2, dtype=float)
    if not (np.isfinite(dh2).all() and (dh2 >= 0).all()):
        raise ValueError(f"dh2 must be finite and >= 0, got {dh2!r}")
    low = sqrt(rates.tau_y / rates.tau_h * task.dx2 * task.dy2_target)
    return _WIDE(dh2, low)


# --- evaluation -----------------------------------------------------------------------------


class _Scaled(NamedTuple):
    """A start in the scaled letters: p, ρ, p ± ρ, their squared lengths, and what follows from them."""

    p: np.ndarray
    rho: np.ndarray
    grows: np.ndarray
    decays: np.ndarray
    a: float
    b: float
    s: float
    gap: float
    Omega: float
    k_h: float
    k_y: float


def _speeds(task: TwoPoint, rates: Rates) -> tuple[float, float]:
    for name, value, kind in (("task", task, TwoPoint), ("rates", rates, Rates)):
        if not isinstance(value, kind):
            raise TypeError(f"{name} must be a urep.{kind.__name__}, got {value!r}")
    return task.dx2 / (2 * rates.tau_h), 1 / (2 * rates.tau_y)


def _scaled(start: Vectors, task: TwoPoint, rates: Rates) -> _Scaled:
    k_h, k_y = _speeds(task, rates)
    if not isinstance(start, Vectors):
        raise TypeError(f"start must be a urep.rotation.Vectors, got {start!r}")
    if start.dh.ndim != 1:
        raise ValueError(f"start must hold vectors (n_h,), got shape {start.dh.shape}")
    p, rho = sqrt(k_y) * start.dh, sqrt(k_h) * start.row
    grows, decays = p + rho, p - rho
    a, b = float(grows @ grows), float(decays @ decays)
    s = sqrt(k_h * k_y * task.dy2_target)
    Omega = hypot(sqrt(a) * sqrt(b), 2 * s)
    return _Scaled(p, rho, grows, decays, a, b, s, s - float(p @ rho), Omega, k_h, k_y)


def _pieces(k: _Scaled, t: np.ndarray) -> tuple[np.ndarray, np.ndarray, float, float, float]:
    """What the parts of (E59) are made of at times t, the last of which may be infinite."""
    share = 2 * k.s / k.Omega if k.Omega > 0 else 0.0
    with np.errstate(under="ignore"):
        gone = np.exp(-k.Omega * t) if k.Omega > 0 else np.ones_like(t)
        spent = -np.expm1(-k.Omega * t) / k.Omega if k.Omega > 0 else t
        # 1 − ς, of two numbers that may be nearly equal, without their difference.
        rest = (k.a / k.Omega) * (k.b / k.Omega) / (1 + share) if k.Omega > 0 else 1.0
    return gone, spent, rest, k.a, k.b


def _mixed(k: _Scaled, t: np.ndarray) -> np.ndarray:
    """ϑ of (E59) at times t, the last of which may be infinite."""
    pieces = _pieces(k, t)
    with np.errstate(under="ignore", divide="ignore"):
        # What rises less what falls is 4 (s − m(0)) of what is spent.
        smaller = (_FALLS if k.gap >= 0 else _RISES)(*pieces)
        angle = np.log1p(4 * abs(k.gap) * pieces[1] / smaller) / 2
    return angle if k.gap >= 0 else -angle


def _moved(k: _Scaled, angle: np.ndarray) -> Vectors:
    """(E54), with cosh ϑ = exp(−|ϑ|) + sinh |ϑ|, so that p + ρ, or p − ρ, is formed before it grows."""
    size, forward = np.abs(angle)[:, None], bool(k.gap >= 0)
    together = k.grows if forward else k.decays
    with np.errstate(under="ignore", over="ignore"):
        # Where nothing is along what grows, it may grow for ever.
        rise = np.sinh(size) if together.any() else np.zeros_like(size)
        fade = np.exp(-size)
    p = k.p * fade + together * rise
    rho = k.rho * fade + (together if forward else -together) * rise
    return Vectors(p / sqrt(k.k_y), rho / sqrt(k.k_h))


def _dot(one: np.ndarray, two: np.ndarray) -> float | np.ndarray:
    found = np.einsum("...i,...i", one, two)
    return float(found) if found.ndim == 0 else found


def _vectors(name: str, value) -> np.ndarray:
    array = np.asarray(value)
    if array.dtype.kind not in "fiu":
        raise TypeError(f"{name} must be real numbers, got {value!r}")
    if array.ndim not in (1, 2) or array.shape[-1] == 0:
        raise ValueError(f"{name} must be (n_h,) or (n, n_h), got shape {array.shape}")
    array = array.astype(float)
    if not np.isfinite(array).all():
        raise ValueError(f"{name} must be finite, got {array[~np.isfinite(array)][0]!r}")
    array.flags.writeable = False
    return array

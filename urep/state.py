"""The records that theory, training and fits hand to each other, and what they may hold.

A `State` holds ‖dh‖², ‖dy‖² and w, as scalars or as arrays over time; a `TwoPoint` what the data fix;
`Rates` the two effective time constants. Numbers and sizes are refused here, and nowhere else.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from math import isfinite, sqrt

import numpy as np
from numpy.typing import ArrayLike

INPUT_TOLERANCE = 0.1
"""Relative miss of Cauchy-Schwarz that a start may have: writing ‖dy‖² with one digit costs as much."""


def real_number(name: str, value, *, least: float = 0.0, strict: bool) -> float:
    """One finite number, >= `least` or, if `strict`, > it; TypeError or ValueError naming it."""
    if isinstance(value, (str, bytes, bool)) or np.ndim(value) != 0:
        raise TypeError(f"{name} must be one real number, got {value!r}")
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise TypeError(f"{name} must be one real number, got {value!r}") from None
    if not isfinite(number) or number < least or (strict and number == least):
        raise ValueError(f"{name} must be finite and {'>' if strict else '>='} {least:g}, got {value!r}")
    return number


def require_sizes(least: int = 1, **sizes) -> None:
    """ValueError naming the first of some sizes that is not an integer >= `least`."""
    for name, size in sizes.items():
        if not isinstance(size, int) or isinstance(size, bool) or size < least:
            raise ValueError(f"{name} must be an integer >= {least}, got {size!r}")


@dataclass(frozen=True)
class TwoPoint:
    """The part of eq. (7) that the data fix: dx2 = ‖dx‖² > 0 and dy2_target = ‖dy*‖² >= 0.

    Raises TypeError or ValueError naming the argument.
    """

    dx2: float
    dy2_target: float

    def __post_init__(self):
        object.__setattr__(self, "dx2", real_number("dx2", self.dx2, strict=True))
        object.__setattr__(self, "dy2_target", real_number("dy2_target", self.dy2_target, strict=False))


@dataclass(frozen=True)
class Rates:
    """Effective time constants of eq. (6), in epochs, both > 0; their inverses are the rates.

    Raises TypeError or ValueError naming the argument.
    """

    tau_h: float
    tau_y: float

    def __post_init__(self):
        for name in ("tau_h", "tau_y"):
            object.__setattr__(self, name, real_number(name, getattr(self, name), strict=True))

    def __iter__(self):
        return iter((self.tau_h, self.tau_y))


@dataclass(frozen=True, eq=False)
class Variables:
    """Three finite numbers, or three arrays of one shape: a value for each variable of (7).

    Arrays are (n,), over time or over several starts, or (m, n), over both.
    """

    dh2: float | np.ndarray
    dy2: float | np.ndarray
    w: float | np.ndarray

    def __post_init__(self):
        names = [one.name for one in fields(self)]
        for name in names:
            object.__setattr__(self, name, self._checked(name))
        shapes = {name: np.shape(getattr(self, name)) for name in names}
        if len(set(shapes.values())) > 1:
            raise ValueError(f"dh2, dy2 and w must have the same shape, got {shapes}")

    def _checked(self, name: str) -> float | np.ndarray:
        value = getattr(self, name)
        array = np.asarray(value)
        if array.dtype.kind not in "fiu":
            raise TypeError(f"{name} must be real numbers, got {value!r}")
        if array.ndim > 2:
            raise ValueError(f"{name} must be a number, (n,) or (m, n), got shape {array.shape}")
        array = array.astype(float)
        bad = ~np.isfinite(array)
        if bad.any():
            raise ValueError(f"{name} must be finite, got {_first(array, bad)}")
        array.flags.writeable = False
        return array if array.ndim else float(array)

    def __len__(self) -> int:
        if np.ndim(self.dh2) == 0:
            raise TypeError(f"this {type(self).__name__} holds scalars, it has no length")
        return len(self.dh2)

    def __getitem__(self, index):
        """The same variables at one index of the arrays (a time, or a start), or at a slice of them."""
        if np.ndim(self.dh2) == 0:
            raise TypeError(f"this {type(self).__name__} holds scalars, it cannot be indexed")
        return type(self)(self.dh2[index], self.dy2[index], self.w[index])

    def __iter__(self):
        return iter((self.dh2, self.dy2, self.w))


class State(Variables):
    """‖dh‖² >= 0, ‖dy‖² >= 0 and w of eq. (8): scalars, or arrays of one shape.

    Arrays are copied and read-only. Raises TypeError or ValueError naming the argument.
    """

    def __post_init__(self):
        super().__post_init__()
        for name in ("dh2", "dy2"):
            array = np.asarray(getattr(self, name))
            if (array < 0).any():
                raise ValueError(f"{name} is a squared distance and must be >= 0, "
                                 f"got {_first(array, array < 0)}")  # fmt: skip


@dataclass(frozen=True, eq=False)
class Run:
    """A training as `urep.train` records it before each step: t (n,) epochs, loss (n,), and ‖dh‖², ‖dy‖², w.

    `trajectory` is a State of (n,) arrays, or a dict of them by layer name when several layers
    were asked for. `task` is what the data fix in the theory. `stopped` says why it ended: "epochs",
    "loss", "diverged" or "interrupted". `dh_ends` holds dh of the first and the last row, (2, units),
    by layer name; it is empty for an ensemble and for stored runs. `points` is the number of points that
    the loss is a mean over; (9) is the loss of two.
    """

    t: np.ndarray
    trajectory: State | dict[str, State]
    loss: np.ndarray
    task: TwoPoint
    lr: float
    stopped: str = field(default="epochs")
    dh_ends: dict[str, np.ndarray] = field(default_factory=dict)
    points: int = 2

    def __len__(self) -> int:
        return len(self.t)

    @property
    def rotation(self) -> dict[str, float]:
        """Angle between dh of the first and of the last row, in degrees, by layer; 90 where one is zero."""
        return {name: _angle(first, last) for name, (first, last) in self.dh_ends.items()}


def _angle(one: np.ndarray, other: np.ndarray) -> float:
    lengths = np.linalg.norm(one) * np.linalg.norm(other)
    cosine = one @ other / lengths if lengths > 0 else 0.0
    return float(np.degrees(np.arccos(np.clip(cosine, -1, 1))))


def _first(array: np.ndarray, where: np.ndarray) -> str:
    """The first offending value, with its index when there are several values."""
    if array.ndim == 0:
        return repr(float(array))
    index = int(np.argmax(where))
    return f"{float(array[index])!r} at index {index}"


def times(t: ArrayLike) -> np.ndarray:
    """One-dimensional, finite, non-negative, strictly increasing times, in epochs.

    Raises TypeError or ValueError naming `t` and the first value that is wrong.
    """
    array = np.asarray(t)
    if array.dtype.kind not in "fiu":
        raise TypeError(f"t must be real numbers, got {t!r}")
    if array.ndim != 1 or array.size == 0:
        raise ValueError(f"t must be one-dimensional and not empty, got shape {array.shape}")
    array = array.astype(float)
    bad = ~np.isfinite(array) | (array < 0)
    if bad.any():
        raise ValueError(f"t must be finite and >= 0, got {_first(array, bad)}")
    falls = np.diff(array, prepend=-1.0) <= 0
    if falls.any():
        raise ValueError(f"t must increase strictly, got {_first(array, falls)}")
    return array


def checked_trajectory(trajectory: State, t: ArrayLike) -> np.ndarray:
    """The times (n,) of a State of (n,) arrays; TypeError or ValueError naming what does not fit."""
    t = times(t)
    if not isinstance(trajectory, State):
        raise TypeError(f"trajectory must be a urep.State, got {trajectory!r}")
    if np.shape(trajectory.dh2) != t.shape:
        raise ValueError(
            f"trajectory and t must have equal length, got {np.shape(trajectory.dh2)} and {t.shape}"
        )
    return t


def checked_start(state: State, task: TwoPoint, rates: Rates, *, batch: bool = False) -> tuple:
    """(‖dh‖², ‖dy‖², w) of a start that two vectors can have, or of a `batch` of (m,) starts.

    Raises TypeError or ValueError naming what is wrong, and with which start.
    """
    for name, value, kind in (("state", state, State), ("task", task, TwoPoint), ("rates", rates, Rates)):
        if not isinstance(value, kind):
            raise TypeError(f"{name} must be a urep.{kind.__name__}, got {value!r}")
    if np.ndim(state.dh2) > int(batch):
        allowed = "scalars, or (m,) arrays" if batch else "scalars (the start)"
        raise ValueError(f"state must hold {allowed}, got arrays of shape {np.shape(state.dh2)}")
    dh2, dy2, w = map(np.asarray, state)
    if (dh2 == 0).any():
        raise ValueError(f"dh2 must be > 0 at the start, got {_first(dh2, dh2 == 0)}: eq. (7) divides by it")
    largest = np.sqrt(dy2) * sqrt(task.dy2_target)  # a product of squares may underflow
    # Without a target w is ‖dy‖² by definition, and needs no digits to be so.
    beyond = (
        np.abs(dy2 - w)
        > (1 + INPUT_TOLERANCE) * largest + (INPUT_TOLERANCE if task.dy2_target else 1e-6) * dy2
    )
    if beyond.any():
        raise ValueError(
            f"w must satisfy |dy2 - w| <= ‖dy‖‖dy*‖ = {_first(largest, beyond)} (Cauchy-Schwarz), "
            f"got dy2 = {_first(dy2, beyond)} and w = {_first(w, beyond)}"
        )
    return state.dh2, state.dy2, state.w

"""Equation (17) for all entries of the two matrices, and the three scalars along a solution."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
from scipy.integrate import solve_ivp

from ..equations import D_h, D_y, dx_vec, dy_target_vec, numeric, paper, tau_h, tau_y
from ..state import Rates, State


class Maps(NamedTuple):
    """The matrices D_h (n_h, n_x) and D_y (n_y, n_h), or their velocities."""

    D_h: np.ndarray
    D_y: np.ndarray


@cache
def _right_hand_sides():
    return numeric(paper[17].rhs[1:], D_h, D_y, dx_vec, dy_target_vec, tau_h, tau_y)


def velocity(maps: Maps, dx: np.ndarray, target: np.ndarray, rates: Rates) -> Maps:
    """The velocities by (17), for columns dx (n_x, 1) and dy* (n_y, 1)."""
    return Maps(*_right_hand_sides()(*maps, dx, target, *rates))


def integrated(
    start: Maps, dx: np.ndarray, target: np.ndarray, rates: Rates, times: Sequence[float]
) -> list[Maps]:
    """The matrices at some times, by SciPy's integration of every entry."""
    shapes = [np.shape(matrix) for matrix in start]
    cut = np.size(start[0])

    def unflatten(numbers):
        return Maps(numbers[:cut].reshape(shapes[0]), numbers[cut:].reshape(shapes[1]))

    def field(_, numbers):
        return _flat(velocity(unflatten(numbers), dx, target, rates))

    span = (0, times[-1])
    found = solve_ivp(field, span, _flat(start), t_eval=times, rtol=1e-11, atol=1e-13)
    return [unflatten(numbers) for numbers in found.y.T]


def _flat(maps: Sequence[np.ndarray]) -> np.ndarray:
    return np.concatenate([matrix.ravel() for matrix in maps])


def scalars(path: Sequence[Maps], dx: np.ndarray, target: np.ndarray) -> State:
    """‖dh‖², ‖dy‖² and w of (8), (n,) each, along a path of n pairs of matrices."""
    found = []
    for maps in path:
        dh = maps.D_h @ dx
        dy = maps.D_y @ dh
        found.append(((dh * dh).sum(), (dy * dy).sum(), (dy * (dy - target)).sum()))
    return State(*np.array(found).T)


def unit(random: np.random.Generator, size: int) -> np.ndarray:
    """A random direction, as a column (size, 1)."""
    vector = random.normal(size=(size, 1))
    return vector / np.linalg.norm(vector)


def at_an_angle(random: np.random.Generator, direction: np.ndarray, angle: float) -> np.ndarray:
    """A column of length one at an angle to a column of length one, in a random plane."""
    across = unit(random, len(direction))
    across = across - direction * (direction.T @ across)
    across = across / np.linalg.norm(across)
    return np.cos(angle) * direction + np.sin(angle) * across

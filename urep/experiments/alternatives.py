"""Theories that are wrong on purpose, to be fitted with the same care as the right one.

Each is a solver for `urep.fit_rates(..., solver=...)`: two free constants, the measured start.
"""

from __future__ import annotations

import warnings
from functools import cache
from itertools import product
from math import sqrt

import numpy as np
import sympy as sp

from .. import equations as eq
from ..fit import Solver
from ..theory import Rates, SingularSystem, State, Triple, TwoPoint

CHANGES = {"doubled": 2, "flipped": -1, "dropped": 0}
"""What is done to one term of (7), and the factor that does it."""

MOST_EVALUATIONS = 30_000
"""Of a field, after which its solver is taken to be stuck; (7) needs a few thousand."""


@cache
def altered() -> dict[str, tuple[sp.Expr, ...]]:
    """Right-hand sides of (7) with one term doubled, flipped or dropped, by name: all fifteen.

    A term is named by the variable it moves and by the map that it comes from: "w, decoder dropped".
    """
    systems = {}
    lines = [sp.expand(line) for line in eq.paper[7].rhs]
    for (row, line), (change, factor) in product(enumerate(lines), CHANGES.items()):
        for origin, constant in (("encoder", eq.tau_h), ("decoder", eq.tau_y)):
            term = sum(part for part in sp.Add.make_args(line) if part.has(constant))
            if term != 0:
                name = f"{('dh2', 'dy2', 'w')[row]}, {origin} {change}"
                systems[name] = tuple(
                    other + (factor - 1) * term if n == row else other for n, other in enumerate(lines)
                )
    return systems


@cache
def solver(name: str) -> Solver:
    """SciPy's solution of an altered system, as `urep.fit_rates` takes it.

    Gives a Triple of (n,) arrays, which no two vectors need have. Raises KeyError for an unknown name;
    the solver raises SingularSystem where it does not arrive.
    """
    field = eq.numeric(altered()[name], *eq.state, eq.dx2, eq.dy2_target, eq.tau_h, eq.tau_y)

    def solve(state: State, task: TwoPoint, rates: Rates, t: np.ndarray) -> Triple:
        from scipy.integrate import solve_ivp

        start = np.array([*state])
        constants = (task.dx2, task.dy2_target, rates.tau_h, rates.tau_y)
        left = iter(range(MOST_EVALUATIONS))

        def counted(_, y):
            if next(left, None) is None:
                raise SingularSystem(f"'{name}' got stuck: {MOST_EVALUATIONS} evaluations")
            return field(*y, *constants)

        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="lsoda", category=UserWarning)  # reported below
            result = solve_ivp(counted, (0.0, t[-1]), start, method="LSODA", t_eval=t, rtol=1e-8,
                               atol=1e-10 * max(task.dy2_target, *np.abs(start)))  # fmt: skip
        if not result.success or not np.isfinite(result.y).all():
            raise SingularSystem(f"'{name}' stopped: {result.message}")
        return Triple(*result.y)

    return solve


def two_exponentials(end: float) -> Solver:
    """‖dh‖² and dy each decay to their ends, one time constant each; the end of ‖dh‖² is a present.

    For outputs along the target, as scalar ones are.
    """

    def solve(state: State, task: TwoPoint, rates: Rates, t: np.ndarray) -> Triple:
        return _towards(state, task, end, 1 - np.exp(-t / rates.tau_h), 1 - np.exp(-t / rates.tau_y))

    return solve


def sigmoid(end: float) -> Solver:
    """‖dh‖² and dy rise together on a logistic curve; `tau_h` is where, `tau_y` how wide it is.

    The end of ‖dh‖² is a present, as in `two_exponentials`.
    """

    def solve(state: State, task: TwoPoint, rates: Rates, t: np.ndarray) -> Triple:
        gone = 1 / (1 + np.exp(-np.clip((t - rates.tau_h) / rates.tau_y, -500, 500)))
        gone = (gone - gone[0]) / (1 - gone[0]) if gone[0] < 1 else np.ones_like(t)
        return _towards(state, task, end, gone, gone)

    return solve


def _towards(state: State, task: TwoPoint, end: float, gone_h: np.ndarray, gone_y: np.ndarray) -> Triple:
    """The three variables where a share of each way is gone."""
    target = sqrt(task.dy2_target)
    first = (state.dy2 - state.w) / target
    v = first + (target - first) * gone_y
    return Triple(state.dh2 + (end - state.dh2) * gone_h, v**2, v * (v - target))

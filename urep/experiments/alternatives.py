"""Alternatives to (7), wrong on purpose, to be fitted with the same care.

Each is a solver for `urep.fit_rates(..., solver=...)`: two free constants, the measured start.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from itertools import product
from math import sqrt

import numpy as np
import sympy as sp

from .. import equations as eq
from ..carry import fitted_sigmoid as fitted_sigmoid
from ..carry import sigmoid, towards
from ..fit import Solver
from ..state import Rates, State, TwoPoint, Variables
from ..theory import SingularSystem, lsoda

CHANGES = {"doubled": 2, "flipped": -1, "dropped": 0}
"""What is done to one term of (7), and the factor that does it."""

MOST_EVALUATIONS = 30_000
"""Evaluations of a field after which its solver is taken to be stuck; (7) needs a few thousand."""


def altered(changes: Mapping[str, float] = CHANGES) -> dict[str, tuple[sp.Expr, ...]]:
    """Right-hand sides of (7) with one term doubled, flipped or dropped, by name: all fifteen.

    A term is named by the variable it moves and by the map that it comes from: "w, decoder dropped".
    Other `changes` have other names and factors: `{"a tenth more": 1.1}`.
    """
    systems = {}
    lines = [sp.expand(line) for line in eq.paper[7].rhs]
    for (row, line), (change, factor) in product(enumerate(lines), changes.items()):
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

    Gives Variables of (n,) arrays, which no two vectors need have. Raises KeyError for an unknown name;
    the solver raises SingularSystem where it does not arrive.
    """
    return solver_of(altered()[name], name)


def solver_of(lines: tuple[sp.Expr, ...], name: str) -> Solver:
    """SciPy's solution of any three right-hand sides in the letters of (7); as `solver`."""
    field = eq.numeric(lines, *eq.state, eq.dx2, eq.dy2_target, eq.tau_h, eq.tau_y)

    def solve(state: State, task: TwoPoint, rates: Rates, t: np.ndarray) -> Variables:
        start = np.array([*state])
        constants = (task.dx2, task.dy2_target, rates.tau_h, rates.tau_y)
        result = lsoda(
            lambda dh2, dy2, w: field(dh2, dy2, w, *constants),
            start,
            t,
            rtol=1e-8,
            atol=1e-10 * max(task.dy2_target, *np.abs(start)),
            stuck=f"'{name}' took {MOST_EVALUATIONS} evaluations",
            most=MOST_EVALUATIONS,
        )
        if not result.success or not np.isfinite(result.y).all():
            raise SingularSystem(f"'{name}' stopped: {result.message}")
        return Variables(*result.y)

    return solve


THEORIES = ("equation (7)", "two exponentials", "sigmoid", *altered())
"""Names of what is fitted to each run: the theory, two shapes of curves, (7) with one term altered."""


def solvers(end: float) -> list[Solver | None]:
    """The solver of each of THEORIES, None for (7); `end` is the measured end of ‖dh‖²."""
    return [None, two_exponentials(end), sigmoid(end), *(solver(name) for name in altered())]


def two_exponentials(end: float) -> Solver:
    """‖dh‖² and dy each decay to their ends, one time constant each; the end of ‖dh‖² is given.

    For outputs along the target, as scalar ones are.
    """

    def solve(state: State, task: TwoPoint, rates: Rates, t: np.ndarray) -> Variables:
        return towards(state, task, end, 1 - np.exp(-t / rates.tau_h), 1 - np.exp(-t / rates.tau_y))

    return solve


def logistic_from_start(state: State, task: TwoPoint, rates: Rates, t: np.ndarray) -> Variables:
    """‖dh‖² and dy rise together on the logistic curve that starts at the measured ‖dh(0)‖².

    Its rate is ‖dx‖‖dy*‖/√(τ_h τ_y) and its height √(τ_y/τ_h) ‖dx‖‖dy*‖: two constants, both free.
    """
    size = sqrt(task.dx2 * task.dy2_target)
    rate, end = size / sqrt(rates.tau_h * rates.tau_y), size * sqrt(rates.tau_y / rates.tau_h)
    behind = np.log(max(end / state.dh2 - 1, 1e-12))  # a start beyond the end stays there
    gone = 1 / (1 + np.exp(np.clip(behind - rate * t, -500, 500)))
    gone = (gone - gone[0]) / (1 - gone[0])
    return towards(state, task, end, gone, gone)

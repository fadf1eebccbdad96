"""make bench: how fast the exact solution and the fit are, each against what it replaces, in one run.

Ratios, because milliseconds are the machine's own. On one core, as a reader's laptop would be.
"""

from __future__ import annotations

import os

os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")

from time import perf_counter

import numpy as np
from scipy.optimize import minimize

import urep

TASK, RATES = urep.TwoPoint(1.0, 0.5), urep.Rates(1300.0, 29.0)
START = urep.State(8e-4, 3e-9, -3.87e-5)
T = np.arange(6000.0)


def seconds(function, repeats: int) -> float:
    """The shortest of several runs: what is left of a time when nothing else happens."""
    best = np.inf
    for _ in range(repeats):
        begin = perf_counter()
        function()
        best = min(best, perf_counter() - begin)
    return best


def noisy() -> urep.State:
    """A trajectory such as a network gives: the theory's, a few percent off, exact at the start."""
    random, clean = np.random.default_rng(0), urep.solve(START, TASK, RATES, T)
    rows = [np.r_[v[0], v[1:] + 0.03 * np.ptp(v) * random.normal(size=len(T) - 1)] for v in clean]
    return urep.State(np.abs(rows[0]), np.abs(rows[1]), rows[2])


def grid_and_quasi_newton(t: np.ndarray, seen: urep.State) -> float:
    """What the authors' code does: 200 starts of one ratio, then BFGS, on the integrated ODE."""
    measured, floor = np.array([*seen]), 1e-9

    def residual(log_tau, rtol=floor):
        predicted = urep.integrate(seen[0], TASK, urep.Rates(*np.exp(log_tau)), t, rtol=rtol)
        return float(np.sum((np.array([*predicted]) - measured) ** 2))

    ratio = np.log(seen.dh2[-1] ** 2 / (TASK.dx2 * TASK.dy2_target))  # of tau_y over tau_h, by (10)
    sizes = np.log(t[-1]) - np.linspace(0, np.log(1e4), 200)
    starts = [np.array([size - ratio / 2, size + ratio / 2]) for size in sizes]
    best = min(starts, key=residual)
    return minimize(residual, best, method="BFGS", options={"gtol": 1e-8}).fun


def accuracy(seen: urep.State, exact: urep.State) -> float:
    """Largest error of the three variables, each relative to its own largest value."""
    return max(np.max(np.abs(a - b)) / np.max(np.abs(b)) for a, b in zip(seen, exact, strict=True))


def main() -> None:
    """Print each comparison."""
    exact = urep.solve(START, TASK, RATES, T)
    print(f"{len(T)} epochs of eq. (7), relative error of `integrate` against `solve`:")
    solved = seconds(lambda: urep.solve(START, TASK, RATES, T), 200)
    for rtol in (1e-12, 1e-9, 1e-6):
        run = lambda rtol=rtol: urep.integrate(START, TASK, RATES, T, rtol=rtol)
        print(f"  rtol {rtol:.0e}: error {accuracy(run(), exact):.0e}, "
              f"solve is {seconds(run, 10) / solved:.0f} times faster ({1e3 * solved:.2f} ms)")  # fmt: skip
    seen = noisy()
    fit = urep.fit_rates(T, seen, TASK)
    fitted = seconds(lambda: urep.fit_rates(T, seen, TASK), 10)
    begin = perf_counter()
    other = grid_and_quasi_newton(T, seen)
    took = perf_counter() - begin
    print(f"fit_rates on {len(T)} epochs: {1e3 * fitted:.0f} ms, residual {fit.residual:.12g}")
    print(f"  grid of 200 starts and BFGS on the integrated ODE: residual {other:.12g}, "
          f"{took / fitted:.0f} times slower")  # fmt: skip
    print(f"  residual of fit_rates over that of the grid: {fit.residual / other:.12f}")


if __name__ == "__main__":
    main()

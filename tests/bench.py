"""make bench: how fast the exact solution, the fit and the training are, each against what it replaces.

Ratios of times taken in one run, because milliseconds are the machine's own. The first two on one core,
training on all: two networks side by side, one core each, against one after the other on all cores.
"""

from __future__ import annotations

import os

os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from time import perf_counter

import numba
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


EPOCHS = 300
"""Epochs of the default row of Table 1 in each timing of training."""


def seconds_an_epoch(build, layer: str, ordinary: bool) -> float:
    """Seconds an epoch takes of a network with the default row's learning rate, after some not counted.

    `ordinary` is the loop of torch on all cores.
    """
    import torch

    from urep import training

    row = urep.experiments.TABLE_1["Default"]
    if ordinary:
        training.loop.WORTH_COMPILING = np.inf
        torch.set_num_threads(os.cpu_count() or 1)
    network, data = build(), urep.tasks.two_points()
    urep.train(network, data, lr=row.lr, epochs=100, layer=layer)
    # The proof on the first steps belongs to a training, which has 6000 epochs: half of them here.
    epochs = EPOCHS if ordinary else 10 * EPOCHS
    begin = perf_counter()
    urep.train(network, data, lr=row.lr, epochs=epochs, layer=layer)
    return (perf_counter() - begin) / epochs


def train_default(seed: int, ordinary: bool = False) -> float:
    """Seconds an epoch of the default row takes."""
    network = urep.experiments.TABLE_1["Default"].network(seed=seed)
    return seconds_an_epoch(lambda: network, network.middle, ordinary)


def train_sequential(ordinary: bool) -> float:
    """Seconds an epoch of a reader's own `nn.Sequential` takes: the default row's layers, with biases."""
    from torch import nn

    row = urep.experiments.TABLE_1["Default"]
    blocks: list[nn.Module] = [nn.Linear(1, row.units), nn.LeakyReLU()]
    for _ in range(row.hidden_layers - 1):
        blocks += [nn.Linear(row.units, row.units), nn.LeakyReLU()]
    blocks.append(nn.Linear(row.units, 1))
    return seconds_an_epoch(lambda: nn.Sequential(*blocks), "21", ordinary)


@numba.njit(fastmath=True)
def _read(weights):
    total = weights.dtype.type(0)
    for i in range(weights.size):
        total += weights[i]
    return total


@numba.njit
def _rewrite(weights):
    for i in range(weights.size):
        weights[i] *= weights.dtype.type(0.999)


def move_weights(_seed: int) -> float:
    """Seconds it takes to read the default row's weights once and to rewrite them once."""
    network = urep.experiments.TABLE_1["Default"].network()
    weights = np.ones(sum(p.numel() for p in network.parameters()), np.float32)
    times = []
    for _ in range(EPOCHS):
        begin = perf_counter()
        _read(weights)
        _rewrite(weights)
        times.append(perf_counter() - begin)
    return float(np.median(times))


def side_by_side(function) -> float:
    """The mean of what a function takes in two processes at once."""
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        return float(np.mean(list(pool.map(function, range(2)))))


def alone(function, argument) -> float:
    """What a function returns in a process of its own."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(function, argument).result()


def one_after_the_other(_seed: int) -> float:
    """The ordinary loop on all cores."""
    return train_default(0, ordinary=True)


def training_speed() -> None:
    """Print what two default-row runs take, and what they would take at least."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.pop(name)
    fused, moved = side_by_side(train_default), side_by_side(move_weights)
    ordinary = alone(one_after_the_other, 0)
    print(f"two default-row runs side by side: {1e3 * fused / 2:.2f} ms an epoch each, as two share the time")
    print(f"  {2 * ordinary / fused:.1f} times faster than the ordinary loop one after the other")
    print(f"  {fused / moved:.2f} times what moving the weights takes")
    own, loop = alone(train_sequential, False), alone(train_sequential, True)
    print(f"an nn.Sequential of the same layers, alone on all cores: {1e3 * own:.2f} ms an epoch")
    print(f"  {loop / own:.1f} times faster than the ordinary loop (at least 4 is asked for)")


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
    training_speed()


if __name__ == "__main__":
    main()

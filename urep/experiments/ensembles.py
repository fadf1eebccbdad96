"""Small networks that several chapters of the theory train side by side, and the order of an error."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np
import torch
from numpy.typing import ArrayLike

from ..exact import solve
from ..networks import FullyConnected
from ..state import Rates, Run, State
from ..tasks import Data, two_points
from ..training import train_many
from ..training.loop import hidden


def centred_pair(n_in: int = 1, n_out: int = 1, seed: int = 0) -> Data:
    """Two points with ‖dx‖ = 1 and ‖dy*‖² = ½ whose mean input and mean target are zero, in float64."""
    pair = two_points(
        dx2=1.0,
        dy2_target=0.5,
        n_in=n_in,
        n_out=n_out,
        first_input=-0.5,
        first_target=-(0.5**0.5) / 2,
        seed=seed,
        dtype=torch.float64,
    )
    inputs, targets = (points - points.mean(dim=0) for points in pair)
    return inputs, targets


def networks(seeds: Iterable[int], **settings) -> list[FullyConnected]:
    """A FullyConnected network in float64 for each seed."""
    return [FullyConnected(seed=seed, dtype=torch.float64, **settings) for seed in seeds]


def trained(group: Sequence[FullyConnected], data: Data, *, lr: float, epochs: int, every: int = 1) -> Run:
    """The Run of `train_many` on these networks, recorded at their middle layer."""
    return train_many(group, data, lr=lr, epochs=epochs, every=every, layer=group[0].middle)


def two_layers(network: FullyConnected) -> tuple[np.ndarray, np.ndarray]:
    """Weights into and out of the hidden layer of a network with one input and one output, (units,) each."""
    first, last = network.net[0].weight, network.net[2].weight
    return first.detach().numpy()[:, 0], last.detach().numpy()[0]


def distances2(network: torch.nn.Module, inputs: torch.Tensor) -> np.ndarray:
    """Squared distance of the first two rows of `inputs` in each hidden layer, and last at the outputs."""
    names = [network.layer(k) for k in range(network.depth)]
    with torch.no_grad():
        rows = [*hidden(network, inputs, names).values(), network.eval()(inputs)]
    return np.array([float((row[1] - row[0]).square().sum()) for row in rows])


def one_unit(encoder: float, decoder: ArrayLike) -> FullyConnected:
    """A linear network of one hidden unit, with an encoder and a decoder (outputs,)."""
    column = torch.as_tensor(decoder, dtype=torch.float64).reshape(-1, 1)
    network = FullyConnected(
        1, len(column), hidden_layers=1, units=1, nonlinearity="none", dtype=torch.float64
    )
    with torch.no_grad():
        network.net[0].weight.fill_(encoder)
        network.net[2].weight.copy_(column)
    return network


def turned(direction: ArrayLike, angle: float) -> np.ndarray:
    """A vector of the plane, (2,), after a turn by an angle in radians."""
    x, y = np.asarray(direction, dtype=float)
    return np.cos(angle) * np.array([x, y]) + np.sin(angle) * np.array([-y, x])


def order(steps: ArrayLike, errors: ArrayLike) -> float | np.ndarray:
    """The power of the step that errors grow with: (n,) steps, (n,) errors, or (n, m) for m powers."""
    return np.polyfit(np.log(steps), np.log(errors), 1)[0]


def at_rates(
    build: Callable[[], list], data: Data, rates: Iterable[float], product: float
) -> dict[float, Run]:
    """For each learning rate the Run of the networks of `build`, with `product` over the rate as epochs."""
    return {lr: trained(build(), data, lr=lr, epochs=round(product / lr) + 1) for lr in rates}


def solution(
    run: Run, *, start: State | None = None, dy: ArrayLike | None = None, tau: float | None = None
) -> State:
    """The exact solution (m, n) for a run of m networks, with nothing fitted.

    It begins where the networks do, or at `start` (m,), and has 2/lr or `tau` for both time constants. `dy`
    gives scalar outputs with their signs.
    """
    start = run.trajectory[:, 0] if start is None else start
    tau = 2 / run.lr if tau is None else tau
    return solve(start, run.task, Rates(tau, tau), run.t, dy=dy)


def without_step(coarse: Run, fine: Run) -> tuple[np.ndarray, ...]:
    """‖dh‖², ‖dy‖² and w (m, n) at a learning rate of zero, from those at a rate and at half of it."""
    return tuple(2 * b[:, ::2] - a for a, b in zip(coarse.trajectory, fine.trajectory, strict=True))


def furthest(curves: Iterable[np.ndarray], others: Iterable[np.ndarray]) -> np.ndarray:
    """The largest difference of each network (m,), over all variables and times (m, n)."""
    apart = [np.max(np.abs(a - b), axis=1) for a, b in zip(curves, others, strict=True)]
    return np.max(apart, axis=0)


def spread(values: ArrayLike) -> tuple[float, float, float]:
    """The 5th percentile, the median and the 95th percentile of some values (n,)."""
    low, middle, high = np.quantile(values, (0.05, 0.5, 0.95))
    return low, middle, high


def medians(values: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The median over the first axis of each of some arrays."""
    return {name: np.median(array, axis=0) for name, array in values.items()}


def relative_miss(curves: Iterable[np.ndarray], others: Iterable[np.ndarray]) -> float:
    """The largest difference of some curves (n,) from others, over the largest size of each curve."""
    pairs = zip(curves, others, strict=True)
    return max(np.max(np.abs(one - other)) / np.max(np.abs(one)) for one, other in pairs)

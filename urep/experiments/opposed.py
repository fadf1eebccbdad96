"""Starts of one linear hidden unit that point away from the target: drawn, integrated, trained together."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.integrate import solve_ivp

from ..exact import Lift, lift
from ..state import Rates, Run, State
from ..tasks import Data
from ..training import train_many
from .ensembles import one_unit, turned

Start = tuple[float, float, float]
"""u, and the decoder along and across the target, of (E0) for a target of one."""


def draw(random: np.random.Generator, outputs: int) -> Start:
    """A random opposed start; with one output nothing lies across the target."""
    u, r = np.exp(random.uniform(np.log(0.1), np.log(2), 2))
    turn = 0.0 if outputs == 1 else random.uniform(0, 0.6)
    return u, -r * np.cos(turn), r * np.sin(turn)


def changed_places(start: Start) -> bool:
    """Whether u ends with another sign than it began with, by integration of (E0)."""

    def flow(_, q):
        u, along, across = q
        missing = 1 - u * along
        return missing * along - u * across**2, missing * u, -(u**2) * across

    end = solve_ivp(flow, (0, 200), start, rtol=1e-9, atol=1e-12).y[0, -1]
    return bool(np.sign(end) != np.sign(start[0]))


def starts(
    seed: int, count: int, toward: np.ndarray, *, widest: float, longer: tuple[float, float]
) -> list[tuple[float, np.ndarray]]:
    """Random encoders u and decoders (2,), these within an angle of the opposite of `toward`, a unit vector.

    The angle is `widest`, in radians. u lies between 0.3 and 0.6, and the length of a decoder between u times
    the first and u times the second of `longer`.
    """
    random = np.random.default_rng(seed)
    turns = np.pi + random.uniform(-widest, widest, count)
    u = random.uniform(0.3, 0.6, count)
    lengths = u * random.uniform(*longer, count)
    decoders = [length * turned(toward, turn) for length, turn in zip(lengths, turns, strict=True)]
    return list(zip(u, decoders, strict=True))


@dataclass(frozen=True, eq=False)
class Trained:
    """A run of several such networks: `run`, whose trajectory is (networks, epochs), and what it tells.

    The rates are those of a linear layer with inputs one apart, 2/lr epochs for both.
    """

    run: Run

    @property
    def rates(self) -> Rates:
        """The effective rates, which are the same for encoder and decoder."""
        return Rates(2 / self.run.lr, 2 / self.run.lr)

    @cached_property
    def first(self) -> list[State]:
        """Each network's state before the first step."""
        return [State(*(z[n, 0] for z in self.run.trajectory)) for n in range(len(self.run.loss))]

    @cached_property
    def lifts(self) -> list[Lift]:
        """Each network's start in the scaled letters."""
        return [lift(start, self.run.task, self.rates) for start in self.first]

    @property
    def collide(self) -> np.ndarray:
        """Whether a₊ < 0 (networks,), which is known before training."""
        return np.array([q.a_plus < 0 for q in self.lifts])

    @property
    def least(self) -> np.ndarray:
        """Each network's least ‖dh‖² (networks,)."""
        return self.run.trajectory.dh2.min(axis=1)

    @property
    def lowest(self) -> np.ndarray:
        """The epochs at which ‖dh‖² is least (networks,)."""
        return self.run.t[np.argmin(self.run.trajectory.dh2, axis=1)]


def trained(pairs: list[tuple[float, np.ndarray]], data: Data, *, lr: float, epochs: int) -> Trained:
    """Networks with these encoders and decoders, after training."""
    networks = [one_unit(u, decoder) for u, decoder in pairs]
    run = train_many(networks, data, lr=lr, epochs=epochs, layer=networks[0].middle)
    return Trained(run)

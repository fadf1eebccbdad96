"""What a start leaves of the loss of the difference, by the exact solution: how high, how long."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ..exact import solve
from ..state import Rates, State, TwoPoint
from ..theory import final_distance, loss


@dataclass(frozen=True)
class Plateau:
    """One start, and the second term of the loss (9) after it. Losses are shares of ⅛‖dy*‖²."""

    start: State
    task: TwoPoint
    rates: Rates

    def left(self, times: ArrayLike) -> np.ndarray:
        """The share that is left at some times (n,)."""
        curves = solve(self.start, self.task, self.rates, times)
        second = loss(curves, self.task, times, tau_mean=1.0, mean_error2=0.0)
        return second / (self.task.dy2_target / 8)

    @property
    def rate(self) -> float:
        """H₊/τ_y, with which a plateau is left where A_high < 0."""
        return final_distance(self.start, self.task, self.rates) / self.rates.tau_y

    @property
    def height(self) -> float:
        """The squared sine of the angle between dy(0) and dy*."""
        inner = self.start.dy2 - self.start.w
        return 1 - inner**2 / (self.start.dy2 * self.task.dy2_target)

    def length(self) -> float:
        """The first epoch, of a fine grid, at which less than half of the height is left."""
        epochs = np.linspace(0, 60, 60001) / self.rate
        return epochs[np.argmax(self.left(epochs) < self.height / 2)]

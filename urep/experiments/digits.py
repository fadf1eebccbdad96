"""Networks trained on scikit-learn's digits and on MNIST, kind by kind, and what they are compared with."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..state import Run
from . import held_out, runs, structure

CORRECT = [name for name in runs.SWEEPS if name.startswith("mnist-correct")]
"""The sweeps of the authors' last settings for MNIST."""

FILES = {
    "digits, Table 2": ["digits"],
    "digits, code for Figure 9": ["digits-structure"],
    "MNIST, Table 2": ["mnist"],
    "MNIST, Table 2, code's loss": ["mnist-authors"],
    "MNIST, code for Figure 4": CORRECT,
    "MNIST, code for Figure 9": ["mnist-structure"],
}
"""The sweeps of each kind of network, by data and by whose settings they are."""


def kept(kind: str, key: str) -> np.ndarray:
    """What is stored under a key of all networks of a kind, a row a network."""
    return np.concatenate([runs.sweep(name).load().arrays[key] for name in FILES[kind]])


def pairs_of(names: Sequence[str]) -> list[Run]:
    """All pairs of classes of all trainings of some sweeps, one after the other."""
    return [pair for name in names for pairs in runs.stored_class_pairs(name) for pair in pairs]


def guesses(
    labels: np.ndarray, dx2: np.ndarray, alone: np.ndarray, together: np.ndarray
) -> dict[str, np.ndarray]:
    """Five guesses (n, n) for the distances between n images: the theory's two, and three that know less.

    labels (n,); dx2, squared distances of the inputs, alone, ‖dx‖‖dy*‖, and together, eq. (50), (n, n) each.
    """
    targets = 1.0 * (labels[:, None] != labels)
    added = sum(one / structure.pairs_of(one).std() for one in (targets, np.sqrt(dx2)))
    return {
        "(50)": together,
        "‖dx‖‖dy*‖": alone,
        "targets alone": targets,
        "inputs alone": dx2,
        "targets and inputs, added": added,
    }


def loss_at(kind: str, epoch: int) -> np.ndarray:
    """The loss (1) of each network of a kind, its mean over the five epochs before one."""
    interval = kept(kind, "interval")[0]
    rows = slice(int((epoch - 5) / interval), int(epoch / interval))
    return kept(kind, "loss")[:, rows].mean(axis=1)


def begins(pair: Run, looks: int = 5) -> bool:
    """Whether there are so many looks before a fifth of the target is learned, for a forecast to fit."""
    share = held_out.learned_share(pair.trajectory, pair.task.dy2_target)
    return bool((share >= held_out.FIRST_PART).argmax() >= looks)

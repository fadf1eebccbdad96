"""The paper's experiments: tables, trials, what is kept of them, and the stored runs."""

from .tables import INITIAL_WEIGHTS, TABLE_1, TABLE_2, UNIVERSAL, Row
from .trial import (
    N_ANALYSED,
    OPTIMIZERS,
    TASKS,
    RepeatedTrial,
    Snapshot,
    TaskTrial,
    Trial,
    TrialResult,
    Watch,
    mnist_folder,
    snapshot,
)

__all__ = [
    "INITIAL_WEIGHTS",
    "N_ANALYSED",
    "OPTIMIZERS",
    "TABLE_1",
    "TABLE_2",
    "TASKS",
    "UNIVERSAL",
    "RepeatedTrial",
    "Row",
    "Snapshot",
    "TaskTrial",
    "Trial",
    "TrialResult",
    "Watch",
    "mnist_folder",
    "snapshot",
]

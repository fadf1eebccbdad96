"""A sweep: trials of which one file keeps what was measured."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from . import store
from .store import Stored, StoredFileError, load
from .trial import TaskTrial, Trial

Arrays = dict[str, np.ndarray]


@dataclass(frozen=True)
class Sweep:
    """One stored file: its name, its trials, and what is kept of each, in arrays with a row a trial."""

    name: str
    trials: tuple[Trial | TaskTrial, ...]
    measure: Callable[[Trial | TaskTrial], Arrays]
    rests_on: str = ""
    """Name of a sweep that has to be there first: its trials read their settings from it."""
    reads: tuple[str, ...] = ()
    """Names of the sweeps whose stored runs are measured; this one trains nothing then."""

    @property
    def path(self) -> Path:
        """Path of the file."""
        return store.FOLDER / f"{self.name}.npz"

    @property
    def command(self) -> str:
        """Shell command that makes the file."""
        return f"make runs ARGS={self.name}"

    @property
    def settings(self) -> list[dict]:
        """Each trial in full, as JSON has it."""
        return [asdict(trial) | {"table": {**asdict(trial.settings)}} for trial in self.trials]

    def load(self, *, whole: bool = True) -> Stored:
        """The stored arrays; raises StoredFileError where some are missing or of other settings."""
        stored = load(self.path, command=self.command)
        if stored.provenance.get("settings") != self.settings:
            raise StoredFileError(
                f"{self.path} was made with other settings; make it again with: {self.command}"
            )
        done = stored.arrays["done"]
        if whole and not done.all():
            raise StoredFileError(
                f"{self.path} holds {done.sum()} of {done.size} trials; finish it with: {self.command}"
            )
        return stored

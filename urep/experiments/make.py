"""Computing the stored runs that are missing, and the command line of it.

    make runs                          what is missing, of everything
    make runs ARGS=universal           of one experiment
    make runs ARGS="default-0 --again" one file, even if it is there

Sweeps are lists of independent trials, which joblib hands to processes, or to a Dask or Ray cluster;
nothing here schedules anything.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from time import perf_counter, process_time, time

import numpy as np
import torch
from joblib import Parallel, delayed, parallel_config
from joblib.externals.loky import ProcessPoolExecutor
from tqdm import tqdm

from .. import tasks
from . import runs, store
from .store import StoredFileError, arithmetic, origin, save
from .trial import TASKS, TaskTrial, Trial, mnist_folder


def make(
    names: Sequence[str] = (),
    *,
    again: bool = False,
    first: int | None = None,
    jobs: int = -1,
    backend: str | None = None,
    progress: bool | None = None,
) -> list[str]:
    """Compute what is missing of some experiments or sweeps, or of all; the names of what was made.

    Every trial is kept as soon as it is there: what is interrupted, by anything, goes on where it was.
    `again` computes what is there too; `first` only the first so many trials of each file. `jobs`
    processes of one thread each; `backend` is any that joblib knows: "dask" with a `distributed.Client`
    made before, "ray" after `ray.util.joblib.register_ray()`. Two calls at once must not share a file.
    Raises ValueError for an unknown name, naming those there are, FileNotFoundError where MNIST is asked
    for and UREP_MNIST does not say where it is; when everything is, MNIST is left out and that is said.
    """
    sweeps = _with_data(_named(names), asked_for=bool(names))
    made = []
    for stage in _stages(sweeps):
        made += _make(stage, again=again, first=first, jobs=jobs, backend=backend, progress=progress)
    return made


def _stages(sweeps: list[runs.Sweep]) -> list[list[runs.Sweep]]:
    """The sweeps in the order in which they can be made: what rests on another comes after it."""
    return [[s for s in sweeps if not s.rests_on], [s for s in sweeps if s.rests_on]]


def _make(sweeps: list[runs.Sweep], *, again, first, jobs, backend, progress) -> list[str]:
    under_way = {sweep.name: _Progress(sweep, again) for sweep in sweeps}
    missing = [(sweep, k) for sweep in sweeps for k in under_way[sweep.name].missing(first)]
    where = origin(store.FOLDER.parent.parent)
    cost = {(sweep.name, k): _cost(sweep.trials[k]) for sweep, k in missing}
    work = Parallel(n_jobs=jobs, return_as="generator_unordered", batch_size=1)
    bar = tqdm(
        total=sum(cost.values()), disable=None if progress is None else not progress,
        bar_format="{desc} {percentage:3.0f}%|{bar}| {elapsed} gone, {remaining} left",
    )  # fmt: skip
    with parallel_config(backend=backend or "loky"), bar:
        for name, k, kept, how in work(delayed(_measure)(sweep, k) for sweep, k in missing):
            under_way[name].keep(k, kept, where | how)
            bar.set_description(f"{name} {under_way[name].done.sum()}/{under_way[name].done.size}")
            bar.update(cost[name, k])
    return list(dict.fromkeys(sweep.name for sweep, _ in missing))


def _named(names: Sequence[str]) -> list[runs.Sweep]:
    if not names:
        return list(runs.SWEEPS.values())
    unknown = [name for name in names if name not in runs.EXPERIMENTS and name not in runs.SWEEPS]
    if unknown:
        raise ValueError(
            f"names must be experiments ({', '.join(runs.EXPERIMENTS)}) or files ({', '.join(runs.SWEEPS)}); "
            f"got {', '.join(map(repr, unknown))}"
        )
    wanted: dict[str, runs.Sweep] = {}
    for name in names:
        sweeps = runs.EXPERIMENTS[name] if name in runs.EXPERIMENTS else [runs.SWEEPS[name]]
        wanted |= {sweep.name: sweep for sweep in sweeps}
    return list(wanted.values())


def _with_data(sweeps: list[runs.Sweep], *, asked_for: bool) -> list[runs.Sweep]:
    """The sweeps whose data are there, found out before anything is trained."""
    without = [s for s in sweeps if all(getattr(trial, "task", None) != "mnist" for trial in s.trials)]
    if len(without) == len(sweeps):
        return sweeps
    try:
        tasks.mnist(mnist_folder(), points=1)
    except FileNotFoundError as error:
        if asked_for:
            raise
        left_out = ", ".join(s.name for s in sweeps if s not in without)
        print(f"left out: {left_out}; {error}", file=sys.stderr)
        return without
    return sweeps


def _measure(sweep: runs.Sweep, k: int) -> tuple[str, int, dict, dict]:
    """One trial, measured here, or in a process of its own if it needs another environment."""
    environment = sweep.trials[k].environment
    if not environment:
        return _measure_here(sweep, k)
    with ProcessPoolExecutor(1, env=dict(environment)) as process:
        return process.submit(_measure_here, sweep, k).result()


def _measure_here(sweep: runs.Sweep, k: int) -> tuple[str, int, dict, dict]:
    """One trial, on one thread: several side by side would wait for each other's."""
    torch.set_num_threads(1)
    torch.backends.mkldnn.set_flags(False)  # its small convolutions take twice as long as torch's own
    begin, core = perf_counter(), process_time()
    kept = sweep.measure(sweep.trials[k])
    how = {
        "seconds": round(perf_counter() - begin, 2),
        "core_seconds": round(process_time() - core, 2),
        "at": int(time()),
        "arithmetic": arithmetic(),
    }
    return sweep.name, k, kept, how


def _cost(trial: Trial | TaskTrial) -> float:
    """How long a trial may take, in units of which only ratios mean anything."""
    if not isinstance(trial, Trial | TaskTrial):
        return trial.cost
    row = trial.settings
    if isinstance(trial, TaskTrial):
        points = trial.points or TASKS[trial.task]
        steps = row.epochs * trial.steps_an_epoch(points)
        a_step = 0.3 + row.hidden_layers * row.units**2 * (4 + (trial.batch or points) / 100) / 2e6
        return a_step * steps * (2 if trial.optimizer == "Adam" else 1)
    weights = 6 if trial.row == "Convolution" else row.hidden_layers * row.units**2 / 2e6
    return weights * (row.epochs if trial.stop_at_loss is None else min(row.epochs, 6000))


class _Progress:
    """A sweep that is being computed: arrays with a row a trial, and which of them are there."""

    def __init__(self, sweep: runs.Sweep, again: bool):
        self.sweep = sweep
        self.done = np.zeros(len(sweep.trials), bool)
        self.arrays: dict[str, np.ndarray] = {}
        self.trials: list[dict | None] = [None] * len(sweep.trials)
        if again or not sweep.path.exists():
            return
        try:
            stored = sweep.load(whole=False)
        except StoredFileError as error:
            print(error, file=sys.stderr)
            return
        self.arrays = dict(stored.arrays)
        self.done = self.arrays.pop("done")
        self.trials = stored.provenance["trials"]

    def missing(self, first: int | None) -> list[int]:
        return np.flatnonzero(~self.done[:first]).tolist()

    def keep(self, k: int, kept: dict[str, np.ndarray], origin: dict) -> None:
        for name, value in kept.items():
            if name not in self.arrays:
                self.arrays[name] = np.zeros((self.done.size, *np.shape(value)), np.asarray(value).dtype)
            self.arrays[name][k] = value
        self.done[k] = True
        self.trials[k] = origin
        provenance = {"command": self.sweep.command, "settings": self.sweep.settings, "trials": self.trials}
        save(self.sweep.path, {**self.arrays, "done": self.done}, provenance)


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line: `make runs` calls it."""
    parser = argparse.ArgumentParser(
        prog="make runs ARGS=…", description="Compute the stored runs that are missing."
    )
    parser.add_argument("names", nargs="*", help="experiments or files; all, without any")
    parser.add_argument("--again", action="store_true", help="also what is there")
    parser.add_argument("--first", type=int, metavar="N", help="only the first N trials of each file")
    parser.add_argument("--jobs", type=int, default=-1, help="processes, one thread each; all cores")
    parser.add_argument("--dask", metavar="ADDRESS", help="a Dask scheduler to hand the trials to")
    given = parser.parse_args(arguments)
    backend = None
    if given.dask:
        from distributed import Client

        Client(given.dask)
        backend = "dask"
    try:
        made = make(given.names, again=given.again, first=given.first, jobs=given.jobs, backend=backend)
    except (ValueError, FileNotFoundError) as error:
        parser.error(str(error))
    print("\n".join(f"made {name}" for name in made) or "nothing is missing")


if __name__ == "__main__":
    # What is handed to other processes is found there under the module's name, not as "__main__".
    from urep.experiments import make as found_by_name

    found_by_name.main()

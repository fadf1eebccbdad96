"""What is kept of a trial: functions from a trial to arrays by name, which `urep.runs` stores.

Long curves are kept in float32. A trial that diverged is kept as that, with NaN where it has nothing.
"""

from __future__ import annotations

import warnings

import numpy as np

from .. import tasks
from ..fit import FitWarning, fit_rates
from ..theory import State
from ..training import Run
from . import structure
from .trial import ANALYSED, RepeatedTrial, Snapshot, TaskTrial, Trial, TrialResult

ENDS = ("epochs", "loss", "diverged")
"""How a training ends, as stored: the index in this tuple."""


# --- of two points ----------------------------------------------------------------


def trajectory(trial: Trial) -> dict[str, np.ndarray]:
    """All of it: ‖dh‖² (layers, n), ‖dy‖², w and loss (n,), in float32; by how much dh turned (layers,)."""
    outcome = trial.train(progress=False)
    run = outcome.run
    states = list(run.trajectory.values()) if trial.layers == "all" else [run.trajectory]
    return {
        "dh2": np.float32([state.dh2 for state in states]),
        "dy2": np.float32(states[0].dy2),
        "w": np.float32(states[0].w),
        "loss": np.float32(run.loss),
        "turned": outcome.rotation,
        "stopped": np.int8(ENDS.index(run.stopped)),
    }


def ends(trial: Trial) -> dict[str, np.ndarray]:
    """Its two ends: (‖dh‖², ‖dy‖², w) first and last, the last loss, epochs run, how it ended, dh's turn."""
    return _ends(trial.train(progress=False))


def fitted(trial: Trial) -> dict[str, np.ndarray]:
    """Its two ends, and the fit of (7) over all epochs of the row: rates, residual, R², whether it converged.

    A run that stopped at a loss stays where it is: its curves are continued as they ended.
    """
    outcome = trial.train(progress=False)
    run = outcome.run
    kept = _ends(outcome) | {"rates": np.full(2, np.nan), "r2": np.full(3, np.nan),
                         "residual": np.float64(np.nan), "converged": np.bool_(False)}  # fmt: skip
    if run.stopped == "diverged":
        return kept
    missing = trial.settings.epochs - len(run)
    state = State(*(np.pad(v, (0, missing), mode="edge") for v in run.trajectory))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FitWarning)  # kept as `converged`
        fit = fit_rates(np.arange(trial.settings.epochs), state, run.task)
    return kept | {
        "rates": np.array([fit.rates.tau_h, fit.rates.tau_y]), "r2": np.array([*fit.r2]),
        "residual": np.float64(fit.residual), "converged": np.bool_(fit.converged),
    }  # fmt: skip


def _ends(outcome: TrialResult) -> dict[str, np.ndarray]:
    run = outcome.run
    return {
        "first": np.array([*run.trajectory[0]]), "last": np.array([*run.trajectory[len(run) - 1]]),
        "loss": np.float64(run.loss[-1]), "epochs": np.int32(len(run)),
        "stopped": np.int8(ENDS.index(run.stopped)), "turned": outcome.rotation[0],
    }  # fmt: skip


CURVE_EVERY = 5
"""Epochs between the stored rows of a repeated training, whose escape takes hundreds."""


def repeated(trial: RepeatedTrial) -> dict[str, np.ndarray]:
    """What rounding may change: the curves, the epoch of escape, the fitted constants, R², the last row.

    The curves, in float32, are of every CURVE_EVERY-th epoch. The escape is the first epoch at which
    half of the targets' difference is learned, NaN where that is never.
    """
    run = trial.train(progress=False).run
    fit = fit_rates(run.t, run.trajectory, run.task)
    rows = slice(None, None, CURVE_EVERY)
    state = run.trajectory[rows]
    curves = {"dh2": state.dh2, "dy2": state.dy2, "w": state.w, "loss": run.loss[rows]}
    return {name: np.float32(curve) for name, curve in curves.items()} | {
        "escape": np.float64(_escape(run)),
        "rates": np.array([fit.rates.tau_h, fit.rates.tau_y]),
        "r2": np.array([*fit.r2]),
        "converged": np.bool_(fit.converged),
        "last": np.array([*run.trajectory[len(run) - 1]]),
    }


def _escape(run: Run) -> float:
    """Epoch, interpolated, at which the part of dy along dy* first reaches half of dy*."""
    share = (run.trajectory.dy2 - run.trajectory.w) / run.task.dy2_target
    k = int(np.argmax(share >= 0.5))
    if share[k] < 0.5:
        return np.nan
    return float(np.interp(0.5, share[k - 1 : k + 1], run.t[k - 1 : k + 1])) if k else 0.0


# --- of a task of many points, and of other ways down ----------------------------------------------------


def watched(trial: TaskTrial) -> dict[str, np.ndarray]:
    """The pair that was watched: ‖dh‖², ‖dy‖², w and loss (n,), in float32; NaN after it diverged."""
    return _watched(trial.train(progress=False), trial)


def matrices(trial: TaskTrial) -> dict[str, np.ndarray]:
    """Squared distances between hidden representations, and between outputs, before and after, (n, n)."""
    return _matrices(trial.train(progress=False))


def structure_and_pair(trial: TaskTrial) -> dict[str, np.ndarray]:
    """What `watched` and what `matrices` keep, and the share of all points that is classified right."""
    outcome = trial.train(progress=False)
    right = outcome.after.outputs.argmax(axis=1) == outcome.data[1].numpy().argmax(axis=1)
    return _watched(outcome, trial) | _matrices(outcome) | {"accuracy": np.float64(right.mean())}


AXES = 10
"""Principal axes that are kept of a representation: in all that are kept, but 1e-5 of its variance."""


def shapes(trial: TaskTrial) -> dict[str, np.ndarray]:
    """The blobs: collapse in both contexts, how far these are apart, the final shape on its first axes."""
    outcome = trial.train(progress=False)
    kept = {}
    for name, shot in (("before", outcome.before), ("after", outcome.after)):
        kept |= {f"{key}_{name}": value for key, value in _shape(shot, outcome.data).items()}
    kept["axes"] = np.float32(structure.classical_scaling(outcome.after.hidden, AXES))
    return kept | _last(outcome.run)


def _shape(shot: Snapshot, data: tasks.Data) -> dict[str, np.ndarray]:
    context, x, y = tasks.blob_features(round((len(shot.hidden) / 2) ** 0.5))
    halves = [(x, y), (y, x)]
    return {
        "collapse": np.array([
            structure.collapse(shot.hidden[context == c], *(feature[context == c] for feature in halves[c]))
            for c in (0, 1)
        ]),
        "apart": np.float64(structure.contexts_apart(shot.hidden, context, data[1][:, 0].numpy())),
    }  # fmt: skip


def alone_and_together(trial: TaskTrial) -> dict[str, np.ndarray]:
    """Of the first points of MNIST: distances of inputs, ‖dx‖‖dy*‖, that weighed by (50), and the labels.

    Nothing is trained. The pixels of (50) are those of the authors' code, 0 to 255.
    """
    inputs, targets = (part.numpy() for part in trial.data())
    pixels = 255 * (tasks.MNIST_STD * inputs + tasks.MNIST_MEAN)
    dx2 = structure.distances2(pixels)
    alone = np.sqrt(dx2 * structure.distances2(targets))
    some = np.arange(ANALYSED)
    return {
        "dx2": np.float32(dx2[:ANALYSED, :ANALYSED]),
        "alone": np.float32(alone[:ANALYSED, :ANALYSED]),
        "together": np.float32(structure.weighed(alone, some)),
        "labels": np.int8(targets[:ANALYSED].argmax(axis=1)),
        "near": np.float64((alone[np.triu_indices(len(alone), 1)] < 10).mean()),
        "classes": np.bincount(targets.argmax(axis=1), minlength=10),
    }


def _watched(outcome: TrialResult, trial: TaskTrial) -> dict[str, np.ndarray]:
    run = outcome.run
    steps = 1 if trial.batch is None else -(-len(outcome.data[0]) // trial.batch)
    missing = -(-trial.settings.epochs * steps // trial.every) - len(run)
    columns = {"dh2": run.trajectory.dh2, "dy2": run.trajectory.dy2, "w": run.trajectory.w, "loss": run.loss}
    kept = {name: np.float32(np.pad(v, (0, missing), constant_values=np.nan)) for name, v in columns.items()}
    return kept | {"dx2": np.float64(run.task.dx2), "interval": np.float64(trial.every / steps)} | _last(run)


def _matrices(outcome: TrialResult) -> dict[str, np.ndarray]:
    kept = {}
    for name, shot in (("before", outcome.before), ("after", outcome.after)):
        for part, points in (("hidden", shot.hidden[:ANALYSED]), ("outputs", shot.outputs[:ANALYSED])):
            finite = np.isfinite(points).all()
            d2 = structure.distances2(points) if finite else np.full((len(points),) * 2, np.nan)
            kept[f"{part}_{name}"] = np.float32(d2)
    return kept | _last(outcome.run)


def _last(run: Run) -> dict[str, np.ndarray]:
    return {"last_loss": np.float64(run.loss[-1]), "rows": np.int32(len(run)),
            "stopped": np.int8(ENDS.index(run.stopped))}  # fmt: skip

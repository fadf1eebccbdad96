"""Measures: functions from a trial to the arrays that are stored of it, by name.

Long curves are stored in float32. A trial that diverged is stored as such, with NaN where it has no value.
"""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np

from .. import tasks
from ..fit import Fit, fit_rates
from ..state import Run, State, TwoPoint
from . import alternatives as theories
from . import structure
from .held_out import learned_share
from .trial import (
    N_ANALYSED,
    RepeatedTrial,
    Snapshot,
    TaskTrial,
    Trial,
    TrialResult,
    Watch,
    mnist_folder,
    snapshot,
)

Arrays = dict[str, np.ndarray]

ENDS = ("epochs", "loss", "diverged")
"""Values of `Run.stopped`; stored is the index in this tuple."""


# --- two points -------------------------------------------------------------------


def trajectory(trial: Trial) -> Arrays:
    """The whole run: ‖dh‖² (layers, n), ‖dy‖², w and loss (n,), in float32; rotation of dh (layers,).

    The rotation is stored under the name "turned".
    """
    result = trial.train(progress=False)
    run = result.run
    states = list(run.trajectory.values()) if trial.layers == "all" else [run.trajectory]
    return {
        "dh2": np.float32([state.dh2 for state in states]),
        "dy2": np.float32(states[0].dy2),
        "w": np.float32(states[0].w),
        "loss": np.float32(run.loss),
        "turned": result.rotation,
        "stopped": np.int8(ENDS.index(run.stopped)),
    }


def endpoints(trial: Trial) -> Arrays:
    """The first and last (‖dh‖², ‖dy‖², w), the last loss, epochs run, how it ended, rotation of dh."""
    return _endpoints(trial.train(progress=False))


def _endpoints(result: TrialResult) -> Arrays:
    run = result.run
    return {
        "first": np.array([*run.trajectory[0]]),
        "last": np.array([*run.trajectory[len(run) - 1]]),
        "loss": np.float64(run.loss[-1]),
        "epochs": np.int32(len(run)),
        "stopped": np.int8(ENDS.index(run.stopped)),
        "turned": result.rotation[0],
    }


def fitted(trial: Trial) -> Arrays:
    """The endpoints, and the fit of (7) over all epochs of the row: rates, residual, R², convergence.

    The curves of a run that stopped at a loss are continued as they ended.
    """
    return _fitted(trial.train(progress=False), trial.settings.epochs)


def _fitted(result: TrialResult, epochs: int) -> Arrays:
    run = result.run
    if run.stopped == "diverged":
        nothing = {"rates": np.full(2, np.nan), "r2": np.full(3, np.nan), "residual": np.float64(np.nan)}
        return _endpoints(result) | nothing | {"converged": np.bool_(False)}
    state = State(*(np.pad(v, (0, epochs - len(run)), mode="edge") for v in run.trajectory))
    fit = fit_rates(np.arange(epochs), state, run.task, unconverged="keep")
    return _endpoints(result) | _of_fit(fit)


def sampled(trial: Trial) -> Arrays:
    """What `fitted` gives, and the curves, in float32, of every CURVE_EVERY-th epoch of the row.

    The curves of a run that stopped at a loss are continued as they ended.
    """
    result, epochs = trial.train(progress=False), trial.settings.epochs
    run = result.run
    state = run.trajectory
    curves = {"dh2": state.dh2, "dy2": state.dy2, "w": state.w, "loss_curve": run.loss}
    padded = {name: np.pad(curve, (0, epochs - len(run)), mode="edge") for name, curve in curves.items()}
    rows = slice(None, None, CURVE_EVERY)
    return _fitted(result, epochs) | {name: np.float32(curve[rows]) for name, curve in padded.items()}


def alternatives(run: Run) -> Arrays:
    """Fits of (7) and of every alternative to one run, in the order of `alternatives.THEORIES`.

    rates (theories, 2), r2 (theories, 3), residual and converged (theories,). The curves of a shape get
    the measured end of ‖dh‖², which (7) has to predict.
    """
    state = run.trajectory
    fits = [
        _of_fit(fit_rates(run, solver=solver, unconverged="keep"))
        for solver in theories.solvers(state.dh2[-1])
    ]
    return {name: np.array([fit[name] for fit in fits]) for name in fits[0]}


def _of_fit(fit: Fit) -> Arrays:
    return {
        "rates": np.array([fit.rates.tau_h, fit.rates.tau_y]),
        "r2": np.array([*fit.r2]),
        "residual": np.float64(fit.residual),
        "converged": np.bool_(fit.converged),
    }


def fitted_layers(trial: Trial) -> Arrays:
    """The fit of (7) to each layer of a run: rates (layers, 2), r2 (layers, 3), residual, convergence.

    With the first and last (‖dh‖², ‖dy‖², w) of each layer, the last loss, and how the run ended.
    """
    run = trial.train(progress=False).run
    states = list(run.trajectory.values())
    fits = [_of_fit(fit_rates(run.t, state, run.task, unconverged="keep")) for state in states]
    return {name: np.array([fit[name] for fit in fits]) for name in fits[0]} | {
        "first": np.array([[*state[0]] for state in states]),
        "last": np.array([[*state[len(run) - 1]] for state in states]),
        "loss": np.float64(run.loss[-1]),
        "stopped": np.int8(ENDS.index(run.stopped)),
    }


CURVE_EVERY = 5
"""Epochs between the stored rows of a repeated training, whose escape takes hundreds."""


def repeated(trial: RepeatedTrial) -> Arrays:
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
        "escape": np.float64(escape(run)),
        "rates": np.array([fit.rates.tau_h, fit.rates.tau_y]),
        "r2": np.array([*fit.r2]),
        "converged": np.bool_(fit.converged),
        "last": np.array([*run.trajectory[len(run) - 1]]),
    }


def escape(run: Run) -> float:
    """Epoch, interpolated, at which the part of dy along dy* first reaches half of dy*; NaN if never."""
    share = learned_share(run.trajectory, run.task.dy2_target)
    k = int(np.argmax(share >= 0.5))
    if share[k] < 0.5:
        return np.nan
    return float(np.interp(0.5, share[k - 1 : k + 1], run.t[k - 1 : k + 1])) if k else 0.0


def growth_exponent(state: State, task: TwoPoint) -> float:
    """Slope of log ‖dh‖² against the log of the learned share, from 20% to 90% of the way."""
    share = learned_share(state, task.dy2_target)
    way = slice(int(np.argmax(share > 0.2)), int(np.argmax(share > 0.9)))
    return float(np.polyfit(np.log(share[way]), np.log(state.dh2[way]), 1)[0])


# --- many points, and other optimizers ------------------------------------------------


def pair_curves(trial: TaskTrial) -> Arrays:
    """The recorded pair: ‖dh‖², ‖dy‖², w and loss (n,), in float32; NaN after it diverged."""
    return _pair_curves(trial.train(progress=False), trial)


def matrices(trial: TaskTrial) -> Arrays:
    """Squared distances between hidden representations, and between outputs, before and after, (n, n)."""
    return _matrices(trial.train(progress=False))


def distances_and_pair(trial: TaskTrial) -> Arrays:
    """What `pair_curves` and `matrices` give, and the share of all points that is classified right."""
    return _distances_and_pair(trial.train(progress=False), trial)


def _distances_and_pair(result: TrialResult, trial: TaskTrial) -> Arrays:
    right = result.after.outputs.argmax(axis=1) == result.data[1].numpy().argmax(axis=1)
    return _pair_curves(result, trial) | _matrices(result) | {"accuracy": np.float64(right.mean())}


LOOKS = 200
"""Times in a training at which pairs of classes are recorded: once an epoch in the authors' of MNIST."""

N_OF_MEANS = 2000
"""Number of points, the first, whose classes' means are recorded; all of the digits."""

CLASS_PAIRS = tuple(combinations(range(10), 2))
"""The pairs of classes that are recorded."""


def class_pairs(trial: TaskTrial) -> Arrays:
    """What `distances_and_pair` gives, and curves and fits of (7) of all CLASS_PAIRS of one training.

    First of single images, image number `seed` of each class; then of the means of the classes. The
    names begin with "pairs_": dh2, dy2, w (2, pairs, looks) and t (looks,) in epochs, dx2 (2, pairs),
    and what a fit gives. "right" is the share of MNIST's test images that is classified right.
    """
    data = trial.data()
    inputs, targets = (part[:N_OF_MEANS] for part in data)
    labels = targets.argmax(dim=1).numpy()
    images = [np.flatnonzero(labels == digit)[trial.seed] for digit in range(10)]
    means = np.stack([(labels == digit) / (labels == digit).sum() for digit in range(10)])
    rows = np.concatenate([np.eye(len(labels))[images], means])  # each is a sum over points
    seen, networks = [], []

    def look(network) -> None:
        networks[:] = [network]
        shot = snapshot(network, inputs)
        seen.append((rows @ shot.hidden, rows @ shot.outputs))

    an_epoch = trial.steps_an_epoch(len(data[0]))
    every = math.ceil(trial.settings.epochs * an_epoch / LOOKS)
    result = trial.train(progress=False, watch=Watch(look, every))
    kept = _distances_and_pair(result, trial)
    t = np.arange(len(seen)) * every / an_epoch
    kept |= _class_pairs(t, seen, rows @ inputs.numpy(), rows @ targets.numpy())
    if trial.task == "mnist":
        unseen, answers = tasks.mnist(mnist_folder(), part="t10k", dtype=trial.dtype)
        correct = snapshot(networks[0], unseen).outputs.argmax(axis=1) == answers.numpy().argmax(axis=1)
        kept["right"] = np.float64(correct.mean())
    return kept


def _class_pairs(t: np.ndarray, seen: list, inputs: np.ndarray, targets: np.ndarray) -> Arrays:
    """Curves and fits of all CLASS_PAIRS, of ten images and of ten means, from what was seen of both."""
    first, second = np.array([(10 * kind + np.array(CLASS_PAIRS)) for kind in range(2)]).transpose(2, 0, 1)
    hidden, outputs = (np.array(part) for part in zip(*seen, strict=True))  # (looks, 20, size)
    apart = lambda points: points[..., second, :] - points[..., first, :]
    dh, dy, d = apart(hidden), apart(outputs), apart(targets)
    curves = [np.moveaxis(values.sum(axis=-1), 0, -1) for values in (dh**2, dy**2, dy * (dy - d))]
    dx2, dy2_target = (apart(inputs) ** 2).sum(axis=-1), (d**2).sum(axis=-1)
    fits = []
    for where in np.ndindex(dx2.shape):
        state = State(*(curve[where] for curve in curves))
        task = TwoPoint(float(dx2[where]), float(dy2_target[where]))
        fits.append(_of_fit(fit_rates(t, state, task, unconverged="keep")))
    arrays = {name: np.array([fit[name] for fit in fits]) for name in fits[0]}
    arrays = {name: values.reshape(*dx2.shape, *values.shape[1:]) for name, values in arrays.items()}
    arrays |= {name: np.float32(c) for name, c in zip(("dh2", "dy2", "w"), curves, strict=True)}
    return {f"pairs_{name}": values for name, values in arrays.items()} | {"pairs_t": t, "pairs_dx2": dx2}


def _pair_curves(result: TrialResult, trial: TaskTrial) -> Arrays:
    run, steps = result.run, trial.steps_an_epoch(len(result.data[0]))
    missing = math.ceil(trial.settings.epochs * steps / trial.every) - len(run)
    state = run.trajectory
    columns = {"dh2": state.dh2, "dy2": state.dy2, "w": state.w, "loss": run.loss}
    padded = {name: np.pad(v, (0, missing), constant_values=np.nan) for name, v in columns.items()}
    return {name: np.float32(v) for name, v in padded.items()} | {
        "dx2": np.float64(run.task.dx2),
        "interval": np.float64(trial.every / steps),
        **_last(run),
    }


def _matrices(result: TrialResult) -> Arrays:
    before, after = result.before, result.after
    return {
        "hidden_before": _distances(before.hidden),
        "outputs_before": _distances(before.outputs),
        "hidden_after": _distances(after.hidden),
        "outputs_after": _distances(after.outputs),
        **_last(result.run),
    }


def _distances(points: np.ndarray) -> np.ndarray:
    """Squared distances of the first N_ANALYSED points, in float32; NaN where the training diverged."""
    points = points[:N_ANALYSED]
    if not np.isfinite(points).all():
        return np.full((len(points),) * 2, np.nan, np.float32)
    return np.float32(structure.distances2(points))


def _last(run: Run) -> Arrays:
    return {
        "last_loss": np.float64(run.loss[-1]),
        "rows": np.int32(len(run)),
        "stopped": np.int8(ENDS.index(run.stopped)),
    }


# --- blobs ------------------------------------------------------------------------------

N_AXES = 10
"""Number of principal axes that are stored of a representation: all but 1e-5 of its variance."""


def blob_geometry(trial: TaskTrial) -> Arrays:
    """Collapse of the blobs in both contexts, separation of the contexts, final shape on N_AXES axes."""
    result = trial.train(progress=False)
    before, after = (_geometry(shot, result.data) for shot in (result.before, result.after))
    return {
        **{f"{name}_before": value for name, value in before.items()},
        **{f"{name}_after": value for name, value in after.items()},
        "axes": np.float32(structure.classical_scaling(result.after.hidden, N_AXES)),
        **_last(result.run),
    }


def _geometry(shot: Snapshot, data: tasks.Data) -> Arrays:
    side = round((len(shot.hidden) / 2) ** 0.5)
    context, x, y = tasks.blob_features(side)
    relevant_first = [(x, y), (y, x)]  # in context 0 the target is x, in context 1 it is y
    collapse = [
        structure.collapse(shot.hidden[context == c], *(feature[context == c] for feature in features))
        for c, features in enumerate(relevant_first)
    ]
    separation = structure.context_separation(shot.hidden, context, data[1][:, 0].numpy())
    return {"collapse": np.array(collapse), "apart": np.float64(separation)}


# --- MNIST ------------------------------------------------------------------------------


def mnist_weighing(trial: TaskTrial) -> Arrays:
    """Distances of MNIST's first points: of inputs, ‖dx‖‖dy*‖, that weighed by (50); and the labels.

    Nothing is trained. The pixels of (50) are those of the authors' code, 0 to 255.
    """
    inputs, targets = (part.numpy() for part in trial.data())
    pixels = 255 * (tasks.MNIST_STD * inputs + tasks.MNIST_MEAN)
    dx2 = structure.distances2(pixels)
    alone = np.sqrt(dx2 * structure.distances2(targets))
    some = np.arange(N_ANALYSED)
    return {
        "dx2": np.float32(dx2[:N_ANALYSED, :N_ANALYSED]),
        "alone": np.float32(alone[:N_ANALYSED, :N_ANALYSED]),
        "together": np.float32(structure.exponential_weighing(alone, some)),
        "labels": np.int8(targets[:N_ANALYSED].argmax(axis=1)),
        "near": np.float64((alone[np.triu_indices(len(alone), 1)] < 10).mean()),
        "classes": np.bincount(targets.argmax(axis=1), minlength=10),
    }

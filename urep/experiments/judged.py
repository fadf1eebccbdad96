"""Trials of a sweep by their settings, and what `urep.verify` takes of explored and of fresh networks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache

import numpy as np

from . import runs
from .sweep import Arrays

Measure = Callable[[object], np.ndarray]


def evidence(measure: Measure, explored, fresh, null: Measure | None = None) -> dict[str, np.ndarray]:
    """A measure of explored and of fresh networks, and that of a null model of the same.

    `explored` and `fresh` are whatever the measures take: networks, names of sweeps, seeds.
    """
    found = {"measured": measure(explored), "fresh": measure(fresh)}
    if null is not None:
        found |= {"null": null(explored), "fresh_null": null(fresh)}
    return found


def chosen(name: str, **wanted) -> tuple[list, Arrays]:
    """The trials of a sweep whose fields have these values, and the rows of its arrays that are theirs.

    A tuple stands for any of its values. A trial that lacks a field is not chosen by it. Raises ValueError
    where no trial is left, and as `Sweep.load` does.
    """
    sweep = runs.sweep(name)
    rows = [k for k, trial in enumerate(sweep.trials) if _has(trial, wanted)]
    if not rows:
        raise ValueError(f"wanted must fit a trial of {name}, got {wanted}")
    arrays = _arrays(name)
    return [sweep.trials[k] for k in rows], {key: values[rows] for key, values in arrays.items()}


@cache
def _arrays(name: str) -> Arrays:
    """The arrays of a sweep, read once: a table has many entries from one file."""
    return runs.sweep(name).load().arrays


def _has(trial, wanted: Mapping) -> bool:
    allowed = {field: value if isinstance(value, tuple) else (value,) for field, value in wanted.items()}
    return all(getattr(trial, field, None) in values for field, values in allowed.items())

"""Runs with both of their fits: what each is said to miss, and the tables that say it."""

from dataclasses import dataclass, replace
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.optimize import curve_fit

from urep.experiments import begun, clocks
from urep.state import Run, State, TwoPoint

D = 0.5**0.5
T = np.arange(0.0, 400.0, 4.0)


@dataclass(frozen=True)
class Missed:
    """Numbers in the place of fits: t₁ and what each model misses, (3,)."""

    t1: float
    whole: np.ndarray
    start: np.ndarray
    mean: np.ndarray
    curve: np.ndarray


def known(t1, whole, start, mean, curve):
    """A run of which only the numbers are known; each model misses that of w, a half and a tenth of it."""
    parts = [np.array([0.5, 0.1, 1.0]) * miss for miss in (whole, start, mean, curve)]
    return begun.Begun(None, Missed(t1, *parts))


def risen():
    """A run whose three curves rise as a stretched exponential from epoch 60 on, and in a line before."""
    gone = np.where(T < 60, 0.001 * T, 0.06 + 0.94 * (1 - np.exp(-((np.maximum(T - 60, 0) / 120) ** 2.0))))
    dy = 0.02 + (D - 0.02) * gone
    return Run(T, State(0.2 + 0.7 * gone, dy**2, dy * (dy - D)), (dy - D) ** 2 / 8, TwoPoint(1.0, 0.5), 0.01,
               "epochs")  # fmt: skip


def test_the_worst_of_some_curves_is_the_largest_of_their_numbers():
    one = known(10.0, 0.8, 0.6, 0.4, 0.2)
    found = one.worst("whole"), one.worst("start", [0, 1]), one.worst("mean", [1])
    assert found == pytest.approx((0.8, 0.3, 0.04))


def test_the_better_curve_is_the_stretched_exponential_where_the_run_is_one():
    run = risen()
    found = begun.Begun(run, clocks.clocks(run, 60.0))
    late = T >= 60

    def rising(t, tau, power):
        return 0.06 + 0.94 * (1 - np.exp(-((t / tau) ** power)))

    fitted, _ = curve_fit(rising, T[late] - 60, (run.trajectory.dh2[late] - 0.2) / 0.7, p0=(100.0, 1.5))
    assert fitted == pytest.approx((120.0, 2.0), rel=1e-6)  # so that a perfect curve is there to be found
    assert found.best_curve() < 1e-3 < found.worst("curve")
    worse = replace(found.clocks, curve=np.full(3, 1e-9))
    assert begun.Begun(run, worse).best_curve() == 1e-9


def test_a_fit_from_all_of_t1_misses_what_the_fit_from_t1_does_and_an_earlier_one_more():
    run = risen()
    found = begun.Begun(run, clocks.clocks(run, 60.0))
    assert found.too_early(1.0) == pytest.approx(found.clocks.mean[2], rel=1e-9)
    assert found.too_early(0.0) == pytest.approx(found.clocks.start[2], rel=1e-9)


def test_tables_have_medians_over_runs_and_no_share_where_nothing_is_gained():
    groups = {
        "gains": [known(t1, whole, 0.5, 0.2, 0.1) for t1, whole in ((10, 0.7), (20, 0.8), (90, 4.0))],
        "same": [known(30.0, 0.30, 0.3, 0.29, 3.0)],
    }
    assert begun.each(lambda one: one.clocks.t1, groups, ["same", "gains"]) == [30, 10, 20, 90]
    missed = begun.of_w(groups)
    assert missed["gains"] == pytest.approx({"whole": 0.8, "start": 0.5, "mean": 0.2, "curve": 0.1})
    first, second = begun.fits_table(groups).rows
    assert first[:4] == ["gains", "3", "20", "0.60 0.92 0.20"]
    assert second[-1] == "-0.50 0.70 <-1"
    first, second = begun.share_table(missed).rows
    assert first == ["gains", "0.80", "0.50", "0.20", "0.10", "50%"]
    assert second == ["same", "0.30", "0.30", "0.29", ">1", ""]
    worse = {"row": {"whole": 3.0, "start": 2.0, "mean": 1.5, "curve": 1.0}}
    assert begun.share_table(worse).rows[0][-1] == ""


def test_pairs_are_what_two_models_miss_of_the_rows_of_a_kind():
    missed = {"a": {"start": 1.0, "mean": 2.0}, "b": {"start": 3.0, "mean": 4.0}}
    panels = begun.pairs(missed, {"clock": ("start", "mean")}, {"both": ["b", "a"], "one": ["a"]})
    assert panels == {"clock": {"both": ([3.0, 1.0], [4.0, 2.0]), "one": ([1.0], [2.0])}}


def test_runs_whose_mean_is_not_learned_are_left_out(monkeypatch):
    run = risen()
    both = [SimpleNamespace(run=run, t1=None), SimpleNamespace(run=run, t1=60.0)]
    monkeypatch.setattr(begun.runs, "angled_runs", lambda row, seeds: both)
    (only,) = begun.fresh("Default")
    assert only.run is run and only.clocks.t1 == 60

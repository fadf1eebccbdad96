"""What the chapter on forecasts counts, against stored curves, known factors and many draws."""

from types import SimpleNamespace

import numpy as np
import pytest

import urep
from urep.experiments import forecast_checks, runs

TASK, RATES = urep.TwoPoint(1.0, 0.5), urep.Rates(300.0, 250.0)
START, TIMES = urep.State(0.02, 1e-4, 1e-4 - 0.01 * 0.5**0.5), np.linspace(0, 3000, 201)


def test_ends_of_closer_targets_are_read_where_the_farther_run_passes_them():
    found = forecast_checks.of_targets("Linear", "")
    far, near = runs.sampled_runs("linear-targets")
    middle = runs.stored_run("Linear").run
    for (told, scaled, measured), (one, other) in zip(found, [(far, middle), (middle, near)], strict=True):
        d, closer = one.task.dy2_target**0.5, other.task.dy2_target**0.5
        v = (one.trajectory.dy2 - one.trajectory.w) / d
        assert told == pytest.approx(one.trajectory.dh2[np.argmax(v >= closer)], rel=0.03)
        assert scaled == pytest.approx(one.trajectory.dh2[-1] * closer / d)
        assert measured == other.trajectory.dh2[-1]


def test_there_are_no_such_ends_where_a_run_has_not_learned(monkeypatch):
    monkeypatch.setattr(forecast_checks.forecasts, "is_learned", lambda run: False)
    assert forecast_checks.of_targets("Linear", "") == []


def test_a_null_model_without_other_runs_is_given_its_own(monkeypatch):
    monkeypatch.setattr(forecast_checks.forecasts, "ends_by_others", lambda own, known: known)
    mine, other = [SimpleNamespace(row="ELU")], [SimpleNamespace(row="ELU")]
    assert forecast_checks.by_others({"ELU": other})(mine) is other
    assert forecast_checks.by_others({"ELU": []})(mine) is mine


def test_a_carried_height_misses_by_the_power_that_it_leaves_out():
    d = forecast_checks.D
    default = [SimpleNamespace(end=0.3), SimpleNamespace(end=0.5)]
    grid = [SimpleNamespace(end=0.4 * k**2, target=k * d) for k in (0.5, 1.0, 3.0)]
    np.testing.assert_allclose(forecast_checks.carried_height(default, grid, 2), 0, atol=1e-12)
    np.testing.assert_allclose(
        forecast_checks.carried_height(default, grid, 1), np.log([2, 1, 3]), atol=1e-12
    )


def test_scores_of_independent_noise_have_a_spread_of_one():
    scores = forecast_checks.noisy_scores(START, TASK, RATES, TIMES, draws=40, seed=0, size=1e-4)
    assert np.std(scores) == pytest.approx(1, rel=0.35) and abs(np.mean(scores)) < 0.5


def test_a_bar_holds_an_end_that_noise_explains_and_not_one_that_is_far_off():
    exact = np.array([*urep.solve(START, TASK, RATES, TIMES)])
    noise = 1e-5 * np.random.default_rng(1).normal(size=exact.shape)
    noise[2], noise[:, 0] = 0, 0
    seen = exact + noise
    state = urep.State(*seen)
    loss = urep.loss(state, TASK, TIMES, tau_mean=1.0, mean_error2=0.0)
    run, end = urep.Run(TIMES, state, loss, TASK, 0.1), urep.final_distance(START, TASK, RATES)
    held = [forecast_checks.covered(SimpleNamespace(run=run, end=end * by)) for by in (1.0, 2.0)]
    assert held == [True, False]

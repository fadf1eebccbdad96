"""Forecasts of the end: conics and paths that are known in closed form, the same beginning for everybody."""

import numpy as np
import pytest

import urep
from urep import growth
from urep.experiments import forecasts

D = 0.5**0.5


def case(alpha=0.0, beta=0.0, ratio=0.4, birth=(0.2, 0.3, 0.1), target=D):
    """A run of growing rates without a mean, and its birth."""
    birth = growth.Lengths(*birth)
    rates, task = growth.Growth(0.02 * ratio, 0.02, alpha, beta), urep.TwoPoint(1.0, target**2)
    t = np.linspace(0, 4000, 1501)
    state = growth.integrate(birth, task, rates, t).state(task)
    loss = urep.loss(state, task, t, tau_mean=1.0, mean_error2=0.0)
    return forecasts.Case("Default", 0, urep.Run(t, state, loss, task, 0.1), birth)


def test_a_conic_through_points_is_followed_to_the_target():
    v = np.linspace(0.01, 0.2, 30)
    dh2 = (0.3 + np.sqrt(0.3**2 + 4 * (0.05 + 0.7 * v**2))) / 2
    end = (0.3 + np.sqrt(0.3**2 + 4 * (0.05 + 0.7 * 0.5))) / 2
    assert forecasts.end_of_line(v, dh2, D) == pytest.approx(end, rel=1e-6)
    assert forecasts.end_of_line(v, dh2, D, ratio=0.7) == pytest.approx(end, rel=1e-9)
    assert np.isnan(forecasts.end_of_line(v, np.sqrt(0.09 - 0.5 * v**2), D))


def test_paths_of_constant_rates_are_the_closed_conic():
    u, r, cosine, ratio = 0.2, 0.3, 0.1, 0.4
    found = forecasts.paths([growth.Lengths(u, r, cosine)], [D], 0.0, 0.0, np.array([ratio]))
    c, C2 = u**2 - ratio * r**2, (u**2 + ratio * r**2) ** 2 - 4 * ratio * (u * r * cosine) ** 2
    known = (c + np.sqrt(C2 + 4 * ratio * found.v**2)) / 2
    np.testing.assert_allclose(found.dh2[:, :, 0], known, rtol=1e-5)
    assert found.v[-1] == pytest.approx(D)


@pytest.mark.parametrize(("alpha", "beta"), [(0.0, 0.0), (-0.5, 0.65), (1.0, 0.0), (1.8, 1.8)])
def test_paths_end_where_the_engine_ends(alpha, beta):
    one = case(alpha, beta)
    found = forecasts.paths([one.birth], [D], alpha, beta, np.array([0.4]))
    assert found.dh2[-1, 0, 0] == pytest.approx(one.end, rel=1e-3)


@pytest.mark.parametrize(("alpha", "beta"), [(0.0, 0.0), (-0.5, 0.65)])
def test_the_right_theory_forecasts_its_own_runs_and_the_wrong_one_does_not(alpha, beta):
    one = case(alpha, beta)
    (right,) = forecasts.log_errors([one], forecasts.ends_by_paths([one], (alpha, beta)))
    (wrong,) = forecasts.log_errors([one], forecasts.ends_by_paths([one], (alpha + 1, beta)))
    assert right < 0.02 and wrong > 2 * right


def test_the_line_forecasts_constant_rates_from_a_tenth():
    one = case()
    (error,) = forecasts.log_errors([one], forecasts.ends_by_line([one], share=0.1))
    assert error < 0.01


def test_a_given_ratio_is_not_fitted_and_aligned_paths_need_a_fit():
    one = case()
    ends = forecasts.ends_by_paths([one], (0.0, 0.0), ratio=0.4)
    assert ends.log_ratio[0] == pytest.approx(np.log(0.4))
    assert ends.dh2[0] == pytest.approx(one.end, rel=1e-3)
    with pytest.raises(ValueError, match="ratio must be None for aligned paths"):
        forecasts.ends_by_paths([one], (0.0, 0.0), ratio=0.4, aligned=True)
    with pytest.raises(ValueError, match="across must be one of inherited, same"):
        forecasts.paths([one.birth], [D], 0.0, 0.0, np.array([0.4]), across="no")


def test_a_run_on_far_targets_passes_where_near_ones_end():
    far, near = case(target=1.0), case(target=D)
    assert forecasts.end_of_other_target(far.run, D) == pytest.approx(near.end, rel=1e-3)


def test_nulls_continue_what_they_saw():
    one = case()
    curve, v = forecasts.Curve(one.run), 0.2 * D
    assert forecasts.ends_by_last([one]).dh2[0] == pytest.approx(curve(v))
    slope = (curve(v) - curve(curve.first)) / (v - curve.first)
    assert forecasts.ends_by_proportion([one]).dh2[0] == pytest.approx(curve(v) + slope * 0.8 * D)
    power = np.log(curve(v) / curve(v / 2)) / np.log(2)
    assert forecasts.ends_by_power([one]).dh2[0] == pytest.approx(curve(v) * 5**power)
    assert forecasts.ends_by_others([one], [one]).dh2[0] == pytest.approx(one.end)


def test_no_forecast_counts_as_a_factor_of_ten():
    one = case()
    nothing = forecasts.Ends(np.array([np.nan]), np.array([np.nan]))
    assert forecasts.log_errors([one], nothing)[0] == pytest.approx(np.log(10))


def test_standard_errors_are_those_of_many_noisy_fits():
    task, rates, noise = urep.TwoPoint(1.0, 0.5), urep.Rates(300.0, 250.0), 1e-4
    start, t = urep.State(0.02, 1e-4, 1e-4 - 0.01 * D), np.linspace(0, 1500, 101)
    exact = np.array([*urep.solve(start, task, rates, t)])
    random, logs = np.random.default_rng(0), []
    for _ in range(60):
        seen = exact + noise * random.normal(size=exact.shape)
        seen[:2] = np.abs(seen[:2])
        seen[:, 0] = exact[:, 0]
        fit = urep.fit_rates(t, urep.State(*seen), task)
        end = urep.final_distance(start, task, fit.rates)
        logs.append([-0.5 * np.log(fit.rates.tau_h * fit.rates.tau_y), np.log(end)])
    told = noise * np.array(forecasts.standard_errors(start, task, rates, t))
    np.testing.assert_allclose(np.std(logs, axis=0), told, rtol=0.35)


def test_a_band_holds_the_share_of_what_it_is_made_of():
    errors = np.random.default_rng(0).exponential(size=200)
    assert np.mean(errors <= forecasts.band(errors)) == pytest.approx(0.9, abs=0.01)

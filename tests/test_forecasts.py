"""Forecasts of the end: conics and paths that are known in closed form, the same beginning for everybody."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from scipy.integrate import solve_ivp

import urep
from urep import growth
from urep.experiments import TABLE_1, Trial, forecast_checks, forecasts, runs

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


@pytest.mark.parametrize("beginning", [(0.2, 0.3, 0.1), (0.1, 0.3, 0.4)])
def test_looking_twice_finds_the_ratio_of_the_run_and_once_nearly(beginning):
    pair = [case(-0.5, 0.65, 0.4, birth=beginning), case(-0.5, 0.65, 3.0, birth=beginning)]
    misses = {}
    for twice in (False, True):
        ends = forecasts.ends_by_paths(pair, (-0.5, 0.65), twice=twice)
        misses[twice] = np.abs(ends.log_ratio - np.log([0.4, 3.0]))
        assert ends.is_found.all()
    assert (misses[True] < 1e-2).all() and misses[False].max() > misses[True].max()


def test_a_fit_that_runs_to_the_last_ratio_says_so():
    """dh that stays is fitted best by the least ratio, one that grows before dy does by the largest."""
    t, v = np.arange(100.0), np.linspace(0.01, D, 100)
    sides = {}
    for name, dh2 in (("stays", np.full(100, 0.09)), ("grows", 0.09 + 30 * v)):
        run = urep.Run(t, urep.State(dh2, v**2, v * (v - D)), (v - D) ** 2 / 8, urep.TwoPoint(1.0, 0.5), 0.1)
        one = forecasts.Case("Default", 0, run, growth.Lengths(0.3, 0.3, 0.1))
        for twice in (False, True):
            ends = forecasts.ends_by_paths([one], (0.0, 0.0), twice=twice)
            sides[name, twice] = ends.side[0]
            assert not ends.is_found[0] and np.isfinite(ends.dh2[0])
    assert sides == {("stays", False): -1, ("stays", True): -1, ("grows", False): 1, ("grows", True): 1}


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
    nothing = forecasts.Ends(np.array([np.nan]), np.array([np.nan]), np.array([0]))
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


# --- oracles that share no code: flows written by hand, and SciPy's integrator -------------------------


def inherited(grown, exponent):
    """(1 − x⁻²)(2 − α)/(2 (1 − x^(α − 2))), 1 at x = 1: what lies across, where isometries were born."""
    left = 2 - exponent
    return 1.0 if abs(grown - 1) < 1e-9 else (1 - grown**-2) * left / (2 * (1 - grown**-left))


def by_hand(powers, ratio, *, d=D, birth=(0.2, 0.3, 0.1), clock=0.02, end=6000.0, rows=1501):
    """u, r and dy of growing rates, (rows,) each, and the epochs."""
    alpha, beta = powers

    def flow(_, z):
        u, r, cosine = z
        k_h, k_y = clock * ratio * u**alpha, clock * r**beta
        left = d - u * r * cosine
        turn = k_h * inherited(u / birth[0], alpha) * r / u + k_y * inherited(r / birth[1], beta) * u / r
        return [left * k_h * r * cosine, left * k_y * u * cosine, left * turn * (1 - cosine**2)]

    t = np.linspace(0, end, rows)
    u, r, cosine = solve_ivp(flow, (0, end), birth, t_eval=t, rtol=1e-9, atol=1e-12).y
    return t, u, r, u * r * cosine


def hand_case(powers, ratio, row="Default", dx2=1.0, **flow):
    """A Case of the flow above; `dx2` is only said, not used."""
    t, u, _, dy = by_hand(powers, ratio, **flow)
    d, birth = flow.get("d", D), growth.Lengths(*flow.get("birth", (0.2, 0.3, 0.1)))
    state = urep.State(u**2, dy**2, dy * (dy - d))
    run = urep.Run(t, state, (d - dy) ** 2 / 8, urep.TwoPoint(dx2, d**2), 0.1)
    return forecasts.Case(row, 0, run, birth)


def test_a_rule_by_settings_forecasts_what_was_integrated_by_hand():
    deep, smooth = hand_case(forecasts.FAMILY, 0.4), hand_case((0.0, 0.0), 0.4, row="Linear")
    for one in (deep, smooth):
        (end,) = forecasts.ends_by_choice([one]).dh2
        assert end == pytest.approx(one.end, rel=0.02)
    (wrong,) = forecasts.ends_by_choice([hand_case((1.0, 1.0), 0.4)]).dh2
    assert abs(wrong / hand_case((1.0, 1.0), 0.4).end - 1) > 0.03
    families = [row for row in TABLE_1 if forecasts.is_deep_rectified(row)]
    assert families == ["Default", "Narrow", "ReLU", *(row for row in TABLE_1 if row.endswith("weights"))]
    assert not any(map(forecasts.has_gates, ("Linear", "ELU", "Tanh", "Swish")))


def test_ends_of_other_tasks_are_those_of_a_flow_with_the_factor_on_its_encoder():
    powers, ratio = (1.0, 0.5), 0.4
    cases = [
        hand_case(powers, ratio * size ** (2 - powers[0]), dx2=size**2, d=d, birth=birth)
        for size, d, birth in ((1.5, 0.7, (0.3, 0.3, 0.2)), (0.4, 1.2, (0.08, 0.3, 0.1)))
    ]
    told = forecasts.ends_of_other_tasks(cases, powers, np.log(ratio)).dh2
    assert told == pytest.approx([one.end for one in cases], rel=2e-3)


def test_misses_on_a_grid_are_those_of_a_flow_that_has_the_ratio_of_the_default():
    powers, ratio = (1.0, 0.5), 0.4
    whole = [hand_case(powers, ratio)]
    grid = [hand_case(powers, ratio, d=0.9, birth=(0.3, 0.3, 0.2)), hand_case(powers, 4 * ratio)]
    right, wrong = forecast_checks.on_grid(whole, grid, powers)
    assert right < 0.06 and wrong > 0.5  # a fit tries 33 ratios, and hits the right one to a tenth


def test_paths_of_wide_random_matrices_are_a_flow_with_sums_of_powers():
    a, b, birth, start = 3, 2, (0.1, 0.2), (0.15, 0.25, 0.1)

    def along(grown, depth):
        return 1 + sum(k * grown ** (-2 * k / depth) for k in range(depth)) / depth

    def flow(_, z):
        u, r, cosine = z
        left, sine2 = D - u * r * cosine, 1 - cosine**2
        big_h, big_y = along(u / birth[0], a), along(r / birth[1], b)
        k_h, k_y = a * u ** (2 - 2 / a), b * r ** (2 - 2 / b)
        across_h, across_y = (1 - cosine**2 * big_h) / sine2, (1 - cosine**2 * big_y) / sine2
        turn = k_h * across_h * r / u + k_y * across_y * u / r
        return [left * k_h * big_h * r * cosine, left * k_y * big_y * u * cosine, left * turn * sine2]

    end = solve_ivp(flow, (0, 200), start, rtol=1e-10, atol=1e-12).y[:, -1]
    assert end[0] * end[1] * end[2] == pytest.approx(D, rel=1e-6)
    lengths, powers = growth.Lengths(*start), (2 - 2 / a, 2 - 2 / b)
    born = growth.Lengths(*birth, 1.0)
    ends = {
        across: forecasts.paths([lengths], [D], *powers, np.array([a / b]), across=across, births=[born])
        for across in growth.ACROSS
    }
    dh2 = {across: found.dh2[-1, 0, 0] for across, found in ends.items()}
    assert dh2["random"] == pytest.approx(end[0] ** 2, rel=1e-3)
    assert ends["random"].cosine[-1, 0, 0] == pytest.approx(end[2], rel=1e-3)
    assert abs(dh2["same"] / dh2["random"] - 1) > 0.02 and dh2["same"] != dh2["inherited"]
    with pytest.raises(ValueError, match="alpha and beta must be in"):
        forecasts.paths([lengths], [D], -0.5, 0.5, np.array([1.0]), across="random")


def test_learned_is_a_small_loss_a_mean_and_no_divergence():
    t, v = np.arange(5.0), np.array([0.0, 0.2, 0.5, 0.7, D])
    state = urep.State(v + 0.1, v**2, v * (v - D))

    def run(last, stopped="epochs", mean=0.0):
        loss = (v - D) ** 2 / 8 + mean
        loss[-1] += last
        return urep.Run(t, state, loss, urep.TwoPoint(1.0, 0.5), 0.1, stopped)

    assert forecasts.is_learned(run(1e-4)) is True
    assert forecasts.is_learned(run(2e-3)) is False
    assert forecasts.is_learned(run(1e-4, stopped="diverged")) is False
    assert forecasts.is_learned(run(0.0, mean=np.array([0.1, 0.1, 0.1, 0.1, 9e-4]))) is False


def test_births_are_the_matrices_before_and_behind():
    trial = Trial("Linear", 3, units=7, hidden_layers=2, precision="float64")
    network = trial.network(trial.data())
    first, second, third = [m.weight.detach() for m in network.modules() if isinstance(m, torch.nn.Linear)]
    behind, dh = third[0], (second @ first)[:, 0]
    u, r, cosine = forecasts.births(trial)["birth"]
    assert u == pytest.approx(float(dh.norm())) and r == pytest.approx(float(behind.norm()))
    assert abs(cosine) == pytest.approx(abs(float(dh @ behind)) / (u * r))


# --- from t₁, computed exponents, carried constants, bars ------------------------------------------------


def begun(powers=(-0.4, 0.8), ratio=0.4, row="Default", at=30, **flow):
    """A Case that is looked at a row of its run, and the same as a run with looks."""
    t, u, r, dy = by_hand(powers, ratio, **flow)
    one = hand_case(powers, ratio, row=row, **flow)
    looks = {0: one.birth, t[at]: growth.Lengths(u[at], r[at], dy[at] / (u[at] * r[at]))}
    later = urep.Run(t[at:], one.run.trajectory[at:], one.run.loss[at:], one.run.task, 0.1)
    angled = SimpleNamespace(
        row=row, run=one.run, t1=t[at], looks=SimpleNamespace(lengths=lambda epoch: looks[epoch])
    )
    return forecasts.Case(row, 0, later, one.birth, looks[t[at]]), angled


def test_from_t1_shares_count_from_there_and_paths_begin_there():
    one, _ = begun(at=200)
    first = one.curve.first
    assert one.asked(0.2) == pytest.approx(first + 0.2 * (D - first))
    v, dh2 = one.beginning(0.2)
    assert v[0] == pytest.approx(first) and v[-1] == pytest.approx(one.asked(0.2))
    assert dh2 == pytest.approx(one.curve(v))
    (end,) = forecasts.ends_by_gates([one], (-0.4, 0.8)).dh2
    assert end == pytest.approx(one.end, rel=0.02)


def test_stored_cases_are_looked_at_where_their_curves_begin():
    for one in runs.begun_cases("Shallow", "angles"):
        assert one.begin.u**2 == pytest.approx(float(one.curve(one.curve.first)), rel=1e-3)
        assert one.begin.u * one.begin.r * one.begin.cosine == pytest.approx(one.curve.first, rel=1e-3)
        assert one.birth.u != one.begin.u


def test_exponents_are_those_of_the_flow_and_its_constants_carry_over():
    _, one = begun()
    _, other = begun(birth=(0.15, 0.2, 0.3))
    assert forecasts.family_exponents([one]) == pytest.approx((-0.4, 0.8), abs=0.02)
    rates = forecasts.grown_by_gates(one).rates
    assert forecasts.carried_error(other, rates) < 1e-4
    assert forecasts.logistic_error(other, forecasts.logistics(one)) > 1e-3
    smooth = SimpleNamespace(**(vars(one) | {"row": "Linear"}))
    assert forecasts.grown_by_gates(smooth).constants == 1


def test_a_logistic_and_a_raised_power_find_the_ends_of_their_own_curves():
    t = np.linspace(0, 40, 401)
    v = D / (1 + np.exp(-(t - 20) / 3))
    first = 1 / (1 + np.exp(20 / 3))
    task = urep.TwoPoint(1.0, 0.5)
    own = 0.1 + 0.9 * (v / D - first) / (1 - first)
    ends = {"logistic": own, "power": 0.1 + 0.7 * (v / D) ** 1.7}
    for name, how in (("logistic", forecasts.ends_by_logistic), ("power", forecasts.ends_by_raised_power)):
        run = urep.Run(t, urep.State(ends[name], v**2, v * (v - D)), (v - D) ** 2 / 8, task, 0.1)
        birth = growth.Lengths(0.3, 0.3, 0.1)
        one = forecasts.Case("Default", 0, run, birth, birth)
        assert how([one], share=0.5).dh2[0] == pytest.approx(ends[name][-1], rel=0.02)


def test_a_conformal_band_holds_what_it_promises_and_says_where_it_cannot():
    draws = np.random.default_rng(0).exponential(size=(4000, 21))
    held = np.mean([row[-1] <= forecasts.conformal_band(row[:-1]) for row in draws])
    assert held == pytest.approx(19 / 21, abs=0.02)
    assert forecasts.conformal_band(np.ones(8)) == np.inf and forecasts.conformal_band(np.ones(9)) == 1

"""Fitting the two time constants."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

import urep
from urep.fit import FitWarning, mean_learned, without_mean

TASK = urep.TwoPoint(1.0, 0.5)
START = urep.State(8e-4, 3e-9, -3.87e-5)
T = np.arange(0.0, 3000.0, 10.0)


@given(st.floats(2.5, 3.5), st.floats(1.0, 2.0))
@settings(max_examples=8, deadline=None)
def test_constants_that_made_a_trajectory_are_found_again(log_h, log_y):
    rates = urep.Rates(10**log_h, 10**log_y)
    task, start = urep.TwoPoint(1.0, 0.5), urep.State(0.01, 1e-4, 1e-4 - 5e-3)
    t = np.linspace(0, 40 * np.sqrt(rates.tau_h * rates.tau_y), 200)
    fit = urep.fit_rates(t, urep.integrate(start, task, rates, t), task)
    assert fit.converged
    assert fit.rates.tau_h == pytest.approx(rates.tau_h, rel=1e-5)
    assert fit.rates.tau_y == pytest.approx(rates.tau_y, rel=1e-5)


def noisy(scale=0.01, seed=1):
    clean = urep.integrate(START, TASK, urep.Rates(1300.0, 29.0), T)
    random = np.random.default_rng(seed)
    return urep.State(*(abs(v) + scale * np.ptp(v) * np.abs(random.normal(size=v.shape)) if i < 2
                        else v + scale * np.ptp(v) * random.normal(size=v.shape)
                        for i, v in enumerate(clean)))  # fmt: skip


def test_residual_and_r2_are_those_of_the_definition():
    seen = noisy()
    fit = urep.fit_rates(T, seen, TASK)
    predicted = fit.predict(T)
    squares = [np.sum((getattr(predicted, k) - getattr(seen, k)) ** 2) for k in ("dh2", "dy2", "w")]
    assert fit.residual == pytest.approx(sum(squares), rel=1e-9)
    for name, square in zip(("dh2", "dy2", "w"), squares, strict=True):
        spread = np.sum((getattr(seen, name) - getattr(seen, name).mean()) ** 2)
        assert getattr(fit.r2, name) == pytest.approx(1 - square / spread, rel=1e-9)


def test_no_constants_on_a_grid_around_the_fit_are_better():
    seen = noisy(0.03, seed=4)
    fit = urep.fit_rates(T, seen, TASK)
    start = seen[0]
    for a in np.linspace(-0.3, 0.3, 7):
        for b in np.linspace(-0.3, 0.3, 7):
            rates = urep.Rates(fit.rates.tau_h * np.exp(a), fit.rates.tau_y * np.exp(b))
            other = urep.integrate(start, TASK, rates, T, rtol=1e-9)
            residual = sum(np.sum((p - s) ** 2) for p, s in zip(other, seen, strict=True))
            assert residual >= fit.residual * (1 - 1e-6)


def test_no_grid_of_200_starts_and_quasi_newton_search_on_the_integrated_equation_does_better():
    """What the authors' code does to fit, for tasks, starts and noise of all sizes."""
    random = np.random.default_rng(12)
    for _ in range(5):
        dx2, d2 = 10 ** random.uniform(-0.5, 0.5, 2)
        task, rates = urep.TwoPoint(dx2, d2), urep.Rates(*10 ** random.uniform(1, 3, 2))
        dh2, dy2 = 10 ** random.uniform(-2, 0, 2) * np.array([1, 0.3])
        state = urep.State(dh2, dy2, dy2 - random.uniform(0.2, 1) * np.sqrt(dy2 * d2))
        t = np.linspace(0, 20 * np.sqrt(rates.tau_h * rates.tau_y), 60)
        rows = [np.r_[v[0], v[1:] + 0.03 * np.ptp(v) * random.normal(size=59)]
                for v in urep.integrate(state, task, rates, t)]  # fmt: skip
        seen = urep.State(np.abs(rows[0]), np.abs(rows[1]), rows[2])

        def residual(log_tau, seen=seen, task=task, t=t):
            predicted = urep.integrate(seen[0], task, urep.Rates(*np.exp(log_tau)), t, rtol=1e-8)
            return sum(np.sum((p - s) ** 2) for p, s in zip(predicted, seen, strict=True))

        ratio = np.log(seen.dh2[-1] ** 2 / (dx2 * d2))
        sizes = np.log(t[-1]) - np.linspace(0, np.log(1e4), 200)
        best = min((np.array([s - ratio / 2, s + ratio / 2]) for s in sizes), key=residual)
        other = minimize(residual, best, method="BFGS").fun
        assert urep.fit_rates(t, seen, task).residual <= other * (1 + 1e-6)


def test_the_start_need_not_be_epoch_zero_and_prediction_goes_beyond_the_data():
    whole = urep.integrate(START, TASK, urep.Rates(1300.0, 29.0), T)
    fit = urep.fit_rates(T[40:120], whole[40:120], TASK)
    np.testing.assert_allclose(fit.predict(T[40:]).dh2, whole.dh2[40:], rtol=1e-5)
    with pytest.raises(ValueError, match="t must not begin before the fitted data, at 400; got 0"):
        fit.predict(T)


def undetermined():
    """‖dh‖² grows while w > 0, when (7) has it shrink at any time constant: the best one is infinite."""
    t = np.linspace(0, 5, 60)
    dy2 = 0.3 * np.exp(-t)
    return t, urep.State(2.0 - np.exp(-t), dy2, dy2), urep.TwoPoint(1.0, 0.0)


def test_data_that_eq_7_cannot_follow_do_not_give_a_confident_wrong_number():
    with pytest.warns(FitWarning, match="did not converge"):
        fit = urep.fit_rates(*undetermined())
    assert not fit.converged
    assert "did not converge" in fit.message


def test_a_good_fit_does_not_warn():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert urep.fit_rates(T, noisy(), TASK).message == "converged"


def test_another_theory_can_be_fitted():
    task, rates = urep.TwoPoint(1.0, 0.0), urep.Rates(50.0, 80.0)
    start, t = urep.State(1.0, 2.0, 2.0), np.linspace(0, 100, 60)
    seen = urep.integrate(start, task, rates, t)
    fit = urep.fit_rates(t, seen, task, solver=urep.identical_outputs)
    assert fit.rates.tau_y == pytest.approx(80.0, rel=1e-6)
    np.testing.assert_allclose(fit.predict(t).dh2, seen.dh2, rtol=1e-6)


FLAT = urep.State(np.ones(9), np.linspace(0, 1, 9), np.linspace(0, 1, 9))


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        (lambda: urep.fit_rates(T[:9], FLAT, TASK), ValueError, r"trajectory\.dh2 must change"),
        (lambda: urep.fit_rates(T[:4], FLAT[:4], TASK), ValueError, "t must have at least 5 rows"),
        (lambda: urep.fit_rates(T, FLAT, TASK), ValueError, "must have equal length"),
        (lambda: urep.fit_rates(T[:9], (1, 2, 3), TASK), TypeError, "trajectory must be a urep.State"),
        (lambda: urep.fit_rates(T[8::-1], FLAT, TASK), ValueError, "t must increase strictly"),
    ],
)
def test_bad_input_is_refused_by_name(call, kind, message):
    with pytest.raises(kind, match=message):
        call()


# --- the third constant ---------------------------------------------------------------------


def loss_curve(tau_mean=70.0, mean_error2=0.4):
    rates = urep.Rates(1300.0, 29.0)
    trajectory = urep.integrate(START, TASK, rates, T)
    return trajectory, urep.loss(trajectory, TASK, T, tau_mean=tau_mean, mean_error2=mean_error2)


@given(st.floats(0.5, 3.0), st.floats(0.01, 2.0))
@settings(max_examples=20, deadline=None)
def test_the_constant_that_made_a_loss_curve_is_found_again(log_tau, mean_error2):
    trajectory, seen = loss_curve(10**log_tau, mean_error2)
    fit = urep.fit_tau_mean(T, seen, trajectory, TASK)
    assert fit.converged
    assert fit.tau_mean == pytest.approx(10**log_tau, rel=1e-6)
    assert fit.mean_error2 == pytest.approx(mean_error2, rel=1e-9)
    assert fit.r2 == pytest.approx(1.0)


def test_no_third_constant_nearby_is_better():
    trajectory, seen = loss_curve()
    seen = seen + 0.01 * np.abs(np.random.default_rng(0).normal(size=len(T)))
    fit = urep.fit_tau_mean(T, seen, trajectory, TASK, mean_error2=0.4)
    for factor in np.exp(np.linspace(-0.3, 0.3, 13)):
        other = urep.loss(trajectory, TASK, T, tau_mean=fit.tau_mean * factor, mean_error2=0.4)
        assert np.sum((other - seen) ** 2) >= fit.residual * (1 - 1e-9)


def test_a_loss_without_a_mean_to_learn_gives_no_confident_constant():
    trajectory, seen = loss_curve(mean_error2=0.0)
    with pytest.warns(FitWarning, match="does not depend on tau_mean"):
        assert not urep.fit_tau_mean(T, seen, trajectory, TASK, mean_error2=0.0).converged
    rising = seen + 0.4 * (1 + T / T[-1])
    with pytest.warns(FitWarning, match="not learned in the time given"):
        assert not urep.fit_tau_mean(T, rising, trajectory, TASK).converged


@pytest.mark.parametrize(
    ("changes", "kind", "message"),
    [
        ({"seen": np.zeros(3)}, ValueError, "seen and t must have one length"),
        ({"seen": np.full(len(T), np.nan)}, ValueError, "seen must be finite and >= 0, got nan"),
        ({"seen": -np.arange(len(T))}, ValueError, r"seen must be finite and >= 0, got -1\.0"),
        ({"seen": np.ones(len(T))}, ValueError, "seen must change"),
        ({"seen": ["a"] * len(T)}, TypeError, "seen must be real numbers"),
        ({"t": T + 1}, ValueError, "t must begin at 0"),
        ({"mean_error2": -1.0}, ValueError, "mean_error2 must be finite and >= 0"),
    ],
)
def test_a_bad_loss_curve_is_refused_by_name(changes, kind, message):
    trajectory, seen = loss_curve()
    arguments = {"t": T, "seen": seen, "trajectory": trajectory, "task": TASK}
    with pytest.raises(kind, match=message):
        urep.fit_tau_mean(**arguments | changes)


# --- a run, and what is done with a fit that does not converge -------------------------------


def test_a_run_is_fitted_as_its_three_parts_are():
    seen = noisy()
    run = urep.Run(T, seen, 0.1 + 0.5 * np.exp(-T / 200), TASK, 0.01)
    one, other = urep.fit_rates(run), urep.fit_rates(T, seen, TASK)
    assert [*one.rates] == [*other.rates] and one.residual == other.residual
    mean, parts = urep.fit_tau_mean(run, one), urep.fit_tau_mean(T, run.loss, one.predict(T), TASK)
    assert vars(mean) == vars(parts)
    assert vars(urep.fit_tau_mean(run)) == vars(urep.fit_tau_mean(T, run.loss, seen, TASK))


def test_a_run_of_several_layers_is_refused_with_what_to_do():
    seen = noisy()
    run = urep.Run(T, {"a": seen, "b": seen}, np.ones_like(T), TASK, 0.01)
    with pytest.raises(ValueError, match=r"run must hold one layer, got 'a', 'b'; give fit_rates\(run\.t"):
        urep.fit_rates(run)
    with pytest.raises(TypeError, match="task must not be given beside a run"):
        urep.fit_rates(urep.Run(T, seen, np.ones_like(T), TASK, 0.01), task=TASK)
    with pytest.raises(TypeError, match="fit must be what fit_rates returns"):
        urep.fit_tau_mean(urep.Run(T, seen, np.ones_like(T), TASK, 0.01), 3.0)
    one = urep.Run(T, {"a": seen}, np.ones_like(T), TASK, 0.01)
    assert urep.fit_rates(one).residual == urep.fit_rates(T, seen, TASK).residual


def test_what_cannot_be_fitted_together_is_refused():
    seen, loss = noisy(), 0.1 + 0.5 * np.exp(-T / 200)
    run, other = urep.Run(T, seen, loss, TASK, 0.01), urep.Run(T, noisy(seed=3), loss, TASK, 0.01)
    with pytest.raises(ValueError, match="fit must be of the same run"):
        urep.fit_tau_mean(run, urep.fit_rates(other))
    many = urep.Run(T, seen, loss, TASK, 0.01, points=20)
    with pytest.raises(ValueError, match=r"run must be of two points, .* got one of 20"):
        urep.fit_tau_mean(many)
    with pytest.raises(ValueError, match="run must not have diverged"):
        urep.fit_rates(urep.Run(T, seen, loss, TASK, 0.01, "diverged"))


def test_a_fit_that_does_not_converge_warns_raises_or_is_kept_as_asked():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        kept = urep.fit_rates(*undetermined(), unconverged="keep")
    assert not kept.converged
    with pytest.warns(urep.FitWarning, match="fit_rates did not converge"):
        urep.fit_rates(*undetermined())
    with pytest.raises(urep.FitNotConverged, match="fit_rates did not converge") as caught:
        urep.fit_rates(*undetermined(), unconverged="raise")
    assert caught.value.fit.residual == kept.residual
    with pytest.raises(ValueError, match="unconverged must be one of warn, keep, raise; got 'ignore'"):
        urep.fit_rates(T, noisy(), TASK, unconverged="ignore")


def a_run(mean_error2, tau_mean, epochs=200):
    """A run of (7) whose loss has a mean that decays, from the exact solution and (9)."""
    t = np.arange(float(epochs))
    task, rates = urep.TwoPoint(1.0, 0.5), urep.Rates(20.0, 20.0)
    state = urep.solve(urep.State(0.05, 1e-4, 1e-4 - 0.01 * 0.5**0.5), task, rates, t)
    loss = urep.loss(state, task, t, tau_mean=tau_mean, mean_error2=mean_error2)
    return urep.Run(t, state, loss, task, 1.0)


def test_the_clock_begins_where_the_mean_is_learned():
    later = without_mean(a_run(1.0, 10.0))
    assert later.t[0] == np.ceil(5 * np.log(1000 / 3))  # exp(-2t/10) < 0.003
    assert without_mean(a_run(1.0, 1e4)) is None
    centred = a_run(0.0, 10.0)
    assert without_mean(centred) is centred


def test_a_fit_from_there_starts_from_its_own_first_row():
    later = without_mean(a_run(1.0, 10.0))
    fit = urep.fit_rates(later)
    assert fit.t0 == later.t[0] == mean_learned(a_run(1.0, 10.0))
    assert [*fit.rates] == pytest.approx([20.0, 20.0], rel=1e-6)


def test_too_few_rows_after_the_mean_are_no_run():
    assert without_mean(a_run(1.0, 10.0, epochs=38)) is None
    assert mean_learned(a_run(1.0, 10.0, epochs=38)) == 30.0

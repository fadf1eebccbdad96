"""Constants carried to another run: against curves made here, without the library's own solutions."""

import numpy as np
import pytest
import torch
from scipy.integrate import solve_ivp

import urep
from urep import carry, tasks

TAU = urep.Rates(30.0, 50.0)


def field(t, y, dx2, dy2_target):
    """(7), written down here again: ‖dh‖², ‖dy‖², w."""
    dh2, dy2, w = y
    dh2_t = -2 * dx2 / TAU.tau_h * w / 2
    dy2_t = -(dx2 / TAU.tau_h * dy2 / dh2 + dh2 / TAU.tau_y) * w
    w_t = -0.5 * (3 * w - dy2 + dy2_target) * (dx2 / TAU.tau_h * dy2 / dh2 + dh2 / TAU.tau_y)
    return dh2_t, dy2_t, w_t


def made(dy2_target, dh2=0.05, v=0.01, epochs=600):
    """A run that follows (7) with TAU, integrated by SciPy, outputs along the target."""
    d = np.sqrt(dy2_target)
    t = np.arange(float(epochs))
    start = (dh2, v**2, v * (v - d))
    y = solve_ivp(field, (0, t[-1]), start, t_eval=t, args=(1.0, dy2_target), rtol=1e-10, atol=1e-12).y
    return urep.Run(
        t, urep.State(*np.maximum(y[:2], 0), y[2]), np.ones_like(t), urep.TwoPoint(1.0, dy2_target), 1.0
    )


def test_a_run_of_the_theory_is_predicted_exactly_and_the_nulls_are_not():
    fit = urep.fit_rates(made(0.5))
    np.testing.assert_allclose([*fit.rates], [*TAU], rtol=1e-4)
    for target in (1.0, 0.02):
        told = urep.carried(fit, made(target, epochs=2000))
        assert min(told.theory.r2) > 1 - 1e-6 and max(told.theory.error) < 1e-3
        assert abs(told.theory.end - 1) < 1e-4
        assert told.curve.error.dy2 > 100 * told.theory.error.dy2
        assert told.scaled.error.dy2 > 100 * told.theory.error.dy2


def test_a_logistic_that_scales_is_carried_by_the_scaled_null():
    """From a start that is zero but for rounding, (7) scales, and so does the curve that knows it."""
    small = {"dh2": 1e-6, "v": 1e-6}
    fit = urep.fit_rates(made(0.5, **small, epochs=3000))
    told = urep.carried(fit, made(1.0, **small, epochs=3000))
    assert told.scaled.error.dh2 < 0.1 < told.curve.error.dh2


def test_a_logistic_that_keeps_its_start_is_carried_by_the_grown_null():
    """v' = r v (d - v) has rate r d: integrated here for two targets, with the same v at the start."""

    def logistic(dy2_target, epochs):
        d, t = np.sqrt(dy2_target), np.arange(float(epochs))
        v = solve_ivp(
            lambda _, v: 0.05 * v * (d - v), (0, t[-1]), [0.01], t_eval=t, rtol=1e-10, atol=1e-14
        ).y[0]
        state = urep.State(0.1 + v, v**2, v * (v - d))
        return urep.Run(t, state, np.ones_like(t), urep.TwoPoint(1.0, dy2_target), 1.0)

    told = urep.carried(urep.fit_rates(logistic(0.5, 600), unconverged="keep"), logistic(0.02, 2000))
    assert told.grown.error.dy2 < 1e-6 and told.scaled.error.dy2 > 0.1


def test_errors_are_those_of_their_definition():
    fit = urep.fit_rates(made(0.5))
    run = made(1.0)
    told = urep.carried(fit, run).curve
    missed = np.asarray(told.state.dy2) - run.trajectory.dy2
    assert told.error.dy2 == pytest.approx(np.sqrt(np.mean(missed**2) / np.mean(run.trajectory.dy2**2)))
    assert told.r2.dy2 == pytest.approx(1 - np.mean(missed**2) / np.var(run.trajectory.dy2))
    assert told.end == pytest.approx(told.state.dh2[-1] / run.trajectory.dh2[-1])


@pytest.mark.parametrize("worse", ["dh2", "dy2"])
def test_what_is_missed_is_that_of_the_worse_distance_whatever_w_is(worse):
    r2 = urep.carry.Variables(**({"dh2": 0.9, "dy2": 0.9, "w": -5.0} | {worse: 0.6}))
    told = urep.carry.Prediction(state=r2, r2=r2, error=r2, end=1.0)
    assert told.missed == pytest.approx(0.4)


def test_a_run_that_begins_later_is_predicted_from_its_own_start():
    run = made(1.0)
    later = urep.Run(run.t[100:], run.trajectory[100:], run.loss[100:], run.task, 1.0)
    fit = urep.fit_rates(made(0.5))
    assert max(urep.carried(fit, later).theory.error) < 1e-3


@pytest.mark.parametrize(
    ("arguments", "wrong", "message"),
    [
        (lambda fit, run: (run, run), TypeError, "fit must be what fit_rates returns"),
        (lambda fit, run: (fit, fit), TypeError, "run must be what urep.train returns"),
        (lambda fit, run: (fit, made(0.0, v=0.1)), ValueError, "must have targets that differ"),
    ],
)
def test_wrong_arguments_are_named(arguments, wrong, message):
    fit, run = urep.fit_rates(made(0.5)), made(1.0)
    with pytest.raises(wrong, match=message):
        urep.carried(*arguments(fit, run))


def test_a_run_that_does_not_move_is_refused():
    still = urep.State(np.ones(9), np.linspace(0, 1, 9), np.zeros(9))
    run = urep.Run(np.arange(9.0), still, np.ones(9), urep.TwoPoint(1.0, 1.0), 1.0)
    with pytest.raises(ValueError, match=r"run\.trajectory\.dh2 must change, and not end at 0, got 1\.0"):
        urep.carried(urep.fit_rates(made(0.5)), run)


def test_two_functions_are_apart_by_what_is_said_and_centred():
    inputs, targets = tasks.two_functions(32, dy2_target=0.02, dtype=torch.float64)
    d = (inputs[1] - inputs[0]).numpy()
    s = np.arange(32) / 32
    np.testing.assert_allclose(d, (1 + np.sqrt(2) * np.cos(2 * np.pi * s)) / np.sqrt(2), atol=1e-14)
    assert d @ d == pytest.approx(32) and inputs.sum(0).abs().max() < 1e-15
    assert float((targets[1] - targets[0]) ** 2) == pytest.approx(0.02) and abs(float(targets.sum())) < 1e-15
    with pytest.raises(ValueError, match="n must be an integer >= 3, got 2"):
        tasks.two_functions(2)


@pytest.mark.parametrize("bend", [1.0, 0.3, 4.0])
def test_a_rise_is_the_solution_of_richards_equation_from_zero(bend):
    """Before it is moved, its share q follows q' = q (1 − q^bend)/(bend · width)."""
    place, width, t = 120.0, 25.0, np.linspace(0, 600, 61)
    first = (1 + bend * np.exp(place / width)) ** (-1 / bend)
    grown = lambda _, q: q * (1 - q**bend) / (bend * width)
    seen = solve_ivp(grown, (0, t[-1]), [first], t_eval=t, rtol=1e-10, atol=1e-14).y[0]
    found = carry.rise(t, place, width, bend)
    assert found == pytest.approx((seen - first) / (1 - first), abs=1e-7)
    assert carry.rise(t[3:], place, width, bend) == pytest.approx(found[3:])  # begins at 0, not at a row


def test_a_rise_that_was_over_at_its_beginning_is_over():
    assert np.array_equal(carry.rise(np.arange(3), -1e6, 1.0), np.ones(3))

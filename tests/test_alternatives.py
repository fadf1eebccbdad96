"""Alternatives to (7): wrong in one term each, and solved as they are written."""

import numpy as np
import pytest
import sympy as sp
from scipy.integrate import solve_ivp

import urep
from urep import alternatives
from urep import equations as eq

TASK, RATES = urep.TwoPoint(1.0, 0.5), urep.Rates(200.0, 100.0)
V = 0.03
START = urep.State(0.05, V**2, V * (V - 0.5**0.5))
T = np.linspace(0.0, 1500.0, 60)


def test_there_are_fifteen_and_each_differs_from_7_in_one_term_of_one_line():
    systems = alternatives.altered()
    assert len(systems) == 15 and len(set(systems.values())) == 15
    factors = {"doubled": 1, "flipped": -2, "dropped": -1}
    for name, lines in systems.items():
        differences = [sp.expand(a - b) for a, b in zip(lines, eq.paper[7].rhs, strict=True)]
        (changed,) = [d for d in differences if d != 0]
        line = sp.expand(eq.paper[7].rhs[differences.index(changed)])
        constant = eq.tau_h if "encoder" in name else eq.tau_y
        other = eq.tau_y if "encoder" in name else eq.tau_h
        assert not changed.has(other)
        term = sp.expand(changed / factors[name.split()[-1]])
        assert sp.expand(line - term).has(constant) is False
        assert ("dh2", "dy2", "w")[differences.index(changed)] == name.split(",")[0]


def by_hand(change):
    """(7) typed as matrices give it, with one number in front of one term."""

    def field(_, y):
        h, o, w = y
        k, q = TASK.dx2 / RATES.tau_h, 1 / RATES.tau_y
        return [
            change.get("dh2", 1) * -k * w,
            change.get("dy2", 1) * -q * w * h - k * w * o / h,
            -q * (3 * w - o + TASK.dy2_target) * h / 2 - change.get("w", 1) * k * (o + w) * w / h / 2,
        ]

    return solve_ivp(field, (0, T[-1]), [*START], t_eval=T, method="DOP853", rtol=1e-10, atol=1e-13).y


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("dh2, encoder doubled", {"dh2": 2}),
        ("dy2, decoder doubled", {"dy2": 2}),
        ("w, encoder dropped", {"w": 0}),
        ("dh2, encoder dropped", {"dh2": 0}),
    ],
)
def test_solvers_solve_what_their_names_say(name, change):
    seen = np.array([*alternatives.solver(name)(START, TASK, RATES, T)])
    np.testing.assert_allclose(seen, by_hand(change), rtol=1e-5, atol=1e-7)


def test_what_blows_up_is_an_error_not_a_curve():
    with pytest.raises(urep.SingularSystem, match="'dy2, decoder flipped'"):
        alternatives.solver("dy2, decoder flipped")(START, TASK, urep.Rates(1e-3, 1e-3), T * 1e3)
    with pytest.raises(KeyError):
        alternatives.solver("nothing changed")


def test_shapes_begin_and_end_where_they_should():
    for shape, rates in (
        (alternatives.two_exponentials(0.4), RATES),
        (alternatives.sigmoid(0.4), urep.Rates(500.0, 50.0)),
    ):
        curves = shape(START, TASK, rates, np.linspace(0, 20_000, 50))
        np.testing.assert_allclose([c[0] for c in curves], [*START], rtol=1e-12)
        np.testing.assert_allclose([c[-1] for c in curves], [0.4, 0.5, 0.0], atol=1e-12)
    tiny, far = urep.State(1e-9, 0.0, 0.0), np.array([0.0, 500.0])
    half = alternatives.sigmoid(0.4)(tiny, TASK, urep.Rates(500.0, 50.0), far)
    assert half.dh2[1] == pytest.approx(0.2, rel=1e-3)
    one = alternatives.two_exponentials(1.0)(tiny, TASK, RATES, np.array([0, 200.0]))
    assert one.dh2[1] == pytest.approx(1 - np.exp(-1))


def test_each_is_refitted_by_the_same_search():
    """A fit to an alternative's own curves finds its constants: nobody loses for want of searching."""
    for name in ("dy2, decoder doubled", "w, encoder dropped", "dh2, encoder doubled"):
        curves = alternatives.solver(name)(START, TASK, RATES, T)
        fit = urep.fit_rates(T, urep.State(*curves), TASK, solver=alternatives.solver(name))
        assert fit.rates.tau_h == pytest.approx(RATES.tau_h, rel=1e-3)
        assert fit.rates.tau_y == pytest.approx(RATES.tau_y, rel=1e-3)
        assert min(fit.r2) > 1 - 1e-6


def test_other_changes_have_the_names_and_factors_that_they_are_given():
    systems = alternatives.altered({"a tenth more": 1.1})
    assert len(systems) == 5 and all(name.endswith("a tenth more") for name in systems)
    seen = np.array(
        [*alternatives.solver_of(systems["dh2, encoder a tenth more"], "more")(START, TASK, RATES, T)]
    )
    np.testing.assert_allclose(seen, by_hand({"dh2": 1.1}), rtol=1e-5, atol=1e-7)


def test_the_logistic_curve_from_the_start_is_the_one_of_its_differential_equation():
    size = (TASK.dx2 * TASK.dy2_target) ** 0.5
    rate, height = size / (RATES.tau_h * RATES.tau_y) ** 0.5, size * (RATES.tau_y / RATES.tau_h) ** 0.5
    grow = lambda _, h: rate * h * (1 - h / height)
    by_hand = solve_ivp(grow, (0, T[-1]), [START.dh2], t_eval=T, rtol=1e-10, atol=1e-13).y[0]
    seen = alternatives.logistic_from_start(START, TASK, RATES, T)
    np.testing.assert_allclose(seen.dh2, by_hand, rtol=1e-6)
    gone = (by_hand - START.dh2) / (height - START.dh2)
    np.testing.assert_allclose(np.sqrt(seen.dy2), V + (0.5**0.5 - V) * gone, rtol=1e-6)


def test_the_logistic_curve_stays_where_it_starts_beyond_its_end():
    far = urep.State(2.0, V**2, V * (V - 0.5**0.5))
    seen = alternatives.logistic_from_start(far, TASK, RATES, T)
    assert np.isfinite(np.array([*seen])).all()

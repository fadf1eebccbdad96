"""The exact solution against four hundred digits, over ordinary and adversarial starts."""

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import urep
from urep.exact import lift

EPS = np.finfo(float).eps


def reference(numbers, times, dy=None, digits=400):
    """‖dh‖², ‖dy‖², w and the sum of magnitudes in w, from sinh and cosh in many digits.

    The plain form of the solution, which in float64 overflows and cancels; another arrangement
    than the one under test, which has neither.
    """
    with mp.workdps(digits):
        dh2, dy2, w, dx2, d2, tau_h, tau_y = map(mp.mpf, numbers)
        k_h, k_y, d = dx2 / (2 * tau_h), 1 / (2 * tau_y), mp.sqrt(d2)
        s, p0 = mp.sqrt(k_h * k_y) * d, mp.sqrt(k_y * dh2)
        if dy is not None:
            x0, y02 = mp.sqrt(k_h / dh2) * mp.mpf(dy), mp.mpf(0)
        elif d == 0:
            x0, y02 = mp.sqrt(k_h * dy2 / dh2), mp.mpf(0)
        else:
            x0 = mp.sqrt(k_h / dh2) * (dy2 - w) / d
            y02 = k_h * dy2 / dh2 - x0**2
            if y02 <= 0:  # one line but for rounding: the start is taken to be on it
                x0, y02 = mp.sign(x0) * mp.sqrt(k_h * dy2 / dh2), mp.mpf(0)
        c = p0**2 - x0**2 - y02
        A = mp.sqrt(c**2 / 4 + s**2)
        rows = []
        for t in map(mp.mpf, times):
            fall = (1 - mp.exp(-c * t)) / c if c else t
            if A:
                sinh, cosh = mp.sinh(A * t), mp.cosh(A * t)
                N = (
                    1 + (p0**2 + x0**2) * sinh * cosh / A
                    + (c * (p0**2 - x0**2) + 4 * s * p0 * x0) * sinh**2 / (2 * A**2) + y02 * fall
                )  # fmt: skip
                p = (p0 * cosh + (c / 2 * p0 + s * x0) * sinh / A) / mp.sqrt(N)
                x = (x0 * cosh + (s * p0 - c / 2 * x0) * sinh / A) / mp.sqrt(N)
            else:
                N = 1 + (p0**2 + x0**2 + y02) * t
                p, x = p0 / mp.sqrt(N), x0 / mp.sqrt(N)
            y2, left = y02 * mp.exp(-c * t) / N, ((p0 * x0 - s) - s * y02 * fall) / N
            k = k_h * k_y
            dy2_t, terms = p**2 * (x**2 + y2) / k, (p * x * left / k, p**2 * y2 / k)
            rows.append((p**2 / k_y, dy2_t, sum(terms), abs(terms[0]) + terms[1]))
        return rows


def relative_errors(seen, wanted):
    """Errors of the three variables; that of w against the sum of the magnitudes of its terms."""
    errors = []
    for row, (dh2, dy2, w, size) in zip(seen, wanted, strict=True):
        for value, exact, scale in zip(row, (dh2, dy2, w), (dh2, dy2, size), strict=True):
            if abs(scale) > 1e-300:  # below lies the end of float64
                errors.append(float(abs(mp.mpf(value) - exact) / abs(scale)))
    return max(errors)


def conditioning(numbers, times, dy, wanted):
    """How far four units in the last place of an input move the result."""
    moved = 0.0
    for index in range(len(numbers)):
        for sign in (-1, 1):
            nearby = [n * (1 + sign * 4 * EPS) if i == index else n for i, n in enumerate(numbers)]
            seen = [row[:3] for row in reference(nearby, times, dy, digits=60)]
            moved = max(moved, relative_errors(seen, wanted))
    return moved


FAMILIES = (
    "ordinary",
    "dy across dy*",
    "identical targets",
    "almost identical targets",
    "scalar outputs",
    "A_high near 0",
    "next to the saddle's stable manifold",
)


CASES = 1500
"""Cases of each family: more than ten thousand in all."""


def start(family, random):
    """Random constants, state and times of a family."""
    wide = random.choice([1, 4])
    dx2, d2, tau_h, tau_y = 10 ** random.uniform(-wide, wide, 4)
    u, r = 10 ** random.uniform(-wide, 1.5 * wide, 2)
    cosine, dy = random.uniform(-1, 1), None
    if family == "dy across dy*":
        cosine = 0.0
    elif family == "identical targets":
        d2 = 0.0
    elif family == "almost identical targets":
        d2 *= random.choice([1e-200, 1e-30, 1e-16, 1e-8])
    elif family == "A_high near 0":
        r = u * np.sqrt(tau_h / tau_y / dx2) * (1 + random.choice([0, 1e-15, 1e-10, 1e-5]))
    elif family == "next to the saddle's stable manifold":
        cosine = -1 + random.choice([0, 1e-16, 1e-12, 1e-6])
        off = random.choice([0, 1e-15, 1e-12, 1e-8, 1e-3]) * random.normal()
        r = u * np.sqrt(tau_h / tau_y / dx2) * (1 + off)
    if random.random() < 0.1:
        u *= 1e-100
    dh2, dy2 = u**2, (u * r) ** 2
    w = dy2 - cosine * u * r * np.sqrt(d2)
    if family == "scalar outputs":
        dy = u * r * random.choice([-1, 1])
        dy2, w = dy**2, dy * (dy - np.sqrt(d2))
    rate = 0.5 * np.hypot(dh2 / 2 / tau_y - dx2 / 2 / tau_h * dy2 / dh2, np.sqrt(dx2 / tau_h / tau_y * d2))
    longest = 10 if random.random() < 0.1 else 4
    times = np.unique(np.concatenate([[0.0], 10 ** random.uniform(-6, longest, 4)])) / max(rate, 1e-30)
    return (dh2, dy2, w, dx2, d2, tau_h, tau_y), times, dy


@pytest.mark.parametrize("family", FAMILIES)
def test_solve_has_twelve_digits_or_as_many_as_its_inputs_allow(family):
    random = np.random.default_rng(FAMILIES.index(family))
    for _ in range(CASES):
        numbers, times, dy = start(family, random)
        dh2, dy2, w, dx2, d2, tau_h, tau_y = numbers
        seen = urep.solve(
            urep.State(dh2, dy2, w), urep.TwoPoint(dx2, d2), urep.Rates(tau_h, tau_y), times, dy=dy
        )
        wanted = reference(numbers, times, dy)
        error = relative_errors(np.array([*seen]).T, wanted)
        assert error < 1e-12 or error <= conditioning(numbers, times, dy, wanted), (numbers, times, dy)


@given(
    st.tuples(*[st.floats(1e-3, 1e3)] * 6), st.floats(-1, 1), st.floats(0, 1e12)
)  # fmt: skip
@settings(max_examples=200, deadline=None)
def test_solve_stays_within_what_vectors_can_do_at_any_time(numbers, cosine, last):
    dh2, dy2, dx2, d2, tau_h, tau_y = numbers
    task, rates = urep.TwoPoint(dx2, d2), urep.Rates(tau_h, tau_y)
    state = urep.State(dh2, dy2, dy2 - cosine * np.sqrt(dy2 * d2))
    seen = urep.solve(state, task, rates, [last / 7 + 1e-9, last + 1])
    assert (np.abs(seen.dy2 - seen.w) <= np.sqrt(seen.dy2 * d2) * (1 + 1e-9) + 1e-12 * d2).all()


def test_a_batch_of_starts_is_its_rows():
    random = np.random.default_rng(4)
    dh2, dy2 = 10 ** random.uniform(-2, 2, (2, 60))
    cosine = np.concatenate([random.uniform(-1, 1, 40), np.ones(20)])
    task, rates, t = urep.TwoPoint(1.0, 0.5), urep.Rates(30.0, 50.0), np.linspace(0, 900, 40)
    starts = urep.State(dh2, dy2, dy2 - cosine * np.sqrt(dy2 * 0.5))
    together = urep.solve(starts, task, rates, t)
    assert together.dh2.shape == (60, 40)
    for i in range(60):
        alone = urep.solve(starts[i], task, rates, t)
        for a, b in zip(together[i], alone, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-13, atol=1e-300)
    signed = np.sqrt(dy2[:3])
    rows = urep.State(dh2[:3], dy2[:3], signed * (signed - 0.5**0.5))
    with_signs = urep.solve(rows, task, rates, t, dy=signed)
    np.testing.assert_allclose(with_signs[1].w, urep.solve(rows[1], task, rates, t, dy=signed[1]).w)
    with pytest.raises(ValueError, match=r"dy must have one value a state, \(3,\)"):
        urep.solve(rows, task, rates, t, dy=signed[:2])
    for function in (urep.regimes, urep.final_distance):
        whole = function(starts, task, rates)
        whole = whole[0] if isinstance(whole, tuple) else whole
        one = [function(starts[i], task, rates) for i in range(60)]
        np.testing.assert_array_equal(whole, [x[0] if isinstance(x, tuple) else x for x in one])


@pytest.mark.parametrize("kind", ["aligned", "any angle", "no target", "A_high near 0"])
def test_sensitivities_are_the_slopes_of_the_solution(kind):
    """Against a difference of the 50-digit solution, over times that training takes."""
    random = np.random.default_rng(len(kind))
    for _ in range(25):
        dx2, d2, tau_h, tau_y, dh2, dy2 = 10 ** random.uniform(-1, 1, 6)
        cosine = {"aligned": 1.0, "no target": 1.0}.get(kind, random.uniform(-1, 1))
        d2 = 0.0 if kind == "no target" else d2
        if kind == "A_high near 0":
            dy2 = dh2**2 * tau_h / tau_y / dx2
        w = dy2 - cosine * np.sqrt(dy2 * d2)
        times = np.linspace(0, 8, 6) * np.sqrt(tau_h * tau_y)
        slopes = urep.sensitivities(
            urep.State(dh2, dy2, w), urep.TwoPoint(dx2, d2), urep.Rates(tau_h, tau_y), times
        )
        for index, seen in zip((5, 6), slopes, strict=True):
            with mp.workdps(60):
                step = mp.mpf(10) ** -20
                up, down = ([*(dh2, dy2, w, dx2, d2, tau_h, tau_y)] for _ in range(2))
                up[index] = mp.mpf(up[index]) * (1 + step)
                down[index] = mp.mpf(down[index]) * (1 - step)
                ahead, behind = reference(up, times, digits=60), reference(down, times, digits=60)
                width = 2 * step * (tau_h, tau_y)[index - 5]
                exact = np.array([[float((a - b) / width) for a, b in zip(x[:3], y[:3], strict=True)]
                                  for x, y in zip(ahead, behind, strict=True)])  # fmt: skip
            sizes = [float(max(map(abs, c))) / (tau_h, tau_y)[index - 5] for c in zip(*ahead, strict=True)]
            for column, value, size in zip(exact.T, seen, sizes[:3], strict=True):
                np.testing.assert_allclose(value, column, rtol=1e-7, atol=1e-8 * size)


def test_sensitivities_are_those_of_one_start():
    batch = urep.State([0.1, 0.2], [0.0, 0.1], [0.0, 0.1])
    with pytest.raises(
        ValueError, match=r"state must hold scalars \(the start\), got arrays of shape \(2,\)"
    ):
        urep.sensitivities(batch, urep.TwoPoint(1.0, 0.5), urep.Rates(10.0, 10.0), [0.0, 1.0])


def test_solve_is_where_integration_goes():
    random = np.random.default_rng(5)
    for _ in range(40):
        dx2, d2, tau_h, tau_y, dh2, dy2 = 10 ** random.uniform(-1, 1, 6)
        task, rates = urep.TwoPoint(dx2, d2), urep.Rates(tau_h, tau_y)
        state = urep.State(dh2, dy2, dy2 - random.uniform(0, 1) * np.sqrt(dy2 * d2))
        t = np.linspace(0, 10 * max(tau_h, tau_y), 30)
        for a, b in zip(
            urep.solve(state, task, rates, t), urep.integrate(state, task, rates, t), strict=True
        ):
            np.testing.assert_allclose(a, b, rtol=1e-8, atol=1e-9 * d2)


def test_solve_goes_smoothly_through_the_point_where_eq_7_is_singular():
    """Scalar outputs that start opposed: dh = u changes sign at a time that the solution knows."""
    dy, d = -1.0, 0.7
    task, rates = urep.TwoPoint(1.0, d**2), urep.Rates(30.0, 300.0)
    state = urep.State(0.1, dy**2, dy * (dy - d))
    one = lift(state, task, rates, dy=dy)
    collision = np.arctanh(one.A * one.p / (-one.s * one.x - one.c / 2 * one.p)) / one.A
    t = np.array([0.999, 1.0, 1.001]) * collision
    seen = urep.solve(state, task, rates, t, dy=dy)
    assert seen.dh2[1] < 1e-12 * seen.dh2[0]
    assert seen.dh2[0] == pytest.approx(seen.dh2[2], rel=0.02)


def test_the_end_is_the_final_distance_for_any_start():
    random = np.random.default_rng(6)
    for _ in range(200):
        dx2, d2, tau_h, tau_y, dh2, dy2 = 10 ** random.uniform(-2, 2, 6)
        task, rates = urep.TwoPoint(dx2, d2), urep.Rates(tau_h, tau_y)
        state = urep.State(dh2, dy2, dy2 - random.uniform(-0.99, 0.99) * np.sqrt(dy2 * d2))
        end = urep.solve(state, task, rates, [1e12])
        assert end.dh2[0] == pytest.approx(urep.final_distance(state, task, rates), rel=1e-10)
        assert end.dy2[0] == pytest.approx(d2, rel=1e-10)


def test_identical_targets_are_a_special_case():
    t = np.linspace(0, 500, 50)
    for dy2 in (0.5, 1.0, 2.0):
        state, task = urep.State(1.0, dy2, dy2), urep.TwoPoint(1.0, 0.0)
        rates = urep.Rates(70.0, 70.0)
        for a, b in zip(
            urep.solve(state, task, rates, t),
            urep.identical_outputs(state, task, rates, t),
            strict=True,
        ):
            np.testing.assert_allclose(a, b, rtol=1e-12)


@pytest.mark.parametrize(
    ("changes", "kind", "message"),
    [
        ({"dy": float("nan")}, ValueError, "dy must be finite"),
        ({"dy": "up"}, TypeError, "dy must be one real number"),
        ({"dy": 3.0}, ValueError, r"dy must agree with dy2 = 0\.2"),
        ({"t": [1.0, 0.0]}, ValueError, "t must increase strictly"),
        ({"state": urep.State(0.0, 0.2, 0.0)}, ValueError, "dh2 must be > 0"),
        ({"state": urep.State(0.1, 0.2, 9.0)}, ValueError, "Cauchy-Schwarz"),
        (
            {"state": urep.State(0.1, 0.2, 0.19), "task": urep.TwoPoint(1.0, 0.0)},
            ValueError,
            "w must satisfy",
        ),
        ({"task": None}, TypeError, "task must be"),
    ],
)
def test_bad_input_is_refused_by_name(changes, kind, message):
    arguments = {
        "state": urep.State(0.1, 0.2, 0.0), "task": urep.TwoPoint(1.0, 0.5),
        "rates": urep.Rates(10.0, 10.0), "t": [0.0, 1.0],
    }  # fmt: skip
    with pytest.raises(kind, match=message):
        urep.solve(**arguments | changes)

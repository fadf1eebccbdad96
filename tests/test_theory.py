"""Numbers against oracles that do not use the paper's equations: matrix gradient flow, mpmath."""

import mpmath
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

import urep

positive = st.floats(1e-2, 1e2)


def matrix_flow(D_h, D_y, dx, d, rates, t):
    """‖dh‖², ‖dy‖², w under gradient flow on the two matrices, (6), factor 2 in the time constants.

    Written in matrices; knows nothing of the three scalars.
    """
    shapes = D_h.shape, D_y.shape
    cut = D_h.size

    def flow(_, flat):
        A, B = flat[:cut].reshape(shapes[0]), flat[cut:].reshape(shapes[1])
        dh = A @ dx
        error = B @ dh - d
        return np.concatenate(
            [
                (-np.outer(B.T @ error, dx) / (2 * rates.tau_h)).ravel(),
                (-np.outer(error, dh) / (2 * rates.tau_y)).ravel(),
            ]
        )

    start = np.concatenate([D_h.ravel(), D_y.ravel()])
    result = solve_ivp(flow, (0, t[-1]), start, t_eval=t, method="LSODA", rtol=1e-11, atol=1e-14)
    dh = np.array([y[:cut].reshape(shapes[0]) @ dx for y in result.y.T])
    dy = np.array([y[cut:].reshape(shapes[1]) @ h for y, h in zip(result.y.T, dh, strict=True)])
    return (dh**2).sum(1), (dy**2).sum(1), (dy * (dy - d)).sum(1)


@pytest.mark.parametrize("seed", range(12))
def test_integrate_is_gradient_flow_on_matrices_that_do_not_rotate(seed):
    random = np.random.default_rng(seed)
    n_in, n_hidden, n_out = random.integers(1, 5, size=3)
    dx, d, n = (random.normal(size=k) for k in (n_in, n_out, n_hidden))
    n /= np.linalg.norm(n)
    out = random.normal(size=n_out)
    out *= np.sign(out @ d)  # outputs that start opposed can drive ‖dh‖² through zero, where (7) is singular
    # dh = u n, D_y = out nᵀ: both maps use one direction of hidden space, so dh cannot turn.
    u = random.uniform(0.3, 2)
    D_h = u * np.outer(n, dx) / (dx @ dx)
    D_y = np.outer(out, n)
    rates = urep.Rates(*random.uniform(1, 20, size=2))
    t = np.linspace(0, 40, 15)
    start = urep.State(u**2, u**2 * (out @ out), u * out @ (u * out - d))
    theory = urep.integrate(start, urep.TwoPoint(dx @ dx, d @ d), rates, t)
    for seen, expected in zip(theory, matrix_flow(D_h, D_y, dx, d, rates, t), strict=True):
        np.testing.assert_allclose(seen, expected, rtol=1e-7, atol=1e-9)


@given(
    st.tuples(positive, positive, positive, positive, positive),
    st.floats(-0.999, 0.999),
)
@settings(max_examples=60, deadline=None)
def test_final_distance_is_where_integration_ends(numbers, cosine):
    dx2, dh2, dy2, tau_h, tau_y = numbers
    task, rates = urep.TwoPoint(dx2, 1.0), urep.Rates(tau_h, tau_y)
    state = urep.State(dh2, dy2, dy2 - cosine * np.sqrt(dy2))
    final = urep.final_distance(state, task, rates)
    high, low = urep.regimes(state, task, rates)
    slowest = max(tau_y / final, 2 * tau_y / np.hypot(high, 2 * low))
    # Else ‖dh‖² touches zero on the way, or comes so close that (7) as printed loses its digits.
    assume(high > 0 or (cosine > 0.01 and high > -30 * low))
    end = urep.integrate(state, task, rates, np.array([0.0, 60 * slowest]))
    assert end.dh2[-1] == pytest.approx(final, rel=1e-6)


def test_final_distance_keeps_its_digits_in_the_decoder_dominated_regime():
    task, rates = urep.TwoPoint(1.0, 1e-8), urep.Rates(1.0, 1.0)
    state = urep.State(1e-3, 1.0, 1.0 - 1e-4)
    with mpmath.workdps(60):
        high = mpmath.mpf(1e-3) - mpmath.mpf(1) / mpmath.mpf(1e-3)
        exact = high / 2 + mpmath.sqrt(high**2 / 4 + mpmath.mpf(1e-8))
    assert urep.final_distance(state, task, rates) == pytest.approx(float(exact), rel=1e-14)


def test_integrate_and_closed_form_agree_to_1e_8_in_200_random_cases():
    random = np.random.default_rng(7)
    worst = 0.0
    for _ in range(200):
        dx2, dh2, dy2, tau_h, tau_y = 10 ** random.uniform(-2, 2, size=5)
        case = urep.TwoPoint(dx2, 0.0), urep.Rates(tau_h, tau_y)
        state = urep.State(dh2, dy2, dy2)
        high, _ = urep.regimes(state, *case)
        t = np.linspace(0, 10 * tau_y / abs(high), 25)
        pairs = zip(urep.integrate(state, *case, t), urep.identical_outputs(state, *case, t), strict=True)
        worst = max(worst, *(np.max(np.abs(a / b - 1)) for a, b in pairs))
    assert worst < 1e-8


@pytest.mark.parametrize("dy2", [0.3, 1.0, 1.0 + 1e-13, 1.0 - 1e-13, 3.0])
def test_closed_form_against_mpmath_for_each_sign_of_A_high_and_next_to_zero(dy2):
    """mpmath's Taylor integrator on (38); with all constants one, A_high is 1 - dy2."""
    with mpmath.workdps(30):
        high = mpmath.mpf(1) - mpmath.mpf(dy2)
        solution = mpmath.odefun(lambda _, h: -(h**2) + high * h, 0, 1)
        exact = [float(solution(t)) for t in (0.5, 2, 6)]
    state, case = urep.State(1.0, dy2, dy2), (urep.TwoPoint(1.0, 0.0), urep.Rates(1.0, 1.0))
    seen = urep.identical_outputs(state, *case, np.array([0.5, 2.0, 6.0]))
    np.testing.assert_allclose(seen.dh2, exact, rtol=1e-13)


def test_closed_form_neither_overflows_nor_goes_negative_at_huge_times():
    t = np.array([0.0, 1.0, 1e3, 1e6, 1e10])
    for dy2 in (0.5, 1.0, 2.0):
        state = urep.State(1.0, dy2, dy2)
        seen = urep.identical_outputs(state, urep.TwoPoint(1.0, 0.0), urep.Rates(1.0, 1.0), t)
        assert (np.diff(seen.dh2) <= 0).all()
        assert seen.dh2[-1] == pytest.approx(max(1 - dy2, 0), abs=2e-10)


def test_loss_is_that_of_a_linear_network():
    random = np.random.default_rng(3)
    x = random.normal(size=(2, 3))
    targets = random.normal(size=(2, 2))
    W = random.normal(size=(2, 3))
    outputs = x @ W.T
    loss = 0.5 * np.mean(((outputs - targets) ** 2).sum(axis=1))
    dy, d = outputs[1] - outputs[0], targets[1] - targets[0]
    mean_error = outputs.mean(0) - targets.mean(0)
    state = urep.State(*np.array([[1.0], [dy @ dy], [dy @ (dy - d)]]))
    task = urep.TwoPoint(1.0, d @ d)
    seen = urep.loss(state, task, [0.0], tau_mean=5.0, mean_error2=mean_error @ mean_error)
    assert seen[0] == pytest.approx(loss, rel=1e-13)


def test_loss_of_the_mean_decays_with_half_its_time_constant():
    state = urep.State(np.ones(2), np.zeros(2), np.zeros(2))
    seen = urep.loss(state, urep.TwoPoint(1.0, 0.0), [0.0, 5.0], tau_mean=10.0, mean_error2=1.0)
    assert seen[1] / seen[0] == pytest.approx(np.exp(-1.0))


def one_unit(u, r, d, task, rates, t):
    """Scalar outputs without dividing by ‖dh‖²: dh = u, dy = r u, gradient flow on u and r."""
    k_h, k_y = task.dx2 / (2 * rates.tau_h), 1 / (2 * rates.tau_y)

    def flow(_, z):
        return -k_h * z[1] * (z[0] * z[1] - d), -k_y * z[0] * (z[0] * z[1] - d)

    return solve_ivp(flow, (0, t[-1]), (u, r), t_eval=t, rtol=1e-11, atol=1e-13).y


def test_through_the_singularity_integrate_is_right_or_raises():
    """Scalar outputs that start opposed: in half of the cases ‖dh‖² touches zero on the way."""
    random = np.random.default_rng(0)
    crossed = 0
    for _ in range(100):
        u, r, d = 10 ** random.uniform(-2, 1, size=3)
        dx2, *tau = 10 ** random.uniform(-1, 1, size=3)
        task, rates, v = urep.TwoPoint(dx2, d * d), urep.Rates(*tau), -u * r
        state = urep.State(u * u, v * v, v * (v - d))
        high, low = urep.regimes(state, task, rates)
        t = np.linspace(0, 30 * rates.tau_y / np.hypot(high, 2 * low), 60)
        dh, slope = one_unit(u, -r, d, task, rates, t)
        crossed += bool((dh < 0).any())
        try:
            seen = urep.integrate(state, task, rates, t)
        except urep.SingularSystem:
            continue
        dy = dh * slope
        for a, b in zip(seen, (dh**2, dy**2, dy * (dy - d)), strict=True):
            np.testing.assert_allclose(a, b, rtol=0, atol=1e-6 * np.abs(b).max())
    assert crossed > 20


def test_a_solver_that_loses_what_is_conserved_is_an_error():
    """The guard itself: a stalled, a drifting and an impossible answer are each refused."""
    task, rates, start = urep.TwoPoint(1.0, 0.49), urep.Rates(30.0, 300.0), np.array([0.1, 1.0, 1.7])

    class Answer:
        t, success = np.array([0.0, 5.0]), True

    for last in ([0.0, 0.0, 0.0], [0.05, 0.9, 1.5], [-0.1, 1.0, 1.7]):
        Answer.y = np.array([start, last]).T
        with pytest.raises(urep.SingularSystem, match="singular where dh2 touches zero"):
            urep.theory._require_conserved(Answer, start, task, rates, 1e-6)
    Answer.y, Answer.success = np.array([start, start]).T, False
    with pytest.raises(urep.SingularSystem, match="integration stopped near t = 5"):
        urep.theory._require_conserved(Answer, start, task, rates, 1e-6)


def test_an_integration_that_gets_stuck_ends_with_an_error(monkeypatch):
    monkeypatch.setattr(urep.theory, "MOST_EVALUATIONS", 50)
    with pytest.raises(urep.SingularSystem, match=r"stuck near t = .* started from dh2 = 0\.1"):
        urep.integrate(STATE, TASK, RATES, np.arange(100.0))


@pytest.mark.parametrize("w", [4e-5, -4e-5])
def test_the_example_of_the_public_surface_runs(w):
    """Its ‖dy‖² has one digit, so that it misses Cauchy-Schwarz by three percent."""
    task = urep.TwoPoint(dx2=1.0, dy2_target=0.5)
    state = urep.State(dh2=8e-4, dy2=3e-9, w=w)
    rates = urep.Rates(tau_h=1300.0, tau_y=29.0)
    final = urep.final_distance(state, task, rates)
    for solver in (urep.integrate, urep.solve):
        end = solver(state, task, rates, np.arange(12_000.0))
        assert end.dh2[-1] == pytest.approx(final, rel=1e-6)
    assert urep.theory.velocity(state, task, rates).dh2 == pytest.approx(-w / 1300)


# --- bad input ------------------------------------------------------------------------------

TASK, RATES = urep.TwoPoint(1.0, 0.5), urep.Rates(10.0, 10.0)
STATE = urep.State(0.1, 0.2, 0.0)
NAN, INF = float("nan"), float("inf")


def integrate_at(t):
    return urep.integrate(STATE, TASK, RATES, t)


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        (lambda: urep.TwoPoint(0.0, 1.0), ValueError, r"dx2 must be finite and > 0, got 0\.0"),
        (lambda: urep.TwoPoint(-1.0, 1.0), ValueError, r"dx2 .* got -1\.0"),
        (lambda: urep.TwoPoint(1.0, -0.5), ValueError, r"dy2_target must be finite and >= 0, got -0\.5"),
        (lambda: urep.TwoPoint(1.0, NAN), ValueError, r"dy2_target .* got nan"),
        (lambda: urep.TwoPoint("1", 1.0), TypeError, r"dx2 must be one real number, got '1'"),
        (lambda: urep.TwoPoint(np.ones(2), 1.0), TypeError, "dx2 must be one real number"),
        (lambda: urep.TwoPoint(1j, 1.0), TypeError, "dx2 must be one real number"),
        (lambda: urep.Rates(0.0, 1.0), ValueError, r"tau_h must be finite and > 0, got 0\.0"),
        (lambda: urep.Rates(1.0, INF), ValueError, "tau_y .* got inf"),
        (lambda: urep.State(-1.0, 0.0, 0.0), ValueError, r"dh2 .* must be >= 0, got -1\.0"),
        (lambda: urep.State([1.0, 1.0], [0.0, -2.0], [0.0, 0.0]), ValueError, r"dy2 .* -2\.0 at index 1"),
        (lambda: urep.State(1.0, 0.0, NAN), ValueError, "w must be finite, got nan"),
        (lambda: urep.State(np.ones(3), np.ones(2), np.ones(3)), ValueError, "same shape"),
        (lambda: urep.State(np.ones((2, 2, 2)), 1.0, 1.0), ValueError, r"dh2 must be a number, \(n,\) or"),
        (lambda: urep.State("a", 1.0, 1.0), TypeError, "dh2 must be real numbers, got 'a'"),
        (lambda: integrate_at([1.0, 0.5]), ValueError, r"t must increase .* 0\.5 at index 1"),
        (lambda: integrate_at([0.0, 0.0]), ValueError, "t must increase"),
        (lambda: integrate_at([-1.0, 0.5]), ValueError, r"t must be .* >= 0, got -1\.0"),
        (lambda: integrate_at([0.0, NAN]), ValueError, "t must be finite"),
        (lambda: integrate_at([]), ValueError, "t must be one-dimensional and not empty"),
        (lambda: integrate_at("abc"), TypeError, "t must be real numbers"),
        (lambda: urep.integrate(STATE, TASK, (1, 2), [0.0]), TypeError, r"rates must be a urep\.Rates"),
        (lambda: urep.integrate((1, 2, 3), TASK, RATES, [0.0]), TypeError, r"state must be a urep\.State"),
        (lambda: urep.integrate(STATE, None, RATES, [0.0]), TypeError, r"task must be a urep\.TwoPoint"),
        (
            lambda: urep.integrate(urep.State([0.1], [0.2], [0.0]), TASK, RATES, [0.0]),
            ValueError,
            "state must hold scalars",
        ),
        (
            lambda: urep.integrate(urep.State(0.0, 0.2, 0.0), TASK, RATES, [0.0]),
            ValueError,
            r"dh2 must be > 0 at the start, got 0\.0",
        ),
        (
            lambda: urep.integrate(urep.State(0.1, 0.2, 5.0), TASK, RATES, [0.0]),
            ValueError,
            r"w must satisfy .*Cauchy-Schwarz.* w = 5\.0",
        ),
        (lambda: urep.identical_outputs(STATE, TASK, RATES, [0.0]), ValueError, "dy2_target must be 0"),
        (
            lambda: urep.loss(STATE, TASK, [0.0], tau_mean=1.0, mean_error2=0.0),
            ValueError,
            "trajectory and t must have equal length",
        ),
        (
            lambda: urep.loss(urep.State([0.1], [0.2], [0.0]), TASK, [0.0], tau_mean=0.0, mean_error2=0.0),
            ValueError,
            "tau_mean must be finite and > 0",
        ),
    ],
)  # fmt: skip
def test_bad_input_names_the_argument_the_value_and_what_is_allowed(call, kind, message):
    with pytest.raises(kind, match=message):
        call()


def test_records_are_frozen_and_their_arrays_read_only():
    values = np.ones(3)
    state = urep.State(values, values, values)
    values[0] = 5.0
    assert state.dh2[0] == 1.0
    with pytest.raises(ValueError, match="read-only"):
        state.dh2[0] = 2.0
    with pytest.raises(AttributeError):
        state.dh2 = 2.0
    assert len(state[1:]) == 2
    assert state[1].w == 1.0
    with pytest.raises(TypeError, match="scalars"):
        len(state[0])


def test_lifted_coordinates_agree_with_the_printed_ones_and_pass_where_those_are_singular():
    random = np.random.default_rng(8)
    for _ in range(20):
        dx2, d2, tau_h, tau_y, dh2, dy2 = 10 ** random.uniform(-1, 1, 6)
        task, rates = urep.TwoPoint(dx2, d2), urep.Rates(tau_h, tau_y)
        state = urep.State(dh2, dy2, dy2 - random.uniform(0.1, 1) * np.sqrt(dy2 * d2))
        t = np.linspace(0, 5 * max(tau_h, tau_y), 20)
        printed, lifted = (
            urep.integrate(state, task, rates, t, coordinates=c) for c in ("printed", "lifted")
        )
        for a, b in zip(printed, lifted, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-8, atol=1e-9 * d2)
    # Scalar outputs that start opposed, decoder larger: ‖dh‖² touches zero on the way.
    task, rates = urep.TwoPoint(1.0, 0.49), urep.Rates(30.0, 300.0)
    t = np.linspace(0, 3000, 300)
    state = urep.State(0.1, 1.0, 1.7)
    lifted = urep.integrate(state, task, rates, t, coordinates="lifted")
    exact = urep.solve(state, task, rates, t, dy=-1.0)
    for a, b in zip(lifted, exact, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-7, atol=1e-8)
    with pytest.raises(ValueError, match="coordinates must be 'printed' or 'lifted', got 'polar'"):
        urep.integrate(state, task, rates, t, coordinates="polar")

"""The vector solution of one linear layer: against fifty digits, against integration, against training."""

import numpy as np
import pytest
import torch
from mpmath import mp
from scipy.integrate import solve_ivp

import urep
from urep import equations as eq
from urep import rotation
from urep.experiments import one_layer


def random_case(random, units=None):
    """A start, a task and rates of any sizes."""
    dh, row = random.normal(size=(2, units or random.integers(1, 8))) * 10 ** random.uniform(-1.5, 1, (2, 1))
    task, rates = urep.TwoPoint(*10 ** random.uniform(-1, 1, 2)), urep.Rates(*10 ** random.uniform(0, 2, 2))
    return rotation.Vectors(dh, row), task, rates


def exact(start, task, rates, t, digits=60):
    """dh and D_y at one time by cosh and sinh of the angle, whose Riccati equation is solved in `digits`."""
    with mp.workdps(digits):
        k_h, k_y = mp.mpf(task.dx2) / (2 * mp.mpf(rates.tau_h)), 1 / (2 * mp.mpf(rates.tau_y))
        p = [mp.sqrt(k_y) * mp.mpf(float(z)) for z in start.dh]
        rho = [mp.sqrt(k_h) * mp.mpf(float(z)) for z in start.row]
        s = mp.sqrt(k_h * k_y * mp.mpf(task.dy2_target))
        a = sum((x + y) ** 2 for x, y in zip(p, rho, strict=True))
        b = sum((x - y) ** 2 for x, y in zip(p, rho, strict=True))
        rate = mp.sqrt(a * b + 4 * s**2)
        plus, minus = (2 * s + rate) / a, (2 * s - rate) / a
        left = (1 - plus) / (1 - minus) * mp.exp(-rate * mp.mpf(float(t)))
        angle = mp.log((plus - left * minus) / (1 - left)) / 2
        cosh, sinh = mp.cosh(angle), mp.sinh(angle)
        dh = [float((x * cosh + y * sinh) / mp.sqrt(k_y)) for x, y in zip(p, rho, strict=True)]
        row = [float((y * cosh + x * sinh) / mp.sqrt(k_h)) for x, y in zip(p, rho, strict=True)]
    return np.array(dh), np.array(row)


def size(z):
    return np.linalg.norm(z, axis=-1)


@pytest.mark.parametrize("near", [1.0, 1e-4, 1e-8])
def test_solve_has_the_digits_of_sixty_digit_arithmetic(near):
    """Also where p(0) and -ρ(0) are nearly the same vector, so that what grows is nearly nothing."""
    random = np.random.default_rng(3)
    for _ in range(40):
        start, task, rates = random_case(random)
        if near < 1:
            k_h, k_y = task.dx2 / (2 * rates.tau_h), 1 / (2 * rates.tau_y)
            start = rotation.Vectors(start.dh, -np.sqrt(k_y / k_h) * start.dh + near * start.row)
        rate = rotation.conserved(start, task, rates).Omega
        p, rho = start.dh / np.sqrt(2 * rates.tau_y), start.row * np.sqrt(task.dx2 / (2 * rates.tau_h))
        left = size(p + rho) / size(p)  # what the rounding of the start is seen through
        for t in random.uniform(0, 40, 3) / rate:
            seen = rotation.solve(start, task, rates, [t])
            dh, row = exact(start, task, rates, t)
            tolerance = 1e-12 + 1e-14 / left
            assert size(seen.dh[0] - dh) <= tolerance * max(size(dh), size(start.dh))
            assert size(seen.row[0] - row) <= tolerance * max(size(row), size(start.row))


def test_solve_is_where_integration_goes():
    random = np.random.default_rng(5)
    for _ in range(20):
        start, task, rates = random_case(random)
        units, (k_h, k_y) = start.dh.size, (task.dx2 / (2 * rates.tau_h), 1 / (2 * rates.tau_y))
        target = np.sqrt(task.dy2_target)

        def field(_, z, units=units, k_h=k_h, k_y=k_y, target=target):
            error = target - z[:units] @ z[units:]
            return np.concatenate([k_h * error * z[units:], k_y * error * z[:units]])

        t = np.linspace(0, 25 / rotation.conserved(start, task, rates).Omega, 6)
        z = solve_ivp(field, (0, t[-1]), np.concatenate([start.dh, start.row]), method="DOP853",
                      t_eval=t, rtol=1e-11, atol=1e-13).y.T  # fmt: skip
        seen = rotation.solve(start, task, rates, t)
        assert np.abs(seen.dh - z[:, :units]).max() < 1e-8 * np.abs(z).max()
        assert np.abs(seen.row - z[:, units:]).max() < 1e-8 * np.abs(z).max()
        np.testing.assert_allclose(rotation.outputs(start, task, rates, t), seen.dy, atol=1e-8 * target)
        constant = [rotation.conserved(rotation.Vectors(*one), task, rates)[:2]
                    for one in zip(seen.dh, seen.row, strict=True)]  # fmt: skip
        np.testing.assert_allclose(constant, np.tile(constant[0], (6, 1)), atol=1e-9 * np.abs(constant).max())


def test_it_is_the_registered_equation():
    letters = eq.t, eq.Omega, eq.share, eq.sum2, eq.difference2
    formula = eq.numeric(eq.book["E59"].rhs[0], *letters)
    random = np.random.default_rng(7)
    for _ in range(30):
        start, task, rates = random_case(random)
        one = rotation.conserved(start, task, rates)
        k_h, k_y = task.dx2 / (2 * rates.tau_h), 1 / (2 * rates.tau_y)
        p, rho = np.sqrt(k_y) * start.dh, np.sqrt(k_h) * start.row
        t = np.linspace(0, 10, 5) / one.Omega
        grown = formula(t, one.Omega, 2 * one.s / one.Omega, size(p + rho) ** 2, size(p - rho) ** 2)
        np.testing.assert_allclose(np.exp(2 * rotation.mixed(start, task, rates, t)), grown, rtol=1e-9)


def test_the_end_is_the_last_of_the_solution_and_its_length_has_a_formula():
    random = np.random.default_rng(11)
    for _ in range(50):
        start, task, rates = random_case(random)
        end = rotation.final(start, task, rates)
        late = rotation.solve(start, task, rates, [1e9])
        np.testing.assert_allclose(late.dh[0], end.dh, rtol=1e-9, atol=1e-12 * size(end.dh))
        assert end.dy == pytest.approx(np.sqrt(task.dy2_target), rel=1e-9)
        length = rotation.final_distance(start.dh2, start.row2, start.dy, task, rates)
        assert length == pytest.approx(end.dh2, rel=1e-9)


def test_parallel_vectors_are_the_paper():
    random = np.random.default_rng(13)
    for _ in range(30):
        start, task, rates = random_case(random)
        start = rotation.Vectors(start.dh, abs(random.normal()) * start.dh)
        t = np.linspace(0, 20, 7) / rotation.conserved(start, task, rates).Omega
        seen, paper = rotation.solve(start, task, rates, t), urep.solve(start.state(task), task, rates, t)
        np.testing.assert_allclose(seen.dh2, paper.dh2, rtol=1e-9)
        np.testing.assert_allclose(seen.dy**2, paper.dy2, rtol=1e-8)
        assert np.abs(seen.turned(start)).max() < 1e-5
        assert rotation.final(start, task, rates).dh2 == pytest.approx(
            urep.final_distance(start.state(task), task, rates)
        )


def test_a_start_that_is_exactly_opposed_and_balanced_dies():
    rates, task = urep.Rates(2.0, 2.0), urep.TwoPoint(1.0, 0.5)
    start = rotation.Vectors([0.3, -0.4], [-0.3, 0.4])
    end = rotation.final(start, task, rates)
    np.testing.assert_allclose([end.dh, end.row], 0, atol=1e-12)
    rest = rotation.Vectors([0.3, -0.4], [0.4, 0.3])
    nothing = urep.TwoPoint(1.0, 0.0)
    np.testing.assert_allclose(rotation.final(rest, nothing, rates).dh, rest.dh)


def test_a_wide_orthogonal_start_is_a_triangle():
    task, rates = urep.TwoPoint(1.0, 0.5), urep.Rates(2.0, 2.0)
    for length in (0.01, 0.5, 1.0, 5.0):
        start = rotation.Vectors([length, 0.0], [0.0, length])
        end = rotation.final(start, task, rates)
        assert end.dh2 == pytest.approx(float(rotation.wide_distance(length**2, task, rates)))
        assert end.dh2**2 == pytest.approx(length**4 + 0.5)
        assert end.turned(start) == pytest.approx(np.degrees(np.arctan2(0.5**0.5, length**2)) / 2)


def test_backpropagation_written_out_is_urep_train():
    networks = [one_layer.network(10, gain, seed=5) for gain in one_layer.GAINS]
    mine = one_layer.Stack.of(networks).descended(0.08, 60)
    layer = networks[0].middle
    urep.train_many(networks, one_layer.pair(), lr=0.08, epochs=60, layer=layer, progress=False)
    theirs = one_layer.Stack.of(networks)
    for name in ("into", "bias", "out", "last"):
        np.testing.assert_allclose(getattr(mine, name), getattr(theirs, name), atol=1e-13)
    vectors = rotation.read(networks[0], one_layer.pair(), layer)
    np.testing.assert_allclose(vectors.dh, mine.dh[0], atol=1e-13)
    np.testing.assert_allclose(vectors.row, mine.row[0], atol=1e-13)


def test_a_network_is_missed_by_its_step():
    case = one_layer.Case(3, (0.5,), times=(5.0, 80.0))
    (coarse,), (fine,) = (one_layer.trained(case, 1, halvings) for halvings in (0, 1))
    end = rotation.final(coarse[0], one_layer.TASK, one_layer.rates(0.08)).dh
    far, near = (size(path[-1].dh - end) / size(end) for path in (coarse, fine))
    assert far < 0.02 and far / near == pytest.approx(2, rel=0.05)
    dh, row = one_layer.in_frame(coarse)
    assert dh.shape == row.shape == (3, 3)
    np.testing.assert_allclose(size(dh), [v.dh2**0.5 for v in coarse])
    np.testing.assert_allclose(dh[:, 2], 0, atol=1e-12)  # gradient descent stays in the plane


def test_reading_turns_the_output_towards_its_target_and_refuses_what_is_not_linear():
    network = one_layer.network(4, 1.0, seed=2)
    inputs, targets = one_layer.pair()
    plain, mirrored = (rotation.read(network, (inputs, sign * targets), network.middle) for sign in (1, -1))
    np.testing.assert_allclose(plain.row, -mirrored.row)
    bent = urep.FullyConnected(hidden_layers=3, units=4, nonlinearity="tanh", dtype=torch.float64)
    with pytest.raises(ValueError, match="must be linear"):
        rotation.read(bent, (inputs + 0.3, targets), bent.layer(0))
    with pytest.raises(ValueError, match="targets must differ"):
        rotation.read(network, (inputs, 0 * targets), network.middle)
    with pytest.raises(ValueError, match="two points with one output"):
        rotation.read(network, (inputs, targets.expand(2, 2)), network.middle)


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        (lambda v, t, r: rotation.Vectors([1.0], [1.0, 2.0]), ValueError, "dh and row must have the same"),
        (lambda v, t, r: rotation.Vectors(["x"], [1.0]), TypeError, "dh must be real numbers"),
        (lambda v, t, r: rotation.Vectors([1.0], [np.nan]), ValueError, "row must be finite, got"),
        (lambda v, t, r: rotation.Vectors(1.0, 1.0), ValueError, r"dh must be \(n_h,\)"),
        (lambda v, t, r: rotation.solve([1.0], t, r, [0.0]), TypeError, "start must be"),
        (lambda v, t, r: rotation.solve(v, t, t, [0.0]), TypeError, "rates must be a urep.Rates"),
        (lambda v, t, r: rotation.solve(v, t, r, [1.0, 0.0]), ValueError, "t must increase"),
        (lambda v, t, r: rotation.final(rotation.Vectors([[1.0]], [[1.0]]), t, r), ValueError,
         r"start must hold vectors \(n_h,\)"),
        (lambda v, t, r: rotation.final_distance(0.0, 1.0, 0.0, t, r), ValueError, "dh2 must be finite"),
        (lambda v, t, r: rotation.final_distance(1.0, 1.0, 2.0, t, r), ValueError, "Cauchy-Schwarz"),
    ],
)  # fmt: skip
def test_bad_input_is_refused_by_name(call, kind, message):
    with pytest.raises(kind, match=message):
        call(rotation.Vectors([1.0, 2.0], [0.5, 0.0]), urep.TwoPoint(1.0, 0.5), urep.Rates(2.0, 2.0))


@pytest.mark.parametrize("wrong", [np.nan, -1.0, np.inf])
def test_the_wide_distance_refuses_what_is_no_squared_length(wrong):
    with pytest.raises(ValueError, match="dh2 must be finite and >= 0"):
        rotation.wide_distance(wrong, urep.TwoPoint(1.0, 0.5), urep.Rates(10.0, 10.0))


def test_a_zero_vector_has_no_angle():
    here = rotation.Vectors(np.array([1.0, 0.0]), np.array([0.0, 1.0]))
    nowhere = rotation.Vectors(np.zeros(2), np.array([0.0, 1.0]))
    assert here.turned(here) == 0
    for one, other in ((here, nowhere), (nowhere, here)):
        with pytest.raises(ValueError, match="dh must not be zero"):
            one.turned(other)

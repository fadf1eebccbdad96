"""The laws of random starts and ends, against vectors that are drawn and lengths that are conserved."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.stats import kstwobign

from urep.experiments import one_layer, random_starts

UNITS, V, LOW = 5, 0.12, 0.5**0.5
AT = np.array([0.05, 0.15, 0.3, 0.6, 1.0, 1.5])


@pytest.fixture(scope="module")
def drawn():
    """|p|², |ρ|² and p·ρ of forty thousand pairs of Gaussian vectors whose components have the variance V."""
    p, rho = np.random.default_rng(0).normal(0, V**0.5, (2, 40_000, UNITS))
    return (p * p).sum(axis=1), (rho * rho).sum(axis=1), (p * rho).sum(axis=1)


def share_below(values, bounds):
    """Of a sample, (bounds,)."""
    return (values[:, None] <= bounds).mean(axis=0)


def test_laws_of_the_two_conserved_numbers_are_those_of_drawn_vectors(drawn):
    p2, rho2, m = drawn
    C = np.sqrt((p2 + rho2) ** 2 - 4 * m**2)
    np.testing.assert_allclose(random_starts.C_law(UNITS, V)(AT), share_below(C, AT), atol=0.01)
    both = np.concatenate([-AT, AT])
    np.testing.assert_allclose(random_starts.c_law(UNITS, V)(both), share_below(p2 - rho2, both), atol=0.01)


def test_laws_of_ends_are_those_of_the_lengths_that_the_conserved_numbers_leave(drawn):
    p2, rho2, m = drawn
    total = np.sqrt((p2 + rho2) ** 2 - 4 * m**2 + 4 * LOW**2)  # |p|² + |ρ|² once m is the target
    ends = (total + p2 - rho2) / 2
    at = np.quantile(ends, [0.02, 0.2, 0.5, 0.8, 0.98])
    np.testing.assert_allclose(random_starts.end_law(UNITS, V, LOW)(at), share_below(ends, at), atol=0.01)
    high = p2 - m**2 / p2
    without_angle = (high + np.sqrt(high**2 + 4 * LOW**2)) / 2
    np.testing.assert_allclose(
        random_starts.end_law_10(UNITS, V, LOW)(at), share_below(without_angle, at), atol=0.01
    )


def test_one_true_sample_in_a_hundred_is_beyond_the_critical_distance():
    assert kstwobign.sf(random_starts.critical(400) * 20) == pytest.approx(0.01, abs=2e-4)


def test_starts_are_those_of_the_weights_and_tell_a_unit_less():
    net = one_layer.network(3, 0.3, 7)
    p, rho = net.net[0].weight.detach().numpy()[:, 0], net.net[2].weight.detach().numpy()[0]
    found = random_starts.starts(3, 0.3, range(7, 8))
    assert found.C[0] == pytest.approx(np.sqrt((p @ p + rho @ rho) ** 2 - 4 * (p @ rho) ** 2))
    assert found.c[0] == pytest.approx(p @ p - rho @ rho)
    right, wrong = (random_starts.starts_off(3, supposed, 0.3, range(300)) for supposed in (3, 2))
    assert right[0] < random_starts.critical(300) < wrong[0]


def test_trained_ends_are_those_of_the_formula_with_rotation():
    found = random_starts.ends(10, 0.3, size=4)
    np.testing.assert_allclose(found.seen, found.by_57, rtol=0.02)
    p2, rho2, m = [], [], []
    for seed in range(4):
        net = one_layer.network(10, 0.3, seed)
        p, rho = net.net[0].weight.detach().numpy()[:, 0], net.net[2].weight.detach().numpy()[0]
        p2, rho2, m = [*p2, p @ p], [*rho2, rho @ rho], [*m, p @ rho]
    p2, rho2, m = map(np.array, (p2, rho2, m))
    total = np.sqrt((p2 + rho2) ** 2 - 4 * m**2 + 4 * LOW**2)
    np.testing.assert_allclose(found.by_57, (total + p2 - rho2) / 2)
    np.testing.assert_allclose(found.by_58, np.sqrt(p2**2 + LOW**2))
    high = p2 - m**2 / p2
    np.testing.assert_allclose(found.by_10, (high + np.sqrt(high**2 + 4 * LOW**2)) / 2)


def test_two_outputs_miss_what_small_steps_of_both_flows_differ_by():
    units, gain, step = 4, 0.5, 0.01
    draw = np.random.default_rng(3).normal(0, gain * (2 / (units + 1)) ** 0.5, (3, units))
    h, maps = draw[0], draw[1:]
    for _ in range(60_000):
        error = np.array([LOW, 0.0]) - maps @ h
        h, maps = h + step * maps.T @ error, maps + step * np.outer(error, h)

    def one_output(_, y):
        p, rho = y.reshape(2, units)
        return (LOW - p @ rho) * np.concatenate([rho, p])

    told = solve_ivp(one_output, (0, 400), draw[:2].ravel(), rtol=1e-10, atol=1e-12).y[:units, -1]
    found = random_starts.two_outputs(3, gain, units)
    assert found.length == pytest.approx(abs(h @ h / (told @ told) - 1), rel=0.03)
    assert found.vector == pytest.approx(np.linalg.norm(h - told) / np.linalg.norm(h), rel=0.03)

"""Ensembles, plateaus and matrices of the theory's chapters, against what is known without them."""

import numpy as np
import pytest
import torch

import urep
from urep.experiments import ensembles, matrices, plateaus
from urep.experiments.linear_maps import directions


def test_the_pair_is_centred_and_keeps_its_distances():
    inputs, targets = ensembles.centred_pair(3, 2, seed=3)
    assert inputs.dtype == torch.float64 and inputs.shape == (2, 3) and targets.shape == (2, 2)
    for points, length2 in ((inputs, 1.0), (targets, 0.5)):
        np.testing.assert_allclose(points.sum(dim=0), 0, atol=1e-15)
        np.testing.assert_allclose(((points[1] - points[0]) ** 2).sum(), length2)


def test_a_turn_by_a_right_angle_goes_from_the_first_axis_to_the_second():
    np.testing.assert_allclose(ensembles.turned([2.0, 0.0], np.pi / 2), [0.0, 2.0], atol=1e-15)


def test_one_unit_keeps_all_digits_of_its_weights():
    network = ensembles.one_unit(0.1, [0.3, -0.7])
    outputs = network(torch.tensor([[1.0]], dtype=torch.float64)).detach().numpy()[0]
    assert list(outputs) == [0.1 * 0.3, 0.1 * -0.7]


def test_distances_are_those_of_the_layers_and_last_of_the_outputs():
    (network,) = ensembles.networks([5], hidden_layers=2, units=4, nonlinearity="none")
    W_1, W_2, W_3 = (network.net[k].weight.detach().numpy() for k in (0, 2, 4))
    inputs, _ = ensembles.centred_pair()
    by_hand = [W_1, W_2 @ W_1, W_3 @ W_2 @ W_1]
    seen = ensembles.distances2(network, inputs)
    np.testing.assert_allclose(seen, [np.sum(product**2) for product in by_hand])


def test_the_order_of_errors_is_the_power_of_the_step():
    steps = np.array([0.4, 0.2, 0.1])
    assert ensembles.order(steps, 3 * steps**2) == pytest.approx(2)
    both = np.column_stack([steps, steps**3])
    np.testing.assert_allclose(ensembles.order(steps, both), [1, 3])


def test_a_spread_is_a_median_with_a_twentieth_cut_off_on_either_side():
    assert ensembles.spread(np.arange(101)) == (5, 50, 95)
    found = ensembles.medians({"a": np.array([[1.0, 5.0], [2.0, 6.0], [9.0, 0.0]])})
    np.testing.assert_allclose(found["a"], [2, 5])


def test_a_relative_miss_is_that_of_the_worst_curve():
    curves = np.array([1.0, -2.0]), np.array([10.0, 0.0])
    assert ensembles.relative_miss(curves, (np.array([1.0, -1.0]), np.array([9.0, 1.0]))) == 0.5


def test_without_a_step_one_unit_is_nearer_to_its_solution():
    def build():
        return ensembles.networks(range(3), hidden_layers=1, units=1, nonlinearity="none", gain=0.7)

    runs = ensembles.at_rates(build, ensembles.centred_pair(), (0.04, 0.02), 4)
    signs = [float(n.net[0].weight.detach() * n.net[2].weight.detach()) for n in build()]
    exact = ensembles.solution(runs[0.04], dy=np.array(signs))
    at_once = ensembles.furthest(runs[0.04].trajectory, exact)
    limit = ensembles.furthest(ensembles.without_step(runs[0.04], runs[0.02]), exact)
    assert (limit < 0.2 * at_once).all()


def test_a_plateau_has_the_height_of_its_angle_and_the_rate_of_its_end():
    task, rates = urep.TwoPoint(1.0, 0.5), urep.Rates(100.0, 100.0)
    dy2 = 7500.0**2
    start = urep.State(2500.0, dy2, dy2 - 0.5 * (0.5 * dy2) ** 0.5)  # 60 degrees
    plateau = plateaus.Plateau(start, task, rates)
    assert plateau.height == pytest.approx(0.75)
    assert plateau.left([0.0, 50.0])[1] == pytest.approx(0.75, abs=1e-3)
    assert plateau.rate * 100 == pytest.approx(urep.final_distance(start, task, rates))
    assert plateau.left([0.0, plateau.length()])[1] == pytest.approx(0.375, abs=1e-3)


def test_matrices_of_one_unit_follow_the_exact_solution():
    start = matrices.Maps(np.array([[0.3]]), np.array([[0.4]]))
    dx, target = np.array([[1.0]]), np.array([[1.0]])
    rates, times = urep.Rates(5.0, 8.0), np.linspace(0, 40, 9)
    path = matrices.integrated(start, dx, target, rates, times)
    seen = matrices.scalars(path, dx, target)
    exact = urep.solve(seen[0], urep.TwoPoint(1.0, 1.0), rates, times)
    for one, other in zip(seen, exact, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-8)


def test_a_column_stands_at_the_angle_that_was_asked_for():
    random = np.random.default_rng(0)
    h = matrices.unit(random, 5)
    other = matrices.at_an_angle(random, h, 0.3)
    assert float((h * other).sum()) == pytest.approx(np.cos(0.3))
    assert float((other * other).sum()) == pytest.approx(1)


def test_with_one_unit_the_direction_of_dh_is_kept_while_the_loss_falls():
    (network,) = ensembles.networks([1], hidden_layers=1, units=1, nonlinearity="none")
    seen = directions(network, ensembles.centred_pair(), 0.05, [0.03, 0.01])
    assert seen.shape == (3, 1)
    np.testing.assert_allclose(np.abs(seen), 1)

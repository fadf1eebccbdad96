"""Kernels on kinks, held against autograd, against what they have to leave alone, and against short steps."""

import copy

import numpy as np
import pytest
import torch

import urep
from urep.experiments import kernels, kinks

DATA = urep.tasks.two_points(dtype=torch.float64)
BELOW = kinks.SLOPES["leaky_relu"]


@pytest.fixture(scope="module")
def settled():
    """A small network whose units have come to rest, what was seen of it, and its passage."""
    made = kernels.MapTrial("leaky_relu", 8, seed=0, units=20).network()
    kernels.follow(made, DATA, made.middle, until=0.3)
    rate = 0.01 / kernels.look(made, DATA, made.middle).total
    kinks.window(made, DATA, BELOW, rate)
    seen = kinks.window(made, DATA, BELOW, rate)
    return made, seen, kinks.Passed.of(made, DATA[0], BELOW)


def nobody(seen):
    return [np.zeros_like(one) for one in seen.resting]


def test_the_passage_is_the_networks(settled):
    made, _, passed = settled
    np.testing.assert_allclose(passed.z[-1], made(DATA[0]).detach(), rtol=1e-12)
    h = urep.training.hidden(made, DATA[0], (made.middle,))[made.middle]
    np.testing.assert_allclose(passed.z[made.hidden_layers // 2 + 1], h, rtol=1e-12, atol=1e-12)


def test_without_kinks_it_is_the_kernel_of_autograd(settled):
    made, seen, passed = settled
    one = kinks.kernel_on(passed, DATA[1], made.hidden_layers // 2, nobody(seen))
    other = kernels.measure(made, DATA, made.middle)  # its r cosθ is dy/u but for the kinks on the chord
    assert one * other.dy / other.u == pytest.approx(other.k_h * other.r * other.cosine, rel=1e-9)


def test_products_of_rows_are_those_of_gradients(settled):
    made, _, passed = settled
    parameters = list(made.parameters())
    outputs = made(DATA[0])
    loss = 0.5 * (outputs - DATA[1]).square().sum(dim=1).mean()
    slopes = torch.autograd.grad(loss, parameters)
    assert (passed.of_loss(DATA[1]) ** 2).sum() == pytest.approx(sum(float(g.square().sum()) for g in slopes))


def test_what_is_projected_leaves_the_kinks_alone():
    random = np.random.default_rng(0)
    pushed, normals = random.normal(size=12), random.normal(size=(4, 12))
    normals = np.vstack([normals, normals[:1] + normals[1:2]])  # not independent
    for normal in normals:
        assert kinks.along_surface(normal, pushed, normals) == pytest.approx(0, abs=1e-9)
    assert kinks.along_surface(pushed, pushed, normals[:0]) == pytest.approx(pushed @ pushed)


def test_the_side_on_which_a_resting_unit_is_now_does_not_matter(settled):
    """A unit pushed over its kink by a hair changes the kernel of an instant, not that on the kinks."""
    made, seen, passed = settled
    middle = made.hidden_layers // 2
    point, unit = np.argwhere(seen.resting[middle])[0]
    other = copy.deepcopy(made)
    linear = [module for module in other.net if isinstance(module, torch.nn.Linear)][middle]
    with torch.no_grad():
        linear.bias[unit] -= 1.001 * passed.pres[middle][point, unit]
    across = kinks.Passed.of(other, DATA[0], BELOW)
    assert (across.pres[middle][point, unit] > 0) != (passed.pres[middle][point, unit] > 0)
    on = [kinks.kernel_on(one, DATA[1], middle, seen.resting) for one in (passed, across)]
    now = [kinks.kernel_on(one, DATA[1], middle, nobody(seen)) for one in (passed, across)]
    assert abs(np.log(on[1] / on[0])) < 0.02 < abs(np.log(now[1] / now[0]))


def test_short_steps_show_the_kernel_on_the_kinks(settled):
    made, seen, passed = settled
    on = kinks.kernel_on(passed, DATA[1], made.hidden_layers // 2, seen.resting)
    now = kinks.kernel_on(passed, DATA[1], made.hidden_layers // 2, nobody(seen))
    assert on == pytest.approx(seen.kernel, rel=0.1)
    assert now != pytest.approx(seen.kernel, rel=0.1)


def test_a_trial_says_what_it_saw():
    seen = kinks.slid(kinks.KinkTrial("relu", 4, seed=0))
    assert set(seen) == {"steps", "kinks", "instant", "wrong", "u", "share", "resting"}
    assert all(values.shape == (len(kinks.STAGES),) for values in seen.values())
    assert (seen["resting"] > 0).all() and (seen["share"] <= 1).all()


def test_a_training_from_birth_is_the_usual_one_where_its_steps_are(settled):
    trial = kinks.KinkTrial("relu", 4, seed=0)
    one, other = kinks.slid_from_birth(trial), kinks.slid(trial)
    assert set(one) == {"steps", "kinks", "mean", "u"}
    for name in ("steps", "kinks", "u"):
        assert one[name][0] == pytest.approx(np.log(abs(other[name][0])), abs=0.01)


def test_the_kernels_of_the_instants_of_a_window_begin_with_that_of_its_start(settled):
    made, _, passed = settled
    again = copy.deepcopy(made)
    seen = kinks.window(again, DATA, BELOW, 1e-4, instants=True)
    nobody = [np.zeros_like(one) for one in seen.resting]
    assert seen.instants.shape == (kinks.WINDOW,)
    middle = made.hidden_layers // 2
    assert seen.instants[0] == pytest.approx(kinks.kernel_on(passed, DATA[1], middle, nobody))
    plain = kinks.window(copy.deepcopy(made), DATA, BELOW, 1e-4)
    assert plain.kernel == seen.kernel and plain.instants.shape == (0,)

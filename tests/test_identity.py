"""The kernel's sum rule against steps of gradient descent, functional Jacobians and formulas by hand."""

import copy

import numpy as np
import pytest
import torch
from torch.func import functional_call, jacrev

import urep
from urep.experiments import identity

DATA = urep.tasks.two_points(n_in=3, dx2=1.0, dy2_target=0.5, dtype=torch.float64)
"""Two points none of which is the origin."""


def networks():
    common = {"n_in": 3, "dtype": torch.float64, "seed": 3}
    return {
        "leaky": urep.FullyConnected(hidden_layers=4, units=9, **common),
        "elu": urep.FullyConnected(hidden_layers=3, units=7, nonlinearity="elu", **common),
        "skip": urep.FullyConnected(hidden_layers=5, units=8, skip=True, gain=0.5, **common),
        "convolution": urep.Convolutional(units=120, **common),
    }


NAMES = tuple(networks())


def seen_rate(network, size=1e-6):
    """The velocity of dy over the learning rate, from a tiny step of gradient descent and its opposite."""
    inputs, targets = DATA
    ends = []
    for sign in (1, -1):
        moved = copy.deepcopy(network)
        loss = 0.5 * ((moved(inputs) - targets) ** 2).sum(dim=1).mean()
        weights = [*moved.parameters()]
        for parameter, slope in zip(weights, torch.autograd.grad(loss, weights), strict=True):
            parameter.data -= sign * size * slope
        outputs = moved(inputs)[:, 0]
        ends.append((outputs[1] - outputs[0]).item())
    return (ends[0] - ends[1]) / (2 * size)


def by_jacobians(network):
    """‖∂dy/∂θ‖²/4 of each parameter, by forward calls of torch.func."""
    own = {name: value.detach() for name, value in network.named_parameters()}
    slopes = jacrev(lambda held: functional_call(network, held, (DATA[0],))[:, 0])(own)
    return {name: ((z[1] - z[0]) ** 2).sum().item() / 4 for name, z in slopes.items()}


@pytest.mark.parametrize("name", NAMES)
def test_the_two_errors_and_their_kernels_give_the_step_of_gradient_descent(name):
    network = networks()[name]
    cuts = identity.at_cuts(network, DATA)
    np.testing.assert_allclose(cuts.rate, seen_rate(network), rtol=1e-6)
    without_mean = cuts.kernel * cuts.gap
    assert abs(without_mean[0] / seen_rate(network) - 1) > 1e-3  # the mean's part is needed


@pytest.mark.parametrize("name", NAMES)
def test_the_sum_is_the_same_at_every_layer_and_the_encoder_only_gains(name):
    network = networks()[name]
    cuts, each = identity.at_cuts(network, DATA), by_jacobians(network)
    np.testing.assert_allclose(cuts.kernel, sum(each.values()), rtol=1e-12)
    assert (np.diff(cuts.encoder) > 0).all() and (np.diff(cuts.decoder) < 0).all()
    first = [value for key, value in each.items() if key.startswith("net.0.")]
    assert cuts.encoder[0] == pytest.approx(sum(first), rel=1e-12)
    last = list(each)[-2:]  # the output's weights and bias
    assert cuts.decoder[-1] == pytest.approx(sum(each[key] for key in last), rel=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_the_chain_rule_through_a_layer_has_the_encoder_where_nothing_passes_by(name):
    network = networks()[name]
    cuts = identity.at_cuts(network, DATA)
    passed = [identity.through(network, DATA, layer) for layer in range(network.depth)]
    if name == "skip":
        assert passed[0] == pytest.approx(cuts.encoder[0], rel=1e-12)
        assert abs(passed[2] / cuts.encoder[2] - 1) > 0.01
    else:
        np.testing.assert_allclose(passed, cuts.encoder, rtol=1e-12)


def test_one_linear_unit_is_the_theory_with_its_constants():
    """v = r u dx: K_enc = r² dx²/4, K_dec = u² dx²/4, and both constants of (7) are 2 over the rate."""
    data = urep.tasks.two_points(first_input=-0.5, first_target=-0.3, dtype=torch.float64)
    network = urep.FullyConnected(hidden_layers=1, units=1, nonlinearity="none", dtype=torch.float64)
    with torch.no_grad():
        network.net[0].weight.fill_(0.7)
        network.net[2].weight.fill_(-0.4)
    cuts = identity.at_cuts(network, data)
    assert cuts.encoder[0] == pytest.approx(0.4**2 / 4) and cuts.decoder[0] == pytest.approx(0.7**2 / 4)
    tau_h, tau_y = identity.constants(cuts, [0.7**2], 1.0, (0.7 * 0.4) ** 2)
    assert tau_h == pytest.approx(2) and tau_y == pytest.approx(2)


def test_odd_networks_of_centred_points_have_no_cross_term():
    data = tuple(z - z.mean(dim=0) for z in DATA)
    network = urep.FullyConnected(3, hidden_layers=4, units=9, nonlinearity="tanh", dtype=torch.float64)
    cuts = identity.at_cuts(network, data)
    assert np.abs(cuts.mean_encoder + cuts.mean_decoder).max() < 1e-12 * cuts.kernel[0]


def test_the_slaved_share_is_the_squared_cosine_of_the_two_gradients():
    network = networks()["elu"]
    own = {name: value.detach() for name, value in network.named_parameters()}
    slopes = jacrev(lambda held: functional_call(network, held, (DATA[0],))[:, 0])(own)
    first, second = torch.cat([z.flatten(1) for z in slopes.values()], dim=1)
    cosine = torch.nn.functional.cosine_similarity(second - first, second + first, dim=0).item()
    assert identity.at_cuts(network, DATA).slaved_share == pytest.approx(cosine**2, rel=1e-10)


def test_bad_arguments_are_refused():
    network = networks()["elu"]
    with pytest.raises(ValueError, match="two points with one output"):
        identity.at_cuts(network, (DATA[0][:1], DATA[1][:1]))
    with pytest.raises(TypeError, match="FullyConnected or a Convolutional"):
        identity.at_cuts(torch.nn.Linear(3, 1), DATA)
    with pytest.raises(ValueError, match="dropout"):
        identity.at_cuts(urep.FullyConnected(3, hidden_layers=2, units=4, dropout=0.1), DATA)
    with pytest.raises(ValueError, match="dh2 must be"):
        identity.constants(identity.at_cuts(network, DATA), [1.0], 1.0, 1.0)

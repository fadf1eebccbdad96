"""How far a network is from two linear maps, against matrices and polynomials that are worked out by hand."""

import numpy as np
import pytest
import torch

import urep
from urep.experiments import linear_maps

pytestmark = pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated")
"""Torch itself uses it, and says so once, when it is first asked for a derivative that it takes forwards."""

INPUTS = torch.tensor([[-0.5], [0.5]], dtype=torch.float64)
TARGETS = torch.tensor([[-0.35], [0.35]], dtype=torch.float64)


def network(layers, nonlinearity="none", seed=0, outputs=1):
    """One input, hidden layers of four units."""
    return urep.FullyConnected(
        1, outputs, hidden_layers=layers, units=4, nonlinearity=nonlinearity, seed=seed, dtype=torch.float64
    )


def weights(found):
    """The weight matrices of a network, from its input to its output."""
    return [layer.weight.detach().numpy().copy() for layer in found.net if hasattr(layer, "weight")]


class Skipping(torch.nn.Module):
    """Outputs A h + B x: what goes by B sees the point itself, whatever representation it is given."""

    middle = "encoder"

    def __init__(self):
        super().__init__()
        self.encoder = torch.nn.Linear(1, 3, bias=False, dtype=torch.float64)
        self.decoder = torch.nn.Linear(3, 2, bias=False, dtype=torch.float64)
        self.past = torch.nn.Linear(1, 2, bias=False, dtype=torch.float64)

    def forward(self, x):
        return self.decoder(self.encoder(x)) + self.past(x)


def test_a_network_that_sees_points_through_one_layer_alone_is_deceived_by_a_swap():
    assert linear_maps.swap_miss(network(3, "tanh", outputs=2), INPUTS) < 1e-14


def test_what_goes_past_the_layer_is_what_the_swap_misses():
    torch.manual_seed(0)
    found = Skipping()
    encoder, decoder, past = (part.weight.detach().numpy() for part in found.children())
    # One unit apart: each of the two outputs lacks what B makes of dx, one with either sign.
    by_hand = np.sqrt(2) * np.linalg.norm(past) / np.linalg.norm(decoder @ encoder + past)
    assert linear_maps.swap_miss(found, INPUTS) == pytest.approx(by_hand, rel=1e-12)
    assert not found.encoder._forward_hooks  # the network is as it was


def powers(s):
    return torch.stack([s**2, s**3])


def test_a_derivative_is_one_of_a_function_which_may_be_taken_again():
    at = torch.tensor(0.7, dtype=torch.float64)
    slope = linear_maps.derivative(powers)
    np.testing.assert_allclose(slope(at), [1.4, 3 * 0.49])
    np.testing.assert_allclose(linear_maps.derivative(slope)(at), [2, 4.2])


@pytest.mark.parametrize("size", [0.5, 2.0])
def test_the_errors_of_a_linear_map_of_a_square_and_a_cube(size):
    # Linearised in the middle, where both slopes are zero.
    single = np.hypot(size**2 / 4, size**3 / 8)
    assert linear_maps.misses(powers, size) == pytest.approx((single, size**3 / 4))
    # At a quarter of the way from the middle the slopes are 1/2 and 3/16, in powers of the size.
    point, difference = linear_maps.misses(powers, size, 0.25)
    assert point == pytest.approx(np.hypot(size**2 / 16, size**3 / 16))
    assert difference == pytest.approx(np.hypot(size**2 / 2, size**3 / 16))


def test_taylor_has_a_square_at_a_point_and_a_cube_in_the_difference():
    assert linear_maps.by_taylor(powers, 2.0) == pytest.approx((4 / 4, 8 / 4))
    sine = torch.sin  # of which the second derivative is zero in the middle, and the third minus one
    assert linear_maps.by_taylor(sine, 0.1) == pytest.approx((0, 1e-3 / 24), abs=1e-15)


def test_the_jacobians_of_a_linear_network_are_products_of_its_matrices():
    found = network(4, outputs=2)
    one, two, three, four, five = weights(found)
    D_h, D_y = linear_maps.jacobians(found, 1)
    np.testing.assert_allclose(D_h, two @ one)
    np.testing.assert_allclose(D_y, five @ four @ three)


def test_the_jacobians_of_a_network_that_bends_are_slopes_of_its_two_halves():
    found, step = network(3, "tanh", outputs=2), 1e-5
    D_h, D_y = linear_maps.jacobians(found, 1)
    both = torch.tensor([[-step], [step]], dtype=torch.float64)
    with torch.no_grad():
        h = found.net[:4](both).numpy()
        y = found(both).numpy()
    np.testing.assert_allclose(D_h[:, 0], (h[1] - h[0]) / (2 * step), rtol=1e-8)
    np.testing.assert_allclose((D_y @ D_h)[:, 0], (y[1] - y[0]) / (2 * step), rtol=1e-8)


def test_a_product_of_two_matrices_moves_as_the_product_rule_says():
    found = network(3)
    one, two, three, four = weights(found)
    away = (
        four @ three @ two @ one - (TARGETS[1] - TARGETS[0]).numpy()[:, None]
    )  # dy − dy*, the points one apart
    downhill = -(four @ three).T @ away / 4
    moved = downhill @ one.T @ one + two @ two.T @ downhill
    size = np.linalg.norm(downhill)
    cosine = np.sum(moved * downhill) / np.linalg.norm(moved) / size
    seen = linear_maps.motion(found, (INPUTS, TARGETS), 1)
    assert seen == pytest.approx((cosine, np.linalg.norm(moved) / size), rel=1e-5)
    assert cosine < 0.999  # the question is asked


def test_one_linear_layer_moves_downhill_at_the_learning_rate_however_far_it_has_come():
    found, losses = network(1), (0.05, 0.01)
    seen = linear_maps.motions(found, (INPUTS, TARGETS), 0, 0.05, losses)
    assert len(seen) == len(losses)
    np.testing.assert_allclose(seen, 1, rtol=1e-5)
    first, second = weights(found)
    outputs = INPUTS.numpy() @ (second @ first).T
    loss = np.mean(np.sum((outputs - TARGETS.numpy()) ** 2, axis=1)) / 2
    assert loss <= losses[-1] * (1 + 1e-6)

"""How many directions: each mechanism does what its paper says, and the nearest wrong thing does not."""

import copy

import numpy as np
import pytest
import torch
from scipy.integrate import solve_ivp
from torch import nn
from torchdiffeq import odeint, odeint_adjoint

import urep
from urep.zoo import directions, sheets
from urep.zoo.directions import CDE, NODE, ResNet

POINTS = torch.tensor([[-1.0], [0.3]], dtype=torch.float64)


def made(kind, seed=0, **settings):
    """A system from a seed."""
    torch.manual_seed(seed)
    return kind(**settings)


def numbers(layer):
    """Weight and bias of a linear layer as arrays."""
    return layer.weight.detach().numpy(), layer.bias.detach().numpy()


def true_flow(velocity, start):
    """States at s = 1 by SciPy's eighth-order method, one column a point."""
    flat = lambda s, h: velocity(s, h.reshape(start.shape)).ravel()
    found = solve_ivp(flat, (0, 1), start.ravel(), method="DOP853", rtol=1e-12, atol=1e-13)
    return found.y[:, -1].reshape(start.shape)


def flow_of(node):
    """h(0) and h(1) of a NODE in NumPy and SciPy alone."""
    W, b = numbers(node.lift)
    W1, b1 = numbers(node.field.enter)
    W2, b2 = numbers(node.field.leave)
    start = W @ POINTS.numpy().T + b[:, None]
    return start, true_flow(lambda s, h: W2 @ np.tanh(W1 @ h + b1[:, None]) + b2[:, None], start)


def output_of(node, state):
    """The readout of a state."""
    R, c = numbers(node.read)
    return (R @ state + c[:, None]).T


# --- 21, neural differential equations --------------------------------------------------------


def order(method, counts):
    """Slope of the error of the output against the number of steps, on logarithmic axes."""
    node = made(NODE, gain=1.5)
    exact = output_of(node, flow_of(node)[1])
    errors = []
    for steps in counts:
        coarse = made(NODE, gain=1.5, method=method, steps=steps)
        errors.append(np.abs(coarse(POINTS).detach().numpy() - exact).max())
    return -np.polyfit(np.log(counts), np.log(errors), 1)[0]


def test_a_node_converges_to_its_flow_at_the_order_of_its_solver():
    assert order("rk4", (16, 32, 64)) == pytest.approx(4.0, abs=0.3)
    assert order("euler", (128, 256, 512)) == pytest.approx(1.0, abs=0.3)
    # The fake: two stages where four are promised.
    assert order("midpoint", (16, 32, 64)) < 3.7


def gradients_of(node, integrate, **settings):
    """Gradient of a sum of squares of h(1) with respect to the field's parameters."""
    s = torch.tensor([0.0, 1.0], dtype=torch.float64)
    end = integrate(node.field, node.lift(POINTS), s, **settings)[-1]
    return torch.cat([g.ravel() for g in torch.autograd.grad(end.square().sum(), [*node.field.parameters()])])


def test_the_adjoint_equation_gives_the_gradients_of_the_solver():
    node, fine = made(NODE, gain=1.0), {"method": "dopri5", "rtol": 1e-8, "atol": 1e-10}
    through = gradients_of(node, odeint, **fine)
    adjoint = gradients_of(node, odeint_adjoint, **fine)
    assert (adjoint - through).norm() < 1e-6 * through.norm()
    # The fake: the gradient of one Euler step is that of another function.
    assert (gradients_of(node, odeint, method="euler") - through).norm() > 1e-2 * through.norm()


def test_a_flow_can_be_run_backwards_and_a_residual_block_can_not():
    node = made(NODE, gain=1.0)
    s = torch.linspace(0, 1, 65, dtype=torch.float64)
    with torch.no_grad():
        start = node.lift(POINTS)
        end = odeint(node.field, start, s, method="rk4")[-1]
        back = odeint(node.field, end, s.flip(0), method="rk4")[-1]
        block = start + node.field(s[0], start)
        undone = block - node.field(s[0], block)
    assert (back - start).norm() < 1e-6 * start.norm()
    assert (undone - start).norm() > 1e-2 * start.norm()


def crossed(states):
    """Whether points on a line change their order."""
    return bool((torch.diff(states[:, 0]) <= 0).any())


def test_trajectories_on_a_line_never_cross_and_those_of_a_large_step_do():
    inputs = torch.linspace(-2, 2, 41, dtype=torch.float64)[:, None]
    flows, jumps = [], []
    for seed in range(50):
        torch.manual_seed(seed)
        field = directions.Field(2.0, 1, 16)
        s = torch.linspace(0, 1, 65, dtype=torch.float64)
        with torch.no_grad():
            flows.append(any(crossed(h) for h in odeint(field, inputs, s, method="rk4")))
            jumps.append(crossed(inputs + field(s[0], inputs)))
    assert not any(flows)
    assert sum(jumps) >= 5


def smooth_blocks(blocks, scale=None):
    """A residual network whose weights move on a line from those of one field to those of another."""
    network, first, last = (
        made(ResNet, gain=1.0, blocks=blocks, scale=scale), made(ResNet, 1, gain=1.0, blocks=1),
        made(ResNet, 2, gain=1.0, blocks=1))  # fmt: skip
    network.lift, network.read = first.lift, first.read
    for k, block in enumerate(network.blocks):
        ends = zip(block.parameters(), first.blocks[0].parameters(), last.blocks[0].parameters(), strict=True)
        for own, one, other in ends:
            own.data = one.data + k / blocks * (other.data - one.data)
    return network, first.blocks[0], last.blocks[0]


def test_a_residual_network_becomes_a_differential_equation_as_one_over_its_depth():
    network, first, last = smooth_blocks(1)
    W, b = numbers(network.lift)
    ends = [(numbers(f.enter)[0], numbers(f.leave)[0]) for f in (first, last)]

    def velocity(s, h):
        W1, W2 = (one + s * (other - one) for one, other in zip(*ends, strict=True))
        return W2 @ np.tanh(W1 @ h)

    exact = output_of(network, true_flow(velocity, W @ POINTS.numpy().T + b[:, None]))
    depths = (32, 64, 128, 256)

    def errors(scale):
        return [np.abs(smooth_blocks(L, scale)[0](POINTS).detach().numpy() - exact).max() for L in depths]

    assert -np.polyfit(np.log(depths), np.log(errors(None)), 1)[0] == pytest.approx(1.0, abs=0.1)
    # The fake: blocks of full size, as in an ordinary residual network, go nowhere near it.
    assert min(errors(1.0)) > 10 * max(errors(None))


class BlindField(nn.Module):
    """A velocity that depends on depth alone."""

    def __init__(self, field):
        super().__init__()
        self.field = field

    def forward(self, s, h):
        return self.field(s, torch.full_like(h, float(s)))


def test_a_field_that_sees_the_state_moves_two_points_apart_and_one_of_depth_alone_does_not():
    def moved(node):
        start, end = (
            directions.hidden_pair(node, POINTS, "at.0"),
            directions.hidden_pair(node, POINTS, "at.8"),
        )
        return np.linalg.norm(end - start) / np.linalg.norm(start)

    node = made(NODE, gain=0.5)
    blind = copy.deepcopy(node)
    blind.field = BlindField(node.field)
    assert moved(node) > 0.05
    assert moved(blind) < 1e-12


def observed(extra):
    """A sequence of eight observations, with others on the straight lines between them."""
    s = torch.linspace(0, 1, 8, dtype=torch.float64)
    u = torch.randn(2, 8, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    more = torch.sort(torch.cat([s, torch.tensor(extra, dtype=torch.float64)])).values
    return torch.stack([torch.tensor(np.interp(more, s, row)) for row in u]), more


def test_a_controlled_equation_sees_the_path_and_not_how_often_it_was_looked_at():
    network = made(CDE, gain=0.5, method="dopri5")
    once, often = network(*observed([])), network(*observed([0.05, 0.5, 0.77]))
    assert (once - often).abs().max() < 1e-6
    assert (once - network(observed([])[0].flip(1))).abs().max() > 1e-3
    # The fake: a recurrent network counts its observations.
    torch.manual_seed(0)
    cell = nn.GRU(2, 32, batch_first=True, dtype=torch.float64)
    last = lambda u, s: cell(torch.stack((s.expand_as(u), u), dim=2))[0][:, -1]
    assert (last(*observed([])) - last(*observed([0.05, 0.5, 0.77]))).abs().max() > 1e-3


def test_a_controlled_equation_with_a_constant_matrix_adds_up_the_increments():
    network, (u, s) = made(CDE, gain=0.5), observed([])
    network.field.enter.weight.data.zero_()
    network.field.enter.bias.data.normal_()
    W, b = numbers(network.lift)
    F = network.field(s[0], torch.zeros(1, 32, dtype=torch.float64)).detach().numpy().reshape(32, 2)
    ends = np.stack([[1.0, float(row[-1] - row[0])] for row in u])
    start = np.stack([[0.0, float(row[0])] for row in u]) @ W.T + b
    expected = output_of(network, (start + ends @ F.T).T)
    np.testing.assert_allclose(network(u).detach().numpy(), expected, atol=1e-12)


# --- 23, model order reduction ---------------------------------------------------------------


@pytest.fixture(scope="module")
def learned():
    """A NODE of 64 units that has learned two points."""
    node = made(NODE, gain=0.5, units=64)
    data = urep.tasks.two_points(dtype=torch.float64)
    run = urep.train(node, data, lr=0.05, epochs=250, layer="at.8")
    assert run.loss[-1] < 1e-3
    return node


def missed(node, other):
    """Largest difference of the outputs over the inputs of the snapshots, over their range."""
    with torch.no_grad():
        outputs = node(directions.GRID)
        return float((other(directions.GRID) - outputs).abs().max() / np.ptp(outputs.numpy()))


def test_pod_misses_what_the_other_singular_values_hold_and_a_random_basis_misses_more(learned):
    states, _ = directions.snapshots(learned)
    left = lambda V: np.linalg.norm(states - V @ (V.T @ states))
    tail = np.sqrt(np.sort(np.linalg.eigvalsh(states @ states.T))[:-2].sum())
    assert left(directions.pod(states, 2)) == pytest.approx(tail, rel=1e-6)
    random = np.linalg.qr(np.random.default_rng(0).normal(size=(32, 2)))[0]
    assert left(random) > 10 * tail


def test_deim_interpolates_at_its_rows_and_a_projection_does_not(learned):
    _, activations = directions.snapshots(learned)
    modes = directions.pod(activations, 4)
    rows = directions.deim(modes)
    between = modes @ np.linalg.solve(modes[rows], activations[rows])
    size = np.abs(activations).max()
    assert len(set(rows)) == 4
    assert np.abs(between - activations)[rows].max() < 1e-10 * size
    assert np.abs(modes @ (modes.T @ activations) - activations)[rows].max() > 1e-6 * size


def test_a_node_on_all_its_directions_is_the_node(learned):
    assert missed(learned, directions.reduced(learned, 32, 64)) < 1e-10


def test_four_directions_and_five_units_are_enough_after_pod_deim_only(learned):
    assert missed(learned, directions.reduced(learned, 4, 5)) < 1e-3
    assert missed(learned, directions.pruned(learned, 5)) > 0.05
    random = np.linalg.qr(np.random.default_rng(0).normal(size=(32, 4)))[0]
    assert missed(learned, directions.reduced(learned, 4, 5, basis=random)) > 0.05


def test_a_reduced_node_is_a_small_network_that_trains(learned):
    small = directions.reduced(learned, 2, 3)
    assert small.field.enter.weight.shape == (3, 2)
    data = urep.tasks.two_points(dtype=torch.float64)
    run = urep.train(small, data, lr=0.05, epochs=5, layer="at.8")
    assert run.loss[-1] < run.loss[0]


# --- 1, degeneracy and the interaction basis ---------------------------------------------------


def layered(nonlinearity=nn.Tanh):
    """A network of hidden layers of 8 and 12 units, and 200 points in five dimensions."""
    torch.manual_seed(0)
    sizes = [nn.Linear(*size, dtype=torch.float64) for size in ((5, 8), (8, 12), (12, 3))]
    network = nn.Sequential(sizes[0], nonlinearity(), sizes[1], nonlinearity(), sizes[2])
    return network, torch.randn(200, 5, dtype=torch.float64)


class Rewritten(nn.Module):
    """A network whose first hidden layer is written in another basis: h → Rh, W → W R⁻¹."""

    def __init__(self, network, R):
        super().__init__()
        self.first, self.basis, self.rest = network[:2], nn.Linear(*R.shape, bias=False), network[2:]
        self.basis.weight.data = R
        self.rest = copy.deepcopy(self.rest)
        self.rest[0].weight.data = self.rest[0].weight @ torch.linalg.inv(R)

    def forward(self, x):
        return self.rest(self.basis(self.first(x)))


def test_the_interaction_basis_does_not_know_the_basis_of_a_layer_and_principal_components_do():
    network, x = layered()
    R = torch.randn(8, 8, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    other = Rewritten(network, R)
    one, two = directions.looked_at(network, x, "1"), directions.looked_at(other, x, "basis")
    assert (network(x) - other(x)).abs().max() < 1e-12
    (sizes, features), (again, same) = directions.interaction_basis(*one), directions.interaction_basis(*two)
    assert np.abs(sizes - again).max() < 1e-12 * sizes[0]
    signs = np.sign((features * same).sum(axis=0))
    matters = sizes > 1e-6 * sizes[0]
    assert np.abs(features - same * signs)[:, matters].max() < 1e-8 * np.abs(features).max()
    # The fake: principal components stretch with R.
    spectra = [np.linalg.eigvalsh(h.T @ h / len(h))[-1] for h, _ in (one, two)]
    assert abs(np.log(spectra[1] / spectra[0])) > np.log(2)


def test_the_interaction_basis_splits_the_squared_slopes_among_features():
    network, x = layered()
    h, slopes = directions.looked_at(network, x, "1")
    sizes, features = directions.interaction_basis(h, slopes)
    # In the basis the Gram matrix of the features is diagonal, and equal to the interactions.
    np.testing.assert_allclose(features.T @ features / len(x), np.diag(sizes), atol=1e-9 * sizes[0])


def wider(network, incoming, outgoing):
    """The network with one more unit in its first hidden layer."""
    other = copy.deepcopy(network)
    enter, leave = other[0], other[2]
    weight, bias = incoming
    enter.weight.data = torch.cat([enter.weight.data, weight[None]])
    enter.bias.data = torch.cat([enter.bias.data, bias[None]])
    leave.weight.data = torch.cat([leave.weight.data, outgoing[:, None]], dim=1)
    return other


def test_each_kind_of_degeneracy_raises_its_own_count_by_one():
    smooth, x = layered()
    random = torch.Generator().manual_seed(3)
    weight, column = (torch.randn(n, generator=random, dtype=torch.float64) for n in (5, 12))
    bias = torch.tensor(0.3, dtype=torch.float64)

    def counts(network):
        return np.array(directions.degeneracies(*directions.looked_at(network, x, "1")))

    first = smooth[0]
    base = counts(wider(smooth, (weight, bias), column))
    copied = counts(wider(smooth, (first.weight.data[0], first.bias.data[0]), column))
    assert tuple((copied - base)[:2]) == (1, 0)
    assert tuple((counts(wider(smooth, (weight, bias), 0 * column)) - base)[:2]) == (0, 1)
    relu, _ = layered(nn.ReLU)
    first = relu[0]
    base = counts(wider(relu, (weight, bias), column))
    nearly = first.weight.data[0] + 1e-3 * weight
    twin = counts(wider(relu, (nearly, first.bias.data[0]), column))
    assert tuple(twin - base) == (0, 0, 1)


def test_the_unseen_share_of_a_linear_readout_is_a_squared_sine():
    random = np.random.default_rng(0)
    dh, row = random.normal(size=(2, 9))
    cosine = dh @ row / np.linalg.norm(dh) / np.linalg.norm(row)
    assert directions.unseen(dh, np.stack([row, row])[:, None]) == pytest.approx(1 - cosine**2, abs=1e-12)
    assert directions.unseen(row, np.stack([row, row])[:, None]) == pytest.approx(0, abs=1e-12)
    # The fake: a direction that has nothing to do with it sees one ninth.
    others = random.normal(size=(1000, 1, 1, 9))
    assert np.mean([directions.unseen(row, other) for other in others]) == pytest.approx(8 / 9, abs=0.02)


def test_the_area_of_dh_and_decoder_is_conserved_if_both_learn_at_one_rate_in_all_directions():
    random = np.random.default_rng(1)
    start = random.normal(size=(2, 6)) * 0.3
    area = lambda q: (q[0] @ q[0]) * (q[1] @ q[1]) - (q[0] @ q[1]) ** 2

    def after(K):
        def slope(t, q):
            p, rho = q.reshape(2, 6)
            error = p @ rho - 1.0
            return np.concatenate([-error * K * rho, -0.4 * error * p])

        found = solve_ivp(slope, (0, 20), start.ravel(), rtol=1e-11, atol=1e-13)
        return area(found.y[:, -1].reshape(2, 6)) / area(start)

    assert after(np.full(6, 1.7)) == pytest.approx(1, abs=1e-6)
    # The fake: an encoder that learns some directions faster.
    assert abs(after(np.linspace(0.7, 2.7, 6)) - 1) > 0.05


def test_the_kernel_of_a_linear_layer_does_not_turn_the_decoder_and_that_of_a_rectified_one_does():
    linear = urep.FullyConnected(hidden_layers=1, units=20, nonlinearity="none", dtype=torch.float64)
    assert directions.kernel_turn(linear, POINTS, "net.1") < 1e-6
    rectified = urep.FullyConnected(hidden_layers=3, units=20, dtype=torch.float64)
    assert directions.kernel_turn(rectified, POINTS, "net.3") > 10


def test_the_angle_of_two_vectors_is_exact_where_it_is_small():
    one, turned = np.array([1.0, 0.0]), np.array([1.0, 1e-9])
    assert directions.angle(one, 3 * turned) == pytest.approx(np.degrees(1e-9), rel=1e-6)
    assert directions.angle(one, -one) == pytest.approx(180)


def test_a_study_retrained_is_the_stored_one():
    stored, again = sheets.study("node-depth"), directions.depth(0)
    assert set(again) == set(stored) - {"done"}
    for name, value in again.items():
        np.testing.assert_allclose(value, stored[name][0], rtol=1e-4, atol=1e-7)


def test_courses_of_different_length_are_stretched_to_one():
    line, short = np.linspace(0, 1, 31), np.append(np.linspace(0, 1, 11), np.full(20, np.nan))
    assert directions.stretched([line, short, 1 - line], 5) == pytest.approx(np.linspace(0, 1, 5))

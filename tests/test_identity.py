"""The kernel's sum rule against steps of gradient descent, functional Jacobians and formulas by hand."""

import copy

import numpy as np
import pytest
import torch
from scipy.integrate import solve_ivp
from torch.func import functional_call, grad, jacrev

import urep
from urep.experiments import Trial, identity
from urep.zoo import catalogue

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
    assert identity.stepped_rate(network, DATA) == pytest.approx(cuts.rate[0], rel=1e-6)
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
    gap = 0.5**0.5 + 0.7 * 0.4
    assert identity.stepped_rate(network, data) == pytest.approx((0.7**2 + 0.4**2) / 4 * gap, rel=1e-8)
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


def test_a_cut_by_the_chain_rule_has_the_heaps_of_parameters_where_nothing_passes_by():
    for name in ("leaky", "elu", "convolution"):
        network = networks()[name]
        cuts = identity.at_cuts(network, DATA)
        for layer in (0, network.depth // 2, network.depth - 1):
            one = identity.across(network, DATA, [network.layer(layer)])
            assert one.before.sum() == pytest.approx(cuts.encoder[layer], rel=1e-12)
            assert one.behind.sum() == pytest.approx(cuts.decoder[layer], rel=1e-12)
            assert one.missed < 1e-12 and not one.crossing.any()
            assert one.missed_without(one.last_bias) > 1e-6


def test_a_skip_connection_needs_both_activations_at_a_cut():
    network = networks()["skip"]
    both = identity.across(network, DATA, [network.layer(2), network.layer(3)])
    assert both.missed < 1e-12 and not both.crossing.any()
    alone = identity.across(network, DATA, [network.layer(3)])
    assert alone.missed < 1e-12  # what passes by counts as behind
    assert alone.missed_twice > 1e-3


def test_a_recurrent_cell_by_hand():
    """Two steps of h ← tanh(w h + v x) and y = h: the derivative by each use of w and v, written out."""

    class Twice(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.cell = torch.nn.RNNCell(1, 1, bias=False, dtype=torch.float64)

        def forward(self, x):
            return self.cell(x[:, 1:], self.cell(x[:, :1], torch.zeros(len(x), 1, dtype=torch.float64)))

    network = Twice()
    v, w = network.cell.weight_ih.item(), network.cell.weight_hh.item()
    x = np.array([[0.3, -1.1], [0.8, 0.4]])
    first = np.tanh(v * x[:, 0])
    last = np.tanh(w * first + v * x[:, 1])
    outer, inner = 1 - last**2, 1 - first**2
    v_before, v_behind = np.diff(outer * w * inner * x[:, 0])[0], np.diff(outer * x[:, 1])[0]
    w_behind = np.diff(outer * first)[0]
    data = torch.tensor(x), torch.tensor([[0.0], [1.0]], dtype=torch.float64)
    one = identity.across(network, data, [("cell", 0)])
    order = [one.names.index(f"cell.weight_{name}") for name in ("ih", "hh")]
    np.testing.assert_allclose(one.before[order], [v_before**2 / 4, 0], atol=1e-15)
    np.testing.assert_allclose(one.behind[order], [v_behind**2 / 4, w_behind**2 / 4], rtol=1e-12)
    np.testing.assert_allclose(one.crossing[order], [v_before * v_behind / 2, 0], atol=1e-15)
    assert one.kernel == pytest.approx(((v_before + v_behind) ** 2 + w_behind**2) / 4, rel=1e-12)


@pytest.mark.parametrize(
    ("name", "cut"), [("satformer", "blocks.0"), ("widenet-plain", "middle"), ("tpp", ("history.cell", 3))]
)
def test_the_kernel_at_a_cut_of_the_zoo_is_that_of_tiny_steps(name, cut):
    """‖∂dy/∂θ‖² is how fast dy moves along its own gradient, and against it."""
    system = catalogue.system(name)
    network, data = system.network(1, 0.5), system.pair(0.5)
    one = identity.across(network, data, [cut])
    direction = torch.nn.functional.normalize(data[1].flatten(1).diff(dim=0)[0], dim=0)
    own = {key: value.detach() for key, value in network.named_parameters()}

    def dy(held):
        return functional_call(network, held, (data[0],)).flatten(1).diff(dim=0)[0] @ direction

    slopes = grad(dy)(own)
    assert one.kernel == pytest.approx(sum((z**2).sum().item() for z in slopes.values()) / 4, rel=1e-10)
    assert one.missed < 1e-12
    size, ends = 1e-6, []
    for sign in (1, -1):
        held = {key: own[key] + sign * size * slopes[key] for key in own}
        ends.append(dy(held).item())
    assert (ends[0] - ends[1]) / (2 * size) / 4 == pytest.approx(one.kernel, rel=1e-6)


def test_only_activations_that_are_all_the_rest_sees_are_a_cut():
    network = networks()["skip"]
    both, one = [network.layer(2), network.layer(3)], [network.layer(3)]
    assert identity.passes_by(network, DATA, both) == 0
    with torch.no_grad():  # by hand: the second of two blocks sees the stream that passes the activation by
        seen = {}
        module = network.get_submodule(network.layer(3))
        handle = module.register_forward_hook(lambda _m, _i, out: seen.setdefault("held", out))
        outputs = network(DATA[0])
        exchanged = network(DATA[0].flip(0))  # the first call's activation stays: a hook's return replaces it
        handle.remove()
    far = ((exchanged - outputs).abs().max() / outputs.diff(dim=0).abs().max()).item()
    assert identity.passes_by(network, DATA, one) == pytest.approx(far, rel=1e-12)
    assert far > 0.01
    with pytest.raises(ValueError, match="cut must name outputs that are reached"):
        identity.passes_by(network, DATA, [(network.layer(0), 1)])


def test_a_recurrent_state_is_a_cut_only_where_later_events_are_the_same():
    system = catalogue.system("tpp")
    network, (inputs, targets) = system.network(0, 0.5), system.pair(0.5)
    assert identity.passes_by(network, (inputs, targets), [("history.cell", 3)]) > 0.1
    same = inputs.clone()
    same[1, 4:] = same[0, 4:]
    assert identity.passes_by(network, (same, targets), [("history.cell", 3)]) == 0
    assert identity.across(network, (same, targets), [("history.cell", 3)]).missed < 1e-12


def test_what_a_cut_cannot_be():
    network = networks()["elu"]
    with pytest.raises(ValueError, match="cut must name outputs that are reached"):
        identity.across(network, DATA, [(network.layer(0), 1)])
    with pytest.raises(ValueError, match="data must be two points"):
        identity.across(network, (DATA[0][:1], DATA[1][:1]), [network.layer(0)])
    random = urep.FullyConnected(3, hidden_layers=2, units=4, dropout=0.1, dtype=torch.float64)
    with pytest.raises(ValueError, match="eval"):
        identity.across(random, DATA, [random.layer(0)])
    assert identity.across(random.eval(), DATA, [random.layer(0)]).missed < 1e-12
    with pytest.raises(ValueError, match="name must be one of"):
        identity.across(network, DATA, [network.layer(0)]).missed_without("nothing")


def test_fits_and_kernels_of_a_run_are_those_of_the_trained_network():
    """Against a training, Jacobians and a simulation of (7) of its own."""
    trial = Trial("Shallow", 1, units=12, epochs=400, precision="float64", layers="all")
    kept = identity.fitted_cuts(trial)
    data, lr = trial.data(), trial.settings.lr
    network = trial.network(data)
    born = sum(_shares(network, data).values())
    depth, inputs, targets = network.depth, *data
    for _ in range(400):
        loss = 0.5 * ((network(inputs) - targets) ** 2).mean()
        weights = [*network.parameters()]
        for parameter, slope in zip(weights, torch.autograd.grad(loss, weights), strict=True):
            parameter.data -= lr * slope
    each = _shares(network, data)
    assert kept["kernel"] == pytest.approx([born, sum(each.values())], rel=1e-6)
    assert kept["rates"].shape == (depth, 2) and kept["last"].shape == (depth, 3)
    for layer in range(depth):
        behind = int(network.layer(layer).removeprefix("net."))
        encoder = sum(value for key, value in each.items() if int(key.split(".")[1]) <= behind)
        assert kept["encoder"][layer] == pytest.approx(encoder, rel=1e-6)
        assert kept["decoder"][layer] == pytest.approx(sum(each.values()) - encoder, rel=1e-6)
    run = trial.train(progress=False).run
    for layer, (name, state) in enumerate(run.trajectory.items()):
        assert name == network.layer(layer)
        np.testing.assert_allclose(kept["last"][layer], [curve[-1] for curve in state], rtol=1e-9)
    state = run.trajectory[network.layer(0)]
    best = _far(state, run, *(kept["rates"][0] / lr))
    for factors in ((1.05, 1), (1 / 1.05, 1), (1, 1.05), (1, 1 / 1.05)):
        assert _far(state, run, *(kept["rates"][0] / lr * factors)) > best


def _far(state, run, tau_h, tau_y):
    """(49): squared distances of the three curves from (7), integrated by SciPy from equations typed here."""
    dx2, target2 = run.task.dx2, run.task.dy2_target

    def moves(_t, z):
        h, y, w = z
        return (
            -dx2 / tau_h * w,
            -w * (h / tau_y + dx2 * y / (tau_h * h)),
            -(3 * w - y + target2) * h / (2 * tau_y) - dx2 * (y + w) * w / (2 * tau_h * h),
        )

    seen = np.array([*state])
    found = solve_ivp(moves, (run.t[0], run.t[-1]), seen[:, 0], t_eval=run.t, rtol=1e-9, atol=1e-12)
    return ((found.y - seen) ** 2).sum()


def _shares(network, data):
    """‖∂dy/∂θ‖²/4 of each parameter on some data, by forward calls of torch.func."""
    own = {name: value.detach() for name, value in network.named_parameters()}
    slopes = jacrev(lambda held: functional_call(network, held, (data[0],))[:, 0])(own)
    return {name: ((z[1] - z[0]) ** 2).sum().item() / 4 for name, z in slopes.items()}


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

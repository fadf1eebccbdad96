"""Datasets and architectures."""

import dataclasses

import numpy as np
import pytest
import torch

import urep
from urep.tasks import two_points


def test_defaults_are_the_papers_two_points():
    inputs, targets = two_points()
    assert inputs.tolist() == [[-1.0], [0.0]]
    np.testing.assert_allclose(targets, [[0.6], [0.6 + 0.5**0.5]], rtol=1e-6)


@pytest.mark.parametrize("n_in", [1, 2, 7])
@pytest.mark.parametrize("n_out", [1, 3])
@pytest.mark.parametrize(("dx2", "dy2_target"), [(1.0, 0.5), (0.25, 0.0), (3.0, 1.0)])
def test_distances_are_what_was_asked_in_any_dimension(n_in, n_out, dx2, dy2_target):
    inputs, targets = two_points(dx2=dx2, dy2_target=dy2_target, n_in=n_in, n_out=n_out, dtype=torch.float64)
    assert inputs.shape == (2, n_in)
    assert targets.shape == (2, n_out)
    assert float((inputs[1] - inputs[0]).square().sum()) == pytest.approx(dx2, rel=1e-12)
    assert float((targets[1] - targets[0]).square().sum()) == pytest.approx(dy2_target, abs=1e-12)


@pytest.mark.parametrize(
    ("settings", "kind", "message"),
    [
        ({"dx2": 0.0}, ValueError, r"dx2 must be finite and > 0, got 0\.0"),
        ({"dx2": float("nan")}, ValueError, "dx2"),
        ({"dy2_target": -0.1}, ValueError, r"dy2_target must be finite and >= 0, got -0\.1"),
        ({"dx2": "1"}, TypeError, "dx2 must be one real number"),
        ({"n_in": 0}, ValueError, "n_in must be an integer >= 1, got 0"),
        ({"n_out": 1.5}, ValueError, "n_out must be an integer"),
        ({"first_input": float("inf")}, ValueError, "first_input"),
        ({"dtype": torch.int64}, TypeError, "dtype"),
    ],
)
def test_bad_points_are_refused_by_name(settings, kind, message):
    with pytest.raises(kind, match=message):
        two_points(**settings)


def test_weights_have_xaviers_spread_and_biases_are_zero():
    network = urep.FullyConnected(3, 2, hidden_layers=4, units=400, gain=1.3, seed=1)
    linear = [m for m in network.modules() if isinstance(m, torch.nn.Linear)]
    assert [tuple(m.weight.shape) for m in linear] == [(400, 3), *[(400, 400)] * 3, (2, 400)]
    for m in linear[1:-1]:
        fan = sum(m.weight.shape)
        # 160000 draws: the standard error of a standard deviation is 0.2%, five of them 1%.
        assert float(m.weight.detach().std()) == pytest.approx(1.3 * (2 / fan) ** 0.5, rel=0.01)
    assert all(float(m.bias.detach().abs().max()) == 0 for m in linear)


def test_seed_alone_fixes_the_weights_in_both_precisions():
    torch.manual_seed(5)
    one = urep.FullyConnected(units=7, seed=3, dtype=torch.float64)
    torch.manual_seed(6)
    state = torch.random.get_rng_state()
    two = urep.FullyConnected(units=7, seed=3)
    assert torch.equal(torch.random.get_rng_state(), state)  # the global generator is not touched
    for a, b in zip(one.parameters(), two.parameters(), strict=True):
        assert torch.equal(a.float(), b)
    other = urep.FullyConnected(units=7, seed=4, dtype=torch.float64)
    assert not torch.equal(one.net[0].weight, other.net[0].weight)


def test_layers_have_names_that_training_understands():
    network = urep.FullyConnected(hidden_layers=20, units=3, nonlinearity="tanh")
    modules = dict(network.named_modules())
    assert isinstance(modules[network.layer(0)], torch.nn.Tanh)
    assert network.middle == network.layer(10)
    assert urep.FullyConnected(hidden_layers=2, units=3).middle == "net.3"
    with pytest.raises(ValueError, match=r"k must be an integer in \[0, 20\), got 20"):
        network.layer(20)


@pytest.mark.parametrize("name", sorted(urep.networks.NONLINEARITIES))
def test_nonlinearities_are_those_of_the_table(name):
    x = torch.linspace(-2, 2, 9, dtype=torch.float64)
    formula = {
        "leaky_relu": torch.where(x > 0, x, 0.01 * x),
        "relu": x.clamp(min=0),
        "elu": torch.where(x > 0, x, torch.expm1(x)),
        "tanh": (torch.exp(2 * x) - 1) / (torch.exp(2 * x) + 1),
        "swish": x / (1 + torch.exp(-x)),
        "none": x,
    }[name]
    torch.testing.assert_close(urep.networks.NONLINEARITIES[name]()(x), formula)


@pytest.mark.parametrize(
    ("settings", "kind", "message"),
    [
        ({"units": 0}, ValueError, "units must be an integer >= 1, got 0"),
        ({"hidden_layers": 2.0}, ValueError, "hidden_layers must be an integer"),
        ({"nonlinearity": "gelu"}, ValueError, "nonlinearity must be one of .*'tanh'.*, got 'gelu'"),
        ({"gain": 0.0}, ValueError, r"gain must be finite and > 0, got 0\.0"),
        ({"gain": "1"}, TypeError, "gain must be one real number"),
        ({"dropout": 1.0}, ValueError, r"dropout must be a number in \[0, 1\), got 1\.0"),
        ({"skip": 1}, TypeError, "skip must be True or False, got 1"),
    ],
)
def test_bad_architectures_are_refused_by_name(settings, kind, message):
    with pytest.raises(kind, match=message):
        urep.FullyConnected(**settings)


def test_skip_connections_add_the_layer_two_back_after_the_nonlinearity():
    network = urep.FullyConnected(
        hidden_layers=4, units=5, nonlinearity="tanh", skip=True, dtype=torch.float64
    )
    x = torch.tensor([[0.3], [-1.2]], dtype=torch.float64)
    linear = [m for m in network.net if isinstance(m, torch.nn.Linear)]
    seen = {}
    for k in range(4):
        module = dict(network.named_modules())[network.layer(k)]
        module.register_forward_hook(lambda _m, _i, out, k=k: seen.__setitem__(k, out))
    output = network(x)
    h = [torch.tanh(linear[0](x))]
    h.append(torch.tanh(linear[1](h[0])))
    h.append(torch.tanh(linear[2](h[1])) + h[0])
    h.append(torch.tanh(linear[3](h[2])) + h[1])
    for k in range(4):
        torch.testing.assert_close(seen[k], h[k])
    torch.testing.assert_close(output, linear[4](h[3]))


def test_dropout_stands_before_every_dense_layer_and_is_off_in_evaluation():
    network = urep.FullyConnected(hidden_layers=3, units=5, dropout=0.1)
    kinds = [type(m) for m in network.net]
    for index, kind in enumerate(kinds):
        if kind is torch.nn.Linear:
            assert kinds[index - 1] is torch.nn.Dropout and network.net[index - 1].p == 0.1
    assert isinstance(dict(network.named_modules())[network.layer(2)], torch.nn.LeakyReLU)
    plain = urep.FullyConnected(hidden_layers=3, units=5)
    x = torch.ones(2, 1)
    torch.testing.assert_close(network.eval()(x), plain(x))  # the same seed, the same weights


def test_the_convolutional_network_has_the_sizes_of_the_authors_code():
    network = urep.Convolutional(seed=1)
    convolutions = [m for m in network.net if isinstance(m, torch.nn.Conv1d)]
    assert [(m.in_channels, m.out_channels, m.kernel_size, m.padding) for m in convolutions] == [
        (1, 20, (11,), (0,)), *[(20, 20, (11,), (0,))] * 9, (20, 1, (11,), (0,)),
    ]  # fmt: skip
    assert network.net[-1].in_features == 390
    assert network.depth == 12 and network.middle == network.layer(5)
    for m in convolutions[1:-1]:
        # Xavier: gain sqrt(2/(fan_in + fan_out)), fans of 20 channels times 11; 4400 draws, five errors.
        assert float(m.weight.detach().std()) == pytest.approx(0.95 * (2 / 440) ** 0.5, rel=0.06)
    assert network(torch.zeros(2, 1)).shape == (2, 1)
    with pytest.raises(ValueError, match="units must be > 110, which the convolutions take, got 60"):
        urep.Convolutional(units=60)


def test_table_1_is_the_papers():
    rows = urep.experiments.TABLE_1
    assert len(rows) == 15
    assert all(row.epochs == 6000 for row in rows.values())
    for row in rows.values():
        small = dataclasses.replace(row, units=120).network(seed=2)
        middle = 1 if row.name == "Shallow" else 5 if row.hidden_layers == 10 else 10
        assert small.middle == small.layer(middle)
        assert small(torch.zeros(2, 1)).shape == (2, 1)
    assert rows["Skip connections"].network(seed=0).skip

"""Gradient descent and what it records."""

import signal

import numpy as np
import pytest
import torch
from torch import nn

import urep
from urep import training

F64 = torch.float64


def small(seed=0, **settings):
    return urep.FullyConnected(
        hidden_layers=2, units=6, nonlinearity="tanh", seed=seed, dtype=F64, **settings
    )


def data(**settings):
    return urep.tasks.two_points(dtype=F64, **settings)


def test_linear_network_follows_gradient_descent_written_by_hand():
    """One hidden layer, no torch: forward, backward and the step in NumPy."""
    network = urep.FullyConnected(2, 3, hidden_layers=1, units=4, nonlinearity="none", dtype=F64)
    inputs, targets = data(n_in=2, n_out=3)
    x, y = inputs.numpy(), targets.numpy()
    W, b, V, c = (p.detach().numpy().copy() for p in network.parameters())
    rows = []
    for _ in range(50):
        h = x @ W.T + b
        out = h @ V.T + c
        e = out - y
        dh, dy, d = h[1] - h[0], out[1] - out[0], y[1] - y[0]
        rows.append((dh @ dh, dy @ dy, dy @ (dy - d), 0.5 * np.mean((e**2).sum(1))))
        g = e / len(x)
        V_step, c_step, back = g.T @ h, g.sum(0), g @ V
        W -= 0.1 * back.T @ x
        b -= 0.1 * back.sum(0)
        V -= 0.1 * V_step
        c -= 0.1 * c_step
    run = urep.train(network, (inputs, targets), lr=0.1, epochs=50, layer=network.middle)
    seen = np.array([*run.trajectory, run.loss]).T
    np.testing.assert_allclose(seen, rows, rtol=1e-12, atol=1e-15)
    np.testing.assert_array_equal(run.t, np.arange(50))
    assert run.stopped == "epochs"
    assert run.task.dx2 == pytest.approx(1.0)


def test_it_is_torchs_own_sgd():
    ours, theirs = small(), small()
    inputs, targets = data()
    optimizer = torch.optim.SGD(theirs.parameters(), lr=0.05)
    for _ in range(40):
        optimizer.zero_grad()
        (0.5 * (theirs(inputs) - targets).square().sum(1).mean()).backward()
        optimizer.step()
    urep.train(ours, (inputs, targets), lr=0.05, epochs=40, layer=ours.middle)
    for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-12, atol=1e-14)


class Readers(nn.Module):
    """A module of a reader's own: a convolution, a skip connection, dropout."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.embed = nn.Linear(3, 8)
        self.conv = nn.Conv1d(1, 2, 3, padding=1)
        self.drop = nn.Dropout(0.5)
        self.read = nn.Linear(16, 2)

    def forward(self, x):
        h = torch.tanh(self.embed(x))
        h = h.repeat(1, 2) + self.conv(h[:, None]).flatten(1)
        return self.read(self.drop(h))


def test_any_module_and_several_layers_with_dropout_off_where_the_pair_is_recorded():
    network = Readers()
    points = urep.tasks.two_points(n_in=3, n_out=2)
    network.eval()
    seen = {}
    hooks = [
        m.register_forward_hook(lambda _m, _i, o, k=k: seen.__setitem__(k, o.detach()))
        for k, m in (("embed", network.embed), ("conv", network.conv))
    ]
    network(points[0])
    for hook in hooks:
        hook.remove()
    network.train()
    run = urep.train(network, points, lr=0.01, epochs=5, layer=["embed", "conv"])
    assert set(run.trajectory) == {"embed", "conv"}
    for name, hidden in seen.items():
        distance = (hidden[1] - hidden[0]).double().square().sum()
        assert run.trajectory[name].dh2[0] == pytest.approx(float(distance), rel=1e-6)
    assert network.training
    assert not network.embed._forward_hooks


def test_dropout_is_seeded_and_the_global_generator_left_alone():
    points = urep.tasks.two_points(n_in=3, n_out=2)
    torch.manual_seed(11)
    before = torch.random.get_rng_state()
    runs = []
    for seed in (1, 1, 2):
        network = Readers()
        torch.random.set_rng_state(before)
        runs.append(urep.train(network, points, lr=0.05, epochs=20, layer="conv", seed=seed).trajectory.dh2)
        assert torch.equal(torch.random.get_rng_state(), before)
    np.testing.assert_array_equal(runs[0], runs[1])
    assert not np.array_equal(runs[0], runs[2])


def test_a_pair_inside_a_larger_dataset():
    random = torch.Generator().manual_seed(0)
    inputs, targets = (torch.randn(10, 3, generator=random, dtype=F64) for _ in range(2))
    network = urep.FullyConnected(3, 3, hidden_layers=1, units=5, dtype=F64)
    run = urep.train(network, (inputs, targets), lr=0.1, epochs=3, layer="net.1", pair=(2, 7))
    assert run.task.dx2 == pytest.approx(float((inputs[7] - inputs[2]).square().sum()))
    assert run.task.dy2_target == pytest.approx(float((targets[7] - targets[2]).square().sum()))


def test_stops_at_a_loss_and_keeps_the_row_that_reached_it():
    network = small()
    run = urep.train(network, data(), lr=0.2, epochs=5000, layer=network.middle, stop_at_loss=1e-3)
    assert run.stopped == "loss"
    assert run.loss[-1] <= 1e-3 < run.loss[-2]
    assert len(run) == len(run.t) == len(run.trajectory) < 5000


def test_divergence_names_epoch_and_learning_rate_and_keeps_the_record():
    network = urep.FullyConnected(hidden_layers=3, units=20, nonlinearity="none", gain=2.0)
    with pytest.raises(urep.TrainingDiverged, match=r"diverged at epoch \d+ .* lr = 50\b") as caught:
        urep.train(network, urep.tasks.two_points(), lr=50.0, epochs=100, layer=network.middle)
    run = caught.value.run
    assert run.stopped == "diverged"
    assert f"epoch {len(run)}" in str(caught.value)
    assert np.isfinite(run.loss).all()


@pytest.fixture
def ctrl_c_works():
    """Python's own handler: a shell starts background commands, a CI's among them, with SIGINT ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("ctrl_c_works")
def test_ctrl_c_returns_control_with_what_was_recorded(monkeypatch):
    monkeypatch.setattr(training.loop, "WORTH_COMPILING", np.inf)  # whose own test is in test_fused
    network, calls = small(), []

    def interrupt(*_):
        calls.append(1)
        if len(calls) == 50:
            signal.raise_signal(signal.SIGINT)

    network.register_forward_hook(interrupt)
    with pytest.raises(KeyboardInterrupt, match=r"interrupted at epoch \d+ of 10000000") as caught:
        urep.train(network, data(), lr=1e-3, epochs=10_000_000, layer=network.middle)
    run = caught.value.run
    assert isinstance(caught.value, urep.TrainingInterrupted)
    assert len(run) > 10
    assert len(run.trajectory) == len(run.loss) == len(run)
    assert not dict(network.named_modules())[network.middle]._forward_hooks


def test_a_bar_where_interactive_and_none_elsewhere(capsys):
    network = small()
    urep.train(network, data(), lr=0.1, epochs=3, layer=network.middle)
    assert capsys.readouterr().err == ""
    urep.train(network, data(), lr=0.1, epochs=3, layer=network.middle, progress=True)
    assert "epoch" in capsys.readouterr().err


def test_a_bar_in_a_notebook_that_a_person_runs_only(monkeypatch):
    class Shell:
        class kernel:
            _allow_stdin = True

    monkeypatch.setattr("IPython.get_ipython", lambda: Shell)
    assert urep.training.loop._interactive()
    Shell.kernel._allow_stdin = False
    assert not urep.training.loop._interactive()


class Tuple(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(1, 1)

    def forward(self, x):
        return self.lstm(x)[0]


def train(**changes):
    arguments = {"network": small(), "data": data(), "lr": 0.1, "epochs": 3, "layer": "net.1"}
    return urep.train(**arguments | changes)


@pytest.mark.parametrize(
    ("changes", "kind", "message"),
    [
        ({"layer": "net.9"}, ValueError, r"layer must be one of net, net\.0, .*; got 'net\.9'"),
        ({"layer": []}, ValueError, "layer must name at least one"),
        ({"layer": 3}, TypeError, "layer must be the name"),
        (
            {"network": Tuple().double(), "layer": "lstm"},
            TypeError,
            "layer 'lstm' must return a tensor, got tuple",
        ),
        ({"network": lambda x: x}, TypeError, "network must be a torch.nn.Module"),
        ({"network": nn.Sequential(nn.Identity()), "layer": "0"}, ValueError, "network must have parameters"),
        ({"data": data(n_out=2)}, ValueError, r"shape of targets, \(2, 2\), got \(2, 1\)"),
        ({"data": data(n_in=2)}, ValueError, r"network must accept inputs of shape \(2, 2\)"),
        ({"data": urep.tasks.two_points()}, ValueError, "dtype torch.float32"),
        ({"data": 5}, TypeError, "data must be a pair"),
        ({"data": (np.ones((2, 1)), np.ones((2, 1)))}, TypeError, "inputs must be a torch.Tensor"),
        ({"data": (torch.ones(2), torch.ones(2))}, ValueError, "inputs must have one row a point"),
        ({"data": (torch.ones(2, 1), torch.ones(3, 1))}, ValueError, "equal length, got 2 and 3"),
        ({"data": (torch.ones(2, 1), torch.ones(2, 1))}, ValueError, r"two different points.*dx2 = 0\.0"),
        ({"data": (torch.ones(2, 1) * float("nan"), torch.ones(2, 1))}, ValueError, "inputs must be finite"),
        ({"pair": (0, 0)}, ValueError, "pair must be two different rows"),
        ({"pair": (0, 2)}, ValueError, r"pair must be two different rows in \[0, 2\), got \(0, 2\)"),
        ({"pair": 1}, TypeError, "pair must be two row numbers"),
        ({"lr": 0.0}, ValueError, r"lr must be finite and > 0, got 0\.0"),
        ({"lr": "fast"}, TypeError, "lr must be one real number, got 'fast'"),
        ({"epochs": 0}, ValueError, "epochs must be an integer >= 1, got 0"),
        ({"epochs": 2.5}, ValueError, "epochs must be an integer"),
        ({"stop_at_loss": -1.0}, ValueError, "stop_at_loss must be finite and > 0"),
    ],
)
def test_bad_input_is_refused_by_name(changes, kind, message):
    with pytest.raises(kind, match=message):
        train(**changes)


def test_small_networks_are_trained_on_one_thread_and_the_setting_is_put_back():
    threads = []
    network = small()
    network.net[0].register_forward_hook(lambda *_: threads.append(torch.get_num_threads()))
    before = torch.get_num_threads()
    urep.train(network, urep.tasks.two_points(dtype=F64), lr=0.01, epochs=2, layer=network.middle)
    assert set(threads) == {1}
    assert torch.get_num_threads() == before


# --- many at once ---------------------------------------------------------------------------


def ensemble(size=4, **changes):
    settings = {"hidden_layers": 3, "units": 7, "nonlinearity": "tanh", "dtype": torch.float64} | changes
    return [urep.FullyConnected(seed=seed, **settings) for seed in range(size)]


@pytest.mark.parametrize("kind", ["layered", "mapped: one bias held", "mapped: skip connections"])
def test_many_networks_trained_together_are_each_trained_alone(kind):
    data = urep.tasks.two_points(dtype=torch.float64)
    settings = {"skip": True, "hidden_layers": 3} if "skip" in kind else {}
    together, alone = ensemble(**settings), ensemble(**settings)
    for network in (*together, *alone):
        network.net[0].bias.requires_grad_("bias" not in kind)
    trained = {key: None for key, p in together[0].named_parameters() if p.requires_grad}
    assert training.ensemble._is_layered(together[0], trained) == (kind == "layered")
    run = urep.train_many(together, data, lr=0.05, epochs=60, layer=together[0].middle, every=10)
    assert run.trajectory.dh2.shape == run.loss.shape == (4, 6)
    for index, network in enumerate(alone):
        one = urep.train(network, data, lr=0.05, epochs=60, layer=network.middle)
        np.testing.assert_array_equal(run.t, one.t[::10])
        # Of a loss that began at one, which sums of another order leave another last digit.
        np.testing.assert_allclose(run.loss[index], one.loss[::10], rtol=1e-12, atol=1e-16)
        for a, b in zip(run.trajectory[index], one.trajectory[::10], strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-11, atol=1e-15)
        for a, b in zip(together[index].parameters(), network.parameters(), strict=True):
            torch.testing.assert_close(a, b, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize(
    ("networks", "changes", "message"),
    [
        (list, {}, "networks must hold at least one"),
        (lambda: [*ensemble(1), *ensemble(1, units=8)], {}, "networks must be of one architecture"),
        (ensemble, {"every": 0}, "every must be an integer >= 1, got 0"),
        (ensemble, {"epochs": 1.5}, r"epochs must be an integer >= 1, got 1\.5"),
        (ensemble, {"layer": "net.99"}, "layer must be"),
    ],
)
def test_a_bad_ensemble_is_refused_by_name(networks, changes, message):
    arguments = {"lr": 0.01, "epochs": 2, "layer": "net.1"} | changes
    with pytest.raises(ValueError, match=message):
        urep.train_many(networks(), urep.tasks.two_points(dtype=torch.float64), **arguments)


def test_dropout_is_refused_in_an_ensemble_and_divergence_names_its_network():
    data = urep.tasks.two_points(dtype=torch.float64)
    random = [nn.Sequential(nn.Linear(1, 3), nn.Dropout(0.5), nn.Linear(3, 1)).double() for _ in range(2)]
    with pytest.raises(ValueError, match="must not be random in a step"):
        urep.train_many(random, data, lr=0.01, epochs=2, layer="0")
    networks = ensemble(3, nonlinearity="none")
    with torch.no_grad():
        networks[1].net[0].weight.mul_(1e3)
    with pytest.raises(urep.TrainingDiverged, match="training of network 1 diverged"):
        urep.train_many(networks, data, lr=0.5, epochs=50, layer="net.1")


def test_hidden_gives_what_layers_hold_without_dropout_and_leaves_the_network_as_it_was():
    network = urep.FullyConnected(hidden_layers=3, units=7, dropout=0.5, seed=1)
    inputs = urep.tasks.two_points()[0]
    seen = training.hidden(network, inputs, [network.layer(0), network.layer(2)])
    x = inputs
    for index in (1, 4, 7):  # behind each dropout
        x = torch.nn.functional.leaky_relu(x @ network.net[index].weight.T + network.net[index].bias, 0.01)
        if index == 1:
            torch.testing.assert_close(seen[network.layer(0)], x.detach())
    torch.testing.assert_close(seen[network.layer(2)], x.detach())
    assert network.training
    with pytest.raises(ValueError, match="layer must be one of"):
        training.hidden(network, inputs, ["nowhere"])


def test_batches_take_each_point_once_an_epoch_and_the_seed_fixes_their_order():
    """Steps by hand, on the batches that torch's generator gives for the seed."""
    inputs, targets = torch.randn(7, 2, dtype=F64), torch.randn(7, 1, dtype=F64)
    ours, theirs = (urep.FullyConnected(2, 1, hidden_layers=1, units=5, dtype=F64) for _ in range(2))
    run = urep.train(ours, (inputs, targets), lr=0.1, epochs=3, layer="net.1", batch=3, seed=5, pair=(6, 2))
    torch.manual_seed(5)
    losses, optimizer = [], torch.optim.SGD(theirs.parameters(), lr=0.1)
    for _ in range(3):
        order = torch.randperm(7)
        for rows in (order[:3], order[3:6], order[6:]):
            optimizer.zero_grad()
            loss = 0.5 * (theirs(inputs[rows]) - targets[rows]).square().sum(1).mean()
            losses.append(loss.item())
            loss.backward()
            optimizer.step()
    np.testing.assert_allclose(run.loss, losses, rtol=1e-12)
    np.testing.assert_allclose(run.t, np.arange(9) / 3)
    for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-12, atol=1e-14)
    start = urep.FullyConnected(2, 1, hidden_layers=1, units=5, dtype=F64)
    h = training.hidden(start, inputs, ["net.1"])["net.1"]
    assert run.trajectory.dh2[0] == pytest.approx(float((h[6] - h[2]).square().sum()))


def test_every_third_step_is_recorded_and_all_are_taken():
    whole = urep.train(small(), data(), lr=0.05, epochs=40, layer="net.1")
    some = urep.train(small(), data(), lr=0.05, epochs=40, layer="net.1", every=3)
    np.testing.assert_array_equal(some.t, np.arange(0, 40, 3))
    np.testing.assert_allclose(some.trajectory.dh2, whole.trajectory.dh2[::3], rtol=1e-12)


@pytest.mark.parametrize("optimizer", [torch.optim.Adam, torch.optim.RMSprop])
def test_other_optimizers_are_torchs_own(optimizer):
    ours, theirs = small(), small()
    inputs, targets = data()
    run = urep.train(ours, (inputs, targets), lr=0.01, epochs=20, layer="net.1", optimizer=optimizer)
    steps = optimizer(theirs.parameters(), lr=0.01)
    for _ in range(20):
        steps.zero_grad()
        (0.5 * (theirs(inputs) - targets).square().sum(1).mean()).backward()
        steps.step()
    for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-12, atol=1e-14)
    plain = urep.train(small(), (inputs, targets), lr=0.01, epochs=20, layer="net.1")
    assert np.abs(run.loss - plain.loss).max() > 1e-3  # or it was gradient descent all along


def test_dropout_and_batches_together_record_the_network_at_rest():
    network = urep.FullyConnected(2, 1, hidden_layers=2, units=8, dropout=0.5, dtype=F64)
    inputs, targets = torch.randn(6, 2, dtype=F64), torch.randn(6, 1, dtype=F64)
    network.eval()
    at_rest = network(inputs).detach()
    network.train()
    run = urep.train(network, (inputs, targets), lr=1e-9, epochs=1, layer=network.middle, batch=6)
    assert run.loss[0] == pytest.approx(float(0.5 * (at_rest - targets).square().sum(1).mean()))
    assert run.trajectory.dy2[0] == pytest.approx(float((at_rest[1] - at_rest[0]).square().sum()))


@pytest.mark.parametrize(
    ("changes", "kind", "message"),
    [
        ({"batch": 0}, ValueError, "batch must be an integer >= 1, got 0"),
        ({"batch": 3}, ValueError, "batch must be at most the number of points, 2, got 3"),
        ({"every": 0}, ValueError, "every must be an integer >= 1, got 0"),
        ({"optimizer": "adam"}, TypeError, "optimizer must be a class of torch.optim"),
        ({"optimizer": lambda p, lr: None}, TypeError, "must make a torch.optim.Optimizer, got NoneType"),
    ],
)
def test_bad_ways_down_are_refused_by_name(changes, kind, message):
    with pytest.raises(kind, match=message):
        urep.train(small(), data(), lr=0.1, epochs=2, layer="net.1", **changes)


def test_networks_of_one_shape_and_other_activations_are_no_ensemble():
    networks = [*ensemble(1), *ensemble(1, nonlinearity="elu")]
    with pytest.raises(ValueError, match="networks must be of one architecture, got modules"):
        urep.train_many(networks, data(), lr=0.01, epochs=2, layer="net.1")


@pytest.mark.parametrize("module", [nn.Softmax(dim=1), nn.Hardtanh(-0.1, 0.1)])
def test_an_ensemble_with_an_exchanged_module_is_trained_as_it_is(module):
    together, alone = ensemble(3), ensemble(3)
    for network in (*together, *alone):
        network.net[3] = module
    run = urep.train_many(together, data(), lr=0.05, epochs=20, layer="net.5")
    for index, network in enumerate(alone):
        one = urep.train(network, data(), lr=0.05, epochs=20, layer="net.5")
        np.testing.assert_allclose(run.loss[index], one.loss, rtol=1e-11)


class FunctionalDropout(nn.Module):
    """Dropout that no module shows."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.first, self.last = nn.Linear(1, 30, dtype=F64), nn.Linear(30, 1, dtype=F64)

    def forward(self, x):
        return self.last(nn.functional.dropout(torch.tanh(self.first(x)), 0.5, training=self.training))


def test_functional_dropout_is_off_where_the_pair_is_recorded():
    network = FunctionalDropout()
    outputs = FunctionalDropout().eval()(data()[0]).detach()
    run = urep.train(network, data(), lr=1e-9, epochs=3, layer="first")
    assert run.trajectory.dy2 == pytest.approx(float((outputs[1] - outputs[0]).square().sum()), rel=1e-6)


def test_each_module_keeps_the_mode_that_it_was_in():
    network = nn.Sequential(nn.Linear(1, 4), nn.Dropout(0.5), nn.Linear(4, 1)).double()
    network[1].eval()
    urep.train(network, data(), lr=0.1, epochs=2, layer="0", optimizer=torch.optim.SGD)
    assert [module.training for module in network.modules()] == [True, True, False, True]


@pytest.mark.parametrize("pair", [(0, 1), (1, 0)])
@pytest.mark.parametrize("threshold", [0, np.inf])
def test_dh_of_the_first_and_last_row_is_kept(pair, threshold, monkeypatch):
    monkeypatch.setattr(training.loop, "WORTH_COMPILING", threshold)
    network, last = small(), small()
    run = urep.train(network, data(), lr=0.1, epochs=40, layer=["net.1", "net.3"], pair=pair)
    urep.train(last, data(), lr=0.1, epochs=39, layer="net.1")
    for index, start in ((0, small()), (1, last)):
        h = training.hidden(start, data()[0], ["net.1", "net.3"])
        for name in h:
            expected = (h[name][pair[1]] - h[name][pair[0]]).numpy()
            np.testing.assert_allclose(run.dh_ends[name][index], expected, rtol=1e-9, atol=1e-12)
    a, b = run.dh_ends["net.1"]
    assert np.cos(np.radians(run.rotation["net.1"])) == pytest.approx(
        a @ b / np.linalg.norm(a) / np.linalg.norm(b)
    )


def test_a_layer_that_the_network_never_calls_is_refused():
    network = small()
    network.spare = nn.Linear(2, 2, dtype=F64)
    with pytest.raises(ValueError, match="layer must name submodules that the network calls, got 'spare'"):
        urep.train(network, data(), lr=0.1, epochs=2, layer="spare")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")
def test_data_follow_the_network_to_its_device():
    here, there = small(), small().cuda()
    settings = {"lr": 0.1, "epochs": 20, "layer": "net.1"}
    one, other = (urep.train(network, data(), **settings) for network in (here, there))
    np.testing.assert_allclose(other.loss, one.loss, rtol=1e-9)
    np.testing.assert_allclose(other.trajectory.dh2, one.trajectory.dh2, rtol=1e-9)

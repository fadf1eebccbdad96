"""The kernel for wide networks does what the ordinary loop does: the same gradient descent."""

import copy
import dataclasses
import signal
from contextlib import nullcontext
from functools import partial
from random import Random

import numpy as np
import pytest
import torch
from torch import nn

import urep
from urep import training


@pytest.fixture
def always(monkeypatch):
    """The kernel for networks of any size, which are quicker to test."""
    monkeypatch.setattr(training.loop, "WORTH_COMPILING", 0)


def never(monkeypatch):
    """The ordinary loop."""
    monkeypatch.setattr(training.loop, "WORTH_COMPILING", np.inf)


def both(monkeypatch, build, data, *, layers, **settings):
    """Run and network of the kernel, and of the ordinary loop from the same start."""
    results = []
    for ordinary in (False, True):
        with monkeypatch.context() as patch:
            if ordinary:
                never(patch)
            network = build()
            names = [network.layer(k) for k in layers]
            results.append((urep.train(network, data, layer=names, **settings), network))
    return results


@pytest.mark.usefixtures("always")
@pytest.mark.parametrize("skip", [False, True])
@pytest.mark.parametrize("nonlinearity", sorted(urep.networks.NONLINEARITIES))
def test_in_float64_every_number_is_that_of_the_ordinary_loop(nonlinearity, skip, monkeypatch):
    data = urep.tasks.two_points(n_in=3, n_out=2, dtype=torch.float64)

    def build():
        return urep.FullyConnected(
            3, 2, hidden_layers=4, units=37, nonlinearity=nonlinearity, skip=skip, gain=0.8,
            seed=2, dtype=torch.float64,
        )  # fmt: skip

    (fast, one), (plain, other) = both(monkeypatch, build, data, layers=(3, 0, 2), lr=0.02, epochs=150)
    np.testing.assert_array_equal(fast.t, plain.t)
    np.testing.assert_allclose(fast.loss, plain.loss, rtol=1e-10)
    for name in plain.trajectory:
        for a, b in zip(fast.trajectory[name], plain.trajectory[name], strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-13)
    for a, b in zip(one.parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-9, atol=1e-12)


@pytest.mark.usefixtures("always")
def test_dropout_is_drawn_as_the_ordinary_loop_draws_it(monkeypatch):
    data = urep.tasks.two_points(n_in=3, n_out=2, dtype=torch.float64)

    def build():
        return urep.FullyConnected(3, 2, hidden_layers=4, units=37, dropout=0.2, dtype=torch.float64)

    (fast, _), (plain, _) = both(monkeypatch, build, data, layers=(3, 0), lr=0.02, epochs=100, seed=5)
    np.testing.assert_allclose(fast.loss, plain.loss, rtol=1e-10)
    other = urep.train(build(), data, lr=0.02, epochs=100, layer="net.2", seed=6)
    assert np.max(np.abs(other.loss - fast.loss)) > 1e-3


def distance(run, exact):
    """Largest difference of ‖dh‖² from another run's, relative to its largest value."""
    return np.max(np.abs(run.trajectory.dh2 - exact.trajectory.dh2)) / np.max(exact.trajectory.dh2)


@pytest.mark.usefixtures("always")
@pytest.mark.parametrize("name", ["Linear", "Tanh", "Swish", "ELU", "Shallow", "Skip connections"])
def test_in_float32_it_rounds_no_worse_than_the_ordinary_loop(name, monkeypatch):
    """A step whose two parts are rounded one after the other is twenty times worse, and ends here.

    Rows whose networks are smooth or short: through twenty layers of ReLU float32 is chaotic, and
    two ways of rounding differ by what seeds differ by.
    """
    row = dataclasses.replace(urep.experiments.TABLE_1[name], units=100)

    def run(dtype, seed, ordinary):
        with monkeypatch.context() as patch:
            if ordinary:
                never(patch)
            network = row.network(seed=seed, dtype=dtype)
            data = urep.tasks.two_points(dtype=dtype)
            return urep.train(network, data, lr=row.lr, epochs=500, layer=network.middle)

    ratios = []
    for seed in range(3):
        exact = run(torch.float64, seed, ordinary=True)
        fast, plain = (run(torch.float32, seed, ordinary=o) for o in (False, True))
        ratios.append(distance(fast, exact) / distance(plain, exact))
    assert np.median(ratios) < 2, ratios


@pytest.fixture
def wide():
    return urep.FullyConnected(hidden_layers=3, units=20, nonlinearity="tanh", seed=1)


@pytest.mark.usefixtures("always")
def test_it_stops_at_a_loss_and_the_weights_are_the_networks(monkeypatch):
    data = urep.tasks.two_points()
    (fast, one), (plain, _) = both(
        monkeypatch, lambda: urep.FullyConnected(hidden_layers=3, units=20, nonlinearity="tanh", seed=1),
        data, layers=(1,), lr=0.1, epochs=1000, stop_at_loss=0.01,
    )  # fmt: skip
    assert fast.stopped == plain.stopped == "loss"
    assert len(fast) == len(plain) < 1000
    again = urep.train(one, data, lr=0.1, epochs=1, layer=one.middle)
    assert again.loss[0] == pytest.approx(fast.loss[-1], rel=1e-5)


@pytest.mark.usefixtures("always")
def test_divergence_is_found_where_the_ordinary_loop_finds_it(monkeypatch):
    epochs = []
    for ordinary in (False, True):
        with monkeypatch.context() as patch:
            if ordinary:
                never(patch)
            network = urep.FullyConnected(hidden_layers=3, units=20, nonlinearity="none", seed=1, gain=2.0)
            with pytest.raises(urep.TrainingDiverged, match="diverged at epoch") as caught:
                urep.train(network, urep.tasks.two_points(), lr=5.0, epochs=100, layer=network.middle)
            assert np.isfinite(caught.value.run.loss).all()
            epochs.append(len(caught.value.run))
    assert abs(epochs[0] - epochs[1]) <= 1  # a loss overflows in float32 before it does in float64


@pytest.mark.usefixtures("always")
def test_ctrl_c_keeps_what_was_recorded_and_the_weights(wide, monkeypatch):
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    first = wide.net[0].weight.detach().clone()
    urep.train(wide, urep.tasks.two_points(), lr=1e-3, epochs=2, layer=wide.middle)  # compiled
    steps, asked = training.fused.Fused.steps, []

    def interrupted(self, count, stop):
        if sum(asked) > 1000:
            signal.raise_signal(signal.SIGINT)
        asked.append(count)
        return steps(self, count, stop)

    monkeypatch.setattr(training.fused.Fused, "steps", interrupted)
    try:
        with pytest.raises(urep.TrainingInterrupted) as caught:
            urep.train(wide, urep.tasks.two_points(), lr=1e-3, epochs=10_000_000, layer=wide.middle)
    finally:
        signal.signal(signal.SIGINT, before)
    assert len(caught.value.run) > 100
    assert not torch.equal(wide.net[0].weight, first)


def chosen(network, layer, epochs=6000, data=None):
    """Whether the kernel trains a network."""
    plan = training.loop._checked_plan(2, 0.005, epochs, None, None, 1, None)
    data = urep.tasks.two_points() if data is None else data
    return training.loop._kernel_for(network, data, (layer,), plan) is not None


@pytest.mark.parametrize("name", sorted(set(urep.experiments.TABLE_1) - {"Convolution"}))
def test_every_fully_connected_row_of_the_paper_is_trained_by_the_kernel(name):
    row = urep.experiments.TABLE_1[name]
    for seed in range(2):
        network = row.network(seed=seed)
        plan = training.loop._checked_plan(2, row.lr, row.epochs, None, None, 1, None)
        assert training.loop._kernel_for(network, urep.tasks.two_points(), (network.middle,), plan)


def test_it_is_not_chosen_for_short_training_other_data_or_other_layers():
    data = urep.tasks.two_points()
    network = urep.FullyConnected()
    assert chosen(network, "net.1")
    assert not chosen(network, "net.1", epochs=3)
    assert not chosen(urep.FullyConnected(units=50), "net.1", epochs=3)
    assert not chosen(urep.experiments.TABLE_1["Convolution"].network(), "net.1")
    assert not chosen(network, "net.1", data=tuple(torch.cat([z, z]) for z in data))
    assert not chosen(network, "net.1", data=tuple(z.double() for z in data))
    network.net[4].register_forward_hook(lambda *_: None)
    assert not chosen(network, "net.1")


class Functional(nn.Module):
    """A reader's own: functions for activations, widths that differ, a skip connection, no biases."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(4)
        self.first = nn.Linear(3, 12, bias=False)
        self.block = nn.Sequential(nn.Linear(12, 7), nn.Sigmoid(), nn.Linear(7, 12, bias=False), nn.GELU())
        self.drop = nn.Dropout(0.3)
        self.last = nn.Linear(12, 2)

    def forward(self, x):
        x = nn.functional.leaky_relu(self.first(x), 0.2)
        x = torch.tanh(self.drop(self.block(x)) + x).relu()
        return nn.functional.elu(self.last(nn.functional.silu(x)), alpha=0.7)


def sequential():
    """A reader's own: nn.Sequential with biases that are not zero."""
    torch.manual_seed(5)
    return nn.Sequential(
        nn.Linear(3, 11), nn.LeakyReLU(0.3), nn.Linear(11, 5), nn.ELU(2.0), nn.Dropout(0.1),
        nn.Linear(5, 8), nn.Identity(), nn.Linear(8, 2),
    )  # fmt: skip


@pytest.mark.usefixtures("always")
@pytest.mark.parametrize("build", [Functional, sequential])
def test_a_readers_own_stack_of_layers_is_trained_by_the_kernel(build):
    data = urep.tasks.two_points(n_in=3, n_out=2, dtype=torch.float64)
    for layer in [name for name, _ in build().named_modules() if name]:
        assert chosen(build().double(), layer, data=data)
        assert_trained_as_by_hand(lambda: build().double(), layer)


PASSES = {"n": 0}
WEIGHTS = {}


class Secretive(nn.Module):
    """A network whose graph does not show what it does, in the way that it is told."""

    passes = 0

    def __init__(self, way):
        super().__init__()
        torch.manual_seed(6)
        self.way, self.calls, self.log = way, 0, []
        self.first, self.last = nn.Linear(3, 9), nn.Linear(9, 2)

    def forward(self, x):
        if self.way == "counts":
            self.calls += 1
        if self.way == "counts in its class":
            Secretive.passes += 1
        if self.way == "counts in a global":
            PASSES["n"] += 1
        if self.way == "keeps a list":
            self.log.append(self.calls)
        if self.way == "draws" and torch.rand(()) < 0.5:
            return self.last(torch.tanh(self.first(x)))
        with torch.no_grad() if self.way == "stops the gradient" else nullcontext():
            h = self.first(x)
        with torch.autocast("cpu", torch.bfloat16) if self.way == "autocasts" else nullcontext():
            return self.last(torch.relu(h))


class Open(Secretive):
    """The same without a secret: a graph of known steps."""

    def forward(self, x):
        return self.last(torch.relu(self.first(x)))


@pytest.mark.usefixtures("always")
@pytest.mark.parametrize(
    "way",
    [
        "counts", "counts in its class", "counts in a global", "keeps a list", "draws", "stops the gradient",
        "autocasts",
    ],
)  # fmt: skip
def test_a_network_that_a_graph_does_not_show_is_left_to_the_ordinary_loop(way):
    data = urep.tasks.two_points(n_in=3, n_out=2)
    assert chosen(Open(way), "first", data=data)
    assert not chosen(Secretive(way), "first", data=data)


class Peeping(Open):
    """It looks at its weights past torch, which nothing but its outputs can show."""

    def forward(self, x):
        moved = np.abs(WEIGHTS["now"] - WEIGHTS["then"]).max() > 1e-3
        outputs = super().forward(x)
        return torch.tanh(outputs) if moved else outputs


@pytest.mark.usefixtures("always")
def test_a_kernel_that_has_trained_another_network_says_so():
    network, data = Peeping("peeps"), urep.tasks.two_points(n_in=3, n_out=2)
    now = network.last.weight.detach().numpy()
    WEIGHTS.update(now=now, then=now.copy())
    with pytest.raises(RuntimeError, match=r"kernel.*graph does not show.*optimizer=torch\.optim\.SGD"):
        urep.train(network, data, lr=0.01, epochs=40, layer="first")
    WEIGHTS.update(then=now.copy())
    urep.train(network, data, lr=0.01, epochs=40, layer="first", optimizer=torch.optim.SGD)


class Moody(Open):
    """It leaves out its activation in eval mode."""

    def forward(self, x):
        h = self.first(x)
        return self.last(torch.relu(h) if self.training else h)


def test_a_network_that_asks_for_its_mode_is_trained_in_it(monkeypatch):
    losses = []
    for worth in (0, np.inf):
        monkeypatch.setattr(training.loop, "WORTH_COMPILING", worth)
        data = urep.tasks.two_points(n_in=3, n_out=2, dtype=torch.float64)
        run = urep.train(Moody("asks").double(), data, lr=0.01, epochs=40, layer="first")
        losses.append(run.loss)
    np.testing.assert_allclose(*losses, rtol=1e-9)


@pytest.mark.usefixtures("always")
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_outputs_that_are_all_rounding_are_no_other_network(dtype):
    """Points and targets for which the outputs vanish, and with them all digits of a relative difference."""
    inputs = torch.tensor([[1.0, 0, 0], [-1.0, 0, 0]], dtype=dtype)
    network = urep.FullyConnected(3, 2, hidden_layers=3, units=30, nonlinearity="tanh", dtype=dtype)
    run = urep.train(
        network, (inputs, torch.zeros(2, 2, dtype=dtype)), lr=0.1, epochs=4000, layer=network.middle
    )
    assert run.loss[-1] < 1e-8 * run.loss[0]


@pytest.mark.usefixtures("always")
def test_a_kernel_that_differs_on_the_first_steps_is_not_trusted(monkeypatch):
    """As if the kernel knew another slope than the network has; the network is left untouched."""
    network = urep.FullyConnected(hidden_layers=3, units=9, dtype=torch.float64)
    before = copy.deepcopy(network.state_dict())
    data = urep.tasks.two_points(dtype=torch.float64)
    assert chosen(network, "net.1", data=data)
    monkeypatch.setattr("urep.training.graph.known_activation", lambda _: (2, 0.0100001))
    assert not chosen(network, "net.1", data=data)
    for name, value in network.state_dict().items():
        assert torch.equal(value, before[name])


@pytest.mark.usefixtures("always")
def test_rows_frozen_shared_or_of_several_dtypes():
    """What the white list says of parameters: held ones are the kernel's, shared ones are not."""
    network = urep.FullyConnected(hidden_layers=3, units=9)
    network.net[2].weight.requires_grad_(False)
    assert chosen(network, "net.1")
    network.net[4].weight = network.net[2].weight
    assert not chosen(network, "net.1")
    mixed = urep.FullyConnected(hidden_layers=3, units=9)
    mixed.spare = nn.Linear(2, 2, dtype=torch.float64)
    assert not chosen(mixed, "net.1")


# --- networks that a reader has changed ------------------------------------------------------


def by_hand(network, data, *, lr, epochs, layer, seed):
    """Losses and ‖dh‖² of torch's own SGD, which trains the network."""
    inputs, targets = data
    seen, losses, distances = {}, [], []
    modules = dict(network.named_modules())
    handle = modules[layer].register_forward_hook(lambda _m, _i, output: seen.update(h=output.detach()))
    steps = torch.optim.SGD([p for p in network.parameters() if p.requires_grad], lr=lr)
    loss_of = lambda outputs: 0.5 * (outputs - targets).square().sum(1).mean()
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        for _ in range(epochs):
            flags = {module: module.training for module in network.modules()}
            network.eval()
            with torch.no_grad():
                losses.append(float(loss_of(network(inputs))))
            distances.append(float((seen["h"][1] - seen["h"][0]).square().sum()))
            for module, flag in flags.items():
                module.training = flag
            steps.zero_grad()
            loss_of(network(inputs)).backward()
            steps.step()
    handle.remove()
    return np.array(losses), np.array(distances)


class Doubled(nn.Linear):
    """A subclass of a known layer, with a forward pass of its own."""

    def forward(self, x):
        return 2 * super().forward(x)


class Wavy(urep.FullyConnected):
    """A subclass of the shipped architecture, with a forward pass of its own."""

    def forward(self, x):
        return super().forward(torch.sin(3 * x))


class Halved(nn.Module):
    """A parametrization."""

    def forward(self, weight):
        return weight / 2


def dense(network):
    """Names of the layers between two hidden layers, which are of one shape."""
    return [name for name, m in network.named_modules() if type(m) is nn.Linear][1:-1]


def exchanged(make):
    def change(network, random):
        name = random.choice([n for n, m in network.net.named_children() if isinstance(m, KNOWN)])
        setattr(network.net, name, make(random))

    return change


def some_layer(network, random):
    return network.get_submodule(random.choice(dense(network)))


def slopes_changed(network, random):
    for module in network.modules():
        if isinstance(module, nn.LeakyReLU):
            module.negative_slope = random.uniform(0, 0.9)
        if isinstance(module, nn.ELU):
            module.alpha = random.uniform(0.2, 2)


def tied(network, random):
    one, other = (network.get_submodule(name) for name in random.sample(dense(network), 2))
    one.weight = other.weight


def layer_twice(network, random):
    one, other = random.sample(dense(network), 2)
    setattr(network.net, one.split(".")[1], network.get_submodule(other))


def frozen(network, random):
    for parameter in random.sample(list(network.parameters()), 3):
        parameter.requires_grad_(False)


def normed(network, random):
    nn.utils.parametrizations.weight_norm(some_layer(network, random))


def parametrized(network, random):
    nn.utils.parametrize.register_parametrization(some_layer(network, random), "weight", Halved())


def hooked(network, random):
    some_layer(network, random).register_forward_hook(lambda _m, _i, output: 1.5 * output)


def hooked_before(network, random):
    some_layer(network, random).register_forward_pre_hook(lambda _m, inputs: (inputs[0].clamp(-0.1),))


def gradient_hooked(network, random):
    some_layer(network, random).weight.register_hook(lambda gradient: 0.3 * gradient)


def forward_replaced(network, random):
    layer = some_layer(network, random)
    layer.forward = lambda x: torch.sin(nn.functional.linear(x, layer.weight, layer.bias))


class Clipped(urep.FullyConnected):
    """It keeps its biases, which begin at zero, in a range."""

    def forward(self, x):
        with torch.no_grad():
            for name, parameter in self.named_parameters():
                if name.endswith("bias"):
                    parameter.clamp_(-0.03, 0.03)
        return super().forward(x)


class Constrained(urep.FullyConnected):
    """It keeps the rows of one weight matrix from becoming longer than they were."""

    def forward(self, x):
        weight = dict(self.named_parameters())[dense(self)[0] + ".weight"]  # fx sees no access by name
        with torch.no_grad():
            weight.mul_((self.limit / weight.norm(dim=1, keepdim=True)).clamp(max=1))
        return super().forward(x)


class Branching(urep.FullyConnected):
    """It goes another way once a weight matrix has become smaller than it was."""

    def forward(self, x):
        weight = dict(self.named_parameters())[dense(self)[-1] + ".weight"]
        outputs = super().forward(x)
        return outputs if float(weight.detach().norm()) > self.limit else torch.tanh(outputs)


class Counting(urep.FullyConnected):
    """It counts its steps in a buffer, and goes another way after some."""

    def forward(self, x):
        outputs = super().forward(x)
        late = self.steps >= 15
        if self.training:
            self.steps += 1
        return torch.tanh(outputs) if late else outputs


class Growing(urep.FullyConnected):
    """It exchanges an activation once its buffer says so."""

    def forward(self, x):
        if self.steps >= 15:
            self.net[1] = nn.Softsign()
        outputs = super().forward(x)
        if self.training:
            self.steps += 1
        return outputs


class Applying(urep.FullyConnected):
    """It applies a function, or an object, that has a state of its own."""

    def forward(self, x):
        return self.last(super().forward(x), self.training)


def function_with_a_state():
    def last(x, training):
        late = last.steps >= 15
        last.steps += training
        return torch.tanh(x) if late else x

    last.steps = 0
    return last


class EqualToAll:
    """An object with a state that claims to be equal to everything."""

    __hash__ = None

    def __init__(self):
        self.steps = 0

    def __eq__(self, other):
        return True

    def __call__(self, x, training):
        late = self.steps >= 15
        self.steps += training
        return torch.tanh(x) if late else x


def clipped(network, random):
    network.__class__ = Clipped


def constrained(network, random):
    network.__class__ = Constrained
    weight = network.get_submodule(dense(network)[0]).weight.detach()
    network.limit = 1.0002 * float(weight.norm(dim=1).max())


def branching_on_a_norm(network, random):
    network.__class__ = Branching
    network.limit = 0.9999 * float(network.get_submodule(dense(network)[-1]).weight.detach().norm())


def counting_in_a_buffer(network, random):
    network.__class__ = Counting
    network.register_buffer("steps", torch.tensor(0))


def growing_by_a_buffer(network, random):
    network.__class__ = Growing
    network.register_buffer("steps", torch.tensor(0))


def applying_a_function(network, random):
    network.__class__ = Applying
    network.last = function_with_a_state()


def applying_an_object(network, random):
    network.__class__ = Applying
    network.last = EqualToAll()


def subclassed(network, random):
    some_layer(network, random).__class__ = Doubled


def whole_forward(network, random):
    network.__class__ = Wavy


def unbiased(network, random):
    some_layer(network, random).bias = None


def never_used(network, random):
    network.spare = nn.Linear(3, 3, dtype=torch.float64)
    nn.init.constant_(network.spare.weight, random.random())
    nn.init.zeros_(network.spare.bias)


def dropout_inserted(network, random):
    for name in random.sample(dense(network), 2):
        key = name.split(".")[1]
        p = random.uniform(0.1, 0.5)
        setattr(network.net, key, nn.Sequential(nn.Dropout(p), network.get_submodule(name)))


def partly_at_rest(network, random):
    for module in random.sample(list(network.modules()), 5):
        module.training = False


def evaluated(network, random):
    network.eval()


KNOWN = tuple({type(make()) for make in urep.networks.NONLINEARITIES.values()} - {nn.Identity})
CHANGES = {
    "an activation is GELU": exchanged(lambda random: nn.GELU(random.choice(["none", "tanh"]))),
    "an activation is another": exchanged(
        lambda random: random.choice([nn.ReLU, nn.Tanh, nn.SiLU, nn.Softplus, nn.PReLU, nn.Hardtanh])()
    ),
    "an activation is in place": exchanged(lambda random: nn.LeakyReLU(random.random(), inplace=True)),
    "two activations in a row": exchanged(lambda random: nn.Sequential(nn.Tanh(), nn.ELU(random.random()))),
    "a LayerNorm": exchanged(lambda random: nn.Sequential(nn.LayerNorm(9), nn.Tanh())),
    **{
        function.__name__.replace("_", " "): function
        for function in (
            slopes_changed, tied, layer_twice, frozen, normed, parametrized, hooked, hooked_before,
            gradient_hooked, forward_replaced, subclassed, whole_forward, unbiased, never_used,
            dropout_inserted, partly_at_rest, evaluated, clipped, constrained, branching_on_a_norm,
            counting_in_a_buffer, growing_by_a_buffer, applying_a_function, applying_an_object,
        )
    },
}  # fmt: skip


def changed(seed, names):
    """A small network of the shipped kind with some of the changes, in float64."""
    random = Random(seed)
    network = urep.FullyConnected(
        3, 2, hidden_layers=5, units=9, nonlinearity=random.choice(["tanh", "leaky_relu", "elu", "swish"]),
        skip=random.random() < 0.3, seed=seed, dtype=torch.float64,
    )  # fmt: skip
    for name in names:
        CHANGES[name](network, random)
    return network.double()


def assert_trained_as_by_hand(build, layer, *, lr=0.01, epochs=40, seed=3):
    network, other = build(), build()
    data = urep.tasks.two_points(n_in=3, n_out=2, dtype=torch.float64)
    losses, distances = by_hand(other, data, lr=lr, epochs=epochs, layer=layer, seed=seed)
    flags = [module.training for module in network.modules()]
    run = urep.train(network, data, lr=lr, epochs=epochs, layer=layer, seed=seed)
    np.testing.assert_allclose(run.loss, losses, rtol=1e-8)
    np.testing.assert_allclose(run.trajectory.dh2, distances, rtol=1e-8, atol=1e-12)
    for a, b in zip(network.parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-8, atol=1e-10)
    assert [module.training for module in network.modules()] == flags


@pytest.mark.usefixtures("always")
@pytest.mark.parametrize("name", CHANGES)
def test_a_changed_network_is_trained_as_it_was_given(name):
    assert_trained_as_by_hand(lambda: changed(1, [name]), changed(1, [name]).layer(2))


@pytest.mark.usefixtures("always")
@pytest.mark.parametrize("seed", range(60))
def test_two_random_changes_are_trained_as_they_were_given(seed):
    random = Random(f"changes {seed}")
    names = random.sample(sorted(CHANGES), 2)
    network = changed(seed, names)
    layer = random.choice([name for name, _ in network.net.named_children()])
    assert_trained_as_by_hand(lambda: changed(seed, names), f"net.{layer}")


@pytest.mark.usefixtures("always")
def test_a_new_entry_of_nonlinearities_is_trained_as_it_is(monkeypatch):
    monkeypatch.setitem(urep.networks.NONLINEARITIES, "gelu", nn.GELU)
    monkeypatch.setitem(urep.networks.NONLINEARITIES, "softsign", nn.Softsign)
    for kind in ("gelu", "softsign"):
        build = partial(
            urep.FullyConnected, 3, 2, hidden_layers=3, units=9, nonlinearity=kind, gain=1.5,
            dtype=torch.float64,
        )  # fmt: skip
        assert_trained_as_by_hand(build, build().middle)

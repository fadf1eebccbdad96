"""The kernel for wide networks does what the ordinary loop does: the same gradient descent."""

import dataclasses
import signal
import threading

import numpy as np
import pytest
import torch

import urep
from urep import training


@pytest.fixture
def always(monkeypatch):
    """The kernel for networks of any size, which are quicker to test."""
    monkeypatch.setattr(training.loop, "WORTH_COMPILING", 0)


def never(monkeypatch):
    """The ordinary loop."""
    monkeypatch.setattr(training.loop, "_fused_pays", lambda *_: False)


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
    """Of ‖dh‖² from another run's, relative to its largest value."""
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
def test_ctrl_c_keeps_what_was_recorded_and_the_weights(wide):
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    first = wide.net[0].weight.detach().clone()
    urep.train(wide, urep.tasks.two_points(), lr=1e-3, epochs=2, layer=wide.middle)  # compiled
    threading.Timer(0.3, signal.raise_signal, (signal.SIGINT,)).start()
    try:
        with pytest.raises(urep.TrainingInterrupted) as caught:
            urep.train(wide, urep.tasks.two_points(), lr=1e-3, epochs=10_000_000, layer=wide.middle)
    finally:
        signal.signal(signal.SIGINT, before)
    assert len(caught.value.run) > 100
    assert not torch.equal(wide.net[0].weight, first)


def test_it_is_chosen_for_wide_networks_and_long_training_only():
    data = urep.tasks.two_points()
    row = urep.experiments.TABLE_1["Default"]
    network = row.network()

    def chosen(network, epochs=6000, data=data, names=None):
        return training.loop._fused_pays(network, *data, names or (network.layer(0),), epochs)

    assert chosen(network)
    assert not chosen(network, epochs=3)
    assert not chosen(urep.FullyConnected(units=50), epochs=3)
    assert chosen(urep.experiments.TABLE_1["Dropout"].network())
    assert not chosen(urep.FullyConnected(dropout=0.1, skip=True))
    assert not chosen(urep.experiments.TABLE_1["Convolution"].network())
    assert not chosen(network, names=("net",))
    assert not chosen(network, data=tuple(torch.cat([z, z]) for z in data))
    assert not chosen(network, data=tuple(z.double() for z in data))
    network.net[4].register_forward_hook(lambda *_: None)
    assert not chosen(network)

"""Lengths and angles of a training, as they are stored."""

import dataclasses

import numpy as np
import pytest
import torch

import urep
from urep import runs, store, tasks
from urep.experiments import Trial, angles

SMALL = Trial("Shallow", seed=3, epochs=700, units=20, precision="float64")


def test_a_training_in_pieces_is_the_training_in_one():
    run, _, t1 = angles.course(SMALL)
    whole = SMALL.train(progress=False).run
    assert np.array_equal(run.t, whole.t)
    for one, other in zip(run.trajectory, whole.trajectory, strict=True):
        assert one == pytest.approx(other, rel=1e-9)
    assert t1 == urep.fit.mean_learned(whole)


def test_a_look_at_t1_is_a_look_at_the_network_of_that_epoch():
    _, looks, t1 = angles.course(SMALL)
    network, data = SMALL.network(SMALL.data()), SMALL.data()
    urep.train(network, data, lr=SMALL.settings.lr, epochs=int(t1), layer=network.middle, progress=False)
    again = angles.look(network, data, network.middle)
    (seen,) = [one for one in looks if one.t == t1]
    assert seen.dh == pytest.approx(again.dh, rel=1e-9)
    assert seen.gradient == pytest.approx(again.gradient, rel=1e-9)


@pytest.mark.parametrize("nonlinearity", ["leaky_relu", "tanh", "none"])
def test_the_gradient_between_the_points_makes_dy(nonlinearity):
    network = urep.FullyConnected(
        hidden_layers=6, units=30, nonlinearity=nonlinearity, gain=1.3, dtype=torch.float64
    )
    data = tasks.two_points(dtype=torch.float64)
    seen = angles.look(network, data, network.middle)
    assert seen.gradient @ seen.dh == pytest.approx(seen.dy, rel=1e-2)
    if nonlinearity == "none":
        assert seen.gradient == pytest.approx(seen.at_ends, rel=1e-9)


def test_skip_connections_around_the_layer_are_kept():
    network = urep.FullyConnected(hidden_layers=6, units=30, gain=0.1, skip=True, dtype=torch.float64)
    seen = angles.look(network, tasks.two_points(dtype=torch.float64), network.middle)
    assert np.isfinite(seen.gradient).all() and np.linalg.norm(seen.gradient) > 0


def test_what_is_stored_loads_as_it_was(tmp_path, monkeypatch):
    trial = dataclasses.replace(SMALL, stop_at_loss=1e-3, precision="float32")
    sweep = runs.Sweep("shallow-angles", (trial,), angles.angles)
    monkeypatch.setattr(store, "FOLDER", tmp_path)
    monkeypatch.setattr(runs, "SWEEPS", {sweep.name: sweep})
    from urep.experiments import make

    monkeypatch.setattr(runs, "EXPERIMENTS", {"angles": [sweep]})
    make.make(["angles"], jobs=1, progress=False)
    (one,) = runs.angled_runs("Shallow")
    whole = trial.train(progress=False).run
    assert one.t1 in one.run.t and one.looks.at(one.t1)["turned_since"] == pytest.approx(0, abs=1e-3)
    rows = one.run.t[one.run.t < len(whole)].astype(int)
    assert one.run.trajectory.dh2[: rows.size] == pytest.approx(whole.trajectory.dh2[rows], rel=1e-4)
    assert one.run.trajectory.w[: rows.size] == pytest.approx(whole.trajectory.w[rows], abs=1e-5)
    assert one.looks.u**2 == pytest.approx(
        np.interp(one.looks.t, one.run.t, one.run.trajectory.dh2), rel=0.05
    )
    with pytest.raises(ValueError, match="epoch of a look, got 7"):
        one.looks.at(7)


def test_the_compiled_kernel_takes_the_same_steps_dropout_among_them():
    trial = Trial("Dropout", seed=2, units=90, hidden_layers=12, epochs=450)
    run, looks, _ = angles.course(trial)
    whole = trial.train(progress=False).run
    assert urep.training.compiled(
        trial.network(trial.data()), trial.data(), lr=1e-3, epochs=450, layer="net.2"
    )
    assert run.loss == pytest.approx(whole.loss, rel=1e-3)
    assert [one.t for one in looks][:3] == [0, 30, 60]

"""What is stored of a trial, against what the trial gives."""

import dataclasses

import numpy as np
import pytest

import urep
from urep import alternatives, measures, runs
from urep.experiments import TaskTrial, Trial, Watch

TASK = urep.TwoPoint(1.0, 0.5)


def straight_run(share, t):
    """A run whose dy is `share` of dy*, along it."""
    dy2, w = share**2 * 0.5, share**2 * 0.5 - share * 0.5
    return urep.Run(t, urep.State(np.ones_like(t), dy2, w), np.ones_like(t), TASK, 0.1)


def test_the_escape_is_where_half_of_the_difference_is_learned():
    t = np.arange(0.0, 100.0, 10.0)
    assert measures.escape(straight_run(t / 90, t)) == pytest.approx(45.0)
    assert measures.escape(straight_run(0.6 + t / 1000, t)) == 0.0
    assert np.isnan(measures.escape(straight_run(t / 1000, t)))


def test_every_alternative_is_fitted_and_the_theory_fits_its_own_curves_best():
    t, rates = np.linspace(0.0, 1500.0, 60), urep.Rates(200.0, 100.0)
    start = urep.State(0.05, 0.0009, 0.0009 - 0.03 * 0.5**0.5)
    run = urep.Run(t, urep.solve(start, TASK, rates, t), np.ones_like(t), TASK, 0.1)
    kept = measures.alternatives(run)
    assert {name: len(array) for name, array in kept.items()} == dict.fromkeys(
        ("rates", "r2", "residual", "converged"), len(alternatives.THEORIES)
    )
    np.testing.assert_allclose(kept["rates"][0], [200.0, 100.0], rtol=1e-6)
    assert kept["residual"][0] < 1e-6 * kept["residual"][1:].min()


def test_a_recorded_pair_has_a_row_for_each_recorded_step():
    trial = TaskTrial("Blobs Low weights", "blobs", batch=700, every=2, epochs=3, units=8)
    kept = measures.pair_curves(trial)
    assert trial.steps_an_epoch(1800) == 3  # 700, 700 and 400 points
    assert kept["dh2"].shape == (5,) and kept["interval"] == pytest.approx(2 / 3)


def test_all_layers_of_a_run_have_their_names_and_their_rotation():
    trial = Trial("Default", units=8, hidden_layers=3, epochs=30, layers="all")
    result = trial.train(progress=False)
    network = trial.network(trial.data())
    assert [*result.run.trajectory] == [network.layer(k) for k in range(3)]
    kept = measures.trajectory(trial)
    assert kept["dh2"].shape == (3, 30) and kept["turned"].shape == (3,)
    np.testing.assert_allclose(kept["dh2"][1], result.run.trajectory[network.layer(1)].dh2, rtol=1e-6)


def test_the_rotation_is_the_angle_between_the_first_and_the_last_dh():
    trial = Trial("Default", units=8, hidden_layers=2, epochs=300, precision="float64")
    result = trial.train(progress=False)
    first, last = (shot.hidden[1] - shot.hidden[0] for shot in (result.before, result.after))
    angle = np.degrees(np.arccos(first @ last / np.sqrt(first @ first * (last @ last))))
    assert result.rotation == pytest.approx([angle], abs=1e-6) and angle > 1


# --- pairs of classes, and every layer of a run ---------------------------------------------

DIGITS = TaskTrial("MNIST", "digits", seed=1, batch=64, units=12, epochs=8, every=29, lr_factor=5.0)


def test_to_watch_a_training_does_not_change_it():
    seen = []
    watch = Watch(lambda network: seen.append(network.net[0].weight.detach().clone()), every=10)
    plain, watched = DIGITS.train(progress=False), DIGITS.train(progress=False, watch=watch)
    for a, b in zip(plain.run.trajectory, watched.run.trajectory, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5)
    np.testing.assert_allclose(plain.after.hidden, watched.after.hidden, rtol=1e-4, atol=1e-6)
    assert len(seen) == -(-8 * 29 // 10)  # before the first step, and then before every tenth
    start = DIGITS.network(DIGITS.data()).net[0].weight
    assert (seen[0] == start).all() and not (seen[1] == start).all()


def test_the_first_pair_of_classes_is_the_recorded_pair_where_the_images_are_the_first(monkeypatch):
    monkeypatch.setattr(measures, "LOOKS", 8)
    kept = measures.class_pairs(dataclasses.replace(DIGITS, seed=0))
    assert kept["pairs_dh2"].shape == (2, 45, 8) and kept["pairs_rates"].shape == (2, 45, 2)
    np.testing.assert_array_equal(kept["pairs_t"], np.arange(8.0))
    for name in ("dh2", "dy2", "w"):
        np.testing.assert_allclose(kept[f"pairs_{name}"][0, 0], kept[name], rtol=1e-5)
    assert kept["pairs_dx2"][0, 0] == pytest.approx(float(kept["dx2"]))


def test_pairs_of_classes_are_images_of_the_seed_and_means_of_the_classes(monkeypatch):
    monkeypatch.setattr(measures, "LOOKS", 8)
    kept = measures.class_pairs(DIGITS)
    inputs, targets = (part.numpy().astype(float) for part in DIGITS.data())
    labels = targets.argmax(axis=1)
    row = measures.CLASS_PAIRS.index((3, 8))
    three, eight = (inputs[labels == digit] for digit in (3, 8))
    apart = [three[1] - eight[1], three.mean(axis=0) - eight.mean(axis=0)]
    np.testing.assert_allclose(kept["pairs_dx2"][:, row], [d @ d for d in apart], rtol=1e-5)


def test_every_layer_of_a_run_is_fitted_as_by_itself():
    trial = Trial("Shallow", epochs=1500, units=30, layers="all", precision="float64")
    kept, run = measures.fitted_layers(trial), trial.train(progress=False).run
    assert kept["rates"].shape == (2, 2)
    fit = urep.fit_rates(run.t, run.trajectory["net.3"], run.task)
    np.testing.assert_allclose(kept["rates"][1], [fit.rates.tau_h, fit.rates.tau_y])
    np.testing.assert_allclose(kept["last"][1], [*run.trajectory["net.3"][len(run) - 1]])


def test_stored_pairs_of_classes_are_refused_where_there_are_none():
    with pytest.raises(ValueError, match=r"must be a sweep of pairs of classes, got 'digits'"):
        runs.stored_class_pairs("digits")
    with pytest.raises(ValueError, match=r"of must be 'images' or 'means', got 'mean'"):
        runs.stored_class_pairs("digits-pairs", "mean")

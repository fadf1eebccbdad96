"""What is stored of a trial, against what the trial gives."""

import numpy as np
import pytest

import urep
from urep import alternatives, measures
from urep.experiments import TaskTrial, Trial

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

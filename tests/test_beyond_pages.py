"""What the pages beyond the paper train and integrate: against other trainers and closed forms."""

import numpy as np
import pytest

from urep.experiments import conserved, departures, finite_steps, forecast_checks


def test_two_trainers_end_at_the_same_representation():
    random = np.random.default_rng(0)
    p, rho = random.normal(size=(2, 2, 3)) * 0.5
    ends = finite_steps.ended(p, rho, lr=0.3, time=60)
    for start, other, end in zip(p, rho, ends, strict=True):
        into, _ = conserved.descended([start[None, :, None], other[None, None, :]], 0.3, 200)
        assert end == pytest.approx((into**2).sum(), rel=1e-9)


def test_at_rest_only_noise_moves_the_imbalance():
    p = np.array([[1.5], [1.8]])
    rho = conserved.TARGET / p
    c = (p**2 - rho**2)[:, 0]
    np.testing.assert_allclose(finite_steps.noisy(p, rho, 0.08, 0.0, 50, 3, seed=0), np.tile(c, (3, 1)).T)
    assert (finite_steps.noisy(p, rho, 0.08, 0.3, 50, 3, seed=0) < c[:, None]).all()


def test_two_equal_weights_pass_levels_as_a_logistic_curve_does():
    """With w' = w (1 - w²) the square is logistic at the rate two."""
    start, levels = 0.1, np.array([0.3, 0.9])
    logit = np.log(np.r_[start, levels] ** 2 / (1 - np.r_[start, levels] ** 2))
    found = departures.equal_weights_pass(2, start, levels)
    np.testing.assert_allclose(found, (logit[1:] - logit[0]) / 2, rtol=1e-8)
    assert departures.equal_weights(2) == pytest.approx(1)


def test_constant_rates_are_those_of_one_matrix_on_either_side():
    start = (0.1, 0.2, 0.5)

    def constant(_length, _birth):
        return 0.25, 0.25

    assert departures.by_rates(start, constant, constant) == pytest.approx(
        departures.by_depth(start, 1), rel=1e-5
    )


def test_half_of_a_plateau_is_left_where_the_loss_says_so():
    height = departures.D**2 / 8 * np.sin(1.0) ** 2
    loss = height * np.linspace(1, 0, 101)[None]
    assert departures.halfway(loss, np.array([1.0]))[0] == 51
    with pytest.raises(ValueError, match="must fall to half"):
        departures.halfway(np.full((1, 5), height), np.array([1.0]))


def test_misses_keep_their_rows():
    by_row = {"a": np.array([1.0, 3.0]), "b": np.array([5.0])}
    assert forecast_checks.flat(by_row).tolist() == [1, 3, 5]
    assert forecast_checks.groups(by_row).tolist() == ["a", "a", "b"]
    assert forecast_checks.middles(by_row).tolist() == [2, 5]
    table = forecast_checks.table({"one": by_row}, {"a": 2, "b": 1}, ["a", "b"], "runs")
    assert repr(table).splitlines()[-1].split() == ["median", "of", "rows", "3.50"]

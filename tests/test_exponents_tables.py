"""What the tables of the chapter on exponents say, against medians and slopes that are known."""

import numpy as np
import pytest

from urep.experiments import exponents, kernels, runs


def test_an_entry_is_a_median_with_its_range_and_how_many_could_be_read():
    values, read = np.array([0.52, -0.31, 1.24]), np.array([True, True, False])
    assert exponents.summary(values, read) == "0.5 (-0.3 to 1.2) 2/3"
    assert exponents.digit(-0.04) == "0.0"
    arrays = {
        "exponents": np.array([[9.0, 0.5], [9.0, 0.7], [9.0, 0.9]]),
        "readable": np.array([[True, True], [False, True], [False, True]]),
        "halves": np.array([[[1.0, -1.0], [0, 0]], [[2.0, -2.0], [0, 0]], [[6.0, -3.0], [0, 0]]]),
    }
    assert exponents.entry(arrays, 0) == "none: 2.0, then -2.0"
    assert exponents.entry(arrays, 1) == "0.7 (0.5 to 0.9) 3/3"


def test_half_of_the_networks_are_enough_to_read_an_exponent():
    half = {"exponents": np.array([[0.4], [0.6]]), "readable": np.array([[True], [False]])}
    assert exponents.entry(half, 0) == "0.5 (0.4 to 0.6) 1/2"


def test_slopes_and_misses_of_powers_are_their_exponents_and_factors():
    u = np.exp(np.linspace(0, 1, 5)) * np.array([[1.0], [2.0]])
    seen = {"u": u, "steps": u**-0.4, "kinks": 3 * u**-0.4}
    np.testing.assert_allclose(exponents.slopes(seen, "kinks"), [-0.4, -0.4])
    np.testing.assert_allclose(exponents.off(seen, "kinks"), np.log([3, 3]))
    np.testing.assert_allclose(exponents.off(seen, "kinks", base={"steps": 6 * u**-0.4}), np.log([2, 2]))


def test_the_table_of_told_exponents_has_the_medians_of_its_file():
    sweep = runs.sweep("exponents-told-fresh")
    arrays = sweep.load().arrays
    rows = exponents.told_table().rows
    assert [int(row[0]) for row in rows] == list(kernels.DEPTHS)
    for depth, *shown in rows:
        own = [k for k, trial in enumerate(sweep.trials) if trial.hidden_layers == int(depth)]
        for column, (name, which) in enumerate((n, w) for w in (0, 1) for n in ("exponents", "formula")):
            values = sorted(float(arrays[name][k][which]) for k in own)
            middle = (values[(len(values) - 1) // 2] + values[len(values) // 2]) / 2
            assert float(shown[column]) == pytest.approx(middle, abs=0.0051)

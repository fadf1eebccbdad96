"""Trials chosen by their settings, and the evidence of explored and fresh networks."""

import numpy as np
import pytest

from urep.experiments import judged, runs


def test_trials_are_chosen_by_one_value_or_by_any_of_several_and_in_their_order():
    every = runs.sweep("exponents-map")
    trials, arrays = judged.chosen("exponents-map", nonlinearity=("none", "tanh"), hidden_layers=8, level=1.0)
    assert [(t.nonlinearity, t.seed) for t in trials] == [("none", 0), ("none", 1), ("tanh", 0), ("tanh", 1)]
    rows = [every.trials.index(trial) for trial in trials]
    np.testing.assert_array_equal(arrays["exponents"], every.load().arrays["exponents"][rows])


def test_a_trial_that_lacks_a_field_is_not_chosen_by_it():
    trials, _ = judged.chosen("exponents-architectures", named="Default")
    assert {trial.named for trial in trials} == {"Default"}
    with pytest.raises(ValueError, match="wanted must fit a trial of exponents-map"):
        judged.chosen("exponents-map", named="Default")


def test_evidence_has_a_null_model_only_where_one_is_given():
    double = lambda values: 2 * np.array(values)
    found = judged.evidence(np.array, [1, 2], [3])
    assert {name: list(values) for name, values in found.items()} == {"measured": [1, 2], "fresh": [3]}
    rivals = judged.evidence(np.array, [1, 2], [3], double)
    assert (list(rivals["null"]), list(rivals["fresh_null"])) == ([2, 4], [6])

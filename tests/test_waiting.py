"""The moments of a transition, against curves whose moments are known; and the trials of two chapters."""

from dataclasses import asdict

import numpy as np
import pytest

from urep.experiments import runs, waiting
from urep.experiments.waiting import SHARES, NearMissTrial, WaitingTrial


def test_moments_of_a_logistic_curve_are_its_logits_and_its_two_rates_are_one_rate():
    t, rate, place = np.linspace(0, 40, 40_001), 0.7, 20.0
    found = waiting.moments(t, 1 / (1 + np.exp(-rate * (t - place))))
    np.testing.assert_allclose(found, [place + np.log(x / (1 - x)) / rate for x in SHARES], atol=1e-5)
    np.testing.assert_allclose(waiting.two_rates(found), [rate, rate], rtol=1e-5)


def test_a_share_that_is_there_at_once_or_never_has_no_moment():
    found = waiting.moments(np.arange(3.0), np.array([0.1, 0.3, 0.6]))
    np.testing.assert_allclose(found, [np.nan, 0.5, 1 + 2 / 3, np.nan, np.nan])


def test_two_rates_of_a_row_of_weights_are_its_integrals():
    """Four equal weights: dt = dv/(v^1.5 (1 - v)) has a primitive in √v."""
    spent = lambda v: -2 / np.sqrt(v) + np.log((1 + np.sqrt(v)) / (1 - np.sqrt(v)))
    early, late = waiting.two_rates(np.array([spent(v) for v in SHARES]))
    assert late / early == pytest.approx(3.0118, abs=1e-3)


def test_a_near_miss_starts_opposed_with_an_enlarged_decoder():
    from urep import growth

    for seed in range(4):
        trial = NearMissTrial(2, seed)
        network, plain = trial.network(), WaitingTrial(1, "none", 1.0, seed, units=2).network()
        assert growth.measured(network, trial.data(), network.middle).cosine < 0
        ratio = network.net[2].weight / plain.net[2].weight
        np.testing.assert_allclose(np.abs(ratio.detach().numpy()), trial.decoder)


def test_a_near_miss_is_where_hyperbolic_rotation_has_its_least_length():
    """p cosh z + q sinh z has a least length, which three scalar products of the start give."""
    found = waiting.near_miss(NearMissTrial(2, 1, epochs=300))
    u, r, cosine = found["start"]
    z = np.linspace(-3, 3, 200_001)
    lengths = (u * np.cosh(z)) ** 2 + (r * np.sinh(z)) ** 2 + u * r * cosine * np.sinh(2 * z)
    assert found["dh2"][1] == pytest.approx(lengths.min(), rel=2e-3)


def test_the_stored_networks_are_those_of_the_lists():
    for name, seeds in runs.WAITING_SEEDS.items():
        known = runs.sweep(f"waiting{name}").trials
        assert len({tuple(sorted(asdict(trial).items())) for trial in known}) == len(known)
        assert {trial.seed for trial in known} == set(seeds)
        if name != "-again":
            assert {trial.seed for trial in runs.sweep(f"near-misses{name}").trials} == set(seeds)

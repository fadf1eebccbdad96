"""Which theory describes a network: curves whose theory is known, and networks that are refused."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

import urep
from urep import compare, growth
from urep.state import Run

TASK = urep.TwoPoint(1.0, 0.5)
TARGET = 0.5**0.5


def run_of(t, trajectory):
    """A run of curves; its mean is learned from the start."""
    loss = urep.loss(trajectory, TASK, t, tau_mean=1.0, mean_error2=0.0)
    return Run(t, trajectory, loss, TASK, lr=0.01)


def integrated(rates, start, length, layers=None):
    """A watched run of some rates, long enough to learn."""
    t = np.linspace(0, length, 400)
    lengths = growth.integrate(start, TASK, rates, t)
    return compare.Watched(run_of(t, lengths.state(TASK)), start, start, 0.0, layers)


def drawn(dh2, v, cosine=0.5):
    """A watched run of curves that nothing was integrated for."""
    t = np.linspace(0, 1000, len(v))
    u = float(dh2[0]) ** 0.5
    start = growth.Lengths(u, v[0] / u / cosine, cosine)
    return compare.Watched(run_of(t, urep.State(dh2, v**2, v * (v - TARGET))), start, start, 0.0)


GROWING = integrated(growth.Growth(0.02, 0.1, -0.5, 0.65), growth.Lengths(0.2, 0.1, 0.3), 600)
ALIGNED = integrated(growth.Growth(0.02, 0.1), growth.Lengths(0.7, 0.05, 1.0), 150)
SHARE = 1 / (1 + np.exp(-(np.linspace(0, 1000, 400) - 400) / 50))


def theory_of(watched):
    found = compare.theories(watched)
    return None if found.theory is None else found.theory.candidate.name


def error_of(found, name):
    return next(one.error for one in found.judged if one.candidate.name == name)


def test_growing_rates_are_found_with_their_exponents_and_their_end():
    found = compare.theories(GROWING)
    assert found.theory.candidate.name == "two exponents"
    assert found.alpha.value == pytest.approx(-0.5, abs=1e-3)
    assert found.beta.value == pytest.approx(0.65, abs=1e-3)
    assert found.alpha.low <= found.alpha.value <= found.alpha.high
    (forecast,) = found.forecasts
    assert forecast.value == pytest.approx(GROWING.end, rel=1e-2)
    assert found.sentence.startswith("It is best described by two exponents: error 0.00 against")
    assert "α = -0.50" in found.sentence


def test_constant_rates_of_aligned_vectors_are_left_to_the_theory_with_fewer_constants():
    found = compare.theories(ALIGNED)
    assert found.theory.candidate.name == "(7)"
    assert error_of(found, "two exponents") < 0.01  # it fits as well, and is not taken
    assert "α" not in found.sentence


def test_an_angle_is_rotations():
    start = growth.Lengths(0.5, 0.3, 0.05)
    assert theory_of(integrated(growth.Growth(0.02, 0.03), start, 900)) == "rotation"


def test_a_curve_that_no_theory_draws_is_left_to_none():
    found = compare.theories(drawn(2 - SHARE, TARGET * (0.02 + 0.98 * SHARE)))
    assert found.theory is None
    assert found.skill[0] < 0
    assert found.sentence.startswith("No theory describes it")
    assert "←" not in repr(found.table())


def test_a_forecast_of_a_fit_that_does_not_converge_is_told():
    curve = next(one for one in compare.CANDIDATES if one.name == "a logistic curve")
    own = drawn(1.2 - SHARE, TARGET * (0.02 + 0.98 * SHARE))
    assert compare._errors(curve, own, 0.5).converged
    lost = replace(curve, fit=lambda *of: replace(curve.fit(*of), converged=False))
    (forecast,) = compare._forecasts(compare._judge(lost, [own]), [own])
    assert not forecast.converged
    found = compare.theories(GROWING)
    assert all(one.converged for one in found.forecasts) and "converge" not in found.sentence
    warned = replace(found, forecasts=(forecast,)).sentence
    assert warned.endswith("; fits that do not converge: 1 of 1.")


def test_exponents_of_depth_are_those_of_a_chain_and_of_nothing_else():
    alpha, beta = growth.exponents(3, 2)
    start = growth.Lengths(0.15, 0.25, 0.3)
    rates = growth.Growth(0.05, 0.05, alpha, beta, across="random", born=(0.15, 0.25))
    deep = integrated(rates, start, 3000, layers=(3, 2))
    told = compare.theories(deep)
    assert told.theory.candidate.name == "exponents of depth"
    assert "α = 1.33, β = 1.00, by depth" in told.sentence
    found = compare.theories(replace(deep, layers=None))
    assert not found.judged[2].applies
    assert "not applicable" in repr(found.table())


def test_the_answer_changes_when_the_angle_is_not_the_one_that_was_measured():
    """The control: a start that is wrong by as little as this is not described any more."""
    start = GROWING.start
    wrong = growth.Lengths(start.u, 3 * start.r, start.cosine / 3)
    found = compare.theories(replace(GROWING, start=wrong, birth=wrong))
    assert error_of(found, "two exponents") > 10 * error_of(compare.theories(GROWING), "two exponents") + 0.01


def test_several_runs_give_intervals_and_bars():
    """Runs that differ: exponents between their least and largest, bars from the other runs."""
    pair = [GROWING, integrated(growth.Growth(0.02, 0.1, -0.4, 0.65), growth.Lengths(0.2, 0.1, 0.3), 600)]
    found = compare.theories(pair)
    assert found.alpha.low == pytest.approx(-0.5, abs=1e-3)
    assert found.alpha.high == pytest.approx(-0.4, abs=1e-3)
    assert len(found.forecasts) == 2
    assert found.skill[1] > 0.5


def test_a_later_theory_has_to_earn_its_place():
    def judged(name, error):
        one = compare.Errors(error, error, error, 1.0)
        return compare.Judged(compare.Candidate(name, 2, None), ((one, one),))

    names = lambda *errors: (
        compare._first_of([judged(str(k), e) for k, e in enumerate(errors)]).candidate.name
    )
    assert names(0.5, 0.46) == "0"  # less, and not nine tenths
    assert names(0.5, 0.44) == "1"
    assert names(0.02, 0.012) == "0"  # less by less than a hundredth
    assert names(0.5, 0.46, 0.44) == "2"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"start": growth.Lengths(0.5, 0.1, 0.3)}, "start.u must be ‖dh‖ of the run at t1 = 0, 0.2, got 0.5"),
        ({"birth": growth.Lengths(0.5, 0.1, 0.3)}, "birth.u must be ‖dh‖ of the run at epoch 0, 0.2"),
        ({"t1": 700.0}, "t1 must be an epoch of the run, at most 600, got 700"),
        ({"t1": 300.0}, "run must have learned 75% of its target at most when its mean is learned"),
        ({"t1": -1.0}, "t1 must be finite"),
        ({"layers": (0, 2)}, "before must be an integer >= 1, got 0"),
        ({"run": replace(GROWING.run, points=3)}, "run must be of two points and one layer, got 3 points"),
    ],
)
def test_what_cannot_be_compared_is_refused_with_its_value(change, message):
    with pytest.raises(ValueError, match=message):
        replace(GROWING, **change)


def test_a_run_that_does_not_learn_is_refused():
    t, run = GROWING.run.t[:60], GROWING.run
    short = Run(t, run.trajectory[:60], run.loss[:60], TASK, lr=0.01)
    with pytest.raises(ValueError, match="run must learn 99% of its target, got"):
        replace(GROWING, run=short)
    with pytest.raises(TypeError, match="watched must be what watch returns"):
        compare.theories([run])
    with pytest.raises(ValueError, match="watched must hold one run or more, got none"):
        compare.theories([])
    with pytest.raises(ValueError, match="of one architecture"):
        compare.theories([GROWING, replace(GROWING, layers=(1, 1))])


# --- networks -------------------------------------------------------------------------------------


def points(**choice):
    return urep.tasks.two_points(dtype=torch.float64, **choice)


def linear(**choice):
    settings = {"hidden_layers": 2, "units": 20, "nonlinearity": "none", "gain": 0.5, "seed": 0}
    return urep.FullyConnected(**settings | choice, dtype=torch.float64)


def test_a_network_is_watched_at_birth_and_where_its_mean_is_learned():
    network = linear()
    seen = compare.watch(network, points(), layer=network.middle, lr=0.05, epochs=1500)
    assert seen.layers == (2, 1)
    assert seen.t1 == urep.fit.mean_learned(seen.run) > 0
    assert seen.start.u**2 == pytest.approx(seen.later.trajectory.dh2[0], rel=1e-9)
    assert seen.birth.u**2 == pytest.approx(seen.run.trajectory.dh2[0], rel=1e-9)
    again = linear()
    urep.train(again, points(), lr=0.05, epochs=1500, layer=again.middle)
    later = compare.watched(seen.run, linear(), points(), layer=network.middle)
    assert [*later.start] == [*seen.start]
    with pytest.raises(ValueError, match="must be ‖dh‖ of the run at epoch 0"):
        compare.watched(seen.run, again, points(), layer=network.middle)
    assert all(torch.equal(a, b) for a, b in zip(network.parameters(), again.parameters(), strict=True))


def test_chains_are_told_from_what_is_no_chain():
    x = points()[0]
    count = lambda network, layer: compare.chain(network.double(), x, layer)
    assert count(linear(nonlinearity="tanh", hidden_layers=4), "net.5") == (3, 2)
    assert count(linear(nonlinearity="leaky_relu"), "net.1") is None
    assert count(linear(skip=True, hidden_layers=4), "net.2") is None
    assert count(nn.Sequential(nn.Linear(1, 4), nn.LayerNorm(4), nn.Linear(4, 1)), "0") is None
    both = nn.Sequential(nn.Sequential(nn.Linear(1, 4), nn.Linear(4, 4)), nn.Linear(4, 1))
    assert count(both, "0") == (2, 1)
    assert count(both, "1") is None  # nothing is behind it

    class Squared(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.last = nn.Linear(1, 4), nn.Linear(4, 1)

        def forward(self, x):
            return self.last(self.first(x) ** 2)

    assert count(Squared(), "first") is None


def test_networks_with_several_outputs_or_that_do_not_learn_are_refused():
    inputs, targets = points()
    network = urep.FullyConnected(1, 2, hidden_layers=1, units=5, dtype=torch.float64)
    with pytest.raises(ValueError, match="scalar targets"):
        compare.watch(network, (inputs, targets.repeat(1, 2)), layer=network.middle, lr=0.1, epochs=5)
    network = linear()
    with pytest.raises(ValueError, match="run must have learned its mean output, got none in 2 epochs"):
        compare.watch(network, points(), layer=network.middle, lr=0.01, epochs=3)
    network = linear()
    with pytest.raises(ValueError, match="run must learn 99% of its target"):
        compare.watch(network, points(), layer=network.middle, lr=0.05, epochs=45)

"""What growing rates are compared with: curves and powers of time, fitted and carried alike."""

from dataclasses import replace

import numpy as np
import pytest

import urep
from urep import growth
from urep.experiments import growing, runs
from urep.growth import Growth, Lengths

TASK = urep.TwoPoint(1.0, 0.5)
START, BIRTH = Lengths(0.24, 0.29, 0.03), Lengths(0.2, 0.25, 0.1)
T = np.linspace(0, 4000, 80)


def of_curves(curves, across="inherited"):
    """A window in which these three variables were seen, from epoch 100 on."""
    run = urep.Run(100 + T, urep.State(*curves), np.ones(len(T)), TASK, 0.001, "epochs")
    return growing.Window(run, START, BIRTH, (11, 10), across)


def grown(rates):
    return np.array([*growth.integrate(START, TASK, rates, T).state(TASK)])


DEEP = grown(Growth.depth(3e-4, encoder=11, decoder=10, start=BIRTH, across="random"))


def test_powers_of_time_without_powers_are_constant_rates():
    window = of_curves(DEEP)
    told = growing.MODELS["times"].told(np.log([0.01, 0.02, 1.0, 1.0]), window, T)
    np.testing.assert_allclose(told, grown(Growth(0.01, 0.02, across="same")), atol=1e-5)


def test_powers_of_time_are_the_equation_with_a_clock():
    """With one power for both rates another clock makes the rates constant."""
    window, power = of_curves(DEEP), 0.7
    clock = 100 / (1 + power) * ((1 + T / 100) ** (1 + power) - 1)
    told = growing.MODELS["times"].told(np.array([*np.log([0.001, 0.002]), power, power]), window, T)
    wanted = growth.integrate(START, TASK, Growth(0.001, 0.002, across="same"), clock).state(TASK)
    np.testing.assert_allclose(told, np.array([*wanted]), atol=1e-4)


@pytest.mark.parametrize("name", growing.MODELS)
def test_each_model_describes_curves_of_its_own(name):
    model, window = growing.MODELS[name], of_curves(DEEP, "random" if name == "powers" else "inherited")
    own = {
        "(7)": np.log([300.0, 200.0]),
        "(E43)": np.log([5e-3, 4e-3]),
        "(E44)": np.log([3e-3, 3e-3]),
        "placed": np.array([1500.0, 5.0, 0.1]),
        "powers": np.array([*np.log([3e-3, 3e-3]), 1.5, 1.2]),
        "times": np.array([*np.log([2e-3, 1e-3]), 0.5, 0.8]),
        "stretched": np.array([1500.0, 5.0, 0.1, 0.5]),
        "powered": np.array([1500.0, 5.0, 0.1, 0.5]),
    }[name]
    curves = model.told(own, window, T)
    there = replace(of_curves(curves), across=window.across)
    found = model.fit(there)
    assert len(found) == len(own) and there.missed(model.told(found, there, T)).max() < 1e-3


def test_a_model_that_has_no_solution_says_so():
    fitted = growing.Fitted(None, of_curves(DEEP), {"times": np.array([30.0, 30.0, 1.0, 1.0])})
    assert np.isnan(fitted.told("times", T)).all()
    assert (fitted.missed("times") == growing.NO_CURVE).all() and fitted.late("times", fitted) == np.log(10)


def test_arrival_is_between_two_rows():
    dy = np.linspace(0, 0.5**0.5, 11)
    assert growing.arrival(np.arange(11.0), dy, 0.5**0.5) == pytest.approx(9)
    assert np.isnan(growing.arrival(np.arange(5.0), dy[:5], 0.5**0.5))


def test_stored_fits_are_those_of_the_stored_runs():
    one = runs.grown("angles")["Linear"][0]
    assert one.angled.seed == 0 and one.missed("(E44)")[2] < 0.01 < one.missed("(7)")[2]
    known = runs.sweep("growing-angles")
    again = known.measure(known.trials[0])["constants"]
    assert np.nanmax(np.abs(again[0] - one.constants["(7)"])) < 1e-3
    dy, seen = one.angles()
    assert (
        np.abs(one.angles_told(dy, "random") - seen).max()
        < np.abs(one.angles_told(dy, "inherited") - seen).max()
    )


def weights(birth, **changed):
    """The weights of a network with this birth, as NumPy arrays."""
    network = replace(growing.BirthTrial(birth, 3), **changed).network()
    return [z.detach().numpy() for name, z in network.named_parameters() if name.endswith("weight")]


def test_isometries_stretch_as_random_matrices_do_and_nothing_else_is_changed():
    random, isometries = weights("random"), weights("isometries")
    for k, (one, other) in enumerate(zip(random, isometries, strict=True)):
        if k in (0, len(random) - 1):
            assert np.array_equal(one, other)
        else:
            assert other @ other.T == pytest.approx(0.9**2 * np.eye(100), abs=1e-12)
            assert np.square(one).sum() == pytest.approx(np.square(other).sum(), rel=0.05)
    assert not np.array_equal(isometries[1], isometries[2])
    with pytest.raises(ValueError, match="birth must be one of random, isometries; got 'orthogonal'"):
        growing.BirthTrial("orthogonal", 0)


def test_the_end_of_a_training_is_an_angle_that_is_measured_and_two_that_are_told():
    trial = growing.BirthTrial("isometries", 0, units=30)
    seen, by_random, by_isometries = growing.ended(trial)["angles"]
    assert abs(by_isometries - seen) < 10 < 15 < abs(by_random - seen)
    network, (x, y) = trial.network(), trial.data()
    urep.train(network, (x, y), lr=trial.lr, epochs=trial.epochs, layer=network.middle, progress=False)
    maps = [z.detach().numpy() for name, z in network.named_parameters() if name.endswith("weight")]
    dh, gradient = maps[0][:, 0], np.ones(1)
    for one in maps[1:11]:
        dh = one @ dh
    for one in maps[:10:-1]:
        gradient = gradient @ one
    cosine = dh @ gradient / np.linalg.norm(dh) / np.linalg.norm(gradient)
    assert seen == pytest.approx(np.degrees(np.arccos(cosine)), abs=1e-6)

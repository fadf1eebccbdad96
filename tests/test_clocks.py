"""Fits from epoch 0 and from t₁, carried to other seeds; trainings with the mean given, and of it alone."""

import numpy as np
import pytest
import torch
from scipy.integrate import solve_ivp

import urep
from urep.experiments import clocks
from urep.state import Run, State, TwoPoint

TASK, D = TwoPoint(1.0, 0.5), 0.5**0.5


def run_of(t, dh2, dy):
    """A run with these curves; its loss is nobody's here."""
    state = State(dh2, dy**2, dy * (dy - D))
    return Run(t, state, (dy - D) ** 2 / 8, TASK, 0.01, "epochs")


def by_seven(dh2, dy, tau_h, tau_y, t):
    """Curves (2, n) of ‖dh‖² and dy by (7), as SciPy integrates it for one output."""

    def field(_, z):
        h, v = z
        drive = v * (D - v)
        return [drive / tau_h, (D - v) / 2 * (v**2 / (tau_h * h) + h / tau_y)]

    return solve_ivp(field, (0, t[-1]), [dh2, dy], t_eval=t, rtol=1e-10, atol=1e-12, method="DOP853").y


def left(seen, found):
    """1 - R² of one curve."""
    return np.sum((seen - found) ** 2) / np.sum((seen - seen.mean()) ** 2)


def all_left(run, dh2, dy):
    """1 - R² of the three curves."""
    return [left(one, other) for one, other in zip(run.trajectory, (dh2, dy**2, dy * (dy - D)), strict=True)]


T = np.arange(0.0, 400.0, 4.0)
STARTS = ((0.2, 0.03, 30.0, 40.0), (0.3, 0.05, 25.0, 55.0), (0.15, 0.02, 35.0, 30.0))
T1 = (40.0, 60.0, 20.0)


@pytest.fixture(scope="module")
def seven():
    return [run_of(T, *by_seven(*start, T)) for start in STARTS]


@pytest.fixture(scope="module")
def found(seven):
    return [clocks.clocks(run, t1) for run, t1 in zip(seven, T1, strict=True)]


def test_a_run_by_7_is_fitted_at_either_clock(found):
    for one, start in zip(found, STARTS, strict=True):
        for fit in (one.from_start, one.from_mean):
            assert [*fit.rates] == pytest.approx(start[2:], rel=1e-4)
        for missed in (one.whole, one.start, one.mean):
            assert np.max(missed) < 1e-8
        assert np.max(one.curve) > 1e-6


def test_constants_are_carried_to_the_next_seed_from_its_own_state_at_its_own_t1(seven, found):
    carried = clocks.carried_on(found, seven)
    for k, (run, t1) in enumerate(zip(seven, T1, strict=True)):
        constants, later = STARTS[k - 1][2:], t1 <= T
        window = run_of(T[later], run.trajectory.dh2[later], (run.trajectory.dy2**0.5)[later])
        start = run.trajectory.dh2[0], run.trajectory.dy2[0] ** 0.5
        whole = by_seven(*start, *constants, T)[:, later]
        again = by_seven(window.trajectory.dh2[0], window.trajectory.dy2[0] ** 0.5, *constants,
                         T[later] - t1)  # fmt: skip
        assert carried["start"][k - 1] == pytest.approx(all_left(window, *whole), rel=1e-3)
        assert carried["mean"][k - 1] == pytest.approx(all_left(window, *again), rel=1e-3)
        assert carried["mean"][k - 1].max() > 0.01  # constants of another seed do not fit


def logistic(t, place, width):
    gone = 1 / (1 + np.exp((place - t) / width))
    return (gone - gone[0]) / (1 - gone[0])


def test_a_logistic_is_carried_with_its_place_after_t1_its_width_and_its_end():
    shapes = ((150.0, 25.0, 0.2, 0.9), (180.0, 30.0, 0.3, 1.1))
    runs = []
    for place, width, first, end in shapes:
        gone = logistic(T, place, width)
        runs.append(run_of(T, first + (end - first) * gone, 0.02 + (D - 0.02) * gone))
    found = [clocks.clocks(run, 40.0) for run in runs]
    assert max(one.curve.max() for one in found) < 1e-5
    carried = clocks.carried_on(found, runs)["curve"]
    for k, (place, width, _, _) in enumerate(shapes):
        other, late = runs[1 - k], T >= 40
        dh2, dy = other.trajectory.dh2[late], other.trajectory.dy2[late] ** 0.5
        gone = logistic(T[late], place, width)
        end = runs[k].trajectory.dh2[-1]
        guess = dh2[0] + (end - dh2[0]) * gone, dy[0] + (D - dy[0]) * gone
        assert carried[k] == pytest.approx(all_left(run_of(T[late], dh2, dy), *guess), rel=0.02)


def test_curves_without_a_theory_describe_what_was_made_of_them():
    gone = 1 - np.exp(-((T / 120) ** 3.0))
    run = run_of(T, 0.2 + 0.7 * gone, 0.02 + (D - 0.02) * gone)
    assert clocks.stretched_missed(run, 0.0).max() < 1e-8
    assert clocks.clocks(run, 0.0).curve.max() > 1e-3
    gone = logistic(T, 110.0, 25.0)
    run = run_of(T, 0.2 + 0.7 * gone, 0.02 + (D - 0.02) * gone)
    assert clocks.early_curve_missed(run, 60.0).max() < 1e-5
    assert clocks.stretched_missed(run, 0.0).max() > 1e-4


def test_the_old_clock_is_epoch_0_with_constants_of_the_window(seven):
    assert clocks.old_clock_missed(seven[0], 40.0).max() < 1e-8
    # A run by (7) from t₁ on, which stood elsewhere at epoch 0.
    before, late = T < 40, T >= 40
    dh2, dy = by_seven(*STARTS[0], T[late] - 40)
    run = run_of(T, np.r_[0.4 + 0 * T[before], dh2], np.r_[0.3 + 0 * T[before], dy])
    assert clocks.clocks(run, 40.0).mean.max() < 1e-8
    assert clocks.old_clock_missed(run, 40.0).max() > 0.01


def test_what_is_left_after_an_epoch_begins_there_and_an_epoch_behind_the_end_is_refused(seven):
    window = clocks.since(seven[0], 41.0, every=3)
    assert window.t[0] == 44 and window.t[1] == 56 and len(window.loss) == len(window.trajectory)
    with pytest.raises(ValueError, match="t must be an epoch of the run, which ends at 396, got 400"):
        clocks.since(seven[0], 400)


# --- trainings ----------------------------------------------------------------------------------


def small(kind="tanh", layers=3):
    """A network in float64 whose biases are not zero, and its points."""
    network = urep.FullyConnected(hidden_layers=layers, units=7, nonlinearity=kind, gain=0.9, seed=4,
                                  dtype=torch.float64)  # fmt: skip
    random = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for name, entries in network.named_parameters():
            if name.endswith("bias"):
                entries += 0.1 * torch.randn(entries.shape, generator=random, dtype=torch.float64)
    return network, urep.tasks.two_points(dtype=torch.float64)


def maps(network):
    """Weights and biases as NumPy arrays, first layer first."""
    flat = [z.detach().numpy().copy() for _, z in network.named_parameters()]
    return list(zip(flat[::2], flat[1::2], strict=True))


def outputs(layers, x):
    """A tanh network, layer by layer."""
    for k, (weight, bias) in enumerate(layers):
        x = x @ weight.T + bias
        x = np.tanh(x) if k < len(layers) - 1 else x
    return x


def test_the_mean_is_given_by_the_last_bias_and_by_nothing_else():
    network, data = small()
    before, (x, y) = maps(network), (part.numpy() for part in data)
    given = maps(clocks.mean_given(network, data))
    assert outputs(given, x).mean() == pytest.approx(y.mean(), abs=1e-14)
    assert np.diff(outputs(given, x), axis=0) == pytest.approx(np.diff(outputs(before, x), axis=0))
    for one, other in zip(before[:-1], given[:-1], strict=True):
        assert all(np.array_equal(*pair) for pair in zip(one, other, strict=True))
    assert np.array_equal(before[-1][0], given[-1][0]) and not np.array_equal(before[-1][1], given[-1][1])
    after = maps(network)  # is what it was
    assert all(np.array_equal(a, b) for one, two in zip(before, after, strict=True)
               for a, b in zip(one, two, strict=True))  # fmt: skip


def test_the_mean_alone_is_descended_by_its_formulas_in_one_linear_layer():
    network, data = small("none", layers=1)
    (W, b), (rho, c) = maps(network)
    mean_x, mean_y = (float(part.mean()) for part in data)
    for _ in range(30):
        h = W[:, 0] * mean_x + b
        error = float(rho[0] @ h + c[0]) - mean_y
        W, b, rho, c = (
            W - 0.05 * error * mean_x * rho.T, b - 0.05 * error * rho[0],
            rho - 0.05 * error * h, c - 0.05 * error,
        )  # fmt: skip
    found = maps(clocks.mean_alone(network, data, lr=0.05, epochs=30))
    for one, other in zip(((W, b), (rho, c)), found, strict=True):
        for mine, theirs in zip(one, other, strict=True):
            assert theirs == pytest.approx(mine, abs=1e-13)


def test_the_mean_alone_is_descended_along_its_differences_in_a_deep_network():
    network, data = small()
    layers, (x, y) = maps(network), (part.numpy() for part in data)

    def half_square():
        return (outputs(layers, x).mean() - y.mean()) ** 2 / 2

    for _ in range(3):
        slopes = []
        for weight, bias in layers:
            for entries in (weight, bias):
                slope = np.zeros_like(entries)
                for place in np.ndindex(entries.shape):
                    kept = entries[place]
                    ends = []
                    for step in (1e-5, -1e-5):
                        entries[place] = kept + step
                        ends.append(half_square())
                    entries[place] = kept
                    slope[place] = (ends[0] - ends[1]) / 2e-5
                slopes.append((entries, slope))
        for entries, slope in slopes:
            entries -= 0.05 * slope
    found = maps(clocks.mean_alone(network, data, lr=0.05, epochs=3))
    for one, other in zip(layers, found, strict=True):
        for mine, theirs in zip(one, other, strict=True):
            assert theirs == pytest.approx(mine, abs=1e-9)


def test_a_given_mean_and_one_that_is_learned_are_fitted_from_one_start():
    trial = clocks.GivenTrial("tanh", 0, units=20)
    given, learned = clocks.given_and_learned(trial)["missed"]
    points = urep.tasks.two_points(dtype=torch.float64)
    made = lambda: urep.FullyConnected(
        hidden_layers=20, units=20, nonlinearity="tanh", gain=0.9, seed=0, dtype=torch.float64
    )
    for wanted, network in ((learned, made()), (given, clocks.mean_given(made(), points))):
        run = urep.train(network, points, lr=0.003, epochs=6000, layer=network.middle, stop_at_loss=1e-6,
                         progress=False)  # fmt: skip
        rows = clocks.since(run, 0, every=max(len(run) // clocks.ROWS, 1))
        told = urep.fit_rates(rows, unconverged="keep").predict(rows.t)
        assert wanted == pytest.approx(all_left(rows, told.dh2, (told.dy2 - told.w) / D))
    assert not np.allclose(given, learned, rtol=0.01)

"""Kernels by autograd, held against finite differences, matrices written out, and laws known beforehand."""

import numpy as np
import pytest
import torch

import urep
from urep.experiments import kernels

DATA = urep.tasks.two_points(dtype=torch.float64)


def network(kind="tanh", layers=4, units=12, seed=1, gain=1.0, spread=0.1):
    """A small network with biases that are not zero, so that nothing vanishes by symmetry."""
    made = urep.FullyConnected(
        hidden_layers=layers, units=units, nonlinearity=kind, gain=gain, seed=seed, dtype=torch.float64
    )
    random = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in made.parameters():
            parameter += spread * torch.randn(parameter.shape, generator=random, dtype=torch.float64)
    return made


def descend(made, rate):
    loss = 0.5 * (made(DATA[0]) - DATA[1]).square().sum(dim=1).mean()
    slopes = torch.autograd.grad(loss, list(made.parameters()))
    with torch.no_grad():
        for parameter, slope in zip(made.parameters(), slopes, strict=True):
            parameter -= rate * slope


@pytest.mark.parametrize("kind", ["none", "tanh", "swish", "elu"])
def test_the_exact_kernel_is_what_a_small_step_does_to_dh(kind):
    """−u'/(r e cosθ), from a step of gradient descent, is the sum of the kernel's parts."""
    made, rate = network(kind), 1e-6
    before = kernels.measure(made, DATA, made.middle)
    descend(made, rate)
    after = kernels.measure(made, DATA, made.middle)
    seen = -(after.u - before.u) / rate / (before.r * before.error * before.cosine)
    assert seen == pytest.approx(before.k_h, rel=1e-4)


@pytest.mark.parametrize("kind", ["leaky_relu", "none", "tanh"])
def test_the_decoders_gradient_along_the_chord_gives_dy(kind):
    made = network(kind)
    seen = kernels.measure(made, DATA, made.middle)
    # Midpoints integrate a smooth gradient to second order; a kink costs one piece of the chord.
    assert seen.u * seen.r * seen.cosine == pytest.approx(seen.dy, rel=1e-3 if kind != "leaky_relu" else 0.1)


def test_in_a_linear_network_the_kernel_is_the_sum_over_its_matrices():
    """¼ Σ |z_{i−1}|² |J_iᵀp̂|², with matrices multiplied by hand; biases have no part in it."""
    made = network("none")
    weights = [module.weight.detach() for module in made.net if isinstance(module, torch.nn.Linear)]
    encoder = weights[:3]
    z = [torch.ones(1, dtype=torch.float64)]
    for weight in encoder:
        z.append(weight @ z[-1])
    back, total = z[-1] / z[-1].norm(), 0.0
    for weight, before in zip(encoder[::-1], z[-2::-1], strict=True):
        total += 0.25 * float(before @ before) * float(back @ back)
        back = weight.T @ back
    seen = kernels.measure(made, DATA, made.middle)
    assert seen.parts_h["along"] == pytest.approx(total, rel=1e-12)
    assert sum(seen.layers_h) == pytest.approx(total, rel=1e-12) and seen.bias_h == 0
    assert seen.parts_h["gates"] == pytest.approx(0, abs=1e-12)


def test_gates_that_differ_give_biases_a_part():
    assert kernels.measure(network("leaky_relu"), DATA, "net.5").bias_h > 0


def test_without_a_mean_left_the_mean_has_no_part():
    made = network()
    with torch.no_grad():
        made.net[-1].bias -= (made(DATA[0]) - DATA[1]).mean()
    assert kernels.measure(made, DATA, made.middle).parts_h["mean"] == pytest.approx(0, abs=1e-12)


def test_other_data_than_two_points_with_one_target_is_refused():
    made = network()
    inputs, targets = DATA
    for data in ((inputs, targets.repeat(1, 2)), (inputs[:1], targets[:1]), (inputs, targets[:, 0])):
        with pytest.raises(ValueError, match="data must be two points with one target each, got"):
            kernels.measure(made, data, made.middle)


def test_a_network_that_has_learned_the_difference_or_has_none_has_no_kernel():
    made = network()
    with torch.no_grad():
        learned = DATA[0], made(DATA[0])
    with pytest.raises(ValueError, match=r"not zero, got .* and difference 0\.0"):
        kernels.measure(made, learned, made.middle)
    with pytest.raises(ValueError, match=r"not zero, got ‖dh‖ = 0\.0"):
        kernels.measure(made, (DATA[0][:1].repeat(2, 1), DATA[1]), made.middle)


def power_law(alpha, k=0.3):
    """Lengths and W that belong to K = k u^alpha, by ½ d(u²) = −K dW."""
    u = np.geomspace(0.1, 0.8, 400)
    middle = (u[1:] * u[:-1]) ** 0.5
    work = -np.concatenate([[0], np.cumsum(np.diff(u) * middle ** (1 - alpha) / k)])
    return u, work


@pytest.mark.parametrize("alpha", [-0.5, 0.0, 0.65, 1.8])
def test_an_exponent_that_was_put_in_comes_out(alpha):
    read = kernels.exponent(*power_law(alpha))
    assert read.value == pytest.approx(alpha, abs=0.01) and read.readable
    assert read.growth == pytest.approx(8)


def test_what_is_no_power_is_not_read_as_one():
    u, work = power_law(0.0)
    bent = np.concatenate([[0], np.cumsum(np.diff(work) * np.exp(np.log(u[1:] / u[0]) ** 2))])
    assert not kernels.exponent(u, bent).readable
    assert not kernels.exponent(u[:70], work[:70]).readable  # too little growth
    assert not kernels.exponent(u[:5], work[:5]).readable  # too few looks
    assert not kernels.exponent(u, -work).readable  # a kernel below zero


def test_a_frozen_network_starts_as_the_network_and_keeps_its_gates():
    made = network("leaky_relu")
    frozen = kernels.Gated(made, DATA[0])
    torch.testing.assert_close(frozen(DATA[0]), made(DATA[0]))
    before = [block.slopes.clone() for block in frozen.net if isinstance(block, kernels._Frozen)]
    kernels.follow(frozen, DATA, made.middle, steps=40)
    after = [block.slopes for block in frozen.net if isinstance(block, kernels._Frozen)]
    assert all(map(torch.equal, before, after))


def test_compiled_and_plain_steps_are_the_same():
    from urep.training.graph import program_of

    one, other = network("leaky_relu"), network("leaky_relu")
    program = program_of(one, (one.middle,), 1)
    np.testing.assert_allclose(
        kernels._descend(one, DATA, program, 0.01, 20),
        kernels._descend(other, DATA, None, 0.01, 20),
        rtol=1e-9,
    )


def test_the_formula_of_random_layers_at_its_start_and_end():
    """a²u²/(8g²) at the start, with the gain that the length tells; after much growth 2 − 2/a."""
    for a in (2, 3, 11):
        start = kernels.of_random_layers(0.3, 0.3, a)
        gain2 = (0.3**2 / 2) ** (1 / a)  # of all matrices but the first, whose squared gain is twice that
        assert start == pytest.approx(a**2 * 0.3**2 / (8 * gain2))
        far = kernels.of_random_layers(np.array([1e30, 1e31]), 1.0, a)
        assert np.diff(np.log10(far))[0] == pytest.approx(2 - 2 / a, abs=1e-3)


WRONG = {
    "matrices must be .*2.5": {"matrices": 2.5},
    "matrices must be .*0": {"matrices": 0},
    "born must be .*-0.3": {"born": -0.3},
    "born must be .*nan": {"born": float("nan")},
    "outer must be .*0": {"outer": 0.0},
    "length must be finite and > 0, got -1.0": {"length": [0.5, -1.0]},
    "length must be finite and > 0, got nan": {"length": float("nan")},
    "length must be real numbers": {"length": [1j]},
}


@pytest.mark.parametrize("message", WRONG)
def test_the_formula_refuses_what_no_network_has(message):
    with pytest.raises((TypeError, ValueError), match=message):
        kernels.of_random_layers(**({"length": 0.5, "born": 0.3, "matrices": 3} | WRONG[message]))


def test_one_matrix_has_a_constant_kernel_of_the_shape_of_its_lengths():
    np.testing.assert_allclose(kernels.of_random_layers([0.3, 0.5, 2.0], 0.3, 1), [0.25] * 3)


def test_what_is_told_of_a_network_is_the_slope_of_the_formula():
    trial = kernels.MapTrial("none", 2, level=0.5, units=20)
    seen = kernels.told(trial)
    assert seen["exponents"].shape == seen["formula"].shape == (2,)
    assert seen["formula"][1] == pytest.approx(0, abs=1e-6)  # one matrix behind
    start = kernels.Look(u=0.3, r=1.0, dy=0.1, mean_error=0.0, total=1.0)
    length = np.array([3e29, 3e30, np.nan])
    slope = kernels.slope_told(kernels.MapTrial("none", 4), start, 0, length)
    assert slope == pytest.approx(2 - 2 / 3, abs=1e-3)


def test_wide_linear_networks_start_at_the_formula():
    seen = []
    for seed in range(10):
        trial = kernels.MapTrial("none", 8, seed=seed, units=100)
        made = trial.network()
        one = kernels.measure(made, DATA, made.middle)
        seen.append(one.parts_h["along"] / kernels.of_random_layers(one.u, one.u, 5))
    assert np.median(seen) == pytest.approx(1, abs=0.15)


def test_a_trial_of_the_map_is_set_as_it_says():
    trial = kernels.MapTrial("leaky_relu", 8, level=1.0)
    slope = kernels.SLOPE["leaky_relu"]
    assert (trial.gain * slope) ** 8 == pytest.approx(slope**20)
    assert kernels.MapTrial("leaky_relu", table_gain=0.1).gain == 0.1
    held = [m.bias.requires_grad for m in kernels.MapTrial("relu", 4, biases=False).network().net[::2]]
    assert held == [False] * 4 + [True]


def test_a_network_taken_apart_starts_with_its_own_gates():
    seen = kernels.taken_apart(kernels.MapTrial("leaky_relu", 4, units=20))
    assert seen["flipped"][0] == 0 and (seen["flipped"] <= 1).all()
    assert all(values.shape == (len(kernels.STAGES),) for values in seen.values())
    assert ((seen["bias_h"] > 0) & (seen["bias_h"] < 1)).all()


def test_without_an_outer_matrix_of_its_own_the_formula_is_that_of_the_growing_rates():
    """(E85) with q = 1 is (E44), which wide products of equal matrices have."""
    u = np.array([0.3, 0.5, 2.0])
    (K, _), gamma = urep.equations.book["E44"].rhs[2:4], urep.equations.book["E44"].rhs[0]
    known = K.subs(urep.equations.gamma_h, gamma)
    known = known.subs({urep.equations.encoder: 3, urep.equations.eta: 1, urep.equations.dx2: 1}).doit()
    seen = urep.equations.numeric(known, urep.equations.u, urep.equations.u_0)(u, 0.3)
    np.testing.assert_allclose(kernels.of_random_layers(u, 0.3, 3, outer=1.0), seen, rtol=1e-12)


@pytest.mark.parametrize("row", ["Skip connections", "Dropout", "Convolution"])
def test_rows_of_table_1_are_looked_at_as_they_are(row):
    trial = kernels.RowTrial(row, 130 if row == "Convolution" else 12, seed=1)
    made = trial.network()
    seen = kernels.look(made, trial.data(), made.middle)
    h = urep.training.hidden(made, trial.data()[0], (made.middle,))[made.middle].flatten(1)
    assert seen.u == pytest.approx(float((h[1] - h[0]).norm())) and seen.r > 0 and seen.total > 0


def test_what_is_random_in_a_trial_comes_from_its_seed():
    trial = kernels.RowTrial("Dropout", 6, seed=2)
    one, other = kernels.mapped_small(trial), kernels.mapped_small(trial)
    assert one["curves"].dtype == np.float32
    for name in one:
        np.testing.assert_array_equal(one[name], other[name])

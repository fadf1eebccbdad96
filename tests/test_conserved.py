"""What is conserved approximately: the NumPy trainer against PyTorch, the formulas against sums and steps."""

from functools import partial

import mpmath
import numpy as np
import pytest
import torch

import urep
from urep.experiments import conserved as cv
from urep.experiments import one_layer


def as_network(weights, draw=0):
    """The same matrices in a network of this package."""
    network = urep.FullyConnected(
        hidden_layers=len(weights) - 1, units=weights[0].shape[1], nonlinearity="none", dtype=torch.float64
    )
    layers = [module for module in network.net if isinstance(module, torch.nn.Linear)]
    with torch.no_grad():
        for layer, w in zip(layers, weights, strict=True):
            layer.weight.copy_(torch.tensor(w[draw]))
    return network, layers


@pytest.mark.parametrize(("matrices", "decay"), [(2, 0.0), (2, 0.05), (4, 0.03)])
def test_matrices_descend_as_a_network_of_the_package_does(matrices, decay):
    start = cv.matrices_of(np.random.default_rng(1), 5, matrices)
    network, layers = as_network(start)
    urep.train(
        network, one_layer.pair(), lr=0.3, epochs=80, layer=network.middle, progress=False,
        optimizer=partial(torch.optim.SGD, weight_decay=decay),
    )  # fmt: skip
    mine = cv.descended(start, 0.3, 80, weight_decay=decay)
    for w, layer in zip(mine, layers, strict=True):
        np.testing.assert_allclose(w[0], layer.weight.detach().numpy(), rtol=1e-9, atol=1e-13)
    assert cv.output(mine)[0] == pytest.approx(
        float(np.diff(network(one_layer.pair()[0]).detach().numpy()[:, 0])[0])
    )


def test_batches_of_one_point_are_those_of_a_loss_at_one_point():
    """The sign that a batch adds to the target difference is that of the point, for an offset of both."""
    offset, lr = 0.15, 0.32
    start = [np.array([[[1.5]]]), np.array([[[0.4]]])]
    signs = cv.single_points(offset, 1, np.random.default_rng(2))
    drawn = [signs(step) for step in range(40)]
    assert all(one == -other for one, other in zip(drawn[::2], drawn[1::2], strict=True))
    assert len({float(one[0]) for one in drawn[::2]}) == 2  # either point may come first
    mine = cv.descended(start, lr, 40, errors=lambda step: drawn[step])
    p, rho = (torch.tensor(w.item(), dtype=torch.float64, requires_grad=True) for w in start)
    for sign in drawn:
        x = 0.5 * np.sign(sign[0])
        loss = (p * rho * x - (cv.TARGET * x + offset)) ** 2 / 2
        slopes = torch.autograd.grad(loss, (p, rho))
        with torch.no_grad():
            for weight, slope in zip((p, rho), slopes, strict=True):
                weight -= lr * slope
    assert mine[0].item() == pytest.approx(p.item(), rel=1e-12)
    assert mine[1].item() == pytest.approx(rho.item(), rel=1e-12)


def product_of_factors(a, b, s):
    """Sum of ln(1 − e²) over the steps of the map of |p + ρ|² and |p − ρ|², in fifty digits."""
    a, b, total = mpmath.mpf(a), mpmath.mpf(b), mpmath.mpf(0)
    for _ in range(40_000):
        e = (a - b) / 4 - s
        if abs(e) < 1e-20:
            break
        total += mpmath.log(1 - e**2)
        a, b = a * (1 - e) ** 2, b * (1 + e) ** 2
    return float(total)


@pytest.mark.parametrize("order", [1, 2])
def test_what_the_formula_leaves_falls_with_the_next_power_of_the_step(order):
    with mpmath.workdps(30):
        left = []
        for h in (0.02, 0.01):
            a, b, s = 3.0 * h, 1.1 * h, 0.7 * h
            left.append(abs(product_of_factors(a, b, s) - float(cv.log_shrunk(a, b, s, order))))
    assert np.log2(left[0] / left[1]) == pytest.approx(order + 1, abs=0.1)


def second_moments(k, pairs):
    """Mean (e + noise)² of the linear recursion e ← e − k (e + noise), by its stationary second moments."""
    a = 1 - k
    if not pairs:  # V = a² V + k²
        return k**2 / (1 - a**2) + 1
    # An epoch: first noise +z, then −z; e' = a e − k z, e'' = a e' + k z, e of before independent of z.
    V = (k - a * k) ** 2 / (1 - a**4)
    return (V + 1 + a**2 * V + (-k - 1) ** 2) / 2


@pytest.mark.parametrize("k", [0.01, 0.3, 1.2])
def test_what_steps_see_of_noise_is_the_stationary_second_moment(k):
    assert cv._SEEN2(0.7, k) == pytest.approx(0.49 * second_moments(k, pairs=False), rel=1e-12)
    assert cv.in_pairs(0.7, k) == pytest.approx(0.49 * second_moments(k, pairs=True), rel=1e-12)


def test_noise_takes_of_c_what_the_integral_says():
    """The number of steps to a share g, by quadrature of dg/dn over g."""
    C, s, noise, steps = 0.2, 0.05, 0.02, 800
    g = cv.left_by_noise(C, s, noise, steps)
    slow = mpmath.quad(lambda z: (1 - mpmath.sqrt((z * C) ** 2 + 4 * s**2) / 2) / (noise**2 * z), [g, 1])
    assert float(slow) == pytest.approx(steps, rel=1e-3)


def test_a_chain_of_two_is_one_hidden_layer():
    weights, h, noise = np.array([1.6, cv.TARGET / 1.6]), 0.08, 0.3
    squares = cv.chain_left(weights, h, noise, 500)
    c = weights[0] ** 2 - weights[1] ** 2
    share = cv.left_by_noise(h * c, h * cv.TARGET, h * noise, 500)
    assert (squares[0] - squares[1]) / c == pytest.approx(float(share), rel=1e-3)
    np.testing.assert_allclose(cv.chain_left(weights, h, noise, 500, deep=False), squares, rtol=1e-12)


@pytest.mark.parametrize("matrices", [2, 3, 4, 8])
def test_under_decay_a_balanced_chain_rests_where_the_formula_says(matrices):
    decay = 0.6 * cv.collapse(matrices)
    y = cv.decayed_output(matrices, decay)
    weights = torch.full((matrices,), y ** (1 / matrices), dtype=torch.float64, requires_grad=True)
    loss = (weights.prod() - cv.TARGET) ** 2 / 8 + decay * (weights**2).sum() / 2
    (slope,) = torch.autograd.grad(loss, weights)
    assert slope.abs().max() < 1e-12
    ys = np.linspace(1e-6, cv.TARGET, 100_001)  # all rests of a chain but zero
    needed = ((cv.TARGET - ys) * ys ** (1 - 2 / matrices) / 4).max()
    assert cv.collapse(matrices) == pytest.approx(needed, rel=1e-5)
    assert cv.decayed_output(matrices, 1.001 * cv.collapse(matrices)) == 0
    assert cv.decayed_output(matrices, 0) == pytest.approx(cv.TARGET)


def test_what_is_kept_of_a_seed_is_finite_and_right_in_kind():
    kept = cv.coefficients(cv.ConservedTrial(7))
    assert {name: array.shape for name, array in kept.items()} == {
        "steps": (3,), "edge": (3,), "noise": (3,), "batches": (3,), "chain": (3,), "decay": (3, 3),
        "deep_decay": (2, 3),
    }  # fmt: skip
    for array in kept.values():
        seen, told = array[..., 0], array[..., 1]
        assert np.isfinite(array).all() and (np.sign(seen) == np.sign(told)).all()


@pytest.mark.parametrize("wrong", [np.nan, -0.1, np.inf])
def test_a_weight_decay_is_finite_and_not_negative(wrong):
    with pytest.raises(ValueError, match="weight_decay must be finite and >= 0"):
        cv.decayed_output(4, wrong)

"""Rates that grow: `urep.growth` against gradient descent on matrices, differences and the paper's limit."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.integrate import solve_ivp

import urep
from urep import equations as eq
from urep import growth, growth_kernel
from urep.growth import Growth, Lengths

TASK = urep.TwoPoint(1.0, 0.5)
T = np.linspace(0, 4000, 41)
START = Lengths(0.24, 0.29, 0.03)
DEEP = {kind: Growth.depth(3e-4, encoder=11, decoder=10, across=kind) for kind in growth.ACROSS}


def descended(matrices, cut, lr, d, t):
    """u, r and the cosine at a cut of a deep linear network under gradient flow on all its entries."""
    sizes = np.cumsum([one.size for one in matrices])[:-1]
    shaped = lambda flat: [
        part.reshape(one.shape) for part, one in zip(np.split(flat, sizes), matrices, strict=True)
    ]

    def velocity(_, flat):
        W = shaped(flat)
        moves = []
        for i in range(len(W)):
            before, after = np.ones(1), np.ones((1, 1))
            for one in W[:i]:
                before = one @ before
            for one in reversed(W[i + 1 :]):
                after = after @ one
            e = (after @ W[i] @ before).item() - d
            moves.append(-lr / 4 * e * np.outer(after.ravel(), before).ravel())
        return np.concatenate(moves)

    flat = np.concatenate([one.ravel() for one in matrices])
    found = []
    for row in solve_ivp(velocity, (0, t[-1]), flat, t_eval=t, rtol=1e-10, atol=1e-12).y.T:
        W = shaped(row)
        p, rho = np.ones(1), np.ones(1)
        for one in W[:cut]:
            p = one @ p
        for one in reversed(W[cut:]):
            rho = one.T @ rho
        found.append([np.linalg.norm(p), np.linalg.norm(rho), p @ rho])
    u, r, dy = np.array(found).T
    return u, r, dy / (u * r)


@pytest.mark.parametrize(("encoder", "decoder"), [(1, 1), (2, 1), (3, 2)])
def test_aligned_matrices_of_equal_gain_follow_the_depth_exactly(encoder, decoder):
    random = np.random.default_rng(encoder)
    inner = random.normal(size=(encoder + decoder - 1, 3))
    unit = [np.ones(1), *(v / np.linalg.norm(v) for v in inner), np.ones(1)]
    gains = [0.5] * encoder + [0.7] * decoder
    born = [g * np.outer(b, a) for g, a, b in zip(gains, unit, unit[1:], strict=False)]
    t = np.linspace(0, 3000, 7)
    seen = descended(born, encoder, 0.01, 0.5**0.5, t)
    rates = Growth.depth(0.01 / 4, encoder=encoder, decoder=decoder)
    told = growth.integrate(Lengths(0.5**encoder, 0.7**decoder, 1.0), TASK, rates, t)
    np.testing.assert_allclose(told.u, seen[0], atol=1e-7)
    np.testing.assert_allclose(told.r, seen[1], atol=1e-7)


def test_isometries_turn_at_first_as_the_theory_says():
    turn = lambda angle: np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    angle = np.radians(80)
    born = [np.array([[0.6], [0.0]]), 0.6 * turn(0.3), 0.8 * turn(angle - 0.3), np.array([[0.8, 0.0]])]
    t = np.array([0.0, 0.01])
    u, r, cosine = descended(born, 2, 0.1, 0.5**0.5, t)
    start = Lengths(u[0], r[0], cosine[0])
    told = growth.integrate(start, TASK, Growth.depth(0.1 / 4, encoder=2, decoder=2), t)
    for seen, values in ((u, told.u), (r, told.r), (cosine, told.cosine)):
        assert values[1] - values[0] == pytest.approx(seen[1] - seen[0], rel=1e-3)


def test_constant_rates_and_no_angle_are_the_paper():
    rates = urep.Rates(100.0, 200.0)
    start = Lengths(0.2, 0.3, 1.0)
    told = growth.integrate(start, TASK, Growth.paper(rates, TASK), T).state(TASK)
    exact = urep.solve(start.state(TASK), TASK, rates, T)
    for one, other in zip(told, exact, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-8)


def registered_velocity(kind, depth, start, born, kappa, dx2, target):
    """u', r' and θ' of (E40) as it is registered, with the registered rates of one birth, in numbers."""
    book, known = eq.book, {eq.encoder: depth[0], eq.decoder: depth[1], eq.eta: 4 * kappa, eq.dx2: dx2}
    known |= {eq.u: start.u, eq.r: start.r, eq.angle: np.arccos(start.cosine)}
    known |= {eq.u_0: born.u, eq.r_0: born.r, eq.error: start.u * start.r * start.cosine - target}
    rates = {"same": ("E42",), "inherited": ("E42", "E43"), "random": ("E44",)}[kind]
    for left, right in (sides for name in rates for sides in book[name].sides):
        known[left] = right.subs(known).doit().evalf()
    known = {eq.K_h_across: known[eq.K_h], eq.K_y_across: known[eq.K_y]} | known
    return [float(line.subs(known).evalf()) for line in book["E40"].rhs]


@pytest.mark.parametrize("kind", growth.ACROSS)
@pytest.mark.parametrize("depth", [(1, 1), (2, 1), (3, 4), (11, 10)])
def test_the_compiled_velocity_is_the_registered_one(kind, depth):
    random = np.random.default_rng(depth[0])
    for _ in range(3):
        start = Lengths(*random.uniform(0.2, 2.0, 2), random.uniform(-0.9, 0.9))
        born = Lengths(*random.uniform(0.1, 0.9, 2), 0.0)
        kappa, dx2, target = random.uniform(0.1, 3.0, 3)
        rates = Growth.depth(
            kappa, encoder=depth[0], decoder=depth[1], start=born, dx2=dx2, across=kind
        )  # fmt: skip
        x = np.array([np.log(start.u), np.log(start.r), np.sqrt((1 - start.cosine) / (1 + start.cosine))])
        seen = np.empty(3)
        growth_kernel.field(x, growth._constants(rates, start, urep.TwoPoint(dx2, target**2)), seen)
        u_rate, r_rate, angle_rate = registered_velocity(kind, depth, start, born, kappa, dx2, target)
        told = [u_rate / start.u, r_rate / start.r, angle_rate * (1 + x[2] ** 2) / 2]
        np.testing.assert_allclose(seen, told, rtol=1e-9)


@pytest.mark.parametrize("kind", growth.ACROSS)
def test_sensitivities_are_differences(kind):
    rates, h = DEEP[kind], 1e-5
    slopes = growth.sensitivities(START, TASK, rates, T)
    for name in growth.PARAMETERS:

        def moved(factor, name=name):
            if hasattr(rates, name):
                changed, start = replace(rates, **{name: getattr(rates, name) * factor}), START
            else:
                changed, start = rates, replace(START, **{name: getattr(START, name) * factor})
            return growth.integrate(start, TASK, changed, T, rtol=1e-13).state(TASK)

        size = 2 * h * (getattr(rates, name) if hasattr(rates, name) else getattr(START, name))
        for more, less, slope in zip(moved(1 + h), moved(1 - h), slopes[name], strict=True):
            np.testing.assert_allclose((more - less) / size, slope, atol=1e-6 * np.abs(slope).max())


def test_the_rates_of_birth_are_the_registered_sums():
    out = np.empty(6)
    for depth in (1, 2, 11):
        for ratio in (0.9, 1.0, 1.001, 4.0):
            growth_kernel.birth(np.log(ratio), 2 - 2 / depth, 2.0, out)
            k = np.arange(depth)
            kept = ratio ** (-2 * k / depth)
            assert out[0] == pytest.approx(kept.mean(), rel=1e-9)
            assert out[3] == pytest.approx(1 + (k * kept).mean(), rel=1e-9)


@pytest.mark.parametrize(
    ("rates", "choice"),
    [
        (DEEP["random"], {"depth": (11, 10), "across": "random"}),
        (DEEP["inherited"], dict(zip(("alpha", "beta"), growth.exponents(11, 10), strict=True))),
        (Growth(3e-4, 0.02, -0.5, 0.65, "same"), {"across": "same"}),
        (Growth(3e-3, 2e-3, 1.5, 1.2, "random"), {"across": "random"}),
    ],
)
def test_a_fit_finds_the_rates_that_made_the_curves(rates, choice):
    t = np.linspace(0, 8000, 200)
    seen = growth.integrate(START, TASK, rates, t).state(TASK)
    fit = growth.fit_rates((t, seen, TASK), START, **choice)
    assert fit.converged and min(fit.r2) > 1 - 1e-6
    for name in ("k_h", "k_y", "alpha", "beta"):
        assert getattr(fit.rates, name) == pytest.approx(getattr(rates, name), rel=1e-3, abs=1e-3)
    np.testing.assert_allclose(fit.predict(t).dh2, seen.dh2, rtol=1e-3)


def test_a_network_is_measured_by_its_matrices():
    network = urep.FullyConnected(hidden_layers=3, units=6, nonlinearity="none", seed=1, dtype=torch.float64)
    data = urep.tasks.two_points(dtype=torch.float64)
    weights = [m.weight.detach().numpy() for m in network.net if isinstance(m, torch.nn.Linear)]
    dh = weights[1] @ weights[0] @ np.ones(1)
    gradient = (weights[3] @ weights[2]).ravel()
    seen = growth.measured(network, data, network.middle)
    assert seen.u == pytest.approx(np.linalg.norm(dh))
    assert seen.r == pytest.approx(np.linalg.norm(gradient))
    assert seen.u * seen.r * seen.cosine == pytest.approx(float(gradient @ dh))


@pytest.mark.parametrize("nonlinearity", ["leaky_relu", "relu", "elu"])
def test_what_is_measured_makes_the_output_difference(nonlinearity):
    """Also before training, where h of the input 0 is on every kink."""
    network = urep.FullyConnected(
        hidden_layers=6, units=40, nonlinearity=nonlinearity, seed=2, dtype=torch.float64
    )
    data = urep.tasks.two_points(dtype=torch.float64)
    seen = growth.measured(network, data, network.middle)
    with torch.no_grad():
        outputs = network(data[0])
    dy = float(outputs[1] - outputs[0]) * float(torch.sign(data[1][1] - data[1][0]))
    assert seen.u * seen.r * seen.cosine == pytest.approx(dy, rel=0.01)


def test_what_is_refused_is_named():
    with pytest.raises(ValueError, match="u must be finite and > 0"):
        Lengths(0.0, 1.0, 0.5)
    with pytest.raises(ValueError, match="cosine must be in"):
        Lengths(1.0, 1.0, 1.5)
    with pytest.raises(ValueError, match="same shape"):
        Lengths(np.ones(2), np.ones(3), np.ones(2))
    with pytest.raises(ValueError, match="across must be one of"):
        Growth(1.0, 1.0, across="sideways")
    with pytest.raises(ValueError, match=r"in \[0, 2\)"):
        Growth(1.0, 1.0, alpha=-0.5, across="random")
    with pytest.raises(ValueError, match="touches zero"):
        growth.integrate(Lengths(0.1, 0.1, -1.0), TASK, Growth(1.0, 1.0), T)
    with pytest.raises(TypeError, match="depth"):
        growth.fit_rates((T, START.state(TASK), TASK), START, depth=(2, 1), alpha=0.0)


def test_an_aligned_start_has_no_derivatives():
    with pytest.raises(ValueError, match=r"start\.cosine must be < 1"):
        growth.sensitivities(replace(START, cosine=1.0), TASK, Growth(0.01, 0.01), T)

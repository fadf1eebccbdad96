"""The flow, five machines that learn it: each mechanism, and the nearest wrong thing beside it."""

import numpy as np
import pytest
import torch
from scipy.integrate import solve_ivp
from scipy.interpolate import CubicSpline
from scipy.linalg import expm

from urep.zoo import flow
from urep.zoo import surrogates as zoo

TIMES = np.linspace(0, 6, 61)


def by_steps(field, start, t=TIMES):
    """The oracle: SciPy's high-order steps."""
    return solve_ivp(field, (0, t[-1]), start, t_eval=t, method="DOP853", rtol=1e-11, atol=1e-13).y


def field(s):
    return lambda _, q: [q[1] * (s - q[0] * q[1]), q[0] * (s - q[0] * q[1])]


# --- the flow -------------------------------------------------------------------------------


@pytest.mark.parametrize("s", [1.0, -0.7, 0.0, 2.0])
def test_the_exact_flow_is_that_of_small_steps_with_all_signs(s):
    rng = np.random.default_rng(0)
    p0, x0 = 0.6 * rng.normal(size=(2, 12))
    found = flow.exact(p0, x0, TIMES, s)
    for i in range(12):
        p, x = by_steps(field(s), [p0[i], x0[i]])
        assert abs(found.p[i] - p).max() < 1e-8 and abs(found.x[i] - x).max() < 1e-8
    # A target that is off by a thousandth is noticed, where there is one.
    if s:
        assert abs(flow.exact(p0, x0, TIMES, 1.001 * s).v - found.v).max() > 1e-4


def test_six_lines_and_solve_agree_on_thousands_of_numbers():
    rng = np.random.default_rng(1)
    p0, x0 = 0.6 * rng.normal(size=(2, 200))
    one, two = flow.exact(p0, x0, TIMES), flow.closed(p0[:, None], x0[:, None], TIMES)
    assert max(abs(a - b).max() for a, b in zip(one, two, strict=True)) < 1e-10


def test_one_start_gives_curves_and_many_give_rows():
    assert flow.exact(0.3, -0.2, TIMES).v.shape == (61,)
    assert flow.exact([0.3], [-0.2], TIMES).v.shape == (1, 61)


def test_moving_targets_are_followed_from_piece_to_piece():
    targets = zoo.moving_targets(np.random.default_rng(2), 3)
    found = flow.chained(0.3, 0.1, targets, 0.5, TIMES)
    assert abs(found - flow.chained(0.3, 0.1, targets, 0.5, TIMES, by=flow.closed)).max() < 1e-11
    for row, u in zip(found, targets, strict=True):
        start, v = [0.3, 0.1], []
        for s in u:
            p, x = by_steps(field(s), start, np.linspace(0, 0.5, 6))
            start, v = [p[-1], x[-1]], [*v, *(p * x)[:-1]]
        assert abs(row[:-1] - v).max() < 1e-8
    assert abs(found - flow.chained(0.3, 0.1, targets[:, ::-1], 0.5, TIMES)).max() > 0.1


def test_interacting_particles_all_turn_by_one_angle():
    p0, x0 = 0.3 * np.random.default_rng(3).normal(size=(2, 40))

    def together(_, q):
        v = np.mean(q[:40] * q[40:])
        return np.concatenate([q[40:] * (1 - v), q[:40] * (1 - v)])

    true = by_steps(together, np.concatenate([p0, x0]))
    p, x = flow.particles(p0, x0, TIMES)
    assert max(abs(p - true[:40]).max(), abs(x - true[40:]).max()) < 1e-8
    # Particles that each follow an output of their own are elsewhere.
    alone = flow.exact(p0, x0, TIMES)
    assert flow.off(alone.p, p) > 0.1
    with pytest.raises(ValueError, match="p0 \\+ x0 must not be zero"):
        flow.particles(np.ones(3), -np.ones(3), TIMES)


def test_scores_are_relative_errors_and_memory_is_the_nearest_curve():
    true = np.array([[3.0, 4.0], [0.0, 1.0]])
    assert flow.off(1.1 * true, true) == pytest.approx(0.1)
    assert flow.worst(true + np.array([[0, 0], [0, 0.5]]), true) == pytest.approx(0.5)
    known = np.array([[0.0, 0.0], [1.0, 1.0]])
    assert (flow.nearest(np.array([[0.9, 0.8]]), known, true) == true[1]).all()


# --- 24 DeepONet ----------------------------------------------------------------------------


def test_an_operator_network_has_the_rank_of_its_terms_and_a_plain_network_does_not():
    torch.manual_seed(0)
    u, t = torch.randn(200, 12, dtype=zoo.F64), torch.linspace(0, 6, 61, dtype=zoo.F64)
    operator, plain = zoo.DeepONet(terms=4), zoo.OneNetwork()
    with torch.no_grad():
        sizes = [np.linalg.svd(net(u, t).numpy(), compute_uv=False) for net in (operator, plain)]
    assert sizes[0][4] < 1e-12 * sizes[0][0]
    assert sizes[1][4] > 1e-8 * sizes[1][0]


def test_a_trunk_that_does_not_see_time_says_one_number_a_function():
    torch.manual_seed(0)
    net = zoo.DeepONet()
    u, t = torch.randn(5, 12, dtype=zoo.F64), torch.linspace(0, 6, 61, dtype=zoo.F64)
    blind = net(u, 0 * t)
    assert net(u, t).std(1).min() > 1e-3
    assert blind.std(1).max() < 1e-12


# --- 13 PIG ---------------------------------------------------------------------------------


def test_slopes_in_time_are_those_of_differences():
    torch.manual_seed(0)
    for net in (zoo.PIG(zoo.STARTS), zoo.PINN(zoo.STARTS)):
        t, h = torch.linspace(0.1, 5.9, 30, dtype=zoo.F64), 1e-5
        q, rate = zoo.with_rate(net, t)
        differences = (net(t + h) - net(t - h)) / (2 * h)
        assert (rate - differences).abs().max() < 1e-7 and q.shape == (2, 30, 2)


def test_both_networks_begin_exactly_at_the_start():
    torch.manual_seed(0)
    for net in (zoo.PIG(zoo.STARTS), zoo.PINN(zoo.STARTS)):
        assert torch.equal(net(torch.zeros(1, dtype=zoo.F64))[:, 0], zoo.STARTS)


def test_places_of_gaussians_have_the_gradient_of_differences_and_frozen_ones_none():
    torch.manual_seed(0)
    t = torch.linspace(0, 6, 40, dtype=zoo.F64)
    net = zoo.PIG(zoo.STARTS)
    loss = lambda: zoo.residual2(*zoo.with_rate(net, t)).mean()
    (slope,) = torch.autograd.grad(loss(), net.mu)
    for place in ((0, 0, 0), (1, 3, 7), (0, 7, 19)):
        sides = []
        for h in (1e-5, -1e-5):
            with torch.no_grad():
                net.mu[place] += h
            sides.append(loss().item())
            with torch.no_grad():
                net.mu[place] -= h
        assert (sides[0] - sides[1]) / 2e-5 == pytest.approx(slope[place].item(), abs=1e-7)
    frozen = zoo.PIG(zoo.STARTS, moving=False)
    assert not frozen.mu.requires_grad and not frozen.sigma.requires_grad and frozen.w.requires_grad


def test_the_residual_is_zero_on_the_flow_and_in_the_saddle_and_not_beside_them():
    t = np.linspace(0, 6, 2001)
    exact = flow.exact(0.3, -0.2, t)
    q = torch.tensor(np.stack([exact.p, exact.x], -1))
    rate = torch.tensor(CubicSpline(t, q.numpy())(t, 1))
    assert zoo.residual2(q, rate).max() < 1e-12
    assert zoo.residual2(q, rate, s=1.01).max() > 1e-5
    saddle = torch.zeros(50, 2, dtype=zoo.F64)
    assert zoo.residual2(saddle, saddle).max() == 0


def test_causal_weights_wait_for_what_comes_before():
    r = torch.tensor([[0.5, 0.0, 2.0, 1.0]], dtype=zoo.F64, requires_grad=True)
    weights = zoo.causal(r, 3.0)
    assert weights.numpy() == pytest.approx(np.exp(-3 * np.array([[0.0, 0.5, 0.5, 2.5]])))
    assert not weights.requires_grad
    assert (zoo.causal(r, 0.0) == 1).all()


# --- 4 PINN-PM ------------------------------------------------------------------------------


def test_the_flow_map_is_the_identity_at_first_and_asks_no_particle_about_another():
    torch.manual_seed(0)
    net = zoo.FlowMap()
    q0, t = torch.randn(9, 2, dtype=zoo.F64), torch.linspace(0, 6, 7, dtype=zoo.F64)
    places = net(t, q0)
    assert torch.equal(places[0], q0)
    assert (net(t[3:4], q0[4:5])[0, 0] - places[3, 4]).abs().max() < 1e-14


def test_the_residual_of_particles_shares_one_output():
    t = np.linspace(0, 6, 2001)
    p, x = flow.particles(*(0.3 * np.random.default_rng(4).normal(size=(2, 20))), t)
    q = np.stack([p.T, x.T], -1)
    rate = torch.tensor(CubicSpline(t, q)(t, 1))
    assert zoo.interacting2(torch.tensor(q), rate).max() < 1e-12
    assert zoo.interacting2(torch.tensor(q), rate, shared=False).max() > 1e-2


def test_hyvarinens_identity_is_least_at_the_gaussian_score():
    torch.manual_seed(0)
    q = torch.randn(500, 2, dtype=zoo.F64) @ torch.tensor([[0.5, 0.2], [0.0, 0.3]], dtype=zoo.F64)
    q = q - q.mean(0)
    precision = torch.linalg.inv(q.T @ q / len(q))
    of = lambda matrix: zoo.hyvarinen(lambda z: -z @ matrix, q).item()
    least = of(precision)
    assert least == pytest.approx(-precision.trace().item())
    # A tenth off, either way, costs a hundredth of it.
    for factor in (0.9, 1.1):
        assert of(factor * precision) - least == pytest.approx(0.01 * precision.trace().item())
    # Without the divergence nothing is better than no score at all.
    assert ((q @ precision) ** 2).sum(-1).mean() > 1


# --- 20 HyPINO ------------------------------------------------------------------------------


def polynomials(shortfall=0.0):
    """An oracle in the place of HyPINO: collocation at STATIONS, short of the solution by a share."""

    def solver(m, z0, f, t):
        out = []
        powers = torch.arange(1, 17, dtype=zoo.F64)
        for (c, s), start, source in zip(m, z0, f, strict=True):
            M = torch.tensor([[c / 2, s], [s, -c / 2]], dtype=zoo.F64)
            at = zoo.STATIONS[:, None] / zoo.WINDOW
            values, slopes = at**powers, powers * at ** (powers - 1) / zoo.WINDOW
            system = torch.kron(slopes, torch.eye(2, dtype=zoo.F64)) - torch.kron(values, M)
            right = (source + start @ M).reshape(-1)
            weights = torch.linalg.solve(system, right).reshape(16, 2)
            out.append(start + (1 - shortfall) * (t[:, None] / zoo.WINDOW) ** powers @ weights)
        return torch.stack(out)

    return solver


@pytest.fixture
def equations():
    rng = np.random.default_rng(5)
    m, z0 = torch.tensor(rng.uniform(-1, 1, (4, 2))), torch.tensor(rng.normal(size=(4, 2)))
    t = torch.linspace(0, zoo.WINDOW, 9, dtype=zoo.F64)
    return m, z0, torch.zeros(4, 16, 2, dtype=zoo.F64), t


def test_the_linear_solution_is_the_matrix_exponential(equations):
    m, z0, _, t = equations
    for (c, s), start, curve in zip(m.numpy(), z0.numpy(), zoo.linear(m, z0, t).numpy(), strict=True):
        M = np.array([[c / 2, s], [s, -c / 2]])
        assert curve == pytest.approx(np.array([expm(M * at) @ start for at in t.numpy()]), abs=1e-12)


def test_refinement_squares_what_is_missing_and_the_wrong_sign_adds_to_it(equations):
    m, z0, f, t = equations
    true = zoo.linear(m, z0, t).numpy()
    off = lambda sign: [flow.off(z.detach().numpy(), true)
                        for z in zoo.refined(polynomials(0.1), m, z0, f, t, 3, sign)]  # fmt: skip
    right, wrong = off(-1.0), off(1.0)
    assert right[1:] == pytest.approx([right[0] * 0.1**k for k in (1, 2, 3)], rel=1e-3)
    assert wrong[1:] == pytest.approx([wrong[0] * 1.9, wrong[0] * 1.9**2, wrong[0] * 1.9**3], rel=1e-2)


def test_windows_of_a_linear_solver_are_the_nonlinear_flow():
    p0, x0 = np.array([0.3, 0.05]), np.array([-0.2, 0.02])
    t, q = zoo.windows(polynomials(), p0, x0, np.ones(2), 0)
    exact = flow.exact(p0, x0, t)
    assert abs(q[..., 0] - exact.p).max() < 1e-5 and abs(q[..., 1] - exact.x).max() < 1e-5
    # Without the size N the linear flow leaves for infinity.
    assert np.exp(2.0) < np.linalg.norm(zoo.linear(torch.tensor([[0.05, 1.0]]).double(),
                                                   torch.tensor([[0.3, -0.2]]).double(),
                                                   torch.tensor([6.0]).double()))  # fmt: skip


def test_the_hypernetwork_is_linear_in_the_size_of_an_equation():
    torch.manual_seed(0)
    net, draw = zoo.HyPINO(), torch.Generator().manual_seed(0)
    t = torch.linspace(0, zoo.WINDOW, 9, dtype=zoo.F64)
    m, z0, f, _, _ = zoo.manufactured(draw, 6, t)
    whole = net(m, z0, f, t)
    assert (net(m, 1e-3 * z0, 1e-3 * f, t) - 1e-3 * whole).abs().max() < 1e-13
    assert (net(2 * m, z0, f, t) - 2 * whole).abs().max() > 1e-2
    assert torch.equal(whole[:, 0], z0)


def test_manufactured_equations_have_the_solution_they_were_made_from():
    t = torch.linspace(0, zoo.WINDOW, 4001, dtype=zoo.F64)
    m, z0, f, u, source = zoo.manufactured(torch.Generator().manual_seed(0), 5, t)
    assert torch.equal(u[:, 0], z0) and f.shape == (5, 16, 2)
    slope = torch.tensor(CubicSpline(t.numpy(), u.detach().numpy(), axis=1)(t.numpy(), 1))
    assert zoo.defect(m, u, slope, source).abs().max() < 1e-6
    assert zoo.defect(1.01 * m, u, slope, source).abs().max() > 1e-3


# --- 26 MMGP --------------------------------------------------------------------------------


def test_landmarks_of_a_logistic_curve_are_where_algebra_has_them():
    t = np.linspace(0, 20, 4001)
    v = 1 / (1 + np.exp(-(t - np.array([[8.0], [11.0]]))))
    shares = np.log(zoo.SHARES / (1 - zoo.SHARES))
    assert zoo.landmarks(t, v) == pytest.approx(np.array([8 + shares, 11 + shares]), abs=1e-4)


def test_morphing_lays_plateaus_of_all_lengths_on_one_curve():
    t = np.linspace(0, 20, 2001)
    v = 1 / (1 + np.exp(-2 * (t - np.array([[5.0], [8.0], [13.0]]))))
    knots = zoo.landmarks(t, v)
    common, mesh = knots.mean(0), np.linspace(0, 20, 801)
    on_one = zoo.morphed(t, v, knots, mesh, common)
    # Between two landmarks curves can differ by no more than the gap of their shares; the first is 0.05.
    assert np.ptp(on_one, axis=0).max() < 0.05
    assert np.ptp(v, axis=0).max() > 0.9
    back = zoo.unmorphed(t, on_one, knots, mesh, common)
    assert abs(back - v).max() < 0.01


def test_the_gaussian_process_is_that_of_scikit_learn():
    from sklearn.gaussian_process import GaussianProcessRegressor
    from sklearn.gaussian_process.kernels import RBF, ConstantKernel, WhiteKernel

    rng = np.random.default_rng(6)
    x, new = rng.normal(size=(40, 2)), rng.normal(size=(30, 2))
    y = np.sin(x[:, 0]) + x[:, 1] ** 2 / 3 + 0.05 * rng.normal(size=40)
    own = zoo.Process(x, y - y.mean())
    size, *length, _ = own.theta
    kernel = ConstantKernel(np.exp(2 * size)) * RBF(np.exp(length)) + WhiteKernel(own._noise(own.theta))
    theirs = GaussianProcessRegressor(kernel, optimizer=None, alpha=1e-14).fit(x, y - y.mean())
    mean, sd = theirs.predict(new, return_std=True)
    assert own(new)[0] == pytest.approx(mean, abs=1e-6) and own(new)[1] == pytest.approx(sd, abs=1e-6)
    # The noise that was put in is found within a factor of two.
    assert 0.025 < np.sqrt(own._noise(own.theta)) < 0.1


def test_covariances_beside_the_saddle_solve_their_equation():
    first, t = np.array([[0.04, 0.01], [0.01, 0.02]]), np.linspace(0, 1.5, 16)
    M = zoo.SADDLE.numpy()

    def lyapunov(_, s):
        S = s.reshape(2, 2)
        return (M @ S + S @ M + 2 * zoo.DIFFUSION * np.eye(2)).ravel()

    assert zoo.covariances(first, t).reshape(16, 4) == pytest.approx(
        by_steps(lyapunov, first.ravel(), t).T, abs=1e-9
    )


def test_studies_name_what_they_are():
    assert [one.name for one in zoo.STUDIES][:1] == ["mmgp"]
    assert all(set(one.seeds).isdisjoint(one.fresh) for one in zoo.STUDIES)


def test_gaussians_crowd_where_a_curve_bends_or_elsewhere():
    t = np.linspace(0, 6, 601)
    bends_at_two = np.stack([abs(t - 2.25), np.zeros_like(t)], axis=1)
    there, elsewhere = np.full(40, 2.25 / 3 - 1), np.full(40, 4.75 / 3 - 1)
    assert zoo.crowding(there, bends_at_two, t) == pytest.approx(1)
    assert zoo.crowding(elsewhere, bends_at_two, t) == pytest.approx(-1 / 11)

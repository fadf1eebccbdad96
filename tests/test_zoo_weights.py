"""Mechanisms of the systems with fewer weights, each beside the nearest wrong thing."""

import inspect
from itertools import product

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from urep import tasks, train
from urep.zoo import catalogue, weights
from urep.zoo.system import trained_numbers

RANDOM = np.random.default_rng(0)
EXACT = 1e-12


def tensor(values):
    return torch.tensor(np.asarray(values), dtype=torch.float64)


# --- 2 butterfly --------------------------------------------------------------------------------


def fourier_of(twiddle, size, order):
    """The matrix of a butterfly that acts on permuted entries."""
    return weights.butterfly(twiddle, torch.eye(size, dtype=torch.complex128)[:, order]).numpy()


@pytest.mark.parametrize("size", [8, 64, 1024])
def test_closed_form_twiddles_are_the_fourier_transform_of_numpy(size):
    twiddle, order = weights.fourier_twiddle(size), weights.bit_reversed(size)
    assert twiddle.numel() == 2 * size * np.log2(size)
    wanted = np.fft.fft(np.eye(size))
    assert np.abs(fourier_of(twiddle, size, order) - wanted).max() < EXACT
    fakes = {"no bit reversal": (twiddle, torch.arange(size)), "factors backwards": (twiddle.flip(0), order)}
    for name, fake in fakes.items():
        missed = fourier_of(*fake[:1], size, fake[1]) - wanted
        assert np.linalg.norm(missed) > 0.5 * np.linalg.norm(wanted), name


def test_a_matrix_of_low_rank_with_as_many_numbers_is_no_fourier_transform():
    """All singular values of the transform are one, so the best matrix of rank r misses √(N − r)."""
    for size in weights.SIZES:
        wanted, r = np.fft.fft(np.eye(size), norm="ortho"), int(np.log2(size))
        left, s, right = np.linalg.svd(wanted)
        missed = (left[:, :r] * s[:r]) @ right[:r] - wanted
        assert np.sqrt(np.mean(np.abs(missed) ** 2)) == pytest.approx(weights.rank_error(size))
        assert weights.rank_error(size) > 0.15


def test_a_butterfly_learns_the_fourier_transform_of_eight_points():
    torch.manual_seed(0)
    assert weights.fitted_fourier(8) < 1e-6


def test_a_butterfly_is_a_product_of_sparse_matrices_and_one_factor_reaches_two_entries():
    torch.manual_seed(0)
    whole, one = weights.Butterfly(16), weights.Butterfly(16, factors=1)
    reached = {name: (layer(torch.eye(16, dtype=torch.float64)) != 0).sum(1) for name, layer in
               (("whole", whole), ("one", one))}  # fmt: skip
    assert (reached["whole"] == 16).all() and (reached["one"] == 2).all()
    assert trained_numbers(weights.butterfly_network()) == 1857


# --- 22 PHNN ------------------------------------------------------------------------------------


def hamilton(p, q):
    """SciPy's product of two quaternions (scalar first), by their rotations and lengths."""

    def turned(z):
        return Rotation.from_quat(z, scalar_first=True)

    length = np.linalg.norm(p) * np.linalg.norm(q)
    found = length * (turned(p) * turned(q)).as_quat(scalar_first=True)
    sign = np.sign(found[0] * (p[0] * q[0] - p[1:] @ q[1:]))  # a rotation is two quaternions
    return sign * found


def test_hamiltons_algebra_makes_the_layer_the_quaternion_product():
    algebra = weights.quaternions()
    for p, q in RANDOM.normal(size=(20, 2, 4)):
        layer = weights.kronecker_sum(algebra, tensor(p).view(4, 1, 1)).numpy()
        np.testing.assert_allclose(layer @ q, hamilton(p, q), atol=1e-13)


def learned_algebra(products, keep):
    """A (4, 4, 4) that least squares gives from (p, q, p·q), of which only the entries `keep` are free."""
    p, q, pq = products
    found = np.zeros((4, 4, 4))
    for row in range(4):
        columns = [(i, j) for i, j in product(range(4), range(4)) if keep(row, j)]
        design = np.stack([p[:, i] * q[:, j] for i, j in columns], axis=1)
        solution = np.linalg.lstsq(design, pq[:, row], rcond=None)[0]
        for (i, j), value in zip(columns, solution, strict=True):
            found[i, row, j] = value
    return found


def test_the_algebra_is_learned_from_products_and_a_block_diagonal_matrix_cannot():
    p, q = RANDOM.normal(size=(2, 256, 4))
    pq = np.array([hamilton(a, b) for a, b in zip(p, q, strict=True)])
    torch.manual_seed(0)
    algebra = torch.nn.Parameter(torch.randn(4, 4, 4, dtype=torch.float64) / 2)
    optimizer = torch.optim.Adam([algebra], lr=0.05)
    for _ in range(500):
        optimizer.zero_grad()
        made = torch.einsum("kij,nk,nj->ni", algebra, tensor(p), tensor(q))
        (made - tensor(pq)).square().mean().backward()
        optimizer.step()
    assert (algebra.detach() - weights.quaternions()).norm() < 1e-3
    np.testing.assert_allclose(
        learned_algebra((p, q, pq), lambda i, j: True), weights.quaternions(), atol=1e-10
    )
    diagonal = learned_algebra((p, q, pq), lambda i, j: i == j)
    left = np.einsum("kij,nk,nj->ni", diagonal, p, q) - pq
    assert np.square(left).sum() > 0.5 * np.square(pq).sum()


def test_a_phm_layer_has_a_share_of_the_weights_and_is_dense_at_n_one():
    for n, share in ((2, 0.502), (4, 0.266), (8, 0.25)):
        layer = weights.PHM(64, 64, n)
        assert (trained_numbers(layer) - 64) / 64**2 == pytest.approx(share, abs=5e-4)
    torch.manual_seed(0)
    one, x = weights.PHM(6, 4, 1), torch.randn(3, 6, dtype=torch.float64)
    assert one.algebra.abs().item() == pytest.approx(1)
    whole = (one.algebra[0] * one.filters[0]).detach().numpy()
    np.testing.assert_allclose(one(x).detach(), x.numpy() @ whole.T, atol=1e-14)


def test_filters_with_a_kernel_make_a_convolution():
    algebra, filters = RANDOM.normal(size=(2, 2, 2)), RANDOM.normal(size=(2, 3, 2, 3))
    x = RANDOM.normal(size=(4, 9))
    kernel = weights.kronecker_sum(tensor(algebra), tensor(filters))
    found = torch.nn.functional.conv1d(tensor(x)[None], kernel)[0]
    wanted = np.zeros((6, 7))
    for i, a, b, q, r in product(range(2), range(2), range(2), range(3), range(2)):
        row = np.convolve(x[2 * b + r], filters[i, q, r, ::-1], mode="valid")
        wanted[3 * a + q] += algebra[i, a, b] * row
    np.testing.assert_allclose(found, wanted, atol=1e-13)


# --- 12 SNNK ------------------------------------------------------------------------------------


def estimates(m, draws, root=1j**0.5):
    """Estimates of sin(w·x) for 16 pairs of vectors of length one half, (draws, 16), and the sines."""
    points = RANDOM.normal(size=(2, 16, 3))
    x, w = (tensor(z / (2 * np.linalg.norm(z, axis=1, keepdims=True))) for z in points)
    found = []
    for _ in range(draws):
        g = tensor(RANDOM.normal(size=(m, 3)))
        products = weights.universal_features(x, g, root) * weights.universal_features(w, g, root)
        found.append((products.imag if np.imag(root) else products).mean(1).real.numpy())
    return np.array(found), (x * w).sum(1).numpy()


def test_universal_features_estimate_a_sine_without_bias_and_ever_better():
    sizes, errors = [64, 256, 1024, 4096], []
    for m in sizes:
        found, dots = estimates(m, 100)
        errors.append(np.sqrt(np.mean((found - np.sin(dots)) ** 2)))
        bias = (found.mean(0) - np.sin(dots)) / (found.std(0) / 10)
        assert np.abs(bias).max() < 4 and np.sqrt(np.mean(bias**2)) < 1.5
    slope = np.polyfit(np.log(sizes), np.log(errors), 1)[0]
    assert abs(slope + 0.5) < 0.15


def test_a_real_exponent_estimates_an_exponential_and_no_sine():
    found, dots = estimates(4096, 20, root=1.0)
    typical = np.abs(found.mean(0) - np.exp(dots)).mean()
    assert typical < 0.02
    assert np.abs(found.mean(0) - np.sin(dots)).mean() > 20 * typical


def test_a_scalar_product_replaces_a_layer_of_sines():
    torch.manual_seed(0)
    layer = torch.nn.Linear(3, 8, dtype=torch.float64)
    x = torch.randn(16, 3, dtype=torch.float64) / 2
    one, both = torch.ones(16, 1, dtype=torch.float64), [layer.weight, layer.bias[:, None]]
    rows, columns = torch.cat([x, one], dim=1) / 2, 2 * torch.cat(both, dim=1) / 2
    wanted = torch.sin(rows @ columns.T)
    error = [
        (weights.sine_kernel(rows, columns, torch.randn(m, 4, dtype=torch.float64)) - wanted).square().mean()
        for m in (400, 40_000)
    ]
    assert error[0].sqrt() < 0.2 and 0.05 < (error[1] / error[0]).sqrt() < 0.2  # a tenth, give or take


def test_rectified_features_have_the_arc_cosine_kernel():
    """Cho and Saul (2009), degree one: ‖x‖‖w‖ (sin θ + (π − θ) cos θ) / 2π."""
    torch.manual_seed(0)
    features, rows = weights.Features(2, 400_000), RANDOM.normal(size=(2, 2))
    phi = features(tensor(rows))
    x, w = np.pad(rows, ((0, 0), (0, 1)), constant_values=1)
    sizes = np.linalg.norm(x) * np.linalg.norm(w)
    angle = np.arccos(x @ w / sizes)
    kernel = sizes * (np.sin(angle) + (np.pi - angle) * np.cos(angle)) / (2 * np.pi)
    assert (phi[0] @ phi[1]).item() == pytest.approx(kernel, rel=0.02)


def test_a_bundled_network_ends_at_the_least_squares_solution():
    torch.manual_seed(0)
    network = weights.bundled(m=128, n_in=3)
    x, y = torch.randn(6, 3, dtype=torch.float64), torch.randn(6, 1, dtype=torch.float64)
    phi = network[0](x).numpy()
    rate = 0.9 / np.linalg.norm(phi, 2) ** 2
    for _ in range(3000):
        loss = (network(x) - y).square().sum()
        (gradient,) = torch.autograd.grad(loss, [network[1].weight])
        with torch.no_grad():
            network[1].weight -= rate * gradient
    wanted = np.linalg.lstsq(phi, y.numpy(), rcond=None)[0]
    np.testing.assert_allclose(network[1].weight.detach().numpy().T, wanted, atol=1e-6)


def test_a_bundled_network_learns_no_representation_and_decays_as_its_kernel_says():
    torch.manual_seed(0)
    network, data = weights.bundled(), tasks.two_points(dy2_target=0.5, dtype=torch.float64)
    run = train(network, data, lr=0.01, epochs=200, layer="0")
    assert np.ptp(run.trajectory.dh2) == 0
    phi, targets = network[0](data[0]).numpy(), data[1].numpy()
    values, vectors = np.linalg.eigh(phi @ phi.T / 2)  # (1) is half the mean over both points
    left = vectors @ np.diag((1 - 0.01 * values) ** 199) @ vectors.T @ targets
    (dy,) = (targets - left)[1] - (targets - left)[0]
    assert run.trajectory.dy2[199] == pytest.approx(dy**2, rel=1e-9)


# --- 10 intrinsic dimension ---------------------------------------------------------------------


def test_weights_move_only_inside_the_subspace():
    torch.manual_seed(0)
    network, data = weights.subspace(d=20), tasks.two_points(dy2_target=0.5, dtype=torch.float64)
    before = torch.nn.utils.parameters_to_vector(network.base.parameters()).clone()
    train(network, data, lr=0.05, epochs=50, layer="base.3")
    after = torch.nn.utils.parameters_to_vector(network.base.parameters())
    assert torch.equal(before, after) and network.z.abs().max() > 0  # the start is kept; z moves
    np.testing.assert_allclose(network.p.norm(dim=0), 1, atol=EXACT)
    outputs = network(data[0])
    torch.nn.utils.vector_to_parameters(before + network.p @ network.z, network.base.parameters())
    np.testing.assert_allclose(network.base(data[0]).detach(), outputs.detach(), atol=EXACT)


def test_all_directions_at_once_are_the_network_itself():
    torch.manual_seed(0)
    base, data = weights.multilayer(units=6), tasks.two_points(dy2_target=0.5, dtype=torch.float64)
    size = sum(p.numel() for p in base.parameters())
    whole = weights.multilayer(units=6)
    whole.load_state_dict(base.state_dict())
    inside = weights.Subspace(base, size)
    inside.p = tensor(np.linalg.qr(RANDOM.normal(size=(size, size)))[0])
    runs = [train(net, data, lr=0.1, epochs=300, layer=name) for net, name in
            ((whole, "3"), (inside, "base.3"))]  # fmt: skip
    assert runs[0].loss[-1] < 0.5 * runs[0].loss[0]
    np.testing.assert_allclose(runs[0].trajectory.dh2, runs[1].trajectory.dh2, rtol=1e-9)


def test_one_direction_that_is_drawn_anew_each_step_learns_what_one_fixed_direction_cannot():
    data, ends = tasks.two_points(dy2_target=0.5, dtype=torch.float64), {}
    for anew in (False, True):
        torch.manual_seed(0)
        network = weights.Subspace(weights.multilayer(units=8), 1)
        start = torch.nn.utils.parameters_to_vector(network.base.parameters()).clone()
        for _ in range(900):
            loss = (network(data[0]) - data[1]).square().mean()
            (gradient,) = torch.autograd.grad(loss, [network.z])
            step = -0.01 * len(start) * gradient
            if anew:
                start += network.p @ step
                torch.nn.utils.vector_to_parameters(start, network.base.parameters())
                network.p = torch.nn.functional.normalize(torch.randn_like(network.p), dim=0)
            else:
                network.z.data += step
        ends[anew] = loss.item()
    assert ends[True] < 1e-3 and ends[False] > 0.02


# --- 7 hypernetworks ----------------------------------------------------------------------------

GAMMA = np.array([0.01, 0.1, 0.5, 1.0])


def made(encode, add):
    torch.manual_seed(0)
    return weights.Hypernetwork(0.7, encode=encode, add=add)


def test_the_weights_that_a_default_hypernetwork_makes_are_proportional_to_its_input():
    theta = made(False, False).theta(tensor(GAMMA)[:, None]).norm(dim=1).detach().numpy()
    np.testing.assert_allclose(theta / theta[-1], GAMMA, rtol=EXACT)


def test_weights_of_their_own_keep_one_size_and_a_hypernetwork_without_them_does_not():
    def spread(encode, add):
        size = made(encode, add).theta(tensor(GAMMA)[:, None]).norm(dim=1).detach().numpy()
        return size.max() / size.min() - 1

    angle = np.pi / 2 * GAMMA
    np.testing.assert_allclose(np.hypot(np.cos(angle), np.sin(angle)), 1, atol=1e-15)
    assert spread(True, True) < 0.01
    for fake in ((False, False), (True, False)):
        assert spread(*fake) > 0.03, fake
    assert spread(False, True) < 0.01  # sizes do not tell this half from the whole; gradients do


def test_a_hypernetwork_is_at_each_hyperparameter_a_network_whose_weights_of_x_it_makes():
    network, x = made(True, True), RANDOM.normal(size=(7, 1))
    thetas = network.theta(tensor(GAMMA)[:, None]).detach().numpy()
    for gamma, theta in zip(GAMMA, thetas, strict=True):
        y = x
        for k, (out, n_in) in enumerate(((16, 1), (16, 16), (1, 16))):
            weight, bias, theta = np.split(theta, [out * n_in, out * (n_in + 1)])
            y = y @ weight.reshape(out, n_in).T + bias
            y = np.maximum(y, 0.01 * y) if k < 2 else y
        outputs = network(tensor(np.hstack([x, 0 * x + gamma]))).detach().numpy()
        np.testing.assert_allclose(outputs, y, atol=EXACT)
    first = thetas[:, :16]  # a plain network has one such matrix for all γ
    assert np.linalg.norm(first[-1] - first[0]) > 0.01 * np.linalg.norm(first[0])


def seen_gradient(network, layer, gamma, last):
    """‖gradient‖ of the last columns of a layer, which see γ, over that of its biases."""
    rows = torch.tensor([[-0.5, gamma], [0.5, gamma]], dtype=torch.float64)
    loss = (network(rows) - 1).square().sum()
    seen, beside = torch.autograd.grad(loss, [layer.weight, layer.bias])
    return (seen[:, -last:].norm() / beside.norm()).item()


def test_only_an_encoded_hyperparameter_has_gradients_of_one_size_and_a_plain_network_has_not():
    def ratios(network, layer, last):
        return [seen_gradient(network, layer, gamma, last) for gamma in GAMMA]

    for add in (True, False):
        encoded, bare = made(True, add), made(False, add)
        np.testing.assert_allclose(ratios(encoded, encoded.trunk[0], 2), 1, rtol=EXACT)
        np.testing.assert_allclose(ratios(bare, bare.trunk[0], 1), GAMMA, rtol=EXACT)
    plain = weights.multilayer(0.7, n_in=2, units=72)
    assert trained_numbers(plain) == pytest.approx(trained_numbers(made(True, True)), rel=0.1)
    np.testing.assert_allclose(ratios(plain, plain[0], 1), GAMMA, rtol=EXACT)


def test_gradients_of_a_default_hypernetwork_are_proportional_to_its_input():
    def gradients(encode, add):
        network, found = made(encode, add), []
        along = torch.randn(321, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
        last = network.trunk[-1].weight
        for gamma in tensor(GAMMA):
            outcome = (network.theta(gamma.view(1, 1))[0] @ along).sum()
            found.append(torch.autograd.grad(outcome, [last])[0].norm().item())
        return np.array(found) / found[-1]

    np.testing.assert_allclose(gradients(False, False), GAMMA, rtol=EXACT)
    assert np.ptp(np.log(gradients(True, True))) < np.log(2)


# --- 15 self-tuning networks --------------------------------------------------------------------


def test_one_sigmoid_gate_a_direction_is_the_best_response_of_ridge_regression():
    inputs, targets = RANDOM.normal(size=(20, 6)), RANDOM.normal(size=20)
    ungated = np.linalg.lstsq(inputs, targets, rcond=None)[0]
    missed = []
    for lam in (0.1, 1.0, 30.0):
        best = np.linalg.solve(inputs.T @ inputs + lam * np.eye(6), inputs.T @ targets)
        found = weights.gated_response(inputs, targets, lam)
        np.testing.assert_allclose(found, best, atol=EXACT)
        missed.append(np.linalg.norm(ungated - best) / np.linalg.norm(best))
    assert max(missed) > 0.5


class Told(torch.nn.Module):
    """A response that is known: its weights are (1, ln λ, …), and its one parameter does nothing."""

    def __init__(self):
        super().__init__()
        self.idle = torch.nn.Parameter(torch.zeros((), dtype=torch.float64))

    def forward(self, log_lam):
        return torch.stack([1 + 0 * log_lam, log_lam, -log_lam], dim=1) + 0 * self.idle


def small_problem():
    return tensor(RANDOM.normal(size=(8, 3))), tensor(RANDOM.normal(size=8))


def peeks():
    """`tune` with the nearest mistake: the step of λ is told the training data."""
    source = inspect.getsource(weights.tune)
    assert source.count("misfit(response(here), *held)") == 1
    names = dict(vars(weights))
    exec(source.replace("misfit(response(here), *held)", "misfit(response(here), *train)"), names)
    return names["tune"]


def test_the_step_of_lambda_sees_held_out_data_alone_and_one_that_peeks_is_caught():
    own, other, held, elsewhere = (small_problem() for _ in range(4))

    def path(tune, train, held_out):
        torch.manual_seed(0)
        return tune(Told(), train, held_out, 2.0, steps=30)

    fake, right = peeks(), path(weights.tune, own, held)
    assert np.array_equal(right, path(weights.tune, other, held))
    assert not np.array_equal(right, path(weights.tune, own, elsewhere))
    assert not np.array_equal(path(fake, own, held), path(fake, other, held))


class Layer(torch.nn.Module):
    """The weights (draws, n) that the judged layer makes of ln λ: what it gives for unit vectors."""

    def __init__(self, layer, n):
        super().__init__()
        self.layer, self.n = layer, n

    def forward(self, log_lam):
        units = torch.eye(self.n, dtype=torch.float64).repeat(len(log_lam), 1)
        lam = log_lam.repeat_interleave(self.n)[:, None]
        return (self.layer(units, lam) - self.layer(0 * units, lam)).view(len(log_lam), self.n)


class Plain(torch.nn.Module):
    """A linear layer of (x, λ), which moves its bias with λ and no weight of x."""

    def __init__(self, n):
        super().__init__()
        self.layer = weights.dense(n + 1, 1)

    def forward(self, x, lam):
        return self.layer(torch.cat([x, lam], dim=1))


def test_a_judged_layer_tunes_lambda_on_held_out_data_and_a_plain_layer_does_not():
    """On targets that are all zero the best λ is large, on the training data itself it is small."""
    train = small_problem()
    nothing = train[0], 0 * train[1]
    found = {}
    for name, make in (("judged", lambda: weights.HyperLinear(3, 1)), ("plain", lambda: Plain(3))):
        torch.manual_seed(0)
        up, down = (weights.tune(Layer(make(), 3), train, held, 1.0, steps=100) for held in (nothing, train))
        found[name] = up[-1] - 1, down[-1] - 1
    assert found["judged"][0] > 0.5 and found["judged"][1] < -0.5
    assert np.abs(found["plain"]).max() < EXACT


def test_the_judged_network_is_at_each_lambda_a_network_whose_weights_lambda_makes():
    torch.manual_seed(0)
    network = weights.SelfTuning(0.7, units=5)
    for layer in network.layers:
        torch.nn.init.normal_(layer.own.bias)
        torch.nn.init.normal_(layer.shift)
    x, ungated = RANDOM.normal(size=(7, 1)), []
    for lam in (0.0, 0.5, 2.0):
        there, plain = x, x
        for k, layer in enumerate(network.layers):
            parts = layer.own.weight, layer.own.bias, layer.gated.weight, layer.shift, layer.gates.weight
            w, b, v, c, u = (p.detach().numpy() for p in parts)
            s, t = np.split(lam * u[:, 0], 2)
            there, plain = there @ (w + s[:, None] * v).T + b + t * c, plain @ w.T + b
            if k < 3:
                there, plain = np.maximum(there, 0.01 * there), np.maximum(plain, 0.01 * plain)
        outputs = network(tensor(np.hstack([x, 0 * x + lam]))).detach().numpy()
        np.testing.assert_allclose(outputs, there, atol=EXACT)
        ungated.append(np.abs(outputs - plain).max())
    assert ungated[0] < EXACT and min(ungated[1:]) > 0.01


def test_gates_scale_with_the_input_and_a_plain_network_of_x_and_lambda_does_not():
    def missed(network):
        rows = torch.tensor([[-0.7, 1.0], [0.2, 1.0], [0.9, 1.0]], dtype=torch.float64)
        one, two = network(rows), network(rows * torch.tensor([2.0, 1.0]))
        return ((two - 2 * one).norm() / (2 * one).norm()).item()

    torch.manual_seed(0)
    judged, plain = weights.SelfTuning(0.7), weights.multilayer(0.7, n_in=2, units=46)
    assert trained_numbers(plain) == pytest.approx(trained_numbers(judged), rel=0.1)
    assert missed(judged) < EXACT and missed(plain) > 0.1


def test_gates_that_ignore_lambda_cannot_tune_it():
    torch.manual_seed(0)
    sets = [(tensor(RANDOM.normal(size=(8, 3))), tensor(RANDOM.normal(size=8))) for _ in range(2)]
    right = torch.eye(3, dtype=torch.float64)
    still = weights.tune(weights.BestResponse(right, gated=False), *sets, 2.0, steps=20)
    moved = weights.tune(weights.BestResponse(right), *sets, 2.0, steps=20)
    assert np.ptp(still) == 0 and np.ptp(moved) > 0.05


# --- the systems --------------------------------------------------------------------------------

PARAMETERS = {"butterfly": 1857, "phnn": 3649, "snnk": 8257, "subspace": 400, "mip": 11506,
              "hypernetwork": 11169, "self-tuning": 4612}  # fmt: skip


@pytest.mark.parametrize("name", PARAMETERS)
def test_a_system_has_as_many_weights_as_it_says_and_starts_from_its_seed(name):
    one = catalogue.system(name)
    first, again, other = one.network(1, 0.7), one.network(1, 0.7), one.network(2, 0.7)
    assert trained_numbers(first) == PARAMETERS[name]
    inputs, _ = one.pair(0.5)
    assert torch.equal(first(inputs), again(inputs)) and not torch.equal(first(inputs), other(inputs))

"""Mechanisms of the zoo's systems on functions, surfaces, graphs and sets, each beside a fake."""

from itertools import pairwise

import networkx as nx
import numpy as np
import pytest
import torch
from torch import nn

from urep import tasks, train
from urep.zoo import geometry, graphs, operators, sets, sheets

SIZES = (32, 64, 128, 256)


def parameters(network):
    return sum(p.numel() for p in network.parameters())


@pytest.mark.parametrize(
    ("make", "wanted"),
    [
        (operators.mgno, 3998),
        (operators.fno, 10097),
        (geometry.lift, 961),
        (graphs.mpnn, 1105),
        (graphs.mpnn_compiled, 1105),
        (graphs.gssnn, 1273),
        (sets.tversky, 1334),
    ],
)
def test_systems_have_the_parameters_of_their_design_and_draw_float64_from_the_global_generator(make, wanted):
    torch.manual_seed(3)
    one = make(0.5)
    torch.manual_seed(3)
    again = make(0.5)
    assert parameters(one) == wanted
    for p, q in zip(one.parameters(), again.parameters(), strict=True):
        assert p.dtype == torch.float64 and torch.equal(p, q)


# --- 6 MgNO ---------------------------------------------------------------------------------


def as_matrix(cycle, n):
    with torch.no_grad():
        return cycle(torch.eye(n, dtype=torch.float64)[:, None])[:, 0].T.numpy()


def contraction(n, levels):
    """Spectral radius of 1 - B(-u'') on functions of mean zero, B one textbook cycle."""
    shift = np.roll(np.eye(n), 1, axis=0)
    second = (2 * np.eye(n) - shift - shift.T) * n**2
    centre = np.eye(n) - 1 / n
    error = centre @ (np.eye(n) - as_matrix(operators.textbook_cycle(n, levels), n) @ second) @ centre
    return abs(np.linalg.eigvals(error)).max()


def test_a_v_cycle_is_linear():
    torch.manual_seed(0)
    cycle = operators.xavier(operators.VCycle(2, 3), 1.0)
    f, g = torch.randn(2, 5, 2, 32, dtype=torch.float64)
    with torch.no_grad():
        away = cycle(2 * f - 3 * g) - 2 * cycle(f) + 3 * cycle(g)
    assert float(away.abs().max()) < 1e-12


def test_textbook_weights_make_a_v_cycle_multigrid_and_one_level_alone_is_slow():
    rates = [contraction(n, int(np.log2(n))) for n in SIZES]
    assert max(rates) < 0.6
    assert max(rates) - min(rates) < 0.1
    for n in SIZES:
        # Damped Jacobi leaves the slowest wave by 1 - ⅔(1 - cos 2π/n).
        assert contraction(n, 1) == pytest.approx(1 - 2 / 3 * (1 - np.cos(2 * np.pi / n)), rel=1e-9)
    assert min(contraction(n, 1) for n in SIZES[1:]) > 0.99


def test_three_levels_of_stencils_reach_everywhere_and_one_does_not():
    torch.manual_seed(0)
    reach = {}
    for levels in (1, 3):
        cycle = operators.xavier(operators.VCycle(1, 1, levels), 1.0)
        reach[levels] = (abs(as_matrix(cycle, 32)) > 1e-14).sum(axis=0)
    assert (reach[3] == 32).all()
    assert (reach[1] == 3).all()
    assert parameters(operators.VCycle(1, 1, 3)) - parameters(operators.VCycle(1, 1, 2)) == 16


# --- 16 neural operators -----------------------------------------------------------------------


def test_a_spectral_layer_multiplies_fourier_coefficients_as_numpy_has_them():
    torch.manual_seed(0)
    network = operators.fno(1.0)
    layer = network.blocks[0].integral
    v = torch.randn(1, 40, 16, dtype=torch.float64)
    with torch.no_grad():
        found = np.fft.rfft(layer(v)[0].numpy(), axis=0)
        multiplier = (layer.weight[:, 0] + 1j * layer.weight[:, 1]).numpy()
    wanted = np.zeros((21, 16), complex)
    wanted[:6] = np.einsum("kc,kcd->kd", np.fft.rfft(v[0].numpy(), axis=0)[:6], multiplier)
    wanted[0] = wanted[0].real  # the mean of a real function is real
    np.testing.assert_allclose(found, wanted, atol=1e-12)


def smooth(n):
    s = torch.arange(n, dtype=torch.float64) / n
    return torch.stack((torch.exp(torch.cos(2 * torch.pi * s)), torch.sin(2 * torch.pi * s)))


def refined(make):
    """Errors of a random network at 16 to 128 points against 256: outputs, and functions by three blocks."""
    torch.manual_seed(0)
    network, grids = make(1.0), (16, 32, 64, 128, 256)
    waves = torch.randn(2, 16, dtype=torch.float64)
    with torch.no_grad():
        outputs = [network(smooth(n)) for n in grids]
        hidden = [network.blocks((smooth(n).T @ waves)[None]) for n in grids]
    *coarse, fine = hidden
    between = [float((h - fine[:, :: 256 // h.shape[1]]).norm() / fine.norm()) for h in coarse]
    return [float((y - outputs[-1]).norm() / outputs[-1].norm()) for y in outputs[:-1]], between


def test_a_fourier_operator_is_the_same_at_any_resolution_and_a_cnn_is_not():
    outputs, functions = refined(operators.fno)
    assert all(finer < 0.5 * coarser for coarser, finer in pairwise(outputs))
    _, cnn = refined(operators.cnn)
    # From 32 points on, between smooth functions; ninety times is what the prototype of a CNN missed by.
    assert all(far > 90 * near for near, far in zip(functions[1:], cnn[1:], strict=True))


def test_attention_with_quadrature_weights_converges_on_uneven_points_and_without_does_not():
    def attended(n, weighted):
        t = (torch.arange(n, dtype=torch.float64) + 0.5) / n
        s = torch.cat((torch.zeros(1), t**2, torch.ones(1))).double()
        rows = torch.stack((torch.sin(3 * s), torch.cos(2 * s)), dim=1)
        gaps = torch.diff(s)
        weights = torch.cat((gaps, gaps.new_zeros(1))) / 2 + torch.cat((gaps.new_zeros(1), gaps)) / 2
        return operators.attention(rows, weights if weighted else torch.ones_like(s))[0].numpy()

    s = np.linspace(0, 1, 20001)
    rows = np.stack((np.sin(3 * s), np.cos(2 * s)), axis=1)
    kernel = np.exp(rows[:1] @ rows.T)[0]
    truth = np.trapezoid(kernel[:, None] * rows, s, axis=0) / np.trapezoid(kernel, s)
    errors = {w: [abs(attended(n, w) - truth).max() for n in (32, 64, 128)] for w in (True, False)}
    assert errors[True][2] < 1e-3 and errors[True][2] < errors[True][0] / 4
    assert errors[False][2] > 0.05


def test_a_convolution_by_the_recipe_is_a_derivative_and_one_on_the_grid_goes_to_zero():
    errors, fakes = [], []
    for n in (32, 64, 128):
        s = torch.arange(n, dtype=torch.float64) / n
        rows, kernel = torch.sin(2 * torch.pi * s)[None], torch.tensor([-0.5, 0.0, 0.5]).double()
        slope = 2 * torch.pi * torch.cos(2 * torch.pi * s)
        found = operators.differential_conv(rows, kernel)[0]
        errors.append(float((found - slope).abs().max()))
        fakes.append(float((found / n - slope).abs().max()))
    assert [a / b for a, b in pairwise(errors)] == pytest.approx([4, 4], rel=0.02)
    assert min(fakes) > 5


# --- 18 Riemannian features ----------------------------------------------------------------------


@pytest.mark.parametrize(("u", "v"), [(0.6, 0.2), (1.2, 0.6), (2.0, -1.0)])
def test_curvature_and_connection_of_sphere_and_torus_are_the_textbooks(u, v):
    p = torch.tensor([u, v], dtype=torch.float64)
    ball = lambda q: geometry.sphere(q, radius=1.7)
    assert float(geometry.curvature(ball, p)) == pytest.approx(1 / 1.7**2, abs=1e-9)
    assert float(geometry.connection(ball, p)[0, 1, 1]) == pytest.approx(-np.sin(u) * np.cos(u), abs=1e-9)
    assert float(geometry.connection(ball, p)[1, 0, 1]) == pytest.approx(1 / np.tan(u), abs=1e-9)
    wanted = np.cos(u) / (1.0 * (2.0 + np.cos(u)))
    assert float(geometry.curvature(geometry.torus, p)) == pytest.approx(wanted, abs=1e-9)


def normals(surface):
    """Unit normals at both places: extrinsic, the nearest wrong features."""
    found = []
    for p in geometry.PLACES:
        tangents = torch.func.jacrev(surface)(p)
        normal = torch.linalg.cross(tangents[:, 0], tangents[:, 1])
        found.append(normal / normal.norm())
    return torch.stack(found)


def test_a_rolled_up_plane_keeps_its_intrinsic_features_and_not_its_normals():
    flat, rolled = (geometry.riemannian(geometry.SURFACES[n], geometry.PLACES) for n in ("plane", "cylinder"))
    assert float((flat - rolled)[:, 3:].abs().max()) < 1e-12
    assert float((flat - rolled)[:, :3].abs().max()) > 0.1
    assert float((normals(geometry.plane) - normals(geometry.cylinder)).abs().max()) > 0.1


@pytest.mark.parametrize("name", ["sphere", "torus", "wing"])
def test_a_rotation_leaves_intrinsic_features_and_turns_normals(name):
    random = np.random.default_rng(1)
    turn = torch.tensor(np.linalg.qr(random.normal(size=(3, 3)))[0])
    surface = geometry.SURFACES[name]
    turned = lambda p: turn @ surface(p)
    own, other = (geometry.riemannian(s, geometry.PLACES)[:, 3:] for s in (surface, turned))
    assert float((own - other).abs().max()) < 1e-11
    assert float((normals(surface) - normals(turned)).abs().max()) > 0.1


# --- 30 neural compilation --------------------------------------------------------------------------


def random_graph(n, seed):
    """A directed graph of NetworkX with whole weights, and the weights as a matrix."""
    graph = nx.gnp_random_graph(n, 3 / n, seed=seed, directed=True)
    random, weights = np.random.default_rng(seed), np.full((n, n), np.inf)
    for u, v in graph.edges:
        graph[u][v]["weight"] = weights[u, v] = int(random.integers(1, 10))
    return graph, torch.tensor(weights)


@pytest.mark.parametrize("n", [8, 32, 64])
def test_a_compiled_round_is_bellman_ford_without_error_and_mean_aggregation_is_not(n):
    network, fake_error = graphs.compiled("bellman-ford"), []
    for seed in range(20):
        graph, weights = random_graph(n, seed)
        start = torch.full((n, 1), graphs.SILENCE, dtype=torch.float64)
        start[0] = 0.0
        with torch.no_grad():
            found = -graphs.executed(network, weights, start, n - 1)[-1, :, 0].numpy()
            averaged = -by_mean(network, weights, start, n - 1)[:, 0].numpy()
        wanted = nx.single_source_bellman_ford_path_length(graph, 0)
        for node in range(n):
            assert found[node] == wanted[node] if node in wanted else found[node] > 1000
        fake_error.append(np.mean([abs(averaged[node] - far) for node, far in wanted.items()]))
    assert np.median(fake_error) > 1


def by_mean(network, weights, h, rounds):
    """The compiled round with the mean over neighbours for the maximum."""
    there = torch.isfinite(weights).double()
    for _ in range(rounds):
        w = torch.where(there > 0, weights, 0.0)
        heard = (network.M.weight[0, 0] * h + network.M.weight[0, 1] * w) * there
        m = (heard.sum(0) / there.sum(0).clamp(min=1))[:, None]
        h = network.U2(network.activation(network.U1(torch.cat((h, m), dim=1))))
    return h


@pytest.mark.parametrize("n", [8, 32, 64])
def test_a_compiled_search_reaches_what_networkx_reaches_round_by_round(n):
    network = graphs.compiled("bfs")
    for seed in range(20):
        graph, weights = random_graph(n, seed)
        start = torch.zeros(n, 1, dtype=torch.float64)
        start[0] = 1.0
        with torch.no_grad():
            found = graphs.executed(network, weights, start, 5)[:, :, 0].numpy()
        for k in range(5):
            near = nx.single_source_shortest_path_length(graph, 0, cutoff=k + 1)
            assert set(np.flatnonzero(found[k] == 1)) == set(near)
            assert set(np.unique(found[k])) <= {0.0, 1.0}


def test_the_compiled_start_runs_two_algorithms_on_the_ring_and_the_permuted_one_none():
    rows = torch.randn(5, 8, dtype=torch.float64)
    steps = np.array([min(k, 8 - k) for k in range(8)])
    far = abs(np.subtract.outer(np.arange(8), np.arange(8)))
    far = steps[far]
    near = np.where(far <= 3, 0.0, np.inf)
    x = rows.numpy()
    wanted = [(x[:, :, None] - cost).max(axis=1) for cost in (np.where(far <= 3, far, np.inf), near)]
    missed = {}
    for make in (graphs.mpnn_compiled, graphs.mpnn_permuted):
        torch.manual_seed(0)
        network = make(0.5)
        with torch.no_grad():
            found = network.states(rows).numpy()
        missed[make.__name__] = max(abs(found[..., k] - wanted[k]).max() for k in (0, 1))
    assert missed["mpnn_compiled"] < 1e-12
    assert missed["mpnn_permuted"] > 0.1


def test_the_permuted_start_has_the_spectra_of_the_compiled_one():
    kept = []
    for make in (graphs.mpnn_compiled, graphs.mpnn_permuted):
        torch.manual_seed(0)
        kept.append([np.linalg.svd(p.detach().numpy(), compute_uv=False) for p in make(0.5).parameters()
                     if p.ndim == 2])  # fmt: skip
    for own, other in zip(*kept, strict=True):
        np.testing.assert_allclose(own, other, atol=1e-12)


# --- 27 G-SSNN -----------------------------------------------------------------------------------------


def test_programs_build_the_graphs_that_networkx_has():
    wanted = {"chain 6": nx.path_graph(6), "ring 6": nx.cycle_graph(6), "star 6": nx.star_graph(5)}
    for program, graph in wanted.items():
        np.testing.assert_array_equal(graphs.run_program(program).numpy(), nx.to_numpy_array(graph))
    assert len({graphs.run_program(p).numpy().tobytes() for p in graphs.PROGRAMS}) == len(graphs.PROGRAMS)
    with pytest.raises(ValueError, match="program must be of chain, ring, star, join, relabel"):
        graphs.run_program("tree 6")


def outputs_of(program, place=None):
    torch.manual_seed(0)
    network = operators.xavier(graphs.GSSNN(graphs.run_program(program), torch.nn.Linear(1, 24)), 1.0)
    if place is not None:
        network.place.copy_(place)
    with torch.no_grad():
        return network(torch.linspace(-1, 1, 7, dtype=torch.float64)[:, None])


def test_only_the_graph_of_a_program_is_seen_and_its_labels_are():
    chain = outputs_of("chain 6")
    assert float((chain - outputs_of("chain 3 chain 3 join")).abs().max()) < 1e-12
    assert float((chain - outputs_of("chain 6 relabel")).abs().max()) > 1e-3


def test_fixed_features_are_no_parameters_and_the_same_for_all_seeds():
    torch.manual_seed(1)
    one, other = graphs.gssnn(1.0), graphs.gssnn(1.0)
    assert torch.equal(one.place, other.place)
    assert not any("place" in name for name, _ in one.named_parameters())
    fake = torch.nn.Parameter(one.place.clone())  # features that are trained get a gradient
    h = one.encode(torch.ones(1, 1).double()).unflatten(1, (6, 4)).repeat(1, 1, 6) + fake
    one.read(torch.tanh(one.layers[0](h)).mean(dim=1)).sum().backward()
    assert float(fake.grad.abs().max()) > 0


# --- 8 Tversky --------------------------------------------------------------------------------------------


def similarity(a, b, bank, theta, alpha, beta):
    """Tversky's formula with Python's sets."""
    of = lambda x: {k for k, f in enumerate(bank) if x @ f > 0}
    common, a_only, b_only = of(a) & of(b), of(a) - of(b), of(b) - of(a)
    return (theta * sum((a @ bank[k]) * (b @ bank[k]) for k in common)
            - alpha * sum(a @ bank[k] for k in a_only)
            - beta * sum(b @ bank[k] for k in b_only))  # fmt: skip


def test_a_projection_is_tverskys_similarity_of_sets():
    torch.manual_seed(0)
    layer = sets.Tversky(5, 3, features=9).double()
    x = torch.randn(4, 5, dtype=torch.float64)
    bank, prototypes = layer.bank.detach().numpy(), layer.prototypes.detach().numpy()
    scales = layer.scales.detach().numpy()
    wanted = [[similarity(a, b, bank, *scales) for b in prototypes] for a in x.numpy()]
    np.testing.assert_allclose(layer(x).detach().numpy(), wanted, atol=1e-12)


@pytest.mark.parametrize(("alpha", "beta"), [(0.6, 0.4), (0.5, 0.5), (1.0, 0.0)])
def test_similarity_is_asymmetric_exactly_where_alpha_is_not_beta(alpha, beta):
    torch.manual_seed(0)
    x = torch.randn(6, 4, dtype=torch.float64)
    layer = sets.Tversky(4, 6, features=8).double()
    with torch.no_grad():
        layer.prototypes.copy_(x)
        layer.scales.copy_(torch.tensor([1.0, alpha, beta]))
        each = layer(x)
    apart = float((each - each.T).abs().max())
    assert apart < 1e-12 if alpha == beta else apart > 0.1
    assert float((x @ x.T - (x @ x.T).T).abs().max()) < 1e-14  # the dot product is always symmetric


def test_without_differences_and_with_one_feature_a_coordinate_it_is_a_linear_layer():
    layer = sets.Tversky(4, 3, features=4).double()
    x = torch.rand(5, 4, dtype=torch.float64)
    with torch.no_grad():
        layer.bank.copy_(torch.eye(4))
        layer.prototypes.abs_()
        layer.scales.copy_(torch.tensor([1.0, 0.0, 0.0]))
        np.testing.assert_allclose(layer(x), x @ layer.prototypes.T, atol=1e-14)
        assert float((layer(x - 0.5) - (x - 0.5) @ layer.prototypes.T).abs().max()) > 0.01


def test_one_projection_is_xor_and_no_linear_layer_is():
    inputs, targets = tasks.xor(dtype=torch.float64)
    layer = sets.Tversky(2, 1, features=2).double()
    with torch.no_grad():  # features "only the first" and "only the second", a prototype that has neither
        layer.bank.copy_(torch.tensor([[1.0, -1.0], [-1.0, 1.0]]))
        layer.prototypes.copy_(torch.tensor([[1.0, 1.0]]))
        layer.scales.copy_(torch.tensor([0.0, -1.0, 0.0]))
        np.testing.assert_allclose(layer(inputs), targets, atol=1e-15)
    columns = np.column_stack([inputs.numpy(), np.ones(4)])
    best = columns @ np.linalg.lstsq(columns, targets.numpy(), rcond=None)[0]
    assert np.mean((best - targets.numpy()) ** 2) == pytest.approx(0.25)


def test_a_smooth_membership_is_continuous_and_that_of_sets_jumps():
    near = torch.tensor([[-1e-9], [1e-9]], dtype=torch.float64)
    jumps = []
    for blur in (0.0, 0.25):
        layer = sets.Tversky(1, 1, features=1, blur=blur).double()
        with torch.no_grad():
            layer.bank.fill_(1.0)
            layer.prototypes.fill_(1.0)
            layer.scales.copy_(torch.tensor([0.0, 0.0, 1.0]))  # b alone is what a has not
            jumps.append(float(layer(near).diff(dim=0).abs()))
    assert jumps[0] == pytest.approx(1.0)
    assert jumps[1] < 1e-6


def trained_network(name):
    """A network that the zoo judges, of seed 0, at its settings and after training on its pair."""
    own = sheets.sheet(name)
    network = own.system.network(0, own.settings.gain)
    train(network, own.system.pair(0.5), lr=own.settings.lr, epochs=1000, layer="first", stop_at_loss=1e-4)
    return network


def jumps(network, hidden):
    """Jumps of a hidden layer where a feature enters the set of the input, and what the formula says."""
    bank, lift = network.first.bank, network.lift
    slope = bank @ lift.weight[:, 0]
    enters, step = -(bank @ lift.bias / slope)[:, None], 1e-9 * slope.sign()[:, None]
    told = network.first.scales[2] * torch.relu(bank @ network.first.prototypes.T)
    return hidden(enters + step) - hidden(enters - step), told


def test_the_judged_tversky_network_jumps_as_its_sets_say_and_plain_and_smooth_networks_do_not_jump():
    torch.manual_seed(0)
    a, b, c, d = (nn.Linear(*size) for size in ((1, 16), (16, 38), (38, 16), (16, 1)))
    plain = nn.Sequential(a, b, nn.ReLU(), c, d).double()
    judged, smooth = trained_network("tversky"), trained_network("tversky-smooth")
    assert abs(parameters(plain) / parameters(judged) - 1) < 0.05
    with torch.no_grad():
        for network, hidden, jumping in (
            (judged, lambda x: judged.first(judged.lift(x)), True),
            (smooth, lambda x: smooth.first(smooth.lift(x)), False),
            (judged, plain[:4], False),
        ):
            seen, told = jumps(network, hidden)
            assert float(told.abs().max()) > 0.01  # or nothing would be asked of the fakes
            apart = float((seen - told).abs().max() / told.abs().max())
            assert apart < 1e-6 if jumping else apart > 0.9


def test_networks_trained_side_by_side_are_those_trained_alone():
    inputs, targets = tasks.xor(dtype=torch.float64)
    errors, numbers = sets.rectified((3, 4), inputs, targets, steps=5)
    for seed, error in zip((3, 4), errors, strict=True):
        torch.manual_seed(seed)
        alone = nn.Sequential(nn.Linear(2, 5), nn.ReLU(), nn.Linear(5, 1)).double()
        adam = torch.optim.Adam(alone.parameters(), lr=0.02)
        for _ in range(5):
            loss = (alone(inputs) - targets).square().mean()
            adam.zero_grad()
            loss.backward()
            adam.step()
        assert error == pytest.approx(loss.item(), rel=1e-9)
        assert numbers == parameters(alone)

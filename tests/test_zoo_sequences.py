"""The zoo's tokens: each system's own mechanism, and a fake that lacks it."""

from itertools import pairwise
from math import exp, log

import numpy as np
import pytest
import torch
from scipy.integrate import quad
from scipy.stats import kstest, norm
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from urep import tasks, train
from urep.zoo import sequences as zoo
from urep.zoo import sheets

MAKES = {
    "in context": (zoo.in_context, 15, {}),
    "in context, norm": (zoo.in_context, 15, {"norm": True}),
    "satformer": (zoo.satformer, 16, {}),
    "satformer, no norm": (zoo.satformer, 16, {"norm": False}),
    "widenet": (zoo.widenet, 8, {}),
    "widenet, no norm": (zoo.widenet, 8, {"norm": False}),
    "widenet, unshared": (zoo.widenet, 8, {"norm": False, "shared": False}),
    "next gap": (zoo.next_gap, 8, {}),
}


@pytest.fixture(autouse=True)
def _seeded():
    torch.manual_seed(0)


def random(*shape):
    return torch.randn(*shape, dtype=torch.float64)


# --- what the systems share -------------------------------------------------------------------


@pytest.mark.parametrize("name", MAKES)
def test_a_system_is_float64_and_the_loss_reaches_each_of_its_parameters(name):
    make, length, options = MAKES[name]
    network, inputs = make(0.7, **options), random(2, length)
    outputs = network(inputs)
    assert outputs.dtype == torch.float64 and outputs.ndim == 2 and len(outputs) == 2
    gradients = torch.autograd.grad(outputs.square().sum(), list(network.parameters()), allow_unused=True)
    assert all(gradient is not None for gradient in gradients)


@pytest.mark.parametrize("name", MAKES)
def test_a_gain_multiplies_the_matrices_and_nothing_else(name):
    make, _, options = MAKES[name]
    networks = []
    for gain in (0.5, 1.0):
        torch.manual_seed(1)
        networks.append(dict(make(gain, **options).named_parameters()))
    half, whole = networks
    for key, parameter in whole.items():
        scale = 0.5 if parameter.ndim in (2, 3) and "bias" not in key else 1.0
        torch.testing.assert_close(half[key], scale * parameter)
        assert "bias" not in key or not parameter.any()


def test_attention_is_a_softmax_of_scaled_products_of_queries_and_keys():
    attend, x = zoo.xavier(zoo.Attention(), 1.0), random(3, 5, zoo.WIDTH)
    value = lambda layer: x.numpy() @ layer.weight.detach().numpy().T
    q, k, v = (value(layer) for layer in (attend.query, attend.key, attend.value))
    heads = []
    for part in (slice(0, 8), slice(8, 16)):
        weights = np.exp(q[..., part] @ k[..., part].swapaxes(1, 2) / np.sqrt(8))
        heads.append(weights / weights.sum(-1, keepdims=True) @ v[..., part])
    expected = np.concatenate(heads, -1) @ attend.out.weight.detach().numpy().T
    np.testing.assert_allclose(attend(x).detach(), expected, rtol=0, atol=1e-12)


def test_no_step_changes_the_length_of_what_a_layer_norm_gives():
    norm_, z = zoo.normalisation(True).double(), random(zoo.WIDTH)
    jacobian = torch.autograd.functional.jacobian(norm_, z)
    h = norm_(z).detach()
    assert float((h @ jacobian).abs().max()) < 1e-4 * float(jacobian.abs().max())  # eps = 1e-5 of LayerNorm
    plain = torch.autograd.functional.jacobian(nn.Identity(), z)
    assert float((z @ plain).abs().max()) > 0.1


# --- 9  Bayesian model averaging --------------------------------------------------------------------


def bayes(x, y, query, concepts):
    """The average over concepts, by Bayes' rule with SciPy's normal densities, prompt by prompt."""
    waves = lambda t: np.array(
        [np.cos(np.pi * t), np.sin(np.pi * t), np.cos(2 * np.pi * t), np.sin(2 * np.pi * t)]
    )
    answers = []
    for xs, ys, q in zip(x.numpy(), y.numpy(), query.numpy(), strict=True):
        weights = [np.prod(norm.pdf(ys, waves(xs).T @ z, zoo.NOISE)) for z in concepts.numpy()]
        answers.append(np.average(concepts.numpy() @ waves(q), weights=weights))
    return np.array(answers)


def test_one_softmax_attention_is_bayesian_model_averaging_and_uniform_attention_is_not():
    concepts = random(zoo.CONCEPTS, 4)
    x, y, _ = zoo.prompts(50, zoo.EXAMPLES, concepts)
    given = (x[:, :-1], y[:, :-1], x[:, -1], concepts)
    expected = bayes(*given)
    np.testing.assert_allclose(zoo.averaged(*given), expected, rtol=0, atol=1e-12)
    uniform = zoo.averaged(*given, statistics=lambda x, y: 0 * zoo.statistic(x, y))
    linear = zoo.averaged(*given, statistics=lambda x, y: zoo.statistic(x, y) * (torch.arange(20) < 4))
    for fake in (uniform, linear):
        assert np.sqrt(np.mean((fake.numpy() - expected) ** 2)) > 0.1


def test_the_regret_of_averaging_never_exceeds_the_log_of_the_number_of_concepts():
    concepts = random(zoo.CONCEPTS, 4)
    x, y, which = zoo.prompts(2000, 49, concepts)
    averaging = zoo.regrets(x, y, which, concepts)
    assert float(averaging.max()) <= log(zoo.CONCEPTS) + 1e-9
    assert float(zoo.regrets(x, y, which, concepts, updating=False)[:, -1].max()) > 10 * log(zoo.CONCEPTS)


def test_without_positions_a_prompt_is_a_set_of_examples():
    prompts = random(1, 15)
    shuffled = torch.cat([prompts[:, :14].view(1, 7, 2)[:, torch.randperm(7)].flatten(1), prompts[:, 14:]], 1)
    bag, ordered = zoo.xavier(zoo.InContext(positions=False), 0.7), zoo.in_context()
    nn.init.normal_(ordered.positions)  # as large as the tokens
    apart = [float((network(prompts) - network(shuffled)).detach().abs()) for network in (bag, ordered)]
    assert apart[0] < 1e-12 and apart[1] > 1e-3


class Summed(zoo.Attention):
    """Attention that adds up its values, weighed by products: no softmax, no average."""

    def forward(self, x):
        return self.out(self.query(x) @ self.key(x).mT @ self.value(x))


def trained_encoder():
    """The encoder of prompts that the zoo judges, of seed 0, at its settings and trained on its pair."""
    own = sheets.sheet("in-context")
    network, pair = own.system.network(0, own.settings.gain), own.system.pair(0.5)
    train(network, pair, lr=own.settings.lr, epochs=4000, layer="query", stop_at_loss=1e-4)
    return network


def answers_move(network, prompts, others):
    """The largest change of the answers over their spread."""
    with torch.no_grad():
        answers = network(prompts)
        return float((network(others) - answers).abs().max() / answers.std())


def test_the_judged_encoder_averages_over_the_tokens_of_a_prompt_and_a_plain_network_and_a_sum_do_not():
    encoder, prompts = trained_encoder(), random(200, 15)
    plain = nn.Sequential(
        nn.Linear(15, 40), nn.GELU(), nn.Linear(40, 40), nn.GELU(), nn.Linear(40, 1)
    ).double()  # fmt: skip
    size = lambda network: sum(p.numel() for p in network.parameters())
    assert abs(log(size(plain) / size(encoder))) < 0.05
    mixed = torch.cat([prompts[:, :14].view(-1, 7, 2)[:, torch.randperm(7)].flatten(1), prompts[:, 14:]], 1)
    twice = torch.cat([prompts, torch.zeros(200, 1).double(), prompts], 1)  # the query's y is not known
    assert answers_move(encoder, prompts, mixed) < 1e-3  # with the small positions that it has
    encoder.positions = None
    assert answers_move(encoder, prompts, mixed) < 1e-12
    assert answers_move(encoder, prompts, twice) < 1e-12
    assert answers_move(plain, prompts, mixed) > 0.1
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        plain(twice)
    for examples in range(1, 10):
        assert encoder(random(3, 2 * examples + 1)).shape == (3, 1)
    summed = zoo.xavier(zoo.InContext(positions=False), 1.0)
    summed.blocks[0].attend = zoo.xavier(Summed(), 1.0)
    assert answers_move(summed, prompts, mixed) < 1e-10  # a sum minds no order either
    assert answers_move(summed, prompts, twice) > 0.1


# --- 28  space-time attention -----------------------------------------------------------------------


def reach(over):
    """Share of pairs of tokens of which one sees the other through one block that attends in groups."""
    block = zoo.xavier(zoo.Block(zoo.GEGLU(), True), 0.7)
    x = random(1, zoo.FRAMES, zoo.PATCHES, zoo.WIDTH)

    def through(tokens):
        groups = zoo.grouped(tokens, over)
        return block(groups.flatten(0, 1)).sum(-1).flatten()

    seen = torch.autograd.functional.jacobian(through, x).abs().sum(-1)
    return float((seen > 1e-12).double().mean())


def test_full_attention_sees_every_token_in_one_layer_and_factorised_kinds_a_quarter():
    assert reach("full") == 1.0
    assert reach("time") == reach("space") == 0.25
    with pytest.raises(ValueError, match="over must be 'full', 'time' or 'space', got 'both'"):
        zoo.grouped(random(1, 4, 4, 2), "both")


def attended(frames, over):
    """Multiplications of a softmax attention over a video, by torch's own counter."""
    groups = zoo.grouped(random(1, frames, 8, zoo.WIDTH), over).flatten(0, 1)
    with FlopCounterMode(display=False) as counter:
        torch.softmax(groups @ groups.mT, -1) @ groups
    return counter.get_total_flops()


def test_full_attention_costs_the_square_of_all_tokens():
    assert attended(32, "full") == 16 * attended(8, "full")
    assert attended(32, "space") == 4 * attended(8, "space")


def test_the_class_token_sees_every_patch():
    network, videos = zoo.satformer(0.7), random(1, 16).requires_grad_()
    (slope,) = torch.autograd.grad(network(videos).square().sum(), videos)
    assert (slope.abs() > 1e-12).all()


def test_the_feed_forward_of_satformer_multiplies_two_maps():
    layer, x = zoo.xavier(zoo.GEGLU(), 1.0), random(3, zoo.WIDTH)
    w1, w3, w2 = (part.weight.detach().numpy() for part in (layer.gate, layer.up, layer.down))
    z = x.numpy() @ w1.T
    expected = (z * norm.cdf(z) * (x.numpy() @ w3.T)) @ w2.T
    np.testing.assert_allclose(layer(x).detach(), expected, rtol=0, atol=1e-12)


def test_class_weights_make_each_class_weigh_the_same():
    labels = torch.tensor([0] * 50 + [1])
    weights = zoo.class_weights(labels, 2)
    assert torch.allclose(weights[labels][labels == 0].sum(), weights[labels][labels == 1].sum())
    assert torch.isclose(weights[labels].mean(), torch.tensor(1.0).double())
    with pytest.raises(ValueError, match=r"labels must hold each of 3 classes, got counts \[50, 1, 0\]"):
        zoo.class_weights(labels, 3)


def test_rain_is_in_no_patch_and_no_frame_alone():
    videos, rain = zoo.weather(200_000)
    videos = videos.view(-1, 4, 4)
    assert abs(float(rain.double().mean()) - zoo.RARE) < 0.002
    both = videos[:, 1:, 0].mean(1) * videos[:, 0, 1:].mean(1)
    for c, sign in ((0, -1), (1, 1)):
        assert abs(float(both[rain == c].mean()) - sign) < 0.05
    alone = torch.cat([videos.mean(1), videos.mean(2)], 1)
    assert float((alone[rain == 1].mean(0) - alone[rain == 0].mean(0)).abs().max()) < 0.05


# --- 29  WideNet ------------------------------------------------------------------------------------


def counted(**options):
    return sum(p.numel() for p in zoo.WideNet(**options).parameters())


def test_a_block_more_costs_widenet_two_layer_norms_and_nothing_else():
    two, four, eight = (counted(blocks=blocks) for blocks in (2, 4, 8))
    assert (four - two) / 2 == (eight - four) / 4 == 4 * zoo.WIDTH
    assert counted(blocks=8, shared=False) > 6 * eight
    assert counted(blocks=8, experts=1) < eight / 2  # ALBERT's dense layer


def moved(network, tokens):
    """The share of tokens that go to another expert in some deeper block."""
    table = network.routed(tokens)
    return float((table != table[0]).any(0).double().mean())


def test_own_layer_norms_send_one_token_to_different_experts_at_different_depths():
    network, tokens = zoo.widenet(), random(500, zoo.WIDTH)
    assert moved(network, tokens) == 0  # LayerNorms start alike
    shared = nn.LayerNorm(zoo.WIDTH).double()
    for norm_ in (*network.norms, shared):
        nn.init.normal_(norm_.weight, 1.0, 0.5)
    assert moved(network, tokens) > 0.1
    network.norms = nn.ModuleList([shared] * len(network.norms))
    assert moved(network, tokens) == 0


def test_exactly_k_experts_learn_from_a_token():
    for active, experts in ((2, 2), (4, 4)):
        moe = zoo.xavier(zoo.MoE(active=active), 1.0)
        for token in random(20, zoo.WIDTH):
            (slope,) = torch.autograd.grad(moe(token).sum(), moe.down)
            assert int((slope.abs().sum((1, 2)) > 0).sum()) == experts


def test_the_experts_answers_are_weighed_by_their_gates():
    moe, x = zoo.xavier(zoo.MoE(), 1.0), random(zoo.WIDTH)
    scores = moe.route.weight.detach().numpy() @ x.numpy()
    gates = np.exp(scores) / np.exp(scores).sum()
    expected = np.zeros(zoo.WIDTH)
    for expert in np.argsort(scores)[-2:]:
        z = moe.up[expert].detach().numpy() @ x.numpy()
        expected += gates[expert] * moe.down[expert].detach().numpy() @ (z * norm.cdf(z))
    np.testing.assert_allclose(moe(x).detach(), expected, rtol=0, atol=1e-12)


def entropy_of_use(gates):
    used = (gates > 0).double().mean(0)
    share = (used / used.sum()).clamp(min=1e-12)
    return float(-(share * share.log()).sum())


def test_the_balance_loss_is_one_for_even_use_and_spreads_the_tokens():
    every = torch.full((8, 4), 0.25, dtype=torch.float64)
    gates = every * torch.tensor([[1, 1, 0, 0], [0, 0, 1, 1]] * 4)
    assert float(zoo.balance(every, gates)) == 1.0
    ends = []
    for strength in (1.0, 0.0):
        torch.manual_seed(0)
        moe, tokens = zoo.xavier(zoo.MoE(), 1.0), random(400, zoo.WIDTH) + 1
        before = entropy_of_use(moe.gates(tokens)[1])
        optimizer = torch.optim.SGD(moe.route.parameters(), lr=0.1)
        for _ in range(200):
            optimizer.zero_grad()
            (strength * zoo.balance(*moe.gates(tokens))).backward()
            optimizer.step()
        ends.append(entropy_of_use(moe.gates(tokens)[1]) - before)
    assert ends[0] > 0.05 and ends[1] == 0


# --- 5  temporal point processes ----------------------------------------------------------------------


def decoded():
    decoder, h = zoo.xavier(zoo.LogNormals(8), 1.0), random(8)
    return decoder, h


def test_the_mixture_is_a_density_and_its_cdf_rises():
    decoder, h = decoded()
    density = lambda log_gap: exp(decoder.log_density(torch.tensor(log_gap).double(), h).item() + log_gap)
    total, _ = quad(density, -60, 60, epsabs=1e-11, points=(-5, 0, 5), limit=400)
    assert abs(total - 1) < 1e-8
    grid = torch.linspace(-6, 6, 2001, dtype=torch.float64)
    with torch.no_grad():
        cdf = decoder.cdf(grid, h).numpy()
        slope = decoder.log_density(grid, h).exp().numpy() * np.exp(grid.numpy())
    assert (np.diff(cdf) > 0).all()
    np.testing.assert_allclose(np.gradient(cdf, grid.numpy())[1:-1], slope[1:-1], atol=1e-4)
    unweighted = lambda log_gap: density(log_gap) * exp(-log_gap)  # the density in τ, as if in log τ
    assert abs(quad(unweighted, -60, 60, points=(-5, 0, 5), limit=400)[0] - 1) > 0.01


def test_thinning_gives_hawkes_gaps_whose_compensator_is_exponential():
    gaps = zoo.hawkes(200, 60, np.random.default_rng(0))
    mu, alpha, beta = zoo.HAWKES
    times, waits, fakes = np.cumsum(gaps, 1), [], []
    for sequence in times[:20]:
        past = lambda t, s=sequence: mu + alpha * np.exp(-beta * (t - s[s < t])).sum()
        for begin, end in pairwise(sequence[8:]):
            before = sequence[sequence <= begin]
            waits.append(mu * (end - begin) + alpha / beta * (
                np.exp(-beta * (begin - before)) - np.exp(-beta * (end - before))).sum())  # fmt: skip
            fakes.append((end - begin) / gaps.mean())
    assert past(sequence[3]) > mu
    assert kstest(waits, "expon").statistic < 0.05
    assert kstest(fakes, "expon").statistic > 0.1  # as if the rate were constant
    assert abs(gaps[:, 30:].mean() - (1 - alpha / beta) / mu) < 0.1


def test_the_true_likelihood_is_that_of_the_intensity_integrated_by_scipy():
    gaps = zoo.hawkes(1, 12, np.random.default_rng(1))
    mu, alpha, beta = zoo.HAWKES
    times, found = np.cumsum(gaps[0]), zoo.hawkes_nll(gaps)[0]
    for event in range(12):
        begin, end = (times[event - 1] if event else 0.0), times[event]
        rate = lambda t, past=times[:event]: mu + alpha * np.exp(-beta * (t - past)).sum()
        assert abs(found[event] - (quad(rate, begin, end)[0] - log(rate(end)))) < 1e-8


def test_the_history_is_a_gru_that_minds_the_order_of_events():
    history = zoo.xavier(zoo.History(6), 1.0)
    gaps = random(4, 9)
    whole = nn.GRU(1, 6, batch_first=True).double()
    whole.load_state_dict({f"{name}_l0": value for name, value in history.cell.state_dict().items()})
    torch.testing.assert_close(history(gaps)[:, 1:], whole(gaps[..., None])[0])
    apart = float((history(gaps)[:, -1] - history(gaps.flip(1))[:, -1]).detach().abs().max())
    assert apart > 0.05
    assert not history(gaps)[:, 0].any()


def test_windows_are_shuffled_and_exchanged_as_they_say():
    found = torch.arange(20.0).view(2, 2, 5)
    shuffled = zoo.in_random_order(found)
    assert torch.equal(shuffled[..., -1], found[..., -1])
    assert torch.equal(shuffled[..., :-1].sort(-1).values, found[..., :-1])
    other = zoo.of_another(found)
    assert torch.equal(other[0, :, :-1], found[1, :, :-1]) and torch.equal(other[..., -1], found[..., -1])


# --- the encoder's tangent kernel ---------------------------------------------------------------------


def test_dh_moves_by_the_tangent_kernel_times_the_decoders_gradient():
    network, (inputs, targets) = zoo.in_context(), tasks.two_functions(15, dtype=torch.float64)
    dh, kernel = zoo.tangent_kernel(network, inputs, "query")
    error = network(inputs) - targets
    halves = (error[1] - error[0]).detach() / 4  # errors of centred points are opposite
    rho = network.read.weight.detach()[0]
    small = 1e-7
    loss = 0.5 * error.square().sum(1).mean()
    with torch.no_grad():
        for parameter, slope in zip(
            network.parameters(), torch.autograd.grad(loss, list(network.parameters())), strict=True
        ):
            parameter -= small * slope
    moved = (zoo.tangent_kernel(network, inputs, "query")[0] - dh) / small
    apart = float((moved + halves * kernel @ rho).norm() / moved.norm())
    isotropic = float((moved + halves * kernel.trace() / len(dh) * rho).norm() / moved.norm())
    assert float((error[1] + error[0]).detach().abs().max()) < 0.05
    assert apart < 0.05 < isotropic

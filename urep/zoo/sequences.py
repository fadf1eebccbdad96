"""Tokens: attention, shared experts and recurrence, with and without normalisation."""

from __future__ import annotations

from functools import partial
from math import log, pi

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from .. import tasks
from .descent import adam, cosine
from .system import Study, System, function_pair

WIDTH = 16
"""Numbers of a token."""

# --- what the systems share -------------------------------------------------------------------


def xavier(network: nn.Module, gain: float) -> nn.Module:
    """The network in float64, its matrices Xavier normal times `gain`, its biases zero.

    A stack of matrices (three axes, the last two a matrix) is drawn one by one, a GRU's gate by gate.
    Positions and class tokens (four axes) and LayerNorm's own gains stay as they were made.
    """
    network = network.double()
    for name, parameter in network.named_parameters():
        if "bias" in name:
            nn.init.zeros_(parameter)
        elif parameter.ndim in (2, 3):
            gates = 3 if "weight_ih" in name or "weight_hh" in name else 1
            matrices = parameter.data.chunk(gates) if parameter.ndim == 2 else parameter.data
            for matrix in matrices:
                nn.init.xavier_normal_(matrix, gain)
    return network


def small(*shape: int) -> nn.Parameter:
    """Learned positions or a class token, 0.02·N(0, 1), with axes before them that keep `xavier` away."""
    return nn.Parameter(0.02 * torch.randn(1, 1, *shape))


class Attention(nn.Module):
    """softmax(QKᵀ/√d) V in two heads: every token looks at every token (Vaswani et al. 2017)."""

    def __init__(self, width: int = WIDTH, heads: int = 2):
        super().__init__()
        self.heads = heads
        self.query, self.key, self.value, self.out = (nn.Linear(width, width) for _ in range(4))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Tokens (n, tokens, width) to as many."""

        def split(z):
            return z.unflatten(-1, (self.heads, -1)).transpose(1, 2)

        q, k, v = split(self.query(x)), split(self.key(x)), split(self.value(x))
        seen = F.scaled_dot_product_attention(q, k, v)
        return self.out(seen.transpose(1, 2).flatten(2))


class Block(nn.Module):
    """x ← x + Attention(N₁ x), then x ← x + FFN(N₂ x); each N is a LayerNorm of its own, or nothing."""

    def __init__(self, ffn: nn.Module, norm: bool, width: int = WIDTH):
        super().__init__()
        self.attend, self.ffn = Attention(width), ffn
        self.before_attend, self.before_ffn = normalisation(norm, width), normalisation(norm, width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Tokens (n, tokens, width) to as many."""
        x = x + self.attend(self.before_attend(x))
        return x + self.ffn(self.before_ffn(x))


def normalisation(norm: bool, width: int = WIDTH) -> nn.Module:
    """LayerNorm, (x − mean)/spread times its own gains, or nothing."""
    return nn.LayerNorm(width) if norm else nn.Identity()


def dense(width: int = WIDTH) -> nn.Module:
    """FFN(x) = W₂ GELU(W₁ x), twice as wide inside."""
    return nn.Sequential(nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width))


# --- 9  in-context learning as Bayesian model averaging (Zhang et al. 2023) -----------------------

EXAMPLES = 7
"""Examples in a prompt of the pair."""


class InContext(nn.Module):
    """ŷ = read(query token after the blocks), of a prompt x₁, y₁, …, x_T, y_T, x (Zhang et al. 2023).

    Tokens are (x_i, y_i), and (x, 0) for the query. Inputs (n, 2T + 1), for any T up to EXAMPLES. `norm`
    puts a LayerNorm before attention and FFN, `last` one behind the blocks.
    """

    def __init__(
        self,
        norm: bool = False,
        *,
        last: bool = False,
        blocks: int = 1,
        positions: bool = True,
        width: int = WIDTH,
    ):
        super().__init__()
        self.embed, self.read = nn.Linear(2, width), nn.Linear(width, 1)
        self.positions = small(EXAMPLES + 1, width) if positions else None
        self.blocks = nn.Sequential(*(Block(dense(width), norm, width) for _ in range(blocks)))
        self.last, self.query = normalisation(last, width), nn.Identity()

    def forward(self, prompts: torch.Tensor) -> torch.Tensor:
        """The answer to each prompt, (n, 1)."""
        tokens = F.pad(prompts, (0, 1)).unflatten(1, (-1, 2))  # the query's y is not known
        x = self.embed(tokens)
        if self.positions is not None:
            x = x + self.positions[0, :, -tokens.shape[1] :]
        return self.read(self.query(self.last(self.blocks(x)[:, -1])))


def in_context(gain: float = 0.7, *, norm: bool = False, last: bool = False) -> nn.Module:
    """The encoder of prompts with one block, measured at the query's token, `query`."""
    return xavier(InContext(norm, last=last), gain)


CONCEPTS, NOISE = 16, 1.0


def features(x: torch.Tensor) -> torch.Tensor:
    """ψ(x) = (cos πx, sin πx, cos 2πx, sin 2πx): a concept z answers y = ⟨z, ψ(x)⟩ + noise."""
    return torch.stack([wave(k * pi * x) for k in (1, 2) for wave in (torch.cos, torch.sin)], dim=-1)


def statistic(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """k(x, y) = (yψ, ψψᵀ)/σ²: what an example adds to log P(S | z) is ⟨k(x, y), (z, −zzᵀ/2)⟩."""
    psi = features(x)
    square = (psi[..., :, None] * psi[..., None, :]).flatten(-2)
    return torch.cat([y[..., None] * psi, square], dim=-1) / NOISE**2


def averaged(x, y, query, concepts: torch.Tensor, statistics=statistic) -> torch.Tensor:
    """Σ_z P(z | S) ⟨z, ψ(query)⟩ as one softmax attention, keys (z, −zzᵀ/2), values the z's answers.

    x, y: (n, T) examples; query: (n,); concepts: (m, 4), equally likely. Returns (n,).
    """
    asked = statistics(x, y).sum(dim=1)
    square = (concepts[:, :, None] * concepts[:, None, :]).flatten(1)
    keys = torch.cat([concepts, -square / 2], dim=1)
    answers = features(query) @ concepts.T
    return F.scaled_dot_product_attention(
        asked[:, None], keys.expand(len(x), -1, -1), answers[:, :, None], scale=1.0
    )[:, 0, 0]


def prompts(n: int, examples: int, concepts: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """x, y: (n, examples + 1) each, the last the query, and which concept (n,) answered."""
    which = torch.randint(len(concepts), (n,))
    x = 2 * torch.rand(n, examples + 1, dtype=torch.float64) - 1
    clean = (features(x) * concepts[which, None]).sum(-1)
    return x, clean + NOISE * torch.randn_like(clean), which


def log_likelihoods(x: torch.Tensor, y: torch.Tensor, concepts: torch.Tensor) -> torch.Tensor:
    """The log of P(y | x, z) of each example and concept, (n, T, m), without the constant."""
    return -((y[..., None] - features(x) @ concepts.T) ** 2) / (2 * NOISE**2)


def regrets(x, y, which, concepts: torch.Tensor, *, updating: bool = True) -> torch.Tensor:
    """Cumulative regret of the mixture over the concept that answered, after 1 … T examples, (n, T).

    −Σ_t log Σ_z P(z | S_{t−1}) P(y_t | x_t, z) + Σ_t log P(y_t | x_t, z*). Without updating, P(z) stays.
    """
    each = log_likelihoods(x, y, concepts)
    before = torch.cumsum(each, 1) - each if updating else torch.zeros_like(each)
    mixture = torch.logsumexp(torch.log_softmax(before, -1) + each, -1)
    own = each.gather(2, which[:, None, None].expand(-1, each.shape[1], 1))[..., 0]
    return torch.cumsum(own - mixture, 1)


# --- 28  SaTformer (Harris et al. 2025) -----------------------------------------------------------

FRAMES, PATCHES, BINS = 4, 4, 4


class GEGLU(nn.Module):
    """FFN(x) = W₂ (GELU(W₁ x) ⊙ W₃ x), the feed-forward of SaTformer."""

    def __init__(self, width: int = WIDTH):
        super().__init__()
        self.gate, self.up = nn.Linear(width, 2 * width), nn.Linear(width, 2 * width)
        self.down = nn.Linear(2 * width, width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Tokens to as many."""
        return self.down(F.gelu(self.gate(x)) * self.up(x))


def grouped(x: torch.Tensor, over: str) -> torch.Tensor:
    """Tokens (n, T, P, d) as (n, groups, tokens, d): attention stays within a group.

    "full" is one group of all T·P tokens; "time" and "space" are the factorised kinds, one group a patch
    and one a frame.
    """
    if over == "full":
        return x.flatten(1, 2).unsqueeze(1)
    if over not in ("time", "space"):
        raise ValueError(f"over must be 'full', 'time' or 'space', got {over!r}")
    return x.transpose(1, 2) if over == "time" else x


class SaTformer(nn.Module):
    """bins = read(class token), which attends with all T·P tokens of a video to all (Harris et al. 2025).

    Inputs (n, T·P), one number a patch. Factorised kinds have one class token a group, and their mean.
    """

    def __init__(self, norm: bool = True, *, over: str = "full", blocks: int = 2, bins: int = BINS):
        super().__init__()
        self.over = over
        self.embed, self.read = nn.Linear(1, WIDTH), nn.Linear(WIDTH, bins)
        self.positions, self.cls = small(FRAMES, PATCHES, WIDTH), small(1, WIDTH)
        self.blocks = nn.Sequential(*(Block(GEGLU(), norm) for _ in range(blocks)))
        self.seen = nn.Identity()

    def forward(self, videos: torch.Tensor) -> torch.Tensor:
        """Bins (n, bins)."""
        x = self.embed(videos.view(len(videos), FRAMES, PATCHES, 1)) + self.positions[0]
        x = grouped(x, self.over)
        n, groups = x.shape[:2]
        x = torch.cat([self.cls[0].expand(n * groups, 1, WIDTH), x.flatten(0, 1)], dim=1)
        cls = self.blocks(x)[:, 0].unflatten(0, (n, groups)).mean(1)
        return self.read(self.seen(cls))


def satformer(gain: float = 0.7, *, norm: bool = True) -> nn.Module:
    """SaTformer with two blocks and four bins, measured at the class token, `seen`."""
    return xavier(SaTformer(norm), gain)


def class_weights(labels: torch.Tensor, classes: int) -> torch.Tensor:
    """w_c = n/(C n_c): each class weighs as much as each other in the loss."""
    counts = torch.bincount(labels, minlength=classes)
    if (counts == 0).any():
        raise ValueError(f"labels must hold each of {classes} classes, got counts {counts.tolist()}")
    return len(labels) / (classes * counts.double())


# --- 29  WideNet (Xue et al. 2021) ----------------------------------------------------------------

EXPERTS, ACTIVE = 4, 2


class MoE(nn.Module):
    """Σ over the K largest of g_i(x) E_i(x): g = softmax(W_r x), E_i(x) = W₂ᵢ GELU(W₁ᵢ x) (Xue et al.)."""

    def __init__(self, width: int = WIDTH, experts: int = EXPERTS, active: int = ACTIVE):
        super().__init__()
        self.active, self.route = active, nn.Linear(width, experts, bias=False)
        self.up = nn.Parameter(torch.zeros(experts, 2 * width, width))
        self.down = nn.Parameter(torch.zeros(experts, width, 2 * width))

    def gates(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """softmax(W_r x), and the same with all but the K largest set to zero."""
        every = torch.softmax(self.route(x), dim=-1)
        largest = every.topk(self.active, dim=-1).indices
        return every, every * torch.zeros_like(every).scatter(-1, largest, 1.0)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Tokens (…, width) to as many."""
        _, gates = self.gates(x)
        inside = F.gelu(x @ self.up.flatten(0, 1).T)  # of all experts, one after another
        return (inside * gates.repeat_interleave(self.up.shape[1], -1)) @ self.down.mT.flatten(0, 1)


def balance(every: torch.Tensor, gates: torch.Tensor) -> torch.Tensor:
    """E Σ f_i P_i: f_i is the share of places that expert i has, P_i its mean gate; 1 where all are alike."""
    used = (gates > 0).double().flatten(0, -2).mean(0)
    return every.shape[-1] * (used / used.sum() * every.flatten(0, -2).mean(0)).sum()


class WideNet(nn.Module):
    """x ← x + A(N_k x), x ← x + MoE(N'_k x): one A, one MoE, own LayerNorms in block k (Xue et al. 2021).

    Inputs (n, length), a number a token; read from the mean token. `shared=False` gives each block its own
    A and MoE, `experts=1` is ALBERT's dense layer in the place of the experts.
    """

    def __init__(self, norm: bool = True, *, blocks: int = 4, shared: bool = True, experts: int = EXPERTS,
                 length: int = 8):  # fmt: skip
        super().__init__()
        own = 1 if shared else blocks
        self.embed, self.read = nn.Linear(1, WIDTH), nn.Linear(WIDTH, 1)
        # A token of the pair that is 0 would be nothing but a small position, blown up by LayerNorm.
        self.positions = nn.Parameter(torch.randn(1, 1, length, WIDTH))
        self.attend = nn.ModuleList(Attention() for _ in range(own))
        self.moe = nn.ModuleList(MoE(experts=experts, active=min(ACTIVE, experts)) for _ in range(own))
        self.norms = nn.ModuleList(normalisation(norm) for _ in range(2 * blocks))
        self.middle, self.pooled = nn.Identity(), nn.Identity()

    def forward(self, sequences: torch.Tensor) -> torch.Tensor:
        """Numbers (n, 1)."""
        x = self.embed(sequences[..., None]) + self.positions[0]
        depth, own = len(self.norms) // 2, len(self.moe)
        for k in range(depth):
            x = x + self.attend[k % own](self.norms[2 * k](x))
            x = x + self.moe[k % own](self.norms[2 * k + 1](x))
            x = self.middle(x) if k + 1 == depth // 2 else x
        return self.read(self.pooled(x.mean(1)))

    def routed(self, x: torch.Tensor) -> torch.Tensor:
        """The first expert that each block would send the same tokens (n, width) to, (blocks, n)."""
        own = len(self.moe)
        return torch.stack([
            self.moe[k % own].route(norm(x)).argmax(-1) for k, norm in enumerate(self.norms[1::2])
        ])  # fmt: skip


def widenet(gain: float = 0.7, *, norm: bool = True, shared: bool = True) -> nn.Module:
    """WideNet with four blocks, measured at the mean token, `pooled`."""
    return xavier(WideNet(norm, shared=shared), gain)


# --- 5  neural temporal point processes (Bosser and Ben Taieb 2023) -------------------------------


class History(nn.Module):
    """h_i = GRU(h_{i−1}, log τ_i): the history of gaps τ_1 … τ_i as one vector; h_0 = 0."""

    def __init__(self, width: int):
        super().__init__()
        self.cell = nn.GRUCell(1, width)

    def forward(self, log_gaps: torch.Tensor) -> torch.Tensor:
        """The state after 0, 1, … L gaps, (n, L + 1, width), of logarithms of gaps (n, L)."""
        h = [log_gaps.new_zeros(len(log_gaps), self.cell.hidden_size)]
        for gap in log_gaps.T:
            h.append(self.cell(gap[:, None], h[-1]))
        return torch.stack(h, dim=1)


class NextGap(nn.Module):
    """μ(h), the mean of the log of the next gap, of the history of all gaps so far (Bosser, Ben Taieb 2023).

    One log-normal of fixed spread: its likelihood is the squared error. Inputs (n, length), log gaps.
    """

    def __init__(self, width: int = 32):
        super().__init__()
        self.history, self.last, self.mu = History(width), nn.Identity(), nn.Linear(width, 1)

    def forward(self, log_gaps: torch.Tensor) -> torch.Tensor:
        """Logarithms of gaps (n, 1)."""
        return self.mu(self.last(self.history(log_gaps)[:, -1]))


def next_gap(gain: float = 0.7) -> nn.Module:
    """The recurrent history encoder of 32 units, measured after the last event, `last`."""
    return xavier(NextGap(), gain)


class LogNormals(nn.Module):
    """p(τ | h) = Σ_k w_k(h) LogNormal(τ; μ_k(h), s_k(h)), a decoder of TPPs (Bosser, Ben Taieb 2023)."""

    def __init__(self, width: int, components: int = 4):
        super().__init__()
        self.of = nn.Linear(width, 3 * components)
        # Components that began alike would stay alike where there is no history.
        self.register_buffer("places", torch.linspace(-1.5, 1.5, components))

    def parts(self, h: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """The log of w_k(h), μ_k(h) and s_k(h)."""
        weight, mean, spread = self.of(h).chunk(3, dim=-1)
        return torch.log_softmax(weight, -1), mean + self.places, spread.exp()

    def log_density(self, log_gap: torch.Tensor, h: torch.Tensor, *, narrower: float = 1.0) -> torch.Tensor:
        """The log of p(τ | h), of log τ; `narrower` divides the spreads, a decoder that is too sure."""
        weight, mean, spread = self.parts(h)
        z = (log_gap[..., None] - mean) / (spread / narrower)
        each = -(z**2) / 2 - torch.log(spread / narrower) - log(2 * pi) / 2
        return torch.logsumexp(weight + each, -1) - log_gap

    def cdf(self, log_gap: torch.Tensor, h: torch.Tensor, *, narrower: float = 1.0) -> torch.Tensor:
        """P(gap ≤ τ | h): where it is right, its values at the gaps that came are uniform."""
        weight, mean, spread = self.parts(h)
        z = (log_gap[..., None] - mean) / (spread / narrower)
        return (weight.exp() * torch.special.ndtr(z)).sum(-1)


HAWKES = (0.3, 0.8, 1.5)
"""Intensity λ(t) = μ + α Σ exp(−β (t − t_i)) over past events: μ, α, β."""


def hawkes(sequences: int, events: int, random: np.random.Generator) -> np.ndarray:
    """Gaps (sequences, events) of a Hawkes process from time 0, by Ogata's thinning."""
    mu, alpha, beta = HAWKES
    excited, gaps = np.zeros(sequences), np.empty((sequences, events))
    for event in range(events):
        waited, pending = np.zeros(sequences), np.ones(sequences, bool)
        while pending.any():
            ceiling = mu + excited  # between events the intensity only falls
            step = np.where(pending, random.exponential(1 / ceiling), 0.0)
            waited, excited = waited + step, excited * np.exp(-beta * step)
            pending &= random.random(sequences) * ceiling > mu + excited
        gaps[:, event], excited = waited, excited + alpha
    return gaps


def hawkes_nll(gaps: np.ndarray) -> np.ndarray:
    """−log p(τ_i | history) of each gap under the true process, (sequences, events)."""
    mu, alpha, beta = HAWKES
    excited, nll = np.zeros(len(gaps)), np.empty_like(gaps)
    for event, gap in enumerate(gaps.T):
        left = excited * np.exp(-beta * gap)
        nll[:, event] = mu * gap + (excited - left) / beta - np.log(mu + left)
        excited = left + alpha
    return nll


# --- the encoder's tangent kernel -----------------------------------------------------------------


def tangent_kernel(network: nn.Module, inputs: torch.Tensor, layer: str) -> tuple[torch.Tensor, torch.Tensor]:
    """The difference dh (d,) of two inputs at a layer, and K = (∂dh/∂θ)(∂dh/∂θ)ᵀ over all parameters, (d, d).

    Gradient descent moves dh by K times the decoder's gradient; (7) takes K to be a constant times 1.
    """
    kept = []
    hook = dict(network.named_modules())[layer].register_forward_hook(lambda _, __, h: kept.append(h))
    network(inputs)
    hook.remove()
    dh = kept[0][1] - kept[0][0]
    parameters = list(network.parameters())
    rows = []
    for entry in dh:
        slopes = torch.autograd.grad(
            entry, parameters, retain_graph=True, allow_unused=True, materialize_grads=True
        )
        rows.append(torch.cat([slope.flatten() for slope in slopes]))
    jacobian = torch.stack(rows)
    return dh.detach(), jacobian @ jacobian.T


# --- studies: what takes longer than a test -------------------------------------------------------


def rivals(x, y, concepts: torch.Tensor) -> dict[str, torch.Tensor]:
    """What four predictors answer to the last x of each prompt, from the examples before it.

    BMA; the likeliest concept alone; ridge regression, which is Bayes for concepts N(0, I); the mean concept.
    """
    last, x, y = x[:, -1], x[:, :-1], y[:, :-1]
    psi = features(x)
    likeliest = concepts[log_likelihoods(x, y, concepts).sum(1).argmax(-1)]
    gram = psi.mT @ psi + NOISE**2 * torch.eye(psi.shape[-1], dtype=psi.dtype)
    ridge = torch.linalg.solve(gram, (psi.mT @ y[..., None]))[..., 0]
    answer = lambda z: (features(last) * z).sum(-1)
    return {"BMA": averaged(x, y, last, concepts), "likeliest": answer(likeliest),
            "ridge": answer(ridge), "prior": answer(concepts.mean(0))}  # fmt: skip


def pretraining(seed: int) -> dict[str, np.ndarray]:
    """How far a pretrained encoder of prompts is from four predictors, after 1 … 7 examples.

    Two blocks, without and with LayerNorm, 1500 Adam steps of 256 prompts over 16 concepts; mean squares.
    `distance` (arms, predictors, examples): to BMA, likeliest, ridge, prior. `error` (arms + 1, examples): to
    the answers without noise, BMA last.
    """
    torch.manual_seed(seed)
    concepts = torch.randn(CONCEPTS, 4, dtype=torch.float64)

    def squared(_, network):
        x, y, _ = prompts(256, int(torch.randint(EXAMPLES + 1, ())), concepts)
        return (network(written(x, y))[:, 0] - y[:, -1]).square().mean()

    networks = [xavier(InContext(norm, blocks=2), 0.7) for norm in (False, True)]
    for network in networks:
        adam(network, partial(squared, network=network), steps=1500, lr=5e-3, schedule=cosine)
    distance, error = np.empty((2, 4, EXAMPLES)), np.empty((3, EXAMPLES))
    for examples in range(1, EXAMPLES + 1):
        x, y, which = prompts(4096, examples, concepts)
        clean = (features(x[:, -1]) * concepts[which]).sum(-1)
        others = rivals(x, y, concepts)
        with torch.no_grad():
            answers = [network(written(x, y))[:, 0] for network in networks]
        apart = lambda a, b: float((a - b).square().mean())
        distance[:, :, examples - 1] = [[apart(a, b) for b in others.values()] for a in answers]
        error[:, examples - 1] = [apart(a, clean) for a in (*answers, others["BMA"])]
    return {"distance": distance, "error": error}


def written(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Prompts as `InContext` takes them: x₁, y₁, …, x_T, y_T, x, (n, 2T + 1)."""
    return torch.stack([x, y], dim=-1).flatten(1)[:, :-1]


RARE = 1 / 51
"""How often it rains: once in fifty-one sequences."""


def weather(n: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Videos (n, T·P) and whether it rains, (n,): the product of a pattern in time and one in space.

    The first patch is A = ±1 in all frames but the first, the first frame B = ±1 in all other patches; rain
    is AB = +1, and all 16 numbers have noise N(0, 1). No patch and no frame alone says anything about rain.
    """
    rain = torch.rand(n) < RARE
    a = 2.0 * torch.randint(2, (n,)) - 1
    videos = torch.randn(n, FRAMES, PATCHES)
    videos[:, 1:, 0] += a[:, None]
    videos[:, 0, 1:] += torch.where(rain, a, -a)[:, None]
    return videos.flatten(1), rain.long()


def raining(seed: int) -> dict[str, np.ndarray]:
    """Recall of rain and of no rain, and weighted loss, on 20 000 new sequences, of SaTformer with one block.

    Rows: full attention with class weights, without; time-only and space-only with. 400 Adam steps of 500
    sequences, in float32. Columns of `recall`: no rain, rain.
    """
    weights = torch.tensor([0.5 / (1 - RARE), 0.5 / RARE])
    recall, loss = np.empty((4, 2)), np.empty(4)
    for row, (over, weight) in enumerate(
        [("full", weights), ("full", None), ("time", weights), ("space", weights)]
    ):
        torch.manual_seed(seed)
        network = xavier(SaTformer(over=over, blocks=1, bins=2), 0.7).float()

        def crossed(_, network=network, weight=weight):
            videos, rain = weather(500)
            return F.cross_entropy(network(videos), rain, weight=weight)

        adam(network, crossed, steps=400, lr=1e-2, schedule=cosine)
        videos, rain = weather(20_000)
        with torch.no_grad():
            logits = network(videos)
        right = logits.argmax(1) == rain
        recall[row] = [right[rain == c].double().mean() for c in (0, 1)]
        loss[row] = F.cross_entropy(logits, rain, weight=weights)
    return {"recall": recall, "loss": loss}


WINDOWS = (0, 1, 2, 4, 8)
"""How many gaps the history may hold."""


class PointProcess(nn.Module):
    """A history encoder and a mixture decoder: log p of the gaps after a window of gaps."""

    def __init__(self, width: int = 24):
        super().__init__()
        self.history, self.decoder = History(width), LogNormals(width)

    def state(self, before: torch.Tensor) -> torch.Tensor:
        """State after each window (n, length)."""
        return self.history(before)[:, -1]


def hawkes_histories(seed: int) -> dict[str, np.ndarray]:
    """−log p of Hawkes' gaps, each after eight others, under neural TPPs, on 400 new sequences of 60 events.

    `nll`: the GRU on windows of WINDOWS gaps; `whole` on all gaps since the beginning; `shuffled` on eight in
    random order and `other` on eight of another sequence, both trained so; `truth` the process itself and
    `poisson` a constant rate. `ks` is the distance of the PIT of `whole` from uniform, and with half the
    spread. 250 Adam steps of 50 sequences (`whole`: of 100).
    """
    from scipy.stats import kstest

    random = np.random.default_rng(seed)
    trained, tested = hawkes(400, 60, random), hawkes(400, 60, random)
    longest = WINDOWS[-1]

    def windows(gaps):
        return torch.tensor(gaps).log().unfold(1, longest + 1, 1)

    def nll(network, found):
        return -network.decoder.log_density(
            found[..., -1].flatten(), network.state(found[..., :-1].flatten(0, 1))
        )

    def scored(change):
        torch.manual_seed(seed)
        network, seen = xavier(PointProcess(), 1.0), windows(trained)
        loss = lambda _: nll(network, change(seen[torch.randperm(400)[:50]])).mean()
        adam(network, loss, steps=250, lr=1e-2, schedule=cosine)
        with torch.no_grad():
            return float(nll(network, change(windows(tested))).mean())

    whole = fitted_whole(trained, seed)
    with torch.no_grad():
        gaps = torch.tensor(tested).log()
        h = whole.history(gaps[:, :-1])[:, longest:]
        late = gaps[:, longest:]
        pits = [whole.decoder.cdf(late, h, narrower=k).flatten().numpy() for k in (1.0, 2.0)]
        density = -whole.decoder.log_density(late, h).mean()
    mean = trained.mean()
    after = tested[:, longest:]
    return {
        "nll": np.array([scored(lambda found, k=k: found[..., longest - k :]) for k in WINDOWS]),
        "whole": np.array(float(density)),
        "shuffled": np.array(scored(in_random_order)),
        "other": np.array(scored(of_another)),
        "truth": np.array(hawkes_nll(tested)[:, longest:].mean()),
        "poisson": np.array((after / mean).mean() + np.log(mean)),
        "ks": np.array([kstest(pit, "uniform").statistic for pit in pits]),
    }


def fitted_whole(gaps: np.ndarray, seed: int) -> PointProcess:
    """A neural TPP trained on the whole history of each gap."""
    torch.manual_seed(seed)
    network, seen = xavier(PointProcess(), 1.0), torch.tensor(gaps).log()

    def nll(_):
        some = seen[torch.randperm(len(seen))[:100]]
        return -network.decoder.log_density(some, network.history(some[:, :-1])).mean()

    adam(network, nll, steps=250, lr=1e-2, schedule=cosine)
    return network


def in_random_order(found: torch.Tensor) -> torch.Tensor:
    """Windows (…, K + 1) with the first K gaps in an order of their own each."""
    order = torch.rand(found[..., :-1].shape).argsort(-1)
    return torch.cat([found[..., :-1].gather(-1, order), found[..., -1:]], -1)


def of_another(found: torch.Tensor) -> torch.Tensor:
    """Windows (n, …, K + 1) with the first K gaps of the next sequence."""
    return torch.cat([found[..., :-1].roll(1, 0), found[..., -1:]], -1)


# --- what is trained ----------------------------------------------------------------------------------

SEQUENCE = {"gates", "shares"}
"""Attention, experts and a GRU multiply one signal by another, and use one weight at every token."""


def bins_pair(dy2_target: float) -> tasks.Data:
    """Two videos of 16 patches, targets ‖dy*‖ apart about even odds of the first two bins of BINS.

    At ‖dy*‖² = 2 each video has a bin of its own; nearer ones are less sure of it.
    """
    videos, signs = tasks.two_functions(FRAMES * PATCHES, dy2_target=dy2_target, dtype=torch.float64)
    bins = torch.tensor([[1.0, -1.0, 0.0, 0.0]], dtype=torch.float64) / 2**0.5
    even = torch.tensor([[0.5, 0.5, 0.0, 0.0]], dtype=torch.float64)
    return videos, even + signs * bins


def _system(name: str, row: int, title: str, make, layer: str, pair, *properties: str, **others) -> System:
    """A system of this page: `arm` and `gains` are its own, other options those of `make`."""
    own = {key: others.pop(key) for key in ("arm", "gains") if key in others}
    return System(
        name, row, title, partial(make, **others), layer, pair, properties=SEQUENCE | set(properties), **own
    )


ROUTED = (0.5, 0.35, 0.25)
"""Gains of WideNet: at larger ones a token that changes its expert raises the loss at nearly any rate."""

SYSTEMS = (
    _system("in-context", 9, "In-context encoder", in_context, "query", function_pair(15), norm=False),
    _system("in-context-norm", 9, "In-context encoder, LayerNorm", in_context, "query", function_pair(15),
            "normalises", arm="with LayerNorm", norm=True),
    _system("in-context-last", 9, "In-context encoder, LayerNorm last", in_context, "query",
            function_pair(15), "normalises", arm="with LayerNorm last, where h is", last=True),
    _system("satformer", 28, "SaTformer", satformer, "seen", bins_pair, "normalises", norm=True),
    _system("satformer-plain", 28, "SaTformer, no norm", satformer, "seen", bins_pair,
            arm="without LayerNorm", norm=False),
    _system("widenet", 29, "WideNet", widenet, "pooled", function_pair(8), "normalises", "kinked",
            gains=ROUTED, norm=True),
    _system("widenet-plain", 29, "WideNet, no norm", widenet, "pooled", function_pair(8), "kinked",
            arm="without LayerNorms", gains=ROUTED, norm=False),
    _system("widenet-unshared", 29, "WideNet, no norm, own blocks", widenet, "pooled", function_pair(8),
            "kinked", arm="control: no block shares weights, no LayerNorms", gains=ROUTED, norm=False,
            shared=False),
    _system("tpp", 5, "TPP history (GRU)", next_gap, "last", function_pair(8)),
)  # fmt: skip
STUDIES = (
    Study("pretraining", pretraining, seconds=15, seeds=range(2), fresh=range(100, 102)),
    Study("rain", raining, seconds=60, seeds=range(2)),
    Study("hawkes", hawkes_histories, seconds=30, seeds=range(2), fresh=range(100, 102)),
)

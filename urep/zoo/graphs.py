"""Networks whose points are signals on a graph: systems 30 (neural compilation) and 27 (G-SSNN) of the zoo.

Part of the family `geometry`.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from .. import tasks
from .descent import adam, cosine
from .operators import xavier

# --- 30 Neural compilation: parameters that are an algorithm ---------------------------------------

SILENCE = -float(2**20)
"""What a node hears from nobody, and minus the distance of a node that is not reached."""


class Round(nn.Module):
    """A round of message passing: m_v = max over edges (u, v) of M[h_u, w_uv],  h_v ← U₂ σ(U₁[h_v, m_v]).

    Saldyt and Kambhampati (2025), arXiv:2505.18623, compile algorithms into M, U₁ and U₂.
    """

    def __init__(self, d: int, hidden: int, activation: nn.Module):
        super().__init__()
        self.M, self.activation = nn.Linear(d + 1, d, bias=False), activation
        self.U1, self.U2 = nn.Linear(2 * d, hidden), nn.Linear(hidden, d, bias=False)

    def forward(self, h: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
        """States (..., nodes, d) of weights (..., nodes, nodes) by u and v, infinite where no edge is."""
        there = torch.isfinite(weights)[..., None]
        w = weights[..., None].where(there, weights.new_zeros(()))
        senders = h[..., :, None, :].expand(*h.shape[:-1], *h.shape[-2:])
        heard = self.M(torch.cat((senders, w.expand(*senders.shape[:-1], 1)), dim=-1))
        m = heard.where(there, heard.new_tensor(SILENCE)).amax(dim=-3)
        return self.U2(self.activation(self.U1(torch.cat((h, m), dim=-1))))


def compiled(algorithm: str) -> Round:
    """A round whose parameters are one of Bellman and Ford's ("bellman-ford") or of a search ("bfs").

    h is minus the distance, M = (1, −1) and U the maximum a ∨ b = relu(a − b) + relu(b) − relu(−b). The
    breadth-first search is the same with M = (1, 0): h is 1 in nodes that are reached.
    """
    network = Round(1, 3, nn.ReLU()).double()
    with torch.no_grad():
        network.M.weight[0] = torch.tensor({"bellman-ford": [1.0, -1.0], "bfs": [1.0, 0.0]}[algorithm])
        network.U1.weight[:] = torch.tensor([[1.0, -1.0], [0.0, 1.0], [0.0, -1.0]])
        network.U1.bias.zero_()
        network.U2.weight[:] = torch.tensor([[1.0, 1.0, -1.0]])
    return network


def executed(network: Round, weights: torch.Tensor, start: torch.Tensor, rounds: int) -> torch.Tensor:
    """States after each round, (rounds, ..., nodes, 1), from a start (..., nodes, 1)."""
    states = [start]
    for _ in range(rounds):
        states.append(network(states[-1], weights))
    return torch.stack(states[1:])


def ring_weights(length: int) -> torch.Tensor:
    """Weights of a ring: 1 between neighbours, infinite elsewhere, (length, length)."""
    weights = torch.full((length, length), torch.inf, dtype=torch.float64)
    here = torch.arange(length)
    weights[here, (here + 1) % length] = weights[(here + 1) % length, here] = 1.0
    return weights


class RingMPNN(nn.Module):
    """Message passing on a ring of eight: embed each number, three rounds h ← h + round(h), pool, read."""

    def __init__(self, d: int = 16, rounds: int = 3, length: int = 8):
        super().__init__()
        self.embed, self.round = nn.Linear(1, d), Round(d, d, nn.LeakyReLU(0.01))
        self.pool, self.read, self.rounds = nn.Identity(), nn.Linear(d, 1), rounds
        self.register_buffer("ring", ring_weights(length))

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        """Outputs (n, 1) for signals (n, length)."""
        h = self.states(rows)
        return self.read(self.pool(h.mean(dim=1)))

    def states(self, rows: torch.Tensor) -> torch.Tensor:
        """States of the nodes after the last round, (n, length, d)."""
        h = self.embed(rows[:, :, None])
        for _ in range(self.rounds):
            h = h + self.round(h, self.ring)
        return h


def mpnn(gain: float) -> nn.Module:
    """Message passing on a ring from a random start, whose hidden layer is the pooled state."""
    return xavier(RingMPNN(), gain)


def mpnn_compiled(gain: float) -> nn.Module:
    """The same, with two of the sixteen channels compiled: three rounds of two algorithms.

    Channel 0 is Bellman and Ford's, max over u of x_u − distance(u, v); channel 1 the search's, the largest
    x_u within three edges. Each is h + relu(m − h), and relu takes two leaky units: relu(z) = (σ(z) +
    0.01 σ(−z))/(1 − 10⁻⁴).
    """
    network = mpnn(gain)
    d, step = network.read.in_features, network.round
    with torch.no_grad():
        network.embed.weight[:2] = 1.0
        for channel, toll in ((0, -1.0), (1, 0.0)):
            step.M.weight[channel] = 0.0
            step.M.weight[channel, channel], step.M.weight[channel, d] = 1.0, toll
            step.U2.weight[channel] = 0.0
            for unit, sign, share in ((2 * channel, 1.0, 1.0), (2 * channel + 1, -1.0, 0.01)):
                step.U1.weight[unit] = 0.0
                step.U1.weight[unit, d + channel], step.U1.weight[unit, channel] = sign, -sign
                step.U2.weight[channel, unit] = share / (1 - 1e-4)
    return network


def mpnn_permuted(gain: float) -> nn.Module:
    """The compiled start with the units of U₁ moved by four places against U₂: same spectra, no algorithm."""
    network = mpnn_compiled(gain)
    with torch.no_grad():
        network.round.U1.weight[:] = network.round.U1.weight.roll(4, dims=0)
    return network


# --- 27 G-SSNN: a program builds the graph -----------------------------------------------------------


def run_program(program: str) -> torch.Tensor:
    """The graph, an adjacency matrix in float64, that a program of five words leaves on its stack.

    `chain n`, `ring n` and `star n` push a graph of n nodes; `join` takes two and ties the last node of the
    first to the first of the second; `relabel` puts the nodes of even places before those of odd ones.
    """
    stack: list[torch.Tensor] = []
    words = iter(program.split())
    for word in words:
        if word == "join":
            second, first = stack.pop(), stack.pop()
            joined = torch.block_diag(first, second)
            joined[len(first) - 1, len(first)] = joined[len(first), len(first) - 1] = 1.0
            stack.append(joined)
        elif word == "relabel":
            graph = stack.pop()
            order = [*range(0, len(graph), 2), *range(1, len(graph), 2)]
            stack.append(graph[order][:, order])
        else:
            stack.append(_drawn(word, int(next(words))))
    (graph,) = stack
    return graph


def _drawn(word: str, n: int) -> torch.Tensor:
    graph, here = torch.zeros(n, n, dtype=torch.float64), torch.arange(n - 1)
    if word == "star":
        graph[0, 1:] = 1.0
    elif word in ("chain", "ring"):
        graph[here, here + 1] = 1.0
        graph[0, n - 1] = max(float(word == "ring"), float(graph[0, n - 1]))
    else:
        raise ValueError(f"program must be of chain, ring, star, join, relabel; got {word!r}")
    return graph + graph.T


PROGRAMS = (
    "chain 6",
    "ring 6",
    "star 6",
    "chain 6 relabel",
    "ring 6 relabel",
    "ring 3 ring 3 join",
    "chain 3 ring 3 join",
    "star 4 chain 2 join",
    "chain 2 star 4 join",
    "star 3 star 3 join",
    "ring 4 chain 2 join",
    "ring 5 chain 1 join",
)
"""The population: twelve programs for graphs of six nodes."""


def places(nodes: int, d: int) -> torch.Tensor:
    """Fixed features of a node's order, ½ sin and ½ cos of twelve frequencies, (nodes, d)."""
    frequency = 10.0 ** (-2 * torch.arange(d // 2, dtype=torch.float64) / (d // 2))
    angle = torch.arange(1, nodes + 1, dtype=torch.float64)[:, None] * frequency
    return torch.cat((torch.sin(angle), torch.cos(angle)), dim=1) / 2


class GSSNN(nn.Module):
    """A representation is cut into slices, one for each node of a graph that a symbolic program builds.

    h_v = slice_v (tiled) + place_v, fixed;  twice h_v ← tanh(L(h_v + Σ over neighbours h_u));  mean; read.
    Whitehouse (2023), arXiv:2303.03340, whose convolutions are these of graph isomorphism networks.
    """

    def __init__(self, graph: torch.Tensor, encode: nn.Module, d: int = 24):
        super().__init__()
        self.nodes = len(graph)
        self.encode, self.read, self.pool = encode, nn.Linear(d, 1), nn.Identity()
        self.layers = nn.ModuleList(nn.Linear(d, d) for _ in range(2))
        self.register_buffer("graph", graph)
        self.register_buffer("place", places(self.nodes, d))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Outputs (n, 1) for inputs (n, n_in)."""
        slices = self.encode(x).unflatten(1, (self.nodes, -1))
        h = slices.repeat(1, 1, self.nodes) + self.place
        for layer in self.layers:
            h = torch.tanh(layer(h + self.graph @ h))
        return self.read(self.pool(h.mean(dim=1)))


def gssnn(gain: float) -> nn.Module:
    """G-SSNN whose program is `chain 6` and whose hidden layer is the pooled state."""
    return xavier(GSSNN(run_program("chain 6"), nn.Linear(1, 24)), gain)


def gssnn_star(gain: float) -> nn.Module:
    """G-SSNN whose program is `star 6`."""
    return xavier(GSSNN(run_program("star 6"), nn.Linear(1, 24)), gain)


def gssnn_edgeless(gain: float) -> nn.Module:
    """G-SSNN whose six nodes have no edges: the control."""
    return xavier(GSSNN(torch.zeros(6, 6, dtype=torch.float64), nn.Linear(1, 24)), gain)


# --- studies ------------------------------------------------------------------------------------------------

FAR = 8.0
"""Minus the state of nodes that are not reached yet, in traces that are learned."""

SIZES = (8, 16, 32, 64)
"""Nodes of the graphs on which a learned round is tested; it is trained at the first."""


def traces(seed: int) -> dict[str, np.ndarray]:
    """Bellman and Ford's algorithm learned from traces, beside the compiled one: expressible and trainable.

    A round of 16 units is trained by Adam on each step of the algorithm on random graphs of eight nodes.
    learned, compiled, nothing (sizes,): mean square error of the last states on 20 fresh graphs, "nothing" of
    the start; steps (2, 7): mean square error after each round at eight nodes; apart: distance of the
    parameters from the compiled ones over the size of these.
    """
    random = torch.Generator().manual_seed(seed)
    torch.manual_seed(seed)
    network = xavier(Round(1, 16, nn.ReLU()), 1.0)
    exact = _widened(compiled("bellman-ford"), 16)

    def loss(_) -> torch.Tensor:
        weights, start = _graphs(16, SIZES[0], random)
        wanted = executed(exact, weights, start, SIZES[0] - 1).detach()
        entered = torch.cat((start[None], wanted[:-1]))
        return (network(entered, weights) - wanted).square().mean()

    adam(network, loss, steps=3000, lr=3e-3, schedule=cosine)
    found = {name: np.empty(len(SIZES)) for name in ("learned", "compiled", "nothing")}
    with torch.no_grad():
        for k, size in enumerate(SIZES):
            weights, start = _graphs(20, size, random)
            truth = _distances(weights, start)
            own, theirs = (executed(n, weights, start, size - 1) for n in (network, exact))
            for name, states in (("learned", own[-1]), ("compiled", theirs[-1]), ("nothing", start)):
                found[name][k] = float((states - truth).square().mean())
            if k == 0:
                steps = (own - theirs).square().mean(dim=(1, 2, 3)).numpy()
    pairs = list(zip(network.parameters(), exact.parameters(), strict=True))
    apart = sum(float((p - q).detach().square().sum()) for p, q in pairs)
    size = sum(float(q.detach().square().sum()) for _, q in pairs)
    return found | {"steps": steps, "apart": np.array([(apart / size) ** 0.5])}


def _widened(network: Round, hidden: int) -> Round:
    """The same function with more units, whose weights are zero."""
    wide = Round(1, hidden, nn.ReLU()).double()
    with torch.no_grad():
        for name, parameter in wide.named_parameters():
            own = network.get_parameter(name)
            parameter.zero_()
            parameter[tuple(slice(n) for n in own.shape)] = own
    return wide


def _graphs(count: int, nodes: int, random: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    """Weights (count, nodes, nodes) in [0.1, 1] of random connected graphs, and starts from node 0.

    Each node is tied to one before it, and to others with probability 1/nodes.
    """
    draws = torch.rand(3, count, nodes, nodes, generator=random, dtype=torch.float64)
    parent = torch.triu(draws[2], diagonal=1).argmax(dim=1)
    tree = torch.nn.functional.one_hot(parent, nodes).transpose(1, 2).bool()
    edge = torch.triu(tree | (draws[0] < 1 / nodes), diagonal=1)
    weights = torch.where(edge, 0.1 + 0.9 * draws[1], torch.inf)
    start = torch.full((count, nodes, 1), -FAR, dtype=torch.float64)
    start[:, 0] = 0.0
    return torch.minimum(weights, weights.transpose(1, 2)), start


def _distances(weights: torch.Tensor, start: torch.Tensor) -> torch.Tensor:
    """Minus the distances by Floyd and Warshall's algorithm, at most FAR, (count, nodes, 1)."""
    far = weights.clone()
    far.diagonal(dim1=1, dim2=2).zero_()
    for k in range(far.shape[1]):
        far = torch.minimum(far, far[:, :, k : k + 1] + far[:, k : k + 1, :])
    return torch.maximum(-far[:, 0, :, None], start.new_tensor(-FAR))


def constancy() -> tasks.Data:
    """Six symbols ±1 on a ring, and whether the colour changes at most twice around: (64, 6), (64, 1)."""
    symbols = torch.cartesian_prod(*[torch.tensor([-1.0, 1.0], dtype=torch.float64)] * 6)
    changes = (symbols != symbols.roll(1, dims=1)).sum(dim=1, keepdim=True)
    return symbols, (changes <= 2).double()


def programs(seed: int) -> dict[str, np.ndarray]:
    """Share of 40 held-out items that G-SSNNs of the twelve programs have right after 24 of colour constancy.

    own (12,): each program's graph; random (12,): as many random graphs instead, drawn anew for each seed.
    """
    random = torch.Generator().manual_seed(seed)
    order = torch.randperm(64, generator=random)
    graphs = [run_program(program) for program in PROGRAMS]
    shuffled = []
    for graph in graphs:
        draws = torch.triu(torch.rand(6, 6, generator=random, dtype=torch.float64), diagonal=1)
        count = int(graph.sum() / 2)
        edges = (draws >= draws.flatten().topk(count).values.min()).double()
        shuffled.append(edges + edges.T)
    return {
        "own": np.array([_right(graph, order, seed) for graph in graphs]),
        "random": np.array([_right(graph, order, seed) for graph in shuffled]),
    }


def _right(graph: torch.Tensor, order: torch.Tensor, seed: int, steps: int = 300) -> float:
    """Share of the held-out items that a network on a graph has right."""
    torch.manual_seed(seed)
    symbol_by_symbol = nn.Sequential(nn.Unflatten(1, (6, 1)), nn.Linear(1, 4), nn.Flatten())
    network = xavier(GSSNN(graph, symbol_by_symbol), 1.0)
    symbols, labels = constancy()
    taught, asked = order[:24], order[24:]
    crossed = nn.functional.binary_cross_entropy_with_logits
    adam(network, lambda _: crossed(network(symbols[taught]), labels[taught]), steps=steps, lr=5e-3)
    with torch.no_grad():
        return float(((network(symbols[asked]) > 0) == (labels[asked] > 0.5)).double().mean())

"""Chapter 7: machines that read curves: one names the equation, one takes words, one says where a run ends.

PROSE reads the beginning of a curve and a guess of its equation, and gives its rest and the equation.
The prompted model reads words mixed with numbers, and gives a curve and a sentence. Both learn families that
the theory owns. The forecast reads the beginning of a training, with theory or by regression.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from torch import nn
from torch.nn import functional
from torch.optim.lr_scheduler import OneCycleLR

from ..exact import solve
from ..networks import FullyConnected
from ..state import Rates, Run
from ..tasks import two_points
from ..theory import final_distance
from ..training import train
from .descent import adam
from .system import Study

Arrays = dict[str, np.ndarray]

# --- the family: (7) with one term altered -----------------------------------------------------

CHANGES = {"doubled": 2.0, "halved": 0.5, "dropped": 0.0}
"""What is done to one term of (7). Flipped terms are left out: most of those systems explode."""

TERMS = ("dh2, encoder", "dy2, encoder", "dy2, decoder", "w, encoder", "w, decoder")
"""The five terms of (7), by the variable that each moves and the map that it comes from."""


def _laws() -> dict[str, tuple[float, ...]]:
    rows = {"equation (7)": np.ones(len(TERMS))}
    for k, term in enumerate(TERMS):
        for change, factor in CHANGES.items():
            rows[f"{term} {change}"] = np.where(np.arange(len(TERMS)) == k, factor, 1.0)
    return {name: tuple(row.tolist()) for name, row in rows.items()}


LAWS = _laws()
"""Factors of the five terms in (7) and in the fifteen systems of `alternatives.altered(CHANGES)`, by name."""

NAMES = tuple(LAWS)
"""Names of the sixteen systems, (7) first."""

SAME = {"w, decoder doubled": "dy2, decoder halved", "w, decoder halved": "dy2, decoder doubled"}
"""Systems that are another one with another τ_y: no trajectory tells the two apart."""

CLASSES = np.array([NAMES.index(SAME.get(name, name)) for name in NAMES])
"""For each system the number of the one that stands for all that are the same but for a constant."""


def field(state: np.ndarray, factors: np.ndarray) -> np.ndarray:
    """Right-hand sides (n, 3) of altered systems at states (n, 3), in units in which all constants are 1.

    H' = −f₁ W,   Y' = −W (f₂ Q + f₃ H),   W' = −(f₄ W R + f₅ H E), with Q = Y/H, R = (Y + W)/2H and
    E = (3W − Y + 1)/2. H is ‖dh‖² in its own unit, Y and W are ‖dy‖² and w over ‖dy*‖². Source: (7).
    """
    H, Y, W = state.T
    f1, f2, f3, f4, f5 = factors.T
    Q, R, E = Y / H, (Y + W) / (2 * H), (3 * W - Y + 1) / 2
    return np.stack([-f1 * W, -W * (f2 * Q + f3 * H), -(f4 * W * R + f5 * H * E)], axis=-1)


SEEN, TIMES = 12, 41
"""Times that are read, and all times; the rest is to be told."""

PREFIX, WINDOW = 0.2, 0.02
"""Learned share of the target at which reading ends, and at which it begins in a network."""

STEP, STEPS = 0.05, 800


def curves(factors: np.ndarray, H: np.ndarray, share: np.ndarray) -> np.ndarray:
    """H over its value where reading ends, Y and W, (n, TIMES, 3), of systems that start with scalar outputs.

    factors: (n, 5); H and share: (n,), where they start. The times are even, and the SEEN-th is where the
    learned share Y − W reaches PREFIX; NaN where it never does. Runge-Kutta, in steps that are even in the
    integral of the largest rate.
    """
    now = np.stack([H, share**2, share**2 - share, np.zeros_like(H)], axis=-1)
    slopes = lambda at: _by_speed(at, factors)
    path = [now]
    for _ in range(STEPS):
        k1 = slopes(now)
        k2 = slopes(now + STEP / 2 * k1)
        k3 = slopes(now + STEP / 2 * k2)
        k4 = slopes(now + STEP * k3)
        now = now + STEP / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
        path.append(now)
    return np.stack([_windowed(*row.T) for row in np.stack(path, axis=1)])


def _by_speed(at: np.ndarray, factors: np.ndarray) -> np.ndarray:
    """The slopes of state and time by the integral of the rates, Y/H + H of the outputs and |W|/H of dh."""
    speed = (at[:, 1] + np.abs(at[:, 2])) / at[:, 0] + at[:, 0]
    return np.column_stack([field(at[:, :3], factors), np.ones(len(at))]) / speed[:, None]


def _windowed(H: np.ndarray, Y: np.ndarray, W: np.ndarray, t: np.ndarray) -> np.ndarray:
    """One trajectory, (n,) each, at the TIMES of reading, (TIMES, 3); NaN where PREFIX is never reached."""
    if (Y - W).max() < PREFIX:
        return np.full((TIMES, 3), np.nan)
    end = _crossing(t, Y - W, PREFIX)
    times = t[0] + (end - t[0]) * np.arange(TIMES) / (SEEN - 1)
    at = np.stack([np.interp(times, t, values) for values in (H, Y, W)], axis=-1)
    return at / [np.interp(end, t, H), 1, 1]


def _crossing(t: np.ndarray, values: np.ndarray, level: float) -> float:
    """When values first reach a level; raises ValueError where they never do."""
    row = int(np.argmax(values >= level))
    if values[row] < level:
        raise ValueError(f"values must reach {level}, got at most {values.max():.3g}")
    return float(np.interp(level, values[row - 1 : row + 1], t[row - 1 : row + 1])) if row else float(t[0])


def window(run: Run, begin: float = WINDOW) -> np.ndarray:
    """A training as PROSE reads it, (TIMES, 3): from the last time before PREFIX that the share is `begin`.

    Between stored epochs by smooth interpolation. NaN where the run does not learn so much.
    """
    from scipy.interpolate import PchipInterpolator

    target, state = run.task.dy2_target, run.trajectory
    share = (state.dy2 - state.w) / target
    below = np.flatnonzero(share[: int(np.argmax(share >= PREFIX))] < begin)
    t = np.linspace(run.t[0], run.t[-1], 20_001) if len(run) < 20_001 else run.t
    if below.size:  # the share rises through `begin` between two rows
        first = below[-1]
        t = np.r_[np.linspace(*run.t[first : first + 2], 50, endpoint=False), t[t > run.t[first + 1]]]
    columns = (state.dh2, state.dy2 / target, state.w / target)
    H, Y, W = (PchipInterpolator(run.t, column)(t) for column in columns)
    learned = Y - W
    rows = slice(int(np.argmax(learned >= begin)) if below.size else 0, None)
    return _windowed(H[rows], Y[rows], W[rows], t[rows])


# --- equations in words ------------------------------------------------------------------------

WORDS = ("pad", "begin", "end", "erased", ";", "0", "neg", "*", "+", "2", "½", "a", "b", "H", "W", "Q", "R",
         "E")  # fmt: skip
"""The vocabulary: a and b are the two constants, Q is Y/H, R is (Y + W)/2H, E is (3W − Y + 1)/2."""

LENGTH = 32
"""Places of an equation, the word "end" included."""

_TIMES = {1.0: (), 2.0: ("*", "2"), 0.5: ("*", "½")}


def in_words(factors: Sequence[float]) -> tuple[str, ...]:
    """Three right-hand sides in prefix notation: "neg * a W ; neg * W + * a Q * b H ; ..."."""
    first, *rest = factors
    rows = [("neg", *_TIMES[first], "*", "a", "W") if first else ("0",)]
    lines = ("neg * W", "* a Q", "* b H"), ("neg", "* a * W R", "* b * H E")
    for (begins, *both), own in zip(lines, (rest[:2], rest[2:]), strict=True):
        terms = [(*_TIMES[f], *term.split()) for f, term in zip(own, both, strict=True) if f]
        rows.append((*begins.split(), *("+",) * (len(terms) - 1), *sum(terms, ())))
    return (*rows[0], ";", *rows[1], ";", *rows[2])


_UNARY, _BINARY = {"neg": lambda x: -x}, {"*": lambda x, y: x * y, "+": lambda x, y: x + y}
_NUMBERS = {"0": 0.0, "2": 2.0, "½": 0.5}


def evaluated(words: Sequence[str], letters: dict) -> list:
    """The three right-hand sides that words in prefix notation stand for, at the values of some letters.

    Raises ValueError where they are no three expressions.
    """
    rows = " ".join(words).split(" ; ")
    if len(rows) != 3:
        raise ValueError(f"words must be three expressions, got {len(rows)}")
    values = []
    for row in rows:
        left = iter(row.split())
        values.append(_expression(left, letters))
        if rest := list(left):
            raise ValueError(f"words must end with their expression, got {' '.join(rest)!r} behind it")
    return values


def _expression(left: Iterator[str], letters: dict):
    word = next(left, "end")
    if word in _UNARY:
        return _UNARY[word](_expression(left, letters))
    if word in _BINARY:
        return _BINARY[word](_expression(left, letters), _expression(left, letters))
    known = letters | _NUMBERS
    if word not in known:
        raise ValueError(f"words must be operators, letters or numbers of an expression, got {word!r}")
    return known[word]


def parses(words: Sequence[str]) -> bool:
    """Whether words are three right-hand sides."""
    try:
        evaluated(words, dict.fromkeys("abHWQRE", 1.0))
    except ValueError:
        return False
    return True


_TOLD = {in_words(factors): k for k, factors in enumerate(LAWS.values())}


def named(words: Sequence[str]) -> int:
    """The number of the system that words stand for; -1 for none of the family."""
    return _TOLD.get(tuple(words), -1)


def _tokens(words: Sequence[str], vocabulary: Sequence[str], length: int) -> list[int]:
    own = [*words, "end"]
    return [vocabulary.index(word) for word in own + ["pad"] * (length - len(own))]


EQUATIONS = np.array([_tokens(in_words(factors), WORDS, LENGTH) for factors in LAWS.values()])
"""The sixteen systems as numbers of WORDS, (16, LENGTH)."""


# --- PROSE -------------------------------------------------------------------------------------


def encoder(d: int, layers: int) -> nn.TransformerEncoder:
    """Layers of self-attention with four heads."""
    layer = nn.TransformerEncoderLayer(d, 4, 2 * d, dropout=0.0, batch_first=True, norm_first=True)
    return nn.TransformerEncoder(layer, layers, enable_nested_tensor=False)


class OperatorDecoder(nn.Module):
    """Times ask what was read, each for itself: q ← q + attention(q, seen), q ← q + MLP(q); u(t) = C q.

    Source: PROSE (Liu et al. 2023); the value at one time does not depend on which others are asked for.
    """

    def __init__(self, d: int, n_out: int, layers: int = 2):
        super().__init__()
        self.query = nn.Sequential(nn.Linear(1, d), nn.SiLU(), nn.Linear(d, d))
        self.ask = nn.ModuleList(nn.MultiheadAttention(d, 4, batch_first=True) for _ in range(layers))
        self.think = nn.ModuleList(
            nn.Sequential(nn.LayerNorm(d), nn.Linear(d, 2 * d), nn.SiLU(), nn.Linear(2 * d, d))
            for _ in range(layers)
        )
        self.curve = nn.Sequential(nn.LayerNorm(d), nn.Linear(d, n_out))

    def forward(self, times, seen):
        """Values (n, times, n_out) at times (n, times), from what was read (n, places, d)."""
        q = self.query(times[..., None])
        for ask, think in zip(self.ask, self.think, strict=True):
            q = q + ask(q, seen, seen, need_weights=False)[0]
            q = q + think(q)
        return self.curve(q)


class SymbolDecoder(nn.Module):
    """Word by word: P(next word | words so far, what was read), by masked self-attention and attention."""

    def __init__(self, d: int, words: int, length: int, layers: int = 1):
        super().__init__()
        self.word, self.place = nn.Embedding(words, d), nn.Parameter(0.1 * torch.randn(length, d))
        layer = nn.TransformerDecoderLayer(d, 4, 2 * d, dropout=0.0, batch_first=True, norm_first=True)
        self.tell, self.speak = nn.TransformerDecoder(layer, layers), nn.Linear(d, words)

    def forward(self, so_far, seen):
        """Scores of each next word (n, words so far, words)."""
        n = so_far.shape[1]
        later = torch.ones(n, n, dtype=torch.bool).triu(1)
        told = self.word(so_far) + self.place[:n]
        return self.speak(self.tell(told, seen, tgt_mask=later, tgt_is_causal=True))


class PROSE(nn.Module):
    """Two encoders, fusion, operator decoder and symbol decoder (Liu et al. 2023).

    seen = fuse([encode(numbers) + kind₀, encode(words) + kind₁]);  u(t) = operator(t, seen),
    P(next word) = symbols(words so far, seen). numbers: (n, SEEN, 4), words: (n, LENGTH).
    """

    def __init__(self, d: int = 32, channels: int = 4, n_out: int = 3):
        super().__init__()
        self.number, self.word = nn.Linear(channels, d), nn.Embedding(len(WORDS), d)
        self.place, self.kind = (nn.Parameter(0.1 * torch.randn(n, d)) for n in (LENGTH, 2))
        self.data, self.text, self.fusion = encoder(d, 1), encoder(d, 1), encoder(d, 2)
        self.operator = OperatorDecoder(d, n_out)
        self.symbols = SymbolDecoder(d, len(WORDS), LENGTH)

    def read(self, numbers, words):
        """What both decoders attend to: data and words, fused, (n, SEEN + LENGTH, d)."""
        data = self.data(self.number(numbers))
        text = self.text(self.word(words) + self.place)
        return self.fusion(torch.cat([data + self.kind[0], text + self.kind[1]], dim=1))

    def forward(self, numbers, words, times, so_far):
        """Curves (n, times, n_out), and scores of the next words (n, words so far, words)."""
        seen = self.read(numbers, words)
        return self.operator(times, seen), self.symbols(so_far, seen)


@torch.no_grad()
def greedy(symbols: SymbolDecoder, seen: torch.Tensor, length: int, begin: int, end: int) -> torch.Tensor:
    """The likeliest word, again and again, until all have ended, (n, length at most)."""
    told = torch.full((len(seen), 1), begin)
    for _ in range(length):
        told = torch.cat([told, symbols(told, seen)[:, -1].argmax(dim=-1, keepdim=True)], dim=1)
        if (told == end).any(dim=1).all():
            break
    return told[:, 1:]


def sentences(told: torch.Tensor, vocabulary: Sequence[str]) -> list[tuple[str, ...]]:
    """Numbers of words as words, up to the first "end"."""
    rows = [[vocabulary[k] for k in row] for row in told.tolist()]
    return [tuple(row[: row.index("end")] if "end" in row else row) for row in rows]


# --- PROSE: what it learns from, and what it is asked --------------------------------------------

READ, NOISE = 500, 0.01
"""Trajectories a system that PROSE learns from, and the relative noise of what it reads."""

ASKED = 25
"""Unseen trajectories a system."""


def drawn(random: np.random.Generator, each: int) -> tuple[np.ndarray, np.ndarray]:
    """Numbers (n,) of systems, and their trajectories (n, TIMES, 3): as many of each, from other starts."""
    kind = np.repeat(np.arange(len(NAMES)), each)
    factors, whole = np.array([*LAWS.values()])[kind], np.full((kind.size, TIMES, 3), np.nan)
    while (stuck := np.isnan(whole).any(axis=(1, 2))).any():  # of one law many starts never get to PREFIX
        n = stuck.sum()
        H = np.exp(random.uniform(np.log(0.005), np.log(0.5), n))
        whole[stuck] = curves(factors[stuck], H, random.uniform(0.01, 0.05, n))
    return kind, whole


def read_numbers(whole: np.ndarray, random: np.random.Generator) -> torch.Tensor:
    """The beginnings of trajectories as PROSE reads them, (n, SEEN, 4), with noise: time, ln H, ln Y, ln −W.

    The logarithms are whitened over the family: what tells laws apart is small beside what starts do.
    """
    logs = _logs(whole) + NOISE * random.standard_normal((len(whole), SEEN, 3))
    centre, whiten = _usual()
    white = ((logs.reshape(len(logs), -1) - centre) @ whiten).reshape(logs.shape)
    t = np.broadcast_to(np.linspace(-1, 1, SEEN), logs.shape[:2])
    return torch.tensor(np.concatenate([t[..., None], white], axis=-1), dtype=torch.float32)


def _logs(whole: np.ndarray) -> np.ndarray:
    return np.log(np.maximum(whole[..., :SEEN, :] * [1, 1, -1], 1e-3 * PREFIX))


@cache
def _usual() -> tuple[np.ndarray, np.ndarray]:
    """Mean of what is read over the family, and the inverse root of its covariance with the noise."""
    logs = _logs(drawn(np.random.default_rng(0), 2 * ASKED)[1]).reshape(2 * ASKED * len(NAMES), -1)
    sizes, axes = np.linalg.eigh(np.cov(logs.T) + NOISE**2 * np.eye(3 * SEEN))
    return logs.mean(axis=0), axes / np.sqrt(sizes) @ axes.T


def guessed(kind: np.ndarray, erased: float | np.ndarray, random: np.random.Generator) -> torch.Tensor:
    """Equations of a guess, each word erased with a probability, (n, LENGTH)."""
    words = EQUATIONS[kind]
    gone = random.random(words.shape) < np.broadcast_to(np.reshape(erased, (-1, 1)), words.shape)
    return torch.tensor(np.where(gone, WORDS.index("erased"), words))


def _scaled(whole: np.ndarray) -> np.ndarray:
    return np.stack([np.log(whole[..., 0]), whole[..., 1], 2 * whole[..., 2]], axis=-1)


PROSE_STEPS, BATCH = 1400, 32


def trained_prose(seed: int, steps: int = PROSE_STEPS) -> tuple[PROSE, np.ndarray, np.ndarray]:
    """PROSE after its training (Adam, one cycle of rates), and what it learned from, as `drawn` gives it."""
    random = np.random.default_rng(seed)
    torch.manual_seed(seed)
    kind, whole = drawn(random, READ)
    rest = torch.tensor(_scaled(whole[:, SEEN:]), dtype=torch.float32)
    ahead = _asked_times(BATCH)
    model = PROSE()

    def loss(_) -> torch.Tensor:
        rows = random.integers(kind.size, size=BATCH)
        # A quarter of the guesses has all words, a quarter half of them, half none; a tenth is wrong.
        guess = np.where(random.random(BATCH) < 0.1, random.integers(len(NAMES), size=BATCH), kind[rows])
        words = guessed(guess, random.choice([0.0, 0.5, 1.0, 1.0], size=BATCH), random)
        truth = torch.tensor(EQUATIONS[kind[rows]])
        told, said = model(read_numbers(whole[rows], random), words, ahead, _shifted(truth, WORDS))
        return functional.mse_loss(told, rest[rows]) + 0.5 * _surprise(said, truth, WORDS)

    _learn(model, loss, steps)
    return model.eval(), kind, whole


def _asked_times(n: int) -> torch.Tensor:
    return (torch.arange(SEEN, TIMES) / (SEEN - 1)).expand(n, -1)


def _learn(model: nn.Module, loss: Callable[[int], torch.Tensor], steps: int) -> None:
    """Train in place by Adam, one cycle of rates, gradients of norm 1 at most."""
    cycle = lambda optimizer, steps: OneCycleLR(optimizer, 3e-3, total_steps=steps, pct_start=0.1)
    adam(model, loss, steps=steps, lr=3e-3, schedule=cycle, largest=1.0)


def _shifted(words: torch.Tensor, vocabulary: Sequence[str]) -> torch.Tensor:
    """What has been said before each word."""
    begin = torch.full((len(words), 1), vocabulary.index("begin"))
    return torch.cat([begin, words[:, :-1]], dim=1)


def _surprise(said: torch.Tensor, truth: torch.Tensor, vocabulary: Sequence[str]) -> torch.Tensor:
    return functional.cross_entropy(said.flatten(0, 1), truth.flatten(), ignore_index=vocabulary.index("pad"))


@torch.no_grad()
def prose_says(model: PROSE, numbers: torch.Tensor, words: torch.Tensor) -> tuple[np.ndarray, list]:
    """The rest of each trajectory, (n, TIMES - SEEN, 3), and each equation in words."""
    seen = model.read(numbers, words)
    told = model.operator(_asked_times(len(numbers)), seen).double().numpy()
    rest = np.stack([np.exp(told[..., 0]), told[..., 1], told[..., 2] / 2], axis=-1)
    begin, end = WORDS.index("begin"), WORDS.index("end")
    return rest, sentences(greedy(model.symbols, seen, LENGTH, begin, end), WORDS)


def forecast_errors(rest: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Relative L2 error of the rest of each trajectory, (n,), with H over its largest."""
    scale = np.ones_like(truth[:, :1])
    scale[..., 0] = truth[..., 0].max(axis=1, keepdims=True)
    error, size = (np.linalg.norm(part / scale, axis=(1, 2)) for part in (rest - truth, truth))
    return error / size


# --- the prompted model: words and numbers in, a curve and a sentence out ------------------------

UNTIL = 6.0
"""Where the curves of the prompted model end; its unit of time is (7)'s own."""

_PROMPT = ("two", "points", "with", "?", "targets", ",", "outputs", "?", ",", "start", "?", ",", "encoder",
           "?", ";", "numbers", "p", "#", "x", "#", "target", "#")  # fmt: skip
_SAID = ("same", "different", "right", "wrong", "small", "large", "slow", "fast", "unknown", "size")
PROMPTS = tuple(dict.fromkeys((*_PROMPT, *_SAID)))
"""The words of prompts: "?" is a word that was left out, "#" stands where a number is."""

PROMPT_LENGTH = len(_PROMPT)
_TARGETS, _ORDER, _START, _ENCODER = (k for k, word in enumerate(_PROMPT) if word == "?")
_P, _X, _S = (k for k, word in enumerate(_PROMPT) if word == "#")

TOLD = ("pad", "begin", "end", "outputs", "start", "right", "wrong", "and", "wait", "until", "t", "is",
        "about", *"0123456", "all", "the", "time", "rise", "fade", "at", "once", ";", "representations",
        "swap", "lie", "farther", "closer", "as", "before")  # fmt: skip
"""The words of sentences."""

TOLD_LENGTH = 22
"""Places of a sentence, the word "end" included."""


def exact_pair(p0: np.ndarray, x0: np.ndarray, s: np.ndarray, t: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Exact p and x, (n, times), of p' = x (s − p x), x' = p (s − p x), which is (7): ‖dh‖² = p², dy = p x.

    (p, x) = z/√N with z' = M z, M = [[c/2, s], [s, −c/2]], c = p² − x², N = 1 + ∫|z|². Source: (E4) to (E8).
    """
    p0, x0, s = (np.asarray(values, dtype=float)[:, None] for values in (p0, x0, s))
    half = (p0**2 - x0**2) / 2
    A, turn = np.maximum(np.hypot(half, s), 1e-12), np.arctan2(s, half) / 2
    cos, sin = np.cos(turn), np.sin(turn)
    up, down = p0 * cos + x0 * sin, x0 * cos - p0 * sin
    grown = up**2 * np.expm1(2 * A * t) - down**2 * np.expm1(-2 * A * t)
    root = np.sqrt(1 + grown / (2 * A))
    along, across = up * np.exp(A * t) / root, down * np.exp(-A * t) / root
    return along * cos - across * sin, along * sin + across * cos


def description(p: np.ndarray, x: np.ndarray, s: float, t: np.ndarray) -> tuple[str, ...]:
    """What a trajectory does, in words, by rules: its order, when it is half done, where dh ends."""
    v = p * x
    done = v >= 0.5 if s else np.abs(v) <= np.abs(v[0]) / 2
    when = str(round(float(t[done.argmax()]))) if done.any() else ""
    verb = "rise" if s else "fade"
    waits = (
        ("wait", "until", "t", "is", "about", when, "and", verb) if when else ("wait", "all", "the", "time")
    )
    begins = ("outputs", "start", "right" if v[0] > 0 else "wrong", "and")
    grown = p[-1] ** 2 / p[0] ** 2
    ends = ("farther",) if grown > 1.25 else ("closer",) if grown < 0.8 else ("as", "before")
    swaps = ("swap", "and", "lie") if p[-1] * p[0] < 0 else ("lie",)
    return (*begins, *((verb, "at", "once") if when == "0" else waits), ";", "representations", *swaps, *ends)


@dataclass(frozen=True, eq=False)
class Cases:
    """Starts p0 > 0, x0 and targets s of 0 or 1, (n,) each, and sentences about them, (n, TOLD_LENGTH)."""

    p0: np.ndarray
    x0: np.ndarray
    s: np.ndarray
    told: np.ndarray

    def outputs(self, t: np.ndarray) -> np.ndarray:
        """Outputs v = p x at times t, (n, times)."""
        p, x = exact_pair(self.p0, self.x0, self.s, t)
        return p * x


FINE = np.linspace(0, UNTIL, 301)


def cases(random: np.random.Generator, n: int, beyond: float = 1.0) -> Cases:
    """Drawn cases: a quarter has one target for both points, a quarter of the others starts in wrong order.

    Starts are between 0.05 and 1.5, and 0.3 and 1.5 with one target; or `beyond` times beyond the larger end,
    where that is more than 1.
    """
    s = (random.random(n) >= 0.25) * 1.0
    low = np.where(s == 1, 0.05, 0.3)
    least, most = (low, 1.5) if beyond == 1 else (1.5, 1.5 * beyond)
    p0, x0 = (np.exp(random.uniform(np.log(least), np.log(most), n)) for _ in range(2))
    x0 = x0 * np.where((s == 1) & (random.random(n) < 0.25), -1, 1)
    p, x = exact_pair(p0, x0, s, FINE)
    words = [description(*row, FINE) for row in zip(p, x, s, strict=True)]
    return Cases(p0, x0, s, np.array([_tokens(one, TOLD, TOLD_LENGTH) for one in words]))


def prompts(of: Cases, *, words: np.ndarray, numbers: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
    """Prompts of cases: numbers of PROMPTS, and the values where a number stands, both (n, PROMPT_LENGTH).

    words: (n, 4) whether each of the four words is said; numbers: (n, 2) whether the sign of x0, and the
    target, are among the numbers.
    """
    index = PROMPTS.index
    row = np.array([index(word) for word in _PROMPT])
    tokens, values = np.tile(row, (len(of.s), 1)), np.zeros((len(of.s), PROMPT_LENGTH))
    said = (
        (_TARGETS, of.s == 0, "same", "different"),
        (_ORDER, of.x0 > 0, "right", "wrong"),
        (_START, of.p0**2 + of.x0**2 < 0.5, "small", "large"),
        (_ENCODER, np.abs(of.x0) < of.p0, "slow", "fast"),
    )
    for k, (place, first, one, other) in enumerate(said):
        word = np.where(first, index(one), index(other))
        tokens[:, place] = np.where(words[:, k], word, index("?"))
    sign, target = numbers.T
    tokens[:, _X - 1] = np.where(sign, index("x"), index("size"))
    tokens[:, _S] = np.where(target, index("#"), index("unknown"))
    values[:, _P], values[:, _X] = of.p0, np.where(sign, of.x0, np.abs(of.x0))
    values[:, _S] = np.where(target, of.s, 0)
    return torch.tensor(tokens), torch.tensor(values, dtype=torch.float32)


class Prompted(nn.Module):
    """Words mixed with numbers in one sequence, a curve and a sentence out (after Negrini et al. 2025).

    A number's place holds MLP(value), another place its word's vector; seen = encode(sequence);
    v(t) = operator(t, seen), P(next word) = symbols(words so far, seen).
    """

    def __init__(self, d: int = 32):
        super().__init__()
        self.word = nn.Embedding(len(PROMPTS), d)
        self.number = nn.Sequential(nn.Linear(2, d), nn.SiLU(), nn.Linear(d, d))
        self.place = nn.Parameter(0.1 * torch.randn(PROMPT_LENGTH, d))
        self.text, self.operator = encoder(d, 2), OperatorDecoder(d, 1)
        self.symbols = SymbolDecoder(d, len(TOLD), TOLD_LENGTH)

    def read(self, words, values):
        """What both decoders attend to, (n, PROMPT_LENGTH, d)."""
        sizes = torch.stack([values, torch.log(values.abs() + 0.02)], dim=-1)
        is_number = (words == PROMPTS.index("#"))[..., None]
        return self.text(torch.where(is_number, self.number(sizes), self.word(words)) + self.place)

    def forward(self, words, values, times, so_far):
        """Curves (n, times), and scores of the next words (n, words so far, words)."""
        seen = self.read(words, values)
        return self.operator(times, seen)[..., 0], self.symbols(so_far, seen)


PROMPTED_STEPS, CASES = 800, 6000


def trained_prompted(seed: int, steps: int = PROMPTED_STEPS) -> Prompted:
    """The prompted model after its training on drawn cases (Adam, one cycle of rates)."""
    random = np.random.default_rng(seed)
    torch.manual_seed(seed)
    known = cases(random, CASES)
    t = np.linspace(0, UNTIL, TIMES)
    curve = torch.tensor(known.outputs(t), dtype=torch.float32)
    times = torch.tensor(t / UNTIL, dtype=torch.float32).expand(BATCH, -1)
    model = Prompted()

    def loss(_) -> torch.Tensor:
        rows = random.integers(CASES, size=BATCH)
        some = Cases(known.p0[rows], known.x0[rows], known.s[rows], known.told[rows])
        truth = torch.tensor(some.told)
        told, said = model(*prompts(some, **_left_out(random)), times, _shifted(truth, TOLD))
        return functional.mse_loss(told, curve[rows]) + 0.05 * _surprise(said, truth, TOLD)

    _learn(model, loss, steps)
    return model.eval()


def _left_out(random: np.random.Generator) -> dict[str, np.ndarray]:
    """Which words and numbers a batch is given: half have all numbers, of the others few lack words."""
    whole = random.random(BATCH) < 0.5
    numbers = whole[:, None] | (random.random((BATCH, 2)) < 1 / 3)
    complete = numbers.all(axis=1)
    each, none = random.random((BATCH, 4)) < 0.75, random.random(BATCH) < 0.2
    return {"words": np.where(complete[:, None], each, ~none[:, None]), "numbers": numbers}


@torch.no_grad()
def prompted_says(model: Prompted, prompt, t: np.ndarray) -> tuple[np.ndarray, torch.Tensor]:
    """Outputs v at times t, (n, times), and the sentences as numbers of TOLD."""
    seen = model.read(*prompt)
    times = torch.tensor(t / UNTIL, dtype=torch.float32).expand(len(seen), -1)
    curve = model.operator(times, seen)[..., 0].double().numpy()
    return curve, greedy(model.symbols, seen, TOLD_LENGTH, TOLD.index("begin"), TOLD.index("end"))


def told_right(told: torch.Tensor, truth: np.ndarray) -> np.ndarray:
    """Whether each sentence is the right one, word for word, (n,)."""
    right = sentences(torch.tensor(truth), TOLD)
    return np.array([one == other for one, other in zip(sentences(told, TOLD), right, strict=True)])


# --- forecasts of a training from its beginning --------------------------------------------------

SHARES = (0.05, 0.1, 0.2, 0.4)
"""Learned shares of the target at which a forecast is asked for."""


@dataclass(frozen=True, eq=False)
class Beginning:
    """A training until its learned share reaches a level, and what came.

    `end` is ‖dh(∞)‖², `left` the epochs that were left to half of the target; `settings` are numbers of its
    architecture that a regression may use.
    """

    run: Run
    rows: int
    end: float
    left: float
    group: str
    settings: tuple[float, ...]


def rows_until(run: Run, share: float) -> int:
    """Rows until a share is learned, for the last time before half is; 0 where that is never, or at once."""
    learned = (run.trajectory.dy2 - run.trajectory.w) / run.task.dy2_target
    half = int(np.argmax(learned >= 0.5))
    below = np.flatnonzero(learned[:half] < share)
    return int(below[-1]) + 2 if below.size else 0


def beginning(run: Run, share: float, group: str, settings: Sequence[float]) -> Beginning:
    """The beginning of a run that learns; raises ValueError where it has fewer than SEEN rows until then."""
    learned = (run.trajectory.dy2 - run.trajectory.w) / run.task.dy2_target
    rows = rows_until(run, share)
    if rows < SEEN:
        raise ValueError(f"share must be reached after {SEEN} rows or more, got {share} after {rows}")
    left = _crossing(run.t, learned, 0.5) - run.t[rows - 1]
    return Beginning(run, rows, float(run.trajectory.dh2[-1]), left, group, tuple(settings))


def rates_by_areas(of: Beginning) -> Rates | None:
    """τ_h and τ_y from the area under w: 1/τ_h = −Δ‖dh‖²/(‖dx‖² ∫w), 1/τ_y = −Δ(‖dy‖²/‖dh‖²)/∫w.

    Both lines are (7), integrated; None where a time constant comes out negative, and (7) says nothing.
    """
    rows = slice(of.rows)
    state = of.run.trajectory[rows]
    area = np.trapezoid(state.w, of.run.t[rows])
    slope = state.dy2 / state.dh2
    speeds = -(state.dh2[-1] - state.dh2[0]) / (of.run.task.dx2 * area), -(slope[-1] - slope[0]) / area
    return Rates(*(1 / speed for speed in speeds)) if min(speeds) > 0 else None


def theory_end(of: Beginning) -> float:
    """‖dh(∞)‖² by (10) from the last row that is known and `rates_by_areas`; else the last value."""
    rates, state = rates_by_areas(of), of.run.trajectory[of.rows - 1]
    return float(state.dh2) if rates is None else final_distance(state, of.run.task, rates)


def theory_left(of: Beginning) -> float:
    """Epochs until half is learned, by (7) from the last row; ten times as many as went by at most."""
    rates, state, gone = rates_by_areas(of), of.run.trajectory[of.rows - 1], of.run.t[of.rows - 1]
    if rates is None:
        return float(gone)
    t = np.linspace(0, 10 * gone, 4001)
    path = solve(state, of.run.task, rates, t)
    share = (path.dy2 - path.w) / of.run.task.dy2_target
    return _crossing(t, share, 0.5) if share.max() >= 0.5 else float(t[-1])


def curve_features(curves: Sequence[np.ndarray]) -> np.ndarray:
    """SEEN even values of each curve with their first and second differences, as Baker et al. take them."""
    parts = []
    for curve in curves:
        some = np.interp(np.linspace(0, len(curve) - 1, SEEN), np.arange(len(curve)), curve)
        parts += [some, np.diff(some), np.diff(some, 2)]
    return np.concatenate(parts)


def features(of: Beginning) -> np.ndarray:
    """What a regression is told: the beginnings of ln ‖dh‖² and ln loss, ln epochs gone, the settings."""
    known = of.run.trajectory.dh2[: of.rows], of.run.loss[: of.rows]
    return np.r_[curve_features([np.log(v) for v in known]), np.log(of.run.t[of.rows - 1]), of.settings]


MACHINES = ("ν-SVR", "least squares", "random forest")
"""Regressions of Baker et al. 2017 for the forecast, with constants that nothing was tuned for."""


def machine(name: str):
    """An unfitted regression of MACHINES, on standardised features."""
    from sklearn.ensemble import RandomForestRegressor
    from sklearn.linear_model import LinearRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import NuSVR

    made = {
        "ν-SVR": NuSVR(nu=0.5, C=10.0, tol=1e-9),  # at its own 1e-3 another rounding moves a forecast by 2%
        "least squares": LinearRegression(),
        "random forest": RandomForestRegressor(50, random_state=0),
    }
    return make_pipeline(StandardScaler(), made[name])


WANTED = {"end": (lambda of: of.end, theory_end), "half-time": (lambda of: of.left, theory_left)}
"""What is forecast: what came, and what theory says."""


def forecasts(
    known: Sequence[Beginning],
    asked: Sequence[Beginning],
    what: str = "end",
    *,
    machines: Sequence[str] = MACHINES,
    shuffled: int | None = None,
) -> Arrays:
    """Logarithms of forecast over what came for each asked run, by each way; machines know other groups only.

    "theory and ν-SVR" is the ν-SVR on what theory leaves. `shuffled` is a seed that permutes what came of the
    known runs: the fake.
    """
    truth, by_theory = WANTED[what]
    came, told = (np.log([[f(of) for of in runs] for f in (truth, by_theory)]) for runs in (known, asked))
    X, Z = (np.array([features(of) for of in runs]) for runs in (known, asked))
    y, theory = came
    if shuffled is not None:
        y = np.random.default_rng(shuffled).permutation(y)
    last = [of.run.trajectory.dh2[of.rows - 1] if what == "end" else of.run.t[of.rows - 1] for of in asked]
    found = {"theory": told[1], "last value": np.log(last), "theory and ν-SVR": np.zeros(len(asked))}
    found |= {name: np.zeros(len(asked)) for name in (*machines, "mean")}
    for group in dict.fromkeys(of.group for of in asked):
        own = np.array([of.group == group for of in asked])
        rest = np.array([of.group != group for of in known])
        for name in machines:
            found[name][own] = machine(name).fit(X[rest], y[rest]).predict(Z[own])
        left = machine("ν-SVR").fit(X[rest], (y - theory)[rest]).predict(Z[own])
        found["theory and ν-SVR"][own] = told[1][own] + left
        found["mean"][own] = y[rest].mean()
    return {name: values - told[0] for name, values in found.items()}


def factor(logs: np.ndarray) -> float:
    """The typical factor by which forecasts miss: exp of the median of |ln|."""
    return float(np.exp(np.median(np.abs(logs))))


# --- early stopping of a search ------------------------------------------------------------------

CONFIGURATIONS, SEARCH_EPOCHS, LOOK = 60, 300, 75
"""Networks of a search, epochs of each, and the epoch at which some of them are stopped."""

LEARNED = 1e-6
"""Loss below which no network is better than another."""

FIRST, UNLIKELY = 12, 0.05
"""How many are trained to the end before a regression decides; the chance below which one is stopped."""


def searched(seed: int, n: int = CONFIGURATIONS) -> tuple[np.ndarray, np.ndarray]:
    """What a search finds: features (n, k) at LOOK and the performance (n,), minus ln of the final loss.

    Narrow leaky ReLU networks of 2, 4 or 8 layers, of drawn gains and learning rates.
    """
    random = np.random.default_rng(seed)
    data = two_points(dtype=torch.float64)
    X, performance = [], []
    for k in range(n):
        layers, gain = int(random.choice([2, 4, 8])), random.uniform(0.7, 1.1)
        lr = float(np.exp(random.uniform(np.log(0.003), np.log(0.03))))
        network = FullyConnected(
            hidden_layers=layers, units=50, gain=gain, seed=1000 * seed + k, dtype=torch.float64
        )
        run = train(network, data, lr=lr, epochs=SEARCH_EPOCHS, layer=network.middle)
        seen = [np.log(v[:LOOK]) for v in (run.loss, run.trajectory.dh2)]
        X.append(np.r_[curve_features(seen), layers, gain, np.log(lr)])
        performance.append(-np.log(max(run.loss[-1], LEARNED)))
    return np.array(X), np.array(performance)


def stopped_early(
    X: np.ndarray, performance: np.ndarray, order: np.ndarray, kernel: str = "linear"
) -> tuple[bool, float]:
    """Whether a search with early stopping keeps the best configuration, and by what it is faster.

    In the given order, the FIRST are trained to the end; of each other a ν-SVR on those says at LOOK how
    likely it is better than the best so far (Gaussian, with the spread of its errors in cross-validation).
    A kernel of bumps ("rbf") never says "better than all that I have seen".
    """
    from scipy.stats import norm

    whole, epochs = list(order[:FIRST]), FIRST * SEARCH_EPOCHS
    for n, k in enumerate(order[FIRST:]):
        if n % FIRST == 0:  # a new fit now and then
            expected, spread = _expected(X, performance, np.array(whole), kernel)
        likely = norm.sf((performance[whole].max() - expected[k]) / spread) >= UNLIKELY
        epochs += SEARCH_EPOCHS if likely else LOOK
        whole += [k] if likely else []
    kept = performance[whole].max() >= performance.max()
    return bool(kept), len(order) * SEARCH_EPOCHS / epochs


def _expected(
    X: np.ndarray, performance: np.ndarray, known: np.ndarray, kernel: str
) -> tuple[np.ndarray, float]:
    """What a ν-SVR on known configurations expects of all, and the spread of its errors on thirds of them."""
    from sklearn.svm import NuSVR

    spread = X[known].std(axis=0)
    Z = (X - X[known].mean(axis=0)) / np.where(spread > 0, spread, 1)
    fitted = lambda rows: NuSVR(nu=0.5, kernel=kernel).fit(Z[rows], performance[rows]).predict(Z)
    third = np.arange(known.size) % 3
    parts = [fitted(known[third != part])[known[third == part]] for part in range(3)]
    errors = [found - performance[known[third == part]] for part, found in enumerate(parts)]
    return fitted(known), float(np.std(np.concatenate(errors)))


# --- studies -------------------------------------------------------------------------------------

SHUFFLES, FEWER = 100, 50


def search_study(seed: int) -> Arrays:
    """Early stopping of one search in SHUFFLES orders: best kept, speed-up, (SHUFFLES,) each.

    The same in FEWER orders by a regression with Gaussian bumps, and by the linear one on wrong beginnings.
    """
    X, performance = searched(seed)
    random = np.random.default_rng(seed)
    orders = [random.permutation(CONFIGURATIONS) for _ in range(SHUFFLES)]
    blind = X[random.permutation(CONFIGURATIONS)]
    kept = {"performance": performance}
    for name, (Z, how, n) in {
        "": (X, "linear", SHUFFLES), "bumps_": (X, "rbf", FEWER), "blind_": (blind, "linear", FEWER),
    }.items():  # fmt: skip
        found = np.array([stopped_early(Z, performance, order, how) for order in orders[:n]])
        kept |= {f"{name}kept": found[:, 0] > 0, f"{name}faster": found[:, 1]}
    return kept


GUESSES = ("right", "half erased", "all erased", "a word in twenty wrong", "of another system")
"""What PROSE is told of the equation, in the order of what `prose_study` keeps."""


def guesses(kind: np.ndarray, random: np.random.Generator) -> list[torch.Tensor]:
    """GUESSES of equations, (n, LENGTH) each."""
    other = (kind + random.integers(1, len(NAMES), size=kind.size)) % len(NAMES)
    words = guessed(kind, 0.0, random)
    swapped = torch.tensor(random.random(words.shape) < 0.05)
    strange = torch.tensor(random.integers(WORDS.index(";"), len(WORDS), size=tuple(words.shape)))
    first = [guessed(kind, share, random) for share in (0.0, 0.5, 1.0)]
    return [*first, torch.where(swapped, strange, words), guessed(other, 0.0, random)]


def nearest(asked: torch.Tensor, known: torch.Tensor) -> np.ndarray:
    """For each trajectory the number of the known one whose beginning is nearest, (n,)."""
    return torch.cdist(asked.flatten(1), known.flatten(1)).argmin(dim=1).numpy()


TWIN_STARTS = np.exp(np.linspace(np.log(0.002), np.log(2), 60))


def twins(growth: np.ndarray, begin: float = WINDOW) -> np.ndarray:
    """Trajectories of each law in which ‖dh‖² grows while it is read as in given runs, (16, n, TIMES, 3).

    They begin where the share is `begin`; a law that has no such growth gives the nearest.
    """
    rows = []
    for whole in _of_twin_starts(begin):
        apart = np.abs(np.log(whole[:, 0, 0])[None] + np.log(growth)[:, None])
        rows.append(whole[apart.argmin(axis=1)])
    return np.array(rows)


@cache
def _of_twin_starts(begin: float) -> list[np.ndarray]:
    """Trajectories of each law from TWIN_STARTS that reach PREFIX."""
    n, rows = TWIN_STARTS.size, []
    for factors in LAWS.values():
        whole = curves(np.tile(factors, (n, 1)), TWIN_STARTS, np.full(n, begin))
        rows.append(whole[~np.isnan(whole).any(axis=(1, 2))])
    return rows


def off(windows: np.ndarray, others: np.ndarray) -> np.ndarray:
    """How far beginnings are from one another: root mean square of the ln of ‖dh‖², ‖dy‖² and −w, (n,)."""
    return np.sqrt(((_logs(windows) - _logs(others)) ** 2).mean(axis=(-2, -1)))


def network_windows(*, fresh: bool) -> tuple[list[str], np.ndarray]:
    """Rows of Table 1 and windows (n, TIMES, 3) of stored runs of Figure 2; NaN where one does not learn."""
    from .. import runs
    from ..experiments.tables import UNIVERSAL

    names, rows = [], []
    for row in UNIVERSAL:
        own = [runs.stored_run(row, seed).run for seed in runs.SEEDS]
        for run in runs.sampled_runs(f"{runs.slug(row)}-fresh") if fresh else own:
            learns = run.loss[-1] < 1e-3
            names.append(row)
            rows.append(window(run) if learns else np.full((TIMES, 3), np.nan))
    return names, np.array(rows)


def prose_study(seed: int) -> Arrays:
    """What PROSE says of unseen trajectories with five kinds of words, and of networks without words.

    kind (n,), said (5, n), taken (5, n), which is the guess at its word, error (5, n) of the rest, and the
    share of sentences that parse (5,). "near" is the nearest trajectory that PROSE learned from.
    Of the runs of Figure 2, the stored seeds or, for fresh seeds of PROSE, the fresh ones, the system
    that is named, and that of the nearest: -1 for none, -2 for runs that do not learn.
    `twins` are what is said of each law's trajectories with the growth of the stored runs.
    """
    model, known_kind, known = trained_prose(seed)
    random = np.random.default_rng(10_000 + seed)
    kind, whole = drawn(random, ASKED)
    numbers, rest = read_numbers(whole, random), whole[:, SEEN:]
    asked = guesses(kind, random)
    told = [prose_says(model, numbers, words) for words in asked]
    learned = read_numbers(known, random)
    near = nearest(numbers, learned)
    _, windows = network_windows(fresh=seed >= 100)
    said, error = _said_of(model, windows, random)
    stored = windows if seed < 100 else network_windows(fresh=False)[1]
    shape = twins(1 / stored[~np.isnan(stored).any(axis=(1, 2)), 0, 0])
    return {
        "kind": np.int8(kind),
        "said": np.int8([[named(one) for one in words] for _, words in told]),
        "taken": np.int8([[named(one) for one in sentences(words, WORDS)] for words in asked]),
        "error": np.float32([forecast_errors(curve, rest) for curve, _ in told]),
        "parses": np.array([np.mean([parses(one) for one in words]) for _, words in told]),
        "near_said": np.int8(known_kind[near]),
        "near_error": np.float32(forecast_errors(known[near][:, SEEN:], rest)),
        "networks_said": said,
        "networks_error": error,
        "networks_near": _nearest_names(windows, learned, known_kind, random),
        "twins": _said_of(model, shape.reshape(-1, TIMES, 3), random)[0].reshape(len(shape), -1),
    }


def _said_of(model: PROSE, windows: np.ndarray, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """The system that is named of each window without words, and the error of the rest."""
    there = ~np.isnan(windows).any(axis=(1, 2))
    said, error = np.full(there.size, -2, np.int8), np.full(there.size, np.nan, np.float32)
    own = windows[there]
    words = guessed(np.zeros(len(own), int), 1.0, random)
    rest, told = prose_says(model, read_numbers(own, random), words)
    said[there] = [named(one) for one in told]
    error[there] = forecast_errors(rest, own[:, SEEN:])
    return said, error


def _nearest_names(
    windows: np.ndarray, learned: torch.Tensor, kind: np.ndarray, random: np.random.Generator
) -> np.ndarray:
    """The system of the known trajectory that is nearest to each window."""
    there = ~np.isnan(windows).any(axis=(1, 2))
    said = np.full(there.size, -2, np.int8)
    said[there] = kind[nearest(read_numbers(windows[there], random), learned)]
    return said


def nearest_study(seed: int) -> Arrays:
    """What the nearest trajectory that PROSE learned from says of the same unseen ones, and of networks.

    By the logarithms themselves, with the same noise. `prose_study` has the nearest after whitening, which
    makes noise as large as what tells laws apart: a handicapped reader. networks_said as there.
    """
    known_kind, known = drawn(np.random.default_rng(seed), READ)
    random = np.random.default_rng(10_000 + seed)
    kind, whole = drawn(random, ASKED)
    logs = _logs(whole) + NOISE * random.standard_normal((len(whole), SEEN, 3))
    learned = torch.tensor(_logs(known))
    near = nearest(torch.tensor(logs), learned)
    _, windows = network_windows(fresh=seed >= 100)
    there = ~np.isnan(windows).any(axis=(1, 2))
    said = np.full(there.size, -2, np.int8)
    said[there] = known_kind[nearest(torch.tensor(_logs(windows[there])), learned)]
    return {
        "kind": np.int8(kind),
        "said": np.int8(known_kind[near]),
        "error": np.float32(forecast_errors(known[near][:, SEEN:], whole[:, SEEN:])),
        "networks_said": said,
    }


CASES_ASKED, SHOWN = 400, 6


def words_study(seed: int) -> Arrays:
    """Errors (6, n) and whether sentences are right (6, n) of the prompted model, in the order of ASKINGS.

    With the errors at later times, those of the known case with the nearest numbers (2, n), inside and
    outside, whether its sentence is right (n,), and some sentences and curves as examples.
    """
    model = trained_prompted(seed)
    random = np.random.default_rng(10_000 + seed)
    own, outside = cases(random, CASES_ASKED), cases(random, CASES_ASKED, 1.2)
    t = np.linspace(0, UNTIL, TIMES)
    error, right, curves_told, sentences_told = [], [], [], []
    for which, words, numbers, other in ASKINGS.values():
        known = outside if which == "outside" else own
        curve, told = prompted_says(model, _asked(known, words, numbers, other), t)
        error.append(_missed(curve, known.outputs(t)))
        right.append(told_right(told, known.told))
        curves_told.append(curve[:SHOWN])
        sentences_told.append(np.pad(told.numpy()[:SHOWN], ((0, 0), (0, TOLD_LENGTH - told.shape[1]))))
    later = np.linspace(UNTIL, 1.5 * UNTIL, TIMES)
    beyond, _ = prompted_says(model, _asked(own, True, True, False), later)
    taught = cases(np.random.default_rng(20_000 + seed), CASES)
    rows = [_nearest_case(some, taught) for some in (own, outside)]
    return {
        "error": np.float32(error),
        "right": np.array(right),
        "later_error": np.float32(_missed(beyond, own.outputs(later))),
        "near_error": np.float32(
            [
                _missed(taught.outputs(t)[k], one.outputs(t))
                for k, one in zip(rows, (own, outside), strict=True)
            ]
        ),
        "near_right": (taught.told[rows[0]] == own.told).all(axis=1),
        "starts": np.stack([own.p0, own.x0, own.s], axis=-1)[:SHOWN],
        "curves": np.float32(curves_told),
        "sentences": np.int8(sentences_told),
        "truth": np.int8(own.told[:SHOWN]),
    }


def _missed(told: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Errors of curves over the root mean square of their norms, (n,): they pool to a relative L2 error."""
    return np.linalg.norm(told - truth, axis=1) / np.sqrt((truth**2).sum(axis=1).mean())


ASKINGS = {
    "numbers and words": ("own", True, True, False),
    "numbers alone": ("own", False, True, False),
    "words for two numbers": ("own", True, False, False),
    "two numbers missing, no words": ("own", False, False, False),
    "words of another case": ("own", True, False, True),
    "a fifth outside": ("outside", True, True, False),
}
"""How the prompted model is asked: of which cases, words, all numbers, whether words are another case's."""


def _asked(known: Cases, words: bool, numbers: bool, other: bool) -> tuple[torch.Tensor, torch.Tensor]:
    n = len(known.s)
    tokens, values = prompts(known, words=np.full((n, 4), words), numbers=np.full((n, 2), numbers))
    if other:
        said = [_TARGETS, _ORDER, _START, _ENCODER]
        tokens[:, said] = tokens[:, said].roll(1, 0)
    return tokens, values


def _nearest_case(asked: Cases, known: Cases) -> np.ndarray:
    """The known case whose numbers are nearest, of the same target and order, (n,)."""
    place = lambda c: np.stack([np.log(c.p0), np.log(np.abs(c.x0)), 99 * np.sign(c.x0), 99 * c.s], axis=-1)
    return torch.cdist(torch.tensor(place(asked)), torch.tensor(place(known))).argmin(dim=1).numpy()


SYSTEMS = ()
STUDIES = (
    Study("prose", prose_study, seconds=60, seeds=range(3), fresh=range(100, 103)),
    Study("nearest", nearest_study, seconds=4, seeds=range(3), fresh=range(100, 103)),
    Study("words", words_study, seconds=40, seeds=range(3), fresh=range(100, 103)),
    Study("search", search_study, seconds=45, seeds=range(3), fresh=range(100, 103)),
)

"""The picture of the front page, and in two sentences whether the theory holds.

The picture has eleven networks, each on its own clock, then all on the theory's one curve.
A clock is a shift and a factor of the time axis, so that styles alone can move a curve from one to the other:
nothing is computed in the page.
"""

from __future__ import annotations

import html
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from .. import exact
from ..experiments import UNIVERSAL, runs
from ..figures import COLOUR, Picture
from ..fit import fit_rates
from ..shown import Page
from . import graph
from .verdicts import Record, records

EPOCHS = 3000
"""How far the first clock goes."""

REACH = 5.0
"""How far the second goes, before and after half of the way, in units of 1/2A."""

WIDTH, HEIGHT = 320, 150
LEFT, RIGHT, TOP, FLOOR = 8, 312, 12, 128


AGAINST = (
    ("refuted", "does not", "do not"),
    ("unskilled", "does no better than a model that knows less", "do no better than a model that knows less"),
    ("described", "only describes what it was fitted to", "only describe what they were fitted to"),
)
"""What else became of the paper's claims about networks than that they hold: of one and of more."""


def answer(found: Iterable[Record] | None = None) -> Page:
    """Whether it holds: what algebra proves, what became of the paper's claims, and of what it assumes."""
    found = records() if found is None else list(found)
    papers = [node for node in graph.nodes(found).values() if not node.own]
    proved = sum(node.state == graph.PROVED for node in papers)
    claims = Counter(r.fields["kind"] for r in found if r.judgement and r.whose == "paper")
    assumed = Counter(r.fields["kind"] for r in found if r.judgement and r.whose == "assumption")
    held = claims["confirmed"] + claims["seen"]
    many = f"Of its {claims.total()} {_one_or(claims.total(), 'claim', 'claims')} about networks"
    failed, *others = [f"{claims[kind]} {_one_or(claims[kind], *words)}" for kind, *words in AGAINST]
    parts = [
        ("graph.html", f"Algebra proves {proved} of the paper's {len(papers)} equations"),
        (None, " from what the paper assumes. "),
        ("claims.html", many),
        (None, f" {held} {_one_or(held, 'holds', 'hold')}, "),
        ("errata.html", failed),
        (None, f", {', '.join(others)}. Of {assumed.total()} claims about what it assumes networks "),
        (None, f"violate {assumed['violated']}."),
    ]
    marked = (f'<a href="{link}">{html.escape(text)}</a>' if link else text for link, text in parts)
    return Page(
        "Does it hold? " + "".join(text for _, text in parts),
        f'<p class="urep-answer"><strong>Does it hold?</strong> {"".join(marked)}</p>',
    )


def _one_or(number: int, one: str, more: str) -> str:
    return one if number == 1 else more


@dataclass(frozen=True)
class Course:
    """How far a network has come over its own clock, 2A(t − t½), and where that clock stands in epochs."""

    name: str
    clock: np.ndarray
    way: np.ndarray
    rate: float
    half: float


def picture() -> Picture:
    """Eleven curves that move from epochs to their own clocks once, and back when their reader asks."""
    courses = [course(row) for row in UNIVERSAL]
    numbers = np.linspace(-REACH, REACH, 81)
    theory = 1 / (1 + np.exp(-numbers))
    drawn = "".join(_network(one, colour) for one, colour in zip(courses, _colours(), strict=True))
    alt = (
        f"{len(courses)} networks: how much of the output difference is learned. Over epochs the curves "
        f"rise at different times. Over each network's own clock, two constants fitted to it, they lie "
        f"beside one S-shaped curve, that of the theory; the steepest rise later and faster than it."
    )
    data = {one.name: np.array([one.clock, one.way]) for one in courses} | {
        "theory": np.array([numbers, theory])
    }
    return Picture(_markup(drawn, _points(numbers, theory), alt), alt, data)


def course(row: str) -> Course:
    """The first stored network of a row, with the two constants of (7) that are fitted to it."""
    run = runs.stored_run(row, 0).run
    fit = fit_rates(run)
    rate = 2 * exact.lift(run.trajectory[0], run.task, fit.rates).A
    half = _reached(fit.predict(run.t).dy2, run.task.dy2_target / 4, run.t)
    way = np.sqrt(run.trajectory.dy2 / run.task.dy2_target)
    return Course(row, rate * (run.t - half), way, rate, half)


def _reached(values: np.ndarray, level: float, t: np.ndarray) -> float:
    """When the values first reach a level, between two epochs."""
    n = int(np.argmax(values >= level))
    if values[n] < level or n == 0:
        raise ValueError(f"values must cross {level:.3g}, got {values.min():.3g} to {values.max():.3g}")
    return float(np.interp(level, values[n - 1 : n + 1], t[n - 1 : n + 1]))


def _network(one: Course, colour: str) -> str:
    """A curve drawn over its own clock, with the shift and the factor that put it on epochs."""
    until = max(REACH, one.rate * (EPOCHS - one.half))  # what either clock shows
    few = np.unique(np.linspace(0, np.sum(one.clock <= until) - 1, 120).astype(int))
    middle, unit = (LEFT + RIGHT) / 2, (RIGHT - LEFT) / (2 * REACH)
    per_epoch = (RIGHT - LEFT) / EPOCHS
    factor = per_epoch / (one.rate * unit)
    shift = LEFT + one.half * per_epoch - factor * middle
    return (
        f'<path d="{_points(one.clock[few], one.way[few])}" stroke="{colour}" '
        f'style="--factor:{factor:.4f};--shift:{shift:.2f}px"><title>{html.escape(one.name)}</title></path>'
    )


def _points(clock: np.ndarray, way: np.ndarray) -> str:
    across = LEFT + (clock + REACH) / (2 * REACH) * (RIGHT - LEFT)
    up = FLOOR - way * (FLOOR - TOP)
    return "M" + "L".join(f"{x:.1f},{y:.1f}" for x, y in zip(across, up, strict=True))


def _colours() -> list[str]:
    colours = list(COLOUR.values())
    return [colours[n % len(colours)] for n in range(len(UNIVERSAL))]


def _markup(networks: str, theory: str, alt: str) -> str:
    ground = f'<path class="urep-axis" d="M{LEFT},{FLOOR}H{RIGHT}M{LEFT},{TOP}H{RIGHT}"/>'
    corner = f'x="{RIGHT}" y="{HEIGHT - 6}"'
    words = (
        f'<text class="urep-epochs" {corner}>epochs, 0 to {EPOCHS}</text>'
        f'<text class="urep-clock" {corner}>each on its own clock, from two constants</text>'
        f'<text x="{LEFT}" y="{TOP - 3}" class="urep-left">all learned</text>'
        f'<path class="urep-theory" d="M{LEFT},{TOP + 12}h22"/>'
        f'<text x="{LEFT + 26}" y="{TOP + 15}" class="urep-clock urep-left">the theory</text>'
    )
    label = html.escape(alt, quote=True)
    drawing = (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{label}" fill="none">'
        f'<clipPath id="urep-front-clip"><path d="M{LEFT},0H{RIGHT}V{HEIGHT}H{LEFT}Z"/></clipPath>'
        f'{ground}<g clip-path="url(#urep-front-clip)"><g class="urep-networks">{networks}</g>'
        f'<path class="urep-theory" d="{theory}"/></g>{words}</svg>'
    )
    switch = '<label><input type="checkbox"> over epochs</label>'
    return f'<div class="urep-front">{switch}{drawing}</div>'

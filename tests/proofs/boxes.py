"""A bound of `urep.solve`'s rounding that holds on every setting of the explorer's sliders, box by box.

    python tests/proofs/boxes.py        prove it, print the table, write boxes.json next to this file

What runs is the source of urep/exact.py itself, in a namespace where numbers are those of balls.py: over a
box of starts and times at once, with ranges in ball arithmetic and a bound for each rounding. A box whose
errors are not all proved to be under BOUNDS is halved across its widest side, until they are or the box is
SMALLEST; such a box is counted as open, and named.

What is bounded is |solve − the exact solution of the same float64 inputs|, relative to the size of each
variable: the variable itself with each sum in it replaced by the sum of its terms' magnitudes. For most
starts both are the same. They differ where ‖dh‖ goes through zero, for opposed starts, and where the error
dy − dy* does from the beginning; there no formula can have relative digits.

Scaling removes dimensions. With s > 0, lengths are measured in √s and times in 1/s, so that s = 1; a start
is then (√s p, |dy|/‖dy*‖), and relative errors do not depend on the scale. The errors of p, x, y², c, s
and the gap come from the same code, `_lifted`, run once on the sliders' whole range.

Proved, given the float64 arithmetic that balls.py assumes and that the formula is right in real numbers,
which the chapter on machine forms derives and tests/test_boxes.py compares with 100 digits. The inputs are
the float64 numbers given to `solve`; scalar outputs give `dy`, as `solve` advises.
"""

from __future__ import annotations

import inspect
import json
import re
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from math import inf, log, sqrt
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import flint
import mpmath as mp
import numpy as np
from flint import arb

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path[:0] = [str(HERE), str(ROOT)]

from balls import REPLACED, UNIT, ZERO, Number, Refused, every_way  # noqa: E402

import urep.exact  # noqa: E402

BOUNDS = {"dh2": 2e-12, "dy2": 2e-12, "w": 2e-12}
"""What is to be proved, decided before the search.

In units of 2**−53 this is 18014. The largest part is from the exponents: 2 A t has a relative error of 11
units and matters up to about 300, for a start whose growing part is 1e-64 of it, the least that float64
inputs can have. Its logarithms add 8 units of their size, about 300, and 27 × 8 × 2 for unfavourable units.
Half of that, 3000, is in the growing mode and again in √N, hence in p; p² doubles it. What decays keeps its
relative digits down to e**−240, with 240 × 10 units in p and in x each, four times that in ‖dy‖². A first
choice, 1e-12 for ‖dh‖² alone, needed too many boxes there, where two errors cancel that are added here.
"""

FLOOR = 1e-80
"""Errors below it, in the units of s = 1, are not told apart from none."""

SOONEST = 1e-90
"""The first epoch after 0, in units of 1/s: 0 and all from here on are covered."""

OUTPUTS, LIMITS = tuple(BOUNDS), tuple(BOUNDS.values())

NEAREST = 2.0**-213
"""|c|/p² is zero or more than this: k_y ‖dh‖² and k_h ‖dy‖²/‖dh‖² are in the ratio of ‖dh‖⁴ τ_h to
‖dx‖² dy² τ_y, products of three and four numbers of 53 bits (dy counts twice)."""


# --- the program --------------------------------------------------------------------------------


def program(change: Callable[[str], str] = lambda text: text) -> ModuleType:
    """urep.exact from its source, in which numbers are those of balls.py; `change` is for controls."""
    module = ModuleType("urep.exact")
    module.__package__ = "urep"
    exec(compile(change(inspect.getsource(urep.exact)), urep.exact.__file__, "exec"), vars(module))
    vars(module).update(REPLACED)
    over = module._over

    def bounded_over(one_minus_exp: Number, rate: Number, t: Number) -> Number:
        """The same; its range is known, since it falls with the rate and rises with t."""
        result = over(one_minus_exp, rate, t)
        (slow, fast), (early, late) = rate.magnitude, t.magnitude
        # Below TINY_RATE the program takes t, which differs by a part of 1e-150 t.
        return result.within(_over(fast, early), _over(slow, late)).worse(1e-120)

    module._over = bounded_over
    module.Start = _start_class(module)
    return module


def _over(rate: arb, t: arb) -> arb:
    if not rate > 0:
        return t
    return -((-rate * t).expm1()) / rate if rate * t < 1e6 else (1 - arb(-1e6).exp()) / rate


def _start_class(module: ModuleType) -> type:
    """`Lift` with the ranges of A, A − |c|/2 and the angle, which are monotone in |c|."""

    class Start(module.Lift):
        def _root(self, c: arb) -> arb:
            return (c * c / 4 + self.s.lo**2).sqrt() if self.s.lo > 0 else c / 2

        @cached_property
        def A(self) -> Number:
            least, most = self.c.magnitude
            return super().A.within(self._root(least), self._root(most))

        @property
        def small(self) -> Number:
            least, most = self.c.magnitude
            if not self.s.lo > 0:
                return super().small
            return super().small.within(
                1 / (self._root(most) + most / 2), 1 / (self._root(least) + least / 2)
            )

        @cached_property
        def angle(self) -> tuple[Number, Number]:
            angle = super().angle
            if not self.s.lo > 0:
                return angle
            least, most = self.c.magnitude
            nears = [((1 + c / (2 * self._root(c))) / 2).sqrt() for c in (least, most)]
            fars = [
                1 / (2 * self._root(c) * near) for c, near in zip((most, least), nears[::-1], strict=True)
            ]
            near, far = (angle[0], angle[1]) if self.c >= 0 else (angle[1], angle[0])
            near, far = near.within(*nears), far.within(*fars)
            return (near, far) if self.c >= 0 else (far, near)

    return Start


def run(module: ModuleType, start, t: Number) -> tuple[Number, Number, Number]:
    """‖dh‖², ‖dy‖² and w of a start at a time, as `solve` computes them."""
    k = module._of_one(start)
    return module._scalars(k, module._evolve(k, t))


# --- the sliders --------------------------------------------------------------------------------


def sliders() -> dict[str, tuple[float, float]]:
    """The range of each slider, read from the explorer's script."""
    script = (ROOT / "book" / "_static" / "explorer.js").read_text()
    linear = set(re.findall(r'"(\w+)"', re.search(r"LINEAR = new Set\(\[(.*?)\]\)", script)[1]))
    rows = re.findall(r'\["(\w+)", "[^"]*", "[^"]*", (-?[\d.]+), (-?[\d.]+), [-\d.e]+\]', script)
    return {
        name: (float(low), float(high)) if name in linear else (10 ** float(low), 10 ** float(high))
        for name, low, high in rows
    }


STEP = 0.01
"""A slider's step: the least ‖dy*‖² but 0."""


@dataclass(frozen=True)
class Ranges:
    """What the sliders allow in scaled letters; pairs of the least and the largest."""

    p: tuple[float, float]
    """p/√s"""
    r: tuple[float, float]
    """|dy|/‖dy*‖"""
    T: float
    """s t at the most"""
    ratio: tuple[float, float]
    """|x|/p"""
    U: float
    """p² t at the most"""


def ranges(at: dict[str, tuple[float, float]]) -> Ranges:
    """Bounding values, a little widened for the rounding of this very function."""
    k_h = at["dx2"][0] / (2 * at["tau_h"][1]), at["dx2"][1] / (2 * at["tau_h"][0])
    k_y = 1 / (2 * at["tau_y"][1]), 1 / (2 * at["tau_y"][0])
    D = sqrt(STEP), sqrt(at["dy2_target"][1])
    dh2, dy = at["dh2_0"], [sqrt(end) for end in at["dy2_0"]]
    wide = 1 + 1e-9
    return Ranges(
        p=(
            sqrt(sqrt(k_y[0] / k_h[1]) * dh2[0] / D[1]) / wide,
            sqrt(sqrt(k_y[1] / k_h[0]) * dh2[1] / D[0]) * wide,
        ),
        r=(dy[0] / D[1] / wide, dy[1] / D[0] * wide),
        T=sqrt(k_h[1] * k_y[1]) * D[1] * at["epochs"][1] * wide,
        ratio=(
            sqrt(k_h[0] / k_y[1]) * dy[0] / dh2[1] / wide,
            sqrt(k_h[1] / k_y[0]) * dy[1] / dh2[0] * wide,
        ),
        U=k_y[1] * dh2[1] * at["epochs"][1] * wide,
    )


@dataclass(frozen=True)
class Roundings:
    """Relative errors of a start's letters, from `_lifted` over the sliders' whole range."""

    p: float
    x: float
    y2: float
    c: float
    s: float
    k_h: float
    k_y: float
    gap: float
    """Of scalar outputs, relative to |dy| + ‖dy*‖; for others relative to the gap."""


def roundings(module: ModuleType, at: dict, *, signed: bool, target: bool) -> Roundings:
    task = SimpleNamespace(
        dx2=Number(*at["dx2"]), dy2_target=Number(STEP, at["dy2_target"][1]) if target else Number(0)
    )
    rates = SimpleNamespace(tau_h=Number(*at["tau_h"]), tau_y=Number(*at["tau_y"]))
    dh2, dy2 = Number(*at["dh2_0"]), Number(*at["dy2_0"])
    dy = Number(*(sqrt(end) for end in at["dy2_0"])) if signed else None
    bound = sqrt(at["dy2_0"][1] * at["dy2_target"][1])
    w = Number(-bound, at["dy2_0"][1] + bound)
    lifts = list(every_way(lambda: module._lifted((dh2, dy2, w), task, rates, dy)))
    if not signed:  # outputs that are not on one line with the target
        lifts = [one for one in lifts if one.y2.sign != 0]
    worst = {
        name: max(
            getattr(one, name).eps if name == "gap" and signed else getattr(one, name).rel for one in lifts
        )
        for name in Roundings.__dataclass_fields__
    }
    return Roundings(**worst)


# --- regions and their boxes --------------------------------------------------------------------

Box = dict[str, tuple[float, float]]


@dataclass(frozen=True)
class Region:
    """A part of the sliders' range: its sides, and the starts (with the sign of c) that a box holds."""

    name: str
    sides: Box
    starts: Callable[[Box], Iterator[dict[str, Any]]]


def _ends(side: tuple[float, float]) -> tuple[arb, arb]:
    return arb(side[0]), arb(side[1])


def _signs(c: tuple[arb, arb]) -> Iterator[tuple[int, tuple[arb, arb]]]:
    """The range of c, cut at 0."""
    if not c[1] <= 0:
        yield 1, (c[0].max(ZERO), c[1])
    if not c[0] >= 0:
        yield -1, (c[0], c[1].min(ZERO))
    if not (c[0] > 0 or c[1] < 0):
        yield 0, (ZERO, ZERO)


def _on_a_line(direction: int) -> Callable[[Box], Iterator[dict]]:
    """Scalar outputs, along the target or opposed; sides p and r."""

    def starts(box: Box) -> Iterator[dict]:
        (p0, p1), (r0, r1) = _ends(box["p"]), _ends(box["r"])
        x = r0 / p1, r1 / p0
        if x[0] > 0.32 * p1 and x[1] < 2.99 * p0:
            return  # nearly balanced: the regions below have it
        for sign, c in _signs((p0**2 - x[1] ** 2, p1**2 - x[0] ** 2)):
            yield {"p": (p0, p1), "x": x, "direction": direction, "c": c, "sign": sign, "r": (r0, r1)}

    return starts


def _balanced(direction: int, sign: int) -> Callable[[Box], Iterator[dict]]:
    """Scalar outputs with c = ± part p²; sides p and part, or p alone for c = 0."""

    def starts(box: Box) -> Iterator[dict]:
        p0, p1 = _ends(box["p"])
        part = _ends(box["part"]) if sign else (ZERO, ZERO)
        slopes = sorted_ends(*((1 - sign * one).sqrt() for one in part))
        x = p0 * slopes[0], p1 * slopes[1]
        c = sorted_ends(sign * part[0] * p0**2, sign * part[1] * p1**2)
        yield {"p": (p0, p1), "x": x, "direction": direction, "c": c, "sign": sign,
               "r": (p0**2 * slopes[0], p1**2 * slopes[1])}  # fmt: skip

    return starts


def sorted_ends(a: arb, b: arb) -> tuple[arb, arb]:
    return (a, b) if a <= b else (b, a)


def _without_target(sign: int, direction: int) -> Callable[[Box], Iterator[dict]]:
    """Identical targets, in units of p: c = 1 − x², the side `part` being |c|, or x² where c < −1/2."""

    def starts(box: Box) -> Iterator[dict]:
        one = arb(1)
        if sign == 0:
            c, x = (ZERO, ZERO), (one, one)
        elif "part" in box:
            part = _ends(box["part"])
            c = sorted_ends(sign * part[0], sign * part[1])
            x = (1 - c[1]).max(ZERO).sqrt(), (1 - c[0]).sqrt()
        else:
            x = _ends(box["ratio"])
            c = 1 - x[1] ** 2, 1 - x[0] ** 2
        yield {"p": (one, one), "x": x, "direction": direction, "c": c, "sign": sign, "r": x, "target": 0}

    return starts


def _at_an_angle(box: Box) -> Iterator[dict]:
    """Outputs of any dimension; sides p, r and the angle in degrees."""
    (p0, p1), (r0, r1) = _ends(box["p"]), _ends(box["r"])
    first, last = (arb(end) * arb.pi() / 180 for end in box["angle"])
    c, cosines, sines = (p0**2 - (r1 / p0) ** 2, p1**2 - (r0 / p1) ** 2), (last.cos(), first.cos()), ()
    sines = sorted_ends(first.sin(), last.sin())
    if not (last <= arb.pi() / 2 or first >= arb.pi() / 2):
        sines = sines[0], arb(1)
    acute = not box["angle"][1] > 90
    if acute:
        cosines = cosines[0].max(ZERO), cosines[1]
    along = [r * cosine for r in (r0, r1) for cosine in cosines]
    x = [one / p for one in along for p in (p0, p1)]
    low, high = x[0], x[0]
    for one in x[1:]:
        low, high = low.min(one), high.max(one)
    least, most = along[0], along[0]
    for one in along[1:]:
        least, most = least.min(one), most.max(one)
    for sign, part in _signs(c):
        across = (r0 * sines[0] / p1) ** 2, (r1 * sines[1] / p0) ** 2
        yield {"p": (p0, p1), "x": (low, high), "direction": 1, "c": part, "sign": sign,
               "y2": across, "along": (least, most)}  # fmt: skip


def start_of(module: ModuleType, of: dict, known: Roundings):
    """The `Lift` of a box, in units where s (or, without a target, p) is 1."""
    direction, target = of["direction"], of.get("target", 1)
    x = Number(*of["x"], known.x, sign=1 if direction < 0 or "along" not in of else None)
    c = Number(*of["c"], known.c, sign=of["sign"])
    c.low = 0.0  # it is zero or far from an underflow: NEAREST
    if "along" in of:
        along = of["along"]
        gap = Number(along[0] - 1, along[1] - 1, known.gap)
    else:
        r0, r1 = of["r"] if direction > 0 else (-of["r"][1], -of["r"][0])
        gap = Number(r0 - target, r1 - target, inf if target else known.gap,
                     size=(of["r"][0] + target, of["r"][1] + target), eps=known.gap)  # fmt: skip
    return module.Start(
        p=Number(*of["p"], known.p, sign=1),
        x=x if direction > 0 else -x,
        y2=Number(*of["y2"], known.y2, sign=1) if "y2" in of else 0.0,
        c=c,
        s=Number(target, rel=known.s if target else 0.0),
        k_h=Number(1, rel=known.k_h),
        k_y=Number(1, rel=known.k_y),
        gap=gap,
    )


def errors(module: ModuleType, region: Region, known: Roundings, box: Box) -> list[float]:
    """Bounds of the three errors on a box; inf where none was found."""
    early, late = box["t"]
    epochs = [Number(early, late)]
    if early == region.sides["t"][0]:
        epochs = [Number(0), Number(SOONEST, late)]
    worst = [0.0] * 3
    try:
        for of in region.starts(box):
            start = start_of(module, of, known)
            for t in epochs:
                for variables in every_way(lambda start=start, t=t: run(module, start, t)):
                    if not all(one.low < FLOOR for one in variables):
                        return [inf] * 3
                    worst = [max(old, one.eps) for old, one in zip(worst, variables, strict=True)]
    except Refused:
        return [inf] * 3
    return worst


# --- branch and bound ---------------------------------------------------------------------------

SMALLEST = 1 / 64
"""A box all of whose sides are smaller, in natural logarithms (degrees over ten), is not halved again."""


@dataclass
class Outcome:
    """What was found in a region: boxes, the share of its volume (in logarithms) that is certified."""

    name: str
    certified: int = 0
    halved: int = 0
    share: float = 0.0
    worst: list[float] | None = None
    worst_box: Box | None = None
    open: list[Box] | None = None


UNITS = {"p": 1.0, "r": 1.0, "ratio": 1.0, "part": 20.0, "t": 8.0, "angle": 30.0}
"""A width that counts as much as a factor e in p: errors depend less on the others. Degrees for an angle."""


def widths(region: Region, box: Box) -> dict[str, float]:
    """How wide each side is, in its unit."""
    return {
        name: ((high - low) if name == "angle" else log(high / low)) / UNITS[name]
        for name, (low, high) in box.items()
    }


def halves(region: Region, box: Box) -> tuple[Box, Box]:
    """The two halves across the widest side."""
    wide = widths(region, box)
    name = max(wide, key=wide.get)
    low, high = box[name]
    middle = (low + high) / 2 if name == "angle" else sqrt(low * high)
    return box | {name: (low, middle)}, box | {name: (middle, high)}


def search(
    module: ModuleType, region: Region, known: Roundings, *, bounds=LIMITS, most: int = 10**6
) -> Outcome:
    """Certify the region, depth first; after `most` boxes what is left counts as open."""
    found = Outcome(region.name, worst=[0.0] * 3, open=[])
    stack, seen = [(region.sides, 1.0)], 0
    while stack:
        box, share = stack.pop()
        seen += 1
        seen_errors = errors(module, region, known, box)
        if all(error <= bound for error, bound in zip(seen_errors, bounds, strict=True)):
            found.certified += 1
            found.share += share
            if max(seen_errors) > max(found.worst):
                found.worst_box = box
            found.worst = [max(pair) for pair in zip(found.worst, seen_errors, strict=True)]
        elif seen > most or max(widths(region, box).values()) < SMALLEST:
            found.open.append(box)
        else:
            found.halved += 1
            stack += [(half, share / 2) for half in halves(region, box)]
    return found


def regions(of: Ranges) -> list[Region]:
    """All starts with scalar outputs."""
    t, p, r = (1e-16, of.T), of.p, of.r
    near = sqrt(r[0] / 3.1), sqrt(r[1] / 0.3)
    u = (1e-24, of.U)
    small, large = (of.ratio[0], sqrt(0.5)), (sqrt(1.5), of.ratio[1])
    found = []
    for direction, name in ((1, "along"), (-1, "opposed")):
        encoder, decoder = ({"p": near, "part": (NEAREST, most), "t": t} for most in (0.9, 8.0))
        found += [
            Region(name, {"p": p, "r": r, "t": t}, _on_a_line(direction)),
            Region(f"{name}, 0 < c < 0.9 p²", encoder, _balanced(direction, 1)),
            Region(f"{name}, −8 p² < c < 0", decoder, _balanced(direction, -1)),
            Region(f"{name}, c = 0", {"p": near, "t": t}, _balanced(direction, 0)),
        ]
    for direction, name in ((1, "no target, dy > 0"), (-1, "no target, dy < 0")):
        part = {"part": (NEAREST, 0.5), "t": u}
        found += [
            Region(f"{name}, encoder leads", {"ratio": small, "t": u}, _without_target(1, direction)),
            Region(f"{name}, decoder leads", {"ratio": large, "t": u}, _without_target(-1, direction)),
            Region(f"{name}, 0 < c", part, _without_target(1, direction)),
            Region(f"{name}, c < 0", part, _without_target(-1, direction)),
            Region(f"{name}, c = 0", {"t": u}, _without_target(0, direction)),
        ]
    return found


# --- from below ---------------------------------------------------------------------------------


def exactly(p0, x0, c, gap, t) -> tuple[list, list]:
    """‖dh‖², ‖dy‖² and w for s = k_h = k_y = 1 and y = 0, by (E1) and (E2) as printed, and their sizes."""
    A = mp.sqrt(c**2 / 4 + 1)
    sinh, cosh = mp.sinh(A * t), mp.cosh(A * t)
    N = 1 + (p0**2 + x0**2) * sinh * cosh / A + (c * (p0**2 - x0**2) + 4 * p0 * x0) * sinh**2 / (2 * A**2)
    along_p, along_x = c / 2 * p0 + x0, p0 - c / 2 * x0
    p, x = ((z * cosh + along * sinh / A) / mp.sqrt(N) for z, along in ((p0, along_p), (x0, along_x)))
    left = (p0 * x0 - 1) / N
    P, X = (
        (abs(z) * mp.exp(-A * t) + abs(z + along / A) * sinh) / mp.sqrt(N)
        for z, along in ((p0, along_p), (x0, along_x))
    )
    return [p**2, p**2 * x**2, p * x * left], [P**2, (P * X) ** 2, P * X * (abs(p0 * x0) + 1) / N]


def sampled(region: Region, box: Box, draws: int = 60) -> list[float]:
    """The largest errors seen in float64 at points of a box with a target, the letters rounded once."""
    random, seen = np.random.default_rng(0), [0.0] * 3
    sides = [(np.log(low), np.log(high)) for low, high in box.values()]
    for point in np.exp(random.uniform(*np.transpose(sides), (draws, len(sides)))):
        at = dict(zip(box, map(float, point), strict=True))
        of = next(region.starts({name: (value, value) for name, value in at.items()}), None)
        if of is None:  # in a part of the box that another region has
            continue
        p, t, part = at["p"], at["t"], float(of["sign"]) * at.get("part", 0.0)
        with mp.workdps(400):
            if "r" in at:
                x = mp.mpf(of["direction"] * at["r"]) / p
                c = mp.mpf(p) ** 2 - x**2
            else:
                c = mp.mpf(part) * mp.mpf(p) ** 2
                x = of["direction"] * mp.sqrt(mp.mpf(p) ** 2 - c)
            exact, sizes = exactly(mp.mpf(p), x, c, p * x - 1, mp.mpf(t))
            start = urep.exact.Lift(p, float(x), 0.0, float(c), 1.0, 1.0, 1.0, float(p * x - 1))
            k = urep.exact._of_one(start)
            values = urep.exact._scalars(k, urep.exact._evolve(k, np.array([t])))
            errors_here = [
                float(abs(mp.mpf(float(value[0])) - one) / size) if size > FLOOR else 0.0
                for value, one, size in zip(values, exact, sizes, strict=True)
            ]
        seen = [max(pair) for pair in zip(seen, errors_here, strict=True)]
    return seen


# --- the proof ----------------------------------------------------------------------------------


def main() -> int:
    began, module, at = time.process_time(), program(), sliders()
    known = {target: roundings(module, at, signed=True, target=target) for target in (True, False)}
    rows = []
    print(f"{'region':36} certified   open   share   largest errors, in 2^-53   seen there")
    for region in regions(ranges(at)):
        target = "no target" not in region.name
        found = search(module, region, known[target])
        seen = sampled(region, found.worst_box) if target and found.worst_box else None
        rows.append({
            "region": region.name, "certified": found.certified, "open": len(found.open),
            "share": found.share,
            "errors": dict(zip(OUTPUTS, found.worst, strict=True)), "worst_box": found.worst_box,
            "seen": dict(zip(OUTPUTS, seen, strict=True)) if seen else None, "open_boxes": found.open[:5],
        })  # fmt: skip
        units = " ".join(f"{error / UNIT:8.0f}" for error in found.worst)
        below = " ".join(f"{error / UNIT:6.0f}" for error in seen) if seen else ""
        counts = f"{found.certified:9} {len(found.open):6} {found.share:7.2%}"
        print(f"{region.name:36} {counts} {units}   {below}", flush=True)
    boxes, left = sum(row["certified"] for row in rows), sum(row["open"] for row in rows)
    record = {
        "bounds": BOUNDS, "boxes": boxes, "open": left, "regions": rows, "sliders": at,
        "versions": {"python-flint": flint.__version__, "numpy": np.__version__},
    }  # fmt: skip
    (HERE / "boxes.json").write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n")
    print(f"{boxes} boxes certified, {left} open, in {time.process_time() - began:.0f} s of processor time")
    return int(left > 0)


if __name__ == "__main__":
    sys.exit(main())

"""A bound of `urep.solve`'s rounding on the explorer's sliders' whole range.

    make proofs                         proves it, after what Coq checks
    python tests/proofs/boxes.py        proves it alone; a table, and boxes.json next to this file

What runs is the source of urep/exact.py itself, in a namespace where numbers are those of balls.py: over a
box of starts and times at once, with ranges in ball arithmetic and a bound for each rounding. A box whose
errors are not all proved to be under its bound is halved across its widest side, until they are or the box is
SMALLEST; such a box would be counted as open, and named.

What is bounded is |solve − the exact solution of the same float64 inputs|, relative to the size of each
variable: the variable itself with each sum in it replaced by the sum of its terms' magnitudes. Both are the
same where the terms have one sign. They differ where ‖dh‖ goes through zero, for opposed starts; where the
error dy − dy* is small from the beginning; and where w, which has both signs, goes through zero at an angle.
There the variable itself may have fewer digits than its size has, or none.

Scaling removes dimensions. With a target, lengths are measured in √s and times in 1/s, so that s = 1; a
start is then (p/√s, |dy|/‖dy*‖), and relative errors do not depend on the scale. The errors of p, x, c, s
and of dy − dy* come from the same code, `_lifted`, run on the sliders' whole range.

Proved, given the float64 arithmetic that balls.py assumes and that the formula is right in real numbers,
which the chapter on machine forms derives and tests/test_boxes.py compares with many digits. Where a
comparison of the program is open in a box, both of its outcomes are followed, each for the points that can
have it. The inputs are the float64 numbers given to `solve`, with `dy` or without. `_lifted` is run once, on
the whole range; of `angle`, `a_plus` and the two forms of a difference, `Start` knows more than ranges say;
rows of a batch are each what one start is (tests/test_exact.py).

Not covered, and named:

- At obtuse angles with c < 0 there is a surface of starts, a₊ = 0, at which the limit jumps; see SHELL.
- ‖dy*‖² is 0 or STEP at least, the first step of its slider.
- |w| is 0 or 2^-88 at least, as it is if it is computed in float64; see TAN.
- Without `dy`, three numbers that no two vectors have, |dy2 − w| > ‖dy‖‖dy*‖ by a rounding, are read as a
  start on the line of dy*; the error is from that start's solution.
"""

from __future__ import annotations

import hashlib
import inspect
import json
import re
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from functools import cache, cached_property, partial
from math import exp, inf, log, sqrt
from pathlib import Path
from types import ModuleType, SimpleNamespace

import flint
import joblib
import mpmath as mp
import numpy as np
from flint import arb

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
RECORD = HERE / "boxes.json"
sys.path[:0] = [str(HERE), str(ROOT)]

from balls import ONE, REPLACED, ZERO, Number, Refused, every_way, up, upper  # noqa: E402

import urep.exact  # noqa: E402

POINT = (ONE, ONE)
"""The ends of a range that is 1."""

VARIABLES = ("dh2", "dy2", "w")

BOUND = 1e-10
"""What is to be proved of each variable, from its use: ten digits are what the tests of the book's pages and
that of the explorer ask of `solve`. (tests/test_exact.py finds twelve, at the points that it samples.)

1e-12 and 2e-12 were tried as bounds before. The second was certified on five of the regions that there
were then, and took too long elsewhere. So the bound was taken from the use, before any further search.

A box is done as soon as it is under the bound, so that a region's largest certified error need not be far
below it. The errors seen in float64 at points of the same box tell how loose the proof is.
"""

FLOOR = 1e-80
"""Errors below it, in the units of s = 1, are not told apart from none."""

SOONEST = 1e-90
"""The first epoch after 0, in units of 1/s: 0 and all from here on are covered."""

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
    plain = module.Lift

    @dataclass(frozen=True)
    class Start(plain):
        """A start of which more is known than ranges say, from real numbers alone."""

        critical: tuple[arb, arb] | None = None
        """The range of y²/y²*, y²* the one at which a₊ = 0; for c < 0."""

        @cached_property
        def angle(self) -> tuple[Number, Number]:
            """The same; its range is known, since the larger rises with |c| and the smaller falls."""
            pair = plain.angle.fget(self)
            if not self.s.lo > 0:
                return pair
            ends = [_larger_and_smaller(c, self.s.lo) for c in self.c.magnitude]
            larger, smaller = pair if self.c >= 0 else pair[::-1]
            larger = larger.within(ends[0][0], ends[1][0])
            smaller = smaller.within(ends[1][1], ends[0][1])
            return (larger, smaller) if self.c >= 0 else (smaller, larger)

        @property
        def a_plus(self) -> Number:
            """The same; of the form that was chosen it is known which part of its terms is left."""
            chosen = plain.a_plus.fget(self)
            if chosen.kept is None or not chosen.kept.lo > 0:
                return chosen
            return chosen.no_worse(upper(chosen.eps / chosen.kept.lo))

        def _direct(self, first: Number, second: Number) -> tuple[Number, Number]:
            value, kept = plain._direct(self, first, second)
            least, most = self._known(value, first, second).magnitude
            size = first - second
            return self._left(value, first, second, kept, least / size.hi, most / size.lo)

        def _conjugate(self, first: Number, second: Number) -> tuple[Number, Number]:
            value, kept = plain._conjugate(self, first, second)
            least, most = ZERO, ONE
            if self.critical is not None:
                least, most = _kept_by_conjugate(self.c.magnitude, self.critical)
            elif self.c.sign != -1:
                least = ONE  # two terms of one sign
            return self._left(value, first, second, _number(kept), least, most)

        def _left(self, value: Number, first: Number, second: Number, kept: Number, least: arb, most: arb):
            """A form of a₊ and what is left of its terms, which is known to lie between two numbers."""
            known = self._known(value, first, second)
            if _has_plain_terms(value):
                known.kept = kept = _part(kept, least, most)
            return known, kept

        def _known(self, value: Number, first: Number, second: Number) -> Number:
            """a₊ with the range that it has by the conjugate form, which both forms are equal to."""
            size, c, y2 = first - second, self.c.magnitude, _number(self.y2)
            value = value.copy()
            if self.critical is not None:
                value = value.within(*_at_critical(self.p, c, self.critical, size))
                value.sign = 1 if self.critical[0] > 1 else -1 if self.critical[1] < 1 else value.sign
            elif self.c.sign != -1 and self.s.lo > 0:
                value = value.within(*_at_positive_c(self.p, self.x, y2, c, size))
                value.sign = 1 if self.c.sign or y2.sign else value.sign
            return value

    def over(one_minus_exp: Number, rate: Number, t: Number) -> Number:
        """The same; its range is known, since it falls with the rate and rises with the time."""
        value = plain_over(one_minus_exp, rate, t)
        if rate.sign != 1:
            return value
        return value.within(_faded(rate.hi, t.lo), _faded(rate.lo, t.hi))

    def N_along(k, exp_scale: Number, mode: Number, t_phi1: Number) -> Number:
        """The same; for x ≥ 0 at least half of its terms' sizes is left of them.

        Of a₋ = x cos φ − p sin φ the terms are as large as x cos φ + p sin φ, whose square is p² + x² at
        most, which is a₊² + a₋²; and a₊² exp(−scale) is `mode`² where t = 0, and less than it later.
        """
        value = plain_N(k, exp_scale, mode, t_phi1)
        return value if k.x.side == -1 else value.no_worse(up(2 * value.eps))

    plain_over, plain_N = module._over, module._N_along
    module.Start, module._over, module._N_along = Start, over, N_along
    return module


def _has_plain_terms(form: Number) -> bool:
    """Whether no term of the sum, which may be divided by something, is what is left of larger terms."""
    if form.made is None:  # a zero
        return False
    how, total, *_ = form.made
    total = form if how == "sum" else total
    terms = total.made[1:] if total.made and total.made[0] == "sum" else [total]
    return all(term.size is None for term in terms)


def _part(kept: Number, least: arb, most: arb) -> Number:
    """What is left of a sum, over the sum of its terms' magnitudes: in one piece the latter is its size."""
    return Number(
        kept.lo.max(least), kept.hi.min(most), kept.rel, size=POINT, eps=kept.eps, low=kept.low, sign=1
    )


def _number(value) -> Number:
    return value if isinstance(value, Number) else Number(value)


def _larger_and_smaller(c: arb, s: arb) -> tuple[arb, arb]:
    A = (c * c / 4 + s * s).sqrt()
    larger = ((1 + c / (2 * A)) / 2).sqrt()
    return larger, s / (2 * A * larger)


def _faded(rate: arb, t: arb) -> arb:
    """(1 − exp(−rate t))/rate."""
    if not rate.is_finite():
        return ZERO
    if not t.is_finite():
        return 1 / rate
    return t if rate == 0 or t == 0 else -(-rate * t).expm1() / rate


def _half_slope(c: arb) -> arb:
    """|c|/(2A), which rises with |c|, for s = 1."""
    return c / (c * c + 4).sqrt()


def critical_y2(p: arb, c: arb) -> arb:
    """y²* for which a₊ = 0, at c < 0 (here its magnitude) and s = 1; it rises with p and with |c|.

    a₊ (p cos φ − x sin φ) = (y²/2) (1 + |c|/2A) − |c| (A + p² + |c|/2)/(2A), with x² = p² + |c| − y².
    """
    return c * (1 + p * p / ((c * c / 4 + 1).sqrt() + c / 2))


def _at_critical(p: Number, c: tuple[arb, arb], critical: tuple[arb, arb], size: Number) -> tuple[arb, arb]:
    """The range of a₊, from that of y²/y²* and of p cos φ − x sin φ."""
    ends = [(1 + _half_slope(c[i])) / 2 * critical_y2((p.lo, p.hi)[i], c[i]) for i in (0, 1)]
    quotients = ends[0] / size.hi, ends[1] / size.lo
    off = critical[0] - 1, critical[1] - 1
    return off[0] * quotients[off[0] < 0], off[1] * quotients[not off[1] < 0]


def _at_positive_c(p: Number, x: Number, y2: Number, c: tuple[arb, arb], size: Number) -> tuple[arb, arb]:
    """The range of a₊ for c ≥ 0 and x < 0, where its conjugate form has positive terms that rise with c."""
    squares = [p.magnitude[i] ** 2 + x.magnitude[i] ** 2 for i in (0, 1)]
    tops = [(c[i] + _half_slope(c[i]) * squares[i] + y2.magnitude[i]) / 2 for i in (0, 1)]
    return tops[0] / size.hi, tops[1] / size.lo


def _kept_by_conjugate(c: tuple[arb, arb], critical: tuple[arb, arb]) -> tuple[arb, arb]:
    """The range of |μ − 1| (1 + g)/(1 + g + μ (1 − g)), μ = y²/y²*, g = |c|/2A."""
    parts = []
    for g in map(_half_slope, c):
        parts += [abs(m - 1) * (1 + g) / (1 + g + m * (1 - g)) for m in critical]
    least, most = parts[0], parts[0]
    for part in parts[1:]:
        least, most = least.min(part), most.max(part)
    return (ZERO if critical[0] < 1 < critical[1] else least), most


def run(module: ModuleType, start, t: Number) -> tuple[Number, Number, Number]:
    """‖dh‖², ‖dy‖² and w of a start at a time, as `solve` computes them; both may be run again."""
    k = module._of_one(replace(start, **{name: value.copy() for name, value in vars(start).items()
                                         if isinstance(value, Number)}))  # fmt: skip
    return module._scalars(k, module._evolve(k, t.copy()))


# --- the sliders --------------------------------------------------------------------------------


def sliders() -> dict[str, tuple[float, float]]:
    """The range of each slider, read from the explorer's script."""
    script = (ROOT / "book" / "_static" / "explorer.js").read_text(encoding="utf-8")
    linear = set(re.findall(r'"(\w+)"', re.search(r"LINEAR = new Set\(\[(.*?)\]\)", script)[1]))
    rows = re.findall(r'\["(\w+)", "[^"]*", "[^"]*", (-?[\d.]+), (-?[\d.]+), [-\d.e]+\]', script)
    return {
        name: (float(low), float(high)) if name in linear else (10 ** float(low), 10 ** float(high))
        for name, low, high in rows
    }


STEP = 0.01
"""A slider's step: the least ‖dy*‖² but 0 that it can be set to. A link can ask for less: not covered."""


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
    """√(x² + y²)/p"""
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
    c: float
    s: float
    k_h: float
    k_y: float
    gap: float
    """p x − s, relative to p |x| + s"""
    y2: float
    angle_gap: float
    """p x − s at an angle, relative to itself"""


def roundings(module: ModuleType, at: dict, *, target: bool) -> Roundings:
    """For starts with and without a target difference; with `dy` given or not, on a line and at an angle."""
    task = SimpleNamespace(
        dx2=Number(*at["dx2"]), dy2_target=Number(STEP, at["dy2_target"][1]) if target else Number(0)
    )
    rates = SimpleNamespace(tau_h=Number(*at["tau_h"]), tau_y=Number(*at["tau_y"]))
    dy, unused = Number(*(sqrt(end) for end in at["dy2_0"])), None
    dh2, w = Number(*at["dh2_0"]), Number(-1, -1e-20)  # of any sign: it decides no rounding
    (signed,) = every_way(lambda: module._lifted((dh2, unused, unused), task, rates, dy))
    found = list(every_way(lambda: module._lifted((dh2, Number(*at["dy2_0"]), w), task, rates, None)))
    on_line, turned = [signed, found[-1]], found[0]
    every = [signed, *found]
    return Roundings(
        **{name: max(getattr(one, name).rel for one in every) for name in ("p", "x", "c", "s", "k_h", "k_y")},
        gap=max(one.gap.eps for one in on_line),
        y2=turned.y2.rel,
        angle_gap=turned.gap.rel,
    )


# --- regions and their boxes --------------------------------------------------------------------

Box = dict[str, tuple[float, float]]


@dataclass(frozen=True)
class Region:
    """A part of the sliders' range: its sides, and the starts (with the sign of c) that a box holds."""

    name: str
    sides: Box
    starts: Callable[[Box], Iterator[dict]]
    target: bool = True


def _ends(side: tuple[float, float]) -> tuple[arb, arb]:
    return arb(side[0]), arb(side[1])


BALANCED = 0.32
"""Where the smaller of p and |x| is this part of the larger one at least, c is a side of its own."""


RIGHT = 1e3
"""A box up to this tangent reaches to the right angle."""

TAN = 2.0**-146, RIGHT
"""|tan| of the angle is 0 or more than the first.

`solve` is given w = ‖dy‖² − dyᵀdy*, a difference of float64 numbers of which the first is 1e-10 at least. If
it is computed in float64, it is 0 or a multiple of 2^-88, and so is dy2 − w. What is left across dy*,
(dy2 ‖dy*‖² − (dy2 − w)²)/‖dy*‖², has a numerator that is a multiple of 2^-176, and numbers of the sliders'
size below it. 2^-292 is far less than tan² can be.
"""

SHELL, CLOSEST = 2e-2, 1e-9
"""Where a₊ vanishes, at obtuse angles with c < 0, the limit jumps, and what is rounded in a₊ grows with e^At.

If y² is the relative distance `off` from its critical value, a₊ keeps a part off/(2 + off) of its terms at
least, and its rounding counts up to 1 + 2/off times. So the bound is BOUND from SHELL on, and rises as
SHELL/off nearer to the surface. Up to CLOSEST nothing is proved.

A SHELL of 2e-3 stood here before, in a proof that was wrong: it allowed a whole box the bound of the box's
nearest point, and a referee saw it. With each box under the bound of its *farthest* point 2e-3, 4e-3 and
6e-3 were not certified in the time that they were given; 2e-2 is the first that was.
"""


def _signs(c: tuple[arb, arb], p: arb) -> Iterator[tuple[int, tuple[arb, arb]]]:
    """The range of c by its sign; `p` is the least there is, and NEAREST how near to 0 it leads c."""
    near = NEAREST * p**2
    if not c[1] <= 0:
        yield 1, (c[0].max(near), c[1].max(near))
    if not c[0] >= 0:
        yield -1, (c[0].min(-near), c[1].min(-near))
    if not (c[0] > 0 or c[1] < 0):
        yield 0, (ZERO, ZERO)


def on_a_line(directions: tuple[int, ...], balanced: bool, box: Box) -> Iterator[dict]:
    """Outputs along the target or opposed; sides p and r, or r = |x|/p alone in units of p.

    `balanced` says whether boxes with p and |x| of one size belong to this region.
    """
    (p0, p1), (r0, r1) = _ends(box["p"]) if "p" in box else POINT, _ends(box["r"])
    x = r0 / p1, r1 / p0
    if not balanced and x[0] > BALANCED * p1 and p0 > BALANCED * x[1]:
        return
    for sign, c in _signs((p0**2 - x[1] ** 2, p1**2 - x[0] ** 2), p0):
        for direction in directions:
            yield {"p": (p0, p1), "x": x, "r": (r0, r1), "c": c, "sign": sign, "direction": direction}


def nearly_balanced(directions: tuple[int, ...], box: Box) -> Iterator[dict]:
    """|c| is a part of the square of the larger one of p and |x|; sides are both, or the part alone."""
    m, (least, most) = _ends(box["m"]) if "m" in box else POINT, _ends(box["part"])
    for sign in (1, -1, 0):
        part = (least, most) if sign else (ZERO, ZERO)
        slope = (1 - part[1]).sqrt(), (1 - part[0]).sqrt()
        smaller = m[0] * slope[0], m[1] * slope[1]
        c = part[0] * m[0] ** 2, part[1] * m[1] ** 2
        for direction in directions:
            yield {
                "p": m if sign >= 0 else smaller, "x": smaller if sign >= 0 else m,
                "r": (m[0] ** 2 * slope[0], m[1] ** 2 * slope[1]),
                "c": c if sign >= 0 else (-c[1], -c[0]), "sign": sign, "direction": direction,
            }  # fmt: skip


def _around(tan: tuple[float, float]) -> tuple[tuple[arb, arb], tuple[arb, arb]]:
    """The ranges of |cos| and |sin| of an angle with the line of dy*, from that of |tan|."""
    secants = [(1 + arb(end) ** 2).sqrt() for end in tan]
    cos = (1 / secants[1] if tan[1] < RIGHT else ZERO), 1 / secants[0]
    return cos, (tan[0] / secants[0], tan[1] / secants[1] if tan[1] < RIGHT else ONE)


def at_an_angle(direction: int, c_from: float, box: Box) -> Iterator[dict]:
    """Outputs at an angle to dy*; sides p, r and tan. Obtuse ones where c > `c_from` p² somewhere."""
    (p0, p1), (r0, r1) = _ends(box["p"]), _ends(box["r"])
    cos, sin = _around(box["tan"])
    slope = r0 / p1, r1 / p0
    least, most = p0**2 - slope[1] ** 2, p1**2 - slope[0] ** 2
    if direction < 0 and 1 - (r0 / p1**2) ** 2 < c_from:
        return
    of = {
        "p": (p0, p1), "x": (slope[0] * cos[0], slope[1] * cos[1]), "direction": direction,
        "y2": ((slope[0] * sin[0]) ** 2, (slope[1] * sin[1]) ** 2), "inner": (r0 * cos[0], r1 * cos[1]),
    }  # fmt: skip
    for sign, c in _signs((least, most), p0):
        if direction > 0 or sign > 0:
            yield of | {"c": c, "sign": sign}
            if direction > 0 and cos[0] == 0:  # a right angle
                yield of | {"c": c, "sign": sign, "x": (ZERO, ZERO), "inner": (ZERO, ZERO)}


def obtuse_balanced(box: Box) -> Iterator[dict]:
    """Outputs at an obtuse angle with 0 ≤ c < p²; sides p, part = c/p² and tan."""
    (p0, p1), part = _ends(box["p"]), _ends(box["part"])
    cos, sin = _around(box["tan"])
    for sign in (1, 0) if box["part"][0] == NEAREST else (1,):
        c_part = part if sign else (ZERO, ZERO)
        slope = p0 * (1 - c_part[1]).sqrt(), p1 * (1 - c_part[0]).sqrt()
        x = slope[0] * cos[0], slope[1] * cos[1]
        yield {
            "p": (p0, p1), "x": x, "y2": ((slope[0] * sin[0]) ** 2, (slope[1] * sin[1]) ** 2),
            "c": (c_part[0] * p0**2, c_part[1] * p1**2), "sign": sign, "direction": -1,
            "inner": (p0 * x[0], p1 * x[1]),
        }  # fmt: skip


def obtuse_steep(side: int, r: tuple[float, float], box: Box) -> Iterator[dict]:
    """Outputs at an obtuse angle with c < 0, a₊ of the sign `side`; y² in units of y²*, where a₊ = 0.

    Sides are p, |c| (or part = |c|/p²), and `off` = |y²/y²* − 1| or, further away, `across` = y²/y²*.
    """
    p, c = _ends(box["p"]), _ends(box["c" if "c" in box else "part"])
    if "part" in box:
        c = c[0] * p[0] ** 2, c[1] * p[1] ** 2
    if "off" in box:
        off = _ends(box["off"])
        critical = (1 + off[0], 1 + off[1]) if side > 0 else (1 - off[1], 1 - off[0])
    else:
        critical = _ends(box["across"])
    y2 = critical[0] * critical_y2(p[0], c[0]), critical[1] * critical_y2(p[1], c[1])
    slope2 = p[0] ** 2 + c[0], p[1] ** 2 + c[1]
    x2 = (slope2[0] - y2[1]).max(ZERO), slope2[1] - y2[0]
    if x2[1] <= 0 or slope2[1] * p[1] ** 2 < r[0] ** 2 or slope2[0] * p[0] ** 2 > r[1] ** 2:
        return
    x = x2[0].sqrt(), x2[1].sqrt()
    yield {
        "p": p, "x": x, "y2": (y2[0], y2[1].min(slope2[1])), "c": (-c[1], -c[0]), "sign": -1,
        "direction": -1, "inner": (p[0] * x[0], p[1] * x[1]), "critical": critical,
    }  # fmt: skip


def regions(of: Ranges) -> list[Region]:
    """All starts: outputs that differ along dy*, against it or at an angle, or without a target."""
    t, u = (1e-16, of.T), (1e-24, of.U / BALANCED**2)
    m, part = (sqrt(of.r[0]), sqrt(of.r[1] / BALANCED)), (NEAREST, 1 - 0.99 * BALANCED**2)
    sides = {"p": of.p, "r": of.r, "t": t}
    near = {"part": part, "t": t}
    turned = {"p": of.p, "r": of.r, "tan": TAN, "t": t}
    # For c ≥ 0, r = p² √(1 − part); for c < 0 it is p √(p² + |c|), and y²* is less than p² + |c|.
    flat = {"p": (sqrt(of.r[0]), 1.01 * sqrt(of.r[1] / sqrt(1 - 0.95))), "part": (NEAREST, 0.95), "tan": TAN}
    small = {"p": (0.99 * sqrt(of.r[0] / sqrt(2)), sqrt(of.r[1])), "part": (NEAREST, 1.0)}
    large = {"p": (of.p[0], sqrt(of.r[1])), "c": (of.r[0] / 2, (of.r[1] / of.p[0]) ** 2)}
    below = {"across": (TAN[0] ** 2 / 4, 0.5)}, {"off": (CLOSEST, 0.5)}
    above = {"across": (1.5, 2 / NEAREST)}, {"off": (CLOSEST, 0.5)}
    found = [
        Region("along dy*", sides, partial(on_a_line, (1,), True)),
        Region("opposed", sides, partial(on_a_line, (-1,), False)),
        Region("opposed, c near 0", {"m": m} | near, partial(nearly_balanced, (-1,))),
        Region("no target", {"r": of.ratio, "t": u}, partial(on_a_line, (1, -1), False), target=False),
        Region("no target, c near 0", near | {"t": u}, partial(nearly_balanced, (1, -1)), target=False),
        Region("acute angle", turned, partial(at_an_angle, 1, 0.0)),
        Region("obtuse angle, c near p²", turned, partial(at_an_angle, -1, 0.9)),
        Region("obtuse angle, c ≥ 0", flat | {"t": t}, obtuse_balanced),
    ]
    for name, size in (("−p² < c < 0", small), ("c < −p²", large)):
        for side, ways in ((-1, below), (1, above)):
            starts = partial(obtuse_steep, side, of.r)
            for way, words in zip(
                ways, (("a₊ < 0", "a₊ > 0"), ("a₊ just below 0", "a₊ just above 0")), strict=True
            ):
                found.append(
                    Region(f"obtuse angle, {name}, {words[side > 0]}", size | way | {"t": t}, starts)
                )
    return found


def start_of(module: ModuleType, of: dict, known: Roundings, target: bool):
    """The `Lift` of a box, in units where s (or, without a target, a length) is 1."""
    # c has no absolute error, of an underflow: NEAREST keeps it from there, where it is not zero.
    direction, s = of["direction"], int(target)
    if "inner" in of:
        return _start_at_an_angle(module, of, known)
    x = Number(*of["x"], known.x, sign=1)
    dy = of["r"] if direction > 0 else (-of["r"][1], -of["r"][0])
    size = of["r"][0] + s, of["r"][1] + s
    return module.Start(
        p=Number(*of["p"], known.p, sign=1),
        x=x if direction > 0 else -x,
        y2=0.0,
        c=Number(*of["c"], known.c, sign=of["sign"]),
        s=Number(s, rel=known.s),
        k_h=Number(1, rel=known.k_h),
        k_y=Number(1, rel=known.k_y),
        gap=Number(dy[0] - s, dy[1] - s, inf if target else known.gap, size=size, eps=known.gap),
        critical=(ZERO, ZERO) if target and direction < 0 and of["sign"] < 0 else None,
    )


def _start_at_an_angle(module: ModuleType, of: dict, known: Roundings):
    """The same at an angle, where p x − s comes from the inputs as one exact difference."""
    direction, inner = of["direction"], of["inner"]
    x = Number(*of["x"], known.x, sign=1 if of["x"][1] > 0 else 0)
    gap = (inner[0] - 1, inner[1] - 1) if direction > 0 else (-inner[1] - 1, -inner[0] - 1)
    return module.Start(
        p=Number(*of["p"], known.p, sign=1),
        x=x if direction > 0 else -x,
        y2=Number(*of["y2"], known.y2, sign=1),
        c=Number(*of["c"], known.c, sign=of["sign"]),
        s=Number(1, rel=known.s),
        k_h=Number(1, rel=known.k_h),
        k_y=Number(1, rel=known.k_y),
        gap=Number(*gap, known.angle_gap),
        critical=of.get("critical"),
    )


def bound_on(box: Box) -> float:
    """What is to be proved of a box: BOUND, or more where all of it is near to where a₊ vanishes.

    The least that any of its points is allowed, which is what the farthest is.
    """
    return BOUND * max(1.0, SHELL / box["off"][1]) if "off" in box else BOUND


def errors(module: ModuleType, region: Region, known: Roundings, box: Box) -> list[float]:
    """Bounds of the three errors on a box; inf where none was found."""
    early, late = box["t"]
    epochs = [Number(early, late)]
    if early == region.sides["t"][0]:
        epochs = [Number(0), Number(SOONEST, late)]
    worst, allowed = [0.0] * 3, bound_on(box)
    try:
        for of in region.starts(box):
            start = start_of(module, of, known, region.target)
            for t in epochs:
                for variables in every_way(lambda start=start, t=t: run(module, start, t)):
                    if not all(one.low < FLOOR for one in variables):
                        return [inf] * 3
                    worst = [max(old, one.eps) for old, one in zip(worst, variables, strict=True)]
                    if not max(worst) <= allowed:
                        return worst
    except Refused:
        return [inf] * 3
    return worst


# --- branch and bound ---------------------------------------------------------------------------


@dataclass
class Outcome:
    """What was found in a region: boxes, the share of its volume (in logarithms) that is certified."""

    certified: int = 0
    share: float = 0.0
    worst: list[float] = field(default_factory=lambda: [0.0] * 3)
    worst_box: Box | None = None
    open: list[Box] = field(default_factory=list)
    seconds: float = 0.0

    def add(self, other: Outcome, share: float) -> None:
        """Take in what was found in a part of the region that is this share of it."""
        self.certified += other.certified
        self.share += share * other.share
        if max(other.worst) > max(self.worst):
            self.worst_box = other.worst_box
        self.worst = [max(pair) for pair in zip(self.worst, other.worst, strict=True)]
        self.open += other.open
        self.seconds += other.seconds


SMALLEST = 1 / 64
"""A box all of whose sides are smaller, as `widths` measures them, is not halved again."""

MOST = 20_000
"""So many boxes are tried in each part of a region; what is not certified by then is left open."""

UNITS = {
    "t": ((inf, 8.0),), "c": ((inf, 2.0),), "off": ((inf, 3.0),), "part": ((0.1, 30.0), (inf, 2.0)),
    "tan": ((0.1, 30.0), (inf, 3.0)), "across": ((0.1, 30.0), (1e3, 2.0), (inf, 30.0)),
}  # fmt: skip
"""Logarithmic widths that count as much as a factor e in p, by pieces of a side: up to a value, this one."""

BEGIN = 2.0**-400


def _place(name: str, value: float) -> float:
    """Where a value lies on its side, in the side's units."""
    place, low = 0.0, BEGIN
    for high, unit in UNITS.get(name, ((inf, 1.0),)):
        place += log(min(value, high) / low) / unit
        if value <= high:
            break
        low = high
    return place


def _value(name: str, place: float) -> float:
    """The value that lies there."""
    low = BEGIN
    for high, unit in UNITS.get(name, ((inf, 1.0),)):
        width = log(high / low) / unit if high < inf else inf
        if place <= width:
            break
        place, low = place - width, high
    return low * exp(place * unit)


def widths(box: Box) -> dict[str, float]:
    """How wide each side is, in its unit."""
    return {name: _place(name, high) - _place(name, low) for name, (low, high) in box.items()}


def halves(box: Box) -> tuple[Box, Box]:
    """The two halves across the widest side."""
    wide = widths(box)
    name = max(wide, key=wide.get)
    low, high = box[name]
    middle = _value(name, (_place(name, low) + _place(name, high)) / 2)
    return box | {name: (low, middle)}, box | {name: (middle, high)}


def search(module: ModuleType, region: Region, known: Roundings, box: Box | None = None) -> Outcome:
    """Certify a region, or a box of it, depth first."""
    found, began, tried = Outcome(), time.process_time(), 0
    stack = [(box or region.sides, 1.0)]
    while stack:
        box, share = stack.pop()
        tried += 1
        bounds = errors(module, region, known, box)
        if max(bounds) <= bound_on(box):
            found.add(Outcome(int(max(bounds) > 0), 1.0, bounds, box), share)  # 0: no start is in the box
        elif tried > MOST or max(widths(box).values()) < SMALLEST:
            found.open.append(box)
        else:
            stack += [(half, share / 2) for half in halves(box)]
    found.seconds = time.process_time() - began
    return found


# --- from below ---------------------------------------------------------------------------------


def exactly(p0, x0, c, s, t, y2=0) -> list:
    """‖dh‖², ‖dy‖² and w for k_h = k_y = 1 by the modes (E6), in as many digits as are set.

    No digits are lost at late times, where (E1) and (E2) as printed lose as many as exp(2At) has.
    """
    A, larger, smaller = mp.sqrt(c**2 / 4 + s**2), mp.mpf(1), mp.mpf(0)
    if A:
        larger = mp.sqrt((A + abs(c) / 2) / (2 * A))
        smaller = s / (2 * A * larger)
    cos, sin = (larger, smaller) if c >= 0 else (smaller, larger)
    plus, minus = p0 * cos + x0 * sin, x0 * cos - p0 * sin
    across = y2 * _integral(-c, t)
    N = 1 + plus**2 * _integral(2 * A, t) + minus**2 * _integral(-2 * A, t) + across
    grown, faded = plus * mp.exp(A * t), minus * mp.exp(-A * t)
    p, x = (grown * cos - faded * sin) / mp.sqrt(N), (grown * sin + faded * cos) / mp.sqrt(N)
    turned, gap = p**2 * y2 * mp.exp(-c * t) / N, (p0 * x0 - s - s * across) / N
    return [p**2, p**2 * x**2 + turned, p * x * gap + turned]


def _integral(rate, t):
    """Of exp(rate t) from 0 to t."""
    return mp.expm1(rate * t) / rate if rate else t


def point_of(of: dict, target: bool) -> tuple:
    """p, x, c, s and y² of a box that is a point, in as many digits as are set; of the others one follows."""
    names = ("p", "x", "c", "y2") if "y2" in of else ("p", "x", "c")
    p, x, c, y2 = ([mp.mpf(of[name][0].str(80, radius=False)) for name in names] + [mp.mpf(0)])[:4]
    x *= of["direction"]
    if "critical" in of:
        y2 = (
            mp.mpf(of["critical"][0].str(80, radius=False))
            * -c
            * (1 + p**2 / (mp.sqrt(c**2 / 4 + 1) - c / 2))
        )
        x = -mp.sqrt(p**2 - c - y2)
    elif abs(c) > p**2 / 2:
        c = p**2 - x**2 - y2
    elif c >= 0 and "y2" not in of:
        x = mp.sign(x) * mp.sqrt(p**2 - c - y2)
    else:
        p = mp.sqrt(x**2 + y2 + c)
    return p, x, c, mp.mpf(int(target)), y2


def sampled(module: ModuleType, region: Region, known: Roundings, box: Box, starts: int = 60) -> list[float]:
    """The largest errors seen in float64 at points of a box, the letters rounded once.

    What is exact comes from `exactly`; the sizes are those of the program, run at the point. Of a box at the
    end of the sliders few points may be starts, so as many are drawn as it takes, up to a limit.
    """
    random, seen, met = np.random.default_rng(0), [0.0] * 3, 0
    for values in np.exp(random.uniform(*np.log(list(box.values())).T, (100 * starts, len(box)))):
        if met >= starts:
            break
        at = {name: (float(value), float(value)) for name, value in zip(box, values, strict=True)}
        t = at["t"][0]
        for of in region.starts(at):
            met += 1
            start = start_of(module, of, known, region.target)
            ways = every_way(lambda start=start, t=t: run(module, start, Number(t)))
            sizes = [mp.mpf(one.sizes[1].str(20, radius=False)) for one in next(ways)]
            with mp.workdps(400):
                p, x, c, s, y2 = point_of(of, region.target)
                exact = exactly(p, x, c, s, mp.mpf(t), y2)
                k = urep.exact._of_one(urep.exact.Lift(*map(float, (p, x, y2, c, s, 1, 1, p * x - s))))
                found = urep.exact._scalars(k, urep.exact._evolve(k, np.array([t])))
                off = [
                    float(abs(mp.mpf(float(value[0])) - one) / size) if size > FLOOR else 0.0
                    for value, one, size in zip(found, exact, sizes, strict=True)
                ]
            seen = [max(pair) for pair in zip(seen, off, strict=True)]
    return seen


# --- the proof ----------------------------------------------------------------------------------


def digest() -> str:
    """Of the code that was run: another text of these files may have another outcome."""
    files = ROOT / "urep" / "exact.py", HERE / "balls.py", HERE / "boxes.py"
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


@cache
def setting(target: bool) -> tuple[ModuleType, Roundings]:
    """The program, and the errors of the letters that it starts from."""
    module = program()
    return module, roundings(module, sliders(), target=target)


def _search_part(region: Region, box: Box) -> Outcome:
    module, known = setting(region.target)
    return search(module, region, known, box)


def _parts(region: Region, halvings: int = 5) -> list[Box]:
    """Boxes of equal share, for the processes."""
    boxes = [region.sides]
    for _ in range(halvings):
        boxes = [half for box in boxes for half in halves(box)]
    return boxes


def keep(record: dict) -> None:
    """Write the record, unless the one that is kept differs only in what this machine's float64 shows."""
    if not RECORD.exists() or _proved(json.loads(RECORD.read_text(encoding="utf-8"))) != _proved(record):
        RECORD.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _proved(record: dict) -> dict:
    regions_ = [{name: row[name] for name in row if name != "seen"} for row in record["regions"]]
    return json.loads(json.dumps(record | {"regions": regions_, "versions": {}}))


def main() -> int:
    began, at = time.perf_counter(), sliders()
    every, rows, spent = regions(ranges(at)), [], 0.0
    print(f"{'region':44} certified   open    share   errors of dh2, dy2, w     seen there   seconds")
    with ProcessPoolExecutor(joblib.cpu_count()) as pool:
        waiting = [[pool.submit(_search_part, region, box) for box in _parts(region)] for region in every]
        for region, parts in zip(every, waiting, strict=True):
            found = Outcome()
            for part in parts:
                found.add(part.result(), 1 / len(parts))
            module, known = setting(region.target)
            seen = sampled(module, region, known, found.worst_box)
            rows.append({
                "region": region.name, "certified": found.certified, "open": len(found.open),
                "share": round(found.share, 6), "errors": dict(zip(VARIABLES, found.worst, strict=True)),
                "worst_box": found.worst_box, "seen": dict(zip(VARIABLES, seen, strict=True)),
                "open_boxes": found.open[:3], "rises": "off" in region.sides,
            })  # fmt: skip
            certified = " ".join(f"{error:7.1e}" for error in found.worst)
            counts = f"{found.certified:9} {len(found.open):6} {found.share:8.3%}"
            print(
                f"{region.name:44} {counts}   {certified}   {max(seen):7.1e} {found.seconds:8.1f}", flush=True
            )
            spent += found.seconds
    boxes, left = sum(row["certified"] for row in rows), sum(row["open"] for row in rows)
    record = {
        "bound": BOUND, "shell": SHELL, "closest": CLOSEST, "boxes": boxes, "open": left, "regions": rows,
        "sliders": at, "digest": digest(),
        "versions": {"python-flint": flint.__version__, "numpy": np.__version__},
    }  # fmt: skip
    keep(record)
    print(
        f"{boxes} boxes certified, each within its bound, {left} open, "
        f"in {time.perf_counter() - began:.0f} s "
        f"({spent:.0f} s of processor time)"
    )
    return int(left > 0)


if __name__ == "__main__":
    sys.exit(main())

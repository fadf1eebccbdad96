"""A bound of `urep.solve`'s rounding on the explorer's sliders' whole range, for outputs on one line.

    make proofs                         proves it, after what Coq checks
    python tests/proofs/boxes.py        proves it alone; a table, and boxes.json next to this file

What runs is the source of urep/exact.py itself, in a namespace where numbers are those of balls.py: over a
box of starts and times at once, with ranges in ball arithmetic and a bound for each rounding. A box whose
errors are not all proved to be under BOUND is halved across its widest side, until they are or the box is
SMALLEST; such a box would be counted as open, and named.

What is bounded is |solve − the exact solution of the same float64 inputs|, relative to the size of each
variable: the variable itself with each sum in it replaced by the sum of its terms' magnitudes. For most
starts both are the same. They differ where ‖dh‖ goes through zero, for opposed starts, and where the error
dy − dy* is small from the beginning; there no formula can have relative digits.

Scaling removes dimensions. With a target, lengths are measured in √s and times in 1/s, so that s = 1; a
start is then (p/√s, |dy|/‖dy*‖), and relative errors do not depend on the scale. The errors of p, x, c, s
and of dy − dy* come from the same code, `_lifted`, run on the sliders' whole range.

Proved, given the float64 arithmetic that balls.py assumes and that the formula is right in real numbers,
which the chapter on machine forms derives and tests/test_boxes.py compares with many digits. Where a
comparison of the program is open in a box, both of its outcomes are followed: each is an exact form of the
same solution. The inputs are the float64 numbers given to `solve`, with `dy`, as it advises.

Not covered are outputs at an angle to dy*: one dimension more, and for obtuse angles a surface of starts at
which the problem itself loses digits. Here, on one line, that is c = 0, which has a region of its own.
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
from dataclasses import dataclass, field
from functools import cache, cached_property, partial
from math import inf, log, sqrt
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

from balls import REPLACED, ZERO, Number, Refused, every_way  # noqa: E402

import urep.exact  # noqa: E402

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

    class Start(plain):
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

    module.Start = Start
    return module


def _larger_and_smaller(c: arb, s: arb) -> tuple[arb, arb]:
    A = (c * c / 4 + s * s).sqrt()
    larger = ((1 + c / (2 * A)) / 2).sqrt()
    return larger, s / (2 * A * larger)


def run(module: ModuleType, start, t: Number) -> tuple[Number, Number, Number]:
    """‖dh‖², ‖dy‖² and w of a start at a time, as `solve` computes them."""
    k = module._of_one(start)
    return module._scalars(k, module._evolve(k, t))


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


def roundings(module: ModuleType, at: dict, *, target: bool) -> Roundings:
    """For starts with and without a target difference."""
    task = SimpleNamespace(
        dx2=Number(*at["dx2"]), dy2_target=Number(STEP, at["dy2_target"][1]) if target else Number(0)
    )
    rates = SimpleNamespace(tau_h=Number(*at["tau_h"]), tau_y=Number(*at["tau_y"]))
    dy, unused = Number(*(sqrt(end) for end in at["dy2_0"])), None
    (one,) = every_way(lambda: module._lifted((Number(*at["dh2_0"]), unused, unused), task, rates, dy))
    return Roundings(
        **{name: getattr(one, name).eps for name in Roundings.__dataclass_fields__ if name != "c"},
        c=one.c.rel,
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


ONE = (arb(1), arb(1))

BALANCED = 0.32
"""Where the smaller of p and |x| is this part of the larger one at least, c is a side of its own."""


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
    (p0, p1), (r0, r1) = _ends(box["p"]) if "p" in box else ONE, _ends(box["r"])
    x = r0 / p1, r1 / p0
    if not balanced and x[0] > BALANCED * p1 and p0 > BALANCED * x[1]:
        return
    for sign, c in _signs((p0**2 - x[1] ** 2, p1**2 - x[0] ** 2), p0):
        for direction in directions:
            yield {"p": (p0, p1), "x": x, "r": (r0, r1), "c": c, "sign": sign, "direction": direction}


def nearly_balanced(directions: tuple[int, ...], box: Box) -> Iterator[dict]:
    """|c| is a part of the square of the larger one of p and |x|; sides are both, or the part alone."""
    m, (least, most) = _ends(box["m"]) if "m" in box else ONE, _ends(box["part"])
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


def regions(of: Ranges) -> list[Region]:
    """All starts whose outputs differ along dy* or against it, or that have no target difference."""
    t, u = (1e-16, of.T), (1e-24, of.U / BALANCED**2)
    m, part = (sqrt(of.r[0]), sqrt(of.r[1] / BALANCED)), (NEAREST, 1 - 0.99 * BALANCED**2)
    sides = {"p": of.p, "r": of.r, "t": t}
    near = {"part": part, "t": t}
    return [
        Region("along dy*", sides, partial(on_a_line, (1,), True)),
        Region("opposed", sides, partial(on_a_line, (-1,), False)),
        Region("opposed, c near 0", {"m": m} | near, partial(nearly_balanced, (-1,))),
        Region("no target", {"r": of.ratio, "t": u}, partial(on_a_line, (1, -1), False), target=False),
        Region("no target, c near 0", near | {"t": u}, partial(nearly_balanced, (1, -1)), target=False),
    ]


def start_of(module: ModuleType, of: dict, known: Roundings, target: bool):
    """The `Lift` of a box, in units where s (or, without a target, a length) is 1."""
    # c has no absolute error, of an underflow: NEAREST keeps it from there, where it is not zero.
    direction, s = of["direction"], int(target)
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
            start = start_of(module, of, known, region.target)
            for t in epochs:
                for variables in every_way(lambda start=start, t=t: run(module, start, t)):
                    if not all(one.low < FLOOR for one in variables):
                        return [inf] * 3
                    worst = [max(old, one.eps) for old, one in zip(worst, variables, strict=True)]
                    if not max(worst) <= BOUND:
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

UNITS = {"part": 30.0, "t": 8.0}
"""A logarithmic width that counts as much as a factor e in p: errors depend less on these."""


def widths(box: Box) -> dict[str, float]:
    """How wide each side is, in its unit."""
    return {name: log(high / low) / UNITS.get(name, 1.0) for name, (low, high) in box.items()}


def halves(box: Box) -> tuple[Box, Box]:
    """The two halves across the widest side."""
    wide = widths(box)
    name = max(wide, key=wide.get)
    low, high = box[name]
    middle = sqrt(low * high)
    return box | {name: (low, middle)}, box | {name: (middle, high)}


def search(module: ModuleType, region: Region, known: Roundings, box: Box | None = None) -> Outcome:
    """Certify a region, or a box of it, depth first."""
    found, began = Outcome(), time.process_time()
    stack = [(box or region.sides, 1.0)]
    while stack:
        box, share = stack.pop()
        bounds = errors(module, region, known, box)
        if max(bounds) <= BOUND:
            found.add(Outcome(1, 1.0, bounds, box), share)
        elif max(widths(box).values()) < SMALLEST:
            found.open.append(box)
        else:
            stack += [(half, share / 2) for half in halves(box)]
    found.seconds = time.process_time() - began
    return found


# --- from below ---------------------------------------------------------------------------------


def exactly(p0, x0, c, s, t) -> list:
    """‖dh‖², ‖dy‖² and w for k_h = k_y = 1, by (E1) and (E2) as printed, in as many digits as are set."""
    A = mp.sqrt(c**2 / 4 + s**2)
    sinh, cosh = (mp.sinh(A * t) / A, mp.cosh(A * t)) if A else (t, mp.mpf(1))
    N = 1 + (p0**2 + x0**2) * sinh * cosh + (c * (p0**2 - x0**2) + 4 * s * p0 * x0) * sinh**2 / 2
    p = (p0 * cosh + (c / 2 * p0 + s * x0) * sinh) / mp.sqrt(N)
    x = (x0 * cosh + (s * p0 - c / 2 * x0) * sinh) / mp.sqrt(N)
    return [p**2, p**2 * x**2, p * x * (p0 * x0 - s) / N]


def point_of(of: dict, target: bool) -> tuple:
    """p, x, c and s of a box that is a point, in as many digits as are set; of p, x and c one follows."""
    p, x, c = (mp.mpf(of[name][0].str(80, radius=False)) for name in ("p", "x", "c"))
    x *= of["direction"]
    if abs(c) > p**2 / 2:
        c = p**2 - x**2
    elif c >= 0:
        x = mp.sign(x) * mp.sqrt(p**2 - c)
    else:
        p = mp.sqrt(x**2 + c)
    return p, x, c, mp.mpf(int(target))


def sampled(module: ModuleType, region: Region, known: Roundings, box: Box, draws: int = 60) -> list[float]:
    """The largest errors seen in float64 at points of a box, the letters rounded once.

    What is exact comes from `exactly`; the sizes are those of the program, run at the point.
    """
    random, seen = np.random.default_rng(0), [0.0] * 3
    for values in np.exp(random.uniform(*np.log(list(box.values())).T, (draws, len(box)))):
        at = {name: (float(value), float(value)) for name, value in zip(box, values, strict=True)}
        t = at["t"][0]
        for of in region.starts(at):
            start = start_of(module, of, known, region.target)
            ways = every_way(lambda start=start, t=t: run(module, start, Number(t)))
            sizes = [mp.mpf(one.sizes[1].str(20, radius=False)) for one in next(ways)]
            with mp.workdps(400):
                p, x, c, s = point_of(of, region.target)
                exact = exactly(p, x, c, s, mp.mpf(t))
                k = urep.exact._of_one(urep.exact.Lift(*map(float, (p, x, 0, c, s, 1, 1, p * x - s))))
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
    print(f"{'region':22} certified   open    share   errors of dh2, dy2, w     seen there   seconds")
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
                "open_boxes": found.open[:3],
            })  # fmt: skip
            certified = " ".join(f"{error:7.1e}" for error in found.worst)
            counts = f"{found.certified:9} {len(found.open):6} {found.share:8.3%}"
            print(
                f"{region.name:22} {counts}   {certified}   {max(seen):7.1e} {found.seconds:8.1f}", flush=True
            )
            spent += found.seconds
    boxes, left = sum(row["certified"] for row in rows), sum(row["open"] for row in rows)
    record = {
        "bound": BOUND, "boxes": boxes, "open": left, "regions": rows, "sliders": at, "digest": digest(),
        "versions": {"python-flint": flint.__version__, "numpy": np.__version__},
    }  # fmt: skip
    keep(record)
    print(
        f"{boxes} boxes certified to be within {BOUND}, {left} open, in {time.perf_counter() - began:.0f} s "
        f"({spent:.0f} s of processor time)"
    )
    return int(left > 0)


if __name__ == "__main__":
    sys.exit(main())

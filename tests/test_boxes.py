"""The arithmetic on boxes against float64 and many digits; a part of the proof; what it must refuse."""

import json
import sys
from pathlib import Path

import mpmath as mp
import numpy as np
import pytest
import sympy as sp
from hypothesis import assume, given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).resolve().parent / "proofs"))
import balls
import boxes
from balls import UNIT, Choice, Number, Refused, every_way

import urep
from urep.equations import book
from urep.exact import _evolve, _of_one, _scalars

AT = boxes.sliders()
RANGES = boxes.ranges(AT)
MODULE, KNOWN = boxes.setting(True)
REGIONS = {region.name: region for region in boxes.regions(RANGES)}


def covers(number, seen, exact):
    """Whether a float64 result and the exact one are as the number says."""
    inside = mp.mpf(float(number.lo.lower())) * (1 - mp.sign(float(number.lo.lower())) * 1e-15) <= exact
    inside = inside and exact <= mp.mpf(float(number.hi.upper())) * (
        1 + mp.sign(float(number.hi.upper())) * 1e-15
    )
    off = abs(mp.mpf(float(seen)) - exact)
    return inside and (not np.isfinite(number.rel) or off <= number.rel * abs(exact) + number.low)


POSITIVE = st.floats(1e-6, 1e6)
STEPS = {
    "plus": (lambda a, b: a + b, 2), "minus": (lambda a, b: a - b, 2), "times": (lambda a, b: a * b, 2),
    "over": (lambda a, b: a / b, 2), "square": (lambda a: a**2, 1), "root": (lambda a: abs(a), 1),
    "negative": (lambda a: -a, 1), "half": (lambda a: a / 2, 1),
}  # fmt: skip
FUNCTIONS = ("sqrt", "exp", "expm1", "log", "hypot")


def apply(name, kind, values):
    """A step in one of three arithmetics: balls, float64, many digits."""
    if name in STEPS:
        return STEPS[name][0](*values)
    if name == "hypot":
        if kind == "balls":
            return balls.hypot(*values)
        return np.hypot(*values) if kind == "float" else mp.hypot(*values)
    if kind == "balls":
        return getattr(values[0], name)()
    return getattr(np if kind == "float" else mp, name)(values[0])


def allowed(name, ball, exact):
    """Whether a step can be taken from these numbers."""
    if name == "over":
        return ball[1].sign in (1, -1)
    if name in ("sqrt", "log"):
        return ball[0].sign == 1
    if name == "expm1":
        return ball[0].hi <= 0 and not ball[0].low and exact[0] > -1e5
    return name != "exp" or abs(exact[0]) < 200


@given(st.lists(POSITIVE, min_size=3, max_size=3), st.data())
@settings(max_examples=400, deadline=None)
def test_a_number_covers_what_float64_does_anywhere_in_its_box(values, data):
    """Random programs, on boxes around a point."""
    wide = [data.draw(st.sampled_from([1.0, 1.001, 3.0])) for _ in values]
    numbers = [Number(v / w, v * w, sign=1) for v, w in zip(values, wide, strict=True)]
    state = {"balls": numbers, "float": [np.float64(v) for v in values], "mp": [mp.mpf(v) for v in values]}
    with mp.workdps(80), np.errstate(all="ignore"):
        for _ in range(data.draw(st.integers(1, 8))):
            name = data.draw(st.sampled_from([*STEPS, *FUNCTIONS]))
            count = STEPS[name][1] if name in STEPS else 2 if name == "hypot" else 1
            which = [data.draw(st.integers(0, len(state["mp"]) - 1)) for _ in range(count)]
            exact = [state["mp"][i] for i in which]
            ball = [state["balls"][i] for i in which]
            if not allowed(name, ball, exact):
                continue
            for kind, numbers in state.items():
                numbers.append(apply(name, kind, [numbers[i] for i in which]))
            assume(1e-60 < abs(state["mp"][-1]) < 1e60)
            assert np.isfinite(float(state["float"][-1]))
            assert covers(state["balls"][-1], state["float"][-1], state["mp"][-1]), (name, state["balls"][-1])


def test_functions_of_numpy_and_python_err_by_less_than_is_assumed():
    random, worst = np.random.default_rng(1), {}
    with mp.workdps(40):
        for name, low, high in (("exp", -700, 700), ("expm1", -40, 0), ("log", 1e-300, 1e300)):
            z = random.uniform(low, high, 3000)
            if name == "log":
                z = np.exp(random.uniform(-690, 690, 3000))
            exact = [getattr(mp, name)(mp.mpf(float(one))) for one in z]
            seen = getattr(np, name)(z)
            worst[name] = max(
                abs(mp.mpf(float(a)) - b) / abs(b) for a, b in zip(seen, exact, strict=True) if b
            )
    assert all(error <= balls.FUNCTION for error in worst.values()), worst


def test_both_ways_are_tried_where_a_comparison_is_open():
    tried = list(every_way(lambda: (bool(Choice()), bool(Number(1.0, 2.0) < 1.5), Number(1.0) < 2.0)))
    assert tried == [(a, b, True) for a in (True, False) for b in (True, False)]
    with pytest.raises(Refused, match="the sign of a number that rounding may turn"):
        bool((Number(1.0, 2.0, UNIT) - Number(1.0, 2.0, UNIT)) > 0)


@given(st.lists(POSITIVE, min_size=3, max_size=3), st.data())
@settings(max_examples=200, deadline=None)
def test_a_way_is_narrowed_to_the_points_that_take_it(values, data):
    """In float64 a point takes one way; the ranges on that way still hold its exact values."""
    wide = [data.draw(st.sampled_from([1.001, 3.0, 100.0])) for _ in values]
    steps = data.draw(st.lists(st.sampled_from(["plus", "minus", "times"]), min_size=1, max_size=3))
    limit = data.draw(st.sampled_from([0, 1, 2]))

    def program(a, b, c):
        made = a
        for step in steps:
            made = STEPS[step][0](made, b)
        return made < (a, b, c)[limit] * c, (a, b, c, made)

    (outcome, _), (_, exact) = program(*map(np.float64, values)), program(*map(mp.mpf, values))

    def on_a_box():
        numbers = [Number(v / w, v * w, sign=1) for v, w in zip(values, wide, strict=True)]
        below, seen = program(*numbers)
        return bool(below), [(one.lo, one.hi) for one in seen]

    ways = [seen for below, seen in every_way(on_a_box) if below == outcome]
    assert len(ways) == 1
    for (lo, hi), value in zip(ways[0], exact, strict=True):
        slack = 1e-12 * abs(float(value))
        assert float(lo.lower()) - slack <= value <= float(hi.upper()) + slack


def test_a_way_that_no_point_takes_is_left_out():
    def program():
        x, y = Number(1.0, 2.0), Number(1.5, 3.0)
        if bool(x < 1.2):
            return bool(x + y < 4.5) and "low"  # x + y is below 4.2 here
        return bool(x > 1.1) and "high"  # always

    assert list(every_way(program)) == ["low", "high"]


def test_the_ranges_are_those_of_the_explorers_sliders():
    assert AT["tau_h"] == (1.0, 1e5) and AT["dy2_target"] == (0.0, 4.0) and AT["angle"] == (0.0, 180.0)
    script = (boxes.ROOT / "book" / "_static" / "explorer.js").read_text(encoding="utf-8")
    assert f"step: STEPS[name] ?? {boxes.STEP}," in script
    assert "dy2_target" not in script[script.index("const STEPS = {") :].splitlines()[0]
    random = np.random.default_rng(2)
    for _ in range(2000):
        at = {name: 10 ** random.uniform(*np.log10(AT[name])) for name in
              ("tau_h", "tau_y", "dx2", "dh2_0", "dy2_0", "epochs")}  # fmt: skip
        d2 = random.uniform(boxes.STEP, AT["dy2_target"][1])
        dy = np.sqrt(at["dy2_0"])
        one = urep.exact.lift(
            urep.State(at["dh2_0"], dy**2, dy * (dy - np.sqrt(d2))), urep.TwoPoint(at["dx2"], d2),
            urep.Rates(at["tau_h"], at["tau_y"]), dy=dy,
        )  # fmt: skip
        assert RANGES.p[0] < one.p / np.sqrt(one.s) < RANGES.p[1]
        assert RANGES.r[0] < dy / np.sqrt(d2) < RANGES.r[1]
        assert one.s * at["epochs"] < RANGES.T
        assert RANGES.ratio[0] < one.x / one.p < RANGES.ratio[1] and one.p**2 * at["epochs"] < RANGES.U
        unit = [np.log(one.s), np.log(one.p**2), np.log(one.p)]
        assert np.abs(unit).max() < balls.SLACK


PART = {
    "along dy*": {"p": (0.01, 0.02), "r": (1e-3, 1e-2), "t": (1.0, 30.0)},
    "opposed": {"p": (0.01, 0.02), "r": (1e-3, 1e-2), "t": (1.0, 8.0)},
    "opposed, c near 0": {"m": (0.1, 0.15), "part": (1e-12, 1e-8), "t": (1.0, 30.0)},
    "no target": {"r": (1e-3, 1e-2), "t": (0.1, 30.0)},
    "no target, c near 0": {"part": (1e-12, 1e-8), "t": (0.1, 30.0)},
    "acute angle": {"p": (0.01, 0.02), "r": (1e-3, 1e-2), "tan": (0.1, 2.0), "t": (1.0, 30.0)},
    "obtuse angle, c near p²": {"p": (0.1, 0.2), "r": (1e-3, 2e-3), "tan": (0.1, 2.0), "t": (1.0, 30.0)},
    "obtuse angle, c ≥ 0": {"p": (0.1, 0.2), "part": (1e-12, 1e-8), "tan": (1e-6, 1e-3), "t": (1.0, 30.0)},
    "obtuse angle, −p² < c < 0, a₊ < 0": {
        "p": (0.1, 0.2), "part": (1e-3, 2e-3), "across": (0.2, 0.4), "t": (1.0, 8.0)
    },
    "obtuse angle, −p² < c < 0, a₊ just above 0": {
        "p": (0.1, 0.2), "part": (1e-3, 2e-3), "off": (1e-2, 2e-2), "t": (1.0, 8.0)
    },
    "obtuse angle, c < −p², a₊ > 0": {
        "p": (0.1, 0.101), "c": (0.0105, 0.011), "across": (1.55, 1.6), "t": (1.0, 8.0)
    },
    "obtuse angle, c < −p², a₊ just below 0": {
        "p": (0.1, 0.2), "c": (0.1, 0.2), "off": (1e-2, 2e-2), "t": (1.0, 8.0)
    },
}  # fmt: skip


@pytest.mark.parametrize("name", PART)
def test_a_part_of_a_region_is_certified_and_no_sample_is_worse(name):
    region = REGIONS[name]
    module, known = boxes.setting(region.target)
    found = boxes.search(module, region, known, PART[name])
    assert found.open == [] and found.share == pytest.approx(1) and found.certified >= 1
    assert max(found.worst) <= boxes.BOUND
    for box in (found.worst_box, PART[name]):
        seen = boxes.sampled(module, region, known, box, starts=25)
        assert max(seen) > 0
        assert all(one <= worst for one, worst in zip(seen, found.worst, strict=True))


def slider_start(random, target):
    """Numbers that the sliders allow, on one line; half of them with c near 0, or 0 but for rounding."""
    while True:
        names = ("tau_h", "tau_y", "dx2", "dh2_0", "dy2_0", "epochs")
        at = {name: float(10 ** random.uniform(*np.log10(AT[name]))) for name in names}
        dy = np.sqrt(at["dy2_0"])
        if random.random() < 0.5:
            off = random.choice([0, 1e-14, 1e-8, 1e-2]) * random.normal()
            dy = at["dh2_0"] * np.sqrt(at["tau_h"] / at["tau_y"] / at["dx2"]) * (1 + off)
        if AT["dy2_0"][0] <= dy**2 <= AT["dy2_0"][1]:
            break
    d2 = float(random.uniform(boxes.STEP, AT["dy2_target"][1])) if target else 0.0
    dy = float(dy * random.choice([-1, 1]))
    return at["dh2_0"], dy, at["dx2"], d2, at["tau_h"], at["tau_y"], at["epochs"]


def turned_start(random):
    """Numbers that the sliders allow, at an angle; some with c or a₊ near 0, or nearly on a line."""
    while True:
        dh2, dy, dx2, d2, tau_h, tau_y, t = slider_start(random, True)
        cos = random.choice([np.cos(random.uniform(0, np.pi)), -1 + 10.0 ** random.uniform(-12, -1)])
        cos = random.choice([cos, -cos])
        dy2 = dy**2
        if random.random() < 0.3 and cos < 0:  # the critical angle, and off it by little
            with mp.workdps(60):
                p, x, y2, c, s = in_letters(
                    dh2, dy2, dy2 - abs(dy) * mp.sqrt(d2) * cos, dx2, d2, tau_h, tau_y
                )
                critical = critical_part(p, c, s) if c < 0 else 1
                part = critical / (x**2 + y2) * (1 + random.normal() * 10.0 ** random.uniform(-8, -2))
                cos = -float(mp.sqrt(1 - part)) if 0 < part < 1 else cos
        w = float(dy2 - abs(dy) * np.sqrt(d2) * cos)
        if abs(dy2 - w) < abs(dy) * np.sqrt(d2):
            return (dh2, dy2, w, dx2, d2, tau_h, tau_y), t


def critical_part(p, c, s):
    """y² for which a₊ = 0, from a₊ = 0 itself: x = −p cot φ, and y² is what is left of p² − c."""
    A = mp.sqrt(c**2 / 4 + s**2)
    return p**2 - c - (p * (A + c / 2) / s) ** 2


def in_letters(dh2, dy2, w, dx2, d2, tau_h, tau_y):
    """p, x, y², c and s of a start, in as many digits as are set."""
    dh2, dy2, w, dx2, d2, tau_h, tau_y = map(mp.mpf, (dh2, dy2, w, dx2, d2, tau_h, tau_y))
    k_h, k_y = dx2 / (2 * tau_h), 1 / (2 * tau_y)
    along = (dy2 - w) / mp.sqrt(d2)
    p, x, y2 = mp.sqrt(k_y * dh2), mp.sqrt(k_h / dh2) * along, k_h / dh2 * (dy2 - along**2)
    return p, x, y2, p**2 - x**2 - y2, mp.sqrt(k_h * k_y * d2)


def at_a_point(numbers, t):
    """A start's letters in units of s, as the regions yield them, and the time; both are points."""
    p, x, y2, c, s = in_letters(*numbers)
    p, x, y2, c, t = p / mp.sqrt(s), x / mp.sqrt(s), y2 / s, c / s, mp.mpf(t) * s
    of = {"p": p, "x": abs(x), "y2": y2, "c": c, "inner": p * abs(x)}
    if x < 0 and c < 0:
        of["critical"] = y2 / critical_part(p, c, mp.mpf(1))
    of = {name: (balls.arb(mp.nstr(value, 40)),) * 2 for name, value in of.items()}
    return of | {"sign": int(mp.sign(c)), "direction": 1 if x >= 0 else -1}, balls.arb(mp.nstr(t, 40))


def test_solve_at_an_angle_is_within_what_is_proved_at_the_point():
    """`solve` with the sliders' own numbers and no `dy`, against many digits."""
    random, off_by, worst = np.random.default_rng(8), [], 0.0
    for _ in range(300):
        numbers, t = turned_start(random)
        dh2, dy2, w, dx2, d2, tau_h, tau_y = numbers
        seen = urep.solve(urep.State(dh2, dy2, w), urep.TwoPoint(dx2, d2), urep.Rates(tau_h, tau_y), [t])
        with mp.workdps(400):
            p, x, y2, c, s = in_letters(*numbers)
            exact = boxes.exactly(p, x, c, s, mp.mpf(t), y2)
            of, epoch = at_a_point(numbers, t)
            off = float(abs(of["critical"][0] - 1)) if "critical" in of else 1.0
            allowed = boxes.BOUND * max(1, boxes.SHELL / off) if off else np.inf
            k_h, k_y = mp.mpf(dx2) / (2 * mp.mpf(tau_h)), 1 / (2 * mp.mpf(tau_y))
            start = boxes.start_of(MODULE, of, KNOWN, True)
            units = s / k_y, s**2 / (k_h * k_y), s**2 / (k_h * k_y)
            scales = 1 / k_y, 1 / (k_h * k_y), 1 / (k_h * k_y)
            for way in every_way(lambda start=start, epoch=epoch: boxes.run(MODULE, start, Number(epoch))):
                for one, value, wanted, unit, scale in zip(way, seen, exact, units, scales, strict=True):
                    size = mp.mpf(one.sizes[1].str(30, radius=False))
                    apart = abs(mp.mpf(float(value[0])) - wanted * scale) / unit
                    assert apart <= one.eps * size + boxes.FLOOR, numbers
                    worst = max(worst, float(apart / size)) if size > boxes.FLOOR and off == 1 else worst
                assert off < boxes.CLOSEST or max(one.eps for one in way) <= allowed, (numbers, off)
        off_by.append(off)
    assert 1e-16 < worst < 1e-12
    assert sum(boxes.CLOSEST < off < 1e-2 for off in off_by) > 10


def region_at(of):
    """Which region a start at an angle belongs to, and its place on all sides that regions have."""
    p, x, y2, c = (float(of[name][0].mid()) for name in ("p", "x", "y2", "c"))
    rho2 = x**2 + y2
    tan = min(np.sqrt(y2) / x, boxes.RIGHT)
    sides = {"p": p, "r": p * np.sqrt(rho2), "tan": tan, "part": abs(c) / p**2, "c": -c}
    if of["direction"] > 0:
        return "acute angle", sides
    if c >= 0:
        return f"obtuse angle, c {'near p²' if c > 0.92 * p**2 else '≥ 0'}", sides
    critical = float(of["critical"][0].mid())
    sides |= {"across": critical, "off": abs(critical - 1)}
    words = {(-1, False): "< 0", (1, False): "> 0", (-1, True): "just below 0", (1, True): "just above 0"}
    word = words[1 if critical > 1 else -1, sides["off"] < 0.5]
    return f"obtuse angle, {'−p² < c < 0' if -c < p**2 else 'c < −p²'}, a₊ {word}", sides


def test_every_start_at_an_angle_lies_in_a_region():
    random, found = np.random.default_rng(9), set()
    for _ in range(1500):
        numbers, t = turned_start(random)
        with mp.workdps(60):
            of, _ = at_a_point(numbers, t)
        name, place = region_at(of)
        if place.get("off", 1.0) < boxes.CLOSEST:
            continue
        region = REGIONS[name]
        for side, (low, high) in region.sides.items():
            assert side == "t" or low * (1 - 1e-9) <= place[side] <= high * (1 + 1e-9), (side, numbers)
        box = {
            side: (place[side] * (1 - 1e-6), place[side] * (1 + 1e-6)) for side in region.sides if side != "t"
        }
        held = [one for one in region.starts(box | {"t": (1.0, 1.0)}) if one["sign"] == of["sign"]]
        for letter in ("p", "x", "y2", "c"):
            value = of[letter][0]
            assert any(not value < one[letter][0] and not value > one[letter][1] for one in held), (
                name,
                letter,
            )
        found.add(name)
    assert len(found) >= 10


def test_near_the_surface_where_a_plus_vanishes_the_neighbours_of_an_input_have_other_curves():
    """Up to CLOSEST: between two neighbours of an input the exact solution moves by more than the bound."""
    numbers, t = (1e-2, 1.0, 1.3, 1.0, 0.25, 100.0, 100.0), 5e4
    dh2, dy2, w, *rest = numbers
    with mp.workdps(80):

        def off(w):
            p, _, y2, c, s = in_letters(dh2, dy2, w, *rest)
            return y2 / critical_part(p, c, s) - 1

        assert off(1.0) * off(1.49) < 0
        w = float(mp.findroot(off, (1.0, 1.49), solver="anderson", tol=1e-40))
        assert abs(off(w)) < boxes.CLOSEST
        ends = []
        for one in (np.nextafter(w, 0), np.nextafter(w, 2)):
            p, x, y2, c, s = in_letters(dh2, dy2, float(one), *rest)
            ends.append(boxes.exactly(p, x, c, s, mp.mpf(t), y2)[0])
    assert abs(ends[0] - ends[1]) > 10 * boxes.BOUND * boxes.SHELL / boxes.CLOSEST * max(ends)


def test_a_box_is_allowed_the_least_that_one_of_its_points_is():
    for off in ((1e-9, 1e-3), (1e-9, 0.5), (5e-3, 4e-2), (1e-4, 2e-4)):
        points = [boxes.BOUND * max(1.0, boxes.SHELL / at) for at in np.geomspace(*off, 50)]
        assert boxes.bound_on({"off": off}) == pytest.approx(min(points))
    assert boxes.bound_on({"p": (1.0, 2.0)}) == boxes.BOUND


def test_a_region_that_takes_too_long_is_left_open_with_what_is_left_of_it(monkeypatch):
    monkeypatch.setattr(boxes, "MOST", 5)
    region = REGIONS["acute angle"]
    found = boxes.search(MODULE, region, KNOWN)
    assert found.open and found.share < 1
    assert all(set(box) == set(region.sides) for box in found.open)


@pytest.mark.parametrize("target", [True, False])
def test_solve_is_within_what_is_proved_at_the_point_in_any_units(target):
    """`solve` with the sliders' own numbers against many digits; the bound in scaled letters."""
    random, (module, known) = np.random.default_rng(6), boxes.setting(target)
    for _ in range(200):
        numbers = slider_start(random, target)
        dh2, dy, dx2, d2, tau_h, tau_y, t = numbers
        seen = urep.solve(
            urep.State(dh2, dy**2, dy * (dy - np.sqrt(d2))), urep.TwoPoint(dx2, d2), urep.Rates(tau_h, tau_y),
            [t], dy=dy,
        )  # fmt: skip
        with mp.workdps(400):
            dh2, dy, dx2, d2, tau_h, tau_y, t = map(mp.mpf, numbers)
            k_h, k_y = dx2 / (2 * tau_h), 1 / (2 * tau_y)
            p, x, s = mp.sqrt(k_y * dh2), mp.sqrt(k_h / dh2) * dy, mp.sqrt(k_h * k_y * d2)
            exact = boxes.exactly(p, x, p**2 - x**2, s, t)
            unit = s if target else p**2
            letters = {
                "p": p / mp.sqrt(unit), "x": abs(x) / mp.sqrt(unit), "c": (p**2 - x**2) / unit,
                "r": p * abs(x) / unit, "t": unit * t,
            }  # fmt: skip
            balls_of = {name: (balls.arb(mp.nstr(one, 40)),) * 2 for name, one in letters.items()}
            of = balls_of | {"sign": int(mp.sign(p**2 - x**2)), "direction": int(mp.sign(x))}
            start, epoch = boxes.start_of(module, of, known, target), Number(of["t"][0])
            scales = 1 / k_y, 1 / (k_h * k_y), 1 / (k_h * k_y)
            powers = unit, unit**2, unit**2
            for way in every_way(lambda start=start, epoch=epoch: boxes.run(module, start, epoch)):
                for one, value, wanted, scale, power in zip(way, seen, exact, scales, powers, strict=True):
                    size = mp.mpf(one.sizes[1].str(30, radius=False))
                    off = abs(mp.mpf(float(value[0])) - wanted * scale) / (scale * power)
                    assert off <= one.eps * size + boxes.FLOOR, numbers
                    assert one.eps <= boxes.BOUND and one.low < boxes.FLOOR, numbers


def test_what_cannot_be_certified_is_named_and_has_no_share(monkeypatch):
    """Under a bound that rounding once exceeds, all of a box is open."""
    monkeypatch.setattr(boxes, "BOUND", UNIT / 2)
    monkeypatch.setattr(boxes, "SMALLEST", 0.2)
    box = {"p": (0.01, 0.015), "r": (1e-3, 1.5e-3), "t": (1.0, 2.0)}
    found = boxes.search(MODULE, REGIONS["along dy*"], KNOWN, box)
    assert (found.certified, found.share, found.worst_box) == (0, 0.0, None)
    corners = {(one["p"][0], one["r"][0]) for one in found.open}
    assert len(found.open) > 1 and (0.01, 1e-3) in corners
    assert max(one["p"][1] for one in found.open) == 0.015 and max(one["t"][1] for one in found.open) == 2.0


def test_every_start_of_the_sliders_lies_in_a_region():
    """Starts on one line: those that one region leaves out for c near 0 are in the range of the other."""
    random = np.random.default_rng(5)
    with_c, without_c = REGIONS["opposed, c near 0"].sides, REGIONS["opposed"]
    left_out = 0
    for _ in range(4000):
        p, r = (float(np.exp(random.uniform(*np.log(ends)))) for ends in (RANGES.p, RANGES.r))
        if random.random() < 0.5:
            p = float(np.clip(np.sqrt(r) * np.exp(random.uniform(-0.8, 0.8)), *RANGES.p))
        if list(without_c.starts({"p": (p, p), "r": (r, r), "t": (1.0, 1.0)})):
            continue
        left_out += 1
        larger, smaller = max(p, r / p), min(p, r / p)
        assert with_c["m"][0] * (1 - 1e-12) <= larger <= with_c["m"][1] * (1 + 1e-12)
        assert 1 - (smaller / larger) ** 2 <= with_c["part"][1]
    assert left_out > 500


def exact_sizes(p0, x0, c, s, t):
    """‖dh‖², ‖dy‖² and w with each sum replaced by the sum of its terms' magnitudes, from (E1) and (E2)."""
    A = mp.sqrt(c**2 / 4 + s**2)
    sinh, cosh = mp.sinh(A * t), mp.cosh(A * t)
    N = 1 + (p0**2 + x0**2) * sinh * cosh / A + (c * (p0**2 - x0**2) + 4 * s * p0 * x0) * sinh**2 / (2 * A**2)
    p, x = (
        (abs(z) * mp.exp(-A * t) + abs(z + rise / A) * sinh) / mp.sqrt(N)
        for z, rise in ((p0, c / 2 * p0 + s * x0), (x0, s * p0 - c / 2 * x0))
    )
    return [p**2, (p * x) ** 2, p * x * (abs(p0 * x0) + s) / N]


def furthest_from_exact(module, name, points=30):
    """How far the program in real numbers is from (E1) and (E2), at points; a part of the size."""
    region, known = REGIONS[name], KNOWN
    random, worst = np.random.default_rng(3), mp.mpf(0)
    for _ in range(points):
        at = {side: float(np.exp(random.uniform(*np.log(ends)))) for side, ends in region.sides.items()}
        at["t"] = float(10 ** random.uniform(-4, 1.5))
        for of in region.starts({side: (value, value) for side, value in at.items()}):
            if of["sign"] == 0:  # p and x are c's, which is not 0 where it is computed here
                continue
            start = boxes.start_of(module, of, known, True)
            ways = list(every_way(lambda s=start, t=at["t"]: boxes.run(module, s, Number(t, sign=1))))
            with mp.workdps(400):
                letters = [mp.mpf(of[name][0].str(140, radius=False)) for name in ("p", "x", "c")]
                letters[1] *= of["direction"]
                exact = boxes.exactly(*letters, mp.mpf(1), mp.mpf(at["t"]))
                sizes = exact_sizes(*letters, mp.mpf(1), mp.mpf(at["t"]))
                for variables in ways:
                    for one, value, size in zip(variables, exact, sizes, strict=True):
                        if size < boxes.FLOOR:
                            continue
                        middle = mp.mpf(((one.lo + one.hi) / 2).str(140, radius=False))
                        seen = mp.mpf(one.sizes[0].str(140, radius=False))
                        worst = max(worst, abs(middle - value) / size, abs(seen - size) / size)
    return worst


def as_printed(p, x, y2, c, s, t):
    """‖dh‖², ‖dy‖² and w for k_h = k_y = 1 by (E1) and (E2) of the registry."""
    values = {"p_0": p, "x_0": x, "y_0": mp.sqrt(y2), "c": c, "s": s, "t": t, "A": mp.sqrt(c**2 / 4 + s**2)}
    functions = [{"phi1": lambda z: mp.expm1(z) / z if z else mp.mpf(1)}, "mpmath"]

    def value(formula):
        formula = formula.subs(book["E1"].lhs, sp.Symbol("N"))
        symbols = sorted(formula.free_symbols, key=str)
        return sp.lambdify(symbols, formula, functions)(*(values[str(symbol)] for symbol in symbols))

    values["N"] = value(book["E1"].rhs)
    p, x, y = (value(side) for side in book["E2"].rhs)
    return [p**2, p**2 * (x**2 + y**2), p * x * (p * x - s) + p**2 * y**2]


@pytest.mark.parametrize("start", [(0.3, -0.7, 0.2), (1.5, 0.4, 0.3), (0.2, -0.9, 1.4), (1.0, -0.6, 0.64)])
def test_what_is_called_exact_is_the_solution_as_printed(start):
    with mp.workdps(60):
        p, x, y2 = map(mp.mpf, start)
        c = p**2 - x**2 - y2
        seen = boxes.exactly(p, x, c, mp.mpf(1), mp.mpf(2.5), y2)
        wanted = as_printed(p, x, y2, c, mp.mpf(1), mp.mpf(2.5))
        assert all(abs(a - b) < 1e-45 for a, b in zip(seen, wanted, strict=True))


@pytest.fixture
def many_digits():
    before, balls.ctx.prec = balls.ctx.prec, 500
    yield
    balls.ctx.prec = before


@pytest.mark.parametrize("name", ["along dy*", "opposed", "opposed, c near 0"])
def test_the_program_in_real_numbers_is_the_exact_solution(name, many_digits):
    """What the boxes call exact, and the sizes, are (E1) and (E2) as printed."""
    assert furthest_from_exact(MODULE, name) < 1e-40


MUTATED = {
    "a sign": ("rise * k.sin_phi) / root", "rise * -k.sin_phi) / root"),
    "a factor": ("np.expm1(-2 * k.A * t)", "np.expm1(-k.A * t)"),
    "a power": ("k.a_minus**2 * t_phi1", "abs(k.a_minus) * t_phi1"),
    "a term": ("exp_scale + mode**2 * t_phi1 + k.a_minus", "mode**2 * t_phi1 + k.a_minus"),
}


def changed(written, instead):
    def change(text):
        assert text.count(written) == 1
        return text.replace(written, instead)

    return boxes.program(change)


@pytest.mark.parametrize("name", MUTATED)
def test_a_wrong_operation_is_noticed(name, many_digits):
    assert furthest_from_exact(changed(*MUTATED[name]), "opposed", points=5) > 1e-6


CONTROLS = {
    "c by a difference": (
        "self.c / (2 * self.A) * (self.A", "(self.p**2 - self.x**2) / (2 * self.A) * (self.A",
        "opposed, c near 0", {"m": (1.0, 1.0), "part": (1e-12, 1e-12), "t": (10.0, 10.0)},
    ),
    "a₊ by a difference": (
        "return direct if kept_direct >= kept_other else other", "return direct",
        "opposed, c near 0", {"m": (1.0, 1.0), "part": (1e-8, 1e-8), "t": (10.0, 10.0)},
    ),
    "1 − exp for expm1": (
        "one_minus_exp = -np.expm1(-2 * k.A * t)", "one_minus_exp = 1 - np.exp(-2 * k.A * t)",
        "along dy*", {"p": (1000.0, 1010.0), "r": (5e-6, 5.1e-6), "t": (1e-12, 1.1e-12)},
    ),
    "the error by a difference": (
        "gap = (k.gap * exp_scale - k.s * N_across) / N_scaled", "gap = p * x - k.s",
        "along dy*", {"p": (1.0, 1.001), "r": (5.0, 5.001), "t": (30.0, 30.1)},
    ),
}  # fmt: skip


def absolute(module, region, box):
    """Of each variable the largest error and size on a box: another arrangement has other sizes."""
    worst = [(0.0, 0.0)] * 3
    try:
        for of in region.starts(box):
            start, t = boxes.start_of(module, of, KNOWN, True), Number(*box["t"], sign=1)
            for variables in every_way(lambda start=start, t=t: boxes.run(module, start, t)):
                sizes = [balls.upper(one.sizes[1]) for one in variables]
                worst = [
                    (max(old[0], one.eps * size), max(old[1], size))
                    for old, one, size in zip(worst, variables, sizes, strict=True)
                ]
    except Refused:
        return [(np.inf, np.inf)] * 3
    return worst


@pytest.mark.parametrize("name", CONTROLS)
def test_an_arrangement_that_loses_digits_is_refused(name):
    written, instead, which, box = CONTROLS[name]
    region = REGIONS[which]
    assert max(boxes.errors(MODULE, region, KNOWN, box)) <= boxes.BOUND
    kept, lost = (absolute(module, region, box) for module in (MODULE, changed(written, instead)))
    assert any(one[0] > 2 * boxes.BOUND * size for one, (_, size) in zip(lost, kept, strict=True)), lost


def test_the_formula_as_printed_is_refused():
    """(E2)'s p with cosh and sinh on a box where `solve` is certified: opposed, c near 0."""
    region = REGIONS["opposed, c near 0"]
    box = {"m": (1.0, 1.0), "part": (1e-12, 1e-12), "t": (10.0, 10.0)}
    assert max(boxes.errors(MODULE, region, KNOWN, box)) <= boxes.BOUND
    of = next(region.starts(box))
    start, t = boxes.start_of(MODULE, of, KNOWN, True), Number(*box["t"], sign=1)
    A = start.A
    grow, fall = (A * t).exp(), (-A * t).exp()
    sinh, cosh = (grow - fall) / 2, (grow + fall) / 2
    p = start.p * cosh + (start.c / 2 * start.p + start.s * start.x) * sinh / A
    # Its terms are as large as e^(A t), and what is left of them is e^(−A t).
    assert p.rel > 1e-9


def test_the_stored_record_is_of_this_code():
    """`make proofs` writes it; of any other text of the program it says nothing."""
    record = json.loads(boxes.RECORD.read_text(encoding="utf-8"))
    assert record["digest"] == boxes.digest(), "run `make proofs`: the program or the proof has changed"
    assert {name: tuple(ends) for name, ends in record["sliders"].items()} == AT
    assert record["bound"] == boxes.BOUND and record["open"] == 0
    rows = {row["region"]: row for row in record["regions"]}
    assert list(rows) == list(REGIONS) and record["boxes"] == sum(row["certified"] for row in rows.values())
    for name, row in rows.items():
        box = {side: tuple(ends) for side, ends in row["worst_box"].items()}
        module, known = boxes.setting(REGIONS[name].target)
        again = boxes.errors(module, REGIONS[name], known, box)
        assert max(again) == pytest.approx(max(row["errors"].values()), rel=1e-6)
        assert row["share"] == 1 and max(row["errors"].values()) <= boxes.bound_on(box)
        assert row["rises"] == ("off" in box) == (boxes.bound_on(box) > boxes.BOUND)
        assert all(row["seen"][one] < row["errors"][one] for one in boxes.VARIABLES)
    assert sum(min(row["seen"].values()) > 0 for row in rows.values()) > 12


def test_float64_agrees_with_the_program_that_was_bounded():
    """The namespace of balls.py changes no operation: at a point both give the same number."""
    p, x, t = 0.3, -0.7, 2.5
    c = p**2 - x**2
    k = _of_one(urep.exact.Lift(p, x, 0.0, c, 1.0, 1.0, 1.0, p * x - 1))
    seen = _scalars(k, _evolve(k, np.array([t])))
    start = MODULE.Start(
        *(Number(v) for v in (p, x)), 0.0, *(Number(v) for v in (c, 1.0, 1.0, 1.0, p * x - 1))
    )
    for variables in every_way(lambda: boxes.run(MODULE, start, Number(t))):
        for one, value in zip(variables, seen, strict=True):
            assert abs(float(one.lo.mid()) - value[0]) <= one.eps * float(one.sizes[1]) < 1e-13

"""Float64 arithmetic carried out on boxes: what a formula's rounding can do to any number of a box.

A `Number` stands for one float64 variable of a program, over a whole box of inputs at once. It holds

- the range of its *exact* value, what the program would hold if it computed with real numbers, between
  two ends that are balls of Arb (python-flint);
- bounds of |float64 value − exact value|, at each point of the box: `rel` |exact value| + `low`, and
  `eps` `size` + `low`, where the size is the exact value with each sum replaced by the sum of its terms'
  magnitudes. After a subtraction that cancels, `rel` is large and `eps` is not.

Errors are relative to the value at the same point, so that they stay sharp on wide boxes; the ranges enter
only where a function's error depends on its argument, as that of exp does, and where a sum cancels.

What is proved rests on these, which are assumed of the machine and its libraries:
- +, −, ×, ÷ and sqrt give the float64 nearest to the exact result, half an ulp (IEEE 754, with its gradual
  underflow), and none of them is merged with the next;
- hypot and a power by 2 err by an ulp at most. Python's documentation says so of math.hypot since 3.10; of
  pow the GNU C Library does, in "Known Maximum Errors in Math Functions" of its manual;
- exp, expm1 and log err by four ulps at most. That is what NumPy's maintainers give for the vectorized
  functions that it takes from Intel (numpy/numpy, pull request 19478), and Intel's are the least precise
  of those that it uses: the GNU C Library, which Python's log is from, gives one ulp for each.
These are errors that were measured by those who publish them, not theorems.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import nullcontext, suppress
from math import expm1, frexp, inf, isfinite
from typing import Any

import numpy as np
from flint import arb, ctx

ctx.prec = 64

UNIT = 2.0**-53
"""Half an ulp: the largest relative error of one rounding."""

ROOT, POWER, FUNCTION = UNIT, 2 * UNIT, 8 * UNIT
"""Relative errors of sqrt (½ ulp), of hypot and of a power by 2 (1 ulp), of exp, expm1 and log (4 ulp)."""

SMALL, UNDERFLOW = arb(2) ** -900, 2.0**-960
"""A result that may be below the first can underflow, by less than the second in any units used here."""

DEEP = 600.0
"""exp of less than minus this counts as an absolute error."""

NOTHING = 1e-259
"""An error that is larger: e**−600 is 3e-261, and both numbers may be as large as it."""

SLACK = 27.0
"""|log| of the unit in which a number of the program is measured is less than this; see `Number.log`."""

ZERO, ONE, INFINITY = arb(0), arb(1), arb("inf")


class Refused(Exception):
    """A comparison whose outcome in float64 need not be that of real numbers, nor a rearrangement."""


class Impossible(Exception):
    """No point of the box takes this way through the comparisons."""


def up(value: float) -> float:
    """Above the rounding of the few float operations, on non-negative numbers, which gave `value`."""
    return value * (1 + 2.0**-40) if value == value else inf


def upper(value: arb) -> float:
    """A float that is no less than a ball of what is not negative, also where float64 ends."""
    if not value.is_finite():
        return inf
    return 0.0 if value == 0 else up(max(float(value.upper()), 1e-300))


# --- both outcomes of a comparison ------------------------------------------------------------


class _Paths:
    """The outcomes of undecided comparisons on the way that is being tried."""

    def __init__(self) -> None:
        self.taken: list[bool] = []
        self.next = 0

    def outcome(self) -> bool:
        if self.next == len(self.taken):
            self.taken.append(True)
        self.next += 1
        return self.taken[self.next - 1]

    def another(self) -> bool:
        """Move to the next way; False if there is none."""
        del self.taken[self.next :]
        while self.taken and not self.taken[-1]:
            self.taken.pop()
        if self.taken:
            self.taken[-1] = False
        self.next = 0
        return bool(self.taken)


_paths = _Paths()


def every_way(program: Callable[[], Any]) -> Iterator[Any]:
    """What `program` returns on each way through its comparisons that the box leaves open.

    It has to make its numbers anew each time: a way narrows them to the points that take it.
    """
    _paths.__init__()
    more = True
    while more:
        with suppress(Impossible):
            yield program()
        more = _paths.another()


class Choice:
    """A comparison that is true at some points of the box and false at others, or may be either.

    `compared` are the numbers of which it asks whether the first is below the second. Once an outcome is
    chosen, what remains of the box are the points that have it: both are narrowed to it.
    """

    __array_ufunc__ = None  # NumPy leaves `&` to this class

    def __init__(self, compared: tuple[Number, Number] | None = None) -> None:
        self.chosen: bool | None = None
        self.compared = compared

    def __bool__(self) -> bool:
        if self.chosen is None:
            self.chosen = _paths.outcome()
            if self.compared:
                below, above = self.compared if self.chosen else self.compared[::-1]
                _narrow_to_order(below, above)
        return self.chosen

    def __and__(self, other) -> bool:
        return bool(self) and bool(other)

    def __rand__(self, other) -> bool:
        return bool(other) and bool(self)

    def __invert__(self) -> np.bool_:
        return np.bool_(not self)


def _narrow_to_order(below: Number, above: Number) -> None:
    """In float64 the first is not above the second: so much is known of the exact values."""
    least, most = below.floats[0], above.floats[1]
    below.narrow(-INFINITY, most + below.error)
    above.narrow(least - above.error, INFINITY)


# --- numbers ----------------------------------------------------------------------------------


class Number:
    """One variable of the program over a box; see the module's text. `low` has the size's units.

    `size` is None where it is the magnitude; `sign` is known even where the range ends at 0;
    `exact` marks a Fraction; `slack` bounds what a logarithm would gain by the choice of units; `made` says
    of which numbers it is the sum, the product or the negative, and `kept`, of a sum that
    the program has compared with its terms, which part of their size it is.
    """

    __slots__ = (
        "absolute",
        "eps",
        "exact",
        "hi",
        "kept",
        "lo",
        "low",
        "made",
        "rel",
        "sign",
        "size",
        "slack",
    )

    def __init__(self, lo, hi=None, rel=0.0, *, size=None, eps=None, low=0.0, sign=None,
                 exact=False, slack=0.0):  # fmt: skip
        self.absolute = self.made = self.kept = None
        self.lo = lo if isinstance(lo, arb) else arb(lo)
        self.hi = self.lo if hi is None else hi if isinstance(hi, arb) else arb(hi)
        if self.lo.is_nan() or self.hi.is_nan():
            self.lo, self.hi = arb("-inf"), arb("inf")
        self.rel = rel if rel == rel else inf
        self.size, self.eps = size, self.rel if size is None or eps is None or eps != eps else eps
        self.low, self.exact, self.slack = low if low == low else inf, exact, slack
        if sign is None:
            sign = 1 if self.lo > 0 else -1 if self.hi < 0 else 0 if self.lo == 0 == self.hi else None
        self.sign = sign
        if self.low and self.low < 1e-100:  # an underflow: next to any value that cannot, no error at all
            least = self.magnitude[0]
            if least * 1e-30 > self.low:
                self.rel, self.eps, self.low = up(self.rel + 1e-30), up(self.eps + 1e-30), 0.0
        if sign == 0 and self.low == 0:  # zero times anything is zero in float64 too
            self.rel = self.eps = 0.0

    def __repr__(self) -> str:
        ends = f"{float(self.lo.mid()):.6g}, {float(self.hi.mid()):.6g}"
        return f"Number([{ends}], rel {self.rel / UNIT:.3g}, eps {self.eps / UNIT:.3g}, low {self.low:.1g})"

    # --- ranges ---

    @property
    def magnitude(self) -> tuple[arb, arb]:
        """The range of |exact value|."""
        if self.lo >= 0 or self.sign == 1:
            return self.lo.max(ZERO), self.hi
        if self.hi <= 0 or self.sign == -1:
            return (-self.hi).max(ZERO), -self.lo
        return ZERO, (-self.lo).max(self.hi)

    @property
    def sizes(self) -> tuple[arb, arb]:
        return self.magnitude if self.size is None else self.size

    def relative(self) -> float:
        """A bound of the relative error, the absolute part included."""
        least = self.magnitude[0]
        if self.low == 0:
            return self.rel
        return up(self.rel + self.low / float(least.lower())) if least > 1e-280 else inf

    def within(self, lo: arb, hi: arb) -> Number:
        """The same number, of which it is known that its exact value lies between these two."""
        return Number(self.lo.max(lo), self.hi.min(hi), self.rel, size=self.size, eps=self.eps, low=self.low,
                      sign=self.sign, exact=self.exact, slack=self.slack)  # fmt: skip

    def copy(self) -> Number:
        """The same number, not yet narrowed to any outcome of a comparison."""
        return self.within(-INFINITY, INFINITY)

    def no_worse(self, rel: float) -> Number:
        """The same number, whose relative error is known to be this at most."""
        same = self.copy()
        same.rel = min(self.rel, rel)
        same.eps = same.rel if same.size is None else same.eps
        return same

    @property
    def error(self) -> arb:
        """A bound of |float64 value − exact value| on the whole box."""
        bounds = [ZERO if not rel else arb(rel) * size
                  for rel, size in ((self.rel, self.magnitude[1]), (self.eps, self.sizes[1]))]  # fmt: skip
        finite = [bound for bound in bounds if bound.is_finite()]
        return min(finite) + arb(self.low) if finite else INFINITY

    @property
    def floats(self) -> tuple[arb, arb]:
        """The least and the largest that the float64 value can be."""
        low, rel = arb(self.low), arb(self.rel)
        least, most = self.lo - self.error, self.hi + self.error
        if self.rel < 1:  # v (1 ± rel) rises with v: the ends of the range give those of the value
            ends = (
                self.lo * (1 - rel if self.lo > 0 else 1 + rel),
                self.hi * (1 - rel if self.hi < 0 else 1 + rel),
            )
            least = ends[0] - low if not least > ends[0] - low else least
            most = ends[1] + low if not most < ends[1] + low else most
        return (-INFINITY if least.is_nan() else least), (INFINITY if most.is_nan() else most)

    def narrow(self, lo: arb, hi: arb) -> None:
        """From here on the exact value lies between these two too, and what it was made of accordingly."""
        narrower = lo > self.lo or hi < self.hi
        if not narrower:
            return
        self.lo, self.hi = self.lo.max(lo), self.hi.min(hi)
        if self.lo > self.hi:
            raise Impossible
        if self.made is None:
            return
        how, *of = self.made
        if how == "sum":
            for one, other in (of, of[::-1]):
                one.narrow(*_numbers_only(self.lo - other.hi, self.hi - other.lo))
        elif how == "negative":
            of[0].narrow(-self.hi, -self.lo)
        elif how == "product" and all(one.sign == 1 for one in of):
            for one, other in (of, of[::-1]):
                most = self.hi / other.lo if other.lo > 0 else INFINITY
                one.narrow(*_numbers_only(self.lo.max(ZERO) / other.hi, most))

    # --- the four operations ---

    def __neg__(self) -> Number:
        sign = None if self.sign is None else -self.sign
        negative = Number(-self.hi, -self.lo, self.rel, size=self.size, eps=self.eps, low=self.low, sign=sign,
                          exact=self.exact, slack=self.slack)  # fmt: skip
        negative.made = "negative", self
        return negative

    def __abs__(self) -> Number:
        """One object for one number, so that |x|/|x| is seen to be 1."""
        if self.absolute is None:
            self.absolute = self._magnitude()
        return self.absolute

    def _magnitude(self) -> Number:
        sign = None if self.sign is None else abs(self.sign)
        return Number(*self.magnitude, self.rel, size=self.size, eps=self.eps, low=self.low, sign=sign,
                      exact=self.exact, slack=self.slack)  # fmt: skip

    @property
    def side(self) -> int | None:
        """1 if it is nowhere negative, −1 if nowhere positive."""
        if self.sign is not None:
            return self.sign
        return 1 if self.lo >= 0 else -1 if self.hi <= 0 else None

    def __add__(self, other) -> Number:
        other = _number(other, self)
        if other.sign == 0 and other.low == 0:
            return self
        rounding = 0.0 if self.exact else UNIT
        lo, hi = self.lo + other.lo, self.hi + other.hi
        slack = self.slack + other.slack
        low = up((self.low + other.low) * (1 + rounding) + rounding * slack)
        together = self.side is not None and other.side is not None and self.side * other.side >= 0
        rel = max(self.rel, other.rel) if together else inf
        rel = min(rel, self._cancelled(other, lo, hi))
        eps, size = max(self.eps, other.eps), None
        if not together or self.size is not None or other.size is not None:
            size = tuple(a + b for a, b in zip(self.sizes, other.sizes, strict=True))
        if slack and not together:  # |ε_a a + ε_b b| ≤ ε_a |a + b| + (ε_a + ε_b) |b|, b the logarithm
            first, second = (self, other) if not self.magnitude[1] < other.magnitude[1] else (other, self)
            rel, size, eps = first.rel, None, first.rel
            low = up(low + (first.rel + second.rel) * upper(second.magnitude[1]))
        total = Number(
            lo, hi, _rounded(rel, rounding), size=size, eps=_rounded(eps, rounding), low=low,
            sign=(self.sign or other.sign) if together else None, exact=self.exact, slack=slack,
        )  # fmt: skip
        total.made = "sum", self, other
        return total

    def _cancelled(self, other: Number, lo: arb, hi: arb) -> float:
        """The relative error of a sum that may be smaller than its terms, before it is rounded."""
        if not (self.eps or other.eps):
            return 0.0
        least = lo if lo > 0 else -hi if hi < 0 else None
        if least is None or not isfinite(self.eps) or not isfinite(other.eps):
            return inf
        return upper((arb(self.eps) * self.sizes[1] + arb(other.eps) * other.sizes[1]) / least)

    __radd__ = __add__

    def __sub__(self, other) -> Number:
        return self + -_number(other, self)

    def __rsub__(self, other) -> Number:
        return -self + other

    def __mul__(self, other) -> Number:
        return self._times(_number(other, self), _of_product(other))

    __rmul__ = __mul__

    def _times(self, other: Number, rounding: float) -> Number:
        if self.exact:
            rounding = 0.0
        if self.sign == 0 or other.sign == 0:
            zero = self if self.sign == 0 else other
            if zero.low == 0:
                return Number(ZERO, exact=self.exact)
        a, b = self.magnitude, other.magnitude
        ends = _product_ends(self, other, a, b)
        sign = None if self.sign is None or other.sign is None else self.sign * other.sign
        sizes = None
        if self.size is not None or other.size is not None:
            (a0, a1), (b0, b1) = self.sizes, other.sizes
            sizes = (a0 * b0, a1 * b1)
        low = 0.0
        if self.low or other.low:
            biggest_a, biggest_b = upper(self.sizes[1]), upper(other.sizes[1])
            low = (1 + rounding) * (
                _zero_times(self.low, biggest_b * (1 + other.eps) + other.low)
                + _zero_times(other.low, biggest_a * (1 + self.eps))
            )  # fmt: skip
        if not self.exact and not a[0] * b[0] > SMALL:
            low += UNDERFLOW
        slack = 0.0
        if self.slack or other.slack:  # only a constant multiplies a logarithm
            slack = up(self.slack * upper(b[1]) if self.slack else other.slack * upper(a[1]))
        product = Number(
            *ends, _product(self.rel, other.rel, rounding), size=sizes,
            eps=_product(self.eps, other.eps, rounding), low=up(low + rounding * slack), sign=sign,
            exact=self.exact, slack=slack,
        )  # fmt: skip
        product.made = "product", self, other
        return product

    def __truediv__(self, other) -> Number:
        if other is self and self.sign and self.relative() < 1:
            return Number(ONE, exact=self.exact)
        return self._times(_number(other, self)._inverse(), _of_product(other))

    def __rtruediv__(self, other) -> Number:
        return _number(other, self) / self

    def _inverse(self) -> Number:
        """1/x without a rounding: a quotient rounds once."""
        a, b = self.magnitude
        rel = self.relative()
        rel = up(rel / (1 - rel)) if rel < 0.5 else inf
        first = ONE / b if b.is_finite() else ZERO
        second = ONE / a if a > 0 else arb("inf")
        if self.sign == -1:
            first, second = -second, -first
        elif self.sign != 1:
            first, second, rel = arb("-inf"), arb("inf"), inf
        return Number(first, second, rel, sign=self.sign, exact=self.exact, slack=self.slack)

    def __pow__(self, power: int) -> Number:
        if power != 2:
            raise TypeError(f"power must be 2, got {power!r}")
        square = self._times(self, POWER)
        square.sign = 1 if self.sign else 0 if self.sign == 0 else None
        least, most = self.magnitude
        square.lo, square.hi = least * least, most * most
        return square

    # --- functions; NumPy and `replacements` call them by these names ---

    def sqrt(self) -> Number:
        rel = self.relative()
        rel = up(rel / 2 * (1 + rel)) if rel < 0.5 else inf
        return Number(self.lo.max(ZERO).sqrt(), self.hi.sqrt(), _rounded(rel, ROOT), sign=self.sign)

    def exp(self) -> Number:
        """The error of the argument counts absolutely; below −DEEP the result itself is an error."""
        most = self.magnitude[1]
        falling = self.hi <= 0
        reach = min(upper(most), DEEP) if falling else upper(most)
        off = up(self.rel * reach + self.low)
        rel = _rounded(up(expm1(off)) if off < 600 else inf, FUNCTION)
        low = 0.0
        if not self.lo > -DEEP:
            low = NOTHING if self.rel < 1e-3 and self.low < 1 else inf
        if not self.hi < DEEP:
            rel = inf
        return Number(_exp(self.lo), _exp(self.hi), rel, low=low, sign=1)

    def expm1(self) -> Number:
        """Of what is not positive: |z|/(exp|z| − 1) of a relative error of z arrives."""
        if not self.hi <= 0 or self.low:
            raise Refused("expm1 of a number that may be positive, or has an absolute error")
        least = self.magnitude[0]
        arrives = upper(least / least.expm1()) if least > 1e-6 else 1.0
        rel = _rounded(up(1.01 * self.rel * min(arrives, 1.0)) if self.rel < 1e-6 else inf, FUNCTION)
        lo = (self.lo.max(arb(-1e6))).expm1() if self.lo > -1e6 else -ONE
        return Number(lo, self.hi.expm1(), rel, sign=self.sign)

    def log(self) -> Number:
        """The argument is measured in units whose logarithm is at most SLACK, which rounds with it."""
        rel = self.relative()
        low = up(rel / (1 - rel)) if rel < 0.5 else inf
        lo = self.lo.log() if self.lo > 0 else arb("-inf")
        return Number(lo, self.hi.log(), FUNCTION, low=up(low + FUNCTION * SLACK), slack=SLACK)

    # --- comparisons ---

    def _below(self, other) -> bool | Choice:
        """Whether self < other, in float64 as in real numbers."""
        other = _number(other, self)
        if other.sign == 0 or self.sign == 0:
            one = self if other.sign == 0 else other
            if not one.relative() < 1:
                raise Refused("the sign of a number that rounding may turn")
            if one.sign is None:
                return Choice()
            return one.sign < 0 if one is self else one.sign > 0
        (least, most), (others_least, others_most) = self.floats, other.floats
        if most < others_least:
            return True
        if least > others_most:
            return False
        return Choice((self, other))

    def __lt__(self, other):
        return _decided(self._below(other))

    def __gt__(self, other):
        return _decided(_number(other, self)._below(self))

    def __ge__(self, other):
        below = self._below(other)
        if isinstance(below, bool) and self.sign == 0 and _number(other, self).sign == 0:
            return np.bool_(True)
        return np.bool_(not below)

    def __le__(self, other):
        return _number(other, self) >= self

    def __eq__(self, other):
        if _number(other, self).sign != 0:
            raise TypeError("numbers are compared with zero alone")
        return not self

    __hash__ = None

    def __bool__(self) -> bool:
        """Whether it is not zero; its relative error keeps a zero a zero."""
        if not self.relative() < 1:
            raise Refused("whether a number is zero that rounding may move")
        return self.sign != 0 if self.sign is not None else bool(Choice())

    # --- out of and into fractions ---

    def as_fraction(self) -> Number:
        if self.rel or self.low:
            raise TypeError("only an input, which has no error, becomes a Fraction")
        return Number(self.lo, self.hi, sign=self.sign, size=self.size, exact=True)

    def as_float(self) -> Number:
        """The nearest float64 of a Fraction."""
        low = 0.0 if self.sign == 0 or self.magnitude[0] > SMALL else UNDERFLOW
        return Number(self.lo, self.hi, UNIT, low=low, sign=self.sign)


def _number(value, like: Number) -> Number:
    if isinstance(value, Number):
        if value.exact != like.exact:
            raise TypeError("a Fraction and a float met: what Python does then is not written here")
        return value
    return Number(value, exact=like.exact)


def _decided(below: bool | Choice) -> np.bool_ | Choice:
    """A comparison as NumPy has it, of which `~` is the negation."""
    return np.bool_(below) if isinstance(below, bool) else below


def _numbers_only(lo: arb, hi: arb) -> tuple[arb, arb]:
    """Bounds of which one that is not a number, as ∞ − ∞, bounds nothing."""
    return (-INFINITY if lo.is_nan() else lo), (INFINITY if hi.is_nan() else hi)


def _of_product(factor) -> float:
    """The rounding of a product with, or a quotient by, this factor: none for a power of two."""
    return 0.0 if not isinstance(factor, Number) and frexp(abs(factor))[0] == 0.5 else UNIT


def _rounded(rel: float, rounding: float) -> float:
    return up(rel + rounding + rel * rounding) if rounding else rel


def _product(a: float, b: float, rounding: float) -> float:
    both = a + b + a * b
    return up(both + rounding + both * rounding) if both == both else inf


def _zero_times(zero: float, other: float) -> float:
    return zero * other if zero else 0.0


def _product_ends(self: Number, other: Number, a, b) -> tuple[arb, arb]:
    if self.sign is not None and other.sign is not None:
        least, most = a[0] * b[0], a[1] * b[1]
        if least.is_nan():
            least = ZERO
        return (least, most) if self.sign * other.sign >= 0 else (-most, -least)
    ends = [x * y for x in (self.lo, self.hi) for y in (other.lo, other.hi)]
    lo, hi = ends[0], ends[0]
    for end in ends[1:]:
        lo, hi = lo.min(end), hi.max(end)
    return lo, hi


def _exp(z: arb) -> arb:
    """exp of an end; nothing below e**−1e6 is told apart from 0."""
    return z.exp() if z > -1e6 else ZERO.union((arb(-1e6)).exp())


# --- what stands in a program's namespace instead of math, NumPy and fractions -----------------


def hypot(a: Number, b: Number) -> Number:
    """An absolute error of an argument is one of the result, at most."""
    lo, hi = ((x * x + y * y).sqrt() for x, y in zip(a.magnitude, b.magnitude, strict=True))
    sign = 1 if a.sign or b.sign else None
    return Number(lo, hi, _rounded(max(a.rel, b.rel), POWER), low=up(2 * (a.low + b.low)), sign=sign)


def copysign(size: Number, sign: Number) -> Number:
    return abs(size) if sign >= 0 else -abs(size)


def either(choice, yes, no):
    """np.where of one condition."""
    return yes if choice else no


class Arrays:
    """The few names of NumPy that the program uses, for one number at a time."""

    where = staticmethod(either)
    copysign = staticmethod(copysign)
    any = staticmethod(bool)
    errstate = staticmethod(lambda **_: nullcontext())
    exp = staticmethod(lambda x: _as_number(x).exp())
    expm1 = staticmethod(lambda x: _as_number(x).expm1())
    sqrt = staticmethod(lambda x: _as_number(x).sqrt())
    asarray = staticmethod(lambda x: x)
    ndim = staticmethod(lambda x: 0)
    maximum = staticmethod(lambda a, b: a if a >= b else b)


def _as_number(x) -> Number:
    return x if isinstance(x, Number) else Number(x)


REPLACED = {
    "np": Arrays,
    "log": lambda x: _as_number(x).log(),
    "sqrt": lambda x: _as_number(x).sqrt(),
    "hypot": hypot,
    "copysign": copysign,
    "Fraction": lambda x: x.as_fraction() if isinstance(x, Number) else Number(x, exact=True),
    "float": Number.as_float,
}
"""By name: what a program's module gets in place of its own."""

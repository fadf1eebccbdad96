"""The theories as JavaScript programs, printed from the registered equations.

The explorer's page loads them. Nothing here is a formula. Of the exact solution (E5) to (E10), (11) and (9)
are printed and, between them, which of two exact forms is used where; of the theory with an angle and growing
rates (E40) and (E44), which odex integrates.

    python -m urep.site.explorer > solution.js
"""

from __future__ import annotations

import sympy as sp
from sympy.core.function import AppliedUndef
from sympy.printing.jscode import JavascriptCodePrinter

from ..equations import A, a_plus, book, c, cos_phi, eta, paper, scale, t, y_0

INPUTS = ("dx2", "dy2_target", "tau_h", "tau_y", "dh2_0", "dy2_0", "cosine")
"""Numbers that describe a start: the task, the rates, the sizes of dh and dy, the cosine of dy with dy*."""

TINY_RATE = 1e-150
"""Stands for a rate of zero, by which nothing can be divided."""

_SOURCE = """\
// Printed by urep.site.explorer from the equations in urep/equations/registry.py. Do not edit.
// A plain script and not a module, which a browser would not load from a file.
const urepSolution = (() => {{
const phi1 = (z) => (z === 0 ? 1 : Math.expm1(z) / z);

/** What a start of eq. (7) needs to be evaluated at any time: (E5), (E6), (E6'), (E10), (11). */
function prepare({{ {inputs} }}) {{
{start}
  const [cos_phi, sin_phi] = c < 0 ? [{far}, {near}] : [{near}, {far}];
  const direct = {direct};
  const conjugate = {conjugate};
  // Of two exact forms the one in which less cancels.
  const a_plus = x_0 >= 0 || {kept_direct} >= {kept_conjugate} ? direct : conjugate;
{rest}
  return {{ {inputs}, {kept} }};
}}

/** ‖dh‖², ‖dy‖², w, the loss, p and x at time t, from what `prepare` gives: (E7), (E8), (E9). */
function at(start, t, mean_error2 = 0, tau_mean = 1) {{
  const {{ {inputs}, {kept} }} = start;
  let N_scaled, gap, p, x, y;
  if (c < 0) {{
    const scale = Math.max({scales_negative});
{negative}
  }} else {{
    const scale = Math.max({scales_positive});
{positive}
  }}
{out}
  return {{ dh2, dy2, w, loss, p, x }};
}}

/** The loss (9) at time t, of one row of a trajectory. */
const loss = ({{ dy2, w }}, t, {{ dy2_target, mean_error2, tau_mean }}) => {loss};

return {{ prepare, at, loss }};
}})();
"""

_GROWTH = """\
// Two lengths and an angle, (E40), with the rates (E44) of wide random matrices; a = b = 1 is constant rates.
const urepGrowth = (() => {{
const sum = (first, last, term) => {{
  let total = 0;
  for (let k = first; k <= last; k++) total += term(k);
  return total;
}};

/** u', r' and the angle's; eta_h and eta_y are the learning rate before and behind the representation. */
function velocity([u, r, angle], {{ u_0, r_0, encoder, decoder, dx2, dy_target, eta_h, eta_y }}) {{
  const error = u * r * Math.cos(angle) - dy_target;
{rates}
  return [{field}];
}}

/**
 * The curves at increasing times from times[0]: rows of u, r, angle, dh2, dy2 and w. Once all but 1e-9 of the
 * target is reached nothing moves any more, and the last row stands for the rest.
 */
function curves(start, times) {{
  const solver = new urepOdex.Solver(3);
  Object.assign(solver, {{ absoluteTolerance: 1e-10, relativeTolerance: 1e-10 }});
  Object.assign(solver, {{ denseOutput: true, maxSteps: 100000 }});
  const rows = [];
  const keep = ([log_u, log_r, angle]) => {{
    const u = Math.exp(log_u), r = Math.exp(log_r), dy = u * r * Math.cos(angle);
    rows.push({{ u, r, angle, dh2: u ** 2, dy2: dy ** 2, w: dy * (dy - start.dy_target) }});
  }};
  // The solver refuses a trial step that goes too far by its error, which must be a number.
  const size = (logarithm) => Math.exp(Math.min(Math.max(logarithm, -40), 20));
  const field = (_, [log_u, log_r, angle]) => {{
    const u = size(log_u), r = size(log_r), [du, dr, turn] = velocity([u, r, angle], start);
    return [du / u, dr / r, turn];
  }};
  const settled = (x) => Math.abs(Math.exp(x[0] + x[1]) * Math.cos(x[2]) / start.dy_target - 1) < 1e-9;
  const begin = [Math.log(start.u_0), Math.log(start.r_0), start.angle_0];
  keep(begin);
  const until = times[times.length - 1];
  const last = solver.solve(field, times[0], begin, until, (_, before, now, x, between) => {{
    while (rows.length < times.length && times[rows.length] <= now && now > before) {{
      keep([0, 1, 2].map((i) => between(i, times[rows.length])));
    }}
    return !settled(x);
  }});
  while (rows.length < times.length) keep(last.y);
  return rows;
}}

return {{ curves, velocity }};
}})();
"""


def source() -> str:
    """The source of `urepSolution`: its `prepare(inputs)`, its `at(start, t, mean_error2, tau_mean)`."""
    E = {label: _right_sides(book[label]) for label in _USED}
    modes, letters = E["E6"], ("p_0", "x_0", "y_0", "c", "s")
    near = modes["cos_phi"].subs(c, sp.Abs(c))
    far = modes["sin_phi"].subs(cos_phi, near)
    other = E["E6'"]["a_plus"]
    high, low = paper[11].rhs
    # The logarithms of the terms of N that can lead; for c < 0 all is divided by exp(-c t) as well.
    terms = sp.S.Zero, 2 * A * t + sp.log(a_plus**2 / (2 * A))
    sideways = -c * t + sp.log(y_0**2 / -c)
    rest = {"a_minus": modes["a_minus"], "A_high": high, "A_low": low, "dh2_inf": E["E10"]["dh2_inf"]}
    kept = (*letters, "A", "cos_phi", "sin_phi", "a_plus", *rest)
    return _SOURCE.format(
        inputs=", ".join(INPUTS),
        kept=", ".join(kept),
        start=_consts({name: E["E5"][name] for name in letters} | {"A": sp.Max(modes["A"], TINY_RATE)}),
        near=_js(near), far=_js(far),
        direct=_js(modes["a_plus"]), conjugate=_js(other),
        kept_direct=_js(_kept(modes["a_plus"])), kept_conjugate=_js(_kept(sp.expand(sp.numer(other)))),
        rest=_consts(rest),
        scales_positive=", ".join(map(_js, terms)),
        scales_negative=", ".join(_js(_over_sideways(term + c * t)) for term in (*terms, sideways)),
        positive=_sets(E["E7+"] | E["E8"]),
        negative=_sets({name: _over_sideways(side.subs(scale, scale - c * t))
                        for name, side in (E["E7-"] | E["E8"]).items()}),
        out=_consts(E["E9"]),
        loss=_js(paper[9].rhs),
    ) + _growth()  # fmt: skip


def _growth() -> str:
    """The source of `urepGrowth`: its `curves(start, times)`, its `velocity`."""
    rates = {
        name: right.subs(eta, sp.Symbol(f"eta_{name.split('_')[1]}"))  # before and behind the representation
        for name, right in _right_sides(book["E44"]).items()
    }
    field = [_js(right) for _, right in book["E40"].sides]
    return _GROWTH.format(rates=_consts(rates), field=", ".join(field))


_USED = ("E5", "E6", "E6'", "E7+", "E7-", "E8", "E9", "E10")


def _right_sides(equation) -> dict[str, sp.Expr]:
    """The right-hand side of each line, by the name of the letter on the left."""
    return {_plain(left).name: right for left, right in equation.sides}


def _plain(expr: sp.Expr) -> sp.Expr:
    """The expression with letters where functions of time stood."""
    return expr.xreplace({f: sp.Symbol(f.func.__name__) for f in expr.atoms(AppliedUndef)
                          if f.func.__name__ != "phi1"})  # fmt: skip


class _Printer(JavascriptCodePrinter):
    def _print_Sum(self, total: sp.Sum) -> str:
        ((index, first, last),) = total.limits
        return f"sum({self._print(first)}, {self._print(last)}, ({index}) => {self._print(total.function)})"


def _js(expr: sp.Expr) -> str:
    return _Printer({"user_functions": {"phi1": "phi1"}}).doprint(_plain(expr))


def _kept(total: sp.Expr) -> sp.Expr:
    """The part of a sum's terms that is left when they are added: 1 where nothing cancels."""
    return sp.Abs(total) / sp.Add(*map(sp.Abs, total.args))


def _consts(values: dict[str, sp.Expr]) -> str:
    return "\n".join(f"  const {name} = {_js(value)};" for name, value in values.items())


def _over_sideways(expr: sp.Expr) -> sp.Expr:
    """The same with A + c/2 in its exponents as 2 A cos²φ, which for c < 0 is no difference (E6)."""

    def exponent(power: sp.Expr) -> sp.Expr:
        return sp.expand(power.subs(A, 2 * A * cos_phi**2 - c / 2))

    if not expr.has(sp.exp):
        logarithms = expr.atoms(sp.log)
        return exponent(expr - sp.Add(*logarithms)) + sp.Add(*logarithms)
    return expr.replace(sp.exp, lambda power: sp.exp(exponent(power)))


def _sets(values: dict[str, sp.Expr]) -> str:
    return "\n".join(f"    {name} = {_js(value)};" for name, value in values.items())


if __name__ == "__main__":
    print(source())

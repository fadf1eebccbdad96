"""verify: what holds shows a verdict and leaves a record, what does not raises and names the equation."""

import json
import warnings

import numpy as np
import pytest
import sympy as sp
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

from urep import equations as eq
from urep.checks import MIME, ClaimFailed, check, verify
from urep.equations import A_high, algebra, dh2, expand_traces, paper, tau_y

x = sp.Symbol("x", positive=True)
WHY = "a reason"


RATE = dh2.diff(eq.t)


def test_a_symbolic_claim_that_holds_keeps_both_sides_and_its_assumptions():
    verdict = check("eq 38", "factored", derived={RATE: -dh2 * (dh2 - A_high) / tau_y}, registered=paper[38])
    assert verdict.kind == "symbolic"
    assert verdict.registered == paper[38].lines == (f"{RATE} = {paper[38].rhs}",)
    assert verdict.derived == (f"{RATE} = {-dh2 * (dh2 - A_high) / tau_y}",)
    assert verdict.assuming == ("A_high real", "dh2, tau_y > 0", "t ≥ 0")


@pytest.mark.parametrize(
    "wrong",
    [
        {RATE: -dh2 * (dh2 + A_high) / tau_y},  # a sign
        {RATE: -dh2 * (dh2 - 2 * A_high) / tau_y},  # a factor
        {RATE: -dh2 * (dh2 - A_high) / tau_y**2},  # an exponent
        {RATE: -(dh2**2) / tau_y},  # a dropped term
        {2 * RATE: -dh2 * (dh2 - A_high) / tau_y},  # a factor on the left
        {eq.dy2.diff(eq.t): -dh2 * (dh2 - A_high) / tau_y},  # another letter on the left
        sp.Le(RATE, paper[38].rhs),  # another relation
    ],
    ids=str,
)
def test_a_symbolic_claim_that_does_not_hold_names_the_equation_and_both_sides(wrong):
    with pytest.raises(ClaimFailed, match=r"Equation \(38\): Bernoulli .*not proved") as caught:
        check("eq 38", "Bernoulli", derived=wrong, registered=paper[38])
    assert "registered" in str(caught.value)
    assert (
        "left-hand side" in str(caught.value)
        or "right-hand" in str(caught.value)
        or "relation" in str(caught)
    )


def test_a_system_fails_on_the_line_that_is_wrong():
    (left_1, first), (left_2, second) = paper[37].sides
    with pytest.raises(ClaimFailed, match=r"Equation \(37\), line 2"):
        check("eq 37", "two lines", derived={left_1: first, left_2: -second}, registered=paper[37])
    with pytest.raises(ClaimFailed, match=r"Equation \(37\), line 1: .*\n.*\n.*\n  left-hand side"):
        check("eq 37", "labels", derived=[(left_2, first), (left_1, second)], registered=paper[37])
    with pytest.raises(ValueError, match="equal length, got 1 and 2"):
        check("eq 37", "two lines", derived={left_1: first}, registered=paper[37])
    check("eq 37", "one line of it", derived={left_2: second}, registered=paper[37].line(2))
    with pytest.raises(ValueError, match=r"line of \(37\) must be 1 to 2, got 3"):
        paper[37].line(3)


def test_a_relation_that_sympy_decides_is_given_as_two_sides():
    zero = eq.paper[27].line(1)
    check("eq 27", "a fixed point", derived=[(dh2, sp.S.Zero)], registered=zero)
    with pytest.raises(TypeError, match=r"got False.* give a relation .* as \{left: right\}"):
        check("eq 27", "a fixed point", derived=sp.Eq(dh2, 0), registered=zero)


@pytest.mark.parametrize("registered", [paper[11].rhs, paper[11].rhs[1], {x: paper[10].rhs}], ids=str)
def test_a_registered_right_hand_side_is_refused_without_its_left(registered):
    with pytest.raises(TypeError, match=r"right-hand side of \(1[01]\) without its left: give the equation"):
        check("eq 11", "half of it", derived=registered, registered=registered)


@pytest.mark.parametrize(
    "registered",
    [sp.factor(paper[38].rhs), {eq.dy2.diff(eq.t): sp.factor(paper[38].rhs)}],
    ids=["alone", "another left"],
)
def test_a_rewritten_right_hand_side_is_refused_without_its_left(registered):
    with pytest.raises(TypeError, match=r"right-hand side of \(38\) without its left: give the equation"):
        check("eq 38", "half of it", derived=registered, registered=registered)


@pytest.mark.parametrize("nothing", [(), [], {}])
def test_no_lines_are_no_evidence(nothing):
    with pytest.raises(ValueError, match="derived must have at least one line, got none"):
        check("eq 38", "nothing", derived=nothing, registered=nothing)
    with pytest.raises(ValueError, match="derived must have at least one line, got none"):
        check("eq 38", "nothing", control=(nothing, nothing))


@pytest.mark.parametrize("numbers", [0, sp.S.One, (1, 0), [(2, 2)], sp.Identity(3)], ids=str)
def test_numbers_alone_compare_nothing(numbers):
    with pytest.raises(ValueError, match=r"derived and registered must have a letter.*numbers alone"):
        check("book nothing", "nothing", derived=numbers, registered=numbers)


@pytest.mark.parametrize("side", [sp.nan, sp.zoo, sp.oo, -sp.oo, x + sp.oo, {RATE: sp.nan}], ids=str)
def test_what_is_not_finite_equals_nothing(side):
    with pytest.raises(ValueError, match=r"derived must have finite sides, got .*(nan|zoo|oo)"):
        check("eq 38", "no number", derived=side, registered=side)
    with pytest.raises(ValueError, match="wrong must have finite sides"):
        check("eq 38", "no number", control=({RATE: x} if isinstance(side, dict) else x, side))


@pytest.mark.parametrize("side", [0.5 * x, {RATE: sp.Float("0.1") * x}], ids=str)
def test_floating_point_numbers_are_refused_by_algebra(side):
    with pytest.raises(TypeError, match=r"derived has the floating-point number 0\.\d+.*give sp.Rational"):
        check("eq 38", "rounded", derived=side, registered=side)
    with pytest.raises(TypeError, match=r"a has the floating-point number 0\.3"):
        algebra.compare(sp.Float("0.1") * 3 * x, sp.Rational(3, 10) * x)


def test_the_paper_has_fifty_equations():
    assert check("eq 50", "the last", derived=x, registered=x).item == "eq 50"
    for number in (51, 999):
        with pytest.raises(ValueError, match=f"item 'eq {number}' .* equations are 1 to 50"):
            check(f"eq {number}", "one more", derived=x, registered=x)


@pytest.mark.parametrize(
    ("item", "registered"),
    [
        ("eq 38", paper[11]),
        ("eq 38", [paper[11].line(2)]),
        ("eq 38", dict(paper[11].sides)),
        ("book E2", eq.book["E8"]),
    ],
)
def test_a_claim_about_an_equation_is_held_against_that_equation(item, registered):
    with pytest.raises(ValueError, match=r"registered is \((11|E8)\).*, not \(.*through="):
        check(item, "another one", derived=registered, registered=registered)


def test_a_claim_may_name_the_equations_that_it_goes_through():
    derived = dict(paper[37].sides)
    assert check("eq 43", "its limit", derived=derived, registered=paper[37], through=37).item == "eq 43"
    both = (paper[30], paper[31])
    assert check("eq 31", "eigenvalues", derived=both, registered=both).registered == (
        *paper[30].lines, *paper[31].lines)  # fmt: skip
    assert check("book limit", "a name", derived=derived, registered=paper[37]).item == "book limit"
    with pytest.raises(ValueError, match=r"through names \(38\), which is not registered"):
        check("eq 43", "its limit", derived=derived, registered=paper[37], through=(37, 38))
    line = [(eq.A_low, paper[11].rhs[1])]  # of (11), and of (28)
    assert check("eq 26", "a line", derived=line, registered=line, through=11).item == "eq 26"
    with pytest.raises(ValueError, match="through belongs to a symbolic claim"):
        check("eq 43", "its limit", numerical=0.1, below=1.0, because=WHY, through=37)


def test_an_equation_is_not_compared_with_a_bare_expression():
    with pytest.raises(TypeError, match="must both have two sides, or neither"):
        check("eq 38", "half of it", derived=paper[38].rhs, registered=paper[38])


@pytest.mark.parametrize(
    "zero",
    [
        (x + 1) ** 3 - x**3 - 3 * x**2 - 3 * x - 1,
        sp.sqrt(x**2 + 2 * x + 1) - x - 1,
        sp.sin(x) ** 2 + sp.cos(x) ** 2 - 1,
        sp.exp(2 * x) - sp.exp(x) ** 2,
        sp.sqrt(3 + 2 * sp.sqrt(2)) - 1 - sp.sqrt(2),
    ],
)
def test_zero_is_recognised(zero):
    assert algebra.residue(zero) == 0


M, V = sp.MatrixSymbol("M", eq.n_h, eq.n_h), sp.MatrixSymbol("V", eq.n_h, 1)
r, z = sp.Symbol("r", real=True), sp.Symbol("z")
f = sp.Function("f")
count = sp.Symbol("n", integer=True, positive=True)
index = sp.Symbol("i", integer=True)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (sp.sinh(x), sp.exp(x) / 2),
        (RATE, x),
        (sp.sqrt(r**2), r),  # the same for r > 0 only
        (sp.sqrt(z**2), z),  # a branch
        (sp.log(-x), -sp.log(x)),  # complex values
        (eq.phi1(x), 1 + x / 2),
        (M * M.T, M.T * M),
        (sp.Trace(M * M), sp.Trace(M * M.T)),
        (M, V),
        (x / 10**30, sp.S.Zero),
        (x / 10**60, 2 * x / 10**60),
        (sp.exp(-200 * x), sp.S.Zero),
        (f(x), f(2 * x)),
        (f(x), sp.Function("g")(x)),
        (f(x).diff(x), f(x)),
        (f(x, z).diff(x), f(x, z).diff(z)),
        (f(x).diff(x), f(x).diff(x, 2)),
        ((1 + x) ** 200 * sp.Rational(1, 10**30), sp.S.Zero),
    ],
    ids=str,
)
def test_a_number_tells_two_expressions_apart(one, other):
    assert algebra.told_apart(one, other)
    assert algebra.compare(one, other).outcome == "different"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (x * RATE + RATE, (x + 1) * RATE),
        ((eq.dy2 / dh2).diff(eq.t), eq.dy2.diff(eq.t) / dh2 - eq.dy2 * RATE / dh2**2),
        (sp.Derivative(eq.dy2 / dh2, eq.t), (eq.dy2 / dh2).diff(eq.t)),
        (sp.sqrt(x**2), x),
        (eq.phi1(x), sp.exp(x) * eq.phi1(-x)),
        (eq.dot(V, M * V), eq.dot(M.T * V, V)),
        ((M + V * V.T) * M, M**2 + V * V.T * M),
    ],
    ids=str,
)
def test_equal_expressions_are_not_told_apart_and_proved_equal(one, other):
    assert not algebra.told_apart(one, other)
    assert algebra.compare(one, other).outcome == "equal"


ZERO_TO_ALL_DIGITS = sp.sin(x) ** 2 + sp.cos(x) ** 2 - 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (f((z + 1) ** 2), f(z**2 + 2 * z + 1)),
        (f(sp.sin(z) ** 2 + sp.cos(z) ** 2), f(sp.S.One)),
        (f((z + 1) ** 2, x).diff(x), f(z**2 + 2 * z + 1, x).diff(x)),
        (f(f((z + 1) ** 2)), f(f(z**2 + 2 * z + 1))),
        (sp.cosh(100 * x) ** 2 - sp.sinh(100 * x) ** 2, sp.S.One),
        (sp.cosh(1000 * x) ** 2 - sp.sinh(1000 * x) ** 2, sp.S.One),
        (sp.exp(1000 * x) * ZERO_TO_ALL_DIGITS, sp.S.Zero),
        (sp.exp(sp.exp(sp.exp(x))) * ZERO_TO_ALL_DIGITS, sp.S.Zero),
        (sp.Abs(f(r)) ** 2, f(r) * sp.conjugate(f(r))),
    ],
    ids=str,
)
def test_equal_expressions_are_not_told_apart_by_lost_digits(one, other):
    assert not algebra.told_apart(one, other)
    assert algebra.compare(one, other).outcome != "different"
    with pytest.raises(ClaimFailed, match="the control does not fail"):
        check("eq 1", "a control", control=(one, other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (sp.Sum(index, (index, 1, count)), count * (count + 1) / 2),
        (sp.Sum(x, (index, 1, 3)), 3 * x),
        (index + sp.Sum(index, (index, 1, count)), count * (count + 1) / 2 + index),
        (sp.Product(index, (index, 1, count)), sp.factorial(count)),
        (sp.Lambda(x, x + z), sp.Lambda(x, x + z)),
    ],
    ids=str,
)
def test_bound_letters_are_left_alone(one, other):
    assert algebra.compare(one, other).outcome == "equal"


def test_what_sympy_cannot_evaluate_is_undecided():
    square = sp.MatrixSymbol("S", count, count)
    ends = -sp.Determinant(square) * sp.Identity(count)
    assert algebra.compare(square**2 - sp.Trace(square) * square, ends).outcome in ("undecided", "different")
    wrong = sp.Sum(index, (index, 1, count)), count * (count + 2) / 2
    assert algebra.compare(*wrong).outcome in ("undecided", "different")
    assert algebra.compare(sp.Sum(f(index), (index, 1, count)), f(count)).outcome != "equal"


def test_what_has_no_value_is_undecided():
    one, other = sp.Limit(sp.Function("f")(x), x, 0), z
    assert algebra.compare(one, other).outcome == "undecided"
    with pytest.raises(ClaimFailed, match="neither proved equal nor told apart"):
        check("eq 1", "no value", derived=one, registered=other)


def test_points_at_which_a_value_is_not_finite_say_nothing():
    assert not algebra.told_apart(sp.zoo, x)
    assert not algebra.told_apart(sp.nan, x)


def test_nearly_zero_is_not_zero():
    assert algebra.residue(sp.Rational(1, 10**30) * x) != 0


def test_errors_must_stay_below_their_bound():
    verdict = check("eq 39", "close", numerical=1e-9, below=1e-8, because=WHY)
    assert (verdict.kind, verdict.measured, verdict.bound) == ("numerical", 1e-9, 1e-8)
    for value in (1e-7, 1e-8, float("nan"), float("inf")):
        with pytest.raises(ClaimFailed, match=r"Equation \(39\): close .*is not below .*a reason"):
            check("eq 39", "close", numerical=value, below=1e-8, because=WHY)


@pytest.mark.parametrize("error", [-5.0, -1e-300, float("-inf")])
def test_an_error_is_not_negative(error):
    with pytest.raises(ValueError, match="numerical must be an error >= 0, got -"):
        check("eq 9", "signed", numerical=error, below=1.0, because=WHY)


def test_a_truth_value_is_no_error():
    for truth in (False, np.False_):
        with pytest.raises(TypeError, match="numerical must be a number, got"):
            check("eq 9", "true", numerical=truth, below=1.0, because=WHY)


@pytest.mark.parametrize(
    "control",
    [({x: 1}, {z: 1}), (sp.Le(x, z), sp.Ge(x, z)), ({x: 1}, {2 * x: 2}), ({x: 1}, {z: 2})],
    ids=str,
)
def test_a_control_does_not_differ_by_its_labels(control):
    with pytest.raises(ValueError, match=r"a control must differ on the right .* line 1"):
        check("eq 1", "labels", control=control)


def test_a_control_of_equations_differs_on_the_right():
    assert check("eq 1", "twice", control=({x: z}, {x: 2 * z})).kind == "control"
    with pytest.raises(ValueError, match=r"control must be \(derived, wrong\), got \(x, z, x\)"):
        check("eq 1", "three", control=(x, z, x))


def test_a_symbolic_control_must_differ():
    assert check("table 1", "another", control=(x, -x)).kind == "control"
    with pytest.raises(ClaimFailed, match=r"Table 1: the same .*control does not fail"):
        check("table 1", "the same", control=((x + 1) ** 2, x**2 + 2 * x + 1))
    assert check("eq 17", "matrices", control=(eq.D_h * eq.D_h.T, eq.D_h * eq.D_h.T * 2)).kind == "control"


@pytest.mark.parametrize(
    ("arguments", "kind", "message"),
    [
        ({"item": "38", "derived": x, "registered": x}, ValueError, "item must be like 'eq 38'.*got '38'"),
        ({"item": "eq 038", "derived": x, "registered": x}, ValueError, "item must be like"),
        ({"claim": " ", "derived": x, "registered": x}, ValueError, "claim must be a sentence"),
        ({}, ValueError, "exactly one kind of evidence, got none"),
        ({"derived": x}, ValueError, "registered must be given"),
        ({"derived": x, "registered": x, "numerical": 1.0}, ValueError, "exactly one kind"),
        ({"derived": 0.5, "registered": x}, TypeError, "compares SymPy expressions, .*got 0.5"),
        ({"numerical": 0.1, "below": 1.0}, ValueError, "needs `because`"),
        ({"numerical": 0.1, "because": WHY}, ValueError, "needs `below`"),
        ({"control": 0.1, "because": WHY}, ValueError, "control must be .derived, wrong., got 0.1"),
        ({"numerical": 0.1, "below": float("inf"), "because": WHY}, ValueError, "below must be finite"),
        ({"numerical": 0.1, "below": 0.0, "because": WHY}, ValueError, "below must be finite and > 0"),
    ],
)
def test_incomplete_evidence_is_refused(arguments, kind, message):
    with pytest.raises(kind, match=message):
        check(arguments.pop("item", "eq 1"), arguments.pop("claim", "a claim"), **arguments)


def test_in_a_notebook_the_verdict_is_shown_and_its_record_left_in_the_output():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # IPython's own, about a terminal that is none
        InteractiveShell.instance()
    try:
        with capture_output() as captured:
            verify("eq 38", "‖dh‖² & <A_high>", numerical=0.0123456, below=0.1, because=WHY)
        (output,) = captured.outputs
        record = json.loads(json.dumps(output.metadata[MIME]))
        assert record["item"] == "eq 38"
        assert (record["measured"], record["bound"]) == (None, 0.1)
        assert f'id="{record["anchor"]}"' in output.data["text/html"]
        assert "&amp; &lt;A<sub>high</sub>&gt;" in output.data["text/html"]
        assert "allowed < 0.1: a reason" in output.data["text/plain"]
    finally:
        InteractiveShell.clear_instance()


def test_digits_of_rounding_noise_are_marked_and_not_recorded():
    one, two = (check("eq 9", "noise", numerical=n, below=1.0, because=WHY) for n in (1.23e-9, 4.56e-9))
    assert one.record() == two.record()
    assert repr(one) == repr(two)
    assert '<span class="urep-noise">1.2e-09</span>' in one._repr_html_()


def test_outside_a_notebook_verify_is_silent_and_still_raises(capsys):
    verify("eq 1", "holds", derived=x, registered=x)
    assert capsys.readouterr().out == ""
    with pytest.raises(ClaimFailed):
        verify("eq 1", "does not", derived=x, registered=-x)


# --- matrices of any size -------------------------------------------------------------------


def test_matrices_of_any_size_are_compared_by_algebra():
    A, B = sp.MatrixSymbol("A", eq.n_h, eq.n_x), sp.MatrixSymbol("B", eq.n_h, eq.n_x)
    check("eq 17", "a square", derived=(A + B) * (A + B).T, registered=A * A.T + A * B.T + B * A.T + B * B.T)
    with pytest.raises(ClaimFailed, match=r"Equation \(17\): nearly — not proved"):
        check("eq 17", "nearly", derived=(A + B) * (A + B).T, registered=A * A.T + 2 * A * B.T + B * B.T)


def test_traces_are_compared_up_to_rotation_and_transposition():
    a, b = eq.dh_vec, eq.D_y.T * eq.dy_vec
    one, other = eq.dot(a, b), eq.dot(eq.dy_vec, eq.D_y * eq.dh_vec)
    assert one != other
    check("eq 20", "a map moves to the other side", derived=one, registered=other)
    check("eq 20", "a loop within a product is a factor",
          derived=eq.dot(a, b * a.T * a), registered=one * eq.dot(a, a))  # fmt: skip
    with pytest.raises(ClaimFailed, match="not proved"):
        check("eq 20", "false", derived=one, registered=eq.dot(a, a))


def test_the_normal_form_of_traces_has_the_same_value():
    random = np.random.default_rng(0)
    values = {z: random.normal(size=n) for z, n in ((eq.dx_vec, (2, 1)), (eq.dy_target_vec, (2, 1)))}
    values |= {eq.D_h: random.normal(size=(3, 2)), eq.D_y: random.normal(size=(2, 3))}
    away = eq.D_y * eq.D_h * eq.dx_vec - eq.dy_target_vec
    expr = eq.dot(eq.D_h * eq.dx_vec, eq.D_y.T * away * eq.dx_vec.T * eq.dx_vec) + eq.dot(away, away)
    before, after = (eq.numeric(e, *values)(*values.values()) for e in (expr, expand_traces(expr)))
    assert before == pytest.approx(after, rel=1e-13)


# --- controls -------------------------------------------------------------------------------

EQUAL = [
    (sp.atan(x) + sp.atan(1 / x), sp.pi / 2),
    (sp.asin(sp.sqrt(x / (1 + x))), sp.atan(sp.sqrt(x))),
    (sp.acosh(1 + 2 * x**2), 2 * sp.asinh(x)),
]
"""Equal for x > 0, which SymPy cannot prove."""


@pytest.mark.parametrize("pair", EQUAL, ids=str)
def test_a_control_is_not_passed_by_equal_expressions_that_algebra_cannot_prove_equal(pair):
    with pytest.raises(ClaimFailed, match="neither proved equal nor told apart"):
        check("eq 1", "a control", control=pair)
    with pytest.raises(ClaimFailed, match="neither proved equal nor told apart"):
        check("eq 1", "a proof", derived=pair[0], registered=pair[1])


def test_own_equations_are_named_by_their_label():
    with pytest.raises(ClaimFailed, match=r"^Equation \(E6'\): a claim"):
        check("book E6'", "a claim", derived=x, registered=2 * x)
    assert check("book E7+", "a claim", derived=x, registered=x).label == "(E7+)"
    assert check("book loss", "a claim", derived=x, registered=x).label == "loss"

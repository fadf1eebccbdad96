"""The registry: what it holds, how it prints, how it becomes numbers."""

import mpmath
import numpy as np
import pytest
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from urep import equations as eq
from urep.equations import registry

ALL = [*eq.paper.values(), *eq.book.values()]


@pytest.mark.parametrize("equation", ALL, ids=lambda e: str(e.number))
def test_every_letter_of_an_equation_is_in_the_notation(equation):
    letters = {q.symbol for q in eq.NOTATION}
    for relation in equation.relations:
        for side in (relation.lhs, relation.rhs):
            assert registry._letters(side) <= letters


@pytest.mark.parametrize("equation", ALL, ids=lambda e: str(e.number))
def test_latex_is_printed_in_the_papers_letters_and_tagged(equation):
    text = equation.latex()
    assert rf"\tag{{{equation.number}}}" in text
    assert "operatorname" not in text.replace(r"\operatorname{erf}", "")
    assert "dh_{2}" not in text and "_target" not in text
    assert text.count("{") == text.count("}")
    assert r"\\" not in text  # Sphinx would wrap it in an environment that takes no tag


@pytest.mark.parametrize(
    ("expr", "text"),
    [
        (eq.dh2, r"\|dh\|^2"),
        (eq.dh2**2, r"\|dh\|^{4}"),
        (sp.sqrt(eq.dx2), r"\|dx\|"),
        (1 / eq.dh2, r"\frac{1}{\|dh\|^2}"),
        (eq.w**2, "w^{2}"),
    ],
)
def test_squared_norms_print_as_powers_of_the_norm(expr, text):
    printed = eq.latex(expr)
    assert printed.replace("^{1}", "") == text or printed == text


@pytest.mark.parametrize(
    ("expr", "text"),
    [
        (eq.dot(eq.dy_vec, eq.dy_vec), r"\left\|dy\right\|^2"),
        (eq.dot(eq.dy_vec, eq.dy_target_vec), r"dy^\top dy^*"),
        (eq.x_2 - eq.x_1, "x_2 - x_1"),
        (-eq.D_y.T * eq.dy_vec * eq.dx_vec.T / 2, r"- \frac{1}{2} D_y^\top dy dx^\top"),
        (eq.D_h * (eq.x_i - eq.x_mean), r"D_h \left(x_i - \bar x\right)"),
    ],
)
def test_vectors_and_matrices_print_as_a_hand_would_write_them(expr, text):
    assert eq.latex(expr) == text


def test_numbers_come_from_the_object_and_are_compiled_once():
    function = eq.numeric(eq.paper[10].rhs, eq.A_high, eq.A_low)
    assert function is eq.numeric(eq.paper[10].rhs, eq.A_high, eq.A_low)
    np.testing.assert_allclose(function(3.0, 2.0), 4.0, rtol=1e-15)  # 3/2 + sqrt(9/4 + 4)


def test_a_letter_without_a_value_is_an_error():
    with pytest.raises(ValueError, match="A_low"):
        eq.numeric(eq.paper[10].rhs, eq.A_high)


def test_numbers_come_from_matrices_too():
    random = np.random.default_rng(0)
    D_h, D_y, dx, d = (random.normal(size=shape) for shape in ((4, 3), (2, 4), (3, 1), (2, 1)))
    letters = eq.D_h, eq.D_y, eq.dx_vec, eq.dy_target_vec
    rates = eq.numeric(eq.paper[17].rhs[1:], *letters, eq.tau_h, eq.tau_y)(D_h, D_y, dx, d, 3.0, 5.0)
    away = D_y @ D_h @ dx - d
    np.testing.assert_allclose(rates[0], -D_y.T @ away @ dx.T / 6)
    np.testing.assert_allclose(rates[1], -away @ (D_h @ dx).T / 10)
    mean, target = random.normal(size=(2, 2, 1))
    loss = eq.numeric(eq.paper[16].rhs, *letters, eq.y_mean, eq.y_mean_target)
    errors = [mean - target + side * away / 2 for side in (-1, 1)]
    np.testing.assert_allclose(loss(D_h, D_y, dx, d, mean, target), sum((e**2).sum() for e in errors) / 4)


@given(st.floats(-700, 700))
def test_phi1_matches_fifty_digits(z):
    with mpmath.workdps(50):
        exact = mpmath.expm1(z) / z if z else mpmath.mpf(1)
    assert abs(float(registry._phi1_numpy(z) / exact) - 1) < 4e-16


def test_phi1_is_what_it_says():
    z = sp.Symbol("z", nonzero=True)
    assert sp.simplify(eq.phi1(z).rewrite(sp.exp) - (sp.exp(z) - 1) / z) == 0
    assert sp.simplify((eq.phi1(z).diff(z) - ((sp.exp(z) - 1) / z).diff(z)).rewrite(sp.exp)) == 0
    assert eq.phi1(0) == 1


def test_a_relation_that_is_true_by_accident_is_still_kept_as_two_sides():
    for equation in ALL:
        assert all(isinstance(relation, sp.Eq | sp.Le) for relation in equation.relations)


def test_every_letter_is_importable_by_its_name_and_written_once():
    assert len({q.symbol for q in eq.NOTATION}) == len(eq.NOTATION)
    for quantity in eq.NOTATION:
        assert getattr(eq, quantity.name) == quantity.symbol
        assert quantity.name in eq.__all__
    assert all(hasattr(eq, name) for name in eq.__all__)


def test_lines_of_an_equation_are_text_and_can_be_taken_one_by_one():
    assert eq.paper[10].lines == (f"dh2_inf = {eq.paper[10].rhs}",)
    assert eq.paper[45].lines[0].startswith("A_high <= ")
    assert eq.paper[11].line(2).sides == ((eq.A_low, eq.paper[11].rhs[1]),)

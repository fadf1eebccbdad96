"""The proofs that Coq's kernel checks: what is printed for it, and what it says, of wrong equations too."""

import itertools
import json
import random
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import mpmath
import mutations
import pytest
import sympy as sp
from sympy.core.function import AppliedUndef

PROOFS = Path(__file__).resolve().parent / "proofs"
sys.path.insert(0, str(PROOFS))

import check  # noqa: E402
import mutants  # noqa: E402

from urep import equations as eq  # noqa: E402
from urep.equations import A_high, A_low, book, c, dh2, dot, p_vec, paper, phi1, t, tau_y  # noqa: E402
from urep.site import kernel, statements  # noqa: E402

needs_coq = pytest.mark.skipif(check.coqc() is None, reason="Coq is not installed, which checks the proofs")

# --- what is printed ------------------------------------------------------------------------

FUNCTIONS = {
    "sqrt": mpmath.sqrt, "exp": mpmath.exp, "sinh": mpmath.sinh, "cosh": mpmath.cosh, "sin": mpmath.sin,
    "cos": mpmath.cos, "tan": mpmath.tan, "ln": mpmath.log, "Rabs": abs,
    "phi1": lambda z: mpmath.mpf(1) if z == 0 else mpmath.expm1(z) / z,
}  # fmt: skip


class Reader:
    """Reads a term as Coq does and gives its value: ^ before unary - and /, then * and /, then + and -.

    A vector or matrix is a SymPy matrix among the values, an index a whole number, a size one that SIZES has.
    """

    def __init__(self, text, values):
        self.tokens = re.findall(r"[A-Za-z_][\w']*|\d+|=>|[-+*/^()]", text)
        self.values = values

    def value(self):
        found = self.sum()
        assert not self.tokens, self.tokens
        return found

    def next(self, *those):
        return self.tokens.pop(0) if self.tokens and self.tokens[0] in those else None

    def sum(self):
        total = self.product()
        while sign := self.next("+", "-"):
            total = total + self.product() if sign == "+" else total - self.product()
        return total

    def product(self):
        total = self.unary()
        while sign := self.next("*", "/"):
            total = total * self.unary() if sign == "*" else total / self.unary()
        return total

    def unary(self):
        if self.next("-"):
            return -self.unary()
        if self.next("/"):
            return 1 / self.unary()
        return self.power()

    def power(self):
        base = self.call()
        return base ** self.power() if self.next("^") else base

    def call(self):
        token = self.tokens.pop(0)
        if token == "(":
            inside = self.sum()
            assert self.next(")")
            return inside
        if token.isdigit():
            return mpmath.mpf(token)
        if token in FUNCTIONS:
            return FUNCTIONS[token](self.call())
        if token == "t":
            return self.values[token]
        if token == "sum_below":
            return self.total()
        if token == "Derive" and self.tokens[1] == "fun":  # of an entry of a vector or matrix, by the time t
            inside = self.inside()
            assert inside[:3] == ["fun", "t", "=>"] and inside[4:6] == ["L", "t"] and self.next("t")
            return self.entry((inside[3], 1), inside[6:])
        if token in ("Derive", "Derive_n"):  # of a letter, once or as often as is said
            opened, letter, of, closed = (self.tokens.pop(0) for _ in range(4))
            assert (opened, of, closed) == ("(", "L", ")")
            times = int(self.tokens.pop(0)) if token == "Derive_n" else 1
            assert self.next("t")
            return self.values[letter, times]
        assert self.next("L"), token
        if isinstance(self.values[token], sp.MatrixBase):
            assert bool(self.next("t")) is (token in MOVING)
            shape = self.values[token].shape
            return self.entry(token, [self.tokens.pop(0) for size in shape if size != 1])
        if isinstance(self.values[token], tuple):  # a function of time, at the moment t
            assert self.next("t"), token
            return self.values[token][0]
        return self.values[token]

    def inside(self):
        """What stands in the parentheses that come next, which it takes away."""
        depth, taken = 0, []
        while True:
            taken.append(self.tokens.pop(0))
            depth += {"(": 1, ")": -1}.get(taken[-1], 0)
            if depth == 0:
                return taken[1:-1]

    def total(self):
        """The sum over an index of all numbers below a size."""
        (size, of), (word, index, arrow, *term) = self.inside(), self.inside()
        assert (of, word, arrow) == ("L", "fun", "=>") and index not in self.values
        terms = [Reader(" ".join(term), {**self.values, index: k}).value() for k in range(SIZES[size])]
        return mpmath.fsum(terms)

    def entry(self, letter, indices):
        """An entry of a vector or matrix, whose indices are those of its sizes that are not one."""
        given = [self.values[index] for index in indices]
        matrix = self.values[letter]
        found = matrix[tuple(0 if size == 1 else given.pop(0) for size in matrix.shape)]
        assert given == []
        return mpmath.mpf(found.p) / found.q


SIZES = {"n_h": 3, "n_x": 4, "n_y": 2}
"""The sizes of vectors and matrices here, of which no two are the same."""

MOVING = {"D_h", "D_y", "dh_vec", "p_vec", "rho_vec", "y_mean"}
"""The vectors and matrices that are functions of time: those that have a velocity."""

VELOCITY = {"D_h_rate": "D_h", "D_y_rate": "D_y", "dh_rate": "dh_vec", "p_rate": "p_vec",
            "rho_rate": "rho_vec", "y_mean_rate": "y_mean"}  # fmt: skip
"""Whose velocity each of these letters is."""


def values_of(side):
    """A number for each letter, function of time and derivative of an expression: by itself, by its name."""
    draw = random.Random(str(side))
    derivatives = side.atoms(sp.Derivative)
    functions = side.xreplace({z: sp.Dummy() for z in derivatives}).atoms(AppliedUndef)
    letters = side.xreplace({z: sp.Dummy() for z in functions | derivatives}).atoms(sp.Symbol)
    exact, numbers = {}, {}
    for letter in sorted(derivatives | functions | {z for z in letters if not z.is_Dummy}, key=str):
        exact[letter] = sp.Rational(draw.randint(20, 90), 37)
        number = mpmath.mpf(exact[letter].p) / exact[letter].q
        if isinstance(letter, sp.Derivative):
            numbers[letter.expr.func.__name__, letter.variable_count[0][1]] = number
        elif letter.is_Function:
            numbers[letter.func.__name__] = (number,)
        else:
            numbers[letter.name] = number
    return exact, numbers


def printed_sides(relation):
    sign = statements.RELATIONS[relation.rel_op]
    text = statements._proposition(relation, timed=True)
    left, _, right = text.partition(f" {sign} ")
    return left, right


def printable(equation):
    try:
        return bool(statements.equation(equation))
    except statements.Unprintable:
        return False


PRINTED = {str(e.number): e for e in (*paper.values(), *book.values()) if printable(e)}
"""The equations for which there are words in Coq."""


def test_most_scalar_equations_can_be_printed():
    assert set(mutants.MUTATED) <= set(PRINTED)
    assert len(PRINTED) >= 60


OF_MATRICES = [n for n, e in PRINTED.items() if any(line.has(sp.MatrixSymbol) for line in e.relations)]
"""Those among them that have vectors or matrices in them."""


@pytest.mark.parametrize("number", [n for n in PRINTED if n not in OF_MATRICES])
def test_a_printed_side_has_the_value_of_its_expression(number):
    for relation in PRINTED[number].relations:
        for side, text in zip((relation.lhs, relation.rhs), printed_sides(relation), strict=True):
            if any(not z.expr.is_Function for z in side.atoms(sp.Derivative)):
                assert number == "23"  # the derivative of a quotient, whose text is tested below
                continue
            with mpmath.workdps(40):
                exact, numbers = values_of(side)
                seen = Reader(text.split(" /\\\n  ")[-1], numbers).value()
                wanted = mpmath.mpmathify(side.xreplace(exact).evalf(40))
                assert abs(seen - wanted) <= 1e-30 * abs(wanted), (text, seen, wanted)


def matrices_of(side):
    """A side with numbers in place of all letters but sizes, and these numbers by name as printed."""
    exact, numbers = values_of(side)
    draw = random.Random(str(side))
    for letter in sorted(side.atoms(sp.MatrixSymbol), key=str):
        shape = [SIZES.get(str(size), size) for size in letter.shape]
        filled = sp.ImmutableMatrix(*shape, lambda i, j: sp.Rational(draw.randint(-90, 90), 37))
        exact[sp.MatrixSymbol(letter.name, *shape)] = filled
        still = VELOCITY.get(letter.name)
        numbers[(still, 1) if still else letter.name] = filled
    sizes = {size: SIZES[size.name] for size in statements.SIZES}
    return side.subs(sizes).xreplace(exact).doit(), numbers


def entries(relation):
    """The sizes that a printed equation of matrices is for all indices of, and both of its sides."""
    said = statements._proposition(relation, timed=True).split(" /\\\n  ")[-1]
    said = said[1:-1] if said.startswith("(forall") else said
    quantified = re.compile(r"forall ([ij]) : nat, \(\1 < (n_\w) L\)%nat -> ")
    left, sign, right = quantified.sub("", said).partition(" = ")
    assert sign and "forall" not in left + right
    return [(index, SIZES[size]) for index, size in quantified.findall(said)], (left, right)


@pytest.mark.parametrize("number", OF_MATRICES)
def test_each_entry_of_a_printed_side_has_the_value_of_its_expression(number):
    for relation in PRINTED[number].relations:
        bounds, texts = entries(relation)
        for side, text in zip((relation.lhs, relation.rhs), texts, strict=True):
            with mpmath.workdps(40):
                wanted, numbers = matrices_of(side)
                shape = getattr(wanted, "shape", ())
                assert [size for _, size in bounds] == [size for size in shape if size != 1]
                for place in itertools.product(*(range(size) for _, size in bounds)):
                    indices = dict(zip((index for index, _ in bounds), place, strict=True))
                    seen = Reader(text, {**numbers, **indices}).value()
                    truth = wanted[place if len(place) == 2 else (*place, 0)] if bounds else wanted
                    truth = mpmath.mpmathify(truth.evalf(40))
                    assert abs(seen - truth) <= 1e-30 * (1 + abs(truth)), (text, place, seen, truth)


def test_the_vectors_of_rotation_are_among_what_is_printed():
    assert {"8", "17", "20", "E50", "E51", "E54"} <= set(OF_MATRICES)


def test_a_vector_is_a_number_for_each_index_and_a_function_of_time_if_it_has_a_velocity():
    lines = statements.letters()
    for field in ("p_vec : R -> nat -> R", "p_vec_0 : nat -> R", "D_h : R -> nat -> nat -> R", "n_h : nat"):
        assert f"  {field};\n" in lines
    assert {letter.name for letter in statements.VELOCITIES.values()} == MOVING
    assert not any(f"  {letter.name} :" in lines for letter in statements.VELOCITIES)


SMALL = [
    (A_high - (A_low - c), "A_high L - A_low L + c L"),
    (A_high / 2 - A_low**2, "A_high L / 2 - A_low L ^ 2"),
    (sp.sqrt(A_low) ** 3, "sqrt (A_low L) ^ 3"),
    (1 / sp.sqrt(tau_y), "/ sqrt (tau_y L)"),
    (-(A_high + c) / tau_y, "(- A_high L - c L) / tau_y L"),
    (2 * c / (3 * tau_y), "2 * c L / (3 * tau_y L)"),
    (sp.exp(-c * t), "exp (- c L * t)"),
    (t * phi1(-c * t), "t * phi1 (- c L * t)"),
    (dh2**2, "dh2 L t ^ 2"),
    (sp.Abs(c), "Rabs (c L)"),
]


OF_VECTORS = [
    (eq.p_vec_0 - 3 * eq.rho_vec, "- 3 * rho_vec L t i + p_vec_0 L i"),
    (-c * p_vec / 2, "- c L / 2 * p_vec L t i"),
    (
        dot(p_vec, p_vec - eq.rho_vec),
        "sum_below (n_h L) (fun k1 => p_vec L t k1 * (- rho_vec L t k1 + p_vec L t k1))",
    ),
]


@pytest.mark.parametrize(("expr", "text"), OF_VECTORS, ids=[text for _, text in OF_VECTORS])
def test_a_small_expression_of_vectors_is_printed_as_a_person_would_write_it(expr, text):
    assert statements._Printer({t: "t"}).at(expr, "i", "")[0] == text


@pytest.mark.parametrize(("expr", "text"), SMALL, ids=[text for _, text in SMALL])
def test_a_small_expression_is_printed_as_a_person_would_write_it(expr, text):
    assert statements._Printer({t: "t"}).of(expr) == text


def one_line(equation):
    return " ".join(statements.equation(equation).split())


def test_a_derivative_that_is_printed_exists():
    line = "ex_derive (dh2 L) t /\\ Derive (dh2 L) t = A_high L * dh2 L t / tau_y L - dh2 L t ^ 2 / tau_y L"
    assert line in one_line(paper[38])
    assert "ex_derive_n (N L) 2 t /\\ ex_derive (N L) t /\\ w L t" in one_line(book["E4"])
    assert "Derive (fun t => dy2 L t / dh2 L t) t" in one_line(paper[23])
    for_each = "forall i : nat, (i < n_h L)%nat -> "
    moves = "Derive (fun t => p_vec L t i) t = (s L - m L t) * rho_vec L t i"
    line = f"({for_each}ex_derive (fun t => p_vec L t i) t) /\\ ({for_each}{moves})."
    assert line in one_line(book["E50"])


def test_an_equation_without_time_takes_none_also_where_a_mutant_has_it():
    assert "Definition eq10 (L : letters) : Prop" in statements.equation(paper[10])
    assert "Definition eq38 (L : letters) (t : R) : Prop" in statements.equation(paper[38])
    wrong = replace(paper[10], relations=(sp.Eq(dh2, paper[10].rhs, evaluate=False),))
    printed = statements.equation(wrong)
    assert "Definition eq10_1 (L : letters) : Prop :=\n  forall t : R, dh2 L t =" in printed


WORDLESS = [(sp.erf(c), "erf"), (c ** sp.Rational(1, 3), "1/3"), (sp.Derivative(dh2, c), "by time"),
            (dot(eq.dh2_seen, eq.dh2_seen), "n_t")]  # fmt: skip


@pytest.mark.parametrize(("expr", "word"), WORDLESS)
def test_what_has_no_word_in_coq_is_refused(expr, word):
    with pytest.raises(statements.Unprintable, match=word):
        statements._Printer({t: "t"}).of(expr)


def test_the_name_of_a_file_says_its_equation():
    assert [statements.module(n) for n in (10, "E1", "39+", "39=", "E6'")] == [
        "Eq10", "EqE1", "Eq39plus", "Eq39equal", "EqE6prime",
    ]  # fmt: skip
    assert len(kernel.EQUATIONS) == len(paper) + len(book)


# --- the hand-written files -----------------------------------------------------------------


@pytest.mark.parametrize("file", kernel.written())
def test_a_proof_admits_nothing_and_a_comment_says_what_each_lemma_is(file):
    text = kernel.written()[file]
    check.refuse_claims(file, text)
    assert max(map(len, text.splitlines())) <= 110
    assert re.findall(r"\n\n(?:Lemma|Theorem) ([\w']+)", text) == []
    assert text.count("Proof.") == text.count("Qed.")
    assert kernel.theorems(file, text) or "Lemma" in text


@pytest.mark.parametrize("word", ["Admitted.", "Axiom a : False.", "Abort.", "Parameter a : R.", "admit."])
def test_a_word_that_claims_without_proof_is_seen(word):
    assert check.FORBIDDEN.search(f"Proof.\n{word}\n")


def test_a_theorem_must_say_which_equations_it_checks():
    told = "(* So it is. Checks (7), (E1) and (39+). *)\nTheorem a : True.\nProof. exact I. Qed.\n"
    (theorem,) = kernel.theorems("File", told)
    assert (theorem.name, theorem.says, theorem.checks) == ("a", "So it is.", ("7", "E1", "39+"))
    for silent in ("(* So it is. *)\nTheorem a : True.\n", "Theorem a : True.\n"):
        with pytest.raises(ValueError, match=r"\ba\b"):
            kernel.theorems("File", silent)


def test_what_a_statement_mentions_is_found_behind_definitions():
    bodies = {"A.exact": "fun L : Letters.letters => EqE1.eqE1 L /\\ A.half L",
              "A.half": "fun L : Letters.letters => forall t : R, Eq39plus.eq39plus_1 L t"}  # fmt: skip
    both = check.lines_in(bodies, "A.a : forall L : Letters.letters, A.exact L -> Eq7.eq7_2 L 0")
    assert both.presupposed == {("E1", 1), ("39+", 1)} and both.concluded == {("7", 2)}
    assert check.lines_in(bodies, "forall L, A.half L").concluded == {("39+", 1)}
    assert check.lines_in(bodies, "forall L, Eq7.eq7 L 0").concluded == {("7", 1), ("7", 2), ("7", 3)}
    assert check.lines_in(bodies, "True").mentioned == set()


NOT_AN_EQUATION = [
    "Cheat.eq10 L", "Cheat.Eq10.eq10 L", "Companion.Eq10.eq10 L", "forall eq10 : R, eq10 = eq10",
    '"Eq10.eq10"%string = "Eq10.eq10"%string', "Eq11.eq10 L", "Eq10.eq101 L", "Cheat.fake L", "Eq10.eq10.x",
]  # fmt: skip


@pytest.mark.parametrize("statement", NOT_AN_EQUATION)
def test_nothing_but_the_printed_equation_in_full_is_one(statement):
    bodies = {"Cheat.fake": "fun L : Letters.letters => forall eq10 : R, eq10 = eq10",
              "Cheat.eq10": "fun L : Letters.letters => True"}  # fmt: skip
    assert check.lines_in(bodies, statement).mentioned == set()


CONCLUDED = [
    ("forall L : Letters.letters, Eq10.eq10 L -> 0 < Letters.c L", set()),
    ("forall L : Letters.letters, Eq10.eq10 L -> Eq10.eq10 L", set()),
    ("forall L : Letters.letters, 0 < Letters.c L -> Eq10.eq10 L <-> Letters.A L = 0", {("10", 1)}),
    ("(Letters.c L = 0 -> Eq10.eq10 L) /\\ (EqE1.eqE1 L 0 -> 0 < 1)", {("10", 1)}),
    ("forall f : R -> R, Eq10.eq10 L", {("10", 1)}),
    ("0 < x -> exists L : Letters.letters, Letters.c L = x /\\ Eq10.eq10 L", set()),
    ("forall x : R, exists (L : Letters.letters) (T : R), Eq10.eq10 L", set()),
    ("forall x : R, exists frame : R -> Letters.letters, Eq10.eq10 (frame x)", set()),
    ("exists x : R, x = 0 /\\ Eq10.eq10 L", {("10", 1)}),
]


@pytest.mark.parametrize(("statement", "lines"), CONCLUDED)
def test_an_equation_is_concluded_after_the_arrow_and_of_letters_that_are_given(statement, lines):
    found = check.lines_in({}, statement)
    assert found.concluded == lines and ("10", 1) in found.mentioned


@pytest.fixture
def cheat(monkeypatch, tmp_path):
    """Puts files in the place of the hand-written ones."""
    monkeypatch.setattr(kernel, "PROOFS", tmp_path)
    kernel.written.cache_clear()

    def put(**texts):
        for file, text in texts.items():
            (tmp_path / f"{file}.v").write_text(text)

    yield put
    kernel.written.cache_clear()


ONE = "(* It is. Checks (10). *)\nTheorem one : 1 = 1.\nProof. reflexivity. Qed.\n"


@pytest.mark.parametrize("file", ["Eq10", "Letters", "Assumptions", "Definitions"])
def test_no_file_takes_the_place_of_a_printed_one(cheat, file):
    cheat(**{file: "Definition eq10 (L : letters) : Prop := True.\n"})
    with pytest.raises(ValueError, match=rf"printed one, got \['{file}'\]"):
        kernel.written()


def test_no_two_theorems_have_one_name(cheat):
    cheat(CheatA=ONE, CheatB=ONE)
    with pytest.raises(ValueError, match="got \\['one'\\] twice"):
        kernel.every()


CLAIMS = {
    "Hypothesis wish : forall L, eq10 L.": "Hypothesis in a section",
    "Section A.\nEnd A.\nVariable wish : False.": "Variable in a section",
    "From Companion Require Import Section A.\nContext (wish : False).": "Context in a section",
    'Definition a := "(*"%string.\nAdmitted.\nDefinition b := "*)"%string.': "word Admitted",
    '(* " *) Admitted. *) " *) Axiom a : False.': "word Axiom",
    "(* (* *) Admitted. *)\nModule Eq10.": "word Module",
    "Definition eq10 (L : letters) : Prop := True.": "got eq10",
    "Definition eqE9_1 (L : letters) : Prop := True.": "got eqE9_1",
    "Notation eq10 := True.": "got eq10",
}


@pytest.mark.parametrize("text", CLAIMS)
def test_a_file_that_could_claim_without_proof_is_refused(text):
    with pytest.raises(ValueError, match=CLAIMS[text]):
        check.refuse_claims("Cheat", text)
    fine = '(* Axiom "*)" Admitted (* Hypothesis *) *)\nSection A.\nHypothesis h : True.\nEnd A.\n' + ONE
    check.refuse_claims("Fine", fine)


def test_an_answer_that_names_no_axioms_and_denies_none_is_refused():
    assert check._answer("a", "A.a\n     : 1 = 1\nClosed under the global context\n") == ("A.a : 1 = 1", ())
    said = "A.a : 1 = 1\nAxioms:\nB.b : forall x,\n  x = x\nC.c\n  : True\n"
    assert check._answer("a", said) == ("A.a : 1 = 1", ("B.b", "C.c"))
    for text in ("A.a : 1 = 1\n", "A.a : 1 = 1\nAxioms:\n", ""):
        with pytest.raises(ValueError, match="what a rests on"):
            check._answer("a", text)


def test_files_are_compiled_after_those_that_they_require():
    order = list(kernel.written())
    for file, text in kernel.written().items():
        assert all(order.index(other) < order.index(file) for other in kernel.required(text) & set(order))
    assert kernel.required("From Companion Require Import Letters Eq10.\n") == {"Letters", "Eq10"}


def test_without_coq_it_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setattr(check, "coqc", lambda: None)
    monkeypatch.setattr(check, "RECORD", tmp_path / "record.json")
    monkeypatch.setattr(sys, "argv", ["check.py"])
    check.RECORD.write_text("{}")
    with pytest.raises(SystemExit, match="apt-get install coq libcoq-coquelicot"):
        check.main()
    assert not check.RECORD.exists()


# --- what the book shows of it ----------------------------------------------------------------

PROVED = {
    "digest": "", "coqc": "8.0", "axioms": [], "equations": {"7": ["", "", ""], "E1": [""], "E9": ["", ""]},
    "theorems": [{"name": "a", "file": "File", "says": "||dh||^2 >= 0.", "checks": ["7", "E1", "E9"],
                  "presupposes": {"E1": [1], "8": [1]}, "concludes": {"7": [1, 2, 3], "E9": [1], "10": [1]},
                  "statement": "A.a : 1 < 2", "axioms": [], "mentions": {}}],
}  # fmt: skip
THEOREM = kernel.Theorem("a", "File", "||dh||^2 >= 0.", ("7", "E1"))


def test_a_theorem_is_kernel_checked_where_coq_ran_and_elsewhere_says_that_it_was_not():
    ran = kernel.verdict(THEOREM, PROVED, "proved.html")
    assert 'class="urep-verdict urep-kernel" id="kernel-a"' in ran and ">kernel-checked<" in ran
    assert "‖dh‖² ≥ 0." in ran and "Coq 8.0" in ran and 'href="proved.html#theorem-a"' in ran
    assert ran.count('<span class="urep-item">') == 2
    skipped = kernel.verdict(THEOREM, None, "proved.html")
    assert "kernel-checked" not in skipped and "✓" not in skipped
    assert "not checked in this build" in skipped and "Coq is not installed here" in skipped


def test_a_row_gets_a_sign_only_where_a_theorem_checks_its_equation():
    assert "proved.html#theorem-a" in kernel.mark("7", PROVED, "proved.html")
    assert kernel.mark("8", PROVED, "proved.html") == kernel.mark("7", None, "proved.html") == ""


def test_a_tick_needs_every_line_and_its_title_says_where_none_is_concluded():
    seven, start, squares = (kernel.mark(label, PROVED, "proved.html") for label in ("7", "E1", "E9"))
    assert "✓" in seven and 'title="kernel-checked theorems about it: a"' in seven
    assert "✓" in start and "; none has it as its conclusion" in start
    assert "✓" not in squares and "urep-kernel" not in squares and ">kernel, in part<" in squares
    assert "1 of its 2 lines" in squares
    (row,) = PROVED["theorems"]
    chosen = PROVED | {"theorems": [row | {"presupposes": {}, "concludes": {}}]}
    assert "in part" in kernel.mark("7", chosen, "proved.html")


def test_the_front_page_counts_theorems_only_where_they_were_checked():
    tried = sum(row["mutants"] for row in kernel.mutants()["equations"].values())
    assert "<strong>1</strong><span>theorems about 3 equations, 2 of them as conclusions" in kernel.counts(
        PROVED
    )
    assert kernel.NOT_CHECKED in kernel.counts(None) and "kernel-checked" not in kernel.counts(None)
    assert f"{tried} of {tried}" in kernel.counts(None)


def test_every_theorem_has_a_row_and_no_verdict_without_a_record():
    rows = kernel.table(None)
    assert rows.count("<tbody id=") == len(kernel.every()) == rows.count(f"○ {kernel.NOT_CHECKED}")
    assert "✓" not in rows


def test_a_record_of_other_equations_proofs_or_checks_counts_for_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(kernel.shutil, "which", lambda program: f"/bin/{program}")
    path = tmp_path / "record.json"
    assert kernel.record(path) is None
    path.write_text(json.dumps(PROVED | {"digest": kernel.digest()}))
    assert kernel.record(path)["coqc"] == "8.0"
    for file, was, now in (("Eq10", "+", "-"), ("Exact", "0 < A", "0 <= A"), ("check.py", "Admitted", "")):
        changed = kernel.given()
        assert was in changed[file]
        changed[file] = changed[file].replace(was, now, 1)
        path.write_text(json.dumps(PROVED | {"digest": kernel.digest(changed)}))
        assert kernel.record(path) is None


def test_without_coq_a_record_that_was_left_counts_for_nothing_and_goes(tmp_path, monkeypatch, capsys):
    path = tmp_path / "record.json"
    path.write_text(json.dumps(PROVED | {"digest": kernel.digest()}))
    monkeypatch.setenv("PATH", str(tmp_path))
    assert check.coqc() is None and kernel.record(path) is None
    monkeypatch.setattr(check, "RECORD", path)
    monkeypatch.setattr(sys, "argv", ["check.py", "--if-needed"])
    check.main()
    assert "not checked" in capsys.readouterr().out and not path.exists()


def test_the_mutants_that_the_book_counts_are_those_of_these_equations_and_proofs():
    kept = kernel.mutants()
    assert kept["digest"] == mutants.digest(), "run make proofs ARGS=--mutants"
    assert tuple(kept["equations"]) == mutants.MUTATED
    for number, row in kept["equations"].items():
        assert row["refused"] == row["mutants"] == len(list(mutations.mutants(number))) > 0
        assert row["survived"] == [] and sum(row["by"].values()) == row["refused"]


def test_the_table_of_mutants_has_the_control(monkeypatch):
    row = {"mutants": 3, "refused": 3, "by": {"End.one": 3}, "survived": []}
    rows = {
        "10": row | {"rewritings": 2, "accepted": 1},
        "38": row,
        "40": row | {"rewritings": 0, "accepted": 0},
    }
    monkeypatch.setattr(kernel, "mutants", lambda: {"equations": rows})
    shown = kernel.mutants_table()
    assert "<td>1 of 2</td>" in shown._repr_html_() and shown._repr_html_().count("<td>none tried</td>") == 2
    assert "(10): 3 of 3 refused, by End.one (3); true rewritings accepted: 1 of 2" in repr(shown)


def test_a_theorem_is_shown_as_it_is_written():
    text = kernel.source("eq38_holds")
    assert text.startswith("(*") and text.endswith("Qed.") and text.count("Theorem") == 1
    assert text in (PROOFS / "Identical.v").read_text()
    with pytest.raises(KeyError, match="no_theorem"):
        kernel.source("no_theorem")


def test_each_registered_equation_is_counted_once():
    numbers = [int(row[1]) for row in kernel.scope().rows]
    assert sum(numbers) == len(paper) + len(book) and min(numbers) > 0
    assert numbers[1] == len(PRINTED) - numbers[0]


def test_pages_name_theorems_that_there_are():
    pages = [page.read_text(encoding="utf-8") for page in sorted(kernel.ROOT.glob("book/**/*.md"))]
    named = re.findall(r"```\{kernel-checked\}\n(.*?)```", "\n".join(pages), flags=re.S)
    assert len(named) >= 8 and all(block.split() for block in named)
    assert {name for block in named for name in block.split()} <= set(kernel.every())


# --- what the kernel says -------------------------------------------------------------------


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A folder with everything compiled, of which `record` is the record."""
    return tmp_path_factory.mktemp("proofs")


@pytest.fixture(scope="module")
def record(built):
    return check.check(built)


@needs_coq
def test_the_kernel_checks_every_theorem_from_coqs_real_numbers_alone(record):
    every = [theorem for file, text in kernel.written().items() for theorem in kernel.theorems(file, text)]
    assert [row["name"] for row in record["theorems"]] == [theorem.name for theorem in every]
    for row in record["theorems"]:
        assert set(row["axioms"]) <= check.AXIOMS, row["name"]
        assert set(row["checks"]) <= set(row["mentions"]), row["name"]
    assert record["axioms"] == sorted(check.AXIOMS) and len(check.AXIOMS) == 4
    for label, lines in record["equations"].items():
        assert tuple(lines) == mutations.EQUATIONS[label].lines
    assert set(mutants.MUTATED) <= set(record["equations"])
    assert json.loads(json.dumps(record)) is not None
    assert "exact_ends_at_eq10" in check.table(record)


def said_by_coq(built, tmp_path, text):
    """What is said of the theorems of a file that stands beside the proofs; Refused if Coq refuses it."""
    for path in built.glob("*.vo"):
        (tmp_path / path.name).symlink_to(path)
    (tmp_path / "Extra.v").write_text(text)
    check.compile_one("Extra", tmp_path)
    return check.assumptions(kernel.theorems("Extra", text), tmp_path)


@needs_coq
def test_an_axiom_of_ones_own_is_seen(record, built, tmp_path):
    text = """
    From Companion Require Import Letters Eq10.
    Axiom wishful : forall L, eq10 L.
    (* It is. Checks (10). *)
    Theorem wished : forall L, eq10 L.
    Proof. exact wishful. Qed.
    (* One is one. Checks (10). *)
    Theorem closed : 1 = 1.
    Proof. reflexivity. Qed.
    """
    said = said_by_coq(built, tmp_path, text)
    assert said["wished"][0].endswith("forall L : Letters.letters, Eq10.eq10 L")
    assert "Extra.wishful" in said["wished"][1] and set(said["wished"][1]) - check.AXIOMS == {"Extra.wishful"}
    assert said["closed"][1] == ()


@needs_coq
def test_a_file_named_as_one_of_coqs_library_gives_no_allowed_axiom(record, built, tmp_path):
    for path in built.glob("*.vo"):
        (tmp_path / path.name).symlink_to(path)
    wish = "From Companion Require Import Letters Eq10.\nAxiom classic : forall L, eq10 L.\n"
    (tmp_path / "Classical_Prop.v").write_text(wish)
    check.compile_one("Classical_Prop", tmp_path)
    with pytest.raises(ValueError, match=r"Companion\.Classical_Prop\.classic"):
        check.definitions({"Classical_Prop": wish}, tmp_path)


@needs_coq
def test_definitions_are_those_that_coq_prints(record, built, tmp_path):
    for path in built.glob("*.vo"):
        (tmp_path / path.name).symlink_to(path)
    bodies = check.definitions({"Exact": kernel.written()["Exact"]}, tmp_path)
    assert bodies["Exact.exact"].startswith("fun L : Letters.letters => EqE6.eqE6_1 L /\\ ")
    assert check.lines_in(bodies, "Exact.exact L").concluded == {
        ("E1", 1), ("E2", 1), ("E2", 2), ("E2", 3), ("E6", 1)
    }  # fmt: skip


@needs_coq
def test_a_proof_that_is_wrong_is_refused_where_it_is(record, built, tmp_path):
    text = """
    From Companion Require Import Letters Eq10.
    Lemma right : 1 = 1.
    Proof. reflexivity. Qed.
    Lemma wrong : forall L, eq10 L.
    Proof. intros L; reflexivity. Qed.
    """
    with pytest.raises(check.Refused, match="in wrong"):
        said_by_coq(built, tmp_path, text)


@needs_coq
@pytest.mark.parametrize("number", mutants.MUTATED, ids=lambda number: f"({number})")
def test_a_wrong_equation_breaks_its_proof(number, record, built):
    found = mutants.fates(mutations.sample(number), built)
    assert len(found) >= 2
    assert mutants.SURVIVED not in found.values(), found
    assert mutants.score(found)["refused"] == len(found)


@needs_coq
@pytest.mark.parametrize("number", mutants.MUTATED, ids=lambda number: f"({number})")
def test_the_true_equation_breaks_none(number, record, built):
    true = mutations.Mutant(number, 0, "right", mutations.EQUATIONS[number].relations)
    assert mutants.fate(true, built) == mutants.SURVIVED


@pytest.mark.parametrize("number", mutants.MUTATED, ids=lambda number: f"({number})")
def test_each_mutant_can_be_printed(number):
    true = mutations.EQUATIONS[number]
    texts = [statements.equation(replace(true, relations=m.relations)) for m in mutations.mutants(number)]
    assert len(set(texts)) == len(texts) >= 20
    assert statements.equation(true) not in texts


WRITTEN = """\
From Companion Require Import Letters Eq10.
Lemma right : 1 = 1.
Proof. reflexivity. Qed.
Lemma wrong : forall L,
  eq10 L.
Proof.
  reflexivity.
Qed.
Definition after : R := 1.
"""


@pytest.mark.parametrize(
    ("said", "where", "of_proof"),
    [
        ("line 7, characters 2-13:\nError: Unable to unify", "wrong", True),
        ("line 3, characters 7-18:\nError: Unable to unify", "right", True),
        ("line 7, characters 2-13:\nError: Tactic failure:  Cannot find witness.", "wrong", True),
        ("line 8, characters 0-4:\nError: Attempt to save an incomplete proof", "wrong", True),
        ("line 7, characters 2-13:\nError: Stack overflow.", "wrong", False),
        ("line 7, characters 2-13:\nError: The reference a was not found in the current", "wrong", False),
        ("line 7, characters 2-13:\nKilled", "wrong", False),
        ("line 5, characters 2-8:\nError: Illegal application", "wrong", False),
        ("line 9, characters 0-4:\nError: Illegal application", "wrong", False),
        ("line 1, characters 0-4:\nError: Cannot find a physical path", "its beginning", False),
        ("", "its beginning", False),
    ],
)
def test_a_refusal_is_of_a_proof_only_at_one_of_its_steps(said, where, of_proof):
    refused = check.refusal("File", WRITTEN, said)
    assert (refused.where, bool(refused.of_proof)) == (where, of_proof)


def test_a_refusal_that_is_of_no_proof_is_no_fate(monkeypatch, tmp_path):
    def compiled(file, folder):
        if file in kernel.written():
            raise check.Refused(file, "its beginning", "Error: Cannot find a physical path")

    monkeypatch.setattr(check, "compile_one", compiled)
    for file, text in kernel.written().items():
        (tmp_path / f"{file}.v").write_text(text)
    with pytest.raises(check.Refused, match="physical path"):
        mutants.fate(mutations.mutants("10")[0], tmp_path)


@pytest.mark.parametrize("number", mutants.MUTATED, ids=lambda number: f"({number})")
def test_a_rewriting_is_true_and_printed_otherwise(number):
    true, forms = mutations.EQUATIONS[number], mutants.rewritings(number)
    texts = [statements.equation(replace(true, relations=form.relations)) for form in forms]
    assert len({statements.equation(true), *texts}) == len(texts) + 1
    for form in forms:
        for own, line in zip(true.relations, form.relations, strict=True):
            assert line.lhs == own.lhs and line.func == own.func
            if not own.has(sp.MatrixSymbol):
                with mpmath.workdps(40):
                    exact, _ = values_of(own.rhs)
                    wanted, seen = (
                        mpmath.mpmathify(one.rhs.xreplace(exact).evalf(40)) for one in (own, line)
                    )
                    assert abs(seen - wanted) <= 1e-30 * (1 + abs(wanted)), form.name


def test_a_score_counts_who_refused():
    found = {"a": "End.one", "b": "End.one", "c": mutants.SURVIVED}
    assert mutants.score(found) == {"mutants": 3, "refused": 2, "by": {"End.one": 2}, "survived": ["c"]}
    assert mutants.resting_on("Eq10", kernel.written()) == ["End", "Exists"]


def test_make_proofs_says_what_is_missing_where_coq_is_not():
    done = subprocess.run(
        [sys.executable, str(PROOFS / "check.py"), "--help"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0 and "--mutants" in done.stdout

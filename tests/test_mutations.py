"""Wrong equations, and wrong steps, turn the derivations red, with a message that names the equation.

Here a sample of `tests/mutations.py`, which says what a mutant is, and what it means that one is accused. The
weekly workflow examines all of them; tests/mutations.json is what came of the last complete run.
"""

import contextlib
import io
import json
import re

import mutations
import pytest

from urep.checks import ClaimFailed

NUMBERS = list(mutations.EQUATIONS)


@pytest.fixture(scope="module")
def examined():
    """What became of the sampled mutants of each equation, by page."""
    return mutations.examine({number: mutations.sample(number) for number in NUMBERS})


@pytest.mark.parametrize("number", NUMBERS, ids=lambda number: f"({number})")
def test_each_page_that_claims_an_equation_accuses_its_mutants(number, examined, record_property):
    fates = {name: mutations.fate(outcomes) for name, outcomes in examined[number].items()}
    record_property("mutation score", f"{list(fates.values()).count('accused')}/{len(fates)}")
    assert len(fates) >= 2
    assert set(fates.values()) == {"accused"}, fates


def test_mutants_differ_from_their_equation_and_from_each_other():
    for number, equation in mutations.EQUATIONS.items():
        found = mutations.mutants(number)
        assert len({mutant.name for mutant in found}) == len(found) >= 8
        assert all(mutant.relations != equation.relations for mutant in found)
        for side in ("left", "right"):
            lines = {mutant.line for mutant in found if mutant.side == side}
            assert lines == set(range(len(equation.relations)))


OTHER_DOORS = ("equations.registry", "import registry", "registry.", "._ALL")
"""How a page could come by the registered equations other than as `urep.equations` gives them."""


def doors(code):
    """The other doors of `OTHER_DOORS` in some code; the page of claims shows a registry of its own."""
    other = code.replace("from urep.site import pages, registry", "").replace("registry.all_claims()", "")
    return [door for door in OTHER_DOORS if door in other]


PAGES = sorted((mutations.ROOT / "book").rglob("*.md"))


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_a_page_reads_the_equations_where_a_mutant_takes_their_place(path):
    text = path.read_text(encoding="utf-8")
    assert [
        doors(cell) for cell in re.findall(r"```\{code-cell\}.*?\n```", text, flags=re.S) if doors(cell)
    ] == []


@pytest.mark.parametrize(
    "code",
    [
        "from urep.equations.registry import paper",
        "import urep.equations.registry as true",
        "from urep.equations import registry",
        "paper = urep.equations.registry.paper",
        "registry.paper[10]",
    ],
)
def test_another_door_to_the_equations_is_seen(code):
    assert doors(code)


def test_the_door_that_is_watched_is_none_of_the_others():
    assert doors("from urep.equations import book, paper\npaper[10]; book['E9']") == []


CIRCULAR = """
```{code-cell} ipython3
from urep.equations import paper
verify("eq 38", "A circular claim.", derived=dict(paper[38].sides), registered=paper[38])
```
"""


def test_mutants_survive_a_derivation_that_follows_what_is_registered(tmp_path):
    (tmp_path / "circular.md").write_text(CIRCULAR, encoding="utf-8")
    page = str(tmp_path / "circular")
    found = mutations.examine({"38": mutations.sample("38")}, pages=[page])
    assert list(found["38"].values()) == [{page: "survived"}] * 2
    (row,) = mutations.score(found).values()
    assert (row["mutants"], row["accused"], len(row["survived"])) == (2, 0, 2)


STOPPING = CIRCULAR.replace("dict(paper[38].sides)", "{}[paper[38].lhs]")


def test_a_page_that_does_not_run_as_it_stands_is_an_error(tmp_path):
    (tmp_path / "stopping.md").write_text(STOPPING, encoding="utf-8")
    with pytest.raises(RuntimeError, match="stopping does not run as it stands: KeyError"):
        mutations.examine({"38": mutations.sample("38")}, pages=[str(tmp_path / "stopping")])


@pytest.mark.parametrize(
    ("stopped", "outcome"),
    [
        ("ClaimFailed: Equation (38): Bernoulli — not proved.\n more", "accused"),
        ("ClaimFailed: Equation (38), line 1: Bernoulli — not proved.", "accused"),
        ("ClaimFailed: Equation (3): a step — no.", "ClaimFailed: Equation (3): a step — no."),
        ("KeyError: 38", "KeyError: 38"),
        ("AssertionError: ", "AssertionError: "),
        ("", "survived"),
    ],
)
def test_only_a_failed_claim_about_the_equation_accuses(stopped, outcome):
    assert mutations.judged(mutations.sample("38")[0], stopped, 0) == outcome


def test_a_mutant_is_accused_where_every_page_that_claims_its_equation_does():
    assert mutations.fate({"a": "accused", "b": "accused"}) == "accused"
    assert mutations.fate({"a": "accused", "b": "KeyError: 1"}) == "KeyError: 1"
    assert mutations.fate({"a": "accused", "b": "KeyError: 1", "c": "survived"}) == "survived"
    assert mutations.fate({}) == "survived"


def test_the_recorded_complete_run_is_of_the_equations_of_now():
    record = json.loads(mutations.RECORD.read_text(encoding="utf-8"))
    assert len(record["commit"]) == 40
    assert {number: row["mutants"] for number, row in record["equations"].items()} == {
        f"({number})": len(mutations.mutants(number)) for number in NUMBERS
    }
    for row in record["equations"].values():
        assert row["mutants"] == row["accused"] + row["raised"] + len(row["survived"])
    assert record["sampled"] == sum(len(mutations.sample(number)) for number in NUMBERS)


STEPS = [
    ("model", "eta, part / tau", "eta, part / (2 * tau)", "(4)"),
    ("reduction", "dh_velocity = encoder_rate * dx_vec", "dh_velocity = 2 * encoder_rate * dx_vec", "(21)"),
    ("reduction", "dy_velocity = decoder_rate * dh + kept",
     "dy_velocity = decoder_rate * dh + D_y * dh_velocity", "(21)"),
    ("loss", "mean_error2 * decay**2 / 2", "mean_error2 * decay / 2", "(22)"),
    ("final_distance", "its_rate.subs(dy2, level)", "its_rate", "(25)"),
    ("final_distance", "_, middle, last = quadratic.all_coeffs()", "_, last, middle = quadratic.all_coeffs()",
     "(28)"),
    ("random_features", "direction = sp.Le if", "direction = sp.Ge if", "(45)"),
    ("exact_solution", "derived={N: 1 + along_part", "derived={N: along_part", "(E1)"),
    ("exact_solution", "balance = p2 - x2 - c", "balance = p2 - x2 + c", "(E3)"),
    ("machine_forms", "p_now = grows * cos_phi", "p_now = grows * sin_phi", "(E10)"),
]  # fmt: skip
"""A page, a step of it, the same gone wrong, and the equation that must be named."""


@pytest.mark.parametrize(("page", "step", "wrong", "number"), STEPS, ids=range(len(STEPS)))
def test_a_wrong_step_turns_its_page_red(page, step, wrong, number):
    code = "\n".join(mutations.cells(f"theory/{page}"))
    assert code.count(step) == 1
    wrong_code = compile(code.replace(step, wrong), page, "exec")
    with contextlib.redirect_stdout(io.StringIO()), pytest.raises(ClaimFailed) as caught:
        exec(wrong_code, {})
    assert str(caught.value).startswith(f"Equation {number}")

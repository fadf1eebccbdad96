"""The map and the tally: every item of the paper, every verdict counted, none typed."""

import json
import re

import pytest
import sympy as sp

from urep import claims
from urep.checks import MIME, check, judged
from urep.site import items, pages, registry, verdicts

X = sp.Symbol("x", positive=True)


def test_every_equation_figure_and_table_has_a_row():
    keys = [item.key for item in items.ITEMS]
    assert keys == [
        *(f"eq {n}" for n in range(1, 51)),
        *(f"fig {n}" for n in range(1, 17)),
        *(f"table {n}" for n in (1, 2)),
    ]
    assert all(item.says and item.section for item in items.ITEMS)


def reference(folder, page, *verdicts):
    """A notebook with one executed cell for each verdict."""
    outputs = [{"output_type": "display_data", "data": {}, "metadata": {MIME: v.record()}} for v in verdicts]
    path = folder / f"{page}.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        json.dumps({"cells": [{"cell_type": "code", "outputs": outputs}, {"cell_type": "markdown"}]})
    )


ENTRY = """
[{own}]
item = "{item}"
whose = "{whose}"
role = "{role}"
sentence = "Networks <of the {whose}> do what is said about {item}."
measure = "a miss"
statistic = "tail"
below = 1.0
because = "a reason"
explored = "seeds 0-9"
"""
NULL, NO_NULL = 'null = "a mean"', 'no_null = "no model"'
FRESH = 'confirmed = "100-119"\nruns = ["default-fresh"]'
GOOD, BAD, NOISY = [0.1] * 10, [3.0] * 10, [0.1, 0.2] * 5

CLAIMS = {
    "predicted": ("eq 38", "paper", "prediction", f"{NULL}\n{FRESH}"),
    "not-so": ("eq 39", "paper", "observation", NO_NULL),
    "wrong": ("eq 40", "paper", "observation", FRESH + "\n" + NO_NULL),
    "assumed": ("eq 41", "assumption", "observation", NO_NULL),
    "ours": ("eq 42", "book", "observation", NO_NULL),
    "theirs": ("eq 43", "code", "observation", NO_NULL),
    "fits": ("fig 2", "paper", "description", NULL),
    "fits-no-better": ("fig 3", "paper", "prediction", NULL),
    "fits-in-part": ("fig 4", "paper", "prediction", NULL),
    "is-there": ("fig 4", "paper", "observation", NO_NULL),
}
"""Claims of a registry made for these tests: item, whose, role, and what else their entries have."""


@pytest.fixture
def known(tmp_path, monkeypatch):
    """The registry of these tests, as that of a page named "made"."""
    fields = ("own", "item", "whose", "role")
    tables = (
        ENTRY.format(**dict(zip(fields, (own, *rest[:3]), strict=True))) + rest[3]
        for own, rest in CLAIMS.items()
    )
    (tmp_path / "made.toml").write_text("\n".join(tables), encoding="utf-8")
    monkeypatch.setattr(claims, "FOLDER", tmp_path)


@pytest.fixture
def found(tmp_path, known):
    fresh = {"fresh": GOOD[1:], "fresh_null": BAD[1:]}
    reference(
        tmp_path, "theory/one",
        check("eq 38", "proved <here>", derived=2 * X, registered=X + X),
        judged("made.predicted", measured=GOOD, null=BAD, **fresh),
        judged("made.not-so", measured=BAD),
        check("eq 39", "still so", derived=2 * X, registered=X + X),
        judged("made.wrong", measured=GOOD, fresh=BAD),
        check("eq 41", "derived from it", derived=2 * X, registered=X + X),
        judged("made.assumed", measured=BAD),
        judged("made.ours", measured=BAD),
        judged("made.theirs", measured=BAD),
        check("eq 3", "said to be", derived=2 * X, registered=X + X, how="definition"),
    )  # fmt: skip
    reference(
        tmp_path, "experiments/two",
        judged("made.fits", measured=GOOD, null=BAD),
        judged("made.fits-no-better", measured=GOOD, null=NOISY),
        judged("made.fits-in-part", measured=GOOD, null=GOOD),
        judged("made.is-there", measured=GOOD),
    )  # fmt: skip
    return verdicts.records(tmp_path)


def about(found, item):
    return [record for record in found if record.fields["item"] == item]


def test_records_are_found_wherever_the_references_lie(found):
    assert [r.page for r in found] == ["experiments/two"] * 4 + ["theory/one"] * 10


STATUS = {
    "eq 1": "planned",
    "eq 3": "defined",
    "eq 38": "proved",
    "eq 39": "holds in part",
    "eq 40": "does not hold",
    "eq 41": "assumption violated",
    "eq 42": "discussed",
    "eq 43": "discussed",
    "fig 2": "described",
    "fig 3": "unskilled",
    "fig 4": "unskilled in part",
}


@pytest.mark.parametrize("item", STATUS)
def test_status_is_made_from_all_that_was_said_of_the_papers_claims_about_an_item(found, item):
    assert verdicts.status(about(found, item)) == STATUS[item]


def test_no_status_is_a_cross_because_of_the_book_the_authors_code_or_an_assumption(found):
    crosses = {word for word, sign in verdicts.SIGNS.items() if "✗" in sign}
    for record in found:
        failed = record.fields["kind"] in ("refuted", "violated") and record.whose != "paper"
        if failed:
            own = about(found, record.fields["item"])
            assert verdicts.status(own) not in crosses


def test_an_item_that_is_only_defined_is_not_called_proved(found):
    assert verdicts.SIGNS[verdicts.status(about(found, "eq 3"))] == "≡"


def test_the_map_links_each_mark_to_its_verdict(found):
    page = pages.paper_map("eq", found)
    markup = page._repr_html_()
    assert len(re.findall(r'<tbody id="eq-\d+"', markup)) == 50
    hrefs = [href for href in re.findall(r'href="([^"]+)"', markup) if not re.search("explorer|graph", href)]
    own = [r for r in found if r.fields["item"].startswith("eq")]
    # eq 39 is refuted on its page before it is proved there; in the map proofs come first.
    assert hrefs == [own[n].link for n in (9, 0, 1, 3, 2, 4, 5, 6, 7, 8)]
    assert hrefs[1].startswith("theory/one.html#check-eq-38-")
    assert "proved &lt;here&gt;" in markup
    assert 'title="does not hold, on fresh seeds: Networks &lt;of the paper&gt;' in markup
    assert repr(page).splitlines()[37] == " 38 proved"
    with pytest.raises(ValueError, match="kind must be 'eq', 'fig' or 'table', got 'equation'"):
        pages.paper_map("equation", found)


def test_the_tally_counts(found):
    plain = repr(pages.tally(found))
    assert "7 of 50  equations" in plain
    assert "3 of 16  figures" in plain
    assert "0 of 2  tables" in plain
    assert re.search(r"3  proved$", plain, flags=re.M) and re.search(r"1  by definition$", plain, flags=re.M)


def test_the_tally_counts_confirmed_and_exploratory_and_the_papers_and_others_apart(found):
    table = pages.outcomes(found)
    assert table.head[1:] == ["paper: fresh", "paper: explored", "other: fresh", "other: explored"]
    assert {row[0]: list(map(int, row[1:])) for row in table.rows} == {
        "holds": [1, 1, 0, 0],
        "describes what it was fitted to": [0, 1, 0, 0],
        "no better than a model that knows less": [0, 2, 0, 0],
        "assumption violated": [0, 1, 0, 0],
        "does not hold": [1, 1, 0, 2],
    }


def test_every_claim_about_networks_but_controls_is_counted_once():
    judged = [r for r in verdicts.records() if r.judgement and r.fields["kind"] != "control"]
    assert sum(int(n) for row in pages.outcomes().rows for n in row[1:]) == len(judged)


def test_the_map_shows_the_registered_equation_and_the_way_to_the_explorer(found):
    from urep import equations

    markup = pages.paper_map("eq", found)._repr_html_()
    rows = {m[1]: m[0] for m in re.finditer(r'<tbody id="eq-(\d+)".*?</tbody>', markup)}
    for number in range(1, 51):
        assert (r"\tag{" in rows[str(number)]) == (number in equations.paper)
        assert ("explorer.html?" in rows[str(number)]) == (str(number) in items.EXPLORE)
    assert set(items.EXPLORE) <= {str(n) for n in range(1, 51)} | set(equations.book)


def test_signs_of_the_tally_lead_to_the_check_that_fails_if_there_is_one(found):
    markup = pages.tally(found)._repr_html_()
    ticks = dict(re.findall(r'<li data-status="([^"]+)"><a href="([^"]+)"', markup))
    failed = {r.fields["item"]: r.link for r in found if r.fields["kind"] in ("refuted", "violated")}
    assert ticks["holds in part"] == failed["eq 39"] and ticks["does not hold"] == failed["eq 40"]
    assert ticks["assumption violated"] == failed["eq 41"]
    assert "check-eq-38-" in ticks["proved"] and "check-fig-2-" in ticks["described"]
    assert markup.count('data-status="planned"') == 43 + 13 + 2
    assert 'aria-label="Equation 40, ‖dy‖² along it: does not hold"' in markup


def test_what_does_not_hold_is_listed_apart_by_whose_it_is_in_the_papers_order(found):
    lists = {which: repr(pages.refuted(which, found)).splitlines() for which in pages.FAILURES}
    items = {which: [line.split(":")[0] for line in lines] for which, lines in lists.items()}
    assert items == {
        "paper": ["(39)", "(40)"],
        "assumption": ["(41)"],
        "skill": ["Figure 3", "Figure 4"],
        "book": ["(42)", "(43)"],
    }
    with pytest.raises(ValueError, match="which must be one of paper, assumption, skill, book; got 'eq'"):
        pages.refuted("eq", found)


def test_what_does_not_hold_is_told_with_its_numbers(found):
    markup = pages.refuted("paper", found)._repr_html_()
    assert "a miss: the worst 3; median 3, 5-95% 3 to 3, 10 runs; wanted below 1 in 95% of runs" in markup
    assert "against a mean; skill 0 (0 to 0) explored" in pages.refuted("skill", found)._repr_html_()


def test_a_list_of_nothing_says_so():
    page = pages.refuted("paper", [])
    assert repr(page) == "none" and "None." in page._repr_html_()


def test_every_claim_of_the_paper_that_fails_is_in_the_errata():
    lines = [line for which in pages.FAILURES for line in repr(pages.refuted(which)).splitlines()]
    failed = [r for r in verdicts.records() if r.fields["kind"] in ("refuted", "violated")]
    unskilled = [r for r in verdicts.records() if r.fields["kind"] == "unskilled" and r.whose == "paper"]
    assert len([line for line in lines if line != "none"]) == len(failed) + len(unskilled)


# --- all claims -----------------------------------------------------------------------------


@pytest.fixture
def trained(monkeypatch):
    """Stored runs that say where they come from: two trials, a day apart."""
    made = [{"commit": "0123456789abcdef", "at": 0}, {"commit": "0123456789abcdef", "at": 86400}]
    monkeypatch.setattr(registry, "_trials", {"default-fresh": made}.__getitem__)


def test_the_table_of_all_claims_shows_what_a_reader_has_to_know(found, trained):
    markup = registry.all_claims(found)._repr_html_()
    rows = dict(re.findall(r'<tbody id="made\.([\w-]+)"(.*?)</tbody>', markup, flags=re.S))
    assert set(rows) == set(CLAIMS)
    row = rows["predicted"]
    for told in (
        "Networks &lt;of the paper&gt; do what is said about eq 38.",
        "the paper&#x27;s claim (prediction)",
        "below 1 in 95% of runs, in all of fewer than 20: a reason",
        "seeds 0-9: the worst 0.1; median 0.1, 5-95% 0.1 to 0.1, 10 runs",
        "seeds 100-119, trained afterwards: the worst 0.1",
        "a mean; skill 0.97 (0.97 to 0.97) explored, 0.97 (0.97 to 0.97) fresh",
        "trained from commit 0123456789 on 1970-01-01 to 1970-01-02",
        "confirmed on fresh seeds",
        "<dt>entry</dt><dd>made.predicted</dd>",
    ):
        assert told in row
    assert next(r.link for r in found if r.judgement and r.judgement["id"] == "made.predicted") in row
    assert "chosen on the explored data" in rows["not-so"] and "fresh" not in rows["not-so"]


def test_claims_can_be_chosen_by_their_outcome(found, trained):
    markup = registry.all_claims(found)._repr_html_()
    assert "urep-filtered urep-cards" in markup
    outcomes = re.findall(r'<tbody id="[^"]+" data-status="([^"]+)"', markup)
    failures = [outcome for outcome in outcomes if "does not hold, exploratory" in outcome]
    assert len(failures) == 3 and len(set(failures)) == 3  # the paper's, the code's, the book's
    assert sum("does not hold, on fresh seeds" in outcome for outcome in outcomes) == 1
    assert "no better than a model that knows less, exploratory" in outcomes


def test_some_claims_answer_with_their_numbers_and_lead_to_their_checks(found):
    page = registry.answers("made.predicted", found=found)
    said = "the worst 0.1; median 0.1, 5-95% 0.1 to 0.1, 9 runs; wanted below 1 in 95% of runs"
    assert repr(page).startswith(f"made.predicted: confirmed on fresh seeds; {said}")
    link = next(r.link for r in found if r.judgement and r.judgement["id"] == "made.predicted")
    assert f'href="{link}"' in page._repr_html_() and said in page._repr_html_()
    assert "Networks &lt;of the paper&gt; do" in page._repr_html_()
    with pytest.raises(ValueError, match=r"claims that a page judges, got made\.nothing"):
        registry.answers("made.predicted", "made.nothing", found=found)


def test_each_of_the_books_own_equations_leads_to_its_derivation():
    lines = repr(pages.own_equations()).splitlines()
    assert all(re.match(r" *\S+ [1-9]\d* (symbolic|verification|definition)\b", line) for line in lines)


def test_the_books_own_results_have_a_table_of_their_own(tmp_path):
    reference(
        tmp_path,
        "theory/new",
        check("book exact solution", "it is <solved>", derived=2 * X, registered=X + X),
    )
    page = pages.beyond(verdicts.records(tmp_path))
    assert repr(page) == "book exact solution: symbolic: it is <solved>"
    assert "it is &lt;solved&gt;" in page._repr_html_()
    assert 'href="theory/new.html#check-book-exact-solution-' in page._repr_html_()
    assert "<td>book</td>" in page._repr_html_()


MUTANTS = {
    "commit": "0123456789abcdef",
    "sampled": 7,
    "equations": {
        "(10)": {"mutants": 5, "accused": 3, "raised": 1, "survived": ["dh2_inf: exponent < 3"]},
        "(E9)": {"mutants": 6, "accused": 6, "raised": 0, "survived": []},
    },
}


def test_the_status_page_counts_mutants_and_names_the_survivors():
    page = pages.mutants_table(MUTANTS)
    assert repr(page).splitlines()[1].split() == ["11", "9", "1", "1", "7", "0123456789"]
    assert repr(page).splitlines()[2:] == ["(10): dh2_inf: exponent < 3"]
    assert "exponent &lt; 3" in page._repr_html_()
    only = {"equations": {"(E9)": MUTANTS["equations"]["(E9)"]}}
    assert repr(pages.mutants_table(MUTANTS | only)).endswith("No mutant survived.")


def test_records_of_this_checkout_are_there(monkeypatch, tmp_path):
    assert verdicts.records()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileNotFoundError, match="run inside a checkout"):
        verdicts.references_folder()


def test_the_verdicts_of_an_item_come_in_the_order_of_the_book():
    toc = (verdicts.references_folder().parents[1] / "_toc.yml").read_text(encoding="utf-8")
    places = [toc.index(f"book/{record.page}\n") for record in verdicts.records()]
    assert places == sorted(places) and len(set(places)) > 10


def test_the_notation_has_a_row_for_each_letter():
    from urep.equations import NOTATION

    markup = pages.notation()._repr_html_()
    assert all(f"<code>{q.name}</code>" in markup for q in NOTATION)
    assert len({q.name for q in NOTATION}) == len(NOTATION)
    # dy and dy* are also those of scalar outputs, of which they are then the only component.
    assert len({q.latex for q in NOTATION}) == len(NOTATION) - 2

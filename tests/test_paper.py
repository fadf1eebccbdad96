"""The map and the tally: every item of the paper, every verdict counted, none typed."""

import json
import re

import pytest

from urep.checks import MIME, check
from urep.site import items, pages, verdicts


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


@pytest.fixture
def found(tmp_path):
    because = "a reason"
    reference(
        tmp_path, "theory/one",
        check("eq 38", "proved <here>", derived=1, registered=1),
        check("eq 38", "seen", empirical=0.1, below=0.2, because=because),
        check("eq 39", "not so", refuted=2.0, above=1.0, because=because),
        check("eq 39", "still so", derived=1, registered=1),
        check("eq 40", "wrong", refuted=2.0, above=1.0, because=because),
    )  # fmt: skip
    reference(tmp_path, "experiments/two", check("fig 2", "fits", empirical=0.1, below=0.2, because=because))
    return verdicts.records(tmp_path)


def test_records_are_found_wherever_the_references_lie(found):
    assert [r.page for r in found] == ["experiments/two", *["theory/one"] * 5]


def test_status_is_made_from_all_that_was_said_of_an_item(found):
    status = {
        key: verdicts.status([r for r in found if r.fields["item"] == key])
        for key in ("eq 38", "eq 39", "eq 40", "fig 2", "eq 1")
    }
    assert status == {
        "eq 38": "proved",
        "eq 39": "holds in part",
        "eq 40": "does not hold",
        "fig 2": "checked",
        "eq 1": "planned",
    }


def test_the_map_links_each_mark_to_its_verdict(found):
    page = pages.paper_map("eq", found)
    markup = page._repr_html_()
    assert len(re.findall(r'<tbody id="eq-\d+"', markup)) == 50
    hrefs = [href for href in re.findall(r'href="([^"]+)"', markup) if "explorer" not in href]
    own = [r for r in found if r.fields["item"].startswith("eq")]
    # eq 38 proved, then seen; eq 39 proved, then refuted although it says so first; eq 40 refuted
    assert hrefs == [own[n].link for n in (0, 1, 3, 2, 4)]
    assert hrefs[0].startswith("theory/one.html#check-eq-38-")
    assert "proved &lt;here&gt;" in markup
    assert repr(page).splitlines()[37] == " 38 proved"
    with pytest.raises(ValueError, match="kind must be 'eq', 'fig' or 'table', got 'equation'"):
        pages.paper_map("equation", found)


def test_the_tally_counts(found):
    plain = repr(pages.tally(found))
    assert "3 of 50  equations" in plain
    assert "1 of 16  figures" in plain
    assert "0 of 2  tables" in plain
    assert re.search(r"2  symbolic", plain)
    assert re.search(r"2  refuted", plain)


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
    refuted = [r.link for r in found if r.fields["kind"] == "refuted"]
    assert ticks["holds in part"] in refuted and ticks["does not hold"] in refuted
    assert "check-eq-38-" in ticks["proved"] and "check-fig-2-" in ticks["checked"]
    assert markup.count('data-status="planned"') == 47 + 15 + 2
    assert 'aria-label="Equation 40, ‖dy‖² along it: does not hold"' in markup


def test_all_that_does_not_hold_is_listed_in_the_papers_order_with_its_margin(found):
    page = pages.refuted(found)
    assert repr(page).splitlines() == ["(39): not so", "(40): wrong"]
    assert "2, above 1: a reason" in page._repr_html_()
    assert len(repr(pages.refuted()).splitlines()) == sum(
        r.fields["kind"] == "refuted" for r in verdicts.records()
    )


def test_each_of_the_books_own_equations_leads_to_its_derivation():
    lines = repr(pages.own_equations()).splitlines()
    assert all(re.fullmatch(r" *\S+ [1-9]\d* derived", line) for line in lines)


def test_the_books_own_results_have_a_table_of_their_own(tmp_path):
    reference(tmp_path, "theory/new", check("book exact solution", "it is <solved>", derived=1, registered=1))
    page = pages.beyond(verdicts.records(tmp_path))
    assert repr(page) == "book exact solution: symbolic: it is <solved>"
    assert "it is &lt;solved&gt;" in page._repr_html_()
    assert 'href="theory/new.html#check-book-exact-solution-' in page._repr_html_()


def test_records_of_this_checkout_are_there(monkeypatch, tmp_path):
    assert verdicts.records()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileNotFoundError, match="run inside a checkout"):
        verdicts.references_folder()


def test_the_notation_has_a_row_for_each_letter():
    from urep.equations import NOTATION

    markup = pages.notation()._repr_html_()
    assert all(f"<code>{q.name}</code>" in markup for q in NOTATION)
    assert len({q.name for q in NOTATION}) == len(NOTATION)
    # dy and dy* are also those of scalar outputs, of which they are then the only component.
    assert len({q.latex for q in NOTATION}) == len(NOTATION) - 2

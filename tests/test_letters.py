"""Letters in formulas: which are marked, with what name, and that nothing else of the formula changes."""

import re

import letters
import pytest
import typeset
from typeset import Formula

from urep.equations import NOTATION, book, paper


@pytest.fixture(scope="module")
def drawn():
    return letters.drawings()


@pytest.fixture(scope="module")
def mark(drawn):
    return letters.marker(letters.signs(drawn), letters.registered())


def page(*formulas):
    """A page with these formulas of TeX, each on its own line."""
    wanted = [Formula(tex, True) for tex in formulas]
    done = typeset.typeset(wanted)
    return "<article>" + "".join(done[formula] for formula in wanted) + "</article>"


def names(text, mark):
    return letters.explained(text, mark)[1]


@pytest.mark.parametrize(
    ("tex", "found"),
    [
        (r"\|dh\|^2 + \|dh(\infty)\|^2", ["dh2", "dh2_inf"]),
        (r"\frac{1}{\tau_h} D_y^\top", ["tau_h", "D_y"]),
        (r"A_{\mathrm{low}}^2", ["A_low"]),
        (r"\bar y_j^* - \bar y_j", ["y_mean_j_target", "y_mean_j"]),
        (r"\|dh\| \|dy^*\|", ["dh2**0.5", "dy2_target**0.5"]),
        (r"w + t + a", []),  # plain signs, which other texts use for other things
    ],
)
def test_signs_of_several_parts_are_the_same_letters_everywhere(tex, found, mark):
    assert names(page(tex), mark) == found


def test_plain_letters_are_marked_in_registered_equations(mark):
    found = names(page(paper[7].latex()), mark)
    assert set(found) == {"t", "dh2", "dy2", "w", "dx2", "tau_h", "tau_y", "dy2_target"}


@pytest.mark.parametrize("label", ["E5", "E40", "E44"])
def test_every_letter_of_an_equation_is_found_in_what_is_typeset(label, mark):
    found = set(names(page(book[label].latex()), mark))
    symbols = {atom for relation in book[label].relations for atom in relation.free_symbols}
    found |= {name.removesuffix(letters.ROOT) for name in found}
    wanted = {quantity.name for quantity in NOTATION if quantity.symbol in symbols}
    wanted -= {"t"}  # time is left out where a letter depends on it
    assert wanted <= found


def test_a_formula_keeps_its_signs(mark):
    before = page(paper[7].latex(), paper[10].latex(), r"\|dh\|^2")
    after, _ = letters.explained(before, mark)

    def shown(text):
        return re.sub(r"<[^>]+>", "", text)

    assert shown(after) == shown(before) and after != before


def test_formulas_inside_scripts_are_left_alone(mark):
    script = '<script type="application/json">{"a": "<math class=\\"tml\\">x</math>"}</script>'
    assert letters.explained(script + page(r"\tau_h"), mark)[0].startswith(script)


def test_the_table_says_what_the_notation_says(drawn):
    text = letters.table(["tau_h", "w"], drawn)
    rows = re.findall(r'<tr data-letter-row="(\w+)">(.*?)</tr>', text)
    assert [name for name, _ in rows] == ["tau_h", "w"]
    assert "effective time constant of the encoder" in rows[0][1] and "<code>tau_h</code>" in rows[0][1]


def test_a_site_is_marked_page_by_page(tmp_path):
    for name, text in {"one.html": page(r"\tau_h"), "two.html": "<article>none</article>"}.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    letters.finish(tmp_path)
    one = (tmp_path / "one.html").read_text(encoding="utf-8")
    assert 'data-letter="tau_h"' in one and one.endswith("</details></article>")
    assert (tmp_path / "two.html").read_text(encoding="utf-8") == "<article>none</article>"


def test_the_letters_of_the_built_site_are_marked_and_each_is_in_its_pages_table(site):
    pages = ("book/paper_map.html", "book/theory/reduction.html", "book/theory/lazy_dynamics.html")
    for text in ((site / name).read_text(encoding="utf-8") for name in pages):
        marked = set(re.findall(r'<m[a-z]+\b[^>]* data-letter="([^"]+)"', text))
        assert {"tau_h", "dh2"} <= marked
        assert marked == set(re.findall(r'<tr data-letter-row="([^"]+)"', text))

"""Formulas: what is typeset and what is refused, where a long one may break, which signs its font has."""

import io
import re
from xml.etree.ElementTree import fromstring

import math_font
import mathml
import pytest
import typeset
from fontTools.ttLib import TTFont
from typeset import Formula


def words(tree):
    """What a tree shows, without its structure."""
    return "".join(tree.itertext())


@pytest.fixture(scope="module")
def seven():
    """A formula of three rows whose last is long, with a number."""
    last = r"\frac{x + y}{2} - \left(p + q r s t u v n m k\right) + e^{a + b} z_1 z_2 z_3"
    rows = rf"a &= b \cr \|dy\| &= \sqrt{{c}} \cr w &= {last}"
    formula = Formula(rf"\begin{{aligned}} {rows} \end{{aligned}} \tag{{E7}}", True)
    return typeset.typeset([formula])[formula]


def test_a_number_stands_beside_its_formula_and_not_inside_it(seven):
    number, formula = re.fullmatch(
        r'<span class="eqno">\((.+?)\)</span><div class="urep-formula">(.+)</div>', seven
    ).groups()
    assert number == "E7" and "E7" not in formula
    assert mathml.numbered(r"x \tag{17}") == ("x ", "17")
    assert mathml.numbered(r"x \tag{a} y") == (r"x \tag{a} y", "")


def test_a_long_row_breaks_before_sums_outside_of_brackets_and_keeps_its_words(seven):
    rows = fromstring(f"<div>{seven}</div>").findall(".//mtr")
    assert [row.find(".//mrow[@class='urep-breaks']") is None for row in rows] == [True, True, False]
    assert words(rows[2]) == "w=x+y2−(p+qrstuvnmk)+ea+bz1z2z3"
    pieces = [words(piece) for piece in rows[2].find(".//mrow[@class='urep-breaks']")]
    assert pieces == ["=x+y2", "−(p+qrstuvnmk)", "+ea+bz1z2z3"]


@pytest.mark.parametrize(
    ("tex", "pieces"),
    [
        (r"aaaaaaaaaaaa = -bbbbbbbbbbbb - cccc", ["aaaaaaaaaaaa", "=−bbbbbbbbbbbb", "−cccc"]),
        (r"(aaaaaaaaaaaa + b)^2 = |cccccccc - d|", ["(aaaaaaaaaaaa+b)2", "=|cccccccc−d|"]),
        (r"aaaaaaaaaaaaaaaa,\qquad bbbbbbbbbbbbbbb", ["aaaaaaaaaaaaaaaa,", "bbbbbbbbbbbbbbb"]),
        (r"a + b = c", None),
        (r"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", None),
    ],
)  # fmt: skip
def test_where_a_formula_breaks(tex, pieces):
    formula = Formula(tex, False)
    math = fromstring(typeset.typeset([formula])[formula])
    assert (math.get("class") == "urep-breaks") == (pieces is not None)
    if pieces:
        assert [words(piece) for piece in math] == pieces


def test_a_table_of_one_row_is_no_table():
    formula = Formula(r"\begin{aligned} a &= b \end{aligned}", True)
    assert "mtable" not in typeset.typeset([formula])[formula]


def test_what_cannot_be_typeset_is_named_with_its_tex_and_its_page(tmp_path):
    (tmp_path / "_static").mkdir()
    page = '<head></head><span class="math">\\(\\frac12\\)</span><div class="math">\\[{}\\]</div>'
    (tmp_path / "page.html").write_text(page.format(r"\nosuchletter &lt; 1"))
    with pytest.raises(ValueError, match=r"page\.html: \\nosuchletter < 1\n.*nosuchletter"):
        typeset.finish(tmp_path)
    (tmp_path / "page.html").write_text(page.format("x") + '<span class="math">\\(y</span>')
    with pytest.raises(ValueError, match=r"page\.html: a formula was not typeset.*\\\(y"):
        typeset.finish(tmp_path)
    (tmp_path / "page.html").write_text(page.format("x"))
    typeset.finish(tmp_path)
    done = (tmp_path / "page.html").read_text()
    assert done.count("<math") == 2 and "\\" not in done and "math-font.css?v=" in done
    # The font is asked for in the head, once its sheet is named there.
    assert done.index("math-font.css?v=") < done.index(math_font.AHEAD) < done.index("</head>")


def test_formulas_of_previews_are_typeset_and_code_is_left_alone():
    preview = r'{"eq-1": "<b>one<\/b><div class=\"math\">\\[x &lt; 1\\]<\/div>"}'
    page = f'<code>\\(y\\)</code><script type="application/json" id="urep-previews">{preview}</script>'
    seen = []
    done = typeset.replaced(page, lambda formula: seen.append(formula) or "<math></math>")
    assert seen == [Formula("x < 1", True)]
    assert r"\(y\)" in done and r"<div class=\"math\"><math><\/math><\/div>" in done


def test_the_font_has_the_signs_in_all_their_sizes_and_no_others():
    wanted = math_font.signs(["<math><mi>x</mi><msqrt><mi>Ω</mi></msqrt><mi>sin</mi><mo>(</mo></math>"])
    assert wanted == set("x𝑥√Ω𝛺sin(")
    font = TTFont(io.BytesIO(math_font.subset(wanted)))
    assert wanted <= set(map(chr, font.getBestCmap())) <= wanted | {")"}  # a bracket brings its mirror image
    name = font.getBestCmap()[ord("(")]
    sizes = font["MATH"].table.MathVariants
    (place,) = [n for n, glyph in enumerate(sizes.VertGlyphCoverage.glyphs) if glyph == name]
    assert len(sizes.VertGlyphConstruction[place].MathGlyphVariantRecord) > 4
    with pytest.raises(ValueError, match="the font of formulas has no 猫"):
        math_font.subset({"x", "猫"})

"""What the build takes away: rules, scripts and icons that no page uses; and what it must leave."""

import icons
import pytest
import scripts
import styles
import tinycss2


def rules(sheet, known):
    """The selectors that are left of a style sheet, those inside of others too."""
    left = styles.lean(sheet, set(known.split()))
    return [
        tinycss2.serialize(rule.prelude).strip() for rule in tinycss2.parse_stylesheet(left, True, True)
    ], left


def test_a_rule_stays_if_every_name_that_it_needs_is_known():
    sheet = """
        @charset "utf-8";
        /*! licence */ /* no licence */
        .a, .b > .c, p, #d.a { color: red; /* why */ }
        .a:not(.b), [class*="b"], .a:is(.b, .c) { top: 0 }
        .b { left: 0 }
        .modal-open .tooltip-inner { right: 0 }
        @media print { .b { left: 0 } .a { left: 1px } }
        @media screen { .c { left: 0 } }
        :root { --x: "\\f071"; }
        @font-face { font-family: "f"; src: url(x.woff2); }
    """
    seen, left = rules(sheet, "a")
    assert seen == [
        ".a,p", '.a:not(.b),[class*="b"],.a:is(.b, .c)', ".modal-open .tooltip-inner", "print", ":root", "",
    ]  # fmt: skip
    assert "/*! licence */" in left and "no licence" not in left and "why" not in left
    assert ".a{left: 1px}" in left and '--x: "\uf071"' in left
    seen, _ = rules(sheet, "a b c d")
    assert ".a,.b > .c,p,#d.a" in seen and ".b" in seen and "screen" in seen


def test_names_come_from_pages_and_from_scripts():
    page = '<p class="a b-c" id="d">e</p><script>f.classList.add("g-h")</script>'
    assert styles.words([page], ["x = 'i j'"]) >= {"a", "b-c", "d", "g-h", "i", "j"}
    assert "e" not in styles.words([page], [])


def test_names_come_from_scripts_that_are_loaded_later_too(tmp_path):
    (tmp_path / "start.js").write_text('load("later.js"); load("missing.js")')
    (tmp_path / "later.js").write_text('element("p", { class: "late" }); load("start.js")')
    (tmp_path / "other.js").write_text("never")
    found = styles._with_later_ones(tmp_path, {"start.js"})
    assert set(found) == {"start.js", "later.js"} and "late" in styles.words([], found.values())


def test_a_page_keeps_the_scripts_that_it_uses_and_waits_for_none():
    page = """
<link rel="preload" as="script" href="a.js" />
<script src="_static/documentation_options.js?v=1"></script>
<script src="_static/doctools.js?v=1"></script>
<script src="_static/copybutton.js"></script>
<script src="_static/togglebutton.js"></script>
<script src="_static/design-tabs.js"></script>
<script src="searchindex.js"></script>
<script defer="defer" src="_static/own.js"></script>
<script>let a = 1;</script>
<script type="text/x-thebe-config">{}</script>
<div class="dropdown-menu">{}</div>"""
    lean = scripts.lean(page, "const DOCUMENTATION_OPTIONS = {};")
    assert [line.strip() for line in lean.splitlines() if "script" in line] == [
        "<script>const DOCUMENTATION_OPTIONS = {};</script>",
        '<script defer src="_static/doctools.js?v=1"></script>',
        '<script defer="defer" src="_static/own.js"></script>',
        "<script>let a = 1;</script>",
    ]
    used = (
        '<div class="solution dropdown admonition"><div class="highlight"></div></div><p id="search-results">'
    )
    lean = scripts.lean(page + used, "")
    for name in ("copybutton", "togglebutton", "searchindex"):
        assert f"{name}.js" in lean
    assert "design-tabs" not in lean
    assert 'src="searchindex.js"' not in lean


SCRIPT = (
    'far={"file":[384,512,[],"f15b","M1 hollow"]};fas={bars:[448,512,["navicon"],"f0c9","M2 bars"],'
    '"file":[384,512,[],"f15b","M3 solid"]}'
)


def test_icons_are_drawn_in_their_place_with_their_classes():
    known = icons.drawings(SCRIPT)
    drawn = icons.drawn('<i class="switch fas fa-navicon fa-lg" data-mode="dark" title="T"></i>', known)
    assert drawn == (
        '<svg class="svg-inline--fa switch fa-navicon fa-lg" data-icon="navicon" data-mode="dark" '
        'aria-hidden="true" focusable="false" viewBox="0 0 448 512">'
        '<path fill="currentColor" d="M2 bars"/></svg>'
    )
    assert known["file"][2] == "M3 solid"
    with pytest.raises(KeyError, match="nothing"):
        icons.drawn('<span class="fa-solid fa-nothing"></span>', known)

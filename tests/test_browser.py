"""The site in a real browser: what pages ask for, say, weigh, and answer; light and dark, wide and narrow."""

import os
from dataclasses import dataclass

import math_font
import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from screenshot import CHROMIUM, FLAGS, opened, pages, served

import urep
from urep import growth

EXPLORER = "book/explorer.html"
WIDE = """() => {
  const boxes = [...document.querySelectorAll(".urep-formula, figure.urep-figure:not([hidden])")];
  const pictures = [...document.querySelectorAll("figure.urep-figure:not([hidden]) > svg[viewBox]")];
  const scrolls = (box) => box.scrollWidth > box.clientWidth + 1;
  const seen = (box) => ({ tabindex: box.getAttribute("tabindex"), role: box.getAttribute("role") });
  return {
    formulas: boxes.filter((box) => box.matches(".urep-formula")).length,
    pictures: pictures.map((svg) => svg.getBoundingClientRect().width / svg.viewBox.baseVal.width),
    scrolling: boxes.filter(scrolls).map(seen),
    "other stops": boxes.filter((box) => !scrolls(box) && box.hasAttribute("tabindex")).length,
  };
}"""
"""Formulas on lines of their own, and figures: how many, the pixels that a point of a picture takes, boxes
that are too wide, others that the tab key stops at."""

LIBRARIES = ("plotly", "uplot")
"""What only pages that ask for it load, and is not counted as their weight."""


THEMES = ("light", "dark")


@pytest.fixture(scope="module")
def server(site):
    with served(site) as address:
        yield address


@pytest.fixture(scope="module")
def browser():
    if CHROMIUM is None and os.environ.get("CI"):
        pytest.fail(
            "no Chromium on this machine, where CI is set: nothing would look at the site", pytrace=False
        )
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine (apt-get install chromium)")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(params=THEMES)
def context(request, browser):
    context = browser.new_context(color_scheme=request.param, viewport={"width": 1300, "height": 900})
    yield context
    context.close()


def names(site):
    """Addresses of the pages that are to be read, below the server's."""
    found = [path.relative_to(site).as_posix() for path in pages(site)]
    return [name for name in found if name not in ("genindex.html", "search.html", "index.html")]


# --- all pages, each loaded once a theme ------------------------------------------------------


ONCE = """() => {
  const seen = new Set();
  for (const word of document.querySelectorAll(".highlight span[class]")) {
    const kind = word.className + " in " + word.closest(".highlight").parentElement.parentElement.className;
    if (seen.has(kind)) word.replaceWith(...word.childNodes);
    seen.add(kind);
  }
}"""
"""What axe, which takes most of the time, need not look at: words of code that are coloured as another one in
such a block on the same page."""


AA = {"target-size": {"enabled": True}, "label-content-name-mismatch": {"enabled": True}}
"""Rules of WCAG 2.2 AA that axe has and leaves off."""


DRAWN = """() => {
  const formulas = [...document.querySelectorAll(".math")];
  const drawn = (box) => {
    const { width, height } = box.querySelector("math")?.getBoundingClientRect() ?? { width: 0, height: 0 };
    return (width > 2 && height > 2) || !box.checkVisibility();
  };
  return [formulas.length, formulas.filter((box) => !drawn(box)).map((box) => box.outerHTML.slice(0, 200))];
}"""
"""How many formulas a page has, and those that take no place in it though nothing hides them."""


@dataclass(frozen=True)
class Seen:
    """What one page, loaded once in one theme, asked for, said and measured."""

    name: str
    asked: list[str]
    complaints: list[str]
    formulas: int
    not_drawn: list[str]
    violations: list[str]
    sizes: dict[str, int]
    width: int

    @classmethod
    def of(cls, name, page):
        """The page as it is wide; made narrow, how wide it wants to be; wide again, what axe finds."""
        sizes = page.evaluate(
            "[...performance.getEntriesByType('resource'), ...performance.getEntriesByType('navigation')]"
            ".map(entry => [entry.name, entry.decodedBodySize])"
        )
        formulas, not_drawn = page.evaluate(DRAWN)
        wide = page.viewport_size
        page.set_viewport_size({"width": 360, "height": 740})
        width = page.evaluate(
            "async () => { for (let i = 0; i < 3; i++) await new Promise(requestAnimationFrame);"
            " return document.documentElement.scrollWidth; }"
        )
        page.set_viewport_size(wide)
        # What axe makes a page ask and complain of is not the page's own.
        asked, complaints = list(page.asked), list(page.complaints)
        page.evaluate(ONCE)
        found = Axe().run(page, options={"rules": AA})
        violations = [
            f"{violation['id']}: {violation['nodes'][0]['html'][:120]}"
            for violation in found.response["violations"]
            if violation["impact"] in ("serious", "critical")
        ]
        return cls(name, asked, complaints, formulas, not_drawn, violations, dict(sizes), width)


@pytest.fixture(scope="module", params=THEMES)
def seen(request, site, server, browser):
    """All pages in one theme."""
    looked = []
    context = browser.new_context(color_scheme=request.param, viewport={"width": 1300, "height": 900})
    for name in names(site):
        page = opened(context, server + name)
        if name == EXPLORER:
            page.locator("figure.urep-figure").first.scroll_into_view_if_needed()  # which starts it
            page.wait_for_function("window.urepExplorer")
        looked.append(Seen.of(name, page))
        page.close()
    context.close()
    return looked


def test_pages_ask_no_other_host(seen, server):
    for page in seen:
        assert page.asked, f"{page.name} asks for nothing at all"
        foreign = [url for url in page.asked if not url.startswith((server, "data:", "blob:"))]
        assert not foreign, f"{page.name} asks {foreign}"


def test_pages_say_nothing_on_the_console(seen):
    assert not {page.name: page.complaints for page in seen if page.complaints}


def test_all_formulas_are_drawn(seen):
    assert not {page.name: page.not_drawn for page in seen if page.not_drawn}
    assert sum(page.formulas for page in seen) > 500


def test_pages_can_be_read_by_all(seen):
    """Axe finds no serious or critical violation."""
    assert not {page.name: page.violations for page in seen if page.violations}


def test_pages_can_be_read_at_360_pixels(seen):
    assert not {page.name: page.width for page in seen if page.width > 360}


NARROW = {"runOnly": {"type": "rule", "values": [*AA, "scrollable-region-focusable"]}}
"""What axe looks for on a phone: what the width of a page changes."""

STANDS = """async () => {
  for (let i = 0; i < 3; i++) await new Promise(requestAnimationFrame);
}"""
"""Waits until a page is laid out and its scripts have seen how wide it is."""


def test_each_page_can_be_touched_at_360_pixels_and_what_is_wider_reached_by_keyboard(site, server, browser):
    context, scrolled = browser.new_context(viewport={"width": 360, "height": 740}), 0
    for name in names(site):
        page = opened(context, server + name)
        # What is far below is not laid out on a phone, where axe asks what covers what.
        page.add_style_tag(content="* { content-visibility: visible !important }")
        if name == EXPLORER:
            page.locator("figure.urep-figure").first.scroll_into_view_if_needed()
            page.wait_for_function("window.urepExplorer")
        page.evaluate(STANDS)
        wide = page.evaluate(WIDE)
        page.evaluate(ONCE)
        assert all(box == {"tabindex": "0", "role": "group"} for box in wide["scrolling"]), name
        assert wide["other stops"] == 0, name
        assert all(pixels >= 1 for pixels in wide["pictures"]), name  # eight points are eight pixels high
        found = Axe().run(page, options=NARROW).response["violations"]
        assert not [(violation["id"], violation["nodes"][0]["html"][:120]) for violation in found], name
        scrolled += len(wide["scrolling"])
        page.close()
    assert scrolled > 50  # the question is asked
    context.close()


def test_few_formulas_of_the_map_are_too_wide_for_a_phone_and_none_for_a_desk(server, browser):
    context = browser.new_context(viewport={"width": 360, "height": 740})
    page = opened(context, server + "book/paper_map.html")
    page.add_style_tag(content="* { content-visibility: visible !important }")
    page.wait_for_function("document.querySelectorAll('.urep-formula[tabindex]').length > 0")
    wide = page.evaluate(WIDE)
    assert wide["formulas"] > 60 and len(wide["scrolling"]) <= 5
    page.set_viewport_size({"width": 1300, "height": 900})
    page.wait_for_function("document.querySelectorAll('.urep-formula[tabindex]').length === 0")
    context.close()


def _of_a_library(url):
    return any(library in url.lower() for library in LIBRARIES)


def test_no_page_weighs_over_two_megabytes(seen):
    for page in seen:
        counted = {url: size for url, size in page.sizes.items() if not _of_a_library(url)}
        assert 0 < sum(counted.values()) < 2e6, f"{page.name}: {sum(counted.values())} bytes"
        for library in LIBRARIES:
            scripts = [url for url in page.sizes if library in url.lower() and ".js" in url]
            wanted = library == "uplot" and page.name == EXPLORER
            assert len(scripts) == wanted, f"{page.name}: {scripts}"


# --- single pages ---------------------------------------------------------------------------


def test_the_icons_that_are_left_are_all_that_pages_show(server, context):
    page = opened(context, server + "book/theory/model.html")
    icons = page.locator(".bd-header-article svg.svg-inline--fa")
    icons.first.wait_for()
    assert icons.count() >= 4
    for icon in icons.all():
        name = icon.get_attribute("data-icon")
        assert len(icon.locator("path").first.get_attribute("d")) > 20, f"the icon {name} is missing"
    assert page.locator("svg[data-icon='question'], svg[data-icon='circle-question']").count() == 0


def test_the_search_finds_an_equation_by_what_it_says(server, context):
    page = opened(context, server + "search.html?q=Bernoulli")
    found = page.locator("#search-results a", has_text="Equation (38)")
    found.first.wait_for(timeout=30_000)
    found.first.click()
    page.wait_for_url("**/paper_map.html*#eq-38")
    assert page.locator("tbody#eq-38").is_visible()


def test_the_index_of_all_words_is_not_fetched_before_somebody_searches(server, context):
    page = context.new_page()
    fetched = []
    page.on("request", lambda request: fetched.append(request.url))
    for query, wanted in (("", False), ("?q=Bernoulli", True)):
        page.goto(server + "search.html" + query, wait_until="networkidle")
        assert any("searchindex.js" in url for url in fetched) == wanted


def test_the_font_of_formulas_is_read_before_any_formula_is_there(server, context):
    page = context.new_page()

    def headed(route):
        text = route.fetch().text()
        route.fulfill(body=text[: text.index("<body")] + "<body></body></html>", content_type="text/html")

    page.route("**/*.html", headed)
    page.goto(server + "book/notation.html")
    # A font that nothing asks for stays "unloaded", and its page is ready.
    state = """name => document.fonts.ready.then(
      fonts => [...fonts].filter(font => font.family.includes(name)).map(font => font.status))"""
    assert page.evaluate(state, math_font.FAMILY) == ["loaded"]


COLUMNS = """table => [...table.tHead.rows[0].cells].map(cell => cell.getBoundingClientRect().width)"""


@pytest.mark.parametrize("width", [360, 1300])
def test_the_columns_of_the_notation_are_as_wide_while_rows_and_font_are_still_to_come(
    server, context, width
):
    page = opened(context, server + "book/notation.html")
    page.set_viewport_size({"width": width, "height": 823})
    table = page.locator("section table.urep-map")
    whole = table.evaluate(COLUMNS)
    assert table.evaluate("table => [...table.rows].every(row => [...row.cells].every(cell => "
                          "cell.scrollWidth <= cell.clientWidth))")  # fmt: skip
    page.add_style_tag(content="math { font-family: monospace !important }")
    assert table.evaluate(COLUMNS) == whole
    table.evaluate("table => { while (table.tBodies[0].rows.length > 1) table.deleteRow(-1); }")
    assert len(whole) == 6 and table.evaluate(COLUMNS) == whole


def test_from_the_front_page_an_equation_is_two_clicks_away_and_its_proof_and_its_slider_one_more(
    server, context
):
    page = opened(context, server + "book/index.html")
    page.get_by_role("link", name="From the paper to the book").first.click()
    row = page.locator("tbody#eq-10")
    assert row.locator("math msqrt").first.bounding_box()["height"] > 20
    row.locator("a.urep-symbolic").first.click()
    page.wait_for_url("**/theory/*.html#check-eq-10-*")
    assert page.locator(".urep-verdict:target").is_visible()
    page.go_back()
    page.locator("tbody#eq-10 a", has_text="explore").click()
    page.wait_for_url("**/explorer.html?*")
    page.wait_for_selector(".urep-explorer canvas")


def test_the_map_can_be_filtered_by_status_and_by_words(server, context):
    page = opened(context, server + "book/paper_map.html")
    bar = page.locator(".urep-filter").first
    rows = page.locator("table.urep-filtered").first.locator("tbody")
    assert rows.count() == 50 and bar.locator("output").inner_text() == "50 of 50"
    bar.locator("input").fill("jacobian")
    shown = [row for row in rows.all() if row.is_visible()]
    assert [row.get_attribute("id") for row in shown] == ["eq-29", "eq-32"]
    bar.locator("input").fill("")
    bar.locator("select").select_option("holds in part")
    shown = [row for row in rows.all() if row.is_visible()]
    assert shown and all(row.get_attribute("data-status") == "holds in part" for row in shown)


def test_all_claims_can_be_chosen_by_outcome_and_by_words_on_a_phone(server, context):
    page = opened(context, server + "book/claims.html")
    page.set_viewport_size({"width": 360, "height": 740})
    bar, rows = page.locator(".urep-filter"), page.locator("table.urep-cards tbody")
    total = rows.count()
    bar.locator("select").select_option("confirmed on fresh seeds")
    bar.locator("input").fill("the paper's claim")
    shown = [row for row in rows.all() if row.is_visible()]
    assert 0 < len(shown) < total and bar.locator("output").inner_text() == f"{len(shown)} of {total}"
    assert all(row.get_attribute("data-status") == "confirmed on fresh seeds" for row in shown)
    link = shown[0].locator("a").last
    page.goto(server + "book/" + link.get_attribute("href"))
    assert page.locator(".urep-verdict:target .urep-facts").is_visible()


def test_numbers_of_the_paper_are_links_that_show_their_equation_on_focus_until_escape(server, context):
    page = opened(context, server + "book/theory/final_distance.html")
    link = page.locator("article a.urep-number[href$='#eq-10']").first
    link.focus()
    preview = page.locator("#urep-preview")
    assert preview.locator("math msqrt").bounding_box()["height"] > 20
    assert "final representational distance" in preview.inner_text()
    assert link.get_attribute("aria-describedby") == "urep-preview"
    page.keyboard.press("Escape")
    assert preview.is_hidden()
    link.hover()
    preview.wait_for(state="visible")
    page.goto(server + "book/theory/exact_solution.html")
    page.locator("article a[href*='bibliography.html#']").first.focus()
    page.locator("#urep-preview", has_text="Saxe et al. (2014): Exact solutions").wait_for()


FORMULA = """letter => {
  const box = letter.getBoundingClientRect(), whole = letter.closest("math").getBoundingClientRect();
  return [box.width, box.height, whole.width, whole.height, getComputedStyle(letter).fontSize];
}"""


def test_letters_of_formulas_say_what_they_mean_and_stay_where_they_are(server, context):
    page = opened(context, server + "book/theory/reduction.html")
    said, letter = page.locator("#urep-letter-box"), page.locator("article math [data-letter=tau_h]").first
    before = letter.evaluate(FORMULA)
    letter.hover()
    said.wait_for(state="visible")
    assert "effective time constant of the encoder" in said.inner_text() and "tau_h" in said.inner_text()
    assert letter.evaluate(FORMULA) == before
    page.keyboard.press("Escape")
    assert said.is_hidden()
    shown = set(page.eval_on_selector_all("math [data-letter]", "all => all.map(one => one.dataset.letter)"))
    rows = page.locator(".urep-letters tr[data-letter-row]")
    assert set(rows.evaluate_all("all => all.map(row => row.dataset.letterRow)")) == shown
    page.get_by_text("Letters on this page").click()
    page.get_by_role("cell", name="tau_h", exact=True).wait_for()
    assert not page.complaints


def test_one_letter_of_a_page_is_a_stop_of_the_tab_key_and_arrows_lead_to_the_others(server, context):
    page = opened(context, server + "book/theory/reduction.html")
    said, stops = page.locator("#urep-letter-box"), page.locator("math [data-letter][tabindex='0']")
    here = "[document.activeElement.dataset.letter, document.activeElement.getAttribute('aria-describedby')]"
    formulas = "[...document.querySelectorAll('math')].indexOf(document.activeElement.closest('math'))"
    assert stops.count() == 1
    stops.focus()
    page.keyboard.press("Shift+Tab")
    assert page.evaluate("document.activeElement.closest('math')") is None
    page.keyboard.press("Tab")
    first, described = page.evaluate(here)
    assert described == said.get_attribute("id") and said.is_visible()
    assert "Left and right arrow" in said.inner_text()
    at = page.evaluate(formulas)
    page.keyboard.press("ArrowDown")
    assert page.evaluate(formulas) > at and stops.count() == 1 and said.is_visible()
    page.keyboard.press("ArrowUp")
    assert page.evaluate(formulas) == at and page.evaluate(here)[0] == first
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowLeft")
    assert page.evaluate(here)[0] == first
    page.keyboard.press("Escape")
    assert said.is_hidden()
    page.keyboard.press("ArrowRight")
    assert said.is_visible()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('math')") is None and said.is_hidden()


def test_a_tap_on_a_letter_says_what_it_means(server, browser):
    context = browser.new_context(viewport={"width": 360, "height": 740}, has_touch=True)
    page = opened(context, server + "book/theory/reduction.html")
    said = page.locator("#urep-letter-box")
    page.locator("article math [data-letter=tau_h]").first.tap()
    said.wait_for(state="visible")
    box = said.bounding_box()
    assert box["x"] >= 0 and box["x"] + box["width"] <= 360
    page.locator("article h1").tap()
    said.wait_for(state="hidden")
    context.close()


NODE_SEEN = """key => {
  const inside = (box, around) => box.left >= around.left && box.right <= around.right
    && box.top >= around.top && box.bottom <= around.bottom;
  const node = document.querySelector(`.urep-node[data-key="${key}"]`).getBoundingClientRect();
  const whole = { left: 0, top: 0, right: innerWidth, bottom: innerHeight };
  const box = document.querySelector(".urep-graph-box").getBoundingClientRect();
  return [inside(node, box), inside(node, whole)];
}"""
"""Whether a node of the graph is inside of what its box shows, and of what the window shows."""


@pytest.mark.parametrize("width", [1300, 360])
def test_links_into_the_graph_show_the_equation_that_they_ask_for(server, browser, width):
    context = browser.new_context(viewport={"width": width, "height": 740})
    page = opened(context, server + "book/paper_map.html")
    links = page.locator("a[href^='graph.html?focus=']")
    hrefs = links.evaluate_all("all => all.map(link => link.getAttribute('href'))")
    for label in ("39", "7", "16"):
        (href,) = {href for href in hrefs if f"focus=eq-{label}&" in href}
        page.goto(server + "book/" + href)
        page.wait_for_function("document.querySelector('#urep-focus')?.value && scrollY > 0")
        assert page.locator("#urep-focus").input_value() == f"eq-{label}"
        assert page.evaluate(NODE_SEEN, f"eq-{label}") == [True, True], (label, width)
    assert not page.complaints
    context.close()


def test_a_part_of_the_graph_can_be_chosen_and_walked_through_by_keyboard(server, context):
    page = opened(context, server + "book/graph.html")
    nodes = page.locator(".urep-node")
    every = nodes.count()
    assert page.locator(".urep-node:visible").count() == every and page.evaluate("scrollY") == 0
    page.locator("#urep-focus").select_option("eq-39")
    page.locator("#urep-depth").select_option("1")
    part = page.locator(".urep-node:visible")
    assert 1 < part.count() < every and "?focus=eq-39&depth=1" in page.url
    assert page.locator("tbody[id^='eq-']:visible").count() == part.count()
    assert page.evaluate(NODE_SEEN, "eq-39")[0]
    stop = page.locator(".urep-node[tabindex='0']")
    assert stop.count() == 1 and stop.get_attribute("data-key") == "eq-39"
    below = stop.get_attribute("data-uses").split()
    stop.focus()
    page.keyboard.press("ArrowLeft")
    assert page.evaluate("document.activeElement.dataset.key") in below and stop.count() == 1
    page.locator("#urep-focus").select_option("")
    assert page.locator(".urep-node:visible").count() == every and "focus" not in page.url
    assert not page.complaints


def test_a_page_is_printed_on_white_with_its_solutions_unfolded(server, browser):
    context = browser.new_context(color_scheme="dark")
    page = opened(context, server + "book/theory/lazy_dynamics.html")
    theme = "document.documentElement.dataset.theme"
    solution = page.locator("div.solution > .section, div.solution p").last
    assert page.evaluate(theme) == "dark" and not solution.is_visible()
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.evaluate(theme) == "light"
    solution.wait_for(state="visible")
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.evaluate(theme) == "dark"
    context.close()


# --- the explorer ---------------------------------------------------------------------------


def explored(context, address):
    """The explorer's page, once it has come into sight and begun."""
    page = opened(context, address)
    page.evaluate(IN_SIGHT)
    page.wait_for_function("window.urepExplorer")
    return page


IN_SIGHT = "document.querySelector('figure:has(metadata.urep-explorer)').scrollIntoView()"


def test_the_explorer_loads_what_it_needs_when_it_comes_into_sight(server, browser):
    """On a phone that is later; its drawing stands there until then."""
    context = browser.new_context(viewport={"width": 360, "height": 740})
    page = opened(context, server + EXPLORER)
    page.evaluate("scrollTo(0, 0)")
    page.wait_for_timeout(500)
    drawing = page.locator("svg:has(metadata.urep-explorer)")
    assert drawing.is_visible() and not [url for url in page.asked if "uplot" in url or "solution.js" in url]
    page.evaluate(IN_SIGHT)
    page.wait_for_selector(".urep-explorer canvas")
    assert drawing.is_hidden() and not page.complaints
    context.close()


def test_the_explorer_has_the_numbers_of_solve(server, browser):
    """Hundreds of states over all that its sliders reach, vector outputs and both signs of A_high."""
    context = browser.new_context()
    page = explored(context, server + EXPLORER)
    random = np.random.default_rng(0)
    cases = []
    for _ in range(400):
        tau_h, tau_y = 10 ** random.uniform(0, 5, 2)
        cases.append({
            "tau_h": tau_h, "tau_y": tau_y, "dh2_0": 10 ** random.uniform(-6, 2),
            "dy2_0": 10 ** random.uniform(-10, 2), "dx2": 10 ** random.uniform(-2, 2),
            "dy2_target": random.uniform(0.01, 4), "cosine": random.choice([1, -1, random.uniform(-1, 1)]),
            "until": 10 ** random.uniform(0, 6),
        })  # fmt: skip
    seen = page.evaluate(
        "cases => cases.map(c => { const k = urepSolution.prepare(c);"
        " return [k.dh2_inf, ...Array.from({ length: 40 }, (_, i) => {"
        " const now = urepSolution.at(k, c.until * i / 39, 0.7, 300);"
        " return [now.dh2, now.dy2, now.w, now.loss]; })]; })",
        cases,
    )
    for case, (end, *rows) in zip(cases, seen, strict=True):
        task, rates = urep.TwoPoint(case["dx2"], case["dy2_target"]), urep.Rates(case["tau_h"], case["tau_y"])
        along = case["cosine"] * np.sqrt(case["dy2_0"])
        start = urep.State(case["dh2_0"], case["dy2_0"], case["dy2_0"] - along * np.sqrt(case["dy2_target"]))
        t = case["until"] * np.arange(40) / 39
        exact = urep.solve(start, task, rates, t, dy=along if abs(case["cosine"]) == 1 else None)
        loss = urep.loss(exact, task, t, tau_mean=300.0, mean_error2=0.7)
        for own, value in zip(np.array(rows).T, (*exact, loss), strict=True):
            np.testing.assert_allclose(
                own, value, rtol=0, atol=1e-9 * np.max(np.abs(value)), err_msg=str(case)
            )
        assert end == pytest.approx(float(urep.final_distance(start, task, rates)), rel=1e-9)
    context.close()


def test_the_explorer_integrates_growing_rates_as_urep_does(server, browser):
    """(E40) with the rates (E44), from starts across one another and along, shallow and deep."""
    context = browser.new_context()
    page = explored(context, server + EXPLORER)
    random = np.random.default_rng(0)
    cases = []
    for _ in range(40):
        encoder, decoder = map(int, random.integers(1, 13, 2))
        cases.append({
            "u_0": 10 ** random.uniform(-2, 0), "r_0": 10 ** random.uniform(-2, 0),
            "angle_0": float(np.radians(random.uniform(5, 120))), "encoder": encoder, "decoder": decoder,
            "dx2": 10 ** random.uniform(-0.5, 0.5), "dy_target": random.uniform(0.3, 1.5),
            "eta_h": 10 ** random.uniform(-3, -1), "eta_y": 10 ** random.uniform(-3, -1),
            "until": 10 ** random.uniform(2, 4),
        })  # fmt: skip
    seen = page.evaluate(
        "cases => cases.map(c => urepGrowth.curves(c, Array.from({ length: 40 }, (_, i) => c.until * i / 39))"
        ".map(now => [now.u, now.r, Math.cos(now.angle)]))",
        cases,
    )
    for case, rows in zip(cases, seen, strict=True):
        start = growth.Lengths(case["u_0"], case["r_0"], np.cos(case["angle_0"]))
        a, b = case["encoder"], case["decoder"]
        k_h = case["eta_h"] / 4 * a * case["dx2"] ** (1 / a)
        rates = growth.Growth(k_h, case["eta_y"] / 4 * b, *growth.exponents(a, b), across="random")
        task = urep.TwoPoint(case["dx2"], case["dy_target"] ** 2)
        own = growth.integrate(start, task, rates, case["until"] * np.arange(40) / 39)
        for name, column, value in zip(("u", "r", "cosine"), np.array(rows).T, own, strict=True):
            np.testing.assert_allclose(column, value, rtol=0, atol=1e-7, err_msg=f"{name} of {case}")
    context.close()


def test_the_explorer_has_a_switch_for_theories(server, context):
    page = explored(context, server + EXPLORER + "?row=Linear")
    assert page.get_by_role("slider", name="‖D_y(0)‖").count() == 0
    page.locator("#urep-theory").select_option("rotation")
    page.wait_for_url("**/explorer.html?*theory=rotation*")
    assert page.get_by_role("slider", name="‖D_y(0)‖").is_visible()
    rotated = page.evaluate("urepExplorer.latest().rows.at(-1).dh2")
    assert rotated != pytest.approx(page.evaluate("urepExplorer.latest().byPaper.at(-1).dh2"), rel=0.02)
    page.locator("#urep-theory").select_option("depth")
    page.wait_for_url("**/explorer.html?*theory=depth*")
    assert page.get_by_role("slider", name="τ_h").count() == 0
    assert page.get_by_role("slider", name="η").is_visible()
    other = explored(context, page.url)  # what a friend gets
    assert other.evaluate("urepExplorer.values.theory") == "depth"
    again, here = (p.evaluate("urepExplorer.latest().rows.at(-1).dh2") for p in (other, page))
    assert again == pytest.approx(here, rel=1e-3)


WIDER = """() => [...document.querySelectorAll("#urep-explorer select")].filter((list) => {
  const alone = list.cloneNode(true);
  alone.removeAttribute("id");
  Object.assign(alone.style, { width: "max-content", maxWidth: "none", position: "absolute" });
  list.after(alone);
  const wanted = alone.offsetWidth;
  alone.remove();
  return wanted > list.offsetWidth;
}).map((list) => list.id)"""
"""Lists of the explorer that are narrower than their longest name."""


@pytest.mark.parametrize("width", [360, 768, 1300])
def test_no_name_in_the_explorers_lists_is_cut_off(server, browser, width):
    context = browser.new_context(viewport={"width": width, "height": 900})
    page = explored(context, server + EXPLORER)
    assert page.locator("#urep-explorer select").count() == 3
    assert page.evaluate(WIDER) == []
    page.add_style_tag(content="#urep-theory { width: 8rem !important; }")
    assert page.evaluate(WIDER) == ["urep-theory"]
    context.close()


def test_the_explorer_answers_its_sliders_by_keyboard_and_writes_the_address(server, context):
    page = explored(context, server + EXPLORER)
    before = page.evaluate("urepExplorer.latest().k.dh2_inf")
    assert page.evaluate("urepExplorer.latest().t.length") == 600
    slider = page.get_by_role("slider", name="‖dy*‖²")
    slider.focus()
    for _ in range(40):
        page.keyboard.press("ArrowRight")
    page.wait_for_function("urepExplorer.values.dy2_target > 0.85")
    page.wait_for_url("**/explorer.html?*dy2_target=0.9*")
    after = page.evaluate("urepExplorer.latest().k.dh2_inf")
    assert after / before == pytest.approx(np.sqrt(0.9 / 0.5), rel=0.02)  # (13): small weights
    assert slider.get_attribute("aria-valuetext") == "0.9"
    assert page.locator("#urep-preset").input_value() == ""
    other = explored(context, page.url)  # what a friend gets
    assert other.evaluate("urepExplorer.latest().k.dh2_inf") == pytest.approx(after, rel=1e-4)


def test_the_explorer_takes_presets_and_refuses_nonsense_in_its_address(server, context):
    page = explored(context, server + EXPLORER + "?row=Linear")
    assert page.locator("#urep-preset").input_value() == "Linear"
    rows = page.locator("#urep-preset option").all_inner_texts()
    assert len(rows) >= 12 and "Dropout" in rows
    page.locator("#urep-preset").select_option("Tanh")
    page.wait_for_function("Math.abs(urepExplorer.values.tau_h - 268) < 5")
    page = explored(context, server + EXPLORER + "?tau_h=abc&tau_y=-3&dh2_0=1e99&angle=&row=nobody")
    values = page.evaluate("urepExplorer.values")
    assert (
        values["tau_h"] == 1300 and values["tau_y"] == 1 and values["dh2_0"] == 100 and values["angle"] == 0
    )
    assert not page.complaints
    assert page.evaluate("urepExplorer.latest().rows.every(row => Object.values(row).every(Number.isFinite))")


SMALL = "?layers=2&units=10&gain=0.9&nonlinearity=tanh&lr=0.02&trained=1500&seed=3"
"""A network that the explorer trains in a moment."""


def trained(page):
    """The explorer's network, once its training has ended."""
    page.wait_for_function("urepExplorer.trained.run?.stopped", timeout=60_000)
    page.wait_for_timeout(100)  # the next frame draws it
    return page.evaluate("urepExplorer.trained.run")


def test_a_reader_trains_a_network_and_sees_the_theory_beside_it(server, context):
    page = explored(context, server + EXPLORER + SMALL)
    assert not [url for url in page.asked if url.endswith(("training.js", "fit.js"))]
    page.get_by_role("button", name="Train", exact=True).press("Enter")
    run = trained(page)
    network, fit = run["network"], page.evaluate("urepExplorer.fitted()")
    assert run["stopped"] == "epochs" and network["loss"][-1] < 1e-3 and len(network["t"]) == 500
    values, latest = page.evaluate("urepExplorer.values"), page.evaluate("urepExplorer.latest()")
    assert values["dh2_0"] == network["dh2"][0] and values["tau_h"] == fit["tau_h"]
    rows = np.array([row["dh2"] for row in latest["rows"]])
    seen = np.interp(latest["t"], network["t"], network["dh2"])[: len(rows) - 1]
    assert np.max(np.abs(rows[:-1] - seen)) < 0.2 * np.ptp(seen)
    turned = np.degrees(np.arccos(network["cosine"][-1]))
    words = page.locator(".urep-trained").inner_text()
    assert f"turned by {turned:.3g}°" in words and f"τ_h = {fit['tau_h']:.3g}" in words
    assert page.locator(".urep-scores td").nth(1).inner_text() == f"{fit['r2']['dh2']:.3f}"
    page.wait_for_url("**/explorer.html?*units=10*seed=3*")
    other = explored(context, page.url)  # what a friend gets
    assert other.evaluate("urepExplorer.trained.values") == page.evaluate("urepExplorer.trained.values")
    page.locator("#urep-theory").select_option("rotation")
    page.wait_for_function("urepExplorer.latest().rows[0].angle !== undefined")
    assert page.evaluate("urepExplorer.fitted().r2.dh2") > 0.9
    page.get_by_role("button", name="Remove the network").click()
    page.wait_for_function("urepExplorer.latest().network === null")
    assert page.locator(".urep-scores").is_hidden() and not page.complaints


def test_what_the_explorer_could_not_load_may_be_asked_for_again(server, browser):
    context = browser.new_context()
    page = explored(context, server + EXPLORER + SMALL)
    context.route("**/fit.js*", lambda route: route.abort())
    page.get_by_role("button", name="Train", exact=True).click()
    page.get_by_text("fit.js could not be loaded; try again").wait_for()
    context.unroute("**/fit.js*")
    page.get_by_role("button", name="Train", exact=True).click()
    assert trained(page)["stopped"] == "epochs"
    context.route("**/odex.js*", lambda route: route.abort())
    page = context.new_page()
    page.goto(server + EXPLORER + SMALL)
    page.get_by_text("odex.js could not be loaded").wait_for()
    context.unroute("**/odex.js*")
    page.get_by_role("button", name="Load the page again").click()
    page.locator("#urep-explorer").wait_for()
    context.close()


def test_a_training_can_be_stopped_and_begun_again_with_another_seed(server, browser):
    context = browser.new_context()
    page = explored(context, server + EXPLORER + "?layers=12&units=100&trained=100000&lr=0.001")
    page.get_by_role("button", name="Train", exact=True).click()
    page.wait_for_function("urepExplorer.trained.run?.epoch > 40", timeout=60_000)
    page.get_by_role("button", name="Stop").click()
    run = trained(page)
    assert run["stopped"] == "reader" and 40 < run["epoch"] < 100_000
    assert page.get_by_role("button", name="Stop").is_disabled()
    assert "stopped after" in page.locator(".urep-trained").inner_text()
    page.get_by_role("button", name="Another seed").click()
    page.wait_for_function("urepExplorer.trained.run.epoch > 0", timeout=60_000)
    assert page.evaluate("urepExplorer.trained.run.seed") == 1
    page.get_by_role("button", name="Remove the network").click()  # while it runs
    page.wait_for_timeout(300)
    assert page.evaluate("urepExplorer.trained.run") is None and not page.complaints
    context.close()


def test_a_training_that_diverges_says_so_and_draws_no_number_that_is_none(server, browser):
    context = browser.new_context()
    page = explored(context, server + EXPLORER + "?layers=4&units=20&gain=3&lr=0.9&nonlinearity=relu")
    page.get_by_role("button", name="Train", exact=True).click()
    run = trained(page)
    assert run["stopped"] == "diverged"
    assert "diverged at epoch" in page.locator(".urep-trained").inner_text()
    assert all(np.isfinite(np.array(values, float)).all() for values in run["network"].values())
    latest = page.evaluate("urepExplorer.latest()")
    assert all(np.isfinite([row["dh2"], row["w"], row["loss"]]).all() for row in latest["rows"])
    assert not page.complaints
    context.close()


FAILING = "?layers=8&units=60&nonlinearity=leaky_relu&gain=1.4&lr=0.005&trained=2000&seed=0&epochs=2000"
"""Large initial weights, as the page has them among things to train."""


def test_constants_that_mean_nothing_are_not_told_until_the_reader_sets_them(server, browser):
    context = browser.new_context()
    page = explored(context, server + EXPLORER + FAILING)
    told, status = page.locator("output[for='urep-tau_h']"), page.locator(".urep-explorer > [role=status]")
    page.get_by_role("button", name="Train", exact=True).click()
    assert trained(page)["stopped"] == "epochs" and page.evaluate("urepExplorer.fitted().why")
    status.filter(has_text="The fit found no constants").wait_for()
    assert "A_high =" not in status.inner_text() and told.inner_text() == "not found"
    page.locator("#urep-tau_h").press("End")
    page.locator("#urep-tau_y").press("End")
    status.filter(has_text="A_high =").wait_for()
    assert float(told.inner_text()) == page.evaluate("urepExplorer.values.tau_h") == 1e5
    context.close()


def test_one_moment_is_marked_in_all_charts_and_moves_only_where_motion_is_welcome(server, browser):
    for motion in ("no-preference", "reduce"):
        context = browser.new_context(reduced_motion=motion)
        page = explored(context, server + EXPLORER + "?row=Default")
        play, slider = page.get_by_role("button", name="Play"), page.locator("#urep-now")
        mark = page.locator(".urep-now-dot").first
        before = mark.evaluate("element => element.style.transform")
        if motion == "reduce":
            assert play.count() == 0
            slider.focus()
            page.keyboard.press("End")
        else:
            play.press("Enter")
            page.wait_for_function("Number(document.getElementById('urep-now').value) > 0.1")
            page.get_by_role("button", name="Pause").press("Enter")
            stopped = slider.input_value()
            page.wait_for_timeout(200)
            assert slider.input_value() == stopped
        assert mark.evaluate("element => element.style.transform") != before
        assert page.locator(".urep-now-line, .urep-now-dot").count() == 5
        context.close()


def test_on_a_phone_the_charts_stay_in_sight_of_the_slider_that_is_touched(server, browser):
    context = browser.new_context(viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True)
    page = explored(context, server + EXPLORER)
    slider = page.locator("#urep-dx2")
    slider.evaluate("element => element.scrollIntoView({ block: 'center' })")
    page.wait_for_timeout(300)
    before, box = page.evaluate("urepExplorer.values.dx2"), slider.bounding_box()
    page.touchscreen.tap(box["x"] + 0.8 * box["width"], box["y"] + box["height"] / 2)
    page.wait_for_function("before => urepExplorer.values.dx2 > 2 * before", arg=before)
    chart = page.locator(".urep-chart canvas").first.bounding_box()
    assert chart["y"] > 30 and chart["y"] + chart["height"] < box["y"]
    context.close()


def swipe(page, x, y, right, down):
    """A finger that moves over a page, and rests before it is lifted."""
    session = page.context.new_cdp_session(page)
    for share in range(11):
        at = {"x": x + right * share / 10, "y": y + down * share / 10}
        session.send(
            "Input.dispatchTouchEvent", {"type": "touchMove" if share else "touchStart", "touchPoints": [at]}
        )
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    session.detach()


def test_on_a_phone_a_finger_on_the_charts_scrolls_the_page_or_goes_to_the_next_chart(server, browser):
    context = browser.new_context(viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True)
    page = explored(context, server + EXPLORER)
    charts, places = page.locator(".urep-charts"), page.locator(".urep-charts figcaption strong")
    charts.evaluate("element => element.scrollIntoView({ block: 'center' })")
    assert [place.inner_text()[:6] for place in places.all()] == [f"{n} of 5" for n in range(1, 6)]
    assert "swipe for more" in places.first.inner_text()
    plane = page.locator(".urep-chart").nth(1)
    box = charts.bounding_box()
    swipe(page, 250, box["y"] + 90, -200, 0)
    page.wait_for_function("document.querySelector('.urep-charts').scrollLeft > 200")
    before, box = page.evaluate("scrollY"), plane.bounding_box()
    swipe(page, 180, box["y"] + 90, 0, -80)
    page.wait_for_function("before => scrollY > before + 30", arg=before)
    page.set_viewport_size({"width": 1300, "height": 900})
    places.first.wait_for(state="hidden")
    context.close()


def test_without_scripts_the_explorer_is_a_drawing(server, browser):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(server + EXPLORER)
    drawing = page.locator("svg:has(metadata.urep-explorer)")
    assert drawing.bounding_box()["height"] > 200 and "plateau" in drawing.get_attribute("aria-label")
    assert page.locator(".urep-explorer canvas").count() == 0
    context.close()


def test_the_explorer_opens_from_a_file_too(site, browser):
    context = browser.new_context()
    page = explored(context, (site / EXPLORER).as_uri())
    page.wait_for_selector(".urep-explorer canvas")
    page.get_by_role("slider", name="‖dx‖²").press("ArrowRight")
    page.wait_for_function("urepExplorer.values.dx2 > 1.01")
    page.wait_for_timeout(600)  # after which it would have changed the address
    page.locator("#urep-trained").press("Home")
    page.get_by_role("button", name="Train", exact=True).click()
    assert trained(page)["stopped"] == "epochs"
    assert not page.complaints
    context.close()


# --- points in space ------------------------------------------------------------------------


def test_points_in_space_can_be_turned_by_a_library_fetched_from_this_site_once_asked_for(
    site, server, browser
):
    page = browser.new_page()
    requests, complaints = [], []
    page.on("request", lambda request: requests.append(request.url))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(server + "book/experiments/feature_collapse.html")
    buttons = page.locator("button.urep-turn")
    drawings = page.locator("svg metadata.urep-clouds").count()
    assert buttons.count() == drawings >= 4
    assert not [url for url in requests if "plotly" in url]
    for n in (0, 1):
        buttons.nth(n).click()
        page.wait_for_selector(f"text=Drag to turn >> nth={n}", timeout=60_000)
    assert page.locator(".urep-cloud canvas").count() >= 2
    assert page.locator("svg metadata.urep-clouds").count() == drawings - 2
    points = page.evaluate("document.querySelector('.urep-cloud').data.map(trace => trace.x.length)")
    assert points == [1800] * 3
    fetched = [url for url in requests if "plotly" in url]
    assert fetched == [server + "_static/plotly.min.js"] and not complaints
    page.goto(server + "book/experiments/xor.html")  # where there is nothing to be turned
    assert page.locator("script[src*='clouds.js']").count() == 0
    page.close()


def test_a_library_that_did_not_come_may_be_asked_for_again(server, browser):
    context = browser.new_context()
    page = opened(context, server + "book/experiments/feature_collapse.html")
    button = page.locator("button.urep-turn").first
    context.route("**/plotly.min.js", lambda route: route.abort())
    button.click()
    page.get_by_text("Plotly could not be loaded; try again").wait_for()
    context.unroute("**/plotly.min.js")
    button.click()
    page.get_by_text("Drag to turn").wait_for(timeout=60_000)
    context.close()


def test_without_scripts_points_in_space_are_a_drawing(server, browser):
    page = browser.new_context(java_script_enabled=False).new_page()
    page.goto(server + "book/experiments/feature_collapse.html")
    drawing = page.locator("svg:has(metadata.urep-clouds)").first
    assert drawing.bounding_box()["width"] > 300 and "weights" in drawing.get_attribute("aria-label")
    assert page.locator("button.urep-turn").count() == 0
    page.close()

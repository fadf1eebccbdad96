"""The built site: how it was built, what it asks of other hosts, whether its links lead somewhere."""

import json
import re
import threading
from functools import partial
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

import pytest
import references
from screenshot import CHROMIUM, FLAGS


def pages(site):
    """Every page of the site, as paths; the redirect at its root among them."""
    return sorted(p for p in site.rglob("*.html") if "_static" not in p.relative_to(site).parts)


class Elements(HTMLParser):
    """All start tags of a page with their attributes."""

    def __init__(self, text):
        super().__init__()
        self.tags = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))


def test_the_site_is_from_a_forced_run_with_warnings_as_errors_and_current(site):
    from build_record import fingerprint

    record = json.loads((site / "build.json").read_text())
    assert record["execution_mode"] == "force"
    assert record["raise_on_error"] is True
    assert record["warnings_are_errors"] is True
    assert record["nitpicky"] is True
    assert record["fingerprint"] == fingerprint(references.ROOT)
    executed = {p.relative_to(references.ROOT).with_suffix("").as_posix() for p in references.chapters()}
    assert set(record["seconds"]) == executed
    assert all(seconds < 90 for seconds in record["seconds"].values())


def test_no_page_names_a_resource_on_another_host(site):
    for page in pages(site):
        for tag, attributes in Elements(page.read_text(encoding="utf-8")).tags:
            if tag == "a" or (tag == "link" and attributes.get("rel") in ("canonical", "search")):
                continue  # followed by a reader, not fetched by the page
            for name in ("src", "href", "srcset", "data", "poster", "action"):
                host = urlsplit(attributes.get(name) or "").netloc
                assert not host, f"{page.relative_to(site)}: <{tag} {name}> asks {host}"


def test_no_style_sheet_names_a_resource_on_another_host(site):
    for sheet in site.rglob("*.css"):
        text = sheet.read_text(encoding="utf-8", errors="replace")
        for address in re.findall(r"(?:url\(|@import)\s*['\"]?([^'\")\s]+)", text):
            assert not urlsplit(address).netloc, f"{sheet.relative_to(site)} asks {address}"


def test_every_link_inside_the_site_leads_somewhere(site):
    ids = {p: {a["id"] for _, a in Elements(p.read_text("utf-8")).tags if a.get("id")} for p in pages(site)}
    checked = 0
    for page in ids:
        for tag, attributes in Elements(page.read_text(encoding="utf-8")).tags:
            parts = urlsplit(attributes.get("href") or attributes.get("src") or "")
            if parts.scheme or parts.netloc or not (parts.path or parts.fragment):
                continue
            target = (page.parent / unquote(parts.path)).resolve() if parts.path else page
            assert target.exists(), f"{page.relative_to(site)}: <{tag}> leads to {parts.path}"
            if parts.fragment and target in ids and tag == "a":
                assert unquote(parts.fragment) in ids[target] | {"top"}, (
                    f"{page.relative_to(site)} leads to {parts.path}#{parts.fragment}"
                )
                checked += 1
    assert checked > 20


def test_every_figure_says_what_is_to_be_seen(site):
    figures = 0
    for page in pages(site):
        for tag, attributes in Elements(page.read_text(encoding="utf-8")).tags:
            if tag == "svg" and attributes.get("role") == "img":
                figures += 1
                assert len(attributes["aria-label"]) > 40
            if tag == "img":
                assert attributes.get("alt")
    assert figures >= 3


@pytest.fixture(scope="module")
def server(site):
    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *args):
            """Nothing: pytest's own output is enough."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(site)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def browser():
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine (apt-get install chromium)")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


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


def test_without_scripts_points_in_space_are_a_drawing(server, browser):
    page = browser.new_context(java_script_enabled=False).new_page()
    page.goto(server + "book/experiments/feature_collapse.html")
    drawing = page.locator("svg:has(metadata.urep-clouds)").first
    assert drawing.bounding_box()["width"] > 300 and "weights" in drawing.get_attribute("aria-label")
    assert page.locator("button.urep-turn").count() == 0
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_in_a_browser_pages_ask_no_other_host_typeset_and_say_nothing_on_the_console(
    site, server, browser, scheme
):
    context = browser.new_context(color_scheme=scheme)
    for path in pages(site):
        name = path.relative_to(site).as_posix()
        if name in ("genindex.html", "search.html", "index.html"):
            continue
        page = context.new_page()
        requests, complaints = [], []
        page.on("request", lambda r, seen=requests: seen.append(r.url))
        page.on("console", lambda m, seen=complaints: seen.append(m.text) if m.type == "error" else None)
        page.on("pageerror", lambda error, seen=complaints: seen.append(str(error)))
        page.goto(server + name)
        page.wait_for_load_state("networkidle")
        foreign = [url for url in requests if not url.startswith((server, "data:", "blob:"))]
        assert not foreign, f"{name} asks {foreign}"
        assert not complaints, f"{name}: {complaints}"
        if page.locator(".math").count():
            page.wait_for_selector("mjx-container")
            assert page.locator("mjx-merror").count() == 0, f"{name}: a formula does not typeset"
        page.close()
    context.close()

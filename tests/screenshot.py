"""Look at what was built: a page, or one section of it, as a picture.

    python tests/screenshot.py theory/identical_outputs out.png
    python tests/screenshot.py theory/identical_outputs#depth out.png --dark --width 360

Needs the site in _build/html and a Chromium on the machine.
"""

from __future__ import annotations

import argparse
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from playwright.sync_api import sync_playwright

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic"]
HTML = Path(__file__).resolve().parent.parent / "_build" / "html" / "book"


def pages(site: Path) -> list[Path]:
    """Every page of a built site; the redirect at its root among them."""
    return sorted(p for p in site.rglob("*.html") if "_static" not in p.relative_to(site).parts)


class Quiet(SimpleHTTPRequestHandler):
    """A handler that writes nothing on the terminal."""

    def log_message(self, *arguments):
        """Nothing: who asks sees the answers."""


@contextmanager
def served(folder: Path, handler: type[Quiet] = Quiet) -> Iterator[str]:
    """The address of a server of a built site."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(handler, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


READY = """async () => {
  await document.fonts.ready;
}"""
"""Waits until fonts have come."""


def opened(context, address: str):
    """A page whose scripts have run and whose fonts have come; what it asked for and complained of."""
    page = context.new_page()
    page.asked, page.complaints = [], []
    page.on("request", lambda request: page.asked.append(request.url))
    page.on("console", lambda m: page.complaints.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    page.goto(address)
    page.evaluate(READY)
    return page


def shoot(page: str, out: Path, *, dark: bool = False, width: int = 1100) -> None:
    """Write a PNG of a built page, or of the section named after its #."""
    name, _, section = page.partition("#")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=[*FLAGS, "--allow-file-access-from-files"]
        )
        context = browser.new_context(
            color_scheme="dark" if dark else "light", viewport={"width": width, "height": 900}
        )
        tab = opened(context, (HTML / f"{name}.html").as_uri())
        tab.add_style_tag(
            content=".pst-skip-link, #pst-skip-link, .bd-header-article { display: none !important }"
        )
        if section:
            tab.locator(f"section#{section}").screenshot(path=out)
        else:
            tab.screenshot(path=out, full_page=True)
        browser.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("page", help="path below the book, without .html, with an optional #section")
    parser.add_argument("out", type=Path)
    parser.add_argument("--dark", action="store_true")
    parser.add_argument("--width", type=int, default=1100)
    options = parser.parse_args()
    shoot(options.page, options.out, dark=options.dark, width=options.width)

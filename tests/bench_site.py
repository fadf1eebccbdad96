"""make bench: how fast the site is in a browser, once `make book` has built it.

Milliseconds are the machine's own; so each comes with a ratio taken in the same run.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from statistics import median

from playwright.sync_api import Browser, sync_playwright
from screenshot import CHROMIUM, FLAGS, opened, served

SITE = Path(__file__).resolve().parent.parent / "_build" / "html"
EMPTY = "<!doctype html><title>empty</title><p>A page with nothing to load."
FRAME = 1000 / 60

PAINTED = "performance.getEntriesByName('first-contentful-paint')[0].startTime"
MOVES = """async () => {
  const slider = document.getElementById('urep-dh2_0'), times = [];
  for (let i = 0; i < 100; i++) {
    slider.value = -4 + i / 50;
    slider.dispatchEvent(new Event('input'));
    await new Promise(done => requestAnimationFrame(() => setTimeout(done, 0)));
    times.push(urepExplorer.milliseconds);
  }
  return times;
}"""


def paint(browser: Browser, address: str) -> float:
    """Milliseconds until a page first shows something, nothing in the cache: the best of five."""
    times = []
    for _ in range(5):
        context = browser.new_context()
        times.append(opened(context, address).evaluate(PAINTED))
        context.close()
    return min(times)


def main() -> None:
    """Print each."""
    if CHROMIUM is None or not (SITE / "build.json").exists():
        print("the site is not timed: it needs Chromium and `make book`")
        return
    with sync_playwright() as playwright, served(SITE) as site, tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "empty.html").write_text(EMPTY, encoding="utf-8")
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        with served(Path(folder)) as other:
            empty = paint(browser, other + "empty.html")
        front = paint(browser, site + "book/index.html")
        print(f"the front page first paints after {front:.0f} ms, {front / empty:.1f} times an empty page's")
        page = opened(browser.new_context(), site + "book/explorer.html")
        page.evaluate("document.querySelector('figure:has(metadata.urep-explorer)').scrollIntoView()")
        page.wait_for_function("window.urepExplorer")
        times = page.evaluate(MOVES)
        print(f"the explorer answers a slider in {median(times):.1f} ms (median of {len(times)}), "
              f"{median(times) / FRAME:.2f} of a frame")  # fmt: skip
        browser.close()


if __name__ == "__main__":
    main()

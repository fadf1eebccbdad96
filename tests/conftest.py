"""What several tests share: the built site, the arithmetic of nbval's kernels, the order of files."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections import defaultdict
from functools import cache
from pathlib import Path

import arithmetic
import pytest
from filelock import FileLock
from nbval.plugin import IPyNbCell

os.environ.pop("UREP_MNIST", None)  # nbval's kernels too: references are of what lies on every machine
# Tests start from this machine's own arithmetic too, unless they run under another one, which is named.
if arithmetic.NAMED not in os.environ:
    for chosen in arithmetic.ROUNDING:
        os.environ.pop(chosen, None)
# Files are tested side by side. Nothing has imported NumPy or torch so far.
os.environ |= {name: os.environ.get(name, "1") for name in arithmetic.THREADS}

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "book" / "_ext"))

BUILD = [
    str(Path(sys.executable).parent / "jupyter-book"),
    *("build", ".", "--all", "-W", "-n", "--keep-going"),
]
"""What `make book` runs."""

SECONDS = "urep/seconds"
"""Where pytest's cache has how long each file took."""


# --- nbval ----------------------------------------------------------------------------------


def kernel_environment() -> dict[str, str]:
    """What nbval's kernels compute with: the arithmetic that the tests run under, or else the oldest."""
    return arithmetic.environment(os.environ.get(arithmetic.NAMED, arithmetic.KERNELS))


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_setup(item):
    """A kernel takes its variables from this process while it starts, which its first cell's set-up does."""
    if not isinstance(item, IPyNbCell):
        return (yield)
    before = dict(os.environ)
    asked = kernel_environment()
    os.environ.clear()
    os.environ.update(asked)
    try:
        return (yield)
    finally:
        os.environ.clear()
        os.environ.update(before)


def pytest_report_header(config):
    """Which arithmetic tests and kernels compute with."""
    name = os.environ.get(arithmetic.NAMED, "native")
    return f"arithmetic: {name}; of nbval's kernels: {kernel_environment()[arithmetic.NAMED]}"


# --- the order of files ---------------------------------------------------------------------


def pytest_collection_modifyitems(config, items):
    """Files that took longest come first, so that no core is left with one of them in the end."""
    known = config.cache.get(SECONDS, {}) if hasattr(config, "cache") else {}  # -p no:cacheprovider
    seconds = {file: known.get(file, _seconds_of_page(file)) for file in map(_file, items)}
    items.sort(key=lambda item: -seconds[_file(item)])


def _file(test) -> str:
    return test.nodeid.split("::")[0]


@cache
def _seconds_of_page(file: str) -> float:
    """Seconds for a file that was never timed: those of its page, if it is a page's reference."""
    import execution

    page = ROOT / "book" / Path(file).relative_to("tests/notebooks") if file.endswith(".ipynb") else None
    return execution.seconds(page.with_suffix(".md")) if page else float("inf")


def pytest_terminal_summary(terminalreporter, config):
    """Keep how long files took; say how many mutants of the equations the chapters told from the truth."""
    took = defaultdict(float)
    for reports in terminalreporter.stats.values():
        for report in reports:
            if hasattr(report, "when") and hasattr(report, "duration"):
                took[_file(report)] += report.duration
    if hasattr(config, "cache"):
        config.cache.set(SECONDS, config.cache.get(SECONDS, {}) | took)
    scores = [
        list(map(int, value.split("/")))
        for report in terminalreporter.getreports("passed") + terminalreporter.getreports("failed")
        for name, value in getattr(report, "user_properties", ())
        if name == "mutation score" and report.when == "call"
    ]
    if scores:
        killed, total = map(sum, zip(*scores, strict=True))
        terminalreporter.write_line(f"mutation score: {killed} of {total}, {len(scores)} equations")


# --- the site -------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def site() -> Path:
    """The built site: the one in _build if it and its pages are of the sources of now, else a fresh one."""
    import execution
    import notebooks
    from build_record import fingerprint

    html = ROOT / "_build" / "html"
    html.parent.mkdir(exist_ok=True)
    with FileLock(html.parent / "site.lock"):  # one process builds, those beside it wait
        record = html / "build.json"
        built = record.exists() and json.loads(record.read_text())["fingerprint"] == fingerprint(ROOT)
        if built and all(execution.current(page) is not None for page in notebooks.chapters()):
            return html
        shutil.rmtree(html, ignore_errors=True)
        done = subprocess.run(BUILD, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.fail("the book does not build:\n" + (done.stdout + done.stderr)[-6000:], pytrace=False)
    return html

"""What several tests share."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

os.environ.pop("UREP_MNIST", None)  # nbval's kernels too: references are of what lies on every machine

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "book" / "_ext"))

BUILD = [
    str(Path(sys.executable).parent / "jupyter-book"),
    *("build", ".", "--all", "-W", "-n", "--keep-going"),
]
"""What `make book` runs."""


def pytest_terminal_summary(terminalreporter):
    """How many mutants of the registered equations the executed chapters told from the truth."""
    scores = [
        list(map(int, value.split("/")))
        for report in terminalreporter.getreports("passed") + terminalreporter.getreports("failed")
        for name, value in getattr(report, "user_properties", ())
        if name == "mutation score" and report.when == "call"
    ]
    if scores:
        killed, total = map(sum, zip(*scores, strict=True))
        terminalreporter.write_line(f"mutation score: {killed} of {total}, {len(scores)} equations")


@pytest.fixture(scope="session")
def site() -> Path:
    """The built site: the one in _build if it is what the sources are now, else a fresh one."""
    from build_record import fingerprint

    html = ROOT / "_build" / "html"
    record = html / "build.json"
    if record.exists() and json.loads(record.read_text())["fingerprint"] == fingerprint(ROOT):
        return html
    shutil.rmtree(ROOT / "_build", ignore_errors=True)
    done = subprocess.run(BUILD, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.fail("the book does not build:\n" + (done.stdout + done.stderr)[-6000:], pytrace=False)
    return html

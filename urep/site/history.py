"""Whether the entry of a claim still is what its runs judge: the registry in the repository's history."""

from __future__ import annotations

import re
import subprocess
import tomllib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from ..claims import JUDGED, Claim

ROOT = Path(__file__).resolve().parents[2]
"""Root of the checkout."""


class NoHistory(RuntimeError):
    """The history is not here, or not the whole of it: an archive, or a shallow clone."""


@dataclass(frozen=True)
class Change:
    """A field of an entry that was different in a commit; the field is "entry" where there was none."""

    commit: str
    field: str
    before: object
    now: object


def require_history(root: Path = ROOT) -> None:
    """Raise NoHistory where the history of the repository is not whole."""
    done = subprocess.run(
        ["git", "-C", str(root), "rev-parse", "--is-shallow-repository"],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.stdout.strip() != "false":
        raise NoHistory(f"{root} has no whole history: {done.stderr.strip() or 'the clone is shallow'}")


def changes(name: str, commits: Iterable[str], root: Path = ROOT) -> list[Change]:
    """What an entry was, in the commits its runs were trained from or in any since, where that is not now.

    name: "page.claim"; commits: those that the stored runs name. What differs is told once, with the earliest
    commit that has it. Raises NoHistory, and ValueError for a commit that is not in the history of now.
    """
    require_history(root)
    page, _, own = name.partition(".")
    path = f"book/claims/{page}.toml"
    now = tomllib.loads((root / path).read_text(encoding="utf-8")).get(own)
    found: dict[tuple, Change] = {}
    for commit in dict.fromkeys(commits):
        for later, blob in _versions(root, commit, path):
            before = _entries(root, blob).get(own) if blob else None
            for change in _differences(later, before, now):
                found.setdefault((change.field, str(change.before)), change)
    return list(found.values())


def _differences(commit: str, before: Mapping | None, now: Mapping | None) -> list[Change]:
    if before is None or now is None:
        return [] if before == now else [Change(commit, "entry", before, now)]
    differ = (field for field in JUDGED if before.get(field) != now.get(field))
    return [Change(commit, field, before.get(field), now.get(field)) for field in differ]


def _versions(root: Path, commit: str, path: str) -> list[tuple[str, str]]:
    """A commit and all that followed it, oldest first, each with the blob that a file was, or ""."""
    if commit.endswith("+"):
        raise ValueError(f"runs of commit {commit} come from uncommitted code, which no history has")
    known = subprocess.run(
        ["git", "-C", str(root), "merge-base", "--is-ancestor", commit, "HEAD"],
        capture_output=True,
        check=False,
    )
    if known.returncode != 0:
        raise ValueError(f"commit {commit} is not in the history of HEAD")
    later = _git(root, "rev-list", "--reverse", "--topo-order", "--ancestry-path", f"{commit}..HEAD").split()
    asked = [commit, *later]
    lines = _git(
        root, "cat-file", "--batch-check", given="".join(f"{c}:{path}\n" for c in asked)
    ).splitlines()
    blobs = ("" if line.endswith(" missing") else line.split()[0] for line in lines)
    return list(zip(asked, blobs, strict=True))


@cache
def _entries(root: Path, blob: str) -> dict:
    return tomllib.loads(_git(root, "cat-file", "blob", blob))


def _git(root: Path, *words: str, given: str = "") -> str:
    done = subprocess.run(
        ["git", "-C", str(root), *words],
        input=given,
        capture_output=True,
        text=True,
        check=True,
        encoding="utf-8",
    )
    return done.stdout


def refusal(name: str, known: Claim, found: Collection[Change]) -> str:
    """What is wrong with a claim whose entry has changed since its runs, and what to do; empty for none."""
    if not found:
        return ""
    told = "; ".join(
        f"there was no entry in commit {change.commit[:10]}"
        if change.before is None and change.field == "entry"
        else f"{change.field} was {change.before!r} in commit {change.commit[:10]} and is {change.now!r} now"
        for change in found
    )
    return (
        f"claim {name!r} changed after the runs that judge it, and is exploratory again: {told}. "
        f"Put it back, or take confirmed and runs out of the entry and move seeds {known.confirmed} to "
        "explored; to confirm it, commit it under a new id and then train fresh seeds"
    )


# --- seeds ----------------------------------------------------------------------------------


def wrong_seeds(known: Claim, sweeps: Mapping, judging: Collection[str]) -> str:
    """What is wrong with the confirmed seeds of a claim; empty where they are fresh and those of its runs.

    sweeps: all stored sweeps by name; judging: names of those that judge some claim.
    """
    if known.seeds is None:
        return ""
    unknown = [name for name in known.runs if name not in sweeps]
    if unknown:
        return f"claim {known.id!r}: runs names {unknown[0]!r}, which is no stored sweep"
    for name in known.runs:
        seeds = {trial.seed for trial in sweeps[name].trials}
        if seeds != set(known.seeds):
            return (
                f"claim {known.id!r}: confirmed is {known.confirmed}, but {name} has seeds {_range(seeds)}; "
                "confirmed must be the seeds of all its runs"
            )
    explored = _ranges(known.explored)
    if explored & set(known.seeds):
        return f"claim {known.id!r}: explored and confirmed share seeds {_range(explored & set(known.seeds))}"
    networks = {_network(trial) for name in known.runs for trial in sweeps[name].trials}
    for name, other in sweeps.items():
        used = {trial.seed for trial in other.trials if _network(trial) in networks} & set(known.seeds)
        if name not in judging and used:
            return (
                f"claim {known.id!r}: seeds {_range(used)} were explored in {name} and confirm nothing; "
                "confirmed must be seeds of which no other sweep of the same row and task exists"
            )
    return ""


def _network(trial) -> tuple[str, str]:
    return trial.row, getattr(trial, "task", "two points")


def _range(seeds: Collection[int]) -> str:
    return f"{min(seeds)}-{max(seeds)}"


def _ranges(text: str) -> set[int]:
    """All numbers of the ranges, like 50-74, in a text."""
    return {n for first, last in re.findall(r"(\d+)-(\d+)", text) for n in range(int(first), int(last) + 1)}

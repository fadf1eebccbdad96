"""Whether a claim still is what its runs judge: its entry, its runs and its measures in the history."""

from __future__ import annotations

import ast
import io
import json
import re
import subprocess
import tomllib
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from ..claims import JUDGED, Claim, Evidence

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
    return _blobs(root, [commit, *later], path)


def _blobs(root: Path, commits: list[str], path: str) -> list[tuple[str, str]]:
    """Commits, each with the blob that a file was, or ""."""
    asked = "".join(f"{commit}:{path}\n" for commit in commits)
    lines = _git(root, "cat-file", "--batch-check", given=asked).splitlines()
    blobs = ("" if line.endswith(" missing") else line.split()[0] for line in lines)
    return list(zip(commits, blobs, strict=True))


def _touching(root: Path, path: str) -> list[str]:
    """All commits of the history that touched a path, on branches too whose change was not kept."""
    return _git(root, "rev-list", "--full-history", "HEAD", "--", path).split()


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


# --- what was there before: trainings, claims, measures -----------------------------------------


def trained_from(run: str, root: Path = ROOT) -> set[str]:
    """The commits that the trials of a run file came from, in every version of the file ever committed.

    A bound that was moved between two trainings of the same seeds is seen only so: the file of today names
    the second training alone. Empty where no version was committed; raises NoHistory.
    """
    require_history(root)
    path = f"book/runs/{run}.npz"
    blobs = {blob for _, blob in _blobs(root, _touching(root, path), path) if blob}
    return set().union(*(_commits_of(root, blob) for blob in blobs))


@cache
def _commits_of(root: Path, blob: str) -> frozenset[str]:
    """The commits that are named in the provenance of a stored file."""
    shown = subprocess.run(
        ["git", "-C", str(root), "cat-file", "blob", blob], capture_output=True, check=True
    )
    with np.load(io.BytesIO(shown.stdout), allow_pickle=False) as file:
        provenance = json.loads(bytes(file["provenance"]).decode())
    return frozenset(trial["commit"] for trial in provenance["trials"] if trial)


def entries_ever(root: Path = ROOT) -> dict[str, list[dict]]:
    """Every version of every entry that the registry ever had in a commit, by name."""
    require_history(root)
    versions = set()
    for commit in _touching(root, "book/claims"):
        for line in _git(root, "ls-tree", "-r", commit, "--", "book/claims").splitlines():
            about, path = line.split("\t")
            versions.add((path, about.split()[2]))
    found: dict[str, list[dict]] = {}
    for path, blob in sorted(versions):
        if path.endswith(".toml"):
            for own, fields in _entries(root, blob).items():
                found.setdefault(f"{Path(path).stem}.{own}", []).append(fields)
    return found


def runs_ever(root: Path = ROOT) -> dict[str, set[str]]:
    """Names of all run files by which each entry was ever to be judged, by the entry's name."""
    return {
        name: {run for fields in versions for run in fields.get("runs", ())}
        for name, versions in entries_ever(root).items()
    }


def vanished(known: Mapping[str, Claim], root: Path = ROOT) -> list[str]:
    """What is wrong with claims that fresh runs were once to judge, by the registry of now.

    They must be there, under the same name; and where they are exploratory again, say what they were.
    """
    said = []
    for name, versions in entries_ever(root).items():
        seeds = {fields["confirmed"] for fields in versions if fields.get("confirmed")}
        if seeds and name not in known:
            said.append(f"claim {name!r} was to be confirmed by seeds {', '.join(sorted(seeds))} and is gone")
        elif seeds and not known[name].confirmed and not known[name].was:
            said.append(f"claim {name!r} is exploratory again, and does not say under was what it was before")
    return said


def rewritten(path: str, commits: Iterable[str], root: Path = ROOT) -> list[str]:
    """Functions, constants and imports of a module that are not what they were in some commits.

    What is new since then is left alone, and so are docstrings and comments.
    """
    require_history(root)
    now = definitions((root / path).read_text(encoding="utf-8"))
    found = []
    for commit, blob in _blobs(root, list(dict.fromkeys(commits)), path):
        before = definitions(_git(root, "cat-file", "blob", blob)) if blob else {}
        differ = (name for name, what in before.items() if now.get(name) != what)
        found += [f"{name} of {path} is not what it was in commit {commit[:10]}" for name in differ]
    return found


def definitions(source: str) -> dict[str, str]:
    """What each name of a module's outermost level is, as a syntax tree without docstrings."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        is_text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if is_text and isinstance(node.value.value, str):
            node.value.value = ""
    found = {}
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found[node.name] = ast.dump(node)
        elif isinstance(node, ast.Assign):
            names = (name.id for name in ast.walk(node) if isinstance(name, ast.Name))
            found |= dict.fromkeys(names, ast.dump(node))
        elif isinstance(node, ast.Import | ast.ImportFrom):
            module = f"{'.' * getattr(node, 'level', 0)}{getattr(node, 'module', '') or ''}"
            found |= {name.asname or name.name: f"{module} {name.name}" for name in node.names}
    return found


# --- how many runs ---------------------------------------------------------------------------


def wrong_count(known: Claim, fresh: Evidence | Mapping, sweeps: Mapping) -> str:
    """What is wrong with the number of fresh runs that judge a claim; empty where none is left untold."""
    fields = fresh if isinstance(fresh, Mapping) else vars(fresh)
    numbers, left_out = fields["runs"], fields["left_out"]
    trials = sum(len(sweeps[name].trials) for name in known.runs)
    if left_out and not known.leaves_out:
        return f"claim {known.id!r}: {left_out} are left out, and the registry does not say which"
    if numbers <= 0 or (numbers + left_out) % trials:
        return (
            f"claim {known.id!r}: {numbers} fresh numbers and {left_out} left out, of {trials} trials; "
            "together they must be as many for each trial of its runs, one at least"
        )
    return ""


# --- seeds ----------------------------------------------------------------------------------


def trained_after(name: str, run: str, root: Path = ROOT) -> bool:
    """Whether all versions of a run file were trained from commits that held the entry as it is now.

    Without a committed version nobody knows, and it counts as not.
    """
    commits = trained_from(run, root)
    known = not any(commit.endswith("+") for commit in commits)
    return bool(commits) and known and not changes(name, sorted(commits), root)


def wrong_seeds(known: Claim, sweeps: Mapping, after: Callable[[str], bool]) -> str:
    """What is wrong with the confirmed seeds of a claim; empty where they are fresh and those of its runs.

    sweeps: all stored sweeps by name; after: whether a sweep of a name was trained when the entry was there
    as it is now, so that nothing of the claim can have been chosen by it.
    """
    if known.seeds is None:
        return ""
    unknown = [name for name in known.runs if name not in sweeps]
    if unknown:
        return f"claim {known.id!r}: runs names {unknown[0]!r}, which is no stored sweep"
    all_seeds = [{trial.seed for trial in sweeps[name].trials} for name in known.runs]
    # A kind of network whose training is dear may have fewer of them, but none beyond.
    widest = set().union(*all_seeds)
    for name, seeds in zip(known.runs, all_seeds, strict=True):
        begins = min(seeds) == min(widest)
        if seeds != set(known.seeds) and not (begins and seeds < set(known.seeds) == widest):
            return (
                f"claim {known.id!r}: confirmed is {known.confirmed}, but {name} has seeds {_range(seeds)}; "
                "confirmed must be the seeds of all its runs, of a dear one the first of them"
            )
    explored = _ranges(known.explored)
    if explored & set(known.seeds):
        return f"claim {known.id!r}: explored and confirmed share seeds {_range(explored & set(known.seeds))}"
    networks = {_network(trial) for name in known.runs for trial in sweeps[name].trials}
    # What reads stored runs has no seeds of its own: those are of the sweeps that trained them.
    for name, other in sweeps.items():
        if other.reads:
            continue
        used = {trial.seed for trial in other.trials if _network(trial) in networks} & set(known.seeds)
        if name not in known.runs and used and not after(name):
            return (
                f"claim {known.id!r}: seeds {_range(used)} were explored in {name} and confirm nothing; "
                "confirmed must be seeds that no other sweep of the same row and task had before the entry"
            )
    return ""


def _network(trial) -> tuple[str, str]:
    """Row and task of a trial; those of the zoo are known by their name."""
    return getattr(trial, "row", None) or trial.name, getattr(trial, "task", "two points")


def _range(seeds: Collection[int]) -> str:
    return f"{min(seeds)}-{max(seeds)}"


def _ranges(text: str) -> set[int]:
    """All numbers of the ranges, like 50-74, in a text."""
    return {n for first, last in re.findall(r"(\d+)-(\d+)", text) for n in range(int(first), int(last) + 1)}

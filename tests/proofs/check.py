"""Prints the registered equations as Coq statements, and lets Coq's kernel check the proofs about them.

    make proofs                     prints, compiles, checks what each theorem rests on; a table, a record
    make proofs ARGS=--mutants      and then every mutant of some equations, each of which must break a proof

The record, _build/proofs/record.json, says which theorem about which registered equations was checked, with
which Coq, and which axioms it rests on. It is written when all holds, and removed before anything is tried.
"""

from __future__ import annotations

import argparse
import json
import re
import resource
import shutil
import subprocess
import sys
from dataclasses import asdict, dataclass
from graphlib import TopologicalSorter
from pathlib import Path

PROOFS = Path(__file__).resolve().parent
ROOT = PROOFS.parent.parent
sys.path.insert(0, str(ROOT))

from urep.equations import book, paper  # noqa: E402 - of this checkout
from urep.site import statements  # noqa: E402

BUILT = ROOT / "_build" / "proofs"
"""Where everything is printed and compiled."""

RECORD = BUILT / "record.json"
"""What was checked, for the book to read."""

INSTALL = """\
There is no coqc on this machine, the Coq proof assistant that checks the proofs in tests/proofs.
    Debian, Ubuntu: apt-get install coq libcoq-coquelicot
    elsewhere:      opam install coq coq-coquelicot
"""

AXIOMS = frozenset({
    "Classical_Prop.classic", "ClassicalDedekindReals.sig_forall_dec", "ClassicalDedekindReals.sig_not_dec",
    "FunctionalExtensionality.functional_extensionality_dep",
})  # fmt: skip
"""What the real numbers of Coq's standard library rest on, and all that a proof here may."""

EQUATIONS = {statements.module(e.number): e for e in (*paper.values(), *book.values())}
"""Each registered equation by the Coq file that is printed of it."""

FORBIDDEN = re.compile(
    r"\b(Admitted|Axioms?|Abort|Parameters?|Conjecture|admit|give_up|Unset|bypass_check)\b"
)
"""Words by which a hand-written file could claim what it does not prove."""


class Refused(Exception):
    """Coq refuses a file: its name, the theorem or lemma in which, and what was said."""

    def __init__(self, file: str, where: str, said: str):
        super().__init__(f"{file}.v, in {where}:\n{said}")
        self.file, self.where, self.said = file, where, said


@dataclass(frozen=True)
class Theorem:
    """A theorem of a hand-written file: its name, what it says in words, which equations it checks."""

    name: str
    file: str
    says: str
    checks: tuple[str, ...]


# --- the hand-written files -----------------------------------------------------------------

_SENTENCE = re.compile(r"(?:Theorem|Lemma|Corollary)\s+([\w']+)")
_THEOREM = re.compile(r"\(\*((?:(?!\*\)).)*)\*\)\s*Theorem\s+([\w']+)", re.S)
_CHECKS = re.compile(r"\s*Checks ((?:\([^)]+\)(?:, | and )?)+)\.\s*$")


def written() -> dict[str, str]:
    """The hand-written files by name, each after those that it requires."""
    texts = {path.stem: path.read_text(encoding="utf-8") for path in sorted(PROOFS.glob("*.v"))}
    order = TopologicalSorter({file: required(text) & set(texts) for file, text in texts.items()})
    return {file: texts[file] for file in order.static_order()}


def required(text: str) -> set[str]:
    """The files of this book that a file requires."""
    lines = re.findall(r"From Companion Require Import ([^.]*)\.", text)
    return {file for line in lines for file in line.split()}


def theorems(file: str, text: str) -> list[Theorem]:
    """The theorems of a file. Raises ValueError for one whose comment does not end in "Checks (7), (E1)."."""
    found = []
    for comment, name in _THEOREM.findall(text):
        words = " ".join(comment.split())
        checks = _CHECKS.search(words)
        if checks is None:
            raise ValueError(f'the comment of {name} must end in "Checks (7), (E1).", got {words!r}')
        labels = tuple(re.findall(r"\(([^)]+)\)", checks[1]))
        found.append(Theorem(name, file, words[: checks.start()].strip(), labels))
    named = re.findall(r"Theorem\s+([\w']+)", text)
    if named != [theorem.name for theorem in found]:
        raise ValueError(f"each theorem of {file}.v must have a comment before it, got {named}")
    return found


def mentions(texts: dict[str, str], statement: str) -> set[str]:
    """The labels of the equations that a statement has in it, also by way of a definition of these files."""
    bodies = {
        name: body
        for text in texts.values()
        for name, body in re.findall(r"Definition ([\w']+)(.*?)\.\s*\n\n", _without_comments(text), re.S)
    }
    modules = {statements.name(e.number): str(e.number) for e in EQUATIONS.values()}
    seen, found, todo = set(), set(), [statement]
    while todo:
        for word in set(re.findall(r"[A-Za-z][\w']*", todo.pop())) - seen:
            seen.add(word)
            line = re.fullmatch(r"(eq\w+?)(?:_\d+(?:_right)?)?", word)
            if line and line[1] in modules:
                found.add(modules[line[1]])
            elif word in bodies:
                todo.append(bodies[word])
    return found


def _without_comments(text: str) -> str:
    return re.sub(r"\(\*.*?\*\)", "", text, flags=re.S)


# --- compiling ------------------------------------------------------------------------------


def coqc() -> str | None:
    """Where Coq's compiler is, if it is."""
    return shutil.which("coqc")


def version() -> str:
    """The version of Coq."""
    return _run(["coqc", "--print-version"], ROOT).stdout.split()[0]


def _run(command: list[str], folder: Path) -> subprocess.CompletedProcess:
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def compile_one(file: str, folder: Path) -> str:
    """What Coq says of a file in a folder that has what the file requires. Raises Refused."""
    done = _run(["coqc", "-q", "-w", "-ambiguous-paths", "-Q", ".", "Companion", f"{file}.v"], folder)
    if done.returncode:
        line = re.search(r"line (\d+), characters", done.stderr)
        above = (folder / f"{file}.v").read_text(encoding="utf-8").splitlines()[: int(line[1]) if line else 0]
        names = _SENTENCE.findall("\n".join(above))
        raise Refused(file, names[-1] if names else "its beginning", done.stderr.strip())
    return done.stdout


def _spent() -> float:
    """The seconds of processor time of all programs that ran and ended."""
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime


def print_equations(files: set[str], folder: Path) -> list[str]:
    """Print the letters and the equations of some files into a folder; returns all of these in order."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "Letters.v").write_text(statements.letters(), encoding="utf-8")
    printed = sorted(files & set(EQUATIONS))
    for file in printed:
        (folder / f"{file}.v").write_text(statements.equation(EQUATIONS[file]), encoding="utf-8")
    return ["Letters", *printed]


def compile_all(folder: Path) -> dict[str, float]:
    """Print and compile everything into a folder; the processor seconds of each file. Raises Refused."""
    shutil.rmtree(folder, ignore_errors=True)
    texts = written()
    files = print_equations(set().union(*map(required, texts.values())), folder)
    for file, text in texts.items():
        (folder / f"{file}.v").write_text(text, encoding="utf-8")
    seconds = {}
    for file in (*files, *texts):
        begin = _spent()
        compile_one(file, folder)
        seconds[file] = _spent() - begin
    return seconds


def assumptions(chosen: list[Theorem], folder: Path) -> dict[str, tuple[str, tuple[str, ...]]]:
    """The statement of each theorem, and the axioms that it rests on, as Coq prints them."""
    files = sorted({theorem.file for theorem in chosen})
    asked = "\n".join(
        f'Goal True. idtac "## {theorem.name}". Abort.\nCheck {theorem.file}.{theorem.name}.\n'
        f"Print Assumptions {theorem.file}.{theorem.name}."
        for theorem in chosen
    )
    (folder / "Assumptions.v").write_text(
        "From Coq Require Import Reals.\nFrom Coquelicot Require Import Coquelicot.\n"
        f"From Companion Require {' '.join(files)}.\nOpen Scope R_scope.\n{asked}\n",
        encoding="utf-8",
    )
    answers = re.split(r"^## (\S+)\n", compile_one("Assumptions", folder), flags=re.M)[1:]
    return {name: _answer(text) for name, text in zip(answers[::2], answers[1::2], strict=True)}


def _answer(text: str) -> tuple[str, tuple[str, ...]]:
    statement, closed, _ = text.partition("Closed under the global context")
    axioms = ""
    if not closed:
        statement, _, axioms = text.partition("Axioms:\n")
    return " ".join(statement.split()), tuple(sorted(re.findall(r"^([\w.']+)(?=\s|$)", axioms, flags=re.M)))


# --- the record -----------------------------------------------------------------------------


def check(folder: Path = BUILT) -> dict:
    """Compile everything into a folder and check each theorem; the record. Raises Refused and ValueError."""
    texts = written()
    for file, text in texts.items():
        word = FORBIDDEN.search(_without_comments(text))
        if word:
            raise ValueError(f"{file}.v must not have the word {word[0]}")
    every = [theorem for file, text in texts.items() for theorem in theorems(file, text)]
    seconds = compile_all(folder)
    found = assumptions(every, folder)
    rows = []
    for theorem in every:
        statement, axioms = found[theorem.name]
        said = mentions(texts, statement)
        if set(theorem.checks) - said:
            raise ValueError(f"{theorem.name} must mention {theorem.checks}, got {sorted(said)}")
        if set(axioms) - AXIOMS:
            raise ValueError(f"{theorem.name} must rest on {sorted(AXIOMS)} alone, got {axioms}")
        rows.append(asdict(theorem) | {"mentions": sorted(said), "statement": statement, "axioms": axioms})
    checked = sorted({label for theorem in every for label in theorem.checks})
    lines = {str(e.number): e.lines for e in EQUATIONS.values()}
    return {
        "coqc": version(),
        "axioms": sorted(AXIOMS),
        "equations": {label: lines[label] for label in checked},
        "theorems": rows,
        "seconds": {file: round(taken, 2) for file, taken in seconds.items()},
    }


def table(record: dict) -> str:
    """The theorems of a record, the equations they check, and the seconds that their files took."""
    shown = [("theorem", "checks", "seconds")]
    for file in dict.fromkeys(row["file"] for row in record["theorems"]):
        shown.append((f"{file}.v", "", f"{record['seconds'][file]:.1f}"))
        for row in record["theorems"]:
            if row["file"] == file:
                shown.append((f"  {row['name']}", " ".join(f"({label})" for label in row["checks"]), ""))
    wide = [max(map(len, column)) for column in zip(*shown, strict=True)]
    return "\n".join(f"{a:<{wide[0]}}  {b:<{wide[1]}}  {c:>{wide[2]}}" for a, b, c in shown)


def main() -> None:
    """Check everything, with --mutants what becomes of wrong equations too, and write the record."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mutants", nargs="*", metavar="number", help="then each mutant, of these equations")
    options = parser.parse_args()
    RECORD.unlink(missing_ok=True)
    if coqc() is None:
        sys.exit(INSTALL)
    try:
        record = check()
    except Refused as refused:
        sys.exit(f"Coq refuses {refused}")
    print(table(record))
    axioms = "\n".join(f"  {axiom}" for axiom in record["axioms"])
    print(
        f"{len(record['theorems'])} theorems about {len(record['equations'])} registered equations, "
        f"checked by the kernel of Coq {record['coqc']}\n"
        f"in {sum(record['seconds'].values()):.0f} seconds of processor time. "
        f"They rest on nothing but the axioms of Coq's real numbers:\n{axioms}"
    )
    if options.mutants is not None:
        import mutants

        record["mutants"] = mutants.examine(options.mutants or mutants.MUTATED)
    RECORD.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    if any(row["survived"] for row in record.get("mutants", {}).values()):
        sys.exit("a mutant survived: what is proved of its equation is true of a wrong one too")


if __name__ == "__main__":
    main()

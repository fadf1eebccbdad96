"""Prints the registered equations as Coq statements, and lets Coq's kernel check the proofs about them.

    make proofs                     prints, compiles, checks what each theorem rests on; a table, a record
    make proofs ARGS=--mutants      and then every mutant of some equations, each of which must break a proof

The record, _build/proofs/record.json, says which theorem about which registered equations was checked, with
which Coq, and which axioms it rests on. It is written when all holds, and removed before anything is tried.
The build asks for it (book/_ext/kernel_checked.py), with --if-needed.
"""

from __future__ import annotations

import argparse
import json
import re
import resource
import shutil
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

PROOFS = Path(__file__).resolve().parent
ROOT = PROOFS.parent.parent
sys.path.insert(0, str(ROOT))

from urep.site import kernel, statements  # noqa: E402 - of this checkout
from urep.site.kernel import EQUATIONS, Theorem, theorems, written  # noqa: E402

RECORD = kernel.RECORD
"""What was checked, for the book to read."""

BUILT = RECORD.parent
"""Where everything is printed and compiled."""

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

FORBIDDEN = re.compile(
    r"\b(Admitted|Axioms?|Abort|Parameters?|Conjecture|admit|give_up|Unset|bypass_check)\b"
)
"""Words by which a hand-written file could claim what it does not prove."""


class Refused(Exception):
    """Coq refuses a file: its name, the theorem or lemma in which, and what was said."""

    def __init__(self, file: str, where: str, said: str):
        super().__init__(f"{file}.v, in {where}:\n{said}")
        self.file, self.where, self.said = file, where, said


# --- the hand-written files -----------------------------------------------------------------

_SENTENCE = re.compile(r"(?:Theorem|Lemma|Corollary)\s+([\w']+)")


def mentions(texts: dict[str, str], statement: str) -> set[str]:
    """The labels of the equations that a statement has in it, also by way of a definition of these files."""
    bodies = {
        name: body
        for text in texts.values()
        for name, body in re.findall(r"Definition ([\w']+)(.*?)\.\s*\n\n", without_comments(text), re.S)
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


def without_comments(text: str) -> str:
    """The text of a file without what Coq does not read."""
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


def compile_all(folder: Path) -> dict[str, float]:
    """Print and compile everything into a folder; the processor seconds of each file. Raises Refused."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    seconds = {}
    for file, text in (kernel.printed() | written()).items():
        (folder / f"{file}.v").write_text(text, encoding="utf-8")
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
        word = FORBIDDEN.search(without_comments(text))
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
        "digest": kernel.digest(),
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
    parser.add_argument("--mutants", action="store_true", help="then each mutant of some equations")
    parser.add_argument("--if-needed", action="store_true",
                        help="nothing where Coq is missing, or has checked all of this before")  # fmt: skip
    options = parser.parse_args()
    if options.if_needed and (coqc() is None or kernel.record(RECORD)):
        print("== " + ("the proofs are checked" if coqc() else "no coqc: the proofs are not checked"))
        return
    RECORD.unlink(missing_ok=True)
    if coqc() is None:
        sys.exit(INSTALL)
    try:
        record = check()
    except Refused as refused:
        sys.exit(f"Coq refuses {refused}")
    RECORD.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(table(record))
    axioms = "\n".join(f"  {axiom}" for axiom in record["axioms"])
    print(
        f"{len(record['theorems'])} theorems about {len(record['equations'])} registered equations, "
        f"checked by the kernel of Coq {record['coqc']}\n"
        f"in {sum(record['seconds'].values()):.0f} seconds of processor time. "
        f"They rest on nothing but the axioms of Coq's real numbers:\n{axioms}"
    )
    if options.mutants:
        import mutants

        mutants.main()


if __name__ == "__main__":
    main()

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
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import NamedTuple

PROOFS = Path(__file__).resolve().parent
ROOT = PROOFS.parent.parent
sys.path.insert(0, str(ROOT))

from urep.site import kernel, statements  # noqa: E402 - of this checkout
from urep.site.kernel import EQUATIONS, Theorem, written  # noqa: E402

RECORD = kernel.RECORD
"""What was checked, for the book to read."""

BUILT = RECORD.parent
"""Where everything is printed and compiled."""

INSTALL = """\
There is no coqc on this machine, the Coq proof assistant that checks the proofs in tests/proofs.
    Debian, Ubuntu: apt-get install coq libcoq-coquelicot
    elsewhere:      opam install coq coq-coquelicot
"""

WHERE = {
    "Classical_Prop.classic": "Coq.Logic.Classical_Prop",
    "ClassicalDedekindReals.sig_forall_dec": "Coq.Reals.ClassicalDedekindReals",
    "ClassicalDedekindReals.sig_not_dec": "Coq.Reals.ClassicalDedekindReals",
    "FunctionalExtensionality.functional_extensionality_dep": "Coq.Logic.FunctionalExtensionality",
}
"""The file of Coq's library that each allowed axiom is in: a file here may have the same short name."""

AXIOMS = frozenset(WHERE)
"""What the real numbers of Coq's standard library rest on, and all that a proof here may."""

FORBIDDEN = re.compile(
    r"\b(Admitted|Axioms?|Abort|Parameters?|Conjectures?|Primitive|admit|give_up|Unset|bypass_check|Load"
    r"|Declare|Module|Coercion|Canonical|native_compute)\b"
)
"""Words by which a hand-written file could claim what it does not prove, or hide what it says."""


class Refused(Exception):
    """Coq refuses a file: its name, the theorem or lemma in which, what was said, whether of a proof."""

    def __init__(self, file: str, where: str, said: str, of_proof: bool = False):
        super().__init__(f"{file}.v, in {where}:\n{said}")
        self.file, self.where, self.said, self.of_proof = file, where, said, of_proof


# --- the hand-written files -----------------------------------------------------------------

_SENTENCE = re.compile(r"(?:Theorem|Lemma|Corollary)\s+([\w']+)")
_NO_STEP = re.compile(
    r"Anomaly|overflow|Out of memory|Cannot find a physical path|was not found|Syntax error|Timeout"
)
_DEFINED = re.compile(r"\b(?:Definition|Fixpoint)\s+([\w']+)")
_NAMED = re.compile(
    r"\b(?:Definition|Fixpoint|CoFixpoint|Let|Notation|Inductive|CoInductive|Variant|Record|Structure|Class"
    r"|Instance|Theorem|Lemma|Corollary|Fact|Remark|Proposition|Example|Hypothesis|Variable)\s+([\w']+)"
)
_SCOPE = re.compile(r"\b(Section|End|Hypothes[ie]s|Variables?|Context)\s+[^.]")
_LINE = re.compile(r"(eq\w+?)(?:_(\d+)(?:_right)?)?")
_LABELS = {statements.name(e.number): str(e.number) for e in EQUATIONS.values()}
_QUALIFIED = re.compile(r"(?<![\w.'])[A-Za-z][\w']*\.[A-Za-z][\w']*(?![\w'.])")
_STRING = re.compile(r'"[^"]*"')

PRESUPPOSED, CONCLUDED, CHOSEN = "presupposed", "concluded", "chosen"


class Lines(NamedTuple):
    """Which lines of equations a statement presupposes, concludes, mentions: labels and numbers from 1."""

    presupposed: set[tuple[str, int]]
    concluded: set[tuple[str, int]]
    mentioned: set[tuple[str, int]]


def without_comments(text: str) -> str:
    """The text of a file without what Coq does not read.

    As Coq does, it reads a comment in a comment, and no comment in a string.
    """
    kept, depth, end = [], 0, 0
    for found in re.finditer(r'"[^"]*"|\(\*|\*\)', text):
        if not depth:
            kept.append(text[end : found.start()])
        end = found.end()
        if found[0] == "(*":
            depth += 1
        elif found[0] == "*)" and depth:
            depth -= 1
        elif not depth:
            kept.append(found[0])
    return "".join(kept) + text[end:] * (not depth)


def refuse_claims(file: str, text: str) -> None:
    """Raises ValueError for a hand-written file that could claim what it does not prove."""
    own = without_comments(text)
    word = FORBIDDEN.search(own)
    if word:
        raise ValueError(f"{file}.v must not have the word {word[0]}")
    depth = 0
    for found in _SCOPE.finditer(re.sub(r"\bRequire\b[^.]*\.", "", own)):
        depth += {"Section": 1, "End": -1}.get(found[1], 0)
        if found[1] not in ("Section", "End") and depth == 0:
            raise ValueError(f"{file}.v must have each {found[1]} in a section, got one outside")
    for name in _NAMED.findall(own):
        line = _LINE.fullmatch(name)
        if line and line[1] in _LABELS:
            raise ValueError(f"{file}.v must not give a name of a printed equation, got {name}")


# --- what a statement says -------------------------------------------------------------------


def lines_in(bodies: Mapping[str, str], statement: str) -> Lines:
    """The lines of the equations in a statement, by what it does with them.

    The statement, and the definitions by name in `bodies`, are as Coq prints them: Eq10.eq10 is the printed
    (10), and nothing else is. What stands before an arrow is presupposed; what is both is no conclusion. Of
    letters of which it says that there are some, the proof chooses them so that the equations hold.
    """
    found, seen = {PRESUPPOSED: set(), CONCLUDED: set(), CHOSEN: set()}, set()

    def visit(text: str, role: str) -> None:
        if role == CONCLUDED:
            outside, groups = _outline(text)
            whole = re.split(r"\b(?=exists\b)", outside, maxsplit=1)
            if len(whole) == 2 and "Letters.letters" in _filled(whole[1].partition(",")[0], groups):
                visit(_filled(whole[0], groups), PRESUPPOSED)
                return visit(_filled(whole[1], groups), CHOSEN)
            *premises, text = re.split(r"(?<!<)->", outside)
            visit(_filled(" ".join(premises), groups), PRESUPPOSED)
            for at in re.findall(r"\0(\d+)\0", text):
                visit(groups[int(at)], CONCLUDED)
        for name in set(_QUALIFIED.findall(text)) - {name for name, own in seen if own == role}:
            seen.add((name, role))
            file, _, word = name.partition(".")
            line = _LINE.fullmatch(word)
            if line and line[1] in _LABELS and file == statements.module(_LABELS[line[1]]):
                label = _LABELS[line[1]]
                every = range(1, len(EQUATIONS[file].relations) + 1)
                found[role] |= {(label, int(line[2]))} if line[2] else {(label, i) for i in every}
            elif name in bodies:
                visit(_STRING.sub("", bodies[name]), role)

    visit(_STRING.sub("", statement), CONCLUDED)
    return Lines(found[PRESUPPOSED], found[CONCLUDED] - found[PRESUPPOSED], set().union(*found.values()))


def _outline(text: str) -> tuple[str, list[str]]:
    """A text with a number in place of what stands in parentheses, and of the arrows in types; and that."""
    outside, groups, depth, begin = "", [], 0, 0
    for at, sign in enumerate(text):
        depth += {"(": 1, ")": -1}.get(sign, 0)
        if sign == "(" and depth == 1:
            begin = at + 1
        elif sign == ")" and depth == 0:
            outside += f"\0{len(groups)}\0"
            groups.append(text[begin:at])
        elif depth == 0:
            outside += sign
    typed = r"\b(?:(?:forall|exists)\b[^,]*,|fun\b.*?=>)"
    return re.sub(typed, lambda binder: binder[0].replace("->", "to"), outside), groups


def _filled(outside: str, groups: list[str]) -> str:
    return re.sub(r"\0(\d+)\0", lambda at: f"({groups[int(at[1])]})", outside)


def by_label(lines: Iterable[tuple[str, int]]) -> dict[str, list[int]]:
    """The numbers of lines by the label of their equation, in order."""
    found = {}
    for label, line in sorted(lines):
        found.setdefault(label, []).append(line)
    return found


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
        raise refusal(file, (folder / f"{file}.v").read_text(encoding="utf-8"), done.stderr.strip())
    return done.stdout


def refusal(file: str, text: str, said: str) -> Refused:
    """What Coq said of a file's text: in which theorem or lemma, and whether a step of its proof fails.

    A missing file, a name that is not known or a program that ended for want of memory is no failed step.
    """
    line = re.search(r"line (\d+), characters", said)
    above = text.splitlines()[: int(line[1]) if line else 0]
    names = _SENTENCE.findall("\n".join(above))
    if not names:
        return Refused(file, "its beginning", said)
    before = _SENTENCE.split("\n".join(above[:-1]))[-1] if not _SENTENCE.search(above[-1]) else ""
    until = _SENTENCE.split("\n".join(above))[-1]
    inside = "Proof." in until and "Qed." not in before
    return Refused(file, names[-1], said, inside and "Error:" in said and not _NO_STEP.search(said))


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
    return {name: _answer(name, text) for name, text in _answers("Assumptions", folder).items()}


def _answers(file: str, folder: Path) -> dict[str, str]:
    answers = re.split(r"^## (\S+)\n", compile_one(file, folder), flags=re.M)[1:]
    return dict(zip(answers[::2], answers[1::2], strict=True))


def _answer(name: str, text: str) -> tuple[str, tuple[str, ...]]:
    statement, closed, _ = text.partition("Closed under the global context")
    if closed:
        return " ".join(statement.split()), ()
    statement, open_, axioms = text.partition("Axioms:\n")
    found = tuple(sorted(re.findall(r"^([\w.']+)(?=\s|$)", axioms, flags=re.M)))
    if not open_ or not found:
        raise ValueError(f"Coq must say what {name} rests on, got {text!r}")
    return " ".join(statement.split()), found


def definitions(texts: Mapping[str, str], folder: Path) -> dict[str, str]:
    """The body of each definition of hand-written files, "Exact.exact", as Coq prints it.

    Raises ValueError where the short name of an allowed axiom is not that of Coq's library.
    """
    own = {file: _DEFINED.findall(without_comments(text)) for file, text in texts.items()}
    names = [f"{file}.{name}" for file, found in own.items() for name in found]
    asked = {name: f"Print {name}" for name in names} | {axiom: f"About {axiom}" for axiom in WHERE}
    sentences = "\n".join(
        f'Goal True. idtac "## {name}". Abort.\n{sentence}.' for name, sentence in asked.items()
    )
    (folder / "Definitions.v").write_text(
        "From Coq Require Import Reals.\nFrom Coquelicot Require Import Coquelicot.\n"
        f"From Companion Require {' '.join(texts)}.\nOpen Scope R_scope.\nSet Printing Width 100000.\n"
        f"{sentences}\n",
        encoding="utf-8",
    )
    answers = _answers("Definitions", folder)
    for axiom, file in WHERE.items():
        full = f"{file}.{axiom.partition('.')[2]}"
        if f"Expands to: Constant {full}\n" not in answers[axiom] + "\n":
            raise ValueError(f"{axiom} must be {full}, of Coq's library, got {answers[axiom]!r}")
    return {name: _body(answers[name]) for name in names}


def _body(text: str) -> str:
    """What stands between the name and the type of a definition that Coq prints."""
    return " ".join(text.partition("\n     : ")[0].partition("=")[2].split())


# --- the record -----------------------------------------------------------------------------


def check(folder: Path = BUILT) -> dict:
    """Compile everything into a folder and check each theorem; the record. Raises Refused and ValueError."""
    texts = written()
    for file, text in texts.items():
        refuse_claims(file, text)
    every = list(kernel.every().values())
    seconds = compile_all(folder)
    found, bodies = assumptions(every, folder), definitions(texts, folder)
    rows = []
    for theorem in every:
        statement, axioms = found[theorem.name]
        lines = lines_in(bodies, statement)
        said = by_label(lines.mentioned)
        if set(theorem.checks) - set(said):
            raise ValueError(f"{theorem.name} must mention {theorem.checks}, got {sorted(said)}")
        if set(axioms) - AXIOMS:
            raise ValueError(f"{theorem.name} must rest on {sorted(AXIOMS)} alone, got {axioms}")
        rows.append(
            asdict(theorem)
            | {"mentions": said, "presupposes": by_label(lines.presupposed)}
            | {"concludes": by_label(lines.concluded), "statement": statement, "axioms": axioms}
        )
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
    if options.if_needed and coqc() and kernel.record(RECORD):
        print("== the proofs are checked")
        return
    RECORD.unlink(missing_ok=True)
    if options.if_needed and coqc() is None:
        print("== no coqc: the proofs are not checked")
        return
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

"""Mutants of the registered equations, each put to the derivations that claim its equation.

    make mutations                    all mutants, a few a second; replaces tests/mutations.json
    make mutations ARGS="10 E9"       those of some equations; replaces nothing
    make mutations ARGS=--sample      those that make test examines; replaces nothing

A mutant is an equation with one thing wrong. The cells that derive the equation run again with the mutant in
place of the truth, from the moment on at which they first ask for it. They *accuse* the mutant if they stop
at a claim that does not hold and whose message begins with that equation. Any other exception counts as
raised, none as survived. So a derivation that follows what is registered, and proves it from itself, has
survivors.

Where an equation is a definition, the page types it a second time, and no more is seen than whether the two
agree. A result that a derivation has typed for itself, or two pages each of which rests on what the other
proves, are not seen. Steps of derivations are not mutated here, nor are numbers: this says nothing of claims
about networks.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import multiprocessing
import os
import re
import signal
import subprocess
import sys
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

import arithmetic
import references

for name in arithmetic.THREADS:  # before NumPy comes, so that a process that forks has one thread
    os.environ.setdefault(name, "1")

import joblib  # noqa: E402
import sympy as sp  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from urep import checks  # noqa: E402
from urep import equations as eq  # noqa: E402 - of this checkout
from urep.equations import algebra, registry  # noqa: E402

RECORD = ROOT / "tests" / "mutations.json"
"""The result of the last complete run, and the commit that it is of."""

EQUATIONS = {str(number): equation for number, equation in {**eq.paper, **eq.book}.items()}
"""Every registered equation by its number."""

HEADINGS = {"experiments/digits": ("## Equation (50)", "### What it does to pixels")}
"""Between which headings a page derives; in other pages it is from their beginning to "## Integrate"."""

PATIENCE = 60
"""Seconds of processor time after which a mutant counts as raised: its derivation does not end."""

# --- mutants --------------------------------------------------------------------------------

NAMED = [q.symbol for q in eq.NOTATION]
SUM, PRODUCT = sp.Add | sp.MatAdd, sp.Mul | sp.MatMul
TURNED = {sp.Le: sp.Ge, sp.Ge: sp.Le}


@dataclass(frozen=True)
class Mutant:
    """An equation with one thing wrong: its number, the line and side that is, all of its relations."""

    number: str
    line: int
    side: str
    relations: tuple[sp.Rel, ...]

    @property
    def name(self) -> str:
        """The mutated line as text."""
        return f"line {self.line + 1}, {self.side}: {registry.as_text(self.relations[self.line])}"


def mutants(number: str) -> list[Mutant]:
    """All mutants of an equation, line by line, each once."""
    equation = EQUATIONS[number]
    found = {}
    for at, line in enumerate(equation.relations):
        for side, wrong in _wrong_lines(line, equation):
            if wrong != line:
                relations = (*equation.relations[:at], wrong, *equation.relations[at + 1 :])
                mutant = Mutant(number, at, side, relations)
                found.setdefault(mutant.name, mutant)
    return list(found.values())


def _wrong_lines(line: sp.Rel, equation: eq.Equation) -> Iterator[tuple[str, sp.Rel]]:
    for left in wrong_lefts(line, equation):
        yield "left", line.func(left, line.rhs, evaluate=False)
    for right in wrong_rights(line.rhs):
        yield "right", line.func(line.lhs, right, evaluate=False)
    if line.func in TURNED:
        yield "sign", TURNED[line.func](line.lhs, line.rhs, evaluate=False)


def wrong_lefts(line: sp.Rel, equation: eq.Equation) -> Iterator[sp.Expr]:
    """Left-hand sides that a line must not have: those of other lines, its multiples, another letter."""
    left = line.lhs
    yield from (other.lhs for other in equation.relations if other.lhs != left)
    yield -left
    yield 2 * left
    letters = left.atoms(sp.Symbol, sp.MatrixSymbol, sp.core.function.AppliedUndef) & set(NAMED)
    for letter in sorted(letters - {eq.t}, key=str):
        shape = getattr(letter, "shape", None)
        alike = [z for z in NAMED if getattr(z, "shape", None) == shape and z != letter]
        if alike:
            yield left.xreplace({letter: alike[NAMED.index(letter) % len(alike)]})


def wrong_rights(expr: sp.Expr) -> Iterator[sp.Expr]:
    """A right-hand side with one thing wrong: a sign, a lost term or factor, a factor 2, an exponent."""
    if expr == 0:
        yield sp.S.One
    else:
        yield -expr
        yield 2 * expr
        yield from _inside(expr)


def _inside(expr: sp.Expr) -> Iterator[sp.Expr]:
    if isinstance(expr, SUM | PRODUCT):
        for index, argument in enumerate(expr.args):
            others = expr.args[:index] + expr.args[index + 1 :]
            if not (isinstance(expr, sp.MatMul) and isinstance(argument, sp.MatrixExpr)):
                yield expr.func(*others)  # without a matrix a product has no shape
            if isinstance(expr, SUM):
                yield expr.func(-argument, *others)
                yield expr.func(2 * argument, *others)
    if isinstance(expr, sp.Pow):
        yield sp.Pow(expr.base, expr.exp + 1)
        yield sp.Pow(expr.base, -expr.exp)
    if isinstance(expr, sp.exp):
        yield sp.exp(-expr.args[0])
    if isinstance(expr, SUM | PRODUCT | sp.Pow | sp.exp | sp.erf | sp.Trace):
        for index, argument in enumerate(expr.args):
            for changed in _inside(argument):
                yield expr.func(*expr.args[:index], changed, *expr.args[index + 1 :])


def sample(number: str) -> list[Mutant]:
    """A mutant of each side of an equation, the first by digest: others when the equation changes."""
    found = {}
    for mutant in mutants(number):
        found.setdefault(mutant.side, []).append(mutant)
    return [min(side, key=lambda m: zlib.crc32(m.name.encode())) for side in found.values()]


# --- where an equation is derived -----------------------------------------------------------


def deriving() -> list[str]:
    """The pages that derive."""
    folders = "theory", "beyond"
    found = [path for folder in folders for path in sorted((ROOT / "book" / folder).glob("*.md"))]
    return [f"{path.parent.name}/{path.stem}" for path in found] + sorted(HEADINGS)


def cells(page: str) -> list[str]:
    """The cells in which a page derives, but for drawings, whose code has no claims."""
    text = (ROOT / "book" / f"{page}.md").read_text(encoding="utf-8")
    start, end = HEADINGS.get(page, ("", "\n## Integrate\n"))
    part = text[text.index(start) :].split(end)[0]
    found = re.findall(r"```\{code-cell\}[^\n]*\n(.*?)```", part, flags=re.S)
    return [references.OPTIONS.sub("", cell) for cell in found if "figures." not in cell]


# --- running a page with a mutant -----------------------------------------------------------


class Watched(Mapping):
    """The registered equations as a page sees them; calls `first` when one is asked for the first time."""

    def __init__(self, equations: Mapping, first):
        self.held, self._first, self.asked = dict(equations), first, set()

    def __getitem__(self, number):
        if number in self.held and number not in self.asked:
            self.asked.add(number)
            self._first(str(number))
        return self.held[number]

    def __iter__(self):
        return iter(self.held)

    def __len__(self):
        return len(self.held)


class Run:
    """A page that runs as it stands, and forks for each mutant where it first asks for its equation.

    A fork is the page with one equation changed: it goes on to the end, or to what stops it, and reports.
    """

    def __init__(self, page: str, chosen: Mapping[str, list[str]]):
        self.page, self.chosen, self.outcomes, self._report = page, chosen, {}, None
        self._claimed: dict[str, set] = {}
        self._wanted: dict[str, list[Mutant]] = {}
        self.seen = {"paper": Watched(eq.paper, self._first), "book": Watched(eq.book, self._first)}

    def outcome(self) -> dict[str, dict[str, str]]:
        """What became of each mutant: {number: {name: "accused" or "survived" or what was raised}}.

        Only of the equations of which the page claims every line.
        """
        self._install()
        for _ in ("to see what is claimed", "to change it"):
            stopped = self._run()
            if self._report is not None:  # in a fork
                os.write(self._report, stopped.encode())
                os._exit(0)
            if stopped:
                raise RuntimeError(f"{self.page} does not run as it stands: {stopped}")
            self._wanted = {number: [m for m in mutants(number) if m.name in names]
                            for number, names in self.chosen.items() if self._claims(number)}  # fmt: skip
            for equations in self.seen.values():
                equations.asked.clear()
        return self.outcomes

    def _install(self) -> None:
        """Give the page, and whatever has imported the registry, the watched equations; listen to claims."""
        for name, module in list(sys.modules.items()):
            if name.startswith("urep") and name != registry.__name__:
                for which, equations in (("paper", registry.paper), ("book", registry.book)):
                    if getattr(module, which, None) is equations:
                        setattr(module, which, self.seen[which])
        check = checks.check

        def heard(item, claim, registered=None, **evidence):
            lines = () if registered is None else algebra.lines(registered)
            self._claimed.setdefault(item.split(" ", 1)[1], set()).update(lines)
            return check(item, claim, registered=registered, **evidence)

        checks.check = heard

    def _claims(self, number: str) -> bool:
        return set(EQUATIONS[number].relations) <= self._claimed.get(number, set())

    def _run(self) -> str:
        """Run the cells; returns what stopped them, or nothing."""
        names = {"verify": checks.verify}
        try:
            for cell in cells(self.page):
                with contextlib.redirect_stdout(io.StringIO()):
                    exec(compile(cell, self.page, "exec"), names)
        except Exception as error:
            return f"{type(error).__name__}: {error}"
        return ""

    def _first(self, number: str) -> None:
        if self._report is not None:
            return
        for mutant in self._wanted.get(number, ()):
            read, write = os.pipe()
            child = os.fork()
            if child == 0:
                self._report = write
                signal.setitimer(signal.ITIMER_PROF, PATIENCE)  # and then a deadly signal
                self._change(mutant)
                return
            os.close(write)
            with os.fdopen(read) as report:
                stopped = report.read()
            _, status = os.waitpid(child, 0)
            self.outcomes.setdefault(number, {})[mutant.name] = judged(mutant, stopped, status)

    def _change(self, mutant: Mutant) -> None:
        true = EQUATIONS[mutant.number]
        wrong = replace(true, relations=mutant.relations)
        for which in ("paper", "book"):
            held = self.seen[which].held
            if true.number in held:
                held[true.number] = wrong
                setattr(registry, which, MappingProxyType(held))
        registry._ALL = tuple(wrong if e.number == true.number else e for e in registry._ALL)


def judged(mutant: Mutant, stopped: str, status: int) -> str:
    """What a mutant's page came to, from what stopped it and how its process ended."""
    if status:
        return f"ended by signal {os.WTERMSIG(status)}"
    number = EQUATIONS[mutant.number].number
    words = checks.in_words(f"eq {number}" if isinstance(number, int) else f"book {number}")
    if re.match(rf"{checks.ClaimFailed.__name__}: {re.escape(words)}(?![\w'+=-])", stopped):
        return "accused"
    return stopped.splitlines()[0][:200] if stopped else "survived"


def _examined(task: tuple[str, dict[str, list[str]]]) -> tuple[str, dict]:
    """The outcome of a page. Mutants come by name: a pickled relation that is false comes back as False."""
    page, chosen = task
    return page, Run(page, chosen).outcome()


def examine(
    chosen: Mapping[str, list[Mutant]], processes: int = 1, pages: Iterable[str] | None = None
) -> dict[str, dict[str, dict[str, str]]]:
    """What becomes of some mutants of each equation: {number: {name: {page: outcome}}}."""
    names = {number: [mutant.name for mutant in some] for number, some in chosen.items()}
    found = {number: {name: {} for name in some} for number, some in names.items()}
    fresh = multiprocessing.get_context("spawn")
    with fresh.Pool(processes, maxtasksperchild=1) as pool:
        tasks = [(page, names) for page in pages or deriving()]
        for page, outcomes in pool.imap_unordered(_examined, tasks, chunksize=1):
            for number, of in outcomes.items():
                for name, outcome in of.items():
                    found[number][name][page] = outcome
    return found


# --- the score ------------------------------------------------------------------------------


def fate(outcomes: Mapping[str, str]) -> str:
    """Of a mutant, by page: accused where every page that claims its equation accuses it, else the worst."""
    others = [outcome for outcome in outcomes.values() if outcome != "accused"]
    if "survived" in others or not outcomes:
        return "survived"
    return others[0] if others else "accused"


def score(found: Mapping[str, Mapping[str, Mapping[str, str]]]) -> dict[str, dict]:
    """By equation: how many mutants there are, how many were accused, what the others did."""
    rows = {}
    for number, of in found.items():
        fates = {name: fate(outcomes) for name, outcomes in of.items()}
        raised = {name: f for name, f in fates.items() if f not in ("accused", "survived")}
        rows[f"({number})"] = {
            "mutants": len(fates),
            "accused": sum(f == "accused" for f in fates.values()),
            "raised": len(raised),
            "survived": [name for name, f in fates.items() if f == "survived"],
            "raised_otherwise": [f"{name} -> {f}" for name, f in raised.items()],
        }
    return rows


def commit() -> str:
    """The commit that is checked out; with a plus sign if files differ from it."""
    said = [
        subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()
        for words in (("rev-parse", "HEAD"), ("status", "--porcelain", "--", "book", "urep", "tests/*.py"))
    ]
    return said[0] + ("+" if said[1] else "")


def main() -> None:
    """Examine all mutants, or those of some equations, and print or write the score."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("numbers", nargs="*", choices=[*EQUATIONS, []], metavar="number")
    parser.add_argument("--sample", action="store_true", help="only those that make test examines")
    parser.add_argument("--processes", type=int, default=joblib.cpu_count())
    options = parser.parse_args()
    chosen = {number: (sample if options.sample else mutants)(number)
              for number in options.numbers or EQUATIONS}  # fmt: skip
    made_from = commit()
    rows = score(examine(chosen, options.processes))
    for number, row in rows.items():
        print(f"{number:>6}: {row['accused']} of {row['mutants']} accused")
        for name in (*row["survived"], *row["raised_otherwise"]):
            print(f"        {name}")
    accused, total = sum(row["accused"] for row in rows.values()), sum(map(len, chosen.values()))
    print(f"{accused} of {total} accused")
    if not options.numbers and not options.sample:
        written = {"commit": made_from, "sampled": sum(len(sample(n)) for n in EQUATIONS), "equations": rows}
        RECORD.write_text(json.dumps(written, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    sys.exit(accused != total)


if __name__ == "__main__":
    main()

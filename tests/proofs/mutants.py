"""Mutants of the registered equations, each put to the proofs that require its equation.

    make proofs ARGS=--mutants    all mutants of some equations, ten minutes; replaces mutants.json

A mutant is what tests/mutations.py makes of an equation: one thing in it is wrong. It is printed in place of
the truth, must be a proposition that Coq understands, and the files that require it are compiled until one is
*refused*, at a step of a proof. A mutant that all of them accept survives: nothing was proved about it.

The control is put to the same proofs: right-hand sides written in other true ways. A proof that matches how
something is written refuses these too, so that its refusals do not say that a mutant is wrong. How many are
accepted is kept; not all have to be.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import check

sys.path.insert(0, str(check.ROOT / "tests"))

import joblib
import mutations
import sympy as sp

from urep.site import kernel, statements

MUTATED = ("10", "38", "39", "40", "E1", "E2", "E54")
"""The equations whose mutants must all be refused."""

SURVIVED = "survived"


def resting_on(file: str, texts: dict[str, str]) -> list[str]:
    """The hand-written files that require a file, also by way of another, in order."""
    found = {file}
    for own, text in texts.items():
        if kernel.required(text) & found:
            found.add(own)
    return [own for own in texts if own in found]


def digest() -> str:
    """Of everything that a mutant is put to, but for comments and the breaks of lines."""
    texts = kernel.printed() | kernel.written()
    modules = [statements.module(mutations.EQUATIONS[number].number) for number in MUTATED]
    used, more = set(), {own for module in modules for own in resting_on(module, kernel.written())}
    while more:
        used |= more
        more = set().union(*(kernel.required(texts[file]) for file in more)) - used
    return kernel.digest({file: " ".join(check.without_comments(texts[file]).split()) for file in used})


def fate(mutant: mutations.Mutant, built: Path = check.BUILT) -> str:
    """In which proof Coq refuses a step because of a mutant, "Exact.N_rate", or "survived".

    Raises check.Refused where Coq refuses anything else, which says nothing of the mutant.
    """
    true = mutations.EQUATIONS[mutant.number]
    file, texts = statements.module(true.number), kernel.written()
    others = resting_on(file, texts)
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        for path in built.glob("*.vo"):
            if path.stem not in (file, *others):
                (folder / path.name).symlink_to(path)
        wrong = statements.equation(replace(true, relations=mutant.relations))
        (folder / f"{file}.v").write_text(wrong, encoding="utf-8")
        check.compile_one(file, folder)
        try:
            for own in others:
                shutil.copy(built / f"{own}.v", folder)
                check.compile_one(own, folder)
        except check.Refused as refused:
            if refused.file not in texts or not refused.of_proof:
                raise
            return f"{refused.file}.{refused.where}"
    return SURVIVED


def fates(chosen: Iterable[mutations.Mutant], built: Path = check.BUILT) -> dict[str, str]:
    """What became of some mutants, by name. They need what check.compile_all has left in `built`."""
    chosen = list(chosen)
    with ThreadPoolExecutor(joblib.cpu_count()) as pool:
        found = pool.map(lambda mutant: fate(mutant, built), chosen)
    return {mutant.name: where for mutant, where in zip(chosen, found, strict=True)}


def rewritings(number: str) -> list[mutations.Mutant]:
    """An equation with one right-hand side in another true form that is printed otherwise, each once."""
    equation = mutations.EQUATIONS[number]
    found = {statements.equation(equation): None}
    for at, line in enumerate(equation.relations):
        for form in (sp.expand, sp.factor, sp.together):
            try:
                right = form(line.rhs)
            except (AttributeError, sp.PolynomialError, TypeError):  # SymPy has no such form of vectors
                continue
            relation = line.func(line.lhs, right, evaluate=False)
            relations = (*equation.relations[:at], relation, *equation.relations[at + 1 :])
            text = statements.equation(replace(equation, relations=relations))
            found.setdefault(text, mutations.Mutant(number, at, form.__name__, relations))
    return [form for form in found.values() if form]


def score(found: dict[str, str]) -> dict:
    """How many mutants there are, in which proofs they were refused, and which survived."""
    refused = [where for where in found.values() if where != SURVIVED]
    return {
        "mutants": len(found),
        "refused": len(refused),
        "by": {where: refused.count(where) for where in sorted(set(refused))},
        "survived": [name for name, where in found.items() if where == SURVIVED],
    }


def examine(numbers: Iterable[str] = MUTATED) -> dict[str, dict]:
    """The score of each equation, printed as it comes."""
    rows = {}
    for number in numbers:
        control = list(fates(rewritings(number)).values())
        rows[number] = score(fates(mutations.mutants(number))) | {
            "rewritings": len(control),
            "accepted": control.count(SURVIVED),
        }
        by = ", ".join(f"{where} ({times})" for where, times in rows[number]["by"].items())
        of = f"{rows[number]['refused']} of {rows[number]['mutants']}"
        print(f"({number}): {of} mutants refused, by {by}", flush=True)
        print(f"    true rewritings accepted: {control.count(SURVIVED)} of {len(control)}")
        for name in rows[number]["survived"]:
            print(f"    survived: {name}")
    return rows


def main() -> None:
    """Put each mutant to the proofs and keep what came of it. Exits where one survived."""
    rows = examine()
    kept = {"commit": mutations.commit(), "digest": digest(), "equations": rows}
    kernel.MUTANTS.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    if any(row["survived"] for row in rows.values()):
        sys.exit("a mutant survived: what is proved of its equation is true of a wrong one too")

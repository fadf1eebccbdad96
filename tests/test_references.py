"""The executed references: current, executed, complete, and what the built site says.

nbval executes each page again, in the oldest arithmetic. What the build executed, in this machine's own, is
compared with the same references by nbval's own rules, so that each run of the tests sees two.
"""

import copy
import difflib
import json
import re

import execution
import nbformat
import pytest
import references
from nbval.plugin import IPyNbFile, coalesce_streams

from urep.checks import MIME

PAGES = references.chapters()


def _ids(page):
    return page.relative_to(references.ROOT).as_posix()


def test_prose_that_comes_goes_or_moves_needs_no_execution(monkeypatch):
    """The code is what a page is known by: around it a page may say more, or less, than when it ran."""
    new = nbformat.v4
    ran = [new.new_code_cell(code, execution_count=k) for k, code in enumerate(("a = 1", "a"), 1)]
    ran[1].outputs = [new.new_output("execute_result", {"text/plain": "1"}, execution_count=2)]
    prose = [new.new_markdown_cell(text) for text in ("old", "new", "newer", "last")]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    code = [new.new_code_cell(cell.source) for cell in ran]
    for cells in ([code[0], code[1]], [prose[1], code[0], prose[2], code[1], prose[3]]):
        now = new.new_notebook(cells=copy.deepcopy(cells), metadata=kernel)
        monkeypatch.setattr(execution, "source", lambda page, now=now: copy.deepcopy(now))
        kept = new.new_notebook(cells=copy.deepcopy([prose[0], *ran]), metadata=kernel)
        found = references.cleaned(references._with_prose(kept, PAGES[0]), PAGES[0])
        assert [cell.source for cell in found.cells] == [cell.source for cell in now.cells]
        own = [cell for cell in found.cells if cell.cell_type == "code"]
        assert [cell.execution_count for cell in own] == [1, 2]
        assert own[1].outputs[0].data["text/plain"] == "1"
        assert len({cell.id for cell in found.cells}) == len(cells)
        nbformat.validate(found)
    now.cells.append(new.new_code_cell("b"))
    with pytest.raises(ValueError, match="zip"):
        references._with_prose(kept, PAGES[0])


def test_there_is_one_reference_for_each_executable_page_and_no_other():
    assert {references.reference(page) for page in PAGES} == set(references.REFERENCES.rglob("*.ipynb"))


@pytest.mark.parametrize("page", PAGES, ids=_ids)
def test_reference_is_the_current_source(page):
    seen = nbformat.read(references.reference(page), as_version=4)
    wanted = references.source(page)
    items: set[str] = set()
    for number, (new, old) in enumerate(zip(wanted.cells, seen.cells, strict=False)):
        items |= set(re.findall(r'"((?:eq|fig|table) \d+)"', old.source + new.source))
        if (new.cell_type, new.id, new.source) != (old.cell_type, old.id, old.source):
            diff = "\n".join(
                difflib.unified_diff(old.source.splitlines(), new.source.splitlines(), "reference", "source")
            )
            claims = re.findall(r'"((?:eq|fig|table) \d+)"', new.source + old.source) or ["none"]
            pytest.fail(
                f"{_ids(page)}, cell {number} differs from its reference; claims in that cell: "
                f"{', '.join(sorted(set(claims)))}. If the change is meant, run `make references`.\n{diff}",
                pytrace=False,
            )
    assert len(wanted.cells) == len(seen.cells), "cells were added or removed: run `make references`"


@pytest.mark.parametrize("page", PAGES, ids=_ids)
def test_reference_is_executed_in_order_and_without_errors(page):
    notebook = nbformat.read(references.reference(page), as_version=4)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert code
    # nbval passes a cell without an execution count and compares nothing.
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    for cell in code:
        assert all(output.output_type != "error" for output in cell.outputs)
        assert all(getattr(output, "name", "") != "stderr" for output in cell.outputs), cell.source


@pytest.mark.parametrize("page", PAGES, ids=_ids)
def test_every_cell_is_compared(page):
    text = page.read_text(encoding="utf-8")
    for word in (
        "nbval-ignore-output",
        "nbval-skip",
        "NBVAL_IGNORE_OUTPUT",
        "NBVAL_SKIP",
        "raises-exception",
    ):
        assert word not in text, f"{_ids(page)} asks nbval not to compare: {word}"


DEFINED = r"^def (\w+)\(((?:.*\n)(?:[ )].*\n|\n)*)"
"""A function that a page defines: its name, and the rest of it."""


def judging(functions):
    """`verify`, and the functions of a page that call it, or one that calls it."""
    known = ["verify"]
    for name, body in [*functions] * len(functions):
        if name not in known and re.search(rf"\b({'|'.join(known)})\(", body):
            known.append(name)
    return known


def test_a_function_judges_that_calls_one_that_does():
    assert judging([("a", "):\n    b(1)\n"), ("b", "):\n    verify(1)\n"), ("c", "):\n    print(1)\n")]) == [
        "verify", "b", "a",
    ]  # fmt: skip


@pytest.mark.parametrize("page", PAGES, ids=_ids)
def test_every_claim_of_a_page_left_a_record(page):
    cells = json.loads(references.reference(page).read_text(encoding="utf-8"))["cells"]
    cells = [cell for cell in cells if cell["cell_type"] == "code"]
    functions = re.findall(DEFINED, "\n".join("".join(cell["source"]) for cell in cells) + "\n", flags=re.M)
    call = rf"^\s*({'|'.join(judging(functions))})\("
    for cell in cells:
        source = re.sub(DEFINED, "", "".join(cell["source"]) + "\n", flags=re.M)
        records = [o["metadata"][MIME] for o in cell["outputs"] if MIME in o.get("metadata", {})]
        claims = len(re.findall(call, source, flags=re.M))
        assert (len(records) >= claims) if claims else not records
        assert len({r["anchor"] for r in records}) == len(records)


@pytest.mark.parametrize("page", PAGES, ids=_ids)
def test_the_built_page_says_what_its_reference_says(page, site, request):
    kept = execution.current(page)
    assert kept is not None, f"{_ids(page)} changed since the site was built: run `make book`"
    built = [cell for cell in kept.cells if cell.cell_type == "code"]
    reference = IPyNbFile.from_parent(request.session, path=references.reference(page))
    reference.setup_sanitize_files()
    cells = list(reference.collect())
    assert len(cells) == len(built)
    for cell, executed in zip(cells, built, strict=True):
        same = cell.compare_outputs(executed.outputs, coalesce_streams(cell.cell.outputs))
        assert same, f"{_ids(page)}, cell {cell.cell_num}:\n" + "\n".join(cell.comparison_traceback)

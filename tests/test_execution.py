"""Executed pages: kept while all that they were made from is as it was, never shown otherwise."""

import execution
import pytest

PAGE = """---
kernelspec:
  display_name: Python 3
  language: python
  name: python3
---

# A page

```{code-cell} ipython3
from pathlib import Path

print(Path("runs/one.npz").read_text())
```
"""


@pytest.fixture
def root(tmp_path):
    """A book of one page that reads one of two stored runs."""
    files = {
        "requirements.txt": "numpy\n",
        "pyproject.toml": '[project]\nname = "small"\ndependencies = ["scipy"]\n',
        "urep/theory.py": "x = 1\n",
        "book/runs/one.npz": "first",
        "book/runs/two.npz": "second",
        "book/page.md": PAGE,
    }
    for name, text in files.items():
        write(tmp_path / name, text)
    return tmp_path


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def test_an_executed_page_is_kept_until_something_it_is_made_from_changes(root, monkeypatch):
    page = root / "book" / "page.md"
    assert execution.current(page, root) is None
    _, failure = execution.keep(page, root)
    assert not failure
    kept = execution.current(page, root)
    assert kept.cells[1].outputs[0].text == "first\n"
    assert set(kept.metadata.made_from.files) == {"book/runs", "book/runs/one.npz"}

    def remains(name, text):
        before = (root / name).read_text() if (root / name).exists() else None
        write(root / name, text)
        is_current = execution.current(page, root) is not None
        (root / name).unlink() if before is None else write(root / name, before)
        assert execution.current(page, root) is not None, f"{name} put back"
        return is_current

    assert remains("book/page.md", PAGE.replace("# A page", "# Another title"))
    assert remains("book/runs/two.npz", "a stored run that the page does not read")
    assert remains("tests/test_page.py", "")
    assert remains("urep/__pycache__/theory.pyc", "")
    assert not remains("book/page.md", PAGE.replace("print(", "print(1, "))
    assert not remains("book/page.md", PAGE.replace("name: python3", "name: python4"))
    assert not remains("book/runs/one.npz", "edited")
    assert not remains("book/runs/three.npz", "a stored run that was not there")
    assert not remains("urep/theory.py", "x = 2\n")
    assert not remains("urep/new/untracked.py", "")
    assert not remains("urep/table.csv", "")
    assert not remains("requirements.txt", "numpy\nplotly\n")

    with monkeypatch.context() as patch:
        patch.setenv("OPENBLAS_CORETYPE", "Prescott")
        assert execution.current(page, root) is None
    with monkeypatch.context() as patch:
        patch.setattr(execution, "_installed", lambda *named: {"numpy": "another version"})
        assert execution.current(page, root) is None
    assert execution.current(page, root) is not None
    (root / "book/runs/one.npz").unlink()
    assert execution.current(page, root) is None


def test_versions_are_of_what_the_book_names_and_what_that_needs(root):
    import contourpy
    import numpy

    assert execution.versions(root)["numpy"] == numpy.__version__
    assert "contourpy" not in execution.versions(root)
    write(root / "requirements.txt", "matplotlib\n")
    assert execution.versions(root)["contourpy"] == contourpy.__version__


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("1 / 0", r"page.md: cell 1, counting code from 0, failed:(?s:.)*ZeroDivisionError"),
        ("import sys; print('oh', file=sys.stderr)", r"page.md: cell 1, .* writes to stderr:\noh"),
        ("import os; os._exit(3)", r"page.md: the kernel died"),
    ],
)
def test_a_cell_that_fails_or_writes_to_stderr_is_named_and_its_page_not_kept(root, line, message):
    page = root / "book" / "page.md"
    write(page, PAGE + "\n```{code-cell} ipython3\n" + line + "\n```\n")
    with pytest.raises(execution.PageFailed, match=message):
        execution.execute(page, root)
    assert execution.keep(page, root)[1] and execution.last(page, root) is None


def test_a_page_whose_sources_change_while_it_runs_is_not_kept(root):
    page = root / "book" / "page.md"
    write(page, PAGE + "\n```{code-cell} ipython3\nPath('../urep/theory.py').write_text('x = 3')\n```\n")
    with pytest.raises(execution.PageFailed, match="urep changed while it ran"):
        execution.execute(page, root)
    write(page, PAGE + "\n```{code-cell} ipython3\nPath('runs/one.npz').write_text('new');\n```\n")
    with pytest.raises(execution.PageFailed, match=r"runs/one.npz changed while it ran"):
        execution.execute(page, root)

"""Executed pages: kept while all that they were made from is as it was, never shown otherwise."""

import os
import threading
import time
from pathlib import Path

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


def with_cell(lines, page=PAGE):
    return page + "\n```{code-cell} ipython3\n" + lines + "\n```\n"


def kept_files(page, root):
    """Keep a page; the names of the files that it was made from."""
    _, failure = execution.keep(page, root)
    assert not failure
    return set(execution.current(page, root).metadata.made_from.files)


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
    write(page, with_cell("Path('runs/one.npz').write_text('new');"))
    with pytest.raises(execution.PageFailed, match=r"runs/one.npz changed while it ran"):
        execution.execute(page, root)


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ("import os; os.utime('old', (1, 1)); os.replace('old', 'runs/one.npz')", "book/runs/one.npz"),
        ("Path('runs/three.npz').touch()", "book/runs"),
        ("Path('runs/two.npz').unlink()", "book/runs"),
    ],
    ids=["a file replaced by an older one", "a file arrives in a folder", "a file leaves a folder"],
)
def test_a_change_that_no_time_tells_is_found(root, change, name):
    page = root / "book" / "page.md"
    write(root / "book" / "old", "older")
    write(page, with_cell(change + ";"))
    with pytest.raises(execution.PageFailed, match=rf": {name}(, .*)? changed while it ran"):
        execution.execute(page, root)


def test_a_file_dated_in_the_future_does_not_fail_a_page(root):
    tomorrow = time.time() + 86400
    os.utime(root / "book/runs/one.npz", (tomorrow, tomorrow))
    assert "book/runs/one.npz" in kept_files(root / "book" / "page.md", root)


def test_a_compiled_helper_of_a_page_counts_by_its_source(root):
    page, helper = root / "book" / "page.md", root / "book" / "helper.py"
    write(helper, "value = 1\n")
    # As Python leaves it behind, whatever the variables of this process say about that.
    write(page, with_cell("import py_compile; py_compile.compile('helper.py'); import helper"))
    assert "book/helper.py" in kept_files(page, root)
    write(page, with_cell("import helper"))
    assert "book/helper.py" in kept_files(page, root)
    write(helper, "value = 2\n")
    assert execution.current(page, root) is None


def test_current_folders_and_links_are_seen(root, tmp_path_factory):
    page, link = root / "book" / "page.md", tmp_path_factory.mktemp("beside") / "link"
    link.symlink_to(root)
    write(root / "book/data/a.csv", "")
    write(root / "book/linked.csv", "")
    lines = f"import os; os.chdir('data'); os.listdir(); Path({str(link / 'book/linked.csv')!r}).read_text()"
    write(page, with_cell(lines))
    assert {"book/data", "book/linked.csv"} <= kept_files(page, root)


def test_a_kernel_has_no_settings_of_one_person(root, tmp_path, monkeypatch):
    page = root / "book" / "page.md"
    write(page, with_cell("assert False"))
    monkeypatch.setenv("PYTHONOPTIMIZE", "1")
    with pytest.raises(execution.PageFailed, match="AssertionError"):
        execution.execute(page, root)
    write(tmp_path / "own/profile_default/startup/00.py", "own = 1\n")
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "own"))
    write(tmp_path / "share/kernels/python3/kernel.json", '{"argv": ["false"], "display_name": "other"}')
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "share"))
    write(page, with_cell("own"))
    with pytest.raises(execution.PageFailed, match="NameError"):
        execution.execute(page, root)


def test_a_page_may_be_kept_by_two_builds_at_once(root, monkeypatch):
    page, failures = root / "book" / "page.md", []
    executed = execution.execute(page, root)
    monkeypatch.setattr(execution, "execute", lambda page, root: executed)

    def build():
        for _ in range(100):
            try:
                execution.keep(page, root)
            except OSError as error:
                failures.append(error)

    builds = [threading.Thread(target=build) for _ in range(2)]
    [thread.start() for thread in builds]
    [thread.join() for thread in builds]
    assert not failures
    assert execution.current(page, root) is not None
    assert list(execution.kept(page, root).parent.iterdir()) == [execution.kept(page, root)]


def test_a_kept_page_that_is_damaged_or_of_another_shape_is_out_of_date(root):
    page = root / "book" / "page.md"
    assert execution.keep(page, root) == (page, "")
    kept = execution.kept(page, root)
    text = kept.read_text()
    for damaged in (
        "",
        text[:-50],
        "[]",
        "{}",
        text.replace('"library"', '"other"'),
        text.replace('"cells"', '"c"'),
    ):
        kept.write_text(damaged)
        assert execution.current(page, root) is None
    kept.write_text(text)
    assert execution.current(page, root) is not None


def test_another_way_of_executing_puts_pages_out_of_date(root, tmp_path, monkeypatch):
    page, other = root / "book" / "page.md", tmp_path / "other.py"
    execution.keep(page, root)
    write(other, Path(execution.__file__).read_text() + "# changed\n")
    monkeypatch.setattr(execution, "__file__", str(other))
    assert execution.current(page, root) is None


def test_two_pages_with_the_same_code_share_what_they_print_or_fail(root, tmp_path):
    pages = [root / "book" / "page.md", root / "book" / "same.md"]
    other = root / "book" / "deeper" / "page.md"
    for page in (*pages, other):
        write(page, PAGE)
    write(root / "book/deeper/runs/one.npz", "another")
    for page in (*pages, other):
        assert execution.keep(page, root) == (page, "")
    execution._fill(tmp_path / "cache", pages, root)
    with pytest.raises(execution.PageFailed, match="have the same code and print different things"):
        execution._fill(tmp_path / "cache", [*pages, other], root)

"""Chapters as ordinary notebooks: nothing of MyST is left, nothing of the text is lost, and they run."""

import re
import subprocess
from types import SimpleNamespace

import nbformat
import notebooks
import origin
import pytest
import references
from nbclient import NotebookClient

from urep import claims

PAGES = notebooks.chapters()
WORD = re.compile(r"[A-Za-z]{5,}")


def markdown(book):
    return "\n".join(cell.source for cell in book.cells if cell.cell_type == "markdown")


@pytest.mark.parametrize("page", PAGES, ids=notebooks.name)
def test_a_notebook_has_the_pages_code_and_words_and_no_directive(page):
    book = notebooks.notebook(page)
    text = markdown(book)
    assert not re.search(r"\{[a-z:-]+\}`|```\{|^:[a-z-]+:", text, flags=re.M)
    source = references.source(page)
    first = next(cell for cell in book.cells if cell.cell_type == "code")
    assert first.id == "install" and "import urep" in first.source
    code = [cell.source for cell in book.cells if cell.cell_type == "code" and cell.id != "install"]
    assert code == [cell.source for cell in source.cells if cell.cell_type == "code"]
    # Lines that only name a directive, an option or a label may go; links may be worded by their title.
    kept = re.sub(r"^\s*(`{3,}|:{3,}|:[a-z-]+:).*$|\{[a-z:-]+\}`[^`]*`", "", markdown(source), flags=re.M)
    lost = set(WORD.findall(kept)) - set(WORD.findall(text))
    assert not lost
    assert markdown(source).count("{exercise}") == text.count("**Exercise**")


def test_links_between_notebooks_lead_to_notebooks(tmp_path):
    written = notebooks.write(tmp_path)
    assert len(written) == len(PAGES)
    checked = 0
    for path in written:
        for target in re.findall(r"\]\(([^)]+\.ipynb)\)", markdown(nbformat.read(path, as_version=4))):
            assert (path.parent / target).resolve() in {p.resolve() for p in written}, (
                f"{path.name}: {target}"
            )
            checked += 1
    assert checked > 40


def test_a_link_to_no_page_is_refused():
    with pytest.raises(ValueError, match="links to nowhere, which is no page"):
        notebooks.plain("See {doc}`nowhere`.", PAGES[0])


def test_a_notebook_runs_as_a_reader_runs_it(tmp_path):
    """Somewhere else than in the book, with the installed helper."""
    page = references.ROOT / "book" / "your_network.md"
    book = notebooks.notebook(page)
    NotebookClient(book, timeout=120, resources={"metadata": {"path": str(tmp_path)}}).execute()
    shown = [output for cell in book.cells for output in cell.get("outputs", ())]
    verdicts = [output for output in shown if "urep-verdict" in output.get("data", {}).get("text/html", "")]
    registered = [name for name in claims.every() if name.startswith("your_network.")]
    assert len(verdicts) == len(registered) > 0


def test_where_the_repository_is_known_a_notebook_fetches_it_and_a_page_has_buttons(monkeypatch):
    monkeypatch.setenv("GITHUB_REPOSITORY", "Someone/a-book")
    page = references.ROOT / "book" / "theory" / "model.md"
    install = notebooks.notebook(page).cells[1].source
    assert "git clone --quiet --depth 1 https://github.com/Someone/a-book urep-book" in install
    assert "'sympy>=1.14'" in install and "torch" not in install
    assert "%cd urep-book/book/theory" in install and "sys.path.insert(0, '../..')" in install
    assert origin.site() == "https://someone.github.io/a-book/"
    buttons = header("book/theory/model")
    assert buttons[0]["label"] == "launch-buttons"
    assert [b["url"] for b in buttons[0]["buttons"]] == [
        "https://colab.research.google.com/github/Someone/a-book/blob/notebooks/theory/model.ipynb",
        "https://mybinder.org/v2/gh/Someone/a-book/main?labpath=notebooks/theory/model.ipynb",
    ]


def test_where_no_repository_is_known_there_is_a_download_and_no_button_to_nowhere(monkeypatch):
    monkeypatch.delenv("GITHUB_REPOSITORY", raising=False)
    monkeypatch.setattr(origin, "_git", lambda *arguments: "")
    assert origin.repository() is None and origin.site() is None and origin.commit() == ""
    assert "clone" not in notebooks.notebook(PAGES[1]).cells[1].source
    (group,) = header("book/theory/model")
    assert group["buttons"][0]["url"] == "notebooks/theory/model.ipynb"
    (untouched,) = header("book/run_it")  # has no code
    assert [button["label"] for button in untouched["buttons"]] == ["download-source-button"]


def header(pagename):
    """What the theme's header has after the extension has seen it."""
    source = {"label": "download-source-button", "text": ".md"}
    context = {
        "header_buttons": [{"label": "download-buttons", "buttons": [source]}],
        "pathto": lambda path, resource: path,
    }
    notebooks._buttons(SimpleNamespace(), pagename, "page.html", context, None)
    return context["header_buttons"]


def test_a_clone_from_github_knows_where_it_is_from(monkeypatch):
    monkeypatch.delenv("GITHUB_REPOSITORY", raising=False)
    for address in ("https://github.com/a/b.git", "git@github.com:a/b.git", "https://github.com/a/b"):
        monkeypatch.setattr(origin, "_git", lambda *arguments, address=address: address)
        assert origin.repository() == "a/b"
    monkeypatch.setattr(origin, "_git", lambda *arguments: "/somewhere/else")
    assert origin.repository() is None


def test_binder_makes_the_notebooks_where_the_buttons_look(tmp_path):
    script = (references.ROOT / "binder" / "postBuild").read_text()
    command = re.search(r"^python (\S+) notebooks$", script, flags=re.M)
    assert (references.ROOT / command[1]).exists()
    assert "-r ../requirements.txt" in (references.ROOT / "binder" / "requirements.txt").read_text()
    done = subprocess.run(["bash", "-n", "binder/postBuild"], cwd=references.ROOT, check=False)
    assert done.returncode == 0

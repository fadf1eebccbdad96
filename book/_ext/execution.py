"""Pages are executed side by side, each only when something that it was made from has changed.

What a page printed is kept in `_build/.executed`, with what it was made from: the code of the page, every
file of `urep`, the versions of all packages, and every file of the book that was opened while it ran, stored
runs above all. A page whose parts are all as they were is not executed again.

Seen is what the page's own kernel opens or lists by name through Python. Not seen is what a child process or
a library in C opens (SQLite, say), what is opened by a descriptor or relative to one, and whether a file
exists: a page that depends on one of these must also open the file, or list its folder.

As a Sphinx extension it executes what is out of date before pages are read, and hands all pages to myst-nb
in a jupyter-cache that holds nothing else.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
import sys
import tempfile
import time
import tomllib
from collections.abc import Callable, Iterable
from datetime import datetime
from functools import cache
from importlib import metadata
from pathlib import Path

import joblib
import jupytext
import nbformat
from filelock import FileLock
from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn
from jupyter_cache.cache.db import NbCacheRecord, session_context
from jupyter_client.kernelspec import KernelSpecManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from packaging.requirements import Requirement
from tqdm import tqdm

sys.path.insert(0, str(Path(__file__).parent))
import described
import notebooks
import recorder
from rounding import ROUNDING, THREADS

ROOT = notebooks.ROOT
EXECUTED = "_build/.executed"
"""Where executed pages are kept; `make clean` empties it, `make book` does not."""

TIMEOUT = 300
"""Seconds that one cell may take."""

OF_ONE_PERSON = (
    "UREP_MNIST",
    "PYTHONOPTIMIZE",
    "PYTHONSTARTUP",
    "PYTHONPYCACHEPREFIX",
    "JUPYTER_PATH",
    "MATPLOTLIBRC",
)
"""Variables that no kernel is given: data, and ways of working, that only one machine has."""

MADE_FROM = "made_from"
"""Where an executed page keeps, in its metadata, what it was made from."""

PARTS = ("code", "library", "versions", "execution", "files")
"""What a page is made from; it is current while each is as it was."""


class PageFailed(Exception):
    """A page raised, wrote to stderr, or was executed while its sources changed."""


# --- what a page is made from ---------------------------------------------------------------


def source(page: Path) -> nbformat.NotebookNode:
    """The page as a notebook that has not been executed."""
    notebook = jupytext.read(page, fmt="md:myst")
    notebook.metadata = {"kernelspec": notebook.metadata["kernelspec"]}
    return notebook


def code(notebook: nbformat.NotebookNode) -> str:
    """Digest of what a kernel sees of a page, and of the tags that say how it is shown."""
    cells = [(cell.source, cell.metadata) for cell in notebook.cells if cell.cell_type == "code"]
    return _digest(json.dumps([cells, notebook.metadata["kernelspec"]], sort_keys=True).encode())


def library(root: Path = ROOT) -> str:
    """Digest of all files of `urep`, whether git knows them or not."""
    files = (path for path in sorted((root / "urep").rglob("*")) if "__pycache__" not in path.parts)
    return _digest(*(part for path in files if path.is_file() for part in _named(path, root)))


def versions(root: Path = ROOT) -> dict[str, str]:
    """Python, all packages that the book names with those they need, and how sums are asked to round."""
    lines = (root / "requirements.txt").read_text(encoding="utf-8").splitlines()
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    named = [line for line in lines if line and not line.startswith(("#", "-"))]
    python = f"{platform.python_implementation()} {platform.python_version()} {platform.machine()}"
    asked = {name: os.environ[name] for name in ROUNDING if name in os.environ}
    return {"python": python} | asked | _installed(*named, *project["dependencies"])


@cache  # a build asks at each page, and an environment has hundreds of packages
def _installed(*named: str) -> dict[str, str]:
    found, wanted = {}, [*named]
    while wanted:
        needed = Requirement(wanted.pop())
        name = needed.name.lower().replace("_", "-")
        if name in found or (needed.marker and not needed.marker.evaluate({"extra": ""})):
            continue
        try:
            found[name] = metadata.version(name)
            wanted += metadata.requires(name) or []
        except metadata.PackageNotFoundError:
            found[name] = "missing"
    return found


def files(names: Iterable[str], root: Path = ROOT) -> dict[str, str]:
    """Digest of what each of these files holds now; of a folder, of the names in it."""
    return {name: recorder.content(root / name) for name in sorted(names)}


def _parts(notebook: nbformat.NotebookNode, root: Path) -> dict[str, object]:
    """What a page is made from as it is now, but for the files that it opens."""
    return {
        "code": code(notebook),
        "library": library(root),
        "versions": versions(root),
        "execution": _digest(
            *(Path(file).read_bytes() for file in (__file__, recorder.__file__, described.__file__))
        ),
    }


def _named(path: Path, root: Path) -> tuple[bytes, bytes]:
    return path.relative_to(root).as_posix().encode(), hashlib.sha256(path.read_bytes()).digest()


def _digest(*parts: bytes) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(hashlib.sha256(part).digest())
    return digest.hexdigest()


# --- executing one page ---------------------------------------------------------------------


def execute(page: Path, root: Path = ROOT) -> nbformat.NotebookNode:
    """The page executed in a fresh kernel in its own folder, with what it was made from in its metadata.

    Raises PageFailed, which names page and cell, when a cell raises, writes to stderr, or draws what nobody
    has described.
    """
    notebook = source(page)
    begin, before = time.time(), _parts(notebook, root)
    opened = _run(notebook, page, root)
    _refuse_stderr(notebook, page)
    _describe(notebook, page)
    after = files(opened, root)
    changed = [name for name in opened if opened[name] != after[name]]
    changed += ["urep"] if library(root) != before["library"] else []
    if changed:
        raise PageFailed(f"{page}: {', '.join(changed)} changed while it ran; try again")
    spent = {"seconds": round(time.time() - begin, 2), "at": begin}
    notebook.metadata[MADE_FROM] = before | {"files": after} | spent
    return notebook


def _run(notebook: nbformat.NotebookNode, page: Path, root: Path) -> dict[str, str]:
    """Execute all cells; the files that the kernel opened, with their digests when it first did."""
    with tempfile.TemporaryDirectory() as folder:
        record, stderr = Path(folder) / "opened", Path(folder) / "stderr"
        record.touch()
        first = Path(recorder.__file__).read_text(encoding="utf-8")
        first += f"\nstart({str(root)!r}, {str(record)!r})"
        client = NotebookClient(
            notebook,
            timeout=TIMEOUT,
            record_timing=False,
            coalesce_streams=True,
            resources={"metadata": {"path": str(page.parent)}},
            on_notebook_start=lambda notebook: client.kc.execute(f"exec({first!r}, {{}})", silent=True),
        )
        # The kernel of this very Python, whatever kernel of that name somebody has installed.
        client.create_kernel_manager()
        client.km.kernel_spec_manager = KernelSpecManager(kernel_dirs=[])
        try:
            # What the kernel's process says beside its cells, of its sockets say, is shown if it dies.
            with stderr.open("w") as said:
                client.execute(env=_environment(Path(folder), root), stderr=said)
        except DeadKernelError as error:
            raise PageFailed(f"{page}: the kernel died: {stderr.read_text(errors='replace')}") from error
        except (CellExecutionError, CellTimeoutError) as error:
            raise PageFailed(f"{_cell(page, notebook, _last_run(notebook))} failed:\n{error}") from error
        said_first, *opened = record.read_text(encoding="utf-8").splitlines() or [""]
    if said_first != "recording":
        raise PageFailed(f"{page}: the kernel did not record which files it opens")
    return {name: digest for digest, name in (line.split(" ", 1) for line in opened)}


def _environment(empty: Path, root: Path) -> dict[str, str]:
    """One thread a kernel; no data and no settings that only one person has."""
    own = {name: value for name, value in os.environ.items() if name not in OF_ONE_PERSON}
    own["IPYTHONDIR"] = str(empty / "ipython")
    # Kept from page to page, because Matplotlib's list of fonts takes seconds to make.
    own["MPLCONFIGDIR"] = str(root / "_build" / ".matplotlib")
    return own | dict.fromkeys(THREADS, "1")


def _last_run(notebook) -> int:
    ran = (n for n, cell in enumerate(notebook.cells) if cell.get("execution_count") or cell.get("outputs"))
    return max(ran, default=0)


def _refuse_stderr(notebook, page: Path) -> None:
    for number, cell in enumerate(notebook.cells):
        for output in cell.get("outputs", ()):
            if output.get("name") == "stderr":
                raise PageFailed(f"{_cell(page, notebook, number)} writes to stderr:\n{output.text}")


def _describe(notebook, page: Path) -> None:
    for number, cell in enumerate(notebook.cells):
        try:
            if cell.cell_type == "code":
                described.describe(cell)
        except described.Undescribed as error:
            raise PageFailed(f"{_cell(page, notebook, number)} {error}") from error


def _cell(page: Path, notebook, number: int) -> str:
    before = sum(cell.cell_type == "code" for cell in notebook.cells[:number])
    return f"{page}: cell {before}, counting code from 0,"


# --- all pages ------------------------------------------------------------------------------


def kept(page: Path, root: Path = ROOT) -> Path:
    """Where the executed page lies."""
    return root / EXECUTED / page.relative_to(root / "book").with_suffix(".ipynb")


def last(page: Path, root: Path = ROOT) -> nbformat.NotebookNode | None:
    """The page as it was last executed, from whatever sources; None if what is kept is not such a page."""
    try:
        notebook = nbformat.v4.reads(kept(page, root).read_text(encoding="utf-8"))
        nbformat.validate(notebook)
        made_from = notebook.metadata[MADE_FROM]
        return notebook if {*PARTS, "seconds", "at"} <= set(made_from) else None
    except (FileNotFoundError, ValueError, TypeError, AttributeError, KeyError, nbformat.ValidationError):
        return None


def current(page: Path, root: Path = ROOT) -> nbformat.NotebookNode | None:
    """The executed page if all that it was made from is as it was, else None."""
    notebook = last(page, root)
    if notebook is None:
        return None
    made_from = notebook.metadata[MADE_FROM]
    now = _parts(source(page), root) | {"files": files(made_from["files"], root)}
    return notebook if all(now[part] == made_from[part] for part in PARTS) else None


def seconds(page: Path) -> float:
    """How long the page took when it was last executed; infinity if it never was."""
    notebook = last(page)
    return notebook.metadata[MADE_FROM]["seconds"] if notebook else float("inf")


def refresh(pages: Iterable[Path], say: Callable[[str], None] = tqdm.write) -> None:
    """Execute the pages that are out of date, the longest first, as many side by side as there are cores.

    All are tried before PageFailed names those that failed.
    """
    stale = sorted((page for page in pages if current(page) is None), key=seconds, reverse=True)
    # Threads, because each page computes in a kernel, which is a process of its own.
    work = joblib.Parallel(n_jobs=joblib.cpu_count(), prefer="threads", return_as="generator_unordered")
    failures = []
    for page, failure in work(joblib.delayed(keep)(page) for page in stale):
        name = page.relative_to(ROOT).as_posix()
        say(f"failed    {name}" if failure else f"executed  {name}  {seconds(page):.0f} s")
        failures += [failure] if failure else []
    if failures:
        raise PageFailed("\n\n".join(failures))


def keep(page: Path, root: Path = ROOT) -> tuple[Path, str]:
    """Execute a page and keep it; with it what went wrong, if anything did."""
    try:
        notebook = execute(page, root)
    except PageFailed as failure:
        return page, str(failure)
    path = kept(page, root)
    path.parent.mkdir(parents=True, exist_ok=True)
    number, draft = tempfile.mkstemp(suffix=".tmp", dir=path.parent)  # another build may keep the same page
    with open(number, "w", encoding="utf-8") as file:
        file.write(nbformat.writes(notebook) + "\n")
    os.replace(draft, path)
    return page, ""


# --- the site -------------------------------------------------------------------------------


def _hand_over(app):
    """Execute what is out of date and fill the cache that myst-nb takes pages from."""
    from sphinx.errors import ExtensionError
    from sphinx.util import logging

    if app.config.nb_execution_mode != "cache":
        return
    pages = notebooks.chapters()
    lock = ROOT / "_build" / "execution.lock"
    lock.parent.mkdir(exist_ok=True)
    try:
        with FileLock(lock):  # a second build waits, and then finds the pages executed
            refresh(pages, logging.getLogger(__name__).info)
            _fill(Path(app.env.mystnb_config.execution_cache_path), pages)
    except PageFailed as failure:
        raise ExtensionError(f"pages that cannot be executed:\n\n{failure}") from failure


def _fill(folder: Path, pages: Iterable[Path], root: Path = ROOT) -> None:
    """A jupyter-cache of these pages as they were last executed, and of nothing else.

    It knows a page by its code alone: what it held before may be of other sources, and of two pages with the
    same code it has one, which PageFailed says where they do not print the same.
    """
    shutil.rmtree(folder, ignore_errors=True)
    filled, held = get_cache(str(folder)), {}
    for page in pages:
        notebook = last(page, root)
        made_from = notebook.metadata.pop(MADE_FROM)
        printed = [cell.outputs for cell in notebook.cells if cell.cell_type == "code"]
        _, key = filled.create_hashed_notebook(notebook)
        other, seen = held.setdefault(key, (page, printed))
        if other != page:
            if seen != printed:
                raise PageFailed(f"{other} and {page} have the same code and print different things")
            continue
        bundle = CacheBundleIn(notebook, str(page), data={"execution_seconds": made_from["seconds"]})
        record = filled.cache_notebook_bundle(bundle)
        with session_context(filled.db) as session:  # the status page shows when a page was executed
            session.get(NbCacheRecord, record.pk).created = datetime.fromtimestamp(made_from["at"])
            session.commit()


def setup(app):
    """Register with Sphinx, after myst-nb has said where its cache lies."""
    app.connect("builder-inited", _hand_over, priority=900)
    return {"parallel_read_safe": True}

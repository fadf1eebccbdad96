"""Pages are executed side by side, each only when something that it was made from has changed.

What a page printed is kept in `_build/.executed`, with what it was made from: the code of the page, every
file of `urep`, the versions of all packages, and every file of the book that was opened while it ran, stored
runs above all. A page whose parts are all as they were is not executed again.

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
from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn
from jupyter_cache.cache.db import NbCacheRecord, session_context
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from packaging.requirements import Requirement
from tqdm import tqdm

sys.path.insert(0, str(Path(__file__).parent))
import notebooks

ROOT = notebooks.ROOT
EXECUTED = "_build/.executed"
"""Where executed pages are kept; `make clean` empties it, `make book` does not."""

TIMEOUT = 300
"""Seconds that one cell may take."""

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
"""One thread for each kernel: as many kernels as cores run side by side."""

ROUNDING = (
    "ATEN_CPU_CAPABILITY",
    "OPENBLAS_CORETYPE",
    "MKL_CBWR",
    "NUMBA_CPU_NAME",
    "NUMBA_CPU_FEATURES",
    "NPY_DISABLE_CPU_FEATURES",
    "UREP_PERTURB",
)
"""Variables that choose how sums round: part of what a page was made with."""

MADE_FROM = "made_from"
"""Where an executed page keeps, in its metadata, what it was made from."""


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


def files(opened: Iterable[str], root: Path = ROOT) -> dict[str, str]:
    """Digest of each of these files; of a folder, the names in it. Paths are relative to `root`.

    The names beside each stored run that was read belong to it: a page may look which there are.
    """
    paths = {root / name for name in opened}
    paths |= {path.parent for path in paths if path.suffix == ".npz"}
    return {path.relative_to(root).as_posix(): _content(path) for path in sorted(paths)}


def _content(path: Path) -> str:
    if path.is_dir():
        return _digest("\n".join(sorted(entry.name for entry in path.iterdir())).encode())
    return _digest(path.read_bytes()) if path.exists() else "missing"


def _named(path: Path, root: Path) -> tuple[bytes, bytes]:
    return path.relative_to(root).as_posix().encode(), hashlib.sha256(path.read_bytes()).digest()


def _digest(*parts: bytes) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(hashlib.sha256(part).digest())
    return digest.hexdigest()


# --- executing one page ---------------------------------------------------------------------

RECORDER = '''
def start(root, record):
    """Write each file below `root` that this kernel opens or lists into `record`, once."""
    import os, sys
    seen, out = set(), os.open(record, os.O_WRONLY | os.O_APPEND)
    def hook(event, arguments):
        if event not in ("open", "os.listdir", "os.scandir"):
            return
        searched = event == "os.listdir" and "importlib" in sys._getframe(1).f_code.co_filename
        if isinstance(arguments[0], (str, bytes, os.PathLike)) and not searched:
            path = os.path.abspath(os.fsdecode(arguments[0]))
            if path.startswith(root + os.sep) and path not in seen:
                seen.add(path)
                os.write(out, (path + "\\n").encode())
    sys.addaudithook(hook)
    os.write(out, b"recording\\n")
'''
"""What a kernel runs before its first cell, in a namespace that is not the page's.

Folders that Python lists in search of a module do not count: `urep` and versions do so already.
"""


def execute(page: Path, root: Path = ROOT) -> nbformat.NotebookNode:
    """The page executed in a fresh kernel in its own folder, with what it was made from in its metadata.

    Raises PageFailed, which names page and cell, when a cell raises or writes to stderr.
    """
    notebook = source(page)
    made_from = {"code": code(notebook), "library": library(root), "versions": versions(root)}
    begin = time.time()
    opened = _run(notebook, page, root)
    _refuse_stderr(notebook, page)
    made_from["files"] = files(_of_the_book(opened, root), root)
    changed = [name for name in made_from["files"] if _modified(root / name) >= begin]
    if changed or library(root) != made_from["library"]:
        raise PageFailed(f"{page}: {', '.join(changed) or 'urep'} changed while it ran; try again")
    notebook.metadata[MADE_FROM] = made_from | {"seconds": round(time.time() - begin, 2), "at": begin}
    return notebook


def _run(notebook: nbformat.NotebookNode, page: Path, root: Path) -> list[str]:
    """Execute all cells; the files that the kernel opened."""
    with tempfile.TemporaryDirectory() as folder:
        record, stderr = Path(folder) / "opened", Path(folder) / "stderr"
        record.touch()
        recorder = RECORDER + f"start({str(root)!r}, {str(record)!r})"
        client = NotebookClient(
            notebook,
            timeout=TIMEOUT,
            record_timing=False,
            coalesce_streams=True,
            resources={"metadata": {"path": str(page.parent)}},
            on_notebook_start=lambda notebook: client.kc.execute(f"exec({recorder!r}, {{}})", silent=True),
        )
        try:
            # What the kernel's process says beside its cells, of its sockets say, is shown if it dies.
            with stderr.open("w") as said:
                client.execute(env=_environment(), stderr=said)
        except DeadKernelError as error:
            raise PageFailed(f"{page}: the kernel died: {stderr.read_text(errors='replace')}") from error
        except (CellExecutionError, CellTimeoutError) as error:
            raise PageFailed(f"{_cell(page, notebook, _last_run(notebook))} failed:\n{error}") from error
        first, *opened = record.read_text(encoding="utf-8").splitlines() or [""]
    if first != "recording":
        raise PageFailed(f"{page}: the kernel did not record which files it opens")
    return opened


def _environment() -> dict[str, str]:
    """One thread a kernel; no data that only this machine has."""
    own = {name: value for name, value in os.environ.items() if name != "UREP_MNIST"}
    return own | dict.fromkeys(THREADS, "1")


def _last_run(notebook) -> int:
    ran = (n for n, cell in enumerate(notebook.cells) if cell.get("execution_count") or cell.get("outputs"))
    return max(ran, default=0)


def _refuse_stderr(notebook, page: Path) -> None:
    for number, cell in enumerate(notebook.cells):
        for output in cell.get("outputs", ()):
            if output.get("name") == "stderr":
                raise PageFailed(f"{_cell(page, notebook, number)} writes to stderr:\n{output.text}")


def _cell(page: Path, notebook, number: int) -> str:
    before = sum(cell.cell_type == "code" for cell in notebook.cells[:number])
    return f"{page}: cell {before}, counting code from 0,"


def _of_the_book(opened: Iterable[str], root: Path) -> set[str]:
    """What a page reads beside `urep`, which counts whole, and beside what machines make."""
    names = {Path(path).relative_to(root) for path in opened}
    left_out = {"urep", "_build"}
    own = {n for n in names if n.parts and n.parts[0] not in left_out and not n.parts[0].startswith(".")}
    return {name.as_posix() for name in own if "__pycache__" not in name.parts}


def _modified(path: Path) -> float:
    return path.stat().st_mtime if path.is_file() else 0.0


# --- all pages ------------------------------------------------------------------------------


def kept(page: Path, root: Path = ROOT) -> Path:
    """Where the executed page lies."""
    return root / EXECUTED / page.relative_to(root / "book").with_suffix(".ipynb")


def last(page: Path, root: Path = ROOT) -> nbformat.NotebookNode | None:
    """The page as it was last executed, from whatever sources."""
    path = kept(page, root)
    return nbformat.read(path, as_version=4) if path.exists() else None


def current(page: Path, root: Path = ROOT) -> nbformat.NotebookNode | None:
    """The executed page if all that it was made from is as it was, else None."""
    notebook = last(page, root)
    if notebook is None:
        return None
    made_from = notebook.metadata[MADE_FROM]
    now = {"code": code(source(page)), "library": library(root), "versions": versions(root),
           "files": files(made_from["files"], root)}  # fmt: skip
    return notebook if now == {name: made_from[name] for name in now} else None


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
    draft = path.with_suffix(".tmp")
    draft.write_text(nbformat.writes(notebook) + "\n", encoding="utf-8")
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
    try:
        refresh(pages, logging.getLogger(__name__).info)
    except PageFailed as failure:
        raise ExtensionError(f"pages that cannot be executed:\n\n{failure}") from failure
    _fill(Path(app.env.mystnb_config.execution_cache_path), pages)


def _fill(folder: Path, pages: Iterable[Path]) -> None:
    """A jupyter-cache of these pages as they were last executed, and of nothing else.

    It knows a page by its code alone: what it held before may be of other sources.
    """
    shutil.rmtree(folder, ignore_errors=True)
    filled = get_cache(str(folder))
    for page in pages:
        notebook = last(page)
        made_from = notebook.metadata.pop(MADE_FROM)
        bundle = CacheBundleIn(notebook, str(page), data={"execution_seconds": made_from["seconds"]})
        record = filled.cache_notebook_bundle(bundle)
        with session_context(filled.db) as session:  # the status page shows when a page was executed
            session.get(NbCacheRecord, record.pk).created = datetime.fromtimestamp(made_from["at"])
            session.commit()


def setup(app):
    """Register with Sphinx, after myst-nb has said where its cache lies."""
    app.connect("builder-inited", _hand_over, priority=900)
    return {"parallel_read_safe": True}

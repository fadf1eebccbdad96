"""Sphinx extension: each built site says how it was built, in `build.json` beside its pages.

The tests read it: a site counts only if every chapter was executed, errors and warnings stopped
the build, and what it was built from is what lies in the working tree, with the packages of now.
"""

import hashlib
import json
from pathlib import Path

import execution

SOURCES = (
    "_config.yml",
    "_toc.yml",
    "book",
    "urep",
    "tests/notebooks",
    "tests/mutations.json",
    "tests/proofs",
)
"""What a page can depend on."""


def fingerprint(root: Path) -> str:
    """Digest of all that a page can depend on: source files below `root`, and versions of packages."""
    digest = hashlib.sha256(json.dumps(execution.versions(root)).encode())
    for source in SOURCES:
        path = root / source
        files = [path] if path.is_file() else sorted(path.rglob("*"))
        for file in files:
            if file.is_file() and "__pycache__" not in file.parts:
                digest.update(file.relative_to(root).as_posix().encode())
                digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


def _write(app, exception):
    if exception is not None or app.builder.name != "html":
        return
    executed = getattr(app.env, "nb_metadata", {})
    record = {
        "fingerprint": app.env.urep_fingerprint,
        "execution_mode": app.config.nb_execution_mode,
        "raise_on_error": app.config.nb_execution_raise_on_error,
        # Sphinx goes on to the last warning before it fails; `warningiserror` is False, whatever was asked.
        "warnings_are_errors": bool(app.keep_going),
        "nitpicky": bool(app.config.nitpicky),
        "pages": sorted(app.env.found_docs),
        "seconds": {
            page: data["exec_data"]["runtime"]
            for page, data in sorted(executed.items())
            if data.get("exec_data")
        },
    }
    (Path(app.outdir) / "build.json").write_text(json.dumps(record, indent=1), encoding="utf-8")


def _remember(app):
    # Taken before anything is read, so that an edit during the build is not counted as built.
    app.env.urep_fingerprint = fingerprint(Path(app.srcdir))


def setup(app):
    """Register with Sphinx."""
    app.connect("builder-inited", _remember, priority=100)  # before pages are executed
    app.connect("build-finished", _write, priority=900)  # a site that was not finished has no record
    return {"parallel_read_safe": True}

"""Results in files: small compressed arrays with their provenance inside, whole or not there at all."""

from __future__ import annotations

import hashlib
import io
import json
import os
import platform
import subprocess
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np

FOLDER = Path(__file__).resolve().parents[2] / "book" / "runs"
"""Folder of the stored files: in the checkout, beside the chapters that show them."""

FORMAT = 1
"""Version of the file format; a file of another version is made again, not guessed at."""

_PROVENANCE, _CHECKSUM = "provenance", "checksum"


class StoredFileError(RuntimeError):
    """A stored file is missing, damaged or not what was asked for; the message says how to make it."""


@dataclass(frozen=True, eq=False)
class Stored:
    """What a file holds: arrays by name, and where they come from."""

    arrays: dict[str, np.ndarray]
    provenance: dict


def save(path: Path, arrays: Mapping[str, np.ndarray], provenance: Mapping) -> None:
    """Write arrays and provenance to `path` at once: a reader finds the old file or the new one.

    provenance: what JSON can hold. Where the folder cannot be written (a full disk), the file is left in
    the system's folder for temporary files, and the OSError that is raised says where.
    """
    text = json.dumps({"format": FORMAT, **provenance}, sort_keys=True, ensure_ascii=False)
    members = {**arrays, _PROVENANCE: np.frombuffer(text.encode(), np.uint8)}
    members[_CHECKSUM] = np.frombuffer(_digest(members).encode(), np.uint8)
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **members)
    try:
        _replace(path, buffer.getvalue())
    except OSError as error:
        kept = Path(tempfile.mkdtemp(prefix="urep-")) / path.name
        kept.write_bytes(buffer.getvalue())
        raise OSError(f"{path} could not be written ({error}); it is kept as {kept}") from error


def _replace(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}-", suffix=".tmp")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(draft, 0o644)
        os.replace(draft, path)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise


def load(path: Path, *, command: str) -> Stored:
    """The arrays and the provenance of a file that `save` wrote, held against its checksum.

    Raises StoredFileError, which names the file and the `command` that makes it, when it is missing, cut
    short, edited or of another format.
    """
    again = f"make it again with: {command}"
    if not path.exists():
        raise StoredFileError(f"{path} is not there; make it with: {command}")
    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as file:
            members = {name: file[name] for name in file.files}
        checksum = bytes(members.pop(_CHECKSUM)).decode()
        provenance = json.loads(bytes(members[_PROVENANCE]).decode())
    except (zipfile.BadZipFile, EOFError, OSError, KeyError, ValueError, zipfile.zlib.error) as error:
        raise StoredFileError(f"{path} is damaged ({error}); {again}") from error
    if provenance.get("format") != FORMAT:
        raise StoredFileError(f"{path} is of format {provenance.get('format')}, not {FORMAT}; {again}")
    if _digest(members) != checksum:
        raise StoredFileError(f"{path} was edited: its checksum is not that of its content; {again}")
    del members[_PROVENANCE]
    return Stored(members, provenance)


def _digest(members: Mapping[str, np.ndarray]) -> str:
    """SHA-256 of names, types, shapes and bytes, in the order of the alphabet."""
    total = hashlib.sha256()
    for name, array in sorted(members.items()):
        array = np.ascontiguousarray(array)
        total.update(f"{name} {array.dtype.str} {array.shape} ".encode())
        total.update(array.tobytes())
    return total.hexdigest()


# --- where results come from ----------------------------------------------------------------


def origin(root: Path) -> dict:
    """Commit of the checkout at `root`, versions of what computes, and the kind of machine."""
    from .. import __version__

    return {
        "commit": _commit(root),
        "versions": {"urep": __version__, "python": platform.python_version()}
        | {name: version(name) for name in ("numpy", "scipy", "torch", "numba")},
        "machine": f"{platform.machine()}, {_processor()}, {os.cpu_count()} cores",
    }


def arithmetic() -> dict:
    """What decides how sums round in this process: instruction sets, BLAS libraries and threads."""
    import torch
    from llvmlite.binding import get_host_cpu_name
    from numba import config
    from threadpoolctl import threadpool_info

    pools = [pool for pool in threadpool_info() if pool["user_api"] == "blas"]
    libraries = {f"{pool['internal_api']} {pool['version']} {pool.get('architecture', '')}" for pool in pools}
    if torch.backends.mkl.is_available():  # linked into torch, where threadpoolctl does not see it
        libraries.add("mkl")
    return {
        "instructions": torch.backends.cpu.get_cpu_capability(),
        "compiled for": config.CPU_NAME or get_host_cpu_name(),
        "blas": sorted(library.strip() for library in libraries),
        "threads": torch.get_num_threads(),
    }


def _commit(root: Path) -> str:
    """Current commit, with "+" where `urep` has uncommitted changes."""
    git = lambda *arguments: subprocess.run(
        ["git", "-C", str(root), *arguments], capture_output=True, text=True, check=True
    ).stdout.strip()
    try:
        return git("rev-parse", "HEAD") + ("+" if git("status", "--porcelain", "urep") else "")
    except (OSError, subprocess.CalledProcessError):
        return "not a checkout"


def short_commit(commit: str) -> str:
    """The first ten digits of a commit, with its "+" if it had uncommitted changes."""
    return commit[:10] + ("+" if commit.endswith("+") else "")


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or "processor not named"
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else "processor not named"

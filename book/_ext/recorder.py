"""What a kernel runs before its first cell: each file of the book that it opens is noted, with a digest.

The digest is of what a file holds when it is first opened, taken before the page reads it, so that a file
which is replaced while the page runs, by whatever, has another one in the end.
"""

import hashlib
import os
import sys
import threading
from importlib.util import source_from_cache

LEFT_OUT = ("urep", "_build")
"""Folders that do not count: `urep` counts whole, and what machines make is not read."""


def content(path):
    """Digest of a file; of a folder, of the names in it."""
    if os.path.isdir(path):
        return hashlib.sha256("\n".join(sorted(os.listdir(path))).encode()).hexdigest()
    if not os.path.isfile(path):
        return "missing"
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def below(root, path):
    """The names in the book of a path, links followed and not; of its source where it is compiled."""
    path = os.path.abspath(path)
    if os.path.basename(os.path.dirname(path)) == "__pycache__" and path.endswith(".pyc"):
        path = source_from_cache(path)  # a module that is compiled already is imported without its source
    for each in {path, os.path.realpath(path)}:
        for start in {root, os.path.realpath(root)}:
            name = os.path.relpath(each, start).replace(os.sep, "/")
            first, *_ = parts = name.split("/")
            if first not in LEFT_OUT and not first.startswith(".") and "__pycache__" not in parts:
                yield name


def start(root, record):
    """Write each file and folder below `root` that this process opens or lists into `record`, once.

    Folders that Python lists in search of a module do not count: `urep` and versions do so already.
    """
    seen, inside, out = set(), threading.local(), os.open(record, os.O_WRONLY | os.O_APPEND)

    def note(path):
        for name in below(root, path):
            # The names beside a stored run belong to it: a page may look which there are.
            for each in (name, os.path.dirname(name)) if name.endswith(".npz") else (name,):
                if each not in seen:
                    seen.add(each)
                    os.write(out, f"{content(os.path.join(root, each))} {each}\n".encode())

    def hook(event, arguments):
        if event not in ("open", "os.listdir", "os.scandir") or getattr(inside, "hook", False):
            return
        path = "." if arguments[0] is None else arguments[0]  # listdir() is of the current folder
        searched = event == "os.listdir" and "importlib" in sys._getframe(1).f_code.co_filename
        if isinstance(path, (str, bytes, os.PathLike)) and not searched:
            inside.hook = True
            try:
                note(os.fsdecode(path))
            finally:
                inside.hook = False

    sys.addaudithook(hook)
    os.write(out, b"recording\n")

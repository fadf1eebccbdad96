"""Files of results: whole or refused, and their origin with them."""

import os
import re
import subprocess
from pathlib import Path

import numpy as np
import pytest

from urep import store


@pytest.fixture
def stored(tmp_path):
    path = tmp_path / "a.npz"
    store.save(path, {"x": np.arange(300.0), "y": np.int8([[1], [2]])}, {"seconds": 1.5, "who": "‖dh‖²"})
    return path


def test_what_is_saved_is_loaded(stored):
    back = store.load(stored, command="c")
    assert back.provenance == {"format": store.FORMAT, "seconds": 1.5, "who": "‖dh‖²"}
    np.testing.assert_array_equal(back.arrays["x"], np.arange(300.0))
    assert back.arrays["y"].dtype == np.int8
    assert set(back.arrays) == {"x", "y"}
    assert [p.name for p in stored.parent.iterdir()] == ["a.npz"]


def test_a_file_that_is_missing_names_its_command(tmp_path):
    with pytest.raises(
        store.StoredFileError, match=r"none\.npz is not there; make it with: make runs ARGS=n"
    ):
        store.load(tmp_path / "none.npz", command="make runs ARGS=n")


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 0.99])
def test_a_file_cut_short_is_found(stored, share):
    content = stored.read_bytes()
    stored.write_bytes(content[: int(share * len(content))])
    with pytest.raises(store.StoredFileError, match=r"a\.npz is damaged .*again with: command"):
        store.load(stored, command="command")


def test_a_flipped_bit_anywhere_is_found_or_changes_nothing(stored):
    """Bits that the zip format does not use may flip unseen; none may change what is loaded."""
    content, good, found = stored.read_bytes(), store.load(stored, command="c"), 0
    for place in range(0, len(content), 7):
        stored.write_bytes(content[:place] + bytes([content[place] ^ 16]) + content[place + 1 :])
        try:
            back = store.load(stored, command="c")
        except store.StoredFileError:
            found += 1
        else:
            assert back.provenance == good.provenance
            np.testing.assert_array_equal(back.arrays["x"], good.arrays["x"])
    assert found > len(content) / 7 / 2


def rewritten(path, **changes):
    """The file with some members replaced and everything else, the checksum too, as it was."""
    with np.load(path) as file:
        members = {name: file[name] for name in file.files} | changes
    np.savez_compressed(path, **members)


def test_an_edited_file_and_one_of_another_format_are_found(stored):
    rewritten(stored, x=np.arange(300.0) + 1e-9)
    with pytest.raises(store.StoredFileError, match="was edited"):
        store.load(stored, command="c")
    rewritten(stored, provenance=np.frombuffer(b'{"format": 99}', np.uint8))
    with pytest.raises(store.StoredFileError, match="of format 99, not 1; make it again with: c"):
        store.load(stored, command="c")


def test_pickles_are_not_read(tmp_path):
    path = tmp_path / "p.npz"
    np.savez(path, x=np.array([{}], dtype=object), checksum=np.uint8([1]), provenance=np.uint8([1]))
    with pytest.raises(store.StoredFileError, match="damaged"):
        store.load(path, command="c")


def test_where_the_disk_is_full_the_old_file_stays_and_the_new_one_is_kept(stored, monkeypatch):
    before = stored.read_bytes()

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match=r"No space left.*it is kept as (.*)") as caught:
        store.save(stored, {"x": np.ones(3)}, {})
    assert stored.read_bytes() == before
    assert [p.name for p in stored.parent.iterdir()] == ["a.npz"]
    kept = re.search("kept as (.*)", str(caught.value))[1]
    np.testing.assert_array_equal(store.load(Path(kept), command="c").arrays["x"], np.ones(3))


def git(folder, *arguments):
    identity = ["-c", "user.name=a", "-c", "user.email=a@b"]
    subprocess.run(["git", "-C", str(folder), *identity, *arguments], check=True, capture_output=True)


def test_a_commit_has_a_plus_where_the_sources_are_not_committed(tmp_path):
    source = tmp_path / "urep" / "a.py"
    source.parent.mkdir()
    source.write_text("a = 1\n")
    git(tmp_path, "init")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-m", "one")
    assert re.fullmatch("[0-9a-f]{40}", store.origin(tmp_path)["commit"])
    source.write_text("a = 2\n")
    assert re.fullmatch(r"[0-9a-f]{40}\+", store.origin(tmp_path)["commit"])


def test_a_folder_that_is_no_checkout_is_named_as_such(tmp_path):
    assert store.origin(tmp_path)["commit"] == "not a checkout"

"""Stored runs: whole or not there, made again to the same numbers, and every one has its command."""

import dataclasses
import os
import re
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import references
import torch

import urep
from urep import measures, runs, store, structure, tasks
from urep.experiments import TABLE_1, TaskTrial, Trial, make

# --- files ----------------------------------------------------------------------------------


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
    np.testing.assert_array_equal(store.load(kept_path(kept), command="c").arrays["x"], np.ones(3))


def kept_path(text):
    return references.Path(text)


# --- making them ----------------------------------------------------------------------------

SMALL = Trial("Shallow", epochs=40, units=8)


@pytest.fixture
def small(tmp_path, monkeypatch):
    """Three small sheets in a folder of their own, in place of the book's."""
    trials = [dataclasses.replace(SMALL, seed=n) for n in range(4)]
    sheets = [
        runs.Sheet("shallow-0", (trials[0],), measures.trajectory),
        runs.Sheet("many", tuple(trials), measures.ends),
        runs.Sheet(
            "fits", tuple(dataclasses.replace(t, epochs=2000, units=20) for t in trials[:2]), measures.fitted
        ),
    ]
    monkeypatch.setattr(runs, "FOLDER", tmp_path)
    monkeypatch.setattr(runs, "EXPERIMENTS", {"one": sheets[:1], "all": sheets})
    monkeypatch.setattr(runs, "SHEETS", {s.name: s for s in sheets})
    return tmp_path


def contents(name):
    return {key: array.tolist() for key, array in runs.sheet(name).load().arrays.items()}


def test_what_is_missing_is_made_and_what_is_there_is_left(small):
    assert make.make(["one"], jobs=1) == ["shallow-0"]
    first = (small / "shallow-0.npz").read_bytes()
    assert make.make(jobs=1) == ["many", "fits"]
    assert (small / "shallow-0.npz").read_bytes() == first
    assert make.make(jobs=1) == []
    (small / "many.npz").unlink()
    before = contents("fits")
    assert make.make(["many", "fits"], jobs=1) == ["many"]
    assert make.make(["fits"], again=True, jobs=1) == ["fits"]
    assert contents("fits") == before


def test_a_bar_says_what_is_made_and_how_long_the_rest_will_take(small, capsys):
    make.make(["many"], jobs=1, first=2, progress=True)
    assert runs.sheet("many").load(whole=False).arrays["done"].tolist() == [True, True, False, False]
    with pytest.raises(
        store.StoredFileError, match=r"holds 2 of 4 trials; finish it with: make runs ARGS=many"
    ):
        runs.sheet("many").load()
    make.make(["many"], jobs=1, progress=True)
    shown = capsys.readouterr().err
    assert "many 4/4" in shown and "left" in shown


def test_a_stored_run_is_what_training_gives(small):
    make.make(["shallow-0"], jobs=1)
    recorded, plain = runs.recorded("Shallow"), SMALL.train()
    for a, b in zip(recorded.run.trajectory, plain.run.trajectory, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6)  # kept in float32
    np.testing.assert_allclose(recorded.run.loss, plain.run.loss, rtol=1e-6)
    assert recorded.run.task.dy2_target == pytest.approx(plain.run.task.dy2_target)  # cast to float32
    assert recorded.run.lr == plain.run.lr
    assert recorded.turned == plain.rotation
    (made,) = recorded.provenance["trials"]
    assert set(made) == {"arithmetic", "at", "commit", "machine", "seconds", "versions"}
    assert set(made["arithmetic"]) == {"instructions", "compiled for", "blas", "threads"}
    assert made["arithmetic"]["threads"] == 1 and made["arithmetic"]["blas"]
    assert made["versions"]["torch"] == torch.__version__
    assert recorded.provenance["settings"][0]["table"]["units"] == 8
    assert recorded.provenance["command"] == "make runs ARGS=shallow-0"


def test_fits_are_those_of_the_whole_trajectory(small):
    make.make(["fits"], jobs=1)
    kept = runs.sheet("fits").load().arrays
    run = runs.sheet("fits").trials[1].train().run
    fit = urep.fit_rates(run.t, run.trajectory, run.task)
    np.testing.assert_allclose(kept["rates"][1], [fit.rates.tau_h, fit.rates.tau_y], rtol=1e-6)
    np.testing.assert_allclose(kept["r2"][1], [*fit.r2], rtol=1e-6)
    assert kept["epochs"].tolist() == [2000, 2000]


def test_a_run_that_stops_at_a_loss_is_fitted_as_if_it_had_stayed_there():
    trial = Trial("Shallow", epochs=3000, units=50, stop_at_loss=1e-7, precision="float64")
    kept, whole = measures.fitted(trial), measures.fitted(dataclasses.replace(trial, stop_at_loss=None))
    assert kept["epochs"] < whole["epochs"] == 3000
    assert runs.ENDS[kept["stopped"]] == "loss"
    np.testing.assert_allclose(kept["rates"], whole["rates"], rtol=1e-3)


def test_a_run_that_diverges_is_kept_as_diverged(small, monkeypatch):
    wild = dataclasses.replace(SMALL, lr_factor=1e4)
    sheet = runs.Sheet("wild", (SMALL, wild), measures.fitted)
    monkeypatch.setitem(runs.SHEETS, "wild", sheet)
    make.make(["wild"], jobs=1)
    kept = sheet.load().arrays
    assert [runs.ENDS[end] for end in kept["stopped"]] == ["epochs", "diverged"]
    assert 0 < kept["epochs"][1] < 40
    assert np.isnan(kept["rates"][1]).all() and not kept["converged"][1]


def test_a_sheet_of_other_settings_is_refused(small, monkeypatch):
    make.make(jobs=1)
    edited = dict(TABLE_1) | {"Shallow": dataclasses.replace(TABLE_1["Shallow"], lr=1.0)}
    monkeypatch.setattr(urep.experiments.trial, "TABLE_1", edited)
    with pytest.raises(store.StoredFileError, match=r"shallow-0\.npz was made with other settings; make it"):
        runs.recorded("Shallow")


def test_a_damaged_file_is_named_and_made_again(small, capsys):
    make.make(jobs=1)
    before = contents("many")
    path = small / "many.npz"
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(store.StoredFileError, match=r"many\.npz is damaged"):
        runs.sheet("many").load()
    assert runs.recorded("Shallow").run.stopped == "epochs"
    assert make.make(jobs=1) == ["many"]
    assert "is damaged" in capsys.readouterr().err
    assert contents("many") == before


def test_a_run_of_another_seed_is_not_the_stored_one():
    """What retraining a stored run has to tell apart."""
    kept = runs.sheet("default-0").load().arrays
    other = measures.trajectory(Trial("Default", seed=1, epochs=200, layers="all"))
    assert np.max(np.abs(other["loss"] - kept["loss"][0, :200])) > 1e-3 * kept["loss"][0, 0]


def test_unknown_names_are_refused_with_what_there_is(small):
    with pytest.raises(
        ValueError, match=r"experiments \(one, all\) or files \(shallow-0, many, fits\); got 'no'"
    ):
        make.make(["no"])
    with pytest.raises(ValueError, match="name must be one of shallow-0"):
        runs.recorded("Default")
    with pytest.raises(ValueError, match=r"row must be one of Default, .*; got 'Deep'"):
        Trial("Deep")
    with pytest.raises(ValueError, match="layers must be 'middle' for Shallow"):
        runs.recorded("Shallow", layers="all")
    with pytest.raises(ValueError, match="precision must be one of"):
        Trial("Default", precision="float16")
    with pytest.raises(SystemExit):
        make.main(["no"])


KILLED = """
import dataclasses, sys
from pathlib import Path
from urep import measures, runs
from urep.experiments import Trial, make
runs.FOLDER = Path(sys.argv[1])
trial = Trial("Shallow", epochs=2_000, units=8, precision="float64")
sheet = runs.Sheet("many", tuple(dataclasses.replace(trial, seed=n) for n in range(6)), measures.ends)
runs.SHEETS, runs.EXPERIMENTS = {"many": sheet}, {}
make.make(jobs=1)
"""


def test_what_a_kill_leaves_is_whole_and_gone_on_with(tmp_path):
    command = [sys.executable, "-c", KILLED, str(tmp_path)]
    path = tmp_path / "many.npz"
    killed = subprocess.Popen(command)
    while not path.exists():
        assert killed.poll() is None
        time.sleep(0.01)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    half = store.load(path, command="c").arrays
    assert 0 < half["done"].sum() < 6
    subprocess.run(command, check=True)
    whole = store.load(path, command="c")
    assert whole.arrays["done"].all()
    np.testing.assert_array_equal(whole.arrays["last"][half["done"]], half["last"][half["done"]])
    assert not list(tmp_path.glob(".*"))


def test_a_dask_cluster_gives_what_processes_give(small):
    distributed = pytest.importorskip("distributed")
    make.make(["many"], jobs=2)
    here = contents("many")
    (small / "many.npz").unlink()
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, host="127.0.0.1", dashboard_address=None
        ) as cluster,
        distributed.Client(cluster),
    ):
        make.make(["many"], jobs=2, backend="dask")
    assert contents("many") == here


# --- the book's own -------------------------------------------------------------------------


def test_every_stored_file_has_its_command_and_its_origin():
    files = {path.name for path in runs.FOLDER.iterdir()}
    sheets = {sheet.path.name: sheet for sheet in runs.SHEETS.values()}
    assert files <= set(sheets)
    assert sum(path.stat().st_size for path in runs.FOLDER.iterdir()) < 30e6
    for name in files:
        provenance = sheets[name].load(whole=False).provenance
        assert provenance["command"] == f"make runs ARGS={sheets[name].name}"
        made = [trial for trial in provenance["trials"] if trial]
        assert made and all(re.fullmatch(r"[0-9a-f]{40}\+?", trial["commit"]) for trial in made)


def test_a_name_means_one_thing_as_an_experiment_and_as_a_file():
    for name in set(runs.EXPERIMENTS) & set(runs.SHEETS):
        assert runs.EXPERIMENTS[name] == [runs.SHEETS[name]]


def test_every_stored_file_that_a_chapter_shows_is_there_and_whole():
    assert all(sheet.load().arrays["done"].all() for sheet in runs.SHEETS.values())


def test_the_table_of_provenance_has_a_row_for_each_file_as_it_says_of_itself():
    table = runs.provenance()
    assert [row[0] for row in table.rows] == list(runs.SHEETS)
    rows = {row[0]: row for row in table.rows}
    made = runs.sheet("crowds").load().provenance["trials"]
    assert (
        rows["crowds"][1] == str(len(made))
        and rows["crowds"][3] == f"{sum(t['seconds'] for t in made):.0f} s"
    )
    assert made[0]["commit"][:10] in rows["crowds"][4]


def test_a_tracked_pair_is_what_its_sheet_holds():
    sheet = runs.sheet("two-points-adam")
    pairs, arrays = runs.tracked("two-points-adam"), sheet.load().arrays
    assert len(pairs) == len(sheet.trials)
    for k, run in enumerate(pairs):
        np.testing.assert_array_equal(run.trajectory.w, np.float64(arrays["w"][k]))
        assert run.t[1] - run.t[0] == arrays["interval"][k] and run.task.dy2_target == 0.5
        assert run.task.dx2 == float(arrays["dx2"][k]) and run.lr == sheet.trials[k].settings.lr
    assert all(run.task.dy2_target == 2.0 for run in runs.tracked("crowds"))


def test_every_stored_number_of_the_book_comes_from_such_a_file():
    """No chapter reads a file but through `runs`, whose sheets have their commands."""
    for page in (references.ROOT / "book").rglob("*.md"):
        text = page.read_text(encoding="utf-8")
        assert not re.search(r"np\.load|loadtxt|read_csv|open\(|json\.load|genfromtxt", text), page


@pytest.mark.parametrize(("name", "epochs"), [("crowds", 300), ("digits", 40), ("two-points-one-by-one", 200),
                                              ("two-points-momentum", 200)])  # fmt: skip
def test_retraining_a_stored_task_gives_its_first_epochs(name, epochs):
    sheet, kept = runs.sheet(name), runs.sheet(name).load().arrays
    again = measures.watched(dataclasses.replace(sheet.trials[0], epochs=epochs))
    for variable in ("loss", "dh2", "dy2", "w"):
        was, now = kept[variable][0], again[variable]
        assert np.max(np.abs(now - was[: len(now)])) < 1e-3 * np.nanmax(np.abs(was)), variable
    assert len(again["dh2"]) > 10


def test_retraining_on_xor_gives_the_stored_matrix():
    """The shortest of its runs; rounding in float32 grows while they learn."""
    sheet = runs.sheet("xor-2-layers")
    again, kept = measures.matrices(sheet.trials[1]), sheet.load().arrays["hidden_after"][1]
    assert np.abs(again["hidden_after"] - kept).max() < 1e-2 * kept.max()
    assert np.abs(kept - sheet.load().arrays["hidden_before"][1]).max() > 0.5 * kept.max()


def test_mnist_is_left_out_where_it_is_not_and_asked_for_by_name_is_an_error(small, monkeypatch, capsys):
    monkeypatch.delenv("UREP_MNIST", raising=False)
    trial = TaskTrial("MNIST", "mnist", epochs=1)
    sheet = runs.Sheet("far", (trial,), measures.watched)
    monkeypatch.setitem(runs.SHEETS, "far", sheet)
    assert make.make(jobs=1) == ["shallow-0", "many", "fits"]
    assert "left out: far; UREP_MNIST must name the folder" in capsys.readouterr().err
    with pytest.raises(FileNotFoundError, match="UREP_MNIST must name the folder"):
        make.make(["far"], jobs=1)
    with pytest.raises(SystemExit):
        make.main(["far"])
    assert not sheet.path.exists()


def test_a_task_that_diverges_is_kept_as_diverged(small, monkeypatch):
    settings = {"epochs": 40, "units": 8, "hidden_layers": 2}
    trials = tuple(TaskTrial("XOR Low weights", "xor", lr_factor=f, **settings) for f in (1.0, 1e4))
    for measure in (measures.watched, measures.matrices):
        sheet = runs.Sheet("wild", trials, measure)
        monkeypatch.setitem(runs.SHEETS, "wild", sheet)
        make.make(["wild"], jobs=1, again=True)
        kept = sheet.load().arrays
        assert [runs.ENDS[end] for end in kept["stopped"]] == ["epochs", "diverged"]
        assert 0 < kept["rows"][1] < 40
    assert np.isfinite(kept["hidden_after"][0]).all()


def test_a_stored_shape_is_what_the_network_has(small, monkeypatch):
    trial = TaskTrial("Blobs Low weights", "blobs", batch=64, every=29, epochs=2)
    kept, after = measures.shapes(trial), trial.train(progress=False).after.hidden
    d2 = structure.distances2(kept["axes"][::90])
    np.testing.assert_allclose(d2, structure.distances2(after[::90]), atol=1e-4 * d2.max())
    context, x, y = tasks.blob_features()
    first = context == 0
    assert kept["collapse_after"][0] == pytest.approx(structure.collapse(after[first], x[first], y[first]))
    second = context == 1
    assert kept["collapse_after"][1] == pytest.approx(structure.collapse(after[second], y[second], x[second]))


@pytest.mark.parametrize("name", ["default-0", "tanh-0", "dropout-0", "skip-connections-0"])
def test_retraining_a_stored_run_gives_its_first_epochs(name):
    """On another processor sums round otherwise: up to 1e-4 of the first loss was seen between float32
    and float64 in 500 epochs of the default network, whose rounding errors grow fastest."""
    sheet, kept = runs.sheet(name), runs.sheet(name).load().arrays
    again = measures.trajectory(dataclasses.replace(sheet.trials[0], epochs=200))
    assert np.max(np.abs(again["loss"] - kept["loss"][0, :200])) < 1e-3 * kept["loss"][0, 0]
    for variable in ("dh2", "dy2", "w"):
        was = kept[variable][0][..., :200]
        assert np.max(np.abs(again[variable] - was)) < 1e-3 * np.max(np.abs(was)), variable

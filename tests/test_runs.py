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
from urep.experiments import TABLE_1, RepeatedTrial, TaskTrial, Trial, make
from urep.site import pages

# --- making them ----------------------------------------------------------------------------

SMALL = Trial("Shallow", epochs=40, units=8)


@pytest.fixture
def small(tmp_path, monkeypatch):
    """Three small sweeps in a folder of their own, in place of the book's."""
    trials = [dataclasses.replace(SMALL, seed=n) for n in range(4)]
    sweeps = [
        runs.Sweep("shallow-0", (trials[0],), measures.trajectory),
        runs.Sweep("many", tuple(trials), measures.endpoints),
        runs.Sweep(
            "fits", tuple(dataclasses.replace(t, epochs=2000, units=20) for t in trials[:2]), measures.fitted
        ),
    ]
    monkeypatch.setattr(store, "FOLDER", tmp_path)
    monkeypatch.setattr(runs, "EXPERIMENTS", {"one": sweeps[:1], "all": sweeps})
    monkeypatch.setattr(runs, "SWEEPS", {s.name: s for s in sweeps})
    return tmp_path


def contents(name):
    return {key: array.tolist() for key, array in runs.sweep(name).load().arrays.items()}


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
    assert runs.sweep("many").load(whole=False).arrays["done"].tolist() == [True, True, False, False]
    with pytest.raises(
        store.StoredFileError, match=r"holds 2 of 4 trials; finish it with: make runs ARGS=many"
    ):
        runs.sweep("many").load()
    make.make(["many"], jobs=1, progress=True)
    shown = capsys.readouterr().err
    assert "many 4/4" in shown and "left" in shown


def test_a_stored_run_is_what_training_gives(small):
    make.make(["shallow-0"], jobs=1)
    stored, plain = runs.stored_run("Shallow"), SMALL.train()
    for a, b in zip(stored.run.trajectory, plain.run.trajectory, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6)  # kept in float32
    np.testing.assert_allclose(stored.run.loss, plain.run.loss, rtol=1e-6)
    assert stored.run.task.dy2_target == pytest.approx(plain.run.task.dy2_target)  # cast to float32
    assert stored.run.lr == plain.run.lr
    assert stored.rotation == plain.rotation
    (made,) = stored.provenance["trials"]
    assert set(made) == {"arithmetic", "at", "commit", "core_seconds", "machine", "seconds", "versions"}
    assert set(made["arithmetic"]) == {"instructions", "compiled for", "blas", "threads"}
    assert made["arithmetic"]["threads"] == 1 and made["arithmetic"]["blas"]
    assert made["versions"]["torch"] == torch.__version__
    assert stored.provenance["settings"][0]["table"]["units"] == 8
    assert stored.provenance["command"] == "make runs ARGS=shallow-0"


def test_fits_are_those_of_the_whole_trajectory(small):
    make.make(["fits"], jobs=1)
    kept = runs.sweep("fits").load().arrays
    run = runs.sweep("fits").trials[1].train().run
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
    sweep = runs.Sweep("wild", (SMALL, wild), measures.fitted)
    monkeypatch.setitem(runs.SWEEPS, "wild", sweep)
    make.make(["wild"], jobs=1)
    kept = sweep.load().arrays
    assert [runs.ENDS[end] for end in kept["stopped"]] == ["epochs", "diverged"]
    assert 0 < kept["epochs"][1] < 40
    assert np.isnan(kept["rates"][1]).all() and not kept["converged"][1]


def test_a_sweep_of_other_settings_is_refused(small, monkeypatch):
    make.make(jobs=1)
    edited = dict(TABLE_1) | {"Shallow": dataclasses.replace(TABLE_1["Shallow"], lr=1.0)}
    monkeypatch.setattr(urep.experiments.trial, "TABLE_1", edited)
    with pytest.raises(store.StoredFileError, match=r"shallow-0\.npz was made with other settings; make it"):
        runs.stored_run("Shallow")


def test_a_damaged_file_is_named_and_made_again(small, capsys):
    make.make(jobs=1)
    before = contents("many")
    path = small / "many.npz"
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(store.StoredFileError, match=r"many\.npz is damaged"):
        runs.sweep("many").load()
    assert runs.stored_run("Shallow").run.stopped == "epochs"
    assert make.make(jobs=1) == ["many"]
    assert "is damaged" in capsys.readouterr().err
    assert contents("many") == before


def test_a_run_of_another_seed_is_not_the_stored_one():
    """What retraining a stored run has to tell apart."""
    kept = runs.sweep("default-0").load().arrays
    other = measures.trajectory(Trial("Default", seed=1, epochs=200, layers="all"))
    assert np.max(np.abs(other["loss"] - kept["loss"][0, :200])) > 1e-3 * kept["loss"][0, 0]


def test_unknown_names_are_refused_with_what_there_is(small):
    with pytest.raises(
        ValueError, match=r"experiments \(one, all\) or files \(shallow-0, many, fits\); got 'no'"
    ):
        make.make(["no"])
    with pytest.raises(ValueError, match="name must be one of shallow-0"):
        runs.stored_run("Default")
    with pytest.raises(ValueError, match=r"row must be one of Default, .*; got 'Deep'"):
        Trial("Deep")
    with pytest.raises(ValueError, match="layers must be 'middle' for Shallow"):
        runs.stored_run("Shallow", layers="all")
    with pytest.raises(ValueError, match="precision must be one of"):
        Trial("Default", precision="float16")
    with pytest.raises(SystemExit):
        make.main(["no"])


KILLED = """
import dataclasses, sys
from pathlib import Path
from urep import measures, runs, store
from urep.experiments import Trial, make
store.FOLDER = Path(sys.argv[1])
trial = Trial("Shallow", epochs=2_000, units=8, precision="float64")
sweep = runs.Sweep("many", tuple(dataclasses.replace(trial, seed=n) for n in range(6)), measures.endpoints)
runs.SWEEPS, runs.EXPERIMENTS = {"many": sweep}, {}
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


# --- other roundings --------------------------------------------------------------------------


def test_a_repeated_trial_changes_last_digits_only():
    plain = Trial("Shallow", units=8, epochs=40)
    same, other = (RepeatedTrial("Shallow", units=8, epochs=40, perturbation=p) for p in (None, 0))
    first = [trial.network(trial.data()).net[2].weight.detach() for trial in (plain, same, other)]
    assert torch.equal(first[0], first[1]) and not torch.equal(first[0], first[2])
    torch.testing.assert_close(first[0], first[2], rtol=1e-6, atol=0)
    again = [RepeatedTrial("Shallow", units=8, epochs=40, perturbation=p) for p in (0, 1)]
    weights = [trial.network(trial.data()).net[2].weight.detach() for trial in again]
    assert torch.equal(weights[0], first[2]) and not torch.equal(weights[1], first[2])


def test_a_trial_in_another_arithmetic_runs_in_a_process_that_has_it(small, monkeypatch):
    trials = tuple(RepeatedTrial("Shallow", units=8, epochs=40, arithmetic=a) for a in ("native", "oldest"))
    sweep = runs.Sweep("rounded", trials, measures.endpoints)
    monkeypatch.setitem(runs.SWEEPS, "rounded", sweep)
    before = dict(os.environ)
    make.make(["rounded"], jobs=1)
    stored = sweep.load()
    here, there = (made["arithmetic"] for made in stored.provenance["trials"])
    assert here["instructions"] == torch.backends.cpu.get_cpu_capability()
    assert there["instructions"] == "DEFAULT" and there["compiled for"] == "generic"
    np.testing.assert_allclose(*stored.arrays["last"], rtol=1e-3)
    changed = {name for name in trials[1].environment if os.environ.get(name) != before.get(name)}
    assert not changed


def test_an_unknown_arithmetic_is_refused_with_what_there_is():
    with pytest.raises(ValueError, match="arithmetic must be one of native, AVX2, oldest; got 'new'"):
        RepeatedTrial("Shallow", arithmetic="new")


# --- the book's own -------------------------------------------------------------------------


def test_every_stored_file_has_its_command_and_its_origin():
    files = {path.name for path in store.FOLDER.iterdir()}
    sweeps = {sweep.path.name: sweep for sweep in runs.SWEEPS.values()}
    assert files <= set(sweeps)
    assert sum(path.stat().st_size for path in store.FOLDER.iterdir()) < 30e6
    for name in files:
        provenance = sweeps[name].load(whole=False).provenance
        assert provenance["command"] == f"make runs ARGS={sweeps[name].name}"
        made = [trial for trial in provenance["trials"] if trial]
        assert made and all(re.fullmatch(r"[0-9a-f]{40}\+?", trial["commit"]) for trial in made)


def test_no_stored_file_comes_from_uncommitted_code():
    made = {name: sweep.load().provenance["trials"] for name, sweep in runs.SWEEPS.items()}
    assert [name for name, trials in made.items() if any(t["commit"].endswith("+") for t in trials)] == []


def test_every_stored_file_names_a_commit_of_this_history():
    """Where there is a whole history; an archive or a shallow clone cannot tell."""
    git = lambda *words: subprocess.run(
        ["git", "-C", str(references.ROOT), *words], capture_output=True, text=True, check=False
    )
    if git("rev-parse", "--is-shallow-repository").stdout.strip() != "false":
        pytest.skip("no whole git history here")
    made = [trial for sweep in runs.SWEEPS.values() for trial in sweep.load().provenance["trials"]]
    commits = {trial["commit"] for trial in made}
    assert len(commits) > 5
    for commit in commits:
        assert git("merge-base", "--is-ancestor", commit, "HEAD").returncode == 0, commit


def test_the_table_of_provenance_shows_the_plus_and_the_arithmetic():
    commit = "0123456789abcdef+"
    arithmetic = {"instructions": "AVX2", "compiled for": "haswell", "blas": ["mkl"], "threads": 1}
    made = {"commit": commit, "at": 0, "seconds": 1.0, "machine": "a", "versions": {"torch": "2"}}
    row = pages._provenance_row(runs.sweep("shallow-0"), [made | {"arithmetic": arithmetic}, made])
    assert row[4] == "0123456789+"
    assert row[-1] == "AVX2, haswell, threads: 1, not recorded"


SETTINGS = {
    "Trial": "row seed dx2 dy2_target lr_factor epochs units hidden_layers stop_at_loss layers precision",
    "TaskTrial": "row task seed optimizer batch points lr_factor gain nonlinearity epochs units "
    "hidden_layers every stop_at_loss precision",
}


@pytest.mark.parametrize("kind", [Trial, TaskTrial])
def test_the_fields_of_a_trial_are_those_that_the_stored_files_hold(kind):
    """Another field would have every file refused, and hours of training made again."""
    assert " ".join(field.name for field in dataclasses.fields(kind)) == SETTINGS[kind.__name__]


def test_a_name_means_one_thing_as_an_experiment_and_as_a_file():
    for name in set(runs.EXPERIMENTS) & set(runs.SWEEPS):
        assert runs.EXPERIMENTS[name] == [runs.SWEEPS[name]]


def test_every_stored_file_that_a_chapter_shows_is_there_and_whole():
    assert all(sweep.load().arrays["done"].all() for sweep in runs.SWEEPS.values())


def test_the_table_of_provenance_has_a_row_for_each_file_as_it_says_of_itself():
    table = pages.provenance()
    assert [row[0] for row in table.rows] == list(runs.SWEEPS)
    rows = {row[0]: row for row in table.rows}
    made = runs.sweep("crowds").load().provenance["trials"]
    assert (
        rows["crowds"][1] == str(len(made))
        and rows["crowds"][3] == f"{sum(t['seconds'] for t in made):.0f} s"
    )
    assert store.short_commit(made[0]["commit"]) in rows["crowds"][4]


def test_a_stored_pair_is_what_its_sweep_holds():
    sweep = runs.sweep("two-points-adam")
    pairs, arrays = runs.stored_pairs("two-points-adam"), sweep.load().arrays
    assert len(pairs) == len(sweep.trials)
    for k, run in enumerate(pairs):
        np.testing.assert_array_equal(run.trajectory.w, np.float64(arrays["w"][k]))
        assert run.t[1] - run.t[0] == arrays["interval"][k] and run.task.dy2_target == 0.5
        assert run.task.dx2 == float(arrays["dx2"][k]) and run.lr == sweep.trials[k].settings.lr
    assert all(run.task.dy2_target == 2.0 for run in runs.stored_pairs("crowds"))


def test_every_stored_number_of_the_book_comes_from_such_a_file():
    """No chapter reads a file but through `runs`, whose sweeps have their commands."""
    for page in (references.ROOT / "book").rglob("*.md"):
        text = page.read_text(encoding="utf-8")
        assert not re.search(r"np\.load|loadtxt|read_csv|open\(|json\.load|genfromtxt", text), page


def test_loading_a_stored_run_needs_nothing_that_makes_one():
    code = (
        "import sys; from urep import runs; runs.stored_run('Shallow'); "
        "print({'joblib', 'urep.experiments.make', 'numba', 'matplotlib'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


@pytest.mark.parametrize(("name", "epochs"), [("crowds", 300), ("digits", 40), ("two-points-one-by-one", 200),
                                              ("two-points-momentum", 200)])  # fmt: skip
def test_retraining_a_stored_task_gives_its_first_epochs(name, epochs):
    sweep, kept = runs.sweep(name), runs.sweep(name).load().arrays
    again = measures.pair_curves(dataclasses.replace(sweep.trials[0], epochs=epochs))
    for variable in ("loss", "dh2", "dy2", "w"):
        was, now = kept[variable][0], again[variable]
        assert np.max(np.abs(now - was[: len(now)])) < 1e-3 * np.nanmax(np.abs(was)), variable
    assert len(again["dh2"]) > 10


def test_retraining_on_xor_gives_the_stored_matrix():
    """The shortest of its runs; rounding in float32 grows while they learn."""
    sweep = runs.sweep("xor-2-layers")
    again, kept = measures.matrices(sweep.trials[1]), sweep.load().arrays["hidden_after"][1]
    assert np.abs(again["hidden_after"] - kept).max() < 1e-2 * kept.max()
    assert np.abs(kept - sweep.load().arrays["hidden_before"][1]).max() > 0.5 * kept.max()


def test_mnist_is_left_out_where_it_is_not_and_asked_for_by_name_is_an_error(small, monkeypatch, capsys):
    monkeypatch.delenv("UREP_MNIST", raising=False)
    trial = TaskTrial("MNIST", "mnist", epochs=1)
    sweep = runs.Sweep("far", (trial,), measures.pair_curves)
    monkeypatch.setitem(runs.SWEEPS, "far", sweep)
    assert make.make(jobs=1) == ["shallow-0", "many", "fits"]
    assert "left out: far; UREP_MNIST must name the folder" in capsys.readouterr().err
    with pytest.raises(FileNotFoundError, match="UREP_MNIST must name the folder"):
        make.make(["far"], jobs=1)
    with pytest.raises(SystemExit):
        make.main(["far"])
    assert not sweep.path.exists()


def test_a_task_that_diverges_is_kept_as_diverged(small, monkeypatch):
    settings = {"epochs": 40, "units": 8, "hidden_layers": 2}
    trials = tuple(TaskTrial("XOR Low weights", "xor", lr_factor=f, **settings) for f in (1.0, 1e4))
    for measure in (measures.pair_curves, measures.matrices):
        sweep = runs.Sweep("wild", trials, measure)
        monkeypatch.setitem(runs.SWEEPS, "wild", sweep)
        make.make(["wild"], jobs=1, again=True)
        kept = sweep.load().arrays
        assert [runs.ENDS[end] for end in kept["stopped"]] == ["epochs", "diverged"]
        assert 0 < kept["rows"][1] < 40
    assert np.isfinite(kept["hidden_after"][0]).all()


def test_a_stored_shape_is_what_the_network_has(small, monkeypatch):
    trial = TaskTrial("Blobs Low weights", "blobs", batch=64, every=29, epochs=2)
    kept, after = measures.blob_geometry(trial), trial.train(progress=False).after.hidden
    d2 = structure.distances2(kept["axes"][::90])
    np.testing.assert_allclose(d2, structure.distances2(after[::90]), atol=1e-4 * d2.max())
    context, x, y = tasks.blob_features()
    first = context == 0
    assert kept["collapse_after"][0] == pytest.approx(structure.collapse(after[first], x[first], y[first]))
    second = context == 1
    assert kept["collapse_after"][1] == pytest.approx(structure.collapse(after[second], y[second], x[second]))


def largest_difference(again, stored):
    """Largest differences of the three variables and the loss, each over its own largest stored value."""
    return max(np.max(np.abs(a - b)) / np.max(np.abs(b)) for a, b in zip(again, stored, strict=True))


def curves(run):
    return [*run.trajectory, run.loss]


@pytest.mark.parametrize("name", ["tanh-0", "dropout-0", "skip-connections-0"])
def test_retraining_a_stored_run_gives_its_first_epochs(name):
    sweep, kept = runs.sweep(name), runs.sweep(name).load().arrays
    again = measures.trajectory(dataclasses.replace(sweep.trials[0], epochs=200))
    variables = ("loss", "dh2", "dy2", "w")
    first = [kept[variable][0][..., :200] for variable in variables]
    assert largest_difference([again[variable] for variable in variables], first) < 1e-3


@pytest.mark.parametrize("seed", runs.SEEDS)
def test_retraining_a_shallow_run_gives_all_of_it(seed):
    """The bound is that of the table on the page about settings, for networks that amplify no rounding."""
    again = Trial("Shallow", seed).train(progress=False).run
    assert largest_difference(curves(again), curves(runs.stored_run("Shallow", seed).run)) < 1e-3


BOUNDS = {"tau_h": 0.2, "tau_y": 0.2, "escape": 0.1, "final dh2": 0.2}
"""How far the last bit may move a deep rectified run: those of the page about settings."""


def outside(again, stored):
    """The quantities of two runs that differ by more than their bounds."""
    found = []
    for run in (again, stored):
        rates = urep.fit_rates(run).rates
        found.append([rates.tau_h, rates.tau_y, measures.escape(run), run.trajectory.dh2[-1]])
    return [
        name for (name, bound), a, b in zip(BOUNDS.items(), *found, strict=True) if not abs(a / b - 1) < bound
    ]


@pytest.mark.parametrize(("row", "seed"), [("Narrow", 0), ("Narrow", 1), ("Narrow", 2), ("Default", 0)])
def test_retraining_a_deep_rectified_run_gives_its_constants(row, seed):
    again = Trial(row, seed).train(progress=False).run
    assert outside(again, runs.stored_run(row, seed).run) == []


def test_another_seed_or_gain_is_further_away_than_another_rounding():
    """What the bounds of retraining have to tell apart."""
    one, other = (runs.stored_run("Shallow", seed).run for seed in (0, 1))
    assert largest_difference(curves(one), curves(other)) > 1e-2
    default = runs.stored_run("Default").run
    assert outside(runs.stored_run("Low initial weights").run, default)
    assert outside(runs.stored_run("Intermediate initial weights").run, default)
    assert outside(runs.stored_run("Narrow", 2).run, runs.stored_run("Narrow", 0).run)

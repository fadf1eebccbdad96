"""What is counted of what machines said, by hand, and which runs they read."""

from dataclasses import replace

import numpy as np
import pytest

from urep.zoo import reading, sheets, told


def test_a_name_in_disguise_is_right_and_no_equation_is_wrong():
    (name, other), *_ = reading.SAME.items()
    kind = np.array([[reading.NAMES.index(name), 0, 3, 0]])
    said = np.array([[reading.NAMES.index(other), 0, 4, -1]])
    assert told.wrong({"kind": kind}, said) == pytest.approx([0.5])


def test_shares_of_names_are_of_runs_that_learn_and_the_most_frequent_comes_first():
    said = np.array([[0, 0, 1, -1, -2], [1, 1, 1, 0, -2]])
    assert told.called_seven(said) == pytest.approx([0.5, 0.25])
    shares = told.shares_said(said)
    assert list(shares.items())[:3] == [
        (reading.NAMES[1], 0.5),
        ("equation (7)", 0.375),
        ("no equation", 0.125),
    ]
    assert told.most_said(said, 2) == [f"{reading.NAMES[1]} 50%", "equation (7) 38%"]
    assert len(told.most_said(said, 9)) == 3  # nothing is listed that is never said


def test_rows_of_a_confusion_are_shares_of_what_was_said():
    kind = np.repeat(np.arange(16), 4)
    said = kind.copy()
    said[:4] = [0, 5, 5, -1]
    table = told.confusion(kind, said)
    assert table.sum(axis=1) == pytest.approx(np.ones(16))
    assert table[0, 0] == pytest.approx(1 / 3) and table[0, 5] == pytest.approx(2 / 3)
    assert (np.diag(table)[1:] == 1).all()


def test_a_thinned_run_has_every_fifth_epoch_and_beginnings_are_those_that_are_reached():
    every = told.of_figure_2()
    assert len(every["stored"]) < len(every["fresh"])
    known = told.learned(every["stored"])
    assert all(run.loss[-1] < 1e-3 for _, run in known) and len(known) < len(every["stored"])
    row, run = known[0]
    few = told.thinned(run)
    assert (np.diff(few.t) == 5).all() and few.trajectory.dh2[3] == run.trajectory.dh2[15]
    (one,) = told.beginnings([(row, few)], 0.2)
    share = (few.trajectory.dy2 - few.trajectory.w) / few.task.dy2_target
    assert one.group == row and share[one.rows - 1] >= 0.2 > share[one.rows - 2]
    rest = slice(one.rows, None)
    late = replace(few, t=few.t[rest], trajectory=few.trajectory[rest], loss=few.loss[rest])
    assert told.beginnings([(row, late)], 0.2) == []


def test_a_law_is_at_no_distance_from_itself(monkeypatch):
    whole = reading.twins(np.array([2.0, 3.0]))
    monkeypatch.setattr(told.reading, "window", lambda run, begin: whole[4, run])
    far = told.distances([0, 1], reading.WINDOW)
    assert far.shape == (16, 2)
    nearest = int(np.argmin(far[:, 0]))
    assert reading.CLASSES[nearest] == reading.CLASSES[4]


def test_a_lookup_that_was_asked_for_other_trajectories_is_refused(monkeypatch):
    ask = {"prose": np.array([0, 1]), "nearest": np.array([0, 2])}
    monkeypatch.setattr(told.sheets, "study", lambda name, fresh: {"kind": ask[name]})
    with pytest.raises(ValueError, match="the lookup must have been asked"):
        told.prose(fresh=False)


def test_a_prompt_has_its_numbers_where_they_are_given_and_laws_are_counted():
    known = reading.cases(np.random.default_rng(0), 3)
    whole = told.prompt_text(known, np.ones((3, 2), bool))
    partly = told.prompt_text(known, np.zeros((3, 2), bool))
    assert "#" not in whole + partly and whole.split()[:3] == partly.split()[:3] == ["two", "points", "with"]
    numbers = [sum("." in word for word in text.split()) for text in (whole, partly)]
    assert numbers == [3, 2] and "unknown" in partly and "size" in partly  # a sign, and a whole number
    assert told.counted(np.array([2, 0, 2])) == f"{reading.NAMES[2]} 2, equation (7) 1"


def test_networks_of_the_zoo_are_those_that_learn():
    every = told.of_zoo()
    title = sheets.sheet("dense").system.title
    assert all(every.values()) and len(every) > 10
    if title in every:
        assert len(every[title]) == sheets.sheet("dense").learned.sum()

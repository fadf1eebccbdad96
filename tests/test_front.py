"""The picture of the front page: both clocks of every curve; one brings the curves together."""

import re
from pathlib import Path

import numpy as np
import pytest

from urep.experiments import UNIVERSAL, runs
from urep.site import front, verdicts

AT = np.linspace(500, 2500, 9)


@pytest.fixture(scope="module")
def picture():
    return front.picture()


@pytest.fixture(scope="module")
def networks(picture):
    """Of each network: the points that are drawn, and the factor and the shift that styles apply to them."""
    found = re.findall(
        r'<path d="M([^"]+)" [^>]*--factor:([\d.]+);--shift:(-?[\d.]+)px"><title>', picture.svg
    )
    points = [np.array([pair.split(",") for pair in d.split("L")], dtype=float) for d, _, _ in found]
    return [(p, float(factor), float(shift)) for p, (_, factor, shift) in zip(points, found, strict=True)]


def test_every_architecture_of_figure_2_is_drawn(picture, networks):
    assert len(networks) == len(UNIVERSAL) == 11
    assert set(UNIVERSAL) | {"theory"} == set(picture.data)


def test_styles_put_each_curve_where_the_network_was_at_each_epoch(networks):
    for row, (points, factor, shift) in zip(UNIVERSAL, networks, strict=True):
        run = runs.stored_run(row, 0).run
        epochs = (factor * points[:, 0] + shift - front.LEFT) * front.EPOCHS / (front.RIGHT - front.LEFT)
        shown = (front.FLOOR - points[:, 1]) / (front.FLOOR - front.TOP)
        learned = np.sqrt(run.trajectory.dy2 / run.task.dy2_target)
        assert np.abs(np.interp(AT, epochs, shown) - np.interp(AT, run.t, learned)).max() < 0.05


def test_the_theorys_curve_is_half_way_up_in_the_middle(picture):
    clock, way = picture.data["theory"]
    assert np.interp(0, clock, way) == pytest.approx(0.5)
    assert way[0] < 0.01 and way[-1] > 0.99


def test_curves_come_together_over_their_own_clocks(picture):
    own = [np.interp(np.linspace(-2, 2, 41), *picture.data[row]) for row in UNIVERSAL]
    stored = [runs.stored_run(row, 0).run for row in UNIVERSAL]
    same = [np.interp(AT, run.t, np.sqrt(run.trajectory.dy2 / run.task.dy2_target)) for run in stored]
    assert np.std(own, axis=0).max() < np.std(same, axis=0).max() / 2


def test_a_level_that_is_not_crossed_is_refused():
    with pytest.raises(ValueError, match="values must cross 2, got 0 to 1"):
        front._reached(np.array([0.0, 1.0]), 2.0, np.array([0.0, 1.0]))


# --- whether it holds ---


def test_the_front_page_says_whether_it_holds_and_why_before_its_doors():
    text = (Path(__file__).parents[1] / "book" / "index.md").read_text(encoding="utf-8")
    told, why, doors = (text.index(part) for part in ("front.answer()", "**Why?**", "urep-doors"))
    assert text.index("where the theory fails, and by how much.") < told < why < doors
    assert not re.search(r"\d", text[told:doors])  # no number is typed
    assert "{doc}`experiments/where_it_breaks`" in text[why:doors]


def test_the_answer_counts_the_papers_claims():
    found = verdicts.records()
    papers = [r.fields["kind"] for r in found if r.judgement and r.judgement["whose"] == "paper"]
    assumed = [r.fields["kind"] for r in found if r.judgement and r.judgement["whose"] == "assumption"]
    told = repr(front.answer(found))
    counts = [int(number) for number in re.findall(r"\b\d+\b", told)]
    held = papers.count("confirmed") + papers.count("seen")
    against = [papers.count(kind) for kind in ("refuted", "unskilled", "described")]
    assert counts[1:] == [50, len(papers), held, *against, len(assumed), assumed.count("violated")]
    assert held + sum(against) == len(papers)
    refuted = next(r for r in found if r.fields["kind"] == "refuted" and r.whose == "paper")
    fewer = repr(front.answer([record for record in found if record is not refuted]))
    assert f" {against[0] - 1} do" in fewer and fewer != told


def test_an_answer_of_one_is_in_the_singular():
    one = next(r for r in verdicts.records() if r.fields["kind"] == "refuted" and r.whose == "paper")
    assert "1 claims" not in repr(front.answer([one])) and "1 does not" in repr(front.answer([one]))


def test_the_dashed_curve_is_labelled_as_the_theory_beside_a_sample_of_it(picture):
    samples = re.findall(r'<path class="urep-theory" d="M([\d.]+),([\d.]+)h(\d+)"/>', picture.svg)
    ((x, y, long),) = samples
    ((at, on),) = re.findall(r'<text x="([\d.]+)" y="([\d.]+)"[^>]*>the theory<', picture.svg)
    assert float(x) + float(long) < float(at) and abs(float(on) - float(y)) < 5

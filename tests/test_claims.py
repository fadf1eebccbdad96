"""The registry of claims: what an entry must say, what numbers come to, and that nothing moved afterwards."""

import dataclasses
import json
import random
import statistics
import subprocess
from collections import Counter
from types import SimpleNamespace

import numpy as np
import pytest

from urep import claims
from urep.checks import MEANING, ClaimFailed, Verdict, judged
from urep.experiments import runs
from urep.site import history, verdicts

FIELDS = {
    "item": "fig 2",
    "whose": "paper",
    "role": "prediction",
    "sentence": "Fitted to the first fifth, (7) forecasts the final ‖dh‖² within a quarter.",
    "measure": "|log| of forecast over measured",
    "statistic": "tail",
    "below": 0.22,
    "because": "log(5/4)",
    "null": "the mean of the runs",
    "explored": "seeds 0-9",
}
FRESH = {"confirmed": "100-103", "runs": ["default-fresh"]}


def entry(without=(), **changes):
    """The claim of a valid entry with some fields changed."""
    fields = {name: value for name, value in FIELDS.items() if name not in without}
    return claims.entry("page.own", fields | changes)


# --- an entry -------------------------------------------------------------------------------


def test_an_entry_is_a_claim_with_its_bound():
    known = entry()
    assert known.id == "page.own" and known.bound == 0.22 and known.seeds is None
    assert known.holds(0.219) and not known.holds(0.22) and not known.holds(float("nan"))
    above = entry(("below", "null"), above=2, role="observation", no_null="none")
    assert above.bound == 2 and above.holds(2.1) and not above.holds(2)
    assert entry(**FRESH).seeds == range(100, 104)


REFUSED = {
    "measure must be given": {"measure": " "},
    "bar is no field of a claim": {"bar": 1},
    "whose must be one of paper, assumption, code, book; got 'ours'": {"whose": "ours"},
    "role must be one of prediction, .*got 'guess'": {"role": "guess"},
    "statistic must be one of tail, median, value; got 'best'": {"statistic": "best"},
    "item must be like 'eq 38'.*got 'figure 2'": {"item": "figure 2"},
    "one of below and above must be given": {"above": 1.0},
    "the bound must be a finite number, got True": {"below": True},
    "the bound must be a finite number, got 'x'": {"below": "x"},
    "the bound must be a finite number, got inf": {"below": float("inf")},
    "null must say which model knows less, or no_null why none applies": {"null": ""},
    "a prediction needs null, the strongest model": {"null": "", "no_null": "no idea"},
    "statistic is the median: the sentence must say 'typically' or 'median'": {"statistic": "median"},
    "no_spread belongs to statistic = 'value'": {"no_spread": "why"},
    "confirmed and runs must be given together": {"confirmed": "100-119"},
    "confirmed must be seeds like '100-119', got '100, 101'": {"confirmed": "100, 101", "runs": ["a"]},
    "superseded must be the name of another claim, like 'page.claim', got 'two'": {"superseded": "two"},
    "superseded must be the name of another claim.*got 'page.own'": {"superseded": "page.own"},
    "digits must be 1 or 2, got 3": {"digits": 3},
}


@pytest.mark.parametrize("message", REFUSED)
def test_an_entry_that_breaks_the_protocol_is_refused_by_its_field(message):
    with pytest.raises(ValueError, match=f"^claim 'page.own': {message}"):
        entry(**REFUSED[message])


def test_a_description_needs_a_null_and_an_observation_a_reason_for_none():
    with pytest.raises(ValueError, match="a description needs null"):
        entry(("null",), role="description", no_null="none")
    assert entry(("null",), role="observation", no_null="none").no_null == "none"


def test_a_claim_with_a_null_measures_an_error():
    with pytest.raises(ValueError, match="a claim with a null measures an error: it needs below"):
        entry(("below",), above=1.0)


def test_a_control_has_to_miss():
    with pytest.raises(ValueError, match="a control misses by more than a bound: it needs above"):
        entry(("null",), role="control", no_null="none")


ALONE = [
    "(7) describes ‖dh‖² of eleven networks.",
    "‖dh‖² of deep networks grows when they learn.",
    "dh of deep networks turns by ten degrees.",
    "w of the default network is described by (7).",
    "A_high of wide networks typically is Gaussian.",
    "In deep networks, the rate is of two lines.",
    "Therefore networks of Table 1 learn what is asked.",
    "Labels alone predict the pattern as well as (10).",
    "The theory predicts w, and does so better than a curve.",
]
NOT_ALONE = {
    "They describe w of all these networks.": "must name its subject, and not begin with 'They'",
    "Its rate is that of the two lines.": "must name its subject, and not begin with 'Its'",
    "(They describe w of the deep networks.)": "must name its subject, and not begin with '(They'",
    "Their distances are those of the theory.": "must name its subject, and not begin with 'Their'",
    "Which networks learn is decided by weights.": "must name its subject, and not begin with 'Which'",
    "In these networks the rate is of two lines.": "must name its subject, and not begin with 'In these'",
    "Are described by (7) all deep networks.": "must name its subject, and not begin with 'Are'",
    "Also networks of Table 2 learn the pattern.": "must name its subject, and not begin with 'Also'",
    "Networks of Table 1 learn w as well.": "must stand alone, and not say 'as well'",
    "It holds for all networks of Table 1.": "must name its subject",
    "And (7) describes ‖dh‖² of all networks.": "must name its subject",
    "such networks learn all that is asked.": "must name its subject",
    "networks of Table 1 learn what is asked.": "must begin with a capital or a formula",
    "Networks of Table 1 learn what is asked": "must end with a full stop",
    "Networks learn what is asked.": "in six words at least",
    "The networks of this page learn (7) well.": "must stand alone, and not say 'this page'",
    "The same networks do what (7) says.": "must stand alone, and not say 'The same networks'",
    "Networks of Table 2 do so at low weights.": "must stand alone, and not say 'do so'",
    "Networks of Table 2 learn at low weights, too.": "without 'too', 'also' or 'already'",
    "Networks of Table 2 also learn at low weights.": "without 'too', 'also' or 'already'",
}


@pytest.mark.parametrize("sentence", ALONE)
def test_a_sentence_that_stands_alone_is_taken(sentence):
    assert claims.incomplete(sentence) == ""


@pytest.mark.parametrize("sentence", NOT_ALONE)
def test_a_sentence_that_needs_its_page_is_refused(sentence):
    assert NOT_ALONE[sentence] in claims.incomplete(sentence)
    with pytest.raises(ValueError, match=r"claim 'page\.own': sentence must"):
        entry(sentence=sentence)


# --- the registry as files ------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(claims, "FOLDER", tmp_path)
    return tmp_path


def toml(fields):
    """Fields as lines of TOML, whose strings, numbers and lists are those of JSON."""
    return "".join(f"{name} = {json.dumps(value, ensure_ascii=False)}\n" for name, value in fields.items())


def write(path, **entries):
    """A file of the registry."""
    text = "\n".join(f"[{own}]\n{toml(fields)}" for own, fields in entries.items())
    path.write_text(text, encoding="utf-8")


def test_claims_are_found_by_page_and_name(folder):
    write(folder / "page.toml", one=FIELDS, two=FIELDS | FRESH)
    write(folder / "other.toml", one=FIELDS)
    assert list(claims.every()) == ["other.one", "page.one", "page.two"]
    assert claims.claim("page.two") == claims.every()["page.two"]
    with pytest.raises(KeyError, match=r"no claims of a page 'pages' .*there are: other, page"):
        claims.claim("pages.one")
    with pytest.raises(KeyError, match=r"page.toml has no claim 'three'; it has: one, two"):
        claims.claim("page.three")


def test_one_wrong_entry_has_the_whole_registry_refused(folder):
    write(folder / "page.toml", one=FIELDS, two=FIELDS | {"whose": "nobody"})
    with pytest.raises(ValueError, match=r"claim 'page\.two': whose"):
        claims.every()


def test_a_claim_is_superseded_by_one_that_is_there(folder):
    write(folder / "page.toml", one=FIELDS | {"superseded": "page.two"}, two=FIELDS)
    assert claims.every()["page.one"].superseded == "page.two"
    write(folder / "page.toml", one=FIELDS | {"superseded": "page.three"}, two=FIELDS)
    with pytest.raises(ValueError, match=r"claim 'page\.one': superseded names 'page\.three', which is no"):
        claims.every()


# --- numbers --------------------------------------------------------------------------------


def quantile(values, share):
    """Between the two nearest in order, by plain arithmetic."""
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (place - low) * (ordered[high] - ordered[low])


VALUES = [0.01 * k**1.5 for k in range(1, 24)]


@pytest.fixture
def judge(folder):
    """Judge numbers by a valid entry with some fields changed."""

    def judge(without=(), changes=None, **evidence):
        fields = {name: value for name, value in FIELDS.items() if name not in without}
        write(folder / "page.toml", own=fields | (changes or {}))
        return claims.judge("page.own", **evidence)

    return judge


OBSERVED = {"role": "observation", "no_null": "none"}


@pytest.mark.parametrize(
    ("side", "statistic", "wanted"),
    [
        ("below", "tail", quantile(VALUES, 0.95)),
        ("above", "tail", quantile(VALUES, 0.05)),
        ("below", "median", statistics.median(VALUES)),
        ("above", "median", statistics.median(VALUES)),
    ],
)
def test_the_statistic_is_a_quantile_of_the_runs_on_the_side_that_could_fail(judge, side, statistic, wanted):
    sentence = "Networks of Table 1 typically learn what is asked."
    changes = OBSERVED | {side: 0.5, "statistic": statistic, "sentence": sentence}
    found = judge(("null", "below"), changes, measured=random.Random(0).sample(VALUES, len(VALUES))).explored
    assert found.number == pytest.approx(wanted)
    assert found.median == pytest.approx(statistics.median(VALUES))
    assert (found.low, found.high) == pytest.approx((quantile(VALUES, 0.05), quantile(VALUES, 0.95)))
    assert found.runs == len(VALUES) and found.skill is None
    assert found.holds == (wanted < 0.5 if side == "below" else wanted > 0.5)


@pytest.mark.parametrize(("side", "worst"), [("below", max), ("above", min)])
def test_fewer_than_twenty_runs_are_held_by_the_worst_and_twenty_by_the_tail(judge, side, worst):
    shuffled = random.Random(1).sample(VALUES, len(VALUES))
    changes = OBSERVED | {side: 0.5}
    few = judge(("null", "below"), changes, measured=shuffled[:19])
    many = judge(("null", "below"), changes, measured=shuffled[:20])
    assert few.explored.number == worst(shuffled[:19])
    assert many.explored.number == pytest.approx(quantile(shuffled[:20], 0.95 if side == "below" else 0.05))
    assert claims.seen(few.record(), "explored").startswith("the worst ")
    assert claims.seen(many.record(), "explored").startswith(f"95% {side} ")


def test_one_run_of_few_on_the_wrong_side_refutes_and_one_of_twenty_does_not(judge):
    changes = OBSERVED | {"below": 0.22}
    assert judge(("null",), changes, measured=[0.1] * 18 + [0.23]).kind == "refuted"
    assert judge(("null",), changes, measured=[0.1] * 19 + [0.23]).kind == "seen"


def test_skill_of_errors_that_are_a_share_of_the_nulls_is_known_exactly(judge):
    null = np.array(VALUES)
    found = judge(measured=0.3 * null, null=null).explored
    np.testing.assert_allclose(found.skill, 0.7)


def test_the_interval_of_skill_is_that_of_another_bootstrap(judge):
    draw = np.random.default_rng(1)
    errors, null = draw.uniform(0, 1, 40), draw.uniform(0.5, 2, 40)
    value, low, high = judge(measured=errors, null=null).explored.skill
    chance, skills = random.Random(3), []
    for _ in range(4000):
        rows = [chance.randrange(40) for _ in range(40)]
        ratio = statistics.median(errors[k] for k in rows) / statistics.median(null[k] for k in rows)
        skills.append(1 - ratio)
    assert value == pytest.approx(1 - statistics.median(errors) / statistics.median(null))
    assert low == pytest.approx(quantile(skills, 0.05), abs=0.03)
    assert high == pytest.approx(quantile(skills, 0.95), abs=0.03)


@pytest.fixture
def grouped():
    """Errors, those of a null, and labels: eight groups, in each of which five runs are alike."""
    draw = np.random.default_rng(5)
    ours, theirs = draw.uniform(0, 1, 8), draw.uniform(0.5, 2, 8)
    near = draw.uniform(0.99, 1.01, 40)
    return np.repeat(ours, 5) * near, np.repeat(theirs, 5) * near, np.repeat(np.arange(8), 5)


def test_the_interval_over_groups_is_that_of_another_bootstrap_of_whole_groups(judge, grouped):
    errors, null, labels = grouped
    shuffled = np.random.default_rng(6).permutation(40)
    measured, nulls, groups = errors[shuffled], null[shuffled], labels[shuffled]
    found = judge(measured=measured, null=nulls, groups=groups).explored
    chance, skills = random.Random(7), []
    for _ in range(4000):
        firsts = [5 * chance.randrange(8) for _ in range(8)]
        rows = [first + k for first in firsts for k in range(5)]
        ratio = statistics.median(errors[k] for k in rows) / statistics.median(null[k] for k in rows)
        skills.append(1 - ratio)
    value, low, high = found.skill
    assert found.groups == 8 and found.runs == 40
    assert value == pytest.approx(1 - statistics.median(errors) / statistics.median(null))
    assert low == pytest.approx(quantile(skills, 0.05), abs=0.05)
    assert high == pytest.approx(quantile(skills, 0.95), abs=0.05)


def test_runs_that_are_alike_make_the_interval_narrow_only_where_their_group_is_not_told(judge, grouped):
    errors, null, labels = grouped
    one_by_one = judge(measured=errors, null=null).explored
    in_groups = judge(measured=errors, null=null, groups=labels).explored
    assert in_groups.skill[0] == one_by_one.skill[0]
    assert in_groups.skill[2] - in_groups.skill[1] > 1.3 * (one_by_one.skill[2] - one_by_one.skill[1])
    assert one_by_one.groups is None
    assert "over 8 groups" in claims.skilled(judge(measured=errors, null=null, groups=labels).record())


def test_pairs_are_drawn_together(judge):
    """Errors and null that go up and down together have a narrow interval, whatever the runs."""
    draw = np.random.default_rng(1)
    null = np.exp(draw.normal(0, 2, 30))
    _, low, high = judge(measured=0.5 * null, null=null).explored.skill
    _, apart_low, apart_high = judge(measured=0.5 * null, null=null[::-1]).explored.skill
    assert high - low == pytest.approx(0) and apart_high - apart_low > 0.3


def test_the_bootstrap_interval_of_a_mean_is_the_one_of_its_standard_error():
    sample = np.random.default_rng(2).normal(3, 2, 400)
    low, high = claims.bootstrap(np.mean, sample)
    half = 1.645 * statistics.stdev(sample) / 400**0.5
    assert low == pytest.approx(sample.mean() - half, abs=0.03)
    assert high == pytest.approx(sample.mean() + half, abs=0.03)
    assert claims.bootstrap(np.mean, sample) == (low, high)


def test_the_bootstrap_draws_samples_in_pairs():
    sample = np.arange(50.0)
    low, high = claims.bootstrap(lambda x, y: np.mean(x - y), sample, sample + 2)
    assert low == pytest.approx(-2) and high == pytest.approx(-2)


GOOD, BAD, NULL = [0.1] * 8, [0.5] * 8, [1.0] * 8
FRESH_GOOD, FRESH_BAD = [0.1] * 9, [0.5] * 9
FRESH_NULL = [1.0] * 9
EVIDENCE = {"measured": GOOD, "null": NULL}
VALUE = {"statistic": "value"}

WRONG_EVIDENCE = {
    "measured must be one number a run, got shape \\(\\)": {"measured": 0.1},
    "measured must be one number a run, got shape \\(1,\\)": {"measured": [0.1]},
    "measured must be finite, got nan": {"measured": [0.1, float("nan")]},
    "errors of the null must be given exactly where the registry has a null, which is 'the mean": {
        "null": None
    },
    "3 errors of the null for 8 of measured": {"null": [1.0] * 3},
    "errors must be >= 0, those of the null with a median > 0": {"null": [0.0] * 8},
    r"errors must be >= 0, .*": {"measured": [0.1] * 7 + [-0.1]},
    r"errors must be >= 0, those of the null .*": {"null": [1.0] * 7 + [-1.0]},
    r"groups must be one label a run, 8, got \(3,\)": {"groups": [0, 1, 2]},
    "groups must be two at least, got .* for all runs": {"groups": ["a"] * 8},
    "interval and skill belong to statistic = 'value'": {"interval": (0, 1)},
    "fresh must be given exactly where the registry has confirmed seeds, which are none": {"fresh": GOOD},
}


@pytest.mark.parametrize("message", WRONG_EVIDENCE)
def test_evidence_that_the_registry_does_not_ask_for_is_refused(judge, message):
    with pytest.raises(ValueError, match=f"^claim 'page.own': {message}"):
        judge(**(EVIDENCE | WRONG_EVIDENCE[message]))


def test_fresh_runs_cannot_be_left_out(judge):
    with pytest.raises(ValueError, match="has confirmed seeds, which are 100-103"):
        judge((), FRESH, **EVIDENCE)


def test_a_null_cannot_be_left_out_of_the_fresh_runs(judge):
    with pytest.raises(ValueError, match="errors of the null must be given exactly where"):
        judge((), FRESH, **EVIDENCE, fresh=FRESH_GOOD)


def test_groups_belong_to_a_skill(judge):
    with pytest.raises(ValueError, match="groups belong to a skill, and the registry has no null"):
        judge(("null",), OBSERVED, measured=GOOD, groups=range(8))


def test_the_groups_of_fresh_runs_are_those_of_fresh_runs(judge):
    evidence = EVIDENCE | {"fresh": FRESH_GOOD, "fresh_null": FRESH_NULL}
    found = judge((), FRESH, **evidence, groups=[0] * 4 + [1] * 4, fresh_groups=[0, 1, 2] * 3)
    assert (found.explored.groups, found.fresh.groups) == (2, 3)
    with pytest.raises(ValueError, match=r"groups must be one label a run, 9, got \(8,\)"):
        judge((), FRESH, **evidence, fresh_groups=range(8))


def test_the_same_numbers_confirm_nothing(judge):
    with pytest.raises(ValueError, match="fresh must come from other runs than measured, got the same"):
        judge((), FRESH, **EVIDENCE, fresh=GOOD, fresh_null=NULL)
    nearly = [*GOOD[:-1], 0.11]
    assert judge((), FRESH, **EVIDENCE, fresh=nearly, fresh_null=NULL).kind == "confirmed"


def test_a_count_may_be_the_same_in_all_runs():
    assert claims._is_one_count([0, 0, 0]) and claims._is_one_count([9.0, 9.0])
    assert not claims._is_one_count([0.1, 0.1]) and not claims._is_one_count([9, 8])


def test_runs_are_left_out_only_where_the_registry_says_which_and_are_counted(judge):
    evidence = EVIDENCE | {"fresh": FRESH_GOOD, "fresh_null": FRESH_NULL}
    told = FRESH | {"leaves_out": "networks that have not learned"}
    for fields, left_out, says in ((FRESH, 1, "'nothing'"), (told, 0, "'networks"), (told, -1, "'networks")):
        with pytest.raises(ValueError, match=f"left_out must be a count exactly where .* is {says}"):
            judge((), fields, **evidence, left_out=left_out)
    found = judge((), told, **evidence, left_out=2)
    assert (found.fresh.left_out, found.explored.left_out) == (2, 0)
    assert claims.seen(found.record(), "fresh").endswith("9 runs, without 2: networks that have not learned")
    assert claims.seen(found.record(), "explored").endswith("8 runs")


def test_one_number_needs_its_interval_or_a_reason_for_none(judge):
    with pytest.raises(ValueError, match="interval must be given, or the registry say no_spread and why"):
        judge((), VALUE, measured=0.1, skill=(0.5, 0.4, 0.6))
    with pytest.raises(ValueError, match="statistic is 'value', one number, got shape"):
        judge((), VALUE, measured=GOOD, interval=(0, 1), skill=(0.5, 0.4, 0.6))
    with pytest.raises(ValueError, match="skill must be given exactly where the registry has a null"):
        judge((), VALUE, measured=0.1, interval=(0, 1))
    with pytest.raises(ValueError, match=r"one number takes skill=\(value, low, high\), and no null="):
        judge((), VALUE, measured=0.1, null=0.2)
    with pytest.raises(ValueError, match="must be finite, got"):
        judge((), VALUE, measured=0.1, interval=(0, float("inf")), skill=(0.5, 0.4, 0.6))
    with pytest.raises(ValueError, match="fresh runs need one number a run"):
        judge((), VALUE, measured=0.1, fresh=0.1)
    with pytest.raises(ValueError, match=r"interval must go from low to high, got \(0.3, 0.05\)"):
        judge((), VALUE, measured=0.1, interval=(0.3, 0.05), skill=(0.5, 0.4, 0.6))
    with pytest.raises(ValueError, match=r"skill must go from low to high, got \(0.6, 0.4\)"):
        judge((), VALUE, measured=0.1, interval=(0.05, 0.3), skill=(0.5, 0.6, 0.4))
    found = judge((), VALUE, measured=0.1, interval=(0.05, 0.3), skill=(0.5, 0.4, 0.6)).explored
    assert (found.number, found.low, found.high, found.skill) == (0.1, 0.05, 0.3, (0.5, 0.4, 0.6))


# --- outcomes -------------------------------------------------------------------------------


KINDS = [
    ("prediction", "paper", GOOD, "seen"),
    ("description", "paper", GOOD, "described"),
    ("prediction", "paper", BAD, "refuted"),
    ("prediction", "book", BAD, "refuted"),
    ("prediction", "code", BAD, "refuted"),
    ("prediction", "assumption", BAD, "violated"),
    ("prediction", "assumption", GOOD, "seen"),
]


@pytest.mark.parametrize(("role", "whose", "errors", "kind"), KINDS)
def test_what_numbers_come_to_depends_on_whose_claim_it_is_and_on_its_role(judge, role, whose, errors, kind):
    found = judge((), {"role": role, "whose": whose}, measured=errors, null=NULL)
    assert (found.kind, found.stage) == (kind, "exploratory") and kind in MEANING


def test_fresh_runs_decide_whatever_was_explored(judge):
    evidence = {"null": NULL, "fresh_null": FRESH_NULL}
    assert judge((), FRESH, measured=GOOD, fresh=FRESH_GOOD, **evidence).kind == "confirmed"
    assert judge((), FRESH, measured=BAD, fresh=FRESH_GOOD, **evidence).kind == "confirmed"
    failed = judge((), FRESH, measured=GOOD, fresh=FRESH_BAD, **evidence)
    assert (failed.kind, failed.stage) == ("refuted", "confirmed")


def test_what_a_model_that_knows_less_does_as_well_is_no_success(judge):
    apart = [0.05, 0.15] * 4
    assert judge(measured=GOOD, null=GOOD).kind == "unskilled"
    assert judge(measured=apart, null=apart[::-1]).kind == "unskilled"
    assert judge(measured=GOOD, null=[0.05] * 8).kind == "unskilled"
    assert judge((), {"role": "description"}, measured=GOOD, null=GOOD).kind == "unskilled"
    one = {"interval": (0.05, 0.15)}
    assert judge((), VALUE, measured=0.1, skill=(0.3, -0.1, 0.5), **one).kind == "unskilled"
    assert judge((), VALUE, measured=0.1, skill=(0.3, 0.1, 0.5), **one).kind == "seen"


def test_a_control_that_does_not_miss_raises_and_another_claim_does_not(judge):
    control = {"role": "control", "no_null": "none", "above": 0.3}
    assert judge(("below", "null"), control, measured=BAD).kind == "control"
    judge(("below", "null"), control, measured=GOOD)
    with pytest.raises(ClaimFailed, match=r"the control does not miss: 0.1 is not above 0.3 \(log\(5/4\)\)"):
        judged("page.own", measured=GOOD)
    judge(measured=BAD, null=NULL)
    assert judged("page.own", measured=BAD, null=NULL).kind == "refuted"


def test_a_verdict_tells_whose_what_was_wanted_seen_and_what_knows_less(judge):
    judge((), FRESH | {"was": "below 1, 0.3"}, **EVIDENCE, fresh=FRESH_GOOD, fresh_null=FRESH_NULL)
    verdict = judged("page.own", **EVIDENCE, fresh=FRESH_GOOD, fresh_null=FRESH_NULL)
    seen = "the worst 0.1; median 0.1, 5-95% 0.1 to 0.1, {} runs"
    facts = {
        "whose": "the paper's claim (prediction)",
        "measured": FIELDS["measure"],
        "wanted": "below 0.22 in 95% of runs, in all of fewer than 20: log(5/4)",
        "explored": f"seeds 0-9: {seen.format(8)}",
        "fresh": f"seeds 100-103, trained afterwards: {seen.format(9)}",
        "null model": "the mean of the runs; skill 0.9 (0.9 to 0.9) explored, 0.9 (0.9 to 0.9) fresh",
        "before": "below 1, 0.3",
    }
    assert dict(verdict.judgement.facts()) == facts
    for text in (*facts, *facts.values()):
        assert text in repr(verdict)
        assert text.replace("'", "&#x27;") in verdict._repr_html_()
    assert repr(verdict).startswith("✓ Figure 2 confirmed on fresh seeds: Fitted to the first fifth")
    assert 'data-stage="confirmed"' in verdict._repr_html_()


def test_that_a_claim_is_superseded_is_shown_and_decides_nothing(judge):
    plain = judge(**EVIDENCE)
    later = judge((), {"superseded": "page.later"}, **EVIDENCE)
    assert "superseded" not in plain.record() and "superseded" not in dict(plain.facts())
    assert dict(later.facts())["superseded"] == "by page.later, whose null model is stronger"
    assert later.record() == plain.record() | {"superseded": "page.later"}
    assert (later.kind, later.stage, later.deciding) == (plain.kind, plain.stage, plain.deciding)
    assert "superseded" not in claims.JUDGED


def test_a_digit_that_processors_do_not_share_is_not_shown_and_decides(judge):
    evidence = EVIDENCE | {"measured": [1.13 * error for error in GOOD]}
    plain, coarse = judge(**evidence), judge((), {"digits": 1}, **evidence)
    assert (plain.kind, plain.deciding) == (coarse.kind, coarse.deciding)
    deciding = coarse.deciding
    shown = coarse.record()["evidence"]["explored"]
    assert shown["number"] == f"{deciding.number:.1g}" != f"{deciding.number:.2g}"
    assert shown["skill"] == [f"{value:.1g}" for value in deciding.skill]
    assert "digits" not in coarse.record()
    verdict = Verdict("fig 2", "Networks learn.", "seen", measured=deciding.number, judgement=coarse)
    assert verdict.record()["measured"] == shown["number"]


def test_a_claim_that_fails_says_on_which_data(judge):
    judge(measured=BAD, null=NULL)
    assert repr(judged("page.own", measured=BAD, null=NULL)).startswith(
        "✗ Figure 2 does not hold, exploratory:"
    )
    judge((), FRESH, **EVIDENCE, fresh=FRESH_BAD, fresh_null=FRESH_NULL)
    verdict = judged("page.own", **EVIDENCE, fresh=FRESH_BAD, fresh_null=FRESH_NULL)
    assert repr(verdict).startswith("✗ Figure 2 does not hold, on fresh seeds:")


def test_bounds_are_shown_as_they_are_and_on_the_side_they_are(judge):
    changes = OBSERVED | {
        "above": 1.25,
        "statistic": "median",
        "sentence": "Networks typically do what is asked.",
    }
    record = judge(("below", "null"), changes, measured=NULL).record()
    assert claims.wanted(record) == "above 1.25 in the median"
    assert claims.seen(record, "explored") == "median 1, 5-95% 1 to 1, 8 runs"
    assert claims.skilled(record) == "none, none"
    record = judge((), VALUE | {"no_spread": "exact"}, measured=0.123, skill=(0.5, 0.4, 0.6)).record()
    assert claims.wanted(record) == "below 0.22"
    assert claims.seen(record, "explored") == "0.12 (no spread: exact)"
    record = judge((), VALUE, measured=0.123, interval=(0.1, 0.2), skill=(0.5, 0.4, 0.6)).record()
    assert claims.seen(record, "explored") == "0.12 (0.1 to 0.2)"
    assert claims.skilled(record) == "the mean of the runs; skill 0.5 (0.4 to 0.6) explored"


# --- nothing moved afterwards: mutations of an entry in a repository made for it ----------------


def git(folder, *words):
    """What a git command says in a folder."""
    identity = ("-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false")
    done = subprocess.run(
        ["git", "-C", str(folder), *identity, *words], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def commit(root, fields, message="more"):
    """Commit an entry of page.toml, or no entry; the commit."""
    (root / "book/claims").mkdir(parents=True, exist_ok=True)
    write(root / "book/claims/page.toml", **({} if fields is None else {"own": fields}))
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--allow-empty", "--message", message)
    return git(root, "rev-parse", "HEAD")


OWN = FIELDS | FRESH


@pytest.fixture
def repository(tmp_path):
    """A repository whose registry has one confirmed claim."""
    git(tmp_path, "init", "--quiet", "--initial-branch=main")
    commit(tmp_path, OWN, "a claim")
    return tmp_path


def refusal(root, commits):
    """What is said of the claim of a repository whose runs were trained from some commits."""
    return history.refusal("page.own", entry(**FRESH), history.changes("page.own", commits, root))


def test_an_entry_that_stays_as_it_was_is_confirmed(repository):
    made = git(repository, "rev-parse", "HEAD")
    commit(repository, OWN, "the page")
    commit(repository, OWN | {"because": "the same reason in other words", "was": "nothing"})
    assert history.changes("page.own", [made], repository) == []
    assert refusal(repository, [made]) == ""


MOVED = {
    "a bound": ({"below": 0.3}, "below was 0.22 in commit"),
    "a sentence": (
        {"sentence": "Fitted to all, (7) describes the final ‖dh‖²."},
        "sentence was 'Fitted to the first",
    ),
    "the seeds": ({"confirmed": "100-102"}, "confirmed was '100-103' in commit"),
    "the runs": ({"runs": ["default-fresh", "narrow-fresh"]}, r"runs was ['default-fresh'] in commit"),
    "a statistic": ({"statistic": "median"}, "statistic was 'tail' in commit"),
    "a measure": ({"measure": "its square"}, "measure was '|log| of forecast over measured' in commit"),
    "the role": ({"role": "description"}, "role was 'prediction' in commit"),
    "the null": ({"null": "a worse one"}, "null was 'the mean of the runs' in commit"),
    "the explored data": ({"explored": "seeds 0-99"}, "explored was 'seeds 0-9' in commit"),
    "the item": ({"item": "fig 3"}, "item was 'fig 2' in commit"),
}


@pytest.mark.parametrize("moved", MOVED)
def test_an_entry_changed_after_its_runs_is_exploratory_again(repository, moved):
    changes, told = MOVED[moved]
    made = git(repository, "rev-parse", "HEAD")
    commit(repository, OWN | changes)
    said = refusal(repository, [made])
    assert said.startswith(
        "claim 'page.own' changed after the runs that judge it, and is exploratory again: "
    )
    assert told in said and f"in commit {made[:10]} and is" in said
    assert (
        "Put it back, or take confirmed and runs out of the entry and move seeds 100-103 to explored" in said
    )
    assert "commit it under a new id and then train fresh seeds" in said


def test_a_change_that_is_not_committed_is_seen(repository):
    made = git(repository, "rev-parse", "HEAD")
    write(repository / "book/claims/page.toml", own=OWN | {"below": 0.5})
    assert "below was 0.22" in refusal(repository, [made]) and "is 0.5 now" in refusal(repository, [made])


def test_a_null_dropped_after_the_runs_is_seen_and_a_predictions_is_refused_at_once(repository):
    made = git(repository, "rev-parse", "HEAD")
    dropped = {name: value for name, value in OWN.items() if name != "null"} | {"no_null": "none"}
    commit(repository, dropped)
    assert "null was 'the mean of the runs'" in refusal(repository, [made])
    with pytest.raises(ValueError, match="a prediction needs null, the strongest model that knows less"):
        claims.entry("page.own", dropped)


def test_a_bound_that_was_moved_and_moved_back_is_seen(repository):
    made = git(repository, "rev-parse", "HEAD")
    moved = commit(repository, OWN | {"below": 0.5})
    commit(repository, OWN)
    assert f"below was 0.5 in commit {moved[:10]} and is 0.22 now" in refusal(repository, [made])


def test_a_bound_that_was_moved_before_the_runs_is_no_matter(repository):
    commit(repository, OWN | {"below": 0.5})
    made = commit(repository, OWN)
    assert refusal(repository, [made]) == ""


def test_runs_from_before_the_entry_confirm_nothing(tmp_path):
    git(tmp_path, "init", "--quiet")
    made = commit(tmp_path, None, "code")
    later = commit(tmp_path, OWN, "a claim")
    assert f"there was no entry in commit {made[:10]}" in refusal(tmp_path, [made])
    assert refusal(tmp_path, [later]) == ""
    assert "there was no entry" in refusal(tmp_path, [later, made])


def test_an_entry_that_was_away_for_a_while_is_seen(repository):
    made = git(repository, "rev-parse", "HEAD")
    commit(repository, None)
    commit(repository, OWN)
    assert "there was no entry in commit" in refusal(repository, [made])


def test_a_change_that_came_by_a_merge_is_seen_and_a_branch_without_the_entry_is_not(tmp_path):
    git(tmp_path, "init", "--quiet", "--initial-branch=main")
    commit(tmp_path, None, "before the claim")
    git(tmp_path, "branch", "other")
    made = commit(tmp_path, OWN, "a claim")
    git(tmp_path, "checkout", "--quiet", "other")
    (tmp_path / "else").write_text("something else")
    git(tmp_path, "add", "--all")
    git(tmp_path, "commit", "--quiet", "--message", "something else")
    git(tmp_path, "checkout", "--quiet", "main")
    git(tmp_path, "merge", "--quiet", "--no-edit", "other")
    assert refusal(tmp_path, [made]) == ""
    git(tmp_path, "checkout", "--quiet", "-b", "third", made)
    commit(tmp_path, OWN | {"below": 0.9})
    git(tmp_path, "checkout", "--quiet", "main")
    git(tmp_path, "merge", "--quiet", "--no-edit", "third")
    commit(tmp_path, OWN)
    assert "below was 0.9" in refusal(tmp_path, [made])


def test_a_commit_that_is_not_in_the_history_is_refused(repository):
    with pytest.raises(ValueError, match="commit 0123456789abcdef is not in the history of HEAD"):
        history.changes("page.own", ["0123456789abcdef"], repository)
    with pytest.raises(ValueError, match="come from uncommitted code"):
        history.changes("page.own", [git(repository, "rev-parse", "HEAD") + "+"], repository)


def test_without_the_whole_history_it_says_so(repository, tmp_path_factory):
    archive, shallow = tmp_path_factory.mktemp("archive"), tmp_path_factory.mktemp("clones") / "shallow"
    with pytest.raises(history.NoHistory, match="has no whole history"):
        history.require_history(archive)
    commit(repository, OWN | {"below": 0.9})
    git(repository.parent, "clone", "--quiet", "--depth=1", repository.as_uri(), str(shallow))
    with pytest.raises(history.NoHistory, match="the clone is shallow"):
        history.changes("page.own", ["HEAD"], shallow)
    history.require_history(repository)


def store(root, name, *commits):
    """Commit a run file whose trials were trained from some commits, None for one that is not done."""
    trials = [made and {"commit": made} for made in commits]
    text = json.dumps({"trials": trials}).encode()
    (root / "book/runs").mkdir(parents=True, exist_ok=True)
    np.savez_compressed(root / f"book/runs/{name}.npz", provenance=np.frombuffer(text, np.uint8))
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", f"runs of {name}")


def test_a_bound_moved_before_the_same_seeds_are_trained_again_is_seen(repository):
    first = git(repository, "rev-parse", "HEAD")
    store(repository, "default-fresh", first, None)
    second = commit(repository, OWN | {"below": 0.5})
    assert history.changes("page.own", [second], repository) == []
    store(repository, "default-fresh", second, second)
    commits = history.trained_from("default-fresh", repository)
    assert commits == {first, second}
    assert "below was 0.22 in commit" in refusal(repository, sorted(commits))


def test_trainings_of_a_branch_whose_file_was_not_kept_and_of_a_file_that_is_gone_are_seen(repository):
    first = git(repository, "rev-parse", "HEAD")
    git(repository, "checkout", "--quiet", "-b", "other")
    store(repository, "default-fresh", first)
    git(repository, "checkout", "--quiet", "main")
    second = commit(repository, OWN | {"below": 0.5})
    store(repository, "default-fresh", second)
    git(repository, "merge", "--quiet", "--strategy=ours", "--no-edit", "other")
    assert history.trained_from("default-fresh", repository) == {first, second}
    (repository / "book/runs/default-fresh.npz").unlink()
    commit(repository, OWN)
    assert history.trained_from("default-fresh", repository) == {first, second}
    assert history.trained_from("narrow-fresh", repository) == set()


def test_runs_that_an_entry_named_before_are_remembered(repository):
    commit(repository, OWN | {"runs": ["default-again"]})
    assert history.runs_ever(repository) == {"page.own": {"default-fresh", "default-again"}}


def test_whether_runs_were_trained_when_the_entry_was_as_it_is(repository):
    first = git(repository, "rev-parse", "HEAD")
    for name, made in (("one", first), ("dirty", first + "+")):
        store(repository, name, made)
    assert history.trained_after("page.own", "one", repository)
    assert not history.trained_after("page.own", "dirty", repository)
    assert not history.trained_after("page.own", "never-stored", repository)
    store(repository, "two", commit(repository, OWN | {"below": 0.5}))
    assert not history.trained_after("page.own", "one", repository)
    assert history.trained_after("page.own", "two", repository)


def test_a_claim_that_runs_were_to_judge_cannot_vanish(repository):
    known = {"page.own": entry(**FRESH)}
    assert history.vanished(known, repository) == []
    commit(repository, None)
    told = "claim 'page.own' was to be confirmed by seeds 100-103 and is gone"
    assert history.vanished({}, repository) == [told]
    assert history.vanished({"page.new": entry(**FRESH)}, repository) == [told]
    assert "does not say under was" in history.vanished({"page.own": entry()}, repository)[0]
    assert history.vanished({"page.own": entry(was="confirmed, below 0.22")}, repository) == []


def test_a_claim_that_no_runs_were_to_judge_may_go(tmp_path):
    git(tmp_path, "init", "--quiet")
    commit(tmp_path, FIELDS)
    assert history.vanished({}, tmp_path) == []


MODULE = '''
"""A module."""
from elsewhere import fit
SHARE = 0.2

def error(x, y=SHARE):
    """The error."""
    return abs(fit(x) - y)  # of x
'''

CHANGED = {
    "a sign": ("fit(x) - y", "fit(x) + y", ["error"]),
    "a default": ("y=SHARE", "y=0.3", ["error"]),
    "a name": ("def error", "def mistake", ["error"]),
    "a constant": ("0.2", "0.3", ["SHARE"]),
    "an import": ("from elsewhere", "from nowhere", ["fit"]),
    "a second definition": ("# of x", "\ndef error(x):\n    return 0", ["error"]),
    "a replacement": ("# of x", "\nerror = abs", ["error"]),
    "a docstring": ("The error.", "The error of a forecast.", []),
    "a comment": ("# of x", "# of another", []),
    "a new function": ("# of x", "\ndef other(x):\n    return error(x)", []),
}


@pytest.mark.parametrize("change", CHANGED)
def test_a_measure_that_was_rewritten_is_seen_and_a_new_one_is_no_matter(repository, change):
    before, after, names = CHANGED[change]
    (repository / "measures.py").write_text(MODULE)
    made = commit(repository, OWN)
    assert history.rewritten("measures.py", [made], repository) == []
    assert MODULE.count(before) == 1
    (repository / "measures.py").write_text(MODULE.replace(before, after))
    told = [f"{name} of measures.py is not what it was in commit {made[:10]}" for name in names]
    assert history.rewritten("measures.py", [made], repository) == told


def test_a_module_that_was_not_there_before_has_nothing_to_keep(repository):
    made = git(repository, "rev-parse", "HEAD")
    (repository / "measures.py").write_text(MODULE)
    assert history.rewritten("measures.py", [made], repository) == []


def wrong_count(numbers, left_out=0, known=FRESH, **sweeps):
    files = {"default-fresh": sweep(*range(100, 104))} | sweeps
    return history.wrong_count(entry(**known), {"runs": numbers, "left_out": left_out}, files)


def test_all_fresh_runs_judge_or_are_told():
    told = FRESH | {"leaves_out": "networks that have not learned"}
    assert wrong_count(4) == wrong_count(12) == wrong_count(3, 1, told) == wrong_count(5, 3, told) == ""
    assert "3 fresh numbers and 0 left out, of 4 trials; together they must be as many" in wrong_count(3)
    assert "as many for each trial" in wrong_count(3, 2, told) and "one at least" in wrong_count(0, 4, told)
    assert "1 are left out, and the registry does not say which" in wrong_count(3, 1)


def test_the_trials_of_all_files_count():
    known = FRESH | {"runs": ["default-fresh", "narrow-fresh"]}
    narrow = {"narrow-fresh": sweep(*range(100, 106), row="Narrow")}
    assert wrong_count(10, 0, known, **narrow) == "" == wrong_count(20, 0, known, **narrow)
    assert "4 fresh numbers and 0 left out, of 10 trials" in wrong_count(4, 0, known, **narrow)
    assert "12 fresh numbers and 0 left out, of 10 trials" in wrong_count(12, 0, known, **narrow)


def sweep(*seeds, row="Default", **more):
    trials = [SimpleNamespace(row=row, seed=seed, **more) for seed in seeds]
    return SimpleNamespace(trials=trials, reads=())


def wrong_seeds(known=FRESH, after=(), **others):
    sweeps = {"default-fresh": sweep(*range(100, 104)), "default-fits": sweep(*range(50))}
    more = {name.replace("_", "-"): other for name, other in others.items()}
    return history.wrong_seeds(entry(**known), sweeps | more, lambda name: name in after)


def test_confirmed_seeds_are_those_of_the_runs():
    assert wrong_seeds() == "" and wrong_seeds({}) == ""
    told = wrong_seeds(FRESH | {"confirmed": "100-102"})
    assert (
        "confirmed is 100-102, but default-fresh has seeds 100-103; confirmed must be the seeds of all"
        in told
    )
    dear = FRESH | {"runs": ["default-fresh", "dear-fresh"]}
    assert wrong_seeds(dear, dear_fresh=sweep(100, 101, row="Dear")) == ""
    assert "dear-fresh has seeds 102-103" in wrong_seeds(dear, dear_fresh=sweep(102, 103, row="Dear"))
    assert "has seeds 100-104" in wrong_seeds(dear, dear_fresh=sweep(*range(100, 105), row="Dear"))
    assert "runs names 'none-fresh', which is no stored sweep" in wrong_seeds(
        FRESH | {"runs": ["none-fresh"]}
    )


def test_confirmed_seeds_are_used_by_no_other_sweep_of_the_row_and_task():
    told = wrong_seeds(default_more=sweep(103, 104))
    assert "seeds 103-103 were explored in default-more and confirm nothing" in told
    assert wrong_seeds(narrow_more=sweep(103, row="Narrow")) == ""
    assert wrong_seeds(default_blobs=sweep(103, task="blobs")) == ""
    assert "explored in default-adam" in wrong_seeds(default_adam=sweep(103, task="two points"))


def test_a_sweep_that_reads_stored_runs_explores_no_seeds_of_its_own():
    fits = sweep(*range(100, 104))
    assert "were explored in default-again" in wrong_seeds(default_again=fits)
    fits.reads = ("default-fresh",)
    assert wrong_seeds(default_again=fits) == ""


def test_another_sweep_of_the_same_seeds_is_no_matter_where_it_came_after_the_entry():
    assert wrong_seeds(after={"default-more"}, default_more=sweep(103, 104)) == ""
    told = wrong_seeds(after={"default-more"}, default_more=sweep(103), default_other=sweep(102))
    assert "seeds 102-102 were explored in default-other" in told


def test_seeds_cannot_be_explored_and_confirmed():
    told = wrong_seeds(FRESH | {"explored": "seeds 0-2 and 102-110"})
    assert "explored and confirmed share seeds 102-103" in told


# --- the registry of the book ---------------------------------------------------------------


EVERY = claims.every()
CONFIRMED = [name for name, known in EVERY.items() if known.confirmed]
RECORDS = verdicts.records()


def test_there_are_claims_that_fresh_runs_judge():
    assert len(CONFIRMED) > 20


@pytest.fixture(scope="module")
def whole_history():
    """Skip where the history of the checkout is not whole."""
    try:
        history.require_history()
    except history.NoHistory as missing:
        pytest.skip(str(missing))


def commits_behind(name):
    """The commits that the runs of a claim were trained from, in the files of now and of any commit."""
    made = [trial for known in EVERY[name].runs for trial in runs.sweep(known).load().provenance["trials"]]
    ever = map(history.trained_from, EVERY[name].runs)
    return sorted({trial["commit"] for trial in made}.union(*ever))


@pytest.mark.parametrize("name", CONFIRMED)
def test_no_entry_changed_after_the_runs_that_judge_it(name, whole_history):
    commits = commits_behind(name)
    assert commits
    said = history.refusal(name, EVERY[name], history.changes(name, commits))
    assert not said, said


NOT_FRESH = "seeds 100-109 of the row were trained for default-fresh as well, and may have been seen before"
RESEEDED = {
    f"layers.{own}": NOT_FRESH
    for own in ("later-default", "last-default", "authors-profile", "encoder", "decoder", "decoder-ends",
                "one-rate-late")
}  # fmt: skip
"""Claims that other runs had judged before those of now, and why these do not."""


def test_no_claim_is_trained_again_until_it_holds(whole_history):
    """Other runs that judged an entry before need a reason, and nothing but the seeds may differ since."""
    ever, changed = history.runs_ever(), {}
    for name, known in EVERY.items():
        if not known.runs:  # exploratory again, which `vanished` asks to be said: no runs judge it
            continue
        former = ever.get(name, set()) - set(known.runs)
        commits = set().union(*map(history.trained_from, former))
        if commits:
            changed[name] = {change.field for change in history.changes(name, sorted(commits))}
    assert changed == {name: {"confirmed", "runs"} for name in RESEEDED}


@pytest.mark.parametrize("name", CONFIRMED)
def test_seeds_that_confirm_are_fresh(name, whole_history):
    said = history.wrong_seeds(EVERY[name], runs.SWEEPS, lambda run: history.trained_after(name, run))
    assert not said, said


def test_no_claim_that_fresh_runs_were_to_judge_has_vanished(whole_history):
    said = history.vanished(EVERY)
    assert not said, "\n".join(said)


HELD_OUT = "urep/experiments/held_out.py"
PAGES = {path.stem: path for path in claims.FOLDER.parent.rglob("*.md")}
MEASURED = [name for name in CONFIRMED if "held_out" in PAGES[name.split(".")[0]].read_text(encoding="utf-8")]


def test_there_are_confirmed_claims_that_are_measured_by_held_out():
    assert any(name.startswith("universal_dynamics.") for name in MEASURED)


@pytest.mark.parametrize("name", MEASURED)
def test_what_measures_a_confirmed_claim_is_what_it_was_before_the_runs(name, whole_history):
    said = history.rewritten(HELD_OUT, commits_behind(name))
    assert not said, "\n".join(said)


FRESH_RECORDS = [r for r in RECORDS if r.judgement and r.judgement["evidence"]["fresh"]]


@pytest.mark.parametrize("record", FRESH_RECORDS, ids=lambda record: record.judgement["id"])
def test_no_fresh_run_is_left_out_untold(record):
    own = record.judgement
    said = history.wrong_count(EVERY[own["id"]], own["evidence"]["fresh"], runs.SWEEPS)
    assert not said, said


def test_every_entry_is_used_by_one_verdict():
    used = Counter(record.judgement["id"] for record in RECORDS if record.judgement)
    wrong = {name: used[name] for name in {*used, *EVERY} if used[name] != 1 or name not in EVERY}
    assert not wrong, f"verdicts of each claim, of which there must be one: {wrong}"


def test_a_claim_stands_on_the_page_whose_file_it_is_in():
    pages = {(r.judgement["id"].split(".")[0], r.page.split("/")[-1]) for r in RECORDS if r.judgement}
    assert all(file == page for file, page in pages), pages


def test_every_judged_record_says_what_the_registry_says():
    """The references are of the registry of now: what is shown is what was decided."""
    for record in (record for record in RECORDS if record.judgement):
        own = record.judgement
        now = EVERY[own["id"]]
        fields = {field.name: getattr(now, field.name) for field in dataclasses.fields(now)}
        del fields["digits"]  # how many digits the record's own numbers have
        said = {"superseded": ""} | own  # which a record has only where there is such a claim
        assert {name: said[name] for name in fields} == fields | {"runs": list(now.runs)}, own["id"]
        assert (own["item"], own["sentence"]) == (record.fields["item"], record.fields["claim"])
        assert (own["stage"] == "confirmed") == bool(now.confirmed)


def is_of_networks(record):
    """Whether a verdict is about what was measured, by its kind; a control is where it has a number."""
    kind, measured = record.fields["kind"], record.fields["measured"]
    algebra = {"symbolic", "verification", "definition", "numerical"}
    return kind not in algebra and not (kind == "control" and measured is None)


def test_every_claim_about_networks_is_in_the_registry():
    outside = [
        f"{record.page}: {record.fields['claim']}"
        for record in RECORDS
        if is_of_networks(record) and not record.judgement
    ]
    assert not outside, "claims about networks need an entry in book/claims:\n" + "\n".join(outside)


@pytest.mark.parametrize("page", sorted({record.page for record in RECORDS}))
def test_every_sentence_of_a_verdict_stands_alone(page):
    said = [
        f"{claim!r} {claims.incomplete(claim)}"
        for claim in (record.fields["claim"] for record in RECORDS if record.page == page)
        if claims.incomplete(claim)
    ]
    assert not said, "\n".join(said)

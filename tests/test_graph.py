"""What rests on what: recorded by pages as they run, drawn, judged, exported; and the paper's sentences."""

import json
import re
from dataclasses import replace

import jsonschema
import mutations
import networkx as nx
import pytest
import sympy as sp
from markup import Tags

from urep.checks import HOW, MIME, check
from urep.equations import dy2, loss, paper, premises
from urep.site import drawing, export, graph, pages, sentences, verdicts

# --- what a page records --------------------------------------------------------------------

FIRST = "from urep import verify\nfrom urep.equations import book, dh2, dy2, loss, paper, t, w"


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Runs cells as a page does; the records of the verdicts that they show."""
    from IPython.core.interactiveshell import InteractiveShell
    from IPython.utils.capture import capture_output
    from traitlets.config import Config

    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    monkeypatch.setattr(premises, "page", premises.Derivation())
    InteractiveShell.clear_instance()
    shell = InteractiveShell.instance(config=Config({"HistoryManager": {"hist_file": ":memory:"}}))

    def run(*cells):
        found = []
        for cell in (FIRST, *cells):
            with capture_output() as seen:
                shell.run_cell(cell, store_history=True).raise_error()
            found += [output.metadata[MIME] for output in seen.outputs if MIME in output.metadata]
        return found

    yield run
    shell.history_manager.end_session()
    InteractiveShell.clear_instance()


def rests_on(run, *cells):
    """What the last claim of some cells rests on."""
    return run(*cells)[-1]["rests_on"]


NINE = 'verify("eq 9", "The same loss.", derived={loss: %s}, registered=paper[9])'
"""(9) and (22) are the same loss, in letters, so that algebra has nothing to do."""


@pytest.mark.parametrize(
    "cells",
    [
        [NINE % "paper[22].rhs"],
        ["side = paper[22].rhs", NINE % "side"],
        ["other = paper[38].rhs\nside = paper[22].rhs\n" + NINE % "side"],
        ["side = paper[38].rhs", "side = paper[22].rhs", NINE % "side"],
        ["sides = dict(paper[22].sides)", "whole = {**sides}", NINE % "whole[loss]"],
        ["sides = {}\nsides[loss] = paper[22].rhs", NINE % "sides[loss]"],
        ["sides = []\nsides.append(paper[22].rhs)", NINE % "sides[0]"],
        ["def side(n):\n    return paper[n].rhs", NINE % "side(22)"],
        ["one = [paper[n].rhs for n in (22,)]", "(side,) = one", NINE % "side"],
        ["for n in (22,):\n    " + NINE % "paper[n].rhs"],
        ["for n in (22,):\n    side = paper[n].rhs\n    " + NINE % "side"],
        ["def claim(side):\n    " + NINE % "side", "claim(paper[22].rhs)"],
        ["side = paper.get(22).rhs", NINE % "side"],
        ["paper[38]\n" + NINE % "paper[22].rhs"],
        ["from urep.site import pages\nshown = pages.registered('38')\n" + NINE % "paper[22].rhs"],
        ["%precision 3\nside = paper[22].rhs", NINE % "side"],
        ["side = paper[22].rhs", "again = side\nside = paper[22].rhs", NINE % "again"],
    ],
    ids=range(17),
)
def test_a_claim_rests_on_what_its_derived_side_was_made_of(run, cells):
    assert rests_on(run, *cells) == ("22",)


def test_the_equation_that_is_claimed_is_no_premise_and_what_is_read_elsewhere_is_none_either(run):
    cells = "aim = paper[9]\nunused = paper[38]", (NINE % "paper[22].rhs").replace("paper[9]", "aim")
    assert rests_on(run, *cells) == ("22",)


def test_a_circular_derivation_is_recorded_as_such(run):
    assert rests_on(run, NINE % "paper[9].rhs") == ("9",)


def test_a_value_that_was_shown_to_be_an_equation_stands_for_it(run):
    twice = 'verify("eq 22", "Again.", derived={loss: side}, registered=paper[22])'
    assert rests_on(run, "side = paper[22].rhs", NINE % "side", twice) == ("9",)
    assert rests_on(run, "side = paper[22].rhs", NINE % "side", "side = +paper[9].rhs * 1", twice) == ("9",)
    assert rests_on(run, "side = paper[22].rhs * 1", NINE % "1 * side", "side = paper[22].rhs", twice) == (
        "22",
    )


def test_a_value_that_was_shown_in_part_only_keeps_what_it_was_made_of(run):
    seven = 'verify("eq 7", "One line.", derived={dh2.diff(t): lines[0]}, registered=paper[7].line(1))'
    rest = 'verify("eq 21", "All.", derived=dict(zip(paper[21].lhs, lines)), registered=paper[21])'
    assert rests_on(run, "lines = list(paper[21].rhs)", seven, rest) == ("21",)


def test_premises_come_in_the_order_of_the_book(run):
    made = "pair = book['E4'], paper[22], paper[7]\nside = pair[1].rhs"
    assert rests_on(run, made, NINE % "side") == ("7", "22", "E4")


def test_a_claim_that_shows_no_equation_has_nothing_to_record(run):
    (free,) = run('verify("book free", "Twice.", derived=2 * w, registered=w + w)')
    assert "rests_on" not in free and "shows" not in free


def test_what_a_verdict_shows_does_not_depend_on_what_it_rests_on():
    verdict = check("eq 9", "The same loss.", derived={loss: paper[22].rhs}, registered=paper[9])
    assert verdict.shows == ("9",)
    traced = replace(verdict, rests_on=("22",))
    assert (repr(traced), traced._repr_html_()) == (repr(verdict), verdict._repr_html_())
    assert traced.record()["rests_on"] == ("22",)


@pytest.mark.parametrize(
    ("item", "derived", "registered", "through", "shows"),
    [
        ("eq 7", dict(paper[7].sides), paper[7], (), ("7",)),
        ("eq 21", dict(paper[7].sides), paper[7].relations, (), ("21",)),
        ("book names", dict(paper[7].sides), paper[7].relations, (), ("21", "25", "43", "7")),
        ("eq 12", {dy2: 2 * dy2}, {dy2: dy2 + dy2}, (), ("12",)),
        ("eq 43", dict(paper[37].sides), paper[37], 37, ("37",)),
        ("fig 2", {dy2: 2 * dy2}, {dy2: dy2 + dy2}, (), ()),
    ],
)
def test_a_claim_shows_the_equations_that_it_has_lines_of(item, derived, registered, through, shows):
    own = check(item, "A claim.", derived=derived, registered=registered, through=through)
    assert own.shows == shows


# --- what the executed pages recorded -------------------------------------------------------


@pytest.fixture(scope="module")
def found():
    return verdicts.records()


def test_every_symbolic_claim_about_an_equation_has_its_derivation_recorded(found):
    known = graph.equations()
    lines = {line for equation in known.values() if equation for line in equation.lines}
    symbolic = [record for record in found if record.fields["kind"] in HOW.values()]
    missing = [r.link for r in symbolic if lines & set(r.fields["registered"]) and "shows" not in r.fields]
    assert missing == []
    traced = [record for record in symbolic if "shows" in record.fields]
    assert len(traced) > 100
    assert all(set(r.fields["shows"]) | set(r.fields["rests_on"]) <= set(known) for r in traced)


def read_in(page):
    """Labels that the text of a page asks the registry for, in the ways that pages do."""
    text = (mutations.ROOT / "book" / f"{page}.md").read_text(encoding="utf-8")
    found = set(re.findall(r"""paper\[(\d+)\]|book\[["']([^\]]+?)["']\]""", text))
    return {paper_or_book for pair in found for paper_or_book in pair if paper_or_book}


def test_what_is_recorded_is_what_the_text_of_the_page_reads_or_has_shown(found):
    shown = {}
    for record in found:
        own = shown.setdefault(record.page, set())
        stray = set(record.fields.get("rests_on", ())) - own - read_in(record.page)
        assert stray == set(), f"{record.link} rests on {stray}, which its page does not read"
        own |= set(record.fields.get("shows", ()))


KNOWN = {
    "23": {"7"}, "24": {"7"}, "37": {"7", "43"}, "38": {"11", "24", "37"}, "39": {"38", "E1"},
    "40": {"11", "24", "39"}, "26": {"25"}, "36": {"27"}, "48'": {"48"}, "E6'": {"E6"}, "4": {"3"},
}  # fmt: skip
"""Derivations that were followed by eye."""


@pytest.mark.parametrize("label", KNOWN)
def test_edges_are_those_that_a_reader_of_the_page_finds(label, found):
    assert set(graph.nodes(found)[label].uses) == KNOWN[label]


def test_nothing_is_proved_from_itself(found):
    known = graph.nodes(found)
    assert {node.label for node in known.values() if node.label in node.uses} == set()
    circular = [
        r.link
        for r in found
        if r.fields["kind"] == "symbolic"
        and set(r.fields.get("shows", ())) & set(r.fields.get("rests_on", ()))
    ]
    assert circular == []


# --- border and fill ------------------------------------------------------------------------


def verdict(item, shows, rests_on=(), kind="symbolic", lines=None):
    """A record as a page leaves it, about lines of a registered equation."""
    equation = graph.equations()[shows]
    fields = {
        "item": item, "kind": kind, "claim": "A claim.", "anchor": f"check-{shows}", "shows": [shows],
        "rests_on": list(rests_on), "registered": list(equation.lines if lines is None else lines),
    }  # fmt: skip
    return verdicts.Record("theory/made", fields)


def states(*records):
    return {label: (n.state, n.founded) for label, n in graph.nodes(records).items() if n.verdicts}


PROVED, OPEN, DEFINED = graph.PROVED, graph.OPEN, graph.DEFINED


def test_the_border_says_proved_and_the_fill_that_all_below_is():
    chain = verdict("eq 23", "23", ["7"]), verdict("eq 24", "24", ["23"])
    assert states(*chain) == {"23": (PROVED, False), "24": (PROVED, False)}
    below = verdict("eq 7", "7", ["3"]), verdict("eq 3", "3", kind="definition")
    assert states(*chain, *below) == {
        "3": (DEFINED, True), "7": (PROVED, True), "23": (PROVED, True), "24": (PROVED, True),
    }  # fmt: skip


def test_every_line_of_an_equation_has_to_be_proved():
    lines = graph.equations()["7"].lines
    part = verdict("eq 7", "7", lines=lines[:1])
    assert states(part) == {"7": (OPEN, False)}
    assert states(part, verdict("eq 7", "7", lines=lines[1:])) == {"7": (PROVED, True)}


@pytest.mark.parametrize("kind", ["control", "numerical"])
def test_only_algebra_proves(kind):
    assert states(verdict("eq 7", "7", kind=kind)) == {"7": (OPEN, False)}


def test_what_is_proved_from_itself_is_not_filled():
    circle = verdict("eq 23", "23", ["24"]), verdict("eq 24", "24", ["23"])
    assert states(*circle) == {"23": (PROVED, False), "24": (PROVED, False)}
    assert states(verdict("eq 23", "23", ["23"])) == {"23": (PROVED, False)}
    substituted = verdict("eq 23", "23", ["23"], kind="verification")
    assert states(substituted) == {"23": (PROVED, True)}
    assert states(*circle, verdict("eq 23", "23")) == {"23": (PROVED, True), "24": (PROVED, True)}


def descendants(found, label):
    """All that rests on an equation, by another program than the one that fills."""
    edges = [
        (premise, shown)
        for record in found
        if record.fields["kind"] in HOW.values()
        for shown in record.fields.get("shows", ())
        for premise in record.fields["rests_on"]
    ]
    known = nx.DiGraph(edges)
    return nx.descendants(known, label) if label in known else set()


def doubled(equation):
    """The equation with the right side of one line doubled, for each of its lines."""
    for n, line in enumerate(equation.relations):
        wrong = line.func(line.lhs, 2 * line.rhs if line.rhs != 0 else sp.S.One, evaluate=False)
        yield (*equation.relations[:n], wrong, *equation.relations[n + 1 :])


COMPARED = ("E3", "7")
"""The second is named in a sentence about the first, which is compared with it and not derived from it."""


def named(record, known):
    """The equations that a sentence names, but for those that it shows, under any number: (22) is (9)."""
    shown = [known[label] and known[label].lines for label in record.fields["shows"]]
    for label in set(re.findall(r"\((E?\d+[=+'-]?)\)", record.fields["claim"])) & known.keys():
        if label not in record.fields["shows"] and (known[label] is None or known[label].lines not in shown):
            yield label


def test_what_the_sentence_of_a_verdict_names_is_below_it_in_the_graph(found):
    known = graph.equations()
    proofs = [record for record in found if record.fields.get("shows")]
    asked = [(record, label) for record in proofs for label in named(record, known)]
    for record, label in asked:
        shown = {*record.fields["shows"]}
        below = descendants(found, label) & shown or (label == COMPARED[1] and COMPARED[0] in shown)
        assert below, f"({label}) is not below what is said to rest on it: {record.fields['claim']}"
    assert len(asked) > 30


FOLLOWED = ("7", "24", "E1")
"""Equations of which the mutants that their pages are tested with are tried as well."""


@pytest.mark.parametrize("number", mutations.EQUATIONS)
def test_a_mutated_equation_loses_its_border_and_its_descendants_their_fill(number, found):
    known = graph.equations()
    before = graph.nodes(found)
    mutants = [mutant.relations for mutant in mutations.sample(number)] if number in FOLLOWED else []
    for relations in [*mutants, *doubled(known[number])]:
        wrong = replace(known[number], relations=relations)
        after = graph.nodes(found, known | {number: wrong})
        assert {label for label in known if after[label].state != before[label].state} == {number}
        lost = {label for label in known if before[label].founded and not after[label].founded}
        filled = {label for label in known if before[label].founded}
        assert lost == filled & (descendants(found, number) | {number})
        assert [node.uses for node in after.values()] == [node.uses for node in before.values()]


# --- the drawing ----------------------------------------------------------------------------

DIAMOND = {"a": (), "b": ("a",), "c": ("a",), "d": ("b", "c"), "e": ("a", "d"), "alone": ()}


def overlapping(layout):
    boxes = sorted(layout.places.values())
    return [
        (one, other)
        for n, one in enumerate(boxes)
        for other in boxes[n + 1 :]
        if abs(one[0] - other[0]) < drawing.WIDE and abs(one[1] - other[1]) < drawing.HIGH
    ]


def test_each_node_stands_to_the_right_of_all_that_it_rests_on():
    found = drawing.layout(DIAMOND)
    assert set(found.places) == set(DIAMOND)
    for node, below in DIAMOND.items():
        assert all(found.places[other][0] + drawing.ACROSS <= found.places[node][0] for other in below)
    assert overlapping(found) == []
    assert found.places["alone"][1] > max(y for node, (_, y) in found.places.items() if node != "alone")


def test_lines_run_between_their_nodes_and_past_the_others():
    found = drawing.layout(DIAMOND)
    assert set(found.lines) == {(one, node) for node, below in DIAMOND.items() for one in below}
    for (one, other), points in found.lines.items():
        assert (points[0], points[-1]) == (found.places[one], found.places[other])
        passed = set(points[1:-1])
        assert not any(
            abs(x - a) < drawing.WIDE / 2 and abs(y - b) < drawing.HIGH / 2 - 2
            for x, y in passed
            for a, b in found.places.values()
        )


def test_sweeps_undo_a_crossing():
    crossed = {"a": (), "b": (), "c": ("b",), "d": ("a",), "e": ("c",), "f": ("d",)}
    at = drawing.layout(crossed).places
    order = [sorted(pair, key=lambda node: at[node][1]) for pair in (("a", "b"), ("d", "c"), ("f", "e"))]
    assert order in ([["a", "b"], ["d", "c"], ["f", "e"]], [["b", "a"], ["c", "d"], ["e", "f"]])


def test_a_circle_is_refused_by_name():
    with pytest.raises(ValueError, match=r"no circle .* got .*a → b|b → a"):
        drawing.layout({"a": ("b",), "b": ("a",)})


def test_the_drawing_of_all_equations_has_no_overlaps_and_is_the_same_twice(found):
    known = graph.nodes(found)
    edges = {node.key: [f"eq-{label}" for label in node.uses] for node in known.values()}
    one, other = drawing.layout(edges), drawing.layout(edges)
    assert one == other
    assert overlapping(one) == []
    width, height = one.size
    assert all(0 < x < width and 0 < y < height for x, y in one.places.values())


# --- on the page ----------------------------------------------------------------------------


def test_each_node_of_the_drawing_leads_to_its_row_and_says_what_it_is(found):
    drawn, rows = Tags(graph.picture(found)._repr_html_()), Tags(graph.table(found)._repr_html_())
    ids = [body["id"] for body in rows.of("tbody")]
    nodes = [a for a in drawn.of("a") if a["class"].startswith("urep-node")]
    assert sorted(node["data-key"] for node in nodes) == sorted(ids) == sorted(set(ids))
    assert ids == [f"eq-{label}" for label in graph.equations()]
    for node in nodes:
        assert node["href"].startswith("#eq-")
        assert node["aria-label"].startswith(f"({node['data-key'].removeprefix('eq-')}), ")
    edges = {(path["data-from"], path["data-to"]) for path in drawn.of("path")}
    assert edges == {(below, node["data-key"]) for node in nodes for below in node["data-uses"].split()}
    assert len(edges) > 60


def test_rows_say_what_the_nodes_say(found):
    known, text = graph.nodes(found), repr(graph.picture(found))
    assert len(text.splitlines()) == len(known)
    assert f"(39) {known['39'].words}; rests on (38), (E1)" in text.splitlines()
    assert "(38) used by (39), (39=)" in repr(graph.table(found)).splitlines()


def test_the_map_and_the_verdicts_lead_into_the_graph(found):
    for page in (pages.paper_map("eq", found), pages.own_equations(found)):
        marks = [a["href"] for a in Tags(page._repr_html_()).of("a") if a["href"].startswith("graph.html")]
        assert len(marks) == len(repr(page).splitlines())
    assert graph.around("39") == "graph.html?focus=eq-39&depth=2"
    assert graph.around("39+", 1) == "graph.html?focus=eq-39%2B&depth=1"
    assert "graph.html?focus=eq-38" not in pages.paper_map("fig", found)._repr_html_()


# --- all verdicts for machines --------------------------------------------------------------


COMMIT = "0123456789abcdef0123456789abcdef01234567+"


@pytest.fixture(scope="module")
def exported(found):
    built = export.verdicts(found, commit=COMMIT, date="2026-11-22")
    return json.loads(json.dumps(built))


@pytest.fixture(scope="module")
def schema():
    jsonschema.Draft202012Validator.check_schema(export.SCHEMA)
    return jsonschema.Draft202012Validator(export.SCHEMA)


def test_the_export_keeps_its_schema(exported, schema):
    schema.validate(exported)


@pytest.mark.parametrize(
    "broken",
    [
        {"verdict": "true"},
        {"whose": "nobody"},
        {"measured": "0.1"},
        {"more": 1},
        {"algebra": {"derived": []}},
        {"networks": {}},
    ],
    ids=lambda broken: next(iter(broken)),
)
def test_the_schema_refuses_another_claim(exported, schema, broken):
    claims = [exported["claims"][0] | broken]
    assert list(schema.iter_errors(exported | {"claims": claims}))


def test_the_export_says_of_which_build_it_is(exported, schema):
    assert list(exported)[:3] == ["$schema", "version", "built"]
    assert exported["built"] == {"commit": COMMIT, "date": "2026-11-22"}
    assert list(schema.iter_errors({**exported, "built": {"commit": "main", "date": "today"}}))
    assert not list(schema.iter_errors({**exported, "built": {"commit": "", "date": ""}}))


def test_the_schema_says_why_a_number_is_missing(exported):
    missing = {
        claim["verdict"] for claim in exported["claims"] if claim["measured"] is None and claim["bound"]
    }
    assert missing == {"numerical"}
    told = export.SCHEMA["properties"]["claims"]["items"]["properties"]["measured"]["description"]
    assert "two computations" in told and "differs between machines" in told


def test_the_export_has_every_verdict_once(exported, found):
    assert len({claim["id"] for claim in exported["claims"]}) == len(found) == len(exported["claims"])
    assert [c["address"] for c in exported["claims"]] == [f"book/{record.link}" for record in found]
    assert [c["verdict"] for c in exported["claims"]] == [record.fields["kind"] for record in found]
    networks = [claim for claim in exported["claims"] if claim["networks"]]
    assert {claim["id"] for claim in networks} == {r.judgement["id"] for r in found if r.judgement}
    for claim in networks:
        deciding = claim["networks"]["on_fresh"] or claim["networks"]["on_explored"]
        assert claim["measured"] == deciding["number"]


def test_the_export_has_the_graph_and_the_sentences(exported, found):
    assert {label: e["founded"] for label, e in exported["equations"].items()} == {
        label: node.founded for label, node in graph.nodes(found).items()
    }
    assert len(exported["sentences"]) == len(sentences.sentences())


# --- the sentences --------------------------------------------------------------------------


def bearing(says):
    return sentences.Bearing("page.claim", "page.html", "seen", says, "words")


@pytest.mark.parametrize(
    ("said", "verdict"),
    [
        ([], "not tested"),
        (["proved", "proved"], "proved"),
        (["proved", "confirmed"], "confirmed on fresh seeds"),
        (["confirmed", "seen", "proved"], "seen in networks, exploratory"),
        (["described", "seen"], "describes what it was fitted to"),
        (["no better"], "no better than a model that knows less"),
        (["no better", "proved"], "in part no better than a model that knows less"),
        (["seen", "refuted"], "claims disagree"),
        (["proved", "violated"], "claims disagree"),
        (["no better", "refuted"], "does not hold"),
        (["violated", "refuted"], "does not hold"),
        (["violated", "no better"], "assumption violated"),
    ],
)
def test_what_verdicts_on_a_sentence_come_to(said, verdict):
    assert sentences.verdict(map(bearing, said)) == verdict
    assert verdict in sentences.VERDICTS


def test_claims_that_disagree_are_counted():
    said = ["seen", "refuted", "proved", "no better", "violated"]
    assert sentences.counts(map(bearing, said)) == "2 for, 2 against, 1 no better"


def test_there_are_the_sentences_of_the_abstract_and_of_sections_three_to_six(found):
    own = sentences.sentences()
    assert len(own) >= 40
    assert [s.section for s in own] == sorted((s.section for s in own), key=sentences.SECTIONS.index)
    assert {s.section for s in own} == set(sentences.SECTIONS)
    assert len({s.says for s in own}) == len(own)
    assert all(s.says[0].isupper() and s.says.endswith(".") for s in own)
    words = [word for _, word, _ in sentences.judged(found)]
    assert "not tested" in words and "claims disagree" in words
    assert sum(int(row[1]) for row in sentences.tally(found).rows) == len(own)


def test_a_sentence_says_what_the_verdict_of_its_claims_says(found):
    by_id = {r.judgement["id"]: r.fields["kind"] for r in found if r.judgement}
    for sentence, word, on in sentences.judged(found):
        kinds = {by_id[name] for name in sentence.bears if not name.startswith("(")}
        if kinds & {"refuted", "violated"}:
            assert word in ("claims disagree", "does not hold", "assumption violated")
        if word == "not tested":
            assert not sentence.bears and not sentence.against and not on


def test_a_verdict_against_a_sentence_is_turned(found):
    known = {record.judgement["id"]: record for record in found if record.judgement}
    held = next(name for name, record in known.items() if record.fields["kind"] == "confirmed")
    failed = next(name for name, record in known.items() if record.fields["kind"] == "refuted")
    sentence = sentences.Sentence("3", "Made up.", against=(held, failed))
    one, other = sentences.bearings(sentence, found, {})
    assert one.says == "refuted"
    assert other.says == ("confirmed" if known[failed].stage == "confirmed" else "seen")


@pytest.mark.parametrize(
    ("name", "message"),
    [("no.claim", "no claim with a verdict"), ("(2)", "no equation"), ("(99)", "no equation"),
     ("exact_solution.rate", "which says nothing")],
)  # fmt: skip
def test_a_name_that_bears_on_nothing_is_refused(name, message, found):
    sentence = sentences.Sentence("3", "Made up.", bears=(name,))
    with pytest.raises(ValueError, match=re.escape(name) + ".*" + message):
        sentences.bearings(sentence, found, graph.nodes(found))


@pytest.mark.parametrize("entry", ['section = "2"\nsays = "No."', 'section = "3"\nsays = "No."\nbear = []'])
def test_a_sentence_of_another_section_or_with_another_field_is_refused(entry, tmp_path):
    file = tmp_path / "sentences.toml"
    file.write_text(f"[[sentence]]\n{entry}\n", encoding="utf-8")
    with pytest.raises(ValueError, match="a sentence must have a section"):
        sentences.sentences(file)


def test_every_sign_of_the_sentences_leads_to_a_verdict(found):
    links = {record.link for record in found}
    marks = Tags(sentences.table(found)._repr_html_()).of("a")
    assert len(marks) > 80
    assert {mark["href"] for mark in marks} <= links


def test_the_letters_of_the_graph_are_registered_equations():
    assert {label for label, equation in graph.equations().items() if equation is None} == {
        "2", "6", "12", "13", "26", "33",
    }  # fmt: skip
    assert isinstance(graph.equations()["7"].relations[0], sp.Eq)

"""Prose has one sentence a line, so that a diff shows the sentence that changed."""

import re

import pytest
import references

ROOT = references.ROOT
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "book").rglob("*.md"))]

ABBREVIATIONS = ("e.g.", "E.g.", "i.e.", "et al.", "cf.", "vs.", "Fig.", "Eq.", "Andrew M.")
"""Full stops that end no sentence."""

FRONT_MATTER = re.compile(r"\A---\n.*?^---$", flags=re.M | re.S)
CODE = re.compile(r"^(`{3,})(?:\w|\{code-cell\}).*?^\1$", flags=re.M | re.S)
NO_PROSE = re.compile(r"\s*$|```|:::|#|\||\$\$|:[\w-]+:|\([\w-]+\)=$")
"""Lines between paragraphs: blank ones, fences, headings, tables, formulas, options, labels."""

MARKER = re.compile(r"\s*(?:[-*+]|\d+\.|:) +")
"""What a list's item or a definition begins with."""

END = re.compile(r"""[.!?][*"”)\]]*\s+(?=[^\sa-z])""")
"""A sentence's end: its sign, what closes with it, and behind them anything but a small letter."""


def sentences(text):
    """The sentences of a paragraph. Code and formulas in it have no ends of sentences."""
    masked = re.sub(r"(`+).+?\1|\$[^$]+\$", lambda match: "X" * len(match[0]), text)
    ends = [match.end() for match in END.finditer(masked)]
    ends = [end for end in ends if not masked[:end].rstrip().endswith(ABBREVIATIONS)]
    return [text[a:b].strip() for a, b in zip([0, *ends], [*ends, len(text)], strict=True)]


def paragraphs(text):
    """Each paragraph's lines, without markers, after the number of its first line from 0."""
    for other in (FRONT_MATTER, CODE):
        text = other.sub(lambda match: "\n" * match[0].count("\n"), text)
    open_paragraph = False
    found = []
    for number, line in enumerate(text.splitlines()):
        marker = MARKER.match(line)
        if NO_PROSE.match(line):
            open_paragraph = False
        elif open_paragraph and not marker:
            found[-1][1].append(line.strip())
        else:
            found.append((number, [line[marker.end() :] if marker else line]))
            open_paragraph = True
    return found


def bare_fences(text):
    """Numbers of the lines, from 1, that open a block and do not say of what: all below would be code."""
    opened, found = None, []
    for number, line in enumerate(text.splitlines(), 1):
        match = re.match(r" *(`{3,})(.*)", line)
        if match and opened is None:
            opened = match[1]
            found += [number] * (not match[2].strip())
        elif match and match[1].startswith(opened) and not match[2].strip():
            opened = None
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_each_block_says_what_it_is(page):
    assert bare_fences("```python\n1\n```\n```\n") == [4]
    assert not bare_fences(page.read_text(encoding="utf-8"))


EXAMPLE = """---
title: Two. Words.
---

# A title. With a stop

Is $a. B$ `c. D`
so? *Yes.* (E.g. as Saxe et al. Say 0.5 of it.) **End.** $x$ is.
```python
a. B. C.
```
```{note}
:class: x. Y
Inside. 2 lines.
```
| a. | B. |
1. One. Two
   three.
- Four.
"""


def test_prose_is_found_and_split_into_sentences():
    found = [(number, sentences(" ".join(lines))) for number, lines in paragraphs(EXAMPLE)]
    first = ["Is $a. B$ `c. D` so?", "*Yes.*", "(E.g. as Saxe et al. Say 0.5 of it.)", "**End.**", "$x$ is."]
    assert found == [(6, first), (13, ["Inside.", "2 lines."]), (16, ["One.", "Two three."]), (18, ["Four."])]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_a_line_of_prose_is_one_whole_sentence(page):
    for number, lines in paragraphs(page.read_text(encoding="utf-8")):
        wanted = sentences(" ".join(lines))
        assert lines == wanted, f"line {number + 1}, one sentence a line would be:\n" + "\n".join(wanted)


@pytest.mark.parametrize("page", PAGES[:2], ids=lambda page: page.name)
def test_readme_and_contributing_are_short(page):
    assert len(page.read_text(encoding="utf-8").split()) < 500


def test_the_readme_shows_python_by_line_40():
    lines = PAGES[0].read_text(encoding="utf-8").splitlines()
    assert lines.index("```python") < 40


def test_the_python_in_the_readme_runs():
    names = {}
    exec(re.search(r"```python\n(.*?)```", PAGES[0].read_text(encoding="utf-8"), flags=re.S)[1], names)
    assert names["fit"].converged

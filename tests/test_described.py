"""The text of a figure: in the metadata of its cell, in the figure of the built page."""

import described
import execution
import pytest
from nbformat.v4 import new_code_cell, new_output

import urep

SEEN = "A line that rises from zero to <one> on the left."


def drawn(number=1, alt=None):
    """An executed cell that drew so many figures."""
    picture = urep.figures.curves([0, 1], {"left": {"dh2": [0, 1]}})
    data = {"text/plain": repr(picture), "text/html": picture._repr_html_()}
    outputs = [new_output("display_data", data=dict(data)) for _ in range(number)]
    return new_code_cell("urep.figures.curves(...)", outputs=outputs, metadata={"alt": alt} if alt else {})


def test_the_text_of_the_metadata_is_what_the_figure_of_the_page_says():
    cell = drawn(alt=SEEN)
    described.describe(cell)
    markup = cell.outputs[0].data["text/html"]
    assert 'role="img" aria-label="A line that rises from zero to &lt;one&gt; on the left."' in markup
    assert markup.count("aria-label") == 1 and described.AUTOMATIC not in markup


def test_a_figure_says_what_its_axes_say_until_it_is_described():
    picture = urep.figures.curves([0, 1], {"left": {"dh2": [0, 1]}, "right": {"one": [0, 1], "two": [1, 0]}})
    assert picture.alt == "Figure: left dh2 over epochs; right one, two over epochs"
    assert picture.alt.startswith(described.AUTOMATIC)


def test_a_text_with_computed_numbers_is_an_argument():
    with pytest.raises(described.Undescribed, match="its metadata must have `alt`"):
        described.describe(drawn())
    picture = urep.figures.curves([0, 1], {"left": {"dh2": [0, 1]}}, alt=SEEN)
    said = new_output("display_data", data={"text/html": picture._repr_html_()})
    described.describe(new_code_cell("", outputs=[said]))
    assert "to &lt;one&gt; on" in said.data["text/html"]


@pytest.mark.parametrize("number", [0, 2])
def test_a_text_belongs_to_one_figure(number):
    with pytest.raises(described.Undescribed, match=f"draws {number} figures"):
        described.describe(drawn(number, alt=SEEN))


def test_a_text_too_short_says_nothing():
    with pytest.raises(described.Undescribed, match="has alt 'Two lines"):
        described.describe(drawn(alt="Two lines."))


def test_an_undescribed_figure_stops_the_build_and_names_the_cell(tmp_path):
    notebook = type("Notebook", (), {"cells": [drawn()]})
    with pytest.raises(execution.PageFailed, match="cell 0, counting code from 0, draws a figure"):
        execution._describe(notebook, tmp_path / "page.md")

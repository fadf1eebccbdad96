"""The rules of the house that a machine can check."""

import ast
import base64
import hashlib
import html
import json
import re
import subprocess
import sys

import numpy as np
import pytest
import references
import sympy as sp

import urep
from urep import claims

PACKAGE = references.ROOT / "urep"
FRONT = {"state", "theory", "exact", "fit", "carry", "rotation", "growth", "growth_kernel",
         "compare", "tasks", "networks", "claims", "checks", "shown", "figures"}  # fmt: skip
"""What a reader of the chapters reads, one file each."""

BEHIND = {"equations", "training", "experiments", "zoo", "site"}
"""The folders behind them."""


def modules():
    """Every module below `urep` as its path in dots: ("theory",), ("site", "pages")."""
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        yield path, parts[:-1] if parts[-1] == "__init__" else parts


def imports(path, parts):
    """The modules of urep that a module imports, at its top or inside a function."""
    known = {name for _, name in modules()}
    package = parts if path.stem == "__init__" else parts[:-1]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.ImportFrom) or node.level == 0:
            continue
        base = package[: len(package) - node.level + 1] + tuple((node.module or "").split("."))
        base = tuple(part for part in base if part)
        for alias in node.names:
            whole = (*base, alias.name)
            yield whole if whole in known else base


def arrows():
    """Which module imports which, without what `urep` itself names."""
    found = {parts: set(imports(path, parts)) - {()} for path, parts in modules() if parts}
    return {parts: targets - {parts} for parts, targets in found.items()}


def test_the_front_of_the_package_is_thin():
    assert {path.stem for path in PACKAGE.glob("*.py")} == FRONT | {"__init__"}
    assert {path.name for path in PACKAGE.iterdir() if (path / "__init__.py").exists()} == BEHIND


def test_nothing_in_front_imports_experiments_or_site():
    for parts, targets in arrows().items():
        if parts[0] in FRONT | {"equations", "training"}:
            assert not {t[0] for t in targets} & {"experiments", "zoo", "site"}, parts
        if parts[0] == "equations":
            assert {t[0] for t in targets} <= {"equations"}, parts
        if parts[0] == "experiments":
            assert "site" not in {t[0] for t in targets}, parts


def test_imports_inside_urep_go_one_way():
    """A module is taken away once all that it imports is gone: nothing may be left."""
    left = arrows()
    while left:
        free = [parts for parts, targets in left.items() if not targets & set(left)]
        assert free, f"a circle of imports: {sorted('.'.join(parts) for parts in left)}"
        left = {parts: targets for parts, targets in left.items() if parts not in free}


def test_import_urep_loads_nothing_heavy_and_theory_needs_no_torch():
    code = (
        "import sys, urep\n"
        "heavy = {'torch', 'sympy', 'scipy', 'matplotlib', 'numpy'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
        "urep.TwoPoint(1.0, 0.0), urep.fit_rates, urep.verify, urep.figures, urep.paper\n"
        "assert 'torch' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_public_surface_is_there_and_documented():
    for name in urep.__all__:
        thing = getattr(urep, name)
        if name != "__version__":
            assert thing.__doc__, name
            assert thing.__doc__.splitlines()[0].endswith((".", ":", ",", "`")) or len(thing.__doc__) > 40
    assert set(urep.__all__) <= set(dir(urep))
    with pytest.raises(AttributeError, match="no attribute 'solve_all'"):
        _ = urep.solve_all


PARTS = ("The paper states", "Derive", "Integrate", "Train", "A control that must fail",
         "Where it stops being true", "What we saw")  # fmt: skip


APPENDICES = {"machine_forms", "proved"}
"""Pages of theory that look closer at what other pages derive and claim nothing of networks."""


def has_control(page, text):
    """Whether a page has a symbolic control, or the registry one of networks for it."""
    own = (known for known in claims.every().values() if known.id.startswith(f"{page.stem}."))
    return "control=" in text or any(known.role == "control" for known in own)


@pytest.mark.parametrize("page", references.chapters(), ids=lambda p: p.stem)
def test_a_chapter_keeps_to_the_rules(page):
    text = page.read_text(encoding="utf-8")
    cells = re.findall(r"```\{code-cell\}[^\n]*\n(.*?)```", text, flags=re.S)
    for cell in (references.OPTIONS.sub("", cell) for cell in cells):
        assert len(cell.strip().splitlines()) <= 20, f"a cell is too long for its reader:\n{cell}"
        assert max(map(len, cell.splitlines())) <= 79, f"a line is wider than the page:\n{cell}"
        assert not cell.rstrip().endswith(";"), f"nbval fails on a trailing semicolon:\n{cell}"
    if page.parent.name == "experiments":
        assert "## The paper s" in text or "## What a control has to be" in text
        assert "## What we saw" in text
        assert has_control(page, text)
    if page.parent.name == "theory" and page.stem not in APPENDICES:
        headings = re.findall(r"^## (.+)$", text, flags=re.M)
        assert [h for h in headings if h in PARTS] == list(PARTS)
        assert has_control(page, text)
        assert "{exercise}" in text


def _luminance(colour):
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2], linear


@pytest.mark.parametrize("background", ["#ffffff", "#121212"])
def test_colours_stand_out_on_light_and_dark(background):
    for name, colour in urep.figures.COLOUR.items():
        high, low = sorted((_luminance(colour)[0], _luminance(background)[0]), reverse=True)
        # 3:1 is what WCAG 2.1 asks of graphical objects.
        assert (high + 0.05) / (low + 0.05) >= 3, name


def test_colours_differ_for_those_who_do_not_see_red_or_green():
    """Viénot, Brettel and Mollon's reduction of linear RGB for protanopes and deuteranopes."""
    reductions = (
        sp.Matrix([[0.11238, 0.88762, 0], [0.11238, 0.88762, 0], [0.00401, -0.00401, 1]]),
        sp.Matrix([[0.29275, 0.70725, 0], [0.29275, 0.70725, 0], [-0.02234, 0.02234, 1]]),
    )
    colours = [sp.Matrix(_luminance(c)[1]) for c in urep.figures.COLOUR.values()]
    for reduction in reductions:
        seen = [reduction * c for c in colours]
        assert min((a - b).norm() for i, a in enumerate(seen) for b in seen[:i]) > 0.1


def test_a_gallery_has_a_panel_a_network_and_keeps_all_its_numbers():
    t, alt = np.arange(2000.0), "Four networks drawn for a test, with nothing in particular to be seen."
    state = urep.State(1 - np.exp(-t / 300), 1 - np.exp(-t / 200), -np.exp(-t / 200))
    picture = urep.figures.gallery(
        dict.fromkeys("abc", (t, state, state)) | {"loss": (t, {"loss": state.dy2}, {})}, alt=alt
    )
    assert len(picture.data) == 4 + 3 * 6 + 1
    np.testing.assert_array_equal(picture.data["b: dh2, network"], state.dh2)
    assert len(picture.svg) < 200_000  # thinned to what an eye can tell apart


def test_a_table_has_a_plain_form_escapes_its_cells_and_refuses_ragged_rows():
    table = urep.Table(["name", "R²"], [["a<b", 0.5], ["long name", 1]])
    assert repr(table).splitlines() == ["name       R²", "a<b        0.5", "long name  1"]
    assert "<td>a&lt;b</td><td>0.5</td>" in table._repr_html_()
    with pytest.raises(ValueError, match="rows must have 2 cells"):
        urep.Table(["a", "b"], [[1]])


def test_every_kind_of_figure_is_drawn_with_its_numbers_and_without_a_title_of_its_own():
    alt = "A picture drawn for a test, with nothing in particular to be seen."
    line = np.linspace(0, 1, 9)
    axes = {"xlabel": "a", "ylabel": "b", "alt": alt}
    pictures = [
        urep.figures.portrait(
            {"p": {"one": [(line, line**2)]}}, points={"p": {"stable": [(1, 1)]}}, **axes),
        urep.figures.plane(line, {"one": [(line, 2 * line), (line, -line - 1)]}, alt=alt, marked=4),
        urep.figures.regions(
            1 + line, 1 + line, np.eye(9), ["no", "yes"], contours=np.outer(line, line), **axes),
        urep.figures.scatter({"p": {"one": (line, 2 * line)}}, **axes),
        urep.figures.scatter({name: {"one": (line, 2 * line)} for name in "pqrst"}, **axes),
        urep.figures.convergence([0.1, 0.2], {"e": [1, 2]}, order=1, xlabel="h", alt=alt),
        urep.figures.matrices({"p": np.eye(3), "q": np.eye(3)}, names="abc", alt=alt),
        urep.figures.matrices({"p": np.eye(4)}, labels=[0, 0, 1, 1], alt=alt),
        urep.figures.explorer(
            line, urep.State(line, line, -line), 1 - line, {"one": {"tau_h": 1.0}}, alt=alt),
        urep.figures.clouds({"p": (np.random.default_rng(0).random((9, 3)), line)}, alt=alt),
    ]  # fmt: skip
    for picture in pictures:
        assert picture.svg.startswith("<svg") and "currentColor" in picture.svg
        assert picture.data and all(isinstance(v, np.ndarray) for v in picture.data.values())
    np.testing.assert_array_equal(pictures[0].data["p: one 0"], [line, line**2])
    np.testing.assert_array_equal(pictures[3].data["p: one"], [line, 2 * line])


def test_points_in_space_travel_inside_their_drawing():
    """What the page's script reads back is what was drawn, to the precision of its bytes."""
    points = np.random.default_rng(0).normal(size=(50, 3)) * [5, 1, 0.1]
    picture = urep.figures.clouds(
        {"a<b": (points, np.arange(50))}, alt="Fifty points drawn for a test, and nothing to be seen."
    )
    (inside,) = re.findall(r'<metadata class="urep-clouds">(.*?)</metadata></svg>$', picture.svg)
    (panel,) = json.loads(html.unescape(inside))
    read = np.frombuffer(base64.b64decode(panel["points"]), "<i2").reshape(50, 3).astype(float)
    scale = np.ptp(points) / np.ptp(read)
    back = (read - read.mean(axis=0)) * scale + points.mean(axis=0)
    np.testing.assert_allclose(back, points, atol=2 * scale)
    assert panel["title"] == "a<b" and base64.b64decode(panel["colour"])[0] == 0
    assert base64.b64decode(panel["colour"])[-1] == 255


def test_pictures_take_the_pages_colour_say_what_is_seen_and_share_no_ids():
    alt = "A straight line that rises from zero to one <for a test>."
    one = urep.figures.curves([0, 1], {"a": {"dh2": [0, 1]}}, alt=alt)
    two = urep.figures.curves([0, 1], {"a": {"dh2": [0, 2]}}, alt=alt)
    for picture in (one, two):
        assert "currentColor" in picture.svg
        assert urep.figures._TEXT not in picture.svg
        assert 'role="img" aria-label="A straight line' in picture.svg
        assert "&lt;for a test&gt;" in picture.svg
        assert "http" not in re.sub(r'xmlns(:\w+)?="[^"]*"', "", picture.svg)
    ids = [set(re.findall(r'\bid="([^"]+)"', p.svg)) for p in (one, two)]
    assert not ids[0] & ids[1]
    for picture, own in zip((one, two), ids, strict=True):
        assert set(re.findall(r'href="#([^"]+)"', picture.svg)) <= own
    again = urep.figures.curves([0, 1], {"a": {"dh2": [0, 1]}}, alt=alt)
    assert again.svg == one.svg
    assert list(one.data["a: dh2"]) == [0, 1]
    with pytest.raises(ValueError, match="alt must say"):
        urep.figures.curves([0, 1], {"a": {"dh2": [0, 1]}}, alt="")


def test_no_label_of_a_scatter_is_dropped():
    points = np.arange(3.0), np.arange(3.0)
    six = {"panel": {f"kind {k}": points for k in range(6)}}
    axes = {"alt": "Six kinds of points on one line.", "xlabel": "x", "ylabel": "y"}
    picture = urep.figures.scatter(six, **axes)
    assert list(picture.data) == [f"panel: kind {k}" for k in range(6)]
    assert len(set(re.findall(r'<use[^>]*href="#([^"]+)"', picture.svg))) >= 6
    with pytest.raises(ValueError, match="6 labels a panel at most, got 7"):
        urep.figures.scatter({"panel": six["panel"] | {"kind 6": points}}, **axes)


UPLOT = {
    "LICENSE": "8f989229699b4fe2",
    "uPlot.iife.min.js": "19c8d4c6ad88929a",
    "uPlot.min.css": "df630c6a8d6f8eea",
}
"""Files of the npm package uplot 1.6.32, with the first digits of their SHA-256."""

ODEX = {"LICENSE": "211ed284a05a40df", "odex.js": "d64fc3d09becaba1"}
"""Files of the npm package odex 2.0.4, in the same way."""


@pytest.mark.parametrize(("package", "published"), [("uplot", UPLOT), ("odex", ODEX)])
def test_a_library_in_the_repository_is_the_published_one(package, published):
    """Nobody edits somebody else's code in place."""
    folder = references.ROOT / "book" / "_static" / package
    seen = {path.name: hashlib.sha256(path.read_bytes()).hexdigest()[:16] for path in folder.iterdir()}
    assert seen == published

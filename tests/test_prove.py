"""Proofs in the page: the programs cut from pages, the Python that runs them, what a reader sees of it."""

import json
import re
import subprocess
import sys

import light
import nbformat
import notebooks
import prove
import pytest
import references
import slices
from axe_playwright_python.sync_playwright import Axe
from screenshot import opened
from test_browser import browser, server  # noqa: F401 - fixtures

from urep import checks
from urep.site import reader

PROOFS = ("symbolic", "verification", "definition", "control")

BARE = """
import builtins, json, sys

allowed = sys.stdlib_module_names | {"sympy", "mpmath", "urep"}

def importing(name, globals=None, locals=None, fromlist=(), level=0, true=builtins.__import__):
    home = (globals or {}).get("__name__", "")
    if level == 0 and name.split(".")[0] not in allowed and home.split(".")[0] not in ("sympy", "mpmath"):
        raise ModuleNotFoundError(f"{home} imports {name}, which a browser has not")
    return true(name, globals, locals, fromlist, level)

for absent in ("numpy", "scipy", "torch", "matplotlib", "IPython"):
    sys.modules[absent] = None
builtins.__import__ = importing
from urep.site import reader

json.dump([getattr(reader, name)(*given) for name, *given in json.load(sys.stdin)], sys.stdout)
"""
"""Python as a browser has it: calls functions of the reader and writes what they return."""


def bare(calls):
    """What the reader returns where there is nothing but SymPy."""
    done = subprocess.run(
        [sys.executable, "-c", BARE], input=json.dumps(calls), capture_output=True, text=True, check=False,
        cwd=references.ROOT,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def recorded(page):
    """The verdicts of algebra that a page's executed reference holds: the record of each, and its HTML."""
    cells = nbformat.read(references.reference(page), as_version=4).cells
    outputs = [output for cell in cells for output in cell.get("outputs", ())]
    found = [(output.metadata[checks.MIME], output.data["text/html"]) for output in outputs
             if checks.MIME in output.get("metadata", {})]  # fmt: skip
    return [(own, html) for own, html in found if own["kind"] in PROOFS and not own["judgement"]]


def page_of(name):
    return references.ROOT / "book" / f"{name}.md"


def digest(html):
    return re.search(r'data-record="(\w+)"', html)[1]


# --- programs -------------------------------------------------------------------------------


def cut(*cells):
    """The program that leads to the last statement of some cells."""
    page = slices.statements([cell.strip("\n") for cell in cells])
    return slices.source(page, len(page) - 1)


def test_a_program_has_what_is_read_and_nothing_else():
    used = "import numpy as np\nfrom sympy import cos, sin\na = 1\nb = np.array(2)"
    assert cut(used, "c = sin(a)\nc") == "from sympy import sin\na = 1\n\nc = sin(a)\nc\n"
    commented = "a = 1  # one\n\n# Two of them.\nb = 2 * a\na = 5"
    assert cut(commented, "x = 3", "b") == "a = 1  # one\n\n# Two of them.\nb = 2 * a\n\nb\n"


def test_functions_find_their_names_when_they_are_called_and_others_where_they_stand():
    assert cut("def f():\n    return late", "late = 1", "f()") == (
        "def f():\n    return late\n\nlate = 1\n\nf()\n"
    )
    assert cut("a = 1", "squares = [a for _ in range(2)]", "a = 2", "squares") == (
        "a = 1\n\nsquares = [a for _ in range(2)]\n\nsquares\n"
    )
    assert cut("a = 1", "def f(a):\n    b = a\n    return b", "b = 2", "f(3)") == (
        "def f(a):\n    b = a\n    return b\n\nf(3)\n"
    )


def test_what_changes_a_name_without_binding_it_belongs_to_it():
    assert cut("found = {}\nother = []", "found['a'] = 1\nother.append(2)", "found") == (
        "found = {}\n\nfound['a'] = 1\n\nfound\n"
    )
    assert cut("n = 1", "if n:\n    n = 2", "n += 1", "n") == "n = 1\n\nif n:\n    n = 2\n\nn += 1\n\nn\n"
    assert cut("rows = []", "for k in range(3):\n    rows.append(k)", "k = 0", "rows") == (
        "rows = []\n\nfor k in range(3):\n    rows.append(k)\n\nrows\n"
    )


@pytest.mark.parametrize(
    ("program", "runs"),
    [
        ("from urep import verify\nfrom urep.equations import paper, tau_h\nimport sympy, re", True),
        ("import urep\nurep.equations.paper, urep.verify", True),
        ("import numpy", False),
        ("from urep.equations import numeric", False),
        ("import urep\nurep.solve", False),
        ("from urep import growth", False),
        ("import urep.theory", False),
        ("from IPython.display import display", False),
    ],
)
def test_a_browser_runs_what_needs_nothing_but_sympy(program, runs):
    assert light.runs(program) is runs


def test_every_verdict_of_algebra_has_a_program_and_no_other_verdict():
    """By the sentences of the executed references, which the programs are not made from."""
    with_program = total = 0
    for page in notebooks.chapters():
        for own, _ in recorded(page):
            total += 1
            program = prove.program(page, own["kind"], own["claim"])
            with_program += program is not None
            assert program is None or "verify(" in program
        others = nbformat.read(references.reference(page), as_version=4)
        for cell in others.cells:
            for output in cell.get("outputs", ()):
                own = output.get("metadata", {}).get(checks.MIME)
                if own and (own["kind"] not in PROOFS or own["judgement"]):
                    assert prove.program(page, own["kind"], own["claim"]) is None, own["claim"]
    assert with_program == total > 200


PAGES = ("theory/loss", "theory/identical_outputs", "experiments/digits")
"""Pages whose proofs take seconds; two of them have loops of claims."""


def test_programs_give_the_recorded_verdicts_where_there_is_nothing_but_sympy():
    wanted = [(page_of(name), *verdict) for name in PAGES for verdict in recorded(page_of(name))]
    found = bare([("run", prove.program(page, own["kind"], own["claim"])) for page, own, _ in wanted])
    for (page, own, html), result in zip(wanted, found, strict=True):
        assert result["stopped"] is None, f"{page.stem}, {own['claim']}: {result['stopped']}"
        given = {verdict["anchor"]: verdict["html"] for verdict in result["verdicts"]}
        assert digest(given[own["anchor"]]) == digest(html), f"{page.stem}: {own['claim']}"
    assert len(wanted) > 20


def test_a_wrong_sign_is_refused_with_the_message_of_verify():
    page = page_of("theory/loss")
    own, _ = next(verdict for verdict in recorded(page) if verdict[0]["item"] == "eq 9")
    program = prove.program(page, own["kind"], own["claim"])
    wrong = re.sub(r"derived=(\{\w+: )?", r"\g<0>-", program)
    assert wrong != program
    result = reader.run(wrong)
    assert result["stopped"]["refused"] and not result["verdicts"]
    with pytest.raises(checks.ClaimFailed) as failed:
        exec(compile(wrong, "page", "exec"), {})
    assert result["stopped"]["message"] == str(failed.value)
    assert result["stopped"]["message"].startswith("Equation (22): The loss")


def test_the_reader_says_on_which_line_a_program_stops_and_what_it_printed():
    result = reader.run("print('so far')\n\n1 / 0\n")
    assert result["printed"] == "so far\n" and not result["stopped"]["refused"]
    assert result["stopped"]["message"] == "line 3: ZeroDivisionError: division by zero"
    assert reader.run("x = (\n")["stopped"]["message"].startswith("line 1: SyntaxError: ")
    assert reader.run("x = 1")["stopped"] is None
    for line, told in (
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt"),
    ):
        stopped = reader.run(f"x = 1\n{line}")["stopped"]
        assert stopped == {"refused": False, "message": f"line 2: {told}"}


def test_what_the_site_offers_as_a_package_is_complete_and_light(tmp_path):
    files = prove._own()
    assert "urep/site/reader.py" in files and "urep/equations/registry.py" in files
    assert "urep/__init__.py" in files and "urep/theory.py" not in files
    sympy = prove._distribution("sympy")
    assert "sympy/__init__.py" in sympy and not [name for name in sympy if "/tests/" in name]
    assert any("LICENSE" in name for name in sympy)
    for name in ("one.zip", "two.zip"):
        prove._write_zip(tmp_path / name, files)
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()


# --- answers --------------------------------------------------------------------------------

RIGHT = {
    "ex-reduction-growth": "-dx2*w/tau_h",
    "ex-loss-plateau": "dy2_target/8",
    "ex-final-equal": "3*A_low/2",
    "ex-balanced": "tau_y/dh2_0",
    "ex-exact-half": "log(1 + A/p_0^2)/(2*A)",
    "ex-random-median": "(mu_G + sqrt(mu_G**2 + 4*A_low**2))/2",
    "ex-depth-gain": "sqrt(2)",
    "ex-decoder-loss": "dy2_target/8",
    "ex-lazy-time": "t_scaled/G",
    "ex-rotation-swap": "2*c*tau_y",
    "ex-clock-target": "d/2",
}
"""What a reader may answer, from the solutions as they are written in words."""


def exercises():
    """The page of each exercise, by its label."""
    found = {}
    for page in notebooks.chapters():
        text = page.read_text(encoding="utf-8")
        for label in re.findall(r"^```\{exercise\}\n:label: (\S+)$", text, flags=re.M):
            found[label] = page
    return found


def test_exercises_that_ask_for_a_formula_know_the_right_answer_from_a_wrong_one():
    assert set(RIGHT) == set(prove.answers()) <= set(exercises())
    calls = []
    for label, text in RIGHT.items():
        program, book = prove.solution(exercises()[label], label), prove.answers()[label]["book"]
        calls += [("answer", program, book, text), ("answer", program, book, f"2*({text})")]
    found = bare(calls)
    assert [result["outcome"] for result in found] == ["equal", "different"] * len(RIGHT), found
    for label, wrong in zip(RIGHT, found[1::2], strict=True):
        assert re.fullmatch(r"(At .+ your|Your) answer is \S+, the book's is \S+\.", wrong["message"])
        for letter in prove.answers()[label]["letters"]:
            assert re.search(rf"\b{letter}\b", RIGHT[label]), f"{label} offers {letter}"


def test_what_is_no_answer_is_told_why():
    given = ("answer", "from urep.equations import tau_h", "tau_h / 2")
    tried = {
        "": "Type an expression",
        "tau_h/": "SymPy cannot read",
        "tau_q/2": "tau_q is no letter",
        "0.5*tau_h": "0.5",
        "[tau_h]": "is not an expression",
    }
    for text, message in tried.items():
        result = reader.answer(*given[1:], text)
        assert result["outcome"] == "unread" and message in result["message"], (text, result)
    different = reader.answer(*given[1:], "tau_h")
    assert different["message"] == "At tau_h = 2 your answer is 2.0000, the book's is 1.0000."


# --- in the browser -------------------------------------------------------------------------

LOADED = 180_000
"""Milliseconds that Python may take to load and prove on a machine that does other things too."""


@pytest.fixture
def context(browser):  # noqa: F811 - the fixture
    context = browser.new_context(viewport={"width": 1300, "height": 900})
    yield context
    context.close()


def panel_of(page, anchor):
    return page.locator(f"#{anchor} + .urep-proof")


def verdict_about(name, item):
    """Of the first verdict about an item its anchor, its claim and its record's digest."""
    own, html = next(verdict for verdict in recorded(page_of(name)) if verdict[0]["item"] == item)
    return own["anchor"], own["claim"], digest(html)


def fetched(page):
    return [url for url in page.asked if "pyodide" in url or "/proofs/" in url or "prove_worker" in url]


def test_no_two_buttons_of_a_page_have_one_name(server, context):  # noqa: F811
    page = opened(context, server + "book/theory/final_distance.html")
    buttons = page.locator("div.urep-proof > button").all_text_contents()
    assert len(buttons) > 20 and len(set(buttons)) == len(buttons)
    assert all(name.startswith("Prove it again ") for name in buttons)


def test_an_equation_is_proved_again_in_the_page_and_a_wrong_sign_refused(server, context):  # noqa: F811
    page = opened(context, server + "book/theory/reduction.html")
    anchor, claim, wanted = verdict_about("theory/reduction", "eq 7")
    panel = panel_of(page, anchor)
    assert panel.locator("textarea").count() == 0 and not fetched(page)
    go = panel.get_by_role("button", name="Prove it again (7)")
    go.focus()
    page.keyboard.press("Enter")
    said = panel.get_by_role("status")
    said.locator("text=The run gives the same verdict as this page.").wait_for(timeout=LOADED)
    assert said.locator(f".urep-verdict[data-record='{wanted}']").count() == 1
    assert go.evaluate("button => button === document.activeElement")
    cells = panel.get_by_role("textbox")
    program = cells.input_value()
    assert program == prove.program(page_of("theory/reduction"), "symbolic", claim).strip()
    wrong = program.replace("decoder_rate * dh + kept", "decoder_rate * dh - kept")
    assert wrong != program
    cells.fill(wrong)
    cells.press("Shift+Tab")  # to Stop, and on to Reset and to the first button: nothing traps the keyboard
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    said.locator(".urep-refused").wait_for(timeout=LOADED)
    assert said.locator("pre").inner_text() == reader.run(wrong)["stopped"]["message"]
    assert said.locator(".urep-verdict").count() == 0
    cells.fill("while True: pass")
    go.click()
    said.locator("text=Running the lines").wait_for()
    panel.get_by_role("button", name="Stop").click()
    said.locator("text=Stopped.").wait_for()
    panel.get_by_role("button", name="Reset").click()
    assert cells.input_value() == program
    assert fetched(page) and all(url.startswith(server) for url in page.asked)
    assert not page.complaints
    # What axe makes a page ask and complain of is not the page's own.
    rules = {"target-size": {"enabled": True}, "label-content-name-mismatch": {"enabled": True}}
    found = Axe().run(page, context={"include": [[".urep-proof"]]}, options={"rules": rules})
    assert not [violation["id"] for violation in found.response["violations"]]


def test_an_answer_is_checked_in_the_page_and_a_proof_uses_the_same_python(server, context):  # noqa: F811
    page = opened(context, server + "book/theory/loss.html")
    assert not fetched(page)
    field = page.get_by_label("The loss on the plateau")
    said = page.locator("#ex-loss-plateau").get_by_role("status")
    field.fill("dy2_target/4")
    field.press("Enter")
    said.locator("text=At dy2_target = 2 your answer is 0.50000, the book's is 0.25000.").wait_for(
        timeout=LOADED
    )
    field.fill("dy2_target/8")
    field.press("Enter")
    said.locator("text=This is the book's answer").wait_for(timeout=LOADED)
    anchor, _, wanted = verdict_about("theory/loss", "eq 9")
    panel = panel_of(page, anchor)
    panel.get_by_role("button", name="Prove it again").click()
    panel.locator(f".urep-verdict[data-record='{wanted}']").wait_for(timeout=LOADED)
    assert len([url for url in page.asked if url.endswith(".wasm")]) == 1
    assert all(url.startswith(server) for url in page.asked) and not page.complaints


@pytest.mark.parametrize(
    ("what", "named"),
    [
        ("**/proofs/**", "The lines of this page"),
        ("**/sympy-*.zip", "sympy-"),
        ("**/prove_worker.js", "script"),
    ],
)
def test_what_did_not_come_may_be_asked_for_again(server, context, what, named):  # noqa: F811
    page = opened(context, server + "book/theory/loss.html")
    uncaught = []
    page.on("pageerror", lambda error: uncaught.append(str(error)))
    anchor, _, wanted = verdict_about("theory/loss", "eq 9")
    panel = panel_of(page, anchor)
    go, said = panel.get_by_role("button", name="Prove it again"), panel.get_by_role("status")
    assert said.bounding_box()["height"] < 2, "nothing is said, and takes no place"
    assert re.search(r"fetches Python, [1-9]\d* MB, once", panel.inner_text())
    context.route(what, lambda route: route.abort())
    go.click()
    said.get_by_text("Press again to try again.").wait_for(timeout=LOADED)
    assert named in said.inner_text()
    context.unroute(what)
    go.click()
    panel.locator(f".urep-verdict[data-record='{wanted}']").wait_for(timeout=LOADED)
    assert page.locator(".urep-fetches").count() == 0 and not uncaught


def test_stop_stops_its_own_proof_and_no_other(server, context):  # noqa: F811
    page = opened(context, server + "book/theory/loss.html")
    one, other = (page.locator(".urep-proof:has(button:text('Prove it again'))").nth(n) for n in (0, 1))
    for panel in (one, other):
        panel.get_by_role("button", name="Prove it again").click()
        panel.locator(".urep-verdict").first.wait_for(timeout=LOADED)
    one.get_by_role("textbox").fill("while True: pass")
    one.get_by_role("button", name="Prove it again").click()
    one.get_by_text("Running the lines").wait_for()
    for last in (False, True):
        other.get_by_role("button", name="Prove it again").click()
        other.get_by_text("Waiting for what runs elsewhere").wait_for()
        if not last:
            other.get_by_role("button", name="Stop").click()
            other.get_by_text("Stopped.").wait_for()
            assert "Running the lines" in one.inner_text()
    one.get_by_role("button", name="Stop").click()
    one.get_by_text("Stopped.").wait_for()
    other.locator(".urep-verdict").first.wait_for(timeout=LOADED)
    assert not page.complaints


def test_a_page_that_cannot_run_python_says_why(site, server, browser):  # noqa: F811
    context = browser.new_context()
    address = "book/theory/loss.html"
    page = opened(context, (site / address).as_uri())
    page.get_by_role("button", name="Prove it again").first.click()
    assert "opened from a file" in page.locator(".urep-proof [role=status]").first.inner_text()
    assert not page.complaints
    for missing, words in (("Worker", "web workers"), ("WebAssembly", "WebAssembly")):
        page = context.new_page()
        page.add_init_script(f"delete window.{missing}")
        page.goto(server + address)
        page.get_by_role("button", name="Prove it again").first.click()
        assert words in page.locator(".urep-proof [role=status]").first.inner_text()
    context.close()
    without = browser.new_context(java_script_enabled=False)
    page = without.new_page()
    page.goto(server + address)
    assert page.locator(".urep-verdict").count() > 5
    assert page.locator(".urep-proof").count() == 0
    without.close()

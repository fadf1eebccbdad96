"""What the book says of the zoo as a whole: its tiles, its table, and which property decides."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Sequence
from dataclasses import replace
from functools import cache

import numpy as np

from .. import figures
from ..carry import Carried, carried
from ..checks import MEANING, MIME
from ..fit import Fit, fit_rates
from ..shown import Page, html_table, spread
from ..state import Rates, Run, State
from ..theory import SingularSystem
from ..zoo import catalogue, flow, protocol, reading, sheets
from ..zoo.papers import PAPERS, ROLES, Paper
from ..zoo.system import trained_numbers
from .verdicts import Record, references_folder

MARKS = {"law": "●", "curve": "◐", "neither": "○", "does not learn": "–",
         "holds": "●", "no better": "◐", "fails": "○", "open": "·"}  # fmt: skip
"""A sign for each verdict, beside its word."""

OUTCOMES = {"confirmed": "holds", "seen": "holds", "described": "holds", "unskilled": "no better",
            "refuted": "fails", "violated": "fails"}  # fmt: skip
"""What a claim's kind of verdict comes to for a paper that is judged by one claim."""


# --- what was found -----------------------------------------------------------------------------


def trained_systems() -> list[str]:
    """Names of all systems of other papers that are trained on a pair of points, controls included."""
    return [one.name for one in catalogue.SYSTEMS.values() if one.row]


def arms(paper: Paper) -> list[str]:
    """Names of the systems of a paper, its main one first; none where a study stands for it."""
    own = [name for name in trained_systems() if catalogue.system(name).row == paper.row]
    return sorted(own, key=lambda name: name != paper.name)


@cache
def sections(page: str) -> dict[str, list[Record]]:
    """The verdicts of a page of the zoo, in its executed reference, by the label of their section.

    None where there is no reference yet.
    """
    path = references_folder() / "zoo" / f"{page}.ipynb"
    if not path.exists():
        return {}
    found: dict[str, list[Record]] = {}
    labels: list[str] = []
    pending: list[str] = []
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        text = "".join(cell["source"]).splitlines() if cell["cell_type"] == "markdown" else ()
        for line in text:
            match = re.fullmatch(r"\(zoo-([a-z0-9-]+)\)=", line.strip())
            if match:
                pending.append(match[1])
            elif pending and re.match(r"##+ ", line):
                labels, pending = pending, []
            elif re.match(r"## ", line):
                labels = []
        for output in cell.get("outputs", ()):
            if MIME in output.get("metadata", {}):
                for label in labels or [""]:
                    record = Record(f"zoo/{page}", output["metadata"][MIME])
                    found.setdefault(label, []).append(record)
    return found


def judged(paper: Paper) -> Record | None:
    """The verdict of the claim that judges a paper."""
    for own in sections(paper.page).values():
        for record in own:
            if record.judgement and record.judgement["id"] == paper.claim:
                return record
    return None


def verdict(paper: Paper) -> str:
    """One of MARKS: by the protocol where a system was trained, else what became of its claim."""
    if paper.name in catalogue.SYSTEMS:
        return sheets.sheet(paper.name).verdict()
    record = judged(paper)
    return OUTCOMES[record.fields["kind"]] if record else "open"


def mechanism(paper: Paper) -> list[Record]:
    """The verdicts of a paper's section that are about its mechanism: all but the claim that judges it."""
    own = sections(paper.page).get(paper.name, [])
    return [r for r in own if not (r.judgement and r.judgement["id"] == paper.claim)]


# --- tiles --------------------------------------------------------------------------------------


def tiles() -> figures.Picture:
    """Every paper on a tile: what was seen of its main system, and what was said of it before."""
    drawn = [_tile(paper) for paper in PAPERS]
    words = [f"{tile.title} {tile.verdict}" for tile in drawn]
    return figures.zoo(drawn, alt=f"{len(drawn)} systems, each with its verdict: {', '.join(words)}.")


def _tile(paper: Paper) -> figures.Tile:
    word = verdict(paper)
    lines = _lines(paper.name) if paper.name in catalogue.SYSTEMS else _study_lines(paper.name)
    return figures.Tile(paper.title, paper.role, MARKS[word], word, paper.link, lines)


def _study_lines(name: str) -> tuple:
    """What a study drew: the flow and what a surrogate says of it, or the numbers of a measure."""
    kept = {key: rows[0] for key, rows in sheets.study(name).items()} if name in catalogue.STUDIES else {}
    if "true" in kept:  # the first of some curves; of (p, x) the first
        learned = kept["guess"] if "guess" in kept else kept["pig_curves"]
        true, guess = (rows[0] if rows[0].ndim == 1 else rows[0][:, 0] for rows in (kept["true"], learned))
        return (kept["t"], true, "dy2", "seen"), (kept["t"], guess, "dy2", "theory")
    if "causal_curve" in kept:
        return (kept["t"], kept["curve"], "dy2", "seen"), (kept["t"], kept["causal_curve"], "dy2", "theory")
    if "utility" in kept:
        places = np.arange(kept["utility"].size)
        return ((places, kept["utility"], "loss", "seen"),)
    if "basis" in kept:  # directions that matter, layer by layer, before and after training
        layers = np.arange(kept["basis"].shape[-1])
        before, after = kept["basis"][0]
        return (layers, after, "w", "seen"), (layers, before, "w", "null")
    if "sentences" in kept:  # the first curve, told from numbers and words, and from neither
        t, askings = np.linspace(0, reading.UNTIL, kept["curves"].shape[-1]), list(reading.ASKINGS)
        p0, x0, s = kept["starts"][0]
        told = (kept["curves"][askings.index(asked)][0] for asked in (askings[0], askings[3]))
        lines = zip((flow.exact(p0, x0, t, s).v, *told), ("seen", "theory", "null"), strict=True)
        return tuple((t, v, "dy2", style) for v, style in lines)
    if "said" in kept:  # law by law, the share that is named right without words, and by the nearest
        laws, erased = np.arange(len(reading.NAMES)), reading.GUESSES.index("all erased")
        named = {"seen": kept["said"][erased], "null": kept["near_said"]}
        right = {style: said == kept["kind"] for style, said in named.items()}
        return tuple((laws, np.array([r[kept["kind"] == law].mean() for law in laws]), "w", style)
                     for style, r in right.items())  # fmt: skip
    return ()


def _lines(name: str) -> tuple:
    """‖dy‖² on the nearer target and ‖dh‖² on the farther one: seen, carried, and the scaled logistic."""
    lines = []
    for pair, variable in (("up", "dh2"), ("down", "dy2")):
        run, told = carried_seed(name, pair)
        t = run.t
        for values, style in (
            (run.trajectory, "seen"),
            (told.theory.state, "theory"),
            (told.scaled.state, "null"),
        ):
            lines.append((t, getattr(values, variable), variable, style))
    return tuple(lines)


def carried_seed(name: str, pair: str, rates: Rates | None = None) -> tuple[Run, Carried]:
    """The stored run of the first seed that learns, or else of the first, and its prediction.

    The constants are those that were stored, or `rates`.
    """
    own = sheets.sheet(name)
    n = int(np.argmax(own.learned))
    seed = protocol.SEEDS[n]
    stored = rates or Rates(*own.arrays["rates"][n, 0])
    return own.run(seed, pair), carried(_fit(name, seed, stored), own.run(seed, pair))


@cache
def _fit(name: str, seed: int, rates: Rates) -> Fit:
    first = sheets.sheet(name).run(seed, "first")
    return replace(fit_rates(first, unconverged="keep"), rates=rates)


# --- all systems at once ------------------------------------------------------------------------


def nearer(names: Sequence[str], *, fresh: bool = False) -> tuple[list[float], list[float], list[str]]:
    """Errors of ‖dy‖² on the nearer target of all seeds that learn: (7)'s, the scaled logistic's, and whose.

    Where (7) has no solution there is no error; `protocol.law_miss` counts those.
    """
    errors, nulls, groups = [], [], []
    for name in names:
        own = sheets.sheet(name, fresh=fresh)
        found = own.arrays["carried_error"][own.learned, 0, :, 1, 1]
        found = found[np.isfinite(found).all(axis=1)]
        errors += found[:, 0].tolist()
        nulls += found[:, protocol.MODELS.index("scaled")].tolist()
        groups += [name] * len(found)
    return errors, nulls, groups


def grown(name: str) -> np.ndarray:
    """Errors of ‖dy‖² on the nearer target, (seeds that learn, 2): (7)'s, and the grown logistic's.

    From the stored curves, with the stored constants; NaN where (7) has no solution.
    """
    own = sheets.sheet(name)
    seeds = np.flatnonzero(own.learned)
    return np.array([_grown(own, n) for n in seeds]).reshape(-1, 2)


def _grown(own: sheets.Sheet, n: int) -> tuple[float, float]:
    rates = own.arrays["rates"][n, 0]
    if not np.isfinite(rates).all():
        return np.nan, np.nan
    seed = protocol.SEEDS[n]
    try:
        told = carried(_fit(own.system.name, seed, Rates(*rates)), own.run(seed, "down"))
    except SingularSystem:
        return np.nan, np.nan
    return told.theory.error.dy2, told.grown.error.dy2


def stricter_law(name: str) -> bool:
    """Whether a law stays one where the grown logistic takes the place of the scaled one."""
    own, errors = sheets.sheet(name), grown(name)
    miss = own.law_miss()[own.learned]
    down = errors[:, 0] / (protocol.HALF * errors[:, 1])
    both = np.maximum(miss, np.where(np.isnan(down), np.inf, down))
    return bool(own.verdict() == "law" and np.median(both) < 1)


# --- which property decides ---------------------------------------------------------------------


def laws(names: Sequence[str]) -> np.ndarray:
    """Which systems are laws, (n,)."""
    return np.array([sheets.sheet(name).verdict() == "law" for name in names])


def having(names: Sequence[str], kind: str) -> np.ndarray:
    """Which systems have a property of `zoo.system.PROPERTIES`, (n,)."""
    return np.array([kind in catalogue.system(name).properties for name in names])


def difference(law: np.ndarray, has: np.ndarray) -> float:
    """Share of laws among systems without a property minus that among those with it; 0 if one is empty."""
    law, has = np.asarray(law, bool), np.asarray(has, bool)
    return float(law[~has].mean() - law[has].mean()) if has.any() and not has.all() else 0.0


# --- controls -----------------------------------------------------------------------------------


def mirrored(name: str) -> float:
    """(49) of a fit to ‖dh‖² upside down over that to ‖dh‖² as it was, first seed that learns."""
    own = sheets.sheet(name)
    run = own.run(protocol.SEEDS[int(np.argmax(own.learned))])
    dh2, dy2, w = run.trajectory
    wrong = replace(run, trajectory=State(dh2.max() + dh2.min() - dh2, dy2, w))
    fits = [fit_rates(one, unconverged="keep") for one in (wrong, run)]
    return fits[0].residual / fits[1].residual


def borrowed(name: str, names: Sequence[str]) -> float:
    """1 - R² of the worse distance on the farther target, with constants of the system of nearest speed."""
    speeds = {other: float(np.log(sheets.sheet(other).median("rates")[0]).sum()) for other in names}
    own = catalogue.system(name).row
    others = [other for other in names if catalogue.system(other).row != own]
    lender = min(others, key=lambda other: abs(speeds[other] - speeds[name]))
    _, told = carried_seed(name, "up", Rates(*sheets.sheet(lender).median("rates")[0]))
    return told.theory.missed


# --- tables -------------------------------------------------------------------------------------


def zoo_map() -> Page:
    """The table of the thirty-one papers: role, page, checks of the mechanism, verdict, each linked."""
    rows = [_map_row(paper) for paper in PAPERS]
    plain = [f"{paper.row:>2} {paper.title}: {verdict(paper)}" for paper in PAPERS]
    head = "No.", "System", "What it is", "Page", "Its mechanism", "Verdict"
    return Page("\n".join(plain), html_table(head, rows))


def _map_row(paper: Paper) -> str:
    word = verdict(paper)
    page = f'<a href="zoo/{paper.link}">{paper.page}</a>'
    checks = " ".join(_sign(record) for record in mechanism(paper))
    return (
        f'<tr data-status="{word}"><td>{paper.row}</td><td>{html.escape(paper.title)}</td>'
        f"<td>{ROLES[paper.role]}</td><td>{page}</td><td>{checks}</td>"
        f'<td><span aria-hidden="true">{MARKS[word]}</span> {word}</td></tr>'
    )


def _sign(record: Record) -> str:
    sign = MEANING[record.fields["kind"]][1]
    claim = html.escape(record.fields["claim"], quote=True)
    return f'<a href="{html.escape(record.link, quote=True)}" title="{claim}">{sign}</a>'


def scores() -> Page:
    """The table of all trained systems, to be sorted: settings, scores of all three runs, verdicts."""
    names = [*(one.name for one in catalogue.systems_of("reference")), *trained_systems()]
    table = sheets.table(names)
    head = ["no.", *table.head, "logistic in sample: R²", "misses over bounds", "parameters", "fresh seeds"]
    rows = []
    for name, cells in zip(names, table.rows, strict=True):
        number = catalogue.system(name).row
        told = "".join(map(_cell, [*cells, *_more(name)]))
        rows.append(f"<tr><td>{number or ''}</td>{told}</tr>")
    return Page(repr(table), html_table(head, rows, sorted_=True))


def _more(name: str) -> list[str]:
    """In-sample R² of the logistic, the worse distance; the misses of all seeds; weights; fresh verdict."""
    own = sheets.sheet(name)
    logistic = own.median("curve_r2")[0, :2].min()
    weights = trained_numbers(catalogue.system(name).network(0, own.settings.gain))
    told = f"{logistic:.2f}" if logistic > 0 else "below 0"
    return [told, spread(own.law_miss(), tail=0), str(weights), sheets.sheet(name, fresh=True).verdict()]


def _cell(text: str) -> str:
    value = ' data-value="-1"' if text == "below 0" else ""
    return f"<td{value}>{html.escape(text)}</td>"


def tally(found: list[Record] | None = None) -> Page:
    """How many papers came to which verdict, and of how many checks of mechanisms all hold."""
    words = [verdict(paper) for paper in PAPERS]
    counts = [f"{words.count(word)} {word}" for word in MARKS if word in words]
    checked = [mechanism(paper) for paper in PAPERS]
    whole = sum(bool(own) and all(_holds(r) for r in own) for own in checked)
    text = f"{len(PAPERS)} papers: {', '.join(counts)}. All checks of the mechanism hold in {whole}."
    return Page(text, f"<p>{html.escape(text)}</p>")


def _holds(record: Record) -> bool:
    return record.fields["kind"] not in ("refuted", "unskilled", "violated")

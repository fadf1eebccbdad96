"""The book's look: one style, one colour a variable, one function per kind of figure.

A figure is a `Picture`: inline SVG whose axes take the colour of the page's text, so that it is
legible in the light and in the dark theme, with the alternative text that a reader who does not
see it needs, and the numbers it was drawn from in `.data`.
"""

from __future__ import annotations

import base64
import html
import io
import json
import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle

import numpy as np

from .state import State

COLOUR = {"dh2": "#0072B2", "dy2": "#D55E00", "w": "#009E73", "loss": "#CC79A7"}
"""One colour a variable throughout the book (Okabe and Ito's), readable on white and on black."""

LABEL = {"dh2": r"$\|dh\|^2$", "dy2": r"$\|dy\|^2$", "w": "$w$", "loss": "loss"}

_MARKS = "os^DvP"

_TEXT = "#010203"  # stands for the page's own text colour until the SVG is written

_STYLE = {
    "figure.facecolor": "none", "axes.facecolor": "none", "savefig.facecolor": "none",
    "text.color": _TEXT, "axes.edgecolor": _TEXT, "axes.labelcolor": _TEXT,
    "xtick.color": _TEXT, "ytick.color": _TEXT, "legend.frameon": False,
    "axes.spines.top": False, "axes.spines.right": False, "axes.grid": True,
    "grid.color": _TEXT, "grid.alpha": 0.12, "grid.linewidth": 0.8,
    "font.size": 10, "axes.titlesize": 11, "lines.linewidth": 1.8,
    "svg.hashsalt": "urep", "svg.fonttype": "path", "axes.titlelocation": "left",
}  # fmt: skip


UNSEEN = "Figure"
"""How the text of a figure begins that nobody has described: the labels of its axes follow."""


class Picture:
    """A drawn figure: shows itself as SVG, reads itself as `alt`, keeps its numbers in `data`.

    What is seen in a figure stands in the metadata of its cell, as `alt`: the build writes it into the SVG.
    A text that has computed numbers in it is the argument `alt` of the function that draws.
    """

    def __init__(self, svg: str, alt: str, data: Mapping[str, np.ndarray]):
        self.svg, self.alt, self.data = svg, alt, dict(data)

    def __repr__(self) -> str:
        return f"Picture: {self.alt}"

    def _repr_html_(self) -> str:
        return f'<figure class="urep-figure">{self.svg}</figure>'


def _axes(columns: int, rows: int, projection: str | None):
    """Axes in rows, without touching pyplot's global state."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.4, 2.9 if rows == 1 else 2.1 * rows), layout="constrained")
    kind = {"projection": projection}
    return figure, figure.subplots(rows, columns, squeeze=False, subplot_kw=kind).ravel()


def _picture(
    draw,
    columns: int,
    alt: str | None,
    data: Mapping[str, np.ndarray],
    rows: int = 1,
    projection: str | None = None,
) -> Picture:
    from matplotlib import rc_context

    if alt is not None and (not isinstance(alt, str) or len(alt) < 20):
        raise ValueError(f"alt must say in a sentence what is to be seen, got {alt!r}")
    with rc_context(_STYLE):
        figure, axes = _axes(columns, rows, projection)
        draw(axes)
        alt = alt or _labels(axes)
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", dpi=144, metadata={"Date": None, "Creator": None})
    return Picture(_themed(buffer.getvalue(), alt), alt, data)


def _labels(axes) -> str:
    """What is written on the panels: all that a figure can say until its page says what is seen."""
    return f"{UNSEEN}: {'; '.join(_panel(ax) for ax in axes if ax.axison)}"


def _panel(ax) -> str:
    title, across, up = ax.get_title(loc="left"), ax.get_xlabel(), ax.get_ylabel()
    names = {label: name for name, label in LABEL.items()}
    curves = ", ".join(names.get(label, label) for label in ax.get_legend_handles_labels()[1])
    over = f" over {across}" if across else ""
    return " ".join(f"{title} {curves or up}{over}".split())


def _themed(svg: str, alt: str) -> str:
    """The SVG element alone: text colour from the page, ids of its own, alternative text."""
    svg = svg[svg.index("<svg") :].replace(_TEXT, "currentColor")
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.S)
    svg = re.sub(r'(?<= d=")[^"]+', _short, svg)
    own = f"u{zlib.crc32(svg.encode()):08x}-"
    svg = re.sub(r'\bid="', f'id="{own}', svg)
    svg = re.sub(r'href="#', f'href="#{own}', svg)
    svg = re.sub(r"url\(#", f"url(#{own}", svg)
    box = re.search(r'viewBox="([^"]+)"', svg)[1]
    opening = f'<svg viewBox="{box}" role="img" aria-label="{html.escape(alt, quote=True)}">'
    return re.sub(r"<svg[^>]*>", lambda _: opening, svg, count=1)


def _short(path: re.Match) -> str:
    """A path to a hundredth of a point, which nobody sees, and without line breaks."""
    rounded = re.sub(r"-?\d+\.\d{3,}", lambda number: f"{float(number[0]):.2f}", path[0])
    return re.sub(r"\s*\n\s*", "", rounded)


def curves(
    t: Sequence[float],
    families: Mapping[str, Mapping[str, np.ndarray]],
    *,
    alt: str | None = None,
    xlabel: str = "epochs",
    log: str = "",
) -> Picture:
    """One panel a family of curves over t; families: {panel: {label: (n,)}}.

    `log` is any of "x", "y", "xy". Curves named after a variable take its colour.
    """
    t = np.asarray(t, dtype=float)

    def draw(axes):
        for ax, (title, family) in zip(axes, families.items(), strict=True):
            for number, (label, values) in enumerate(family.items()):
                colour = COLOUR.get(label, list(COLOUR.values())[number % len(COLOUR)])
                style = ("-", "--", "-.", ":")[(number + number // len(COLOUR)) % 4]  # no two alike
                ax.plot(t, values, style, color=colour, label=LABEL.get(label, label))
            ax.set(title=title, xlabel=xlabel)
            if "x" in log:
                ax.set_xscale("log")
            elif len(t) <= 30 and (t == np.round(t)).all():  # layers, or how often something happened
                ax.xaxis.get_major_locator().set_params(integer=True)
            if "y" in log:
                ax.set_yscale("log")
            crowded = len(family) > len(COLOUR)
            ax.legend(**{"loc": "upper left", "bbox_to_anchor": (1.01, 1)} if crowded else {})

    data = {f"{panel}: {name}": np.asarray(v) for panel, f in families.items() for name, v in f.items()}
    return _picture(draw, len(families), alt, {"t": t, **data})


def comparison(
    t: Sequence[float],
    measured: State,
    theory: State,
    *,
    alt: str | None = None,
    variables: Sequence[str] = ("dh2", "dy2", "w"),
    fitted_until: float | None = None,
    others: Mapping[str, State] | None = None,
) -> Picture:
    """A network against the theory, one panel a variable; the fitted stretch is shaded.

    t: (n,) epochs; measured, theory and each of `others` (say, a control): State of (n,) arrays.
    """
    t = np.asarray(t, dtype=float)
    others = others or {}

    def draw(axes):
        for ax, name in zip(axes, variables, strict=True):
            ax.plot(t, getattr(measured, name), color=COLOUR[name], lw=4.5, alpha=0.6, label="network")
            ax.plot(t, getattr(theory, name), "--", color=_TEXT, lw=1.4, label="theory")
            for label, state in others.items():
                ax.plot(t, getattr(state, name), ":", color=_TEXT, lw=1.4, label=label)
            if fitted_until is not None:
                ax.axvspan(t[0], fitted_until, color=_TEXT, alpha=0.07, lw=0)
                ax.annotate(" fitted", (t[0], 1), xycoords=("data", "axes fraction"), va="bottom", fontsize=8)
                ax.annotate(" predicted", (fitted_until, 1), xycoords=("data", "axes fraction"),
                            va="bottom", fontsize=8)  # fmt: skip
            ax.set_title(LABEL[name], pad=14)
            ax.set(xlabel="epochs")
        axes[-1].legend()

    data = {"t": t}
    for label, state in {"network": measured, "theory": theory, **others}.items():
        data |= {f"{label}: {name}": getattr(state, name) for name in variables}
    return _picture(draw, len(variables), alt, data)


def gallery(
    panels: Mapping[str, tuple],
    *,
    alt: str | None = None,
    columns: int = 3,
    theories: Sequence[str] = ("theory",),
) -> Picture:
    """Many networks against theories: {title: (t, measured, theory, ...)}, all States or {name: (n,)}.

    `theories` names what follows the measured curves, one or two. Each variable is drawn over its own largest
    size, so that small ones are seen beside large ones.
    """
    rows = -(-len(panels) // columns)
    panels = {title: (t, *map(_named, states)) for title, (t, *states) in panels.items()}
    lines = dict(zip(theories, ("--", ":"), strict=False))

    def draw(axes):
        for ax, (title, (t, measured, *predicted)) in zip(axes, panels.items(), strict=False):
            few = np.unique(np.linspace(0, len(t) - 1, 160).astype(int))  # one a point of a panel's width
            for name, values in measured.items():
                size = np.max(np.abs(values))
                ax.plot(t[few], values[few] / size, color=COLOUR[name], lw=3.2, alpha=0.6, label=LABEL[name])
                for theory, line in zip(predicted, lines.values(), strict=True):
                    if name in theory:
                        ax.plot(t[few], np.clip(theory[name][few] / size, -2, 2), line, color=_TEXT, lw=1)
            ax.set_title(title, fontsize=9)
            ax.tick_params(labelsize=7)
        for ax in axes[len(panels) :]:
            ax.set_axis_off()
        spare = axes[len(panels)] if len(panels) < len(axes) else axes[0]
        handles, labels = axes[0].get_legend_handles_labels()
        for line in lines.values():
            handles += axes[0].plot([], [], line, color=_TEXT, lw=1)
        where = "center" if spare is not axes[0] else "best"
        spare.legend(handles, [*labels, *lines], loc=where, fontsize=8)

    data = {}
    for title, (t, *states) in panels.items():
        data[f"{title}: t"] = np.asarray(t)
        for whose, state in zip(("network", *lines), states, strict=True):
            data |= {f"{title}: {name}, {whose}": v for name, v in state.items()}
    return _picture(draw, columns, alt, data, rows)


def _named(curves: State | Mapping[str, np.ndarray]) -> Mapping[str, np.ndarray]:
    return (
        {name: getattr(curves, name) for name in ("dh2", "dy2", "w")} if isinstance(curves, State) else curves
    )


def convergence(
    step: Sequence[float],
    errors: Mapping[str, Sequence[float]],
    *,
    alt: str | None = None,
    order: int,
    xlabel: str,
    ylabel: str = "largest relative error",
) -> Picture:
    """Errors against a step on logarithmic axes, with the slope that theory demands beside them."""
    step = np.asarray(step, dtype=float)
    data = {label: np.asarray(e, dtype=float) for label, e in errors.items()}

    def draw(axes):
        (ax,) = axes
        for (label, error), colour, mark in zip(data.items(), COLOUR.values(), "os^D", strict=False):
            ax.loglog(step, error, mark + "-", color=colour, label=label)
        first = next(iter(data.values()))
        ax.loglog(step, 0.5 * first[0] * (step / step[0]) ** order, ":", color=_TEXT, label=f"slope {order}")
        ax.set_xticks(step, [f"{value:g}" for value in step])
        ax.minorticks_off()
        ax.set(xlabel=xlabel, ylabel=ylabel)
        ax.legend()

    return _picture(draw, 1, alt, {"step": step, **data})


def portrait(
    panels: Mapping[str, Mapping[str, Sequence[tuple[np.ndarray, np.ndarray]]]],
    *,
    alt: str | None = None,
    xlabel: str,
    ylabel: str,
    points: Mapping[str, Mapping[str, Sequence[tuple[float, float]]]] | None = None,
) -> Picture:
    """Trajectories in a plane, one panel a case: {panel: {label: [(x, y), ...]}}, each with an arrow.

    `points` marks fixed points, {panel: {label: [(x, y), ...]}}; a label with "un" is drawn hollow.
    """
    points = points or {}

    def draw(axes):
        for ax, (title, families) in zip(axes, panels.items(), strict=True):
            for (label, curves), colour in zip(families.items(), COLOUR.values(), strict=False):
                for number, (x, y) in enumerate(curves):
                    ax.plot(x, y, color=colour, lw=1.1, label=label if number == 0 else None)
                    middle = len(x) // 3
                    ax.annotate("", (x[middle + 1], y[middle + 1]), (x[middle], y[middle]),
                                arrowprops={"arrowstyle": "->", "color": colour, "lw": 1.1})  # fmt: skip
            for label, places in points.get(title, {}).items():
                face = "none" if "un" in label else _TEXT
                ax.plot(*zip(*places, strict=True), "o", mfc=face, mec=_TEXT, ms=7, label=label)
            ax.set(title=title, xlabel=xlabel, ylabel=ylabel)
            ax.legend(fontsize=8)

    data = {
        f"{title}: {label} {number}": np.array(curve)
        for title, families in panels.items()
        for label, curves in families.items()
        for number, curve in enumerate(curves)
    }
    return _picture(draw, len(panels), alt, data)


def plane(
    t: Sequence[float],
    paths: Mapping[str, Sequence[tuple[np.ndarray, np.ndarray]]],
    *,
    alt: str | None = None,
    marked: int = 20,
) -> Picture:
    """Encoder u against decoder x, in units in which training ends on u x = 1, and u² over time.

    paths: {label: [(u, x), ...]} at times t (n,); those that start with x < 0 are broken. Every `marked`-th
    moment is a dot, so that dots crowd where a path is slow.
    """
    t = np.asarray(t, dtype=float)
    flat = [(u, x) for several in paths.values() for u, x in several]
    colours = dict(zip(paths, COLOUR.values(), strict=False))

    def draw(axes):
        left, right = axes
        left.figure.set_size_inches(7.4, 3.9)  # the plane is drawn as wide as it is high
        low, high = np.min(flat, axis=(0, 2)) - 0.3, np.max(flat, axis=(0, 2)) + 0.3
        u, x = np.meshgrid(np.linspace(low[0], high[0], 300), np.linspace(low[1], high[1], 300))
        levels = [-4, -2, -1, -0.5, 0, 0.5, 1, 2, 4]
        left.contour(u, x, u**2 - x**2, levels, colors=_TEXT, alpha=0.25, linewidths=0.7, linestyles="-")
        left.contour(u, x, u * x, [1], colors=_TEXT, linewidths=2.4)
        left.plot(0, 0, "o", mfc="none", mec=_TEXT, ms=7)
        for label, several in paths.items():
            for number, (u, x) in enumerate(several):
                look = {"color": colours[label], "ls": "--" if x[0] < 0 else "-"}
                left.plot(u, x, **look, label=label if number == 0 else None)
                left.plot(u[::marked], x[::marked], ".", color=colours[label], ms=5)
                left.plot(u[0], x[0], "o", color=colours[label], ms=6)
                right.plot(t, u**2, **look)
        left.set(xlabel=r"encoder, $u = \|dh\|$", ylabel=r"decoder, $x = r/\sqrt{\kappa}$", aspect="equal")
        left.grid(visible=False)
        right.set(xlabel="time", ylabel=r"$\|dh\|^2 = u^2$")
        left.figure.legend(loc="outside lower center", ncols=len(paths), fontsize=8)

    data = {
        f"{label} {number}": np.array(path)
        for label, several in paths.items()
        for number, path in enumerate(several)
    }
    return _picture(draw, 2, alt, {"t": t, **data})


def regions(
    x: np.ndarray,
    y: np.ndarray,
    kind: np.ndarray,
    names: Sequence[str],
    *,
    alt: str | None = None,
    xlabel: str,
    ylabel: str,
    contours: np.ndarray | None = None,
) -> Picture:
    """A map of regions on logarithmic axes: `kind` (len(y), len(x)) holds an index into `names`.

    `contours`, of the same shape, is drawn as labelled lines of equal value.
    """
    colours = list(COLOUR.values())[: len(names)]

    def draw(axes):
        from matplotlib.patches import Patch

        (ax,) = axes
        ax.set(xscale="log", yscale="log", xlabel=xlabel, ylabel=ylabel)  # before labels are placed
        ax.contourf(x, y, kind, levels=np.arange(len(names) + 1) - 0.5, colors=colours, alpha=0.35)
        if contours is not None:
            lines = ax.contour(x, y, contours, colors=_TEXT, linewidths=0.8)
            ax.clabel(lines, fontsize=8, fmt="%g")
        ax.legend(
            handles=[Patch(color=c, alpha=0.35, label=n) for c, n in zip(colours, names, strict=True)],
            loc="upper left", bbox_to_anchor=(1.01, 1),
        )  # fmt: skip

    data = {"x": x, "y": y, "kind": kind}
    return _picture(draw, 1, alt, data if contours is None else {**data, "contours": contours})


def scatter(
    families: Mapping[str, Mapping[str, tuple[np.ndarray, np.ndarray]]],
    *,
    alt: str | None = None,
    xlabel: str,
    ylabel: str,
    log: str = "",
    diagonal: bool = True,
) -> Picture:
    """Measured against predicted, one panel a kind: {panel: {label: (x, y)}}, with the diagonal.

    More than three panels go in rows. `log` is any of "x", "y", "xy"; without `diagonal`, x and y are any
    two things. Raises ValueError for more than six labels in a panel, which nobody could tell apart.
    """
    columns = min(3, len(families))
    rows = -(-len(families) // columns)
    most = max(map(len, families.values()))
    if most > len(_MARKS):
        raise ValueError(f"families must have {len(_MARKS)} labels a panel at most, got {most}")

    def draw(axes):
        for ax in axes[len(families) :]:
            ax.set_axis_off()
        for ax, (title, groups) in zip(axes, families.items(), strict=False):
            for (label, (x, y)), colour, mark in zip(
                groups.items(), cycle(COLOUR.values()), _MARKS, strict=False
            ):
                ax.plot(x, y, mark, color=colour, ms=5, alpha=0.8, label=label)
            ends = np.concatenate([np.ravel(group) for group in groups.values()])
            if diagonal:
                ax.axline((ends.min(), ends.min()), slope=1, ls=":", color=_TEXT, lw=1)
            scales = {f"{axis}scale": "log" for axis in log}
            ax.set(title=title, xlabel=xlabel, ylabel=ylabel, **scales)
            if rows > 1:
                ax.title.set_fontsize(9)
                ax.tick_params(labelsize=7)
                ax.xaxis.label.set_fontsize(8)
                ax.yaxis.label.set_fontsize(8)
            if len(groups) > 1:
                ax.legend(fontsize=8)

    data = {
        f"{title}: {label}": np.array(pair)
        for title, groups in families.items()
        for label, pair in groups.items()
    }
    return _picture(draw, columns, alt, data, rows)


def matrices(
    panels: Mapping[str, np.ndarray],
    *,
    alt: str | None = None,
    names: Sequence[str] = (),
    labels: Sequence[int] | None = None,
    columns: int = 4,
) -> Picture:
    """Matrices of distances as images, each on its own scale, the largest entry in its title.

    `names` of the points are put beside small matrices; `labels` (n,), sorted, name the blocks of large
    ones.
    """
    columns = min(columns, len(panels))
    rows = -(-len(panels) // columns)

    def draw(axes):
        for ax in axes[len(panels) :]:
            ax.set_axis_off()
        for ax, (title, matrix) in zip(axes, panels.items(), strict=False):
            ax.imshow(matrix, cmap="viridis", vmin=0, interpolation="nearest")
            ax.grid(visible=False)
            ax.set_title(f"{title}\nlargest {np.max(matrix):.2g}", fontsize=9)
            ticks, text = range(len(names)), list(names)
            if labels is not None:
                text = np.unique(labels)
                ticks = [np.flatnonzero(labels == label).mean() for label in text]
            ax.set_xticks(ticks, text, fontsize=7)
            ax.set_yticks(ticks, text, fontsize=7)

    data = {title: np.asarray(matrix) for title, matrix in panels.items()}
    return _picture(draw, columns, alt, data, rows)


def clouds(
    panels: Mapping[str, tuple[np.ndarray, np.ndarray]], *, alt: str | None = None, columns: int = 3
) -> Picture:
    """Points in three dimensions, to be turned where scripts run: {title: (points (n, 3), colour (n,))}."""
    columns = min(columns, len(panels))
    rows = -(-len(panels) // columns)

    def draw(axes):
        for ax in axes:
            ax.set_axis_off()
        for ax, (title, (points, colour)) in zip(axes, panels.items(), strict=False):
            # From a third of the way: the darkest of these colours do not stand out in the dark theme.
            low = np.min(colour) - 0.5 * (np.ptp(colour) or 1)
            look = {"c": colour, "cmap": "viridis", "vmin": low, "s": 3, "depthshade": False}
            ax.scatter(*np.transpose(points), **look, rasterized=True)
            ax.set_box_aspect(np.maximum(np.ptp(points, axis=0), 1e-2 * np.ptp(points)), zoom=1.1)
            ax.set_title(title, fontsize=9)

    data = {
        key: np.asarray(values)
        for title, (points, colour) in panels.items()
        for key, values in ((f"{title}: points", points), (f"{title}: colour", colour))
    }
    picture = _picture(draw, columns, alt, data, rows, "3d")
    return _holding(picture, "urep-clouds", [
        {"title": title, "points": _small(points, "<i2"), "colour": _small(colour, "u1")}
        for title, (points, colour) in panels.items()
    ])  # fmt: skip


def explorer(
    t: Sequence[float],
    theory: State,
    loss: np.ndarray,
    presets: Mapping[str, Mapping[str, float]],
    *,
    alt: str | None = None,
) -> Picture:
    """The explorer: sliders where scripts run, else a drawing of one trajectory and its loss.

    t: (n,) epochs; `presets` are settings of the sliders by name, the first of them the one that is drawn.
    """

    def draw(axes):
        for ax, name in zip(axes, ("dh2", "dy2", "w", "loss"), strict=True):
            ax.plot(t, loss if name == "loss" else getattr(theory, name), color=COLOUR[name])
            ax.set(title=LABEL[name], xlabel="epochs")

    data = {"t": np.asarray(t), "loss": loss, **{name: getattr(theory, name) for name in ("dh2", "dy2", "w")}}
    picture = _picture(draw, 2, alt, data, rows=2)
    return _holding(picture, "urep-explorer", {"presets": presets, "colours": COLOUR})


@dataclass(frozen=True)
class Tile:
    """One small picture of `zoo`: what it shows, where it leads, and lines as (x, y, colour, style).

    `mark` is a sign for the verdict, `role` a letter; colour is a key of COLOUR, style one of STROKES.
    """

    title: str
    role: str
    mark: str
    verdict: str
    link: str
    lines: tuple[tuple[np.ndarray, np.ndarray, str, str], ...]


STROKES = {
    "seen": 'stroke-width="3.2" stroke-opacity="0.6"',
    "theory": 'stroke-width="1.3" stroke-dasharray="4 2"',
    "null": 'stroke-width="1.3" stroke-dasharray="1 2"',
}
"""How a line of a tile is drawn: what was seen, what a theory says, what knows less."""

TILE_WIDTH, TILE_HEIGHT = 90, 60


def zoo(tiles: Sequence[Tile], *, alt: str) -> Picture:
    """Many systems on one page, a tile each, that leads to its section; columns as many as there is room for.

    Each line is drawn over the largest value that was seen in its tile and colour.
    """
    drawn = "".join(_tile(tile) for tile in tiles)
    grid = f'<div class="urep-zoo" role="group" aria-label="{html.escape(alt, quote=True)}">{drawn}</div>'
    data = {
        f"{tile.title}: {colour}, {style}": np.asarray(y)
        for tile in tiles
        for _, y, colour, style in tile.lines
    }
    return Picture(grid, alt, data)


def _tile(tile: Tile) -> str:
    seen = [(y, colour) for _, y, colour, style in tile.lines if style == "seen"]
    largest = {colour: float(np.max(np.abs(y))) for y, colour in seen}
    lines = "".join(_line(x, np.asarray(y) / largest.get(c, 1.0), c, style) for x, y, c, style in tile.lines)
    name = html.escape(tile.title)
    return (
        f'<a class="urep-tile" data-verdict="{html.escape(tile.verdict, quote=True)}" '
        f'href="{html.escape(tile.link, quote=True)}"><span class="urep-tile-title">{name}</span>'
        f'<svg viewBox="0 0 {TILE_WIDTH} {TILE_HEIGHT}" aria-hidden="true" fill="none">{lines}</svg>'
        f'<span class="urep-tile-verdict"><span aria-hidden="true">{tile.mark}</span> '
        f"{html.escape(tile.verdict)} <abbr>{tile.role}</abbr></span></a>"
    )


def _line(x: np.ndarray, y: np.ndarray, colour: str, style: str) -> str:
    few = np.unique(np.linspace(0, len(x) - 1, 60).astype(int))
    across = (x - x[0]) / (x[-1] - x[0]) * (TILE_WIDTH - 4) + 2
    up = TILE_HEIGHT - 4 - np.clip(y, -0.1, 1.3) * (TILE_HEIGHT - 16)
    points = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(across[few], up[few], strict=True))
    stroke = COLOUR[colour] if style == "seen" else "currentColor"
    return f'<polyline points="{points}" stroke="{stroke}" {STROKES[style]}/>'


def _holding(picture: Picture, kind: str, held) -> Picture:
    """The picture with what a script of the page needs to take its place, inside the drawing."""
    inside = f'<metadata class="{kind}">{html.escape(json.dumps(held), quote=False)}</metadata></svg>'
    return Picture(picture.svg.replace("</svg>", inside), picture.alt, picture.data)


def _small(values: np.ndarray, kind: str) -> str:
    """Numbers as few bytes in base64: shifted by their middle, over their range."""
    low, high = np.min(values), np.max(values)
    scaled = (np.asarray(values) - low) / (high - low or 1)
    info = np.iinfo(kind)
    whole = np.round(info.min + scaled * (float(info.max) - info.min)).astype(kind)
    return base64.b64encode(whole.tobytes()).decode()

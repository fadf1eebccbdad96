"""A layered drawing of a graph without circles, as SVG: each node to the right of all that it rests on.

Columns by the longest way from the left; in them an order in which few lines cross, found by sweeps that put
each node near the middle of its neighbours. The same graph is drawn the same way each time.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from statistics import median

import networkx as nx

WIDE, HIGH = 56, 28
"""Size of a node, in pixels: a target that a finger hits."""

ACROSS, DOWN = 104, 36
"""From one column to the next, and from one node of a column to the one below it."""

LINE = 12
"""From a line that passes a column to what is below it."""

MARGIN, SWEEPS = 12, 24
"""Around the drawing; how often the columns are gone through."""


@dataclass(frozen=True)
class Box:
    """A node as it is drawn: its id, text, what it leads to, its name for who hears it, and its classes."""

    key: str
    text: str
    link: str
    name: str
    kind: str


@dataclass(frozen=True)
class Layout:
    """Where the middle of each node lies, and the points through which each line goes."""

    places: Mapping[str, tuple[float, float]]
    lines: Mapping[tuple[str, str], tuple[tuple[float, float], ...]]
    size: tuple[float, float]


# --- places ---------------------------------------------------------------------------------


def layout(edges: Mapping[str, Iterable[str]]) -> Layout:
    """Places for a graph that is given by what each node rests on.

    Raises ValueError where a node rests on itself, in however many steps. Nodes without any line stand in
    rows below the others.
    """
    graph = nx.DiGraph()
    graph.add_nodes_from(edges)
    graph.add_edges_from((one, other) for other, below in edges.items() for one in below)
    if not nx.is_directed_acyclic_graph(graph):
        circle = " → ".join(one for one, _ in nx.find_cycle(graph))
        raise ValueError(f"edges must have no circle to be drawn in columns, got {circle}")
    joined = graph.subgraph([node for node in graph if graph.degree(node)])
    columns, ways = _columns(joined)
    heights = _heights(columns, ways)
    at = {
        node: (MARGIN + WIDE / 2 + ACROSS * number, heights[node])
        for number, column in enumerate(columns)
        for node in column
    }
    bottom = max((y for _, y in at.values()), default=0) + DOWN
    width = max(2 * MARGIN + WIDE + ACROSS * (len(columns) - 1), 640)
    alone = [node for node in edges if node not in joined]
    a_row = int((width - 2 * MARGIN) // (WIDE + 10))
    for place, node in enumerate(alone):
        at[node] = (
            MARGIN + WIDE / 2 + (WIDE + 10) * (place % a_row),
            bottom + DOWN / 2 + DOWN * (place // a_row),
        )
    lines = {edge: tuple(at[step] for step in way) for edge, way in ways.items()}
    height = max((y for _, y in at.values()), default=0) + HIGH / 2 + MARGIN
    return Layout({node: at[node] for node in edges}, lines, (width, height))


def _columns(graph: nx.DiGraph) -> tuple[list[list], dict]:
    """The nodes column by column, and each line's way, with a step in each column that it passes."""
    columns = [sorted(column, key=list(graph).index) for column in nx.topological_generations(graph)]
    number = {node: n for n, column in enumerate(columns) for node in column}
    # A node that nothing holds back stands next to the first that rests on it.
    for node in [node for node in columns[0] if graph.out_degree(node)] if columns else ():
        nearest = min(number[other] for other in graph.successors(node)) - 1
        columns[0].remove(node)
        columns[nearest].append(node)
        number[node] = nearest
    ways = {}
    for one, other in graph.edges:
        passed = [(one, other, n) for n in range(number[one] + 1, number[other])]
        for step in passed:
            columns[step[2]].append(step)
        ways[one, other] = [one, *passed, other]
    return _ordered([column for column in columns if column], ways), ways


def _neighbours(ways: Mapping) -> tuple[dict, dict]:
    before, after = {}, {}
    for way in ways.values():
        for one, other in pairwise(way):
            after.setdefault(one, []).append(other)
            before.setdefault(other, []).append(one)
    return before, after


def _ordered(columns: list[list], ways: Mapping) -> list[list]:
    """The columns in the order, of those that the sweeps go through, in which fewest lines cross."""
    before, after = _neighbours(ways)
    best, fewest = columns, _crossings(columns, after)
    for sweep in range(SWEEPS):
        beside = before if sweep % 2 == 0 else after
        columns = [list(column) for column in columns]
        for number in range(len(columns)) if sweep % 2 == 0 else reversed(range(len(columns))):
            rank = {node: n for column in columns for n, node in enumerate(column)}
            columns[number].sort(key=lambda node, rank=rank: _middle(node, beside, rank))
        crossings = _crossings(columns, after)
        if crossings < fewest:
            best, fewest = columns, crossings
    return best


def _middle(node, beside: Mapping, rank: Mapping) -> float:
    near = [rank[other] for other in beside.get(node, ())]
    return sum(near) / len(near) if near else rank[node]


def _crossings(columns: Sequence[Sequence], after: Mapping) -> int:
    found = 0
    for left, right in pairwise(columns):
        rank = {node: n for n, node in enumerate(right)}
        ends = [rank[other] for node in left for other in sorted(after.get(node, ()), key=rank.get)]
        found += sum(one > other for one, other in combinations(ends, 2))
    return found


def _heights(columns: list[list], ways: Mapping) -> dict:
    """How far down each node stands: near the middle of its neighbours, and clear of those beside it."""
    before, after = _neighbours(ways)
    at = {}
    for column in columns:
        at |= _apart(column, [DOWN * n for n in range(len(column))])
    for sweep in range(SWEEPS):
        for column in columns if sweep % 2 == 0 else columns[::-1]:
            near = [[at[other] for other in (*before.get(node, ()), *after.get(node, ()))] for node in column]
            at |= _apart(column, [median(own) for own in near])
    top = min(at.values(), default=0) - MARGIN - HIGH / 2
    return {node: height - top for node, height in at.items()}


def _apart(column: list, wanted: list[float]) -> dict:
    """Heights as near to the wanted ones as the order and the space between allow, by least squares."""
    steps = [0.0]
    for one, other in pairwise(column):
        both = isinstance(one, str) + isinstance(other, str)
        steps.append(steps[-1] + (LINE, (LINE + DOWN) / 2, DOWN)[both])
    blocks: list[list[float]] = []  # sums and counts of what has to move together
    for wish, step in zip(wanted, steps, strict=True):
        blocks.append([wish - step, 1])
        while len(blocks) > 1 and blocks[-2][0] / blocks[-2][1] > blocks[-1][0] / blocks[-1][1]:
            total, count = blocks.pop()
            blocks[-1] = [blocks[-1][0] + total, blocks[-1][1] + count]
    levels = [total / count for total, count in blocks for _ in range(int(count))]
    return {node: level + step for node, level, step in zip(column, levels, steps, strict=True)}


# --- SVG ------------------------------------------------------------------------------------


def svg(boxes: Sequence[Box], edges: Mapping[str, Iterable[str]], title: str) -> str:
    """The drawing of some nodes, each a link, in the order in which they stand; lines lie below them."""
    found = layout(edges)
    width, height = (round(length) for length in found.size)
    drawn = [_line(one, other, points) for (one, other), points in sorted(found.lines.items())]
    in_order = sorted(boxes, key=lambda box: found.places[box.key])
    drawn += [_box(box, found.places[box.key], edges[box.key]) for box in in_order]
    return (
        f'<svg class="urep-graph" role="group" aria-label="{html.escape(title)}" width="{width}" '
        f'height="{height}" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">'
        f"{''.join(drawn)}</svg>"
    )


def _line(one: str, other: str, points: Sequence[tuple[float, float]]) -> str:
    (x, y), *rest = points
    path = [f"M{x + WIDE / 2:.0f},{y:.0f}"]
    *passed, (end, height) = rest
    for (x0, y0), (x1, y1) in pairwise([(x + WIDE / 2, y), *passed, (end - WIDE / 2, height)]):
        middle = (x0 + x1) / 2
        path.append(f"C{middle:.0f},{y0:.0f} {middle:.0f},{y1:.0f} {x1:.0f},{y1:.0f}")
    ends = f'data-from="{html.escape(one)}" data-to="{html.escape(other)}"'
    return f'<path class="urep-edge" {ends} d="{"".join(path)}"/>'


def _box(box: Box, place: tuple[float, float], below: Iterable[str]) -> str:
    x, y = place
    return (
        f'<a class="urep-node {box.kind}" href="{html.escape(box.link)}" data-key="{html.escape(box.key)}" '
        f'data-uses="{html.escape(" ".join(below))}" aria-label="{html.escape(box.name)}">'
        f'<rect x="{x - WIDE / 2:.0f}" y="{y - HIGH / 2:.0f}" width="{WIDE}" height="{HIGH}" rx="4"/>'
        f'<text x="{x:.0f}" y="{y:.0f}">{html.escape(box.text)}</text></a>'
    )

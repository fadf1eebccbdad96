"""What the chapter `exponents` reads off its sweeps, and its tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ..shown import Table
from . import beyond_sweeps, kernels, kinks, runs
from .judged import chosen
from .sweep import Arrays


def seen_on_kinks(name: str, **wanted) -> Arrays:
    """Sizes of the kernels that `kinks` saw in some networks, of ‖dh‖ and the rest: a row a network."""
    _, arrays = chosen(name, **wanted)
    logarithms = runs.sweep(name).measure is kinks.slid_from_birth
    size = np.exp if logarithms else np.abs
    return {key: size(np.float64(values)) for key, values in arrays.items()}


def digit(number: float) -> str:
    """One digit behind the point, and no minus before a zero."""
    return f"{np.round(number, 1) + 0.0:.1f}"


def summary(values: np.ndarray, read: np.ndarray) -> str:
    """The median and the range of some exponents, and how many of them could be read."""
    spread = f"({digit(np.nanmin(values))} to {digit(np.nanmax(values))})"
    return f"{digit(np.nanmedian(values))} {spread} {read.sum()}/{len(read)}"


def entry(arrays: Arrays, which: int) -> str:
    """`summary` of a kernel's exponents, or where most cannot be read the slopes of both halves."""
    read = arrays["readable"][:, which]
    if read.mean() < 0.5:
        first, second = np.median(arrays["halves"][:, which], axis=0)
        return f"none: {digit(first)}, then {digit(second)}"
    return summary(arrays["exponents"][:, which], read)


# --- tables ---------------------------------------------------------------------------------

KINDS = {"leaky_relu": "leaky ReLU", "relu": "ReLU", "none": "linear", "tanh": "tanh", "swish": "swish",
         "elu": "ELU"}  # fmt: skip
"""The nonlinearities of the map, and what its tables call them."""

CELLS = {"4 layers": (4, 1.0), "8 layers": (8, 1.0), "12 layers": (12, 1.0), "20 layers": (20, 1.0),
         "8 layers, level ½": (8, 0.5), "20 layers, level ½": (20, 0.5)}  # fmt: skip
"""The columns of its tables: hidden layers and level."""


def on_the_map(kind: str, depth: int, level: float = 1.0) -> tuple[list, Arrays]:
    """The trials of the map of a nonlinearity, a depth and a level, and what is kept of them."""
    return chosen("exponents-map", nonlinearity=kind, hidden_layers=depth, level=level)


def map_table(which: int) -> Table:
    """The map of one exponent: 0 for the encoder's, 1 for the decoder's."""
    rows = []
    for kind, name in KINDS.items():
        kept = (on_the_map(kind, *cell)[1] for cell in CELLS.values())
        rows.append([name, *(entry(arrays, which) for arrays in kept)])
    return Table(["", *CELLS], rows)


SHARES = {
    "biases in K_h along dh, at half the target": ("bias_h", 2),
    "gates' part over it": ("gates_h", 2),
    "biases in the decoder's": ("bias_y", 2),
    "units whose sides differ, at 5%": ("differ", 0),
    "the same at 95%": ("differ", -1),
    "changed sides from 5% to 95%": ("flipped", -1),
}
"""Shares that `kernels.taken_apart` keeps, and the stage that is shown of each."""


def gates_table() -> Table:
    """What biases and gates do in leaky ReLU networks of each depth: medians over seeds."""
    kept = [chosen("exponents-gates", hidden_layers=depth)[1] for depth in kernels.DEPTHS]
    rows = []
    for words, (name, stage) in SHARES.items():
        rows.append([words, *(f"{np.median(arrays[name][:, stage]):.0%}" for arrays in kept)])
    return Table(["leaky ReLU, two seeds", *(f"{n} layers" for n in kernels.DEPTHS)], rows)


def entry_of_all(names: Sequence[str], which: int, **wanted) -> str:
    """`summary` of some networks of several sweeps, and how many of them learned if not all did."""
    kept = [chosen(name, **wanted)[1] for name in names]
    joined = {key: np.concatenate([one[key] for one in kept]) for key in ("exponents", "readable", "learned")}
    done = joined["learned"]
    few = "" if done.all() else f", {done.sum()} learned"
    return summary(joined["exponents"][:, which], joined["readable"][:, which]) + few


def ranges_table(named: Mapping[str, Arrays]) -> Table:
    """The encoder's exponent of the whole transition and of its halves: the median and the range."""
    rows = []
    for name, arrays in named.items():
        parts = arrays["exponents"][:, 0], *arrays["halves"][:, 0].T
        entries = (f"{digit(np.median(p))} ({digit(p.min())} to {digit(p.max())})" for p in parts)
        rows.append([name, len(parts[0]), *entries])
    return Table(["rectified, 20 layers", "networks", "α", "first half", "second half"], rows)


def told_table() -> Table:
    """Fresh linear and tanh networks by depth: medians of both exponents, and of what (E85) says of them."""
    rows = []
    for depth in kernels.DEPTHS:
        _, kept = chosen("exponents-told-fresh", hidden_layers=depth)
        seen, told = (np.median(kept[key], axis=0) for key in ("exponents", "formula"))
        rows.append([depth, *(f"{value:.2f}" for pair in zip(seen, told, strict=True) for value in pair)])
    return Table(["layers, fresh seeds", "α", "(E85)", "β", "(E85)"], rows)


# --- kernels on kinks beside those that steps show --------------------------------------------


def off(seen: Arrays, which: str, base: Arrays | None = None) -> np.ndarray:
    """How far a kernel is off: |log| of it over that of steps, the median over stages, of each network.

    The steps are those of the same networks, or of `base`.
    """
    steps = (seen if base is None else base)["steps"]
    return np.median(np.abs(np.log(seen[which] / steps)), axis=1)


def slopes(seen: Arrays, which: str) -> np.ndarray:
    """The slope of ln of a kernel over ln u through all stages, of each network."""
    pairs = zip(np.log(seen["u"]), np.log(seen[which]), strict=True)
    return np.array([np.polyfit(*pair, 1)[0] for pair in pairs])


def kinks_table(name: str) -> Table:
    """Of each kind of network: units at rest, how far three kernels are off, and two exponents."""
    rows = []
    for kind, depth in beyond_sweeps.KINKED:
        seen = seen_on_kinks(name, nonlinearity=kind, hidden_layers=depth, shorter=1)
        factors = (np.exp(np.median(off(seen, which))) for which in ("kinks", "instant", "wrong"))
        found = (np.median(slopes(seen, which)) for which in ("steps", "kinks"))
        label, share = f"{KINDS[kind]}, {depth} layers", f"{np.median(seen['share']):.0%}"
        rows.append([label, share, *(f"{factor:.2f}" for factor in factors), *map(digit, found)])
    head = ["five fresh seeds", "units at rest", "factor by which it is off: on the kinks", "at an instant"]
    return Table([*head, "on wrong kinks", "α of steps", "α on the kinks"], rows)

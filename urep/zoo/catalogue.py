"""All systems and studies of the zoo. A new family is one file and one line here."""

from __future__ import annotations

from . import directions, geometry, reading, reference, sequences, surrogates, weights, width
from .system import Study, System

FAMILIES = {
    "reference": reference,
    "weights": weights,
    "width": width,
    "sequences": sequences,
    "geometry": geometry,
    "directions": directions,
    "surrogates": surrogates,
    "reading": reading,
}
"""Modules of the families by the name of their page."""

SYSTEMS: dict[str, System] = {one.name: one for module in FAMILIES.values() for one in module.SYSTEMS}
"""Every system by name: what is trained on a pair of points."""

STUDIES: dict[str, Study] = {one.name: one for module in FAMILIES.values() for one in module.STUDIES}
"""Every study by name."""


def systems_of(family: str) -> list[System]:
    """The systems of a family, in the order of its module."""
    return list(FAMILIES[family].SYSTEMS)


def system(name: str) -> System:
    """The system of a name; raises ValueError, naming those there are, for an unknown one."""
    if name not in SYSTEMS:
        raise ValueError(f"name must be one of {', '.join(SYSTEMS)}; got {name!r}")
    return SYSTEMS[name]


def study(name: str) -> Study:
    """The study of a name; raises ValueError, naming those there are, for an unknown one."""
    if name not in STUDIES:
        raise ValueError(f"name must be one of {', '.join(STUDIES)}; got {name!r}")
    return STUDIES[name]

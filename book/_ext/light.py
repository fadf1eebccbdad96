"""Which programs a browser's Python can run: those that need SymPy, mpmath and the standard library alone.

Read off the imports, nothing is imported: a module is *light* if all that it imports at its top is, and so is
a function of a light module if all that it imports in its body is.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import notebooks

PRESENT = sys.stdlib_module_names | {"sympy", "mpmath"}
"""What there is besides `urep`."""

REPLACED = ("urep.checks", "verify")
"""What shows a verdict by IPython, and by the page itself where `urep.site.reader` runs a program."""

IMPORTS = ast.Import | ast.ImportFrom


def runs(program: str) -> bool:
    """Whether a browser's Python has all that a program names."""
    return all(_has(module, name) for module, name in names(program))


def modules(*roots: str) -> set[str]:
    """The light modules of `urep` that some modules import, at the top or in a function, they among them."""
    found, wanted = set(), {*roots}
    while wanted:
        module = wanted.pop()
        found.add(module)
        parents = {module.rsplit(".", n)[0] for n in range(1, module.count(".") + 1)}
        imported = {whole for node in ast.walk(_tree(module)) for whole, _ in _imported(node, module)}
        ours = {other for other in imported | parents if other.split(".")[0] == "urep"}
        wanted |= {other for other in ours if light(other)} - found
    return found


def names(program: str) -> Iterator[tuple[str, str]]:
    """What a program takes from where: (module, name), the name empty where a whole module is imported."""
    tree, known = ast.parse(program), {}
    for node in ast.walk(tree):
        yield from _imported(node)
        if isinstance(node, ast.Import):
            known |= {alias.asname or alias.name.split(".")[0]: alias.name for alias in node.names}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in known:
            yield known[node.value.id], node.attr


def path(module: str) -> Path | None:
    """The file of a module of `urep`, or None if there is no such module."""
    place = notebooks.ROOT.joinpath(*module.split("."))
    found = [file for file in (place.with_suffix(".py"), place / "__init__.py") if file.exists()]
    return found[0] if found else None


@cache
def light(module: str) -> bool:
    """Whether a browser's Python can import a module."""
    if module.split(".")[0] != "urep":
        return module.split(".")[0] in PRESENT
    at_import = _at_import(_tree(module).body)
    return all(light(other) for node in at_import for other, _ in _imported(node, module))


@cache
def _has(module: str, name: str) -> bool:
    if module.split(".")[0] != "urep" or not name:
        return light(module)
    home = _home(module, name)
    if not light(home):
        return False
    if home == f"{module}.{name}" or (home, name) == REPLACED:
        return True
    for node in ast.walk(_tree(home)):
        if isinstance(node, ast.ImportFrom) and name in [alias.asname or alias.name for alias in node.names]:
            return all(_has(other, named) for other, named in _imported(node, home) if named == name)
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name == name:
            return all(light(other) for part in ast.walk(node) for other, _ in _imported(part, home))
    return True  # a constant


def _home(module: str, name: str) -> str:
    """The module that a name of `urep` stands for, or that has it."""
    import urep

    if module == "urep" and name in urep._MODULES | urep._HOME:
        return f"urep.{(urep._MODULES | urep._HOME)[name]}"
    return f"{module}.{name}" if path(f"{module}.{name}") else module


@cache
def _tree(module: str) -> ast.Module:
    return ast.parse(path(module).read_text(encoding="utf-8"))


def _at_import(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Statements that run when a module is imported; `if TYPE_CHECKING` does not."""
    for node in body:
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        yield node
        if isinstance(node, ast.If | ast.Try | ast.With):
            yield from _at_import([part for part in ast.walk(node) if isinstance(part, IMPORTS)])


def _imported(node: ast.AST, module: str = "") -> Iterator[tuple[str, str]]:
    """What a statement imports: (module, name); a module that is imported by its name counts as whole."""
    if isinstance(node, ast.Import):
        yield from ((alias.name, "") for alias in node.names)
    if isinstance(node, ast.ImportFrom):
        source = node.module or ""
        if node.level:
            package = module.split(".") if path(module).stem == "__init__" else module.split(".")[:-1]
            source = ".".join([*package[: len(package) - node.level + 1], *filter(None, [node.module])])
        for alias in node.names:
            whole = f"{source}.{alias.name}"
            yield (whole, "") if source.split(".")[0] == "urep" and path(whole) else (source, alias.name)

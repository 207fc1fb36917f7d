"""Which files of its folder a Python file imports, as far as reading tells. Nothing of them is run."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from importlib.machinery import (
    BYTECODE_SUFFIXES,
    EXTENSION_SUFFIXES,
    SOURCE_SUFFIXES,
    ExtensionFileLoader,
    FileFinder,
    SourceFileLoader,
    SourcelessFileLoader,
)
from pathlib import Path

_LOADERS = ((ExtensionFileLoader, EXTENSION_SUFFIXES), (SourceFileLoader, SOURCE_SUFFIXES), (SourcelessFileLoader, BYTECODE_SUFFIXES))
_BY_NAME = ("import_module", "__import__")
"""Functions that import what their first argument says."""
_Name = tuple[str, ...]


def imported_files(path: Path, tree: ast.Module) -> list[Path]:
    """Return the files below the folder of `path` that it imports, and that these import, in the order of their names.

    Not known by reading: a name that is worked out while the file runs, and another folder put on `sys.path`.
    """
    found: dict[Path, None] = {path: None}
    ahead: list[tuple[ast.Module, _Name]] = [(tree, ())]
    while ahead:
        read, package = ahead.pop()
        for name in dict.fromkeys(_imports(read, package)):
            for file, inside in _files_of(path.parent, name):
                if file not in found:
                    found[file] = None
                    ahead += [(parsed, inside)] if (parsed := _parsed(file)) else []
    return sorted(file for file in found if file != path)


def _imports(tree: ast.Module, package: _Name) -> Iterator[_Name]:
    """The modules that may be imported, by the parts of their names; a last part "*" stands for all of a package."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (tuple(alias.name.split(".")) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            base += tuple(node.module.split(".")) if node.module else ()
            yield from ((*base, alias.name) for alias in node.names)
        elif isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in _BY_NAME and node.args:
            named = node.args[0].value if isinstance(node.args[0], ast.Constant) else None
            if isinstance(named, str):
                yield tuple(named.strip(".").split("."))


def _files_of(root: Path, name: _Name) -> Iterator[tuple[Path, _Name]]:
    """The files that importing a name loads, each with the package that its own relative imports begin in."""
    folder = root
    for place, part in enumerate(name):
        if part == "*":
            stems = sorted({file.name.partition(".")[0] for file in folder.iterdir()})
            yield from (found for stem in stems for found in _files_of(root, (*name[:place], stem)))
            return
        spec = FileFinder(str(folder), *_LOADERS).find_spec(part)
        if spec is None:
            return
        folders = spec.submodule_search_locations
        if spec.origin and spec.has_location:
            yield Path(spec.origin), name[:place] if folders is None else name[: place + 1]
        if folders is None:
            return
        folder = Path(next(iter(folders)))


def _parsed(file: Path) -> ast.Module | None:
    """What a file says, if it is Python and can be read."""
    if file.suffix not in SOURCE_SUFFIXES:
        return None
    try:
        return ast.parse(file.read_bytes(), file.name)
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return None

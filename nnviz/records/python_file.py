"""A person's Python file: what in it may make a module, found by reading. Nothing of it is run."""

from __future__ import annotations

import ast
import hashlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from nnviz.records._imported_files import imported_files

EXPECTED = """Expected is a function without arguments that returns a module and its inputs, for example:

    import torch

    def make_model():
        return torch.nn.Linear(3, 1), torch.rand(8, 3), torch.rand(8, 1)  # module, inputs, target"""
_INPUTS = ("inputs", "make_inputs")
_NAMED = 8
"""So many imported files are named."""
_Function = ast.FunctionDef | ast.AsyncFunctionDef


class PythonFileError(ValueError):
    """A file of which no module can be made: the sentence names the file, the line where there is one, and the cure."""


@dataclass(frozen=True)
class PythonFile:
    """The file as it was read, and what in it may make a module."""

    path: Path
    source: bytes
    imported: tuple[Path, ...]
    """The files below its folder that run with it, as far as reading tells."""
    digest: str
    """SHA-256 of its bytes, and of those of all that it imports from its folder."""
    makers: dict[str, int]
    """Functions and subclasses of nn.Module that need no argument: their lines, by name."""
    needy: dict[str, int]
    """Functions and classes that need one."""
    others: frozenset[str]
    """Whatever else the file gives a name to; with a star there is no telling."""

    @property
    def told_imports(self) -> str:
        """What runs with it, as a sentence; empty where nothing is known to."""
        names = [file.relative_to(self.path.parent).as_posix() for file in self.imported]
        if not names:
            return ""
        shown = ", ".join(names[:_NAMED]) + (f" and {len(names) - _NAMED} more" if len(names) > _NAMED else "")
        return f"With it runs what it imports from its folder: {shown}."

    def maker(self, name: str = "") -> str:
        """Return the name of what makes the module: `name`, or the only one there is. Raises PythonFileError where there is none."""
        file = self.path.name
        if name in self.needy:
            raise PythonFileError(f"{file}:{self.needy[name]}: {name} needs arguments: give each of them a default.")
        if name and name not in self.makers and not self.others & {name, "*"}:
            raise PythonFileError(f"{file} has no {name}. {self._offered()}")
        if not name and len(self.makers) != 1:
            raise PythonFileError(self._offered())
        return name or next(iter(self.makers))

    def _offered(self) -> str:
        if not self.makers:
            return f"{self.path.name} has no function that could make a module. {EXPECTED}"
        commands = "".join(f"\n    nnviz {self.path}:{name}" for name in self.makers)
        count = len(self.makers)
        return f"{self.path.name} has {count} function{'s' * (count > 1)} that may make a module. Name the one that is meant:{commands}"


def named_maker(text: str) -> tuple[str, str] | None:
    """Return path and name of `model.py:make_model`, or of `model.py` the path and an empty name; None for what is no Python file."""
    match = re.fullmatch(r"(.+\.py)(?::(\w*))?", text, re.IGNORECASE | re.DOTALL)
    return (match[1], match[2] or "") if match else None


def read_python_file(path: Path) -> PythonFile:
    """Return what the file holds. Raises PythonFileError for one that cannot be read, or is no Python."""
    try:
        data = path.read_bytes()
        tree = ast.parse(data, path.name)
    except OSError as error:
        raise PythonFileError(f"{path}: {error.strerror or error}.") from None
    except SyntaxError as error:
        raise PythonFileError(f"{path.name}:{error.lineno or 1}: this is no Python: {error.msg}.") from None
    except (ValueError, RecursionError, MemoryError) as error:
        raise PythonFileError(f"{path.name} is no Python: {error}.") from None
    classes = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
    makers, needy = {}, {}
    for node in tree.body:
        needs = _needs(node, classes)
        if needs is not None:
            (needy if needs else makers)[node.name] = node.lineno
    others = frozenset(_names(tree)) - makers.keys() - needy.keys()
    imported = tuple(imported_files(path.absolute(), tree))
    return PythonFile(path.absolute(), data, imported, _digest(path.absolute(), data, imported), makers, needy, others)


def _digest(path: Path, data: bytes, imported: tuple[Path, ...]) -> str:
    """The digest of a file, and of what it imports under which names; one that cannot be read counts as empty."""
    total = hashlib.sha256(data)
    for file in imported:
        content = file.read_bytes() if file.is_file() and os.access(file, os.R_OK) else b""
        total.update(f"\n{file.relative_to(path.parent).as_posix()} {hashlib.sha256(content).hexdigest()}".encode())
    return total.hexdigest()


def _needs(node: ast.stmt, classes: dict[str, ast.ClassDef]) -> bool | None:
    """Whether what may make a module needs arguments; None for what makes none."""
    if isinstance(node, ast.FunctionDef) and not node.name.startswith("_") and node.name not in _INPUTS and _returns(node):
        return _needs_arguments(node, 0)
    if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
        return _module_needs(node, classes, ())
    return None


def _module_needs(node: ast.ClassDef, classes: dict[str, ast.ClassDef], seen: tuple[str, ...]) -> bool | None:
    """The same for a class; of torch's own modules only `Module` and its containers are known to need nothing."""
    inherited: list[bool] = []
    for base in map(ast.unparse, node.bases):
        if base in classes and base not in seen:
            needs = _module_needs(classes[base], classes, (*seen, node.name))
            inherited += [] if needs is None else [needs]
        elif re.search(r"\bnn\.\w+$|^Module$", base):
            inherited.append(base.rpartition(".")[2] not in ("Module", "Sequential", "ModuleList", "ModuleDict"))
    if not inherited:
        return None
    made = next((part for part in node.body if isinstance(part, ast.FunctionDef) and part.name == "__init__"), None)
    return inherited[0] if made is None else _needs_arguments(made, 1)


def _needs_arguments(node: ast.FunctionDef, own: int) -> bool:
    """Whether there are arguments without a default besides so many of the first."""
    arguments = node.args
    positional = len(arguments.posonlyargs) + len(arguments.args) - len(arguments.defaults)
    return positional > own or None in arguments.kw_defaults


def _returns(node: ast.FunctionDef) -> bool:
    """Whether the function returns a value: a generator and one that only does something are none."""
    inside = list(_inside(node))
    has_value = any(isinstance(part, ast.Return) and part.value is not None for part in inside)
    return has_value and not any(isinstance(part, ast.Yield | ast.YieldFrom) for part in inside)


def _inside(node: ast.AST) -> Iterator[ast.AST]:
    """What belongs to a function or a file itself, and to no function or class inside it."""
    for part in ast.iter_child_nodes(node):
        yield part
        if not isinstance(part, (*_Function.__args__, ast.ClassDef, ast.Lambda)):
            yield from _inside(part)


def _names(tree: ast.Module) -> Iterator[str]:
    for part in _inside(tree):
        if isinstance(part, _Function | ast.ClassDef):
            yield part.name
        elif isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
            yield part.id
        elif isinstance(part, ast.alias):
            yield (part.asname or part.name).partition(".")[0]

"""The house rules as data: who may import whom, how large things may grow, how they are named. README.md tells the same in prose."""

from __future__ import annotations

import ast
import functools
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import networkx
import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "nnviz"

WINDOW_LIBRARIES = {
    "PySide6",
    "pyqtgraph",
    "qtawesome",
    "networkx",
    "fast_sugiyama",
    "ziamath",
    "ziafont",
    "numpy",
    "platformdirs",
}

FEATURES = ("network", "graph", "step", "run", "landscape", "pictures", "data", "weights", "files", "comparison", "doctor")
BELOW_THE_FEATURES = {
    "session", "messages", "records", "document", "text", "operations", "export", "resource_files", "msgspec",
    "ui.widgets", "ui.theme", "ui.shell_api", *WINDOW_LIBRARIES,
}  # fmt: skip
"""What a feature may import besides its own folder: never the shell, never another feature."""

ALLOWED = {
    "nnviz": {"version", "trace", "viewing", "torch"},
    "nnviz.version": set(),
    "nnviz.__main__": {"engine", "cli"},
    "nnviz.resource_files": set(),
    "nnviz.document": {"msgspec", "platformdirs", "resource_files"},
    "nnviz.records": {"document", "msgspec", "numpy"},
    "nnviz.operations": {"text", "records", "msgspec", "numpy"},
    "nnviz.text": {"document", "records", "msgspec", "numpy"},
    "nnviz.messages": {"document", "records", "msgspec"},
    "nnviz.doctor": {"document", "records", "numpy"},
    "nnviz.trace": {"operations", "document", "records", "msgspec", "torch", "numpy", "networkx"},
    "nnviz.engine": {
        "trace", "operations", "doctor", "messages", "records", "document", "torch", "numpy", "sklearn", "safetensors", "msgspec",
    },
    "nnviz.session": {"messages", "records", "document", "doctor", "msgspec", "numpy", "PySide6.QtCore"},
    "nnviz.export": {"records", "document", "text", "ui.theme", "ui.widgets", "resource_files", "msgspec", *WINDOW_LIBRARIES},
    "nnviz.export.graph_files": {"document", "records", "networkx", "numpy", "msgspec"},
    "nnviz.ui": set(),
    "nnviz.ui.theme": {"resource_files", *WINDOW_LIBRARIES},
    "nnviz.ui.widgets": {"ui.theme", "text", "records", "document", *WINDOW_LIBRARIES},
    "nnviz.ui.shell_api": {"session", "document", "ui.theme", "ui.widgets", *WINDOW_LIBRARIES},
    **{f"nnviz.ui.{feature}": BELOW_THE_FEATURES for feature in FEATURES},
    "nnviz.ui.shell": {"version", "ui", *BELOW_THE_FEATURES},
    "nnviz.jobs": {"torch", "engine", "trace", "doctor", "messages", "records", "document", "msgspec", "numpy"},
    "nnviz.comparing": {"jobs", "engine", "records", "document", "text"},
    "nnviz.diagnosing": {"comparing", "doctor", "document", "engine", "jobs", "records"},
    "nnviz.viewing": {"trace", "engine", "records", "session", "messages", "ui.shell", "torch"},
    "nnviz.cli": {
        "version", "jobs", "comparing", "diagnosing", "doctor", "trace", "document", "records", "text", "export", "ui.shell",
        "resource_files", "msgspec", "PySide6",
    },
}  # fmt: skip
"""What a module may import besides the standard library and its own part. The longest name that fits a module counts for it.

Imports inside functions, under TYPE_CHECKING and through importlib count like any other.
"""

FORBIDDEN_NAMES = {"utils", "util", "helpers", "helper", "common", "manager", "managers", "base", "misc", "core", "lib", "stuff"}
LONGEST_FUNCTION = 40
EXPLAINED_ABOVE = 400
"""A longer file is one subject all the same, and its docstring says so with the words "long because"."""

MODULES = sorted(PACKAGE.rglob("*.py"))


def place(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


def module_name(path: Path) -> str:
    """nnviz/trace/tape.py -> nnviz.trace.tape, nnviz/trace/__init__.py -> nnviz.trace"""
    return ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__")


@functools.cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


@functools.cache
def functions(path: Path) -> list[ast.FunctionDef]:
    return [node for node in ast.walk(tree(path)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


@functools.cache
def classes(path: Path) -> list[ast.ClassDef]:
    return [node for node in ast.walk(tree(path)) if isinstance(node, ast.ClassDef)]


each_module = pytest.mark.parametrize("path", MODULES, ids=place)

# --- who may import whom --------------------------------------------------------------------------------------------


def imports(path: Path) -> set[str]:
    """Every module this one may ever import, by full name."""
    found: set[str] = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= _from_import(path, node)
        elif isinstance(node, ast.Call) and _called(node) in ("import_module", "__import__") and node.args:
            found.add(node.args[0].value if isinstance(node.args[0], ast.Constant) else "a name made at run time")
    return found


def _from_import(path: Path, node: ast.ImportFrom) -> set[str]:
    source = ".".join([*_package(path, node.level), node.module or ""]).strip(".")
    if source in ("nnviz", "PySide6") or not node.module:
        return {f"{source}.{alias.name}" for alias in node.names if not alias.name.startswith("__")}
    return {source}


def _package(path: Path, level: int) -> list[str]:
    """The package that so many dots mean in this module; empty for none."""
    parts = list(path.relative_to(PACKAGE.parent).with_suffix("").parts)
    return parts[: len(parts) - level] if level else []


def _called(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def rule_for(module: str) -> str:
    return max((name for name in ALLOWED if f"{module}.".startswith(f"{name}.")), key=len)


def is_allowed(imported: str, module: str) -> bool:
    rule = rule_for(module)
    if imported.split(".")[0] in sys.stdlib_module_names:
        return True
    if rule != "nnviz" and f"{imported}.".startswith(f"{rule}."):
        return True  # the part itself
    allowed = {f"nnviz.{name}" if f"nnviz.{name.split('.')[0]}" in ALLOWED else name for name in ALLOWED[rule]}
    return any(f"{imported}.".startswith(f"{name}.") for name in allowed)


@each_module
def test_imports_only_what_the_table_allows(path):
    module = module_name(path)
    wrong = sorted(name for name in imports(path) if not is_allowed(name, module))
    assert not wrong, f"{module} imports {', '.join(wrong)}; {rule_for(module)} may import {', '.join(sorted(ALLOWED[rule_for(module)]))}"


def test_every_row_of_the_table_has_its_module():
    names = {module_name(path) for path in MODULES}
    assert set(ALLOWED) <= names, "rows without a module"


def test_every_part_has_a_row_of_its_own():
    """A new part cannot hide under the row of the package itself."""
    assert [name for name in map(module_name, MODULES) if rule_for(name) == "nnviz" and name != "nnviz"] == []


@pytest.mark.parametrize(
    ("imported", "module", "allowed"),
    [
        ("torch", "nnviz.session.session", False),
        ("torch.nn", "nnviz.trace.tape", True),
        ("nnviz.engine.model.build", "nnviz.ui.shell.app", False),
        ("nnviz.ui.theme.colors", "nnviz.session.run", False),
        ("nnviz.session.run", "nnviz.session.session", True),
        ("PySide6.QtCore", "nnviz.session.session", True),
        ("PySide6.QtWidgets", "nnviz.session.session", False),
        ("PySide6.QtCore", "nnviz.export.graph_files", False),
        ("json", "nnviz.messages", True),
        ("nnviz.documents", "nnviz.messages", False),
        ("nnviz.ui.shell.main_window", "nnviz.ui.step.feature", False),
        ("nnviz.ui.graph.feature", "nnviz.ui.step.feature", False),
        ("nnviz.ui.widgets.card", "nnviz.ui.step.feature", True),
    ],
)
def test_the_table_is_read_as_it_is_meant(imported, module, allowed):
    assert is_allowed(imported, module) is allowed


# --- what is loaded when the program runs ---------------------------------------------------------------------------


def modules_loaded_by(*names: str) -> set[str]:
    code = f"import sys, {', '.join(names)}; print('\\n'.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], cwd=PACKAGE.parent, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


def test_the_package_alone_loads_neither_torch_nor_qt():
    assert not modules_loaded_by("nnviz") & {"torch", "PySide6", "numpy"}


def test_the_window_process_never_loads_torch():
    loaded = modules_loaded_by("nnviz.ui.shell.app", "nnviz.ui.shell.main_window", "nnviz.session.session", "nnviz.export.pictures")
    assert not loaded & {"torch", "sklearn", "nnviz.engine", "nnviz.trace"}


def test_the_engine_never_loads_qt():
    loaded = modules_loaded_by("nnviz.engine._service", "nnviz.trace.trace")
    assert not {name.split(".")[0] for name in loaded} & {"PySide6", "shiboken6", "pyqtgraph", "qtpy"}


def test_the_command_line_loads_torch_and_qt_only_for_the_commands_that_need_them():
    assert not modules_loaded_by("nnviz.cli", "nnviz.__main__") & {"torch", "PySide6"}


# --- size and shape -------------------------------------------------------------------------------------------------


@each_module
def test_says_what_it_is_for(path):
    if path.name != "__init__.py" or path.stat().st_size:
        assert ast.get_docstring(tree(path)), f"{place(path)} has no docstring"


@each_module
def test_a_long_file_says_why(path):
    lines, docstring = len(path.read_text(encoding="utf-8").splitlines()), ast.get_docstring(tree(path)) or ""
    assert lines <= EXPLAINED_ABOVE or "long because" in docstring.lower(), f"{place(path)} has {lines} lines and gives no reason"


@each_module
def test_no_function_is_too_long(path):
    long = [f"{node.name} ({length(node)} lines)" for node in functions(path) if length(node) > LONGEST_FUNCTION]
    assert not long, f"{place(path)}: {', '.join(long)}"


def length(node: ast.FunctionDef) -> int:
    return node.end_lineno - node.lineno + 1


def methods(node: ast.ClassDef) -> dict[str, ast.FunctionDef]:
    """Its methods of our own making: no properties, no camelCase hooks of Qt, no dunder methods of Python."""
    parts = [part for part in node.body if isinstance(part, ast.FunctionDef) and not part.name.startswith("__")]
    return {part.name: part for part in parts if part.name == part.name.lower() and not _is_property(part)}


def _is_property(node: ast.FunctionDef) -> bool:
    return any(_last(decorator) in ("property", "cached_property", "setter") for decorator in node.decorator_list)


def parents(node: ast.ClassDef) -> list[ast.ClassDef]:
    """The classes of ours it inherits from, found by name."""
    names = [_last(base) for base in node.bases]
    return [other for path in MODULES for other in classes(path) if other.name in names and other is not node]


@each_module
def test_inheritance_is_one_deep_and_overrides_nothing(path):
    for node in classes(path):
        for parent in parents(node):
            assert not parents(parent), f"{place(path)}: {node.name} inherits from {parent.name}, which inherits from another class of ours"
            implemented = {name for name, part in methods(parent).items() if not _is_abstract(part)}
            assert not implemented & set(methods(node)), f"{place(path)}: {node.name} overrides what {parent.name} implements"


def _is_abstract(node: ast.FunctionDef) -> bool:
    """Only a docstring, and `...` or raise NotImplementedError."""
    last = node.body[-1]
    is_ellipsis = isinstance(last, ast.Expr) and isinstance(last.value, ast.Constant)
    return is_ellipsis or (isinstance(last, ast.Raise) and "NotImplementedError" in ast.dump(last))


def _last(node: ast.expr) -> str:
    """The last name of a dotted one."""
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


@each_module
def test_name_is_a_subject(path):
    parts = set(path.relative_to(PACKAGE).with_suffix("").parts)
    assert not parts & FORBIDDEN_NAMES, f"{place(path)}: say what it is about"


# --- circles, names, faces ------------------------------------------------------------------------------------------


@functools.cache
def neighbours(path: Path) -> frozenset[Path]:
    """The files of the package that this one imports anywhere. `from package import module` is that module."""
    files = {module_name(other): other for other in MODULES}
    return frozenset(files[name] for name in _modules_named(path, files) if name in files) - {path}


def _modules_named(path: Path, files: dict[str, Path]) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            source = ".".join([*_package(path, node.level), node.module or ""]).strip(".")
            parts = {f"{source}.{alias.name}" for alias in node.names}
            found |= parts | ({source} if parts - files.keys() else set())
    return found


def test_no_files_import_each_other_in_a_circle():
    graph = networkx.DiGraph((path, other) for path in MODULES for other in neighbours(path))
    circles = [sorted(map(place, files)) for files in networkx.strongly_connected_components(graph) if len(files) > 1]
    assert circles == []


def test_no_two_modules_bear_one_name():
    """Only the face of a feature is called feature.py everywhere."""
    assert _twice(path.stem for path in MODULES if path.stem not in ("__init__", "feature")) == []


def test_no_two_public_classes_bear_one_name():
    assert _twice(node.name for path in MODULES for node in classes(path) if not node.name.startswith("_")) == []


def _twice(names: Iterable[str]) -> list[str]:
    return sorted(name for name, count in Counter(names).items() if count > 1)


@each_module
def test_what_one_neighbour_alone_imports_is_marked_as_its_own(path):
    """A file whose single importer stands in its own folder is a part of that one: its name starts with an underscore."""
    importers = [other for other in MODULES if path in neighbours(other)]
    is_a_part = len(importers) == 1 and importers[0].parent == path.parent != PACKAGE
    if path.stem not in ("__init__", "feature"):
        assert path.stem.startswith("_") is is_a_part or path.parent == PACKAGE, f"imported by {', '.join(map(place, importers)) or 'none'}"


# --- words ----------------------------------------------------------------------------------------------------------


@each_module
def test_nothing_is_left_for_later(path):
    assert not re.findall(r"\b(?:TODO|FIXME|XXX|HACK)\b", path.read_text(encoding="utf-8"))


@each_module
def test_only_the_theme_names_colours(path):
    if place(path) != "ui/theme/colors.py":
        named = re.findall(r"""["' :]#(?:[0-9a-fA-F]{3,4}|[0-9a-fA-F]{6}|[0-9a-fA-F]{8})\b(?!\w)""", path.read_text(encoding="utf-8"))
        assert not named, f"{place(path)} names {named}: colours come from nnviz/ui/theme/colors.py"


def test_tests_mirror_the_package():
    """tests/<part>/ exists for every part that is a folder."""
    folders = {path.name for path in PACKAGE.iterdir() if (path / "__init__.py").exists()}
    tested = {path.parent.relative_to(PACKAGE.parent / "tests").parts[0] for path in (PACKAGE.parent / "tests").glob("*/**/test_*.py")}
    assert folders <= tested


# --- painting -------------------------------------------------------------------------------------------------------


@each_module
def test_an_error_while_painting_ends_no_program(path):
    """Qt crashes where a painter is left at work: what overrides one of its paint methods is marked with `painted`."""
    by_qt = {"paintEvent", "drawForeground", "drawBackground"}
    overrides = [one for one in functions(path) if one.name in by_qt or (one.name == "paint" and "option" in _arguments(one))]
    bare = [
        f"{one.name} in line {one.lineno}" for one in overrides if "painted" not in {getattr(mark, "id", "") for mark in one.decorator_list}
    ]
    assert not bare, f"{place(path)}: {', '.join(bare)}"


def _arguments(function: ast.FunctionDef) -> set[str]:
    return {argument.arg for argument in function.args.args}

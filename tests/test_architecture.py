"""The house rules as data: who may import whom, how large things may grow, how they are named. README.md tells the same in prose."""

from __future__ import annotations

import ast
import functools
import re
import subprocess
import sys
from pathlib import Path

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

ALLOWED = {
    "nnviz": {"trace", "viewing", "torch"},
    "nnviz.viewing": {"trace", "engine", "protocol", "session.index", "ui.trace_window", "torch"},
    "nnviz.__main__": {"engine", "cli", "ui"},
    "nnviz.resource_files": set(),
    "nnviz.document": {"msgspec", "platformdirs", "resource_files"},
    "nnviz.messages": {"msgspec", "document"},
    "nnviz.trace": {"torch", "numpy", "networkx"},
    "nnviz.engine": {"trace", "protocol", "document", "torch", "numpy", "sklearn", "safetensors", "msgspec"},
    "nnviz.session": {"protocol", "document", "msgspec", "numpy", "networkx", "PySide6.QtCore"},
    "nnviz.ui": {"session", "document", "protocol", "export", "resource_files", "msgspec", *WINDOW_LIBRARIES},
    "nnviz.export": {"session", "document", "protocol", "ui", *WINDOW_LIBRARIES},
    "nnviz.export.graph_files": {"document", "protocol", "session.trace_state", "session.index", "networkx", "numpy", "msgspec"},
    "nnviz.cli": {"engine", "trace", "document", "protocol", "session", "export", "ui", "resource_files", "msgspec", "numpy", "PySide6"},
}
"""What a module may import besides the standard library and its own part. The longest name that fits a module counts for it.

Imports inside functions, under TYPE_CHECKING and through importlib count like any other.
"""

TABLES = {"protocol.py", "document/catalog.py", "trace/formulas.py", "trace/openers.py"}
"""Data written as code: these files may be long."""

FORBIDDEN_NAMES = {"utils", "util", "helpers", "helper", "common", "manager", "managers", "base", "misc", "core", "lib", "stuff"}
LONGEST_FILE, LONGEST_FUNCTION, MOST_METHODS = 400, 40, 15

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
    loaded = modules_loaded_by("nnviz.engine.service", "nnviz.trace.trace")
    assert not {name.split(".")[0] for name in loaded} & {"PySide6", "shiboken6", "pyqtgraph", "qtpy"}


def test_the_command_line_loads_torch_and_qt_only_for_the_commands_that_need_them():
    assert not modules_loaded_by("nnviz.cli", "nnviz.__main__") & {"torch", "PySide6"}


# --- size and shape -------------------------------------------------------------------------------------------------


@each_module
def test_says_what_it_is_for(path):
    if path.name != "__init__.py" or path.stat().st_size:
        assert ast.get_docstring(tree(path)), f"{place(path)} has no docstring"


@each_module
def test_is_not_too_long(path):
    lines = len(path.read_text(encoding="utf-8").splitlines())
    assert place(path) in TABLES or lines <= LONGEST_FILE, f"{place(path)} has {lines} lines: split it by subject"


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


@each_module
def test_no_class_does_too_much(path):
    large = [f"{node.name} ({len(methods(node))} methods)" for node in classes(path) if len(methods(node)) > MOST_METHODS]
    assert not large, f"{place(path)}: {', '.join(large)}"


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


# --- words ----------------------------------------------------------------------------------------------------------


@each_module
def test_nothing_is_left_for_later(path):
    assert not re.findall(r"\b(?:TODO|FIXME|XXX|HACK)\b", path.read_text(encoding="utf-8"))


@each_module
def test_only_the_theme_names_colours(path):
    if place(path) != "ui/theme.py":
        named = re.findall(r"""["' :]#(?:[0-9a-fA-F]{3,4}|[0-9a-fA-F]{6}|[0-9a-fA-F]{8})\b(?!\w)""", path.read_text(encoding="utf-8"))
        assert not named, f"{place(path)} names {named}: colours come from nnviz/ui/theme.py"


def test_tests_mirror_the_package():
    """tests/<part>/ exists for every part that is a folder."""
    folders = {path.name for path in PACKAGE.iterdir() if (path / "__init__.py").exists()}
    tested = {path.parent.relative_to(PACKAGE.parent / "tests").parts[0] for path in (PACKAGE.parent / "tests").glob("*/**/test_*.py")}
    assert folders <= tested

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

FEATURES = (
    "network", "graph", "step", "run", "landscape", "pictures", "data", "weights", "files", "comparison", "doctor", "learn", "checking",
    "teach", "sweep",
)  # fmt: skip
BELOW_THE_FEATURES = {
    "session", "messages", "records", "document", "lessons", "text", "operations", "export", "resource_files", "extras", "msgspec",
    "ui.widgets", "ui.theme", "ui.shell_api", *WINDOW_LIBRARIES,
}  # fmt: skip
"""What a feature may import besides its own folder: never the shell, never another feature."""

ALLOWED = {
    "nnviz": {"version", "trace", "viewing", "watching", "torch"},
    "nnviz.version": set(),
    "nnviz.__main__": {"engine", "cli", "ui.shell", "viewing", "sweeps"},
    "nnviz.resource_files": set(),
    "nnviz.extras": set(),
    "nnviz.document": {"msgspec", "platformdirs", "resource_files"},
    "nnviz.records": {"document", "msgspec", "numpy"},
    "nnviz.records.table_files": {"extras", "pyarrow"},
    "nnviz.records.weights_file": {"safetensors", "numpy"},
    "nnviz.operations": {"text", "records", "msgspec", "numpy"},
    "nnviz.text": {"document", "records", "msgspec", "numpy"},
    "nnviz.lessons": {"document", "records", "operations", "text", "resource_files", "msgspec", "numpy"},
    "nnviz.messages": {"document", "records", "msgspec"},
    "nnviz.doctor": {"document", "records", "numpy"},
    "nnviz.trace": {"operations", "document", "records", "msgspec", "torch", "numpy", "networkx"},
    "nnviz.engine": {
        "trace", "operations", "doctor", "messages", "records", "document", "export.python", "torch", "numpy", "sklearn", "safetensors",
        "msgspec", "extras",
    },
    "nnviz.engine.files._event_file": {"engine", "document", "extras", "tensorboard"},
    "nnviz.engine.files._onnx_graph": {"engine", "records", "extras", "torch", "onnxruntime", "onnxscript"},
    "nnviz.session": {"messages", "records", "document", "doctor", "lessons", "msgspec", "numpy", "PySide6.QtCore"},
    "nnviz.export": {"records", "document", "text", "ui.theme", "ui.widgets", "resource_files", "msgspec", *WINDOW_LIBRARIES},
    "nnviz.export.python": {"records", "document", "operations", "text", "msgspec", "numpy"},
    "nnviz.export.recording": {"document", "extras", "av", "numpy", "PySide6"},
    "nnviz.export.sweep_tables": {"document", "records"},
    "nnviz.export.graph_files": {"document", "records", "networkx", "numpy", "msgspec"},
    "nnviz.ui": set(),
    "nnviz.ui.theme": {"resource_files", *WINDOW_LIBRARIES},
    "nnviz.ui.widgets": {"ui.theme", "text", "records", "document", *WINDOW_LIBRARIES},
    "nnviz.ui.shell_api": {"session", "records", "document", "ui.theme", "ui.widgets", *WINDOW_LIBRARIES},
    **{f"nnviz.ui.{feature}": BELOW_THE_FEATURES for feature in FEATURES},
    "nnviz.ui.shell": {"version", "ui", "viewing.window_messages", *BELOW_THE_FEATURES},
    "nnviz.jobs": {
        "torch", "engine", "trace", "doctor", "messages", "records", "document", "text", "lessons", "export.python", "msgspec", "numpy",
    },
    "nnviz.sweeps": {
        "version", "jobs", "messages", "engine", "document", "records", "export", "extras", "distributed", "pyarrow", "msgspec",
    },
    "nnviz.sweeps.sweep_workers": set(),
    "nnviz.viewing": {"msgspec", "trace", "engine", "export", "lessons", "records", "session", "messages", "ui.shell", "torch"},
    "nnviz.viewing.window_messages": {"messages", "records", "msgspec"},
    "nnviz.viewing.window_process": {"viewing.window_messages", "messages", "records", "session"},
    "nnviz.watching": {"trace", "viewing", "jobs", "engine", "records", "ui.shell", "msgspec", "numpy", "torch"},
    "nnviz.cli": {
        "version", "jobs", "sweeps", "doctor", "lessons", "trace", "document", "records", "text", "export", "ui.shell", "resource_files",
        "extras", "msgspec", "PySide6",
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


@functools.cache
def text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def module_name(path: Path) -> str:
    """nnviz/trace/tape.py -> nnviz.trace.tape, nnviz/trace/__init__.py -> nnviz.trace"""
    return ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__")


NAMED = {module_name(path): path for path in MODULES}


@functools.cache
def tree(path: Path) -> ast.Module:
    return ast.parse(text(path), str(path))


@functools.cache
def functions(path: Path) -> list[ast.FunctionDef]:
    return [node for node in ast.walk(tree(path)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


@functools.cache
def classes(path: Path) -> list[ast.ClassDef]:
    return [node for node in ast.walk(tree(path)) if isinstance(node, ast.ClassDef)]


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
    return f"{imported}.".startswith(named_in(rule))


@functools.cache
def named_in(rule: str) -> tuple[str, ...]:
    """What a row of the table allows, by full name with a dot behind it."""
    return tuple(f"nnviz.{name}." if f"nnviz.{name.split('.')[0]}" in ALLOWED else f"{name}." for name in ALLOWED[rule])


def test_imports_only_what_the_table_allows():
    wrong = [f"{module} imports {name}" for module, path in NAMED.items() for name in sorted(imports(path)) if not is_allowed(name, module)]
    assert not wrong, "; ".join(wrong)


def test_every_row_of_the_table_has_its_module():
    assert set(ALLOWED) <= NAMED.keys(), "rows without a module"


def test_every_part_has_a_row_of_its_own():
    """A new part cannot hide under the row of the package itself."""
    assert [name for name in NAMED if rule_for(name) == "nnviz" and name != "nnviz"] == []


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


def test_every_file_says_what_it_is_for():
    texts = [path for path in MODULES if path.name != "__init__.py" or path.stat().st_size]
    silent = [place(path) for path in texts if not ast.get_docstring(tree(path))]
    assert not silent, "; ".join(silent)


def test_a_long_file_says_why():
    lines = {path: len(text(path).splitlines()) for path in MODULES}
    long = [path for path, count in lines.items() if count > EXPLAINED_ABOVE]
    bare = [f"{place(path)} ({lines[path]} lines)" for path in long if "long because" not in (ast.get_docstring(tree(path)) or "").lower()]
    assert not bare, f"no reason is given by {'; '.join(bare)}"


def test_no_function_is_too_long():
    sized = [(length(node), f"{place(path)}: {node.name}") for path in MODULES for node in functions(path)]
    long = [f"{name} ({lines} lines)" for lines, name in sized if lines > LONGEST_FUNCTION]
    assert not long, "; ".join(long)


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


def test_inheritance_is_one_deep_and_overrides_nothing():
    for path in MODULES:
        for node in classes(path):
            for parent in parents(node):
                child = f"{place(path)}: {node.name}"
                assert not parents(parent), f"{child} inherits from {parent.name}, which inherits from another class of ours"
                implemented = {name for name, part in methods(parent).items() if not _is_abstract(part)}
                assert not implemented & set(methods(node)), f"{child} overrides what {parent.name} implements"


def _is_abstract(node: ast.FunctionDef) -> bool:
    """Only a docstring, and `...` or raise NotImplementedError."""
    last = node.body[-1]
    is_ellipsis = isinstance(last, ast.Expr) and isinstance(last.value, ast.Constant)
    return is_ellipsis or (isinstance(last, ast.Raise) and "NotImplementedError" in ast.dump(last))


def _last(node: ast.expr) -> str:
    """The last name of a dotted one."""
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def test_every_name_is_a_subject():
    vague = [place(path) for path in MODULES if FORBIDDEN_NAMES.intersection(path.relative_to(PACKAGE).with_suffix("").parts)]
    assert not vague, f"say what they are about: {'; '.join(vague)}"


# --- circles, names, faces ------------------------------------------------------------------------------------------


@functools.cache
def neighbours(path: Path) -> frozenset[Path]:
    """The files of the package that this one imports anywhere. `from package import module` is that module."""
    return frozenset(NAMED[name] for name in _modules_named(path) if name in NAMED) - {path}


def _modules_named(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            source = ".".join([*_package(path, node.level), node.module or ""]).strip(".")
            parts = {f"{source}.{alias.name}" for alias in node.names}
            found |= parts | ({source} if parts - NAMED.keys() else set())
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


def test_what_one_neighbour_alone_imports_is_marked_as_its_own():
    """A file whose single importer stands in its own folder is a part of that one: its name starts with an underscore."""
    for path in MODULES:
        importers = [other for other in MODULES if path in neighbours(other)]
        is_a_part = len(importers) == 1 and importers[0].parent == path.parent != PACKAGE
        if path.stem not in ("__init__", "feature") and path.parent != PACKAGE:
            assert path.stem.startswith("_") is is_a_part, f"{place(path)} is imported by {', '.join(map(place, importers)) or 'none'}"


# --- words ----------------------------------------------------------------------------------------------------------


def test_nothing_is_left_for_later():
    marked = [place(path) for path in MODULES if re.search(r"\b(?:TODO|FIXME|XXX|HACK)\b", text(path))]
    assert not marked, "; ".join(marked)


def test_only_the_theme_names_colours():
    colour = re.compile(r"""["' :]#(?:[0-9a-fA-F]{3,4}|[0-9a-fA-F]{6}|[0-9a-fA-F]{8})\b(?!\w)""")
    named = {place(path): colour.findall(text(path)) for path in MODULES}
    assert named.pop("ui/theme/colors.py")
    assert not any(named.values()), "; ".join(f"{file} names {', '.join(colours)}" for file, colours in named.items() if colours)


def test_tests_mirror_the_package():
    """tests/<part>/ exists for every part that is a folder."""
    folders = {path.name for path in PACKAGE.iterdir() if (path / "__init__.py").exists()}
    tested = {path.parent.relative_to(PACKAGE.parent / "tests").parts[0] for path in (PACKAGE.parent / "tests").glob("*/**/test_*.py")}
    assert folders <= tested


# --- painting -------------------------------------------------------------------------------------------------------


def test_an_error_while_painting_ends_no_program():
    """Qt crashes where a painter is left at work: what overrides one of its paint methods is marked with `painted`."""
    by_qt = {"paintEvent", "drawForeground", "drawBackground"}
    methods = [(path, one) for path in MODULES for one in functions(path)]
    overrides = [(path, one) for path, one in methods if one.name in by_qt or (one.name == "paint" and "option" in _arguments(one))]
    bare = [(path, one) for path, one in overrides if "painted" not in {getattr(mark, "id", "") for mark in one.decorator_list}]
    assert not bare, "; ".join(f"{place(path)}: {one.name} in line {one.lineno}" for path, one in bare)


def _arguments(function: ast.FunctionDef) -> set[str]:
    return {argument.arg for argument in function.args.args}

"""The window: `nnviz [FILE]`, and `nnviz MODEL.py[:FUNCTION]` on the module of a Python file."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from nnviz.cli.printing import complain
from nnviz.records.python_file import PythonFileError, named_maker, read_python_file


def window_parser() -> argparse.ArgumentParser:
    """Return the parser of a command line that names no command."""
    parser = argparse.ArgumentParser("nnviz", description="Open the window. `nnviz --help` lists what else there is.", add_help=False)
    parser.add_argument("file", nargs="?", metavar="FILE", help="a document to open, example:NAME or template:NAME")
    text = "run the Python file of `nnviz MODEL.py[:FUNCTION]` without asking first"
    parser.add_argument("--yes", action="store_true", help=text)
    parser.set_defaults(job=open_window)
    return parser


def open_window(options: argparse.Namespace) -> int:
    """Open the window on what is named; return the exit code."""
    named = named_maker(options.file or "")
    if named is not None:
        return _python_window(*named, agreed=options.yes)
    obstacle = _obstacle(options.file) if options.file else ""
    if obstacle:
        complain(obstacle)
        return 2
    from nnviz.ui.shell import app

    return app.main(options.file)


def _python_window(path: str, name: str, agreed: bool) -> int:
    try:
        file = read_python_file(Path(path))
        name = file.maker(name)
    except PythonFileError as error:
        return complain(str(error), code=2)
    if not agreed and not sys.stdin.isatty():
        return complain(f"{file.path.name} would be run, and there is no terminal to ask in: add --yes if you agree.", code=2)
    if not agreed:
        with_it = f"{file.told_imports}\n" if file.imported else ""
        question = f"{with_it}Run {file.path.name} and call {name}? It can do whatever you can do. [y/N] "
        print(question, end="", file=sys.stderr, flush=True)
        if sys.stdin.readline().strip().lower() not in ("y", "yes"):
            return complain("Nothing was run.")
    from nnviz.ui.shell.python_window import show_file

    return show_file(file, name)


def _obstacle(file: str) -> str:
    """Why this cannot be opened, as a sentence; empty where there is such a document."""
    from nnviz.document.store.examples import document_path
    from nnviz.document.store.files import DocumentError

    try:
        if document_path(file).exists():
            return ""
    except DocumentError as error:
        return str(error)
    return f"{file}: there is no such file, command or example. `nnviz --help` lists the commands, `nnviz examples` the examples."

"""The command `check`."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from nnviz.cli.arguments import add_json, add_set, command
from nnviz.cli.printing import print_table, show


def add_command(commands: Any) -> None:
    """Add `check` with its options to the command line."""
    parser = command(commands, "check", _check, "say what is wrong with a document, without building anything")
    add_set(parser)
    add_json(parser)


def _check(options: argparse.Namespace) -> int:
    from nnviz import jobs

    result = jobs.check(options.file, options.settings)
    show(options, result, lambda: print_table([(layer["id"], layer["output_shape"], layer["parameters"]) for layer in result["layers"]]))
    for problem in result["problems"]:
        said = "warning: " if problem["severity"] == "warning" else ""
        print(f"{options.file}: {said}{problem['place']}: {problem['message']} {problem['cure']}", file=sys.stderr)
    if result["ok"] and not options.json:
        found = "It can be run, with warnings" if result["problems"] else "No problem found"
        print(f"{found}; {result['parameters']:,} parameters.")
    return 0 if result["ok"] else 1

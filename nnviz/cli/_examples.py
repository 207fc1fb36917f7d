"""The command `examples`."""

from __future__ import annotations

import argparse
from typing import Any

from nnviz.cli.arguments import add_json, command
from nnviz.cli.printing import print_table, show


def add_command(commands: Any) -> None:
    """Add `examples` with its options to the command line."""
    parser = command(commands, "examples", _examples, "list the documents that come with the program", file=False)
    add_json(parser)


def _examples(options: argparse.Namespace) -> int:
    from nnviz import jobs

    found = jobs.list_examples()
    return show(options, found, lambda: print_table([(example["name"], example["title"], example["description"]) for example in found]))

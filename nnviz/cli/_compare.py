"""The command `compare`."""

from __future__ import annotations

import argparse
from typing import Any

from nnviz.cli.arguments import add_document_options, command, count, setting
from nnviz.cli.printing import FIGURES, print_table, readable, show
from nnviz.document.run_length import DEFAULT_EPOCHS


def add_command(commands: Any) -> None:
    """Add `compare` with its options to the command line."""
    help = "train two documents side by side; say where they differ first, to the bit, and what comes of each"
    parser = command(commands, "compare", _compare, help, file=False)
    for name, which in (("file", "FILE_A"), ("other", "FILE_B")):
        parser.add_argument(name, metavar=which, help="a document, example:NAME or template:NAME")
    parser.add_argument("--iterations", type=count, metavar="N", help=f"how many parameter updates ({DEFAULT_EPOCHS} epochs)")
    for option, of in (("--set-a", "FILE_A"), ("--set-b", "FILE_B")):
        text = f"change {of}, as --set does; may be given several times"
        parser.add_argument(option, action="append", type=setting, default=[], metavar="[@ITERATION:]PATH=VALUE", help=text)
    add_document_options(parser)


def _compare(options: argparse.Namespace) -> int:
    from nnviz import jobs
    from nnviz.jobs import comparing

    sides = (options.file, options.set_a), (options.other, options.set_b)
    opened = [jobs.open_document(file, options.settings + own, options.seed, options.precision) for file, own in sides]
    value = comparing.compare(*opened, options.iterations)
    return show(options, value, lambda: _print_comparison(value, (options.file, options.other)))


def _print_comparison(value: dict[str, Any], files: tuple[str, str]) -> None:
    found = value["first_difference"]
    if found:
        print(f"First difference: {found['place']}.\n{found['difference_is']}\n")
    else:
        made = f"all of {value['compared']} iterations" if value["identical"] else f"the {value['compared']} iterations that both have made"
        print(f"No difference: both runs have the same bits in {made}.\n")
    named = [(entry["path"], *(readable(entry[side]) for side in ("first", "second"))) for entry in value["document"]]
    hidden = ("metrics", "loss_is", "verdict_is", "message", "digest", "verdict")
    columns = [{**run, **run["metrics"], "ended": run["verdict_is"]} for run in value["runs"]]
    rows = [(FIGURES.get(name, name.replace("_", " ")), *(column.get(name) for column in columns)) for name in columns[0]]
    shown = [row for row, name in zip(rows, columns[0], strict=True) if name not in hidden]
    print_table([("", *files), *named, *shown])

"""The command `sweep`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nnviz.document.sweep_plan import SweepAxis

from nnviz.cli.arguments import add_json, add_length, command, count
from nnviz.cli.printing import complain, print_table, readable, show


def add_command(commands: Any) -> None:
    """Add `sweep` with its options to the command line."""
    parser = command(
        commands, "sweep", _sweep, "train many times, with every combination of some settings or random ones: a row for each run"
    )
    text = "values of a setting, or what to draw it from: log:A..B, uniform:A..B, int:A..B; may be given several times"
    parser.add_argument("--set", action="append", type=_axis, default=[], metavar="[@ITERATION:]PATH=V1,V2,…", dest="axes", help=text)
    parser.add_argument("--seeds", type=count, default=1, metavar="N", help="each with so many seeds, from the document's on (1)")
    parser.add_argument("--random", type=count, metavar="N", dest="draws", help="so many random draws instead of every combination")
    parser.add_argument("--draw-seed", type=count, default=0, metavar="S", help="the seed of these draws (0)")
    add_length(parser, each=" each")
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--workers", type=count, metavar="N", help="how many processes on this machine (one for each core)")
    where.add_argument("--scheduler", metavar="ADDRESS", default="", help="on the dask.distributed cluster of this scheduler instead")
    parser.add_argument("--to", metavar="OUT", help="write the table there, from the first run on: csv or parquet")
    parser.add_argument("--resume", action="store_true", help="make only the runs that are not in OUT yet")
    parser.add_argument("--save", metavar="FOLDER", help="write the document of each run there, with its history")
    add_json(parser)


def _axis(text: str) -> SweepAxis:
    from nnviz.document.problems import Refused
    from nnviz.document.sweep_plan import read_axis

    try:
        return read_axis(text)
    except Refused as refused:
        raise argparse.ArgumentTypeError(str(refused)) from None


def _sweep(options: argparse.Namespace) -> int:
    from nnviz.document.sweep_plan import SweepOrder
    from nnviz.sweeps import sweeping

    if options.resume and not options.to:
        return complain("--resume needs --to.", code=2)
    sweeping.load_extras(options.to, options.scheduler)
    names = ("seeds", "draws", "draw_seed", "iterations", "epochs")
    order = SweepOrder(tuple(options.axes), **{name: getattr(options, name) for name in names})
    sweep = sweeping.opened(options.file, order)
    results = sweeping.SweepResults(sweep, sweeping.checked_out(options.to), sys.stderr if sys.stderr.isatty() else None)
    known = results.known(options.resume)
    if known and not options.resume:
        complain(f"Going on: {len(known):,} of {len(sweep.runs):,} runs are in {options.to} already and are not made again.")
    try:
        missing = results.fill(options.workers, options.scheduler, known)
    except sweeping.UnreachableError as error:
        return complain(str(error), code=2)
    if options.save:
        sweeping.save_documents(Path(options.save), results)
    show(options, results.plain, lambda: _print_sweep(results.plain))
    return complain(missing) if missing else 0


def _print_sweep(rows: Sequence[dict[str, Any]]) -> None:
    metrics = dict.fromkeys(name for row in rows for name in ("accuracy", "rmse") if name in row["metrics"])
    settings = [name for name in dict.fromkeys(name for row in rows for name in row["settings"]) if name != "seed"]
    head = ("run", *settings, "seed", "iterations", "loss", "validation loss", *metrics, "verdict", "digest")
    figures = ("seed", "iterations", "loss", "validation_loss")
    print_table(
        [
            head,
            *(
                (
                    *(row["run"], *(readable(row["settings"].get(name)) for name in settings), *(row[name] for name in figures)),
                    *(row["metrics"].get(name) for name in metrics),
                    *((row["stopped"], row["message"]) if row["stopped"] == "failed" else (row["verdict"], row["digest"][:12])),
                )
                for row in rows
            ),
        ]
    )

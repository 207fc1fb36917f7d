"""The command `export`: pictures, recordings, programs and files of a run, told apart by the ending of the file."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import Any

from nnviz.cli.arguments import add_set, command, count, size, span
from nnviz.cli.opening import document_of
from nnviz.cli.window_place import add_place_options, paint, place_of
from nnviz.ui.shell.layouts import WORKSPACES

GRAPH_FILES = (".dot", ".graphml", ".json")
PROGRAMS = (".py", ".ipynb")
RECORDINGS = (".mp4", ".gif")
PICTURED = ("graph", "network", "plots", "window")
TABLES = ("curves", "histograms")
BY_NAME = (*TABLES, "iteration", "generator", "discriminator")
"""What --what makes of a file of a run, whose ending does not tell it."""
RUN_FILES = {".onnx": "network", ".safetensors": "weights", ".tfevents": "events", ".csv": "curves", ".parquet": "curves"}
"""What files with these endings are made of, all of a run."""


def add_command(commands: Any) -> None:
    """Add `export` with its options to the command line."""
    parser = command(commands, "export", _export, "write pictures, weights, tables and other files of a network and its run")
    formats = "svg, png, pdf, dot, graphml, json; mp4, gif; py, ipynb (the run as a program); onnx, safetensors, tfevents, csv, parquet"
    parser.add_argument("--to", required=True, metavar="OUT", help=f"its ending says the format: {formats}")
    parser.add_argument(
        "--what",
        choices=(*PICTURED, *BY_NAME),
        help="what to write: of pictures graph, of tables curves by default; iteration: one by hand (ipynb); a side (onnx)",
    )
    parser.add_argument("--every", type=count, default=0, metavar="N", help="measure layers after every N iterations (100 times in all)")
    along = parser.add_mutually_exclusive_group()
    along.add_argument("--steps", type=span, metavar="A:B[:EVERY]", help="record these steps of the iteration (all of them)")
    along.add_argument("--iterations", type=span, metavar="A:B[:EVERY]", help="record these iterations of the run")
    parser.add_argument("--speed", type=float, default=4.0, metavar="N", help="pictures a second of a recording (4)")
    parser.add_argument("--panel", default="", metavar="NAME", help="picture or recording of this panel: loss, inspector, microscope, ...")
    parser.add_argument("--width", type=float, metavar="CM", help="of a picture on the page, in centimetres (96 pixels an inch)")
    parser.add_argument("--workspace", choices=tuple(WORKSPACES), default="step", help="of a picture of the window or the plots (step)")
    parser.add_argument("--size", type=size, default=(1600, 1000), metavar="WIDTHxHEIGHT", help="of window and recording (1600x1000)")
    parser.add_argument("--branch", metavar="NAME", help="of a program: this run that was saved in the document's file")
    parser.add_argument("--seed", type=count, help="another seed than the document's, for files of a run")
    parser.add_argument("--precision", choices=("float32", "float64"), help="another precision than the document's, for files of a run")
    add_set(parser)
    add_place_options(parser)
    parser.set_defaults(iteration=None)


def _export(options: argparse.Namespace) -> int:
    out = Path(options.to)
    suffix, what = out.suffix.lower(), options.what or "graph"
    if suffix in PROGRAMS and what != "iteration":
        return _export_program(options, out)
    options.iteration = options.iteration or 0
    if suffix in RUN_FILES or what in BY_NAME:
        return _export_run(options, suffix)
    if options.settings or any(value is not None for value in (options.seed, options.precision, options.branch)):
        raise ValueError("--set, --seed, --precision and --branch are for files of a run: save the document with them, and export that.")
    if suffix in RECORDINGS:
        return _record(options, out)
    if options.width is not None and not 0 < options.width <= 1000:
        raise ValueError(f"--width {options.width:g}: a picture is wider than 0 cm, and at most 1000 cm wide.")
    if options.panel or what != "graph" or suffix not in GRAPH_FILES:
        return paint("export", options, out, options.panel or what, options.width)
    from nnviz import jobs
    from nnviz.document.store.files import replace_file
    from nnviz.export import graph_files

    record = jobs.trace_record(document_of(options), options.iteration, options.detail, details=options.details)
    steps = len(record.steps)
    if options.step is not None and options.step > steps:
        raise jobs.JobError(f"The iteration has {steps} steps; --step {options.step} is beyond its end.")
    text = graph_files.WRITERS[out.suffix.lower()[1:]](record, steps if options.step is None else options.step)
    replace_file(out, text.encode())
    return 0


def _export_program(options: argparse.Namespace, out: Path) -> int:
    from nnviz.document.store.files import replace_file
    from nnviz.jobs.code_exporting import program_text

    replace_file(out, program_text(document_of(options), out.suffix.lower(), options.iteration).encode())
    return 0


def _export_run(options: argparse.Namespace, suffix: str) -> int:
    from nnviz import jobs
    from nnviz.records.task_records import FileTask

    what = options.what if options.what in BY_NAME else RUN_FILES[suffix]
    task = FileTask(options.to, what, options.every)
    print(jobs.write_file(document_of(options), options.iteration, task), file=sys.stderr)
    return 0


def _record(options: argparse.Namespace, out: Path) -> int:
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    from nnviz.ui.shell import offscreen

    along = "iterations" if options.iterations else "steps"
    span = options.iterations or options.steps
    job = place_of(options, iteration=span[0]) if options.iterations else place_of(options)
    what = options.panel or options.what or "graph"
    print(offscreen.record(job, out, what, along, span, options.speed, _tell_progress), file=sys.stderr)
    return 0


def _tell_progress(done: int, total: int) -> None:
    """Say on a terminal how far a recording is; Ctrl+C cancels it."""
    if sys.stderr.isatty():
        print(f"\r\x1b[Kpicture {done} of {total}" if done < total else "\r\x1b[K", end="", file=sys.stderr, flush=True)

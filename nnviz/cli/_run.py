"""The command `run`."""

from __future__ import annotations

import argparse
from typing import Any

from nnviz.cli.arguments import add_document_options, add_length, command
from nnviz.cli.opening import document_of
from nnviz.cli.printing import FIGURES, complain, print_findings, print_table, show


def add_command(commands: Any) -> None:
    """Add `run` with its options to the command line."""
    moments = "loss is that of the last iteration's batch, before its update, and all others are of the weights after it"
    parser = command(commands, "run", _run, f"train, and print the figures at the end; {moments}")
    add_length(parser)
    what = parser.add_mutually_exclusive_group()
    parser.add_argument("--weights", metavar="FILE", help="begin with the weights of a safetensors file, by name, as far as they fit")
    what.add_argument("--save", metavar="OUT", help="write the document with the trained weights")
    what.add_argument("--calls", action="store_true", help="print the calls of torch that one iteration is made of, and nothing else")
    parser.add_argument("--breakpoints", action="store_true", help="stop where the document's breakpoints do, and say which one")
    parser.add_argument("--branch", metavar="NAME", help="make this run again that was saved in the document's file, as far as it came")
    add_document_options(parser)


def _run(options: argparse.Namespace) -> int:
    if options.calls:
        return _calls(options)
    from nnviz import jobs

    document = document_of(options)
    result = jobs.run(document, options.iterations, options.epochs, options.save, options.breakpoints)
    left, stop = result.pop("changes_left"), result["breakpoint"]
    said = {"stopped": f"{result['stopped']}: {result['message']}"} if result["message"] else {}
    said = {"stopped": f"breakpoint: {stop['reason']}, before iteration {stop['iteration']}"} if stop else said
    written = FIGURES if result["iterations"] else FIGURES | {"loss": "loss"}
    hidden = ("metrics", "findings", "breakpoint", "loss_is", "message")
    figures = {**result, **result["metrics"], **said}
    rows = [(written.get(name, name.replace("_", " ")), value) for name, value in figures.items() if name not in hidden]
    code = show(options, result, lambda: (print_table(rows), print_findings(result["findings"])))
    ignored = 0 if options.breakpoints else sum(one.enabled for one in document.experiment.breakpoints)
    if ignored:
        complain(f"The run did not look at the document's breakpoints ({ignored} switched on). Use --breakpoints to stop there.")
    if not left:
        return code
    return complain(f"{left} of the settings with @ lie beyond the end of the run (iteration {result['iterations']}) and were not made.")


def _calls(options: argparse.Namespace) -> int:
    from nnviz import jobs
    from nnviz.text.call_table import call_table

    listed = jobs.list_calls(document_of(options), options.iterations, options.epochs, options.breakpoints)
    calls = [{name: getattr(call, name) for name in ("number", "phase", "layer", "title", "code")} for call in listed.calls]
    return show(options, {"calls": calls, "reason": listed.reason}, lambda: print(call_table(listed)))

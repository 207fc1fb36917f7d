"""The command `doctor`."""

from __future__ import annotations

import argparse
from typing import Any

from nnviz.cli.arguments import add_document_options, add_length, command
from nnviz.cli.opening import document_of
from nnviz.cli.printing import print_findings, show


def add_command(commands: Any) -> None:
    """Add `doctor` with its options to the command line."""
    parser = command(commands, "doctor", _doctor, "train, say what keeps the net from learning, and try what may cure it")
    add_length(parser)
    text = "whose cures are tried, each in a run of its own beside this one: none, the first finding's, or all (first)"
    parser.add_argument("--try", choices=("none", "first", "all"), default="first", dest="tries", help=text)
    asked = "answer this instead: is it noise or the rate, does it use its inputs, is the sum or the mean meant"
    parser.add_argument("--ask", choices=("noise", "inputs", "reduction"), help=asked)
    add_document_options(parser)


def _doctor(options: argparse.Namespace) -> int:
    from nnviz.jobs import diagnosing

    if options.ask:
        value = diagnosing.asked(document_of(options), options.ask, options.iterations, options.epochs)
        return show(options, value, lambda: print(value["answer"]))
    value = diagnosing.diagnosed(document_of(options), options.iterations, options.epochs, options.tries)
    return show(options, value, lambda: _print_diagnosis(value))


def _print_diagnosis(value: dict[str, Any]) -> None:
    print(f"{value['iterations']} iterations, {value['checkups']} checkups, loss {value['loss']:.6g}.")
    if value["message"]:
        print(value["message"])
    print_findings(value["findings"])
    if not value["findings"]:
        print("Nothing is found." if value["judged"] else "Nothing is found; the run is too short to judge gradients and rates.")

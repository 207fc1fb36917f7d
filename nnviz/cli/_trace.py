"""The command `trace`."""

from __future__ import annotations

import argparse
from typing import Any

from nnviz.cli.arguments import add_detail, add_document_options, command, count
from nnviz.cli.opening import document_of
from nnviz.cli.printing import print_table, short, show


def add_command(commands: Any) -> None:
    """Add `trace` with its options to the command line."""
    parser = command(commands, "trace", _trace, "print one iteration, node by node")
    parser.add_argument("--iteration", type=count, default=0, metavar="N", help="the iteration that follows N finished ones (0)")
    parser.add_argument("--sample", type=count, metavar="K", help="with training row K alone instead of the batch")
    add_detail(parser)
    add_document_options(parser)


def _trace(options: argparse.Namespace) -> int:
    from nnviz import jobs

    value = jobs.trace(document_of(options), options.iteration, options.detail, options.sample, options.details)
    return show(options, value, lambda: _print_trace(value))


def _print_trace(value: dict[str, Any]) -> None:
    print(f"iteration {value['iteration']}, loss {value['loss']:.6g}, {value['detail']}, worst error {value['worst_error']:.1e}\n")
    rows = [("id", "kind", "label", "module", "inputs", "shape", "value", "gradient")]
    rows += [
        (
            node["id"],
            node["kind"],
            node["label"],
            node["module"],
            " ".join(map(str, node["inputs"])),
            node["shape"],
            short(node["value"]),
            short(node["gradient"]),
        )
        for node in value["nodes"]
    ]
    print_table(rows)
    phases = [step["phase"] for step in value["steps"]]
    print("\n" + " · ".join(f"{phase} {phases.count(phase)}" for phase in dict.fromkeys(phases)))
    for note in value["notes"]:
        print(note)

"""The command `sample`."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from typing import Any

from nnviz.cli.arguments import add_document_options, command, count
from nnviz.cli.opening import document_of
from nnviz.cli.printing import show


def add_command(commands: Any) -> None:
    """Add `sample` with its options to the command line."""
    what = "print new rows, as CSV: what a generator, or the decoder behind a Gaussian latent layer, makes of random numbers"
    parser = command(commands, "sample", _sample, what)
    parser.add_argument("--iteration", type=count, default=0, metavar="N", help="after N iterations (0)")
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--count", type=count, default=100, metavar="N", help="how many rows (100)")
    how.add_argument("--grid", type=count, metavar="N", help="instead those of a grid of N times N places over two random numbers")
    parser.add_argument("--draw", type=count, default=0, metavar="S", help="the seed of the random numbers (0)")
    add_document_options(parser)


def _sample(options: argparse.Namespace) -> int:
    from nnviz import jobs

    value = jobs.sample(document_of(options), options.iteration, options.count, options.draw, options.grid)
    return show(options, value, lambda: _print_rows(value["columns"], value["rows"]))


def _print_rows(columns: Sequence[str], rows: Iterable[Sequence[float]]) -> None:
    print(",".join(columns))
    for row in rows:
        print(",".join(f"{value:.6g}" for value in row))

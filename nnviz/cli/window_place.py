"""What is painted without a screen: the place the window stands at, and the process of Qt that paints it."""

from __future__ import annotations

import argparse
import os
import sys
from typing import Any

from nnviz.cli.arguments import add_detail, count


def add_place_options(parser: argparse.ArgumentParser) -> None:
    """Add what says where in the run the window stands, and how it looks."""
    parser.add_argument("--iteration", type=count, default=0, metavar="N", help="after N iterations (0)")
    parser.add_argument("--step", type=count, metavar="K", help="after K steps of the iteration (all)")
    parser.add_argument("--theme", choices=("light", "dark"), default="light")
    add_detail(parser)


def paint(what: str, options: argparse.Namespace, *arguments: Any) -> int:
    """Paint an `export` or a `screenshot`; return the exit code."""
    os.environ["QT_QPA_PLATFORM"] = "offscreen"  # whatever is set: there may be no display
    from nnviz.ui.shell import offscreen

    if told := getattr(offscreen, what)(place_of(options), *arguments):
        print(told, file=sys.stderr)
    return 0


def place_of(options: argparse.Namespace, **changed: Any) -> Any:
    """Return where the window shall stand."""
    from nnviz.ui.shell import offscreen

    names = (
        "file",
        "workspace",
        "iteration",
        "step",
        "size",
        "theme",
        "detail",
        "details",
        "panel",
        "node",
        "element",
        "lesson",
        "lesson_step",
        "is_answered",
    )
    unfold = tuple(getattr(options, "unfold", ()))
    given = {name: getattr(options, name) for name in names if hasattr(options, name)} | changed
    return offscreen.Job(**given, unfold=unfold)

"""The command `screenshot`."""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import Any

from nnviz.cli.arguments import command, count, size
from nnviz.cli.window_place import add_place_options, paint
from nnviz.ui.shell.layouts import WORKSPACES


def add_command(commands: Any) -> None:
    """Add `screenshot` with its options to the command line."""
    parser = command(commands, "screenshot", _screenshot, "paint the window without a screen")
    parser.add_argument("out", metavar="OUT.png", help="the picture to write")
    parser.add_argument("--workspace", choices=tuple(WORKSPACES), default="step", help="which workspace (step)")
    parser.add_argument("--size", type=size, default=(1600, 1000), metavar="WIDTHxHEIGHT", help="in pixels (1600x1000)")
    parser.add_argument("--panel", default="", metavar="NAME", help="paint this panel alone: graph, network, inspector, microscope, ...")
    parser.add_argument("--node", default="", metavar="PATH", help="the node to look at: h1/relu, or a parameter as h1.weight")
    parser.add_argument("--element", type=_element, default=(), metavar="I,J", help="which of its elements is worked out")
    parser.add_argument("--lesson", default="", metavar="NAME", help="stand at a step of this lesson, which opens its own document")
    parser.add_argument("--lesson-step", type=count, default=1, metavar="K", help="which step of it, from 1 (1)")
    parser.add_argument("--answered", action="store_true", dest="is_answered", help="with the answer to its question")
    parser.add_argument(
        "--unfold", action="append", default=[], metavar="GROUP", help="open this group, all others folded; may be repeated"
    )
    add_place_options(parser)


def _element(text: str) -> tuple[int, ...]:
    if not re.fullmatch(r"\d{1,9}(,\d{1,9})*", text, re.ASCII):
        raise argparse.ArgumentTypeError(f"{text!r} is not an element such as 2,0")
    return tuple(map(int, text.split(",")))


def _screenshot(options: argparse.Namespace) -> int:
    return paint("screenshot", options, Path(options.out))

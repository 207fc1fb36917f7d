"""The arguments that several commands take, and how their words are read."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from nnviz.document.run_length import DEFAULT_EPOCHS

if TYPE_CHECKING:
    from nnviz.jobs import Setting


def command(commands: Any, name: str, job: Callable, help: str, file: bool = True) -> argparse.ArgumentParser:
    """Return the parser of a new command, which does this job and takes a document unless `file` is false."""
    parser = commands.add_parser(name, help=help, description=help[0].upper() + help[1:] + ".")
    if file:
        parser.add_argument("file", metavar="FILE", help="a document, example:NAME or template:NAME")
    parser.set_defaults(job=job)
    return parser


def add_document_options(parser: argparse.ArgumentParser) -> None:
    """Add what changes the document before the run, and --json."""
    parser.add_argument("--seed", type=count, help="another seed than the document's")
    parser.add_argument("--precision", choices=("float32", "float64"), help="another precision than the document's")
    add_set(parser)
    add_json(parser)


def add_json(parser: argparse.ArgumentParser) -> None:
    """Add --json."""
    parser.add_argument("--json", action="store_true", help="print one JSON value")


def add_length(parser: argparse.ArgumentParser, each: str = "") -> None:
    """Add --iterations and --epochs, of which one may be given. `each` is said behind both where there are several runs."""
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--iterations", type=count, metavar="N", help=f"how many parameter updates{each}")
    length.add_argument("--epochs", type=count, metavar="N", help=f"how many passes over the training data{each} ({DEFAULT_EPOCHS})")


def add_set(parser: argparse.ArgumentParser) -> None:
    """Add --set, of which there may be several."""
    text = "change the document before the run, or with @ITERATION: in the course of it; may be given several times"
    parser.add_argument("--set", action="append", type=setting, default=[], metavar="[@ITERATION:]PATH=VALUE", dest="settings", help=text)


def add_detail(parser: argparse.ArgumentParser) -> None:
    """Add --detail and --detail-of."""
    choices = ("layer", "textbook", "math", "neurons")
    parser.add_argument("--detail", choices=choices, default="textbook", help="how far calls are opened in the graph (textbook)")
    text = "another detail inside one layer or group, as memory=layer; may be given several times"
    parser.add_argument("--detail-of", action="append", default=[], type=_detail_of, metavar="PATH=DETAIL", dest="details", help=text)


def count(text: str) -> int:
    """Return a whole number from 0 up. This and what follows raise ArgumentTypeError with a sentence."""
    if not re.fullmatch(r"\d{1,15}", text, re.ASCII):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 0 up")
    return int(text)


def size(text: str) -> tuple[int, int]:
    """Return the width and height, in pixels, of `1600x1000`."""
    match = re.fullmatch(r"(\d{3,4})[x×](\d{3,4})", text, re.ASCII)
    if not match:
        raise argparse.ArgumentTypeError(f"{text!r} is not a size such as 1600x1000")
    return int(match[1]), int(match[2])


def span(text: str) -> tuple[int, int, int]:
    """Return first, last and distance of `0:1000:20`; the distance is 1 where none is given."""
    match = re.fullmatch(r"(\d{1,9}):(\d{1,9})(?::(\d{1,9}))?", text, re.ASCII)
    if not match or int(match[1]) > int(match[2]) or match[3] == "0":
        raise argparse.ArgumentTypeError(f"{text!r} is not a range such as 0:40, or 0:1000:20 for every twentieth")
    return int(match[1]), int(match[2]), int(match[3] or 1)


def _detail_of(text: str) -> tuple[str, str]:
    path, _, detail = text.partition("=")
    if not path or detail not in ("layer", "textbook", "math"):
        raise argparse.ArgumentTypeError(f"{text!r} is not PATH=DETAIL, such as memory=layer: a detail is layer, textbook or math")
    return path, detail


def setting(text: str) -> Setting:
    """Return what `PATH=VALUE` or `@ITERATION:PATH=VALUE` sets."""
    from nnviz.jobs import Setting

    match = re.fullmatch(r"(?:@(\d{1,15}):)?([^=]+)=(.*)", text, re.ASCII | re.DOTALL)
    if not match or (text.startswith("@") and match[1] is None):
        raise argparse.ArgumentTypeError(f"{text!r} is not PATH=VALUE or @ITERATION:PATH=VALUE")
    return Setting(match[2].strip(), match[3], None if match[1] is None else int(match[1]))

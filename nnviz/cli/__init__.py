"""The command line: which words mean which job, and which exit code what ends it has.

Exit: 0 done, 1 the job failed, 2 bad usage. The jobs are imported where they are used: the window needs none of them and is painted
before numbers are loaded.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Callable, Sequence

from nnviz import __version__
from nnviz.cli import _compare, _doctor, _document_check, _examples, _export, _lessons, _run, _sample, _screenshot, _sweep, _trace
from nnviz.cli._window import open_window, window_parser
from nnviz.cli.printing import complain
from nnviz.extras import MissingExtra

COMMANDS = {
    "run": _run,
    "compare": _compare,
    "sweep": _sweep,
    "doctor": _doctor,
    "trace": _trace,
    "sample": _sample,
    "export": _export,
    "screenshot": _screenshot,
    "check": _document_check,
    "examples": _examples,
    "lessons": _lessons,
}
"""Which module adds which command, in the order in which they are listed."""


def main(arguments: Sequence[str]) -> int:
    """Do what the arguments ask for; return the exit code."""
    _make_printable()
    try:
        words = list(arguments)
        options = _parser().parse_args(words) if _names_a_command(words) else window_parser().parse_args(words)
    except SystemExit as exit:
        return exit.code if isinstance(exit.code, int) else 2
    return _exit_code(options.job, options)


def _names_a_command(words: list[str]) -> bool:
    return bool(words) and (words[0] in COMMANDS or words[0] in ("-h", "--help", "--version"))


def _exit_code(job: Callable[[argparse.Namespace], int], options: argparse.Namespace) -> int:
    if job is not open_window and signal.getsignal(signal.SIGINT) is signal.SIG_DFL:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        code = job(options)
        sys.stdout.flush()
        return code
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # whoever read has enough; say nothing at exit either
        return 1
    except KeyboardInterrupt:
        return complain("Stopped.")
    except MissingExtra as error:
        return complain(str(error), code=2)
    except ImportError as error:
        return complain(_missing(error))
    except Exception as error:
        from nnviz import jobs

        return complain(jobs.sentence_of(error))


def _missing(error: ImportError) -> str:
    name = (error.name or "").partition(".")[0]
    if name == "torch":
        return "torch is not installed. Install it with: pip install torch==2.13.0"
    return f"{name or 'A library'} cannot be loaded ({error}). Install nnviz again with: pip install nnviz"


def _make_printable() -> None:
    """A console that lacks a letter shows its code instead of failing."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "nnviz",
        description="A microscope for neural networks. Without a command, `nnviz [FILE]` opens the window, and `nnviz MODEL.py[:FUNCTION] "
        "[--yes]` one on the module that a function of a Python file returns, alone or with its inputs: it asks before the file is run, "
        "in a process of its own; --yes agrees.",
        epilog="FILE is a path, example:NAME or template:NAME; `nnviz examples` lists the examples.",
    )
    parser.add_argument("--version", action="version", version=f"nnviz {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for module in COMMANDS.values():
        module.add_command(commands)
    return parser

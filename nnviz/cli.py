"""The command line: which words mean which job, and how results and errors are printed.

One JSON value on stdout with --json; everything that is not the result goes to stderr. Exit: 0 done, 1 the job failed, 2 bad usage.
The jobs are imported where they are used: the window needs none of them and is painted before numbers are loaded.
Long because every word of the command line is read and explained here.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import re
import signal
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nnviz import __version__
from nnviz.document.training import DEFAULT_EPOCHS
from nnviz.extras import MissingExtra
from nnviz.records.python_file import PythonFileError, named_maker, read_python_file
from nnviz.ui.shell.layouts import WORKSPACES

if TYPE_CHECKING:
    from nnviz.document.sweep_plan import SweepAxis
    from nnviz.jobs import OpenedFile, Setting

GRAPH_FILES = (".dot", ".graphml", ".json")
PROGRAMS = (".py", ".ipynb")
RECORDINGS = (".mp4", ".gif")
PICTURED = ("graph", "network", "plots", "window")
TABLES = ("curves", "histograms")
BY_NAME = (*TABLES, "iteration")
"""What --what makes of a file of a run, whose ending does not tell it."""
RUN_FILES = {".onnx": "network", ".safetensors": "weights", ".tfevents": "events", ".csv": "curves", ".parquet": "curves"}
"""What files with these endings are made of, all of a run."""
_FIGURES = {"loss": "loss of the last batch", "precision": "mean precision", "recall": "mean recall", "f1": "mean F1"}
"""What figures of a run are called where their names do not say enough."""
JOBS = ("run", "compare", "sweep", "doctor", "trace", "sample", "export", "screenshot", "check", "examples", "lessons")


def main(arguments: Sequence[str]) -> int:
    """Do what the arguments ask for; return the exit code."""
    _make_printable()
    try:
        words = list(arguments)
        options = _parser().parse_args(words) if _names_a_job(words) else _window_parser().parse_args(words)
    except SystemExit as exit:
        return exit.code if isinstance(exit.code, int) else 2
    return _exit_code(options.job, options)


def _names_a_job(words: list[str]) -> bool:
    return bool(words) and (words[0] in JOBS or words[0] in ("-h", "--help", "--version"))


def _exit_code(job: Callable[[argparse.Namespace], int], options: argparse.Namespace) -> int:
    if job is not _window and signal.getsignal(signal.SIGINT) is signal.SIG_DFL:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        code = job(options)
        sys.stdout.flush()
        return code
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # whoever read has enough; say nothing at exit either
        return 1
    except KeyboardInterrupt:
        return _complain("Stopped.")
    except MissingExtra as error:
        return _complain(str(error), code=2)
    except ImportError as error:
        return _complain(_missing(error))
    except Exception as error:
        from nnviz import jobs

        return _complain(jobs.sentence_of(error))


def _missing(error: ImportError) -> str:
    name = (error.name or "").partition(".")[0]
    if name == "torch":
        return "torch is not installed. Install it with: pip install torch==2.13.0"
    return f"{name or 'A library'} cannot be loaded ({error}). Install nnviz again with: pip install nnviz"


def _complain(sentence: str, code: int = 1) -> int:
    print(sentence, file=sys.stderr)
    return code


def _make_printable() -> None:
    """A console that lacks a letter shows its code instead of failing."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


# --- arguments ---


def _window_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("nnviz", description="Open the window. `nnviz --help` lists what else there is.", add_help=False)
    parser.add_argument("file", nargs="?", metavar="FILE", help="a document to open, example:NAME or template:NAME")
    _add_yes(parser)
    parser.set_defaults(job=_window)
    return parser


def _add_yes(parser: argparse.ArgumentParser) -> None:
    text = "run the Python file of `nnviz MODEL.py[:FUNCTION]` without asking first"
    parser.add_argument("--yes", action="store_true", help=text)


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
    adds = (_add_run, _add_compare, _add_sweep, _add_doctor, _add_trace, _add_sample, _add_export, _add_screenshot, _add_check)
    for add in (*adds, _add_examples, _add_lessons):
        add(commands)
    return parser


def _command(commands: Any, name: str, job: Callable, help: str, file: bool = True) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=help, description=help[0].upper() + help[1:] + ".")
    if file:
        parser.add_argument("file", metavar="FILE", help="a document, example:NAME or template:NAME")
    parser.set_defaults(job=job)
    return parser


def _add_document_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seed", type=_count, help="another seed than the document's")
    parser.add_argument("--precision", choices=("float32", "float64"), help="another precision than the document's")
    _add_set(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON value")


def _add_set(parser: argparse.ArgumentParser) -> None:
    text = "change the document before the run, or with @ITERATION: in the course of it; may be given several times"
    parser.add_argument("--set", action="append", type=_setting, default=[], metavar="[@ITERATION:]PATH=VALUE", dest="settings", help=text)


def _add_run(commands: Any) -> None:
    moments = "loss is that of the last iteration's batch, before its update, and all others are of the weights after it"
    parser = _command(commands, "run", _run, f"train, and print the figures at the end; {moments}")
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--iterations", type=_count, metavar="N", help="how many parameter updates")
    length.add_argument("--epochs", type=_count, metavar="N", help=f"how many passes over the training data ({DEFAULT_EPOCHS})")
    what = parser.add_mutually_exclusive_group()
    parser.add_argument("--weights", metavar="FILE", help="begin with the weights of a safetensors file, by name, as far as they fit")
    what.add_argument("--save", metavar="OUT", help="write the document with the trained weights")
    what.add_argument("--calls", action="store_true", help="print the calls of torch that one iteration is made of, and nothing else")
    parser.add_argument("--breakpoints", action="store_true", help="stop where the document's breakpoints do, and say which one")
    parser.add_argument("--branch", metavar="NAME", help="make this run again that was saved in the document's file, as far as it came")
    _add_document_options(parser)


def _add_compare(commands: Any) -> None:
    help = "train two documents side by side; say where they differ first, to the bit, and what comes of each"
    parser = _command(commands, "compare", _compare, help, file=False)
    for name, which in (("file", "FILE_A"), ("other", "FILE_B")):
        parser.add_argument(name, metavar=which, help="a document, example:NAME or template:NAME")
    parser.add_argument("--iterations", type=_count, metavar="N", help=f"how many parameter updates ({DEFAULT_EPOCHS} epochs)")
    for option, of in (("--set-a", "FILE_A"), ("--set-b", "FILE_B")):
        text = f"change {of}, as --set does; may be given several times"
        parser.add_argument(option, action="append", type=_setting, default=[], metavar="[@ITERATION:]PATH=VALUE", help=text)
    _add_document_options(parser)


def _add_sweep(commands: Any) -> None:
    parser = _command(
        commands, "sweep", _sweep, "train many times, with every combination of some settings or random ones: a row for each run"
    )
    text = "values of a setting, or what to draw it from: log:A..B, uniform:A..B, int:A..B; may be given several times"
    parser.add_argument("--set", action="append", type=_axis, default=[], metavar="[@ITERATION:]PATH=V1,V2,…", dest="axes", help=text)
    parser.add_argument("--seeds", type=_count, default=1, metavar="N", help="each with so many seeds, from the document's on (1)")
    parser.add_argument("--random", type=_count, metavar="N", dest="draws", help="so many random draws instead of every combination")
    parser.add_argument("--draw-seed", type=_count, default=0, metavar="S", help="the seed of these draws (0)")
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--iterations", type=_count, metavar="N", help="how many parameter updates each")
    length.add_argument("--epochs", type=_count, metavar="N", help=f"how many passes over the training data each ({DEFAULT_EPOCHS})")
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--workers", type=_count, metavar="N", help="how many processes on this machine (one for each core)")
    where.add_argument("--scheduler", metavar="ADDRESS", default="", help="on the dask.distributed cluster of this scheduler instead")
    parser.add_argument("--to", metavar="OUT", help="write the table there, from the first run on: csv or parquet")
    parser.add_argument("--resume", action="store_true", help="make only the runs that are not in OUT yet")
    parser.add_argument("--save", metavar="FOLDER", help="write the document of each run there, with its history")
    parser.add_argument("--json", action="store_true", help="print one JSON value")


def _add_doctor(commands: Any) -> None:
    parser = _command(commands, "doctor", _doctor, "train, say what keeps the net from learning, and try what may cure it")
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--iterations", type=_count, metavar="N", help="how many parameter updates")
    length.add_argument("--epochs", type=_count, metavar="N", help=f"how many passes over the training data ({DEFAULT_EPOCHS})")
    text = "whose cures are tried, each in a run of its own beside this one: none, the first finding's, or all (first)"
    parser.add_argument("--try", choices=("none", "first", "all"), default="first", dest="tries", help=text)
    asked = "answer this instead: is it noise or the rate, does it use its inputs, is the sum or the mean meant"
    parser.add_argument("--ask", choices=("noise", "inputs", "reduction"), help=asked)
    _add_document_options(parser)


def _add_trace(commands: Any) -> None:
    parser = _command(commands, "trace", _trace, "print one iteration, node by node")
    parser.add_argument("--iteration", type=_count, default=0, metavar="N", help="the iteration that follows N finished ones (0)")
    parser.add_argument("--sample", type=_count, metavar="K", help="with training row K alone instead of the batch")
    _add_detail(parser)
    _add_document_options(parser)


def _add_sample(commands: Any) -> None:
    what = "print new rows, as CSV: what a generator, or the decoder behind a Gaussian latent layer, makes of random numbers"
    parser = _command(commands, "sample", _sample, what)
    parser.add_argument("--iteration", type=_count, default=0, metavar="N", help="after N iterations (0)")
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--count", type=_count, default=100, metavar="N", help="how many rows (100)")
    how.add_argument("--grid", type=_count, metavar="N", help="instead those of a grid of N times N places over two random numbers")
    parser.add_argument("--draw", type=_count, default=0, metavar="S", help="the seed of the random numbers (0)")
    _add_document_options(parser)


def _add_detail(parser: argparse.ArgumentParser) -> None:
    choices = ("layer", "textbook", "math", "neurons")
    parser.add_argument("--detail", choices=choices, default="textbook", help="how far calls are opened in the graph (textbook)")
    text = "another detail inside one layer or group, as memory=layer; may be given several times"
    parser.add_argument("--detail-of", action="append", default=[], type=_detail_of, metavar="PATH=DETAIL", dest="details", help=text)


def _add_export(commands: Any) -> None:
    parser = _command(commands, "export", _export, "write pictures, weights, tables and other files of a network and its run")
    formats = "svg, png, pdf, dot, graphml, json; mp4, gif; py, ipynb (the run as a program); onnx, safetensors, tfevents, csv, parquet"
    parser.add_argument("--to", required=True, metavar="OUT", help=f"its ending says the format: {formats}")
    parser.add_argument(
        "--what",
        choices=(*PICTURED, *BY_NAME),
        help="what to write: of pictures graph, of tables curves by default; iteration: one by hand (ipynb)",
    )
    parser.add_argument("--every", type=_count, default=0, metavar="N", help="measure layers after every N iterations (100 times in all)")
    span = parser.add_mutually_exclusive_group()
    span.add_argument("--steps", type=_span, metavar="A:B[:EVERY]", help="record these steps of the iteration (all of them)")
    span.add_argument("--iterations", type=_span, metavar="A:B[:EVERY]", help="record these iterations of the run")
    parser.add_argument("--speed", type=float, default=4.0, metavar="N", help="pictures a second of a recording (4)")
    parser.add_argument("--panel", default="", metavar="NAME", help="picture or recording of this panel: loss, inspector, microscope, ...")
    parser.add_argument("--width", type=float, metavar="CM", help="of a picture on the page, in centimetres (96 pixels an inch)")
    parser.add_argument("--workspace", choices=tuple(WORKSPACES), default="step", help="of a picture of the window or the plots (step)")
    parser.add_argument("--size", type=_size, default=(1600, 1000), metavar="WIDTHxHEIGHT", help="of window and recording (1600x1000)")
    parser.add_argument("--branch", metavar="NAME", help="of a program: this run that was saved in the document's file")
    parser.add_argument("--seed", type=_count, help="another seed than the document's, for files of a run")
    parser.add_argument("--precision", choices=("float32", "float64"), help="another precision than the document's, for files of a run")
    _add_set(parser)
    _add_place_options(parser)
    parser.set_defaults(iteration=None)


def _add_screenshot(commands: Any) -> None:
    parser = _command(commands, "screenshot", _screenshot, "paint the window without a screen")
    parser.add_argument("out", metavar="OUT.png", help="the picture to write")
    parser.add_argument("--workspace", choices=tuple(WORKSPACES), default="step", help="which workspace (step)")
    parser.add_argument("--size", type=_size, default=(1600, 1000), metavar="WIDTHxHEIGHT", help="in pixels (1600x1000)")
    parser.add_argument("--panel", default="", metavar="NAME", help="paint this panel alone: graph, network, inspector, microscope, ...")
    parser.add_argument("--node", default="", metavar="PATH", help="the node to look at: h1/relu, or a parameter as h1.weight")
    parser.add_argument("--element", type=_element, default=(), metavar="I,J", help="which of its elements is worked out")
    parser.add_argument("--lesson", default="", metavar="NAME", help="stand at a step of this lesson, which opens its own document")
    parser.add_argument("--lesson-step", type=_count, default=1, metavar="K", help="which step of it, from 1 (1)")
    parser.add_argument("--answered", action="store_true", dest="is_answered", help="with the answer to its question")
    parser.add_argument(
        "--unfold", action="append", default=[], metavar="GROUP", help="open this group, all others folded; may be repeated"
    )
    _add_place_options(parser)


def _add_place_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--iteration", type=_count, default=0, metavar="N", help="after N iterations (0)")
    parser.add_argument("--step", type=_count, metavar="K", help="after K steps of the iteration (all)")
    parser.add_argument("--theme", choices=("light", "dark"), default="light")
    _add_detail(parser)


def _add_check(commands: Any) -> None:
    parser = _command(commands, "check", _check, "say what is wrong with a document, without building anything")
    _add_set(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON value")


def _add_examples(commands: Any) -> None:
    parser = _command(commands, "examples", _examples, "list the documents that come with the program", file=False)
    parser.add_argument("--json", action="store_true", help="print one JSON value")


def _add_lessons(commands: Any) -> None:
    parser = _command(commands, "lessons", _lessons, "list the lessons, play them and say whether all holds, or print one", file=False)
    parser.add_argument("name", nargs="?", metavar="NAME", help="a lesson by its name, or the file of one; with --questions a topic")
    parser.add_argument("--check", action="store_true", help="play it, or all, without a window: right and wrong answers, every claim")
    parser.add_argument("--to", metavar="OUT.pdf", help="write the lesson NAME as A4 pages: texts, questions, pictures, answers at the end")
    parser.add_argument("--no-answers", action="store_true", help="with --to: without the pages for the teacher")
    parser.add_argument("--questions", action="store_true", help="the questions of the interview mode instead, with their answers")
    parser.add_argument("--json", action="store_true", help="print one JSON value")


def _count(text: str) -> int:
    if not re.fullmatch(r"\d{1,15}", text, re.ASCII):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 0 up")
    return int(text)


def _size(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"(\d{3,4})[x×](\d{3,4})", text, re.ASCII)
    if not match:
        raise argparse.ArgumentTypeError(f"{text!r} is not a size such as 1600x1000")
    return int(match[1]), int(match[2])


def _span(text: str) -> tuple[int, int, int]:
    match = re.fullmatch(r"(\d{1,9}):(\d{1,9})(?::(\d{1,9}))?", text, re.ASCII)
    if not match or int(match[1]) > int(match[2]) or match[3] == "0":
        raise argparse.ArgumentTypeError(f"{text!r} is not a range such as 0:40, or 0:1000:20 for every twentieth")
    return int(match[1]), int(match[2]), int(match[3] or 1)


def _element(text: str) -> tuple[int, ...]:
    if not re.fullmatch(r"\d{1,9}(,\d{1,9})*", text, re.ASCII):
        raise argparse.ArgumentTypeError(f"{text!r} is not an element such as 2,0")
    return tuple(map(int, text.split(",")))


def _detail_of(text: str) -> tuple[str, str]:
    path, _, detail = text.partition("=")
    if not path or detail not in ("layer", "textbook", "math"):
        raise argparse.ArgumentTypeError(f"{text!r} is not PATH=DETAIL, such as memory=layer: a detail is layer, textbook or math")
    return path, detail


def _setting(text: str) -> Setting:
    from nnviz.jobs import Setting

    match = re.fullmatch(r"(?:@(\d{1,15}):)?([^=]+)=(.*)", text, re.ASCII | re.DOTALL)
    if not match or (text.startswith("@") and match[1] is None):
        raise argparse.ArgumentTypeError(f"{text!r} is not PATH=VALUE or @ITERATION:PATH=VALUE")
    return Setting(match[2].strip(), match[3], None if match[1] is None else int(match[1]))


def _axis(text: str) -> SweepAxis:
    from nnviz.document.problems import Refused
    from nnviz.document.sweep_plan import read_axis

    try:
        return read_axis(text)
    except Refused as refused:
        raise argparse.ArgumentTypeError(str(refused)) from None


# --- jobs ---


def _window(options: argparse.Namespace) -> int:
    named = named_maker(options.file or "")
    if named is not None:
        return _python_window(*named, agreed=options.yes)
    obstacle = _obstacle(options.file) if options.file else ""
    if obstacle:
        _complain(obstacle)
        return 2
    from nnviz.ui.shell import app

    return app.main(options.file)


def _python_window(path: str, name: str, agreed: bool) -> int:
    try:
        file = read_python_file(Path(path))
        name = file.maker(name)
    except PythonFileError as error:
        return _complain(str(error), code=2)
    if not agreed and not sys.stdin.isatty():
        return _complain(f"{file.path.name} would be run, and there is no terminal to ask in: add --yes if you agree.", code=2)
    if not agreed:
        question = f"Run {file.path.name} and call {name}? It can do whatever you can do. [y/N] "
        print(question, end="", file=sys.stderr, flush=True)
        if sys.stdin.readline().strip().lower() not in ("y", "yes"):
            return _complain("Nothing was run.")
    from nnviz.ui.shell.python_window import show_file

    return show_file(file, name)


def _obstacle(file: str) -> str:
    """Why this cannot be opened, as a sentence; empty where there is such a document."""
    from nnviz.document.store.examples import document_path
    from nnviz.document.store.files import DocumentError

    try:
        if document_path(file).exists():
            return ""
    except DocumentError as error:
        return str(error)
    return f"{file}: there is no such file, command or example. `nnviz --help` lists the commands, `nnviz examples` the examples."


def _document(options: argparse.Namespace) -> OpenedFile:
    from nnviz import jobs

    if getattr(options, "branch", None) is not None:
        others = options.settings, options.seed, options.precision, getattr(options, "weights", None)
        if others != ([], None, None, None):
            raise jobs.JobError("--branch makes a run again as it was: leave out --set, --seed, --precision and --weights.")
        return jobs.open_branch(options.file, options.branch)
    document = jobs.open_document(options.file, options.settings, options.seed, options.precision)
    return _with_weights(document, options.weights) if getattr(options, "weights", None) else document


def _with_weights(document: OpenedFile, file: str) -> OpenedFile:
    """The document with what fits of a file of weights; what does not is said."""
    from nnviz import jobs

    changed, found = jobs.with_weights(document, Path(file))
    print(f"{file}: {found.told}", *found.misfits, sep="\n", file=sys.stderr)
    return changed


def _run(options: argparse.Namespace) -> int:
    if options.calls:
        return _calls(options)
    from nnviz import jobs

    document = _document(options)
    result = jobs.run(document, options.iterations, options.epochs, options.save, options.breakpoints)
    left, stop = result.pop("changes_left"), result["breakpoint"]
    said = {"stopped": f"{result['stopped']}: {result['message']}"} if result["message"] else {}
    said = {"stopped": f"breakpoint: {stop['reason']}, before iteration {stop['iteration']}"} if stop else said
    written = _FIGURES if result["iterations"] else _FIGURES | {"loss": "loss"}
    hidden = ("metrics", "findings", "breakpoint", "loss_is", "message")
    figures = {**result, **result["metrics"], **said}
    rows = [(written.get(name, name.replace("_", " ")), value) for name, value in figures.items() if name not in hidden]
    code = _show(options, result, lambda: (_print_table(rows), _print_findings(result["findings"])))
    ignored = 0 if options.breakpoints else sum(one.enabled for one in document.experiment.breakpoints)
    if ignored:
        _complain(f"The run did not look at the document's breakpoints ({ignored} switched on). Use --breakpoints to stop there.")
    if not left:
        return code
    return _complain(f"{left} of the settings with @ lie beyond the end of the run (iteration {result['iterations']}) and were not made.")


def _calls(options: argparse.Namespace) -> int:
    from nnviz import jobs
    from nnviz.text.call_table import call_table

    listed = jobs.list_calls(_document(options), options.iterations, options.epochs, options.breakpoints)
    calls = [{name: getattr(call, name) for name in ("number", "phase", "layer", "title", "code")} for call in listed.calls]
    return _show(options, {"calls": calls, "reason": listed.reason}, lambda: print(call_table(listed)))


def _compare(options: argparse.Namespace) -> int:
    from nnviz import comparing, jobs

    sides = (options.file, options.set_a), (options.other, options.set_b)
    opened = [jobs.open_document(file, options.settings + own, options.seed, options.precision) for file, own in sides]
    value = comparing.compare(*opened, options.iterations)
    return _show(options, value, lambda: _print_comparison(value, (options.file, options.other)))


def _sweep(options: argparse.Namespace) -> int:
    from nnviz import sweeping
    from nnviz.document.sweep_plan import SweepOrder

    if options.resume and not options.to:
        return _complain("--resume needs --to.", code=2)
    sweeping.load_extras(options.to, options.scheduler)
    names = ("seeds", "draws", "draw_seed", "iterations", "epochs")
    order = SweepOrder(tuple(options.axes), **{name: getattr(options, name) for name in names})
    sweep = sweeping.opened(options.file, order)
    results = sweeping.SweepResults(sweep, sweeping.checked_out(options.to), sys.stderr if sys.stderr.isatty() else None)
    missing = results.fill(options.workers, options.scheduler, options.resume)
    if options.save:
        sweeping.save_documents(Path(options.save), results)
    _show(options, results.plain, lambda: _print_sweep(results.plain))
    return _complain(missing) if missing else 0


def _doctor(options: argparse.Namespace) -> int:
    from nnviz import diagnosing

    if options.ask:
        value = diagnosing.asked(_document(options), options.ask, options.iterations, options.epochs)
        return _show(options, value, lambda: print(value["answer"]))
    value = diagnosing.diagnosed(_document(options), options.iterations, options.epochs, options.tries)
    return _show(options, value, lambda: _print_diagnosis(value))


def _trace(options: argparse.Namespace) -> int:
    from nnviz import jobs

    value = jobs.trace(_document(options), options.iteration, options.detail, options.sample, options.details)
    return _show(options, value, lambda: _print_trace(value))


def _sample(options: argparse.Namespace) -> int:
    from nnviz import jobs

    value = jobs.sample(_document(options), options.iteration, options.count, options.draw, options.grid)
    return _show(options, value, lambda: _print_rows(value["columns"], value["rows"]))


def _check(options: argparse.Namespace) -> int:
    from nnviz import jobs

    result = jobs.check(options.file, options.settings)
    _show(options, result, lambda: _print_table([(layer["id"], layer["output_shape"], layer["parameters"]) for layer in result["layers"]]))
    for problem in result["problems"]:
        said = "warning: " if problem["severity"] == "warning" else ""
        print(f"{options.file}: {said}{problem['place']}: {problem['message']} {problem['cure']}", file=sys.stderr)
    if result["ok"] and not options.json:
        found = "It can be run, with warnings" if result["problems"] else "No problem found"
        print(f"{found}; {result['parameters']:,} parameters.")
    return 0 if result["ok"] else 1


def _examples(options: argparse.Namespace) -> int:
    from nnviz import jobs

    found = jobs.list_examples()
    return _show(options, found, lambda: _print_table([(example["name"], example["title"], example["description"]) for example in found]))


def _lessons(options: argparse.Namespace) -> int:
    from nnviz.lessons.store import lesson_names, open_lesson

    if options.questions:
        return _questions(options)
    if options.to:
        return _lesson_sheet(options)
    names = [options.name] if options.name else lesson_names()
    lessons = {name: open_lesson(name) for name in names}
    if not options.check:
        rows = [(name, one.title, f"{one.minutes} min", one.summary) for name, one in lessons.items()]
        value = [{"name": name, "title": one.title, "minutes": one.minutes, "summary": one.summary} for name, one in lessons.items()]
        return _show(options, value, lambda: _print_table(rows))
    from nnviz import teaching

    found = {name: [fault._asdict() for fault in teaching.faults(lesson)] for name, lesson in lessons.items()}
    told = {name: "; ".join(f"step {one['step']}: {one['sentence']}" for one in wrong) or "holds" for name, wrong in found.items()}
    _show(options, found, lambda: _print_table(told.items()))
    return 1 if any(found.values()) else 0


def _lesson_sheet(options: argparse.Namespace) -> int:
    from nnviz.lessons.store import open_lesson

    if not options.name:
        _complain("Say which lesson: nnviz lessons NAME --to OUT.pdf. `nnviz lessons` lists their names.")
        return 2
    lesson = open_lesson(options.name)
    os.environ["QT_QPA_PLATFORM"] = "offscreen"  # whatever is set: there may be no display
    from nnviz.ui.shell.lesson_printing import print_lesson

    def tell(done: int, count: int) -> None:
        print(f"step {done} of {count}", file=sys.stderr, flush=True)

    pages = print_lesson(lesson, Path(options.to), not options.no_answers, tell)
    return _show(options, {"file": options.to, "pages": pages}, lambda: print(f"{options.to}: {pages} pages"))


def _questions(options: argparse.Namespace) -> int:
    from nnviz.lessons.interview import questions, quiz_lesson

    asked = questions(options.name)
    if not options.check:
        value = [{"topic": topic, "question": one.question, "answer": one.answer, "shown_by": one.shown_by} for topic, one in asked]
        told = [f"{topic}: {one.question}\n  {one.answer}\n  {one.shown_by}" for topic, one in asked]
        return _show(options, value, lambda: print("\n".join(told)))
    from nnviz import teaching

    found = {one.question: [fault.sentence for fault in teaching.faults(quiz)] for _, one in asked if (quiz := quiz_lesson(one))}
    _show(options, found, lambda: _print_table((question, "; ".join(wrong) or "holds") for question, wrong in found.items()))
    return 1 if any(found.values()) else 0


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
        return _offscreen("export", options, out, options.panel or what, options.width)
    from nnviz import jobs
    from nnviz.document.store.files import replace_file
    from nnviz.export import graph_files

    record = jobs.trace_record(_document(options), options.iteration, options.detail, details=options.details)
    steps = len(record.steps)
    if options.step is not None and options.step > steps:
        raise jobs.JobError(f"The iteration has {steps} steps; --step {options.step} is beyond its end.")
    text = graph_files.WRITERS[out.suffix.lower()[1:]](record, steps if options.step is None else options.step)
    replace_file(out, text.encode())
    return 0


def _export_program(options: argparse.Namespace, out: Path) -> int:
    from nnviz.code_exporting import program_text
    from nnviz.document.store.files import replace_file

    replace_file(out, program_text(_document(options), out.suffix.lower(), options.iteration).encode())
    return 0


def _export_run(options: argparse.Namespace, suffix: str) -> int:
    from nnviz import jobs
    from nnviz.records.task_records import FileTask

    what = options.what if options.what in BY_NAME else RUN_FILES[suffix]
    task = FileTask(options.to, what, options.every)
    print(jobs.write_file(_document(options), options.iteration, task), file=sys.stderr)
    return 0


def _record(options: argparse.Namespace, out: Path) -> int:
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    from nnviz.ui.shell import offscreen

    along = "iterations" if options.iterations else "steps"
    span = options.iterations or options.steps
    job = _job(options, iteration=span[0]) if options.iterations else _job(options)
    print(offscreen.record(job, out, options.panel or options.what or "graph", along, span, options.speed), file=sys.stderr)
    return 0


def _screenshot(options: argparse.Namespace) -> int:
    return _offscreen("screenshot", options, Path(options.out))


def _offscreen(what: str, options: argparse.Namespace, *arguments: Any) -> int:
    os.environ["QT_QPA_PLATFORM"] = "offscreen"  # whatever is set: there may be no display
    from nnviz.ui.shell import offscreen

    getattr(offscreen, what)(_job(options), *arguments)
    return 0


def _job(options: argparse.Namespace, **changed: Any) -> Any:
    """Where the window shall stand."""
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


# --- output ---


def _show(options: argparse.Namespace, value: Any, print_it: Callable[[], None]) -> int:
    if options.json:
        print(json.dumps(_finite(value), allow_nan=False))
    else:
        print_it()
    return 0


def _finite(value: Any) -> Any:
    """JSON has no NaN: what is not finite becomes the text "nan", "inf" or "-inf"."""
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, dict):
        return {key: _finite(entry) for key, entry in value.items()}
    return [_finite(entry) for entry in value] if isinstance(value, list | tuple) else value


def _print_table(rows: Iterable[Sequence[Any]]) -> None:
    cells = [[_written(value) for value in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for row in cells:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _print_rows(columns: Sequence[str], rows: Iterable[Sequence[float]]) -> None:
    print(",".join(columns))
    for row in rows:
        print(",".join(f"{value:.6g}" for value in row))


def _print_comparison(value: dict[str, Any], files: tuple[str, str]) -> None:
    found = value["first_difference"]
    if found:
        print(f"First difference: {found['place']}.\n{found['difference_is']}\n")
    else:
        made = f"all of {value['compared']} iterations" if value["identical"] else f"the {value['compared']} iterations that both have made"
        print(f"No difference: both runs have the same bits in {made}.\n")
    named = [(entry["path"], *(_value(entry[side]) for side in ("first", "second"))) for entry in value["document"]]
    hidden = ("metrics", "loss_is", "verdict_is", "message", "digest", "verdict")
    columns = [{**run, **run["metrics"], "ended": run["verdict_is"]} for run in value["runs"]]
    rows = [(_FIGURES.get(name, name.replace("_", " ")), *(column.get(name) for column in columns)) for name in columns[0]]
    shown = [row for row, name in zip(rows, columns[0], strict=True) if name not in hidden]
    _print_table([("", *files), *named, *shown])


def _print_sweep(rows: Sequence[dict[str, Any]]) -> None:
    metrics = dict.fromkeys(name for row in rows for name in ("accuracy", "rmse") if name in row["metrics"])
    settings = [name for name in dict.fromkeys(name for row in rows for name in row["settings"]) if name != "seed"]
    head = ("run", *settings, "seed", "iterations", "loss", "validation loss", *metrics, "verdict", "digest")
    figures = ("seed", "iterations", "loss", "validation_loss")
    _print_table(
        [
            head,
            *(
                (
                    *(row["run"], *(_value(row["settings"].get(name)) for name in settings), *(row[name] for name in figures)),
                    *(row["metrics"].get(name) for name in metrics),
                    *((row["stopped"], row["message"]) if row["stopped"] == "failed" else (row["verdict"], row["digest"][:12])),
                )
                for row in rows
            ),
        ]
    )


def _print_findings(findings: Sequence[dict[str, Any]]) -> None:
    for one in findings:
        since, at = one["iterations"]
        until = "on" if one["present"] else f"to {at}"
        label = f"{one['label']} (information)" if one["information"] else one["label"]
        print(f"\n{label}: {one['cause']}\n  {one['evidence'].rstrip('.')}. From iteration {since} {until}.")
        for trial in one.get("trials", ()):
            print(f"  {trial['sentence']}")


def _print_diagnosis(value: dict[str, Any]) -> None:
    print(f"{value['iterations']} iterations, {value['checkups']} checkups, loss {value['loss']:.6g}.")
    if value["message"]:
        print(value["message"])
    _print_findings(value["findings"])
    if not value["findings"]:
        print("Nothing is found." if value["judged"] else "Nothing is found; the run is too short to judge gradients and rates.")


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
            _short(node["value"]),
            _short(node["gradient"]),
        )
        for node in value["nodes"]
    ]
    _print_table(rows)
    phases = [step["phase"] for step in value["steps"]]
    print("\n" + " · ".join(f"{phase} {phases.count(phase)}" for phase in dict.fromkeys(phases)))
    for note in value["notes"]:
        print(note)


def _written(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    return "" if value is None else "×".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _value(value: Any) -> str:
    return value if isinstance(value, str) else _short(value)


def _short(value: Any) -> str:
    if isinstance(value, dict):
        return f"{value['min']:.4g} … {value['max']:.4g}"
    text = (
        re.sub(r"-?\d+\.\d+(e[+-]\d+)?", lambda match: f"{float(match[0]):.5g}", json.dumps(_finite(value))) if value is not None else "-"
    )
    return text if len(text) <= 44 else text[:43] + "…"

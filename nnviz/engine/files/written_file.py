"""Writing a file of a run as long work: its weights, its network, its program, its curves, its histograms. The run stays where it is."""

from __future__ import annotations

from collections.abc import Callable, Generator
from math import prod
from pathlib import Path

from safetensors.torch import save

from nnviz.document.store.files import replace_file
from nnviz.engine.errors import BuildError
from nnviz.engine.files._event_file import EventFile
from nnviz.engine.files._onnx_graph import onnx_bytes
from nnviz.engine.files.run_tables import curve_table, histogram_rows, histogram_table
from nnviz.engine.observe.recorded_iterations import recorded_leaves
from nnviz.engine.observe.recorded_runs import recorded_run
from nnviz.engine.run.replay_slices import in_slices
from nnviz.engine.run.timeline import Timeline
from nnviz.engine.run.trainer import Trainer, digest
from nnviz.export.python.iteration_notebook import iteration_notebook
from nnviz.export.python.program import notebook_text, script_text
from nnviz.extras import MissingExtra
from nnviz.records.table_files import TABLE_WRITERS
from nnviz.records.task_records import FileTask, FileWritten, Progress

PLACES = 100
"""So many iterations, evenly spread, have their layers measured, where nobody says how many."""

MOST_GIVEN = 2_000_000
"""Numbers that the notebook of an iteration may begin with."""

Content = Generator[Progress, None, tuple[bytes, FileWritten]]


def written_file(task: FileTask, timeline: Timeline) -> Generator[Progress, None, FileWritten]:
    """Write the file, in one step when all of it is known. Raises BuildError for what cannot be written."""
    path = Path(task.path)
    content = _CONTENTS.get((task.what, path.suffix.lower()))
    if content is None:
        offered = ", ".join(suffix for what, suffix in _CONTENTS if what == task.what)
        raise BuildError(path.name, f"The {task.what} of a run cannot be written as {path.suffix or 'this'}.", f"Choose one of: {offered}.")
    try:
        data, written = yield from content(task, timeline)
        yield Progress(1, 1, "writing")
        replace_file(path, data)
    except MissingExtra as error:
        raise BuildError(path.name, str(error)) from error
    except OSError as error:
        raise BuildError(path.name, f"{path} could not be written: {error.strerror or error}.", "Choose another place.") from error
    return written


def _weights(task: FileTask, timeline: Timeline) -> Content:
    """All parameters and running statistics by name; the metadata tells title, iteration and digest."""
    yield Progress(0, 1, "gathering the weights")
    trainer = timeline.trainer
    tensors = {name: tensor.detach().contiguous().clone() for name, tensor in (trainer.parameters | trainer.buffers).items()}
    about = {"format": "pt", "title": trainer.experiment.title, "iteration": str(timeline.iteration), "digest": digest(trainer.net)}
    numbers = sum(tensor.numel() for tensor in trainer.parameters.values())
    return save(tensors, about), FileWritten(f"{len(trainer.parameters)} parameters with {numbers:,} numbers.")


def _onnx(task: FileTask, timeline: Timeline) -> Content:
    yield Progress(0, 1, "writing and checking the graph")
    return onnx_bytes(timeline.trainer, task.what)


def _program(task: FileTask, timeline: Timeline) -> Content:
    yield Progress(0, 1, "writing the program")
    write = notebook_text if Path(task.path).suffix.lower() == ".ipynb" else script_text
    try:
        text = write(recorded_run(timeline))
    except ValueError as error:
        raise BuildError(Path(task.path).name, str(error)) from error
    return text.encode(), FileWritten(f"It makes the {timeline.iteration:,} iterations again without nnviz.")


def _iteration(task: FileTask, timeline: Timeline) -> Content:
    yield Progress(0, 1, "tracing the iteration")
    trainer, path = timeline.trainer, Path(task.path)
    trace, given = recorded_leaves(trainer)
    if (count := sum(prod(array.shape) for array in given.values())) > MOST_GIVEN:
        raise BuildError(path.name, f"The iteration is given {count:,} numbers, too many for a notebook.", "Take smaller batches.")
    try:
        text = iteration_notebook(trace, given, trainer.experiment.title, trainer.experiment.network.titles)
    except ValueError as error:
        raise BuildError(path.name, str(error)) from error
    return text.encode(), FileWritten(f"Iteration {trace.iteration + 1:,} by hand, {len(trace.nodes):,} nodes.")


def _curves(task: FileTask, timeline: Timeline) -> Content:
    yield Progress(0, 1, "gathering the curves")
    table = curve_table(timeline)
    return TABLE_WRITERS[Path(task.path).suffix.lower()](table), FileWritten(f"{len(table['iteration']):,} iterations.")


def _histograms(task: FileTask, timeline: Timeline) -> Content:
    rows: list[tuple] = []
    places = yield from _visit(task, timeline, lambda trainer: rows.extend(histogram_rows(trainer)))
    return TABLE_WRITERS[Path(task.path).suffix.lower()](histogram_table(rows)), FileWritten(f"Histograms after {places:,} iterations.")


def _events(task: FileTask, timeline: Timeline) -> Content:
    file = EventFile(timeline)
    file.add_curves(timeline)
    places = yield from _visit(task, timeline, file.add_layers)
    return file.bytes, FileWritten(f"Curves of {len(timeline.points):,} iterations, histograms after {places:,} of them.")


def _visit(task: FileTask, timeline: Timeline, visit: Callable[[Trainer], None]) -> Generator[Progress, None, int]:
    """Let a fork of the run stand at one iteration after the other up to where the run stands; return at how many."""
    last, fork = timeline.iteration, timeline.branch(timeline.log)
    every = task.every or max(1, -(-last // PLACES))
    places = sorted({*range(0, last, every), last})
    for place in places:
        for here in in_slices(fork, place):
            yield Progress(here, last, "iterations")
        if place and not fork.trainer.has_last:  # it has gone to a checkpoint, which knows no gradients
            fork.go_to(place - 1)
            fork.go_to(place)
        visit(fork.trainer)
        yield Progress(place, last, "iterations")
    return len(places)


_CONTENTS: dict[tuple[str, str], Callable[[FileTask, Timeline], Content]] = {
    ("weights", ".safetensors"): _weights,
    **dict.fromkeys(((what, ".onnx") for what in ("network", "generator", "discriminator")), _onnx),
    ("program", ".py"): _program,
    ("program", ".ipynb"): _program,
    ("iteration", ".ipynb"): _iteration,
    ("curves", ".csv"): _curves,
    ("curves", ".parquet"): _curves,
    ("histograms", ".csv"): _histograms,
    ("histograms", ".parquet"): _histograms,
    ("events", ".tfevents"): _events,
}

"""The jobs of the command line: run, trace, sample, check. Each takes what was asked and returns a plain value.

Long because there is one for most words of the command line.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nnviz.doctor.findings_of_run import FindingsOfRun
from nnviz.document.breakpoints import reason
from nnviz.document.edits import set_parameters, set_precision, set_seed, set_value
from nnviz.document.experiment import Experiment
from nnviz.document.problems import Problem
from nnviz.document.run_log import RunLog
from nnviz.document.shapes.report import examine
from nnviz.document.store import examples, files, saved_run
from nnviz.document.store.data_paths import with_path_of
from nnviz.document.store.files import DocumentError
from nnviz.document.store.saved_run import PART
from nnviz.document.training import DEFAULT_EPOCHS as DEFAULT_EPOCHS
from nnviz.engine.errors import NO_MEMORY as NO_MEMORY
from nnviz.engine.errors import is_out_of_memory as is_out_of_memory
from nnviz.engine.loading import loading
from nnviz.records.breakpoint_places import is_in_trace, places_reached, target_of
from nnviz.records.data_record import unscaled
from nnviz.records.run_records import BreakpointHit
from nnviz.records.task_records import FileTask
from nnviz.records.tensors import Tensor, to_numpy
from nnviz.records.trace_index import TraceIndex
from nnviz.records.trace_record import EdgeRecord, NodeRecord, PortRecord, StepRecord, TraceRecord, UpdateRecord
from nnviz.records.weights_file import FittingWeights, read_weights

if TYPE_CHECKING:  # torch is loaded by the jobs that need it
    from nnviz.engine.errors import BuildError
    from nnviz.engine.run.stop import Stop
    from nnviz.engine.run.trainer import Trainer
    from nnviz.records.call_list import CallList

LAST_BATCH = "of the batch of the last iteration, before its update"
ALL_ROWS = "over all training rows, before any update"


class JobError(Exception):
    """A sentence that says why the job cannot be done."""


def sentence_of(error: Exception) -> str:
    """Return what to tell a person of what went wrong. Errors made for people are their own sentence; for others the kind is named."""
    if is_out_of_memory(error):
        return NO_MEMORY
    text = str(error).strip()
    kinds = {kind.__name__ for kind in type(error).__mro__}  # by name: not every job loads torch or Qt
    if isinstance(error, ValueError) or not kinds.isdisjoint(("JobError", "TraceError", "JobFailed", "MissingExtra")):
        place = getattr(error, "place", "")
        return f"{place}: {text}" if place and not text.startswith(place) else text
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename or 'The file'}: {error.strerror}."
    return f"It could not be done ({type(error).__name__}: {text})."


@dataclass(frozen=True)
class Setting:
    """`PATH=VALUE`, before the run or at an iteration of it."""

    path: str
    value: str
    iteration: int | None = None


@dataclass(frozen=True)
class OpenedFile:
    """What a job works on: the document as the command line changes it, and what changes on the way."""

    experiment: Experiment
    folder: Path
    later: tuple[Setting, ...] = ()
    log: RunLog | None = None
    """How the run went that was saved with it; None for one that begins with the document."""
    reached: int | None = None
    """How many iterations of that have been made."""


def open_document(file: str, settings: Sequence[Setting] = (), seed: int | None = None, precision: str | None = None) -> OpenedFile:
    """Return the document with its settings made. Raises DocumentError or ValueError, as a sentence."""
    experiment = examples.open_document(file)
    if seed is not None:
        experiment = set_seed(experiment, seed)
    if precision is not None:
        experiment = set_precision(experiment, precision)
    for setting in settings:
        if setting.iteration is None:
            experiment = set_value(experiment, setting.path, setting.value)
    later = sorted((setting for setting in settings if setting.iteration is not None), key=lambda setting: setting.iteration)
    return OpenedFile(experiment, examples.document_path(file).parent, tuple(later))


def open_branch(file: str, name: str) -> OpenedFile:
    """Return a document with one of the runs that were saved with it, by the name of its branch.

    Raises DocumentError, or JobError if there is no such branch.
    """
    experiment, path = examples.open_document(file), examples.document_path(file)
    data = files.part(path, PART) if path.suffix.lower() == ".nnviz" else None
    saved = saved_run.decode(data) if data else None
    if saved is None:
        raise JobError(f"{file} was saved without a run. Train it in the window and save it as a .nnviz file.")
    branches = {saved.name: (saved.log, saved.iteration)} | {
        one.branch.name: (one.branch.log, one.branch.reached) for one in saved.branches
    }
    if name not in branches:
        raise JobError(f"There is no branch {name!r} in {file}. There is: {', '.join(branches)}.")
    log, reached = branches[name]
    log = with_path_of(log, experiment)
    return OpenedFile(log.last, path.parent, log=log, reached=reached)


def with_weights(document: OpenedFile, path: Path) -> tuple[OpenedFile, FittingWeights]:
    """Return the document beginning with what fits of a safetensors file, and what did. Raises WeightsError."""
    found = read_weights(path, examine(document.experiment).settable_by_name)
    return replace(document, experiment=set_parameters(document.experiment, found.values)), found


# --- run ---


class HeadlessRun:
    """A timeline that makes the later settings of a document when their iteration comes; with `breakpoints` it stops at the document's."""

    def __init__(self, document: OpenedFile, breakpoints: bool = False) -> None:
        with loading():
            import torch

            from nnviz.engine.run.timeline import Timeline
            from nnviz.engine.run.training_breakpoints import TrainingBreakpoints

        torch.set_num_threads(1)
        self.timeline = Timeline(document.log or document.experiment, document.folder)
        self.findings = FindingsOfRun()
        """What the doctor has found so far."""
        self.later = list(document.later)
        self.stopped, self.message = "done", ""
        """Why it stopped, in one word and as a sentence."""
        self.breakpoint: dict[str, Any] | None = None
        """What is said of the breakpoint that stopped it."""
        self._breakpoints = TrainingBreakpoints()
        if breakpoints and document.experiment.breakpoints:
            index = TraceIndex(self.record("textbook"))
            self._breakpoints.set_breakpoints(one for one in document.experiment.breakpoints if is_in_trace(index, one))

    def train(self, iterations: int | None, epochs: int | None) -> None:
        """Train so many iterations or epochs in all, or until there is a reason to stop. Raises JobError for settings that lie beyond."""
        if iterations is not None and self.later and self.later[-1].iteration > iterations:
            last = self.later[-1]
            raise JobError(f"@{last.iteration}:{last.path} lies beyond the end: the run has {iterations} iterations.")
        while not (self._is_finished(iterations, epochs) or self._stop(self._advanced(iterations))):
            self.findings.look_if_due(self.timeline.iteration, self.timeline.history)
        if self.stopped == "done":
            self._make_settings()
        self.findings.look(self.timeline.history())

    def _advanced(self, iterations: int | None) -> Stop | None:
        self._make_settings()
        return self.timeline.advance(self._breakpoints.active_check, self._at_most(iterations))

    def _stop(self, stop: Stop | None) -> bool:
        """Note why it stops, if there is a reason; return whether there is."""
        if stop:
            self.stopped, self.message = stop.reason, stop.message
            self.breakpoint = self._described(stop.hit) if stop.hit else None
        return stop is not None

    def record(self, detail: str, sample: int | None = None, details: Sequence[tuple[str, str]] = ()) -> TraceRecord:
        """Return the trace of the iteration that comes next. Raises TraceError for a group that is not there."""
        from nnviz.engine.observe.capture import capture_next
        from nnviz.engine.observe.trace_records import to_record

        return to_record(capture_next(self.timeline.trainer, detail, sample, details=tuple(details)))

    def _is_finished(self, iterations: int | None, epochs: int | None) -> bool:
        position = self.timeline.trainer.position
        return position.epoch >= (epochs or 0) if iterations is None else position.iteration >= iterations

    def _at_most(self, iterations: int | None) -> int:
        """How many iterations can be made in one go, which ends with the epoch anyway."""
        ends = [setting.iteration for setting in self.later[:1]] + ([] if iterations is None else [iterations])
        return min(ends, default=sys.maxsize) - self.timeline.iteration

    def _make_settings(self) -> None:
        while self.later and self.later[0].iteration <= self.timeline.iteration:
            setting = self.later.pop(0)
            experiment = set_value(self.timeline.document, setting.path, setting.value)
            if not self.timeline.can_go_on_with(experiment):
                raise JobError(f"{setting.path} cannot change while a run goes on: data, seed and precision start a new one. Leave out @.")
            self.timeline.edit(experiment)

    def _described(self, hit: BreakpointHit) -> dict[str, Any]:
        """What has stopped training, and the first place where it holds in the trace of that iteration."""
        one, index = hit.breakpoint, TraceIndex(self.record("textbook"))
        previous_loss = self.timeline.points[-1].loss if self.timeline.iteration else None
        # There is no place where a number lies on the threshold but for its rounding.
        place = next(iter(places_reached(index, [one], previous_loss)), None)
        return {
            **{name: getattr(one, name) for name in ("kind", "target", "comparison", "threshold")},
            "iteration": index.trace.iteration + 1,
            "node": target_of(index, place.node)[1] if place else hit.place,
            "phase": index.trace.steps[place.cursor - 1].phase if place else None,
            "step": place.cursor if place else None,
            "value": hit.value,
            "reason": reason(one, hit.place, hit.value, self.timeline.document.network.titles),
        }


def run(
    document: OpenedFile, iterations: int | None = None, epochs: int | None = None, save: str | None = None, breakpoints: bool = False
) -> dict[str, Any]:
    """Train, and return the figures at the end: the loss of the last batch before its update, all else with the weights after it.

    With `save`, write the document with its trained weights and running statistics."""
    start = time.perf_counter()
    going = HeadlessRun(document, breakpoints)
    if iterations is None and epochs is None:
        iterations, epochs = document.reached, DEFAULT_EPOCHS
    going.train(iterations, epochs)
    result = figures(going) | {
        "seconds": round(time.perf_counter() - start, 3),
        "stopped": going.stopped,
        "message": going.message,
        "breakpoint": going.breakpoint,
        "findings": going.findings.values(going.timeline.trainer.experiment),
        "changes_left": len(going.later),
    }
    if save is not None:
        files.save(save, _trained(going.timeline.document, going.timeline.trainer))
    return result


def figures(going: HeadlessRun) -> dict[str, Any]:
    """Return what a run has come to."""
    from nnviz.engine.run.trainer import digest

    trainer = going.timeline.trainer
    training_loss, validation_loss, metrics = _figures(trainer)
    return {
        "iterations": trainer.position.iteration,
        "epochs": trainer.position.epoch,
        "loss": going.timeline.points[-1].loss,
        "loss_is": LAST_BATCH if trainer.position.iteration else ALL_ROWS,
        "training_loss": training_loss,
        "validation_loss": validation_loss,
        "metrics": metrics,
        "parameters": sum(parameter.numel() for parameter in trainer.parameters.values()),
        "digest": digest(trainer.net),
    }


def list_calls(document: OpenedFile, iterations: int | None = None, epochs: int | None = None, breakpoints: bool = False) -> CallList:
    """Return the calls of torch that an iteration is made of, after so many iterations or epochs; by default behind the last setting."""
    from nnviz.engine.observe.flat_calls import listed_calls

    going = HeadlessRun(document, breakpoints)
    if iterations is None and epochs is None:
        iterations = document.later[-1].iteration if document.later else 0
    going.train(iterations, epochs)
    return listed_calls(going.timeline.trainer)


def _figures(trainer: Trainer) -> tuple[float, float | None, dict[str, float | None]]:
    """The loss over the training rows and over the validation rows, and the metrics of both; None where a row is not answered."""
    from nnviz.engine.observe.predictions import predictions

    name = "accuracy" if trainer.data.classes else "rmse"
    training_loss, training_metric = trainer.evaluate(trainer.training_rows)
    metrics = {f"training_{name}": training_metric}
    if not trainer.validation_rows.count:
        return training_loss, None, metrics
    loss, metric = trainer.evaluate(trainer.validation_rows)
    return training_loss, loss, predictions(trainer).scores | {name: metric} | metrics


def _trained(experiment: Experiment, trainer: Trainer) -> Experiment:
    tensors = trainer.parameters | trainer.buffers
    kept = {name: tensors[name].detach().tolist() for name in examine(experiment).settable_by_name}
    return set_parameters(experiment, kept)


def _trained_to(document: OpenedFile, iteration: int) -> HeadlessRun:
    going = HeadlessRun(document)
    going.train(iteration, None)
    if going.timeline.iteration < iteration:
        raise JobError(f"Training stopped after {going.timeline.iteration} iterations ({going.stopped}), before iteration {iteration}.")
    return going


# --- trace ---


def trace_record(
    document: OpenedFile, iteration: int, detail: str, sample: int | None = None, details: Sequence[tuple[str, str]] = ()
) -> TraceRecord:
    """Return the trace of the iteration that follows `iteration` finished ones.

    `details`: groups that are opened to another detail, as (path, detail). Raises TraceError for one that is not there.
    """
    going = _trained_to(document, iteration)
    return going.record(detail, sample, details)


def trace(
    document: OpenedFile, iteration: int, detail: str, sample: int | None = None, details: Sequence[tuple[str, str]] = ()
) -> dict[str, Any]:
    """Return the trace as the plain value the command line prints; `details` as for trace_record."""
    return plain_trace(trace_record(document, iteration, detail, sample, details))


def plain_trace(record: TraceRecord) -> dict[str, Any]:
    """Return a trace as a plain value of numbers, words, lists and dicts."""
    index = TraceIndex(record)
    return {
        "iteration": record.iteration,
        "epoch": record.epoch,
        "loss": record.loss,
        "detail": record.detail,
        "details": dict(record.details),
        "precision": record.precision,
        "rows": record.rows,
        "worst_error": record.worst_error,
        "nodes": [_node(index, node) for node in record.nodes],
        "steps": [_step(step) for step in record.steps],
        "updates": [_update(update) for update in record.updates],
        "value_reads": record.value_reads,
        "notes": record.notes,
    }


def _node(index: TraceIndex, node: NodeRecord) -> dict[str, Any]:
    arriving = [edge for edge in index.out_edges.get(node.id, ()) if edge.contribution is not None]
    return {
        **{name: getattr(node, name) for name in ("id", "kind", "operation", "label", "module", "group", "inputs", "shape")},
        "value": _tensor(node.value),
        "gradient": _tensor(node.gradient),
        "ports": node.ports or (0,) * len(node.inputs),
        "contributions": [_contribution(index, edge) for edge in arriving],
        **{name: getattr(node, name) for name in ("reads", "formula", "derivative", "phase", "batch_axis", "where")},
        "dropped": None if node.dropped is None else to_numpy(node.dropped).tolist(),
        **({} if node.whole is None else {"whole": node.whole, "element": node.element}),
        **({} if not node.others else {"outputs": [_output(node), *map(_output, node.others)]}),
    }


def _output(one: NodeRecord | PortRecord) -> dict[str, Any]:
    """One output of a node that has several."""
    port = one.port if isinstance(one, PortRecord) else 0
    return {"port": port, "shape": one.shape, "value": _tensor(one.value), "gradient": _tensor(one.gradient)}


def _contribution(index: TraceIndex, edge: EdgeRecord) -> dict[str, Any]:
    """What a use of a node sends back; `port` is the output of the node that it uses."""
    ports = index.node(edge.target).ports
    port = ports[edge.argument] if ports else 0
    return {"from": edge.target, "argument": edge.argument, "port": port, "gradient": _tensor(edge.contribution)}


def _step(step: StepRecord) -> dict[str, Any]:
    optional = {"parameter": step.parameter, "others": step.others}
    place = {"index": step.index, "phase": step.phase, "node": step.node if step.node >= 0 else None}
    return place | {name: value for name, value in optional.items() if value}


def _update(update: UpdateRecord) -> dict[str, Any]:
    rows = [{"symbol": row.symbol, "formula": row.formula, "value": _tensor(row.value)} for row in update.rows]
    return {"parameter": update.parameter, "rows": rows, "before": _tensor(update.before), "after": _tensor(update.after)}


def _tensor(tensor: Tensor | None) -> Any:
    """Nested lists, or what is said of a tensor that is too large; None stays None."""
    if tensor is None:
        return None
    if tensor.values is not None:
        return to_numpy(tensor.values).tolist()
    names = ("min", "max", "mean", "std", "norm", "zeros", "non_finite", "histogram", "low", "high")
    return {"shape": tensor.shape, **{name: getattr(tensor.measure, name) for name in names}}


# --- new rows ---


def sample(document: OpenedFile, iteration: int, count: int, seed: int, side: int | None = None) -> dict[str, Any]:
    """Return rows that the network makes of random numbers after so many iterations, in the units of the data before its scaling.

    `side`: of a grid of so many places each way over two numbers instead. Raises JobError or BuildError where it makes none.
    """
    going = _trained_to(document, iteration)
    from nnviz.engine.observe.data_records import data_record
    from nnviz.engine.observe.new_samples import grid_samples, new_samples

    trainer = going.timeline.trainer
    made = new_samples(trainer, count, seed) if side is None else grid_samples(trainer, side)
    data = data_record(trainer.data, 1)
    rows = unscaled(data, made.rows.flatten(1).double().numpy())
    names = data.feature_names if len(data.feature_names) == rows.shape[1] else tuple(f"x{place}" for place in range(1, rows.shape[1] + 1))
    return {"iteration": iteration, "columns": names, "rows": rows.tolist(), "codes": made.codes.double().tolist()}


# --- files of a run ---


def write_file(document: OpenedFile, iteration: int, task: FileTask) -> str:
    """Write a file of the run after so many iterations, and return what is in it. Raises BuildError for what cannot be written."""
    timeline = _trained_to(document, iteration).timeline
    from nnviz.engine.files.written_file import written_file

    work = written_file(task, timeline)
    while True:
        try:
            next(work)
        except StopIteration as end:
            return end.value.told


# --- check and examples ---


def check(file: str, settings: Sequence[Setting] = ()) -> dict[str, Any]:
    """Return what is wrong with a document or the file its data is in, and the shape and parameters of every layer. Nothing is built.

    Problems of severity "warning" do not keep it from running: without others it is "ok".
    """
    try:
        document = open_document(file, settings)
    except DocumentError as error:
        return {"ok": False, "problems": [_problem(problem) for problem in error.problems], "layers": [], "parameters": 0}
    report = examine(document.experiment)
    problems = [_problem(problem) for problem in report.problems] or _data_problems(document)
    warnings = [_problem(warning) for warning in report.warnings]
    layers = [{"id": id, "output_shape": shape.output_shape, "parameters": shape.count} for id, shape in report.layers.items()]
    return {"ok": not problems, "problems": problems + warnings, "layers": layers, "parameters": report.parameters}


def _data_problems(document: OpenedFile) -> list[dict[str, str]]:
    """What is wrong with rows that only reading them shows. Built-in data is as the document says."""
    if document.experiment.data.kind not in ("csv", "table"):
        return []
    with loading():
        from nnviz.engine.data import datasets
        from nnviz.engine.errors import BuildError
        from nnviz.engine.model import build

    try:
        build.check(document.experiment, datasets.load(document.experiment, document.folder))
    except BuildError as error:
        return [_problem(error)]
    return []


def _problem(problem: Problem | BuildError) -> dict[str, str]:
    severity = getattr(problem, "severity", "error")
    return {"place": problem.place, "message": problem.message, "cure": problem.cure, "severity": severity}


def list_examples() -> list[dict[str, str]]:
    """Return every example with its title and its sentence."""
    found = {name: examples.open_document(f"{examples.PREFIX}{name}") for name in examples.example_names()}
    return [{"name": name, "title": example.title, "description": example.description} for name, example in found.items()]

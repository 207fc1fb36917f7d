"""The jobs of the command line: run, trace, check. Each takes what was asked and returns a plain value; nothing is printed here."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from nnviz.document.breakpoints import Breakpoint
from nnviz.document.edits import set_precision, set_seed, set_value
from nnviz.document.experiment import Experiment
from nnviz.document.shapes.report import examine
from nnviz.document.store import examples, files
from nnviz.document.store.files import DocumentError

DEFAULT_EPOCHS = 10


class JobError(Exception):
    """A sentence that says why the job cannot be done."""


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


# --- run ---


class Halting(NamedTuple):
    """Where a run shall stop; traces are read by whoever asks for it."""

    present: Callable[[Any], Iterable[Breakpoint]]
    """The breakpoints that can hold in such a TraceRecord."""
    told: Callable[[Any, Any, float | None], dict[str, Any]]
    """What is said of a Hit in this TraceRecord, after an iteration with this loss (None: it is the first)."""


class HeadlessRun:
    """A timeline that makes the later settings of a document when their iteration comes, and stops at breakpoints if it is to."""

    def __init__(self, document: OpenedFile, halting: Halting | None = None) -> None:
        import torch

        from nnviz.engine.run.timeline import Timeline
        from nnviz.engine.run.training_breakpoints import TrainingBreakpoints

        torch.set_num_threads(1)
        self.timeline = Timeline(document.experiment, document.folder)
        self.later = list(document.later)
        self.stopped = "done"
        self.halt: dict[str, Any] | None = None
        """What is said of the breakpoint that stopped it."""
        self._halting, self._guard = halting, TrainingBreakpoints()
        if halting and document.experiment.breakpoints:
            self._guard.set_breakpoints(halting.present(self.record("textbook")))

    def train(self, iterations: int | None, epochs: int | None) -> None:
        """Train so many iterations or epochs in all, or until there is a reason to stop. Raises JobError for settings that lie beyond."""
        if iterations is not None and self.later and self.later[-1].iteration > iterations:
            last = self.later[-1]
            raise JobError(f"@{last.iteration}:{last.path} lies beyond the end: the run has {iterations} iterations.")
        while not self._is_there(iterations, epochs):
            self._make_due()
            if stop := self.timeline.advance(self._guard.due()):
                self.stopped = stop.reason
                if stop.hit:
                    before = self.timeline.points[-1].loss if self.timeline.iteration else None
                    self.halt = self._halting.told(self.record("textbook"), stop.hit, before)
                return
        self._make_due()

    def record(self, detail: str, sample: int | None = None, details: Sequence[tuple[str, str]] = ()) -> Any:
        """Return the TraceRecord of the iteration that comes next. Raises TraceError for a group that is not there."""
        from nnviz.engine.observe.capture import capture_next
        from nnviz.engine.observe.trace_records import to_record

        return to_record(capture_next(self.timeline.trainer, detail, sample, details=tuple(details)))

    def _is_there(self, iterations: int | None, epochs: int | None) -> bool:
        position = self.timeline.trainer.position
        return position.epoch >= (epochs or 0) if iterations is None else position.iteration >= iterations

    def _make_due(self) -> None:
        while self.later and self.later[0].iteration <= self.timeline.iteration:
            setting = self.later.pop(0)
            experiment = set_value(self.timeline.document, setting.path, setting.value)
            if not self.timeline.can_go_on_with(experiment):
                raise JobError(f"{setting.path} cannot change while a run goes on: data, seed and precision start a new one. Leave out @.")
            self.timeline.edit(experiment)


def run(
    document: OpenedFile, iterations: int | None = None, epochs: int | None = None, save: str | None = None, halting: Halting | None = None
) -> dict[str, Any]:
    """Train, and return the figures at the end; with `save`, write the document with its trained weights; with `halting`, stop there."""
    from nnviz.engine.run.trainer import digest

    start = time.perf_counter()
    going = HeadlessRun(document, halting)
    going.train(iterations, epochs if epochs is not None or iterations is not None else DEFAULT_EPOCHS)
    trainer, points = going.timeline.trainer, going.timeline.points
    validation_loss, metrics = _figures(trainer)
    result = {
        "iterations": trainer.position.iteration,
        "epochs": trainer.position.epoch,
        "loss": points[-1].loss,
        "validation_loss": validation_loss,
        "metrics": metrics,
        "parameters": sum(parameter.numel() for parameter in trainer.parameters.values()),
        "digest": digest(trainer.net),
        "seconds": round(time.perf_counter() - start, 3),
        "stopped": going.stopped,
        "breakpoint": going.halt,
        "findings": [],
        "changes_left": len(going.later),
    }
    if save is not None:
        files.save(save, _trained(going.timeline.document, trainer))
    return result


def _figures(trainer: Any) -> tuple[float | None, dict[str, float]]:
    """The validation loss, and the metric over the validation rows and over the training rows."""
    from nnviz.engine.observe.predictions import predictions

    name = "accuracy" if trainer.data.classes else "rmse"
    metrics = {f"training_{name}": trainer.evaluate(trainer.training_rows)[1]}
    if not trainer.validation_rows.count:
        return None, metrics
    loss, metric = trainer.evaluate(trainer.validation_rows)
    return loss, predictions(trainer).scores | {name: metric} | metrics


def _trained(experiment: Experiment, trainer: Any) -> Experiment:
    for name, parameter in trainer.parameters.items():
        experiment = set_value(experiment, f"weights.{name}", parameter.detach().tolist())
    return experiment


# --- trace ---


def trace_record(
    document: OpenedFile, iteration: int, detail: str, sample: int | None = None, details: Sequence[tuple[str, str]] = ()
) -> Any:
    """Return the TraceRecord of the iteration that follows `iteration` finished ones.

    `details`: groups that are opened to another detail, as (path, detail). Raises TraceError for one that is not there.
    """
    going = HeadlessRun(document)
    going.train(iteration, None)
    if going.timeline.iteration < iteration:
        raise JobError(f"Training stopped after {going.timeline.iteration} iterations ({going.stopped}), before iteration {iteration}.")
    return going.record(detail, sample, details)


def trace(
    document: OpenedFile, iteration: int, detail: str, sample: int | None = None, details: Sequence[tuple[str, str]] = ()
) -> dict[str, Any]:
    """Return the trace as the plain value the command line prints; `details` as for trace_record."""
    record = trace_record(document, iteration, detail, sample, details)
    plain = _Plain(record)
    return {
        "iteration": record.iteration,
        "epoch": record.epoch,
        "loss": record.loss,
        "detail": record.detail,
        "details": dict(record.details),
        "precision": record.precision,
        "rows": list(record.rows),
        "worst_error": record.worst_error,
        "nodes": [plain.node(node) for node in record.nodes],
        "steps": [plain.step(step) for step in record.steps],
        "updates": [plain.update(update) for update in record.updates],
        "value_reads": list(record.value_reads),
    }


class _Plain:
    """Turns the records of a trace into dicts and lists."""

    def __init__(self, record: Any) -> None:
        self._back: dict[int, list] = {node.id: [] for node in record.nodes}
        for edge in record.edges:
            if edge.contribution is not None:
                self._back[edge.source].append(edge)
        order = {step.node: step.index for step in record.steps if step.phase == "backward"}
        for edges in self._back.values():
            edges.sort(key=lambda edge: (order.get(edge.target, 0), edge.argument))

    def node(self, node: Any) -> dict[str, Any]:
        names = ("id", "kind", "operation", "label", "module", "group", "inputs", "shape")
        contributions = [
            {"from": edge.target, "argument": edge.argument, "gradient": plain_tensor(edge.contribution)} for edge in self._back[node.id]
        ]
        return {
            **{name: _listed(getattr(node, name)) for name in names},
            "value": plain_tensor(node.value),
            "gradient": plain_tensor(node.gradient),
            "contributions": contributions,
            "reads": list(node.reads),
            "formula": node.formula,
            "derivative": node.derivative,
            "phase": node.phase,
            "batch_axis": node.batch_axis,
            "where": node.where,
            "dropped": None if node.dropped is None else _decoded(node.dropped),
            **({} if node.whole is None else {"whole": node.whole, "element": _listed(node.element)}),
        }

    def step(self, step: Any) -> dict[str, Any]:
        parameter = {"parameter": step.parameter} if step.parameter else {}
        parameter |= {"others": list(step.others)} if step.others else {}
        return {"index": step.index, "phase": step.phase, "node": step.node if step.node >= 0 else None, **parameter}

    def update(self, update: Any) -> dict[str, Any]:
        rows = [{"symbol": row.symbol, "formula": row.formula, "value": plain_tensor(row.value)} for row in update.rows]
        return {"parameter": update.parameter, "rows": rows, "before": plain_tensor(update.before), "after": plain_tensor(update.after)}


def plain_tensor(tensor: Any) -> Any:
    """Return a Tensor as nested lists, or as its measure; None stays None."""
    if tensor is None:
        return None
    if tensor.values is not None:
        return _decoded(tensor.values)
    names = ("min", "max", "mean", "std", "norm", "zeros", "non_finite", "histogram", "low", "high")
    return {"shape": list(tensor.shape), **{name: _listed(getattr(tensor.measure, name)) for name in names}}


def _decoded(array: Any) -> Any:
    return np.frombuffer(array.data, array.dtype).reshape(array.shape).tolist()


def _listed(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


# --- check and examples ---


def check(file: str, settings: Sequence[Setting] = ()) -> dict[str, Any]:
    """Return what is wrong with a document or the file its data is in, and the shape and parameters of every layer. Nothing is built."""
    try:
        document = open_document(file, settings)
    except DocumentError as error:
        return {"ok": False, "problems": [_problem(problem) for problem in error.problems], "layers": [], "parameters": 0}
    report = examine(document.experiment)
    problems = [_problem(problem) for problem in report.problems] or _data_problems(document)
    layers = [
        {"id": id, "output_shape": None if shape.output_shape is None else list(shape.output_shape), "parameters": shape.count}
        for id, shape in report.layers.items()
    ]
    return {
        "ok": not problems,
        "problems": problems,
        "layers": layers,
        "parameters": report.parameters,
    }


def _data_problems(document: OpenedFile) -> list[dict[str, str]]:
    """What is wrong with rows that only reading them shows. Built-in data is as the document says."""
    if document.experiment.data.kind != "csv":
        return []
    from nnviz.engine.data import datasets
    from nnviz.engine.errors import BuildError
    from nnviz.engine.model import build

    try:
        build.check(document.experiment, datasets.load(document.experiment, document.folder))
    except BuildError as error:
        return [_problem(error)]
    return []


def _problem(problem: Any) -> dict[str, str]:
    return {"place": problem.place, "message": problem.message, "cure": problem.cure}


def list_examples() -> list[dict[str, str]]:
    """Return every example with its title and its sentence."""
    found = {name: examples.open_document(f"{examples.PREFIX}{name}") for name in examples.example_names()}
    return [{"name": name, "title": example.title, "description": example.description} for name, example in found.items()]

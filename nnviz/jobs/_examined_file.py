"""The jobs `check` and `examples`: what is wrong with a document, and which ones there are. Nothing is built."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from nnviz.document.problems import Problem
from nnviz.document.shapes.report import examine
from nnviz.document.store import examples
from nnviz.document.store.files import DocumentError
from nnviz.engine.loading import loading
from nnviz.jobs.opened_file import OpenedFile, Setting, open_document

if TYPE_CHECKING:
    from nnviz.engine.errors import BuildError


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

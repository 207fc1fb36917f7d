"""The documents that the steps of a lesson open: those that come with the program, and the lesson's own. Never a file. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec.structs import replace

from nnviz.document import catalog
from nnviz.document.experiment import Experiment
from nnviz.document.problems import Refused
from nnviz.document.run_branches import name_like
from nnviz.document.run_log import same_run
from nnviz.document.store import json_text
from nnviz.document.store.examples import PREFIX, TEMPLATE_PREFIX, TEMPLATES, built_in_titles, example_names, is_built_in, open_document
from nnviz.lessons.lesson import Lesson

INLINE = "A lesson opens no files. Put the rows inline: data of the kind “table” with x and y."


def opened(documents: Mapping[str, Any], name: str) -> Experiment:
    """Return the document that a step names, of those that come with the program or of the lesson's own.

    Raises ValueError, as a sentence, where there is none, or it cannot be read or names a file.
    """
    if is_built_in(name):
        return open_document(name)
    if name not in documents:
        own = ", ".join(documents)
        raise ValueError(f"{name!r} is neither an example nor a template, nor under `documents`{f' ({own})' if own else ''}.")
    experiment, problems = json_text.decode(msgspec.json.encode(documents[name]))
    if experiment is None:
        raise ValueError(f"documents.{name}: {problems[0]}")
    if file := file_named(experiment):
        raise ValueError(f"documents.{name}: It names the file {file!r}. {INLINE}")
    return experiment


def file_named(experiment: Experiment) -> str:
    """Return the first file that a document names for its data or a layer; empty if it names none."""
    data = experiment.data
    parts = [(catalog.DATASETS[data.kind], data.settings), *((catalog.LAYERS[layer.kind], layer.settings) for layer in experiment.network)]
    named = (str(settings.get(field.name) or "") for kind, settings in parts for field in kind.fields if field.type == "path")
    return next(filter(None, named), "csv" if data.kind == "csv" else "")


def refuse_file(before: Experiment, after: Experiment) -> None:
    """Raise Refused where a change would have a document open another file."""
    if (file := file_named(after)) and file != file_named(before):
        raise Refused(f"It would open the file {file!r}.", INLINE)


def built_in_name(experiment: Experiment) -> str:
    """Return the example or template that gives the same run and has the same title; empty for another document."""
    if experiment.title not in built_in_titles():
        return ""
    names = [*(f"{PREFIX}{name}" for name in example_names()), *(f"{TEMPLATE_PREFIX}{name}" for name in TEMPLATES)]
    return next((name for name in names if _is(experiment, open_document(name))), "")


def _is(one: Experiment, other: Experiment) -> bool:
    return one.title == other.title and same_run(one, other)


def with_document(lesson: Lesson, experiment: Experiment) -> tuple[Lesson, str]:
    """Return the lesson with a document of its own, under which name. One it has already is not put in twice. Raises Refused for one
    that names a file."""
    if file := file_named(experiment):
        raise Refused(f"“{experiment.title}” reads the file {file}.", INLINE)
    inline: dict[str, Any] = json.loads(json_text.encode(experiment))
    known = next((name for name, one in lesson.documents.items() if one == inline), "")
    name = known or name_like(re.sub(r"\W+", "_", experiment.title.lower()).strip("_") or "document", set(lesson.documents))
    return replace(lesson, documents={**lesson.documents, name: inline}), name


def without_unused(lesson: Lesson) -> Lesson:
    """Return the lesson without documents that none of its steps opens."""
    used = {one.document for step in lesson.steps for one in (step, *step.runs.values())}
    kept = {name: one for name, one in lesson.documents.items() if name in used}
    return lesson if kept == lesson.documents else replace(lesson, documents=kept)

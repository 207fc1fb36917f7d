"""The document a job works on: opened as the command line changes it, or as one of the runs that were saved with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from nnviz.document.edits import set_parameters, set_precision, set_seed, set_value
from nnviz.document.experiment import Experiment
from nnviz.document.run_log import RunLog
from nnviz.document.shapes.report import examine
from nnviz.document.store import examples, files, saved_run
from nnviz.document.store.data_paths import with_path_of
from nnviz.document.store.saved_run import PART
from nnviz.engine.errors import NO_MEMORY, is_out_of_memory
from nnviz.records.weights_file import FittingWeights, read_weights


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

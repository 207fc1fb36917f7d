"""Where the file with a document's data is: beside the document as the document's file says it, whole while the document is open."""

from __future__ import annotations

import os
from pathlib import Path

from nnviz.document.experiment import Experiment
from nnviz.document.network import Choice
from nnviz.document.run_log import Change, RunLog


def with_whole_path(experiment: Experiment, folder: Path) -> Experiment:
    """Return the experiment with the path of its data file written from the root on; `folder` is the document's own."""
    path = _path(experiment)
    return _with(experiment, os.path.normpath(folder.absolute() / path)) if path and not Path(path).is_absolute() else experiment


def with_path_beside(experiment: Experiment, folder: Path) -> Experiment:
    """Return the experiment as a file in this folder holds it: data beside or below the document is named from there on.

    So both can be moved together.
    """
    path = _path(experiment)
    is_beside = bool(path) and Path(path).is_relative_to(folder.absolute())
    return _with(experiment, Path(path).relative_to(folder.absolute()).as_posix()) if is_beside else experiment


def with_path_of(log: RunLog, experiment: Experiment) -> RunLog:
    """Return the log with the data file where this experiment has it, if that is all in which their data differ."""
    path, old = _path(experiment), _path(log.last)
    if not path or path == old or _with(log.last, path).data != experiment.data:
        return log
    moved = {id(one): _with(one, path) if _path(one) == old else one for one in (log.first, *(change.experiment for change in log.changes))}
    changes = tuple(Change(at, moved[id(one)]) for at, one in log.changes)
    return RunLog(moved[id(log.first)], changes)


def _path(experiment: Experiment) -> str:
    return experiment.data["path"] if experiment.data.kind == "csv" else ""


def _with(experiment: Experiment, path: str) -> Experiment:
    if experiment.data.kind != "csv":
        return experiment
    return experiment.replaced(data=Choice("csv", experiment.data.settings | {"path": path}))

"""Copies of unsaved work, kept apart from the documents, to be found again after a crash."""

from __future__ import annotations

import hashlib
import json
import os
import uuid
from contextlib import suppress
from pathlib import Path

import msgspec
import platformdirs

from nnviz.document.experiment import Experiment
from nnviz.document.problems import Problem
from nnviz.document.store.files import EXPERIMENT, LARGEST, DocumentError, is_running, loads, packed, part_of, replace_file, resolved, sweep
from nnviz.document.store.saved_run import PART

_OWNER = uuid.uuid4().hex
"""Tells the copies of this process from those of all others, also of one that had the same process id."""

_LARGEST = (1 << 20) + LARGEST[EXPERIMENT] + LARGEST[PART]


class RecoveryFile(msgspec.Struct, frozen=True):
    """An unsaved copy that a process left behind."""

    file: Path
    document: Path | None
    """The document it is a copy of; None for one that never had a name."""
    title: str
    saved_at: float
    """When it was written, in seconds since 1970."""
    experiment: Experiment
    run: bytes | None = None
    """How far its training had come (saved_run.py)."""


class _Header(msgspec.Struct):
    document: str | None
    process: int
    owner: str


def autosave_folder() -> Path:
    """Return the folder of the copies, which may not exist yet."""
    return Path(platformdirs.user_state_dir("nnviz", appauthor=False)) / "autosave"


def autosave_path(document: Path | None, window: str = "") -> Path:
    """Return where this process keeps the copy of a document, or of one without a name. `window` tells its windows apart."""
    name = f"{resolved(document)}{window}" if document else f"untitled {_OWNER}{window}"
    digest = hashlib.sha256(name.encode(errors="surrogateescape")).hexdigest()[:16]
    return autosave_folder() / f"{digest}-{_OWNER[:8]}.autosave"


def write_autosave(experiment: Experiment, document: Path | None = None, window: str = "", extras: dict[str, bytes] | None = None) -> Path:
    """Keep a copy of the experiment, in place of the last one of this document in this window. Raises OSError.

    `extras` are what a *.nnviz file would hold beside it.
    """
    path = autosave_path(document, window)
    path.parent.mkdir(parents=True, exist_ok=True)
    header = {"document": str(resolved(document)) if document else None, "process": os.getpid(), "owner": _OWNER}
    replace_file(path, json.dumps(header).encode() + b"\n" + packed(experiment, extras or {}))
    return path


def discard_autosave(document: Path | None = None, window: str = "") -> None:
    """Drop the copy of the document: it has been saved, or the changes are not wanted."""
    with suppress(OSError):
        autosave_path(document, window).unlink()


def sweep_autosaves() -> None:
    """Remove what processes that were killed while they wrote a copy have left beside the copies."""
    sweep(autosave_folder())


def discard(recovery: RecoveryFile) -> None:
    """Drop a copy that was recovered, or is not wanted."""
    with suppress(OSError):
        recovery.file.unlink()


def recoverable() -> tuple[RecoveryFile, ...]:
    """Return the copies that processes now gone left behind, newest first. Copies that cannot be read are left out."""
    found = []
    for file in autosave_folder().glob("*.autosave"):
        with suppress(OSError, DocumentError, msgspec.DecodeError, UnicodeDecodeError):
            recovery, header = _recovery(file)
            if header.owner != _OWNER and (header.process == os.getpid() or not is_running(header.process)):
                found.append(recovery)
    return tuple(sorted(found, key=lambda recovery: recovery.saved_at, reverse=True))


def _recovery(file: Path) -> tuple[RecoveryFile, _Header]:
    status = file.stat()
    if status.st_size > _LARGEST:
        raise DocumentError(file.name, (Problem("the whole file", "It is larger than any copy.", "Delete it."),))
    head, _, body = file.read_bytes().partition(b"\n")
    header = msgspec.json.decode(head, type=_Header)
    experiment = loads(body, file.name)
    document = Path(header.document) if header.document else None
    return RecoveryFile(file, document, experiment.title, status.st_mtime, experiment, part_of(body, PART)), header

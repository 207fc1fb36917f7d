"""Copies of lessons that are being written, in the user's own folder, so that a crash loses nothing."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import msgspec

from nnviz.document.store.autosave import autosave_folder
from nnviz.document.store.files import is_running, replace_file
from nnviz.lessons.lesson import Lesson, LessonError, decode_draft

_ENDING = ".draft"


class _Copy(msgspec.Struct):
    process: int
    path: str
    lesson: msgspec.Raw


class KeptDraft(NamedTuple):
    """A lesson that a process now gone was writing."""

    file: Path
    lesson: Lesson
    path: Path | None
    """Its own file, if it has one."""


def draft_file(window: str) -> Path:
    """Return where a window of this process keeps the copy of its lesson."""
    return autosave_folder().parent / "lessons" / f"{os.getpid()}-{window}{_ENDING}"


def keep_draft(lesson: Lesson, path: Path | None, window: str) -> None:
    """Keep a copy in place of the last one. Raises OSError."""
    file = draft_file(window)
    file.parent.mkdir(parents=True, exist_ok=True)
    replace_file(file, msgspec.json.encode(_Copy(os.getpid(), str(path or ""), msgspec.Raw(msgspec.json.encode(lesson)))))


def drop_draft(file: Path) -> None:
    """Remove a copy: it is saved, or not wanted."""
    with suppress(OSError):
        file.unlink()


def kept_drafts() -> tuple[KeptDraft, ...]:
    """Return the copies that processes now gone have left, newest first. What cannot be read is left out."""
    found = []
    for file in sorted(draft_file("").parent.glob(f"*{_ENDING}"), key=_age):
        with suppress(OSError, msgspec.DecodeError, LessonError):
            copy = msgspec.json.decode(file.read_bytes(), type=_Copy)
            if not is_running(copy.process):
                found.append(KeptDraft(file, decode_draft(bytes(copy.lesson)), Path(copy.path) if copy.path else None))
    return tuple(found)


def _age(file: Path) -> float:
    try:
        return -file.stat().st_mtime
    except OSError:
        return 0.0

"""The lessons that come with the program, and those in files of their own."""

from __future__ import annotations

from pathlib import Path

from nnviz.lessons.lesson import Lesson, LessonError, decode
from nnviz.resource_files import resource_folder

LARGEST = 1_000_000
"""Bytes of a lesson's file."""


def lesson_names() -> tuple[str, ...]:
    """Return the names of all lessons that come with the program, sorted."""
    return tuple(sorted(path.stem for path in resource_folder("lessons").glob("*.json")))


def open_lesson(name: str) -> Lesson:
    """Return a lesson by its name, or by the path of its file. Raises LessonError where there is none, or it cannot be read."""
    path = resource_folder("lessons") / f"{name}.json" if name in lesson_names() else Path(name)
    try:
        if path.stat().st_size > LARGEST:
            raise LessonError(f"{name}: a lesson has at most {LARGEST:,} bytes.")
        return decode(path.read_bytes(), path.name)
    except OSError:
        raise LessonError(f"There is no lesson {name!r}. There is: {', '.join(lesson_names())}.") from None

"""The lessons that come with the program, and those in files of their own."""

from __future__ import annotations

from pathlib import Path

from nnviz.document.store.files import replace_file
from nnviz.lessons.lesson import SUFFIX, Lesson, LessonError, decode, decode_draft, encode
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
        return decode(_read(path), path.name)
    except OSError:
        raise LessonError(f"There is no lesson {name!r}. There is: {', '.join(lesson_names())}.") from None


def readable_lesson(path: Path) -> Lesson | None:
    """Return the lesson in a file; None where the file is gone, or holds none."""
    try:
        return decode(_read(path), path.name)
    except (OSError, LessonError):
        return None


def open_draft(path: Path) -> Lesson:
    """Return the lesson in a file, to be written on: it need not be whole. Raises LessonError where it cannot be read."""
    try:
        return decode_draft(_read(path), path.name)
    except OSError as error:
        raise LessonError(f"{path.name} cannot be read: {error.strerror or error}.") from None


def is_lesson_file(path: Path) -> bool:
    """Return whether a file has the name of a lesson."""
    return path.name.lower().endswith(SUFFIX)


def save_lesson(lesson: Lesson, path: Path) -> None:
    """Write a lesson to its file. Raises LessonError where it is too large, or the file cannot be written."""
    data = encode(lesson) + b"\n"
    if len(data) > LARGEST:
        cure = "Take fewer rows into its own documents, or an example in their place."
        raise LessonError(f"The lesson has {len(data):,} bytes; {LARGEST:,} are the most. {cure}")
    try:
        replace_file(path, data)
    except OSError as error:
        raise LessonError(f"{path.name} could not be written: {error.strerror or error}.") from None


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        data = file.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise LessonError(f"{path.name}: A lesson has at most {LARGEST:,} bytes.")
    return data

"""The lessons there are: those of the program in the order of the course, and those from files, each with how far a person is in it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from nnviz.lessons.lesson import Lesson, LessonError
from nnviz.lessons.store import lesson_names, open_lesson, readable_lesson
from nnviz.ui.learn.lesson_list import ListedLesson
from nnviz.ui.learn.lesson_progress import LessonProgress

FIRST_LESSON = "first_backward_pass"
OWN = "Your lessons"
"""The heading of lessons from files."""


class KnownLessons:
    """Lessons of the program are read once, those from files each time."""

    def __init__(self, progress: LessonProgress, complain: Callable[[str], object]) -> None:
        """`complain` is told, as a sentence, why a lesson cannot be read."""
        self._progress, self._complain = progress, complain
        self._read: dict[str, Lesson] = {}

    def lesson(self, name: str) -> Lesson | None:
        """Return the lesson of this name; None where it cannot be read, which is told."""
        if name not in self._read or Path(name).is_absolute():  # a file may be another one now
            try:
                self._read[name] = open_lesson(name)
            except LessonError as error:
                self._complain(str(error))
                return None
        return self._read[name]

    def listed(self) -> list[ListedLesson]:
        """Return all lessons that can be read: those from files, the first one, the others in the order of the course."""
        found = [(name, lesson) for name in lesson_names() if (lesson := self.lesson(name))]
        found.sort(key=lambda one: (one[0] != FIRST_LESSON, _in_course(one[1])))
        own = [replace(self._row(name, lesson), group=OWN) for name in self._progress.own if (lesson := readable_lesson(Path(name)))]
        return [*own, *(self._row(name, lesson) for name, lesson in found)]

    def _row(self, name: str, lesson: Lesson) -> ListedLesson:
        place, is_done = self._progress.place(name), self._progress.is_done(name)
        return ListedLesson(name, lesson.title, lesson.summary, lesson.minutes, len(lesson.steps), lesson.group, place, is_done)


def _in_course(lesson: Lesson) -> tuple[str, int]:
    """The place in the course of the first row of the curriculum that a lesson shows; those without any stand last."""
    row = next(iter(lesson.rows), "Z")
    return row[:1], int(re.sub(r"\D", "", row) or 0)

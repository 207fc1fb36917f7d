"""Writing the lesson that is open as PDF: where to, how far it is, what came of it. Everything else goes on meanwhile."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject

from nnviz.lessons.lesson import Lesson
from nnviz.ui.learn._sheet_export import SheetExport
from nnviz.ui.shell_api import Shell

_NOTE = "lesson_sheet"


class LessonPrinting(QObject):
    """One at a time, told in a note of the window."""

    def __init__(self, shell: Shell, parent: QObject) -> None:
        super().__init__(parent)
        self._shell = shell
        self._ask_file: Callable[[str, str, str], str] = lambda title, name, filters: ""
        self._export = SheetExport(self)
        self._export.progressed.connect(self._show_progress)
        self._export.ended.connect(self._show_end)

    @property
    def is_going(self) -> bool:
        """Whether a lesson is being written."""
        return self._export.is_going

    def ask_with(self, ask_file: Callable[[str, str, str], str]) -> None:
        """Have `ask_file` asked where to write; it is given a title, a name and filters, and returns "" if the person would rather not."""
        self._ask_file = ask_file

    def start(self, lesson: Lesson, name: str, has_answers: bool) -> None:
        """Ask for a file and have the lesson of this name written there."""
        out = self._ask_file("Export lesson", f"{name}.pdf", "PDF (*.pdf)")
        if out:
            self._export.start(lesson, out, has_answers)
            self._show_progress("beginning")

    def stop(self) -> None:
        """End the writing, if a lesson is being written."""
        self._shell.notes.drop(_NOTE)
        self._export.cancel()

    def _cancel(self) -> None:
        self.stop()
        self._shell.update_actions()

    def _show_progress(self, words: str) -> None:
        self._shell.notes.post(_NOTE, "info", f"Writing the lesson as PDF: {words} …", [("Cancel", self._cancel)])
        self._shell.update_actions()

    def _show_end(self, out: str, reason: str) -> None:
        self._shell.notes.drop(_NOTE)
        self._shell.toast.post("error" if reason else "info", f"The lesson could not be written: {reason}" if reason else f"Wrote {out}")
        self._shell.update_actions()

"""Recording from the menu: the sheet, the file, how far it is, and what has come of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QProgressDialog, QWidget

from nnviz.ui.files._recording_sheet import SUBJECTS, RecordingSheet
from nnviz.ui.files.recorder import RecordableWindow, RecordedSubject, Recorder, RecordingOrder
from nnviz.ui.widgets.placing import place_below_bar
from nnviz.ui.widgets.toast import Toast

_FILTERS = "MP4 (*.mp4);;GIF (*.gif)"


class AskedWindow(RecordableWindow, Protocol):
    """A window in which a person asks for a recording."""

    toast: Toast

    def window(self) -> QWidget:
        """Return the window itself, to stand the sheet over."""

    def panel_titles(self) -> dict[str, str]:
        """Return the titles of the panels that can be seen, by their names."""


class Recordings:
    """`ask_file` is given a title, a name and filters: where to write. `of_run`: there are iterations, a network and plots, too."""

    def __init__(self, subject: RecordedSubject, shell: AskedWindow, ask_file: Callable[[str, str, str], str], of_run: bool = True) -> None:
        self._subject, self._shell, self._ask_file, self._of_run = subject, shell, ask_file, of_run
        self.recorder = Recorder(subject, shell, shell.window())
        self.recorder.progressed.connect(self._show_progress)
        self.recorder.ended.connect(self._tell)
        self._bar: QProgressDialog | None = None

    def ask(self) -> None:
        """Ask what shall be recorded."""
        seen = {text: key for key, text in SUBJECTS.items() if self._of_run or key in ("graph", "window")}
        seen |= {text: key for key, text in self._shell.panel_titles().items()}
        sheet = RecordingSheet(self._subject.stepping.length, self._subject.iteration if self._of_run else None, seen, self._shell.window())
        sheet.chosen.connect(self._begin)
        sheet.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        sheet.adjustSize()
        place_below_bar(sheet, self._shell.window())
        sheet.show()

    def _begin(self, order: RecordingOrder) -> None:
        name = self._ask_file("Record", f"{Path(self._subject.title).stem}.mp4", _FILTERS)
        if name:
            self.recorder.start(replace(order, path=Path(name).absolute()))

    def _show_progress(self, done: int, total: int) -> None:
        """Nothing else can be done in the window meanwhile: it is what is recorded."""
        if self._bar is None:
            self._bar = QProgressDialog("Taking pictures …", "Cancel", 0, total, self._shell.window())
            self._bar.setWindowTitle("Record")
            self._bar.setWindowModality(Qt.WindowModality.WindowModal)
            self._bar.setMinimumDuration(0)
            self._bar.setAutoClose(False)
            self._bar.canceled.connect(self.recorder.cancel)
        self._bar.setLabelText(f"Taking picture {min(done + 1, total):,} of {total:,} …")
        self._bar.setValue(done)

    def _tell(self, path: str, told: str) -> None:
        if self._bar is not None:
            self._bar.canceled.disconnect(self.recorder.cancel)
            self._bar.close()
            self._bar.deleteLater()
            self._bar = None
        self._shell.toast.post("info" if path else "warning", f"Wrote {path}: {told}" if path else told)

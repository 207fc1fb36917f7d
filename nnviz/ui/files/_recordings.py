"""Recording from the menu: the sheet, the file, how far it is, and what has come of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QProgressDialog

from nnviz.session.session import Session
from nnviz.ui.files._recording_sheet import RecordingSheet
from nnviz.ui.files.recorder import Recorder, RecordingOrder
from nnviz.ui.shell_api import Shell
from nnviz.ui.widgets.placing import place_below_bar

_FILTERS = "MP4 (*.mp4);;GIF (*.gif)"


class Recordings:
    """`ask_file` is given a title, a name and filters: where to write."""

    def __init__(self, session: Session, shell: Shell, ask_file: Callable[[str, str, str], str]) -> None:
        self._session, self._shell, self._ask_file = session, shell, ask_file
        self.recorder = Recorder(session, shell, shell.window())
        self.recorder.progressed.connect(self._show_progress)
        self.recorder.ended.connect(self._tell)
        self._bar: QProgressDialog | None = None

    def ask(self) -> None:
        """Ask what shall be recorded."""
        steps = self._session.stepping.length
        sheet = RecordingSheet(steps, self._session.run.iteration, self._shell.panel_titles(), self._shell.window())
        sheet.chosen.connect(self._begin)
        sheet.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        sheet.adjustSize()
        place_below_bar(sheet, self._shell.window())
        sheet.show()

    def _begin(self, order: RecordingOrder) -> None:
        name = self._ask_file("Record", f"{Path(self._session.document.title).stem}.mp4", _FILTERS)
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

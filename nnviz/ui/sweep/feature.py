"""Sweeps: the sheet that starts one, the panel with its runs, and what becomes of a run that is chosen there."""

from __future__ import annotations

import time
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtWidgets import QFileDialog

from nnviz.document.problems import Refused
from nnviz.document.setting_paths import setting_paths
from nnviz.document.sweep_plan import SweepOrder
from nnviz.export.sweep_tables import write_table
from nnviz.extras import MissingExtra
from nnviz.records.table_files import TABLE_WRITERS
from nnviz.session.session import Session
from nnviz.ui.shell_api import Shell
from nnviz.ui.sweep._sweep_panel import SweepPanel
from nnviz.ui.sweep._sweep_sheet import SweepSheet, duration
from nnviz.ui.widgets.card import Card
from nnviz.ui.widgets.header_button import ActionButton
from nnviz.ui.widgets.waiting import waiting

_PANEL = "sweep"
_REST = 400
"""Milliseconds between two times at which the pictures are made anew while runs are finished."""
_SELDOM = 10
"""At most one part in so many of the time is spent on it."""
_EARLIER = "These runs are of the document as it was when the sweep began, which is another now."
_FILTERS = "CSV (*.csv);;Parquet (*.parquet)"


class SweepFeature(QObject):
    """Other features hear of `document_requested`."""

    document_requested = Signal(object, bytes)
    """A document to be opened, and the run it was kept with."""
    panel_requested = Signal()
    """The panel is to be seen, as large as it can be."""

    def __init__(self, session: Session, shell: Shell) -> None:
        self.panel = SweepPanel()
        super().__init__(self.panel)
        self.session, self._shell = session, shell
        table = shell.action_table
        words = (("sweep", "sweep…"), ("export_sweep", "export…"), ("go_on_sweep", "go on"), ("cancel_sweep", "cancel"))
        self.cards = {_PANEL: Card("Sweep", self.panel, tuple(ActionButton(table[action], word) for action, word in words))}
        self._began, self._before = 0.0, 0
        """When it began, or went on, and how many runs were finished then."""
        self._filling = QTimer(self, singleShot=True, interval=_REST)
        self._filling.timeout.connect(self._fill)
        self.panel.open_requested.connect(self.open)
        self.panel.keep_requested.connect(self.keep)
        self.panel.picked.connect(lambda number: self._update_actions())
        for plot in (self.panel.parallel, self.panel.bands):
            plot.export_requested.connect(shell.export_picture)
        session.sweep.changed.connect(self._follow)
        session.experiment_changed.connect(lambda old, new: self._tell())
        self._tell()

    # --- what is shown ---

    def _follow(self) -> None:
        if not self.session.sweep.is_going:
            self._fill()
        elif not self._filling.isActive():
            self._filling.start()

    def _fill(self) -> None:
        """The more runs there are, the longer it takes, and the more seldom it is done."""
        self._filling.stop()
        self._tell()
        self._update_actions()
        start = time.monotonic()
        self.panel.set_runs(self.session.sweep.labels, self.session.sweep.planned, self.session.sweep.rows)
        self._filling.setInterval(max(_REST, round(_SELDOM * 1000 * (time.monotonic() - start))))

    def _update_actions(self) -> None:
        QTimer.singleShot(0, self.panel, self._shell.update_actions)  # others may still have to hear of the document

    def _tell(self) -> None:
        """How far it has come, and of what, beside the title."""
        sweep = self.session.sweep
        done, total, failed = len(sweep.rows), len(sweep.planned), sum(row.is_failed for row in sweep.rows)
        made = done - self._before
        said = [f"{done:,} of {total:,} runs" if total else "none yet"]
        said += [f"{failed:,} failed"] if failed else []
        if sweep.is_going and made > 0:
            said.append(f"about {duration((time.monotonic() - self._began) / made * (total - done))} left")
        said += ["stopped"] if total > done and not sweep.is_going else []
        said += ["of an earlier document"] if sweep.is_of_earlier else []
        self.cards[_PANEL].set_subtitle(" · ".join(said))
        self.panel.set_note(_EARLIER if sweep.is_of_earlier else "")

    def show(self) -> None:
        """Bring the panel into sight."""
        self.panel_requested.emit()

    # --- what a person does ---

    def ask(self) -> None:
        """Ask what is to be swept, while it is found out how long an iteration takes."""
        sweep, run = self.session.sweep, self.session.run
        sheet = SweepSheet(setting_paths(self.session.experiment), sweep.plan, run.iteration, self._shell.window())
        sweep.measure()
        sweep.speed_changed.connect(sheet.set_speed)
        sheet.chosen.connect(self._start)
        sheet.open_over(self._shell.window())

    def _start(self, order: SweepOrder, workers: int, scheduler: str) -> None:
        self._began, self._before = time.monotonic(), 0
        try:
            self.session.sweep.start(order, workers, scheduler)
        except Refused as refused:
            self._shell.toast.post("warning", str(refused))
            return
        self._fill()
        self.show()

    def go_on(self) -> None:
        """Have the runs made that are missing."""
        self._began, self._before = time.monotonic(), len(self.session.sweep.rows)
        self.session.sweep.go_on()
        self._fill()

    @property
    def can_open(self) -> bool:
        """Whether a run is chosen that can be made again."""
        return any(row.number == self.panel.chosen and not row.is_failed for row in self.session.sweep.rows)

    def open(self, number: int) -> None:
        """Ask for a finished run to be opened as a document."""
        self.document_requested.emit(*self.session.sweep.document(number))

    def keep(self, number: int) -> None:
        """Train a finished run again as a branch beside the present run."""
        row = next(row for row in self.session.sweep.rows if row.number == number)
        if self.session.comparison.start_beside((), ((f"run {number}", self.session.sweep.log(number)),), row.iterations):
            self._shell.toast.post("info", f"Run {number} is trained again, beside the present run.")

    def export(self) -> None:
        """Ask for a file and write a row for each finished run there."""
        name = f"{Path(self.session.document.title).stem} sweep.csv"
        path, chosen = QFileDialog.getSaveFileName(self._shell.window(), "Export the sweep", name, _FILTERS)
        if not path:
            return
        file = Path(path)
        if file.suffix.lower() not in TABLE_WRITERS:
            file = Path(path + (".parquet" if "parquet" in chosen else ".csv"))
        try:
            with waiting():
                write_table(file, self.session.sweep.rows, self.session.sweep.labels)
        except MissingExtra as error:
            self._shell.toast.post("error", str(error))
        except OSError as error:
            self._shell.toast.post("error", f"{file}: {error.strerror or error}.")
        else:
            self._shell.toast.post("info", f"{len(self.session.sweep.rows):,} runs are in {file.name}.")

"""The sweep of a window: what was asked for last, how far it has come, and what came of it. It is made by processes of its own.

It belongs to the document it was started with, whose file keeps it, and to what is made of that: a change, or one of its runs.
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace
from PySide6.QtCore import QObject, Signal

from nnviz.document.experiment import Experiment
from nnviz.document.run_branches import FIRST
from nnviz.document.run_log import RunLog, same_run
from nnviz.document.store import files, json_text, saved_run
from nnviz.document.store.data_paths import with_path_of
from nnviz.document.store.saved_run import PART, SavedRun
from nnviz.document.sweep_plan import PlannedRun, SweepOrder
from nnviz.records.started_sweep import StartedSweep, from_plain, plain, started
from nnviz.records.sweep_records import SpeedRequest, SweepEnd, SweepReplies, SweepRequest, SweepSpeed, SweptRun
from nnviz.session._sweep_process import SweepProcess
from nnviz.session.document import Document

_LONGEST_TITLE = 200


class SweepControl(QObject):
    """Its results stay until the next sweep, or until another document is opened that is none of its runs."""

    changed = Signal()
    kept_changed = Signal()
    """`is_kept` is another."""
    speed_changed = Signal(object)
    """The SweepSpeed that was asked for."""
    message_posted = Signal(str, str)

    def __init__(self, document: Document, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._document = document
        self.present: StartedSweep | None = None
        """The latest sweep; None before the first."""
        self._in_file: StartedSweep | None = None
        """What of it a file holds: that of the document, or of the one whose run is open."""
        self._where: tuple[int | None, str] = (None, "")
        """How many processes make it, or the address of the cluster that does."""
        self._making: SweepProcess | None = None
        self._measuring: SweepProcess | None = None
        self._was_kept = True

    @property
    def is_going(self) -> bool:
        """Whether runs are being made."""
        return self._making is not None

    @property
    def planned(self) -> tuple[PlannedRun, ...]:
        """All runs of the latest sweep; none before the first."""
        return self.present.runs if self.present else ()

    @property
    def rows(self) -> tuple[SweptRun, ...]:
        """Those that are finished, in the order of their numbers."""
        return self.present.rows if self.present else ()

    @property
    def labels(self) -> tuple[str, ...]:
        """The settings that change, as they are typed."""
        return tuple(axis.label for axis in self.present.order.axes) if self.present else ()

    @property
    def missing(self) -> tuple[int, ...]:
        """The numbers of the runs that can be made still, while none is."""
        return self.present.missing if self.present and not self.is_going else ()

    @property
    def is_of_earlier(self) -> bool:
        """Whether the document is another now than the one that was swept."""
        return self.present is not None and not same_run(self.present.experiment, self._document.experiment)

    # --- what a person does ---

    def plan(self, order: SweepOrder) -> tuple[PlannedRun, ...]:
        """Return the runs a sweep of the present document would have. Raises Refused."""
        return started(self._document.experiment, order).runs

    def start(self, order: SweepOrder, workers: int | None = None, scheduler: str = "") -> None:
        """Make this sweep of the present document; of the last one stays what comes to the same. Raises Refused."""
        sweep, known = started(self._document.experiment, order), self.rows
        self.cancel()
        self.present, self._where = sweep, (workers, scheduler)
        self._make(None, known)

    def go_on(self) -> None:
        """Make the runs that are missing, those that failed once more, of the document as it was when the sweep began."""
        if missing := self.missing:
            self._make(missing)

    def _make(self, numbers: tuple[int, ...] | None, known: tuple[SweptRun, ...] = ()) -> None:
        text, order = json_text.encode(self.present.experiment).decode(), self.present.order
        self._making = SweepProcess(SweepRequest(text, self._document.folder, order, *self._where, numbers, known), self)
        self._making.replied.connect(self._take)
        self._tell()

    def cancel(self) -> None:
        """Make no more runs; those that are finished stay."""
        if self._making is not None:
            making, self._making = self._making, None
            making.stop()
            self._tell()

    def measure(self) -> None:
        """Find out how long an iteration of the present document takes, beside everything else; `speed_changed` says it."""
        self._stop_measuring()
        text = json_text.encode(self._document.experiment).decode()
        self._measuring = SweepProcess(SpeedRequest(text, self._document.folder), self)
        self._measuring.replied.connect(self._take_speed)

    def close(self) -> None:
        """End all processes."""
        self.cancel()
        self._stop_measuring()

    # --- the document and its file ---

    @property
    def is_kept(self) -> bool:
        """Whether a file holds all runs that are finished."""
        return not self.rows or self.present == self._in_file

    def attachments(self, saved: SavedRun | None) -> dict[str, bytes]:
        """Return what goes into the file beside the document: its run, and the sweep with it, where there is one and it has room."""
        written = self._encoded(saved)
        if written is None and saved is not None:
            written = saved_run.encode(saved)
        return {PART: written} if written is not None and len(written) <= files.LARGEST[PART] else {}

    def _encoded(self, saved: SavedRun | None) -> bytes | None:
        """The run with the sweep as a part of a file, without its curves if these have no room; None if it has none either way."""
        saved = saved or SavedRun(0, None, RunLog(self._document.experiment))
        for with_curves in (True, False) if self.rows else ():
            written = saved_run.encode(replace(saved, sweep=plain(self.present, with_curves)))
            if len(written) <= files.LARGEST[PART]:
                return written
        return None

    def written(self, saved: SavedRun | None) -> None:
        """The document has been written, with this run; only a *.nnviz file keeps the sweep."""
        if self._document.path.suffix.lower() == ".nnviz":
            self._in_file = self.present if self._encoded(saved) is not None else None
        self._tell_kept()

    def offer(self, value: dict[str, Any] | None) -> None:
        """Another document is open: take the sweep it was kept with, if any. If it is the present one, both are joined."""
        found = from_plain(value) if value else None
        if found:
            found = _moved(found, with_path_of(RunLog(found.experiment), self._document.experiment).first)
        if found and self._is_same(found):
            self.present, self._in_file = found.with_rows(self.rows), found
        elif found or not self._is_of_it(self._document.experiment):
            self.cancel()
            self.present = self._in_file = found
        self._tell()

    def _tell(self) -> None:
        self._tell_kept()
        self.changed.emit()

    def _tell_kept(self) -> None:
        if self.is_kept != self._was_kept:
            self._was_kept = not self._was_kept
            self.kept_changed.emit()

    def _is_same(self, other: StartedSweep) -> bool:
        present = self.present
        return present is not None and present.order == other.order and same_run(present.experiment, other.experiment)

    def _is_of_it(self, experiment: Experiment) -> bool:
        """Whether this is what was swept, or one of the runs."""
        documents = (self.present.experiment, *(run.log.last for run in self.planned if not run.problem)) if self.present else ()
        return any(same_run(experiment, one) for one in documents)

    # --- what comes of it ---

    def log(self, number: int) -> RunLog:
        """Return how the run of this number goes."""
        return self.planned[number - 1].log

    def document(self, number: int) -> tuple[Experiment, bytes]:
        """Return the document of a finished run, and how it went, as a file would keep it."""
        log, row = self.log(number), next(row for row in self.rows if row.number == number)
        title = f"{log.last.title} · run {number}"[:_LONGEST_TITLE]
        saved = SavedRun(row.iterations, row.loss, log, FIRST)
        return replace(log.last, title=title), saved_run.encode(saved)

    def _stop_measuring(self) -> None:
        if self._measuring is not None:
            self._measuring.stop()
            self._measuring = None

    def _take(self, reply: SweepReplies) -> None:
        if isinstance(reply, SweepEnd):
            self._making = None
            if reply.message:
                self.message_posted.emit("warning", f"{reply.message} {len(self.rows):,} of {len(self.planned):,} runs are done.")
        elif isinstance(reply, SweptRun):
            self.present = self.present.with_rows((reply,))
        self._tell()

    def _take_speed(self, reply: SweepReplies) -> None:
        if isinstance(reply, SweepSpeed):
            self.speed_changed.emit(reply)
        else:
            self._measuring = None


def _moved(sweep: StartedSweep, experiment: Experiment) -> StartedSweep:
    """The sweep of the document with its data file elsewhere."""
    if experiment is sweep.experiment:
        return sweep
    return started(experiment, sweep.order).with_rows(sweep.rows)

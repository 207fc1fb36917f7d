"""The sweep of a window: what was asked for last, how far it has come, and what came of it. It is made by processes of its own."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from PySide6.QtCore import QObject, Signal

from nnviz.document.experiment import Experiment
from nnviz.document.run_branches import FIRST
from nnviz.document.run_log import RunLog
from nnviz.document.store import json_text, saved_run
from nnviz.document.store.saved_run import SavedRun
from nnviz.document.sweep_plan import PlannedRun, SweepOrder, planned
from nnviz.records.sweep_records import SpeedRequest, SweepEnd, SweepReplies, SweepRequest, SweepSpeed, SweptRun
from nnviz.session._sweep_process import SweepProcess
from nnviz.session.document import Document

_LONGEST_TITLE = 200


class SweepControl(QObject):
    """Results stay until the next sweep, also when another document is opened: each is a document of its own."""

    changed = Signal()
    speed_changed = Signal(object)
    """The SweepSpeed that was asked for."""
    message_posted = Signal(str, str)

    def __init__(self, document: Document, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._document = document
        self.order = SweepOrder()
        self.planned: tuple[PlannedRun, ...] = ()
        """All runs of the latest sweep; none before the first."""
        self.rows: tuple[SweptRun, ...] = ()
        """Those that are finished, in the order of their numbers."""
        self._making: SweepProcess | None = None
        self._measuring: SweepProcess | None = None

    @property
    def is_going(self) -> bool:
        """Whether runs are being made."""
        return self._making is not None

    @property
    def labels(self) -> tuple[str, ...]:
        """The settings that change, as they are typed."""
        return tuple(axis.label for axis in self.order.axes)

    # --- what a person does ---

    def plan(self, order: SweepOrder) -> tuple[PlannedRun, ...]:
        """Return the runs a sweep of the present document would have. Raises Refused."""
        return planned(self._document.experiment, order)

    def start(self, order: SweepOrder, workers: int | None = None, scheduler: str = "") -> None:
        """Make this sweep of the present document; what the last one came to is forgotten. Raises Refused."""
        self.planned = self.plan(order)
        self.cancel()
        self.order, self.rows = order, ()
        self._making = SweepProcess(SweepRequest(self._text(), self._document.folder, order, workers, scheduler), self)
        self._making.replied.connect(self._take)
        self.changed.emit()

    def cancel(self) -> None:
        """Make no more runs; those that are finished stay."""
        if self._making is not None:
            making, self._making = self._making, None
            making.stop()
            self.changed.emit()

    def measure(self) -> None:
        """Find out how long an iteration of the present document takes, beside everything else; `speed_changed` says it."""
        self._stop_measuring()
        self._measuring = SweepProcess(SpeedRequest(self._text(), self._document.folder), self)
        self._measuring.replied.connect(self._take_speed)

    def close(self) -> None:
        """End all processes."""
        self.cancel()
        self._stop_measuring()

    # --- what comes of it ---

    def log(self, number: int) -> RunLog:
        """Return how the run of this number goes."""
        return self._planned(number).log

    def document(self, number: int) -> tuple[Experiment, bytes]:
        """Return the document of a finished run, and how it went, as a file would keep it."""
        log, row = self.log(number), next(row for row in self.rows if row.number == number)
        title = f"{log.last.title} · run {number}"[:_LONGEST_TITLE]
        saved = SavedRun(row.iterations, row.loss, log, FIRST)
        return msgspec.structs.replace(log.last, title=title), saved_run.encode(saved)

    def _planned(self, number: int) -> PlannedRun:
        return self.planned[number - 1]

    def _text(self) -> str:
        return json_text.encode(self._document.experiment).decode()

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
            self.rows = _inserted(self.rows, reply)
        self.changed.emit()

    def _take_speed(self, reply: SweepReplies) -> None:
        if isinstance(reply, SweepSpeed):
            self.speed_changed.emit(reply)
        else:
            self._measuring = None


def _inserted(rows: Sequence[SweptRun], row: SweptRun) -> tuple[SweptRun, ...]:
    return tuple(sorted((*rows, row), key=lambda one: one.number))

"""What the engine is at when it takes long: said after a moment, to be cancelled after another, ended by itself when nobody needs it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QElapsedTimer, QObject, QTimer, Signal

from nnviz import messages
from nnviz.document.catalog import DATASETS
from nnviz.document.network import Choice
from nnviz.document.run_log import RunLog
from nnviz.session.engine_link import EngineLink
from nnviz.session.run import RunState

SHOWN = 200
"""Milliseconds after which it is said what the engine is at."""
CANCELLABLE = 1000
"""Milliseconds after which it can be cancelled."""
LONG_ITERATION = 2000
"""Milliseconds without a sign of life after which training counts as one iteration that takes long: drawn frames are up to 1 s apart."""
PATIENCE = 1500
"""Milliseconds the engine has to end by itself what is cancelled, and to begin with another document before it is started again."""
_TEXTS = {
    messages.Edit: "Taking over the change",
    messages.Train: "Making an iteration",
    messages.GoTo: "Going to the iteration",
    messages.TraceNext: "Tracing the next iteration",
    messages.Inspect: "Fetching a tensor",
    messages.InspectNode: "Fetching the numbers of a node",
    messages.CheckGradient: "Checking the gradient",
    messages.InspectBatch: "Looking at the batch row by row",
    messages.DrawInitial: "Drawing initial values",
    messages.MapUnit: "Mapping a unit",
    messages.ListCalls: "Listing the calls of an iteration",
}


@dataclass(frozen=True)
class Work:
    """What the engine is at, in words, and whether it has taken so long that it can be cancelled."""

    text: str
    can_cancel: bool = False


class EngineWork(QObject):
    """Watches how long the engine takes. Cancelling ends the engine if need be; the next one makes the run again, exactly."""

    changed = Signal(object)
    """Work, or None when there is nothing to say any more."""
    cancelled = Signal()
    """The engine was ended for it; another one makes the run again, and nothing else shall be asked of it by itself."""

    def __init__(self, link: EngineLink, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._link = link
        self.current: Work | None = None
        """What is to be said now."""
        self._is_over = False
        self._oldest: messages.Request | None = None
        self._since = QElapsedTimer()
        self._superseded = QElapsedTimer()
        self._ticking = QTimer(self, interval=100)
        self._ticking.timeout.connect(self._tick)
        self._breaking = QTimer(self, singleShot=True, interval=PATIENCE)
        self._breaking.timeout.connect(self._break_off)
        link.asked.connect(self._follow)
        link.replied.connect(self._follow)
        link.run_changed.connect(self._follow_engine)

    @property
    def can_cancel(self) -> bool:
        """Whether the engine has been at something so long that it can be cancelled."""
        return self.current is not None and self.current.can_cancel

    def stop(self) -> None:
        """Watch no more: the engine is to end."""
        self._is_over = True
        self._ticking.stop()
        self._breaking.stop()

    def cancel(self) -> None:
        """End what the engine is at: between two iterations it ends by itself, else it is ended, and the next one makes the run again."""
        oldest = self._link.pending.oldest
        if isinstance(oldest, messages.Train | messages.GoTo) or (isinstance(oldest, messages.Open) and oldest.iteration):
            self._pause()
        else:
            self._break_off()

    def _pause(self) -> None:
        if not self._breaking.isActive():  # who cancels again and again does not wait longer for it
            self._link.ask(messages.Pause())
            self._breaking.start()

    def _break_off(self) -> None:
        if self._link.pending.oldest is not None:
            self._link.break_off()
            self.cancelled.emit()

    def _follow_engine(self, old: RunState, new: RunState) -> None:
        if old.engine != new.engine or new.engine == "starting":
            self._follow()

    def _follow(self, reply: messages.Reply | messages.Request | None = None) -> None:
        pending, run = self._link.pending, self._link.run
        is_sign = isinstance(reply, messages.Frame) and isinstance(pending.oldest, messages.Train)
        if pending.oldest is not self._oldest or is_sign:
            self._oldest = pending.oldest
            self._since.start()
            self._breaking.stop()
        if not pending.is_superseded:
            self._superseded.invalidate()
        elif not self._superseded.isValid():
            self._superseded.start()
        if self._is_over or (self._oldest is None and run.engine in ("ready", "failed", "stopped")):
            self._ticking.stop()
            self._say(None)
        elif not self._ticking.isActive():
            self._ticking.start()

    def _tick(self) -> None:
        if self._superseded.isValid() and self._superseded.elapsed() > PATIENCE:
            self._superseded.invalidate()
            self._link.break_off()
        else:
            self._say(self._work())

    def _work(self) -> Work | None:
        run, elapsed = self._link.run, self._since.elapsed()
        if self._oldest is None:
            return Work("Starting the engine") if run.engine in ("starting", "restarting") else None
        is_flowing = isinstance(self._oldest, messages.Train) and not self._link.pending.is_awaited
        if elapsed < (LONG_ITERATION if is_flowing else SHOWN):
            return None
        return Work(_said(self._oldest, run, self._link.log), elapsed >= CANCELLABLE)

    def _say(self, work: Work | None) -> None:
        if work != self.current:
            self.current = work
            self.changed.emit(work)


def _said(request: messages.Request, run: RunState, log: RunLog | None) -> str:
    """Return what the engine does for this request; of a long way also how far it has come, of data which.

    `log`: the history of the run that the engine has open.
    """
    match request:
        case messages.Train():
            return f"Making iteration {run.iteration + 1:,}"
        case messages.GoTo(iteration):
            return f"Going to iteration {iteration:,}: at {run.iteration:,}"
        case messages.Open(iteration=iteration) if iteration:
            return f"Making the run again up to iteration {iteration:,}"
        case messages.Open(log=asked):
            return _said_of(asked.first.data)
        case messages.Edit(experiment=experiment) if log is not None and experiment.data != log.last.data:
            return _said_of(experiment.data)
    return _TEXTS[type(request)]


def _said_of(data: Choice) -> str:
    """What takes longest when other data is to be trained on."""
    if path := data.settings.get("path"):
        return f"Reading {Path(str(path)).name}"
    return f"Preparing the data: {DATASETS[data.kind].label}"

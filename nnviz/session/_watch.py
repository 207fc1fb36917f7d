"""What the window looks at: which panels the engine measures for, when the next iteration is traced, and which frames are drawn."""

from __future__ import annotations

import math
import time

import msgspec
from PySide6.QtCore import QObject, QTimer

from nnviz import messages
from nnviz.document.experiment import Experiment
from nnviz.records.picture_records import PictureWish
from nnviz.records.trace_record import Details
from nnviz.session.engine_link import EngineLink

SHARE = 1 / 6
"""The share of its thread's time that the window draws: after a frame it asks for no more before that much time has passed."""

LONGEST_REST = 1.0
"""Seconds it rests at most."""


class WatchedPanels(QObject):
    """Asks for no more than is looked at, and for nothing twice."""

    def __init__(self, link: EngineLink, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._link = link
        self._watch = messages.Watch(())
        self._asked: tuple | None = None
        self._held: Experiment | None = None
        """The document of which no trace is asked for by itself, as something of it took too long."""
        self._drawn: list[int] = []
        self._begun = self._busy = self._latest = 0.0
        """When the frames that are being drawn came, how long the thread had worked by then, and when it rests no longer."""
        self._painting = QTimer(self, singleShot=True, interval=0)  # a turn of the event loop later the first pictures are painted
        self._painting.timeout.connect(self._rest)
        self._resting = QTimer(self, singleShot=True)
        self._resting.timeout.connect(self._wake)

    def watch(self, panels: tuple[str, ...], detail: str, details: Details = ()) -> None:
        """Have the engine measure what these panels need, now and after every restart."""
        self._look(msgspec.structs.replace(self._watch, panels=tuple(panels), detail=detail, details=details))

    def watch_pictures(self, wishes: tuple[PictureWish, ...]) -> None:
        """Have these pictures of the inside of the net made, and no others."""
        self._look(msgspec.structs.replace(self._watch, pictures=wishes))

    def watch_weight(self, parameter: str, element: tuple[int, ...]) -> None:
        """Have the history of one weight kept."""
        self._look(msgspec.structs.replace(self._watch, parameter=parameter, element=tuple(element)))

    def _look(self, watch: messages.Watch) -> None:
        if watch != self._watch:
            self._watch = watch
            self._link.ask(watch)
            self.trace()

    @property
    def weight(self) -> tuple[str, tuple[int, ...]]:
        """The parameter and the element whose history is kept; empty for none."""
        return self._watch.parameter, self._watch.element

    @property
    def panels(self) -> tuple[str, ...]:
        """What is measured."""
        return self._watch.panels

    def trace(self, again: bool = False) -> None:
        """Have the next iteration traced, unless its trace is there, or was asked for before (and `again` is False)."""
        run, detail = self._link.run, (self._watch.detail, self._watch.details)
        wanted = (run.revision, run.iteration, detail)
        is_known = run.is_traced and (run.trace_index.trace.detail, run.trace_index.trace.details) == detail
        if run.training or run.target is not None:
            self._asked = None
        elif self._link.is_up_to_date and not is_known and (again or (wanted != self._asked and not self._is_held())):
            self._asked, self._held = wanted, None
            self._link.ask(messages.TraceNext(self._watch.detail, details=self._watch.details))

    def hold(self) -> None:
        """Ask for no trace of this document by itself: a person has cancelled what the engine was at."""
        self._held = self._link.experiment

    def release(self) -> None:
        """Ask for traces by itself again: a person wants the engine to work."""
        self._held = None

    def _is_held(self) -> bool:
        return self._held is not None and self._held is self._link.experiment

    def begin(self, reply: messages.Reply) -> None:
        """A reply is about to be drawn."""
        if isinstance(reply, messages.Frame) and not self._drawn:
            self._begun, self._busy = time.perf_counter(), time.thread_time()

    def take(self, reply: messages.Reply) -> None:
        """A reply is drawn as far as it is drawn at once: ask for a trace if all others have left the run without one."""
        match reply:
            case messages.Ready():
                self._drawn.clear()
                self._link.ask(self._watch)
            case messages.Moved():
                self._asked = None
            case messages.Frame():
                self._drawn.append(reply.number)
                self._painting.start()
        self.trace()

    def _rest(self) -> None:
        """Leave the processor to the engine and to the person's hands before more frames may come."""
        self._latest = time.perf_counter() + LONGEST_REST
        self._wake()

    def _wake(self) -> None:
        """Acknowledge what is drawn, or rest on: pictures that were painted meanwhile count, too."""
        drawing = time.thread_time() - self._busy
        left = min(self._begun + drawing / SHARE, self._latest) - time.perf_counter()
        if left > 0:
            self._resting.start(math.ceil(1000 * left))
            return
        for number in self._drawn:
            self._link.ask(messages.Acknowledge(number))
        self._drawn.clear()

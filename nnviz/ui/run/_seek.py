"""Brings the run to the place that was asked for last: one is asked of the engine at a time, and never one that nobody wants any more."""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer, Signal

from nnviz.session.session import Session

_PATIENCE = 250
"""Milliseconds after which a way is broken off that leads to a place nobody wants any more."""


class Seeker(QObject):
    """`wanted` waits until the run has arrived where it is going to."""

    changed = Signal()
    """`wanted` is another."""

    def __init__(self, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self.wanted: tuple[str, int] | None = None
        """A branch and an iteration of it."""
        self._going = QTimer(self, singleShot=True, interval=0)
        self._going.timeout.connect(self._go)
        self._leaving = QTimer(self, singleShot=True, interval=_PATIENCE)
        self._leaving.timeout.connect(self._leave)
        session.run_changed.connect(self._follow)
        session.document_replaced.connect(self.forget)

    def want(self, name: str, iteration: int) -> None:
        """Let the run stand there as soon as it can."""
        self.wanted = name, iteration
        self._go()
        if self.wanted is not None and not self._leaving.isActive():
            self._leaving.start()
        self.changed.emit()

    def forget(self) -> None:
        """Want to go nowhere any more."""
        self.wanted = None
        self._leaving.stop()
        self.changed.emit()

    @property
    def _is_on_its_way(self) -> bool:
        return self._session.training.is_moving or self._session.link.is_waiting

    def _go(self) -> None:
        if self.wanted is None or (self._session.training.can_train and self._is_on_its_way):
            return
        (name, iteration), self.wanted = self.wanted, None
        self._leaving.stop()
        self._session.branches.go_to(name, iteration)
        self.changed.emit()

    def _leave(self) -> None:
        if self.wanted is not None and self._session.training.is_moving:
            self._session.training.pause()

    def _follow(self) -> None:
        if self.wanted is not None and not self._is_on_its_way:
            self._going.start()  # not now: others still have to hear that it has arrived

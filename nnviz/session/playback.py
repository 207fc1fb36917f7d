"""Plays the trace: one step after the other at an even pace, on into the next iteration. It only calls the step it was given."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer, Signal

FASTEST = 10
"""Milliseconds; a shorter interval would draw pictures nobody sees."""


class Playback(QObject):
    """A play button: it runs until stopped."""

    playing_changed = Signal(bool)

    def __init__(self, step: Callable[[], None], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._usual = self._step = step
        self._timer = QTimer(self)
        self._timer.timeout.connect(lambda: self._step())

    @property
    def is_playing(self) -> bool:
        """Whether steps are being made."""
        return self._timer.isActive()

    def play(self, interval_ms: int = 600, step: Callable[[], None] | None = None) -> None:
        """Make a step now and one every `interval_ms`; while playing, only change the pace and the step."""
        was_playing, self._step = self.is_playing, step or self._usual
        self._timer.start(max(FASTEST, interval_ms))
        if not was_playing:
            self.playing_changed.emit(True)
            self._step()

    def change_pace(self, interval_ms: int) -> None:
        """While playing, make a step every `interval_ms` from now on."""
        if self.is_playing:
            self._timer.start(max(FASTEST, interval_ms))

    def stop(self) -> None:
        """Stay where the cursor is."""
        if self.is_playing:
            self._timer.stop()
            self.playing_changed.emit(False)

    def toggle(self, interval_ms: int = 600, step: Callable[[], None] | None = None) -> None:
        """Play, or stop if it plays just this."""
        if self.is_playing and self._step == (step or self._usual):
            self.stop()
        else:
            self.play(interval_ms, step)

"""The search for the slip behind wrong gradients, where it takes long: in a thread beside the window, with progress, to be cancelled."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from PySide6.QtCore import QObject, QTimer, Signal

from nnviz.lessons.gradient_check import GradientChecker, SearchProgress
from nnviz.records.trace_index import TraceIndex
from nnviz.session.background_call import BackgroundCall

_LOOKED_AT = 50
"""Milliseconds between two looks at how far it is."""
_PATIENCE = 3.0
"""Seconds in which a search has to end when the window closes."""
_BEGINNING = SearchProgress("", 0, 0, 0)


class GradientSearch(QObject):
    """One search at a time; another one ends that which is under way."""

    progressed = Signal()
    """`progress` is another, or nothing is searched any more."""
    found = Signal(object)
    """GradientVerdicts"""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._call: BackgroundCall | None = None
        self._told = [_BEGINNING]
        """The one thing that the thread writes: how far it is."""
        self._ending: list[BackgroundCall] = []
        self._timer = QTimer(self, interval=_LOOKED_AT)
        self._timer.timeout.connect(self._look)

    @property
    def progress(self) -> SearchProgress | None:
        """How far the search is; None while there is none."""
        return self._told[0] if self._call else None

    def start(self, index: TraceIndex, own: Mapping[str, np.ndarray]) -> None:
        """Judge these gradients against a trace and try all slips there are."""
        self.cancel()
        told = self._told = [_BEGINNING]

        def search(check: Callable[[], None]) -> object:
            def tell(progress: SearchProgress) -> None:
                check()
                told[0] = progress

            return GradientChecker(index).check(own, tell)  # one of its own: what it keeps is not shared between threads

        self._call = BackgroundCall(search)
        self._timer.start()
        self.progressed.emit()

    def cancel(self) -> None:
        """End the search, if there is one; nothing is found then."""
        if self._call is not None:
            self._call.cancel()
            self._ending.append(self._call)
            self._call = None
            self.progressed.emit()

    def stop(self) -> None:
        """End everything and wait for it."""
        self.cancel()
        self._timer.stop()
        for call in self._ending:
            call.end(_PATIENCE)
        self._ending = []

    def _look(self) -> None:
        for one in self._ending:
            one.insist()
        self._ending = [one for one in self._ending if not one.has_ended]
        call = self._call
        if call is not None and call.has_ended:
            self._call = None
            self.progressed.emit()
            if call.error is not None:
                raise call.error
            self.found.emit(call.result)
        elif call is not None:
            self.progressed.emit()
        if self._call is None and not self._ending:
            self._timer.stop()

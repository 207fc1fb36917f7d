"""Layout beside the window's own thread: a diagram goes in, places come out, and only the newest answer counts. It draws nothing."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QObject, QThreadPool, Signal, Slot

from nnviz.ui.graph.layout import Placement, Size, place
from nnviz.ui.graph.structure import Diagram

AT_ONCE = 150
"""A diagram of so many cards is laid out within a frame: it is not worth a thread."""


class Placer(QObject):
    """Lays diagrams out, large ones in a thread."""

    placed = Signal(object, object)
    """The diagram that was asked for last, and its placement."""
    _came = Signal(object, object)
    """A diagram and its placement, from the thread."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._wanted: Diagram | None = None
        self._came.connect(self._take)

    @property
    def is_busy(self) -> bool:
        """Whether an answer is yet to come."""
        return self._wanted is not None

    def ask(self, diagram: Diagram, sizes: Mapping[str, Size]) -> None:
        """Let `placed` tell the places: at once for a small diagram."""
        if len(diagram.cards) <= AT_ONCE:
            self._wanted = None
            self.placed.emit(diagram, place(diagram, sizes))
        else:
            self._wanted = diagram
            QThreadPool.globalInstance().start(lambda: self._work(diagram, sizes))

    def forget(self) -> None:
        """Let no answer come any more."""
        self._wanted = None

    def _work(self, diagram: Diagram, sizes: Mapping[str, Size]) -> None:
        if diagram is not self._wanted:  # another one was asked for meanwhile
            return
        placement = place(diagram, sizes)
        try:
            self._came.emit(diagram, placement)
        except RuntimeError:  # the window is gone
            return

    @Slot(object, object)
    def _take(self, diagram: Diagram, placement: Placement) -> None:
        if diagram is self._wanted:
            self._wanted = None
            self.placed.emit(diagram, placement)

"""A thin moving line under the top bar, a word what is being done, and after a second a button that cancels it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QProgressBar, QPushButton, QWidget

if TYPE_CHECKING:
    from nnviz.session.engine_work import Work

LINE = 3
"""Height of the line in pixels."""
_TIP = "Ends what the engine is at; the run is made again, exactly, up to where it stands"


class BusyLine(QObject):
    """Lies over the window, so that nothing moves when it comes and goes."""

    cancel_requested = Signal()

    def __init__(self, bar: QWidget, window: QWidget, tip: str = _TIP) -> None:
        """`bar`: under which the line runs; `tip`: what cancelling does."""
        super().__init__(window)
        self._bar = bar
        self.line = QProgressBar(window, minimum=0, maximum=0, textVisible=False)
        self.line.setFixedHeight(LINE)
        self.note = QFrame(window, objectName="BusyNote")
        self.word = QLabel(textFormat=Qt.TextFormat.PlainText)
        self.button = QPushButton("Cancel", toolTip=tip)
        self.button.clicked.connect(self.cancel_requested)
        layout = QHBoxLayout(self.note)
        layout.setContentsMargins(12, 4, 6, 4)
        layout.addWidget(self.word)
        layout.addWidget(self.button)
        window.installEventFilter(self)
        self.show_work(None)

    def show_work(self, work: Work | None) -> None:
        """Show what is done; None: nothing that takes long."""
        self.line.setVisible(work is not None)
        self.note.setVisible(work is not None and work.can_cancel)
        if work is not None:
            self.word.setText(f"{work.text} …")
            self.line.setAccessibleName(work.text)
            self._place()

    def _place(self) -> None:
        below = self._bar.mapTo(self.parent(), self._bar.rect().bottomLeft()).y() + 1 if self._bar.isVisible() else 0
        self.line.setGeometry(0, below, self.parent().width(), LINE)
        self.note.adjustSize()
        self.note.move((self.parent().width() - self.note.width()) // 2, below + LINE + 4)
        for widget in (self.line, self.note):
            widget.raise_()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize and self.line.isVisible():
            self._place()
        return False

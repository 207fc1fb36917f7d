"""The quiet line under the panels of every workspace: what the doctor found first, or what is healthy. It only asks."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QAction, QPainter, QPaintEvent
from PySide6.QtWidgets import QAbstractButton, QHBoxLayout, QSizePolicy, QWidget

from nnviz.ui.theme.colors import GUTTER, SMALL, current_theme
from nnviz.ui.theme.fonts import sans, scaled
from nnviz.ui.theme.painting import painted
from nnviz.ui.widgets.header_button import ActionButton

_HIGH, _LOW = 26, 16
"""Heights in pixels: the least, and of its text alone, which grows with the size of texts."""
_DOT = 3.0
"""Radius in pixels of the dot before the text."""


class HealthLine(QWidget):
    """A sentence that leads to what it is about, and a word that opens the panel."""

    clicked = Signal()

    def __init__(self, panel: QAction, parent: QWidget | None = None) -> None:
        super().__init__(parent, accessibleName="Doctor")
        self.sentence = HealthSentence()
        self.sentence.clicked.connect(self.clicked)
        self._word = ActionButton(panel, "doctor")
        row = QHBoxLayout(self)
        row.setContentsMargins(GUTTER, 0, GUTTER, 0)
        row.setSpacing(GUTTER)
        row.addWidget(self.sentence, 1)
        row.addWidget(self._word)
        self._fit()

    def _fit(self) -> None:
        self.setFixedHeight(max(_HIGH, round(scaled(_LOW))))

    # --- Qt ---

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.FontChange and self.layout():
            self._fit()
        super().changeEvent(event)


class HealthSentence(QAbstractButton):
    """A dot and a text in one colour of the theme, cut where there is no more room."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._tone = "muted"
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)

    def set_text(self, text: str, tone: str, tip: str, leads: bool) -> None:
        """Show this text in a colour of the theme; `leads`: a click goes somewhere."""
        self._tone = tone
        self.setText(text)
        self.setToolTip(tip)
        self.setAccessibleName(text)
        self.setEnabled(leads)
        self.setCursor(Qt.CursorShape.PointingHandCursor if leads else Qt.CursorShape.ArrowCursor)
        self.update()

    # --- Qt ---

    def sizeHint(self) -> QSize:
        return QSize(200, round(scaled(_LOW)))

    @painted
    def paintEvent(self, event: QPaintEvent) -> None:
        painter, theme = QPainter(self), current_theme()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        font = sans(SMALL + 0.5)
        font.setUnderline(self.isEnabled() and (self.underMouse() or self.hasFocus()))
        painter.setFont(font)
        middle = self.height() / 2
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.color(self._tone))
        painter.drawEllipse(QRectF(GUTTER - _DOT, middle - _DOT, 2 * _DOT, 2 * _DOT))
        painter.setPen(theme.color(self._tone))
        room = QRectF(2 * GUTTER - 2, 0, self.width() - 2 * GUTTER, self.height())
        text = painter.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, int(room.width()))
        painter.drawText(room, int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter), text)

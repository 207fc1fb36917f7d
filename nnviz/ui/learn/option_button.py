"""One of several answers as a button: its number, which is its key, and a typeset text. It shows whether it was right."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QRectF, QSize, Qt
from PySide6.QtGui import QFont, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QSizePolicy, QWidget

from nnviz.ui.theme.colors import BODY, SMALL, current_theme
from nnviz.ui.theme.fonts import mono, scaled
from nnviz.ui.theme.painting import painted
from nnviz.ui.widgets.typeset_text import TypesetDocument

_COLORS = {"": "line", "right": "forward", "shown": "forward", "wrong": "clip"}


class OptionButton(QAbstractButton):
    """`number` counts from 1."""

    def __init__(self, number: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._number, self._verdict, self._written = number, "", ""
        self._document = TypesetDocument(BODY + 0.5)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setToolTip(f"Key {number}")
        policy = QSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    def set_option(self, text: str, verdict: str = "") -> None:
        """Show this answer; verdict: right · shown · wrong, empty where it was not given."""
        self._verdict = verdict
        if text != self._written:
            self._written = text
            self._set_again()
        self.setAccessibleDescription(verdict)
        self.update()

    def _set_again(self) -> None:
        self._document.set_text(self._written)
        self.setAccessibleName(f"{self._number}: {self._document.plain}")
        self.updateGeometry()

    def _room(self, width: int) -> QRectF:
        left, edge, above = scaled(34), scaled(10), scaled(7)
        self._document.set_width(max(60, width - left - edge))
        return QRectF(left, above, max(60, width - left - edge), self._document.size().height())

    # --- Qt ---

    def sizeHint(self) -> QSize:
        return QSize(160, self.heightForWidth(max(160, self.width())))

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        return round(self._room(width).height() + 2 * scaled(7))

    def changeEvent(self, event: QEvent) -> None:
        if event.type() in (QEvent.Type.PaletteChange, QEvent.Type.FontChange) and self._written:
            self._set_again()
        super().changeEvent(event)

    @painted
    def paintEvent(self, event: QPaintEvent) -> None:
        painter, theme = QPainter(self), current_theme()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        color = _COLORS[self._verdict]
        painter.setPen(QPen(theme.color("forward" if self.hasFocus() else color), 1))
        ground = theme.tint(color, 0.12) if self._verdict else theme.color("field" if self.underMouse() and self.isEnabled() else "panel")
        painter.setBrush(ground)
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 6, 6)
        room = self._room(self.width())
        chip = QRectF(scaled(9), room.top(), scaled(17), scaled(17))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.color(color) if self._verdict else theme.color("field"))
        painter.drawRoundedRect(chip, 4, 4)
        painter.setPen(theme.color("panel" if self._verdict else "muted"))
        painter.setFont(mono(SMALL, QFont.Weight.Bold))
        painter.drawText(chip, Qt.AlignmentFlag.AlignCenter, f"{self._number}")
        painter.translate(room.topLeft())
        self._document.paint(painter)
        painter.end()

"""The quiet parts of the chain-rule card: title row, section heads, formulas, dividing lines. They show given texts."""

from __future__ import annotations

import re

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QFont, QFontMetricsF, QGuiApplication, QKeyEvent, QKeySequence, QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QLabel, QSizePolicy, QWidget

from nnviz.text.copies import plain
from nnviz.ui.theme.colors import BODY, LARGE, SMALL, TITLE, current_theme
from nnviz.ui.theme.fonts import mono, sans, scaled
from nnviz.ui.theme.painting import painted
from nnviz.ui.theme.style import set_font, set_role

_Flag = Qt.AlignmentFlag


class TitleRow(QWidget):
    """The node's name, small facts beside it, and the present phase in a pill at the right."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._texts = ("", "", "batch")
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)

    def set_title(self, name: str, facts: str, phase: str) -> None:
        """Show these texts."""
        self._texts = (name, facts, phase)
        self.setAccessibleName(f"{name}, {facts}, {phase}")
        self.setToolTip(f"{name} · {facts}")
        self.update()

    # --- Qt ---

    def sizeHint(self) -> QSize:
        return QSize(280, round(scaled(26)))

    @painted
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        name, facts, phase = self._texts
        pill = self._paint_pill(painter, phase)
        bold = sans(TITLE, QFont.Weight.Bold)
        room = QRectF(0, 0, pill.left() - 8, self.height())
        painter.setFont(bold)
        painter.setPen(current_theme().color("text"))
        name = QFontMetricsF(bold).elidedText(name, Qt.TextElideMode.ElideRight, room.width())
        painter.drawText(room, int(_Flag.AlignLeft | _Flag.AlignVCenter), name)
        room.setLeft(QFontMetricsF(bold).horizontalAdvance(name) + 10)
        painter.setFont(sans(SMALL + 0.5))
        painter.setPen(current_theme().color("muted"))
        facts = QFontMetricsF(painter.font()).elidedText(facts, Qt.TextElideMode.ElideRight, room.width())
        painter.drawText(room.adjusted(0, 2, 0, 2), int(_Flag.AlignLeft | _Flag.AlignVCenter), facts)
        painter.end()

    def _paint_pill(self, painter: QPainter, phase: str) -> QRectF:
        font = sans(SMALL, QFont.Weight.Bold)
        width = QFontMetricsF(font).horizontalAdvance(phase) + 22
        pill = QRectF(self.width() - width, (self.height() - scaled(22)) / 2, width, scaled(22))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(current_theme().tint(phase, 0.12))
        painter.drawRoundedRect(pill, 11, 11)
        painter.setFont(font)
        painter.setPen(current_theme().phase(phase))
        painter.drawText(pill, int(_Flag.AlignCenter), phase)
        return pill


class Heading(QLabel):
    """A section head: small bold capitals in one of the theme's colours."""

    def __init__(self, text: str, tone: str, parent: QWidget | None = None) -> None:
        super().__init__(text.upper(), parent)
        self.setProperty("role", tone)
        self.setIndent(0)
        self.setFont(sans(SMALL, QFont.Weight.Bold))


_SIGN = re.compile(r"(?<= )([−+·/]) ")


class FormulaLabel(QLabel):
    """A formula in mono, or a quiet remark in its place. It wraps, before a sign and not behind it; an empty one is hidden."""

    def __init__(self, small: bool = False, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._small, self._quiet = small, False
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.NoContextMenu)  # the menu is that of what it stands on
        self.setWordWrap(True)

    def set_text(self, text: str, quiet: bool = False) -> None:
        """Show this text; `quiet` for a remark that is not a formula."""
        self.setVisible(bool(text))
        text = _SIGN.sub("\\1\u00a0", text)
        if (text, quiet) != (self.text(), self._quiet):
            self._quiet = quiet
            self.setText(text)
            set_role(self, "muted" if quiet else "text")
            set_font(self, self._font())  # last: another role brings an earlier font back

    def _font(self) -> QFont:
        if self._quiet:
            return sans(SMALL + 0.5)
        return mono(SMALL + 0.5 if self._small else BODY if "\n" in self.text() else LARGE - 1)

    # --- Qt ---

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """What is copied is what a program reads: with the minus of the keyboard."""
        if event.matches(QKeySequence.StandardKey.Copy) and self.hasSelectedText():
            QGuiApplication.clipboard().setText(plain(self.selectedText()))
        else:
            super().keyPressEvent(event)


class DividingLine(QFrame):
    """A dividing line."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFixedHeight(9)

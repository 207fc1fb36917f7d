"""A card: the rounded panel with a header that every picture of the window sits in. It frames a body and knows nothing of what it shows."""

from __future__ import annotations

import re
from collections.abc import Sequence

from PySide6.QtCore import QEvent, QObject, QPoint, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontMetrics, QMouseEvent, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QApplication, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from nnviz.ui.theme.colors import GUTTER, RADIUS, SMALL, current_theme
from nnviz.ui.theme.fonts import sans, scaled
from nnviz.ui.theme.painting import painted

_TOP = 4
_GAP = 8
_NARROWEST = 120
"""Pixels that a card asks for, whatever stands in it."""
_PART = re.compile(r",? · |, ")
"""Between the parts of a subtitle."""


class Card(QWidget):
    """A panel with a title in bold capitals, a muted subtitle, tools at the right of the header, and a body below."""

    enlarge_requested = Signal()
    """A double click on the header: it shall have all the room, or its place again."""
    dragged = Signal(QPoint)
    """The header is being dragged, with the mouse at this place of the screen."""
    dropped = Signal(QPoint)
    """The header was let go there."""

    def __init__(self, title: str, body: QWidget, tools: Sequence[QWidget] = (), parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.body = body
        self._titles = (title,)
        self._subtitle = ""
        self._pressed: QPoint | None = None
        """Where the header was taken hold of."""
        self._is_dragged = False
        self._tools = QWidget(self)
        self._fill_tools(tools)
        self._cover = QLabel(self, wordWrap=True, alignment=Qt.AlignmentFlag.AlignCenter)
        self._cover.setProperty("role", "muted")
        self._cover.setMargin(GUTTER)
        self._cover.hide()
        self._hides_subtitle = False
        column = QVBoxLayout(self)
        column.setContentsMargins(GUTTER, _TOP, GUTTER, GUTTER)
        column.setSpacing(0)
        column.addWidget(self._tools, 0, Qt.AlignmentFlag.AlignRight)
        column.addWidget(body, 1)
        self.set_title(title)

    def _fill_tools(self, tools: Sequence[QWidget]) -> None:
        self._tools.setFixedHeight(header_height())
        self._tools.installEventFilter(self)
        row = QHBoxLayout(self._tools)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(_GAP // 2)
        for tool in tools:
            row.addWidget(tool, 0, Qt.AlignmentFlag.AlignVCenter)

    def set_title(self, title: str, short: str = "") -> None:
        """Show this title in capitals, or the short one where the full one and the subtitle do not fit side by side."""
        self._titles = (title, short) if short else (title,)
        self.setAccessibleName(title)
        self.update(self._strip())

    def set_subtitle(self, text: str) -> None:
        """Show this text, muted, behind the title; it is cut with an ellipsis where there is no room."""
        if text == self._subtitle:
            return
        self._subtitle = text
        self.setAccessibleDescription(text)
        self.update(self._strip())

    def cover(self, text: str) -> None:
        """Show this text in place of the body, and no subtitle; the body again for an empty one."""
        if text == self._cover.text():
            return
        self._cover.setText(text)
        self._cover.setVisible(bool(text))
        self.body.setVisible(not text)
        self._tools.setVisible(not text)
        self._place_cover()
        self.update(self._strip())

    def hide_subtitle(self, is_hidden: bool) -> None:
        """Show no subtitle, whatever it says; or show it again."""
        if is_hidden != self._hides_subtitle:
            self._hides_subtitle = is_hidden
            self.update(self._strip())

    def _place_cover(self) -> None:
        self._cover.setGeometry(self.rect().adjusted(1, self._strip().height(), -1, -1))

    def _header(self) -> QRect:
        """Where title and subtitle may stand: the header row left of the tools."""
        right = self._tools.x() - _GAP if self._tools.layout().count() else self.width() - GUTTER
        return QRect(GUTTER, _TOP, max(0, right - GUTTER), header_height())

    def _strip(self) -> QRect:
        """The whole header row: what was painted while the tools were narrower lies there too."""
        return QRect(0, 0, self.width(), _TOP + header_height())

    def _shown_title(self, room: float, subtitle: float) -> str:
        """The first title that fits beside the subtitle; else the first that fits alone; else the last, cut."""
        metrics = QFontMetrics(_title_font())
        widths = [(title, metrics.horizontalAdvance(title.upper())) for title in self._titles]
        fitting = (title.upper() for beside in (subtitle, 0) for title, width in widths if width + beside <= room)
        return next(fitting, None) or metrics.elidedText(self._titles[-1].upper(), Qt.TextElideMode.ElideRight, int(room))

    def _paint_header(self, painter: QPainter) -> None:
        room, told = QRectF(self._header()), "" if self._cover.text() or self._hides_subtitle else self._subtitle
        metrics = QFontMetrics(_caption_font())
        width = metrics.horizontalAdvance(told) + _GAP if told else 0
        title = self._shown_title(room.width(), width)
        flags = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        painter.setPen(current_theme().color("muted"))
        painter.setFont(_title_font())
        painter.drawText(room, flags, title)
        room.setLeft(room.left() + QFontMetrics(_title_font()).horizontalAdvance(title) + _GAP)
        painter.setFont(_caption_font())
        painter.drawText(room, flags, _shortened(told, metrics, room.width()))

    # --- Qt ---

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.Move, QEvent.Type.Resize):
            self.update(self._strip())
        return False

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.FontChange:
            self._tools.setFixedHeight(header_height())
        super().changeEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._place_cover()
        super().resizeEvent(event)

    def minimumSizeHint(self) -> QSize:
        return QSize(_NARROWEST, max(header_height() + 64, super().minimumSizeHint().height()))

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if self._strip().contains(event.position().toPoint()):
            self.enlarge_requested.emit()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        is_held = event.button() == Qt.MouseButton.LeftButton and self._strip().contains(event.position().toPoint())
        self._pressed, self._is_dragged = event.globalPosition().toPoint() if is_held else None, False

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        at = event.globalPosition().toPoint()
        if self._pressed is None or ((at - self._pressed).manhattanLength() < QApplication.startDragDistance() and not self._is_dragged):
            return
        self._is_dragged = True
        self.setCursor(Qt.CursorShape.ClosedHandCursor)
        self.dragged.emit(at)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        was_dragged, self._pressed, self._is_dragged = self._is_dragged, None, False
        if was_dragged:
            self.unsetCursor()
            self.dropped.emit(event.globalPosition().toPoint())

    @painted
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(QColor(current_theme().line), 1))
        painter.setBrush(QColor(current_theme().panel))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), RADIUS, RADIUS)
        if event.rect().intersects(self._header()):
            self._paint_header(painter)
        painter.end()


def _shortened(text: str, metrics: QFontMetrics, room: float) -> str:
    """The first parts of a subtitle that fit, with what stands between them; none of a single one that does not."""
    ends = [part.start() for part in _PART.finditer(text)]
    fitting = (shorter for shorter in (text, *(text[:end] for end in reversed(ends))) if metrics.horizontalAdvance(shorter) <= room)
    return next(fitting, "")


def header_height() -> int:
    """Return the height of the header row in pixels."""
    return round(scaled(28))


def frame_height() -> int:
    """Return the height of a card besides its body, in pixels."""
    return _TOP + header_height() + GUTTER


def _title_font() -> QFont:
    return sans(SMALL, QFont.Weight.Bold)


def _caption_font() -> QFont:
    return sans(SMALL)

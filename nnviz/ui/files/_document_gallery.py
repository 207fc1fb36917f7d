"""Documents to begin with, as pictures over the window: any lists of title, sentence and document. It shows them, and one is chosen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QObject, QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import QFont, QKeyEvent, QPainter, QPaintEvent, QPen, QPixmap, QResizeEvent
from PySide6.QtWidgets import QAbstractButton, QFrame, QHBoxLayout, QLabel, QLineEdit, QPushButton, QScrollArea, QVBoxLayout, QWidget

from nnviz.ui.theme.colors import BODY, GUTTER, RADIUS, SMALL, TITLE, current_theme
from nnviz.ui.theme.fonts import sans
from nnviz.ui.theme.painting import painted
from nnviz.ui.widgets.turns import Turns

SIZE = QSize(216, 112)
"""Of the picture of a document."""
_CARD = QSize(SIZE.width() + 20, SIZE.height() + 82)
_GAP = 6
_ARROWS = {Qt.Key.Key_Left: (-1, 0), Qt.Key.Key_Right: (1, 0), Qt.Key.Key_Up: (0, -1), Qt.Key.Key_Down: (0, 1)}


@dataclass(frozen=True)
class GalleryEntry:
    """One document that can be chosen. `picture` is called when it is first seen, and returns None where there is none."""

    title: str
    sentence: str
    picture: Callable[[], QPixmap | None]
    choose: Callable[[], object]


class DocumentGallery(QWidget):
    """Covers its parent. Arrow keys move, Enter chooses, typing searches, Esc closes."""

    closed = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAccessibleName("Gallery of documents")
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)  # else all it covers would be painted with every picture of it
        self.cards: list[EntryCard] = []
        self._sections: list[tuple[QLabel, CardRows]] = []
        self._turns = Turns(self._draw, self)
        self.field = QLineEdit(placeholderText="Search…", accessibleName="Search the gallery", clearButtonEnabled=True)
        self.field.setFixedWidth(260)
        self.field.textChanged.connect(self._search)
        self._column = QVBoxLayout()
        self._lay_out()
        parent.installEventFilter(self)
        self.field.installEventFilter(self)
        self.hide()

    def _lay_out(self) -> None:
        self._title, close = QLabel("Open a document", font=sans(TITLE, QFont.Weight.Bold)), QPushButton("Close  Esc")
        close.setAccessibleName("Close the gallery")
        close.clicked.connect(self.leave)
        top = QHBoxLayout()
        top.addWidget(self._title)
        top.addStretch()
        top.addWidget(self.field)
        top.addWidget(close)
        body = QWidget()
        body.setLayout(self._column)
        self._column.setContentsMargins(0, 0, GUTTER, 0)
        self._column.setSpacing(GUTTER)
        self._area = QScrollArea(widgetResizable=True, frameShape=QFrame.Shape.NoFrame)
        self._area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._area.setWidget(body)
        column = QVBoxLayout(self)
        column.setContentsMargins(3 * GUTTER, 2 * GUTTER, 3 * GUTTER, GUTTER)
        column.addLayout(top)
        column.addSpacing(GUTTER)
        column.addWidget(self._area, 1)

    def set_sections(self, sections: Sequence[tuple[str, Sequence[GalleryEntry]]]) -> None:
        """Show these lists, each below its heading; empty ones are left out."""
        while item := self._column.takeAt(0):
            if item.widget():
                item.widget().deleteLater()
        self.cards, self._sections = [], []
        for heading, entries in sections:
            if entries:
                self._add_section(heading, entries)
        self._column.addStretch()

    def _add_section(self, heading: str, entries: Sequence[GalleryEntry]) -> None:
        head, rows = QLabel(heading.upper()), CardRows()
        head.setProperty("role", "head")
        for entry in entries:
            card = EntryCard(entry, rows)
            card.clicked.connect(lambda _=False, entry=entry: self._choose(entry))
            card.picture_needed.connect(lambda card=card: self._turns.add((card,)))
            card.installEventFilter(self)
            self.cards.append(card)
        self._sections.append((head, rows))
        self._column.addWidget(head)
        self._column.addWidget(rows)

    def open(self) -> None:
        """Show it over the parent, with the keyboard on the first document."""
        self.setGeometry(self.parentWidget().rect())
        self.field.clear()
        self.show()
        self.raise_()
        (self.cards[0] if self.cards else self.field).setFocus(Qt.FocusReason.PopupFocusReason)

    def leave(self) -> None:
        """Close it without a choice."""
        self.hide()
        self.closed.emit()

    def _draw(self, card: EntryCard) -> None:
        """Draw one picture in each turn of the event loop; a card that has gone, or is seen no more, needs none."""
        if card in self.cards and card.isVisible():
            card.draw()

    def _choose(self, entry: GalleryEntry) -> None:
        self.leave()
        entry.choose()

    def _search(self, text: str) -> None:
        words = text.lower().split()
        for card in self.cards:
            card.setVisible(all(word in f"{card.entry.title} {card.entry.sentence}".lower() for word in words))
        for head, rows in self._sections:
            rows.arrange()
            head.setVisible(bool(rows.shown()))
            rows.setVisible(bool(rows.shown()))

    def _move(self, card: QWidget, way: tuple[int, int]) -> None:
        """To the nearest card that way; from the first row up to the search."""
        target = nearest(card, [other for other in self.cards if other.isVisible() and other is not card], way)
        if target is not None:
            target.setFocus(Qt.FocusReason.TabFocusReason)
            self._area.ensureWidgetVisible(target, 0, 40)
        elif way == (0, -1):
            self.field.setFocus(Qt.FocusReason.TabFocusReason)

    def _key(self, watched: QObject, event: QKeyEvent) -> bool:
        shown = [card for card in self.cards if card.isVisible()]
        if event.key() == Qt.Key.Key_Escape:
            self.leave()
        elif isinstance(watched, EntryCard) and event.key() in _ARROWS:
            self._move(watched, _ARROWS[event.key()])
        elif isinstance(watched, EntryCard) and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            watched.click()
        elif watched is self.field and event.key() in (Qt.Key.Key_Down, Qt.Key.Key_Return) and shown:
            shown[0].click() if event.key() == Qt.Key.Key_Return else shown[0].setFocus(Qt.FocusReason.TabFocusReason)
        elif isinstance(watched, EntryCard) and event.text().strip() and not event.modifiers() & ~Qt.KeyboardModifier.ShiftModifier:
            self.field.setFocus(Qt.FocusReason.OtherFocusReason)
            self.field.setText(event.text())
        else:
            return False
        return True

    # --- Qt ---

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self.parentWidget():
            if event.type() == QEvent.Type.Resize and self.isVisible():
                self.setGeometry(self.parentWidget().rect())
            return False
        if event.type() == QEvent.Type.ShortcutOverride and event.key() == Qt.Key.Key_Escape:
            event.accept()
        return event.type() == QEvent.Type.KeyPress and self._key(watched, event)

    @painted
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), current_theme().color("background"))


class CardRows(QWidget):
    """Cards side by side, in as many rows as the width asks for; what is hidden leaves no gap."""

    def __init__(self) -> None:
        super().__init__()
        self.setMinimumWidth(_CARD.width())

    def shown(self) -> list[EntryCard]:
        """Return the cards that are not hidden."""
        return [card for card in self.findChildren(EntryCard) if not card.isHidden()]

    def arrange(self) -> None:
        """Put every card in its place, and be as high as they are."""
        wide, high, cards = _CARD.width() + _GAP, _CARD.height() + _GAP, self.shown()
        across = max(1, (self.width() - 1 + _GAP) // wide)
        for place, card in enumerate(cards):
            card.move(place % across * wide, place // across * high)
        self.setFixedHeight(max(0, -(-len(cards) // across) * high - _GAP))

    # --- Qt ---

    def resizeEvent(self, event: QResizeEvent) -> None:
        self.arrange()


class EntryCard(QAbstractButton):
    """One document: its picture, drawn soon after it is first seen, its title and its sentence."""

    picture_needed = Signal()
    """It can be seen and has no picture yet."""

    def __init__(self, entry: GalleryEntry, parent: QWidget) -> None:
        super().__init__(parent)
        self.entry = entry
        self._picture: QPixmap | None = None
        self.setFixedSize(_CARD)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(f"{entry.title}. {entry.sentence}")
        self.setToolTip(entry.sentence)

    def sizeHint(self) -> QSize:
        return _CARD

    def draw(self) -> None:
        """Take the picture; where there is none its place stays empty."""
        self._picture = self.entry.picture() or QPixmap()
        self.update()

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.PaletteChange:
            self._picture = None
        super().changeEvent(event)

    @painted
    def paintEvent(self, event: QPaintEvent) -> None:
        if self._picture is None:
            self.picture_needed.emit()
        painter, theme = QPainter(self), current_theme()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        frame = self.rect().adjusted(2, 2, -2, -2)
        active = self.hasFocus() or self.underMouse()
        painter.setPen(QPen(theme.color("forward" if active else "line"), 2 if self.hasFocus() else 1))
        painter.setBrush(theme.color("panel"))
        painter.drawRoundedRect(frame, RADIUS, RADIUS)
        place = QRect(QPoint((self.width() - SIZE.width()) // 2, 8), SIZE)
        if self._picture is not None and not self._picture.isNull():
            painter.drawPixmap(place.topLeft(), self._picture)
        else:
            painter.fillRect(place, theme.color("field"))
        room = QRect(12, SIZE.height() + 12, self.width() - 24, self.height() - SIZE.height() - 18)
        painter.setPen(theme.color("text"))
        painter.setFont(sans(BODY, QFont.Weight.DemiBold))
        title = painter.fontMetrics().elidedText(self.entry.title, Qt.TextElideMode.ElideRight, room.width())
        painter.drawText(room, Qt.AlignmentFlag.AlignLeft, title)
        painter.setPen(theme.color("muted"))
        painter.setFont(sans(SMALL))
        painter.drawText(room.adjusted(0, 20, 0, 0), Qt.AlignmentFlag.AlignLeft | Qt.TextFlag.TextWordWrap, self.entry.sentence)


def nearest(card: QWidget, others: Sequence[QWidget], way: tuple[int, int]) -> QWidget | None:
    """Return the card that lies nearest in a direction; on the same row for left and right, on the next one for up and down."""

    def place(widget: QWidget) -> tuple[int, int]:
        point = widget.mapTo(widget.window(), widget.rect().center())
        return point.x(), point.y()

    x, y = place(card)
    ahead = []
    for other in others:
        dx, dy = place(other)[0] - x, place(other)[1] - y
        along, aside = dx * way[0] + dy * way[1], abs(dx * way[1]) + abs(dy * way[0])
        if along > 4 and (way[1] or aside < 4):
            ahead.append((along, aside, id(other), other))
    return min(ahead)[-1] if ahead else None

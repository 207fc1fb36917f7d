"""The palette of layers: one entry per kind of the catalog, grouped and searchable, to click or to drag. It adds nothing itself."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QDrag, QEnterEvent, QFont, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QApplication, QHBoxLayout, QLabel, QLineEdit, QSizePolicy, QVBoxLayout, QWidget

from nnviz.document.catalog import LAYERS, Kind
from nnviz.ui.network.layer_drops import mime
from nnviz.ui.theme.colors import BODY, GRID, SMALL, current_theme
from nnviz.ui.theme.fonts import sans, scaled, tip_of
from nnviz.ui.theme.painting import painted
from nnviz.ui.widgets.search_list import ListEntry, matching

_LOWEST, _HEIGHT, _HEAD = 22, 28, 22
"""Heights in pixels: of an entry where there is little room and where there is enough, and of a heading."""
_SQUARE = 13
_FIRST = (
    ("input",),
    ("dense",),
    ("activation",),
    ("dropout",),
    ("batch_norm",),
    ("layer_norm",),
    ("add", "concat"),
    ("conv2d", "max_pool"),
    ("rnn",),
    ("lstm", "gru"),
    ("attention",),
)
"""The kinds that are always there, line by line."""
_COLORS = {"activation": "forward", "flatten": "clip", "reshape": "clip"}
_GROUP_COLORS = {
    "Data": "batch",
    "Layers": "positive",
    "Regularisation": "backward",
    "Normalisation": "update",
    "Joining": "batch",
    "Convolution": "forward",
    "Sequence": "clip",
    "Attention": "negative",
    "Adversarial": "loss",
}


def color_of(kind: Kind) -> str:
    """Return the name of the theme colour that stands for a kind of layer."""
    return _COLORS.get(kind.name) or _GROUP_COLORS.get(kind.group, "positive")


class Palette(QWidget):
    """The kinds of layers one needs, and behind "more" all others, in groups. Typing finds, arrow keys walk, Enter adds."""

    add_requested = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Layers")
        self.search = QLineEdit(placeholderText="find a layer", accessibleName="Find a layer", clearButtonEnabled=True)
        self.search.setToolTip("Type part of a name: only what matches stays; Enter adds the first")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GRID)
        column.addWidget(self.search)
        self.entries: list[LayerEntry] = []
        self._heads: list[QLabel] = []
        for names in _FIRST:
            self._add_line([LAYERS[name] for name in names])
        self.more = MoreButton()
        column.addWidget(self.more)
        self._add_others({name for names in _FIRST for name in names})
        column.addStretch(1)
        self.more.toggled.connect(lambda: self._show_matches(self.search.text()))
        self.search.textChanged.connect(self._show_matches)
        self.search.returnPressed.connect(self._add_first)
        self._show_matches("")

    def _add_line(self, kinds: list[Kind]) -> None:
        """Kinds side by side."""
        line = QHBoxLayout()
        line.setSpacing(GRID)
        for kind in kinds:
            entry = LayerEntry(kind)
            entry.clicked.connect(lambda _=False, name=kind.name: self.add_requested.emit(name))
            self.entries.append(entry)
            line.addWidget(entry, 1)
        self.layout().addLayout(line)

    def _add_others(self, first: set[str]) -> None:
        groups: dict[str, list[Kind]] = {}
        for kind in LAYERS.values():
            if kind.name not in first:
                groups.setdefault(kind.group, []).append(kind)
        for group, kinds in groups.items():
            head = QLabel(group.upper())
            head.setProperty("role", "head")
            self._heads.append(head)
            self.layout().addWidget(head)
            for kind in kinds:
                self._add_line([kind])

    def _matches(self, text: str) -> list[str]:
        return [choice.key for choice in matching([ListEntry(kind.name, kind.label) for kind in LAYERS.values()], text)]

    def _show_matches(self, text: str) -> None:
        """While something is searched, what matches of all kinds; else the first ones, or all."""
        found = self._matches(text)
        self.more.setVisible(not text)
        for head in self._heads:
            head.setVisible(not text and self.more.isChecked())
        first = {name for names in _FIRST for name in names}
        for entry in self.entries:
            entry.setVisible(entry.kind.name in found if text else self.more.isChecked() or entry.kind.name in first)

    def _add_first(self) -> None:
        found = self._matches(self.search.text())
        if found and self.search.text().strip():
            self.search.clear()
            self.add_requested.emit(found[0])

    # --- Qt ---

    def keyPressEvent(self, event: QKeyEvent) -> None:
        way = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1}.get(event.key(), 0)
        first = sum(map(len, _FIRST))
        chain = [widget for widget in (self.search, *self.entries[:first], self.more, *self.entries[first:]) if widget.isVisible()]
        focused = [place for place, widget in enumerate(chain) if widget.hasFocus()]
        if not way or not focused:
            event.ignore()
            return
        chain[max(0, min(len(chain) - 1, focused[0] + way))].setFocus(Qt.FocusReason.TabFocusReason)


class MoreButton(QAbstractButton):
    """The word that unfolds the kinds of layers one needs less often."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setCheckable(True)
        self.setAccessibleName("More layers")
        self.setToolTip("All other kinds of layers")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)

    # --- Qt ---

    def sizeHint(self) -> QSize:
        return QSize(150, round(scaled(_HEAD)))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        _press(self, event, super().keyPressEvent)

    @painted
    def paintEvent(self, event: QPaintEvent) -> None:
        painter, theme = QPainter(self), current_theme()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self.hasFocus():
            painter.setPen(QPen(theme.color("forward"), 1.2))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.6, 0.6, -0.6, -0.6), 6, 6)
        painter.setPen(theme.color("text" if self.underMouse() else "muted"))
        painter.setFont(sans(SMALL, QFont.Weight.DemiBold))
        painter.drawText(self.rect().adjusted(6, 0, 0, 0), Qt.AlignmentFlag.AlignVCenter, "less ▴" if self.isChecked() else "more ▾")
        painter.end()


def _press(button: QAbstractButton, event: QKeyEvent, otherwise: object) -> None:
    """Enter presses too; up and down belong to whoever holds the buttons."""
    if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
        button.click()
    elif event.key() in (Qt.Key.Key_Up, Qt.Key.Key_Down):
        event.ignore()
    else:
        otherwise(event)


class LayerEntry(QAbstractButton):
    """One kind: a coloured square and its name."""

    def __init__(self, kind: Kind, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.kind = kind
        self._start = QPoint()
        self.setText(kind.label)
        self.setAccessibleName(f"Add {kind.label}")
        self.setToolTip(tip_of(kind.explanation, kind.source))
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.OpenHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)

    # --- Qt ---

    def sizeHint(self) -> QSize:
        return QSize(150, round(scaled(_HEIGHT)))

    def minimumSizeHint(self) -> QSize:
        return QSize(60, round(scaled(_LOWEST)))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        _press(self, event, super().keyPressEvent)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._start = event.position().toPoint()
        super().mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        super().mouseMoveEvent(event)
        away = (event.position().toPoint() - self._start).manhattanLength()
        if event.buttons() & Qt.MouseButton.LeftButton and away >= QApplication.startDragDistance():
            self.setDown(False)
            drag = QDrag(self)
            drag.setMimeData(mime(self.kind.name))
            drag.setPixmap(self.grab())
            drag.setHotSpot(self._start)
            drag.exec(Qt.DropAction.CopyAction)

    def enterEvent(self, event: QEnterEvent) -> None:
        super().enterEvent(event)
        self.update()

    @painted
    def paintEvent(self, event: QPaintEvent) -> None:
        painter, theme = QPainter(self), current_theme()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        ground = "line" if self.isDown() or self.underMouse() else "field"
        painter.setPen(QPen(theme.color("forward"), 1.2) if self.hasFocus() else Qt.PenStyle.NoPen)
        painter.setBrush(theme.color(ground))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.6, 0.6, -0.6, -0.6), 6, 6)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.color(color_of(self.kind), 0.85))
        painter.drawRoundedRect(QRectF(7, (self.height() - _SQUARE) / 2, _SQUARE, _SQUARE), 4, 4)
        painter.setPen(theme.color("text" if self.isEnabled() else "faint"))
        painter.setFont(sans(BODY))
        room = self.rect().adjusted(7 + _SQUARE + 8, 0, -4, 0)
        painter.drawText(
            room, Qt.AlignmentFlag.AlignVCenter, painter.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, room.width())
        )
        painter.end()

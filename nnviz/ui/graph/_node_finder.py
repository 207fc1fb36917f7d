"""The field that finds nodes in the graph (Ctrl+F): which nodes a few words mean, and a way through them from match to match."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QEvent, QObject, QRectF, Qt, Signal
from PySide6.QtGui import QKeyEvent, QPainter, QPen
from PySide6.QtWidgets import QGraphicsView, QHBoxLayout, QLabel, QLineEdit, QWidget

from nnviz.records.trace_record import NodeRecord, TraceRecord
from nnviz.text import names, numbers
from nnviz.ui.graph.folds import Folds
from nnviz.ui.graph.trace_scene import TraceScene
from nnviz.ui.theme.colors import SMALL, current_theme
from nnviz.ui.theme.fonts import mono

_GAP, _WIDTH = 8, 300
_Key = Qt.Key


def matches(trace: TraceRecord, text: str, titles: Mapping[str, str]) -> tuple[int, ...]:
    """Return the nodes, in forward order, of which every word of the text tells something. An empty text means none."""
    words = text.lower().split()
    named = names.names(trace)
    return tuple(node.id for node in trace.nodes if words and all(_tells(word, _said(node, named[node.id], titles)) for word in words))


def _said(node: NodeRecord, name: str, titles: Mapping[str, str]) -> tuple[str, ...]:
    layers = [titles.get(part, part) for part in node.group]
    texts = (name, node.label, node.operation, node.kind, *layers, node.module, numbers.shape(node.shape))
    return tuple(text.lower() for text in texts)


def _tells(word: str, said: tuple[str, ...]) -> bool:
    """Shapes may be typed with an x."""
    shape = word.replace("x", "×") if any(sign.isdigit() for sign in word) else word
    return any(word in text or shape in text for text in said)


class NodeFinder(QWidget):
    """In the upper right corner of its view while a person searches."""

    node_found = Signal(int)
    """The match that was gone to."""

    def __init__(self, scene: TraceScene, folds: Folds, view: QGraphicsView) -> None:
        super().__init__(view)
        self._scene, self._folds, self._view = scene, folds, view
        self._titles: Mapping[str, str] = {}
        self._matches: tuple[int, ...] = ()
        self._place = -1
        self.field = QLineEdit(placeholderText="Name, operation, layer or shape", accessibleName="Search the graph")
        self.field.setToolTip("Enter goes to the next match, Shift+Enter to the one before, Esc ends the search.")
        self.count = QLabel(font=mono(SMALL))
        self.count.setProperty("role", "muted")
        row = QHBoxLayout(self)
        row.setContentsMargins(6, 6, 6, 6)
        row.addWidget(self.field, 1)
        row.addWidget(self.count)
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.field.installEventFilter(self)
        self.field.textChanged.connect(self._seek)
        scene.laid_out.connect(self._take_layout)
        self.hide()

    @property
    def node(self) -> int | None:
        """The match that was gone to; None where none was, or nothing is searched."""
        return self._matches[self._place] if self.isVisible() and 0 <= self._place < len(self._matches) else None

    @property
    def matches(self) -> tuple[int, ...]:
        """The nodes that match."""
        return self._matches

    def open(self) -> None:
        """Let the person type."""
        self.show()
        self.reposition()
        self.field.setFocus()
        self.field.selectAll()
        self._seek(self.field.text())

    def end(self) -> None:
        """Search no more."""
        self._matches, self._place = (), -1
        self.hide()
        self._view.setFocus()
        self._view.viewport().update()

    def set_titles(self, titles: Mapping[str, str]) -> None:
        """Find layers by these names."""
        self._titles = dict(titles)

    def reposition(self) -> None:
        """Move into the corner."""
        self.resize(min(_WIDTH, self._view.width() - 2 * _GAP), self.sizeHint().height())
        self.move(self._view.width() - self.width() - _GAP, _GAP)

    def paint_marks(self, painter: QPainter) -> None:
        """Paint a ring around every card with a match, a strong one around the one gone to."""
        here = self._scene.card_of(self.node)
        for item in {self._scene.card_of(node) for node in self._matches} - {None}:
            painter.setPen(QPen(current_theme().color("positive", 1.0 if item is here else 0.5), 4 if item is here else 3))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(item.sceneBoundingRect()), 10, 10)

    # --- inside ---

    def _take_layout(self, is_new: bool) -> None:
        """Seek anew in another graph."""
        if is_new and self.isVisible():
            self._seek(self.field.text())

    def _seek(self, text: str) -> None:
        trace = self._scene.trace
        self._matches = matches(trace, text, self._titles) if trace else ()
        self._place = -1
        self._tell()

    def _go(self, direction: int) -> None:
        if self._matches:
            start = self._place if self._place >= 0 or direction > 0 else 0
            self._place = (start + direction) % len(self._matches)
            if self._scene.groups is not None:
                self._folds.show(self._matches[self._place])
            self._tell()
            self.node_found.emit(self._matches[self._place])

    def _tell(self) -> None:
        total = len(self._matches)
        found = f"{self._place + 1} of {total}" if self._place >= 0 else f"{total} found"
        self.count.setText(found if self.field.text().strip() else "")
        self.count.setAccessibleName(found)
        self._view.viewport().update()

    # --- Qt ---

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            if event.key() in (_Key.Key_Return, _Key.Key_Enter):
                self._go(-1 if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else +1)
                return True
            if event.key() == _Key.Key_Escape:
                self.end()
                return True
        return False

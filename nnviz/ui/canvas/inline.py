"""Fields that open on the picture: one finds a kind of layer by its name, one takes a new weight. They close when they are left."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, QPoint, QPointF, Qt, QTimer, Signal
from PySide6.QtWidgets import QFrame, QLineEdit, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from nnviz.document.catalog import LAYERS, Field, Kind
from nnviz.ui.canvas.picking import Hit
from nnviz.ui.numbers import NumberBox
from nnviz.ui.theme import Theme

if TYPE_CHECKING:
    from nnviz.ui.canvas.view import NetworkView


_SHEET = """KindField {{ background: {theme.panel}; border: 1px solid {theme.line}; border-radius: 6px; }}
QListWidget::item {{ padding: 3px 6px; border-radius: 4px; }}
QListWidget::item:selected {{ background: {theme.field}; color: {theme.text}; }}"""


def matching(text: str) -> tuple[Kind, ...]:
    """Return the kinds of layers whose label or name contains the text, those that begin with it first."""
    text = text.strip().lower()
    found = [kind for kind in LAYERS.values() if text in kind.label.lower() or text in kind.name]
    return tuple(sorted(found, key=lambda kind: not kind.label.lower().startswith(text)))


class KindField(QFrame):
    """A line to type in, and below it the kinds that match. Enter chooses, Esc closes. `chosen` says kind, place and after."""

    chosen = Signal(str, QPointF, str)

    def __init__(self, parent: QWidget, theme: Theme, text: str, place: QPointF, after: str) -> None:
        super().__init__(parent)
        self._place, self._after = place, after
        self.setStyleSheet(_SHEET.format(theme=theme))
        self.line = QLineEdit(text, placeholderText="type a layer", accessibleName="Add a layer")
        self.list = QListWidget(accessibleName="Kinds of layers", focusPolicy=Qt.FocusPolicy.NoFocus)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 4, 4, 4)
        layout.setSpacing(4)
        layout.addWidget(self.line)
        layout.addWidget(self.list)
        self.setFixedSize(188, 168)
        self.setFocusProxy(self.line)
        self.line.installEventFilter(self)
        self.line.textChanged.connect(self._filter)
        self.list.itemClicked.connect(self._choose)
        self._filter(text)

    def _filter(self, text: str) -> None:
        self.list.clear()
        for kind in matching(text):
            item = QListWidgetItem(kind.label, self.list)
            item.setData(Qt.ItemDataRole.UserRole, kind.name)
            item.setToolTip(kind.explanation)
        self.list.setCurrentRow(0)

    def _choose(self, item: QListWidgetItem | None) -> None:
        if item is not None:
            self.chosen.emit(item.data(Qt.ItemDataRole.UserRole), self._place, self._after)
            _close(self)

    def _key(self, key: int) -> bool:
        row, last = self.list.currentRow(), self.list.count() - 1
        match key:
            case Qt.Key.Key_Return | Qt.Key.Key_Enter:
                self._choose(self.list.currentItem())
            case Qt.Key.Key_Escape:
                _close(self)
            case Qt.Key.Key_Down | Qt.Key.Key_Tab:
                self.list.setCurrentRow(min(last, row + 1))
            case Qt.Key.Key_Up:
                self.list.setCurrentRow(max(0, row - 1))
            case _:
                return False
        return True

    # --- Qt ---

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.FocusOut:
            _close_soon(self)
        return event.type() == QEvent.Type.KeyPress and self._key(event.key())


class WeightField(QFrame):
    """A box with one weight. Enter takes the new number, Esc or leaving it does not."""

    chosen = Signal(str, tuple, float)

    def __init__(self, parent: QWidget, parameter: str, index: tuple[int, ...], value: float) -> None:
        super().__init__(parent)
        self._parameter, self._index = parameter, index
        name = f"{parameter}{list(index)}"
        self.box = NumberBox(Field(name, "number", 0.0, name))
        self.box.setAccessibleName(name)
        self.box.setToolTip(f"{name}: type the new value, Enter takes it")
        self.box.set_value(value)
        self.box.setFixedWidth(96)
        self.box.installEventFilter(self)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.box)
        self.setFocusProxy(self.box)

    # --- Qt ---

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.FocusOut:
            _close_soon(self)
            return False
        if event.type() != QEvent.Type.KeyPress or event.key() not in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Escape):
            return False
        if event.key() != Qt.Key.Key_Escape and self.box.hasAcceptableInput():
            self.chosen.emit(self._parameter, self._index, self.box.typed())
        _close(self)
        return True


def open_kinds(view: NetworkView, at: QPoint, text: str = "") -> KindField:
    """Open the search for a kind at a place of the viewport; what is chosen is asked of the view, behind the selected layer."""
    after = view.scene().selected[0] if len(view.scene().selected) == 1 else ""
    field = KindField(view.viewport(), view.theme, text, view.mapToScene(at), after)
    field.chosen.connect(view.add_requested)  # no lambda: it would hold the view
    _show(field, view, at)
    return field


def open_weight(view: NetworkView, hit: Hit, at: QPoint) -> WeightField | None:
    """Open a field for the weight or bias that was hit; None where no single number is known there."""
    if view.figures.coloring != "value":
        return None
    found = _bias(view, hit) if hit.kind == "bias" else _weight(view, hit)
    if found is None:
        return None
    field = WeightField(view.viewport(), *found)
    field.chosen.connect(view.weight_requested)
    _show(field, view, at)
    field.box.selectAll()
    return field


def _bias(view: NetworkView, hit: Hit) -> tuple[str, tuple[int, ...], float]:
    return f"{hit.layer}.bias", (hit.unit,), float(view.scene().columns[hit.layer].biases[hit.unit])


def _weight(view: NetworkView, hit: Hit) -> tuple[str, tuple[int, ...], float] | None:
    item = view.scene().links[hit.link]
    weight = item.weight(hit.curve)
    return None if weight is None else (item.parameter, item.course.pairs[hit.curve], weight)


def _show(field: QWidget, view: NetworkView, at: QPoint) -> None:
    """Show the field at a place, but inside the viewport."""
    room, size = view.viewport().rect(), field.sizeHint().expandedTo(field.minimumSize())
    field.move(max(0, min(at.x() + 8, room.width() - size.width())), max(0, min(at.y() + 8, room.height() - size.height())))
    field.show()
    field.setFocus(Qt.FocusReason.OtherFocusReason)


def _close_soon(field: QWidget) -> None:
    """Close the field once the event is over: it may have lost the focus because the window is going away."""
    QTimer.singleShot(0, field, lambda: _close(field))


def _close(field: QWidget) -> None:
    """Hide the field, give the focus back to the picture and let the field go."""
    if field.isHidden():
        return
    had_focus = field.focusProxy().hasFocus()
    view = field.parentWidget().parentWidget()
    field.hide()
    if had_focus:
        view.setFocus(Qt.FocusReason.OtherFocusReason)
    field.deleteLater()

"""Elements that are watched: value and gradient of each, and what they were before they last changed, through steps and iterations."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFontMetricsF
from PySide6.QtWidgets import QGridLayout, QLabel, QPushButton, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from nnviz.records.tensors import Tensor
from nnviz.records.trace_matching import found_again
from nnviz.records.trace_record import NodeRecord
from nnviz.records.trace_state import TraceState
from nnviz.text import names, numbers
from nnviz.ui.theme.colors import SMALL
from nnviz.ui.theme.fonts import mono, sans, scaled
from nnviz.ui.widgets.boxes import scrolling
from nnviz.ui.widgets.sections import Heading

_HIGHEST = 120
"""Pixels that the list takes at 100 %, then it is scrolled."""
_NOT_YET = "not yet"


@dataclass
class WatchedNumber:
    """A number as it is now, None while it is not computed, and what it was before it last changed."""

    now: complex | None = None
    last: complex | None = None
    was: complex | None = None

    def see(self, now: complex | None) -> None:
        """Take what it is at another place."""
        self.now = now
        if now is not None and not _is_same(now, self.last):
            self.was, self.last = self.last, now

    def text(self) -> str:
        """Return "was → now"."""
        return self._text(numbers.number)

    def exact(self) -> str:
        """Return the same with all digits."""
        return self._text(str)

    def _text(self, written: Callable[[complex], str]) -> str:
        before = self.was if self.now is not None else self.last
        now = written(self.now) if self.now is not None else _NOT_YET
        return now if before is None else f"{written(before)} → {now}"


@dataclass
class WatchedElement:
    """One element of a node with whole tensors, without its batch axis."""

    node: NodeRecord
    element: tuple[int, ...]
    id: int | None
    """The node's place in the trace that is shown; None where that has no such node."""
    value: WatchedNumber = field(default_factory=WatchedNumber)
    gradient: WatchedNumber = field(default_factory=WatchedNumber)

    def see(self, state: TraceState) -> None:
        """Take the numbers of this place of the cursor, of the chosen row of the batch."""
        self.id = found_again(state.index, self.node)
        if self.id is not None and _has(state.index.node(self.id), self.element):
            self.value.see(_number(state, self.id, state.value(self.id), self.element))
            self.gradient.see(_number(state, self.id, state.gradient(self.id), self.element))
        else:
            self.id = None

    def lacks(self, state: TraceState) -> bool:
        """Return whether a number of it is computed and has not travelled."""
        known = ((state.value(self.id), self.value), (state.gradient(self.id), self.gradient)) if self.id is not None else ()
        return any(tensor is not None and number.now is None for tensor, number in known)


class WatchList(QWidget):
    """Hidden while nothing is watched."""

    node_clicked = Signal(int, tuple)
    """A node with whole tensors, and the element that is watched."""
    numbers_wanted = Signal(int)
    """A node of which numbers have not travelled."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.watches: list[WatchedElement] = []
        self.rows: list[WatchRow] = []
        self._state: TraceState | None = None
        self._names: Mapping[int, str] = {}
        self._holder = QWidget()
        self._column = QVBoxLayout(self._holder)
        self._column.setContentsMargins(0, 0, 8, 0)
        self._column.setSpacing(4)
        self._column.addStretch(1)
        self._area = scrolling(self._holder)
        self._area.setStyleSheet("QScrollArea, QScrollArea > QWidget > QWidget { background: transparent; }")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addWidget(Heading("Watched", "muted"))
        column.addWidget(self._area)
        self.setAccessibleName("Watched elements")
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        self.hide()

    def set_trace_state(self, state: TraceState | None, titles: Mapping[str, str]) -> None:
        """Show the numbers of this place; of another row of the batch they begin anew."""
        whole, before = state.whole if state is not None else None, self._state
        self._state = whole
        if whole is None:
            return
        if before is None or before.index is not whole.index:
            self._names = names.names(whole.index.trace) if self.watches else {}
        for watch, row in zip(self.watches, self.rows, strict=True):
            if before is not None and before.sample != whole.sample:
                watch.value, watch.gradient = WatchedNumber(), WatchedNumber()
            watch.see(whole)
            row.show_watch(watch, self._title(watch, titles))
        self._ask()

    def toggle(self, node: NodeRecord, element: tuple[int, ...], titles: Mapping[str, str]) -> None:
        """Watch this element of a node with whole tensors, or watch it no longer."""
        same = next((place for place, watch in enumerate(self.watches) if (watch.id, watch.element) == (node.id, element)), None)
        if same is not None:
            self.remove(self.rows[same])
            return
        self._names = self._names or names.names(self._state.index.trace)
        row = WatchRow()
        row.removed.connect(lambda: self.remove(row))
        row.clicked.connect(lambda: self._go(row))
        self.watches.append(WatchedElement(node, element, node.id))
        self.rows.append(row)
        self._column.insertWidget(self._column.count() - 1, row)
        self.watches[-1].see(self._state)
        row.show_watch(self.watches[-1], self._title(self.watches[-1], titles))
        row.show()  # else it is hidden until Qt has time, and takes no room
        self._fit()
        self._ask()

    def remove(self, row: WatchRow) -> None:
        """Watch this one no longer."""
        place = self.rows.index(row)
        del self.watches[place], self.rows[place]
        self._column.removeWidget(row)
        row.hide()
        row.deleteLater()
        self._fit()

    def _title(self, watch: WatchedElement, titles: Mapping[str, str]) -> str:
        is_here = watch.id is not None
        called = names.qualified(self._state.index.node(watch.id), self._names, titles) if is_here else names.name(watch.node)
        return f"{called} {numbers.place(watch.element)}".strip()

    def _go(self, row: WatchRow) -> None:
        watch = self.watches[self.rows.index(row)]
        if watch.id is not None:
            self.node_clicked.emit(watch.id, watch.element)

    def _ask(self) -> None:
        """Have come what has not travelled: whoever is asked asks once for each node and row."""
        for watch in list(self.watches):
            if watch.lacks(self._state):
                self.numbers_wanted.emit(watch.id)

    def _fit(self) -> None:
        self.setVisible(bool(self.rows))
        self._area.setFixedHeight(min(round(scaled(_HIGHEST)), self._holder.sizeHint().height()))


class WatchRow(QWidget):
    """What is watched, its numbers, and a button that ends it."""

    clicked = Signal()
    removed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.name = QPushButton(font=sans(SMALL))
        self.name.setCursor(Qt.CursorShape.PointingHandCursor)
        self.value, self.gradient = QLabel(font=mono(SMALL)), QLabel(font=mono(SMALL))
        self.end = QToolButton(text="×")
        self.end.setProperty("flat", True)
        self.end.setFixedSize(round(scaled(24)), round(scaled(24)))
        self.end.setProperty("role", "dots")
        self.end.setToolTip("Watch this no longer")
        self.gradient.setProperty("role", "backward")
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(0)
        grid.addWidget(self.name, 0, 0, Qt.AlignmentFlag.AlignLeft)
        grid.addWidget(self.value, 0, 1, Qt.AlignmentFlag.AlignRight)
        grid.addWidget(self.gradient, 1, 0, 1, 2, Qt.AlignmentFlag.AlignRight)
        grid.addWidget(self.end, 0, 2)
        grid.setColumnStretch(0, 1)
        self.name.clicked.connect(lambda: self.clicked.emit())
        self.end.clicked.connect(lambda: self.removed.emit())

    def show_watch(self, watch: WatchedElement, title: str) -> None:
        """Show its numbers."""
        room = round(scaled(130))
        self.name.setText(QFontMetricsF(self.name.font()).elidedText(title, Qt.TextElideMode.ElideMiddle, room).replace("&", "&&"))
        self.name.setEnabled(watch.id is not None)
        self.value.setText(watch.value.text() if watch.id is not None else "not in this trace")
        has_gradient = watch.id is not None and watch.node.gradient is not None
        self.gradient.setText(f"∂L {watch.gradient.text()}" if has_gradient else "")
        self.gradient.setVisible(has_gradient)
        exact = [f"value {watch.value.exact()}", f"gradient {watch.gradient.exact()}" if has_gradient else ""]
        self.setToolTip("\n".join(filter(None, (title, *exact))))
        self.end.setAccessibleName(f"Watch {title} no longer")
        self.setAccessibleName(f"{title}: {self.value.text()}, {self.gradient.text()}")


def _number(state: TraceState, node: int, tensor: Tensor | None, element: tuple[int, ...]) -> complex | None:
    array = state.row(node, tensor) if tensor is not None else None
    return None if array is None or array.ndim != len(element) else array[element].item()


def _has(node: NodeRecord, element: tuple[int, ...]) -> bool:
    sizes = [size for axis, size in enumerate(node.shape) if axis != node.batch_axis]
    return len(sizes) == len(element) and all(place < size for place, size in zip(element, sizes, strict=True))


def _is_same(one: complex, other: complex | None) -> bool:
    return one == other or (other is not None and one != one and other != other)

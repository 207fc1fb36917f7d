"""The sheet for gradients of one's own: a row for every parameter and node, a box to paste into, and a verdict for each. It only shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from PySide6.QtCore import QAbstractTableModel, QEvent, QModelIndex, Qt, QTimer, Signal
from PySide6.QtGui import QGuiApplication, QKeyEvent, QKeySequence
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QSizePolicy,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from nnviz.lessons.gradient_check import FOLLOWS, NOT_HERE, RIGHT, TOO_FEW_DIGITS, EntryVerdict
from nnviz.text import numbers
from nnviz.ui.theme.colors import BODY, GRID, GUTTER, current_theme
from nnviz.ui.theme.fonts import mono, sans, scaled
from nnviz.ui.theme.style import set_role

_ANY = QModelIndex()
_NAME, _SHAPE, _OWN, _VERDICT = range(4)
_TITLES = ("gradient of", "shape", "yours", "verdict")
_SIZE = (492, 560)
_WIDTHS = {_NAME: 128, _SHAPE: 58, _VERDICT: 112}
_PASTE = 84
_REST = 250
"""Milliseconds after the last letter until what was pasted is read."""
_SIGNS = {
    RIGHT: ("✓ right", "forward"),
    FOLLOWS: ("follows", "clip"),
    TOO_FEW_DIGITS: ("? digits", "clip"),
    NOT_HERE: ("not here", "muted"),
}
_EXAMPLE = "Or paste here what NumPy prints:\nh1.weight = [[0.12 -0.3 ]\n             [0.05  0.71]]"


class GradientRow(NamedTuple):
    """A parameter or node that has a gradient."""

    name: str
    node: int
    shape: tuple[int, ...]


class GradientModel(QAbstractTableModel):
    """The rows in backward order; only what is typed can be changed."""

    typed = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.rows: Sequence[GradientRow] = ()
        self.texts: dict[str, str] = {}
        self._verdicts: Mapping[str, EntryVerdict] = {}
        self._faults: Mapping[str, str] = {}

    def set_rows(self, rows: Sequence[GradientRow]) -> None:
        """Show these rows; what was typed stays with its name."""
        if list(rows) != list(self.rows):
            self.beginResetModel()
            self.rows = tuple(rows)
            self.endResetModel()

    def set_verdicts(self, verdicts: Mapping[str, EntryVerdict], faults: Mapping[str, str]) -> None:
        """Show what is found, by name; `faults`: what could not be read."""
        self._verdicts, self._faults = verdicts, faults
        self._refresh()

    def set_texts(self, texts: Mapping[str, str]) -> None:
        """Put these into the cells of their names."""
        self.texts = {name: text for name, text in {**self.texts, **texts}.items() if text.strip()}
        self._refresh()
        self.typed.emit()

    def clear(self) -> None:
        """Empty all cells."""
        self.texts = {}
        self._refresh()
        self.typed.emit()

    def _refresh(self) -> None:
        if self.rows:
            self.dataChanged.emit(self.index(0, 0), self.index(len(self.rows) - 1, _VERDICT))

    def sentence(self, name: str) -> str:
        """Return all that is said of a row."""
        verdict = self._verdicts.get(name)
        return self._faults.get(name) or (str(verdict) if verdict else "")

    def verdict(self, name: str) -> EntryVerdict | None:
        """Return what is found about a row."""
        return self._verdicts.get(name)

    def _sign(self, name: str) -> tuple[str, str]:
        if name in self._faults:
            return "cannot be read", "loss"
        verdict = self._verdicts.get(name)
        return ("", "text") if verdict is None else _SIGNS.get(verdict.status, (f"✗ {verdict.status}", "loss"))

    # --- Qt ---

    def rowCount(self, parent: QModelIndex = _ANY) -> int:
        return len(self.rows)

    def columnCount(self, parent: QModelIndex = _ANY) -> int:
        return len(_TITLES)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        return _TITLES[section] if role == Qt.ItemDataRole.DisplayRole and orientation == Qt.Orientation.Horizontal else None

    def flags(self, index: QModelIndex) -> Qt.ItemFlag:
        flags = Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemIsEnabled
        return flags | Qt.ItemFlag.ItemIsEditable if index.column() == _OWN else flags

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        row, column = self.rows[index.row()], index.column()
        own, (sign, color) = self.texts.get(row.name, ""), self._sign(row.name)
        match role:
            case Qt.ItemDataRole.DisplayRole | Qt.ItemDataRole.EditRole:
                return (row.name, numbers.shape(row.shape), own, sign)[column]
            case Qt.ItemDataRole.ForegroundRole:
                return current_theme().color({_SHAPE: "muted", _VERDICT: color}.get(column, "text"))
            case Qt.ItemDataRole.FontRole:
                return sans(BODY) if column == _VERDICT else mono(BODY)
            case Qt.ItemDataRole.ToolTipRole:
                return (
                    self.sentence(row.name)
                    if column == _VERDICT
                    else "Type numbers, as [[0.1, 0.2], [0.3, 0.4]]"
                    if column == _OWN
                    else row.name
                )
            case Qt.ItemDataRole.AccessibleTextRole:
                return f"{row.name}, {_TITLES[column]}: {(row.name, numbers.shape(row.shape), own or 'empty', sign or 'none')[column]}"
        return None

    def setData(self, index: QModelIndex, value: object, role: int = Qt.ItemDataRole.EditRole) -> bool:
        self.texts.pop(self.rows[index.row()].name, None)
        self.set_texts({self.rows[index.row()].name: str(value)})
        return True


class GradientSheet(QDialog):
    """Not modal: the graph can be looked at and stepped beside it. Esc closes it."""

    changed = Signal()
    """Other texts stand in the cells."""
    pasted = Signal(str)
    """A text with one array or several."""
    shown = Signal(int)
    """A node that shall be shown in the graph."""
    cancel_wanted = Signal()
    """The search shall end."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Tool)
        self.setWindowTitle("Check my gradients")
        self.model = GradientModel(self)
        self.table = QTableView(accessibleName="Your gradients", showGrid=False, wordWrap=False, tabKeyNavigation=False)
        self.box = QPlainTextEdit(accessibleName="Paste gradients here", placeholderText=_EXAMPLE, tabChangesFocus=True)
        self.fault, self.summary, self.detail = (QLabel(wordWrap=True, textFormat=Qt.TextFormat.PlainText) for _ in range(3))
        self.age = QLabel()
        self.show_button = _button("Show", "Show in the graph where the chosen gradient goes wrong, or the chosen node itself")
        self.first_button = _button("First wrong", "Choose the first wrong gradient in backward order and show it in the graph")
        self.clear_button = _button("Clear", "Empty all cells and the box")
        self.search, self.cancel_button = QLabel(wordWrap=True), _button("Cancel", "Try no more slips")
        self._reading = QTimer(self, singleShot=True, interval=_REST)
        self._summary = ""
        self._lay_out()
        self._connect()

    def _lay_out(self) -> None:
        self.table.setModel(self.model)
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.AllEditTriggers & ~QAbstractItemView.EditTrigger.CurrentChanged)
        self.table.verticalHeader().hide()
        self.table.setTextElideMode(Qt.TextElideMode.ElideRight)
        head = self.table.horizontalHeader()
        head.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        for column, width in _WIDTHS.items():
            self.table.setColumnWidth(column, round(scaled(width)))
        head.setSectionResizeMode(_OWN, QHeaderView.ResizeMode.Stretch)
        self.box.setFont(mono(BODY))
        self.box.setFixedHeight(round(scaled(_PASTE)))
        title = QLabel("YOUR GRADIENTS")
        title.setProperty("role", "head")
        self.age.setProperty("role", "muted")
        self.fault.setProperty("role", "loss")
        self.fault.hide()
        self.summary.hide()
        column = QVBoxLayout(self)
        column.setContentsMargins(GUTTER, GUTTER, GUTTER, GUTTER)
        column.setSpacing(2 * GRID)
        column.addLayout(_row(title, self.age, None))
        column.addWidget(self.table, 1)
        column.addWidget(self.box)
        column.addWidget(self.fault)
        column.addWidget(self.summary)
        column.addWidget(self.detail)
        self.search.setProperty("role", "muted")
        self.search.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        searching = QHBoxLayout()
        searching.addWidget(self.search, 1)
        searching.addWidget(self.cancel_button, 0, Qt.AlignmentFlag.AlignTop)
        column.addLayout(searching)
        self.show_search("")
        column.addLayout(_row(self.clear_button, None, self.first_button, self.show_button))
        self.resize(round(scaled(_SIZE[0])), round(scaled(_SIZE[1])))

    def _connect(self) -> None:
        self.model.typed.connect(self.changed)
        self.box.textChanged.connect(self._reading.start)
        self._reading.timeout.connect(self._read)
        self.table.selectionModel().currentRowChanged.connect(lambda: self._show_detail())
        self.show_button.clicked.connect(self._show_chosen)
        self.first_button.clicked.connect(self._show_first)
        self.clear_button.clicked.connect(self._clear)
        self.cancel_button.clicked.connect(self.cancel_wanted)

    # --- what to show ---

    def set_rows(self, rows: Sequence[GradientRow], age: str) -> None:
        """Offer these parameters and nodes, of the iteration that `age` names."""
        self.age.setText(f"{age}, in backward order")
        chosen = self.chosen
        self.model.set_rows(rows)
        if not self.table.currentIndex().isValid() and rows:
            place = next((place for place, row in enumerate(rows) if row.name == chosen), 0)
            self.table.setCurrentIndex(self.model.index(place, _OWN))

    def set_texts(self, texts: Mapping[str, str]) -> None:
        """Put these into the cells of their names."""
        self.model.set_texts(texts)

    def set_verdicts(self, verdicts: Mapping[str, EntryVerdict], faults: Mapping[str, str], summary: str) -> None:
        """Show what is found about each row, and about all; `faults`: what could not be read."""
        self.model.set_verdicts(verdicts, faults)
        set_role(self.summary, "agrees" if all(one.status == RIGHT for one in verdicts.values()) else "differs")
        self.summary.setText(summary)
        self.summary.setVisible(bool(summary))
        self._show_detail()

    def show_search(self, text: str) -> None:
        """Say how far the search for a slip is, which can be cancelled; empty: nothing is searched."""
        self.search.setText(text)
        for part in (self.search, self.cancel_button):
            part.setVisible(bool(text))

    def say_fault(self, text: str) -> None:
        """Say why what was pasted cannot be read; empty: it can."""
        self.fault.setText(text)
        self.fault.setVisible(bool(text))

    @property
    def texts(self) -> dict[str, str]:
        """What stands in the cells, by name, of the rows that are offered now."""
        return {row.name: self.model.texts[row.name] for row in self.model.rows if row.name in self.model.texts}

    @property
    def chosen(self) -> str:
        """The name of the chosen row; empty for none."""
        at = self.table.currentIndex().row()
        return self.model.rows[at].name if 0 <= at < len(self.model.rows) else ""

    def _show_detail(self) -> None:
        self.detail.setText(self.model.sentence(self.chosen))
        self.detail.setVisible(bool(self.detail.text()))
        self.show_button.setEnabled(bool(self.chosen))
        self.first_button.setEnabled(self._first_wrong() is not None)

    def _first_wrong(self) -> int | None:
        """The first row that is wrong by itself."""
        verdicts = [self.model.verdict(row.name) for row in self.model.rows]
        return next((place for place, one in enumerate(verdicts) if one is not None and one.status not in _SIGNS), None)

    # --- what a person does ---

    def _read(self) -> None:
        text = self.box.toPlainText()
        if text.strip():
            self.pasted.emit(text)
        else:
            self.say_fault("")

    def _paste(self) -> None:
        self.pasted.emit(QGuiApplication.clipboard().text())

    def _show_chosen(self) -> None:
        row = next(row for row in self.model.rows if row.name == self.chosen)
        verdict = self.model.verdict(row.name)
        places = [node for one in (verdict.misconceptions if verdict else ()) for node in one.nodes]
        self.shown.emit(places[0] if places else row.node)

    def _show_first(self) -> None:
        place = self._first_wrong()
        if place is not None:
            self.table.setCurrentIndex(self.model.index(place, _OWN))
            self._show_chosen()

    def _clear(self) -> None:
        self.box.clear()
        self.model.clear()

    # --- Qt ---

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ShortcutOverride and event.matches(QKeySequence.StandardKey.Paste):
            event.accept()  # else the window behind it would paste layers
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.matches(QKeySequence.StandardKey.Paste):
            self._paste()
        else:
            super().keyPressEvent(event)


def _button(text: str, tip: str) -> QPushButton:
    return QPushButton(text, toolTip=tip, accessibleName=tip, autoDefault=False)


def _row(*parts: QWidget | None) -> QHBoxLayout:
    """Beside each other; None takes the room that is left."""
    row = QHBoxLayout()
    row.setSpacing(2 * GRID)
    for part in parts:
        row.addStretch(1) if part is None else row.addWidget(part)
    return row

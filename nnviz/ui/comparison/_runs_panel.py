"""The panel of all runs: a table with a row for each branch, and below it where two of them differ first. It only asks."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QFont, QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QMenu, QPushButton, QVBoxLayout, QWidget

from nnviz.text.numbers import steady
from nnviz.ui.comparison.run_rows import RunRow, figure
from nnviz.ui.theme.colors import BODY, GRID
from nnviz.ui.theme.fonts import mono, sans, scaled
from nnviz.ui.widgets.branch_dot import branch_dot
from nnviz.ui.widgets.sorted_table import ROW, Column, Table

_HIGH = 22
_VERDICT_COLORS = {"flat": "muted", "falling": "forward", "oscillating": "clip", "diverged": "loss"}


def _number(title: str, column: str, tip: str) -> Column:
    value = figure(column)
    text = lambda row: "–" if value(row) is None else steady(value(row))  # noqa: E731
    aged, color = lambda row: _aged(row, column), lambda row: _color(row, column)
    return Column(title, text, value, tip, aged, color, font=lambda row: mono(BODY), right=True, width=None)


def _aged(row: RunRow, column: str) -> str:
    """Which iteration the figure is of."""
    at = row.curves.last_iteration(column)
    return "not measured yet" if at is None else f"{row.curves.last(column):.6g} at iteration {at:,}"


def _color(row: RunRow, column: str) -> str:
    """A figure of before the last iteration is pale."""
    at = row.curves.last_iteration(column)
    return "faint" if at is not None and at != row.curves.iteration[-1] else "text"


def _score_aged(row: RunRow) -> str:
    at = row.curves.last_iteration(row.score_column)
    return "not measured yet" if at is None else f"{_score(row)} at iteration {at:,}"


def _score(row: RunRow) -> str:
    if row.score is None:
        return "–"
    return f"{row.score:.1%}".replace("%", " %") if row.is_classifier else steady(row.score)


def _word(row: RunRow) -> str:
    growing = "…" if row.is_growing else ""
    return (row.verdict.kind if row.verdict else "–" if not growing else "") + growing


def _time(row: RunRow) -> str:
    return "–" if row.seconds is None else f"{row.seconds:.2g} s" if row.seconds < 10 else f"{row.seconds:,.0f} s"


def _measured(title: str, text: Callable[[RunRow], str], value: Callable[[RunRow], float | None], tip: str) -> Column:
    """A column of numbers."""
    return Column(title, text, value, tip, font=lambda row: mono(BODY), right=True, width=None)


_COLUMNS = (
    Column(
        "name",
        lambda row: row.name,
        lambda row: row.name,
        "A click or Enter lets its curve stand out, a double click or Ctrl+Enter goes there; F2 renames, Delete forgets",
        lambda row: f"{row.name}: {'the present run' if row.is_present else 'double click to go there'}",
        font=lambda row: sans(BODY, QFont.Weight.Bold if row.is_present else QFont.Weight.Normal),
        icon=lambda row: branch_dot(row.branch.color),
        width=None,
    ),
    Column("what differs", lambda row: row.differs, lambda row: row.differs, "From the present document", color=lambda row: "muted"),
    Column(
        "verdict",
        _word,
        lambda row: row.verdict.kind if row.verdict else None,
        "How its loss went: flat, falling, oscillating or diverged",
        lambda row: row.told or "not trained yet",
        lambda row: _VERDICT_COLORS[row.verdict.kind] if row.verdict else "muted",
        width=None,
    ),
    _measured("iterations", lambda row: f"{row.branch.reached:,}", lambda row: row.branch.reached, "How many were made"),
    _number("batch", "loss", "Loss of the last batch, before its update"),
    _number("training", "training_loss", "Loss over all training rows"),
    _number("validation", "validation_loss", "Loss over the validation rows"),
    Column(
        "score",
        _score,
        lambda row: row.score,
        "Accuracy or RMSE over the validation rows; without any, over the training rows",
        _score_aged,
        lambda row: _color(row, row.score_column),
        font=lambda row: mono(BODY),
        right=True,
        width=None,
    ),
    _measured("time", _time, lambda row: row.seconds, "How long its own iterations took; known of runs that were compared"),
)
_LEAST_ROOM = {"batch": 780, "training": 700, "validation": 700}
"""From these widths of the panel on, in pixels, columns have room that are the least important. Of the last two one is always there."""


class RunsPanel(QWidget):
    """`table` holds the rows; the line below it is hidden while nothing is said there."""

    highlighted = Signal(str)
    """The branch whose curve shall stand out; empty for none."""
    branch_requested = Signal(str)
    renaming_requested = Signal(str)
    forgetting_requested = Signal(str)
    settings_requested = Signal(str)
    """The branch whose settings the document shall have."""
    divergence_requested = Signal(str)
    place_requested = Signal()
    """Go to where the two runs differ first."""
    line_closed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Runs")
        self.table = Table("Runs", _COLUMNS)
        self._prepare(self.table)
        self._chosen = ""
        self.line = QLabel(wordWrap=True, textFormat=Qt.TextFormat.PlainText)
        self.go_button, self.close_button = QPushButton("go there"), QPushButton("×")
        self.close_button.setAccessibleName("Close this line")
        self._line_holder = self._line_row()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GRID)
        column.addWidget(self.table, 1)
        column.addWidget(self._line_holder)
        self.say("", False)

    def _prepare(self, table: Table) -> None:
        header = table.horizontalHeader()
        header.setHighlightSections(False)
        header.setMinimumSectionSize(24)
        header.setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        header.setSortIndicatorClearable(True)
        table.setSortingEnabled(True)
        table.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        table.customContextMenuRequested.connect(self._open_menu)
        table.row_picked.connect(self._pick)
        table.doubleClicked.connect(lambda index: self._go(index.data(ROW)))
        self.follow_text_size()

    def _line_row(self) -> QWidget:
        holder = QWidget()
        row = QHBoxLayout(holder)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(GRID)
        row.addWidget(self.line, 1)
        for button, call in ((self.go_button, self.place_requested), (self.close_button, self.line_closed)):
            button.setProperty("role", "note")
            button.clicked.connect(lambda _=False, call=call: call.emit())
            row.addWidget(button)
        return holder

    def follow_text_size(self) -> None:
        """Make the rows as high as their texts."""
        self.table.verticalHeader().setDefaultSectionSize(round(scaled(_HIGH)))

    def set_rows(self, rows: Sequence[RunRow]) -> None:
        """Show these branches."""
        self.table.set_rows(rows)
        self._show_columns()
        self.table.choose(lambda row: row.name == self._chosen)
        self.setAccessibleDescription("; ".join(f"{row.name}: {row.differs}, {_word(row)}" for row in rows))

    def _show_columns(self) -> None:
        """Show the columns there is room for: of the losses at least that of the validation rows, without any that of the training rows."""
        titles = [column.title for column in _COLUMNS]
        is_validated = any(row.curves.last("validation_loss") is not None for row in self.table.rows())
        needed = "validation" if is_validated else "training"
        for title, width in _LEAST_ROOM.items():
            self.table.setColumnHidden(titles.index(title), title != needed and self.width() < scaled(width))

    def say(self, text: str, is_place: bool) -> None:
        """Show a line below the table, with a button that goes there if it is about a place; empty hides it."""
        self.line.setText(text)
        self.go_button.setVisible(is_place)
        self._line_holder.setVisible(bool(text))

    def _pick(self, row: RunRow) -> None:
        """A second click on the same row lets its curve be as the others again."""
        self._chosen = "" if row.name == self._chosen else row.name
        self.table.choose(lambda other: other.name == self._chosen)
        self.highlighted.emit(self._chosen)

    def _go(self, row: RunRow) -> None:
        if not row.is_present:
            self.branch_requested.emit(row.name)

    def menu(self, row: RunRow) -> QMenu:
        """Return a new menu for one branch. Who opens it deletes it."""
        menu = QMenu(self)
        offers: list[tuple[str, Callable[[str], object]]] = [(f"Rename {row.name}…", self.renaming_requested.emit)]
        if not row.is_present:
            offers = [
                (f"Go to {row.name}", self.branch_requested.emit),
                ("First divergence against the present run", self.divergence_requested.emit),
                *offers,
                (f"Give the document the settings of {row.name}", self.settings_requested.emit),
                (f"Forget {row.name}", self.forgetting_requested.emit),
            ]
        for text, call in offers:
            menu.addAction(text, lambda call=call: call(row.name))
        return menu

    def _open_menu(self, at: QPoint) -> None:
        row = self.table.indexAt(at).data(ROW)
        if row is not None:
            menu = self.menu(row)
            menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
            menu.popup(self.table.viewport().mapToGlobal(at))

    # --- Qt ---

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._show_columns()
        super().resizeEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        row = self.table.currentIndex().data(ROW)
        is_enter = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        if row is not None and event.key() == Qt.Key.Key_F2:
            self.renaming_requested.emit(row.name)
        elif row is not None and not row.is_present and event.key() == Qt.Key.Key_Delete:
            self.forgetting_requested.emit(row.name)
        elif row is not None and is_enter and event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self._go(row)
        else:
            super().keyPressEvent(event)

"""The panel of a sweep: parallel coordinates and curves above a table with a row for each run. It only shows and asks."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QHeaderView, QLabel, QMenu, QPushButton, QSplitter, QVBoxLayout, QWidget

from nnviz.document.sweep_plan import PlannedRun
from nnviz.records.sweep_records import SweptRun
from nnviz.ui.sweep._band_plot import BandPlot
from nnviz.ui.sweep._parallel_plot import ParallelPlot, loss_color
from nnviz.ui.sweep.swept_values import Dimension, best_of, passing, ranks, result_dimensions, seed_bands, setting_dimensions
from nnviz.ui.theme.colors import BODY, GRID, GUTTER
from nnviz.ui.theme.fonts import mono, scaled
from nnviz.ui.widgets.card import header_height
from nnviz.ui.widgets.plot import Plot
from nnviz.ui.widgets.sorted_table import ROW, Column, Table

_SHARES = 5, 4
"""Of the plots and of the table, of the height."""
_HIGH, _MEASURED = 22, 20
"""Pixels of a row of the table, and how many rows its columns are measured by."""
_VERDICT_COLORS = {"flat": "muted", "falling": "forward", "oscillating": "clip", "diverged": "loss", "failed": "loss"}


class SweepPanel(QWidget):
    """`chosen` is the number of the run that is picked; 0 for none."""

    picked = Signal(int)
    open_requested = Signal(int)
    keep_requested = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Sweep")
        self.parallel, self.bands = ParallelPlot(), BandPlot(loss_color)
        self.table: Table | None = None
        self.chosen = 0
        self._note = ""
        self._labels: tuple[str, ...] = ()
        self._rows: tuple[SweptRun, ...] = ()
        self._runs: Sequence[PlannedRun] | None = None
        self._settings: tuple[Dimension, ...] = ()
        """Those of these runs, which may be thousands: they are the same from the first that is finished to the last."""
        self._head: tuple[str, ...] = ()
        """The columns the table has."""
        self.line = QLabel(wordWrap=True, textFormat=Qt.TextFormat.PlainText)
        self.line.setProperty("role", "muted")
        self.open_button = _button("open", "Open the chosen run as a document of its own; double click or Ctrl+Enter")
        self.keep_button = _button("keep beside", "Train the chosen run again as a branch beside the present run")
        self._lay_out()
        self.parallel.brushed.connect(self._filter)
        self.parallel.run_clicked.connect(self.pick)
        self.bands.curve.chosen.connect(lambda key: self._show_bands())
        self.open_button.clicked.connect(lambda: self.open_requested.emit(self.chosen))
        self.keep_button.clicked.connect(lambda: self.keep_requested.emit(self.chosen))
        self.set_runs((), (), ())

    def _lay_out(self) -> None:
        self._above = QSplitter(Qt.Orientation.Horizontal, childrenCollapsible=False)
        self._above.setHandleWidth(GUTTER)
        for plot, share in ((self.parallel, 55), (self.bands, 45)):
            self._above.addWidget(_headed(plot))
            self._above.setStretchFactor(self._above.count() - 1, share)
        self._under = QWidget()
        self._below = QVBoxLayout(self._under)
        self._below.setContentsMargins(0, GRID, 0, 0)
        self._below.setSpacing(GRID)
        foot = QHBoxLayout()
        foot.addWidget(self.line, 1)
        foot.addWidget(self.keep_button)
        foot.addWidget(self.open_button)
        self._below.addLayout(foot)
        both = self._both = QSplitter(Qt.Orientation.Vertical, childrenCollapsible=False)
        both.addWidget(self._above)
        both.addWidget(self._under)
        for place, share in enumerate(_SHARES):
            both.setStretchFactor(place, share)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(both)

    # --- what is shown ---

    def set_runs(self, labels: Sequence[str], runs: Sequence[PlannedRun], rows: Sequence[SweptRun]) -> None:
        """Show these finished runs of a sweep; `labels`: the settings that change."""
        is_new = tuple(labels) != self._labels
        self._labels, self._rows = tuple(labels), tuple(rows)
        if runs is not self._runs:
            self._runs, self._settings = runs, setting_dimensions(labels, runs)
        self._all, self._ranks = (*self._settings, *result_dimensions(rows)), ranks(rows)
        if is_new:
            self.parallel.brushes = {}
            self.chosen = 0
        self.bands.prefer("validation_losses" if any(row.validation_losses for row in rows) else "losses")
        self.parallel.set_runs(self._all, self._ranks, tuple(row.number for row in rows), bool(runs))
        if runs and self._under.isHidden():
            self._both.setSizes([100 * share for share in _SHARES])  # what is shown anew gets no more than it needs
        self._under.setVisible(bool(runs))
        self._show_table()
        self._filter()

    def set_note(self, note: str) -> None:
        """Say this of all runs."""
        if note != self._note:
            self._note = note
            self._tell()

    def _show_table(self) -> None:
        """Columns go with the sweep: a table is made anew when they are others."""
        head = tuple(one.name for one in self._all)
        if self.table is None or head != self._head:
            self._head = head
            if self.table is not None:
                self.table.hide()
                self.table.deleteLater()
            self.table = Table("Runs of the sweep", [_NUMBER, *map(self._column, self._all), *_LAST])
            header = self.table.horizontalHeader()
            header.setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
            header.setSortIndicatorClearable(True)
            header.setHighlightSections(False)
            header.setResizeContentsPrecision(_MEASURED)
            self.table.setSortingEnabled(True)
            self.table.row_picked.connect(lambda row: self.pick(0 if row.number == self.chosen else row.number))
            self.table.doubleClicked.connect(lambda index: self._open(index.data(ROW)))
            self.table.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
            self.table.customContextMenuRequested.connect(self._open_menu)
            self._below.insertWidget(0, self.table, 1)
        self.follow_text_size()

    def follow_text_size(self) -> None:
        """Make the rows as high as their texts."""
        self.table.verticalHeader().setDefaultSectionSize(round(scaled(_HIGH)))

    def _column(self, one: Dimension) -> Column:
        """Figures of the latest rows: those of a dimension that is made anew with every run."""
        place = [other.name for other in self._all].index(one.name)
        value = lambda row: self._all[place].values.get(row.number)  # noqa: E731
        text = lambda row: self._all[place].text(row.number)  # noqa: E731
        return Column(one.name, text, value, one.label, font=lambda row: mono(BODY), right=True, width=None)

    @property
    def shown(self) -> tuple[int, ...]:
        """The numbers of the runs that pass the brushed axes."""
        return passing(self._all, self.parallel.brushes, [row.number for row in self._rows])

    def _filter(self) -> None:
        """Let table and curves show the runs that the brushed axes let pass."""
        shown = set(self.shown)
        self.table.set_rows([row for row in self._rows if row.number in shown])
        self._spread()
        self._show_bands()
        self.pick(self.chosen if self.chosen in shown else 0)

    def _spread(self) -> None:
        """Give the columns all the room: to what is said of runs that failed, else to all alike; without enough each gets what it needs."""
        header, last = self.table.horizontalHeader(), len(self._head) + len(_LAST)
        has_words = any(row.message for row in self.table.rows())
        needed = sum(max(header.sectionSizeHint(place), self.table.sizeHintForColumn(place)) for place in range(last))
        header.setSectionHidden(last, not has_words)
        is_wide = not has_words and needed <= self.table.viewport().width()
        mode = QHeaderView.ResizeMode
        for place in range(last):
            header.setSectionResizeMode(place, mode.Stretch if is_wide else mode.ResizeToContents)
        header.setSectionResizeMode(last, mode.Stretch)

    def _show_bands(self) -> None:
        shown = set(self.shown)
        found = seed_bands(self._labels, [row for row in self._rows if row.number in shown], self.bands.curve.key)
        ordered = sorted(found, key=lambda band: -self._rank(band.numbers))
        self.bands.set_bands(tuple(ordered), tuple(self._rank(band.numbers) for band in ordered))

    def _rank(self, numbers: Sequence[int]) -> float:
        return sum(self._ranks.get(number, 1.0) for number in numbers) / len(numbers)

    def pick(self, number: int) -> None:
        """Choose a run in all three pictures; 0 chooses none."""
        self.chosen = number
        self.table.choose(lambda row: row.number == number)
        self.parallel.choose(number)
        self.bands.choose(number)
        row = self._row(number)
        self._tell()
        for button in (self.open_button, self.keep_button):
            button.setEnabled(row is not None and not row.is_failed)
        self.picked.emit(number)

    def _tell(self) -> None:
        """Say below the table what is to be said of all runs, and of the chosen one; without one of the best."""
        row, shown = self._row(self.chosen), set(self.shown)
        best = "" if row else best_of(self._labels, [one for one in self._rows if one.number in shown])
        self.line.setText(" ".join(filter(None, (self._note, _told(row) if row else best))))

    def _row(self, number: int) -> SweptRun | None:
        return next((row for row in self._rows if row.number == number), None)

    # --- what is asked ---

    def _open(self, row: SweptRun) -> None:
        if not row.is_failed:
            self.open_requested.emit(row.number)

    def menu(self, row: SweptRun) -> QMenu:
        """Return a new menu for one run. Who opens it deletes it."""
        menu = QMenu(self)
        for text, signal in (
            ("Open run {} as a document", self.open_requested),
            ("Keep run {} beside the present run", self.keep_requested),
        ):
            action = menu.addAction(text.format(row.number), lambda signal=signal: signal.emit(row.number))
            action.setEnabled(not row.is_failed)
        return menu

    def _open_menu(self, at: object) -> None:
        row = self.table.indexAt(at).data(ROW)
        if row is not None:
            menu = self.menu(row)
            menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
            menu.popup(self.table.viewport().mapToGlobal(at))

    # --- Qt ---

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._spread()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        row = self.table.currentIndex().data(ROW)
        is_enter = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        if row is not None and is_enter and event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self._open(row)
        elif event.key() == Qt.Key.Key_Escape and self.parallel.brushes:
            self.parallel.clear()
        else:
            super().keyPressEvent(event)


def _verdict(row: SweptRun) -> str:
    return row.stopped if row.is_failed else row.verdict


def _measured(title: str, value: Callable[[SweptRun], float], text: str, tip: str) -> Column:
    """A column of numbers, which runs that failed do not have."""
    known = lambda row: None if row.is_failed else value(row)  # noqa: E731
    told = lambda row: "–" if row.is_failed else text.format(value(row))  # noqa: E731
    return Column(title, told, known, tip, font=lambda row: mono(BODY), right=True, width=None)


_NUMBER = Column(
    "run",
    lambda row: str(row.number),
    lambda row: row.number,
    "Its number in the sweep",
    font=lambda row: mono(BODY),
    right=True,
    width=None,
)
_LAST = (
    Column(
        "verdict",
        _verdict,
        _verdict,
        "How its loss went: flat, falling, oscillating or diverged; failed: it could not be made",
        lambda row: _told(row),
        lambda row: _VERDICT_COLORS.get(_verdict(row), "muted"),
        right=True,
        width=None,
    ),
    _measured("iterations", lambda row: row.iterations, "{:,}", "How many were made"),
    _measured("time", lambda row: row.seconds, "{:,.2f} s", "How long it took"),
    Column("", lambda row: f"   {row.message}", lambda row: row.message, "", lambda row: row.message, lambda row: "muted"),
)


def _told(row: SweptRun) -> str:
    """What is said of a run below the table."""
    return " ".join(filter(None, (f"Run {row.number}.", row.verdict_is, row.message, f"Digest {row.digest[:12]}." if row.digest else "")))


def _button(text: str, tip: str) -> QPushButton:
    button = QPushButton(text, toolTip=tip, enabled=False, autoDefault=False)
    button.setProperty("role", "note")
    return button


def _headed(plot: Plot) -> QWidget:
    """A plot below its heading and its tools."""
    holder, title, said = QWidget(), QLabel(), QLabel()
    title.setProperty("role", "head")
    said.setProperty("role", "muted")
    head = QWidget()
    head.setFixedHeight(header_height())
    row = QHBoxLayout(head)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(2 * GRID)
    for part in (title, said):
        row.addWidget(part)
    row.addStretch(1)
    for tool in plot.tools:
        row.addWidget(tool)
    column = QVBoxLayout(holder)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(0)
    column.addWidget(head)
    column.addWidget(plot, 1)
    show = lambda heading, short, subtitle: (title.setText(heading.upper()), said.setText(subtitle))  # noqa: E731
    plot.heading_changed.connect(show)
    show(*plot.heading)
    holder.setToolTip(plot.toolTip())
    holder.setMinimumWidth(260)
    return holder

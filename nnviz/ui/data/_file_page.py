"""A table from a file: what was worked out, the first rows, what each column is, what is missing. It asks to look and to use it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QFileDialog,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from nnviz.document import catalog
from nnviz.messages import TableGlimpsed, TableRead
from nnviz.records.data_record import TableRecord
from nnviz.ui.data._cells import CellTable
from nnviz.ui.data.rows_picture import RowsPicture
from nnviz.ui.theme.colors import GRID
from nnviz.ui.theme.style import set_role
from nnviz.ui.widgets import forms

FILTER = "Tables (*.csv *.tsv *.txt *.dat);;All files (*)"
_FIELDS = {field.name: field for field in catalog.DATASETS["csv"].fields}
_CHOICES = {
    "separator": "separator",
    "decimal": "decimal",
    "header": "header",
    "task": "target is",
    "missing": "missing values",
    "target_scaling": "scale target",
}
_MOST_REMARKS = 3
_KEPT = ("path", "target", "task", "separator", "decimal", "header", "missing", "without", "window", "horizon", "target_scaling")


class FilePage(QWidget):
    """The person's draft of the settings, and what the engine says about it."""

    look_requested = Signal(dict)
    """Settings of the `csv` data set to look at the file with."""
    stop_requested = Signal()
    """Read no further."""
    use_requested = Signal(dict, tuple)
    """Settings, and the size of the rows: features, classes, targets."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.draft: dict[str, Any] = {name: _FIELDS[name].default for name in _KEPT}
        self._used: dict[str, Any] | None = None
        self._reply: TableRead | None = None
        self._is_reading = False
        self._is_forgotten = False
        """Whether another path has been begun to be typed."""
        self.path = QLineEdit(placeholderText="a CSV file; drop one on the window", accessibleName="File")
        self.browse = QPushButton("Choose…", accessibleName="Choose a file")
        self.target = QComboBox(accessibleName="Target column", toolTip=_FIELDS["target"].explanation)
        self.boxes = {name: _box(name) for name in _CHOICES}
        self.window = forms.editor(_FIELDS["window"], None)
        self.horizon = forms.editor(_FIELDS["horizon"], 1)
        self.cells, self.rows = CellTable(), RowsPicture()
        self.found, self.verdict = QLabel(wordWrap=True), QLabel(wordWrap=True)
        self.use = QPushButton("Use this table", accessibleName="Use this table", enabled=False)
        self.use.setProperty("accent", True)
        self.progress = QProgressBar(textVisible=False, accessibleName="How far the file is read")
        self.progress.setFixedHeight(GRID)
        self.stop = QPushButton("Stop reading", accessibleName="Stop reading")
        self.footer = self._made_footer()
        """What was found wrong, how far it is, and the button: to be placed where it is always in sight."""
        self._lay_out()
        self._show_reading(False)
        self._show_cells(None)
        self._connect()

    def set_settings(self, settings: Mapping[str, Any] | None) -> None:
        """Begin with the settings of the document's own file; None if its data is none."""
        used = None if settings is None else {name: settings[name] for name in _KEPT}
        if used != self._used:
            self._used = used
            if used is not None and used != self.draft:
                self._draft(**used)
        self._show_use()

    def choose(self, path: str) -> None:
        """Look into another file, with everything worked out anew."""
        self._draft(**{name: _FIELDS[name].default for name in _KEPT} | {"path": path})

    def show_look(self, reply: TableRead) -> None:
        """Show what the engine found in the file; an answer that is not waited for any more is about another one."""
        if not self._is_reading:
            return
        self._reply = reply
        self._show_reading(False)
        table = reply.table
        self._show_cells(table)
        self.rows.set_data(reply.data)
        self._show_guesses(table)
        self.found.setText(_found(table) if table else "")
        self.verdict.setText(f"{reply.message} {reply.cure}".strip() or _verdict(table, self.draft["window"]))
        self._color_verdict()
        self._show_use()
        if self._used is not None and self.is_usable and self._used["path"] == self.draft["path"] and not self._is_in_use():
            self._emit_use()

    def show_glimpse(self, glimpse: TableGlimpsed) -> None:
        """Show how much of a large file has been read, and at first its first rows."""
        if self._is_reading:
            self.progress.setMaximum(100)
            self.progress.setValue(round(100 * glimpse.share))
            self.verdict.setText(f"Reading {self._file_name()} … {glimpse.share:.0%}")
        if self._is_reading and glimpse.table:
            self._show_cells(glimpse.table)
            self._show_guesses(glimpse.table)
            self.found.setText(f"The first rows, {len(glimpse.table.columns):,} columns; {glimpse.table.encoding}.")

    @property
    def is_usable(self) -> bool:
        """Whether the table can be trained on as it is."""
        return bool(self._reply and self._reply.data is not None and not self._is_reading)

    def settings(self) -> dict[str, Any]:
        """Return the draft with target and task written out, so that the document does not hang on guesses about them."""
        table = self._reply.table if self._reply else None
        return self.draft | ({"target": table.target, "task": table.task} if table else {})

    # --- inside ---

    def _draft(self, **settings: Any) -> None:
        if settings.get("path", self.draft["path"]) != self.draft["path"]:
            self._forget_file()
        self.draft |= settings
        if self.path.text() != self.draft["path"]:
            self.path.setText(self.draft["path"])
        self.window.set_value(self.draft["window"])
        self.horizon.set_value(self.draft["horizon"])
        self.horizon.setEnabled(self.draft["window"] is not None)
        if self.draft["path"]:
            self.found.clear()
            self._is_forgotten = False
            self._show_reading(True)
            self.look_requested.emit(dict(self.draft))

    def _forget_file(self) -> None:
        """Another file is meant: nothing that was found in the one before is true of it."""
        if self._is_reading:
            self.stop_requested.emit()
        self._reply = None
        self._show_reading(False)
        self._show_cells(None)
        self.rows.set_data(None)
        self._show_guesses(None)
        self.found.clear()
        self.verdict.clear()
        self._show_use()

    def _show_reading(self, is_reading: bool) -> None:
        self._is_reading = is_reading
        self.progress.setMaximum(0)  # how far it is, is not known yet
        for part in (self.progress, self.stop):
            part.setVisible(is_reading)
        if is_reading:
            self.verdict.setText(f"Reading {self._file_name()} …")
            set_role(self.verdict, "text")
            self.use.setEnabled(False)

    def _file_name(self) -> str:
        return Path(self.draft["path"]).name

    def _emit_use(self) -> None:
        table = self._reply.table
        self.use_requested.emit(self.settings(), (table.features, table.classes, table.targets))

    def _show_cells(self, table: TableRecord | None) -> None:
        self.cells.set_table(table, set(self.draft["without"]))
        self.cells.setVisible(table is not None)
        self.found.setVisible(table is not None)

    def _show_guesses(self, table: TableRecord | None) -> None:
        guesses = _guesses(table) if table else {}
        for name, box in self.boxes.items():
            with QSignalBlocker(box):
                if box.itemData(0) == "auto":
                    box.setItemText(0, f"{guesses[name]} (found)" if name in guesses else "auto")
                box.setCurrentIndex(max(0, box.findData(self.draft[name])))
        with QSignalBlocker(self.target):
            self.target.clear()
            self.target.addItems([column.name for column in table.columns] if table else [])
            self.target.setCurrentText(table.target if table else "")

    def _show_use(self) -> None:
        in_use = self._is_in_use()
        self.use.setText("In use" if in_use else "Use this table")
        self.use.setEnabled(self.is_usable and not in_use)
        self.rows.setVisible(self.is_usable and not in_use)

    def _is_in_use(self) -> bool:
        return self._used is not None and self._used in (self.draft, self.settings())

    def _color_verdict(self) -> None:
        wrong = self._reply is not None and not self.is_usable
        set_role(self.verdict, "loss" if wrong else "text")

    def _ask_file(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, "Choose a table", self.draft["path"], FILTER)
        if path:
            self.choose(path)

    def _connect(self) -> None:
        self.browse.clicked.connect(self._ask_file)
        self.path.textEdited.connect(self._begin_path)
        self.path.returnPressed.connect(lambda: self.choose(self.path.text()))
        self.path.editingFinished.connect(self._finish_path)
        self.stop.clicked.connect(self._stop)
        for name, box in self.boxes.items():
            box.activated.connect(partial(self._choose_box, name))
        self.target.activated.connect(lambda: self._draft(target=self.target.currentText(), task="auto"))
        self.window.value_changed.connect(lambda value: self._draft(window=value))
        self.horizon.value_changed.connect(lambda value: self._draft(horizon=value))
        for box in (self.window, self.horizon):
            box.refused.connect(lambda value, box=box: self.verdict.setText(f"{value:,} is too many: {forms.explanation(box.field)}."))
        self.cells.without_changed.connect(lambda names: self._draft(without=names))
        self.use.clicked.connect(self._emit_use)

    def _begin_path(self) -> None:
        if self._reply or self._is_reading:
            self._forget_file()
            self._is_forgotten = True

    def _stop(self) -> None:
        self._forget_file()
        self.verdict.setText(f"Reading {self._file_name()} was stopped. Enter in its path reads it again.")

    def _finish_path(self) -> None:
        if self.path.text() != self.draft["path"] or (self._is_forgotten and self.path.text()):
            self.choose(self.path.text())

    def _choose_box(self, name: str, place: int) -> None:
        other_columns = {"target": "", "without": [], "task": "auto"} if name in ("separator", "header") else {}
        self._draft(**other_columns | {name: self.boxes[name].itemData(place)})

    def _lay_out(self) -> None:
        top = QHBoxLayout()
        top.addWidget(self.path, 1)
        top.addWidget(self.browse)
        grid = QGridLayout()
        grid.setHorizontalSpacing(2 * GRID)
        grid.setVerticalSpacing(GRID)
        places = {"target": self.target, **self.boxes, "window": self.window, "horizon": self.horizon}
        labels = {"target": "target", **_CHOICES, "window": "series of", "horizon": "steps ahead"}
        order = ("separator", "decimal", "header", "target", "task", "target_scaling", "window", "horizon", "missing")
        for place, name in enumerate(order):
            grid.addWidget(_caption(labels[name], _FIELDS[name].explanation), place // 2, place % 2 * 2)
            grid.addWidget(places[name], place // 2, place % 2 * 2 + 1)
        grid.setColumnStretch(1, 1)
        grid.setColumnStretch(3, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2 * GRID)
        for part in (top, grid):
            column.addLayout(part)
        column.addWidget(self.cells, 2)
        column.addWidget(self.found)
        column.addWidget(self.rows, 1)
        column.addStretch()

    def _made_footer(self) -> QWidget:
        footer, bottom = QWidget(), QHBoxLayout()
        bottom.addWidget(self.verdict, 1)
        for button in (self.stop, self.use):
            bottom.addWidget(button, 0, Qt.AlignmentFlag.AlignBottom)
        column = QVBoxLayout(footer)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GRID)
        column.addWidget(self.progress)
        column.addLayout(bottom)
        return footer


def _box(name: str) -> QComboBox:
    box = QComboBox(accessibleName=_CHOICES[name], toolTip=_FIELDS[name].explanation)
    for choice in _FIELDS[name].choices:
        box.addItem(choice, choice)
    return box


def _caption(text: str, tip: str) -> QLabel:
    label = QLabel(text, toolTip=tip)
    label.setProperty("role", "muted")
    return label


def _guesses(table: TableRecord) -> dict[str, str]:
    """What was worked out, or is as the person chose."""
    header = "yes" if table.has_header else "no"
    return {"separator": table.separator, "decimal": table.decimal, "header": header, "task": table.task}


def _found(table: TableRecord) -> str:
    """What is said about the file: its size, its encoding, what is missing, and what is not as one would think."""
    return " ".join((_counted(table), *table.remarks[:_MOST_REMARKS]))


def _counted(table: TableRecord) -> str:
    words = sum(column.kind == "words" for column in table.columns)
    one_hot = f", {words} of words (one column for each word)" if words else ""
    size = f"{table.rows:,} rows, {len(table.columns):,} columns{one_hot}; {table.encoding}."
    if not table.missing:
        return f"{size} No value is missing."
    lines = ", ".join(map(str, table.missing_lines)) + (", …" if table.missing_rows > len(table.missing_lines) else "")
    counted = f"{table.missing:,} {'value is' if table.missing == 1 else 'values are'} missing"
    columns = ", ".join(column.name for column in table.columns if column.missing)
    return f"{size} {counted} in {table.missing_rows:,} {'row' if table.missing_rows == 1 else 'rows'} (lines {lines}; columns {columns})."


def _verdict(table: TableRecord | None, window: int | None) -> str:
    if table is None:
        return ""
    goal = f"{table.classes} classes" if table.classes else f"{table.targets} {'number' if table.targets == 1 else 'numbers'}"
    left = table.rows - table.used_rows
    gone = f" ({left:,} rows without a value are left out)" if left and not window else ""
    what = "windows" if window else "rows"
    return f"{table.used_rows:,} {what}{gone} of {table.features:,} numbers → {goal}."

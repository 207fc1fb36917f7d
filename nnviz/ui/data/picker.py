"""The window in which data is chosen: the gallery, the settings of what is chosen, a file or points of one's own, and the scaling.

It shows a document and asks for changes of it; the data feature carries them out.
"""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QFont
from PySide6.QtWidgets import (
    QDialog,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from nnviz.document.catalog import DATASETS
from nnviz.document.experiment import Experiment
from nnviz.records.data_record import DataRecord
from nnviz.records.tensors import to_numpy
from nnviz.ui.data._data_gallery import TILE, DataGallery
from nnviz.ui.data._file_page import FilePage
from nnviz.ui.data._points_page import PointsPage
from nnviz.ui.data._settings_form import SettingsForm
from nnviz.ui.data._spreads import Spreads
from nnviz.ui.data.rows_picture import RowsPicture
from nnviz.ui.theme.colors import GRID, GUTTER, LARGE
from nnviz.ui.theme.fonts import sans

SIZE = (1080, 720)
_RIGHT = 600
_COLUMNS = 210
"""Pixels the columns take at most; more of them scroll."""
MOST_ADOPTED = 500
"""No more rows are copied as points of one's own."""


class DataPicker(QDialog):
    """It stays open beside the window, so that one sees what a change does. Esc closes it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Data")
        self.setAccessibleName("Data")
        self.gallery, self.form, self.spreads = DataGallery(), SettingsForm(), Spreads()
        self.file, self.points, self.rows = FilePage(), PointsPage(), RowsPicture()
        self.name, self.about, self.problem = QLabel(), QLabel(wordWrap=True), QLabel(wordWrap=True)
        self.name.setFont(sans(LARGE, QFont.Weight.DemiBold))
        self.about.setProperty("role", "muted")
        self.problem.setProperty("role", "loss")
        self._own = QStackedWidget()
        self._own.addWidget(self.file)
        self._own.addWidget(self.points)
        self._columns = QScrollArea(widgetResizable=True, frameShape=QFrame.Shape.NoFrame, accessibleName="Columns")
        self._columns.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._columns.setWidget(self.spreads)
        self._scaling = QLabel("SCALING")
        self._scaling.setProperty("role", "head")
        self._scroll = QScrollArea(widgetResizable=True, frameShape=QFrame.Shape.NoFrame, accessibleName="The chosen data")
        self._prepared, self._is_scaled, self._page = "", False, ""
        self._lay_out()
        self.resize(*SIZE)

    def set_experiment(self, experiment: Experiment) -> None:
        """Show this document's choice of data; own data that is being prepared stays in sight until the document has it."""
        kind, settings = experiment.data.kind, experiment.data.settings
        self.gallery.set_chosen(kind)
        self.form.set_experiment(experiment)
        self.file.set_settings(settings if kind == "csv" else None)
        self.points.set_points(*((settings["x"], settings["y"]) if kind == "table" else ([], [])))
        self._prepared = "" if self._prepared == kind else self._prepared
        self._show_page(self._prepared or kind)

    def prepare(self, kind: str) -> None:
        """Show the page on which own data is made, before the document has it: csv · table. Empty ends that."""
        self._prepared = kind
        if kind:
            self._show_page(kind)

    def set_data(self, data: DataRecord | None, scaling: str, problem: str = "") -> None:
        """Show the columns of the rows the run is trained on, or why there are none."""
        self.problem.setText(problem)
        self.rows.set_data(None if problem else data)
        self._is_scaled = data is not None and bool(scaling) and not problem
        self._columns.setFixedHeight(min(_COLUMNS, self.spreads.height_of(len(data.columns))) if self._is_scaled else 0)
        self.spreads.set_columns(data.columns if self._is_scaled else (), scaling)
        self.points.set_adoptable(bool(data and adopted(data)))
        self._show_parts()

    def _show_page(self, name: str) -> None:
        kind = DATASETS[name]
        if name != self._page:
            self._page = name
            self._scroll.verticalScrollBar().setValue(0)
        self.name.setText(kind.label)
        self.about.setText(kind.explanation + (f" · {kind.source}" if kind.source else ""))
        page = {"csv": self.file, "table": self.points}.get(name)
        if page is not None:
            self._own.setCurrentWidget(page)
        self._own.setVisible(page is not None)
        self.rows.setVisible(page is None)
        self.file.footer.setVisible(page is self.file)
        self._show_parts()

    def _show_parts(self) -> None:
        """What is said of the document's data has no place beside data that is not in it yet."""
        self.form.setVisible(not self._prepared)
        self.problem.setVisible(bool(self.problem.text()) and not self._prepared)
        for part in (self._scaling, self._columns):
            part.setVisible(self._is_scaled and not self._prepared)

    def _lay_out(self) -> None:
        right = QWidget()
        right.setMaximumWidth(_RIGHT)
        column = QVBoxLayout(right)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2 * GRID)
        self.form.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        for part in (self.name, self.about, self.rows, self._own, self.form, self.problem, self._scaling, self._columns):
            column.addWidget(part, {self.rows: 2, self._own: 3, self._columns: 1}.get(part, 0))
        row = QHBoxLayout(self)
        row.setContentsMargins(GUTTER, GUTTER, GUTTER, GUTTER)
        row.setSpacing(2 * GUTTER)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.setWidget(right)
        self._scroll.setFixedWidth(_RIGHT + 12)
        self.file.footer.setFixedWidth(_RIGHT + 12)
        beside = QVBoxLayout()
        beside.setSpacing(2 * GRID)
        beside.addWidget(self._scroll, 1)
        beside.addWidget(self.file.footer)
        row.addWidget(self.gallery, 1)
        row.addLayout(beside)
        self.gallery.setMinimumWidth(3 * TILE.width() + 40)
        for button in self.findChildren(QPushButton):
            button.setAutoDefault(False)  # Enter in a field is no click on one of them


def adopted(data: DataRecord) -> tuple[list[list[float]], list[int]] | None:
    """Return rows of two features with classes as points and class numbers, evenly picked where there are many; None for others."""
    x, y = to_numpy(data.x), to_numpy(data.y)
    if not data.classes or data.classes > 9 or x.shape[1:] != (2,):
        return None
    step = -(-len(x) // MOST_ADOPTED)
    return [[round(float(number), 3) for number in row] for row in x[::step]], [int(value) for value in y[::step]]

"""A person's own points: the plane, the colours of the classes, erase and clear. The document keeps the points."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QButtonGroup, QHBoxLayout, QLabel, QPushButton, QToolButton, QVBoxLayout, QWidget

from nnviz.ui.data._plane import Place, PointPlane
from nnviz.ui.theme.colors import GRID, current_theme
from nnviz.ui.theme.painting import painted

CLASSES = 9


class PointsPage(QWidget):
    """Every click is one change that can be undone; a drag is one too."""

    points_requested = Signal(str, list, list, str)
    """What was done, all points, their classes, and the key under which changes of one drag belong together."""
    adopt_requested = Signal()
    """Begin with the rows that are there now."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._places: list[Place] = []
        self._classes: list[int] = []
        self._drags = 0
        self.plane = PointPlane()
        self.swatches = [Swatch(number) for number in range(CLASSES)]
        self.erase = QToolButton(text="erase", checkable=True, toolTip="Let clicks erase", accessibleName="Let clicks erase")
        self.clear = QPushButton("Clear", toolTip="Erase all points", accessibleName="Erase all points")
        self.adopt = QPushButton("Copy the present rows", accessibleName="Copy the present rows")
        self.adopt.setToolTip("Begin with the rows the network sees now")
        self.note = QLabel(wordWrap=True)
        self.note.setProperty("role", "muted")
        self._lay_out()
        self._connect()
        self.set_points([], [])

    def set_points(self, x: Sequence[Sequence[float]], y: Sequence) -> None:
        """Show the points of a typed-in table: two features and class numbers; others cannot be shown in a plane."""
        is_plane = all(len(row) == 2 for row in x) and all(isinstance(value, int) for value in y) and len(x) == len(y)
        self._places, self._classes = ([tuple(row) for row in x], list(y)) if is_plane else ([], [])
        self.plane.set_points(self._places, self._classes)
        self.plane.setEnabled(is_plane)
        counts = [f"{self._classes.count(number)} of class {number}" for number in sorted(set(self._classes))]
        empty = "No points yet: choose a colour, and click or drag in the plane."
        self.note.setText(", ".join(counts) or (empty if is_plane else "These typed-in rows are no points of two features with a class."))
        self.clear.setEnabled(bool(self._places))

    def set_adoptable(self, can_adopt: bool) -> None:
        """Say whether there are rows that can be copied."""
        self.adopt.setEnabled(can_adopt)

    def choose_class(self, number: int) -> None:
        """Let the next points be of this class."""
        self.plane.set_class(number)
        self.swatches[number].setChecked(True)
        self.erase.setChecked(False)

    # --- inside ---

    def _put(self, across: float, up: float, number: int) -> None:
        self._ask("Put points", [*self._places, (across, up)], [*self._classes, number], f"put {self._drags}")

    def _move(self, point: int, across: float, up: float) -> None:
        places = list(self._places)
        places[point] = (across, up)
        self._ask("Move a point", places, self._classes, f"point {point} {self._drags}")

    def _erase(self, point: int) -> None:
        keep = [place for place in range(len(self._places)) if place != point]
        self._ask("Erase a point", [self._places[place] for place in keep], [self._classes[place] for place in keep])

    def _ask(self, label: str, places: list[Place], classes: list[int], merge: str = "") -> None:
        self.points_requested.emit(label, [list(place) for place in places], list(classes), merge)

    def _dropped(self) -> None:
        self._drags += 1

    def _connect(self) -> None:
        self.plane.put_requested.connect(self._put)
        self.plane.move_requested.connect(self._move)
        self.plane.erase_requested.connect(self._erase)
        self.plane.finished.connect(self._dropped)
        self.clear.clicked.connect(lambda: self._ask("Erase all points", [], []))
        self.erase.toggled.connect(self.plane.set_erasing)
        self.adopt.clicked.connect(self.adopt_requested)
        for swatch in self.swatches:
            swatch.clicked.connect(lambda _=False, number=swatch.number: self.choose_class(number))

    def _lay_out(self) -> None:
        group, row, buttons = QButtonGroup(self), QHBoxLayout(), QHBoxLayout()
        row.setSpacing(GRID)
        for swatch in self.swatches:
            group.addButton(swatch)
            row.addWidget(swatch)
        row.addStretch()
        for widget in (self.erase, self.clear):
            row.addWidget(widget)
        buttons.addWidget(self.note, 1)
        buttons.addWidget(self.adopt)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2 * GRID)
        column.addLayout(row)
        column.addWidget(self.plane, 1)
        column.addLayout(buttons)
        self.swatches[0].setChecked(True)

    # --- Qt ---

    def keyPressEvent(self, event: QKeyEvent) -> None:
        number = event.key() - Qt.Key.Key_0
        if 0 <= number < CLASSES and event.modifiers() in (Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.KeypadModifier):
            self.choose_class(number)
        else:
            super().keyPressEvent(event)


class Swatch(QAbstractButton):
    """The colour of a class, with its key."""

    def __init__(self, number: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.number = number
        self.setCheckable(True)
        self.setAccessibleName(f"class {number}")
        self.setToolTip(f"Points of class {number} (key {number})")

    # --- Qt ---

    def sizeHint(self) -> QSize:
        return QSize(26, 26)

    @painted
    def paintEvent(self, event: QPaintEvent) -> None:
        painter, theme = QPainter(self), current_theme()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        color = QColor(theme.classes[self.number % len(theme.classes)])
        painter.setPen(QPen(theme.color("text" if self.isChecked() else "forward" if self.hasFocus() else "panel"), 2))
        painter.setBrush(color)
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(2, 2, -2, -2), 6, 6)
        painter.setPen(theme.color("panel"))
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, str(self.number))
        painter.end()

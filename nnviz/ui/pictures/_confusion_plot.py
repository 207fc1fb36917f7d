"""The confusion matrix with what stands behind it: figures for each class, and the rows of a cell that is clicked."""

from __future__ import annotations

import math

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QFontMetricsF, QKeyEvent, QMouseEvent, QPainter, QPen, QWheelEvent
from PySide6.QtWidgets import QWidget

from nnviz.records.data_record import DataRecord, unscaled
from nnviz.records.run_records import Predictions
from nnviz.records.tensors import to_numpy
from nnviz.session.run import RunState
from nnviz.text import numbers, plot_numbers
from nnviz.ui.pictures._class_figures import USUAL, AnswersOfSet, ClassFigures
from nnviz.ui.pictures._threshold_row import ThresholdRow
from nnviz.ui.pictures.staleness import PALE
from nnviz.ui.theme.colors import Theme, current_theme
from nnviz.ui.widgets.array_picture import image_of
from nnviz.ui.widgets.header_button import choice
from nnviz.ui.widgets.plot import Plot, paint_sentence
from nnviz.ui.widgets.readout import RIGHT, line_height, paint_readout, small_mono, small_sans, text_width, write

_EXPLANATION = (
    "Rows are true classes, columns the class that is answered, in evaluation mode; right on the diagonal. Click a cell (or move there "
    "with the arrow keys) to see its rows, click a row to see it in the other pictures; Esc shows the figures of the classes again.\n\n"
    "Of two classes the slider says from which probability on the second is answered: a low threshold finds more of its rows and more that "
    "are not, recall rises and precision falls. All figures of the panel are those at the threshold; the net stays as it is.\n\n"
    "F is the harmonic mean of precision and recall: F2 counts recall twice as much as precision, F0.5 half as much."
)
_WIDE = 420.0
"""Pixels of width from which on figures or rows stand beside the matrix; below that in its place."""
_MOST_NAMED = 14
_ROW = 2.0
"""Lines a row of the data takes in the list."""
_CENTRE = Qt.AlignmentFlag.AlignHCenter


class ConfusionPlot(Plot):
    """Matrix on the left, figures of the classes or the rows of a cell on the right."""

    row_chosen = Signal(int)
    """A person wants to see this row of the data."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Confusion matrix", _EXPLANATION, "Confusion", parent)
        self.answers: AnswersOfSet | None = None
        self.cell: tuple[int, int] | None = None
        """The (true, answered) classes whose rows are listed."""
        self.first = 0
        """The place of the first row that is listed."""
        self._is_late = False
        self.set = choice("Which rows are counted", {"validation": "validation", "training": "training"}, "validation")
        self.view = choice("What is shown where there is no room for both", {"matrix": "matrix", "figures": "by class"}, "matrix")
        weights = {"0.5": "F0.5", "1": "F1", "2": "F2"}
        self.beta = choice("How many times as much as precision recall counts in F: 0.5, 1 or 2", weights, "1")
        for button in (self.set, self.view, self.beta):
            button.chosen.connect(lambda key: self._list(None))
        self.tools = (self.view, self.beta, self.set)
        self.threshold = ThresholdRow(self)
        """Whoever shows the plot puts it below."""
        self.threshold.changed.connect(lambda: self._list(None))

    def set_run(self, run: RunState) -> None:
        """Show the answers of this run."""
        is_late = run.answers is not None and run.is_late(run.answers_iteration)
        self.offer(run.answers, None if run.is_data_past else run.data, run.answers_iteration, is_late)

    def take(self, answers: Predictions | None = None, data: DataRecord | None = None, iteration: int = 0, is_late: bool = False) -> None:
        self._is_late, former = is_late, self.answers
        self.answers, self.sentence = None, _sentence(answers, data)
        if self.sentence:
            self.cell = None
            self.set.hide()
            self.view.hide()
            self.beta.hide()
            self.threshold.hide()
            self.set_heading("Confusion matrix", "", "Confusion")
            return
        held_out = not to_numpy(data.training).all()
        self.set.setVisible(held_out)
        self.beta.show()
        self.view.setVisible(self.width() < _WIDE)
        self.answers = AnswersOfSet(data, answers, not held_out or self.set.key == "training", self.threshold.value())
        self.threshold.setVisible(data.classes == 2)
        self.threshold.set_name(self.answers.name(1))
        if former is None or former.data is not data:
            self.cell, self.first = None, 0
        self.choice = "training rows" if self.answers.of_training else "validation rows"
        if data.classes == 2 and self.answers.threshold != USUAL:
            self.choice += f", threshold {self.answers.threshold:.2f}"
        self.set_heading("Confusion matrix", plot_numbers.iteration(iteration), "Confusion")

    def paint(self, painter: QPainter, area: QRectF) -> None:
        theme = current_theme()
        self.view.setVisible(area.width() < _WIDE)
        painter.setOpacity(PALE if self._is_late else 1.0)
        left, right = self._rooms(area)
        if left is not None:
            self._paint_matrix(painter, theme, left)
        if right is not None and self.cell is not None:
            self._paint_rows(painter, theme, right)
        elif right is not None:
            paint_figures(painter, theme, right, self.answers.classes, float(self.beta.key))
        painter.setOpacity(1.0)
        if (cell := self._cell_at(self.hovered)) is not None:
            paint_readout(painter, theme, self.hovered, self.values_of(*cell), area)

    def values_of(self, true: int, answered: int) -> list[tuple[str, str]]:
        """Return what the readout says of a cell."""
        matrix, name = self.answers.matrix, self.answers.name
        of = int(matrix[true].sum())
        share = plot_numbers.percent(matrix[true, answered] / of) if of else "–"
        many = f"{matrix[true, answered]:,} of {of:,} ({share})"
        return [("muted", f"true {name(true)}"), ("muted", f"answered {name(answered)}"), ("text", many), ("muted", "click lists them")]

    # --- where things stand ---

    def _rooms(self, area: QRectF) -> tuple[QRectF | None, QRectF | None]:
        """The rooms of the matrix and of what stands beside it; one of them where there is no room for both."""
        if area.width() < _WIDE:
            shows_matrix = self.view.key == "matrix" and self.cell is None
            return (area, None) if shows_matrix else (None, area)
        left = round(min(area.width() * 0.54, max(area.height() * 1.25, area.width() * 0.38, area.width() - 380)))
        return QRectF(area.left(), area.top(), left, area.height()), area.adjusted(left + 14, 0, 0, 0)

    def _frame(self, room: QRectF) -> QRectF:
        """Where the cells stand: right of the names of the classes, above these and the foot."""
        count = len(self.answers.matrix)
        names = max(text_width(self.answers.name(number)) for number in range(count)) if count <= _MOST_NAMED else 0.0
        left = round(min(0.3 * room.width(), names + 8))
        return room.adjusted(left, line_height() + 2, -2, -2 * line_height() - 4)

    def _cell_at(self, point: QPointF | None) -> tuple[int, int] | None:
        room = self._rooms(QRectF(self.rect()))[0] if self.answers and point is not None else None
        frame = self._frame(room) if room is not None else QRectF()
        if not frame.contains(point or QPointF(-1, -1)):
            return None
        count = len(self.answers.matrix)
        place = (int((point.y() - frame.top()) / frame.height() * count), int((point.x() - frame.left()) / frame.width() * count))
        return min(place[0], count - 1), min(place[1], count - 1)

    # --- painting ---

    def _paint_matrix(self, painter: QPainter, theme: Theme, room: QRectF) -> None:
        matrix, frame = self.answers.matrix, self._frame(room)
        count, muted, metrics = len(matrix), theme.color("muted"), QFontMetricsF(small_sans())
        wide, high = frame.width() / count, frame.height() / count
        shares = matrix / np.maximum(matrix.sum(1, keepdims=True), 1)
        for true, answered in np.ndindex(count, count):
            cell = QRectF(frame.left() + answered * wide, frame.top() + true * high, wide, high).adjusted(0.5, 0.5, -0.5, -0.5)
            share, number = float(shares[true, answered]), f"{int(matrix[true, answered]):,}"
            color = "positive" if true == answered else "negative"
            painter.fillRect(cell, theme.tint(color, 0.12 + 0.78 * share) if share else theme.color("field"))
            if share and text_width(number, number=True) + 2 <= wide and high >= line_height() - 3:
                write(painter, cell, number, theme.color("panel" if share > 0.55 else "text"), small_mono(), _CENTRE)
            if (true, answered) == self.cell:
                painter.setPen(QPen(theme.color("text"), 2))
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.drawRect(cell)
        for number in range(count if count <= _MOST_NAMED else 0):
            name = self.answers.name(number)
            if high >= line_height() - 4:
                beside = QRectF(room.left(), frame.top() + number * high, frame.left() - room.left() - 5, high)
                write(painter, beside, metrics.elidedText(name, Qt.TextElideMode.ElideRight, beside.width()), muted, align=RIGHT)
            below = QRectF(frame.left() + number * wide, frame.bottom() + 1, wide, line_height())
            write(painter, below, metrics.elidedText(name, Qt.TextElideMode.ElideRight, wide), muted, align=_CENTRE)
        self._paint_texts(painter, theme, room)

    def _paint_texts(self, painter: QPainter, theme: Theme, room: QRectF) -> None:
        """Over the matrix the share that is right, below it how it is read."""
        matrix, metrics = self.answers.matrix, QFontMetricsF(small_sans())
        total = int(matrix.sum())
        right = plot_numbers.percent(float(np.trace(matrix)) / total) if total else "–"
        head = f"accuracy {right} of {total:,} {self.choice}" + (f" · {self.answers.remark}" if self.answers.remark else "")
        for text, top in ((head, room.top()), ("down: true, across: answered", room.bottom() - line_height())):
            line = QRectF(room.left() + 2, top, room.width() - 4, line_height())
            write(painter, line, metrics.elidedText(text, Qt.TextElideMode.ElideRight, line.width()), theme.color("muted"))

    def _paint_rows(self, painter: QPainter, theme: Theme, room: QRectF) -> None:
        true, answered = self.cell
        places, name = self.answers.of_cell(*self.cell), self.answers.name
        fits = self._fits(room)
        self.first = max(0, min(self.first, len(places) - fits))
        shown = places[self.first : self.first + fits]
        back = "‹ " if room.left() == 0 else ""
        said = f"{back}{name(true)} → {name(answered)}: " + (
            f"rows {self.first + 1}–{self.first + len(shown)} of {len(places)}" if len(shown) < len(places) else f"{len(places)} rows"
        )
        write(painter, QRectF(room.left(), room.top(), room.width(), line_height()), said, theme.color("text"))
        write(painter, QRectF(room.left(), room.top(), room.width() - 2, line_height()), "how sure", theme.color("muted"), align=RIGHT)
        if not len(places):
            paint_sentence(painter, room, theme, "no rows were sent of this cell" if self.answers.matrix[true, answered] else "no rows")
        for place, row in enumerate(shown):
            self._paint_row(painter, theme, self._line(room, place), int(row))

    def _fits(self, room: QRectF) -> int:
        return max(1, int((room.height() - line_height() - 4) / (_ROW * line_height() + 4)))

    def _line(self, room: QRectF, place: int) -> QRectF:
        height = _ROW * line_height() + 4
        return QRectF(room.left(), room.top() + line_height() + 4 + place * height, room.width() - 2, height - 4)

    def _paint_row(self, painter: QPainter, theme: Theme, line: QRectF, place: int) -> None:
        """One row: its picture or its features, its number, and how sure the answer is."""
        data, row = self.answers.data, int(self.answers.rows[place])
        if self.hovered is not None and line.contains(self.hovered):
            painter.fillRect(line.adjusted(-3, -2, 2, 2), theme.color("field"))
        x = to_numpy(data.x)[row : row + 1]
        text = QRectF(line)
        if len(data.shape) == 3:
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, False)
            painter.drawImage(QRectF(line.topLeft(), line.bottomLeft() + QPointF(line.height(), 0)), _image_of_row(data, x, theme))
            text.setLeft(line.left() + line.height() + 8)
        top, bottom = text.adjusted(0, 0, 0, -text.height() / 2), text.adjusted(0, text.height() / 2, 0, 0)
        write(painter, top, f"row {row}", theme.color("text"))
        write(painter, top, plot_numbers.percent(float(self.answers.sure[place])), theme.color("text"), small_mono(), RIGHT)
        said = "" if len(data.shape) == 3 else features_of(data, x[0])
        write(
            painter, bottom, QFontMetricsF(small_sans()).elidedText(said, Qt.TextElideMode.ElideRight, bottom.width()), theme.color("muted")
        )

    # --- what a person does ---

    @property
    def _lists_rows(self) -> bool:
        return self.cell is not None and len(self.answers.of_cell(*self.cell)) > 0

    def _list(self, cell: tuple[int, int] | None) -> None:
        self.cell, self.first = cell, 0
        self.renew()

    def _row_at(self, point: QPointF) -> int | None:
        """The row of the data that stands in the list at a point."""
        room = self._rooms(QRectF(self.rect()))[1]
        if room is None or self.cell is None:
            return None
        places = self.answers.of_cell(*self.cell)[self.first : self.first + self._fits(room)]
        return next((int(self.answers.rows[row]) for place, row in enumerate(places) if self._line(room, place).contains(point)), None)

    # --- Qt ---

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() != Qt.MouseButton.LeftButton or self.answers is None:
            super().mousePressEvent(event)
        elif (cell := self._cell_at(event.position())) is not None:
            self._list(None if cell == self.cell else cell)
        elif (row := self._row_at(event.position())) is not None:
            self.row_chosen.emit(row)
        elif self.cell is not None and event.position().y() <= line_height():
            self._list(None)

    def wheelEvent(self, event: QWheelEvent) -> None:
        room = self._rooms(QRectF(self.rect()))[1] if self.answers else None
        if self.cell is None or room is None or not room.contains(event.position()):
            event.ignore()
            return
        self.first += -1 if event.angleDelta().y() > 0 else 1
        self.update()
        event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        ways = {Qt.Key.Key_Up: (-1, 0), Qt.Key.Key_Down: (1, 0), Qt.Key.Key_Left: (0, -1), Qt.Key.Key_Right: (0, 1)}
        pages = {Qt.Key.Key_PageUp: -1, Qt.Key.Key_PageDown: 1}
        if self.answers is None or event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier:
            super().keyPressEvent(event)
        elif event.key() in ways:
            most = len(self.answers.matrix) - 1
            there = zip(self.cell or (0, 0), ways[event.key()] if self.cell else (0, 0), strict=True)
            self._list(tuple(max(0, min(most, place + way)) for place, way in there))
        elif self.cell is not None and event.key() in pages:
            self.first += pages[event.key()] * self._fits(self._rooms(QRectF(self.rect()))[1])
            self.update()
        elif self._lists_rows and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.row_chosen.emit(int(self.answers.rows[self.answers.of_cell(*self.cell)[self.first]]))
        elif self.cell is not None and event.key() == Qt.Key.Key_Escape:
            self._list(None)
        else:
            super().keyPressEvent(event)


def _sentence(answers: Predictions | None, data: DataRecord | None) -> str:
    if data is not None and not data.classes:
        return "a confusion matrix counts classes, and this data has numbers as targets"
    return "" if answers is not None and data is not None else "the matrix appears with the first answers"


def _image_of_row(data: DataRecord, x: np.ndarray, theme: Theme) -> object:
    return image_of(unscaled(data, x)[0].reshape(data.shape)[0], theme)


def features_of(data: DataRecord, x: np.ndarray) -> str:
    """Return the features of a row by their names, as they were before the scaling."""
    values = unscaled(data, x[None])[0]
    names = data.feature_names or tuple(f"x{place + 1}" for place in range(len(values)))
    return " · ".join(f"{name} {numbers.short(value)}" for name, value in zip(names, values, strict=False))


def paint_figures(painter: QPainter, theme: Theme, room: QRectF, classes: tuple[ClassFigures, ...], beta: float) -> None:
    """Paint a line for each class: precision, recall, F with this β, count; as many as there is room for, then how many more there are."""
    titles = ("precision", "recall", f"F{beta:g}", "rows")
    width = min(66.0, room.width() * 0.19)
    line = line_height() + (4 if (len(classes) + 1) * (line_height() + 4) <= room.height() else 0)
    fits = max(1, int(room.height() / line) - 1)
    shown = classes if len(classes) <= fits else classes[: fits - 1]
    metrics = QFontMetricsF(small_sans())
    for place, figures in enumerate((None, *shown)):
        row = QRectF(room.left(), room.top() + place * line, room.width() - 2, line)
        name = "class" if figures is None else figures.name
        name = metrics.elidedText(name, Qt.TextElideMode.ElideRight, row.width() - 4 * width - 4)
        write(painter, row, name, theme.color("muted" if figures is None else "text"))
        texts = titles if figures is None else (*map(_share, (figures.precision, figures.recall, figures.f(beta))), f"{figures.count:,}")
        for column, text in enumerate(texts):
            right = row.right() - (3 - column) * width
            font, color = (small_sans(), "muted") if figures is None else (small_mono(), "text")
            write(painter, QRectF(right - width, row.top(), width, line), text, theme.color(color), font, RIGHT)
    if len(shown) < len(classes):
        foot = QRectF(room.left(), room.top() + (len(shown) + 1) * line, room.width(), line)
        write(painter, foot, f"… and {len(classes) - len(shown)} more: enlarge the panel", theme.color("muted"))


def _share(value: float) -> str:
    return "–" if math.isnan(value) else plot_numbers.percent(value)

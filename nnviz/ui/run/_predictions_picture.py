"""What the network answers, as pictures: confusion matrix, rows it gets wrong, answer over truth, a series and its forecast."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPen, QPolygonF

from nnviz.records.data_record import DataRecord, unscaled
from nnviz.records.run_records import Predictions
from nnviz.records.tensors import to_numpy
from nnviz.text import plot_numbers
from nnviz.text.numbers import steady
from nnviz.ui.theme.colors import Theme
from nnviz.ui.widgets.array_picture import image_of
from nnviz.ui.widgets.readout import LINE, paint_readout, small_mono, small_sans
from nnviz.ui.widgets.scales import share_of

MOST_STEPS = 240
"""No more time steps of a series are drawn: the last ones."""
_CELL = (92.0, 36.0)
"""Pixels a wrong row takes, at least."""
_MOST_POINTS = 2000
_FEW = 12
"""Up to so many classes the matrix names them and writes its numbers."""


@dataclass(frozen=True, eq=False)
class PredictionText:
    """Answers with the rows they are to."""

    data: DataRecord
    answers: Predictions

    @cached_property
    def rows(self) -> np.ndarray:
        """(rows,) Which rows of the data were answered."""
        return to_numpy(self.answers.rows)

    @cached_property
    def values(self) -> np.ndarray:
        """(rows,) class numbers, or (rows, targets)."""
        return to_numpy(self.answers.values)

    @cached_property
    def truth(self) -> np.ndarray:
        """What the data has for the same rows."""
        return to_numpy(self.data.y)[self.rows]

    @cached_property
    def trained(self) -> np.ndarray:
        """(rows,) Whether a row is trained on."""
        return to_numpy(self.data.training)[self.rows]

    @cached_property
    def wrong(self) -> np.ndarray:
        """Places of the rows that are scored and answered wrong, the surest mistakes first."""
        scored = ~self.trained if (~self.trained).any() else self.trained
        places = np.flatnonzero(scored & (self.values != self.truth))
        return places[np.argsort(-to_numpy(self.answers.sure)[places], kind="stable")]

    def name(self, number: int) -> str:
        """Return what a class is called."""
        return self.data.class_names[number] if number < len(self.data.class_names) else str(number)

    @property
    def summary(self) -> str:
        """The scores in a few words."""
        scores = self.answers.scores
        if "accuracy" in scores:
            named = (("accuracy", "accuracy"), ("precision", "precision"), ("recall", "recall"), ("F1", "f1"))
            return " · ".join(f"{label} {plot_numbers.percent(scores[key])}" for label, key in named)
        return " · ".join(f"{name.upper()} {steady(scores[name])}" for name in ("mse", "mae", "rmse"))

    @property
    def brief(self) -> str:
        """The two scores that say most."""
        scores = self.answers.scores
        if "accuracy" in scores:
            return f"accuracy {plot_numbers.percent(scores['accuracy'])} · F1 {plot_numbers.percent(scores['f1'])}"
        return f"MAE {steady(scores['mae'])} · RMSE {steady(scores['rmse'])}"


Hovered = QPointF | None

# --- classes ---


def paint_confusion(painter: QPainter, area: QRectF, theme: Theme, said: PredictionText, hovered: Hovered = None) -> None:
    """Paint true classes as rows, answered ones as columns: what is right on the diagonal in blue, what is wrong in orange."""
    matrix = to_numpy(said.answers.confusion)
    count = len(matrix)
    names = [said.name(number) for number in range(count)] if count <= _FEW else []
    metrics = QFontMetricsF(small_sans())
    left = min(area.width() * 0.28, max((metrics.horizontalAdvance(name) for name in names), default=0.0) + 8)
    room = _headed(painter, area, theme, said, "row: true, column: answered").adjusted(left, 0, -2, -LINE - 3 if names else -2)
    wide, high = room.width() / count, room.height() / count
    shares = matrix / np.maximum(matrix.sum(1, keepdims=True), 1)
    for true, answered in np.ndindex(count, count):
        cell = QRectF(room.left() + answered * wide, room.top() + true * high, wide, high).adjusted(0.5, 0.5, -0.5, -0.5)
        share, color = float(shares[true, answered]), "positive" if true == answered else "negative"
        painter.fillRect(cell, theme.tint(color, 0.12 + 0.78 * share) if share else theme.color("field"))
        if share and wide > 16 and high > 11:
            _number(painter, cell, theme, int(matrix[true, answered]), share)
    for place, name in enumerate(names):
        label, short = (metrics.elidedText(name, Qt.TextElideMode.ElideRight, width) for width in (left - 6, wide))
        if high > 9:
            _words(painter, QRectF(area.left(), room.top() + place * high, left - 5, high), theme, label, Qt.AlignmentFlag.AlignRight)
        _words(painter, QRectF(room.left() + place * wide, room.bottom() + 1, wide, LINE), theme, short, Qt.AlignmentFlag.AlignHCenter)
    if hovered is not None and room.contains(hovered):
        true, answered = int((hovered.y() - room.top()) / high), int((hovered.x() - room.left()) / wide)
        paint_readout(painter, theme, hovered, _confused(said, matrix, min(true, count - 1), min(answered, count - 1)), room)


def _confused(said: PredictionText, matrix: np.ndarray, true: int, answered: int) -> list[tuple[str, str]]:
    """What the readout says of a cell."""
    of = max(1, int(matrix[true].sum()))
    many = f"{matrix[true, answered]} of {of} ({plot_numbers.percent(matrix[true, answered] / of)})"
    return [("muted", f"true {said.name(true)}"), ("muted", f"answered {said.name(answered)}"), ("text", many)]


def _headed(painter: QPainter, area: QRectF, theme: Theme, said: PredictionText, right: str = "") -> QRectF:
    """Write the scores at the top, and an explanation where there is room; return what is left."""
    metrics = QFontMetricsF(small_sans())
    line = QRectF(area.left() + 2, area.top(), area.width() - 4, LINE)
    summary = said.summary if metrics.horizontalAdvance(said.summary) <= line.width() else said.brief
    _words(painter, line, theme, metrics.elidedText(summary, Qt.TextElideMode.ElideRight, line.width()), Qt.AlignmentFlag.AlignLeft)
    if metrics.horizontalAdvance(said.summary + right) + 24 < line.width():
        _words(painter, line, theme, right, Qt.AlignmentFlag.AlignRight)
    return area.adjusted(0, LINE + 3, 0, 0)


def _number(painter: QPainter, cell: QRectF, theme: Theme, number: int, share: float) -> None:
    painter.setFont(small_mono())
    painter.setPen(theme.color("panel" if share > 0.55 else "text"))
    painter.drawText(cell, Qt.AlignmentFlag.AlignCenter, str(number))


def _words(painter: QPainter, area: QRectF, theme: Theme, text: str, side: Qt.AlignmentFlag) -> None:
    painter.setFont(small_sans())
    painter.setPen(theme.color("muted"))
    painter.drawText(area, side | Qt.AlignmentFlag.AlignVCenter, text)


def paint_mistakes(painter: QPainter, area: QRectF, theme: Theme, said: PredictionText, hovered: Hovered = None) -> None:
    """Paint the rows that are answered wrong, the surest first: their picture or number, what they are and what is answered."""
    area = _headed(painter, area, theme, said, "true → answered")
    columns = max(1, int(area.width() // (_CELL[0] if len(said.data.shape) == 3 else 1.5 * _CELL[0])))
    lines = max(1, int(area.height() // _CELL[1]))
    wide, high = area.width() / columns, _CELL[1]
    pictures = unscaled(said.data, to_numpy(said.data.x)[said.rows[said.wrong]]) if len(said.data.shape) == 3 else None
    for place, row in enumerate(said.wrong[: columns * lines]):
        cell = QRectF(area.left() + place % columns * wide, area.top() + place // columns * high, wide - 4, high - 4)
        text = f"{said.name(int(said.truth[row]))} → {said.name(int(said.values[row]))}"
        if pictures is not None:
            picture = image_of(pictures[place].reshape(said.data.shape)[0], theme)
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, False)
            painter.drawImage(QRectF(cell.left(), cell.top(), cell.height(), cell.height()), picture)
            cell.setLeft(cell.left() + cell.height() + 4)
        else:
            text = f"row {said.rows[row]}: {text}"
        painter.setFont(small_sans())
        painter.setPen(theme.color("text"))
        shown = QFontMetricsF(painter.font()).elidedText(text, Qt.TextElideMode.ElideRight, cell.width())
        painter.drawText(cell.adjusted(0, 0, 0, -cell.height() / 2), Qt.AlignmentFlag.AlignVCenter, shown)
        painter.setPen(theme.color("muted"))
        painter.setFont(small_mono())
        sure = f"{100 * float(to_numpy(said.answers.sure)[row]):.0f} %"
        painter.drawText(cell.adjusted(0, cell.height() / 2, 0, 0), Qt.AlignmentFlag.AlignVCenter, sure)


# --- numbers ---


def paint_truth(painter: QPainter, area: QRectF, theme: Theme, said: PredictionText, hovered: Hovered = None) -> None:
    """Paint every number that is answered over its truth; on the line they are equal."""
    area = _headed(painter, area, theme, said, "blue: trained on, orange: validated on")
    every = -(-said.truth.size // _MOST_POINTS)
    truth, answer = (part.astype(np.float64).ravel()[::every] for part in (said.truth, said.values))
    of_training = np.repeat(said.trained, said.truth.shape[1])[::every]
    low, high = _limits(np.concatenate([truth, answer]))
    frame = area.adjusted(34, 4, -6, -LINE - 4)
    across = frame.left() + share_of(truth, low, high) * frame.width()
    up = frame.bottom() - share_of(answer, low, high) * frame.height()
    painter.setPen(QPen(theme.color("faint"), 1, Qt.PenStyle.DashLine))
    painter.drawLine(frame.bottomLeft(), frame.topRight())
    painter.setPen(Qt.PenStyle.NoPen)
    for x, y, trained in zip(across.tolist(), up.tolist(), of_training, strict=True):
        painter.setBrush(QColor(theme.training_set if trained else theme.validation_set))
        painter.drawEllipse(QPointF(x, y), 2.0, 2.0)
    _ticks(painter, frame, area, theme, low, high)
    _words(painter, QRectF(frame.left(), frame.bottom() + 2, frame.width(), LINE), theme, "truth", Qt.AlignmentFlag.AlignHCenter)


def paint_series(painter: QPainter, area: QRectF, theme: Theme, said: PredictionText, hovered: Hovered = None) -> None:
    """Paint the target over time, and what is answered: in blue where it is trained on, in orange where it is not."""
    area = _headed(painter, area, theme, said, "blue: trained on, orange: validated on")
    order = np.argsort(said.rows, kind="stable")[-MOST_STEPS:]
    truth, answer, trained = said.truth[order, 0], said.values[order, 0], said.trained[order]
    low, high = _limits(np.concatenate([truth, answer]).astype(np.float64))
    frame = area.adjusted(34, 4, -6, -LINE - 4)
    across = np.linspace(frame.left(), frame.right(), len(order))

    def line(values: np.ndarray, chosen: np.ndarray, color: QColor, width: float) -> None:
        up = frame.bottom() - share_of(values[chosen], low, high) * frame.height()
        painter.setPen(QPen(color, width))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPolyline(QPolygonF([QPointF(*spot) for spot in zip(across[chosen].tolist(), up.tolist(), strict=True)]))

    line(truth, np.arange(len(order)), theme.color("faint"), 2.0)
    line(answer, np.flatnonzero(trained), theme.color("training_set"), 1.3)
    line(answer, np.flatnonzero(~trained), theme.color("validation_set"), 1.3)
    _ticks(painter, frame, area, theme, low, high)
    foot = QRectF(frame.left(), frame.bottom() + 2, frame.width(), LINE)
    _words(painter, foot, theme, f"time · {len(order)} steps", Qt.AlignmentFlag.AlignRight)
    if foot.width() > 180:
        _words(painter, foot, theme, "grey: truth", Qt.AlignmentFlag.AlignLeft)
    if hovered is not None and frame.contains(hovered):
        step = int(np.abs(across - hovered.x()).argmin())
        rows = [("muted", f"row {said.rows[order[step]]}"), ("text", f"truth {steady(float(truth[step]))}")]
        paint_readout(painter, theme, hovered, [*rows, ("text", f"answer {steady(float(answer[step]))}")], frame)


def _limits(values: np.ndarray) -> tuple[float, float]:
    finite = values[np.isfinite(values)]
    if not finite.size:
        return -1.0, 1.0
    low, high = float(finite.min()), float(finite.max())
    room = high * 0.05 - low * 0.05 or 1.0
    return max(-sys.float_info.max, low - room), min(sys.float_info.max, high + room)


def _ticks(painter: QPainter, frame: QRectF, area: QRectF, theme: Theme, low: float, high: float) -> None:
    painter.setFont(small_mono())
    painter.setPen(theme.color("muted"))
    zero = ((0.0, frame.bottom() - float(share_of(0.0, low, high)) * frame.height()),) if low < 0 < high else ()
    for value, place in ((high, frame.top()), *zero, (low, frame.bottom())):
        text = plot_numbers.tick(float(f"{value:.2g}"))
        painter.drawText(QRectF(area.left(), place - 7, frame.left() - area.left() - 4, 14), Qt.AlignmentFlag.AlignRight, text)

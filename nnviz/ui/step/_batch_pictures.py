"""What this batch does at a node, as small pictures: where z falls on an activation's curve, histograms. They draw given arrays."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QWidget

from nnviz.operations.recorded_call import RecordedCall
from nnviz.operations.table import recorded, row_of
from nnviz.records.tensors import Measure, Tensor, histogram_of
from nnviz.records.trace_state import TraceState
from nnviz.text import numbers
from nnviz.text.names import letter
from nnviz.ui.theme.colors import SMALL, current_theme
from nnviz.ui.theme.fonts import sans
from nnviz.ui.theme.painting import painted

BINS = 14
FEWEST = 4
"""Fewer numbers than this are no distribution: nothing is drawn."""
MOST_DOTS = 300
_FARTHEST = 8e307
_CAPTION = 20.0
_INSET = 10.0


@dataclass(frozen=True)
class Histogram:
    """Counts in equal bins; exact zeros and non-finite numbers are counted apart."""

    counts: tuple[int, ...]
    low: float
    high: float
    zeros: float
    """Share of exact zeros, 0 to 1."""
    non_finite: int


def histogram(state: TraceState, tensor: Tensor | None) -> Histogram | None:
    """Return the histogram over the whole batch; None for what is not there."""
    if tensor is None:
        return None
    array = state.index.array(tensor)
    if array is None:
        return _measured(tensor.measure) if tensor.measure else None
    flat = np.concatenate([array.real.reshape(-1), array.imag.reshape(-1)]) if array.dtype.kind == "c" else array.reshape(-1).astype(float)
    known = flat[np.isfinite(flat)]
    shown = known[known != 0]
    low, high, counts = histogram_of(shown, BINS)
    zeros = float((known == 0).sum()) / max(1, flat.size)
    return Histogram(counts or (0,) * BINS, low, high, zeros, flat.size - known.size)


def _measured(measure: Measure) -> Histogram:
    return Histogram(measure.histogram, measure.low, measure.high, measure.zeros / max(1, measure.count), measure.non_finite)


def _percent(share: float) -> str:
    """A share that is neither none nor all, never rounded to either."""
    return f"{min(99, max(1, round(100 * share)))} %"


class _Picture(QWidget):
    """A small picture on a quiet ground with a caption under it; `draw` is the picture's own."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.caption = ""
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def set_caption(self, caption: str) -> None:
        """Write this under the picture."""
        self.caption = caption
        self.setToolTip(caption)
        self.setAccessibleDescription(caption)
        self.update()

    def draw(self, painter: QPainter, room: QRectF) -> None:
        raise NotImplementedError

    # --- Qt ---

    def sizeHint(self) -> QSize:
        return QSize(140, 122)

    @painted
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(current_theme().color("field"))
        painter.drawRoundedRect(QRectF(self.rect()), 6, 6)
        self.draw(painter, QRectF(self.rect()).adjusted(_INSET, _INSET, -_INSET, -_CAPTION - 4))
        painter.setFont(sans(SMALL))
        painter.setPen(current_theme().color("muted"))
        room = QRectF(6, self.height() - _CAPTION - 1, self.width() - 12, _CAPTION)
        shown = painter.fontMetrics().elidedText(self.caption, Qt.TextElideMode.ElideRight, int(room.width()))
        painter.drawText(room, int(Qt.AlignmentFlag.AlignCenter), shown)
        painter.end()


class HistogramPicture(_Picture):
    """A histogram in the colour of a phase."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._histogram: Histogram | None = None
        self._tone = "forward"

    def set_histogram(self, found: Histogram | None, name: str, tone: str) -> None:
        """Show a histogram of what is called `name`; None writes that it is not there yet."""
        self._histogram, self._tone = found, tone
        if found is None:
            self.set_caption(f"{name} · not yet")
            return
        if found.zeros == 1:
            self.set_caption(f"{name} · every element is 0")
            return
        zeros = f" · {_percent(found.zeros)} zeros" if found.zeros else ""
        bad = f" · {found.non_finite} NaN/∞" if found.non_finite else ""
        self.set_caption(f"{name}{zeros}{bad}")
        left_out = " (not drawn)" if zeros else ""
        span = f"{numbers.number(found.low)} to {numbers.number(found.high)}"
        self.setToolTip(f"{name}: {span} over the whole batch{zeros}{left_out}{bad}")

    def draw(self, painter: QPainter, room: QRectF) -> None:
        if self._histogram is None or not any(self._histogram.counts):
            painter.setPen(current_theme().color("faint"))
            painter.setFont(sans(SMALL))
            painter.drawText(room, int(Qt.AlignmentFlag.AlignCenter), "not yet" if self._histogram is None else "all are zero")
            return
        counts = self._histogram.counts
        width, highest = room.width() / len(counts), max(counts)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(current_theme().tint(self._tone, 0.75))
        for place, count in enumerate(counts):
            height = room.height() * count / highest
            painter.drawRect(QRectF(room.left() + place * width, room.bottom() - height, max(1.0, width - 1.5), height))
        self._draw_zero(painter, room)

    def _draw_zero(self, painter: QPainter, room: QRectF) -> None:
        low, high = self._histogram.low, self._histogram.high
        painter.setPen(QPen(current_theme().color("faint"), 1))
        painter.drawLine(room.bottomLeft(), room.bottomRight())
        if low < 0 < high:
            x = room.left() + (low / 2) / (low / 2 - high / 2) * room.width()  # high − low may overflow
            painter.drawLine(QPointF(x, room.bottom()), QPointF(x, room.bottom() + 4))


class CurvePicture(_Picture):
    """An activation's curve with this batch's numbers on it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._curve = np.empty((0, 2))
        self._dots = np.empty((0, 2))

    def set_batch(self, call: RecordedCall, z: np.ndarray, a: np.ndarray) -> None:
        """Show the curve of an activation as it was called, and the pairs (z, a) of the batch."""
        pairs = np.column_stack([z.reshape(-1), a.reshape(-1)]).astype(float)
        pairs = pairs[np.isfinite(pairs).all(1)]
        self._dots = pairs[:: max(1, len(pairs) // MOST_DOTS)]
        reach = min(_FARTHEST, max(1.0, float(np.abs(pairs[:, 0]).max()) * 1.1)) if len(pairs) else 3.0
        grid = np.linspace(-reach, reach, 81)
        with np.errstate(over="ignore", invalid="ignore"):
            curve = np.column_stack([grid, row_of(call.node.operation).curve(call, grid)])
        self._curve = curve[np.isfinite(curve).all(1)]
        self.set_caption("where z falls on the curve")
        self.update()

    def draw(self, painter: QPainter, room: QRectF) -> None:
        if not len(self._curve):
            return
        low, half = self._curve.min(0) / 2, np.maximum(self._curve.max(0) / 2 - self._curve.min(0) / 2, 5e-13)
        size, origin = np.array([room.width(), -room.height()]), np.array([room.left(), room.bottom()])
        painter.setPen(QPen(current_theme().color("forward"), 1.8))
        painter.drawPolyline(QPolygonF([QPointF(*point) for point in (self._curve / 2 - low) / half * size + origin]))
        painter.setPen(Qt.PenStyle.NoPen)
        for sign, tone in ((-1, "negative"), (1, "positive")):
            painter.setBrush(current_theme().color(tone, 0.75))
            dots = self._dots[np.sign(self._dots[:, 0] + 0.0) * sign >= (sign < 0)]
            for point in (dots / 2 - low) / half * size + origin:
                painter.drawEllipse(QPointF(*point), 2.3, 2.3)


class BatchPictures(QWidget):
    """The pictures side by side: the curve (or the values) and the gradients."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.curve, self.values, self.gradients = CurvePicture(), HistogramPicture(), HistogramPicture()
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(12)
        for picture in (self.curve, self.values, self.gradients):
            row.addWidget(picture, 1)

    def set_trace_state(self, state: TraceState, node: int) -> bool:
        """Show the whole batch at a node; returns whether there is anything to draw."""
        record = state.index.node(node)
        if math.prod(record.shape) < FEWEST:
            self.hide()
            return False
        self.show()
        pair = self._pair(state, node)
        self.curve.setVisible(pair is not None)
        self.values.setVisible(pair is None)
        if pair is not None:
            self.curve.set_batch(recorded(state, record), *pair)
        else:
            self.values.set_histogram(histogram(state, state.value(node)), letter(record), "forward")
        self.gradients.setVisible(record.gradient is not None)
        self.gradients.set_histogram(histogram(state, state.gradient(node)), f"∂L/∂{letter(record)}", "backward")
        return True

    def _pair(self, state: TraceState, node: int) -> tuple[np.ndarray, np.ndarray] | None:
        record = state.index.node(node)
        if not row_of(record.operation).has_curve or not state.is_made(node) or not record.inputs:
            return None
        z = state.index.array(state.index.node(record.inputs[0]).value)
        a = state.index.array(record.value)
        are_there = z is not None and a is not None and z.shape == a.shape
        return (z, a) if are_there and z.dtype.kind != "c" else None

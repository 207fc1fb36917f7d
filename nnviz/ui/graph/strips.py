"""The rows of coloured cells on a card: what they say (pure), and how they are painted. They decide no colour scale by themselves."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QFont, QFontMetricsF, QPainter, QPen

from nnviz.operations.table import row_of
from nnviz.records.tensors import Measure, Tensor, to_numpy
from nnviz.records.trace_record import NodeRecord
from nnviz.records.trace_state import TraceState
from nnviz.text import numbers
from nnviz.text.names import symbol
from nnviz.text.tokens import written
from nnviz.ui.theme.colors import SMALL, Theme
from nnviz.ui.theme.fonts import drawn_mono as mono
from nnviz.ui.theme.fonts import drawn_sans as sans
from nnviz.ui.widgets.color_scale import robust_limit, shaded

COLORINGS = ("value", "gradient", "contribution", "update")
"""What colours and widths can tell."""
MOST_CELLS = 8
CELL, STEP = 10.0, 12.0
_BETWEEN = "  "
HEIGHT = CELL
LABEL = 44.0
"""Room for what stands at the right of the cells."""
_Flag = Qt.AlignmentFlag


_TONES = {"gradient": "backward", "contribution": "backward", "update": "update"}
"""The colours of what stands beside the cells."""


@dataclass(frozen=True)
class Strip:
    """One row of cells. `values` None: not computed yet, then `count` hollow cells are drawn; count 0: there never is anything."""

    label: str
    count: int
    values: tuple[float, ...] | None = None
    more: bool = False
    crossed: tuple[bool, ...] = ()
    bars: tuple[int, ...] = ()
    """For a tensor that travelled as a measure: the counts of its histogram."""
    kind: str = "value"
    """Which colour scale it is on, one of COLORINGS."""
    words: tuple[str, ...] = ()
    """What stands there instead of cells: a token's number, and the token."""
    beyond: str = ""
    """ "NaN", "∞" or "NaN/∞" if such a number is among those that have no cell."""

    @property
    def bad(self) -> str:
        """ "NaN" or "∞" if such a number is among the values, else empty."""
        if self.values is None or all(map(np.isfinite, self.values)):
            return self.beyond
        return "NaN" if any(map(np.isnan, self.values)) else "∞"


@dataclass(frozen=True)
class Limits:
    """Where the colour scales end, for each of COLORINGS: ±limit is the full colour."""

    value: float
    gradient: float
    contribution: float = 0.0
    update: float = 0.0

    def of(self, kind: str) -> float:
        """Return the limit for a kind of number."""
        return {"value": self.value, "gradient": self.gradient, "contribution": self.contribution, "update": self.update}[kind]


def width(strip: Strip) -> float:
    """Return how wide a strip and its label are at most: "not yet" beside its cells, or a number beside a single one."""
    cells = (strip.count if strip.count > 1 else 3) * STEP
    return (max(cells, QFontMetricsF(_number_font()).horizontalAdvance(_BETWEEN.join(strip.words))) if strip.words else cells) + LABEL


def limits(state: TraceState) -> Limits:
    """Return scales symmetric around 0 for all cards, robust to outliers, from what the chosen row has anywhere in the trace.

    They do not depend on the cursor, so that colours stay as they are while one steps.
    """
    index = state.index
    nodes = [node for node in index.trace.nodes if node.kind != "loss"]
    tensors = {
        "value": [state.row(node.id, node.value) for node in nodes],
        "gradient": [state.row(node.id, node.gradient) for node in nodes],
        "contribution": [state.row(edge.source, edge.contribution) for edge in index.trace.edges],
        "update": [index.change(node) for node in index.updates],
    }
    return Limits(**{kind: _limit(arrays) for kind, arrays in tensors.items()})


def _limit(arrays: Iterable[np.ndarray | None]) -> float:
    flat = [parts(array) for array in arrays if array is not None and array.dtype.kind in "fc"]
    return robust_limit(np.concatenate(flat) if flat else np.empty(0))


def value_strip(state: TraceState, node: NodeRecord, tokens: Sequence[str] = ()) -> Strip:
    """Return the strip of a node's value as it stands now. `tokens`: what the numbers of inputs stand for."""
    tensor = state.value(node.id)
    label = symbol(node) if tensor is not None else "not yet"
    strip = _strip(state, node, tensor, node.value, label, "value")
    strip = _left_out(strip) if node.is_masked and tensor is not None else strip
    return replace(strip, words=words(state, node, tokens)[:MOST_CELLS]) if tokens else strip


def _left_out(strip: Strip) -> Strip:
    """−∞ that only leaves out places of a softmax is no alarm: such cells are crossed out, like what a dropout drops."""
    values = strip.values or ()
    return replace(
        strip,
        values=tuple(0.0 if value == -math.inf else value for value in values),
        crossed=() if strip.bars else tuple(value == -math.inf for value in values),
        beyond="",
    )


def words(state: TraceState, node: NodeRecord, tokens: Sequence[str]) -> tuple[str, ...]:
    """Return the numbers of an input of tokens for the chosen row, each with its token; none for any other node."""
    array = state.row(node.id, node.value) if tokens and _is_given(state, node) else None
    return () if array is None else written(array.reshape(-1), tokens)


def _is_given(state: TraceState, node: NodeRecord) -> bool:
    """Whether it is an input, or one made whole numbers to be looked up."""
    return node.kind == "input" or (row_of(node.operation).casts and state.index.node(node.inputs[0]).kind == "input")


def gradient_strip(state: TraceState, node: NodeRecord) -> Strip:
    """Return the strip of a node's gradient as it stands now; it has no cells if the node never gets one."""
    if node.gradient is None:
        return Strip("no gradient", 0, kind="gradient")
    tensor = state.gradient(node.id)
    arrived, expected = len(state.arrived(node.id)), state.expected(node.id)
    waiting = f"{arrived} of {expected}" if arrived and expected > 1 else "not yet"
    return _strip(state, node, tensor, node.gradient, "∂L" if tensor is not None else waiting, "gradient")


def update_strip(state: TraceState, node: NodeRecord) -> Strip:
    """Return the strip of what the optimizer adds to a parameter, once it has."""
    added = state.index.change(node.id) if state.is_updated(node.id) else None
    if added is None:
        return Strip("not yet", min(math.prod(node.shape), MOST_CELLS), kind="update")
    flat = parts(added)
    return Strip("Δθ", min(flat.size, MOST_CELLS), tuple(map(float, flat[:MOST_CELLS])), flat.size > MOST_CELLS, kind="update")


def contribution_strip(state: TraceState, node: NodeRecord) -> Strip:
    """Return the strip of what an operation's backward step sends to the first of its inputs that gets a gradient."""
    edges = [edge for edge in state.index.in_edges.get(node.id, ()) if edge.contribution is not None]
    if not edges:
        return gradient_strip(state, node)
    source = state.index.node(edges[0].source)
    sent = edges[0].contribution if edges[0] in state.arrived(source.id) else None
    return _strip(state, source, sent, edges[0].contribution, "not yet" if sent is None else f"→ {symbol(source)}", "contribution")


def _strip(state: TraceState, node: NodeRecord, tensor: Tensor | None, shape: Tensor | None, label: str, kind: str) -> Strip:
    size = _size(state, node, shape)
    if tensor is None:
        return Strip(label, min(size, MOST_CELLS), kind=kind)
    array = state.row(node.id, tensor)
    if array is None:
        return _measured(label, state.measure(tensor), kind)
    flat = parts(array)
    shown = tuple(map(float, flat[:MOST_CELLS]))
    label = f"{label} ℂ" if array.dtype.kind == "c" else label
    crossed = _crossed(state, node, len(shown)) if kind == "value" else ()
    return Strip(label, len(shown), shown, flat.size > MOST_CELLS, crossed, kind=kind, beyond=_bad(flat))


def parts(array: np.ndarray) -> np.ndarray:
    """Return the numbers in a row; of complex ones the real and the imaginary part beside each other."""
    return np.column_stack([array.real.reshape(-1), array.imag.reshape(-1)]).reshape(-1) if array.dtype.kind == "c" else array.reshape(-1)


def _bad(flat: np.ndarray) -> str:
    if flat.dtype.kind != "f" or np.isfinite(flat).all():
        return ""
    return "NaN" if np.isnan(flat).any() else "∞"


def _size(state: TraceState, node: NodeRecord, tensor: Tensor | None) -> int:
    if tensor is None:
        return 1
    return math.prod(size for axis, size in enumerate(tensor.shape) if axis != node.batch_axis)


def _measured(label: str, measure: Measure | None, kind: str) -> Strip:
    if measure is None:
        return Strip(label, 0, kind=kind)
    bins, bad = len(measure.histogram), "NaN/∞" if measure.non_finite else ""
    edges = np.linspace(measure.low, measure.high, bins + 1)
    return Strip(label, bins, tuple(map(float, (edges[:-1] + edges[1:]) / 2)), bars=measure.histogram, kind=kind, beyond=bad)


def _crossed(state: TraceState, node: NodeRecord, count: int) -> tuple[bool, ...]:
    """Which of the cells were dropped; for the mean over the batch: those that were dropped in every row."""
    mask = node.dropped
    if mask is None and node.operation == "mul":  # a product with a mask of the same shape
        sources = (state.index.node(source) for source in node.inputs)
        mask = next((source.dropped for source in sources if source.dropped is not None and source.shape == node.shape), None)
    if mask is None:
        return ()
    dropped = to_numpy(mask)
    if node.batch_axis is not None:
        axis = node.batch_axis
        dropped = dropped.all(axis) if state.sample is None else dropped.take(state.sample, axis)
    return tuple(map(bool, dropped.reshape(-1)[:count]))


# --- painting ---------------------------------------------------------------------------------------------------------


def paint(painter: QPainter, theme: Theme, strip: Strip, limit: float, left: float, top: float, right: float) -> None:
    """Paint the strip from `left` with its label ending at `right`."""
    if strip.values is None:
        _paint_hollow(painter, theme, strip, left, top)
    elif strip.bars:
        _paint_bars(painter, theme, strip, limit, left, top)
    elif strip.words:
        _paint_words(painter, theme, strip, left, top, right)
    else:
        _paint_cells(painter, theme, strip, limit, left, top)
    _paint_label(painter, theme, strip, left, top, right)


def _paint_label(painter: QPainter, theme: Theme, strip: Strip, left: float, top: float, right: float) -> None:
    waiting = strip.values is None
    bad = strip.bad
    tone = "loss" if bad else "faint" if waiting else _TONES.get(strip.kind, "muted")
    painter.setPen(theme.color(tone))
    painter.setFont(_label_font())
    room = QRectF(left, top - 4, right - left, CELL + 8)
    painter.drawText(room, int(_Flag.AlignRight | _Flag.AlignVCenter), bad or strip.label)
    if strip.values is not None and len(strip.values) == 1 and not (strip.more or bad or strip.words):
        painter.setPen(theme.color("text"))
        painter.setFont(_number_font())
        painter.drawText(room.adjusted(STEP + 4, 0, 0, 0), int(_Flag.AlignLeft | _Flag.AlignVCenter), numbers.number(strip.values[0]))


def _paint_hollow(painter: QPainter, theme: Theme, strip: Strip, left: float, top: float) -> None:
    painter.setBrush(Qt.BrushStyle.NoBrush)
    pen = QPen(theme.color("faint"), 1, Qt.PenStyle.CustomDashLine)
    pen.setDashPattern([2, 2])
    painter.setPen(pen)
    for place in range(strip.count):
        painter.drawRect(QRectF(left + place * STEP + 0.5, top + 0.5, CELL - 1, CELL - 1))


def _paint_words(painter: QPainter, theme: Theme, strip: Strip, left: float, top: float, right: float) -> None:
    font = _number_font()
    painter.setFont(font)
    painter.setPen(theme.color("text"))
    metrics = QFontMetricsF(font)
    room = QRectF(left, top - 4, right - left - QFontMetricsF(_label_font()).horizontalAdvance(strip.label) - 10, CELL + 8)
    said = _BETWEEN.join(strip.words) + (" …" if strip.more else "")
    painter.drawText(room, int(_Flag.AlignLeft | _Flag.AlignVCenter), metrics.elidedText(said, Qt.TextElideMode.ElideRight, room.width()))


def _paint_cells(painter: QPainter, theme: Theme, strip: Strip, limit: float, left: float, top: float) -> None:
    for place, value in enumerate(strip.values or ()):
        cell = QRectF(left + place * STEP, top, CELL, CELL)
        if not np.isfinite(value):
            _paint_bad(painter, theme, cell)
        elif place < len(strip.crossed) and strip.crossed[place]:
            _paint_crossed(painter, theme, cell)
        else:
            _paint_cell(painter, theme, shaded(value, limit), cell)
    if strip.more:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.color("faint"))
        for dot in range(3):
            painter.drawEllipse(QPointF(left + strip.count * STEP + 1.5 + dot * 3.5, top + CELL / 2), 1, 1)


def _paint_cell(painter: QPainter, theme: Theme, share: float, cell: QRectF) -> None:
    pale = abs(share) < 0.2
    painter.setPen(QPen(theme.color("faint", 0.45), 1) if pale else Qt.PenStyle.NoPen)
    painter.setBrush(theme.diverging(share, 1.0))
    painter.drawRoundedRect(cell.adjusted(0.5, 0.5, -0.5, -0.5) if pale else cell, 1.5, 1.5)


def _paint_bad(painter: QPainter, theme: Theme, cell: QRectF) -> None:
    painter.setPen(QPen(theme.color("loss"), 1))
    painter.setBrush(QBrush(theme.color("loss"), Qt.BrushStyle.BDiagPattern))
    painter.drawRect(cell.adjusted(0.5, 0.5, -0.5, -0.5))


def _paint_crossed(painter: QPainter, theme: Theme, cell: QRectF) -> None:
    painter.setPen(QPen(theme.color("muted"), 1))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    inner = cell.adjusted(0.5, 0.5, -0.5, -0.5)
    painter.drawRect(inner)
    painter.drawLines([QLineF(inner.topLeft(), inner.bottomRight()), QLineF(inner.topRight(), inner.bottomLeft())])


def _paint_bars(painter: QPainter, theme: Theme, strip: Strip, limit: float, left: float, top: float) -> None:
    highest, width = max(strip.bars), (MOST_CELLS * STEP - 2) / len(strip.bars)
    painter.setPen(Qt.PenStyle.NoPen)
    for place, (count, value) in enumerate(zip(strip.bars, strip.values or (), strict=True)):
        height = CELL * count / highest if highest else 0
        painter.setBrush(theme.diverging(shaded(value, limit), 1.0))
        painter.drawRect(QRectF(left + place * width, top + CELL - height, max(width - 1, 1), height))


def _label_font() -> QFont:
    return sans(SMALL)


def _number_font() -> QFont:
    return mono(SMALL)

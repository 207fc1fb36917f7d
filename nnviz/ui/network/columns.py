"""The picture of one layer: neurons or a block, with its texts, badge and ports. It paints what it is given and takes no events."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QFont, QFontMetricsF, QPainter, QPen
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem

from nnviz.document.catalog import LAYERS
from nnviz.document.network import Layer
from nnviz.text.numbers import short
from nnviz.ui.network import badges, blocks, neurons
from nnviz.ui.network.layer_figures import LayerFigures
from nnviz.ui.network.layer_sizes import FACTS, TITLE, LayerSize
from nnviz.ui.theme.colors import BODY, SMALL, current_theme
from nnviz.ui.theme.fonts import drawn_sans as sans
from nnviz.ui.theme.painting import painted

PORT = 5.0
"""Radius of a port."""
_MOST_BOOST = 1.45
_DIMMED = 0.35
_LEGIBLE = 0.25
"""Scale below which no text can be read."""
_CENTER = Qt.AlignmentFlag.AlignCenter


@dataclass(frozen=True)
class ColumnMarks:
    """How a column stands out at the moment."""

    selected: bool = False
    ports: bool = False
    """Whether the ports show."""
    lit: bool = False
    """Whether a link being drawn may end here."""
    unit: int = -1
    """The neuron under the mouse."""
    dim: bool = False
    """Whether it steps back because a link being drawn cannot end here."""


class ColumnItem(QGraphicsItem):
    """One layer. Its position is the middle of its neurons."""

    def __init__(self, layer: Layer, face: LayerSize) -> None:
        super().__init__()
        self.setAcceptedMouseButtons(Qt.MouseButton.NoButton)
        self.setZValue(2)
        self.setFlag(QGraphicsItem.GraphicsItemFlag.ItemUsesExtendedStyleOption)  # to paint only neurons that are exposed
        self.layer = layer
        self.face = face
        self.facts: tuple[str, ...] = ()
        self.labels: tuple[str, ...] = ()
        self.problems: tuple[str, ...] = ()
        self.warnings: tuple[str, ...] = ()
        self.causes: tuple[str, ...] = ()
        """What the doctor found in it."""
        self.note = QRectF()
        self.figures = LayerFigures()
        self.biases: np.ndarray | None = None
        self.marks = ColumnMarks()
        self._limits = (1.0, 1.0)
        self._measure()

    # --- what to show ---

    def set_layer(
        self, layer: Layer, face: LayerSize, facts: tuple[str, ...], problems: tuple[str, ...], warnings: tuple[str, ...] = ()
    ) -> None:
        """Show this layer with this face; `facts` are the lines below it, `problems` and `warnings` sentences."""
        if face != self.face:
            self.prepareGeometryChange()
        self.layer, self.face, self.facts, self.problems, self.warnings = layer, face, facts, problems, warnings
        self._measure()
        self.update()

    def set_note(self, room: QRectF) -> None:
        """Say the problem in this room, in own coordinates; empty for no problem."""
        if room != self.note:
            self.prepareGeometryChange()
            self.note = room
            self._measure()
            self.update()

    def set_figures(self, figures: LayerFigures, biases: np.ndarray | None, labels: tuple[str, ...], limits: tuple[float, float]) -> None:
        """Show these values, coloured on ±limits[0], and these biases, coloured on ±limits[1]."""
        self.figures, self.biases, self.labels, self._limits = figures, biases, labels, limits
        self.update()

    def set_causes(self, causes: tuple[str, ...]) -> None:
        """Mark it, if the doctor found these in it."""
        if causes != self.causes:
            self.causes = causes
            self.update()

    def set_marks(self, marks: ColumnMarks) -> None:
        """Stand out like this."""
        if marks != self.marks:
            self.marks = marks
            self.update()

    @property
    def takes_one(self) -> bool:
        """Whether its kind has exactly one input."""
        return self.layer.kind in LAYERS and LAYERS[self.layer.kind].inputs == (1, 1)

    # --- where things are ---

    def frame(self) -> QRectF:
        """Return the rounded frame that selection and problems are drawn on, in own coordinates."""
        return self._frame

    def _measure(self) -> None:
        """Keep frame and extent: Qt and the mouse ask for them far more often than they change."""
        face, (width, height) = self.face, self.face.body
        side = max(width / 2 + 10, face.text_width / 2 + 2)
        self._frame = QRectF(-side, -height / 2 - TITLE, 2 * side, height + TITLE + face.facts)
        side = _MOST_BOOST * face.half_width + 8
        rect = QRectF(-side, -face.top - 10, 2 * side + face.label_width * 1.6, face.top + face.bottom + 14)
        self._rect = rect.united(self._frame.adjusted(-10, -10, 10, 10)).united(self.note)

    def is_near(self, point: QPointF) -> bool:
        """Return whether a point of the scene is in the room of this layer: asked of every layer whenever the mouse moves."""
        return self._rect.contains(point.x() - self.x(), point.y() - self.y())

    def port(self, side: int) -> QPointF:
        """Return the place of the port: side -1 is the input's at the left, 1 the output's at the right."""
        return QPointF(side * self.frame().width() / 2, 0)

    def labels_left(self) -> float:
        """Return where the texts beside output units begin: outside the frame and its port."""
        return self.frame().right() + PORT + 3

    def unit_at(self, point: QPointF) -> int:
        """Return the neuron under a point in own coordinates, -1 for none."""
        if self.face.style != "neurons":
            return -1
        unit = round(point.y() / self.face.pitch + (self.face.units - 1) / 2)
        if not 0 <= unit < self.face.units:
            return -1
        away = np.hypot(point.x(), point.y() - self.face.unit_y(unit))
        return unit if away <= max(self.face.radius, 11) else -1

    def bias_at(self, point: QPointF) -> int:
        """Return the unit whose bias dot is under a point in own coordinates, -1 for none."""
        if self.biases is None or self.face.style != "neurons":
            return -1
        dots = [neurons.bias_dot(self.face, unit) - point for unit in range(self.face.units)]
        near = [unit for unit, dot in enumerate(dots) if np.hypot(dot.x(), dot.y()) <= 5]
        return near[0] if near else -1

    # --- painting ---

    def _paint_frame(self, painter: QPainter) -> None:
        marks, theme = self.marks, current_theme()
        if not (marks.selected or marks.lit or self.problems):
            return
        name = "loss" if self.problems else ("forward" if marks.lit else "positive")
        painter.setPen(QPen(theme.color(name, 0.9 if marks.selected or self.problems else 0.6), 1.4))
        painter.setBrush(theme.color(name, 0.07))
        painter.drawRoundedRect(self._frame_around(_boost(painter) or 1.0), 8, 8)

    def _frame_around(self, boost: float) -> QRectF:
        """The frame, larger where texts are: so that it runs through none."""
        aside = max(0.0, self.face.text_width * boost / 2 + 3 - self._frame.width() / 2)
        below = min(9.0, max(0.0, 6 + 14 * boost * len(self.facts) - self.face.facts))
        return self._frame.adjusted(-aside, 0, aside, below)

    def _frame_of_badge(self, boost: float) -> QRectF:
        """The frame, with a corner where a badge stands beside the title."""
        title = QFontMetricsF(sans(BODY * (boost or 1.0), QFont.Weight.DemiBold)).horizontalAdvance(self.layer.title)
        right = min(title / 2 + badges.RADIUS + 3, self._rect.right() - badges.RADIUS - 1)
        return self._frame.adjusted(0, TITLE / 2 - 1, max(0.0, right - self._frame.right()), 0)

    def _paint_texts(self, painter: QPainter) -> None:
        theme = current_theme()
        half, boost = self.face.body[1] / 2, _boost(painter)
        if not boost:
            return
        width = max(self.face.text_width * boost, self.frame().width()) + 8
        painter.setPen(theme.phase(self.figures.phase) if self.figures.phase else theme.color("text"))
        _elided(painter, sans(BODY * boost, QFont.Weight.DemiBold), QRectF(-width / 2, -half - TITLE, width, TITLE - 3), self.layer.title)
        painter.setPen(theme.color("muted"))
        for line, text in enumerate(self.facts):
            text = f"{text} · frozen" if self.layer.frozen and not line else text
            text = " · ".join(filter(None, (text, self._range() if line == len(self.facts) - 1 else "")))
            painter.setPen(theme.color("faint" if line else ("clip" if self.warnings else "muted")))
            _elided(painter, sans(SMALL * boost), QRectF(-width / 2, half + 3 + 14 * boost * line, width, FACTS - 3), text)
        painter.setPen(theme.color("muted"))
        painter.setFont(sans(min((SMALL + 0.6) * boost, self.face.pitch * 0.62)))
        for unit, label in enumerate(self.labels):
            at = QRectF(self.labels_left(), self.face.unit_y(unit) - 10, 240, 20)
            painter.drawText(at, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, label)

    def _range(self) -> str:
        """The ends of the scale of its own, if it has one."""
        values, limit = self.figures.values, self.figures.limit
        if values is None or limit is None:
            return ""
        return " … ".join(map(short, blocks.span(values))) if self.figures.is_picture else f"±{short(limit)}"

    def _paint_ports(self, painter: QPainter) -> None:
        painter.setPen(QPen(current_theme().color("forward"), 1.6))
        painter.setBrush(current_theme().color("panel"))
        for side in (-1, 1):
            if side > 0 or self.layer.kind != "input":
                painter.drawEllipse(self.port(side), PORT, PORT)

    # --- Qt ---

    def boundingRect(self) -> QRectF:
        return self._rect

    @painted
    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: object = None) -> None:
        theme = current_theme()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setOpacity(_DIMMED if self.marks.dim else 1.0)
        self._paint_frame(painter)
        if self.face.style == "block":
            blocks.paint_block(painter, theme, self.face, self.figures, self._limits[0])
        else:
            neurons.paint_neurons(painter, theme, self.face, self.figures, self._limits[0], self.marks.unit, option.exposedRect)
            neurons.paint_biases(painter, theme, self.face, self.biases, self._limits[1])
        self._paint_texts(painter)
        if self.problems:
            badges.paint_problem(painter, theme, self.frame(), self.problems[0], self.note)
        elif self.causes:
            badges.paint_mark(painter, theme, self._frame_of_badge(_boost(painter)), "clip")
        elif self.warnings:
            badges.paint_mark(painter, theme, self.frame(), "muted")
        if self.marks.ports:
            self._paint_ports(painter)


def _boost(painter: QPainter) -> float:
    """How much larger texts are painted where the picture is made small, so that they can still be read; 0 where they cannot."""
    scale = QStyleOptionGraphicsItem.levelOfDetailFromTransform(painter.worldTransform())
    return min(_MOST_BOOST, max(1.0, 0.9 / scale)) if scale >= _LEGIBLE else 0.0


def _elided(painter: QPainter, font: QFont, rect: QRectF, text: str) -> None:
    painter.setFont(font)
    text = QFontMetricsF(font).elidedText(text, Qt.TextElideMode.ElideRight, rect.width())
    painter.drawText(rect, _CENTER, text)

"""What figures of the graph and of the network are made of, and how large a figure is laid out for a page."""

from __future__ import annotations

from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QPainter

from nnviz.session.stepping import Stepping
from nnviz.text import names
from nnviz.ui.graph.feature import GraphView
from nnviz.ui.network.network_view import NetworkView
from nnviz.ui.network.overlays import SCALES_HEIGHT, paint_scales
from nnviz.ui.theme.colors import current_theme
from nnviz.ui.widgets.plot_picture import SceneStill
from nnviz.ui.widgets.readout import line_height, small_mono

_PIXELS = 44.5
"""Of a plot on a centimetre of a page: its letters of 11 pixels are 7 points high there."""


def page_pixels(centimetres: float | None) -> int:
    """Return how many pixels wide a plot is laid out for a page; 0 where it stays as it is on the screen."""
    return round(centimetres * _PIXELS) if centimetres else 0


def graph_still(view: GraphView, title: str, stepping: Stepping, age: str) -> SceneStill:
    """Return the whole graph with title, iteration, step and the limits of its colours. `age`: as of names.iteration."""
    right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignBottom

    def paint_caption(painter: QPainter, room: QRect) -> None:
        painter.setFont(small_mono())
        painter.setPen(current_theme().color("muted"))
        painter.drawText(room, right, view.trace_scene.caption)

    return SceneStill(view.scene(), title, _place(stepping, age), (round(line_height()), paint_caption))


def network_still(view: NetworkView, title: str, stepping: Stepping, age: str) -> SceneStill:
    """Return the whole network with title, iteration, step and the scales of its colours. `age`: as of names.iteration."""
    said = _place(stepping, age) if stepping.state else ""

    def paint(painter: QPainter, room: QRect) -> None:
        paint_scales(painter, room, current_theme(), view.figures)

    return SceneStill(view.scene(), title, said, (SCALES_HEIGHT, paint))


def _place(stepping: Stepping, age: str) -> str:
    """Iteration and step, as the graph shows them."""
    if stepping.index is None:
        return ""
    return f"{names.iteration(stepping.index.trace, age)} · step {stepping.cursor} of {stepping.length}"

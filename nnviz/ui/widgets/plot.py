"""What all plots share: freshness, theme, names of layers, heading, hover, the sentence of an empty plot, the context menu.

Abstract: a plot says in `take` what it keeps of what it is offered, and in `paint` how it looks. It never polls and never asks for data.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QShowEvent, QWheelEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from nnviz.ui.theme.colors import BODY, Theme, current_theme
from nnviz.ui.theme.fonts import sans
from nnviz.ui.theme.painting import painted
from nnviz.ui.widgets._zoom import Zoom
from nnviz.ui.widgets.plot_picture import open_menu
from nnviz.ui.widgets.scales import AxisScale
from nnviz.ui.widgets.time_axis import Surroundings, TimeAxis

if TYPE_CHECKING:
    from nnviz.ui.widgets._axes import Axes


_CLOSER = 1.25
"""How much closer one looks with one notch of the wheel."""
_PAN = 40
"""Pixels an arrow key moves what is looked at."""
_PAST = 0.4
"""Share of its colour that is left to a picture of another iteration than that at which the run rests."""


class Plot(QWidget):
    """A picture of a run. It repaints only when a part of the run it depends on is another object, and only while it can be seen."""

    export_requested = Signal(QWidget)
    """Its picture, to be written to a file."""
    iteration_requested = Signal(int)
    """The iteration of a flag that was clicked."""
    iteration_pointed = Signal(object)
    """The iteration under the mouse, of a plot over time; None where there is none any more."""
    heading_changed = Signal(str, str, str)
    """Title, a shorter title for narrow cards, subtitle."""

    def __init__(self, title: str, explanation: str, short: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.heading = (title, short, "")
        self.tools: tuple[QWidget, ...] = ()
        self.sentence = ""
        """What to say instead of a picture; empty while there is a picture."""
        self.hovered: QPointF | None = None
        self.choice = ""
        """What a picture has to say of the choices in the header, as the layer that is shown."""
        self.legend: tuple[tuple[QColor, str], ...] = ()
        """What a picture has to say of colours that the plot itself does not explain."""
        self.least_height = 0
        """Pixels a picture needs for everything to be in it, where something is scrolled on the screen."""
        self.area = QRectF()
        """The room that was painted last, on the screen or in a picture."""
        self.names: Mapping[str, str] = {}
        self.is_past = False
        self.zoom = Zoom()
        self._dragged: QPointF | None = None
        """Where the mouse was last, while it drags what is looked at."""
        self.surroundings = Surroundings()
        self.pointed: float | None = None
        """The iteration that is pointed at in another plot."""
        self._times: tuple[TimeAxis, ...] = ()
        """Where the iterations stand, if it shows any."""
        self._parts: tuple[Any, ...] = ()
        self._stale = False
        self.setAccessibleName(title)
        self.setToolTip(explanation)
        self.setMouseTracking(True)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)  # else what lies below is painted first, with every frame
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.customContextMenuRequested.connect(lambda place: open_menu(self, place))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    @cached_property
    def axes(self) -> Axes:
        """The axes of a plot that has some."""
        from nnviz.ui.widgets._axes import Axes  # imports pyqtgraph, in as much time as the window until its first paint: only when drawn

        return Axes(self)

    def take(self, *parts: Any) -> None:
        """Work out what will be painted from the parts that were offered."""
        raise NotImplementedError

    def paint(self, painter: QPainter, area: QRectF) -> None:
        """Paint what was worked out. Not called while there is a sentence instead."""
        raise NotImplementedError

    def offer(self, *parts: Any) -> None:
        """Take over new parts of a run; does nothing where all are the same objects (or equal numbers) as before."""
        if len(parts) == len(self._parts) and all(map(_same, parts, self._parts)):
            return
        self._parts = parts
        self.renew()

    def renew(self) -> None:
        """Work out and paint everything again, now or when it is next seen."""
        self._stale = True
        if self.isVisible():
            self.catch_up()

    def catch_up(self) -> None:
        """Work out what is not up to date yet."""
        if self._stale:
            self._stale = False
            self.take(*self._parts)
            self.update()

    def set_names(self, names: Mapping[str, str]) -> None:
        """Call layers by these names, layer id to name; others go by their id."""
        if names != self.names:
            self.names = dict(names)
            if self._parts:
                self.renew()

    def set_past(self, is_past: bool) -> None:
        """Say whether what it shows is of another iteration than that at which the run rests: then it is pale."""
        if is_past is not self.is_past:
            self.is_past = is_past
            self.update()

    def set_heading(self, title: str, subtitle: str, short: str = "") -> None:
        """Say what the plot shows, and of which iteration."""
        if (title, short, subtitle) != self.heading:
            self.heading = (title, short, subtitle)
            self.setAccessibleName(title)
            self.setAccessibleDescription(subtitle)
            self.heading_changed.emit(title, short, subtitle)

    def paint_still(self, painter: QPainter, size: QSize) -> None:
        """Paint the whole plot as it stands in a picture of this size, in the theme that is worn now: nothing is under the pointer."""
        hovered, pointed, before = self.hovered, self.pointed, self.size()
        self.hovered = self.pointed = None
        self.resize(size)
        try:
            self.take(*self._parts)
            self._paint_all(painter, QRectF(QPointF(), size))  # a scroll area around it may not have let it become as large
        finally:
            self.hovered, self.pointed = hovered, pointed
            self.resize(before)

    def _paint_all(self, painter: QPainter, area: QRectF) -> None:
        self.area = area
        if self.sentence or not self._parts:
            paint_sentence(painter, area, current_theme(), self.sentence or "no data yet")
        else:
            self._times = ()
            self.paint(painter, area)
            if self.is_past:
                painter.fillRect(area, current_theme().color("panel", 1 - _PAST))

    def set_surroundings(self, around: Surroundings) -> None:
        """Show these flags, where it has an axis of time, and these other branches, if it draws any."""
        if around is not self.surroundings:
            self.surroundings = around
            self.renew()

    def point_at(self, iteration: float | None) -> None:
        """Mark this iteration, as it is pointed at in another plot; None marks none."""
        if iteration != self.pointed:
            self.pointed = iteration
            if self._times:
                self.update()

    def paint_times(self, painter: QPainter, *times: TimeAxis) -> list[tuple[str, str]]:
        """Paint flags and pointer along these axes, on which iterations are pointed at and flags clicked until it is painted again.

        Return what the flags under the pointer say, as lines of a readout.
        """
        self._times = times
        for time in times:
            time.paint(painter, self.surroundings.flags, self.pointed)
        return [line for time in times for line in time.told(self.surroundings.flags, self.hovered)]

    def flag_at(self, place: QPointF) -> int | None:
        """Return the iteration of the flag at a place, of several the last; None where there is none."""
        boxes = [box for time in self._times for box in time.boxes(self.surroundings.flags)]
        return next((iteration for box, iteration in reversed(boxes) if box.contains(place) and not self.sentence), None)

    def _iteration_at(self, place: QPointF | None) -> float | None:
        found = (time.iteration_at(place) for time in self._times if not self.sentence)
        return next((iteration for iteration in found if iteration is not None), None)

    def zoomed(self, frame: QRectF, x: AxisScale, y: AxisScale) -> tuple[AxisScale, AxisScale]:
        """Return the scales of what is looked at. A plot that asks for them is zoomed by the wheel, dragged, reset by a double click."""
        return self.zoom.scales(frame, x, y)

    # --- Qt ---

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.sentence or not self.zoom.contains(event.position()) or not event.angleDelta().y():
            event.ignore()
            return
        self.zoom.at(event.position(), _CLOSER ** (event.angleDelta().y() / 120))
        self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        asked = self.flag_at(event.position())
        if asked is not None and event.button() == Qt.MouseButton.LeftButton:
            self.iteration_requested.emit(asked)
            return
        is_drag = event.button() == Qt.MouseButton.LeftButton and self.zoom.is_on and self.zoom.contains(event.position())
        self._dragged = event.position() if is_drag else None
        event.setAccepted(is_drag)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._dragged is not None:
            self.zoom.move(event.position() - self._dragged)
            self._dragged = event.position()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._dragged = None

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if self.zoom.contains(event.position()):
            self.zoom.reset()
            self.update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        ways = {Qt.Key.Key_Left: (1, 0), Qt.Key.Key_Right: (-1, 0), Qt.Key.Key_Up: (0, 1), Qt.Key.Key_Down: (0, -1)}
        closer = {Qt.Key.Key_Plus: _CLOSER, Qt.Key.Key_Minus: 1 / _CLOSER}
        middle = QPointF(self.rect().center())
        if event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier & ~Qt.KeyboardModifier.ShiftModifier:
            event.ignore()
        elif event.key() in closer and self.zoom.contains(middle):
            self.zoom.at(middle, closer[event.key()])
        elif event.key() in ways and self.zoom.is_on:
            self.zoom.move(QPointF(*ways[event.key()]) * _PAN)
        elif event.key() == Qt.Key.Key_0 and self.zoom.is_on:
            self.zoom.reset()
        else:
            event.ignore()
        self.update()

    def minimumSizeHint(self) -> QSize:
        return QSize(120, 80)

    def showEvent(self, event: QShowEvent) -> None:
        self.catch_up()

    def event(self, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.MouseMove, QEvent.Type.Leave):
            self.hovered = event.position() if isinstance(event, QMouseEvent) else None
            self.iteration_pointed.emit(self._iteration_at(self.hovered))
            self.update()
        if event.type() == QEvent.Type.ToolTip and not self.sentence:
            return True  # the values under the pointer stand there; the explanation is the header's
        return super().event(event)

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.PaletteChange and self._parts:
            self.renew()
        super().changeEvent(event)

    @painted
    def paintEvent(self, event: QPaintEvent) -> None:
        self.catch_up()
        painter = QPainter(self)
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        painter.fillRect(self.rect(), current_theme().color("panel"))
        self._paint_all(painter, QRectF(self.rect()))
        if self.hasFocus():
            painter.setPen(QPen(current_theme().color("forward"), 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 4, 4)
        painter.end()


def _same(new: Any, old: Any) -> bool:
    return new is old or (isinstance(new, int | str) and new == old)


def paint_sentence(painter: QPainter, area: QRectF, theme: Theme, sentence: str) -> None:
    """Paint a muted sentence in the middle of the area."""
    painter.setFont(sans(BODY))
    painter.setPen(theme.color("muted"))
    painter.drawText(area.adjusted(8, 0, -8, 0), int(Qt.AlignmentFlag.AlignCenter) | int(Qt.TextFlag.TextWordWrap), sentence)

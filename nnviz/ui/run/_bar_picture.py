"""How the run bar is painted: one line for each branch, flags, the playhead with its number, round iterations below."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QPainter, QPen, QPolygonF

from nnviz.session.run import RunState
from nnviz.text import plot_numbers
from nnviz.ui.run.bar_places import HANDLE, BarPlaces
from nnviz.ui.run.run_tree import RunTree
from nnviz.ui.theme.colors import SMALL, Theme, current_theme
from nnviz.ui.theme.fonts import mono, sans, scaled
from nnviz.ui.widgets.readout import line_height, small_mono, small_sans, write

_BOLD = QFont.Weight.Bold
_PALE = 0.32
"""How much of its colour a line has where the run has come to before, and does not stand behind."""
_EMPTY = "Every iteration that is made stands here, to go back to."


@dataclass(frozen=True)
class BarPicture:
    """What is painted at one moment. `target`: where the run is to be, if it is not there; `hovered`: the pixel under the mouse."""

    places: BarPlaces
    run: RunState
    target: int | None = None
    obstacle: str = ""
    hovered: float | None = None
    is_focused: bool = False
    cover: str = ""
    """What is said in place of the branches; empty where they are shown."""

    @property
    def tree(self) -> RunTree:
        """The branches."""
        return self.places.tree

    @property
    def theme(self) -> Theme:
        """The colours that are worn now."""
        return current_theme()

    @property
    def _is_empty(self) -> bool:
        """Whether there is nothing yet to go to, or nothing of it is shown."""
        return (
            bool(self.cover) or self.tree.present is None or (len(self.tree.lines) == 1 and not self.places.reached and self.target is None)
        )

    def paint(self, painter: QPainter) -> None:
        """Paint the whole bar."""
        painter.fillRect(QRectF(0, 0, self.places.width, self.places.height), self.theme.color("panel"))
        painter.fillRect(QRectF(0, 0, self.places.width, 1), self.theme.color("line"))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._paint_head(painter)
        if self._is_empty:
            room = QRectF(self.places.left, 1, self.places.width - self.places.left - self.places.side, self.places.height - 1)
            write(painter, room, self.cover or self.obstacle or _EMPTY, self.theme.color("muted"), small_sans())
        else:
            self._paint_run(painter)
        if self.is_focused:
            self._paint_focus(painter)

    def _paint_run(self, painter: QPainter) -> None:
        present, shown = self.tree.present, self.places.shown
        y = self.places.y(present)
        self._stroke(painter, self.theme.color("line"), 3.0, (0, self.places.limit), (y, y))
        self._paint_axis(painter)
        self._paint_hover(painter)
        for place in sorted(shown, key=lambda place: place == present):
            self._paint_line(painter, place)
        self._paint_past(painter)
        for place in shown:
            self._paint_flags(painter, place)
        self._paint_playhead(painter)
        if len(self.tree.lines) > 1:
            self._paint_names(painter)

    def _paint_axis(self, painter: QPainter) -> None:
        """Round iterations in numbers where they do not touch the number at the playhead, and short lines at the ends of epochs."""
        bottom = self.places.height - line_height() - 1
        painter.setPen(QPen(self.theme.color("line"), 1))
        for epoch in self.places.epochs(self.run.iterations_per_epoch):
            x = round(self.places.x(epoch)) + 0.5
            painter.drawLine(QPointF(x, bottom - 1), QPointF(x, bottom + 2))
        shown = self._number_box().adjusted(-6, 0, 6, 0)
        for tick in self.places.ticks():
            x, box = round(self.places.x(tick)) + 0.5, self.places.tick_box(tick)
            painter.setPen(QPen(self.theme.color("faint"), 1))
            painter.drawLine(QPointF(x, bottom - 2), QPointF(x, bottom + 2))
            if not box.intersects(shown):
                write(painter, box, plot_numbers.tick(tick), self.theme.color("muted"), small_mono(), Qt.AlignmentFlag.AlignHCenter)

    def _number_box(self) -> QRectF:
        iteration = self.run.iteration if self.target is None else self.target
        return self.places.tick_box(iteration, f"{iteration:,}")

    def _paint_line(self, painter: QPainter, place: int) -> None:
        """A branch from where it leaves another one to its end: what the present run has made in full colour, what lies ahead pale."""
        line, y, (start, end) = self.tree.lines[place], self.places.y(place), self.places.extent(place)
        stands = self.run.iteration
        share = 1.0 if line.is_present else 0.75
        solid = min(stands, end) if line.is_present else end
        width = 3.0 if line.is_present else 1.6
        color = lambda part: self.theme.branch(line.branch.color, part * (0.5 if self.obstacle else 1.0))  # noqa: E731
        if line.parent is not None and self.places.y(line.parent) != y:
            self._stroke(painter, color(share if solid >= start else _PALE), width, (start, start), (self.places.y(line.parent), y))
        if end > solid:
            self._stroke(painter, color(_PALE), width, (max(start, solid), end), (y, y))
        if solid > start or (line.is_present and solid == start):
            self._stroke(painter, color(share), width, (start, solid), (y, y))

    def _paint_past(self, painter: QPainter) -> None:
        """What the present branch has in common with those it comes from is its own past too: as strong as its line."""
        path, end = self.tree.path(), self.run.iteration
        for place, later in zip(path[1:], path, strict=False):
            line, y = self.tree.lines[place], self.places.y(place)
            until = min(end, self.tree.lines[later].start)
            if until > line.start and not self.obstacle:
                self._stroke(painter, self.theme.branch(line.branch.color), 3.0, (line.start, until), (y, y))

    def _stroke(self, painter: QPainter, color: QColor, width: float, ends: tuple[float, float], heights: tuple[float, float]) -> None:
        painter.setPen(QPen(color, width, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
        painter.drawLine(QPointF(self.places.x(ends[0]), heights[0]), QPointF(self.places.x(ends[1]), heights[1]))

    def _paint_flags(self, painter: QPainter, place: int) -> None:
        line, y = self.tree.lines[place], self.places.y(place)
        size = 1.0 if line.is_present else 0.75
        color = self.theme.branch(line.branch.color, size)
        for flag in self.places.own_flags(place):
            x, top = round(self.places.x(flag.iteration)) + 0.5, y - 9 * size
            painter.setPen(QPen(color, 1))
            painter.drawLine(QPointF(x, top), QPointF(x, y))
            painter.setBrush(color)
            painter.drawPolygon(QPolygonF([QPointF(x, top), QPointF(x + 5 * size, top + 2 * size), QPointF(x, top + 4 * size)]))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for stop in line.stops:
            x, reach = self.places.x(stop.iteration), scaled(3)
            painter.setPen(QPen(self.theme.color("loss"), 1.6))
            for slope in (1, -1):
                painter.drawLine(QPointF(x - reach, y - slope * reach), QPointF(x + reach, y + slope * reach))

    def _paint_names(self, painter: QPainter) -> None:
        for place in self.places.shown:
            line, box = self.tree.lines[place], self.places.name_box(place)
            font = sans(SMALL, _BOLD) if line.is_present else small_sans()
            painter.setFont(font)
            text = painter.fontMetrics().elidedText(line.name, Qt.TextElideMode.ElideRight, max(0, self.places.width - 4 - int(box.left())))
            painter.fillRect(box.adjusted(-1, 3, 2, -3), self.theme.color("panel"))
            write(painter, box.adjusted(0, 0, 40, 0), text, self.theme.branch(line.branch.color), font)

    def _paint_playhead(self, painter: QPainter) -> None:
        """Where the run stands, and the number of the iteration; on its way, where it is going and how far it has come."""
        run, target, present = self.run, self.target, self.tree.lines[self.tree.present]
        color = self.theme.branch(present.branch.color, 0.5 if self.obstacle else 1.0)
        shown = run.iteration if target is None else target
        owner = self.tree.owner(shown)
        y = self.places.y(owner if owner in self.places.shown else self.tree.present)
        if target is not None:
            painter.setPen(QPen(self.theme.color("forward"), 1.5, Qt.PenStyle.DotLine))
            painter.drawLine(QPointF(self.places.x(run.iteration), y), QPointF(self.places.x(target), y))
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(color)
            painter.drawEllipse(QPointF(self.places.x(run.iteration), y), 2.5, 2.5)
            color = self.theme.color("forward")
        spot = QPointF(self.places.x(shown), y)
        painter.setPen(QPen(color, 1))
        painter.drawLine(spot, QPointF(spot.x(), self.places.height - line_height()))
        painter.setPen(QPen(color, 2.2, Qt.PenStyle.DotLine if run.is_made_again else Qt.PenStyle.SolidLine))
        painter.setBrush(self.theme.tint("forward", 0.25) if self.is_focused else self.theme.color("panel"))
        painter.drawEllipse(spot, scaled(HANDLE), scaled(HANDLE))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        tone = self.theme.color("faint" if self.obstacle else "muted" if run.is_made_again or target is not None else "text")
        write(painter, self._number_box(), f"{shown:,}", tone, mono(SMALL, _BOLD), Qt.AlignmentFlag.AlignHCenter)

    def _paint_hover(self, painter: QPainter) -> None:
        if self.hovered is not None and self.places.left <= self.hovered <= self.places.right:
            x = round(self.places.x(self.places.reachable(self.hovered))) + 0.5
            painter.setPen(QPen(self.theme.color("faint"), 1))
            painter.drawLine(QPointF(x, 2), QPointF(x, self.places.height - line_height()))

    def _paint_head(self, painter: QPainter) -> None:
        """The word at the left, and how many branches are out of sight."""
        left, width = self.places.side, self.places.left - self.places.side - 8
        write(painter, QRectF(left, 0, width, 2 * self.places.y(self.places.first)), "RUN", self.theme.color("muted"), sans(SMALL, _BOLD))
        above, below = self.places.first, len(self.tree.lines) - self.places.shown.stop
        said = " ".join(f"{sign}{count}" for sign, count in (("↑", above), ("↓", below)) if count)
        room = QRectF(left, self.places.height - line_height() - 1, width, line_height())
        write(painter, room, said, self.theme.color("muted"), small_mono())

    def _paint_focus(self, painter: QPainter) -> None:
        painter.setPen(QPen(self.theme.color("forward"), 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(QRectF(1.5, 1.5, self.places.width - 3, self.places.height - 3), 4, 4)

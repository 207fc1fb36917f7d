"""The run bar: all iterations of all branches as lines over one time axis, under the window in every workspace. It only asks."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QPoint, QPointF, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import (
    QColor,
    QContextMenuEvent,
    QFont,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPolygonF,
    QResizeEvent,
    QShowEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QLineEdit, QSizePolicy, QToolTip, QWidget

from nnviz.session.run import RunState
from nnviz.text import plot_numbers
from nnviz.ui.run._bar_places import BarPlaces, bar_height, rows_in
from nnviz.ui.run.run_tree import RunTree, reached, told
from nnviz.ui.theme.colors import SMALL, Theme, current_theme
from nnviz.ui.theme.fonts import mono, sans, scaled, tip_of
from nnviz.ui.theme.painting import painted
from nnviz.ui.widgets.readout import line_height, small_mono, small_sans, write

_BOLD = QFont.Weight.Bold
_Key = Qt.Key
_HANDLE = 4.5
_PALE = 0.32
"""How much of its colour a line has where the run has come to before, and does not stand behind."""
_EMPTY = "Every iteration that is made stands here, to go back to."
_TIP = "Click or drag to any iteration, exactly as it was. ← and → move by one, PageUp and PageDown by an epoch, Home and End to the ends."


class RunBar(QWidget):
    """It shows where the run stands at once when it is dragged; `set_run` says where it really is."""

    place_requested = Signal(str, int)
    """The branch, and the iteration to go to."""
    branch_requested = Signal(str)
    """The branch to go to the end of."""
    menu_requested = Signal(str, QPoint)
    """The branch the menu shall be about, and where on the screen."""
    renamed = Signal(str, str)
    """A branch, and what it shall be called."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent, accessibleName="Run", toolTip=tip_of(_TIP))
        self._tree, self._run = RunTree(), RunState()
        self._obstacle = ""
        self._wanted: int | None = None
        """Where the run has been asked to go."""
        self._first = 0
        self._rows = rows_in(0)
        self._turned = 0
        """Of a notch of the wheel."""
        self._hovered: QPointF | None = None
        self.field: QLineEdit | None = None
        """Where a branch gets another name, as long as it is open."""
        self._renaming = ""
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self._fit()

    # --- what is shown ---

    def set_tree(self, tree: RunTree) -> None:
        """Show these branches, the present one among those in sight."""
        self._tree = tree
        self._show_row(tree.present or 0)
        self._fit()
        self._tell()

    def set_run(self, run: RunState, obstacle: str = "") -> None:
        """Show where the present run stands; `obstacle`: why nothing can be trained now, as a sentence."""
        self._run, self._obstacle = run, obstacle
        self._tell()

    def set_wanted(self, iteration: int | None) -> None:
        """Show that the run has been asked to go there; None: it has not."""
        self._wanted = iteration
        self._tell()

    def follow_window(self) -> None:
        """Have as many branches in sight as a window of this height has room for."""
        rows = rows_in(self.window().height())
        if rows != self._rows:
            self._rows = rows
            self._show_row(self._tree.present or 0)
            self._fit()

    def open_field(self, name: str) -> None:
        """Let another name be typed for a branch: Enter takes it, Esc does not."""
        place = next((place for place, line in enumerate(self._tree.lines) if line.name == name), None)
        if place is None:
            return
        self._show_row(place)
        self._renaming = name
        self.field = QLineEdit(
            name, self.window(), accessibleName="New name of the branch", toolTip="Enter takes the new name, Esc leaves it"
        )
        width, height = round(scaled(170)), round(scaled(28))
        left = min(round(self.places().name_box(place).left()) - 6, self.width() - width - 8)
        at = self.mapTo(self.window(), QPoint(left, self.height() - height - 1))
        self.field.setGeometry(at.x(), at.y(), width, height)
        self.field.installEventFilter(self)
        self.field.selectAll()
        self.field.show()
        self.field.setFocus(Qt.FocusReason.OtherFocusReason)

    @property
    def target(self) -> int | None:
        """Where the run is to be; None where it stands there."""
        return self._run.target if self._wanted is None else self._wanted

    def places(self) -> BarPlaces:
        """Return where everything stands now."""
        return BarPlaces(self._tree, reached(self._run), self.width(), self.height(), self._first, self._rows)

    def _show_row(self, place: int) -> None:
        last = max(0, len(self._tree.lines) - self._rows)
        self._first = min(last, max(place - self._rows + 1, min(self._first, place)))

    def _tell(self) -> None:
        present = self._tree.present
        run, branch = self._run, "" if present is None else f", branch {self._tree.lines[present].name} of {len(self._tree.lines)}"
        on = "" if self.target is None else f", on the way to {self.target:,}"
        self.setAccessibleDescription(self._obstacle or f"iteration {run.iteration:,} of {reached(run):,}{on}{branch}")
        self.setToolTip(tip_of(self._obstacle, _TIP))
        self.update()

    def _fit(self) -> None:
        self.setFixedHeight(bar_height(min(self._rows, len(self._tree.lines))))
        self.update()

    # --- painting ---

    def _paint_axis(self, painter: QPainter, theme: Theme, places: BarPlaces) -> None:
        """Round iterations in numbers where they do not touch the number at the playhead, and short lines at the ends of epochs."""
        bottom = self.height() - line_height() - 1
        painter.setPen(QPen(theme.color("line"), 1))
        for epoch in places.epochs(self._run.iterations_per_epoch):
            x = round(places.x(epoch)) + 0.5
            painter.drawLine(QPointF(x, bottom - 1), QPointF(x, bottom + 2))
        painter.setPen(QPen(theme.color("faint"), 1))
        shown = self._number_box(places).adjusted(-6, 0, 6, 0)
        for tick in places.ticks():
            x, box = round(places.x(tick)) + 0.5, places.tick_box(tick)
            painter.setPen(QPen(theme.color("faint"), 1))
            painter.drawLine(QPointF(x, bottom - 2), QPointF(x, bottom + 2))
            if not box.intersects(shown):
                write(painter, box, plot_numbers.tick(tick), theme.color("muted"), small_mono(), Qt.AlignmentFlag.AlignHCenter)

    def _number_box(self, places: BarPlaces) -> QRectF:
        iteration = self._run.iteration if self.target is None else self.target
        return places.tick_box(iteration, f"{iteration:,}")

    def _paint_line(self, painter: QPainter, theme: Theme, places: BarPlaces, place: int) -> None:
        """A branch from where it leaves another one to its end: what the present run has made in full colour, what lies ahead pale."""
        line, y, (start, end) = self._tree.lines[place], places.y(place), places.extent(place)
        stands = self._run.iteration
        share = 1.0 if line.is_present else 0.75
        solid = min(stands, end) if line.is_present else end
        width = 3.0 if line.is_present else 1.6
        color = lambda part: theme.branch(line.branch.color, part * (0.5 if self._obstacle else 1.0))  # noqa: E731
        if line.parent is not None and places.y(line.parent) != y:
            self._stroke(painter, color(share if solid >= start else _PALE), width, (start, start), (places.y(line.parent), y), places)
        if end > solid:
            self._stroke(painter, color(_PALE), width, (max(start, solid), end), (y, y), places)
        if solid > start or (line.is_present and solid == start):
            self._stroke(painter, color(share), width, (start, solid), (y, y), places)

    def _paint_past(self, painter: QPainter, theme: Theme, places: BarPlaces) -> None:
        """What the present branch has in common with those it comes from is its own past too: as strong as its line."""
        path, end = self._tree.path(), self._run.iteration
        for place, later in zip(path[1:], path, strict=False):
            line, y = self._tree.lines[place], places.y(place)
            until = min(end, self._tree.lines[later].start)
            if until > line.start and not self._obstacle:
                self._stroke(painter, theme.branch(line.branch.color), 3.0, (line.start, until), (y, y), places)

    def _stroke(
        self, painter: QPainter, color: QColor, width: float, ends: tuple[int, int], heights: tuple[float, float], places: BarPlaces
    ) -> None:
        painter.setPen(QPen(color, width, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
        painter.drawLine(QPointF(places.x(ends[0]), heights[0]), QPointF(places.x(ends[1]), heights[1]))

    def _paint_flags(self, painter: QPainter, theme: Theme, places: BarPlaces, place: int) -> None:
        line, y = self._tree.lines[place], places.y(place)
        size = 1.0 if line.is_present else 0.75
        color = theme.branch(line.branch.color, size)
        for flag in places.own_flags(place):
            x, top = round(places.x(flag.iteration)) + 0.5, y - scaled(9) * size
            painter.setPen(QPen(color, 1))
            painter.drawLine(QPointF(x, top), QPointF(x, y))
            painter.setBrush(color)
            painter.drawPolygon(QPolygonF([QPointF(x, top), QPointF(x + 5 * size, top + 2 * size), QPointF(x, top + 4 * size)]))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for stop in line.stops:
            x, reach = places.x(stop.iteration), scaled(3)
            painter.setPen(QPen(theme.color("loss"), 1.6))
            for slope in (1, -1):
                painter.drawLine(QPointF(x - reach, y - slope * reach), QPointF(x + reach, y + slope * reach))

    def _paint_names(self, painter: QPainter, theme: Theme, places: BarPlaces) -> None:
        for place in places.shown:
            line, box = self._tree.lines[place], places.name_box(place)
            font = sans(SMALL, _BOLD) if line.is_present else small_sans()
            painter.setFont(font)
            text = painter.fontMetrics().elidedText(line.name, Qt.TextElideMode.ElideRight, max(0, self.width() - 4 - int(box.left())))
            painter.fillRect(box.adjusted(-1, 3, 2, -3), theme.color("panel"))
            write(painter, box.adjusted(0, 0, 40, 0), text, theme.branch(line.branch.color), font)

    def _paint_playhead(self, painter: QPainter, theme: Theme, places: BarPlaces) -> None:
        """Where the run stands, and the number of the iteration; on its way, where it is going and how far it has come."""
        run, target, present = self._run, self.target, self._tree.lines[self._tree.present]
        y = lambda iteration: places.y(self._tree.owner(iteration) or 0)  # noqa: E731
        color = theme.branch(present.branch.color, 0.5 if self._obstacle else 1.0)
        shown = run.iteration if target is None else target
        if target is not None:
            painter.setPen(QPen(theme.color("forward"), 1.5, Qt.PenStyle.DotLine))
            painter.drawLine(QPointF(places.x(run.iteration), y(run.iteration)), QPointF(places.x(target), y(target)))
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(color)
            painter.drawEllipse(QPointF(places.x(run.iteration), y(run.iteration)), 2.5, 2.5)
            color = theme.color("forward")
        spot = QPointF(places.x(shown), y(shown))
        painter.setPen(QPen(color, 1))
        painter.drawLine(spot, QPointF(spot.x(), self.height() - line_height()))
        painter.setPen(QPen(color, 2.2, Qt.PenStyle.DotLine if run.is_made_again else Qt.PenStyle.SolidLine))
        painter.setBrush(theme.tint("forward", 0.25) if self.hasFocus() else theme.color("panel"))
        painter.drawEllipse(spot, scaled(_HANDLE), scaled(_HANDLE))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        tone = theme.color("faint" if self._obstacle else "muted" if run.is_made_again or target is not None else "text")
        write(painter, self._number_box(places), f"{shown:,}", tone, mono(SMALL, _BOLD), Qt.AlignmentFlag.AlignHCenter)

    def _paint_hover(self, painter: QPainter, theme: Theme, places: BarPlaces) -> None:
        if self._hovered is not None and places.left <= self._hovered.x() <= places.right and not self._obstacle:
            x = round(places.x(self._reachable(places, self._hovered.x()))) + 0.5
            painter.setPen(QPen(theme.color("faint"), 1))
            painter.drawLine(QPointF(x, 2), QPointF(x, self.height() - line_height()))

    def _paint_head(self, painter: QPainter, theme: Theme, places: BarPlaces) -> None:
        """The word at the left, and how many branches are out of sight."""
        room = QRectF(14, 0, places.left - 22, 2 * places.y(self._first))
        write(painter, room, "RUN", theme.color("muted"), sans(SMALL, _BOLD))
        above, below = self._first, len(self._tree.lines) - places.shown.stop
        said = " ".join(f"{sign}{count}" for sign, count in (("↑", above), ("↓", below)) if count)
        write(
            painter,
            QRectF(14, self.height() - line_height() - 1, places.left - 22, line_height()),
            said,
            theme.color("muted"),
            small_mono(),
        )

    # --- what a person does ---

    def _reachable(self, places: BarPlaces, x: float) -> int:
        """The iteration at this place that the present run has made; the furthest, where it has not come so far."""
        return min(places.iteration(x), reached(self._run))

    def _press(self, spot: QPointF) -> None:
        places = self.places()
        flags, place = places.flags_at(spot), places.branch_at(spot)
        if flags:
            place, flag = flags[0]
            self._request(place, flag.iteration)
        elif place is not None and places.is_name(place, spot):
            self.branch_requested.emit(self._tree.lines[place].name)
        elif place is not None and not self._tree.is_shared(place, places.iteration(spot.x())):
            start, end = places.extent(place)
            self._request(place, max(start, min(places.iteration(spot.x()), end)))
        else:
            self._request(self._tree.present, self._reachable(places, spot.x()))

    def _request(self, place: int, iteration: int) -> None:
        """Ask for an iteration of a branch: of the present one, where that is the same up to there."""
        if self._tree.is_shared(place, iteration):
            place = self._tree.present
        self.place_requested.emit(self._tree.lines[place].name, iteration)

    def _tip(self, spot: QPointF) -> str:
        """What is said of the place under the mouse."""
        places = self.places()
        if self._obstacle or self._tree.present is None:
            return self.toolTip()
        if flags := places.flags_at(spot):
            return tip_of(*(text for _, flag in flags for text in flag.text.split("\n")))
        place, iteration = places.branch_at(spot), places.iteration(spot.x())
        if place is None or self._tree.is_shared(place, iteration):
            place, iteration = self._tree.present, self._reachable(places, spot.x())
        start, end = places.extent(place)
        line = self._tree.lines[place]
        said = told(line, self._run, min(iteration, end), len(self._tree.lines) == 1)
        return tip_of(*said.split("\n"), *(() if line.is_present else (f"A click goes to {line.name}.",)))

    def _close_field(self) -> None:
        field, self.field = self.field, None
        if field is not None:
            field.hide()
            field.deleteLater()

    def _take_name(self) -> None:
        text, old = self.field.text().strip(), self._renaming
        self._close_field()
        if text and text != old:
            self.renamed.emit(old, text)

    # --- Qt ---

    def sizeHint(self) -> QSize:
        return QSize(600, self.minimumHeight())

    def resizeEvent(self, event: QResizeEvent) -> None:
        self.follow_window()

    def showEvent(self, event: QShowEvent) -> None:
        self.follow_window()

    @painted
    def paintEvent(self, event: QPaintEvent) -> None:
        painter, theme, places = QPainter(self), current_theme(), self.places()
        painter.fillRect(self.rect(), theme.color("panel"))
        painter.fillRect(0, 0, self.width(), 1, theme.color("line"))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._paint_head(painter, theme, places)
        present = self._tree.present
        if present is None or (len(self._tree.lines) == 1 and not reached(self._run) and self.target is None):
            room = QRectF(places.left, 1, self.width() - places.left - 14, self.height() - 1)
            write(painter, room, self._obstacle or _EMPTY, theme.color("muted"), small_sans())
            self._paint_focus(painter, theme)
            painter.end()
            return
        y = places.y(present)
        self._stroke(painter, theme.color("line"), 3.0, (0, places.limit), (y, y), places)
        self._paint_axis(painter, theme, places)
        self._paint_hover(painter, theme, places)
        for place in sorted(places.shown, key=lambda place: place == present):
            self._paint_line(painter, theme, places, place)
        self._paint_past(painter, theme, places)
        for place in places.shown:
            self._paint_flags(painter, theme, places, place)
        self._paint_playhead(painter, theme, places)
        if len(self._tree.lines) > 1:
            self._paint_names(painter, theme, places)
        self._paint_focus(painter, theme)
        painter.end()

    def _paint_focus(self, painter: QPainter, theme: Theme) -> None:
        if self.hasFocus():
            painter.setPen(QPen(theme.color("forward"), 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(1.5, 1.5, -1.5, -1.5), 4, 4)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and self._tree.present is not None:
            self._press(event.position())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._hovered = event.position()
        if event.buttons() & Qt.MouseButton.LeftButton and self._tree.present is not None:
            iteration = self._reachable(self.places(), event.position().x())
            if iteration != (self._run.iteration if self.target is None else self.target):
                self._request(self._tree.present, iteration)
        elif QToolTip.isVisible():
            QToolTip.showText(event.globalPosition().toPoint(), self._tip(event.position()), self)
        self.update()

    def leaveEvent(self, event: QEvent) -> None:
        self._hovered = None
        self.update()

    def wheelEvent(self, event: QWheelEvent) -> None:
        self._turned += event.angleDelta().y()
        notches, self._turned = int(self._turned / 120), self._turned - 120 * int(self._turned / 120)
        self._first = max(0, min(self._first - notches, len(self._tree.lines) - self._rows))
        self.update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        here, epoch = self._run.iteration if self.target is None else self.target, max(1, self._run.iterations_per_epoch)
        end = reached(self._run)
        places = {_Key.Key_Left: here - 1, _Key.Key_Right: here + 1, _Key.Key_Home: 0, _Key.Key_End: end}
        places |= {_Key.Key_PageUp: here - epoch, _Key.Key_PageDown: here + epoch}
        if event.key() not in places or self._tree.present is None or event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier:
            super().keyPressEvent(event)
        elif (iteration := max(0, min(places[event.key()], end))) != here:
            self._request(self._tree.present, iteration)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        if self._tree.present is None:
            return
        place = self.places().branch_at(QPointF(event.pos())) if event.reason() == QContextMenuEvent.Reason.Mouse else None
        self.menu_requested.emit(self._tree.lines[self._tree.present if place is None else place].name, event.globalPos())

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.FontChange:
            self._fit()
        super().changeEvent(event)

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent):
            QToolTip.showText(event.globalPos(), self._tip(QPointF(event.pos())), self)
            return True
        return super().event(event)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.FocusOut:
            QTimer.singleShot(0, self, self._close_field)
        if event.type() != QEvent.Type.KeyPress or event.key() not in (_Key.Key_Return, _Key.Key_Enter, _Key.Key_Escape):
            return False
        self._close_field() if event.key() == _Key.Key_Escape else self._take_name()
        return True

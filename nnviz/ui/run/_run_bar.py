"""The run bar: all iterations of all branches as lines over one time axis, under the window in every workspace. It only asks."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QPoint, QPointF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import (
    QContextMenuEvent,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QShowEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QLineEdit, QSizePolicy, QToolTip, QWidget

from nnviz.session.run import RunState
from nnviz.ui.run._bar_picture import BarPicture
from nnviz.ui.run.bar_places import BarPlaces, bar_height, rows_in
from nnviz.ui.run.run_tree import RunTree, told
from nnviz.ui.theme.fonts import scaled, tip_of
from nnviz.ui.theme.painting import painted

_Key = Qt.Key
_TIP = (
    "Click or drag to any iteration, exactly as it was. ← and → move by one, PageUp and PageDown by an epoch, Home and End to the ends. "
    "↑ and ↓ show other branches where not all are in sight."
)


class RunBar(QWidget):
    """It shows where the run stands at once when it is dragged; `set_run` says where it really is."""

    place_requested = Signal(str, int)
    """The branch, and the iteration to go to."""
    branch_requested = Signal(str)
    """The branch to go to the end of."""
    menu_requested = Signal(str, QPoint)
    """The branch the menu shall be about, and where on the screen."""
    height_changed = Signal()
    iteration_pointed = Signal(object)
    """The iteration under the mouse; None where there is none any more."""
    renamed = Signal(str, str)
    """A branch, and what it shall be called."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent, accessibleName="Run", toolTip=tip_of(_TIP))
        self._tree, self._run = RunTree(), RunState()
        self._obstacle = self._cover = ""
        self._wanted: int | None = None
        """Where the run has been asked to go."""
        self._first = 0
        self._rows = rows_in(0)
        self._turned = 0
        """Of a notch of the wheel."""
        self._hovered: QPointF | None = None
        self._pointed: float | None = None
        """The iteration that is pointed at in a plot."""
        self._dragged = ""
        """The branch that is dragged along; empty for none."""
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

    def cover(self, text: str) -> None:
        """Show this text in place of the branches, which the mouse cannot reach then; show them again for an empty one."""
        if text != self._cover:
            self._cover = text
            self.iteration_pointed.emit(None)
            self._tell()

    def set_wanted(self, iteration: int | None) -> None:
        """Show that the run has been asked to go there; None: it has not."""
        self._wanted = iteration
        self._tell()

    def point_at(self, iteration: float | None) -> None:
        """Mark this iteration, as it is pointed at in a plot; None marks none."""
        if iteration != self._pointed:
            self._pointed = iteration
            self.update()

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
    def is_reachable(self) -> bool:
        """Whether there are branches that the mouse can reach."""
        return self._tree.present is not None and not self._cover

    @property
    def target(self) -> int | None:
        """Where the run is to be; None where it stands there."""
        return self._run.target if self._wanted is None else self._wanted

    def places(self) -> BarPlaces:
        """Return where everything stands now."""
        return BarPlaces(self._tree, self._run.reached, self.width(), self.height(), self._first, self._rows)

    def _show_row(self, place: int) -> None:
        last = max(0, len(self._tree.lines) - self._rows)
        self._first = min(last, max(place - self._rows + 1, min(self._first, place)))

    def _scroll(self, rows: int) -> None:
        self._first = max(0, min(self._first + rows, len(self._tree.lines) - self._rows))
        self.update()

    def _tell(self) -> None:
        present = self._tree.present
        run, branch = self._run, "" if present is None else f", branch {self._tree.lines[present].name} of {len(self._tree.lines)}"
        on = "" if self.target is None else f", on the way to {self.target:,}"
        self.setAccessibleDescription(self._cover or self._obstacle or f"iteration {run.iteration:,} of {run.reached:,}{on}{branch}")
        self.setToolTip(tip_of(self._cover) if self._cover else tip_of(self._obstacle, _TIP))
        self.update()

    def _fit(self) -> None:
        height = bar_height(min(self._rows, len(self._tree.lines)))
        if height != self.minimumHeight():
            self.setFixedHeight(height)
            self.height_changed.emit()
        self.update()

    # --- what a person does ---

    def _press(self, spot: QPointF) -> None:
        places, self._dragged = self.places(), ""
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
            self._request(self._tree.present, places.reachable(spot.x()))

    def _request(self, place: int, iteration: int) -> None:
        """Ask for an iteration of a branch: of the present one, where that is the same up to there."""
        if self._tree.is_shared(place, iteration):
            place = self._tree.present
        self._dragged = self._tree.lines[place].name
        self.place_requested.emit(self._dragged, iteration)

    def _drag(self, x: float) -> None:
        """Ask for the iteration under the mouse, of the branch that was pressed."""
        places = self.places()
        place = next((place for place, line in enumerate(self._tree.lines) if line.name == self._dragged), None)
        if place is None:
            return
        iteration = min(places.iteration(x), places.extent(place)[1])
        is_there = place == self._tree.present and iteration == (self._run.iteration if self.target is None else self.target)
        if not is_there:
            self.place_requested.emit(self._dragged, iteration)

    def _tip(self, spot: QPointF) -> str:
        """What is said of the place under the mouse."""
        places = self.places()
        if self._obstacle or not self.is_reachable:
            return self.toolTip()
        if flags := places.flags_at(spot):
            return tip_of(*(text for _, flag in flags for text in flag.text.split("\n")))
        place, iteration = places.branch_at(spot), places.iteration(spot.x())
        if place is None or self._tree.is_shared(place, iteration):
            place, iteration = self._tree.present, places.reachable(spot.x())
        _, end = places.extent(place)
        line = self._tree.lines[place]
        said = told(line, self._run, min(iteration, end), len(self._tree.lines) == 1)
        return tip_of(*said.split("\n"), *(() if line.is_present else (f"A click goes to {line.name}.",)))

    def _close_field(self) -> None:
        field, self.field = self.field, None
        if field is not None:
            if field.hasFocus():
                self.setFocus(Qt.FocusReason.OtherFocusReason)  # else the first button of the window would have the next key
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
        painter = QPainter(self)
        places, pointed = self.places(), self._hovered and self._hovered.x()
        if pointed is None and self._pointed is not None:
            pointed = places.x(min(self._pointed, places.limit))
        pointed = None if self._obstacle or self._cover else pointed
        BarPicture(places, self._run, self.target, self._obstacle, pointed, self.hasFocus(), self._cover).paint(painter)
        painter.end()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and self.is_reachable:
            self._press(event.position())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._dragged = ""

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._hovered = event.position()
        is_on_line = self.places().left <= event.position().x() <= self.places().right and self.is_reachable
        self.iteration_pointed.emit(float(self.places().reachable(event.position().x())) if is_on_line else None)
        if event.buttons() & Qt.MouseButton.LeftButton and self._dragged:
            self._drag(event.position().x())
        elif QToolTip.isVisible():
            QToolTip.showText(event.globalPosition().toPoint(), self._tip(event.position()), self)
        self.update()

    def leaveEvent(self, event: QEvent) -> None:
        self._hovered = None
        self.iteration_pointed.emit(None)
        self.update()

    def wheelEvent(self, event: QWheelEvent) -> None:
        self._turned += event.angleDelta().y()
        notches, self._turned = int(self._turned / 120), self._turned - 120 * int(self._turned / 120)
        self._scroll(-notches)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        here, epoch = self._run.iteration if self.target is None else self.target, max(1, self._run.iterations_per_epoch)
        end = self._run.reached
        places = {_Key.Key_Left: here - 1, _Key.Key_Right: here + 1, _Key.Key_Home: 0, _Key.Key_End: end}
        places |= {_Key.Key_PageUp: here - epoch, _Key.Key_PageDown: here + epoch}
        if event.key() in (_Key.Key_Up, _Key.Key_Down):
            self._scroll(1 if event.key() == _Key.Key_Down else -1)
        elif event.key() not in places or self._tree.present is None or event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier:
            super().keyPressEvent(event)
        elif (iteration := max(0, min(places[event.key()], end))) != here:
            self._request(self._tree.present, iteration)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        if not self.is_reachable:
            return
        place = self.places().branch_at(QPointF(event.pos())) if event.reason() == QContextMenuEvent.Reason.Mouse else None
        self.menu_requested.emit(self._tree.lines[self._tree.present if place is None else place].name, event.globalPos())

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.FontChange:
            self.follow_window()
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

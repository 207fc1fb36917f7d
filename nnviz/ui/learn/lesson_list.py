"""The lessons as a list, by groups, with how far one is in each. It shows them, and one is chosen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFont, QFontMetrics, QKeyEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QPushButton, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from nnviz.ui.theme.colors import BODY, GRID, LARGE, SMALL, current_theme
from nnviz.ui.theme.fonts import sans, scaled
from nnviz.ui.theme.painting import painted
from nnviz.ui.widgets.boxes import scrolling
from nnviz.ui.widgets.sections import Heading


@dataclass(frozen=True)
class ListedLesson:
    """One row of the list."""

    name: str
    title: str
    summary: str
    minutes: int
    steps: int
    group: str = ""
    place: int | None = None
    """Of the step at which it was left; None if it was never begun."""
    is_done: bool = False

    @property
    def progress(self) -> str:
        """How far one is, in words."""
        if self.place is not None:
            return f"step {self.place + 1} of {self.steps}"
        return "done" if self.is_done else ""


class LessonList(QWidget):
    """All lessons below the headings of their groups, and at the top the one to go on with. Arrow keys move, Enter opens."""

    chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent, accessibleName="Lessons")
        self.rows: list[LessonRow] = []
        self.go_on = QPushButton(accessibleName="Go on with the lesson that was open last")
        self.go_on.setProperty("accent", True)
        self.go_on.clicked.connect(lambda: self.chosen.emit(self._latest))
        self.questions = QPushButton("Interview questions")
        self.questions.setToolTip("An interview in words, or a quiz whose answers are computed (Ctrl+Alt+Q)")
        self._latest = ""
        self._seen: tuple = ()
        self._column = QVBoxLayout()
        body = QWidget(accessibleName="Lessons")
        body.setLayout(self._column)
        self._column.setContentsMargins(0, 0, GRID, 0)
        self._column.setSpacing(GRID)
        self._area: QScrollArea = scrolling(body)
        self._area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2 * GRID)
        column.addWidget(self.go_on)
        column.addWidget(self._area, 1)
        column.addWidget(self.questions)

    def set_lessons(self, lessons: Sequence[ListedLesson], latest: str = "") -> None:
        """Show these, group by group in the order of their first ones; `latest`: the one to go on with, empty for none."""
        if (seen := (tuple(lessons), latest)) == self._seen:
            return
        self._seen = seen
        while item := self._column.takeAt(0):
            if item.widget():
                item.widget().hide()
                item.widget().deleteLater()
        self.rows = []
        for group in dict.fromkeys(lesson.group for lesson in lessons):
            self._column.addWidget(Heading(group or "Lessons", "muted"))
            for lesson in (one for one in lessons if one.group == group):
                row = LessonRow(lesson)
                row.clicked.connect(lambda _=False, name=lesson.name: self.chosen.emit(name))
                self.rows.append(row)
                self._column.addWidget(row)
                row.show()  # at once, so that it can have the keyboard
        self._column.addStretch()
        going = next((one for one in lessons if one.name == latest and one.place is not None), None)
        self._latest = latest
        self.go_on.setVisible(going is not None)
        self.go_on.setText(f"Go on: {going.title}, {going.progress}" if going else "")

    def take_keyboard(self) -> None:
        """Give the keyboard to the lesson to go on with, else to the first one not done."""
        waiting = next((row for row in self.rows if not row.lesson.is_done), next(iter(self.rows), None))
        target = waiting if self.go_on.isHidden() else self.go_on
        if target is not None:
            target.setFocus(Qt.FocusReason.OtherFocusReason)

    # --- Qt ---

    def keyPressEvent(self, event: QKeyEvent) -> None:
        stops: list[QAbstractButton] = [*([] if self.go_on.isHidden() else [self.go_on]), *self.rows, self.questions]
        here = next((place for place, stop in enumerate(stops) if stop.hasFocus()), None)
        if here is None or event.key() not in _WAYS:
            if here is not None and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                stops[here].click()
            else:
                super().keyPressEvent(event)
            return
        target = stops[max(0, min(here + _WAYS[event.key()], len(stops) - 1))]
        target.setFocus(Qt.FocusReason.TabFocusReason)
        if target in self.rows:
            self._area.ensureWidgetVisible(target, 0, 40)


_WAYS = {Qt.Key.Key_Down: 1, Qt.Key.Key_Right: 1, Qt.Key.Key_Up: -1, Qt.Key.Key_Left: -1, Qt.Key.Key_PageDown: 6, Qt.Key.Key_PageUp: -6}


class LessonRow(QAbstractButton):
    """One lesson: its mark of progress, title, minutes, and what one can do afterwards."""

    def __init__(self, lesson: ListedLesson, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.lesson = lesson
        self.setText(lesson.title)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        said = ", ".join(filter(None, (lesson.title, f"{lesson.minutes} minutes", lesson.progress)))
        self.setAccessibleName(f"{said}. {lesson.summary}")
        self.setToolTip(lesson.summary)
        policy = QSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    def _rooms(self, width: int) -> tuple[QRect, QRect, QRect]:
        """Where title, minutes and summary stand."""
        edge, line = round(scaled(10)), round(scaled(19))
        left, right = edge + round(scaled(22)), width - edge
        told = QFontMetrics(sans(SMALL)).horizontalAdvance(self._told()) + 4
        room = right - left
        title = QFontMetrics(_title_font()).boundingRect(QRect(0, 0, max(40, room - told), 400), _WRAPS, self.lesson.title)
        summary = QFontMetrics(sans(SMALL)).boundingRect(QRect(0, 0, max(40, room), 400), _WRAPS, self.lesson.summary)
        top = round(scaled(7))
        first = QRect(left, top, max(40, room - told), max(line, title.height()))
        return first, QRect(right - told, top, told, line), QRect(left, first.bottom() + 2, max(40, room), summary.height())

    def _told(self) -> str:
        return self.lesson.progress if self.lesson.place is not None else f"{self.lesson.minutes} min"

    # --- Qt ---

    def sizeHint(self) -> QSize:
        return QSize(200, self.heightForWidth(max(200, self.width())))

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        return self._rooms(width)[2].bottom() + round(scaled(8))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        event.ignore()  # the list moves from one to the other
        if event.key() == Qt.Key.Key_Space:
            super().keyPressEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.FontChange:
            self.updateGeometry()
        super().changeEvent(event)

    @painted
    def paintEvent(self, event: QPaintEvent) -> None:
        painter, theme = QPainter(self), current_theme()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        active = self.hasFocus() or self.underMouse()
        painter.setPen(QPen(theme.color("forward"), 1) if self.hasFocus() else Qt.PenStyle.NoPen)
        painter.setBrush(theme.color("field") if active else theme.tint("line", 0.18))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 6, 6)
        title, told, summary = self._rooms(self.width())
        self._paint_mark(painter, title)
        painter.setPen(theme.color("text"))
        painter.setFont(_title_font())
        painter.drawText(title, _WRAPS, self.lesson.title)
        painter.setPen(theme.color("muted"))
        painter.setFont(sans(SMALL))
        painter.drawText(told, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, self._told())
        painter.drawText(summary, _WRAPS, self.lesson.summary)
        painter.end()

    def _paint_mark(self, painter: QPainter, title: QRect) -> None:
        """A ring; a slice of it for one that was begun, a tick for one that is done."""
        theme, lesson, size = current_theme(), self.lesson, scaled(13)
        ring = QRectF(scaled(9), title.top() + scaled(3), size, size)
        painter.setBrush(theme.color("forward") if lesson.is_done else Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(theme.color("forward" if lesson.place is not None or lesson.is_done else "faint"), 1.4))
        painter.drawEllipse(ring)
        if lesson.is_done:
            painter.setPen(QPen(theme.color("panel"), 1.8, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
            x, y = ring.left(), ring.top()
            points = [(0.27, 0.53), (0.44, 0.70), (0.74, 0.34)]
            painter.drawPolyline([QPointF(x + size * right, y + size * down) for right, down in points])
        elif lesson.place is not None:
            painter.setBrush(theme.color("forward"))
            painter.setPen(Qt.PenStyle.NoPen)
            painter.drawPie(ring.adjusted(2, 2, -2, -2), 90 * 16, -round(360 * 16 * max(0.08, lesson.place / lesson.steps)))


_WRAPS = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop | Qt.TextFlag.TextWordWrap)


def _title_font() -> QFont:
    return sans((BODY + LARGE) / 2, QFont.Weight.DemiBold)

"""Where the cursor is in the iteration: a slider over all steps, and the rail of phases. They ask for a cursor and never move it."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFontMetricsF, QHelpEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from nnviz.records.trace_state import TraceState
from nnviz.ui.theme.colors import BODY, current_theme
from nnviz.ui.theme.fonts import mono, sans
from nnviz.ui.theme.painting import painted

PHASES = ("batch", "forward", "loss", "backward", "clip", "update")
EXPLANATIONS = {
    "batch": "The rows of this iteration and the parameters are laid out.",
    "forward": "Every operation computes its value from its inputs, from left to right.",
    "loss": "One number says how wrong the outputs are.",
    "backward": "The chain rule, one operation at a time, from the loss back to the parameters.",
    "clip": "Gradients that are too long are shortened before they are used.",
    "update": "The optimizer changes every parameter a little against its gradient.",
}
_TRACK = 8.0
_HANDLE = 7.5
_SIDE = 10.0
_GAP = 8.0
_AROUND = (6.0, 22.0)
"""Least and most room around the word of a pill."""
_BARE, _WIDE_BARE = 10.0, 36.0
"""Narrowest and widest pill without a word."""
_Key = Qt.Key


class StepTimeline(QWidget):
    """A slider over all steps of the iteration, in the colour of the phase the cursor is in."""

    cursor_requested = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state: TraceState | None = None
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAccessibleName("Timeline of the iteration")
        self.setToolTip("Drag to any step of the iteration. ← and → move by one step, Home and End to the ends.")

    def set_trace_state(self, state: TraceState | None) -> None:
        """Show where this state is."""
        self._state = state
        self.setAccessibleDescription(_step_label(state))
        self.update()

    def _request(self, cursor: int) -> None:
        if self._state is None:
            return
        cursor = max(0, min(cursor, self._state.index.length))
        if cursor != self._state.cursor:
            self.cursor_requested.emit(cursor)

    def _track(self) -> QRectF:
        return QRectF(_SIDE, self.height() / 2 - _TRACK / 2, max(1.0, self.width() - 2 * _SIDE), _TRACK)

    def _cursor_at(self, x: float) -> int:
        track = self._track()
        share = max(0.0, min(1.0, (x - track.left()) / track.width()))
        return round(share * self._state.index.length) if self._state else 0

    def handle(self) -> QPointF:
        """Return where the handle's centre is."""
        track = self._track()
        share = self._state.cursor / self._state.index.length if self._state and self._state.index.length else 0.0
        return QPointF(track.left() + share * track.width(), track.center().y())

    # --- Qt ---

    def sizeHint(self) -> QSize:
        return QSize(400, 24)

    @painted
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        theme, track, handle = current_theme(), self._track(), self.handle()
        phase = self._state.phase if self._state else "batch"
        painter.setPen(QPen(theme.color("line"), 1))
        painter.setBrush(theme.color("field"))
        painter.drawRoundedRect(track.adjusted(0.5, 0.5, -0.5, -0.5), 4, 4)
        if self._state:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.tint(phase, 0.42))
            painter.drawRoundedRect(QRectF(track.topLeft(), QPointF(handle.x(), track.bottom())), 4, 4)
            painter.setPen(QPen(theme.phase(phase), 3))
            painter.setBrush(theme.tint(phase, 0.25) if self.hasFocus() else theme.color("panel"))
            painter.drawEllipse(handle, _HANDLE, _HANDLE)
        painter.end()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._request(self._cursor_at(event.position().x()))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._request(self._cursor_at(event.position().x()))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if self._state is None:
            return
        here, end = self._state.cursor, self._state.index.length
        places = {_Key.Key_Left: here - 1, _Key.Key_Right: here + 1, _Key.Key_Home: 0, _Key.Key_End: end}
        places |= {_Key.Key_PageUp: here - 10, _Key.Key_PageDown: here + 10}
        if event.key() in places:
            self._request(places[event.key()])
        else:
            super().keyPressEvent(event)


@dataclass(frozen=True)
class _Pill:
    phase: str
    box: QRectF
    start: int | None
    """The cursor just after the phase's first step; None if the iteration has no such phase."""
    share: float
    """How much of the phase is done, 0 to 1."""


class PhaseRail(QWidget):
    """One pill for each phase of the iteration: done, present, to come. A click asks for the phase's first step."""

    cursor_requested = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state: TraceState | None = None
        self._focused = 0
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Phases of the iteration")

    def set_trace_state(self, state: TraceState | None) -> None:
        """Show where this state is."""
        self._state = state
        self.setAccessibleDescription(f"{state.phase}, {_step_label(state)}" if state else "no trace")
        self.update()

    def pills(self) -> list[_Pill]:
        """Return the pills as they stand now; their widths follow the number of steps, and no text is cut.

        Where there is no room for all words only that of the present phase stands there, if that has room.
        """
        spans = self._state.index.phase_spans if self._state else {}
        cursor = self._state.cursor if self._state else 0
        counts = {phase: spans[phase][1] - spans[phase][0] if phase in spans else 0 for phase in PHASES}
        widths = self._widths(counts)
        pills, x = [], 0.5
        for phase in PHASES:
            first, last = spans.get(phase, (0, 0))
            share = max(0.0, min(1.0, (cursor - first) / (last - first))) if phase in spans else 0.0
            box = QRectF(x, (self.height() - 26) / 2 + 0.5, widths[phase], 25)
            pills.append(_Pill(phase, box, first + 1 if phase in spans else None, share))
            x += widths[phase] + _GAP
        return pills

    def _widths(self, counts: dict[str, int]) -> dict[str, float]:
        metrics = QFontMetricsF(_pill_font())
        words = {phase: metrics.horizontalAdvance(phase) for phase in PHASES}
        room = max(1.0, self.width() - _GAP * len(PHASES))
        around = min(_AROUND[1], (room - sum(words.values())) / len(PHASES))
        least = {phase: word + max(_AROUND[0], around) for phase, word in words.items()}
        if around < _AROUND[0]:
            present = self._state.phase if self._state else PHASES[0]
            word = min(least[present], room - (len(PHASES) - 1) * _BARE)
            others = min(_WIDE_BARE, (room - word) / (len(PHASES) - 1))
            return {phase: word if phase == present else others for phase in PHASES}
        label = QFontMetricsF(mono(BODY)).horizontalAdvance("step 0000 / 0000")
        spare = min(self.width() - label - sum(least.values()) - _GAP * len(PHASES) - 4, 360.0)
        total = sum(counts.values()) or 1
        narrow = min(1.0, (self.width() - _GAP * len(PHASES)) / sum(least.values()))  # with large texts: all can be seen and clicked
        return {phase: narrow * least[phase] + max(0.0, spare) * counts[phase] / total for phase in PHASES}

    def _paint_pill(self, painter: QPainter, pill: _Pill) -> None:
        theme = current_theme()
        tone: QColor = theme.phase(pill.phase) if pill.start else theme.color("faint")
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.color("panel"))
        painter.drawRoundedRect(pill.box, 6, 6)
        present = self._state is not None and self._state.phase == pill.phase and self._state.cursor > 0
        if pill.share > 0:
            painter.save()
            painter.setClipRect(QRectF(pill.box.topLeft(), QPointF(pill.box.left() + pill.box.width() * pill.share, pill.box.bottom())))
            painter.setBrush(theme.tint(pill.phase, 0.32 if present else 0.17))
            painter.drawRoundedRect(pill.box, 6, 6)
            painter.restore()
        painter.setBrush(Qt.BrushStyle.NoBrush)
        style = Qt.PenStyle.SolidLine if pill.start else Qt.PenStyle.DashLine
        focused = self.hasFocus() and PHASES[self._focused] == pill.phase
        painter.setPen(QPen(tone, 2.2 if focused else 1.2, style))
        painter.drawRoundedRect(pill.box, 6, 6)
        if QFontMetricsF(painter.font()).horizontalAdvance(pill.phase) <= pill.box.width():
            painter.drawText(pill.box, int(Qt.AlignmentFlag.AlignCenter), pill.phase)
        if present:
            x = pill.box.left() + pill.box.width() * pill.share
            painter.setPen(QPen(tone, 3, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
            painter.drawLine(QPointF(x, pill.box.top() - 2), QPointF(x, pill.box.bottom() + 2))

    def _label(self, room: float) -> str:
        """Where the cursor is, in figures alone if there is no room for the word."""
        label = _step_label(self._state)
        return label if QFontMetricsF(mono(BODY)).horizontalAdvance(label) <= room else label.removeprefix("step ")

    def _jump(self, pill: _Pill) -> None:
        if pill.start is not None and self._state and self._state.cursor != pill.start:
            self.cursor_requested.emit(pill.start)

    # --- Qt ---

    def sizeHint(self) -> QSize:
        return QSize(640, 30)

    def minimumSizeHint(self) -> QSize:
        return QSize(320, 30)

    @painted
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(_pill_font())
        pills = self.pills()
        for pill in pills:
            self._paint_pill(painter, pill)
        painter.setFont(mono(BODY))
        painter.setPen(current_theme().color("muted"))
        room = QRectF(pills[-1].box.right() + 2 * _GAP, 0, self.width() - pills[-1].box.right() - 2 * _GAP, self.height())
        label = self._label(room.width())
        if painter.fontMetrics().horizontalAdvance(label) <= room.width():  # half a number would be a wrong one
            painter.drawText(room, int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter), label)
        painter.end()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        for pill in self.pills():
            if pill.box.contains(event.position()):
                self._jump(pill)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (_Key.Key_Left, _Key.Key_Right):
            self._focused = max(0, min(len(PHASES) - 1, self._focused + (1 if event.key() == _Key.Key_Right else -1)))
            self.update()
        elif event.key() in (_Key.Key_Return, _Key.Key_Enter, _Key.Key_Space):
            self._jump(self.pills()[self._focused])
        else:
            super().keyPressEvent(event)

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent):
            found = [pill for pill in self.pills() if pill.box.contains(QPointF(event.pos()))]
            QToolTip.showText(event.globalPos(), _explained(found[0]) if found else "", self)
            return True
        return super().event(event)


def _explained(pill: _Pill) -> str:
    return EXPLANATIONS[pill.phase] + ("" if pill.start else " This iteration has no such phase.")


def _pill_font():
    return sans(BODY - 0.5, sans(BODY).Weight.Bold)


def _step_label(state: TraceState | None) -> str:
    """As in "step 31 / 58"."""
    return f"step {state.cursor} / {state.index.length}" if state else "no steps"

"""Presenting: what is talked about, in big letters on the whole screen, with one key for what comes next; then all as it was before."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from PySide6.QtCore import QEvent, QObject, QRect, Qt, QTimer
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QAbstractSpinBox, QApplication, QComboBox, QLabel, QLineEdit, QMainWindow, QPlainTextEdit, QTextEdit, QWidget

from nnviz.session.session import Session
from nnviz.ui.learn.feature import WORKSPACE as LEARN
from nnviz.ui.learn.feature import LearnFeature
from nnviz.ui.shell.layouts import Split, presented
from nnviz.ui.shell.workspaces import WorkspaceArea
from nnviz.ui.step.feature import StepFeature
from nnviz.ui.theme.fonts import scaled, text_size
from nnviz.ui.theme.painting import painted

Key = Qt.Key
NEXT, BACK = {Key.Key_Space, Key.Key_PageDown, Key.Key_Right}, {Key.Key_PageUp, Key.Key_Left, Key.Key_Backspace}
BLANK = {Key.Key_B, Key.Key_Period}
"""Also what the buttons of a clicker send."""
_KEYS = "Space next  ·  ← back  ·  B blank  ·  Esc leave"
_END = "The end of the lesson  ·  ← back  ·  Esc leave"
_STAYS_MS = 8_000
_LINE = 26
"""Height in pixels at 100 % of the line that tells the keys."""
_LARGE, _LARGER, _WIDE = 150, 175, 1800
"""Sizes of texts in percent: the usual one, and that in a window of so many pixels."""
_TYPED = (QLineEdit, QPlainTextEdit, QTextEdit, QAbstractSpinBox, QComboBox)
"""Where keys are typed: of those that lead on only Page Up and Page Down do so there."""
_ALWAYS = {Key.Key_PageUp, Key.Key_PageDown}


class _Before(NamedTuple):
    """How the window was."""

    state: Qt.WindowState
    place: QRect
    size: int
    """Of texts."""
    hidden: tuple[bool, ...]
    """Which of the bars."""


class Presenter(QObject):
    """`bars` are hidden meanwhile; `set_text_size` is given the size of texts in percent."""

    def __init__(
        self,
        window: QMainWindow,
        session: Session,
        area: WorkspaceArea,
        features: tuple[LearnFeature, StepFeature],
        bars: Sequence[QWidget],
        set_text_size: Callable[[int], object],
    ) -> None:
        super().__init__(window)
        self._window, self._session, self._area, self._bars, self._set_text_size = window, session, area, bars, set_text_size
        self._learn, self._steps = features
        self._before: _Before | None = None
        self.line = QLabel(accessibleName="Keys of the presenter mode", alignment=Qt.AlignmentFlag.AlignCenter)
        self.line.setProperty("role", "muted")
        self.line.hide()
        self.blank = _Blank(window)
        self._fading = QTimer(self, singleShot=True, interval=_STAYS_MS)
        self._fading.timeout.connect(self.line.clear)
        self._settling = QTimer(self, singleShot=True, interval=0)
        self._settling.timeout.connect(self._settle)

    @property
    def is_on(self) -> bool:
        """Whether the window is presented now."""
        return self._before is not None

    def enter(self) -> None:
        """Fill the screen with what is talked about."""
        window = self._window
        hidden = tuple(bar.isHidden() for bar in self._bars)
        self._before = _Before(window.windowState(), window.geometry(), text_size(), hidden)
        for bar in self._bars:
            bar.hide()
        self.line.show()
        window.showFullScreen()
        self._set_text_size(max(text_size(), _LARGER if window.width() >= _WIDE else _LARGE))
        self._settle()
        self._learn.page.set_presented(True)
        QApplication.instance().installEventFilter(self)
        self._say(_KEYS)

    def leave(self) -> None:
        """Let the window be as it was; nothing where it is not presented."""
        before, self._before = self._before, None
        if before is None:
            return
        QApplication.instance().removeEventFilter(self)
        self._fading.stop()
        self._settling.stop()
        self.blank.hide()
        self.line.hide()
        for bar, was_hidden in zip(self._bars, before.hidden, strict=True):
            bar.setVisible(not was_hidden)
        self._window.setWindowState(before.state)
        if before.state == Qt.WindowState.WindowNoState:
            self._window.setGeometry(before.place)
        self._set_text_size(before.size)
        self._learn.page.set_presented(False)
        self._area.present(None)

    def follow_size(self) -> None:
        """The window or its texts have another size: there may be more or less room side by side."""
        if self.is_on:
            self._settling.start()

    def _settle(self) -> None:
        self.line.setFixedHeight(round(scaled(_LINE)))
        self._area.present(self._panels)

    def _panels(self) -> Split:
        state, area = self._session.lessons.state, self._area
        asked = state.step.ask.kind if state is not None and state.step.ask else ""
        return presented(area.name, area.shown_panels(), asked, area.width(), scaled(1))

    def _say(self, text: str) -> None:
        self.line.setText(text)
        self._fading.start()

    # --- what the keys do ---

    @property
    def _is_lesson(self) -> bool:
        return self._area.name == LEARN and self._learn.is_open

    def go_on(self) -> None:
        """In a lesson the text that follows, the answer, or the next step; else one step forward. A blank screen shows again first."""
        learn, page = self._learn, self._learn.page
        if self.blank.isVisible():
            self.blank.hide()
        elif not self._is_lesson:
            self._step(+1)
        elif self._session.lessons.is_setting_up:
            return
        elif page.has_more_below:
            page.scroll_on()
        elif learn.is_asked:
            learn.give_up()
        elif self._session.lessons.state.is_last:
            self._say(_END)
        else:
            learn.go_on()

    def go_back(self) -> None:
        """The step before, of the lesson or of the iteration."""
        if self.blank.isVisible():
            self.blank.hide()
        elif self._is_lesson:
            self._learn.go_back()
        else:
            self._step(-1)

    def turn_blank(self) -> None:
        """Let nothing be seen, or everything again."""
        self.blank.setVisible(not self.blank.isVisible())

    def _step(self, direction: int) -> None:
        """Where the graph cannot be seen, a whole iteration."""
        training, run = self._session.training, self._session.run
        if not training.can_train or run.training or training.is_moving:
            return
        if "graph" in self._area.visible_panels():
            self._steps.step(direction)
        elif direction > 0:
            training.iterations(1)
        elif run.iteration > 0:
            training.go_to(run.iteration - 1)

    def _does(self, watched: QObject, event: QKeyEvent) -> Callable[[], object] | None:
        """What a key does that reaches a widget; None where it means what it always does."""
        if not isinstance(watched, QWidget) or watched.window() is not self._window:
            return None
        if event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier:
            return None
        key, is_list = event.key(), self._area.name == LEARN and not self._is_lesson
        if (key not in _ALWAYS and isinstance(watched, _TYPED)) or (is_list and key not in BLANK | {Key.Key_Escape}):
            return None
        found = ((NEXT, self.go_on), (BACK, self.go_back), (BLANK, self.turn_blank), ({Key.Key_Escape}, self.leave))
        return next((call for keys, call in found if key in keys), None)

    # --- Qt ---

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() not in (QEvent.Type.KeyPress, QEvent.Type.ShortcutOverride):
            return False
        call = self._does(watched, event)
        if call is None:
            return False
        event.accept()  # no action that has the same key is called
        if event.type() == QEvent.Type.KeyPress:
            call()
        return True


class _Blank(QWidget):
    """Black over the whole window; a click takes it away."""

    def __init__(self, window: QWidget) -> None:
        super().__init__(window, accessibleName="Blank screen")
        self.hide()
        window.installEventFilter(self)

    # --- Qt ---

    def setVisible(self, visible: bool) -> None:
        self.setGeometry(self.parentWidget().rect())
        self.raise_()
        super().setVisible(visible)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize:
            self.setGeometry(self.parentWidget().rect())
        return False

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.hide()

    @painted
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), Qt.GlobalColor.black)
        painter.end()

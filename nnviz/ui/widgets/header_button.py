"""Small buttons for the header of a card: a switch, a choice, a word that opens a panel. They know nothing of the plot they stand over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import QPoint, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QAction, QActionGroup, QFontMetrics, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QMenu, QWidget, QWidgetAction

from nnviz.ui.theme.colors import SMALL, Theme, current_theme
from nnviz.ui.theme.fonts import sans, scaled
from nnviz.ui.theme.painting import painted

_HEIGHT = 20
_PADDING = 6
_WIDEST = 130


class SwitchButton(QAbstractButton):
    """A word that is on or off."""

    def __init__(self, text: str, tip: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        _prepare(self, text, tip)
        self.setCheckable(True)

    # --- Qt ---

    def sizeHint(self) -> QSize:
        return _size(self.text())

    @painted
    def paintEvent(self, event: QPaintEvent) -> None:
        _paint(self, self.text(), current_theme())


class ChoiceButton(QAbstractButton):
    """A word with a menu of others; `chosen` names the key of the one a person picked."""

    chosen = Signal(str)

    def __init__(self, tip: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._choices: tuple[tuple[str, str], ...] = ()
        self._words: Mapping[str, str] = {}
        self.key = ""
        _prepare(self, "", tip)
        self.clicked.connect(self._open)

    def set_words(self, words: Mapping[str, str]) -> None:
        """Show these words of the keys on the button itself: shorter ones than in the menu."""
        self._words = words

    def set_choices(self, choices: Sequence[tuple[str, str]], key: str) -> None:
        """Offer these (key, text) pairs and show the text of `key`."""
        if (tuple(choices), key) == (self._choices, self.key):
            return
        self._choices, self.key = tuple(choices), key
        _show_text(self, self._words.get(key, dict(choices).get(key, "")))

    def menu(self) -> QMenu:
        """Return a new menu of the choices. Who opens it deletes it."""
        menu = QMenu(self)
        group = QActionGroup(menu)
        for key, text in self._choices:
            action = QAction(text, menu, checkable=True, checked=key == self.key)
            action.triggered.connect(lambda _, key=key: self.choose(key))
            group.addAction(action)
            menu.addAction(action)
        return menu

    def choose(self, key: str) -> None:
        """Choose this one, as a person does."""
        if key != self.key:
            self.set_choices(self._choices, key)
            self.chosen.emit(key)

    def _open(self) -> None:
        menu = self.menu()
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        _open_below(menu, self)

    # --- Qt ---

    def sizeHint(self) -> QSize:
        return _size(self.text() + " ▾")

    @painted
    def paintEvent(self, event: QPaintEvent) -> None:
        _paint(self, self.text() + " ▾", current_theme())


def choice(tip: str, choices: dict[str, str], present: str) -> ChoiceButton:
    """Return a button for one of these, given as {key: word}."""
    button = ChoiceButton(tip)
    button.set_choices(tuple(choices.items()), present)
    return button


class ActionButton(QAbstractButton):
    """A word that does what an action does, and can be pressed when it can."""

    def __init__(self, action: QAction, text: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._action = action
        _prepare(self, text, action.text())
        self.clicked.connect(action.trigger)
        action.changed.connect(self._follow)
        self._follow()

    def set_text(self, text: str) -> None:
        """Show this word; what it does stays its accessible name."""
        _show_text(self, text)

    def _follow(self) -> None:
        self.setEnabled(self._action.isEnabled())
        self.setToolTip(self._action.toolTip())

    # --- Qt ---

    def sizeHint(self) -> QSize:
        return _size(self.text())

    @painted
    def paintEvent(self, event: QPaintEvent) -> None:
        _paint(self, self.text(), current_theme())


class PopupButton(QAbstractButton):
    """A word that opens a small panel below it."""

    def __init__(self, tip: str, panel: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        _prepare(self, "", tip)
        self.menu = QMenu(self)
        action = QWidgetAction(self.menu)
        action.setDefaultWidget(panel)
        self.menu.addAction(action)
        self._action = action
        self.clicked.connect(self._open)

    def _open(self) -> None:
        for visible in (False, True):  # or the menu keeps the size of what the panel was before
            self._action.setVisible(visible)
        _open_below(self.menu, self)

    def set_text(self, text: str) -> None:
        """Show this word."""
        _show_text(self, text)

    # --- Qt ---

    def sizeHint(self) -> QSize:
        return _size(self.text() + " ▾")

    @painted
    def paintEvent(self, event: QPaintEvent) -> None:
        _paint(self, self.text() + " ▾", current_theme())


class MenuButton(QAbstractButton):
    """A word that opens a menu below it."""

    def __init__(self, text: str, tip: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        _prepare(self, text, tip)
        self.menu = QMenu(self)
        self.clicked.connect(lambda: _open_below(self.menu, self))

    # --- Qt ---

    def sizeHint(self) -> QSize:
        return _size(self.text() + " ▾")

    @painted
    def paintEvent(self, event: QPaintEvent) -> None:
        _paint(self, self.text() + " ▾", current_theme())


def _open_below(menu: QMenu, button: QWidget) -> None:
    """Open the menu at the button's lower left corner; where it would reach beyond the window, so far to the left that it does not."""
    place, room = button.mapToGlobal(QPoint(0, button.height() + 2)), button.window().geometry()
    place.setX(max(room.left(), min(place.x(), room.right() - menu.sizeHint().width())))
    menu.popup(place)


def _prepare(button: QAbstractButton, text: str, tip: str) -> None:
    button.setText(text)
    button.setToolTip(tip)
    button.setAccessibleName(tip)
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    button.setAttribute(Qt.WidgetAttribute.WA_Hover)


def _show_text(button: QAbstractButton, text: str) -> None:
    if text != button.text():
        button.setText(text)
        button.setAccessibleDescription(text)
        button.updateGeometry()


def _size(text: str) -> QSize:
    width = QFontMetrics(sans(SMALL)).horizontalAdvance(text) + 2 * _PADDING
    return QSize(min(round(scaled(_WIDEST)), width), round(scaled(_HEIGHT)))


def _fitting(text: str, metrics: QFontMetrics, room: int) -> str:
    """The text, or where there is no room for it, what stands before its remark in brackets; cut at its end, or before its ▾."""
    if metrics.horizontalAdvance(text) <= room:
        return text
    side = Qt.TextElideMode.ElideMiddle if text.endswith("▾") else Qt.TextElideMode.ElideRight
    return metrics.elidedText(text.partition(" (")[0], side, room)


def _paint(button: QAbstractButton, text: str, theme: Theme) -> None:
    painter = QPainter(button)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    on = button.isChecked()
    painter.setPen(QPen(theme.color("forward"), 1) if button.hasFocus() else Qt.PenStyle.NoPen)
    painter.setBrush(theme.color("line") if on else theme.color("field") if button.underMouse() else Qt.BrushStyle.NoBrush)
    painter.drawRoundedRect(QRectF(button.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 5, 5)
    painter.setPen(theme.color("faint" if not button.isEnabled() else "text" if on or button.underMouse() else "muted"))
    painter.setFont(sans(SMALL))
    room = button.rect().adjusted(_PADDING - 1, 0, 1 - _PADDING, 0)
    shown = _fitting(text, QFontMetrics(painter.font()), room.width() + 2)
    painter.drawText(room, Qt.AlignmentFlag.AlignCenter, shown)
    painter.end()

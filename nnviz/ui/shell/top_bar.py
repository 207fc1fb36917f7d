"""The bar at the top: document, workspaces, transport, figures, the proof. It only shows and asks; it changes nothing itself."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QAction, QFont, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QButtonGroup, QComboBox, QFrame, QHBoxLayout, QLabel, QMenu, QPushButton, QSizePolicy, QToolButton, QWidget

from nnviz.ui.step.badge import Badge
from nnviz.ui.theme.colors import BODY, GUTTER, LARGE, SMALL, TITLE, current_theme
from nnviz.ui.theme.fonts import mono, sans
from nnviz.ui.theme.painting import painted

SIZES = {"node": "one node", "layer": "one layer", "phase": "one phase", "iteration": "one batch", "epoch": "one epoch"}
_STEP_BUTTONS = ("to_start", "step_back", "step", "to_end")
SEMIBOLD, BOLD = QFont.Weight.DemiBold, QFont.Weight.Bold
_FIGURES = {"iteration": "000000", "epoch": "0000", "loss": "0.00000", "score": "00.0 %"}
"""What the bar says of the run, with the widest text each is made for."""
_TRAIN_BUTTONS = ("rewind", "train_iteration", "train_epoch")


class TopBar(QWidget):
    """Its buttons are the window's actions, so that they share text, key and enabled state with the menu."""

    workspace_requested = Signal(str)

    def __init__(self, actions: dict[str, QAction], menu: QMenu, workspaces: Iterable[str], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFixedHeight(52)
        self._title = QLabel()
        self._named = ("", False)
        self._tabs = Segments(workspaces)
        self._tabs.chosen.connect(self.workspace_requested)
        self._step_buttons = [_icon_button(actions[name]) for name in _STEP_BUTTONS]
        self._train_buttons = [_icon_button(actions[name], text=name != "rewind") for name in _TRAIN_BUTTONS]
        self.sizes = StepSizeBox()
        self._play, self._train = _accent_button(actions["play"]), _accent_button(actions["train"])
        self._figures = {name: Figure(name, widest) for name, widest in _FIGURES.items()}
        self.badge = Badge()
        self._search = _search_button(actions["find_action"])
        self._fill(_brand(menu))

    def _fill(self, brand: QWidget) -> None:
        layout = QHBoxLayout(self)
        layout.setContentsMargins(GUTTER, 0, GUTTER, 0)
        layout.setSpacing(6)
        for widget in (
            brand,
            self._title,
            10,
            self._tabs,
            14,
            *self._step_buttons,
            self.sizes,
            self._play,
            *self._train_buttons,
            self._train,
            10,
        ):
            layout.addSpacing(widget) if isinstance(widget, int) else layout.addWidget(widget)
        for figure in self._figures.values():
            layout.addWidget(figure)
        layout.addWidget(self.badge)
        layout.addStretch()
        layout.addWidget(self._search)
        self._title.setProperty("role", "muted")

    def set_workspace(self, name: str) -> None:
        """Mark the workspace that is shown and offer its transport: steps in Step, training elsewhere."""
        self._tabs.choose(name)
        stepping = name == "step"
        for widget in (*self._step_buttons, self.sizes, self._play):
            widget.setVisible(stepping)
        for widget in self._train_buttons[1:]:
            widget.setVisible(not stepping)
        self._fit()

    def set_title(self, title: str, changed: bool) -> None:
        """Show the document's title, with a dot while it is not saved."""
        self._named = title, changed
        self._title.setToolTip(f"{title} (not saved yet)" if changed else title)
        self._fit()

    def set_figures(self, iteration: int, epoch: int, loss: str, score: str, metric: str, measured_at: int | None = None) -> None:
        """Show where the run stands; `loss` and `score`, the validation metric, as texts (empty: not known), `metric` its name.

        `measured_at`: the iteration the metric is of; where it is an earlier one the number is pale, and its tooltip says which.
        """
        texts = {"iteration": f"{iteration}", "epoch": f"{epoch}", "loss": loss or "–", "score": score or "–"}
        for name, text in texts.items():
            self._figures[name].show_text(text)
        is_past = bool(score) and measured_at not in (None, iteration)
        self._figures["score"].set_caption(metric)
        self._figures["score"].set_past(is_past)
        note = "Measured on the validation rows" + (f" after iteration {measured_at:,}, not since" if is_past else "")
        self._figures["score"].setToolTip(note)

    def _fit(self) -> None:
        """Give up what is least needed until the rest fits, from the search field to the granularity."""
        title, changed = self._named
        text = self._title.fontMetrics().elidedText(title, Qt.TextElideMode.ElideRight, 150)
        self._title.setText(f"{text} •" if changed else text)
        self._title.setMinimumWidth(self._title.fontMetrics().horizontalAdvance(f"{text} •"))  # the dot must not move the rest
        dispensable = [self._search, self._figures["score"], self._figures["epoch"], self._title, self._figures["loss"]]
        for widget in dispensable:
            widget.show()
        while dispensable and self.layout().sizeHint().width() > self.width():
            dispensable.pop(0).hide()

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._fit()

    @painted
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), current_theme().color("panel"))
        painter.fillRect(0, self.height() - 1, self.width(), 1, current_theme().color("line"))


class StepSizeBox(QComboBox):
    """How far one step goes: node · layer · phase · iteration · epoch."""

    chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent, accessibleName="How far one step goes", toolTip="How far one step goes")
        for key, text in SIZES.items():
            self.addItem(text, key)
        self.currentIndexChanged.connect(lambda: self.chosen.emit(self.key))

    @property
    def key(self) -> str:
        """The size that is chosen."""
        return self.currentData()

    def choose(self, key: str) -> None:
        """Let one step go so far."""
        self.setCurrentIndex(self.findData(key))


class Figure(QWidget):
    """A number and what it is. Its width is that of the widest text it is made for, so that nothing jumps while it changes."""

    def __init__(self, caption: str, widest: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._caption, self._text = QLabel(caption), QLabel(font=mono(BODY, BOLD))
        self._caption.setProperty("role", "muted")
        self._caption.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self._text.setMinimumWidth(self._text.fontMetrics().horizontalAdvance(widest))
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 4, 0)
        layout.setSpacing(6)
        layout.addWidget(self._caption)
        layout.addWidget(self._text)

    def show_text(self, text: str) -> None:
        """Show this number."""
        self._text.setText(text)

    def set_caption(self, caption: str) -> None:
        """Say what the number is."""
        self._caption.setText(caption)

    def set_past(self, is_past: bool) -> None:
        """Show a number that is not of now paler than one that is."""
        self._text.setEnabled(not is_past)


class Segments(QFrame):
    """A row of words of which one is chosen."""

    chosen = Signal(str)

    def __init__(self, names: Iterable[str], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFixedHeight(36)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self._group = QButtonGroup(self, exclusive=True)
        self._buttons: dict[str, QPushButton] = {}
        layout = QHBoxLayout(self)
        layout.setContentsMargins(2, 2, 2, 2)
        layout.setSpacing(2)
        for key, name in enumerate(names, start=1):
            button = QPushButton(name.capitalize(), checkable=True, toolTip=f"{name.capitalize()} workspace (Ctrl+{key})")
            button.setAccessibleName(f"{name} workspace")
            button.setObjectName(name)
            button.setProperty("role", "word")
            button.clicked.connect(lambda _=False, name=name: self.chosen.emit(name))
            self._group.addButton(button)
            self._buttons[name] = button
            layout.addWidget(button)

    def choose(self, name: str) -> None:
        """Mark this word as the chosen one."""
        self._buttons[name].setChecked(True)


def _brand(menu: QMenu) -> QToolButton:
    button = QToolButton(text="nnviz", font=sans(TITLE, BOLD), toolTip="Menu (Alt+M)", accessibleName="Menu", shortcut="Alt+M")
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    button.setProperty("flat", True)
    button.setMenu(menu)
    button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
    return button


def _icon_button(action: QAction, text: bool = False) -> QToolButton:
    button = QToolButton(focusPolicy=Qt.FocusPolicy.TabFocus, iconSize=QSize(14, 14))
    button.setDefaultAction(action)
    button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon if text else Qt.ToolButtonStyle.ToolButtonIconOnly)
    button.setAccessibleName(action.text())
    return button


def _accent_button(action: QAction) -> QPushButton:
    """Return a filled button that does what the action does and follows its text, icon and state."""
    button = QPushButton(focusPolicy=Qt.FocusPolicy.TabFocus, iconSize=QSize(12, 12), font=sans(LARGE - 1, SEMIBOLD))
    button.setProperty("accent", True)

    def follow() -> None:
        button.setText(action.iconText())
        button.setIcon(action.icon())
        button.setEnabled(action.isEnabled())
        button.setToolTip(action.toolTip())
        button.setAccessibleName(action.text())

    action.changed.connect(follow)
    button.clicked.connect(action.trigger)
    follow()
    return button


def _search_button(action: QAction) -> QPushButton:
    button = QPushButton("Search…  Ctrl+Shift+P", font=sans(SMALL), accessibleName=action.text(), toolTip=action.toolTip())
    button.clicked.connect(action.trigger)
    return button

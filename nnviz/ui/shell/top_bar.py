"""The bar at the top: document, workspaces, transport, figures, the proof. It only shows and asks; it changes nothing itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtGui import QAction, QFont, QIcon, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QButtonGroup, QComboBox, QFrame, QHBoxLayout, QLabel, QMenu, QPushButton, QSizePolicy, QToolButton, QWidget

from nnviz.ui.shell._document_title import DocumentTitle
from nnviz.ui.step.badge import Badge
from nnviz.ui.theme.colors import BODY, GUTTER, LARGE, SMALL, TITLE, current_theme
from nnviz.ui.theme.fonts import mono, sans, scaled
from nnviz.ui.theme.painting import painted

if TYPE_CHECKING:
    from nnviz.ui.run.feature import RunFigures

SIZES = {"node": "one node", "layer": "one layer", "phase": "one phase", "iteration": "one batch", "epoch": "one epoch"}
_STEP_BUTTONS = ("to_start", "step_back", "step", "to_end")
_DRAWN = QSize(48, 48)
"""Pixels of the icon of a filled button, which Qt makes as small as it needs."""
SEMIBOLD, BOLD = QFont.Weight.DemiBold, QFont.Weight.Bold
_FIGURES = {"iteration": "000000", "epoch": "0000", "loss": "0.00000", "score": "00.0 %"}
"""What the bar says of the run, with the widest text each is made for at first."""
_SEARCH = ("Search…  Ctrl+Shift+P", "Search…")
"""What the field that finds actions says, and where there is little room."""
_HEIGHT, _WORDS = 52, 36
"""Heights in pixels of the bar, and of the row of workspaces in it."""
_TITLE = (56, 170)
"""Narrowest and widest room of the title in pixels. It depends on the window alone: what stands behind must not jump with the title."""
_NARROW, _WIDE = 1180, 1600
"""The widths of the window that these belong to."""
_TRAIN_BUTTONS = ("rewind", "train_iteration", "train_epoch")


class TopBar(QWidget):
    """Its buttons are the window's actions, so that they share text, key and enabled state with the menu."""

    workspace_requested = Signal(str)
    rename_requested = Signal(str)
    """Another title of the document."""

    def __init__(self, actions: dict[str, QAction], menu: QMenu, workspaces: Iterable[str], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFixedHeight(round(scaled(_HEIGHT)))
        self._title = DocumentTitle()
        self._title.renamed.connect(self.rename_requested)
        self._named = ("", False)
        self._is_on_its_way = self._hides_measures = False
        self._run: RunFigures | None = None
        self._tabs = Segments(workspaces)
        self._tabs.chosen.connect(self.workspace_requested)
        self._step_buttons = [_icon_button(actions[name]) for name in _STEP_BUTTONS]
        self._train_buttons = [_icon_button(actions[name], text=name != "rewind") for name in _TRAIN_BUTTONS]
        self.sizes = StepSizeBox()
        self._play, self._train = _accent_button(actions["play"]), _accent_button(actions["train"])
        self._order = _icon_button(actions["train_as"])
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
            self._order,
            10,
        ):
            layout.addSpacing(widget) if isinstance(widget, int) else layout.addWidget(widget)
        for figure in self._figures.values():
            layout.addWidget(figure)
            figure.grown.connect(self.fit)
        layout.addWidget(self.badge)
        layout.addStretch()
        layout.addWidget(self._search)
        self._title.setProperty("role", "muted")

    def set_workspace(self, name: str, steps: bool | None = None) -> None:
        """Mark the workspace that is shown and offer its transport: that of `steps`, or of training; None: steps in Step alone."""
        self._tabs.choose(name)
        steps = name == "step" if steps is None else steps
        for widget in (*self._step_buttons, self.sizes, self._play):
            widget.setVisible(steps)
        for widget in (*self._train_buttons[1:], self._order):
            widget.setVisible(not steps)
        self.fit()

    def set_title(self, title: str, changed: bool, own: str = "") -> None:
        """Show the document's title, with a dot while it is not saved; a click changes its `own` one, where that is another."""
        self._named = title, changed
        self._title.set_own(own or title)
        self._title.setToolTip((f"{title} (not saved yet)" if changed else title) + "\nClick to give it another title")
        self.fit()

    def set_figures(self, run: RunFigures) -> None:
        """Show where the run stands. A figure of an earlier iteration is pale, and its tooltip says of which."""
        self._run = run
        figures, target, is_made_again = self._figures, run.target, run.is_made_again
        figures["iteration"].show_text(f"{run.iteration}" if target is None else f"{run.iteration:,} of {target:,}", target is not None)
        note = _way_note(target, is_made_again) + (f"\n{run.pace}" if run.pace else "")
        figures["iteration"].show_age(note, is_made_again)
        figures["epoch"].show_text("…" if is_made_again else f"{run.epoch}")
        figures["epoch"].show_age("Passes over the training rows that are complete", is_made_again)
        figures["score"].set_caption(run.metric)
        measured = ("score", run.score, f"the {run.scored} rows", run.measured_at), ("loss", run.loss, "all training rows", run.loss_at)
        for name, text, rows, at in measured:
            is_past = bool(text) and at not in (None, run.iteration)
            figures[name].show_text("?" if self._hides_measures else text or "–")
            note = f"Measured on {rows}" + (f" after iteration {at:,}, not since" if is_past else "")
            figures[name].show_age(note, is_made_again or target is not None or is_past)
        if (target is not None) != self._is_on_its_way:
            self._is_on_its_way = target is not None
            self.fit()

    def hide_measures(self, is_hidden: bool) -> None:
        """Show ? in place of loss and score, where somebody is asked for them; or show them again."""
        if is_hidden != self._hides_measures:
            self._hides_measures = is_hidden
            if self._run is not None:
                self.set_figures(self._run)

    def fit(self) -> None:
        """Give up what is least needed until the rest fits; the search field gets short, and never goes, nor do workspaces."""
        (title, changed), metrics = self._named, self._title.fontMetrics()
        share = min(1.0, max(0.0, (self.width() - _NARROW) / (_WIDE - _NARROW)))
        self._title.setFixedWidth(round(_TITLE[0] + share * (_TITLE[1] - _TITLE[0])))
        dot = " •" if changed else ""
        room = self._title.width() - metrics.horizontalAdvance(dot)
        self._title.setText(metrics.elidedText(title, Qt.TextElideMode.ElideRight, room) + dot)
        dispensable = self._dispensable()
        for show in dispensable:
            show(True)
        while dispensable and self.layout().sizeHint().width() > self.width():
            dispensable.pop(0)(False)

    def _dispensable(self) -> list[Callable[[bool], None]]:
        """What shows, or does without, each thing that is not always needed, the least needed first."""
        return [
            lambda shown: self._search.setText(_SEARCH[0 if shown else 1]),
            *(self._figures[name].setVisible for name in ("epoch", "score", "loss")),
            self.badge.set_worded,
            self._title.setVisible,
            self._figures["iteration"].setVisible,
            lambda shown: self.sizes.setVisible(shown and self._play.isVisibleTo(self)),
        ]

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.FontChange and self.layout():
            self.setFixedHeight(round(scaled(_HEIGHT)))
            self.fit()
        super().changeEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        self.fit()

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
    """A number and what it is. Its width is that of the widest text it has had or is made for, so that nothing jumps while it changes."""

    grown = Signal()
    """It may need more room than before."""

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

    def show_text(self, text: str, passes: bool = False) -> None:
        """Show this number; for one that `passes` no room is kept."""
        self._text.setText(text)
        width = self._text.fontMetrics().horizontalAdvance(text)
        if not passes and width > self._text.minimumWidth():
            self._text.setMinimumWidth(width)
            self._grow()

    def set_caption(self, caption: str) -> None:
        """Say what the number is."""
        if caption != self._caption.text():
            self._caption.setText(caption)
            self._grow()

    def _grow(self) -> None:
        self.layout().activate()  # else the bar would hear of the new width a turn of the event loop later
        self.updateGeometry()
        self.grown.emit()

    def show_age(self, note: str, is_past: bool) -> None:
        """Say of which moment and rows the number is, and show one that is not of now paler than one that is."""
        self.setToolTip(note)
        self._text.setEnabled(not is_past)


class Segments(QFrame):
    """A row of words of which one is chosen."""

    chosen = Signal(str)

    def __init__(self, names: Iterable[str], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFixedHeight(round(scaled(_WORDS)))
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

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.FontChange:
            self.setFixedHeight(round(scaled(_WORDS)))
        super().changeEvent(event)


def _brand(menu: QMenu) -> QToolButton:
    button = QToolButton(text="nnviz ▾", font=sans(TITLE, BOLD), toolTip="Menu (Alt+M)", accessibleName="Menu", shortcut="Alt+M")
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    button.setProperty("flat", True)
    button.setMenu(menu)
    button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
    return button


def _way_note(target: int | None, is_made_again: bool) -> str:
    """What the number of iterations means."""
    if target is not None:
        return f"On the way to iteration {target:,}; Esc stays at the one that is reached"
    return "The iterations up to here are being made again" if is_made_again else "Parameter updates made"


def _icon_button(action: QAction, text: bool = False) -> QToolButton:
    button = QToolButton(focusPolicy=Qt.FocusPolicy.TabFocus, iconSize=QSize(14, 14))
    button.setDefaultAction(action)
    button.setProperty("narrow", not text)
    button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon if text else Qt.ToolButtonStyle.ToolButtonIconOnly)
    button.setAccessibleName(action.text())
    return button


def _accent_button(action: QAction) -> QPushButton:
    """Return a filled button that does what the action does and follows its text, icon and state."""
    button = QPushButton(focusPolicy=Qt.FocusPolicy.TabFocus, iconSize=QSize(12, 12), font=sans(LARGE - 1, SEMIBOLD))
    button.setProperty("accent", True)

    def follow() -> None:
        button.setText(action.iconText())
        mode = QIcon.Mode.Normal if action.isEnabled() else QIcon.Mode.Disabled
        button.setIcon(QIcon(action.icon().pixmap(_DRAWN, mode, QIcon.State.On if action.isEnabled() else QIcon.State.Off)))
        button.setEnabled(action.isEnabled())
        button.setToolTip(action.toolTip())
        button.setAccessibleName(action.text())

    action.changed.connect(follow)
    button.clicked.connect(action.trigger)
    follow()
    return button


def _search_button(action: QAction) -> QPushButton:
    button = QPushButton(_SEARCH[0], font=sans(SMALL), accessibleName=action.text(), toolTip=action.toolTip())
    button.clicked.connect(action.trigger)
    return button

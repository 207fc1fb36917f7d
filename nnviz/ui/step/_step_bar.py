"""The words above the timeline: step back, over, into, out, run to here, and how fast steps are played. They are the window's actions."""

from __future__ import annotations

from PySide6.QtCore import QEvent
from PySide6.QtGui import QAction, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QWidget

from nnviz.ui.widgets.header_button import ActionButton, ChoiceButton

WORDS = {
    "step_back": "◀ step back", "step": "step over (F10)", "into": "into (F11)", "out": "out (⇧F11)",
    "run_to": "run to here", "play_back": "◀◀ play back",
}  # fmt: skip
SHORT = {"step_back": "◀ back", "step": "over", "into": "into", "out": "out", "run_to": "to here", "play_back": "◀◀ play"}
SIGNS = {"step_back": "◀", "step": "↷", "into": "↓", "out": "↑", "run_to": "⇥", "play_back": "◀◀"}
"""What stands on the buttons where there is no room for these words; their tooltips say the rest."""
SPEEDS = {"0.25": "speed 0.25×", "0.5": "speed 0.5×", "1": "speed 1×", "2": "speed 2×", "4": "speed 4×"}


class StepBar(QWidget):
    """A row of small buttons; `speed` is the factor that was chosen."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._buttons: dict[str, ActionButton] = {}
        self.speeds = ChoiceButton("How fast steps are played")
        self.speeds.set_choices(tuple(SPEEDS.items()), "1")
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(2)
        self._row.addStretch()
        self._row.addWidget(self.speeds)

    @property
    def speed(self) -> float:
        """How many times faster than usual steps are played."""
        return float(self.speeds.key)

    def set_actions(self, actions: dict[str, QAction]) -> None:
        """Offer these actions, as far as there is a word for them."""
        self._buttons = {id: ActionButton(actions[id], text) for id, text in WORDS.items()}
        for place, button in enumerate(self._buttons.values()):
            self._row.insertWidget(place, button)

    def change_speed(self, steps: int) -> None:
        """Choose the next faster speed (+1), or the next slower one (−1), as far as there is one."""
        keys = list(SPEEDS)
        self.speeds.choose(keys[max(0, min(len(keys) - 1, keys.index(self.speeds.key) + steps))])

    def _fit(self) -> None:
        """Show the longest words for which there is room, none of them cut; the speed only where it has room, too."""
        for words in (WORDS, SHORT, SIGNS):
            for id, button in self._buttons.items():
                button.set_text(words[id])
            if self._needed <= self.width():
                break
        self.speeds.setVisible(self._needed <= self.width())

    @property
    def _needed(self) -> int:
        """The width of all buttons."""
        shown = (*self._buttons.values(), self.speeds)
        return sum(one.sizeHint().width() + self._row.spacing() for one in shown)

    # --- Qt ---

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._fit()

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.FontChange:
            self._fit()
        super().changeEvent(event)

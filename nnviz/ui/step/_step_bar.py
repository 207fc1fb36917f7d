"""The words above the timeline: step back, over, into, out, run to here, and how fast steps are played. They are the window's actions."""

from __future__ import annotations

from PySide6.QtGui import QAction
from PySide6.QtWidgets import QHBoxLayout, QWidget

from nnviz.ui.widgets.header_button import ActionButton, ChoiceButton

WORDS = {
    "step_back": "◀ step back", "step": "step over (F10)", "into": "into (F11)", "out": "out (⇧F11)",
    "run_to": "run to here", "play_back": "◀◀ play back",
}  # fmt: skip
SPEEDS = {"0.25": "speed 0.25×", "0.5": "speed 0.5×", "1": "speed 1×", "2": "speed 2×", "4": "speed 4×"}


class StepBar(QWidget):
    """A row of small buttons; `speed` is the factor that was chosen."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._buttons: list[ActionButton] = []
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
        self._buttons = [ActionButton(actions[id], text) for id, text in WORDS.items()]
        for place, button in enumerate(self._buttons):
            self._row.insertWidget(place, button)

    def change_speed(self, steps: int) -> None:
        """Choose the next faster speed (+1), or the next slower one (−1), as far as there is one."""
        keys = list(SPEEDS)
        self.speeds.choose(keys[max(0, min(len(keys) - 1, keys.index(self.speeds.key) + steps))])

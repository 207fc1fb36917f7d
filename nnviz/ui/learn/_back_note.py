"""Says above a lesson that a question of an interview or quiz waits, with the way back to it."""

from __future__ import annotations

from PySide6.QtWidgets import QLabel, QPushButton, QVBoxLayout

from nnviz.ui.learn.step_parts import ColoredGround


class BackNote(ColoredGround):
    """Hidden while nothing waits."""

    def __init__(self) -> None:
        super().__init__()
        self.color = "forward"
        self._label, self.button = QLabel(wordWrap=True), QPushButton("Back to the question")
        column = QVBoxLayout(self)
        column.setContentsMargins(10, 8, 10, 8)
        column.setSpacing(6)
        column.addWidget(self._label)
        column.addWidget(self.button)
        self.hide()

    def set_waiting(self, name: str, question: str) -> None:
        """Name what waits: `question 3 of 10` of the interview or quiz; an empty question hides the note."""
        self._label.setText(f"{name}: {question} waits for you.")
        self.button.setToolTip("Go on where you were (Ctrl+Alt+Q)")
        self.setVisible(bool(question))

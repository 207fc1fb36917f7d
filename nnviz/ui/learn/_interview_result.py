"""The end of a round of questions: how many went well, over all and by topic, and which did not."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QPushButton, QScrollArea, QVBoxLayout, QWidget

from nnviz.ui.learn.option_button import OptionButton
from nnviz.ui.learn.question_round import INTERVIEW, QUIZ, QuestionRound
from nnviz.ui.theme.colors import BODY, GRID, LARGE
from nnviz.ui.widgets.boxes import scrolling
from nnviz.ui.widgets.sections import Heading
from nnviz.ui.widgets.typeset_text import TypesetText

_WELL = {INTERVIEW: "known", QUIZ: "right at once"}
_SAID = {"nearly": "nearly", "not": "not known", "helped": "with help", "missed": "shown", "": "passed over"}
_VERDICTS = {"nearly": "", "helped": "", "not": "wrong", "missed": "wrong", "": ""}


class InterviewResult(QWidget):
    """Enter asks again what did not go well, or leads to the choice of topics where all did; digits go back to a question."""

    again_requested = Signal()
    other_requested = Signal()
    place_requested = Signal(int)
    """Back to this question of the round."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent, accessibleName="Score of the round")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.score, self.topics = TypesetText(LARGE), TypesetText(BODY)
        self._head = Heading("Not yet", "muted")
        self.missed: list[OptionButton] = []
        self._places: list[int] = []
        self.again, self.other = QPushButton(), QPushButton("Other questions")
        self.again.setProperty("accent", True)
        self._missed = QVBoxLayout()
        self._missed.setSpacing(GRID)
        body, column = QWidget(accessibleName="Score"), QVBoxLayout()
        body.setLayout(column)
        column.setContentsMargins(0, 0, GRID, 0)
        column.setSpacing(2 * GRID)
        for widget in (self.score, self.topics, self._head):
            column.addWidget(widget)
        column.addLayout(self._missed)
        column.addStretch()
        area: QScrollArea = scrolling(body)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        page = QVBoxLayout(self)
        page.setContentsMargins(0, 0, 0, 0)
        page.setSpacing(2 * GRID)
        page.addWidget(area, 1)
        page.addWidget(self.again)
        page.addWidget(self.other)
        self.again.clicked.connect(self.again_requested)
        self.other.clicked.connect(self.other_requested)
        for watched in (self.again, self.other):
            watched.installEventFilter(self)

    def set_round(self, done: QuestionRound) -> None:
        """Show how this went."""
        missed, count = done.missed(), len(done.asked)
        well = _WELL[done.kind]
        self.score.set_text(f"**{count - len(missed)} of {count}** {well}.")
        self.topics.set_text("\n\n".join(f"{topic}: {good} of {asked}" for topic, good, asked in done.scores()))
        self._head.setVisible(bool(missed))
        self._places = [done.asked.index(one) for one in missed]
        while len(self.missed) < len(missed):
            self._add_row()
        for row, button in enumerate(self.missed):
            button.setVisible(row < len(missed))
            if row < len(missed):
                outcome = done.outcomes.get(missed[row].question.name, "")
                button.set_option(f"{missed[row].question.question} *{_SAID[outcome]}*", _VERDICTS[outcome])
        self.again.setVisible(bool(missed))
        self.again.setText(f"Again those I missed ({len(missed)})")

    def _add_row(self) -> None:
        row, button = len(self.missed), OptionButton(len(self.missed) + 1)
        button.setToolTip("Back to this question")
        button.clicked.connect(lambda: self.place_requested.emit(self._places[row]))
        button.installEventFilter(self)
        self.missed.append(button)
        self._missed.addWidget(button)

    def take_keyboard(self) -> None:
        """Give the keyboard to the page."""
        self.setFocus(Qt.FocusReason.OtherFocusReason)

    def _key(self, watched: QObject, event: QKeyEvent) -> bool:
        key = event.key()
        if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            is_button = isinstance(watched, QPushButton | OptionButton)
            (watched if is_button else self.other if self.again.isHidden() else self.again).click()
        elif Qt.Key.Key_1 <= key <= Qt.Key.Key_9 and key - Qt.Key.Key_1 < len(self._places):
            self.place_requested.emit(self._places[key - Qt.Key.Key_1])
        else:
            return False
        return True

    # --- Qt ---

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        return event.type() == QEvent.Type.KeyPress and self._key(watched, event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if not self._key(self, event):
            super().keyPressEvent(event)

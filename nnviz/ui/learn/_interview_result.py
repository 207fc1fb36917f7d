"""The end of a round of questions: how many went well, over all and by topic, and which did not."""

from __future__ import annotations

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QPushButton, QVBoxLayout, QWidget

from nnviz.ui.learn.keyed_page import ENTERS, KeyedPage, digit, is_button
from nnviz.ui.learn.option_button import OptionButton
from nnviz.ui.learn.question_round import INTERVIEW, QUIZ, QuestionRound
from nnviz.ui.theme.colors import BODY, GRID, LARGE
from nnviz.ui.widgets.sections import Heading
from nnviz.ui.widgets.typeset_text import TypesetText

_WELL = {INTERVIEW: "known", QUIZ: "right at once"}
_SAID = {"nearly": "nearly", "not": "not known", "helped": "with help", "missed": "shown", "": "passed over"}
_VERDICTS = {"nearly": "", "helped": "", "not": "wrong", "missed": "wrong", "": ""}


class InterviewResult(KeyedPage):
    """Enter asks again what did not go well, or leads to the choice of topics where all did; digits go back to a question."""

    again_requested = Signal()
    other_requested = Signal()
    place_requested = Signal(int)
    """Back to this question of the round."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Score of the round", "Score", parent)
        self.score, self.topics = TypesetText(LARGE), TypesetText(BODY)
        self._head = Heading("Not yet", "muted")
        self.missed: list[OptionButton] = []
        self._places: list[int] = []
        self.again, self.other = QPushButton(), QPushButton("Other questions")
        self.again.setProperty("accent", True)
        self._missed = QVBoxLayout()
        self._missed.setSpacing(GRID)
        column = self.column
        for widget in (self.score, self.topics, self._head):
            column.addWidget(widget)
        column.addLayout(self._missed)
        column.addStretch()
        self.rows.addWidget(self.area, 1)
        self.rows.addWidget(self.again)
        self.rows.addWidget(self.other)
        self.again.clicked.connect(self.again_requested)
        self.other.clicked.connect(self.other_requested)
        self.watch(self.again, self.other)

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
        self.watch(button)
        self.missed.append(button)
        self._missed.addWidget(button)

    def take_keyboard(self) -> None:
        """Give the keyboard to the page."""
        self.setFocus(Qt.FocusReason.OtherFocusReason)

    def take_key(self, watched: QObject, key: int, has_modifier: bool) -> bool:
        if key in ENTERS:
            (watched if is_button(watched) else self.other if self.again.isHidden() else self.again).click()
        elif (place := digit(key, len(self._places))) is not None:
            self.place_requested.emit(self._places[place])
        else:
            return self.scroll(key)
        return True

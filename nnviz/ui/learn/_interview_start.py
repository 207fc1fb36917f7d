"""Before a round of questions: which topics, how many and in which order; how much of each is known, and the ways to begin."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QCheckBox, QComboBox, QFormLayout, QHBoxLayout, QPushButton, QScrollArea, QVBoxLayout, QWidget

from nnviz.ui.learn.question_round import INTERVIEW, QUIZ
from nnviz.ui.theme.colors import BODY, GRID
from nnviz.ui.widgets.boxes import scrolling
from nnviz.ui.widgets.sections import Heading
from nnviz.ui.widgets.typeset_text import TypesetText

_TOLD = (
    "**Interview**: answer in writing or in your head, compare with the short answer, and say for yourself whether you knew it.\n\n"
    "**Quiz**: only questions whose answer is computed; each is set up in this window, and your answer is judged."
)
_COUNTS = (("5", 5), ("10", 10), ("20", 20), ("all", None))


class TopicScore(NamedTuple):
    """How much of a topic is known."""

    topic: str
    known: int
    questions: int
    right: int
    quizzes: int


class InterviewStart(QWidget):
    """Space switches a topic; Enter begins an interview, Ctrl+Enter a quiz."""

    begun = Signal(str)
    """interview or quiz"""
    forgotten = Signal()
    """Know of no answer any more."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent, accessibleName="Interview questions")
        self.topics: dict[str, QCheckBox] = {}
        self._scores: tuple[TopicScore, ...] = ()
        self.count, self.order = QComboBox(accessibleName="How many questions"), QComboBox(accessibleName="Order of the questions")
        self.interview, self.quiz = QPushButton("Interview  Enter"), QPushButton("Quiz")
        self.forget = QPushButton("Forget my score")
        self.note = TypesetText(BODY, "muted")
        self._lay_out()
        self._connect()

    def _lay_out(self) -> None:
        for text, count in _COUNTS:
            self.count.addItem(text, count)
        self.count.setCurrentIndex(1)
        for text, is_drawn in (("drawn at random", True), ("in order", False)):
            self.order.addItem(text, is_drawn)
        self._rows, form, told = QVBoxLayout(), QFormLayout(), TypesetText(BODY)
        self._rows.setSpacing(GRID)
        form.addRow("questions", self.count)
        form.addRow("order", self.order)
        told.set_text(_TOLD)
        body, column = QWidget(accessibleName="Topics and order"), QVBoxLayout()
        body.setLayout(column)
        column.setContentsMargins(0, 0, GRID, 0)
        column.setSpacing(2 * GRID)
        column.addWidget(told)
        column.addWidget(Heading("Topics", "muted"))
        column.addLayout(self._rows)
        column.addLayout(form)
        column.addWidget(self.note)
        column.addWidget(self.forget, 0, Qt.AlignmentFlag.AlignLeft)
        column.addStretch()
        self.area: QScrollArea = scrolling(body)
        self.area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        foot = QHBoxLayout()
        foot.addStretch()
        foot.addWidget(self.quiz)
        foot.addWidget(self.interview)
        page = QVBoxLayout(self)
        page.setContentsMargins(0, 0, 0, 0)
        page.setSpacing(2 * GRID)
        page.addWidget(self.area, 1)
        page.addLayout(foot)

    def _connect(self) -> None:
        self.interview.setProperty("accent", True)
        self.interview.setToolTip("Begin an interview about these topics (Enter)")
        self.quiz.setToolTip("Begin a quiz about these topics (Ctrl+Enter)")
        self.forget.setToolTip("Let no question be known any more, in interview and quiz")
        self.interview.clicked.connect(lambda: self.begun.emit(INTERVIEW))
        self.quiz.clicked.connect(lambda: self.begun.emit(QUIZ))
        self.forget.clicked.connect(self.forgotten)

    @property
    def chosen(self) -> tuple[str, ...]:
        """The topics that are asked about."""
        return tuple(topic for topic, box in self.topics.items() if box.isChecked())

    def set_scores(self, scores: Sequence[TopicScore]) -> None:
        """Show these topics with what is known of them."""
        self._scores = tuple(scores)
        for one in scores:
            if one.topic not in self.topics:
                box = self.topics[one.topic] = QCheckBox(checked=True)
                box.setMinimumWidth(1)  # with large texts it is cut, and does not push the others out of sight
                box.toggled.connect(self._show_choice)
                self._rows.addWidget(box)
                box.show()  # at once, so that it can have the keyboard
            self.topics[one.topic].setText(f"{one.topic}  {one.known}/{one.questions}")
            self.topics[one.topic].setToolTip(_told(one))
            self.topics[one.topic].setAccessibleDescription(_told(one))
        self.forget.setVisible(any(one.known or one.right for one in scores))
        self._show_choice()

    def _show_choice(self) -> None:
        chosen = [one for one in self._scores if one.topic in self.chosen]
        questions, quizzes = sum(one.questions for one in chosen), sum(one.quizzes for one in chosen)
        self.interview.setEnabled(questions > 0)
        self.quiz.setEnabled(quizzes > 0)
        known, right = sum(one.known for one in chosen), sum(one.right for one in chosen)
        told = f"Interview: {known} of {questions} known. Quiz: {right} of {quizzes} right at once. Those not yet known come first."
        self.note.set_text(told if chosen else "Choose a topic: without one there is nothing to ask.")

    def take_keyboard(self) -> None:
        """Give the keyboard to the first topic."""
        next(iter(self.topics.values()), self.interview).setFocus(Qt.FocusReason.OtherFocusReason)

    # --- Qt ---

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            is_quiz = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier) or self.quiz.hasFocus()
            (self.forget if self.forget.hasFocus() else self.quiz if is_quiz else self.interview).click()
        elif event.key() in (Qt.Key.Key_Down, Qt.Key.Key_Up):
            self.focusNextPrevChild(event.key() == Qt.Key.Key_Down)
        else:
            super().keyPressEvent(event)


def _told(one: TopicScore) -> str:
    return f"{one.known} of {one.questions} known; quiz: {one.right} of {one.quizzes} right at once"

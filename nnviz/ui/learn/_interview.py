"""Interview and quiz: which round of questions is under way, the page it stands on, and what of the answers is kept."""

from __future__ import annotations

import random
from collections.abc import Callable

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QStackedWidget

from nnviz.document.store.examples import open_document
from nnviz.lessons.interview import InterviewQuestion, quiz_lesson, topics
from nnviz.lessons.lesson import LessonError
from nnviz.lessons.store import open_lesson
from nnviz.session.lesson_state import LessonState
from nnviz.ui.learn._interview_page import InterviewPage, ShownQuestion
from nnviz.ui.learn._interview_result import InterviewResult
from nnviz.ui.learn._interview_start import InterviewStart, TopicScore
from nnviz.ui.learn.lesson_progress import LessonProgress
from nnviz.ui.learn.question_round import INTERVIEW, OUTCOMES, QUIZ, AskedQuestion, QuestionRound, askable, drawn

QUIZ_NAME = ":quiz"
"""What the lesson is called whose steps are those of a quiz; no file of a lesson has such a name."""


class Interview(QObject):
    """`pages` shows the choice of topics, a question or the score; the steps of a quiz are shown like those of any lesson."""

    changed = Signal()
    """Which page or question is shown, or what is known of one."""
    source_wanted = Signal(object)
    """The lesson or experiment that shows this question."""

    def __init__(self, progress: LessonProgress, open_quiz: Callable[[LessonState], bool], parent: QObject | None = None) -> None:
        """`open_quiz` sets a step of a quiz up; it returns False if the person would rather keep unsaved work."""
        super().__init__(parent)
        self._progress, self._open_quiz, self._chance = progress, open_quiz, random.Random()
        self.round: QuestionRound | None = None
        self._state: LessonState | None = None
        """Where the quiz stands, also while another lesson is open."""
        self._questions: tuple[AskedQuestion, ...] = ()
        self.start, self.question, self.result, self.pages = InterviewStart(), InterviewPage(), InterviewResult(), QStackedWidget()
        for page in (self.start, self.question, self.result):
            self.pages.addWidget(page)
        self._connect()

    def _connect(self) -> None:
        self.start.begun.connect(self.begin)
        self.start.forgotten.connect(self._forget)
        self.question.shown_wanted.connect(self.reveal)
        self.question.judged.connect(self._judge)
        self.question.wrote.connect(self._keep_text)
        self.question.source_requested.connect(self.open_source)
        self.question.next_requested.connect(lambda: self._turn_to(self.round.place + 1))
        self.question.back_requested.connect(lambda: self._turn_to(self.round.place - 1))
        self.result.again_requested.connect(lambda: self._begin(QuestionRound(self.round.kind, self.round.missed())))
        self.result.other_requested.connect(self._choose_again)
        self.result.place_requested.connect(self._turn_to)

    # --- what there is ---

    @property
    def questions(self) -> tuple[AskedQuestion, ...]:
        """All questions with their topics; none where a file cannot be read."""
        if not self._questions:
            self._questions = tuple(AskedQuestion(one.topic, question) for one in topics() for question in one.questions)
        return self._questions

    @property
    def is_under_way(self) -> bool:
        """Whether a question waits."""
        return self.round is not None and not self.round.is_over

    @property
    def is_quiz(self) -> bool:
        """Whether the question that waits is one of a quiz."""
        return self.is_under_way and self.round.kind == QUIZ

    @property
    def is_asked(self) -> bool:
        """Whether the answer to a question of an interview has not been shown yet."""
        return self.is_under_way and not self.is_quiz and self.round.present.name not in self.round.shown

    @property
    def title(self) -> tuple[str, str]:
        """Title and subtitle of the card."""
        if self.round is None:
            return "Interview questions", f"{len(self.questions)}"
        name = "Quiz" if self.round.kind == QUIZ else "Interview"
        return name, "score" if self.round.is_over else f"{self.round.place + 1} of {len(self.round.asked)}"

    @property
    def waiting(self) -> str:
        """The question that waits, in words; empty for none."""
        return f"question {self.round.place + 1} of {len(self.round.asked)}" if self.is_under_way else ""

    @property
    def told(self) -> str:
        """How many are known, in words."""
        known = sum(one == OUTCOMES[INTERVIEW][0] for one in self._progress.answers(INTERVIEW).values())
        return f"{known} of {len(self.questions)} known" if known else f"{len(self.questions)}"

    def source(self) -> str:
        """Return what shows the question that waits, by its title."""
        kind, _, name = self.round.present.shown_by.partition(":")
        try:
            return f"lesson “{open_lesson(name).title}”" if kind == "lesson" else f"experiment “{open_document(f'{kind}:{name}').title}”"
        except (LessonError, ValueError, OSError):
            return ""

    # --- what a person does ---

    def begin(self, kind: str) -> None:
        """Begin a round about the chosen topics: interview or quiz."""
        pool = askable(self.questions, kind, self.start.chosen)
        chance = self._chance if self.start.order.currentData() else None
        if pool:
            self._begin(drawn(pool, kind, self._progress.answers(kind), self.start.count.currentData(), chance))

    def _begin(self, new: QuestionRound) -> None:
        if new.kind == QUIZ:
            state = LessonState(QUIZ_NAME, quiz_lesson(*(one.question for one in new.asked)))
            if not self._open_quiz(state):
                return
            self._state = state
        self.round = new
        self.show()

    def resume(self) -> None:
        """Go on with the question that waits."""
        if self.is_quiz:
            self._open_quiz(self._state)
        self.show()

    def finish(self) -> None:
        """The last question of a quiz has been gone through."""
        self._turn_to(len(self.round.asked))

    def reveal(self) -> None:
        """Show the short answer."""
        self.round = self.round.revealed()
        self.show()

    def open_source(self) -> None:
        """Open what shows the answer."""
        self.source_wanted.emit(self.round.present)

    def _judge(self, outcome: str) -> None:
        self._note(self.round.present, outcome)
        self._turn_to(self.round.place + 1)

    def _note(self, question: InterviewQuestion, outcome: str) -> None:
        self.round = self.round.judged(question.name, outcome)
        self._progress.note_answer(self.round.kind, question.name, outcome)

    def _keep_text(self, text: str) -> None:
        self.round = self.round.wrote(text)

    def _turn_to(self, place: int) -> None:
        if self.round.kind == QUIZ and place < len(self.round.asked) and not self._open_quiz(self._state.at(place)):
            return
        self.round = self.round.at(place)
        self.show()

    def _choose_again(self) -> None:
        self.round = None
        self.show()

    def _forget(self) -> None:
        for kind in (INTERVIEW, QUIZ):
            self._progress.forget_answers(kind)
        self.show()

    def take_state(self, state: LessonState) -> None:
        """The quiz stands here now: note how its question went, the first time it is answered."""
        if self.round is None or self.round.kind != QUIZ or state.lesson is not self._state.lesson:
            return
        self._state = state
        self.round = self.round.at(state.place)
        if state.verdict in ("right", "shown") and not self.round.outcome:
            is_clean = state.verdict == "right" and state.tries == 1 and not state.hints
            self._note(self.round.present, "right" if is_clean else "helped" if state.verdict == "right" else "missed")

    # --- what is shown ---

    def show(self) -> None:
        """Show the page that is due."""
        if self.round is None:
            self.start.set_scores(self._scores())
            page = self.start
        elif self.round.is_over:
            self.result.set_round(self.round)
            page = self.result
        else:
            self._show_question()
            page = self.question
        had_keyboard = self.pages.currentWidget().isAncestorOf(self.pages.window().focusWidget() or self.pages)
        self.pages.setCurrentWidget(page)
        if had_keyboard or page is not self.question:
            page.take_keyboard()
        self.changed.emit()

    def take_keyboard(self) -> None:
        """Give the keyboard to the page that is shown."""
        self.pages.currentWidget().take_keyboard()

    def _show_question(self) -> None:
        now, question = self.round, self.round.present
        if now.kind == QUIZ:
            return
        self.question.set_question(
            ShownQuestion(
                now.place,
                len(now.asked),
                now.asked[now.place].topic,
                question.question,
                now.written.get(question.name, ""),
                question.answer if question.name in now.shown else "",
                now.outcome,
                self.source() if question.name in now.shown else "",
            )
        )

    def _scores(self) -> list[TopicScore]:
        known, right = (self._progress.answers(kind) for kind in (INTERVIEW, QUIZ))
        rows = []
        for topic in dict.fromkeys(one.topic for one in self.questions):
            own = [one.question for one in self.questions if one.topic == topic]
            quizzes = [one for one in own if one.quiz]
            counts = sum(known.get(one.name) == OUTCOMES[INTERVIEW][0] for one in own), len(own)
            rows.append(TopicScore(topic, *counts, sum(right.get(one.name) == OUTCOMES[QUIZ][0] for one in quizzes), len(quizzes)))
        return rows

"""Learning: the list of lessons, the step that is open, and the interview; what is wanted beside them.

Long because all that a person does there is handed on here: to the session's lesson, and to the round of questions.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QStackedWidget

from nnviz.document.experiment import Experiment
from nnviz.lessons.interview import InterviewQuestion, experiment_lesson
from nnviz.lessons.lesson import Lesson
from nnviz.lessons.lesson_documents import opened
from nnviz.lessons.measurements import MEASURES
from nnviz.records.breakpoint_places import target_of
from nnviz.session.lesson_draft import DRAFT
from nnviz.session.lesson_state import LessonState, cursor_of
from nnviz.session.session import Session
from nnviz.ui.learn._back_note import BackNote
from nnviz.ui.learn._beside import DEFAULT, asks_for_measures, covered_panels, panels_beside, silent_panels
from nnviz.ui.learn._interview import QUIZ_NAME, Interview
from nnviz.ui.learn._known_lessons import FIRST_LESSON, OWN, KnownLessons
from nnviz.ui.learn._lesson_printing import LessonPrinting
from nnviz.ui.learn._step_page import StepPage
from nnviz.ui.learn.lesson_list import LessonList
from nnviz.ui.learn.lesson_progress import LessonProgress
from nnviz.ui.learn.shown_step import ShownStep, shown_step
from nnviz.ui.shell_api import Shell
from nnviz.ui.widgets.boxes import stacked
from nnviz.ui.widgets.card import Card
from nnviz.ui.widgets.header_button import ActionButton

_WAYS_IN = 4
"""So many lessons stand on the start page."""
WORKSPACE, _PANEL, _NOTE = "learn", "lesson", "first_lesson"
_EXPERIMENT = ":experiment"
"""What the lesson of one step is called that shows the answer to a question."""


class LearnFeature(QObject):
    """`session.lessons` knows where one stands; here it is shown, and what a person does is handed on."""

    needs = {_PANEL: "trace"}  # noqa: RUF012
    """What the engine has to measure for its panels."""
    panels_changed = Signal()
    """Other panels shall stand beside the lesson."""
    element_wanted = Signal(tuple)
    """The card shall work out this element of its node."""
    answering_changed = Signal()
    """What is covered before the answer, or whether a click is one."""
    node_wanted = Signal(int)
    """The graph shall show this node itself, and not a folded group around it."""

    def __init__(self, session: Session, shell: Shell) -> None:
        super().__init__(shell.window())
        self.session, self._shell, self._run = session, shell, session.lessons
        self._progress = LessonProgress(shell.keeps_settings)
        self._may_leave: Callable[[], bool] = lambda: True
        self.printing = LessonPrinting(shell, self)
        self.list, self.page, self._pages, self.back_note = LessonList(), StepPage(), QStackedWidget(), BackNote()
        self.interview = Interview(self._progress, self._open_quiz, self)
        for page in (self.list, self.page, self.interview.pages):
            self._pages.addWidget(page)
        self._all = ActionButton(shell.action_table["lessons"], "all lessons")
        self._own = [ActionButton(shell.action_table[name], word) for name, word in (("open_lesson", "open…"), ("new_lesson", "new…"))]
        self.cards = {_PANEL: Card("Lessons", stacked(self.back_note, self._pages, stretch=1), [*self._own, self._all])}
        self._beside: tuple[str, ...] = ()
        self._known = KnownLessons(self._progress, partial(session.post, "error"))
        self._view = "lesson"
        """What is to be shown: lesson (the list where none is open) · list · interview."""
        self._answering: tuple = ((), (), False, False)
        self._worked_out: tuple = ()
        """For which step, answer and trace the element was wanted last."""
        self._connect()

    def _connect(self) -> None:
        page = self.page
        self._run.changed.connect(self._show)
        self.session.stepping.selection_changed.connect(lambda old, new: self._show_chosen())
        self.list.chosen.connect(self.open)
        self.list.questions.clicked.connect(self.show_interview)
        self.back_note.button.clicked.connect(self.show_interview)
        self.interview.changed.connect(self._show)
        self.interview.source_wanted.connect(self.open_source)
        page.source_requested.connect(self.interview.open_source)
        page.answered.connect(self._run.answer)
        page.next_requested.connect(self.go_on)
        page.back_requested.connect(self.go_back)
        page.hint_requested.connect(self._run.hint)
        page.show_requested.connect(self._run.give_up)
        page.restore_requested.connect(self.restore)

    def ask_before_leaving(self, may_leave: Callable[[], bool]) -> None:
        """Have `may_leave` asked before unsaved work would be lost; it returns False if the person would rather stay."""
        self._may_leave = may_leave

    # --- what there is ---

    @property
    def is_open(self) -> bool:
        """Whether a lesson is open, and no interview in front of it."""
        return self._run.state is not None and (self._view != "interview" or self._is_quiz)

    @property
    def is_shown(self) -> bool:
        """Whether a lesson or an interview can be answered."""
        return self.is_open or self._view == "interview"

    @property
    def _is_quiz(self) -> bool:
        """Whether the step that is open is one of the quiz that is under way."""
        return self.interview.is_quiz and self._run.state is not None and self._run.state.name == QUIZ_NAME

    @property
    def _is_seen(self) -> bool:
        """Whether the step that is open can be seen."""
        return self.is_open and self._shell.is_visible(_PANEL)

    @property
    def covered(self) -> tuple[str, ...]:
        """The panels that would show the answer before it is given."""
        return covered_panels(self._run.state) if self._is_seen else ()

    @property
    def silent(self) -> tuple[str, ...]:
        """The panels whose subtitle would say the answer before it is given."""
        return silent_panels(self._run.state) if self._is_seen else ()

    @property
    def hides_measures(self) -> bool:
        """Whether loss and score of the run would say the answer before it is given."""
        return self._is_seen and asks_for_measures(self._run.state)

    @property
    def is_click_asked(self) -> bool:
        """Whether a click in the network or the graph is taken for an answer."""
        return self._is_seen and self.is_asked and self._run.state.step.ask.kind == "click"

    @property
    def can_go_on(self) -> bool:
        """Whether the question is answered, so that the next step may be gone to."""
        return self.is_open and self._run.state.is_answered and not self._run.is_setting_up

    @property
    def can_go_back(self) -> bool:
        """Whether there is a step before."""
        return self.is_open and self._run.state.place > 0

    @property
    def can_print(self) -> bool:
        """Whether the lesson can be written as PDF: one at a time."""
        return self.is_open and not self.printing.is_going

    @property
    def is_asked(self) -> bool:
        """Whether a question waits for its answer."""
        if self._view == "interview" and not self._is_quiz:
            return self.interview.is_asked
        return self.is_open and not self._run.state.is_answered and not self._run.is_setting_up

    @property
    def has_hint(self) -> bool:
        """Whether there is a hint that has not been shown."""
        return self.is_open and self.is_asked and self._run.state.hints < len(self._run.state.step.ask.hints)

    @property
    def panels(self) -> tuple[str, ...]:
        """The panels that shall be seen in the Learn workspace."""
        return (_PANEL, *(self._beside or DEFAULT))

    def lesson_actions(self) -> list[QAction]:
        """Return an action for every lesson, that opens it."""
        actions = []
        for listed in self._known.listed():
            action = QAction(f"Lesson: {listed.title}", self)
            action.setToolTip(listed.summary)
            action.triggered.connect(lambda _=False, name=listed.name: self.open(name))
            actions.append(action)
        return actions

    def ways_in(self) -> list[tuple[str, str, Experiment, Callable[[], object]]]:
        """Return title, sentence, document and way of the lesson that was open last, and of the next ones."""
        rows = sorted(
            self._known.listed(), key=lambda row: (row.name != self._progress.latest or row.place is None, row.is_done, row.group == OWN)
        )
        return [
            (row.title, f"{row.minutes} min. {row.summary}", opened(lesson.documents, name), partial(self.open, row.name))
            for row in rows[:_WAYS_IN]
            if (lesson := self._known.lesson(row.name)) and (name := lesson.steps[0].document)
        ]

    # --- what a person does ---

    def open_first(self) -> None:
        """Open the first lesson."""
        self.open(FIRST_LESSON)

    def open_file(self, path: Path) -> None:
        """Open the lesson in a file, and list it from now on."""
        if self._known.lesson(str(path)) is not None:
            self._progress.note_own(str(path))
            self.open(str(path))

    def try_out(self, lesson: Lesson, place: int) -> None:
        """Play a lesson that is being written: it has no name, and nobody's progress in it is kept."""
        self._come()
        self._view = "lesson"
        self._run.open(DRAFT, lesson, place)
        self.take_keyboard()

    def _come(self) -> None:
        """Bring the panel of lessons into sight."""
        self._shell.show_workspace(WORKSPACE)
        if not self._shell.is_visible(_PANEL):
            self.panels_changed.emit()

    def open(self, name: str) -> None:
        """Open a lesson where it was left; one that is done from its start."""
        lesson = self._known.lesson(name)
        if lesson is None:
            return
        self._come()
        if self._run.state is not None and (self._run.state.name, self._run.state.lesson) == (name, lesson) and not self._run.obstacle:
            self._view = "lesson"
            self._show()
            self.take_keyboard()
            return
        place = min(self._progress.place(name) or 0, len(lesson.steps) - 1)
        if self._run.loses_work(name, lesson, place) and not self._may_leave():
            return
        self._view = "lesson"
        self._shell.notes.drop(_NOTE)
        self._run.open(name, lesson, place)
        self.take_keyboard()

    def show_list(self) -> None:
        """Show all lessons; the one that is open stays where it is."""
        self._view = "list"
        self._come()
        self._show()
        self.take_keyboard()

    def show_interview(self) -> None:
        """Show the question that waits; where none does, the choice of topics."""
        self._view = "interview"
        self._shell.show_workspace(WORKSPACE)
        self.interview.resume()
        self.take_keyboard()

    def _open_quiz(self, state: LessonState) -> bool:
        """Set a step of a quiz up; return False if the person would rather keep unsaved work."""
        if self._run.loses_work(state.name, state.lesson, state.place) and not self._may_leave():
            return False
        self._view = "interview"
        self._run.take_up(state)
        return True

    def open_source(self, question: InterviewQuestion) -> None:
        """Open the lesson or the experiment that shows a question; a note there leads back."""
        lesson = experiment_lesson(question)
        if lesson is None:
            self.open(question.shown_by.partition(":")[2])
        elif not self._run.loses_work(_EXPERIMENT, lesson, 0) or self._may_leave():
            self._view = "lesson"
            self._run.open(_EXPERIMENT, lesson)
            self.take_keyboard()

    def go_on(self) -> None:
        """Go to the next step; behind the last one the lesson is done, and the list is shown."""
        state = self._run.state
        if not self.can_go_on:
            return
        if state.is_last and state.name == DRAFT:
            self._run.leave()
        elif state.is_last and state.name == QUIZ_NAME:
            self.interview.finish()
            self._run.leave()
            self.take_keyboard()
        elif state.is_last and state.name == _EXPERIMENT:
            self.show_interview()
        elif state.is_last:
            self._progress.finish(state.name)
            self._run.leave()
            self.show_list()
        else:
            self._turn_to(state.place + 1)

    def go_back(self) -> None:
        """Go to the step before."""
        if self.can_go_back:
            self._turn_to(self._run.state.place - 1)

    def _turn_to(self, place: int) -> None:
        state = self._run.state
        if not self._run.loses_work(state.name, state.lesson, place) or self._may_leave():
            self._run.go_to(place)

    def restore(self) -> None:
        """Let everything be as the step has set it up."""
        state = self._run.state
        if state is None:
            return
        self._shell.show_workspace(WORKSPACE)
        if not self._run.loses_work(state.name, state.lesson, state.place) or self._may_leave():
            self._run.restore()
            self._beside = ()
            self._show_beside(state)
            self.take_keyboard()

    def hint(self) -> None:
        """Show one hint more."""
        self._run.hint()

    def give_up(self) -> None:
        """Show the answer."""
        self._run.give_up() if self.is_open else self.interview.reveal()

    def print_lesson(self, has_answers: bool = True) -> None:
        """Ask for a file and have the lesson written there as PDF, while everything else goes on."""
        if self.can_print:
            self.printing.start(self._run.state.lesson, self._run.state.name, has_answers)

    def take_clicked(self, name: str) -> None:
        """Take what was clicked for the answer, where a click is asked for: a node as `h1/relu`, a parameter as `h1.weight`, a layer."""
        if name and self.is_click_asked:
            self._run.answer(name)

    def take_clicked_node(self, node: int) -> None:
        """Take a node of the trace that was clicked for the answer."""
        index = self.session.stepping.index
        if index is not None:
            self.take_clicked(target_of(index, node)[1])

    def take_keyboard(self) -> None:
        """Give the keyboard to the lesson, so that it can be answered."""
        shown = self._pages.currentWidget()
        (self.interview if shown is self.interview.pages else shown).take_keyboard()

    def offer_first(self) -> None:
        """Tell who has never begun a lesson of the first one, once."""
        if not self._progress.was_offered:
            lesson = self._known.lesson(FIRST_LESSON)
            questions = sum(step.ask is not None for step in lesson.steps)
            text = f"New here? “{lesson.title}”: {lesson.minutes} minutes, {questions} questions, with this very window."
            self._shell.notes.post(_NOTE, "info", text, [("Begin the lesson", self.open_first)])
            self._progress.note_offered()

    # --- what is shown ---

    def show_workspace(self) -> None:
        """The Learn workspace has come into sight, or its panels have changed."""
        if self._shell.is_visible(_PANEL):
            self._show()
        self._tell_answering()

    def _show(self) -> None:
        state = self._run.state
        if self._is_quiz:
            self.interview.take_state(state)
        is_draft = state is not None and state.name == DRAFT
        if self._view == "interview" and not (self._is_quiz or is_draft):
            self._show_questions()
        elif state is None or (self._view == "list" and not is_draft):
            self._show_list()
        else:
            self._show_step(state)
        self.back_note.set_waiting(self.interview.title[0], "" if self._view == "interview" else self.interview.waiting)
        self._tell_answering()
        self._shell.update_actions()

    def _show_step(self, state: LessonState) -> None:
        if not state.name.startswith(":"):  # what an interview has set up is no lesson to come back to
            self._progress.keep(state.name, state.place)
        self.cards[_PANEL].set_title(state.lesson.title, "Lesson")
        self.cards[_PANEL].set_subtitle(f"{state.place + 1} of {len(state.lesson.steps)}")
        self._show_tools(False)
        before = self._pages.currentWidget()
        had_keyboard = before is not self.page and before.isAncestorOf(self._shell.window().focusWidget() or self.page)
        self._pages.setCurrentWidget(self.page)
        self.page.set_step(self._shown_step(state))
        if had_keyboard:
            self.take_keyboard()
        self._show_beside(state)
        self._want_element(state)

    def _show_questions(self) -> None:
        title, subtitle = self.interview.title
        self.cards[_PANEL].set_title(title, "Interview")
        self.cards[_PANEL].set_subtitle(subtitle)
        self._show_tools(False)
        self._pages.setCurrentWidget(self.interview.pages)

    def _tell_answering(self) -> None:
        """Say what is covered before the answer, and whether a click is one, where that has changed."""
        if (answering := (self.covered, self.silent, self.hides_measures, self.is_click_asked)) != self._answering:
            self._answering = answering
            self.answering_changed.emit()

    def _want_element(self, state: LessonState) -> None:
        """Have the node shown and the element worked out that the step is about, each time the step or its answer comes to stand."""
        here = None if self._run.is_setting_up or self._run.is_away else (state.place, state.is_answered, id(self.session.stepping.index))
        node = self.session.stepping.selected_node
        if here is not None and here != self._worked_out and node is not None and cursor_of(state)[0]:
            self.node_wanted.emit(node)
        if here is not None and here != self._worked_out and state.step.element:
            self.element_wanted.emit(state.step.element)
        self._worked_out = here or self._worked_out

    def _show_list(self) -> None:
        if not self._shell.is_visible(_PANEL):
            return
        listed = self._known.listed()
        done = sum(row.is_done for row in listed)
        self.cards[_PANEL].set_title("Lessons")
        self.cards[_PANEL].set_subtitle(f"{done} of {len(listed)} done" if done else f"{len(listed)}")
        self.list.set_lessons(listed, self._progress.latest)
        self.list.questions.setText(f"Interview questions · {self.interview.told}")
        self._show_tools(True)
        self._pages.setCurrentWidget(self.list)

    def _show_tools(self, is_list: bool) -> None:
        self._all.setVisible(not is_list)
        for button in self._own:
            button.setVisible(is_list)

    def _show_beside(self, state: LessonState) -> None:
        """Have the panels shown that the step needs, once; what the person does with them afterwards stays."""
        beside = panels_beside(state)
        if beside != self._beside:
            self._beside = beside
            self.panels_changed.emit()

    def _show_chosen(self) -> None:
        state = self._run.state
        if state and state.step.ask and state.step.ask.kind == "click" and not state.is_answered:
            self.page.set_step(self._shown_step(state))

    def _shown_step(self, state: LessonState) -> ShownStep:
        run, ask = self._run, state.step.ask
        waits = (run.obstacle or self._waits()) if run.is_setting_up else ""
        chosen = self._chosen() if ask and ask.kind == "click" else ""
        shown = shown_step(state, run.facts, waits, run.is_away, chosen)
        if state.name == _EXPERIMENT:
            return replace(shown, finish="Back to the question")
        return replace(shown, source=self.interview.source()) if self._is_quiz and state.is_answered else shown

    def _chosen(self) -> str:
        stepping = self.session.stepping
        return target_of(stepping.index, stepping.selected_node)[1] if stepping.index and stepping.selected_node is not None else ""

    def _waits(self) -> str:
        """What is being done before the step stands."""
        runs = self.session.comparison.progress
        if runs is not None:
            return f"Training the runs of this step beside it … {runs.done / max(1, runs.total):.0%}".replace("%", " %")
        target = self.session.run.target
        if target is not None:
            return f"Training to iteration {target:,} …"
        measured = (name for name, kind in MEASURES.items() if self.session.tasks.state(kind).progress)
        return next((f"Working out the {name} …" for name in measured), "Setting up the step …")

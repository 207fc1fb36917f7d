"""The lesson a person is in: what each step sets up in the session, where it stands, what was answered, and the way back to it.

It is long because what the person does and what the engine answers in between change one state, step by step.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from PySide6.QtCore import QObject, Signal

from nnviz import messages
from nnviz.document.experiment import Experiment
from nnviz.document.run_branches import name_like
from nnviz.document.run_log import same_run
from nnviz.document.variations import Variation
from nnviz.lessons.checks import Judged, judge, right_answer
from nnviz.lessons.expression import ExpressionError
from nnviz.lessons.facts import Columns, Facts
from nnviz.lessons.lesson import Lesson
from nnviz.lessons.lesson_documents import opened
from nnviz.lessons.measurements import MEASURES
from nnviz.lessons.step_settings import with_settings
from nnviz.lessons.trace_names import node_named, place_known, place_named
from nnviz.records.run_records import CurvePoint
from nnviz.records.trace_matching import shown_node
from nnviz.session.branches import Branches
from nnviz.session.comparison import Comparison
from nnviz.session.document import Document
from nnviz.session.engine_link import EngineLink
from nnviz.session.lesson_state import LessonState, Move, asked_for, cursor_of, example_of, lasting, latest, moves_to
from nnviz.session.long_tasks import LongTasks
from nnviz.session.run_curves import Curves
from nnviz.session.stepping import Stepping
from nnviz.session.training_control import TrainingControl

NOT_YET = "What is asked for has not been computed yet. Wait a moment, or go back to the step."


class LessonRun(QObject):
    """`state` is where the person stands, None without a lesson. What a step sets up is done one after the other as the engine answers."""

    changed = Signal()
    """Which step is open, whether it stands, what was answered, whether the person has left it, or what its numbers are."""

    def __init__(
        self,
        document: Document,
        link: EngineLink,
        training: TrainingControl,
        stepping: Stepping,
        branches: Branches,
        comparison: Comparison,
        tasks: LongTasks,
        findings: Callable[[], tuple],
        is_saved: Callable[[], bool],
        parent: QObject | None = None,
    ) -> None:
        """`findings` returns those of where the run stands, `is_saved` whether nothing would be lost with the document."""
        super().__init__(parent)
        self._document, self._link, self._training, self._stepping = document, link, training, stepping
        self._branches, self._comparison, self._tasks = branches, comparison, tasks
        self._findings, self._is_saved = findings, is_saved
        self.state: LessonState | None = None
        self._pending: list[Move] = []
        self._done: tuple[Move, ...] = ()
        """What has led to where it stands."""
        self._left: tuple[Experiment, int] | None = None
        """Document and iteration as the step was left by its setting up; None where another document is open."""
        self._facts: Facts | None = None
        self.is_setting_up = self._is_moving = self._is_own = False
        """Whether a step is being set up, a move being made, and whether the document that is open was opened by the lesson."""
        self._has_no_trace = self._was_lost = False
        self._goal: int | None = None
        """The iteration that the step stands at, where it says one."""
        self._failure = ""
        """Why the step that is open can never be set up."""
        self._beside: dict[str, Experiment] = {}
        """The runs that the last step with such has had trained, by name."""
        self._shown: tuple = ()
        """What was told last."""
        tasks.changed.connect(self.follow)

    # --- where it stands ---

    @property
    def is_away(self) -> bool:
        """Whether the person has gone somewhere else since the step was set up: another document, setting or iteration."""
        if self.state is None or self.is_setting_up or self._is_change_asked:
            return False
        run = self._link.run
        if self._left is None or run.training or run.target is not None:
            return True
        return run.iteration != self._left[1] or not same_run(self._document.experiment, self._left[0])

    @property
    def _is_change_asked(self) -> bool:
        """Whether the person is asked to change something, so that nothing that is changed is beside the way."""
        ask = self.state.step.ask if self.state else None
        return ask is not None and ask.kind == "change" and self._left is not None

    @property
    def facts(self) -> Facts | None:
        """What is known where the step stands; while the person is elsewhere, what was known there. None until it stands."""
        return self._facts

    @property
    def obstacle(self) -> str:
        """Why the step cannot be set up, as a sentence; empty if it can."""
        if self._failure:
            return self._failure
        is_stuck = self.is_setting_up and self._link.run.engine != "starting" and not self._link.is_waiting
        return self._training.obstacle if is_stuck else ""

    def loses_work(self, name: str, lesson: Lesson, place: int) -> bool:
        """Return whether unsaved work of the person would be lost by going to this step."""
        if not any(move.kind == "open" for move in self._way(name, lesson, place)) or self._is_saved():
            return False
        is_as_left = self._left is not None and same_run(self._document.experiment, self._left[0])
        return not (self._is_own and self._document.path is None and (is_as_left or self.is_setting_up or self._is_change_asked))

    # --- what a person does ---

    def open(self, name: str, lesson: Lesson, place: int = 0) -> None:
        """Go to a step of a lesson; those before it count as answered."""
        place = max(0, min(place, len(lesson.steps) - 1))
        self._go(LessonState(name, lesson, place, frozenset(range(place))))

    def take_up(self, state: LessonState) -> None:
        """Go on with a lesson that was left for another one, as it stood."""
        self._go(state)

    def go_to(self, place: int) -> None:
        """Go to another step of this lesson."""
        if self.state and 0 <= place < len(self.state.lesson.steps):
            self._go(self.state.at(place))

    def restore(self) -> None:
        """Let everything be as the step has set it up."""
        if self.state:
            self._done = ()
            self._go(self.state)

    def leave(self) -> None:
        """Leave the lesson; what is open stays open, and what the step had the person change is no work that could be lost."""
        if self._is_change_asked:
            self._left = self._document.experiment, self._link.run.iteration
        self.state, self.is_setting_up, self._facts, self._done = None, False, None, ()
        self._pending.clear()
        self._tell()

    def answer(self, answer: str) -> None:
        """Judge an answer: a number as text, the place of an option, or the name of what was clicked."""
        state = self.state
        if state is None or state.is_answered or state.step.ask.kind == "change":
            return
        try:
            if self._facts is None:
                raise ExpressionError(NOT_YET)
            judged = judge(state.step.ask, answer, self._facts)
        except ExpressionError:
            judged = Judged(False, "" if state.step.ask.kind == "click" else NOT_YET)
        self.state = state.judged(answer, judged)
        self._reveal()

    def hint(self) -> None:
        """Show one hint more."""
        if self.state:
            self.state = self.state.hinted()
            self._tell()

    def give_up(self) -> None:
        """Show the right answer; a change that is asked for is made."""
        state = self.state
        if state is None or state.is_answered or self._facts is None:
            return
        try:
            answer = right_answer(state.step.ask, self._facts)
        except ExpressionError:
            answer = ""
        self.state = state.given_up(answer)
        if moves := example_of(state.step):
            self._set_out(moves)
        else:
            self._reveal()

    def _reveal(self) -> None:
        """Show on the graph and the card what was asked for."""
        if self.state.is_answered and not self.is_away:
            self._place_cursor()
        self._tell()

    # --- setting up ---

    def _way(self, name: str, lesson: Lesson, place: int) -> tuple[Move, ...]:
        """What is still to be done to stand at this step: little where the last one stands as it was set up, else all from its document."""
        wanted, done = moves_to(lesson, place), self._done
        if self.state is None or (self.state.name, self.state.lesson) != (name, lesson) or self.is_away or self.is_setting_up or not done:
            return wanted
        if self._is_change_asked and self.state.verdict == "right":
            done = (*done, *example_of(self.state.step))
        elif self._is_change_asked and not same_run(self._document.experiment, self._left[0]):
            return wanted
        standing = tuple(move for move in done if move.kind != "runs" or move in wanted)  # runs of another step take nothing back
        if wanted[: len(standing)] == standing:
            return wanted[len(standing) :]
        if lasting(wanted) != lasting(done):
            return wanted
        first = next((move for move in reversed(wanted) if move.kind == "go"), Move("go", 0))
        return (first, *(move for move in wanted if move.kind in ("runs", "measure")))

    def _go(self, state: LessonState) -> None:
        moves = self._way(state.name, state.lesson, state.place)
        self.state = state
        self._training.pause()
        self._stepping.stop()
        self._stepping.set_detail(latest(state, "detail") or "textbook")
        self._done = moves_to(state.lesson, state.place)
        self._facts = None if moves else self._facts  # the numbers of another step say nothing of this one
        self._set_out(list(moves))

    def _set_out(self, moves: list[Move]) -> None:
        self._pending, self.is_setting_up, self._has_no_trace, self._failure = moves, True, False, ""
        self._goal = None
        self._tell()
        self.follow()

    @property
    def _stands(self) -> bool:
        """Whether nothing is on its way."""
        run = self._link.run
        return self._link.is_up_to_date and not run.training and run.target is None and not self._comparison.is_going

    @property
    def _is_measuring(self) -> bool:
        """Whether something that a step measures is being worked out."""
        return any(self._tasks.state(kind).progress for kind in MEASURES.values())

    @property
    def _is_traced(self) -> bool:
        """Whether the trace of the next iteration is on the screen, in the detail that is wanted, or cannot come."""
        run, index = self._link.run, self._stepping.index
        shown = run.is_traced and index is run.trace_index and index.trace.detail == self._stepping.detail
        return shown or self._has_no_trace

    def follow(self) -> None:
        """The engine has answered, or a person has done something: go on with setting up, or see whether the step still stands."""
        if self.state is None or self._is_moving:
            return
        while self._pending and (self._stands or self._pending[0].kind == "open"):
            self._is_moving = True
            try:
                self._make(self._pending.pop(0))
            finally:
                self._is_moving = False
        is_done = not self._pending and self._stands and self._is_traced and not self._is_measuring
        if self.is_setting_up and not self._failure and is_done:
            if self._was_lost and self._goal not in (None, self._link.run.iteration):
                self._was_lost = False
                self._training.go_to(self._goal)  # the engine was lost on the way there
            else:
                self._arrive()
        elif not self.is_setting_up:
            self._look()
        self._tell_news()

    def take(self, reply: messages.Reply) -> None:
        """Note that no trace will come, where the next iteration cannot be made."""
        if isinstance(reply, messages.Failed) and reply.request == "TraceNext":
            self._has_no_trace = True
        self.follow()

    def note(self) -> None:
        """The run is another one now: say whether the step still stands."""
        self._was_lost = self._was_lost or self._link.run.engine not in ("ready", "starting")
        if self.state is not None and not self._is_moving:
            self._tell_news()

    def document_replaced(self) -> None:
        """Another document is open: if the lesson has not opened it, the person has."""
        self._is_own = self._is_moving
        self._left = None

    def _make(self, move: Move) -> None:
        """A lesson may come from anywhere: what it may not set up, such as a document that reads a file, is told in its place."""
        try:
            self._make_possible(move)
        except ValueError as error:
            self._fail(error)

    def _make_possible(self, move: Move) -> None:
        iteration = self._link.run.iteration
        match move.kind:
            case "open":
                self._document.new(opened(self.state.lesson.documents, move.what))
            case "set":
                changed = with_settings(self._document.experiment, move.what)
                self._document.edit("Set up the step of the lesson", lambda _: changed)
            case "train":
                self._goal = None
                self._training.iterations(move.what)
            case "go" | "back" if iteration > move.what or (move.kind == "go" and iteration != move.what):
                self._goal = move.what
                self._training.go_to(move.what)
            case "runs":
                self._start_runs(move.what, move.iterations)
            case "measure" if move.what not in self._found():
                self._tasks.ask(MEASURES[move.what]())

    def _fail(self, error: ValueError) -> None:
        self._failure = f"The step cannot be set up: {error}"
        self._pending.clear()

    def _start_runs(self, runs: Mapping[str, Any], iterations: int) -> None:
        """Have those trained that are not there yet, under just these names; those of the step before stand no longer beside."""
        first, kept = self._link.log.at(0), {one.branch.name: one.branch for one in self._branches.kept}
        own = self.state.lesson.documents
        starts = {name: opened(own, run.document) if run.document else first for name, run in runs.items()}
        wanted = {name: with_settings(starts[name], run.set) for name, run in runs.items()}
        same = {name for name, one in wanted.items() if name in kept and same_run(kept[name].log.last, one)}
        there = {name for name in same if kept[name].reached >= iterations}
        for name, one in self._beside.items():
            if name in kept and name not in there and same_run(kept[name].log.last, one):  # and not one of the person's
                self._branches.remove(name)
        self._beside = wanted
        taken = {branch.name for branch in self._branches.all}
        for name in (wanted.keys() - there) & taken:
            self._branches.rename(name, name_like(name, taken))
        if missing := [Variation(name, one) for name, one in wanted.items() if name not in there]:
            self._comparison.start(missing, iterations)

    def _arrive(self) -> None:
        self.is_setting_up = self._was_lost = False
        self._left = self._document.experiment, self._link.run.iteration
        self._facts = self.measured()
        self._stepping.set_sample(0)
        self._place_cursor()
        self._tell()

    def _place_cursor(self) -> None:
        """Stand where the step says; before what a question asks for as long as it is not answered, and behind it once it is."""
        state, index = self.state, self._stepping.index
        name, phase = cursor_of(state)
        place = place_named(index, name, phase) if index is not None and (name or phase) else None
        if place is None:
            return
        known = place_known(index, asked_for(state.step))
        if known is not None:
            place = max(place, known) if state.is_answered else min(place, known - 1)
        self._stepping.to(place)
        node = node_named(index, name) if name else None
        if node is not None:
            self._stepping.select(shown_node(self._stepping.state, node))

    def _look(self) -> None:
        """Measure anew where it stands, and judge whether the change that is asked for has been made."""
        if self._stands and self._is_traced and not self.is_away:
            self._facts = self.measured()
            if self._was_lost:
                self._was_lost = False
                self._place_cursor()
        if self._is_change_asked and not self.state.is_answered:
            self._judge_change()

    def _judge_change(self) -> None:
        try:
            judged = judge(self.state.step.ask, "", self.measured())
        except ExpressionError:
            return  # it is about what is not there yet
        if judged.is_right:
            self.state = self.state.judged("", judged)

    def measured(self) -> Facts:
        """Return what is known where the run stands now, whatever lesson is open."""
        run, index = self._link.run, self._stepping.index
        runs = {kept.branch.name: _columns(kept.curves) for kept in self._branches.kept}
        shown = index.truth if index is not None and run.is_traced else None
        return Facts(self._document.experiment, shown, _columns(run.curves), runs, self._findings(), self._found())

    def _found(self) -> dict[str, object]:
        """What has been worked out of where the run stands, by the names of MEASURES."""
        found = {name: self._tasks.state(kind) for name, kind in MEASURES.items() if self._tasks.is_present(kind)}
        return {name: one.result for name, one in found.items() if one.is_whole and one.task == MEASURES[name]()}

    # --- telling ---

    def _tell(self) -> None:
        self._shown = self._seen()
        self.changed.emit()

    def _tell_news(self) -> None:
        if self._seen() != self._shown:
            self._tell()

    def _seen(self) -> tuple:
        facts = self._facts
        measured = None if facts is None else (id(facts.experiment), id(facts.index), len(facts.curves["iteration"]), facts.findings)
        runs = None if facts is None else tuple((name, len(curves["iteration"])) for name, curves in facts.runs.items())
        way = (self._link.run.target, self._comparison.progress, self._is_measuring) if self.is_setting_up else None
        return self.state, self.is_setting_up, self.is_away, self.obstacle, way, measured, runs


def _columns(curves: Curves) -> Columns:
    return dict(zip(CurvePoint.__struct_fields__, curves.columns(), strict=True))

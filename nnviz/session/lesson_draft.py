"""The lesson an author is writing: its steps, what was done since the last one, undo, its file, and a copy against crashes."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from msgspec.structs import replace
from PySide6.QtCore import QObject, QTimer, Signal

from nnviz.document.experiment import Experiment
from nnviz.lessons.facts import Facts
from nnviz.lessons.lesson import Lesson, LessonError, LessonStep, RunBeside, what_is_missing
from nnviz.lessons.lesson_documents import without_unused
from nnviz.lessons.lesson_drafts import KeptDraft, draft_file, drop_draft, keep_draft
from nnviz.lessons.measurements import MEASURES
from nnviz.lessons.recorded_steps import RecordedStep, Situation, behind, late_change, rearranged, recorded, retaken, runs_beside
from nnviz.lessons.store import open_draft, save_lesson
from nnviz.lessons.wrong_numbers import asked_expression, lesson_name
from nnviz.session._lesson_check import LessonCheck
from nnviz.session.branches import Branches
from nnviz.session.document import Document, Edited
from nnviz.session.engine_link import EngineLink
from nnviz.session.stepping import Stepping

DRAFT = ":draft"
"""What a lesson that is written is called while it is played: nobody comes back to it."""
NEW = Lesson("A new lesson", "", 5, ())
_DELAY = 700
"""Milliseconds between the first change and the copy."""
_MOST = 200
"""Changes that can be taken back."""


class AuthorView(NamedTuple):
    """What only the window knows of where an author stands."""

    workspace: str
    panels: tuple[str, ...] = ()
    element: tuple[int, ...] = ()
    visible: tuple[str, ...] = ()
    """All panels that can be seen beside the lesson; empty where the author works elsewhere."""


class Playing(Protocol):
    """What plays a lesson in the window, as far as who writes one has to do with it."""

    state: object | None
    is_setting_up: bool
    obstacle: str
    changed: Any

    def open(self, name: str, lesson: Lesson, place: int = 0) -> None: ...

    def leave(self) -> None: ...

    def measured(self) -> Facts: ...


class LessonDraft(QObject):
    """`lesson` is None while nothing is written. Nothing here raises: what cannot be done is posted as a message."""

    changed = Signal()
    """The lesson, which of its steps is chosen, whether it is saved, or what its check has found."""
    message_posted = Signal(str, str)

    def __init__(
        self,
        document: Document,
        link: EngineLink,
        stepping: Stepping,
        branches: Branches,
        run: Playing,
        keeps_copy: bool,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._document, self._link, self._stepping, self._run, self._keeps_copy = document, link, stepping, run, keeps_copy
        self._branches = branches
        self.lesson: Lesson | None = None
        self.path: Path | None = None
        self.place = -1
        """Of the chosen step; -1 while there is none."""
        self.check = LessonCheck(self)
        self._saved: Lesson | None = None
        self._past: list[tuple[Lesson, int]] = []
        self._future: list[tuple[Lesson, int]] = []
        self._merged = ""
        """What was changed last, so that letters that are typed one after the other are taken back together."""
        self._window = uuid.uuid4().hex
        self._origin: Experiment = document.experiment
        self._revisited = False
        self._timer = QTimer(self, singleShot=True, interval=_DELAY)
        self._timer.timeout.connect(self.keep)
        document.replaced.connect(self._note_opened)
        run.changed.connect(self._stand)
        self.check.changed.connect(self.changed)

    def _note_opened(self, edited: Edited) -> None:
        self._origin = edited.new

    # --- what there is ---

    @property
    def is_saved(self) -> bool:
        """Whether nothing would be lost with the lesson."""
        return self.lesson is None or self.lesson == self._saved or self.lesson == NEW

    @property
    def step(self) -> LessonStep | None:
        """The chosen step."""
        return self.lesson.steps[self.place] if self.lesson and self.place >= 0 else None

    @property
    def can_undo(self) -> bool:
        """Whether a change of the lesson can be taken back."""
        return bool(self._past)

    @property
    def can_redo(self) -> bool:
        """Whether one that was taken back can be made again."""
        return bool(self._future)

    @property
    def is_revisiting(self) -> bool:
        """Whether a step is being set up in the window."""
        return self._revisited

    @property
    def facts(self) -> Facts:
        """What is known where the window stands."""
        return self._run.measured()

    def situation(self, view: AuthorView) -> Situation:
        """Return where the author stands."""
        cursor, phase = self._cursor()
        where = (self._document.experiment, self._link.run.iteration, self._stepping.detail, view.workspace, view.panels)
        runs, _ = self._runs()
        reached = max((one.branch.reached for one in self._branches.kept if one.branch.name in runs), default=0)
        measured = self.facts.measured
        measure = tuple(name for name in MEASURES if name in measured and (not view.visible or name in view.visible))
        return Situation(self._origin, *where, cursor, phase, view.element if cursor else (), runs, reached, measure)

    def _runs(self) -> tuple[dict[str, RunBeside], tuple[str, ...]]:
        """Of the runs that were trained beside those that a step can have trained, and the names of the others."""
        log, kept = self._link.log, self._branches.kept
        return runs_beside(log, {one.branch.name: one.branch.log for one in kept if one.raced is not None}) if log else ({}, ())

    def _cursor(self) -> tuple[str, str]:
        """Node and phase, as a step names them: the selected node where the phase has a step of it."""
        stepping, index = self._stepping, self._stepping.index
        if index is None or not stepping.cursor:
            return "", ""
        step = index.trace.steps[min(stepping.cursor, index.length) - 1]
        node = stepping.selected_node if stepping.selected_node is not None else step.node
        return ("", step.phase) if node is None or step.phase == "batch" else (lesson_name(index, node), step.phase)

    def recorded(self, view: AuthorView, place: int | None = None) -> RecordedStep:
        """Return the step that would come behind the chosen one, or at a place. Raises ValueError where the document reads a file."""
        return recorded(self.lesson, self.place + 1 if place is None else place, self.situation(view))

    def holds_document(self, view: AuthorView) -> bool:
        """Return whether the document, as it is, is that of the last step: nothing would be lost with it."""
        try:
            step = self.recorded(view, len(self.lesson.steps)).step
        except ValueError:
            return False
        return step.document is None and not step.set

    def example(self, view: AuthorView) -> str:
        """Return what was changed since the chosen step was set up, as the example of its question; empty if no such thing was."""
        if self.step is None:
            return ""
        steps = (*self.lesson.steps[: self.place], replace(self.step, ask=None))
        try:
            before, step = (
                behind(replace(self.lesson, steps=steps), len(steps)),
                recorded(replace(self.lesson, steps=steps), len(steps), self.situation(view)).step,
            )
        except ValueError:
            return ""
        if step.document is None and len(step.set) == 1:
            ((path, value),) = step.set.items()
            return f"{path}={'none' if value is None else str(value).lower() if isinstance(value, bool) else value}"
        trained = self._link.run.iteration - before.iteration if before and step.document is None and not step.set else 0
        return f"iterations={trained}" if trained > 0 else ""

    def warning(self) -> str:
        """Return what a step that is taken now could not say, as a sentence; empty if it says all."""
        if self._link.log is None:
            return ""
        try:
            before = behind(self.lesson, self.place + 1)
        except ValueError:
            before = None
        start = before.iteration if before and before.origin == self._origin else 0
        late = late_change(self._link.log, self._link.run.iteration, start)
        if late is not None:
            return f"A step changes settings where it begins, at {start:,}: go back to iteration {late:,} and add a step there first."
        _, others = self._runs()
        if others:
            return f"A step trains runs beside it from their start, in one go: it leaves {', '.join(others)} out."
        return ""

    def asked(self, kind: str, element: tuple[int, ...]) -> str:
        """Return the expression for a number of what is selected: value · gradient · updated; empty where nothing is."""
        index, node = self._stepping.index, self._stepping.node_at_hand
        return asked_expression(index, node, element, kind) if index is not None and node is not None else ""

    @property
    def selected_name(self) -> str:
        """What a lesson calls the node that is selected; empty for none."""
        index, node = self._stepping.index, self._stepping.selected_node
        return lesson_name(index, node) if index is not None and node is not None else ""

    # --- the lesson as a whole ---

    def new(self) -> None:
        """Begin a lesson."""
        self._take(NEW, None, NEW)

    def open(self, path: Path) -> bool:
        """Write on the lesson in a file; return whether it could be read."""
        try:
            lesson = open_draft(path)
        except LessonError as error:
            self.message_posted.emit("error", str(error))
            return False
        self._take(lesson, path, lesson)
        return True

    def open_copy(self, lesson: Lesson) -> None:
        """Write on a copy of a lesson that has no file of its own."""
        self._take(lesson, None, None)

    def recover(self, kept: KeptDraft) -> None:
        """Go on with a lesson that an earlier start has left."""
        self._take(kept.lesson, kept.path, None)
        self.keep()
        drop_draft(kept.file)

    def _take(self, lesson: Lesson, path: Path | None, saved: Lesson | None) -> None:
        self.lesson, self.path, self._saved = lesson, path, saved
        self.place = 0 if lesson.steps else -1
        self._past, self._future, self._merged = [], [], ""
        self.check.forget()
        self.changed.emit()

    def close(self) -> None:
        """Write no longer on it, and forget the copy."""
        self.lesson, self.path, self.place = None, None, -1
        self._timer.stop()
        self.check.forget()
        drop_draft(draft_file(self._window))
        self.changed.emit()

    def save(self, path: Path) -> bool:
        """Write the lesson to its file; return whether it is saved."""
        try:
            save_lesson(self.lesson, path)
        except LessonError as error:
            self.message_posted.emit("error", str(error))
            return False
        self.path, self._saved = path, self.lesson
        self._timer.stop()
        drop_draft(draft_file(self._window))
        lacks = self.missing()
        self.message_posted.emit("warning" if lacks else "info", f"Saved as {path.name}. {lacks}".strip())
        self.changed.emit()
        return True

    def missing(self) -> str:
        """Return what the lesson lacks before it can be played, as a sentence; empty if it is whole."""
        if not self.lesson.steps:
            return "It has no step yet: stand where it shall begin, and press “Add step”."
        found = ((number, step) for number, step in enumerate(self.lesson.steps, 1) if step.ask)
        return next((f"Step {number}: {lacks}" for number, step in found if (lacks := what_is_missing(step.ask))), "")

    def keep(self) -> None:
        """Keep a copy now, if something is not saved."""
        self._timer.stop()
        if self._keeps_copy and not self.is_saved:
            try:
                keep_draft(self.lesson, self.path, self._window)
            except OSError as error:
                self.message_posted.emit("warning", f"The copy of the lesson could not be written: {error.strerror or error}.")

    # --- changing it ---

    def describe(self, **fields: Any) -> None:
        """Change title, summary, minutes or group."""
        self._change(replace(self.lesson, **fields), self.place, f"lesson {sorted(fields)}")

    def write(self, **fields: Any) -> None:
        """Change texts, question or claims of the chosen step."""
        if self.step is not None:
            step = replace(self.step, **fields)
            steps = (*self.lesson.steps[: self.place], step, *self.lesson.steps[self.place + 1 :])
            self._change(replace(self.lesson, steps=steps), self.place, f"{self.place} {sorted(fields)}")

    def add_step(self, view: AuthorView) -> None:
        """Add a step behind the chosen one: it sets up where the author stands now."""
        found, place = self._recorded_or_told(view), self.place + 1
        if found is not None:
            order = [*range(place), found.step, *range(place, len(self.lesson.steps))]
            self._change(rearranged(found.lesson, order), place)

    def retake(self, view: AuthorView) -> None:
        """Let the chosen step set up where the author stands now; its texts and its question stay."""
        found = self._recorded_or_told(view, self.place) if self.step else None
        if found is not None:
            steps = retaken(self.lesson.steps, self.place, found.step)
            self._change(without_unused(replace(found.lesson, steps=steps)), self.place)

    def _recorded_or_told(self, view: AuthorView, place: int | None = None) -> RecordedStep | None:
        try:
            return self.recorded(view, place)
        except ValueError as error:
            self.message_posted.emit("error", str(error))
            return None

    def remove(self) -> None:
        """Take the chosen step out."""
        if self.step is not None:
            self._rearrange(
                [one for one in range(len(self.lesson.steps)) if one != self.place], min(self.place, len(self.lesson.steps) - 2)
            )

    def duplicate(self) -> None:
        """Put the chosen step in once more, behind itself."""
        if self.step is not None:
            order = [*range(self.place + 1), *range(self.place, len(self.lesson.steps))]
            self._rearrange(order, self.place + 1)

    def move(self, by: int) -> None:
        """Let the chosen step stand so many places later."""
        target = self.place + by
        if self.step is not None and 0 <= target < len(self.lesson.steps):
            order = [one for one in range(len(self.lesson.steps)) if one != self.place]
            self._rearrange([*order[:target], self.place, *order[target:]], target)

    def _rearrange(self, order: Sequence[int], place: int) -> None:
        self._change(without_unused(rearranged(self.lesson, order)), place)

    def choose(self, place: int) -> None:
        """Choose another step."""
        if self.lesson and 0 <= place < len(self.lesson.steps) and place != self.place:
            self.place, self._merged = place, ""
            self.changed.emit()

    def undo(self) -> None:
        """Take the last change of the lesson back."""
        self._go(self._past, self._future)

    def redo(self) -> None:
        """Make the change again that was taken back last."""
        self._go(self._future, self._past)

    def _go(self, source: list[tuple[Lesson, int]], target: list[tuple[Lesson, int]]) -> None:
        if source:
            target.append((self.lesson, self.place))
            (self.lesson, self.place), self._merged = source.pop(), ""
            self._timer.start()
            self.changed.emit()

    def _change(self, lesson: Lesson, place: int, merge: str = "") -> None:
        if lesson == self.lesson and place == self.place:
            return
        if not merge or merge != self._merged:
            self._past = [*self._past[-_MOST:], (self.lesson, self.place)]
        self._future, self._merged = [], merge
        self.lesson, self.place = lesson, place
        self._timer.start()
        self.changed.emit()

    # --- going to a step ---

    def revisit(self) -> None:
        """Set the chosen step up in the window, with all that leads to it."""
        if self.step is not None:
            self._revisited = True
            self._run.open(DRAFT, self.lesson, self.place)

    def stop(self) -> None:
        """End what is going on, and keep a copy of what is not saved."""
        self.keep()
        self.check.forget()

    def _stand(self) -> None:
        """Leave the lesson once the step stands: the author goes on from there."""
        run = self._run
        if self._revisited and (run.state is None or run.obstacle or not run.is_setting_up):
            self._revisited = False
            if run.obstacle:
                self.message_posted.emit("error", run.obstacle)
            if run.state is not None:
                run.leave()
            self.changed.emit()

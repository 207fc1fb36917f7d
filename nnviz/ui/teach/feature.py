"""Writing a lesson: the panel an author writes on, driven by the session's draft, with its files, its trial and its check."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from msgspec import structs
from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtWidgets import QFileDialog, QLabel, QMessageBox, QPushButton, QStackedWidget

from nnviz.lessons.checks import filled
from nnviz.lessons.facts import Facts
from nnviz.lessons.lesson import SUFFIX, Lesson, Wrong
from nnviz.lessons.lesson_drafts import KeptDraft, drop_draft, kept_drafts
from nnviz.lessons.wrong_numbers import suggested
from nnviz.session.lesson_draft import AuthorView
from nnviz.session.session import Session
from nnviz.ui.shell_api import Shell
from nnviz.ui.teach._teach_page import ShownLesson, TeachPage
from nnviz.ui.teach._telling import told
from nnviz.ui.teach.expression_field import Told
from nnviz.ui.widgets.boxes import stacked
from nnviz.ui.widgets.card import Card
from nnviz.ui.widgets.header_button import ActionButton

PANEL, WORKSPACE = "teach", "learn"
_TRYING, _KEPT = "trying_lesson", "kept_lesson"
LESSONS = f"nnviz lessons (*{SUFFIX});;All files (*)"
_BESIDE = ("network", "graph", "inspector")
"""What stands beside a lesson that is begun."""
_REST = 150
"""Milliseconds without another change until what was done is told anew: not for each iteration of a training."""


class TeachFeature(QObject):
    """`session.draft` holds the lesson; here it is shown, and what an author does is handed on."""

    needs = {PANEL: "trace"}  # noqa: RUF012
    """What the engine has to measure for its panel."""
    panels_wanted = Signal(tuple)
    """These panels shall be seen in the Learn workspace."""
    play_wanted = Signal(object, int)
    """A lesson shall be played from a step on: the Lesson, and the place."""
    file_wanted = Signal(object)
    """The lesson in this file shall be played."""

    def __init__(self, session: Session, shell: Shell) -> None:
        super().__init__(shell.window())
        self.session, self._shell, self.draft = session, shell, session.draft
        self._view: Callable[[], AuthorView] = lambda: AuthorView("step")
        self._may_leave: Callable[[], bool] = lambda: True
        self._facts: Facts | None = None
        self._panels: tuple[str, ...] = (PANEL, *_BESIDE)
        self._is_trying = False
        self.page = TeachPage(self._told, self._filled)
        table = shell.action_table
        tools = [
            ActionButton(table[name], word) for name, word in (("try_lesson", "try it"), ("check_lesson", "check"), ("save_lesson", "save"))
        ]
        self.begin = QPushButton("New lesson…")
        self._pages = QStackedWidget()
        self._pages.addWidget(stacked(QLabel("No lesson is being written.", wordWrap=True), self.begin))
        self._pages.addWidget(self.page)
        self.cards = {PANEL: Card("Write a lesson", self._pages, tools)}
        self._resting = QTimer(self, singleShot=True, interval=_REST)
        self._resting.timeout.connect(self._show_situation)
        self._connect()

    def _connect(self) -> None:
        page, draft = self.page, self.draft
        draft.changed.connect(self._show)
        self.begin.clicked.connect(self.new)
        page.described.connect(lambda fields: draft.describe(**fields))
        page.written.connect(self._write)
        page.chosen.connect(draft.choose)
        page.wanted.connect(self._do)
        page.insert_wanted.connect(self._insert)
        page.question.number_wanted.connect(self._ask_for)
        page.question.click_wanted.connect(self._ask_for_click)
        page.question.example_wanted.connect(self._take_example)
        page.question.wrong_wanted.connect(self._add_wrong)
        session = self.session
        for changed in (session.experiment_changed, session.run_changed, session.stepping.trace_state_changed):
            changed.connect(lambda *_: self._follow())
        session.stepping.selection_changed.connect(lambda *_: self._follow())
        session.document_replaced.connect(self._follow)
        for changed in (session.branches.changed, session.tasks.changed):
            changed.connect(lambda *_: self._follow())
        session.lessons.changed.connect(self._follow_trial)

    def look_through(self, view: Callable[[], AuthorView], may_leave: Callable[[], bool]) -> None:
        """Have `view` asked where the author stands, and `may_leave` before unsaved work would be lost."""
        self._view, self._may_leave = view, may_leave

    # --- what there is ---

    @property
    def is_writing(self) -> bool:
        """Whether a lesson is being written."""
        return self.draft.lesson is not None

    @property
    def has_steps(self) -> bool:
        """Whether it has steps to be played."""
        return self.is_writing and bool(self.draft.lesson.steps)

    # --- the lesson as a whole ---

    def new(self) -> None:
        """Begin a lesson, once the one that is written is settled."""
        if self._may_close():
            self._leave_lesson()
            self.draft.new()
            self._come()
            self.page.title.selectAll()
            self.page.title.setFocus()

    def write(self) -> None:
        """Go on writing the lesson that is written, a copy of the one that is open, or one in a file."""
        state = self.session.lessons.state
        if state is not None and not state.name.startswith(":"):
            if self._is_written(state.name) or self._may_close():
                self._leave_lesson()
                self._write_on(state.name, state.lesson)
        elif self.is_writing and not self._is_trying and not self._shell.is_visible(PANEL):
            self._come()
        else:
            path = QFileDialog.getOpenFileName(self._shell.window(), "Write on a lesson", self._folder(), LESSONS)[0]
            if path and self._may_close() and self.draft.open(Path(path).absolute()):
                self._leave_lesson()
                self._come()

    def _is_written(self, name: str) -> bool:
        """Whether the lesson of this name, a file, is the one that is written."""
        return self.draft.path is not None and str(self.draft.path) == name

    def _write_on(self, name: str, lesson: Lesson) -> None:
        """Write on the file of a lesson that is open; on a copy of one that comes with the program."""
        if not Path(name).is_absolute():
            self.draft.open_copy(lesson)
        if self._is_written(name) or not Path(name).is_absolute() or self.draft.open(Path(name)):
            self._come()

    def open_lesson(self) -> None:
        """Ask for the file of a lesson and play it."""
        path = QFileDialog.getOpenFileName(self._shell.window(), "Open a lesson", self._folder(), LESSONS)[0]
        if path:
            self.file_wanted.emit(Path(path).absolute())

    def save(self) -> bool:
        """Write the lesson to its file, or ask for one; return whether it is saved."""
        return self.draft.save(self.draft.path) if self.draft.path else self.save_as()

    def save_as(self) -> bool:
        """Ask for a file and write the lesson there; return whether it is saved."""
        name = "".join(letter if letter.isalnum() else "_" for letter in self.draft.lesson.title.lower()).strip("_") or "lesson"
        asked = QFileDialog.getSaveFileName(self._shell.window(), "Save the lesson", str(Path(self._folder()) / f"{name}{SUFFIX}"), LESSONS)
        if not asked[0]:
            return False
        path = Path(asked[0]).absolute()
        if not path.name.lower().endswith(SUFFIX):
            path = path.with_name(path.name.removesuffix(".json").removesuffix(".lesson") + SUFFIX)
            if path.exists() and not self._may_replace(path):
                return False
        return self.draft.save(path)

    def _may_replace(self, path: Path) -> bool:
        buttons = QMessageBox.StandardButton
        text = f"{path.name} exists already. Replace it?"
        return QMessageBox.question(self._shell.window(), "Replace file", text, buttons.Yes | buttons.No) == buttons.Yes

    def close(self) -> None:
        """Write no longer on it, once it is settled whether it is saved."""
        if self.is_writing and self._may_close():
            self.draft.close()
            self.panels_wanted.emit(("lesson", *_BESIDE))

    def _may_close(self) -> bool:
        """Ask what becomes of a lesson that is not saved. Returns False if the author would rather stay."""
        if self.draft.is_saved:
            return True
        buttons = QMessageBox.StandardButton
        text = f"The lesson “{self.draft.lesson.title}” has changes that are not saved."
        answer = QMessageBox.question(self._shell.window(), "Unsaved lesson", text, buttons.Save | buttons.Discard | buttons.Cancel)
        return self.save() if answer == buttons.Save else answer == buttons.Discard

    def _folder(self) -> str:
        return str(self.draft.path.parent) if self.draft.path else self.session.document.folder or str(Path.home())

    # --- what a crash has left ---

    def offer_kept(self) -> None:
        """Offer a lesson that an earlier start has left unsaved."""
        found = kept_drafts()
        if found:
            text = f"An earlier start left a lesson that is not saved: “{found[0].lesson.title}”, {len(found[0].lesson.steps)} steps."
            answers = [("Go on writing", lambda: self._recover(found[0])), ("Discard", lambda: drop_draft(found[0].file))]
            self._shell.notes.post(_KEPT, "info", text, answers)

    def _recover(self, kept: KeptDraft) -> None:
        if self._may_close():
            self.draft.recover(kept)
            self._come()

    # --- trying and checking ---

    def try_out(self) -> None:
        """Play the lesson from the chosen step on, as a learner would."""
        if lacks := self.draft.missing():
            self.session.post("warning", lacks)
            return
        if not self._may_go():
            return
        self._is_trying = True
        self._panels = (PANEL, *self._beside())
        text = f"You are trying “{self.draft.lesson.title}” as a learner would."
        self._shell.notes.post(_TRYING, "info", text, [("Back to writing", self.back)])
        self.play_wanted.emit(self.draft.lesson, max(0, self.draft.place))

    def back(self) -> None:
        """Go on writing: the trial is over, the window stays as it is."""
        self._leave_lesson()

    def _follow_trial(self) -> None:
        if self._is_trying and self.session.lessons.state is None:
            self._is_trying = False
            self._shell.notes.drop(_TRYING)
            self.panels_wanted.emit(self._panels)
            self._follow()

    def _leave_lesson(self) -> None:
        if self.session.lessons.state is not None:
            self.session.lessons.leave()

    def check(self) -> None:
        """Play the lesson in a process of its own, and say what does not hold."""
        if lacks := self.draft.missing():
            self.session.post("warning", lacks)
        else:
            self.draft.check.start(self.draft.lesson)

    # --- steps ---

    def add_step(self) -> None:
        """Add a step behind the chosen one: it sets up where the author stands now."""
        self.draft.add_step(self._view())
        if self._shell.is_visible(PANEL):
            self.page.show_tab("text")
            self.page.text.setFocus()

    def _do(self, what: str) -> None:
        draft = self.draft
        match what:
            case "add":
                self.add_step()
            case "show" if self._may_go():
                draft.revisit()
            case "retake":
                draft.retake(self._view())
            case "copy":
                draft.duplicate()
            case "up" | "down":
                draft.move(-1 if what == "up" else 1)
            case "remove":
                draft.remove()

    def _may_go(self) -> bool:
        """Whether another document may be opened: what no step holds, and no file, would be lost."""
        return self.draft.holds_document(self._view()) or self.session.is_saved or self._may_leave()

    def _write(self, fields: dict) -> None:
        """A text that is written before there is any step makes the first one."""
        if self.draft.step is None and self.is_writing:
            self.draft.add_step(self._view())
        self.draft.write(**fields)

    # --- numbers of what is selected ---

    def _element(self) -> tuple[int, ...]:
        return self._view().element

    def _insert(self) -> None:
        expression = self.draft.asked("value", self._element())
        if expression:
            self.page.put_into_text(f"{{= {expression} }}")
        else:
            self._say_nothing_selected()

    def _ask_for(self, kind: str) -> None:
        expression = self.draft.asked(kind, self._element())
        if expression:
            self._change_ask(answer=expression)
        else:
            self._say_nothing_selected()

    def _ask_for_click(self) -> None:
        name = self.draft.selected_name or next(iter(self._shell.selected_layers), "")
        if name:
            self._change_ask(when=f"clicked == {name!r}", example=name)
        else:
            self._say_nothing_selected()

    def _say_nothing_selected(self) -> None:
        self.session.post("info", "Nothing is selected. Click a node in the graph first.")

    def _take_example(self) -> None:
        """Let what was changed since the step be the example: one setting, or iterations."""
        example = self.draft.example(self._view())
        if example:
            self._change_ask(example=example)
        else:
            self.session.post("info", "Change one setting, or train on, from where the step begins: that becomes the example.")

    def _add_wrong(self, wrong: Wrong) -> None:
        ask = self.draft.step.ask
        self._change_ask(wrong=(*ask.wrong, wrong))

    def _change_ask(self, **fields: object) -> None:
        if self.draft.step and self.draft.step.ask:
            self.draft.write(ask=structs.replace(self.draft.step.ask, **fields))

    # --- what is shown ---

    def _come(self) -> None:
        """Bring the panel up, in the workspace in which lessons are played."""
        self.panels_wanted.emit((PANEL, *self._beside()))
        self._show()

    def _beside(self) -> tuple[str, ...]:
        """The panels that stand beside the lesson now, where it is in sight."""
        return self._view().visible or _BESIDE

    def _show(self) -> None:
        draft = self.draft
        self._shell.update_actions()
        self._pages.setCurrentIndex(draft.lesson is not None)
        if draft.lesson is None or not self._shell.is_visible(PANEL):
            return
        name = draft.path.name if draft.path else "not saved yet"
        self.cards[PANEL].set_title("Write a lesson", "Write")
        self.cards[PANEL].set_subtitle(name if draft.is_saved else f"{name} •")
        self._facts = self._measured()
        found = tuple(draft.check.found) if draft.check.found is not None and draft.check.checked == draft.lesson else None
        self.page.show_lesson(ShownLesson(draft.lesson, draft.place, *self._done(), found, draft.check.is_running))
        self._offer_wrongs()

    def _done(self) -> tuple[tuple[str, ...], str]:
        try:
            done = self.draft.recorded(self._view()).told
        except ValueError as error:
            return (), str(error)
        return done, self.draft.warning()

    def _follow(self) -> None:
        if self.is_writing and not self._resting.isActive():
            self._resting.start()

    def _show_situation(self) -> None:
        if self.is_writing and self._shell.is_visible(PANEL):
            self._facts = self._measured()
            self.page.show_situation(*self._done())
            self._offer_wrongs()

    def show_workspace(self) -> None:
        """The Learn workspace has come into sight, or its panels have changed."""
        self._show()

    def _measured(self) -> Facts | None:
        return self.draft.facts if self.draft.lesson is not None else None

    def _offer_wrongs(self) -> None:
        ask = self.draft.step.ask if self.draft.step else None
        if ask is None or ask.kind != "number" or self._facts is None:
            self.page.question.set_offered(())
            return
        has = {wrong.answer for wrong in ask.wrong}
        self.page.question.set_offered([one for one in suggested(ask.answer, self._facts, ask.tolerance) if one.answer not in has])

    def _filled(self, text: str) -> str:
        return filled(text, self._facts)

    def _told(self, text: str, purpose: str) -> Told:
        return told(text, purpose, self.draft.step.ask if self.draft.step else None, self._facts)

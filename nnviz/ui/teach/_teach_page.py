"""The page an author writes a lesson on: its steps, what was done since the chosen one, its texts and its question. It changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QButtonGroup,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListWidget,
    QPlainTextEdit,
    QPushButton,
    QSizePolicy,
    QSpinBox,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from nnviz.lessons.lesson import Lesson
from nnviz.ui.teach._question_form import QuestionForm, set_plain, text_box
from nnviz.ui.teach.expression_field import Tell
from nnviz.ui.theme.colors import BODY, GRID, LARGE
from nnviz.ui.theme.fonts import sans, scaled
from nnviz.ui.theme.style import set_role
from nnviz.ui.widgets.boxes import scrolling
from nnviz.ui.widgets.sections import DividingLine, Heading
from nnviz.ui.widgets.typeset_text import TypesetText

_TABS = {"text": "Text", "question": "Question", "claims": "Claims", "lesson": "Lesson"}
_MOST = 3
"""So many faults are told above the list of steps."""
_ON_STEP = {
    "show": ("Go there", "Set this step up in the window, with all that leads to it"),
    "retake": ("Retake", "Let this step set up what stands in the window now; its texts and its question stay"),
    "copy": ("Copy", "Put this step in once more"),
    "up": ("↑", "Let this step come earlier"),
    "down": ("↓", "Let this step come later"),
    "remove": ("✕", "Take this step out (undo brings it back)"),
}


@dataclass(frozen=True)
class ShownLesson:
    """What the page shows."""

    lesson: Lesson
    place: int
    """Of the chosen step; -1 for none."""
    done: tuple[str, ...] = ()
    """What was done since, in words."""
    warning: str = ""
    found: tuple[tuple[int, str], ...] | None = None
    """What the check has found, by step; None where it has not checked this lesson."""
    is_checking: bool = False


class TeachPage(QWidget):
    """`fill` works {= expressions } out for the preview, `tell` says what an expression gives."""

    described = Signal(dict)
    """Title, summary, minutes or group."""
    written = Signal(dict)
    """Fields of the chosen step."""
    chosen = Signal(int)
    wanted = Signal(str)
    """add · show · retake · copy · up · down · remove"""
    insert_wanted = Signal()
    """The number of what is selected shall be put into the text."""

    def __init__(self, tell: Tell, fill: Callable[[str], str], parent: QWidget | None = None) -> None:
        super().__init__(parent, accessibleName="Writing a lesson")
        self._fill, self._tell = fill, tell
        self._shown: ShownLesson | None = None
        self._is_shown = False
        self.title = QLineEdit(accessibleName="Title", placeholderText="Title", font=sans(LARGE))
        self.steps = QListWidget(accessibleName="Steps of the lesson")
        self.buttons = {name: QPushButton(text, toolTip=tip, accessibleName=tip) for name, (text, tip) in _ON_STEP.items()}
        self.done, self.warning, self.verdict = QLabel(wordWrap=True), QLabel(wordWrap=True), QLabel(wordWrap=True)
        self.add = QPushButton("Add step", toolTip="Add a step that sets up what stands in the window now (Ctrl+Alt+Shift+A)")
        self.tabs = {name: QPushButton(text, checkable=True) for name, text in _TABS.items()}
        self.text = text_box("What the step says, in Markdown with $formulas$ and {= expressions }", 96)
        self.reveal = text_box("Reveal: what is said once the question is answered", 72)
        self.insert = QPushButton("+ number of the selection", toolTip="Put the number of what is selected in the graph into the text")
        self.preview = TypesetText(BODY + 1)
        self.reveal_preview = TypesetText(BODY + 1)
        self.question = QuestionForm(tell)
        self.claims = text_box("Conditions that must hold here, one a line, as: value('h1/relu')[0, 0] == 0", 90)
        self.claims_told = QLabel(wordWrap=True)
        self.summary = text_box("One sentence: what one can do afterwards", 48)
        self.group = QLineEdit(accessibleName="Group in the list", placeholderText="heading in the list of lessons")
        self.minutes = QSpinBox(minimum=1, maximum=999, accessibleName="Minutes")
        self._lay_out()
        self._connect()

    # --- layout ---

    def _lay_out(self) -> None:
        self.steps.setFixedHeight(round(scaled(104)))
        self.steps.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        on_step = QHBoxLayout()
        on_step.setSpacing(GRID)
        for name, button in self.buttons.items():
            if name in ("up", "down", "remove"):
                button.setFixedWidth(round(scaled(34)))
            on_step.addWidget(button)
        on_step.addStretch()
        self.add.setProperty("accent", True)
        self.add.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        set_role(self.done, "muted")
        set_role(self.warning, "clip")
        add = QHBoxLayout()
        add.addWidget(self.done, 1)
        add.addWidget(self.add, 0, Qt.AlignmentFlag.AlignTop)
        tabs = QHBoxLayout()
        tabs.setSpacing(2)
        group = QButtonGroup(self)
        for button in self.tabs.values():
            button.setProperty("role", "word")
            group.addButton(button)
            tabs.addWidget(button)
        tabs.addStretch()
        self._pages = QStackedWidget()
        for page in (self._text_page(), self.question, self._claims_page(), self._lesson_page()):
            self._pages.addWidget(scrolling(page))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GRID)
        self._since = Heading("Done since", "forward")
        for part in (self.title, self.verdict, self.steps, on_step, self._since, add, self.warning, DividingLine(), tabs):
            column.addWidget(part) if isinstance(part, QWidget) else column.addLayout(part)
        column.addWidget(self._pages, 1)
        self.tabs["text"].setChecked(True)

    def _text_page(self) -> QWidget:
        head = QHBoxLayout()
        head.addWidget(Heading("Text", "muted"))
        head.addStretch()
        head.addWidget(self.insert)
        return _page(head, self.text, self.preview, Heading("Reveal", "muted"), self.reveal, self.reveal_preview)

    def _claims_page(self) -> QWidget:
        return _page(Heading("Claims", "muted"), self.claims, self.claims_told)

    def _lesson_page(self) -> QWidget:
        form = QFormLayout()
        form.addRow("Summary", self.summary)
        form.addRow("Minutes", self.minutes)
        form.addRow("Group", self.group)
        return _page(form)

    def _connect(self) -> None:
        for place, button in enumerate(self.tabs.values()):
            button.clicked.connect(lambda _=False, place=place: self._pages.setCurrentIndex(place))
        for name, button in self.buttons.items():
            button.clicked.connect(lambda _=False, name=name: self.wanted.emit(name))
        self.add.clicked.connect(lambda: self.wanted.emit("add"))
        self.steps.currentRowChanged.connect(lambda row: self._emit(self.chosen, row))
        self.steps.itemDoubleClicked.connect(lambda _: self.wanted.emit("show"))
        self.title.textEdited.connect(lambda text: self._emit(self.described, {"title": text}))
        self.group.textEdited.connect(lambda text: self._emit(self.described, {"group": text}))
        self.minutes.valueChanged.connect(lambda minutes: self._emit(self.described, {"minutes": minutes}))
        self.summary.textChanged.connect(lambda: self._emit(self.described, {"summary": self.summary.toPlainText()}))
        self.text.textChanged.connect(lambda: self._emit(self.written, {"text": self.text.toPlainText()}))
        self.reveal.textChanged.connect(lambda: self._emit(self.written, {"reveal": self.reveal.toPlainText()}))
        self.claims.textChanged.connect(lambda: self._emit(self.written, {"claims": _lines(self.claims)}))
        self.question.edited.connect(lambda ask: self._emit(self.written, {"ask": ask}))
        self.insert.clicked.connect(self.insert_wanted)

    def _emit(self, signal: Signal, value: object) -> None:
        if self._is_shown:
            signal.emit(value)

    # --- what is shown ---

    def show_lesson(self, shown: ShownLesson) -> None:
        """Show this; fields that have it already keep their cursor."""
        self._shown, self._is_shown = shown, False
        lesson, place = shown.lesson, shown.place
        _set_line(self.title, lesson.title)
        _set_line(self.group, lesson.group)
        set_plain(self.summary, lesson.summary)
        self.minutes.setValue(lesson.minutes)
        self._show_steps(lesson, place, shown.found)
        step = lesson.steps[place] if place >= 0 else None
        for page in range(3):
            self._pages.widget(page).setEnabled(step is not None or page == 0)
        for name, button in self.buttons.items():
            is_possible = {"up": place > 0, "down": place < len(lesson.steps) - 1}.get(name, True)
            button.setEnabled(step is not None and is_possible)
        set_plain(self.text, step.text if step else "")
        set_plain(self.reveal, step.reveal if step else "")
        set_plain(self.claims, "\n".join(step.claims) if step else "", lambda _: step is not None and _lines(self.claims) == step.claims)
        self.question.set_ask(step.ask if step else None)
        self._is_shown = True
        self.show_situation(shown.done, shown.warning)
        self._show_verdict(shown)

    def show_situation(self, done: Sequence[str], warning: str) -> None:
        """Say what was done since the chosen step, and what the numbers are now."""
        place = self._shown.place if self._shown else -1
        self._since.setText(f"DONE SINCE STEP {place + 1}" if place >= 0 else "WHERE THE LESSON BEGINS")
        self.done.setText(" · ".join(done) or "nothing yet")
        self.warning.setText(warning)
        self.warning.setVisible(bool(warning))
        for text, preview in ((self.text, self.preview), (self.reveal, self.reveal_preview)):
            preview.set_text(self._fill(text.toPlainText()))
        self.question.refresh()
        self._show_claims()

    def _show_claims(self) -> None:
        told = [(claim, self._tell(claim, "claim")) for claim in _lines(self.claims)]
        self.claims_told.setText("\n".join(f"{'✗' if one.is_fault else '✓'} {one.text}" for _, one in told))
        set_role(self.claims_told, "loss" if any(one.is_fault for _, one in told) else "muted")

    def _show_steps(self, lesson: Lesson, place: int, found: tuple[tuple[int, str], ...] | None) -> None:
        faulty = {number for number, _ in found or ()}
        while self.steps.count() > len(lesson.steps):
            self.steps.takeItem(self.steps.count() - 1)
        for number, step in enumerate(lesson.steps, 1):
            first = next(iter(step.text.strip().splitlines()), "") or "(no text yet)"
            mark = "✗ " if number in faulty else ""
            text = f"{mark}{number}  {f'{step.ask.kind}: ' if step.ask else ''}{first}"
            if number > self.steps.count():
                self.steps.addItem(text)
            item = self.steps.item(number - 1)
            item.setText(text)
            item.setToolTip(
                "\n".join(sentence for one, sentence in found or () if one == number) or f"{step.ask.kind if step.ask else 'no question'}"
            )
        self.steps.setCurrentRow(place)

    def _show_verdict(self, shown: ShownLesson) -> None:
        lines = [f"Step {number}: {said}" if number else said for number, said in shown.found or ()]
        more = [f"{len(lines) - _MOST} more: they are marked ✗ below."] if len(lines) > _MOST else []
        text = "Playing the lesson, rightly and wrongly …" if shown.is_checking else "\n".join([*lines[:_MOST], *more])
        is_sound = shown.found == () and not shown.is_checking
        self.verdict.setText("All holds: every claim, every right and wrong answer." if is_sound else text)
        self.verdict.setVisible(bool(self.verdict.text()))
        set_role(self.verdict, "muted" if shown.is_checking else "agrees" if is_sound else "differs")

    def show_tab(self, name: str) -> None:
        """Show text, question, claims or lesson."""
        self.tabs[name].click()

    def put_into_text(self, text: str) -> None:
        """Put this in where the cursor of the text stands."""
        self.text.insertPlainText(text)
        self.text.setFocus()


def _lines(box: QPlainTextEdit) -> tuple[str, ...]:
    return tuple(line.strip() for line in box.toPlainText().splitlines() if line.strip())


def _set_line(line: QLineEdit, text: str) -> None:
    if line.text() != text:
        line.setText(text)


def _page(*parts) -> QWidget:
    page = QWidget()
    column = QVBoxLayout(page)
    column.setContentsMargins(0, 0, GRID, 0)
    column.setSpacing(GRID)
    for part in parts:
        column.addWidget(part) if isinstance(part, QWidget) else column.addLayout(part)
    column.addStretch()
    return page

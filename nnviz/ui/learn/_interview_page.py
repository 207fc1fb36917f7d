"""One question of an interview: the person's own answer, the short answer to compare with, and whether it was known. It judges nothing."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QPlainTextEdit, QPushButton, QWidget

from nnviz.ui.learn.keyed_page import ENTERS, KeyedPage, digit, is_button
from nnviz.ui.learn.option_button import OptionButton
from nnviz.ui.learn.question_round import INTERVIEW, OUTCOMES
from nnviz.ui.learn.step_parts import SourceButton, StepProgress
from nnviz.ui.theme.colors import BODY, GRID, LARGE
from nnviz.ui.theme.fonts import scaled
from nnviz.ui.widgets.sections import DividingLine, Heading
from nnviz.ui.widgets.typeset_text import TypesetText

_JUDGEMENTS = ("I knew it", "Nearly", "I did not")
_VERDICTS = ("right", "shown", "wrong")


@dataclass(frozen=True)
class ShownQuestion:
    """All that stands on the page."""

    place: int
    count: int
    topic: str
    question: str
    written: str = ""
    answer: str = ""
    """Empty before it is shown."""
    outcome: str = ""
    source: str = ""
    """What shows the answer."""


class InterviewPage(KeyedPage):
    """Enter shows the answer, 1 2 3 say how it went and go on, S opens what shows it, ← and → turn pages, ↑ and ↓ scroll."""

    shown_wanted = Signal()
    judged = Signal(str)
    """knew · nearly · not"""
    wrote = Signal(str)
    source_requested = Signal()
    next_requested = Signal()
    back_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Question of the interview", "Text of the question", parent)
        self._shown: ShownQuestion | None = None
        self.progress, self.topic = StepProgress(), Heading("", "forward")
        self.question, self.answer = TypesetText(LARGE), TypesetText(BODY + 1)
        self.field = QPlainTextEdit(placeholderText="Your answer, in writing or in your head", accessibleName="Your answer")
        self.field.setTabChangesFocus(True)
        self.field.setProperty("role", "answer")
        self.show_answer, self.source = QPushButton("Show the answer  Enter"), SourceButton()
        self.judgements = [OptionButton(number) for number in (1, 2, 3)]
        self.back, self.next = QPushButton("←", accessibleName="Back"), QPushButton("→", accessibleName="Next")
        self._lay_out()
        self._connect()

    def _lay_out(self) -> None:
        self._answer_head, self._line, self._ask = Heading("Answer", "forward"), DividingLine(), Heading("Did you know it?", "muted")
        column = self.column
        for widget in (self.topic, self.question, self.field, self._line, self._answer_head, self.answer, self.source, self._ask):
            column.addWidget(widget)
        for text, button in zip(_JUDGEMENTS, self.judgements, strict=True):
            button.set_option(text)
            column.addWidget(button)
        column.addStretch()
        self.show_answer.setProperty("accent", True)
        foot = QHBoxLayout()
        foot.setSpacing(GRID)
        foot.addWidget(self.back)
        foot.addStretch()
        foot.addWidget(self.show_answer)
        foot.addWidget(self.next)
        self.rows.addWidget(self.progress)
        self.rows.addWidget(self.area, 1)
        self.rows.addLayout(foot)

    def _connect(self) -> None:
        self.show_answer.clicked.connect(self._reveal)
        self.source.clicked.connect(self.source_requested)
        self.back.clicked.connect(self.back_requested)
        self.next.clicked.connect(self.next_requested)
        self.show_answer.setToolTip("Compare with the short answer (Enter, Ctrl+Alt+M)")
        self.field.setToolTip("Enter shows the answer, Shift+Enter begins a new line")
        self.back.setToolTip("Back to the question before (←)")
        self.next.setToolTip("Go on without judging (→)")
        self.field.textChanged.connect(lambda: self.wrote.emit(self.field.toPlainText()))
        for outcome, button in zip(OUTCOMES[INTERVIEW], self.judgements, strict=True):
            button.clicked.connect(lambda _=False, outcome=outcome: self.judged.emit(outcome))
        self.watch(self.field, self.show_answer, self.source, self.back, self.next, *self.judgements)

    # --- what is shown ---

    def set_question(self, shown: ShownQuestion) -> None:
        """Show this."""
        before, self._shown = self._shown, shown
        is_turned = before is None or (before.place, before.question) != (shown.place, shown.question)
        has_keyboard = self.has_keyboard
        self.progress.set_place(shown.place, shown.count)
        self.topic.setText(shown.topic.upper())
        self.question.set_text(shown.question)
        if self.field.toPlainText() != shown.written:
            self.field.blockSignals(True)
            self.field.setPlainText(shown.written)
            self.field.blockSignals(False)
        is_shown = bool(shown.answer)
        lines = min(4, shown.written.count("\n") + 1 + len(shown.written) // 40) if is_shown else 4
        self.field.setFixedHeight(round(scaled(16 + 20 * lines)))  # what has been written need not stand in the way of the answer
        self.field.setVisible(not is_shown or bool(shown.written))
        self.answer.set_text(shown.answer)
        for widget in (self._line, self._answer_head, self._ask, *self.judgements):
            widget.setVisible(is_shown)
        for outcome, verdict, button, text in zip(OUTCOMES[INTERVIEW], _VERDICTS, self.judgements, _JUDGEMENTS, strict=True):
            button.set_option(text, verdict if shown.outcome == outcome else "")
        self.source.set_source(shown.source if is_shown else "")
        self.show_answer.setVisible(not is_shown)
        self.back.setEnabled(shown.place > 0)
        if is_turned:
            self.area.verticalScrollBar().setValue(0)
        if has_keyboard and (is_turned or bool(before.answer) != is_shown):
            self.take_keyboard()
        if is_shown and not is_turned and not before.answer:
            self.area.widget().layout().activate()
            self.area.ensureWidgetVisible(self.judgements[-1], 0, 12)
            self.area.ensureWidgetVisible(self._answer_head, 0, 12)

    def take_keyboard(self) -> None:
        """Give the keyboard to the person's answer; once the short one is shown, to the page, where 1 2 3 judge."""
        (self if self._shown is None or self._shown.answer else self.field).setFocus(Qt.FocusReason.OtherFocusReason)

    # --- what a person does ---

    def _reveal(self) -> None:
        self.shown_wanted.emit()

    def take_key(self, watched: QObject, key: int, has_modifier: bool) -> bool:
        shown = self._shown
        if shown is None or has_modifier:
            return False
        if key in ENTERS and is_button(watched):
            watched.click()
        elif key in ENTERS and not shown.answer:
            self._reveal()
        elif watched is self.field:
            return False
        elif shown.answer and (place := digit(key, 3)) is not None:
            self.judged.emit(OUTCOMES[INTERVIEW][place])
        elif key == Qt.Key.Key_S and not self.source.isHidden():
            self.source_requested.emit()
        elif key in (Qt.Key.Key_Right, Qt.Key.Key_Left):
            (self.next if key == Qt.Key.Key_Right else self.back).click()
        else:
            return self.scroll(key)
        return True

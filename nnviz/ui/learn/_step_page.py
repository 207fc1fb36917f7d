"""One screen of a lesson: what is said, what is asked, the answer, what was said to it, and the way on. It judges nothing."""

from __future__ import annotations

from PySide6.QtCore import QObject, Qt, QTimer, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QPushButton, QVBoxLayout, QWidget

from nnviz.ui.learn.keyed_page import ENTERS, KeyedPage, digit, is_button
from nnviz.ui.learn.option_button import OptionButton
from nnviz.ui.learn.shown_step import ShownStep
from nnviz.ui.learn.step_parts import ColoredGround, SourceButton, StepProgress
from nnviz.ui.theme.colors import BODY, GRID, LARGE
from nnviz.ui.theme.fonts import mono
from nnviz.ui.widgets.sections import DividingLine, Heading
from nnviz.ui.widgets.typeset_text import TypesetText

_PROMPTS = {
    "click": "Click it in the network or the graph. By keyboard: choose it in the graph with the arrow keys, then Ctrl+Alt+K and Enter.",
    "change": "Change it in the window: the step goes on as soon as it is so.",
}


class StepPage(KeyedPage):
    """Works by keys: digits choose, Enter answers and goes on, ← and → turn pages, ↑ and ↓ scroll."""

    answered = Signal(str)
    next_requested = Signal()
    back_requested = Signal()
    hint_requested = Signal()
    show_requested = Signal()
    source_requested = Signal()
    """What shows the answer, where the step names it."""
    restore_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Step of the lesson", "Text of the step", parent)
        self._shown: ShownStep | None = None
        self._is_presented = False
        self.progress = StepProgress()
        self.text, self.question, self.prompt = TypesetText(BODY + 1), TypesetText(LARGE), TypesetText(BODY, "muted")
        self.field = QLineEdit(placeholderText="number", accessibleName="Your answer", font=mono(LARGE))
        self.check, self.chosen = QPushButton("Check  Enter"), QPushButton()
        self.options: list[OptionButton] = []
        self.verdict = AnswerNote()
        self.hints, self.reveal = TypesetText(BODY, "muted"), TypesetText(BODY + 1)
        self.source = SourceButton()
        self.away = AwayNote()
        self.waiting = QLabel(wordWrap=True)
        self.waiting.setProperty("role", "muted")
        self.back, self.hint = QPushButton("←", accessibleName="Back"), QPushButton("Hint")
        self.show_me, self.next = QPushButton("Show me"), QPushButton("Next  →")
        self.next.setProperty("accent", True)
        self._lay_out()
        self._connect()

    def _lay_out(self) -> None:
        self._head, self._line = Heading("Question", "forward"), DividingLine()
        self._options = QVBoxLayout()
        self._options.setSpacing(GRID)
        typed = QHBoxLayout()
        typed.setSpacing(GRID)
        typed.addWidget(self.field, 1)
        typed.addWidget(self.check)
        column = self.column
        for part in (self.text, self._line, self._head, self.question, typed, self._options, self.chosen, self.prompt):
            column.addLayout(part) if isinstance(part, QVBoxLayout | QHBoxLayout) else column.addWidget(part)
        for part in (self.verdict, self.hints, self.reveal, self.source):
            column.addWidget(part)
        column.addStretch()
        foot = QHBoxLayout()
        foot.setSpacing(GRID)
        foot.addWidget(self.back)
        foot.addStretch()
        for button in (self.hint, self.show_me, self.next):
            foot.addWidget(button)
        for widget in (self.progress, self.away, self.waiting, self.area):
            self.rows.addWidget(widget, 1 if widget is self.area else 0)
        self.rows.addLayout(foot)

    def _connect(self) -> None:
        self.check.clicked.connect(self._check)
        self.chosen.clicked.connect(lambda: self.answered.emit(self._shown.chosen))
        self.next.clicked.connect(self.next_requested)
        self.back.clicked.connect(self.back_requested)
        self.hint.clicked.connect(self.hint_requested)
        self.show_me.clicked.connect(self.show_requested)
        self.source.clicked.connect(self.source_requested)
        self.away.button.clicked.connect(self.restore_requested)
        self.back.setToolTip("Back to the step before (←, Alt+Left)")
        self.next.setToolTip("Go on (Enter, →, Alt+Right)")
        self.hint.setToolTip("Show one hint more (Ctrl+Alt+J)")
        self.show_me.setToolTip("Give the question up and see the answer (Ctrl+Alt+M)")
        self.watch(self.field, *self._buttons())

    def _buttons(self) -> tuple[QPushButton, ...]:
        return self.check, self.chosen, self.source, self.back, self.hint, self.show_me, self.next, self.away.button

    # --- what is shown ---

    def set_step(self, shown: ShownStep) -> None:
        """Show this."""
        before, self._shown = self._shown, shown
        has_keyboard = self.has_keyboard  # what is switched off would give it to something else
        is_new = before is None or (before.place, before.text) != (shown.place, shown.text) or before.question != shown.question
        is_turned = before is None or before.place != shown.place
        if is_turned:
            self.field.clear()
            self.area.verticalScrollBar().setValue(0)
        self.progress.set_place(shown.place, shown.count)
        self.text.set_text(shown.text)
        self._show_question(shown)
        self._show_answer(shown)
        self.waiting.setText(shown.waits)
        self.waiting.setVisible(bool(shown.waits))
        self.away.setVisible(shown.is_away)
        self._show_foot(shown)
        if has_keyboard and (is_new or before.is_answered != shown.is_answered):
            self.take_keyboard()
        if not is_turned and (shown.verdict, shown.hints) != (before.verdict, before.hints):
            self._bring(self.reveal if shown.reveal and shown.verdict else self.hints if shown.hints != before.hints else self.verdict)

    def _show_question(self, shown: ShownStep) -> None:
        is_asked = bool(shown.kind)
        for widget in (self._head, self._line):
            widget.setVisible(is_asked)
        self.question.set_text(shown.question)
        is_number = shown.kind == "number"
        for widget in (self.field, self.check):
            widget.setVisible(is_number)
            widget.setEnabled(not shown.is_answered)
        if is_number and shown.is_answered and shown.answer:
            self.field.setText(shown.answer)
        while len(self.options) < len(shown.options):
            self._add_option()
        for number, button in enumerate(self.options):
            button.setVisible(number < len(shown.options))
            if number < len(shown.options):
                button.set_option(shown.options[number], shown.verdict if shown.answer == str(number) else "")
                button.setEnabled(not shown.is_answered)
        can_choose = shown.kind == "click" and bool(shown.chosen) and not shown.is_answered
        self.chosen.setVisible(can_choose)
        self.chosen.setText(f"This one: {shown.chosen}  Enter")
        self.prompt.set_text("" if shown.is_answered else _PROMPTS.get(shown.kind, ""))

    def _add_option(self) -> None:
        button = OptionButton(len(self.options) + 1)
        place = str(len(self.options))
        button.clicked.connect(lambda: self.answered.emit(place))
        self.watch(button)
        self.options.append(button)
        self._options.addWidget(button)

    def _show_answer(self, shown: ShownStep) -> None:
        self.verdict.set_verdict(shown.verdict, shown.said)
        self.hints.set_text("\n\n".join(f"**Hint** {hint}" for hint in shown.hints))
        self.reveal.set_text(shown.reveal)
        self.source.set_source(shown.source if shown.is_answered else "")

    def _show_foot(self, shown: ShownStep) -> None:
        can_answer = bool(shown.kind) and not shown.is_answered and not shown.waits and not self._is_presented
        self.back.setEnabled(shown.place > 0)
        self.hint.setVisible(can_answer and shown.has_more_hints)
        self.show_me.setVisible(can_answer)
        self.next.setEnabled(shown.is_answered and not shown.waits)
        self.next.setText(shown.finish if shown.is_last else "Next  →")

    def _bring(self, widget: QWidget) -> None:
        """Let what has just been said be seen, once it has its place: what it makes longer is laid out later."""
        QTimer.singleShot(0, widget, lambda: self.area.ensureWidgetVisible(widget, 0, 12))

    def take_keyboard(self) -> None:
        """Give the keyboard to what is to be answered, else to the page, where Enter goes on."""
        shown = self._shown
        waits_for_number = shown is not None and shown.kind == "number" and not shown.is_answered and not self._is_presented
        (self.field if waits_for_number else self).setFocus(Qt.FocusReason.OtherFocusReason)

    # --- for an audience ---

    def set_presented(self, is_presented: bool) -> None:
        """Leave hint and answer to the keys that go on, and give the field for a number the keyboard only when it is clicked."""
        self._is_presented = is_presented
        if self._shown:
            self._show_foot(self._shown)
        if self.has_keyboard:
            self.take_keyboard()

    @property
    def has_more_below(self) -> bool:
        """Whether there is text below what can be seen."""
        bar = self.area.verticalScrollBar()
        return bar.value() < bar.maximum()

    def scroll_on(self) -> None:
        """Show the text that follows what can be seen."""
        bar = self.area.verticalScrollBar()
        bar.setValue(bar.value() + round(_NEXT_SCREEN * bar.pageStep()))

    # --- what a person does ---

    def _check(self) -> None:
        if text := self.field.text().strip():
            self.answered.emit(text)

    def _enter(self) -> None:
        shown = self._shown
        if shown.is_answered and not shown.waits:
            self.next_requested.emit()
        elif shown.kind == "number":
            self._check()
        elif shown.kind == "click" and shown.chosen:
            self.answered.emit(shown.chosen)

    def take_key(self, watched: QObject, key: int, has_modifier: bool) -> bool:
        shown, is_typed = self._shown, watched is self.field
        if shown is None or has_modifier:
            return False
        if key in ENTERS:
            watched.click() if is_button(watched) and watched is not self.check else self._enter()
        elif is_typed:
            return False
        elif key == Qt.Key.Key_Right and shown.is_answered and not shown.waits:
            self.next_requested.emit()
        elif key == Qt.Key.Key_Left and shown.place:
            self.back_requested.emit()
        elif key == Qt.Key.Key_S and not self.source.isHidden():
            self.source_requested.emit()
        elif (place := digit(key, len(shown.options))) is not None and not shown.is_answered:
            self.answered.emit(str(place))
        else:
            return self.scroll(key)
        return True


_NEXT_SCREEN = 0.8
"""Share of what can be seen that one goes on by: a few lines stay, to find the place."""


class AnswerNote(ColoredGround):
    """Whether the answer was right, and what a wrong one has thought."""

    def __init__(self) -> None:
        super().__init__()
        self.label = TypesetText(BODY + 0.5)
        row = QVBoxLayout(self)
        row.setContentsMargins(10, 7, 10, 7)
        row.addWidget(self.label)

    def set_verdict(self, verdict: str, said: str) -> None:
        """Say this: wrong · right · shown; nothing for an empty verdict."""
        texts = {"right": "**Right.**", "shown": "Here it is.", "wrong": f"**Not yet.** {said or 'Try once more, or take a hint.'}"}
        self.setVisible(bool(verdict))
        self.color = "forward" if verdict in ("right", "shown") else "clip"
        self.label.set_text(texts.get(verdict, ""))
        self.update()


class AwayNote(ColoredGround):
    """Says that the person has left what the step has set up, with the way back."""

    def __init__(self) -> None:
        super().__init__()
        label = QLabel("You have left the step: its numbers stay as they were.", wordWrap=True)
        self.button = QPushButton("Take me back to the step")
        self.button.setToolTip("Let document, iteration and cursor be as the step has set them up (Alt+Home)")
        column = QVBoxLayout(self)
        column.setContentsMargins(10, 8, 10, 8)
        column.setSpacing(6)
        column.addWidget(label)
        column.addWidget(self.button)

"""The question of a step as an author writes it: its kind, its text, and expressions for what is right and what is wrong."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace
from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QButtonGroup,
    QDoubleSpinBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QMenu,
    QPlainTextEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from nnviz.lessons.lesson import Ask, Wrong
from nnviz.lessons.misconceptions import explained
from nnviz.ui.teach._answer_rows import AnswerRows
from nnviz.ui.teach.expression_field import ExpressionField, Tell
from nnviz.ui.theme.colors import BODY, GRID
from nnviz.ui.theme.fonts import mono, scaled
from nnviz.ui.widgets.sections import Heading

KINDS = {"": "None", "number": "Number", "choice": "Choice", "click": "Click", "change": "Change"}
_PROMPTS = {
    "number": "What is asked, as: What is z of the first unit?",
    "choice": "What is asked, as: Which unit is silent?",
    "click": "What is to be clicked, as: Click the node where the gradient dies.",
    "change": "What is to be done, as: Choose a rate at which the loss falls.",
}
_ASKED = {"value": "Its value", "gradient": "Its gradient", "updated": "Its value after the update"}


class QuestionForm(QWidget):
    """Shows one question at a time and says of every letter what the question is now. It works nothing out itself."""

    edited = Signal(object)
    """Ask, or None for no question."""
    number_wanted = Signal(str)
    """value · gradient · updated: the number of what is selected shall be asked for."""
    click_wanted = Signal()
    """What is selected shall be what has to be clicked."""
    example_wanted = Signal()
    """What was changed since the step shall be the example."""
    wrong_wanted = Signal(object)
    """A Wrong that is offered shall be put in."""

    def __init__(self, tell: Tell, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._ask: Ask | None = None
        self._is_shown = False
        self.kinds = {kind: QPushButton(text, checkable=True) for kind, text in KINDS.items()}
        self.text = text_box("The question", 54)
        self.answer = ExpressionField("The right answer, as an expression", "number", tell, "value('h1/relu')[0, 0]")
        self.selected = {kind: QPushButton(text) for kind, text in _ASKED.items()}
        self.tolerance = QDoubleSpinBox(decimals=4, minimum=0.0, maximum=10.0, singleStep=0.01, accessibleName="Tolerance, relative")
        self.wrong, self.options = AnswerRows(False, tell), AnswerRows(True, tell)
        self.offered = QPushButton("Misconceptions", toolTip="Wrong answers that nnviz can work out for this number")
        self._menu = QMenu(self.offered)
        self.offered.setMenu(self._menu)
        self.when = ExpressionField("The condition", "condition", tell, "learning_rate < 0.05")
        self.example = QLineEdit(accessibleName="Example that makes it true", font=mono(BODY))
        self.take_click = QPushButton("Take what is selected")
        self.take_example = QPushButton("Take what I changed")
        self.hints = text_box("Hints, one a line", 40)
        self._lay_out()
        self._connect()
        self.set_ask(None)

    def _lay_out(self) -> None:
        kinds, column = QHBoxLayout(), QVBoxLayout(self)
        kinds.setSpacing(2)
        group = QButtonGroup(self)
        for button in self.kinds.values():
            button.setProperty("role", "word")
            group.addButton(button)
            kinds.addWidget(button)
        kinds.addStretch()
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GRID)
        column.addLayout(kinds)
        column.addWidget(self.text)
        self._parts = {"number": self._number_part(), "choice": self._choice_part(), "when": self._when_part(), "hints": self._hint_part()}
        for part in self._parts.values():
            column.addWidget(part)
        column.addStretch()

    def _number_part(self) -> QWidget:
        tolerance = QHBoxLayout()
        tolerance.addWidget(QLabel("Tolerance, relative"))
        tolerance.addWidget(self.tolerance)
        tolerance.addStretch()
        tolerance.addWidget(self.offered)
        label = QLabel("Ask for what is selected in the graph:", wordWrap=True)
        label.setProperty("role", "muted")
        return _part(
            Heading("Right answer", "muted"),
            label,
            _row(*self.selected.values()),
            self.answer,
            tolerance,
            Heading("Wrong ideas", "muted"),
            self.wrong,
        )

    def _choice_part(self) -> QWidget:
        return _part(Heading("Options", "muted"), self.options)

    def _when_part(self) -> QWidget:
        self._when_head = QLabel(wordWrap=True)
        self._when_head.setProperty("role", "muted")
        form = QFormLayout()
        form.setContentsMargins(0, 0, 0, 0)
        form.addRow("Example", self.example)
        return _part(Heading("Right when", "muted"), self._when_head, self.when, form, _row(self.take_click, self.take_example))

    def _hint_part(self) -> QWidget:
        return _part(Heading("Hints, one a line", "muted"), self.hints)

    def _connect(self) -> None:
        for kind, button in self.kinds.items():
            button.clicked.connect(lambda _=False, kind=kind: self._choose(kind))
        for kind, button in self.selected.items():
            button.clicked.connect(lambda _=False, kind=kind: self.number_wanted.emit(kind))
        for signal in (self.text.textChanged, self.hints.textChanged, self.tolerance.valueChanged, self.example.textEdited):
            signal.connect(lambda *_: self._take())
        for part in (self.answer, self.wrong, self.options, self.when):
            part.edited.connect(lambda *_: self._take())
        self.take_click.clicked.connect(self.click_wanted)
        self.take_example.clicked.connect(self.example_wanted)

    # --- what is shown ---

    def set_ask(self, ask: Ask | None) -> None:
        """Show this question; None for none."""
        self._ask, self._is_shown = ask, False
        kind = ask.kind if ask else ""
        self.kinds[kind].setChecked(True)
        self.text.setVisible(bool(ask))
        self._parts["number"].setVisible(kind == "number")
        self._parts["choice"].setVisible(kind == "choice")
        self._parts["when"].setVisible(kind in ("click", "change"))
        self._parts["hints"].setVisible(bool(ask))
        self.take_click.setVisible(kind == "click")
        self.take_example.setVisible(kind == "change")
        self._when_head.setText(
            "What is clicked is called `clicked`." if kind == "click" else "What must become true, and one change that makes it so:"
        )
        self.example.setPlaceholderText("h1/relu" if kind == "click" else "training.optimizer.learning_rate=0.01, or iterations=50")
        if ask is not None:
            self._show(ask)
        self._is_shown = True

    def _show(self, ask: Ask) -> None:
        set_plain(self.text, ask.text)
        self.text.setPlaceholderText(_PROMPTS[ask.kind])
        self.answer.set_text(ask.answer)
        self.tolerance.setValue(ask.tolerance)
        self.wrong.set_answers(ask.wrong)
        self.options.set_answers(ask.options)
        self.when.set_text(ask.when)
        if ask.example != self.example.text():
            self.example.setText(ask.example)
        set_plain(self.hints, "\n".join(ask.hints), lambda text: tuple(filter(None, text.split("\n"))) == ask.hints)

    def set_offered(self, offered: Sequence[Wrong]) -> None:
        """Offer these wrong answers."""
        self._menu.clear()
        for wrong in offered:
            action = self._menu.addAction(f"{explained(wrong.idea).split('. ')[0].split(': ')[0]}    {wrong.answer}")
            action.setToolTip(explained(wrong.idea))
            action.triggered.connect(lambda _=False, wrong=wrong: self.wrong_wanted.emit(wrong))
        self.offered.setEnabled(bool(offered))
        self.offered.setText(f"Misconceptions ({len(offered)})" if offered else "Misconceptions")

    def refresh(self) -> None:
        """Say anew what all expressions give."""
        for part in (self.answer, self.wrong, self.options, self.when):
            part.refresh()

    # --- what an author does ---

    def _choose(self, kind: str) -> None:
        """Another kind of question keeps the text, the hints, and what both have."""
        old = self._ask
        if kind == (old.kind if old else ""):
            return
        text, hints = (old.text, old.hints) if old else (self.text.toPlainText(), ())
        self.edited.emit(Ask(kind, text, hints=hints) if kind else None)

    def _take(self) -> None:
        if not self._is_shown or self._ask is None:
            return
        hints = tuple(filter(None, self.hints.toPlainText().split("\n")))
        tolerance = self._ask.tolerance if abs(self.tolerance.value() - self._ask.tolerance) < 5e-5 else self.tolerance.value()
        self.edited.emit(
            replace(
                self._ask,
                text=self.text.toPlainText(),
                answer=self.answer.text(),
                tolerance=tolerance,
                wrong=self.wrong.wrongs(),
                options=self.options.options(),
                when=self.when.text(),
                example=self.example.text(),
                hints=hints,
            )
        )


def text_box(name: str, height: int) -> QPlainTextEdit:
    """Return a box for a text of several lines, so many pixels high at 100 %."""
    box = QPlainTextEdit(accessibleName=name, placeholderText=name, tabChangesFocus=True)
    box.setProperty("role", "field")
    box.setFixedHeight(round(scaled(height)))
    return box


def set_plain(box: QPlainTextEdit, text: str, is_same=None) -> None:
    """Show a text; the cursor stays where it is if it is there already."""
    if not (is_same(box.toPlainText()) if is_same else box.toPlainText() == text):
        box.setPlainText(text)


def _part(*parts) -> QWidget:
    holder = QWidget()
    column = QVBoxLayout(holder)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(GRID)
    for part in parts:
        column.addWidget(part) if isinstance(part, QWidget) else column.addLayout(part)
    return holder


def _row(*widgets: QWidget) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setSpacing(GRID)
    for widget in widgets:
        row.addWidget(widget)
    row.addStretch()
    return row

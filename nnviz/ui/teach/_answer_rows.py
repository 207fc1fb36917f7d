"""The answers of a question that an author writes: wrong numbers with their ideas, and the options of a choice."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLineEdit, QPushButton, QVBoxLayout, QWidget

from nnviz.lessons.lesson import Option, Wrong
from nnviz.lessons.misconceptions import MISCONCEPTIONS
from nnviz.ui.teach.expression_field import ExpressionField, Tell
from nnviz.ui.theme.colors import GRID


class IdeaBox(QComboBox):
    """What who answers so has thought: one of the documented misconceptions, or a sentence of one's own."""

    edited = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent, editable=True, accessibleName="What who answers so has thought")
        self.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(8)
        for name, said in MISCONCEPTIONS.items():
            self.addItem(_in_words(name), name)
            self.setItemData(self.count() - 1, said, Qt.ItemDataRole.ToolTipRole)
        self.lineEdit().setPlaceholderText("idea, or a sentence that is said")
        self.set_idea("")
        self.editTextChanged.connect(self._take)

    def idea(self) -> str:
        """Return the name of the misconception, or the sentence."""
        place = self.findText(self.currentText(), Qt.MatchFlag.MatchExactly)
        return self.itemData(place) if place >= 0 else self.currentText()

    def set_idea(self, idea: str) -> None:
        """Show this one."""
        if idea != self.idea():
            self.blockSignals(True)
            self.setEditText(_in_words(idea) if idea in MISCONCEPTIONS else idea)
            self.lineEdit().setCursorPosition(0)
            self.blockSignals(False)
        self.setToolTip(MISCONCEPTIONS.get(self.idea(), self.currentText()))

    def _take(self) -> None:
        self.setToolTip(MISCONCEPTIONS.get(self.idea(), self.currentText()))
        self.edited.emit(self.idea())


def _in_words(name: str) -> str:
    return name.replace("_", " ")


class AnswerRow(QWidget):
    """One wrong number, or with a text one option of a choice."""

    edited = Signal()
    removed = Signal()

    def __init__(self, number: int, has_text: bool, tell: Tell, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.text = QLineEdit(self, placeholderText=f"option {number}", accessibleName=f"Text of option {number}")
        self.text.setVisible(has_text)
        what = "Condition under which it is right" if has_text else f"Wrong answer {number}"
        prompt = "right when, as loss < 1" if has_text else "expression of the wrong number"
        self.expression = ExpressionField(what, "condition" if has_text else "wrong", tell, prompt)
        self.idea = IdeaBox()
        self.remove = QPushButton("✕", accessibleName=f"Remove answer {number}", toolTip="Remove this answer")
        self.remove.setFixedWidth(28)
        column, first = QVBoxLayout(self), QHBoxLayout()
        column.setContentsMargins(0, 0, 0, GRID)
        column.setSpacing(2)
        first.setSpacing(GRID)
        first.addWidget(self.text if has_text else self.idea, 1)
        first.addWidget(self.remove)
        column.addLayout(first)
        column.addWidget(self.expression)
        if has_text:
            column.addWidget(self.idea)
        self.text.textEdited.connect(lambda: self.edited.emit())
        self.expression.edited.connect(lambda: self.edited.emit())
        self.idea.edited.connect(lambda: self.edited.emit())
        self.remove.clicked.connect(self.removed)

    def set_answer(self, text: str, expression: str, idea: str) -> None:
        """Show this answer."""
        if text != self.text.text():
            self.text.setText(text)
        self.expression.set_text(expression)
        self.idea.set_idea(idea)


class AnswerRows(QWidget):
    """Several of them, and a button for one more."""

    edited = Signal()

    def __init__(self, has_text: bool, tell: Tell, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._has_text, self._tell = has_text, tell
        self.rows: list[AnswerRow] = []
        self.more = QPushButton("+ option" if has_text else "+ wrong answer")
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(2)
        self._column.addWidget(self.more, 0, Qt.AlignmentFlag.AlignLeft)
        self.more.clicked.connect(self._add)

    def options(self) -> tuple[Option, ...]:
        """Return the options of a choice."""
        return tuple(Option(row.text.text(), row.expression.text(), row.idea.idea()) for row in self.rows)

    def wrongs(self) -> tuple[Wrong, ...]:
        """Return the wrong numbers."""
        return tuple(Wrong(row.expression.text(), row.idea.idea()) for row in self.rows)

    def set_answers(self, answers: Sequence[Option | Wrong]) -> None:
        """Show these."""
        while len(self.rows) > len(answers):
            row = self.rows.pop()
            row.hide()
            row.setParent(None)
            row.deleteLater()
        while len(self.rows) < len(answers):
            self._append()
        for row, one in zip(self.rows, answers, strict=True):
            row.set_answer(*((one.text, one.when, one.idea) if isinstance(one, Option) else ("", one.answer, one.idea)))

    def refresh(self) -> None:
        """Say anew what their expressions give."""
        for row in self.rows:
            row.expression.refresh()

    def _append(self) -> AnswerRow:
        row = AnswerRow(len(self.rows) + 1, self._has_text, self._tell)
        row.edited.connect(self.edited)
        row.removed.connect(lambda: self._remove(row))
        self.rows.append(row)
        self._column.insertWidget(self._column.count() - 1, row)
        row.show()
        return row

    def _add(self) -> None:
        row = self._append()
        self.edited.emit()
        (row.text if self._has_text else row.expression.line).setFocus()

    def _remove(self, row: AnswerRow) -> None:
        self.rows.remove(row)
        row.hide()
        row.setParent(None)
        row.deleteLater()
        self.edited.emit()

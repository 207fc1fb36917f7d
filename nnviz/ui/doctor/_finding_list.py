"""What the doctor found, box below box, a line on what is healthy, and what was tried before. It only asks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLabel, QPushButton, QVBoxLayout, QWidget

from nnviz.records.finding import Finding
from nnviz.ui.doctor.finding_box import FindingBox, OfferedCure, clear, in_row, note_button, text_label
from nnviz.ui.theme.colors import BODY, GRID, SMALL
from nnviz.ui.theme.fonts import sans, tip_of
from nnviz.ui.theme.style import set_role
from nnviz.ui.widgets.sections import Heading


@dataclass(frozen=True)
class Entry:
    """One box."""

    finding: Finding
    offered: tuple[OfferedCure, ...] = ()


class FindingList(QWidget):
    """Boxes stay where they are while their texts change; `health` is the line below them."""

    show_requested = Signal(object)
    apply_requested = Signal(object)
    try_requested = Signal(object, tuple)
    branch_requested = Signal(str)
    answer_requested = Signal(str)
    """The key of a question."""

    def __init__(self, is_brief: bool = False, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._is_brief = is_brief
        self.boxes: list[FindingBox] = []
        self.health = text_label(sans(BODY if is_brief else SMALL + 0.5), "muted")
        self._head, self._tried, self._shown = Heading("Tried before", "muted"), QVBoxLayout(), ()
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0 if is_brief else 2 * GRID, 0)  # room for the scroll bar
        self._column.setSpacing(2 * GRID)
        for widget in (self.health, self._head):
            self._column.addWidget(widget)
        self._column.addLayout(self._tried)
        self._head.hide()
        self.questions: dict[str, tuple[QPushButton, QLabel]] = {}
        """By key the button that asks, and the label of the answer."""
        if not is_brief:
            self._column.addStretch()

    def add_questions(self, questions: Sequence[tuple[str, str, str]]) -> None:
        """Let these be asked: keys, what they are called, and how they are answered."""
        column = QVBoxLayout()
        column.setSpacing(GRID)
        column.addWidget(Heading("Ask the run", "muted"))
        for key, label, explanation in questions:
            name, answer, button = (
                text_label(sans(SMALL + 0.5), "text"),
                text_label(sans(SMALL + 0.5), "forward"),
                note_button("Ask", explanation),
            )
            name.setText(label)
            name.setToolTip(tip_of(explanation))
            button.setAccessibleName(f"Ask: {label}")
            button.clicked.connect(lambda _=False, key=key: self.answer_requested.emit(key))
            column.addLayout(in_row(name, button))
            column.addWidget(answer)
            self.questions[key] = button, answer
        self._column.insertLayout(self._column.count() - 1, column)

    def show_answers(self, answers: Mapping[str, str], can_ask: bool) -> None:
        """Show what came of the questions, by key."""
        for key, (button, answer) in self.questions.items():
            button.setEnabled(can_ask)
            answer.setText(answers.get(key, ""))
            answer.setVisible(key in answers)

    def show_all(self, entries: Sequence[Entry], health: tuple[str, str], can_try: bool, is_past: bool) -> None:
        """Show these; `health`: the line below them and its colour. `is_past`: all that is not of where the run stands now."""
        while len(self.boxes) > len(entries):
            self._drop(self.boxes.pop())
        while len(self.boxes) < len(entries):
            self.boxes.append(self._made())
            self._column.insertWidget(len(self.boxes) - 1, self.boxes[-1])
        for box, entry in zip(self.boxes, entries, strict=True):
            box.set_finding(entry.finding, entry.offered, can_try, is_past)
        self.health.setText(health[0])
        self.health.setVisible(bool(health[0]))
        set_role(self.health, health[1])

    def show_tried(self, tried: Sequence[OfferedCure]) -> None:
        """Show what came of trials against what is not found any more."""
        tried = tuple(tried)
        if tried == self._shown:
            return
        self._shown = tried
        self._head.setVisible(bool(tried))
        clear(self._tried)
        for one in tried:
            said = text_label(sans(SMALL + 0.5), one.tone)
            said.setText(one.verdict)
            self._tried.addLayout(in_row(said, *([self._way_to(one.branch)] if one.branch else [])))

    def _way_to(self, branch: str) -> QPushButton:
        button = note_button("Go on with it", f"Let branch {branch} be the run and the document; the present one stays beside it")
        button.clicked.connect(lambda: self.branch_requested.emit(branch))
        return button

    def _made(self) -> FindingBox:
        box = FindingBox(self._is_brief, self)
        box.show_requested.connect(self.show_requested)
        box.apply_requested.connect(self.apply_requested)
        box.try_requested.connect(self.try_requested)
        box.branch_requested.connect(self.branch_requested)
        return box

    def _drop(self, box: FindingBox) -> None:
        self._column.removeWidget(box)
        box.hide()
        box.deleteLater()

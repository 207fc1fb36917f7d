"""The box of one thing that the doctor found: cause, evidence, since when, why, and the cures as buttons. It only asks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFont
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from nnviz.document.problems import Fix
from nnviz.records.finding import Finding
from nnviz.text import finding_text
from nnviz.text.finding_text import lower_first
from nnviz.ui.theme.colors import BODY, GRID, SMALL
from nnviz.ui.theme.fonts import mono, sans
from nnviz.ui.theme.style import set_role


@dataclass(frozen=True)
class OfferedCure:
    """One cure, and what is known of it."""

    fix: Fix
    verdict: str = ""
    """What came of its trial, or how far that is; empty where it was not tried."""
    tone: str = "muted"
    """The colour of that."""
    branch: str = ""
    """The branch that was trained with it; empty where there is none."""


class FindingBox(QFrame):
    """All of it, or with `is_brief` the cause, the evidence and the first cure alone."""

    show_requested = Signal(object)
    """The finding, to go to where it is seen."""
    apply_requested = Signal(object)
    """The fix that shall be made."""
    try_requested = Signal(object, tuple)
    """The finding, and the fixes that shall be trained beside the present run."""
    branch_requested = Signal(str)
    """The branch of a trial that shall be gone on with."""

    def __init__(self, is_brief: bool = False, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._is_brief = is_brief
        self.finding: Finding | None = None
        self._offered: tuple[OfferedCure, ...] = ()
        self.buttons: dict[str, QPushButton] = {}
        """Of the cures: "try", "apply" or "go on with", and the label of the fix."""
        self._verdicts: list[QLabel] = []
        self.cause, self.evidence = text_label(sans(BODY, QFont.Weight.DemiBold), "text"), text_label(sans(SMALL + 0.5), "muted")
        self.since, self.why = text_label(sans(SMALL + 0.5), "muted"), text_label(sans(SMALL + 0.5), "text")
        self.formula = text_label(mono(SMALL), "text")
        self.show_button, self.why_button = (
            note_button("Show", "Go to where it is seen"),
            note_button("Why", "How such a thing comes about"),
        )
        self.try_button = note_button("Try all", "Train all cures beside the present run, from before this began")
        self.why_button.setCheckable(True)
        self._cures = QVBoxLayout()
        self._lay_out()
        self._set_why(False)
        self.show_button.clicked.connect(lambda: self.show_requested.emit(self.finding))
        self.try_button.clicked.connect(lambda: self.try_requested.emit(self.finding, tuple(one.fix for one in self._offered)))
        self.why_button.toggled.connect(self._set_why)

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(2 * GRID, 6, 2 * GRID, 2 * GRID)
        column.setSpacing(GRID)
        column.addWidget(self.cause)
        column.addWidget(self.evidence)
        self._cures.setSpacing(GRID)
        if self._is_brief:
            for part in (self.since, self.show_button, self.why_button, self.try_button, self.formula, self.why):
                part.setParent(self)
                part.hide()
        else:
            column.addLayout(in_row(self.since, self.show_button, self.why_button, self.try_button))
            column.addWidget(self.formula)
            column.addWidget(self.why)
        column.addLayout(self._cures)

    def _set_why(self, is_shown: bool) -> None:
        for part in (self.formula, self.why):
            part.setVisible(is_shown)

    # --- what is shown ---

    def set_finding(self, finding: Finding, offered: Sequence[OfferedCure], can_try: bool, is_past: bool) -> None:
        """Show this. `is_past`: it is not of where the run stands now; `can_try`: whether a trial could begin."""
        self.finding = finding
        formula, why = finding_text.why(finding)
        texts = {
            self.cause: (finding.cause, "text"),
            self.evidence: (finding.evidence, "muted"),
            self.since: (finding_text.since(finding).capitalize(), "muted"),
            self.formula: (formula, "text"),
            self.why: (why, "text"),
        }
        for label, (text, role) in texts.items():
            label.setText(text)
            set_role(label, "faint" if is_past else role)
        set_role(self, "information" if finding.is_information else "")
        self._offer(tuple(offered[:1] if self._is_brief else offered))
        self.try_button.setVisible(len(self._offered) > 1)
        for button in (self.show_button, *self.buttons.values()):
            button.setEnabled(not is_past)
        for button in (self.try_button, *(button for name, button in self.buttons.items() if name.startswith("try "))):
            button.setEnabled(can_try and not is_past)
        self.setAccessibleName(finding.cause)
        self.setAccessibleDescription(f"{finding.evidence}, {finding_text.since(finding)}")

    def _offer(self, offered: tuple[OfferedCure, ...]) -> None:
        """Cures that are offered already keep their buttons, with the keyboard where it is."""
        before, self._offered = self._offered, offered
        if list(map(_buttons_of, before)) != list(map(_buttons_of, offered)):
            clear(self._cures)
            self.buttons, self._verdicts = {}, []
            for one in offered:
                self._cures.addLayout(self._brief_cure(one) if self._is_brief else self._cure(one))
        for one, verdict in zip(offered, self._verdicts, strict=True):
            verdict.setText(one.verdict)
            set_role(verdict, one.tone)
            verdict.setVisible(bool(one.verdict) or self._is_brief)

    def _brief_cure(self, one: OfferedCure) -> QVBoxLayout:
        label = f"try {lower_first(one.fix.label)}"
        return _column(in_row(self._verdict(one), self._button("try", one, label)))

    def _cure(self, one: OfferedCure) -> QVBoxLayout:
        name, verdict = text_label(sans(SMALL + 0.5, QFont.Weight.DemiBold), "text"), self._verdict(one)
        name.setText(one.fix.label)
        column = _column(in_row(name, self._button("try", one, "Try"), self._button("apply", one, "Apply")))
        column.addLayout(in_row(verdict, *([self._button("go on with", one, "Go on with it")] if one.branch else [])))
        return column

    def _verdict(self, one: OfferedCure) -> QLabel:
        self._verdicts.append(text_label(sans(SMALL + 0.5), one.tone))
        return self._verdicts[-1]

    def _button(self, name: str, one: OfferedCure, text: str) -> QPushButton:
        label = one.fix.label
        tips = {
            "try": f"Train it beside the present run, from before this began: {label}",
            "apply": f"Change the document: {label}. An undo takes it back",
            "go on with": f"Let branch {one.branch} be the run and the document; the present one stays beside it",
        }
        calls = {
            "try": lambda: self.try_requested.emit(self.finding, (one.fix,)),
            "apply": partial(self.apply_requested.emit, one.fix),
            "go on with": partial(self.branch_requested.emit, one.branch),
        }
        button = self.buttons[f"{name} {label}"] = note_button(text, tips[name])
        button.setAccessibleName(f"{name} {label}")
        button.clicked.connect(lambda: calls[name]())
        return button


def _buttons_of(one: OfferedCure) -> tuple[Fix, str]:
    """What decides which buttons a cure has."""
    return one.fix, one.branch


def text_label(font: QFont, role: str) -> QLabel:
    """Return a label for sentences, which wraps and is as wide as there is room."""
    label = QLabel(wordWrap=True, textFormat=Qt.TextFormat.PlainText, font=font)
    label.setProperty("role", role)
    label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
    return label


def note_button(text: str, tip: str) -> QPushButton:
    """Return a small button."""
    button = QPushButton(text, toolTip=tip, accessibleName=text)
    button.setProperty("role", "note")
    button.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
    return button


def in_row(first: QWidget, *others: QWidget) -> QHBoxLayout:
    """Return them side by side; the first takes the room."""
    row = QHBoxLayout()
    row.setSpacing(GRID)
    row.addWidget(first, 1)
    for other in others:
        row.addWidget(other, 0, Qt.AlignmentFlag.AlignTop)
    return row


def clear(layout: QVBoxLayout | QHBoxLayout) -> None:
    """Take everything out of a layout."""
    while item := layout.takeAt(0):
        if item.layout() is not None:
            clear(item.layout())
        elif item.widget() is not None:
            item.widget().hide()
            item.widget().deleteLater()


def _column(first: QHBoxLayout) -> QVBoxLayout:
    column = QVBoxLayout()
    column.setSpacing(2)
    column.addLayout(first)
    return column

"""The box of one thing that the doctor found: cause, evidence, since when, why, and the cures as buttons. It only asks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFont
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from nnviz.document.problems import Fix
from nnviz.records.finding import Finding
from nnviz.text import finding_text
from nnviz.ui.theme.colors import BODY, GRID, SMALL
from nnviz.ui.theme.fonts import sans
from nnviz.ui.theme.style import set_role


class FindingBox(QFrame):
    """All of it, or with `is_brief` the cause, the evidence and the first cure alone."""

    show_requested = Signal(object)
    """The finding, to go to where it is seen."""
    apply_requested = Signal(object, object)
    """The finding, and the fix that shall be made."""
    try_requested = Signal(object, object)
    """The finding, and the fix that shall be trained beside the present run."""

    def __init__(self, is_brief: bool = False, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._is_brief = is_brief
        self.finding: Finding | None = None
        self._fixes: tuple[Fix, ...] = ()
        self._can_try = False
        self.buttons: dict[str, QPushButton] = {}
        """Of the cures, by "try" or "apply" and the label of the fix."""
        self._verdicts: dict[str, QLabel] = {}
        self.cause, self.evidence = _text(sans(BODY, QFont.Weight.DemiBold), "text"), _text(sans(SMALL + 0.5), "muted")
        self.since, self.why = _text(sans(SMALL + 0.5), "muted"), _text(sans(SMALL + 0.5), "text")
        self.show_button, self.why_button = _button("Show", "Go to where it is seen"), _button("Why", "How such a thing comes about")
        self.why_button.setCheckable(True)
        self._cures = QVBoxLayout()
        self._lay_out()
        self.why.hide()
        self.show_button.clicked.connect(lambda: self.show_requested.emit(self.finding))
        self.why_button.toggled.connect(self.why.setVisible)

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(2 * GRID, 6, 2 * GRID, 2 * GRID)
        column.setSpacing(GRID)
        column.addWidget(self.cause)
        self._cures.setSpacing(GRID)
        if self._is_brief:
            row = QHBoxLayout()
            row.setSpacing(GRID)
            row.addWidget(self.evidence, 1)
            row.addLayout(self._cures)
            self._cures.addStretch()
            column.addLayout(row)
        else:
            column.addWidget(self.evidence)
            column.addLayout(_row(self.since, self.show_button, self.why_button))
            column.addWidget(self.why)
            column.addLayout(self._cures)

    # --- what is shown ---

    def set_finding(self, finding: Finding, fixes: Sequence[Fix], verdicts: Mapping[str, str], can_try: bool, is_past: bool) -> None:
        """Show this. `verdicts`: by the label of a fix what came of its trial; `is_past`: it is not of where the run stands now."""
        self.finding = finding
        self.cause.setText(finding.cause)
        self.evidence.setText(finding.evidence)
        self.since.setText(finding_text.since(finding).capitalize())
        self.why.setText(finding_text.why(finding))
        for text, role in ((self.cause, "text"), (self.evidence, "muted"), (self.since, "muted"), (self.why, "text")):
            set_role(text, "faint" if is_past else role)
        set_role(self, "information" if finding.is_information else "")
        self._offer(tuple(fixes[:1] if self._is_brief else fixes), can_try)
        for button in (self.show_button, *self.buttons.values()):
            button.setEnabled(not is_past)
        for label, verdict in self._verdicts.items():
            verdict.setText(verdicts.get(label, ""))
            verdict.setVisible(label in verdicts)
        self.setAccessibleName(finding.cause)
        self.setAccessibleDescription(f"{finding.evidence}, {finding_text.since(finding)}")

    def _offer(self, fixes: tuple[Fix, ...], can_try: bool) -> None:
        """A button, or two, for each cure; those that are there already stay, with the keyboard where it is."""
        if (fixes, can_try) == (self._fixes, self._can_try):
            return
        self._fixes, self._can_try = fixes, can_try
        _clear(self._cures)
        self.buttons, self._verdicts = {}, {}
        for fix in fixes:
            self._cures.addLayout(self._brief_cure(fix) if self._is_brief else self._cure(fix))
        if self._is_brief:
            self._cures.addStretch()

    def _brief_cure(self, fix: Fix) -> QHBoxLayout:
        name = "try" if self._can_try else "apply"
        label = f"{name} {fix.label[:1].lower()}{fix.label[1:]}" if self._can_try else fix.label
        self._add(name, fix, label)
        return _row(self.buttons[f"{name} {fix.label}"])

    def _cure(self, fix: Fix) -> QVBoxLayout:
        label, verdict = _text(sans(SMALL + 0.5), "text"), _text(sans(SMALL + 0.5), "forward")
        label.setText(fix.label)
        self._verdicts[fix.label] = verdict
        names = ("try", "apply") if self._can_try else ("apply",)
        for name in names:
            self._add(name, fix, name.capitalize())
        column = QVBoxLayout()
        column.setSpacing(0)
        column.addLayout(_row(label, *(self.buttons[f"{name} {fix.label}"] for name in names)))
        column.addWidget(verdict)
        return column

    def _add(self, name: str, fix: Fix, text: str) -> None:
        tips = {
            "try": f"Train it beside the present run, from before this began: {fix.label}",
            "apply": f"Change the document: {fix.label}; an undo takes it back",
        }
        button = _button(text, tips[name])
        button.setAccessibleName(f"{name} {fix.label}")
        button.clicked.connect(partial(self._ask, name, fix))
        self.buttons[f"{name} {fix.label}"] = button

    def _ask(self, name: str, fix: Fix) -> None:
        (self.try_requested if name == "try" else self.apply_requested).emit(self.finding, fix)


def _text(font: QFont, role: str) -> QLabel:
    label = QLabel(wordWrap=True, textFormat=Qt.TextFormat.PlainText, font=font)
    label.setProperty("role", role)
    label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
    return label


def _button(text: str, tip: str) -> QPushButton:
    button = QPushButton(text, toolTip=tip, accessibleName=text)
    button.setProperty("role", "note")
    button.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
    return button


def _row(first: QWidget, *others: QWidget) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setSpacing(GRID)
    row.addWidget(first, 1)
    for other in others:
        row.addWidget(other, 0, Qt.AlignmentFlag.AlignTop)
    return row


def _clear(layout: QVBoxLayout) -> None:
    """Take everything out of a layout."""
    while item := layout.takeAt(0):
        if item.layout() is not None:
            _clear(item.layout())
        elif item.widget() is not None:
            item.widget().hide()
            item.widget().deleteLater()

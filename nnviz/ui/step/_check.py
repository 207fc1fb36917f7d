"""The finite-difference check: a button that asks for it, and its result in one line. It compares nothing itself beyond what came back."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QLabel, QPushButton, QVBoxLayout, QWidget

from nnviz.messages import GradientChecked
from nnviz.text import numbers
from nnviz.ui.theme.colors import SMALL
from nnviz.ui.theme.fonts import sans
from nnviz.ui.theme.style import set_role

TOLERANCE = 1e-3
"""Relative difference up to which the two agree; finite differences in single precision are no better."""


class CheckRow(QWidget):
    """A button, and under it the result."""

    requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.button = QPushButton()
        self.button.setFont(sans(SMALL))
        self.button.clicked.connect(lambda: self.requested.emit())
        self.result = QLabel()
        self.result.setFont(sans(SMALL, sans(SMALL).Weight.Bold))
        self.result.setTextFormat(Qt.TextFormat.PlainText)
        self.result.setWordWrap(True)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 2, 0, 2)
        column.setSpacing(6)
        column.addWidget(self.button, 0, Qt.AlignmentFlag.AlignLeft)
        column.addWidget(self.result)

    def show_state(self, element: tuple[int, ...], check: GradientChecked | None, why_not: str, replaced_by: str = "") -> None:
        """Show the result for this element, or the button; `why_not` says why it cannot be pressed now.

        `replaced_by`: what on the way to the loss has a backward of its own, which need not be the derivative of what it does.
        """
        place = numbers.place(element)
        self.button.setText(f"Check element {place} by finite differences" if place else "Check by finite differences")
        self.button.setEnabled(not why_not)
        self.button.setToolTip(why_not or "Moves this one number a little each way, runs forward again, compares the change of the loss")
        self.button.setVisible(check is None)
        self.result.setVisible(check is not None)
        if check is not None:
            is_own = bool(replaced_by) and not agrees(check)
            self.result.setText(sentence(check, replaced_by if is_own else ""))
            set_role(self.result, "supposed" if is_own else "agrees" if agrees(check) else "differs")


def agrees(check: GradientChecked) -> bool:
    """Return whether both numbers are the same within TOLERANCE, or as far as the rounding of the loss lets it be seen."""
    return is_close(check) or abs(check.analytic - check.numeric) <= check.rounding


def is_close(check: GradientChecked) -> bool:
    """Return whether both numbers are the same within TOLERANCE."""
    size = max(abs(check.analytic), abs(check.numeric), 1e-6)
    return abs(check.analytic - check.numeric) <= TOLERANCE * size


def sentence(check: GradientChecked, replaced_by: str = "") -> str:
    """Return "finite difference 3.062 · autograd 3.062 · Δ 2e−9 ✓"; where the backward is a person's own, why the two differ."""
    both = f"finite difference {numbers.number(check.numeric)} · autograd {numbers.number(check.analytic)}"
    if replaced_by:
        return f"{both}\nThe two may differ: the backward of {replaced_by} is its own and replaces the derivative."
    mark = "✓" if is_close(check) else "✓ as far as the rounding of the loss shows" if agrees(check) else "✗"
    return f"{both} · Δ {numbers.short(abs(check.numeric - check.analytic))} {mark}"

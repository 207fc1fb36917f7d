"""The strip on the chain-rule card that says when it is not about the cursor's node, and lets it go back. It shows what it is given."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QSizePolicy, QWidget

from nnviz.ui.theme.colors import SMALL
from nnviz.ui.theme.fonts import sans

CHOSEN = "chosen · a step leaves it"
PINNED = "pinned · steps leave it here"


class PinRow(QWidget):
    """Hidden while the card follows the cursor."""

    pin_requested = Signal(bool)
    """Whether steps shall leave the card at its node."""
    release_requested = Signal()
    """The card shall follow the cursor again."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.said = QLabel(font=sans(SMALL))
        self.said.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.pin = QPushButton("pin", font=sans(SMALL), checkable=True)
        self.pin.setToolTip("Keep this node on the card while you step (Ctrl+Alt+P)")
        self.release = QPushButton("follow  Esc", font=sans(SMALL))
        self.release.setToolTip("Let the card follow the cursor again (Esc)")
        self.pin.clicked.connect(lambda checked: self.pin_requested.emit(checked))
        self.release.clicked.connect(lambda: self.release_requested.emit())
        row = QHBoxLayout(self)
        row.setContentsMargins(8, 3, 4, 3)
        row.setSpacing(6)
        row.addWidget(self.said, 1)
        row.addWidget(self.pin)
        row.addWidget(self.release)
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setAccessibleName("Which node the card is about")
        self.hide()

    def show_state(self, is_chosen: bool, is_pinned: bool, elsewhere: str) -> None:
        """Show whether the card's node is chosen, and pinned; `elsewhere`: where the cursor is meanwhile, empty if there."""
        self.setVisible(is_chosen)
        said = PINNED if is_pinned else CHOSEN
        self.said.setText(said)
        self.said.setToolTip(f"The cursor is at {elsewhere}." if elsewhere else "The cursor is at this node.")
        self.setAccessibleDescription(f"{said}. {self.said.toolTip()}")
        self.pin.setChecked(is_pinned)
        self.pin.setText("pinned" if is_pinned else "pin")

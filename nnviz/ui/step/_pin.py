"""The buttons on the chain-rule card that are there when it is not about the cursor's node, and let it go back to that."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QWidget

from nnviz.ui.theme.colors import SMALL
from nnviz.ui.theme.fonts import sans, scaled

CHOSEN = "chosen · a step leaves it"
PINNED = "pinned · steps leave it here"


class PinRow(QWidget):
    """Hidden while the card follows the cursor; its row is there all the same, so that nothing below it moves."""

    pin_requested = Signal(bool)
    """Whether steps shall leave the card at its node."""
    release_requested = Signal()
    """The card shall follow the cursor again."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.pin = QPushButton("pin", font=sans(SMALL), checkable=True)
        self.release = QPushButton("follow", font=sans(SMALL))
        self.pin.clicked.connect(lambda checked: self.pin_requested.emit(checked))
        self.release.clicked.connect(lambda: self.release_requested.emit())
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4)
        for button in (self.pin, self.release):
            button.setProperty("role", "note")
            row.addWidget(button)
        self._fit()
        self.setAccessibleName("Which node the card is about")
        self.hide()

    def _fit(self) -> None:
        for part in (self.pin, self.release):
            part.setMaximumHeight(row_height())
        self.setFixedHeight(row_height())

    def show_state(self, is_chosen: bool, is_pinned: bool, elsewhere: str) -> None:
        """Show whether the card's node is chosen, and pinned; `elsewhere`: where the cursor is meanwhile, empty if there."""
        self.setVisible(is_chosen)
        place = f"The cursor is at {elsewhere}." if elsewhere else "The cursor is at this node."
        self.setAccessibleDescription(f"{PINNED if is_pinned else CHOSEN}. {place}")
        self.setToolTip(self.accessibleDescription())
        self.pin.setToolTip(f"Keep this node on the card while you step (Ctrl+Alt+P). {place}")
        self.release.setToolTip(f"Let the card follow the cursor again (Esc). {place}")
        self.pin.setChecked(is_pinned)
        self.pin.setText("pinned" if is_pinned else "pin")

    # --- Qt ---

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.FontChange and self.layout():
            self._fit()
        super().changeEvent(event)


def row_height() -> int:
    """Return the height in pixels of the row that the buttons stand in."""
    return round(scaled(24))

"""What the doctor found, box below box, and a line on what is healthy: on its panel, and in short on the card of a node. It only asks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QLabel, QSizePolicy, QVBoxLayout, QWidget

from nnviz.document.problems import Fix
from nnviz.records.finding import Finding
from nnviz.ui.doctor._finding_box import FindingBox
from nnviz.ui.theme.colors import GRID
from nnviz.ui.theme.style import set_role


@dataclass(frozen=True)
class Entry:
    """One box."""

    finding: Finding
    fixes: tuple[Fix, ...] = ()
    verdicts: Mapping[str, str] = field(default_factory=dict)
    """By the label of a fix what came of its trial."""


class FindingList(QWidget):
    """Boxes stay where they are while their texts change; `health` is the line below them."""

    show_requested = Signal(object)
    apply_requested = Signal(object, object)
    try_requested = Signal(object, object)

    def __init__(self, is_brief: bool = False, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._is_brief = is_brief
        self.boxes: list[FindingBox] = []
        self.health = QLabel(wordWrap=True, textFormat=Qt.TextFormat.PlainText)
        self.health.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(2 * GRID)
        self._column.addWidget(self.health)
        if not is_brief:
            self._column.addStretch()

    def show_all(self, entries: Sequence[Entry], health: tuple[str, str], can_try: bool, is_past: bool) -> None:
        """Show these; `health`: the line below them and its colour. `is_past`: all that is not of where the run stands now."""
        while len(self.boxes) > len(entries):
            self._drop(self.boxes.pop())
        while len(self.boxes) < len(entries):
            self.boxes.append(self._made())
            self._column.insertWidget(len(self.boxes) - 1, self.boxes[-1])
        for box, entry in zip(self.boxes, entries, strict=True):
            box.set_finding(entry.finding, entry.fixes, entry.verdicts, can_try, is_past)
        self.health.setText(health[0])
        self.health.setVisible(bool(health[0]))
        set_role(self.health, health[1])

    def _made(self) -> FindingBox:
        box = FindingBox(self._is_brief, self)
        box.show_requested.connect(self.show_requested)
        box.apply_requested.connect(self.apply_requested)
        box.try_requested.connect(self.try_requested)
        return box

    def _drop(self, box: FindingBox) -> None:
        self._column.removeWidget(box)
        box.hide()
        box.deleteLater()

"""The what-if row of the chain-rule card: give the chosen element, or the whole node, another value. It only asks for it."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from nnviz.document.catalog import Field
from nnviz.records.trace_record import NodeRecord, WhatIf
from nnviz.records.trace_state import TraceState
from nnviz.text import names, what_if_text
from nnviz.ui.theme.colors import SMALL
from nnviz.ui.theme.fonts import mono, sans
from nnviz.ui.widgets.header_button import ChoiceButton
from nnviz.ui.widgets.number_boxes import NumberBox
from nnviz.ui.widgets.pending_text import OWN_ESCAPE

SCOPES = (("element", "of element"), ("node", "of all"))
KINDS = {
    "set": ("set", "Give it another value; nothing flows back into what made it"),
    "scale": ("×", "Multiply it; the factor stays in the chain rule"),
    "ablate": ("ablate", "Set it to 0"),
}


class WhatIfRow(QWidget):
    """Buttons; a field that one of them opens; and what is supposed of this node already."""

    requested = Signal(object)
    """A WhatIf."""
    take_back_requested = Signal(object)

    def __init__(self, of_module: bool, parent: QWidget | None = None) -> None:
        """`of_module`: what is supposed is of a person's own module."""
        super().__init__(parent)
        self._of_module, self._obstacle = of_module, ""
        self._node: NodeRecord | None = None
        self._element: tuple[int | None, ...] = ()
        self._present: np.ndarray | None = None
        self._here: tuple[WhatIf, ...] = ()
        self._kind = self._offered = ""
        self.scope = ChoiceButton("What is given another value: the chosen element, or all elements of the node")
        self.scope.set_choices(SCOPES, "element")
        self.buttons = {kind: self._button(kind) for kind in KINDS}
        self.box = NumberBox(Field("what if", "number", 0.0, "what if"))
        self.box.setProperty(OWN_ESCAPE, True)
        self.box.setFixedWidth(96)
        self.box.installEventFilter(self)
        self.caption, self._note, self.take_back = QLabel("what if"), QLabel(), QPushButton("take back")
        for widget, role in ((self.caption, "what_if"), (self._note, "supposed"), (self.take_back, "what_if")):
            widget.setProperty("role", role)
        self.take_back.clicked.connect(lambda: self.take_back_requested.emit(self._here[-1]))
        self._lay_out()
        self._close()

    # --- setters ---

    def set_node(self, state: TraceState, node: NodeRecord, element: tuple[int, ...]) -> None:
        """Be about one element (without the batch axis) of a node; a field that is open for another one closes."""
        full: list[int | None] = list(element)
        if node.batch_axis is not None:
            full.insert(node.batch_axis, state.sample)
        if (node.id, tuple(full)) != (self._node.id if self._node else None, self._element):
            self._close()
        self._node, self._element = node, tuple(full)
        self._present = state.row(node.id, node.value) if state.is_made(node.id) else None  # what this iteration works with
        self._place = element
        self._show_supposed(state)

    def set_obstacle(self, obstacle: str) -> None:
        """Say why nothing can ever be supposed here; empty if something can."""
        self._obstacle = obstacle
        for part in (*self.buttons.values(), self.scope):
            part.setEnabled(not obstacle)

    def open(self, kind: str) -> None:
        """Open the field for a kind, with the present value or factor to be typed over; ablating needs none."""
        if self._node is None or self._obstacle:
            return
        if kind == "ablate":
            self._request(0.0)
            return
        self._kind = kind
        factor = self._in_force("scale")
        self.box.set_value(self._value() if kind == "set" else 1.0 if factor is None else factor)
        is_present = kind == "scale" or (self.scope.key == "element" and self._present is not None)
        self._offered = self.box.text() if is_present else ""
        name = self._named()
        self.caption.setText(f"{name} {'×' if kind == 'scale' else '='}")
        self.box.setAccessibleName(f"What if {name} {'is multiplied by' if kind == 'scale' else 'is'}")
        self.box.setToolTip("Enter applies it, Esc leaves everything as it is")
        self._show_field(True)
        self.box.setFocus(Qt.FocusReason.OtherFocusReason)
        self.box.selectAll()

    # --- inside ---

    def _button(self, kind: str) -> QPushButton:
        text, tip = KINDS[kind]
        button = QPushButton(text, toolTip=tip, accessibleName=f"What if: {text}")
        button.setFont(sans(SMALL))
        button.setProperty("role", "what_if")
        button.clicked.connect(lambda: self.open(kind))
        return button

    def _lay_out(self) -> None:
        self.caption.setFont(sans(SMALL, self.font().Weight.Bold))
        self._note.setWordWrap(True)
        self._note.setFont(sans(SMALL + 0.5))
        self.take_back.setFont(sans(SMALL))
        row = QHBoxLayout()
        row.setSpacing(6)
        for part in (self.caption, self.box, *self.buttons.values(), self.scope):
            row.addWidget(part)
        row.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 2)
        column.setSpacing(4)
        column.addLayout(row)
        said = QHBoxLayout()
        said.setSpacing(6)
        said.addWidget(self._note, 1)
        said.addWidget(self.take_back, 0, Qt.AlignmentFlag.AlignTop)
        column.addLayout(said)

    def _show_field(self, is_open: bool) -> None:
        self.box.setVisible(is_open)
        for part in (*self.buttons.values(), self.scope):
            part.setVisible(not is_open)
        self.caption.setFont(mono(SMALL) if is_open else sans(SMALL, self.font().Weight.Bold))

    def _show_supposed(self, state: TraceState) -> None:
        self._here = state.index.supposed(self._node.id)
        said = what_if_text.meaning(self._node, self._here, self._of_module)
        self._note.setText(said or self._obstacle)
        self._note.setVisible(bool(said or self._obstacle))
        self.take_back.setVisible(bool(said))
        if said:
            last = what_if_text.described(self._here[-1], state.index, {})
            self.take_back.setToolTip(f"Suppose {last} no longer")
            self.take_back.setAccessibleName(f"Take back: {last}")

    def _value(self) -> float:
        """The present value of the element; 0 where it is not known yet."""
        if self._present is None or self.scope.key == "node":
            return 0.0
        return float(self._present[self._place])

    def _in_force(self, kind: str) -> float | None:
        """The value or factor that is supposed of just these elements already; None if there is none."""
        elements = None if self.scope.key == "node" else self._element
        return next((one.value for one in reversed(self._here) if (one.kind, one.element) == (kind, elements)), None)

    @property
    def _is_old(self) -> bool:
        """Whether the number supposes nothing new. A present value that is typed does: set by hand, nothing flows back any more."""
        is_meant = self._kind == "set" and self.box.lineEdit().isModified() and self._in_force("set") is None
        return self.box.text() == self._offered and not is_meant

    def _named(self) -> str:
        if self.scope.key == "node":
            return f"all of {names.name(self._node)}"
        places = ",".join(":" if place is None else str(place) for place in self._element)
        return names.name(self._node) + (f"[{places}]" if places else "")

    def _request(self, value: float) -> None:
        whole = self.scope.key == "node"
        kind = self._kind or "ablate"
        self._close()
        self.requested.emit(WhatIf(self._node.id, kind, value, None if whole else self._element))

    def _close(self) -> None:
        opener, self._kind = self.buttons.get(self._kind), ""
        had_focus = self.box.hasFocus()
        self.caption.setText("what if")
        self._show_field(False)
        if opener is not None and had_focus:
            opener.setFocus(Qt.FocusReason.OtherFocusReason)

    # --- Qt ---

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() != QEvent.Type.KeyPress or event.key() not in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Escape):
            return False
        if event.key() == Qt.Key.Key_Escape or self._is_old:
            self._close()
        elif self.box.hasAcceptableInput():
            self._request(self.box.typed())
        return True

"""The menu of the chain-rule card: what can be put on the clipboard. It copies what it is given."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QMenu, QWidget

from nnviz.records.trace_record import NodeRecord
from nnviz.records.trace_state import TraceState
from nnviz.text import copies
from nnviz.ui.widgets.lines import Line


def copying(
    parent: QWidget, state: TraceState, node: NodeRecord, line: Line | None, formulas: str, ask: Callable[[str, str], None]
) -> QMenu:
    """Return the menu over a line of a node's card; values and gradients are those of the chosen row, all their elements.

    `ask` is called with value · gradient · element and numpy · torch, for what may have to be fetched.
    """
    menu = QMenu(parent)
    menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    if line is not None and line.text:
        menu.addAction("Copy this line", lambda: _copy(copies.plain(f"{line.label} {line.text}".strip())))
    menu.addAction("Copy the formulas", lambda: _copy(copies.plain(formulas)))
    for word, tensor in (("value", state.value(node.id)), ("gradient", state.gradient(node.id))):
        array = state.row(node.id, tensor) if tensor is not None else None
        if array is not None and array.size <= copies.MOST:
            part = menu.addMenu(f"Copy the {word} as")
            for form in copies.FORMS:
                own = "" if state.is_mean(node.id, tensor) else tensor.dtype
                part.addAction(form, lambda form=form, array=array, own=own: _copy(copies.copied(array, form, own)))
    for word, what in (("value of all rows", "value"), ("gradient of all rows", "gradient"), ("chosen element", "element")):
        if what == "element" or node.batch_axis is not None:
            part = menu.addMenu(f"Copy the {word} as")
            for form in ("numpy", "torch"):
                part.addAction(form, lambda what=what, form=form: ask(what, form))
    return menu


def _copy(text: str) -> None:
    QGuiApplication.clipboard().setText(text)

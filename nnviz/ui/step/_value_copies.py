"""What the card is about, put on the clipboard as Python: a whole tensor or one element, fetched first where it is too large to travel."""

from __future__ import annotations

import math

import numpy as np
from PySide6.QtGui import QGuiApplication

from nnviz.records.tensors import Tensor
from nnviz.records.trace_record import NodeRecord
from nnviz.records.trace_state import TraceState
from nnviz.session.trace_source import TraceSource
from nnviz.text import copies, numbers

_CALLS = {"torch": "torch.tensor", "numpy": "np.array"}
_Wish = tuple[TraceState, int, str, str, tuple[int, ...]]


class ValueCopies:
    """Copies what it is asked for, or posts a sentence that says why it cannot."""

    def __init__(self, source: TraceSource) -> None:
        self._source = source
        self._wish: _Wish | None = None
        source.numbers_arrived.connect(self._go_on)

    def copy(self, what: str, form: str, node: NodeRecord, element: tuple[int, ...]) -> None:
        """Copy the value or the gradient of a node, all its rows, or this element of the value; as torch or numpy."""
        state = self._source.stepping.state
        tensor = _tensor(state, node.id, what)
        if tensor is None:
            self._say("info", f"The {'gradient' if what == 'gradient' else 'value'} of {node.label} is not computed here: step on.")
        elif what != "element" and math.prod(tensor.shape) > copies.MOST:
            elements = f"{math.prod(tensor.shape):,} elements"
            self._say(
                "warning", f"{node.label} has {elements}; more than {copies.MOST:,} are not copied. Copy an element, or export the graph."
            )
        else:
            self._wish = state, node.id, what, form, element if node.whole is None else ()
            if not self._put():
                self._source.want_numbers(node.id)  # they may come before it returns

    def _go_on(self, node: int) -> None:
        if self._wish is not None and self._wish[1] == node:
            self._put()

    def _put(self) -> bool:
        """Copy what is wished for, if it is there."""
        state, id, what, form, element = self._wish
        tensor = _tensor(state, id, what)
        array = state.row(id, tensor) if what == "element" else state.index.array(tensor)
        if array is None:
            return False
        self._wish = None
        copied = np.asarray(array[element]) if what == "element" else array
        is_own = what != "element" or not state.is_mean(id, tensor)
        QGuiApplication.clipboard().setText(copies.copied(copied, form, tensor.dtype if is_own else ""))
        part = f"element [{', '.join(map(str, element))}]" if what == "element" else f"the {what}"
        self._say("info", f"Copied {part} of {state.index.node(id).label}, {numbers.shape(copied.shape)}, as {_CALLS[form]}.")
        return True

    def _say(self, level: str, text: str) -> None:
        self._source.message_posted.emit(level, text)


def _tensor(state: TraceState, node: int, what: str) -> Tensor | None:
    return state.gradient(node) if what == "gradient" else state.value(node)

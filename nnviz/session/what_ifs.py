"""What is supposed of the present iteration: other values for some of its nodes. It is never applied to the run itself."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, Signal

from nnviz.records.trace_index import TraceIndex
from nnviz.records.trace_matching import same_what_ifs
from nnviz.records.trace_record import WhatIf
from nnviz.session.run import RunState

Items = tuple[WhatIf, ...]


class WhatIfs(QObject):
    """The list of what is supposed. It lives as long as the iteration does: the next one begins from the true values."""

    changed = Signal()
    supposed = Signal(object, object)
    """The list before and after a person changed it."""
    refused = Signal()
    """The last change could not be traced; the list is as it was before it."""
    abandoned = Signal()
    """The list was dropped, or names the nodes of another trace now."""
    message_posted = Signal(str, str)

    def __init__(
        self,
        present: Callable[[], TraceIndex | None],
        obstacle: Callable[[Items], str],
        ask: Callable[[], object],
        parent: QObject | None = None,
    ) -> None:
        """`present()`: the trace that is there; `obstacle(items)`: why these cannot be supposed; `ask()` has `items` of `basis` traced."""
        super().__init__(parent)
        self.items: Items = ()
        self.basis: TraceIndex | None = None
        """The true trace whose nodes the items name."""
        self._shown: Items = ()
        """What was last traced."""
        self._present, self._obstacle, self._ask = present, obstacle, ask

    def obstacle(self, items: Items) -> str:
        """Return why these cannot be supposed now, as a sentence; empty if they can."""
        return self._obstacle(items)

    # --- what a person does ---

    def add(self, what_if: WhatIf) -> None:
        """Suppose this too; of the same elements it replaces what it would hide."""
        items = (*(item for item in self.items if not _hides(what_if, item)), what_if)
        if obstacle := self.obstacle(items):
            self.message_posted.emit("warning", obstacle)
        else:
            self._suppose(items)

    def take_back(self, what_if: WhatIf | None = None) -> None:
        """Suppose this no longer; without one, the last."""
        gone = what_if or (self.items[-1] if self.items else None)
        self._suppose(tuple(item for item in self.items if item != gone))

    def clear(self) -> None:
        """Suppose nothing: the iteration as it will be made."""
        self._suppose(())

    def restore(self, items: Items) -> None:
        """Suppose exactly these."""
        if items != self.items and not self.obstacle(items):
            if not self.items:
                self.basis = self._present().truth
            self._set(items)
            self._ask()

    def _suppose(self, items: Items) -> None:
        before = self.items
        self.restore(items)
        if self.items != before:
            self.supposed.emit(before, self.items)

    # --- what can be kept ---

    def weights(self) -> dict[str, list | float | None]:
        """Return the supposed values of whole parameters by name; None for one too large to travel."""
        index = self._present()
        if not self.items or index is None or self._shown != self.items:
            return {}
        nodes = [index.tensor_of(item.node) for item in self.items]
        arrays = {node.label: index.whole.array(node.value) for node in nodes if node.kind == "parameter"}
        return {name: None if array is None else array.tolist() for name, array in arrays.items()}

    def forget_weights(self) -> None:
        """The supposed weights have become the document's; the trace that comes now brings the others back."""
        self._give_up(tuple(item for item in self.items if self.basis.node(item.node).kind != "parameter"))

    # --- the run ---

    def follow(self, old: RunState, new: RunState) -> None:
        """Drop everything once the run has gone on."""
        if not self.items:
            return
        if new.trace_index is None:
            self._give_up(())
        elif new.training or new.iteration != self.basis.trace.iteration:
            what = "The what-if was" if len(self.items) == 1 else f"The {len(self.items)} what-ifs were"
            self._give_up(())
            self.message_posted.emit("info", f"{what} dropped: the run goes on from its true values.")

    # --- what has come of it ---

    def take(self, supposed: Items) -> None:
        """Take note that the present trace supposes these."""
        self._shown = supposed
        if not supposed and self.items:
            self._move_to(self._present())

    def refuse(self) -> None:
        """Suppose again what is shown: the last change could not be traced."""
        if self.items != self._shown:
            self._set(self._shown)
            self.refused.emit()

    # --- inside ---

    def _set(self, items: Items) -> None:
        self.items = items
        self.changed.emit()

    def _give_up(self, items: Items) -> None:
        if items != self.items:
            self._set(items)
            self.abandoned.emit()

    def _move_to(self, index: TraceIndex) -> None:
        """Another true trace of the same iteration has come (another detail, an edited document): suppose the same there."""
        moved = same_what_ifs(self.basis, index, self.items)
        if moved is None:
            self.message_posted.emit("info", "What was supposed does not fit this graph and was taken back.")
        self.basis = index
        self._give_up(moved or ())
        if self.items:
            self._ask()


def _hides(new: WhatIf, old: WhatIf) -> bool:
    """Whether nothing would be left to see of the old one."""
    if new.node != old.node:
        return False
    if new.kind == "scale":
        return old.kind == "scale" and new.element == old.element
    return new.element in (None, old.element)

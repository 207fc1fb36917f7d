"""The one order of undo for what is edited and what is supposed: a document's, or the breakpoints of a recorded trace."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

from PySide6.QtCore import QObject, Signal

from nnviz.document.undo import UndoHistory
from nnviz.records.trace_record import WhatIf
from nnviz.session.what_ifs import WhatIfs

WHAT_IF = "what-if"


class Undoable(Protocol):
    """What keeps a history of its own. A `Document` is one."""

    history: UndoHistory

    def undo(self) -> None:
        """Take back the last change."""

    def redo(self) -> None:
        """Make the change again that was taken back last."""


@dataclass(frozen=True)
class _Supposed:
    """A change of what is supposed, and the place in the document's history at which it was made."""

    place: int
    before: tuple[WhatIf, ...]
    after: tuple[WhatIf, ...]


class UndoOrder(QObject):
    """Takes back and makes again all that a person does, the last first: nobody who presses Ctrl+Z should have to know what it was.

    The document keeps its own history; here is only what was supposed in between.
    """

    changed = Signal()

    def __init__(self, document: Undoable, what_ifs: WhatIfs, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._document, self._what_ifs = document, what_ifs
        self._entries = document.history.entries
        self._done: list[_Supposed] = []
        self._undone: list[_Supposed] = []
        what_ifs.supposed.connect(self._note)
        what_ifs.refused.connect(self._forget_last)
        what_ifs.abandoned.connect(self._forget_all)

    @property
    def can_undo(self) -> bool:
        """Whether there is something to take back."""
        return self._is_next(self._done) or self._document.history.can_undo

    @property
    def can_redo(self) -> bool:
        """Whether there is something to make again."""
        return self._is_next(self._undone) or self._document.history.can_redo

    @property
    def undo_label(self) -> str:
        """What would be taken back; empty if nothing."""
        return WHAT_IF if self._is_next(self._done) else self._document.history.undo_label

    @property
    def redo_label(self) -> str:
        """What would be made again; empty if nothing."""
        return WHAT_IF if self._is_next(self._undone) else self._document.history.redo_label

    def undo(self) -> None:
        """Take back what was done last."""
        if self._is_next(self._done):
            self._move(self._done, self._undone, "before")
        else:
            self._document.undo()

    def redo(self) -> None:
        """Make again what was taken back last."""
        if self._is_next(self._undone):
            self._move(self._undone, self._done, "after")
        else:
            self._document.redo()

    def _move(self, source: list[_Supposed], target: list[_Supposed], end: str) -> None:
        """To one end of the newest change; not while a new trace is on its way."""
        goal = getattr(source[-1], end)
        if not self._what_ifs.obstacle(goal):
            target.append(source.pop())
            self._what_ifs.restore(goal)
            self.changed.emit()

    def _is_next(self, stack: list[_Supposed]) -> bool:
        return bool(stack) and stack[-1].place == self._document.history.place

    def _note(self, before: tuple[WhatIf, ...], after: tuple[WhatIf, ...]) -> None:
        self._undone.clear()
        self._done.append(_Supposed(self._document.history.place, before, after))
        self.changed.emit()

    def follow(self) -> None:
        """The document was edited, or another one is open: what was taken back before that cannot be made again."""
        history = self._document.history
        if history.entries is not self._entries:
            self._entries = history.entries
            self._undone.clear()
            self._done = [replace(done, place=min(done.place, history.place - 1)) for done in self._done]

    def _forget_last(self) -> None:
        while self._done and self._done[-1].after != self._what_ifs.items:
            self._done.pop()
        self.changed.emit()

    def _forget_all(self) -> None:
        self._done.clear()
        self._undone.clear()
        self.changed.emit()

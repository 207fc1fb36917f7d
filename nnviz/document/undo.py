"""Undo and redo: a list of experiments and a place in it. Immutable; an edit, an undo or a redo gives another one.

Experiments share all that did not change, so entries are small and none is ever dropped.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from nnviz.document.experiment import Experiment


@dataclass(frozen=True)
class UndoEntry:
    """One state of the document, and what was done to get there ("Add Dense")."""

    label: str
    experiment: Experiment


@dataclass(frozen=True)
class UndoHistory:
    """The states a document went through, and the one it is in now."""

    entries: tuple[UndoEntry, ...]
    place: int = 0
    saved: Experiment | None = None
    """The state last saved or opened; None for a document that never was."""
    merging: str = ""
    """The merge key of the last push; empty once anything else has happened."""

    @classmethod
    def start(cls, experiment: Experiment, saved: bool = True) -> UndoHistory:
        """Return the history of a document just opened (`saved`), or made and never saved."""
        return cls((UndoEntry("", experiment),), saved=experiment if saved else None)

    @property
    def experiment(self) -> Experiment:
        """The document as it is now."""
        return self.entries[self.place].experiment

    def push(self, label: str, experiment: Experiment, merge: str = "") -> UndoHistory:
        """Return the history with this state as its newest; what was undone before is gone.

        Pushes in a row with the same `merge` key, if it is not empty, become one entry: the drag of a slider is undone at once
        (and gone where it ends as it began). A state equal to the present one changes nothing.
        """
        if experiment is self.experiment or experiment == self.experiment:
            return self
        merges = bool(merge) and merge == self.merging
        kept = self.entries[: self.place + (0 if merges else 1)]
        if merges and experiment == kept[-1].experiment:
            return replace(self, entries=kept, place=len(kept) - 1, merging="")
        return replace(self, entries=(*kept, UndoEntry(label, experiment)), place=len(kept), merging=merge)

    def amended(self, experiment: Experiment) -> UndoHistory:
        """Return the history with the present state in another form, as nobody has edited it: what was saved is as saved as before."""
        entries = (*self.entries[: self.place], UndoEntry(self.entries[self.place].label, experiment), *self.entries[self.place + 1 :])
        return replace(self, entries=entries, saved=self.saved if self.is_changed else experiment, merging="")

    # --- back and forth ---

    @property
    def can_undo(self) -> bool:
        """Whether there is an older state."""
        return self.place > 0

    @property
    def can_redo(self) -> bool:
        """Whether there is an undone state."""
        return self.place + 1 < len(self.entries)

    @property
    def undo_label(self) -> str:
        """What undo would take back; empty if nothing."""
        return self.entries[self.place].label if self.can_undo else ""

    @property
    def redo_label(self) -> str:
        """What redo would do again; empty if nothing."""
        return self.entries[self.place + 1].label if self.can_redo else ""

    def undo(self) -> UndoHistory:
        """Return the history one state back; itself at the oldest."""
        return replace(self, place=self.place - 1, merging="") if self.can_undo else self

    def redo(self) -> UndoHistory:
        """Return the history one state forward; itself at the newest."""
        return replace(self, place=self.place + 1, merging="") if self.can_redo else self

    # --- saving ---

    def mark_saved(self) -> UndoHistory:
        """Return the history with the present state as the saved one."""
        return replace(self, saved=self.experiment, merging="")

    @property
    def is_changed(self) -> bool:
        """Whether the present state differs from the saved one. A document never saved is changed."""
        return self.experiment is not self.saved and self.experiment != self.saved

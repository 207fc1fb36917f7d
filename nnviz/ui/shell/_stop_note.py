"""The note where training stopped at a node: it leads to the stepper, which stands there, as long as the run does."""

from __future__ import annotations

from collections.abc import Callable

from nnviz.session.run import RunState
from nnviz.ui.widgets.notes import NoteBar

_KEY = "stopped"
_STOPS = ("non_finite", "breakpoint")


class StopNote:
    """Posts one note for a stop, and drops it when the run or the document has become another, or the stepper is shown."""

    def __init__(self, notes: NoteBar, show_where: Callable[[], object]) -> None:
        self._notes, self._show_where = notes, show_where
        self._place: tuple[int, int] | None = None
        """Revision and iteration of the latest stop; None once it has been looked at, or left."""
        self._text = ""
        """What it says."""

    def show_run(self, new: RunState, old: RunState | None, workspace: str) -> None:
        """Follow the run. In the workspace of the stepper there is nothing to lead to."""
        if new.training or new.stopped not in _STOPS:
            self._place = None
        elif old is not None and (old.training or old.stopped != new.stopped):
            self._place = (new.revision, new.iteration)
        if self._place != (new.revision, new.iteration) or new.target is not None or workspace == "step":
            self.drop()
        elif _KEY not in self._notes.notes:
            self._text = new.message
            self._notes.post(_KEY, "warning", new.message, [("Show where", self._show_where)])

    def says(self, text: str) -> bool:
        """Return whether this is what it says now."""
        return text == self._text and _KEY in self._notes.notes

    def drop(self) -> None:
        """It has been looked at."""
        self._place = None
        self._notes.drop(_KEY)

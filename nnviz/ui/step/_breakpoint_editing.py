"""The breakpoints of a document or a recorded trace: the button that says what is on, the list it opens, and what is asked there."""

from __future__ import annotations

from PySide6.QtCore import QPoint
from PySide6.QtWidgets import QWidget

from nnviz.document import edits
from nnviz.records.breakpoint_places import is_in_trace
from nnviz.session.trace_source import TraceSource
from nnviz.ui.step._breakpoint_list import BreakpointButton, BreakpointList


class BreakpointEditing:
    """The list is made when it is first opened; it hangs from the bar that `badge` is in while the button is out of sight."""

    def __init__(self, source: TraceSource, badge: QWidget) -> None:
        self._source, self._badge = source, badge
        self.button = BreakpointButton()
        self.list: BreakpointList | None = None
        self._shown: tuple = ()
        self.button.clicked.connect(self.open)

    def open(self) -> None:
        """Open the list of all breakpoints."""
        if self.list is None:
            self.list = self._made()
        self.show_breakpoints()
        self._place()
        self.list.show()
        self.list.form.kind.setFocus()

    def switch_all(self) -> None:
        """Switch all breakpoints off; on if none is."""
        on = any(one.enabled for one in self._source.experiment.breakpoints)
        self._source.edit("Breakpoints off" if on else "Breakpoints on", edits.switch_breakpoints, not on)

    def show_breakpoints(self) -> None:
        """Say on the button and in the list which breakpoints there are, and which of them have no place in the present trace."""
        index, experiment = self._source.stepping.index, self._source.experiment
        wanted = (index, experiment, self.list)
        if len(self._shown) == 3 and all(one is other for one, other in zip(wanted, self._shown, strict=True)):
            return  # a cursor move changes nothing here
        self._shown, titles = wanted, experiment.network.titles
        self.button.set_breakpoints(experiment.breakpoints, titles)
        if self.list:
            absent = [one for one in experiment.breakpoints if index and not is_in_trace(index, one)]
            self.list.set_breakpoints(experiment.breakpoints, titles, absent)
            self.list.form.set_places(*self._source.breakable, titles)
            if self.list.isVisible():
                self._place()

    def _made(self) -> BreakpointList:
        source, made = self._source, BreakpointList(self._badge.window())
        made.add_requested.connect(lambda kind, settings: source.edit("Add breakpoint", edits.add_breakpoint, kind, **settings))
        made.remove_requested.connect(lambda place: source.edit("Delete breakpoint", edits.remove_breakpoint, place))
        made.switch_requested.connect(lambda place, on: source.edit("Switch breakpoint", edits.change_breakpoint, place, enabled=on))
        return made

    def _place(self) -> None:
        """Put the list above its button, where it hides neither the button nor what is below; without the button, under the bar."""
        window, is_seen = self._badge.window(), self.button.isVisible()
        anchor = self.button if is_seen else self._badge.parentWidget()
        corner, room = anchor.mapToGlobal(QPoint(anchor.width(), 0)), window.mapToGlobal(QPoint(window.width(), 0))
        top = corner.y() - self.list.height() - 4 if is_seen else corner.y() + anchor.height()
        self.list.move(min(corner.x(), room.x()) - self.list.width(), max(room.y(), top))

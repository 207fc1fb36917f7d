"""What the actions of the Step menu do in the window: steps as the bar says, folded layers, playing, breakpoints."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint

from nnviz.document import edits
from nnviz.records import trace_places
from nnviz.records.breakpoint_places import is_in_trace, nodes_with_breakpoint, target_of
from nnviz.records.trace_matching import at_hand
from nnviz.records.trace_places import places_of

if TYPE_CHECKING:
    from nnviz.records.trace_state import TraceState
    from nnviz.session.walker import Walker
    from nnviz.ui.graph.folds import Folds
    from nnviz.ui.shell.main_window import MainWindow
    from nnviz.ui.step.breakpoint_list import BreakpointList

PLAY_MS = {"node": 600, "layer": 900, "phase": 1200, "iteration": 1200, "epoch": 1200}
"""How long playback stays on one step at its usual speed."""


class Debugger:
    """For one window."""

    def __init__(self, window: MainWindow) -> None:
        self._window = window
        self._list: BreakpointList | None = None
        self._shown: tuple = ()

    # --- steps ---

    def step(self, direction: int) -> None:
        """Step by as much as the bar says: +1 forward, −1 back."""
        self._window.session.walker.move(self._window.top_bar.granularity, direction)

    def into(self) -> None:
        """Open the folded group the cursor is in, or else the one the next step is in, by one level and go to its first node."""
        session = self._window.session
        step_into(session.walker, session.trace_state, self._window.panels.graph.folds)

    def folded_with(self, node: int) -> Collection[int]:
        """Return the nodes folded to one card with this one; none if it stands alone."""
        card = self._window.panels.graph.folds.card(node)
        return frozenset(card.nodes) if card else ()

    @property
    def node_here(self) -> int | None:
        """The selected node, else the one the cursor is at."""
        return at_hand(self._window.session.trace_state, self._window.session.selected_node)

    def run_to_selected(self) -> None:
        """Go on to the next step of the selected node, else of the one the cursor is at."""
        if self.node_here is not None:
            self._window.session.walker.to_node(self.node_here)

    # --- playing ---

    def play(self, direction: int) -> None:
        """Start or stop making one step after the other, forward (+1) or back (−1)."""
        self._window.session.playback.toggle(self._pace(), self._forward if direction > 0 else self._backward)

    def change_pace(self) -> None:
        """Take up another speed or size of steps while playing."""
        self._window.session.playback.change_pace(self._pace())

    def _pace(self) -> int:
        return round(PLAY_MS[self._window.top_bar.granularity] / self._window.panels.step_bar.speed)

    def _forward(self) -> None:
        self.step(+1)

    def _backward(self) -> None:
        """It ends at the start of the run."""
        session = self._window.session
        self.step(-1)
        if session.cursor == 0 and session.run.iteration == 0 and not session.stepper.is_awaiting:
            session.playback.stop()

    # --- breakpoints ---

    def toggle_breakpoint(self) -> None:
        """Put a breakpoint on the selected node, else on the one the cursor is at, or take it away."""
        session, node = self._window.session, self.node_here
        if node is None:
            session.message_posted.emit("info", "Select a node first: a breakpoint stops there.")
        else:
            self.toggle_breakpoint_at(node)

    def toggle_breakpoint_at(self, node: int) -> None:
        """Put a breakpoint on this node, or take it away."""
        session = self._window.session
        index = session.trace_state.index
        if places_of(index, node):
            session.edit("Breakpoint", edits.toggle_breakpoint, *target_of(index, node))
        else:
            session.message_posted.emit("info", "No step of the iteration comes to this node, so nothing could stop there.")

    def switch_breakpoints(self) -> None:
        """Switch all breakpoints off; on if none is."""
        session = self._window.session
        on = any(one.enabled for one in session.experiment.breakpoints)
        session.edit("Breakpoints off" if on else "Breakpoints on", edits.switch_breakpoints, not on)

    def show_breakpoints(self) -> None:
        """Open the list of all breakpoints."""
        if self._list is None:
            self._list = self._new_list()
        self.show_marks()
        _place(self._list, self._window)
        self._list.show()
        self._list.form.kind.setFocus()

    def _new_list(self) -> BreakpointList:
        from nnviz.ui.step.breakpoint_list import BreakpointList  # with the graph, after the window's first paint

        session, made = self._window.session, BreakpointList(self._window)
        made.add_requested.connect(lambda kind, settings: session.edit("Add breakpoint", edits.add_breakpoint, kind, **settings))
        made.remove_requested.connect(lambda place: session.edit("Delete breakpoint", edits.remove_breakpoint, place))
        made.switch_requested.connect(lambda place, on: session.edit("Switch breakpoint", edits.change_breakpoint, place, enabled=on))
        return made

    def show_marks(self) -> None:
        """Show the breakpoints where they are shown: in the graph, on the button, in the list."""
        session, panels = self._window.session, self._window.panels
        experiment, index = session.experiment, session.trace_state.index if session.trace_state else None
        wanted = (index, experiment, self._list)
        if len(self._shown) == 3 and all(one is other for one, other in zip(wanted, self._shown, strict=True)):
            return  # a cursor move changes nothing here
        self._shown = wanted
        titles = experiment.network.titles
        panels.graph.trace_scene.set_look(breakpoints=nodes_with_breakpoint(index, experiment.breakpoints) if index else {})
        panels.breakpoints.set_breakpoints(experiment.breakpoints, titles)
        if self._list:
            absent = [one for one in experiment.breakpoints if index and not is_in_trace(index, one)]
            parameters = list(session.report.parameters_by_name)
            self._list.set_breakpoints(experiment.breakpoints, titles, absent)
            self._list.form.set_places(list(session.report.layers), parameters, titles)
            if self._list.isVisible():
                _place(self._list, self._window)


def step_into(walker: Walker, state: TraceState | None, folds: Folds) -> None:
    """Go to the first node of the folded group the cursor is in, or else of the one the next step is in, and open it by one level."""
    place = trace_places.into(state.index, state.cursor, walker.folded) if state else 0
    is_ahead = bool(state) and (place > state.cursor or walker.is_in_group)
    node = state.index.trace.steps[place - 1].node if is_ahead else None
    card = folds.card(node) if node is not None else None
    walker.into()
    if card:
        folds.enter(card, node)


def _place(shown: BreakpointList, window: MainWindow) -> None:
    """Put the list above its button, where it hides neither the button nor what is below; without the button, under the top bar."""
    button = window.panels.breakpoints
    anchor = button if button.isVisible() else window.top_bar
    corner = anchor.mapToGlobal(QPoint(anchor.width(), 0))
    room = window.mapToGlobal(QPoint(window.width(), 0))
    top = corner.y() - shown.height() - 4 if button.isVisible() else corner.y() + anchor.height()
    shown.move(min(corner.x(), room.x()) - shown.width(), max(room.y(), top))

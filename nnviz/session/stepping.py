"""The cursor over a trace: where it stands, how far a move goes, the steps that are played, the node that is selected.

Inside the trace a move sends nothing. Beyond its ends it asks for another iteration. One class, of a run or of a recorded trace alike;
it passes 300 lines because all of this changes together with the cursor.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from PySide6.QtCore import QObject, QTimer, Signal

from nnviz.records import trace_places
from nnviz.records.breakpoint_places import BreakpointPlace
from nnviz.records.trace_index import TraceIndex
from nnviz.records.trace_matching import at_hand, followed, same_place
from nnviz.records.trace_record import Details
from nnviz.records.trace_state import TraceState

SIZES = ("node", "layer", "phase", "iteration", "epoch")
FASTEST = 10
"""Milliseconds between two steps that are played; a shorter interval would draw pictures nobody sees."""

Aim = Callable[[TraceIndex], int | BreakpointPlace | None]
"""Says where to stand in a trace that has just come; None where it does not know."""
FirstBreakpoint = Callable[[TraceIndex, int, int], BreakpointPlace | None]
"""Returns the first breakpoint on the way from one cursor to another, either way; the end belongs to the way, the start does not."""


class Stepping(QObject):
    """The only place where the cursor changes. `state` is what all pictures of the trace draw."""

    trace_state_changed = Signal(object, object)
    """TraceState | None before, and now: another cursor, trace, or row looked at."""
    selection_changed = Signal(object, object)
    """Node id | None before, and now."""
    detail_changed = Signal(str)
    playing_changed = Signal(bool)
    breakpoint_reached = Signal(object)
    """BreakpointPlace: the cursor has stopped there on its way."""
    arrived = Signal(object)
    """BreakpointPlace: the trace that was waited for is shown, and the cursor is there."""

    def __init__(
        self,
        advance: Callable[[int], bool],
        retreat: Callable[[int], bool],
        iterations_per_epoch: Callable[[], int],
        first_breakpoint: FirstBreakpoint,
        parent: QObject | None = None,
    ) -> None:
        """`advance(count)` makes so many iterations, `retreat(iteration)` goes back to one; both say whether a trace will come."""
        super().__init__(parent)
        self._advance, self._retreat = advance, retreat
        self._iterations_per_epoch, self._first_breakpoint = iterations_per_epoch, first_breakpoint
        self.state: TraceState | None = None
        self.sample: int | None = 0
        self.detail = "textbook"
        self.details: Details = ()
        """Groups that are opened to another detail than the whole."""
        self.rest = "start"
        self.selected_node: int | None = None
        self.is_pinned = False
        """Whether steps leave the selected node selected."""
        self.is_awaiting = False
        """Whether a step has been asked for that needs a trace which is not there yet."""
        self._aim: Aim | None = None
        self._is_stepping = False
        self._is_training = False
        self._folded: trace_places.Folded = lambda node: ()
        self._around: trace_places.Folded | None = None
        self._played = ("node", +1)
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._play_on)

    # --- where it stands ---

    @property
    def index(self) -> TraceIndex | None:
        """The trace the cursor stands in."""
        return self.state.index if self.state else None

    @property
    def cursor(self) -> int:
        """How many steps of the trace are made; 0 without a trace."""
        return self.state.cursor if self.state else 0

    @property
    def length(self) -> int:
        """How many steps the trace has; 0 without one."""
        return self.index.length if self.index else 0

    @property
    def is_at_end(self) -> bool:
        """Whether the next step needs a trace that is not there yet."""
        return self._is_training or self.cursor >= self.length

    @property
    def walked(self) -> int:
        """How many steps the person has made in this trace; 0 where the cursor only rests at its end."""
        return self.cursor if self._is_stepping else 0

    @property
    def node_at_hand(self) -> int | None:
        """The selected node, else the one the cursor is at."""
        return at_hand(self.state, self.selected_node)

    @property
    def node_inside(self) -> int | None:
        """The node that `into` goes to; None where it needs another trace."""
        if self.index is None:
            return None
        place = trace_places.into(self.index, self.cursor, self._folded)
        is_ahead = place > self.cursor or trace_places.is_in_group(self.index, self.cursor, self._folded)
        return self.index.trace.steps[place - 1].node if is_ahead else None

    def folded_with(self, node: int) -> Collection[int]:
        """Return the nodes that are folded into one card with this one; none where it stands alone."""
        return self._folded(node)

    # --- moves ---

    def move(self, size: str, direction: int) -> None:
        """Go on (+1) or back (−1) by a node, layer, phase, iteration or epoch."""
        if size in ("iteration", "epoch"):
            count = 1 if size == "iteration" else max(1, self._iterations_per_epoch())
            self._forward(count) if direction > 0 else self._back(count)
        elif direction > 0 and self.is_at_end:
            self.expect(lambda: self._advance(1))
        elif direction < 0 and self.cursor == 0:
            self._back(1)
        else:
            self._go(lambda index, cursor: self._place_of(size, index, cursor, direction))

    def into(self) -> None:
        """Go to the first node of the folded group the cursor is in; without one, or behind it, to the next node."""
        self._go_on(lambda index, cursor: trace_places.into(index, cursor, self._folded))

    def out(self) -> None:
        """Go on to the first step behind the present group."""
        self._go_on(lambda index, cursor: trace_places.out(index, cursor, self._around))

    def to_node(self, node: int) -> None:
        """Run to the next step at which something happens to this node, from the start again behind its last. No step: the cursor stays."""
        place = trace_places.to_node(self.index, self.cursor, node) if self.index else None
        if place is not None and place < self.cursor:
            self.to(place)
        else:
            self._go(lambda index, cursor: place)

    def to(self, cursor: int) -> None:
        """Stand after `cursor` steps, or as near as the trace allows, whatever breakpoints lie on the way."""
        if self.index:
            self._is_stepping, self.is_awaiting, self._aim = True, False, None
            self._place_cursor(self.index, trace_places.clamped(self.index, cursor))

    def to_start(self) -> None:
        """Stand before the first step."""
        self.to(0)

    def to_end(self) -> None:
        """Stand after the last step: everything is computed."""
        self.to(self.length)

    def stop_at(self, place: BreakpointPlace) -> None:
        """Stand where a breakpoint holds, because of it."""
        self.to(place.cursor)
        self.breakpoint_reached.emit(place)

    def set_folds(self, folded: trace_places.Folded, around: trace_places.Folded | None = None) -> None:
        """Take the nodes that are folded into one card with a node as one step, and leave those `around` it when going out.

        `folded` returns no nodes for one that stands alone, `around` those of the innermost open group; None: the groups of the trace.
        """
        self._folded, self._around = folded, around

    def _place_of(self, size: str, index: TraceIndex, cursor: int, direction: int) -> int:
        if size == "node":
            return trace_places.over(index, cursor, direction, self._folded)
        return (trace_places.to_layer if size == "layer" else trace_places.to_phase)(index, cursor, direction)

    def _go_on(self, place: Callable[[TraceIndex, int], int | None]) -> None:
        if self.is_at_end:
            self.expect(lambda: self._advance(1))
        else:
            self._go(place)

    def _go(self, place: Callable[[TraceIndex, int], int | None]) -> None:
        """Stand there, or at the first breakpoint on the way."""
        index, cursor = self.index, self.cursor
        end = place(index, cursor) if index else None
        if end is None:
            return
        reached, is_playing = self._first_breakpoint(index, cursor, end), self.is_playing
        self.to(reached.cursor if reached else end)
        if reached and reached.cursor != end and not is_playing:
            self.breakpoint_reached.emit(reached)

    def _forward(self, count: int) -> None:
        """Finish so many iterations, the present one included, and stand at the end of the last."""
        before = 1 if self.is_at_end else 0
        ahead = None if before else self._first_breakpoint(self.index, self.cursor, self.length)
        if ahead or (count == 1 and not before):
            self._go(lambda index, cursor: index.length)
        else:
            self.expect(lambda: self._advance(count - 1 + before), lambda index: index.length)

    def _back(self, count: int) -> None:
        """Stand at the end of the iteration so many before the present one; at the very start if there is none."""
        iteration = self.index.trace.iteration if self.index else 0
        if iteration == 0:
            self.to_start()
        elif iteration < count:
            self.expect(lambda: self._retreat(0), lambda index: 0)
        else:
            self.expect(lambda: self._retreat(iteration - count), lambda index: index.length)

    # --- what is waited for ---

    def expect(self, ask: Callable[[], bool], aim: Aim | None = None) -> None:
        """Wait for the trace that `ask` makes come (it says whether one will), to stand where `aim` says; else after its first step."""
        if not self.is_awaiting:
            self._aim, self.is_awaiting = aim, True  # before the call: what it sets off may ask
            self.is_awaiting = ask()
            if not self.is_awaiting:
                self.stop()

    def aim(self, aim: Aim | None) -> None:
        """Stand where this says when the next iteration's trace comes; None: where a trace is shown anyway."""
        self._aim = aim

    def give_up(self) -> None:
        """Wait for no trace any longer, and play no further."""
        self.is_awaiting, self._aim = False, None
        self.stop()

    # --- what is looked at ---

    def select(self, node: int | None) -> None:
        """Let this node of the trace be the one looked at; None: follow the cursor."""
        old, was_pinned = self.selected_node, self.is_pinned
        self.selected_node, self.is_pinned = node, was_pinned and node == old
        if (old, was_pinned) != (node, self.is_pinned):
            self.selection_changed.emit(old, node)

    def pin(self, pinned: bool) -> None:
        """Let steps leave the selected node selected, else the one the cursor is at; or let them take the selection along again."""
        self.select(self.node_at_hand)
        if self.selected_node is not None and pinned != self.is_pinned:
            self.is_pinned = pinned
            self.selection_changed.emit(self.selected_node, self.selected_node)

    def set_sample(self, sample: int | None) -> None:
        """Look at this row of the batch, or at the batch's mean (None). A shorter batch shows its last row."""
        self.sample = sample if sample is None else max(0, sample)
        self._place_cursor(self.index, self.cursor)

    def set_detail(self, detail: str) -> None:
        """Ask for traces of this detail from now on, everywhere."""
        self.set_details(detail, ())

    def set_details(self, detail: str, details: Details) -> None:
        """Ask for traces of this detail from now on, and of these inside some groups."""
        if (detail, details) != (self.detail, self.details):
            self.detail, self.details = detail, details
            self.detail_changed.emit(detail)

    def set_detail_of(self, group: str, detail: str) -> None:
        """Ask for traces with this group ("h1", "encoder/layers/0") opened to this detail, the others as they are. Empty: as around it."""
        everywhere = "textbook" if self.detail == "neurons" else self.detail  # neurons are made of textbook steps
        others = dict(self.details) | {group: detail}
        details = tuple((path, one) for path, one in others.items() if one and (one != everywhere or path.count("/")))
        if details != self.details:
            self.details = details
            self.detail_changed.emit(self.detail)

    def set_rest(self, rest: str, moves: bool = True) -> None:
        """Let the cursor stand at the "start" or the "end" of a trace while the person is not stepping; of later traces only if it
        `moves` not."""
        self.rest = rest
        if moves and self.index and not (self._is_stepping or self._is_training):
            self._place_cursor(self.index, _resting(self.rest, self.index))

    # --- playing ---

    @property
    def is_playing(self) -> bool:
        """Whether steps are being made: then every place where a breakpoint holds stops them."""
        return self._timer.isActive()

    def play(self, interval_ms: int = 600, size: str = "node", direction: int = +1) -> None:
        """Make a step now and one every `interval_ms`; while playing, only change what is played."""
        was_playing, self._played = self.is_playing, (size, direction)
        self._timer.start(max(FASTEST, interval_ms))
        if not was_playing:
            self.playing_changed.emit(True)
            self._play_on()

    def toggle(self, interval_ms: int = 600, size: str = "node", direction: int = +1) -> None:
        """Play, or stop if it plays this way already."""
        if self.is_playing and self._played[1] == direction:
            self.stop()
        else:
            self.play(interval_ms, size, direction)

    def change_pace(self, interval_ms: int, size: str = "node") -> None:
        """While playing, make a step of this size every `interval_ms` from now on."""
        if self.is_playing:
            self.play(interval_ms, size, self._played[1])

    def stop(self) -> None:
        """Stay where the cursor is."""
        if self.is_playing:
            self._timer.stop()
            self.playing_changed.emit(False)

    def _play_on(self) -> None:
        """Backwards it ends at the start of the run."""
        size, direction = self._played
        self.move(size, direction)
        iteration = self.index.trace.iteration if self.index else 0
        if direction < 0 and (self.cursor, iteration, self.is_awaiting) == (0, 0, False):
            self.stop()

    # --- what is shown ---

    def show(self, index: TraceIndex | None, is_training: bool, is_current: bool) -> None:
        """Take over the run's trace. `is_current`: it is the trace of the iteration that comes next, not of one already made."""
        self._is_training = is_training
        self._is_stepping = self._is_stepping and not is_training
        finished = index is not None and not is_current
        if index is self.index or (self.is_awaiting and finished):
            return
        aimed = None if index is None or finished or self._aim is None else self._aim(index)
        is_place = isinstance(aimed, BreakpointPlace)
        self._place_cursor(index, self._place(index, finished, aimed.cursor if is_place else aimed) if index else 0)
        if is_place:
            self.arrived.emit(aimed)

    def _place(self, index: TraceIndex, finished: bool, aimed: int | None) -> int:
        if self.is_awaiting and aimed is None:
            aimed = 1
        if not finished:
            self._aim, self.is_awaiting = None, False
        if aimed is not None:
            self._is_stepping = True
            return trace_places.clamped(index, aimed)
        if finished:
            return index.length
        if self.index and (index.trace.what_ifs or self.index.original) and index.trace.iteration == self.index.trace.iteration:
            return same_place(self.index, index, self.cursor)
        if self._is_stepping and self.index:
            return same_place(self.index, index, self.cursor)
        return _resting(self.rest, index)

    def _place_cursor(self, index: TraceIndex | None, cursor: int) -> None:
        old, sample = self.state, _row(self.sample, index)
        if index is self.index and (old is None or (cursor, sample) == (old.cursor, old.sample)):
            return
        new = self.state = TraceState(index, cursor, sample) if index else None
        selected = self.selected_node
        kept = self.selected_node = followed(old, new, selected, self.is_pinned)
        self.is_pinned = self.is_pinned and kept is not None
        self.trace_state_changed.emit(old, new)
        if kept != selected:
            self.selection_changed.emit(selected, kept)
        self._stop_here(old)

    def _stop_here(self, old: TraceState | None) -> None:
        """Play no further if a breakpoint holds at this place."""
        if self.is_playing and self.index:
            is_back = old is not None and old.index is self.index and self.cursor < old.cursor
            reached = self._first_breakpoint(self.index, self.cursor + (1 if is_back else -1), self.cursor)
            if reached:
                self.breakpoint_reached.emit(reached)


def _resting(rest: str, index: TraceIndex) -> int:
    return index.length if rest == "end" else 0


def _row(sample: int | None, index: TraceIndex | None) -> int | None:
    """The last batch of an epoch may have fewer rows than the others."""
    if index is None or sample is None:
        return sample
    return max(0, min(sample, len(index.trace.rows) - 1))

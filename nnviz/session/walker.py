"""How far a move of the cursor goes: by a node, a layer, a phase, an iteration or an epoch, and to a breakpoint at most.

Inside the trace a move sends nothing. Beyond its ends it asks for another iteration.
"""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject

from nnviz.records import trace_places
from nnviz.records.trace_index import TraceIndex
from nnviz.session.breaker import Breaker
from nnviz.session.stepper import Stepper

SIZES = ("node", "layer", "phase", "iteration", "epoch")


class Walker(QObject):
    """Moves one stepper. `folded` tells which nodes are folded into one card of the graph: going over it is one step.

    `around` tells which nodes are in the innermost open group around one: going out leaves it. None: the groups of the trace count.
    """

    def __init__(
        self,
        stepper: Stepper,
        breaker: Breaker,
        iterations_per_epoch: Callable[[], int],
        advance: Callable[[int], bool],
        retreat: Callable[[int], bool],
        parent: QObject | None = None,
    ) -> None:
        """`advance(count)` makes so many iterations, `retreat(iteration)` goes back to one; both say whether a trace will come."""
        super().__init__(parent)
        self._stepper, self._breaker = stepper, breaker
        self._iterations_per_epoch, self._advance, self._retreat = iterations_per_epoch, advance, retreat
        self.folded: trace_places.Folded = lambda node: ()
        self.around: trace_places.Folded | None = None

    def move(self, size: str, direction: int) -> None:
        """Go on (+1) or back (−1) by a node, layer, phase, iteration or epoch."""
        if size in ("iteration", "epoch"):
            count = 1 if size == "iteration" else max(1, self._iterations_per_epoch())
            self._forward(count) if direction > 0 else self._back(count)
        elif direction > 0 and self._stepper.is_at_end:
            self._stepper.step()
        elif direction < 0 and self._stepper.cursor == 0:
            self._back(1)
        else:
            self._go(lambda index, cursor: self._place(size, index, cursor, direction))

    def into(self) -> None:
        """Go to the first node of the folded group the cursor is in; without one, or behind it, to the next node."""
        if self._stepper.is_at_end:
            self._stepper.step()
        else:
            self._go(lambda index, cursor: trace_places.into(index, cursor, self.folded))

    def out(self) -> None:
        """Go on to the first step behind the present group."""
        if self._stepper.is_at_end:
            self._stepper.step()
        else:
            self._go(lambda index, cursor: trace_places.out(index, cursor, self.around))

    def to_node(self, node: int) -> None:
        """Run to the next step at which something happens to this node, from the start again behind its last."""
        place = trace_places.to_node(self._stepper.index, self._stepper.cursor, node) if self._stepper.index else None
        if place is not None and place < self._stepper.cursor:
            self._stepper.to(place)
        else:
            self._go(lambda index, cursor: place)

    @property
    def is_in_group(self) -> bool:
        """Whether the step just made lies in a folded group that is not behind the cursor yet."""
        return self._stepper.index is not None and trace_places.is_in_group(self._stepper.index, self._stepper.cursor, self.folded)

    # --- inside the trace ---

    def _place(self, size: str, index: TraceIndex, cursor: int, direction: int) -> int:
        if size == "node":
            return trace_places.over(index, cursor, direction, self.folded)
        return (trace_places.to_layer if size == "layer" else trace_places.to_phase)(index, cursor, direction)

    def _go(self, place: Callable[[TraceIndex, int], int | None]) -> None:
        """Stand there, or at the first breakpoint on the way."""
        index, cursor = self._stepper.index, self._stepper.cursor
        end = place(index, cursor) if index else None
        if end is None:
            return
        halt, is_playing = self._breaker.between(index, cursor, end), self._breaker.is_playing
        self._stepper.to(halt.cursor if halt else end)
        if halt and halt.cursor != end and not is_playing:
            self._breaker.tell(halt)

    # --- beyond it ---

    def _forward(self, count: int) -> None:
        """Finish so many iterations, the present one included, and stand at the end of the last."""
        stepper = self._stepper
        index, before = stepper.index, 1 if stepper.is_at_end else 0
        ahead = None if stepper.is_at_end else self._breaker.between(index, stepper.cursor, stepper.length)
        if ahead or (count == 1 and not before):
            self._go(lambda index, cursor: index.length)
        else:
            stepper.expect(lambda: self._advance(count - 1 + before), lambda index: index.length)

    def _back(self, count: int) -> None:
        """Stand at the end of the iteration so many before the present one; at the very start if there is none."""
        iteration = self._stepper.index.trace.iteration if self._stepper.index else 0
        if iteration == 0:
            self._stepper.to_start()
        elif iteration < count:
            self._stepper.expect(lambda: self._retreat(0), lambda index: 0)
        else:
            self._stepper.expect(lambda: self._retreat(iteration - count), lambda index: index.length)

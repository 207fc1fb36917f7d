"""The cursor: where in the trace the window stands, and which row of the batch it looks at. It must not talk to the engine."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, Signal

from nnviz.protocol import Details
from nnviz.session import stepping
from nnviz.session.correspondence import same_place
from nnviz.session.moment import Moment
from nnviz.session.reading import Reading

Aim = Callable[[Reading], int | None]
"""Says where to stand in a trace that has just come; None where it does not know."""


class Stepper(QObject):
    """The only place where the cursor changes. `moment` is what all pictures of the trace draw."""

    moment_changed = Signal(object, object)
    """Moment | None before, and now."""
    detail_changed = Signal(str)

    def __init__(self, advance: Callable[[], bool], parent: QObject | None = None) -> None:
        """`advance` makes the next iteration's trace come, by finishing this one if need be; it returns whether that is possible."""
        super().__init__(parent)
        self._advance = advance
        self.moment: Moment | None = None
        self.sample: int | None = 0
        self.detail = "textbook"
        self.details: Details = ()
        """Groups that are opened to another detail than the whole."""
        self.rest = "start"
        self.is_awaiting = False
        """Whether a step has been asked for that needs a trace which is not there yet."""
        self._aim: Aim | None = None
        self._is_stepping = False
        self._is_training = False

    @property
    def reading(self) -> Reading | None:
        """The trace the cursor stands in."""
        return self.moment.reading if self.moment else None

    @property
    def cursor(self) -> int:
        """How many steps of the trace are made; 0 without a trace."""
        return self.moment.cursor if self.moment else 0

    @property
    def length(self) -> int:
        """How many steps the trace has; 0 without one."""
        return self.reading.length if self.reading else 0

    @property
    def is_at_end(self) -> bool:
        """Whether the next step needs a trace that is not there yet."""
        return self._is_training or self.cursor >= self.length

    @property
    def walked(self) -> int:
        """How many steps the person has made in this trace; 0 where the cursor only rests at its end."""
        return self.cursor if self._is_stepping else 0

    def step(self) -> None:
        """Make the next step. Behind the last one the iteration is finished and the next one begins, as soon as its trace is there."""
        if self.is_at_end:
            self.expect(self._advance)
        else:
            self.to(self.cursor + 1)

    def expect(self, ask: Callable[[], bool], aim: Aim | None = None) -> None:
        """Wait for the trace that `ask` makes come (it says whether one will), to stand where `aim` says; else after its first step."""
        if not self.is_awaiting:
            self._aim, self.is_awaiting = aim, True  # before the call: what it sets off may ask
            self.is_awaiting = ask()

    def aim(self, aim: Aim | None) -> None:
        """Stand where this says when the next iteration's trace comes; None: where a trace is shown anyway."""
        self._aim = aim

    def back(self) -> None:
        """Take the last step back."""
        self.to(self.cursor - 1)

    def to(self, cursor: int) -> None:
        """Stand after `cursor` steps, or as near as the trace allows."""
        if self.reading:
            self._is_stepping, self.is_awaiting, self._aim = True, False, None
            self._stand(self.reading, stepping.clamped(self.reading, cursor))

    def to_start(self) -> None:
        """Stand before the first step."""
        self.to(0)

    def to_end(self) -> None:
        """Stand after the last step: everything is computed."""
        self.to(self.length)

    def to_node(self, node: int) -> None:
        """Run to the next step at which something happens to this node, from the start again behind its last. No step: the cursor stays."""
        place = stepping.to_node(self.reading, self.cursor, node) if self.reading else None
        if place is not None:
            self.to(place)

    def set_sample(self, sample: int | None) -> None:
        """Look at this row of the batch, or at the batch's mean (None). A shorter batch shows its last row."""
        self.sample = sample if sample is None else max(0, sample)
        self._stand(self.reading, self.cursor)

    def set_detail(self, detail: str) -> None:
        """Ask for traces of this detail from now on, everywhere."""
        if (detail, ()) != (self.detail, self.details):
            self.detail, self.details = detail, ()
            self.detail_changed.emit(detail)

    def set_detail_of(self, group: str, detail: str) -> None:
        """Ask for traces with this group ("h1", "encoder/layers/0") opened to this detail, the others as they are. Empty: as around it."""
        everywhere = "textbook" if self.detail == "neurons" else self.detail  # neurons are made of textbook steps
        others = dict(self.details) | {group: detail}
        details = tuple((path, one) for path, one in others.items() if one and (one != everywhere or path.count("/")))
        if details != self.details:
            self.details = details
            self.detail_changed.emit(self.detail)

    def set_rest(self, rest: str) -> None:
        """Let the cursor stand at the "start" or the "end" of a trace while the person is not stepping."""
        self.rest = rest
        if self.reading and not (self._is_stepping or self._is_training):
            self._stand(self.reading, _resting(self.rest, self.reading))

    def show(self, reading: Reading | None, is_training: bool, is_current: bool) -> None:
        """Take over the run's trace. `is_current`: it is the trace of the iteration that comes next, not of one already made."""
        self._is_training = is_training
        self._is_stepping = self._is_stepping and not is_training
        finished = reading is not None and not is_current
        if reading is self.reading or (self.is_awaiting and finished):
            return
        self._stand(reading, self._place(reading, finished) if reading else 0)

    def _place(self, reading: Reading, finished: bool) -> int:
        aimed = None if finished or self._aim is None else self._aim(reading)
        if self.is_awaiting and aimed is None:
            aimed = 1
        if not finished:
            self._aim, self.is_awaiting = None, False
        if aimed is not None:
            self._is_stepping = True
            return stepping.clamped(reading, aimed)
        if finished:
            return reading.length
        if self.reading and (reading.trace.what_ifs or self.reading.original) and reading.trace.iteration == self.reading.trace.iteration:
            return same_place(self.reading, reading, self.cursor)
        if self._is_stepping and self.reading:
            return same_place(self.reading, reading, self.cursor)
        return _resting(self.rest, reading)

    def _stand(self, reading: Reading | None, cursor: int) -> None:
        old, sample = self.moment, _row(self.sample, reading)
        if reading is self.reading and (old is None or (cursor, sample) == (old.cursor, old.sample)):
            return
        self.moment = Moment(reading, cursor, sample) if reading else None
        self.moment_changed.emit(old, self.moment)


def _resting(rest: str, reading: Reading) -> int:
    return reading.length if rest == "end" else 0


def _row(sample: int | None, reading: Reading | None) -> int | None:
    """The last batch of an epoch may have fewer rows than the others."""
    if reading is None or sample is None:
        return sample
    return max(0, min(sample, len(reading.trace.rows) - 1))

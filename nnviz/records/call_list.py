"""The calls of torch that one iteration really is, as they travel to be read."""

from __future__ import annotations

import msgspec


class ListedCall(msgspec.Struct, frozen=True):
    """One line of the flat iteration."""

    number: int | None
    """Which call of torch it is, counted from 1; None: a line of plain Python between them."""
    phase: str
    """forward · loss · backward · clip · update."""
    layer: str
    """Id of the layer; "" for what belongs to none, or to several."""
    title: str
    """What the screen calls the layer; what it is about where there is none."""
    code: str


class CallList(msgspec.Struct, frozen=True):
    """All lines of an iteration over a full batch."""

    title: str
    """Of the document."""
    rows: int
    """How many rows the batch has."""
    entry: str
    """Id of the input layer."""
    calls: tuple[ListedCall, ...] = ()
    reason: str = ""
    """Why there is no flat iteration, as a sentence; then there are no calls."""

    @property
    def count(self) -> int:
        """How many calls of torch these lines make."""
        return sum(call.number is not None for call in self.calls)

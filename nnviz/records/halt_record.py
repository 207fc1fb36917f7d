"""What is told of a halt of a watched loop, as it travels to the window."""

from __future__ import annotations

import msgspec

ANSWERS = {"continue": "Continue", "stop": "Stop the loop here", "ignore": "Do not stop for this again"}
"""What a person can answer, and how it is called on a button."""


class HaltRecord(msgspec.Struct, frozen=True):
    """A loop has halted: why, and where in the trace to look."""

    told: str
    condition: str
    cursor: int
    node: int
    row: int | None = None
    notes: tuple[str, ...] = ()
    element: tuple[int, ...] = ()

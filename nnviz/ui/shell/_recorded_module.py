"""A recorded trace as moving pictures are taken of it: its steps, and no other iterations."""

from __future__ import annotations

from nnviz.session.recorded_trace import RecordedTrace


class RecordedModule:
    """The one iteration of a person's own module."""

    obstacle = ""

    def __init__(self, trace: RecordedTrace, title: str) -> None:
        self.stepping, self.title = trace.stepping, title

    @property
    def iteration(self) -> int:
        """How many came before it."""
        return self.stepping.index.trace.iteration if self.stepping.index else 0

    def pause(self) -> None:
        """Play no further."""
        self.stepping.stop()

    def go_to(self, iteration: int) -> None:
        """Stay: there is no other iteration."""

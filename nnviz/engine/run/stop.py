"""Why training stops."""

from __future__ import annotations

from typing import NamedTuple

from nnviz.records.run_records import BreakpointHit


class Stop(NamedTuple):
    """Why training should not simply go on. `reason`: early_stopping · non_finite · breakpoint."""

    reason: str
    message: str
    hit: BreakpointHit | None = None
    layer: str = ""
    """The id of the layer it is about; "" if it is about none."""

    @property
    def comes_before(self) -> bool:
        """Whether the iteration was not made: the state is that before it."""
        return self.reason in ("non_finite", "breakpoint")

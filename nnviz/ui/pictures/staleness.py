"""When a picture is older than where the run stands, and how it is drawn then."""

from __future__ import annotations

from nnviz.records.picture_records import Picture
from nnviz.session.run import RunState

PALE = 0.4
"""Opacity of a picture that is not of where the run stands."""


def is_old(run: RunState, found: tuple[int, Picture] | None) -> bool:
    """Return whether a picture is old: of another iteration than that at which the run stands, or left long ago while it trains."""
    return found is not None and run.is_late(found[0])

"""Where two runs differ first: iteration, phase, node, and the largest difference there. Frozen values that msgpack can write."""

from __future__ import annotations

import msgspec

from nnviz.records.trace_record import TraceRecord


class Place(msgspec.Struct, frozen=True):
    """Where in one run's iteration that is; all None where the run has nothing there."""

    node: int | None = None
    """The node of its trace that holds what differs, or (for a gradient) whose backward step sends it."""
    receiver: int | None = None
    """For a gradient: the node it flows to."""
    step: int | None = None
    """How many steps of the iteration are made when it is there; None where it is in no step."""
    symbol: str = ""
    """For clip and update: what the row of the update is called; after the iteration: the name of the parameter or buffer."""
    shape: tuple[int, ...] | None = None
    value: float | None = None
    """The element of the largest difference; None where the shapes differ."""
    row: int | None = None
    """Which training row that element belongs to."""


class Divergence(msgspec.Struct, frozen=True):
    """The first thing of which two runs have other bits."""

    iteration: int
    """The iteration, counted from 1; 0: before any."""
    phase: str
    """start (parameters before iteration 1) · batch · forward · loss · backward · clip · update · after (before the next iteration)"""
    what: str
    """value · gradient · row (a line of an update) · rows (other training rows, with the same numbers) · precision · graph (what is
    computed) · stop (one run cannot make the iteration)"""
    places: tuple[Place, Place] = (Place(), Place())
    row: int | None = None
    """Which row of the batch the element of the largest difference is in, from 0; None where there are no rows."""
    element: tuple[int, ...] = ()
    difference: float | None = None
    """The largest; None where the shapes differ, or one of the two is no number."""
    differing: int = 0
    """How many elements have other bits …"""
    elements: int = 0
    """… of so many."""
    reasons: tuple[str, str] = ("", "")
    """For precision, and for stop why a run cannot make the iteration; empty for one that can."""
    traces: tuple[TraceRecord, ...] = ()
    """Both runs' traces of the iteration, without any tensors; none where it was not traced."""

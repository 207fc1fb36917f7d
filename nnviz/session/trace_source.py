"""What can be stepped through, as the features see it: the trace of a live session, or one that was recorded (`nnviz.show`)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from PySide6.QtCore import SignalInstance

from nnviz.document import edits
from nnviz.document.experiment import Experiment
from nnviz.records.breakpoint_places import target_of
from nnviz.records.trace_places import places_of
from nnviz.session.stepping import Stepping
from nnviz.session.what_ifs import WhatIfs


class TraceSource(Protocol):
    """All that the step feature knows of where its trace comes from. A `Session` is one."""

    stepping: Stepping
    details: Sequence[str]
    """How far the calls of the trace can be opened."""
    experiment: Experiment
    """The document, or what stands for it where there is none: its breakpoints are those of the trace."""
    what_ifs: WhatIfs
    message_posted: SignalInstance
    """info | warning | error, and a sentence."""
    breakpoints_changed: SignalInstance
    """`breakpoint_marks` is another, in the same trace."""
    numbers_arrived: SignalInstance
    """A node: its numbers have been added to the trace."""
    gradient_checked: SignalInstance
    """messages.GradientChecked"""

    @property
    def breakpoint_marks(self) -> dict[int, bool]:
        """The nodes of the trace that have a breakpoint of their own, and whether it is on."""
        ...

    @property
    def breakable(self) -> tuple[list[str], list[str]]:
        """Layers and parameters that a breakpoint can be on, by id and name."""
        ...

    def edit(self, label: str, function: Callable[..., Experiment], *args: Any, **settings: Any) -> bool:
        """Apply a pure edit to the document, or to what stands for it; return whether it was possible."""
        ...

    def toggle_breakpoint(self, node: int) -> None:
        """Put a breakpoint on this node of the trace, or take it away."""
        ...

    def want_numbers(self, node: int) -> None:
        """Have `numbers_arrived` bring what was too large to travel around a node of the trace."""
        ...

    def check_gradient(self, node: int, element: tuple[int, ...]) -> None:
        """Have `gradient_checked` bring one element of a gradient beside a finite difference."""
        ...


def toggle_breakpoint(source: TraceSource, node: int) -> None:
    """Put a breakpoint on this node of a source, or take it away; one that no step comes to gets none, and a message says so."""
    index = source.stepping.index
    if places_of(index, node):
        source.edit("Breakpoint", edits.toggle_breakpoint, *target_of(index, node))
    else:
        source.message_posted.emit("info", "No step of the iteration comes to this node, so nothing could stop there.")

"""What both pictures of a trace have in common besides the state of the trace: names, choice, breakpoints, colouring. It knows no item."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Appearance:
    """How a trace is looked at."""

    titles: Mapping[str, str] = field(default_factory=dict)
    """Names written instead of the layers' ids."""
    selected: int | None = None
    breakpoints: Mapping[int, bool] = field(default_factory=dict)
    """The nodes that have one, and whether it is on: a filled diamond, or a hollow one."""
    tokens: tuple[str, ...] = ()
    """What the numbers of the inputs and targets stand for, where the data is a text."""
    coloring: str = "value"
    """What colours and widths tell: value · gradient · contribution · update"""
    causes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """By layer what the doctor found in it, a sentence each."""

    def title(self, layer: str) -> str:
        """Return the name of a layer."""
        return self.titles.get(layer, layer)

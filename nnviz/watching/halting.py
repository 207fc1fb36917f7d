"""What a halt of a watched loop is: the iteration made again and traced, and what is said of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from msgspec import to_builtins
from torch import Tensor

from nnviz.records.halt_record import HaltRecord
from nnviz.records.trace_record import Details, WhatIf
from nnviz.trace import DETAILS, Trace, TraceError
from nnviz.viewing.viewing import TracedIteration, TracedModule
from nnviz.watching._culprit import called, culprit, losses_by_row
from nnviz.watching.conditions import Hit, WatchedStep
from nnviz.watching.iteration_replay import IterationReplay
from nnviz.watching.passes import FromOutput, LossCall


@dataclass(frozen=True, eq=False)
class Halt:
    """A watched loop has halted before an update. Printed, it is a report."""

    iteration: int
    """How many steps the optimizer had made inside the watch."""
    conditions: tuple[str, ...]
    """Those that hold, as they were written."""
    kinds: tuple[str, ...]
    """Beside `conditions`: "non_finite", "gradient", "loss_rising", …, "function"."""
    told: str
    """What was found, in one sentence."""
    loss: float | None
    previous_loss: float | None
    trace: Trace | None = field(repr=False)
    """The iteration as `capture` returns it; None where it cannot be traced, and `notes` say why."""
    node: int | None = None
    """Of the trace."""
    row: int | None = None
    """Of the batch."""
    element: tuple[int, ...] = ()
    """Of the node's value in that row; empty where it is not about one."""
    step: int = 0
    """After how many steps of the trace the node shows what was found."""
    notes: tuple[str, ...] = ()
    captured: TracedIteration | None = field(default=None, repr=False)

    def __str__(self) -> str:
        return "\n".join([f"nnviz: the loop halts in iteration {self.iteration}, before its update. {self.told}", *self._lines()])

    def _lines(self) -> list[str]:
        before = "" if self.previous_loss is None else f", {self.previous_loss:.6g} in the iteration before"
        lines = [] if self.loss is None else [f"  loss {self.loss:.6g}{before}"]
        if self.trace is not None:
            node = self.trace.nodes[self.node]
            row = "" if self.row is None else f", row {self.row} of the batch"
            lines.append(f"  node {node.id}: {called(node)}{row}{f', {node.where}' if node.where else ''}")
        return [*lines, *(f"  {note}" for note in self.notes)]

    def record(self) -> HaltRecord:
        """Return what the window is told of it."""
        told = f"Iteration {self.iteration}, before its update. {self.told}"
        return HaltRecord(told, ", ".join(self.conditions), self.step, self.node or 0, self.row, self.notes, self.element)

    def write(self, path: str | Path) -> None:
        """Write the trace as JSON, as `nnviz trace --json` prints it, with the halt beside it. Raises TraceError if there is none."""
        from nnviz.jobs import plain_trace  # it loads the engine

        if self.captured is None:
            raise TraceError(f"there is no trace to be written: {' '.join(self.notes)}")
        told = {name: getattr(self, name) for name in ("iteration", "conditions", "told", "loss", "node", "row", "step", "notes")}
        value = plain_trace(self.captured.record()) | {"halt": told}
        Path(path).write_text(json.dumps(to_builtins(value), allow_nan=True), encoding="utf-8")


class HaltedIteration:
    """The iteration as the window captures it; at the detail of the report it is there already."""

    obstacle = ""

    def __init__(self, source: TracedModule, first: TracedIteration) -> None:
        self.details: Sequence[str] = DETAILS
        self._source, self._first = source, first

    @property
    def stage(self) -> str:
        """What `take` is doing."""
        return self._source.stage

    def take(
        self, detail: str, details: Details = (), check: Callable[[], object] = lambda: None, what_ifs: tuple[WhatIf, ...] = ()
    ) -> TracedIteration:
        """Return the iteration at this detail, or at these inside some groups."""
        there = self._first.index.trace
        is_there = (detail, details, what_ifs) == (there.detail, there.details, ())
        return self._first if is_there else self._source.take(detail, details, check, what_ifs)


def halted(
    replay: IterationReplay,
    step: WatchedStep,
    hits: Sequence[Hit],
    losses: list[LossCall],
    loss: Callable | None,
    detail: str,
    axis: int | None,
) -> tuple[Halt, HaltedIteration | None]:
    """Return the halt and the iteration to be looked at, None if it cannot be traced."""
    kinds, texts = tuple(hit.condition.kind for hit in hits), tuple(hit.condition.text for hit in hits)
    told = "; ".join(f"{hit.condition.text}: {hit.told}" for hit in hits)
    known: Mapping[str, Any] = {
        "iteration": step.iteration,
        "conditions": texts,
        "kinds": kinds,
        "loss": step.loss,
        "previous_loss": step.previous_loss,
    }
    try:
        found = replay.find(losses)
        source = replay.source(found, axis, step.iteration)
        iteration = source.take(detail)
    except Exception as error:  # whatever keeps it from being made again must not end the loop
        kind = "" if isinstance(error, TraceError) else f"{type(error).__name__}: "
        return Halt(told=_sentence(told), trace=None, notes=(_sentence(f"It cannot be stepped: {kind}{error}"),), **known), None
    trace = iteration.captured.trace
    place = culprit(iteration.captured, hits[0], lambda: _by_row(loss, found.losses, trace))
    halt = Halt(
        told=_sentence(". ".join(filter(None, (told, place.told)))), trace=trace, node=place.node, row=place.row, element=place.element,
        step=place.cursor, notes=found.notes, captured=iteration, **known,
    )  # fmt: skip
    return halt, HaltedIteration(source, iteration)


def _sentence(text: str) -> str:
    return text.rstrip(".") + "."


def _by_row(loss: Callable | None, losses: Sequence[LossCall], trace: Trace) -> Tensor | None:
    """The loss of each row, where one call of a loss of torch was given an output of the model as it is."""
    given = losses[0].args if len(losses) == 1 and loss is not None else ()
    is_plain = len(given) == 2 and isinstance(given[0], FromOutput) and given[0].view is None and isinstance(given[1], Tensor)
    place = trace.outputs.get("") if is_plain and given[0].run.is_tensor else None
    if place is None:
        return None
    with torch.random.fork_rng(devices=[]):
        return losses_by_row(loss, trace.nodes[place[0]].values[place[1]], given[1])

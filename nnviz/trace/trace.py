"""The trace, the immutable record of one training iteration; its steps in order, and a cursor over them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from torch import Tensor

from nnviz.records.finding import Finding

from ._findings import PartsOfTrace, findings_of
from .record import Clipping, Node, Step, Update, ValueRead
from .what_if import ValueChange


@dataclass(frozen=True, eq=False)
class Trace:
    """Everything one iteration did. Its tensors are its own: nothing that happens to the module later changes them."""

    nodes: tuple[Node, ...]  # nodes[i].id == i
    steps: tuple[Step, ...]
    loss: float
    loss_node: int
    detail: str
    worst_error: float  # against ordinary autograd, relative to the largest gradient
    parameter_gradients: Mapping[str, Tensor | None]  # None: the loss does not depend on it
    input_gradients: Mapping[str, Tensor]  # of the inputs that require one
    updates: tuple[Update, ...]  # recorded, not applied
    clipping: Clipping | None
    value_reads: tuple[ValueRead, ...]
    true_gradients: Mapping[str, Tensor | None]  # beside parameter_gradients: ordinary autograd's
    what_ifs: tuple[ValueChange, ...] = ()  # what was supposed; none: the iteration as it is
    outputs: Mapping[str, tuple[int, int]] = field(default_factory=dict)  # by module path: node and port of what it returned last
    details: Mapping[str, str] = field(default_factory=dict)  # groups that are opened to another detail
    notes: tuple[str, ...] = ()  # what is easily overlooked in this iteration, a sentence each: nothing is trained, a value was read …
    batch_axis: int | None = None  # which axis of the first input counts the rows of the batch, where that was said

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        """What this one iteration shows of what keeps the module from learning; worked out when it is first looked at."""
        return findings_of(PartsOfTrace(self.nodes, self.steps, self.updates, self.loss_node))

    def start(self) -> Cursor:
        """A cursor before the first step."""
        return Cursor(self)


class Cursor:
    """A place between two steps of a trace. What it shows depends on (trace, position): None is *not computed yet*."""

    def __init__(self, trace: Trace):
        self.trace = trace
        self._position = 0
        self._ready: dict[int, int] = {}  # node -> the step that computes its value
        self._sends: dict[int, int] = {}  # node -> its backward step
        self._updated: dict[int, tuple[int, Tensor]] = {}  # parameter node -> its update step, the value after it
        after = {update.parameter: update.after for update in trace.updates}
        for step in trace.steps:
            if step.phase in ("forward", "loss"):
                self._ready[step.node] = step.index
            elif step.phase == "backward":
                self._sends[step.node] = step.index
            elif step.phase == "update":
                self._updated[step.node] = step.index, after[step.parameter]

    @property
    def position(self) -> int:
        """How many steps have been made: 0 … len(trace.steps)."""
        return self._position

    def move_to(self, position: int) -> None:
        """Raises ValueError if the trace has no such position."""
        if not 0 <= position <= len(self.trace.steps):
            raise ValueError(f"position {position} is not in 0 … {len(self.trace.steps)}")
        self._position = position

    def next(self) -> Step | None:
        """The step made, or None at the end."""
        if self._position == len(self.trace.steps):
            return None
        self._position += 1
        return self.trace.steps[self._position - 1]

    def back(self) -> Step | None:
        """The step undone, or None at the start."""
        if self._position == 0:
            return None
        self._position -= 1
        return self.trace.steps[self._position]

    def value(self, node: Node | int, output: int = 0) -> Tensor | None:
        """The node's value, None until its step; a parameter shows its new value from its update step on."""
        node = self._node(node)
        if self._ready.get(node.id, 0) >= self._position:
            return None
        updated = self._updated.get(node.id)
        return updated[1] if updated is not None and updated[0] < self._position else node.values[output]

    def gradient(self, node: Node | int, output: int = 0) -> Tensor | None:
        """The node's whole gradient: None until the last of its contributions has arrived; the loss has it from its own step on."""
        node = self._node(node)
        steps = [self._sends[part.source] for part in node.contributions] or [self._sends.get(node.id, self._position)]
        return node.gradients[output] if max(steps) < self._position else None

    def _node(self, node: Node | int) -> Node:
        return self.trace.nodes[node] if isinstance(node, int) else node


def plan_steps(nodes: tuple[Node, ...], clips: bool, updates: Iterable[Update]) -> tuple[Step, ...]:
    """batch; forward and loss per operation; backward per operation with a gradient; clip; update per parameter."""
    operations = [node for node in nodes if node.kind in ("operation", "loss")]
    owners = {node.label: node.id for node in nodes if node.kind == "parameter"}
    first_input = next((node.id for node in nodes if node.kind == "input"), None)
    planned: list[tuple] = [("batch", first_input)]
    planned += [("forward", node.id) for node in operations if node.phase == "forward"]
    planned += [("loss", node.id) for node in operations if node.phase == "loss"]
    planned += [("backward", node.id) for node in reversed(operations) if any([g is not None for g in node.gradients])]
    planned += [("clip", None)] if clips else []
    planned += [("update", owners[update.parameter], update.parameter) for update in updates]
    return tuple([Step(index, *step) for index, step in enumerate(planned)])

"""A notebook of one traced iteration: all values and gradients worked out by hand, with torch's autograd beside them."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby, pairwise
from math import prod
from typing import Any

from nnviz.export.python._hand_rules import BACKWARD, FORWARD, WrittenCall
from nnviz.export.python.program import notebook
from nnviz.export.python.python_text import (
    FEW_NUMBERS,
    WIDTH,
    Bracketed,
    CallSource,
    Source,
    WeightConstant,
    assigned,
    flat,
    joined,
    number,
    numbers,
    shortest,
)
from nnviz.records.tensors import Array, to_numpy
from nnviz.records.trace_record import NodeRecord, TraceRecord

_LONGEST_NAME = 14
_TAKEN = {"torch", "F", "loss", "sent", "parts", "values", "recorded", "show", "compare", "sums", "stored", "base64", *keyword.kwlist}
_SHOW = '''def show(name, value):
    """Print a value: all of it, or its first rows."""
    print(f"{name} {list(value.shape)}\\n{value.detach()[:3] if value.dim() else value}")


def compare(name, by_hand, value):
    """Print a gradient worked out by hand, and how far torch's own is from it."""
    apart = (by_hand - value.grad).abs().max().item()
    scale = max(1e-3, value.grad.abs().max().item())
    print(f"{name} {list(value.shape)}: difference from torch {apart:.1e}")
    # what is left where large gradients cancel is as exact as these are
    sums.append(value.grad.abs().sum().item())
    rounding = 4 * torch.finfo(value.dtype).eps * max(sums)
    allowed = max(TOLERANCE * scale, rounding)
    assert apart <= allowed, f"{name} differs from torch by {apart}"


sums = []'''
_COPIES_ADDED = '''def copies_added(gradient, value):
    """Add up what the copies of a value are sent."""
    while gradient.dim() > value.dim():
        gradient = gradient.sum(0)
    for axis, size in enumerate(value.shape):
        if size == 1 and gradient.shape[axis] > 1:
            gradient = gradient.sum(axis, keepdim=True)
    return gradient'''
_PUT_IN = '''@torch.no_grad()
def put_in(value, part, gradient):
    """Return zeros, with a gradient at the part of the value that was used."""
    whole = torch.zeros_like(value)
    part(whole).copy_(gradient)
    return whole'''
_ALONE = '''def alone(function, upstream, *inputs):
    """Return what one call of torch sends to its inputs, by torch itself."""
    inputs = [value.detach().requires_grad_() for value in inputs]
    return torch.autograd.grad(function(*inputs), inputs, upstream)'''
_SOFTMAX = '''def through_softmax(gradient, y):
    """Return what is sent back through y = softmax(z)."""
    return y * (gradient - (gradient * y).sum(-1, keepdim=True))'''
_TOOLS = {"through_softmax(": _SOFTMAX, "copies_added(": _COPIES_ADDED, "put_in(": _PUT_IN, "alone(": _ALONE}
"""What cells call, and its definition."""


def iteration_notebook(trace: TraceRecord, leaves: Mapping[int, Array], title: str, titles: Mapping[str, str]) -> str:
    """Return the notebook of a trace in textbook steps. `leaves`: by node the values of what need not be computed; `titles`: of layers.

    Raises ValueError for an operation that has no source.
    """
    return notebook([*_Iteration(trace, leaves, title, titles).cells()])


class _Iteration:
    """A trace on its way into cells."""

    def __init__(self, trace: TraceRecord, leaves: Mapping[int, Array], title: str, titles: Mapping[str, str]) -> None:
        self.trace, self.title, self.titles = trace, title, titles
        self.leaves = {id: array for id, array in leaves.items() if not trace.nodes[id].inputs or trace.nodes[id].operation not in FORWARD}
        self.loss = next(node.id for node in reversed(trace.nodes) if node.kind == "loss")
        self.nodes = self._ancestors()
        self.names = self._names()
        self.tolerance = 1e-4 if trace.precision == "float32" else 1e-10

    def _ancestors(self) -> list[NodeRecord]:
        """All that the loss is made of, in the order in which it is computed."""
        wanted, ahead = set(), [self.loss]
        while ahead:
            if (id := ahead.pop()) not in wanted:
                wanted.add(id)
                ahead += [] if id in self.leaves else self.trace.nodes[id].inputs
        return [node for node in self.trace.nodes if node.id in wanted]

    def _names(self) -> dict[int, str]:
        found: dict[int, str] = {}
        for node in self.nodes:
            own = node.label if node.id in self.leaves else f"{node.module or 'penalty'}_{node.operation}"
            name = re.sub(r"\W+", "_", own).strip("_") or "value"
            name = "loss" if node.id == self.loss else name
            is_bad = len(name) > _LONGEST_NAME or (name in _TAKEN and node.id != self.loss) or not name[0].isalpha() or not name.isascii()
            name = f"v{node.id}" if is_bad else name
            found[node.id] = f"{name}_{node.id}" if name in found.values() else name
        return found

    # --- cells ---

    def cells(self) -> Iterator[tuple[str, str]]:
        """Yield the cells: markdown or code, and the text."""
        rows = len(self.trace.rows)
        batch = f"A batch of {rows} row{'s' * (rows != 1)} goes forward through the network, call by call; then the gradient comes back"
        beside = (
            "by the rule that stands beside each operation. Torch's autograd does the same, and every gradient is compared with torch's."
        )
        said = f"# {self.title}: iteration {self.trace.iteration + 1} by hand\n\n{batch}, {beside}"
        yield "markdown", said
        yield "code", self._setup()
        yield "markdown", "## What is given\n\nThe batch, the weights before the update, and what was drawn at random."
        yield "code", self._given()
        yield "markdown", "## Forward"
        yield from self._forward()
        recorded = f"nnviz recorded {self.trace.loss!r}. From here torch's autograd works out all gradients, to be compared with."
        yield "markdown", f"## Loss\n\n{recorded}"
        yield "code", self._loss_cell()
        yield "markdown", "## Backward\n\nFrom the loss back to the weights. A value that is used several times adds up what it is sent."
        yield from self._backward()

    def _setup(self) -> str:
        cells = [*self._forward(), ("code", self._loss_cell()), *self._backward()]
        code = "\n".join([self._given(), *(text for kind, text in cells if kind == "code")])
        imports = ["import torch", *(["import torch.nn.functional as F"] if "F." in code else [])]
        settings = ["torch.set_num_threads(1)"]
        settings += ["torch.set_default_dtype(torch.float64)"] if self.trace.precision == "float64" else []
        settings.append(f"TOLERANCE = {self.tolerance!r}  # of differences that rounding makes")
        head = [*(["import base64", ""] if "base64." in code else []), *imports, "", *settings]
        return joined(["\n".join(head), _SHOW, *(text for name, text in _TOOLS.items() if name in code)])

    def _given(self) -> str:
        leaves = [node for node in self.nodes if node.id in self.leaves]
        large = [node for node in leaves if to_numpy(self.leaves[node.id]).size > FEW_NUMBERS]
        lines = []
        if large:
            stored = WeightConstant("STORED", {self.names[node.id]: self.leaves[node.id] for node in large}, is_short=False)
            lines += [stored.text(), "", "", _STORED, "", ""]
        for node in leaves:
            name, array = self.names[node.id], self.leaves[node.id]
            if node in large:
                lines.append(f'{name} = stored("{name}", torch.{array.dtype}, {list(array.shape)})')
            else:
                lines.append(assigned_tensor(name, array))
        learned = [self.names[node.id] for node in leaves if self._has_gradient(node)]
        lines += [f"{name}.requires_grad_()" for name in learned]
        return "\n".join(lines)

    def _forward(self) -> Iterator[tuple[str, str]]:
        computed = [node for node in self.nodes if node.id not in self.leaves and node.id != self.loss]
        for layer, group in groupby(computed, self._layer):
            nodes = list(group)
            yield "markdown", f"### {layer}\n\n" + _listed(f"{node.operation}: {node.formula}" for node in nodes if node.formula)
            lines = []
            for node in nodes:
                lines.append(self._computed(node))
                if self._has_gradient(node) and not node.others:
                    lines.append(f"{self.names[node.id]}.retain_grad()")
            last = nodes[-1]
            lines += [] if last.others else [f'show("{self.names[last.id]}", {self.names[last.id]})']
            yield "code", "\n".join(lines)

    def _loss_cell(self) -> str:
        lines = [
            self._computed(self.trace.nodes[self.loss]),
            "loss.backward()",
            'print(f"loss {loss.item()!r}")',
            f"recorded = {number(self.trace.loss)}",
            "assert abs(loss.item() - recorded) <= TOLERANCE * max(1.0, abs(recorded))",
        ]
        return "\n".join(lines)

    def _backward(self) -> Iterator[tuple[str, str]]:
        computed = [node for node in reversed(self.nodes) if node.id not in self.leaves and self._has_gradient(node)]
        known: set[int] = {self.loss}
        for layer, group in groupby(computed, self._layer):
            nodes = list(group)
            said = _listed(f"{node.operation}: {line}" for node in nodes for line in node.derivative.split("\n") if line)
            yield "markdown", f"### {layer}, backward\n\n{said}"
            lines = ["d_loss = torch.ones(())"] if nodes[0].id == self.loss else []
            for node in nodes:
                if not node.others and node.id != self.loss:
                    lines.append(f'compare("{self.names[node.id]}", d_{self.names[node.id]}, {self.names[node.id]})')
                lines += self._sent_back(node, known)
            yield "code", "\n".join(lines)
        learned = [node for node in self.nodes if node.id in self.leaves and self._has_gradient(node)]
        yield "markdown", "### The gradients of the weights"
        yield "code", "\n".join(f'compare("{self.names[node.id]}", d_{self.names[node.id]}, {self.names[node.id]})' for node in learned)

    # --- one node ---

    def _layer(self, node: NodeRecord) -> str:
        if node.id == self.loss:
            return "The loss"
        layer = node.group[0] if node.group else ""
        return self.titles.get(layer, layer or "What is added to the loss")

    def _has_gradient(self, node: NodeRecord) -> bool:
        return node.gradient is not None or any(one.gradient is not None for one in node.others)

    def _reference(self, node: NodeRecord, place: int) -> str:
        """What the input at a place is called, with the output of it that is used."""
        source = self.trace.nodes[node.inputs[place]]
        port = node.ports[place] if node.ports else 0
        name = self.names[source.id]
        return f"{name}[{port}]" if source.others else name

    def _call(self, node: NodeRecord) -> WrittenCall:
        inputs = tuple(self._reference(node, place) for place in range(len(node.inputs)))
        given = tuple(_written(part, inputs) for part in node.arguments)
        named = {name: _written(part, inputs) for name, part in node.keywords.items()}
        shapes = tuple(self._shape(node, place) for place in range(len(inputs)))
        name = self.names[node.id]
        return WrittenCall(node.operation, name, f"d_{name}", inputs, given, named, shapes, node.shape)

    def _shape(self, node: NodeRecord, place: int) -> tuple[int, ...]:
        source = self.trace.nodes[node.inputs[place]]
        port = node.ports[place] if node.ports else 0
        return next((one.shape for one in source.others if one.port == port), source.shape)

    def _computed(self, node: NodeRecord) -> str:
        return _statement(self.names[node.id], _expression(self._call(node)))

    def _sent_back(self, node: NodeRecord, known: set[int]) -> list[str]:
        """Statements that give every input what the node sends it."""
        call = self._call(node)
        wanted = [place for place, id in enumerate(node.inputs) if self._has_gradient(self.trace.nodes[id])]
        lines: list[str] = []
        if node.operation in BACKWARD:
            sent = [*BACKWARD[node.operation](call), *("",) * len(call.inputs)]
        else:
            lines += self._left_to_torch(call, wanted)
            sent = [f"parts[{wanted.index(place)}]" if place in wanted else "" for place in range(len(call.inputs))]
        for place in wanted:
            if sent[place]:
                lines += self._added(node, place, sent[place], known)
        return lines

    def _left_to_torch(self, call: WrittenCall, wanted: Sequence[int]) -> list[str]:
        """What one call sends to these inputs, worked out by torch."""
        names = {text: f"x{place}" for place, text in enumerate(call.inputs) if place in wanted}
        again = call._replace(
            inputs=tuple(names.get(text, text) for text in call.inputs),
            given=tuple(_exchanged(part, names) for part in call.given),
            named={name: _exchanged(part, names) for name, part in call.named.items()},
        )
        function = f"lambda {', '.join(names.values())}: {_expression(again)}"
        return _lines("parts", f"alone({function}, {call.d}, {', '.join(names)})", CallSource("alone", (function, call.d, *names)))

    def _added(self, node: NodeRecord, place: int, sent: str, known: set[int]) -> list[str]:
        source = self.trace.nodes[node.inputs[place]]
        value, lines = self._reference(node, place), []
        if source.others and source.id not in known:
            known.add(source.id)
            name = self.names[source.id]
            lines.append(f"d_{name} = [torch.zeros_like(part) for part in {name}]")
        if prod(self._shape(node, place)) != prod(node.shape) and node.operation in ("add", "sub", "mul", "div"):
            lines += _lines("sent", sent)
            sent = f"copies_added(sent, {value})"
        target = f"d_{value}"
        if source.id in known:
            if len(target) * 2 + len(sent) + 6 > WIDTH and not sent.startswith("copies_added"):
                lines += _lines("sent", sent)
                sent = "sent"
            return [*lines, *_lines(target, f"{target} + {sent}" if not sent.startswith("-") else f"{target} - {sent[1:]}")]
        known.add(source.id)
        return [*lines, *_lines(target, sent)]


_STORED = '''def stored(name, dtype, shape):
    """Return a tensor that is kept as base64 of its bytes."""
    data = bytearray(base64.b64decode(STORED[name]))
    return torch.frombuffer(data, dtype=dtype).reshape(shape)'''


def assigned_tensor(name: str, array: Array) -> str:
    """Return the statement that makes a tensor of few numbers."""
    values = numbers(shortest(to_numpy(array)))
    one = assigned(name, f"torch.tensor({flat(values)})")
    if len(one) <= WIDTH:
        return one
    return f"{assigned('values', values)}\n{name} = torch.tensor(values)"


def _statement(name: str, expression: str) -> str:
    return "\n".join(_lines(name, expression))


def _lines(name: str, expression: str, call: CallSource | None = None) -> list[str]:
    """`name = expression`, over as many lines as ruff takes for it: a call is broken inside its last brackets."""
    line = f"{name} = {expression}"
    call = call or _last_call(expression)
    if len(line) <= WIDTH:
        return [line]
    return assigned(name, call).split("\n") if call else [f"{name} = (", f"    {expression}", ")"]


def _last_call(expression: str) -> CallSource | None:
    """The expression as a call, if it is nothing else."""
    depth, start, commas = 0, -1, []
    for place, letter in enumerate(expression):
        if letter in "([{":
            start, commas = (place, []) if not depth else (start, commas)
            depth += 1
        elif letter in ")]}":
            depth -= 1
        elif letter == "," and depth == 1:
            commas.append(place)
        elif letter == " " and not depth:
            return None
    if not expression.endswith(")") or start < 0:
        return None
    ends = [start, *commas, len(expression) - 1]
    return CallSource(expression[:start], tuple(_part(expression[one + 1 : other].strip()) for one, other in pairwise(ends)))


def _part(text: str) -> Source:
    """An argument; a list of names may be broken into lines."""
    is_list = text.startswith("[") and text.endswith("]") and "(" not in text
    return Bracketed("[", tuple(text[1:-1].split(", ")), "]") if is_list else text


def _expression(call: WrittenCall) -> str:
    if call.operation not in FORWARD:
        raise ValueError(f"The operation {call.operation} has no form in a notebook of one iteration.")
    return FORWARD[call.operation](call)


def _written(part: Any, inputs: Sequence[str]) -> Any:
    """What a call was given, as source."""
    if isinstance(part, dict) and "input" in part:
        return inputs[part["input"]]
    if isinstance(part, dict) and "slice" in part:
        return ":".join("" if end is None else str(end) for end in part["slice"][:2])
    if isinstance(part, list | tuple):
        return [_written(one, inputs) for one in part]
    return repr(part).replace("inf", "torch.inf") if isinstance(part, float) else repr(part)


def _exchanged(part: Any, names: Mapping[str, str]) -> Any:
    if isinstance(part, list):
        return [_exchanged(one, names) for one in part]
    return names.get(part, part)


def _listed(lines: Iterator[str]) -> str:
    return "\n".join(f"- {line}" for line in dict.fromkeys(lines))

"""TraceRecords built by hand with numpy, for tests of the window: no torch in this process. Every number is that of a real iteration."""

from __future__ import annotations

from dataclasses import dataclass, field

import msgspec
import numpy as np

from nnviz.records.tensors import Array, Measure, Tensor
from nnviz.records.trace_index import TraceIndex
from nnviz.records.trace_record import (
    EdgeRecord,
    Equation,
    NodeRecord,
    OutputRecord,
    RowRecord,
    StepRecord,
    TraceRecord,
    UpdateRecord,
)
from nnviz.records.trace_state import TraceState

LINEAR = ("z = x Wᵀ + b", "∂L/∂x = ∂L/∂z · W\n∂L/∂W = (∂L/∂z)ᵀ · x\n∂L/∂b = Σ ∂L/∂z")
RELU = ("a = max(0, z)", "∂L/∂z = ∂L/∂a ⊙ [z > 0]")
MUL = ("a = x ⊙ y", "∂L/∂x = ∂L/∂a ⊙ y\n∂L/∂y = ∂L/∂a ⊙ x")
CROSS_ENTROPY = ("L = −mean log softmax(ŷ)[class]", "∂L/∂ŷ = (softmax(ŷ) − onehot)/n")
SQUARED = ("L = mean (ŷ − y)²", "∂L/∂ŷ = 2 (ŷ − y)/n")


def array(values: np.ndarray) -> Array:
    """Return the numpy array as it travels."""
    values = np.array(values, order="C")  # ascontiguousarray would make a vector of a scalar
    return Array(values.dtype.str, values.shape, values.tobytes())


def tensor(values: np.ndarray) -> Tensor:
    """Return the tensor that carries all these values."""
    values = np.asarray(values)
    return Tensor(values.shape, array(values))


def measured(values: np.ndarray) -> Tensor:
    """Return the tensor that carries only a measure of these values."""
    values = np.asarray(values, float)
    counts, edges = np.histogram(values[values != 0], 16)
    measure = Measure(
        values.size,
        values.min(),
        values.max(),
        values.mean(),
        values.std(),
        float(np.linalg.norm(values)),
        int((values == 0).sum()),
        0,
        tuple(map(int, counts)),
        edges[0],
        edges[-1],
    )
    return Tensor(values.shape, None, measure)


def _equations(derivative: str, count: int) -> tuple[Equation | None, ...]:
    """The lines of a derivative, for the first of so many inputs."""
    sides = [line.removeprefix("∂L/∂").split(" = ", 1) for line in derivative.splitlines()]
    return tuple([Equation(*sides[k]) if k < len(sides) else None for k in range(count)])


@dataclass
class Tape:
    """Collects nodes, edges and steps, and gives them out as one record."""

    nodes: list[NodeRecord] = field(default_factory=list)
    edges: list[EdgeRecord] = field(default_factory=list)
    forward: list[int] = field(default_factory=list)
    updates: list[UpdateRecord] = field(default_factory=list)
    gradients: dict[int, np.ndarray] = field(default_factory=dict)

    def add(self, kind: str, label: str, value: np.ndarray, module: str = "", inputs: tuple[int, ...] = (), **more) -> int:
        """Put a node behind the others and return its id."""
        id = len(self.nodes)
        operation = more.pop("operation", label)
        formula, derivative = more.pop("formulas", ("", ""))
        symbol = formula.partition(" = ")[0] if " = " in formula else ""
        equations = more.pop("equations", _equations(derivative, len(inputs)))
        group = (module,) if module else ()
        phase = "loss" if kind == "loss" else "forward"
        node = NodeRecord(
            id,
            kind,
            operation,
            label,
            module,
            group,
            inputs,
            np.shape(value),
            phase,
            tensor(value),
            None,
            formula=formula,
            derivative=derivative,
            symbol=symbol,
            equations=equations,
            **more,
        )
        self.nodes.append(node)
        if kind in ("operation", "loss"):
            self.forward.append(id)
        return id

    def back(self, source: int, target: int, contribution: np.ndarray | None, local: np.ndarray | None = None) -> None:
        """Note the gradient that comes back from `target` to `source`."""
        argument = sum(edge.target == target for edge in self.edges)
        sent = None if contribution is None else tensor(contribution)
        self.edges.append(EdgeRecord(source, target, argument, sent, None if local is None else array(local)))
        if contribution is not None:
            self.gradients[source] = self.gradients.get(source, 0) + contribution

    def record(self, loss: float, iteration: int = 128, rows: int = 1) -> TraceRecord:
        """Return the finished trace: batch, forward, loss, backward, update."""
        nodes = [msgspec.structs.replace(n, gradient=tensor(self.gradients[n.id])) if n.id in self.gradients else n for n in self.nodes]
        places = [("batch", 0, "")]
        places += [(nodes[id].phase, id, "") for id in self.forward]
        sending = {edge.target for edge in self.edges if edge.contribution is not None}
        places += [("backward", id, "") for id in reversed(self.forward) if id in sending]
        places += [("update", update.node, update.parameter) for update in self.updates]
        steps = tuple(StepRecord(index, *place) for index, place in enumerate(places))
        return TraceRecord(
            iteration,
            3,
            "textbook",
            loss,
            1e-16,
            "float64",
            tuple(range(rows)),
            tuple(nodes),
            tuple(self.edges),
            steps,
            tuple(self.updates),
            outputs=self._outputs(),
        )

    def _outputs(self) -> dict[str, OutputRecord]:
        """The input, and of every module its last operation."""
        made = [node for node in self.nodes if node.label == "x" or node.id in self.forward]
        return {node.module or node.label: OutputRecord(node.id) for node in made if node.kind != "loss"}

    def descend(self, node: int, rate: float, adam: bool) -> None:
        """Note what the optimizer does to a parameter: plain descent, or the first step of Adam."""
        gradient, before = self.gradients[node], self.value(node)
        if adam:
            m, v = 0.1 * gradient, 0.001 * gradient**2
            change = -rate * (m / 0.1) / (np.sqrt(v / 0.001) + 1e-8)
            named = [
                ("g", "∂L/∂θ", gradient), ("m", "β₁m + (1−β₁)g", m), ("v", "β₂v + (1−β₂)g²", v), ("m̂", "m/(1−β₁ᵗ)", m / 0.1),
                ("v̂", "v/(1−β₂ᵗ)", v / 0.001), ("Δθ", "−η·m̂/(√v̂ + ε)", change),
            ]  # fmt: skip
        else:
            change = -rate * gradient
            named = [("g", "∂L/∂θ", gradient), ("Δθ", "−η·g", change)]
        rows = tuple(RowRecord(symbol, formula, tensor(value)) for symbol, formula, value in named)
        label = self.nodes[node].label
        self.updates.append(UpdateRecord(label, node, rows, tensor(before), tensor(before + change)))

    def value(self, node: int) -> np.ndarray:
        """Return the value of a node."""
        carried = self.nodes[node].value.values
        return np.frombuffer(carried.data, carried.dtype).reshape(carried.shape)


@dataclass
class _Dense:
    x: int
    weight: int
    bias: int
    linear: int

    def back(self, tape: Tape, upstream: np.ndarray) -> np.ndarray:
        x, weight = tape.value(self.x), tape.value(self.weight)
        sent = upstream @ weight
        tape.back(self.x, self.linear, sent if tape.nodes[self.x].kind != "input" else None)
        tape.back(self.weight, self.linear, upstream.T @ x)
        tape.back(self.bias, self.linear, upstream.sum(0))
        return sent


def _dense(tape: Tape, module: str, x: int, weight: np.ndarray, bias: np.ndarray) -> _Dense:
    w = tape.add("parameter", f"{module}.weight", weight, module)
    b = tape.add("parameter", f"{module}.bias", bias, module)
    z = tape.value(x) @ weight.T + bias
    return _Dense(x, w, b, tape.add("operation", "linear", z, module, (x, w, b), formulas=LINEAR, batch_axis=0, reads=(x, w)))


def worked() -> TraceRecord:
    """The 2-2-1 net worked through by hand: z₁ = (−0.72, 1.73), ŷ = 2.276, L = 1.628176."""
    tape = Tape()
    x = tape.add("input", "x", np.array([[1.3, 0.7]]), batch_axis=0)
    first = _dense(tape, "h1", x, np.array([[0.1, 0.5], [0.8, -0.3]]), np.array([-1.2, 0.9]))
    z = tape.value(first.linear)
    relu = tape.add("operation", "relu", np.maximum(z, 0), "h1", (first.linear,), formulas=RELU, batch_axis=0, reads=(first.linear,))
    last = _dense(tape, "out", relu, np.array([[0.8, 1.2]]), np.array([0.2]))
    y = tape.add("input", "y", np.array([[1.0]]), batch_axis=0, operation="target")
    error = tape.value(last.linear) - tape.value(y)
    loss = tape.add(
        "loss", "squared error", np.mean(error**2), "", (last.linear, y), operation="mse_loss", formulas=SQUARED, reads=(last.linear, y)
    )
    tape.gradients[loss] = np.array(1.0)
    tape.back(last.linear, loss, 2 * error)
    tape.back(y, loss, None)
    upstream = last.back(tape, 2 * error)
    tape.back(first.linear, relu, upstream * (z > 0), (z > 0).astype(float))
    first.back(tape, upstream * (z > 0))
    for node in (first.weight, first.bias, last.weight, last.bias):
        tape.descend(node, 0.1, adam=False)
    return tape.record(float(np.mean(error**2)))


def mlp(sizes: tuple[int, ...] = (2, 4, 4, 2), batch: int = 8, seed: int = 3, repeated: int = 1) -> TraceRecord:
    """A net of dense layers with ReLU, cross-entropy and the first step of Adam.

    `repeated` makes each hidden layer so many layers deep.
    """
    random, tape = np.random.default_rng(seed), Tape()
    x = tape.add("input", "x", random.normal(0, 1, (batch, sizes[0])), batch_axis=0)
    hidden = [size for size in sizes[1:-1] for _ in range(repeated)]
    here, undo, parameters = x, [], []
    for place, units in enumerate([*hidden, sizes[-1]]):
        fan_in = tape.value(here).shape[1]
        module = "out" if place == len(hidden) else f"h{place + 1}"
        dense = _dense(tape, module, here, random.normal(0, 1.3 / np.sqrt(fan_in), (units, fan_in)), random.normal(0, 0.3, units))
        undo.append(dense.back)
        parameters += [dense.weight, dense.bias]
        here = dense.linear
        if place < len(hidden):
            here = _relu(tape, module, here, undo)
    return _finish(tape, here, undo, parameters, random, batch)


def dropout_net(batch: int = 8, drop: float = 0.25, seed: int = 3) -> TraceRecord:
    """The 2-4-4-2 net with dropout behind its second hidden layer, cross-entropy and the first step of Adam."""
    random, tape, undo, parameters = np.random.default_rng(seed), Tape(), [], []
    here = tape.add("input", "x", random.normal(0, 1, (batch, 2)), batch_axis=0)
    for module, fan_in, units in (("h1", 2, 4), ("h2", 4, 4), ("out", 4, 2)):
        if module == "out":
            here = _dropout(tape, here, drop, random, undo)
        dense = _dense(tape, module, here, random.normal(0, 1.3 / np.sqrt(fan_in), (units, fan_in)), random.normal(0, 0.3, units))
        undo.append(dense.back)
        parameters += [dense.weight, dense.bias]
        here = dense.linear if module == "out" else _relu(tape, module, dense.linear, undo)
    return _finish(tape, here, undo, parameters, random, batch)


def _relu(tape: Tape, module: str, z: int, undo: list) -> int:
    values = tape.value(z)
    relu = tape.add("operation", "relu", np.maximum(values, 0), module, (z,), formulas=RELU, batch_axis=0, reads=(z,))
    local = (values > 0).astype(float)

    def back(tape: Tape, upstream: np.ndarray) -> np.ndarray:
        tape.back(z, relu, upstream * local, local)
        return upstream * local

    undo.append(back)
    return relu


def _dropout(tape: Tape, a: int, drop: float, random: np.random.Generator, undo: list) -> int:
    values = tape.value(a)
    dropped = random.random(values.shape) < drop
    scale = np.where(dropped, 0, 1 / (1 - drop))
    mask = tape.add(
        "operation",
        "mask",
        scale,
        "d1",
        (),
        batch_axis=0,
        operation="bernoulli",
        dropped=array(dropped),
        formulas=("m ~ Bernoulli(1−p)/(1−p)", ""),
    )
    mul = tape.add("operation", "mul", values * scale, "d1", (mask, a), formulas=MUL, batch_axis=0, reads=(mask, a), dropped=array(dropped))

    def back(tape: Tape, upstream: np.ndarray) -> np.ndarray:
        tape.back(mask, mul, None)
        tape.back(a, mul, upstream * scale, scale)
        return upstream * scale

    undo.append(back)
    return mul


def _finish(tape: Tape, out: int, undo: list, parameters: list[int], random: np.random.Generator, batch: int) -> TraceRecord:
    scores = tape.value(out)
    classes = random.integers(0, scores.shape[1], batch)
    y = tape.add("input", "y", classes, batch_axis=0, operation="target")
    share = np.exp(scores - scores.max(1, keepdims=True))
    share /= share.sum(1, keepdims=True)
    losses = -np.log(share[np.arange(batch), classes])
    loss = tape.add("loss", "cross_entropy", losses.mean(), "", (out, y), formulas=CROSS_ENTROPY, reads=(out, y))
    tape.gradients[loss] = np.array(1.0)
    upstream = (share - np.eye(scores.shape[1])[classes]) / batch
    tape.back(out, loss, upstream)
    tape.back(y, loss, None)
    for back in reversed(undo):
        upstream = back(tape, upstream)
    for node in parameters:
        tape.descend(node, 0.01, adam=True)
    return tape.record(float(losses.mean()), rows=batch)


def state(trace: TraceRecord, cursor: int, sample: int | None = 0) -> TraceState:
    """Return the moment of a trace."""
    return TraceState(TraceIndex(trace), cursor, sample)


def place(trace: TraceRecord, phase: str, label: str) -> int:
    """Return the cursor just after the first step of this phase at a node of this label."""
    return next(step.index + 1 for step in trace.steps if step.phase == phase and trace.nodes[step.node].label == label)


def node(trace: TraceRecord, label: str) -> int:
    """Return the id of the first node with this label."""
    return next(node.id for node in trace.nodes if node.label == label)

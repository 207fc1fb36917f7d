"""Runs and traces made by hand for tests of what is on the screen. Figures are made up, shapes and rules are those of the wire."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from nnviz.records.data_record import DataRecord
from nnviz.records.run_records import FunctionUse, LayerMeasures, LayerOutputs, LayerSteps, Surface
from nnviz.records.tensors import FEW, Array, Measure, Tensor
from nnviz.records.trace_index import TraceIndex
from nnviz.records.trace_record import NodeRecord, RowRecord, StepRecord, TraceRecord, UpdateRecord
from nnviz.records.trace_state import TraceState
from nnviz.session.run import RunState, Snapshot
from nnviz.session.run_curves import Curves

LAYERS = ("h1", "h2", "h3", "out")
NAMES = {"h1": "dense 1", "h2": "dense 2", "h3": "dense 3", "out": "output"}


def wire(values) -> Array:
    """Return a numpy array (or nested list) as an Array of the wire."""
    values = np.ascontiguousarray(values)
    return Array(values.dtype.name, values.shape, values.tobytes())


def tensor(values) -> Tensor:
    """Return the values as a Tensor that travels whole."""
    array = np.asarray(values, dtype=np.float32)
    return Tensor(array.shape, wire(array))


def measure(values, bins: int = 24) -> Measure:
    """Return the Measure of the values, as the engine's rules say: zeros and non-finite apart."""
    values = np.asarray(values, dtype=np.float64).ravel()
    finite = values[np.isfinite(values)]
    counted = finite[finite != 0]
    low, high = (float(counted.min()), float(counted.max())) if counted.size else (0.0, 0.0)
    counts = np.histogram(counted, bins, (low, high) if high > low else (low - 0.5, high + 0.5))[0] if counted.size else ()
    some = finite if finite.size else np.zeros(1)
    return Measure(
        count=values.size,
        min=float(some.min()),
        max=float(some.max()),
        mean=float(some.mean()),
        std=float(some.std()),
        norm=float(np.linalg.norm(finite)),
        zeros=int((finite == 0).sum()),
        non_finite=int(values.size - finite.size),
        histogram=tuple(int(count) for count in counts),
        low=low,
        high=high,
        values=tuple(np.sort(counted).tolist()) if counted.size <= FEW else (),
    )


def curves(iterations: int = 128, every: int = 2, seed: int = 0) -> Curves:
    """Return falling losses over so many iterations; validation measured at every `every`-th."""
    noise = np.random.default_rng(seed)
    place = np.arange(1, iterations + 1, dtype=np.float64)
    fall = 0.12 + 0.75 * np.exp(-5 * place / iterations)
    loss = fall + noise.normal(0, 0.018, iterations)
    known = place % every == 0
    validation = np.where(known, fall + 0.06 + noise.normal(0, 0.006, iterations), np.nan)
    accuracy = np.where(known, np.clip(0.985 - 0.5 * np.exp(-6 * place / iterations) + noise.normal(0, 0.004, iterations), 0, 1), np.nan)
    nothing = np.full(iterations, np.nan)
    return Curves(place, loss, validation, accuracy, nothing, nothing, np.full(iterations, 0.01))


def moons(rows: int = 120, seed: int = 0) -> DataRecord:
    """Return two interleaved half circles, a third of the rows for validation."""
    noise = np.random.default_rng(seed)
    y = np.arange(rows) % 2
    angle = noise.uniform(0, np.pi, rows)
    x = np.where(y == 0, -np.cos(angle) - 0.5, np.cos(angle) + 0.5), np.where(y == 0, np.sin(angle) - 0.3, 0.3 - np.sin(angle))
    places = (np.stack(x, 1) + noise.normal(0, 0.12, (rows, 2))).astype(np.float32)
    return DataRecord(wire(places), wire(y.astype(np.int64)), wire(np.arange(rows) % 3 != 0), 2)


def sine(rows: int = 90, seed: int = 0) -> DataRecord:
    """Return y = sin x with noise, one feature."""
    noise = np.random.default_rng(seed)
    x = np.linspace(-3, 3, rows)
    y = np.sin(x) + noise.normal(0, 0.1, rows)
    return DataRecord(wire(x[:, None].astype(np.float32)), wire(y[:, None].astype(np.float32)), wire(np.arange(rows) % 3 != 0), 0)


def plane(size: int = 60, outputs: int = 2) -> Surface:
    """Return class probabilities over [-2, 2]²: class 1 above a wave through the middle; rows from low to high x₂."""
    x, y = np.meshgrid(np.linspace(-2, 2, size), np.linspace(-2, 2, size))
    score = 4 * (x + 0.7 * np.sin(2 * y))
    first = 1 / (1 + np.exp(score))
    shares = np.stack([first, 1 - first], -1) if outputs == 2 else (1 - first)[..., None]
    return Surface((-2.0, -2.0), (2.0, 2.0), wire(shares.astype(np.float32)))


def line(size: int = 100) -> Surface:
    """Return a fitted curve over [-3.3, 3.3]."""
    x = np.linspace(-3.3, 3.3, size)
    return Surface((-3.3,), (3.3,), wire((0.9 * np.sin(x))[:, None].astype(np.float32)))


def snapshots(count: int = 9, every: int = 16, units: int = 64, layers: tuple[str, ...] = LAYERS, seed: int = 0) -> tuple[Snapshot, ...]:
    """Return measures over time: weights drift and spread, gradients shrink, 41 % of the activations are exactly 0."""
    noise = np.random.default_rng(seed)
    return tuple(
        Snapshot(
            every * step,
            tuple(_layer(noise, id, place, step, units) for place, id in enumerate(layers)),
            tuple(_outputs(np.random.default_rng(step), id, place, units) for place, id in enumerate(layers)),
            tuple(LayerSteps(id, 1e-3 / (1 + step), (0.01, 0.05, 0.1, 0.2, 0.5)) for id in layers),
        )
        for step in range(count)
    )


def _outputs(noise: np.random.Generator, id: str, place: int, units: int) -> LayerOutputs:
    """A sigmoid in every second layer, ReLU in the others; a third of the values saturated, every fourth unit dead."""
    places = np.linspace(-5, 5, 41)
    if place % 2:
        value = 1 / (1 + np.exp(-places))
        curve, counts = (places, value, value * (1 - value)), (units // 3, units // 8, None)
    else:
        curve, counts = (places, np.maximum(places, 0), np.float64(places > 0)), (None, None, units // 4)
    use = FunctionUse("sigmoid" if place % 2 else "relu", units, measure(noise.normal(0, 2, units)), wire(np.array(curve)), *counts)
    return LayerOutputs(id, 0.1 * place, 0.8 / (1 + place), 1 / (1 + place), 0.1 * place + 0.02, functions=(use,))


def _layer(noise: np.random.Generator, id: str, place: int, state: int, units: int) -> LayerMeasures:
    weights = noise.normal(0.03 * state - 0.1, 0.3 + 0.01 * state, units)
    gradients = noise.normal(0, 0.05 / (1 + 0.1 * state) / 3**place, units)
    activations = noise.gamma(2, 0.4, units)
    activations[: round(0.41 * units)] = 0
    updates = measure(1e-3 * gradients)
    return LayerMeasures(id, measure(weights), measure(gradients), measure(activations), 1.2e-3 / (1 + place), updates)


def run(iterations: int = 128, **changes) -> RunState:
    """Return a run on two moons after so many iterations, with curves, measures and surface; `changes` replace fields."""
    every = max(1, iterations // 8)
    made = RunState(
        engine="ready",
        iteration=iterations,
        epoch=iterations // 11,
        iterations_per_epoch=11,
        learning_rate=0.01,
        curves=curves(iterations),
        snapshots=snapshots(every=every),
        surface=plane(),
        surface_iteration=iterations,
        data=moons(),
        trace_index=TraceIndex(trace(iterations)),
    )
    return replace(made, **changes)


def trace(iteration: int = 128) -> TraceRecord:
    """Return a small trace: x, W and b of one dense layer, linear, loss; Adam changes W (4 × 2) and b (4)."""
    nodes = (
        _node(0, "input", "x", (), np.ones((1, 2))),
        _node(1, "parameter", "W", (), np.full((4, 2), 0.3), "h1"),
        _node(2, "parameter", "b", (), np.zeros(4), "h1"),
        _node(3, "operation", "linear", (0, 1, 2), np.ones((1, 4)), "h1"),
        _node(4, "loss", "loss", (3,), np.array(0.2134)),
    )
    order = [("batch", 0, ""), ("forward", 3, ""), ("loss", 4, ""), ("backward", 4, ""), ("backward", 3, "")]
    order += [("update", 1, "h1.weight"), ("update", 2, "h1.bias")]
    steps = tuple(StepRecord(place, phase, node, parameter) for place, (phase, node, parameter) in enumerate(order))
    updates = (_update("h1.weight", 1, (4, 2), 1.0), _update("h1.bias", 2, (4,), -0.4))
    return TraceRecord(iteration, 3, "textbook", 0.2134, 1e-9, "float32", (0,), nodes, (), steps, updates)


def _node(id: int, kind: str, label: str, inputs: tuple[int, ...], value, layer: str = "") -> NodeRecord:
    array = tensor(value)
    return NodeRecord(id, kind, label, label, layer, (layer,) if layer else (), inputs, array.shape, "forward", array)


_ADAM = (
    ("g", "∂L/∂θ", 0.0312),
    ("m", "β₁m + (1−β₁)g", 0.0284),
    ("v", "β₂v + (1−β₂)g²", 9.1e-4),
    ("m̂", "m/(1−β₁ᵗ)", 0.0287),
    ("v̂", "v/(1−β₂ᵗ)", 9.4e-4),
    ("Δθ", "−η·m̂/(√v̂+ε)", -0.0094),
)


def _update(parameter: str, node: int, shape: tuple[int, ...], size: float) -> UpdateRecord:
    spread = size * (1 + 0.1 * np.arange(np.prod(shape)).reshape(shape))
    rows = tuple(RowRecord(symbol, formula, tensor(value * spread)) for symbol, formula, value in _ADAM)
    return UpdateRecord(parameter, node, rows, tensor(np.full(shape, 0.3)), tensor(0.3 - 0.0094 * spread))


def state(cursor: int | None = None, iteration: int = 128) -> TraceState:
    """Return the trace at a cursor; None stands at its end."""
    index = TraceIndex(trace(iteration))
    return TraceState(index, index.length if cursor is None else cursor)

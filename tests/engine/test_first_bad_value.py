"""A run stops at the first value that is not finite, wherever it comes up; the state is that before, and the trace leads to the node."""

from __future__ import annotations

from contextlib import nullcontext

import pytest
import torch
from msgspec.structs import replace

from nnviz.document import edits
from nnviz.document.catalog import new_layer
from nnviz.engine.observe.capture import capture_next
from nnviz.engine.observe.trace_records import to_record
from nnviz.engine.run.timeline import Timeline
from nnviz.records.breakpoint_places import REMEMBERED, first_non_finite
from nnviz.records.trace_index import TraceIndex
from tests.engine.experiments import HERE, chain, experiment, mlp, table
from tests.engine.flat_runs import eager

LINE = chain(new_layer("input", "x", shape=[1]), new_layer("dense", "out", units=1))
NORMED = chain(
    new_layer("input", "x", shape=[1]), new_layer("dense", "h", units=1), new_layer("batch_norm", "bn"), new_layer("dense", "out", units=1)
)
STEEP = chain(new_layer("input", "x", shape=[1]), new_layer("dense", "a", units=1), new_layer("dense", "out", units=1))
FAR = table([[1e19], [-1e19]] * 8, [[0.0], [0.0]] * 8, scaling="none", validation=0.0)


def rows(size: float):
    return table([[size], [2 * size], [-size], [1.0]] * 10, [[size], [-3 * size], [0.0], [0.0]] * 10, scaling="none", validation=0.0)


def on_a_line(optimizer: str, size: float, **settings):
    return experiment(LINE, optimizer, data=rows(size), loss="mse", batch_size=8, settings=settings)


def growing():
    """One weight grows ninefold every iteration, and nothing depends on it, for its input is 0."""
    net = chain(new_layer("input", "x", shape=[2]), new_layer("dense", "h", units=1), new_layer("dense", "out", units=1))
    layers = [edits.change_layer(experiment(net), "h", bias=False).network.layer("h") if one.id == "h" else one for one in net.layers]
    layers[2] = replace(layers[2], frozen=True)
    data = table([[0.0, 0.0]] * 16, [[0.0], [1.0]] * 8, scaling="none", validation=0.0)
    settings = {"learning_rate": 1e4, "weight_decay": 1e-3}
    return experiment(replace(net, layers=tuple(layers)), "sgd", data=data, loss="mse", batch_size=8, settings=settings)


BAD = {
    # what: (document, iteration, what is said, phase, node)
    "optimizer state, Adam": (on_a_line("adam", 1e14), 1, "exp_avg_sq of out.weight is the first", "update", "out.weight"),
    "optimizer state, AdamW": (on_a_line("adamw", 1e14), 1, "exp_avg_sq of out.weight is the first", "update", "out.weight"),
    "optimizer state, RMSprop": (on_a_line("rmsprop", 1e14), 1, "square_avg of out.weight is the first", "update", "out.weight"),
    "optimizer state, Adagrad": (on_a_line("adagrad", 1e14), 1, "sum of out.weight is the first", "update", "out.weight"),
    "optimizer state, late": (
        on_a_line("sgd", 2e18, learning_rate=0.0, momentum=0.999), None, "momentum_buffer of out.weight", "update", "out.weight",
    ),
    "parameter, late": (growing(), None, "h.weight is the first that is not finite: ", "update", "h.weight"),
    "parameter, at the start": (
        experiment(mlp(p=0.0), "sgd", weights={"h1.bias": [-1e39] * 4}),
        1, "h1.bias is the first that is not finite: 4", "batch", "h1.bias",
    ),
    "running variance": (
        experiment(NORMED, "sgd", data=rows(1e18), loss="mae", batch_size=8, weights={"h.weight": [[30.0]], "h.bias": [0.0]}),
        1, "bn.running_var is the first", "forward", "bn.square",
    ),
    "value": (
        experiment(LINE, "sgd", data=rows(1e18), loss="mae", batch_size=8, weights={"out.weight": [[3e38]], "out.bias": [0.0]}),
        1, "The output of out is the first", "forward", "out",
    ),
    "logarithm of 0": (
        experiment(mlp(p=0.0), "sgd", weights={"out.weight": [[0.0] * 4] * 2, "out.bias": [3e38, -3e38]}, batch_size=16),
        1, "The loss is the first", "loss", "cross_entropy",
    ),
    "gradient": (
        experiment(STEEP, "sgd", data=FAR, loss="mae", weights={"a.weight": [[1e-30]], "a.bias": [0.0], "out.weight": [[1e25]]}),
        1, "the gradient of a.weight is not", "backward", "a.weight",
    ),
}  # fmt: skip


@pytest.fixture(params=["flat", "eager"])
def way(request):
    with eager() if request.param == "eager" else nullcontext():
        yield request.param


def stopped(document) -> tuple[Timeline, object]:
    timeline, stop = Timeline(document, HERE), None
    while not stop and timeline.iteration < 2000:
        stop = timeline.advance(at_most=2000 - timeline.iteration)
    assert stop and stop.reason == "non_finite" and stop.comes_before
    return timeline, stop


def bits(timeline: Timeline) -> list:
    """All that the next iteration goes on from, exactly."""
    kept = timeline.trainer.checkpoint()
    entries = [value for entry in kept.state.values() for value in entry.values() if isinstance(value, torch.Tensor)]
    return [kept.position, *(tensor.tolist() for tensor in (*kept.tensors.values(), *entries))]


def is_bad(timeline: Timeline) -> bool:
    trainer = timeline.trainer
    entries = [value for entry in trainer.optimizer.state.values() for value in entry.values() if isinstance(value, torch.Tensor)]
    return not all(torch.isfinite(one).all() for one in (*trainer.parameters.values(), *trainer.buffers.values(), *entries))


def expected_stop(document) -> int:
    """The first iteration that leaves something that is not finite, by a trainer that makes one after another and does not look."""
    timeline = Timeline(document, HERE)
    trainer = timeline.trainer
    while not is_bad(timeline):
        assert trainer.advance() is None
    return trainer.position.iteration


@pytest.mark.parametrize("name", BAD)
def test_it_stops_before_the_first_iteration_that_is_not_finite(name, way):
    document, iteration, said, phase, node = BAD[name]
    timeline, stop = stopped(document)
    iteration = iteration or expected_stop(document)
    assert stop.message.startswith(f"Iteration {iteration}: ") and said in stop.message, stop.message
    assert timeline.iteration == iteration - 1 == timeline.points[-1].iteration and len(timeline.points) == iteration
    assert is_bad(timeline) is (name == "parameter, at the start")
    straight = Timeline(document, HERE)
    for _ in range(iteration - 1):
        straight.trainer.advance()
    assert bits(straight) == bits(timeline)
    index = TraceIndex(to_record(capture_next(timeline.trainer, "textbook")))
    place = first_non_finite(index)
    assert index.trace.steps[place.cursor - 1].phase == phase and node in place.place, place


@pytest.mark.parametrize("name", ["optimizer state, late", "parameter, late"])
def test_in_the_middle_of_flat_iterations_one_back_is_still_there(name):
    """The stop lies behind several checkpoints and far into the flat iterations; back and forth it is the same."""
    timeline, stop = stopped(BAD[name][0])
    last = timeline.iteration
    assert last > 15 and timeline.trainer.flat.lines
    end = bits(timeline)
    timeline.go_to(last - 1)
    assert timeline.iteration == last - 1
    assert timeline.go_to(last) is None
    again = timeline.go_to(last + 1)
    assert again == stop and timeline.iteration == last
    assert bits(timeline) == end
    settings = {"learning_rate": 1e-6, "momentum": 0.0, "weight_decay": 0.0}
    timeline.edit(edits.change_optimizer(timeline.document, **settings))
    assert timeline.advance() is None and timeline.iteration == last + 1, "with other settings it goes on"


def test_checkpoints_are_finite():
    """No checkpoint is kept of what is not: every iteration can be gone to from each."""
    timeline, _ = stopped(BAD["parameter, late"][0])
    for one in timeline.kept:
        assert all(torch.isfinite(tensor).all() for tensor in one.tensors.values())


def test_an_edit_that_brings_infinity_stops_the_next_iteration():
    timeline = Timeline(experiment(mlp(p=0.0), "sgd", batch_size=16), HERE)
    timeline.go_to(30)
    timeline.edit(edits.set_parameter(timeline.document, "h1.bias", [-1e39] * 4))
    stop = timeline.advance(at_most=20)
    assert stop.message == "Iteration 31: h1.bias is the first that is not finite: 4 of 4 elements." and timeline.iteration == 30
    timeline.go_to(20)
    assert timeline.go_to(40) == stop and timeline.iteration == 30


@pytest.mark.parametrize(
    ("optimizer", "settings"),
    [
        ("sgd", {"momentum": 0.9, "nesterov": True}),
        ("adagrad", {}),
        ("rmsprop", {"momentum": 0.5, "centered": True}),
        ("adam", {"amsgrad": True}),
        ("adamw", {}),
    ],
)
def test_a_trace_has_a_row_for_all_that_an_optimizer_remembers(optimizer, settings):
    timeline = Timeline(experiment(mlp(p=0.0), optimizer, settings={"learning_rate": 0.01} | settings), HERE)
    timeline.go_to(3)
    captured = capture_next(timeline.trainer, "textbook")
    timeline.advance()
    state = timeline.trainer.checkpoint().state
    for update in captured.trace.updates:
        rows = [row.value for row in update.rows if row.symbol in REMEMBERED]
        kept = {key: value for key, value in state[update.parameter].items() if isinstance(value, torch.Tensor) and key != "step"}
        assert kept and all(any(torch.allclose(value, row, rtol=1e-5, atol=0) for row in rows) for value in kept.values()), list(kept)

"""Breakpoints in the engine: the exact iteration, the exact place, and a run that stands before it bit by bit."""

from __future__ import annotations

import pytest
import torch

from nnviz import messages
from nnviz.document import edits
from nnviz.document.breakpoints import Breakpoint
from nnviz.document.catalog import new_layer
from nnviz.engine.observe.capture import capture_next
from nnviz.engine.observe.trace_records import to_record
from nnviz.engine.run.timeline import Timeline
from nnviz.engine.run.training_breakpoints import TrainingBreakpoints
from nnviz.records.breakpoint_places import places_reached
from nnviz.records.run_records import BreakpointHit
from nnviz.records.trace_index import TraceIndex
from tests.engine.experiments import HERE, chain, experiment
from tests.engine.test_service import Engine

NET = chain(
    new_layer("input", "x", shape=[2]),
    new_layer("dense", "h1", units=4, activation="relu"),
    new_layer("batch_norm", "n1"),
    new_layer("dense", "out", units=2),
)
PLAIN = chain(new_layer("input", "x", shape=[2]), new_layer("dense", "h1", units=4, activation="tanh"), new_layer("dense", "out", units=2))
EXPLODING = experiment(PLAIN, optimizer="sgd", settings={"learning_rate": 1.0, "momentum": 0.9}, loss="mse", batch_size=16)
ADAM = experiment(NET, optimizer="adam", settings={"learning_rate": 0.05}, batch_size=16)


def checking(*breakpoints: Breakpoint) -> TrainingBreakpoints:
    made = TrainingBreakpoints()
    made.set_breakpoints(breakpoints)
    return made


def run_until_stopped(document, *breakpoints: Breakpoint, most: int = 200):
    timeline, active = Timeline(document, HERE), checking(*breakpoints)
    for _ in range(most):
        if stop := timeline.advance(active.check):
            return timeline, stop
    return timeline, None


def everything(timeline: Timeline) -> dict:
    """All that the further run depends on, as bytes."""
    kept = timeline.trainer.checkpoint()
    flat = {f"{name}.{key}": value for name, state in kept.state.items() for key, value in state.items()} | kept.tensors
    state = {name: value.numpy().tobytes() if isinstance(value, torch.Tensor) else value for name, value in flat.items()}
    return state | {"position": kept.position, "points": tuple(timeline.points)}


def largest_gradients(document, iteration: int) -> dict[str, float]:
    """The largest |gradient| of every parameter in the iteration that follows so many, by another way than the breakpoints'."""
    timeline = Timeline(document, HERE)
    timeline.go_to(iteration)
    timeline.trainer.differentiate(timeline.trainer.rows())
    return {name: float(parameter.grad.abs().max()) for name, parameter in timeline.trainer.parameters.items()}


@pytest.mark.parametrize("document", [EXPLODING, ADAM])
def test_training_stops_before_the_first_iteration_that_fires_and_stands_there_bit_by_bit(document):
    largest = [max(largest_gradients(document, iteration).values()) for iteration in range(40)]
    expected = next(k for k in range(4, 40) if largest[k] > max(largest[:k]))
    threshold = (max(largest[:expected]) + largest[expected]) / 2
    timeline, stop = run_until_stopped(document, Breakpoint("gradient", "", "above", threshold))
    assert stop.reason == "breakpoint" and timeline.iteration == expected
    assert stop.hit.value == largest[expected] == largest_gradients(document, expected)[stop.hit.place]
    assert f"before iteration {expected + 1}" in stop.message and f"{stop.hit.value:.4g}" in stop.message
    plain = Timeline(document, HERE)
    plain.go_to(expected)
    assert everything(timeline) == everything(plain)
    timeline.go_to(expected + 30)
    plain.go_to(expected + 30)
    assert everything(timeline) == everything(plain), "having stopped leaves no trace in the further run"


def test_a_planted_explosion_is_caught_where_it_becomes_infinite():
    planted = replace_weights(EXPLODING, "out", 1e30)
    timeline, stop = run_until_stopped(planted, Breakpoint("non_finite"))
    assert (stop.reason, timeline.iteration) == ("breakpoint", 0)
    assert Timeline(planted, HERE).advance().reason == "non_finite", "without one, training stops by itself"
    assert (stop.hit.place, stop.hit.value) == ("loss", 1), "the outputs are large and finite, their squares are not"


def replace_weights(document, layer: str, size: float):
    timeline = Timeline(document, HERE)
    weight = timeline.trainer.parameters[f"{layer}.weight"]
    return edits.set_parameter(document, f"{layer}.weight", (torch.sign(weight.detach()) * size).tolist())


def test_an_activation_above_and_below():
    _, stop = run_until_stopped(ADAM, Breakpoint("activation", "h1", "above", 0.0))
    assert stop.hit.place == "h1"
    timeline = Timeline(ADAM, HERE)
    timeline.trainer.differentiate(timeline.trainer.rows())
    assert stop.hit.value == timeline.trainer.net.outputs["h1"].detach().abs().max().item()
    _, stop = run_until_stopped(ADAM, Breakpoint("activation", "", "below", stop.hit.value * 1.0001))
    assert stop.hit.place == "h1", "the first layer in the order of the forward pass"
    assert run_until_stopped(ADAM, Breakpoint("activation", "", "above", 1e9), most=5)[1] is None


def test_a_gradient_below_and_in_one_layer_only():
    first = largest_gradients(ADAM, 0)
    _, stop = run_until_stopped(ADAM, Breakpoint("gradient", "out", "above", 0.0))
    assert (stop.hit.place, stop.hit.value) == ("out.weight", first["out.weight"])
    _, stop = run_until_stopped(ADAM, Breakpoint("gradient", "h1.weight", "below", 1e9))
    assert (stop.hit.place, stop.hit.value) == ("h1.weight", first["h1.weight"])


@pytest.mark.parametrize("document", [EXPLODING, ADAM])
@pytest.mark.parametrize("kind", ["gradient", "activation"])
def test_training_and_the_trace_name_the_same_place(document, kind):
    one = Breakpoint(kind, "", "above", 0.0)
    timeline, stop = run_until_stopped(document, one)
    reached = next(iter(places_reached(TraceIndex(to_record(capture_next(timeline.trainer, "textbook"))), [one], None)))
    assert stop.hit.place == reached.place and stop.hit.value == pytest.approx(reached.value, rel=1e-6)


def test_the_loss_is_compared_with_that_of_the_iteration_before():
    timeline, stop = run_until_stopped(ADAM, Breakpoint("loss_rising", threshold=0.01))
    plain = Timeline(ADAM, HERE)
    plain.go_to(timeline.iteration + 1)
    losses = [point.loss for point in plain.points]
    rises = [k for k in range(2, len(losses)) if losses[k] > losses[k - 1] + 0.01]
    assert rises == [timeline.iteration + 1] and stop.hit.value == losses[-1]


@pytest.mark.parametrize("one", [Breakpoint("node", "h1/relu"), Breakpoint("parameter", "h1.weight")])
def test_a_node_or_parameter_stops_before_every_iteration(one):
    timeline, active = Timeline(ADAM, HERE), checking(one)
    assert timeline.advance(active.check).hit == BreakpointHit(one, one.target)
    for iteration in range(1, 4):
        active.skip(timeline.iteration)
        assert timeline.advance(active.check) is None, "past it"
        assert timeline.advance(active.check).hit.breakpoint is one
        assert timeline.iteration == iteration


def test_what_is_off_stops_nothing_and_only_one_iteration_is_skipped():
    timeline = Timeline(ADAM, HERE)
    assert timeline.advance(TrainingBreakpoints().check) is None
    assert timeline.advance(checking(Breakpoint("node", "h1/relu", enabled=False)).check) is None
    active = checking(Breakpoint("node", "h1/relu"))
    active.skip(2)
    assert timeline.advance(active.check) is None and timeline.advance(active.check).reason == "breakpoint"
    active.skip(None)
    assert timeline.advance(active.check).reason == "breakpoint" and timeline.iteration == 3


def test_replays_do_not_stop():
    timeline = Timeline(ADAM, HERE)
    timeline.go_to(30)
    active = checking(Breakpoint("node", "h1/relu"))
    assert timeline.go_to(10) is None and timeline.iteration == 10
    assert timeline.advance(active.check).reason == "breakpoint"
    assert timeline.iteration == 10


@pytest.fixture(scope="module")
def engine():
    engine = Engine()
    assert engine.until(messages.Ready)
    yield engine
    engine.end()


def test_over_the_wire(engine):
    """Set while it trains, stopped with the reason, past it with the next order, and no more once it is taken away."""
    engine.send(messages.Watch(("measures",)))
    engine.open(ADAM)
    engine.send(messages.Train(), messages.SetBreakpoints((Breakpoint("gradient", "", "above", 0.0),)))
    stopped = engine.until(messages.Trained)
    assert stopped.reason == "breakpoint" and stopped.hit.place == "out.weight"
    engine.send(messages.TraceNext())
    trace = engine.until(messages.Traced).trace
    assert trace.iteration == stopped.iteration, "the trace is that of the iteration that was not made"
    engine.send(messages.Train())
    assert engine.until(messages.Trained).iteration == stopped.iteration, "it is there still"
    engine.send(messages.Train(5, past=True))
    assert engine.until(messages.Trained).iteration == stopped.iteration + 1, "past it, to the next one"
    engine.send(messages.GoTo(stopped.iteration + 9))
    assert engine.until(messages.Moved).iteration == stopped.iteration + 9
    engine.open(ADAM)
    engine.send(messages.Train(3))
    assert (engine.until(messages.Trained).iteration) == 0, "it holds for the next run too"
    engine.send(messages.SetBreakpoints(()), messages.Train(3))
    assert (done := engine.until(messages.Trained)).iteration == 3 and done.hit is None

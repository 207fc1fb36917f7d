"""Weights set while training runs: it pauses, the change is made of the values as they stand, and it goes on with what was left."""

from __future__ import annotations

import numpy as np
import pytest

from nnviz import messages
from nnviz.document import edits
from nnviz.records.run_records import Goal
from nnviz.records.tensors import Array, Tensor
from nnviz.records.trace_record import NodeRecord, TraceRecord
from tests.session.sessions import Stage, kinds
from tests.session.traces import trace

WEIGHT = "h1.weight"
SHAPES = {"h1.weight": (4, 2), "h1.bias": (4,), "out.weight": (2, 4), "out.bias": (2,)}


def record(iteration: int, factor: float = 1.0) -> TraceRecord:
    """A trace whose parameters go by their full names and are `factor` everywhere."""
    made = trace(iteration)
    return _replaced(made, nodes=tuple(_named(node, factor) if node.kind == "parameter" else node for node in made.nodes))


def traced(stage: Stage, iteration: int, factor: float = 1.0) -> None:
    stage.reply(messages.Traced(stage.session.run.revision, record(iteration, factor)))


@pytest.fixture
def training(standing) -> Stage:
    """A session that trains 300 iterations and has made 5 of them."""
    traced(standing, 0)
    standing.session.training.iterations(300)
    standing.frame(5)
    standing.wire.take()
    return standing


def paused(stage: Stage, iteration: int) -> None:
    stage.trained(iteration, "asked")
    traced(stage, iteration)


def test_the_change_is_made_of_the_values_as_they_stand_and_training_goes_on(training):
    assert training.session.weights.put_element(WEIGHT, (0, 1), 3.5)
    assert [kind for kind in kinds(training.wire.take()) if kind != "Acknowledge"] == ["Pause"], "a frame may still be acknowledged"
    assert not training.session.experiment.weights
    paused(training, 7)
    assert kinds(training.wire.take()) == ["TraceNext", "Edit"]
    values = np.array(training.session.experiment.weights[WEIGHT])
    assert values[0, 1] == 3.5 and values.sum() == values.size - 1 + 3.5, "the others are what the trace says"
    training.opened(new_run=False, iteration=7)
    assert training.wire.take()[0] == messages.Train(293)
    assert training.session.training.is_training and training.session.link.log.changes[0].iteration == 7


def test_what_is_set_in_the_meantime_is_part_of_it(training):
    weights = training.session.weights
    weights.put_element(WEIGHT, (0, 1), 3.5)
    training.trained(7, "asked")
    weights.nudge(WEIGHT, (0, 0), 2)
    weights.put("out.bias", weights.values("out.bias") * 0 + 5)
    traced(training, 7)
    found = {name: np.array(values) for name, values in training.session.experiment.weights.items()}
    assert found[WEIGHT][0, :2].tolist() == pytest.approx([1.02, 3.5]) and (found["out.bias"] == 5).all()
    assert len(training.wire.of(messages.Pause)) == 1
    for request in training.wire.of(messages.Edit):
        assert not training.wire.of(messages.Train)
        training.opened(new_run=False, iteration=7, revision=request.revision)
    assert training.wire.of(messages.Train) == [messages.Train(293)]


def test_of_a_whole_parameter_only_what_was_changed_is_set(training):
    shown = training.session.weights.values(WEIGHT)
    training.session.weights.put(WEIGHT, np.where(np.arange(shown.size).reshape(shown.shape) == 0, 9.0, shown))
    training.trained(6, "asked")
    traced(training, 6, factor=2.0)
    values = np.array(training.session.experiment.weights[WEIGHT])
    assert values.flat[0] == 9.0 and (values.flat[1:] == 2.0).all()


def test_a_person_who_pauses_in_the_meantime_has_paused(training):
    training.session.weights.put_element(WEIGHT, (0, 1), 3.5)
    training.session.training.toggle()
    paused(training, 7)
    training.opened(new_run=False, iteration=7)
    assert training.session.experiment.weights and not training.wire.of(messages.Train)
    training.session.training.toggle()
    assert training.wire.of(messages.Train)


@pytest.mark.parametrize(("iteration", "reason"), [(300, "done"), (7, "non_finite"), (7, "early_stopping")])
def test_training_that_stops_by_itself_is_not_taken_up_again(training, iteration, reason):
    training.session.weights.put_element(WEIGHT, (0, 1), 3.5)
    training.trained(iteration, reason)
    traced(training, iteration)
    training.opened(new_run=False, iteration=iteration)
    assert training.session.experiment.weights and not training.wire.of(messages.Train)


def test_without_a_trace_nothing_is_set_and_that_is_said(training):
    training.session.weights.put_element(WEIGHT, (0, 1), 3.5)
    training.trained(7, "asked")
    training.reply(messages.Failed("TraceNext", "It cannot be traced."))
    assert not training.session.experiment.weights and any("is lost" in text for text in training.texts)
    assert not training.wire.of(messages.Train) and not training.session.training.is_held


def test_on_the_way_to_an_iteration_nothing_is_trained_afterwards(training):
    training.session.training.go_to(3)
    training.session.weights.put_element(WEIGHT, (0, 1), 3.5)
    training.reply(messages.Moved(3, 0))
    traced(training, 3)
    training.opened(new_run=False, iteration=3)
    assert training.session.experiment.weights and not training.wire.of(messages.Train)


@pytest.mark.parametrize("request_", ["MapUnit", "Watch", "InspectNode"])
def test_a_question_without_an_answer_loses_nothing(training, request_):
    training.session.weights.put_element(WEIGHT, (0, 1), 3.5)
    training.reply(messages.Failed(request_, "There is no plane."))
    assert training.session.training.is_held
    paused(training, 7)
    assert np.array(training.session.experiment.weights[WEIGHT])[0, 1] == 3.5
    training.opened(new_run=False, iteration=7)
    assert training.wire.of(messages.Train) == [messages.Train(293)]


def test_another_document_forgets_what_was_to_be_set(training):
    training.session.weights.put_element(WEIGHT, (0, 1), 3.5)
    training.session.document.new(edits.set_title(training.session.experiment, "Another"))
    training.trained(7, "asked")
    training.opened()
    traced(training, 0)
    assert not training.session.experiment.weights and not training.session.training.is_held


def test_a_parameter_that_has_gone_is_not_waited_for(training):
    training.session.weights.put_element("gone.weight", (0, 0), 1.0)
    paused(training, 7)
    assert not training.session.training.is_held and training.wire.sent[-1] == messages.Train(293)


def _named(node: NodeRecord, factor: float) -> NodeRecord:
    label = f"{node.module}.{'weight' if node.label == 'W' else 'bias'}"
    values = np.full(SHAPES[label], factor, np.float32)
    return _replaced(node, label=label, value=Tensor(values.shape, Array("float32", values.shape, values.tobytes())))


def _replaced(struct, **changes):
    return type(struct)(**{name: getattr(struct, name) for name in struct.__struct_fields__} | changes)


# --- as a person likes it ---


def test_a_pace_holds_for_what_is_asked_later_and_for_what_is_under_way(standing):
    training = standing.session.training
    training.set_pace(2.0)
    assert standing.wire.take() == []
    training.train()
    assert standing.wire.take() == [messages.Train(per_second=2.0)]
    training.set_pace(None)
    assert standing.wire.take() == [messages.SetPace(None)]


def test_a_goal_outlives_an_interruption(standing):
    training, goal = standing.session.training, Goal("metric", "above", 0.9)
    training.until(goal)
    assert standing.wire.take() == [messages.Train(goal=goal)]
    training.defer(lambda: True)
    standing.trained(3, "asked")
    standing.traced(3)
    assert standing.wire.of(messages.Train) == [messages.Train(goal=goal)]

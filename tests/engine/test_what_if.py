"""What is supposed of an iteration never touches the run; the history of a weight."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from nnviz.document import edits
from nnviz.engine.observe.capture import capture_next
from nnviz.engine.observe.measures import history_record
from nnviz.engine.observe.trace_records import to_record
from nnviz.engine.run.timeline import Timeline
from nnviz.engine.run.trainer import digest
from nnviz.engine.run.weight_recorder import LENGTH, WeightRecorder
from nnviz.records.trace_record import WhatIf
from nnviz.trace import TraceError
from tests.engine.experiments import HERE, experiment

START = experiment(batch_size=16, precision="float64")


def standing(iteration: int = 30, document=START) -> Timeline:
    timeline = Timeline(document, HERE)
    timeline.go_to(iteration)
    return timeline


def node_of(record, label: str) -> int:
    return next(node.id for node in record.nodes if node.label == label or node.operation == label)


# --- what-ifs ---


def test_the_run_goes_on_as_if_nothing_had_been_supposed():
    timeline, other = standing(), standing()
    base = to_record(capture_next(timeline.trainer, "textbook"))
    for label, kind in (("h1.weight", "scale"), ("relu", "ablate"), ("x", "set"), ("target", "set"), ("dropout_mask", "ablate")):
        trace = to_record(
            capture_next(timeline.trainer, "textbook", what_ifs=[WhatIf(node_of(base, label), kind, 1.0 if kind == "set" else 3.0)])
        )
        assert trace.loss != base.loss, label
        assert trace.what_ifs[0].kind == kind
        assert [step.node for step in trace.steps] == [step.node for step in base.steps]
    assert to_record(capture_next(timeline.trainer, "textbook")) == base, "taking back gives the equal record"
    timeline.go_to(60)
    other.go_to(60)
    assert digest(timeline.trainer.net) == digest(other.trainer.net)


def test_the_same_mask_and_the_same_rows():
    timeline = standing()
    base = to_record(capture_next(timeline.trainer, "textbook"))
    mask = node_of(base, "dropout_mask")
    trace = to_record(capture_next(timeline.trainer, "textbook", what_ifs=[WhatIf(node_of(base, "h1.bias"), "set", 1.0, (2,))]))
    assert trace.rows == base.rows
    assert trace.nodes[mask] == base.nodes[mask]


def test_a_model_that_cannot_run_with_it_says_so():
    timeline = standing()
    target = node_of(to_record(capture_next(timeline.trainer, "textbook")), "target")
    with pytest.raises(TraceError, match="with what is supposed"):
        capture_next(timeline.trainer, "textbook", what_ifs=[WhatIf(target, "set", 9.0, (0,))])
    assert torch.isfinite(timeline.trainer.answer(timeline.trainer.training_rows.x)).all()


def test_the_proof_travels_with_the_trace():
    record = to_record(capture_next(standing().trainer, "textbook"))
    assert {row.parameter for row in record.agreements} == {update.parameter for update in record.updates}
    assert max(row.relative for row in record.agreements) == pytest.approx(record.worst_error)
    assert all(row.ours == pytest.approx(row.torch, rel=1e-9) for row in record.agreements)


# --- the history of a weight ---


def test_the_history_of_a_weight_is_what_the_run_did():
    timeline = Timeline(START, HERE)
    timeline.record_weight("h1.weight", (1, 0))
    values, gradients = [timeline.trainer.parameters["h1.weight"][1, 0].item()], []
    for _ in range(LENGTH + 30):
        timeline.advance()
        values.append(timeline.trainer.parameters["h1.weight"][1, 0].item())
        gradients.append(timeline.trainer.parameters["h1.weight"].grad[1, 0].item())
    iterations, kept, felt, steps = map(np.array, zip(*timeline.trainer.recorder.rows(timeline.iteration), strict=True))
    assert iterations.tolist() == list(range(31, LENGTH + 31))
    assert kept.tolist() == values[-LENGTH:]
    assert felt.tolist() == gradients[-LENGTH:]
    np.testing.assert_array_equal(steps, np.diff(values)[-LENGTH:])


@pytest.mark.parametrize("clipping", [{}, {"clip_norm": 0.1}, {"clip_value": 0.01}])
def test_iterations_made_in_one_go_are_recorded_like_single_ones(clipping):
    single, quick = (Timeline(edits.change_training(START, **clipping), HERE) for _ in range(2))
    for timeline in (single, quick):
        timeline.record_weight("h1.weight", (1, 0))
        timeline.trainer.keep_previous(True)
    for _ in range(150):
        single.advance()
    quick.go_to(150)
    assert quick.trainer.recorder.rows(150) == single.trainer.recorder.rows(150)
    assert all(torch.equal(quick.trainer.previous[name], tensor) for name, tensor in single.trainer.previous.items())


def test_a_weight_picked_later_has_its_past_made_again(monkeypatch):
    watched, late = Timeline(START, HERE), standing(90)
    watched.record_weight("out.bias", (1,))
    watched.go_to(90)
    before, points = digest(late.trainer.net), list(late.points)
    monkeypatch.setattr("nnviz.engine.run.timeline.REPLAYING", 60.0)
    late.record_weight("out.bias", (1,))
    assert late.trainer.recorder.rows(90) == watched.trainer.recorder.rows(90)[-90:]
    assert (digest(late.trainer.net), late.points, late.iteration) == (before, points, 90)
    monkeypatch.setattr("nnviz.engine.run.timeline.REPLAYING", 0.0)
    late.record_weight("out.bias", (0,))
    assert late.trainer.recorder.rows(90) == [], "too slow to make again: it begins here"


def test_going_back_shortens_the_history_and_training_on_writes_it_again():
    timeline = Timeline(START, HERE)
    timeline.record_weight("h1.bias", (0,))
    timeline.go_to(60)
    rows = timeline.trainer.recorder.rows(60)
    timeline.go_to(20)
    assert timeline.trainer.recorder.rows(20) == rows[:20]
    timeline.go_to(60)
    assert timeline.trainer.recorder.rows(60) == rows


def test_an_edited_net_without_that_weight_leaves_no_trace():
    timeline = Timeline(START, HERE)
    timeline.record_weight("h1.bias", (3,))
    timeline.go_to(5)
    timeline.edit(edits.change_layer(timeline.document, "h1", units=2))
    timeline.go_to(9)
    assert [row[0] for row in timeline.trainer.recorder.rows(9)] == [1, 2, 3, 4, 5]
    assert history_record(timeline.trainer.recorder, 9).values.shape == (5,)
    assert history_record(WeightRecorder("h1.bias", (0,)), 9).values.shape == (0,)

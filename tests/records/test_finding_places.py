"""Where what the doctor found is seen: in which iteration, and at which step of it."""

from pathlib import Path

import pytest

from nnviz.document import edits
from nnviz.document.store.examples import open_document
from nnviz.engine.observe.capture import capture_next
from nnviz.engine.observe.trace_records import to_record
from nnviz.engine.run.timeline import Timeline
from nnviz.records.finding import Finding
from nnviz.records.finding_places import cursor_of, iteration_of
from nnviz.records.trace_index import TraceIndex

RATE, CLIP = "training.optimizer.learning_rate", "training.clip_norm"


@pytest.fixture(scope="module")
def index() -> TraceIndex:
    document = edits.change_training(open_document("example:moons"), clip_norm=1.0)
    return TraceIndex(to_record(capture_next(Timeline(document, Path()).trainer, "textbook")))


@pytest.mark.parametrize(
    ("kind", "place", "phase", "layer"),
    [
        ("vanishing", "h1", "backward", "h1"),
        ("exploding", "h2", "backward", "h2"),
        ("exploding", CLIP, "clip", ""),
        ("dead_relu", "h1", "forward", "h1"),
        ("rate_too_small", RATE, "update", ""),
        ("start_loss", "data", "loss", ""),
        ("input_scale", "data", "batch", ""),
    ],
)
def test_the_step(index, kind, place, phase, layer):
    step = index.trace.steps[cursor_of(index, Finding(kind, place, "", "")) - 1]
    assert step.phase == phase
    assert not layer or index.node(step.node).group[0] == layer


def test_the_last_step_of_the_layer(index):
    """With it the gradients of its weights are there, or its output is."""
    backward = index.trace.steps[cursor_of(index, Finding("vanishing", "h1", "", "")) - 1]
    forward = index.trace.steps[cursor_of(index, Finding("dead_relu", "h1", "", "")) - 1]
    assert index.node(backward.node).label == "linear" and index.node(forward.node).label == "relu"


@pytest.mark.parametrize(
    ("kind", "since", "iteration"),
    [("vanishing", 12, 11), ("vanishing", 0, 0), ("non_finite", 2, 2), ("symmetric_start", 0, 0), ("no_non_linearity", 7, None)],
)
def test_the_iteration(kind, since, iteration):
    assert iteration_of(Finding(kind, "h1", "", "", since=since)) == iteration

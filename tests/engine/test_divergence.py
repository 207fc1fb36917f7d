"""The first divergence of two runs: which iteration, which phase, which node, and the numbers there."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from nnviz.document import edits
from nnviz.document.run_log import Change, RunLog
from nnviz.document.store.examples import open_document
from nnviz.engine.observe.capture import capture_next
from nnviz.engine.observe.trace_difference import first_difference, tensor_difference
from nnviz.engine.run import timeline as timelines
from nnviz.engine.run.divergence import first_divergence
from nnviz.engine.run.timeline import Timeline
from nnviz.jobs.comparing import finished
from nnviz.text import divergence_text
from tests.engine.experiments import HERE, experiment, table

START = experiment(batch_size=16)
MOONS = open_document("example:moons")


def diverged(one, other, iterations=60):
    return finished(first_divergence(Timeline(one, HERE), Timeline(other, HERE), iterations))


def said(one, other, iterations=60):
    """Where two experiments differ first, as a person reads it."""
    found = diverged(one, other, iterations)
    titles = tuple(log.first.network.titles if isinstance(log, RunLog) else log.network.titles for log in (one, other))
    return divergence_text.heading(found, titles), divergence_text.details(found, titles)


def at(iteration, **values):
    """The run of two moons in which something of its training changes behind an iteration."""
    changed = MOONS
    for path, value in values.items():
        changed = edits.set_value(changed, path.replace("__", "."), value)
    return RunLog(MOONS, (Change(iteration, changed),))


@pytest.mark.parametrize("document", [START, MOONS, open_document("example:digits")])
def test_identical_runs_do_not_diverge(document):
    assert diverged(document, document) is None
    assert diverged(document, document.replaced(title="Another", breakpoints=())) is None


@pytest.mark.parametrize(
    ("path", "value", "heading", "details"),
    [
        (
            "seed",
            5,
            "before iteration 1, the start, W of dense 1",
            "Its value: 1.502 in the first run, −1.753 in the second at [1, 0]; 8 of 8",
        ),
        ("data.noise", 0.16, "iteration 1, batch, x of input, row 27", "−1.052 in the first run, −1.022 in the second at [27, 1]"),
        ("training.batch_size", 16, "iteration 1, batch, x of input", "Its value has another shape: 32×2 in the first run, 16×2 in"),
        (
            "network.layers.h2.activation",
            "tanh",
            "iteration 1, forward, relu of dense 2",
            "relu of dense 2 in the first run, tanh of dense 2",
        ),
        ("network.layers.h2.units", 6, "iteration 1, forward, W of dense 2", "it is 4×4 in the first run, 6×4 in the second"),
        ("training.l2", 0.1, "iteration 1, loss, pow of penalty", "nothing more in the first run, pow of penalty in the second"),
        (
            "network.layers.h1.frozen",
            True,
            "iteration 1, backward, linear of dense 2",
            "goes to relu of dense 1: only the first run has it",
        ),
        ("training.clip_norm", 0.1, "iteration 1, clip", "The line norm: only the second has it"),
        ("training.optimizer.learning_rate", 0.02, "iteration 1, update, W of dense 1", "The line ηₜ: 2.854 in the first run, 5.708 in"),
        ("training.optimizer.beta2", 0.99, "iteration 1, update, W of dense 1", "The line v: "),
        ("precision", "float64", "before iteration 1, the start", "float32 in the first run, float64 in the second"),
    ],
)
def test_where_one_thing_is_changed(path, value, heading, details):
    found = said(MOONS, edits.set_value(MOONS, path, value))
    assert found[0] == heading and details in found[1]


@pytest.mark.parametrize("iteration", [1, 11, 49, 50, 51, 120])
def test_what_changes_behind_an_iteration_shows_in_the_next(iteration):
    rate = said(MOONS, at(iteration, training__optimizer__learning_rate=0.02), 150)
    assert rate[0] == f"iteration {iteration + 1}, update, W of dense 1"
    activation = said(at(iteration, network__layers__h2__activation="tanh"), MOONS, 150)
    assert activation[0] == f"iteration {iteration + 1}, forward, tanh of dense 2"
    weight = said(MOONS, at(iteration, weights__out__bias=[1.0, 2.0]), 150)
    assert weight[0] == f"iteration {iteration}, after its update, output.b" and "in the second at [" in weight[1]


def test_a_change_behind_the_last_iteration_is_none():
    assert diverged(MOONS, at(60, training__optimizer__learning_rate=0.02), 60) is None
    assert diverged(MOONS, at(60, training__optimizer__learning_rate=0.02), 61).iteration == 61


def test_a_layer_more_parts_the_graphs_where_it_stands():
    more = edits.add_layer(MOONS, "dense", between=("h2", "out"))
    heading, details = said(MOONS, more)
    assert heading == "iteration 1, forward, W of output"
    assert "W of output in the first run, W of dense1 in the second" in details


def test_layers_that_are_called_otherwise_are_the_same():
    assert diverged(MOONS, edits.rename_layer(MOONS, "h1", "first")) is None


def test_one_weight_by_one_bit():
    """The smallest difference there is, in one weight from iteration 41 on, is found there and nowhere else."""
    there = Timeline(MOONS, HERE)
    there.go_to(40)
    weight = there.trainer.parameters["h2.weight"].detach().clone()
    weight[1, 2] = torch.nextafter(weight[1, 2], torch.tensor(torch.inf))
    changed = edits.set_parameter(MOONS, "h2.weight", weight.tolist())
    found = diverged(MOONS, RunLog(MOONS, (Change(40, changed),)), 90)
    assert (found.iteration, found.phase, found.element, found.differing, found.elements) == (40, "after", (1, 2), 1, 16)
    assert found.places[1].value > found.places[0].value and found.difference == found.places[1].value - found.places[0].value


def test_backward_names_the_node_and_the_row():
    """As "iteration 41, backward, dense 2, row 7": of two traces one has another number in what a backward step sends."""
    timeline = Timeline(MOONS, HERE)
    timeline.go_to(40)
    one = capture_next(timeline.trainer, "textbook")
    node = next(node for node in one.trace.nodes if (node.operation, node.module) == ("relu", "h1"))
    part = node.contributions[0]
    gradient = part.gradient.clone()
    gradient[7, 2] += 1
    nodes = list(one.trace.nodes)
    nodes[node.id] = node._replace(contributions=(part._replace(gradient=gradient),))
    found = first_difference(one, one._replace(trace=replace(one.trace, nodes=tuple(nodes))))
    titles = (MOONS.network.titles,) * 2
    assert divergence_text.heading(found, titles) == "iteration 41, backward, linear of dense 2, row 7"
    assert "The gradient that goes to relu of dense 1" in divergence_text.details(found, titles)
    assert found.places[0].row == one.rows[7] and one.trace.steps[found.places[0].step - 1].node == part.source
    assert first_difference(one, one) is None


def test_a_row_that_comes_later_shows_when_its_batch_comes():
    """One number of one training row differs: the runs are the same until that row is in the batch."""

    def with_last(number):
        x = [[k / 10, 1 - k / 10] for k in range(39)] + [[4.0, number]]
        return experiment(data=table(x, [k % 2 for k in range(40)], validation=0.0, scaling="none"), batch_size=8)

    one, other = with_last(0.1), with_last(0.2)
    run, rows = Timeline(one, HERE), []
    while 39 not in rows:
        rows = run.trainer.rows().tolist()
        run.advance()
    found = diverged(one, other)
    assert (found.iteration, found.phase, found.row, found.places[0].row) == (run.iteration, "batch", rows.index(39), 39)
    assert [place.value for place in found.places] == pytest.approx([0.1, 0.2])


def test_a_run_that_diverges_and_one_that_does_not():
    sine = edits.set_value(edits.set_value(open_document("example:sine"), "training.optimizer.kind", "sgd"), "training.batch_size", None)
    wild = edits.set_value(sine, "training.optimizer.learning_rate", 1.0)
    assert diverged(wild, wild, 100) is None, "both end at the same iteration, which is not finite"
    calm = RunLog(wild, (Change(10, edits.set_value(wild, "training.optimizer.learning_rate", 1e-30)),))
    assert diverged(wild, calm, 100).iteration == 11


def test_not_a_number_is_compared_by_its_bits():
    nan, zero = torch.tensor([1.0, torch.nan, 0.0]), torch.tensor([1.0, torch.nan, -0.0])
    assert tensor_difference(nan, nan) is None
    found = tensor_difference(nan, zero)
    assert (found.element, found.differing, found.difference) == ((2,), 1, 0.0)
    infinite = tensor_difference(nan, torch.tensor([1.0, 2.0, 0.5]))
    assert (infinite.element, infinite.differing, infinite.difference) == ((1,), 2, None)
    assert tensor_difference(torch.zeros(2), torch.zeros(3)).values is None
    assert tensor_difference(torch.zeros(2), torch.zeros(2, dtype=torch.float64)).values is None


def test_the_search_pauses_and_says_how_far_it_is(monkeypatch):
    monkeypatch.setattr(timelines, "SLICE", 0.0)
    work = first_divergence(Timeline(START, HERE), Timeline(START, HERE), 120)
    seen = list(work)
    assert len(seen) > 100 and seen == sorted(seen) and {total for _, total in seen} == {120}

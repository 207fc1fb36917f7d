"""Numbers asked for afterwards: equal to those measured on the way, exact, and without disturbing the run."""

from __future__ import annotations

import math
import random
from itertools import pairwise
from types import SimpleNamespace

import pytest

from nnviz.document import edits
from nnviz.document.run_log import Change, RunLog
from nnviz.document.store.examples import open_document
from nnviz.engine.errors import BuildError
from nnviz.engine.observe.hindsight import PastIterations, estimated_seconds, first_time, past_numbers
from nnviz.engine.observe.measures import layer_measures
from nnviz.engine.run.timeline import Timeline
from nnviz.jobs.comparing import finished
from nnviz.records.hindsight_record import Predicate, Question
from nnviz.records.tensors import to_numpy
from tests.engine.experiments import HERE, experiment, mlp
from tests.engine.test_timeline import state

START = experiment(mlp(activation="relu"), batch_size=16)
QUESTIONS = (
    Question("weights", "h1"),
    Question("gradients", "h2"),
    Question("gradients", "h1", statistic="largest"),
    Question("activations", "h1", statistic="mean"),
    Question("activations", "h1", statistic="dead"),
    Question("activations", "h2", statistic="saturated"),
    Question("activations", "h1", statistic="zeros"),
    Question("updates", "out"),
    Question("weights", parameter="h1.weight", element=(2, 1)),
    Question("gradients", parameter="h1.weight", element=(2, 1)),
    Question("updates", parameter="h1.weight", element=(2, 1)),
    Question("loss"),
    Question("metric"),
    Question("loss", rows="training"),
    Question("loss", rows=(0, 3, 5)),
)


def asked(timeline, questions, *span):
    found = finished(past_numbers(timeline.branch(timeline.log), questions, PastIterations(*span)))
    return to_numpy(found.iterations).tolist(), to_numpy(found.values)


@pytest.fixture(scope="module")
def watched():
    """A run, and what was measured of it on the way, by the instruments that look at it while it is made."""
    timeline, seen = Timeline(START, HERE), []
    timeline.trainer.keep_previous(True)
    for _ in range(120):
        timeline.advance()
        trainer = timeline.trainer
        layers = {one.layer: one for one in layer_measures(trainer)}
        weight, before, gradient = trainer.parameters["h1.weight"].detach(), trainer.previous["h1.weight"], trainer.gradients["h1.weight"]
        h1 = trainer.activations["h1"]
        seen.append(
            {
                0: layers["h1"].weights.norm,
                1: layers["h2"].gradients.norm,
                2: max(-layers["h1"].gradients.min, layers["h1"].gradients.max),
                3: layers["h1"].activations.mean,
                4: float((h1 == 0).all(0).double().mean()),
                6: layers["h1"].activations.zeros / layers["h1"].activations.count,
                8: weight[2, 1].item(),
                9: gradient[2, 1].item(),
                10: (weight - before)[2, 1].item(),
                11: trainer.evaluate(trainer.validation_rows)[0],
                12: trainer.evaluate(trainer.validation_rows)[1],
                13: trainer.evaluate(trainer.training_rows)[0],
            }
        )
    return timeline, seen


def test_what_is_asked_afterwards_is_what_would_have_been_measured(watched):
    timeline, seen = watched
    before = state(timeline)
    places, values = asked(timeline, QUESTIONS, 0, 120)
    assert places == list(range(121)) and values.shape == (len(QUESTIONS), 121)
    for iteration, numbers in enumerate(seen, 1):
        assert {question: values[question, iteration] for question in numbers} == pytest.approx(numbers, rel=1e-12, abs=1e-300)
    assert state(timeline) == before and timeline.iteration == 120


def test_before_the_first_iteration_there_are_weights_and_losses_only(watched):
    _, values = asked(watched[0], QUESTIONS, 0, 0)
    assert [math.isnan(value) for value in values[:, 0]] == [
        question.of in ("gradients", "activations", "updates") for question in QUESTIONS
    ]


@pytest.mark.parametrize("span", [(0, 120, 7), (33, 120, 1), (100, 120, 20), (50, 52, 1), (120, 120, 1)])
def test_a_part_and_a_stride_give_the_same_numbers(watched, span):
    _, everything = asked(watched[0], QUESTIONS, 0, 120)
    places, values = asked(watched[0], QUESTIONS, *span)
    assert places == list(range(span[0], span[1] + 1, span[2]))
    assert values.tobytes() == everything[:, places].tobytes()


def test_other_rows_are_measured_with_chance_switched_off(watched):
    timeline = watched[0]
    loss, same = asked(
        timeline, [Question("loss", rows=tuple(range(timeline.trainer.training_rows.count))), Question("loss", rows="training")], 0, 60
    )[1]
    assert loss == pytest.approx(same, rel=1e-6)


def test_what_changed_on_the_way_is_made_again():
    """A layer that came later has no numbers before; the rate that held then is the one it is made with."""
    timeline = Timeline(START, HERE)
    timeline.go_to(30)
    timeline.edit(edits.change_layer(START, "h2", units=6))
    timeline.go_to(60)
    more = edits.add_layer(timeline.document, "dense", between=("h2", "out"))
    timeline.edit(more)
    timeline.go_to(80)
    new = next(id for id in more.network.titles if id not in START.network.titles)
    places, (old, late) = asked(timeline, [Question("weights", "h2"), Question("weights", new)], 0, 80)
    assert not any(map(math.isnan, old)) and [k for k in places if not math.isnan(late[k])] == list(range(60, 81))
    _, (element,) = asked(timeline, [Question("weights", parameter="h2.weight", element=(5, 0))], 0, 80)
    assert [k for k in places if not math.isnan(element[k])] == list(range(30, 81)), "four units have no sixth"


def test_it_ends_where_the_run_cannot_go_on():
    sine = edits.set_value(open_document("example:sine"), "training.optimizer.kind", "sgd")
    timeline = Timeline(edits.set_value(sine, "training.optimizer.learning_rate", 1.0), HERE)
    timeline.go_to(50)
    assert 0 < timeline.iteration < 50
    places, _ = asked(timeline, [Question("weights", "h1")], 0, 50)
    assert places == list(range(timeline.iteration + 1))


def test_it_can_be_left_at_any_moment(watched):
    timeline = watched[0]
    before, work = state(timeline), past_numbers(timeline.branch(timeline.log), QUESTIONS, PastIterations(0, 120))
    seen = [next(work) for _ in range(30)]
    work.close()
    assert seen == sorted(seen) and seen[-1][1] == 121 and state(timeline) == before


def test_an_estimate_is_made_in_slices_and_counts_only_its_own_time(watched, monkeypatch):
    """The run goes on in between."""
    fork, clock, places = watched[0].branch(watched[0].log), [0.0], []
    monkeypatch.setattr("nnviz.engine.observe.hindsight.time", SimpleNamespace(perf_counter=lambda: clock[0]))
    work = estimated_seconds(fork, QUESTIONS, PastIterations(0, 120, 3))
    with pytest.raises(StopIteration) as end:
        while True:
            next(work)
            places.append(fork.iteration)
            clock[0] += 10.0
    assert max(later - before for before, later in pairwise(places)) <= 3 and places[-1] == 23 * 3
    assert end.value.value == 0.0


def test_an_estimate_comes_first(watched):
    fork = watched[0].branch(watched[0].log)
    few, many = (finished(estimated_seconds(fork, QUESTIONS, PastIterations(0, last))) for last in (120, 120_000))
    assert 0 < few < many < 3600
    _, values = asked(watched[0], QUESTIONS, 0, 120)
    after = finished(past_numbers(fork, QUESTIONS, PastIterations(0, 120)))
    assert to_numpy(after.values).tobytes() == values.tobytes(), "what was tried for it leaves no trace"


@pytest.mark.parametrize(
    "question",
    [
        Question("weights", "nothing"),
        Question("beauty", "h1"),
        Question("weights", "h1", statistic="beauty"),
        Question("loss", rows=(99,)),
        Question("gradients"),
    ],
)
def test_what_cannot_be_asked_is_refused(watched, question):
    with pytest.raises(BuildError):
        asked(watched[0], [question], 0, 5)


# --- where did it first become true? ---


def first(timeline, predicate, last, stays=None):
    return finished(first_time(timeline.branch(timeline.log), predicate, last, stays))


def brute(timeline, predicate, last):
    _, (values,) = asked(timeline, [predicate.question], 0, last)
    return next((k for k, value in enumerate(values) if predicate.holds(value)), None)


@pytest.mark.parametrize("stays", [None, True, False])
def test_a_unit_that_dies_is_dead_from_then_on(stays):
    timeline = Timeline(RunLog(START, (Change(230, edits.set_parameter(START, "h1.bias", [-50.0, 0, 0, 0])),)), HERE)
    timeline.go_to(400)
    dead = Predicate(Question("activations", "h1", element=(0,), statistic="dead"), "above", 0.5)
    found = first(timeline, dead, 400, stays)
    assert (found.iteration, found.value) == (231, 1.0) and math.isnan(found.before), (
        "behind 230 its weights are others than it was made with"
    )
    assert found.how == ("scanned" if stays is False else "bisected")
    assert found.looked < 80 if found.how == "bisected" else found.looked == 232


def test_what_comes_and_goes_is_scanned(watched):
    timeline = watched[0]
    losses = asked(timeline, [Question("gradients", "h1")], 1, 120)[1][0]
    predicate = Predicate(Question("gradients", "h1"), "above", float(sorted(losses)[-4]))
    found = first(timeline, predicate, 120)
    assert found.iteration == brute(timeline, predicate, 120) and found.how == "scanned"


def test_every_threshold_is_passed_where_a_scan_finds_it(watched):
    timeline = watched[0]
    falling = asked(timeline, [Question("loss", rows="training")], 0, 120)[1][0]
    for threshold in random.Random(1).sample(falling.tolist(), 12):
        predicate = Predicate(Question("loss", rows="training"), "below", threshold)
        assert first(timeline, predicate, 120, stays=False).iteration == brute(timeline, predicate, 120)
    assert first(timeline, Predicate(Question("loss"), "below", -1.0), 120).iteration is None
    start = first(timeline, Predicate(Question("loss"), "above", -1.0), 120)
    assert (start.iteration, start.before) == (0, None)

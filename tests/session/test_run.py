from dataclasses import replace

import numpy as np
import pytest

from nnviz import messages
from nnviz.records.data_record import DataRecord
from nnviz.records.run_records import CurvePoint, LayerMeasures
from nnviz.records.tensors import Array, Measure
from nnviz.session.run import (
    MOST_SNAPSHOTS,
    Awaited,
    Begun,
    BegunAgain,
    GivenUp,
    GoingTo,
    Lost,
    Ordered,
    Revised,
    RunState,
    Snapshot,
    Starting,
    fold,
    remembered,
    thinned,
)
from tests.curve_points import travelling
from tests.session.traces import trace

DATA = DataRecord(Array("f4", (0,), b""), Array("i8", (0,), b""), Array("bool", (0,), b""), 2)
MEASURE = Measure(1, 0.0, 0.0, 0.0, 0.0, 0.0, 0, 0, (1,), 0.0, 1.0)


def ready(**changes) -> RunState:
    return replace(RunState(engine="ready", revision=3, opened=1), **changes)


def frame(iteration=5, revision=3, **what) -> messages.Frame:
    return messages.Frame(1, revision, iteration, 2, 0.1, travelling(CurvePoint(iteration, 0.5, 0.6, None)), **what)


def test_a_frame_is_taken_over():
    run = fold(ready(), frame())
    assert (run.iteration, run.epoch, run.learning_rate) == (5, 2, 0.1)
    assert (run.curves.last("loss"), run.curves.last("validation_loss"), run.curves.last("metric")) == (0.5, 0.6, None)


@pytest.mark.parametrize(("revision", "points"), [(0, []), (1, [5]), (2, [5]), (3, [5]), (4, [])])
def test_points_belong_to_the_run_since_it_began(revision, points):
    run = fold(ready(), frame(revision=revision))
    assert run.curves.iteration.tolist() == points
    assert run.iteration == (5 if revision == 3 else 0)


def test_a_picture_over_time_has_each_iteration_once():
    run = ready()
    for iteration in (0, 50, 50, 101, 101, 50):
        run = fold(run, frame(iteration, measures=(LayerMeasures("h1", *[MEASURE] * 3),)))
    assert [snapshot.iteration for snapshot in run.snapshots] == [0, 50]


def test_an_opened_run_starts_clean_but_keeps_the_data_it_knows():
    run = fold(fold(fold(ready(data=DATA), frame()), messages.Traced(3, trace(5))), messages.Opened(3, 0, 0, True, 7))
    assert (run.iteration, run.curves.iteration.size, run.trace_index, run.data, run.opened, run.iterations_per_epoch) == (
        0,
        0,
        None,
        DATA,
        3,
        7,
    )


def test_an_edit_goes_on_with_its_curves():
    run = fold(fold(ready(), frame()), messages.Opened(3, 5, 2, False, 7, kept=("h1.weight",)))
    assert (run.curves.iteration.tolist(), run.opened, run.kept) == ([5], 1, ("h1.weight",))


def test_is_traced_only_where_the_trace_is_of_what_comes_next():
    run = fold(fold(ready(), frame(5)), messages.Traced(3, trace(5)))
    assert run.is_traced
    assert not fold(run, frame(6)).is_traced
    assert not fold(run, frame(5, trace=trace(5))).is_traced, "a live trace does not count: the run may have gone on"
    assert not fold(ready(training=True), messages.Traced(3, trace(0))).is_traced


@pytest.mark.parametrize(
    ("request_name", "training", "failed"), [("Edit", False, True), ("Open", False, True), ("GoTo", False, False), ("Inspect", True, False)]
)
def test_a_failure_stops_only_what_it_concerns(request_name, training, failed):
    run = fold(ready(training=True), messages.Failed(request_name, "No.", "Do.", revision=3 if failed else None))
    assert (run.training, run.failure is not None, run.message) == (training, failed, "No. Do.")


def test_moving_brings_the_curves_up_to_there():
    run = fold(fold(ready(training=True), frame(9)), messages.Moved(4, 1, travelling(CurvePoint(3, 1.0), CurvePoint(4, 0.9))))
    assert (run.iteration, run.curves.iteration.tolist(), run.training) == (4, [3, 4], False)


def test_another_run_begins_with_nothing_to_draw_but_the_data():
    run = fold(fold(fold(ready(data=DATA), frame()), messages.Traced(3, trace(5))), Begun())
    assert (run.trace_index, run.curves.loss.size, run.data) == (None, 0, DATA)
    assert (run.revision, run.opened, run.iteration, run.epoch) == (4, 4, 0, 0)


def test_a_former_run_looks_at_once_as_it_did():
    left = fold(fold(ready(data=DATA), frame(9)), messages.Traced(3, trace(9)))
    run = fold(fold(ready(), frame(40)), Begun(remembered(left)))
    assert (run.iteration, run.curves.iteration.tolist(), run.data, run.trace_index) == (9, [9], DATA, None)
    assert remembered(left).trace_index is None
    assert run.is_made_again and not left.is_made_again and not fold(run, Ordered()).is_made_again


def test_a_run_that_begins_again_keeps_its_pictures_until_it_is_there():
    run = fold(fold(ready(target=3), frame(9)), BegunAgain(5))
    assert (run.revision, run.opened, run.iteration, run.target, run.curves.iteration.tolist()) == (4, 1, 5, None, [9])


def test_what_is_asked_of_the_engine_and_what_becomes_of_it_are_events():
    run = fold(ready(stopped="asked", message="why"), Ordered())
    assert (run.training, run.stopped, run.message) == (True, "", "")
    assert fold(run, GoingTo(7)).target == 7 and fold(run, Revised()).revision == 4
    lost = fold(fold(run, GoingTo(7)), Lost())
    assert (lost.engine, lost.training, lost.target) == ("restarting", False, None)
    assert (fold(lost, GivenUp("No.")).engine, fold(lost, GivenUp("No.")).message) == ("failed", "No.")
    assert [fold(lost, Starting(again)).engine for again in (False, True)] == ["starting", "restarting"]


def test_measures_over_time_grow_thin_and_keep_the_newest():
    snapshots: tuple[Snapshot, ...] = ()
    for iteration in range(1000):
        snapshots = thinned((*snapshots, Snapshot(iteration, ())))
        assert len(snapshots) <= MOST_SNAPSHOTS
    iterations = np.array([snapshot.iteration for snapshot in snapshots])
    assert iterations[0] == 0
    assert iterations[-1] == 999
    assert (np.diff(iterations) > 0).all()


def test_the_log_keeps_its_end():
    run = ready()
    for line in range(600):
        run = fold(run, messages.Logged(str(line)))
    assert (len(run.log), run.log[-1]) == (500, "599")


def test_data_that_another_document_does_not_have_is_past_until_its_own_comes():
    run = fold(ready(data=DATA), Begun(other_data=True))
    assert run.is_data_past and run.data is DATA, "the engine does not send again what the window has"
    assert fold(run, Begun()).is_data_past and not fold(ready(data=DATA), Begun()).is_data_past
    assert not fold(run, messages.Opened(run.revision, 0, 0, True, 7)).is_data_past
    waiting = fold(ready(data=DATA), Awaited())
    assert waiting.is_data_past and not fold(waiting, messages.Opened(waiting.revision, 0, 0, False, 7)).is_data_past

"""The engine as the window meets it: a process, two pipes, frames. One process serves most tests; each opens a run of its own."""

from __future__ import annotations

import math
import os
import select
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from nnviz import jobs, messages
from nnviz.document import edits
from nnviz.document.catalog import DATASETS, new_choice
from nnviz.document.run_log import NOTHING_LEFT, Change, LogUpdate, RunLog
from nnviz.engine.observe.measures import layer_measures
from nnviz.engine.run.timeline import Timeline
from nnviz.engine.run.trainer import digest
from nnviz.records.hindsight_record import Predicate, Question
from nnviz.records.picture_records import PictureWish
from nnviz.records.run_records import Goal
from nnviz.records.task_records import FirstTimeTask, PastNumbersTask, PastTimeTask, PlaneTask, RaceTask, RangeTestTask
from nnviz.records.tensors import to_numpy
from tests.curve_points import arrived
from tests.engine.experiments import HERE, experiment

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = experiment(batch_size=16)
NO_DROPOUT = edits.change_training(DOCUMENT, dropout=False)


class Engine:
    """An engine process and what it has said."""

    def __init__(self, *command: str, acknowledges: bool = True) -> None:
        self.process = subprocess.Popen(
            [sys.executable, *(command or ("-m", "nnviz", "--engine"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=ROOT,
        )
        self.acknowledges = acknowledges
        self.revision = 0
        self._reader, self._bodies = messages.FrameReader(), []

    def send(self, *requests: messages.Request) -> None:
        self.process.stdin.write(b"".join(map(messages.frame, requests)))
        self.process.stdin.flush()

    def next(self, seconds: float = 30.0) -> messages.Reply | None:
        """The next reply; None if there is none for so long."""
        while not self._bodies:
            if not select.select([self.process.stdout], [], [], seconds)[0]:
                return None
            data = os.read(self.process.stdout.fileno(), 1 << 16)
            assert data, self.process.stderr.read().decode()
            self._bodies += self._reader.feed(data)
        reply = messages.decode_reply(self._bodies.pop(0))
        if isinstance(reply, messages.Frame) and self.acknowledges:
            self.send(messages.Acknowledge(reply.number))
        return reply

    def until(self, kind: type, also: list | None = None):
        """The next reply of this kind; the others go into `also`."""
        while True:
            reply = self.next()
            assert reply is not None, f"waited in vain for {kind.__name__}"
            if isinstance(reply, kind):
                return reply
            assert not isinstance(reply, messages.Failed), reply
            if also is not None:
                also.append(reply)

    def open(self, document=DOCUMENT, changes=(), **more) -> messages.Opened:
        self.revision += 1
        self.send(messages.Open(self.revision, RunLog(document, changes), **more))
        opened = self.until(messages.Opened)
        assert opened.revision == self.revision
        return opened

    def edit(self, document) -> None:
        self.revision += 1
        self.send(messages.Edit(self.revision, document))

    def end(self) -> float:
        """Close its stdin; return how long it took to leave."""
        start = time.monotonic()
        self.process.stdin.close()
        try:
            assert self.process.wait(10) == 0
        finally:
            self.process.kill()
            self.process.stdout.close()
            self.process.stderr.close()
        return time.monotonic() - start


@pytest.fixture(scope="module")
def process():
    engine = Engine()
    assert engine.until(messages.Ready).torch.startswith("2.")
    yield engine
    engine.end()


@pytest.fixture
def engine(process):
    process.send(messages.Watch(()))
    yield process
    process.send(messages.Pause(), messages.TraceNext("no such detail"))
    while not isinstance(reply := process.next(), messages.Failed) or reply.request != "TraceNext":
        pass  # whatever the test left unread


def trained(*changes: Change, until: int) -> Timeline:
    timeline = Timeline(RunLog(DOCUMENT, changes), HERE)
    timeline.go_to(until)
    return timeline


def weights(engine: Engine) -> dict[str, bytes]:
    engine.send(messages.TraceNext("layer"))
    nodes = engine.until(messages.Traced).trace.nodes
    return {node.label: node.value.values.data for node in nodes if node.kind == "parameter"}


def expected(timeline: Timeline) -> dict[str, bytes]:
    return {name: parameter.detach().numpy().tobytes() for name, parameter in timeline.trainer.parameters.items()}


# --- opening ---


def test_open_answers_with_data_and_a_first_frame(engine):
    engine.send(messages.Watch(("curves", "measures", "surface", "trace")))
    opened = engine.open()
    assert (opened.iteration, opened.epoch, opened.new_run, opened.iterations_per_epoch) == (0, 0, True, 3)
    frame = engine.until(messages.Frame)
    timeline = Timeline(DOCUMENT, HERE)
    assert arrived(frame.points) == timeline.points and frame.learning_rate == 0.01 and frame.revision == engine.revision
    assert [measure.layer for measure in frame.measures] == ["h1", "h2", "out"] and frame.surface.output.shape == (48, 48, 2)
    assert frame.trace is None  # it is asked for when the run stands


def test_data_is_sent_when_it_changes(engine):
    engine.open(experiment(seed=123))
    data = engine.open(experiment(seed=124)).data
    assert data.classes == 2 and data.x.shape == (60, 2)
    assert sum(np.frombuffer(data.training.data, bool)) == 42
    assert engine.open(experiment(seed=124, optimizer="sgd")).data is None


def test_open_replays_changes(engine):
    changes = (Change(20, NO_DROPOUT), Change(30, edits.choose_optimizer(NO_DROPOUT, "sgd")))
    opened = engine.open(changes=changes, iteration=50)
    assert opened.iteration == 50 and len(arrived(engine.until(messages.Frame).points)) == 51
    assert weights(engine) == expected(trained(*changes, until=50))


def test_a_document_that_cannot_be_built_is_refused_and_the_run_stands(engine):
    engine.open()
    engine.send(messages.Open(99, RunLog(edits.change_layer(DOCUMENT, "out", units=3))))
    failed = engine.until(messages.Failed)
    assert (failed.request, failed.revision, failed.place) == ("Open", 99, "network.layers[4].units") and failed.cure
    engine.send(messages.Train(2))
    assert engine.until(messages.Trained).iteration == 2


# --- files ---


def reading(engine, path, number: int) -> None:
    engine.send(messages.ReadTable(number, experiment(data=new_choice(DATASETS, "csv", path=str(path)))))


def test_the_run_goes_on_while_a_large_file_is_read_and_reading_can_be_stopped(engine, tmp_path):
    path = tmp_path / "large.csv"
    path.write_text("a,b,y\n" + "1.5,2.25,3\n1.5,2.25,4\n" * 1_000_000)
    engine.open()
    reading(engine, path, 1)
    glimpsed = engine.until(messages.TableGlimpsed)
    assert [column.name for column in glimpsed.table.columns] == ["a", "b", "y"] and glimpsed.table.lines[0] == 2
    told = []
    engine.send(messages.Train(5))
    assert engine.until(messages.Trained, told).iteration == 5
    assert not any(isinstance(reply, messages.TableRead) for reply in told)
    engine.send(messages.StopReading(1))
    stopped = engine.until(messages.TableRead)
    assert stopped.number == 1 and stopped.data is None and "stopped" in stopped.message
    path.write_text("a,b,y\n1,2,3\n4,5,6\n")
    reading(engine, path, 2)
    assert engine.until(messages.TableRead).table.rows == 2, "the next one is read as ever"
    path.write_text("a,b,y\n" + "1.5,2.25,5\n1.5,2.25,6\n" * 200_000)
    engine.send(messages.StopReading(4))
    reading(engine, path, 4)
    stopped = engine.until(messages.TableRead)
    assert stopped.number == 4 and "stopped" in stopped.message, "one that was stopped before its turn is answered as well"


# --- training ---


def test_train_for_a_while(engine):
    engine.open()
    frames = []
    engine.send(messages.Train(100))
    done = engine.until(messages.Trained, frames)
    assert (done.iteration, done.epoch, done.reason) == (100, 33, "done")
    points = [point for frame in frames for point in arrived(getattr(frame, "points", None))]
    straight = trained(until=100)
    straight.complete_last_point()
    assert points == straight.points and frames[-1].iteration == 100
    assert weights(engine) == expected(trained(until=100))


def test_where_the_run_stands_validation_is_measured(engine):
    engine.open()
    frames = []
    engine.send(messages.Train(31))
    engine.until(messages.Trained, frames)
    timeline = trained(until=31)
    assert timeline.points[-1].validation_loss is None, "an iteration at which training alone measures nothing"
    last = arrived([frame for frame in frames if isinstance(frame, messages.Frame)][-1].points)[-1]
    figures = timeline.trainer.evaluate(timeline.trainer.validation_rows)
    assert (last.iteration, last.loss) == (31, timeline.points[-1].loss) and (last.validation_loss, last.metric) == figures
    assert weights(engine) == expected(timeline)


def test_an_edit_while_it_trains_takes_effect_between_two_iterations(engine):
    engine.open()
    engine.send(messages.Train())
    engine.until(messages.Frame)
    while engine.until(messages.Frame).iteration < 30:
        pass
    engine.edit(NO_DROPOUT)
    opened = engine.until(messages.Opened)
    assert not opened.new_run and not opened.reset and set(opened.kept) == set(trained(until=0).trainer.parameters)
    while engine.until(messages.Frame).iteration < opened.iteration + 20:
        pass
    engine.send(messages.Pause())
    paused = engine.until(messages.Trained)
    assert paused.reason == "asked" and paused.iteration > opened.iteration
    assert weights(engine) == expected(trained(Change(opened.iteration, NO_DROPOUT), until=paused.iteration))


def test_the_command_lines_change_at_100_equals_a_persons(engine):
    engine.open()
    engine.send(messages.Train(100))
    engine.until(messages.Trained)
    engine.edit(NO_DROPOUT)
    engine.send(messages.Train(50))
    engine.until(messages.Trained)
    run = jobs.HeadlessRun(jobs.OpenedFile(DOCUMENT, HERE, (jobs.Setting("training.dropout", "false", 100),)))
    run.train(150, None)
    assert weights(engine) == expected(run.timeline)
    assert (
        digest(run.timeline.trainer.net)
        == digest(trained(Change(100, NO_DROPOUT), until=150).trainer.net)
        != digest(trained(until=150).trainer.net)
    )


def test_a_refused_edit_pauses_training(engine):
    engine.open()
    engine.send(messages.Train())
    engine.until(messages.Frame)
    engine.edit(edits.change_layer(DOCUMENT, "out", units=3))
    while not isinstance(reply := engine.next(), messages.Failed):
        pass
    assert reply.revision == engine.revision and engine.until(messages.Trained).reason == "asked"


def test_a_network_of_which_nothing_is_left_starts_a_new_run_and_says_so(engine):
    engine.open()
    engine.send(messages.Train(10))
    engine.until(messages.Trained)
    cut = edits.remove_layers(DOCUMENT, [layer.id for layer in DOCUMENT.network if layer.kind != "input"])
    another = edits.add_layer(cut, "dense", after=cut.network.layers[0].id, units=2)
    engine.edit(another)
    opened = engine.until(messages.Opened)
    assert (opened.new_run, opened.nothing_left, opened.iteration, opened.log) == (True, True, 0, LogUpdate(0))
    assert opened.reasons == (NOTHING_LEFT,)
    engine.edit(edits.change_training(another, batch_size=5))
    opened = engine.until(messages.Opened)
    assert (opened.new_run, opened.nothing_left, opened.log) == (False, False, LogUpdate(0, 0))
    engine.revision += 1
    engine.send(messages.Edit(engine.revision, edits.set_title(another, "Built again"), ()))
    opened = engine.until(messages.Opened)
    assert opened.nothing_left and not opened.reasons, "there was no training to be lost"


def test_the_log_is_told_as_it_becomes(engine):
    log = engine.open() and RunLog(DOCUMENT)
    for iterations, document in ((10, NO_DROPOUT), (5, DOCUMENT), (0, NO_DROPOUT)):
        if iterations:
            engine.send(messages.Train(iterations))
            engine.until(messages.Trained)
        engine.edit(document)
        log = log.updated(engine.until(messages.Opened).log, document)
    assert [change.iteration for change in log.changes] == [10], "the change at 15 has been taken back"
    engine.send(messages.GoTo(4), messages.Train(1))
    engine.until(messages.Trained)
    engine.edit(NO_DROPOUT)
    log = log.updated(engine.until(messages.Opened).log, NO_DROPOUT)
    assert log == RunLog(DOCUMENT, (Change(5, NO_DROPOUT),)), "only an edit drops what lies ahead"


def test_other_data_starts_a_new_run(engine):
    engine.open()
    engine.send(messages.Train(10))
    engine.until(messages.Trained)
    engine.edit(edits.change_data(DOCUMENT, noise=0.3))
    opened = engine.until(messages.Opened)
    assert opened.new_run and opened.iteration == 0 and opened.data is not None


def test_non_finite_and_early_stopping_end_training_with_a_reason(engine):
    engine.open(edits.change_optimizer(edits.choose_optimizer(DOCUMENT, "sgd"), learning_rate=1e4))
    engine.edit(edits.change_training(edits.change_optimizer(edits.choose_optimizer(DOCUMENT, "sgd"), learning_rate=1e4), l2=1.0))
    engine.send(messages.Train())
    stopped = engine.until(messages.Trained)
    assert stopped.reason == "non_finite" and "is not" in stopped.message
    engine.open(edits.change_training(edits.change_optimizer(DOCUMENT, learning_rate=0.5), early_stopping=1))
    engine.send(messages.Train())
    stopped = engine.until(messages.Trained)
    assert stopped.reason == "early_stopping" and "are back" in stopped.message


def test_what_is_measured_where_an_iteration_could_not_be_made_is_of_the_last_one_that_was(engine):
    wild = edits.change_training(edits.change_optimizer(edits.choose_optimizer(DOCUMENT, "sgd"), learning_rate=1e4), l2=1.0)
    engine.open(wild)
    engine.send(messages.Watch(("measures",)), messages.Train())
    frames = []
    while not isinstance(reply := engine.next(), messages.Trained | None):
        frames += [reply] if isinstance(reply, messages.Frame) else []
    timeline = Timeline(RunLog(wild), HERE)
    timeline.go_to(reply.iteration)
    assert reply.reason == "non_finite" and 0 < reply.iteration == frames[-1].iteration
    shown, right = ([layer.gradients.norm for layer in layers] for layers in (frames[-1].measures, layer_measures(timeline.trainer)))
    assert shown == right and all(map(math.isfinite, right))
    engine.send(messages.Watch(()))


def test_frames_wait_for_the_window(engine):
    engine.open()
    engine.until(messages.Frame)
    engine.acknowledges = False
    try:
        engine.send(messages.Train())
        frames = []
        while (reply := engine.next(0.5)) is not None:
            frames.append(reply)
        assert len(frames) == 1
        engine.send(messages.Acknowledge(frames[0].number))
        assert isinstance(engine.next(), messages.Frame) and engine.next(0.3) is None
    finally:
        engine.acknowledges = True


def test_frames_of_training_do_not_wait_until_that_of_the_run_at_rest_is_drawn(engine):
    engine.acknowledges = False
    try:
        engine.open()
        assert engine.until(messages.Frame).iteration == 0
        engine.send(messages.Train())
        live = engine.until(messages.Frame)
        assert live.iteration > 0
        engine.send(messages.Acknowledge(live.number), messages.Pause())
        engine.until(messages.Trained)
    finally:
        engine.acknowledges = True


def test_live_traces_and_measures(engine):
    engine.send(messages.Watch(("measures", "surface", "trace"), "layer"))
    engine.open()
    engine.send(messages.Train())
    seen, start = [], time.monotonic()
    while len([frame for frame in seen if frame.trace]) < 2:
        seen.append(engine.until(messages.Frame))
        assert time.monotonic() - start < 10
    live = [frame for frame in seen if frame.trace]
    assert all(frame.trace.iteration == frame.iteration and frame.trace.detail == "layer" for frame in live)
    assert any(frame.measures for frame in seen[1:]) and any(frame.surface for frame in seen[1:])
    engine.send(messages.Pause())
    frames = []
    paused = engine.until(messages.Trained, frames)
    assert frames[-1].iteration == paused.iteration and frames[-1].measures and frames[-1].surface
    assert any(measure.update_ratio > 0 for measure in frames[-1].measures)


# --- moving and looking ---


def test_go_to_is_exact_and_trains_on(engine):
    engine.open()
    engine.send(messages.Train(90))
    engine.until(messages.Trained)
    engine.send(messages.GoTo(33))
    moved = engine.until(messages.Moved)
    assert (moved.iteration, moved.epoch) == (33, 11) and arrived(moved.points) == trained(until=33).points
    assert weights(engine) == expected(trained(until=33))
    engine.send(messages.GoTo(120))
    assert engine.until(messages.Moved).iteration == 120 and weights(engine) == expected(trained(until=120))


def test_going_back_while_it_trains_tells_first_what_the_window_has_not_heard(engine):
    engine.open()
    engine.acknowledges = False  # after the first frame of the training no other comes
    try:
        engine.send(messages.Train())
        while (heard := engine.until(messages.Frame)).iteration == 0:
            pass
        time.sleep(0.1)
        engine.send(messages.GoTo(3))
        told = []
        engine.until(messages.Moved, told)
    finally:
        engine.acknowledges = True
    last = [reply for reply in told if isinstance(reply, messages.Frame) and reply.points][-1]
    assert last.iteration > heard.iteration
    assert arrived(last.points)[-1].iteration == last.iteration


def test_a_long_way_is_left_for_a_pause(engine):
    engine.open()
    start = time.monotonic()
    engine.send(messages.GoTo(10_000_000))
    time.sleep(0.2)
    engine.send(messages.Pause())
    told = []
    moved = engine.until(messages.Moved, told)
    assert moved.iteration < 10_000_000 and time.monotonic() - start < 5
    under_way = [reply for reply in told[1:] if isinstance(reply, messages.Frame)]
    assert under_way and all(frame.points is None and 0 <= frame.iteration <= moved.iteration for frame in under_way)


def test_training_on_from_the_past_makes_the_same_iterations_again(engine):
    engine.open()
    engine.send(messages.Train(60))
    engine.until(messages.Trained)
    engine.edit(NO_DROPOUT)
    engine.send(messages.Train(10), messages.GoTo(20), messages.Train(5))
    engine.until(messages.Moved)
    assert engine.until(messages.Trained).iteration == 25
    assert weights(engine) == expected(trained(until=25))
    engine.send(messages.Train(40))
    engine.until(messages.Trained)
    assert weights(engine) == expected(trained(Change(60, NO_DROPOUT), until=65))


def test_trace_inspect_and_check(engine):
    engine.open()
    engine.send(messages.Train(5))
    engine.until(messages.Trained)
    engine.send(messages.TraceNext("textbook"))
    trace = engine.until(messages.Traced).trace
    assert trace.iteration == 5 and len(trace.rows) == 10
    weight = next(node for node in trace.nodes if node.label == "h2.weight")
    engine.send(messages.Inspect(weight.id, "gradient"), messages.CheckGradient(weight.id, (1, 2)))
    inspected, checked = engine.until(messages.Inspected), engine.until(messages.GradientChecked)
    assert inspected.array == weight.gradient.values
    assert checked.analytic == pytest.approx(np.frombuffer(inspected.array.data, np.float32).reshape(4, 4)[1, 2])
    assert checked.numeric == pytest.approx(checked.analytic, rel=0.02, abs=1e-4)
    eps = np.finfo(np.float32).eps
    assert checked.rounding == pytest.approx(eps * trace.loss / eps ** (1 / 3) / max(1.0, abs(trace_value(weight, (1, 2)))))


def trace_value(node, element):
    """One number of a node's value, as it travelled."""
    return np.frombuffer(node.value.values.data, np.float32).reshape(node.shape)[element]


@pytest.mark.parametrize(
    "request_",
    [
        messages.Inspect(999),
        messages.Inspect(0, "gradient"),
        messages.Inspect(0, "nonsense"),
        messages.CheckGradient(1, (99, 99)),
        messages.CheckGradient(1, (0,)),
        messages.TraceNext("nonsense"),
        messages.GoTo(-1),
    ],
)
def test_what_cannot_be_answered_gets_a_sentence(engine, request_):
    engine.open()
    engine.send(messages.TraceNext(), request_)
    engine.until(messages.Traced)
    failed = engine.until(messages.Failed)
    assert failed.request == type(request_).__name__ and failed.message.endswith((".", "h", "math"))
    assert len(weights(engine)) == 6


def test_a_frame_of_garbage_is_answered(engine):
    for body in (b"hello", b"", messages.frame(messages.Ready("x"))[4:]):
        engine.process.stdin.write(len(body).to_bytes(4, "little") + body)
        engine.process.stdin.flush()
        while not isinstance(reply := engine.next(), messages.Failed):
            pass
        assert reply.request == "frame"
    engine.open()


# --- long work ---


def test_long_work_goes_on_beside_training_and_changes_nothing(engine):
    engine.open()
    engine.send(messages.Train(40))
    engine.until(messages.Trained)
    engine.send(messages.StartTask(5, PlaneTask("path", size=21)), messages.Train(600))
    told: list[messages.Reply] = []
    done = engine.until(messages.TaskDone, told)
    if not any(isinstance(one, messages.Trained) for one in told):
        engine.until(messages.Trained)
    assert (done.number, done.iteration, done.reason, done.revision) == (5, 40, "done", engine.revision)
    assert done.result.centre == trained(until=40).trainer.start_point().training_loss
    results = [one.result for one in told if isinstance(one, messages.TaskProgressed) and one.result]
    strides = [result.stride for result in results]
    assert strides and strides == sorted(strides, reverse=True) and set(strides) <= {8, 4, 2}
    assert weights(engine) == expected(trained(until=640))


def test_the_past_is_asked_while_training_goes_on_and_is_what_it_was(engine):
    engine.open()
    engine.send(messages.Train(60))
    engine.until(messages.Trained)
    loss = Question("loss", rows="training")
    engine.send(messages.StartTask(1, PastTimeTask((loss,), 60, 10)), messages.StartTask(2, PastNumbersTask((loss,), 60, 10)))
    engine.send(messages.StartTask(3, FirstTimeTask(Predicate(loss, "below", math.inf), 60)), messages.Train(300))
    told: list[messages.Reply] = []
    done = {}
    while len(done) < 3:
        reply = engine.until(messages.TaskDone, told)
        done[reply.number] = reply
    if not any(isinstance(one, messages.Trained) for one in told):
        engine.until(messages.Trained)
    assert [done[number].reason for number in (1, 2, 3)] == ["done"] * 3 and done[1].result.strides == (1, 10)
    assert to_numpy(done[2].result.iterations).tolist() == list(range(0, 61, 10)) and done[3].result.iteration == 0
    fork = trained(until=60)
    for place, value in zip(range(0, 61, 10), to_numpy(done[2].result.values)[0].tolist(), strict=True):
        fork.go_to(place)
        assert fork.trainer.evaluate(fork.trainer.training_rows)[0] == value
    assert weights(engine) == expected(trained(until=360))


def test_long_work_can_be_stopped_and_ends_with_its_run(engine):
    engine.open()
    engine.send(messages.StartTask(6, RangeTestTask(iterations=100_000, seeds=9)))
    assert engine.until(messages.TaskProgressed).progress.what == "iterations"
    engine.send(messages.StopTask(6))
    assert engine.until(messages.TaskDone) == messages.TaskDone(6, engine.revision, 0, "stopped")
    engine.send(messages.StartTask(7, RangeTestTask(1e-9, 1e-8, iterations=100_000)))
    engine.until(messages.TaskProgressed)
    engine.revision += 1
    engine.send(messages.Open(engine.revision, RunLog(DOCUMENT)))
    assert engine.until(messages.TaskDone) == messages.TaskDone(7, engine.revision - 1, 0, "stopped")
    engine.until(messages.Opened)


def test_a_race_goes_on_when_another_run_is_opened(engine):
    """Each of its runs comes to what it is alone, to the bit, whatever is opened and trained meanwhile."""
    engine.open()
    other = edits.change_optimizer(DOCUMENT, learning_rate=0.5)
    engine.send(messages.StartTask(7, RaceTask((RunLog(DOCUMENT), RunLog(other)), 3000)))
    engine.until(messages.TaskProgressed)
    engine.revision += 1
    engine.send(messages.Open(engine.revision, RunLog(other)), messages.Train(40))
    told: list[messages.Reply] = []
    done = engine.until(messages.TaskDone, told)
    assert (done.number, done.reason) == (7, "done") and any(isinstance(one, messages.Trained) for one in told)
    for raced, document in zip(done.result.runs, (DOCUMENT, other), strict=True):
        timeline = Timeline(document, HERE)
        timeline.go_to(3000)
        assert to_numpy(raced.points.losses)[-1] == timeline.points[-1].loss and raced.iteration == 3000


def test_long_work_that_cannot_be_done_says_why(engine):
    engine.open()
    engine.send(messages.StartTask(8, PlaneTask("weights")), messages.StartTask(9, PlaneTask("path")))
    eight, nine = engine.until(messages.TaskDone), engine.until(messages.TaskDone)
    assert (eight.number, eight.reason, eight.message) == (8, "failed", "A plane of weights is spanned by two different ones.")
    assert (nine.number, nine.reason) == (9, "failed") and "no path yet" in nine.message and nine.cure


# --- the process ---


def test_it_reports_prints_and_leaves_when_the_window_does_even_while_training():
    code = (
        "import sys; sys.argv = ['nnviz', '--engine']; import nnviz.engine.run.trainer as t; advance = t.Trainer.advance\n"
        "def talkative(self, *look):\n    print('hello from a model'); return advance(self, *look)\n"
        "t.Trainer.advance = talkative\nfrom nnviz.__main__ import main; main()"
    )
    engine = Engine("-c", code)
    engine.until(messages.Ready)
    engine.send(messages.Train())
    assert engine.until(messages.Failed).message == "No run is open."
    engine.send(messages.Watch(("measures", "trace")), messages.Open(1, RunLog(DOCUMENT)), messages.Train())
    assert "hello from a model" in engine.until(messages.Logged).text
    engine.until(messages.Frame)
    assert engine.end() <= 2.0


def test_without_torch_it_says_what_to_install():
    engine = Engine(
        "-c", "import sys; sys.argv = ['nnviz', '--engine']; sys.modules['torch'] = None; from nnviz.__main__ import main; sys.exit(main())"
    )
    failed = engine.until(messages.Failed)
    assert failed.request == "start" and "pip install torch==2.13.0" in failed.cure
    assert engine.process.wait(5) == 1
    engine.process.stdin.close()
    engine.process.stdout.close()
    engine.process.stderr.close()


def test_importing_nnviz_loads_neither_torch_nor_qt_and_the_engine_no_qt():
    code = "import sys, nnviz, nnviz.__main__; assert not {'torch', 'PySide6', 'numpy'} & set(sys.modules); assert nnviz.__version__"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
    code = "import sys, nnviz; import nnviz.engine._service; assert callable(nnviz.capture) and 'PySide6' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


# --- as a person likes it ---


@pytest.mark.parametrize(("figure", "comparison"), [("loss", "below"), ("validation_loss", "below"), ("metric", "above")])
def test_training_goes_on_until_a_figure_passes_a_number(engine, figure, comparison):
    timeline = Timeline(DOCUMENT, HERE)
    timeline.go_to(400)
    known = {point.iteration: getattr(point, figure) for point in timeline.points[1:] if getattr(point, figure) is not None}
    threshold = sorted(known.values(), reverse=comparison == "below")[len(known) // 2]
    first = next(at for at, value in known.items() if (value < threshold if comparison == "below" else value > threshold))
    engine.open()
    engine.send(messages.Train(goal=Goal(figure, comparison, threshold)))
    trained = engine.until(messages.Trained)
    assert (trained.iteration, trained.reason) == (first, "reached")
    name = {"loss": "loss of the batch", "validation_loss": "validation loss", "metric": "validation accuracy"}[figure]
    assert trained.message.startswith(f"Iteration {first:,}: the {name} is ") and f"{comparison} {threshold:g}" in trained.message


def test_training_keeps_a_pace_and_listens_all_the_same(engine):
    engine.open()
    start = time.perf_counter()
    engine.send(messages.Train(4, per_second=10.0))
    assert engine.until(messages.Trained).iteration == 4
    assert time.perf_counter() - start >= 0.3
    engine.send(messages.Train(per_second=0.01), messages.Pause())
    there = engine.until(messages.Trained).iteration
    assert there <= 5, "a pause does not wait for the next one"
    engine.send(messages.Train(60, per_second=0.01), messages.SetPace(None))
    assert engine.until(messages.Trained).iteration == there + 60


def test_every_iteration_is_shown_at_a_slow_pace(engine):
    engine.open()
    engine.send(messages.Watch(("measures",)), messages.Train(4, per_second=8.0))
    replies: list = []
    engine.until(messages.Trained, replies)
    frames = [reply for reply in replies if isinstance(reply, messages.Frame) and reply.iteration]
    assert len(frames) >= 3 and frames[-1].iteration == 4, "at full speed there would be one frame"
    assert sum(bool(frame.measures) for frame in frames) >= 2


# --- pictures of the inside ---


def test_pictures_come_with_the_run_when_they_are_wished_for_and_while_it_trains(engine):
    weights, maps = PictureWish("weights"), PictureWish("maps", row=3)
    engine.send(messages.Watch(("curves",), pictures=(weights,)))
    engine.open()
    assert [picture.wish for picture in engine.until(messages.Frame).pictures] == [weights]
    engine.send(messages.Watch(("curves",), pictures=(weights, maps)))
    frame = engine.until(messages.Frame)
    assert [picture.wish for picture in frame.pictures] == [maps], "only what is new is made"
    seen: list[messages.Frame] = []
    engine.send(messages.Train())
    while len({picture.wish.kind for frame in seen for picture in frame.pictures}) < 2:
        seen.append(engine.until(messages.Frame))
    assert all(len(frame.pictures) <= 1 for frame in seen), "one after the other"
    engine.send(messages.Pause())
    engine.until(messages.Trained, seen)
    last = [reply for reply in seen if isinstance(reply, messages.Frame)][-1]
    assert {picture.wish for picture in last.pictures} == {weights, maps}
    engine.send(messages.Watch(("curves",)))
    engine.send(messages.Train(3))
    engine.until(messages.Trained, after := [])
    assert not any(reply.pictures for reply in after if isinstance(reply, messages.Frame)), "nothing is made for what nobody watches"

"""What frames carry while training runs: traces and plots both come, however slowly it goes."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from nnviz.document.run_log import RunLog
from nnviz.engine.observe import reporter as module
from nnviz.engine.observe.reporter import Reporter
from nnviz.engine.run.timeline import Timeline
from nnviz.messages import Watch
from tests.curve_points import arrived
from tests.engine.experiments import experiment


class Clock:
    """A clock that only goes when it is told to, and while a trace is made."""

    def __init__(self, monkeypatch, trace_takes: float) -> None:
        self.now = 1000.0
        monkeypatch.setattr(module.time, "perf_counter", lambda: self.now)
        capture = module.capture_next

        def slow(*what, **settings):
            self.now += trace_takes
            return capture(*what, **settings)

        monkeypatch.setattr(module, "capture_next", slow)


def frames(monkeypatch, seconds: float, trace_takes: float, count: int = 12) -> list:
    """The frames of so many iterations, each of them drawn by the window at once."""
    clock, sent = Clock(monkeypatch, trace_takes), []
    reporter, timeline = Reporter(sent.append), Timeline(RunLog(experiment()), Path())
    reporter.set_watch(Watch(("measures", "trace")))
    for _ in range(count):
        timeline.advance()
        clock.now += seconds
        reporter.report_iteration(timeline, 0, seconds)
        reporter.acknowledge(sent[-1].number)
    return sent


def test_at_one_iteration_a_second_every_frame_brings_its_trace_and_its_figures(monkeypatch):
    sent = frames(monkeypatch, 1.0, trace_takes=0.005)
    assert [frame.trace.iteration for frame in sent] == [frame.iteration for frame in sent]
    assert [[point.iteration for point in arrived(frame.points)][-1] for frame in sent] == list(range(1, 13))


@pytest.mark.parametrize(("seconds", "trace_takes"), [(0.3, 0.003), (0.1, 1.5)])
def test_plots_have_their_turn_after_a_trace_that_came_alone(monkeypatch, seconds, trace_takes):
    sent = frames(monkeypatch, seconds, trace_takes)
    with_trace = [frame.trace is not None for frame in sent]
    assert any(with_trace) and all(bool(frame.points) != bool(frame.trace) for frame in sent)
    assert not any(one and following for one, following in pairwise(with_trace))


def test_what_measuring_cost_in_another_run_does_not_hold_up_that_of_a_new_one(monkeypatch):
    clock, sent = Clock(monkeypatch, 0.0), []
    reporter, timeline = Reporter(sent.append), Timeline(RunLog(experiment()), Path())
    reporter.set_watch(Watch(("measures",)))
    seconds = iter(range(0, 10**6, 60))
    monkeypatch.setattr(module.time, "thread_time", lambda: next(seconds))  # a minute each
    for _ in range(3):
        timeline.advance()
        clock.now += 1.0
        reporter.report_iteration(timeline, 0, 0.1)
        reporter.acknowledge(sent[-1].number)
    assert [bool(frame.measures) for frame in sent] == [True, False, False]
    reporter.begin()
    clock.now += 1.0
    reporter.report_iteration(timeline, 1, 0.1)
    assert sent[-1].measures

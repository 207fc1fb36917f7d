"""What the process of a window's sweep answers, piece by piece."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from nnviz import jobs
from nnviz.document.store import files
from nnviz.document.store.examples import open_document
from nnviz.document.sweep_plan import SweepOrder, read_axis
from nnviz.engine.errors import NO_MEMORY
from nnviz.records.sweep_records import SpeedRequest, SweepEnd, SweepRequest, SweepSpeed, SweptRun
from nnviz.sweeps import sweeping
from nnviz.sweeps.sweep_process import answered

FOLDER = str(Path(__file__).resolve().parents[2])
MOONS = files.dumps(open_document("example:moons")).decode()


def test_the_speed_is_that_of_the_document():
    speed, end = answered(SpeedRequest(MOONS, FOLDER))
    assert isinstance(speed, SweepSpeed) and 0 < speed.seconds < 0.1 and speed.each >= 0 and end == SweepEnd()


def test_every_run_is_told_and_then_the_end():
    order = SweepOrder((read_axis("network.layers.h1.units=0,3"),), iterations=4)
    *rows, end = answered(SweepRequest(MOONS, FOLDER, order, 1))
    assert [type(row) for row in rows] == [SweptRun, SweptRun] and end == SweepEnd()
    assert rows[0].is_failed and "units" in rows[0].message
    (task,) = sweeping.opened("example:moons", SweepOrder((read_axis("network.layers.h1.units=3"),), iterations=4)).tasks()
    assert rows[1].digest == sweeping.made(task).digest


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        (SweepRequest("{}", FOLDER, SweepOrder()), "format"),
        (SweepRequest(MOONS, FOLDER, SweepOrder((read_axis("training.nothing=1"),))), "Nothing has this path"),
        (SweepRequest(MOONS, FOLDER, SweepOrder(), None, "tcp://127.0.0.1:9"), 'pip install "nnviz[sweep]"'),
    ],
)
def test_what_goes_wrong_is_told_at_the_end(monkeypatch, request_, said):
    monkeypatch.setitem(sys.modules, "distributed", None)
    (end,) = answered(request_)
    assert said in end.message and not end.message.startswith("It could not")


def test_errors_for_people_are_their_own_sentence():
    assert jobs.sentence_of(jobs.JobError("So it is.")) == "So it is."
    assert jobs.sentence_of(MemoryError()) == NO_MEMORY
    assert jobs.sentence_of(KeyError("x")) == "It could not be done (KeyError: 'x')."

"""The sweep of a document: what its file keeps, what is asked to be made, and what becomes of it with the document."""

from __future__ import annotations

from typing import ClassVar

import pytest
from PySide6.QtCore import QObject, Signal

from nnviz.document import edits
from nnviz.document.store import files
from nnviz.document.store.saved_run import PART
from nnviz.document.sweep_plan import SweepOrder, read_axis
from nnviz.records.sweep_records import SweepEnd, SweptRun
from nnviz.session import sweep_control
from tests.session.sessions import two_moons

ORDER = SweepOrder((read_axis("training.optimizer.learning_rate=0.1,0.01"),), seeds=2, iterations=30)


class ListProcess(QObject):
    """Takes down what is asked; the test says what comes back."""

    replied = Signal(object)
    made: ClassVar[list[ListProcess]] = []

    def __init__(self, request, parent) -> None:
        super().__init__(parent)
        self.request, self.is_stopped = request, False
        self.made.append(self)

    def stop(self) -> None:
        self.is_stopped = True


@pytest.fixture(autouse=True)
def processes(monkeypatch):
    monkeypatch.setattr(sweep_control, "SweepProcess", ListProcess)
    monkeypatch.setattr(ListProcess, "made", [])
    return ListProcess.made


def finish(session, *numbers: int, **others) -> None:
    """Let these runs be finished."""
    for number in numbers:
        run = session.sweep.planned[number - 1]
        figures = {"loss": 1 / number, "stopped": "done", "digest": f"{number}", "losses": ((1, 2.0), (2, 1 / 3))} | others
        row = SweptRun(number=number, values=run.values, seed=run.experiment.seed, fingerprint=f"f{number}", **figures)
        ListProcess.made[-1].replied.emit(row)


def reopened(session, path):
    """Open another document, and this one again; return its sweep."""
    session.document.new(two_moons(units=9))
    assert session.sweep.present is None
    assert session.document.open(path)
    return session.sweep


def test_the_file_brings_plan_and_rows_back_and_going_on_makes_only_what_is_missing(standing, tmp_path, processes):
    session, path = standing.session, tmp_path / "swept.nnviz"
    session.sweep.start(ORDER, 3)
    finish(session, 1, 3)
    assert not session.is_saved
    session.sweep.cancel()
    assert processes[-1].is_stopped and session.sweep.missing == (2, 4)
    assert session.document.save_as(path) and session.is_saved
    present, swept = session.sweep.present, session.experiment
    sweep = reopened(session, path)
    assert sweep.present == present and session.is_saved and not sweep.is_going
    sweep.go_on()
    assert processes[-1].request.numbers == (2, 4) and processes[-1].request.order == ORDER
    assert files.loads(processes[-1].request.document.encode()) == swept
    finish(session, 2, 4)
    processes[-1].replied.emit(SweepEnd())
    assert [row.number for row in sweep.rows] == [1, 2, 3, 4] and not sweep.missing and not session.is_saved


def test_plain_json_keeps_no_sweep_and_a_copy_for_a_crash_does(standing, tmp_path):
    session = standing.session
    session.sweep.start(ORDER)
    finish(session, 1)
    session.document.save_as(tmp_path / "plain.json")
    assert not session.is_saved and session.document.is_saved
    assert b"sweep" not in (tmp_path / "plain.json").read_bytes() and b'"sweep"' in session.kept_run.attachments()[PART]


def test_a_document_without_runs_is_written_as_before(standing, tmp_path):
    session = standing.session
    session.sweep.start(ORDER)
    session.document.save_as(tmp_path / "none.nnviz")
    assert files.part(tmp_path / "none.nnviz", PART) is None and session.is_saved


def test_an_edit_leaves_the_rows_with_the_document_they_were_run_with(standing, tmp_path, processes):
    session, swept = standing.session, standing.session.experiment
    session.sweep.start(ORDER)
    finish(session, 1)
    session.sweep.cancel()
    session.edit("Rename", edits.set_value, "title", "other")
    assert not session.sweep.is_of_earlier, "no run depends on a title"
    session.edit("Units", edits.set_value, "network.layers.h1.units", "7")
    assert session.sweep.is_of_earlier and len(session.sweep.rows) == 1
    experiment, _ = session.sweep.document(1)
    assert experiment.network == swept.network
    session.document.save_as(tmp_path / "edited.nnviz")
    present = session.sweep.present
    sweep = reopened(session, tmp_path / "edited.nnviz")
    assert sweep.is_of_earlier and sweep.present == present
    sweep.go_on()
    assert files.loads(processes[-1].request.document.encode()).network == swept.network
    session.edit("Units", edits.set_value, "network.layers.h1.units", "4")
    assert not sweep.is_of_earlier


def test_one_of_its_runs_can_be_opened_and_the_others_stay(standing, tmp_path, processes):
    session, path = standing.session, tmp_path / "swept.nnviz"
    session.sweep.start(ORDER)
    finish(session, 1, 2)
    session.document.save_as(path)
    experiment, run = session.sweep.document(2)
    session.document.new(experiment)
    session.kept_run.offer(run)
    assert len(session.sweep.rows) == 2 and session.sweep.is_going and session.sweep.is_of_earlier
    assert session.is_saved, "a file holds them"
    finish(session, 3)
    assert not session.is_saved
    session.document.open(path)
    assert [row.number for row in session.sweep.rows] == [1, 2, 3] and session.sweep.is_going and not session.is_saved
    session.document.save()
    assert session.is_saved and not session.sweep.is_of_earlier
    session.document.new(two_moons(units=9))
    assert not session.sweep.planned and processes[-1].is_stopped and session.is_saved


def test_another_sweep_of_the_document_is_told_what_is_known(standing, processes):
    session = standing.session
    session.sweep.start(ORDER)
    finish(session, 1, 2)
    rows = session.sweep.rows
    session.sweep.start(SweepOrder(ORDER.axes, seeds=5, iterations=30))
    assert processes[-1].request.known == rows and processes[-1].request.numbers is None and processes[0].is_stopped
    assert not session.sweep.rows and len(session.sweep.planned) == 10


def test_without_room_for_curves_the_rows_are_kept(standing, tmp_path, monkeypatch):
    session = standing.session
    session.sweep.start(ORDER)
    finish(session, 1, losses=tuple((at, 1 / at) for at in range(1, 101)))
    whole = len(session.kept_run.attachments()[PART])
    monkeypatch.setitem(files.LARGEST, PART, whole - 1)
    session.document.save_as(tmp_path / "large.nnviz")
    (row,) = reopened(session, tmp_path / "large.nnviz").rows
    assert row.digest == "1" and not row.losses and session.is_saved
    session.sweep.start(ORDER)
    finish(session, 1)
    monkeypatch.setitem(files.LARGEST, PART, 100)
    session.document.save_as(tmp_path / "large.nnviz")
    assert not session.is_saved and not reopened(session, tmp_path / "large.nnviz").rows


def test_the_copy_of_unsaved_work_follows_every_run(standing, monkeypatch):
    session, waits = standing.session, []
    monkeypatch.setattr(session.autosaver, "_is_on", True)
    monkeypatch.setattr(session.autosaver._timer, "start", lambda: waits.append(len(session.sweep.rows)))
    session.sweep.start(ORDER)
    finish(session, 1, 2)
    assert waits[-2:] == [1, 2] and not session.autosaver._is_saved
